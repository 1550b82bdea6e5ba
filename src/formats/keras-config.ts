// Networks as Keras's JSON, and back, in both of its dialects: that of Keras 3 and that of Keras 2 and TensorFlow.js.
// Layers are mapped by the rule and the table of keras-names.ts. Knows no weights and no file.

import { show, TrilobiteError } from "../core/errors.ts"
import { asArray, asCount, asObject, asString, type JsonObject, type JsonValue } from "../core/json.ts"
import type { Shape } from "../core/shape.ts"
import { input } from "../graph/ops.ts"
import { type CustomObjects, type Factory, layerTypes, networkFromConfig } from "../nn/config.ts"
import { nestedTypes } from "../nn/nested.ts"
import { traceNetwork } from "../nn/network.ts"
import type { FromConfig, LayerConfig, NetworkConfig } from "../nn/to-config.ts"
import {
  callFromKeras,
  callOptions,
  callToKeras,
  checkStates,
  type Place,
  placeOf,
  valueFromKeras,
} from "./keras-calls.ts"
import { heldFromKeras, heldIn, heldLayers, heldToKeras, optionsFromKeras } from "./keras-held.ts"
import { type Dialect, layerNames, neutralOfLayers, optionOf, ourOptions } from "./keras-names.ts"
import { cannotHold, kerasObject, optionFromKeras, optionToKeras } from "./keras-specs.ts"
import { modelError } from "./weights-file.ts"

/** What a dialect cannot hold of a layer: the reason, or undefined if it can. */
export type Refuse = (layer: LayerConfig) => string | undefined

/** How a network is written. */
export interface KerasOptions {
  readonly dialect: Dialect
  /** Whether the network stands in a layer that is not trained: in Keras the flags of the innermost layers count alone. */
  readonly frozen?: boolean
  /** Reasons against layers beyond those of Keras itself. */
  readonly refuse?: Refuse
  /** The last word on a layer's options: what a reader calls otherwise. */
  readonly rename?: (
    type: string,
    config: { readonly [option: string]: unknown },
  ) => { readonly [option: string]: unknown }
}

/** The numbers of a functional network's layers in the order in which Keras keeps them: by depth, then as it walks. */
export function kerasOrder({ inputs, calls, outputs, layers }: Structure): readonly (number | { input: number })[] {
  // Operations are inputs (−1, −2, …) and layers (0, 1, …); nodes are inputs, then calls, in order.
  const operationOf = (node: number): number => (node < inputs.length ? -1 - node : calls[node - inputs.length]!.layer)
  const before = (node: number): readonly number[] =>
    node < inputs.length ? [] : calls[node - inputs.length]!.inputs.map(([from]) => from)
  const indices = new Map<number, number>()
  const order: number[] = []
  const done = new Set<number>()
  const enter = (node: number, stack: { node: number; next: number }[]): void => {
    if (done.has(node)) return
    done.add(node)
    const operation = operationOf(node)
    if (!indices.has(operation)) indices.set(operation, indices.size)
    stack.push({ node, next: 0 })
  }
  for (const { from } of outputs) {
    const stack: { node: number; next: number }[] = []
    enter(from[0], stack)
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const next = before(top.node)[top.next++]
      if (next !== undefined) enter(next, stack)
      else {
        order.push(top.node)
        stack.pop()
      }
    }
  }
  const nodeDepth = new Map<number, number>()
  const depths = new Map<number, number>()
  for (const node of order.reverse()) {
    const operation = operationOf(node)
    const depth = Math.max(nodeDepth.get(node) ?? 0, depths.get(operation) ?? 0)
    depths.set(operation, depth)
    nodeDepth.set(node, depth)
    for (const from of before(node)) nodeDepth.set(from, Math.max(depth + 1, nodeDepth.get(from) ?? 0))
  }
  inputs.forEach((_, i) => {
    if (depths.has(-1 - i)) return
    depths.set(-1 - i, 0)
    indices.set(-1 - i, -1)
  })
  const all = [...depths.keys()].sort((a, b) => depths.get(b)! - depths.get(a)! || indices.get(a)! - indices.get(b)!)
  return all.filter((n) => n < layers.length).map((n) => (n < 0 ? { input: -1 - n } : n))
}

