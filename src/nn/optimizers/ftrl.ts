// Follow the regularized leader. Knows no other optimizer.

import { clip, pow, square } from "../../graph/compose.ts"
import { add, div, mul, sub } from "../../graph/ops.ts"
import type { OptimizerRule } from "../optimizer.ts"
import { finiteNumber, optional } from "../options.ts"

/** The options of ftrl that others do not have. */
export interface FtrlRule {
  /** How learning rates fall with the sum of squares, at most 0 (default −0.5). */
  readonly learningRatePower: number
  /** With what the sum of squares begins (default 0.1). */
  readonly initialAccumulatorValue: number
  /** The price of Σ |w| (default 0). */
  readonly l1RegularizationStrength: number
  /** The price of Σ w² (default 0). */
  readonly l2RegularizationStrength: number
  /** A price of Σ w² that acts through the gradient (default 0). */
  readonly l2ShrinkageRegularizationStrength: number
  /** The β of the paper (default 0). */
  readonly beta: number
}

const least = finiteNumber({ least: 0 })

/**
 * n ← n + g², z ← z + g − (n^p − n_old^p) / η · w with p = −learningRatePower, w ← (clip(z, −l1, l1) − z) / (n^p / η + 2 l2 + β / η)
 * (McMahan et al. 2013, as in Keras).
 */
export const ftrlRule: OptimizerRule<FtrlRule> = {
  options: {
    learningRatePower: optional(finiteNumber({ most: 0 }), -0.5),
    initialAccumulatorValue: optional(least, 0.1),
    l1RegularizationStrength: optional(least, 0),
    l2RegularizationStrength: optional(least, 0),
    l2ShrinkageRegularizationStrength: optional(least, 0),
    beta: optional(least, 0),
  },
  slots: ({ initialAccumulatorValue }) => [
    { name: "squares", initial: initialAccumulatorValue },
    { name: "linear", initial: 0 },
  ],
  update: (config, { parameter, gradient, slots, learningRate }) => {
    const [p, l1] = [-config.learningRatePower, config.l1RegularizationStrength]
    const shrinkage = config.l2ShrinkageRegularizationStrength
    const shrunk = shrinkage === 0 ? gradient : add(gradient, mul(parameter, 2 * shrinkage))
    const squares = add(slots.squares!, square(gradient))
    const [before, now] = [pow(slots.squares!, p), pow(squares, p)]
    const linear = sub(add(slots.linear!, shrunk), mul(div(sub(now, before), learningRate), parameter))
    const quadratic = add(div(add(now, config.beta), learningRate), 2 * config.l2RegularizationStrength)
    return { parameter: div(sub(clip(linear, -l1, l1), linear), quadratic), slots: { squares, linear } }
  },
}
