// How parameters begin: initializers as plain data, and the values they give for a seed. Knows no layers.

import { fillNormal, fillTruncatedNormal, fillUniform, streams } from "../core/random.ts"
import type { Shape } from "../core/shape.ts"
import { size } from "../core/shape.ts"
import type { Spelling } from "./names.ts"
import { finiteNumber, type Kind, type OptionsOf, optional } from "./options.ts"
import { readSpec } from "./spec.ts"

/** The options of {@link constant}. */
export interface ConstantOptions {
  /** The value of every element (default 0). */
  readonly value?: number
}

/** The options of {@link randomNormal} and {@link truncatedNormal}. */
export interface NormalOptions {
  /** The mean (default 0). */
  readonly mean?: number
  /** The standard deviation, before truncation if there is one (default 0.05). */
  readonly stddev?: number
}

/** The options of {@link randomUniform}. */
export interface UniformOptions {
  /** The least value (default −0.05). */
  readonly minval?: number
  /** What values stay below (default 0.05). */
  readonly maxval?: number
}

/** The options of every initializer, by its name. */
interface InitializerOptions {
  readonly zeros: Record<never, never>
  readonly ones: Record<never, never>
  readonly constant: Required<ConstantOptions>
  readonly randomNormal: Required<NormalOptions>
  readonly truncatedNormal: Required<NormalOptions>
  readonly randomUniform: Required<UniformOptions>
  readonly glorotUniform: Record<never, never>
  readonly glorotNormal: Record<never, never>
  readonly heUniform: Record<never, never>
  readonly heNormal: Record<never, never>
  readonly lecunUniform: Record<never, never>
  readonly lecunNormal: Record<never, never>
}

/** The name of an initializer. */
export type InitializerName = keyof InitializerOptions

/** An initializer as plain data, complete. */
export type InitializerSpec = { [T in InitializerName]: { readonly type: T } & InitializerOptions[T] }[InitializerName]

/** An initializer: a name, or an object as the functions of that name give it. */
export type Initializer = Spelling<InitializerName> | InitializerSpec

/** What random numbers depend on: the seed and the index of the parameter among those of its network. */
export interface InitialKey {
  readonly seed: number
  readonly index: number
}

interface Row<C> {
  readonly options: OptionsOf<C>
  readonly fill: (config: C, out: Float32Array, shape: Shape, key: InitialKey) => void
}

/** The standard deviation of a normal distribution cut off at ±2, by which one is divided to have it after the cut. */
const TRUNCATED_STDDEV = 0.87962566103423978

const stddev = finiteNumber({ least: 0 })
const normalOptions = { mean: optional(finiteNumber(), 0), stddev: optional(stddev, 0.05) }

/** The table of initializers. */
const table: { readonly [T in InitializerName]: Row<InitializerOptions[T]> } = {
  zeros: { options: {}, fill: (_, out) => void out.fill(0) },
  ones: { options: {}, fill: (_, out) => void out.fill(1) },
  constant: { options: { value: optional(finiteNumber(), 0) }, fill: ({ value }, out) => void out.fill(value) },
  randomNormal: {
    options: normalOptions,
    fill: ({ mean, stddev }, out, _, { seed, index }) =>
      fillNormal(out, mean, stddev, seed, streams.initialization, index, 0),
  },
  truncatedNormal: {
    options: normalOptions,
    fill: ({ mean, stddev }, out, _, key) => truncated(out, mean, stddev, key),
  },
  randomUniform: {
    options: { minval: optional(finiteNumber(), -0.05), maxval: optional(finiteNumber(), 0.05) },
    fill: ({ minval, maxval }, out, _, key) => uniform(out, minval, maxval, key),
  },
  glorotUniform: scaled(1, "average", "uniform"),
  glorotNormal: scaled(1, "average", "normal"),
  heUniform: scaled(2, "in", "uniform"),
  heNormal: scaled(2, "in", "normal"),
  lecunUniform: scaled(1, "in", "uniform"),
  lecunNormal: scaled(1, "in", "normal"),
}

