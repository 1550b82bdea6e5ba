// The runs below a folder as the studio shows them: found, read and followed. Trusts nothing that it finds there: no link
// is followed, nothing outside the folder is opened, and a bad file is a problem of its run alone. Knows no HTTP.

import { createHash } from "node:crypto"
import {
  closeSync,
  constants,
  type FSWatcher,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  watch,
} from "node:fs"
import { basename, join } from "node:path"
import { files } from "../run-folder.ts"
import { isAlive, type Live } from "../run-lock.ts"
import type { Epoch, Json, Run, RunState } from "./api.ts"
import { Refusal } from "./guard.ts"

/** The largest files that are read: bytes. */
const LIMITS = { json: 4 * 2 ** 20, history: 64 * 2 ** 20 }
/** The deepest JSON that is handed on: levels. */
const DEPTH = 64
/** Milliseconds: after which a followed run is looked at in any case; after a change is heard of until it is looked at; between two looks. */
const POLL = 1000
const SETTLE = 20
const PAUSE = 100
/** The files whose change is news. Signals come just before the line of their epoch. */
const news: ReadonlySet<string> = new Set([files.config, files.history, files.findings, files.result, files.live])

/** A run that is looked at again and again; only what is new is read. */
export interface Source {
  readonly id: string
  /** The epochs as of the last look; grows in place, except when they were written anew. */
  readonly epochs: readonly Epoch[]
  /** How many times they were written anew. */
  readonly rewritten: number
  /** Looks at the folder. */
  read(): Run
  /** What was observed by epochs, as JSON; looks for more. Empty if the file is not there or not what trilobite writes. */
  signals(): ReadonlyMap<number, string>
  /** Calls back when something may have changed, and every second, until the answer is called. */
  follow(changed: () => void): () => void
  /** Tells the run's process to stop and save. Throws a Refusal if there is none. */
  stop(): void
}

/** The runs below a folder. */
export interface Runs {
  list(): readonly Run[]
  /** Throws a Refusal if there is no such run. */
  find(id: string): Source
}

/** The runs in a folder, which may come later, and may be a run itself. */
export function openRuns(root: string): Runs {
  let known = new Map<string, Source>()
  const look = (): Map<string, Source> => {
    const folders = runFolders(root).map((folder) => [idOf(folder), folder] as const)
    known = new Map(folders.map(([id, folder]) => [id, known.get(id) ?? createSource(id, folder)]))
    return known
  }
  return {
    list: () => {
      const runs = [...look().values()].map((source) => source.read())
      return runs.sort((a, b) => b.begun - a.begun || (a.name < b.name ? 1 : -1))
    },
    find: (id) => {
      const found = look().get(id)
      if (found === undefined)
        throw new Refusal("E_NOT_FOUND", "there is no such run.", "Its folder may have been moved.")
      return found
    },
  }
}

