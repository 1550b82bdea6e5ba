// A model as one safetensors file: weights as tensors, the architecture and what it was compiled with in the metadata.
// Knows bytes and configurations, no files and no trainer.

import { show, TrilobiteError } from "../core/errors.ts"
import { asArray, asObject, type JsonValue, parseJson } from "../core/json.ts"
import { type Shape, sameShape } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"
import {
  type CustomObjects,
  lossFromConfig,
  metricFromConfig,
  networkFromConfig,
  optimizerFromConfig,
} from "../nn/config.ts"
import type { Metric } from "../nn/metrics.ts"
import type { Network } from "../nn/network.ts"
import { lossToConfig, metricToConfig, networkToConfig, optimizerToConfig } from "../nn/to-config.ts"
import type { OutputTraining, Training } from "../nn/training.ts"
import { readSafetensors, writeSafetensors } from "./safetensors.ts"

/** The version of the metadata that this file writes; newer ones are refused. */
const VERSION = "1"

/** The texts of a compiled model: those of one or of several outputs, all of them or none. */
const TRAINING = ["loss", "optimizer", "metrics", "outputs"] as const

/** What a model file holds. */
export interface SavedModel {
  readonly network: Network
  /** The shapes of one example, for every input. */
  readonly inputShapes: readonly Shape[]
  readonly compiled: Training | undefined
  /** The parameters by their place in the model: `dense_1/kernel`. */
  readonly weights: ReadonlyMap<string, Tensor>
}

/** The bytes of a model file; the same model gives the same bytes. */
export function writeModel(model: SavedModel): Uint8Array {
  const { network, inputShapes, compiled, weights } = model
  const metadata = {
    format: "trilobite",
    version: VERSION,
    network: JSON.stringify(networkToConfig(network)),
    ...(network.kind === "sequential" ? { inputShape: JSON.stringify(inputShapes[0]) } : {}),
    ...(compiled === undefined ? {} : trainingTexts(compiled)),
  }
  return writeSafetensors(weights, metadata)
}

/** What a model was compiled with. One output without more than a loss and metrics is written in a form of its own. */
function trainingTexts({ optimizer, outputs }: Training): { readonly [key: string]: string } {
  const [first] = outputs
  const method = { optimizer: JSON.stringify(optimizerToConfig(optimizer)) }
  if (outputs.length === 1 && first!.lossWeight === 1 && first!.weightedMetrics.length === 0) {
    const metrics = JSON.stringify(first!.metrics.map(metricToConfig))
    return { loss: JSON.stringify(lossToConfig(first!.loss!)), ...method, metrics }
  }
  const all = outputs.map(({ loss, lossWeight, metrics, weightedMetrics }) => ({
    loss: loss === undefined ? null : lossToConfig(loss),
    lossWeight,
    metrics: metrics.map(metricToConfig),
    weightedMetrics: weightedMetrics.map(metricToConfig),
  }))
  return { ...method, outputs: JSON.stringify(all) }
}

/**
 * The model in a file's bytes.
 * @throws E_MODEL if they are no model of trilobite, or anything in it is damaged, unknown or does not fit.
 */
export function readModel(bytes: Uint8Array, where: string, custom: CustomObjects = {}): SavedModel {
  const { tensors, metadata } = readSafetensors(bytes, where)
  checkMetadata(metadata, where)
  const field = (name: string): JsonValue => {
    const text = metadata[name]
    return text === undefined ? null : parseJson(text, `${where}, ${name}`, undefined, "E_MODEL")
  }
  const network = networkFromConfig(field("network"), custom)
  const shapeOf = (json: JsonValue): Shape =>
    asArray(json, `${where}, inputShape`, "E_MODEL").map((n, _, all) => {
      if (Number.isSafeInteger(n) && (n as number) > 0 && all.length < 8) return n as number
      throw modelError(`${where}, inputShape`, "this is no shape.", "up to 7 whole numbers of at least 1", show(all))
    })
  const inputShapes =
    network.kind === "sequential" ? [shapeOf(field("inputShape"))] : network.inputs.map((input) => input.shape!)
  const compiled = TRAINING.some((name) => metadata[name] !== undefined)
  return {
    network,
    inputShapes,
    compiled: compiled ? readTraining(field, metadata, where, custom) : undefined,
    weights: tensors,
  }
}

function readTraining(
  field: (name: string) => JsonValue,
  metadata: { readonly [key: string]: string },
  where: string,
  custom: CustomObjects,
): Training {
  const optimizer = optimizerFromConfig(field("optimizer"))
  const metricsOf = (json: JsonValue | undefined, place: string): Metric[] =>
    asArray(json ?? null, place, "E_MODEL").map((one, i, all) => {
      const metric = metricFromConfig(one, custom)
      const twice = all.slice(0, i).some((other) => metricFromConfig(other, custom).name === metric.name)
      if (!twice) return metric
      throw modelError(place, "a metric is in the list twice.", "different ones", metric.name)
    })
  if (metadata.outputs === undefined) {
    const metrics = metricsOf(field("metrics"), `${where}, metrics`)
    return {
      optimizer,
      outputs: [{ loss: lossFromConfig(field("loss"), custom), lossWeight: 1, metrics, weightedMetrics: [] }],
    }
  }
  const outputs = asArray(field("outputs"), `${where}, outputs`, "E_MODEL").map((json, i): OutputTraining => {
    const place = `${where}, outputs[${i}]`
    const { loss, lossWeight, metrics, weightedMetrics, ...others } = asObject(json, place, "E_MODEL")
    const [extra] = Object.keys(others)
    if (extra !== undefined) throw modelError(place, `unknown key ${show(extra)}.`)
    if (typeof lossWeight !== "number" || !(lossWeight >= 0)) {
      throw modelError(`${place}.lossWeight`, "this is no weight.", "a number of at least 0", show(lossWeight))
    }
    return {
      loss: loss === null ? undefined : lossFromConfig(loss, custom),
      lossWeight,
      metrics: metricsOf(metrics, `${place}.metrics`),
      weightedMetrics: metricsOf(weightedMetrics, `${place}.weightedMetrics`),
    }
  })
  return { optimizer, outputs }
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
