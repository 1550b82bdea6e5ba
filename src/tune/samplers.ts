// Which configuration is tried next: at random, on a grid, or by what the finished trials say (TPE). Pure functions; nothing is run here.

import { checkKeys, configError, show, unknownName } from "../core/errors.ts"
import { log64 } from "../core/math64.ts"
import type { Draws } from "./draws.ts"
import { normalBelow, normalDensity } from "./normal.ts"
import { allows, type Knob, type KnobValue, lineOf, type Space } from "./space.ts"
import type { Direction, Trial } from "./study.ts"

/** What a sampler is asked. */
export interface Ask {
  readonly space: Space
  /** All trials before this one, in their order. */
  readonly trials: readonly Trial[]
  readonly direction: Direction
  /** The number of this trial. */
  readonly number: number
  /** Random numbers of this trial alone. */
  readonly draws: Draws
}

/** Says what is tried next; undefined: there is nothing left. */
export type Sampler = (ask: Ask) => { readonly [knob: string]: KnobValue } | undefined

/** The samplers by the names that `tune` takes. */
const named: { readonly [N in SamplerName]: () => Sampler } = { random: randomSearch, grid: gridSearch, tpe }

/** The name of a sampler. */
export type SamplerName = "random" | "grid" | "tpe"

/** A sampler by its name. */
export function samplerNamed(where: string, name: string): Sampler {
  const found = Object.entries(named).find(([known]) => known === name)
  if (found === undefined) throw unknownName(where, "sampler", name, Object.keys(named))
  return found[1]()
}

/**
 * Every knob at random, independently: trial k depends on the seed and on k alone. Source: Bergstra and Bengio, "Random search for
 * hyper-parameter optimization", JMLR 13 (2012).
 * @example
 * ```ts
 * import { randomSearch, tune, uniform } from "trilobite/tune"
 * const study = await tune(({ x }) => x * x, { x: uniform(-1, 1) }, { sampler: randomSearch(), trials: 8 })
 * study.trials.length // => 8
 * ```
 */
export function randomSearch(): Sampler {
  return ({ space, draws }) => each(space, (knob) => drawOf(knob, draws))
}

/** How a grid is laid. */
export interface GridOptions {
  /** Points of a range of numbers that are not whole, at equal distances (ratios with `log`), both bounds among them (default 5). */
  readonly points?: number
}

/**
 * Every combination once: choices, whole numbers (as many as `points` of them, evenly spread) and `points` points of other ranges, the
 * last knob changing first.
 * @throws E_CONFIG for `points` below 2.
 * @example
 * ```ts
 * import { choice, gridSearch, tune } from "trilobite/tune"
 * const space = { a: choice([1, 2]), b: choice([10, 20]) }
 * const study = await tune(({ a, b }) => a * b, space, { sampler: gridSearch(), trials: 100 })
 * study.trials.map(({ value }) => value) // => [10, 20, 20, 40]
 * ```
 */
export function gridSearch(options: GridOptions = {}): Sampler {
  checkKeys("gridSearch", options, ["points"])
  const { points = 5 } = options
  if (!Number.isSafeInteger(points) || points < 2) {
    throw configError({
      where: "gridSearch, points",
      what: "no grid has so many.",
      expected: "2 or more",
      got: show(points),
    })
  }
  return ({ space, trials }) => {
    const axes = Object.values(space).map((knob) => levelsOf(knob, points))
    const size = axes.reduce((product, { length }) => product * length, 1)
    const names = Object.keys(space)
    const tried = new Set(trials.filter(({ state }) => state !== "failed").map(({ values }) => keyOf(names, values)))
    for (let cell = 0; cell < size; cell++) {
      let rest = cell
      const values: { [knob: string]: KnobValue } = {}
      for (let i = names.length - 1; i >= 0; i--) {
        values[names[i]!] = axes[i]![rest % axes[i]!.length]!
        rest = Math.floor(rest / axes[i]!.length)
      }
      if (!tried.has(keyOf(names, values))) return values
    }
    return undefined
  }
}

const keyOf = (names: readonly string[], values: { readonly [knob: string]: KnobValue }): string =>
  JSON.stringify(names.map((name) => values[name]))

