import type { Shape } from "../core/shape.ts"
import { bytesOf, type DType, elements, type Tensor, type TensorLike } from "../core/tensor.ts"

/** What one row is: its element type and its shape, without the number of rows. */
export interface RowSpec {
  readonly dtype: DType
  readonly shape: Shape
}

/** Memory for rows one after another: their elements in the byte order of the machine. */
export interface RowMemory {
  readonly x: Uint8Array
  /** Absent if only inputs are wanted. */
  readonly y?: Uint8Array | undefined
  /** Absent unless the source has weights. */
  readonly w?: Uint8Array | undefined
}

/** What the rows of every column are, by the name under which a program is given it: `x`, `y`, `w`. */
export interface Specs {
  readonly [binding: string]: RowSpec
}

/** Memory for rows of every column. */
export interface Memory {
  readonly [binding: string]: Uint8Array
}

/** Rows of every column. */
export interface Rows {
  readonly [binding: string]: Tensor
}

/** Rows of columns that can be read in any order. */
export interface ColumnSource {
  readonly rows: number
  readonly specs: Specs
  read(rows: Int32Array, into: Memory): void | Promise<void>
}

/** Rows that can be read in any order: a file, a memory-mapped store, a generator of synthetic examples. */
export interface RowSource {
  /** How many rows there are. */
  readonly rows: number
  readonly x: RowSpec
  /** Absent if there are inputs only, for predict. */
  readonly y?: RowSpec | undefined
  /** Weights of the examples, if they have some: one number each. */
  readonly w?: RowSpec | undefined
  /**
   * Writes row rows[i] to place i of the memory. Called with some hundred rows at a time; one call at a time. The memory may
   * be shared, and belongs to somebody else once the call, or the promise that it gave, is done.
   */
  read(rows: Int32Array, into: RowMemory): void | Promise<void>
}

/** Batches one after another: an async iterable, or a function that begins anew for every epoch. */
export type Stream<T> = AsyncIterable<T> | (() => AsyncIterable<T> | Iterable<T>)

/** A tensor, or for models of several inputs or outputs a list of them or a record by name. */
export type DataLike = TensorLike | readonly TensorLike[] | { readonly [name: string]: TensorLike }

/** Inputs and targets of a stream, with any number of rows, and weights of the examples if they have some. */
export type StreamedBatch = readonly [DataLike, DataLike] | readonly [DataLike, DataLike, DataLike]

/** Data larger than memory: rows in any order, or a stream of batches `[inputs, targets]`. */
export type Dataset = RowSource | Stream<StreamedBatch>

/** True for rows that can be read in any order. */
export function isRowSource(value: unknown): value is RowSource {
  return typeof value === "object" && value !== null && "read" in value && typeof value.read === "function"
}

/** True for a stream. */
export function isStream(value: unknown): value is Stream<unknown> {
  if (typeof value === "function") return true
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value
}

/** True for what is read piece by piece instead of being there. */
export function isDataset(value: unknown): value is RowSource | Stream<unknown> {
  return isRowSource(value) || isStream(value)
}

/** Bytes of one row. */
export function rowBytes({ dtype, shape }: RowSpec): number {
  return shape.reduce((a, b) => a * b, bytesOf[dtype])
}

/** So many rows in memory, as a tensor: nothing is copied. */
export function rowsIn(memory: Uint8Array, { dtype, shape }: RowSpec, rows: number): Tensor {
  return {
    dtype,
    shape: [rows, ...shape],
    data: elements(dtype, memory.subarray(0, rows * rowBytes({ dtype, shape }))),
  }
}

/** What a column holds, in the user's words: `x` and `x:image` are inputs. */
export function kindOf(binding: string): string {
  const [kind, name] = [binding.slice(0, 1), binding.slice(2)]
  const word = kind === "x" ? "inputs" : kind === "y" ? "targets" : "weights"
  return name === "" ? word : `${word} ${JSON.stringify(name)}`
}
