// Layers that slide a kernel over sequences and images. Knows no network.

import { configError } from "../../core/errors.ts"
import type { Node } from "../../graph/node.ts"
import { reshape } from "../../graph/ops.ts"
import { convolution } from "../../graph/places.ts"
import { type Constraint, constraintKind } from "../constraints.ts"
import { type Initializer, initializerKind } from "../initializers.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { type OptionTable, oneOf, optional, positiveInteger, type Resolved, required } from "../options.ts"
import { type Regularizer, regularizerKind } from "../regularizers.ts"
import type { Scope } from "../scope.ts"
import { type DataFormatOption, dataFormat, withChannelsLast } from "./data-format.ts"
import { type Padding, paddedFor, padding, perAxis, type Sizes, sizesFor } from "./sliding.ts"
import { kernelOf, type OutputOptions, outputOf, type WeightedOptions, withOutput, withWeights } from "./weighted.ts"

/** How a kernel slides. */
interface SlidingOptions extends DataFormatOption {
  /** Places of the kernel: one number, or one for each axis. */
  readonly kernelSize: Sizes
  /** Places from one window to the next: one number, or one for each axis (default 1). */
  readonly strides?: Sizes
  /** `valid`: windows stay within the input; `same`: zeros around it give ⌈places / strides⌉ windows (default valid). */
  readonly padding?: Padding
  /** Places from one place of the kernel to the next: one number, or one for each axis (default 1). */
  readonly dilationRate?: Sizes
}

/* @__NO_SIDE_EFFECTS__ */
function slidingOptions(places: 1 | 2): OptionTable<SlidingOptions> {
  return {
    kernelSize: required(sizesFor(places)),
    strides: optional(sizesFor(places), 1),
    padding,
    dataFormat,
    dilationRate: optional(sizesFor(places), 1),
  }
}

/** The options of {@link conv2D}. */
export interface Conv2DOptions extends LayerOptions, SlidingOptions, WeightedOptions {
  /** The number of filters: the channels of the output. */
  readonly filters: number
  /** Into how many parts channels and filters fall, each convolved by itself (default 1). */
  readonly groups?: number
}

/** The options of {@link conv1D}. */
export interface Conv1DOptions extends Omit<Conv2DOptions, "padding"> {
  /**
   * `valid`: windows stay within the input; `same`: zeros at both ends give ⌈steps / strides⌉ windows; `causal`: zeros before
   * the first step, so that no output depends on later steps (default valid).
   */
  readonly padding?: Padding | "causal"
}

type Convolved = Resolved<Omit<Conv1DOptions, keyof LayerOptions>>
type Slides = Pick<Convolved, "kernelSize" | "strides" | "padding" | "dilationRate">

/** The value, channels last, convolved with a kernel; what the padding adds are zeros. */
function convolved(config: Slides, x: Node, w: Node, groups: number): Node {
  const places = x.shape.length - 2
  const [strides, dilations] = [perAxis(config.strides, places), perAxis(config.dilationRate, places)]
  const sliding = { size: w.shape.slice(0, places), strides, dilations }
  return convolution(paddedFor(x, config.padding, sliding), w, { strides, dilations, groups })
}

function conv(places: 1 | 2, config: Convolved, x: Node, scope: Scope): Node {
  return withChannelsLast(config.dataFormat, places, x, (x) => {
    const { filters, groups } = config
    const channels = x.shape.at(-1)!
    if (channels % groups !== 0 || filters % groups !== 0) {
      const got = `${channels} channels, ${filters} filters and ${groups} groups`
      throw configError({ what: "channels and filters do not fall into groups of equal size.", got })
    }
    const shape = [...perAxis(config.kernelSize, places), channels / groups, filters]
    return outputOf(config, scope, convolved(config, x, kernelOf(config, scope, shape), groups))
  })
}

/**
 * A convolution over the steps of a sequence: y[b, o, f] = activation(Σ x[b, o·strides + k·dilationRate, c]·W[k, c, f] + b[f]),
 * `[batch, steps, channels] -> [batch, windows, filters]`, with W `[kernelSize, channels / groups, filters]`. Throws E_CONFIG for
 * a wrong option, an input that is no sequence, and a window that is larger than the input. Keras: Conv1D.
 * @example
 * ```ts
 * import { conv1D, input } from "trilobite"
 * conv1D({ filters: 8, kernelSize: 3, padding: "causal" })(input({ shape: [20, 4] })).shape // => [-1, 20, 8]
 * ```
 */
export const conv1D: LayerFactory<Conv1DOptions> = /* @__PURE__ */ layer<Conv1DOptions>(
  "Conv1D",
  /* @__PURE__ */ withWeights({
    filters: required(positiveInteger()),
    ...slidingOptions(1),
    padding: optional(oneOf<Padding | "causal">("padding", ["valid", "same", "causal"]), "valid"),
    groups: optional(positiveInteger(), 1),
  }),
  (config, x, scope) => conv(1, config, x, scope),
)

