// The learning rate range test: some rounds of training with a rate that grows from one to the next, on a copy of the model. Knows
// models and their files, no search.

import { type Decision, decideByRange, type RangeEvidence } from "./coach/procedures.ts"
import { configError, show } from "./core/errors.ts"
import { log64 } from "./core/math64.ts"
import type { DataLike } from "./data/dataset.ts"
import { type LoadModelOptions, modelFromBytes } from "./model.ts"
import {
  finiteNumber,
  maybe,
  type OptionsOf,
  optional,
  positiveInteger,
  readOptions,
  that,
  wholeNumber,
} from "./nn/options.ts"
import type { Callback } from "./train/callbacks/callback.ts"
import type { Model } from "./train/model.ts"
import { plotSvg } from "./train/plot.ts"
import { exp64 } from "./tune/normal.ts"

/** The options of a range test. */
export interface RangeTestOptions {
  /** The first rate and the last one (default 1e-6 and 10). */
  readonly from?: number
  readonly to?: number
  /** Rounds, each with a rate that is the same number of times that of the one before (default 85: twelve for a power of ten). */
  readonly steps?: number
  /** Examples in a round (default 32). */
  readonly batchSize?: number
  /** What the order of the rows depends on (default 0). */
  readonly seed?: number
  /** Layers, losses, metrics and activations of your own, by the names under which the model would be saved with them. */
  readonly customObjects?: LoadModelOptions["customObjects"]
  /** Threads that share the work (default: one for each core, fewer for small networks). */
  readonly threads?: number
}

/** What a range test has come to. */
export interface RangeTest {
  /** The rates that were tried, the cost of the round with each of them, and the running mean of the costs, which is judged. */
  readonly rates: readonly number[]
  readonly costs: readonly number[]
  readonly smooth: readonly number[]
  /** The rate to begin with, a power of ten; undefined if the cost fell at none of them. */
  readonly suggestion: number | undefined
  /** The same with its reason and its evidence. */
  readonly decision: Decision<RangeEvidence>
}

type Resolved = Required<Omit<RangeTestOptions, "customObjects" | "threads">> &
  Pick<LoadModelOptions, "customObjects" | "threads">

const isObject = (value: unknown): value is NonNullable<LoadModelOptions["customObjects"]> =>
  typeof value === "object" && value !== null

const options: OptionsOf<Resolved> = {
  from: optional(finiteNumber({ above: 0 }), 1e-6),
  to: optional(finiteNumber({ above: 0 }), 10),
  steps: optional(positiveInteger(), 85),
  batchSize: optional(positiveInteger(), 32),
  seed: optional(wholeNumber(), 0),
  customObjects: maybe(that("layers and functions by their names", isObject)),
  threads: maybe(positiveInteger()),
}

/** What a cost counts in the running mean, and how many times the least of it the cost may become. */
const NEW = 0.2
const BLOWN = 4

/**
 * Trains for some rounds with a learning rate that grows from round to round, and stops when the running mean of the cost is four times
 * its least, or no number: below the rate at which it was least lie those that learn. It is done on a copy: the model keeps every bit of
 * its weights, of its optimizer and of its history. Source: Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3.
 * @throws E_CONFIG for a model that is not compiled or has a schedule of rates, for one that cannot be saved, and for wrong options;
 * E_DATA for data that do not fit.
 * @example
 * ```ts
 * import { dense, sequential } from "trilobite"
 * import { learningRateRangeTest } from "trilobite/tune"
 * const model = sequential([dense({ units: 1, inputShape: [1] })], { seed: 1 })
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const x = Array.from({ length: 64 }, (_, i) => [i / 32 - 1])
 * const { suggestion, rates } = await learningRateRangeTest(model, x, x.map(([a]) => [3 * a! + 1]))
 * suggestion // => 0.1
 * rates.length < 85 // => true
 * ```
 */
export async function learningRateRangeTest(
  model: Model,
  x: DataLike,
  y: DataLike,
  given: RangeTestOptions = {},
): Promise<RangeTest> {
  const { from, to, steps, batchSize, seed, ...rest } = readOptions<Resolved>("learningRateRangeTest", options, given)
  if (!(to > from) || steps < 2) {
    const what = "a range test needs rates that grow."
    const expected = "from below to, in at least 2 steps"
    throw configError({ where: "learningRateRangeTest", what, expected, got: show({ from, to, steps }) })
  }
  const known = Object.entries(rest).filter(([, value]) => value !== undefined)
  const copy = await modelFromBytes(await model.toBytes(), "learningRateRangeTest", Object.fromEntries(known))
  const factor = exp64(log64(to / from) / (steps - 1))
  const rates: number[] = []
  const costs: number[] = []
  const smooth: number[] = []
  let [rate, mean, weight] = [from, 0, 0]
  let [least, blewUp] = [Number.POSITIVE_INFINITY, false]
  const test: Callback = {
    onBatchBegin: (_, __, training) => {
      training.learningRate = rate
    },
    onBatchEnd: (_, { loss }, training) => {
      mean += NEW * (loss! - mean)
      weight += NEW * (1 - weight)
      const now = mean / weight
      rates.push(rate)
      costs.push(loss!)
      smooth.push(now)
      least = Math.min(least, now)
      blewUp = now - least > (BLOWN - 1) * Math.abs(least)
      rate *= factor
      if (blewUp || rates.length === steps) training.stop()
    },
    onDiverged: (_, training) => {
      blewUp = true
      training.stop()
    },
  }
  await copy.fit(x, y, { epochs: steps, batchSize, seed, verbose: 0, callbacks: [test] })
  if (rates.length === 0) {
    const what = `the loss of the first round is not finite, at a learning rate of ${from}.`
    throw configError({ where: "learningRateRangeTest", what, hint: "Look at the data: examine, or trilobite doctor." })
  }
  const decision = decideByRange(rates, smooth, blewUp)
  return { rates, costs, smooth, suggestion: (decision.value as number | null) ?? undefined, decision }
}

/**
 * The picture of a range test as SVG text: the cost against the learning rate, the suggested one marked.
 * @example
 * ```ts
 * import { decideByRange, rangeTestSvg } from "trilobite/tune"
 * const [rates, costs] = [[0.001, 0.01, 0.1, 1], [2.3, 2.1, 0.9, 8]]
 * const decision = decideByRange(rates, costs, true)
 * const svg = rangeTestSvg({ rates, costs, smooth: costs, suggestion: 0.01, decision })
 * svg.includes("suggested: 0.01") // => true
 * ```
 */
export function rangeTestSvg({ rates, costs, smooth, suggestion }: RangeTest): string {
  const apart = (i: number): number => Math.abs(log64(rates[i]! / suggestion!))
  const near = suggestion === undefined ? -1 : rates.reduce((a, _, i) => (apart(i) < apart(a) ? i : a), 0)
  // Beyond what guessing costs it only goes up: cut off there, so that the fall before it can be seen.
  const ceiling = 1.5 * Math.max(...smooth.slice(0, 1 + smooth.indexOf(Math.min(...smooth))))
  const cut = (list: readonly number[]): number[] => list.map((cost) => Math.min(cost, ceiling))
  return plotSvg({
    title: "Learning rate range test",
    xLabel: "learning rate",
    yLabel: "training cost of a round",
    logX: true,
    series: [
      { name: "running mean", x: rates, y: cut(smooth) },
      { name: "cost", x: rates, y: cut(costs), faint: true },
    ],
    ...(near === -1
      ? {}
      : { mark: { x: suggestion!, y: Math.min(smooth[near]!, ceiling), text: `suggested: ${suggestion}` } }),
  })
}
