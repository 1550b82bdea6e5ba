// Lesson 1, two curves (eqs. 8.1 to 8.3, table 8.1): the quadratic cost and cross-entropy of one answer, side by side.

import { computed, type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo, useRef } from "preact/hooks"
import { crossEntropyCost, quadraticCost } from "trilobite"
import { Choice, dragged, LiveNumber, Slider } from "../ui/controls.tsx"
import { cost, plain } from "../ui/format.ts"
import { slid, useKeys } from "../ui/keys.ts"
import { CostsHead, Formula, LessonPage, once } from "../ui/lesson.tsx"
import { maths } from "../ui/maths.tsx"
import { axis, curve, pointerOn } from "../ui/plot.ts"
import { useWidth } from "../ui/size.ts"
import { Stays } from "../ui/stays.tsx"
import { type Keys, numberKey, useUrlState, wordKey } from "../ui/url.ts"

type Shown = "both" | "quadratic" | "cross-entropy"

interface View {
  readonly y: number
  readonly yhat: number
  readonly cost: Shown
}

/** The state of this page. */
export const keys: Keys<View> = {
  y: numberKey(1, 0, 1),
  yhat: numberKey(0.6, 0, 1),
  cost: wordKey("both", ["both", "quadratic", "cross-entropy"]),
}

/** The answers of the chapter's table 8.1. */
export const table: readonly (readonly [y: number, yhat: number])[] = [
  [1, 0.9997],
  [1, 0.9],
  [1, 0.6],
  [1, 0.1192],
  [0, 0.1192],
]

/** Costs above this leave the page. */
const MOST = 4.2
/** The room that a cost's words take beside its point. */
const WORDS = 132

const at = (value: number): string => String(Number(value.toFixed(4)))

/** The page. */
export default function Costs(): JSX.Element {
  const { y, yhat, cost: shown } = useUrlState(keys)
  const seen = useMemo(() => signal<readonly number[]>([]), [])
  const set = (value: number): void => {
    yhat.value = Number(Math.min(1, Math.max(0, value)).toFixed(4))
    seen.value = [...seen.value.slice(-200), yhat.value]
  }
  useKeys({
    ArrowLeft: () => set(yhat.value - 0.01),
    ArrowRight: () => set(yhat.value + 0.01),
    r: () => {
      y.value = keys.y.initial
      yhat.value = keys.yhat.initial
    },
  })
  const error = computed(() => Math.abs(y.value - yhat.value))
  const tasks = useMemo(
    () => [
      {
        text: "Halve the mistake. What happens to the square?",
        done: once(() => error.value <= 0.2 && seen.value.length > 0),
      },
      {
        text: "Make it surely wrong: ŷ near 0 when y is 1. Which cost notices?",
        done: once(() => error.value > 0.985),
      },
      { text: "Set y to 0. Where does each curve stand now?", done: once(() => y.value === 0) },
    ],
    [],
  )
  return (
    <LessonPage
      part="costs"
      title="Two ways to be wrong"
      lede="Before a net can improve, something must say how wrong it is. Two costs say it differently."
      figureLabel="Quadratic cost and cross-entropy over the answer"
      tasks={tasks}
      keys={[
        [["←", "→"], "move the answer"],
        [["r"], "start again"],
      ]}
      figure={
        <>
          <div class="row spread">
            <Choice
              label="Costs shown"
              value={shown}
              options={[
                { value: "both", label: "both" },
                { value: "quadratic", label: "quadratic" },
                { value: "cross-entropy", label: "cross-entropy" },
              ]}
            />
          </div>
          <Stays>
            <Curves y={y} yhat={yhat} cost={shown} onMove={set} />
          </Stays>
          <Shapes y={y} yhat={yhat} />
          <div class="controls even">
            <Slider
              label="The net says"
              symbol={maths`ŷ`}
              value={yhat}
              min={0}
              max={1}
              step={0.0001}
              initial={0.6}
              format={at}
              onChange={set}
            />
            <Slider
              label="It should say"
              symbol={maths`y`}
              value={y}
              min={0}
              max={1}
              step={0.01}
              initial={1}
              format={at}
              snap={[0, 1]}
            />
          </div>
        </>
      }
    >
      <div class="prose">
        <p>
          The <em class="that">quadratic cost</em> is the area of a real square whose side is the mistake. A mistake
          twice as large costs four times as much. <em class="this">Cross-entropy</em> asks how surprised the net must
          be: it rises gently near the truth, and without end where the net was sure of the wrong answer.
        </p>
      </div>
      <Numbers y={y} yhat={yhat} />
      <Answers y={y} yhat={yhat} onChoose={set} />
    </LessonPage>
  )
}

/** Truth and answer: what moves redraws itself by them, and nothing else does. */
interface Pair {
  readonly y: Signal<number>
  readonly yhat: Signal<number>
}

