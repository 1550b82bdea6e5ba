// Going on with a run (--resume): whether it can be, by whom, and where it stands. Knows networks and tables by what it is told of them.

import { join } from "node:path"
import {
  type Callback,
  checkpoints,
  loadModel,
  type Model,
  type ModelOptions,
  NUMERICS_VERSION,
  TrilobiteError,
} from "../src/index.ts"
import { epochsBehind, files, firstEpochs, openRun, type RunConfig, type SavedRun, takeRun } from "./run-folder.ts"
import { environment, givenOf, machine, type TrainOptions } from "./run-options.ts"
import { usageError } from "./values.ts"

/** Seconds of training between two checkpoints: what a kill may cost. */
const SECONDS = 5

/** The callback that writes down where a run stands; whatever writes lines of epochs stands before it. */
export function checkpointsOf(folder: string, { onCkptError = "stop" }: TrainOptions): Callback {
  return checkpoints({
    folder: join(folder, files.checkpoints),
    saveFreq: { seconds: SECONDS },
    onError: onCkptError,
  })
}

/** What the configs of all runs have in common. */
export type AnyConfig = Pick<
  RunConfig,
  "epochs" | "seed" | "data" | "numerics" | "resumed" | keyof ReturnType<typeof environment>
>

/** A kind of runs. */
export interface Kind<Config extends AnyConfig> {
  /** The config of such a run. Throws E_CONFIG or E_USAGE for another. */
  read(config: object, path: string): Config
  /** The model before its first round. */
  build(config: Config, options: ModelOptions): Model | Promise<Model>
  /** What is to be done with a run of an earlier version, whose weights are all that is left of it. */
  fromWeights(path: string, options: ModelOptions): Promise<Model>
}

/** A run that has been taken up again: its model stands where it was left. */
export interface TakenUp<Config, Line> {
  readonly config: Config
  readonly history: Line[]
  readonly model: Model
  /** Whether the model holds the place in a training at which it goes on; else it begins with the next epoch. */
  readonly resume: boolean
}

/**
 * Takes up a run; nobody else may train it from now on.
 * @throws E_IO if it is not there; E_CONFIG or E_MODEL if it does not hold together; E_USAGE if it is at its end; E_BUSY if another
 * process is at it.
 */
export async function takeUp<Config extends AnyConfig, Line extends { readonly epoch: number }>(
  folder: string,
  options: TrainOptions,
  kind: Kind<Config>,
): Promise<TakenUp<Config, Line>> {
  const open = (): SavedRun<Config, Line> => {
    const run = openRun<Config, Line>(folder, kind.read)
    checkArithmetic(run.config, folder)
    if (run.result !== undefined) firstEpochs(folder, run.history, run.result.epochs)
    checkOpen(run, options)
    return run
  }
  // What cannot be gone on with is left alone. Until the run is ours another process may be at it: so it is read again.
  open()
  takeRun(folder)
  const { config: old, history: written, result, checkpoints: hasCheckpoints } = open()
  const { threads, backend, wideVectors, seed, numerics } = old
  const here = environment({
    threads: threads ?? undefined,
    backend: backend ?? undefined,
    wideVectors: wideVectors ? "on" : "off",
    ...givenOf(options),
  })
  const settings = { seed, numerics, ...machine(here) }
  let model: Model
  let done = 0
  if (hasCheckpoints) {
    model = await loadModel(join(folder, files.checkpoints), settings)
    done = epochsBehind(model.history?.epoch ?? [], old)
  } else if (result !== undefined) {
    model = await kind.fromWeights(join(folder, files.model), settings)
    done = Number(result.epochs)
  } else {
    console.warn(`Note: ${folder} was ended before its first checkpoint: it begins again, with the same bits.`)
    model = await kind.build(old, settings)
  }
  const history = firstEpochs(folder, written, done)
  const epochs = options.epochs ?? old.epochs
  if (epochs !== "auto" && epochs < history.length) throw atItsEnd(history.length, epochs)
  const config = { ...old, epochs, resumed: [...old.resumed, { epoch: history.length + 1, ...here }] }
  return { config, history, model, resume: hasCheckpoints }
}

function checkArithmetic({ numericsVersion, trilobite }: AnyConfig, folder: string): void {
  if (numericsVersion === NUMERICS_VERSION) return
  throw new TrilobiteError("E_CONFIG", {
    where: join(folder, files.config),
    what: "the arithmetic of trilobite has changed since this run began.",
    expected: `numericsVersion ${NUMERICS_VERSION}`,
    got: `${numericsVersion}`,
    hint: `Start a new run, or go on with trilobite ${trilobite}.`,
  })
}

/** Throws E_USAGE if nothing is left to do. */
function checkOpen({ config, result }: SavedRun<AnyConfig, unknown>, options: TrainOptions): void {
  const epochs = options.epochs ?? config.epochs
  const done = result?.epochs
  const isOpen = config.epochs === "auto"
  if ((epochs === "auto") !== isOpen) {
    const what = `this run ${isOpen ? "finds out itself how long it trains" : "trains for a number of epochs"}.`
    const hint = "Leave --epochs out, or start a new run."
    const expected = isOpen ? "auto" : "a number"
    throw usageError({ where: "--epochs", what, expected, got: String(epochs), hint })
  }
  if (result?.ended === "stopped" || (isOpen && result?.ended === "completed")) {
    const hint = isOpen ? "--epochs <n> trains as long as you say." : "with a larger --patience it stops later."
    throw usageError({
      where: "--resume",
      what: "this run has stopped by itself: it got no better.",
      got: `${done} epochs`,
      hint: `Start a new run; ${hint}`,
    })
  }
  if (epochs !== "auto" && typeof done === "number" && epochs <= done) throw atItsEnd(done, epochs)
}

function atItsEnd(done: number, epochs: number): TrilobiteError {
  return usageError({
    where: "--resume",
    what: "all epochs of this run are done.",
    got: `${done} done, ${epochs} wanted`,
    hint: `To train longer say how many there shall be: --epochs ${done + 10}.`,
  })
}
