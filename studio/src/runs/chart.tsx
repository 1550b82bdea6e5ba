// A chart of a run: lines over epochs drawn at the size of the screen, labels at their ends, the gap, the best point, and one
// hairline for all charts of the page.

import { type Signal, signal } from "@preact/signals"
import type { ComponentChildren, JSX } from "preact"
import { type Axis, apart, axis, linePath, logAxis } from "../ui/plot.ts"
import { useWidth } from "../ui/size.ts"
import { Trilobite } from "../ui/trilobite.tsx"
import { ChartTable } from "./chart-table.tsx"
import { clearOf, heightAt, rangeOf, slopeAt, thinned, ticksAlong, ticksOf } from "./scales.ts"

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
}

/** The options of {@link Chart}. */
export interface ChartProps {
  readonly title: string
  /** Stands at the right of the title. */
  readonly aside?: ComponentChildren
  /** What the chart tells, in a sentence. */
  readonly says: string
  readonly x: readonly number[]
  /** The value up to which the axis goes at least. */
  readonly top?: number
  /** The epoch where the axis ends at least. */
  readonly most?: number
  readonly lines: readonly Line[]
  readonly log?: boolean
  readonly format: (value: number) => string
  readonly tick?: (value: number) => string
  readonly height: number
  /** What stands at the ends of the lines. */
  readonly ends?: "both" | "values" | "names"
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

/** The epoch at which the hairline of all charts stands. */
export const hairline: Signal<number | undefined> = signal(undefined)

/** A chart with its title, and the same numbers as a table. */
export function Chart(props: ChartProps): JSX.Element {
  const { title, aside, says, x, lines, height } = props
  const [box, width] = useWidth(0)
  return (
    <section class="panel">
      <h2>
        {title}
        {aside}
      </h2>
      <div ref={box} class="chart-box" style={{ height: `${height}px` }}>
        {width > 0 && <Plate {...props} width={width} />}
      </div>
      <p class="sr">{says}</p>
      <ChartTable x={x} lines={lines} format={props.format} title={title} />
    </section>
  )
}

const tone = (token: string): { readonly stroke: string } => ({ stroke: `var(--${token})` })
const TOP = 12
const FOOT = 28

interface Scales {
  readonly x: Axis
  readonly y: Axis
  readonly left: number
  readonly right: number
  readonly bottom: number
}

function Plate(props: ChartProps & { readonly width: number }): JSX.Element {
  const { x, lines, format, height, width, ends = "both", hollow, title } = props
  const tick = props.tick ?? format
  const all = lines.flatMap(({ values, raw = [] }) =>
    [...values, ...raw].filter((v): v is number => v !== null && Number.isFinite(v)),
  )
  const log = props.log === true && all.length > 0 && all.every((v) => v > 0)
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
  const spoken = lines
    .filter((line) => !line.quiet && line.values[at] != null)
    .map((line) => `${line.label} ${format(line.values[at]!)}`)
  const xs = ticksAlong(from, to, right - left)
  return (
    <div
      class="touch"
      role="slider"
      tabIndex={0}
      aria-label={`${title}, along the epochs`}
      aria-valuemin={from}
      aria-valuemax={to}
      aria-valuenow={at < 0 ? (x.at(-1) ?? from) : x[at]!}
      aria-valuetext={at < 0 ? "no epoch chosen" : `epoch ${x[at]}: ${spoken.join(", ")}`}
      onPointerMove={move}
      onPointerDown={move}
      onPointerLeave={() => (hairline.value = undefined)}
      onKeyDown={keys}
      onBlur={() => (hairline.value = undefined)}
    >
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
            {i === 0 ? `epoch ${t}` : t}
          </text>
        ))}
        <Gap {...props} scales={scales} />
        {lines.map((line) => (
          <g key={line.label} style={tone(line.tone)}>
            {line.raw && <path class="ln raw" d={pathOf(x, line.raw, scales)} style={tone(line.tone)} />}
            <path
              class={`ln${line.dash ? " dash" : ""}`}
              d={pathOf(x, line.values, scales)}
              style={{ ...tone(line.tone), strokeWidth: `${line.width ?? 2}px` }}
            />
            {(props.dots || x.length === 1) && <Dots x={x} line={line} scales={scales} />}
            {hollow && <EndDot x={x} line={line} scales={scales} />}
          </g>
        ))}
        <Best {...props} scales={scales} />
        <Ends {...props} scales={scales} ends={ends} />
        {at >= 0 && <Hair {...props} scales={scales} at={at} />}
        {all.length === 0 && (
          <text x={(left + right) / 2} y={(TOP + bottom) / 2} text-anchor="middle" class="t-3 halo">
            {props.empty}
          </text>
        )}
      </svg>
    </div>
  )
}

