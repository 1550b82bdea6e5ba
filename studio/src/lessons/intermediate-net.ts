// The settings of lesson 6 as plain data: what may be chosen, the state in the address, and the code that they stand for.

import { type Key, type Keys, numberKey, wordKey } from "../ui/url.ts"

/** The activations of the hidden layers. */
export const activations = ["relu", "sigmoid", "tanh"] as const
/** The costs. */
export const losses = ["categoricalCrossentropy", "meanSquaredError"] as const
/** The optimizers, with the rate that each is usually begun with. */
export const optimizers = { sgd: 0.1, momentum: 0.02, adam: 0.001, rmsprop: 0.001, adagrad: 0.02 } as const
/** The sizes of a batch. */
export const batchSizes = [16, 32, 64, 128, 256, 512, 1024] as const

/** The name of an activation. */
export type NetActivation = (typeof activations)[number]
/** The name of a cost. */
export type NetLoss = (typeof losses)[number]
/** The name of an optimizer; momentum is SGD with a momentum of 0.9. */
export type NetOptimizer = keyof typeof optimizers

/** The names of the optimizers. */
export const optimizerNames = Object.keys(optimizers) as readonly NetOptimizer[]

/** A net and its training. */
export interface NetSettings {
  /** Neurons of the hidden layers. */
  readonly net: readonly number[]
  readonly act: NetActivation
  readonly loss: NetLoss
  readonly opt: NetOptimizer
  readonly eta: number
  readonly b: number
  readonly epochs: number
}

/** Limits of the settings. */
export const limits = { layers: 4, units: [4, 512], eta: [0.0001, 10], epochs: 60 } as const

/** The hidden layers as text: 64-64. */
const netKey: Key<readonly number[]> = {
  initial: [64, 64],
  write: (value) => value.join("-"),
  read: (text) => {
    const units = text.split("-").map(Number)
    const fits = units.every((n) => Number.isInteger(n) && n >= limits.units[0] && n <= limits.units[1])
    return fits && units.length <= limits.layers ? units : undefined
  },
}

/** The state of the page. */
export const keys: Keys<NetSettings> = {
  net: netKey,
  act: wordKey("relu", activations),
  loss: wordKey("categoricalCrossentropy", losses),
  opt: wordKey("sgd", optimizerNames),
  eta: numberKey(0.1, ...limits.eta),
  b: numberKey(128, 1, 1024),
  epochs: numberKey(20, 1, limits.epochs),
}

/** The chapter's intermediate net. */
export const intermediate: NetSettings = {
  net: [64, 64],
  act: "relu",
  loss: "categoricalCrossentropy",
  opt: "sgd",
  eta: 0.1,
  b: 128,
  epochs: 20,
}

/** The chapter's shallow net, with another number of epochs. */
export function shallow(epochs: number): NetSettings {
  return { net: [64], act: "sigmoid", loss: "meanSquaredError", opt: "sgd", eta: 0.01, b: 128, epochs }
}

/** A word of the code that may be changed. */
export interface CodeToken {
  readonly token: "units" | "act" | "loss" | "opt" | "eta" | "b" | "epochs"
  readonly text: string
  /** Which hidden layer, for `units`. */
  readonly layer?: number
}

/** The code in pieces: plain text and words that may be changed. */
export type CodePart = string | CodeToken

/** The program that these settings stand for. */
export function codeParts(settings: NetSettings): readonly CodePart[] {
  const { net, act, loss, opt, eta, b, epochs } = settings
  const name = opt === "momentum" ? "sgd" : opt
  const activation: CodePart = { token: "act", text: `"${act}"` }
  const layers = net.flatMap((units, layer): CodePart[] => {
    const own: CodePart = { token: "units", text: String(units), layer }
    return layer === 0
      ? ["  dense({\n    units: ", own, ",\n    activation: ", activation, ",\n    inputShape: [784],\n  }),\n"]
      : ["  dense({ units: ", own, ", activation: ", activation, " }),\n"]
  })
  return [
    `import { dense, sequential, ${name} } from "trilobite"\n`,
    'import { asTrainingData, mnist }\n  from "trilobite/datasets"\n\n',
    "const { xTrain, yTrain, xValid, yValid } =\n  asTrainingData(await mnist())\n\n",
    "const model = sequential([\n",
    ...layers,
    '  dense({ units: 10, activation: "softmax" }),\n])\n',
    "model.compile({\n  loss: ",
    { token: "loss", text: `"${loss}"` },
    ",\n  optimizer: ",
    { token: "opt", text: name },
    "({ learningRate: ",
    { token: "eta", text: String(eta) },
    opt === "momentum" ? ", momentum: 0.9" : "",
    ' }),\n  metrics: ["accuracy"],\n})\n',
    "await model.fit(xTrain, yTrain, {\n  batchSize: ",
    { token: "b", text: String(b) },
    ",\n  epochs: ",
    { token: "epochs", text: String(epochs) },
    ",\n  validationData: [xValid, yValid],\n})\n",
  ]
}

/** The program as text. */
export function codeText(settings: NetSettings): string {
  return codeParts(settings)
    .map((part) => (typeof part === "string" ? part : part.text))
    .join("")
}
