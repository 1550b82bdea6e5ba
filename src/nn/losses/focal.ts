// Focal cross-entropies: what is right already counts less. Knows no training.

import { configError } from "../../core/errors.ts"
import { pow, sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { finiteNumber, flag, type Kind, optional, that } from "../options.ts"
import { binarySurprise, type CrossentropyOptions, smoothed, surprise } from "./crossentropy.ts"
import { alignTo, type LossTable, make, perExample, type Simple, share } from "./rule.ts"

/** The options of {@link binaryFocalCrossentropy}. */
export interface BinaryFocalOptions extends CrossentropyOptions {
  /** True to weigh class 1 by alpha and class 0 by 1 − alpha (default false). */
  readonly applyClassBalancing?: boolean
  /** The weight of class 1 with class balancing (default 0.25). */
  readonly alpha?: number
  /** The power of what is missing to certainty (default 2). */
  readonly gamma?: number
}

/** The options of {@link categoricalFocalCrossentropy}. */
export interface CategoricalFocalOptions extends CrossentropyOptions {
  /** The weight of all classes, or a list with one for each (default 0.25). */
  readonly alpha?: number | readonly number[]
  /** The power of what is missing to certainty (default 2). */
  readonly gamma?: number
}

/** The losses of this file as plain data. */
export type FocalLoss =
  | (Simple<"binaryFocalCrossentropy"> & Required<BinaryFocalOptions>)
  | (Simple<"categoricalFocalCrossentropy"> & Required<CategoricalFocalOptions>)

const weights: Kind<number | readonly number[]> = that(
  "a finite number or a list of them",
  (value): value is number | readonly number[] =>
    Array.isArray(value) ? value.length > 0 && value.every(Number.isFinite) : Number.isFinite(value),
)

const common = {
  gamma: optional(finiteNumber({ least: 0 }), 2),
  fromLogits: optional(flag(), false),
  labelSmoothing: optional(share(), 0),
}

/** The rows of the losses of this file. */
export const focalLosses: LossTable<FocalLoss> = {
  binaryFocalCrossentropy: {
    options: { applyClassBalancing: optional(flag(), false), alpha: optional(finiteNumber(), 0.25), ...common },
    targets: "probabilities",
    trace: ({ applyClassBalancing, alpha, gamma, fromLogits, labelSmoothing }, yTrue, yPred) => {
      const y = smoothed(alignTo(yPred, yTrue), labelSmoothing, 2)
      const z = fromLogits ? yPred : ops.logitsOf(yPred, "sigmoid")
      const [yes, no] = z === undefined ? [yPred, ops.sub(1, yPred)] : [ops.sigmoid(z), ops.sigmoid(ops.neg(z))]
      const missing = ops.add(ops.mul(y, no), ops.mul(ops.sub(1, y), yes))
      const focal = ops.mul(modulation(missing, gamma), binarySurprise(y, yPred, fromLogits))
      if (!applyClassBalancing) return perExample(focal)
      return perExample(ops.mul(ops.add(ops.mul(y, alpha), ops.mul(ops.sub(1, y), 1 - alpha)), focal))
    },
  },
  categoricalFocalCrossentropy: {
    options: { alpha: optional(weights, 0.25), ...common },
    targets: "classes",
    trace: ({ alpha, gamma, fromLogits, labelSmoothing }, yTrue, yPred) => {
      const classes = yPred.shape[yPred.shape.length - 1]!
      const y = smoothed(alignTo(yPred, yTrue), labelSmoothing, classes)
      const missed = surprise(yPred, fromLogits)
      // 1 − p as 1 − e^−(−ln p), which keeps its digits where p is almost 1.
      const factor = ops.mul(modulation(ops.neg(ops.expm1(ops.neg(missed))), gamma), weightOf(alpha, yPred))
      return perExample(sum(ops.mul(factor, ops.mul(y, missed)), [-1]))
    },
  },
}

/** x to the power of gamma for 0 ≤ x ≤ 1, with a finite slope at 0 also for powers that need the logarithm. */
function modulation(x: Node, gamma: number): Node {
  return pow(Number.isInteger(gamma) ? x : ops.max(x, 1e-30), gamma)
}

function weightOf(alpha: number | readonly number[], yPred: Node): Node {
  const classes = yPred.shape[yPred.shape.length - 1]!
  if (typeof alpha === "number") return ops.constant(alpha)
  if (alpha.length === classes) return vector(alpha)
  const where = "categoricalFocalCrossentropy.alpha"
  throw configError({
    where,
    what: "there must be one for each class.",
    expected: `${classes}`,
    got: `${alpha.length}`,
  })
}

/** Numbers as a value, `[n]`. */
export function vector(values: readonly number[]): Node {
  const index = ops.indexOver([values.length])
  const [first = 0, ...rest] = values
  return rest.reduce<Node>(
    (found, value, i) => ops.where(ops.equal(index, i + 1), value, found),
    ops.constant(first, [values.length]),
  )
}

/**
 * (1 − p)^γ times the binary cross-entropy, where p is the probability of the right answer; the mean over an example's
 * outputs. Throws E_CONFIG for a wrong option. Keras: BinaryFocalCrossentropy; Lin et al. (2017).
 * @example
 * ```ts
 * import { binaryFocalCrossentropy } from "trilobite"
 * binaryFocalCrossentropy({ gamma: 1.5 }).gamma // => 1.5
 * ```
 */
export const binaryFocalCrossentropy = (
  options: BinaryFocalOptions = {},
): Extract<FocalLoss, { type: "binaryFocalCrossentropy" }> =>
  make<FocalLoss, "binaryFocalCrossentropy">(focalLosses, "binaryFocalCrossentropy", options)

/**
 * −Σ α (1 − a)^γ y ln a over the classes. Targets one-hot, or probabilities that sum to 1. Throws E_CONFIG for a wrong option,
 * also when it is traced if alpha is a list of another length. Keras: CategoricalFocalCrossentropy; Lin et al. (2017).
 * @example
 * ```ts
 * import { categoricalFocalCrossentropy } from "trilobite"
 * categoricalFocalCrossentropy().alpha // => 0.25
 * ```
 */
export const categoricalFocalCrossentropy = (
  options: CategoricalFocalOptions = {},
): Extract<FocalLoss, { type: "categoricalFocalCrossentropy" }> =>
  make<FocalLoss, "categoricalFocalCrossentropy">(focalLosses, "categoricalFocalCrossentropy", options)
