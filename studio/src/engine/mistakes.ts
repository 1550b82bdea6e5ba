// What a net gets wrong: which images, how sure it was, and which digits it takes for which.

import { type Misread, misread } from "../../../cli/answers.ts"
import type { LabelledImages } from "./mnist.ts"

/** An image that was read wrongly. */
export interface Mistake extends Misread {
  readonly pixels: Uint8Array
}

/** The mistakes of an epoch. */
export interface Mistakes {
  readonly epoch: number
  readonly wrong: number
  readonly of: number
  /** How often a digit (row) was said to be another (column). */
  readonly confusion: readonly (readonly number[])[]
  /** The surest first, a few dozen of them. */
  readonly surest: readonly Mistake[]
}

const CLASSES = 10
const SHOWN = 60

/** The mistakes in these probabilities, rows of ten. */
export function mistakesOf(probabilities: ArrayLike<number>, images: LabelledImages, epoch: number): Mistakes {
  const of = images.labels.data.length
  const { confusion, mistakes } = misread(probabilities, CLASSES, images.labels.data)
  const width = images.images.data.length / of
  const pixelsOf = (index: number): Uint8Array =>
    Uint8Array.from(images.images.data.subarray(width * index, width * (index + 1)))
  const surest = mistakes.slice(0, SHOWN).map((mistake) => ({ ...mistake, pixels: pixelsOf(mistake.index) }))
  return { epoch, wrong: mistakes.length, of, confusion, surest }
}
