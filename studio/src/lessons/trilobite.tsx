// Lesson 2, one parameter (figs. 8.2 and 8.4): the trilobite feels the slope of a cost and steps downhill.

import { computed, type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo } from "preact/hooks"
import { start as startJob } from "../engine/client.ts"
import { Choice } from "../ui/controls.tsx"
import { cost, plain, rate, slope as slopeText } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { Formula, LessonPage, once, still, useWalk } from "../ui/lesson.tsx"
import { etaTerm, maths } from "../ui/maths.tsx"
import { axis, curve } from "../ui/plot.ts"
import { said, speak } from "../ui/said.ts"
import { Stays } from "../ui/stays.tsx"
import { type Keys, numberKey, useUrlState, wordKey } from "../ui/url.ts"
import { EtaSlider, WalkButtons } from "../ui/walk.tsx"
import { GroundFigure } from "./ground-figure.tsx"
import {
  bottoms,
  descend,
  drawingKey,
  FROM,
  fromDrawing,
  type Ground,
  type GroundName,
  grounds,
  TO,
  through,
  walk,
} from "./grounds.ts"

interface View {
  readonly f: GroundName
  readonly p: number
  readonly eta: number
  readonly n: number
  readonly drawn: readonly number[]
}

/** The state of this page: where the walk began, and how many steps it has. */
export const keys: Keys<View> = {
  f: wordKey("valleys", ["bowl", "valleys", "plateau", "ravine", "net", "drawn"]),
  p: numberKey(-0.7, FROM, TO),
  eta: numberKey(0.6, 0.001, 10),
  n: numberKey(4, 0, 10_000),
  drawn: drawingKey,
}

const SLICE = 121
/** Steps smaller than this are standing. */
const STANDING = 0.0005
const MOST_STEPS = 10_000

const names: readonly (readonly [GroundName, string])[] = [
  ["bowl", "Bowl"],
  ["valleys", "Two valleys"],
  ["plateau", "Plateau"],
  ["ravine", "Ravine"],
  ["net", "Real net"],
  ["drawn", "Draw it"],
]

/** The page. */
export default function TrilobitePage(): JSX.Element {
  const { f, p, eta, n, drawn } = useUrlState(keys)
  const real = useMemo(() => signal<Ground | undefined>(undefined), [])
  const playing = useMemo(() => signal(false), [])
  const dragged = useMemo(() => signal(false), [])
  useEffect(() => {
    const job = startJob("slice", { from: FROM, to: TO, points: SLICE, seed: 3 }, ({ costs }) => {
      real.value = through(costs)
    })
    return () => job.stop()
  }, [])
  const ground = computed((): Ground => {
    if (f.value === "drawn") return fromDrawing(drawn.value)
    return f.value === "net" ? (real.value ?? grounds.bowl) : grounds[f.value]
  })
  const path = computed(() => walk(ground.value, p.value, eta.value, n.value))
  const here = computed(() => path.value.at(-1)!)
  const off = computed(() => !(here.value >= FROM && here.value <= TO))
  const next = computed(() => descend(ground.value, here.value, eta.value))
  const standing = computed(() => Math.abs(next.value - here.value) < STANDING)

  const step = (): void => {
    if (off.peek() || standing.peek() || n.peek() >= MOST_STEPS) {
      playing.value = false
      if (off.peek()) said(`It leapt off the page in step ${path.peek().length - 1}. Try a smaller learning rate.`)
      return
    }
    n.value = path.peek().length
    if (off.peek()) {
      playing.value = false
      said(`It leapt off the page in step ${path.peek().length - 1}. Try a smaller learning rate.`)
    } else speak(`Step ${n.peek()}, cost ${cost(ground.peek().cost(here.peek()))}.`)
  }
  let waited = 0
  useWalk(playing, (ms) => {
    waited += ms
    if (waited < (still() ? 250 : 330)) return
    waited = 0
    step()
  })
  const again = (): void => {
    playing.value = false
    n.value = 0
    if (off.peek()) p.value = keys.p.initial
  }
  const moveTo = (to: number): void => {
    playing.value = false
    dragged.value = true
    n.value = 0
    p.value = Number(Math.min(TO, Math.max(FROM, to)).toFixed(3))
  }
  const nudge = (times: number): void => moveTo(here.peek() + 0.05 * times)
  const scaleEta = (by: number): void => {
    eta.value = Number(Math.min(10, Math.max(0.001, eta.peek() * by)).toPrecision(2))
  }
  useKeys({
    " ": () => (playing.value = !playing.peek()),
    s: step,
    r: again,
    ArrowLeft: () => nudge(-1),
    ArrowRight: () => nudge(1),
    "[": () => scaleEta(1 / 1.25),
    "]": () => scaleEta(1.25),
  })
  const tasks = useMemo(
    () => [
      {
        text: "Walk until the trilobite stops by itself. It needs no brake: why?",
        done: once(() => n.value > 5 && standing.value),
      },
      {
        text: "Drag it to the left of the ridge and let it walk again.",
        done: once(() => f.value === "valleys" && dragged.value && p.value < -1.2 && n.value > 5 && standing.value),
      },
      {
        text: "Raise the learning rate until it leaps across the valley and never settles.",
        done: once(() => n.value > 12 && leaps(path.value) > 5),
      },
    ],
    [],
  )
  const slope = ground.value.slope(here.value)
  return (
    <LessonPage
      part="trilobite"
      title="The trilobite"
      lede="It cannot see the valley. It can only feel the ground tilt beneath its cane, and step downhill."
      figureLabel={`Cost of one parameter, with the trilobite at ${plain(here.value)}`}
      tasks={tasks}
      keys={[
        [["space"], "walk"],
        [["s"], "step"],
        [["r"], "start again"],
        [["←", "→"], "move it"],
      ]}
      figure={
        <>
          <div class="row spread top">
            <Choice
              label="Ground"
              thumbs
              value={f}
              onChange={() => again()}
              options={names.map(([value, label]) => ({
                value,
                label,
                picture: () => <Thumb name={value} real={real} />,
              }))}
            />
            <Costs path={path.value} ground={ground.value} />
          </div>
          <Stays>
            <GroundFigure
              ground={ground.value}
              bottoms={bottoms(ground.value)}
              path={path.value}
              next={next.value}
              eta={eta.value}
              mood={off.value || leaps(path.value) > 5 ? "dizzy" : standing.value ? "content" : "walking"}
              onMove={moveTo}
              drawing={f.value === "drawn" ? drawn : undefined}
            />
          </Stays>
          <div class="controls">
            <WalkButtons
              walking={playing}
              onWalk={() => (playing.value = !playing.peek())}
              onStep={step}
              onAgain={again}
            />
            <EtaSlider value={eta} min={0.001} max={10} initial={keys.eta.initial} />
          </div>
        </>
      }
    >
      <div class="prose">
        <p>
          The curve is the cost of one parameter{f.value === "net" ? ", here one weight of a real net of ten" : ""}.
          Where it stands, the trilobite measures a single number, the <em class="ember">slope</em>. Its next step is
          that slope times the <em class="ember">learning rate</em>, turned around. Steep ground, long stride; level
          ground, tiny stride; no slope, no step.
        </p>
        {f.value === "drawn" && <p>Draw with the pointer on the ground, or focus it and use the arrow keys.</p>}
      </div>
      <Formula
        label="new p equals p minus eta times slope"
        rows={[
          ["", maths`p ← p − ${etaTerm} · ∂C/∂p`],
          [
            "now",
            <span key="n">
              {plain(here.value)} − <em class="ember">{rate(eta.value)}</em> × <em class="ember">{slopeText(slope)}</em>{" "}
              = {plain(next.value)}
            </span>,
          ],
        ]}
      />
    </LessonPage>
  )
}