/** The folders that hold a config.json, by their real paths: the root itself and those in it that are no links. */
function runFolders(root: string): readonly string[] {
  try {
    const base = realpathSync(root)
    const entries = readdirSync(base, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return [base, ...entries.map(({ name }) => join(base, name))].filter(
      (folder) => lstatSync(join(folder, files.config), { throwIfNoEntry: false }) !== undefined,
    )
  } catch {
    // No folder yet, or none that may be read.
    return []
  }
}

function idOf(folder: string): string {
  return createHash("sha256").update(folder).digest("hex").slice(0, 16)
}

/** What is the matter with a file; its words are shown. */
class Problem extends Error {}

function createSource(id: string, folder: string): Source {
  const history = createHistory(folder)
  const signals = createSignals(folder)
  const findings = createFindings(folder)
  const json = { config: createJson(folder, files.config), result: createJson(folder, files.result) }
  const live = createJson(folder, files.live)

  const read = (): Run => {
    const problems: string[] = []
    const tried = <T>(action: () => T): T | null => {
      try {
        return action()
      } catch (error) {
        problems.push(error instanceof Problem ? error.message : "A file cannot be read.")
        return null
      }
    }
    const config = tried(json.config.read)
    const result = tried(json.result.read)
    tried(history.read)
    if (history.problem !== null) problems.push(history.problem)
    // A result that speaks of fewer epochs is from before the run was taken up again.
    const { epochs, ended } = asObject(result)
    const isOld = typeof epochs === "number" && epochs < (history.epochs.at(-1)?.epoch ?? 0)
    const running = isAlive(asObject(tried(live.read)) as Partial<Live>)
    const state = stateOf({ running, ended: result === null || isOld ? undefined : (ended ?? null) })
    return {
      id,
      name: basename(folder),
      state: problems.length === 0 ? state : "unreadable",
      begun: json.config.changed,
      config,
      epochs: history.epochs,
      result: running || isOld ? null : result,
      problem: problems.length === 0 ? null : problems.join(" "),
      findings: findings(),
    }
  }

  return {
    id,
    get epochs() {
      return history.epochs
    },
    get rewritten() {
      return history.rewritten
    },
    read,
    signals,
    follow: (changed) => watchFolder(folder, changed),
    stop: () => stopProcess(live.read),
  }
}

/** How a run stands; `ended` as its result says, undefined if there is none. */
function stateOf({ running, ended }: { readonly running: boolean; readonly ended: Json | undefined }): RunState {
  if (running) return "running"
  if (ended === undefined) return "ended without a result"
  return ended === "aborted" ? "stopped" : "finished"
}

/** Tells the process that is named in live.json to stop, if it is alive and a Node. */
function stopProcess(read: () => Json): void {
  let live: Partial<Live> = {}
  try {
    live = asObject(read()) as Partial<Live>
  } catch {
    // Nothing that trilobite has written: nobody is there.
  }
  const { pid } = live
  if (pid === undefined || pid === process.pid || !isAlive(live)) {
    throw new Refusal("E_CONFLICT", "this run is not being trained.", "It has ended: nothing needs to be stopped.")
  }
  if (process.platform === "win32") {
    // There a signal would end the process at once, and nothing would be saved.
    throw new Refusal(
      "E_CONFLICT",
      "runs cannot be stopped from here on Windows.",
      "Press Ctrl-C where it was started.",
    )
  }
  if (!isNode(pid)) throw new Refusal("E_CONFLICT", "the process of this run is another program now.", "It has ended.")
  try {
    process.kill(pid, "SIGINT")
  } catch {
    throw new Refusal(
      "E_CONFLICT",
      "the process of this run does not listen to us.",
      "Press Ctrl-C where it was started.",
    )
  }
}

/** False if the system says that a process is not Node. */
function isNode(pid: number): boolean {
  try {
    const [program = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
    return /^node(js)?$/.test(basename(program))
  } catch {
    return process.platform !== "linux"
  }
}

/** Calls back soon after a file that is told of has changed in a folder, and every second, until the answer is called. */
function watchFolder(folder: string, changed: () => void): () => void {
  let system: FSWatcher | undefined
  let soon: NodeJS.Timeout | undefined
  let last = 0
  const tell = (): void => {
    ;[soon, last] = [undefined, performance.now()]
    poll.refresh()
    changed()
  }
  const poll = setInterval(changed, POLL)
  try {
    system = watch(folder, { persistent: false }, (_, name) => {
      if (soon !== undefined || (name !== null && !news.has(name))) return
      soon = setTimeout(tell, Math.max(SETTLE, last + PAUSE - performance.now()))
    })
    system.on("error", () => system?.close())
  } catch {
    // The system has no watchers left, or the folder has gone: looking every second does as well.
  }
  return () => {
    clearInterval(poll)
    clearTimeout(soon)
    system?.close()
  }
}

/** A file of JSON, read again when it has changed; null if it is not there. `changed`: milliseconds since 1970. */
function createJson(folder: string, name: string): { readonly changed: number; read(): Json } {
  let stamp = ""
  let changed = 0
  let answer: () => Json = () => null
  const read = (): Json => {
    const now = stampAt(folder, name)
    if (now === stamp) return answer()
    const opened = now === "" ? undefined : openInside(folder, name, LIMITS.json)
    if (opened === undefined) {
      ;[stamp, answer] = ["", () => null]
      return null
    }
    try {
      const { size, mtimeMs } = opened.stat
      changed = mtimeMs
      answer = parsed(readBytes(opened.fd, 0, size).toString("utf8"), name)
      stamp = stampOf(opened.stat)
    } finally {
      closeSync(opened.fd)
    }
    return answer()
  }
  return {
    get changed() {
      return changed
    },
    read,
  }
}

/** An object of JSON as an action that hands it out, or throws what is the matter. */
function parsed(text: string, name: string): () => Json {
  try {
    const value: Json = JSON.parse(text)
    if (typeof value === "object" && value !== null && isShallow(value, DEPTH)) return () => value
  } catch {
    // Said below.
  }
  return () => {
    throw new Problem(`${name} is not what trilobite writes.`)
  }
}

function isShallow(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true
  return levels > 0 && Object.values(value).every((part) => isShallow(part, levels - 1))
}

function asObject(value: Json): { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })
    : {}
}

/** The lines of history.jsonl as epochs. */
function createHistory(folder: string): {
  readonly epochs: readonly Epoch[]
  readonly rewritten: number
  readonly problem: string | null
  read(): void
} {
  let epochs: Epoch[] = []
  let rewritten = 0
  let problem: string | null = null
  const read = createLines(folder, files.history, {
    restart: () => {
      if (epochs.length > 0) rewritten++
      ;[epochs, problem] = [[], null]
    },
    take: (line) => {
      const epoch = epochOf(line)
      if (epoch !== undefined && epoch.epoch > (epochs.at(-1)?.epoch ?? 0)) epochs.push(epoch)
      else problem = `${files.history} has a line that is not what trilobite writes.`
    },
  })
  return {
    get epochs() {
      return epochs
    },
    get rewritten() {
      return rewritten
    },
    get problem() {
      return problem
    },
    read,
  }
}

