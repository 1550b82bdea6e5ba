// Hinge losses: nothing is lost beyond a margin. Knows no training.

import { largest, square, sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { alignTo, type LossTable, perExample, type Simple } from "./rule.ts"

/** The losses of this file as plain data. */
export type MarginLoss = Simple<"hinge"> | Simple<"squaredHinge"> | Simple<"categoricalHinge">

/** The rows of the losses of this file. */
export const marginLosses: LossTable<MarginLoss> = {
  hinge: { options: {}, targets: "signs", trace: (_, yTrue, yPred) => perExample(missing(yTrue, yPred)) },
  squaredHinge: {
    options: {},
    targets: "signs",
    trace: (_, yTrue, yPred) => perExample(square(missing(yTrue, yPred))),
  },
  categoricalHinge: {
    options: {},
    targets: "classes",
    trace: (_, yTrue, yPred) => {
      const y = alignTo(yPred, yTrue)
      const right = sum(ops.mul(y, yPred), [-1])
      const wrong = largest(ops.mul(ops.sub(1, y), yPred), [-1])
      return perExample(ops.max(ops.add(ops.sub(wrong, right), 1), 0))
    },
  },
}

/** max(1 − yŷ, 0); a target of 0 stands for −1. */
function missing(yTrue: Node, yPred: Node): Node {
  const y = alignTo(yPred, yTrue)
  return ops.max(ops.sub(1, ops.mul(ops.where(ops.equal(y, 0), -1, y), yPred)), 0)
}

/**
 * max(1 − yŷ, 0), the mean over an example's outputs. Targets −1 and 1, or 0 and 1, where 0 stands for −1. Keras: Hinge.
 * @example
 * ```ts
 * import { hinge } from "trilobite"
 * hinge() // => { type: "hinge" }
 * ```
 */
export const hinge = (): Simple<"hinge"> => ({ type: "hinge" })

/**
 * max(1 − yŷ, 0)², the mean over an example's outputs. Targets −1 and 1, or 0 and 1, where 0 stands for −1.
 * Keras: SquaredHinge.
 * @example
 * ```ts
 * import { squaredHinge } from "trilobite"
 * squaredHinge() // => { type: "squaredHinge" }
 * ```
 */
export const squaredHinge = (): Simple<"squaredHinge"> => ({ type: "squaredHinge" })

/**
 * max(max((1 − y) ŷ) − Σ yŷ + 1, 0) over the classes: how far the best wrong class comes near the right one. Targets one-hot.
 * Keras: CategoricalHinge.
 * @example
 * ```ts
 * import { categoricalHinge } from "trilobite"
 * categoricalHinge() // => { type: "categoricalHinge" }
 * ```
 */
export const categoricalHinge = (): Simple<"categoricalHinge"> => ({ type: "categoricalHinge" })
