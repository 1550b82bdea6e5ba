// Attention: every step of one sequence takes a mixture of the steps of another. Knows no network.

import { configError } from "../../core/errors.ts"
import { formatShape } from "../../core/shape.ts"
import { sum } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import {
  add,
  indexOver,
  lessEqual,
  mul,
  product,
  reshape,
  softmax,
  sub,
  tanh,
  transpose,
  where,
} from "../../graph/ops.ts"
import { limitOf } from "../constraints.ts"
import {
  type Given,
  type Layer,
  type LayerFactory,
  type LayerOfMany,
  type LayerOptions,
  layerOfMany,
} from "../layer.ts"
import { finiteNumber, flag, maybeNull, oneOf, optional, positiveInteger, type Resolved, required } from "../options.ts"
import { penaltyOf, traceRegularizer } from "../regularizers.ts"
import type { Mask, Scope } from "../scope.ts"
import { dropped, type NoiseSeed, seed } from "./noise.ts"
import { kernelOf, type WeightedOptions, withParameters } from "./weighted.ts"

/** What all attention layers may be told; in Keras the last two are arguments of the call. */
interface AttendingOptions extends NoiseSeed {
  /** The share of weights that are dropped in training (default 0). */
  readonly dropout?: number
  /** Whether a step attends to no later step (default false). */
  readonly useCausalMask?: boolean
  /** Whether the weights of the steps follow as a second value (default false). */
  readonly returnAttentionScores?: boolean
}

const attending = {
  dropout: optional(finiteNumber({ least: 0, most: 1 }), 0),
  seed,
  useCausalMask: optional(flag(), false),
  returnAttentionScores: optional(flag(), false),
}

/** What is taken off the scores of steps that do not count, so that their weights become 0. */
const FAR = 1e9

interface Scoring {
  /** `[batch, ...heads, queries, keys]`. */
  readonly scores: Node
  readonly values: Node
  /** Which queries, values and keys count, `[batch, steps]`. */
  readonly masks: { readonly query?: Mask; readonly value: Mask; readonly key?: Mask }
  readonly config: Resolved<AttendingOptions>
}

/** Makes attention layers: with `returnAttentionScores` they give two values. */
export interface AttendingFactory<O extends LayerOptions> extends Pick<LayerFactory<O>, "type" | "options" | "create"> {
  (options: O & { readonly returnAttentionScores: true }): LayerOfMany
  (...options: Given<O>): Layer
}

/**
 * softmax(scores)·values over the keys that count, `[batch, ...heads, queries, keys], [batch, ...heads, keys, size]`, and the
 * weights.
 */
function attend({ scores, values, masks, config }: Scoring, scope: Scope): readonly [Node, Node] {
  const rank = scores.shape.length
  let counted = scores
  const only = (mask: Node): void => {
    counted = where(mask, counted, sub(counted, FAR))
  }
  const ones = scores.shape.slice(1, -2).map(() => 1)
  for (const mask of [masks.value, masks.key]) {
    if (mask !== undefined) only(reshape(mask, [mask.shape[0]!, ...ones, 1, mask.shape[1]!]))
  }
  if (masks.query !== undefined) only(reshape(masks.query, [masks.query.shape[0]!, ...ones, masks.query.shape[1]!, 1]))
  if (config.useCausalMask) {
    const [queries, keys] = scores.shape.slice(-2) as [number, number]
    const query = transpose(indexOver([keys, queries]), [1, 0])
    only(lessEqual(indexOver([queries, keys]), query))
  }
  const weights = softmax(counted)
  const kept = dropped(weights, scope, config.dropout, () => scope.random(weights.shape, config.seed))
  return [product(kept, values, { outer: rank - 2, inner: 1 }), weights]
}

/** Query, value and key; the key is the value if it is not given. Throws E_CONFIG for other numbers of inputs or axes. */
function readInputs(inputs: readonly Node[]): readonly [query: Node, value: Node, key: Node] {
  const [query, value, key = value] = inputs
  const right = query !== undefined && value !== undefined && key !== undefined && inputs.length <= 3
  if (right && [query, value, key].every(({ shape }) => shape.length === 3) && key.shape[1] === value.shape[1]) {
    return [query, value, key]
  }
  throw configError({
    what: "these are no sequences to attend from and to.",
    expected: "[query, value] or [query, value, key]: [batch, queries, size] and twice [batch, keys, size]",
    got: inputs.map(({ shape }) => formatShape(shape)).join(", "),
  })
}

