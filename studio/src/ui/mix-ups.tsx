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

/** The matrix. */
export function MixUps(props: {
  readonly confusion: Confusion | undefined
  readonly epoch?: number | undefined
  readonly last?: number | undefined
}): JSX.Element {
  const { confusion, epoch, last } = props
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
  const pitch = 16
  const side = 19 + pitch * cells
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
        role="img"
        aria-label={`${count(total)} errors. The most frequent mix-up is ${worst.label} read as ${worst.said}, ${worst.n} times.`}
        onPointerLeave={() => setOver(undefined)}
      >
        {confusion.map((row, label) => (
          <g key={label}>
            <text x="10" y={30 + pitch * label} text-anchor="middle" class="t-12 t-3">
              {label}
            </text>
            <text x={26 + pitch * label} y="11" text-anchor="middle" class="t-12 t-3">
              {label}
            </text>
            {row.map((n, said) => {
              const share = said === label || worst.n === 0 ? 0 : n / worst.n
              const [cx, cy] = [19 + pitch * said, 19 + pitch * label]
              return (
                <g
                  key={said}
                  onPointerEnter={() =>
                    setOver(said === label ? `${label}: ${count(n)} right` : `${label} read as ${said}: ${n}`)
                  }
                >
                  <rect
                    x={cx}
                    y={cy}
                    width="14"
                    height="14"
                    rx="2"
                    class={said === label ? "right" : "wrong"}
                    style={said === label ? {} : { opacity: share }}
                  />
                  {worst.n < 100 && share > 0 && n > many && (
                    <text x={cx + 7} y={cy + 11} text-anchor="middle" class={`cell${share > 0.62 ? " on-dark" : ""}`}>
                      {n}
                    </text>
                  )}
                </g>
              )
            })}
          </g>
        ))}
      </svg>
      <p class="small dim">{over ?? `${count(total)} errors, most: ${worst.label} as ${worst.said}`}</p>
    </section>
  )
}
