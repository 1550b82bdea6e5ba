// What the net of lesson 6 gets wrong: the surest mistakes as images, and which digits it takes for which.

import { signal } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import type { Mistakes } from "../engine/mistakes.ts"
import { percent } from "../ui/format.ts"
import { Digit } from "./intermediate-digit.tsx"

const FEW = 12

/** The surest mistakes; one that is chosen goes to the pad. */
export function Gallery(props: {
  readonly mistakes: Mistakes | undefined
  readonly pick: (index: number) => void
}): JSX.Element {
  const { mistakes, pick } = props
  const all = useMemo(() => signal(false), [])
  const shown = mistakes?.surest.slice(0, all.value ? undefined : FEW) ?? []
  return (
    <section class="part">
      <header>
        <h2>Surest mistakes</h2>
        {mistakes !== undefined && mistakes.surest.length > FEW && (
          <button type="button" class="link" aria-pressed={all.value} onClick={() => (all.value = !all.value)}>
            {all.value ? "fewer" : `${mistakes.surest.length} of them`}
          </button>
        )}
      </header>
      {mistakes === undefined ? (
        <p class="dim small">After the first epoch: the unseen images that it reads wrongly, the surest first.</p>
      ) : (
        <p class="dim small">
          {mistakes.wrong} of {mistakes.of.toLocaleString("en-GB")} unseen images are read wrongly after epoch{" "}
          {mistakes.epoch}.
        </p>
      )}
      <ul class="gallery">
        {shown.map(({ index, label, said, sure, pixels }) => (
          <li key={index}>
            <button
              type="button"
              aria-label={`Test image ${index}: ${label}, said ${said} with ${percent(sure, 1)}. Show it on the pad`}
              onClick={() => pick(index)}
            >
              <Digit pixels={pixels} />
              <span>
                {label}, said <b>{said}</b>
              </span>
              <span class="dim">{percent(sure, 1)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

const CELL = 22

/** Which digits are taken for which; the right answers are left out. */
export function MixUps({ mistakes }: { readonly mistakes: Mistakes | undefined }): JSX.Element {
  const counts = mistakes?.mixUps ?? []
  const most = Math.max(1, ...counts.flat())
  const worst = worstOf(counts)
  const side = 24 + 10 * CELL
  return (
    <section class="part">
      <header>
        <h2>Mix-ups</h2>
        <span class="dim small">true ↓ said →</span>
      </header>
      <svg
        class="plate mixups"
        viewBox={`0 0 ${side} ${side}`}
        role="img"
        aria-label={worst === undefined ? "No mistakes are known yet" : `Most often, ${worst}`}
      >
        {Array.from({ length: 10 }, (_, k) => (
          <g key={k}>
            <text x={24 + (k + 0.5) * CELL} y="14" text-anchor="middle" class="t-12 t-3">
              {k}
            </text>
            <text x="12" y={24 + (k + 0.5) * CELL + 4} text-anchor="middle" class="t-12 t-3">
              {k}
            </text>
          </g>
        ))}
        {Array.from({ length: 100 }, (_, i) => {
          const [row, column] = [Math.floor(i / 10), i % 10]
          const n = counts[row]?.[column] ?? 0
          if (row === column) return null
          const [x, y] = [24 + column * CELL, 24 + row * CELL]
          return (
            <g key={i}>
              <rect
                x={x + 1.5}
                y={y + 1.5}
                width={CELL - 3}
                height={CELL - 3}
                rx="3"
                class="mix"
                fill-opacity={n === 0 ? 0.04 : 0.1 + 0.75 * (n / most)}
              />
              {n > 0 && n >= most / 3 && (
                <text
                  x={x + CELL / 2}
                  y={y + CELL / 2 + 4}
                  text-anchor="middle"
                  class={n / most > 0.5 ? "b count dark" : "b count"}
                >
                  {n}
                </text>
              )}
            </g>
          )
        })}
      </svg>
      {worst !== undefined && <p class="dim small">Most often, {worst}.</p>}
    </section>
  )
}

function worstOf(counts: readonly (readonly number[])[]): string | undefined {
  const all = counts.flatMap((row, label) => row.map((n, said) => ({ n, label, said })))
  const worst = all.reduce((a, b) => (b.n > a.n ? b : a), { n: 0, label: 0, said: 0 })
  if (worst.n === 0) return undefined
  return `a ${worst.label} is taken for a ${worst.said}: ${worst.n} ${worst.n === 1 ? "time" : "times"}`
}
