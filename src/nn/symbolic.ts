// Values of a network in the making: the functional form. Knows layers by their contract alone, no network.

import { configError, show } from "../core/errors.ts"
import { BATCH, type Shape } from "../core/shape.ts"
import type { Node } from "../graph/node.ts"
import * as ops from "../graph/ops.ts"
import { inLayer, labelOf } from "./label.ts"
import { maybe, readOptions, required, sizes, text } from "./options.ts"
import { newTracing, type Scope, scopeOf } from "./scope.ts"

/** A layer as networks need it. */
export interface LayerData {
  readonly type: string
  readonly name: string | undefined
  /** Every option with its value. */
  readonly config: { readonly [option: string]: unknown }
  readonly inputShape: Shape | undefined
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
}

/** A layer applied to values. */
export interface SymbolicCall {
  readonly layer: LayerData
  readonly inputs: readonly SymbolicTensor[]
}

/** The options of {@link input}. */
export interface InputOptions {
  /** The shape of one example, without the batch. */
  readonly shape: readonly number[]
  /** The name by which data are given for it; needed only where there are several. */
  readonly name?: string
}

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
  const { shape, name } = readOptions<{ shape: readonly number[]; name: string | undefined }>(
    "input",
    { shape: required(sizes()), name: maybe(text()) },
    options,
  )
  return symbolOf({ shape: [BATCH, ...shape], name, call: undefined, output: 0 })
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
    const made = layer.call(nodes, scopeOf(newTracing(false), layer.name ?? layer.type, layer.trainable))
    const call: SymbolicCall = { layer, inputs: values }
    const all: readonly Node[] = "op" in made ? [made as Node] : (made as readonly Node[])
    return all.map(({ shape }, output) => symbolOf({ shape, name: undefined, call, output }))
  } catch (error) {
    throw inLayer(label, error, true)
  }
}
