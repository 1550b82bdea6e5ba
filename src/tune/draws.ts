// The random numbers of one trial: a function of (seed, number of the trial, place), whatever else was drawn. Knows no knob.

import { float32 } from "../core/arithmetic.ts"
import { log32 } from "../core/math.ts"
import { normalFromUniform, streamKey, streams, uniformAt } from "../core/random.ts"

/** A source of random numbers. */
export interface Draws {
  /** The next number of [0, 1), a multiple of 2⁻²⁴. */
  uniform(): number
  /** The next number of the normal distribution with mean 0 and deviation 1. */
  normal(): number
}

const HALF_STEP = 1 / 33554432

/** The random numbers of a trial: Threefry's, of the stream `tuning`. Throws for a seed outside [0, 2^53). */
export function drawsOf(seed: number, trial: number): Draws {
  const key = streamKey(seed, streams.tuning, trial)
  let next = 0
  const uniform = (): number => uniformAt(key, 0, next++)
  // The middle of the step of 2⁻²⁴, less ½: never ±½.
  return { uniform, normal: () => normalFromUniform(float32, log32, uniform() + HALF_STEP - 0.5) }
}
