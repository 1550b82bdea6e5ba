// Adam with Nesterov's momentum. Knows no other optimizer.

import { log64 } from "../../core/math64.ts"
import { square } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { add, div, exp, mul, sqrt, sub } from "../../graph/ops.ts"
import { correction, type OptimizerRule } from "../optimizer.ts"
import { type Moments, moments } from "./adam.ts"

/** μₜ = β₁ (1 − ½ · 0.96ᵗ): how much of the momentum counts grows towards β₁. */
function momentumAt(beta1: number, t: Node): Node {
  return mul(sub(1, mul(exp(mul(t, log64(0.96))), 0.5)), beta1)
}

/**
 * Adam's moments; w ← w − η m̂ / (√v̂ + ε) with m̂ = μₜ₊₁ m / (1 − Πμ · μₜ₊₁) + (1 − μₜ) g / (1 − Πμ) and v̂ = v / (1 − β₂ᵗ), Πμ the product
 * of all μ so far (Dozat 2016, as in Keras).
 */
export const nadamRule: OptimizerRule<Moments> = {
  options: moments,
  slots: () => ["m", "v"].map((name) => ({ name, initial: 0 })),
  common: {
    slots: [{ name: "product", initial: 1, shape: [] }],
    update: ({ beta1 }, { slots, t }) => ({ product: mul(slots.product!, momentumAt(beta1, t)) }),
  },
  update: ({ beta1, beta2, epsilon }, { parameter, gradient, slots, learningRate, t, common }) => {
    const [now, next] = [momentumAt(beta1, t), momentumAt(beta1, add(t, 1))]
    const m = add(slots.m!, mul(sub(gradient, slots.m!), 1 - beta1))
    const v = add(slots.v!, mul(sub(square(gradient), slots.v!), 1 - beta2))
    const ahead = mul(m, div(next, sub(1, mul(common.product!, next))))
    const mean = add(ahead, mul(gradient, div(sub(1, now), sub(1, common.product!))))
    const spread = add(sqrt(div(v, correction(beta2, t))), epsilon)
    return { parameter: sub(parameter, div(mul(mean, learningRate), spread)), slots: { m, v } }
  },
}
