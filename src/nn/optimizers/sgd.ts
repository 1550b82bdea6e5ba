// Stochastic gradient descent. Knows no other optimizer.

import { add, mul, sub } from "../../graph/ops.ts"
import type { OptimizerRule, UpdateResult } from "../optimizer.ts"
import { finiteNumber, flag, optional, readOptions } from "../options.ts"

/** The options of {@link sgd}. */
export interface SgdOptions {
  /** The size η of a step, at least 0 (default 0.01). */
  readonly learningRate?: number
  /** How much of the last step is kept, from 0 to below 1 (default 0). */
  readonly momentum?: number
  /** Nesterov's variant of momentum (default false). */
  readonly nesterov?: boolean
}

/** Stochastic gradient descent as plain data. */
export interface Sgd extends Required<SgdOptions> {
  readonly type: "sgd"
}

/**
 * The rule: w ← w − η g; with momentum v ← momentum·v − η g and w ← w + v, or with Nesterov's
 * w ← w + momentum·v − η g (Sutskever et al. 2013, as in Keras). Without momentum there is no slot.
 */
export const sgdRule: OptimizerRule<Required<SgdOptions>> = {
  options: {
    learningRate: optional(finiteNumber({ least: 0 }), 0.01),
    momentum: optional(finiteNumber({ least: 0, below: 1 }), 0),
    nesterov: optional(flag(), false),
  },
  slots: ({ momentum }) => (momentum === 0 ? [] : [{ name: "velocity", initial: 0 }]),
  update: ({ momentum, nesterov }, { parameter, gradient, slots, learningRate }): UpdateResult => {
    const step = mul(learningRate, gradient)
    if (momentum === 0) return { parameter: sub(parameter, step), slots: {} }
    const velocity = sub(mul(slots.velocity!, momentum), step)
    const move = nesterov ? sub(mul(velocity, momentum), step) : velocity
    return { parameter: add(parameter, move), slots: { velocity } }
  },
}

/**
 * Stochastic gradient descent: w ← w − learningRate · ∂C/∂w, with momentum if asked for.
 * Throws E_CONFIG for a wrong option. Keras: SGD.
 * @example
 * ```ts
 * import { sgd } from "trilobite"
 * sgd({ learningRate: 0.1 }) // => { type: "sgd", learningRate: 0.1, momentum: 0, nesterov: false }
 * ```
 */
export function sgd(options: SgdOptions = {}): Sgd {
  return { type: "sgd", ...readOptions<Required<SgdOptions>>("sgd", sgdRule.options, options) }
}
