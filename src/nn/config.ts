// Networks, losses, optimizers and metrics from plain JSON. The table of layers is here. Knows no file format; writing is in
// to-config.ts.

import { nearest, show, TrilobiteError } from "../core/errors.ts"
import { asObject, type JsonValue } from "../core/json.ts"
import { isCustom as isOwnFunction } from "./custom.ts"
import { functionalNetwork } from "./functional.ts"
import { labelOf } from "./label.ts"
import { type Layer, readLayerOptions } from "./layer.ts"
import { activation } from "./layers/activation.ts"
import { elu, leakyReLU, prelu, reLU, softmax } from "./layers/activations.ts"
import { activityRegularization } from "./layers/activity-regularization.ts"
import { additiveAttention, attention, multiHeadAttention } from "./layers/attention.ts"
import { randomContrast, randomFlip, randomRotation, randomTranslation, randomZoom } from "./layers/augmentation.ts"
import { batchNormalization } from "./layers/batch-normalization.ts"
import { bidirectional } from "./layers/bidirectional.ts"
import { conv1DTranspose, conv2DTranspose } from "./layers/conv-transpose.ts"
import {
  conv1D,
  conv2D,
  depthwiseConv1D,
  depthwiseConv2D,
  separableConv1D,
  separableConv2D,
} from "./layers/convolution.ts"
import { dense } from "./layers/dense.ts"
import { dot } from "./layers/dot.ts"
import { embedding } from "./layers/embedding.ts"
import { flatten } from "./layers/flatten.ts"
import {
  globalAveragePooling1D,
  globalAveragePooling2D,
  globalMaxPooling1D,
  globalMaxPooling2D,
} from "./layers/global-pooling.ts"
import { gru } from "./layers/gru.ts"
import { lstm } from "./layers/lstm.ts"
import { masking } from "./layers/masking.ts"
import { add, average, concatenate, maximum, minimum, multiply, subtract } from "./layers/merging.ts"
import { identityLayer, permute, repeatVector } from "./layers/moving.ts"
import {
  alphaDropout,
  dropout,
  gaussianDropout,
  gaussianNoise,
  spatialDropout1D,
  spatialDropout2D,
} from "./layers/noise.ts"
import { normalization } from "./layers/normalization.ts"
import { groupNormalization, layerNormalization, rmsNormalization, unitNormalization } from "./layers/normalizing.ts"
import { cropping1D, cropping2D, upSampling1D, upSampling2D, zeroPadding1D, zeroPadding2D } from "./layers/placing.ts"
import { averagePooling1D, averagePooling2D, maxPooling1D, maxPooling2D } from "./layers/pooling.ts"
import { rescaling } from "./layers/rescaling.ts"
import { reshape } from "./layers/reshape.ts"
import { simpleRNN } from "./layers/simple-rnn.ts"
import { timeDistributed } from "./layers/time-distributed.ts"
import { customLoss, isCustom, type LossFunction, missing } from "./losses/custom.ts"
import type { Targets } from "./losses/rule.ts"
import { type Loss, readLoss } from "./losses.ts"
import { customMetric, type Metric, readMetric } from "./metrics.ts"
import { nestedLayer, nestedTypes } from "./nested.ts"
import { type Network, sequentialNetwork } from "./network.ts"
import { type Optimizer, readOptimizer } from "./optimizers.ts"
import { type Option, positiveInteger, readValue } from "./options.ts"
import { applyLayer, input, type SymbolicTensor } from "./symbolic.ts"