/** A functional network as its calls, in the form of its JSON. */
type Structure = Extract<NetworkConfig, { readonly kind: "functional" }>

/** The layers of a network in the order in which Keras keeps them: of a sequential one their own. */
export function layersInKeras(config: NetworkConfig): readonly LayerConfig[] {
  if (config.kind === "sequential") return config.layers
  return kerasOrder(config).flatMap((n) => (typeof n === "number" ? [config.layers[n]!] : []))
}

/** The class and the configuration of a network. Throws E_MODEL for what Keras does not have. */
export function networkToKeras(
  name: string,
  config: NetworkConfig,
  inputShapes: readonly (Shape | undefined)[],
  options: KerasOptions,
): { readonly className: string; readonly config: object } {
  const { dialect } = options
  if (dialect === "keras3") checkStates(config, name)
  const head = { name, trainable: true, ...(dialect === "keras3" ? { dtype: "float32" } : {}) }
  if (config.kind === "sequential") {
    const names = new Set(config.layers.map((layer) => layer.name))
    let inputName = "input_layer"
    while (names.has(inputName)) inputName += "_"
    const shape = inputShapes[0] ?? config.layers[0]!.inputShape
    const first = shape === undefined ? [] : [inputLayer(inputName, shape, dialect, config.batchSize)]
    const layers = config.layers.map((layer) => layerToKeras(layer, options))
    return { className: nestedTypes.sequential, config: { ...head, layers: [...first, ...layers] } }
  }
  const taken = config.layers.map((layer) => layer.name)
  for (const input of config.inputs) {
    if (!taken.includes(input.name)) continue
    throw cannotHold(`input ${show(input.name)}`, "in Keras an input and a layer cannot have the same name.")
  }
  const uses = new Map<number, number>()
  const node: { readonly name: string; readonly index: number }[] = config.inputs.map(({ name }) => ({
    name,
    index: 0,
  }))
  for (const { layer } of config.calls) {
    const used = uses.get(layer) ?? 0
    node.push({ name: config.layers[layer]!.name, index: used + firstCall(config.layers[layer]!, dialect, "call") })
    uses.set(layer, used + 1)
  }
  const at = ([from, output]: FromConfig): unknown[] => [node[from]!.name, node[from]!.index, output]
  const inbound = (number: number): unknown[] =>
    config.calls
      .filter(({ layer }) => layer === number)
      .map(({ inputs }) => {
        const given = inputs.map((from) => ({ at: at(from), shape: shapes.get(node[from[0]]!.name)! }))
        return callToKeras(config.layers[number]!, given, dialect)
      })
  const own = config.layers.map((layer) => layerToKeras(layer, options))
  const shapes = valueShapes(config)
  const layers = kerasOrder(config).map((n) => {
    if (typeof n !== "number") {
      const { name, shape } = config.inputs[n.input]!
      return { ...inputLayer(name, shape, dialect, config.batchSize), name, inbound_nodes: [] }
    }
    const layer = config.layers[n]!
    return { ...own[n], name: layer.name, inbound_nodes: inbound(n) }
  })
  const usual = config.outputs.every(({ name, from: [from] }) => name === node[from]!.name)
  const places = config.outputs.map(({ from }) => {
    const [name, index, output] = at(from)
    const layer = config.layers.find((one) => one.name === name)
    const shift = (use: "call" | "output"): number => (layer === undefined ? 0 : firstCall(layer, dialect, use))
    return [name, (index as number) + shift("output") - shift("call"), output]
  })
  const outputs = usual || places.length === 1 ? places : Object.fromEntries(config.outputs.map(({ name }, i) => [name, places[i]])) // biome-ignore format: one row
  if (!Array.isArray(outputs) && dialect === "keras2") {
    throw cannotHold("outputs", "outputs with names other than those of their layers have no place in this format.")
  }
  const inputs = config.inputs.map(({ name }) => [name, 0, 0])
  return {
    className: nestedTypes.functional,
    config: { ...head, layers, input_layers: inputs, output_layers: outputs },
  }
}

