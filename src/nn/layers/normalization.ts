// Features brought to mean 0 and variance 1 by what is known of the data. Knows no network.

import { configError, dataError, show } from "../../core/errors.ts"
import { axisOf, formatShape, type Shape, size } from "../../core/shape.ts"
import { numbersOf, type TensorLike, tensor } from "../../core/tensor.ts"
import type { Node } from "../../graph/node.ts"
import { add, constant, div, max, mul, reshape, sqrt, sub } from "../../graph/ops.ts"
import { concat } from "../../graph/places.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { flag, integer, type Kind, maybeNull, optional } from "../options.ts"

/** One number for all features, or one for each. */
type Numbers = number | readonly number[]

/** The options of {@link normalization}. */
export interface NormalizationOptions extends LayerOptions {
  /** The axis of the features, counted with the batch; null: all numbers together (default −1). */
  readonly axis?: number | null
  /** The means of the features; `adapt` finds them (default null: 0 until then). */
  readonly mean?: Numbers | null
  /** Their variances; `adapt` finds them (default null: 1 until then). */
  readonly variance?: Numbers | null
  /** Whether it goes the other way: from normalized numbers back (default false). */
  readonly invert?: boolean
}

const numbers: Kind<Numbers> = {
  expected: "a finite number, or a list of them",
  read: (value) => {
    const all = Array.isArray(value) ? value : [value]
    return all.length > 0 && all.every((n) => typeof n === "number" && Number.isFinite(n))
      ? (value as Numbers)
      : undefined
  },
}

/** Keras's least standard deviation: what is constant is not divided by 0. */
const LEAST = 1e-7

/**
 * (x − mean) / √variance for each feature, `[...] -> [...]`, or with `invert` x · √variance + mean. Mean and variance are options:
 * {@link adapt} makes the layer that fits some data. Throws E_CONFIG for a wrong option and for another number of features.
 * Keras: Normalization.
 * @example
 * ```ts
 * import { normalization, sequential } from "trilobite"
 * const layer = normalization.adapt([[1, 10], [3, 30]])
 * layer.config.mean // => [2, 20]
 * const model = sequential([layer])
 * ;[...(await model.predict([[1, 10]])).data] // => [-1, -1]
 * ```
 */
export const normalization: LayerFactory<NormalizationOptions> & { readonly adapt: typeof adapt } =
  /* @__PURE__ */ Object.assign(
    /* @__PURE__ */ layer<NormalizationOptions>(
      "Normalization",
      {
        axis: optional(maybeNull(integer()), -1),
        mean: optional(maybeNull(numbers), null),
        variance: optional(maybeNull(numbers), null),
        invert: optional(flag(), false),
      },
      ({ axis, mean, variance, invert }, x) => {
        if ((mean === null) !== (variance === null)) {
          throw configError({
            where: "variance",
            what: "mean and variance come together.",
            hint: "Give both, or use adapt.",
          })
        }
        if (mean === null || variance === null) return x
        const center = along(x, axis, mean)
        const spread = max(sqrt(along(x, axis, variance)), LEAST)
        return invert ? add(mul(x, spread), center) : div(sub(x, center), spread)
      },
      { passesMask: true },
    ),
    { adapt },
  )

/** Numbers as a value that stretches along the other axes. */
function along(x: Node, axis: number | null, values: Numbers): Node {
  const list = typeof values === "number" ? [values] : values
  const at = axis === null ? undefined : axisOf(axis, x.shape.length, "axis")
  const features = at === undefined ? 1 : x.shape[at]!
  if (list.length !== 1 && list.length !== features) {
    const what = `the input ${formatShape(x.shape)} has another number of features.`
    throw configError({ where: "mean", what, expected: `${features}`, got: `${list.length}` })
  }
  if (list.length === 1) return constant(list[0]!)
  const row = concat(
    list.map((value) => constant(value, [1])),
    0,
  )
  return reshape(
    row,
    x.shape.map((n, i) => (i === at ? n : 1)),
  )
}

/**
 * The layer that normalizes like this data: mean and (biased) variance of every feature, in float64.
 * Throws E_DATA for data that are not finite or have no rows, E_CONFIG for a wrong option.
 */
function adapt(
  data: TensorLike,
  options: Omit<NormalizationOptions, "mean" | "variance"> = {},
): ReturnType<typeof normalization> {
  const t = tensor(data)
  const { axis = -1 } = options
  if (t.shape.length === 0 || size(t.shape) === 0) {
    throw dataError({ where: "adapt", what: "there are no rows.", got: `the shape ${formatShape(t.shape)}` })
  }
  const rows: Shape = t.shape.length === 1 ? [t.shape[0]!, 1] : t.shape
  const at = axis === null ? undefined : axisOf(axis, rows.length, "axis")
  if (at === 0) throw configError({ where: "axis", what: "the batch is no axis of features.", got: show(axis) })
  const features = at === undefined ? 1 : rows[at]!
  const inner = at === undefined ? 1 : size(rows.slice(at + 1))
  const values = numbersOf(t)
  const featureOf = (i: number): number => (at === undefined ? 0 : Math.floor(i / inner) % features)
  const count = values.length / features
  const means = new Float64Array(features)
  const variances = new Float64Array(features)
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) {
      throw dataError({ where: `adapt, number ${i}`, what: "the value is not a finite number.", got: `${values[i]}` })
    }
    means[featureOf(i)]! += values[i]! / count
  }
  for (let i = 0; i < values.length; i++) {
    const from = values[i]! - means[featureOf(i)]!
    variances[featureOf(i)]! += (from * from) / count
  }
  return normalization({ ...options, axis, mean: [...means], variance: [...variances] })
}
