// Reads the golden files of test/golden and makes the data and weights of their trainings. Knows nothing of trilobite.
// The formulas are those of scripts/golden/formulas.py, bit for bit; test/golden/README.md states them.
import { readFileSync } from "node:fs"
import { ROOT } from "./files.ts"

/** Numbers in row-major order. */
export interface Numbers {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

/** What a float32 array made by a formula must show: see `fingerprint` in the test. */
export interface Fingerprint {
  readonly shape: readonly number[]
  /** Of the little-endian bytes. */
  readonly sha256: string
  /** In float64, from left to right. */
  readonly sum: number
  readonly first: readonly number[]
}

/** Checksums in float64 of a tensor. */
export interface Sums {
  readonly sum: number
  readonly sumOfSquares: number
}

/** Checksums of a tensor, with its elements 0, stride, 2 stride, … */
export interface Sample extends Sums {
  readonly stride: number
  readonly values: Float64Array
}

/** One parameter of a training, `"0/kernel"` (as `[inputs, units]`) or `"0/bias"`. */
export interface TrainingTensor {
  readonly name: string
  readonly initial: Fingerprint
  /** Of the loss of the first batch, in float64. */
  readonly firstGradient: Sample
  /** After the last round, trained in float64. */
  readonly final64: Sample
  /** After the last round, trained in float32 by torch. */
  readonly final32: Sums
}

/** Rounds of training, round r on the rows r·batch … (r + 1)·batch − 1. */
export interface Training {
  readonly name: string
  readonly inputs: number
  readonly layers: readonly {
    readonly units: number
    readonly activation: "relu" | "tanh" | "sigmoid" | "softmax" | "linear"
  }[]
  readonly loss: "categoricalCrossentropy" | "binaryCrossentropy" | "meanSquaredError" | "meanAbsoluteError"
  /** The float32 nearest to each rate was used, in both precisions. */
  readonly optimizer: {
    readonly name: "sgd"
    readonly learningRate: number
    readonly momentum: number
    readonly nesterov: boolean
  }
  readonly batch: number
  readonly rounds: number
  readonly data: {
    readonly seed: number
    readonly inputs: "images" | "clusters"
    readonly targets: "oneHot" | "label" | "surface"
    readonly classes: number
  }
  /** The loss of each round's batch before its update. */
  readonly losses64: readonly number[]
  readonly losses32: readonly number[]
  /** The loss of all rows after the last round. */
  readonly finalLoss64: number
  readonly finalLoss32: number
  readonly x: Fingerprint
  readonly y: Fingerprint
  readonly tensors: readonly TrainingTensor[]
}

/** A loss in float64: of each row, their mean, and the gradient of the mean (absent where it is not finite). */
export interface LossCase {
  readonly name: string
  readonly loss: Training["loss"] | "sparseCategoricalCrossentropy"
  readonly fromLogits: boolean
  readonly predictions: Numbers
  readonly targets: Numbers
  readonly rows: Numbers
  readonly mean: number
  readonly gradient?: Numbers
}

/** An operation in float64, and the gradients of Σ output · weights for each input (null: the input has none). */
export interface OpCase {
  readonly name: string
  readonly op: string
  readonly attributes: {
    readonly fold?: "sum" | "max" | "min"
    readonly axis?: number
    readonly transposeA?: boolean
    readonly transposeB?: boolean
    readonly order?: readonly number[]
    readonly shape?: readonly number[]
    readonly begin?: number
    readonly end?: number
    readonly rows?: number
  }
  readonly inputs: readonly Numbers[]
  readonly output: Numbers
  readonly weights: Numbers
  readonly gradients: readonly (Numbers | null)[]
}

/** The trainings of one file. */
export function goldenTrainings(file: "train-intermediate" | "train-tanh" | "train-sigmoid"): readonly Training[] {
  return read<Training>(file)
}

/** The cases of losses.json. */
export function goldenLosses(): readonly LossCase[] {
  return read<LossCase>("losses")
}

/** A loss with its options by Keras's formula. */
export interface KerasLossCase {
  readonly loss: string
  readonly options: { readonly [option: string]: unknown }
  readonly predictions: Numbers
  readonly targets: Numbers
  readonly rows: Numbers
  /** Of the mean of the rows. */
  readonly gradient: Numbers
}

/** The cases of keras-losses.json. */
export function goldenKerasLosses(): readonly KerasLossCase[] {
  return read<KerasLossCase>("keras-losses")
}

/** An accumulated metric with its options by Keras's formula. */
export interface KerasMetricCase {
  readonly metric: string
  readonly options: { readonly [option: string]: unknown }
  readonly predictions: Numbers
  readonly targets: Numbers
  readonly weights: readonly number[] | null
  readonly result: number | readonly number[] | readonly (readonly number[])[]
}

/** The cases of keras-metrics.json. */
export function goldenKerasMetrics(): readonly KerasMetricCase[] {
  return read<KerasMetricCase>("keras-metrics")
}

/** The cases of ops.json. */
export function goldenOps(): readonly OpCase[] {
  return read<OpCase>("ops")
}

/** A function of one value with options, its value and its slope for Σ value · weights. */
export interface FunctionCase {
  readonly name: string
  readonly kind: "activation" | "regularizer" | "constraint"
  readonly type: string
  readonly options: { readonly [option: string]: unknown }
  readonly input: Numbers
  readonly output: Numbers
  readonly weights: Numbers
  readonly slope: Numbers
}

/** The cases of functions.json. */
export function goldenFunctions(): readonly FunctionCase[] {
  return read<FunctionCase>("functions")
}

/** Numbers by the names of parameters and states. */
interface NumbersByName {
  readonly [name: string]: Numbers
}

/** A layer: what it gives in training and when asked, slopes for Σ trained · weights, and what its states become. */
export interface LayerCase {
  readonly name: string
  readonly type: string
  readonly options: { readonly [option: string]: unknown }
  readonly inputs: readonly Numbers[]
  readonly parameters: NumbersByName
  readonly state: NumbersByName
  readonly trained: Numbers
  readonly asked: Numbers
  readonly weights: Numbers
  readonly slopes: readonly Numbers[]
  readonly parameterSlopes: NumbersByName
  readonly kept: NumbersByName
}

/** The cases of layers.json. */
export function goldenLayers(): readonly LayerCase[] {
  return read<LayerCase>("layers")
}

/** Ten steps of an optimizer on a matrix of [3, 4] and a vector of 4 with given gradients. */
export interface OptimizerCase {
  readonly name: string
  readonly type: string
  readonly options: { readonly [option: string]: unknown }
  readonly weights: readonly (readonly number[])[]
  readonly gradients: readonly (readonly (readonly number[])[])[]
  /** Both parameters after each step. */
  readonly after: readonly (readonly (readonly number[])[])[]
  /** The running means in the end, where they are kept. */
  readonly means: readonly (readonly number[] | null)[]
}

/** The cases of optimizers.json. */
export function goldenOptimizers(): readonly OptimizerCase[] {
  return read<OptimizerCase>("optimizers")
}

/** Ten steps of training a recurrent layer. */
export interface RecurrentCase {
  readonly name: string
  readonly type: string
  readonly options: { readonly [option: string]: unknown }
  readonly learningRate: number
  readonly x: Numbers
  readonly y: Numbers
  readonly parameters: { readonly [name: string]: Numbers }
  readonly losses: readonly number[]
  readonly trained: { readonly [name: string]: Numbers }
}

/** The cases of recurrent.json. */
export function goldenRecurrent(): readonly RecurrentCase[] {
  return read<RecurrentCase>("recurrent")
}

/** Learning rates of a schedule at some steps. */
export interface ScheduleCase {
  readonly name: string
  readonly type: string
  readonly options: { readonly [option: string]: unknown }
  readonly steps: readonly number[]
  readonly rates: readonly number[]
}

/** The cases of schedules.json. */
export function goldenSchedules(): readonly ScheduleCase[] {
  return read<ScheduleCase>("schedules")
}

function read<T>(file: string): readonly T[] {
  const parsed = JSON.parse(readFileSync(`${ROOT}test/golden/${file}.json`, "utf8"), revive) as { cases: readonly T[] }
  return parsed.cases
}

/** JSON has no infinities: they are written as text. Samples are base64 of little-endian float64. */
function revive(key: string, value: unknown): unknown {
  if (value === "Infinity") return Infinity
  if (value === "-Infinity") return -Infinity
  if (typeof value !== "object" || value === null || !("float64" in value)) return value
  const { float64, ...sums } = value
  if (typeof float64 !== "string") throw new Error(`golden file: ${key} has no text in float64`)
  const bytes = new Uint8Array(Buffer.from(float64, "base64"))
  const view = new DataView(bytes.buffer)
  return { ...sums, values: Float64Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true)) }
}