/** The values of a knob on a grid. */
function levelsOf(knob: Knob, points: number): readonly KnobValue[] {
  if (knob.kind === "choice") return knob.values
  const count = knob.whole ? Math.min(points, (knob.high - knob.low) / knob.step + 1) : points
  const { place, value } = lineOf(knob)
  const [low, high] = [place(knob.low), place(knob.high)]
  const levels = Array.from({ length: count }, (_, i) => value(low + ((high - low) * i) / (count - 1)))
  return [...new Set(levels)]
}

/** How the tree-structured Parzen estimator works. */
export interface TpeOptions {
  /** Trials at random before it begins (default 10). */
  readonly startup?: number
  /** Values that are drawn from the good trials' density, of which the best is taken (default 24). */
  readonly candidates?: number
  /** γ, the share of the trials that count as good (default 0.15), at most 25 of them. */
  readonly gamma?: number
}

/**
 * The tree-structured Parzen estimator: of n finished trials the best ⌈γ n⌉ are good. For each knob l(x) is the density of the good
 * ones' values and g(x) that of the others, mixtures of normal distributions about the values, each as wide as the farther of its two
 * neighbours is away, and one as wide as the range about its middle. Candidates are drawn from l, and the one with the greatest
 * Π l(x) / g(x) over the knobs, to which the expected improvement (γ + (1 − γ) g / l)⁻¹ rises, is tried. Choices have the shares
 * (count + 1/K) / (n + 1). Trials that were pruned stand behind those that were completed, the longest first; failed ones last.
 * Source: Bergstra, Bardenet, Bengio, Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011, section 4.
 * @throws E_CONFIG for options that are no such numbers.
 * @example
 * ```ts
 * import { tpe, tune, uniform } from "trilobite/tune"
 * const square = ({ x }: { readonly x: number }) => (x - 3) * (x - 3)
 * const study = await tune(square, { x: uniform(-10, 10) }, { sampler: tpe(), trials: 40 })
 * study.best!.value! < 0.1 // => true
 * ```
 */
export function tpe(options: TpeOptions = {}): Sampler {
  checkKeys("tpe", options, ["startup", "candidates", "gamma"])
  const { startup = 10, candidates = 24, gamma = 0.15 } = options
  const check = (name: string, value: number, fits: boolean, expected: string): void => {
    if (!fits)
      throw configError({ where: `tpe, ${name}`, what: "this value is not possible.", expected, got: show(value) })
  }
  check("startup", startup, Number.isSafeInteger(startup) && startup >= 1, "a whole number, at least 1")
  check("candidates", candidates, Number.isSafeInteger(candidates) && candidates >= 1, "a whole number, at least 1")
  check("gamma", gamma, gamma > 0 && gamma < 1, "a number between 0 and 1")
  const random = randomSearch()
  return (ask) => {
    const ranked = rankedOf(ask.trials, ask.direction)
    if (ranked.length < startup) return random(ask)
    const count = Math.min(25, Math.ceil(gamma * ranked.length))
    const densities = Object.entries(ask.space).map(([name, knob]) => {
      const of = (trials: readonly Trial[]): KnobValue[] =>
        trials.flatMap(({ values }) => (allows(knob, values[name]) ? [values[name]!] : []))
      return [name, ratioOf(knob, of(ranked.slice(0, count)), of(ranked.slice(count)))] as const
    })
    let best: { readonly [knob: string]: KnobValue } = {}
    let most = Number.NEGATIVE_INFINITY
    for (let i = 0; i < candidates; i++) {
      const values = Object.fromEntries(densities.map(([name, { draw }]) => [name, draw(ask.draws)]))
      const score = densities.reduce((sum, [name, { log }]) => sum + log(values[name]!), 0)
      if (score > most) [best, most] = [values, score]
    }
    return best
  }
}

