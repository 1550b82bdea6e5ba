// The net of lesson 5 drawn as bars: each layer as strong as it learns at this moment.

import type { JSX } from "preact"
import { linePath } from "../ui/plot.ts"
import { chapter, layerTone, speedText } from "./speed-net.ts"

const WIDTH = 236
const BAR = 148
const TOP = 62

/** How strong a speed is drawn: 0 to 1 on the logarithmic axis between the slowest and the fastest of the run. */
export function strengthOf(speed: number, slowest: number, fastest: number): number {
  if (!(speed > 0) || !(fastest > slowest)) return speed > 0 ? 1 : 0
  return Math.min(1, Math.max(0, Math.log(speed / slowest) / Math.log(fastest / slowest)))
}

/** The layers from the output (top) to the pixels (foot). */
export function SpeedBars(props: {
  readonly layers: number
  readonly now: readonly number[]
  readonly slowest: number
  readonly fastest: number
}): JSX.Element {
  const { layers, now, slowest, fastest } = props
  const pitch = Math.min(66, 350 / layers)
  const height = Math.min(26, pitch - 12)
  const foot = TOP + layers * pitch
  const middle = BAR / 2
  const place = (i: number): number => TOP + (layers - 1 - i) * pitch
  return (
    <svg
      class="plate bars"
      viewBox={`0 0 ${WIDTH} ${foot + 74}`}
      role="img"
      aria-label={
        now.length === 0
          ? `A net of ${layers + 1} hidden layers that has not learned yet`
          : `Speeds now, from the output to the pixels: ${now.map(speedText).reverse().join(", ")}`
      }
    >
      <text x="0" y="14" class="b t-ink">
        The net now
      </text>
      <rect x={middle - 30} y="26" width="60" height="18" rx="4" class="cell" />
      <text x={middle + 40} y="40" class="t-12 t-3">
        10 softmax
      </text>
      {Array.from({ length: layers }, (_, i) => {
        const y = place(i)
        const speed = now[i]
        const strength = speed === undefined ? 0 : strengthOf(speed, slowest, fastest)
        const colour = `var(--${layerTone(i, layers)})`
        return (
          <g key={i}>
            <path d={`M${middle} ${y + height + 1}V${y + pitch - 1}`} class="axis" />
            <rect x="0" y={y} width={BAR} height={height} rx="4" class="cell" style={{ stroke: colour }} />
            <path
              d={ticks(y, height)}
              fill="none"
              stroke-width="3"
              style={{ stroke: colour, opacity: speed === undefined ? 0.1 : 0.12 + 0.88 * strength }}
            />
            <text x={BAR + 10} y={y + height / 2 + 5} class="b" style={{ fill: colour }}>
              {speed === undefined ? `hidden ${i}` : speedText(speed)}
            </text>
          </g>
        )
      })}
      <path d={`M${middle} 45V${TOP - 1}`} class="axis" />
      <rect x="0" y={foot} width={BAR} height="20" rx="4" class="cell" />
      <text x={BAR + 10} y={foot + 14} class="t-12 t-3">
        not drawn
      </text>
      <path d={`M${middle} ${foot + 21}v12`} class="axis" />
      <text x={middle} y={foot + 50} text-anchor="middle" class="t-12 t-3">
        784 pixels
      </text>
    </svg>
  )
}

/** One stroke for each neuron of a layer. */
function ticks(y: number, height: number): string {
  const pitch = (BAR - 12) / (chapter.units - 1)
  return Array.from({ length: chapter.units }, (_, k) => {
    const x = 6 + k * pitch
    return linePath([
      [x, y + 4],
      [x, y + height - 4],
    ])
  }).join("")
}
