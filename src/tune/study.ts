// What is known of a search: trials as plain data, in the order in which they began, and which of them is the best. Runs nothing.

import type { KnobValue } from "./space.ts"

/** How a trial stands: in Optuna's words, and with its numbers (the place in this list). */
export const states = ["running", "complete", "pruned", "failed", "waiting"] as const

/** How a trial stands. */
export type TrialState = (typeof states)[number]

/** One configuration that was tried. */
export interface Trial {
  /** From 0, in the order in which trials began. */
  readonly number: number
  readonly state: TrialState
  readonly values: { readonly [knob: string]: KnobValue }
  /** What the objective said: the mean, if it was asked with several seeds. */
  readonly value: number | undefined
  /** What was reported on the way, step after step. */
  readonly reports: readonly { readonly step: number; readonly value: number }[]
  /** What else is noted of it: `standardError`, `seeds`, and what the objective added. */
  readonly notes: { readonly [name: string]: unknown }
}

/** Whether less or more is better. */
export type Direction = "minimize" | "maximize"

/** True if a is better than b. */
export function better(direction: Direction, a: number, b: number): boolean {
  return direction === "minimize" ? a < b : a > b
}

/** The best of the trials that were completed, the first of equals; undefined if there is none. */
export function bestOf(trials: readonly Trial[], direction: Direction): Trial | undefined {
  let best: Trial | undefined
  for (const trial of trials) {
    if (trial.state !== "complete" || trial.value === undefined) continue
    if (best === undefined || better(direction, trial.value, best.value!)) best = trial
  }
  return best
}

/** The standard error of a mean: √(Σ (x − x̄)² / (n (n − 1))); undefined for fewer than two values. */
export function standardError(values: readonly number[]): number | undefined {
  const n = values.length
  if (n < 2) return undefined
  const mean = meanOf(values)
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (n * (n - 1)))
}

/** The mean of some numbers. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length
}
