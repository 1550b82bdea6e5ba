// Watches a training for the coach: decides which rounds are watched and when it is looked closer, and keeps what has been seen as
// evidence. Nothing here changes a bit of the training: what is moved for a look is put back. Loaded when a training is coached.

import type { Bound, Executable, Ran } from "../backend/backend.ts"
import type { Ahead, EpochFacts, Evidence, KernelFacts, LayerLook, ProbeFacts, Seen } from "../coach/evidence.ts"
import { validationName } from "../nn/metrics.ts"
import type { EndReason, Logs } from "./events.ts"
import type { Looked, Watched } from "./watch.ts"

/** Rows of the look before the first step, and the fewest of a later one: as many as their share of the rows of training allows. */
const LOOK_ROWS = 256
const LEAST_ROWS = 64
const LOOK_SHARE = 0.001

/** So many mean steps of the epoch ahead. */
const AHEAD = [10, 100, 1000] as const

/**
 * Operations of an epoch from which on single rounds are watched instead of whole epochs, and of those epochs together after which rules
 * are asked again: some 30 ms.
 */
const LARGE_EPOCH = 600_000_000

/** The share of a training's time that watched rounds may cost, and what a watched round costs more: 0.1 and 3 / batch of a round. */
const SHARE = 0.015
const extraOf = (batchSize: number): number => 0.1 + 3 / batchSize

/** The most watched rounds of a large epoch, and the places where they stand together: each costs two calls of the engine. */
const MOST_WATCHED = 16
const WINDOWS = 2

/** Below this part of the baseline a loss is not suspicious: nothing is tried ahead of it. */
const GOOD = 0.5

/**
 * The share of the training's time from which on the coach leaves out what it can, once it has taken so many seconds. What it takes
 * up to the end of the first epoch, most of it for its modules, is not counted: it comes once.
 */
const LIMIT = 0.03
const GRACE = 0.5

/** The bits of 1, 4, 16, … */
const POWERS_OF_4 = 0x55555555

/** What a training gives to be watched. */
export interface WatchPlan {
  readonly executable: Executable
  readonly watched: Watched
  /** Numbers of a round that the entry `train` writes down. */
  readonly width: number
  /** What is known before the first step. */
  readonly evidence: Evidence
  /** Training rows in memory, and those that take part. */
  readonly rows: { readonly bound: Bound; readonly taken: Int32Array | undefined } | undefined
  /** Rows whose classes are to be found, if that is asked for: those that validate, or those that train. */
  readonly recall?: (() => Promise<readonly number[] | undefined>) | undefined
  readonly batchSize: number
  readonly rounds: number
  readonly rowsOfEpoch: number
  readonly epochs: () => number
  readonly seed: number
  readonly learningRate: () => number
  readonly step: () => number
}

/** Rounds of an epoch, from the first to before the second. */
type Window = readonly [from: number, to: number]

type Writable<T> = { -readonly [K in keyof T]: T[K] }

interface KernelSums {
  squares: number
  steps: number
  clipped: number
}

/** The square root of a sum of squares; sums beyond numbers stay so. */
const seen = (value: number): Seen => (Number.isFinite(value) ? value : "infinite")

/** Watches one training. */
export class Watching {
  readonly #plan: WatchPlan
  readonly #keys: readonly string[]
  #evidence: Evidence
  /** The epochs of the evidence: the list grows. */
  readonly #epochs: EpochFacts[] = []
  #windows: readonly Window[] = []
  #sums: KernelSums[] = []
  #watched = 0
  readonly #zeros = new Map<string, Float32Array>()
  /** Kernels as they were at the beginning of the epoch, where that is asked for; all trained parameters for a look. */
  #before = new Map<string, Float32Array>()
  #coachMs = 0
  #coachBefore = 0
  /** The names of the accuracies of training and of validation, once they are known. */
  #accuracies: readonly [string | undefined, string | undefined] | undefined
  #coachOnce = 0
  #rounds = 0
  /** The last epoch that was looked at closer; −1: the training before its first step. */
  #looked = -1
  /** The last epoch after which rules were asked; likewise. */
  #asked = -1
  /** Milliseconds and rounds of unwatched rounds. */
  #plain = { ms: 0, rounds: 0 }
  #trained = 0

