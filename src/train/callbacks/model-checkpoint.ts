// Saves the model while it is trained. Knows no model and no file format.

import { configError, show } from "../../core/errors.ts"
import {
  finiteNumber,
  flag,
  maybe,
  type OptionsOf,
  optional,
  readOptions,
  required,
  text,
  that,
} from "../../nn/options.ts"
import type { Logs } from "../events.ts"
import type { Callback, Training } from "./callback.ts"
import { type MonitorMode, modeOption, monitorOf, numbersOf, say, verboseOption } from "./monitor.ts"
import { checkTemplate, filled } from "./template.ts"

/** How often a checkpoint is written: after every epoch, after so many rounds, or after so many epochs. */
export type SaveFrequency = "epoch" | number | { readonly epochs: number }

/** The options of {@link modelCheckpoint}. */
export interface ModelCheckpointOptions {
  /** The file; `{epoch}` (from 1), `{batch}` (from 1) and names of the logs in braces stand for numbers: `{epoch:02d}-{valLoss:.2f}`. */
  readonly filepath: string
  /** What to watch with `saveBestOnly` (default valLoss). */
  readonly monitor?: string
  /** Whether only a model is saved that is better than all before (default false). */
  readonly saveBestOnly?: boolean
  /** Whether the file has the weights alone, not the architecture and what it was compiled with (default false). */
  readonly saveWeightsOnly?: boolean
  /** Whether less or more is better; by default more for accuracies and scores, less for all else. */
  readonly mode?: MonitorMode
  /** `epoch` (the default), a number of rounds, or `{ epochs: n }`. */
  readonly saveFreq?: SaveFrequency
  /** What the first model must beat to be saved, with `saveBestOnly` (default none). */
  readonly initialValueThreshold?: number
  /** 1: a line says what was saved (default 0). */
  readonly verbose?: 0 | 1
}

type Resolved = Required<Omit<ModelCheckpointOptions, "initialValueThreshold">> & {
  readonly initialValueThreshold: number | undefined
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1

/** The table of its options. */
export const modelCheckpointOptions: OptionsOf<Resolved> = {
  filepath: required(text()),
  monitor: optional(text(), "valLoss"),
  verbose: verboseOption,
  saveBestOnly: optional(flag(), false),
  saveWeightsOnly: optional(flag(), false),
  mode: modeOption,
  saveFreq: optional(
    that('"epoch", a number of rounds of at least 1, or { epochs: 2 }', (value): value is SaveFrequency => {
      if (value === "epoch" || isCount(value)) return true
      if (typeof value !== "object" || value === null) return false
      return Object.keys(value).length === 1 && "epochs" in value && isCount(value.epochs)
    }),
    "epoch",
  ),
  initialValueThreshold: maybe(finiteNumber()),
}

/**
 * Saves the model, or its weights, while it is trained; a file is replaced as a whole or not at all. Keras: ModelCheckpoint.
 * With a number of rounds as `saveFreq` the logs are those of the last round. The best value is kept over several trainings.
 * @throws E_CONFIG for a wrong option, a name in braces that is no number of the logs, or if the watched number does not
 * exist; E_IO if a file cannot be written, or in a browser.
 * @example
 * ```ts
 * import { tmpdir } from "node:os"
 * import { dense, loadModel, modelCheckpoint, sequential } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const filepath = `${tmpdir()}/checkpoint-{epoch:02d}.safetensors`
 * const save = modelCheckpoint({ filepath, monitor: "loss", saveBestOnly: true })
 * await model.fit([[0], [1]], [[0], [1]], { epochs: 2, verbose: 0, callbacks: [save] })
 * const best = await loadModel(`${tmpdir()}/checkpoint-02.safetensors`)
 * best.getWeights().length // => 2
 * ```
 */
export function modelCheckpoint(given: ModelCheckpointOptions): Callback {
  const read = readOptions<Resolved>("modelCheckpoint", modelCheckpointOptions, given)
  const { filepath, saveBestOnly, saveWeightsOnly, saveFreq, verbose } = read
  checkTemplate("modelCheckpoint.filepath", filepath)
  if (!saveBestOnly) checkUnused(given)
  const monitor = monitorOf("modelCheckpoint", read)
  let best = read.initialValueThreshold ?? monitor.worst
  let epochNow = 0
  let since = 0

  const save = async (epoch: number, batch: number | undefined, logs: Logs, training: Training): Promise<void> => {
    const values = { epoch: epoch + 1, ...(batch === undefined ? {} : { batch: batch + 1 }), ...logs }
    let why = ""
    if (saveBestOnly) {
      const value = monitor.read(logs)
      if (!monitor.better(value, best)) return
      why = `: ${monitor.name} improved from ${best} to ${value}`
      best = value
    }
    const path = filled("modelCheckpoint.filepath", filepath, values)
    await (saveWeightsOnly ? training.saveWeights(path) : training.save(path))
    say(verbose, `Epoch ${epoch + 1}${why}: saved ${path}`)
  }
  /** Whether it is time: after so many calls. */
  const due = (every: number): boolean => {
    since = (since + 1) % every
    return since === 0
  }
  const onTrainBegin = (): void => {
    since = 0
  }
  const state: Required<Pick<Callback, "getState" | "setState">> = {
    getState: () => ({ type: "modelCheckpoint", best, since, epoch: epochNow }),
    setState: (state) => {
      ;[best, since, epochNow] = numbersOf(state, ["best", "since", "epoch"])
    },
  }
  if (typeof saveFreq === "number") {
    return {
      ...state,
      onTrainBegin,
      onEpochBegin: (epoch) => {
        epochNow = epoch
      },
      onBatchEnd: (batch, logs, training) => (due(saveFreq) ? save(epochNow, batch, logs, training) : undefined),
    }
  }
  const every = saveFreq === "epoch" ? 1 : saveFreq.epochs
  return {
    ...state,
    onTrainBegin,
    onEpochEnd: (epoch, logs, training) => (due(every) ? save(epoch, undefined, logs, training) : undefined),
  }
}

/** Options that say which model is the best say nothing if all are saved. */
function checkUnused(given: ModelCheckpointOptions): void {
  for (const name of ["monitor", "mode", "initialValueThreshold"] as const) {
    if (given[name] === undefined) continue
    throw configError({
      where: `modelCheckpoint.${name}`,
      what: "this option says which model is the best, but every one is saved.",
      got: show(given[name]),
      hint: "Set saveBestOnly: true, or leave it out.",
    })
  }
}
