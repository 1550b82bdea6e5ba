// Steps of one size, by the sign of the momentum. Knows no other optimizer.

import { sign } from "../../graph/compose.ts"
import { add, mul, sub } from "../../graph/ops.ts"
import type { OptimizerRule } from "../optimizer.ts"
import { optional } from "../options.ts"
import { share } from "./adam.ts"

/** The options of lion that others do not have. */
export interface LionRule {
  /** How much of the momentum counts in a step, from 0 to below 1 (default 0.9). */
  readonly beta1: number
  /** How much of the momentum is kept, from 0 to below 1 (default 0.99). */
  readonly beta2: number
}

/** w ← w − η sign(β₁ m + (1 − β₁) g), m ← β₂ m + (1 − β₂) g (Chen et al. 2023). */
export const lionRule: OptimizerRule<LionRule> = {
  options: { beta1: optional(share, 0.9), beta2: optional(share, 0.99) },
  slots: () => [{ name: "m", initial: 0 }],
  update: ({ beta1, beta2 }, { parameter, gradient, slots, learningRate }) => {
    const step = mul(sign(add(mul(slots.m!, beta1), mul(gradient, 1 - beta1))), learningRate)
    return { parameter: sub(parameter, step), slots: { m: add(mul(slots.m!, beta2), mul(gradient, 1 - beta2)) } }
  },
}
