// Data that need not be in memory: sources of rows in any order, and streams of batches. Works on memory alone; knows no
// file, no network and no backend.

import { dataError, show, TrilobiteError } from "../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../core/shape.ts"
import { bytes, bytesOf, type DType, elements, type Tensor, type TensorLike, tensor } from "../core/tensor.ts"

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
}

/** Rows that can be read in any order: a file, a memory-mapped store, a generator of synthetic examples. */
export interface RowSource {
  /** How many rows there are. */
  readonly rows: number
  readonly x: RowSpec
  /** Absent if there are inputs only, for predict. */
  readonly y?: RowSpec | undefined
  /**
   * Writes row rows[i] to place i of the memory. Called with some hundred rows at a time; one call at a time. The memory may
   * be shared, and belongs to somebody else once the call, or the promise that it gave, is done.
   */
  read(rows: Int32Array, into: RowMemory): void | Promise<void>
}

/** Batches one after another: an async iterable, or a function that begins anew for every epoch. */
export type Stream<T> = AsyncIterable<T> | (() => AsyncIterable<T> | Iterable<T>)

/** Inputs and targets of a stream, with any number of rows. */
export type StreamedBatch = readonly [TensorLike, TensorLike]

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

/** The largest number of rows: they are counted in 32 bits. */
const MOST_ROWS = 2_147_483_647

/** Throws E_DATA if a source does not say what it holds. */
export function checkSource(where: string, source: RowSource): void {
  const isSize = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 1
  if (!isSize(source.rows) || source.rows > MOST_ROWS) {
    const expected = `a whole number from 1 to ${MOST_ROWS}`
    throw dataError({ where, what: "the source has no such number of rows.", expected, got: show(source.rows) })
  }
  for (const [name, spec] of [["x", source.x] as const, ["y", source.y] as const]) {
    if (name === "y" && spec === undefined) continue
    if (
      spec !== undefined &&
      Object.hasOwn(bytesOf, spec.dtype) &&
      Array.isArray(spec.shape) &&
      spec.shape.every(isSize)
    )
      continue
    const expected = '{ dtype: "float32", shape: [784] }, say'
    throw dataError({
      where: `${where}, ${name}`,
      what: "the source does not say what a row is.",
      expected,
      got: show(spec),
    })
  }
}

/** Rows in memory as a source, so that large ones are worked on in pieces. */
export function memorySource(x: Tensor, y?: Tensor): RowSource {
  const column = (t: Tensor): { spec: RowSpec; read: (rows: Int32Array, into: Uint8Array) => void } => {
    const spec = { dtype: t.dtype, shape: t.shape.slice(1) }
    const [width, from] = [rowBytes(spec), bytes(t.data)]
    const read = (rows: Int32Array, into: Uint8Array): void => {
      for (let i = 0; i < rows.length; i++) into.set(from.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width)
    }
    return { spec, read }
  }
  const [inputs, targets] = [column(x), y === undefined ? undefined : column(y)]
  return {
    rows: x.shape[0]!,
    x: inputs.spec,
    y: targets?.spec,
    read: (rows, into) => {
      inputs.read(rows, into.x)
      if (into.y !== undefined) targets?.read(rows, into.y)
    },
  }
}

/** The error that a source or a stream has thrown, with the row that was wanted. */
export function sourceFailed(where: string, row: number, cause: unknown): TrilobiteError {
  if (cause instanceof TrilobiteError) return cause
  const got = cause instanceof Error ? `${cause.name}: ${cause.message}` : show(cause)
  return new TrilobiteError(
    "E_DATA",
    {
      where: `${where}, row ${row}`,
      what: "the source failed.",
      got,
      hint: "The model keeps the weights of its last round.",
    },
    { cause },
  )
}

/** Rows of a stream as they come, with the number of those before them. */
export interface Arrived {
  readonly x: Tensor
  readonly y: Tensor | undefined
  readonly first: number
}

