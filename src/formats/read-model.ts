// The model in a file's bytes, and what of it cannot be right. Knows the form that model-file.ts writes, and every layer.

import { show, TrilobiteError } from "../core/errors.ts"
import { asArray, asCount, asObject, type JsonValue, parseJson } from "../core/json.ts"
import type { Shape } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"
import {
  type CustomObjects,
  lossFromConfig,
  metricFromConfig,
  networkFromConfig,
  optimizerFromConfig,
} from "../nn/config.ts"
import type { Metric } from "../nn/metrics.ts"
import { networkToConfig } from "../nn/to-config.ts"
import type { OutputTraining, Training } from "../nn/training.ts"
import { slotsOf } from "../nn/update.ts"
import { SLOT, TRAINING, trainingTexts, VERSION } from "./model-file.ts"
import { PROGRESS, readProgress } from "./progress.ts"
import { readSafetensors } from "./safetensors.ts"
import { type Progress, type ReadOptions, type SavedModel, type TrainingState, traceSaved } from "./saved-model.ts"
import { checkSeal, SEAL } from "./seal.ts"
import { inOrder, modelError } from "./weights-file.ts"

/**
 * The model in a file's bytes.
 * @throws E_MODEL if they are no model of trilobite, or anything in it is damaged, unknown or does not fit.
 */
export function readModel(bytes: Uint8Array, where: string, { custom, compile }: ReadOptions): SavedModel {
  const { tensors, metadata } = readSafetensors(bytes, where)
  checkMetadata(metadata, where)
  // Files of earlier versions have none.
  if (metadata[SEAL] !== undefined) checkSeal(bytes, where)
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
  const compiled = compile && TRAINING.some((name) => metadata[name] !== undefined)
  const training = compiled ? readTraining(field, metadata, where, custom) : undefined
  const state =
    training === undefined || metadata.state === undefined
      ? undefined
      : readState(field("state"), tensors, `${where}, state`)
  if (training !== undefined && state !== undefined) checkState(state, { network, inputShapes }, training, where)
  const progress =
    training === undefined || metadata.progress === undefined
      ? undefined
      : readProgress(field("progress"), tensors, `${where}, progress`)
  const weights = new Map([...tensors].filter(([name]) => ![SLOT, ...PROGRESS].some((own) => name.startsWith(own))))
  if (progress?.weights !== undefined) {
    const infos = [...weights].map(([name, { shape }]) => ({ name, shape }))
    inOrder(`${where}, progress`, infos, progress.weights)
  }
  return {
    network,
    inputShapes,
    compiled: training,
    weights,
    state,
    progress,
    name: metadata.name,
    preparing: metadata.preparing === undefined ? undefined : asObject(field("preparing"), where, "E_MODEL"),
  }
}

/** What a training goes on with. */
export interface Checkpoint {
  readonly weights: readonly Tensor[]
  readonly state: TrainingState
  /** The learning rate that it had; undefined if a schedule says it. */
  readonly learningRate: number | undefined
  readonly progress: Progress
}

/** The checkpoint in a file's bytes. Throws E_MODEL if they are none, damaged, or one of another model than `own`. */
export function readCheckpoint(bytes: Uint8Array, where: string, own: SavedModel): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes, where)
  checkMetadata(metadata, where)
  if (metadata[SEAL] !== undefined) checkSeal(bytes, where)
  const field = (name: string): JsonValue => parseJson(metadata[name]!, `${where}, ${name}`, undefined, "E_MODEL")
  if (metadata.progress === undefined) {
    const hint =
      "Checkpoints are saved while a model is trained: by the callback checkpoints, by modelCheckpoint, or after an abort."
    throw new TrilobiteError("E_MODEL", { where, what: "this is a model whose training is over.", hint })
  }
  const mine = { network: JSON.stringify(networkToConfig(own.network)), ...trainingTexts(own.compiled!) }
  for (const [name, text] of Object.entries(mine)) {
    const same = name === "optimizer" ? sameButRate(text, metadata[name] ?? "") : text === metadata[name]
    if (same) continue
    const what = `the model that was trained there has another ${name}.`
    throw modelError(where, what, `${metadata[name]}`.slice(0, 200), text.slice(0, 200))
  }
  const progress = readProgress(field("progress"), tensors, `${where}, progress`)
  const rest = [...tensors].filter(([name]) => ![SLOT, ...PROGRESS].some((one) => name.startsWith(one)))
  const infos = [...own.weights].map(([name, { shape }]) => ({ name, shape }))
  const weights = inOrder(where, infos, new Map(rest))
  if (progress.weights !== undefined) inOrder(`${where}, progress`, infos, progress.weights)
  const state = metadata.state === undefined ? undefined : readState(field("state"), tensors, `${where}, state`)
  if (state !== undefined) checkState(state, own, own.compiled!, where)
  const { learningRate } = optimizerFromConfig(field("optimizer"))
  return {
    weights,
    state: state ?? { step: 0, slots: new Map() },
    learningRate: typeof learningRate === "number" ? learningRate : undefined,
    progress,
  }
}

/** Whether optimizers differ at most in the learning rate, which falls while they train. */
function sameButRate(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => optimizerFromConfig(parseJson(text, "optimizer", undefined, "E_MODEL")))
  const rate = (of: typeof one): string =>
    typeof of!.learningRate === "number" ? "" : JSON.stringify(of!.learningRate)
  const rest = (of: typeof one): string => JSON.stringify({ ...of, learningRate: rate(of) })
  return rest(one) === rest(other)
}

function readState(json: JsonValue, tensors: ReadonlyMap<string, Tensor>, where: string): TrainingState {
  const { step, ...others } = asObject(json, where, "E_MODEL")
  const [extra] = Object.keys(others)
  if (extra !== undefined) throw modelError(where, `unknown key ${show(extra)}.`)
  const slots = [...tensors].filter(([name]) => name.startsWith(SLOT))
  return {
    step: asCount(step ?? null, `${where}.step`, "E_MODEL"),
    slots: new Map(slots.map(([name, tensor]) => [name.slice(SLOT.length), tensor])),
  }
}

/** Throws E_MODEL unless there is exactly what the optimizer keeps for the parameters. */
function checkState(
  { slots }: TrainingState,
  model: Pick<SavedModel, "network" | "inputShapes">,
  { optimizer }: Training,
  where: string,
): void {
  const trained = traceSaved(model).parameters.filter(({ trainable }) => trainable)
  const wanted = slotsOf(
    optimizer,
    trained.map(({ variable }) => variable),
  )
  const infos = wanted.map(({ variable: { key, shape } }) => ({ name: key, shape }))
  inOrder(`${where}, state of the optimizer`, infos, slots)
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
  const known = [
    "format",
    "version",
    "network",
    "inputShape",
    ...TRAINING,
    "state",
    "name",
    "preparing",
    "progress",
    SEAL,
  ]
  const extra = Object.keys(metadata).find((key) => !known.includes(key))
  if (extra === undefined) return
  throw modelError(`${where}, metadata`, `unknown key ${show(extra)}.`, `only ${known.join(", ")}`)
}
