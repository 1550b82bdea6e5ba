// Event files for TensorBoard: the numbers of every epoch, and how the weights are distributed. Knows no model.

import type { SummaryValue } from "../../formats/tensorboard.ts"
import { summaryRecord, versionRecord } from "../../formats/tensorboard.ts"
import { snakeCase } from "../../nn/names.ts"
import { type OptionsOf, optional, readOptions, text, that, wholeNumber } from "../../nn/options.ts"
import type { Logs } from "../events.ts"
import { histogramOf } from "../histogram.ts"
import type { Callback, Training } from "./callback.ts"

/** The options of {@link tensorBoard}. */
export interface TensorBoardOptions {
  /** The folder of the run; it is made if it is not there (default logs). */
  readonly logDir?: string
  /** Epochs between two histograms of the weights (default 0: none). */
  readonly histogramFreq?: number
  /** When numbers of single rounds are written: `epoch` never (the default), `batch` for all, n for every n-th. */
  readonly updateFreq?: "epoch" | "batch" | number
}

type Resolved = Required<TensorBoardOptions>

/** The table of its options. */
export const tensorBoardOptions: OptionsOf<Resolved> = {
  logDir: optional(text(), "logs"),
  histogramFreq: optional(wholeNumber(), 0),
  updateFreq: optional(
    that("epoch, batch or a whole number of at least 1", (value): value is Resolved["updateFreq"] => {
      return value === "epoch" || value === "batch" || (Number.isSafeInteger(value) && (value as number) >= 1)
    }),
    "epoch",
  ),
}

/** Intervals of a histogram: as TensorBoard's own. */
const BINS = 30

/**
 * Writes event files for TensorBoard into `logDir/train` and `logDir/validation`: `epoch_loss` and the other numbers by Keras's
 * names, `epoch_learning_rate`, and `layer/kernel/histogram`, over the epochs (from 0); `batch_loss` and others over the
 * rounds. Keras: TensorBoard, without graphs, images, profiles and embeddings.
 * @throws E_CONFIG for a wrong option; E_IO if a file cannot be written, or in a browser.
 * @example
 * ```ts
 * import { mkdtempSync, readdirSync } from "node:fs"
 * import { tmpdir } from "node:os"
 * import { dense, sequential, tensorBoard } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const logDir = mkdtempSync(`${tmpdir()}/logs-`)
 * const board = tensorBoard({ logDir, histogramFreq: 1 })
 * await model.fit([[1]], [[2]], { epochs: 2, verbose: 0, validationData: [[[1]], [[2]]], callbacks: [board] })
 * readdirSync(logDir) // => ["train", "validation"]
 * ```
 */
export function tensorBoard(given: TensorBoardOptions = {}): Callback {
  const { logDir, histogramFreq, updateFreq } = readOptions<Resolved>("tensorBoard", tensorBoardOptions, given)
  let files = new Map<string, string>()
  let round = 0
  /** Adds values to the file of a part, which begins with its first. */
  const add = async (part: "train" | "validation", step: number, values: readonly SummaryValue[]): Promise<void> => {
    if (values.length === 0) return
    const { appendFile, makeFolder, newName } = await import("../../formats/node-log.ts")
    const time = Date.now() / 1000
    if (!files.has(part)) {
      makeFolder(`${logDir}/${part}`)
      files.set(part, `${logDir}/${part}/events.out.tfevents.${newName()}.v2`)
      appendFile(files.get(part)!, versionRecord(time))
    }
    appendFile(files.get(part)!, summaryRecord(time, step, values))
  }
  const every = updateFreq === "epoch" ? undefined : updateFreq === "batch" ? 1 : updateFreq
  const eachRound: Callback = {
    onBatchEnd: (_, logs) => {
      const now = round++
      return every !== undefined && round % every === 0 ? add("train", now, scalars("batch_", logs)) : undefined
    },
  }
  return {
    onTrainBegin: () => {
      files = new Map()
      round = 0
    },
    ...(every === undefined ? {} : eachRound),
    onEpochEnd: async (epoch, logs, training) => {
      const [own, validation] = divided(logs)
      const rate = { tag: "epoch_learning_rate", simple: training.learningRate }
      const histograms = histogramFreq > 0 && epoch % histogramFreq === 0 ? histogramsOf(training) : []
      await add("train", epoch, [...scalars("epoch_", own), rate, ...histograms])
      await add("validation", epoch, scalars("epoch_", validation))
    },
  }
}

/** The numbers of the training and, by the same names, those of the validation. */
function divided(logs: Logs): readonly [Logs, Logs] {
  const [own, validation]: [[string, number][], [string, number][]] = [[], []]
  for (const [name, value] of Object.entries(logs)) {
    if (/^val[A-Z]/.test(name)) validation.push([`${name[3]!.toLowerCase()}${name.slice(4)}`, value])
    else own.push([name, value])
  }
  return [Object.fromEntries(own), Object.fromEntries(validation)]
}

function scalars(prefix: string, logs: Logs): SummaryValue[] {
  return Object.entries(logs).map(([name, simple]) => ({ tag: prefix + snakeCase(name), simple }))
}

function histogramsOf(training: Training): SummaryValue[] {
  return training.weights().map(({ layer, name, tensor }) => {
    const { min, max, mean, std, limits, counts } = histogramOf(tensor.data, BINS)
    const count = counts.reduce((a, b) => a + b, 0)
    const sums = { sum: mean * count, sumSquares: (std * std + mean * mean) * count }
    return { tag: `${layer}/${name}/histogram`, histogram: { min, max, count, ...sums, limits, counts } }
  })
}
