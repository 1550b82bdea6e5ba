// A network as plain data, and tracing it into one graph. Knows no layer by name, no training.

import { configError, dataError, show } from "../core/errors.ts"
import { BATCH, formatShape, type Shape, sameShape, size } from "../core/shape.ts"
import type { Node } from "../graph/node.ts"
import { inLayer, type Layer, labelOf, type ParameterSpec, scopeOf } from "./layer.ts"
import { snakeCase } from "./names.ts"

/** A layer that has its name in a network. */
export type NamedLayer = Layer & { readonly name: string }

/** Layers, each of which takes what the one before gives. */
export interface Network {
  readonly kind: "sequential"
  readonly layers: readonly NamedLayer[]
}

/** One layer of a traced network, for summaries; the shape begins with the batch. */
export interface LayerTrace {
  readonly name: string
  readonly type: string
  readonly outputShape: Shape
  /** How many numbers its parameters have together. */
  readonly parameters: number
}

/** What tracing a network gives: its output, its parameters in order, and what each layer gives. */
export interface NetworkTrace {
  readonly output: Node
  readonly parameters: readonly ParameterSpec[]
  readonly layers: readonly LayerTrace[]
}

/**
 * A network of layers one after another. Layers without a name get one in Keras's manner: `dense`, `dense_1`, …
 * Throws E_CONFIG if there are no layers or two have the same name.
 */
export function sequentialNetwork(layers: readonly Layer[]): Network {
  if (!Array.isArray(layers) || layers.length === 0) {
    throw configError({ where: "sequential", what: "a network needs at least one layer." })
  }
  const stranger = layers.findIndex((layer) => typeof layer !== "object" || layer === null || !("config" in layer))
  if (stranger >= 0) {
    const hint = "Call the function that makes the layer, with its options: dense({ units: 10 })."
    const got = show(layers[stranger])
    throw configError({ where: `layers[${stranger}]`, what: "this is no layer.", got, hint })
  }
  const names = new Set<string>()
  for (const { name, type } of layers) {
    if (name === undefined) continue
    if (names.has(name)) {
      const hint = "Give each layer its own name, or none."
      throw configError({ layer: labelOf(type, name), what: "another layer has the same name.", hint })
    }
    names.add(name)
  }
  return {
    kind: "sequential",
    layers: layers.map((layer) => ({ ...layer, name: layer.name ?? freeName(layer.type, names) })),
  }
}

/** The first of `dense`, `dense_1`, `dense_2`, … that is not taken; it is taken then. */
function freeName(type: string, taken: Set<string>): string {
  const base = snakeCase(type)
  let name = base
  for (let i = 1; taken.has(name); i++) name = `${base}_${i}`
  taken.add(name)
  return name
}

/**
 * The shape of one example: as the first layer says, else as the data have it.
 * Throws E_CONFIG if neither says it, E_DATA if they differ.
 */
export function inputShapeOf(network: Network, data?: Shape): Shape {
  const first = network.layers[0]!
  const declared = first.inputShape
  const layer = labelOf(first.type, first.name)
  if (declared === undefined) {
    if (data !== undefined) return data
    const hint = "Give the first layer an inputShape, such as inputShape: [784]."
    throw configError({ layer, what: "the shape of the input is not known.", hint })
  }
  if (data === undefined || sameShape(declared, data)) return declared
  const hint = `Add flatten({ inputShape: ${formatShape(data)} }) as the first layer, or reshape the data.`
  throw dataError({
    layer,
    what: "the examples do not have the shape of the input.",
    expected: formatShape([BATCH, ...declared]),
    got: formatShape([BATCH, ...data]),
    ...(size(declared) === size(data) ? { hint } : {}),
  })
}

/**
 * The network as a graph over its input `[batch, ...]`. Nothing is allocated.
 * Throws E_CONFIG, naming the layer, if shapes do not fit or the parameters would be too large.
 */
export function traceNetwork(network: Network, input: Node): NetworkTrace {
  const parameters: ParameterSpec[] = []
  const layers: LayerTrace[] = []
  let output = input
  for (const layer of network.layers) {
    const before = parameters.length
    try {
      checkInput(layer, output.shape)
      output = layer.call(output, scopeOf(layer.name, parameters))
    } catch (error) {
      throw inLayer(labelOf(layer.type, layer.name), error, true)
    }
    const own = parameters.slice(before).reduce((sum, { variable }) => sum + size(variable.shape), 0)
    layers.push({ name: layer.name, type: layer.type, outputShape: output.shape, parameters: own })
  }
  return { output, parameters, layers }
}

function checkInput(layer: Layer, shape: Shape): void {
  if (layer.inputShape === undefined || sameShape(layer.inputShape, shape.slice(1))) return
  const expected = formatShape([BATCH, ...layer.inputShape])
  throw configError({ what: "what comes does not have the layer's inputShape.", expected, got: formatShape(shape) })
}
