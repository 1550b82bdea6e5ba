// The primitive operations: one function each, which checks its inputs and states the shape of its result.
// Knows no gradient (autodiff/rules.ts) and no kernel (compile/lower.ts).

import { configError } from "../core/errors.ts"
import type { Fold } from "../core/fold.ts"
import type { Stream } from "../core/random.ts"
import type { Scalar } from "../core/scalar.ts"
import { axisOf, BATCH, broadcastShape, formatShape, type Shape, sameShape, size } from "../core/shape.ts"
import {
  type Attributes,
  type Convolution,
  type Edge,
  isOp,
  type Node,
  type Op,
  type Variable,
  type Window,
} from "./node.ts"

/** A value or a plain number where a value is expected. */
export type Value = Node | number

function node<K extends Op>(op: K, attributes: Attributes[K], inputs: readonly Node[], shape: Shape): Node<K> {
  return { op, attributes, inputs, shape }
}

/** One row of data for each example: `[batch, ...shape]`. */
export function input(name: string, shape: Shape): Node {
  return node("input", { name }, [], [BATCH, ...shape])
}

/** The value of a variable at the start of the round. */
export function read(variable: Variable): Node {
  return node("variable", { variable }, [], variable.shape)
}

/** A number known when a round runs: `rows`, `learningRate`, `step`. */
export function runtime(name: string): Node {
  return node("runtime", { name }, [], [])
}

/** A number, rounded to float32, of the given shape. */
export function constant(value: number, shape: Shape = []): Node {
  return broadcastTo(node("constant", { value: Math.fround(value) }, [], []), shape)
}

/**
 * Uniform numbers of [0, 1): element i, row-major, is element i of what `fillUniform(seed, stream, substream, step)` writes, for
 * the seed and the step of the round. The batch, if any, is the first axis, so that row r of it always draws the same.
 */
export function random(stream: Stream, substream: number, shape: Shape): Node {
  if (shape.slice(1).some((n) => n < 0)) {
    throw shapeError("random", `the batch must be the first axis, got ${formatShape(shape)}.`)
  }
  if (!(Number.isInteger(substream) && substream >= 0 && substream <= 0xffffffff)) {
    throw configError({
      where: "random",
      what: "no such substream.",
      expected: "an integer from 0 to 4294967295",
      got: `${substream}`,
    })
  }
  return node("random", { stream, substream }, [], shape)
}

/** 0, 1, 2, … along the last axis of the shape. */
export function indexOver(shape: Shape): Node {
  return broadcastTo(node("index", {}, [], shape.slice(-1)), shape)
}

/** The value stretched to a shape by NumPy's rule: aligned at the last axis, sizes of 1 repeat. */
export function broadcastTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x
  const fits = broadcastShape(x.shape, shape)
  if (fits === undefined || !sameShape(fits, shape)) {
    throw shapeError("broadcast", `cannot stretch ${formatShape(x.shape)} to ${formatShape(shape)}.`)
  }
  // Without its sizes of 1 the input has only axes that it shares with the result: `axes` names them.
  const lead = shape.length - x.shape.length
  const kept = x.shape.flatMap((n, i) => (n === shape[i + lead] ? [i] : []))
  const squeezed = reshape(
    x,
    kept.map((i) => x.shape[i]!),
  )
  return node("broadcast", { axes: kept.map((i) => i + lead) }, [squeezed], shape)
}

/** The same elements in the same order with other sizes. */
export function reshape(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x
  if (size(x.shape) !== size(shape)) {
    throw shapeError("reshape", `cannot see ${formatShape(x.shape)} as ${formatShape(shape)}.`)
  }
  return node("reshape", {}, [x], shape)
}

/** The axes in another order: axis i of the result is axis `order[i]` of the input. */
export function transpose(x: Node, order: readonly number[]): Node {
  const sorted = [...order].sort((a, b) => a - b)
  if (order.length !== x.shape.length || sorted.some((axis, i) => axis !== i)) {
    throw shapeError("transpose", `[${order.join(", ")}] is no order of the axes of ${formatShape(x.shape)}.`)
  }
  return node(
    "transpose",
    { order },
    [x],
    order.map((axis) => x.shape[axis]!),
  )
}

/**
 * The places from `begin` to before `end` along one axis; negative ones count from its end (Python's rule, but nothing beyond
 * the axis is cut off in silence). The batch cannot be sliced.
 */
