// Memory shared by the caller and all threads: nothing is sent, a stop is heard after the round under way.

import { control } from "./control-block.ts"
import { MAX_PAGES } from "./generate.ts"
import { createHeap, outOfMemory, PAGE, pagesFor } from "./memory.ts"
import type { Pool } from "./pool.ts"
import type { Store } from "./store.ts"

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
  return {
    ...heap,
    shared: true,
    floats: (at, length) => new Float32Array(memory.buffer, at, length),
    wrote: () => {},
    put: (at, bytes) => new Uint8Array(memory.buffer).set(bytes, at),
    run: async ({ key, module, entry, threads, first, count, rows, batch }) => {
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
