// Adam with steps as long as the weights, for large batches. Knows no other optimizer.

import { square, sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { add, div, less, mul, sqrt, sub, where } from "../../graph/ops.ts"
import { correction, type OptimizerRule } from "../optimizer.ts"
import { type Moments, moments } from "./adam.ts"

const norm = (x: Node): Node => sqrt(sum(square(x)))

/** Adam's corrected moments give a direction r = m̂ / (√v̂ + ε); w ← w − η (‖w‖ / ‖r‖) r (You et al. 2020, as in Keras). */
export const lambRule: OptimizerRule<Moments> = {
  options: moments,
  slots: () => ["m", "v"].map((name) => ({ name, initial: 0 })),
  update: ({ beta1, beta2, epsilon }, { parameter, gradient, slots, learningRate, t }) => {
    const m = add(slots.m!, mul(sub(gradient, slots.m!), 1 - beta1))
    const v = add(slots.v!, mul(sub(square(gradient), slots.v!), 1 - beta2))
    const direction = div(div(m, correction(beta1, t)), add(sqrt(div(v, correction(beta2, t))), epsilon))
    const [length, step] = [norm(parameter), norm(direction)]
    const ratio = where(less(0, length), where(less(0, step), div(length, step), 1), 1)
    return { parameter: sub(parameter, mul(direction, mul(ratio, learningRate))), slots: { m, v } }
  },
}
