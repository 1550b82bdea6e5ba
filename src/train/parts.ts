// What trains, validates or is asked, as the user gives it, made into feeds: data in memory, sources of rows, streams.
// Knows data sets and feeds, no model.

import type { Bound, Executable } from "../backend/backend.ts"
import { configError, dataError, show } from "../core/errors.ts"
import { permutation } from "../core/random.ts"
import type { Tensor } from "../core/tensor.ts"
import {
  checkSource,
  type Dataset,
  isRowSource,
  memorySource,
  openBatches,
  type RowSource,
  type RowSpec,
  rowBytes,
  type Stream,
} from "../data/dataset.ts"
import { type Feed, memoryFeed, type Shuffle } from "./feed.ts"
import { type Check, firstRows, type RowReader, readSource, readStream, type StreamReader } from "./reader.ts"
import { ringFeed } from "./ring.ts"
import type { Examples } from "./rows.ts"

/** Rows that can be fed to an executable. */
export interface Part {
  readonly batchSize: number
  /** A feed of them; `bind` binds examples that are in memory, once for all parts of them. */
  feed(executable: Executable, bind: (examples: Examples) => Bound): Feed
}

/** Bytes of data in memory from which evaluate and predict work on it in pieces instead of copying all of it. */
export const LARGE: number = 64 * 1024 * 1024

/** Rows in memory, all or some. */
export function memoryPart(
  examples: Examples,
  batchSize: number,
  more: { readonly rows?: Int32Array | undefined; readonly shuffle?: Shuffle | undefined } = {},
): Part {
  const size = Math.min(batchSize, examples.x.shape[0]!)
  return {
    batchSize: size,
    feed: (_, bind) => memoryFeed({ bound: bind(examples), batchSize: size, rows: more.rows }, more.shuffle),
  }
}

/** Rows in memory that are asked once: large ones in pieces. They have been checked. */
export function askedPart(x: Tensor, y: Tensor | undefined, batchSize: number, large: number = LARGE): Part {
  const data = { x: x, ...(y === undefined ? {} : { y: y }) }
  const count = x.shape[0]!
  if (x.data.byteLength + (y?.data.byteLength ?? 0) > large) {
    const source = memorySource(x, y)
    const check = (): void => {}
    return openSource("data", source, y !== undefined).part({ batchSize, check })
  }
  return {
    batchSize,
    feed: (executable) => {
      const bound = executable.bind({ count, data })
      return { ...memoryFeed({ bound, batchSize }), release: () => bound.release() }
    },
  }
}

/** How an opened data set is used. */
export interface Use {
  readonly batchSize: number
  readonly check: Check
  /** Absent: the order of the data, once for each pass. */
  readonly shuffle?: Shuffle | undefined
  /** Epochs of which the first rows may be read before they begin. */
  readonly epochs?: number | undefined
  readonly stepsPerEpoch?: number | undefined
  readonly shuffleBuffer?: number | undefined
}

/** A data set of which it is known what its rows are. */
export interface Opened {
  readonly x: RowSpec
  readonly y: RowSpec | undefined
  part(use: Use): Part
  close(): void
}

/** Looks at a data set: for a stream, at its first batch. Throws E_DATA for one without rows, or without targets if `paired`. */
export async function openDataset(where: string, dataset: Dataset | Stream<unknown>, paired: boolean): Promise<Opened> {
  if (isRowSource(dataset)) return openSource(where, dataset, paired)
  return openStream(where, dataset, paired)
}

/** A row holds at least one number. */
function withNumbers(spec: RowSpec): RowSpec {
  return spec.shape.length === 0 ? { ...spec, shape: [1] } : spec
}

