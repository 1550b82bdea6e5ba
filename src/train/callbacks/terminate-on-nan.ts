// What happens when the loss is no longer a number. Knows no model.

import { flag, type OptionsOf, optional, readOptions } from "../../nn/options.ts"
import type { Callback } from "./callback.ts"
import { say } from "./monitor.ts"

/** The options of {@link terminateOnNaN}. */
export interface TerminateOnNaNOptions {
  /** True: fit throws E_DIVERGED, as it does without this callback (default false). */
  readonly raiseError?: boolean
}

/** The table of its options. */
export const terminateOnNaNOptions: OptionsOf<Required<TerminateOnNaNOptions>> = {
  raiseError: optional(flag(), false),
}

/**
 * Ends the training without an error when the loss of a round is NaN or infinite. Such a round never changes the weights, with
 * or without this callback; without it `fit` throws E_DIVERGED. Keras: TerminateOnNaN.
 * @throws E_CONFIG for a wrong option.
 * @example
 * ```ts
 * import { dense, sequential, sgd, terminateOnNaN } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: sgd({ learningRate: 1e30 }) })
 * const history = await model.fit([[1]], [[2]], { epochs: 9, verbose: 0, callbacks: [terminateOnNaN()] })
 * history.ended // => "stopped"
 * ```
 */
export function terminateOnNaN(given: TerminateOnNaNOptions = {}): Callback {
  const { raiseError } = readOptions<Required<TerminateOnNaNOptions>>("terminateOnNaN", terminateOnNaNOptions, given)
  return {
    onDiverged: (error, training) => {
      if (raiseError) return
      say(1, `${error.where}: ${error.what} The training ends.`)
      training.stop()
    },
  }
}
