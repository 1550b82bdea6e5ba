// The network of a training on a table, and what `fit` is given: by the settings and by what the table holds. Knows no files.

import type { Examples, Prepared, PreparedPieces } from "../src/datasets.ts"
import * as trilobite from "../src/index.ts"
import {
  type Callback,
  dense,
  dropout,
  type Evidence,
  earlyStopping,
  type FitOptions,
  type Layer,
  l2,
  type Model,
  type ModelOptions,
  type Optimizer,
  sequential,
  TrilobiteError,
  toCategorical,
} from "../src/index.ts"
import type { Observed } from "./observe.ts"
import type { Settings } from "./settings.ts"
import { firstRows, inPieces, withTargets } from "./streaming.ts"
import { alike } from "./values.ts"

/** The optimizers by the names that the command line takes. */
const optimizers = {
  sgd: trilobite.sgd,
  adam: trilobite.adam,
  adamW: trilobite.adamW,
  adamax: trilobite.adamax,
  nadam: trilobite.nadam,
  rmsprop: trilobite.rmsprop,
  adagrad: trilobite.adagrad,
  adadelta: trilobite.adadelta,
  adafactor: trilobite.adafactor,
  ftrl: trilobite.ftrl,
  lamb: trilobite.lamb,
  lion: trilobite.lion,
} as const

function optimizerOf({ optimizer, learningRate }: Settings): Optimizer {
  const found = Object.entries(optimizers).find(([name]) => name.toLowerCase() === optimizer.toLowerCase())
  if (found === undefined) {
    const near = alike(optimizer, Object.keys(optimizers))
    const hint = near === undefined ? {} : { hint: `Did you mean ${near}?` }
    const expected = Object.keys(optimizers).join(", ")
    throw new TrilobiteError("E_CONFIG", {
      where: "--optimizer",
      what: `unknown optimizer ${JSON.stringify(optimizer)}.`,
      expected,
      ...hint,
    })
  }
  return (found[1] as (given: { readonly learningRate?: number }) => Optimizer)(
    learningRate === undefined ? {} : { learningRate },
  )
}

/** Losses that compare an output for each class with the number of the class, or one output with 0 or 1. */
const LABELS = /^(sparse|binary)|^bce$/i

/** The network by the chapter's rules: hidden layers, then a probability for each class, one for two, or a number. */
export function buildModel(data: Prepared | PreparedPieces, settings: Settings, options: ModelOptions): Model {
  const { layers: units, activation, dropout: rate } = settings
  const { classes } = data
  const width = data.features.length
  const two = classes.length === 2
  const inOneHot = needsOneHot(data, settings)
  const regular = settings.l2 > 0 ? { kernelRegularizer: l2({ l2: settings.l2 }) } : {}
  const shape = (i: number): { readonly inputShape?: readonly number[] } => (i === 0 ? { inputShape: [width] } : {})
  const hidden = units.flatMap((n, i): Layer[] => [
    dense({ units: n, activation: activation as "relu", ...regular, ...shape(i) }),
    ...(rate > 0 ? [dropout({ rate })] : []),
  ])
  const last: Layer =
    data.task === "regression"
      ? dense({ units: 1, ...shape(units.length) })
      : dense({ units: two ? 1 : classes.length, activation: two ? "sigmoid" : "softmax", ...shape(units.length) })
  const model = sequential([...hidden, last], { name: "network", ...options })
  model.preparing = data.preparation
  const usual =
    data.task === "regression" ? "meanSquaredError" : two ? "binaryCrossentropy" : "sparseCategoricalCrossentropy"
  model.compile({
    loss: (settings.loss ?? usual) as "mse",
    optimizer: optimizerOf(settings),
    metrics: [data.task === "regression" ? "r2Score" : two && !inOneHot ? "binaryAccuracy" : "accuracy"],
  })
  return model
}

/** Losses of classes by rows of outputs take targets with a 1 at the class. */
function needsOneHot({ classes }: Prepared | PreparedPieces, { loss }: Settings): boolean {
  return classes.length > 2 && loss !== undefined && !LABELS.test(loss)
}

/** How a training is begun, and what it is looked at with. */
export interface Begun {
  readonly observed: Observed
  readonly options: { readonly callbacks: readonly Callback[] }
  readonly train: (model: Model, options: Omit<FitOptions, "validationSplit" | "sampleWeight">) => Promise<unknown>
}

