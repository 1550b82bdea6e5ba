// The processes in which `trilobite tune` trains, as many as there are processors. Knows what they are told, but no search.

import { type ChildProcess, fork } from "node:child_process"
import { TrilobiteError } from "../src/index.ts"
import type { Settings } from "./settings.ts"
import type { Answer, EpochLogs, Order } from "./tune-worker.ts"

/** A training that has ended. */
export interface Trained {
  readonly best: EpochLogs | undefined
  readonly diverged: boolean
  readonly parameters: number
}

/** How a training is watched. */
export interface Watch {
  readonly signal: AbortSignal
  /** Told of each epoch; true ends the training. */
  onEpoch(epoch: EpochLogs): boolean
}

/** The processes, and who waits for one. */
export class Pool {
  readonly #workers: ChildProcess[] = []
  readonly #idle: ChildProcess[] = []
  readonly #waiting: ((worker: ChildProcess) => void)[] = []

  /** Starts processes that have read the data. Throws what they could not read it for. */
  static async start(count: number, base: Settings): Promise<Pool> {
    const pool = new Pool()
    try {
      await Promise.all(Array.from({ length: count }, () => pool.#add(base)))
      return pool
    } catch (error) {
      pool.close()
      throw error
    }
  }

  /** Trains as soon as a process is free. */
  async train(settings: Settings, threads: number, watch: Watch, save?: string): Promise<Trained> {
    const worker = this.#idle.pop() ?? (await new Promise<ChildProcess>((resolve) => this.#waiting.push(resolve)))
    const order = (message: Order): void => void worker.send(message)
    const stop = (): void => order({ kind: "stop" })
    try {
      return await new Promise<Trained>((resolve, reject) => {
        const gone = (): void =>
          reject(new TrilobiteError("E_ENGINE", { what: "a process that trained has ended by itself." }))
        const hear = (answer: Answer): void => {
          if (answer.kind === "epoch") {
            if (watch.onEpoch(answer)) stop()
            return
          }
          worker.off("message", hear).off("exit", gone)
          if (answer.kind === "done") resolve(answer)
          else if (answer.kind === "failed") reject(new TrilobiteError("E_ENGINE", { what: answer.error }))
        }
        worker.on("message", hear).on("exit", gone)
        order({ kind: "train", settings, threads, ...(save === undefined ? {} : { save }) })
        watch.signal.addEventListener("abort", stop)
        if (watch.signal.aborted) stop()
      })
    } finally {
      watch.signal.removeEventListener("abort", stop)
      const next = this.#waiting.shift()
      if (next === undefined) this.#idle.push(worker)
      else next(worker)
    }
  }

  /** Ends the processes. */
  close(): void {
    for (const worker of this.#workers) if (worker.connected) worker.disconnect()
  }

  async #add(base: Settings): Promise<void> {
    const worker = fork(process.argv[1]!, ["tune", "--worker", JSON.stringify(base)], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    })
    this.#workers.push(worker)
    await new Promise<void>((resolve, reject) => {
      worker.once("message", (answer: Answer) => {
        if (answer.kind === "failed") reject(new TrilobiteError("E_DATA", { what: answer.error }))
        else resolve()
      })
      worker.once("error", reject)
    })
    this.#idle.push(worker)
  }
}
