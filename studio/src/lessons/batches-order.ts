// Which image is used when: orders, rounds and the audit of an epoch, as fit takes them. Knows no page.

import { permutation } from "../../../src/core/order.ts"

/** Images to train with. */
export const IMAGES = 60_000

/** What the orders and the first weights depend on: the library's own default. */
export const SEED = 0

/** The order of an epoch, counted from 1: place i holds the image that is used as i-th. The same as in `fit`. */
export function orderOf(epoch: number, images: number = IMAGES, seed: number = SEED): Int32Array {
  return permutation(images, seed, epoch - 1)
}

/** Eq. 8.4: rounds of an epoch, ⌈images / batch size⌉. */
export function roundsOf(batch: number, images: number = IMAGES): number {
  return Math.ceil(images / batch)
}

/** The places of the order that a round uses, counted from 1: from the first to before the end. */
export function placesOf(round: number, batch: number, images: number = IMAGES): readonly [from: number, to: number] {
  const from = Math.min(images, (round - 1) * batch)
  return [from, Math.min(images, from + batch)]
}

/** How often each image is used by the first places of an order. */
export function audit(order: Int32Array, places: number): Uint8Array {
  const times = new Uint8Array(order.length)
  for (let i = 0; i < places; i++) times[order[i]!]!++
  return times
}

/** How many images were seen never, once and more than once. */
export function tally(times: Uint8Array): { readonly never: number; readonly once: number; readonly more: number } {
  let [never, once] = [0, 0]
  for (const n of times) {
    if (n === 0) never++
    else if (n === 1) once++
  }
  return { never, once, more: times.length - never - once }
}
