// A slice through the cost of a real small network: one weight is moved, all others stay, and the library says the cost.

import { dense, sequential } from "trilobite"
import type { Job } from "../protocol.ts"
import { engine } from "../trilobite.ts"

/** Where the slice lies, and how finely. */
export interface SliceParams {
  readonly from: number
  readonly to: number
  readonly points: number
  readonly seed: number
}

/** The costs along the slice. */
export interface SliceEvent {
  readonly costs: readonly number[]
}

/** Forty points of a wave that the net should answer. */
function wave(): { readonly x: number[][]; readonly y: number[][] } {
  const x = Array.from({ length: 40 }, (_, i) => [-3 + (6 * i) / 39])
  return { x, y: x.map(([v]) => [Math.sin(1.4 * v!) * 0.8 + 0.15 * v!]) }
}

/** A net 1-3-1 with tanh, whose first weight of the first layer is moved. */
export const slice: Job<SliceParams, SliceEvent> = async function* ({ from, to, points, seed }, { signal }) {
  const layers = [dense({ units: 3, activation: "tanh", inputShape: [1] }), dense({ units: 1 })]
  const model = sequential(layers, engine({ seed }))
  model.compile({ loss: "mse" })
  const { x, y } = wave()
  model.setWeights([[[1.5, -0.8, 0.6]], [0.2, 1.6, -0.4], [[1.1], [0.9], [-0.7]], [0.1]])
  const weights = model.getWeights()
  const costs: number[] = []
  for (let i = 0; i < points && !signal.aborted; i++) {
    const kernel = Float32Array.from(weights[0]!.data as Float32Array)
    kernel[0] = from + (i * (to - from)) / (points - 1)
    model.setWeights([{ ...weights[0]!, data: kernel }, ...weights.slice(1)])
    costs.push((await model.evaluate(x, y)).loss!)
  }
  yield { costs }
}
