// Where the loop gets its rows from when they do not fit into memory: two pieces of memory, one filled while the threads
// work on the other. Knows executables and readers of rows, no file and no network.

import type { Bound, Executable } from "../backend/backend.ts"
import { allocate, type Tensor } from "../core/tensor.ts"
import { TURN, turn } from "../core/turn.ts"
import { type Memory, type RowSpec, rowBytes, type Specs } from "../data/dataset.ts"
import type { Chunk, Feed } from "./feed.ts"
import { type RowReader, withoutFirst } from "./reader.ts"

/** Bytes of a piece, unless one batch is larger: some milliseconds of work, and near enough to the caches. */
const SLOT_BYTES = 8 * 1024 * 1024

/** The most rounds of a piece. */
const SLOT_ROUNDS = 4096

/** Rows that are read without a look at the clock, to begin with. */
const FIRST_PIECE = 64

/** What a ring reads. */
export interface RingPlan {
  readonly executable: Executable
  readonly specs: Specs
  readonly batchSize: number
  /** Rows of an epoch; Infinity while nobody knows. */
  readonly rows: number
  /** The rows of an epoch. */
  open(epoch: number): RowReader
  /** The epoch that is not read ahead any more; 0: none is read before it begins. */
  readonly epochs: number
}

interface Slot {
  readonly bound: Bound
  readonly memory: Memory
  readonly names: Float64Array
}

/** A pass that is being read. */
interface Reading {
  readonly epoch: number
  readonly reader: RowReader
  /** Rows read so far. */
  rows: number
  ended: boolean
  /** The piece that comes next, once somebody has begun to read it. */
  filling?: Promise<Chunk | undefined> | undefined
}

/** A feed of rows that are read while the threads train. Its memory is two pieces, whatever the number of rows. */
export function ringFeed(plan: RingPlan): Feed {
  const { batchSize, specs } = plan
  const rounds = Math.ceil(plan.rows / batchSize)
  const width = Object.values(specs).reduce((n, spec) => n + rowBytes(spec), 0)
  const slotRounds = Math.min(rounds, SLOT_ROUNDS, Math.max(1, Math.floor(SLOT_BYTES / (width * batchSize))))
  const capacity = slotRounds * batchSize
  const slots = [createSlot(plan, capacity), createSlot(plan, capacity)] as const
  /** The slot that the loop has; the other one is filled. */
  let current = 1
  let reading: Reading | undefined
  /** The pass after it, if its first rows have been asked for already. */
  let later: Reading | undefined
  let piece = FIRST_PIECE
  let closed = false

  const open = (epoch: number, rows = 0): Reading => {
    const reader = plan.open(epoch)
    return { epoch, reader: rows === 0 ? reader : withoutFirst(reader, rows), rows, ended: rows >= plan.rows }
  }
  const fill = async (slot: Slot, from: Reading): Promise<Chunk | undefined> => {
    await turn()
    let rows = 0
    let since = performance.now()
    while (rows < capacity && !from.ended && !closed) {
      const wanted = Math.min(piece, capacity - rows)
      const begun = performance.now()
      const n = await from.reader.read(part(plan, slot, rows, wanted), slot.names.subarray(rows, rows + wanted))
      rows += n
      from.rows += n
      from.ended = n === 0 || from.rows >= plan.rows
      const now = performance.now()
      // Pieces of half a turn, so that whatever else waits on this thread is not kept waiting.
      const good = Math.round((n * TURN) / 2 / Math.max(now - begun, 0.01))
      if (n === wanted) piece = Math.max(1, Math.min(4 * piece, good))
      if (now - since < TURN / 2) continue
      await turn()
      since = performance.now()
    }
    if (rows === 0 || closed) return undefined
    for (const name of Object.keys(specs)) slot.bound.wrote(name)
    return { bound: slot.bound, rows, rowName: (i) => slot.names[i]! }
  }
  const read = (from: Reading): Promise<Chunk | undefined> => {
    if (from.filling !== undefined) return from.filling
    from.filling = fill(slots[1 - current]!, from)
    // What fails is told to whoever asks for the rows.
    from.filling.catch(() => {})
    return from.filling
  }
  return {
    batchSize,
    rows: plan.rows,
    rounds,
    begin(epoch, done = 0) {
      reading?.reader.close()
      reading = later?.epoch === epoch && done === 0 ? later : open(epoch, done * batchSize)
      later = undefined
    },
    async next() {
      const chunk = await read(reading!)
      reading!.filling = undefined
      if (chunk !== undefined) current = 1 - current
      return chunk
    },
    ahead() {
      if (closed || reading!.filling !== undefined) return
      if (!reading!.ended) void read(reading!)
      else if (reading!.epoch + 1 < plan.epochs) {
        later ??= open(reading!.epoch + 1)
        void read(later)
      }
    },
    release() {
      closed = true
      const pending = [reading, later].map((r) => r?.filling)
      reading?.reader.close()
      later?.reader.close()
      // A source that is still writing does so into memory that is nobody else's yet.
      void Promise.allSettled(pending).then(() => {
        for (const slot of slots) slot.bound.release()
      })
    },
  }
}

function createSlot({ executable, specs }: RingPlan, rows: number): Slot {
  const zeros = ({ dtype, shape }: RowSpec): Tensor => {
    const all = [rows, ...shape]
    const length = all.reduce((a, b) => a * b, 1)
    return { dtype, shape: all, data: allocate(dtype, length) }
  }
  const names = Object.keys(specs)
  const bound = executable.bind({
    count: rows,
    data: Object.fromEntries(names.map((name) => [name, zeros(specs[name]!)])),
  })
  const memory = Object.fromEntries(names.map((name) => [name, bound.bytes(name)]))
  return { bound, memory, names: new Float64Array(rows) }
}

/** The memory of some rows of a slot. */
function part({ specs }: RingPlan, { memory }: Slot, first: number, count: number): Memory {
  const columns = Object.entries(specs).map(([name, spec]) => {
    const width = rowBytes(spec)
    return [name, memory[name]!.subarray(first * width, (first + count) * width)]
  })
  return Object.fromEntries(columns)
}
