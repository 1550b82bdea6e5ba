// TensorFlow.js's layers-model: model.json, whose topology is Keras 2's JSON, and files of weights beside it. The topology of
// Keras 3, which TensorFlow.js itself cannot read, is read too. Knows what TensorFlow.js lacks of Keras.

import { joined } from "../core/bytes.ts"
import { show } from "../core/errors.ts"
import { asArray, asCount, asObject, asString, type JsonObject, type JsonValue, parseJson } from "../core/json.ts"
import { type Shape, sameShape } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"
import { networkFromConfig } from "../nn/config.ts"
import { nestedTypes } from "../nn/nested.ts"
import { inputShapesOf } from "../nn/network.ts"
import { type LayerConfig, networkToConfig } from "../nn/to-config.ts"
import { utf8 } from "./keras.ts"
import { checkKeras2, networkFromKeras, networkToKeras } from "./keras-config.ts"
import { snake } from "./keras-names.ts"
import { cannotHold, toJson, trainingFromKeras } from "./keras-specs.ts"
import { placesOf } from "./keras-weights.ts"
import {
  type Beside,
  type Files,
  type ReadOptions,
  type SavedModel,
  traceSaved,
  weightOf,
  weightsInKeras,
  withCarried,
} from "./saved-model.ts"
import { modelError } from "./weights-file.ts"

const convolved = ({ groups, padding }: { readonly [option: string]: unknown }): string | undefined => {
  if (groups !== 1) return "TensorFlow.js has no convolutions in groups."
  return padding === "causal" ? "TensorFlow.js has no causal padding." : undefined
}

