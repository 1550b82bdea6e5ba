// How parameters begin: initializers as plain data, and the values they give for a seed. Knows no layers.

import { fillNormal, streams } from "../core/random.ts"
import { type Shape, size } from "../core/shape.ts"
import {
  type InitialKey,
  matrix,
  notMatrix,
  orthonormal,
  type Scaling,
  scale,
  truncated,
  uniform,
} from "./initial-values.ts"
import type { Spelling } from "./names.ts"
import { finiteNumber, type Kind, maybeNull, type OptionsOf, oneOf, optional, wholeNumber } from "./options.ts"
import { readSpec } from "./spec.ts"

/** The options of {@link constant}. */
export interface ConstantOptions {
  /** The value of every element (default 0). */
  readonly value?: number
}

/** The option of every initializer that draws numbers. */
export interface SeedOptions {
  /** What the numbers depend on instead of the model's seed and the parameter's place (default null: on those). */
  readonly seed?: number | null
}

/** The options of {@link randomNormal} and {@link truncatedNormal}. */
export interface NormalOptions extends SeedOptions {
  /** The mean (default 0). */
  readonly mean?: number
  /** The standard deviation, before truncation if there is one (default 0.05). */
  readonly stddev?: number
}

/** The options of {@link randomUniform}. */
export interface UniformOptions extends SeedOptions {
  /** The least value (default −0.05). */
  readonly minval?: number
  /** What values stay below (default 0.05). */
  readonly maxval?: number
}

/** The options of {@link varianceScaling}. */
export interface VarianceScalingOptions extends SeedOptions {
  /** What the variance is multiplied by (default 1). */
  readonly scale?: number
  /** By what it is divided: the inputs of a neuron, its outputs, or their mean (default fanIn). */
  readonly mode?: "fanIn" | "fanOut" | "fanAvg"
  /** How numbers are distributed (default truncatedNormal). */
  readonly distribution?: "truncatedNormal" | "untruncatedNormal" | "uniform"
}

/** The options of {@link orthogonal}. */
export interface OrthogonalOptions extends SeedOptions {
  /** What the matrix is multiplied by (default 1). */
  readonly gain?: number
}

/** The options of {@link identity}. */
export interface IdentityOptions {
  /** The value on the diagonal (default 1). */
  readonly gain?: number
}

/** The options of every initializer, by its name. */
interface InitializerOptions {
  readonly zeros: Record<never, never>
  readonly ones: Record<never, never>
  readonly constant: Required<ConstantOptions>
  readonly identity: Required<IdentityOptions>
  readonly orthogonal: Required<OrthogonalOptions>
  readonly randomNormal: Required<NormalOptions>
  readonly truncatedNormal: Required<NormalOptions>
  readonly randomUniform: Required<UniformOptions>
  readonly varianceScaling: Required<VarianceScalingOptions>
  readonly glorotUniform: Required<SeedOptions>
  readonly glorotNormal: Required<SeedOptions>
  readonly heUniform: Required<SeedOptions>
  readonly heNormal: Required<SeedOptions>
  readonly lecunUniform: Required<SeedOptions>
  readonly lecunNormal: Required<SeedOptions>
}

/** The name of an initializer. */
export type InitializerName = keyof InitializerOptions

/** An initializer as plain data, complete. */
export type InitializerSpec = { [T in InitializerName]: { readonly type: T } & InitializerOptions[T] }[InitializerName]

/** An initializer: a name, or an object with a type and options, as the functions of that name give it. */
export type Initializer =
  | Spelling<InitializerName>
  | { [T in InitializerName]: { readonly type: T } & Partial<InitializerOptions[T]> }[InitializerName]

interface Row<C> {
  readonly options: OptionsOf<C>
  readonly fill: (config: C, out: Float32Array, shape: Shape, key: InitialKey) => void
}

const stddev = finiteNumber({ least: 0 })
const seed = optional(maybeNull(wholeNumber()), null)
const normalOptions = { mean: optional(finiteNumber(), 0), stddev: optional(stddev, 0.05), seed }

