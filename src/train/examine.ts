// What can be said of a training before its first step: network, options and data as evidence for the coach. Reads data leniently:
// what a training would refuse is what the coach is to see. Knows a model by what it asks of it in examples.ts.

import type { Evidence } from "../coach/evidence.ts"
import { TrilobiteError } from "../core/errors.ts"
import { type Tensor, type TensorLike, tensor } from "../core/tensor.ts"
import { isDataset, kindOf, type Specs } from "../data/dataset.ts"
import { targetsOf } from "../nn/losses.ts"
import { dataFacts, type RawRows, sharedRows } from "./data-facts.ts"
import { divide } from "./division.ts"
import { type Memory, type Room, readMemory } from "./examples.ts"
import { checkFitOptions } from "./fit-options.ts"
import type { Traced } from "./forward.ts"
import { type Column, checkRows, valuesOf, withRows } from "./inputs.ts"
import { judgedOf, networkFacts, trainingFacts } from "./network-facts.ts"
import type { readFitOptions } from "./options.ts"
import { classesOf, rowsOf, specsOf } from "./rows.ts"
import { Watching } from "./watching.ts"

type Read = ReturnType<typeof readFitOptions>

/** The rows that train and those that validate, as far as they are in memory. */
export interface Seen {
  readonly train: RawRows | undefined
  readonly validation: RawRows | undefined
  /** Rows of a pass and of a round; Infinity while nobody knows. */
  readonly rows: number
  readonly batchSize: number
}

/** All that is known before the first step, without a look at what the network gives. */
export function evidenceOf(room: Room, read: Read, traced: Traced, seen: Seen): Evidence {
  const { train, validation, rows, batchSize } = seen
  const judged = judgedOf(room.training.outputs)
  const network = networkFacts(room.network, traced, judged, train?.y)
  const all = Math.ceil(rows / batchSize)
  const rounds = read.stepsPerEpoch === undefined ? all : Math.min(all, read.stepsPerEpoch)
  const training = trainingFacts(room.training.optimizer, read, room.rate.at(0), rounds, batchSize)
  const of = (raw: RawRows | undefined) => raw && dataFacts(raw, network.task, judged.loss)
  const [data, other] = [of(train), of(validation)]
  return {
    network,
    training,
    ...(data === undefined ? {} : { data: data.facts }),
    ...(other === undefined ? {} : { validation: other.facts }),
    ...(data === undefined || other === undefined ? {} : { shared: sharedRows(data.keys, other.keys) }),
    epochs: [],
  }
}

/**
 * What is known of a model and of data in memory before anything is trained. Nothing of the data is checked; if a training would take
 * them, the network is asked what it gives for some of them.
 */
export async function examineModel(room: Room, read: Read, x: unknown, y: unknown): Promise<Evidence> {
  checkFitOptions(read, false)
  const { evidence, taken } = examined(room, read, x, y)
  try {
    const { train } = readMemory(room, read, x, y)
    return await probed(room, read, { evidence, taken, memory: train! })
  } catch (error) {
    if (error instanceof TrilobiteError && (error.code === "E_DATA" || error.code === "E_CONFIG")) return evidence
    throw error
  }
}

/** The evidence with a look at the network, which is computed beside the model: nothing of it changes. */
async function probed(
  room: Room,
  read: Read,
  { evidence, taken, memory }: { evidence: Evidence; taken: Int32Array | undefined; memory: Memory },
): Promise<Evidence> {
  const data = { ...memory.data, ...memory.weights }
  const targets = room.targetsFor(specsOf(memory.data))
  const traced = await room.trainWith(targets, memory.weights !== undefined, true)
  const { batchSize } = evidence.training
  const state = room.otherState()
  try {
    const executable = await state.load(traced, batchSize, "ask")
    const bound = executable.bind({ count: rowsOf(data), data })
    const { step } = room.state
    const rate = room.rate.at(step)
    const watching = new Watching({
      ...{ executable, watched: traced.watched!, width: 0, evidence, rows: { bound, taken }, batchSize },
      ...{ rounds: 0, rowsOfEpoch: 0, epochs: () => 0, seed: read.seed ?? room.seed },
      ...{ learningRate: () => rate, step: () => step },
    })
    await watching.begin()
    return watching.evidence
  } finally {
    state.close()
  }
}

function examined(
  room: Room,
  read: Read,
  x: unknown,
  y: unknown,
): { readonly evidence: Evidence; readonly taken?: Int32Array } {
  const { raw: data, specs } = rawRows(room, "examine", x, y)
  const traced = room.askWith(specs)
  const { validationData } = read
  const seed = read.seed ?? room.seed
  const seen = (train: RawRows, validation: RawRows | undefined): Seen => {
    const rows = train.rows?.length ?? train.x.shape[0]!
    return { train, validation, rows, batchSize: Math.min(read.batchSize, data.x.shape[0]!) }
  }
  if (read.validationSplit > 0) {
    const { loss } = judgedOf(room.training.outputs)
    const classes = room.wanted().targets.length > 1 ? undefined : classesOf(data.y, targetsOf(loss))
    const { train, validation } = divide(data.x.shape[0]!, read.validationSplit, seed, classes)
    const both = seen({ ...data, rows: train }, { ...data, rows: validation })
    return { evidence: evidenceOf(room, read, traced, both), taken: train }
  }
  const given = validationData === undefined || isDataset(validationData) ? undefined : validationData
  const validation = given && rawRows(room, "validationData", given[0], given[1]).raw
  return { evidence: evidenceOf(room, read, traced, seen(data, validation)) }
}

/** The first input, the targets of the judged output, and what all inputs are. Throws E_DATA for what is no data. */
function rawRows(room: Room, where: string, x: unknown, y: unknown): { readonly raw: RawRows; readonly specs: Specs } {
  const { inputs, targets } = room.wanted()
  const read = (columns: readonly Column[], value: unknown): Tensor[] => {
    const word = kindOf(columns[0]!.binding.slice(0, 1))
    return valuesOf(`${where} ${word}`, columns, value).map((one) => withRows(tensor(one as TensorLike)))
  }
  const all = read(inputs, x)
  const raw = { x: all[0]!, y: read(targets, y)[0]! }
  checkRows(where, raw)
  return { raw, specs: specsOf(Object.fromEntries(inputs.map(({ binding }, i) => [binding, all[i]!]))) }
}
