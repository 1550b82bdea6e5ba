// Trains a setup once and judges it: by the mean share of each class's test rows that were found, or by the mean square of mistakes in
// units of the targets' variance. Knows no case.

import {
  activation as activationLayer,
  adam,
  constant,
  dense,
  dropout,
  type FitOptions,
  l2,
  type Model,
  sequential,
  sgd,
  type Tensor,
  TrilobiteError,
} from "../../src/index.ts"
import { classesOf, type Material, materialOf, type Rows } from "./sets.ts"
import type { Setup } from "./setup.ts"

/** What became of a training. */
export interface Outcome {
  /** Classes: the mean recall, 0 to 1, more is better. Numbers: 1 - (mean square of mistakes / variance), 1 is perfect. */
  readonly score: number
  /** The same of the validation rows: what its user knows. */
  readonly merit: number
  /** By epoch, as fit says it; nothing of a refused training. */
  readonly loss: readonly number[]
  readonly valLoss: readonly number[]
  readonly valAccuracy: readonly number[]
  /** The code of the error with which fit has refused the data or the network, or ended. */
  readonly error?: string
  /** Rounds that were trained. */
  readonly steps: number
  readonly seconds: number
}

/** Options of fit, without those of streams. */
export type Plan = FitOptions

/** The model of a setup, compiled; it learns from the rows how many inputs it has, so that fit is what refuses a network. */
export function modelOf(setup: Setup): Model {
  const regularizer = setup.l2 > 0 ? { kernelRegularizer: l2({ l2: setup.l2 }) } : {}
  const hidden = setup.hidden.flatMap(({ units, activation, kernel, bias }, i) => [
    dense({
      units,
      name: `hidden${i + 1}`,
      activation: activation as "relu",
      ...(kernel === undefined ? {} : { kernelInitializer: kernel }),
      ...(bias === undefined ? {} : { biasInitializer: constant({ value: bias }) }),
      ...regularizer,
    }),
    ...(setup.dropout > 0 ? [dropout({ rate: setup.dropout })] : []),
  ])
  const { units, activation, kernel, twice } = setup.output
  const output = dense({
    units,
    name: "output",
    activation: activation as "relu",
    ...(kernel === undefined ? {} : { kernelInitializer: kernel }),
    ...regularizer,
  })
  const model = sequential(
    [...hidden, output, ...(twice ? [activationLayer({ activation: "softmax" })] : [])],
    { seed: setup.seed, threads: 1 },
  ) // biome-ignore format: layers on one line
  const { learningRate, momentum } = setup
  const clip = setup.clip === null ? {} : { globalClipNorm: setup.clip }
  model.compile({
    loss: setup.loss as "mse",
    optimizer: setup.optimizer === "sgd" ? sgd({ learningRate, momentum, ...clip }) : adam({ learningRate, ...clip }),
    metrics: classesOf(setup.sample.set) > 0 ? ["accuracy"] : [],
  })
  return model
}

/** The options of fit. */
export function planOf(setup: Setup, { xValidation, yValidation, counts }: Material): Plan {
  const rows = counts.reduce((a, b) => a + b, 0)
  const classWeight = Object.fromEntries(counts.map((count, k) => [k, rows / (counts.length * Math.max(1, count))]))
  return {
    batchSize: setup.batchSize,
    epochs: setup.epochs,
    shuffle: setup.shuffle,
    validationData: [xValidation, yValidation],
    verbose: 0,
    ...(setup.classWeights ? { classWeight } : {}),
  }
}

/** The score of a network on some rows. `middle` stands between two classes of one output. */
async function scoreOf(model: Model, setup: Setup, test: Rows, middle: number): Promise<number> {
  const n = test.y.length
  const x: Tensor = { dtype: "float32", shape: [n, test.features], data: test.x }
  const { data, shape } = await model.predict(x)
  const units = shape[shape.length - 1]!
  const classes = classesOf(setup.sample.set)
  if (classes === 0) {
    const mean = test.y.reduce((a, b) => a + b, 0) / n
    const [mistakes, variance] = test.y.reduce(
      ([a, b], y, i) => [a + (y - data[i * units]!) ** 2, b + (y - mean) ** 2] as const,
      [0, 0] as readonly [number, number],
    )
    return Number.isFinite(mistakes) ? Math.max(-1, 1 - mistakes / variance) : -1
  }
  const [found, all] = [new Array<number>(classes).fill(0), new Array<number>(classes).fill(0)]
  for (let i = 0; i < n; i++) {
    const row = [...data.subarray(i * units, (i + 1) * units)]
    const answer = units === 1 ? Number(row[0]! > middle) : row.indexOf(Math.max(...row))
    const k = test.y[i]!
    all[k]!++
    if (answer === k) found[k]!++
  }
  return found.reduce((sum, count, k) => sum + count / Math.max(1, all[k]!), 0) / classes
}

/** Trains a setup; `watch` adds to the options of fit and is given the model and the rows first. */
export async function train(
  setup: Setup,
  watch: (model: Model, material: Material, plan: Plan) => Promise<Partial<Plan>> = async () => ({}),
): Promise<Outcome> {
  const begun = performance.now()
  const material = await materialOf(setup)
  const worst = classesOf(setup.sample.set) > 0 ? 0 : -1
  const rounds = Math.ceil(material.y.shape[0]! / setup.batchSize)
  const done = (outcome: Omit<Outcome, "seconds">): Outcome => ({
    ...outcome,
    seconds: (performance.now() - begun) / 1000,
  })
  const codeOf = (error: unknown): string => {
    if (error instanceof TrilobiteError) return error.code
    throw error
  }
  const model = modelOf(setup)
  const plan = planOf(setup, material)
  const more = await watch(model, material, plan)
  const seen: { loss: number[]; valLoss: number[]; valAccuracy: number[] } = { loss: [], valLoss: [], valAccuracy: [] }
  const onEpochEnd = (_: number, logs: { readonly [name: string]: number }): void => {
    for (const name of ["loss", "valLoss", "valAccuracy"] as const) {
      if (logs[name] !== undefined) seen[name].push(logs[name])
    }
  }
  try {
    await model.fit(material.x, material.y, {
      ...plan,
      ...more,
      callbacks: [{ onEpochEnd }, ...(more.callbacks ?? [])],
    })
  } catch (error) {
    return done({ ...seen, score: worst, merit: worst, error: codeOf(error), steps: seen.loss.length * rounds })
  }
  const score = await scoreOf(model, setup, material.test, material.middle)
  const merit = await scoreOf(model, setup, material.validation, material.middle)
  return done({ ...seen, score, merit, steps: seen.loss.length * rounds })
}
