// What an optimizer is: plain data, the slots it keeps for each parameter, and one traced update. Knows none by name.

import { log64 } from "../core/math64.ts"
import type { Shape } from "../core/shape.ts"
import type { Node } from "../graph/node.ts"
import { expm1, mul, neg } from "../graph/ops.ts"
import type { OptionsOf } from "./options.ts"

/** A value that an optimizer keeps for each parameter, and what it is at the beginning. */
export interface Slot {
  readonly name: string
  readonly initial: number
  /** Its shape, if it is not the parameter's. */
  readonly shape?: Shape
}

/** Values by the names of slots. */
export interface Slots {
  readonly [name: string]: Node
}

/** The values at the start of a round: the learning rate and t, 1 at the first update, have the shape []. */
export interface UpdateInput {
  readonly parameter: Node
  readonly gradient: Node
  readonly slots: Slots
  readonly learningRate: Node
  readonly t: Node
  /** The new values of what the optimizer keeps for all parameters together. */
  readonly common: Slots
}

/** The values after the round. */
export interface UpdateResult {
  readonly parameter: Node
  readonly slots: Slots
}

/** The row of one optimizer: its own options, the slots it needs and its rule, as a function of the options. */
export interface OptimizerRule<C> {
  readonly options: OptionsOf<C>
  readonly slots: (config: C, shape: Shape) => readonly Slot[]
  readonly update: (config: C, input: UpdateInput) => UpdateResult
  /** What is kept once, and how it changes. */
  readonly common?: {
    readonly slots: readonly Slot[]
    readonly update: (config: C, input: { readonly slots: Slots; readonly t: Node }) => Slots
  }
}

/** 1 − βᵗ, which corrects a running mean that began at 0: −(e^(t ln β) − 1), accurate also where βᵗ is near 1. */
export function correction(beta: number, t: Node): Node {
  return neg(expm1(mul(t, log64(beta))))
}
