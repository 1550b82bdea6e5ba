// What a callback is: functions that are called while a model is trained. Knows no model.

import type { Tensor } from "../../core/tensor.ts"
import type { Logs } from "../events.ts"

/** What a callback may look at and change while it is called. */
export interface Training {
  /** The learning rate of the next round; may be set. Throws E_CONFIG unless it is finite and at least 0. */
  learningRate: number
  /** Ends the training after the current round or epoch. */
  stop(): void
  /** The weights now: as `model.getWeights()` gives them. */
  getWeights(): Tensor[]
  setWeights(weights: readonly Tensor[]): void
  readonly epochs: number
}

/**
 * Functions that `fit` calls, with Keras's names; each may be asynchronous. Epochs and batches count from 0.
 * One that throws ends the training with its error; the model keeps its weights.
 * @example
 * ```ts
 * import { type Callback, dense, sequential } from "trilobite"
 * const seen: number[] = []
 * const watch: Callback = { onEpochEnd: (epoch) => { seen.push(epoch) } }
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * await model.fit([[0], [1]], [[0], [1]], { epochs: 2, verbose: 0, callbacks: [watch] })
 * seen // => [0, 1]
 * ```
 */
export interface Callback {
  onTrainBegin?(logs: Logs, training: Training): void | Promise<void>
  onTrainEnd?(logs: Logs, training: Training): void | Promise<void>
  onEpochBegin?(epoch: number, logs: Logs, training: Training): void | Promise<void>
  onEpochEnd?(epoch: number, logs: Logs, training: Training): void | Promise<void>
  onBatchBegin?(batch: number, logs: Logs, training: Training): void | Promise<void>
  onBatchEnd?(batch: number, logs: Logs, training: Training): void | Promise<void>
}

/** The names of a callback's functions. */
export const hooks: readonly (keyof Callback)[] = [
  "onTrainBegin",
  "onTrainEnd",
  "onEpochBegin",
  "onEpochEnd",
  "onBatchBegin",
  "onBatchEnd",
]
