// Lesson 1, saturated neurons (fig. 8.1): where the activation is flat, and which cost still pushes there.

import { batch, computed, type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { crossEntropyCost, quadraticCost } from "trilobite"
import { type Running, start } from "../engine/client.ts"
import type { RaceEvent } from "../engine/jobs/race.ts"
import { Button, Choice, dragged, LiveNumber, Slider } from "../ui/controls.tsx"
import { cost, plain } from "../ui/format.ts"
import { slid, useKeys } from "../ui/keys.ts"
import { CostsHead, LessonPage, once } from "../ui/lesson.tsx"
import { maths } from "../ui/maths.tsx"
import { axis, curve, linePath, pointerOn } from "../ui/plot.ts"
import { useWidth } from "../ui/size.ts"
import { Stays } from "../ui/stays.tsx"
import { type Keys, numberKey, useUrlState, wordKey } from "../ui/url.ts"

type Act = "sigmoid" | "tanh"

interface View {
  readonly z: number
  readonly act: Act
  readonly y: number
  readonly eta: number
}

/** The state of this page. */
export const keys: Keys<View> = {
  z: numberKey(4.2, -8, 8),
  act: wordKey("sigmoid", ["sigmoid", "tanh"]),
  y: numberKey(0, 0, 1),
  eta: numberKey(0.15, 0.01, 10),
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))

