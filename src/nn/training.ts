// What a network is trained with: its optimizer, and for each output its loss and what is measured. Knows no graph.

import { checkKeys, configError, show } from "../core/errors.ts"
import { type Loss, type LossLike, readLoss } from "./losses.ts"
import { type Metric, type MetricLike, readMetrics } from "./metrics.ts"
import type { Network } from "./network.ts"
import { type Optimizer, type OptimizerLike, readOptimizer } from "./optimizers.ts"
import { finiteNumber, readValue } from "./options.ts"

/** What an output is compared with, and what of it is measured. */
export interface OutputTraining {
  /** Absent: the output is not trained, and has no targets. */
  readonly loss: Loss | undefined
  /** What its loss counts in the cost. */
  readonly lossWeight: number
  readonly metrics: readonly Metric[]
  /** Metrics in which examples count by their weights. */
  readonly weightedMetrics: readonly Metric[]
}

/** What a network is trained with; outputs in their order. */
export interface Training {
  readonly optimizer: Optimizer
  readonly outputs: readonly OutputTraining[]
}

/** Something for every output: the same for all, or a list in their order, or a record by their names. */
export type PerOutput<T> = T | readonly (T | null)[] | { readonly [output: string]: T | null }

/** Metrics for every output: the same for all, or a list of lists, or a record of lists. */
export type MetricsPerOutput =
  | readonly MetricLike[]
  | readonly (readonly MetricLike[])[]
  | { readonly [output: string]: readonly MetricLike[] }

/** The options of compile. */
export interface CompileOptions {
  /**
   * What is minimised: a name (`"categoricalCrossentropy"`, `"mse"`) or what a loss function of that name gives. For several
   * outputs also a list in their order, or a record by their names; null for an output that is not trained.
   */
  readonly loss: PerOutput<LossLike>
  /** What the loss of each of several outputs counts in the cost (default 1). */
  readonly lossWeights?: PerOutput<number>
  /** How the weights move (default sgd with its defaults). */
  readonly optimizer?: OptimizerLike
  /** What is measured beside the loss (default nothing). For several outputs also a list of lists, or a record of lists. */
  readonly metrics?: MetricsPerOutput
  /** The same, where examples count by their weights. */
  readonly weightedMetrics?: MetricsPerOutput
}

/**
 * The options of compile, complete. Throws E_CONFIG for unknown options, names and values, a missing loss, and outputs that
 * do not exist.
 */
export function readTraining(network: Pick<Network, "outputs">, given: CompileOptions): Training {
  const known = ["loss", "lossWeights", "optimizer", "metrics", "weightedMetrics"] as const
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw configError({ where: "compile", what: "these are no options.", expected: "an object", got: show(given) })
  }
  checkKeys("compile", given, known)
  const { loss, lossWeights, optimizer = "sgd", metrics, weightedMetrics } = given
  if (loss === undefined || loss === null) {
    const expected = "the name of a loss or a loss"
    throw configError({ where: "compile.loss", what: "this option must be given.", expected })
  }
  const names = network.outputs.map((output) => output.name)
  const isLoss = (value: unknown): boolean => typeof value === "object" && value !== null && "type" in value
  const losses = spread("loss", names, loss, isLoss)
  const weights = spread("lossWeights", names, lossWeights ?? 1, () => false)
  const measured = readMetricLists("metrics", names, metrics)
  const weighted = readMetricLists("weightedMetrics", names, weightedMetrics)
  if (losses.every((one) => one === undefined)) {
    throw configError({
      where: "compile.loss",
      what: "no output has a loss.",
      hint: "Give one to at least one output.",
    })
  }
  const outputs = losses.map((one, i): OutputTraining => {
    const lossWeight = readValue("lossWeights", finiteNumber({ least: 0 }), weights[i] ?? 1)
    const all = readMetrics([...measured[i]!, ...weighted[i]!])
    if (one === undefined && all.length > 0) {
      const what = `the output ${show(names[i])} has metrics, but no loss and so no targets.`
      throw configError({ where: "compile.metrics", what })
    }
    const [plain, byWeight] = [all.slice(0, measured[i]!.length), all.slice(measured[i]!.length)]
    return {
      loss: one === undefined ? undefined : readLoss(one),
      lossWeight,
      metrics: plain,
      weightedMetrics: byWeight,
    }
  })
  return { optimizer: readOptimizer(optimizer), outputs }
}

/** One thing for each output; undefined where null or nothing is given in a list or record. */
function spread(
  where: string,
  names: readonly string[],
  value: unknown,
  single: (value: unknown) => boolean,
): unknown[] {
  const several = typeof value === "object" && value !== null && !single(value)
  if (!several) return names.map(() => value)
  if (Array.isArray(value)) {
    if (value.length === names.length) return value.map((one) => one ?? undefined)
    const expected = `${names.length}, one for each output`
    throw configError({ where: `compile.${where}`, what: "the list does not fit.", expected, got: `${value.length}` })
  }
  checkKeys(`compile.${where}`, value, names)
  const record = new Map(Object.entries(value))
  return names.map((name) => record.get(name) ?? undefined)
}

function readMetricLists(
  where: string,
  names: readonly string[],
  given: MetricsPerOutput | undefined,
): (readonly unknown[])[] {
  if (given === undefined) return names.map(() => [])
  if (Array.isArray(given) && !given.some((one) => Array.isArray(one))) return names.map(() => given)
  if (typeof given !== "object" || given === null) {
    throw configError({
      where: `compile.${where}`,
      what: "these are no metrics.",
      expected: "a list of metrics",
      got: show(given),
    })
  }
  return spread(where, names, given, () => false).map((list) => {
    if (list === undefined) return []
    if (Array.isArray(list)) return list
    throw configError({
      where: `compile.${where}`,
      what: "these are no metrics.",
      expected: "a list of metrics",
      got: show(list),
    })
  })
}
