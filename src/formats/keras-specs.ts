// Activations, initializers, regularizers, constraints, losses, metrics, schedules and optimizers as Keras's JSON, and back.
// Knows no layer by name.

import { show, TrilobiteError } from "../core/errors.ts"
import { asArray, asObject, asString, type JsonObject, type JsonValue } from "../core/json.ts"
import { activations, readActivation } from "../nn/activations.ts"
import type { CustomObjects } from "../nn/config.ts"
import { readConstraint } from "../nn/constraints.ts"
import { isCustom } from "../nn/custom.ts"
import { readInitializer } from "../nn/initializers.ts"
import { type KnownLoss, type Loss, lossAliases, losses } from "../nn/losses.ts"
import { type KnownMetric, type Metric, metricAliases, metrics, readMetric } from "../nn/metrics.ts"
import { canonical } from "../nn/names.ts"
import type { Network } from "../nn/network.ts"
import { type Optimizer, optimizers } from "../nn/optimizers.ts"
import { readRegularizer } from "../nn/regularizers.ts"
import { schedules } from "../nn/schedules.ts"
import { readTraining, type Training } from "../nn/training.ts"
import { classNameOf, neutralOfSpecs, noMetricsInKeras, notInKeras, optionOf, ourOptions, snake, specNames } from "./keras-names.ts" // biome-ignore format: one row

/** A number that Keras wants with a point: `0.0`. */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** JSON with the numbers in `Float` written as Python writes them. */
export function toJson(value: unknown): string {
  if (value instanceof Float) {
    const text = String(value.value)
    return /[.e]/.test(text) ? text : `${text}.0`
  }
  if (Array.isArray(value)) return `[${value.map(toJson).join(", ")}]`
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, v]) => v !== undefined)
    return `{${fields.map(([key, v]) => `${JSON.stringify(key)}: ${toJson(v)}`).join(", ")}}`
  }
  return JSON.stringify(value)
}

/** E_MODEL: what is to be written has no place in the format. */
export function cannotHold(where: string, what: string, hint?: string): TrilobiteError {
  const advice = hint ?? "Save it as .safetensors, which holds everything."
  return new TrilobiteError("E_MODEL", { where, what, hint: advice })
}

/** What a thing is in Keras 3's JSON. */
export function kerasObject(module: string, className: string, config: object): object {
  return { module, class_name: className, config, registered_name: null }
}

const moduleOf: { readonly [option: string]: string } = {
  initializer: "keras.initializers",
  regularizer: "keras.regularizers",
  constraint: "keras.constraints",
}

const kinds = {
  initializer: readInitializer,
  regularizer: readRegularizer,
  constraint: readConstraint,
}

/** Which table an option's value stands in, by its name: `kernelInitializer` is an initializer. */
function kindOf(option: string): keyof typeof kinds | "activation" | undefined {
  if (/activation$/i.test(option)) return "activation"
  const found = /(Initializer|Regularizer|Constraint)$/.exec(option)?.[1]
  return found === undefined ? undefined : (found.toLowerCase() as keyof typeof kinds)
}

/** The value of a layer's option as Keras's JSON. Throws E_MODEL for what Keras does not have. */
export function optionToKeras(where: string, option: string, value: unknown): unknown {
  const kind = kindOf(option)
  if (value === null || value === undefined) return null
  if (kind === "activation") return activationToKeras(where, value)
  if (kind !== undefined) {
    const { type, ...options } = kinds[kind](value) as { readonly type: string }
    return specToKeras(moduleOf[kind]!, type, options, where)
  }
  if (option === "noiseShape") return (value as (number | null)[]).map((n) => (n === -1 ? null : n))
  return typeof value === "string" ? snake(value) : value
}

/** The value of a layer's option from Keras's JSON, to be read by the layer's own table. */
export function optionFromKeras(where: string, option: string, value: JsonValue): unknown {
  const kind = kindOf(option)
  if (kind === undefined) return value
  if (kind === "activation") return value === null ? "linear" : activationFromKeras(where, value)
  return value === null ? null : specFromKeras(`${where}.${option}`, value, optionsOfKind(kind))
}

/** What the options of a type are called, found by reading it with its defaults. */
const optionsOfKind =
  (kind: keyof typeof kinds) =>
  (type: string): readonly string[] => {
    try {
      return Object.keys(kinds[kind]({ type })).filter((key) => key !== "type")
    } catch {
      return []
    }
  }

