// In which order images stand on the wall, and which of them. Knows labels, no pixels.

import type { Signals } from "../../../cli/studio/api.ts"

/** The orders. */
export type Order = "index" | "class" | "mistaken"

/** How many images there are of each class. */
export function classCounts(labels: Uint8Array, classes = 10): readonly number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const label of labels) counts[label]!++
  return counts
}

/** How often each image was read wrong, of the epochs after which predictions were made. */
export function timesMistaken(signals: readonly Signals[]): ReadonlyMap<number, number> {
  const times = new Map<number, number>()
  for (const { answers } of signals) {
    for (const index of answers?.wrong ?? []) times.set(index, (times.get(index) ?? 0) + 1)
  }
  return times
}

/** The numbers of the images in their order; only those of a class if one is named, only mistaken ones in that order. */
export function arranged(
  labels: Uint8Array,
  order: Order,
  only: number | undefined,
  mistaken: ReadonlyMap<number, number> = new Map(),
): Uint32Array {
  const all: number[] = []
  for (let i = 0; i < labels.length; i++) {
    if ((only === undefined || labels[i] === only) && (order !== "mistaken" || mistaken.has(i))) all.push(i)
  }
  if (order === "class") all.sort((a, b) => labels[a]! - labels[b]! || a - b)
  // Equally often mistaken ones stay as the surest were told: by their numbers in the map.
  if (order === "mistaken") all.sort((a, b) => mistaken.get(b)! - mistaken.get(a)! || a - b)
  return Uint32Array.from(all)
}
