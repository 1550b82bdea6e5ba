// The loop of training: epochs of rounds, as an asynchronous iterator of events.
// Knows an executable and where its rows come from, no model, no callback and no output.

import type { Executable, Ran, Run } from "../backend/backend.ts"
import { turn } from "../core/turn.ts"
import { validationName } from "../nn/metrics.ts"
import { type BadRound, divergence } from "./divergence.ts"
import type { EndReason, FitEvent, Logs, Tables } from "./events.ts"
import type { Chunk, Feed } from "./feed.ts"
import { type LogSpec, Means } from "./means.ts"

/** Everything that the loop needs. */
export interface FitPlan {
  readonly executable: Executable
  readonly logs: readonly LogSpec[]
  readonly train: Feed
  readonly validation: Feed | undefined
  /** The training rows to be measured after each epoch, instead of the means over its rounds. */
  readonly measured: Feed | undefined
  /** Whether an epoch, counted from 0, is followed by validation. */
  readonly validates: (epoch: number) => boolean
  /** How many epochs there shall be, as things stand, and whether that may change. */
  readonly epochs: () => number
  readonly isOpen: boolean
  readonly initialEpoch: number
  /** Where the training stands: the loop begins there and says in it how far it has got whenever it tells of something. */
  readonly place: Place
  /** Whether the place is one in the middle of a training. */
  readonly resumed: boolean
  /** What random numbers depend on, beside the step. */
  readonly seed: number
  /** Rounds that the optimizer has done: counted on. */
  readonly state: { step: number }
  /** True if somebody listens to single rounds. */
  readonly everyRound: boolean
  /** Takes the ends of epochs that nobody else hears of: several of them may be run at once, without any other event. */
  readonly unheard?: ((event: EpochEnd) => void) | undefined
  readonly signal?: AbortSignal | undefined
  readonly watching?: Watcher | undefined
  /** Asked before every piece of work: the learning rate, and whether to stop. */
  readonly control: { readonly learningRate: number; readonly stopping: boolean }
}

/** Who watches the rounds of a training. */
export interface Watcher {
  /** By which entry the next rounds are to be run, and how many of them at most. */
  next(round: number, count: number): { readonly entry: "train" | "watch"; readonly count: number }
  /** Takes what rounds have written down and gives what `train` would have. */
  take(entry: "train" | "watch", ran: Ran, epoch: number, round: number, ms: number): Ran
}

/** Where a training stands between two rounds. */
export interface Place {
  epoch: number
  /** What is done of the epoch; undefined before it begins. */
  within: { round: number; seconds: number; readonly sums: Means } | undefined
  /** Seconds of training in finished epochs, and the logs of the last one. */
  seconds: number
  last: Logs
}

/** The end of an epoch. */
export type EpochEnd = FitEvent & { readonly type: "epochEnd" }

/** Milliseconds between two looks of the caller at a running epoch. */
const TICK = 100

/** Rounds until the first look, and the rows that an executable got through between two looks of its last training. */
const FIRST_ROUNDS = 16
const rowsOfTick: WeakMap<Executable, number> = new WeakMap()

/** The most rounds of one piece of work: so much is kept of the numbers of single rounds. */
const MOST_ROUNDS = 4096

/** The most rows of epochs that are run at once, unless one has more: their orders are made beforehand. */
const MOST_ROWS = 65_536

