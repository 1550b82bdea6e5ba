// Checkpoints of a training, from which it goes on after a crash. Knows no model and no file format.

import { configError, TrilobiteError } from "../../core/errors.ts"
import {
  maybe,
  type OptionsOf,
  oneOf,
  optional,
  positiveInteger,
  readOptions,
  required,
  text,
  that,
} from "../../nn/options.ts"
import type { Logs } from "../events.ts"
import type { Callback, Training } from "./callback.ts"
import { monitorOf, numbersOf, say, verboseOption } from "./monitor.ts"

/** How often: after every epoch, after so many rounds, epochs, or seconds. */
export type CheckpointFrequency = "epoch" | number | { readonly epochs: number } | { readonly seconds: number }

/** The options of {@link checkpoints}. */
export interface CheckpointsOptions {
  /** The folder, which is made if it is not there; no other training's. */
  readonly folder: string
  /**
   * `epoch` (the default), a number of rounds, `{ epochs: n }`, or `{ seconds: n }`: then at the next moment between two rounds, and a
   * best epoch is saved beside that unless saving took more than a fiftieth of the time since the last one.
   */
  readonly saveFreq?: CheckpointFrequency
  /** How many of the newest are kept, beside the best that was saved (default 3). */
  readonly keep?: number
  /** The number of the epochs that says which one is the best (default valLoss if there is one, else loss). */
  readonly monitor?: string
  /**
   * What becomes of the training if a checkpoint cannot be written: it ends with the error (`stop`, the default), or a warning is
   * printed every time and it goes on, up to the next attempt (`continue`). The checkpoints before stay either way.
   */
  readonly onError?: "stop" | "continue"
  /** 1: a line says what was saved (default 0). */
  readonly verbose?: 0 | 1
}

type Resolved = Required<Omit<CheckpointsOptions, "monitor">> & { readonly monitor: string | undefined }

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1

/** The table of its options. */
export const checkpointsOptions: OptionsOf<Resolved> = {
  folder: required(text()),
  saveFreq: optional(
    that(
      '"epoch", a number of rounds of at least 1, { epochs: 2 } or { seconds: 30 }',
      (v): v is CheckpointFrequency => {
        if (v === "epoch" || isCount(v)) return true
        if (typeof v !== "object" || v === null || Object.keys(v).length !== 1) return false
        if ("epochs" in v) return isCount(v.epochs)
        return "seconds" in v && typeof v.seconds === "number" && Number.isFinite(v.seconds) && v.seconds >= 0
      },
    ),
    "epoch",
  ),
  keep: optional(positiveInteger(), 3),
  monitor: maybe(text()),
  onError: optional(oneOf("choice", ["stop", "continue"]), "stop"),
  verbose: verboseOption,
}

/** With `{ seconds }` the best epochs are saved as long as that takes less than one part in so many of the time. */
const SHARE = 50

/**
 * Saves where the training stands, so that `fit({ resume: folder })` goes on after a crash and ends with the bits of a training
 * without one: weights, optimizer, callbacks, history, the place in the epoch. Also when the training ends or is aborted. Each file
 * is written completely or not at all and has a checksum; the newest three are kept, and the best. Keras: BackupAndRestore, which
 * begins the epoch again. In Node only.
 * @throws E_CONFIG for a wrong option, or if the folder holds checkpoints of another training; E_IO if a file cannot be written (the
 * ones before it stay), unless `onError` says to continue.
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs"
 * import { checkpoints, dense, sequential } from "trilobite"
 * const folder = `${mkdtempSync("/tmp/trilobite-")}/checkpoints`
 * const [x, y] = [[[0], [1], [2], [3]], [[1], [3], [5], [7]]]
 * const train = async (epochs: number, resume = {}) => {
 *   const model = sequential([dense({ units: 1, inputShape: [1] })], { seed: 1 })
 *   model.compile({ loss: "mse", optimizer: "adam" })
 *   await model.fit(x, y, { epochs, batchSize: 2, verbose: 0, callbacks: [checkpoints({ folder })], ...resume })
 *   return model.getWeights().map(({ data }) => data.join()).join()
 * }
 * await train(2)
 * const inTwoParts = await train(5, { resume: folder })
 * const model = sequential([dense({ units: 1, inputShape: [1] })], { seed: 1 })
 * model.compile({ loss: "mse", optimizer: "adam" })
 * await model.fit(x, y, { epochs: 5, batchSize: 2, verbose: 0 })
 * model.getWeights().map(({ data }) => data.join()).join() === inTwoParts // => true
 * ```
 */