type Arithmetic = Required<Pick<ModelOptions, "numerics" | "wideVectors">>

/** What trains on rows; the observer's probe has the training's own arithmetic. */
export async function begun(
  data: Prepared | PreparedPieces,
  settings: Settings,
  arithmetic: Arithmetic,
): Promise<Begun> {
  return inPieces(data) ? fitPieces(data, settings, arithmetic) : fitRows(data, settings, arithmetic)
}

/** The same net without dropout, and with steps of length 1: it is asked for gradients and answers. */
function probeOf(data: Prepared | PreparedPieces, settings: Settings, { numerics, wideVectors }: Arithmetic): Model {
  const plain = { ...settings, optimizer: "sgd", learningRate: 1, dropout: 0 }
  return buildModel(data, plain, { numerics, wideVectors, threads: 1 })
}

function fitRows(data: Prepared, settings: Settings, arithmetic: Arithmetic): Begun {
  const { x, y, options } = trainingOf(data, settings)
  const validates = options.validationData !== undefined
  const probe = probeOf(data, settings, arithmetic)
  const yValid = hasFewClasses(data) && validates ? data.validation.y : undefined
  const observed = { x, y, rows: x.shape[0]!, xValid: validates ? data.validation.x : x, yValid, probe }
  return { observed, options, train: (model, all) => model.fit(x, y, all) }
}

async function fitPieces(data: PreparedPieces, settings: Settings, arithmetic: Arithmetic): Promise<Begun> {
  const oneHot = needsOneHot(data, settings)
  const stream = (of: PreparedPieces["train"]): PreparedPieces["train"] =>
    oneHot ? withTargets(of, (y) => toCategorical(y, data.classes.length)) : of
  const validates = data.rows.validation > 0
  const options = {
    ...optionsOf(data, settings, data.rows.train, validates),
    ...(validates ? { validationData: stream(data.validation) } : {}),
  }
  // What can be looked at again and again is the first piece of each part.
  const { x, y } = await firstRows(stream(data.train))
  const valid = validates ? await firstRows(stream(data.validation)) : undefined
  const probe = probeOf(data, settings, arithmetic)
  const yValid = hasFewClasses(data) ? valid?.y : undefined
  const observed = { x, y, rows: data.rows.train, xValid: valid?.x ?? x, yValid, probe }
  return { observed, options, train: (model, all) => model.fit(stream(data.train), all) }
}

/** What both have in common: how long, in what rounds, and when it stops. */
function optionsOf(
  { classWeights: weights }: Pick<Prepared, "classWeights">,
  { epochs, batchSize, patience, seed, classWeights }: Settings,
  rows: number,
  validates: boolean,
): FitOptions & { readonly callbacks: readonly Callback[] } {
  const stops = validates && patience > 0 && epochs !== "auto"
  return {
    batchSize: Math.min(batchSize, rows),
    epochs,
    seed,
    callbacks: stops ? [earlyStopping({ monitor: "valLoss", patience, restoreBestWeights: true })] : [],
    ...(classWeights === "balanced" ? { classWeight: weights } : {}),
  }
}

/** The most classes whose confusion is written down after epochs. */
const FEW_CLASSES = 30

/** Whether its classes can be looked at one by one. */
export const hasFewClasses = ({ task, classes }: Prepared | PreparedPieces): boolean =>
  task === "classification" && classes.length <= FEW_CLASSES

/** What `fit` is given: training rows with their targets, and how they are trained on. */
export function trainingOf(
  data: Prepared,
  settings: Settings,
): {
  readonly x: Examples["x"]
  readonly y: Examples["y"]
  readonly options: FitOptions & { readonly callbacks: readonly Callback[] }
} {
  const validates = data.rows.validation.length > 0
  const targets = ({ y: labels }: Examples): Examples["y"] =>
    needsOneHot(data, settings) ? toCategorical(labels, data.classes.length) : labels
  const options = {
    ...optionsOf(data, settings, data.rows.train.length, validates),
    ...(validates ? { validationData: [data.validation.x, targets(data.validation)] as const } : {}),
  }
  return { x: data.train.x, y: targets(data.train), options }
}

/** What can be said of a training on rows before its first step. */
export function examineRows(data: Prepared, settings: Settings, model: Model): Promise<Evidence> {
  const { x, y, options } = trainingOf(data, settings)
  return model.examine(x, y, options)
}