export function slice(x: Node, axis: number, begin: number, end: number): Node {
  const at = axisOf(axis, x.shape.length, "slice")
  const n = x.shape[at]!
  if (n < 0) throw batchAxis("slice", "cannot take a part of the batch.", x.shape, at)
  const [from, to] = [begin < 0 ? begin + n : begin, end < 0 ? end + n : end]
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= n)) {
    throw configError({
      where: "slice",
      what: `no such part of axis ${at} of ${formatShape(x.shape)}.`,
      expected: `0 <= begin < end <= ${n}`,
      got: `begin ${begin}, end ${end}`,
    })
  }
  if (from === 0 && to === n) return x
  return node("slice", { axis: at, begin: from, end: to }, [x], x.shape.toSpliced(at, 1, to - from))
}

/** The values one after the other along one axis, in which alone their shapes may differ. The batch cannot be joined. */
export function concat(values: readonly Node[], axis: number): Node {
  const [first] = values
  if (first === undefined) throw shapeError("concat", "needs at least one value.")
  const at = axisOf(axis, first.shape.length, "concat")
  let n = 0
  for (const { shape } of values) {
    if (shape.length !== first.shape.length || shape.some((d, i) => i !== at && d !== first.shape[i])) {
      const all = values.map((x) => formatShape(x.shape)).join(", ")
      throw shapeError("concat", `along axis ${at} all other sizes must be equal, got ${all}.`)
    }
    if (shape[at]! < 0) throw batchAxis("concat", "cannot join batches.", shape, at)
    n += shape[at]!
  }
  return values.length === 1 ? first : node("concat", { axis: at }, values, first.shape.toSpliced(at, 1, n))
}

/** Sum, maximum or minimum over one axis, which disappears. */
export function fold(kind: Fold, x: Node, axis: number): Node {
  const at = axisOf(axis, x.shape.length, kind)
  return node("fold", { fold: kind, axis: at }, [x], [...x.shape.slice(0, at), ...x.shape.slice(at + 1)])
}

/** C = A·B, `[m, k] · [k, n] -> [m, n]`; each factor may be given transposed. */
export function matmul(a: Node, b: Node, flags: { transposeA?: boolean; transposeB?: boolean } = {}): Node {
  const { transposeA = false, transposeB = false } = flags
  const turned = (x: Node): Node => transpose(x, [1, 0])
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw shapeError("matmul", `needs two matrices, got ${formatShape(a.shape)} and ${formatShape(b.shape)}.`)
  }
  const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!]
  const [inner, n] = transposeB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!]
  if (k !== inner) {
    throw shapeError(
      "matmul",
      `cannot multiply ${formatShape([m, k])} by ${formatShape([inner, n])}: ${k} is not ${inner}.`,
    )
  }
  return product(transposeA ? turned(a) : a, transposeB ? turned(b) : b, { outer: 0, inner: 1 })
}

/**
 * Products of matrices whose rows, columns and sums may be of several axes:
 * `[...outer, ...rows, ...inner] · [...outer, ...inner, ...columns] -> [...outer, ...rows, ...columns]`. Each element is one chain
 * over the inner axes in row-major order.
 */
export function product(a: Node, b: Node, { outer, inner }: { readonly outer: number; readonly inner: number }): Node {
  const end = a.shape.length - inner
  const fits =
    end >= outer &&
    b.shape.length >= outer + inner &&
    sameShape(a.shape.slice(0, outer), b.shape.slice(0, outer)) &&
    sameShape(a.shape.slice(end), b.shape.slice(outer, outer + inner))
  const shape = [...a.shape.slice(0, end), ...b.shape.slice(outer + inner)]
  if (!fits || shape.filter((n) => n < 0).length > 1) {
    const shapes = `${formatShape(a.shape)} by ${formatShape(b.shape)}`
    throw shapeError("matmul", `cannot multiply ${shapes} over ${inner} inner axes with ${outer} outer ones.`)
  }
  return node("matmul", { outer, inner }, [a, b], shape)
}

/**
 * The places along one axis as windows, `[..., n, ...] -> [..., windows, size, ...]`: place j of window i is place
 * i·stride + j·dilation. There are ⌊(n − (size − 1)·dilation − 1) / stride⌋ + 1 windows.
 */
export function windows(x: Node, axis: number, { size: n, stride, dilation }: Window): Node {
  const at = axisOf(axis, x.shape.length, "windows")
  const places = x.shape[at]!
  if (places < 0) throw batchAxis("windows", "cannot see the batch as windows.", x.shape, at)
  const span = (n - 1) * dilation + 1
  if (![n, stride, dilation].every((k) => Number.isInteger(k) && k > 0) || span > places) {
    throw configError({
      where: "windows",
      what: `no such windows along axis ${at} of ${formatShape(x.shape)}.`,
      expected: `whole numbers above 0, and windows of at most ${places} places`,
      got: `size ${n}, stride ${stride}, dilation ${dilation}: ${span} places`,
    })
  }
  const count = Math.floor((places - span) / stride) + 1
  return node("windows", { axis: at, size: n, stride, dilation }, [x], x.shape.toSpliced(at, 1, count, n))
}