/**
 * A convolution over the pixels of an image (LeCun et al. 1989): y[b, i, j, f] = activation(Σ x[b, i·s + k·d, j·s + l·d, c]·
 * W[k, l, c, f] + b[f]) with the strides s and the dilation rates d, `[batch, height, width, channels] -> [batch, rows, columns,
 * filters]`, with W `[...kernelSize, channels / groups, filters]`. Throws E_CONFIG for a wrong option, an input that is no image,
 * and a window that is larger than the input. Keras: Conv2D.
 * @example
 * ```ts
 * import { conv2D, input } from "trilobite"
 * conv2D({ filters: 6, kernelSize: 5, padding: "same" })(input({ shape: [28, 28, 1] })).shape // => [-1, 28, 28, 6]
 * ```
 */
export const conv2D: LayerFactory<Conv2DOptions> = /* @__PURE__ */ layer<Conv2DOptions>(
  "Conv2D",
  /* @__PURE__ */ withWeights({
    filters: required(positiveInteger()),
    ...slidingOptions(2),
    groups: optional(positiveInteger(), 1),
  }),
  (config, x, scope) => conv(2, config, x, scope),
)

/** How the kernel that has filters for each channel begins and is held. */
interface DepthwiseKernel {
  /** How many filters each channel has (default 1). */
  readonly depthMultiplier?: number
  /** How the weights for each channel begin (default glorotUniform). */
  readonly depthwiseInitializer?: Initializer
  /** What is added to the cost for them (default nothing). */
  readonly depthwiseRegularizer?: Regularizer | null
  /** What they become after every update (default what they are). */
  readonly depthwiseConstraint?: Constraint | null
}

/* @__NO_SIDE_EFFECTS__ */
function depthwiseOptions(): OptionTable<DepthwiseKernel> {
  return {
    depthMultiplier: optional(positiveInteger(), 1),
    depthwiseInitializer: optional(initializerKind(), "glorotUniform"),
    depthwiseRegularizer: optional(regularizerKind(), null),
    depthwiseConstraint: optional(constraintKind(), null),
  }
}

/** Each channel convolved with its own filters, `[..., channels] -> [..., channels·depthMultiplier]`. */
function depthwise(config: Slides & Resolved<DepthwiseKernel>, name: string, x: Node, scope: Scope): Node {
  const channels = x.shape.at(-1)!
  const size = perAxis(config.kernelSize, x.shape.length - 2)
  const w = kernelOf(
    {
      kernelInitializer: config.depthwiseInitializer,
      kernelRegularizer: config.depthwiseRegularizer,
      kernelConstraint: config.depthwiseConstraint,
    },
    scope,
    [...size, channels, config.depthMultiplier],
    name,
  )
  return convolved(config, x, reshape(w, [...size, 1, channels * config.depthMultiplier]), channels)
}

/** The options of {@link depthwiseConv1D} and {@link depthwiseConv2D}. */
export interface DepthwiseConvOptions extends LayerOptions, SlidingOptions, DepthwiseKernel, OutputOptions {}

/* @__NO_SIDE_EFFECTS__ */
function depthwiseConv(type: string, places: 1 | 2): LayerFactory<DepthwiseConvOptions> {
  const options = withOutput({ ...slidingOptions(places), ...depthwiseOptions() })
  return layer<DepthwiseConvOptions>(type, options, (config, x, scope) =>
    withChannelsLast(config.dataFormat, places, x, (x) =>
      outputOf(config, scope, depthwise(config, "kernel", x, scope)),
    ),
  )
}

/**
 * A convolution of every channel of a sequence by itself, `[batch, steps, channels] -> [batch, windows, channels·depthMultiplier]`,
 * with W `[kernelSize, channels, depthMultiplier]`. Throws E_CONFIG for a wrong option, an input that is no sequence, and a window
 * that is larger than the input. Keras: DepthwiseConv1D.
 * @example
 * ```ts
 * import { depthwiseConv1D, input } from "trilobite"
 * depthwiseConv1D({ kernelSize: 3, depthMultiplier: 2 })(input({ shape: [9, 4] })).shape // => [-1, 7, 8]
 * ```
 */
export const depthwiseConv1D: LayerFactory<DepthwiseConvOptions> = /* @__PURE__ */ depthwiseConv("DepthwiseConv1D", 1)

