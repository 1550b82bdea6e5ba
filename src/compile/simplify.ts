// The first pass: equal values become one, compositions are expanded, and what changes no bit is removed.
// Knows graphs only.

import { float32 } from "../core/arithmetic.ts"
import { type Scalar, scalars, scalarsOver } from "../core/scalar.ts"
import { sameShape } from "../core/shape.ts"
import { expandSoftmax } from "../graph/compose.ts"
import { expandConvolution } from "../graph/convolve.ts"
import type { Entry, Graph } from "../graph/graph.ts"
import { rootsOf } from "../graph/graph.ts"
import { isOp, type Node, topological } from "../graph/node.ts"
import { constant, slice, transpose } from "../graph/ops.ts"
import { everyOf } from "../graph/scan.ts"

/** The same graph with each value computed once. Every entry is simplified by itself. */
export function simplify(graph: Graph): Graph {
  return Object.fromEntries(Object.entries(graph).map(([name, entry]) => [name, simplifyEntry(entry)]))
}

function simplifyEntry(entry: Entry): Entry {
  const rewrite = rewriter()
  for (const node of topological(rootsOf(entry))) rewrite(node)
  return {
    ...entry,
    updates: entry.updates.map((u) => ({ ...u, value: rewrite(u.value) })),
    logs: entry.logs.map((l) => ({ ...l, value: rewrite(l.value) })),
    outputs: entry.outputs.map((o) => ({ ...o, value: rewrite(o.value) })),
  }
}

/** A function from nodes to simplified nodes that gives the same node for equal values. */
function rewriter(): (node: Node) => Node {
  const done = new Map<Node, Node>()
  const ids = new Map<Node, number>()
  const byKey = new Map<string, Node>()

  const unique = (node: Node): Node => {
    if (isOp(node, "hole") || isOp(node, "scan")) {
      ids.set(node, ids.size)
      return node
    }
    const inputs = [...node.inputs, ...(isOp(node, "every") ? [node.attributes.value] : [])]
      .map((x) => ids.get(x))
      .join(" ")
    const key = `${node.op} ${attributesKey(node)} ${inputs} : ${node.shape.join(" ")}`
    const found = byKey.get(key)
    if (found !== undefined) return found
    byKey.set(key, node)
    ids.set(node, ids.size)
    return node
  }
  /** The node with what it names inside a scan simplified. */
  const inside = (node: Node): Node => {
    const rewriteAll = (roots: readonly Node[]): Node[] => {
      for (const x of topological(roots)) rewrite(x)
      return roots.map(rewrite)
    }
    if (isOp(node, "scan")) {
      const { carried, items, outer, next } = node.attributes
      rewriteAll([...carried, ...items, ...outer])
      return { ...node, attributes: { ...node.attributes, next: rewriteAll(next) } }
    }
    return isOp(node, "every") ? everyOf(node.inputs[0] as Node<"scan">, rewriteAll([node.attributes.value])[0]!) : node
  }
  const rewrite = (node: Node): Node => {
    const found = done.get(node)
    if (found !== undefined) return found
    const inputs = node.inputs.map(rewrite)
    const same = inputs.every((x, i) => x === node.inputs[i])
    const reduced = reduce(inside(same ? node : { ...node, inputs }))
    const result =
      reduced.op === node.op && reduced.inputs.every((x) => ids.has(x)) ? unique(reduced) : rewrite(reduced)
    done.set(node, result)
    done.set(result, result)
    return result
  }
  return rewrite
}

function attributesKey(node: Node): string {
  if (isOp(node, "variable")) return node.attributes.variable.key
  if (isOp(node, "every")) return ""
  if (isOp(node, "constant") && Object.is(node.attributes.value, -0)) return "-0"
  return Object.values(node.attributes)
    .map((value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value)))
    .join(" ")
}

/** The node, or a simpler one with the same bits. */
function reduce(node: Node): Node {
  const [a, b] = node.inputs
  switch (node.op) {
    case "softmax":
      return expandSoftmax(a!)
    case "stopGradient":
      return a!
    case "reshape": {
      const from = isOp(a!, "reshape") ? a.inputs[0]! : a!
      return sameShape(from.shape, node.shape) ? from : from === a ? node : { ...node, inputs: [from] }
    }
    case "convolution":
      return expandConvolution(a!, b!, (node as Node<"convolution">).attributes)
    case "transpose":
      return transposeOf(node as Node<"transpose">)
    case "slice":
      return sliceOf(node as Node<"slice">)
    case "mul":
      return numberOf(a!) === 1 ? b! : numberOf(b!) === 1 ? a! : node
    case "div":
      return numberOf(b!) === 1 ? a! : fold(node)
    case "sub":
      return Object.is(numberOf(b!), 0) ? a! : fold(node)
    case "neg":
      return isOp(a!, "neg") ? a.inputs[0]! : fold(node)
    default:
      return fold(node)
  }
}

/** Axes that are moved twice are moved once, or not at all. */
function transposeOf(node: Node<"transpose">): Node {
  const x = node.inputs[0]!
  const before = isOp(x, "transpose") ? x : undefined
  const { order } = node.attributes
  const whole = before === undefined ? order : order.map((axis) => before.attributes.order[axis]!)
  const from = before === undefined ? x : before.inputs[0]!
  if (whole.every((axis, i) => axis === i)) return from
  return before === undefined ? node : transpose(from, whole)
}

/** A part of a part is a part of the whole, and a part of joined values that lies in one of them is a part of that. */
function sliceOf(node: Node<"slice">): Node {
  const { axis, begin, end } = node.attributes
  const x = node.inputs[0]!
  if (isOp(x, "slice") && x.attributes.axis === axis) {
    return slice(x.inputs[0]!, axis, x.attributes.begin + begin, x.attributes.begin + end)
  }
  if (!isOp(x, "concat") || x.attributes.axis !== axis) return node
  let from = 0
  for (const part of x.inputs) {
    const to = from + part.shape[axis]!
    if (begin >= from && end <= to) return slice(part, axis, begin - from, end - from)
    from = to
  }
  return node
}

/** A scalar operation on constants becomes its value. */
function fold(node: Node): Node {
  if (!Object.hasOwn(scalars, node.op)) return node
  const numbers = node.inputs.map(numberOf)
  if (numbers.some((n) => n === undefined)) return node
  return constant(evaluateScalar(node.op as Scalar, numbers as number[]), node.shape)
}

/** The number that a node holds everywhere, if it is known. */
function numberOf(node: Node): number | undefined {
  if (isOp(node, "broadcast")) return numberOf(node.inputs[0]!)
  return isOp(node, "constant") ? node.attributes.value : undefined
}

const meaning = scalarsOver(float32)

/** A scalar operation on float32 numbers. */
function evaluateScalar(op: Scalar, x: readonly number[]): number {
  if (op === "where") return meaning.where(x[0] !== 0, x[1]!, x[2]!)
  if (op === "less" || op === "lessEqual" || op === "equal") return meaning.tests[op](x[0]!, x[1]!) ? 1 : 0
  return meaning.values[op](...x)
}
