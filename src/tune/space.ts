// What can be searched: knobs with their ranges, as plain data; a value's place on a line; Optuna's words for them. Draws nothing.

import { checkKeys, configError, show } from "../core/errors.ts"
import { log64 } from "../core/math64.ts"
import { exp64 } from "./normal.ts"

/** A value of a knob: what Optuna can hold, too. */
export type KnobValue = number | string | boolean | null

/** A number from low to high; with `log` equal ratios are equally likely; with `whole` only whole numbers, `step` apart. */
export interface RangeKnob {
  readonly kind: "range"
  readonly low: number
  readonly high: number
  readonly log: boolean
  readonly whole: boolean
  /** The distance of whole numbers (1 with `log`); 0 for other numbers. */
  readonly step: number
}

/** One of some values that have no order, or whose order is not used by samplers. */
export interface ChoiceKnob<V extends KnobValue = KnobValue> {
  readonly kind: "choice"
  readonly values: readonly V[]
}

/** What one knob can be. */
export type Knob = RangeKnob | ChoiceKnob

/** The knobs by name. */
export interface Space {
  readonly [name: string]: Knob
}

/** A value for each knob of a space. */
export type Values<S extends Space = Space> = {
  readonly [K in keyof S]: S[K] extends ChoiceKnob<infer V> ? V : number
}

/**
 * A number between two bounds, each equally likely: p(x) = 1 / (high − low).
 * @throws E_CONFIG unless low < high, both finite.
 * @example
 * ```ts
 * import { uniform } from "trilobite/tune"
 * uniform(0, 0.5).high // => 0.5
 * ```
 */
export function uniform(low: number, high: number): RangeKnob {
  checkRange("uniform", low, high)
  return { kind: "range", low, high, log: false, whole: false, step: 0 }
}

/**
 * A positive number whose logarithm is equally likely between those of the bounds: p(x) = 1 / (x ln(high / low)). For learning rates
 * and weights of penalties, where 0.001 is as far from 0.01 as 0.01 is from 0.1.
 * @throws E_CONFIG unless 0 < low < high, both finite.
 * @example
 * ```ts
 * import { logUniform } from "trilobite/tune"
 * logUniform(1e-4, 1).log // => true
 * ```
 */
export function logUniform(low: number, high: number): RangeKnob {
  checkRange("logUniform", low, high)
  if (low <= 0) throw wrongRange("logUniform", "a least value above 0", low)
  return { kind: "range", low, high, log: true, whole: false, step: 0 }
}

/** How whole numbers lie between their bounds. */
export interface WholeOptions {
  /** The distance between two of them (default 1). */
  readonly step?: number
  /** Whether equal ratios are equally likely (default false); for `step` 1. */
  readonly log?: boolean
}

/**
 * A whole number between two bounds, both possible; with `step` only each so-manieth from the lower bound on.
 * @throws E_CONFIG unless low and high are whole and low < high; for unknown options.
 * @example
 * ```ts
 * import { whole } from "trilobite/tune"
 * whole(1, 5).high // => 5
 * whole(10, 35, { step: 10 }).high // => 30
 * ```
 */
export function whole(low: number, high: number, options: WholeOptions = {}): RangeKnob {
  checkKeys("whole", options, ["step", "log"])
  const { step = 1, log = false } = options
  checkRange("whole", low, high)
  for (const bound of [low, high])
    if (!Number.isSafeInteger(bound)) throw wrongRange("whole", "whole numbers as bounds", bound)
  if (!Number.isSafeInteger(step) || step < 1 || step > high - low) {
    throw wrongRange("whole, step", `a whole number from 1 to ${high - low}`, step)
  }
  if (log && (low < 1 || step !== 1))
    throw wrongRange("whole, log", "a least value of at least 1 and step 1", { low, step })
  return { kind: "range", low, high: low + Math.floor((high - low) / step) * step, log, whole: true, step }
}

/**
 * One of some values: numbers, texts, true, false or null.
 * @throws E_CONFIG for no value, a value twice, and values that a study file cannot hold.
 * @example
 * ```ts
 * import { choice } from "trilobite/tune"
 * choice(["relu", "tanh"]).values // => ["relu", "tanh"]
 * ```
 */
