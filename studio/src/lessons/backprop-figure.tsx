// The drawing of the small net: values in neurons, weights and gradients on edges, pulses that run forwards and backwards.

import type { Signal } from "@preact/signals"
import type { JSX } from "preact"
import { cost, plain, signed } from "../ui/format.ts"
import { axis } from "../ui/plot.ts"
import { type Numbers, type Params, sizes } from "./backprop-net.ts"
import { edge, neuron, type Selected } from "./backprop-state.ts"

/** Places of the drawing for a width. */
interface Places {
  readonly narrow: boolean
  readonly width: number
  readonly height: number
  readonly r: number
  at(layer: number, j: number): readonly [x: number, y: number]
  readonly cost: readonly [x: number, y: number]
}

/** From left to right; on phones from top to bottom. */
function placesFor(width: number): Places {
  const narrow = width < 620
  const r = narrow ? 24 : 31
  const height = narrow ? 450 : 424
  const gaps = narrow ? [150, 112, 150, 0] : [196, 142, 196, 0]
  const across = (layer: number, j: number): number => (j - (sizes[layer]! - 1) / 2) * gaps[layer]!
  const at: Places["at"] = narrow
    ? (layer, j) => [width / 2 + across(layer, j), r + 2 + 124 * layer]
    : (layer, j) => [r + 14 + ((width - 164 - r) * layer) / (sizes.length - 1), height / 2 + 8 + across(layer, j)]
  const [x, y] = at(sizes.length - 1, 0)
  return { narrow, width, height, r, at, cost: [x + (narrow ? 104 : 98), y] }
}

/** A gradient as it is written on its edge. */
export const gradientText = (value: number): string => `${value > 0 ? "+" : ""}${cost(value)}`

/** The same with three decimals, for small screens. */
const shortText = (value: number): string => (Math.abs(value) < 0.0005 ? "≈ 0" : signed(value, 3))

/** What a neuron is called. */
export function neuronName(layer: number, j: number): string {
  if (layer === 0) return `input ${j + 1}`
  return layer === sizes.length - 1 ? "the output" : `neuron ${j + 1} of hidden layer ${layer}`
}

interface Props {
  readonly width: number
  readonly params: Params
  readonly numbers: Numbers
  readonly y: number
  readonly step: number
  readonly sel: Signal<Selected>
  /** The costs before the updates that were made. */
  readonly costs: readonly number[]
  /** How far the pulses are on their way, 0 to 1; 1 when they have arrived. */
  readonly way: number
}

/** Whether the numbers of a layer are there: activations, and δ with the gradients of what comes in. */
const knows = (layer: number, step: number): boolean => step >= layer
const heard = (layer: number, step: number): boolean => step >= 8 - layer

/** The net. */
export function Net(props: Props): JSX.Element {
  const { width, params, numbers, y, step } = props
  const places = placesFor(width)
  const titles = places.narrow ? [] : ["inputs", "hidden layer 1", "hidden layer 2", "output"]
  return (
    <svg
      class="bp-net"
      viewBox={`0 0 ${width} ${places.height}`}
      width={width}
      height={places.height}
      role="group"
      aria-label="A net of two inputs, three and two hidden neurons and one output"
    >
      {titles.map((title, layer) => (
        <text key={title} x={places.at(layer, 0)[0]} y="13" text-anchor="middle" class="t-12 t-3">
          {title}
        </text>
      ))}
      {params.weights.map((rows, l) =>
        rows.map((row, i) =>
          row.map((w, j) => <Edge key={edge(l, i, j)} {...props} places={places} at={[l, i, j]} w={w} />),
        ),
      )}
      <Spark places={places} costs={props.costs} now={numbers.cost} />
      <CostMark places={places} value={numbers.cost} y={y} step={step} />
      {params.weights.map((rows, l) =>
        rows.map((row, i) =>
          row.map((w, j) => <Label key={edge(l, i, j)} {...props} places={places} at={[l, i, j]} w={w} />),
        ),
      )}
      <Pulses {...props} places={places} />
      {sizes.map((n, layer) =>
        Array.from({ length: n }, (_, j) => (
          <Neuron key={neuron(layer, j)} {...props} places={places} layer={layer} j={j} />
        )),
      )}
    </svg>
  )
}

