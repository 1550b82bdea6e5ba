// What a callback is: functions that are called while a model is trained. Knows no model.

import type { Finding } from "../../coach/finding.ts"
import type { Decision } from "../../coach/procedures.ts"
import type { TrilobiteError } from "../../core/errors.ts"
import type { Tensor, TensorLike } from "../../core/tensor.ts"
import type { CallbackState } from "../../formats/saved-model.ts"
import type { FitEvent, Logs } from "../events.ts"

/** A value of a layer that lasts: `dense`, `kernel`. */
export interface LayerWeights {
  readonly layer: string
  readonly name: string
  readonly tensor: Tensor
}

/** What a hidden layer gives for some rows, `[rows, ...]`, and the name of the activation that made it. */
export interface LayerActivations {
  readonly layer: string
  readonly activation: string
  readonly values: Tensor
}

/** What a callback may look at and change while it is called. */
export interface Training {
  /** The learning rate of the next round; may be set. Throws E_CONFIG unless it is finite and at least 0. */
  learningRate: number
  /** Ends the training after the current round or epoch. */
  stop(): void
  /** The weights now: as `model.getWeights()` gives them. */
  getWeights(): Tensor[]
  setWeights(weights: readonly Tensor[]): void
  /** The weights now, each with its layer and its name in it, in the order of `getWeights`: copies. */
  weights(): readonly LayerWeights[]
  /** What the hidden layers give for these rows, in the order of the layers. */
  activations(rows: TensorLike): Promise<readonly LayerActivations[]>
  /** Saves the model as `model.save(path)` does. */
  save(path: string): Promise<void>
  /** Saves the weights alone: a safetensors file with a tensor `layer/name` for each. */
  saveWeights(path: string): Promise<void>
  /** How many epochs there shall be: with `epochs: "auto"` as things stand. */
  readonly epochs: number
  /** Rounds that the optimizer has done. */
  readonly step: number
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
  /**
   * The loss of a round was not finite; the round was not applied. If this stops the training, it ends as one that was
   * stopped; otherwise `fit` throws the error.
   */
  onDiverged?(error: TrilobiteError, training: Training): void | Promise<void>
  /** The coach has found something; `fit` watches the training if a callback has this function. */
  onFinding?(finding: Finding, training: Training): void | Promise<void>
  /** A procedure has decided something (`epochs: "auto"`: how many there shall be), before `onEpochEnd`. */
  onDecision?(decision: Decision, training: Training): void | Promise<void>
  /** Everything that happens, as plain data, before the functions above; `progress` comes about ten times a second. */
  onEvent?(event: FitEvent, training: Training): void | Promise<void>
  /** What it must know again when the training goes on after an interruption (`fit({ resume })`): asked when the model is saved. */
  getState?(): CallbackState
  /** Takes what `getState` has given, after onTrainBegin. */
  setState?(state: CallbackState): void
}

/** The names of a callback's functions. */
export const hooks: readonly (keyof Callback)[] = [
  "onTrainBegin",
  "onTrainEnd",
  "onEpochBegin",
  "onEpochEnd",
  "onBatchBegin",
  "onBatchEnd",
  "onDiverged",
  "onFinding",
  "onDecision",
  "onEvent",
]
