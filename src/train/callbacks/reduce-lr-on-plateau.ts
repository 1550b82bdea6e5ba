// A learning rate that falls when a number no longer improves. Knows no model.

import { finiteNumber, type OptionsOf, optional, readOptions, text, wholeNumber } from "../../nn/options.ts"
import type { Callback } from "./callback.ts"
import { type MonitorMode, modeOption, monitorOf, numbersOf, say, verboseOption } from "./monitor.ts"

/** The options of {@link reduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** What to watch (default valLoss). */
  readonly monitor?: string
  /** What the learning rate is multiplied by, below 1 (default 0.1). */
  readonly factor?: number
  /** Epochs without improvement after which it falls (default 10). */
  readonly patience?: number
  /** Whether less or more is better; by default more for accuracies and scores, less for all else. */
  readonly mode?: MonitorMode
  /** A change smaller than this is no improvement (default 0.0001). */
  readonly minDelta?: number
  /** Epochs after a fall in which nobody counts (default 0). */
  readonly cooldown?: number
  /** The least learning rate (default 0). */
  readonly minLr?: number
  /** 1: a line says when it falls (default 0). */
  readonly verbose?: 0 | 1
}

type Resolved = Required<ReduceLROnPlateauOptions>

/** The table of its options. */
export const reduceLROnPlateauOptions: OptionsOf<Resolved> = {
  monitor: optional(text(), "valLoss"),
  factor: optional(finiteNumber({ least: 0, below: 1 }), 0.1),
  patience: optional(wholeNumber(), 10),
  mode: modeOption,
  minDelta: optional(finiteNumber({ least: 0 }), 1e-4),
  cooldown: optional(wholeNumber(), 0),
  minLr: optional(finiteNumber({ least: 0 }), 0),
  verbose: verboseOption,
}

/**
 * Multiplies the learning rate by `factor` when the watched number has not improved for `patience` epochs, down to `minLr`:
 * η becomes max(η · factor, minLr). Keras: ReduceLROnPlateau.
 * @throws E_CONFIG for a wrong option, or if the watched number does not exist.
 * @example
 * ```ts
 * import { dense, reduceLROnPlateau, sequential, sgd } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.5 }) })
 * const rates: number[] = []
 * const reduce = reduceLROnPlateau({ monitor: "loss", factor: 0.5, patience: 1, minDelta: 1e6 })
 * const watch = { onEpochBegin: (_: number, __: object, training: { learningRate: number }) => void rates.push(training.learningRate) }
 * await model.fit([[0], [1]], [[0], [1]], { epochs: 4, verbose: 0, callbacks: [reduce, watch] })
 * rates // => [0.5, 0.5, 0.25, 0.125]
 * ```
 */
export function reduceLROnPlateau(given: ReduceLROnPlateauOptions = {}): Callback {
  const read = readOptions<Resolved>("reduceLROnPlateau", reduceLROnPlateauOptions, given)
  const { factor, patience, cooldown, minLr, verbose } = read
  const { better, worst, read: monitored } = monitorOf("reduceLROnPlateau", read)
  let best = worst
  let wait = 0
  let cooling = 0
  return {
    onTrainBegin: () => {
      best = worst
      wait = 0
      cooling = 0
    },
    getState: () => ({ type: "reduceLROnPlateau", best, wait, cooling }),
    setState: (state) => {
      ;[best, wait, cooling] = numbersOf(state, ["best", "wait", "cooling"])
    },
    onEpochEnd: (epoch, logs, training) => {
      const value = monitored(logs)
      if (cooling > 0) {
        cooling--
        wait = 0
      }
      if (better(value, best)) {
        best = value
        wait = 0
        return
      }
      if (cooling > 0) return
      wait++
      const old = training.learningRate
      if (wait < patience || old <= minLr) return
      training.learningRate = Math.max(old * factor, minLr)
      say(verbose, `Epoch ${epoch + 1}: the learning rate falls to ${training.learningRate}`)
      cooling = cooldown
      wait = 0
    },
  }
}
