// The table of optimizers and what the trainer asks of one. Knows no trainer.

import type { OptimizerRule, Slot, UpdateInput, UpdateResult } from "./optimizer.ts"
import { type Sgd, sgdRule } from "./optimizers/sgd.ts"
import { readSpec } from "./spec.ts"

/** An optimizer as plain data: a type with all its options. */
export type Optimizer = Sgd

/** The name of an optimizer. */
export type OptimizerName = Optimizer["type"]

/** The rule of every optimizer. */
export const optimizers: {
  readonly [T in OptimizerName]: OptimizerRule<Omit<Extract<Optimizer, { type: T }>, "type">>
} = { sgd: sgdRule }

/** The optimizer that a name or an object stands for, complete. Throws E_CONFIG for unknown names, options and values. */
export function readOptimizer(value: unknown): Optimizer {
  return readSpec<Optimizer>("optimizer", "optimizer", optimizers, value)
}

/** The values that the optimizer keeps for each parameter. */
export function slotsOf(optimizer: Optimizer): readonly Slot[] {
  return optimizers[optimizer.type].slots(optimizer)
}

/** A parameter and its slots after one round, traced. */
export function traceUpdate(optimizer: Optimizer, input: UpdateInput): UpdateResult {
  return optimizers[optimizer.type].update(optimizer, input)
}

/** What is allowed but hardly meant. */
export function optimizerWarnings(optimizer: Optimizer): string[] {
  return optimizer.learningRate === 0 ? ["The learning rate is 0: nothing will be learnt."] : []
}