/** The inputs of a training, all rounds, `[rounds · batch, inputs]`. */
export function trainingInputs({ batch, rounds, inputs, data }: Training): Float32Array {
  const make = { images, clusters }[data.inputs]
  return make(data.seed, rounds * batch, inputs, data.classes)
}

/** The targets of a training, all rounds, `[rounds · batch, units of the last layer]`. */
export function trainingTargets(training: Training): Float32Array {
  const { batch, rounds, inputs, data } = training
  const rows = rounds * batch
  if (data.targets === "surface") return surface(trainingInputs(training), rows, inputs)
  if (data.targets === "label") return Float32Array.from({ length: rows }, (_, i) => label(i, data.classes))
  return fill(rows, data.classes, (i, j) => (label(i, data.classes) === j ? 1 : 0))
}

/** The initial weights of a training by name, `"0/kernel"` as `[inputs, units]`, `"0/bias"`, `"1/kernel"`, … */
export function trainingWeights({ inputs, layers, data }: Training): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>()
  for (const [i, { units }] of layers.entries()) {
    const stream = 16 * data.seed + 4 + 2 * i
    const fanIn = i === 0 ? inputs : layers[i - 1]!.units
    weights.set(`${i}/kernel`, kernel(stream, fanIn, units))
    weights.set(
      `${i}/bias`,
      fill(1, units, (_, j) => (2 * uniform(stream + 1, j) - 1) * 0.05),
    )
  }
  return weights
}

