// What trains, validates or is asked, as the user gives it, made into feeds: data in memory, sources of rows, streams.
// Knows data sets and feeds, no model.

import type { Bound, Executable } from "../backend/backend.ts"
import { configError, dataError, show } from "../core/errors.ts"
import { permutation } from "../core/order.ts"
import {
  type ColumnSource,
  type Dataset,
  isRowSource,
  type RowSource,
  type RowSpec,
  type Rows,
  rowBytes,
  rowsIn,
  type Specs,
  type Stream,
} from "../data/dataset.ts"
import { checkSource, memorySource, openBatches } from "../data/reading.ts"
import { readBatch } from "./batches.ts"
import { type Feed, memoryFeed, type Shuffle } from "./feed.ts"
import { type ClassWeights, type Wanted, weightColumns } from "./inputs.ts"
import { type Check, firstRows, type RowReader, readSource, readStream, type StreamReader } from "./reader.ts"
import { ringFeed } from "./ring.ts"
import { rowsOf } from "./rows.ts"

/** Rows that can be fed to an executable. */
export interface Part {
  readonly batchSize: number
  /** A feed of them; `bind` binds examples that are in memory, once for all parts of them. */
  feed(executable: Executable, bind: (examples: Rows) => Bound): Feed
}

/** Bytes of data in memory from which evaluate and predict work on it in pieces instead of copying all of it. */
export const LARGE: number = 64 * 1024 * 1024

/** How rows in memory are used. */
export interface MemoryUse {
  /** The rows that take part; absent: all. */
  readonly rows?: Int32Array | undefined
  readonly shuffle?: Shuffle | undefined
  /** Rounds of an epoch: the first ones of its order (default all). */
  readonly steps?: number | undefined
}

/** Rows in memory, all or some. */
export function memoryPart(where: string, examples: Rows, batchSize: number, use: MemoryUse = {}): Part {
  const all = use.rows?.length ?? rowsOf(examples)
  const size = Math.min(batchSize, rowsOf(examples))
  const limit = limitOf(where, use.steps, all, size)
  return {
    batchSize: size,
    feed: (_, bind) => memoryFeed({ bound: bind(examples), batchSize: size, rows: use.rows, limit }, use.shuffle),
  }
}

/** The rows of so many rounds. Throws E_CONFIG if there are not so many. */
function limitOf(where: string, steps: number | undefined, rows: number, batchSize: number): number {
  if (steps === undefined || steps * batchSize < rows + batchSize) return Math.min(rows, (steps ?? rows) * batchSize)
  const expected = `at most ${Math.ceil(rows / batchSize)} for ${rows} rows in batches of ${batchSize}`
  const name = where === "fit" ? "stepsPerEpoch" : "validationSteps"
  throw configError({ where, what: "there are not so many rounds.", expected, got: `${name}: ${steps}` })
}

