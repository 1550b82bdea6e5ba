// Lines over a linear or a logarithmic axis as SVG text. Knows nothing of what is drawn.

import { log64 } from "../core/math64.ts"

/** One line: its points, in the order in which they are joined. A point that cannot be drawn (NaN, or 0 on a logarithmic axis) leaves a gap. */
export interface Series {
  readonly name: string
  readonly x: readonly number[]
  readonly y: readonly number[]
  /** Drawn thin and pale, in the colour of the last line that is not, and not in the legend: raw values behind smooth ones. */
  readonly faint?: boolean
  /** How far bars reach above and below each point: standard errors. */
  readonly errors?: readonly number[]
  /** Whether points are dots, too. */
  readonly dots?: boolean
}

/** What is drawn. */
export interface Plot {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  /** Whether equal ratios are equally high. */
  readonly logY?: boolean
  /** Whether equal ratios are equally far apart. */
  readonly logX?: boolean
  /** A point with a ring round it and a text in the legend. */
  readonly mark?: { readonly x: number; readonly y: number; readonly text: string }
  readonly series: readonly Series[]
}

/** Okabe and Ito's colours, apart for colour-blind eyes too, that are neither too pale for white nor too dark for black. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]

/** The picture and the field of the lines in it, in pixels. */
const SIZE = { width: 680, height: 400 } as const
const FIELD = { left: 72, top: 40, right: 520, bottom: 348 } as const