/** Both formulas with the numbers of now. */
function Numbers({ y, yhat }: Pair): JSX.Element {
  return (
    <Formula
      label="Quadratic cost and cross-entropy of one answer"
      rows={[
        ["", maths`C = (y − ŷ)²`],
        [
          "now",
          <span key="qn" class="that">
            ({at(y.value)} − {at(yhat.value)})² ={" "}
            <LiveNumber class="that" value={quadraticCost(y.value, yhat.value)} format={cost} />
          </span>,
        ],
        ["", maths`C = −[y ln ŷ + (1 − y) ln(1 − ŷ)]`],
        [
          "now",
          <span key="cn" class="this">
            <LiveNumber class="this" value={crossEntropyCost(y.value, yhat.value)} format={cost} />
          </span>,
        ],
      ]}
    />
  )
}

/** The chapter's answers with both costs; a click takes one. */
function Answers({ y, yhat, onChoose }: Pair & { readonly onChoose: (yhat: number) => void }): JSX.Element {
  return (
    <table class="answers">
      <caption class="sr">Answers of the chapter’s table, with both costs</caption>
      <CostsHead>answer {maths`y, ŷ`}</CostsHead>
      <tbody>
        {table.map(([a, b]) => (
          <tr key={`${a} ${b}`} class={a === y.value && b === yhat.value ? "now" : ""}>
            <td>
              <button
                type="button"
                class="link"
                onClick={() => {
                  y.value = a
                  onChoose(b)
                }}
              >
                {a}, {b}
              </button>
            </td>
            <td>{cost(quadraticCost(a, b))}</td>
            <td>{cost(crossEntropyCost(a, b))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface CurvesProps extends Pair {
  readonly cost: Signal<Shown>
  readonly onMove: (yhat: number) => void
}

function Curves({ y, yhat, cost: { value: shown }, onMove }: CurvesProps): JSX.Element {
  const [box, W] = useWidth()
  const svg = useRef<SVGSVGElement>(null)
  const H = W < 560 ? 280 : 380
  const x = axis(0, 1, 34, W - 14)
  const up = axis(0, MOST, H - 34, 10)
  const [q, c] = [quadraticCost(y.value, yhat.value), crossEntropyCost(y.value, yhat.value)]
  const px = x(yhat.value)
  const drag = (event: PointerEvent): void => onMove(x.back(pointerOn(event, svg.current!)[0]))
  const dots = table.filter(([a]) => a === y.value)
  const [qy, cy] = [up(q), up(Math.min(c, MOST))]
  const both = shown === "both"
  // The words stand where the curves fall away from the point; where the page ends there, above what rises beside it.
  const falls = y.value >= 0.5 ? 1 : -1
  const room = falls > 0 ? W + 10 - px : px - 10
  const side = room > WORDS ? falls : -falls
  const end = Math.min(1, Math.max(0, x.back(px + side * WORDS)))
  const top = side === falls ? up(MOST) : up(Math.min(MOST, shown === "quadratic" ? 0 : crossEntropyCost(y.value, end)))
  const above = (own: number): number => Math.max(22, side === falls ? own - 10 : Math.min(own, top) - 10)
  const near = both && Math.abs(qy - cy) < 44
  const crossAt = near ? Math.max(22, above(cy) - 17) : above(cy)
  const quadraticAt = near ? crossAt + 17 : above(qy)
  const text = { x: px + 14 * side, anchor: side < 0 ? ("end" as const) : ("start" as const) }
  return (
    <div ref={box}>
      <svg ref={svg} class="plate" viewBox={`0 0 ${W} ${H}`} {...dragged(drag)}>
        {[1, 2, 3, 4].map((t) => (
          <g key={t}>
            <path d={`M34 ${up(t)}H${W - 14}`} class="grid" />
            <text x="24" y={up(t) + 4} text-anchor="end" class="t-12 t-3">
              {t}
            </text>
          </g>
        ))}
        <path d={`M34 ${up(0)}H${W - 14}`} class="axis" />
        {[0, 0.25, 0.5, 0.75, 1].map((t) => (
          <text key={t} x={x(t)} y={H - 14} text-anchor="middle" class="t-12 t-3">
            {t}
          </text>
        ))}
        <text x={x(0.5)} y={H - 1} text-anchor="middle" class="t-12 t-3">
          {Math.abs(y.value - 0.5) > 0.2 && (
            <>
              the net says <tspan class="m">ŷ</tspan>
            </>
          )}
        </text>
        {shown !== "cross-entropy" && <path d={curve((v) => quadraticCost(y.value, v), 0, 1, x, up)} class="ln that" />}
        {shown !== "quadratic" && (
          <path d={curve((v) => shownCost(crossEntropyCost(y.value, v)), 0, 1, x, up, 600)} class="ln this" />
        )}
        {shown !== "quadratic" &&
          [0, 1].map((end) => {
            const near = Math.abs(end - yhat.value) < 0.03
            return crossEntropyCost(y.value, end) > MOST && <Arrow key={end} x={x(end)} left={end === 0} quiet={near} />
          })}
        <path d={`M${x(y.value)} ${up(0)}v7`} class="axis" />
        <text
          x={x(y.value)}
          y={H - 1}
          text-anchor={y.value > 0.9 ? "end" : y.value < 0.1 ? "start" : "middle"}
          class="t-12 t-ink b"
        >
          {y.value === 0 || y.value === 1 ? "the truth" : "the wish"} <tspan class="m">y</tspan>
        </text>
        {dots.map(([, b]) => (
          <g key={b}>
            {shown !== "cross-entropy" && (
              <circle cx={x(b)} cy={up(quadraticCost(y.value, b))} r="3.5" class="dot that" />
            )}
            {shown !== "quadratic" && (
              <circle cx={x(b)} cy={up(crossEntropyCost(y.value, b))} r="3.5" class="dot this" />
            )}
          </g>
        ))}
        <path d={`M${px} 10V${up(0)}`} class="ember-ln dots" />
        {shown !== "cross-entropy" && (
          <>
            <circle cx={px} cy={qy} r="6" class="dot that" />
            <text x={text.x} y={quadraticAt} text-anchor={text.anchor} class="t-that b halo">
              quadratic {cost(q)}
            </text>
          </>
        )}
        {shown !== "quadratic" && (
          <>
            {c <= MOST && <circle cx={px} cy={cy} r="6" class="dot this" />}
            <text x={text.x} y={crossAt} text-anchor={text.anchor} class="t-this b halo">
              cross-entropy {cost(c)}
            </text>
          </>
        )}
        <circle
          cx={px}
          cy={up(0)}
          r="9"
          class="dot ember grab"
          role="slider"
          tabindex={0}
          aria-label="the answer y hat"
          aria-valuemin={0}
          aria-valuemax={1}
          aria-valuenow={yhat.value}
          aria-valuetext={`y hat ${at(yhat.value)}: quadratic cost ${cost(q)}, cross-entropy ${cost(c)}`}
          onKeyDown={(event) => {
            const steps = slid(event)
            if (steps !== undefined) onMove(yhat.value + 0.01 * steps)
          }}
        />
      </svg>
    </div>
  )
}

const shownCost = (value: number): number => (value > MOST ? Number.NaN : value)

/** Where a curve goes on above the page; quiet where other words stand. */
function Arrow(props: { readonly x: number; readonly left: boolean; readonly quiet: boolean }): JSX.Element {
  const { x, left, quiet } = props
  return (
    <g>
      <path d={`M${x} 26V8m-5 6l5 -7l5 7`} class="ln this" />
      {!quiet && (
        <text x={x + (left ? 24 : -24)} y="20" text-anchor={left ? "start" : "end"} class="t-this b">
          to ∞
        </text>
      )}
    </g>
  )
}

/** The mistake as a real square, and cross-entropy as a bar, both in the same unit. */
function Shapes(pair: Pair): JSX.Element {
  const [y, yhat] = [pair.y.value, pair.yhat.value]
  const [box, W] = useWidth()
  const unit = Math.min(132, W * 0.22)
  const floor = 166
  const side = Math.abs(y - yhat) * unit
  const c = crossEntropyCost(y, yhat)
  const height = Math.min(c * unit, floor - 14)
  const over = c * unit > floor - 14
  const barX = Math.round(W * (W < 560 ? 0.62 : 0.5))
  const label = W < 560 ? 12 : 16
  return (
    <div ref={box}>
      <svg
        class="plate"
        viewBox={`0 0 ${W} 196`}
        role="img"
        aria-label={`The mistake ${plain(Math.abs(y - yhat), 4)} as a square of area ${cost(quadraticCost(y, yhat))}, beside a bar of height ${cost(c)}`}
      >
        <path d={`M0 ${floor}H${W}`} class="axis" />
        <rect x="34" y={floor - unit} width={unit} height={unit} class="unit" />
        <rect x="34" y={floor - side} width={side} height={side} class="square" />
        <text x={34 + unit + label} y={floor - unit / 2 - 6} class="t-that b">
          area {cost(quadraticCost(y, yhat))}
        </text>
        <text x={34 + unit + label} y={floor - unit / 2 + 12} class="t-12 t-3">
          side {cost(Math.abs(y - yhat))}
        </text>
        <text x="34" y={floor + 19} class="t-12 t-3">
          the mistake, squared
        </text>
        <path d={`M${barX - 8} ${floor - unit}h44`} class="grid" />
        <text x={barX - 14} y={floor - unit + 4} text-anchor="end" class="t-12 t-3">
          1
        </text>
        <rect x={barX} y={floor - height} width="28" height={height} class="bar-this" />
        {over && <path d={`M${barX + 14} 12V-2m-6 7l6 -8l6 8`} class="ln this" />}
        <text x={barX + 28 + label} y={Math.max(20, floor - Math.max(height / 2, 12))} class="t-this b">
          height {cost(c)}
        </text>
        <text x={barX} y={floor + 19} class="t-12 t-3">
          {W < 560 ? "the surprise" : "the surprise, −ln of what it gave the truth"}
        </text>
      </svg>
    </div>
  )
}