/** The table of layers by type. */
export const layerTypes: { readonly [type: string]: Factory } = {
  Dense: dense,
  Conv1D: conv1D,
  Conv2D: conv2D,
  DepthwiseConv1D: depthwiseConv1D,
  DepthwiseConv2D: depthwiseConv2D,
  SeparableConv1D: separableConv1D,
  SeparableConv2D: separableConv2D,
  Conv1DTranspose: conv1DTranspose,
  Conv2DTranspose: conv2DTranspose,
  MaxPooling1D: maxPooling1D,
  MaxPooling2D: maxPooling2D,
  AveragePooling1D: averagePooling1D,
  AveragePooling2D: averagePooling2D,
  Activation: activation,
  Flatten: flatten,
  Reshape: reshape,
  Rescaling: rescaling,
  Embedding: embedding,
  Normalization: normalization,
  ReLU: reLU,
  LeakyReLU: leakyReLU,
  PReLU: prelu,
  ELU: elu,
  Softmax: softmax,
  Permute: permute,
  RepeatVector: repeatVector,
  Identity: identityLayer,
  ActivityRegularization: activityRegularization,
  Dropout: dropout,
  AlphaDropout: alphaDropout,
  GaussianNoise: gaussianNoise,
  GaussianDropout: gaussianDropout,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,
  UnitNormalization: unitNormalization,
  RMSNormalization: rmsNormalization,
  Add: add,
  Subtract: subtract,
  Multiply: multiply,
  Average: average,
  Maximum: maximum,
  Minimum: minimum,
  Concatenate: concatenate,
  Dot: dot,
  Attention: attention,
  AdditiveAttention: additiveAttention,
  MultiHeadAttention: multiHeadAttention,
  RandomFlip: randomFlip,
  RandomRotation: randomRotation,
  RandomTranslation: randomTranslation,
  RandomZoom: randomZoom,
  RandomContrast: randomContrast,
  SimpleRNN: simpleRNN,
  LSTM: lstm,
  GRU: gru,
  Bidirectional: bidirectional,
  Masking: masking,
  TimeDistributed: timeDistributed,
  ZeroPadding1D: zeroPadding1D,
  ZeroPadding2D: zeroPadding2D,
  Cropping1D: cropping1D,
  Cropping2D: cropping2D,
  UpSampling1D: upSampling1D,
  UpSampling2D: upSampling2D,
  GlobalMaxPooling1D: globalMaxPooling1D,
  GlobalMaxPooling2D: globalMaxPooling2D,
  GlobalAveragePooling1D: globalAveragePooling1D,
  GlobalAveragePooling2D: globalAveragePooling2D,
  SpatialDropout1D: spatialDropout1D,
  SpatialDropout2D: spatialDropout2D,
}

/** Layers and functions of the user's own by their names: what a file names and cannot hold. */
export interface CustomObjects {
  readonly [name: string]: unknown
}

/** The network that plain JSON describes. Throws E_MODEL for anything that is unknown, missing or wrong. */
export function networkFromConfig(json: unknown, custom: CustomObjects = {}): Network {
  return asModel(() => readNetwork(json, "model", custom))
}

function readNetwork(json: unknown, where: string, custom: CustomObjects): Network {
  const { kind, layers, batchSize: rows, ...others } = objectOf(json, where)
  const batchSize = rows === undefined ? undefined : readValue(`${where}.batchSize`, positiveInteger(), rows)
  if (kind !== "sequential" && kind !== "functional") {
    throw modelError(`${where}.kind`, "this kind of network is not known.", '"sequential" or "functional"', kind)
  }
  if (!Array.isArray(layers)) throw modelError(`${where}.layers`, "these are no layers.", "a list", layers)
  const read = layers.map((layer, i) => layerFromConfig(layer, `${where}.layers[${i}]`, custom))
  if (kind === "functional") return readFunctional(others, where, read, batchSize)
  refuse(others, where)
  return { ...sequentialNetwork(read), batchSize }
}

