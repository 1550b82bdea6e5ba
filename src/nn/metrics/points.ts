// The best of one rate where another is good enough, over thresholds. Knows no training.

import { configError } from "../../core/errors.ts"
import { sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { make } from "../losses/rule.ts"
import {
  finiteNumber,
  type Kind,
  maybeNull,
  type OptionsOf,
  optional,
  positiveInteger,
  required,
  wholeNumber,
} from "../options.ts"
import { type Hits, hitsOf, thresholdSums } from "./hits.ts"
import { hotTargets, type Plain, ratio, rowsOf, type SumsTable } from "./rule.ts"

/** The options of these metrics beside the rate that must be reached. */
export interface PointOptions {
  /** So many thresholds, evenly from 0 to 1 (default 200). */
  readonly numThresholds?: number
  /** The only class that counts (default null, all). */
  readonly classId?: number | null
}

/** What must be reached, by the metric. */
interface Reached {
  readonly sensitivityAtSpecificity: { readonly specificity: number }
  readonly specificityAtSensitivity: { readonly sensitivity: number }
  readonly precisionAtRecall: { readonly recall: number }
  readonly recallAtPrecision: { readonly precision: number }
}

/** The metrics of this file as plain data. */
export type PointMetric = {
  [T in keyof Reached]: Plain<T> & Reached[T] & Required<PointOptions>
}[keyof Reached]

const share: Kind<number> = finiteNumber({ least: 0, most: 1 })
const pointOptions: OptionsOf<Required<PointOptions>> = {
  numThresholds: optional(positiveInteger(), 200),
  classId: optional(maybeNull(wholeNumber()), null),
}

/** Keras's thresholds: 0, the inner points, 1; a single one is ½. */
function thresholdsOf(n: number): Node {
  return n === 1 ? ops.constant(0.5, [1]) : ops.div(ops.indexOver([n]), n - 1)
}

function sumsAt(
  { numThresholds, classId }: Required<PointOptions>,
  yTrue: Node,
  yPred: Node,
  weights: Node | undefined,
): Node {
  let [y, a] = [rowsOf(hotTargets("thresholds", yTrue, yPred)), rowsOf(yPred)]
  if (classId !== null) {
    const classes = a.shape[1]!
    if (classId >= classes) {
      const expected = `0 to ${classes - 1}`
      throw configError({ where: "classId", what: "there is no such class.", expected, got: `${classId}` })
    }
    const chosen = ops.equal(ops.indexOver([classes]), classId)
    ;[y, a] = [y, a].map((x) => sum(ops.where(chosen, x, 0), [-1], true)) as [Node, Node]
  }
  return thresholdSums(thresholdsOf(numThresholds), y, a, weights)
}

type Rate = (hits: Hits, i: number) => number
const sensitivity: Rate = ({ tp, fn }, i) => ratio(tp[i]!, tp[i]! + fn[i]!)
const specificity: Rate = ({ tn, fp }, i) => ratio(tn[i]!, tn[i]! + fp[i]!)
const precisionAt: Rate = ({ tp, fp }, i) => ratio(tp[i]!, tp[i]! + fp[i]!)

/** The largest of a rate over the thresholds where the other reaches a value; 0 if it nowhere does. */
function best(sums: Float64Array, of: Rate, given: Rate, least: number): number {
  const hits = hitsOf(sums)
  let found = 0
  for (let i = 0; i < hits.tp.length; i++) if (given(hits, i) >= least) found = Math.max(found, of(hits, i))
  return found
}

/** The rows of the metrics of this file. */
export const pointMetrics: SumsTable<PointMetric> = {
  sensitivityAtSpecificity: {
    options: { specificity: required(share), ...pointOptions },
    sums: sumsAt,
    result: (config, sums) => best(sums, sensitivity, specificity, config.specificity),
  },
  specificityAtSensitivity: {
    options: { sensitivity: required(share), ...pointOptions },
    sums: sumsAt,
    result: (config, sums) => best(sums, specificity, sensitivity, config.sensitivity),
  },
  precisionAtRecall: {
    options: { recall: required(share), ...pointOptions },
    sums: sumsAt,
    result: (config, sums) => best(sums, precisionAt, sensitivity, config.recall),
  },
  recallAtPrecision: {
    options: { precision: required(share), ...pointOptions },
    sums: sumsAt,
    result: (config, sums) => best(sums, sensitivity, precisionAt, config.precision),
  },
}

type Made<T extends keyof Reached> = Extract<PointMetric, { type: T }>
type Options<T extends keyof Reached> = Reached[T] & PointOptions

/**
 * The best share of found positives at a threshold where the share of right noes is at least `specificity`; outputs from 0 to 1.
 * Throws E_CONFIG for a wrong option. Keras: SensitivityAtSpecificity.
 * @example
 * ```ts
 * import { sensitivityAtSpecificity } from "trilobite"
 * sensitivityAtSpecificity({ specificity: 0.9 }).numThresholds // => 200
 * ```
 */
export const sensitivityAtSpecificity = (
  options: Options<"sensitivityAtSpecificity">,
): Made<"sensitivityAtSpecificity"> =>
  make<PointMetric, "sensitivityAtSpecificity">(pointMetrics, "sensitivityAtSpecificity", options)

/**
 * The best share of right noes at a threshold where the share of found positives is at least `sensitivity`; outputs from 0 to 1.
 * Throws E_CONFIG for a wrong option. Keras: SpecificityAtSensitivity.
 * @example
 * ```ts
 * import { specificityAtSensitivity } from "trilobite"
 * specificityAtSensitivity({ sensitivity: 0.9 }).type // => "specificityAtSensitivity"
 * ```
 */
export const specificityAtSensitivity = (
  options: Options<"specificityAtSensitivity">,
): Made<"specificityAtSensitivity"> =>
  make<PointMetric, "specificityAtSensitivity">(pointMetrics, "specificityAtSensitivity", options)

/**
 * The best precision at a threshold where recall is at least `recall`; outputs from 0 to 1. Throws E_CONFIG for a wrong option.
 * Keras: PrecisionAtRecall.
 * @example
 * ```ts
 * import { precisionAtRecall } from "trilobite"
 * precisionAtRecall({ recall: 0.9 }).recall // => 0.9
 * ```
 */
export const precisionAtRecall = (options: Options<"precisionAtRecall">): Made<"precisionAtRecall"> =>
  make<PointMetric, "precisionAtRecall">(pointMetrics, "precisionAtRecall", options)

/**
 * The best recall at a threshold where precision is at least `precision`; outputs from 0 to 1. Throws E_CONFIG for a wrong
 * option. Keras: RecallAtPrecision.
 * @example
 * ```ts
 * import { recallAtPrecision } from "trilobite"
 * recallAtPrecision({ precision: 0.9 }).precision // => 0.9
 * ```
 */
export const recallAtPrecision = (options: Options<"recallAtPrecision">): Made<"recallAtPrecision"> =>
  make<PointMetric, "recallAtPrecision">(pointMetrics, "recallAtPrecision", options)