/** Runs the training. What it does to the weights depends on the plan alone, not on time or threads. */
export async function* fitEvents(plan: FitPlan): AsyncGenerator<FitEvent, void, undefined> {
  const { executable, train, initialEpoch, signal, control, place } = plan
  const { batchSize } = train
  const stop = (): void => executable.stop()
  signal?.addEventListener("abort", stop)
  let reason = "completed" as EndReason
  let pace = Math.max(FIRST_ROUNDS, Math.floor((rowsOfTick.get(executable) ?? 0) / batchSize)) // rounds until the next look
  const asked = (): EndReason => (signal?.aborted ? "aborted" : control.stopping ? "stopped" : "completed")
  const resumed = plan.resumed ? ({ resumed: true } as const) : {}
  yield {
    type: "trainBegin",
    epochs: plan.epochs(),
    initialEpoch,
    rounds: train.rounds,
    rows: train.rows,
    batchSize,
    ...resumed,
  }
  try {
    reason = asked()
    while (place.epoch < plan.epochs() && reason === "completed") {
      const together = plan.unheard === undefined || place.within !== undefined ? 0 : epochsAtOnce(plan, pace)
      const several = together < 1 ? undefined : train.epochs?.(place.epoch, together)
      if (several !== undefined) {
        const { epochs } = several
        const { took, stopped } = await runEpochs(plan, several)
        pace = Math.max(1, Math.min(4 * pace, Math.round((epochs * train.rounds * TICK) / Math.max(took, 0.01))))
        reason = stopped && !signal?.aborted ? "stopped" : asked()
        continue
      }
      const { epoch } = place
      const begun = place.within !== undefined
      place.within ??= { round: 0, seconds: 0, sums: new Means(plan.logs) }
      const { within } = place
      const open = plan.isOpen ? { epochs: plan.epochs() } : {}
      yield { type: "epochBegin", epoch, ...open, ...(begun ? resumed : {}) }
      const { sums } = within
      train.begin(epoch, within.round)
      while (within.round < train.rounds && reason === "completed") {
        const waited = performance.now()
        const next = train.next()
        const chunk = next instanceof Promise ? await unlessAborted(next, signal) : next
        within.seconds += (performance.now() - waited) / 1000
        if (chunk === undefined) break
        if (chunk === "aborted") reason = chunk
        const rounds = chunk === "aborted" ? 0 : Math.ceil(chunk.rows / batchSize)
        for (let first = 0; first < rounds && chunk !== "aborted"; ) {
          reason = asked()
          if (reason !== "completed") break
          if (plan.everyRound) yield { type: "batchBegin", epoch, round: within.round }
          const most = plan.everyRound ? 1 : Math.min(pace, rounds - first, MOST_ROUNDS)
          const { entry, count } = plan.watching?.next(within.round, most) ?? { entry: "train", count: most }
          const started = performance.now()
          const runtime = { learningRate: control.learningRate, step: plan.state.step }
          const all = await runOver(executable, train, chunk, { entry, first, count, runtime, seed: plan.seed })
          const took = performance.now() - started
          const ran = plan.watching?.take(entry, all, epoch, within.round, took) ?? all
          plan.state.step += ran.rounds
          first += ran.rounds
          within.round += ran.rounds
          if (ran.ended === "guard")
            throw divergence(executable, badRound(plan, epoch, within.round, ran, chunk, first))
          sums.take(ran, (first - ran.rounds) * batchSize, batchSize, chunk.rows)
          within.seconds += took / 1000
          if (ran.rounds === count && (entry === "train" || count === most))
            pace = Math.max(1, Math.min(4 * pace, Math.round((count * TICK) / Math.max(took, 0.01))))
          if (plan.everyRound)
            yield { type: "batchEnd", epoch, round: within.round - 1, logs: lastRound(plan.logs, ran) }
          yield { type: "progress", epoch, round: within.round, logs: sums.logs(), seconds: within.seconds }
          if (ran.ended === "stopped") {
            reason = signal?.aborted ? "aborted" : "stopped"
            break
          }
        }
      }
      if (reason !== "completed") break
      const own = plan.measured && (await evaluateFeed(executable, plan.logs, plan.measured))
      let logs = own?.logs ?? sums.logs()
      let tables = own?.tables ?? sums.tables()
      if (plan.validation !== undefined && plan.validates(epoch)) {
        const measured = await evaluateFeed(executable, plan.logs, plan.validation)
        logs = { ...logs, ...named(measured.logs) }
        tables = { ...tables, ...named(measured.tables) }
      }
      endEpoch(place, logs, within.seconds)
      yield { type: "epochEnd", epoch, logs, tables, seconds: within.seconds }
      reason = asked()
    }
  } finally {
    rowsOfTick.set(executable, pace * batchSize)
    signal?.removeEventListener("abort", stop)
  }
  const seconds = place.seconds + (place.within?.seconds ?? 0)
  yield { type: "trainEnd", reason, logs: place.last, seconds }
}

/** How many epochs may be run at once, in so many rounds at most. */
function epochsAtOnce({ epochs, place, train }: FitPlan, rounds: number): number {
  const many = Math.max(1, Math.floor(MOST_ROWS / train.rows))
  return Math.min(epochs() - place.epoch, Math.floor(Math.min(rounds, MOST_ROUNDS) / train.rounds), many)
}

