// Memory beyond what a module uses itself: handed out in pieces and taken back. Knows no program, and not whose memory it is.

import { TrilobiteError } from "../../core/errors.ts"
import { MAX_PAGES } from "./generate.ts"

/** Bytes of a page of WebAssembly memory. */
export const PAGE = 65536

/** Hands out pieces of a memory. */
export interface Heap {
  allocate(bytes: number): number
  free(address: number): void
}

/** A heap that begins after the first `start` bytes; `reach` sees to it that the memory has so many bytes. */
export function createHeap(start: number, reach: (end: number) => void): Heap {
  /** Pieces in order of their addresses; what lies between them is free. */
  let pieces: { readonly at: number; readonly end: number }[] = []
  const first = align(start)
  return {
    allocate(bytes) {
      let at = first
      let index = 0
      for (; index < pieces.length; index++) {
        if (pieces[index]!.at - at >= bytes) break
        at = align(pieces[index]!.end)
      }
      const end = at + bytes
      reach(end)
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

/** Pages for so many bytes. Throws E_ENGINE if 32-bit addresses do not reach as far. */
export function pagesFor(bytes: number): number {
  const pages = Math.ceil(bytes / PAGE)
  if (pages > MAX_PAGES) throw outOfMemory(bytes)
  return pages
}

/** Throws E_ENGINE for more bytes than any memory of WebAssembly has: code cannot even name such addresses. */
export function checkAddressable(bytes: number): void {
  if (bytes > MAX_PAGES * PAGE) throw outOfMemory(bytes)
}

/** The error for so many bytes that could not be had. */
export function outOfMemory(bytes: number): TrilobiteError {
  const mebi = (n: number): string => `${Math.ceil(n / 1048576)} MiB`
  return new TrilobiteError("E_ENGINE", {
    where: "engine",
    what: "there is not enough memory for this model and its data.",
    expected: `at most ${mebi(MAX_PAGES * PAGE)} in all, and as much free`,
    got: mebi(bytes),
    hint: "Use a smaller batch, fewer rows at a time, or uint8 data instead of float32.",
  })
}
