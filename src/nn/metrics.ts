// Metrics: the table of all of them, reading them, and what of a batch is traced. Knows no training; the formulas are in
// metrics/.

import { configError, show } from "../core/errors.ts"
import { mean, sum } from "../graph/compose.ts"
import type { Node } from "../graph/node.ts"
import { mul, reshape } from "../graph/ops.ts"
import { checkFunction, isCustom, type LossFunction, traceFunction } from "./losses/custom.ts"
import { type Given, type KnownLoss, lossAliases, losses } from "./losses.ts"
import { type MeanMetric, type MeanRule, meanMetrics } from "./metrics/accuracy.ts"
import { type ConfusionMetric, confusionMetrics } from "./metrics/confusion.ts"
import { type CurveMetric, curveMetrics } from "./metrics/curves.ts"
import { type PointMetric, pointMetrics } from "./metrics/points.ts"
import { type RegressionMetric, regressionMetrics } from "./metrics/regression.ts"
import { type Result, ratio, type SumsRule, type SumsTable, stack } from "./metrics/rule.ts"
import { canonical, type Spelling } from "./names.ts"
import { readSpec } from "./spec.ts"

/** A metric of ours as plain data: a type with all its options. Every loss can be watched as a metric. */
export type KnownMetric = MeanMetric | ConfusionMetric | CurveMetric | PointMetric | RegressionMetric | KnownLoss

/** A metric of the user's own, the mean of what the function gives per example. Only its name can be written to a file. */
export interface CustomMetric {
  readonly type: "custom"
  readonly name: string
  readonly fn: LossFunction
}

/** A metric: plain data, but for the function of the user's own ones. */
export type MetricSpec = KnownMetric | CustomMetric

/** The name of a metric. */
export type MetricName = KnownMetric["type"]

/** Short names of metrics. */
export const metricAliases: { readonly [A in keyof typeof lossAliases]: (typeof lossAliases)[A] } & {
  readonly acc: "accuracy"
  readonly fbetaScore: "fBetaScore"
} = { ...lossAliases, acc: "accuracy", fbetaScore: "fBetaScore" }

/** What a user may give as a metric: a name, an object as the functions of that name give it, or a function of their own. */
export type MetricLike =
  | Spelling<MetricName>
  | keyof typeof metricAliases
  | Given<KnownMetric>
  | CustomMetric
  | LossFunction

/** A metric and its name in the history: as the user wrote it, in camelCase. */
export interface Metric {
  readonly name: string
  readonly spec: MetricSpec
}

type Rule<C> = MeanRule<C> | SumsRule<C>
/** A row whatever its options are. */
type AnyRule = Pick<MeanRule<never>, "trace"> | Pick<SumsRule<never>, "sums" | "result">

/** The table of metrics. */
export const metrics: { readonly [T in MetricName]: Rule<Omit<Extract<KnownMetric, { type: T }>, "type">> } = {
  ...losses,
  ...meanMetrics,
  ...(confusionMetrics satisfies SumsTable<ConfusionMetric>),
  ...(curveMetrics satisfies SumsTable<CurveMetric>),
  ...(pointMetrics satisfies SumsTable<PointMetric>),
  ...(regressionMetrics satisfies SumsTable<RegressionMetric>),
}

/**
 * The metric that a name, an object or a function stands for, complete, with its name in the history.
 * Throws E_CONFIG for unknown names, options and values.
 */
export function readMetric(value: unknown): Metric {
  if (typeof value === "function") return own(value.name || "metric", value as LossFunction)
  if (isCustom(value)) return own((value as CustomMetric).name, value.fn)
  const spec = readSpec<KnownMetric>("metrics", "metric", metrics, value, metricAliases)
  return { name: typeof value === "string" ? canonical(value) : spec.type, spec }
}

const own = (name: string, fn: LossFunction): Metric => ({ name, spec: customMetric(name, fn) })

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

/** The metric of each example, `[batch]`, traced; what is reported is its mean over the rows. Only of metrics that are means. */
export function traceMetric(metric: MetricSpec, yTrue: Node, yPred: Node): Node {
  if (metric.type === "custom") return traceFunction("metrics", metric.fn, yTrue, yPred)
  const { type, ...config } = metric
  const rule: AnyRule = metrics[type]
  if ("trace" in rule) return rule.trace(config as never, yTrue, yPred)
  throw configError({ where: "metrics", what: `${type} is no mean over examples: it needs the sums of all rows.` })
}

/** What of a batch is logged for a metric: its mean over the rows, or sums that are added over the batches. */
export interface Measured {
  /** Shape [] of a mean, `[size]` of sums. */
  readonly value: Node
  readonly kind: "mean" | "sums"
  readonly size: number
}

/** What is logged for a metric. With weights (one for each row) a mean is Σ w·m / Σ w, from the two sums. */
export function traceMeasure(metric: MetricSpec, yTrue: Node, yPred: Node, weights?: Node): Measured {
  if (metric.type !== "custom") {
    const { type, ...config } = metric
    const rule: AnyRule = metrics[type]
    if ("sums" in rule) {
      const value = rule.sums(config as never, yTrue, yPred, weights)
      return { value, kind: "sums", size: value.shape[0]! }
    }
  }
  const each = traceMetric(metric, yTrue, yPred)
  if (weights === undefined) return { value: mean(each), kind: "mean", size: 1 }
  const value = stack([mul(each, weights), weights].map((x) => reshape(sum(x), [1])))
  return { value, kind: "sums", size: 2 }
}

/** The result of the sums of all batches, computed in float64; of a weighted mean too. */
export function resultOf(metric: MetricSpec, sums: Float64Array): Result {
  if (metric.type !== "custom") {
    const { type, ...config } = metric
    const rule: AnyRule = metrics[type]
    if ("sums" in rule) return rule.result(config as never, sums)
  }
  return ratio(sums[0]!, sums[1]!)
}

/**
 * A metric of your own: a function of graph values made with the operations of `ops`, that gives one number per example, or more
 * whose mean counts; what is reported is the mean over the rows. A function may also be given as the metric itself.
 * Throws E_CONFIG for a name that is empty and for what is no function. Keras: a function as metric.
 * @example
 * ```ts
 * import { customMetric, ops } from "trilobite"
 * customMetric("bias", (yTrue, yPred) => ops.sub(yPred, yTrue)).name // => "bias"
 * ```
 */
export function customMetric(name: string, fn: LossFunction): CustomMetric {
  checkFunction("customMetric", name, fn)
  return { type: "custom", name, fn }
}
