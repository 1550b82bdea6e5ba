// Asking a model: evaluation, prediction, what its layers give, single rounds. Loaded when a model is first asked.
// Knows a model by what it asks of it in examples.ts.

import type { Executable } from "../backend/backend.ts"
import { size } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Dataset, Rows, Stream } from "../data/dataset.ts"
import { type ActivationName, activationOf } from "../nn/activations.ts"
import { divergence } from "./divergence.ts"
import type { Logs } from "./events.ts"
import { checkFor, type Memory, type Room } from "./examples.ts"
import { checkBatches, type Feed, fixedFeed } from "./feed.ts"
import { evaluateFeed, lastRound, runFeed } from "./fit.ts"
import { bindings, type Traced, traceActivations } from "./forward.ts"
import { askedPart, memoryPart, openDataset, type Part } from "./parts.ts"
import { rowsOf, specsOf } from "./rows.ts"

/** What a layer gives for some rows, and by which activation function if losses know it. */
export interface Activations {
  readonly layer: string
  readonly activation: ActivationName
  readonly values: Tensor
}

/** The columns of rows in memory, and the graph that is trained with such. */
async function trainedOn(room: Room, { data, weights }: Memory): Promise<{ data: Rows; traced: Traced }> {
  const traced = await room.trainWith(room.targetsFor(specsOf(data)), weights !== undefined)
  return { data: { ...data, ...weights }, traced }
}

/** The loss and the metrics over rows in memory. */
export async function evaluateMemory(room: Room, memory: Memory, size: number, steps?: number): Promise<Logs> {
  const { data, traced } = await trainedOn(room, memory)
  const part = (batchSize: number): Part =>
    steps === undefined ? askedPart(data, batchSize) : memoryPart("evaluate", data, batchSize, { steps })
  return over("evaluate", room, traced, size, rowsOf(data), part, (executable, feed) =>
    measured(room, traced, executable, feed),
  )
}

/** The loss and the metrics over a data set. */
export async function evaluateDataset(room: Room, dataset: Dataset, size: number, steps?: number): Promise<Logs> {
  const opened = await openDataset("evaluate", dataset, { wanted: room.wanted(), paired: true })
  try {
    const { weighted } = opened
    const targets = room.targetsFor(opened.specs)
    const traced = await room.trainWith(targets, weighted)
    const check = checkFor(room, "evaluate", targets)
    const part = (batchSize: number): Part => opened.part({ batchSize, check, steps, weighted })
    const work = (executable: Executable, feed: Feed): Promise<Logs> => measured(room, traced, executable, feed)
    return await over("evaluate", room, traced, size, size, part, work)
  } finally {
    opened.close()
  }
}

async function measured(room: Room, traced: Traced, executable: Executable, feed: Feed): Promise<Logs> {
  const { logs, tables } = await evaluateFeed(executable, traced.logs, feed)
  room.tables = tables
  return logs
}

/** The outputs for rows in memory, in order. */
export function predictMemory(room: Room, inputs: Rows, size: number): Promise<Tensor[]> {
  const traced = room.askWith(specsOf(inputs))
  return outputsOf(room, traced, size, rowsOf(inputs), (batchSize) => askedPart(inputs, batchSize))
}

/** The outputs for the rows of a data set, in order. */
export async function predictDataset(room: Room, dataset: Dataset | Stream<unknown>, size: number): Promise<Tensor[]> {
  const opened = await openDataset("predict", dataset, { wanted: room.wanted(), paired: false })
  try {
    const traced = room.askWith(opened.specs)
    const check = checkFor(room, "predict", [])
    return await outputsOf(room, traced, size, size, (batchSize) => opened.part({ batchSize, check }))
  } finally {
    opened.close()
  }
}

async function outputsOf(
  room: Room,
  traced: Traced,
  size: number,
  rows: number,
  part: (batchSize: number) => Part,
): Promise<Tensor[]> {
  const names = traced.outputs.map((_, i) => bindings.prediction(room.network, i))
  const work = (executable: Executable, feed: Feed): Promise<Float32Array[]> => gather(executable, feed, names)
  const found = await over("predict", room, traced, size, rows, part, work)
  return traced.outputs.map(({ shape }, i) => rowsIn(found[i]!, shape.slice(1)))
}

