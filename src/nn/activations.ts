// Activation functions by name. Knows no layers.

import { configError } from "../core/errors.ts"
import { axisOf, formatShape } from "../core/shape.ts"
import { clip, logSoftmax, softplus, square, sum } from "../graph/compose.ts"
import { isOp, type Node } from "../graph/node.ts"
import * as ops from "../graph/ops.ts"
import {
  abs,
  add,
  div,
  erf,
  exp,
  expm1,
  less,
  lessEqual,
  max,
  min,
  mul,
  neg,
  relu,
  sigmoid,
  sqrt,
  sub,
  tanh,
  where,
} from "../graph/ops.ts"
import { type Custom, callCustom, customOf, isCustom } from "./custom.ts"
import type { Spelling } from "./names.ts"
import {
  finiteNumber,
  flag,
  integer,
  type Kind,
  maybe,
  type OptionalOption,
  type OptionsOf,
  optional,
  required,
} from "./options.ts"
import { readSpec } from "./spec.ts"

/** The options of every activation function, by its name. */
interface ActivationOptions {
  readonly linear: Record<never, never>
  readonly sigmoid: Record<never, never>
  readonly tanh: Record<never, never>
  readonly relu: { readonly negativeSlope: number; readonly maxValue: number | undefined; readonly threshold: number }
  readonly softmax: { readonly axis: number }
  readonly celu: { readonly alpha: number }
  readonly elu: { readonly alpha: number }
  readonly exponential: Record<never, never>
  readonly gelu: { readonly approximate: boolean }
  readonly glu: { readonly axis: number }
  readonly hardShrink: { readonly threshold: number }
  readonly hardSigmoid: Record<never, never>
  readonly hardSilu: Record<never, never>
  readonly hardTanh: Record<never, never>
  readonly leakyRelu: { readonly negativeSlope: number }
  readonly logSigmoid: Record<never, never>
  readonly logSoftmax: { readonly axis: number }
  readonly mish: Record<never, never>
  readonly relu6: Record<never, never>
  readonly selu: Record<never, never>
  readonly silu: Record<never, never>
  readonly softShrink: { readonly threshold: number }
  readonly softplus: Record<never, never>
  readonly softsign: Record<never, never>
  readonly sparsePlus: Record<never, never>
  readonly sparseSigmoid: Record<never, never>
  readonly sparsemax: { readonly axis: number }
  readonly squareplus: { readonly b: number }
  readonly tanhShrink: Record<never, never>
  readonly threshold: { readonly threshold: number; readonly defaultValue: number }
}

/** The name of an activation function. */
export type ActivationName = keyof ActivationOptions

/** Other names of activation functions, as in Keras. */
export const activationAliases = { swish: "silu", hardSwish: "hardSilu" } as const

/** An activation function with its options as plain data. */
export type ActivationSpec = {
  [T in ActivationName]: { readonly type: T } & Partial<ActivationOptions[T]>
}[ActivationName]

/** What may be given as an activation: a name, an object with a type and options, or a traced function of one's own. */
export type Activation =
  | Spelling<ActivationName>
  | Spelling<keyof typeof activationAliases>
  | ActivationSpec
  | Custom
  | ((x: Node) => Node)

interface Row<C> {
  readonly options: OptionsOf<C>
  readonly call: (x: Node, config: C) => Node
}

const simple = (call: (x: Node) => Node): Row<Record<never, never>> => ({ options: {}, call })
const number = (value: number): OptionalOption<number> => optional(finiteNumber(), value)
const axis = { axis: optional(integer(), -1) }

/** The scale and the α with which activations keep mean 0 and variance 1 (Klambauer et al. 2017). */
const SELU = { scale: 1.0507009873554805, alpha: 1.6732632423543772 } as const

/** √(2/π). */
const ROOT_TWO_OVER_PI = 0.7978845608028654

