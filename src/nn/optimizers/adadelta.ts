// Steps by the ratio of past steps to past gradients. Knows no other optimizer.

import { square } from "../../graph/compose.ts"
import { add, div, mul, sqrt, sub } from "../../graph/ops.ts"
import type { OptimizerRule } from "../optimizer.ts"
import { finiteNumber, optional } from "../options.ts"
import { share } from "./adam.ts"

/** The options of adadelta that others do not have. */
export interface AdadeltaRule {
  /** How much of running means is kept, from 0 to below 1 (default 0.95). */
  readonly rho: number
  /** What is added to means of squares (default 1e-7). */
  readonly epsilon: number
}

/** G ← ρ G + (1 − ρ) g², d = g √(D + ε) / √(G + ε), D ← ρ D + (1 − ρ) d², w ← w − η d (Zeiler 2012). */
export const adadeltaRule: OptimizerRule<AdadeltaRule> = {
  options: { rho: optional(share, 0.95), epsilon: optional(finiteNumber({ least: 0 }), 1e-7) },
  slots: () => ["gradients", "steps"].map((name) => ({ name, initial: 0 })),
  update: ({ rho, epsilon }, { parameter, gradient, slots, learningRate }) => {
    const gradients = add(mul(slots.gradients!, rho), mul(square(gradient), 1 - rho))
    const step = div(mul(gradient, sqrt(add(slots.steps!, epsilon))), sqrt(add(gradients, epsilon)))
    const steps = add(mul(slots.steps!, rho), mul(square(step), 1 - rho))
    return { parameter: sub(parameter, mul(step, learningRate)), slots: { gradients, steps } }
  },
}
