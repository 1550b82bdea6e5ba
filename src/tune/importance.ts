// How much each knob has mattered in a search: shares of variance. Reads trials, runs nothing.

import { configError } from "../core/errors.ts"
import { log64 } from "../core/math64.ts"
import type { KnobValue, Space } from "./space.ts"
import { meanOf, type Trial } from "./study.ts"

/** A knob and how much it mattered. */
export interface Importance {
  readonly knob: string
  /** The share of the variance between trials that this knob alone explains: 0 to 1. */
  readonly share: number
  /** The trials that it is computed from. */
  readonly trials: number
}

/** Ranges are divided into so many groups of trials at most, each of at least so many. */
const GROUPS = 4
const LEAST = 3

/**
 * How much of the variance between completed trials each knob explains by itself, the greatest share first: a one-way analysis of
 * variance over the groups of trials with equal values (of ranges: up to four groups of neighbours, equally many in each), as
 * ω² = (SS_between − (k − 1) MS_within) / (SS_total + MS_within), or 0 if that is less. Values are taken as their logarithms if all are
 * positive, so that a few very bad trials do not outweigh the rest. Interactions of knobs belong to none, so that the shares need not
 * have the sum 1. Sources: Hays, "Statistics" (1963) for ω²; Hutter, Hoos, Leyton-Brown, "An efficient approach for assessing
 * hyperparameter importance", ICML 2014 for the use of marginal variance.
 * @throws E_CONFIG for fewer than six completed trials.
 * @example
 * ```ts
 * import { importance, tune, uniform } from "trilobite/tune"
 * const space = { a: uniform(0, 1), b: uniform(0, 1) }
 * const study = await tune(({ a, b }) => 10 * a + b, space, { sampler: "random", trials: 40 })
 * importance(study.trials, space)[0]!.knob // => "a"
 * ```
 */
export function importance(trials: readonly Trial[], space: Space): Importance[] {
  const done = trials.filter(({ state, value }) => state === "complete" && value !== undefined)
  if (done.length < 2 * LEAST) {
    const expected = `at least ${2 * LEAST} completed trials`
    throw configError({
      where: "importance",
      what: "there is too little to judge by.",
      expected,
      got: String(done.length),
    })
  }
  const positive = done.every(({ value }) => value! > 0)
  return Object.entries(space)
    .map(([knob, { kind }]) => {
      const known = done.filter(({ values }) => values[knob] !== undefined)
      const points = known.map(({ values, value }) => ({ at: values[knob]!, y: positive ? log64(value!) : value! }))
      return { knob, share: explained(groupsOf(points, kind === "range")), trials: known.length }
    })
    .sort((a, b) => b.share - a.share)
}

interface Point {
  readonly at: KnobValue
  readonly y: number
}

/** The values by equal knobs; many different ones of a range in groups of neighbours. */
function groupsOf(points: readonly Point[], ordered: boolean): number[][] {
  const equal = new Map<KnobValue, number[]>()
  const sorted = ordered ? [...points].sort((a, b) => (a.at as number) - (b.at as number)) : points
  for (const { at, y } of sorted) equal.set(at, [...(equal.get(at) ?? []), y])
  if (!ordered || equal.size <= GROUPS) return [...equal.values()]
  const groups: number[][] = []
  const most = Math.max(1, Math.min(GROUPS, Math.floor(points.length / LEAST)))
  let taken = 0
  for (const values of equal.values()) {
    const group = Math.min(most - 1, Math.floor((taken * most) / points.length))
    groups[group] = [...(groups[group] ?? []), ...values]
    taken += values.length
  }
  return groups.filter((group) => group !== undefined)
}

function explained(groups: readonly (readonly number[])[]): number {
  const all = groups.flat()
  const [n, k] = [all.length, groups.length]
  if (k < 2 || n <= k) return 0
  const mean = meanOf(all)
  const squares = (values: readonly number[], about: number): number =>
    values.reduce((sum, y) => sum + (y - about) * (y - about), 0)
  const total = squares(all, mean)
  const within = groups.reduce((sum, group) => sum + squares(group, meanOf(group)), 0) / (n - k)
  if (total + within === 0) return 0
  return Math.max(0, (total - (n - k) * within - (k - 1) * within) / (total + within))
}
