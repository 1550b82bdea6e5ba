// What a net gets wrong: which images, how sure it was, and which digits it takes for which.

import type { LabelledImages } from "./mnist.ts"

/** An image that was read wrongly. */
export interface Mistake {
  readonly index: number
  readonly label: number
  readonly said: number
  /** The probability of what was said, and of what is true. */
  readonly sure: number
  readonly truth: number
  readonly pixels: Uint8Array
}

/** The mistakes of an epoch. */
export interface Mistakes {
  readonly epoch: number
  readonly wrong: number
  readonly of: number
  /** How often a digit (row) was said to be another (column); 0 on the diagonal. */
  readonly mixUps: readonly (readonly number[])[]
  /** The surest first, a few dozen of them. */
  readonly surest: readonly Mistake[]
}

const CLASSES = 10
const SHOWN = 60

/** The mistakes in these probabilities, rows of ten. */
export function mistakesOf(probabilities: ArrayLike<number>, images: LabelledImages, epoch: number): Mistakes {
  const of = images.labels.data.length
  const mixUps = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0))
  const all: Omit<Mistake, "pixels">[] = []
  for (let index = 0; index < of; index++) {
    const row = CLASSES * index
    let said = 0
    for (let k = 1; k < CLASSES; k++) if (probabilities[row + k]! > probabilities[row + said]!) said = k
    const label = images.labels.data[index]!
    if (said === label) continue
    mixUps[label]![said]!++
    all.push({ index, label, said, sure: probabilities[row + said]!, truth: probabilities[row + label]! })
  }
  all.sort((a, b) => b.sure - a.sure || a.index - b.index)
  const width = images.images.data.length / of
  const pixelsOf = (index: number): Uint8Array =>
    Uint8Array.from(images.images.data.subarray(width * index, width * (index + 1)))
  const surest = all.slice(0, SHOWN).map((mistake) => ({ ...mistake, pixels: pixelsOf(mistake.index) }))
  return { epoch, wrong: all.length, of, mixUps, surest }
}
