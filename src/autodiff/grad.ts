// The gradient of one number with respect to many values: the walk of backpropagation. Knows no operation by name but scans.

import { internalError } from "../core/errors.ts"
import { formatShape } from "../core/shape.ts"
import { isOp, type Node, topological } from "../graph/node.ts"
import { constant } from "../graph/ops.ts"
import { accumulate, applyRule } from "./rules.ts"
import { type ResultSlope, scanSlopes } from "./scan.ts"

/**
 * ∂C/∂x for each x: reverse-mode differentiation (backpropagation; Rumelhart, Hinton and Williams 1986).
 * Only paths from `cost` to the given values are walked. A value on which the cost does not depend has gradient 0.
 * @param cost a value of shape []
 */
export function gradients(cost: Node, wrt: readonly Node[]): Node[] {
  if (cost.shape.length !== 0) throw internalError(`The cost has the shape ${formatShape(cost.shape)}, not [].`)
  const order = topological([cost])
  const wanted = new Set(wrt)
  const leads = new Set<Node>() // values through which a wanted one is reached
  for (const node of order) if (wanted.has(node) || node.inputs.some((x) => leads.has(x))) leads.add(node)

  const slopes = new Map<Node, Node>([[cost, constant(1)]])
  const results = new Map<Node, ResultSlope[]>() // what reaches the results of scans
  for (const y of order.toReversed()) {
    const g = slopes.get(y)
    if (!leads.has(y)) continue
    if (g !== undefined && (isOp(y, "final") || isOp(y, "every"))) {
      const [scan] = y.inputs as [Node]
      results.set(scan, [...(results.get(scan) ?? []), { result: y, g }])
      continue
    }
    const reached = results.get(y)
    if (y.inputs.length === 0 || (g === undefined && reached === undefined)) continue
    const parts = isOp(y, "scan") ? scanSlopes(y, reached!, (x) => leads.has(x)) : applyRule(y, g!)
    y.inputs.forEach((x, i) => {
      const part = parts[i]
      if (part != null && leads.has(x)) slopes.set(x, accumulate(slopes.get(x), part))
    })
  }
  return wrt.map((x) => slopes.get(x) ?? constant(0, x.shape))
}