/** Numbers as rows of a shape. */
function rowsIn(data: Float32Array, shape: readonly number[]): Tensor {
  return { dtype: "float32", shape: [data.length / size(shape), ...shape], data }
}

/** What every layer gives for rows in memory. */
export async function activationsOf(room: Room, inputs: Rows, size: number): Promise<readonly Activations[]> {
  const traced = traceActivations(
    room.network,
    room.askWith(specsOf(inputs)).inputs.map((x) => x.shape.slice(1)),
  )
  const state = room.otherState()
  try {
    const executable = await state.load(traced, Math.min(size, rowsOf(inputs)), "ask")
    const part = askedPart(inputs, executable.program.rows)
    const feed = fixedFeed("activations", room.network.batchSize, part.feed(executable, bindIn(executable)))
    const names = traced.layers.map(({ name }) => name)
    const found = await gather(executable, feed, names)
    feed.release()
    return traced.layers.map(({ name, output }, i) => {
      return { layer: name, activation: activationOf(output), values: rowsIn(found[i]!, output.shape.slice(1)) }
    })
  } finally {
    state.close()
  }
}

/** One round of training or of evaluation on exactly these rows. */
export async function roundOn(room: Room, entry: "train" | "evaluate", memory: Memory): Promise<Logs> {
  const { data, traced } = await trainedOn(room, memory)
  const { state, seed } = room
  const rows = rowsOf(data)
  checkBatches(entry === "train" ? "trainOnBatch" : "testOnBatch", room.network.batchSize, rows, rows)
  const executable = await state.load(traced, rows, entry === "train" || room.fitting ? "train" : "ask")
  const bound = executable.bind({ count: rows, data })
  try {
    const { step } = state
    const learningRate = room.rate.at(step)
    const runtime = { learningRate, step }
    const ran = await executable.run({ entry, bound, batchSize: rows, first: 0, count: 1, runtime, seed })
    if (ran.ended === "guard") {
      throw divergence(executable, { epoch: 0, round: step, loss: ran.logs[0]!, learningRate, row: 0 })
    }
    if (entry === "train") state.step++
    return lastRound(traced.logs, ran)
  } finally {
    bound.release()
  }
}

const bindIn = (executable: Executable) => (data: Rows) => executable.bind({ count: rowsOf(data), data })

/** Rows of a program for fewer: it is not made anew when there are a few more of them. */
const LEAST_ROWS = 32

/**
 * Loads a graph, feeds it a part and gives what `work` makes of it. While the model is being trained (a callback asks) the
 * executable is the one of the training, and batches are as large as that allows.
 */
async function over<T>(
  where: string,
  room: Room,
  traced: Traced,
  size: number,
  rows: number,
  part: (batchSize: number) => Part,
  work: (executable: Executable, feed: Feed) => Promise<T>,
): Promise<T> {
  const wanted = Math.min(size, Math.max(rows, LEAST_ROWS))
  const { fitting } = room
  const executable = await room.state.load(traced, fitting ? 1 : wanted, fitting ? "train" : "ask")
  const made = part(Math.min(wanted, executable.program.rows)).feed(executable, bindIn(executable))
  const feed = fixedFeed(where, room.network.batchSize, made)
  try {
    return await work(executable, feed)
  } finally {
    feed.release()
  }
}

/** What the entry `predict` gives under these names, for all rows of a feed. */
async function gather(executable: Executable, feed: Feed, names: readonly string[]): Promise<Float32Array[]> {
  const pieces = names.map((): Float32Array[] => [])
  await runFeed(executable, "predict", feed, ({ bound, rows }, { rounds }, first) => {
    if (first + rounds < Math.ceil(rows / feed.batchSize)) return
    names.forEach((name, i) => {
      const all = bound.result(name)
      pieces[i]!.push(all.subarray(0, (all.length / bound.rows) * rows))
    })
  })
  return pieces.map((list) => {
    if (list.length === 1) return list[0]!
    const data = new Float32Array(list.reduce((n, piece) => n + piece.length, 0))
    let at = 0
    for (const piece of list) {
      data.set(piece, at)
      at += piece.length
    }
    return data
  })
}
