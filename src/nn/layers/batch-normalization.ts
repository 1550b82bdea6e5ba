// Normalizing over the batch. Knows no network.

import { configError } from "../../core/errors.ts"
import { axisOf, formatShape } from "../../core/shape.ts"
import { maskedMean, mean, square } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { add, div, mul, reshape, sqrt, stopGradient, sub } from "../../graph/ops.ts"
import { type Initializer, initializerKind } from "../initializers.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { maskFor } from "../masks.ts"
import { finiteNumber, integer, optional } from "../options.ts"
import { type AffineOptions, affine, withAffine } from "./affine.ts"

/** The options of {@link batchNormalization}. */
export interface BatchNormalizationOptions extends LayerOptions, AffineOptions {
  /** The axis of the features, each of which is normalized by itself (default −1). */
  readonly axis?: number
  /** How much of the running mean and variance is kept in every round, from 0 to below 1 (default 0.99). */
  readonly momentum?: number
  /** What is added to the variance (default 0.001). */
  readonly epsilon?: number
  /** How the running mean begins (default zeros). */
  readonly movingMeanInitializer?: Initializer
  /** How the running variance begins (default ones). */
  readonly movingVarianceInitializer?: Initializer
}

/**
 * y = γ (x − μ) / √(σ² + ε) + β for every feature, `[...] -> [...]`. While the layer is trained, μ and σ² are the mean and the
 * (biased) variance over the batch and all other axes, and running means of them are kept:
 * m ← momentum·m + (1 − momentum)·μ; asked, or with `trainable: false`, it uses those. Steps that a mask leaves out do not
 * count.
 * Throws E_CONFIG for a wrong option. Source: Ioffe and Szegedy 2015. Keras: BatchNormalization.
 * @example
 * ```ts
 * import { batchNormalization, dense, sequential } from "trilobite"
 * const model = sequential([dense({ units: 8, inputShape: [4] }), batchNormalization()])
 * model.countParams() // => 72
 * ```
 */
export const batchNormalization: LayerFactory<BatchNormalizationOptions> =
  /* @__PURE__ */ layer<BatchNormalizationOptions>(
    "BatchNormalization",
    withAffine(
      {
        axis: optional(integer(), -1),
        momentum: optional(finiteNumber({ least: 0, below: 1 }), 0.99),
        epsilon: optional(finiteNumber({ least: 0 }), 0.001),
      },
      {
        movingMeanInitializer: optional(initializerKind(), "zeros"),
        movingVarianceInitializer: optional(initializerKind(), "ones"),
      },
    ),
    (config, x, scope) => {
      const axis = axisOf(config.axis, x.shape.length, "axis")
      if (axis === 0) {
        const what = `the input ${formatShape(x.shape)} has its batch along the axis of the features.`
        throw configError({ what, expected: "an axis of features", got: `axis: ${config.axis}` })
      }
      const features = [x.shape[axis]!]
      const along = (v: Node): Node =>
        reshape(
          v,
          x.shape.map((n, i) => (i === axis ? n : 1)),
        )
      const finish = affine(config, scope, features, along)
      const running = {
        mean: scope.state("movingMean", features, config.movingMeanInitializer),
        variance: scope.state("movingVariance", features, config.movingVarianceInitializer),
      }
      const others = x.shape.map((_, i) => i).filter((i) => i !== axis)
      let { mean: center, variance } = running
      if (scope.training && scope.trainable) {
        const [mask] = scope.masks
        const average = (v: Node): Node =>
          mask === undefined ? mean(v, others) : maskedMean(v, maskFor(v, mask), others)
        center = average(x)
        variance = average(square(sub(x, along(center))))
        const kept = (old: Node, now: Node): Node =>
          add(mul(old, config.momentum), mul(stopGradient(now), 1 - config.momentum))
        scope.update("movingMean", kept(running.mean, center))
        scope.update("movingVariance", kept(running.variance, variance))
      }
      const spread = sqrt(add(variance, config.epsilon))
      return finish(div(sub(x, along(center)), along(spread)))
    },
    { passesMask: true },
  )
