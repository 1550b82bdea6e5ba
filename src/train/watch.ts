// Two entries that look at a training, traced beside the one that trains: `watch` is a round of training that also says how far
// kernels are moved and adds up gradients and weights; `probe` is a round that changes nothing and says what the layers give.
// The updates of `watch` are the very nodes of `train`: what is looked at is computed from them and goes nowhere else.

import { sameShape, size } from "../core/shape.ts"
import { largest, square, sum } from "../graph/compose.ts"
import type { Entry, Update } from "../graph/graph.ts"
import { isOp, type Node, topological, type Variable } from "../graph/node.ts"
import { abs, add, equal, less, read, sub } from "../graph/ops.ts"
import type { Network, NetworkTrace } from "../nn/network.ts"
import type { Optimizer } from "../nn/optimizers.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import { activationsOf, kernelsOf } from "./network-facts.ts"

/** The names of everything that is kept or written down for looking alone begin so. */
export const WATCH = "watch/"

/** What is known of a training when it is traced. */
export interface Tracing {
  readonly network: Network
  readonly trace: NetworkTrace
  readonly optimizer: Optimizer
  /** The parameters that are trained, with their gradients. */
  readonly learning: readonly ParameterSpec[]
  readonly slopes: readonly Node[]
  readonly cost: Node
  readonly train: Entry
  /** The place of the output that is judged. */
  readonly judged: number
}

/** A kernel that is watched: what it is called, and the key of its summed gradient. */
export interface WatchedKernel {
  readonly layer: string
  readonly name: string
  readonly key: string
  readonly slopes: string
}

/** A value whose numbers are added up: Σ, Σ², and how many numbers a row has. */
interface Sums {
  readonly numbers: number
}

/** A layer of neurons that is looked at. Its numbers of a round stand one after the other in this order. */
export interface Looked {
  readonly layer: string
  readonly activation: string
  /** What comes in, the sums before the activation, what goes out: two numbers each. */
  readonly input: Sums
  readonly sums: Sums
  readonly output: Sums
  /** One more number: how many values are in the outer 2 % of an activation with two flat ends. */
  readonly saturates: boolean
  /** So many more: how often each neuron is not 0, where 0 is flat. */
  readonly fires: number
  /** One more: Σ g² of the kernel of this key, if it is trained. */
  readonly key: string
  readonly trained: boolean
}

/** What the entries write down, by place. */
export interface Watched {
  readonly entries: { readonly watch: Entry; readonly probe: Entry }
  readonly kernels: readonly WatchedKernel[]
  /** Σ w of every trained parameter over the rounds that were watched. */
  readonly means: readonly { readonly key: string; readonly sum: string }[]
  /** Numbers of a round for each kernel, behind those of `train`: Σ g², Σ Δw², and the largest |g| where numbers are clipped. */
  readonly perKernel: number
  /** Whether the last number of a round is Σ g² over all parameters. */
  readonly total: boolean
  /** The numbers of a probe: the cost, two of the judged output and one of its flat ends, then those of the layers. */
  readonly layers: readonly Looked[]
  readonly output: Sums
  readonly outputSaturates: boolean
}

/** The entries that look at a training. */
export function watch(tracing: Tracing): Watched {
  const { learning, slopes, train, optimizer } = tracing
  const updates: Update[] = []
  const keep = (kind: "slopes" | "sum", { key, shape }: Variable, value: Node): string => {
    const variable = { key: `${WATCH}${kind}/${key}`, shape }
    updates.push({ variable, value: add(read(variable), value) })
    return variable.key
  }
  const [logs, log] = logging()
  const squares = slopes.map((slope) => sum(square(slope)))
  const byValue = optimizer.clipValue !== null
  const kernels = kernelsOf(learning).map((p): WatchedKernel => {
    const { key } = p.variable
    const i = learning.indexOf(p)
    const slope = slopes[i]!
    const after = train.updates.find(({ variable }) => variable.key === key)!.value
    log(squares[i]!)
    log(sum(square(sub(after, p.value))))
    if (byValue) log(largest(abs(slope)))
    return { layer: p.layer, name: p.name, key, slopes: keep("slopes", p.variable, slope) }
  })
  const total = optimizer.globalClipNorm !== null && squares.length > 0
  if (total) log(squares.reduce((a, b) => add(a, b)))
  const means = learning.map((p) => ({ key: p.variable.key, sum: keep("sum", p.variable, p.value) }))
  const { probe, ...looked } = probed(tracing, squares)
  const watch: Entry = { ...train, updates: [...train.updates, ...updates], logs: [...train.logs, ...logs] }
  return { entries: { watch, probe }, kernels, means, perKernel: byValue ? 3 : 2, total, ...looked }
}

