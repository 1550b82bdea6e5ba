// Memory shared by the caller and all threads: nothing is sent, a stop is heard after the round under way, and the caller
// does small runs itself where it may.

import { turn } from "../../core/turn.ts"
import { control } from "./control-block.ts"
import { MAX_PAGES } from "./generate.ts"
import { createHeap, outOfMemory, PAGE, pagesFor } from "./memory.ts"
import { engineError, type Pool } from "./pool.ts"
import type { Job, Store } from "./store.ts"

/** Milliseconds of work on the caller's thread after which it lets others have their turn. */
const SLICE = 8

/** A shared memory whose first `start` bytes are the module's. */
export function sharedStore(pool: Pool, start: number): Store {
  const memory = createMemory(start)
  const heap = createHeap(start, (end) => {
    const missing = pagesFor(end) - memory.buffer.byteLength / PAGE
    try {
      if (missing > 0) memory.grow(missing)
    } catch {
      throw outOfMemory(end)
    }
  })
  const raise = (word: number): void => {
    Atomics.store(new Int32Array(memory.buffer), word / 4, 1)
  }
  const keys = new Set<number>()
  const instances = new Map<number, WebAssembly.Instance>()
  let resumed = 0
  const runHere = async ({ key, module, entry, first, count, rows, batch }: Job): Promise<number> => {
    if (performance.now() - resumed > SLICE) {
      await turn()
      resumed = performance.now()
    }
    const instance =
      instances.get(key) ?? new WebAssembly.Instance(module, { env: { memory, now: () => performance.now() } })
    instances.set(key, instance)
    try {
      return (instance.exports[entry] as (...args: readonly number[]) => number)(0, 1, first, count, rows, batch)
    } catch (error) {
      throw engineError(String(error))
    }
  }
  const drop = (key: number): void => {
    pool.drop(key)
    instances.delete(key)
    keys.delete(key)
  }
  return {
    ...heap,
    shared: true,
    floats: (at, length) => new Float32Array(memory.buffer, at, length),
    wrote: () => {},
    put: (at, bytes) => new Uint8Array(memory.buffer).set(bytes, at),
    drop,
    close: () => keys.forEach(drop),
    run: async (job) => {
      const { key, module, entry, threads, first, count, rows, batch } = job
      keys.add(key)
      if (job.small && pool.platform.mayCompute) return runHere(job)
      const orders = Array.from({ length: threads }, (_, t) => {
        const args = [t, threads, first, count, rows, batch]
        return (id: number) => ({ kind: "run", key, id, entry, args }) as const
      })
      const [done] = await pool.run({ kind: "load", key, module, memory }, orders, () => raise(control.abort))
      return done!.result
    },
    stop: () => raise(control.stop),
  }
}

function createMemory(bytes: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pagesFor(bytes), maximum: MAX_PAGES, shared: true })
  } catch {
    throw outOfMemory(bytes)
  }
}
