// Early stopping: the chapter's way of leaving the number of epochs open. Knows no model.

import type { Tensor } from "../../core/tensor.ts"
import {
  finiteNumber,
  flag,
  maybe,
  type OptionsOf,
  optional,
  readOptions,
  text,
  wholeNumber,
} from "../../nn/options.ts"
import type { Callback } from "./callback.ts"
import { type MonitorMode, modeOption, monitorOf, numbersOf, say, verboseOption } from "./monitor.ts"

/** The options of {@link earlyStopping}. */
export interface EarlyStoppingOptions {
  /** What to watch (default valLoss). */
  readonly monitor?: string
  /** A change smaller than this is no improvement (default 0). */
  readonly minDelta?: number
  /** Epochs without improvement after which training stops (default 0). */
  readonly patience?: number
  /** Whether less or more is better; by default more for accuracies, less for all else. */
  readonly mode?: MonitorMode
  /** A value that must be beaten to count as an improvement (default none). */
  readonly baseline?: number
  /** Whether the weights of the best epoch are put back at the end (default false). */
  readonly restoreBestWeights?: boolean
  /** The epoch from which on it watches (default 0). */
  readonly startFromEpoch?: number
  /** 1: a line says when it stops (default 0). */
  readonly verbose?: 0 | 1
}

type Resolved = Required<Omit<EarlyStoppingOptions, "baseline">> & { readonly baseline: number | undefined }

/** The table of its options. */
export const earlyStoppingOptions: OptionsOf<Resolved> = {
  monitor: optional(text(), "valLoss"),
  minDelta: optional(finiteNumber({ least: 0 }), 0),
  patience: optional(wholeNumber(), 0),
  mode: modeOption,
  baseline: maybe(finiteNumber()),
  restoreBestWeights: optional(flag(), false),
  startFromEpoch: optional(wholeNumber(), 0),
  verbose: verboseOption,
}

/**
 * Stops training when the watched number has not improved for `patience` epochs. Keras: EarlyStopping. The
 * best weights are put back whatever ended the training (an error, too), if `restoreBestWeights` is set.
 * @throws E_CONFIG for a wrong option, or if the watched number does not exist.
 * @example
 * ```ts
 * import { dense, earlyStopping, sequential } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const stop = earlyStopping({ monitor: "loss", patience: 2, minDelta: 1e6 })
 * const { epoch } = await model.fit([[0], [1]], [[0], [1]], { epochs: 50, verbose: 0, callbacks: [stop] })
 * epoch.length // => 3
 * ```
 */
export function earlyStopping(given: EarlyStoppingOptions = {}): Callback {
  const read = readOptions<Resolved>("earlyStopping", earlyStoppingOptions, given)
  const { patience, baseline, restoreBestWeights, startFromEpoch, verbose } = read
  const monitor = monitorOf("earlyStopping", read)
  const { better, worst } = monitor
  let best = worst
  let wait = 0
  let bestWeights: Tensor[] | undefined
  return {
    onTrainBegin: () => {
      best = worst
      wait = 0
      bestWeights = undefined
    },
    onEpochEnd: (epoch, logs, training) => {
      const value = monitor.read(logs)
      if (epoch < startFromEpoch) return
      if (restoreBestWeights && bestWeights === undefined) bestWeights = training.getWeights()
      wait++
      if (better(value, best)) {
        best = value
        if (restoreBestWeights) bestWeights = training.getWeights()
        if (baseline === undefined || better(value, baseline)) wait = 0
        return
      }
      if (wait < patience || epoch === 0) return
      say(verbose, `Epoch ${epoch + 1}: early stopping`)
      training.stop()
    },
    getState: () => ({ type: "earlyStopping", best, wait, bestWeights: bestWeights ?? [] }),
    setState: (state) => {
      ;[best, wait] = numbersOf(state, ["best", "wait"])
      const weights = state.bestWeights as readonly Tensor[]
      bestWeights = weights.length === 0 ? undefined : [...weights]
    },
    onTrainEnd: (_, training) => {
      if (bestWeights !== undefined) training.setWeights(bestWeights)
    },
  }
}
