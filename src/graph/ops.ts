// The primitive operations: one function each, which checks its inputs and states the shape of its result. Those that join, spread
// and look up places, which only some layers and gradients need, are in places.ts.
// Knows no gradient (autodiff/rules.ts) and no kernel (compile/lower.ts).

import { configError } from "../core/errors.ts"
import type { Fold } from "../core/fold.ts"
import type { Stream } from "../core/random.ts"
import type { Scalar } from "../core/scalar.ts"
import { axisOf, BATCH, broadcastShape, formatShape, type Shape, sameShape, size } from "../core/shape.ts"
import { batchAxis, isOp, type Node, node, shapeError, type Variable } from "./node.ts"

/** A value or a plain number where a value is expected. */
export type Value = Node | number

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
