// Networks, losses, optimizers and metrics as plain JSON. Knows no layer by name: reading them is in config.ts.

import type { CustomLoss } from "./losses/custom.ts"
import type { KnownLoss, Loss } from "./losses.ts"
import type { CustomMetric, KnownMetric, Metric } from "./metrics.ts"
import { asLayer, type From, type Network } from "./network.ts"
import type { Optimizer } from "./optimizers.ts"
import type { LayerData } from "./symbolic.ts"
import { innerName } from "./wrapping.ts"

/** One layer as JSON; `trainable` stands there only if it is false. */
export interface LayerConfig {
  readonly type: string
  readonly name: string
  readonly inputShape?: readonly number[]
  readonly trainable?: boolean
  readonly config: { readonly [option: string]: unknown }
}

/** Node and output of a value. */
export type FromConfig = readonly [node: number, output: number]

/** A network as JSON: of a sequential one the layers say all, but for the number of rows if that is the same in all batches. */
export type NetworkConfig =
  | { readonly kind: "sequential"; readonly batchSize?: number; readonly layers: readonly LayerConfig[] }
  | {
      readonly kind: "functional"
      readonly batchSize?: number
      readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[]
      readonly layers: readonly LayerConfig[]
      readonly calls: readonly { readonly layer: number; readonly inputs: readonly FromConfig[] }[]
      readonly outputs: readonly { readonly name: string; readonly from: FromConfig }[]
    }

function layerToConfig(layer: LayerData): LayerConfig {
  const { type, inputShape, trainable, config } = layer
  const plain = Object.entries(config).map(([option, value]) => {
    const held = typeof value === "function" ? asLayer(value) : undefined
    return [option, held === undefined ? value : layerToConfig(held)]
  })
  return {
    type,
    name: innerName(layer),
    ...(inputShape === undefined ? {} : { inputShape }),
    ...(trainable ? {} : { trainable }),
    config: Object.fromEntries(plain),
  }
}

/** The network as plain JSON: types, names and every option, also those that were not given. */
export function networkToConfig(network: Network): NetworkConfig {
  const layers = network.layers.map((layer) => layerToConfig(layer))
  const batches = network.batchSize === undefined ? {} : { batchSize: network.batchSize }
  if (network.kind === "sequential") return structuredClone({ kind: network.kind, ...batches, layers })
  const pair = ({ node, output }: From): FromConfig => [node, output]
  return structuredClone({
    kind: network.kind,
    ...batches,
    inputs: network.inputs.map(({ name, shape }) => ({ name, shape: shape! })),
    layers,
    calls: network.calls.map(({ layer, inputs }) => ({ layer, inputs: inputs.map(pair) })),
    outputs: network.outputs.map(({ name, from }) => ({ name, from: pair(from) })),
  })
}

/** The loss as plain JSON; of one of the user's own only the name and what targets it takes. */
export function lossToConfig(loss: Loss): KnownLoss | Omit<CustomLoss, "fn"> {
  if (loss.type !== "custom") return structuredClone(loss)
  const { type, name, targets } = loss
  return { type, name, targets }
}

/** The optimizer as plain JSON. */
export function optimizerToConfig(optimizer: Optimizer): Optimizer {
  return structuredClone(optimizer)
}

/** The metric as plain JSON, with its name in the history; of one of the user's own only the name. */
export function metricToConfig({ name, spec }: Metric): {
  readonly name: string
  readonly spec: KnownMetric | Omit<CustomMetric, "fn">
} {
  return { name, spec: spec.type === "custom" ? { type: spec.type, name: spec.name } : structuredClone(spec) }
}
