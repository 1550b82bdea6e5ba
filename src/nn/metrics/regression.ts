// Metrics of numbers that need sums over all rows: the root of the mean square, the coefficient of determination.

import { sum } from "../../graph/compose.ts"
import * as ops from "../../graph/ops.ts"
import { alignTo, make, perExample } from "../losses/rule.ts"
import { type Kind, optional, that } from "../options.ts"
import { overRows, type Plain, rowsOf, type SumsTable, stack, weighted } from "./rule.ts"

/** The options of {@link r2Score}. */
export interface R2Options {
  /** How outputs become one number: uniformAverage, varianceWeightedAverage; null gives one for each (default uniformAverage). */
  readonly classAggregation?: "uniformAverage" | "varianceWeightedAverage" | null
  /** The number of inputs of the model, for the adjusted score (default 0, not adjusted). */
  readonly numRegressors?: number
}

/** The metrics of this file as plain data. */
export type RegressionMetric = Plain<"rootMeanSquaredError"> | (Plain<"r2Score"> & Required<R2Options>)

type Aggregation = Required<R2Options>["classAggregation"]
const aggregation: Kind<Aggregation> = that(
  "uniformAverage, varianceWeightedAverage or null",
  (value): value is Aggregation => value === null || value === "uniformAverage" || value === "varianceWeightedAverage",
)
const whole: Kind<number> = that("a whole number of at least 0", (value): value is number => {
  return Number.isSafeInteger(value) && (value as number) >= 0
})

/** The rows of the metrics of this file. */
export const regressionMetrics: SumsTable<RegressionMetric> = {
  rootMeanSquaredError: {
    options: {},
    sums: (_, yTrue, yPred, weights) => {
      const error = ops.sub(yPred, alignTo(yPred, yTrue))
      const each = perExample(ops.mul(error, error))
      const one = ops.constant(1, each.shape)
      return stack([weighted(each, weights), weighted(one, weights)].map((x) => ops.reshape(sum(x), [1])))
    },
    result: (_, [squares, count]) => Math.sqrt(squares! / count!),
  },
  r2Score: {
    options: { classAggregation: optional(aggregation, "uniformAverage"), numRegressors: optional(whole, 0) },
    sums: (_, yTrue, yPred, weights) => {
      const [y, a] = [rowsOf(alignTo(yPred, yTrue)), rowsOf(yPred)]
      const error = ops.sub(y, a)
      const values = [y, ops.mul(y, y), ops.mul(error, error)].map((x) => overRows(weighted(x, weights)))
      const ones = ops.constant(1, y.shape)
      return stack([...values, overRows(weighted(ones, weights)), overRows(ones)])
    },
    result: ({ classAggregation, numRegressors }, sums) => {
      const k = sums.length / 5
      const at = (row: number, i: number): number => sums[row * k + i]!
      const totals = Array.from({ length: k }, (_, i) => at(1, i) - (at(0, i) * at(0, i)) / at(3, i))
      const scores = totals.map((total, i) => {
        const score = 1 - at(2, i) / total
        return Math.abs(score) === Infinity ? 0 : score
      })
      if (classAggregation === null) return scores
      const all = totals.reduce((a, b) => a + b, 0)
      const weight = (i: number): number => (classAggregation === "uniformAverage" ? 1 / k : totals[i]! / all)
      const score = scores.reduce((found, one, i) => found + one * weight(i), 0)
      const n = at(4, 0)
      if (numRegressors === 0 || numRegressors >= n - 1) return score
      return 1 - ((1 - score) * (n - 1)) / (n - numRegressors - 1)
    },
  },
}

/**
 * The root of the mean of (ŷ − y)² over all outputs and examples. Keras: RootMeanSquaredError.
 * @example
 * ```ts
 * import { rootMeanSquaredError } from "trilobite"
 * rootMeanSquaredError() // => { type: "rootMeanSquaredError" }
 * ```
 */
export const rootMeanSquaredError = (): Extract<RegressionMetric, { type: "rootMeanSquaredError" }> => ({
  type: "rootMeanSquaredError",
})

/**
 * 1 − Σ (y − ŷ)² / Σ (y − ȳ)² of each output; y far from 0 against its spread loses digits in float32. Throws E_CONFIG for a wrong option. Keras: R2Score.
 * @example
 * ```ts
 * import { r2Score } from "trilobite"
 * r2Score().classAggregation // => "uniformAverage"
 * ```
 */
export const r2Score = (options: R2Options = {}): Extract<RegressionMetric, { type: "r2Score" }> =>
  make<RegressionMetric, "r2Score">(regressionMetrics, "r2Score", options)
