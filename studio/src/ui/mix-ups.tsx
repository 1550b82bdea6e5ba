// Which classes are taken for which: errors only, since the right answers would drown them.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import "./chart.css"
import { count } from "./format.ts"

/** How many rows of a true class (first) were said to be of a class (second). */
type Confusion = readonly (readonly number[])[]

/** The most frequent mix-up. */
export function worstOf(confusion: Confusion): {
  readonly label: number
  readonly said: number
  readonly n: number
} {
  let worst = { label: 0, said: 0, n: 0 }
  confusion.forEach((row, label) => {
    row.forEach((n, said) => {
      if (said !== label && n > worst.n) worst = { label, said, n }
    })
  })
  return worst
}

/** How many errors, and the most frequent mix-up, if there is one. */
export function errorsText(
  errors: number,
  { label, said, n }: ReturnType<typeof worstOf>,
  nameOf: (k: number) => string,
): string {
  const all = errors === 1 ? "1 error" : `${count(errors)} errors`
  return n === 0 ? all : `${all}, most: ${nameOf(label)} as ${nameOf(said)}`
}

/** The matrix. */
export function MixUps(props: {
  readonly confusion: Confusion | undefined
  /** What the classes are called; by default their numbers. */
  readonly classes?: readonly string[] | undefined
  readonly epoch?: number | undefined
  readonly last?: number | undefined
}): JSX.Element {
  const { confusion, classes, epoch, last } = props
  const nameOf = (k: number): string => classes?.[k] ?? String(k)
  const [over, setOver] = useState<string>()
  if (confusion === undefined) {
    return (
      <section class="panel">
        <h2>Mix-ups</h2>
        <p class="dim small">They will be here after the first epoch.</p>
      </section>
    )
  }
  const worst = worstOf(confusion)
  const total = confusion.reduce(
    (sum, row, label) => sum + row.reduce((n, m, said) => (said === label ? n : n + m), 0),
    0,
  )
  const cells = confusion.length
  // Few classes with long names have the beginnings of these at the edge, many have numbers.
  const long = classes?.some((name) => name.length > 2) === true
  const begins = long && cells <= 8
  const mark = (k: number): string => (!long ? nameOf(k) : begins ? nameOf(k).slice(0, 3) : String(k + 1))
  const [pitch, edge] = begins ? [26, 30] : [16, 19]
  const side = edge + pitch * cells
  // Numbers stand where there is much to say: the dozen greatest.
  const many = confusion.flatMap((row, label) => row.filter((_, said) => said !== label)).sort((a, b) => b - a)[12] ?? 0
  return (
    <section class="panel">
      <h2>
        Mix-ups
        <span>{epoch !== last && epoch !== undefined ? `epoch ${epoch}` : "true ↓ said →"}</span>
      </h2>
      <svg
        class="mixups"
        viewBox={`0 0 ${side} ${side}`}
        style={{ maxWidth: `${Math.min(220, Math.round(1.2 * side))}px` }}
        role="img"
        aria-label={errorsText(total, worst, nameOf)}
        onPointerLeave={() => setOver(undefined)}
      >
        {confusion.map((row, label) => (
          <g key={label}>
            <text x={edge / 2} y={edge + pitch * (label + 0.5) + 3} text-anchor="middle" class="t-12 t-3">
              {mark(label)}
            </text>
            <text x={edge + pitch * (label + 0.5) - 1} y={edge - 8} text-anchor="middle" class="t-12 t-3">
              {mark(label)}
            </text>
            {row.map((n, said) => {
              const share = said === label || worst.n === 0 ? 0 : n / worst.n
              const [cx, cy] = [edge + pitch * said, edge + pitch * label]
              return (
                <g
                  key={said}
                  onPointerEnter={() =>
                    setOver(
                      said === label
                        ? `${nameOf(label)}: ${count(n)} right`
                        : `${nameOf(label)} read as ${nameOf(said)}: ${n}`,
                    )
                  }
                >
                  <rect
                    x={cx}
                    y={cy}
                    width={pitch - 2}
                    height={pitch - 2}
                    rx="2"
                    class={said === label ? "right" : "wrong"}
                    style={said === label ? {} : { opacity: share }}
                  />
                  {worst.n < 100 && share > 0 && n > many && (
                    <text
                      x={cx + pitch / 2 - 1}
                      y={cy + pitch / 2 + 3}
                      text-anchor="middle"
                      class={`cell${share > 0.62 ? " on-dark" : ""}`}
                    >
                      {n}
                    </text>
                  )}
                </g>
              )
            })}
          </g>
        ))}
      </svg>
      <p class="small dim">{over ?? errorsText(total, worst, nameOf)}</p>
    </section>
  )
}
