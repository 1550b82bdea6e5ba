// A network as plain data, and tracing it into one graph. Knows no layer by name, no training.

import { configError, dataError, show } from "../core/errors.ts"
import { BATCH, formatShape, type Shape, sameShape, size } from "../core/shape.ts"
import type { Update } from "../graph/graph.ts"
import type { Node } from "../graph/node.ts"
import { inLayer, labelOf } from "./label.ts"
import { callLayer, type Masked } from "./masks.ts"
import { snakeCase } from "./names.ts"
import { type Mask, type Masks, newTracing, type ParameterSpec, type Scope, scopeOf } from "./scope.ts"
import { isSymbolic, type LayerData, type SymbolicTensor } from "./symbolic.ts"

/** A layer that has its name in a network. */
export type NamedLayer = LayerData & { readonly name: string }

/** An input of a network. The shape of one example may follow from data. */
export interface NetworkInput {
  readonly name: string
  readonly shape: Shape | undefined
}

/** A value: result number `output` of a node. Nodes are the inputs, then the calls, in order. */
export interface From {
  readonly node: number
  readonly output: number
}

/** A layer (by its number) applied to values of earlier nodes. */
export interface Call {
  readonly layer: number
  readonly inputs: readonly From[]
}

/** Layers and what each is applied to. Those of a sequential network take what the one before gives. */
export interface Network {
  readonly kind: "sequential" | "functional"
  /** How many rows every batch has; undefined: any number. */
  readonly batchSize: number | undefined
  readonly inputs: readonly NetworkInput[]
  readonly layers: readonly NamedLayer[]
  readonly calls: readonly Call[]
  readonly outputs: readonly { readonly name: string; readonly from: From }[]
}

/** One layer of a traced network, for summaries; the shape begins with the batch. */
export interface LayerTrace {
  readonly name: string
  readonly type: string
  readonly output: Node
  readonly outputShape: Shape
  /** How many numbers its parameters have together. */
  readonly parameters: number
  /** The names of the inputs and layers whose values it takes, at its first use. */
  readonly inputs: readonly string[]
}

/** What tracing a network gives. */
export interface NetworkTrace {
  readonly outputs: readonly Node[]
  /** The mask of each output. */
  readonly masks: readonly Mask[]
  /** The parameters in order: for each layer its kernel, then its bias. */
  readonly parameters: readonly ParameterSpec[]
  /** The layers in the order in which they are first used. */
  readonly layers: readonly LayerTrace[]
  /** What states become after a round. */
  readonly updates: readonly Update[]
  /** What layers add to the cost, each of shape []. */
  readonly losses: readonly Node[]
  /** True if the trace would be another one with `training` the other way. */
  readonly modal: boolean
}

/** What may stand where a layer is expected: a layer, or a model, which gives itself as one. */
export type LayerLike = LayerData | { asLayer(): LayerData }

const isObject = (value: unknown): value is object =>
  (typeof value === "object" || typeof value === "function") && value !== null

/** The layer that a value is or gives; undefined for other values. */
export function asLayer(value: unknown): LayerData | undefined {
  if (!isObject(value)) return undefined
  if ("asLayer" in value && typeof value.asLayer === "function") return value.asLayer() as LayerData
  return "config" in value ? (value as LayerData) : undefined
}

/**
 * A network of layers one after another, the first of which may be an `input`. Layers without a name get one in Keras's
 * manner: `dense`, `dense_1`, … Throws E_CONFIG if there are no layers or two have the same name.
 */
export function sequentialNetwork(given: readonly (LayerLike | SymbolicTensor)[]): Network {
  if (!Array.isArray(given) || given.length === 0) {
    throw configError({ where: "sequential", what: "a network needs at least one layer." })
  }
  const first: unknown = given[0]
  const start = isSymbolic(first) && first.call === undefined ? first : undefined
  const layers = given.slice(start === undefined ? 0 : 1).map((value, i) => {
    const layer = asLayer(value)
    if (layer !== undefined) return layer
    const hint = "Call the function that makes the layer, with its options: dense({ units: 10 })."
    const where = `layers[${i + (start === undefined ? 0 : 1)}]`
    throw configError({ where, what: "this is no layer.", got: show(value), hint })
  })
  if (layers.length === 0) throw configError({ where: "sequential", what: "a network needs at least one layer." })
  const twice = layers.findIndex((layer, i) => layers.indexOf(layer) < i)
  if (twice >= 0) {
    const hint = "Make a layer for each place; layers that share their weights need the functional form."
    throw configError({ where: `layers[${twice}]`, what: "this layer is in the list twice.", hint })
  }
  const named = nameLayers(layers)
  const calls = layers.map((_, layer): Call => ({ layer, inputs: [{ node: layer, output: 0 }] }))
  const shape = start === undefined ? layers[0]!.inputShape : start.shape.slice(1)
  return {
    kind: "sequential",
    batchSize: start === undefined ? layers[0]!.batchSize : start.batchSize,
    inputs: [{ name: start?.name ?? "input", shape }],
    layers: named,
    calls,
    outputs: [{ name: named.at(-1)!.name, from: { node: layers.length, output: 0 } }],
  }
}

