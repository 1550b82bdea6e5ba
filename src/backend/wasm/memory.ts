// Memory beyond what a module uses itself: handed out in pieces and taken back. Knows no program.

import { TrilobiteError } from "../../core/errors.ts"
import { MAX_PAGES } from "./generate.ts"

const PAGE = 65536

/** Hands out pieces of a WebAssembly memory, which grows as needed. */
export interface Heap {
  readonly memory: WebAssembly.Memory
  allocate(bytes: number): number
  free(address: number): void
}

/** A heap that begins after the first `start` bytes. */
export function createHeap(start: number, shared: boolean): Heap {
  const pages = Math.ceil(start / PAGE)
  if (pages > MAX_PAGES) throw outOfMemory(start)
  let memory: WebAssembly.Memory
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: MAX_PAGES, shared })
  } catch {
    throw outOfMemory(start)
  }
  /** Pieces in order of their addresses; what lies between them is free. */
  let pieces: { readonly at: number; readonly end: number }[] = []
  const first = align(start)
  return {
    memory,
    allocate(bytes) {
      let at = first
      let index = 0
      for (; index < pieces.length; index++) {
        if (pieces[index]!.at - at >= bytes) break
        at = align(pieces[index]!.end)
      }
      const end = at + bytes
      const missing = Math.ceil(end / PAGE) - memory.buffer.byteLength / PAGE
      if (missing > 0) {
        try {
          memory.grow(missing)
        } catch {
          throw outOfMemory(end)
        }
      }
      pieces = pieces.toSpliced(index, 0, { at, end })
      return at
    },
    free(address) {
      pieces = pieces.filter((piece) => piece.at !== address)
    },
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64
}

/** Throws E_ENGINE for more bytes than any memory of WebAssembly has: code cannot even name such addresses. */
export function checkAddressable(bytes: number): void {
  if (bytes > MAX_PAGES * PAGE) throw outOfMemory(bytes)
}

function outOfMemory(bytes: number): TrilobiteError {
  const mebi = (n: number): string => `${Math.ceil(n / 1048576)} MiB`
  return new TrilobiteError("E_ENGINE", {
    where: "engine",
    what: "there is not enough memory for this model and its data.",
    expected: `at most ${mebi(MAX_PAGES * PAGE)} in all, and as much free`,
    got: mebi(bytes),
    hint: "Use a smaller batch, fewer rows at a time, or uint8 data instead of float32.",
  })
}
