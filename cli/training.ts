// One training from the command line: data, model, fit, run folder, report. Knows no command-line syntax.

import { resolve } from "node:path"
import { asTrainingData, mnist } from "../src/datasets.ts"
import { type Callback, type Evidence, loadModel, type Model, type Tensor, TrilobiteError } from "../src/index.ts"
import type { RunCoach } from "./coach.ts"
import { batchSizeFor, decisionsOf, recordDecision } from "./decisions.ts"
import { buildNet, type NetName, nets } from "./nets.ts"
import { observe } from "./observe.ts"
import type { Ended, Ready } from "./one-training.ts"
import { printJson, printLine, reportText } from "./output.ts"
import {
  appendEpoch,
  appendLines,
  createRun,
  type EpochLine,
  files,
  newRunFolder,
  quoted,
  type Result,
  type RunConfig,
  readNetConfig,
  reopenRun,
} from "./run-folder.ts"
import { environment, givenOf, machine, type TrainOptions } from "./run-options.ts"
import { checkpointsOf, type TakenUp, takeUp } from "./taking-up.ts"
import { usageError } from "./values.ts"

/** MNIST's images to train on. */
const ROWS = 60_000

/** What is to be done: a run, the epochs that are behind it, its model, and the folder it is in. */
interface Plan extends TakenUp<RunConfig, EpochLine> {
  readonly folder: string
  /** Makes the folder, or writes into an old one that the run goes on. */
  begin(): void
}

/** A training of a network, or one that goes on with that; not begun. */
export async function netTraining(net: NetName, options: TrainOptions): Promise<Ready> {
  const started = performance.now()
  const plan = options.resume === undefined ? await newRun(net, options) : await oldRun(net, options.resume, options)
  const { folder, config, model } = plan
  const told = !options.json && !options.quiet && !options.brief
  let read: Promise<Images> | undefined
  const images = (): Promise<Images> => (read ??= imagesOf(config.data))
  let unfinished: number | null = null
  let result: Result | undefined
  return {
    folder,
    config,
    model,
    examine: async () => examineImages(model, config, await images()),
    begin: async () => {
      const [x, , xValid] = await images()
      plan.begin()
      if (told) announce(plan, x, xValid)
    },
    fit: async (signal, coach) => {
      unfinished = await images().then((own) => {
        read = undefined
        return fitModel(plan, own, options, signal, coach)
      })
    },
    result: async (ended) => {
      const totalSeconds = (performance.now() - started) / 1000
      return (result = { ...summarise(plan, unfinished, ended), totalSeconds, out: folder })
    },
    report: () => report(result!, plan, options),
  }
}

async function newRun(net: NetName, options: TrainOptions): Promise<Plan> {
  const { epochs, batchSize: wanted, learningRate } = { ...nets[net], ...givenOf(options) }
  const seed = options.seed ?? 0
  const folder = newRunFolder(net, options.out)
  const data = options.data === undefined ? null : resolve(options.data)
  const numerics = options.numerics ?? "portable"
  const training = { net, epochs, learningRate, seed, numerics, dataset: "mnist", data } as const
  const here = environment(options)
  const model = buildNet(net, { seed, numerics, ...machine(here) }, learningRate)
  const decision = wanted === "auto" ? await batchSizeFor(model, ROWS, options) : undefined
  const batchSize = decision?.value ?? (wanted as number)
  const config: RunConfig = { ...training, batchSize, ...here, resumed: [] }
  const begin = (): void => {
    createRun(folder, config)
    if (decision !== undefined) recordDecision(folder, decision, options)
  }
  return { config, folder, history: [], model, resume: false, begin }
}

async function oldRun(net: NetName, folder: string, options: TrainOptions): Promise<Plan> {
  const taken = await takeUp<RunConfig, EpochLine>(folder, options, {
    read: (given, path) => {
      const { net: own, target } = given as { readonly net?: unknown; readonly target?: unknown }
      const isTable = typeof target === "string"
      const config = isTable ? undefined : readNetConfig(given, path)
      if (config?.net === net) return config
      const what = isTable ? "this run trains on a table." : "this run trains another network."
      const hint = `trilobite train${isTable ? "" : ` ${own}`} --resume ${quoted(folder)}`
      throw usageError({ where: "--resume", what, expected: net, got: String(own), hint })
    },
    build: ({ learningRate }, settings) => buildNet(net, settings, learningRate),
    fromWeights: (path, settings) => loadModel(path, { name: net, ...settings }),
  })
  const data = options.data === undefined ? taken.config.data : resolve(options.data)
  const config = { ...taken.config, data }
  return { ...taken, config, folder, begin: () => reopenRun(folder, config, taken.history) }
}

/**
 * Trains; answers with the epoch (from 1) that was begun and not finished. Waits for nothing itself: what waits would hold the
 * images, and the engine holds them already.
 */
