// Labels as one-hot rows. Knows no loss and no network.

import { configError, dataError, show } from "./errors.ts"
import { placeOf, type Tensor, type TensorLike, tensor } from "./tensor.ts"

/**
 * One-hot rows for labels: label k becomes a row with a 1 at k, `[n] -> [n, classes]` and `[n, 1] -> [n, classes]`, float32.
 * Without numClasses there are as many classes as the largest label says. Throws E_DATA for a label that is no class,
 * E_CONFIG for a number of classes below 1. Keras: to_categorical.
 * @example
 * ```ts
 * import { toCategorical } from "trilobite"
 * toCategorical([0, 2]).data // => [1, 0, 0, 0, 0, 1]
 * toCategorical([0, 2], 10).shape // => [2, 10]
 * ```
 */
export function toCategorical(labels: TensorLike, numClasses?: number): Tensor {
  const { data, shape } = tensor(labels)
  if (numClasses !== undefined && !(Number.isSafeInteger(numClasses) && numClasses >= 1)) {
    const expected = "a whole number of at least 1"
    throw configError({ where: "toCategorical", what: "wrong numClasses.", expected, got: show(numClasses) })
  }
  let largest = 0
  for (const label of data) largest = Math.max(largest, label)
  const classes = numClasses ?? largest + 1
  const rows = shape.length > 1 && shape[shape.length - 1] === 1 ? shape.slice(0, -1) : shape
  for (let i = 0; i < data.length; i++) {
    const label = data[i]!
    if (Number.isInteger(label) && label >= 0 && label < classes) continue
    const expected =
      numClasses === undefined ? "a whole number of at least 0" : `a whole number from 0 to ${classes - 1}`
    throw dataError({ where: `labels${placeOf(i, shape)}`, what: "this is no class.", expected, got: `${label}` })
  }
  if (data.length * classes > 0x7fffffff) {
    const hint = "Use sparseCategoricalCrossentropy, which takes the labels as they are."
    throw dataError({ where: "toCategorical", what: `${data.length} rows of ${classes} classes are too many.`, hint })
  }
  const out = new Float32Array(data.length * classes)
  for (let i = 0; i < data.length; i++) out[i * classes + data[i]!] = 1
  return { dtype: "float32", shape: [...rows, classes], data: out }
}
