// Where Keras keeps the weights of a model and what its optimizer keeps, in HDF5 files: `layers/dense/vars/0`, `optimizer/vars/2`.
// Knows the order of layers (keras-config.ts) and no JSON.

import { show } from "../core/errors.ts"
import { type Shape, sameShape, size } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"
import { snakeCase } from "../nn/names.ts"
import { nestedTypes } from "../nn/nested.ts"
import type { Optimizer } from "../nn/optimizers.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import type { LayerConfig, NetworkConfig } from "../nn/to-config.ts"
import { slotsOf } from "../nn/update.ts"
import type { Hdf5Dataset, Hdf5File } from "./hdf5.ts"
import type { Hdf5Group } from "./hdf5-write.ts"
import { layersInKeras } from "./keras-config.ts"
import { heldIn } from "./keras-held.ts"
import { groupNames, layerNames, snake } from "./keras-names.ts"
import type { TrainingState } from "./saved-model.ts"
import { modelError } from "./weights-file.ts"

type Parameter = Pick<ParameterSpec, "variable" | "trainable">

/** A layer's place in the file, and its parameters in Keras's order. */
interface Place {
  readonly path: readonly string[]
  readonly type: string
  readonly name: string
  /** What begins the names of its weights in TensorFlow.js. */
  readonly scopes: readonly string[]
  readonly parameters: readonly Parameter[]
}

/** The places of all layers, those of models within models too, in Keras's order. */
export function placesOf(config: NetworkConfig, parameters: readonly Parameter[]): readonly Place[] {
  return below(config, parameters, "", ["layers"])
}

function below(config: NetworkConfig, all: readonly Parameter[], prefix: string, path: readonly string[]): Place[] {
  const layers = layersInKeras(config)
  const groups = groupNames(layers.map(({ type }) => type))
  return layers.flatMap((layer, i) => placesIn(layer, all, prefix, [...path, groups[i]!]))
}

/** The places of a layer and of the layers that it holds. */
function placesIn(
  layer: LayerConfig,
  all: readonly Parameter[],
  prefix: string,
  at: readonly string[],
  scopes: readonly string[] = [layer.name],
): Place[] {
  const own = `${prefix}${layer.name}/`
  if (isNetwork(layer)) return below(layer.config as unknown as NetworkConfig, all, own, [...at, "layers"])
  const held = heldIn(layer)
  if (held.length > 0) {
    return held.flatMap(({ layer: inner, group, named }) =>
      placesIn(inner, all, own, [...at, group], named ? [...scopes, inner.name] : scopes),
    )
  }
  const parameters = all.filter(({ variable: { key } }) => key.startsWith(own))
  const { inside, parts } = layerNames[layer.type] ?? {}
  if (parts !== undefined) {
    return Object.entries(parts).map(([part, group]) => {
      const those = parameters.filter(({ variable: { key } }) => key.startsWith(`${own}${part}/`))
      return { path: [...at, group], type: layer.type, name: snake(part), scopes: [...scopes, part], parameters: those }
    })
  }
  return [{ path: inside === undefined ? at : [...at, inside], type: layer.type, name: layer.name, scopes, parameters }]
}

const isNetwork = ({ type }: LayerConfig): boolean => type === nestedTypes.sequential || type === nestedTypes.functional

/** The slots of an optimizer in Keras's order, which goes by blocks: `null` is a number that Keras keeps for no use. */
function slotKeys(optimizer: Optimizer, parameters: readonly Parameter[]): readonly (string | null)[] {
  const keys = parameters.map(({ variable }) => variable.key)
  const block = (...names: readonly string[]): string[] => keys.flatMap((key) => names.map((name) => `${key}/${name}`))
  const own = (): readonly (string | null)[] => {
    switch (optimizer.type) {
      case "adam":
      case "adamW":
        return [...block("m", "v"), ...(optimizer.amsgrad ? block("vMax") : [])]
      case "rmsprop": {
        const { momentum, centered } = optimizer
        return [...block("v"), ...(momentum > 0 ? block("velocity") : []), ...(centered ? block("mean") : [])]
      }
      case "nadam":
        return [...block("m", "v"), "optimizer/product"]
      case "lamb":
        return block("m", "v")
      case "adamax":
        return block("m", "u")
      case "adagrad":
        return block("sum")
      case "adadelta":
        return block("gradients", "steps")
      case "lion":
        return block("m")
      case "ftrl":
        return block("squares", "linear")
      case "sgd":
        return optimizer.momentum === 0 ? [] : block("velocity")
      case "adafactor":
        return parameters.flatMap(({ variable: { key, shape } }) =>
          shape.length < 2 ? [null, null, `${key}/v`] : [`${key}/rows`, `${key}/columns`, null],
        )
    }
  }
  const averages = optimizer.useEma ? block("average") : []
  const sums = (optimizer.gradientAccumulationSteps ?? 1) > 1 ? block("sum") : []
  return [...averages, ...sums, ...own()]
}

