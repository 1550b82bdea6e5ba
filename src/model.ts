// Where models meet backends: the functions that make a model choose among the backends of this build.

import { pickBackend } from "./backend/pick.ts"
import { inFile, readModel } from "./formats/model-file.ts"
import type { Layer } from "./nn/layer.ts"
import { Model } from "./train/model.ts"
import { type ModelOptions, readModelOptions } from "./train/options.ts"

/**
 * A model of layers one after another. Keras: Sequential.
 * @throws E_CONFIG for layers that do not fit each other and for unknown options.
 * @example
 * ```ts
 * import { dense, sequential } from "trilobite"
 * const model = sequential([
 *   dense({ units: 64, activation: "relu", inputShape: [784] }),
 *   dense({ units: 10, activation: "softmax" }),
 * ])
 * model.countParams() // => 50890
 * const same = sequential()
 * same.add(dense({ units: 64, activation: "relu", inputShape: [784] })).add(dense({ units: 10, activation: "softmax" }))
 * same.countParams() // => 50890
 * ```
 */
export function sequential(layers: readonly Layer[] = [], options: ModelOptions = {}): Model {
  return new Model(layers, options, pickBackend)
}

/**
 * The model in the bytes of a file: gives the same predictions, bit for bit, as the one that was saved.
 * @throws E_MODEL if the bytes are no model, damaged, or hold anything unknown.
 */
export function modelFromBytes(bytes: Uint8Array, where = "model", options: ModelOptions = {}): Model {
  pickBackend(readModelOptions(options).backend)
  return inFile(where, () => {
    const saved = readModel(bytes, where)
    const model = new Model(saved.network.layers, options, pickBackend, saved.inputShape)
    if (saved.compiled !== undefined) model.train(saved.compiled)
    model.loadWeights(where, saved.weights)
    return model
  })
}

/**
 * Loads a model that `model.save` has written.
 * @throws E_IO if there is no such file, E_MODEL if it is no model or damaged.
 * @example
 * ```ts
 * import { dense, loadModel, sequential } from "trilobite"
 * import { mkdtempSync } from "node:fs"
 * const path = `${mkdtempSync("/tmp/trilobite-")}/model.safetensors`
 * const model = sequential([dense({ units: 2, inputShape: [3] })], { seed: 7 })
 * await model.save(path)
 * const loaded = await loadModel(path)
 * loaded.getWeights()[0].data.join() === model.getWeights()[0].data.join() // => true
 * ```
 */
export async function loadModel(path: string, options: ModelOptions = {}): Promise<Model> {
  const { loadFile } = await import("./formats/node-file.ts")
  return modelFromBytes(loadFile(path), path, options)
}
