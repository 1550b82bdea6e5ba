// From values to kernels: every node becomes a view of memory or one kernel. Fusing comes later. Knows no machine.

import { internalError } from "../core/errors.ts"
import { scalars } from "../core/scalar.ts"
import { rowMajorStrides, type Shape, size } from "../core/shape.ts"
import { type Entry, type Graph, rootsOf, variablesOf } from "../graph/graph.ts"
import { isOp, type Node, topological } from "../graph/node.ts"
import { wantedOf } from "../graph/scan.ts"
import type { Kernel, Operand } from "../program/kernel.ts"
import { type BodyBuilder, bodyBuilder, type DraftBuffer, type DraftEntry, sameOperand } from "./draft.ts"
import { type LoweredScan, lowerScan } from "./lower-scan.ts"
import { type Factor, padded, productOf } from "./products.ts"
import {
  batchFirst,
  batchMoved,
  canonical,
  operandOf,
  pitchOf,
  reshapedStrides,
  sizesOf,
  stridesOf,
  transposed,
  type View,
} from "./views.ts"

/** What the passes after this one work on. */
export interface Draft {
  readonly buffers: DraftBuffer[]
  readonly runtime: readonly string[]
  readonly entries: { readonly [name: string]: DraftEntry }
}

/** Lowers a simplified graph. */
export function lower(graph: Graph): Draft {
  const buffers: DraftBuffer[] = []
  const runtime = runtimeNames(graph)
  const add = (role: DraftBuffer["role"], name: string, shape: Shape, pitch = pitchOf(shape)): number =>
    buffers.push({ role, name, shape, pitch }) - 1
  const states = new Map(variablesOf(graph).map((v) => [v.key, add("state", v.key, v.shape)]))
  const numbers = add("runtime", "runtime", [runtime.length])
  const bound = new Map<string, number>()
  const bind = (role: "data" | "result", name: string, shape: Shape): number => {
    const known = bound.get(`${role} ${name}`)
    if (known !== undefined) return known
    const buffer = add(role, name, [-1, rowWidth(shape)], rowWidth(shape))
    bound.set(`${role} ${name}`, buffer)
    return buffer
  }
  const state = (key: string): number => states.get(key) as number
  const context = { buffers, add, state, bind, numbers, runtime }
  const entries = Object.entries(graph).map(([name, entry]) => [name, lowerEntry(name, entry, context)])
  return { buffers, runtime, entries: Object.fromEntries(entries) }
}

interface Context {
  readonly buffers: DraftBuffer[]
  add(role: DraftBuffer["role"], name: string, shape: Shape, pitch?: number): number
  state(key: string): number
  bind(role: "data" | "result", name: string, shape: Shape): number
  readonly numbers: number
  readonly runtime: readonly string[]
}

/** `rows` first, then the names that the graph reads, in order. */
function runtimeNames(graph: Graph): string[] {
  const names = new Set(["rows"])
  for (const entry of Object.values(graph)) {
    for (const node of topological(rootsOf(entry))) if (isOp(node, "runtime")) names.add(node.attributes.name)
  }
  return [...names]
}

/** Elements of one row of data. */
function rowWidth(shape: Shape): number {
  return -size(shape)
}