/**
 * The number of the first call of a layer: models within models have had one when they were made. Keras 3 counts it where it lists
 * outputs, of functional ones; Keras 2 and TensorFlow.js count it everywhere.
 */
function firstCall({ type }: LayerConfig, dialect: Dialect, use: "call" | "output"): number {
  if (type === nestedTypes.functional) return dialect === "keras2" || use === "output" ? 1 : 0
  return type === nestedTypes.sequential && dialect === "keras2" ? 1 : 0
}

function inputLayer(name: string, shape: Shape, dialect: Dialect, batchSize: number | undefined): object {
  const batch = [batchSize ?? null, ...shape]
  const config = { dtype: "float32", sparse: false, ragged: false, name }
  if (dialect === "keras2") return { class_name: "InputLayer", config: { ...config, batch_input_shape: batch } }
  return kerasObject("keras.layers", "InputLayer", { ...config, batch_shape: batch })
}

/** The shapes of what inputs and layers give, at their first use; the batch is null. */
function valueShapes(config: Structure): ReadonlyMap<string, readonly (number | null)[]> {
  const network = networkFromConfig(config)
  const inputs = config.inputs.map(({ name, shape }) => input(name, shape))
  const open = (shape: Shape): (number | null)[] =>
    shape.map((n) => (n < 0 ? (config.batchSize === undefined ? null : -n * config.batchSize) : n))
  const { layers } = traceNetwork(network, inputs)
  return new Map([
    ...config.inputs.map(({ name }, i) => [name, open(inputs[i]!.shape)] as const),
    ...layers.map(({ name, outputShape }) => [name, open(outputShape)] as const),
  ])
}

function layerToKeras(layer: LayerConfig, options: KerasOptions): object {
  const { type, name, inputShape, config } = layer
  const where = `layer ${name} (${type})`
  const { dialect, refuse, rename = (_, c) => c } = options
  const trainable = layer.trainable !== false && options.frozen !== true
  const within = { ...options, frozen: !trainable }
  if (type === nestedTypes.sequential || type === nestedTypes.functional) {
    const made = networkToKeras(name, config as unknown as NetworkConfig, [inputShape], within)
    const own = { ...made.config, trainable }
    return dialect === "keras2"
      ? { class_name: made.className === "Functional" ? "Model" : made.className, config: own }
      : kerasObject(type === nestedTypes.sequential ? "keras" : "keras.src.models.functional", made.className, own)
  }
  if (!Object.hasOwn(layerTypes, type)) throw cannotHold(where, "a layer of your own has no place in Keras's files.")
  const reason = refuse?.(layer)
  if (reason !== undefined) throw cannotHold(where, reason)
  const names = layerNames[type]
  const held = heldLayers(type)
  const inCalls = callOptions(type)
  const own = Object.entries(heldToKeras(layer, where, dialect).config).filter(([option]) => !inCalls.includes(option))
  const given = own.map(([option, value]) => [
    optionOf(option, names),
    held.includes(option) ? layerToKeras(value as LayerConfig, within) : optionToKeras(where, option, value),
  ])
  const dtype = dialect === "keras3" ? kerasObject("keras", "DTypePolicy", { name: "float32" }) : "float32"
  const common = Object.entries({ name, trainable, dtype }).filter(([option]) => !names?.without?.includes(option))
  const all = { ...Object.fromEntries(common), ...rename(type, Object.fromEntries(given)) }
  if (dialect === "keras3") return kerasObject("keras.layers", type, all)
  return { class_name: type, config: specsOfKeras2(all) }
}

/** Keras 2 has no modules: `{ class_name, config }` alone. */
function specsOfKeras2(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(specsOfKeras2)
  if (typeof value !== "object" || value === null) return value
  const fields = Object.entries(value).filter(([key]) => key !== "module" && key !== "registered_name")
  return Object.fromEntries(fields.map(([key, v]) => [key, specsOfKeras2(v)]))
}

/** Throws E_MODEL if a network of Keras 2 or TensorFlow.js has a function that has another meaning since Keras 3. */
export function checkKeras2(json: JsonValue, where: string): void {
  if (typeof json !== "object" || json === null) return
  for (const [key, value] of Object.entries(json)) {
    if (/^(recurrent_)?activation$/.test(key) && value === "hard_sigmoid") {
      const what =
        "hard_sigmoid was clip(0.2 x + 0.5) until Keras 2; it is not read as the one of Keras 3, clip(x / 6 + 0.5)."
      throw modelError(where, what, "another activation", show(value))
    }
    checkKeras2(value, where)
  }
}

