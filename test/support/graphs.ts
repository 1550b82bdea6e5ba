// Random graphs from a list of numbers: 5 to 25 operations over inputs and variables, a cost, its gradients and updates.
// The same list gives the same graph; a shorter list gives a smaller one, so that a failure shrinks.
import { gradients } from "../../src/autodiff/grad.ts"
import { streams } from "../../src/core/random.ts"
import { BATCH, broadcastShape, type Shape, size } from "../../src/core/shape.ts"
import * as compose from "../../src/graph/compose.ts"
import type { Entry, Graph, Update } from "../../src/graph/graph.ts"
import type { Node, Variable } from "../../src/graph/node.ts"
import * as ops from "../../src/graph/public.ts"
import { expose } from "./cases.ts"
import type { Setting } from "./execute.ts"
import { uniform } from "./golden.ts"

/** A random graph and the numbers of its leaves. */
export interface RandomGraph {
  readonly graph: Graph
  readonly setting: Setting
  /** Every value that was made, for a check of values. */
  readonly values: readonly Node[]
}

const SIZES = [1, 2, 3, 5, 7, 13, 17, 33]

/** Choices from a list of whole numbers, which starts again at its end. */
type Choose = (n: number) => number

/** The graph that a list of whole numbers stands for. */
export function graphFrom(choices: readonly number[], rows: number): RandomGraph {
  let next = 0
  const choose: Choose = (n) => {
    const index = next++
    return Math.abs((choices[index % choices.length] ?? 0) + 31 * Math.floor(index / Math.max(1, choices.length))) % n
  }
  const variables: Variable[] = []
  const inputs: { name: string; shape: Shape }[] = []
  const variable = (shape: Shape): Node => {
    const made = { key: `v${variables.length}`, shape }
    variables.push(made)
    return ops.read(made)
  }
  const input = (shape: Shape): Node => {
    inputs.push({ name: `i${inputs.length}`, shape })
    return ops.input(`i${inputs.length - 1}`, shape)
  }
  const sizeOf = (): number => SIZES[choose(SIZES.length)]!
  const values: Node[] = [
    input([sizeOf()]),
    input([sizeOf(), sizeOf()]),
    variable([sizeOf(), sizeOf()]),
    variable([sizeOf()]),
  ]
  const pick = (): Node => values[values.length - 1 - choose(Math.min(values.length, 6))]!
  const count = 5 + Math.min(20, Math.floor(choices.length / 3))
  for (let i = 0; i < count; i++) {
    const made = step(pick(), choose, { pick, values, variable })
    if (made !== undefined && Math.abs(size(made.shape)) <= 1200) values.push(made)
  }
  return { ...finish(values, variables, choose), setting: settingOf(variables, inputs, rows), values }
}

interface Around {
  readonly pick: () => Node
  readonly values: readonly Node[]
  readonly variable: (shape: Shape) => Node
}

/** One more value, made from x and what is there. */
function step(x: Node, choose: Choose, { values, variable }: Around): Node | undefined {
  const { shape } = x
  const rank = shape.length
  const partners = values.filter((v) => {
    const both = broadcastShape(v.shape, shape)
    return both !== undefined && both.filter((n) => n < 0).length < 2
  })
  const partner = partners[choose(Math.max(1, partners.length))] ?? x
  const axis = rank > 0 ? choose(rank) : 0
  switch (choose(18)) {
    case 0:
      return [ops.neg, ops.abs, ops.relu, ops.floor, compose.square, ops.round, compose.sign][choose(7)]!(x)
    case 1:
      return [
        ops.tanh,
        ops.sigmoid,
        compose.softplus,
        (v: Node) => ops.exp(ops.min(v, 3)),
        (v: Node) => ops.log(ops.add(ops.abs(v), 0.5)),
        (v: Node) => ops.sqrt(ops.abs(v)),
        ops.sin,
        ops.cos,
        ops.erf,
        (v: Node) => ops.expm1(ops.min(v, 3)),
        (v: Node) => ops.log1p(ops.abs(v)),
      ][choose(11)]!(x)
    case 2:
    case 3:
      return [ops.add, ops.sub, ops.mul, ops.max, ops.min][choose(5)]!(x, partner)
    case 4:
      return ops.div(x, ops.add(compose.square(partner), 1))
    case 5:
      return ops.where([ops.less, ops.lessEqual, ops.equal][choose(3)]!(x, partner), x, ops.mul(partner, 0.5))
    case 6:
      return rank === 0 ? undefined : ops.fold((["sum", "max", "min"] as const)[choose(3)]!, x, axis)
    case 7:
      return rank < 2
        ? undefined
        : ops.transpose(x, shape[0]! < 0 ? [0, ...rotated(rank - 1).map((a) => a + 1)] : rotated(rank))
    case 8:
      return reshaped(x, choose)
    case 9:
    case 10:
      return product(x, choose, values, variable)
    case 11:
      return rank === 0 ? undefined : [ops.softmax, compose.logSoftmax, compose.logSumExp][choose(3)]!(x)
    case 12: {
      const n = shape[axis] ?? -1
      const begin = choose(Math.max(1, n))
      return n < 1 ? undefined : ops.slice(x, axis, begin, begin + 1 + choose(n - begin))
    }
    case 13: {
      const fitting = values.filter(
        (v) => v.shape.length === rank && v.shape.every((d, i) => (i === axis ? d > 0 : d === shape[i])),
      )
      return (shape[axis] ?? -1) < 1
        ? undefined
        : ops.concat([x, fitting[choose(fitting.length)]!, x].slice(choose(2)), axis)
    }
    case 14: {
      if (shape.slice(1).some((n) => n < 0)) return undefined
      const drawn = ops.random(streams.dropout, choose(3), shape)
      return choose(2) === 0 ? ops.add(x, drawn) : ops.where(ops.less(drawn, 0.25), 0, ops.div(x, 0.75))
    }
    case 15: {
      const table = values.find((v) => v.shape.length === 2 && v.shape[0]! > 0 && v.shape[1]! > 0)
      const own = values.find((v) => v.shape.length === 2 && v.shape[0]! < 0 && v.shape[1]! > 0)
      if (own !== undefined && rank <= 2 && shape[0]! < 0 && choose(2) === 0) {
        return ops.lookup(own, ops.floor(ops.mul(x, 3)))
      }
      if (table === undefined || rank > 2 || shape.slice(1).some((n) => n < 0)) return undefined
      return ops.lookup(table, ops.floor(ops.mul(x, 3)))
    }
    case 16:
      return rank === 0 ? undefined : ops.add(ops.mul(x, 0.125), ops.indexOver(shape))
    default:
      return rank === 0
        ? ops.div(x, ops.runtime("rows"))
        : compose.mean(x, choose(2) === 0 ? [axis] : undefined, choose(2) === 0)
  }
}

