// Where the elements of values are: strides of reshaped and transposed memory, and kernels in their shortest form.
// Knows shapes and kernels, no graph.

import { configError } from "../core/errors.ts"
import { formatShape, rowMajorStrides, type Shape, size } from "../core/shape.ts"
import { withDraws } from "../program/expression.ts"
import type { Kernel, Operand } from "../program/kernel.ts"
import type { DraftBuffer } from "./draft.ts"

/** Where the elements of a node are: in memory, everywhere the same number, or the index along one axis. */
export type View =
  | ({ readonly kind: "memory" } & Operand)
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "index"; readonly axis: number }

/** The operand of a view of memory. */
export function operandOf({ buffer, offset, strides, advance }: Operand): Operand {
  return advance === undefined ? { buffer, offset, strides } : { buffer, offset, strides, advance }
}

/**
 * Elements between rows: a few more than the row where rows of a power of two would fall on the same sets of the
 * first-level cache (measured: engine.md, "4 KB set aliasing").
 */
export function pitchOf(shape: Shape): number {
  const last = shape[shape.length - 1] ?? 1
  return shape.length === 2 && last >= 64 && last % 64 === 0 ? last + 16 : last
}

/** Rows and width of a table, and how many numbers name its rows. */
export function sizesOf(
  table: Shape,
  indices: Shape,
): { readonly rows: number; readonly width: number; readonly places: number } {
  return { rows: table[0]!, width: table[1]!, places: size(indices) }
}

/** True if the batch, if any, comes before every other axis: then its rows lie one after the other. */
export function batchFirst(shape: Shape): boolean {
  return shape.findIndex((n) => n < 0) <= shape.findIndex((n) => n !== 1)
}

export function batchMoved(from: Shape, to: Shape): Error {
  return configError({
    where: "reshape",
    what: `cannot see ${formatShape(from)} as ${formatShape(to)}: examples would be mixed.`,
    hint: "Keep the batch as the first axis.",
  })
}

/** The strides of a stored buffer: rows are `pitch` apart. */
export function stridesOf(buffer: DraftBuffer): number[] {
  const { shape, pitch } = buffer
  const strides = rowMajorStrides([...shape.slice(0, -1), pitch])
  return strides.slice(0, shape.length)
}

export function transposed(view: View, order: readonly number[]): View {
  if (view.kind === "number") return view
  if (view.kind === "index") return { kind: "index", axis: order.indexOf(view.axis) }
  const { strides } = view
  return { ...view, strides: order.map((axis) => strides[axis]!) }
}

/**
 * Strides that show the same elements under another shape without copying, or undefined.
 * Walks both shapes together and splits or joins groups of axes whose products of sizes are equal.
 */
export function reshapedStrides(from: Shape, strides: readonly number[], to: Shape): number[] | undefined {
  const axes = from.flatMap((n, i) => (n === 1 ? [] : [{ n, stride: strides[i]! }]))
  const out: number[] = []
  let next = 0
  for (let i = 0; i < to.length; ) {
    if (to[i] === 1) {
      out.push(0)
      i++
      continue
    }
    const group = [to[i]!]
    let product = axes[next]?.n ?? 1
    let last = next++
    while (size(group) !== product) {
      if (Math.abs(size(group)) < Math.abs(product)) {
        if (i + group.length >= to.length) return undefined
        group.push(to[i + group.length]!)
      } else {
        const inner = axes[next]
        if (inner === undefined || axes[last]!.stride !== inner.stride * inner.n) return undefined
        product *= inner.n
        last = next++
      }
    }
    let stride = axes[last]!.stride
    const groupStrides = group.toReversed().map((n) => {
      const own = stride
      stride *= n
      return n === 1 ? 0 : own
    })
    out.push(...groupStrides.toReversed())
    i += group.length
  }
  return out
}

/** The kernel without sizes of 1, and with outer dimensions joined where every operand allows it. */
export function canonical(kernel: Kernel & { kind: "map" }): Kernel {
  const folds = kernel.body.some((i) => i.op === "fold" || i.op === "index")
  const draws = kernel.body.flatMap((i) => (i.op === "random" ? [i] : []))
  const every = [...kernel.operands, ...kernel.outputs, ...draws]
  const last = kernel.space.length - 1
  const groups: number[][] = []
  kernel.space.forEach((n, i) => {
    if (n === 1 && !(folds && i === last)) return
    const group = groups[groups.length - 1]
    const outer = group?.[group.length - 1]
    const joins =
      outer !== undefined && i !== last && n > 0 && every.every((o) => o.strides[outer] === o.strides[i]! * n)
    if (joins) group!.push(i)
    else groups.push([i])
  })
  const grouped = (strides: readonly number[]): number[] => groups.map((group) => strides[group[group.length - 1]!]!)
  return {
    ...kernel,
    space: groups.map((group) => size(group.map((i) => kernel.space[i]!))),
    operands: kernel.operands.map((o) => ({ ...o, strides: grouped(o.strides) })),
    body: withDraws(kernel.body, grouped),
    outputs: kernel.outputs.map((o) => ({ ...o, strides: grouped(o.strides) })),
  }
}
