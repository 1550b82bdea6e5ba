// Layers that disturb what they get while they are trained, and give it unchanged when asked. Knows no network.

import { configError } from "../../core/errors.ts"
import { formatShape, type Shape } from "../../core/shape.ts"
import type { Node } from "../../graph/node.ts"
import { add, lessEqual, mul, where } from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { finiteNumber, maybeNull, type OptionalOption, optional, required, that, wholeNumber } from "../options.ts"
import type { Scope } from "../scope.ts"
import { type DataFormatOption, dataFormat, withChannelsLast } from "./data-format.ts"

/** The option of every layer that draws random numbers. */
export interface NoiseSeed {
  /** Which random numbers it draws; null: those of its place in the model. All depend on the seed of `fit` too (default null). */
  readonly seed?: number | null
}

/** The option's row in a table. */
export const seed: OptionalOption<number | null> = /* @__PURE__ */ optional(maybeNull(wholeNumber()), null)
const share = finiteNumber({ least: 0, most: 1 })

/** A shape of masks: −1 or null for a size of the input, 1 for an axis along which the mask is the same. */
type NoiseShape = readonly (number | null)[]

const noiseShape = optional(
  maybeNull(
    that(
      "a list of whole numbers, with -1 or null for sizes of the input",
      (value): value is NoiseShape =>
        Array.isArray(value) && value.every((n) => n === null || n === -1 || (Number.isSafeInteger(n) && n >= 1)),
    ),
  ),
  null,
)

/** The shape of the random numbers for an input. */
function drawnShape(x: Node, given: NoiseShape | null): Shape {
  if (given === null) return x.shape
  const shape = x.shape.map((n, i) => (given[i] === 1 ? 1 : n))
  const fits = given.length === x.shape.length && given.every((n, i) => n === null || n === -1 || n === shape[i])
  if (fits && shape[0] === x.shape[0]) return shape
  throw configError({
    what: `the noiseShape [${given.join(", ")}] does not fit the input ${formatShape(x.shape)}.`,
    expected: "a size of the input, null or 1 for each axis, and null for the batch",
  })
}

/** The options of {@link dropout} and {@link alphaDropout}. */
export interface DropoutOptions extends LayerOptions, NoiseSeed {
  /** The share of numbers that are dropped, from 0 to 1. */
  readonly rate: number
  /** The shape of the mask, with 1 for axes along which it is the same (default null: that of the input). */
  readonly noiseShape?: NoiseShape | null
}

/**
 * While it is trained, each number becomes 0 with probability `rate`, others are divided by 1 − rate; `[...] -> [...]`. The mask
 * is a function of the seed, the step, the layer and the place. Throws E_CONFIG for a wrong option. Source: Srivastava et al.
 * 2014. Keras: Dropout.
 * @example
 * ```ts
 * import { dense, dropout, sequential } from "trilobite"
 * const model = sequential([dense({ units: 64, inputShape: [784] }), dropout({ rate: 0.2 })])
 * model.countParams() // => 50240
 * ```
 */
export const dropout: LayerFactory<DropoutOptions> = /* @__PURE__ */ layer<DropoutOptions>(
  "Dropout",
  { rate: required(share), noiseShape, seed },
  ({ rate, noiseShape, seed }, x, scope) =>
    dropped(x, scope, rate, () => scope.random(drawnShape(x, noiseShape), seed)),
  { passesMask: true },
)

/** In training: 0 where a drawn number is below the rate, else x / (1 − rate). */
export function dropped(x: Node, scope: Scope, rate: number, draw: () => Node): Node {
  if (rate === 0 || !scope.training) return x
  return where(lessEqual(rate, draw()), mul(x, rate === 1 ? 0 : 1 / (1 - rate)), 0)
}

/** The options of {@link spatialDropout1D}. */
export interface SpatialDropout1DOptions extends LayerOptions, NoiseSeed {
  /** The share of channels that are dropped, from 0 to 1. */
  readonly rate: number
}

/** The options of {@link spatialDropout2D}. */
export interface SpatialDropout2DOptions extends SpatialDropout1DOptions, DataFormatOption {}

/** Whole channels dropped. */
function dropChannels(x: Node, scope: Scope, { rate, seed }: { rate: number; seed: number | null }): Node {
  return dropped(x, scope, rate, () =>
    scope.random([x.shape[0]!, ...x.shape.slice(2).map(() => 1), x.shape.at(-1)!], seed),
  )
}

/**
 * While it is trained, whole channels of a sequence become 0 with probability `rate`, others are divided by 1 − rate;
 * `[batch, steps, channels] -> [batch, steps, channels]`. Throws E_CONFIG for a wrong option and for an input that is no
 * sequence. Source: Tompson et al. 2015. Keras: SpatialDropout1D.
 * @example
 * ```ts
 * import { spatialDropout1D } from "trilobite"
 * spatialDropout1D({ rate: 0.2 }).config.rate // => 0.2
 * ```
 */
