// Steps divided by the root of the sum of squares. Knows no other optimizer.

import { square } from "../../graph/compose.ts"
import { add, div, mul, sqrt, sub } from "../../graph/ops.ts"
import type { OptimizerRule } from "../optimizer.ts"
import { finiteNumber, optional } from "../options.ts"

/** The options of adagrad that others do not have. */
export interface AdagradRule {
  /** With what the sum of squares begins (default 0.1). */
  readonly initialAccumulatorValue: number
  /** What is added to the sum of squares (default 1e-7). */
  readonly epsilon: number
}

/** s ← s + g², w ← w − η g / √(s + ε) (Duchi et al. 2011, as in Keras). */
export const adagradRule: OptimizerRule<AdagradRule> = {
  options: {
    initialAccumulatorValue: optional(finiteNumber({ least: 0 }), 0.1),
    epsilon: optional(finiteNumber({ least: 0 }), 1e-7),
  },
  slots: ({ initialAccumulatorValue }) => [{ name: "sum", initial: initialAccumulatorValue }],
  update: ({ epsilon }, { parameter, gradient, slots, learningRate }) => {
    const sum = add(slots.sum!, square(gradient))
    const step = div(mul(gradient, learningRate), sqrt(add(sum, epsilon)))
    return { parameter: sub(parameter, step), slots: { sum } }
  },
}
