// A model as one safetensors file: weights as tensors, the architecture and what it was compiled with in the metadata.
// Knows bytes and configurations, no files and no trainer.

import { TrilobiteError } from "../core/errors.ts"
import { asArray, type JsonValue, parseJson } from "../core/json.ts"
import { type Shape, sameShape } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"
import {
  lossFromConfig,
  lossToConfig,
  metricFromConfig,
  metricToConfig,
  networkFromConfig,
  networkToConfig,
  optimizerFromConfig,
  optimizerToConfig,
} from "../nn/config.ts"
import type { Loss } from "../nn/losses.ts"
import type { Metric } from "../nn/metrics.ts"
import type { Network } from "../nn/network.ts"
import type { Optimizer } from "../nn/optimizers.ts"
import { readSafetensors, writeSafetensors } from "./safetensors.ts"

/** The version of the metadata that this file writes; newer ones are refused. */
const VERSION = "1"

/** What a model file holds. */
export interface SavedModel {
  readonly network: Network
  /** The shape of one example. */
  readonly inputShape: Shape
  readonly compiled:
    | { readonly loss: Loss; readonly optimizer: Optimizer; readonly metrics: readonly Metric[] }
    | undefined
  /** The parameters by their place in the model: `dense_1/kernel`. */
  readonly weights: ReadonlyMap<string, Tensor>
}

/** The bytes of a model file; the same model gives the same bytes. */
export function writeModel(model: SavedModel): Uint8Array {
  const { network, inputShape, compiled, weights } = model
  const metadata = {
    format: "trilobite",
    version: VERSION,
    network: JSON.stringify(networkToConfig(network)),
    inputShape: JSON.stringify(inputShape),
    ...(compiled === undefined
      ? {}
      : {
          loss: JSON.stringify(lossToConfig(compiled.loss)),
          optimizer: JSON.stringify(optimizerToConfig(compiled.optimizer)),
          metrics: JSON.stringify(compiled.metrics.map(metricToConfig)),
        }),
  }
  return writeSafetensors(weights, metadata)
}

/**
 * The model in a file's bytes.
 * @throws E_MODEL if they are no model of trilobite, or anything in it is damaged, unknown or does not fit.
 */
export function readModel(bytes: Uint8Array, where: string): SavedModel {
  const { tensors, metadata } = readSafetensors(bytes, where)
  const field = (name: string): JsonValue => {
    const text = metadata[name]
    return text === undefined ? null : parseJson(text, `${where}, ${name}`, undefined, "E_MODEL")
  }
  if (metadata.format !== "trilobite") {
    throw modelError(where, "this safetensors file holds no model of trilobite: its metadata do not say so.")
  }
  if (metadata.version !== VERSION) {
    throw modelError(where, `the model was saved by a newer version of trilobite (format ${metadata.version}).`)
  }
  const inputShape = asArray(field("inputShape"), `${where}, inputShape`, "E_MODEL").map((n) => {
    if (!(Number.isSafeInteger(n) && (n as number) > 0)) throw modelError(where, "the inputShape is damaged.")
    return n as number
  })
  return {
    network: networkFromConfig(field("network")),
    inputShape,
    compiled:
      metadata.loss !== undefined
        ? {
            loss: lossFromConfig(field("loss")),
            optimizer: optimizerFromConfig(field("optimizer")),
            metrics: asArray(field("metrics"), `${where}, metrics`, "E_MODEL").map(metricFromConfig),
          }
        : undefined,
    weights: tensors,
  }
}

/** Throws E_MODEL unless there is exactly one tensor of the right type and shape for each parameter. */
export function checkWeights(
  where: string,
  parameters: readonly { readonly key: string; readonly shape: Shape }[],
  weights: ReadonlyMap<string, Tensor>,
): void {
  for (const { key, shape } of parameters) {
    const found = weights.get(key)
    if (found === undefined) throw modelError(where, `the tensor ${key} is missing.`)
    if (found.dtype !== "float32" || !sameShape(found.shape, shape)) {
      throw modelError(
        where,
        `the tensor ${key} does not fit its layer.`,
        `float32 [${shape.join(", ")}]`,
        `${found.dtype} [${found.shape.join(", ")}]`,
      )
    }
  }
  const known = new Set(parameters.map((p) => p.key))
  const extra = [...weights.keys()].find((key) => !known.has(key))
  if (extra !== undefined)
    throw modelError(where, `the tensor ${JSON.stringify(extra)} belongs to no layer of the model.`)
}

function modelError(where: string, what: string, expected?: string, got?: string): TrilobiteError {
  return new TrilobiteError("E_MODEL", {
    where,
    what,
    ...(expected === undefined ? {} : { expected }),
    ...(got === undefined ? {} : { got }),
  })
}
