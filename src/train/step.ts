// The one place where a model becomes a graph that trains: forward pass, cost, backpropagation and update of one round.
// Loaded when a model is first trained or measured. Knows layers, losses and optimizers by their contracts; no backend.

import { gradients } from "../autodiff/grad.ts"
import type { Shape } from "../core/shape.ts"
import { mean, sum } from "../graph/compose.ts"
import type { Entry } from "../graph/graph.ts"
import type { Node } from "../graph/node.ts"
import { add, div, input, max, mul } from "../graph/ops.ts"
import { traceLoss } from "../nn/losses.ts"
import { resultOf, traceMeasure } from "../nn/metrics.ts"
import { type Network, type NetworkTrace, traceNetwork } from "../nn/network.ts"
import type { Mask } from "../nn/scope.ts"
import type { Training } from "../nn/training.ts"
import { traceUpdates } from "../nn/update.ts"
import { bindings, forwardOf, inputNodes, type Traced } from "./forward.ts"
import { type LogSpec, meanLogs } from "./means.ts"
import { stepRows } from "./step-rows.ts"
import type { watch } from "./watch.ts"

/** A name of something measured at one of several outputs: `accuracy` of the output `digit` is `digitAccuracy`. */
function nameAt(network: Network, i: number, name: string): string {
  if (network.outputs.length === 1) return name
  return `${network.outputs[i]!.name}${name.charAt(0).toUpperCase()}${name.slice(1)}`
}

/** How a training is traced. */
export interface TraceOptions {
  /** The shapes of one row of targets, for every output; those without a loss have none. */
  readonly targetShapes: readonly (Shape | undefined)[]
  /** Whether examples have weights, for every output together (default false). */
  readonly weighted?: boolean
  /** Traces what looks at the training beside it (default nothing). */
  readonly watch?: typeof watch | undefined
}

/**
 * Traces a round of training, of evaluation and of prediction. The cost is the sum over the outputs of the mean of the loss
 * over the rows of the batch (times the weights of its examples), and of what regularizers add; metrics are means over rows.
 * Where an output has a mask, its steps take the place of rows, and the mean is over those that count.
 */
export function traceTraining(
  network: Network,
  inputShapes: readonly Shape[],
  training: Training,
  options: TraceOptions,
): Traced {
  const inputs = inputNodes(network, inputShapes)
  const asked = traceNetwork(network, inputs)
  const trained = asked.modal ? traceNetwork(network, inputs, true) : asked
  const targets = options.targetShapes.map((shape, i): Target | undefined => {
    if (shape === undefined) return undefined
    const weight = options.weighted === true ? input(bindings.weight(network, i), []) : undefined
    return { y: input(bindings.target(network, i), shape), weight }
  })
  const measured = (trace: NetworkTrace): Measured => measure(network, trace, training, targets)
  const { cost, logs, specs } = measured(trained)
  const learning = trained.parameters.filter((p) => p.trainable)
  const slopes = gradients(
    cost,
    learning.map((p) => p.value),
  )
  const { updates, slots } = traceUpdates(
    training.optimizer,
    learning.map((p, i) => ({ ...p, gradient: slopes[i]! })),
  )
  const train: Entry = { updates: [...updates, ...trained.updates], logs, outputs: [], guard: "loss" }
  const asking = trained === asked ? logs : measured(asked).logs
  const evaluate: Entry = { updates: asked.updates, logs: asking, outputs: [] }
  const forward = forwardOf(network, inputs, asked)
  const { optimizer, outputs } = training
  const judged = outputs.findIndex(({ loss }) => loss !== undefined)
  const watched = options.watch?.({ network, trace: trained, optimizer, learning, slopes, cost, train, judged })
  const graph = { train, evaluate, ...forward.graph, ...watched?.entries }
  return { ...forward, slots, logs: specs, watched, graph }
}

interface Target {
  readonly y: Node
  readonly weight: Node | undefined
}

interface Measured {
  readonly cost: Node
  readonly logs: Entry["logs"]
  readonly specs: readonly LogSpec[]
}

/** What an output is compared with, row by row: its examples, or with a mask their steps. */
function rowsOf(target: Target, output: Node, mask: Mask): Target & { readonly output: Node; readonly mask: Mask } {
  return mask === undefined ? { ...target, output, mask } : stepRows(target.y, output, mask, target.weight)
}

/** The cost and everything that is logged: the cost as `loss`, the loss of each of several outputs, the metrics. */
function measure(
  network: Network,
  { outputs, masks, parameters, losses }: NetworkTrace,
  training: Training,
  targets: readonly (Target | undefined)[],
): Measured {
  const costs: Node[] = []
  const ownLosses: Entry["logs"][number][] = []
  const metrics: Entry["logs"][number][] = []
  const specs: LogSpec[] = []
  training.outputs.forEach(({ loss, lossWeight, ...measures }, i) => {
    const target = targets[i]
    if (loss === undefined || target === undefined) return
    const { y, output, weight, mask } = rowsOf(target, outputs[i]!, masks[i])
    const each = traceLoss(loss, y, output)
    const counted = weight === undefined ? each : mul(each, weight)
    const value = mask === undefined ? mean(counted) : div(sum(counted), max(sum(mask), 1))
    costs.push(lossWeight === 1 ? value : mul(value, lossWeight))
    ownLosses.push({ name: nameAt(network, i, "loss"), value })
    const weighted = measures.weightedMetrics.map((metric) => ({ ...metric, weight }))
    for (const { name: own, spec, weight } of [...measures.metrics.map((m) => ({ ...m, weight: mask })), ...weighted]) {
      const name = nameAt(network, i, own)
      const { value, kind, size } = traceMeasure(spec, y, output, weight)
      metrics.push({ name, value })
      specs.push(kind === "mean" ? { name, kind } : { name, kind, size, result: (sums) => resultOf(spec, sums) })
    }
  })
  const penalties = parameters.flatMap((p) => (p.regularizer && p.trainable ? [p.regularizer(p.value)] : []))
  const cost = [...costs, ...losses, ...penalties].reduce((sum, value) => add(sum, value))
  const several = network.outputs.length > 1 ? ownLosses : []
  const plain = [{ name: "loss", value: cost }, ...several]
  return { cost, logs: [...plain, ...metrics], specs: [...meanLogs(plain.map(({ name }) => name)), ...specs] }
}