/** Activation functions: the one table of their names. */
export const activations: { readonly [T in ActivationName]: Row<ActivationOptions[T]> } = {
  /** z. */
  linear: simple((z) => z),
  /** 1 / (1 + e⁻ᶻ). */
  sigmoid: simple(sigmoid),
  /** The hyperbolic tangent. */
  tanh: simple(tanh),
  /** max(0, z), with slope 0 at 0; with options negativeSlope·(z − threshold) below the threshold, and maxValue above it. */
  relu: {
    options: { negativeSlope: number(0), maxValue: maybe(finiteNumber({ least: 0 })), threshold: number(0) },
    call: (z, { negativeSlope, maxValue, threshold }) => {
      const plain = negativeSlope === 0 && threshold === 0
      const below = mul(sub(z, threshold), negativeSlope)
      const open = plain ? relu(z) : where(less(z, threshold), negativeSlope === 0 ? 0 : below, z)
      return maxValue === undefined ? open : min(open, maxValue)
    },
  },
  /** eᶻ / Σ eᶻ over an axis. */
  softmax: { options: axis, call: (z, config) => alongLast(z, config.axis, ops.softmax) },
  /** z above 0, α (e^(z/α) − 1) below (Barron 2017). */
  celu: {
    options: { alpha: number(1) },
    call: (z, { alpha }) => where(lessEqual(z, 0), mul(expm1(div(min(z, 0), alpha)), alpha), z),
  },
  /** z above 0, α (eᶻ − 1) below (Clevert et al. 2016). */
  elu: { options: { alpha: number(1) }, call: (z, { alpha }) => elu(z, alpha) },
  /** eᶻ. */
  exponential: simple(exp),
  /** z Φ(z) (Hendrycks and Gimpel 2016), or its approximation by tanh. */
  gelu: {
    options: { approximate: optional(flag(), false) },
    call: (z, { approximate }) => {
      const cubic = mul(add(z, mul(mul(square(z), z), 0.044715)), ROOT_TWO_OVER_PI)
      return mul(mul(z, 0.5), add(approximate ? tanh(cubic) : erf(mul(z, Math.SQRT1_2)), 1))
    },
  },
  /** The first half along an axis times the sigmoid of the second (Dauphin et al. 2017). */
  glu: { options: axis, call: (z, config) => glu(z, config.axis) },
  /** z where |z| > threshold, else 0. */
  hardShrink: {
    options: { threshold: number(0.5) },
    call: (z, { threshold }) => where(less(threshold, abs(z)), z, 0),
  },
  /** z/6 + ½ between 0 and 1. */
  hardSigmoid: simple((z) => hardSigmoid(z)),
  /** z times hardSigmoid (Howard et al. 2019). */
  hardSilu: simple((z) => mul(z, hardSigmoid(z))),
  /** z between −1 and 1. */
  hardTanh: simple((z) => clip(z, -1, 1)),
  /** z above 0, negativeSlope·z below (Maas et al. 2013). */
  leakyRelu: {
    options: { negativeSlope: number(0.2) },
    call: (z, { negativeSlope }) => where(lessEqual(z, 0), mul(z, negativeSlope), z),
  },
  /** ln σ(z), finite for all finite z. */
  logSigmoid: simple((z) => neg(softplus(neg(z)))),
  /** z − ln Σ eᶻ over an axis. */
  logSoftmax: { options: axis, call: (z, config) => alongLast(z, config.axis, logSoftmax) },
  /** z tanh(ln(1 + eᶻ)) (Misra 2019). */
  mish: simple((z) => mul(z, tanh(softplus(z)))),
  /** max(0, z), at most 6. */
  relu6: simple((z) => min(relu(z), 6)),
  /** elu with the constants of self-normalizing networks (Klambauer et al. 2017). */
  selu: simple((z) => mul(elu(z, SELU.alpha), SELU.scale)),
  /** z σ(z) (Ramachandran et al. 2017). */
  silu: simple((z) => mul(z, sigmoid(z))),
  /** z nearer to 0 by the threshold, 0 within it. */
  softShrink: {
    options: { threshold: number(0.5) },
    call: (z, { threshold }) =>
      where(less(threshold, z), sub(z, threshold), where(less(z, -threshold), add(z, threshold), 0)),
  },
  /** ln(1 + eᶻ). */
  softplus: simple(softplus),
  /** z / (1 + |z|). */
  softsign: simple((z) => div(z, add(abs(z), 1))),
  /** 0 up to −1, ¼ (z + 1)² up to 1, then z. */
  sparsePlus: simple((z) => where(lessEqual(z, -1), 0, where(less(z, 1), mul(square(add(z, 1)), 0.25), z))),
  /** ½ (z + 1) between 0 and 1. */
  sparseSigmoid: simple((z) => clip(mul(add(z, 1), 0.5), 0, 1)),
  /** The nearest probabilities to z along an axis (Martins and Astudillo 2016). */
  sparsemax: { options: axis, call: (z, config) => alongLast(z, config.axis, sparsemax) },
  /** ½ (z + √(z² + b)) (Barron 2021). */
  squareplus: {
    options: { b: optional(finiteNumber({ above: 0 }), 4) },
    call: (z, { b }) => mul(add(z, sqrt(add(square(z), b))), 0.5),
  },
  /** z − tanh z. */
  tanhShrink: simple((z) => sub(z, tanh(z))),
  /** z above the threshold, else defaultValue. */
  threshold: {
    options: { threshold: required(finiteNumber()), defaultValue: required(finiteNumber()) },
    call: (z, { threshold, defaultValue }) => where(less(threshold, z), z, defaultValue),
  },
}

