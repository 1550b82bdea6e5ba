// Losses of the user's own: a traced function with a name. Knows no loss of ours.

import { configError, show } from "../../core/errors.ts"
import { formatShape } from "../../core/shape.ts"
import type { Node } from "../../graph/node.ts"
import { broadcastTo } from "../../graph/ops.ts"
import { oneOf, optional, readOptions } from "../options.ts"
import { perExample, type Targets } from "./rule.ts"

/** A loss or a metric as a function of graph values: `[batch]`, or `[batch, ...]` whose mean per example counts. */
export type LossFunction = (yTrue: Node, yPred: Node) => Node

/** The options of {@link customLoss}. */
export interface CustomLossOptions {
  /** What targets it takes (default "numbers" of the output's shape). */
  readonly targets?: Targets
}

/** A loss of the user's own. Only its name and its targets can be written to a file. */
export interface CustomLoss {
  readonly type: "custom"
  readonly name: string
  readonly targets: Targets
  readonly fn: LossFunction
}

const kinds: readonly Targets[] = ["numbers", "probabilities", "classes", "labels", "signs"]

/**
 * A loss of your own: a function of graph values made with the operations of `ops`, whose gradient follows by itself. It gives
 * one number per example, more (whose mean counts), or one for the whole batch. A function may also be given as the loss itself.
 * Throws E_CONFIG for a name that is empty and for what is no function. Keras: a function as loss.
 * @example
 * ```ts
 * import { customLoss, dense, ops, sequential } from "trilobite"
 * const fourth = customLoss("fourthPower", (yTrue, yPred) => {
 *   const error = ops.sub(yPred, yTrue)
 *   return ops.mul(ops.mul(error, error), ops.mul(error, error))
 * })
 * fourth.name // => "fourthPower"
 * const model = sequential([dense({ units: 1, inputShape: [2] })])
 * model.compile({ loss: fourth, optimizer: "sgd" })
 * ```
 */
export function customLoss(name: string, fn: LossFunction, options: CustomLossOptions = {}): CustomLoss {
  checkFunction("customLoss", name, fn)
  const table = { targets: optional(oneOf("targets", kinds), "numbers" as Targets) }
  return { type: "custom", name, fn, ...readOptions<{ readonly targets: Targets }>("customLoss", table, options) }
}

/** Throws E_CONFIG if it is no name with a function. */
export function checkFunction(where: string, name: unknown, fn: unknown): void {
  if (typeof name !== "string" || name === "") {
    throw configError({ where, what: "this is no name.", expected: "a text", got: show(name) })
  }
  if (typeof fn !== "function") {
    throw configError({ where, what: "this is no function.", expected: "(yTrue, yPred) => value", got: show(fn) })
  }
}

/** True if it is a loss of the user's own. */
export function isCustom(value: unknown): value is { readonly type: "custom"; readonly fn: LossFunction } {
  return typeof value === "object" && value !== null && "type" in value && value.type === "custom" && "fn" in value
}

/** A function that stands for one that is not in the file: it throws E_CONFIG when it is traced. */
export function missing(kind: "loss" | "metric", name: string): LossFunction {
  return () => {
    throw configError({
      where: kind,
      what: `the ${kind} of your own ${show(name)} is not in the file.`,
      hint: `Give it to loadModel as customObjects: { ${name}: the function }.`,
    })
  }
}

/** What the function gives, as one number per example. Throws E_CONFIG if it does not have the batch first. */
export function traceFunction(kind: string, fn: LossFunction, yTrue: Node, yPred: Node): Node {
  const value: unknown = fn(yTrue, yPred)
  const shape = typeof value === "object" && value !== null && "shape" in value ? (value as Node).shape : undefined
  const rows = yPred.shape[0]!
  if (shape?.length === 0) return broadcastTo(value as Node, [rows])
  if (shape?.[0] === rows) return perExample(value as Node)
  throw configError({
    where: kind,
    what: "the function does not give one number per example.",
    expected: "[batch], [batch, ...] or []",
    got: shape === undefined ? show(value) : formatShape(shape),
  })
}