function fitModel(
  { config, folder, history, model, resume }: Plan,
  [xTrain, yTrain, xValid, yValid]: Images,
  options: TrainOptions,
  signal: AbortSignal,
  coach: RunCoach,
): Promise<number | null> {
  const { batchSize, epochs } = config
  const lively = !options.json && !options.quiet
  let unfinished: number | null = null
  // Beside the training's threads one is enough; the fastest backend, whichever it is: they have the same bits.
  const { net, numerics, wideVectors } = config
  const probe = buildNet(net, { numerics, wideVectors, threads: 1 }, 1)
  const observer = observe({ x: xTrain, y: yTrain, rows: xTrain.shape[0]!, xValid, yValid, probe })
  const record: Callback = {
    onTrainBegin: observer.onTrainBegin,
    onEvent: (event) => {
      if (event.type === "epochBegin") unfinished = event.epoch + 1
    },
    onEpochEnd: async (epoch, logs, training) => {
      const seconds = model.history!.seconds.at(-1)!
      appendLines(folder, files.signals, [await observer.look(epoch, seconds, training)])
      unfinished = null
      const line = { epoch: epoch + 1, ...logs, seconds } as EpochLine
      history.push(line)
      appendEpoch(folder, line)
      if (options.json && !options.quiet) printJson(line)
    },
  }
  const trained = model.fit(xTrain, yTrain, {
    batchSize,
    epochs,
    ...(resume ? { resume: true } : { initialEpoch: history.length }),
    validationData: [xValid, yValid],
    verbose: lively ? 1 : 0,
    // The lines of an epoch are on the disk before the checkpoint that has seen it.
    callbacks: [decisionsOf(folder, options), record, ...coach.callbacks, checkpointsOf(folder, options)],
    signal,
  })
  for (const own of [xTrain, yTrain]) letGo(own)
  return trained.then(() => unfinished)
}

/** Gives back the memory of a tensor that nobody reads any more, at once where Node can (21 and later), else with the next collection. */
function letGo({ data: { buffer } }: Tensor): void {
  ;(buffer as { transfer?(bytes: number): ArrayBuffer }).transfer?.(0)
}

/** What can be said of a network's training on MNIST before its first step. */
export async function examineNet(net: NetName, options: TrainOptions): Promise<Evidence> {
  const { epochs, batchSize: wanted, learningRate } = { ...nets[net], ...givenOf(options) }
  const batchSize = wanted === "auto" ? 32 : wanted
  const model = buildNet(net, { seed: options.seed ?? 0 }, learningRate)
  return examineImages(model, { batchSize, epochs }, await imagesOf(options.data ?? null))
}

/** Images and their digits: to train on, and to validate on. */
type Images = readonly [xTrain: Tensor, yTrain: Tensor, xValid: Tensor, yValid: Tensor]

async function imagesOf(folder: string | null): Promise<Images> {
  const { xTrain, yTrain, xValid, yValid } = asTrainingData(await readMnist(folder))
  return [xTrain, yTrain, xValid, yValid]
}

function examineImages(
  model: Model,
  { batchSize, epochs }: Pick<RunConfig, "batchSize" | "epochs">,
  [xTrain, yTrain, xValid, yValid]: Images,
): Promise<Evidence> {
  return model.examine(xTrain, yTrain, { batchSize, epochs, validationData: [xValid, yValid] })
}

/** Says what is trained on how many images, before it begins. */
function announce({ model, config }: Plan, xTrain: Tensor, xValid: Tensor): void {
  model.summary({ printFn: printLine })
  const [train, valid] = [xTrain, xValid].map(({ shape }) => shape[0]!.toLocaleString("en-US"))
  const { batchSize, seed } = config
  printLine(`\nTraining on ${train} images, validating on ${valid}; batch size ${batchSize}, seed ${seed}.`)
}

/** MNIST, from the named folder if there is one; errors name our option. */
async function readMnist(folder: string | null): ReturnType<typeof mnist> {
  try {
    return await mnist(folder === null ? {} : { path: folder })
  } catch (error) {
    if (!(error instanceof TrilobiteError) || error.hint === undefined) throw error
    const { code, what, where, expected, got, hint } = error
    const fields = { what, where, expected, got, hint: hint.replace("option `path`", "option --data") }
    throw new TrilobiteError(code, fields, { cause: error })
  }
}

type Summary = Omit<Result, "totalSeconds" | "out">

function summarise({ config, history }: Plan, unfinishedEpoch: number | null, ended: Ended): Summary {
  const last = history.at(-1)
  const best = history.reduce<EpochLine | undefined>((a, b) => (a === undefined || b.valLoss < a.valLoss ? b : a), last)
  return {
    net: config.net,
    epochs: history.length,
    bestEpoch: best?.epoch ?? null,
    bestValLoss: best?.valLoss ?? null,
    bestValAccuracy: best?.valAccuracy ?? null,
    loss: last?.loss ?? null,
    accuracy: last?.accuracy ?? null,
    valLoss: last?.valLoss ?? null,
    valAccuracy: last?.valAccuracy ?? null,
    seconds: history.reduce((sum, { seconds }) => sum + seconds, 0),
    ended,
    unfinishedEpoch,
  }
}

function report(result: Result, { config, folder }: Plan, options: TrainOptions): void {
  const resume = `trilobite train ${config.net} --resume ${quoted(folder)}`
  const aborted = result.ended === "aborted"
  if (options.json) {
    printJson({ result: aborted ? { ...result, resume } : result })
    return
  }
  printLine(`${options.quiet ? "" : "\n"}${reportText(result, folder)}`)
  if (aborted) printLine(`To go on:\n${resume}`)
}