const rotated = (rank: number): number[] => Array.from({ length: rank }, (_, i) => (i + 1) % rank)

function reshaped(x: Node, choose: Choose): Node | undefined {
  const { shape } = x
  if (shape.length < 2) return undefined
  if (shape.slice(1).some((n) => n < 0)) return undefined
  const at = choose(shape.length - 1)
  return ops.reshape(x, [...shape.slice(0, at), shape[at]! * shape[at + 1]!, ...shape.slice(at + 2)])
}

function product(x: Node, choose: Choose, values: readonly Node[], variable: (shape: Shape) => Node): Node | undefined {
  if (x.shape.length !== 2) return undefined
  const [m, k] = x.shape as [number, number]
  const matrices = values.filter(
    ({ shape }) => shape.length === 2 && shape.includes(k) && shape.every((n) => n > 0 || n === k),
  )
  const right = matrices[choose(matrices.length + 2)]
  const n = SIZES[choose(SIZES.length)]!
  if (right === undefined)
    return k < 0
      ? ops.matmul(x, x, { transposeA: true }).shape.some((d) => d < 0)
        ? undefined
        : ops.matmul(x, x, { transposeA: true })
      : ops.matmul(x, variable([k, n]))
  if (m < 0 && right.shape.some((d) => d < 0)) return undefined
  return right.shape[0] === k ? ops.matmul(x, right) : ops.matmul(x, right, { transposeB: true })
}

/** Cost, gradients, updates, results and logs. */
function finish(values: readonly Node[], variables: readonly Variable[], choose: Choose): { graph: Graph } {
  const ends = values.slice(-3)
  const cost = ends.map((v) => compose.mean(compose.square(ops.tanh(v)))).reduce((a, b) => ops.add(a, b))
  const nodes = variables.map((v) => ops.read(v))
  const slopes = gradients(cost, nodes)
  const updates: Update[] = []
  const outputs: Entry["outputs"][number][] = []
  variables.forEach((v, i) => {
    const slot = { key: `${v.key}/momentum`, shape: v.shape }
    const velocity = ops.sub(ops.mul(ops.read(slot), 0.5), ops.mul(ops.runtime("learningRate"), slopes[i]!))
    if (choose(2) === 0) updates.push({ variable: slot, value: velocity })
    updates.push({
      variable: v,
      value: choose(2) === 0 ? ops.add(nodes[i]!, velocity) : ops.sub(nodes[i]!, slopes[i]!),
    })
  })
  const average = { key: "average", shape: [] }
  if (choose(2) === 0) updates.push({ variable: average, value: ops.add(ops.mul(ops.read(average), 0.5), cost) })
  for (const [i, value] of ends.entries()) {
    if (value.shape[0] === BATCH || !value.shape.some((n) => n < 0)) expose(`end${i}`, value, outputs, updates)
  }
  const last = values[values.length - 1]!
  const logs = [
    { name: "cost", value: cost },
    { name: "largest", value: compose.largest(last) },
  ]
  const guard = choose(3) > 0 ? { guard: "cost" } : {}
  return { graph: { train: { updates, logs, outputs, ...guard }, evaluate: { updates: [], logs, outputs: [] } } }
}

function settingOf(
  variables: readonly Variable[],
  inputs: readonly { name: string; shape: Shape }[],
  rows: number,
): Setting {
  let stream = 100
  const numbers = (n: number): Float32Array => {
    stream++
    return Float32Array.from({ length: n }, (_, i) => 3 * uniform(stream, i) - 1.5)
  }
  const states: { [key: string]: Float32Array } = { average: numbers(1) }
  for (const { key, shape } of variables) {
    states[key] = numbers(size(shape))
    states[`${key}/momentum`] = numbers(size(shape))
  }
  const data = Object.fromEntries(inputs.map(({ name, shape }) => [name, numbers(rows * size(shape))]))
  return { rows, inputs: data, variables: states, runtime: { learningRate: 0.125, step: 1 } }
}
