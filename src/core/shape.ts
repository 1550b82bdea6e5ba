// Shapes: lists of sizes in which the number of examples in a batch is left open. Knows no data.

import { configError, internalError } from "./errors.ts"

/**
 * Sizes of a value, outermost first. A positive size is known when a model is compiled; a negative size −k stands for
 * k rows of each example in the batch (−1 is the batch itself), so that products of sizes keep working.
 */
export type Shape = readonly number[]

/** The size of the batch dimension: one row of each example. */
export const BATCH = -1

/** The product of the sizes: negative if the batch is among them. */
export function size(shape: Shape): number {
  let product = 1
  for (const n of shape) {
    if (product < 0 && n < 0) throw internalError(`The shape ${formatShape(shape)} has the batch in it twice.`)
    product *= n
  }
  return product
}

/** The number of elements when the batch has `rows` examples. */
export function sizeFor(shape: Shape, rows: number): number {
  const n = size(shape)
  return n < 0 ? -n * rows : n
}

/** One size when the batch has `rows` examples. */
export function extent(dimension: number, rows: number): number {
  return dimension < 0 ? -dimension * rows : dimension
}

/** True if the two shapes have the same sizes in the same order. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i])
}

/** A shape as it is printed: `[batch, 28, 28]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.map((n) => (n === BATCH ? "batch" : n < 0 ? `batch*${-n}` : String(n))).join(", ")}]`
}

/** The strides, in elements, of a row-major value without gaps. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= shape[i]!
  }
  return strides
}

/** The shape to which both broadcast (NumPy's rule: aligned at the last dimension, 1 stretches), or undefined. */
export function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length)
  const out: number[] = []
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) return undefined
    out.push(x === 1 ? y : x)
  }
  return out
}

/** An axis counted from the front; negative axes count from the back. Throws E_CONFIG if there is no such axis. */
export function axisOf(axis: number, rank: number, where: string): number {
  const from = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || from < 0 || from >= rank) {
    throw configError({
      where,
      what: "no such axis.",
      expected: `an axis from ${-rank} to ${rank - 1}`,
      got: `${axis}`,
    })
  }
  return from
}
