// The one place where a model becomes a graph: forward pass, cost, backpropagation and update of one round.
// Knows layers, losses and optimizers by their contracts; no backend.

import { gradients } from "../autodiff/grad.ts"
import type { Shape } from "../core/shape.ts"
import { mean } from "../graph/compose.ts"
import type { Entry, Graph, Update } from "../graph/graph.ts"
import type { Node, Variable } from "../graph/node.ts"
import { input, read, runtime } from "../graph/ops.ts"
import type { ParameterSpec } from "../nn/layer.ts"
import { type Loss, traceLoss } from "../nn/losses.ts"
import { type Metric, traceMetric } from "../nn/metrics.ts"
import { type LayerTrace, type Network, traceNetwork } from "../nn/network.ts"
import { type Optimizer, slotsOf, traceUpdate } from "../nn/optimizers.ts"

/** What a model is trained with. */
export interface Training {
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly metrics: readonly Metric[]
}

/** A value of the optimizer that outlives rounds, and what it is at the beginning. */
export interface SlotSpec {
  readonly variable: Variable
  readonly initial: number
}

/** A model as a graph, and what its memory begins with. */
export interface Traced {
  readonly graph: Graph
  readonly output: Node
  readonly parameters: readonly ParameterSpec[]
  readonly slots: readonly SlotSpec[]
  readonly layers: readonly LayerTrace[]
}

/** The names under which data and results are bound. */
export const bindings: { readonly x: "x"; readonly y: "y"; readonly prediction: "prediction" } = {
  x: "x",
  y: "y",
  prediction: "prediction",
}

/** The names of the logged numbers: the loss, then the metrics. */
export function logNames(training: Training): string[] {
  return ["loss", ...training.metrics.map((metric) => metric.name)]
}

/** Traces the network alone. Nothing is allocated. */
export function traceForward(network: Network, inputShape: Shape): Traced {
  const { output, parameters, layers } = traceNetwork(network, input(bindings.x, inputShape))
  const predict: Entry = { updates: [], logs: [], outputs: [{ name: bindings.prediction, value: output }] }
  return { graph: { predict }, output, parameters, slots: [], layers }
}

/**
 * Traces a round of training, of evaluation and of prediction.
 * The cost is the mean of the loss over the rows of the batch; metrics are means over its rows too.
 */
export function traceTraining(network: Network, inputShape: Shape, targetShape: Shape, training: Training): Traced {
  const forward = traceForward(network, inputShape)
  const { output, parameters } = forward
  const yTrue = input(bindings.y, targetShape)
  const cost = mean(traceLoss(training.loss, yTrue, output))
  const values = [cost, ...training.metrics.map(({ spec }) => mean(traceMetric(spec, yTrue, output)))]
  const logs = logNames(training).map((name, i) => ({ name, value: values[i]! }))

  const trainable = parameters.filter((p) => p.trainable)
  const nodes = trainable.map((p) => parameterNode(output, p.variable))
  const slopes = gradients(cost, nodes)
  const slots: SlotSpec[] = []
  const updates: Update[] = []
  trainable.forEach(({ variable }, i) => {
    const own = slotsOf(training.optimizer).map((slot) => ({
      name: slot.name,
      spec: { variable: { key: `${variable.key}/${slot.name}`, shape: variable.shape }, initial: slot.initial },
    }))
    const result = traceUpdate(training.optimizer, {
      parameter: nodes[i]!,
      gradient: slopes[i]!,
      slots: Object.fromEntries(own.map(({ name, spec }) => [name, read(spec.variable)])),
      learningRate: runtime("learningRate"),
      step: runtime("step"),
    })
    updates.push({ variable, value: result.parameter })
    for (const { name, spec } of own) {
      slots.push(spec)
      updates.push({ variable: spec.variable, value: result.slots[name]! })
    }
  })
  const train: Entry = { updates, logs, outputs: [], guard: "loss" }
  const evaluate: Entry = { updates: [], logs, outputs: [] }
  return { ...forward, slots, graph: { train, evaluate, ...forward.graph } }
}

/** The node that reads a variable below an output. */
function parameterNode(output: Node, variable: Variable): Node {
  const seen = new Set<Node>()
  const stack = [output]
  while (stack.length > 0) {
    const node = stack.pop()!
    if (node.op === "variable" && (node as Node<"variable">).attributes.variable === variable) return node
    for (const x of node.inputs) {
      if (!seen.has(x)) {
        seen.add(x)
        stack.push(x)
      }
    }
  }
  return read(variable)
}
