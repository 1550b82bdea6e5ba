// Losses that compare numbers with numbers. Knows no training.

import { configError } from "../../core/errors.ts"
import { axisOf } from "../../core/shape.ts"
import { square, sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { finiteNumber, integer, optional } from "../options.ts"
import { alignTo, EPSILON, type LossTable, make, perExample, type Simple } from "./rule.ts"

/** The options of {@link huber}. */
export interface HuberOptions {
  /** The error from which on it counts by its size and no longer by its square (default 1). */
  readonly delta?: number
}

/** The options of {@link cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** The axis along which the vectors lie, not that of the batch (default −1, the last). */
  readonly axis?: number
}

/** The losses of this file as plain data. */
export type RegressionLoss =
  | Simple<"meanSquaredError">
  | Simple<"meanAbsoluteError">
  | Simple<"meanAbsolutePercentageError">
  | Simple<"meanSquaredLogarithmicError">
  | (Simple<"huber"> & Required<HuberOptions>)
  | Simple<"logCosh">
  | Simple<"poisson">
  | (Simple<"cosineSimilarity"> & Required<CosineSimilarityOptions>)

/** A loss without options that is the mean of a function of each target and output. */
const ofEach = (each: (yTrue: Node, yPred: Node) => Node): LossTable<Simple<"x">>["x"] => ({
  options: {},
  targets: "numbers",
  trace: (_, yTrue, yPred) => perExample(each(alignTo(yPred, yTrue), yPred)),
})

/** The rows of the losses of this file. */
export const regressionLosses: LossTable<RegressionLoss> = {
  meanSquaredError: ofEach((y, a) => square(ops.sub(a, y))),
  meanAbsoluteError: ofEach((y, a) => ops.abs(ops.sub(a, y))),
  meanAbsolutePercentageError: ofEach((y, a) =>
    ops.mul(ops.abs(ops.div(ops.sub(y, a), ops.max(ops.abs(y), EPSILON))), 100),
  ),
  meanSquaredLogarithmicError: ofEach((y, a) => {
    const logarithm = (x: Node): Node => ops.log1p(ops.max(x, EPSILON))
    return square(ops.sub(logarithm(a), logarithm(y)))
  }),
  huber: {
    options: { delta: optional(finiteNumber({ least: 0 }), 1) },
    targets: "numbers",
    trace: ({ delta }, yTrue, yPred) => {
      const error = ops.sub(yPred, alignTo(yPred, yTrue))
      const size = ops.abs(error)
      const far = ops.sub(ops.mul(size, delta), 0.5 * delta * delta)
      return perExample(ops.where(ops.lessEqual(size, delta), ops.mul(square(error), 0.5), far))
    },
  },
  // ln cosh x = |x| + ln(1 + e^−2|x|) − ln 2: Keras's x + softplus(−2x) − ln 2 without its cancellation for large −x.
  logCosh: ofEach((y, a) => {
    const size = ops.abs(ops.sub(a, y))
    return ops.sub(ops.add(size, ops.log1p(ops.exp(ops.mul(size, -2)))), Math.LN2)
  }),
  poisson: ofEach((y, a) => ops.sub(a, ops.mul(y, ops.log(ops.add(a, EPSILON))))),
  cosineSimilarity: {
    options: { axis: optional(integer(), -1) },
    targets: "numbers",
    trace: ({ axis }, yTrue, yPred) => ops.neg(cosine(axis, yTrue, yPred)),
  },
}

/** The cosine of the angle between target and output, the mean over the vectors of an example. */
export function cosine(axis: number, yTrue: Node, yPred: Node): Node {
  const at = axisOf(axis, yPred.shape.length, "cosineSimilarity")
  if (at === 0) {
    const what = "the axis is that of the batch: vectors lie within an example."
    throw configError({ where: "cosineSimilarity.axis", what, got: `${axis}` })
  }
  // x / max(|x|, ε) as √max(x·x, ε²), so that there is a slope at x = 0.
  const unit = (x: Node): Node => ops.div(x, ops.sqrt(ops.max(sum(square(x), [at], true), EPSILON * EPSILON)))
  return perExample(sum(ops.mul(unit(alignTo(yPred, yTrue)), unit(yPred)), [at]))
}

