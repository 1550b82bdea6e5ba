// Weights in a safetensors file, and the places that they have in a model. Knows bytes, no architecture.

import { TrilobiteError } from "../core/errors.ts"
import { type Shape, sameShape } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"
import { readSafetensors, writeSafetensors } from "./safetensors.ts"

/** What is known of a weight beside its values. */
export interface WeightInfo {
  /** Its place in the model: `dense_1/kernel`. */
  readonly name: string
  readonly shape: Shape
}

/** The bytes of a file of weights alone. */
export function writeWeights(weights: ReadonlyMap<string, Tensor>): Uint8Array {
  return writeSafetensors(weights, { format: "trilobite" })
}

/** The tensors of a file of weights, or of a model, in the order of the weights. Throws E_MODEL unless they fit. */
export async function readWeights(
  bytes: Uint8Array,
  where: string,
  weights: readonly WeightInfo[],
): Promise<readonly Tensor[]> {
  return inFile(where, () => {
    const { tensors } = readSafetensors(bytes, where)
    return inOrder(where, weights, new Map([...tensors].filter(([name]) => !name.startsWith("/"))))
  })
}

/** What `read` gives; whatever is wrong is wrong in the file, whose name goes before the place. */
export async function inFile<T>(where: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof TrilobiteError) || !["E_CONFIG", "E_DATA", "E_MODEL"].includes(error.code)) throw error
    if (error.code === "E_MODEL" && error.where?.startsWith(where)) throw error
    const place = error.where === undefined ? where : `${where}, ${error.where}`
    throw new TrilobiteError("E_MODEL", { ...error, where: place }, { cause: error })
  }
}

/** The tensors in the order of the weights. Throws E_MODEL unless there is exactly one of the right type and shape for each. */
export function inOrder(
  where: string,
  weights: readonly WeightInfo[],
  tensors: ReadonlyMap<string, Tensor>,
): readonly Tensor[] {
  const found = weights.map(({ name, shape }) => {
    const tensor = tensors.get(name)
    if (tensor === undefined) {
      throw modelError(where, `the tensor ${name} is missing.`, `a tensor for each of ${weights.length} parameters`)
    }
    if (tensor.dtype === "float32" && sameShape(tensor.shape, shape)) return tensor
    const [expected, got] = [`float32 [${shape.join(", ")}]`, `${tensor.dtype} [${tensor.shape.join(", ")}]`]
    throw modelError(where, `the tensor ${name} does not fit its layer.`, expected, got)
  })
  const known = new Set(weights.map(({ name }) => name))
  const extra = [...tensors.keys()].find((name) => !known.has(name))
  if (extra === undefined) return found
  throw modelError(where, `the tensor ${JSON.stringify(extra)} belongs to no layer of the model.`)
}

/** E_MODEL at a place of a file. */
export function modelError(where: string, what: string, expected?: string, got?: string): TrilobiteError {
  return new TrilobiteError("E_MODEL", {
    where,
    what,
    ...(expected === undefined ? {} : { expected }),
    ...(got === undefined ? {} : { got }),
  })
}
