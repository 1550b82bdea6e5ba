// What models do with files: loaded when the first of them is read or written.

import type { Tensor } from "../core/tensor.ts"
import { readAny, writeAs } from "../formats/formats.ts"
import { readPlace, writePlace } from "../formats/places.ts"
import type { SavedModel } from "../formats/saved-model.ts"
import { inFile, inOrder, readWeights, type WeightInfo, writeWeights } from "../formats/weights-file.ts"

export { inFile, inOrder, readAny, readPlace }

/** What of a model its files of weights are compared with. */
type Shapes = Pick<SavedModel, "network" | "inputShapes">

/** Whether a name asks for Keras's files of weights. */
const isHdf5Name = (path: string): boolean => String(path).toLowerCase().endsWith(".weights.h5")

/** The bytes of the model's own file. */
export async function bytesOf(model: SavedModel): Promise<Uint8Array> {
  return (await writeAs(model, "model.safetensors"))[0]![1]
}

/** Writes the model, all of it or nothing, in the format that the name asks for. */
export async function saveModel(model: SavedModel, path: string): Promise<void> {
  await writePlace(path, await writeAs(model, path))
}

/** Writes the weights alone, in Keras's form if the name asks for it. */
export async function saveWeights(model: SavedModel, path: string): Promise<void> {
  if (isHdf5Name(path)) return saveModel(model, path)
  await writePlace(path, [[path, writeWeights(model.weights)]])
}

/** The tensors of a file of weights, in the order of the model's. Throws E_MODEL unless they fit. */
export async function loadWeights(
  path: string,
  weights: readonly WeightInfo[],
  shapes: () => Shapes,
): Promise<readonly Tensor[]> {
  const { bytes } = await readPlace(path)
  if (!isHdf5Name(path)) return readWeights(bytes, path, weights)
  const { readKerasWeights } = await import("../formats/keras.ts")
  return inOrder(path, weights, await inFile(path, () => readKerasWeights(bytes, path, shapes())))
}
