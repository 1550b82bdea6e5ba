// The kernels of matrix products over several axes, and the parts of a padded value. Knows strides and shapes, no graph.

import { internalError } from "../core/errors.ts"
import type { Shape } from "../core/shape.ts"
import type { Edge } from "../graph/node.ts"
import type { MatmulKernel, Operand } from "../program/kernel.ts"
import type { View } from "./views.ts"

/** A factor of a product: where its elements are. */
export interface Factor {
  readonly shape: Shape
  readonly operand: Operand
}

/** A product as the graph has it: `[...outer, ...rows, ...inner] · [...outer, ...inner, ...columns] -> target`. */
export interface Product {
  readonly a: Factor
  readonly b: Factor
  readonly target: Operand
  readonly outer: number
  readonly inner: number
}

/** An axis, and how far its neighbours are apart in each operand that has it. */
interface Axis {
  readonly n: number
  readonly a: number
  readonly b: number
  readonly target: number
}

/** The kernel of a product; `dense` copies a factor so that its columns lie one after the other. */
export function productOf(product: Product, dense: (view: View, shape: Shape) => Operand): MatmulKernel {
  const { a, b, target, outer, inner } = product
  const rows = a.shape.length - outer - inner
  const columns = b.shape.length - outer - inner
  if (b.shape.slice(outer + inner).some((n) => n < 0)) return productOf(exchanged(product, rows), dense)
  const axes = (count: number, axis: (i: number) => Axis): Axis[] =>
    joined(Array.from({ length: count }, (_, i) => axis(i)))
  const [as, bs, ts] = [a.operand.strides, b.operand.strides, target.strides]
  const outers = axes(outer, (i) => ({ n: a.shape[i]!, a: as[i]!, b: bs[i]!, target: ts[i]! }))
  const m = axes(rows, (i) => ({ n: a.shape[outer + i]!, a: as[outer + i]!, b: 0, target: ts[outer + i]! }))
  const k = axes(inner, (i) => ({ n: b.shape[outer + i]!, a: as[outer + rows + i]!, b: bs[outer + i]!, target: 0 }))
  const c = axes(columns, (i) => {
    const axis = outer + inner + i
    return { n: b.shape[axis]!, a: 0, b: bs[axis]!, target: ts[outer + rows + i]! }
  })
  if (c.length > 1) {
    const copy = { shape: b.shape, operand: dense({ kind: "memory", ...b.operand }, b.shape) }
    if (String(copy.operand.strides) === String(bs)) throw internalError("Columns of a product cannot be joined.")
    return productOf({ ...product, b: copy }, dense)
  }
  const none = { n: 1, a: 0, b: 0, target: 0 }
  const [row, column] = [m.at(-1) ?? none, c[0] ?? none]
  // The batch comes first, so that threads share rows.
  const loops = [...outers, ...m.slice(0, -1)].toSorted((x, y) => Number(y.n < 0) - Number(x.n < 0))
  const sums = k.length === 0 ? [none] : k
  const strides = (list: readonly Axis[], of: "a" | "b" | "target"): number[] => list.map((axis) => axis[of])
  return {
    kind: "matmul",
    space: [...loops.map(({ n }) => n), row.n, column.n],
    inner: sums.map(({ n }) => n),
    a: { ...a.operand, strides: [...strides([...loops, row], "a"), ...strides(sums, "a")] },
    b: { ...b.operand, strides: [...strides([...loops, ...sums], "b"), column.b] },
    operands: [],
    body: [{ op: "product" }],
    outputs: [{ ...target, strides: strides([...loops, row, column], "target"), value: 0 }],
  }
}

/** Cᵀ = Bᵀ·Aᵀ: the same products and sums, with the batch among the rows. */
function exchanged({ a, b, target, outer, inner }: Product, rows: number): Product {
  const turn = ({ shape, operand }: Factor, first: number): Factor => ({
    shape: turned(shape, outer, first),
    operand: { ...operand, strides: turned(operand.strides, outer, first) },
  })
  const strides = turned(target.strides, outer, rows)
  return { a: turn(b, inner), b: turn(a, rows), target: { ...target, strides }, outer, inner }
}

/** After the outer ones, the first `n` entries moved behind the others. */
function turned(list: readonly number[], outer: number, n: number): number[] {
  return [...list.slice(0, outer), ...list.slice(outer + n), ...list.slice(outer, outer + n)]
}

/** The axes without sizes of 1, neighbours joined where every operand steps through both in one go. */
function joined(axes: readonly Axis[]): Axis[] {
  const out: Axis[] = []
  for (const axis of axes) {
    if (axis.n === 1) continue
    const last = out.at(-1)
    const together =
      last !== undefined &&
      axis.n > 0 &&
      (["a", "b", "target"] as const).every((operand) => last[operand] === axis[operand] * axis.n)
    if (together) out[out.length - 1] = { ...axis, n: last.n * axis.n }
    else out.push(axis)
  }
  return out
}

/** The parts of a padded value that are added, each once, and where the places of the value go. */
export function padded(
  target: Operand,
  shape: Shape,
  around: readonly Edge[],
): { readonly edges: readonly { readonly space: Shape; readonly place: Operand }[]; readonly middle: Operand } {
  const edges: { space: Shape; place: Operand }[] = []
  let space = shape.map((n, axis) => {
    const { before, after, between } = around[axis]!
    return n < 0 ? n : before + (n - 1) * (between + 1) + 1 + after
  })
  let place = target
  // Axis by axis: what is added over what is left of the axes before it and all of those after it.
  around.forEach(({ before, after, between }, axis) => {
    const stride = target.strides[axis]!
    const n = shape[axis]!
    const part = (count: number, first: number, gaps?: { count: number; step: number }): void => {
      if (count <= 0) return
      const offset = place.offset + first * stride
      edges.push(
        gaps === undefined
          ? { space: space.with(axis, count), place: { ...place, offset } }
          : {
              space: space.toSpliced(axis, 1, gaps.count, count),
              place: { ...place, offset, strides: place.strides.toSpliced(axis, 1, gaps.step * stride, stride) },
            },
      )
    }
    part(before, 0)
    part(after, space[axis]! - after)
    if (n > 1) part(between, before + 1, { count: n - 1, step: between + 1 })
    space = space.with(axis, n)
    place = {
      ...place,
      offset: place.offset + before * stride,
      strides: place.strides.with(axis, stride * (between + 1)),
    }
  })
  return { edges, middle: place }
}
