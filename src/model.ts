// Where models meet backends: the functions that make a model choose among the backends of this build.

import { pickBackend } from "./backend/pick.ts"
import { configError, show, TrilobiteError } from "./core/errors.ts"
import type { Tensor } from "./core/tensor.ts"
import type { Beside } from "./formats/saved-model.ts"
import type { CustomObjects } from "./nn/config.ts"
import { functionalNetwork, type Named } from "./nn/functional.ts"
import { type LayerLike, sequentialNetwork } from "./nn/network.ts"
import { isSymbolic, type SymbolicTensor } from "./nn/symbolic.ts"
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
export function sequential(layers: readonly (LayerLike | SymbolicTensor)[] = [], options: ModelOptions = {}): Model {
  const empty = Array.isArray(layers) && layers.length === 0
  return new Model(empty ? undefined : sequentialNetwork(layers), options, pickBackend)
}

/** One value, a list of them, or a record by names. */
type Values = SymbolicTensor | readonly SymbolicTensor[] | { readonly [name: string]: SymbolicTensor }

/** What a model with several outputs predicts: by the names of a record, or by those that the outputs get. */
type Predictions<O> = O extends readonly SymbolicTensor[]
  ? { readonly [output: string]: Tensor }
  : { readonly [K in keyof O]: Tensor }

/** Between which values a model in the functional form lies, and its options. */
export interface FunctionalOptions extends ModelOptions {
  /** What `input` has given: one, a list, or a record whose names are those of the data. */
  readonly inputs: Values
  /** What layers have given: one, a list, or a record whose names are those of the targets. */
  readonly outputs: Values
}

/**
 * A model in the functional form: any network without cycles, with several inputs and outputs, layers that are used more than
 * once (they share their weights) and paths that skip layers. Keras: Model.
 * @throws E_CONFIG for values that do not belong together and for unknown options.
 * @example
 * ```ts
 * import { add, dense, functional, input } from "trilobite"
 * const x = input({ shape: [8] })
 * const residual = add()([x, dense({ units: 8, activation: "relu" })(x)])
 * const outputs = { size: dense({ units: 1 })(residual), kind: dense({ units: 3, activation: "softmax" })(residual) }
 * const model = functional({ inputs: x, outputs })
 * model.compile({ loss: { size: "mse", kind: "categoricalCrossentropy" }, lossWeights: { size: 0.5 } })
 * model.countParams() // => 108
 * ```
 */
export function functional<O extends Values>(
  given: FunctionalOptions & { readonly outputs: O },
): Model<O extends SymbolicTensor ? Tensor : Predictions<O>> {
  const { inputs, outputs, ...options } = given
  const network = functionalNetwork(namedValues("inputs", inputs), namedValues("outputs", outputs))
  return new Model(network, options, pickBackend)
}

function namedValues(where: string, given: Values): Named<SymbolicTensor> {
  if (isSymbolic(given)) return [{ name: undefined, value: given }]
  if (typeof given !== "object" || given === null) {
    const expected = "a value, a list of values or a record of them"
    throw configError({
      where: `functional.${where}`,
      what: "these are no values of a network.",
      expected,
      got: show(given),
    })
  }
  if (Array.isArray(given)) return given.map((value: SymbolicTensor) => ({ name: undefined, value }))
  return Object.entries(given).map(([name, value]) => ({ name, value }))
}

/** The options of a model that is loaded. */
export interface LoadModelOptions extends ModelOptions {
  /** Layers, losses, metrics and activations of your own, by the names under which the model was saved with them. */
  readonly customObjects?: CustomObjects
  /** Whether it is compiled as it was when it was saved (default true); without, a loss or metric that is not known is no hindrance. */
  readonly compile?: boolean
}

/**
 * The model in the bytes of a file: gives the same predictions, bit for bit, as the one that was saved. Files of Keras and
 * TensorFlow.js are read too, if they are one file.
 * @throws E_MODEL if the bytes are no model, damaged, or hold anything unknown.
 */
export async function modelFromBytes(bytes: Uint8Array, where = "model", given: LoadModelOptions = {}): Promise<Model> {
  return modelFrom(bytes, where, given, async (name) => {
    throw new TrilobiteError("E_MODEL", {
      where,
      what: `the model's weights are in another file, ${name}.`,
      hint: "Load it by its path or address, with loadModel.",
    })
  })
}

async function modelFrom(bytes: Uint8Array, where: string, given: LoadModelOptions, beside: Beside): Promise<Model> {
  const { customObjects = {}, compile = true, ...options } = given
  pickBackend(readModelOptions(options).backend)
  const { inFile, inOrder, readAny } = await import("./train/files.ts")
  return inFile(where, async () => {
    const saved = await readAny(bytes, where, { custom: customObjects, compile }, beside)
    const named = options.name === undefined && saved.name !== undefined ? { ...options, name: saved.name } : options
    const model = new Model(saved.network, named, pickBackend, saved.inputShapes)
    model.adopt((infos) => inOrder(where, infos, saved.weights), saved)
    return model
  })
}

/**
 * Loads a model: one that `model.save` has written, one of Keras (`.keras`, `.h5`) or of TensorFlow.js (`model.json`). What kind of
 * file it is, is seen from its bytes. The path may be an address (`https://…`), `indexeddb://name`, and in a page a path of the site.
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
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<Model> {
  const { readPlace } = await import("./train/files.ts")
  const { bytes, beside } = await readPlace(path)
  return modelFrom(bytes, path, options, beside)
}