/**
 * Variance scaling (Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998), Keras's VarianceScaling: uniform in
 * ±√(3·scale/n), or normal with standard deviation √(scale/n) after truncation, n the fan-in or the average of both fans.
 */
function scaled(scale: number, mode: "in" | "average", distribution: "uniform" | "normal"): Row<Record<never, never>> {
  return {
    options: {},
    fill: (_, out, shape, key) => {
      const { fanIn, fanOut } = fansOf(shape)
      const variance = scale / Math.max(1, mode === "in" ? fanIn : (fanIn + fanOut) / 2)
      const limit = Math.sqrt(3 * variance)
      if (distribution === "uniform") uniform(out, -limit, limit, key)
      else truncated(out, 0, Math.sqrt(variance) / TRUNCATED_STDDEV, key)
    },
  }
}

function uniform(out: Float32Array, low: number, high: number, { seed, index }: InitialKey): void {
  fillUniform(out, seed, streams.initialization, index, 0)
  const [from, range] = [Math.fround(low), Math.fround(high - low)]
  for (let i = 0; i < out.length; i++) out[i] = from + Math.fround(range * out[i]!)
}

function truncated(out: Float32Array, mean: number, stddev: number, { seed, index }: InitialKey): void {
  fillTruncatedNormal(out, mean, stddev, seed, streams.initialization, index, 0)
}

/**
 * How many inputs and outputs a weight of this shape connects, by Keras's rule: a matrix is [in, out]; kernels of more
 * axes are [...receptive field, in, out].
 */
export function fansOf(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2) return { fanIn: shape[0] ?? 1, fanOut: shape[0] ?? 1 }
  const field = size(shape.slice(0, -2))
  const [fanIn, fanOut] = shape.slice(-2) as [number, number]
  return { fanIn: fanIn * field, fanOut: fanOut * field }
}

/** The names of all initializers. */
export const initializerNames: readonly InitializerName[] = Object.keys(table) as InitializerName[]

/** The initializer that a name or an object stands for, complete. Throws E_CONFIG for unknown names, options and values. */
export function readInitializer(value: unknown, where = "initializer"): InitializerSpec {
  return readSpec<InitializerSpec>(where, "initializer", table, value)
}

/** The values of an option that takes an initializer; a name stays a name. */
export function initializerKind(): Kind<Initializer> {
  return {
    expected: "the name of an initializer or what one of these functions gives",
    read: (value, where) => {
      const spec = readInitializer(value, where)
      return typeof value === "string" ? spec.type : spec
    },
  }
}

/**
 * The first values of a parameter: a function of the initializer, the shape, the seed and the parameter's index alone.
 * Throws E_CONFIG for a wrong initializer or seed.
 */
export function initialValues(initializer: Initializer, shape: Shape, key: InitialKey): Float32Array {
  const out = new Float32Array(size(shape))
  const spec = readInitializer(initializer)
  const { fill }: { fill: (config: never, ...rest: [Float32Array, Shape, InitialKey]) => void } = table[spec.type]
  fill(spec as never, out, shape, key)
  return out
}

const make = <S extends InitializerSpec>(type: S["type"], options: object): S =>
  readInitializer({ ...options, type }, type) as S

/**
 * Zeros everywhere. Keras: Zeros.
 * @example
 * ```ts
 * import { dense, zeros } from "trilobite"
 * dense({ units: 1, kernelInitializer: zeros() }).config.kernelInitializer // => { type: "zeros" }
 * ```
 */
export const zeros = (): InitializerSpec => ({ type: "zeros" })

/**
 * Ones everywhere. Keras: Ones.
 * @example
 * ```ts
 * import { ones } from "trilobite"
 * ones() // => { type: "ones" }
 * ```
 */
