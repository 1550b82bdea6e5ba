// Losses: plain data, and the traced function that gives one number per example. Knows no layers and no training;
// what targets they take is in targets.ts.

import { dataError } from "../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../core/shape.ts"
import { clip, logSoftmax, mean, square, sum } from "../graph/compose.ts"
import type { Node } from "../graph/node.ts"
import * as ops from "../graph/ops.ts"
import type { Spelling } from "./names.ts"
import { flag, type OptionsOf, optional, readOptions } from "./options.ts"
import { readSpec } from "./spec.ts"

/** The options of the cross-entropies. */
export interface CrossentropyOptions {
  /** True if the output is z, before softmax or sigmoid (default false). */
  readonly fromLogits?: boolean
}

interface Simple<T extends string> {
  readonly type: T
}
interface Crossentropy<T extends string> extends Required<CrossentropyOptions> {
  readonly type: T
}

/** A loss as plain data: a type with all its options. */
export type Loss =
  | Simple<"meanSquaredError">
  | Simple<"meanAbsoluteError">
  | Crossentropy<"binaryCrossentropy">
  | Crossentropy<"categoricalCrossentropy">
  | Crossentropy<"sparseCategoricalCrossentropy">

/** Short names of losses. */
export const lossAliases = { mse: "meanSquaredError", mae: "meanAbsoluteError" } as const

/** The name of a loss. */
export type LossName = Loss["type"]

/** What a user may give as a loss: a name or an object as the functions of that name give it. */
export type LossLike = Spelling<LossName> | keyof typeof lossAliases | Loss

/**
 * What a loss compares the output with: numbers of the output's shape, numbers from 0 to 1 of that shape,
 * probabilities of classes (one-hot), or the index of a class.
 */
export type Targets = "numbers" | "probabilities" | "classes" | "labels"

/** The row of one loss: its options, its targets, and its value per example. */
export interface LossRule<C> {
  readonly options: OptionsOf<C>
  readonly targets: Targets
  readonly trace: (config: C, yTrue: Node, yPred: Node) => Node
}

/** Keras's fuzz factor: probabilities are kept this far from 0 and 1 before their logarithm is taken. */
const EPSILON = 1e-7

const crossentropyOptions = { fromLogits: optional(flag(), false) }

