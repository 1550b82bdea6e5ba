// Layers that change images at random while they are trained, and give them unchanged when asked. Knows no network.
//
// What is drawn is one number or two for each image: a function of the seed, the step, the layer and the place in the batch.

import { clip, mean } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { add, cos, indexOver, lessEqual, mul, reshape, sin, sub, where } from "../../graph/ops.ts"
import { reverse } from "../../graph/places.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { type Kind, maybeNull, oneOf, optional, required, that } from "../options.ts"
import type { Scope } from "../scope.ts"
import { type DataFormatOption, dataFormat, withChannelsLast } from "./data-format.ts"
import { type NoiseSeed, seed } from "./noise.ts"
import { type SamplingOptions, sampled, sampling } from "./sampling.ts"

/** A range: from the first number to the second, or from −f to f. */
type Factor = number | readonly [number, number]

const between = (least: number, value: unknown): boolean => typeof value === "number" && value >= least && value <= 1

const factor = (least: number): Kind<Factor> =>
  that(
    `a number from ${least} to 1, or two of them`,
    (value): value is Factor =>
      between(least, value) || (Array.isArray(value) && value.length === 2 && value.every((n) => between(least, n))),
  )

const rangeOf = (given: Factor): readonly [number, number] =>
  typeof given === "number" ? [-Math.abs(given), Math.abs(given)] : [Math.min(...given), Math.max(...given)]

/** A number of a range for each image, `[batch, 1, 1]`. */
function drawn(scope: Scope, x: Node, [from, to]: readonly [number, number], seed: number | null): Node {
  return add(mul(scope.random([x.shape[0]!, 1, 1], seed), to - from), from)
}

/** Rows and columns of an image as values, `[height, 1]` and `[width]`. */
function pixels(x: Node): { readonly y: Node; readonly x: Node } {
  const [, height, width] = x.shape as [number, number, number]
  return { y: reshape(indexOver([height]), [height, 1]), x: indexOver([width]) }
}

/** Seeds of the two directions: with a seed of their own two numbers, as different as without. */
const second = (seed: number | null): number | null => (seed === null ? null : seed + 1)

/** The options of {@link randomFlip}. */
export interface RandomFlipOptions extends LayerOptions, NoiseSeed, DataFormatOption {
  /** In which directions: left and right, top and bottom, or both at once (default horizontalAndVertical). */
  readonly mode?: "horizontal" | "vertical" | "horizontalAndVertical"
}

/**
 * While it is trained, mirrors every other image, `[batch, height, width, channels] -> [batch, height, width, channels]`. Throws
 * E_CONFIG for a wrong option and for an input that is no image. Keras: RandomFlip.
 * @example
 * ```ts
 * import { dense, flatten, randomFlip, sequential } from "trilobite"
 * const layers = [randomFlip({ mode: "horizontal", inputShape: [28, 28, 1] }), flatten(), dense({ units: 10 })]
 * sequential(layers).countParams() // => 7850
 * ```
 */
export const randomFlip: LayerFactory<RandomFlipOptions> = /* @__PURE__ */ layer<RandomFlipOptions>(
  "RandomFlip",
  {
    mode: optional(oneOf("mode", ["horizontal", "vertical", "horizontalAndVertical"]), "horizontalAndVertical"),
    seed,
    dataFormat,
  },
  ({ mode, seed, dataFormat }, x, scope) =>
    withChannelsLast(dataFormat, 2, x, (x) => {
      if (!scope.training) return x
      const flips = lessEqual(scope.random([x.shape[0]!, 1, 1, 1], seed), 0.5)
      const turned = mode === "horizontal" ? x : reverse(x, 1)
      return where(flips, mode === "vertical" ? turned : reverse(turned, 2), x)
    }),
)

/** The options of {@link randomRotation}. */
export interface RandomRotationOptions extends LayerOptions, NoiseSeed, DataFormatOption, SamplingOptions {
  /** By how much, as a share of a whole turn, from −1 to 1: a range, or f for −f to f. */
  readonly factor: Factor
}

/**
 * While it is trained, turns each image around its middle by an angle of the range (positive: as the pixels of x turn towards
 * those of y), `[batch, height, width, channels] -> [batch, height, width, channels]`. Throws E_CONFIG for a wrong option and for
 * an input that is no image. Keras: RandomRotation.
 * @example
 * ```ts
 * import { randomRotation } from "trilobite"
 * randomRotation({ factor: 0.1 }).config.fillMode // => "reflect"
 * ```
 */
export const randomRotation: LayerFactory<RandomRotationOptions> = /* @__PURE__ */ layer<RandomRotationOptions>(
  "RandomRotation",
  { factor: required(factor(-1)), ...sampling, seed, dataFormat },
  ({ factor, seed, dataFormat, ...options }, x, scope) =>
    withChannelsLast(dataFormat, 2, x, (x) => {
      if (!scope.training) return x
      const [, height, width] = x.shape as [number, number, number]
      const [from, to] = rangeOf(factor)
      const angle = drawn(scope, x, [2 * Math.PI * from, 2 * Math.PI * to], seed)
      const at = pixels(x)
      const [middle, center] = [(height - 1) / 2, (width - 1) / 2]
      const [dy, dx] = [sub(at.y, middle), sub(at.x, center)]
      const [c, s] = [cos(angle), sin(angle)]
      const row = add(add(mul(s, dx), mul(c, dy)), middle)
      return sampled(x, row, add(sub(mul(c, dx), mul(s, dy)), center), options)
    }),
)

