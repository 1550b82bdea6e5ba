// Second moments of matrices by their rows and columns. Knows no other optimizer.

import type { Shape } from "../../core/shape.ts"
import { mean, square } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { add, div, expm1, log, max, min, mul, neg, reshape, sqrt, sub } from "../../graph/ops.ts"
import type { OptimizerRule } from "../optimizer.ts"
import { finiteNumber, flag, optional } from "../options.ts"

/** The options of adafactor that others do not have. */
export interface AdafactorRule {
  /** How the share of the second moment that is kept grows: 1 − t^beta2Decay (default −0.8). */
  readonly beta2Decay: number
  /** What is added to squares of gradients (default 1e-30). */
  readonly epsilon1: number
  /** The least size of weights that steps follow (default 0.001). */
  readonly epsilon2: number
  /** The size from which on steps are made smaller (default 1). */
  readonly clipThreshold: number
  /** Whether the learning rate is at most 1 / √t (default true). */
  readonly relativeStep: boolean
}

const rms = (x: Node): Node => sqrt(mean(square(x)))

/** The shapes without the last axis, and without the one before. */
const rowsOf = (shape: Shape): Shape => shape.slice(0, -1)
const columnsOf = (shape: Shape): Shape => [...shape.slice(0, -2), ...shape.slice(-1)]

/**
 * w ← w − η max(ε₂, rms(w)) u / max(1, rms(u) / clipThreshold), u = g / √v; v is a running mean of g² + ε₁, for matrices the product
 * of its row and column means over their mean (Shazeer and Stern 2018, as in Keras).
 */
export const adafactorRule: OptimizerRule<AdafactorRule> = {
  options: {
    beta2Decay: optional(finiteNumber({ most: 0 }), -0.8),
    epsilon1: optional(finiteNumber({ least: 0 }), 1e-30),
    epsilon2: optional(finiteNumber({ least: 0 }), 0.001),
    clipThreshold: optional(finiteNumber({ above: 0 }), 1),
    relativeStep: optional(flag(), true),
  },
  slots: (_, shape) =>
    shape.length < 2
      ? [{ name: "v", initial: 0 }]
      : [
          { name: "rows", initial: 0, shape: rowsOf(shape) },
          { name: "columns", initial: 0, shape: columnsOf(shape) },
        ],
  update: (config, { parameter, gradient, slots, learningRate, t }) => {
    const rate = config.relativeStep ? min(learningRate, div(1, sqrt(t))) : learningRate
    const size = mul(max(rms(parameter), config.epsilon2), rate)
    const fresh = neg(expm1(mul(log(t), config.beta2Decay))) // 1 − t^beta2Decay: what is kept
    const squares = add(square(gradient), config.epsilon1)
    const kept = (old: Node, now: Node): Node => add(mul(old, fresh), mul(now, sub(1, fresh)))
    const { shape } = parameter
    let v: Node
    let after: { readonly [name: string]: Node }
    if (shape.length < 2) {
      v = kept(slots.v!, squares)
      after = { v }
    } else {
      const rows = kept(slots.rows!, mean(squares, [-1]))
      const columns = kept(slots.columns!, mean(squares, [-2]))
      const share = div(rows, mean(rows, [-1], true))
      v = mul(reshape(share, [...rowsOf(shape), 1]), reshape(columns, [...shape.slice(0, -2), 1, shape.at(-1)!]))
      after = { rows, columns }
    }
    const step = div(gradient, sqrt(v))
    const limited = div(step, max(div(rms(step), config.clipThreshold), 1))
    return { parameter: sub(parameter, mul(limited, size)), slots: after }
  },
}