/** The query's mask passes on, and steps that it leaves out become 0 where Keras does so. */
function finish(
  scope: Scope,
  config: Resolved<AttendingOptions>,
  [output, weights]: readonly [Node, Node],
): Node | readonly Node[] {
  scope.passMask(scope.masks[0])
  return config.returnAttentionScores ? [output, weights] : output
}

function checkSizes(query: Node, key: Node): number {
  const size = query.shape[2]!
  if (key.shape[2] === size) return size
  const got = `${formatShape(query.shape)} and ${formatShape(key.shape)}`
  throw configError({ what: "queries and keys do not have the same size.", expected: `[batch, keys, ${size}]`, got })
}

/** What the scores make of the values; of queries that do not count 0. */
function mixture(config: Resolved<AttendingOptions>, scope: Scope, scores: Node, values: Node): Node | readonly Node[] {
  const [mask, value] = scope.masks
  const [output, weights] = attend({ scores, values, masks: { value }, config }, scope)
  const shown = mask === undefined ? output : where(reshape(mask, [...mask.shape, 1]), output, 0)
  return finish(scope, config, [shown, weights])
}

/** Σ over the last axis of tanh(query + key), each times a factor: `[batch, queries, keys]`. */
function additiveScores(query: Node, key: Node, before: (x: Node) => Node, after: (x: Node) => Node): Node {
  const [batch, queries, size] = query.shape as readonly [number, number, number]
  const left = reshape(query, [batch, queries, 1, size])
  const right = reshape(key, [batch, 1, key.shape[1]!, size])
  return sum(after(tanh(before(add(left, right)))), [-1])
}

/** The options of {@link attention}. */
export interface AttentionOptions extends LayerOptions, AttendingOptions {
  /** Whether scores are multiplied by a number that is learnt (default false). */
  readonly useScale?: boolean
  /** `dot`: products of queries and keys; `concat`: Σ tanh(query + key) (default dot). */
  readonly scoreMode?: "dot" | "concat"
}

/**
 * Attention of `[query, value]` or `[query, value, key]`: softmax(query·keyᵀ)·value, `[batch, queries, size], [batch, keys, m],
 * [batch, keys, size] -> [batch, queries, m]`, over the keys that the value's mask counts. Throws E_CONFIG for a wrong option and
 * for inputs that do not fit. Source: Luong, Pham and Manning 2015. Keras: Attention.
 * @example
 * ```ts
 * import { attention, input } from "trilobite"
 * const [query, value] = [input({ shape: [4, 8] }), input({ shape: [6, 8] })]
 * attention()([query, value]).shape // => [-1, 4, 8]
 * ```
 */
export const attention: AttendingFactory<AttentionOptions> = /* @__PURE__ */ layerOfMany<AttentionOptions>(
  "Attention",
  {
    useScale: optional(flag(), false),
    scoreMode: optional(oneOf("scoreMode", ["dot", "concat"] as const), "dot"),
    ...attending,
  },
  (config, inputs, scope) => {
    const [query, value, key] = readInputs(inputs)
    checkSizes(query, key)
    const scale = config.useScale ? scope.parameter("scale", [], "ones") : undefined
    const scaled = (x: Node): Node => (scale === undefined ? x : mul(x, scale))
    if (config.scoreMode === "concat") {
      const weight = scope.parameter("concatScoreWeight", [], "ones")
      const scores = mul(
        additiveScores(query, key, scaled, (x) => x),
        weight,
      )
      return mixture(config, scope, scores, value)
    }
    const scores = scaled(product(query, transpose(key, [0, 2, 1]), { outer: 1, inner: 1 }))
    return mixture(config, scope, scores, value)
  },
) as AttendingFactory<AttentionOptions>

/** The options of {@link additiveAttention}. */
export interface AdditiveAttentionOptions extends LayerOptions, AttendingOptions {
  /** Whether each number of tanh(query + key) has a weight that is learnt (default true). */
  readonly useScale?: boolean
}

/**
 * Attention whose scores are Σ scale·tanh(query + key), of `[query, value]` or `[query, value, key]`, as {@link attention}
 * otherwise. Throws E_CONFIG for a wrong option and for inputs that do not fit. Source: Bahdanau, Cho and Bengio 2015.
 * Keras: AdditiveAttention.
 * @example
 * ```ts
 * import { additiveAttention, input } from "trilobite"
 * const [query, value] = [input({ shape: [4, 8] }), input({ shape: [6, 8] })]
 * additiveAttention()([query, value]).shape // => [-1, 4, 8]
 * ```
 */