/** The class of row i. */
export function label(i: number, classes: number): number {
  return (i * 7) % classes
}

/** The 32-bit finalizer of MurmurHash3 (public domain). */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** mix(stream · 0x9e3779b9 + k mod 2³²) / 2³², in [0, 1), for whole numbers stream and k. */
export function uniform(stream: number, k: number): number {
  return mix((Math.imul(stream, 0x9e3779b9) + k) | 0) / 2 ** 32
}

/** Sparse pictures: a fifth of a class's pixels are inked in 3 of 4 of its rows, the others in 1 of 20 rows. */
export function images(seed: number, rows: number, width: number, classes: number): Float32Array {
  return fill(rows, width, (i, j) => {
    const inPattern = uniform(16 * seed, label(i, classes) * width + j) < 0.2
    const amount = Math.floor(uniform(16 * seed + 1, i * width + j) * 256) / 255
    return uniform(16 * seed + 2, i * width + j) < (inPattern ? 0.75 : 0.05) ? amount : 0
  })
}

/** Points of [-1, 1): half noise, half the centre of the row's class. */
export function clusters(seed: number, rows: number, width: number, classes: number): Float32Array {
  return fill(rows, width, (i, j) => {
    const centre = uniform(16 * seed, label(i, classes) * width + j) - 0.5
    return uniform(16 * seed + 1, i * width + j) - 0.5 + centre
  })
}

/** Regression targets 0.5 x₀ − 0.75 x₁ x₂ + 0.25 x₃ of each row. */
export function surface(x: Float32Array, rows: number, width: number): Float32Array {
  return fill(rows, 1, (i) => {
    const at = (j: number): number => x[i * width + j]!
    return 0.5 * at(0) - 0.75 * at(1) * at(2) + 0.25 * at(3)
  })
}

/** (2u − 1) · √(6 / (inputs + units)), `[inputs, units]`. */
export function kernel(stream: number, inputs: number, units: number): Float32Array {
  const limit = Math.sqrt(6 / (inputs + units))
  return fill(inputs, units, (i, j) => (2 * uniform(stream, i * units + j) - 1) * limit)
}

function fill(rows: number, width: number, at: (i: number, j: number) => number): Float32Array {
  const x = new Float32Array(rows * width)
  for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) x[i * width + j] = at(i, j)
  return x
}