/** A functional network is built again from its calls, so that whatever a user cannot build is refused. */
function readFunctional(json: object, where: string, layers: readonly Layer[], batchSize: number | undefined): Network {
  const { inputs, calls, outputs, ...others } = json as { readonly [key: string]: unknown }
  refuse(others, where)
  const list = (value: unknown, at: string): readonly unknown[] => {
    if (Array.isArray(value)) return value
    throw modelError(at, "this is no list.", "a list", value)
  }
  const nameOf = (value: unknown, at: string): string => {
    if (typeof value === "string" && value !== "") return value
    throw modelError(at, "this is no name.", "a text", value)
  }
  const values: (readonly SymbolicTensor[])[] = []
  const at = (value: unknown, place: string): SymbolicTensor => {
    const [node, output, ...more] = list(value, place)
    const found = Number.isInteger(node) && Number.isInteger(output) ? values[node as number] : undefined
    const tensor = more.length === 0 ? found?.[output as number] : undefined
    if (tensor !== undefined) return tensor
    throw modelError(place, "there is no such value before it.", "[node, output]", value)
  }
  const named = list(inputs, `${where}.inputs`).map((value, i) => {
    const place = `${where}.inputs[${i}]`
    const { name, shape, ...rest } = objectOf(value, place)
    refuse(rest, place)
    const tensor = input({ shape: shape as readonly number[], batchSize, name: nameOf(name, `${place}.name`) })
    values.push([tensor])
    return { name: tensor.name, value: tensor }
  })
  for (const [i, value] of list(calls, `${where}.calls`).entries()) {
    const place = `${where}.calls[${i}]`
    const { layer: number, inputs: from, ...rest } = objectOf(value, place)
    refuse(rest, place)
    const layer = Number.isInteger(number) ? layers[number as number] : undefined
    if (layer === undefined) throw modelError(`${place}.layer`, "there is no such layer.", "the number of one", number)
    values.push(
      applyLayer(
        layer,
        list(from, `${place}.inputs`).map((f, j) => at(f, `${place}.inputs[${j}]`)),
      ),
    )
  }
  const wanted = list(outputs, `${where}.outputs`).map((value, i) => {
    const place = `${where}.outputs[${i}]`
    const { name, from, ...rest } = objectOf(value, place)
    refuse(rest, place)
    return { name: nameOf(name, `${place}.name`), value: at(from, `${place}.from`) }
  })
  return functionalNetwork(named, wanted)
}

function layerFromConfig(json: unknown, where: string, custom: CustomObjects): Layer {
  const { type, name, inputShape, trainable, config, ...others } = objectOf(json, where)
  refuse(others, where)
  const own: { [option: string]: unknown } = { ...objectOf(config ?? {}, `${where}.config`) }
  if (type === nestedTypes.sequential || type === nestedTypes.functional) {
    const network = readNetwork(own, `${where}.config`, custom)
    const fields = readLayerOptions(labelOf(type, String(name)), { name, inputShape, trainable })
    return nestedLayer(network, { ...fields, config: own })
  }
  const known = Object.keys(layerTypes)
  const ours = typeof type === "string" && Object.hasOwn(layerTypes, type) ? layerTypes[type] : undefined
  const factory = ours ?? (typeof type === "string" && Object.hasOwn(custom, type) ? custom[type] : undefined)
  if (!isFactory(factory)) {
    const near = typeof type === "string" ? nearest(type, known) : undefined
    const other = "If it is a layer of your own, give the function that makes it in customObjects."
    const hint = near === undefined ? other : `Did you mean ${show(near)}?`
    throw modelError(`${where}.type`, "this type of layer is not known.", `one of ${known.join(", ")}`, type, hint)
  }
  for (const [option, value] of Object.entries(own)) {
    if (isOwnFunction(value) && Object.hasOwn(custom, value.name)) own[option] = custom[value.name]
  }
  for (const [option, { kind }] of Object.entries(factory.options ?? {})) {
    if (kind.holdsLayer && own[option] !== null)
      own[option] = layerFromConfig(own[option], `${where}.config.${option}`, custom)
  }
  for (const key of ["name", "inputShape", "batchShape", "trainable"]) {
    if (Object.hasOwn(own, key)) refuse({ [key]: own[key] }, `${where}.config`)
  }
  return factory.create({ ...own, name, inputShape, trainable })
}

