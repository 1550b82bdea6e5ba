// Keras 3's files: `.keras`, a zip of three stored members (metadata.json, config.json, model.weights.h5), and `.weights.h5` alone.
// Knows how the parts are put together; the parts are in keras-config.ts, keras-specs.ts and keras-weights.ts.

import { asObject, type JsonObject, type JsonValue, parseJson } from "../core/json.ts"
import type { Tensor } from "../core/tensor.ts"
import { openZip, writeZip } from "../core/zip.ts"
import { networkFromConfig } from "../nn/config.ts"
import { inputShapesOf } from "../nn/network.ts"
import type { LayerConfig, NetworkConfig } from "../nn/to-config.ts"
import { networkToConfig } from "../nn/to-config.ts"
import { type Hdf5File, openHdf5 } from "./hdf5.ts"
import { writeHdf5 } from "./hdf5-write.ts"
import { checkKeras2, layersInKeras, networkFromKeras, networkToKeras } from "./keras-config.ts"
import { groupNames } from "./keras-names.ts"
import { toJson, trainingFromKeras, trainingToKeras } from "./keras-specs.ts"
import { groupAt, placesOf, stateFromKeras, weightsFromKeras, weightsToKeras } from "./keras-weights.ts"
import { type ReadOptions, type SavedModel, traceSaved, weightsInKeras, withCarried } from "./saved-model.ts"
import { modelError } from "./weights-file.ts"

/** The version of Keras whose files these are. */
const KERAS = "3.15.1"
const members = ["metadata.json", "config.json", "model.weights.h5"] as const

/** The bytes of a `.keras` file; the same model gives the same bytes. Throws E_MODEL for what Keras does not have. */
export function writeKeras(model: SavedModel): Uint8Array {
  const { network, inputShapes, compiled } = model
  const name = nameOf(model)
  const { className, config } = networkToKeras(name, networkToConfig(network), inputShapes, { dialect: "keras3" })
  const shapes = inputShapes.map((shape) => [network.batchSize ?? null, ...shape])
  const json = {
    module: className === "Sequential" ? "keras" : "keras.src.models.functional",
    class_name: className,
    config,
    registered_name: className === "Sequential" ? null : className,
    build_config: { input_shape: shapes.length === 1 ? shapes[0] : shapes },
    ...(compiled === undefined ? {} : { compile_config: trainingToKeras(compiled, network) }),
  }
  const metadata = { keras_version: KERAS, date_saved: "1980-01-01@00:00:00" }
  const text = (value: unknown): Uint8Array => new TextEncoder().encode(toJson(value))
  return writeZip([
    [members[0], text(metadata)],
    [members[1], text(json)],
    [members[2], writeKerasWeights(model)],
  ])
}

const nameOf = ({ name, network }: SavedModel): string => name ?? network.kind

/** The bytes of a `.weights.h5` file: the weights, and what the optimizer keeps. */
export function writeKerasWeights(model: SavedModel): Uint8Array {
  const { network, weights, compiled, state } = model
  const places = placesOf(networkToConfig(network), weightsInKeras(traceSaved(model).parameters))
  const training = compiled === undefined ? undefined : { optimizer: compiled.optimizer, state }
  return writeHdf5(weightsToKeras(nameOf(model), places, weights, training))
}

/** The model in the bytes of a `.keras` file. Throws E_MODEL for anything damaged, unknown or not ours. */
export async function readKeras(bytes: Uint8Array, where: string, options: ReadOptions): Promise<SavedModel> {
  const zip = openZip(bytes, where, "E_MODEL")
  const extra = zip.names.find((name) => !members.some((known) => known === name) && name !== "assets/")
  if (extra !== undefined)
    throw modelError(where, `the member ${JSON.stringify(extra)} is not known.`, members.join(", "))
  const [config, weights] = await Promise.all([zip.read("config.json"), zip.read("model.weights.h5")])
  if (config === undefined) throw modelError(where, "config.json is missing: this is no file of Keras.")
  if (weights === undefined) throw modelError(where, "model.weights.h5 is missing.")
  const json = asObject(parseJson(utf8(config, where), `${where}, config.json`, undefined, "E_MODEL"), where, "E_MODEL")
  return kerasModel(json, json.compile_config ?? null, where, options, openHdf5(weights, where))
}

/** The text of a member. */
export function utf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw modelError(where, "a text is not valid UTF-8.")
  }
}

async function kerasModel(
  json: JsonObject,
  compiled: JsonValue,
  where: string,
  { custom, compile }: ReadOptions,
  root: Hdf5File,
): Promise<SavedModel> {
  const { name, config, inputShapes } = networkFromKeras(json, "config", custom)
  const adapted = await adaptedLayers(config, root, where)
  const network = networkFromConfig(adapted.config, custom)
  const built = asObject(json.build_config ?? {}, where, "E_MODEL").input_shape
  const shapes = inputShapesOf(network, inputShapes.map((shape) => shape ?? builtShape(built))) // biome-ignore format: one row
  const compileConfig = compiled === null ? {} : asObject(compiled, "compile_config", "E_MODEL")
  const training = compile ? trainingFromKeras(compileConfig, network, custom) : undefined
  const { parameters } = traceSaved({ network, inputShapes: shapes })
  const places = placesOf(adapted.config, weightsInKeras(parameters))
  const weights = withCarried(await weightsFromKeras(root, where, places, adapted.read), parameters)
  const state = training === undefined ? undefined : await stateFromKeras(root, where, places, training.optimizer)
  return { network, inputShapes: shapes, compiled: training, weights, state, name }
}

