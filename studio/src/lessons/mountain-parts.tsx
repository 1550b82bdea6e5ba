// Parts of lesson 2, part 2: a ground as a little map, the cost after each step, and the formula with its numbers.

import type { ReadonlySignal } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import { LiveNumber, type Option } from "../ui/controls.tsx"
import { cost, plain, rate, slope as slopeText } from "../ui/format.ts"
import { Formula } from "../ui/lesson.tsx"
import { etaTerm, maths } from "../ui/maths.tsx"
import type { Point } from "../ui/relief.ts"
import { gridOf, rings } from "../ui/rings.ts"
import { type Ground, type GroundName, grounds } from "./mountain-grounds.ts"

const SIZE = 29

/** A ground as a map of eight contours; what is not known yet is a dashed frame that fills. */
export function GroundPicture({
  ground,
  share = 0,
}: {
  readonly ground: Ground | undefined
  readonly share?: number
}): JSX.Element {
  const paths = useMemo(() => {
    if (ground === undefined) return []
    const grid = gridOf(ground.at, ground.reach, SIZE)
    const sorted = [...grid.values].sort((a, b) => a - b)
    // Levels by rank: steep walls would take all of them.
    return [0.02, 0.08, 0.18, 0.32, 0.48, 0.66, 0.84].map((rank) => {
      const lines = rings(grid, sorted[Math.floor(rank * (sorted.length - 1))]!)
      return lines.map(inside).join("")
    })
  }, [ground])
  if (ground === undefined) {
    return (
      <svg viewBox="0 0 56 30" aria-hidden="true">
        <rect x="6" y="1" width="44" height="28" rx="3" class="axis dots" />
        <path d={`M6 29h${(44 * share).toFixed(1)}`} class="ln thin" />
      </svg>
    )
  }
  return (
    <svg viewBox="0 0 56 30" aria-hidden="true">
      {paths.map((d, i) => (
        <path key={i} d={d} class={i === 0 ? "mini first" : "mini"} />
      ))}
    </svg>
  )
}

/** A ring without its pieces along the edge of the map. */
function inside(ring: Float32Array): string {
  const [sx, sy] = [52 / (SIZE - 1), 28 / (SIZE - 1)]
  const edge = (i: number): boolean =>
    ring[i]! <= 0 || ring[i + 1]! <= 0 || ring[i]! >= SIZE - 1 || ring[i + 1]! >= SIZE - 1
  let text = ""
  const last = ring.length
  for (let i = 0; i <= last; i += 2) {
    const [now, before] = [i % last, (i - 2 + last) % last]
    const joined = i > 0 && !(edge(now) && edge(before))
    text += `${joined ? "L" : "M"}${(2 + ring[now]! * sx).toFixed(1)} ${(29 - ring[now + 1]! * sy).toFixed(1)}`
  }
  return text
}

/** The cost after each step, as dots. */
export function CostDots({ costs }: { readonly costs: readonly number[] }): JSX.Element {
  const shown = costs.slice(-60)
  const finite = shown.filter(Number.isFinite)
  const [low, high] = [Math.min(...finite), Math.max(...finite)]
  const width = Math.max(23, shown.length)
  const x = (i: number): number => 4 + (i * 182) / width
  const y = (value: number): number => (high === low ? 24 : 44 - (34 * (value - low)) / (high - low))
  const last = shown.length - 1
  const [lx, ly] = [x(last), y(shown[last]!)]
  return (
    <svg
      class="cost-dots"
      viewBox="0 0 250 78"
      role="img"
      aria-label={`Cost after ${costs.length - 1} steps: ${cost(costs.at(-1)!)}`}
    >
      <text x="2" y="10" class="t-12 t-3">
        cost after each step
      </text>
      <g transform="translate(0 14)">
        {shown.map((value, i) =>
          Number.isFinite(value) && i < last ? (
            <circle key={i} cx={x(i)} cy={y(value)} r="2.6" class="ember-dot" opacity=".55" />
          ) : null,
        )}
        <circle cx={lx} cy={ly} r="4.2" class="ember-dot" />
        <text x={lx + 9} y={ly + 4} class="t-ember b halo">
          {cost(shown[last]!)}
        </text>
        <path d="M2 50H246" class="grid" />
        <text x="2" y="63" class="t-12 t-3">
          {costs.length - shown.length}
        </text>
        <text x="246" y="63" text-anchor="end" class="t-12 t-3">
          {costs.length - shown.length + width} steps
        </text>
      </g>
    </svg>
  )
}

/** The grounds to choose from; the real network's is drawn as soon as it is known. */
export function choices(
  slice: ReadonlySignal<Ground | undefined>,
  share: ReadonlySignal<number>,
): readonly Option<GroundName>[] {
  const made = (["bowl", "ravine", "valleys", "saddle"] as const).map((value) => ({
    value,
    label: grounds[value].label,
    picture: () => <GroundPicture ground={grounds[value]} />,
  }))
  return [
    ...made,
    {
      value: "net" as const,
      label: "Real net",
      picture: () => <GroundPicture ground={slice.value} share={share.value} />,
    },
  ]
}

/** A slope with its sign. */
const signedSlope = (value: number): string => `${value < 0 ? "" : "+"}${slopeText(value)}`

/** The formula of both steps, with the numbers of the next one. */
export function Steps(props: {
  readonly ground: ReadonlySignal<Ground>
  readonly at: Point
  readonly eta: number
  readonly next: Point
}): JSX.Element {
  const { ground, at, eta, next } = props
  const slope = ground.value.slope(at[0], at[1])
  const row = (i: 0 | 1): JSX.Element => (
    <>
      <LiveNumber value={at[i]} format={plain} /> − <em class="ember">{rate(eta)}</em> ×{" "}
      <LiveNumber class="ember" value={slope[i]} format={signedSlope} /> = <LiveNumber value={next[i]} format={plain} />
    </>
  )
  return (
    <Formula
      label="each parameter becomes itself minus eta times its own slope"
      rows={[
        ["", maths`p₁ ← p₁ − ${etaTerm} · ∂C/∂p₁`],
        ["now", row(0)],
        ["", maths`p₂ ← p₂ − ${etaTerm} · ∂C/∂p₂`],
        ["now", row(1)],
      ]}
    />
  )
}
