// Calls of layers in functional networks, in both dialects. Keras 3 gives some layers values by names of their own, and says to
// attention in the call what is an option here. Knows no layer's configuration.

import { show } from "../core/errors.ts"
import { asArray, asCount, asObject, asString, type JsonObject, type JsonValue } from "../core/json.ts"
import type { NetworkConfig } from "../nn/to-config.ts"
import { type Dialect, snake } from "./keras-names.ts"
import { modelError } from "./weights-file.ts"

/** A value: which layer, which of its calls, which of its results. */
export interface Place {
  readonly name: string
  readonly node: number
  readonly output: number
}

/** How a type of layer is called in Keras 3, if not with a value or a list of values. */
interface Calling {
  /** The names of the inputs that are given one by one; those after the last go in a list by that name. */
  readonly inputs?: readonly string[]
  /** The number of inputs that stand without a name. */
  readonly positional?: number
  /** Options of ours that belong to the call. */
  readonly options?: readonly string[]
}

const recurrent: Calling = { inputs: ["sequences", "initial_state"], positional: 1 }
const attending = ["useCausalMask", "returnAttentionScores"]
const callings: { readonly [type: string]: Calling } = {
  SimpleRNN: recurrent,
  LSTM: recurrent,
  GRU: recurrent,
  Bidirectional: recurrent,
  Attention: { options: attending },
  AdditiveAttention: { options: attending },
  MultiHeadAttention: { inputs: ["query", "value", "key"], positional: 2, options: attending },
}

/** The options of a layer that Keras 3 is told when it is called. */
export const callOptions = (type: string): readonly string[] => callings[type]?.options ?? []

/**
 * Throws E_MODEL if a recurrent layer is given both a sequence of which not all steps may count and what it carries at the begin:
 * Keras 3 then forgets the mask.
 */
export function checkStates(config: NetworkConfig, where: string): void {
  if (config.kind === "sequential") return
  const { inputs: ins, layers, calls } = config
  const masked: boolean[] = ins.map(() => false)
  for (const { layer, inputs } of calls) {
    const { type, name, config: options } = layers[layer]!
    const [first, ...states] = inputs.map(([from]) => masked[from]!)
    masked.push(type === "Masking" || options.maskZero === true || first! || states.some((one) => one))
    if (callings[type] !== recurrent || states.length === 0 || !first) continue
    const what = "Keras takes no account of a mask if a recurrent layer is given its first state too."
    throw modelError(`${where}, layer ${name} (${type})`, what, "a sequence without a mask")
  }
}

/** A value as Keras lists it, and its shape; the batch is null. */
export interface Given {
  readonly at: readonly unknown[]
  readonly shape: readonly (number | null)[]
}

/** One call of a layer of this type and configuration. */
export function callToKeras(
  { type, config }: { readonly type: string; readonly config: { readonly [option: string]: unknown } },
  inputs: readonly Given[],
  dialect: Dialect,
): unknown {
  if (dialect === "keras2") return inputs.map(({ at }) => [...at, {}])
  const tensors = inputs.map(({ at, shape }) => ({
    class_name: "__keras_tensor__",
    config: { shape, dtype: "float32", keras_history: at },
  }))
  const { inputs: names = [], positional = 1 } = callings[type] ?? {}
  const asked = callOptions(type).filter((option) => config[option] === true)
  const options = Object.fromEntries(asked.map((option) => [snake(option), true]))
  if (names.length === 0) return { args: [tensors.length === 1 ? tensors[0] : tensors], kwargs: options }
  const [first, more] = [tensors.slice(0, positional), tensors.slice(positional)]
  const rest = more.length === 0 ? {} : { [names.at(-1)!]: names.length > 2 ? more[0] : more }
  return { args: first, kwargs: { ...rest, ...options } }
}

/** What a call takes and says. */
export interface CallFromKeras {
  readonly modern: boolean
  readonly inputs: readonly Place[]
  /** Where its mask comes from, if the file says it. */
  readonly masks: readonly Place[]
  /** What it asks of options that stand with the layer here. */
  readonly options: { readonly [option: string]: true }
}

/** A call of a layer of this class, in either dialect. Throws E_MODEL for what is more than values of other layers. */
export function callFromKeras(node: JsonValue, className: string, where: string): CallFromKeras {
  if (Array.isArray(node)) {
    const single = typeof node[0] === "string" ? [node] : node
    const inputs = single.map((one: JsonValue) => {
      const [, , , kwargs] = asArray(one, where, "E_MODEL")
      checkKwargs(asObject(kwargs ?? {}, where, "E_MODEL"), where)
      return placeOf(one, where)
    })
    return { modern: false, inputs, masks: [], options: {} }
  }
  const { args, kwargs } = asObject(node, where, "E_MODEL")
  const { inputs: names = [] } = callings[className] ?? {}
  const named = asObject(kwargs ?? {}, where, "E_MODEL")
  const [first, ...more] = asArray(args ?? null, `${where}, args`, "E_MODEL")
  if (names.length === 0 && more.some((arg) => arg !== null)) {
    throw modelError(where, "calls with more than inputs are not there.")
  }
  const given =
    names.length === 0 ? [first ?? null] : [first ?? null, ...more, ...names.map((name) => named[name] ?? null)]
  const { mask = null, ...left } = Object.fromEntries(Object.entries(named).filter(([name]) => !names.includes(name)))
  const options = callOptions(className).filter((option) => left[snake(option)] === true)
  for (const option of options) delete left[snake(option)]
  checkKwargs(left, where)
  const values = given.filter((value, i) => i === 0 || value !== null).flat()
  return {
    modern: true,
    inputs: values.map((value) => valueFromKeras(value, where)),
    masks: [mask].flat().flatMap((value) => (value === null ? [] : [valueFromKeras(value, where)])),
    options: Object.fromEntries(options.map((option) => [option, true])),
  }
}

/** A value of a layer in the JSON of Keras 3. */
export function valueFromKeras(value: JsonValue, where: string): Place {
  const { class_name, config } = asObject(value, where, "E_MODEL")
  if (class_name !== "__keras_tensor__") throw modelError(where, "an input is no value of a layer.", undefined, show(class_name)) // biome-ignore format: one row
  return placeOf(asObject(config ?? null, where, "E_MODEL").keras_history ?? null, where)
}

/** A value by name, call and result. */
export function placeOf(json: JsonValue, where: string): Place {
  const [name, node, output] = asArray(json, where, "E_MODEL")
  return {
    name: asString(name ?? null, where, "E_MODEL"),
    node: asCount(node ?? null, where, "E_MODEL"),
    output: asCount(output ?? null, where, "E_MODEL"),
  }
}

function checkKwargs(kwargs: JsonObject, where: string): void {
  for (const [name, value] of Object.entries(kwargs)) {
    if (value === null || value === false) continue
    throw modelError(where, `calls with ${show(name)} are not there.`, undefined, show(value))
  }
}