export const ones = (): InitializerSpec => ({ type: "ones" })

/**
 * One value everywhere. Throws E_CONFIG if it is not finite. Keras: Constant.
 * @example
 * ```ts
 * import { constant } from "trilobite"
 * constant({ value: 0.1 }) // => { type: "constant", value: 0.1 }
 * ```
 */
export const constant = (options: ConstantOptions = {}): InitializerSpec => make("constant", options)

/**
 * Numbers of a normal distribution. Throws E_CONFIG for a wrong option. Keras: RandomNormal.
 * @example
 * ```ts
 * import { randomNormal } from "trilobite"
 * randomNormal({ stddev: 1 }) // => { type: "randomNormal", mean: 0, stddev: 1 }
 * ```
 */
export const randomNormal = (options: NormalOptions = {}): InitializerSpec => make("randomNormal", options)

/**
 * Numbers of a normal distribution within two standard deviations. Throws E_CONFIG for a wrong option. Keras: TruncatedNormal.
 * @example
 * ```ts
 * import { truncatedNormal } from "trilobite"
 * truncatedNormal() // => { type: "truncatedNormal", mean: 0, stddev: 0.05 }
 * ```
 */
export const truncatedNormal = (options: NormalOptions = {}): InitializerSpec => make("truncatedNormal", options)

/**
 * Numbers evenly from minval to maxval. Throws E_CONFIG for a wrong option. Keras: RandomUniform.
 * @example
 * ```ts
 * import { randomUniform } from "trilobite"
 * randomUniform({ minval: 0, maxval: 1 }) // => { type: "randomUniform", minval: 0, maxval: 1 }
 * ```
 */
export const randomUniform = (options: UniformOptions = {}): InitializerSpec => make("randomUniform", options)

/**
 * Evenly in ±√(6 / (in + out)): keeps the variance of activations and gradients (Glorot and Bengio 2010). Keras: GlorotUniform.
 * @example
 * ```ts
 * import { glorotUniform } from "trilobite"
 * glorotUniform() // => { type: "glorotUniform" }
 * ```
 */
export const glorotUniform = (): InitializerSpec => ({ type: "glorotUniform" })

/**
 * Truncated normal with variance 2 / (in + out) (Glorot and Bengio 2010). Keras: GlorotNormal.
 * @example
 * ```ts
 * import { glorotNormal } from "trilobite"
 * glorotNormal() // => { type: "glorotNormal" }
 * ```
 */
export const glorotNormal = (): InitializerSpec => ({ type: "glorotNormal" })

/**
 * Evenly in ±√(6 / in), for ReLU (He et al. 2015). Keras: HeUniform.
 * @example
 * ```ts
 * import { heUniform } from "trilobite"
 * heUniform() // => { type: "heUniform" }
 * ```
 */
export const heUniform = (): InitializerSpec => ({ type: "heUniform" })

/**
 * Truncated normal with variance 2 / in, for ReLU (He et al. 2015). Keras: HeNormal.
 * @example
 * ```ts
 * import { heNormal } from "trilobite"
 * heNormal() // => { type: "heNormal" }
 * ```
 */
export const heNormal = (): InitializerSpec => ({ type: "heNormal" })

/**
 * Evenly in ±√(3 / in) (LeCun et al. 1998). Keras: LecunUniform.
 * @example
 * ```ts
 * import { lecunUniform } from "trilobite"
 * lecunUniform() // => { type: "lecunUniform" }
 * ```
 */
export const lecunUniform = (): InitializerSpec => ({ type: "lecunUniform" })

/**
 * Truncated normal with variance 1 / in (LeCun et al. 1998). Keras: LecunNormal.
 * @example
 * ```ts
 * import { lecunNormal } from "trilobite"
 * lecunNormal() // => { type: "lecunNormal" }
 * ```
 */
export const lecunNormal = (): InitializerSpec => ({ type: "lecunNormal" })