  constructor(plan: WatchPlan) {
    this.#plan = plan
    this.#evidence = { ...plan.evidence, epochs: this.#epochs }
    this.#keys = plan.watched.means.map(({ key }) => key)
  }

  /** All that is known now. */
  get evidence(): Evidence {
    return this.#evidence
  }

  /** Looks at the network before the first step. */
  async begin(): Promise<void> {
    const from = performance.now()
    const probe = await this.#look(LOOK_ROWS)
    if (probe !== undefined) this.#evidence = { ...this.#evidence, probe }
    this.#coachMs += performance.now() - from
  }

  /** Prepares for an epoch: which of its rounds are watched. */
  epochBegin(epoch: number): void {
    const from = performance.now()
    const { watched, executable } = this.#plan
    const { training } = this.#evidence
    const epochs = this.#plan.epochs()
    if (training.epochs !== epochs) this.#evidence = { ...this.#evidence, training: { ...training, epochs } }
    this.#windows = this.#over() ? [] : windowsOf(this.#plan, this.#evidence.network.parameters, this.#marks(epoch))
    this.#watched = 0
    this.#rounds = 0
    if (this.#before.size > 0) this.#before.clear()
    if (this.#windows.length > 0) {
      this.#sums = watched.kernels.map(() => ({ squares: 0, steps: 0, clipped: 0 }))
      for (const { slopes } of watched.kernels) this.#clear(slopes)
      for (const { sum } of watched.means) this.#clear(sum)
    }
    const kernels = this.#windows.length > 0 ? watched.kernels.map(({ key }) => key) : []
    for (const key of this.#looksAfter(epoch) ? this.#keys : kernels) this.#before.set(key, executable.read(key))
    this.#coachMs += performance.now() - from
  }

  /** Which entry the next rounds are run by, and at most how many of them. */
  next(round: number, count: number): { readonly entry: "train" | "watch"; readonly count: number } {
    for (const [from, to] of this.#windows) {
      if (round >= to) continue
      if (round >= from) return { entry: "watch", count: Math.min(count, to - round) }
      return { entry: "train", count: Math.min(count, from - round) }
    }
    return { entry: "train", count }
  }

  /** Takes what rounds have written down; what is left is what `train` would have written. */
  take(entry: "train" | "watch", ran: Ran, epoch: number, firstRound: number, ms: number): Ran {
    if (ran.ended === "guard") {
      this.#evidence = { ...this.#evidence, diverged: { epoch, round: firstRound + ran.rounds } }
    }
    this.#rounds += ran.rounds
    if (entry === "train") {
      this.#plain.ms += ms
      this.#plain.rounds += ran.rounds
      return ran
    }
    const usual = this.#plain.rounds === 0 ? 0.8 * ms : (this.#plain.ms / this.#plain.rounds) * ran.rounds
    this.#coachMs += Math.max(0, ms - usual)
    const { watched, width } = this.#plan
    const own = watched.kernels.length * watched.perKernel + Number(watched.total)
    const rounds = ran.logs.length / (width + own)
    const logs = new Float32Array(rounds * width)
    for (let r = 0; r < rounds; r++) {
      const at = r * (width + own)
      logs.set(ran.logs.subarray(at, at + width), r * width)
      if (r < ran.rounds) this.#takeRound(ran.logs.subarray(at + width, at + width + own))
    }
    return { ...ran, logs }
  }

  #takeRound(numbers: Float32Array): void {
    const { perKernel, total } = this.#plan.watched
    const { clip } = this.#evidence.training
    this.#watched++
    this.#sums.forEach((sums, i) => {
      const square = numbers[i * perKernel]!
      sums.squares += square
      sums.steps += numbers[i * perKernel + 1]!
      if (clip === undefined) return
      const norm = total ? numbers[numbers.length - 1]! : square
      const shortened = clip.kind === "value" ? numbers[i * perKernel + 2]! > clip.at : norm > clip.at * clip.at
      if (shortened) sums.clipped++
    })
  }

  /** Keeps what an epoch has shown, after a closer look where it is time for one: then there is something to wait for. */
  epochEnd(epoch: number, logs: Logs, seconds: number): Promise<void> | undefined {
    const from = performance.now()
    const facts: Writable<EpochFacts> = {
      epoch,
      loss: seen(logs.loss ?? Number.NaN),
      learningRate: this.#plan.learningRate(),
      rounds: this.#rounds,
      kernels: this.#kernels(),
      seconds,
      coachSeconds: 0,
    }
    if (logs.valLoss !== undefined) facts.valLoss = seen(logs.valLoss)
    this.#accuracies ??= [accuracyIn(logs), accuracyIn(logs, validationName)]
    const [own, other] = this.#accuracies
    if (own !== undefined) facts.accuracy = logs[own]!
    if (other !== undefined && logs[other] !== undefined) facts.valAccuracy = logs[other]
    if (!this.#looksAfter(epoch) || this.#over()) {
      this.#keep(facts, from)
      return undefined
    }
    return this.#lookAt(facts, logs).then(() => this.#keep(facts, from))
  }

  async #lookAt(facts: Writable<EpochFacts>, logs: Logs): Promise<void> {
    const since = this.#plan.rowsOfEpoch * (facts.epoch - this.#looked)
    const rows = Math.round(Math.max(LEAST_ROWS, Math.min(LOOK_ROWS, LOOK_SHARE * since)))
    this.#looked = facts.epoch
    const look = await this.#look(rows)
    if (look === undefined) return
    facts.layers = look.layers
    if (this.#suspicious(logs)) facts.ahead = await this.#ahead(look.loss, rows)
    const recall = await this.#plan.recall?.()
    if (recall !== undefined) facts.recall = recall
  }

  #keep(facts: Writable<EpochFacts>, from: number): void {
    this.#trained += facts.seconds
    this.#coachMs += performance.now() - from
    facts.coachSeconds = (this.#coachMs - this.#coachBefore) / 1000
    this.#epochs.push(facts)
    this.#coachBefore = this.#coachMs
    if (this.#coachOnce === 0) this.#coachOnce = this.#coachMs
    const { training } = this.#evidence
    if (training.scheduled || facts.learningRate === training.learningRate) return
    this.#evidence = { ...this.#evidence, training: { ...training, scheduled: true } }
  }

  /**
   * Whether rules are to be asked after an epoch: where it was looked at closer, and where the epochs since they were asked are together
   * as long as a large one. Not after the last one, since the end of the training comes next.
   */
  asks(epoch: number): boolean {
    if (epoch + 1 === this.#plan.epochs()) return false
    const since = operationsOf(this.#plan, this.#evidence.network.parameters) * (epoch - this.#asked)
    if (!this.#marks(epoch) && since < LARGE_EPOCH) return false
    this.#asked = epoch
    return true
  }

  /** How the training has ended. */
  end(ended: EndReason): void {
    this.#evidence = { ...this.#evidence, ended }
  }

  /** Whether the coach has taken more than its share. */
  #over(): boolean {
    return this.#coachOnce > 0 && (this.#coachMs - this.#coachOnce) / 1000 > GRACE + LIMIT * this.#trained
  }

  /**
   * Large epochs 1, 2, 4, 8, … and the last one are looked at closer; of small ones 1, 2, 4, 16, 64, …, since a look takes as long as some
   * of them.
   */
  #marks(epoch: number): boolean {
    const n = epoch + 1
    if ((n & (n - 1)) !== 0) return n === this.#plan.epochs()
    return n === 2 || (n & POWERS_OF_4) !== 0 || isLarge(this.#plan, this.#evidence.network.parameters)
  }

  #looksAfter(epoch: number): boolean {
    return this.#plan.rows !== undefined && this.#marks(epoch)
  }

  /** Whether a loss is so far from good that it is worth to look ahead. */
  #suspicious({ loss }: Logs): boolean {
    const baseline = this.#evidence.data?.targets.baseline
    return baseline === undefined || !(loss! < GOOD * baseline)
  }

  #clear(key: string): void {
    let zeros = this.#zeros.get(key)
    if (zeros === undefined) this.#zeros.set(key, (zeros = new Float32Array(this.#plan.executable.read(key).length)))
    this.#plan.executable.write(key, zeros)
  }

  #kernels(): KernelFacts[] {
    const { executable, watched } = this.#plan
    const k = this.#watched
    if (k === 0) return []
    return watched.kernels.map(({ layer, name, key, slopes }, i): KernelFacts => {
      const { squares, steps, clipped } = this.#sums[i]!
      const before = this.#before.get(key)!
      const now = executable.read(key)
      return {
        layer,
        name,
        watched: k,
        gradientSquare: seen(squares / k),
        meanGradientSquare: seen(squareOf(executable.read(slopes)) / (k * k)),
        length: Math.sqrt(squareOf(before)),
        step: seen(Math.sqrt(steps / k)),
        way: seen(Math.sqrt(squareOf(now, before))),
        ...(this.#evidence.training.clip === undefined ? {} : { clipped: clipped / k }),
      }
    })
  }

  /** The numbers of a probe over some rows, added up over its rounds; the first is the cost, as a mean over rows. */
  async #probe(
    most: number,
  ): Promise<{ readonly sums: Float64Array; readonly rows: number; readonly rounds: number } | undefined> {
    const { executable, rows, batchSize, seed, learningRate, step } = this.#plan
    if (rows === undefined) return undefined
    const order = sampleOf(rows.taken, rows.bound.rows, most)
    const size = Math.min(batchSize, order.length)
    const rounds = Math.ceil(order.length / size)
    const runtime = { learningRate: learningRate(), step: step() }
    const { bound } = rows
    const ran = await executable.run({
      entry: "probe",
      bound,
      batchSize: size,
      first: 0,
      count: rounds,
      order,
      runtime,
      seed,
    })
    const width = ran.logs.length / rounds
    const sums = new Float64Array(width)
    for (let r = 0; r < ran.rounds; r++) {
      const share = Math.min(size, order.length - r * size) / order.length
      for (let i = 0; i < width; i++) sums[i]! += ran.logs[r * width + i]! * (i === 0 ? share : 1)
    }
    return ran.rounds < rounds ? undefined : { sums, rows: order.length, rounds }
  }

  async #look(most: number): Promise<ProbeFacts | undefined> {
    const { executable, watched } = this.#plan
    const probe = await this.#probe(most)
    if (probe === undefined) return undefined
    const { sums, rows, rounds } = probe
    let at = 1
    const next = (): number => sums[at++]!
    const spread = (numbers: number): { readonly mean: number; readonly deviation: number } => {
      const [mean, square] = [next() / (numbers * rows), next() / (numbers * rows)]
      return { mean, deviation: Math.sqrt(Math.max(0, square - mean * mean)) }
    }
    const out = spread(watched.output.numbers)
    const ends = watched.outputSaturates ? { saturated: next() / (watched.output.numbers * rows) } : {}
    const layers = watched.layers.map((looked: Looked): LayerLook => {
      const input = spread(looked.input.numbers)
      const before = spread(looked.sums.numbers)
      const after = spread(looked.output.numbers)
      const saturated = looked.saturates ? { saturated: next() / (looked.output.numbers * rows) } : {}
      let silent = 0
      for (let u = 0; u < looked.fires; u++) if (next() === 0) silent++
      const kernel = executable.read(looked.key)
      const gradient = looked.trained ? { gradientRms: seen(Math.sqrt(next() / rounds / kernel.length)) } : {}
      const mean = sumOf(kernel) / kernel.length
      const square = squareOf(kernel) / kernel.length
      return {
        layer: looked.layer,
        activation: looked.activation,
        inputDeviation: seen(input.deviation),
        sumDeviation: seen(before.deviation),
        mean: seen(after.mean),
        deviation: seen(after.deviation),
        ...saturated,
        ...(looked.fires > 0 ? { dead: silent } : {}),
        kernelRms: Math.sqrt(square),
        kernelDeviation: Math.sqrt(Math.max(0, square - mean * mean)),
        ...gradient,
      }
    })
    const output = { mean: finite(out.mean), deviation: finite(out.deviation), ...ends }
    return { rows, loss: seen(sums[0]!), layers, output }
  }

  /** Losses of the same rows at other places. The weights are put back as they were, bit by bit. */
  async #ahead(here: Seen, rows: number): Promise<Ahead> {
    const { executable, watched, rounds } = this.#plan
    const now = this.#keys.map((key) => executable.read(key))
    const before = this.#keys.map((key) => this.#before.get(key)!)
    const place = now.map(({ length }) => new Float32Array(length))
    const lossHere = async (): Promise<Seen> => {
      this.#keys.forEach((key, k) => {
        executable.write(key, place[k]!)
      })
      return seen((await this.#probe(rows))?.sums[0] ?? Number.NaN)
    }
    try {
      const at: Ahead["at"][number][] = []
      for (const steps of AHEAD) {
        // Where as many steps more as the epoch had rounds, all in the epoch's direction, would lead.
        place.forEach((to, k) => {
          extrapolate(to, before[k]!, now[k]!, steps / rounds)
        })
        at.push({ steps, loss: await lossHere() })
      }
      if (this.#watched === 0) return { here, at }
      place.forEach((to, k) => {
        divide(to, executable.read(watched.means[k]!.sum), this.#watched)
      })
      return { here, at, atMean: await lossHere() }
    } finally {
      this.#keys.forEach((key, k) => {
        executable.write(key, now[k]!)
      })
    }
  }
}

