// Figures of lesson 7: the Goldilocks curve, the curve of one run, and the table of all.

import type { JSX } from "preact"
import { useRef } from "preact/hooks"
import type { Knob, SweepEvent } from "../engine/jobs/sweep.ts"
import { Chart } from "../ui/chart.tsx"
import { cost, trimmed } from "../ui/format.ts"
import { type Axis, axis, linePath, logAxis, pointerOn } from "../ui/plot.ts"
import { ticksOf } from "../ui/scales.ts"
import { useWidth } from "../ui/size.ts"
import { Trilobite } from "../ui/trilobite.tsx"
import { endOf, knobs, LAST, type Summary, sweetSpot } from "./knobs-values.ts"

const TOP = 34

/** The measures of the plate at a width. */
interface Plate {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly floor: number
}

function plateOf(width: number): Plate {
  const narrow = width < 600
  const height = narrow ? 290 : 372
  return { width, height, left: narrow ? 62 : 76, right: width - (narrow ? 2 : 40), floor: height - 34 }
}

/** The axis of a knob: even where its values are. */
function along(knob: Knob, values: readonly number[], { left, right, width }: Plate): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  if (low === high) return axis(low - 1, low + 1, left, right)
  const inner = width < 600 ? 18 : 34
  return (knobs[knob].spread === "whole" ? axis : logAxis)(low, high, left + inner, right - inner)
}

interface Dot {
  readonly run: SweepEvent
  readonly x: number
  readonly y: number
}

interface CurveProps {
  readonly knob: Knob
  readonly values: readonly number[]
  readonly all: readonly Summary[]
  readonly seeds: number
  readonly chosen: SweepEvent | undefined
  readonly onChoose: (run: SweepEvent | undefined) => void
  readonly says: string
}

/** The Goldilocks curve: every run a dot, the mean as ground, the trilobite in the hollow. */
export function Goldilocks(props: CurveProps): JSX.Element {
  const { knob, values, all, seeds, chosen, onChoose, says } = props
  const [svg, width] = useWidth<SVGSVGElement>()
  const plate = plateOf(width)
  const { left, right, floor } = plate
  const x = along(knob, values, plate)
  const finite = all.flatMap(({ runs }) => runs.map(endOf)).filter(Number.isFinite)
  const [low, high] = finite.length === 0 ? [0.1, 1] : [Math.min(...finite), Math.max(...finite)]
  const y = logAxis(low / 1.25, Math.max(high * 1.1, low * 1.6), floor, TOP)
  const height = (value: number): number => (Number.isFinite(value) ? Math.min(floor, y(value)) : TOP - 10)
  const dots = all.flatMap(({ value, runs }) =>
    runs.map((run): Dot => ({ run, x: x(value) + (run.seed - (seeds + 1) / 2) * 5, y: height(endOf(run)) })),
  )
  const means = all.map(({ value, mean }) => [x(value), height(mean)] as const)
  const best = all.length >= 3 ? sweetSpot(all) : -1
  const near = (event: PointerEvent): void => {
    const [px, py] = pointerOn(event, svg.current!)
    const away = (dot: Dot): number => Math.hypot(dot.x - px, dot.y - py)
    const found = dots.reduce<Dot | undefined>((a, b) => (a === undefined || away(b) < away(a) ? b : a), undefined)
    onChoose(found !== undefined && away(found) < 36 ? found.run : undefined)
  }
  return (
    <svg
      ref={svg}
      class="plate knobs-plate"
      viewBox={`0 0 ${plate.width} ${plate.height}`}
      onPointerMove={near}
      onPointerDown={near}
      onPointerLeave={() => onChoose(undefined)}
    >
      <title>{says}</title>
      <Frame
        plate={plate}
        knob={knob}
        values={values}
        x={x}
        y={y}
        low={low / 1.25}
        high={Math.max(high * 1.1, low * 1.6)}
      />
      {all.length > 1 && <Ground means={means} floor={floor} />}
      {all.length > 1 && <Band all={all} x={x} height={height} />}
      {all.length > 1 && <path d={linePath(means)} class="ln" />}
      {best >= 0 && (
        <Hollow
          at={means[best]!}
          left={means[best - 1]}
          right={means[best + 1]}
          middle={(left + right) / 2}
          summary={all[best]!}
          knob={knob}
        />
      )}
      {dots.length > 0 && <Dots dots={dots} chosen={chosen} onChoose={onChoose} knob={knob} />}
      {all.length === 0 && (
        <text y={(TOP + floor) / 2} text-anchor="middle" class="t-3 halo">
          <tspan x={(left + right) / 2}>Press Start: the first dot</tspan>
          <tspan x={(left + right) / 2} dy="18">
            appears in about a second.
          </tspan>
        </text>
      )}
      <text x={left + 4} y="16" class="t-ink b halo">
        too little
      </text>
      <text x={right - 4} y="16" text-anchor="end" class="t-ink b halo">
        too much
      </text>
    </svg>
  )
}

