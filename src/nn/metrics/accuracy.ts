// Accuracies and other metrics that are means over rows and no losses. Knows no training.

import { configError } from "../../core/errors.ts"
import { formatShape } from "../../core/shape.ts"
import { argmax, sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { type CosineSimilarityOptions, cosine, regressionLosses } from "../losses/regression.ts"
import { alignTo, fits, make, perExample } from "../losses/rule.ts"
import { finiteNumber, type OptionsOf, optional, positiveInteger } from "../options.ts"
import type { Plain } from "./rule.ts"

/** The options of {@link binaryAccuracy}. */
export interface BinaryAccuracyOptions {
  /** Outputs above it mean 1 (default 0.5). */
  readonly threshold?: number
}

/** The options of {@link topKCategoricalAccuracy} and {@link sparseTopKCategoricalAccuracy}. */
export interface TopKOptions {
  /** The right class is among the so many largest outputs (default 5). */
  readonly k?: number
}

/** The metrics of this file as plain data. */
export type MeanMetric =
  | Plain<"accuracy">
  | (Plain<"binaryAccuracy"> & Required<BinaryAccuracyOptions>)
  | Plain<"categoricalAccuracy">
  | Plain<"sparseCategoricalAccuracy">
  | (Plain<"topKCategoricalAccuracy"> & Required<TopKOptions>)
  | (Plain<"sparseTopKCategoricalAccuracy"> & Required<TopKOptions>)
  | (Plain<"cosineSimilarity"> & Required<CosineSimilarityOptions>)
  | Plain<"logCoshError">

/** A metric that is the mean over the rows of one number per example. */
export interface MeanRule<C> {
  readonly options: OptionsOf<C>
  readonly trace: (config: C, yTrue: Node, yPred: Node) => Node
}

/** The rows of the metrics of this file. */
export const meanMetrics: {
  readonly [T in MeanMetric["type"]]: MeanRule<Omit<Extract<MeanMetric, { type: T }>, "type">>
} = {
  // Keras's rule: which accuracy is meant follows from the last sizes of output and targets.
  accuracy: {
    options: {},
    trace: (_, yTrue, yPred) => {
      if (yPred.shape.length < 2 || yPred.shape[yPred.shape.length - 1] === 1) {
        return meanMetrics.binaryAccuracy.trace({ threshold: 0.5 }, yTrue, yPred)
      }
      const sparse = yTrue.shape.length < yPred.shape.length || yTrue.shape[yTrue.shape.length - 1] === 1
      return meanMetrics[sparse ? "sparseCategoricalAccuracy" : "categoricalAccuracy"].trace({}, yTrue, yPred)
    },
  },
  binaryAccuracy: {
    options: { threshold: optional(finiteNumber(), 0.5) },
    trace: ({ threshold }, yTrue, yPred) => perExample(ops.equal(alignTo(yPred, yTrue), ops.less(threshold, yPred))),
  },
  categoricalAccuracy: {
    options: {},
    trace: (_, yTrue, yPred) => {
      const hint = "For labels use sparseCategoricalAccuracy or accuracy."
      checkShape("categoricalAccuracy", fits(yTrue.shape, yPred.shape), yTrue, yPred, hint)
      return perExample(ops.equal(argmax(ops.reshape(yTrue, yPred.shape)), argmax(yPred)))
    },
  },
  sparseCategoricalAccuracy: {
    options: {},
    trace: (_, yTrue, yPred) => {
      const shape = yPred.shape.slice(0, -1)
      const hint = "For one-hot targets use categoricalAccuracy or accuracy."
      checkShape("sparseCategoricalAccuracy", fits(yTrue.shape, shape), yTrue, yPred, hint)
      return perExample(ops.equal(ops.reshape(yTrue, shape), argmax(yPred)))
    },
  },
  topKCategoricalAccuracy: {
    options: { k: optional(positiveInteger(), 5) },
    trace: ({ k }, yTrue, yPred) => {
      checkShape(
        "topKCategoricalAccuracy",
        fits(yTrue.shape, yPred.shape),
        yTrue,
        yPred,
        "For labels use the sparse one.",
      )
      return perExample(among(k, argmax(ops.reshape(yTrue, yPred.shape)), yPred))
    },
  },
  sparseTopKCategoricalAccuracy: {
    options: { k: optional(positiveInteger(), 5) },
    trace: ({ k }, yTrue, yPred) => {
      const shape = yPred.shape.slice(0, -1)
      const hint = "For one-hot targets use topKCategoricalAccuracy."
      checkShape("sparseTopKCategoricalAccuracy", fits(yTrue.shape, shape), yTrue, yPred, hint)
      return perExample(among(k, ops.reshape(yTrue, shape), yPred))
    },
  },
  cosineSimilarity: {
    options: regressionLosses.cosineSimilarity.options,
    trace: ({ axis }, yTrue, yPred) => cosine(axis, yTrue, yPred),
  },
  logCoshError: regressionLosses.logCosh,
}

/** 1 where fewer than k outputs are larger than that of the class; so classes of equal outputs are in together. */
function among(k: number, labels: Node, yPred: Node): Node {
  const column = ops.reshape(labels, [...labels.shape, 1])
  const value = sum(ops.where(ops.equal(ops.indexOver(yPred.shape), column), yPred, 0), [-1], true)
  return ops.less(sum(ops.less(value, yPred), [-1]), k)
}

function checkShape(where: string, ok: boolean, yTrue: Node, yPred: Node, hint: string): void {
  if (ok) return
  const what = `targets ${formatShape(yTrue.shape)} cannot be compared with the output ${formatShape(yPred.shape)}.`
  throw configError({ where, what, hint })
}

/**
 * The share of right answers: binary, sparse or categorical accuracy, as the shapes of output and targets say.
 * @example
 * ```ts
 * import { accuracy } from "trilobite"
 * accuracy() // => { type: "accuracy" }
 * ```
 */
export const accuracy = (): Extract<MeanMetric, { type: "accuracy" }> => ({ type: "accuracy" })

/**
 * The share of outputs on the right side of the threshold. Throws E_CONFIG for a wrong option. Keras: BinaryAccuracy.
 * @example
 * ```ts
 * import { binaryAccuracy } from "trilobite"
 * binaryAccuracy() // => { type: "binaryAccuracy", threshold: 0.5 }
 * ```
 */
export const binaryAccuracy = (options: BinaryAccuracyOptions = {}): Extract<MeanMetric, { type: "binaryAccuracy" }> =>
  make<MeanMetric, "binaryAccuracy">(meanMetrics, "binaryAccuracy", options)

/**
 * The share of examples whose largest output is at the largest target. Keras: CategoricalAccuracy.
 * @example
 * ```ts
 * import { categoricalAccuracy } from "trilobite"
 * categoricalAccuracy() // => { type: "categoricalAccuracy" }
 * ```
 */
export const categoricalAccuracy = (): Extract<MeanMetric, { type: "categoricalAccuracy" }> => ({
  type: "categoricalAccuracy",
})

/**
 * The share of examples whose largest output is at the index that is the target. Keras: SparseCategoricalAccuracy.
 * @example
 * ```ts
 * import { sparseCategoricalAccuracy } from "trilobite"
 * sparseCategoricalAccuracy() // => { type: "sparseCategoricalAccuracy" }
 * ```
 */
export const sparseCategoricalAccuracy = (): Extract<MeanMetric, { type: "sparseCategoricalAccuracy" }> => ({
  type: "sparseCategoricalAccuracy",
})

/**
 * The share of examples whose right class, one-hot, is among the k largest outputs. Throws E_CONFIG for a wrong option. Keras: TopKCategoricalAccuracy.
 * @example
 * ```ts
 * import { topKCategoricalAccuracy } from "trilobite"
 * topKCategoricalAccuracy().k // => 5
 * ```
 */
export const topKCategoricalAccuracy = (
  options: TopKOptions = {},
): Extract<MeanMetric, { type: "topKCategoricalAccuracy" }> =>
  make<MeanMetric, "topKCategoricalAccuracy">(meanMetrics, "topKCategoricalAccuracy", options)

/**
 * The share of examples whose right class, a label, is among the k largest outputs. Throws E_CONFIG for a wrong option. Keras: SparseTopKCategoricalAccuracy.
 * @example
 * ```ts
 * import { sparseTopKCategoricalAccuracy } from "trilobite"
 * sparseTopKCategoricalAccuracy({ k: 3 }).k // => 3
 * ```
 */
export const sparseTopKCategoricalAccuracy = (
  options: TopKOptions = {},
): Extract<MeanMetric, { type: "sparseTopKCategoricalAccuracy" }> =>
  make<MeanMetric, "sparseTopKCategoricalAccuracy">(meanMetrics, "sparseTopKCategoricalAccuracy", options)

/**
 * ln cosh(ŷ − y), the mean over the outputs and examples. Keras: LogCoshError.
 * @example
 * ```ts
 * import { logCoshError } from "trilobite"
 * logCoshError() // => { type: "logCoshError" }
 * ```
 */
export const logCoshError = (): Extract<MeanMetric, { type: "logCoshError" }> => ({ type: "logCoshError" })
