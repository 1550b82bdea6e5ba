// Which trials are ended early: by their place among those that have come as far. Pure functions; nothing is stopped here.

import { checkKeys, configError, show } from "../core/errors.ts"
import { better, type Direction, type Trial } from "./study.ts"

/** Says whether a trial, which has just reported, shall end. `trials` are the others. */
export type Pruner = (trials: readonly Trial[], trial: Trial, direction: Direction) => boolean

/** How trials are halved. */
export interface HalvingOptions {
  /** The step of the first rung: what every trial may use (default 1). */
  readonly least?: number
  /** η: one of so many goes on, and the next rung is so many times as far (default 3). */
  readonly factor?: number
}

/**
 * Asynchronous successive halving: rungs stand at the steps r ηᵏ. A trial that comes to a rung goes on if its value is among the best
 * ⌊n / η⌋ (at least one) of the n that have come to it so far, itself included; nobody waits for others. A trial's value at a rung is
 * the best it has reported up to there. Source: Li and others, "A system for massively parallel hyperparameter tuning", MLSys 2020
 * (as a rule for stopping).
 * @throws E_CONFIG unless `least` is at least 1 and `factor` at least 2, both whole.
 * @example
 * ```ts
 * import { successiveHalving, tune, uniform } from "trilobite/tune"
 * const study = await tune(
 *   ({ x }, run) => {
 *     for (let step = 1; step <= 9; step++) if (run.report(step, x + 1 / step)) break
 *     return x
 *   },
 *   { x: uniform(0, 1) },
 *   { pruner: successiveHalving(), trials: 20, sampler: "random" },
 * )
 * study.trials.some(({ state }) => state === "pruned") // => true
 * ```
 */
export function successiveHalving(options: HalvingOptions = {}): Pruner {
  checkKeys("successiveHalving", options, ["least", "factor"])
  const { least = 1, factor = 3 } = options
  checkWhole("successiveHalving, least", least, 1)
  checkWhole("successiveHalving, factor", factor, 2)
  return (trials, trial, direction) => halved(trials, trial, direction, least, factor)
}

/** How brackets of halving are laid. */
export interface HyperbandOptions extends HalvingOptions {
  /** The step at which a trial is complete (default 81). */
  readonly most?: number
}

/**
 * Hyperband: ⌊log_η (most / least)⌋ + 1 brackets, of which bracket s lets its trials use `least` ηˢ steps before it halves them the first
 * time: a hedge against trials that are good only late. Bracket s gets trials in proportion to ⌈(S + 1) η^(S − s) / (S − s + 1)⌉, by their
 * numbers, and compares its own alone. Source: Li and others, "Hyperband", JMLR 18 (2018); the asynchronous form is that of MLSys 2020.
 * @throws E_CONFIG for numbers that are not whole, `factor` below 2, and `most` below `least`.
 * @example
 * ```ts
 * import { hyperband } from "trilobite/tune"
 * typeof hyperband({ least: 1, most: 27 }) // => "function"
 * ```
 */
export function hyperband(options: HyperbandOptions = {}): Pruner {
  checkKeys("hyperband", options, ["least", "factor", "most"])
  const { least = 1, factor = 3, most = 81 } = options
  checkWhole("hyperband, least", least, 1)
  checkWhole("hyperband, factor", factor, 2)
  checkWhole("hyperband, most", most, least)
  const firsts: number[] = []
  for (let first = least; first <= most; first *= factor) firsts.push(first)
  const shares = firsts.map((_, s) => Math.ceil((firsts.length * (firsts.at(-1)! / firsts[s]!)) / (firsts.length - s)))
  const all = shares.reduce((a, b) => a + b, 0)
  // A trial's place in the round is spread over it by a step that has no divisor in common with its length.
  const bracketOf = (number: number): number => {
    let at = (number * coprime(all)) % all
    return shares.findIndex((share) => (at -= share) < 0)
  }
  return (trials, trial, direction) => {
    const bracket = bracketOf(trial.number)
    const own = trials.filter(({ number }) => bracketOf(number) === bracket)
    return halved(own, trial, direction, firsts[bracket]!, factor)
  }
}

function halved(trials: readonly Trial[], trial: Trial, direction: Direction, least: number, factor: number): boolean {
  const step = trial.reports.at(-1)?.step
  if (step === undefined) return false
  let rung = least
  while (rung < step) rung *= factor
  if (rung !== step) return false
  const own = valueAt(trial, rung, direction)!
  const others = trials.flatMap((other) => {
    const value = other.number === trial.number ? undefined : valueAt(other, rung, direction)
    return value === undefined ? [] : [value]
  })
  const places = Math.max(1, Math.floor((others.length + 1) / factor))
  return others.filter((value) => better(direction, value, own)).length >= places
}

/** The best value up to a rung; undefined if the trial has not come so far. */
function valueAt({ reports }: Trial, rung: number, direction: Direction): number | undefined {
  if ((reports.at(-1)?.step ?? -1) < rung) return undefined
  const until = reports.filter(({ step }) => step <= rung)
  return until.reduce<number | undefined>(
    (a, { value }) => (a === undefined || better(direction, value, a) ? value : a),
    undefined,
  )
}

/** The whole number nearest above the golden section of n that has no divisor in common with it. */
function coprime(n: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))
  let k = Math.max(1, Math.round(n * 0.618))
  while (divisor(k, n) !== 1) k++
  return k
}

function checkWhole(where: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  const expected = `a whole number, at least ${least}`
  throw configError({ where, what: "this value is not possible.", expected, got: show(value) })
}