type EdgeProps = Props & { readonly places: Places; readonly at: readonly [number, number, number]; readonly w: number }

function ends({ places, at: [l, i, j] }: EdgeProps): readonly [number, number, number, number] {
  const [x1, y1] = places.at(l, i)
  const [x2, y2] = places.at(l + 1, j)
  const long = Math.hypot(x2 - x1, y2 - y1)
  const [dx, dy] = [((x2 - x1) / long) * places.r, ((y2 - y1) / long) * places.r]
  return [x1 + dx, y1 + dy, x2 - dx, y2 - dy]
}

function Edge(props: EdgeProps): JSX.Element {
  const { at, w, numbers, step, sel } = props
  const [l, i, j] = at
  const [x1, y1, x2, y2] = ends(props)
  const d = `M${x1} ${y1}L${x2} ${y2}`
  const name = edge(l, i, j)
  const gradient = heard(l + 1, step) ? `, gradient ${gradientText(numbers.gradients[l]![i]![j]!)}` : ""
  return (
    <g
      class={`bp-edge${sel.value === name ? " sel" : ""}`}
      role="button"
      tabindex={0}
      aria-pressed={sel.value === name}
      aria-label={`Weight from ${neuronName(l, i)} to ${neuronName(l + 1, j)}: ${signed(w)}${gradient}`}
      onClick={() => (sel.value = name)}
      onKeyDown={(event) => choose(event, sel, name)}
    >
      <path d={d} class="bp-hit" />
      <path d={d} class={w < 0 ? "bp-w neg" : "bp-w pos"} stroke-width={Math.min(7, 0.8 + 2.4 * Math.abs(w))} />
    </g>
  )
}

function choose(event: KeyboardEvent, sel: Signal<Selected>, name: Selected): void {
  if (event.key !== "Enter" && event.key !== " ") return
  event.preventDefault()
  sel.value = name
}

/** Where along an edge its label stands: edges of neighbouring neurons at other places, so that no two labels meet. */
function labelAt(narrow: boolean, l: number, i: number): number {
  if (l === 2) return narrow ? 0.6 : 0.66
  if (i % 2 === 0) return narrow ? 0.8 : 0.72
  return narrow ? 0.5 : 0.42
}

function Label(props: EdgeProps): JSX.Element {
  const { at, w, numbers, step, places, sel } = props
  const [l, i, j] = at
  const [x1, y1, x2, y2] = ends(props)
  const t = labelAt(places.narrow, l, i)
  const [x, y] = [x1 + t * (x2 - x1), y1 + t * (y2 - y1)]
  const there = heard(l + 1, step)
  const strong = sel.value === edge(l, i, j) ? " b" : ""
  const gradient = numbers.gradients[l]![i]![j]!
  return (
    <g class="bp-label">
      {!(places.narrow && there) && (
        <text
          x={x}
          y={there ? y - 2 : y + 4}
          text-anchor="middle"
          class={`t-12 halo ${w < 0 ? "t-neg" : "t-pos"}${strong}`}
        >
          {signed(w)}
        </text>
      )}
      {there && (
        <text x={x} y={places.narrow ? y + 4 : y + 13} text-anchor="middle" class={`t-12 halo t-ember${strong}`}>
          {places.narrow ? shortText(gradient) : gradientText(gradient)}
        </text>
      )}
    </g>
  )
}

