// A run as the page has it: what the server has told so far, and how each event changes it. Knows no network and no drawing.

import type { Answers, Epoch, LayerSignals, Mistake, Run, RunStatus, Signals } from "../../../cli/studio/api.ts"

/** A run with what was observed of it, both by growing epochs. */
export interface RunView extends Run {
  readonly signals: readonly Signals[]
}

/** The names of the events. */
export type EventName = "epoch" | "signals" | "state" | "reset"

/** A run of the list, before anything was observed. */
export function viewOf(run: Run): RunView {
  return { ...run, signals: [] }
}

/** The run after an event; the same one if there is nothing new in it (an epoch that is there already, words that are not ours). */
export function heard(view: RunView, name: EventName, data: unknown): RunView {
  if (name === "reset") return { ...view, epochs: [], signals: [] }
  if (!isObject(data)) return view
  if (name === "state") {
    const { state, begun, result, problem, findings } = data as unknown as RunStatus
    return { ...view, state, begun, result, problem, findings }
  }
  if (name === "epoch") {
    const epoch = data as unknown as Epoch
    const known = view.epochs.at(-1)?.epoch ?? 0
    return Number.isSafeInteger(epoch.epoch) && epoch.epoch > known
      ? { ...view, epochs: [...view.epochs, epoch] }
      : view
  }
  const signals = readSignals(data)
  if (signals === undefined) return view
  const others = view.signals.filter(({ epoch }) => epoch !== signals.epoch)
  return { ...view, signals: [...others, signals].sort((a, b) => a.epoch - b.epoch) }
}

type Fields = { readonly [name: string]: unknown }

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)
const isNumbers = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isNumber)

/** What a line of signals.jsonl says; parts that are not what trilobite writes are left out. */
export function readSignals(value: unknown): Signals | undefined {
  if (!isObject(value) || !isNumber(value.epoch)) return undefined
  const layers = (Array.isArray(value.layers) ? value.layers : []).filter(isLayer)
  const { epoch, learningRate, samplesPerSecond, rows, answers } = value
  return {
    epoch,
    learningRate: isNumber(learningRate) ? learningRate : Number.NaN,
    samplesPerSecond: isNumber(samplesPerSecond) ? samplesPerSecond : Number.NaN,
    rows: isNumber(rows) ? rows : 0,
    layers,
    ...(isAnswers(answers) ? { answers } : {}),
  }
}

function isLayer(value: unknown): value is LayerSignals {
  if (!isObject(value) || typeof value.layer !== "string" || !isNumber(value.speed)) return false
  const { weights } = value
  if (!isObject(weights) || !isNumber(weights.min) || !isNumber(weights.max) || !isNumbers(weights.counts)) return false
  return [value.gradient, value.units, value.saturated, value.dead].every((v) => v === undefined || isNumber(v))
}

function isAnswers(value: unknown): value is Answers {
  if (!isObject(value) || !Array.isArray(value.confusion) || !isNumbers(value.wrong)) return false
  const classes = value.confusion.length
  const isSquare = value.confusion.every((row) => isNumbers(row) && row.length === classes)
  return isSquare && Array.isArray(value.mistakes) && value.mistakes.every(isMistake)
}

function isMistake(value: unknown): value is Mistake {
  return isObject(value) && [value.index, value.label, value.said, value.probability].every(isNumber)
}

/** What config.json says, as far as it can be read. */
export interface Config {
  readonly net?: string
  readonly epochs?: number
  readonly batchSize?: number
  readonly learningRate?: number
  readonly seed?: number
  /** "mnist", or "table". */
  readonly dataset?: string
  /** Rows that are trained with in an epoch. */
  readonly rows?: number
  readonly optimizer?: string
  /** Of a table: what is learnt, and the names of the classes. */
  readonly task?: string
  readonly classes?: readonly string[]
}

/** The config of a run. */
export function configOf({ config }: Run): Config {
  if (!isObject(config)) return {}
  const text = (name: string): Fields => (typeof config[name] === "string" ? { [name]: config[name] } : {})
  const number = (name: string): Fields => (isNumber(config[name]) ? { [name]: config[name] } : {})
  const numbers = ["epochs", "batchSize", "learningRate", "seed"].map(number)
  // Runs of tables name the column they predict, and say of their data how many rows and columns there are.
  const data = typeof config.target === "string" ? tableOf(config.dataset) : text("dataset")
  const all = Object.assign({}, text("net"), text("optimizer"), text("task"), data, ...numbers) as Config
  return all.dataset === "mnist" ? { ...all, rows: MNIST_ROWS } : all
}

