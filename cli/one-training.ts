// One training from the command line, whatever it trains: watched, interrupted, saved, told. Knows no net and no table.

import { join } from "node:path"
import type { Decision, Evidence, History, Model } from "../src/index.ts"
import { coachRun, type RunCoach } from "./coach.ts"
import { recordDecision } from "./decisions.ts"
import { type Interrupt, watchInterrupts } from "./interrupt.ts"
import { files, leaveRun, writeJson } from "./run-folder.ts"
import type { TrainOptions } from "./run-options.ts"

/** How a training has ended. */
export type Ended = NonNullable<History["ended"]>

/** A training that is ready to begin. */
export interface Ready {
  /** The run's folder; that of a new run is not made yet. */
  readonly folder: string
  /** What is needed to repeat it. */
  readonly config: object
  readonly model: Model
  /** What can be said of it before its first step; absent where rows are not in memory. */
  readonly examine?: () => Promise<Evidence>
  /** Makes the folder, or writes into an old one. */
  begin(): Promise<void>
  /** Trains. Throws what `fit` throws. */
  fit(signal: AbortSignal, coach: RunCoach): Promise<void>
  /** What it has come to, for result.json. */
  result(ended: Ended): Promise<object>
  /** Tells its end. */
  report(): void
}

/**
 * Trains to the end or to an interruption, saves and tells; answers with the exit code. Throws what training throws.
 * @param because what has decided that this training is made
 */
export async function carryOut(
  ready: Ready,
  options: TrainOptions,
  interrupt: Interrupt,
  because?: Decision,
): Promise<number> {
  const { folder, config, model } = ready
  const coach = coachRun(folder, model, config, options)
  try {
    await ready.begin()
    if (because !== undefined) recordDecision(folder, because, options)
    await ready.fit(interrupt.signal, coach)
    await model.save(join(folder, files.model))
    const ended = model.history?.ended ?? "completed"
    writeJson(join(folder, files.result), await ready.result(ended))
    await coach.report()
    if (!options.brief) ready.report()
    return ended === "aborted" ? (interrupt.exitCode ?? 0) : 0
  } catch (error) {
    await coach.report()
    throw error
  } finally {
    leaveRun(folder)
  }
}

/** Ctrl-C and its kin, for trainings: what is done is saved. */
export function trainingInterrupt({ json }: TrainOptions): Interrupt {
  return watchInterrupts(() => {
    if (!json) process.stderr.write("\nStopping after this round and saving; Ctrl-C again ends it at once.\n")
  })
}

/** Trains once; answers with the exit code. */
export async function trainOnce(ready: Ready, options: TrainOptions): Promise<number> {
  const interrupt = trainingInterrupt(options)
  try {
    return await carryOut(ready, options, interrupt)
  } finally {
    interrupt.close()
  }
}