/** What a network of Keras is in ours: its JSON, the shapes of its inputs where it says them, and its name. */
export interface FromKeras {
  readonly name: string | undefined
  readonly config: NetworkConfig
  readonly inputShapes: readonly (Shape | undefined)[]
}

/** The network that Keras's JSON describes, `{ class_name, config }`. Throws E_MODEL for what we do not have. */
export function networkFromKeras(json: JsonValue, where: string, custom: CustomObjects = {}): FromKeras {
  const { class_name, config } = asObject(json, where, "E_MODEL")
  const className = asString(class_name ?? null, `${where}, class_name`, "E_MODEL")
  const name = asNameOrNone(config)
  if (className === nestedTypes.sequential) return { name, ...sequentialFromKeras(config ?? null, where, custom) }
  if (className === nestedTypes.functional || className === "Model") {
    return { name, ...functionalFromKeras(asObject(config ?? null, where, "E_MODEL"), where, custom) }
  }
  throw modelError(where, "this class of model is not read.", '"Sequential" or "Functional"', show(className))
}

const asNameOrNone = (config: JsonValue | undefined): string | undefined => {
  const given = typeof config === "object" && config !== null && "name" in config ? config.name : undefined
  return typeof given === "string" && given !== "" ? given : undefined
}

/** The layers that a model of Keras lists, inputs apart. */
function sequentialFromKeras(config: JsonValue, where: string, custom: CustomObjects): Omit<FromKeras, "name"> {
  const list = Array.isArray(config) ? config : asObject(config, where, "E_MODEL").layers
  const all = asArray(list ?? null, `${where}.layers`, "E_MODEL").map((layer) => asObject(layer, where, "E_MODEL"))
  let shape: Shape | undefined
  let batchSize: number | undefined
  const layers: LayerConfig[] = []
  for (const [i, layer] of all.entries()) {
    const place = `${where}.layers[${i}]`
    const given = asObject(layer.config ?? null, place, "E_MODEL")
    const declared = batchShape(given, place)
    if (i === 0 && declared !== undefined) ({ shape, batchSize } = declared)
    if (layer.class_name === "InputLayer") {
      if (i > 0) throw modelError(place, "an InputLayer stands within the list.", "one at the beginning")
      checkInput(given, place)
      continue
    }
    const read = layerFromKeras(layer, place, custom)
    layers.push(layers.length === 0 && shape !== undefined ? { ...read, inputShape: shape } : read)
  }
  const batches = batchSize === undefined ? {} : { batchSize }
  return { config: { kind: "sequential", ...batches, layers }, inputShapes: [shape] }
}

function checkInput({ dtype, sparse, ragged }: JsonObject, where: string): void {
  if (sparse === true || ragged === true) throw modelError(where, "sparse and ragged inputs are not there.")
  if (dtype === "string") throw modelError(where, "inputs of texts are not there.")
}

/** The shape of an example, and the number of rows of every batch if it is not open. */
function batchShape(
  config: JsonObject,
  where: string,
): { readonly shape: Shape; readonly batchSize: number | undefined } | undefined {
  const given = config.batch_shape ?? config.batch_input_shape ?? undefined
  if (given === undefined || given === null) return undefined
  const [rows, ...sizes] = asArray(given, `${where}, the shape of its input`, "E_MODEL")
  const shape = sizes.map((n) => {
    if (n === null) {
      throw modelError(
        where,
        "sizes that are open until data come are not read, but for the batch.",
        "numbers",
        show(given),
      )
    }
    return asCount(n, `${where}, the shape of its input`, "E_MODEL")
  })
  const open = rows === null || rows === undefined
  return { shape, batchSize: open ? undefined : asCount(rows, `${where}, the size of its batch`, "E_MODEL") }
}

