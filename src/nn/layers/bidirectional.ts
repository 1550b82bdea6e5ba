// A recurrent layer that runs over a sequence both ways. Knows no network.

import { configError, show } from "../../core/errors.ts"
import type { Node } from "../../graph/node.ts"
import { add, div, mul } from "../../graph/ops.ts"
import { concat, reverse } from "../../graph/places.ts"
import { type Layer, type LayerFactory, type LayerOfMany, type LayerOptions, layerOfMany } from "../layer.ts"
import { callLayer, maskFor } from "../masks.ts"
import { asLayer, type LayerLike } from "../network.ts"
import { maybeNull, oneOf, optional, required } from "../options.ts"
import type { Mask, Scope } from "../scope.ts"
import type { LayerData } from "../symbolic.ts"
import { innerName, layerKind } from "../wrapping.ts"
import { gru } from "./gru.ts"
import { lstm } from "./lstm.ts"
import type { RecurrentOptions } from "./recurrent.ts"
import { simpleRNN } from "./simple-rnn.ts"

/** The options of {@link bidirectional}. */
export interface BidirectionalOptions extends LayerOptions {
  /** The layer that runs forwards: a simpleRNN, lstm or gru. */
  readonly layer: LayerLike
  /** The layer that runs backwards, with `goBackwards` (default null: like the other one). */
  readonly backwardLayer?: LayerLike | null
  /** How the two outputs become one: side by side, or by an operation; null gives both (default concat). */
  readonly mergeMode?: "concat" | "sum" | "mul" | "ave" | null
}

/** Makes bidirectional layers: without merging, and around layers with `returnState`, they give several values. */
export interface BidirectionalFactory extends Pick<LayerFactory<BidirectionalOptions>, "type" | "options" | "create"> {
  (options: BidirectionalOptions & ({ readonly mergeMode: null } | { readonly layer: LayerOfMany })): LayerOfMany
  (options: BidirectionalOptions): Layer
}

const merges: { readonly [mode in "concat" | "sum" | "mul" | "ave"]: (a: Node, b: Node) => Node } = {
  concat: (a, b) => concat([a, b], -1),
  sum: add,
  mul,
  ave: (a, b) => div(add(a, b), 2),
}

/**
 * A recurrent layer over a sequence from its begin and another, with parameters of its own, from its end:
 * `[batch, steps, features] -> [batch, 2·units]`, or of all steps `[batch, steps, 2·units]`, where the outputs of both for one step
 * stand together, and steps that do not count by the input's mask give zeros. Further inputs are what each carries at the begin,
 * first those of the forward layer; with `returnState` their ends follow the output in the same order. Throws E_CONFIG for other
 * layers, and for two that run the same way or give different things.
 * Source: Schuster and Paliwal 1997. Keras: Bidirectional.
 * @example
 * ```ts
 * import { bidirectional, dense, lstm, sequential } from "trilobite"
 * const model = sequential([bidirectional({ layer: lstm({ units: 8 }), inputShape: [20, 4] }), dense({ units: 1 })])
 * model.countParams() // => 849
 * ```
 */
export const bidirectional: BidirectionalFactory = /* @__PURE__ */ layerOfMany<BidirectionalOptions>(
  "Bidirectional",
  {
    layer: required(layerKind()),
    backwardLayer: optional(maybeNull(layerKind()), null),
    mergeMode: optional(maybeNull(oneOf("mergeMode", ["concat", "sum", "mul", "ave"] as const)), "concat"),
  },
  ({ layer, backwardLayer, mergeMode }, inputs, scope) => {
    const forward = recurrentOf(layer, "layer")
    const backward = backwardLayer === null ? turned(forward) : recurrentOf(backwardLayer, "backwardLayer")
    const [one, other] = [optionsOf(forward), optionsOf(backward)]
    if (one.goBackwards === other.goBackwards) {
      throw configError({
        where: "backwardLayer",
        what: "both layers run the same way.",
        expected: "one with goBackwards",
      })
    }
    if (one.returnSequences !== other.returnSequences || one.returnState !== other.returnState) {
      const what = "the layers give different things."
      throw configError({ where: "backwardLayer", what, expected: "the same returnSequences and returnState" })
    }
    const [x, ...states] = inputs as [Node, ...Node[]]
    const [mask] = scope.masks
    const half = states.length / 2
    if (!Number.isInteger(half)) {
      const expected = "a sequence, or it and as many for each direction"
      throw configError({ what: "the inputs do not fit.", expected, got: `${inputs.length} inputs` })
    }
    const run = (inner: LayerData, prefix: string, own: readonly Node[]): readonly Node[] =>
      callAs(inner, `${prefix}_${innerName(inner)}`, [x, ...own], mask, scope)
    const [a, ...endsA] = run(forward, "forward", states.slice(0, half)) as [Node, ...Node[]]
    const [b, ...endsB] = run(backward, "backward", states.slice(half)) as [Node, ...Node[]]
    const inOrder = (value: Node, { goBackwards }: Pick<RecurrentOptions, "goBackwards">): Node => {
      if (!one.returnSequences) return value
      const ordered = goBackwards ? reverse(value, 1) : value
      return mask === undefined ? ordered : mul(ordered, maskFor(ordered, mask))
    }
    const [first, second] = [inOrder(a, one), inOrder(b, other)]
    const merged = mergeMode === null ? [first, second] : [merges[mergeMode](first, second)]
    if (one.returnSequences) merged.forEach((_, i) => void scope.passMask(mask, i))
    const all = [...merged, ...endsA, ...endsB]
    return all.length === 1 ? all[0]! : all
  },
) as BidirectionalFactory

const types = { SimpleRNN: simpleRNN, LSTM: lstm, GRU: gru }

/** What a recurrent layer does, by its options. */
function optionsOf(layer: LayerData): Pick<RecurrentOptions, "goBackwards" | "returnSequences" | "returnState"> {
  return layer.config as RecurrentOptions & LayerData["config"]
}

function recurrentOf(value: LayerLike, where: string): LayerData {
  const layer = asLayer(value)!
  if (Object.hasOwn(types, layer.type)) return layer
  throw configError({
    where,
    what: "this layer does not run over steps.",
    expected: "simpleRNN, lstm or gru",
    got: show(layer.type),
  })
}

/** A layer with the same options that runs the other way. */
function turned(layer: LayerData): LayerData {
  const { type, name, config, trainable } = layer
  const options = {
    ...config,
    goBackwards: config.goBackwards !== true,
    trainable,
    ...(name === undefined ? {} : { name }),
  }
  return types[type as keyof typeof types].create(options)
}

function callAs(layer: LayerData, name: string, inputs: readonly Node[], mask: Mask, scope: Scope): readonly Node[] {
  const given = inputs.map((node, i) => ({ node, mask: i === 0 ? mask : undefined }))
  return callLayer(layer, given, (masks) => scope.inner(name, layer.trainable, { masks })).map(({ node }) => node)
}
