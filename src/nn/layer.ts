// What a layer is: a type, options with their defaults, and a call that is traced. Knows no layer by name, no network.

import { configError, internalError, printable, show, TrilobiteError } from "../core/errors.ts"
import { formatShape, type Shape, size } from "../core/shape.ts"
import type { Node, Variable } from "../graph/node.ts"
import { read } from "../graph/ops.ts"
import type { Initializer } from "./initializers.ts"
import { type Kind, type OptionsOf, type OptionTable, type Resolved, readOptions, readValue, sizes } from "./options.ts"

/** The options of every layer. */
export interface LayerOptions {
  /** The layer's name in its network, without `/`; by default `dense`, `dense_1`, … */
  readonly name?: string
  /** The shape of one example, without the batch: given to the first layer of a network. */
  readonly inputShape?: readonly number[]
}

/** A layer: plain data, and the call that says what it computes. */
export interface Layer {
  readonly type: string
  readonly name: string | undefined
  /** Every option with its value: plain JSON. */
  readonly config: { readonly [option: string]: unknown }
  readonly inputShape: Shape | undefined
  /** What the layer makes of x; its parameters are asked of the scope. */
  readonly call: (x: Node, scope: Scope) => Node
}

/** A parameter of a network and how it begins. */
export interface ParameterSpec {
  readonly variable: Variable
  readonly initializer: Initializer
  /** The name of its layer. */
  readonly layer: string
  /** Its name in the layer: `kernel`. */
  readonly name: string
  /** False for values that training changes in another way than by gradients. */
  readonly trainable: boolean
}

/** What a layer may ask for while it is traced. */
export interface Scope {
  /** A trainable parameter of the layer; its place in the model is `layer/name`. */
  parameter(name: string, shape: Shape, initializer: Initializer): Node
}

/** Makes layers of one type; `create` is the same for options of which nothing is known. */
export interface LayerFactory<O extends LayerOptions> {
  (...options: Given<O>): Layer
  readonly type: string
  readonly options: OptionTable<Own<O>>
  readonly create: (options: object) => Layer
}

/** The options may be left out if none is required. */
type Given<O> = Record<never, never> extends O ? [options?: O] : [options: O]

/** A layer's options without those that every layer has. */
type Own<O> = Omit<O, keyof LayerOptions>

const layerName: Kind<string> = {
  expected: "a text of 1 to 200 characters without / and control characters",
  read: (value) =>
    typeof value === "string" && /^[^/\t\n]{1,200}$/.test(value) && printable(value) === value ? value : undefined,
}

/**
 * A new kind of layer, from its name, its options (each with the values it takes and its default) and its call.
 * Shapes come from tracing the call: there is no second method for them.
 */
export function layer<O extends LayerOptions>(
  type: string,
  options: OptionTable<Own<O>>,
  call: (config: Resolved<Own<O>>, x: Node, scope: Scope) => Node,
): LayerFactory<O> {
  const table = options as unknown as OptionsOf<Resolved<Own<O>>> // the same table, which the checker cannot see for any O
  const create = (given: object): Layer => {
    if (typeof given !== "object") {
      throw configError({ layer: type, what: "these are no options.", expected: "an object", got: show(given) })
    }
    const { name: givenName, inputShape: givenShape, ...own } = given as LayerOptions
    let label = type
    try {
      const name = givenName === undefined ? undefined : readValue("name", layerName, givenName)
      if (name !== undefined) label = labelOf(type, name)
      const inputShape = givenShape === undefined ? undefined : readValue("inputShape", sizes(), givenShape)
      const config = readOptions(undefined, table, own)
      return { type, name, config, inputShape, call: (x, scope) => call(config, x, scope) }
    } catch (error) {
      throw inLayer(label, error)
    }
  }
  return Object.assign((...[given]: Given<O>) => create(given ?? {}), { type, options, create })
}

/** A layer as errors name it: `Dense "hidden_2"`. */
export function labelOf(type: string, name: string): string {
  return `${type} ${JSON.stringify(name)}`
}

/** The error with the layer in which it happened; operations below (`matmul`) are not mentioned when tracing. */
export function inLayer(label: string, error: unknown, tracing = false): unknown {
  if (!(error instanceof TrilobiteError) || error.layer !== undefined) return error
  const where = tracing ? undefined : error.where
  return new TrilobiteError(error.code, { ...error, layer: label, where }, { cause: error })
}

/** The most bytes that the parameters of a network may take: what 32-bit addresses reach. */
export const PARAMETER_BYTES = 4294967296

/** A scope for one layer which writes its parameters down at the end of the list. */
export function scopeOf(layerName: string, parameters: ParameterSpec[]): Scope {
  return {
    parameter: (name, shape, initializer) => {
      const variable: Variable = { key: `${layerName}/${name}`, shape }
      if (parameters.some((other) => other.variable.key === variable.key)) {
        throw internalError(`The parameter ${variable.key} exists twice.`)
      }
      const before = parameters.reduce((sum, other) => sum + size(other.variable.shape), 0)
      const bytes = 4 * (before + size(shape))
      if (!(bytes <= PARAMETER_BYTES)) {
        throw configError({
          what: `the parameters up to its ${name} ${formatShape(shape)} do not fit into memory.`,
          expected: `at most ${PARAMETER_BYTES} bytes`,
          got: `${bytes} bytes`,
          hint: "Use fewer units.",
        })
      }
      parameters.push({ variable, initializer, layer: layerName, name, trainable: true })
      return read(variable)
    },
  }
}