/** The table of initializers. */
const table: { readonly [T in InitializerName]: Row<InitializerOptions[T]> } = {
  zeros: { options: {}, fill: (_, out) => void out.fill(0) },
  ones: { options: {}, fill: (_, out) => void out.fill(1) },
  constant: { options: { value: optional(finiteNumber(), 0) }, fill: ({ value }, out) => void out.fill(value) },
  identity: {
    options: { gain: optional(finiteNumber(), 1) },
    fill: ({ gain }, out, shape) => {
      const [rows, columns] = matrix("identity", shape)
      for (let i = 0; i < Math.min(rows, columns); i++) out[i * columns + i] = gain
    },
  },
  orthogonal: {
    options: { gain: optional(finiteNumber(), 1), seed },
    fill: ({ gain }, out, shape, key) => {
      if (shape.length < 2) throw notMatrix("orthogonal", shape)
      const columns = shape[shape.length - 1]!
      const drawn = new Float32Array(out.length)
      fillNormal(drawn, 0, 1, key.seed, streams.initialization, key.index, 0)
      out.set(orthonormal(drawn, out.length / columns, columns).map((x) => gain * x))
    },
  },
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
    options: { minval: optional(finiteNumber(), -0.05), maxval: optional(finiteNumber(), 0.05), seed },
    fill: ({ minval, maxval }, out, _, key) => uniform(out, minval, maxval, key),
  },
  varianceScaling: {
    options: {
      scale: optional(finiteNumber({ least: 0 }), 1),
      mode: optional(oneOf("mode", ["fanIn", "fanOut", "fanAvg"] as const), "fanIn"),
      distribution: optional(
        oneOf("distribution", ["truncatedNormal", "untruncatedNormal", "uniform"] as const),
        "truncatedNormal",
      ),
      seed,
    },
    fill: scale,
  },
  glorotUniform: scaled(1, "fanAvg", "uniform"),
  glorotNormal: scaled(1, "fanAvg", "truncatedNormal"),
  heUniform: scaled(2, "fanIn", "uniform"),
  heNormal: scaled(2, "fanIn", "truncatedNormal"),
  lecunUniform: scaled(1, "fanIn", "uniform"),
  lecunNormal: scaled(1, "fanIn", "truncatedNormal"),
}

/** Variance scaling with three of its options fixed. */
function scaled(
  scaleBy: number,
  mode: Scaling["mode"],
  distribution: Scaling["distribution"],
): Row<Required<SeedOptions>> {
  return { options: { seed }, fill: (_, ...rest) => scale({ scale: scaleBy, mode, distribution }, ...rest) }
}

/** Other names of initializers, as in Keras. */
export const initializerAliases = { uniform: "randomUniform", normal: "randomNormal" } as const

/** The names of all initializers. */
export const initializerNames: readonly InitializerName[] = Object.keys(table) as InitializerName[]

/** The initializer that a name or an object stands for, complete. Throws E_CONFIG for unknown names, options and values. */
export function readInitializer(value: unknown, where = "initializer"): InitializerSpec {
  return readSpec<InitializerSpec>(where, "initializer", table, value, initializerAliases)
}