function layerFromKeras(layer: JsonObject, where: string, custom: CustomObjects): LayerConfig {
  const className = asString(layer.class_name ?? null, `${where}, class_name`, "E_MODEL")
  const module = layer.module
  const theirs = asObject(layer.config ?? null, `${where}, config`, "E_MODEL")
  const name = asString(theirs.name ?? layer.name ?? className, `${where}, name`, "E_MODEL")
  const place = `${where} (${show(name)}, ${className})`
  const frozen = theirs.trainable === false ? { trainable: false } : {}
  if (["Sequential", "Functional", "Model"].includes(className)) {
    const { config, inputShapes } = networkFromKeras(layer, place, custom)
    const type = config.kind === "sequential" ? nestedTypes.sequential : nestedTypes.functional
    const shape = inputShapes.length === 1 && config.kind === "sequential" ? inputShapes[0] : undefined
    return { type, name, ...(shape === undefined ? {} : { inputShape: shape }), ...frozen, config: { ...config } }
  }
  if (className === "Lambda") {
    const hint = "Write it as a layer of your own, with customLayer, and save the model without it."
    throw new TrilobiteError("E_MODEL", { where: place, what: "a Lambda layer holds code, which is never run.", hint })
  }
  const known = Object.hasOwn(layerTypes, className) ? layerTypes[className] : undefined
  const given = Object.hasOwn(custom, className) ? (custom[className] as Factory) : undefined
  const factory = known ?? given
  if (factory === undefined) {
    const hint = "If it is a layer of your own, give the function that makes it in customObjects."
    throw new TrilobiteError("E_MODEL", { where: place, what: "this class of layer is not known.", hint })
  }
  if (
    known !== undefined &&
    module !== undefined &&
    module !== null &&
    !/^(tensorflow\.)?(tf_)?keras(\.|$)/.test(String(module))
  ) {
    throw modelError(place, "the layer comes from another module than Keras.", '"keras.layers"', show(module))
  }
  checkDtype(theirs.dtype ?? null, place)
  const options = ourOptions(place, theirs, Object.keys(factory.options ?? {}), layerNames[className], neutralOfLayers)
  const held = heldLayers(className)
  const config = Object.entries(options).map(([option, value]) => {
    if (!held.includes(option)) return [option, optionFromKeras(place, option, value as JsonValue)] as const
    if (value === null) return [option, null] as const
    const inner = heldFromKeras(className, asObject(value as JsonValue, `${place}.${option}`, "E_MODEL"))
    return [option, layerFromKeras(inner, `${place}.${option}`, custom)] as const
  })
  const made = { type: className, name, config: optionsFromKeras(className, Object.fromEntries(config), place) }
  return heldIn(made).every(({ layer }) => layer.trainable === false) ? { ...made, ...frozen } : made
}

/** All numbers here are float32. */
function checkDtype(dtype: JsonValue, where: string): void {
  const inner = typeof dtype === "object" && dtype !== null && !Array.isArray(dtype) ? (dtype as JsonObject) : undefined
  const name = inner === undefined ? dtype : asObject(inner.config ?? {}, where, "E_MODEL").name
  if (name === null || name === undefined || name === "float32" || /^u?int(32|64)$/.test(String(name))) return
  throw modelError(where, "layers of this type of numbers are not there.", '"float32"', show(name))
}