export function checkpoints(given: CheckpointsOptions): Callback {
  const read = readOptions<Resolved>("checkpoints", checkpointsOptions, given)
  const { folder, saveFreq, keep, onError, verbose } = read
  const files = (): Promise<typeof import("../../formats/node-checkpoints.ts")> =>
    import("../../formats/node-checkpoints.ts")
  const seconds = typeof saveFreq === "object" && "seconds" in saveFreq ? saveFreq.seconds : undefined
  const every =
    typeof saveFreq === "number" ? saveFreq : typeof saveFreq === "object" && "epochs" in saveFreq ? saveFreq.epochs : 1
  /** The number that says which epoch is the best: the same one from the first epoch on. */
  let monitor = read.monitor ?? ""
  let best = 0
  let bestName = ""
  /** Rounds or epochs since the last one; when it was saved, on the clock of the process, and what that took. */
  let since = 0
  let last = 0
  let took = 0

  const save = async (training: Training, before = { best, bestName }): Promise<void> => {
    const { checkpointName, keepNewest } = await files()
    const name = checkpointName(training.step)
    const began = performance.now()
    try {
      await training.save(`${folder}/${name}`)
      keepNewest(folder, name, keep, bestName)
      say(verbose, `Saved ${folder}/${name}`)
    } catch (error) {
      // What is not there is not the best one.
      ;({ best, bestName } = before)
      if (onError === "stop" || !(error instanceof TrilobiteError && error.code === "E_IO")) throw error
      console.warn(`Note: ${error.message} The training goes on without this checkpoint.`)
    }
    last = performance.now()
    took = last - began
  }
  const isBest = async (logs: Logs, training: Training): Promise<boolean> => {
    if (seconds !== undefined && performance.now() - last < SHARE * took) return false
    if (monitor === "") monitor = "valLoss" in logs ? "valLoss" : "loss"
    // There is no number of the validation in epochs without one.
    if (bestName !== "" && !Object.hasOwn(logs, monitor)) return false
    const watched = monitorOf("checkpoints", { monitor, mode: "auto" })
    const value = watched.read(logs)
    if (bestName !== "" && !watched.better(value, best)) return false
    best = value
    bestName = (await files()).checkpointName(training.step)
    return true
  }
  const due = (): boolean => {
    since = (since + 1) % every
    return since === 0
  }
  const late = (): boolean => seconds !== undefined && performance.now() - last >= 1000 * seconds
  const begin = async (resumed: boolean): Promise<void> => {
    const { checkpointsIn, makeFolder } = await files()
    const [got] = checkpointsIn(folder)
    if (got !== undefined && !resumed) {
      const what = "this folder holds checkpoints of a training already."
      const hint = `Go on with it, resume: ${JSON.stringify(folder)}, or name another folder.`
      throw configError({ where: "checkpoints.folder", what, got, hint })
    }
    makeFolder(folder)
    since = 0
    took = 0
    last = performance.now()
  }
  return {
    onEvent: async (event, training) => {
      if (event.type === "trainBegin") await begin(event.resumed === true)
      if ((event.type === "progress" && late()) || (event.type === "trainEnd" && event.reason !== "failed")) {
        await save(training)
      }
    },
    onEpochEnd: async (_, logs, training) => {
      const before = { best, bestName }
      const better = await isBest(logs, training)
      const regular = typeof saveFreq === "number" ? false : seconds === undefined ? due() : late()
      if (better || regular) await save(training, before)
    },
    ...(typeof saveFreq === "number"
      ? { onBatchEnd: (_: number, __: Logs, training: Training) => (due() ? save(training) : undefined) }
      : {}),
    getState: () => ({ type: "checkpoints", monitor, best, bestName, since }),
    setState: (state) => {
      ;[best, since] = numbersOf(state, ["best", "since"])
      monitor = String(state.monitor)
      bestName = String(state.bestName)
    },
  }
}