function pathOf(x: readonly number[], values: readonly (number | null)[], { x: sx, y: sy }: Scales): string {
  const points = x.map((at, i): readonly [number, number] => [sx(at), values[i] == null ? Number.NaN : sy(values[i])])
  return linePath(thinned(points))
}

interface Part {
  readonly x: readonly number[]
  readonly line: Line
  readonly scales: Scales
}

function Dots({ x, line, scales }: Part): JSX.Element {
  return (
    <>
      {x.map((at, i) => {
        const value = line.values[i]
        return value == null ? null : (
          <circle
            key={at}
            class="dot full"
            cx={scales.x(at)}
            cy={scales.y(value)}
            r="2.6"
            style={{ ...tone(line.tone), fill: `var(--${line.tone})` }}
          />
        )
      })}
    </>
  )
}

function EndDot({ x, line, scales }: Part): JSX.Element | null {
  const i = line.values.findLastIndex((v) => v !== null)
  if (i < 0 || line.quiet) return null
  return <circle class="dot" cx={scales.x(x[i]!)} cy={scales.y(line.values[i]!)} r="4.5" style={tone(line.tone)} />
}

function Gap({ gap, lines, x, scales }: ChartProps & { readonly scales: Scales }): JSX.Element | null {
  if (gap === undefined) return null
  const [above, below] = [lines[gap.above]!.values, lines[gap.below]!.values]
  const places = x.flatMap((at, i) => (i >= gap.from && above[i] != null && below[i] != null ? [{ at, i }] : []))
  if (places.length < 2) return null
  const there = places.map(({ at, i }) => [scales.x(at), scales.y(above[i]!)] as const)
  const back = places.map(({ at, i }) => [scales.x(at), scales.y(below[i]!)] as const).reverse()
  const k = Math.floor(places.length * 0.62)
  const [middle, high, low] = [there[k]![0], there[k]![1], back[places.length - 1 - k]![1]]
  return (
    <>
      <path class="ground" d={`${linePath([...there, ...back])}Z`} />
      {Math.abs(low - high) > 26 && there.at(-1)![0] - there[0]![0] > 90 && (
        <text x={middle} y={(high + low) / 2 + 4} text-anchor="middle" class="t-12 t-3">
          the gap
        </text>
      )}
    </>
  )
}

const SIZE = 54