function Neuron(props: Props & { readonly places: Places; readonly layer: number; readonly j: number }): JSX.Element {
  const { places, layer, j, numbers, step, sel } = props
  const [x, y] = places.at(layer, j)
  const name = neuron(layer, j)
  const value = numbers.a[layer]![j]!
  const delta = layer > 0 && heard(layer, step) ? numbers.delta[layer - 1]![j]! : undefined
  const says = knows(layer, step) ? `, activation ${plain(value, places.narrow ? 2 : 3)}` : ""
  const back = delta === undefined ? "" : `, delta ${gradientText(delta)}`
  return (
    <>
      <g
        class={`bp-neuron${sel.value === name ? " sel" : ""}`}
        role="button"
        tabindex={0}
        aria-pressed={sel.value === name}
        aria-label={`${neuronName(layer, j)}${says}${back}`}
        onClick={() => (sel.value = name)}
        onKeyDown={(event) => choose(event, sel, name)}
      >
        <circle cx={x} cy={y} r={places.r} class={knows(layer, step) ? "bp-disc" : "bp-disc empty"} />
        {knows(layer, step) && (
          <text x={x} y={y + 5} text-anchor="middle" class={`b t-ink ${places.narrow ? "" : "t-15"}`}>
            {plain(value, places.narrow ? 2 : 3)}
          </text>
        )}
      </g>
      {delta !== undefined && (
        <text x={x} y={y + places.r + 16} text-anchor="middle" class="t-ember t-12 b halo">
          <tspan class="bp-greek">δ</tspan> {gradientText(delta)}
        </text>
      )}
    </>
  )
}

function CostMark(props: {
  readonly places: Places
  readonly value: number
  readonly y: number
  readonly step: number
}): JSX.Element {
  const { places, value, y, step } = props
  const [x, top] = places.cost
  return (
    <g>
      <path d={`M${places.at(sizes.length - 1, 0)[0] + places.r + 4} ${top}H${x - 34}`} class="axis" />
      <text x={x} y={top - 16} text-anchor="middle" class="t-12 t-3">
        wanted {y}
      </text>
      <text x={x} y={top + 6} text-anchor="middle" class="b t-ink t-15">
        {step >= 4 ? cost(value) : "·"}
      </text>
      <text x={x} y={top + 24} text-anchor="middle" class="t-12 t-3">
        cost <tspan class="m">C</tspan>
      </text>
    </g>
  )
}

/** The dots on their way along the edges of this step. */
function Pulses(props: Props & { readonly places: Places }): JSX.Element | null {
  const { params, step, way, places } = props
  const back = step >= 5
  if (way >= 1 || step === 0 || step === 8) return null
  if (step === 4 || step === 5) {
    const [x, y] = places.cost
    const from = places.at(sizes.length - 1, 0)[0] + places.r
    return (
      <circle cx={from + (back ? 1 - way : way) * (x - 34 - from)} cy={y} r="6" class={back ? "bp-back" : "bp-fore"} />
    )
  }
  const l = back ? 8 - step : step - 1
  const t = back ? 1 - way : way
  return (
    <g>
      {params.weights[l]!.flatMap((row, i) =>
        row.map((w, j) => {
          const [x1, y1, x2, y2] = ends({ ...props, places, at: [l, i, j], w })
          return (
            <circle
              key={edge(l, i, j)}
              cx={x1 + t * (x2 - x1)}
              cy={y1 + t * (y2 - y1)}
              r="6"
              class={back ? "bp-back" : "bp-fore"}
            />
          )
        }),
      )}
    </g>
  )
}

/** The cost before each update, and now. */
function Spark(props: {
  readonly places: Places
  readonly costs: readonly number[]
  readonly now: number
}): JSX.Element | null {
  const { places, costs, now } = props
  if (costs.length === 0) return null
  const [wide, most] = places.narrow ? [66, 8] : [110, 16]
  const all = [...costs.slice(-most), now]
  const [left, top] = places.narrow ? [2, places.cost[1] - 22] : [places.width - wide - 64, 56]
  const x = axis(0, most, left + 4, left + wide)
  const y = axis(0, Math.max(...all, 1e-9), top + 40, top + 8)
  const last = all.length - 1
  return (
    <g aria-label={`The cost after ${costs.length} updates is ${cost(now)}`}>
      <text x={left} y={top - 4} class="t-12 t-3">
        {places.narrow ? "cost by update" : "cost after each update"}
      </text>
      {all.map((c, i) => (
        <circle key={i} cx={x(i)} cy={y(c)} r={i === last ? 5 : 3} class="ember-dot" opacity={i === last ? 1 : 0.55} />
      ))}
      <text x={x(last) + 10} y={y(now) + 4} class="b t-ember halo">
        {cost(now)}
      </text>
    </g>
  )
}
