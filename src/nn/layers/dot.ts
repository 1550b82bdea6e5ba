// The product of two values along an axis of each. Knows no network.

import { configError } from "../../core/errors.ts"
import { axisOf, formatShape, type Shape, size } from "../../core/shape.ts"
import { square, sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { div, max, mul, reshape, sqrt, transpose } from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layerOfMany } from "../layer.ts"
import { flag, optional, required, that } from "../options.ts"

/** The options of {@link dot}. */
export interface DotOptions extends LayerOptions {
  /** The axis along which products are summed, counted with the batch: one for both inputs, or one for each. */
  readonly axes: number | readonly [number, number]
  /** Whether both are divided by their lengths first: the cosine of their angle (default false). */
  readonly normalize?: boolean
}

const isAxes = (value: unknown): value is number | readonly [number, number] =>
  Number.isInteger(value) || (Array.isArray(value) && value.length === 2 && value.every(Number.isInteger))

/** Keras's least squared length, below which a vector is not made longer. */
const LEAST = 1e-12

/**
 * The scalar products of the vectors of two inputs along an axis: for every example the sum over k of x[..., k] · y[..., k],
 * `[batch, ...a, k], [batch, ...b, k] -> [batch, ...a, ...b]` (`[batch, 1]` for two lists of vectors).
 * Throws E_CONFIG for axes that do not fit. Keras: Dot.
 * @example
 * ```ts
 * import { dot, functional, input } from "trilobite"
 * const [a, b] = [input({ shape: [3] }), input({ shape: [3] })]
 * dot({ axes: 1 })([a, b]).shape // => [-1, 1]
 * ```
 */
export const dot: LayerFactory<DotOptions> = /* @__PURE__ */ layerOfMany<DotOptions>(
  "Dot",
  { axes: required(that("an axis, or two", isAxes)), normalize: optional(flag(), false) },
  ({ axes, normalize }, inputs) => {
    const [a, b] = inputs
    if (a === undefined || b === undefined || inputs.length > 2) {
      throw configError({ what: "the number of inputs does not fit.", expected: "2", got: `${inputs.length}` })
    }
    const [first, second] = typeof axes === "number" ? [axes, axes] : axes
    const [x, y] = [vectors(a, first), vectors(b, second)]
    if (x.length !== y.length) {
      const got = `${formatShape(a.shape)} along ${first}, ${formatShape(b.shape)} along ${second}`
      throw configError({ what: "its vectors do not have the same length.", expected: `${x.length} twice`, got })
    }
    const [batch] = a.shape
    const unit = (v: Node): Node => (normalize ? div(v, sqrt(max(sum(square(v), [-1], true), LEAST))) : v)
    const left = reshape(unit(x.rows), [batch!, size(x.rest), 1, x.length])
    const right = reshape(unit(y.rows), [batch!, 1, size(y.rest), y.length])
    const rest = [...x.rest, ...y.rest]
    return reshape(sum(mul(left, right), [-1]), [batch!, ...(rest.length === 0 ? [1] : rest)])
  },
)

interface Vectors {
  /** The value with the axis at the end. */
  readonly rows: Node
  readonly length: number
  /** The axes that are neither the batch nor the one along which vectors lie. */
  readonly rest: Shape
}

function vectors(x: Node, axis: number): Vectors {
  const at = axisOf(axis, x.shape.length, "axes")
  if (at === 0) throw configError({ what: "products along the batch would mix examples.", got: `the axis ${axis}` })
  const others = x.shape.map((_, i) => i).filter((i) => i !== at)
  const rows = transpose(x, [...others, at])
  return { rows, length: x.shape[at]!, rest: rows.shape.slice(1, -1) }
}
