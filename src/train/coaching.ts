// The coach beside a training: evidence is gathered, findings are made of it, and told. Loaded when a training is coached.

import type { Bound, Executable } from "../backend/backend.ts"
import type { Finding } from "../coach/finding.ts"
import type { Rows } from "../data/dataset.ts"
import type { Listeners } from "./callbacks/listeners.ts"
import type { FitEvent } from "./events.ts"
import { evidenceOf } from "./examine.ts"
import type { Room } from "./examples.ts"
import type { Feed } from "./feed.ts"
import type { Traced } from "./forward.ts"
import { judgedOf } from "./network-facts.ts"
import type { CoachOptions, readFitOptions } from "./options.ts"
import { consoleOutput } from "./progress.ts"
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
  /** Whether findings are printed. */
  readonly print: boolean
  readonly listeners: Listeners
}

/** What the loop of a training calls. */
export interface Coaching {
  readonly watching: Watching
  /** Before an event is told, and after it. */
  before(event: FitEvent): Promise<void>
  after(event: FitEvent): Promise<void>
  /** An error has ended the training; `ended`: a callback takes it for a good end. */
  failed(ended: boolean): Promise<void>
}

/** The coach of one training. */
export function coach({ room, read, parts, executable, bind, feed, seed, print, listeners }: CoachPlan): Coaching {
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
  const watching = new Watching({
    executable,
    watched: traced.watched!,
    width: traced.logs.reduce((n, log) => n + (log.kind === "mean" ? 1 : log.size), 0),
    evidence: evidenceOf(room, read, traced, seen),
    rows: rows && { bound: bind(rows.data), taken: rows.taken },
    batchSize: feed.batchSize,
    rounds: feed.rounds,
    rowsOfEpoch: feed.rows,
    epochs: read.epochs,
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
    room.keepCoached({ evidence, findings })
    for (const finding of found) {
      if (print) output.write(`Coach: ${finding.saw} ${finding.change.text}\n`)
      await onFinding?.(finding)
      await listeners.tell({ type: "finding", finding })
    }
  }
  return {
    watching,
    async before(event) {
      if (event.type === "trainBegin") await watching.begin()
      else if (event.type === "epochBegin") watching.epochBegin(event.epoch)
      else if (event.type === "epochEnd") await watching.epochEnd(event.epoch, event.logs, event.seconds)
      else if (event.type === "trainEnd") watching.end(event.reason)
    },
    async after(event) {
      const asks = event.type === "epochEnd" && watching.asks(event.epoch)
      if (asks || event.type === "trainBegin" || event.type === "trainEnd") await advise()
    },
    async failed(ended) {
      watching.end(ended ? "stopped" : "failed")
      await advise()
    },
  }
}