function functionalFromKeras(config: JsonObject, where: string, custom: CustomObjects): Omit<FromKeras, "name"> {
  const all = asArray(config.layers ?? null, `${where}.layers`, "E_MODEL").map((layer, i) => {
    const place = `${where}.layers[${i}]`
    const given = asObject(layer, place, "E_MODEL")
    const own = asObject(given.config ?? null, place, "E_MODEL")
    const name = asString(given.name ?? own.name ?? null, `${place}, name`, "E_MODEL")
    return { given, own, name, place }
  })
  const shapes = new Map<string, Shape>()
  let batchSize: number | undefined
  const layers: LayerConfig[] = []
  const numbers = new Map<string, number>()
  const counts = new Map<string, number>()
  let modern = false
  const waiting: { readonly key: string; readonly layer: number; readonly inputs: readonly Place[] }[] = []
  const listed = places(config.output_layers ?? null, `${where}.output_layers`)
  const ofMasks = maskOperations(
    all,
    listed.map(({ place }) => place.name),
  )
  for (const { given, own, name, place } of all) {
    if (ofMasks.has(name)) continue
    if (shapes.has(name) || numbers.has(name)) throw modelError(place, `another layer has the name ${show(name)}.`)
    if (given.class_name === "InputLayer") {
      checkInput(own, place)
      const declared = batchShape(own, place)
      if (declared === undefined) throw modelError(place, "the shape of the input is missing.")
      shapes.set(name, declared.shape)
      batchSize ??= declared.batchSize
      continue
    }
    const made = layerFromKeras(given, place, custom)
    numbers.set(name, layers.length)
    const nodes = asArray(given.inbound_nodes ?? null, `${place}, inbound_nodes`, "E_MODEL")
    const read = nodes.map((node, j) => callFromKeras(node, String(given.class_name), `${place}, inbound_nodes[${j}]`))
    modern ||= read.some((call) => call.modern)
    for (const { masks, options } of read) {
      const foreign = masks.find((mask) => !ofMasks.has(mask.name))
      if (foreign !== undefined)
        throw modelError(place, `the mask ${show(foreign.name)} is made by no layer of the model.`)
      if (show(options) === show(read[0]!.options)) continue
      throw modelError(place, "calls of one layer that ask for different things are not there.", show(read[0]!.options), show(options)) // biome-ignore format: one row
    }
    const layer = { ...made, name, config: { ...made.config, ...read[0]?.options } }
    counts.set(name, read.length)
    read.forEach(({ inputs }, j) => void waiting.push({ key: `${name}/${j}`, layer: layers.length, inputs }))
    layers.push(layer)
  }
  const ins = places(config.input_layers ?? null, `${where}.input_layers`).map(({ place }) => {
    const shape = shapes.get(place.name)
    if (shape === undefined) throw modelError(`${where}.input_layers`, `there is no input ${show(place.name)}.`)
    return { name: place.name, shape }
  })
  const nodes = new Map<string, number>(ins.map(({ name }, i) => [`${name}/0`, i]))
  const calls: { layer: number; inputs: FromConfig[] }[] = []
  const dialect: Dialect = modern ? "keras3" : "keras2"
  const counted = (all: readonly Place[], use: "call" | "output"): readonly Place[] =>
    all.map((place) => {
      const layer = layers[numbers.get(place.name) ?? -1]
      if (layer === undefined) return place
      const same = all.filter(({ name }) => name === place.name).map(({ node }) => node)
      // Not all writers agree on the number of the first call: what is listed decides where it can.
      const first = same.includes(0) ? 0 : same.includes(counts.get(place.name)!) ? 1 : firstCall(layer, dialect, use)
      return { ...place, node: place.node - first }
    })
  const used = counted(waiting.flatMap(({ inputs }) => inputs), "call") // biome-ignore format: one row
  let at = 0
  let left = waiting.map((call) => ({ ...call, inputs: used.slice(at, (at += call.inputs.length)) }))
  while (left.length > 0) {
    const ready = left.filter(({ inputs }) => inputs.every(({ name, node }) => nodes.has(`${name}/${node}`)))
    if (ready.length === 0) {
      const { name, node } = left[0]!.inputs.find((input) => !nodes.has(`${input.name}/${input.node}`))!
      throw modelError(where, `the value ${show(name)}, call ${node}, is needed before it is there: a cycle or a gap.`)
    }
    for (const { key, layer, inputs } of ready) {
      nodes.set(key, ins.length + calls.length)
      calls.push({ layer, inputs: inputs.map(({ name, node, output }) => [nodes.get(`${name}/${node}`)!, output]) })
    }
    left = left.filter((call) => !ready.includes(call))
  }
  const put = counted(listed.map(({ place }) => place), "output") // biome-ignore format: one row
  const outs = listed.map((one, i) => ({ ...one, place: put[i]! }))
  const taken = new Set<string>()
  const outputs = outs.map(({ name, place }) => {
    const from = nodes.get(`${place.name}/${place.node}`)
    if (from === undefined) throw modelError(`${where}.output_layers`, `there is no value ${show(place.name)}.`)
    let own = name ?? place.name
    for (let i = 1; taken.has(own); i++) own = `${name ?? place.name}_${i}`
    taken.add(own)
    return { name: own, from: [from, place.output] as FromConfig }
  })
  const made: NetworkConfig = {
    kind: "functional",
    ...(batchSize === undefined ? {} : { batchSize }),
    inputs: ins,
    layers,
    calls,
    outputs,
  }
  if (modern) checkStates(made, where)
  return { config: made, inputShapes: ins.map(({ shape }) => shape) }
}

