// An open number of epochs (`epochs: "auto"`): the chapter's procedure beside a training. Loaded when a training asks for it.

import { type Decision, decideEpochs, FIRST_EPOCHS } from "../coach/procedures.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Callback, Training } from "./callbacks/callback.ts"
import { numbersOf } from "./callbacks/monitor.ts"

/** What a training with an open number of epochs is led by. */
export interface OpenEpochs {
  /** How many epochs there shall be, as things stand. */
  readonly planned: number
  /** Looks at the costs, before other callbacks do; keeps the best weights and puts them back at the end. */
  readonly callback: Callback
}

/** @param tell hears every decision, before the callbacks hear of the epoch's end */
export function openEpochs(
  initialEpoch: number,
  tell: (decision: Decision, training: Training) => Promise<void>,
): OpenEpochs {
  let epochs = FIRST_EPOCHS
  let costs: number[] = []
  let best = Number.POSITIVE_INFINITY
  let bestWeights: readonly Tensor[] = []
  const callback: Callback = {
    onEpochEnd: async (_, { valLoss }, training) => {
      costs.push(valLoss!)
      if (valLoss! < best) {
        best = valLoss!
        bestWeights = training.getWeights()
      }
      const decision = decideEpochs(costs, epochs)
      if (decision === undefined) return
      if (!decision.ends) epochs = decision.value
      else if (costs.length < epochs) training.stop()
      await tell(decision, training)
    },
    getState: () => ({ type: "autoEpochs", epochs, best, costs: [...costs], bestWeights }),
    setState: (state) => {
      ;[epochs, best] = numbersOf(state, ["epochs", "best"])
      costs = [...(state.costs as readonly number[])]
      bestWeights = state.bestWeights as readonly Tensor[]
    },
    onTrainEnd: (_, training) => {
      if (bestWeights.length > 0) training.setWeights(bestWeights)
    },
  }
  return {
    get planned() {
      return initialEpoch + epochs
    },
    callback,
  }
}