/** The lines of signals.jsonl by their epochs; a run is none the worse for bad ones. */
function createSignals(folder: string): () => ReadonlyMap<number, string> {
  const all = new Map<number, string>()
  const read = createOptional(folder, files.signals, {
    restart: () => all.clear(),
    take: (value) => {
      const { epoch } = asObject(value)
      if (typeof epoch === "number") all.set(epoch, JSON.stringify(value))
    },
  })
  return () => {
    read()
    return all
  }
}

/** The most findings of a run that are told: the last ones. */
const FINDINGS = 50

/** The findings of findings.jsonl, the last ones. */
function createFindings(folder: string): () => readonly Json[] {
  let all: Json[] = []
  const read = createOptional(folder, files.findings, {
    restart: () => {
      all = []
    },
    take: (value) => {
      const { finding } = asObject(value)
      if (finding !== undefined) all = [...all, finding].slice(-FINDINGS)
    },
  })
  return () => {
    read()
    return all
  }
}

/** Reads a file of lines of JSON that a run may do without: what is not ours is not taken, and a file that is none is empty. */
function createOptional(
  folder: string,
  name: string,
  { restart, take }: { readonly restart: () => void; readonly take: (value: Json) => void },
): () => void {
  const read = createLines(folder, name, {
    restart,
    take: (line) => {
      let value: Json
      try {
        value = JSON.parse(line)
      } catch {
        return
      }
      if (isShallow(value, DEPTH)) take(value)
    },
  })
  return () => {
    try {
      read()
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      restart()
    }
  }
}

/** Reads a file of lines: a look takes the lines that were added; the last one waits until it is complete. */
function createLines(
  folder: string,
  name: string,
  { restart, take }: { readonly restart: () => void; readonly take: (line: string) => void },
): () => void {
  /** The file that was read, to where its complete lines were, and what it was when last looked at. */
  let [file, done, stamp] = [0, 0, ""]
  const anew = (ino: number): void => {
    restart()
    ;[file, done, stamp] = [ino, 0, ""]
  }
  return () => {
    const now = stampAt(folder, name)
    if (now === stamp) return
    const opened = now === "" ? undefined : openInside(folder, name, LIMITS.history)
    if (opened === undefined) {
      anew(0)
      return
    }
    try {
      const { ino, size } = opened.stat
      if (ino !== file || size < done) anew(ino)
      stamp = stampOf(opened.stat)
      const bytes = readBytes(opened.fd, done, size - done)
      const end = bytes.lastIndexOf(0x0a) + 1
      for (const line of bytes.toString("utf8", 0, end).split("\n").slice(0, -1)) take(line)
      done += end
    } finally {
      closeSync(opened.fd)
    }
  }
}

/** The numbers of a line; undefined if it has no number of an epoch. */
function epochOf(line: string): Epoch | undefined {
  try {
    const entries = Object.entries(asObject(JSON.parse(line) as Json))
    const numbers = entries.filter(([, value]) => typeof value === "number" && Number.isFinite(value))
    const epoch = Object.fromEntries(numbers) as unknown as Epoch
    return Number.isSafeInteger(epoch.epoch) && epoch.epoch > 0 ? epoch : undefined
  } catch {
    return undefined
  }
}

/** All of these bytes of a file, or those that are there. */
function readBytes(fd: number, from: number, count: number): Buffer {
  const bytes = Buffer.alloc(count)
  let read = 0
  while (read < count) {
    const n = readSync(fd, bytes, read, count - read, from + read)
    if (n === 0) break
    read += n
  }
  return bytes.subarray(0, read)
}

/** What changes whenever a file does. */
function stampOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`
}

/** The stamp of what is at a path, not of what it leads to: a file whose stamp is known need not be opened. "" if nothing is there. */
function stampAt(folder: string, name: string): string {
  try {
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false })
    return stat === undefined ? "" : stampOf(stat)
  } catch {
    // Opening it will say why.
    return "?"
  }
}

/**
 * Opens a file of a run for reading: a regular one with one name, in this very folder, not too large. Undefined if it is not
 * there; throws a Problem for anything else.
 */
function openInside(folder: string, name: string, limit: number): { fd: number; stat: Stats } | undefined {
  const path = join(folder, name)
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
    throw new Problem(`${name} cannot be read.`)
  }
  const stat = fstatSync(fd)
  const problem = !stat.isFile() || stat.nlink > 1 || !isAt(fd, path) ? "is not a file of its own" : "is too large"
  if (problem === "is too large" && stat.size <= limit) return { fd, stat }
  closeSync(fd)
  throw new Problem(`${name} ${problem}.`)
}

/** True if an open file is the one at this path: no folder above it is a link, nor was when it was opened. */
function isAt(fd: number, path: string): boolean {
  try {
    return process.platform === "linux" ? readlinkSync(`/proc/self/fd/${fd}`) === path : realpathSync(path) === path
  } catch {
    return false
  }
}
