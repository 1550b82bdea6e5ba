// A chart of a training: lines over epochs or rounds drawn at the size of the screen, labels at their ends, and one hairline for
// all charts of the page.

import "./chart.css"
import { type Signal, signal } from "@preact/signals"
import type { ComponentChildren, JSX } from "preact"
import { Best, Dots, EndDot, Ends, Gap, Hair, pathOf, type Scales, tone } from "./chart-parts.tsx"
import { ChartTable } from "./chart-table.tsx"
import { axis, logAxis } from "./plot.ts"
import { rangeOf, ticksAlong, ticksOf } from "./scales.ts"
import { useWidth } from "./size.ts"

/** A line; its values belong to the epochs of the chart, null is a gap. */
export interface Line {
  readonly label: string
  readonly values: readonly (number | null)[]
  /** The token of its colour. */
  readonly tone: string
  readonly width?: number
  readonly dash?: boolean
  /** Values that stand faintly behind: those of a smoothed line. */
  readonly raw?: readonly (number | null)[]
  /** Drawn, but not labelled. */
  readonly quiet?: boolean
  /** Stands faintly behind, without labels and values: a line of another training. */
  readonly faint?: boolean
  /** Drawn on where a value is missing: it has epochs of its own among those of the chart. */
  readonly spans?: boolean
}

/** The options of {@link Chart}. */
export interface ChartProps {
  readonly title?: string
  /** Stands at the right of the title. */
  readonly aside?: ComponentChildren
  /** What is counted along (default: "epoch"). */
  readonly unit?: string
  /** What the chart tells, in a sentence. */
  readonly says: string
  readonly x: readonly number[]
  /** The value up to which the axis goes at least. */
  readonly top?: number
  /** The epoch where the axis ends at least. */
  readonly most?: number
  readonly lines: readonly Line[]
  /** Whether the axis is logarithmic; where that is the reader's choice, a signal: the chart then has the switch. */
  readonly log?: boolean | Signal<boolean>
  readonly format: (value: number) => string
  readonly tick?: (value: number) => string
  readonly height: number
  /** What stands at the ends of the lines: both below one another, both in one line, or one alone. */
  readonly ends?: "both" | "line" | "values" | "names"
  readonly room?: number
  /** Between which lines the gap is, and from which place on. */
  readonly gap?: { readonly above: number; readonly below: number; readonly from: number }
  readonly best?: { readonly line: number; readonly epoch: number; readonly text: string }
  /** Said in the middle while there is nothing. */
  readonly empty: string
  /** The ends are hollow: nothing has been heard for a while. */
  readonly hollow?: boolean
  /** Single measurements: dots with lines between them. */
  readonly dots?: boolean
}

/** The lines that have labels and values. */
export const spokenLines = (lines: readonly Line[]): readonly Line[] => lines.filter(({ faint }) => !faint)

/** The numbers that are drawn, of which a logarithmic axis can show none of zero or less. */
const numbersOf = (lines: readonly Line[]): readonly number[] =>
  lines.flatMap(({ values, raw = [] }) => {
    return [...values, ...raw].filter((v): v is number => v !== null && Number.isFinite(v))
  })

/** The epoch at which the hairline of all charts stands. */
export const hairline: Signal<number | undefined> = signal(undefined)

/** A chart with its title, and the same numbers as a table. */
export function Chart(props: ChartProps): JSX.Element {
  const { title, aside, says, unit, x, lines, height } = props
  const [box, width] = useWidth(0)
  const log = typeof props.log === "object" ? props.log : undefined
  const linear = log?.value && numbersOf(lines).some((v) => v <= 0)
  return (
    <section class="panel">
      {title !== undefined && (
        <h2>
          {title}
          <span class="switches">
            {aside}
            {log !== undefined && (
              <button
                type="button"
                class="link"
                aria-pressed={log.value}
                title={linear ? "The axis is linear: there are values of zero or below." : undefined}
                onClick={() => (log.value = !log.value)}
              >
                log axis
              </button>
            )}
          </span>
        </h2>
      )}
      <div ref={box} class="chart-box" style={{ height: `${height}px` }}>
        {width > 0 && <Plate {...props} width={width} />}
      </div>
      <p class="sr">{says}</p>
      <ChartTable title={title} unit={unit} x={x} lines={spokenLines(lines)} format={props.format} />
    </section>
  )
}

const TOP = 12
const FOOT = 28

