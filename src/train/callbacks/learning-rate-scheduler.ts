// A learning rate that a function of the epoch says. Knows no model.

import { configError, show } from "../../core/errors.ts"
import { type OptionsOf, readOptions, required, that } from "../../nn/options.ts"
import type { Callback } from "./callback.ts"
import { say, verboseOption } from "./monitor.ts"

/** The options of {@link learningRateScheduler}. */
export interface LearningRateSchedulerOptions {
  /** The learning rate of an epoch (from 0), given the one before. */
  readonly schedule: (epoch: number, learningRate: number) => number
  /** 1: a line says the rate of every epoch (default 0). */
  readonly verbose?: 0 | 1
}

type Resolved = Required<LearningRateSchedulerOptions>

/** The table of its options. */
export const learningRateSchedulerOptions: OptionsOf<Resolved> = {
  schedule: required(
    that("a function (epoch, learningRate) => number", (value): value is Resolved["schedule"] => {
      return typeof value === "function"
    }),
  ),
  verbose: verboseOption,
}

/**
 * Sets the learning rate at the beginning of every epoch to what `schedule(epoch, learningRate)` gives. Keras:
 * LearningRateScheduler.
 * @throws E_CONFIG for a wrong option, or if the schedule gives no finite number of at least 0.
 * @example
 * ```ts
 * import { dense, learningRateScheduler, sequential } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const rates: number[] = []
 * const slower = learningRateScheduler({ schedule: (epoch, rate) => (epoch < 2 ? rate : rate / 2) })
 * const watch = { onEpochEnd: (_: number, __: object, training: { learningRate: number }) => void rates.push(training.learningRate) }
 * await model.fit([[0], [1]], [[0], [1]], { epochs: 4, verbose: 0, callbacks: [slower, watch] })
 * rates // => [0.01, 0.01, 0.005, 0.0025]
 * ```
 */
export function learningRateScheduler(given: LearningRateSchedulerOptions): Callback {
  const { schedule, verbose } = readOptions<Resolved>("learningRateScheduler", learningRateSchedulerOptions, given)
  return {
    onEpochBegin: (epoch, _, training) => {
      const rate: unknown = schedule(epoch, training.learningRate)
      if (typeof rate !== "number" || !Number.isFinite(rate) || rate < 0) {
        throw configError({
          where: "learningRateScheduler.schedule",
          what: `this is no learning rate, for epoch ${epoch}.`,
          expected: "a finite number of at least 0",
          got: show(rate),
        })
      }
      training.learningRate = rate
      say(verbose, `Epoch ${epoch + 1}: the learning rate is ${rate}`)
    },
  }
}
