// One of the processes in which `trilobite tune` trains: it reads the data once, then trains what it is told to. Knows no search.

import { type Callback, type Logs, TrilobiteError } from "../src/index.ts"
import { errorText } from "./output.ts"
import type { Settings } from "./settings.ts"
import { buildModel, trainingOf } from "./table-net.ts"
import { rowsFor } from "./table-rows.ts"

/** What a worker is told. */
export type Order =
  | { readonly kind: "train"; readonly settings: Settings; readonly threads: number; readonly save?: string }
  | { readonly kind: "stop" }

/** What it answers. */
export type Answer =
  | { readonly kind: "ready"; readonly task: "classification" | "regression"; readonly rows: number }
  | { readonly kind: "epoch"; readonly epoch: number; readonly logs: Logs }
  /** `best` is the epoch with the least validation loss; of a training that saves, the one that is saved. */
  | {
      readonly kind: "done"
      readonly best: EpochLogs | undefined
      readonly diverged: boolean
      readonly parameters: number
    }
  | { readonly kind: "failed"; readonly error: string }

/** What was measured in an epoch, counted from 1. */
export interface EpochLogs {
  readonly epoch: number
  readonly logs: Logs
}

/** The share of right answers, if there is one. */
export function accuracyIn({ valAccuracy, valBinaryAccuracy }: Logs): number | undefined {
  return valAccuracy ?? valBinaryAccuracy
}

/** Trains for the process that has started this one, until that lets go of it. */
export async function work(base: Settings): Promise<void> {
  const tell = (answer: Answer): void => void process.send?.(answer)
  // The terminal sends its signals to us, too; the process that started us says what becomes of it.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => {})
  process.on("disconnect", () => process.exit())
  let control = new AbortController()
  try {
    const { data } = await rowsFor(base)
    process.on("message", (order: Order) => {
      if (order.kind === "stop") control.abort()
      else {
        control = new AbortController()
        trainOnce(data, order, control.signal, tell).catch((error) =>
          tell({ kind: "failed", error: errorText(error, false, undefined) }),
        )
      }
    })
    tell({ kind: "ready", task: data.task, rows: data.rows.train.length })
  } catch (error) {
    tell({ kind: "failed", error: errorText(error, false, undefined) })
  }
}

type Rows = Awaited<ReturnType<typeof rowsFor>>["data"]

async function trainOnce(
  data: Rows,
  { settings, threads, save }: Extract<Order, { kind: "train" }>,
  signal: AbortSignal,
  tell: (answer: Answer) => void,
): Promise<void> {
  const model = buildModel(data, settings, { seed: settings.seed, threads })
  const { x, y, options } = trainingOf(data, settings)
  let best: EpochLogs | undefined
  const costOf = (logs: Logs): number => logs.valLoss ?? logs.loss!
  // What is saved has the most right answers, if there are any; of equals the one that costs less.
  const isBetter = (a: Logs, b: Logs): boolean => {
    const gain = save === undefined ? 0 : (accuracyIn(a) ?? 0) - (accuracyIn(b) ?? 0)
    return gain === 0 ? costOf(a) < costOf(b) : gain > 0
  }
  const record: Callback = {
    onEpochEnd: async (epoch, logs, training) => {
      if (best === undefined || isBetter(logs, best.logs)) {
        best = { epoch: epoch + 1, logs }
        if (save !== undefined) await training.save(save)
      }
      tell({ kind: "epoch", epoch: epoch + 1, logs })
      // Orders are heard between two epochs at the latest.
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
  let diverged = false
  try {
    await model.fit(x, y, { ...options, verbose: 0, callbacks: [record, ...options.callbacks], signal })
  } catch (error) {
    if (!(error instanceof TrilobiteError) || error.code !== "E_DIVERGED") throw error
    diverged = true
  }
  tell({ kind: "done", best, diverged, parameters: model.countParams() })
}
