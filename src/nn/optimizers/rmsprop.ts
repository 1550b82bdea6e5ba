// Steps divided by the root of the running mean of squares. Knows no other optimizer.

import { square } from "../../graph/compose.ts"
import { add, div, mul, sqrt, sub } from "../../graph/ops.ts"
import type { OptimizerRule } from "../optimizer.ts"
import { finiteNumber, flag, optional } from "../options.ts"
import { share } from "./adam.ts"

/** The options of rmsprop that others do not have. */
export interface RmspropRule {
  /** How much of the running mean of squares is kept, from 0 to below 1 (default 0.9). */
  readonly rho: number
  /** How much of the last step is kept, from 0 to below 1 (default 0). */
  readonly momentum: number
  /** What is added to the mean of squares (default 1e-7). */
  readonly epsilon: number
  /** Whether the square of the mean gradient is taken from the mean of squares (default false). */
  readonly centered: boolean
}

/**
 * v ← ρ v + (1 − ρ) g², w ← w − η g / √(v + ε); with momentum of those steps, and less the squared running mean of g if centered
 * (Hinton 2012; Graves 2013; as in Keras).
 */
export const rmspropRule: OptimizerRule<RmspropRule> = {
  options: {
    rho: optional(share, 0.9),
    momentum: optional(share, 0),
    epsilon: optional(finiteNumber({ least: 0 }), 1e-7),
    centered: optional(flag(), false),
  },
  slots: ({ momentum, centered }) =>
    ["v", ...(momentum > 0 ? ["velocity"] : []), ...(centered ? ["mean"] : [])].map((name) => ({ name, initial: 0 })),
  update: ({ rho, momentum, epsilon, centered }, { parameter, gradient, slots, learningRate }) => {
    const v = add(mul(slots.v!, rho), mul(square(gradient), 1 - rho))
    const mean = centered ? add(mul(slots.mean!, rho), mul(gradient, 1 - rho)) : undefined
    const spread = add(mean === undefined ? v : sub(v, square(mean)), epsilon)
    const step = div(mul(gradient, learningRate), sqrt(spread))
    const velocity = momentum > 0 ? add(mul(slots.velocity!, momentum), step) : undefined
    const kept = { v, ...(velocity && { velocity }), ...(mean && { mean }) }
    return { parameter: sub(parameter, velocity ?? step), slots: kept }
  },
}
