// Which steps of a sequence count: how that passes from layer to layer. Knows layers by their contract alone.

import { configError } from "../core/errors.ts"
import { BATCH, formatShape, type Shape, sameShape } from "../core/shape.ts"
import type { Node } from "../graph/node.ts"
import { reshape } from "../graph/ops.ts"
import type { Mask, Masks, Scope } from "./scope.ts"
import type { LayerData } from "./symbolic.ts"

/** A value of a network with its mask, whose axes are the first ones of the value. */
export interface Masked {
  readonly node: Node
  readonly mask: Mask
}

/**
 * What a layer makes of values, with the masks that it says these have; a layer that says nothing ends them, as in Keras.
 * Throws E_CONFIG for a value that does not have the layer's inputShape.
 */
export function callLayer(
  layer: LayerData,
  inputs: readonly Masked[],
  scopeFor: (masks: Masks) => Scope,
): readonly Masked[] {
  for (const { node } of inputs) checkInput(layer, node.shape)
  const masks: Masks = { given: inputs.map(({ mask }) => mask), passed: [] }
  const made = layer.call(
    inputs.map(({ node }) => node),
    scopeFor(masks),
  )
  const nodes = "op" in made ? [made as Node] : (made as readonly Node[])
  return nodes.map((node, output) => ({ node, mask: masks.passed[output] }))
}

function checkInput({ inputShape }: LayerData, shape: Shape): void {
  if (inputShape === undefined || sameShape(inputShape, shape.slice(1))) return
  const expected = formatShape([BATCH, ...inputShape])
  throw configError({ what: "what comes does not have the layer's inputShape.", expected, got: formatShape(shape) })
}

/** The mask with sizes of 1 for the value's other axes. Throws E_CONFIG if its sizes are not the first ones of the value. */
export function maskFor(x: Node, mask: Node): Node {
  if (begins(x.shape, mask.shape))
    return reshape(mask, [...mask.shape, ...x.shape.slice(mask.shape.length).map(() => 1)])
  const what = `the mask ${formatShape(mask.shape)} does not fit the input ${formatShape(x.shape)}.`
  throw configError({ what, expected: "a mask of the input's first axes" })
}

/** True if these are the first sizes of the shape. */
export function begins(shape: Shape, first: Shape): boolean {
  return sameShape(shape.slice(0, first.length), first)
}
