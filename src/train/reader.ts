// The rows of one pass, read one piece after another: from a source in any order, from a stream through a buffer.
// Knows data sets and random numbers, no model and no backend.

import { dataError } from "../core/errors.ts"
import { integers, streams } from "../core/random.ts"
import { bytes, type Tensor } from "../core/tensor.ts"
import {
  type Batches,
  type RowMemory,
  type RowSource,
  type RowSpec,
  rowBytes,
  rowsIn,
  sourceFailed,
} from "../data/dataset.ts"

/** A pass under way. */
export interface RowReader {
  /** Writes the next rows, at most as many as there are places for names; says how many, 0 at the end. */
  read(into: RowMemory, names: Float64Array): number | Promise<number>
  close(): void
}

/** Throws for values that cannot be trained with; rows are named as the user knows them. */
export type Check = (x: Tensor, y: Tensor | undefined, rowName: (row: number) => number) => void

/** Rows of a source: the first in turn, or by an order, which is made when it is first needed. */
export function readSource(
  where: string,
  source: RowSource,
  rows: number,
  makeOrder: (() => Int32Array) | undefined,
  check: Check,
): RowReader {
  let at = 0
  let order: Int32Array | undefined
  const take = (n: number): Int32Array => {
    const first = at
    order ??= makeOrder?.()
    return order?.subarray(at, at + n) ?? Int32Array.from({ length: n }, (_, i) => first + i)
  }
  return {
    async read(into, names) {
      const n = Math.min(names.length, rows - at)
      if (n === 0) return 0
      const wanted = take(n)
      const exact = { x: rowsOf(into.x, source.x, n), y: into.y && rowsOf(into.y, source.y!, n) }
      try {
        await source.read(wanted, exact)
      } catch (error) {
        throw sourceFailed(where, wanted[0]!, error)
      }
      names.set(wanted)
      const y = exact.y && rowsIn(exact.y, source.y!, n)
      check(rowsIn(exact.x, source.x, n), y, (row) => wanted[row]!)
      at += n
      return n
    },
    close() {},
  }
}

function rowsOf(memory: Uint8Array, spec: RowSpec, rows: number): Uint8Array {
  return memory.subarray(0, rows * rowBytes(spec))
}

/** How a stream is read. */
export interface StreamReading {
  readonly batches: Batches
  readonly x: RowSpec
  readonly y: RowSpec | undefined
  /** Rows that wait to be chosen from; 0: rows stay in the order in which they come. */
  readonly buffer: number
  readonly seed: number
  readonly check: Check
}

/** Rows on their way from a stream to the engine; it outlives an epoch if the stream does. */
export interface StreamReader extends RowReader {
  /** The choices are those of this epoch from now on. */
  choose(epoch: number): void
}

/**
 * Rows of a stream. A row that comes in takes the place of one that is chosen at random from a full buffer, and what
 * remains at the end follows in random order: a function of (seed, epoch) and of the stream.
 */
export function readStream({ batches, x, y, buffer, seed, check }: StreamReading): StreamReader {
  const [xRow, yRow] = [rowBytes(x), y === undefined ? 0 : rowBytes(y)]
  const held = { x: new Uint8Array(buffer * xRow), y: new Uint8Array(buffer * yRow), names: new Float64Array(buffer) }
  let waiting = 0
  let ended = false
  let draw = integers(seed, streams.shuffle, 1, 0)
  let batch: Incoming | undefined
  let at = 0
  const arrive = async (): Promise<void> => {
    const arrived = await batches.next()
    at = 0
    batch = undefined
    if (arrived === undefined) ended = true
    else {
      check(arrived.x, arrived.y, (row) => arrived.first + row)
      const targets = arrived.y === undefined ? new Uint8Array(0) : bytes(arrived.y.data)
      batch = { x: bytes(arrived.x.data), y: targets, first: arrived.first, rows: arrived.x.shape[0]! }
    }
  }
  const copy = (from: Rows | Incoming, row: number, into: Rows, place: number): void => {
    into.x.set(from.x.subarray(row * xRow, (row + 1) * xRow), place * xRow)
    if (yRow > 0) into.y.set(from.y.subarray(row * yRow, (row + 1) * yRow), place * yRow)
    into.names[place] = "first" in from ? from.first + row : from.names[row]!
  }
  return {
    choose(epoch) {
      draw = integers(seed, streams.shuffle, 1, epoch)
    },
    async read(memory, names) {
      const into = { x: memory.x, y: memory.y ?? new Uint8Array(0), names }
      let n = 0
      while (n < names.length) {
        if (!ended && (batch === undefined || at === batch.rows)) {
          // What is there is used before the next batch is waited for.
          if (n > 0) return n
          await arrive()
          continue
        }
        if (batch === undefined) {
          if (waiting === 0) return n
          const row = draw(waiting)
          copy(held, row, into, n++)
          copy(held, --waiting, held, row)
          continue
        }
        if (buffer === 0) copy(batch, at++, into, n++)
        else if (waiting < buffer) copy(batch, at++, held, waiting++)
        else {
          const row = draw(buffer)
          copy(held, row, into, n++)
          copy(batch, at++, held, row)
        }
      }
      return n
    },
    close: () => batches.close(),
  }
}

interface Rows {
  readonly x: Uint8Array
  readonly y: Uint8Array
  readonly names: Float64Array
}

/** A batch that has come in, whose rows are counted from `first` on. */
interface Incoming {
  readonly x: Uint8Array
  readonly y: Uint8Array
  readonly first: number
  readonly rows: number
}

/** The first `rows` rows of a reader that goes on; throws E_DATA if it ends before. */
export function firstRows(where: string, reader: RowReader, rows: number): RowReader {
  let left = rows
  return {
    async read(into, names) {
      if (left === 0) return 0
      const n = await reader.read(into, names.subarray(0, left))
      left -= n
      if (n > 0) return n
      throw dataError({
        where,
        what: `the stream ended ${left} rows before the end of an epoch.`,
        expected: `${rows} rows in each, as stepsPerEpoch asks for`,
        got: `${rows - left}`,
        hint: "Give a stream without end, or leave stepsPerEpoch out.",
      })
    },
    close() {},
  }
}
