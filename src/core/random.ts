// Random numbers as a function of (seed, stream, substream, step, index): no state, no clock. Knows no layer and no
// array but the one that it fills.

import type { Arithmetic } from "./arithmetic.ts"
import { float32 } from "./arithmetic.ts"
import { configError, show } from "./errors.ts"
import { log32, polynomial } from "./math.ts"

/**
 * The independent streams of random numbers that one seed gives; the numbers are part of the promise of equal bits.
 */
export const streams = { initialization: 1, shuffle: 2, dropout: 3, augmentation: 4, split: 5, tuning: 6 } as const

/** 2^32, the number of words; 2^-24, the step between uniform numbers. */
export const WORDS = 4294967296
const STEP = 1 / 16777216

/** The number of a stream. */
export type Stream = (typeof streams)[keyof typeof streams]

/** How far the second word is turned in each of four rounds, for groups of rounds of even and of odd number. */
const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const

/** The operations on words that the generator is made of. */
export type Words<I> = Pick<
  Arithmetic<unknown, unknown, I>,
  "intConstant" | "addInt" | "xorInt" | "orInt" | "shiftLeft" | "shiftRightUnsigned"
>

/**
 * The two words of Threefry-2x32 with 20 rounds: a random function of key and counter.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
export function threefryOver<I>(m: Words<I>, key: readonly [I, I], counter: readonly [I, I]): readonly [I, I] {
  const keys = [key[0], key[1], m.xorInt(m.xorInt(key[0], key[1]), m.intConstant(0x1bd11bda))]
  let x0 = m.addInt(counter[0], key[0])
  let x1 = m.addInt(counter[1], key[1])
  for (let group = 1; group <= 5; group++) {
    for (const n of ROTATIONS[(group - 1) % 2]!) {
      x0 = m.addInt(x0, x1)
      x1 = m.xorInt(m.orInt(m.shiftLeft(x1, n), m.shiftRightUnsigned(x1, 32 - n)), x0)
    }
    x0 = m.addInt(x0, keys[group % 3]!)
    x1 = m.addInt(x1, m.addInt(keys[(group + 1) % 3]!, m.intConstant(group)))
  }
  return [x0, x1]
}

/** {@link threefryOver} plain numbers, written out (five times as fast); the words stand at `out[at]` and `out[at + 1]`. */
export function threefry(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  out: Int32Array,
  at: number,
): void {
  const key2 = 0x1bd11bda ^ key0 ^ key1
  let x0 = (counter0 + key0) | 0
  let x1 = (counter1 + key1) | 0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0
  x0 = (x0 + key1) | 0
  x1 = (x1 + key2 + 1) | 0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0
  x0 = (x0 + key2) | 0
  x1 = (x1 + key0 + 2) | 0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0
  x0 = (x0 + key0) | 0
  x1 = (x1 + key1 + 3) | 0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0
  x0 = (x0 + key1) | 0
  x1 = (x1 + key2 + 4) | 0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0
  x0 = (x0 + x1) | 0
  x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0
  x0 = (x0 + key2) | 0
  x1 = (x1 + key0 + 5) | 0
  out[at] = x0
  out[at + 1] = x1
}

/**
 * The two key words of a stream: threefry with key (seed mod 2^32, floor(seed / 2^32)) and counter (stream,
 * substream), so that two streams of one seed never share a key. Throws if the seed is not an integer of [0, 2^53)
 * or the substream not one of [0, 2^32).
 */
export function streamKey(seed: number, stream: Stream, substream: number): Int32Array {
  checkInteger("seed", seed, Number.MAX_SAFE_INTEGER)
  checkInteger("substream", substream, 0xffffffff)
  const key = new Int32Array(2)
  const [low, high] = seedWords(seed)
  threefry(low, high, stream, substream, key, 0)
  return key
}

/** A seed as two words: mod 2^32, and how often 2^32 goes into it. */
export function seedWords(seed: number): readonly [low: number, high: number] {
  return [seed | 0, Math.floor(seed / WORDS)]
}

/** Throws E_CONFIG unless x is an integer of 0 ... most. */
export function checkInteger(where: string, x: number, most: number): void {
  if (Number.isInteger(x) && x >= 0 && x <= most) return
  throw configError({
    where,
    what: "not a number that random numbers can be drawn from.",
    expected: `an integer from 0 to ${most}`,
    got: show(x),
  })
}

/** Word i of `out` is word i mod 2 of the block with counter (first + floor(i / 2), step). */
export function fillWords(out: Int32Array, key: Int32Array, first: number, step: number): void {
  const key0 = key[0]!
  const key1 = key[1]!
  const even = out.length & ~1
  for (let i = 0; i < even; i += 2) threefry(key0, key1, first + (i >>> 1), step, out, i)
  if (even === out.length) return
  const last = new Int32Array(2)
  threefry(key0, key1, first + (even >>> 1), step, last, 0)
  out[even] = last[0]!
}

/** The number k 2^-24 of [0, 1) with k the upper 24 bits of a word. */
export function uniformOver<V, B, I>(m: Arithmetic<V, B, I>, word: I): V {
  return m.mul(m.toFloat(m.shiftRightUnsigned(word, 8)), m.constant(STEP))
}

/**
 * The number that {@link fillUniform} would write at a place, for the key of a stream: the same as there, without those before it.
 */
