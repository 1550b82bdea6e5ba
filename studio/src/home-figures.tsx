// The miniatures of the course's stops: each the figure of its lesson, drawn up to a time from 0 to 1 by the lesson's own sums.

import type { JSX } from "preact"
import { crossEntropyCost, quadraticCost } from "trilobite"
import { grounds, walk } from "./lessons/grounds.ts"
import { numbersFrom } from "./random.ts"

/** The sides of a miniature. */
export const WIDTH = 240
export const HEIGHT = 84

type Draw = (t: number) => JSX.Element

const line = (points: readonly (readonly [x: number, y: number])[]): string =>
  `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
/** The part of a row that is seen at a time, at least two of it. */
const until = <T,>(row: readonly T[], t: number): readonly T[] => row.slice(0, Math.max(2, Math.round(t * row.length)))

/** Both costs of an answer that should be 1, from sure and wrong to right. */
const costs: Draw = (t) => {
  const place = (cost: number): number => HEIGHT - 8 - Math.min(cost, 4) * 18
  const answer = (x: number): number => 0.02 + (0.96 * (x - 6)) / (WIDTH - 12)
  const all = range(58).map((i) => 6 + 4 * i)
  const at = 6 + t * (WIDTH - 12)
  return (
    <>
      <path d={line(all.map((x) => [x, place(quadraticCost(1, answer(x)))]))} class="ln that" />
      <path d={line(all.map((x) => [x, place(crossEntropyCost(1, answer(x)))]))} class="ln this" />
      <path d={`M${at} 4V${HEIGHT - 4}`} class="axis" />
      <circle cx={at} cy={place(quadraticCost(1, answer(at)))} r="4.500" class="dot that" />
      <circle cx={at} cy={place(crossEntropyCost(1, answer(at)))} r="4.500" class="dot this" />
    </>
  )
}

const descent = walk(grounds.valleys, -0.7, 0.35, 24)

/** The descent into the wider valley, a dot for each step. */
const trilobite: Draw = (t) => {
  const place = (p: number): readonly [number, number] => [
    6 + ((p + 4.6) / 10) * (WIDTH - 12),
    HEIGHT - 4 - grounds.valleys.cost(p) * 25,
  ]
  const path = until(descent, t).map(place)
  const [x, y] = path.at(-1)!
  return (
    <>
      <path d={line(range(81).map((i) => place(-4.6 + i / 8)))} class="ln" />
      {path.map(([cx, cy]) => (
        <circle key={cx} cx={cx} cy={cy} r="1.800" class="ember-dot" />
      ))}
      <circle cx={x} cy={y} r="5" class="dot ember" />
    </>
  )
}

const [COLUMNS, ROWS, BATCH] = [38, 12, 24]
const order = shuffled(COLUMNS * ROWS)

function shuffled(n: number): number[] {
  const next = numbersFrom(8)
  return range(n)
    .map((i) => [next(), i] as const)
    .sort(([a], [b]) => a - b)
    .map(([, i]) => i)
}

/** The wall of images: those that were used are dark, those of this round glow. */
const batches: Draw = (t) => {
  const used = Math.round((t * order.length) / BATCH) * BATCH
  const squares = (cells: readonly number[]): string =>
    cells.map((i) => `M${6 + (i % COLUMNS) * 6} ${6 + Math.floor(i / COLUMNS) * 6}h5v5h-5z`).join("")
  return (
    <>
      <path d={squares(order.slice(used))} class="mini-rest" />
      <path d={squares(order.slice(0, Math.max(0, used - BATCH)))} class="mini-used" />
      <path d={squares(order.slice(Math.max(0, used - BATCH), used))} class="ember-dot" />
    </>
  )
}

const net = [2, 3, 2, 1].map((n, l) => range(n).map((i) => [24 + l * 64, HEIGHT / 2 + (i - (n - 1) / 2) * 27] as const))

/** Forwards in ink, backwards in ember, along the same edges. */
const backward: Draw = (t) => {
  const [forth, back] = [Math.min(3, t * 6), Math.min(3, Math.max(0, t * 6 - 3))]
  const edges = net
    .slice(1)
    .flatMap((to, l) => net[l]!.flatMap(([ax, ay]) => to.map(([bx, by]) => [l, ax, ay, bx, by] as const)))
  const part = (a: number, b: number, share: number): number => a + (b - a) * share
  return (
    <>
      {edges.map(([l, ax, ay, bx, by]) => {
        const [f, b] = [Math.min(1, Math.max(0, forth - l)), Math.min(1, Math.max(0, back - (2 - l)))]
        return (
          <g key={`${ax} ${ay} ${by}`}>
            <path d={`M${ax} ${ay}L${bx} ${by}`} class="grid" />
            {f > 0 && <path d={`M${ax} ${ay}L${part(ax, bx, f)} ${part(ay, by, f)}`} class="ln thin" />}
            {b > 0 && <path d={`M${bx} ${by}L${part(bx, ax, b)} ${part(by, ay, b)}`} class="ember-ln" />}
          </g>
        )
      })}
      {net.flat().map(([cx, cy]) => (
        <circle key={`${cx} ${cy}`} cx={cx} cy={cy} r="6.500" class="dot" />
      ))}
    </>
  )
}

const speeds = chain(5, 60)

/** The speeds of a chain of sigmoid neurons, one a layer, that learns one example: rounds of layers. */
function chain(layers: number, rounds: number): readonly number[][] {
  const weights = range(layers).map(() => 1)
  return range(rounds).map(() => {
    const a = [1]
    for (const w of weights) a.push(1 / (1 + Math.exp(-w * a.at(-1)!)))
    let delta = a[layers]! - 0.98
    const steps: number[] = []
    for (let l = layers - 1; l >= 0; l--) {
      steps[l] = 0.5 * delta * a[l]!
      delta *= weights[l]! * a[l]! * (1 - a[l]!)
    }
    for (const [l, step] of steps.entries()) weights[l]! -= step
    return steps.map(Math.abs)
  })
}

/** How fast five layers learn, on a log axis. */
const speed: Draw = (t) => {
  const seen = until(speeds, t)
  const [low, high] = [Math.log(Math.min(...speeds.flat())), Math.log(Math.max(...speeds.flat()))]
  return (
    <>
      {range(5).map((l) => {
        const points = seen.map(
          (steps, i) =>
            [6 + i * 3.85, HEIGHT - 6 - ((Math.log(steps[l]!) - low) / (high - low)) * (HEIGHT - 12)] as const,
        )
        return <path key={l} d={line(points)} class={`ln now layer-${l + 1}`} />
      })}
    </>
  )
}

/** Validation accuracies of `trilobite train intermediate-net --seed 1`, and of shallow-net. */
const deep = [
  0.9102, 0.9265, 0.9531, 0.944, 0.9596, 0.9629, 0.9663, 0.9653, 0.9667, 0.9691, 0.9692, 0.9712, 0.9696, 0.97, 0.9727,
  0.9748, 0.969, 0.9741, 0.9745, 0.9737,
]
const shallow = [
  0.1023, 0.1154, 0.1293, 0.1397, 0.1534, 0.1727, 0.2035, 0.2289, 0.2542, 0.2806, 0.317, 0.349, 0.3721, 0.3881, 0.4064,
  0.4226, 0.436, 0.4451, 0.4475, 0.4453,
]

/** A real net beside a shallow one, epoch by epoch. */
const intermediate: Draw = (t) => {
  const place = (row: readonly number[]): string =>
    line(until(row, t).map((v, i) => [6 + i * 12, HEIGHT - 6 - v * (HEIGHT - 12)] as const))
  return (
    <>
      <path d={`M6 ${HEIGHT - 6}H${WIDTH - 6}`} class="axis" />
      <path d={place(shallow)} class="ln that" />
      <path d={place(deep)} class="ln this" />
    </>
  )
}

/** What twelve steps leave of a bowl's cost, for 29 learning rates. */
const left = range(29).map((i) => {
  const eta = 0.05 * 1.26 ** i
  const end = walk(grounds.bowl, -4.5, eta, 12).at(-1)!
  return Math.min(3, grounds.bowl.cost(end))
})

/** Learning rates: too small, right, too large. */
const knobs: Draw = (t) => {
  const place = (cost: number, i: number): readonly [number, number] => [8 + i * 8, HEIGHT - 4 - cost * 25]
  const seen = until(left, t).map(place)
  const best = left.indexOf(Math.min(...left))
  return (
    <>
      <path d={line(seen)} class="ln thin" />
      {seen.map(([cx, cy], i) => (
        <circle key={cx} cx={cx} cy={cy} r={i === best ? 5 : 2.4} class={i === best ? "dot ember" : "mini-used"} />
      ))}
    </>
  )
}

/** The miniatures in the order of the lessons. */
export const figures: readonly Draw[] = [costs, trilobite, batches, backward, speed, intermediate, knobs]
