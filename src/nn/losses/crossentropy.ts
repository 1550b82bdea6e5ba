// Cross-entropies and the Kullback-Leibler divergence: computed from the logits wherever they are known. Knows no training.

import { clip, count, logSoftmax, sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { flag, type Kind, optional, that } from "../options.ts"
import { alignTo, EPSILON, type LossTable, make, perExample, type Simple, share } from "./rule.ts"

/** The options of the cross-entropies. */
export interface CrossentropyOptions {
  /** True if the output is z, before softmax or sigmoid (default false). */
  readonly fromLogits?: boolean
  /** How far targets are moved towards equal probabilities, from 0 to 1 (default 0). */
  readonly labelSmoothing?: number
}

/** The options of {@link sparseCategoricalCrossentropy}. */
export interface SparseCrossentropyOptions {
  /** True if the output is z, before softmax (default false). */
  readonly fromLogits?: boolean
  /** A label whose places do not count: the mean is over the others of the batch (default null, none). */
  readonly ignoreClass?: number | null
}

type Crossentropy<T extends string> = Simple<T> & Required<CrossentropyOptions>

/** The losses of this file as plain data. */
export type CrossentropyLoss =
  | Crossentropy<"binaryCrossentropy">
  | Crossentropy<"categoricalCrossentropy">
  | (Simple<"sparseCategoricalCrossentropy"> & Required<SparseCrossentropyOptions>)
  | Simple<"klDivergence">

const crossentropyOptions = { fromLogits: optional(flag(), false), labelSmoothing: optional(share(), 0) }
const label: Kind<number | null> = that("a whole number or null", (value): value is number | null => {
  return value === null || Number.isSafeInteger(value)
})

/** The rows of the losses of this file. */
export const crossentropyLosses: LossTable<CrossentropyLoss> = {
  binaryCrossentropy: {
    options: crossentropyOptions,
    targets: "probabilities",
    trace: ({ fromLogits, labelSmoothing }, yTrue, yPred) => {
      const y = smoothed(alignTo(yPred, yTrue), labelSmoothing, 2)
      return perExample(binarySurprise(y, yPred, fromLogits))
    },
  },
  categoricalCrossentropy: {
    options: crossentropyOptions,
    targets: "classes",
    trace: ({ fromLogits, labelSmoothing }, yTrue, yPred) => {
      const y = smoothed(alignTo(yPred, yTrue), labelSmoothing, yPred.shape[yPred.shape.length - 1]!)
      return perExample(sum(ops.mul(y, surprise(yPred, fromLogits)), [-1]))
    },
  },
  sparseCategoricalCrossentropy: {
    options: { fromLogits: optional(flag(), false), ignoreClass: optional(label, null) },
    targets: "labels",
    trace: ({ fromLogits, ignoreClass }, yTrue, yPred) => {
      const labels = alignTo(yPred, yTrue, [...yPred.shape.slice(0, -1), 1])
      const chosen = ops.equal(ops.indexOver(yPred.shape), labels)
      const each = sum(ops.where(chosen, surprise(yPred, fromLogits), 0), [-1])
      return perExample(ignoreClass === null ? each : ignoring(ops.reshape(labels, each.shape), ignoreClass, each))
    },
  },
  klDivergence: {
    options: {},
    targets: "probabilities",
    trace: (_, yTrue, yPred) => {
      const y = clip(alignTo(yPred, yTrue), EPSILON, 1)
      const z = ops.logitsOf(yPred, "softmax")
      const log = z === undefined ? ops.log(clip(yPred, EPSILON, 1)) : logSoftmax(z)
      return perExample(sum(ops.mul(y, ops.sub(ops.log(y), log)), [-1]))
    },
  },
}

/**
 * The losses with 0 where the label is the ignored one, and the others scaled by all places / counted places of the batch, so
 * that the mean over the batch is the mean over the places that count (Keras's rule for masks, with its epsilon).
 */
function ignoring(labels: Node, ignored: number, each: Node): Node {
  const counts = ops.sub(1, ops.equal(labels, ignored))
  const scale = ops.div(count(each.shape), ops.add(sum(counts), EPSILON))
  return ops.mul(ops.where(counts, each, 0), scale)
}

/** Targets moved towards equal probabilities of so many classes. */
export function smoothed(y: Node, by: number, classes: number): Node {
  return by === 0 ? y : ops.add(ops.mul(y, 1 - by), by / classes)
}

/** −[y ln a + (1 − y) ln(1 − a)] of every output: from the logits if they are known, else from clipped probabilities. */
export function binarySurprise(y: Node, yPred: Node, fromLogits: boolean): Node {
  const z = fromLogits ? yPred : ops.logitsOf(yPred, "sigmoid")
  return z === undefined ? binaryOfProbability(y, yPred) : binaryOfLogit(y, z)
}

/** −[y ln σ(z) + (1 − y) ln(1 − σ(z))] = max(z, 0) − z·y + ln(1 + e^−|z|), with slope σ(0) − y at 0. */
function binaryOfLogit(y: Node, z: Node): Node {
  const positive = ops.lessEqual(0, z)
  const certain = ops.sub(ops.where(positive, z, 0), ops.mul(z, y))
  return ops.add(certain, ops.log1p(ops.exp(ops.where(positive, ops.neg(z), z))))
}

function binaryOfProbability(y: Node, a: Node): Node {
  const p = clip(a, EPSILON, 1 - EPSILON)
  const yes = ops.mul(y, ops.log(p))
  return ops.neg(ops.add(yes, ops.mul(ops.sub(1, y), ops.log(ops.sub(1, p)))))
}

/** −ln p of every class: from the logits if they are known, else from probabilities made to sum to 1 and clipped. */
export function surprise(yPred: Node, fromLogits: boolean): Node {
  const z = fromLogits ? yPred : ops.logitsOf(yPred, "softmax")
  if (z !== undefined) return ops.neg(logSoftmax(z))
  const p = ops.div(yPred, sum(yPred, [-1], true))
  return ops.neg(ops.log(clip(p, EPSILON, 1 - EPSILON)))
}

/**
 * −[y ln a + (1 − y) ln(1 − a)], the mean over an example's outputs; computed from z behind a sigmoid. Targets from 0 to 1;
 * with labelSmoothing s they become y (1 − s) + s/2. Throws E_CONFIG for a wrong option. Keras: BinaryCrossentropy.
 * @example
 * ```ts
 * import { binaryCrossentropy } from "trilobite"
 * binaryCrossentropy() // => { type: "binaryCrossentropy", fromLogits: false, labelSmoothing: 0 }
 * ```
 */
export const binaryCrossentropy = (options: CrossentropyOptions = {}): Crossentropy<"binaryCrossentropy"> =>
  make<CrossentropyLoss, "binaryCrossentropy">(crossentropyLosses, "binaryCrossentropy", options)

/**
 * −Σ y ln a over the classes; computed from z behind a softmax. Targets one-hot, or probabilities that sum to 1; with
 * labelSmoothing s they become y (1 − s) + s/classes. Throws E_CONFIG for a wrong option. Keras: CategoricalCrossentropy.
 * @example
 * ```ts
 * import { categoricalCrossentropy } from "trilobite"
 * categoricalCrossentropy({ fromLogits: true }).fromLogits // => true
 * ```
 */
export const categoricalCrossentropy = (options: CrossentropyOptions = {}): Crossentropy<"categoricalCrossentropy"> =>
  make<CrossentropyLoss, "categoricalCrossentropy">(crossentropyLosses, "categoricalCrossentropy", options)

/**
 * −ln a of the right class, whose index is the target; the same number as categoricalCrossentropy of one-hot targets.
 * Places whose label is `ignoreClass` cost nothing, and the mean over a batch is over the others.
 * Throws E_CONFIG for a wrong option. Keras: SparseCategoricalCrossentropy.
 * @example
 * ```ts
 * import { sparseCategoricalCrossentropy } from "trilobite"
 * sparseCategoricalCrossentropy({ ignoreClass: 255 }).ignoreClass // => 255
 * ```
 */
export const sparseCategoricalCrossentropy = (
  options: SparseCrossentropyOptions = {},
): Extract<CrossentropyLoss, { type: "sparseCategoricalCrossentropy" }> =>
  make<CrossentropyLoss, "sparseCategoricalCrossentropy">(crossentropyLosses, "sparseCategoricalCrossentropy", options)

/**
 * Σ y ln(y / a) over the last axis, both kept between 1e-7 and 1; computed from z behind a softmax. Keras: KLDivergence;
 * short name kld.
 * @example
 * ```ts
 * import { klDivergence } from "trilobite"
 * klDivergence() // => { type: "klDivergence" }
 * ```
 */
export const klDivergence = (): Simple<"klDivergence"> => ({ type: "klDivergence" })
