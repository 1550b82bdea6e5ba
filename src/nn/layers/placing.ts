// Layers that give sequences and images more or fewer places: padding, cropping, repeating. Knows no network.

import { configError } from "../../core/errors.ts"
import { formatShape } from "../../core/shape.ts"
import type { Node } from "../../graph/node.ts"
import { add, broadcastTo, mul, reshape, slice } from "../../graph/ops.ts"
import { concat, padWith } from "../../graph/places.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { type Kind, oneOf, optional, positiveInteger, that } from "../options.ts"
import { type DataFormatOption, dataFormat, withChannelsLast } from "./data-format.ts"

/** Places before and after along one axis. */
type Pair = readonly [number, number]
/** The same for height and width. */
type Pairs = readonly [Pair, Pair]

const isPair = (value: unknown): value is Pair =>
  Array.isArray(value) && value.length === 2 && value.every((n) => Number.isSafeInteger(n) && n >= 0)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const pair: Kind<number | Pair> = that(
  "a whole number, or two of them: before and after",
  (value): value is number | Pair => isCount(value) || isPair(value),
)
const pairs: Kind<number | Pair | Pairs> = that(
  "a whole number, one for height and width each, or two for each: before and after",
  (value): value is number | Pair | Pairs =>
    isCount(value) || isPair(value) || (Array.isArray(value) && value.length === 2 && value.every(isPair)),
)

const pairOf = (given: number | Pair): Pair => (typeof given === "number" ? [given, given] : given)
const pairsOf = (given: number | Pair | Pairs): Pairs => {
  const [height, width] = typeof given === "number" ? [given, given] : given
  return [pairOf(height), pairOf(width)]
}

/** The options of {@link zeroPadding1D}. */
export interface ZeroPadding1DOptions extends LayerOptions, DataFormatOption {
  /** How many steps are added at both ends, or at the beginning and at the end (default 1). */
  readonly padding?: number | Pair
}

/**
 * Zeros before and after a sequence, `[batch, steps, channels] -> [batch, before + steps + after, channels]`. Throws E_CONFIG for
 * a wrong option and for an input that is no sequence. Keras: ZeroPadding1D.
 * @example
 * ```ts
 * import { input, zeroPadding1D } from "trilobite"
 * zeroPadding1D({ padding: [2, 0] })(input({ shape: [5, 3] })).shape // => [-1, 7, 3]
 * ```
 */
export const zeroPadding1D: LayerFactory<ZeroPadding1DOptions> = /* @__PURE__ */ layer<ZeroPadding1DOptions>(
  "ZeroPadding1D",
  { padding: optional(pair, 1), dataFormat },
  ({ padding, dataFormat }, x) =>
    withChannelsLast(dataFormat, 1, x, (x) => padWith(x, [[0, 0], pairOf(padding), [0, 0]])),
)

/** The options of {@link zeroPadding2D}. */
export interface ZeroPadding2DOptions extends LayerOptions, DataFormatOption {
  /** How many pixels are added on every side; or for height and width; or before and after for each (default [1, 1]). */
  readonly padding?: number | Pair | Pairs
}

/**
 * Zeros around an image, `[batch, height, width, channels] -> [batch, top + height + bottom, left + width + right, channels]`.
 * Throws E_CONFIG for a wrong option and for an input that is no image. Keras: ZeroPadding2D.
 * @example
 * ```ts
 * import { input, zeroPadding2D } from "trilobite"
 * zeroPadding2D({ padding: [[0, 1], [2, 2]] })(input({ shape: [5, 5, 3] })).shape // => [-1, 6, 9, 3]
 * ```
 */
export const zeroPadding2D: LayerFactory<ZeroPadding2DOptions> = /* @__PURE__ */ layer<ZeroPadding2DOptions>(
  "ZeroPadding2D",
  { padding: optional(pairs, [1, 1]), dataFormat },
  ({ padding, dataFormat }, x) =>
    withChannelsLast(dataFormat, 2, x, (x) => padWith(x, [[0, 0], ...pairsOf(padding), [0, 0]])),
)

/** The value without so many places at the beginning and the end of an axis. Throws E_CONFIG if nothing would be left. */
function cropped(x: Node, axis: number, [before, after]: Pair): Node {
  const n = x.shape[axis]!
  if (before + after < n) return slice(x, axis, before, n - after)
  const what = `cropping [${before}, ${after}] leaves nothing of axis ${axis} of ${formatShape(x.shape)}.`
  throw configError({ what, expected: `less than ${n} together` })
}

/** The options of {@link cropping1D}. */
export interface Cropping1DOptions extends LayerOptions {
  /** How many steps are cut off at both ends, or at the beginning and at the end (default [1, 1]). */
  readonly cropping?: number | Pair
}

/**
 * A sequence without its ends, `[batch, steps, channels] -> [batch, steps − before − after, channels]`. Throws E_CONFIG for a
 * wrong option, an input that is no sequence and if nothing is left. Keras: Cropping1D.
 * @example
 * ```ts
 * import { cropping1D, input } from "trilobite"
 * cropping1D({ cropping: 2 })(input({ shape: [7, 3] })).shape // => [-1, 3, 3]
 * ```
 */
export const cropping1D: LayerFactory<Cropping1DOptions> = /* @__PURE__ */ layer<Cropping1DOptions>(
  "Cropping1D",
  { cropping: optional(pair, [1, 1]) },
  ({ cropping }, x) => withChannelsLast("channelsLast", 1, x, (x) => cropped(x, 1, pairOf(cropping))),
)