/** Runs epochs that nobody hears of until they have ended, all at once: the milliseconds that it took, whether it was stopped. */
async function runEpochs(
  plan: FitPlan,
  chunk: Chunk & { readonly epochs: number },
): Promise<{ readonly took: number; readonly stopped: boolean }> {
  const { executable, train, control, place, seed, state } = plan
  const { batchSize, rounds, rows } = train
  const runtime = { learningRate: control.learningRate, step: state.step }
  const started = performance.now()
  const part = { entry: "train", first: 0, count: chunk.epochs * rounds, runtime, seed }
  const ran = await runOver(executable, train, chunk, part)
  const took = performance.now() - started
  const seconds = took / 1000 / Math.max(1, ran.rounds / rounds)
  const width = widthOf(plan.logs)
  state.step += ran.rounds
  for (let from = 0; from < ran.rounds; from += rounds) {
    const done = Math.min(rounds, ran.rounds - from)
    const sums = new Means(plan.logs)
    sums.take({ rounds: done, logs: ran.logs.subarray(from * width) }, 0, batchSize, rows)
    if (done < rounds) place.within = { round: done, seconds: (seconds * done) / rounds, sums }
    else {
      const [epoch, logs, tables] = [place.epoch, sums.logs(), sums.tables()]
      endEpoch(place, logs, seconds)
      plan.unheard!({ type: "epochEnd", epoch, logs, tables, seconds })
    }
  }
  if (ran.ended === "guard") {
    const round = place.within?.round ?? 0
    throw divergence(executable, badRound(plan, place.epoch, round, ran, chunk, ran.rounds))
  }
  return { took, stopped: ran.ended === "stopped" }
}

/** The place behind the epoch under way. */
function endEpoch(place: Place, last: Logs, seconds: number): void {
  Object.assign(place, { epoch: place.epoch + 1, within: undefined, seconds: place.seconds + seconds, last })
}

type Part = Pick<Run, "entry" | "first" | "count" | "runtime" | "seed">

/**
 * Runs some rounds of a chunk; the feed does beside it what can be done for the next rows. Watched rounds are few: that would take longer
 * than they do, and they would seem slow.
 */
function runOver(executable: Executable, feed: Feed, { bound, rows, order }: Chunk, part: Part): Promise<Ran> {
  const { batchSize } = feed
  const running = executable.run({ ...part, bound, batchSize, rows, ...(order === undefined ? {} : { order }) })
  if (part.entry !== "watch") feed.ahead()
  return running
}

/** What a promise gives, or that the signal has come before it: nobody waits for a source that says nothing. */
async function unlessAborted<T>(given: Promise<T>, signal: AbortSignal | undefined): Promise<T | "aborted"> {
  if (signal === undefined) return given
  let listener = (): void => {}
  const aborted = new Promise<"aborted">((resolve) => {
    // What is there already counts more than the signal.
    listener = () => void turn().then(() => resolve("aborted"))
    if (signal.aborted) listener()
    else signal.addEventListener("abort", listener)
  })
  try {
    return await Promise.race([given, aborted])
  } finally {
    signal.removeEventListener("abort", listener)
  }
}

/** Runs an entry over all rows of a pass, also if the engine is stopped between; `each` takes what has been run. */
export async function runFeed(
  executable: Executable,
  entry: string,
  feed: Feed,
  each: (chunk: Chunk, ran: Ran, first: number) => void,
): Promise<void> {
  feed.begin(0)
  for (let chunk = await feed.next(); chunk !== undefined; chunk = await feed.next()) {
    const rounds = Math.ceil(chunk.rows / feed.batchSize)
    for (let first = 0; first < rounds; ) {
      const ran = await runOver(executable, feed, chunk, { entry, first, count: Math.min(MOST_ROUNDS, rounds - first) })
      each(chunk, ran, first)
      first += ran.rounds
    }
  }
}

/** What the logs come to over the rows of a pass. */
export async function evaluateFeed(
  executable: Executable,
  logs: readonly LogSpec[],
  feed: Feed,
): Promise<{ readonly logs: Logs; readonly tables: Tables }> {
  const sums = new Means(logs)
  await runFeed(executable, "evaluate", feed, (chunk, ran, first) => {
    sums.take(ran, first * feed.batchSize, feed.batchSize, chunk.rows)
  })
  return { logs: sums.logs(), tables: sums.tables() }
}

/** The same values under the names that they have for validation data. */
function named<T>(values: { readonly [name: string]: T }): { readonly [name: string]: T } {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [validationName(name), value]))
}

function badRound(plan: FitPlan, epoch: number, round: number, ran: Ran, chunk: Chunk, first: number): BadRound {
  const loss = ran.logs[ran.rounds * widthOf(plan.logs)]!
  const row = chunk.rowName(first * plan.train.batchSize)
  return { epoch, round, loss, learningRate: plan.control.learningRate, row }
}

/** What the last round of a run has logged. */
export function lastRound(logs: readonly LogSpec[], ran: Ran): Logs {
  const one = new Means(logs)
  one.take({ rounds: 1, logs: ran.logs.subarray((ran.rounds - 1) * widthOf(logs)) }, 0, 1, 1)
  return one.logs()
}

/** How many numbers a round logs. */
function widthOf(logs: readonly LogSpec[]): number {
  return logs.reduce((n, log) => n + (log.kind === "mean" ? 1 : log.size), 0)
}