/** The places along one axis from the last to the first. The batch cannot be reversed. */
export function reverse(x: Node, axis: number): Node {
  const at = axisOf(axis, x.shape.length, "reverse")
  if (x.shape[at]! < 0) throw batchAxis("reverse", "cannot reverse the batch.", x.shape, at)
  return node("reverse", { axis: at }, [x], x.shape)
}

/**
 * A number (0 by default) around and between: along each axis `before` times, then the places with it `between` times from one to
 * the next, then `after` times.
 */
export function pad(x: Node, edges: readonly Edge[], value = 0): Node {
  const right = (n: number): boolean => Number.isInteger(n) && n >= 0
  if (edges.length !== x.shape.length || !edges.every((e) => right(e.before) && right(e.after) && right(e.between))) {
    throw shapeError("pad", `needs whole numbers of zeros for each axis of ${formatShape(x.shape)}.`)
  }
  const none = ({ before, after, between }: Edge): boolean => before === 0 && after === 0 && between === 0
  if (edges.every(none)) return x
  const shape = x.shape.map((n, axis) => {
    const { before, after, between } = edges[axis]!
    if (n < 0 && !none(edges[axis]!)) throw batchAxis("pad", "cannot add zeros to the batch.", x.shape, axis)
    return n < 0 ? n : before + (n - 1) * (between + 1) + 1 + after
  })
  return node("pad", { edges, value: Math.fround(value) }, [x], shape)
}

/**
 * y[b, o…, f] = Σ x[b, o·stride + k·dilation, c]·w[k…, c, f] over the places k… of the kernel and the channels c, in row-major
 * order: `[batch, ...places, channels], [...size, channels, filters] -> [batch, ...windows, filters]`. With groups the channels
 * and the filters fall into so many parts of equal size, and w has the channels of one part.
 */
export function convolution(x: Node, w: Node, options: Convolution): Node {
  const { strides, dilations, groups } = options
  const rank = strides.length
  const channels = (w.shape.at(-2) ?? 0) * groups
  const filters = w.shape.at(-1)!
  if (
    x.shape.length !== rank + 2 ||
    w.shape.length !== rank + 2 ||
    x.shape.at(-1) !== channels ||
    filters % groups > 0
  ) {
    const shapes = `${formatShape(x.shape)} with a kernel ${formatShape(w.shape)}`
    throw shapeError("convolution", `cannot convolve ${shapes} over ${rank} axes in ${groups} groups.`)
  }
  const places = strides.map((stride, d) => {
    const window = { size: w.shape[d]!, stride, dilation: dilations[d]! }
    return windows(x, d + 1, window).shape[d + 1]!
  })
  return node("convolution", options, [x, w], [x.shape[0]!, ...places, filters])
}

/**
 * Rows of a table by their numbers, `[v, d], [...places] -> [...places, d]`. A table `[batch·v, d]` is v rows of each example, and
 * the numbers `[batch, ...places]` of an example name rows of its own. Numbers are whole, from 0 to v − 1; fractions are
 * cut off, and what is beyond the table takes its nearest row (NaN the first): nothing outside it is read. Who takes numbers
 * from a user checks them before.
 */
export function lookup(table: Node, indices: Node): Node {
  const [rows, width] = table.shape
  if (table.shape.length !== 2 || width! < 0) {
    throw shapeError("lookup", `needs a table of rows, got ${formatShape(table.shape)}.`)
  }
  checkPlaces("lookup", indices, rows!)
  return node("lookup", {}, [table, indices], [...indices.shape, width!])
}

/**
 * A table of so many rows, `[...places, d], [...places] -> [rows, d]`: row r is the sum of the values whose number is r, in
 * row-major order of their places, from +0. With −v rows, v for each example. Numbers as in {@link lookup}, whose gradient it is.
 */
export function scatterAdd(values: Node, indices: Node, rows: number): Node {
  checkPlaces("scatterAdd", indices, rows)
  const width = values.shape[values.shape.length - 1]
  if (width === undefined || width < 0 || !sameShape(values.shape.slice(0, -1), indices.shape)) {
    const shapes = `${formatShape(values.shape)} and ${formatShape(indices.shape)}`
    throw shapeError("scatterAdd", `needs a row of values for each number, got ${shapes}.`)
  }
  if (!Number.isInteger(rows) || rows === 0) throw shapeError("scatterAdd", `cannot make a table of ${rows} rows.`)
  return node("scatterAdd", { rows }, [values, indices], [rows, width])
}