function Frame(props: {
  readonly plate: Plate
  readonly knob: Knob
  readonly values: readonly number[]
  readonly x: Axis
  readonly y: Axis
  readonly low: number
  readonly high: number
}): JSX.Element {
  const { plate, knob, values, x, y, low, high } = props
  const { left, right, floor } = plate
  const ticks = ticksOf(low, high, true)
  // Labels need 44 pixels each.
  const each = Math.ceil((44 * values.length) / (right - left))
  const labelled = values.filter((_, i) => i % each === 0)
  return (
    <>
      {ticks.map((t, i) => (
        <g key={t}>
          <path d={`M${left} ${y(t)}H${right}`} class="grid" />
          <text x={left - 10} y={y(t) + 4} text-anchor="end" class="t-3">
            {i === ticks.length - 1 ? `cost ${t}` : t}
          </text>
        </g>
      ))}
      <path d={`M${left} ${floor}H${right}`} class="axis" />
      {values.map((value) => (
        <path key={value} d={`M${x(value)} ${floor}v5`} class="axis" />
      ))}
      {labelled.map((value) => (
        <text key={value} x={x(value)} y={floor + 20} text-anchor="middle" class="t-3">
          {knobs[knob].format(value)}
        </text>
      ))}
    </>
  )
}

function Ground(props: {
  readonly means: readonly (readonly [number, number])[]
  readonly floor: number
}): JSX.Element {
  const { means, floor } = props
  const line = linePath(means)
  const [first, last] = [means[0]!, means.at(-1)!]
  return (
    <g>
      <clipPath id="knobs-ground">
        <path d={`${line}L${last[0]} ${floor}L${first[0]} ${floor}Z`} />
      </clipPath>
      <path d={`${line}L${last[0]} ${floor}L${first[0]} ${floor}Z`} class="ground" />
      <g clip-path="url(#knobs-ground)">
        {[28, 60, 96, 136, 180, 228].map((depth) => (
          <path key={depth} d={line} transform={`translate(0 ${depth})`} class="strata" />
        ))}
      </g>
    </g>
  )
}

/** ±1 standard deviation over the seeds. */
function Band(props: {
  readonly all: readonly Summary[]
  readonly x: Axis
  readonly height: (value: number) => number
}): JSX.Element | null {
  const { all, x, height } = props
  const known = all.filter(({ mean, runs }) => Number.isFinite(mean) && runs.length > 1)
  if (known.length < 2) return null
  const upper = known.map(({ value, mean, deviation }) => [x(value), height(mean + deviation)] as const)
  const lower = known.map(({ value, mean, deviation }) => [x(value), height(Math.max(1e-9, mean - deviation))] as const)
  return <path d={`${linePath(upper)}L${linePath(lower.reverse()).slice(1)}Z`} class="knobs-band" />
}

/** The trilobite in the hollow of the sweet spot. */
function Hollow(props: {
  readonly at: readonly [number, number]
  readonly left: readonly [number, number] | undefined
  readonly right: readonly [number, number] | undefined
  /** The middle of the plate. */
  readonly middle: number
  readonly summary: Summary
  readonly knob: Knob
}): JSX.Element {
  const { at, left, right, middle, summary, knob } = props
  // It leans against the gentler wall.
  const rise = (to: readonly [number, number] | undefined): number =>
    to === undefined ? Number.POSITIVE_INFINITY : Math.abs((to[1] - at[1]) / (to[0] - at[0]))
  const facing = rise(left) < rise(right) ? "left" : "right"
  const end = at[0] > middle ? "end" : "start"
  return (
    <g>
      <Trilobite x={at[0]} y={at[1] - 6} size={66} mood="content" facing={facing} />
      <text
        x={at[0]}
        y={Math.max(14, at[1] - 66)}
        text-anchor={Math.abs(at[0] - middle) < middle * 0.55 ? "middle" : end}
        class="t-ember b t-15 halo"
      >
        {knobs[knob].format(summary.value)}: {cost(summary.mean)}
      </text>
    </g>
  )
}

