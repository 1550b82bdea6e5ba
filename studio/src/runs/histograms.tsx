// How the weights of each layer are distributed: one hill for each, over one axis.

import type { JSX } from "preact"
import type { LayerSignals, WeightCounts } from "../../../cli/studio/api.ts"
import { plain } from "../ui/format.ts"
import { axis } from "../ui/plot.ts"
import { useWidth } from "../ui/size.ts"
import { layerNames, layerTones } from "./words.ts"

/** Where the axis ends on both sides: a round number that no weight but the outermost thousandth is beyond. */
export function reachOf(all: readonly WeightCounts[]): number {
  const greatest = Math.max(0, ...all.flatMap(({ min, max }) => [Math.abs(min), Math.abs(max)]))
  if (!(greatest > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(greatest))
  return Number(([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((digit) => digit * power >= greatest)! * power).toPrecision(6))
}

/** A hill: counts as heights, the greatest as high as there is room. */
export function hillPath(
  { min, max, counts }: WeightCounts,
  x: (value: number) => number,
  foot: number,
  high: number,
): { readonly area: string; readonly line: string } {
  const [width, greatest] = [(max - min) / counts.length, Math.max(1, ...counts)]
  const tops = counts.map(
    (n, i) => `L${x(min + width * (i + 0.5)).toFixed(1)} ${(foot - (high * n) / greatest).toFixed(1)}`,
  )
  const line = `M${x(min).toFixed(1)} ${foot}${tops.join("")}L${x(max).toFixed(1)} ${foot}`
  return { area: `${line}Z`, line }
}

/** The hills. */
export function Histograms(props: {
  readonly layers: readonly LayerSignals[]
  readonly epoch: number | undefined
  readonly last: number | undefined
}): JSX.Element {
  const { layers, epoch, last } = props
  const [box, width] = useWidth(0)
  const [names, tones] = [layerNames(layers.length), layerTones(layers.length)]
  const reach = reachOf(layers.map(({ weights }) => weights))
  const x = axis(-reach, reach, 2, Math.max(60, width - 2))
  const each = Math.min(58, 174 / Math.max(1, layers.length))
  const height = each * layers.length + 22
  const text = layers.map(({ weights }, i) => `${names[i]} from ${plain(weights.min)} to ${plain(weights.max)}`)
  return (
    <section class="panel">
      <h2>
        Weights
        {epoch !== undefined && epoch !== last && <span>epoch {epoch}</span>}
      </h2>
      <div ref={box} class="chart-box">
        {width > 0 && layers.length > 0 && (
          <svg
            width={width}
            height={height}
            viewBox={`0 0 ${width} ${height}`}
            role="img"
            aria-label={`Histograms of the weights: ${text.join("; ")}.`}
          >
            {layers.map(({ layer, weights }, i) => {
              const foot = each * (i + 1) - 4
              const { area, line } = hillPath(weights, x, foot, each - 14)
              const tone = `var(--${tones[i]})`
              return (
                <g key={layer}>
                  <path class="axis" d={`M2 ${foot}H${width - 2}`} style={{ stroke: tone }} />
                  <path class="hill" d={area} style={{ fill: tone }} />
                  <path class="ln" d={line} style={{ stroke: tone, strokeWidth: "1.6px" }} />
                  <text x="0" y={foot - each + 20} class="t-12 b halo" style={{ fill: tone }}>
                    {names[i]}
                  </text>
                </g>
              )
            })}
            {[-reach, 0, reach].map((at, i) => (
              <text
                key={at}
                x={x(at)}
                y={height - 4}
                text-anchor={(["start", "middle", "end"] as const)[i]!}
                class="t-12 t-3"
              >
                {String(at).replace("-", "−")}
              </text>
            ))}
          </svg>
        )}
      </div>
      {layers.length === 0 && <p class="dim small">They will be here after the first epoch.</p>}
    </section>
  )
}
