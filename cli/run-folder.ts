// The folder of a run: what is in it, how it is begun, written and taken up again. Knows no training.
//
//   config.json         what is needed to repeat the run: network, options, seed, data set, versions (RunConfig)
//   history.jsonl       one line of JSON for each finished epoch (EpochLine), on the disk before the next one begins
//   signals.jsonl       one line of JSON for each finished epoch (Signals), written just before its line of history.jsonl: speed of
//                       learning, gradients, weights, flat and dead neurons, mix-ups. Observing changes no bit of the training;
//                       runs of earlier versions have none
//   checkpoints/        where the training stood, at most some seconds ago, and at the end: the newest three and the best; --resume goes on
//                       from the newest that is not damaged. Runs of earlier versions have none
//   model.safetensors   the weights at the end, also after Ctrl-C; loadModel reads it
//   findings.jsonl      what the coach says, as it says it: a line {"finding": Finding} each; there, and empty, if it has nothing to say.
//                       Runs with --no-coach have none
//   evidence.jsonl      what findings rest on (Evidence): a line of all that was known before the first step, a line for each epoch
//                       (EpochFacts, from 0), a line {"ended", "diverged"?}; a run that was taken up again has further ones
//   decisions.jsonl     what a procedure (tuning, a range test) has decided for the run: a line {"text", ...} each, a sentence and its evidence
//   result.json         how the run ended (Result), written after the weights and speaking of them
//   live.json           the process that is at it (Live), as long as it is: a killed one leaves it behind

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { dirname, join, resolve } from "node:path"
import { type Decision, type History, TrilobiteError } from "../src/index.ts"
import { type NetName, netNames } from "./nets.ts"
import { leavePlace, takePlace } from "./run-lock.ts"
import type { Signals } from "./signals.ts"
import { usageError } from "./values.ts"

/** The names of the files, for help texts. */
export const files = {
  config: "config.json",
  history: "history.jsonl",
  signals: "signals.jsonl",
  findings: "findings.jsonl",
  evidence: "evidence.jsonl",
  decisions: "decisions.jsonl",
  checkpoints: "checkpoints",
  model: "model.safetensors",
  result: "result.json",
  live: "live.json",
} as const

/** Where a run was computed; null: left to trilobite (the fastest backend, a thread for each core). */
export interface Environment {
  readonly threads: number | null
  readonly backend: string | null
  readonly wideVectors: boolean
  readonly cores: number
  readonly trilobite: string
  readonly numericsVersion: number
  readonly node: string
  readonly v8: string
  readonly platform: string
}

/** What is needed to repeat a run. Threads, backend, wide vectors and versions of Node change no bit of its result. */
export interface RunConfig extends Environment {
  readonly net: NetName
  readonly epochs: number | "auto"
  readonly batchSize: number
  readonly learningRate: number
  readonly seed: number
  /** The kind of arithmetic: a run goes on only with its own. */
  readonly numerics: "portable" | "fused"
  /** The data set (its MD5 sums are checked when it is read) and the folder that was named for it. */
  readonly dataset: "mnist"
  readonly data: string | null
  /** Where it was taken up again: the epoch it went on with, and the machine. */
  readonly resumed: readonly (Environment & { readonly epoch: number })[]
}

/** What was measured in an epoch, counted from 1; `seconds` is training alone. */
export interface EpochLine {
  readonly epoch: number
  readonly loss: number
  readonly accuracy: number
  readonly valLoss: number
  readonly valAccuracy: number
  readonly seconds: number
}

/** How a run has ended. */
export interface Result {
  readonly net: NetName
  /** Finished epochs; the best one has the least validation loss. */
  readonly epochs: number
  readonly bestEpoch: number | null
  readonly bestValLoss: number | null
  readonly bestValAccuracy: number | null
  readonly loss: number | null
  readonly accuracy: number | null
  readonly valLoss: number | null
  readonly valAccuracy: number | null
  /** Training alone, of all finished epochs; the whole time of this command. */
  readonly seconds: number
  readonly totalSeconds: number
  readonly ended: NonNullable<History["ended"]>
  /** The epoch that was begun and not finished: its rounds are in the weights. */
  readonly unfinishedEpoch: number | null
  readonly out: string
}

/** The folder for a new run: the named one, or one below ./runs with the time. Throws E_USAGE if something is there. */
export function newRunFolder(net: string, out: string | undefined): string {
  if (out === undefined) return freeName(`runs/${net}-${timeText(new Date())}`)
  const entries = access(out, "cannot look into this folder.", () => (existsSync(out) ? readdirSync(out) : []))
  if (entries.length === 0) return out
  throw usageError({
    where: "--out",
    what: "this folder is not empty, and nothing is overwritten.",
    got: JSON.stringify(out),
    hint: `Name another folder, or go on with a run in it: --resume ${quoted(out)}.`,
  })
}