export const spatialDropout1D: LayerFactory<SpatialDropout1DOptions> = /* @__PURE__ */ layer<SpatialDropout1DOptions>(
  "SpatialDropout1D",
  { rate: required(share), seed },
  (config, x, scope) => withChannelsLast("channelsLast", 1, x, (x) => dropChannels(x, scope, config)),
  { passesMask: true },
)

/**
 * While it is trained, whole channels of an image become 0 with probability `rate`, others are divided by 1 − rate;
 * `[batch, height, width, channels] -> [batch, height, width, channels]`. Throws E_CONFIG for a wrong option and for an input
 * that is no image. Source: Tompson et al. 2015. Keras: SpatialDropout2D.
 * @example
 * ```ts
 * import { spatialDropout2D } from "trilobite"
 * spatialDropout2D({ rate: 0.2 }).config.dataFormat // => "channelsLast"
 * ```
 */
export const spatialDropout2D: LayerFactory<SpatialDropout2DOptions> = /* @__PURE__ */ layer<SpatialDropout2DOptions>(
  "SpatialDropout2D",
  { rate: required(share), dataFormat, seed },
  (config, x, scope) => withChannelsLast(config.dataFormat, 2, x, (x) => dropChannels(x, scope, config)),
  { passesMask: true },
)

/** Where dropped numbers go: the limit of selu below. */
const SELU_LIMIT = -1.7580993408473766

/**
 * While it is trained, each number becomes the lower limit of selu with probability `rate`, and all are scaled and moved so
 * that mean and variance stay as they are; `[...] -> [...]`. Throws E_CONFIG for a wrong option. Source: Klambauer et al. 2017.
 * Keras: AlphaDropout.
 * @example
 * ```ts
 * import { alphaDropout } from "trilobite"
 * alphaDropout({ rate: 0.1 }).config.rate // => 0.1
 * ```
 */
export const alphaDropout: LayerFactory<DropoutOptions> = /* @__PURE__ */ layer<DropoutOptions>(
  "AlphaDropout",
  { rate: required(share), noiseShape, seed },
  ({ rate, noiseShape, seed }, x, scope) => {
    if (rate === 0 || !scope.training) return x
    const kept = lessEqual(rate, scope.random(drawnShape(x, noiseShape), seed))
    const scale = rate === 1 ? 0 : 1 / Math.sqrt((1 - rate) * (1 + rate * SELU_LIMIT * SELU_LIMIT))
    return add(mul(where(kept, x, SELU_LIMIT), scale), -scale * SELU_LIMIT * rate)
  },
  { passesMask: true },
)

/** The options of {@link gaussianNoise}. */
export interface GaussianNoiseOptions extends LayerOptions, NoiseSeed {
  /** The standard deviation of the noise. */
  readonly stddev: number
}

/**
 * While it is trained, adds numbers of a normal distribution, `[...] -> [...]`. Throws E_CONFIG for a wrong option.
 * Keras: GaussianNoise.
 * @example
 * ```ts
 * import { gaussianNoise } from "trilobite"
 * gaussianNoise({ stddev: 0.1 }).config.stddev // => 0.1
 * ```
 */
export const gaussianNoise: LayerFactory<GaussianNoiseOptions> = /* @__PURE__ */ layer<GaussianNoiseOptions>(
  "GaussianNoise",
  { stddev: required(finiteNumber({ least: 0 })), seed },
  ({ stddev, seed }, x, scope) => {
    if (stddev === 0 || !scope.training) return x
    return add(x, scope.randomNormal(x.shape, { stddev, seed }))
  },
  { passesMask: true },
)

/** The options of {@link gaussianDropout}. */
export interface GaussianDropoutOptions extends LayerOptions, NoiseSeed {
  /** The noise has the standard deviation √(rate / (1 − rate)); from 0 to below 1. */
  readonly rate: number
}

/**
 * While it is trained, multiplies by numbers of a normal distribution around 1, `[...] -> [...]`. Throws E_CONFIG for a wrong
 * option. Source: Srivastava et al. 2014. Keras: GaussianDropout.
 * @example
 * ```ts
 * import { gaussianDropout } from "trilobite"
 * gaussianDropout({ rate: 0.5 }).config.rate // => 0.5
 * ```
 */
export const gaussianDropout: LayerFactory<GaussianDropoutOptions> = /* @__PURE__ */ layer<GaussianDropoutOptions>(
  "GaussianDropout",
  { rate: required(finiteNumber({ least: 0, below: 1 })), seed },
  ({ rate, seed }, x, scope) => {
    if (rate === 0 || !scope.training) return x
    return mul(x, scope.randomNormal(x.shape, { mean: 1, stddev: Math.sqrt(rate / (1 - rate)), seed }))
  },
  { passesMask: true },
)
