// Random integers and orders as a function of (seed, stream, substream, step). Knows random words only.

import { checkInteger, fillWords, type Stream, streamKey, streams, WORDS } from "./random.ts"

/** The most words that are drawn at once. */
const MOST = 4096

/**
 * The integer of [0, bound) that a word stands for, for a bound of [1, 2^31], each equally likely; −1 for words of a surplus, in
 * whose place another is drawn. Source: Lemire, "Fast random integer generation in an interval", 2019.
 */
function bounded(word: number, bound: number): number {
  // word * bound is 64 bits: the upper ones are the answer, unless the lower ones are among the 2^32 mod bound surplus.
  const low = Math.imul(word, bound) >>> 0
  if (low < bound && low < WORDS % bound) return -1
  // Everything stays below 2^32 for small bounds, where shifts are quicker than divisions.
  if (bound <= 65536) return ((word >>> 16) * bound + (((word & 0xffff) * bound) >>> 16)) >>> 16
  return Math.floor(((word >>> 16) * bound + Math.floor(((word & 0xffff) * bound) / 65536)) / 65536)
}

/**
 * Random integers as a function of (seed, stream, substream, step): each call with a bound of [1, 2^31] gives the next one of
 * [0, bound), each equally likely. Throws for a seed outside [0, 2^53) or a substream or step outside [0, 2^32).
 */
export function integers(seed: number, stream: Stream, substream: number, step: number): (bound: number) => number {
  checkInteger("step", step, 0xffffffff)
  const key = streamKey(seed, stream, substream)
  const words = new Int32Array(256)
  let block = 0
  let next = words.length
  return (bound) => {
    for (;;) {
      if (next === words.length) {
        fillWords(words, key, block, step)
        block += words.length / 2
        next = 0
      }
      const drawn = bounded(words[next++]!, bound)
      if (drawn >= 0) return drawn
    }
  }
}

/**
 * A permutation of 0 ... n - 1, each equally likely, as a function of (seed, epoch, stream): Fisher and Yates's shuffle with
 * {@link integers}, written out, which takes half the time. Throws if n is not an integer of [0, 2^31), the epoch not one of
 * [0, 2^32) or the seed not one of [0, 2^53).
 */
export function permutation(n: number, seed: number, epoch: number, stream: Stream = streams.shuffle): Int32Array {
  checkInteger("n", n, 0x7fffffff)
  checkInteger("epoch", epoch, 0xffffffff)
  const key = streamKey(seed, stream, 0)
  const order = new Int32Array(n)
  for (let i = 0; i < n; i++) order[i] = i
  const words = new Int32Array(Math.min(n + (n & 1), MOST))
  let block = 0
  let next = words.length
  for (let last = n - 1; last > 0; ) {
    if (next === words.length) {
      fillWords(words, key, block, epoch)
      block += words.length / 2
      next = 0
    }
    const j = bounded(words[next++]!, last + 1)
    if (j < 0) continue
    const moved = order[last]!
    order[last] = order[j]!
    order[j] = moved
    last--
  }
  return order
}
