// What lesson 7 knows of its knobs, and the summing up of finished runs. No drawing.

import type { Knob, SweepEvent } from "../engine/jobs/sweep.ts"
import { cost, rate } from "../ui/format.ts"

/** A knob: its range, how its values are spread, its rule of thumb. */
export interface KnobSpec {
  readonly label: string
  readonly symbol?: string
  /** The whole range, and what is swept at first. */
  readonly least: number
  readonly most: number
  readonly from: number
  readonly to: number
  readonly spread: "log" | "powers" | "whole"
  readonly format: (value: number) => string
  /** How a value is named in a sentence. */
  readonly named: (value: number) => string
  readonly rule: string
}

const plural = (value: number, one: string, many: string): string => `${value} ${value === 1 ? one : many}`

/** The four knobs. */
export const knobs: { readonly [K in Knob]: KnobSpec } = {
  eta: {
    label: "Learning rate",
    symbol: "η",
    least: 0.0001,
    most: 100,
    from: 0.001,
    to: 10,
    spread: "log",
    format: rate,
    named: (v) => `a learning rate of ${rate(v)}`,
    rule: "Start at 0.01 or 0.001. If it learns, but slowly: ten times as much. If the cost jumps about: back off. If it cannot learn at all: a tenth, until the cost falls steadily.",
  },
  batch: {
    label: "Batch size",
    least: 1,
    most: 128,
    from: 1,
    to: 128,
    spread: "powers",
    format: String,
    named: (v) => `a batch size of ${v}`,
    rule: "Start at 32. Too much for the memory: halve it. Slow, with memory to spare: double it, but not beyond 128. A batch of 1 is online learning.",
  },
  depth: {
    label: "Hidden layers",
    least: 0,
    most: 12,
    from: 0,
    to: 8,
    spread: "whole",
    format: String,
    named: (v) => plural(v, "hidden layer", "hidden layers"),
    rule: "Start with two to four. Take one away if the validation cost does not rise: the simpler net is the better one. Add one as long as the validation cost falls.",
  },
  width: {
    label: "Neurons per layer",
    least: 1,
    most: 512,
    from: 1,
    to: 256,
    spread: "powers",
    format: String,
    named: (v) => plural(v, "neuron per layer", "neurons per layer"),
    rule: "Go by powers of two. Double the number if the net becomes appreciably better; halve it if it does not suffer.",
  },
}

/** The nearest value that the knob can have. */
export function snapped(knob: Knob, value: number): number {
  const { spread, least, most } = knobs[knob]
  const limited = Math.min(most, Math.max(least, value))
  if (spread === "log") return Number(limited.toPrecision(2))
  return spread === "whole" ? Math.round(limited) : 2 ** Math.round(Math.log2(limited))
}

/** So many values of a knob between two ends, evenly spread, each once. */
export function valuesOf(knob: Knob, from: number, to: number, n: number): number[] {
  const [low, high] = from <= to ? [from, to] : [to, from]
  const at = (share: number): number =>
    knobs[knob].spread === "whole" ? low + share * (high - low) : low * (high / low) ** share
  // Two values to a power of ten are rounder with one digit: 0.01, 0.03, 0.1.
  const wide = knobs[knob].spread === "log" && n - 1 <= 2.5 * Math.log10(high / low)
  const round = (value: number): number => (wide ? Number(value.toPrecision(1)) : snapped(knob, value))
  const inner = Array.from({ length: n }, (_, i) =>
    i === 0 ? snapped(knob, low) : i === n - 1 ? snapped(knob, high) : round(at(i / (n - 1))),
  )
  return [...new Set(inner)]
}

/** What the runs of one value say: their results, over the seeds. */
export interface Summary {
  readonly value: number
  readonly runs: readonly SweepEvent[]
  readonly mean: number
  /** The standard deviation over the seeds. */
  readonly deviation: number
}

/** How many epochs at the end of a run make its result: one epoch alone trembles. */
export const LAST = 10

/** The result of a run: its mean validation cost over the last epochs; what is not a number is infinite. */
export function endOf(run: SweepEvent): number {
  const last = run.valid.slice(-LAST)
  const mean = last.reduce((a, b) => a + b, 0) / last.length
  return Number.isFinite(mean) ? mean : Number.POSITIVE_INFINITY
}

/** The runs by value, from the least value on. */
export function summed(runs: readonly SweepEvent[]): Summary[] {
  const values = [...new Set(runs.map(({ value }) => value))].sort((a, b) => a - b)
  return values.map((value) => {
    const own = runs.filter((run) => run.value === value)
    const ends = own.map(endOf)
    const mean = ends.reduce((a, b) => a + b, 0) / ends.length
    const deviation = Math.sqrt(ends.reduce((sum, end) => sum + (end - mean) ** 2, 0) / ends.length)
    return { value, runs: own, mean, deviation: Number.isNaN(deviation) ? 0 : deviation }
  })
}

/** Where the mean cost is lowest. */
export function sweetSpot(all: readonly Summary[]): number {
  return all.reduce((best, { mean }, i) => (mean < all[best]!.mean ? i : best), 0)
}

/** The result in a sentence. */
export function resultText(knob: Knob, all: readonly Summary[]): string {
  const { named } = knobs[knob]
  if (all.length < 3) return "Three values at least make a valley."
  const i = sweetSpot(all)
  const best = all[i]!
  const around = [all[i - 1], all[i + 1]].filter((s): s is Summary => s !== undefined)
  const text = `The sweet spot is ${named(best.value)}: ${cost(best.mean)}`
  if (around.length === 1)
    return `${text}, the neighbour ${cost(around[0]!.mean)}. It is the end of the range: the valley may go on beyond it.`
  return `${text}, the neighbours ${around.map(({ mean }) => cost(mean)).join(" and ")}.`
}
