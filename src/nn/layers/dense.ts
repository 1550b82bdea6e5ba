// The fully connected layer. Knows no network.

import { configError } from "../../core/errors.ts"
import { formatShape, size } from "../../core/shape.ts"
import { matmul, reshape } from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { positiveInteger, required } from "../options.ts"
import { kernelOf, outputOf, type WeightedOptions, withWeights } from "./weighted.ts"

/** The options of {@link dense}. */
export interface DenseOptions extends LayerOptions, WeightedOptions {
  /** The number of neurons: the last size of the output. */
  readonly units: number
}

/**
 * A fully connected layer: a = activation(x·W + b), `[..., in] -> [..., units]`, with W `[in, units]` and b `[units]`.
 * An input of more than two axes is seen as rows along its last axis.
 * Throws E_CONFIG for a wrong option. Keras: Dense.
 * @example
 * ```ts
 * import { dense } from "trilobite"
 * const hidden = dense({ units: 64, activation: "relu", inputShape: [784] })
 * hidden.config.kernelInitializer // => "glorotUniform"
 * ```
 */
export const dense: LayerFactory<DenseOptions> = /* @__PURE__ */ layer<DenseOptions>(
  "Dense",
  /* @__PURE__ */ withWeights({ units: required(positiveInteger()) }),
  (config, x, scope) => {
    const { units } = config
    const rows = x.shape.slice(0, -1)
    const last = x.shape[x.shape.length - 1]!
    if (rows.length === 0) {
      const what = `the input ${formatShape(x.shape)} has one number for each example, without an axis for it.`
      throw configError({ what, expected: "[batch, ..., features]", hint: "Give the input the shape [1]." })
    }
    const kernel = kernelOf(config, scope, [last, units])
    return outputOf(config, scope, reshape(matmul(reshape(x, [size(rows), last]), kernel), [...rows, units]))
  },
  { passesMask: true },
)