/** The values of an option that takes an initializer; a name stays a name. */
/* @__NO_SIDE_EFFECTS__ */
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
  const own = "seed" in spec && spec.seed !== null ? { seed: spec.seed, index: 0 } : key
  fill(spec as never, out, shape, own)
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
 * randomNormal({ stddev: 1 }) // => { type: "randomNormal", mean: 0, stddev: 1, seed: null }
 * ```
 */
export const randomNormal = (options: NormalOptions = {}): InitializerSpec => make("randomNormal", options)

/**
 * Numbers of a normal distribution within two standard deviations. Throws E_CONFIG for a wrong option. Keras: TruncatedNormal.
 * @example
 * ```ts
 * import { truncatedNormal } from "trilobite"
 * truncatedNormal() // => { type: "truncatedNormal", mean: 0, stddev: 0.05, seed: null }
 * ```
 */
export const truncatedNormal = (options: NormalOptions = {}): InitializerSpec => make("truncatedNormal", options)

/**
 * Numbers evenly from minval to maxval. Throws E_CONFIG for a wrong option. Keras: RandomUniform.
 * @example
 * ```ts
 * import { randomUniform } from "trilobite"
 * randomUniform({ minval: 0, maxval: 1 }) // => { type: "randomUniform", minval: 0, maxval: 1, seed: null }
 * ```
 */
export const randomUniform = (options: UniformOptions = {}): InitializerSpec => make("randomUniform", options)

/**
 * Evenly in ±√(6 / (in + out)): keeps the variance of activations and gradients (Glorot and Bengio 2010). Keras: GlorotUniform.
 * @example
 * ```ts
 * import { glorotUniform } from "trilobite"
 * glorotUniform() // => { type: "glorotUniform", seed: null }
 * ```
 */
export const glorotUniform = (options: SeedOptions = {}): InitializerSpec => make("glorotUniform", options)

/**
 * Truncated normal with variance 2 / (in + out) (Glorot and Bengio 2010). Keras: GlorotNormal.
 * @example
 * ```ts
 * import { glorotNormal } from "trilobite"
 * glorotNormal() // => { type: "glorotNormal", seed: null }
 * ```
 */
export const glorotNormal = (options: SeedOptions = {}): InitializerSpec => make("glorotNormal", options)

/**
 * Evenly in ±√(6 / in), for ReLU (He et al. 2015). Keras: HeUniform.
 * @example
 * ```ts
 * import { heUniform } from "trilobite"
 * heUniform() // => { type: "heUniform", seed: null }
 * ```
 */
export const heUniform = (options: SeedOptions = {}): InitializerSpec => make("heUniform", options)

/**
 * Truncated normal with variance 2 / in, for ReLU (He et al. 2015). Keras: HeNormal.
 * @example
 * ```ts
 * import { heNormal } from "trilobite"
 * heNormal() // => { type: "heNormal", seed: null }
 * ```
 */
export const heNormal = (options: SeedOptions = {}): InitializerSpec => make("heNormal", options)

/**
 * Evenly in ±√(3 / in) (LeCun et al. 1998). Keras: LecunUniform.
 * @example
 * ```ts
 * import { lecunUniform } from "trilobite"
 * lecunUniform() // => { type: "lecunUniform", seed: null }
 * ```
 */
export const lecunUniform = (options: SeedOptions = {}): InitializerSpec => make("lecunUniform", options)

/**
 * Truncated normal with variance 1 / in (LeCun et al. 1998). Keras: LecunNormal.
 * @example
 * ```ts
 * import { lecunNormal } from "trilobite"
 * lecunNormal() // => { type: "lecunNormal", seed: null }
 * ```
 */
export const lecunNormal = (options: SeedOptions = {}): InitializerSpec => make("lecunNormal", options)

/**
 * Numbers whose spread follows from the sizes of the layer: see `scale`, `mode` and `distribution`. Throws E_CONFIG for a wrong
 * option. Keras: VarianceScaling.
 * @example
 * ```ts
 * import { varianceScaling } from "trilobite"
 * varianceScaling({ scale: 2 }).type // => "varianceScaling"
 * ```
 */
export const varianceScaling = (options: VarianceScalingOptions = {}): InitializerSpec =>
  make("varianceScaling", options)

/**
 * A matrix whose rows or columns have length `gain` and stand at right angles: signals keep their size through many layers
 * (Saxe et al. 2014). More axes are seen as `[all others, last]`. Throws E_CONFIG for a wrong option, and for vectors when it
 * is used. Keras: Orthogonal.
 * @example
 * ```ts
 * import { orthogonal } from "trilobite"
 * orthogonal({ gain: 2 }) // => { type: "orthogonal", gain: 2, seed: null }
 * ```
 */
export const orthogonal = (options: OrthogonalOptions = {}): InitializerSpec => make("orthogonal", options)

/**
 * `gain` on the diagonal of a matrix, 0 elsewhere. Throws E_CONFIG for a wrong option, and for what is no matrix when it is
 * used. Keras: Identity.
 * @example
 * ```ts
 * import { identity } from "trilobite"
 * identity() // => { type: "identity", gain: 1 }
 * ```
 */
export const identity = (options: IdentityOptions = {}): InitializerSpec => make("identity", options)
