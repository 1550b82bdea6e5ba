// The oracle: values of graphs in float64 by plain loops and Math, and slopes by central differences. It shares no code
// with the compiler, the backends or core/math.ts.
import { gradients } from "../../src/autodiff/grad.ts"
import type { Fold } from "../../src/core/fold.ts"
import { fillUniform } from "../../src/core/random.ts"
import type { Scalar } from "../../src/core/scalar.ts"
import { type Attributes, isOp, type Node, type Op, topological } from "../../src/graph/node.ts"
import { SEED } from "./execute.ts"
import { erf64, roundEven } from "./special.ts"

/** What the leaves of a graph stand for; arrays are row-major, `inputs` by name and `variables` by key. */
export interface Environment {
  /** Examples in the batch. */
  readonly rows: number
  readonly inputs?: { readonly [name: string]: ArrayLike<number> }
  readonly variables?: { readonly [key: string]: ArrayLike<number> }
  /** `learningRate`, `step`, …; `rows` is there already. */
  readonly runtime?: { readonly [name: string]: number }
  /** The seed of random numbers. */
  readonly seed?: number
}

/** A value with the sizes that it has for these rows. */
interface Value {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

const scalars: { readonly [name in Scalar]: (a: number, b: number, c: number) => number } = {
  neg: (x) => -x,
  abs: (x) => Math.abs(x),
  sqrt: (x) => Math.sqrt(x),
  floor: (x) => Math.floor(x),
  round: (x) => roundEven(x),
  expm1: (x) => Math.expm1(x),
  log1p: (x) => Math.log1p(x),
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  erf: (x) => erf64(x),
  exp: (x) => Math.exp(x),
  log: (x) => Math.log(x),
  tanh: (x) => Math.tanh(x),
  sigmoid: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  relu: (x) => (x <= 0 ? 0 : x),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: (a, b) => (a < b ? b : a),
  min: (a, b) => (b < a ? b : a),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  equal: (a, b) => Number(a === b),
  where: (c, a, b) => (c !== 0 ? a : b),
}

/** The sizes of a shape for these rows: −k means k rows of each example. */
export function sizesFor(shape: readonly number[], rows: number): number[] {
  return shape.map((n) => (n < 0 ? -n * rows : n))
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** Row-major strides. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, i) => count(shape.slice(i + 1)))
}

/** A value filled by a function of the index along each axis. */
function fill(shape: readonly number[], at: (index: readonly number[]) => number): Value {
  const data = new Float64Array(count(shape))
  const index = shape.map(() => 0)
  for (let i = 0; i < data.length; i++) {
    data[i] = at(index)
    for (let d = shape.length - 1; d >= 0 && ++index[d]! === shape[d]!; d--) index[d] = 0
  }
  return { shape, data }
}

/** Every index of a shape in row-major order. */
function everyPlace(shape: readonly number[]): number[][] {
  const list: number[][] = []
  fill(shape, (index) => list.push([...index]))
  return list
}

/** The element of a value at an index. */
function pick({ shape, data }: Value, index: readonly number[]): number {
  return data[stridesOf(shape).reduce((at, stride, i) => at + stride * index[i]!, 0)]!
}

function leaf(what: string, values: ArrayLike<number> | undefined, shape: readonly number[]): Value {
  if (values === undefined) throw new Error(`the environment has no ${what}`)
  if (values.length !== count(shape))
    throw new Error(`${what} has ${values.length} elements, not [${shape.join(", ")}]`)
  return { shape, data: Float64Array.from(values) }
}

const folds: { readonly [f in Fold]: { readonly start: number; readonly step: (a: number, b: number) => number } } = {
  sum: { start: 0, step: (a, b) => a + b },
  max: { start: -Infinity, step: (a, b) => (a < b ? b : a) },
  min: { start: Infinity, step: (a, b) => (b < a ? b : a) },
}

type Evaluator<K extends Op> = (
  attributes: Attributes[K],
  inputs: readonly Value[],
  shape: readonly number[],
  environment: Environment,
) => Value

