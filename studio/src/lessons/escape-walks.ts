// The grounds and walks of lesson 2, part 3: 64 examples whose costs differ by ripples, batches of them, and where walks end.

import { numbersFrom } from "../random.ts"

/** How many examples there are. */
export const EXAMPLES = 64
/** Rounds of a walk. */
export const ROUNDS = 300
/** Where every walk begins. */
export const START = -3.4

const DENT = { depth: 0.9, width: 0.55, at: -1.7 } as const
const VALLEY = { depth: 1.5, width: 1, at: 2.1 } as const
/** Each example sees the ground with ripples of this height, and each sees them in another place. */
const RIPPLE = { height: 1.6, pace: 2.5 } as const

const pit = (p: number, { depth, width, at }: typeof DENT | typeof VALLEY): number =>
  depth * Math.exp(-((p - at) ** 2) / (2 * width ** 2))

const phase = (example: number): number => (2 * Math.PI * example) / EXAMPLES

const smooth = (p: number): number => 0.05 * (p - VALLEY.at) ** 2 - pit(p, DENT) - pit(p, VALLEY) + 1.7
const smoothSlope = (p: number): number =>
  0.1 * (p - VALLEY.at) +
  (pit(p, DENT) * (p - DENT.at)) / DENT.width ** 2 +
  (pit(p, VALLEY) * (p - VALLEY.at)) / VALLEY.width ** 2

/** The cost of one example. */
export function costOf(example: number, p: number): number {
  return smooth(p) + RIPPLE.height * Math.sin(RIPPLE.pace * p + phase(example))
}

// The ripples of a batch add up to one: sin(a + b) and cos(a + b) as products, so that a round costs two sums.
const SIN = Float64Array.from({ length: EXAMPLES }, (_, i) => Math.sin(phase(i)))
const COS = Float64Array.from({ length: EXAMPLES }, (_, i) => Math.cos(phase(i)))

function mean(table: Float64Array, examples: readonly number[]): number {
  let sum = 0
  for (const example of examples) sum += table[example]!
  return sum / examples.length
}

/** The mean cost of some examples. */
export function meanCost(examples: readonly number[], p: number): number {
  const at = RIPPLE.pace * p
  return smooth(p) + RIPPLE.height * (Math.sin(at) * mean(COS, examples) + Math.cos(at) * mean(SIN, examples))
}

/** The mean slope of some examples: what one round feels. */
export function meanSlope(examples: readonly number[], p: number): number {
  const at = RIPPLE.pace * p
  const ripple = Math.cos(at) * mean(COS, examples) - Math.sin(at) * mean(SIN, examples)
  return smoothSlope(p) + RIPPLE.height * RIPPLE.pace * ripple
}

/** All examples in their order. */
export const all: readonly number[] = Array.from({ length: EXAMPLES }, (_, i) => i)

/** The top of the ridge between dent and valley, found on the mean of all examples. */
export const RIDGE: number = highest(DENT.at, VALLEY.at)

function highest(from: number, to: number): number {
  let best = from
  for (let p = from; p < to; p += 0.005) if (meanCost(all, p) > meanCost(all, best)) best = p
  return best
}

/** The examples in a new order. */
export function shuffled(even: () => number): number[] {
  const order = [...all]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(even() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}

/** A walk: the parameter before each round and at the end, and the batch of each round. */
export interface Walk {
  readonly places: readonly number[]
  readonly batches: readonly (readonly number[])[]
}

/** Walks so many rounds: every epoch in a new order, every example once. The batch size divides 64. */
export function walkOf(size: number, eta: number, seed: number, rounds: number = ROUNDS): Walk {
  const even = numbersFrom(seed * 977)
  const places = [START]
  const batches: (readonly number[])[] = []
  let order: number[] = []
  for (let round = 0; round < rounds; round++) {
    if (order.length === 0) order = shuffled(even)
    const batch = order.splice(0, size)
    batches.push(batch)
    const p = places.at(-1)!
    places.push(p - eta * meanSlope(batch, p))
  }
  return { places, batches }
}

/** Where walks of different seeds end. With all examples in every batch the order does not matter. */
export function endsOf(size: number, eta: number, seeds: number, rounds: number = ROUNDS): number[] {
  const end = walkOf(size, eta, 1, rounds).places.at(-1)!
  if (size === EXAMPLES) return Array.from({ length: seeds }, () => end)
  return Array.from({ length: seeds }, (_, i) => walkOf(size, eta, i + 1, rounds).places.at(-1)!)
}

/** Whether a walk ended beyond the ridge. */
export const escaped = (end: number): boolean => end > RIDGE

/** Where dots of equal size stand when they are piled up: the column and the height of each, in dots. */
export function piled(ends: readonly number[], width: number): readonly (readonly [column: number, height: number])[] {
  const piles = new Map<number, number>()
  return ends.map((end) => {
    const column = Math.round(end / width)
    const height = piles.get(column) ?? 0
    piles.set(column, height + 1)
    return [column * width, height]
  })
}
