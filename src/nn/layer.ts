// What a layer is: a type, options with their defaults, and a call that is traced. Knows no layer by name, no network.

import { configError, printable, show } from "../core/errors.ts"
import type { Node } from "../graph/node.ts"
import { inLayer, labelOf } from "./label.ts"
import {
  flag,
  type Kind,
  type OptionsOf,
  type OptionTable,
  type Resolved,
  readOptions,
  readValue,
  sizes,
} from "./options.ts"
import type { Scope } from "./scope.ts"
import { applyLayer, type LayerData, type SymbolicTensor, withBatch } from "./symbolic.ts"

/** The options of every layer. */
export interface LayerOptions {
  /** The layer's name in its network, without `/`; by default `dense`, `dense_1`, … */
  readonly name?: string
  /** The shape of one example, without the batch: given to the first layer of a network. */
  readonly inputShape?: readonly number[]
  /** The shape of a batch instead, `[batchSize, ...inputShape]`: of a network whose batches all have so many rows. */
  readonly batchShape?: readonly number[]
  /** Whether training changes the layer's parameters (default true). */
  readonly trainable?: boolean
}

/** A layer: plain data, and a function that applies it to values of a network in the functional form. */
export interface Layer extends LayerData {
  (x: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor
  readonly name: string | undefined
}

/** A layer that gives several values. */
export interface LayerOfMany extends LayerData {
  (x: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[]
  readonly name: string | undefined
}

/** Makes layers of one type; `create` is the same for options of which nothing is known. */
export interface LayerFactory<O extends LayerOptions> {
  (...options: Given<O>): Layer
  readonly type: string
  readonly options: OptionTable<Own<O>>
  readonly create: (options: object) => Layer
}

/** The options may be left out if none is required. */
export type Given<O> = Record<never, never> extends O ? [options?: O] : [options: O]

/** A layer's options without those that every layer has. */
type Own<O> = Omit<O, keyof LayerOptions>

const layerName: Kind<string> = {
  expected: "a text of 1 to 200 characters without / and control characters",
  read: (value) =>
    typeof value === "string" && /^[^/\t\n]{1,200}$/.test(value) && printable(value) === value ? value : undefined,
}

/** What is true of all layers of a type. */
export interface LayerTraits {
  /** Whether the steps that count in the input are those that count in the output (default false: all count). */
  readonly passesMask?: boolean
}

/**
 * A new kind of layer of one input, from its name, its options (each with the values it takes and its default) and its
 * call. Shapes come from tracing the call: there is no second method for them.
 */
/* @__NO_SIDE_EFFECTS__ */
export function layer<O extends LayerOptions>(
  type: string,
  options: OptionTable<Own<O>>,
  call: (config: Resolved<Own<O>>, x: Node, scope: Scope) => Node,
  { passesMask = false }: LayerTraits = {},
): LayerFactory<O> {
  return layerOfMany<O>(type, options, (config, inputs, scope) => {
    if (passesMask) scope.passMask(scope.masks[0])
    if (inputs.length === 1) return call(config, inputs[0]!, scope)
    throw configError({ what: "the layer takes one input.", got: `${inputs.length}` })
  })
}

/** The same for a layer of any number of inputs. */
/* @__NO_SIDE_EFFECTS__ */
export function layerOfMany<O extends LayerOptions>(
  type: string,
  options: OptionTable<Own<O>>,
  call: (config: Resolved<Own<O>>, inputs: readonly Node[], scope: Scope) => Node | readonly Node[],
): LayerFactory<O> {
  const table = options as unknown as OptionsOf<Resolved<Own<O>>> // the same table, which the checker cannot see for any O
  const create = (given: object): Layer => {
    if (typeof given !== "object") {
      throw configError({ layer: type, what: "these are no options.", expected: "an object", got: show(given) })
    }
    const { name: givenName, inputShape, batchShape, trainable, ...own } = given as LayerOptions
    const common = readLayerOptions(type, { name: givenName, inputShape, batchShape, trainable })
    const { name } = common
    try {
      const config = readOptions(undefined, table, own)
      return callable({ type, ...common, config, call: (xs, scope) => call(config, xs, scope) })
    } catch (error) {
      throw inLayer(name === undefined ? type : labelOf(type, name), error)
    }
  }
  return Object.assign((...[given]: Given<O>) => create(given ?? {}), { type, options, create })
}

/** The options of every layer, checked. Throws E_CONFIG, naming the layer. */
export function readLayerOptions(
  type: string,
  given: { readonly [K in keyof LayerOptions]: unknown },
): {
  readonly name: string | undefined
  readonly inputShape: readonly number[] | undefined
  readonly batchSize: number | undefined
  readonly trainable: boolean
} {
  let label = type
  try {
    const name = given.name === undefined ? undefined : readValue("name", layerName, given.name)
    if (name !== undefined) label = labelOf(type, name)
    const shapeOf = (option: "inputShape" | "batchShape"): readonly number[] | undefined =>
      given[option] === undefined ? undefined : readValue(option, sizes(), given[option])
    const { shape: inputShape, batchSize } = withBatch(undefined, shapeOf("inputShape"), shapeOf("batchShape"))
    const trainable = given.trainable === undefined ? true : readValue("trainable", flag(), given.trainable)
    return { name, inputShape, batchSize, trainable }
  } catch (error) {
    throw inLayer(label, error)
  }
}

/** The layer as a function that applies it. */
export function callable(data: LayerData): Layer {
  const apply = (x: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor | readonly SymbolicTensor[] => {
    const values = applyLayer(made, x)
    return values.length === 1 ? values[0]! : values
  }
  const fields = Object.entries(data).map(([key, value]) => {
    return [key, { value, enumerable: true, configurable: true, writable: key === "trainable" }] as const
  })
  const made = Object.defineProperties(apply, Object.fromEntries(fields)) as Layer
  return made
}
