// Adam and its kin with weight decay. Knows no other optimizer.

import { square } from "../../graph/compose.ts"
import { add, div, max, mul, sqrt, sub } from "../../graph/ops.ts"
import { correction, type OptimizerRule } from "../optimizer.ts"
import { finiteNumber, flag, type Kind, type OptionsOf, optional } from "../options.ts"

/** How much of running means is kept, and what is added to a divisor. */
export interface Moments {
  /** How much of the running mean of gradients is kept, from 0 to below 1 (default 0.9). */
  readonly beta1: number
  /** How much of the running mean of their squares is kept, from 0 to below 1 (default 0.999). */
  readonly beta2: number
  /** What is added to a divisor (default 1e-7). */
  readonly epsilon: number
}

/** The options of adam that others do not have. */
export interface AdamRule extends Moments {
  /** Whether the largest second moment so far is used (default false). */
  readonly amsgrad: boolean
}

/** A number from 0 to below 1. */
export const share: Kind<number> = finiteNumber({ least: 0, below: 1 })

/** The table of {@link Moments}. */
export const moments: OptionsOf<Moments> = {
  beta1: optional(share, 0.9),
  beta2: optional(share, 0.999),
  epsilon: optional(finiteNumber({ least: 0 }), 1e-7),
}

/**
 * m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε) (Kingma and Ba 2015; with
 * amsgrad the largest v so far, Reddi et al. 2018).
 */
export const adamRule: OptimizerRule<AdamRule> = {
  options: { ...moments, amsgrad: optional(flag(), false) },
  slots: ({ amsgrad }) => ["m", "v", ...(amsgrad ? ["vMax"] : [])].map((name) => ({ name, initial: 0 })),
  update: ({ beta1, beta2, epsilon, amsgrad }, { parameter, gradient, slots, learningRate, t }) => {
    const m = add(slots.m!, mul(sub(gradient, slots.m!), 1 - beta1))
    const v = add(slots.v!, mul(sub(square(gradient), slots.v!), 1 - beta2))
    const rate = div(mul(learningRate, sqrt(correction(beta2, t))), correction(beta1, t))
    const vMax = amsgrad ? max(slots.vMax!, v) : v
    const step = div(mul(m, rate), add(sqrt(vMax), epsilon))
    return { parameter: sub(parameter, step), slots: { m, v, ...(amsgrad && { vMax }) } }
  },
}
