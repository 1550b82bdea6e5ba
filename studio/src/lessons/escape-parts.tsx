// Figures of lesson 2, part 3: a ground with its walker, and the dots where many walks end.

import type { ComponentChildren, JSX } from "preact"
import { useMemo } from "preact/hooks"
import { cost, plain, signed } from "../ui/format.ts"
import { axis, curve } from "../ui/plot.ts"
import { useWidth } from "../ui/size.ts"
import { Trilobite } from "../ui/trilobite.tsx"
import { all, escaped, meanCost, meanSlope, piled, RIDGE, ROUNDS, START, type Walk } from "./escape-walks.ts"

const [FROM, TO] = [-4.4, 5.4]
const H = 206
const y = axis(0, 3.8, H - 12, 8)
const mean = (p: number): number => meanCost(all, p)
const FADING = 36

/** One ground with its walker; the ground that this round's batch feels lies over it, faint and dashed. */
export function Pit(props: {
  readonly title: string
  readonly walk: Walk
  readonly round: number
  readonly eta: number
  readonly batch?: readonly number[]
  readonly says: string
}): JSX.Element {
  const { title, walk, round, eta, batch, says } = props
  const [svg, W] = useWidth<SVGSVGElement>()
  const frame = batch ? "pit-mini" : "pit-full"
  const x = axis(FROM, TO, 0, W)
  const line = useMemo(() => curve(mean, FROM, TO, x, y), [W])
  const p = walk.places[round]!
  const shown = Math.min(TO, Math.max(FROM, p))
  const [px, py] = [x(shown), y(mean(shown))]
  const felt = meanSlope(batch ?? all, p)
  const next = p - eta * felt
  const slope = (meanSlope(all, shown) * (y(1) - y(0))) / (x(1) - x(0))
  const size = Math.min(104, Math.max(40, (W < 600 ? 52 : 74) * (eta / 0.3) ** 0.35))
  const trace = walk.places.slice(Math.max(0, round - FADING), round)
  const off = p < FROM || p > TO
  const out = !Number.isFinite(p) || Math.abs(p) > 40
  // Near the upper edge the words stand beside the animal.
  const crowded = py - size * 0.72 < 16
  return (
    <section class="pit">
      <header>
        <h2>{title}</h2>
        <p>
          {round > 0 && <span class="dim">round {round}, </span>}
          {out ? <span class="fault">leapt away</span> : <>cost {cost(mean(p))}</>}
        </p>
      </header>
      <svg ref={svg} class="plate" viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`${title}. ${says}`}>
        <defs>
          <clipPath id={frame}>
            <rect x="0" y="2" width={W} height={H - 2} />
          </clipPath>
        </defs>
        <g clip-path={`url(#${frame})`}>
          <path d={`${line}L${W} ${H}L0 ${H}Z`} class="ground" />
          {[26, 54, 84, 116].map((depth) => (
            <path key={depth} d={line} transform={`translate(0 ${depth})`} class="strata" />
          ))}
          {batch && <path d={curve((q) => meanCost(batch, q), FROM, TO, x, y)} class="ln felt" />}
          <path d={line} class="ln" />
        </g>
        <text x={x(-1.7)} y={y(mean(-1.7)) + 40} text-anchor="middle" class="t-12 t-3">
          dent
        </text>
        <path d={`M${x(RIDGE)} ${y(mean(RIDGE)) + 8}v10`} class="axis" />
        <text x={x(RIDGE)} y={y(mean(RIDGE)) + 32} text-anchor="middle" class="t-12 t-3">
          ridge
        </text>
        {batch && round === 0 && (
          <text x={W - 6} y={H - 14} text-anchor="end" class="t-12 t-3 halo">
            dashed: the ground of this batch
          </text>
        )}
        {trace.map((q, i) =>
          q < FROM || q > TO ? null : (
            <circle
              key={round - i}
              cx={x(q)}
              cy={y(mean(q))}
              r="3.4"
              class="ember-dot"
              opacity={0.12 + (0.5 * (i + 1)) / trace.length}
            />
          ),
        )}
        {!out && (
          <>
            <Trilobite
              x={px}
              y={py}
              size={size}
              angle={(Math.atan(slope) * 180) / Math.PI}
              mood={off ? "dizzy" : escaped(p) && Math.abs(p - 2.1) < 0.5 ? "content" : "walking"}
              facing={felt > 0 ? "left" : "right"}
            />
            <circle
              cx={x(Math.min(TO, Math.max(FROM, next)))}
              cy={y(mean(Math.min(TO, Math.max(FROM, next))))}
              r="5"
              class="dot ember"
            />
            <text
              x={crowded ? px + size * 0.85 : px}
              y={crowded ? Math.max(16, py - size * 0.4) : py - size * 0.72}
              text-anchor={crowded ? "start" : "middle"}
              class="t-ember b halo"
            >
              {Math.abs(eta * felt) < 0.005 ? "no step" : `step ${signed(-eta * felt)}`}
            </text>
          </>
        )}
        {round === 0 && (
          <text x={x(START)} y={y(mean(START)) + 24} text-anchor="end" class="t-12 t-3">
            start
          </text>
        )}
      </svg>
    </section>
  )
}