/** A layer of a functional network as it is listed. */
interface Listed {
  readonly given: JsonObject
  readonly own: JsonObject
  readonly name: string
  readonly place: string
}

/**
 * The operations with which Keras 3 lists how masks are made, by name: nothing but masks is made of them, and they begin with what
 * Masking and Embedding layers ask of their inputs, so that masks come about here by themselves. Throws E_MODEL for others.
 */
function maskOperations(all: readonly Listed[], outputs: readonly string[]): ReadonlySet<string> {
  const nodes = all.map(({ given }) => (Array.isArray(given.inbound_nodes) ? given.inbound_nodes : []).map(partsOf))
  if (nodes.flat().every(({ mask }) => mask.length === 0)) return new Set()
  const inputs = new Map(all.map(({ name }, i) => [name, nodes[i]!.flatMap((node) => node.values)]))
  const needed = new Set<string>()
  const open = [...outputs]
  while (open.length > 0) {
    const name = open.pop()!
    if (needed.has(name)) continue
    needed.add(name)
    open.push(...(inputs.get(name) ?? []).map((from) => from.name))
  }
  const found = all.filter(({ name, given }) => !needed.has(name) && given.class_name !== "InputLayer")
  const masking = all.filter(({ given, own }) => given.class_name === "Masking" || own.mask_zero === true)
  for (const { name, place, given } of found) {
    const [from, ...more] = inputs.get(name)!
    const within = [from, ...more].every((one) => one !== undefined && !needed.has(one.name))
    // Where masks of several values are joined, those without one have ones or zeros of their shape.
    if (within || given.class_name === "ZerosLike" || given.class_name === "OnesLike") continue
    const compared = nodes[all.findIndex((one) => one.name === name)]![0]!.second
    const made = masking.some((layer) => {
      const same = inputs.get(layer.name)!.some((input) => show(input) === show(from))
      return same && compared === (layer.own.mask_zero === true ? 0 : (layer.own.mask_value ?? 0))
    })
    if (given.class_name === "NotEqual" && made) continue
    throw modelError(place, "a mask that no layer of the model makes is not read.")
  }
  return new Set(found.map(({ name }) => name))
}

const isFields = (value: JsonValue): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The fields of an object, none of anything else. */
const fieldsOf = (value: JsonValue): JsonObject => (isFields(value) ? value : {})

/** The values that a node of Keras 3 takes, its masks, and what stands second among what it is given. */
function partsOf(node: JsonValue): {
  readonly values: readonly Place[]
  readonly mask: readonly Place[]
  readonly second: JsonValue
} {
  const { args = null, kwargs = null } = fieldsOf(node)
  const inside = (value: JsonValue): readonly Place[] => {
    if (Array.isArray(value)) return value.flatMap(inside)
    const fields = fieldsOf(value)
    if (fields.class_name === "__keras_tensor__") return [valueFromKeras(fields, "inbound_nodes")]
    return Object.values(fields).flatMap(inside)
  }
  const { mask = null, ...named } = fieldsOf(kwargs)
  return {
    values: [...inside(args), ...inside(named)],
    mask: inside(mask),
    second: (Array.isArray(args) ? args[1] : null) ?? null,
  }
}

/** Inputs and outputs of a model: one, a list, or a record by names. */
function places(json: JsonValue, where: string): readonly { readonly name?: string; readonly place: Place }[] {
  if (!Array.isArray(json)) {
    return Object.entries(asObject(json, where, "E_MODEL")).map(([name, v]) => ({ name, place: placeOf(v, where) }))
  }
  if (typeof json[0] === "string") return [{ place: placeOf(json, where) }]
  return json.map((one: JsonValue) => ({ place: placeOf(one, where) }))
}