/** The options of {@link cropping2D}. */
export interface Cropping2DOptions extends LayerOptions, DataFormatOption {
  /** How many pixels are cut off on every side; or for height and width; or before and after for each (default none). */
  readonly cropping?: number | Pair | Pairs
}

/**
 * An image without its margins, `[batch, height, width, channels] -> [batch, height − …, width − …, channels]`. Throws E_CONFIG
 * for a wrong option, an input that is no image and if nothing is left. Keras: Cropping2D.
 * @example
 * ```ts
 * import { cropping2D, input } from "trilobite"
 * cropping2D({ cropping: [[0, 1], [2, 2]] })(input({ shape: [6, 9, 3] })).shape // => [-1, 5, 5, 3]
 * ```
 */
export const cropping2D: LayerFactory<Cropping2DOptions> = /* @__PURE__ */ layer<Cropping2DOptions>(
  "Cropping2D",
  {
    cropping: optional(pairs, [
      [0, 0],
      [0, 0],
    ]),
    dataFormat,
  },
  ({ cropping, dataFormat }, x) => {
    const [height, width] = pairsOf(cropping)
    return withChannelsLast(dataFormat, 2, x, (x) => cropped(cropped(x, 1, height), 2, width))
  },
)

/** Every place along an axis n times. */
function repeated(x: Node, axis: number, n: number): Node {
  const before = x.shape.slice(0, axis + 1)
  const after = x.shape.slice(axis + 1)
  const spread = broadcastTo(reshape(x, [...before, 1, ...after]), [...before, n, ...after])
  return reshape(spread, x.shape.with(axis, x.shape[axis]! * n))
}

/**
 * Straight lines between the places along an axis, n for each: place i of the result stands at (i + ½) / n − ½ of the input,
 * whose ends go on.
 */
function interpolated(x: Node, axis: number, n: number): Node {
  const size = x.shape[axis]!
  const part = (begin: number, end: number): Node => slice(x, axis, begin, end)
  const left = size === 1 ? x : concat([part(0, 1), part(0, size - 1)], axis)
  const right = size === 1 ? x : concat([part(1, size), part(size - 1, size)], axis)
  const phases = Array.from({ length: n }, (_, i) => {
    const at = (i + 0.5) / n - 0.5
    const mixed = add(mul(x, 1 - Math.abs(at)), mul(at < 0 ? left : right, Math.abs(at)))
    return reshape(at === 0 ? x : mixed, x.shape.toSpliced(axis + 1, 0, 1))
  })
  return reshape(concat(phases, axis + 1), x.shape.with(axis, size * n))
}

/** The options of {@link upSampling1D}. */
export interface UpSampling1DOptions extends LayerOptions {
  /** How often each step stands in the result (default 2). */
  readonly size?: number
}

/**
 * Every step of a sequence `size` times, `[batch, steps, channels] -> [batch, size · steps, channels]`. Throws E_CONFIG for a wrong
 * option and for an input that is no sequence. Keras: UpSampling1D.
 * @example
 * ```ts
 * import { input, upSampling1D } from "trilobite"
 * upSampling1D({ size: 3 })(input({ shape: [4, 2] })).shape // => [-1, 12, 2]
 * ```
 */
export const upSampling1D: LayerFactory<UpSampling1DOptions> = /* @__PURE__ */ layer<UpSampling1DOptions>(
  "UpSampling1D",
  { size: optional(positiveInteger(), 2) },
  ({ size }, x) => withChannelsLast("channelsLast", 1, x, (x) => repeated(x, 1, size)),
)

/** The options of {@link upSampling2D}. */
export interface UpSampling2DOptions extends LayerOptions, DataFormatOption {
  /** How many rows and columns each pixel becomes; one number for both (default [2, 2]). */
  readonly size?: number | readonly [number, number]
  /** `nearest`: each pixel is repeated; `bilinear`: straight lines between the pixels' middles (default nearest). */
  readonly interpolation?: "nearest" | "bilinear"
}

const isFactor = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1
const factors = that(
  "a whole number of at least 1, or two of them",
  (value): value is number | readonly [number, number] =>
    isFactor(value) || (Array.isArray(value) && value.length === 2 && value.every(isFactor)),
)

/**
 * A larger image, `[batch, height, width, channels] -> [batch, size₀ · height, size₁ · width, channels]`. Throws E_CONFIG for a wrong
 * option and for an input that is no image; of Keras's interpolations `bicubic` and the Lanczos ones are not there.
 * Keras: UpSampling2D.
 * @example
 * ```ts
 * import { input, upSampling2D } from "trilobite"
 * upSampling2D({ size: [2, 3], interpolation: "bilinear" })(input({ shape: [4, 5, 1] })).shape // => [-1, 8, 15, 1]
 * ```
 */
export const upSampling2D: LayerFactory<UpSampling2DOptions> = /* @__PURE__ */ layer<UpSampling2DOptions>(
  "UpSampling2D",
  {
    size: optional(factors, [2, 2]),
    dataFormat,
    interpolation: optional(oneOf("interpolation", ["nearest", "bilinear"]), "nearest"),
  },
  ({ size, dataFormat, interpolation }, x) => {
    const [rows, columns] = typeof size === "number" ? [size, size] : size
    const enlarge = interpolation === "nearest" ? repeated : interpolated
    return withChannelsLast(dataFormat, 2, x, (x) => enlarge(enlarge(x, 1, rows), 2, columns))
  },
)