/** The row of a table that a number names: cut off, and the nearest that there is. */
const rowOf = (number: number, table: Value): number => {
  if (Number.isNaN(number) || number <= 0) return 0
  return number >= table.shape[0]! ? table.shape[0]! - 1 : Math.floor(number)
}

const elementwise =
  (name: Scalar): Evaluator<Scalar> =>
  (_, [a, b, c], shape) => ({
    shape,
    data: a!.data.map((x, i) => scalars[name](x, b?.data[i] ?? Number.NaN, c?.data[i] ?? Number.NaN)),
  })

const scalarEvaluators = Object.fromEntries(
  Object.keys(scalars).map((name) => [name, elementwise(name as Scalar)]),
) as unknown as { readonly [name in Scalar]: Evaluator<name> }

const evaluators: { readonly [K in Op]: Evaluator<K> } = {
  ...scalarEvaluators,
  input: ({ name }, _, shape, { inputs }) => leaf(`input ${name}`, inputs?.[name], shape),
  variable: ({ variable }, _, shape, { variables }) =>
    leaf(`variable ${variable.key}`, variables?.[variable.key], shape),
  runtime: ({ name }, _, shape, { rows, runtime }) => {
    const value = runtime?.[name] ?? (name === "rows" ? rows : undefined)
    return leaf(`runtime value ${name}`, value === undefined ? undefined : [value], shape)
  },
  random: ({ stream, substream }, _, shape, { seed = SEED, runtime }) => {
    const drawn = new Float32Array(count(shape))
    fillUniform(drawn, seed, stream, substream, runtime?.step ?? 0)
    return { shape, data: Float64Array.from(drawn) }
  },
  constant: ({ value }, _, shape) => fill(shape, () => value),
  index: (_, __, shape) => fill(shape, ([i]) => i!),
  broadcast: ({ axes }, [x], shape) =>
    fill(shape, (index) =>
      pick(
        x!,
        axes.map((axis) => index[axis]!),
      ),
    ),
  reshape: (_, [x], shape) => ({ shape, data: x!.data }),
  transpose: ({ order }, [x], shape) =>
    fill(shape, (index) =>
      pick(
        x!,
        order.map((_, axis) => index[order.indexOf(axis)]!),
      ),
    ),
  slice: ({ axis, begin }, [x], shape) =>
    fill(shape, (index) => pick(x!, index.toSpliced(axis, 1, index[axis]! + begin))),
  concat: ({ axis }, inputs, shape) =>
    fill(shape, (index) => {
      let place = index[axis]!
      let i = 0
      while (place >= inputs[i]!.shape[axis]!) place -= inputs[i++]!.shape[axis]!
      return pick(inputs[i]!, index.toSpliced(axis, 1, place))
    }),
  fold: ({ fold, axis }, [x], shape) =>
    fill(shape, (index) => {
      let total = folds[fold].start
      for (let i = 0; i < x!.shape[axis]!; i++) total = folds[fold].step(total, pick(x!, index.toSpliced(axis, 0, i)))
      return total
    }),
  windows: ({ axis, stride, dilation }, [x], shape) =>
    fill(shape, (index) => pick(x!, index.toSpliced(axis, 2, index[axis]! * stride + index[axis + 1]! * dilation))),
  reverse: ({ axis }, [x], shape) =>
    fill(shape, (index) => pick(x!, index.with(axis, shape[axis]! - 1 - index[axis]!))),
  pad: ({ edges, value }, [x], shape) =>
    fill(shape, (index) => {
      const place = index.map((i, axis) => (i - edges[axis]!.before) / (edges[axis]!.between + 1))
      const inside = place.every((i, axis) => Number.isInteger(i) && i >= 0 && i < x!.shape[axis]!)
      return inside ? pick(x!, place) : value
    }),
  matmul: ({ outer, inner }, [a, b], shape) => {
    const rows = a!.shape.length - inner
    const sums = everyPlace(a!.shape.slice(rows))
    return fill(shape, (index) => {
      const [left, right] = [index.slice(0, rows), index.slice(rows)]
      const products = sums.map((k) => pick(a!, [...left, ...k]) * pick(b!, [...left.slice(0, outer), ...k, ...right]))
      return products.reduce((total, product) => total + product, 0)
    })
  },
  convolution: ({ strides, dilations, groups }, [x, w], shape) => {
    const sums = everyPlace(w!.shape.slice(0, -1))
    const channels = w!.shape.at(-2)!
    const filters = w!.shape.at(-1)! / groups
    return fill(shape, (index) => {
      const at = (k: readonly number[]): number[] => strides.map((s, d) => index[d + 1]! * s + k[d]! * dilations[d]!)
      const first = Math.floor(index.at(-1)! / filters) * channels
      const products = sums.map(
        (k) => pick(x!, [index[0]!, ...at(k), first + k.at(-1)!]) * pick(w!, [...k, index.at(-1)!]),
      )
      return products.reduce((total, product) => total + product, 0)
    })
  },
  softmax: (_, [x], shape) => {
    const n = shape[shape.length - 1]!
    const data = x!.data.slice()
    for (let from = 0; from < data.length; from += n) {
      const row = data.subarray(from, from + n)
      const top = Math.max(...row)
      const powers = row.map((z) => Math.exp(z - top))
      const total = powers.reduce((a, b) => a + b, 0)
      row.set(powers.map((power) => power / total))
    }
    return { shape, data }
  },
  lookup: (_, [table, indices], shape) =>
    fill(shape, (index) => pick(table!, [rowOf(pick(indices!, index.slice(0, -1)), table!), index[index.length - 1]!])),
  scatterAdd: (_, [values, indices], shape) => {
    const sums: Value = { shape, data: new Float64Array(count(shape)) }
    const width = shape[1]!
    indices!.data.forEach((number, p) => {
      for (let j = 0; j < width; j++) sums.data[rowOf(number, sums) * width + j]! += values!.data[p * width + j]!
    })
    return sums
  },
  stopGradient: (_, [x], shape) => ({ shape, data: x!.data }),
  hole: (_, __, shape) => leaf("a hole outside of its scan", undefined, shape),
  scan: (_, __, shape) => ({ shape, data: new Float64Array(1) }),
  final: (_, __, shape) => leaf("a result without its scan", undefined, shape),
  every: (_, __, shape) => leaf("a result without its scan", undefined, shape),
}

