// Two neurons from one saturated start, one per cost: what each answers after every round.

import { binaryCrossentropy, dense, type Model, meanSquaredError, sequential, sgd } from "trilobite"
import type { Job } from "../protocol.ts"
import { engine } from "../trilobite.ts"

/** The start and the wish. */
export interface RaceParams {
  /** The weighted input z at the start; the input is 1 and the bias 0. */
  readonly z: number
  readonly activation: "sigmoid" | "tanh"
  /** The wanted answer. */
  readonly y: number
  readonly learningRate: number
  readonly rounds: number
}

/** Both answers after a round. */
export interface RaceEvent {
  readonly round: number
  readonly quadratic: number
  readonly crossEntropy: number
}

function neuron({ z, activation, learningRate }: RaceParams, loss: "quadratic" | "crossEntropy"): Model {
  const model = sequential([dense({ units: 1, activation, inputShape: [1] })], engine({ seed: 1 }))
  model.setWeights([[[z]], [0]])
  const given = loss === "quadratic" ? meanSquaredError() : binaryCrossentropy()
  model.compile({ loss: given, optimizer: sgd({ learningRate }) })
  return model
}

/** Trains both, a round each at a time. */
export const race: Job<RaceParams, RaceEvent> = async function* (params, { signal }) {
  const models = [neuron(params, "quadratic"), neuron(params, "crossEntropy")] as const
  const answers = async (): Promise<readonly [number, number]> => {
    const both = await Promise.all(models.map((model) => model.predict([[1]])))
    return [both[0]!.data[0]!, both[1]!.data[0]!]
  }
  for (let round = 0; round <= params.rounds && !signal.aborted; round++) {
    const [quadratic, crossEntropy] = await answers()
    yield { round, quadratic, crossEntropy }
    await Promise.all(models.map((model) => model.trainOnBatch([[1]], [[params.y]])))
  }
}
