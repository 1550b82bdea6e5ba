// The gradient of every primitive operation, on one page. Knows ops, no kernels.
//
// Each rule gets the node y = op(x…) and g = ∂C/∂y, and gives ∂C/∂x for each input (null: nothing flows there).

import { sign, square, sum } from "../graph/compose.ts"
import {
  exchanged,
  joinWindows,
  kernelSlope,
  padAxis,
  placeOf,
  spread as spreadOver,
  withoutPad,
} from "../graph/convolve.ts"
import { isOp, type Node, type Op } from "../graph/node.ts"
import {
  add,
  broadcastTo,
  constant,
  cos,
  div,
  equal,
  exp,
  fold,
  indexOver,
  less,
  lessEqual,
  mul,
  neg,
  product,
  reshape,
  sin,
  slice,
  sub,
  transpose,
  where,
} from "../graph/ops.ts"
import { concat, lookup, reverse, scatterAdd } from "../graph/places.ts"

/** Places of an axis that are walked one by one. */
const SHORT = 4

/** 2 / √π. */
const TWO_OVER_ROOT_PI = 1.1283791670955126

/** The gradient of one operation: a value, or null, for each of its inputs. */
export type Rule<K extends Op> = (y: Node<K>, g: Node) => readonly (Node | null)[]

const none: Rule<Op> = (y) => y.inputs.map(() => null)

/** The table of gradients: the type checker asks for a row for every operation. */
export const rules: { readonly [K in Op]: Rule<K> } = {
  input: none,
  variable: none,
  runtime: none,
  constant: none,
  random: none,
  index: none,
  stopGradient: none,
  // The slope of a loop is a loop: autodiff/scan.ts.
  hole: none,
  scan: none,
  final: none,
  every: none,

  neg: (_, g) => [neg(g)],
  abs: ({ inputs: [x] }, g) => [mul(g, sign(x!))],
  sqrt: (y, g) => [div(mul(g, 0.5), y)],
  floor: none,
  round: none,
  exp: (y, g) => [mul(g, y)],
  expm1: ({ inputs: [x] }, g) => [mul(g, exp(x!))],
  log: ({ inputs: [x] }, g) => [div(g, x!)],
  log1p: ({ inputs: [x] }, g) => [div(g, add(x!, 1))],
  sin: ({ inputs: [x] }, g) => [mul(g, cos(x!))],
  cos: ({ inputs: [x] }, g) => [neg(mul(g, sin(x!)))],
  tanh: (y, g) => [mul(g, sub(1, mul(y, y)))],
  erf: ({ inputs: [x] }, g) => [mul(g, mul(exp(neg(square(x!))), TWO_OVER_ROOT_PI))],
  sigmoid: (y, g) => [mul(g, mul(y, sub(1, y)))],
  relu: (y, g) => [where(lessEqual(y, 0), 0, g)],

  add: (_, g) => [g, g],
  sub: (_, g) => [g, neg(g)],
  mul: ({ inputs: [a, b] }, g) => [mul(g, b!), mul(g, a!)],
  div: (y, g) => {
    const slope = div(g, y.inputs[1]!)
    return [slope, neg(mul(slope, y))]
  },
  // Of equal arguments the first is taken, by the value and by the gradient.
  max: ({ inputs: [a, b] }, g) => [where(less(a!, b!), 0, g), where(less(a!, b!), g, 0)],
  min: ({ inputs: [a, b] }, g) => [where(less(b!, a!), 0, g), where(less(b!, a!), g, 0)],
  less: none,
  lessEqual: none,
  equal: none,
  where: ({ inputs: [c] }, g) => [null, where(c!, g, 0), where(c!, 0, g)],

  broadcast: (y, g) => {
    const stretched = y.shape.map((_, axis) => axis).filter((axis) => !y.attributes.axes.includes(axis))
    return [sum(g, stretched)]
  },
  reshape: (y, g) => [reshape(g, y.inputs[0]!.shape)],
  transpose: (y, g) => [
    transpose(
      g,
      y.attributes.order.map((_, axis) => y.attributes.order.indexOf(axis)),
    ),
  ],
  // Zeros around g.
  slice: (y, g) => {
    const { axis, begin, end } = y.attributes
    return [padAxis(g, axis, { before: begin, after: y.inputs[0]!.shape[axis]! - end, between: 0 })]
  },
  windows: (y, g) => [joinWindows(g, y.attributes.axis, y.inputs[0]!.shape[y.attributes.axis]!, y.attributes)],
  reverse: (y, g) => [reverse(g, y.attributes.axis)],
  pad: (y, g) => [y.attributes.edges.reduce((part, edge, axis) => withoutPad(part, axis, edge, y.inputs[0]!.shape), g)],
  concat: (y, g) => {
    const { axis } = y.attributes
    let begin = 0
    return y.inputs.map(({ shape }) => {
      const end = begin + shape[axis]!
      const part = slice(g, axis, begin, end)
      begin = end
      return part
    })
  },
  fold: (y, g) => {
    const x = y.inputs[0]!
    const { axis, fold: kind } = y.attributes
    const spread = (v: Node): Node => broadcastTo(reshape(v, x.shape.toSpliced(axis, 1, 1)), x.shape)
    if (kind === "sum") return [spread(g)]
    // The first of equal extremes takes the whole gradient. A short axis is walked place by place, as windows are.
    const places = x.shape[axis]!
    if (places > 0 && places <= SHORT) {
      let left = g
      const parts = Array.from({ length: places }, (_, i) => {
        const found = equal(placeOf(x, axis, i), y)
        const part = where(found, left, 0)
        left = where(found, 0, left)
        return reshape(part, x.shape.with(axis, 1))
      })
      return [concat(parts, axis)]
    }
    // Along others it is found as the smallest index that holds one.
    const last = x.shape.map((_, i) => i)
    const order = [...last.filter((i) => i !== axis), axis]
    const indices = transpose(
      indexOver(order.map((i) => x.shape[i]!)),
      last.map((i) => order.indexOf(i)),
    )
    const extreme = equal(x, spread(y))
    const first = fold("min", where(extreme, indices, Number.MAX_SAFE_INTEGER), axis)
    return [where(equal(indices, spread(first)), spread(g), 0)]
  },
  matmul: (y, g) => {
    const [a, b] = y.inputs as [Node, Node]
    const { outer, inner } = y.attributes
    const [rows, columns] = [a.shape.length - outer - inner, b.shape.length - outer - inner]
    return [
      product(g, exchanged(b, outer, inner), { outer, inner: columns }),
      product(exchanged(a, outer, rows), g, { outer, inner: rows }),
    ]
  },
  convolution: (y, g) => {
    const [x, w] = y.inputs as [Node, Node]
    return [spreadOver(g, w, x.shape, y.attributes), kernelSlope(x, g, w.shape, y.attributes)]
  },
  lookup: ({ inputs: [table, indices] }, g) => [scatterAdd(g, indices!, table!.shape[0]!), null],
  scatterAdd: ({ inputs: [, indices] }, g) => [lookup(g, indices!), null],
  softmax: (y, g) => [mul(y, sub(g, sum(mul(g, y), [-1], true)))],
}

