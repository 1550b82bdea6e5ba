// The loop of training: epochs of rounds, as an asynchronous iterator of events.
// Knows an executable and its data, no model, no callback and no output.

import { type Bound, type Executable, type Ran, rowsOf } from "../backend/backend.ts"
import { permutation } from "../core/random.ts"
import { validationName } from "../nn/metrics.ts"
import { type BadRound, divergence } from "./divergence.ts"
import type { EndReason, FitEvent, Logs } from "./events.ts"

/** Rows to run over: all of the bound ones, or some in a given order. */
export interface Pass {
  readonly bound: Bound
  readonly batchSize: number
  /** The rows that take part; absent: all. */
  readonly rows?: Int32Array | undefined
}

/** Everything that the loop needs. */
export interface FitPlan {
  readonly executable: Executable
  readonly names: readonly string[]
  readonly train: Pass
  readonly validation: Pass | undefined
  readonly epochs: number
  readonly initialEpoch: number
  readonly shuffle: boolean
  readonly seed: number
  /** Rounds that the optimizer has done: counted on. */
  readonly state: { step: number }
  /** True if somebody listens to single rounds. */
  readonly everyRound: boolean
  readonly signal?: AbortSignal | undefined
  /** Asked before every piece of work: the learning rate, and whether to stop. */
  readonly control: { readonly learningRate: number; readonly stopping: boolean }
}

/** Milliseconds between two looks of the caller at a running epoch. */
const TICK = 100

/** The most rounds of one piece of work: so much is kept of the numbers of single rounds. */
const MOST_ROUNDS = 4096

/** Runs the training. What it does to the weights depends on the plan alone, not on time or threads. */
export async function* fitEvents(plan: FitPlan): AsyncGenerator<FitEvent, void, undefined> {
  const { executable, train, epochs, initialEpoch, signal, control } = plan
  const rows = train.rows?.length ?? train.bound.rows
  const rounds = Math.ceil(rows / train.batchSize)
  const stop = (): void => executable.stop()
  signal?.addEventListener("abort", stop)
  let reason: EndReason = "completed"
  let last: Logs = {}
  let seconds = 0
  let pace = 16 // rounds until the next look, found while running
  yield { type: "trainBegin", epochs, initialEpoch, rounds, rows, batchSize: train.batchSize }
  try {
    let order = orderOf(plan, initialEpoch)
    for (let epoch = initialEpoch; epoch < epochs && reason === "completed"; epoch++) {
      if (signal?.aborted) reason = "aborted"
      else if (control.stopping) reason = "stopped"
      if (reason !== "completed") break
      yield { type: "epochBegin", epoch }
      const sums = new Means(plan.names)
      let next: Int32Array | undefined
      let elapsed = 0
      for (let round = 0; round < rounds && reason === "completed"; ) {
        if (signal?.aborted) reason = "aborted"
        else if (control.stopping) reason = "stopped"
        if (reason !== "completed") break
        if (plan.everyRound) yield { type: "batchBegin", epoch, round }
        const count = plan.everyRound ? 1 : Math.min(pace, rounds - round, MOST_ROUNDS)
        const started = performance.now()
        const running = executable.run({
          entry: "train",
          bound: train.bound,
          batchSize: train.batchSize,
          first: round,
          count,
          ...(order === undefined ? {} : { order }),
          runtime: { learningRate: control.learningRate, step: plan.state.step },
        })
        // The order of the next epoch is made while the threads work on this one.
        if (next === undefined && plan.shuffle && epoch + 1 < epochs) next = orderOf(plan, epoch + 1)
        const ran = await running
        const took = performance.now() - started
        plan.state.step += ran.rounds
        if (ran.ended === "guard") throw divergence(executable, badRound(plan, epoch, round + ran.rounds, ran, order))
        sums.take(ran, round * train.batchSize, train.batchSize, rows)
        elapsed += took / 1000
        round += ran.rounds
        if (ran.rounds === count)
          pace = Math.max(1, Math.min(4 * pace, Math.round((count * TICK) / Math.max(took, 0.01))))
        const logs = sums.logs()
        if (plan.everyRound) yield { type: "batchEnd", epoch, round: round - 1, logs: lastRound(plan.names, ran) }
        yield { type: "progress", epoch, round, logs, seconds: elapsed }
        if (round < rounds && ran.ended === "stopped") reason = signal?.aborted ? "aborted" : "stopped"
      }
      seconds += elapsed
      if (reason !== "completed") break
      last = sums.logs()
      if (plan.validation !== undefined) {
        const measured = await evaluatePass(executable, plan.names, plan.validation)
        last = {
          ...last,
          ...Object.fromEntries(Object.entries(measured).map(([name, value]) => [validationName(name), value])),
        }
      }
      yield { type: "epochEnd", epoch, logs: last, seconds: elapsed }
      if (control.stopping) reason = "stopped"
      else if (signal?.aborted) reason = "aborted"
      order = next ?? order
    }
  } finally {
    signal?.removeEventListener("abort", stop)
  }
  yield { type: "trainEnd", reason, logs: last, seconds }
}