function activationToKeras(where: string, value: unknown): string {
  if (typeof value === "function" || isCustom(value)) {
    throw cannotHold(where, "an activation of your own has no name in Keras.")
  }
  const { type, ...options } = readActivation(value, where) as { readonly type: string; readonly [o: string]: unknown }
  const plain = activations[type as keyof typeof activations].options as { [o: string]: { readonly default?: unknown } }
  const own = Object.keys(options).find((key) => options[key] !== plain[key]?.default)
  if (own === undefined && !notInKeras.has(type)) return snake(type)
  const hint = "Use a layer of its own for it, such as leakyReLU({ negativeSlope: 0.1 })."
  throw cannotHold(where, `Keras has no activation ${type}${own === undefined ? "" : ` with the option ${own}`}.`, hint)
}

function activationFromKeras(where: string, value: JsonValue): unknown {
  if (typeof value === "string") return value
  const { class_name, config } = asObject(value, `${where}.activation`, "E_MODEL")
  if (typeof config === "string") return config
  const named = asString(class_name ?? null, `${where}.activation`, "E_MODEL")
  return specFromKeras(`${where}.activation`, { class_name: named, config: config ?? {} }, (type) =>
    Object.keys(activations[type as keyof typeof activations]?.options ?? {}),
  )
}

function specToKeras(
  module: string,
  type: string,
  options: object,
  where: string,
  floats?: ReadonlySet<string>,
): object {
  if (notInKeras.has(type)) throw cannotHold(where, `Keras has no ${type}.`)
  const names = specNames[type]
  const config = Object.entries(options).map(([option, value]) => {
    const theirs = typeof value === "string" ? snake(value) : value
    const exact = typeof theirs === "number" && floats !== undefined && !floats.has(option) ? new Float(theirs) : theirs
    return [optionOf(option, names), exact === undefined ? null : exact]
  })
  return kerasObject(module, classNameOf(type), Object.fromEntries(config))
}

/** A spec of ours from a name or `{ class_name, config }`; its values are checked by whoever reads it. */
function specFromKeras(where: string, value: JsonValue, optionsOf: (type: string) => readonly string[]): unknown {
  if (typeof value === "string") return value
  const { class_name, config } = asObject(value, where, "E_MODEL")
  const className = asString(class_name ?? null, where, "E_MODEL")
  if (className === "function" && typeof config === "string") return config
  const type = Object.entries(specNames).find(([, row]) => row.className === className)?.[0] ?? canonical(className)
  const theirs = asObject(config ?? {}, where, "E_MODEL")
  return { type, ...ourOptions(where, theirs, optionsOf(type), specNames[type], neutralOfSpecs) }
}

/** Options of optimizers and schedules that are whole numbers; all others get a point. */
const whole: ReadonlySet<string> = new Set([
  "emaOverwriteFrequency",
  "gradientAccumulationSteps",
  "decaySteps",
  "firstDecaySteps",
  "warmupSteps",
])

/** The optimizer as Keras's JSON. Throws E_MODEL for options that Keras does not have. */
export function optimizerToKeras({
  type,
  excludeFromWeightDecay,
  groups,
  learningRate,
  ...options
}: Optimizer): object {
  if (excludeFromWeightDecay.length > 0) throw cannotHold("optimizer", "Keras has no option excludeFromWeightDecay.")
  if (groups.length > 0) throw cannotHold("optimizer", "Keras has no groups of layers.")
  const { type: schedule, ...rest } = typeof learningRate === "number" ? { type: "" } : learningRate
  const rate =
    typeof learningRate === "number"
      ? new Float(learningRate)
      : specToKeras("keras.optimizers.schedules", schedule, rest, "learningRate", whole)
  const made = specToKeras("keras.optimizers", type, { ...options, learningRate: rate }, "optimizer", whole)
  return made
}

function optimizerFromKeras(value: JsonValue): unknown {
  const read = specFromKeras("optimizer", value, (type) =>
    Object.keys(optimizers[type as keyof typeof optimizers]?.options ?? {}),
  )
  if (typeof read === "string") return read
  const given = read as { readonly type: string; readonly learningRate?: JsonValue }
  const { learningRate, ...others } = given
  if (learningRate === undefined) return given
  const rate =
    typeof learningRate === "number"
      ? shortest(learningRate)
      : specFromKeras("optimizer.learningRate", learningRate, (type) =>
          Object.keys(schedules[type as keyof typeof schedules]?.options ?? {}),
        )
  return { ...others, learningRate: rate }
}

/** The shortest number with the same float32: what Keras writes of 0.01 is 0.009999999776482582. */
function shortest(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return short
  }
  return value
}

function lossToKeras(loss: Loss): object {
  if (loss.type === "custom") throw cannotHold("loss", `${show(loss.name)} is a function of your own.`)
  const { type, ...options } = loss
  const named = { ...options, name: snake(type), reduction: "sum_over_batch_size" }
  return specToKeras("keras.losses", type, named, "loss")
}

const metricHint = "Compile the model without it, then save it."

