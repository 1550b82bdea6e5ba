// Layers that make one value of several. Knows no network.

import { configError } from "../../core/errors.ts"
import { axisOf, broadcastShape, formatShape } from "../../core/shape.ts"
import type { Node } from "../../graph/node.ts"
import * as ops from "../../graph/ops.ts"
import { concat } from "../../graph/places.ts"
import { type LayerFactory, type LayerOptions, layerOfMany } from "../layer.ts"
import { integer, optional } from "../options.ts"
import type { Mask } from "../scope.ts"

/** A layer that joins two or more values of equal (or stretchable) shapes. */
function merging(
  type: string,
  join: (a: Node, b: Node) => Node,
  finish: (all: Node, n: number) => Node = (all) => all,
): LayerFactory<LayerOptions> {
  return layerOfMany<LayerOptions>(type, {}, (_, inputs, scope) => {
    checkCount(inputs, 2)
    scope.passMask(anyOf(scope.masks))
    return finish(joined(inputs, join), inputs.length)
  })
}

/** Steps count that count in any of the inputs; all of them if they all count in one. */
function anyOf(masks: readonly Mask[]): Mask {
  const [first, ...others] = masks
  return others.reduce((any, mask) => (any === undefined || mask === undefined ? undefined : ops.max(any, mask)), first)
}

/** Two by two, from the left. */
function joined(inputs: readonly Node[], join: (a: Node, b: Node) => Node): Node {
  return inputs.reduce((a, b) => {
    if (broadcastShape(a.shape, b.shape) !== undefined) return join(a, b)
    const got = inputs.map((x) => formatShape(x.shape)).join(", ")
    throw configError({ what: "the shapes of its inputs do not fit each other.", expected: "equal shapes", got })
  })
}

function checkCount(inputs: readonly Node[], least: number, most: number = Number.POSITIVE_INFINITY): void {
  if (inputs.length >= least && inputs.length <= most) return
  const expected = most === least ? `${least}` : `at least ${least}`
  throw configError({ what: "the number of inputs does not fit.", expected, got: `${inputs.length}` })
}

/**
 * The sum of its inputs, `[...] × n -> [...]`. Throws E_CONFIG for shapes that do not fit. Keras: Add.
 * @example
 * ```ts
 * import { add, dense, functional, input } from "trilobite"
 * const x = input({ shape: [4] })
 * const model = functional({ inputs: x, outputs: add()([x, dense({ units: 4 })(x)]) })
 * model.countParams() // => 20
 * ```
 */
export const add: LayerFactory<LayerOptions> = /* @__PURE__ */ merging("Add", ops.add)

/**
 * The first input minus the second, `[...], [...] -> [...]`. Throws E_CONFIG for shapes that do not fit. Keras: Subtract.
 * @example
 * ```ts
 * import { subtract } from "trilobite"
 * subtract().type // => "Subtract"
 * ```
 */
export const subtract: LayerFactory<LayerOptions> = /* @__PURE__ */ layerOfMany<LayerOptions>(
  "Subtract",
  {},
  (_, inputs, scope) => {
    checkCount(inputs, 2, 2)
    scope.passMask(anyOf(scope.masks))
    return joined(inputs, ops.sub)
  },
)

/**
 * The product of its inputs, element by element, `[...] × n -> [...]`. Throws E_CONFIG for shapes that do not fit.
 * Keras: Multiply.
 * @example
 * ```ts
 * import { multiply } from "trilobite"
 * multiply().type // => "Multiply"
 * ```
 */
export const multiply: LayerFactory<LayerOptions> = /* @__PURE__ */ merging("Multiply", ops.mul)

/**
 * The mean of its inputs, element by element, `[...] × n -> [...]`. Throws E_CONFIG for shapes that do not fit.
 * Keras: Average.
 * @example
 * ```ts
 * import { average } from "trilobite"
 * average().type // => "Average"
 * ```
 */
export const average: LayerFactory<LayerOptions> = /* @__PURE__ */ merging("Average", ops.add, (sum, n) =>
  ops.div(sum, n),
)

/**
 * The largest of its inputs, element by element, `[...] × n -> [...]`; of equal ones the first has the gradient. Throws
 * E_CONFIG for shapes that do not fit. Keras: Maximum.
 * @example
 * ```ts
 * import { maximum } from "trilobite"
 * maximum().type // => "Maximum"
 * ```
 */
export const maximum: LayerFactory<LayerOptions> = /* @__PURE__ */ merging("Maximum", ops.max)

/**
 * The smallest of its inputs, element by element, `[...] × n -> [...]`; of equal ones the first has the gradient. Throws
 * E_CONFIG for shapes that do not fit. Keras: Minimum.
 * @example
 * ```ts
 * import { minimum } from "trilobite"
 * minimum().type // => "Minimum"
 * ```
 */
export const minimum: LayerFactory<LayerOptions> = /* @__PURE__ */ merging("Minimum", ops.min)

/** The options of {@link concatenate}. */
export interface ConcatenateOptions extends LayerOptions {
  /** The axis along which they are put one after another (default −1). */
  readonly axis?: number
}

/**
 * Its inputs one after another along an axis, `[..., a, ...], [..., b, ...] -> [..., a + b, ...]`. Throws E_CONFIG for shapes that
 * do not fit and for the axis of the batch. Masks are joined along the axis of steps; along another one, steps count that count
 * in any input. Keras: Concatenate.
 * @example
 * ```ts
 * import { concatenate, input } from "trilobite"
 * concatenate()([input({ shape: [3] }), input({ shape: [5] })]).shape // => [-1, 8]
 * ```
 */
export const concatenate: LayerFactory<ConcatenateOptions> = /* @__PURE__ */ layerOfMany<ConcatenateOptions>(
  "Concatenate",
  { axis: optional(integer(), -1) },
  ({ axis }, inputs, scope) => {
    checkCount(inputs, 2)
    const joined = concat(inputs, axis)
    const known = scope.masks.find((mask) => mask !== undefined)
    const at = axisOf(axis, joined.shape.length, "axis")
    if (known !== undefined && at < known.shape.length) {
      const ones = (x: Node): Node => ops.constant(1, x.shape.slice(0, known.shape.length))
      const masks = inputs.map((x, i) => scope.masks[i] ?? ones(x))
      scope.passMask(concat(masks, at))
    } else scope.passMask(anyOf(scope.masks))
    return joined
  },
)
