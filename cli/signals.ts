// What is observed of a run beside its cost: the types of the lines of signals.jsonl. Imports nothing: a page may have it.

/** How the weights of a kernel are distributed: counts in equally wide intervals from min to max. */
export interface WeightCounts {
  readonly min: number
  readonly max: number
  readonly counts: readonly number[]
}

/** What was seen of a layer with a kernel. */
export interface LayerSignals {
  readonly layer: string
  /** The Euclidean length of the way of its kernel in this epoch. */
  readonly speed: number
  readonly weights: WeightCounts
  /** The Euclidean length of the gradient of its kernel, for the cost of the first training rows. */
  readonly gradient?: number
  /** If its activation has a flat part: neurons, the share of flat values; for relu the neurons that are 0 for all rows looked at. */
  readonly units?: number
  readonly saturated?: number
  readonly dead?: number
}

/** A validation row that was read wrong: its number, the true class, the class that was said, and how surely. */
export interface Mistake {
  readonly index: number
  readonly label: number
  readonly said: number
  readonly probability: number
}

/** What was predicted for the validation rows: for all, or, where they are read in pieces, for the first piece. */
export interface Answers {
  /** How many rows of a true class (first) were said to be of a class (second). */
  readonly confusion: readonly (readonly number[])[]
  /** The surest mistakes, the surest first. */
  readonly mistakes: readonly Mistake[]
  /** The numbers of the rows that were read wrong, the surest first; not more than a thousand. */
  readonly wrong: readonly number[]
}

/**
 * A line of signals.jsonl: what was seen at the end of an epoch, counted from 1. Speeds and weights are there after every epoch;
 * gradients, flat values and answers, which take longer, after the first and the last and so many of the others that all of it
 * takes a few hundredths of the training's time.
 */
export interface Signals {
  readonly epoch: number
  readonly learningRate: number
  /** Training rows in a second of training. */
  readonly samplesPerSecond: number
  /** Rows that were looked at for gradients (of the training data) and for flat values (of the validation data). */
  readonly rows: number
  readonly layers: readonly LayerSignals[]
  readonly answers?: Answers
}
