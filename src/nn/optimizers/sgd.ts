// Stochastic gradient descent. Knows no other optimizer.

import { add, mul, sub } from "../../graph/ops.ts"
import type { OptimizerRule, UpdateResult } from "../optimizer.ts"
import { finiteNumber, flag, optional } from "../options.ts"

/** The options of sgd that others do not have. */
export interface SgdRule {
  /** How much of the last step is kept, from 0 to below 1 (default 0). */
  readonly momentum: number
  /** Nesterov's variant of momentum (default false). */
  readonly nesterov: boolean
}

/**
 * w ← w − η g; with momentum v ← momentum·v − η g and w ← w + v, or with Nesterov's w ← w + momentum·v − η g (Sutskever et al.
 * 2013, as in Keras). Without momentum there is no slot.
 */
export const sgdRule: OptimizerRule<SgdRule> = {
  options: { momentum: optional(finiteNumber({ least: 0, below: 1 }), 0), nesterov: optional(flag(), false) },
  slots: ({ momentum }) => (momentum === 0 ? [] : [{ name: "velocity", initial: 0 }]),
  update: ({ momentum, nesterov }, { parameter, gradient, slots, learningRate }): UpdateResult => {
    const step = mul(learningRate, gradient)
    if (momentum === 0) return { parameter: sub(parameter, step), slots: {} }
    const velocity = sub(mul(slots.velocity!, momentum), step)
    const move = nesterov ? sub(mul(velocity, momentum), step) : velocity
    return { parameter: add(parameter, move), slots: { velocity } }
  },
}
