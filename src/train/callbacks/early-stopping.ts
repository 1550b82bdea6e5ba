// Early stopping: the chapter's way of leaving the number of epochs open. Knows no model.

import { configError, unknownName } from "../../core/errors.ts"
import type { Tensor } from "../../core/tensor.ts"
import { canonical } from "../../nn/names.ts"
import {
  finiteNumber,
  flag,
  maybe,
  type OptionsOf,
  oneOf,
  optional,
  readOptions,
  text,
  wholeNumber,
} from "../../nn/options.ts"
import type { Callback } from "./callback.ts"

/** The options of {@link earlyStopping}. */
export interface EarlyStoppingOptions {
  /** What to watch (default valLoss). */
  readonly monitor?: string
  /** A change smaller than this is no improvement (default 0). */
  readonly minDelta?: number
  /** Epochs without improvement after which training stops (default 0). */
  readonly patience?: number
  /** Whether less or more is better; by default more for accuracies, less for all else. */
  readonly mode?: "auto" | "min" | "max"
  /** A value that must be beaten to count as an improvement (default none). */
  readonly baseline?: number
  /** Whether the weights of the best epoch are put back at the end (default false). */
  readonly restoreBestWeights?: boolean
  /** The epoch from which on it watches (default 0). */
  readonly startFromEpoch?: number
}

type Resolved = Required<Omit<EarlyStoppingOptions, "baseline">> & { readonly baseline: number | undefined }

const options: OptionsOf<Resolved> = {
  monitor: optional(text(), "valLoss"),
  minDelta: optional(finiteNumber({ least: 0 }), 0),
  patience: optional(wholeNumber(), 0),
  mode: optional(oneOf("mode", ["auto", "min", "max"] as const), "auto"),
  baseline: maybe(finiteNumber()),
  restoreBestWeights: optional(flag(), false),
  startFromEpoch: optional(wholeNumber(), 0),
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
  const read = readOptions<Resolved>("earlyStopping", options, given)
  const { minDelta, patience, mode, baseline, restoreBestWeights, startFromEpoch } = read
  const monitor = canonical(read.monitor)
  const more = mode === "max" || (mode === "auto" && /accuracy$|acc$|auc$/i.test(monitor))
  const better = (a: number, b: number): boolean => (more ? a - minDelta > b : a + minDelta < b)
  const worst = more ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
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
      const value = Object.hasOwn(logs, monitor) ? logs[monitor] : undefined
      if (value === undefined) throw unknownMonitor(monitor, Object.keys(logs))
      if (epoch < startFromEpoch) return
      if (restoreBestWeights && bestWeights === undefined) bestWeights = training.getWeights()
      wait++
      if (better(value, best)) {
        best = value
        if (restoreBestWeights) bestWeights = training.getWeights()
        if (baseline === undefined || better(value, baseline)) wait = 0
        return
      }
      if (wait >= patience && epoch > 0) training.stop()
    },
    onTrainEnd: (_, training) => {
      if (bestWeights !== undefined) training.setWeights(bestWeights)
    },
  }
}

function unknownMonitor(monitor: string, known: readonly string[]): Error {
  if (monitor.startsWith("val") && !known.some((name) => name.startsWith("val"))) {
    return configError({
      where: "earlyStopping",
      what: `there is no ${monitor}: this training has no validation data.`,
      hint: 'Give fit validationData or validationSplit, or watch another number: monitor: "loss".',
    })
  }
  return unknownName("earlyStopping", "number to monitor", monitor, known)
}