/** to = b + times·(b − a). Loops, here and below: closures over so many numbers take longer than the look itself. */
function extrapolate(to: Float32Array, a: Float32Array, b: Float32Array, times: number): void {
  for (let i = 0; i < to.length; i++) to[i] = b[i]! + times * (b[i]! - a[i]!)
}

/** to = sum / n. */
function divide(to: Float32Array, sum: Float32Array, n: number): void {
  for (let i = 0; i < to.length; i++) to[i] = sum[i]! / n
}

/** Σ a, in float64. */
function sumOf(a: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]!
  return sum
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0)

/** Σ (a − b)², in float64. */
function squareOf(a: Float32Array, b?: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const value = a[i]! - (b?.[i] ?? 0)
    sum += value * value
  }
  return sum
}

/** Metrics that are the share of rows whose class was found. */
const ACCURACIES = ["accuracy", "binaryAccuracy", "categoricalAccuracy", "sparseCategoricalAccuracy"]

/** The name of an accuracy, if one is measured. */
function accuracyIn(logs: Logs, named = (name: string): string => name): string | undefined {
  return ACCURACIES.map(named).find((name) => logs[name] !== undefined)
}

type Sizes = Pick<WatchPlan, "rounds" | "batchSize" | "rowsOfEpoch">

/** Operations of an epoch: forward, backward and update, about. */
const operationsOf = ({ rowsOfEpoch }: Sizes, parameters: number): number => 6 * parameters * rowsOfEpoch

