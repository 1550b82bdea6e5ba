// Curves of a training: epochs along, direct labels at the ends, one hairline for all charts of a page. Drawn by uPlot.

import "uplot/dist/uPlot.min.css"
import { type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useRef } from "preact/hooks"
import uPlot from "uplot"
import { ChartTable } from "./chart-table.tsx"
import { trimmed } from "./format.ts"
import { apart, linTicks, logTicks } from "./plot.ts"
import { colours, token } from "./theme.ts"

/** One line. Its values belong to the epochs (or rounds) of the chart, one each; null is a gap. */
export interface Series {
  readonly label: string
  readonly values: readonly (number | null)[]
  /** The token of its colour; by default ink. */
  readonly tone?: string
  readonly width?: number
  readonly dash?: readonly number[]
  /** Drawn faintly behind, without a label: the raw line of a smoothed one, a single seed. */
  readonly faint?: boolean
}

/** The options of {@link RunCurve}. */
export interface RunCurveProps {
  readonly title?: string
  /** What the chart tells, in a sentence, for who does not see it. */
  readonly says: string
  readonly x: readonly number[]
  /** What is counted along: "epoch", "round". */
  readonly unit?: string
  readonly series: readonly Series[]
  /** A logarithmic axis; a signal makes it the reader's choice. */
  readonly log?: Signal<boolean> | boolean
  readonly format: (value: number) => string
  readonly height?: number
  /** Said in the middle while there is nothing. */
  readonly empty?: string
  /** Where the x axis ends at least. */
  readonly most?: number
  /** A point to mark with its words. */
  readonly mark?: { readonly x: number; readonly y: number; readonly text: string }
  readonly room?: number
  /** Names and values of the ends in one line, for charts of many lines. */
  readonly oneLine?: boolean
  /** Draws beneath the lines, again whenever they are drawn. */
  readonly under?: (plot: uPlot) => void
}

const LABELS = 112

/** Where the hairline of all charts of a page stands: a value of x, or undefined. */
export const cursor: Signal<number | undefined> = signal(undefined)

/** A chart of lines over epochs, with a table of the same numbers below. */
export function RunCurve(props: RunCurveProps): JSX.Element {
  const { title, says, x, unit = "epoch", series, format, height = 220, empty, most, mark, room = LABELS } = props
  const isLog = typeof props.log === "object" ? props.log.value : (props.log ?? false)
  const all = series.flatMap(({ values }) => values.filter((v): v is number => v !== null && Number.isFinite(v)))
  const positive = all.every((v) => v > 0)
  const log = isLog && positive && all.length > 0
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const shape = `${log} ${series.map((s) => `${s.label} ${s.tone} ${s.faint}`).join()} ${colours.value} ${height} ${room}`
  const range = useMemo(() => rangeOf(all, log), [all.length, all.at(-1), log, series])
  const ends = useRef<HTMLDivElement>(null)
  const { under, oneLine = false } = props
  const latest = useRef({ range, most, x, under })
  latest.current = { range, most, x, under }
  // What the labels stand for: the same as the data that is drawn, which follows a render a little later.
  const seriesNow = useRef(series)

  useEffect(() => {
    seriesNow.current = series
    const own = box.current!
    const options: uPlot.Options = {
      width: own.clientWidth || 300,
      height,
      legend: { show: false },
      padding: [10, room, 0, 0],
      cursor: {
        y: false,
        points: { size: 9, width: 2, fill: () => token("paper"), stroke: (u, i) => strokeOf(u, i) },
        drag: { x: false, y: false },
      },
      scales: {
        x: {
          time: false,
          range: () => [latest.current.x[0] ?? 0, Math.max(latest.current.most ?? 1, latest.current.x.at(-1) ?? 1)],
        },
        y: { distr: log ? 3 : 1, range: () => latest.current.range },
      },
      axes: [
        {
          stroke: token("ink-3"),
          font: `12px ${token("sans")}`,
          grid: { show: false },
          ticks: { show: false },
          size: 26,
          space: 60,
          values: (_, ticks) => ticks.map((t, i) => (i === 0 ? `${unit} ${t}` : Number.isInteger(t) ? String(t) : "")),
        },
        {
          stroke: token("ink-3"),
          font: `12px ${token("sans")}`,
          grid: { stroke: token("rule"), width: 1 },
          ticks: { show: false },
          size: 56,
          gap: 8,
          splits: (_, __, min, max) => (log ? logTicks(min, max) : linTicks(min, max)),
          values: (_, ticks) => ticks.map((t) => trimmed(format(t))),
          filter: (_, ticks) => ticks,
        },
      ],
      series: [
        {},
        ...series.map((s) => ({
          label: s.label,
          stroke: token(s.tone ?? "ink"),
          width: s.width ?? 2,
          alpha: s.faint ? 0.25 : 1,
          ...(s.dash ? { dash: [...s.dash] } : {}),
          points: { show: () => latest.current.x.length === 1 },
          spanGaps: false,
        })),
      ],
      hooks: {
        drawClear: [(u) => latest.current.under?.(u)],
        draw: [(u) => label(u)],
        setCursor: [
          (u) => u.cursor.event && (cursor.value = u.cursor.idx == null ? undefined : u.data[0]![u.cursor.idx]!),
        ],
      },
    }
    const label = (u: uPlot): void => placeEnds(u, ends.current!, seriesNow.current, format, oneLine)
    const made = new uPlot(options, dataOf(x, series), own)
    made.over.tabIndex = 0
    made.over.setAttribute("role", "img")
    made.over.setAttribute("aria-label", says)
    made.over.addEventListener("keydown", (event) => {
      const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
      if (direction === undefined) return
      event.preventDefault()
      const now = latest.current.x.indexOf(cursor.peek() ?? latest.current.x.at(-1) ?? 0)
      const next = Math.min(latest.current.x.length - 1, Math.max(0, now + direction))
      cursor.value = latest.current.x[next]
    })
    made.over.addEventListener("pointerleave", () => {
      cursor.value = undefined
    })
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: own.clientWidth, height }))
    watch.observe(own)
    return () => {
      watch.disconnect()
      made.destroy()
    }
  }, [shape])
  useEffect(() => {
    seriesNow.current = series
    plot.current?.setData(dataOf(x, series))
    plot.current?.over.setAttribute("aria-label", says)
  }, [x, series, range])
  useEffect(
    () =>
      cursor.subscribe((at) => {
        const u = plot.current
        if (u === undefined || u.cursor.event) return
        const i = at === undefined ? -1 : latest.current.x.indexOf(at)
        u.setCursor(i < 0 ? { left: -10, top: -10 } : { left: u.valToPos(at!, "x"), top: 10 }, false)
      }),
    [],
  )
  const at = cursor.value === undefined ? -1 : x.indexOf(cursor.value)
  return (
    <section class="chart">
      {title !== undefined && (
        <header>
          <h2>{title}</h2>
          {typeof props.log === "object" && (
            <button
              type="button"
              class="link"
              aria-pressed={isLog}
              title={isLog && !positive ? "The axis is linear: there are values of zero or below." : undefined}
              onClick={() => {
                const choice = props.log as Signal<boolean>
                choice.value = !choice.value
              }}
            >
              log axis
            </button>
          )}
        </header>
      )}
      <p class="read" aria-hidden="true">
        {at >= 0 &&
          `${unit} ${x[at]}: ${series
            .filter((s) => !s.faint)
            .map((s) => `${s.label} ${s.values[at] == null ? "–" : format(s.values[at])}`)
            .join(", ")}`}
      </p>
      <div class="plot">
        <div ref={box} />
        <div ref={ends} aria-hidden="true" />
        {all.length === 0 && empty !== undefined && <p class="empty">{empty}</p>}
        {mark !== undefined && plot.current !== undefined && (
          <span
            class="end ember"
            style={{
              left: `${plot.current.valToPos(mark.x, "x") + plot.current.over.offsetLeft}px`,
              top: `${plot.current.valToPos(mark.y, "y") + 18}px`,
              transform: "translateX(-50%)",
            }}
          >
            {mark.text}
          </span>
        )}
      </div>
      <ChartTable title={title} unit={unit} x={x} lines={series.filter((s) => !s.faint)} format={format} />
    </section>
  )
}