function elu(z: Node, alpha: number): Node {
  return where(lessEqual(z, 0), mul(expm1(min(z, 0)), alpha), z)
}

function glu(z: Node, along: number): Node {
  const at = axisOf(along, z.shape.length, "axis")
  const n = z.shape[at]!
  if (n % 2 === 0) return mul(ops.slice(z, at, 0, n / 2), sigmoid(ops.slice(z, at, n / 2, n)))
  throw configError({
    where: "glu",
    what: `axis ${at} of ${formatShape(z.shape)} has no halves.`,
    expected: "an even size",
  })
}

function hardSigmoid(z: Node): Node {
  return mul(clip(add(z, 3), 0, 6), 1 / 6)
}

/** The function over the last axis, over another one. */
function alongLast(x: Node, along: number, call: (x: Node) => Node): Node {
  const at = axisOf(along, x.shape.length, "axis")
  if (at === x.shape.length - 1) return call(x)
  const order = x.shape.map((_, i) => i).filter((i) => i !== at)
  order.push(at)
  const back = x.shape.map((_, i) => order.indexOf(i))
  return ops.transpose(call(ops.transpose(x, order)), back)
}

/** max(z − τ, 0) with the τ for which they sum to 1: of those that stay, by how many are at least as large as each. */
function sparsemax(z: Node): Node {
  const n = z.shape[z.shape.length - 1]!
  const outer = z.shape.slice(0, -1)
  const [rows, columns] = [ops.reshape(z, [...outer, n, 1]), ops.reshape(z, [...outer, 1, n])]
  const above = ops.stopGradient(lessEqual(rows, columns))
  const counts = sum(above, [-1])
  const sums = ops.stopGradient(sum(mul(above, columns), [-1]))
  const stays = ops.stopGradient(less(sums, add(mul(counts, z), 1)))
  const tau = div(sub(sum(mul(stays, z), [-1], true), 1), sum(stays, [-1], true))
  return max(sub(z, tau), 0)
}

/** The names of all activation functions. */
export const activationNames: readonly ActivationName[] = Object.keys(activations) as ActivationName[]

/** The activation a of the weighted inputs z. Throws E_CONFIG for an unknown name. */
export function activate(activation: Activation, z: Node): Node {
  if (typeof activation === "function") return callCustom("activation", customOf("activation", activation), [z])
  if (isCustom(activation)) return callCustom("activation", activation, [z])
  const { type, ...config } = readActivation(activation, "activate")
  return (activations[type] as Row<object>).call(z, config)
}

/** The activation that a name or an object stands for, with all its options. Throws E_CONFIG. */
export function readActivation(value: unknown, at: string): Required<ActivationSpec> {
  return readSpec<Required<ActivationSpec>>(at, "activation", activations as never, value, activationAliases)
}

/** The activation function that made a value: linear if it is none of those that losses ask for. */
export function activationOf(a: Node): ActivationName {
  return (["sigmoid", "tanh", "relu", "softmax"] as const).find((name) => isOp(a, name)) ?? "linear"
}

/** The values of an option that takes an activation; a name stays a name. */
/* @__NO_SIDE_EFFECTS__ */
export function activationKind(): Kind<Activation> {
  return {
    expected: "the name of an activation, an object with its type and options, or a function",
    read: (value, at) => {
      if (typeof value === "function") return customOf("activation", value)
      if (isCustom(value)) return value
      const spec = readActivation(value, at)
      return typeof value === "string" ? spec.type : spec
    },
  }
}
