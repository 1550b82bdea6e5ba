// A journal in a file that several processes may write: appended under a lock, as Optuna's JournalFileStorage does it. Node only.

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs"
import { hostname } from "node:os"
import { basename } from "node:path"
import { show, TrilobiteError } from "../core/errors.ts"
import { type Draft, Replay } from "./journal.ts"

/** A lock that is older belongs to a process that has gone: appending takes milliseconds. */
const STALE_MS = 30_000

/** A study's file. Its methods may be called at the same time; they run one after the other. */
export class JournalFile {
  readonly path: string
  readonly replay: Replay = new Replay()
  /** Who we are in the journal: it says whether a trial's process is still there. */
  readonly worker: string = `trilobite-${hostname()}-${process.pid}-${globalThis.crypto.randomUUID().slice(0, 8)}`
  /** How many bytes were applied. */
  #read = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.path = path
  }

  /**
   * Reads what others have written, asks for entries, and appends them, all under the lock; answers with what `build` answered.
   * @throws E_IO if the file cannot be read or written, E_DATA if it is no journal.
   */
  async transact<T>(build: (replay: Replay) => { readonly drafts: readonly Draft[]; readonly answer: T }): Promise<T> {
    const before = this.#last
    const run = (async () => {
      await before.catch(() => {})
      return inFile(this.path, async () => {
        const release = await lock(this.path)
        try {
          const file = openSync(this.path, "a+")
          try {
            this.#readOn(file, true)
            const { drafts, answer } = build(this.replay)
            if (drafts.length > 0) {
              const text = drafts.map((draft) => `${JSON.stringify({ worker_id: this.worker, ...draft })}\n`).join("")
              writeSync(file, text)
              fsyncSync(file)
              this.#readOn(file, true)
            }
            return answer
          } finally {
            closeSync(file)
          }
        } finally {
          release()
        }
      })
    })()
    this.#last = run
    return run
  }

  /** Reads what stands in the file, without a lock and without changing it; a line that is being written is left for later. */
  read(): Replay {
    return inFile(this.path, () => {
      const file = openSync(this.path, "r")
      try {
        this.#readOn(file, false)
        return this.replay
      } finally {
        closeSync(file)
      }
    })
  }

  /** Applies the whole lines behind those that were applied. Under the lock a last line without an end is one of a process that was killed. */
  #readOn(file: number, locked: boolean): void {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - this.#read))
    for (let at = 0; at < bytes.length; ) {
      const n = readSync(file, bytes, at, bytes.length - at, this.#read + at)
      if (n === 0) break
      at += n
    }
    const end = bytes.lastIndexOf(10) + 1
    for (const line of bytes.subarray(0, end).toString("utf8").split("\n").slice(0, -1)) {
      this.replay.apply(line, this.path)
    }
    this.#read += end
    if (locked && end < bytes.length) ftruncateSync(file, this.#read)
  }

  /** True if a trial of this worker is run by nobody any more: a process of ours on this machine that has gone. */
  isDead(worker: string): boolean {
    const [, host, pid] = /^trilobite-(.*)-(\d+)-[0-9a-f]{8}$/.exec(worker) ?? []
    if (worker === this.worker || host !== hostname()) return false
    if (Number(pid) === process.pid) return true
    try {
      process.kill(Number(pid), 0)
      return false
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "ESRCH"
    }
  }
}

/** Waits for the lock of a file (a symbolic link beside it, the same as Optuna's) and answers with what gives it back. */
async function lock(path: string): Promise<() => void> {
  const link = `${path}.lock`
  for (let wait = 1; ; wait = Math.min(wait * 2, 250)) {
    try {
      symlinkSync(basename(path), link)
      return () => removeLock(link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    }
    if (ageOf(link) > STALE_MS) removeLock(link)
    else await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

/** Renamed first, so that of two who remove it only one does, and none removes the next one's. */
function removeLock(link: string): void {
  const own = `${link}${globalThis.crypto.randomUUID()}.rename`
  try {
    renameSync(link, own)
    unlinkSync(own)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
  }
}

function ageOf(link: string): number {
  try {
    return Date.now() - lstatSync(link).mtimeMs
  } catch {
    return 0
  }
}

function inFile<T>(path: string, action: () => T): T {
  const failed = (error: unknown): never => {
    const code = (error as NodeJS.ErrnoException | undefined)?.code
    if (error instanceof TrilobiteError || code === undefined) throw error
    const hint = existsSync(path) ? "See who may write it." : "Name a file in a folder that is there."
    throw new TrilobiteError(
      "E_IO",
      { where: path, what: "cannot use this study.", got: show(code), hint },
      { cause: error },
    )
  }
  try {
    const done = action()
    return done instanceof Promise ? (done.catch(failed) as T) : done
  } catch (error) {
    return failed(error)
  }
}
