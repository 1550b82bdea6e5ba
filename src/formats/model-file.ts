// A model as one safetensors file: weights as tensors, the architecture and what it was compiled with in the metadata.
// Knows bytes and configurations, no files and no trainer; reading is in read-model.ts.

import { lossToConfig, metricToConfig, networkToConfig, optimizerToConfig } from "../nn/to-config.ts"
import type { Training } from "../nn/training.ts"
import { writeProgress } from "./progress.ts"
import { writeSafetensors } from "./safetensors.ts"
import type { SavedModel } from "./saved-model.ts"
import { SEAL, seal, UNSEALED } from "./seal.ts"

/** The version of the metadata that this file writes; newer ones are refused. */
export const VERSION = "1"

/** The texts of a compiled model: those of one or of several outputs, all of them or none. */
export const TRAINING = ["loss", "optimizer", "metrics", "outputs"] as const

/** What stands before the key of what an optimizer keeps, in the name of its tensor: no layer has an empty name. */
export const SLOT = "/optimizer/"

/** The bytes of a model file; the same model gives the same bytes. */
export function writeModel(model: SavedModel): Uint8Array {
  const { network, inputShapes, compiled, weights, state, preparing, name } = model
  const progress = model.progress && writeProgress(model.progress)
  const metadata = {
    format: "trilobite",
    version: VERSION,
    network: JSON.stringify(networkToConfig(network)),
    ...(network.kind === "sequential" ? { inputShape: JSON.stringify(inputShapes[0]) } : {}),
    ...(compiled === undefined ? {} : trainingTexts(compiled)),
    ...(state === undefined ? {} : { state: JSON.stringify({ step: state.step }) }),
    ...(name === undefined || name === network.kind ? {} : { name }),
    ...(preparing === undefined ? {} : { preparing: JSON.stringify(preparing) }),
    ...(progress === undefined ? {} : { progress: progress.text }),
    [SEAL]: UNSEALED,
  }
  const slots = [...(state?.slots ?? [])].map(([key, tensor]) => [`${SLOT}${key}`, tensor] as const)
  return seal(writeSafetensors(new Map([...weights, ...slots, ...(progress?.tensors ?? [])]), metadata))
}

/** What a model was compiled with. One output without more than a loss and metrics is written in a form of its own. */
export function trainingTexts({ optimizer, outputs }: Training): { readonly [key: string]: string } {
  const [first] = outputs
  const method = { optimizer: JSON.stringify(optimizerToConfig(optimizer)) }
  if (outputs.length === 1 && first!.lossWeight === 1 && first!.weightedMetrics.length === 0) {
    const metrics = JSON.stringify(first!.metrics.map(metricToConfig))
    return { loss: JSON.stringify(lossToConfig(first!.loss!)), ...method, metrics }
  }
  const all = outputs.map(({ loss, lossWeight, metrics, weightedMetrics }) => ({
    loss: loss === undefined ? null : lossToConfig(loss),
    lossWeight,
    metrics: metrics.map(metricToConfig),
    weightedMetrics: weightedMetrics.map(metricToConfig),
  }))
  return { ...method, outputs: JSON.stringify(all) }
}
