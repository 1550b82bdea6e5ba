// Examples in memory and targets as a model needs them. Knows a model by what it asks of it here.

import type { Evidence } from "../coach/evidence.ts"
import type { Finding } from "../coach/finding.ts"
import type { Shape } from "../core/shape.ts"
import { isDataset, kindOf, type Rows, type Specs } from "../data/dataset.ts"
import type { Checkpoint } from "../formats/read-model.ts"
import type { Progress, SavedModel } from "../formats/saved-model.ts"
import type { Loss } from "../nn/losses.ts"
import type { Network } from "../nn/network.ts"
import { checkTargetValues } from "../nn/targets.ts"
import type { Training } from "../nn/training.ts"
import type { Cell } from "../nn/weights.ts"
import type { Numerics } from "../program/program.ts"
import type { History, Subject } from "./callbacks/listeners.ts"
import type { Tables } from "./events.ts"
import type { Traced } from "./forward.ts"
import { type ClassWeights, checkPlaces, readExamples, type Wanted, weightColumns } from "./inputs.ts"
import type { readFitOptions } from "./options.ts"
import type { Rate } from "./rate.ts"
import type { Check } from "./reader.ts"
import { checkFinite, rowsOf, specsOf } from "./rows.ts"
import type { State } from "./state.ts"

/** What the coach has seen of a training, and what it has found. */
export interface Coached {
  readonly evidence: Evidence
  readonly findings: readonly Finding[]
}

/** The targets of an output in the shape that its loss asks for. */
export interface Aligned {
  /** The place of the output among those of the model. */
  readonly i: number
  readonly binding: string
  readonly loss: Loss
  readonly output: Shape
  readonly shape: Shape
}

/** What training, evaluating and predicting ask of a model. */
export interface Room {
  readonly network: Network
  readonly seed: number
  /** True while the model is being trained. */
  readonly fitting: boolean
  readonly training: Training
  readonly state: State
  wanted(): Wanted
  /** The targets of rows of these columns. Throws if they do not fit; the model is then as it was. */
  targetsFor(specs: Specs): readonly Aligned[]
  /** The graph that is trained with such targets. */
  trainWith(targets: readonly Aligned[], weighted: boolean, coached?: boolean): Promise<Traced>
  /** The graph that is asked with inputs of these columns, and its outputs. */
  askWith(specs: Specs): Traced
  /** A state of its own for another graph over the same values. */
  otherState(): State
  /** The learning rate of the next round; callbacks may set it. */
  readonly rate: Rate
  readonly subject: Omit<Subject, "rate" | "step" | "epochs">
  /** The values of the parameters, by key. */
  readonly cells: ReadonlyMap<string, Cell>
  /** What is doubtful about the training, said once. */
  takeWarnings(): string[]
  /** What the last training has measured, evaluation said in tables, and the coach seen. */
  history: History | undefined
  tables: Tables
  coached: Coached | undefined
  readonly numerics: Numerics
  /** Where the training stands that may go on; saved with the model. */
  readonly progress: Progress | undefined
  keepProgress(progress: (() => Progress) | undefined): void
  /** Takes the weights of a file, what its optimizer keeps and its learning rate. */
  restore(checkpoint: Checkpoint): void
  /** All that a file holds of the model. */
  saved(): SavedModel
}

/** Examples in memory that fit the model, with the targets in the shapes that the losses ask for. */
function examplesFor(room: Room, where: string, x: unknown, y: unknown): Rows {
  const read = readExamples(where, room.wanted(), x, y)
  const aligned = room.targetsFor(specsOf(read)).map(({ binding, loss, output, shape }) => {
    const t = read[binding]!
    checkTargetValues(loss, output, t)
    return [binding, { ...t, shape: [t.shape[0]!, ...shape] }]
  })
  return { ...read, ...Object.fromEntries(aligned) }
}

/** The weight columns of examples in memory: 1 where nothing is given. */
export function weightsFor(
  room: Room,
  where: string,
  examples: Rows,
  sampleWeight?: unknown,
  classWeight?: ClassWeights,
): Rows {
  return weightColumns(where, room.wanted(), examples, rowsOf(examples), sampleWeight, classWeight)
}

/** The check of the values of rows that are read piece by piece. */
export function checkFor(room: Room, where: string, targets: readonly Aligned[]): Check {
  const wanted = room.wanted()
  return (data, rowName) => {
    checkPlaces(where, wanted, data, rowName)
    for (const { binding } of wanted.inputs) checkFinite(`${where} ${kindOf(binding)}`, data[binding]!, rowName)
    for (const { binding, loss, output } of targets) checkTargetValues(loss, output, data[binding]!, rowName)
  }
}

type Read = ReturnType<typeof readFitOptions>

/** Data in memory that has been read, with its weights if it has some. */
export interface Memory {
  readonly data: Rows
  readonly weights: Rows | undefined
}

/** What of the data is in memory. */
export interface InMemory {
  readonly train: Memory | undefined
  readonly validation: Memory | undefined
}

/** Examples in memory that fit the model, with their weights if they have some. */
export function memoryFor(
  room: Room,
  where: string,
  x: unknown,
  y: unknown,
  sampleWeight?: unknown,
  classWeight?: ClassWeights,
): Memory {
  const data = examplesFor(room, where, x, y)
  const weighted = sampleWeight !== undefined || classWeight !== undefined
  return { data, weights: weighted ? weightsFor(room, where, data, sampleWeight, classWeight) : undefined }
}

/** Validation data in memory, if that is what the options hold. */
export function readValidation(room: Room, { validationData }: Read): Memory | undefined {
  if (validationData === undefined || isDataset(validationData)) return undefined
  const [x, y, weights] = validationData
  return memoryFor(room, "validationData", x, y, weights)
}

/** What of the data and of the validation data is in memory: read, copied, and in the form that the model asks for. */
export function readMemory(room: Room, read: Read, x: unknown, y: unknown): InMemory {
  const { sampleWeight, classWeight } = read
  const train = memoryFor(room, "fit", x, y, sampleWeight, classWeight)
  return { train, validation: readValidation(room, read) }
}
