// The rows of one pass, read one piece after another: from a source in any order, from a stream through a buffer.
// Knows data sets and random numbers, no model and no backend.

import { dataError } from "../core/errors.ts"
import { integers } from "../core/order.ts"
import { streams } from "../core/random.ts"
import { bytes } from "../core/tensor.ts"
import { type ColumnSource, type Memory, type Rows, rowBytes, rowsIn, type Specs } from "../data/dataset.ts"
import { type Batches, sourceFailed } from "../data/reading.ts"

/** A pass under way. */
export interface RowReader {
  /** Writes the next rows, at most as many as there are places for names; says how many, 0 at the end. */
  read(into: Memory, names: Float64Array): number | Promise<number>
  /** Leaves out the next rows, where that costs nothing. */
  skip?(rows: number): void
  close(): void
}

/** A reader whose first rows are left out: they are read and forgotten, where they cannot be skipped. */
export function withoutFirst(reader: RowReader, rows: number): RowReader {
  let left = rows
  if (reader.skip !== undefined) {
    reader.skip(rows)
    return reader
  }
  return {
    async read(into, names) {
      while (left > 0) {
        const n = await reader.read(into, names.subarray(0, left))
        if (n === 0) return 0
        left -= n
      }
      return reader.read(into, names)
    },
    close: () => reader.close(),
  }
}

/** Throws for values that cannot be trained with; rows are named as the user knows them. */
export type Check = (data: Rows, rowName: (row: number) => number) => void

/** Rows of a source: the first in turn, or by an order, which is made when it is first needed. */
export function readSource(
  where: string,
  source: ColumnSource,
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
      const columns = Object.entries(source.specs)
      const exact = Object.fromEntries(
        columns.map(([name, spec]) => [name, into[name]!.subarray(0, n * rowBytes(spec))]),
      )
      try {
        await source.read(wanted, exact)
      } catch (error) {
        throw sourceFailed(where, wanted[0]!, error)
      }
      names.set(wanted)
      const data = Object.fromEntries(columns.map(([name, spec]) => [name, rowsIn(exact[name]!, spec, n)]))
      check(data, (row) => wanted[row]!)
      at += n
      return n
    },
    skip(n) {
      at = Math.min(at + n, rows)
    },
    close() {},
  }
}

/** How a stream is read. */
export interface StreamReading {
  readonly batches: Batches
  readonly specs: Specs
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
export function readStream({ batches, specs, buffer, seed, check }: StreamReading): StreamReader {
  const columns = Object.entries(specs).map(([name, spec]) => ({ name, width: rowBytes(spec) }))
  const memory = columns.map(({ name, width }) => [name, new Uint8Array(buffer * width)])
  const held: Held = { memory: Object.fromEntries(memory), names: new Float64Array(buffer) }
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
      check(arrived.data, (row) => arrived.first + row)
      const all = columns.map(({ name }) => [name, bytes(arrived.data[name]!.data)])
      batch = { memory: Object.fromEntries(all), first: arrived.first, rows: arrived.rows }
    }
  }
  const copy = (from: Held | Incoming, row: number, into: Held, place: number): void => {
    for (const { name, width } of columns) {
      into.memory[name]!.set(from.memory[name]!.subarray(row * width, (row + 1) * width), place * width)
    }
    into.names[place] = "first" in from ? from.first + row : from.names[row]!
  }
  return {
    choose(epoch) {
      draw = integers(seed, streams.shuffle, 1, epoch)
    },
    async read(memory, names) {
      const into = { memory, names }
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

interface Held {
  readonly memory: Memory
  readonly names: Float64Array
}

/** A batch that has come in, whose rows are counted from `first` on. */
interface Incoming {
  readonly memory: Memory
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
