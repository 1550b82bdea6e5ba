// The network of some settings, as the library builds it: one to train, one to judge it, one to look into its layers.

import {
  adam,
  binaryCrossentropy,
  type CompileOptions,
  categoricalCrossentropy,
  cosineDecay,
  type DenseOptions,
  dense,
  exponentialDecay,
  functional,
  input,
  type Layer,
  type LearningRate,
  l1,
  l2,
  type Model,
  type ModelOptions,
  meanSquaredError,
  type Optimizer,
  rmsprop,
  type SymbolicTensor,
  sequential,
  sgd,
  stepDecay,
  type Tensor,
} from "trilobite"
import type { Points } from "./data.ts"
import { featureRows } from "./data.ts"
import { costOf, type Settings, scheduleEpochs } from "./settings.ts"

/** How many numbers the output gives: one for two classes and for numbers, else one for each class. */
export const outputsOf = (classes: number): number => (classes > 2 ? classes : 1)

/** The rounds of an epoch. */
export const roundsOf = (rows: number, batch: number): number => Math.ceil(rows / Math.min(batch, rows))

function penaltyOf({ regularizer, strength }: Settings): Pick<DenseOptions, "kernelRegularizer"> {
  if (regularizer === "none") return {}
  return { kernelRegularizer: regularizer === "l1" ? l1({ l1: strength }) : l2({ l2: strength }) }
}

function layersOf(settings: Settings, classes: number, judged: boolean): Layer[] {
  const { layers, activation, features } = settings
  const more = judged ? {} : penaltyOf(settings)
  const last = classes === 0 ? "linear" : classes > 2 ? "softmax" : "sigmoid"
  const shape = (i: number): DenseOptions | object => (i === 0 ? { inputShape: [features.length] } : {})
  return [
    ...layers.map((units, i) => dense({ units, activation, name: `hidden${i + 1}`, ...shape(i), ...more })),
    dense({ units: outputsOf(classes), activation: last, name: "output", ...more }),
  ]
}

function rateOf({ rate, schedule, batch }: Settings, rows: number): LearningRate {
  const rounds = (epochs: number): number => epochs * roundsOf(rows, batch)
  switch (schedule) {
    case "constant":
      return rate
    case "halving":
      return exponentialDecay({ initialLearningRate: rate, decaySteps: rounds(scheduleEpochs.halving), decayRate: 0.5 })
    case "steps":
      return stepDecay({ initialLearningRate: rate, stepSize: rounds(scheduleEpochs.steps), gamma: 0.1 })
    case "cosine":
      return cosineDecay({ initialLearningRate: rate, decaySteps: rounds(scheduleEpochs.cosine) })
  }
}

function optimizerOf(settings: Settings, rows: number): Optimizer {
  const learningRate = rateOf(settings, rows)
  switch (settings.optimizer) {
    case "sgd":
      return sgd({ learningRate })
    case "momentum":
      return sgd({ learningRate, momentum: 0.9 })
    case "rmsprop":
      return rmsprop({ learningRate })
    case "adam":
      return adam({ learningRate })
  }
}

function lossOf(settings: Settings, classes: number): CompileOptions["loss"] {
  if (costOf(settings, classes) === "quadratic") return meanSquaredError()
  return classes > 2 ? categoricalCrossentropy() : binaryCrossentropy()
}

/** A network that trains with these settings on so many rows. */
export function trainee(settings: Settings, classes: number, rows: number, options: ModelOptions = {}): Model {
  const model = sequential(layersOf(settings, classes, false), { seed: settings.init, ...options })
  model.compile({ loss: lossOf(settings, classes), optimizer: optimizerOf(settings, rows) })
  return model
}

/** The same network without what is added for large weights: its loss is the cost alone. */
export function judge(settings: Settings, classes: number, options: ModelOptions = {}): Model {
  const model = sequential(layersOf(settings, classes, true), options)
  model.compile({
    loss: lossOf(settings, classes),
    optimizer: "sgd",
    ...(classes > 0 ? { metrics: ["accuracy"] } : {}),
  })
  return model
}

/** The same network with the answers of all its layers. */
export function probe(
  settings: Settings,
  classes: number,
  options: ModelOptions = {},
): Model<Readonly<Record<string, Tensor>>> {
  const x = input({ shape: [settings.features.length], name: "features" })
  const outputs: SymbolicTensor[] = []
  for (const layer of layersOf(settings, classes, true)) outputs.push(layer(outputs.at(-1) ?? x))
  return functional({ inputs: x, outputs, ...options })
}

/** The features of some points as the network takes them. */
export function inputsOf({ x }: Points, { features }: Settings): Tensor {
  return { dtype: "float32", shape: [x.length / 2, features.length], data: featureRows(x, features) }
}

/** The wanted answers of some points as the network's cost takes them. */
export function targetsOf({ y }: Points, classes: number): Tensor {
  const k = outputsOf(classes)
  if (k === 1) return { dtype: "float32", shape: [y.length, 1], data: Float32Array.from(y) }
  const data = new Float32Array(y.length * k)
  y.forEach((of, i) => {
    data[i * k + of] = 1
  })
  return { dtype: "float32", shape: [y.length, k], data }
}
