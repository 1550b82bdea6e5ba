// A real slice through the cost of a small network: it is trained, then two of its weights are moved over a grid.

import { dense, type Model, sequential, sgd } from "trilobite"
import { spirals } from "../../lessons/spirals.ts"
import type { Job } from "../protocol.ts"
import { engine } from "../trilobite.ts"

/** Which network, and how fine the grid is. */
export interface LandscapeParams {
  readonly seed: number
  readonly size: number
  readonly reach: number
}

/** The costs row by row, as far as they are computed. */
export interface LandscapeEvent {
  readonly done: number
  readonly costs: readonly number[]
}

/** Both weights that are moved: from the first input to the first and to the second neuron. */
const PLACES = [0, 1] as const

/** The cost of the network with both weights moved by these amounts, for each pair in turn. */
export const landscape: Job<LandscapeParams, LandscapeEvent> = async function* (params, { signal }) {
  const { seed, size, reach } = params
  const data = spirals(100, 0.12, 1)
  const model: Model = sequential(
    [dense({ units: 3, activation: "tanh", inputShape: [2] }), dense({ units: 1, activation: "sigmoid" })],
    engine({ seed, threads: 1 }),
  )
  model.compile({ loss: "binaryCrossentropy", optimizer: sgd({ learningRate: 0.5 }) })
  await model.fit(data.x, data.y, { epochs: 60, batchSize: 10, verbose: 0, signal })
  const before = model.getWeights()
  const kernel = Float32Array.from(before[0]!.data)
  const costs: number[] = []
  for (let j = 0; j < size && !signal.aborted; j++) {
    for (let i = 0; i < size; i++) {
      const moved = Float32Array.from(kernel)
      moved[PLACES[0]]! = -reach + (2 * reach * i) / (size - 1)
      moved[PLACES[1]]! = -reach + (2 * reach * j) / (size - 1)
      model.setWeights([{ ...before[0]!, data: moved }, ...before.slice(1)])
      costs.push((await model.evaluate(data.x, data.y, { batchSize: 100 })).loss ?? Number.NaN)
    }
    yield { done: (j + 1) / size, costs: j === size - 1 ? costs : [] }
  }
}