function openSource(where: string, source: RowSource, paired: boolean): Opened {
  checkSource(where, source)
  if (paired && source.y === undefined) {
    const hint = "Give a source with x and y; inputs alone are for predict."
    throw dataError({ where, what: "the source has no targets.", hint })
  }
  const [x, y] = [withNumbers(source.x), paired ? source.y : undefined]
  const part = ({ batchSize, check, shuffle, epochs = 0, stepsPerEpoch }: Use): Part => {
    const size = Math.min(batchSize, source.rows)
    const rows = stepsPerEpoch === undefined ? source.rows : stepsPerEpoch * size
    if (rows >= source.rows + size) {
      const expected = `at most ${Math.ceil(source.rows / size)} for ${source.rows} rows in batches of ${size}`
      throw configError({
        where,
        what: "there are not so many rounds.",
        expected,
        got: `stepsPerEpoch: ${stepsPerEpoch}`,
      })
    }
    const taken = Math.min(rows, source.rows)
    const open = (epoch: number): RowReader => {
      const order = shuffle === undefined ? undefined : () => permutation(source.rows, shuffle.seed, epoch)
      return readSource(where, source, taken, order, check)
    }
    return {
      batchSize: size,
      feed: (executable) => ringFeed({ executable, x, y, batchSize: size, rows: taken, open, epochs }),
    }
  }
  return { x, y, part, close: () => {} }
}

/** Rows that wait to be chosen from if nobody says how many, and their bytes at the most. */
const BUFFER_ROWS = 4096
const BUFFER_BYTES = 64 * 1024 * 1024

async function openStream(where: string, stream: Stream<unknown>, paired: boolean): Promise<Opened> {
  const begun = openBatches(where, stream, paired)
  const first = await begun.next()
  if (first === undefined) throw noRows(where, stream)
  begun.unread(first)
  let unused: typeof begun | undefined = begun
  const spec = (t: Tensor): RowSpec => ({ dtype: t.dtype, shape: t.shape.slice(1) })
  const [x, y] = [spec(first.x), first.y === undefined ? undefined : spec(first.y)]
  const width = rowBytes(x) + (y === undefined ? 0 : rowBytes(y))
  const part = ({ batchSize, check, shuffle, stepsPerEpoch, shuffleBuffer }: Use): Part => {
    const usual = Math.max(1, Math.min(BUFFER_ROWS, Math.floor(BUFFER_BYTES / width)))
    const buffer = shuffle === undefined ? 0 : (shuffleBuffer ?? usual)
    const begin = (): StreamReader => {
      const batches = unused ?? openBatches(where, stream, paired)
      unused = undefined
      return readStream({ batches, x, y, buffer, seed: shuffle?.seed ?? 0, check })
    }
    let lasting: StreamReader | undefined
    const open = (epoch: number): RowReader => {
      const reader = stepsPerEpoch === undefined ? begin() : (lasting ??= begin())
      reader.choose(epoch)
      if (stepsPerEpoch !== undefined) return firstRows(where, reader, stepsPerEpoch * batchSize)
      return someRows(where, stream, reader)
    }
    const rows = stepsPerEpoch === undefined ? Number.POSITIVE_INFINITY : stepsPerEpoch * batchSize
    return {
      batchSize,
      feed: (executable) => {
        const feed = ringFeed({ executable, x, y, batchSize, rows, open, epochs: 0 })
        const release = (): void => {
          feed.release()
          lasting?.close()
        }
        return { ...feed, release }
      },
    }
  }
  return { x, y, part, close: () => unused?.close() }
}

/** A reader that must have rows. */
function someRows(where: string, stream: Stream<unknown>, reader: RowReader): RowReader {
  let rows = 0
  return {
    async read(into, names) {
      const n = await reader.read(into, names)
      rows += n
      if (rows === 0) throw noRows(where, stream)
      return n
    },
    close: () => reader.close(),
  }
}

function noRows(where: string, stream: Stream<unknown>): Error {
  const hint = "An iterator runs once: give a function that begins anew for every epoch."
  return dataError({ where, what: "the stream gives no rows.", ...(typeof stream === "function" ? {} : { hint }) })
}

/**
 * The options of a call whose data may be a data set: then they come second, because targets are in it.
 * @throws E_CONFIG if targets are given beside a data set
 */
export function optionsBeside<O extends object>(where: string, second: unknown, third: O | undefined): O {
  const isData = ArrayBuffer.isView(second) || Array.isArray(second)
  if (third === undefined && !isData && !(typeof second === "object" && second !== null && "data" in second)) {
    return (second ?? {}) as O
  }
  const what = "the targets come with the data set."
  const hint = `Call ${where}(dataset, options).`
  throw configError({ where, what, got: `targets ${show(second)}`, hint })
}
