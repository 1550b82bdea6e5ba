// Planning: one place in the arena for every buffer, shared by temporaries that are never alive together.
// Knows buffers and phases, not what kernels compute.

import { readsOf, writesOf } from "../program/kernel.ts"
import { type Buffer, type EntryPoint, elementsOf, spanOf } from "../program/program.ts"
import type { DraftBuffer } from "./draft.ts"

/** Buffers start at multiples of this many bytes: a cache line. */
const ALIGNMENT = 64

/** Rows beyond the batch that a kernel may write when its last tile of rows is not full. */
const SPARE_ROWS = 8

/** Bytes that may be read beyond the last buffer by vector loads. */
const SPARE_BYTES = 256

/** Where the buffers are, and how large the arena is. */
export interface Plan {
  readonly buffers: Buffer[]
  readonly arena: number
}

/**
 * Lasting buffers come first, one after the other. Temporaries live from the phase that writes them to the last that
 * reads them, since threads in one phase run ahead of each other, and what a loop uses lives while it runs; each takes the first gap that is free all that time.
 * Entries never run at the same time, so each plans its temporaries from the same start.
 */
export function plan(drafts: readonly DraftBuffer[], entries: readonly EntryPoint[], rows: number): Plan {
  const bytes = drafts.map((b) => {
    const spare = b.role === "temporary" && b.shape.some((n) => n < 0) ? SPARE_ROWS * rowBytes(b) : 0
    return align(4 * elementsOf(b, rows) + spare)
  })
  const offsets = new Array<number>(drafts.length).fill(-1)
  let end = 0
  drafts.forEach((b, i) => {
    if (b.role === "temporary" || b.role === "data" || b.role === "result") return
    offsets[i] = end
    end += bytes[i]!
  })
  let arena = end
  for (const entry of entries) {
    const placed: Life[] = []
    for (const life of lifetimes(drafts, entry)) {
      const offset = firstGap(
        end,
        bytes[life.buffer]!,
        placed.filter((other) => overlap(life, other)),
        offsets,
        bytes,
      )
      offsets[life.buffer] = offset
      placed.push(life)
      arena = Math.max(arena, offset + bytes[life.buffer]!)
    }
  }
  const buffers = drafts.map((b, i): Buffer => ({ ...b, offset: offsets[i]! }))
  return { buffers, arena: arena + SPARE_BYTES }
}

interface Life {
  readonly buffer: number
  readonly from: number
  readonly to: number
}

/** From which phase to which phase each temporary of the entry is in use; the longest-lived and earliest first. */
function lifetimes(drafts: readonly DraftBuffer[], entry: EntryPoint): Life[] {
  const lives = new Map<number, Life>()
  for (const step of entry.steps) {
    const [first, last] = spanOf(entry, step)
    for (const buffer of [...writesOf(step.kernel), ...readsOf(step.kernel).map((o) => o.buffer)]) {
      if (drafts[buffer]?.role !== "temporary") continue
      lives.set(buffer, { buffer, from: lives.get(buffer)?.from ?? first, to: last })
    }
  }
  return [...lives.values()]
}

function overlap(a: Life, b: Life): boolean {
  return a.from <= b.to && b.from <= a.to
}

function firstGap(
  start: number,
  size: number,
  others: readonly Life[],
  offsets: readonly number[],
  bytes: readonly number[],
): number {
  let at = start
  for (const { buffer } of others.toSorted((a, b) => offsets[a.buffer]! - offsets[b.buffer]!)) {
    if (offsets[buffer]! >= at + size) break
    at = Math.max(at, offsets[buffer]! + bytes[buffer]!)
  }
  return at
}

/** Bytes of one row of the batch. */
function rowBytes(b: DraftBuffer): number {
  return (4 * elementsOf(b, 1024)) / 1024
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