/** The table of losses. */
export const losses: { readonly [T in LossName]: LossRule<Omit<Extract<Loss, { type: T }>, "type">> } = {
  meanSquaredError: {
    options: {},
    targets: "numbers",
    trace: (_, yTrue, yPred) => perExample(square(ops.sub(yPred, alignTo(yPred, yTrue)))),
  },
  meanAbsoluteError: {
    options: {},
    targets: "numbers",
    trace: (_, yTrue, yPred) => perExample(ops.abs(ops.sub(yPred, alignTo(yPred, yTrue)))),
  },
  binaryCrossentropy: {
    options: crossentropyOptions,
    targets: "probabilities",
    trace: ({ fromLogits }, yTrue, yPred) => {
      const y = alignTo(yPred, yTrue)
      const z = fromLogits ? yPred : ops.logitsOf(yPred, "sigmoid")
      return perExample(z === undefined ? binaryOfProbability(y, yPred) : binaryOfLogit(y, z))
    },
  },
  categoricalCrossentropy: {
    options: crossentropyOptions,
    targets: "classes",
    trace: ({ fromLogits }, yTrue, yPred) => {
      const y = alignTo(yPred, yTrue)
      return perExample(sum(ops.mul(y, surprise(yPred, fromLogits)), [-1]))
    },
  },
  sparseCategoricalCrossentropy: {
    options: crossentropyOptions,
    targets: "labels",
    trace: ({ fromLogits }, yTrue, yPred) => {
      const label = alignTo(yPred, yTrue, [...yPred.shape.slice(0, -1), 1])
      const chosen = ops.equal(ops.indexOver(yPred.shape), label)
      return perExample(sum(ops.where(chosen, surprise(yPred, fromLogits), 0), [-1]))
    },
  },
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
function surprise(yPred: Node, fromLogits: boolean): Node {
  const z = fromLogits ? yPred : ops.logitsOf(yPred, "softmax")
  if (z !== undefined) return ops.neg(logSoftmax(z))
  const p = ops.div(yPred, sum(yPred, [-1], true))
  return ops.neg(ops.log(clip(p, EPSILON, 1 - EPSILON)))
}

/** The mean over all axes but the batch, `[batch, ...] -> [batch]`. */
export function perExample(x: Node): Node {
  return x.shape.length === 1 ? x : mean(x, x.shape.map((_, axis) => axis).slice(1))
}

/** The targets in the shape of the output (or another one), which may differ from it by a last size of 1. */
export function alignTo(yPred: Node, yTrue: Node, shape: Shape = yPred.shape): Node {
  if (fits(yTrue.shape, shape)) return ops.reshape(yTrue, shape)
  throw dataError({
    where: "targets",
    what: "the targets do not have the shape that the output asks for.",
    expected: formatShape(shape),
    got: formatShape(yTrue.shape),
  })
}

/** True if the shapes are the same, or one has a last size of 1 more. */
export function fits(a: Shape, b: Shape): boolean {
  return sameShape(a, b) || sameShape([...a, 1], b) || sameShape(a, [...b, 1])
}

/** The loss that a name or an object stands for, complete. Throws E_CONFIG for unknown names, options and values. */
export function readLoss(value: unknown): Loss {
  return readSpec<Loss>("loss", "loss", losses, value, lossAliases)
}

/** The loss of each example, `[batch]`, traced; what training minimises is its mean over the rows. */
export function traceLoss(loss: Loss, yTrue: Node, yPred: Node): Node {
  const { type, ...config } = loss
  const { trace }: { trace: (config: never, yTrue: Node, yPred: Node) => Node } = losses[type]
  return trace(config as never, yTrue, yPred)
}

/** What the loss compares the output with. */
export function targetsOf(loss: Loss): Targets {
  return losses[loss.type].targets
}

const crossentropy = <T extends Crossentropy<string>["type"]>(
  type: T,
  options: CrossentropyOptions,
): Crossentropy<T> => ({
  type,
  ...readOptions<Required<CrossentropyOptions>>(type, crossentropyOptions, options),
})

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
 * −[y ln a + (1 − y) ln(1 − a)], the mean over an example's outputs; computed from z behind a sigmoid. Targets from 0 to 1.
 * Throws E_CONFIG for a wrong option. Keras: BinaryCrossentropy.
 * @example
 * ```ts
 * import { binaryCrossentropy } from "trilobite"
 * binaryCrossentropy() // => { type: "binaryCrossentropy", fromLogits: false }
 * ```
 */
export const binaryCrossentropy = (options: CrossentropyOptions = {}): Crossentropy<"binaryCrossentropy"> =>
  crossentropy("binaryCrossentropy", options)

/**
 * −Σ y ln a over the classes; computed from z behind a softmax. Targets one-hot, or probabilities that sum to 1.
 * Throws E_CONFIG for a wrong option. Keras: CategoricalCrossentropy.
 * @example
 * ```ts
 * import { categoricalCrossentropy } from "trilobite"
 * categoricalCrossentropy({ fromLogits: true }).fromLogits // => true
 * ```
 */
export const categoricalCrossentropy = (options: CrossentropyOptions = {}): Crossentropy<"categoricalCrossentropy"> =>
  crossentropy("categoricalCrossentropy", options)

/**
 * −ln a of the right class, whose index is the target; the same number as categoricalCrossentropy of one-hot targets.
 * Throws E_CONFIG for a wrong option. Keras: SparseCategoricalCrossentropy.
 * @example
 * ```ts
 * import { sparseCategoricalCrossentropy } from "trilobite"
 * sparseCategoricalCrossentropy().type // => "sparseCategoricalCrossentropy"
 * ```
 */
export const sparseCategoricalCrossentropy = (
  options: CrossentropyOptions = {},
): Crossentropy<"sparseCategoricalCrossentropy"> => crossentropy("sparseCategoricalCrossentropy", options)