/** A name that no file has: two runs may start in the same second. */
export function freeName(name: string): string {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name}-${i}`
    if (!existsSync(candidate)) return candidate
  }
}

/** A time (UTC) in a file's name: 20251231-235959. */
function timeText(time: Date): string {
  return time.toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15)
}

/** A path as a shell takes it. */
export function quoted(path: string): string {
  return /^[\w./:@%+,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}

/** Makes the folder of a new run with its config. Throws E_IO. */
export function createRun(folder: string, config: object): void {
  access(folder, "cannot make this folder.", () => makeFolder(resolve(folder)))
  takeRun(folder)
  // Another process may have been here since the folder was looked at, and gone.
  access(join(folder, files.history), "cannot write this file.", () =>
    writeFileSync(join(folder, files.history), "", { flag: "wx" }),
  )
  writeJson(join(folder, files.config), config)
}

/** Says in the folder that this process is at the run, until it leaves it or ends. Throws E_BUSY if another is at it, E_IO. */
export function takeRun(folder: string): void {
  const path = resolve(folder, files.live)
  access(path, "cannot write this file.", () => takePlace(path))
}

/** Says in the folder that this process is no longer at the run. */
export function leaveRun(folder: string): void {
  leavePlace(resolve(folder, files.live))
}

/** Makes a folder and those above it, one by one: Node's own recursive way never returns where none can be made (/proc). */
export function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path)
}

/** Adds the line of an epoch and sees to it that it is on the disk. Throws E_IO. */
export function appendEpoch(folder: string, line: object): void {
  const path = join(folder, files.history)
  access(path, "cannot write this file.", () => flushed(path, "a", `${JSON.stringify(line)}\n`))
}

/** Adds lines to a file of the run, which is then there. Throws E_IO. */
export function appendLines(folder: string, name: string, lines: readonly object[]): void {
  const path = join(folder, name)
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("")
  access(path, "cannot write this file.", () => writeFileSync(path, text, { flag: "a" }))
}

/** Writes a file of JSON, all of it or nothing. Throws E_IO. */
export function writeJson(path: string, value: unknown): void {
  access(path, "cannot write this file.", () => {
    flushed(`${path}.tmp`, "w", `${JSON.stringify(value, null, 2)}\n`)
    renameSync(`${path}.tmp`, path)
  })
}

function flushed(path: string, flag: "a" | "w", text: string): void {
  const fd = openSync(path, flag)
  try {
    writeFileSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** A run as its folder tells it. */
export interface SavedRun<Config, Line> {
  readonly config: Config
  /** All epochs that have been written down; a killed run may have more than its last checkpoint has seen. */
  readonly history: readonly Line[]
  /** How it has ended, and after how many epochs; undefined if it was killed. */
  readonly result: Readonly<Partial<Record<"epochs" | "ended", unknown>>> | undefined
  /** Whether it holds checkpoints: runs of earlier versions have none, nor has one that was killed before the first. */
  readonly checkpoints: boolean
}

/** The text of a run's config, as JSON. Throws E_IO if it is not there, E_CONFIG if it is none. */
export function configOf(folder: string): object {
  const path = join(folder, files.config)
  return parsed(path, readText(path, HINT))
}

const HINT = "Name the folder of a run: the one that holds config.json."

/** Reads a run to go on with; `read` checks its config. Throws E_IO if it is not there, E_CONFIG if it does not hold together. */
export function openRun<Config, Line>(
  folder: string,
  read: (config: object, path: string) => Config,
): SavedRun<Config, Line> {
  const config = read(configOf(folder), join(folder, files.config))
  const path = join(folder, files.result)
  const result = existsSync(path) ? parsed(path, readText(path, HINT)) : undefined
  const history = join(folder, files.history)
  // What a killed process has not finished writing is not one of the lines.
  const lines = readText(history, HINT).split("\n").slice(0, -1)
  const names = existsSync(join(folder, files.checkpoints)) ? readdirSync(join(folder, files.checkpoints)) : []
  const checkpoints = names.some((name) => /^checkpoint-\d+\.safetensors$/.test(name))
  return { config, history: lines.map((line) => parsed(history, line) as Line), result, checkpoints }
}

/**
 * How many epochs are behind a model that was loaded from a checkpoint: it knows of those since its training began, and a run of an
 * earlier version was taken up without a checkpoint.
 */
export function epochsBehind(epochs: readonly number[], { resumed }: Pick<RunConfig, "resumed">): number {
  return (epochs.at(-1) ?? (resumed.at(-1)?.epoch ?? 1) - 2) + 1
}

/** The first epochs of a run. Throws E_MODEL if there are not so many lines of them. */
export function firstEpochs<Line extends { readonly epoch: number }>(
  folder: string,
  history: readonly Line[],
  epochs: unknown,
): Line[] {
  if (Number.isSafeInteger(epochs) && (epochs as number) >= 0 && history.length >= (epochs as number)) {
    const first = history.slice(0, epochs as number)
    if (first.every((line, i) => line.epoch === i + 1)) return first
  }
  throw new TrilobiteError("E_MODEL", {
    where: folder,
    what: `${files.history} does not hold the epochs that were saved.`,
    hint: "Was it changed? Start a new run.",
  })
}

/** Writes config and history anew when a run is taken up again. Throws E_IO. */
export function reopenRun(folder: string, config: object, history: readonly object[]): void {
  writeJson(join(folder, files.config), config)
  // What it says of the end holds no longer; runs of earlier versions have nothing else that says how far they are.
  if (existsSync(join(folder, files.checkpoints))) rmSync(join(folder, files.result), { force: true })
  const path = join(folder, files.history)
  access(path, "cannot write this file.", () => {
    flushed(`${path}.tmp`, "w", history.map((line) => `${JSON.stringify(line)}\n`).join(""))
    renameSync(`${path}.tmp`, path)
  })
  // What speaks of epochs that are to be done again.
  keepLines(join(folder, files.signals), (line) => epochIn((line as Partial<Signals>).epoch) <= history.length)
  keepLines(join(folder, files.decisions), (line) => {
    const { knob, evidence } = line as Partial<Decision<{ readonly epochs?: unknown }>>
    return knob !== "epochs" || epochIn(evidence?.epochs) <= history.length
  })
}

/** Keeps some lines of a file, if it is there; what trilobite has not written goes. */
function keepLines(path: string, wanted: (line: object) => boolean): void {
  if (!existsSync(path)) return
  access(path, "cannot write this file.", () => {
    const kept = readFileSync(path, "utf8")
      .split("\n")
      .slice(0, -1)
      .filter((line) => {
        try {
          return wanted(Object(JSON.parse(line)))
        } catch {
          return false
        }
      })
    flushed(`${path}.tmp`, "w", kept.map((line) => `${line}\n`).join(""))
    renameSync(`${path}.tmp`, path)
  })
}

/** The number of an epoch; infinite for what is none. */
function epochIn(value: unknown): number {
  return typeof value === "number" ? value : Number.POSITIVE_INFINITY
}

/** A config as that of a network of the chapter. Throws E_CONFIG if it is none. */
export function readNetConfig(given: object, path: string): RunConfig {
  const config = given as Partial<RunConfig>
  const net = netNames.some((name) => name === config.net)
  checkFields(config, path, [
    ["net", net],
    ["learningRate", Number.isFinite(config.learningRate)],
    ...commonFields(config),
  ])
  return config as RunConfig
}

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

/** What the config of every run holds, and whether it does. */
export function commonFields(config: Partial<Omit<RunConfig, "net" | "dataset">>): (readonly [string, boolean])[] {
  return [
    ["epochs", config.epochs === "auto" || isWhole(config.epochs)],
    ["batchSize", isWhole(config.batchSize) && config.batchSize !== 0],
    ["seed", isWhole(config.seed)],
    ["numericsVersion", isWhole(config.numericsVersion)],
    ["data", config.data === null || typeof config.data === "string"],
    ["threads", config.threads === null || isWhole(config.threads)],
    ["backend", config.backend === null || typeof config.backend === "string"],
    ["wideVectors", typeof config.wideVectors === "boolean"],
    ["numerics", config.numerics === "portable" || config.numerics === "fused"],
    ["resumed", Array.isArray(config.resumed) && config.resumed.every((part) => isWhole(Object(part).epoch))],
  ]
}

/** Throws E_CONFIG for the first that does not hold. */
export function checkFields(config: object, path: string, fields: readonly (readonly [string, boolean])[]): void {
  for (const [name, ok] of fields) {
    if (ok) continue
    const got = JSON.stringify((config as Record<string, unknown>)[name]) ?? "nothing"
    const fault = { where: path, what: `${name} is not possible.`, got, hint: "Start a new run." }
    throw new TrilobiteError("E_CONFIG", fault)
  }
}

function parsed(path: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null) return value
  } catch {
    // Said below.
  }
  const what = "this is not what trilobite has written."
  throw new TrilobiteError("E_CONFIG", { where: path, what, expected: "an object in JSON", hint: "Start a new run." })
}

function readText(path: string, hint: string): string {
  return access(path, "cannot read this file.", () => readFileSync(path, "utf8"), hint)
}

/** Does something with a file; what the system says against it becomes an E_IO. */
function access<T>(where: string, what: string, action: () => T, hint?: string): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof TrilobiteError || !(error instanceof Error) || !("code" in error)) throw error
    const fields = { where, what, got: String(error.code), ...(hint === undefined ? {} : { hint }) }
    throw new TrilobiteError("E_IO", fields, { cause: error })
  }
}
