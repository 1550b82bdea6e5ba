// Where the loop gets its rows from: data that is bound as a whole, in the order of each epoch.
// Knows bound data and orders, no source and no file.

import type { Bound } from "../backend/backend.ts"
import { configError } from "../core/errors.ts"
import { permutation } from "../core/order.ts"
import { turn } from "../core/turn.ts"

/** Rows to run over, in batches from the first on. */
export interface Chunk {
  readonly bound: Bound
  /** Rows of the pass; all but the last chunk of an epoch hold whole batches. */
  readonly rows: number
  /** Row i of the pass is row order[i] of the data; absent: row i. */
  readonly order?: Int32Array | undefined
  /** What the user calls row i of the pass. */
  rowName(i: number): number
}

/** The rows of the epochs, one chunk after another. */
export interface Feed {
  readonly batchSize: number
  /** Rounds and rows of an epoch; Infinity while nobody knows. */
  readonly rounds: number
  readonly rows: number
  /** Begins a pass, after so many rounds of it (default 0). */
  begin(epoch: number, rounds?: number): void
  /** The next rows of the pass, undefined at its end; a promise where they have to be waited for. The chunk before is done with. */
  next(): Chunk | undefined | Promise<Chunk | undefined>
  /**
   * All rows of several epochs, one after the other, from `epoch` on, which has not begun: of as many as asked for, or of one where
   * an epoch does not end with a whole batch. Absent: this feed cannot.
   */
  epochs?(epoch: number, count: number): Chunk & { readonly epochs: number }
  /** To be called when a run has begun: what can be done for the next rows is done beside it. */
  ahead(): void
  /** Ends it: memory that the feed has made is given back. */
  release(): void
}

/** Rows that are bound: all of them, or some in a given order. */
export interface Pass {
  readonly bound: Bound
  readonly batchSize: number
  /** The rows that take part; absent: all. */
  readonly rows?: Int32Array | undefined
  /** How many of them are used in a pass: the first of its order (default all). */
  readonly limit?: number | undefined
}

/** How an order depends on the epoch, and the first epoch that does not come. */
export interface Shuffle {
  readonly seed: number
  readonly epochs: number
}

/** A feed of bound rows: the whole epoch is one chunk. Without `shuffle` the order is that of the pass. */
export function memoryFeed({ bound, batchSize, rows: taken, limit }: Pass, shuffle?: Shuffle): Feed {
  const all = taken?.length ?? bound.rows
  const rows = Math.min(limit ?? all, all)
  let epoch = 0
  let first = 0
  let given = true
  let prepared: { readonly epoch: number; readonly order: Int32Array } | undefined
  /** Of how many epochs the last chunk was; so many are prepared for. */
  let together = 1
  /** Whether a turn is waited for in which an order is to be prepared. */
  let waiting = false
  let ended = false
  const orderOf = (of: number, seed: number): Int32Array => {
    const places = permutation(all, seed, of).subarray(0, rows)
    return taken === undefined ? places : places.map((i) => taken[i]!)
  }
  const ordersOf = (from: number, count: number): Int32Array => {
    const own = (of: number): Int32Array =>
      shuffle === undefined ? (taken?.subarray(0, rows) ?? natural(rows)) : orderOf(of, shuffle.seed)
    const known = prepared?.epoch === from ? prepared.order : new Int32Array(0)
    if (known.length >= count * rows) return known.subarray(0, count * rows)
    if (count === 1) return own(from)
    const order = new Int32Array(count * rows)
    order.set(known)
    for (let k = known.length / rows; k < count; k++) order.set(own(from + k), k * rows)
    return order
  }
  return {
    batchSize,
    rows,
    rounds: Math.ceil(rows / batchSize),
    begin(next, done = 0) {
      epoch = next
      together = 1
      first = Math.min(done * batchSize, rows)
      given = false
    },
    next() {
      if (given || first === rows) return undefined
      given = true
      const known = prepared?.epoch === epoch ? prepared.order.subarray(0, rows) : undefined
      const order = known ?? (shuffle === undefined ? taken?.subarray(0, rows) : orderOf(epoch, shuffle.seed))
      if (first === 0) return { bound, rows, order, rowName: (i) => order?.[i] ?? i }
      const rest = order?.subarray(first) ?? natural(rows).subarray(first)
      return { bound, rows: rest.length, order: rest, rowName: (i) => rest[i]! }
    },
    epochs(from, count) {
      epoch = from
      given = true
      together = rows % batchSize === 0 ? count : 1
      const order = ordersOf(from, together)
      return { bound, rows: order.length, order, rowName: (i) => order[i]!, epochs: together }
    },
    ahead() {
      const then = epoch + together
      if (shuffle === undefined || waiting || then >= shuffle.epochs || prepared?.epoch === then) return
      waiting = true
      // After a turn: the run has begun by then, and the order is made while the threads work on it. Runs that are over
      // sooner do not wait for it; by then another epoch may be under way.
      void turn().then(() => {
        waiting = false
        const next = epoch + together
        const count = Math.min(together, shuffle.epochs - next)
        if (!ended && count > 0) prepared = { epoch: next, order: ordersOf(next, count) }
      })
    },
    release() {
      ended = true
    },
  }
}

/** The order of the data. */
const natural = (rows: number): Int32Array => Int32Array.from({ length: rows }, (_, i) => i)

/** Throws E_CONFIG for rows in batches of a size unless the network (undefined: any number) has such batches, and the rows fill them. */
export function checkBatches(where: string, batchSize: number | undefined, rows: number, size: number): void {
  if (batchSize === undefined) return
  if (size === batchSize && (rows % batchSize === 0 || rows === Number.POSITIVE_INFINITY)) return
  const what = `the batches of this network have ${batchSize} rows each, as its batchShape says.`
  const hint = "Leave rows out or add some, and leave batchSize out; or build the network without a batch size."
  const expected = `batchSize: ${batchSize}, and a multiple of ${batchSize} rows`
  throw configError({ where, what, expected, got: `${rows} rows in batches of ${size}`, hint })
}

/** The feed, which throws as `checkBatches`: at once, or at the end of rows that nobody could count. */
export function fixedFeed(where: string, batchSize: number | undefined, feed: Feed): Feed {
  const checked = <C extends Chunk | undefined>(chunk: C): C => {
    if (chunk !== undefined) checkBatches(where, batchSize, chunk.rows, feed.batchSize)
    return chunk
  }
  try {
    checkBatches(where, batchSize, feed.rows, feed.batchSize)
  } catch (error) {
    feed.release()
    throw error
  }
  const next: Feed["next"] = () => {
    const chunk = feed.next()
    return chunk instanceof Promise ? chunk.then(checked) : checked(chunk)
  }
  return { ...feed, next }
}