/** The shape of one example with which Keras has built a model that does not say it otherwise. */
function builtShape(json: JsonValue | undefined): readonly number[] | undefined {
  if (!Array.isArray(json) || Array.isArray(json[0])) return undefined
  const shape = json.slice(1)
  return shape.every((n) => Number.isSafeInteger(n) && (n as number) > 0) ? (shape as number[]) : undefined
}

/** Layers that keep as variables what are options here: means and variances of normalization. */
async function adaptedLayers(
  config: NetworkConfig,
  root: Hdf5File,
  where: string,
): Promise<{ readonly config: NetworkConfig; readonly read: ReadonlySet<Hdf5File> }> {
  const read = new Set<Hdf5File>()
  const inside = async (at: NetworkConfig, path: readonly string[]): Promise<NetworkConfig> => {
    const order = layersInKeras(at)
    const groups = groupNames(order.map(({ type }) => type))
    const changed = new Map<string, LayerConfig>()
    for (const [i, layer] of order.entries()) {
      const here = [...path, groups[i]!]
      if ("kind" in layer.config) {
        const inner = await inside(layer.config as unknown as NetworkConfig, [...here, "layers"])
        changed.set(layer.name, { ...layer, config: { ...inner } })
      }
      if (layer.type !== "Normalization" || (layer.config.mean ?? null) !== null) continue
      const vars = groupAt(root, [...here, "vars"])
      const [mean, variance] = [vars?.items.get("0"), vars?.items.get("1")]
      if (vars === undefined || mean?.kind !== "dataset" || variance?.kind !== "dataset") continue
      read.add(vars)
      const numbers = async (set: typeof mean): Promise<number[]> => Array.from((await set.read()).data)
      const own = { mean: await numbers(mean), variance: await numbers(variance) }
      if (own.mean.length !== own.variance.length) throw modelError(where, `${layer.name}: means and variances differ in number.`) // biome-ignore format: one row
      changed.set(layer.name, { ...layer, config: { ...layer.config, ...own } })
    }
    return { ...at, layers: at.layers.map((layer) => changed.get(layer.name) ?? layer) }
  }
  return { config: await inside(config, ["layers"]), read }
}

/** The weights of a `.weights.h5` file for a model of which all else is known. Throws E_MODEL unless they fit. */
export async function readKerasWeights(
  bytes: Uint8Array,
  where: string,
  model: Pick<SavedModel, "network" | "inputShapes">,
): Promise<ReadonlyMap<string, Tensor>> {
  const { parameters } = traceSaved(model)
  const places = placesOf(networkToConfig(model.network), weightsInKeras(parameters))
  return withCarried(await weightsFromKeras(openHdf5(bytes, where), where, places), parameters)
}

/**
 * The model in a legacy `.h5` file, as Keras 2 has written them: its JSON is an attribute, weights are listed by layer. What its
 * optimizer has kept is not read. Throws E_MODEL for anything damaged, unknown or not ours.
 */
export async function readLegacyH5(bytes: Uint8Array, where: string, options: ReadOptions): Promise<SavedModel> {
  const { custom, compile } = options
  const root = openHdf5(bytes, where)
  const text = root.attributes.get("model_config")
  if (typeof text !== "string") {
    const what = "the file holds no architecture: it has weights alone, or is no model."
    throw modelError(where, what, "the attribute model_config", undefined)
  }
  const parse = (json: string, place: string): JsonObject =>
    asObject(parseJson(json, `${where}, ${place}`, undefined, "E_MODEL"), place, "E_MODEL")
  const json = parse(text, "model_config")
  if (/^2\./.test(String(root.attributes.get("keras_version")))) checkKeras2(json, where)
  const { name, config, inputShapes } = networkFromKeras(json, "model_config", custom)
  const network = networkFromConfig(config, custom)
  const shapes = inputShapesOf(network, inputShapes)
  const method = root.attributes.get("training_config")
  const training =
    compile && typeof method === "string"
      ? trainingFromKeras(parse(method, "training_config"), network, custom)
      : undefined
  const { parameters } = traceSaved({ network, inputShapes: shapes })
  const weights = new Map<string, Tensor>()
  for (const layer of layersInKeras(config)) {
    const all = weightsInKeras(parameters).filter(({ variable: { key } }) => key.startsWith(`${layer.name}/`))
    const own = [...all.filter((p) => p.trainable), ...all.filter((p) => !p.trainable)]
    const place = `${where}, model_weights/${layer.name}`
    const group = groupAt(root, ["model_weights", layer.name])
    const names = listed(group, "weight_names")
    if (names.length !== own.length) {
      throw modelError(place, "the number of weights does not fit the layer.", `${own.length}`, `${names.length}`)
    }
    for (const [i, { variable }] of own.entries()) {
      const path = names[i]!.split("/")
      const found = groupAt(group!, path.slice(0, -1))?.items.get(path.at(-1)!)
      if (found?.kind !== "dataset") throw modelError(place, `the weight ${names[i]} is missing.`)
      const { dtype, shape, data } = await found.read()
      weights.set(variable.key, { dtype: "float32", shape, data: dtype === "float32" ? data : Float32Array.from(data) })
    }
  }
  return { network, inputShapes: shapes, compiled: training, weights: withCarried(weights, parameters), name }
}

/** A list of names, which older files divide among several attributes when it is long. */
function listed(group: Hdf5File | undefined, name: string): readonly string[] {
  const whole = group?.attributes.get(name)
  if (whole !== undefined) return typeof whole === "string" ? [whole] : whole
  const parts: string[] = []
  for (let i = 0; ; i++) {
    const part = group?.attributes.get(`${name}${i}`)
    if (part === undefined) return parts
    parts.push(...(typeof part === "string" ? [part] : part))
  }
}