/** The trials that say something, the best first: completed, pruned by their last step, failed with a reason of the objective's own. */
export function rankedOf(trials: readonly Trial[], direction: Direction): Trial[] {
  const sign = direction === "minimize" ? 1 : -1
  const key = ({ state, value, reports, notes }: Trial): readonly number[] | undefined => {
    if (state === "complete" && value !== undefined) return [0, 0, sign * value]
    const last = reports.at(-1)
    if (state === "pruned" && last !== undefined) return [1, -last.step, sign * last.value]
    return state === "failed" && notes.diverged === true ? [2, 0, 0] : undefined
  }
  return trials
    .flatMap((trial) => {
      const at = key(trial)
      return at === undefined ? [] : [{ trial, at }]
    })
    .sort(
      (a, b) => a.at[0]! - b.at[0]! || a.at[1]! - b.at[1]! || a.at[2]! - b.at[2]! || a.trial.number - b.trial.number,
    )
    .map(({ trial }) => trial)
}

/** A knob's densities: a value drawn from the good trials' one, and ln(l / g) of a value. */
interface Ratio {
  draw(draws: Draws): KnobValue
  log(value: KnobValue): number
}

function ratioOf(knob: Knob, good: readonly KnobValue[], bad: readonly KnobValue[]): Ratio {
  if (knob.kind === "choice") {
    const shares = (seen: readonly KnobValue[]): number[] =>
      knob.values.map(
        (value) => (seen.filter((own) => own === value).length + 1 / knob.values.length) / (seen.length + 1),
      )
    const [l, g] = [shares(good), shares(bad)]
    const log = (value: KnobValue): number => log64(l[knob.values.indexOf(value)]! / g[knob.values.indexOf(value)]!)
    return { draw: (draws) => knob.values[pick(l, draws.uniform())]!, log }
  }
  const line = lineOf(knob)
  const mixture = (seen: readonly KnobValue[]): Mixture =>
    mixtureOf(line.low, line.high, (seen as readonly number[]).map(line.place))
  const [l, g] = [mixture(good), mixture(bad)]
  const draw = (draws: Draws): number => {
    const { mean, width } = l.parts[Math.floor(draws.uniform() * l.parts.length)]!
    // The mean is between the bounds and no part is wider than their distance, so that a third of the draws at least falls between.
    for (;;) {
      const at = mean + width * draws.normal()
      if (at >= line.low && at <= line.high) return line.value(at)
    }
  }
  return {
    draw,
    log: (value) => log64(l.density(line.place(value as number)) / g.density(line.place(value as number))),
  }
}

interface Part {
  readonly mean: number
  readonly width: number
}

/** A mixture of normal distributions between two bounds. */
interface Mixture {
  readonly parts: readonly Part[]
  density(at: number): number
}

/** One about each place, as wide as the farther neighbour is away, and one as wide as the range about the middle. */
function mixtureOf(low: number, high: number, places: readonly number[]): Mixture {
  const range = high - low
  const sorted = [...places].sort((a, b) => a - b)
  const least = range / Math.min(100, places.length + 2)
  const parts: Part[] = sorted.map((mean, i) => {
    const gap = Math.max(mean - (sorted[i - 1] ?? low), (sorted[i + 1] ?? high) - mean)
    return { mean, width: Math.min(range, Math.max(least, gap)) }
  })
  parts.push({ mean: (low + high) / 2, width: range })
  const inside = parts.map(({ mean, width }) => normalBelow((high - mean) / width) - normalBelow((low - mean) / width))
  const density = (at: number): number =>
    parts.reduce((sum, { mean, width }, i) => sum + normalDensity((at - mean) / width) / (width * inside[i]!), 0) /
    parts.length
  return { parts, density }
}

function drawOf(knob: Knob, draws: Draws): KnobValue {
  if (knob.kind === "choice") return knob.values[Math.floor(draws.uniform() * knob.values.length)]!
  const { low, high, value } = lineOf(knob)
  return value(low + draws.uniform() * (high - low))
}

/** The place in a list of shares at which their sum passes a number of [0, 1). */
function pick(shares: readonly number[], at: number): number {
  let sum = 0
  return Math.max(
    0,
    shares.findIndex((share) => at < (sum += share)),
  )
}

function each(space: Space, of: (knob: Knob, name: string) => KnobValue): { [knob: string]: KnobValue } {
  return Object.fromEntries(Object.entries(space).map(([name, knob]) => [name, of(knob, name)]))
}
