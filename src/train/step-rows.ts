// Outputs with a mask: what is compared is steps, not examples. Loaded with step.ts. Knows no loss.

import { dataError } from "../core/errors.ts"
import { formatShape, size } from "../core/shape.ts"
import { isOp, type Node } from "../graph/node.ts"
import { broadcastTo, mul, reshape, sigmoid, softmax } from "../graph/ops.ts"
import { begins, maskFor } from "../nn/masks.ts"

/** What is compared when an output has a mask: every step is a row by itself. */
export interface StepRows {
  readonly y: Node
  readonly output: Node
  /** What each row counts: its mask times the weight of its example. */
  readonly weight: Node
  /** The mask alone. */
  readonly mask: Node
}

/** Targets and output, `[batch, steps, ...]`, as rows of steps, `[batch·steps, ...]`. Throws E_DATA for targets without the steps. */
export function stepRows(y: Node, output: Node, mask: Node, weight: Node | undefined): StepRows {
  if (!begins(y.shape, mask.shape)) {
    throw dataError({
      where: "targets",
      what: "the output has a mask, and the targets do not have its steps.",
      expected: `${formatShape(mask.shape).slice(0, -1)}, ...]`,
      got: formatShape(y.shape),
    })
  }
  const { length } = mask.shape
  const rows = (x: Node): Node => reshape(x, [size(mask.shape), ...x.shape.slice(length)])
  // What losses look for below them (graph/ops.ts, logitsOf) stays in sight.
  const last = output.shape.length > length
  const [below] = output.inputs
  const activated = isOp(output, "softmax") && last ? softmax : isOp(output, "sigmoid") ? sigmoid : undefined
  const one = rows(mask)
  const spread = weight === undefined ? undefined : broadcastTo(maskFor(mask, weight), mask.shape)
  return {
    y: rows(y),
    output: activated === undefined ? rows(output) : activated(rows(below!)),
    weight: spread === undefined ? one : mul(one, rows(spread)),
    mask: one,
  }
}