export function uniformAt(key: Int32Array, step: number, index: number): number {
  threefry(key[0]!, key[1]!, index >>> 1, step, block, 0)
  return uniformOver(float32, block[index & 1]!)
}

/** The words of one block; their content means nothing between two calls. */
const block = new Int32Array(2)

/**
 * Fills the memory of `out` with the random words of (seed, stream, substream, step), and answers them as integers.
 */
function drawWords(out: Float32Array, seed: number, stream: Stream, substream: number, step: number): Int32Array {
  const key = streamKey(seed, stream, substream)
  checkInteger("step", step, 0xffffffff)
  const words = new Int32Array(out.buffer, out.byteOffset, out.length)
  fillWords(words, key, 0, step)
  return words
}

/**
 * u - 1/2 for the uniform u = (k + 1/2) 2^-24 of the open interval (0, 1), k the upper 24 bits of a word; exact in
 * float32.
 */
function centredUniform(word: number): number {
  return (((word ^ 0x80000000) >> 8) + 0.5) * STEP
}

/**
 * Fills `out` with uniform numbers of [0, 1): k 2^-24 with k the upper 24 bits of word i of (seed, stream,
 * substream, step). Throws for a seed outside [0, 2^53) or a substream or step outside [0, 2^32).
 */
export function fillUniform(out: Float32Array, seed: number, stream: Stream, substream: number, step: number): void {
  const words = drawWords(out, seed, stream, substream, step)
  for (let i = 0; i < out.length; i++) out[i] = uniformOver(float32, words[i]!)
}

/**
 * Fills `out` with numbers of the normal distribution, rounded as mean + (std * z); otherwise as
 * {@link fillUniform}.
 */
export function fillNormal(
  out: Float32Array,
  mean: number,
  std: number,
  seed: number,
  stream: Stream,
  substream: number,
  step: number,
): void {
  const words = drawWords(out, seed, stream, substream, step)
  const [mean32, std32] = [Math.fround(mean), Math.fround(std)]
  for (let i = 0; i < out.length; i++) {
    const z = normalFromUniform(float32, log32, centredUniform(words[i]!))
    out[i] = mean32 + Math.fround(std32 * z)
  }
}

/** Phi(2) - Phi(-2): how much of the normal distribution lies within two standard deviations. */
const WITHIN_TWO = 0.9544997361036416

/**
 * Fills `out` with numbers of the normal distribution cut off at mean +-2 std (the uniform number is mapped to
 * [Phi(-2), Phi(2)]: nothing is drawn again, nothing clipped but by rounding); otherwise as {@link fillUniform}.
 * The standard deviation of the result is 0.8796 std.
 */
export function fillTruncatedNormal(
  out: Float32Array,
  mean: number,
  std: number,
  seed: number,
  stream: Stream,
  substream: number,
  step: number,
): void {
  const words = drawWords(out, seed, stream, substream, step)
  const [mean32, std32] = [Math.fround(mean), Math.fround(std)]
  for (let i = 0; i < out.length; i++) {
    const z = normalFromUniform(float32, log32, Math.fround(centredUniform(words[i]!) * WITHIN_TWO))
    out[i] = mean32 + Math.fround(std32 * Math.max(-2, Math.min(2, z)))
  }
}

/** The coefficients of PPND7, lowest power first: near the middle as a function of 0.425^2 - q^2, else of r - 1.6. */
const MIDDLE_ABOVE: readonly number[] = [3.3871327179, 50.434271938, 159.29113202, 59.10937472]
const MIDDLE_BELOW: readonly number[] = [1, 17.895169469, 78.757757664, 67.1875636]
const TAIL_ABOVE: readonly number[] = [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103]
const TAIL_BELOW: readonly number[] = [1, 0.7370016425, 0.12021132975]

/** The operations of a quotient of polynomials that is chosen by the size of its argument. */
export type Rational<V, B> = Pick<
  Arithmetic<V, B, never>,
  "constant" | "add" | "sub" | "mul" | "div" | "neg" | "abs" | "sqrt" | "less" | "lessEqual" | "select"
>

/**
 * The x with Phi(x) = 1/2 + q, for -1/2 < q < 1/2: algorithm AS 241 (PPND7), relative error below 4e-7 in float32
 * (all 2^24 inputs of fillNormal checked). Its third range, probabilities below e^-25, cannot occur: 1/2 - |q| is at
 * least 2^-25 in float32. Source: Wichura, "The percentage points of the normal distribution", Applied Statistics 37
 * (1988) 477-484.
 */
export function normalFromUniform<V, B>(m: Rational<V, B>, log: (x: V) => V, q: V): V {
  const size = m.abs(q)
  const middle = m.lessEqual(size, m.constant(0.425))
  const near = m.sub(m.constant(0.180625), m.mul(q, q))
  const far = m.sub(m.sqrt(m.neg(log(m.sub(m.constant(0.5), size)))), m.constant(1.6))
  const tail = polynomial(m, far, TAIL_ABOVE)
  const signed = m.select(m.less(q, m.constant(0)), m.neg(tail), tail)
  const above = m.select(middle, m.mul(q, polynomial(m, near, MIDDLE_ABOVE)), signed)
  const below = m.select(middle, polynomial(m, near, MIDDLE_BELOW), polynomial(m, far, TAIL_BELOW))
  return m.div(above, below)
}
