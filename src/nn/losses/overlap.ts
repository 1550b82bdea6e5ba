// Losses of overlap, for masks: Dice and Tversky. Knows no training.

import { configError } from "../../core/errors.ts"
import { axisOf } from "../../core/shape.ts"
import { sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { finiteNumber, type Kind, optional, that } from "../options.ts"
import { alignTo, EPSILON, type LossTable, make, perExample, type Simple } from "./rule.ts"

/** The options of {@link dice}. */
export interface DiceOptions {
  /** The axes that are summed over, not that of the batch (default null: all of an example). */
  readonly axis?: number | readonly number[] | null
}

/** The options of {@link tversky}. */
export interface TverskyOptions extends DiceOptions {
  /** The weight of y (1 − ŷ), what is missed (default 0.5). */
  readonly alpha?: number
  /** The weight of ŷ (1 − y), what is too much (default 0.5). */
  readonly beta?: number
}

/** The losses of this file as plain data. */
export type OverlapLoss = (Simple<"dice"> & Required<DiceOptions>) | (Simple<"tversky"> & Required<TverskyOptions>)

const axes: Kind<number | readonly number[] | null> = that(
  "a whole number, a list of them, or null",
  (value): value is number | readonly number[] | null =>
    value === null || (Array.isArray(value) ? value.every(Number.isSafeInteger) : Number.isSafeInteger(value)),
)

/** The rows of the losses of this file. */
export const overlapLosses: LossTable<OverlapLoss> = {
  dice: {
    options: { axis: optional(axes, null) },
    targets: "probabilities",
    trace: ({ axis }, yTrue, yPred) => {
      const y = alignTo(yPred, yTrue)
      const over = summer("dice", axis, yPred)
      const common = ops.mul(over(ops.mul(y, yPred)), 2)
      return perExample(ops.sub(1, ops.div(common, ops.add(ops.add(over(y), over(yPred)), EPSILON))))
    },
  },
  tversky: {
    options: { alpha: optional(finiteNumber(), 0.5), beta: optional(finiteNumber(), 0.5), axis: optional(axes, null) },
    targets: "probabilities",
    trace: ({ alpha, beta, axis }, yTrue, yPred) => {
      const y = alignTo(yPred, yTrue)
      const over = summer("tversky", axis, yPred)
      const common = over(ops.mul(y, yPred))
      const missed = ops.mul(over(ops.mul(ops.sub(1, yPred), y)), alpha)
      const tooMuch = ops.mul(over(ops.mul(yPred, ops.sub(1, y))), beta)
      const all = ops.add(ops.add(ops.add(common, missed), tooMuch), EPSILON)
      return perExample(ops.sub(1, ops.div(common, all)))
    },
  },
}

/** The sum over the axes of the option; over none if an example is one number. */
function summer(where: string, axis: number | readonly number[] | null, yPred: Node): (x: Node) => Node {
  const rank = yPred.shape.length
  const wanted = axis === null ? yPred.shape.map((_, i) => i).slice(1) : typeof axis === "number" ? [axis] : axis
  const at = wanted.map((one) => axisOf(one, rank, where))
  if (!at.includes(0)) return (x) => sum(x, at)
  const what = "the axis is that of the batch, but every example has a loss of its own."
  throw configError({ where: `${where}.axis`, what, got: `[${wanted.join(", ")}]`, hint: "Leave axis 0 out." })
}

/**
 * 1 − 2 Σ yŷ / (Σ y + Σ ŷ + 1e-7), with sums over an example, or over the given axes of it and the mean over the others.
 * Keras: Dice, whose sums run over the whole batch by default: there the loss of a batch depends on which examples are together.
 * Throws E_CONFIG for a wrong option. Milletari et al. (2016).
 * @example
 * ```ts
 * import { dice } from "trilobite"
 * dice() // => { type: "dice", axis: null }
 * ```
 */
export const dice = (options: DiceOptions = {}): Extract<OverlapLoss, { type: "dice" }> =>
  make<OverlapLoss, "dice">(overlapLosses, "dice", options)

/**
 * 1 − Σ yŷ / (Σ yŷ + α Σ y (1 − ŷ) + β Σ ŷ (1 − y) + 1e-7), with sums as those of dice: per example. The weights stand where
 * Keras's code has them; its text calls y (1 − ŷ) the false positives. Throws E_CONFIG for a wrong option.
 * Keras: Tversky; Salehi et al. (2017).
 * @example
 * ```ts
 * import { tversky } from "trilobite"
 * tversky({ alpha: 0.3, beta: 0.7 }).beta // => 0.7
 * ```
 */
export const tversky = (options: TverskyOptions = {}): Extract<OverlapLoss, { type: "tversky" }> =>
  make<OverlapLoss, "tversky">(overlapLosses, "tversky", options)
