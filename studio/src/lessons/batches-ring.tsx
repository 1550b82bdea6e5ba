// The ring of six stations: where a round stands, and the way back to the next round and to the next epoch.

import type { JSX } from "preact"
import { count } from "../ui/format.ts"

/** The stations of a round in their order; the first comes once in an epoch. */
export const stations = ["shuffle", "batch", "forward", "cost", "backward", "update"] as const

/** A station. */
export type Station = (typeof stations)[number]

const R = 98
const DISC = 33

const placeOf = (i: number): readonly [number, number] => {
  const angle = ((i * 60 - 90) * Math.PI) / 180
  return [R * Math.cos(angle), R * Math.sin(angle)]
}

/** An arc of the ring from one station to the next, between their discs. */
function arc(i: number): string {
  const gap = (2 * Math.asin((DISC + 4) / 2 / R) * 180) / Math.PI
  const at = (degrees: number): string => {
    const a = ((degrees - 90) * Math.PI) / 180
    return `${(R * Math.cos(a)).toFixed(1)} ${(R * Math.sin(a)).toFixed(1)}`
  }
  return `M${at(i * 60 + gap)}A${R} ${R} 0 0 1 ${at(i * 60 + 60 - gap)}`
}

/** The ring. */
export function Ring(props: {
  readonly station: Station
  readonly round: number
  readonly rounds: number
  readonly epoch: number
  readonly choose: (station: Station) => void
}): JSX.Element {
  const { station, round, rounds, epoch, choose } = props
  const now = stations.indexOf(station)
  const [x, y] = placeOf(now)
  return (
    <svg class="bt-ring" viewBox="-136 -136 272 272" role="group" aria-label="The stations of a round">
      <defs>
        <marker id="bt-head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path d="M1 1L6.500 4L1 7" class="bt-head" />
        </marker>
      </defs>
      {stations.map((name, i) => (
        <path key={name} d={arc(i)} class={i === 5 ? "axis dots" : "axis"} marker-end="url(#bt-head)" />
      ))}
      <path
        d={`M${placeOf(5)[0] + DISC + 4} ${placeOf(5)[1]}H${placeOf(1)[0] - DISC - 6}`}
        class="axis"
        marker-end="url(#bt-head)"
      />
      <text x="0" y={placeOf(5)[1] + 15} text-anchor="middle" class="t-12 t-3">
        next round
      </text>
      <text x="0" y="-14" text-anchor="middle" class="t-3">
        epoch {epoch}, round
      </text>
      <text x="0" y="20" text-anchor="middle" class="bt-round">
        {count(round)}
      </text>
      <text x="0" y="42" text-anchor="middle" class="t-3">
        of {count(rounds)}
      </text>
      {stations.map((name, i) => {
        const [cx, cy] = placeOf(i)
        return (
          <g
            key={name}
            class="bt-station"
            role="button"
            tabindex={0}
            aria-pressed={i === now}
            aria-label={`Station ${i + 1}: ${name}`}
            onClick={() => choose(name)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" && event.key !== " ") return
              event.preventDefault()
              choose(name)
            }}
          >
            <circle cx={cx} cy={cy} r={DISC} class="bt-disc" />
          </g>
        )
      })}
      <circle r={DISC} class="bt-now" style={{ transform: `translate(${x}px, ${y}px)` }} />
      {stations.map((name, i) => {
        const [cx, cy] = placeOf(i)
        return (
          <text key={name} x={cx} y={cy + 4.5} text-anchor="middle" class={`bt-word ${i === now ? "b t-ink" : ""}`}>
            {name}
          </text>
        )
      })}
    </svg>
  )
}