/** ∂C/∂x for each input of y, by the table. */
export function applyRule(y: Node, g: Node): readonly (Node | null)[] {
  return (rules[y.op] as Rule<Op>)(y, g)
}

/**
 * The sum of two gradients that reach the same value. Those of different parts of it, each with zeros around, are joined instead of
 * added.
 */
export function accumulate(a: Node | undefined, b: Node): Node {
  return a === undefined ? b : (joined(a, b) ?? add(a, b))
}

/** The sum of two values if, place by place along one axis, one of them is all zeros. */
function joined(a: Node, b: Node): Node | undefined {
  const [first, second] = [filledOf(a), filledOf(b)]
  if (first === undefined || second === undefined || first.axis !== second.axis) return undefined
  const { axis } = first
  const all: Node[] = []
  let at = 0
  const zerosTo = (end: number): void => {
    if (end > at) all.push(constant(0, a.shape.toSpliced(axis, 1, end - at)))
  }
  for (const { begin, x } of [...first.parts, ...second.parts].sort((p, q) => p.begin - q.begin)) {
    if (begin < at) return undefined
    zerosTo(begin)
    all.push(x)
    at = begin + x.shape[axis]!
  }
  zerosTo(a.shape[axis]!)
  return concat(all, axis)
}

/** For a value with zeros before, after or between parts along one axis: that axis, and the parts that are not zeros. */
function filledOf(
  value: Node,
): { readonly axis: number; readonly parts: readonly { readonly begin: number; readonly x: Node }[] } | undefined {
  if (isOp(value, "concat")) {
    let end = 0
    const parts = value.inputs.flatMap((x) => {
      const begin = end
      end += x.shape[value.attributes.axis]!
      return isZero(x) ? [] : [{ begin, x }]
    })
    return { axis: value.attributes.axis, parts }
  }
  if (!isOp(value, "pad") || value.attributes.value !== 0) return undefined
  const { edges } = value.attributes
  const padded = edges.flatMap(({ before, after, between }, axis) => (before + after + between > 0 ? [axis] : []))
  const [axis] = padded
  if (axis === undefined || padded.length > 1 || edges[axis]!.between > 0) return undefined
  return { axis, parts: [{ begin: edges[axis]!.before, x: value.inputs[0]! }] }
}

function isZero(x: Node): boolean {
  if (isOp(x, "broadcast")) return isZero(x.inputs[0]!)
  return isOp(x, "constant") && Object.is(x.attributes.value, 0)
}
