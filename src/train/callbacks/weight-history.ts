// Snapshots of the weights while a model is trained. Knows no model.

import { flag, type OptionsOf, optional, positiveInteger, readOptions } from "../../nn/options.ts"
import { type Histogram, histogramOf } from "../histogram.ts"
import type { Callback, LayerWeights, Training } from "./callback.ts"

/** The options of {@link weightHistory}. */
export interface WeightHistoryOptions {
  /** Epochs between two snapshots (default 1: after every epoch). */
  readonly freq?: number
  /** Intervals of the histograms (default 30). */
  readonly bins?: number
  /** Whether the weights themselves are kept, not only how they are distributed (default true). */
  readonly keepWeights?: boolean
}

/** One value of a layer at the time of a snapshot; `tensor` is there if weights are kept. */
export interface WeightSnapshot extends Omit<LayerWeights, "tensor"> {
  readonly tensor?: LayerWeights["tensor"]
  readonly histogram: Histogram
}

/** A callback that has kept snapshots. */
export interface WeightHistory extends Callback {
  /** The snapshots in order: the first, with `epoch` undefined, was taken before the training began. */
  readonly snapshots: readonly { readonly epoch: number | undefined; readonly weights: readonly WeightSnapshot[] }[]
}

type Resolved = Required<WeightHistoryOptions>

const options: OptionsOf<Resolved> = {
  freq: optional(positiveInteger(), 1),
  bins: optional(positiveInteger(), 30),
  keepWeights: optional(flag(), true),
}

/**
 * Keeps the weights, and a histogram of each, before the training and after every `freq` epochs (from 0). What was kept is
 * forgotten when another training begins.
 * @throws E_CONFIG for a wrong option.
 * @example
 * ```ts
 * import { dense, sequential, weightHistory } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [3] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const weights = weightHistory({ freq: 2 })
 * await model.fit([[1, 0, 1]], [[2]], { epochs: 4, verbose: 0, callbacks: [weights] })
 * weights.snapshots.map(({ epoch }) => epoch) // => [undefined, 1, 3]
 * weights.snapshots[0]!.weights.map(({ name, tensor }) => [name, tensor!.shape]) // => [["kernel", [3, 1]], ["bias", [1]]]
 * ```
 */
export function weightHistory(given: WeightHistoryOptions = {}): WeightHistory {
  const { freq, bins, keepWeights } = readOptions<Resolved>("weightHistory", options, given)
  const snapshots: WeightHistory["snapshots"][number][] = []
  let since = 0
  const take = (epoch: number | undefined, training: Training): void => {
    const weights = training.weights().map(({ layer, name, tensor }) => {
      return { layer, name, ...(keepWeights ? { tensor } : {}), histogram: histogramOf(tensor.data, bins) }
    })
    snapshots.push({ epoch, weights })
  }
  return {
    snapshots,
    onTrainBegin: (_, training) => {
      snapshots.length = 0
      since = 0
      take(undefined, training)
    },
    onEpochEnd: (epoch, _, training) => {
      since = (since + 1) % freq
      if (since === 0) take(epoch, training)
    },
  }
}
