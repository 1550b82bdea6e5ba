// Layers that only move or repeat numbers. Knows no network.

import { configError } from "../../core/errors.ts"
import { formatShape } from "../../core/shape.ts"
import { broadcastTo, reshape, transpose } from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { positiveInteger, required, that } from "../options.ts"

/** The options of {@link permute}. */
export interface PermuteOptions extends LayerOptions {
  /** The axes in their new order, counted from 1: the batch, 0, stays first. */
  readonly dims: readonly number[]
}

const isOrder = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.toSorted((a, b) => a - b).every((n, i) => n === i + 1)

/**
 * The axes of each example in another order, `[batch, a, b, ...] -> [batch, ...]`. Throws E_CONFIG for dims that are no order of
 * the axes. Keras: Permute.
 * @example
 * ```ts
 * import { permute, input } from "trilobite"
 * permute({ dims: [2, 1] })(input({ shape: [3, 5] })).shape // => [-1, 5, 3]
 * ```
 */
export const permute: LayerFactory<PermuteOptions> = /* @__PURE__ */ layer<PermuteOptions>(
  "Permute",
  { dims: required(that("the numbers from 1 on, in any order", isOrder)) },
  ({ dims }, x) => {
    if (dims.length === x.shape.length - 1) return transpose(x, [0, ...dims])
    const what = `[${dims.join(", ")}] is no order of the axes of the input ${formatShape(x.shape)}.`
    throw configError({ what, expected: `${x.shape.length - 1} numbers` })
  },
)

/** The options of {@link repeatVector}. */
export interface RepeatVectorOptions extends LayerOptions {
  /** How often. */
  readonly n: number
}

/**
 * Each example n times, `[batch, features] -> [batch, n, features]`. Throws E_CONFIG for a wrong option and for an input that
 * is no vector. Keras: RepeatVector.
 * @example
 * ```ts
 * import { repeatVector, input } from "trilobite"
 * repeatVector({ n: 3 })(input({ shape: [5] })).shape // => [-1, 3, 5]
 * ```
 */
export const repeatVector: LayerFactory<RepeatVectorOptions> = /* @__PURE__ */ layer<RepeatVectorOptions>(
  "RepeatVector",
  { n: required(positiveInteger()) },
  ({ n }, x) => {
    const [batch, features] = x.shape
    if (features !== undefined && x.shape.length === 2) {
      return broadcastTo(reshape(x, [batch!, 1, features]), [batch!, n, features])
    }
    throw configError({ what: "the input is no vector.", expected: "[batch, features]", got: formatShape(x.shape) })
  },
)

/**
 * Gives what it gets, `[...] -> [...]`. Keras: Identity.
 * @example
 * ```ts
 * import { identityLayer } from "trilobite"
 * identityLayer().type // => "Identity"
 * ```
 */
export const identityLayer: LayerFactory<LayerOptions> = /* @__PURE__ */ layer<LayerOptions>(
  "Identity",
  {},
  (_, x) => x,
  { passesMask: true },
)