/** The batches of one pass over a stream, read and checked. */
export interface Batches {
  /** The next ones that have rows; undefined at the end. */
  next(): Promise<Arrived | undefined>
  /** Gives back what was taken to look at it: it comes again. */
  unread(arrived: Arrived): void
  close(): void
}

/**
 * Begins a pass over a stream. Each batch is a pair of inputs and targets, or inputs alone (`paired` false); all have the
 * element types and the row shapes of the first.
 */
export function openBatches(where: string, stream: Stream<unknown>, paired: boolean): Batches {
  let iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined
  let first = 0
  let expected: Arrived | undefined
  let again: Arrived | undefined
  const begin = (): AsyncIterator<unknown> | Iterator<unknown> => {
    const given = typeof stream === "function" ? stream() : stream
    if (Symbol.asyncIterator in given) return given[Symbol.asyncIterator]()
    if (Symbol.iterator in given) return given[Symbol.iterator]()
    throw dataError({ where, what: "this is no stream of batches.", expected: "an async iterable", got: show(given) })
  }
  return {
    async next() {
      if (again !== undefined) {
        const arrived = again
        again = undefined
        return arrived
      }
      for (;;) {
        let step: IteratorResult<unknown>
        try {
          iterator ??= begin()
          step = await iterator.next()
        } catch (error) {
          throw sourceFailed(where, first, error)
        }
        if (step.done === true) return undefined
        const arrived = { ...readBatch(where, step.value, paired, first), first }
        expected ??= arrived
        checkSame(where, expected, arrived)
        const rows = arrived.x.shape[0]!
        first += rows
        if (rows > 0) return arrived
      }
    },
    unread: (arrived) => {
      again = arrived
    },
    close: () => {
      // A generator that waits for something ends whenever that comes: nobody waits for it here.
      void Promise.resolve(iterator?.return?.()).catch(() => {})
      iterator = undefined
    },
  }
}

function readBatch(where: string, value: unknown, paired: boolean, first: number): Omit<Arrived, "first"> {
  const rows = (t: Tensor): Tensor => (t.shape.length === 1 ? { ...t, shape: [t.shape[0]!, 1] } : t)
  try {
    if (!paired) return { x: rows(tensor(value as TensorLike)), y: undefined }
    if (!Array.isArray(value) || value.length !== 2) {
      throw dataError({
        where,
        what: "a batch of the stream is no pair.",
        expected: "[inputs, targets]",
        got: show(value),
      })
    }
    const [x, y] = [rows(tensor(value[0] as TensorLike)), tensor(value[1] as TensorLike)]
    if (x.shape[0] === y.shape[0]) return { x, y }
    const what = "inputs and targets of a batch do not have the same number of rows."
    throw dataError({ where, what, expected: `${x.shape[0]} targets`, got: `${y.shape[0]}` })
  } catch (error) {
    if (!(error instanceof TrilobiteError)) throw error
    throw new TrilobiteError(error.code, { ...fieldsOf(error), where: `${where}, the batch from row ${first} on` })
  }
}

function fieldsOf({ what, expected, got, hint }: TrilobiteError): ConstructorParameters<typeof TrilobiteError>[1] {
  const named = Object.entries({ expected, got, hint }).filter(([, value]) => value !== undefined)
  return { what, ...Object.fromEntries(named) }
}

function checkSame(where: string, expected: Arrived, got: Arrived): void {
  for (const part of ["x", "y"] as const) {
    const [a, b] = [expected[part], got[part]]
    if (a === undefined || b === undefined) continue
    if (a.dtype === b.dtype && sameShape(a.shape.slice(1), b.shape.slice(1))) continue
    const words = (t: Tensor): string => `${t.dtype} ${formatShape([-1, ...t.shape.slice(1)])}`
    const what = `the ${part === "x" ? "inputs" : "targets"} are not like those of the first batch.`
    throw dataError({ where: `${where}, the batch from row ${got.first} on`, what, expected: words(a), got: words(b) })
  }
}
