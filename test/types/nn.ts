// The options of layers, losses and optimizers are checked by the compiler.

import { type LayerFactory, type LayerOptions, layer } from "../../src/nn/layer.ts"
import { dense } from "../../src/nn/layers/dense.ts"
import { flatten } from "../../src/nn/layers/flatten.ts"
import { rescaling } from "../../src/nn/layers/rescaling.ts"
import { binaryCrossentropy, categoricalCrossentropy } from "../../src/nn/losses/crossentropy.ts"
import { meanSquaredError } from "../../src/nn/losses/regression.ts"
import type { LossLike } from "../../src/nn/losses.ts"
import { binaryAccuracy } from "../../src/nn/metrics/accuracy.ts"
import type { MetricLike } from "../../src/nn/metrics.ts"
import { sgd } from "../../src/nn/optimizer-functions.ts"
import { finiteNumber, optional, positiveInteger, required } from "../../src/nn/options.ts"

dense({ units: 3, activation: "relu", useBias: false, name: "a", inputShape: [4] })
dense({ units: 3, kernelInitializer: "he_normal", biasInitializer: { type: "constant", value: 1 } })
flatten()
flatten({ inputShape: [28, 28] })
rescaling({ scale: 2 })
sgd()
sgd({ momentum: 0.9 })

// @ts-expect-error units are required
dense({})
// @ts-expect-error options are required
dense()
// @ts-expect-error a misspelt option
dense({ units: 3, activaton: "relu" })
// @ts-expect-error a misspelt value
dense({ units: 3, activation: "rleu" })
// @ts-expect-error a misspelt initializer
dense({ units: 3, kernelInitializer: "glorot_unifrom" })
// @ts-expect-error a text for a number
dense({ units: "3" })
// @ts-expect-error Flatten has no units
flatten({ units: 3 })
// @ts-expect-error an option of another optimizer
sgd({ beta1: 0.9 })
// @ts-expect-error a loss without options
meanSquaredError({ fromLogits: true })

const losses: LossLike[] = ["mse", "categoricalCrossentropy", "categorical_crossentropy", binaryCrossentropy()]
const metrics: MetricLike[] = [
  "accuracy",
  "acc",
  "binary_accuracy",
  binaryAccuracy({ threshold: 0.4 }),
  categoricalCrossentropy(),
]
// @ts-expect-error an unknown loss
losses.push("meanSquareError")
// @ts-expect-error an unknown metric
metrics.push("accurcy")

interface ScaleOptions extends LayerOptions {
  readonly times: number
  readonly plus?: number
}
/** A layer's table has a row for every option, and no other. */
export const complete: LayerFactory<ScaleOptions> = layer<ScaleOptions>(
  "Scale",
  { times: required(finiteNumber()), plus: optional(finiteNumber(), 0) },
  ({ times, plus }, x) => (times + plus > 0 ? x : x),
)
// @ts-expect-error an option without a row
layer<ScaleOptions>("Scale", { times: required(finiteNumber()) }, (_, x) => x)
// @ts-expect-error an optional option without a default
layer<ScaleOptions>("Scale", { times: required(finiteNumber()), plus: required(finiteNumber()) }, (_, x) => x)
// @ts-expect-error a default of another type
layer<ScaleOptions>("Scale", { times: required(positiveInteger()), plus: optional(finiteNumber(), "0") }, (_, x) => x)
