// Areas under curves of hits and misses. Knows no training.

import { log64 } from "../../core/math64.ts"
import * as ops from "../../graph/ops.ts"
import { make } from "../losses/rule.ts"
import { flag, oneOf, optional, that } from "../options.ts"
import { type Hits, hitsOf, thresholdSums } from "./hits.ts"
import { hotTargets, type Plain, ratio, type SumsTable } from "./rule.ts"

/** The options of {@link auc}. */
export interface AucOptions {
  /** So many thresholds, evenly from 0 to 1 (default 200). */
  readonly numThresholds?: number
  /** The curve: true over false positive rate, or precision over recall (default "ROC"). */
  readonly curve?: "ROC" | "PR"
  /** How the area between two points is found (default "interpolation"). */
  readonly summationMethod?: "interpolation" | "minoring" | "majoring"
  /** True if the output is z, before a sigmoid (default false). */
  readonly fromLogits?: boolean
}

/** The metrics of this file as plain data. */
export type CurveMetric = Plain<"auc"> & Required<AucOptions>

/** The rows of the metrics of this file. */
export const curveMetrics: SumsTable<CurveMetric> = {
  auc: {
    options: {
      numThresholds: optional(that("a whole number of at least 2", (v): v is number => Number.isSafeInteger(v) && (v as number) >= 2), 200), // biome-ignore format: one kind
      curve: optional(
        that('"ROC" or "PR"', (v): v is "ROC" | "PR" => v === "ROC" || v === "PR"),
        "ROC",
      ),
      summationMethod: optional(
        oneOf("summationMethod", ["interpolation", "minoring", "majoring"] as const),
        "interpolation",
      ),
      fromLogits: optional(flag(), false),
    },
    sums: ({ numThresholds, fromLogits }, yTrue, yPred, weights) => {
      // Keras's thresholds: −ε, then i / (n − 1), then 1 + ε.
      const even = ops.div(ops.indexOver([numThresholds]), numThresholds - 1)
      const upper = ops.where(ops.equal(ops.indexOver([numThresholds]), numThresholds - 1), 1 + 1e-7, even)
      const thresholds = ops.where(ops.equal(ops.indexOver([numThresholds]), 0), -1e-7, upper)
      const a = fromLogits ? ops.sigmoid(yPred) : yPred
      return thresholdSums(thresholds, hotTargets("auc", yTrue, yPred), a, weights)
    },
    result: ({ curve, summationMethod }, sums) => areaOf(hitsOf(sums), curve, summationMethod),
  },
}

/** The area under the curve through the points of falling thresholds. */
function areaOf(
  { tp, fp, tn, fn }: Hits,
  curve: "ROC" | "PR",
  method: Required<AucOptions>["summationMethod"],
): number {
  const n = tp.length
  let area = 0
  if (curve === "PR" && method === "interpolation") {
    // Davis and Goadrich (2006): between two points true positives grow in proportion to all that is said to be positive.
    for (let i = 0; i + 1 < n; i++) {
      const [more, less] = [tp[i]! + fp[i]!, tp[i + 1]! + fp[i + 1]!]
      const slope = ratio(tp[i]! - tp[i + 1]!, Math.max(more - less, 0))
      const intercept = tp[i + 1]! - slope * less
      const growth = more > 0 && less > 0 ? more / less : 1
      area += ratio(slope * (tp[i]! - tp[i + 1]! + intercept * log64(growth)), tp[i + 1]! + fn[i + 1]!)
    }
    return area
  }
  const recallAt = (i: number): number => ratio(tp[i]!, tp[i]! + fn[i]!)
  const x = (i: number): number => (curve === "ROC" ? ratio(fp[i]!, fp[i]! + tn[i]!) : recallAt(i))
  const y = (i: number): number => (curve === "ROC" ? recallAt(i) : ratio(tp[i]!, tp[i]! + fp[i]!))
  for (let i = 0; i + 1 < n; i++) {
    const [a, b] = [y(i), y(i + 1)]
    const height = method === "interpolation" ? (a + b) / 2 : method === "minoring" ? Math.min(a, b) : Math.max(a, b)
    area += (x(i) - x(i + 1)) * height
  }
  return area
}

/**
 * The area under the ROC or precision-recall curve, through points at evenly spaced thresholds. Throws E_CONFIG for a wrong option. Keras: AUC.
 * @example
 * ```ts
 * import { auc } from "trilobite"
 * auc().numThresholds // => 200
 * ```
 */
export const auc = (options: AucOptions = {}): Extract<CurveMetric, { type: "auc" }> =>
  make<CurveMetric, "auc">(curveMetrics, "auc", options)