function lowerEntry(entryName: string, entry: Entry, context: Context): DraftEntry {
  const kernels: Kernel[] = []
  const views = new Map<Node, View>()
  const { buffers } = context

  /** A new temporary for a value, and how its elements are found. The batch is always outermost in memory. */
  const temporary = (shape: Shape, pitch?: number): Operand => {
    const batch = shape.findIndex((n) => n < 0)
    const order = batch <= 0 ? shape.map((_, i) => i) : [batch, ...shape.flatMap((_, i) => (i === batch ? [] : [i]))]
    const stored = order.map((axis) => shape[axis]!)
    const buffer = context.add("temporary", `${entryName}.${buffers.length}`, stored, pitch)
    const strides = stridesOf(buffers[buffer]!)
    return { buffer, offset: 0, strides: shape.map((_, axis) => strides[order.indexOf(axis)]!) }
  }
  /** A map kernel over a space that stores one value. */
  const map = (space: Shape, target: Operand, build: (b: BodyBuilder) => number): void => {
    const b = bodyBuilder()
    const value = build(b)
    kernels.push(canonical({ kind: "map", space, operands: b.operands, body: b.body, outputs: [{ ...target, value }] }))
  }
  const loadView = (b: BodyBuilder, view: View, rank: number): number => {
    if (view.kind === "number") return b.emit({ op: "constant", value: view.value })
    if (view.kind === "index" && view.axis === rank - 1) return b.emit({ op: "index" })
    if (view.kind === "index") throw internalError("An index along an outer axis was not stored.")
    return b.load(operandOf(view))
  }
  /** A view of memory, or memory made for it. */
  const inMemory = (view: View, shape: Shape): Operand => {
    if (view.kind === "memory") return operandOf(view)
    const kept = view.kind === "index" ? [shape[view.axis]!] : []
    const target = temporary(kept)
    map(kept, target, (b) => loadView(b, view.kind === "index" ? { kind: "index", axis: 0 } : view, kept.length))
    const stride = (axis: number): number => (view.kind === "index" && axis === view.axis ? target.strides[0]! : 0)
    return { buffer: target.buffer, offset: 0, strides: shape.map((_, axis) => stride(axis)) }
  }
  /** The view as a kernel over this shape can load it. */
  const loadable = (view: View, shape: Shape): View =>
    view.kind === "index" && view.axis !== shape.length - 1 ? { kind: "memory", ...inMemory(view, shape) } : view
  const dense = (view: View, shape: Shape): Operand => {
    const target = temporary(shape, shape[shape.length - 1] ?? 1)
    const from = loadable(view, shape)
    map(shape, target, (b) => loadView(b, from, shape.length))
    return target
  }
  /** A value seen as rows of its last axis, each without gaps between elements, one after the other; copied if need be. */
  const rowsOf = (view: View, shape: Shape): Operand => {
    const width = shape[shape.length - 1]!
    const rows = [size(shape.slice(0, -1)), width]
    const seen = view.kind === "memory" ? reshapedStrides(shape, view.strides, rows) : undefined
    if (view.kind === "memory" && seen !== undefined && (width === 1 || seen[1] === 1)) {
      return { ...operandOf(view), strides: [seen[0]!, 1] }
    }
    return { ...dense(view, shape), strides: [width, 1] }
  }
  /** A value seen as one axis; copied if need be. */
  const placesOf = (view: View, shape: Shape): Operand => {
    const seen = view.kind === "memory" ? reshapedStrides(shape, view.strides, [size(shape)]) : undefined
    if (view.kind !== "memory" || seen === undefined) return { ...dense(view, shape), strides: [1] }
    return { ...operandOf(view), strides: seen }
  }
  /** Where the values of nodes are to be stored, if that is known before they are lowered. */
  const places = new Map<Node, Operand>()
  const placeOf = (node: Node): Operand => places.get(node) ?? temporary(node.shape)

  const lowerNode = (node: Node): View => {
    const inputs = node.inputs.map((x) => views.get(x)!)
    const [x] = inputs
    const from = node.inputs[0]
    if (isOp(node, "final")) return scans.get(from!)!.finals[node.attributes.carried]!
    if (isOp(node, "every")) return scans.get(from!)!.every.get(node.attributes.value)!
    if (isOp(node, "input")) {
      const target = placeOf(node)
      const source = context.bind("data", node.attributes.name, node.shape)
      kernels.push({ kind: "gather", source, target: target.buffer, width: rowWidth(node.shape) })
      return { kind: "memory", ...target }
    }
    if (isOp(node, "variable")) {
      const buffer = context.state(node.attributes.variable.key)
      return { kind: "memory", buffer, offset: 0, strides: stridesOf(buffers[buffer]!) }
    }
    if (isOp(node, "runtime")) {
      const offset = context.runtime.indexOf(node.attributes.name)
      return { kind: "memory", buffer: context.numbers, offset, strides: [] }
    }
    if (isOp(node, "constant")) return { kind: "number", value: node.attributes.value }
    if (isOp(node, "random")) {
      const target = placeOf(node)
      map(node.shape, target, (b) => b.emit({ op: "random", ...node.attributes, strides: rowMajorStrides(node.shape) }))
      return { kind: "memory", ...target }
    }
    if (isOp(node, "index")) return { kind: "index", axis: 0 }
    if (isOp(node, "broadcast")) {
      const { axes } = node.attributes
      if (x!.kind === "number") return x!
      if (x!.kind === "index") return { kind: "index", axis: axes[x!.axis]! }
      const { strides } = x!
      return { ...x!, strides: node.shape.map((_, axis) => (axes.includes(axis) ? strides[axes.indexOf(axis)]! : 0)) }
    }
    if (isOp(node, "transpose")) {
      const { order } = node.attributes
      if (x!.kind === "number") return x!
      if (x!.kind === "index") return { kind: "index", axis: order.indexOf(x!.axis) }
      const { strides } = x!
      return { ...x!, strides: order.map((axis) => strides[axis]!) }
    }
    if (isOp(node, "slice")) {
      const { axis, begin } = node.attributes
      if (x!.kind === "number" || (x!.kind === "index" && x!.axis !== axis)) return x!
      const operand = inMemory(x!, from!.shape)
      return { kind: "memory", ...operand, offset: operand.offset + begin * operand.strides[axis]! }
    }
    if (isOp(node, "concat")) {
      const { axis } = node.attributes
      const target = placeOf(node)
      let { offset } = target
      for (const [i, { shape }] of node.inputs.entries()) {
        const part = loadable(inputs[i]!, shape)
        map(shape, { ...target, offset }, (b) => loadView(b, part, shape.length))
        offset += shape[axis]! * target.strides[axis]!
      }
      return { kind: "memory", ...target }
    }
    if (isOp(node, "reshape")) {
      if (x!.kind === "number") return x!
      const operand = inMemory(x!, from!.shape)
      const strides = reshapedStrides(from!.shape, operand.strides, node.shape)
      if (strides !== undefined) return { kind: "memory", ...operand, strides }
      if (!batchFirst(from!.shape) || !batchFirst(node.shape)) throw batchMoved(from!.shape, node.shape)
      const copy = dense(x!, from!.shape)
      return { kind: "memory", ...copy, strides: rowMajorStrides(node.shape) }
    }
    if (isOp(node, "fold")) {
      const { axis, fold } = node.attributes
      const order = [...from!.shape.keys()].filter((i) => i !== axis)
      const space = [...order, axis].map((i) => from!.shape[i]!)
      const moved = transposed(loadable(x!, from!.shape), [...order, axis])
      const stored = loadable(moved, space)
      const target = placeOf(node)
      const output = { ...target, strides: [...target.strides, 0] }
      map(space, output, (b) => b.emit({ op: "fold", fold, args: [loadView(b, stored, space.length)] }))
      return { kind: "memory", ...target }
    }
    if (isOp(node, "matmul")) {
      const target = placeOf(node)
      const [a, b] = node.inputs.map((input, i) => {
        const operand = inMemory(inputs[i]!, input.shape)
        const forwards = operand.strides.every((stride) => stride >= 0)
        return { shape: input.shape, operand: forwards ? operand : dense(inputs[i]!, input.shape) }
      }) as [Factor, Factor]
      kernels.push(productOf({ a, b, target, ...node.attributes }, (view, shape) => dense(view, shape)))
      return { kind: "memory", ...target }
    }
    if (isOp(node, "windows")) {
      const { axis, stride, dilation } = node.attributes
      if (x!.kind === "number") return x!
      const operand = inMemory(x!, from!.shape)
      const step = operand.strides[axis]!
      return { kind: "memory", ...operand, strides: operand.strides.toSpliced(axis, 1, step * stride, step * dilation) }
    }
    if (isOp(node, "reverse")) {
      const { axis } = node.attributes
      if (x!.kind === "number" || (x!.kind === "index" && x!.axis !== axis)) return x!
      const operand = inMemory(x!, from!.shape)
      const step = operand.strides[axis]!
      const offset = operand.offset + (node.shape[axis]! - 1) * step
      return { kind: "memory", ...operand, offset, strides: operand.strides.with(axis, step === 0 ? 0 : -step) }
    }
    if (isOp(node, "pad")) {
      const target = placeOf(node)
      const { edges, middle } = padded(target, from!.shape, node.attributes.edges)
      for (const { space, place } of edges)
        map(space, place, (b) => b.emit({ op: "constant", value: node.attributes.value }))
      const part = loadable(x!, from!.shape)
      map(from!.shape, middle, (b) => loadView(b, part, from!.shape.length))
      return { kind: "memory", ...target }
    }
    if (isOp(node, "lookup")) {
      const target = placeOf(node)
      const [table, indices] = [rowsOf(x!, from!.shape), placesOf(inputs[1]!, node.inputs[1]!.shape)]
      const { rows, width, places } = sizesOf(from!.shape, node.inputs[1]!.shape)
      const values = { ...target, strides: [target.strides[target.strides.length - 2] ?? 0, 1] }
      kernels.push({ kind: "lookup", places, rows, width, table, indices, values })
      return { kind: "memory", ...target }
    }
    if (isOp(node, "scatterAdd")) {
      const target = placeOf(node)
      const [values, indices] = [rowsOf(x!, from!.shape), placesOf(inputs[1]!, node.inputs[1]!.shape)]
      const sizes = sizesOf(node.shape, node.inputs[1]!.shape)
      kernels.push({
        kind: "scatterAdd",
        ...sizes,
        values,
        indices,
        table: { ...target, strides: [target.strides[0]!, 1] },
      })
      return { kind: "memory", ...target }
    }
    if (Object.hasOwn(scalars, node.op)) {
      const stored = inputs.map((view) => loadable(view, node.shape))
      const target = placeOf(node)
      const op = node.op as keyof typeof scalars
      map(node.shape, target, (b) => b.emit({ op, args: stored.map((v) => loadView(b, v, node.shape.length)) }))
      return { kind: "memory", ...target }
    }
    throw internalError(`The operation ${node.op} has no kernel.`)
  }

  const graph = topological(rootsOf(entry))
  const scans = new Map<Node, LoweredScan>()
  const tools = { kernels, views, places, temporary, map, loadView, loadable, inMemory, lowerNode }
  for (const node of graph) {
    if (isOp(node, "scan")) scans.set(node, lowerScan(node, wantedOf(node, graph), scans.size, tools))
    else views.set(node, lowerNode(node))
  }
  const loops = [...scans.keys()].map((scan) => (scan as Node<"scan">).attributes).map(({ turns, reverse }) => ({ turns, reverse })) // biome-ignore format: one expression

  /** Copies a value to where it is to stay. Fusing makes it part of the kernel that computes the value. */
  const assign = (value: Node, target: Operand): void => {
    const view = loadable(views.get(value)!, value.shape)
    map(value.shape, target, (b) => loadView(b, view, value.shape.length))
  }
  // A state that is moved as it is (transposed, exchanged with another) passes through a temporary: no kernel may read what it
  // has overwritten already. Fusing removes the temporary where it is not needed.
  for (const { variable, value } of entry.updates) {
    const buffer = context.state(variable.key)
    const target = { buffer, offset: 0, strides: stridesOf(buffers[buffer]!) }
    const view = views.get(value)!
    if (view.kind === "memory" && buffers[view.buffer]!.role === "state" && !sameOperand(view, target)) {
      views.set(value, { kind: "memory", ...dense(view, value.shape) })
    }
    assign(value, target)
  }
  const logs = entry.logs.flatMap(({ name, value }) => {
    if (value.shape.length === 0) return [name]
    return Array.from({ length: value.shape[0]! }, (_, i) => `${name}[${i}]`)
  })
  if (logs.length > 0) {
    const buffer = context.add("log", `${entryName}.log`, [logs.length])
    let offset = 0
    for (const { value } of entry.logs) {
      assign(value, { buffer, offset, strides: value.shape.map(() => 1) })
      offset += value.shape[0] ?? 1
    }
  }
  for (const { name, value } of entry.outputs) {
    const source = dense(views.get(value)!, value.shape)
    const target = context.bind("result", name, value.shape)
    kernels.push({ kind: "scatter", source: source.buffer, target, width: rowWidth(value.shape) })
  }
  return { kernels, logs, loops, ...(entry.guard === undefined ? {} : { guard: logs.indexOf(entry.guard) }) }
}