/** The order of an epoch, a function of seed and epoch: every row once, or the order of the data. */
function orderOf({ train, shuffle, seed }: FitPlan, epoch: number): Int32Array | undefined {
  if (!shuffle) return train.rows
  const places = permutation(train.rows?.length ?? train.bound.rows, seed, epoch)
  const { rows } = train
  return rows === undefined ? places : places.map((i) => rows[i]!)
}

/** The means of the logged numbers over the rows of a pass: over all of them, also if the engine is stopped between. */
export async function evaluatePass(executable: Executable, names: readonly string[], pass: Pass): Promise<Logs> {
  const run = {
    entry: "evaluate",
    bound: pass.bound,
    batchSize: pass.batchSize,
    ...(pass.rows === undefined ? {} : { order: pass.rows }),
  }
  const rows = rowsOf({ ...run, first: 0, count: 0 })
  const rounds = Math.ceil(rows / pass.batchSize)
  const sums = new Means(names)
  for (let first = 0; first < rounds; ) {
    const ran = await executable.run({ ...run, first, count: Math.min(MOST_ROUNDS, rounds - first) })
    sums.take(ran, first * pass.batchSize, pass.batchSize, rows)
    first += ran.rounds
  }
  return sums.logs()
}

/** Means over rows: the mean of each round counts as often as it has rows. Sums are float64, in the order of the rounds. */
class Means {
  readonly #names: readonly string[]
  readonly #sums: number[]
  #rows = 0

  constructor(names: readonly string[]) {
    this.#names = names
    this.#sums = names.map(() => 0)
  }

  /** Takes the finished rounds of a run that began at row `first` of `total`. */
  take(ran: Ran, first: number, batchSize: number, total: number): void {
    const width = this.#names.length
    for (let r = 0; r < ran.rounds; r++) {
      const rows = Math.min(batchSize, total - first - r * batchSize)
      for (let i = 0; i < width; i++) this.#sums[i]! += ran.logs[r * width + i]! * rows
      this.#rows += rows
    }
  }

  logs(): Logs {
    return Object.fromEntries(
      this.#names.map((name, i) => [name, this.#rows === 0 ? Number.NaN : this.#sums[i]! / this.#rows]),
    )
  }
}

function badRound(plan: FitPlan, epoch: number, round: number, ran: Ran, order: Int32Array | undefined): BadRound {
  const first = round * plan.train.batchSize
  const loss = ran.logs[ran.rounds * plan.names.length]!
  return { epoch, round, loss, learningRate: plan.control.learningRate, row: order?.[first] ?? first }
}

function lastRound(names: readonly string[], ran: Ran): Logs {
  const at = (ran.rounds - 1) * names.length
  return Object.fromEntries(names.map((name, i) => [name, ran.logs[at + i]!]))
}
