// The closed set of kernels: what a backend must be able to run. Plain data; knows no graph and no machine.

import type { Body } from "./expression.ts"

/**
 * Where a kernel finds the elements of a buffer: element = offset + Σ index·stride over the dimensions of its space.
 * A stride of 0 repeats. Strides are in elements of the buffer.
 */
export interface Operand {
  readonly buffer: number
  readonly offset: number
  readonly strides: readonly number[]
  /** Elements that it lies further on in each turn of the kernel's loop: in turn t the offset is offset + t·advance. */
  readonly advance?: number
}

/** A value of the body that is stored; a value that has been folded is stored once for the whole last dimension. */
export interface Output extends Operand {
  readonly value: number
}

/** A kernel that may be part of a loop. */
interface Looped {
  /** The loop of the entry that runs it in each of its turns. */
  readonly loop?: number
}

/**
 * For each place in `space`, computes the body and stores the outputs. Folds run over the last dimension of the space,
 * in the order that core/fold.ts defines.
 */
export interface MapKernel extends Looped {
  readonly kind: "map"
  readonly space: readonly number[]
  readonly operands: readonly Operand[]
  readonly body: Body
  readonly outputs: readonly Output[]
}

/**
 * C[…, i, j] = Σ A[…, i, p…]·B[…, p…, j] over the places p… of the inner dimensions in row-major order, from +0, each product
 * and each sum rounded (or fused, by the program's numerics); then the body runs for each element, with it as `product`. A
 * convolution is such a product: the strides of A step from window to window, and within a window.
 */
export interface MatmulKernel extends Looped {
  readonly kind: "matmul"
  /** [...outer, m, n]: one of these, but not n, or of the inner dimensions may be the batch. */
  readonly space: readonly number[]
  readonly inner: readonly number[]
  /** Strides over [...outer, m, ...inner]. */
  readonly a: Operand
  /** Strides over [...outer, ...inner, n]. */
  readonly b: Operand
  /** Strides over [...outer, m, n]. */
  readonly operands: readonly Operand[]
  readonly body: Body
  readonly outputs: readonly Output[]
}

/**
 * Copies the rows of the current batch out of bound data, by the order of the epoch, converted to float32:
 * target[r, :] = source[order[first + r], :].
 */
export interface GatherKernel {
  readonly kind: "gather"
  readonly source: number
  readonly target: number
  /** Elements of one row. */
  readonly width: number
}

/** Copies the rows of the current batch into bound memory, at their place: target[first + r, :] = source[r, :]. */
export interface ScatterKernel {
  readonly kind: "scatter"
  readonly source: number
  readonly target: number
  readonly width: number
}

/**
 * Rows of a table by numbers that are computed: `lookup` copies them, values[p, :] = table[i(p), :], and `scatterAdd` is its
 * transpose, table[r, :] = Σ values[p, :] over the p with i(p) = r in their order, from +0, each sum rounded. i(p) is the
 * float32 indices[p] without its fraction, moved to 0 … rows − 1; NaN gives 0.
 */
export interface IndexedKernel extends Looped {
  readonly kind: "lookup" | "scatterAdd"
  /** Places p; negative: so many for each example. */
  readonly places: number
  readonly rows: number
  readonly width: number
  /** Strides over [rows, width]; like those of the values the last is 1. */
  readonly table: Operand
  /** Strides over [places]. */
  readonly indices: Operand
  /** Strides over [places, width]. */
  readonly values: Operand
}

/** What a backend runs. */
export type Kernel = MapKernel | MatmulKernel | GatherKernel | ScatterKernel | IndexedKernel

/** A kernel whose body computes elements of a space. */
export type ComputingKernel = MapKernel | MatmulKernel

/**
 * How the threads share a step: `rows` of the batch, slices of the first dimension of its space (`outputs`), or every
 * thread does it all (`all`: small results that every thread needs; all write the same bits). No split divides a sum.
 */
export type Split = "rows" | "outputs" | "all"

/** One step of a round. Steps of one phase need no synchronisation among each other; threads meet between phases. */
export interface Step {
  readonly kernel: Kernel
  readonly split: Split
  readonly phase: number
}

/** True for kernels that have a body. */
export function computes(kernel: Kernel): kernel is ComputingKernel {
  return kernel.kind === "map" || kernel.kind === "matmul"
}

/** True for kernels that find rows by numbers. */
export function indexes(kernel: Kernel): kernel is IndexedKernel {
  return kernel.kind === "lookup" || kernel.kind === "scatterAdd"
}

/** Every operand that a kernel reads, matrix factors included. */
export function readsOf(kernel: Kernel): readonly Operand[] {
  switch (kernel.kind) {
    case "map":
      return kernel.operands
    case "matmul":
      return [kernel.a, kernel.b, ...kernel.operands]
    case "lookup":
      return [kernel.table, kernel.indices]
    case "scatterAdd":
      return [kernel.values, kernel.indices]
    default:
      return [{ buffer: kernel.source, offset: 0, strides: [] }]
  }
}

/** The buffers that a kernel writes. */
export function writesOf(kernel: Kernel): readonly number[] {
  return outputsOf(kernel).map((output) => output.buffer)
}

/** The loop that runs a kernel, if any. */
export function loopOf(kernel: Kernel): number | undefined {
  return "loop" in kernel ? kernel.loop : undefined
}

/** The kernel with each of its operands changed. */
export function mapOperands<K extends ComputingKernel | IndexedKernel>(
  kernel: K,
  change: <O extends Operand>(operand: O) => O,
): K {
  if (indexes(kernel)) {
    const { table, indices, values } = kernel
    return { ...kernel, table: change(table), indices: change(indices), values: change(values) }
  }
  const all = { operands: kernel.operands.map(change), outputs: kernel.outputs.map(change) }
  return kernel.kind === "matmul"
    ? { ...kernel, ...all, a: change(kernel.a), b: change(kernel.b) }
    : { ...kernel, ...all }
}

/** What a kernel of a loop does in turn t: the same with its operands moved. */
export function inTurn<K extends Kernel>(kernel: K, turn: number): K {
  if (turn === 0 || !(computes(kernel) || indexes(kernel))) return kernel
  return mapOperands(kernel, (o) => (o.advance === undefined ? o : { ...o, offset: o.offset + turn * o.advance }))
}

/**
 * True if the two operands of one loop may find the same elements in the same turn. Where a buffer holds the values of all turns one
 * after the other, those of different turns are apart.
 */
export function meetInTurn(a: Operand, b: Operand): boolean {
  return a.buffer === b.buffer && (a.advance !== b.advance || turnsAway(a) === turnsAway(b))
}

/** How many turns later an operand finds its elements, in a buffer that holds the values of all turns. */
export function turnsAway({ offset, advance }: Operand): number {
  return advance === undefined ? 0 : Math.floor(offset / advance)
}

/** What a kernel writes, as operands. */
export function outputsOf(kernel: Kernel): readonly Operand[] {
  if (computes(kernel)) return kernel.outputs
  if (indexes(kernel)) return [kernel.kind === "lookup" ? kernel.values : kernel.table]
  return [{ buffer: kernel.target, offset: 0, strides: [] }]
}