/** Rows in memory that are asked once: large ones in pieces. They have been checked. */
export function askedPart(data: Rows, batchSize: number, large: number = LARGE): Part {
  const bytes = Object.values(data).reduce((n, t) => n + t.data.byteLength, 0)
  if (bytes > large) return sourcePart("data", memorySource(data), { batchSize, check: () => {} })
  return {
    batchSize,
    feed: (executable) => {
      const bound = executable.bind({ count: rowsOf(data), data })
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
  /** Rounds of a pass (default all). */
  readonly steps?: number | undefined
  /** Whether a stream goes on in the next pass where it was (default: it begins anew). */
  readonly lasting?: boolean
  /** The epoch (default 0) whose rows are the first of a stream that goes on: those of later ones come after them. */
  readonly initialEpoch?: number
  readonly shuffleBuffer?: number | undefined
  /** Whether examples have weights: 1 where the data say nothing. */
  readonly weighted?: boolean
}

/** How the rows of a data set are understood. */
export interface Reading {
  readonly wanted: Wanted
  /** Whether there must be targets. */
  readonly paired: boolean
  readonly classWeight?: ClassWeights | undefined
}

/** A data set of which it is known what its rows are. */
export interface Opened {
  readonly specs: Specs
  /** Whether it has weights of its own. */
  readonly weighted: boolean
  part(use: Use): Part
  close(): void
}

/** Looks at a data set: for a stream, at its first batch. Throws E_DATA for one without rows, or without targets if `paired`. */
export async function openDataset(
  where: string,
  dataset: Dataset | Stream<unknown>,
  reading: Reading,
): Promise<Opened> {
  if (isRowSource(dataset)) return openSource(where, dataset, reading)
  return openStream(where, dataset, reading)
}

/** A row holds at least one number. */
function withNumbers(spec: RowSpec): RowSpec {
  return spec.shape.length === 0 ? { ...spec, shape: [1] } : spec
}

const WEIGHT: RowSpec = { dtype: "float32", shape: [] }

function openSource(where: string, source: RowSource, { wanted, paired, classWeight }: Reading): Opened {
  checkSource(where, source)
  if (wanted.inputs.length > 1 || (paired && wanted.targets.length > 1)) {
    const hint = "Give data in memory, or a stream of batches."
    throw dataError({ where, what: "a source of rows has one input and one output.", hint })
  }
  if (paired && source.y === undefined) {
    const hint = "Give a source with x and y; inputs alone are for predict."
    throw dataError({ where, what: "the source has no targets.", hint })
  }
  const { w } = source
  if (w !== undefined && (w.dtype !== "float32" || w.shape.some((n) => n !== 1))) {
    throw dataError({
      where: `${where}, w`,
      what: "weights are one number each.",
      expected: show(WEIGHT),
      got: show(w),
    })
  }
  const specs: Specs = { x: withNumbers(source.x), ...(paired ? { y: source.y! } : {}) }
  const part = (use: Use): Part => {
    if (use.weighted !== true) return sourcePart(where, { ...source, specs, read: narrowed(source) }, use)
    const read: ColumnSource["read"] = async (rows, into) => {
      const { x, y, w: weights } = into as { x: Uint8Array; y: Uint8Array; w: Uint8Array }
      await source.read(rows, { x, y, ...(w === undefined ? {} : { w: weights }) })
      const data = { y: rowsIn(y, source.y!, rows.length) }
      const given = w === undefined ? undefined : rowsIn(weights, WEIGHT, rows.length)
      const columns = weightColumns(where, wanted, data, rows.length, given, classWeight)
      rowsIn(weights, WEIGHT, rows.length).data.set(columns.w!.data)
    }
    return sourcePart(where, { rows: source.rows, specs: { ...specs, w: WEIGHT }, read }, use)
  }
  return { specs, weighted: w !== undefined || classWeight !== undefined, part, close: () => {} }
}

/** The source's own reading, of inputs or of inputs and targets. */
function narrowed(source: RowSource): ColumnSource["read"] {
  return (rows, into) => source.read(rows, { x: into.x!, ...(into.y === undefined ? {} : { y: into.y }) })
}

/** Rows in any order, read while the threads work. */
function sourcePart(where: string, source: ColumnSource, use: Use): Part {
  const { check, shuffle, epochs = 0 } = use
  const size = Math.min(use.batchSize, source.rows)
  const taken = limitOf(where, use.steps, source.rows, size)
  const open = (epoch: number): RowReader => {
    const order = shuffle === undefined ? undefined : () => permutation(source.rows, shuffle.seed, epoch)
    return readSource(where, source, taken, order, check)
  }
  return {
    batchSize: size,
    feed: (executable) => {
      return ringFeed({ executable, specs: source.specs, batchSize: size, rows: taken, open, epochs })
    },
  }
}

/** Rows that wait to be chosen from if nobody says how many, and their bytes at the most. */
const BUFFER_ROWS = 4096
const BUFFER_BYTES = 64 * 1024 * 1024

async function openStream(where: string, stream: Stream<unknown>, reading: Reading): Promise<Opened> {
  const { wanted, paired, classWeight } = reading
  const read = (batch: unknown): Rows => {
    const data = readBatch(where, wanted, paired, batch)
    const known = wanted.weights[0] !== undefined && wanted.weights[0].binding in data
    if (classWeight === undefined) return data
    const given = known ? data : undefined
    return { ...data, ...weightColumns(where, wanted, data, rowsOf(data), given, classWeight) }
  }
  const begun = openBatches(where, stream, read)
  const first = await begun.next()
  if (first === undefined) throw noRows(where, stream)
  begun.unread(first)
  let unused: typeof begun | undefined = begun
  const all = Object.entries(first.data).map(([name, t]): [string, RowSpec] => {
    return [name, { dtype: t.dtype, shape: t.shape.slice(1) }]
  })
  const isWeight = (name: string): boolean => wanted.weights.some(({ binding }) => binding === name)
  const weighted = all.some(([name]) => isWeight(name))
  const specs: Specs = Object.fromEntries(all.filter(([name]) => !isWeight(name)))
  const part = (use: Use): Part => {
    const { batchSize, shuffle, steps, shuffleBuffer, lasting: goesOn = false, initialEpoch = 0 } = use
    const weights = use.weighted === true ? wanted.weights.map(({ binding }) => [binding, WEIGHT]) : []
    const columns: Specs = { ...specs, ...Object.fromEntries(weights) }
    const width = Object.values(columns).reduce((n, spec) => n + rowBytes(spec), 0)
    const usual = Math.max(1, Math.min(BUFFER_ROWS, Math.floor(BUFFER_BYTES / width)))
    const buffer = shuffle === undefined ? 0 : (shuffleBuffer ?? usual)
    const begin = (): StreamReader => {
      const batches = unused ?? openBatches(where, stream, read)
      unused = undefined
      const next = async () => {
        const arrived = await batches.next()
        if (arrived === undefined || weights.length === 0 || weighted) return arrived
        return { ...arrived, data: { ...arrived.data, ...weightColumns(where, wanted, {}, arrived.rows) } }
      }
      const { check } = use
      return readStream({ batches: { ...batches, next }, specs: columns, buffer, seed: shuffle?.seed ?? 0, check })
    }
    let lasting: StreamReader | undefined
    const open = (epoch: number): RowReader => {
      const behind = goesOn && steps !== undefined && lasting === undefined ? Math.max(0, epoch - initialEpoch) : 0
      const reader = goesOn && steps !== undefined ? (lasting ??= begin()) : begin()
      if (behind > 0) return afterEpochs(where, reader, steps! * batchSize, initialEpoch, epoch)
      reader.choose(epoch)
      if (steps === undefined) return someRows(where, stream, reader)
      const some = firstRows(where, reader, steps * batchSize)
      return goesOn ? some : { ...some, close: () => reader.close() }
    }
    const rows = steps === undefined ? Number.POSITIVE_INFINITY : steps * batchSize
    return {
      batchSize,
      feed: (executable) => {
        const feed = ringFeed({ executable, specs: columns, batchSize, rows, open, epochs: 0 })
        const release = (): void => {
          feed.release()
          lasting?.close()
        }
        return { ...feed, release }
      },
    }
  }
  return { specs, weighted, part, close: () => unused?.close() }
}

/** The rows of an epoch of a stream that goes on, once those of the epochs before it have been read. */
function afterEpochs(where: string, reader: StreamReader, rows: number, first: number, epoch: number): RowReader {
  let own: RowReader | undefined
  return {
    async read(into, names) {
      for (let e = first; own === undefined && e < epoch; e++) {
        reader.choose(e)
        const past = firstRows(where, reader, rows)
        while ((await past.read(into, names)) > 0);
      }
      if (own === undefined) reader.choose(epoch)
      own ??= firstRows(where, reader, rows)
      return own.read(into, names)
    },
    close() {},
  }
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