/** The parameters that training changes, in Keras's order. */
const trained = (places: readonly Place[]): Parameter[] =>
  places.flatMap(({ parameters }) => parameters.filter(({ trainable }) => trainable))

/** The bytes of the scalars that Keras keeps first: rounds, and the learning rate unless it is a schedule. */
const scalar = (dtype: "int32" | "float32", value: number): Tensor => ({
  dtype,
  shape: [],
  data: dtype === "int32" ? Int32Array.of(value) : Float32Array.of(value),
})

/** What is written of a model: all weights, and with an optimizer what it keeps, or begins with. */
export function weightsToKeras(
  name: string,
  places: readonly Place[],
  weights: ReadonlyMap<string, Tensor>,
  training?: { readonly optimizer: Optimizer; readonly state: TrainingState | undefined },
): Hdf5Group {
  const root = newGroup()
  group(root, ["vars"]).attributes.set("name", name)
  for (const { path, type, name, parameters } of places) {
    const vars = group(root, [...path, "vars"])
    vars.attributes.set("name", layerNames[type]?.inside === "cell" ? `${snakeCase(type)}_cell` : name)
    parameters.forEach(({ variable }, i) => void vars.items.set(`${i}`, weights.get(variable.key)!))
  }
  if (training === undefined) return root
  const { optimizer, state } = training
  const parameters = trained(places)
  const specs = new Map(slotsOf(optimizer, parameters.map(({ variable }) => variable)).map((s) => [s.variable.key, s])) // biome-ignore format: one row
  const vars = group(root, ["optimizer", "vars"])
  vars.attributes.set("name", snakeCase(optimizer.type))
  const values = [scalar("int32", state?.step ?? 0)]
  if (typeof optimizer.learningRate === "number") values.push(scalar("float32", optimizer.learningRate))
  for (const key of slotKeys(optimizer, parameters)) values.push(slotValue(key, specs, state))
  if (optimizer.type === "adafactor") fillAdafactor(values, parameters)
  values.forEach((value, i) => void vars.items.set(`${i}`, value))
  return root
}

function slotValue(
  key: string | null,
  specs: ReadonlyMap<string, { readonly variable: { readonly shape: Shape }; readonly initial: number }>,
  state: TrainingState | undefined,
): Tensor {
  if (key === null) return scalar("int32", 0)
  const { variable, initial } = specs.get(key)!
  const { shape } = variable
  return state?.slots.get(key) ?? { dtype: "float32", shape, data: new Float32Array(size(shape)).fill(initial) }
}

/** Adafactor keeps a second moment for matrices too, which it does not use. */
function fillAdafactor(values: Tensor[], parameters: readonly Parameter[]): void {
  const first = values.length - 3 * parameters.length
  parameters.forEach(({ variable: { shape } }, i) => {
    if (shape.length < 2) return
    values[first + 3 * i + 2] = { dtype: "float32", shape, data: new Float32Array(size(shape)) }
  })
}

interface OpenGroup {
  readonly items: Map<string, OpenGroup | Tensor>
  readonly attributes: Map<string, string>
}

const newGroup = (): OpenGroup => ({ items: new Map(), attributes: new Map() })

function group(root: OpenGroup, path: readonly string[]): OpenGroup {
  let at = root
  for (const name of path) {
    const found = at.items.get(name)
    const next = found !== undefined && "items" in found ? found : newGroup()
    at.items.set(name, next)
    at = next
  }
  return at
}

/** A group below another, undefined if it is not there. */
export function groupAt(root: Hdf5File, path: readonly string[]): Hdf5File | undefined {
  let at: Hdf5File | undefined = root
  for (const name of path) {
    const found: Hdf5File | Hdf5Dataset | undefined = at?.items.get(name)
    at = found?.kind === "group" ? found : undefined
  }
  return at
}