const DOT = 0.1
const [PLOT, FLOOR] = [104, 78]

/** Where many walks have ended: a dot each, piled up under the ground. */
export function EndsPlot(props: {
  readonly ends: readonly number[]
  readonly says: string | undefined
  readonly children: ComponentChildren
}): JSX.Element {
  const { ends, says, children } = props
  const [svg, W] = useWidth<SVGSVGElement>()
  const x = axis(FROM, TO, 0, W)
  const radius = W < 600 ? 2 : 3.6
  const dots = piled(ends, DOT)
  const most = dots.reduce((highest, [, height]) => Math.max(highest, height), 1)
  const rise = Math.min(2.2 * radius, (FLOOR - 8) / most)
  return (
    <section class="ends">
      <header>
        <h2>Where they end</h2>
        {children}
      </header>
      <svg ref={svg} class="plate" viewBox={`0 0 ${W} ${PLOT}`} role="img" aria-label={says ?? "No walks yet."}>
        <path d={`M0 ${FLOOR + 5}H${W}`} class="axis" />
        <path d={`M${x(RIDGE)} 4V${FLOOR + 5}`} class="axis dots" />
        {(W < 600 ? [-4, -2, 0, 2] : [-4, -2, 0, 2, 4]).map((t) => (
          <text key={t} x={x(t)} y={PLOT - 3} text-anchor="middle" class="t-12 t-3">
            {plain(t, 0)}
          </text>
        ))}
        <text x={W} y={PLOT - 3} text-anchor="end" class="t-12">
          parameter <tspan class="m">p</tspan>
        </text>
        {dots.map(([p, height], i) => (
          <circle
            key={i}
            cx={x(Math.min(TO - 0.05, Math.max(FROM + 0.05, p)))}
            cy={FLOOR - height * rise}
            r={radius}
            class={escaped(ends[i]!) ? "end-dot free" : "end-dot"}
          />
        ))}
        {ends.length === 0 && (
          <text x={W / 2} y={FLOOR / 2 + 8} text-anchor="middle" class="t-3 halo">
            {W < 600
              ? "A dot for each walk will stand here."
              : `One dot for each of 100 walks of ${ROUNDS} rounds will stand here.`}
          </text>
        )}
      </svg>
      <p class="ends-said">{says ?? " "}</p>
      {ends.length > 0 && (
        <details>
          <summary>table</summary>
          <div class="scroll" role="region" aria-label="All numbers" tabindex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">seed</th>
                  <th scope="col">ends at</th>
                  <th scope="col">cost there</th>
                  <th scope="col">escaped</th>
                </tr>
              </thead>
              <tbody>
                {ends.map((end, i) => (
                  <tr key={i}>
                    <td>{i + 1}</td>
                    <td>{plain(end, 3)}</td>
                    <td>{cost(mean(end))}</td>
                    <td>{escaped(end) ? "yes" : "no"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </section>
  )
}
