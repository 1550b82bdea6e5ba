// Adam by the largest gradient instead of their squares. Knows no other optimizer.

import { abs, add, div, max, mul, sub } from "../../graph/ops.ts"
import { correction, type OptimizerRule } from "../optimizer.ts"
import { type Moments, moments } from "./adam.ts"

/** m as in Adam, u ← max(β₂ u, |g|), w ← w − η m / ((1 − β₁ᵗ)(u + ε)) (Kingma and Ba 2015). */
export const adamaxRule: OptimizerRule<Moments> = {
  options: moments,
  slots: () => ["m", "u"].map((name) => ({ name, initial: 0 })),
  update: ({ beta1, beta2, epsilon }, { parameter, gradient, slots, learningRate, t }) => {
    const m = add(slots.m!, mul(sub(gradient, slots.m!), 1 - beta1))
    const u = max(mul(slots.u!, beta2), abs(gradient))
    const step = div(mul(m, div(learningRate, correction(beta1, t))), add(u, epsilon))
    return { parameter: sub(parameter, step), slots: { m, u } }
  },
}