/** The best point, marked; the animal stands there, or just before it where the label of the line begins. */
function Best({ best, lines, x, scales }: ChartProps & { readonly scales: Scales }): JSX.Element | null {
  const i = best === undefined ? -1 : x.indexOf(best.epoch)
  const value = best === undefined ? null : lines[best.line]?.values[i]
  if (best === undefined || value == null) return null
  const [px, py] = [scales.x(x[i]!), scales.y(value)]
  const pointsOf = (line: Line): (readonly [number, number])[] =>
    x.map((at, k) => [scales.x(at), line.values[k] == null ? Number.NaN : scales.y(line.values[k])] as const)
  const points = pointsOf(lines[best.line]!)
  const stand = Math.min(px, scales.right - 22)
  const foot = stand === px ? py : heightAt(points, stand)
  const isLate = px > (scales.left + scales.right) / 2
  const start = isLate ? Math.max(scales.left, px + 12 - 7 * best.text.length) : px - 12
  const ends = [start, start + 7 * best.text.length] as const
  const clear = clearOf(lines.map(pointsOf), ends, [Math.min(py, foot) - SIZE * 0.62 - 16, TOP + 10], scales.bottom - 8)
  return (
    <>
      <Trilobite x={stand} y={foot} size={SIZE} angle={slopeAt(points, i)} mood="content" />
      <circle class="dot ember" cx={px} cy={py} r="3.5" />
      <text x={start} y={clear} class="b t-ember halo">
        {best.text}
      </text>
    </>
  )
}

function Ends(
  props: ChartProps & { readonly scales: Scales; readonly ends: "both" | "values" | "names" },
): JSX.Element {
  const { lines, x, scales, ends, format } = props
  const named = lines.flatMap((line) => {
    const i = line.quiet ? -1 : line.values.findLastIndex((v) => v !== null && Number.isFinite(v))
    if (i < 0) return []
    return [{ line, at: scales.x(x[i]!), value: line.values[i]!, y: scales.y(line.values[i]!) }]
  })
  const heights = apart(
    named.map(({ y }) => y),
    ends === "both" ? 33 : 16,
  )
  // The lowest stays above the names of the epochs; those above it give way.
  const below = Math.max(0, Math.max(0, ...heights) - scales.bottom + (ends === "both" ? 8 : 4))
  return (
    <>
      {named.map(({ line, at, value }, k) => {
        const y = heights[k]! - below
        const bold = (line.width ?? 2) >= 2
        const style = { fill: `var(--${line.tone})` }
        return (
          <g key={line.label}>
            {ends !== "values" && (
              <text x={at + 9} y={ends === "both" ? y - 3 : y + 4} class={bold ? "b halo" : "halo"} style={style}>
                {line.label}
              </text>
            )}
            {ends !== "names" && (
              <text
                x={at + 9}
                y={ends === "both" ? y + 13 : y + 4}
                class={bold && ends === "values" ? "b halo" : "halo"}
                style={style}
              >
                {format(value)}
              </text>
            )}
          </g>
        )
      })}
    </>
  )
}

function Hair(props: ChartProps & { readonly scales: Scales; readonly at: number }): JSX.Element {
  const { lines, x, scales, at, format } = props
  const px = scales.x(x[at]!)
  const isLeft = px > scales.left + 76
  const [side, anchor] = [isLeft ? -8 : 8, isLeft ? ("end" as const) : ("start" as const)]
  const shown = lines.filter((line) => line.values[at] != null)
  const heights = apart(
    shown.map(({ values }) => scales.y(values[at]!)),
    26,
  )
  return (
    <>
      <path class="hair" d={`M${px.toFixed(1)} ${TOP - 8}V${scales.bottom}`} />
      <text x={px + side} y={TOP} text-anchor={anchor} class="t-12 b t-ink halo">
        epoch {x[at]}
      </text>
      {shown.map((line, k) => {
        const y = scales.y(line.values[at]!)
        const lift = shown.length === 1 ? -8 : heights[k]! < y ? -3 : 8
        return (
          <g key={line.label}>
            <circle class="dot" cx={px} cy={y} r="4.5" style={tone(line.tone)} />
            <text
              x={px + side}
              y={Math.min(scales.bottom - 3, Math.max(TOP + 16, heights[k]! + lift))}
              text-anchor={anchor}
              class={`halo${(line.width ?? 2) >= 2 ? " b" : ""}`}
              style={{ fill: `var(--${line.tone})` }}
            >
              {format(line.values[at]!)}
            </text>
          </g>
        )
      })}
    </>
  )
}