/** An activation as an answer from 0 to 1, and its slope: tanh is moved and halved so that a cost can judge it. */
const activations: { readonly [A in Act]: { answer(z: number): number; slope(z: number): number } } = {
  sigmoid: { answer: sigmoid, slope: (z) => sigmoid(z) * (1 - sigmoid(z)) },
  tanh: { answer: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
}

/** The push of each cost on z: its derivative. The wanted answer of tanh is −1 or 1, of sigmoid 0 or 1. */
export function pushes(act: Act, z: number, y: number): { readonly quadratic: number; readonly crossEntropy: number } {
  const { answer, slope } = activations[act]
  if (act === "sigmoid") {
    const a = answer(z)
    return { quadratic: 2 * (a - y) * slope(z), crossEntropy: a - y }
  }
  // Cross-entropy judges the probability p = (1 + a) / 2, whose logit is 2 z.
  const [a, wanted] = [answer(z), 2 * y - 1]
  return { quadratic: 2 * (a - wanted) * slope(z), crossEntropy: 2 * (sigmoid(2 * z) - y) }
}

const ROUNDS = 160
const H = 540

/** The page. */
export default function Saturated(): JSX.Element {
  const { z, act, y, eta } = useUrlState(keys)
  const rounds = useMemo(() => signal<readonly RaceEvent[]>([]), [])
  const races = useRef<Running<never> | undefined>(undefined)
  const begin = z.peek()
  const started = useMemo(() => signal({ z: begin, y: y.peek() }), [])
  const moved = useMemo(() => signal(0), [])
  const train = (): void => {
    races.current?.stop()
    rounds.value = []
    started.value = { z: z.peek(), y: y.peek() }
    const params = {
      z: z.peek(),
      activation: "sigmoid",
      y: y.peek(),
      learningRate: eta.peek(),
      rounds: ROUNDS,
    } as const
    let all: RaceEvent[] = []
    let frame = 0
    races.current = start("race", params, (event) => {
      all.push(event)
      if (frame !== 0) return
      frame = requestAnimationFrame(() => {
        frame = 0
        rounds.value = all = [...all]
      })
    })
  }
  useEffect(() => () => races.current?.stop(), [])
  const again = (): void => {
    races.current?.stop()
    batch(() => {
      for (const name of ["z", "act", "y", "eta"] as const)
        (({ z, act, y, eta })[name] as Signal).value = keys[name].initial
      rounds.value = []
    })
  }
  useKeys({
    " ": train,
    r: again,
    ArrowLeft: () => (z.value = Math.max(-8, z.value - 0.1)),
    ArrowRight: () => (z.value = Math.min(8, z.value + 0.1)),
  })
  const push = computed(() => pushes(act.value, z.value, y.value))
  const answer = computed(() => activations[act.value].answer(z.value))
  // What the library says of this answer; for tanh of the probability (1 + a) / 2.
  const judged = computed(() => (act.value === "sigmoid" ? answer.value : (1 + answer.value) / 2))
  const tasks = useMemo(
    () => [
      {
        text: "Where along the curve does the quadratic cost push hardest?",
        done: once(() => moved.value > 0 && Math.abs(push.value.quadratic) > (act.value === "sigmoid" ? 0.29 : 1.18)),
      },
      {
        text: "Change the wanted answer to 1. Which side is deaf now?",
        done: once(() => y.value === 1 && z.value < -3),
      },
      { text: "Switch to tanh: is its flat country nearer or farther?", done: once(() => act.value === "tanh") },
      { text: "Train both from here, then start nearer to the middle.", done: once(() => rounds.value.length > 100) },
    ],
    [],
  )
  return (
    <LessonPage
      part="saturated"
      title="Saturated neurons"
      lede="A neuron far out on its curve can be loudly wrong and still hear nothing."
      figureLabel="An activation with its flat zones, the push of two costs, and a race of two neurons"
      tasks={tasks}
      keys={[
        [["space"], "train both"],
        [["r"], "start again"],
        [["←", "→"], "move the point"],
      ]}
      figure={
        <>
          <div class="row spread">
            <Choice
              label="Activation"
              value={act}
              options={[
                { value: "sigmoid", label: "sigmoid" },
                { value: "tanh", label: "tanh" },
              ]}
            />
            <Choice
              label="Wanted answer"
              value={y}
              options={[
                { value: 0, label: act.value === "tanh" ? "wanted −1" : "wanted 0" },
                { value: 1, label: "wanted 1" },
              ]}
            />
          </div>
          <Stays>
            <Curves z={z} act={act.value} y={y.value} moved={moved} />
          </Stays>
          <RaceFigure rounds={rounds.value} from={started.value} train={train} clear={again} eta={eta} />
        </>
      }
    >
      <div class="prose">
        <p>
          Drag the point along the curve. Out in the shaded country the ground is flat: however the weights push{" "}
          {maths`z`}, the activation barely moves. The <em class="that">quadratic cost</em> multiplies its message by
          that flatness. <em class="this">Cross-entropy</em> cancels it, and the message stays as large as the mistake.
        </p>
      </div>
      <table>
        <CostsHead>
          at {maths`z = ${plain(z.value, 1)}`}, wanted {act.value === "tanh" && y.value === 0 ? "−1" : y.value}
        </CostsHead>
        <tbody>
          <tr>
            <td>cost {maths`C`}</td>
            <td>
              <LiveNumber
                value={
                  act.value === "sigmoid"
                    ? quadraticCost(y.value, answer.value)
                    : quadraticCost(2 * y.value - 1, answer.value)
                }
                format={cost}
                width={6}
              />
            </td>
            <td>
              <LiveNumber value={crossEntropyCost(y.value, judged.value)} format={cost} width={6} />
            </td>
          </tr>
          <tr>
            <td>push {maths`∂C/∂z`}</td>
            <td>
              <LiveNumber class="that" value={push.value.quadratic} format={cost} width={6} />
            </td>
            <td>
              <LiveNumber class="this" value={push.value.crossEntropy} format={cost} width={6} />
            </td>
          </tr>
          <tr>
            <td>formula</td>
            <td>{maths`2 (a − y) · σ′(z)`}</td>
            <td>{act.value === "tanh" ? maths`2 (p − y)` : maths`a − y`}</td>
          </tr>
        </tbody>
      </table>
    </LessonPage>
  )
}

/** Where the slope is under a tenth of its greatest. */
function flatFrom(act: Act): number {
  const { slope } = activations[act]
  let z = 0
  while (slope(z) > slope(0) / 10) z += 0.01
  return z
}

/** The room that the words of a push take. */
const WORDS = 124

function Curves(props: {
  readonly z: Signal<number>
  readonly act: Act
  readonly y: number
  readonly moved: Signal<number>
}): JSX.Element {
  const { z, act, y, moved } = props
  const svg = useRef<SVGSVGElement>(null)
  const [box, W] = useWidth()
  const x = axis(-8, 8, 8, W - 8)
  const { answer, slope } = activations[act]
  const low = act === "tanh" ? -1 : 0
  const top = axis(low, 1, 262, 26)
  const flat = flatFrom(act)
  const most = act === "tanh" ? 2 : 1
  const sign = y === 0 ? 1 : -1
  const push = axis(0, most, 520, 322)
  const now = pushes(act, z.value, y)
  const [px, py, s] = [x(z.value), top(answer(z.value)), slope(z.value)]
  const tangent = (dz: number): number => top(answer(z.value) + s * dz)
  const reach = 2.4
  const drag = (event: PointerEvent): void => {
    moved.value++
    z.value = Number(Math.min(8, Math.max(-8, x.back(pointerOn(event, svg.current!)[0]))).toFixed(2))
  }
  const right = z.value > 2
  /** Words stand at the side where the curve falls away from their point, and above the curve. */
  const label = (of: (at: number) => number, dy: number) => {
    const span = x.back(8 + WORDS) + 8
    const height = (side: number): number => Math.max(...[0.1, 0.4, 0.7, 1].map((k) => of(z.value + side * span * k)))
    const [left, rest] = [px - WORDS > 0, px + WORDS < W]
    const side = left && (!rest || height(-1) < height(1)) ? -1 : 1
    const clear = dy > 0 ? dy : Math.min(dy, push(height(side)) - push(of(z.value)) - 8)
    return { x: px + 12 * side, anchor: side < 0 ? ("end" as const) : ("start" as const), dy: clear }
  }
  const q = push(sign * now.quadratic)
  const c = push(sign * now.crossEntropy)
  const near = q - c < 22 && c <= q
  const qText = label((at) => sign * pushes(act, at, y).quadratic, near ? 22 : -10)
  const cText = label((at) => sign * pushes(act, at, y).crossEntropy, -12)
  return (
    <div ref={box}>
      <svg ref={svg} class="plate" viewBox={`0 0 ${W} ${H + 28}`} {...dragged(drag)}>
        <defs>
          <pattern id="flat" width="10" height="10" patternUnits="userSpaceOnUse">
            <path d="M0 10L10 0M-2 2L2 -2M8 12L12 8" class="hatch" />
          </pattern>
        </defs>
        <rect x={x(-8)} y="14" width={x(-flat) - x(-8)} height="506" fill="url(#flat)" />
        <rect x={x(flat)} y="14" width={x(8) - x(flat)} height="506" fill="url(#flat)" />
        <text x={x(-8) + 12} y={top(low) - 210} class="t-12 t-3 halo">
          saturated
        </text>
        <text x={x(8) - 12} y={top(low) - 14} text-anchor="end" class="t-12 t-3 halo">
          saturated
        </text>
        <path
          d={`M${x(-8)} ${top(1)}H${x(8)}M${x(-8)} ${top((1 + low) / 2)}H${x(8)}M${x(-8)} ${top(low)}H${x(8)}`}
          class="grid"
        />
        <path d={`M${x(0)} 14V266`} class="axis" />
        <text x={x(0) - 8} y={top(1) + 4} text-anchor="end" class="t-3 halo">
          1
        </text>
        <text x={x(0) - 8} y={top(low) - 4} text-anchor="end" class="t-3 halo">
          {low === 0 ? "0" : "−1"}
        </text>
        <path d={curve(answer, -8, 8, x, top)} class="ln" />
        <path
          d={`M${x(z.value - reach)} ${tangent(-reach)}L${x(z.value + reach)} ${tangent(reach)}`}
          class="ember-ln dash"
        />
        <text x={x(0.5)} y={top((1 + low) / 2) + 4} class="t-ink b halo">
          activation <tspan class="m">a</tspan> = {act === "sigmoid" ? <tspan class="m">σ</tspan> : "tanh "}(
          <tspan class="m">z</tspan>)
        </text>
        <text
          x={px + (right ? -14 : 14)}
          y={py + (answer(z.value) > (1 + low) / 2 ? 42 : -22)}
          text-anchor={right ? "end" : "start"}
          class="t-ember b t-15 halo"
        >
          slope {cost(s)}
        </text>

        <text x={x(-8) + 6} y="291" class="t-ink b halo">
          Push on <tspan class="m">z</tspan> when the answer should be {y === 1 ? "1" : low === 0 ? "0" : "−1"}
          {sign < 0 ? " (upwards: towards it)" : ""}
        </text>
        <path d={`M${x(-8)} 520H${x(8)}`} class="axis" />
        {[-8, -4, 0, 4, 8].map((t) => (
          <g key={t}>
            <path d={`M${x(t)} 520v5`} class="axis" />
            <text x={x(t)} y="541" text-anchor={t === -8 ? "start" : t === 8 ? "end" : "middle"} class="t-3">
              {String(t).replace("-", "−")}
            </text>
          </g>
        ))}
        <path d={curve((v) => sign * pushes(act, v, y).quadratic, -8, 8, x, push)} class="ln that" />
        <path d={curve((v) => sign * pushes(act, v, y).crossEntropy, -8, 8, x, push)} class="ln this" />
        <path d={`M${px} ${py}V520`} class="ember-ln dots" />
        <circle cx={px} cy={q} r="5" class="dot that" />
        <circle cx={px} cy={c} r="5" class="dot this" />
        <text x={qText.x} y={q + qText.dy} text-anchor={qText.anchor} class="t-that b halo">
          quadratic {cost(Math.abs(now.quadratic))}
        </text>
        <text x={cText.x} y={c + cText.dy} text-anchor={cText.anchor} class="t-this b halo">
          cross-entropy {cost(Math.abs(now.crossEntropy))}
        </text>
        <text x={px} y="562" text-anchor="middle" class="t-ember b halo">
          z = {plain(z.value, 1)}
        </text>
        <circle cx={px} cy={py} r="16" class="ember-dot" opacity=".16" />
        <circle
          cx={px}
          cy={py}
          r="8"
          class="dot ember grab"
          role="slider"
          tabindex={0}
          aria-label="weighted input z"
          aria-valuemin={-8}
          aria-valuemax={8}
          aria-valuenow={z.value}
          aria-valuetext={`z ${plain(z.value, 1)}, activation ${cost(answer(z.value))}, slope ${cost(s)}`}
          onKeyDown={(event) => {
            const steps = slid(event)
            if (steps === undefined) return
            moved.value++
            z.value = Number(Math.min(8, Math.max(-8, z.value + 0.1 * steps)).toFixed(2))
          }}
        />
      </svg>
    </div>
  )
}

/** Two neurons trained by the library from the same start. */
function RaceFigure(props: {
  readonly rounds: readonly RaceEvent[]
  readonly from: { readonly z: number; readonly y: number }
  readonly train: () => void
  readonly clear: () => void
  readonly eta: Signal<number>
}): JSX.Element {
  const { rounds, from, train, clear, eta } = props
  const [box, W] = useWidth()
  const end = W - 120
  const rx = axis(0, ROUNDS, 8, end)
  const ry = axis(0, 1, 128, 14)
  const wrong = (answer: number): number => Math.abs(answer - from.y)
  const crossed = (of: (e: RaceEvent) => number): RaceEvent | undefined => rounds.find((e) => wrong(of(e)) < 0.5)
  const lines = [
    { name: "quadratic", tone: "that", of: (e: RaceEvent) => e.quadratic },
    { name: "cross-ent.", tone: "this", of: (e: RaceEvent) => e.crossEntropy },
  ] as const
  const last = rounds.at(-1)
  return (
    <section class="race" aria-label="Two neurons, one start">
      <div>
        <h2>Two neurons, one start</h2>
        <p class="dim">
          Both begin at {maths`ŷ = ${plain(sigmoid(from.z), 3)}`} and should say {from.y}. Only the cost differs.
        </p>
        <div class="row">
          <Button main icon="play" onClick={train}>
            Train both
          </Button>
          <Button quiet icon="again" label="Start again" onClick={clear} />
        </div>
        <Slider
          label="Learning rate"
          symbol={maths`η`}
          value={eta}
          min={0.01}
          max={10}
          scale="log"
          initial={keys.eta.initial}
          tone="eta"
        />
      </div>
      <div ref={box}>
        <svg
          class="plate"
          viewBox={`0 0 ${W} 152`}
          role="img"
          aria-label={raceText(rounds, crossed(lines[0].of), crossed(lines[1].of))}
        >
          <path d={`M8 14H${end}M8 71H${end}M8 128H${end}`} class="grid" />
          {lines.map(({ name, tone, of }) => {
            const at = crossed(of)
            return (
              <g key={name}>
                <path d={linePath(rounds.map((e) => [rx(e.round), ry(of(e))] as const))} class={`ln ${tone}`} />
                {at && (
                  <>
                    <circle cx={rx(at.round)} cy={ry(of(at))} r="4.5" class={`dot ${tone}`} />
                    <text x={rx(at.round) + 8} y={ry(of(at)) - 8} class="t-12 halo">
                      round {at.round}
                    </text>
                  </>
                )}
              </g>
            )
          })}
          {last &&
            lines.map(({ name, tone, of }, i) => {
              const near = Math.abs(ry(last.quadratic) - ry(last.crossEntropy)) < 16
              const y =
                ry(of(last)) + 4 + (near ? (i === 0 ? -8 : 8) * (last.quadratic >= last.crossEntropy ? 1 : -1) : 0)
              return (
                <text key={name} x={rx(last.round) + 8} y={y} class={`b t-${tone} halo`}>
                  {name} {plain(of(last), 2)}
                </text>
              )
            })}
          {rounds.length === 0 && (
            <text x={end / 2} y="66" text-anchor="middle" class="t-3 halo">
              Press Train both: their answers will appear here.
            </text>
          )}
          <text x="8" y="148" class="t-12 t-3">
            0
          </text>
          <text x={end} y="148" text-anchor="end" class="t-12 t-3">
            {ROUNDS} rounds
          </text>
        </svg>
      </div>
    </section>
  )
}

function raceText(rounds: readonly RaceEvent[], quadratic?: RaceEvent, crossEntropy?: RaceEvent): string {
  if (rounds.length === 0) return "No round has been trained yet."
  const at = (name: string, e?: RaceEvent): string =>
    e === undefined ? `${name} has not passed one half` : `${name} passes one half in round ${e.round}`
  return `After ${rounds.at(-1)!.round} rounds: ${at("quadratic", quadratic)}, ${at("cross-entropy", crossEntropy)}.`
}