export function choice<const V extends KnobValue>(values: readonly V[]): ChoiceKnob<V> {
  if (!Array.isArray(values) || values.length === 0) {
    throw configError({
      where: "choice",
      what: "there is nothing to choose from.",
      expected: "a list",
      got: show(values),
    })
  }
  values.forEach((value, i) => {
    const plain = value === null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value)
    if (plain && values.indexOf(value) === i) return
    const expected = plain ? "each value once" : "a finite number, a text, true, false or null"
    throw configError({ where: `choice, value ${i}`, what: "this cannot be chosen.", expected, got: show(value) })
  })
  return { kind: "choice", values: [...values] }
}

/** Throws E_CONFIG for what is no space. */
export function checkSpace(where: string, space: Space): void {
  const names = Object.keys(space)
  if (names.length === 0) {
    throw configError({
      where,
      what: "the space has no knobs.",
      expected: "at least one, such as { rate: logUniform(1e-4, 1) }",
    })
  }
  for (const name of names) {
    const kind: unknown = (space[name] as Partial<Knob> | undefined)?.kind
    if (kind === "range" || kind === "choice") continue
    const expected = "uniform(...), logUniform(...), whole(...) or choice(...)"
    throw configError({ where: `${where}, ${name}`, what: "this is no knob.", expected, got: show(space[name]) })
  }
}

/** The line on which a range is sampled: its bounds and where a value stands. Whole numbers have half a step of room on both sides. */
export interface Line {
  readonly low: number
  readonly high: number
  readonly place: (value: number) => number
  readonly value: (place: number) => number
}

/** The line of a range: logarithms with `log`. */
export function lineOf({ low, high, log, whole: isWhole, step }: RangeKnob): Line {
  const half = isWhole ? step / 2 : 0
  const place = (value: number): number => (log ? log64(value) : value)
  const value = (at: number): number => {
    const x = log ? exp64(at) : at
    const near = isWhole ? low + Math.round((x - low) / step) * step : x
    return Math.min(high, Math.max(low, near))
  }
  return { low: place(low - half), high: place(high + half), place, value }
}

/** True if a knob can have a value. */
export function allows(knob: Knob, value: unknown): value is KnobValue {
  if (knob.kind === "choice") return knob.values.includes(value as KnobValue)
  const { low, high, whole: isWhole, step } = knob
  if (typeof value !== "number" || !(value >= low && value <= high)) return false
  return !isWhole || Number.isInteger((value - low) / step)
}

/** A knob as the JSON text by which Optuna knows it. */
export function distributionOf(knob: Knob): string {
  if (knob.kind === "choice") {
    return JSON.stringify({ name: "CategoricalDistribution", attributes: { choices: knob.values } })
  }
  const { low, high, log, whole: isWhole, step } = knob
  return JSON.stringify(
    isWhole
      ? { name: "IntDistribution", attributes: { log, step, low, high } }
      : { name: "FloatDistribution", attributes: { step: null, low, high, log } },
  )
}

/** A value as Optuna's journal holds it: a number, of a choice its place. */
export function internalOf(knob: Knob, value: KnobValue): number {
  return knob.kind === "choice" ? knob.values.indexOf(value) : (value as number)
}

/** A value from a journal: of a choice, what stands at its place in the distribution that was written with it. */
export function externalOf(distribution: string, internal: number): KnobValue | undefined {
  const { attributes } = JSON.parse(distribution) as {
    readonly attributes?: { readonly choices?: readonly KnobValue[] }
  }
  return attributes?.choices === undefined ? internal : attributes.choices[internal]
}

function checkRange(where: string, low: number, high: number): void {
  for (const bound of [low, high])
    if (!Number.isFinite(bound)) throw wrongRange(where, "finite numbers as bounds", bound)
  if (low >= high) throw wrongRange(where, "a least value below the greatest", [low, high])
}

function wrongRange(where: string, expected: string, got: unknown): Error {
  return configError({ where, what: "this is no range.", expected, got: show(got) })
}