/** Logs with names of their own, in the order in which they are given. */
function logging(): [logs: Entry["logs"][number][], log: (value: Node) => void] {
  const logs: Entry["logs"][number][] = []
  return [logs, (value) => void logs.push({ name: `${WATCH}${logs.length}`, value })]
}

/** A forward and a backward pass that change nothing. */
function probed(
  { network, trace, learning, cost, judged }: Tracing,
  squares: readonly Node[],
): Pick<Watched, "layers" | "output" | "outputSaturates"> & { readonly probe: Entry } {
  const [logs, log] = logging()
  const addUp = (x: Node): Sums => {
    log(sum(x))
    log(sum(square(x)))
    return { numbers: Math.abs(size(x.shape)) }
  }
  log(cost)
  const last = trace.outputs[judged]!
  const output = addUp(last)
  const kinds = activationsOf(network)
  const ends = flatEnds(kinds.output(judged), last)
  if (ends !== undefined) log(ends)
  const layers = kernelsOf(trace.parameters).flatMap((p): Looked[] => {
    const own = trace.layers.find(({ name }) => name === p.layer)!
    const { activation, behind } = kinds.layer(p.layer)
    const out = trace.layers.find(({ name }) => name === behind)?.output ?? own.output
    const found = neuronsOf(own.output, p.value)
    if (found === undefined) return []
    const { x, z } = found
    const sums = { input: addUp(x), sums: addUp(z), output: addUp(out) }
    const flat = flatEnds(activation, out)
    if (flat !== undefined) log(flat)
    const units = out.shape[out.shape.length - 1]!
    const fires = activation === "relu" || activation === "relu6" ? units : 0
    if (fires > 0)
      log(
        sum(
          sub(1, equal(out, 0)),
          out.shape.slice(0, -1).map((_, i) => i),
        ),
      )
    const i = learning.indexOf(p)
    if (i >= 0) log(squares[i]!)
    const { key } = p.variable
    return [{ layer: p.layer, activation, ...sums, saturates: flat !== undefined, fires, key, trained: i >= 0 }]
  })
  return { probe: { updates: [], logs, outputs: [] }, layers, output, outputSaturates: ends !== undefined }
}

/** How many values are in the outer 2 % of the range of an activation with two flat ends; undefined for others. */
function flatEnds(activation: string, a: Node): Node | undefined {
  const unit = activation === "sigmoid" || activation === "softmax"
  if (!unit && activation !== "tanh" && activation !== "softsign") return undefined
  return sum(less(unit ? 0.48 : 0.96, abs(unit ? sub(a, 0.5) : a)))
}

/**
 * What comes to the neurons of a kernel, and their sums before the activation: the product with the kernel and what is added to it.
 * Undefined for layers that are made in another way, as loops are.
 */
function neuronsOf(output: Node, kernel: Node): { readonly x: Node; readonly z: Node } | undefined {
  const nodes = topological([output])
  const made = new Set<Node>([kernel])
  const view = (node: Node): boolean => isOp(node, "reshape") || isOp(node, "transpose") || isOp(node, "broadcast")
  let product: Node | undefined
  for (const node of nodes) {
    if (view(node) && made.has(node.inputs[0]!)) made.add(node)
    if (!isOp(node, "matmul") && !isOp(node, "convolution")) continue
    const at = node.inputs.findIndex((input) => made.has(input))
    if (at < 0) continue
    if (product !== undefined) return undefined
    product = node
  }
  if (product === undefined) return undefined
  const x = product.inputs.find((input) => !made.has(input))
  if (x === undefined) return undefined
  let z: Node = product
  for (const node of nodes) {
    const [a, b] = node.inputs
    if (node.inputs.length === 1 && view(node) && a === z) z = node
    else if (isOp(node, "add") && (a === z || b === z) && isParameter((a === z ? b : a)!)) z = node
  }
  return sameShape(z.shape, output.shape) ? { x, z } : { x, z: output }
}

/** A variable, or a view of one. */
function isParameter(node: Node): boolean {
  if (isOp(node, "variable")) return true
  return (isOp(node, "reshape") || isOp(node, "broadcast")) && isParameter(node.inputs[0]!)
}
