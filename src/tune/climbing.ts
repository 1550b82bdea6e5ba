// The chapter's rules of thumb as a search: one knob after the other, up and down a ladder of values. Pure functions of the trials.

import { checkKeys, configError, show } from "../core/errors.ts"
import { type Sampler, tpe } from "./samplers.ts"
import { allows, type KnobValue } from "./space.ts"
import type { Direction, Trial } from "./study.ts"

/** The values of one knob that are tried, in their order. */
export interface Ladder {
  readonly knob: string
  readonly values: readonly KnobValue[]
  readonly start: KnobValue
  /** Whether a lower rung wins unless a higher one is better by more than the noise: Occam's razor, for sizes of nets (default false). */
  readonly lowerWins?: boolean
}

/** What was decided of a knob, and by what. */
export interface Decision {
  readonly knob: string
  readonly value: KnobValue
  /** One sentence. */
  readonly text: string
  /** The rungs that were compared, in their order. */
  readonly evidence: readonly { readonly value: KnobValue; readonly cost: number; readonly pruned: boolean }[]
}

/** Where a climb stands. */
export interface Climb {
  /** The values that the decisions so far name, and the start for the other knobs. */
  readonly at: { readonly [knob: string]: KnobValue }
  /** What is to be tried next; undefined: everything is decided, or is being tried. */
  readonly next: { readonly [knob: string]: KnobValue } | undefined
  readonly decisions: readonly Decision[]
}

/** What counts as noise where there are no several seeds: this share of the value. */
const NOISE = 0.01

/**
 * Where a climb stands after some trials. For each ladder in turn the rung it stands on is compared with both neighbours, and it goes
 * to the better one while that is better by more than the noise (the greater of 1 % and √(s₁² + s₂²), s the standard errors over
 * seeds); with `lowerWins` it goes down unless that is worse by as much. A trial that was pruned has the value at which it was. What is
 * still being tried counts as no better for the time being: so other processors try what comes next if that is true.
 */
export function climb(ladders: readonly Ladder[], trials: readonly Trial[], direction: Direction): Climb {
  const at: { [knob: string]: KnobValue } = Object.fromEntries(ladders.map(({ knob, start }) => [knob, start]))
  const decisions: Decision[] = []
  let certain = true
  for (const { knob, values, lowerWins = false } of ladders) {
    const seen = new Map<number, Found>()
    let rung = values.indexOf(at[knob]!)
    let moved = true
    while (moved) {
      moved = false
      for (const near of [rung, rung + 1, rung - 1]) {
        if (near < 0 || near >= values.length || seen.has(near)) continue
        const wanted = { ...at, [knob]: values[near]! }
        const found = resultOf(wanted, trials, direction)
        if (found === undefined) return { at, next: wanted, decisions }
        if (found === "running") certain = false
        else seen.set(near, found)
      }
      const own = seen.get(rung)
      const [up, down] = [seen.get(rung + 1), seen.get(rung - 1)]
      const gain = (other: Found | undefined): number =>
        other === undefined || own === undefined ? Number.NEGATIVE_INFINITY : own.cost - other.cost
      if (gain(up) > noiseOf(own, up) && gain(up) >= gain(down)) rung++
      else if (gain(down) > noiseOf(own, down) * (lowerWins && !(down?.pruned ?? false) ? -1 : 1)) rung--
      else continue
      // A rung that it stood on before was left for a better one: so this ends.
      moved = true
    }
    at[knob] = values[rung]!
    if (certain) decisions.push(decisionOf(knob, values, rung, seen, direction, lowerWins))
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

interface Found {
  /** Less is better, whatever the direction. */
  readonly cost: number
  readonly error: number
  readonly pruned: boolean
}

/** What is known of some values; undefined: nothing. Of several trials the one that says most. */
function resultOf(
  wanted: { readonly [knob: string]: KnobValue },
  trials: readonly Trial[],
  direction: Direction,
): Found | "running" | undefined {
  const sign = direction === "minimize" ? 1 : -1
  const same = trials.filter(({ values }) => Object.entries(wanted).every(([knob, value]) => values[knob] === value))
  const done = same.find(({ state }) => state === "complete") ?? same.find(({ state }) => state === "pruned")
  if (done !== undefined) {
    const error = typeof done.notes.standardError === "number" ? done.notes.standardError : 0
    const last = done.value ?? done.reports.at(-1)?.value
    const cost = last === undefined ? Number.POSITIVE_INFINITY : sign * last
    return { cost, error, pruned: done.state === "pruned" }
  }
  if (same.some(({ state, notes }) => state === "failed" && notes.diverged === true)) {
    return { cost: Number.POSITIVE_INFINITY, error: 0, pruned: true }
  }
  return same.some(({ state }) => state === "running") ? "running" : undefined
}

function noiseOf(a: Found | undefined, b: Found | undefined): number {
  if (a === undefined || b === undefined || !Number.isFinite(a.cost)) return 0
  return Math.max(NOISE * Math.abs(a.cost), Math.sqrt(a.error * a.error + b.error * b.error))
}

function decisionOf(
  knob: string,
  values: readonly KnobValue[],
  rung: number,
  seen: ReadonlyMap<number, Found>,
  direction: Direction,
  lowerWins: boolean,
): Decision {
  const sign = direction === "minimize" ? 1 : -1
  const rungs = [...seen.keys()].sort((a, b) => a - b)
  const evidence = rungs.map((i) => ({
    value: values[i]!,
    cost: sign * seen.get(i)!.cost,
    pruned: seen.get(i)!.pruned,
  }))
  const told = evidence.map(({ value, cost, pruned }) => {
    const number = Number.isFinite(cost) ? String(Number(cost.toPrecision(3))) : "diverged"
    return `${value}: ${number}${pruned && Number.isFinite(cost) ? " (ended early)" : ""}`
  })
  const rule = lowerWins
    ? "the smallest that none beats by more than the noise"
    : "no neighbour is better by more than the noise"
  return { knob, value: values[rung]!, text: `${knob} ${values[rung]}: ${rule} (${told.join(", ")}).`, evidence }
}
