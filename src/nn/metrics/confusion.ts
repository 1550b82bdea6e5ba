// Metrics of hits and misses: counts at thresholds, precision, recall, F scores, curves, confusion matrices. Knows no training.

import { configError } from "../../core/errors.ts"
import { largest, sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { vector } from "../losses/focal.ts"
import { make } from "../losses/rule.ts"
import { finiteNumber, type Kind, oneOf, optional, positiveInteger, that } from "../options.ts"
import { each, hitsOf, thresholdSums } from "./hits.ts"
import { hotTargets, overRows, type Plain, ratio, rowsOf, type SumsTable, stack, weighted } from "./rule.ts"

/** The options of the counts. */
export interface ThresholdOptions {
  /** An output above it says yes; a list gives a number for each (default null, 0.5). */
  readonly thresholds?: number | readonly number[] | null
}

/** The options of {@link precision} and {@link recall}. */
export interface PrecisionOptions extends ThresholdOptions {
  /** Only the so many largest outputs of an example say yes (default null, all above the threshold). */
  readonly topK?: number | null
  /** The only class that counts (default null, all). */
  readonly classId?: number | null
}

/** The options of {@link fBetaScore}. */
export interface FBetaOptions extends F1Options {
  /** How much more recall counts than precision (default 1). */
  readonly beta?: number
}

/** The options of {@link f1Score}. */
export interface F1Options {
  /** How classes become one number: micro, macro, weighted; null gives one for each class (default null). */
  readonly average?: "micro" | "macro" | "weighted" | null
  /** An output above it says yes (default null: the largest output does). */
  readonly threshold?: number | null
}

/** The options of {@link confusionMatrix} and {@link perClassAccuracy}. */
export interface ConfusionOptions {
  /** Where a single output is above it, it means class 1 (default 0.5). */
  readonly threshold?: number
}

type Counts = "truePositives" | "trueNegatives" | "falsePositives" | "falseNegatives"

/** The metrics of this file as plain data. */
export type ConfusionMetric =
  | { readonly [T in Counts]: Plain<T> & Required<ThresholdOptions> }[Counts]
  | (Plain<"precision"> & Required<PrecisionOptions>)
  | (Plain<"recall"> & Required<PrecisionOptions>)
  | (Plain<"f1Score"> & Required<F1Options>)
  | (Plain<"fBetaScore"> & Required<FBetaOptions>)
  | (Plain<"confusionMatrix"> & Required<ConfusionOptions>)
  | (Plain<"perClassAccuracy"> & Required<ConfusionOptions>)
  | (Plain<"meanIoU"> & Required<ConfusionOptions>)

/** A kind, or null. */
const orNull = <T>(kind: Kind<T>): Kind<T | null> => ({
  expected: `${kind.expected}, or null`,
  read: (value, where) => (value === null ? null : kind.read(value, where)),
})
const isThreshold = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= 1
const thresholdsKind: Kind<number | readonly number[]> = that(
  "a number from 0 to 1 or a list of them",
  (value): value is number | readonly number[] =>
    Array.isArray(value) ? value.length > 0 && value.every(isThreshold) : isThreshold(value),
)
const whole: Kind<number> = that("a whole number of at least 0", (value): value is number => {
  return Number.isSafeInteger(value) && (value as number) >= 0
})
const thresholdOptions = { thresholds: optional(orNull(thresholdsKind), null) }
const precisionOptions = {
  ...thresholdOptions,
  topK: optional(orNull(positiveInteger()), null),
  classId: optional(orNull(whole), null),
}
const averages = ["micro", "macro", "weighted"] as const
const f1Options = {
  average: optional(orNull(oneOf("average", averages)), null),
  threshold: optional(
    orNull(that("a number above 0 and not above 1", (v): v is number => isThreshold(v) && v > 0)),
    null,
  ),
}
const confusionOptions = { threshold: optional(finiteNumber(), 0.5) }

const listOf = (thresholds: number | readonly number[] | null): readonly number[] =>
  thresholds === null ? [0.5] : typeof thresholds === "number" ? [thresholds] : thresholds

function countsRule(
  of: (tp: number, fp: number, tn: number, fn: number) => number,
): SumsTable<ConfusionMetric>[Counts] {
  return {
    options: thresholdOptions,
    sums: ({ thresholds }, yTrue, yPred, weights) =>
      thresholdSums(vector(listOf(thresholds)), hotTargets("thresholds", yTrue, yPred), yPred, weights),
    result: (_, sums) => each(hitsOf(sums), of),
  }
}

function precisionRule(
  name: string,
  of: (tp: number, fp: number, tn: number, fn: number) => number,
): SumsTable<ConfusionMetric>["precision"] {
  return {
    options: precisionOptions,
    sums: ({ thresholds, topK, classId }, yTrue, yPred, weights) => {
      let [y, a] = [rowsOf(hotTargets(name, yTrue, yPred)), rowsOf(yPred)]
      if (topK !== null) a = ops.where(ops.less(rankOf(a), topK), a, -1e30)
      if (classId !== null) {
        const [, classes] = a.shape
        if (classId >= classes!) {
          throw configError({ where: `${name}.classId`, what: "there is no such class.", expected: `0 to ${classes! - 1}`, got: `${classId}` }) // biome-ignore format: one error
        }
        const chosen = ops.equal(ops.indexOver([classes!]), classId)
        ;[y, a] = [y, a].map((x) => sum(ops.where(chosen, x, 0), [-1], true)) as [Node, Node]
      }
      const at = thresholds === null && topK !== null ? [-1e29] : listOf(thresholds)
      return thresholdSums(vector(at), y, a, weights)
    },
    result: (_, sums) => each(hitsOf(sums), of),
  }
}

/** How many of a row come before each: larger ones, and equal ones to the left. */
function rankOf(x: Node): Node {
  const [rows, k] = x.shape as [number, number]
  const [own, other] = [ops.reshape(x, [rows, k, 1]), ops.reshape(x, [rows, 1, k])]
  const index = ops.indexOver([k])
  const left = ops.less(ops.reshape(index, [1, k]), ops.reshape(index, [k, 1]))
  return sum(ops.where(ops.less(own, other), 1, ops.mul(ops.equal(own, other), left)), [-1])
}

const F_EPSILON = 1e-7

const fBeta: SumsTable<ConfusionMetric>["fBetaScore"] = {
  options: { ...f1Options, beta: optional(finiteNumber({ least: 1e-30 }), 1) },
  sums: ({ threshold }, yTrue, yPred, weights) => {
    const [y, a] = [rowsOf(hotTargets("fBetaScore", yTrue, yPred)), rowsOf(yPred)]
    const top = largest(a, [-1], true)
    const yes = threshold === null ? ops.mul(ops.lessEqual(top, a), ops.less(1e-9, ops.abs(a))) : ops.less(threshold, a)
    const hit = weighted(ops.mul(yes, y), weights)
    return stack([overRows(hit), overRows(weighted(yes, weights)), overRows(weighted(y, weights))])
  },
  result: ({ average, beta }, sums) => {
    const k = sums.length / 3
    const total = (x: ArrayLike<number>): Float64Array => Float64Array.of(Array.from(x).reduce((a, b) => a + b, 0))
    const parts = [0, 1, 2].map((i) => sums.subarray(i * k, (i + 1) * k))
    const [tp, said, there] = (average === "micro" ? parts.map(total) : parts) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    const scores = Array.from(tp, (hits, i) => {
      const [p, r] = [hits / (said[i]! + F_EPSILON), hits / (there[i]! + F_EPSILON)]
      return ((1 + beta * beta) * p * r) / (beta * beta * p + r + F_EPSILON)
    })
    if (average === null) return scores
    const all = total(there)[0]! + F_EPSILON
    const weight = (i: number): number => (average === "weighted" ? there[i]! / all : 1 / scores.length)
    return scores.reduce((found, score, i) => found + score * weight(i), 0)
  },
}

/** The class that a row of targets or outputs says, as a one-hot row; a single number is above the threshold or not. */
function classRows(x: Node, threshold: number): Node {
  const rows = rowsOf(x)
  const [n, k] = rows.shape as [number, number]
  if (k === 1) return ops.equal(ops.indexOver([n, 2]), ops.less(threshold, rows))
  return ops.less(rankOf(rows), 1)
}

const confusion: SumsTable<ConfusionMetric>["confusionMatrix"] = {
  options: confusionOptions,
  sums: ({ threshold }, yTrue, yPred, weights) => {
    const y = classRows(hotTargets("confusionMatrix", yTrue, yPred), 0.5)
    const matrix = ops.matmul(weighted(y, weights), classRows(yPred, threshold), { transposeA: true })
    return ops.reshape(matrix, [matrix.shape[0]! * matrix.shape[1]!])
  },
  result: (_, sums) => {
    const k = Math.sqrt(sums.length)
    return Array.from({ length: k }, (_, i) => [...sums.subarray(i * k, (i + 1) * k)])
  },
}

/** The rows of the metrics of this file. */
export const confusionMetrics: SumsTable<ConfusionMetric> = {
  truePositives: countsRule((tp) => tp),
  falsePositives: countsRule((_, fp) => fp),
  trueNegatives: countsRule((_tp, _fp, tn) => tn),
  falseNegatives: countsRule((_tp, _fp, _tn, fn) => fn),
  precision: precisionRule("precision", (tp, fp) => ratio(tp, tp + fp)),
  recall: precisionRule("recall", (tp, _fp, _tn, fn) => ratio(tp, tp + fn)),
  fBetaScore: fBeta,
  f1Score: {
    options: f1Options,
    sums: (config, ...values) => fBeta.sums({ ...config, beta: 1 }, ...values),
    result: (config, sums) => fBeta.result({ ...config, beta: 1 }, sums),
  },
  confusionMatrix: confusion,
  perClassAccuracy: {
    options: confusionOptions,
    sums: confusion.sums,
    result: (_, sums) => {
      const k = Math.sqrt(sums.length)
      return Array.from({ length: k }, (_, i) => {
        const row = sums.subarray(i * k, (i + 1) * k)
        return row[i]! / row.reduce((a, b) => a + b, 0)
      })
    },
  },
  meanIoU: {
    options: confusionOptions,
    sums: confusion.sums,
    result: (_, sums) => {
      const k = Math.sqrt(sums.length)
      const classes = Array.from({ length: k }, (_, i) => i)
      const shares = classes.flatMap((i) => {
        const union = classes.reduce((n, j) => n + sums[i * k + j]! + sums[j * k + i]!, 0) - sums[i * k + i]!
        return union > 0 ? [sums[i * k + i]! / union] : []
      })
      return shares.reduce((a, b) => a + b, 0) / shares.length
    },
  },
}

/**
 * The number of right yeses at the thresholds. Throws E_CONFIG for a wrong option. Keras: TruePositives.
 * @example
 * ```ts
 * import { truePositives } from "trilobite"
 * truePositives().type // => "truePositives"
 * ```
 */
export const truePositives = (options: ThresholdOptions = {}): Extract<ConfusionMetric, { type: "truePositives" }> =>
  make<ConfusionMetric, "truePositives">(confusionMetrics, "truePositives", options)

/**
 * The number of right noes at the thresholds. Throws E_CONFIG for a wrong option. Keras: TrueNegatives.
 * @example
 * ```ts
 * import { trueNegatives } from "trilobite"
 * trueNegatives().type // => "trueNegatives"
 * ```
 */
export const trueNegatives = (options: ThresholdOptions = {}): Extract<ConfusionMetric, { type: "trueNegatives" }> =>
  make<ConfusionMetric, "trueNegatives">(confusionMetrics, "trueNegatives", options)

/**
 * The number of wrong yeses at the thresholds. Throws E_CONFIG for a wrong option. Keras: FalsePositives.
 * @example
 * ```ts
 * import { falsePositives } from "trilobite"
 * falsePositives().type // => "falsePositives"
 * ```
 */
export const falsePositives = (options: ThresholdOptions = {}): Extract<ConfusionMetric, { type: "falsePositives" }> =>
  make<ConfusionMetric, "falsePositives">(confusionMetrics, "falsePositives", options)

/**
 * The number of wrong noes at the thresholds. Throws E_CONFIG for a wrong option. Keras: FalseNegatives.
 * @example
 * ```ts
 * import { falseNegatives } from "trilobite"
 * falseNegatives().type // => "falseNegatives"
 * ```
 */
export const falseNegatives = (options: ThresholdOptions = {}): Extract<ConfusionMetric, { type: "falseNegatives" }> =>
  make<ConfusionMetric, "falseNegatives">(confusionMetrics, "falseNegatives", options)

/**
 * TP / (TP + FP), the share of yeses that are right, 0 without yeses; outputs from 0 to 1. Throws E_CONFIG for a wrong option. Keras: Precision.
 * @example
 * ```ts
 * import { precision } from "trilobite"
 * precision().type // => "precision"
 * ```
 */
export const precision = (options: PrecisionOptions = {}): Extract<ConfusionMetric, { type: "precision" }> =>
  make<ConfusionMetric, "precision">(confusionMetrics, "precision", options)

/**
 * TP / (TP + FN), the share of what is there that is found, 0 if nothing is there; outputs from 0 to 1. Throws E_CONFIG for a wrong option. Keras: Recall.
 * @example
 * ```ts
 * import { recall } from "trilobite"
 * recall().type // => "recall"
 * ```
 */
export const recall = (options: PrecisionOptions = {}): Extract<ConfusionMetric, { type: "recall" }> =>
  make<ConfusionMetric, "recall">(confusionMetrics, "recall", options)

/**
 * The harmonic mean 2PR / (P + R) of precision and recall of each class. Throws E_CONFIG for a wrong option. Keras: F1Score.
 * @example
 * ```ts
 * import { f1Score } from "trilobite"
 * f1Score({ average: "macro" }).average // => "macro"
 * ```
 */
export const f1Score = (options: F1Options = {}): Extract<ConfusionMetric, { type: "f1Score" }> =>
  make<ConfusionMetric, "f1Score">(confusionMetrics, "f1Score", options)

/**
 * (1 + β²) PR / (β² P + R) of precision and recall of each class. Throws E_CONFIG for a wrong option. Keras: FBetaScore.
 * @example
 * ```ts
 * import { fBetaScore } from "trilobite"
 * fBetaScore({ beta: 2 }).beta // => 2
 * ```
 */
export const fBetaScore = (options: FBetaOptions = {}): Extract<ConfusionMetric, { type: "fBetaScore" }> =>
  make<ConfusionMetric, "fBetaScore">(confusionMetrics, "fBetaScore", options)

/**
 * How many examples of each class (rows) are taken for each class (columns). Throws E_CONFIG for a wrong option.
 * @example
 * ```ts
 * import { confusionMatrix } from "trilobite"
 * confusionMatrix().type // => "confusionMatrix"
 * ```
 */
export const confusionMatrix = (
  options: ConfusionOptions = {},
): Extract<ConfusionMetric, { type: "confusionMatrix" }> =>
  make<ConfusionMetric, "confusionMatrix">(confusionMetrics, "confusionMatrix", options)

/**
 * For each class the share of its examples that are right; NaN for a class without examples. Throws E_CONFIG for a wrong option.
 * @example
 * ```ts
 * import { perClassAccuracy } from "trilobite"
 * perClassAccuracy().type // => "perClassAccuracy"
 * ```
 */
export const perClassAccuracy = (
  options: ConfusionOptions = {},
): Extract<ConfusionMetric, { type: "perClassAccuracy" }> =>
  make<ConfusionMetric, "perClassAccuracy">(confusionMetrics, "perClassAccuracy", options)

/**
 * The mean over the classes of what is rightly taken for the class, divided by all that is of it or taken for it (classes that are
 * neither are left out). The classes are those of the output. Throws E_CONFIG for a wrong option. Keras: MeanIoU, whose targets
 * and outputs are labels.
 * @example
 * ```ts
 * import { meanIoU } from "trilobite"
 * meanIoU().type // => "meanIoU"
 * ```
 */
export const meanIoU = (options: ConfusionOptions = {}): Extract<ConfusionMetric, { type: "meanIoU" }> =>
  make<ConfusionMetric, "meanIoU">(confusionMetrics, "meanIoU", options)
