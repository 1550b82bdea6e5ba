// Going on with an interrupted training: what it goes on from, and whether it is the same one. Knows a model by what it asks of it
// in examples.ts, and the form in which files hold it.

import { configError, dataError } from "../core/errors.ts"
import { fingerprint } from "../core/fingerprint.ts"
import type { JsonObject } from "../core/json.ts"
import { bytes, type Tensor } from "../core/tensor.ts"
import type { Rows } from "../data/dataset.ts"
import type { Checkpoint } from "../formats/read-model.ts"
import type { Progress } from "../formats/saved-model.ts"
import { valuesOf } from "../nn/weights.ts"
import { NUMERICS_VERSION } from "../program/program.ts"
import type { InMemory, Room } from "./examples.ts"
import type { Place } from "./fit.ts"
import { type LogSpec, Means } from "./means.ts"
import type { readFitOptions } from "./options.ts"

type Read = ReturnType<typeof readFitOptions>

/** What a training goes on from: a file, or what the model itself holds, whose optimizer is where it was. */
export interface GoingOn {
  readonly progress: Progress
  readonly file: Checkpoint | undefined
}

/** What `resume` names. Throws E_CONFIG, E_IO or E_MODEL if there is nothing to go on with. */
export async function goingOn(room: Room, resume: true | string): Promise<GoingOn> {
  if (resume === true) {
    const { progress } = room
    if (progress !== undefined) return { progress, file: undefined }
    throw configError({
      where: "fit.resume",
      what: "this model holds no training that was interrupted.",
      hint: "Load it from a file that was saved while it was trained, or name that file: resume: path.",
    })
  }
  const [{ readPlace }, { readCheckpoint }] = await Promise.all([
    import("../formats/places.ts"),
    import("../formats/read-model.ts"),
  ])
  const found = await readPlace(resume)
  const file = readCheckpoint(found.bytes, found.path, room.saved())
  return { progress: file.progress, file }
}

/** Puts the model where the training stands. */
export function goBackTo(room: Room, { progress, file }: GoingOn): void {
  if (file !== undefined) room.restore(file)
  const { weights } = progress
  if (weights !== undefined) room.subject.setWeights([...room.cells.keys()].map((key) => weights.get(key)!))
}

/** Where the loop begins. */
export function placeOf(from: Progress | undefined, initialEpoch: number, logs: readonly LogSpec[]): Place {
  if (from === undefined) return { epoch: initialEpoch, within: undefined, seconds: 0, last: {} }
  const { epoch, within, seconds, last } = from
  return {
    epoch,
    within: within && { round: within.round, seconds: within.seconds, sums: new Means(logs, within) },
    seconds,
    last,
  }
}

/** The same, as plain data. */
export function placeToData({ within, ...place }: Place): Pick<Progress, "epoch" | "within" | "seconds" | "last"> {
  return { ...place, within: within && { round: within.round, seconds: within.seconds, ...within.sums.state() } }
}

/** The weights now, by key: copies. */
export function weightsNow({ cells }: Room): ReadonlyMap<string, Tensor> {
  return new Map([...cells].map(([key, cell]) => [key, { dtype: "float32", shape: cell.shape, data: valuesOf(cell) }]))
}

/** What the bits of a training depend on beside the model. Data in memory have a fingerprint; a data set is taken at its word. */
export function runOf(room: Room, read: Read, seed: number, memory: InMemory): JsonObject {
  const { train, validation } = memory
  const { validationFreq, classWeight } = read
  return {
    // A number may grow when a training goes on.
    epochs: read.epochs === "auto" ? "auto" : null,
    seed,
    batchSize: read.batchSize,
    shuffle: read.shuffle,
    shuffleBuffer: read.shuffleBuffer ?? null,
    stepsPerEpoch: read.stepsPerEpoch ?? null,
    trainMetrics: read.trainMetrics,
    validationSplit: read.validationSplit,
    validationSteps: read.validationSteps ?? null,
    validationBatchSize: read.validationBatchSize ?? null,
    validationFreq: typeof validationFreq === "number" ? validationFreq : [...validationFreq],
    classWeight: Object.fromEntries(Object.entries(classWeight ?? {})),
    numerics: room.numerics,
    numericsVersion: NUMERICS_VERSION,
    data: train === undefined ? null : dataPrint({ ...train.data, ...train.weights }),
    validationData: validation === undefined ? null : dataPrint({ ...validation.data, ...validation.weights }),
  }
}

/** Names, types, shapes and a fingerprint of every column. */
function dataPrint(rows: Rows): string {
  const columns = Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1))
  return columns.map(([name, t]) => `${name} ${t.dtype}[${t.shape}] ${fingerprint(bytes(t.data))}`).join(", ")
}

/** Throws E_CONFIG or E_DATA unless a training goes on as the same one. */
export function checkRun(before: JsonObject, now: JsonObject): void {
  for (const [name, value] of Object.entries(now)) {
    const [expected, got] = [JSON.stringify(before[name] ?? null), JSON.stringify(value)]
    if (expected === got) continue
    const about = { where: `fit.${name}`, expected, got }
    if (name === "numericsVersion") {
      const hint = "Start the training anew, or go on with the version of trilobite that began it."
      throw configError({ ...about, what: "the arithmetic has changed since this training began.", hint })
    }
    const what = "the training that was interrupted had another."
    if (name === "epochs") {
      const [was, is] = [before.epochs, value].map((epochs) => (epochs === "auto" ? '"auto"' : "a number"))
      throw configError({ where: about.where, expected: was!, got: is!, what, hint: `Go on with ${was}.` })
    }
    if (name === "data" || name === "validationData")
      throw dataError({ ...about, what: "these are not the data of that training." })
    throw configError({ ...about, what, hint: "Go on with the same options, or start a new training." })
  }
}
