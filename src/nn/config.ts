// Networks, losses, optimizers and metrics to plain JSON and back. The table of layers is here. Knows no file format.

import { nearest, show, TrilobiteError } from "../core/errors.ts"
import { asObject, type JsonValue } from "../core/json.ts"
import type { Layer } from "./layer.ts"
import { activation } from "./layers/activation.ts"
import { dense } from "./layers/dense.ts"
import { flatten } from "./layers/flatten.ts"
import { rescaling } from "./layers/rescaling.ts"
import { reshape } from "./layers/reshape.ts"
import { type Loss, readLoss } from "./losses.ts"
import { type Metric, type MetricSpec, readMetric } from "./metrics.ts"
import { type Network, sequentialNetwork } from "./network.ts"
import { type Optimizer, readOptimizer } from "./optimizers.ts"

/** The table of layers by type. */
export const layerTypes: {
  readonly [type: string]: { readonly type: string; readonly create: (options: object) => Layer }
} = {
  Dense: dense,
  Activation: activation,
  Flatten: flatten,
  Reshape: reshape,
  Rescaling: rescaling,
}

/** One layer as JSON. */
export interface LayerConfig {
  readonly type: string
  readonly name: string
  readonly inputShape?: readonly number[]
  readonly config: { readonly [option: string]: unknown }
}

/** A network as JSON. */
export interface NetworkConfig {
  readonly kind: "sequential"
  readonly layers: readonly LayerConfig[]
}

/** The network as plain JSON: types, names and every option, also those that were not given. */
export function networkToConfig(network: Network): NetworkConfig {
  const layers = network.layers.map(({ type, name, inputShape, config }) => ({
    type,
    name,
    ...(inputShape === undefined ? {} : { inputShape }),
    config,
  }))
  return structuredClone({ kind: network.kind, layers })
}

/** The network that plain JSON describes. Throws E_MODEL for anything that is unknown, missing or wrong. */
export function networkFromConfig(json: unknown): Network {
  return asModel(() => {
    const { kind, layers, ...others } = objectOf(json, "model")
    if (kind !== "sequential")
      throw modelError("model.kind", "this kind of network is not known.", '"sequential"', kind)
    if (!Array.isArray(layers)) throw modelError("model.layers", "these are no layers.", "a list", layers)
    refuse(others, "model")
    return sequentialNetwork(layers.map((layer, i) => layerFromConfig(layer, `model.layers[${i}]`)))
  })
}

function layerFromConfig(json: unknown, where: string): Layer {
  const { type, name, inputShape, config, ...others } = objectOf(json, where)
  refuse(others, where)
  const known = Object.keys(layerTypes)
  if (typeof type !== "string" || !Object.hasOwn(layerTypes, type)) {
    const near = typeof type === "string" ? nearest(type, known) : undefined
    const hint = near === undefined ? undefined : `Did you mean ${show(near)}?`
    throw modelError(`${where}.type`, "this type of layer is not known.", `one of ${known.join(", ")}`, type, hint)
  }
  const own = objectOf(config ?? {}, `${where}.config`)
  for (const key of ["name", "inputShape"]) if (Object.hasOwn(own, key)) refuse({ [key]: own[key] }, `${where}.config`)
  return layerTypes[type]!.create({ ...own, name, inputShape })
}

/** The loss as plain JSON. */
export function lossToConfig(loss: Loss): Loss {
  return structuredClone(loss)
}

/** The loss that plain JSON describes. Throws E_MODEL for anything that is unknown or wrong. */
export function lossFromConfig(json: unknown): Loss {
  return asModel(() => readLoss(json))
}

/** The optimizer as plain JSON. */
export function optimizerToConfig(optimizer: Optimizer): Optimizer {
  return structuredClone(optimizer)
}

/** The optimizer that plain JSON describes. Throws E_MODEL for anything that is unknown or wrong. */
export function optimizerFromConfig(json: unknown): Optimizer {
  return asModel(() => readOptimizer(json))
}

/** The metric as plain JSON, with its name in the history. */
export function metricToConfig({ name, spec }: Metric): { readonly name: string; readonly spec: MetricSpec } {
  return structuredClone({ name, spec })
}

/** The metric that plain JSON describes. Throws E_MODEL for anything that is unknown or wrong. */
export function metricFromConfig(json: unknown): Metric {
  return asModel(() => {
    const { name, spec, ...others } = objectOf(json, "metric")
    refuse(others, "metric")
    if (typeof name !== "string" || name === "") throw modelError("metric.name", "this is no name.", "a text", name)
    const read = readMetric(spec)
    // The name is one by which the metric can be asked for: any other could be that of another number, or of a method.
    const named = readMetric(name)
    if (named.name === name && named.spec.type === read.spec.type) return { name, spec: read.spec }
    throw modelError("metric.name", "this is not the name of the metric.", show(read.spec.type), name)
  })
}

function objectOf(json: unknown, where: string): { readonly [key: string]: unknown } {
  return asObject(json as JsonValue, where, "E_MODEL")
}

function refuse(others: object, where: string): void {
  const [key] = Object.keys(others)
  if (key !== undefined) throw new TrilobiteError("E_MODEL", { where, what: `unknown key ${show(key)}.` })
}

function modelError(where: string, what: string, expected: string, got: unknown, hint?: string): TrilobiteError {
  return new TrilobiteError("E_MODEL", {
    where,
    what,
    expected,
    got: show(got),
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Runs the reader; what would be a wrong option in code is a wrong model in a file. */
function asModel<T>(reader: () => T): T {
  try {
    return reader()
  } catch (error) {
    if (!(error instanceof TrilobiteError) || error.code !== "E_CONFIG") throw error
    throw new TrilobiteError("E_MODEL", error, { cause: error })
  }
}