/** The results of a scan that the graph asks for: turn by turn. */
function evaluateScan(
  scan: Node<"scan">,
  results: readonly Node[],
  values: Map<Node, Value>,
  environment: Environment,
): void {
  const { turns, reverse, carried, items, outer, next } = scan.attributes
  const inputs = scan.inputs.map((x) => values.get(x)!)
  const shapeOf = ({ shape }: Node): number[] => sizesFor(shape, environment.rows)
  const every = results.filter((x) => isOp(x, "every"))
  for (const x of every) values.set(x, { shape: shapeOf(x), data: new Float64Array(count(shapeOf(x))) })
  let state = inputs.slice(0, carried.length)
  for (let n = 0; n < turns; n++) {
    const t = reverse ? turns - 1 - n : n
    const inside = new Map<Node, Value>()
    carried.forEach((x, i) => void inside.set(x, state[i]!))
    items.forEach((x, i) => {
      const sequence = inputs[carried.length + i]!
      const axis = x.shape[0] !== undefined && x.shape[0] < 0 ? 1 : 0
      inside.set(
        x,
        fill(shapeOf(x), (index) => pick(sequence, index.toSpliced(axis, 0, t))),
      )
    })
    outer.forEach((x, i) => void inside.set(x, inputs[carried.length + items.length + i]!))
    evaluateInto(inside, [...next, ...every.map((x) => x.attributes.value)], environment)
    for (const x of every) {
      const { value } = x.attributes
      const axis = value.shape[0] !== undefined && value.shape[0] < 0 ? 1 : 0
      const [whole, part] = [values.get(x)!, inside.get(value)!]
      values.set(x, fill(whole.shape as number[], (index) => (index[axis] === t ? pick(part, index.toSpliced(axis, 1)) : pick(whole, index)))) // biome-ignore format: one expression
    }
    state = next.map((x) => inside.get(x)!)
  }
  for (const x of results) if (isOp(x, "final")) values.set(x, state[x.attributes.carried]!)
}

