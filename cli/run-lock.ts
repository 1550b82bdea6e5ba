// Who trains a run: one process at a time, which live.json in the folder names as long as it is at it. Knows no training.
// Of processes that come at the same time one wins; the place of a dead one (killed, or lost with its machine) is taken over.

import { constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { TrilobiteError } from "../src/index.ts"

/** The process that trains a run. */
export interface Live {
  readonly pid: number
  /** When it began with this run: ISO 8601, UTC. */
  readonly started: string
  /** What tells it from a later process of the same number, where the system says it (`birthOf`). */
  readonly birth: string | null
}

/** What gives the places of this process free, by their files. */
const held = new Map<string, () => void>()

/**
 * Says in a file (an absolute path) that this process is at the run, until it leaves it or ends. Throws E_BUSY if another is at it.
 */
export function takePlace(path: string): void {
  const own = `${path}.${process.pid}`
  const live: Live = { pid: process.pid, started: new Date().toISOString(), birth: birthOf(process.pid) }
  writeFileSync(own, `${JSON.stringify(live)}\n`)
  try {
    claim(own, path)
  } finally {
    rmSync(own, { force: true })
  }
  const leave = (): void => {
    try {
      if (liveIn(path).pid === process.pid) rmSync(path, { force: true })
    } catch {
      // The folder has gone, or may no longer be written: the number of a dead process says the same.
    }
  }
  process.once("exit", leave)
  held.set(path, () => {
    process.off("exit", leave)
    leave()
  })
}

/** Gives a place free, if it is ours. */
export function leavePlace(path: string): void {
  held.get(path)?.()
  held.delete(path)
}

/**
 * Gives our file the common name, unless a living process has it. Only one process at a time takes the place of a dead one: the one that
 * has the name `next`. Who reads afterwards that the place is another's has lost.
 */
function claim(own: string, path: string): void {
  if (named(own, path)) return
  checkLeft(path)
  const next = `${path}.next`
  if (!named(own, next)) {
    checkLeft(next)
    rmSync(next, { force: true })
    if (!named(own, next)) throw busy(path, liveIn(next).pid)
  }
  try {
    checkLeft(path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
  try {
    renameSync(next, path)
  } catch (error) {
    // Another process has taken `next` for that of a dead one before we gave it our name.
    if (codeOf(error) !== "ENOENT") throw error
  }
  const { pid } = liveIn(path)
  if (pid !== process.pid) throw busy(path, pid)
}

/** Gives a file a second name; false if there is such a file. Where a disk knows no second names, a copy. */
function named(from: string, to: string): boolean {
  const tries = [() => linkSync(from, to), () => copyFileSync(from, to, constants.COPYFILE_EXCL)]
  for (const [i, make] of tries.entries()) {
    try {
      make()
      return true
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false
      if (i > 0 || !["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(error))) throw error
    }
  }
  return false
}

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "")

function checkLeft(path: string): void {
  const live = liveIn(path)
  if (isAlive(live)) throw busy(path, live.pid)
}

/** Who is at a run; nobody where there is no such file or it says nothing. */
function liveIn(path: string): Partial<Live> {
  try {
    return Object(JSON.parse(readFileSync(path, "utf8"))) as Partial<Live>
  } catch {
    return {}
  }
}

function busy(path: string, pid: number | undefined): TrilobiteError {
  const stop = pid === undefined ? "" : ` (kill ${pid})`
  const hint = `Wait until it has ended, or stop it${stop}: it saves, and --resume goes on.`
  const got = pid === undefined ? "another process" : `process ${pid}`
  return new TrilobiteError("E_BUSY", { where: dirname(path), what: "another process trains this run.", got, hint })
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