/** The layers with names: their own, else in Keras's manner. Throws E_CONFIG if two have the same. */
export function nameLayers(layers: readonly LayerData[]): NamedLayer[] {
  const names = new Set<string>()
  for (const { name, type } of layers) {
    if (name === undefined) continue
    if (names.has(name)) {
      const hint = "Give each layer its own name, or none."
      throw configError({ layer: labelOf(type, name), what: "another layer has the same name.", hint })
    }
    names.add(name)
  }
  return layers.map((layer) => {
    const { type, config, inputShape, batchSize, call } = layer
    const name = layer.name ?? freeName(snakeCase(type), names)
    return {
      ...{ type, name, config, inputShape, batchSize, call },
      get trainable() {
        return layer.trainable
      },
      set trainable(value) {
        layer.trainable = value
      },
    }
  })
}

/** The first of `dense`, `dense_1`, `dense_2`, … that is not taken; it is taken then. */
export function freeName(base: string, taken: Set<string>): string {
  let name = base
  for (let i = 1; taken.has(name); i++) name = `${base}_${i}`
  taken.add(name)
  return name
}

/**
 * The shapes of one example of each input: as the network says, else as the data have them.
 * Throws E_CONFIG if neither says it, E_DATA if they differ.
 */
export function inputShapesOf(network: Network, data?: readonly (Shape | undefined)[]): readonly Shape[] {
  return network.inputs.map((input, i) => inputShapeOf(network, input, data?.[i]))
}

function inputShapeOf(network: Network, { name, shape: declared }: NetworkInput, data: Shape | undefined): Shape {
  const first = network.layers[network.calls[0]?.layer ?? 0]
  const single = network.inputs.length === 1 && first !== undefined
  const place = single ? { layer: labelOf(first.type, first.name) } : { where: `input ${show(name)}` }
  if (declared === undefined) {
    if (data !== undefined) return data
    const hint = "Give the first layer an inputShape, such as inputShape: [784]."
    throw configError({ ...place, what: "the shape of the input is not known.", hint })
  }
  if (data === undefined || sameShape(declared, data)) return declared
  const hint = `Add flatten({ inputShape: ${formatShape(data)} }) as the first layer, or reshape the data.`
  throw dataError({
    ...place,
    what: "the examples do not have the shape of the input.",
    expected: formatShape([BATCH, ...declared]),
    got: formatShape([BATCH, ...data]),
    ...(size(declared) === size(data) ? { hint } : {}),
  })
}

/**
 * The network as a graph over its inputs `[batch, ...]`. Nothing is allocated.
 * Throws E_CONFIG, naming the layer, if shapes do not fit or the parameters would be too large.
 */
export function traceNetwork(network: Network, inputs: readonly Node[], training = false): NetworkTrace {
  const tracing = newTracing(training, network.batchSize)
  const scopeFor: ScopeFor = (layer, masks) => scopeOf(tracing, layer.name, layer.trainable, masks)
  const given = inputs.map((node) => ({ node, mask: undefined }))
  const { outputs, layers } = traceCalls(network, given, scopeFor, () => tracing.parameters)
  const { parameters, updates, losses, modal } = tracing
  const [nodes, masks] = [outputs.map(({ node }) => node), outputs.map(({ mask }) => mask)]
  return { outputs: nodes, masks, parameters, layers, updates, losses, modal }
}

type ScopeFor = (layer: NamedLayer, masks: Masks) => Scope

/** The same inside a layer of another network. */
export function traceInside(network: Network, inputs: readonly Masked[], scopeFor: ScopeFor): readonly Masked[] {
  return traceCalls(network, inputs, scopeFor, () => []).outputs
}

function traceCalls(
  { kind, inputs: declared, layers, calls, outputs }: Network,
  inputs: readonly Masked[],
  scopeFor: ScopeFor,
  parameters: () => readonly ParameterSpec[],
): { readonly outputs: readonly Masked[]; readonly layers: readonly LayerTrace[] } {
  const values: (readonly Masked[])[] = inputs.map((value) => [value])
  const nameOf = (node: number): string =>
    node < declared.length ? declared[node]!.name : layers[calls[node - declared.length]!.layer]!.name
  const traces = new Map<NamedLayer, LayerTrace>()
  for (const { layer: number, inputs: from } of calls) {
    const layer = layers[number]!
    const before = parameters().length
    const given = from.map(({ node, output }) => values[node]![output]!)
    let made: readonly Masked[]
    try {
      made = callLayer(layer, given, (masks) => scopeFor(layer, masks))
      if (kind === "sequential" && made.length > 1) {
        const hint = "Use the functional form, const [output, state] = layer(x), or leave out returnState."
        throw configError({ what: `it gives ${made.length} values, and a sequential model passes on one.`, hint })
      }
    } catch (error) {
      throw inLayer(labelOf(layer.type, layer.name), error, true)
    }
    values.push(made)
    if (traces.has(layer)) continue
    const own = parameters()
      .slice(before)
      .reduce((sum, { variable }) => sum + size(variable.shape), 0)
    const { name, type } = layer
    const names = from.map(({ node }) => nameOf(node))
    const { node: output } = made[0]!
    traces.set(layer, { name, type, output, outputShape: output.shape, parameters: own, inputs: names })
  }
  return { outputs: outputs.map(({ from }) => values[from.node]![from.output]!), layers: [...traces.values()] }
}