export const additiveAttention: AttendingFactory<AdditiveAttentionOptions> =
  /* @__PURE__ */ layerOfMany<AdditiveAttentionOptions>(
    "AdditiveAttention",
    { useScale: optional(flag(), true), ...attending },
    (config, inputs, scope) => {
      const [query, value, key] = readInputs(inputs)
      const size = checkSizes(query, key)
      const scale = config.useScale ? scope.parameter("scale", [size], "glorotUniform") : undefined
      const scaled = (x: Node): Node => (scale === undefined ? x : mul(x, scale))
      return mixture(
        config,
        scope,
        additiveScores(query, key, (x) => x, scaled),
        value,
      )
    },
  ) as AttendingFactory<AdditiveAttentionOptions>

/** The options of {@link multiHeadAttention}. */
export interface MultiHeadAttentionOptions extends LayerOptions, AttendingOptions, Omit<WeightedOptions, "activation"> {
  /** The number of heads. */
  readonly numHeads: number
  /** The size of a head's queries and keys. */
  readonly keyDim: number
  /** The size of a head's values (default null: that of its keys). */
  readonly valueDim?: number | null
  /** The last size of the output (default null: that of the query). */
  readonly outputShape?: number | null
}

type Heads = Resolved<Omit<MultiHeadAttentionOptions, keyof LayerOptions>>

/** x·W + b over the last axes of x, as many as the kernel has before the sizes of the result. */
function projected(config: Heads, scope: Scope, name: string, x: Node, sizes: readonly number[], inner = 1): Node {
  const own = scope.inner(name, true)
  const y = product(x, kernelOf(config, own, [...x.shape.slice(-inner), ...sizes]), { outer: 0, inner })
  if (!config.useBias) return y
  const regularizer = penaltyOf(config.biasRegularizer)
  const constraint = limitOf(config.biasConstraint)
  return add(y, own.parameter("bias", sizes, config.biasInitializer, { regularizer, constraint }))
}

/**
 * Attention of several heads, of `[query, value]` or `[query, value, key]`: each head attends with its own projections,
 * softmax(q·kᵀ / √keyDim)·v, and a projection of all heads together is the output, `[batch, queries, size] -> [batch, queries,
 * outputShape]`. The masks of all three say which steps count. Throws E_CONFIG for a wrong option and for inputs that do not fit.
 * Source: Vaswani et al. 2017. Keras: MultiHeadAttention.
 * @example
 * ```ts
 * import { input, multiHeadAttention } from "trilobite"
 * const x = input({ shape: [10, 16] })
 * multiHeadAttention({ numHeads: 2, keyDim: 8, useCausalMask: true })([x, x]).shape // => [-1, 10, 16]
 * ```
 */
export const multiHeadAttention: AttendingFactory<MultiHeadAttentionOptions> =
  /* @__PURE__ */ layerOfMany<MultiHeadAttentionOptions>(
    "MultiHeadAttention",
    /* @__PURE__ */ withParameters({
      numHeads: required(positiveInteger()),
      keyDim: required(positiveInteger()),
      valueDim: optional(maybeNull(positiveInteger()), null),
      outputShape: optional(maybeNull(positiveInteger()), null),
      ...attending,
    }),
    (config, inputs, scope) => {
      const [query, value, key] = readInputs(inputs)
      const { numHeads, keyDim } = config
      const valueDim = config.valueDim ?? keyDim
      // [batch, steps, heads, size] -> [batch, heads, steps, size]
      const heads = (name: string, x: Node, size: number): Node =>
        transpose(projected(config, scope, name, x, [numHeads, size]), [0, 2, 1, 3])
      const q = mul(heads("query", query, keyDim), 1 / Math.sqrt(keyDim))
      const k = heads("key", key, keyDim)
      const values = heads("value", value, valueDim)
      const scores = product(q, transpose(k, [0, 1, 3, 2]), { outer: 2, inner: 1 })
      const [queryMask, valueMask, keyMask] = scope.masks
      const masks = { query: queryMask, value: valueMask, key: keyMask }
      const [mixed, weights] = attend({ scores, values, masks, config }, scope)
      const size = config.outputShape ?? query.shape[2]!
      const output = projected(config, scope, "attentionOutput", transpose(mixed, [0, 2, 1, 3]), [size], 2)
      if (config.activityRegularizer !== null) scope.addLoss(traceRegularizer(config.activityRegularizer, output))
      return finish(scope, config, [output, weights])
    },
  ) as AttendingFactory<MultiHeadAttentionOptions>