/** The options of {@link randomTranslation}. */
export interface RandomTranslationOptions extends LayerOptions, NoiseSeed, DataFormatOption, SamplingOptions {
  /** How far down, as a share of the height, from −1 to 1: a range, or f for −f to f. */
  readonly heightFactor: Factor
  /** How far to the right, as a share of the width. */
  readonly widthFactor: Factor
}

/**
 * While it is trained, moves each image, `[batch, height, width, channels] -> [batch, height, width, channels]`. Throws E_CONFIG
 * for a wrong option and for an input that is no image. Keras: RandomTranslation.
 * @example
 * ```ts
 * import { randomTranslation } from "trilobite"
 * randomTranslation({ heightFactor: 0.1, widthFactor: [0, 0.2] }).config.interpolation // => "bilinear"
 * ```
 */
export const randomTranslation: LayerFactory<RandomTranslationOptions> =
  /* @__PURE__ */ layer<RandomTranslationOptions>(
    "RandomTranslation",
    { heightFactor: required(factor(-1)), widthFactor: required(factor(-1)), ...sampling, seed, dataFormat },
    ({ heightFactor, widthFactor, seed, dataFormat, ...options }, x, scope) =>
      withChannelsLast(dataFormat, 2, x, (x) => {
        if (!scope.training) return x
        const [, height, width] = x.shape as [number, number, number]
        const down = mul(drawn(scope, x, rangeOf(heightFactor), seed), height)
        const right = mul(drawn(scope, x, rangeOf(widthFactor), second(seed)), width)
        const at = pixels(x)
        return sampled(x, sub(at.y, down), sub(at.x, right), options)
      }),
  )

/** The options of {@link randomZoom}. */
export interface RandomZoomOptions extends LayerOptions, NoiseSeed, DataFormatOption, SamplingOptions {
  /** How much more of the image's height is seen, as a share, from −1 to 1; below 0 less of it: a range, or f for −f to f. */
  readonly heightFactor: Factor
  /** The same for the width; null: the share that is drawn for the height (default null). */
  readonly widthFactor?: Factor | null
}

/**
 * While it is trained, makes each image smaller (above 0) or larger around its middle,
 * `[batch, height, width, channels] -> [batch, height, width, channels]`. Throws E_CONFIG for a wrong option and for an input
 * that is no image. Keras: RandomZoom.
 * @example
 * ```ts
 * import { randomZoom } from "trilobite"
 * randomZoom({ heightFactor: [-0.2, 0.1] }).config.widthFactor // => null
 * ```
 */
export const randomZoom: LayerFactory<RandomZoomOptions> = /* @__PURE__ */ layer<RandomZoomOptions>(
  "RandomZoom",
  {
    heightFactor: required(factor(-1)),
    widthFactor: optional(maybeNull(factor(-1)), null),
    ...sampling,
    seed,
    dataFormat,
  },
  ({ heightFactor, widthFactor, seed, dataFormat, ...options }, x, scope) =>
    withChannelsLast(dataFormat, 2, x, (x) => {
      if (!scope.training) return x
      const [, height, width] = x.shape as [number, number, number]
      const rows = add(drawn(scope, x, rangeOf(heightFactor), seed), 1)
      const columns = widthFactor === null ? rows : add(drawn(scope, x, rangeOf(widthFactor), second(seed)), 1)
      const at = pixels(x)
      const around = (place: Node, n: number, by: Node): Node => add(mul(sub(place, (n - 1) / 2), by), (n - 1) / 2)
      return sampled(x, around(at.y, height, rows), around(at.x, width, columns), options)
    }),
)

/** The options of {@link randomContrast}. */
export interface RandomContrastOptions extends LayerOptions, NoiseSeed {
  /** How much less or more contrast: from 1 − the first number to 1 + the second, or f for both; from 0 to 1. */
  readonly factor: Factor
  /** The least and the greatest value of a pixel: the result is cut to them (default [0, 255]). */
  readonly valueRange?: readonly [number, number]
}

const isRange = (value: unknown): value is readonly [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1]

/**
 * While it is trained, moves the pixels of each image away from the mean of their channel or towards it,
 * m + f (x − m), `[batch, height, width, channels] -> [batch, height, width, channels]`. Throws E_CONFIG for a wrong option and for
 * an input that is no image. Keras: RandomContrast.
 * @example
 * ```ts
 * import { randomContrast } from "trilobite"
 * randomContrast({ factor: 0.3, valueRange: [0, 1] }).config.seed // => null
 * ```
 */
export const randomContrast: LayerFactory<RandomContrastOptions> = /* @__PURE__ */ layer<RandomContrastOptions>(
  "RandomContrast",
  {
    factor: required(factor(0)),
    valueRange: optional(that("two numbers, the smaller first", isRange), [0, 255]),
    seed,
  },
  ({ factor, valueRange: [low, high], seed }, x, scope) =>
    withChannelsLast("channelsLast", 2, x, (x) => {
      if (!scope.training) return x
      const [lower, upper] = typeof factor === "number" ? [factor, factor] : factor
      const by = reshape(drawn(scope, x, [1 - lower, 1 + upper], seed), [x.shape[0]!, 1, 1, 1])
      const middle = mean(x, [1, 2], true)
      return clip(add(mul(sub(x, middle), by), middle), low, high)
    }),
)
