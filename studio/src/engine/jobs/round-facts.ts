// What the page and the job of rounds say to each other: places of a training, and what a round computes there.

/** The learning rate of the net. */
export const RATE = 0.1

/** Where to stop: before a round (counted from 1) of an epoch (counted from 1). */
export interface Place {
  readonly batch: number
  readonly epoch: number
  readonly round: number
}

/** What the page asks for. The newest wish counts. */
export type RoundMessage =
  | ({ readonly type: "look" } & Place)
  /** Trains from here to the end of the epoch, in `pieces`, with a pause of so many milliseconds after each. */
  | ({ readonly type: "run"; readonly pieces: number; readonly pause: number } & Place)
  | { readonly type: "pause" }

/** One weight in a round: where it stands, what it was, its gradient and what it became. */
export interface OneWeight {
  readonly from: number
  readonly to: number
  readonly before: number
  readonly gradient: number
  readonly after: number
}

/** What a layer heard in a round. */
export interface LayerRound {
  /** Euclidean length of the gradient of its kernel and its bias. */
  readonly gradient: number
  readonly weights: number
  readonly largest: OneWeight
}

/** Everything that a round computes. */
export interface RoundFacts extends Place {
  readonly type: "round"
  readonly images: Int32Array
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
  /** Ten numbers for each image, before the update. */
  readonly outputs: Float32Array
  /** The cost of the batch before the update, and of the same batch after it. */
  readonly cost: number
  readonly costAfter: number
  readonly layers: readonly LayerRound[]
}

/** How far a training is. */
export interface RoundProgress {
  readonly type: "progress"
  readonly epoch: number
  /** Rounds that are done. */
  readonly done: number
  /** Means over the rounds of the newest piece. */
  readonly cost: number
  readonly accuracy: number
  /** Seconds of training, without pauses. */
  readonly seconds: number
}

/** What the job tells. */
export type RoundEvent =
  | RoundFacts
  | RoundProgress
  | { readonly type: "seeking"; readonly epoch: number; readonly done: number }
  | { readonly type: "epochDone"; readonly epoch: number; readonly seconds: number }
  | { readonly type: "absent"; readonly message: string }
