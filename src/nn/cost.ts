// The two cost functions of the textbook, on plain numbers in float64, with their exact values. Knows no graph: what
// training minimises is in losses.ts.

import { dataError, show } from "../core/errors.ts"
import { log64 } from "../core/math64.ts"

/** One number, or one for each example. */
export type Numbers = number | ArrayLike<number>

/**
 * The quadratic cost C = (1/n) Σ (y − ŷ)².
 * Throws E_DATA if there are no numbers, or not as many of the one as of the other.
 * @example
 * ```ts
 * import { quadraticCost } from "trilobite"
 * quadraticCost(1, 0.5) // => 0.25
 * quadraticCost([1, 0], [0.9, 0.2]) // ~> 0.025
 * ```
 */
export function quadraticCost(y: Numbers, yHat: Numbers): number {
  return meanOver("quadraticCost", y, yHat, (target, output) => (target - output) * (target - output))
}

/**
 * The cross-entropy cost C = −(1/n) Σ [y ln a + (1 − y) ln(1 − a)], where 0 · ln 0 is 0 and −ln 0 is Infinity.
 * Throws E_DATA if there are no numbers, not as many of the one as of the other, or some outside 0 to 1.
 * @example
 * ```ts
 * import { crossEntropyCost } from "trilobite"
 * crossEntropyCost(1, 0.9) // ~> 0.1054
 * crossEntropyCost(1, 0) // => Infinity
 * ```
 */
export function crossEntropyCost(y: Numbers, a: Numbers): number {
  return meanOver("crossEntropyCost", y, a, (target, output, place) => {
    for (const value of [target, output]) {
      if (value >= 0 && value <= 1) continue
      const what = `a value${place} is no probability.`
      throw dataError({ where: "crossEntropyCost", what, expected: "numbers from 0 to 1", got: show(value) })
    }
    return cost(target, output) + cost(1 - target, 1 - output)
  })
}

/** −y ln a, and 0 for y = 0 whatever a is. */
function cost(y: number, a: number): number {
  return y === 0 ? 0 : 0 - y * log64(a)
}

function meanOver(
  where: string,
  y: Numbers,
  output: Numbers,
  costOf: (y: number, output: number, place: string) => number,
): number {
  if (typeof y === "number" && typeof output === "number") return costOf(y, output, "")
  const targets = typeof y === "number" ? [y] : y
  const outputs = typeof output === "number" ? [output] : output
  const n = targets.length
  if (n === 0 || n !== outputs.length) {
    const what = "there must be as many targets as outputs, and at least one."
    throw dataError({ where, what, got: `${n} and ${outputs.length}` })
  }
  let sum = 0
  for (let i = 0; i < n; i++) sum += costOf(targets[i]!, outputs[i]!, ` at ${i}`)
  return sum / n
}
