// Networks written by hand as graphs, with data and first weights: what tests of the engine train. Knows no layer of src/nn.
import { gradients } from "../../src/autodiff/grad.ts"
import type { Run } from "../../src/backend/backend.ts"
import { permutation } from "../../src/core/order.ts"
import { size } from "../../src/core/shape.ts"
import * as compose from "../../src/graph/compose.ts"
import type { Graph, Update } from "../../src/graph/graph.ts"
import { type Node, topological, type Variable } from "../../src/graph/node.ts"
import * as ops from "../../src/graph/ops.ts"
import type { Program } from "../../src/program/program.ts"
import { dataOf, type Machine, type Numbers, type Outcome, resultsOf, statesOf, writeStates } from "./execute.ts"
import { uniform } from "./golden.ts"

/** A dense network. */
export interface Net {
  readonly sizes: readonly number[]
  readonly activation?: "relu" | "tanh" | "sigmoid"
  readonly loss?: "crossEntropy" | "quadratic"
  readonly optimizer?: "sgd" | "momentum" | "nesterov"
  /** Sizes before the last of one example: `[5]` makes examples of 5 rows, each of `sizes[0]` numbers. */
  readonly outer?: readonly number[]
}

const activations = { relu: ops.relu, tanh: ops.tanh, sigmoid: ops.sigmoid }

/** The graph of a network: `train` (guarded by its loss), `evaluate` and `predict`. */
export function network({
  sizes,
  activation = "relu",
  loss: kind = "crossEntropy",
  optimizer = "sgd",
  outer = [],
}: Net): Graph {
  const x = ops.input("x", [...outer, sizes[0]!])
  const y = ops.input("y", [sizes[sizes.length - 1]!])
  const parameters: Node<"variable">[] = []
  const parameter = (key: string, shape: readonly number[]): Node => {
    const node = ops.read({ key, shape }) as Node<"variable">
    parameters.push(node)
    return node
  }
  let h = x
  for (const [i, units] of sizes.slice(1).entries()) {
    const inputs = sizes[i]!
    const matrix = h.shape.length === 2 ? h : ops.reshape(h, [size(h.shape.slice(0, -1)), inputs])
    const product = ops.matmul(matrix, parameter(`${i}/kernel`, [inputs, units]))
    h = ops.add(ops.reshape(product, [...h.shape.slice(0, -1), units]), parameter(`${i}/bias`, [units]))
    if (i < sizes.length - 2) h = activations[activation](h)
  }
  if (h.shape.length > 2)
    h = compose.mean(
      h,
      h.shape.slice(1, -1).map((_, i) => i + 1),
    )
  const p = kind === "crossEntropy" ? ops.softmax(h) : activations[activation](h)
  const rowLoss =
    kind === "crossEntropy"
      ? ops.neg(compose.sum(ops.mul(y, compose.logSoftmax(h)), [-1]))
      : compose.mean(compose.square(ops.sub(y, p)), [-1])
  const loss = compose.mean(rowLoss)
  const accuracy = compose.mean(ops.equal(compose.argmax(y), compose.argmax(p)))
  const logs = [
    { name: "loss", value: loss },
    { name: "accuracy", value: accuracy },
  ]
  const updates = updatesOf(parameters, gradients(loss, parameters), optimizer)
  return {
    train: { updates, logs, outputs: [], guard: "loss" },
    evaluate: { updates: [], logs, outputs: [] },
    predict: { updates: [], logs: [], outputs: [{ name: "p", value: p }] },
  }
}