/** How often the last twenty steps turned round over more than a small distance. */
function leaps(path: readonly number[]): number {
  const last = path.slice(-21)
  let turns = 0
  for (let i = 2; i < last.length; i++) {
    const [a, b] = [last[i - 1]! - last[i - 2]!, last[i]! - last[i - 1]!]
    if (a * b < 0 && Math.min(Math.abs(a), Math.abs(b)) > 0.3) turns++
  }
  return turns
}

function Thumb({ name, real }: { readonly name: GroundName; readonly real: Signal<Ground | undefined> }): JSX.Element {
  if (name === "drawn") {
    return (
      <svg viewBox="0 0 56 30" aria-hidden="true">
        <path d="M4 8c10 22 18 18 24 6s12-6 24 8" class="ln now" stroke-dasharray="3 4" />
      </svg>
    )
  }
  const ground = name === "net" ? (real.value ?? grounds.bowl) : grounds[name]
  const all = Array.from({ length: 41 }, (_, i) => ground.cost(FROM + (i * (TO - FROM)) / 40))
  const y = axis(Math.min(...all), Math.max(...all), 26, 4)
  return (
    <svg viewBox="0 0 56 30" aria-hidden="true">
      <path d={curve((v) => ground.cost(v), FROM, TO, axis(FROM, TO, 3, 53), y, 40)} class="ln now" />
    </svg>
  )
}

/** The cost after each step, small. */
function Costs({ path, ground }: { readonly path: readonly number[]; readonly ground: Ground }): JSX.Element {
  const shown = path.slice(-60)
  const costs = shown.map((p) => ground.cost(p))
  const most = Math.max(23, shown.length - 1)
  const x = axis(0, most, 4, 200)
  const y = axis(Math.min(...costs, 0), Math.max(...costs) || 1, 84, 22)
  const last = costs.at(-1)!
  return (
    <svg
      class="costs"
      viewBox="0 0 256 112"
      role="img"
      aria-label={`Cost after ${path.length - 1} steps: ${cost(last)}`}
    >
      <text x="0" y="11" class="t-12 t-3">
        cost after each step
      </text>
      {costs.map((c, i) => (
        <circle
          key={i}
          cx={x(i)}
          cy={y(c)}
          r={i === costs.length - 1 ? 5 : 3}
          class="ember-dot"
          opacity={i === costs.length - 1 ? 1 : 0.6}
        />
      ))}
      <text x={Math.min(204, x(costs.length - 1) + 10)} y={y(last) + 5} class="t-ember b t-15 halo">
        {cost(last)}
      </text>
      <path d="M0 94H250" class="grid" />
      <text x="0" y="108" class="t-12 t-3">
        {path.length - shown.length}
      </text>
      <text x="250" y="108" text-anchor="end" class="t-12 t-3">
        {path.length - shown.length + most} steps
      </text>
    </svg>
  )
}
