// Drops the buffers that fusing has left without use, and numbers the others in the order in which they are used.
// Knows kernels and buffers, not what they compute.

import { computes, indexes, type Kernel, mapOperands, readsOf, writesOf } from "../program/kernel.ts"
import type { DraftBuffer, DraftEntry } from "./draft.ts"

/** What is left of a draft. */
export interface Compact {
  readonly buffers: readonly DraftBuffer[]
  readonly entries: { readonly [name: string]: DraftEntry }
}

/** The draft without unused temporaries; temporaries are named `entry.number`. */
export function compact(buffers: readonly DraftBuffer[], entries: { readonly [name: string]: DraftEntry }): Compact {
  const kept: DraftBuffer[] = []
  const numbers = new Map<number, number>()
  buffers.forEach((b, i) => {
    if (b.role !== "temporary") numbers.set(i, kept.push(b) - 1)
  })
  const named = Object.entries(entries).map(([name, entry]) => {
    let count = 0
    for (const kernel of entry.kernels) {
      for (const i of [...writesOf(kernel), ...readsOf(kernel).map((o) => o.buffer)]) {
        if (!numbers.has(i)) numbers.set(i, kept.push({ ...buffers[i]!, name: `${name}.${count++}` }) - 1)
      }
    }
    return [
      name,
      { ...entry, kernels: entry.kernels.map((kernel) => renumber(kernel, (i) => numbers.get(i)!)) },
    ] as const
  })
  return { buffers: kept, entries: Object.fromEntries(named) }
}

function renumber(kernel: Kernel, number: (buffer: number) => number): Kernel {
  if (computes(kernel) || indexes(kernel)) return mapOperands(kernel, (o) => ({ ...o, buffer: number(o.buffer) }))
  return { ...kernel, source: number(kernel.source), target: number(kernel.target) }
}