function checkPlaces(op: string, { shape }: Node, rows: number): void {
  if (rows < 0 && !(shape[0]! < 0)) {
    throw shapeError(op, `a table for each example needs numbers for each example, got ${formatShape(shape)}.`)
  }
  if (shape.slice(1).some((n) => n < 0)) {
    throw shapeError(op, `the batch must be the first axis of the numbers, got ${formatShape(shape)}.`)
  }
}

/** exp(x) / Σ exp(x) over the last axis; a primitive so that a loss can find the logits below it. */
export function softmax(x: Node): Node {
  if (x.shape.length < 1) throw shapeError("softmax", "needs at least one axis.")
  return node("softmax", {}, [x], x.shape)
}

/** The same value, through which no gradient flows. */
export function stopGradient(x: Node): Node {
  return node("stopGradient", {}, [x], x.shape)
}

function scalar(op: Scalar, ...values: Value[]): Node {
  const nodes = values.map((v) => (typeof v === "number" ? constant(v) : v))
  let shape: Shape = []
  for (const x of nodes) {
    const next = broadcastShape(shape, x.shape)
    if (next === undefined || next.filter((n) => n < 0).length > 1) {
      throw shapeError(op, `the shapes ${nodes.map((v) => formatShape(v.shape)).join(" and ")} do not fit each other.`)
    }
    shape = next
  }
  return node(
    op,
    {},
    nodes.map((x) => broadcastTo(x, shape)),
    shape,
  )
}

/** −x. */
export const neg = (x: Value): Node => scalar("neg", x)
/** |x|. */
export const abs = (x: Value): Node => scalar("abs", x)
/** √x. */
export const sqrt = (x: Value): Node => scalar("sqrt", x)
/** The largest whole number that is not above x. */
export const floor = (x: Value): Node => scalar("floor", x)
/** The nearest whole number; halves go to the even one. */
export const round = (x: Value): Node => scalar("round", x)
/** eˣ. */
export const exp = (x: Value): Node => scalar("exp", x)
/** eˣ − 1, accurate also near 0. */
export const expm1 = (x: Value): Node => scalar("expm1", x)
/** ln x. */
export const log = (x: Value): Node => scalar("log", x)
/** ln(1 + x), accurate also near 0. */
export const log1p = (x: Value): Node => scalar("log1p", x)
/** The sine of x radians; accurate for |x| ≤ 12867 (core/math.ts). */
export const sin = (x: Value): Node => scalar("sin", x)
/** The cosine of x radians; accurate for |x| ≤ 12867 (core/math.ts). */
export const cos = (x: Value): Node => scalar("cos", x)
/** The hyperbolic tangent. */
export const tanh = (x: Value): Node => scalar("tanh", x)
/** The error function 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf = (x: Value): Node => scalar("erf", x)
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = (x: Value): Node => scalar("sigmoid", x)
/** 0 where x ≤ 0, else x. */
export const relu = (x: Value): Node => scalar("relu", x)
/** a + b. */
export const add = (a: Value, b: Value): Node => scalar("add", a, b)
/** a − b. */
export const sub = (a: Value, b: Value): Node => scalar("sub", a, b)
/** a · b. */
export const mul = (a: Value, b: Value): Node => scalar("mul", a, b)
/** a / b. */
export const div = (a: Value, b: Value): Node => scalar("div", a, b)
/** The larger of the two; equal ones give the first. */
export const max = (a: Value, b: Value): Node => scalar("max", a, b)
/** The smaller of the two; equal ones give the first. */
export const min = (a: Value, b: Value): Node => scalar("min", a, b)
/** 1 where a < b, else 0. */
export const less = (a: Value, b: Value): Node => scalar("less", a, b)
/** 1 where a ≤ b, else 0. */
export const lessEqual = (a: Value, b: Value): Node => scalar("lessEqual", a, b)
/** 1 where a = b, else 0. */
export const equal = (a: Value, b: Value): Node => scalar("equal", a, b)
/** a where c is not 0, else b. */
export const where = (c: Value, a: Value, b: Value): Node => scalar("where", c, a, b)

/** The value below a softmax or sigmoid, if the node is one: what a loss computes with instead (numerics). */
export function logitsOf(x: Node, activation: "softmax" | "sigmoid"): Node | undefined {
  return isOp(x, activation) ? x.inputs[0] : undefined
}

function batchAxis(op: string, what: string, shape: Shape, axis: number): Error {
  return configError({
    where: op,
    what,
    expected: "an axis that does not count examples",
    got: `axis ${axis} of ${formatShape(shape)}`,
  })
}

function shapeError(op: string, what: string): Error {
  return configError({ where: op, what })
}