/** The data sets `0`, `1`, … of a group of variables. Throws E_MODEL if one is missing or is a group. */
function variablesOf(vars: Hdf5File | undefined, where: string): readonly Hdf5Dataset[] {
  const count = vars?.items.size ?? 0
  return Array.from({ length: count }, (_, i) => {
    const found = vars!.items.get(`${i}`)
    if (found?.kind === "dataset") return found
    throw modelError(where, `the variable ${i} of ${count} is missing.`)
  })
}

/** The weights of a file that Keras 3 has written, by our keys. Throws E_MODEL unless they are exactly those of the model. */
export async function weightsFromKeras(
  root: Hdf5File,
  where: string,
  places: readonly Place[],
  used: ReadonlySet<Hdf5File> = new Set(),
): Promise<Map<string, Tensor>> {
  const weights = new Map<string, Tensor>()
  const read = new Set<Hdf5File>(used)
  for (const { path, name, parameters } of places) {
    const place = `${where}, ${path.join("/")} (${name})`
    const vars = groupAt(root, [...path, "vars"])
    if (vars !== undefined && read.has(vars)) continue
    if (vars !== undefined) read.add(vars)
    const found = variablesOf(vars, place)
    if (found.length !== parameters.length) {
      const [expected, got] = [`${parameters.length}`, `${found.length}`]
      throw modelError(place, "the number of variables does not fit the layer.", expected, got)
    }
    for (const [i, { variable }] of parameters.entries()) {
      weights.set(variable.key, await fitting(found[i]!, variable.shape, `${place}, ${i}`))
    }
  }
  checkNothingElse(root.items.get("layers"), `${where}, layers`, read)
  return weights
}

/** Values of the wanted shape, as float32. */
async function fitting(dataset: Hdf5Dataset, shape: Shape, where: string): Promise<Tensor> {
  if (!sameShape(dataset.shape, shape)) {
    const [expected, got] = [`[${shape.join(", ")}]`, `[${dataset.shape.join(", ")}]`]
    throw modelError(where, "the shape does not fit.", expected, got)
  }
  const { dtype, data } = await dataset.read()
  return { dtype: "float32", shape, data: dtype === "float32" ? data : Float32Array.from(data) }
}

/** Throws E_MODEL if there are variables that nobody has asked for; states of random numbers are not ours. */
function checkNothingElse(item: Hdf5File | Hdf5Dataset | undefined, where: string, read: ReadonlySet<Hdf5File>): void {
  if (item?.kind !== "group") return
  for (const [name, child] of item.items) {
    if (child.kind !== "group" || name === "seed_generator") continue
    const place = `${where}/${name}`
    if (name === "vars" && child.items.size > 0 && !read.has(child)) {
      throw modelError(place, "these variables belong to no layer of the model.")
    }
    checkNothingElse(child, place, read)
  }
}

/**
 * What an optimizer had got to, undefined if the file holds nothing of it. Throws E_MODEL if it does not fit the optimizer.
 */
export async function stateFromKeras(
  root: Hdf5File,
  where: string,
  places: readonly Place[],
  optimizer: Optimizer,
): Promise<TrainingState | undefined> {
  const at = `${where}, optimizer/vars`
  const found = variablesOf(groupAt(root, ["optimizer", "vars"]), at)
  const first = typeof optimizer.learningRate === "number" ? 2 : 1
  // Of an optimizer that has done nothing yet Keras writes no more than the number of its rounds and its learning rate.
  if (found.length <= first) return undefined
  const parameters = trained(places)
  const keys = slotKeys(optimizer, parameters)
  if (found.length !== first + keys.length) {
    const what = `the number of variables does not fit the optimizer ${show(optimizer.type)}.`
    throw modelError(at, what, `${first + keys.length}`, `${found.length}`)
  }
  const { data } = await found[0]!.read()
  const step = data[0] ?? -1
  if (found[0]!.shape.length > 0 || !Number.isSafeInteger(step) || step < 0) {
    throw modelError(at, "the number of rounds is wrong.", "a whole number of at least 0", `${step}`)
  }
  const shapes = new Map(slotsOf(optimizer, parameters.map(({ variable }) => variable)).map(({ variable }) => [variable.key, variable.shape])) // biome-ignore format: one row
  const slots = new Map<string, Tensor>()
  for (const [i, key] of keys.entries()) {
    if (key !== null) slots.set(key, await fitting(found[first + i]!, shapes.get(key)!, `${at}/${first + i}`))
  }
  return { step, slots }
}
