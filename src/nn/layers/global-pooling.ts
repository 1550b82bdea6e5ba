// Layers that make one number of every channel of a sequence or an image. Knows no network.

import { largest, maskedMean, mean } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { maskFor } from "../masks.ts"
import { flag, optional } from "../options.ts"
import type { Mask } from "../scope.ts"
import { type DataFormatOption, dataFormat, withChannelsLast } from "./data-format.ts"

/** The options of the layers that pool all places. */
export interface GlobalPoolingOptions extends LayerOptions, DataFormatOption {
  /** Whether the axes of the places stay, with the size 1 (default false). */
  readonly keepdims?: boolean
}

type Fold = (x: Node, axes: readonly number[], keep: boolean, mask: Mask) => Node

/** The mean of the steps that count; 0 where none does. */
const meanOfSteps: Fold = (x, axes, keep, mask) =>
  mask === undefined ? mean(x, axes, keep) : maskedMean(x, maskFor(x, mask), axes, keep)

/* @__NO_SIDE_EFFECTS__ */
function globalPooling(type: string, places: 1 | 2, fold: Fold): LayerFactory<GlobalPoolingOptions> {
  const axes = places === 1 ? [1] : [1, 2]
  return layer<GlobalPoolingOptions>(
    type,
    { dataFormat, keepdims: optional(flag(), false) },
    ({ dataFormat, keepdims }, x, { masks: [mask] }) =>
      withChannelsLast(dataFormat, places, x, (x) => fold(x, axes, keepdims, mask)),
  )
}

/**
 * The largest number of each channel of a sequence, `[batch, steps, channels] -> [batch, channels]`, or `[batch, 1, channels]`
 * with `keepdims`. Throws E_CONFIG for a wrong option and for an input that is no sequence. Keras: GlobalMaxPooling1D.
 * @example
 * ```ts
 * import { globalMaxPooling1D, input } from "trilobite"
 * globalMaxPooling1D()(input({ shape: [7, 3] })).shape // => [-1, 3]
 * ```
 */
export const globalMaxPooling1D: LayerFactory<GlobalPoolingOptions> = /* @__PURE__ */ globalPooling(
  "GlobalMaxPooling1D",
  1,
  largest,
)

/**
 * The largest number of each channel of an image, `[batch, height, width, channels] -> [batch, channels]`, or
 * `[batch, 1, 1, channels]` with `keepdims`. Throws E_CONFIG for a wrong option and for an input that is no image.
 * Keras: GlobalMaxPooling2D.
 * @example
 * ```ts
 * import { globalMaxPooling2D, input } from "trilobite"
 * globalMaxPooling2D({ keepdims: true })(input({ shape: [7, 7, 3] })).shape // => [-1, 1, 1, 3]
 * ```
 */
export const globalMaxPooling2D: LayerFactory<GlobalPoolingOptions> = /* @__PURE__ */ globalPooling(
  "GlobalMaxPooling2D",
  2,
  largest,
)

/**
 * The mean of each channel of a sequence, `[batch, steps, channels] -> [batch, channels]`, or `[batch, 1, channels]` with
 * `keepdims`; of an input with a mask the mean of the steps that count, and 0 where none does (in Keras NaN). Throws E_CONFIG
 * for a wrong option and for an input that is no sequence. Keras: GlobalAveragePooling1D.
 * @example
 * ```ts
 * import { globalAveragePooling1D, input } from "trilobite"
 * globalAveragePooling1D()(input({ shape: [7, 3] })).shape // => [-1, 3]
 * ```
 */
export const globalAveragePooling1D: LayerFactory<GlobalPoolingOptions> = /* @__PURE__ */ globalPooling(
  "GlobalAveragePooling1D",
  1,
  meanOfSteps,
)

/**
 * The mean of each channel of an image, `[batch, height, width, channels] -> [batch, channels]`, or `[batch, 1, 1, channels]` with
 * `keepdims`. Throws E_CONFIG for a wrong option and for an input that is no image. Keras: GlobalAveragePooling2D.
 * @example
 * ```ts
 * import { globalAveragePooling2D, input } from "trilobite"
 * globalAveragePooling2D({ dataFormat: "channelsFirst" })(input({ shape: [3, 7, 7] })).shape // => [-1, 3]
 * ```
 */
export const globalAveragePooling2D: LayerFactory<GlobalPoolingOptions> = /* @__PURE__ */ globalPooling(
  "GlobalAveragePooling2D",
  2,
  mean,
)
