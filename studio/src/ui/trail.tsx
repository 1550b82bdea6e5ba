// The course map: a descent with seven stops, and the trilobite at the one that is read.

import type { JSX } from "preact"
import { lessons } from "../lessons/list.ts"
import { Trilobite } from "./trilobite.tsx"
import { go } from "./url.ts"

const [LEFT, RIGHT] = [8, 412]

/** The height of the trail at a place. */
function height(x: number): number {
  const t = (x - LEFT) / (RIGHT - LEFT)
  return 25 + 60 * t + 9 * Math.sin(5.6 * t) - 5 * Math.sin(11 * t + 0.6) * t
}

function pathTo(end: number): string {
  const points: string[] = []
  for (let x = LEFT; x <= end; x += 4) points.push(`${x} ${height(x).toFixed(1)}`)
  return `M${points.join("L")}`
}

const stopAt = (i: number): number => 29 + (i * 362) / 6

/** The trail, with the stop that is read and those before it walked. */
export function Trail({ current }: { readonly current: number }): JSX.Element {
  const x = stopAt(current)
  const slope = (height(x + 4) - height(x - 4)) / 8
  return (
    <svg class="trail" viewBox="0 -8 420 118" role="group" aria-label={`The course: lesson ${current + 1} of 7`}>
      <path d={pathTo(RIGHT)} class="ln trail-ln" />
      <path d={pathTo(x)} class="ember-ln" />
      {lessons.map(({ stop, parts }, i) => {
        const [cx, cy] = [stopAt(i), height(stopAt(i))]
        const labelled = i === current || i === 0 || i === 6
        const to = `/lessons/${parts[0]!.name}`
        return (
          <a
            key={stop}
            href={to}
            aria-label={`Lesson ${i + 1}: ${stop}`}
            onClick={(event) => {
              event.preventDefault()
              go(to)
            }}
          >
            <circle cx={cx} cy={cy} r={14} fill="transparent" />
            <circle cx={cx} cy={cy} r={4} class={i < current ? "ember-dot" : "dot stop"} />
            {labelled && (
              <text
                x={i === 0 ? Math.max(cx, 24) : cx}
                y={cy + 22}
                text-anchor="middle"
                class={i === current ? "t-12 t-ember b" : "t-12 t-3"}
              >
                {stop}
              </text>
            )}
          </a>
        )
      })}
      <Trilobite x={x} y={height(x)} angle={(Math.atan(slope) * 180) / Math.PI} size={38} />
    </svg>
  )
}
