// The learning rate of a model between rounds: a number that may be changed at any time, or a schedule; the optimizer of a model as
// its user sees it. Knows no model.

import { configError } from "../core/errors.ts"
import type { LearningRate } from "../nn/optimizers/common.ts"
import type { Optimizer } from "../nn/optimizers.ts"
import { finiteNumber, readValue } from "../nn/options.ts"
import { learningRateAt } from "../nn/schedules.ts"

/** A learning rate that is asked for every step. */
export interface Rate {
  at(step: number): number
  /** Throws E_CONFIG unless it is finite and at least 0, and for a rate that a schedule gives. */
  set(value: number): void
}

/** The rate that an optimizer begins with. */
export function rateOf(learningRate: LearningRate): Rate {
  if (typeof learningRate !== "number") {
    return {
      at: (step) => learningRateAt(learningRate, step),
      set: () => {
        const hint = "Compile with a number as learningRate, or change the schedule."
        throw configError({ where: "learningRate", what: "a schedule says what the learning rate is.", hint })
      },
    }
  }
  let rate = learningRate
  return {
    at: () => rate,
    set: (value) => {
      rate = readValue("learningRate", finiteNumber({ least: 0 }), value)
    },
  }
}

/** The optimizer of a model: its options as they were given, and the learning rate of the next round, which may be set. */
export interface ModelOptimizer {
  readonly type: Optimizer["type"]
  readonly config: Optimizer
  learningRate: number
}

/** The optimizer with its rate after so many rounds. */
export function optimizerOf(config: Optimizer, rate: Rate, step: () => number): ModelOptimizer {
  return {
    type: config.type,
    config,
    get learningRate() {
      return rate.at(step())
    },
    set learningRate(value) {
      rate.set(value)
    },
  }
}