/** An axis: where a value stands, from 0 to 1, and the values that are marked. */
interface Axis {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

/**
 * The plot as SVG text, 680 by 400. Axes, grid and text have the colour of the text around it.
 * @example
 * ```ts
 * import { plotSvg } from "trilobite"
 * const svg = plotSvg({
 *   title: "Cost",
 *   xLabel: "epoch",
 *   yLabel: "cost",
 *   logY: true,
 *   series: [{ name: "training", x: [1, 2, 3], y: [0.4, 0.1, 0.05] }],
 * })
 * svg.startsWith("<svg") // => true
 * ```
 */
export function plotSvg({ title, xLabel, yLabel, logX = false, logY = false, mark, series }: Plot): string {
  const drawable = (y: number): boolean => Number.isFinite(y) && (!logY || y > 0)
  const xRange = rangeOf(series.flatMap(({ x, y }) => x.filter((at, i) => drawable(y[i]!) && (!logX || at > 0))))
  const xAxis = logX ? logAxis(xRange) : linearAxis(xRange)
  const bars = series.map(({ y, errors = [] }) => errors.flatMap((error, i) => [y[i]! - error, y[i]! + error]))
  const yRange = rangeOf([...series.flatMap(({ y }) => y), ...bars.flat()].filter(drawable))
  const yAxis = logY ? logAxis(yRange) : linearAxis(yRange)
  const across = (x: number): number => FIELD.left + xAxis.at(x) * (FIELD.right - FIELD.left)
  const up = (y: number): number => FIELD.bottom - yAxis.at(y) * (FIELD.bottom - FIELD.top)
  const [middle, centre] = [(FIELD.left + FIELD.right) / 2, (FIELD.top + FIELD.bottom) / 2]
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" height="${SIZE.height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="currentColor">`,
    `<title>${escaped(title)}</title>`,
    `<text x="${middle}" y="22" text-anchor="middle" font-weight="600">${escaped(title)}</text>`,
    `<text x="${middle}" y="${FIELD.bottom + 40}" text-anchor="middle">${escaped(xLabel)}</text>`,
    `<text transform="translate(18 ${centre}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
    '<g stroke="currentColor" stroke-opacity="0.15">',
    ...xAxis.ticks.map((x) => `<path d="M${pixel(across(x))} ${FIELD.top}V${FIELD.bottom}"/>`),
    ...yAxis.ticks.map((y) => `<path d="M${FIELD.left} ${pixel(up(y))}H${FIELD.right}"/>`),
    "</g>",
    ...xAxis.ticks.map((x) => {
      return `<text x="${pixel(across(x))}" y="${FIELD.bottom + 18}" text-anchor="middle">${label(x)}</text>`
    }),
    ...yAxis.ticks.map(
      (y) => `<text x="${FIELD.left - 8}" y="${pixel(up(y) + 4)}" text-anchor="end">${label(y)}</text>`,
    ),
  ]
  let named = 0
  for (const { name, x, y, faint = false, errors = [], dots = false } of series) {
    const colour = COLOURS[(faint ? Math.max(0, named - 1) : named) % COLOURS.length]
    const look = faint ? 'stroke-width="1" stroke-opacity="0.35"' : 'stroke-width="1.6"'
    const path = pathOf(x, y, drawable, across, up)
    parts.push(
      `<path d="${path}" fill="none" stroke="${colour}" stroke-linejoin="round" stroke-linecap="round" ${look}/>`,
    )
    errors.forEach((error, i) => {
      const low = drawable(y[i]! - error) ? y[i]! - error : yRange[0]
      if (!drawable(y[i]!) || !(error > 0)) return
      const [at, top, bottom] = [pixel(across(x[i]!)), pixel(up(y[i]! + error)), pixel(up(low))]
      parts.push(`<path d="M${at} ${top}V${bottom}m-4 0h8M${at} ${top}m-4 0h8" fill="none" stroke="${colour}"/>`)
    })
    if (dots) {
      y.forEach((value, i) => {
        if (!drawable(value)) return
        parts.push(`<circle cx="${pixel(across(x[i]!))}" cy="${pixel(up(value))}" r="3" fill="${colour}"/>`)
      })
    }
    if (faint) continue
    const height = FIELD.top + 8 + 18 * named++
    parts.push(`<path d="M${FIELD.right + 14} ${height}h18" stroke="${colour}" stroke-width="1.6"/>`)
    parts.push(`<text x="${FIELD.right + 38}" y="${height + 4}">${escaped(name)}</text>`)
  }
  if (mark !== undefined && drawable(mark.y)) {
    const [x, y, height] = [pixel(across(mark.x)), pixel(up(mark.y)), FIELD.top + 8 + 18 * named]
    parts.push(`<circle cx="${x}" cy="${y}" r="7" fill="none" stroke="currentColor" stroke-width="1.6"/>`)
    parts.push(
      `<circle cx="${FIELD.right + 23}" cy="${height}" r="6" fill="none" stroke="currentColor" stroke-width="1.6"/>`,
    )
    parts.push(`<text x="${FIELD.right + 38}" y="${height + 4}">${escaped(mark.text)}</text>`)
  }
  return [...parts, "</svg>"].join("\n")
}

/** The points joined; a point between two gaps is a dot. */
function pathOf(
  x: readonly number[],
  y: readonly number[],
  drawable: (y: number) => boolean,
  across: (x: number) => number,
  up: (y: number) => number,
): string {
  let path = ""
  let open = false
  y.forEach((value, i) => {
    if (drawable(value)) path += `${open ? "L" : "M"}${pixel(across(x[i]!))} ${pixel(up(value))}${open ? "" : "h0"}`
    open = drawable(value)
  })
  return path
}

/** The least and the greatest value, moved apart if they are one; 0 and 1 if there is none. */
function rangeOf(values: readonly number[]): readonly [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  if (low > high) return [0, 1]
  return low < high ? [low, high] : low === 0 ? [0, 1] : low > 0 ? [low / 2, low * 2] : [low * 2, low / 2]
}

/** Ticks at multiples of 1, 2 or 5 times a power of ten, at most seven of them. */
function linearAxis([low, high]: readonly [number, number]): Axis {
  const rough = (high - low) / 6
  const power = powerOfTen(Math.floor(log10(rough)))
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough * (1 - 1e-9))!
  const first = Math.ceil(low / step - 1e-9)
  const count = Math.floor(high / step + 1e-9) - first + 1
  const ticks = Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)))
  return { at: (value) => (value - low) / (high - low), ticks }
}

/** From power of ten to power of ten, with a tick at each. */
function logAxis([low, high]: readonly [number, number]): Axis {
  const bottom = Math.floor(log10(low) + 1e-9)
  const top = Math.max(bottom + 1, Math.ceil(log10(high) - 1e-9))
  const every = Math.ceil((top - bottom) / 8)
  const ticks = Array.from({ length: Math.floor((top - bottom) / every) + 1 }, (_, i) => powerOfTen(bottom + every * i))
  return { at: (value) => (log10(value) - bottom) / (top - bottom), ticks }
}

const log10 = (x: number): number => log64(x) / log64(10)
const powerOfTen = (n: number): number => Number(`1e${n}`)
const pixel = (x: number): string => String(Number(x.toFixed(1)))

function label(x: number): string {
  const size = Math.abs(x)
  return x === 0 || (size >= 1e-3 && size < 1e5) ? String(x) : x.toExponential().replace("e+", "e")
}

/** Text as it stands in SVG. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
}
