// Activation functions with options as layers of their own. Knows no network.

import { lessEqual, mul, where } from "../../graph/ops.ts"
import { activate } from "../activations.ts"
import { type Constraint, constraintKind, limitOf } from "../constraints.ts"
import { type Initializer, initializerKind } from "../initializers.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { finiteNumber, integer, maybeNull, optional, that } from "../options.ts"
import { penaltyOf, type Regularizer, regularizerKind } from "../regularizers.ts"

/** The options of {@link reLU}. */
export interface ReLUOptions extends LayerOptions {
  /** What the output is at most (default no limit). */
  readonly maxValue?: number | null
  /** The slope below the threshold (default 0). */
  readonly negativeSlope?: number
  /** From where on the output is the input (default 0). */
  readonly threshold?: number
}

const atLeastZero = finiteNumber({ least: 0 })

/**
 * min(x, maxValue) from the threshold on, negativeSlope · (x − threshold) below it, `[...] -> [...]`; with slope 0 at 0. Throws
 * E_CONFIG for a wrong option. Keras: ReLU.
 * @example
 * ```ts
 * import { reLU } from "trilobite"
 * reLU({ maxValue: 6 }).config.maxValue // => 6
 * ```
 */
export const reLU: LayerFactory<ReLUOptions> = /* @__PURE__ */ layer<ReLUOptions>(
  "ReLU",
  {
    maxValue: optional(maybeNull(atLeastZero), null),
    negativeSlope: optional(atLeastZero, 0),
    threshold: optional(atLeastZero, 0),
  },
  ({ maxValue, ...rest }, x) => activate({ type: "relu", ...rest, ...(maxValue === null ? {} : { maxValue }) }, x),
  { passesMask: true },
)

/** The options of {@link leakyReLU}. */
export interface LeakyReLUOptions extends LayerOptions {
  /** The slope below 0 (default 0.3). */
  readonly negativeSlope?: number
}

/**
 * x above 0, negativeSlope · x below, `[...] -> [...]`. Throws E_CONFIG for a wrong option. Keras: LeakyReLU.
 * @example
 * ```ts
 * import { leakyReLU } from "trilobite"
 * leakyReLU().config.negativeSlope // => 0.3
 * ```
 */
export const leakyReLU: LayerFactory<LeakyReLUOptions> = /* @__PURE__ */ layer<LeakyReLUOptions>(
  "LeakyReLU",
  { negativeSlope: optional(atLeastZero, 0.3) },
  ({ negativeSlope }, x) => activate({ type: "leakyRelu", negativeSlope }, x),
  { passesMask: true },
)

/** The options of {@link prelu}. */
export interface PReLUOptions extends LayerOptions {
  /** How the slopes begin (default zeros). */
  readonly alphaInitializer?: Initializer
  /** What is added to the cost for the slopes (default nothing). */
  readonly alphaRegularizer?: Regularizer | null
  /** What the slopes become after every update (default what they are). */
  readonly alphaConstraint?: Constraint | null
  /** Axes along which the slope is the same, counted with the batch (default none). */
  readonly sharedAxes?: readonly number[] | null
}

const axesKind = that<readonly number[]>(
  "a list of axes from 1 on",
  (value): value is readonly number[] => Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 1),
)

/**
 * x above 0, α · x below, with a slope α that is learnt for each number of an example, `[...] -> [...]`. Throws E_CONFIG for a
 * wrong option. Source: He et al. 2015. Keras: PReLU.
 * @example
 * ```ts
 * import { prelu, sequential } from "trilobite"
 * sequential([prelu({ inputShape: [4, 3], sharedAxes: [1] })]).countParams() // => 3
 * ```
 */
export const prelu: LayerFactory<PReLUOptions> = /* @__PURE__ */ layer<PReLUOptions>(
  "PReLU",
  {
    alphaInitializer: optional(initializerKind(), "zeros"),
    alphaRegularizer: optional(regularizerKind(), null),
    alphaConstraint: optional(constraintKind(), null),
    sharedAxes: optional(maybeNull(axesKind), null),
  },
  (config, x, scope) => {
    const shape = x.shape.slice(1).map((n, i) => (config.sharedAxes?.includes(i + 1) ? 1 : n))
    const alpha = scope.parameter("alpha", shape, config.alphaInitializer, {
      regularizer: penaltyOf(config.alphaRegularizer),
      constraint: limitOf(config.alphaConstraint),
    })
    return where(lessEqual(x, 0), mul(x, alpha), x)
  },
  { passesMask: true },
)

/** The options of {@link elu}. */
export interface ELUOptions extends LayerOptions {
  /** −α is what the output tends to below 0 (default 1). */
  readonly alpha?: number
}

/**
 * x above 0, α (eˣ − 1) below, `[...] -> [...]`. Throws E_CONFIG for a wrong option. Keras: ELU.
 * @example
 * ```ts
 * import { elu } from "trilobite"
 * elu().config.alpha // => 1
 * ```
 */
export const elu: LayerFactory<ELUOptions> = /* @__PURE__ */ layer<ELUOptions>(
  "ELU",
  { alpha: optional(finiteNumber(), 1) },
  ({ alpha }, x) => activate({ type: "elu", alpha }, x),
  { passesMask: true },
)

/** The options of {@link softmax}. */
export interface SoftmaxOptions extends LayerOptions {
  /** The axis along which the output sums to 1 (default −1). */
  readonly axis?: number
}

/**
 * eˣ / Σ eˣ over an axis, `[...] -> [...]`. Throws E_CONFIG for a wrong option. Keras: Softmax.
 * @example
 * ```ts
 * import { softmax } from "trilobite"
 * softmax().config.axis // => -1
 * ```
 */
export const softmax: LayerFactory<SoftmaxOptions> = /* @__PURE__ */ layer<SoftmaxOptions>(
  "Softmax",
  { axis: optional(integer(), -1) },
  ({ axis }, x) => activate({ type: "softmax", axis }, x),
  { passesMask: true },
)
