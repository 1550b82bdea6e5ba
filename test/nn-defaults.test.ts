// Every option that is there has Keras 3's default; what Keras has and we have not yet is listed.
import { describe, expect, test } from "vitest"
import { layerTypes } from "../src/nn/config.ts"
import { initializerNames, readInitializer } from "../src/nn/initializers.ts"
import { losses, readLoss } from "../src/nn/losses.ts"
import { metrics } from "../src/nn/metrics.ts"
import { canonical } from "../src/nn/names.ts"
import { optimizers, readOptimizer } from "../src/nn/optimizers.ts"
import { textVectorization } from "../src/nn/text/text-vectorization.ts"
import { csvLoggerOptions } from "../src/train/callbacks/csv-logger.ts"
import { earlyStoppingOptions } from "../src/train/callbacks/early-stopping.ts"
import { lambdaCallbackOptions } from "../src/train/callbacks/lambda-callback.ts"
import { learningRateSchedulerOptions } from "../src/train/callbacks/learning-rate-scheduler.ts"
import { modelCheckpointOptions } from "../src/train/callbacks/model-checkpoint.ts"
import { reduceLROnPlateauOptions } from "../src/train/callbacks/reduce-lr-on-plateau.ts"
import { tensorBoardOptions } from "../src/train/callbacks/tensorboard.ts"
import { terminateOnNaNOptions } from "../src/train/callbacks/terminate-on-nan.ts"
import keras from "./fixtures/keras-defaults.json" with { type: "json" }

type Defaults = { readonly [option: string]: unknown }
const entries = (group: object): [string, Defaults][] =>
  Object.entries(group as { [type: string]: { defaults: Defaults } }).map(([type, { defaults }]) => [type, defaults])

/** Options of Keras that are not there yet. */
const LATER = new Set([
  ...["weights", "loraRank", "loraAlpha", "quantizationConfig", "dataFormat"],
  ...["renorm", "renormClipping", "renormMomentum", "synchronized"],
  ...["numClasses", "sparseYTrue", "sparseYPred", "ignoreClass"],
  ...["axis", "reduction", "multiLabel", "thresholds", "numLabels", "labelWeights", "fromSortedIds"],
  ...["inputAxes", "outputAxes", "useCudnn"],
  ...["sparse", "ragged", "encoding"],
  ...["attentionAxes", "flashAttention", "slidingWindow", "useGate"],
  "lossScaleFactor",
  ...["writeGraph", "writeImages", "writeStepsPerSecond", "profileBatch", "embeddingsFreq", "embeddingsMetadata"],
])

/** Arguments of Keras's calls (the seed: of a class above) that are options of ours, with what they are when they are not given. */
const OF_CALLS: { readonly [type: string]: Defaults } = {
  Attention: { returnAttentionScores: false, useCausalMask: false },
  AdditiveAttention: { returnAttentionScores: false, useCausalMask: false, seed: null },
  MultiHeadAttention: { returnAttentionScores: false, useCausalMask: false },
}

/** Options that Keras demands where ours have a default: that of the layer's sisters. */
const NOT_DEMANDED: { readonly [type: string]: Defaults } = {
  AveragePooling1D: { poolSize: 2 },
  AveragePooling2D: { poolSize: 2 },
}

/** Sizes for each axis, which one number stands for if all are equal. */
const FOR_EACH_AXIS = new Set(["poolSize", "strides", "dilationRate"])

/** Keras's value in our words: names in camelCase, None for an activation is linear, {required: true} is a symbol. */
const REQUIRED = Symbol("required")
function ours(option: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && "required" in value) return REQUIRED
  if (option === "activation" && value === null) return "linear"
  if (option === "curve") return value
  if (option === "dataFormat") return "channelsLast"
  if (FOR_EACH_AXIS.has(option) && Array.isArray(value) && value.every((n) => n === value[0])) return value[0]
  if (value === "uniform") return "randomUniform"
  return typeof value === "string" ? canonical(value) : value
}

function compare(defaults: Defaults, found: Defaults): void {
  const expected = Object.entries(defaults).filter(([option]) => !LATER.has(option) || option in found)
  expect(found).toEqual(Object.fromEntries(expected.map(([option, value]) => [option, ours(option, value)])))
}

const without = ({ type: _, ...options }: Defaults): Defaults => options

