// A model as one safetensors file: weights as tensors, the architecture and what it was compiled with in the metadata.
// Knows bytes and configurations, no files and no trainer.

import { show, TrilobiteError } from "../core/errors.ts"
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

/** The texts of a compiled model: all of them or none. */
const TRAINING = ["loss", "optimizer", "metrics"] as const

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
  checkMetadata(metadata, where)
  const field = (name: string): JsonValue => {
    const text = metadata[name]
    return text === undefined ? null : parseJson(text, `${where}, ${name}`, undefined, "E_MODEL")
  }
  const inputShape = asArray(field("inputShape"), `${where}, inputShape`, "E_MODEL").map((n, _, all) => {
    if (Number.isSafeInteger(n) && (n as number) > 0 && all.length < 8) return n as number
    throw modelError(`${where}, inputShape`, "this is no shape.", "up to 7 whole numbers of at least 1", show(all))
  })
  const compiled = TRAINING.some((name) => metadata[name] !== undefined)
  return {
    network: networkFromConfig(field("network")),
    inputShape,
    compiled: compiled
      ? {
          loss: lossFromConfig(field("loss")),
          optimizer: optimizerFromConfig(field("optimizer")),
          metrics: asArray(field("metrics"), `${where}, metrics`, "E_MODEL").map((json, i, all) => {
            const metric = metricFromConfig(json)
            const twice = all.slice(0, i).some((other) => metricFromConfig(other).name === metric.name)
            if (!twice) return metric
            throw modelError(`${where}, metrics`, "a metric is in the list twice.", "different ones", metric.name)
          }),
        }
      : undefined,
    weights: tensors,
  }
}

/** Throws E_MODEL unless these are the texts of a model that this version can read. */
function checkMetadata(metadata: { readonly [key: string]: string }, where: string): void {
  const { format, version } = metadata
  if (format !== "trilobite") {
    const what = "this safetensors file holds no model of trilobite: its metadata do not say so."
    throw modelError(where, what, 'the format "trilobite"', show(format))
  }
  if (version !== VERSION) {
    const newer = version !== undefined && /^\d+$/.test(version) && Number(version) > Number(VERSION)
    const what = newer
      ? "the model was saved by a newer version of trilobite."
      : "this version of the format is not known."
    throw modelError(where, what, `version ${VERSION}`, show(version))
  }
  const known = ["format", "version", "network", "inputShape", ...TRAINING]
  const extra = Object.keys(metadata).find((key) => !known.includes(key))
  if (extra === undefined) return
  throw modelError(`${where}, metadata`, `unknown key ${show(extra)}.`, `only ${known.join(", ")}`)
}

/** What `read` gives; whatever is wrong is wrong in the file, whose name goes before the place. */
export function inFile<T>(where: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TrilobiteError) || !["E_CONFIG", "E_DATA", "E_MODEL"].includes(error.code)) throw error
    if (error.code === "E_MODEL" && error.where?.startsWith(where)) throw error
    const place = error.where === undefined ? where : `${where}, ${error.where}`
    throw new TrilobiteError("E_MODEL", { ...error, where: place }, { cause: error })
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
    if (found === undefined) {
      throw modelError(where, `the tensor ${key} is missing.`, `a tensor for each of ${parameters.length} parameters`)
    }
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