/** The values of several nodes, each row-major; what they share is computed once. Throws if a leaf is not given. */
export function evaluateNodes(nodes: readonly Node[], environment: Environment): Float64Array[] {
  const values = new Map<Node, Value>()
  evaluateInto(values, nodes, environment)
  return nodes.map((node) => values.get(node)!.data)
}

/** The values of the nodes and of all that they need, beside those that are known. */
function evaluateInto(values: Map<Node, Value>, nodes: readonly Node[], environment: Environment): void {
  const order = topological(nodes)
  for (const node of order) {
    if (values.has(node)) continue
    if (isOp(node, "scan")) {
      const results = order.filter((x) => x.inputs[0] === node)
      evaluateScan(node, results, values, environment)
    }
    const shape = sizesFor(node.shape, environment.rows)
    const inputs = node.inputs.map((x) => values.get(x)!)
    const value = (evaluators[node.op] as Evaluator<Op>)(node.attributes, inputs, shape, environment)
    if (value.data.length !== count(shape)) {
      throw new Error(`${node.op} gave ${value.data.length} elements for [${shape.join(", ")}]`)
    }
    values.set(node, value)
  }
}

/** The value of a node, row-major. */
export function evaluateNode(node: Node, environment: Environment): Float64Array {
  return evaluateNodes([node], environment)[0]!
}

/** The environment with element i of an input or variable moved by `step`. */
function moved(leafNode: Node, i: number, step: number, environment: Environment): Environment {
  const [group, name] = isOp(leafNode, "input")
    ? (["inputs", leafNode.attributes.name] as const)
    : (["variables", (leafNode as Node<"variable">).attributes.variable.key] as const)
  const values = Float64Array.from(environment[group]![name]!)
  values[i]! += step
  return { ...environment, [group]: { ...environment[group], [name]: values } }
}

/** ∂cost/∂x for an input or variable x by central differences: (C(x + h) − C(x − h)) / 2h with h = 1e-5 max(1, |x|). */
export function differences(
  cost: Node,
  x: Node<"input"> | Node<"variable"> | Node,
  environment: Environment,
): Float64Array {
  const start = evaluateNode(x, environment)
  return start.map((value, i) => {
    const h = 1e-5 * Math.max(1, Math.abs(value))
    const [above] = evaluateNode(cost, moved(x, i, h, environment))
    const [below] = evaluateNode(cost, moved(x, i, -h, environment))
    return (above! - below!) / (2 * h)
  })
}

/**
 * The largest error of the gradients of a cost of shape [] with respect to inputs and variables, against central
 * differences: |g − d| / max(1, |g|, |d|). Values must stay away from kinks.
 */
export function gradientError(cost: Node, wrt: readonly Node[], environment: Environment): number {
  const found = evaluateNodes(gradients(cost, wrt), environment)
  let worst = 0
  wrt.forEach((x, i) => {
    differences(cost, x, environment).forEach((d, j) => {
      const g = found[i]![j]!
      const error = Math.abs(g - d) / Math.max(1, Math.abs(g), Math.abs(d))
      worst = error <= worst ? worst : error // NaN is the worst
    })
  })
  return worst
}

/** Numbers from −2 to 2 that look random and are away from 0: the same for the same count and salt. */
export function samples(n: number, salt = 0): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    const x = Math.sin(12.9898 * (i + 1) + 78.233 * (salt + 1)) * 43758.5453
    const u = 4 * (x - Math.floor(x)) - 2
    return Math.abs(u) < 0.01 ? u + 0.05 : u
  })
}