/** What makes layers of one type; the names of its options are the keys of `options`. */
export interface Factory {
  readonly type: string
  readonly create: (options: object) => Layer
  readonly options?: { readonly [option: string]: Option<unknown> }
}

const isFactory = (value: unknown): value is Factory =>
  (typeof value === "function" || typeof value === "object") && value !== null && "create" in value

/**
 * The loss that plain JSON describes; a function of the user's own is found in `custom` by its name, or throws E_CONFIG when it
 * is traced. Throws E_MODEL for anything that is unknown or wrong.
 */
export function lossFromConfig(json: unknown, custom: CustomObjects = {}): Loss {
  return asModel(() => {
    const { type, ...given } = objectOf(json, "loss")
    if (type !== "custom") return readLoss(json)
    const { name, targets, ...others } = given
    refuse(others, "loss")
    return customLoss(name as string, functionOf("loss", name, custom), { targets: targets as Targets })
  })
}

/** The function of the user's own with a name, or one that says that it is missing. */
function functionOf(kind: "loss" | "metric", name: unknown, custom: CustomObjects): LossFunction {
  if (typeof name !== "string" || name === "") throw modelError(`${kind}.name`, "this is no name.", "a text", name)
  const found = Object.hasOwn(custom, name) ? custom[name] : undefined
  if (isCustom(found)) return found.fn
  return typeof found === "function" ? (found as LossFunction) : missing(kind, name)
}

/** The optimizer that plain JSON describes. Throws E_MODEL for anything that is unknown or wrong. */
export function optimizerFromConfig(json: unknown): Optimizer {
  return asModel(() => readOptimizer(json))
}

/**
 * The metric that plain JSON describes; a function of the user's own is found in `custom` by its name, or throws E_CONFIG when it
 * is traced. Throws E_MODEL for anything that is unknown or wrong.
 */
export function metricFromConfig(json: unknown, custom: CustomObjects = {}): Metric {
  return asModel(() => {
    const { name, spec, ...others } = objectOf(json, "metric")
    refuse(others, "metric")
    if (typeof name !== "string" || name === "") throw modelError("metric.name", "this is no name.", "a text", name)
    const { type, ...given } = typeof spec === "object" && spec !== null ? (spec as { readonly type?: unknown }) : {}
    if (type === "custom") {
      refuse(Object.fromEntries(Object.entries(given).filter(([key]) => key !== "name")), "metric.spec")
      return readMetric(customMetric(name, functionOf("metric", name, custom)))
    }
    const read = readMetric(spec)
    // The name is one by which the metric can be asked for: any other could be that of another number, or of a method.
    const named = readMetric(name)
    if (named.name === name && named.spec.type === read.spec.type) return { name, spec: read.spec }
    throw modelError("metric.name", "this is not the name of the metric.", show(read.spec.type), name)
  })
}

function objectOf(json: unknown, where: string): { readonly [key: string]: unknown } {
  return asObject(json as JsonValue, where, "E_MODEL")
}

function refuse(others: object, where: string): void {
  const [key] = Object.keys(others)
  if (key !== undefined) throw new TrilobiteError("E_MODEL", { where, what: `unknown key ${show(key)}.` })
}

function modelError(where: string, what: string, expected: string, got: unknown, hint?: string): TrilobiteError {
  return new TrilobiteError("E_MODEL", {
    where,
    what,
    expected,
    got: show(got),
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Runs the reader; what would be a wrong option in code is a wrong model in a file. */
function asModel<T>(reader: () => T): T {
  try {
    return reader()
  } catch (error) {
    if (!(error instanceof TrilobiteError) || error.code !== "E_CONFIG") throw error
    throw new TrilobiteError("E_MODEL", error, { cause: error })
  }
}
