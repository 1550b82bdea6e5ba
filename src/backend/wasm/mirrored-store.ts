// A memory that one worker has for itself, where memory cannot be shared: what the caller changes is sent with the next
// run, and what a run changes comes back with its end. The caller keeps copies of the numbers that it may read, not of data.

import { TrilobiteError } from "../../core/errors.ts"
import { control } from "./control-block.ts"
import { MAX_PAGES } from "./generate.ts"
import { createHeap, pagesFor } from "./memory.ts"
import type { Pool } from "./pool.ts"
import { GUARD_BIT } from "./round.ts"
import type { Store } from "./store.ts"
import type { Piece, Work } from "./worker.ts"

/** Milliseconds between two looks of a worker at its messages: so soon a stop is heard. */
const SLICE = 10

/** A worker's memory whose first `start` bytes are the module's. */
export function mirroredStore(pool: Pool, start: number): Store {
  let size = start
  let working: number | undefined
  /** The memory in the worker, and the modules that work on it. */
  const home = pool.newKey()
  const keys = new Set<number>()
  const drop = (key: number): void => {
    pool.drop(key)
    keys.delete(key)
  }
  const close = (): void => {
    for (const key of [...keys, home]) drop(key)
  }
  /** What the caller may read, by address: the newest numbers that it knows. */
  const known = new Map<number, Uint8Array<ArrayBuffer>>()
  /** What the worker does not know yet; absent bytes are the known ones. */
  const unsent = new Map<number, Uint8Array<ArrayBuffer> | undefined>()
  /** Data that only the worker has, and data that went down with a worker. */
  const sent = new Set<number>()
  const gone = new Set<number>()
  const heap = createHeap(start, (end) => {
    pagesFor(end)
    size = Math.max(size, end)
  })
  /** A new worker begins with all that the caller knows. */
  const beginAnew = (): void => {
    for (const at of known.keys()) unsent.set(at, undefined)
    for (const at of sent) gone.add(at)
    sent.clear()
  }
  const takeUnsent = (): Piece[] => {
    const puts = [...unsent].map(([at, bytes]) => {
      if (bytes !== undefined && at >= start) sent.add(at)
      return { at, bytes: bytes ?? known.get(at)!.slice() }
    })
    unsent.clear()
    return puts
  }
  return {
    allocate: heap.allocate,
    free: (at) => {
      heap.free(at)
      for (const held of [known, unsent, sent, gone]) held.delete(at)
    },
    shared: false,
    floats: (at, length) => {
      let bytes = known.get(at)
      if (bytes === undefined || bytes.length < 4 * length) {
        bytes = new Uint8Array(4 * length)
        known.set(at, bytes)
      }
      return new Float32Array(bytes.buffer, 0, length)
    },
    wrote: (at) => unsent.set(at, undefined),
    put: (at, bytes) => {
      gone.delete(at)
      unsent.set(at, new Uint8Array(bytes))
    },
    run: async ({ key, module, entry, first, count, rows, batch, logBytes, reads, changes }) => {
      if (!pool.holds(home)) beginAnew()
      keys.add(key)
      if (reads.some((at) => gone.has(at))) throw lostData()
      const slice = { log: control.log, step: control.step, logBytes, guard: GUARD_BIT, milliseconds: SLICE }
      const work = { kind: "work", key, entry, first, count, rows, batch, size, gets: changes, slice } as const
      const memory = { home, initial: pagesFor(start), maximum: MAX_PAGES }
      const order = (id: number): Work => ({ ...work, id, puts: takeUnsent() })
      working = key
      try {
        const [done] = await pool.run({ kind: "load", key, module, memory }, [order], () => {})
        for (const { at, bytes } of done!.pieces ?? []) known.set(at, bytes)
        return done!.result
      } catch (error) {
        // Whatever the worker's memory holds now is not known: it is given up.
        close()
        throw error
      } finally {
        working = undefined
      }
    },
    drop,
    close,
    stop: () => {
      if (working !== undefined) pool.stop(working)
    },
  }
}

function lostData(): TrilobiteError {
  return new TrilobiteError("E_ENGINE", {
    where: "engine",
    what: "the data of this run were lost with a thread that failed.",
    hint: "Begin the training or the prediction anew.",
  })
}