function Plate(props: ChartProps & { readonly width: number }): JSX.Element {
  const { x, lines, format, height, width, ends = "both", hollow, title = "Curve", unit = "epoch" } = props
  const tick = props.tick ?? format
  const all = numbersOf(lines)
  const wanted = typeof props.log === "object" ? props.log.value : props.log === true
  const log = wanted && all.length > 0 && all.every((v) => v > 0)
  const [low, most] = rangeOf(all, log)
  const high = Math.max(most, all.length === 0 ? most : (props.top ?? most))
  const ticks = ticksOf(low, high, log)
  const left = Math.max(14, ...ticks.map((t) => 7.2 * tick(t).length + 10))
  const room = props.room ?? (ends === "both" ? 84 : 64)
  const [right, bottom] = [Math.max(left + 40, width - room), height - FOOT]
  const from = x[0] ?? 1
  const to = Math.max(props.most ?? from + 1, x.at(-1) ?? 0, from + 1)
  const scales: Scales = {
    x: axis(from, to, left, right),
    y: (log ? logAxis : axis)(low, high, bottom, TOP),
    left,
    right,
    top: TOP,
    bottom,
  }
  const move = (event: PointerEvent): void => {
    const { left: start } = (event.currentTarget as Element).getBoundingClientRect()
    const wanted = scales.x.back(event.clientX - start)
    hairline.value = x.reduce<number | undefined>(
      (near, at) => (near === undefined || Math.abs(at - wanted) < Math.abs(near - wanted) ? at : near),
      undefined,
    )
  }
  const keys = (event: KeyboardEvent): void => {
    const now = x.indexOf(hairline.peek() ?? Number.NaN)
    const next = {
      ArrowRight: now < 0 ? 0 : now + 1,
      ArrowLeft: now < 0 ? x.length - 1 : now - 1,
      Home: 0,
      End: x.length - 1,
    }[event.key]
    if (event.key === "Escape") hairline.value = undefined
    else if (next !== undefined) hairline.value = x[Math.min(x.length - 1, Math.max(0, next))]
    else return
    event.preventDefault()
  }
  const at = hairline.value === undefined ? -1 : x.indexOf(hairline.value)
  const spoken = spokenLines(lines)
    .filter((line) => !line.quiet && line.values[at] != null)
    .map((line) => `${line.label} ${format(line.values[at]!)}`)
  const xs = ticksAlong(from, to, right - left)
  // Where there is nothing yet, there is nothing to move along.
  const along = {
    role: "slider" as const,
    tabIndex: 0,
    "aria-label": `${title}, along the ${unit}s`,
    "aria-valuemin": from,
    "aria-valuemax": to,
    "aria-valuenow": at < 0 ? (x.at(-1) ?? from) : x[at]!,
    "aria-valuetext": at < 0 ? `no ${unit} chosen` : `${unit} ${x[at]}: ${spoken.join(", ")}`,
    onPointerMove: move,
    onPointerDown: move,
    onPointerLeave: () => (hairline.value = undefined),
    onKeyDown: keys,
    onBlur: () => (hairline.value = undefined),
  }
  return (
    <div class="touch" {...(all.length === 0 ? {} : along)}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {ticks.map((t) => (
          <g key={t}>
            <path class="grid" d={`M${left} ${scales.y(t).toFixed(1)}H${right}`} />
            <text x={left - 8} y={scales.y(t) + 4} text-anchor="end" class="t-12 t-3">
              {tick(t)}
            </text>
          </g>
        ))}
        {xs.map((t, i) => (
          <text
            key={t}
            x={scales.x(t)}
            y={height - 6}
            text-anchor={i === 0 ? (right - left > 260 ? "middle" : "start") : "middle"}
            class="t-12 t-3"
          >
            {i === 0 ? `${unit} ${t}` : t}
          </text>
        ))}
        <Gap {...props} scales={scales} />
        {lines.map((line) => (
          <g key={line.label} class={line.faint ? "faint" : undefined} style={tone(line.tone)}>
            {line.raw && <path class="ln raw" d={pathOf(x, line.raw, scales)} style={tone(line.tone)} />}
            <path
              class={`ln${line.dash ? " dash" : ""}`}
              d={pathOf(x, line.values, scales, line.spans)}
              style={{ ...tone(line.tone), strokeWidth: `${line.width ?? 2}px` }}
            />
            {(props.dots || x.length === 1) && <Dots x={x} line={line} scales={scales} />}
            {hollow && <EndDot x={x} line={line} scales={scales} />}
          </g>
        ))}
        <Best {...props} scales={scales} />
        <Ends {...props} scales={scales} ends={ends} />
        {at >= 0 && <Hair {...props} scales={scales} at={at} />}
      </svg>
      {all.length === 0 && (
        <p
          class="empty"
          style={{ left: `${left}px`, right: `${width - right}px`, top: `${TOP}px`, bottom: `${FOOT}px` }}
        >
          <span>{props.empty}</span>
        </p>
      )}
    </div>
  )
}
