// What an optimizer is: plain data, the slots it keeps for each parameter, and one traced update. Knows none by name.

import type { Node } from "../graph/node.ts"
import type { OptionsOf } from "./options.ts"

/** A value that an optimizer keeps for each parameter, of the parameter's shape, and what it is at the beginning. */
export interface Slot {
  readonly name: string
  readonly initial: number
}

/** The values at the start of a round: learningRate and step (0 in the first round) have the shape []. */
export interface UpdateInput {
  readonly parameter: Node
  readonly gradient: Node
  readonly slots: { readonly [name: string]: Node }
  readonly learningRate: Node
  readonly step: Node
}

/** The values after the round. */
export interface UpdateResult {
  readonly parameter: Node
  readonly slots: { readonly [name: string]: Node }
}

/** The row of one optimizer: its options, the slots it needs and its rule, as a function of the options. */
export interface OptimizerRule<C> {
  readonly options: OptionsOf<C>
  readonly slots: (config: C) => readonly Slot[]
  readonly update: (config: C, input: UpdateInput) => UpdateResult
}
