// A model as a graph that is only asked. Knows networks, no training.

import type { Shape } from "../core/shape.ts"
import type { Entry, Graph } from "../graph/graph.ts"
import type { Node } from "../graph/node.ts"
import { input } from "../graph/ops.ts"
import { type LayerTrace, type Network, type NetworkTrace, traceNetwork } from "../nn/network.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import type { SlotSpec } from "../nn/update.ts"
import type { LogSpec } from "./means.ts"
import type { Watched } from "./watch.ts"

/** A model as a graph, and what its memory begins with. */
export interface Traced {
  readonly graph: Graph
  readonly inputs: readonly Node[]
  readonly outputs: readonly Node[]
  readonly parameters: readonly ParameterSpec[]
  readonly slots: readonly SlotSpec[]
  readonly layers: readonly LayerTrace[]
  /** What its logs are: of training and of evaluation. */
  readonly logs: readonly LogSpec[]
  /** What looks at its training, if anything does. */
  readonly watched?: Watched | undefined
}

/** The name under which something of an input or an output is bound: short where there is one of them. */
function bindingOf(prefix: string, all: readonly { readonly name: string }[], i: number): string {
  return all.length === 1 ? prefix : `${prefix}:${all[i]!.name}`
}

/** The names under which data and results are bound. */
export const bindings: {
  readonly input: (network: Network, i: number) => string
  readonly target: (network: Network, i: number) => string
  readonly weight: (network: Network, i: number) => string
  readonly prediction: (network: Network, i: number) => string
} = {
  input: ({ inputs }, i) => bindingOf("x", inputs, i),
  target: ({ outputs }, i) => bindingOf("y", outputs, i),
  weight: ({ outputs }, i) => bindingOf("w", outputs, i),
  prediction: ({ outputs }, i) => bindingOf("prediction", outputs, i),
}

/** Traces the network alone. Nothing is allocated. */
export function traceForward(network: Network, inputShapes: readonly Shape[]): Traced {
  const inputs = inputNodes(network, inputShapes)
  return forwardOf(network, inputs, traceNetwork(network, inputs))
}

/** An input of a graph for every input of the network. */
export function inputNodes(network: Network, shapes: readonly Shape[]): Node[] {
  return shapes.map((shape, i) => input(bindings.input(network, i), shape))
}

/** The entry that predicts, of a network that has been traced. */
export function forwardOf(network: Network, inputs: readonly Node[], trace: NetworkTrace): Traced {
  const { outputs, parameters, layers, updates } = trace
  const named = outputs.map((value, i) => ({ name: bindings.prediction(network, i), value }))
  const predict: Entry = { updates, logs: [], outputs: named }
  return { graph: { predict }, inputs, outputs, parameters, slots: [], layers, logs: [] }
}

/** Traces what every layer gives, under its name. */
export function traceActivations(network: Network, inputShapes: readonly Shape[]): Traced {
  const forward = traceForward(network, inputShapes)
  const outputs = forward.layers.map(({ name, output }) => ({ name, value: output }))
  return { ...forward, graph: { predict: { updates: [], logs: [], outputs } } }
}
