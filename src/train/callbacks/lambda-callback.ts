// A callback of functions with Keras's names. Knows no model.

import { maybe, type OptionsOf, readOptions, that } from "../../nn/options.ts"
import type { Callback } from "./callback.ts"

/** The functions of {@link lambdaCallback}. */
export interface LambdaCallbackOptions {
  readonly onEpochBegin?: NonNullable<Callback["onEpochBegin"]>
  readonly onEpochEnd?: NonNullable<Callback["onEpochEnd"]>
  readonly onTrainBegin?: NonNullable<Callback["onTrainBegin"]>
  readonly onTrainEnd?: NonNullable<Callback["onTrainEnd"]>
  /** Before a round: `onBatchBegin` of a callback. */
  readonly onTrainBatchBegin?: NonNullable<Callback["onBatchBegin"]>
  /** After a round: `onBatchEnd` of a callback. */
  readonly onTrainBatchEnd?: NonNullable<Callback["onBatchEnd"]>
}

type Resolved = Readonly<Record<keyof LambdaCallbackOptions, (() => void) | undefined>>

const callable = maybe(that("a function", (value): value is () => void => typeof value === "function"))

/** The table of its options. */
export const lambdaCallbackOptions: OptionsOf<Resolved> = {
  onEpochBegin: callable,
  onEpochEnd: callable,
  onTrainBegin: callable,
  onTrainEnd: callable,
  onTrainBatchBegin: callable,
  onTrainBatchEnd: callable,
}

/**
 * A callback from functions with Keras's names; an object with the functions of `Callback` needs no such call. Keras:
 * LambdaCallback.
 * @throws E_CONFIG for a name that Keras does not have, or what is no function.
 * @example
 * ```ts
 * import { dense, lambdaCallback, sequential } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const batches: number[] = []
 * const watch = lambdaCallback({ onTrainBatchEnd: (batch) => void batches.push(batch) })
 * await model.fit([[0], [1], [2]], [[0], [1], [2]], { batchSize: 1, verbose: 0, callbacks: [watch] })
 * batches // => [0, 1, 2]
 * ```
 */
export function lambdaCallback(given: LambdaCallbackOptions): Callback {
  const read = readOptions<Resolved>("lambdaCallback", lambdaCallbackOptions, given)
  const { onTrainBatchBegin: onBatchBegin, onTrainBatchEnd: onBatchEnd, ...others } = read
  const all = Object.entries({ ...others, onBatchBegin, onBatchEnd })
  return Object.fromEntries(all.filter(([, value]) => value !== undefined)) as Callback
}
