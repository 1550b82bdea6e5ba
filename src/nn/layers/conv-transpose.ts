// The convolutions turned round: every place is spread over a window of a larger output. Knows no network.

import { configError } from "../../core/errors.ts"
import { spread } from "../../graph/convolve.ts"
import type { Node } from "../../graph/node.ts"
import { slice } from "../../graph/ops.ts"
import { pad } from "../../graph/places.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { maybeNull, optional, positiveInteger, type Resolved, required, that } from "../options.ts"
import type { Scope } from "../scope.ts"
import { type DataFormatOption, dataFormat, withChannelsLast } from "./data-format.ts"
import { type Padding, padding, perAxis, type Sizes, sizesFor, spanOf } from "./sliding.ts"
import { kernelOf, outputOf, type WeightedOptions, withWeights } from "./weighted.ts"

/** The options of {@link conv1DTranspose} and {@link conv2DTranspose}. */
export interface ConvTransposeOptions extends LayerOptions, DataFormatOption, WeightedOptions {
  /** The number of filters: the channels of the output. */
  readonly filters: number
  /** Places over which each place is spread: one number, or one for each axis. */
  readonly kernelSize: Sizes
  /** Places of the output from one place of the input to the next: one number, or one for each axis (default 1). */
  readonly strides?: Sizes
  /** `same`: the output has places·strides of them; `valid`: it has all that are reached (default valid). */
  readonly padding?: Padding
  /** Places of the output beyond those of the formula, less than the strides; null lets the padding say (default null). */
  readonly outputPadding?: Sizes | null
  /** Places from one place of the kernel to the next: one number, or one for each axis (default 1). */
  readonly dilationRate?: Sizes
}

type Config = Resolved<Omit<ConvTransposeOptions, keyof LayerOptions>>

/** The size of the output along an axis, and how many places before it are cut off, by Keras's formulas. */
function outputOfAxis(
  n: number,
  {
    size,
    stride,
    dilation,
    padding,
    extra,
  }: Record<"size" | "stride" | "dilation", number> & {
    readonly padding: Padding
    readonly extra: number | undefined
  },
): { readonly places: number; readonly cut: number } {
  const span = spanOf(size, dilation)
  const full = (n - 1) * stride + span
  if (padding === "valid") {
    const places = extra === undefined ? n * stride + Math.max(span - stride, 0) : full + extra
    return { places, cut: 0 }
  }
  const places = extra === undefined ? n * stride : full - 2 * Math.floor(span / 2) + extra
  return { places, cut: extra === undefined ? Math.floor(Math.max(full - places, 0) / 2) : Math.floor(span / 2) }
}

function transposed(places: 1 | 2, config: Config, x: Node, scope: Scope): Node {
  return withChannelsLast(config.dataFormat, places, x, (x) => {
    const [size, strides, dilations] = [config.kernelSize, config.strides, config.dilationRate].map((given) =>
      perAxis(given, places),
    ) as [readonly number[], readonly number[], readonly number[]]
    const extra = config.outputPadding === null ? undefined : perAxis(config.outputPadding, places)
    const late = strides.findIndex((stride, d) => (extra?.[d] ?? 0) >= stride && extra !== undefined)
    if (late >= 0) {
      const got = `outputPadding ${extra![late]} with strides ${strides[late]}`
      throw configError({ where: "outputPadding", what: "it must be less than the strides.", got })
    }
    const w = kernelOf(config, scope, [...size, config.filters, x.shape.at(-1)!])
    const full = size.map((k, d) => (x.shape[d + 1]! - 1) * strides[d]! + spanOf(k, dilations[d]!))
    let y = spread(x, w, [x.shape[0]!, ...full, config.filters], { strides, dilations, groups: 1 })
    for (const [d, k] of size.entries()) {
      const axis = { size: k, stride: strides[d]!, dilation: dilations[d]!, padding: config.padding, extra: extra?.[d] }
      const { places: wanted, cut } = outputOfAxis(x.shape[d + 1]!, axis)
      const beyond = Math.max(0, cut + wanted - full[d]!)
      const none = { before: 0, after: 0, between: 0 }
      y = pad(
        y,
        y.shape.map((_, i) => (i === d + 1 ? { ...none, after: beyond } : none)),
      )
      y = slice(y, d + 1, cut, cut + wanted)
    }
    return outputOf(config, scope, y)
  })
}

/* @__NO_SIDE_EFFECTS__ */
function convTranspose(type: string, places: 1 | 2): LayerFactory<ConvTransposeOptions> {
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  const counts = that<Sizes>(
    `a whole number of at least 0, or an array of ${places} of them`,
    (value): value is Sizes =>
      isCount(value) || (Array.isArray(value) && value.length === places && value.every(isCount)),
  )
  const options = withWeights({
    filters: required(positiveInteger()),
    kernelSize: required(sizesFor(places)),
    strides: optional(sizesFor(places), 1),
    padding,
    outputPadding: optional(maybeNull(counts), null),
    dataFormat,
    dilationRate: optional(sizesFor(places), 1),
  })
  return layer<ConvTransposeOptions>(type, options, (config, x, scope) => transposed(places, config, x, scope))
}

/**
 * The transpose of a convolution over steps: x[b, i, c]·W[k, f, c] is added to place i·strides + k·dilationRate of the output,
 * `[batch, steps, channels] -> [batch, more steps, filters]`, with W `[kernelSize, filters, channels]`. Throws E_CONFIG for a wrong
 * option and for an input that is no sequence. Keras: Conv1DTranspose.
 * @example
 * ```ts
 * import { conv1DTranspose, input } from "trilobite"
 * conv1DTranspose({ filters: 3, kernelSize: 4, strides: 2 })(input({ shape: [5, 8] })).shape // => [-1, 12, 3]
 * ```
 */
export const conv1DTranspose: LayerFactory<ConvTransposeOptions> = /* @__PURE__ */ convTranspose("Conv1DTranspose", 1)

/**
 * The transpose of a convolution over pixels: every pixel is spread over a window of the output, `[batch, height, width, channels] ->
 * [batch, rows, columns, filters]`, with W `[...kernelSize, filters, channels]`. Throws E_CONFIG for a wrong option and for an
 * input that is no image. Keras: Conv2DTranspose.
 * @example
 * ```ts
 * import { conv2DTranspose, input } from "trilobite"
 * conv2DTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same" })(input({ shape: [7, 7, 8] })).shape // => [-1, 14, 14, 3]
 * ```
 */
export const conv2DTranspose: LayerFactory<ConvTransposeOptions> = /* @__PURE__ */ convTranspose("Conv2DTranspose", 2)
