// ONNX files: the graph of a model, operation by operation. So every layer is written whose call is made of the operations below:
// a new layer needs nothing here, a new operation one row. Loops over steps are ONNX's Scan, whose body is a graph in the graph: so they
// hold whatever a step computes (any activation, masks, both kinds of GRU), which the operators LSTM, GRU and RNN do not.
// Source: onnx.proto 1.17, operators of opset 17.

import { joined } from "../core/bytes.ts"
import type { Scalar } from "../core/scalar.ts"
import { broadcastShape, type Shape, sameShape, size } from "../core/shape.ts"
import { isOp, type Node, type Op, topological } from "../graph/node.ts"
import { timeAxis } from "../graph/scan.ts"
import { cannotHold } from "./keras-specs.ts"
import { type SavedModel, traceSaved, weightOf } from "./saved-model.ts"

/** The version of the operators, and of the file format that goes with it. */
const OPSET = 17
const IR = 8

/** A message of protocol buffers as it grows: the few fields that ONNX needs, without a schema. */
class Message {
  readonly #parts: Uint8Array[] = []

  #varint(value: number): void {
    const out: number[] = []
    let left = value < 0 ? 18_446_744_073_709_551_616n + BigInt(value) : BigInt(value)
    do {
      out.push(Number(left & 127n) | (left > 127n ? 128 : 0))
      left >>= 7n
    } while (left > 0n)
    this.#parts.push(Uint8Array.from(out))
  }

  whole(field: number, value: number): this {
    this.#varint(field * 8)
    this.#varint(value)
    return this
  }

  bytes(field: number, value: Uint8Array | string | Message): this {
    const bytes = value instanceof Message ? value.done() : typeof value === "string" ? new TextEncoder().encode(value) : value // biome-ignore format: one row
    this.#varint(field * 8 + 2)
    this.#varint(bytes.length)
    this.#parts.push(bytes)
    return this
  }

  done(): Uint8Array {
    return joined(this.#parts)
  }
}

const FLOAT = 1
const INT64 = 7
const BOOL = 9

/** A value in the graph: its name, and its shape, in which what has only been stretched still has the size 1. */
interface Value {
  readonly name: string
  readonly shape: Shape
}

type Attribute = number | readonly number[] | Message

/** What a loop gives: what it carries after the last turn, and the values of all turns. */
interface Loop {
  readonly finals: readonly string[]
  readonly every: ReadonlyMap<Node, string>
}

/** Scalar operations that ONNX has under another name. */
const names: { readonly [S in Scalar]?: string } = {
  neg: "Neg",
  abs: "Abs",
  sqrt: "Sqrt",
  floor: "Floor",
  round: "Round",
  exp: "Exp",
  log: "Log",
  sin: "Sin",
  cos: "Cos",
  tanh: "Tanh",
  erf: "Erf",
  sigmoid: "Sigmoid",
  relu: "Relu",
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  max: "Max",
  min: "Min",
}

const comparisons: { readonly [S in Scalar]?: string } = { less: "Less", lessEqual: "LessOrEqual", equal: "Equal" }
const folds = { sum: "ReduceSum", max: "ReduceMax", min: "ReduceMin" } as const

/** The bytes of an ONNX file that predicts; its first axis is the batch. Throws E_MODEL for what ONNX cannot hold. */
export function writeOnnx(model: SavedModel): Uint8Array {
  const trace = traceSaved(model)
  const stateful = trace.parameters.find(({ carried }) => carried === true)
  if (stateful !== undefined) {
    throw cannotHold(`layer ${stateful.layer}`, "ONNX has no place for what a stateful layer leaves to the next batch.")
  }
  const nodes = topological(trace.outputs)
  const graph = new Graph(
    model,
    nodes.flatMap((node) => (isOp(node, "every") ? [node] : [])),
  )
  trace.inputs.forEach((node, i) => void graph.input(node, model.network.inputs[i]!.name))
  for (const node of nodes) graph.add(node)
  trace.outputs.forEach((node, i) => void graph.output(node, model.network.outputs[i]!.name))
  const opset = new Message().bytes(1, "").whole(2, OPSET)
  return new Message()
    .whole(1, IR)
    .bytes(2, "trilobite")
    .bytes(7, graph.message(model.name ?? model.network.kind))
    .bytes(8, opset)
    .done()
}

