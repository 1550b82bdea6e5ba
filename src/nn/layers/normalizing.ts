// Normalizing each example by itself. Knows no network.

import { configError } from "../../core/errors.ts"
import { axisOf, formatShape, type Shape } from "../../core/shape.ts"
import { mean, square, sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { add, div, max, mul, reshape, sqrt, sub } from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { finiteNumber, integer, optional, that } from "../options.ts"
import { type AffineOptions, affine, withAffine } from "./affine.ts"

/** One axis or several. */
type Axes = number | readonly number[]

const isAxes = (value: unknown): value is Axes =>
  Number.isInteger(value) || (Array.isArray(value) && value.length > 0 && value.every(Number.isInteger))

const axes = that<Axes>("an axis, or a list of them", isAxes)

/** The axes from the front, in order; none of them may be the batch. */
function featureAxes(given: Axes, shape: Shape): number[] {
  const found = [given].flat().map((axis) => axisOf(axis, shape.length, "axis"))
  if (!found.includes(0)) return [...new Set(found)].sort((a, b) => a - b)
  const what = `the input ${formatShape(shape)} has its batch along an axis that is to be normalized.`
  throw configError({ what, expected: "axes of features", got: `axis: ${[given].flat().join(", ")}` })
}

/** The options of {@link layerNormalization}. */
export interface LayerNormalizationOptions extends LayerOptions, AffineOptions {
  /** The axis or axes over which is normalized (default −1). */
  readonly axis?: Axes
  /** What is added to the variance (default 0.001). */
  readonly epsilon?: number
}

/**
 * y = γ (x − μ) / √(σ² + ε) + β with the mean and the variance of each example over an axis, `[...] -> [...]`.
 * Throws E_CONFIG for a wrong option. Source: Ba, Kiros and Hinton 2016. Keras: LayerNormalization.
 * @example
 * ```ts
 * import { layerNormalization } from "trilobite"
 * layerNormalization().config.epsilon // => 0.001
 * ```
 */
export const layerNormalization: LayerFactory<LayerNormalizationOptions> =
  /* @__PURE__ */ layer<LayerNormalizationOptions>(
    "LayerNormalization",
    withAffine({ axis: optional(axes, -1), epsilon: optional(finiteNumber({ least: 0 }), 0.001) }),
    (config, x, scope) => {
      const over = featureAxes(config.axis, x.shape)
      const along = (v: Node): Node =>
        reshape(
          v,
          x.shape.map((n, i) => (over.includes(i) ? n : 1)),
        )
      const finish = affine(
        config,
        scope,
        over.map((i) => x.shape[i]!),
        along,
      )
      return finish(normal(x, over, config.epsilon))
    },
    { passesMask: true },
  )

function normal(x: Node, over: readonly number[], epsilon: number): Node {
  const centred = sub(x, mean(x, over, true))
  return div(centred, sqrt(add(mean(square(centred), over, true), epsilon)))
}

/** The options of {@link groupNormalization}. */
export interface GroupNormalizationOptions extends LayerOptions, AffineOptions {
  /** Into how many groups the features are divided; −1: each is one (default 32). */
  readonly groups?: number
  /** The axis of the features (default −1). */
  readonly axis?: number
  /** What is added to the variance (default 0.001). */
  readonly epsilon?: number
}

const groupCount = that(
  "a whole number of at least 1, or -1",
  (value): value is number => Number.isSafeInteger(value) && ((value as number) >= 1 || value === -1),
)

/**
 * y = γ (x − μ) / √(σ² + ε) + β with the mean and the variance of each example over a group of neighbouring features and all
 * other axes, `[...] -> [...]`. Throws E_CONFIG for a wrong option and for features that do not divide into the groups.
 * Source: Wu and He 2018. Keras: GroupNormalization.
 * @example
 * ```ts
 * import { groupNormalization } from "trilobite"
 * groupNormalization({ groups: 4 }).config.groups // => 4
 * ```
 */
export const groupNormalization: LayerFactory<GroupNormalizationOptions> =
  /* @__PURE__ */ layer<GroupNormalizationOptions>(
    "GroupNormalization",
    withAffine({
      groups: optional(groupCount, 32),
      axis: optional(integer(), -1),
      epsilon: optional(finiteNumber({ least: 0 }), 0.001),
    }),
    (config, x, scope) => {
      const [axis] = featureAxes(config.axis, x.shape) as [number]
      const features = x.shape[axis]!
      const groups = config.groups === -1 ? features : config.groups
      if (features % groups !== 0) {
        const what = `${features} features do not divide into ${groups} groups.`
        throw configError({ what, expected: `a divisor of ${features}`, got: `groups: ${groups}` })
      }
      const along = (v: Node): Node =>
        reshape(
          v,
          x.shape.map((n, i) => (i === axis ? n : 1)),
        )
      const finish = affine(config, scope, [features], along)
      const split = reshape(x, x.shape.toSpliced(axis, 1, groups, features / groups))
      const over = split.shape.map((_, i) => i).filter((i) => i !== 0 && i !== axis)
      return finish(reshape(normal(split, over, config.epsilon), x.shape))
    },
    { passesMask: true },
  )

/** The options of {@link unitNormalization}. */
export interface UnitNormalizationOptions extends LayerOptions {
  /** The axis or axes along which vectors lie (default −1). */
  readonly axis?: Axes
}

/**
 * x / √(Σ x²) over an axis: vectors of length 1, `[...] -> [...]`. Throws E_CONFIG for a wrong option.
 * Keras: UnitNormalization.
 * @example
 * ```ts
 * import { unitNormalization } from "trilobite"
 * unitNormalization().config.axis // => -1
 * ```
 */
export const unitNormalization: LayerFactory<UnitNormalizationOptions> =
  /* @__PURE__ */ layer<UnitNormalizationOptions>(
    "UnitNormalization",
    { axis: optional(axes, -1) },
    ({ axis }, x) =>
      // Keras's least squared length, below which a vector is not made longer.
      div(x, sqrt(max(sum(square(x), featureAxes(axis, x.shape), true), 1e-12))),
    { passesMask: true },
  )

/** The options of {@link rmsNormalization}. */
export interface RmsNormalizationOptions extends LayerOptions {
  /** The axis or axes over which is normalized (default −1). */
  readonly axis?: Axes
  /** What is added to the mean square (default 0.000001). */
  readonly epsilon?: number
}

/**
 * y = γ x / √(mean x² + ε) over an axis, `[...] -> [...]`. Throws E_CONFIG for a wrong option. Source: Zhang and Sennrich
 * 2019. Keras: RMSNormalization.
 * @example
 * ```ts
 * import { rmsNormalization } from "trilobite"
 * rmsNormalization().config.epsilon // => 0.000001
 * ```
 */
export const rmsNormalization: LayerFactory<RmsNormalizationOptions> = /* @__PURE__ */ layer<RmsNormalizationOptions>(
  "RMSNormalization",
  { axis: optional(axes, -1), epsilon: optional(finiteNumber({ least: 0 }), 1e-6) },
  ({ axis, epsilon }, x, scope) => {
    const over = featureAxes(axis, x.shape)
    const scale = scope.parameter(
      "scale",
      over.map((i) => x.shape[i]!),
      "ones",
    )
    const along = reshape(
      scale,
      x.shape.map((n, i) => (over.includes(i) ? n : 1)),
    )
    return mul(div(x, sqrt(add(mean(square(x), over, true), epsilon))), along)
  },
  { passesMask: true },
)