/** A name in any spelling: KLDivergence is klDivergence. */
const plain = (name: string): string => canonical(name).toLowerCase()
/** The defaults of a table of options. */
function defaultsOf(options: { readonly [option: string]: object }): Defaults {
  const values = Object.entries(options).map(([name, option]) => {
    return [name, "default" in option ? option.default : REQUIRED]
  })
  return Object.fromEntries(values)
}

/** The tables of callbacks that Keras has and whose options are options of ours. */
const callbacks: { readonly [type: string]: { readonly [option: string]: object } } = {
  CSVLogger: csvLoggerOptions,
  EarlyStopping: earlyStoppingOptions,
  LambdaCallback: lambdaCallbackOptions,
  LearningRateScheduler: learningRateSchedulerOptions,
  ModelCheckpoint: modelCheckpointOptions,
  ReduceLROnPlateau: reduceLROnPlateauOptions,
  TensorBoard: tensorBoardOptions,
  TerminateOnNaN: terminateOnNaNOptions,
}

/** What there is of ours, by Keras's class names; the option table of a layer, or what its name stands for. */
function check(group: object, names: Iterable<string>, found: (type: string) => Defaults): void {
  const known = new Set([...names].map(plain))
  test.each(entries(group).filter(([type]) => known.has(plain(type))))("%s", (type, defaults) => {
    compare(defaults, found(type))
  })
}

describe("Keras's defaults", () => {
  describe("layers", () => {
    check(keras.layers, Object.keys(layerTypes), (type) => {
      const { options } = layerTypes[type] as unknown as { options: { [option: string]: object } }
      const found = defaultsOf(options)
      for (const [option, value] of Object.entries({ ...OF_CALLS[type], ...NOT_DEMANDED[type] })) {
        expect(found[option], option).toBe(value)
      }
      const more = Object.keys(OF_CALLS[type] ?? {})
      const known = Object.entries(found).filter(([option]) => !more.includes(option))
      const demanded = Object.keys(NOT_DEMANDED[type] ?? {}).map((option) => [option, REQUIRED])
      return Object.fromEntries([...known, ...demanded])
    })
  })
  test("TextVectorization", () => compare(keras.layers.TextVectorization.defaults, { ...textVectorization().config }))
  describe("callbacks", () => {
    check(keras.callbacks, Object.keys(callbacks), (type) => {
      const found = defaultsOf(callbacks[type]!)
      return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, value ?? null]))
    })
  })
  describe("losses", () => check(keras.losses, Object.keys(losses), (type) => without({ ...readLoss(type) })))
  describe("metrics", () =>
    check(keras.metrics, Object.keys(metrics), (type) => {
      const [, { options }] = Object.entries(metrics).find(([name]) => plain(name) === plain(type))!
      const { threshold, ...found } = defaultsOf(options as { readonly [option: string]: object })
      // Ours takes outputs, Keras's labels: where a single output becomes one is an option of ours.
      return plain(type) === "meaniou" || threshold === undefined ? found : { threshold, ...found }
    }))
  describe("initializers", () =>
    check(keras.initializers, initializerNames, (type) => without({ ...readInitializer(type) })))
  describe("optimizers", () =>
    check(keras.optimizers, Object.keys(optimizers), (type) => {
      const { excludeFromWeightDecay: _, groups: __, ...options } = readOptimizer(type)
      return without(options)
    }))

  test("are asserted for everything of ours that Keras has", () => {
    const OURS = new Set(["accuracy", "confusionmatrix", "perclassaccuracy"])
    const missing = (ours: Iterable<string>, group: object): string[] => {
      const theirs = new Set(Object.keys(group).map(plain))
      return [...ours].map(plain).filter((name) => !theirs.has(name) && !OURS.has(name))
    }
    expect(missing(Object.keys(layerTypes), keras.layers)).toEqual([])
    expect(missing(Object.keys(callbacks), keras.callbacks)).toEqual([])
    expect(missing(Object.keys(losses), keras.losses)).toEqual([])
    expect(missing(Object.keys(metrics), { ...keras.metrics, ...keras.losses })).toEqual([])
    expect(missing(initializerNames, keras.initializers)).toEqual([])
    expect(missing(Object.keys(optimizers), keras.optimizers)).toEqual([])
  })
})