function Dots(props: {
  readonly dots: readonly Dot[]
  readonly chosen: SweepEvent | undefined
  readonly onChoose: (run: SweepEvent) => void
  readonly knob: Knob
}): JSX.Element {
  const { dots, chosen, onChoose, knob } = props
  const group = useRef<SVGGElement>(null)
  const now = dots.findIndex(({ run }) => run === chosen)
  const keys = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key]
    if (by === undefined || dots.length === 0) return
    event.preventDefault()
    const next = Math.min(dots.length - 1, Math.max(0, now + by))
    onChoose(dots[next]!.run)
    group.current!.querySelectorAll<SVGElement>("[role=option]")[next]!.focus()
  }
  return (
    <g ref={group} role="listbox" aria-label="Finished runs" onKeyDown={keys}>
      {dots.map(({ run, x, y }, i) => (
        <circle
          key={`${run.value} ${run.seed}`}
          cx={x}
          cy={y}
          r={run === chosen ? 6 : 4.4}
          class={run === chosen ? "run-dot chosen" : "run-dot"}
          role="option"
          aria-selected={run === chosen}
          tabindex={i === Math.max(0, now) ? 0 : -1}
          aria-label={`With ${knobs[knob].named(run.value)}, seed ${run.seed}: cost ${cost(endOf(run))}`}
          onFocus={() => onChoose(run)}
        />
      ))}
    </g>
  )
}

/** The learning curve of one run. */
export function OneRun(props: {
  readonly knob: Knob
  readonly run: SweepEvent | undefined
  readonly best: boolean
}): JSX.Element {
  const { knob, run, best } = props
  if (run === undefined) return <p class="knobs-one dim">Each dot has a learning curve: it will be drawn here.</p>
  const epochs = run.valid.map((_, i) => i + 1)
  const lowest = run.valid.reduce((at, value, i) => (value < run.valid[at]! ? i : at), 0)
  return (
    <div class="knobs-one">
      <div>
        <h2>{best ? "The best run" : "This run"}</h2>
        <p>
          With {knobs[knob].named(run.value)}, seed {run.seed}.
        </p>
        <p class="dim">
          {cost(endOf(run))} over its last {LAST} epochs. Its lowest validation cost was {cost(run.valid[lowest]!)}, in
          epoch {lowest + 1}.
        </p>
      </div>
      <Chart
        says={`The cost of this run over ${run.valid.length} epochs, from ${cost(run.valid[0]!)} to ${cost(endOf(run))}`}
        x={epochs}
        log
        height={150}
        format={cost}
        tick={(value) => trimmed(cost(value))}
        empty=""
        lines={[
          { label: "training", values: run.train, tone: "ink-3", width: 1.6 },
          { label: "validation", values: run.valid, tone: "ink", width: 2.4 },
        ]}
      />
    </div>
  )
}

/** All runs as numbers. */
export function RunsTable(props: {
  readonly knob: Knob
  readonly all: readonly Summary[]
  readonly seeds: number
}): JSX.Element | null {
  const { knob, all, seeds } = props
  if (all.length === 0) return null
  const each = Array.from({ length: seeds }, (_, i) => i + 1)
  return (
    <details>
      <summary>table of all runs</summary>
      <div class="scroll" role="region" aria-label="All numbers" tabindex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{knobs[knob].label.toLowerCase()}</th>
              <th scope="col">mean</th>
              <th scope="col">±</th>
              {each.map((seed) => (
                <th key={seed} scope="col">
                  seed {seed}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {all.map(({ value, mean, deviation, runs }) => (
              <tr key={value}>
                <td>{knobs[knob].format(value)}</td>
                <td>{cost(mean)}</td>
                <td>{cost(deviation)}</td>
                {each.map((seed) => {
                  const run = runs.find((r) => r.seed === seed)
                  return <td key={seed}>{run === undefined ? "–" : cost(endOf(run))}</td>
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
