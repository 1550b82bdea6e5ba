// From a row of test/ops.cases.ts to a graph with the value, its weighted sum and all slopes, and the numbers for its leaves.
import { gradients } from "../../src/autodiff/grad.ts"
import { BATCH, type Shape, size } from "../../src/core/shape.ts"
import { sum } from "../../src/graph/compose.ts"
import type { Entry, Graph, Update } from "../../src/graph/graph.ts"
import type { Node } from "../../src/graph/node.ts"
import * as ops from "../../src/graph/ops.ts"
import type { Leaf, OpRow, Sizes } from "../ops.cases.ts"
import type { Setting } from "./execute.ts"
import { uniform } from "./golden.ts"

/** A row with its graph, ready to be compiled. */
export interface Built {
  readonly graph: Graph
  readonly value: Node
  /** Σ value · weights: the log `total`. */
  readonly total: Node
  readonly leaves: readonly Node[]
  /** The leaves whose slope is known: result or state `slope<i>` for leaf i. */
  readonly smooth: readonly number[]
  readonly setting: Setting
}

/** An input if the shape begins with the batch, an input with its axes moved if the batch is inside, else a variable. */
export function leafNode(name: string, shape: Shape): Node {
  const batch = shape.findIndex((n) => n < 0)
  if (batch < 0) return ops.read({ key: name, shape })
  if (batch === 0 && shape[0] === BATCH) return ops.input(name, shape.slice(1))
  const first = [shape[batch]!, ...shape.toSpliced(batch, 1)]
  const flat = ops.reshape(ops.input(name, [-size(first)]), first)
  const order = shape.map((_, i) => (i === batch ? 0 : i < batch ? i + 1 : i))
  return ops.transpose(flat, order)
}

/** Adds a value to what an entry leaves behind: a result if it has the batch in it, else a new state. */
export function expose(name: string, value: Node, outputs: Entry["outputs"][number][], updates: Update[]): void {
  const { shape } = value
  const batch = shape.findIndex((n) => n < 0)
  if (batch < 0) updates.push({ variable: { key: name, shape }, value })
  else {
    const order = [batch, ...shape.map((_, i) => i).filter((i) => i !== batch)]
    const first = batch === 0 ? value : ops.transpose(value, order)
    const rows = first.shape[0]!
    const rest = -size(first.shape)
    outputs.push({ name, value: rows === BATCH ? first : ops.reshape(first, [BATCH, rest]) })
  }
}

/** How the numbers of the leaves are chosen. */
export type Filling = "apart" | "special"

/** float32 numbers that arithmetic treats in a way of their own. */
const SPECIAL = [
  0,
  -0,
  1,
  -1,
  1e-45,
  -1e-45,
  1e-39,
  1.1754944e-38,
  3e38,
  -3e38,
  Infinity,
  -Infinity,
  NaN,
  0.5,
  1e-20,
  17,
]

/** The graph of a row for three sizes and so many examples. */
export function build(row: OpRow, sizes: Sizes, rows: number, filling: Filling = "apart"): Built {
  const specs = row.leaves(sizes)
  const leaves = specs.map((leaf, i) => leafNode(`x${i}`, leaf.shape))
  const value = row.build(leaves, sizes)
  const weights = leafNode("weights", value.shape)
  const total = sum(ops.mul(value, weights))
  const smooth = specs.flatMap((leaf, i) => (leaf.whole ? [] : [i]))
  const outputs: Entry["outputs"][number][] = []
  const updates: Update[] = []
  expose("value", value, outputs, updates)
  const slopes = gradients(total, leaves)
  for (const [i, slope] of slopes.entries()) expose(`slope${i}`, slope, outputs, updates)
  const entry: Entry = { updates, outputs, logs: [{ name: "total", value: total }] }
  const setting = settingOf([...specs, { shape: value.shape }], rows, filling)
  return { graph: { train: entry }, value, total, leaves, smooth: row.slope === false ? [] : smooth, setting }
}

/** Numbers for the leaves; those of a range are all different and keep away from 0 and whole numbers. */
function settingOf(specs: readonly Leaf[], rows: number, filling: Filling): Setting {
  const counts = specs.map(({ shape }) => Math.abs(size(shape)) * (size(shape) < 0 ? rows : 1))
  const all = counts.reduce((a, b) => a + b, 0)
  const order = Array.from({ length: all }, (_, i) => i).sort((a, b) => uniform(5, a) - uniform(5, b))
  const inputs: { [name: string]: Float64Array } = {}
  const variables: { [key: string]: Float64Array } = {}
  let next = 0
  specs.forEach(({ shape, range = [-2, 2], whole }, i) => {
    const values = Float64Array.from({ length: counts[i]! }, () => {
      const place = order[next++]!
      if (filling === "special") return Math.fround(SPECIAL[place % SPECIAL.length]!)
      const x = range[0] + ((place + 0.37) / all) * (range[1] - range[0])
      return Math.fround(whole ? Math.round(x) : x)
    })
    const name = i === specs.length - 1 ? "weights" : `x${i}`
    if (size(shape) < 0) inputs[name] = values
    else variables[name] = values
  })
  return { rows, inputs, variables, runtime: { learningRate: 0.75, step: 3 } }
}

/** The same setting with float32 arrays. */
export function single({ rows, inputs, variables, runtime }: Setting): Setting {
  const round = (all: Setting["inputs"]): Setting["inputs"] =>
    Object.fromEntries(Object.entries(all).map(([name, values]) => [name, Float32Array.from(values)]))
  return { rows, inputs: round(inputs), variables: round(variables), ...(runtime && { runtime }) }
}
