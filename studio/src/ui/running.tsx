// What trains in this page, said in the bar on every page: the newest epoch and how to pause it.

import { type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { Icon } from "./icons.tsx"
import { linePath } from "./plot.ts"

/** A training of this page. */
export interface Running {
  readonly epoch: number
  readonly costs: readonly number[]
  pause(): void
}

/** The training that goes on, if one does. */
export const running: Signal<Running | undefined> = signal(undefined)

/** The pill of the bar. */
export function RunningPill(): JSX.Element | null {
  const now = running.value
  if (now === undefined) return null
  const last = now.costs.slice(-40)
  const [low, high] = [Math.min(...last), Math.max(...last)]
  const points = last.map((c, i): readonly [number, number] => [
    (i * 44) / Math.max(1, last.length - 1),
    14 - (12 * (c - low)) / (high - low || 1),
  ])
  return (
    <button
      type="button"
      class="pill running-pill"
      onClick={() => now.pause()}
      aria-label={`Epoch ${now.epoch}, pause`}
    >
      <svg viewBox="0 0 44 16" width="44" height="16" aria-hidden="true">
        <path d={linePath(points)} class="ln thin" />
      </svg>
      epoch {now.epoch}
      <Icon name="pause" />
    </button>
  )
}
