// The parts of a chart's drawing: its lines, the gap, the best point, the labels of the ends, the hairline.

import type { JSX } from "preact"
import { type ChartProps, type Line, spokenLines } from "./chart.tsx"
import { type Axis, apart, linePath } from "./plot.ts"
import { clearOf, heightAt, slopeAt, thinned } from "./scales.ts"
import { Trilobite } from "./trilobite.tsx"

/** Where a chart's numbers stand in its drawing. */
export interface Scales {
  readonly x: Axis
  readonly y: Axis
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** The colour of a token, for strokes. */
export const tone = (token: string): { readonly stroke: string } => ({ stroke: `var(--${token})` })

/** The path of a line, with gaps where values are missing or without. */
export function pathOf(
  x: readonly number[],
  values: readonly (number | null)[],
  { x: sx, y: sy }: Scales,
  spans = false,
): string {
  const points = x.map((at, i): readonly [number, number] => [sx(at), values[i] == null ? Number.NaN : sy(values[i])])
  return linePath(thinned(spans ? points.filter(([, y]) => !Number.isNaN(y)) : points))
}

interface Part {
  readonly x: readonly number[]
  readonly line: Line
  readonly scales: Scales
}

/** Each value as a dot. */
export function Dots({ x, line, scales }: Part): JSX.Element {
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

/** A hollow dot at the last value. */
export function EndDot({ x, line, scales }: Part): JSX.Element | null {
  const i = line.values.findLastIndex((v) => v !== null)
  if (i < 0 || line.quiet || line.faint) return null
  return <circle class="dot" cx={scales.x(x[i]!)} cy={scales.y(line.values[i]!)} r="4.5" style={tone(line.tone)} />
}

/** The ground between two lines. */
export function Gap({ gap, lines, x, scales }: ChartProps & { readonly scales: Scales }): JSX.Element | null {
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
export function Best({ best, lines, x, scales }: ChartProps & { readonly scales: Scales }): JSX.Element | null {
  const i = best === undefined ? -1 : x.indexOf(best.epoch)
  const value = best === undefined ? null : lines[best.line]?.values[i]
  if (best === undefined || value == null) return null
  const [px, py] = [scales.x(x[i]!), scales.y(value)]
  const pointsOf = (line: Line): (readonly [number, number])[] =>
    x.map((at, k) => [scales.x(at), line.values[k] == null ? Number.NaN : scales.y(line.values[k])] as const)
  const points = pointsOf(lines[best.line]!)
  // Behind the newest point the label of the line begins.
  const newest = lines[best.line]!.values.findLastIndex((v) => v !== null) === i
  const stand = Math.max(scales.left + 4, newest ? px - SIZE / 2 : Math.min(px, scales.right - 22))
  const foot = stand === px ? py : heightAt(points, stand)
  const isLate = px > (scales.left + scales.right) / 2
  const start = isLate ? Math.max(scales.left, px + 12 - 7 * best.text.length) : px - 12
  const ends = [start, start + 7 * best.text.length] as const
  const clear = clearOf(
    lines.map(pointsOf),
    ends,
    [Math.min(py, foot) - SIZE * 0.62 - 16, scales.top + 10],
    scales.bottom - 8,
  )
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

/** Names and values at the ends of the lines, pushed apart. */
export function Ends(
  props: ChartProps & { readonly scales: Scales; readonly ends: NonNullable<ChartProps["ends"]> },
): JSX.Element {
  const { lines, x, scales, ends, format } = props
  const named = lines.flatMap((line) => {
    const i = line.quiet || line.faint ? -1 : line.values.findLastIndex((v) => v !== null && Number.isFinite(v))
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
        const weight = (line.width ?? 2) >= 2 ? "b halo" : "halo"
        const style = { fill: `var(--${line.tone})` }
        return (
          <g key={line.label}>
            {ends === "both" && (
              <text x={at + 9} y={y - 3} class={weight} style={style}>
                {line.label}
              </text>
            )}
            <text
              x={at + 9}
              y={ends === "both" ? y + 13 : y + 4}
              class={ends === "both" ? "halo" : weight}
              style={style}
            >
              {ends === "names" ? line.label : `${ends === "line" ? `${line.label} ` : ""}${format(value)}`}
            </text>
          </g>
        )
      })}
    </>
  )
}

/** The hairline at one epoch, with the values there. */
export function Hair(props: ChartProps & { readonly scales: Scales; readonly at: number }): JSX.Element {
  const { lines, x, scales, at, format, unit = "epoch" } = props
  const px = scales.x(x[at]!)
  const isLeft = px > scales.left + 76
  const [side, anchor] = [isLeft ? -8 : 8, isLeft ? ("end" as const) : ("start" as const)]
  const shown = spokenLines(lines).filter((line) => line.values[at] != null)
  const heights = apart(
    shown.map(({ values }) => scales.y(values[at]!)),
    26,
  )
  return (
    <>
      <path class="hair" d={`M${px.toFixed(1)} ${scales.top - 8}V${scales.bottom}`} />
      <text x={px + side} y={scales.top} text-anchor={anchor} class="t-12 b t-ink halo">
        {unit} {x[at]}
      </text>
      {shown.map((line, k) => {
        const y = scales.y(line.values[at]!)
        const lift = shown.length === 1 ? -8 : heights[k]! < y ? -3 : 8
        return (
          <g key={line.label}>
            <circle class="dot" cx={px} cy={y} r="4.5" style={tone(line.tone)} />
            <text
              x={px + side}
              y={Math.min(scales.bottom - 3, Math.max(scales.top + 16, heights[k]! + lift))}
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
