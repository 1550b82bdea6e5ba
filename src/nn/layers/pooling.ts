// Layers that make one place of every window of a sequence or an image. Knows no network.

import { largest, sum } from "../../graph/compose.ts"
import { allWindows } from "../../graph/convolve.ts"
import type { Node } from "../../graph/node.ts"
import { constant, div, reshape } from "../../graph/ops.ts"
import { padWith, windows } from "../../graph/places.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { maybeNull, optional } from "../options.ts"
import { type DataFormatOption, dataFormat, withChannelsLast } from "./data-format.ts"
import { edgesOf, type Padding, paddedFor, padding, perAxis, type Sizes, type Sliding, sizesFor } from "./sliding.ts"

/** The options of the layers that pool windows. */
export interface PoolingOptions extends LayerOptions, DataFormatOption {
  /** Places of a window: one number, or one for each axis (default 2). */
  readonly poolSize?: Sizes
  /** Places from one window to the next: one number, or one for each axis; null: windows touch (default null). */
  readonly strides?: Sizes | null
  /** `valid`: windows stay within the input; `same`: there are ⌈places / strides⌉ of them (default valid). */
  readonly padding?: Padding
}

type Pool = (x: Node, padding: Padding, sliding: Sliding) => Node

/** The axes of the places within windows. */
const within = ({ size }: Sliding): readonly number[] => size.map((_, d) => 1 + size.length + d)

/** The least number of float32: what is never the largest of a window that has places of the input. */
const LEAST = -3.4028234663852886e38

const largestOf: Pool = (x, padding, sliding) =>
  largest(allWindows(paddedFor(x, padding, sliding, LEAST), sliding.size, sliding), within(sliding))

/** The mean of the places that are of the input: those that padding adds do not count. */
const meanOf: Pool = (x, padding, sliding) => {
  const total = sum(allWindows(paddedFor(x, padding, sliding), sliding.size, sliding), within(sliding))
  const whole = sliding.size.reduce((n, d) => n * d, 1)
  const edges = sliding.size.map((size, d) => edgesOf(padding, x.shape[d + 1]!, size, sliding.strides[d]!))
  if (edges.flat().every((n) => n === 0)) return div(total, whole)
  const counts = sliding.size.map((size, d) => {
    const padded = padWith(constant(1, [x.shape[d + 1]!]), [edges[d]!])
    return sum(windows(padded, 0, { size, stride: sliding.strides[d]!, dilation: 1 }), [1])
  })
  return counts.reduce((value, count, d) => {
    const shape = total.shape.map((n, axis) => (axis === d + 1 ? n : 1))
    return div(value, reshape(count, shape))
  }, total)
}

/* @__NO_SIDE_EFFECTS__ */
function pooling(type: string, places: 1 | 2, pool: Pool): LayerFactory<PoolingOptions> {
  const table = {
    poolSize: optional(sizesFor(places), 2),
    strides: optional(maybeNull(sizesFor(places)), null),
    padding,
    dataFormat,
  }
  return layer<PoolingOptions>(type, table, (config, x) =>
    withChannelsLast(config.dataFormat, places, x, (x) => {
      const size = perAxis(config.poolSize, places)
      const strides = config.strides === null ? size : perAxis(config.strides, places)
      return pool(x, config.padding, { size, strides, dilations: perAxis(1, places) })
    }),
  )
}

/**
 * The largest number of every window of a sequence, channel by channel: `[batch, steps, channels] -> [batch, windows, channels]`.
 * Of equal ones the first takes the gradient. Throws E_CONFIG for a wrong option, an input that is no sequence, and a window that
 * is larger than the input. Keras: MaxPooling1D.
 * @example
 * ```ts
 * import { input, maxPooling1D } from "trilobite"
 * maxPooling1D()(input({ shape: [9, 4] })).shape // => [-1, 4, 4]
 * ```
 */
export const maxPooling1D: LayerFactory<PoolingOptions> = /* @__PURE__ */ pooling("MaxPooling1D", 1, largestOf)

/**
 * The largest number of every window of an image, channel by channel: `[batch, height, width, channels] -> [batch, rows, columns,
 * channels]`. Of equal ones the first takes the gradient. Throws E_CONFIG for a wrong option, an input that is no image, and a
 * window that is larger than the input. Keras: MaxPooling2D.
 * @example
 * ```ts
 * import { input, maxPooling2D } from "trilobite"
 * maxPooling2D({ poolSize: 3, strides: 2, padding: "same" })(input({ shape: [9, 9, 4] })).shape // => [-1, 5, 5, 4]
 * ```
 */
export const maxPooling2D: LayerFactory<PoolingOptions> = /* @__PURE__ */ pooling("MaxPooling2D", 2, largestOf)

/**
 * The mean of every window of a sequence, channel by channel: `[batch, steps, channels] -> [batch, windows, channels]`. Places that
 * `same` adds do not count. Throws E_CONFIG for a wrong option, an input that is no sequence, and a window that is larger than the
 * input. Keras: AveragePooling1D.
 * @example
 * ```ts
 * import { averagePooling1D, input } from "trilobite"
 * averagePooling1D({ poolSize: 3 })(input({ shape: [9, 4] })).shape // => [-1, 3, 4]
 * ```
 */
export const averagePooling1D: LayerFactory<PoolingOptions> = /* @__PURE__ */ pooling("AveragePooling1D", 1, meanOf)

/**
 * The mean of every window of an image, channel by channel: `[batch, height, width, channels] -> [batch, rows, columns, channels]`.
 * Places that `same` adds do not count. Throws E_CONFIG for a wrong option, an input that is no image, and a window that is larger
 * than the input. Keras: AveragePooling2D.
 * @example
 * ```ts
 * import { averagePooling2D, input } from "trilobite"
 * averagePooling2D()(input({ shape: [28, 28, 6] })).shape // => [-1, 14, 14, 6]
 * ```
 */
export const averagePooling2D: LayerFactory<PoolingOptions> = /* @__PURE__ */ pooling("AveragePooling2D", 2, meanOf)
