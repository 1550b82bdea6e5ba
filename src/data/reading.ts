// Reading rows in any order and streams of batches, with what can be wrong about them. Loaded when a model first runs.

import { dataError, show, TrilobiteError } from "../core/errors.ts"
import { formatShape, sameShape } from "../core/shape.ts"
import { bytes, bytesOf, type Tensor } from "../core/tensor.ts"
import { type ColumnSource, kindOf, type RowSource, type Rows, rowBytes, type Stream } from "./dataset.ts"

/** The largest number of rows: they are counted in 32 bits. */
const MOST_ROWS = 2_147_483_647

/** Throws E_DATA if a source does not say what it holds. */
export function checkSource(where: string, source: RowSource): void {
  const isSize = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 1
  if (!isSize(source.rows) || source.rows > MOST_ROWS) {
    const expected = `a whole number from 1 to ${MOST_ROWS}`
    throw dataError({ where, what: "the source has no such number of rows.", expected, got: show(source.rows) })
  }
  for (const [name, spec] of Object.entries({ x: source.x, y: source.y, w: source.w })) {
    if (name !== "x" && spec === undefined) continue
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
export function memorySource(data: Rows): ColumnSource {
  const columns = Object.entries(data).map(([binding, t]) => {
    const spec = { dtype: t.dtype, shape: t.shape.slice(1) }
    return { binding, spec, width: rowBytes(spec), from: bytes(t.data) }
  })
  return {
    rows: Object.values(data)[0]!.shape[0]!,
    specs: Object.fromEntries(columns.map(({ binding, spec }) => [binding, spec])),
    read: (rows, into) => {
      for (const { binding, width, from } of columns) {
        const to = into[binding]
        if (to === undefined) continue
        for (let i = 0; i < rows.length; i++) to.set(from.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width)
      }
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
  readonly data: Rows
  readonly rows: number
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
 * Begins a pass over a stream. `read` makes columns of equally many rows of a batch; all batches have the element types and the
 * row shapes of the first.
 */
export function openBatches(where: string, stream: Stream<unknown>, read: (batch: unknown) => Rows): Batches {
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
        const arrived = readBatch(where, step.value, read, first)
        expected ??= arrived
        checkSame(where, expected, arrived)
        first += arrived.rows
        if (arrived.rows > 0) return arrived
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

function readBatch(where: string, value: unknown, read: (batch: unknown) => Rows, first: number): Arrived {
  try {
    const data = read(value)
    return { data, rows: Object.values(data)[0]!.shape[0]!, first }
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
  for (const [binding, a] of Object.entries(expected.data)) {
    const b = got.data[binding]!
    if (a.dtype === b.dtype && sameShape(a.shape.slice(1), b.shape.slice(1))) continue
    const words = (t: Tensor): string => `${t.dtype} ${formatShape([-1, ...t.shape.slice(1)])}`
    const what = `the ${kindOf(binding)} are not like those of the first batch.`
    throw dataError({ where: `${where}, the batch from row ${got.first} on`, what, expected: words(a), got: words(b) })
  }
}
