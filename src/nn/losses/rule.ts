// What every loss is made of: its row in a table, how targets are brought to the shape of the output, and the mean per
// example. Knows no loss.

import { dataError } from "../../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../../core/shape.ts"
import { mean } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { reshape } from "../../graph/ops.ts"
import { type Kind, type OptionsOf, readOptions, that } from "../options.ts"
import type { Spec } from "../spec.ts"

/**
 * What a loss compares the output with: numbers of the output's shape, numbers from 0 to 1 of that shape, probabilities of
 * classes (one-hot), the index of a class, or signs (−1 and 1, or 0 and 1) of the output's shape.
 */
export type Targets = "numbers" | "probabilities" | "classes" | "labels" | "signs"

/** The row of one loss: its options, its targets, and its value per example. */
export interface LossRule<C> {
  readonly options: OptionsOf<C>
  readonly targets: Targets
  readonly trace: (config: C, yTrue: Node, yPred: Node) => Node
}

/** A row for every loss of a union. */
export type LossTable<L extends Spec> = {
  readonly [T in L["type"]]: LossRule<Omit<Extract<L, { type: T }>, "type">>
}

/** A loss without options. */
export interface Simple<T extends string> {
  readonly type: T
}

/** Keras's fuzz factor: probabilities are kept this far from 0 and 1 before their logarithm is taken. */
export const EPSILON = 1e-7

/** Numbers from 0 to 1. */
/* @__NO_SIDE_EFFECTS__ */
export function share(): Kind<number> {
  return that("a number from 0 to 1", (value): value is number => typeof value === "number" && value >= 0 && value <= 1)
}

/** A loss with its options, checked and completed. */
export function make<L extends Spec, T extends L["type"]>(
  table: { readonly [K in T]: { readonly options: OptionsOf<Omit<Extract<L, { type: T }>, "type">> } },
  type: T,
  options: object,
): Extract<L, { type: T }> {
  return { type, ...readOptions<object>(type, table[type].options, options) } as Extract<L, { type: T }>
}

/** The mean over all axes but the batch, `[batch, ...] -> [batch]`. */
export function perExample(x: Node): Node {
  return x.shape.length === 1 ? x : mean(x, x.shape.map((_, axis) => axis).slice(1))
}

/** The targets in the shape of the output (or another one), which may differ from it by a last size of 1. */
export function alignTo(yPred: Node, yTrue: Node, shape: Shape = yPred.shape): Node {
  if (fits(yTrue.shape, shape)) return reshape(yTrue, shape)
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