function updatesOf(parameters: readonly Node<"variable">[], slopes: readonly Node[], optimizer: string): Update[] {
  const rate = ops.runtime("learningRate")
  return parameters.flatMap((w, i): Update[] => {
    const { variable } = w.attributes
    const change = ops.mul(rate, slopes[i]!)
    if (optimizer === "sgd") return [{ variable, value: ops.sub(w, change) }]
    const slot = { key: `${variable.key}/momentum`, shape: variable.shape }
    const velocity = ops.sub(ops.mul(ops.read(slot), 0.9), change)
    const move = optimizer === "nesterov" ? ops.sub(ops.mul(velocity, 0.9), change) : velocity
    return [
      { variable: slot, value: velocity },
      { variable, value: ops.add(w, move) },
    ]
  })
}

/** Every variable of a graph. */
export function variablesIn(graph: Graph): Variable[] {
  const found = new Map<string, Variable>()
  for (const entry of Object.values(graph)) {
    for (const node of topological(entry.updates.map((u) => u.value))) {
      if (node.op === "variable") {
        const { variable } = (node as Node<"variable">).attributes
        found.set(variable.key, variable)
      }
    }
    for (const { variable } of entry.updates) found.set(variable.key, variable)
  }
  return [...found.values()]
}

/** First values: kernels and biases small, momenta 0. */
export function startOf(graph: Graph, scale = 0.4): { [key: string]: Float32Array } {
  return Object.fromEntries(
    variablesIn(graph).map(({ key, shape }, stream) => {
      const values = (_: unknown, i: number): number => scale * (uniform(stream + 40, i) - 0.5)
      return [key, Float32Array.from({ length: size(shape) }, key.endsWith("momentum") ? () => 0 : values)]
    }),
  )
}

/** Data for a network: `count` examples, one class each. */
export function examplesOf({ sizes, outer = [] }: Net, count: number): { x: Float32Array; y: Float32Array } {
  const classes = sizes[sizes.length - 1]!
  const width = size([...outer, sizes[0]!])
  const x = Float32Array.from({ length: count * width }, (_, i) => {
    const pixel = uniform(7, i)
    return pixel < 0.4 ? 0 : pixel - 0.2 * uniform(8, (Math.floor(i / width) % classes) * width + (i % width))
  })
  const y = new Float32Array(count * classes)
  for (let i = 0; i < count; i++) y[i * classes + (i % classes)] = 1
  return { x, y }
}

/** How a network is trained. */
export interface Training {
  readonly examples: number
  readonly batch: number
  /** After these numbers of rounds the states are looked at. */
  readonly rounds: readonly number[]
  readonly learningRate?: number
}

/** Trains pass after pass, each in its own order; what is left after each number of rounds, then logs and predictions. */
export async function train(
  machine: Machine,
  program: Program,
  net: Net,
  graph: Graph,
  training: Training,
): Promise<Outcome> {
  const { examples, batch, rounds, learningRate = 0.125 } = training
  const executable = await machine.load(program)
  try {
    writeStates(executable, startOf(graph))
    const bound = executable.bind(dataOf(examples, examplesOf(net, examples)))
    const outcome = new Map<string, Numbers>()
    const perPass = Math.ceil(examples / batch)
    const base = { bound, batchSize: batch, runtime: { learningRate } }
    for (let done = 0; done < rounds[rounds.length - 1]!; ) {
      const [pass, first] = [Math.floor(done / perPass), done % perPass]
      const next = rounds.find((r) => r > done)!
      const count = Math.min(perPass - first, next - done)
      const run: Run = { ...base, entry: "train", first, count, order: permutation(examples, 3, pass) }
      const ran = await executable.run(run)
      outcome.set(`logs after ${done}, ${ran.ended}`, ran.logs)
      done += count
      if (done === next) for (const [name, values] of statesOf(executable)) outcome.set(`${name} after ${done}`, values)
    }
    const evaluated = await executable.run({ ...base, entry: "evaluate", first: 0, count: perPass })
    outcome.set("evaluated", evaluated.logs)
    await executable.run({ ...base, entry: "predict", first: 0, count: perPass })
    for (const [name, values] of resultsOf(executable, bound)) outcome.set(name, values)
    bound.release()
    return outcome
  } finally {
    executable.close()
  }
}
