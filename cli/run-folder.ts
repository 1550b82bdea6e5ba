// The folder of a run: what is in it, how it is begun, written and taken up again. Knows no training.
//
//   config.json         what is needed to repeat the run: network, options, seed, data set, versions (RunConfig)
//   history.jsonl       one line of JSON for each finished epoch (EpochLine), on the disk before the next one begins
//   signals.jsonl       one line of JSON for each finished epoch (Signals), written just before its line of history.jsonl: speed of
//                       learning, gradients, weights, flat and dead neurons, mix-ups. Observing changes no bit of the training;
//                       runs of earlier versions have none
//   model.safetensors   the weights at the end, also after Ctrl-C; loadModel reads it
//   findings.jsonl      what the coach says, as it says it: a line {"finding": Finding} each; there, and empty, if it has nothing to say.
//                       Runs with --no-coach have none
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
import { type History, TrilobiteError } from "../src/index.ts"
import { type NetName, netNames } from "./nets.ts"
import type { Signals } from "./signals.ts"
import { usageError } from "./values.ts"

/** The names of the files, for help texts. */
export const files = {
  config: "config.json",
  history: "history.jsonl",
  signals: "signals.jsonl",
  findings: "findings.jsonl",
  decisions: "decisions.jsonl",
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
  readonly epochs: number
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

/** The process that trains a run. */
export interface Live {
  readonly pid: number
  /** When it began with this run: ISO 8601, UTC. */
  readonly started: string
  /** What tells it from a later process of the same number, where the system says it (`birthOf`). */
  readonly birth: string | null
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

/** Two runs may start in the same second. */
function freeName(name: string): string {
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
  markLive(folder)
  writeJson(join(folder, files.config), config)
  access(join(folder, files.history), "cannot write this file.", () =>
    writeFileSync(join(folder, files.history), "", { flag: "wx" }),
  )
}

/** Makes a folder and those above it, one by one: Node's own recursive way never returns where none can be made (/proc). */
export function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path)
}

/** Says in the folder that this process is at the run, until it ends. Throws E_IO. */
function markLive(folder: string): void {
  const path = join(resolve(folder), files.live)
  const live: Live = { pid: process.pid, started: new Date().toISOString(), birth: birthOf(process.pid) }
  writeJson(path, live)
  process.once("exit", () => {
    try {
      rmSync(path, { force: true })
    } catch {
      // The folder has gone, or may no longer be written: the number of a dead process says the same.
    }
  })
}

/** True if the process that wrote this is still there; what is no process number is dead. */
export function isAlive({ pid, birth }: Partial<Live>): boolean {
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 1) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // A process of somebody else may not be asked, but it is there.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false
  }
  return typeof birth !== "string" || birth === (birthOf(pid) ?? birth)
}

/** When a process began, in the ticks of Linux since the machine was started; null elsewhere. */
function birthOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name, in brackets, may hold anything: the 22nd field is the 20th after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null
  } catch {
    return null
  }
}

/** Adds the line of an epoch and sees to it that it is on the disk. Throws E_IO. */
export function appendEpoch(folder: string, line: object): void {
  const path = join(folder, files.history)
  access(path, "cannot write this file.", () => flushed(path, "a", `${JSON.stringify(line)}\n`))
}

/** Adds the line of what was seen after an epoch; that of the history follows and is flushed. Throws E_IO. */
export function appendSignals(folder: string, line: Signals): void {
  const path = join(folder, files.signals)
  access(path, "cannot write this file.", () => writeFileSync(path, `${JSON.stringify(line)}\n`, { flag: "a" }))
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
export interface SavedRun {
  readonly config: RunConfig
  /** The epochs that are in the saved weights. */
  readonly history: readonly EpochLine[]
}

/** Reads a run to go on with. Throws E_IO if it is not there, E_CONFIG or E_MODEL if it does not hold together. */
export function openRun(folder: string): SavedRun {
  const hint = "Name the folder of a run: the one that holds config.json."
  const config = readConfig(join(folder, files.config), readText(join(folder, files.config), hint))
  const unsaved = "This run was ended before its weights were saved: start a new one."
  const path = join(folder, files.result)
  const { epochs } = parsed(path, readText(path, unsaved)) as Partial<Result>
  // A killed run may have written down more epochs than its weights have seen.
  const lines = readText(join(folder, files.history), hint).split("\n")
  if (typeof epochs === "number" && Number.isSafeInteger(epochs) && epochs >= 0 && lines.length > epochs) {
    const history = lines.slice(0, epochs).map((line) => parsed(join(folder, files.history), line) as EpochLine)
    if (history.every((line, i) => line.epoch === i + 1)) return { config, history }
  }
  throw new TrilobiteError("E_MODEL", {
    where: folder,
    what: `${files.result} and ${files.history} do not fit each other.`,
    hint: "Were they changed? Start a new run.",
  })
}

/** Writes config and history anew when a run is taken up again. Throws E_IO. */
export function reopenRun(folder: string, config: RunConfig, history: readonly EpochLine[]): void {
  markLive(folder)
  writeJson(join(folder, files.config), config)
  const path = join(folder, files.history)
  access(path, "cannot write this file.", () => {
    flushed(`${path}.tmp`, "w", history.map((line) => `${JSON.stringify(line)}\n`).join(""))
    renameSync(`${path}.tmp`, path)
  })
  const signals = join(folder, files.signals)
  if (!existsSync(signals)) return
  access(signals, "cannot write this file.", () => {
    const lines = readFileSync(signals, "utf8").split("\n").slice(0, -1)
    const kept = lines.filter((line) => epochOf(line) <= history.length)
    flushed(`${signals}.tmp`, "w", kept.map((line) => `${line}\n`).join(""))
    renameSync(`${signals}.tmp`, signals)
  })
}

/** The epoch of a line of signals; infinite for what trilobite has not written. */
function epochOf(line: string): number {
  try {
    const { epoch } = JSON.parse(line) as Partial<Signals>
    return typeof epoch === "number" ? epoch : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

function readConfig(path: string, text: string): RunConfig {
  const config = parsed(path, text) as Partial<RunConfig>
  const whole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
  const checks: readonly (readonly [keyof RunConfig, boolean])[] = [
    ["net", netNames.some((name) => name === config.net)],
    ["epochs", whole(config.epochs)],
    ["batchSize", whole(config.batchSize) && config.batchSize !== 0],
    ["learningRate", Number.isFinite(config.learningRate)],
    ["seed", whole(config.seed)],
    ["numericsVersion", whole(config.numericsVersion)],
    ["data", config.data === null || typeof config.data === "string"],
    ["threads", config.threads === null || whole(config.threads)],
    ["backend", config.backend === null || typeof config.backend === "string"],
    ["wideVectors", typeof config.wideVectors === "boolean"],
    ["numerics", config.numerics === "portable" || config.numerics === "fused"],
    ["resumed", Array.isArray(config.resumed)],
  ]
  for (const [name, ok] of checks) {
    if (ok) continue
    const got = JSON.stringify(config[name]) ?? "nothing"
    throw new TrilobiteError("E_CONFIG", {
      where: path,
      what: `${name} is not possible.`,
      got,
      hint: "Start a new run.",
    })
  }
  return config as RunConfig
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
    if (!(error instanceof Error) || !("code" in error)) throw error
    const fields = { where, what, got: String(error.code), ...(hint === undefined ? {} : { hint }) }
    throw new TrilobiteError("E_IO", fields, { cause: error })
  }
}