/** Whether single rounds of an epoch are watched: it is long, and has many rounds. */
function isLarge(sizes: Sizes, parameters: number): boolean {
  return operationsOf(sizes, parameters) >= LARGE_EPOCH && watchedRounds(sizes.rounds, sizes.batchSize) >= 2
}

const watchedRounds = (rounds: number, batchSize: number): number =>
  Math.min(MOST_WATCHED, Math.floor((SHARE / extraOf(batchSize)) * rounds))

/**
 * Which rounds of an epoch are watched: a few of every large one, or all of a small one that is marked. A function of counts,
 * not of time.
 */
export function windowsOf(sizes: Sizes, parameters: number, marked: boolean): readonly Window[] {
  const { rounds, batchSize } = sizes
  if (!Number.isFinite(rounds)) return [[0, 8]]
  if (!isLarge(sizes, parameters)) return marked ? [[0, rounds]] : []
  const length = Math.floor(watchedRounds(rounds, batchSize) / WINDOWS)
  return Array.from({ length: WINDOWS }, (_, i): Window => {
    const from = Math.floor((i * rounds) / WINDOWS)
    return [from, from + length]
  })
}

/** Some of the rows, one at a place of its own in each of equal parts: the same ones always, at no distance that data may have. */
function sampleOf(taken: Int32Array | undefined, all: number, most: number): Int32Array {
  const rows = taken?.length ?? all
  const count = Math.min(most, rows)
  return Int32Array.from({ length: count }, (_, i) => {
    const within = (Math.imul(i + 1, 0x9e3779b1) >>> 0) / 4294967296
    const row = Math.min(rows - 1, Math.floor(((i + (rows > count ? within : 0)) * rows) / count))
    return taken?.[row] ?? row
  })
}
