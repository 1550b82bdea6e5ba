// Metrics: plain data, and the traced function that gives one number per example. Knows no training.

import { configError, show } from "../core/errors.ts"
import { formatShape } from "../core/shape.ts"
import { argmax } from "../graph/compose.ts"
import type { Node } from "../graph/node.ts"
import { equal, less, reshape } from "../graph/ops.ts"
import { alignTo, fits, type LossTable, perExample } from "./losses/rule.ts"
import { type KnownLoss, lossAliases, losses } from "./losses.ts"
import { canonical, type Spelling } from "./names.ts"
import { finiteNumber, type OptionsOf, optional, readOptions } from "./options.ts"
import { readSpec } from "./spec.ts"

/** The options of {@link binaryAccuracy}. */
export interface BinaryAccuracyOptions {
  /** Outputs above it mean 1 (default 0.5). */
  readonly threshold?: number
}

type Own =
  | { readonly type: "accuracy" }
  | ({ readonly type: "binaryAccuracy" } & Required<BinaryAccuracyOptions>)
  | { readonly type: "categoricalAccuracy" }
  | { readonly type: "sparseCategoricalAccuracy" }

/** A metric as plain data: a type with all its options. Every loss can be watched as a metric. */
export type MetricSpec = Own | KnownLoss

/** The name of a metric. */
export type MetricName = MetricSpec["type"]

/** Short names of metrics. */
export const metricAliases = { ...lossAliases, acc: "accuracy" } as const

/** What a user may give as a metric: a name or an object as the functions of that name give it. */
export type MetricLike = Spelling<MetricName> | keyof typeof metricAliases | MetricSpec

/** A metric and its name in the history: as the user wrote it, in camelCase. */
export interface Metric {
  readonly name: string
  readonly spec: MetricSpec
}

interface MetricRule<C> {
  readonly options: OptionsOf<C>
  readonly trace: (config: C, yTrue: Node, yPred: Node) => Node
}

/** The metrics that are not losses. */
const own: { readonly [T in Own["type"]]: MetricRule<Omit<Extract<Own, { type: T }>, "type">> } = {
  // Keras's rule: which accuracy is meant follows from the last sizes of output and targets.
  accuracy: {
    options: {},
    trace: (_, yTrue, yPred) => {
      if (yPred.shape.length < 2 || yPred.shape[yPred.shape.length - 1] === 1) {
        return own.binaryAccuracy.trace({ threshold: 0.5 }, yTrue, yPred)
      }
      const sparse = yTrue.shape.length < yPred.shape.length || yTrue.shape[yTrue.shape.length - 1] === 1
      return own[sparse ? "sparseCategoricalAccuracy" : "categoricalAccuracy"].trace({}, yTrue, yPred)
    },
  },
  binaryAccuracy: {
    options: { threshold: optional(finiteNumber(), 0.5) },
    trace: ({ threshold }, yTrue, yPred) => perExample(equal(alignTo(yPred, yTrue), less(threshold, yPred))),
  },
  categoricalAccuracy: {
    options: {},
    trace: (_, yTrue, yPred) => {
      const hint = "For labels use sparseCategoricalAccuracy or accuracy."
      checkShape("categoricalAccuracy", fits(yTrue.shape, yPred.shape), yTrue, yPred, hint)
      return perExample(equal(argmax(reshape(yTrue, yPred.shape)), argmax(yPred)))
    },
  },
  sparseCategoricalAccuracy: {
    options: {},
    trace: (_, yTrue, yPred) => {
      const shape = yPred.shape.slice(0, -1)
      const hint = "For one-hot targets use categoricalAccuracy or accuracy."
      checkShape("sparseCategoricalAccuracy", fits(yTrue.shape, shape), yTrue, yPred, hint)
      return perExample(equal(reshape(yTrue, shape), argmax(yPred)))
    },
  },
}

function checkShape(where: string, ok: boolean, yTrue: Node, yPred: Node, hint: string): void {
  if (ok) return
  const what = `targets ${formatShape(yTrue.shape)} cannot be compared with the output ${formatShape(yPred.shape)}.`
  throw configError({ where, what, hint })
}

/** The table of metrics. */
export const metrics: { readonly [T in MetricName]: MetricRule<Omit<Extract<MetricSpec, { type: T }>, "type">> } = {
  ...own,
  ...losses,
} satisfies LossTable<KnownLoss>

/**
 * The metric that a name or an object stands for, complete, with its name in the history.
 * Throws E_CONFIG for unknown names, options and values.
 */
export function readMetric(value: unknown): Metric {
  const spec = readSpec<MetricSpec>("metrics", "metric", metrics, value, metricAliases)
  return { name: typeof value === "string" ? canonical(value) : spec.type, spec }
}

/** The metrics of a list. Throws E_CONFIG also if it is no list or two have the same name. */
export function readMetrics(values: readonly unknown[]): Metric[] {
  if (!Array.isArray(values)) {
    throw configError({
      where: "metrics",
      what: "these are no metrics.",
      expected: "a list of them",
      got: show(values),
    })
  }
  const read = values.map((value) => readMetric(value))
  read.forEach(({ name }, i) => {
    if (read.findIndex((other) => other.name === name) === i) return
    throw configError({ where: `metrics[${i}]`, what: `the metric ${name} is in the list twice.` })
  })
  return read
}

/** The name in the history of what is measured on validation data: `accuracy` becomes `valAccuracy`. */
export function validationName(name: string): string {
  return `val${name.charAt(0).toUpperCase()}${name.slice(1)}`
}

/** The metric of each example, `[batch]`, traced; what is reported is its mean over the rows. */
export function traceMetric(metric: MetricSpec, yTrue: Node, yPred: Node): Node {
  const { type, ...config } = metric
  const { trace }: { trace: (config: never, yTrue: Node, yPred: Node) => Node } = metrics[type]
  return trace(config as never, yTrue, yPred)
}

/**
 * The share of right answers: binary, sparse or categorical accuracy, as the shapes of output and targets say.
 * @example
 * ```ts
 * import { accuracy } from "trilobite"
 * accuracy() // => { type: "accuracy" }
 * ```
 */
export const accuracy = (): MetricSpec => ({ type: "accuracy" })

/**
 * The share of outputs on the right side of the threshold. Throws E_CONFIG for a wrong option. Keras: BinaryAccuracy.
 * @example
 * ```ts
 * import { binaryAccuracy } from "trilobite"
 * binaryAccuracy() // => { type: "binaryAccuracy", threshold: 0.5 }
 * ```
 */
export const binaryAccuracy = (options: BinaryAccuracyOptions = {}): MetricSpec => ({
  type: "binaryAccuracy",
  ...readOptions<Required<BinaryAccuracyOptions>>("binaryAccuracy", own.binaryAccuracy.options, options),
})

/**
 * The share of examples whose largest output is at the largest target. Keras: CategoricalAccuracy.
 * @example
 * ```ts
 * import { categoricalAccuracy } from "trilobite"
 * categoricalAccuracy() // => { type: "categoricalAccuracy" }
 * ```
 */
export const categoricalAccuracy = (): MetricSpec => ({ type: "categoricalAccuracy" })

/**
 * The share of examples whose largest output is at the index that is the target. Keras: SparseCategoricalAccuracy.
 * @example
 * ```ts
 * import { sparseCategoricalAccuracy } from "trilobite"
 * sparseCategoricalAccuracy() // => { type: "sparseCategoricalAccuracy" }
 * ```
 */
export const sparseCategoricalAccuracy = (): MetricSpec => ({ type: "sparseCategoricalAccuracy" })
