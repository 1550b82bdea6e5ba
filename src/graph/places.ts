// The primitive operations that join, spread and look up places, and what is made of them alone: what convolutions, recurrent layers,
// embeddings and some gradients are written with. Knows no gradient (autodiff/rules.ts) and no kernel (compile/lower.ts).

import { configError } from "../core/errors.ts"
import { axisOf, formatShape, sameShape } from "../core/shape.ts"
import { batchAxis, type Convolution, type Edge, type Node, node, shapeError, type Window } from "./node.ts"

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

/** The value with so many places of a number before and after it along each axis; the batch cannot be padded. */
export function padWith(x: Node, pads: readonly (readonly [before: number, after: number])[], value = 0): Node {
  const edges = pads.map(([before, after]) => ({ before, after, between: 0 }))
  return pad(x, edges, value)
}