class Graph {
  readonly #model: SavedModel
  /** The values that loops give of all their turns. */
  readonly #wanted: readonly Node<"every">[]
  readonly #loops = new Map<Node, Loop>()
  #values = new Map<Node, Value>()
  /** Comparisons as truth values, beside the 0 and 1 that they are here. */
  #truths = new Map<Node, Value>()
  /** The operations of the whole, and those of the graph that is being written: the same, or the body of a loop. */
  readonly #main: Message[] = []
  #nodes = this.#main
  readonly #initializers: Message[] = []
  readonly #inputs: Message[] = []
  readonly #outputs: Message[] = []
  readonly #taken = new Set<string>()
  readonly #shapes = new Map<string, string>()
  #batch: string | undefined
  #first: string | undefined
  #count = 0
  #operations = 0

  constructor(model: SavedModel, wanted: readonly Node<"every">[]) {
    this.#model = model
    this.#wanted = wanted
  }

  message(name: string): Message {
    return graphMessage(name, this.#main, this.#inputs, this.#outputs, this.#initializers)
  }

  /** A name that nothing else has: the wanted one if it is free. */
  #fresh(wanted?: string): string {
    let name = wanted ?? `v${this.#count++}`
    while (this.#taken.has(name)) name = wanted === undefined ? `v${this.#count++}` : `${name}_`
    this.#taken.add(name)
    return name
  }

  input(node: Node, wanted: string): void {
    const name = this.#fresh(wanted)
    this.#first ??= name
    this.#values.set(node, { name, shape: node.shape })
    this.#inputs.push(declared(name, node.shape))
  }

  output(node: Node, wanted: string): void {
    const { name: from } = this.#full(node)
    const name = this.#fresh(wanted)
    this.#emit("Identity", [from], {}, name)
    this.#outputs.push(declared(name, node.shape))
  }

  #emit(
    op: string,
    inputs: readonly string[],
    attributes: { readonly [name: string]: Attribute } = {},
    to?: string,
  ): string {
    const name = to ?? this.#fresh()
    this.#emitAll(op, inputs, attributes, [name])
    return name
  }