function strokeOf(u: uPlot, i: number): string {
  const { stroke } = u.series[i]!
  return typeof stroke === "function" ? String(stroke(u, i)) : String(stroke)
}

function dataOf(x: readonly number[], series: readonly Series[]): uPlot.AlignedData {
  return [[...x], ...series.map(({ values }) => x.map((_, i) => finite(values[i])))]
}

const finite = (value: number | null | undefined): number | null =>
  value !== null && value !== undefined && Number.isFinite(value) ? value : null

function rangeOf(all: readonly number[], log: boolean): [number, number] {
  if (all.length === 0) return log ? [0.01, 1] : [0, 1]
  const [low, high] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))]
  if (log) return [low / 1.12, high * 1.12 === low / 1.12 ? high * 2 : high * 1.12]
  const margin = (high - low || Math.abs(high) || 1) * 0.06
  return [low - margin, high + margin]
}

/** Labels at the ends of the lines, in their colours, pushed apart. */
function placeEnds(
  u: uPlot,
  box: HTMLElement,
  series: readonly Series[],
  format: (value: number) => string,
  oneLine: boolean,
): void {
  const named = series.filter((s) => !s.faint && s.values.some((v) => finite(v) !== null))
  const ends = named.map((s) => {
    const i = s.values.findLastIndex((v) => finite(v) !== null)
    return { s, value: s.values[i]!, x: u.valToPos(u.data[0]![i] ?? 0, "x"), y: u.valToPos(s.values[i]!, "y") }
  })
  const distance = oneLine ? 16 : 30
  const heights = apart(
    ends.map(({ y }) => y),
    distance,
  )
  // Those at the foot are pushed up, so that none stands on the axis.
  let lowest = u.over.clientHeight - distance / 4
  for (const i of heights.map((_, k) => k).sort((a, b) => heights[b]! - heights[a]!)) {
    heights[i] = Math.min(heights[i]!, lowest)
    lowest = heights[i] - distance
  }
  const texts = ends.map(({ s, value, x }, i) => {
    const span = document.createElement("span")
    span.className = "end"
    span.style.left = `${x + u.over.offsetLeft + 8}px`
    span.style.top = `${heights[i]! + u.over.offsetTop}px`
    span.style.color = token(s.tone ?? "ink")
    const name = document.createElement("b")
    name.textContent = s.label
    span.append(name, oneLine ? " " : document.createElement("br"), format(value))
    return span
  })
  box.replaceChildren(...texts)
}