function metricToKeras({ name, spec }: Metric): unknown {
  if (spec.type === "custom") throw cannotHold("metrics", `${show(spec.name)} is a function of your own.`, metricHint)
  if (spec.type === "accuracy" && name === "accuracy") return name
  if (notInKeras.has(spec.type) || noMetricsInKeras.has(spec.type)) {
    throw cannotHold("metrics", `Keras has no metric ${spec.type}.`, metricHint)
  }
  const { type, ...options } = spec
  return specToKeras("keras.metrics", type, { ...options, name: snake(name), dtype: "float32" }, "metrics")
}

/** What a network was compiled with, as Keras's JSON. Throws E_MODEL for what Keras does not have. */
export function trainingToKeras({ optimizer, outputs }: Training, network: Network): object {
  const each = <T>(of: (i: number) => T): T | { readonly [output: string]: T } =>
    outputs.length === 1 ? of(0) : Object.fromEntries(outputs.map((_, i) => [network.outputs[i]!.name, of(i)]))
  const some = (list: (i: number) => readonly Metric[]): unknown =>
    outputs.some((_, i) => list(i).length > 0) ? each((i) => list(i).map(metricToKeras)) : null
  return {
    optimizer: optimizerToKeras(optimizer),
    loss: each((i) => (outputs[i]!.loss === undefined ? null : lossToKeras(outputs[i]!.loss))),
    loss_weights: outputs.every(({ lossWeight }) => lossWeight === 1)
      ? null
      : outputs.length === 1
        ? [new Float(outputs[0]!.lossWeight)]
        : each((i) => new Float(outputs[i]!.lossWeight)),
    metrics: some((i) => outputs[i]!.metrics),
    weighted_metrics: some((i) => outputs[i]!.weightedMetrics),
    run_eagerly: false,
    steps_per_execution: 1,
    jit_compile: false,
  }
}

/** What a network was compiled with, from Keras's JSON. Throws E_MODEL and E_CONFIG for what we do not have. */
export function trainingFromKeras(json: JsonObject, network: Network, custom: CustomObjects): Training | undefined {
  const { optimizer, optimizer_config, loss, metrics: plain, weighted_metrics, loss_weights } = json
  const method = optimizer ?? optimizer_config ?? null
  if (loss === null || loss === undefined || method === null) return undefined
  const leaf = <T>(value: JsonValue, read: (value: JsonValue) => T): unknown => {
    if (value === null) return null
    if (typeof value === "string") return read(value)
    if (Array.isArray(value)) return value.map((one: JsonValue) => leaf(one, read))
    const one = asObject(value, "compile", "E_MODEL")
    if ("class_name" in one) return read(one)
    return Object.fromEntries(Object.entries(one).map(([name, v]) => [name, leaf(v, read)]))
  }
  const own = (value: JsonValue): unknown =>
    typeof value === "string" && Object.hasOwn(custom, value) ? custom[value] : undefined
  const readLossOf = (value: JsonValue): unknown =>
    own(value) ??
    specFromKeras("loss", value, (type) => Object.keys(losses[aliased(type, lossAliases) as KnownLoss["type"]]?.options ?? {})) // biome-ignore format: one row
  const readMetricOf = (value: JsonValue): unknown =>
    own(value) ??
    namedMetric(value, specFromKeras("metrics", value, (type) => Object.keys(metrics[aliased(type, metricAliases) as KnownMetric["type"]]?.options ?? {}))) // biome-ignore format: one row
  const one = network.outputs.length === 1
  const measured = (value: JsonValue | undefined): unknown => {
    if (value === undefined || value === null) return undefined
    const read = leaf(value, readMetricOf)
    return one && Array.isArray(read) ? read.flat() : read
  }
  const alone = (value: unknown): unknown => (one && Array.isArray(value) && value.length === 1 ? value[0] : value)
  const weights = loss_weights === undefined || loss_weights === null ? undefined : loss_weights
  const options = {
    optimizer: optimizerFromKeras(method),
    loss: alone(leaf(loss, readLossOf)),
    metrics: measured(plain),
    weightedMetrics: measured(weighted_metrics),
    lossWeights: alone(Array.isArray(weights) ? asArray(weights, "loss_weights", "E_MODEL") : weights),
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return readTraining(network, given as never)
}

/** A metric by the short name that its history has (`mae`), if that says the same. */
function namedMetric(value: JsonValue, read: unknown): unknown {
  const { config } = typeof value === "object" && value !== null && "class_name" in value ? value : { config: null }
  const name = typeof config === "object" && config !== null && "name" in config ? config.name : undefined
  if (typeof name !== "string" || !Object.hasOwn(metricAliases, canonical(name))) return read
  const same = JSON.stringify(readMetric(name).spec) === JSON.stringify(readMetric(read).spec)
  return same ? name : read
}

const aliased = (name: string, aliases: { readonly [alias: string]: string }): string =>
  Object.hasOwn(aliases, name) ? aliases[name]! : name