/** The layers that TensorFlow.js has, of ours; for some a reason why one with these options is not among them. */
const layers: { readonly [type: string]: (config: { readonly [option: string]: unknown }) => string | undefined } = {
  ...Object.fromEntries(
    [
      ...["Dense", "Activation", "Flatten", "Reshape", "Permute", "RepeatVector", "Embedding"],
      ...["LeakyReLU", "PReLU", "Dropout", "AlphaDropout", "GaussianNoise", "GaussianDropout"],
      ...["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "LayerNormalization", "Rescaling"],
      ...["SpatialDropout1D", "Masking", "ZeroPadding2D", "Cropping2D"],
      ...["SeparableConv2D", "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"],
      ...["SimpleRNN", "LSTM", "Bidirectional", "DepthwiseConv2D"],
      ...["GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"],
    ].map((type) => [type, () => undefined]),
  ),
  Conv1D: convolved,
  Conv2D: convolved,
  Conv2DTranspose: ({ strides }) =>
    [strides].flat().every((step) => step === 1) ? undefined : "TensorFlow.js gives another size for steps above 1.",
  ELU: ({ alpha }) => (alpha === 1 ? undefined : "in TensorFlow.js the alpha of an ELU is 1."),
  Softmax: ({ axis }) => (axis === -1 ? undefined : "TensorFlow.js has softmax along the last axis only."),
  BatchNormalization: ({ axis }) =>
    axis === -1 ? undefined : "TensorFlow.js normalizes batches along the last axis only.",
  UpSampling2D: ({ interpolation }) =>
    interpolation === "nearest" ? undefined : `TensorFlow.js interpolates otherwise: ${String(interpolation)}.`,
  TimeDistributed: ({ layer }) => {
    const { type, inputShape } = layer as LayerConfig
    const open = type === nestedTypes.sequential && inputShape === undefined
    return open ? "TensorFlow.js needs the inputShape of a model that is applied to each step." : undefined
  },
  GRU: ({ resetAfter }) => (resetAfter === false ? undefined : "in TensorFlow.js a GRU has resetAfter: false."),
  ReLU: ({ negativeSlope, threshold }) =>
    negativeSlope === 0 && threshold === 0 ? undefined : "in TensorFlow.js a ReLU has no slope and no threshold.",
}

/** The activations that TensorFlow.js computes as we do. Its hardSigmoid is that of Keras 2. */
const activations: ReadonlySet<string> = new Set([
  ...["linear", "relu", "relu6", "elu", "selu", "sigmoid", "softmax", "softplus", "softsign", "tanh", "silu", "mish"],
  ...["logSoftmax", "gelu"],
])

/** Why TensorFlow.js cannot hold a layer, undefined if it can. */
function refuse({ type, config }: LayerConfig): string | undefined {
  const check = Object.hasOwn(layers, type) ? layers[type] : undefined
  if (check === undefined) return `TensorFlow.js has no layer ${type}.`
  const names = [config.activation, config.recurrentActivation].filter((name) => typeof name === "string")
  const other = names.find((name) => !activations.has(name))
  if (other !== undefined) return `TensorFlow.js has no activation ${other} like ours.`
  const matrices = Object.entries(config).find(([, value]) => (value as { type?: string } | null)?.type === "orthogonalRegularizer") // biome-ignore format: one row
  return matrices === undefined ? check(config) : "TensorFlow.js has no orthogonalRegularizer."
}

/** Classes that have another name there. */
const classes: { readonly [keras: string]: string } = {
  L1: "L1L2",
  L2: "L1L2",
  LecunNormal: "LeCunNormal",
  LecunUniform: "LeCunUniform",
}

function rename(type: string, config: { readonly [option: string]: unknown }): { readonly [option: string]: unknown } {
  const renamed = Object.entries(config).map(([option, value]) => {
    if (option === "negative_slope" && type === "LeakyReLU") return ["alpha", value]
    if (option === "activation" && value === "silu") return [option, "swish"]
    const spec = value as { readonly class_name?: string; readonly config?: object } | null
    const other = typeof spec === "object" ? classes[spec?.class_name ?? ""] : undefined
    if (other === undefined) return [option, value]
    const both = other === "L1L2" ? { l1: 0, l2: 0, ...spec!.config } : spec!.config
    return [option, { class_name: other, config: both }]
  })
  const options = Object.fromEntries(renamed) as { [option: string]: unknown }
  if (type !== "ReLU") return options
  const { negative_slope, threshold, ...rest } = options
  return rest
}

/** The parameters by the names that TensorFlow.js gives them: those of their layers, whatever models these are in. */
function weightNames(model: Pick<SavedModel, "network" | "inputShapes">): readonly {
  readonly key: string
  readonly shape: Shape
  readonly name: string
}[] {
  const places = placesOf(networkToConfig(model.network), weightsInKeras(traceSaved(model).parameters))
  return places.flatMap(({ type, scopes, parameters }) =>
    parameters.map(({ variable: { key, shape } }) => {
      const own = key.split("/").at(-1)!
      const named = type === "DepthwiseConv2D" && own === "kernel" ? "depthwise_kernel" : snake(own)
      return { key, shape, name: [...scopes, named].join("/") }
    }),
  )
}

/** Whether steps of sequences may not count somewhere in a network. */
const masks = (layers: readonly LayerConfig[]): boolean =>
  layers.some(({ type, config }) => {
    return type === "Masking" || config.maskZero === true || masks((config.layers ?? []) as readonly LayerConfig[])
  })

const MASKED = "in TensorFlow.js steps that do not count give other numbers than zeros."

/** model.json and the file of weights beside it. Throws E_MODEL for what TensorFlow.js does not have. */
export function writeTfjs(model: SavedModel, name: string): Files {
  const { network, inputShapes } = model
  const own = networkToConfig(network)
  const masked = masks(own.layers)
  const bothWays = ({ type, config }: LayerConfig): boolean =>
    type === "Bidirectional" && (config.layer as LayerConfig).config.returnSequences === true
  const { className, config } = networkToKeras(model.name ?? network.kind, own, inputShapes, {
    dialect: "keras2",
    refuse: (layer) => (masked && bothWays(layer) ? MASKED : refuse(layer)),
    rename,
  })
  const weights = weightNames(model)
  const twice = weights.find(({ name }, i) => weights.findIndex((other) => other.name === name) < i)
  if (twice !== undefined) {
    throw cannotHold(
      `the weight ${twice.key}`,
      "layers in two models have the same name, which TensorFlow.js cannot tell apart.",
    )
  }
  const bytes = new Uint8Array(weights.reduce((sum, { key }) => sum + weightOf(model, key).data.byteLength, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { key } of weights) {
    for (const value of weightOf(model, key).data) {
      view.setFloat32(at, value, true)
      at += 4
    }
  }
  const file = `${name.replace(/\.json$/i, "")}.weights.bin`
  const json = {
    format: "layers-model",
    generatedBy: "trilobite",
    convertedBy: null,
    modelTopology: {
      keras_version: "2.15.0",
      backend: "tensorflow",
      model_config: { class_name: className === "Functional" ? "Model" : className, config },
    },
    weightsManifest: [
      { paths: [file], weights: weights.map(({ name, shape }) => ({ name, shape, dtype: "float32" })) },
    ],
  }
  return [
    [name, new TextEncoder().encode(toJson(json))],
    [file, bytes],
  ]
}

/** The most files of weights that a model may name. */
const FILES = 10_000

/** The model of a model.json and the files beside it. Throws E_MODEL for anything damaged, unknown or not ours. */
export async function readTfjs(
  bytes: Uint8Array,
  where: string,
  { custom, compile }: ReadOptions,
  beside: Beside,
): Promise<SavedModel> {
  const limits = { depth: 64, length: 16_777_216 }
  const json = asObject(parseJson(utf8(bytes, where), where, limits, "E_MODEL"), where, "E_MODEL")
  if (json.format === "graph-model") {
    throw modelError(
      where,
      "a graph-model of TensorFlow.js has no layers.",
      'the format "layers-model"',
      '"graph-model"',
    )
  }
  const topology = asObject(json.modelTopology ?? null, `${where}, modelTopology`, "E_MODEL")
  const inner = topology.model_config ?? topology
  if (!/^3\./.test(String(topology.keras_version))) checkKeras2(inner, where)
  const { name, config, inputShapes } = networkFromKeras(inner, "modelTopology", custom)
  const network = networkFromConfig(config, custom)
  const shapes = inputShapesOf(network, inputShapes)
  const given = json.trainingConfig ?? topology.training_config ?? null
  const training =
    compile && given !== null
      ? trainingFromKeras(asObject(given, "training_config", "E_MODEL"), network, custom)
      : undefined
  const found = await manifest(json.weightsManifest ?? null, where, beside)
  const model = { network, inputShapes: shapes }
  const weights = withCarried(matched(found, model, where), traceSaved(model).parameters)
  return { ...model, compiled: training, weights, name }
}

/** All weights of the manifest by their names there. */
async function manifest(json: JsonValue, where: string, beside: Beside): Promise<ReadonlyMap<string, Tensor>> {
  const found = new Map<string, Tensor>()
  let files = 0
  for (const [i, group] of asArray(json, `${where}, weightsManifest`, "E_MODEL").entries()) {
    const place = `${where}, weightsManifest[${i}]`
    const { paths, weights } = asObject(group, place, "E_MODEL")
    const specs = asArray(weights ?? null, `${place}.weights`, "E_MODEL").map((spec) => weightSpec(spec, place))
    const total = specs.reduce((sum, { count }) => sum + 4 * count, 0)
    if (!Number.isSafeInteger(total)) throw modelError(place, "these weights are too large.")
    const parts: Uint8Array[] = []
    for (const path of asArray(paths ?? null, `${place}.paths`, "E_MODEL")) {
      if (++files > FILES) throw modelError(place, "too many files of weights.", `at most ${FILES}`)
      parts.push(await beside(asString(path, `${place}.paths`, "E_MODEL")))
    }
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    if (length !== total) throw modelError(place, "the files do not fit the weights.", `${total} bytes`, `${length}`)
    const all = joined(parts)
    const view = new DataView(all.buffer)
    let at = 0
    for (const { name, shape, count } of specs) {
      if (found.has(name)) throw modelError(place, `the weight ${show(name)} occurs twice.`)
      const data = Float32Array.from({ length: count }, (_, j) => view.getFloat32(at + 4 * j, true))
      at += 4 * count
      found.set(name, { dtype: "float32", shape, data })
    }
  }
  return found
}

function weightSpec(
  json: JsonValue,
  where: string,
): { readonly name: string; readonly shape: Shape; readonly count: number } {
  const { name, shape, dtype, quantization } = asObject(json, where, "E_MODEL") as JsonObject
  const own = asString(name ?? null, `${where}, name`, "E_MODEL")
  const place = `${where}, ${show(own)}`
  if (dtype !== "float32") throw modelError(place, "weights of this type are not read.", '"float32"', show(dtype))
  if (quantization !== undefined) throw modelError(place, "quantized weights are not read.", "float32")
  const sizes = asArray(shape ?? null, `${place}, shape`, "E_MODEL").map((n) => asCount(n, place, "E_MODEL"))
  return { name: own, shape: sizes, count: sizes.reduce((a, b) => a * b, 1) }
}

/** The weights by our keys: by the names of their layers, with whatever TensorFlow puts before, between and behind. */
function matched(
  found: ReadonlyMap<string, Tensor>,
  model: Pick<SavedModel, "network" | "inputShapes">,
  where: string,
): ReadonlyMap<string, Tensor> {
  const left = new Map([...found].map(([name, tensor]) => [name.replace(/:\d+$/, ""), tensor]))
  const weights = new Map<string, Tensor>()
  for (const { key, shape, name } of weightNames(model)) {
    const [parameter, ...layers] = name.split("/").toReversed()
    const candidates = [...left.keys()].filter((own) => {
      const parts = own.split("/")
      return parts.at(-1) === parameter && layers.every((layer) => parts.includes(layer))
    })
    const own =
      [name, snakePath(key)].find((wanted) => left.has(wanted)) ?? (candidates.length === 1 ? candidates[0] : undefined)
    const tensor = own === undefined ? undefined : left.get(own)
    if (own === undefined || tensor === undefined) throw modelError(where, `the weight ${name} is missing.`)
    if (!sameShape(tensor.shape, shape)) {
      throw modelError(where, `the weight ${name} does not fit its layer.`, `[${shape.join(", ")}]`, `[${tensor.shape.join(", ")}]`) // biome-ignore format: one row
    }
    left.delete(own)
    weights.set(key, tensor)
  }
  const [extra] = left.keys()
  if (extra === undefined) return weights
  throw modelError(where, `the weight ${show(extra)} belongs to no layer of the model.`)
}

const snakePath = (key: string): string => key.replace(/[^/]*$/, (last) => snake(last))
