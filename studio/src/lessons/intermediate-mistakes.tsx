// What the net of lesson 6 gets wrong: the surest mistakes as images.

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
        {shown.map(({ index, label, said, probability, pixels }) => (
          <li key={index}>
            <button
              type="button"
              aria-label={`Test image ${index}: ${label}, said ${said} with ${percent(probability, 1)}. Show it on the pad`}
              onClick={() => pick(index)}
            >
              <Digit pixels={pixels} />
              <span>
                {label}, said <b>{said}</b>
              </span>
              <span class="dim">{percent(probability, 1)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
