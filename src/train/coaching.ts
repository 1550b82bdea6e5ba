// The coach beside a training: evidence is gathered, findings are made of it, and told. Loaded when a training is coached.

import type { Bound, Executable } from "../backend/backend.ts"
import type { Evidence } from "../coach/evidence.ts"
import type { Finding } from "../coach/finding.ts"
import type { Rows } from "../data/dataset.ts"
import type { Listeners } from "./callbacks/listeners.ts"
import type { FitEvent } from "./events.ts"
import { evidenceOf, examineModel } from "./examine.ts"
import type { Room } from "./examples.ts"
import type { Feed } from "./feed.ts"
import { bindings, type Traced } from "./forward.ts"
import { judgedOf } from "./network-facts.ts"
import type { CoachOptions, readFitOptions } from "./options.ts"
import { consoleOutput } from "./progress.ts"
import { recallOf, uneven } from "./recall.ts"
import { Watching } from "./watching.ts"

/** Rows in memory, and those that take part; absent: all. */
export interface RowsInMemory {
  readonly data: Rows
  readonly taken: Int32Array | undefined
}

/** What a training gives to be coached. */
export interface CoachPlan {
  readonly room: Room
  readonly read: ReturnType<typeof readFitOptions>
  readonly parts: {
    readonly traced: Traced
    readonly rows?: RowsInMemory | undefined
    readonly others?: RowsInMemory | undefined
  }
  readonly executable: Executable
  readonly bind: (data: Rows) => Bound
  readonly feed: Feed
  readonly seed: number
  /** How many epochs there shall be, as things stand. */
  readonly epochs: () => number
  /** Whether findings are printed. */
  readonly print: boolean
  readonly listeners: Listeners
}

/** What the loop of a training calls. */
export interface Coaching {
  readonly watching: Watching
  /** Before an event is told, and after it: a promise only if there is something to wait for, because toys have many events. */
  before(event: FitEvent): Promise<void> | undefined
  after(event: FitEvent): Promise<void> | undefined
  /** An error has ended the training; `ended`: a callback takes it for a good end. */
  failed(ended: boolean): Promise<void>
}

/** A training has refused its data: what the coach finds in them is said before the error is. */
export async function refused(room: Room, read: CoachPlan["read"], x: unknown, y: unknown): Promise<void> {
  const { advisor, onFinding }: CoachOptions = typeof read.coach === "object" ? read.coach : {}
  const { Coach } = await import("../coach/coach.ts")
  let evidence: Evidence
  try {
    evidence = await examineModel(room, read, x, y)
  } catch {
    return // What cannot even be read is told by the error of the training.
  }
  const findings = (advisor ?? new Coach()).advise(evidence)
  room.coached = { evidence, findings }
  for (const finding of findings) {
    if (read.verbose !== 0) consoleOutput().write(lineOf(finding))
    await onFinding?.(finding)
  }
}

const lineOf = ({ saw, change }: Finding): string => `Coach: ${saw} ${change.text}\n`

/** The coach of one training. */
export function coach({
  room,
  read,
  parts,
  executable,
  bind,
  feed,
  seed,
  epochs,
  print,
  listeners,
}: CoachPlan): Coaching {
  const { rows, others, traced } = parts
  const judged = judgedOf(room.training.outputs)
  const targets = room.wanted().targets.findIndex(({ name }) => name === room.network.outputs[judged.i]!.name)
  const raw = (part: RowsInMemory | undefined) =>
    part && {
      x: part.data[room.wanted().inputs[0]!.binding]!,
      y: part.data[room.wanted().targets[targets]!.binding]!,
      rows: part.taken,
    }
  const seen = { train: raw(rows), validation: raw(others), rows: feed.rows, batchSize: feed.batchSize }
  const evidence = evidenceOf(room, read, traced, seen)
  const asked = others ?? rows
  const { task, output: last } = evidence.network
  const targetsSeen = evidence.data?.targets
  const asks = asked !== undefined && targetsSeen !== undefined && uneven(targetsSeen)
  const recall = (): Promise<readonly number[]> =>
    recallOf({
      executable,
      bound: bind(asked!.data),
      taken: asked!.taken,
      y: raw(asked)!.y,
      task,
      output: bindings.prediction(room.network, judged.i),
      middle: last.activation === "sigmoid" || last.activation === "softmax" ? 0.5 : 0,
      classes: targetsSeen!.classes!.length,
      batchSize: feed.batchSize,
    })
  const watching = new Watching({
    executable,
    watched: traced.watched!,
    width: traced.logs.reduce((n, log) => n + (log.kind === "mean" ? 1 : log.size), 0),
    evidence,
    recall: asks ? recall : undefined,
    rows: rows && { bound: bind(rows.data), taken: rows.taken },
    batchSize: feed.batchSize,
    rounds: feed.rounds,
    rowsOfEpoch: feed.rows,
    epochs,
    seed,
    learningRate: () => room.rate.at(room.state.step),
    step: () => room.state.step,
  })
  const { advisor, onFinding }: CoachOptions = typeof read.coach === "object" ? read.coach : {}
  const advising = advisor ?? import("../coach/coach.ts").then(({ Coach }) => new Coach())
  const findings: Finding[] = []
  const output = consoleOutput()
  const advise = async (): Promise<void> => {
    const { evidence } = watching
    const found = (await advising).advise(evidence)
    findings.push(...found)
    room.coached = { evidence, findings }
    for (const finding of found) {
      if (print) output.write(lineOf(finding))
      await onFinding?.(finding)
      await listeners.tell({ type: "finding", finding })
    }
  }
  return {
    watching,
    before(event) {
      if (event.type === "epochEnd") return watching.epochEnd(event.epoch, event.logs, event.seconds)
      if (event.type === "trainBegin") return watching.begin()
      if (event.type === "epochBegin") watching.epochBegin(event.epoch)
      else if (event.type === "trainEnd") watching.end(event.reason)
      return undefined
    },
    after(event) {
      const asks = event.type === "epochEnd" && watching.asks(event.epoch)
      return asks || event.type === "trainBegin" || event.type === "trainEnd" ? advise() : undefined
    },
    async failed(ended) {
      watching.end(ended ? "stopped" : "failed")
      await advise()
    },
  }
}