/**
 * The quadratic cost, the mean of (ŷ − y)² over an example's outputs. Keras: MeanSquaredError; short name mse.
 * @example
 * ```ts
 * import { meanSquaredError } from "trilobite"
 * meanSquaredError() // => { type: "meanSquaredError" }
 * ```
 */
export const meanSquaredError = (): Simple<"meanSquaredError"> => ({ type: "meanSquaredError" })

/**
 * The mean of |ŷ − y| over an example's outputs. Keras: MeanAbsoluteError; short name mae.
 * @example
 * ```ts
 * import { meanAbsoluteError } from "trilobite"
 * meanAbsoluteError() // => { type: "meanAbsoluteError" }
 * ```
 */
export const meanAbsoluteError = (): Simple<"meanAbsoluteError"> => ({ type: "meanAbsoluteError" })

/**
 * The mean of 100 |y − ŷ| / max(|y|, 1e-7) over an example's outputs, in percent of the target.
 * Keras: MeanAbsolutePercentageError; short name mape.
 * @example
 * ```ts
 * import { meanAbsolutePercentageError } from "trilobite"
 * meanAbsolutePercentageError() // => { type: "meanAbsolutePercentageError" }
 * ```
 */
export const meanAbsolutePercentageError = (): Simple<"meanAbsolutePercentageError"> => ({
  type: "meanAbsolutePercentageError",
})

/**
 * The mean of (ln(1 + ŷ) − ln(1 + y))² over an example's outputs; what is below 1e-7 counts as 1e-7.
 * Keras: MeanSquaredLogarithmicError; short name msle.
 * @example
 * ```ts
 * import { meanSquaredLogarithmicError } from "trilobite"
 * meanSquaredLogarithmicError() // => { type: "meanSquaredLogarithmicError" }
 * ```
 */
export const meanSquaredLogarithmicError = (): Simple<"meanSquaredLogarithmicError"> => ({
  type: "meanSquaredLogarithmicError",
})

/**
 * e²/2 for errors |e| ≤ δ and δ|e| − δ²/2 for larger ones, the mean over an example's outputs: outliers count less.
 * Throws E_CONFIG for a wrong option. Keras: Huber; Huber (1964).
 * @example
 * ```ts
 * import { huber } from "trilobite"
 * huber({ delta: 2 }) // => { type: "huber", delta: 2 }
 * ```
 */
export const huber = (options: HuberOptions = {}): Extract<RegressionLoss, { type: "huber" }> =>
  make<RegressionLoss, "huber">(regressionLosses, "huber", options)

/**
 * ln cosh(ŷ − y), the mean over an example's outputs: like e²/2 near 0 and |e| − ln 2 far away. Keras: LogCosh.
 * @example
 * ```ts
 * import { logCosh } from "trilobite"
 * logCosh() // => { type: "logCosh" }
 * ```
 */
export const logCosh = (): Simple<"logCosh"> => ({ type: "logCosh" })

/**
 * ŷ − y ln(ŷ + 1e-7), the mean over an example's outputs: for counts, behind an output that is not negative. Keras: Poisson.
 * @example
 * ```ts
 * import { poisson } from "trilobite"
 * poisson() // => { type: "poisson" }
 * ```
 */
export const poisson = (): Simple<"poisson"> => ({ type: "poisson" })

/**
 * Minus the cosine of the angle between target and output: −1 if they point the same way. As a metric the cosine itself.
 * Throws E_CONFIG for a wrong option. Keras: CosineSimilarity.
 * @example
 * ```ts
 * import { cosineSimilarity } from "trilobite"
 * cosineSimilarity() // => { type: "cosineSimilarity", axis: -1 }
 * ```
 */
export const cosineSimilarity = (
  options: CosineSimilarityOptions = {},
): Extract<RegressionLoss, { type: "cosineSimilarity" }> =>
  make<RegressionLoss, "cosineSimilarity">(regressionLosses, "cosineSimilarity", options)
