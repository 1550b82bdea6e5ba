// Values of a network in the making: the functional form. Knows layers by their contract alone, no network.

import { configError, show } from "../core/errors.ts"
import { BATCH, type Shape } from "../core/shape.ts"
import type { Node } from "../graph/node.ts"
import * as ops from "../graph/ops.ts"
import { inLayer, labelOf } from "./label.ts"
import { maybe, positiveInteger, readOptions, required, sizes, text } from "./options.ts"
import { newTracing, type Scope, scopeOf } from "./scope.ts"

/** A layer as networks need it. */
export interface LayerData {
  readonly type: string
  readonly name: string | undefined
  /** Every option with its value. */
  readonly config: { readonly [option: string]: unknown }
  readonly inputShape: Shape | undefined
  /** How many rows every batch has, if the layer is the first of a network and says so. */
  readonly batchSize?: number | undefined
  /** False if training leaves its parameters as they are. May be set; it holds from the next `compile` on, as in Keras. */
  trainable: boolean
  /** What the layer makes of its inputs; its parameters are asked of the scope. */
  readonly call: (inputs: readonly Node[], scope: Scope) => Node | readonly Node[]
}

/** A value of a network in the making: an input, or what a layer makes of others. */
export interface SymbolicTensor {
  /** Its shape: the batch is −1. */
  readonly shape: Shape
  /** The name of an input, if it is one that has a name. */
  readonly name: string | undefined
  /** What makes it; undefined for an input. */
  readonly call: SymbolicCall | undefined
  /** Which of the results of the call it is. */
  readonly output: number
  /** How many rows every batch has; undefined: any number. */
  readonly batchSize: number | undefined
}

/** A layer applied to values. */
export interface SymbolicCall {
  readonly layer: LayerData
  readonly inputs: readonly SymbolicTensor[]
}

/** The options of {@link input}: a shape and perhaps a batch size, or both at once. */
export type InputOptions = {
  /** The name by which data are given for it; needed only where there are several. */
  readonly name?: string
} & (
  | {
      /** The shape of one example, without the batch. */
      readonly shape: readonly number[]
      /** How many rows every batch has (default any number): what stateful layers need. */
      readonly batchSize?: number | undefined
      readonly batchShape?: undefined
    }
  | {
      /** `[batchSize, ...shape]`. */
      readonly batchShape: readonly number[]
      readonly shape?: undefined
      readonly batchSize?: undefined
    }
)

const symbols = new WeakSet<object>()

/** True for values that {@link input} and layers give. */
export function isSymbolic(value: unknown): value is SymbolicTensor {
  return typeof value === "object" && value !== null && symbols.has(value)
}

function symbolOf(fields: SymbolicTensor): SymbolicTensor {
  symbols.add(fields)
  return fields
}

/**
 * An input of a network in the functional form, `-> [batch, ...shape]`. Throws E_CONFIG for a wrong option. Keras: Input.
 * @example
 * ```ts
 * import { dense, functional, input } from "trilobite"
 * const x = input({ shape: [784] })
 * const hidden = dense({ units: 64, activation: "relu" })(x)
 * const model = functional({ inputs: x, outputs: dense({ units: 10, activation: "softmax" })(hidden) })
 * model.countParams() // => 50890
 * ```
 */
export function input(options: InputOptions): SymbolicTensor {
  const shaped = readOptions<Pick<InputOptions, "shape" | "batchSize" | "batchShape" | "name">>(
    "input",
    { shape: maybe(sizes()), batchSize: maybe(positiveInteger()), batchShape: maybe(sizes()), name: maybe(text()) },
    options,
  )
  const { shape, batchSize } = withBatch("input", shaped.shape, shaped.batchShape, shaped.batchSize)
  if (shape === undefined) readOptions("input", { shape: required(sizes()) }, {})
  return symbolOf({ shape: [BATCH, ...shape!], name: shaped.name, call: undefined, output: 0, batchSize })
}

/** The shape of an example and the size of a batch, however they were given. Throws E_CONFIG if they were given twice. */
export function withBatch(
  where: string | undefined,
  shape: readonly number[] | undefined,
  batchShape: readonly number[] | undefined,
  batchSize?: number,
): { readonly shape: readonly number[] | undefined; readonly batchSize: number | undefined } {
  if (batchShape === undefined) return { shape, batchSize }
  if (shape === undefined && batchSize === undefined && batchShape.length > 0) {
    return { shape: batchShape.slice(1), batchSize: batchShape[0] }
  }
  const place = where === undefined ? "batchShape" : `${where}.batchShape`
  const expected = "[batchSize, ...shape] alone, or the shape without it"
  throw configError({ where: place, what: "the shape is given twice or not at all.", expected, got: show(batchShape) })
}

/** The layer applied to values: shapes are found, and faults told, at once. */
export function applyLayer(layer: LayerData, given: unknown): SymbolicTensor[] {
  const label = layer.name === undefined ? layer.type : labelOf(layer.type, layer.name)
  const inputs = Array.isArray(given) ? given : [given]
  const stranger = inputs.findIndex((value) => !isSymbolic(value))
  if (inputs.length === 0 || stranger >= 0) {
    const got = inputs.length === 0 ? "none" : show(inputs[stranger])
    const expected = "what input({ shape }) or another layer has given"
    throw configError({ layer: label, what: "this is no value of a network.", expected, got })
  }
  const values = inputs as readonly SymbolicTensor[]
  try {
    const nodes = values.map(({ shape }, i) => ops.input(`${i}`, shape.slice(1)))
    const batchSize = values.find((value) => value.batchSize !== undefined)?.batchSize
    const made = layer.call(nodes, scopeOf(newTracing(false, batchSize), layer.name ?? layer.type, layer.trainable))
    const call: SymbolicCall = { layer, inputs: values }
    const all: readonly Node[] = "op" in made ? [made as Node] : (made as readonly Node[])
    return all.map(({ shape }, output) => symbolOf({ shape, name: undefined, call, output, batchSize }))
  } catch (error) {
    throw inLayer(label, error, true)
  }
}