/**
 * A convolution of every channel of an image by itself, `[batch, height, width, channels] -> [batch, rows, columns,
 * channels·depthMultiplier]`, with W `[...kernelSize, channels, depthMultiplier]`. Throws E_CONFIG for a wrong option, an input
 * that is no image, and a window that is larger than the input. Keras: DepthwiseConv2D.
 * @example
 * ```ts
 * import { depthwiseConv2D, input } from "trilobite"
 * depthwiseConv2D({ kernelSize: [3, 5], strides: 2 })(input({ shape: [9, 9, 4] })).shape // => [-1, 4, 3, 4]
 * ```
 */
export const depthwiseConv2D: LayerFactory<DepthwiseConvOptions> = /* @__PURE__ */ depthwiseConv("DepthwiseConv2D", 2)

/** The options of {@link separableConv2D}. */
export interface SeparableConv2DOptions extends LayerOptions, SlidingOptions, DepthwiseKernel, OutputOptions {
  /** The number of filters: the channels of the output. */
  readonly filters: number
  /** How the weights that mix the channels begin (default glorotUniform). */
  readonly pointwiseInitializer?: Initializer
  /** What is added to the cost for them (default nothing). */
  readonly pointwiseRegularizer?: Regularizer | null
  /** What they become after every update (default what they are). */
  readonly pointwiseConstraint?: Constraint | null
}

/** The options of {@link separableConv1D}. */
export interface SeparableConv1DOptions extends Omit<SeparableConv2DOptions, "padding"> {
  /** `valid`, `same` or `causal`, as conv1D has it (default valid). */
  readonly padding?: Padding | "causal"
}

/* @__NO_SIDE_EFFECTS__ */
function separableOptions(): OptionTable<
  Omit<SeparableConv2DOptions, keyof LayerOptions | keyof SlidingOptions | keyof OutputOptions>
> {
  return {
    filters: required(positiveInteger()),
    ...depthwiseOptions(),
    pointwiseInitializer: optional(initializerKind(), "glorotUniform"),
    pointwiseRegularizer: optional(regularizerKind(), null),
    pointwiseConstraint: optional(constraintKind(), null),
  }
}

function separable(
  places: 1 | 2,
  config: Resolved<Omit<SeparableConv1DOptions, keyof LayerOptions>>,
  x: Node,
  scope: Scope,
): Node {
  return withChannelsLast(config.dataFormat, places, x, (x) => {
    const mixed = depthwise(config, "depthwiseKernel", x, scope)
    const shape = [...perAxis(1, places), mixed.shape.at(-1)!, config.filters]
    const kernel = {
      kernelInitializer: config.pointwiseInitializer,
      kernelRegularizer: config.pointwiseRegularizer,
      kernelConstraint: config.pointwiseConstraint,
    }
    const ones = perAxis(1, places)
    const w = kernelOf(kernel, scope, shape, "pointwiseKernel")
    return outputOf(config, scope, convolution(mixed, w, { strides: ones, dilations: ones, groups: 1 }))
  })
}

/**
 * A convolution of every channel of a sequence by itself, then a mixture of the channels at every step, `[batch, steps, channels]
 * -> [batch, windows, filters]`: far fewer weights than conv1D. Throws E_CONFIG for a wrong option, an input that is no sequence,
 * and a window that is larger than the input. Keras: SeparableConv1D.
 * @example
 * ```ts
 * import { input, separableConv1D } from "trilobite"
 * separableConv1D({ filters: 8, kernelSize: 3 })(input({ shape: [9, 4] })).shape // => [-1, 7, 8]
 * ```
 */
export const separableConv1D: LayerFactory<SeparableConv1DOptions> = /* @__PURE__ */ layer<SeparableConv1DOptions>(
  "SeparableConv1D",
  /* @__PURE__ */ withOutput({
    ...separableOptions(),
    ...slidingOptions(1),
    padding: optional(oneOf<Padding | "causal">("padding", ["valid", "same", "causal"]), "valid"),
  }),
  (config, x, scope) => separable(1, config, x, scope),
)

/**
 * A convolution of every channel of an image by itself, then a mixture of the channels at every pixel (Chollet 2017), `[batch,
 * height, width, channels] -> [batch, rows, columns, filters]`: far fewer weights than conv2D. Throws E_CONFIG for a wrong option,
 * an input that is no image, and a window that is larger than the input. Keras: SeparableConv2D.
 * @example
 * ```ts
 * import { input, separableConv2D } from "trilobite"
 * separableConv2D({ filters: 8, kernelSize: 3 })(input({ shape: [9, 9, 4] })).shape // => [-1, 7, 7, 8]
 * ```
 */
export const separableConv2D: LayerFactory<SeparableConv2DOptions> = /* @__PURE__ */ layer<SeparableConv2DOptions>(
  "SeparableConv2D",
  /* @__PURE__ */ withOutput({ ...separableOptions(), ...slidingOptions(2) }),
  (config, x, scope) => separable(2, config, x, scope),
)