  #emitAll(
    op: string,
    inputs: readonly string[],
    attributes: { readonly [name: string]: Attribute },
    outputs: readonly string[],
  ): void {
    const node = new Message()
    for (const input of inputs) node.bytes(1, input)
    for (const output of outputs) node.bytes(2, output)
    node.bytes(3, `${op}_${this.#operations++}`).bytes(4, op)
    for (const [key, value] of Object.entries(attributes)) {
      const attribute = new Message().bytes(1, key)
      if (typeof value === "number") attribute.whole(3, value).whole(20, 2)
      else if (value instanceof Message) attribute.bytes(6, value).whole(20, 5)
      else {
        for (const n of value) attribute.whole(8, n)
        attribute.whole(20, 7)
      }
      node.bytes(5, attribute)
    }
    this.#nodes.push(node)
  }

  #tensor(wanted: string | undefined, shape: Shape, data: Float32Array | readonly number[]): string {
    const name = this.#fresh(wanted)
    const floats = data instanceof Float32Array
    const raw = new Uint8Array(data.length * (floats ? 4 : 8))
    const view = new DataView(raw.buffer)
    if (floats) data.forEach((value, i) => void view.setFloat32(4 * i, value, true))
    else data.forEach((value, i) => void view.setBigInt64(8 * i, BigInt(value), true))
    const tensor = new Message()
    for (const n of shape) tensor.whole(1, n)
    this.#initializers.push(
      tensor
        .whole(2, floats ? FLOAT : INT64)
        .bytes(8, name)
        .bytes(9, raw),
    )
    return name
  }

  /** A list of whole numbers, the same one for the same numbers. */
  #list(numbers: readonly number[]): string {
    const key = numbers.join(",")
    const known = this.#shapes.get(key) ?? this.#tensor(undefined, [numbers.length], numbers)
    this.#shapes.set(key, known)
    return known
  }

  /** The number of examples, as a list of one. */
  #batchSize(): string {
    if (this.#batch !== undefined) return this.#batch
    const here = this.#nodes
    this.#nodes = this.#main
    this.#batch = this.#emit("Slice", [this.#emit("Shape", [this.#first!]), this.#list([0]), this.#list([1])])
    this.#nodes = here
    return this.#batch
  }

  #known(node: Node): Value {
    const found = this.#values.get(node)
    if (found === undefined) throw cannotHold(`the operation ${node.op}`, "it has no place in ONNX.")
    return found
  }

  /** A value with all its sizes. */
  #full(node: Node): Value {
    const value = this.#known(node)
    if (sameShape(value.shape, node.shape)) return value
    const open = node.shape.findIndex((n) => n < 0)
    let shape = this.#list(node.shape)
    if (open >= 0) {
      const rows = node.shape[open]! === -1 ? this.#batchSize() : this.#emit("Mul", [this.#batchSize(), this.#list([-node.shape[open]!])]) // biome-ignore format: one row
      const [before, after] = [node.shape.slice(0, open), node.shape.slice(open + 1)]
      const parts = [...(before.length > 0 ? [this.#list(before)] : []), rows]
      if (after.length > 0) parts.push(this.#list(after))
      shape = this.#emit("Concat", parts, { axis: 0 })
    }
    const full = { name: this.#emit("Expand", [value.name, shape]), shape: node.shape }
    this.#values.set(node, full)
    return full
  }

  #reshaped(name: string, shape: Shape): string {
    return this.#emit("Reshape", [name, this.#list(shape.map((n) => (n < 0 ? -1 : n)))])
  }

  add(node: Node): void {
    if (this.#values.has(node)) return
    const made = this.#make(node)
    this.#values.set(node, typeof made === "string" ? { name: made, shape: node.shape } : made)
  }

  #make(node: Node): Value | string {
    const full = (i: number): string => this.#full(node.inputs[i]!).name
    if (isOp(node, "variable")) {
      const { key, shape } = node.attributes.variable
      const known = this.#taken.has(`weights/${key}`)
      const name = `weights/${key}`
      return known ? name : this.#tensor(name, shape, weightOf(this.#model, key).data as Float32Array)
    }
    if (isOp(node, "constant")) return this.#tensor(undefined, [], Float32Array.of(node.attributes.value))
    if (isOp(node, "index")) {
      const [n] = node.shape
      return this.#tensor(
        undefined,
        node.shape,
        Float32Array.from({ length: n! }, (_, i) => i),
      )
    }
    if (isOp(node, "broadcast")) {
      const { axes } = node.attributes
      const { name, shape } = this.#known(node.inputs[0]!)
      const stretched = node.shape.map((_, i) => (axes.includes(i) ? shape[axes.indexOf(i)]! : 1))
      return { name: sameShape(shape, stretched) ? name : this.#reshaped(name, stretched), shape: stretched }
    }
    if (isOp(node, "reshape")) return this.#reshaped(full(0), node.shape)
    if (isOp(node, "transpose")) {
      const { name, shape } = this.#known(node.inputs[0]!)
      const { order } = node.attributes
      return { name: this.#emit("Transpose", [name], { perm: order }), shape: order.map((i) => shape[i]!) }
    }
    if (isOp(node, "slice")) {
      const { axis, begin, end } = node.attributes
      return this.#emit("Slice", [full(0), ...[begin, end, axis].map((n) => this.#list([n]))])
    }
    if (isOp(node, "concat")) {
      return this.#emit("Concat", node.inputs.map((_, i) => full(i)), { axis: node.attributes.axis }) // biome-ignore format: one row
    }
    if (isOp(node, "fold")) {
      const { fold, axis } = node.attributes
      if (fold === "sum") return this.#emit("ReduceSum", [full(0), this.#list([axis])], { keepdims: 0 })
      return this.#emit(folds[fold], [full(0)], { axes: [axis], keepdims: 0 })
    }
    if (isOp(node, "matmul")) {
      const { outer, inner } = node.attributes
      const [a, b] = [node.inputs[0]!.shape, node.inputs[1]!.shape]
      const rows = size(a.slice(outer, a.length - inner))
      const [both, columns] = [size(b.slice(outer, outer + inner)), size(b.slice(outer + inner))]
      const lead = outer === 0 ? [] : [size(a.slice(0, outer))]
      const plain = (name: string, from: Shape, to: Shape): string =>
        sameShape(from, to) ? name : this.#reshaped(name, to)
      const product = this.#emit("MatMul", [
        plain(full(0), a, [...lead, rows, both]),
        plain(full(1), b, [...lead, both, columns]),
      ])
      return plain(product, [...lead, rows, columns], node.shape)
    }
    if (isOp(node, "convolution")) return this.#convolution(node, full(0), full(1))
    if (isOp(node, "windows")) {
      const { axis, size: n, stride, dilation } = node.attributes
      const count = node.shape[axis]!
      const places = Array.from({ length: count * n }, (_, i) => Math.floor(i / n) * stride + (i % n) * dilation)
      return this.#emit("Gather", [full(0), this.#tensor(undefined, [count, n], places)], { axis })
    }
    if (isOp(node, "reverse")) {
      const { axis } = node.attributes
      return this.#emit("Slice", [full(0), ...[-1, -2_147_483_648, axis, -1].map((n) => this.#list([n]))])
    }
    if (isOp(node, "pad")) return this.#pad(node, full(0))
    if (isOp(node, "softmax")) return this.#emit("Softmax", [full(0)], { axis: -1 })
    if (isOp(node, "stopGradient")) return this.#known(node.inputs[0]!)
    if (isOp(node, "lookup")) return this.#lookup(node, full(0), full(1))
    if (isOp(node, "scan")) {
      this.#loops.set(node, this.#scan(node))
      return { name: "", shape: node.shape }
    }
    if (isOp(node, "final")) return this.#loops.get(node.inputs[0]!)!.finals[node.attributes.carried]!
    if (isOp(node, "every")) return this.#loops.get(node.inputs[0]!)!.every.get(node.attributes.value)!
    return this.#scalar(node)
  }

  /** A loop: its body is a graph that sees all values around it. */
  #scan(node: Node<"scan">): Loop {
    const { carried, items, outer, next, reverse } = node.attributes
    const begun = node.inputs.slice(0, carried.length + items.length).map((input) => this.#full(input).name)
    const same = node.inputs.slice(begun.length).map((input) => this.#known(input))
    const every = [
      ...new Set(this.#wanted.filter(({ inputs }) => inputs[0] === node).map((one) => one.attributes.value)),
    ]
    const around = { nodes: this.#nodes, values: this.#values, truths: this.#truths }
    this.#nodes = []
    this.#values = new Map(around.values)
    this.#truths = new Map(around.truths)
    const inputs = [...carried, ...items].map((hole) => {
      const name = this.#fresh()
      this.#values.set(hole, { name, shape: hole.shape })
      return declared(name, hole.shape)
    })
    outer.forEach((hole, i) => void this.#values.set(hole, same[i]!))
    for (const inside of topological([...next, ...every])) this.add(inside)
    const outputs = [...next, ...every].map((made) => {
      return declared(this.#emit("Identity", [this.#full(made).name]), made.shape)
    })
    const body = graphMessage("turn", this.#nodes, inputs, outputs)
    this.#nodes = around.nodes
    this.#values = around.values
    this.#truths = around.truths
    const names = outputs.map(() => this.#fresh())
    const turning = (count: number): readonly number[] => Array.from({ length: count }, () => (reverse ? 1 : 0))
    const attributes = {
      body,
      num_scan_inputs: items.length,
      scan_input_axes: items.map((_, i) => timeAxis(node.inputs[carried.length + i]!.shape)),
      scan_input_directions: turning(items.length),
      ...(every.length === 0
        ? {}
        : {
            scan_output_axes: every.map(({ shape }) => timeAxis(shape)),
            scan_output_directions: turning(every.length),
          }),
    }
    this.#emitAll("Scan", begun, attributes, names)
    return {
      finals: names.slice(0, carried.length),
      every: new Map(every.map((value, i) => [value, names[carried.length + i]!])),
    }
  }

  /** Rows of one table, or of a table of each example. */
  #lookup({ inputs }: Node<"lookup">, table: string, numbers: string): string {
    const [rows, width] = inputs[0]!.shape as readonly [number, number]
    const [least, most] = [0, Math.abs(rows) - 1].map((n) => this.#tensor(undefined, [], Float32Array.of(n)))
    const indices = this.#emit("Cast", [this.#emit("Clip", [numbers, least!, most!])], { to: INT64 })
    if (rows >= 0) return this.#emit("Gather", [table, indices], { axis: 0 })
    const tables = this.#reshaped(table, [-1, -rows, width])
    const places = this.#emit("Unsqueeze", [indices, this.#list([-1])])
    return this.#emit("GatherND", [tables, places], { batch_dims: 1 })
  }

  /** ONNX has channels before places. */
  #convolution(node: Node<"convolution">, x: string, w: string): string {
    const { strides, dilations, groups } = node.attributes
    const rank = strides.length
    const places = strides.map((_, i) => i)
    const first = this.#emit("Transpose", [x], { perm: [0, rank + 1, ...places.map((i) => i + 1)] })
    const kernel = this.#emit("Transpose", [w], { perm: [rank + 1, rank, ...places] })
    const made = this.#emit("Conv", [first, kernel], { strides, dilations, group: groups })
    return this.#emit("Transpose", [made], { perm: [0, ...places.map((i) => i + 2), 1] })
  }

  /** What is added between places: each place with what follows it, less that behind the last. */
  #pad(node: Node<"pad">, x: string): string {
    const { edges, value } = node.attributes
    const filler = this.#tensor(undefined, [], Float32Array.of(value))
    let shape = node.inputs[0]!.shape
    let name = x
    edges.forEach(({ between }, axis) => {
      const n = shape[axis]!
      if (between === 0 || n < 2) return
      const wide = shape.toSpliced(axis, 1, n, 1)
      const zeros = wide.map((_, i) => (i === axis + 1 ? between : 0))
      const padded = this.#emit("Pad", [
        this.#reshaped(name, wide),
        this.#list([...wide.map(() => 0), ...zeros]),
        filler,
      ])
      const all = this.#reshaped(padded, shape.toSpliced(axis, 1, n * (between + 1)))
      const length = n * (between + 1) - between
      name = this.#emit("Slice", [all, ...[0, length, axis].map((i) => this.#list([i]))])
      shape = shape.toSpliced(axis, 1, length)
    })
    if (edges.every(({ before, after }) => before === 0 && after === 0)) return name
    return this.#emit("Pad", [name, this.#list([...edges.map((e) => e.before), ...edges.map((e) => e.after)]), filler])
  }

  #scalar(node: Node): Value {
    const op = node.op as Op & Scalar
    const inputs = node.inputs.map((input) => this.#known(input))
    const shape = inputs.reduce<Shape>((all, v) => broadcastShape(all, v.shape)!, [])
    const given = inputs.map(({ name }) => name)
    const one = (): string => this.#tensor(undefined, [], Float32Array.of(1))
    const compare = comparisons[op]
    if (compare !== undefined) {
      const truth = this.#emit(compare, given)
      this.#truths.set(node, { name: truth, shape })
      return { name: this.#emit("Cast", [truth], { to: FLOAT }), shape }
    }
    if (op === "where") {
      const truth = this.#truths.get(node.inputs[0]!)?.name ?? this.#emit("Cast", [given[0]!], { to: BOOL })
      return { name: this.#emit("Where", [truth, given[1]!, given[2]!]), shape }
    }
    if (op === "expm1") return { name: this.#emit("Sub", [this.#emit("Exp", given), one()]), shape }
    if (op === "log1p") return { name: this.#emit("Log", [this.#emit("Add", [given[0]!, one()])]), shape }
    const name = names[op]
    if (name !== undefined) return { name: this.#emit(name, given), shape }
    const layers = this.#model.network.layers.map(({ type }) => type)
    throw cannotHold(
      `the operation ${node.op}`,
      `it has no place in ONNX (layers: ${[...new Set(layers)].join(", ")}).`,
    )
  }
}

function graphMessage(
  name: string,
  nodes: readonly Message[],
  inputs: readonly Message[],
  outputs: readonly Message[],
  initializers: readonly Message[] = [],
): Message {
  const graph = new Message()
  for (const node of nodes) graph.bytes(1, node)
  graph.bytes(2, name)
  for (const tensor of initializers) graph.bytes(5, tensor)
  for (const value of inputs) graph.bytes(11, value)
  for (const value of outputs) graph.bytes(12, value)
  return graph
}

/** A float input or output and its shape; the batch has a name instead of a size. */
function declared(name: string, shape: Shape): Message {
  const sizes = new Message()
  for (const n of shape) sizes.bytes(1, n < 0 ? new Message().bytes(2, n === -1 ? "batch" : `batch_${-n}`) : new Message().whole(1, n)) // biome-ignore format: one row
  const type = new Message().bytes(1, new Message().whole(1, FLOAT).bytes(2, sizes))
  return new Message().bytes(1, name).bytes(2, type)
}