/** Images that MNIST has to train with. */
const MNIST_ROWS = 60_000

function tableOf(of: unknown): Config {
  if (!isObject(of)) return { dataset: "table" }
  const { trainingRows: rows, classes } = of
  const named = Array.isArray(classes) && classes.every((name) => typeof name === "string")
  return { dataset: "table", ...(isNumber(rows) ? { rows } : {}), ...(named ? { classes } : {}) }
}

/** The rounds of an epoch, if they are known. */
export function roundsOf({ rows, batchSize }: Config): number | undefined {
  return rows === undefined || batchSize === undefined ? undefined : Math.ceil(rows / batchSize)
}

/** What is measured beside the cost: its name in history.jsonl, and what it is called. */
export interface Measure {
  readonly name: string
  readonly title: string
  /** Whether it is the share of rows that are read right. */
  readonly isShare: boolean
}

/** The measures that the command line writes. */
const measures: readonly Measure[] = [
  { name: "accuracy", title: "Accuracy", isShare: true },
  { name: "binaryAccuracy", title: "Accuracy", isShare: true },
  { name: "r2Score", title: "R²", isShare: false },
]

/** The name that a measure has for validation rows: "valAccuracy". */
export const validationName = (name: string): string => `val${name[0]!.toUpperCase()}${name.slice(1)}`

/** What a run measures beside the cost; accuracy until it has measured something. */
export function measureOf({ epochs }: Pick<Run, "epochs">): Measure {
  return measures.find(({ name }) => epochs[0]?.[name] !== undefined) ?? measures[0]!
}

/** The share of unseen rows that were read right after an epoch, if it was measured. */
export function rightOf(epoch: Epoch | undefined): number | undefined {
  return epoch?.valAccuracy ?? epoch?.valBinaryAccuracy
}

/** The epoch with the least validation cost. */
export function bestOf({ epochs }: Pick<Run, "epochs">): Epoch | undefined {
  return epochs.reduce<Epoch | undefined>((best, epoch) => {
    if (!isNumber(epoch.valLoss)) return best
    return best === undefined || epoch.valLoss < best.valLoss! ? epoch : best
  }, undefined)
}

/** The epoch where the charts of a run end at least: while it trains, that of its last one to come. */
export function lastToCome(run: Run | undefined): number {
  return run?.state === "running" ? (configOf(run).epochs ?? 1) : 1
}

/** Seconds until the last epoch will have ended, by the last few; undefined if that cannot be said. */
export function remaining(run: Run): number | undefined {
  const { epochs } = configOf(run)
  const last = run.epochs.slice(-5).flatMap(({ seconds }) => (isNumber(seconds) ? [seconds] : []))
  if (run.state !== "running" || epochs === undefined || last.length === 0) return undefined
  return ((epochs - run.epochs.at(-1)!.epoch) * last.reduce((a, b) => a + b, 0)) / last.length
}

/** The newest of these that is not after an epoch and has something. */
export function asOf<T>(
  signals: readonly Signals[],
  epoch: number | undefined,
  take: (signals: Signals) => T | undefined,
): { readonly epoch: number; readonly value: T } | undefined {
  for (let i = signals.length - 1; i >= 0; i--) {
    const at = signals[i]!
    if (epoch !== undefined && at.epoch > epoch) continue
    const value = take(at)
    if (value !== undefined) return { epoch: at.epoch, value }
  }
  return undefined
}

/** A line smoothed by the mean of so many neighbours; gaps stay gaps. */
export function smoothed(values: readonly (number | null)[], over: number): (number | null)[] {
  const reach = (over - 1) / 2
  return values.map((value, i) => {
    if (value === null || over <= 1) return value
    const near = values.slice(Math.max(0, i - reach), i + reach + 1).filter((v) => v !== null)
    return near.reduce((a, b) => a + b, 0) / near.length
  })
}
