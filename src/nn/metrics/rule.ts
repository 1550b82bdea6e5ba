// What accumulated metrics are made of: rows of sums over the batch, and results on the host. Knows no metric.

import { configError } from "../../core/errors.ts"
import { formatShape, size } from "../../core/shape.ts"
import { sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { fits, type Simple } from "../losses/rule.ts"
import type { OptionsOf } from "../options.ts"
import type { Spec } from "../spec.ts"

/** A result: one number, or several. */
export type Result = number | readonly number[] | readonly (readonly number[])[]

/** A metric that is computed from sums over all rows of a pass. */
export interface SumsRule<C> {
  readonly options: OptionsOf<C>
  /** Numbers of a batch, `[k]`, summed over its rows; each counts by its weight, `[batch]`, if there are weights. */
  readonly sums: (config: C, yTrue: Node, yPred: Node, weights: Node | undefined) => Node
  /** The result of the sums of all batches, in float64. */
  readonly result: (config: C, sums: Float64Array) => Result
}

/** A row for every metric of a union. */
export type SumsTable<M extends Spec> = {
  readonly [T in M["type"]]: SumsRule<Omit<Extract<M, { type: T }>, "type">>
}

/** A metric without options. */
export type Plain<T extends string> = Simple<T>

/** Several values of shape [k] one after the other, `[m·k]`. */
export function stack(values: readonly Node[]): Node {
  const [k] = values[0]!.shape
  const m = values.length
  const row = ops.reshape(ops.indexOver([m]), [m, 1])
  const stacked = values.reduceRight((rest, value, i) => {
    return i === m - 1 ? ops.broadcastTo(value, [m, k!]) : ops.where(ops.equal(row, i), value, rest)
  }, values[0]!)
  return ops.reshape(stacked, [m * k!])
}

/** Targets of the output's shape: as they are, or one-hot for labels. */
export function hotTargets(where: string, yTrue: Node, yPred: Node): Node {
  if (fits(yTrue.shape, yPred.shape)) return ops.reshape(yTrue, yPred.shape)
  if (fits(yTrue.shape, yPred.shape.slice(0, -1))) {
    return ops.equal(ops.indexOver(yPred.shape), ops.reshape(yTrue, [...yPred.shape.slice(0, -1), 1]))
  }
  throw configError({
    where,
    what: `targets ${formatShape(yTrue.shape)} cannot be compared with the output ${formatShape(yPred.shape)}.`,
  })
}

/** The weights of examples, or of their steps, for every row of `[batch·k, ...]`; undefined stays so. */
export function weightsFor(x: Node, weights: Node | undefined): Node | undefined {
  if (weights === undefined) return undefined
  const [rows, given] = [x.shape[0]!, weights.shape[0]!]
  return ops.reshape(ops.broadcastTo(ops.reshape(weights, [given, 1]), [given, rows / given]), [rows])
}

/** Rows of examples as a matrix: `[batch, ..., k]` becomes `[batch·…, k]`. */
export function rowsOf(x: Node): Node {
  const k = x.shape.length < 2 ? 1 : x.shape[x.shape.length - 1]!
  return ops.reshape(x, [size(x.shape) / k, k])
}

/** x times the weights of its rows, if there are any. */
export function weighted(x: Node, weights: Node | undefined): Node {
  const w = weightsFor(x, weights)
  return w === undefined ? x : ops.mul(x, x.shape.length === 1 ? w : ops.reshape(w, [w.shape[0]!, 1]))
}

/** Σ over the rows of a matrix, `[rows, k] -> [k]`. */
export function overRows(x: Node): Node {
  return sum(x, [0])
}

/** a / b, and 0 where b is 0. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b
}
