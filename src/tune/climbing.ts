// The chapter's rules of thumb as a search: one knob after the other, up and down a ladder of values. Pure functions of the trials; the
// rules themselves stand in coach/procedures.ts.

import { type Decision, type Ladder, type Rung, type Seen, type Setting, standOn } from "../coach/procedures.ts"
import { checkKeys, configError, show } from "../core/errors.ts"
import { type Sampler, tpe } from "./samplers.ts"
import { allows, type KnobValue } from "./space.ts"
import type { Direction, Trial } from "./study.ts"

/** Where a climb stands. */
export interface Climb {
  /** The values that the decisions so far name, and the start for the other knobs. */
  readonly at: { readonly [knob: string]: KnobValue }
  /** What is to be tried next; undefined: everything is decided, or is being tried. */
  readonly next: { readonly [knob: string]: KnobValue } | undefined
  readonly decisions: readonly Decision<readonly Rung[]>[]
}

/**
 * Where a climb stands after some trials: on one ladder after the other, by its rule, with the other knobs where they were decided. A
 * trial that was pruned has the value at which it was.
 */
export function climb(ladders: readonly Ladder[], trials: readonly Trial[], direction: Direction): Climb {
  const at: { [knob: string]: KnobValue } = Object.fromEntries(ladders.map(({ knob, start }) => [knob, start]))
  const decisions: Decision<readonly Rung[]>[] = []
  let certain = true
  for (const ladder of ladders) {
    const { knob } = ladder
    const wanted = (value: Setting): { readonly [knob: string]: KnobValue } => ({ ...at, [knob]: value })
    const standing = standOn(ladder, (value) => resultOf(wanted(value), trials, direction), direction)
    if (standing.next !== undefined) return { at, next: wanted(standing.next), decisions }
    at[knob] = standing.at
    certain &&= standing.decision !== undefined
    if (certain) decisions.push(standing.decision!)
  }
  return { at, next: undefined, decisions }
}

/**
 * The chapter's procedure as a sampler: it climbs the ladders in their order, then leaves the rest of the budget to another sampler.
 * @throws E_CONFIG for ladders without knobs in the space, values that their knobs do not have, or a start that is no rung.
 * @example
 * ```ts
 * import { climbing, logUniform, tune } from "trilobite/tune"
 * const rates = [0.001, 0.01, 0.1, 1]
 * const study = await tune(({ rate }) => 1 + Math.abs(rate - 0.1), { rate: logUniform(1e-3, 1) }, {
 *   sampler: climbing({ ladders: [{ knob: "rate", values: rates, start: 0.01 }] }),
 *   trials: 4,
 * })
 * study.trials.map(({ values }) => values.rate) // => [0.01, 0.1, 0.001, 1]
 * ```
 */
export function climbing(options: { readonly ladders: readonly Ladder[]; readonly after?: Sampler }): Sampler {
  checkKeys("climbing", options, ["ladders", "after"])
  const { ladders, after = tpe() } = options
  return (ask) => {
    for (const { knob, values, start } of ladders) {
      const wrong = ask.space[knob] === undefined ? undefined : values.find((value) => !allows(ask.space[knob]!, value))
      if (ask.space[knob] !== undefined && wrong === undefined && values.includes(start)) continue
      const what = ask.space[knob] === undefined ? "the space has no such knob." : "this ladder does not fit its knob."
      throw configError({
        where: `climbing, ${knob}`,
        what,
        expected: "rungs within the knob's range",
        got: show(wrong ?? start),
      })
    }
    const { next } = climb(ladders, ask.trials, ask.direction)
    if (next === undefined) return after(ask)
    if (Object.keys(ask.space).every((name) => name in next)) return next
    // Knobs without a ladder are drawn once, by the first trial that there is.
    const rest = ask.trials.find(({ values }) => Object.keys(values).length > 0)?.values ?? after(ask)
    return rest === undefined ? undefined : { ...rest, ...next }
  }
}

/** What is known of some values; undefined: nothing. Of several trials the one that says most. */
function resultOf(
  wanted: { readonly [knob: string]: KnobValue },
  trials: readonly Trial[],
  direction: Direction,
): Seen | "running" | undefined {
  const sign = direction === "minimize" ? 1 : -1
  const same = trials.filter(({ values }) => Object.entries(wanted).every(([knob, value]) => values[knob] === value))
  const done = same.find(({ state }) => state === "complete") ?? same.find(({ state }) => state === "pruned")
  if (done !== undefined) {
    const error = typeof done.notes.standardError === "number" ? done.notes.standardError : 0
    const last = done.value ?? done.reports.at(-1)?.value
    const cost = last === undefined ? Number.POSITIVE_INFINITY : sign * last
    return { cost, error, pruned: done.state === "pruned", costs: done.reports.map(({ value }) => sign * value) }
  }
  if (same.some(({ state, notes }) => state === "failed" && notes.diverged === true)) {
    return { cost: Number.POSITIVE_INFINITY, error: 0, pruned: true, costs: [] }
  }
  return same.some(({ state }) => state === "running") ? "running" : undefined
}
