// MNIST: which files it is made of, and its images and labels in the form that a network is trained on.
// Works on tensors alone; knows no files and no network.

import { checkKeys, dataError } from "../core/errors.ts"
import type { Shape } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"

/** Pictures with the digit that each shows: images uint8 [n, 28, 28] from 0 (paper) to 255 (ink), labels uint8 [n]. */
export interface LabelledImages {
  readonly images: Tensor
  readonly labels: Tensor
}

/** The two parts of MNIST: 60,000 images to train with and 10,000 to test with. */
export interface Mnist {
  readonly train: LabelledImages
  readonly test: LabelledImages
}

/** One of the four files: its name, what it holds, and the MD5 sum of its uncompressed bytes. */
export interface MnistFile {
  readonly name: string
  readonly shape: Shape
  readonly md5: string
}

/** The four files of a data set in MNIST's form. */
export interface MnistFiles {
  readonly train: { readonly images: MnistFile; readonly labels: MnistFile }
  readonly test: { readonly images: MnistFile; readonly labels: MnistFile }
}

/** The files under their original names, with the MD5 sums of images and labels to train and to test with. */
function filesOf(md5: readonly [string, string, string, string]): MnistFiles {
  return {
    train: {
      images: { name: "train-images-idx3-ubyte", shape: [60_000, 28, 28], md5: md5[0] },
      labels: { name: "train-labels-idx1-ubyte", shape: [60_000], md5: md5[1] },
    },
    test: {
      images: { name: "t10k-images-idx3-ubyte", shape: [10_000, 28, 28], md5: md5[2] },
      labels: { name: "t10k-labels-idx1-ubyte", shape: [10_000], md5: md5[3] },
    },
  }
}

/** MNIST's four files. */
export const mnistFiles: MnistFiles = filesOf([
  "6bbc9ace898e44ae57da46a324031adb",
  "a25bea736e30d166cdddb491f175f624",
  "2646ac647ad5339dbf082846283269ea",
  "27ae3e4e09519cfbb04c329615203637",
])

/** Fashion-MNIST's four files. */
export const fashionFiles: MnistFiles = filesOf([
  "f4a8712d7a061bf5bd6d2ca38dc4d50a",
  "9018921c3c673c538a1fc5bad174d6f9",
  "8181f5470baa50b63fa0f6fddb340f0a",
  "15d484375f8d13e6eb1aabb0c3f46965",
])

/** How `asTrainingData` prepares images and labels; everything is on unless switched off. */
export interface TrainingDataOptions {
  /** Images as rows of 784 pixels instead of 28 × 28. */
  readonly flatten?: boolean
  /** Pixels that stand for pixel / 255 (unorm8) instead of for 0 to 255 (uint8); the memory is the same. */
  readonly scale?: boolean
  /** Labels as float32 rows of ten, 1 at the digit and 0 elsewhere, instead of the digit itself. */
  readonly oneHot?: boolean
}

/** Inputs and targets, to train with and to validate with. */
export interface TrainingData {
  readonly xTrain: Tensor
  readonly yTrain: Tensor
  readonly xValid: Tensor
  readonly yValid: Tensor
}

const CLASSES = 10

/**
 * MNIST as a network is trained on it: x [n, 784] of numbers from 0 to 1, y float32 [n, 10] one-hot; the test part
 * validates. The pixels stay bytes (unorm8: byte / 255, rounded to float32, when a batch is gathered), in the memory that
 * is there already (55 MB); with `scale: false` they are 0 to 255 (uint8), for networks that rescale by themselves.
 * @throws E_CONFIG for an unknown option; E_DATA for pixels that are not uint8 or labels beyond 9.
 * @example
 * ```ts
 * import { asTrainingData, mnist } from "trilobite/datasets"
 * const { xTrain, yTrain, xValid } = asTrainingData(await mnist())
 * xTrain.shape // => [60000, 784]
 * xTrain.dtype // => "unorm8"
 * yTrain.shape // => [60000, 10]
 * yTrain.data.slice(0, 10) // => [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
 * xValid.shape // => [10000, 784]
 * ```
 */
export function asTrainingData(data: Mnist, options: TrainingDataOptions = {}): TrainingData {
  checkKeys("asTrainingData", options, ["flatten", "scale", "oneHot"])
  const x = (images: Tensor): Tensor => {
    const flat = options.flatten === false ? images : flattened(images)
    return options.scale === false ? flat : scaled(flat)
  }
  const y = (labels: Tensor): Tensor => (options.oneHot === false ? labels : oneHot(labels))
  const { train, test } = data
  return { xTrain: x(train.images), yTrain: y(train.labels), xValid: x(test.images), yValid: y(test.labels) }
}

function flattened(images: Tensor): Tensor {
  const n = images.shape[0] ?? 0
  return { ...images, shape: [n, n === 0 ? 0 : images.data.length / n] }
}

function scaled(images: Tensor): Tensor {
  if (images.dtype !== "uint8") {
    const hint = "With `scale: false` the pixels stay as they are."
    throw dataError({
      where: "asTrainingData",
      what: "cannot scale these.",
      expected: "uint8",
      got: images.dtype,
      hint,
    })
  }
  return { ...images, dtype: "unorm8" }
}

function oneHot(labels: Tensor): Tensor {
  const n = labels.data.length
  for (let i = 0; i < n; i++) {
    const label = labels.data[i]!
    if (Number.isInteger(label) && label >= 0 && label < CLASSES) continue
    const expected = `a digit from 0 to ${CLASSES - 1}`
    const hint = "With `oneHot: false` the labels stay as they are."
    throw dataError({
      where: `asTrainingData, label [${i}]`,
      what: "this is no digit.",
      expected,
      got: `${label}`,
      hint,
    })
  }
  const out = new Float32Array(n * CLASSES)
  for (let i = 0; i < n; i++) out[i * CLASSES + labels.data[i]!] = 1
  return { dtype: "float32", shape: [n, CLASSES], data: out }
}
