// Hits and misses at thresholds: their sums over a batch, and what they are on the host. Knows no metric.

import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { overRows, rowsOf, stack, weighted } from "./rule.ts"

/** The hits and misses at each threshold. */
export interface Hits {
  readonly tp: ArrayLike<number>
  readonly fp: ArrayLike<number>
  readonly tn: ArrayLike<number>
  readonly fn: ArrayLike<number>
}

/** Sums: true positives at each threshold, false positives, and the weights of all positives and of all negatives. */
export function thresholdSums(thresholds: Node, y: Node, a: Node, weights: Node | undefined): Node {
  const [t] = thresholds.shape
  const column = (x: Node): Node => {
    const [rows, k] = [x.shape[0]!, x.shape[1] ?? 1]
    return ops.reshape(x, [rows * k, 1])
  }
  const yes = ops.sub(1, ops.equal(column(rowsOf(y)), 0))
  const above = ops.less(ops.broadcastTo(thresholds, [yes.shape[0]!, t!]), column(rowsOf(a)))
  const positive = weighted(yes, weights)
  const negative = weighted(ops.sub(1, yes), weights)
  const all = (x: Node): Node => ops.broadcastTo(overRows(x), [t!])
  return stack([overRows(ops.mul(above, positive)), overRows(ops.mul(above, negative)), all(positive), all(negative)])
}

export function hitsOf(sums: Float64Array): Hits {
  const t = sums.length / 4
  const [tp, fp] = [sums.subarray(0, t), sums.subarray(t, 2 * t)]
  return { tp, fp, fn: sums.subarray(2 * t, 3 * t).map((p, i) => p - tp[i]!), tn: sums.subarray(3 * t).map((n, i) => n - fp[i]!) } // biome-ignore format: one object
}

/** One number for a single threshold, else one for each. */
export function each(hits: Hits, of: (tp: number, fp: number, tn: number, fn: number) => number): number | number[] {
  const found = Array.from(hits.tp, (tp, i) => of(tp, hits.fp[i]!, hits.tn[i]!, hits.fn[i]!))
  return found.length === 1 ? found[0]! : found
}
