// A training on a table from the command line: from a file to a saved model in a run folder. Knows no command-line syntax.

import { resolve } from "node:path"
import { answersOf, prepareInputs } from "../src/datasets.ts"
import { type Callback, type Model, TrilobiteError } from "../src/index.ts"
import type { RunCoach } from "./coach.ts"
import type { TrainConfig } from "./config.ts"
import { checkConfig } from "./config-file.ts"
import { batchSizeFor, decisionsOf, recordDecision } from "./decisions.ts"
import { observe } from "./observe.ts"
import type { Ended, Ready } from "./one-training.ts"
import { printJson, printLine } from "./output.ts"
import {
  appendEpoch,
  appendLines,
  checkFields,
  commonFields,
  createRun,
  files,
  newRunFolder,
  quoted,
  reopenRun,
} from "./run-folder.ts"
import { environment, machine, type TrainOptions } from "./run-options.ts"
import { type Scores, Scoring } from "./scores.ts"
import { complete, type Settings, settings as settingList } from "./settings.ts"
import { inPieces, isStreamed } from "./streaming.ts"
import { begun, buildModel, examineRows, hasFewClasses } from "./table-net.ts"
import { announce, type Line, lineText, report, type TableResult } from "./table-report.ts"
import { hashOf, type Rows, rowsOrPieces, sameRows, shortName } from "./table-rows.ts"
import { isPackaged } from "./tables.ts"
import { type AnyConfig, checkpointsOf, type TakenUp, takeUp } from "./taking-up.ts"
import { usageError } from "./values.ts"

/** What is needed to repeat a training on a table: config.json. */
type TableConfig = Settings &
  AnyConfig & {
    readonly net: string
    readonly data: string
    readonly target: string
    readonly task: "classification" | "regression"
    readonly dataset: {
      readonly rows: number
      /** Rows that are trained with; missing in the folders of earlier versions. */
      readonly trainingRows?: number
      /** The names of the classes, unless they are too many to be looked at one by one. */
      readonly classes?: readonly string[]
      readonly columns: number
      readonly sha256: string | null
    }
  }

/** What is to be done: a run, the epochs that are behind it, its model, the folder it is in, and its rows. */
interface Plan extends TakenUp<TableConfig, Line>, Rows {
  readonly folder: string
  /** Makes the folder, or writes into an old one that the run goes on. */
  begin(): void
}

/** A training on a table, or one that goes on with that; not begun. */
export async function tableTraining(given: TrainConfig, options: TrainOptions): Promise<Ready> {
  const started = performance.now()
  const plan =
    options.resume === undefined ? await newRun(given, options) : await oldRun(given.data, options.resume, options)
  const { table, data, config, model, folder } = plan
  const told = !options.json && !options.quiet && !options.brief
  let result: TableResult | undefined
  return {
    folder,
    config,
    model,
    ...(inPieces(data) ? {} : { examine: () => examineRows(data, config, model) }),
    begin: async () => {
      if (told) announce(table, data, config, model)
      plan.begin()
    },
    fit: (signal, coach) => fitModel(plan, options, signal, coach),
    result: async (ended) => (result = await resultOf(plan, ended, started)),
    report: () => {
      const resume = `trilobite train --resume ${quoted(folder)}`
      const aborted = result!.ended === "aborted"
      if (options.json) printJson({ result: aborted ? { ...result, resume } : result })
      else report(result!, config, options.quiet === true, resume)
    },
  }
}

/** What a training has come to that was begun so many milliseconds ago. */
async function resultOf(
  { data, table, config, history, model, folder }: Plan,
  ended: Ended,
  started: number,
): Promise<TableResult> {
  const best = history.reduce<Line | undefined>((a, b) => (a === undefined || lossOf(b) < lossOf(a) ? b : a), undefined)
  return {
    data: config.data,
    target: data.preparation.target.column,
    task: data.task,
    epochs: history.length,
    bestEpoch: best?.epoch ?? null,
    bestValLoss: best?.valLoss ?? null,
    loss: history.at(-1)?.loss ?? null,
    valLoss: history.at(-1)?.valLoss ?? null,
    validation: await scoresOf(model, { table, data }, "validation"),
    test: await scoresOf(model, { table, data }, "test"),
    seconds: (performance.now() - started) / 1000,
    ended,
    out: folder,
  }
}

/** How good a model's answers are for a part of the rows; null if it has none. */
async function scoresOf(model: Model, { table, data }: Rows, part: "validation" | "test"): Promise<Scores | null> {
  const { preparation } = data
  const scoring = new Scoring(preparation)
  if (inPieces(data)) {
    for await (const { table: piece, rows, first } of data.parts(part)) {
      if (rows.length === 0) continue
      const { x } = prepareInputs(preparation, piece, rows)
      scoring.add(piece, rows, answersOf(preparation, await model.predict(x)), first)
    }
  } else if (data.rows[part].length > 0) {
    scoring.add(table, data.rows[part], answersOf(preparation, await model.predict(data[part].x)))
  }
  return scoring.result() ?? null
}

async function newRun(given: TrainConfig, options: TrainOptions): Promise<Plan> {
  const settings = complete({ ...given, ...(isStreamed(given) ? { stream: true } : {}) })
  checkOpenEpochs(given, settings)
  const { table, data } = await rowsOrPieces(settings)
  const name = shortName(settings.data!)
  const folder = newRunFolder(name, options.out)
  const { preparation, task } = data
  const config: TableConfig = {
    net: name,
    ...settings,
    data: isPackaged(settings.data!) ? settings.data! : resolve(settings.data!),
    target: preparation.target.column,
    task,
    dataset: {
      rows: table.rows,
      trainingRows: inPieces(data) ? data.rows.train : data.rows.train.length,
      ...(hasFewClasses(data) ? { classes: data.classes } : {}),
      columns: table.columns.length,
      sha256: await hashOf(settings.data!),
    },
    numerics: options.numerics ?? "portable",
    ...environment(options),
    resumed: [],
  }
  const model = buildModel(data, settings, { seed: config.seed, numerics: config.numerics, ...machine(config) })
  const rows = typeof data.rows.train === "number" ? data.rows.train : data.rows.train.length
  const decision = given.batchSize === "auto" ? await batchSizeFor(model, rows, options) : undefined
  const sized = decision === undefined ? config : { ...config, batchSize: decision.value }
  const begin = (): void => {
    createRun(folder, sized)
    if (decision !== undefined) recordDecision(folder, decision, options)
  }
  return { config: sized, history: [], model, resume: false, folder, table, data, begin }
}

/** Throws E_USAGE for what does not go with an open number of epochs. */
function checkOpenEpochs({ patience }: TrainConfig, { epochs, validation }: Settings): void {
  if (epochs !== "auto") return
  if (patience !== undefined) {
    const what = "how long to wait for a better epoch is part of --epochs auto."
    throw usageError({ where: "--patience", what, hint: "Leave --patience out, or give a number of epochs." })
  }
  if (validation > 0) return
  const hint = "For example: --validation 0.2; or give a number of epochs."
  throw usageError({ where: "--epochs", what: "auto goes by the cost of validation rows, and there are none.", hint })
}

/** @param named the file, if it was named once more: it may have moved */
async function oldRun(named: string | undefined, folder: string, options: TrainOptions): Promise<Plan> {
  const place = named === undefined || isPackaged(named) ? named : resolve(named)
  let found: Rows | undefined
  const rows = async (config: TableConfig): Promise<Rows> => (found ??= await rowsOfRun(config, folder))
  const taken = await takeUp<TableConfig, Line>(folder, options, {
    read: (given, path) => {
      const config = readTableConfig(given, path, folder)
      return place === undefined ? config : { ...config, data: place }
    },
    build: async (config, settings) => buildModel((await rows(config)).data, settingsOf(config), settings),
    fromWeights: (path) => {
      const what = "this run holds no checkpoints: trainings on tables of earlier versions are not taken up again."
      throw new TrilobiteError("E_MODEL", { where: path, what, hint: "Start a new run." })
    },
  })
  const { config, history } = taken
  const { table, data } = await rows(config)
  return { ...taken, folder, table, data, begin: () => reopenRun(folder, config, history) }
}

/** The rows of a run that goes on. Throws E_DATA if the file is another one now. */
function rowsOfRun(config: TableConfig, folder: string): Promise<Rows> {
  return sameRows(settingsOf(config), config.data, config.dataset.sha256, folder)
}

/** A config as that of a training on a table. Throws E_CONFIG or E_USAGE if it is none. */
function readTableConfig(given: object, path: string, folder: string): TableConfig {
  const config = given as TableConfig
  if (typeof config.target !== "string" && typeof config.net === "string") {
    const hint = `trilobite train ${config.net} --resume ${quoted(folder)}`
    const what = "this run trains a network of the chapter."
    throw usageError({ where: "--resume", what, expected: "a training on a table", got: config.net, hint })
  }
  const hash: unknown = config.dataset?.sha256
  checkFields(config, path, [
    ["data", typeof config.data === "string"],
    ["target", typeof config.target === "string"],
    ["task", config.task === "classification" || config.task === "regression"],
    ["dataset", hash === null || typeof hash === "string"],
    ...commonFields(config),
  ])
  checkConfig(settingsOf(config), path)
  return config
}

/** The settings in a config. */
function settingsOf(config: TableConfig): Settings {
  const own = settingList.flatMap(({ name }) => (config[name] === undefined ? [] : [[name, config[name]] as const]))
  return complete(Object.fromEntries(own))
}

const lossOf = ({ loss, valLoss }: Line): number => valLoss ?? loss

/** The lines that are printed of a training, and of one of several. */
const LINES = { alone: 20, brief: 4 }

async function fitModel(
  { model, data, config, folder, history, resume }: Plan,
  options: TrainOptions,
  signal: AbortSignal,
  coach: RunCoach,
): Promise<void> {
  const lively = !options.json && !options.quiet
  const { observed, options: own, train } = await begun(data, config, config)
  const observer = observe(observed)
  const record: Callback = {
    onTrainBegin: observer.onTrainBegin,
    onEpochEnd: async (epoch, logs, training) => {
      const seconds = model.history!.seconds.at(-1)!
      appendLines(folder, files.signals, [await observer.look(epoch, seconds, training)])
      const line = { epoch: epoch + 1, ...logs, seconds } as unknown as Line
      history.push(line)
      appendEpoch(folder, line)
      if (options.json && !options.quiet) printJson(line)
      const every = Math.max(1, Math.round(training.epochs / LINES[options.brief ? "brief" : "alone"]))
      if (lively && (epoch === 0 || (epoch + 1) % every === 0)) printLine(lineText(line, training.epochs))
    },
  }
  await train(model, {
    ...own,
    verbose: 0,
    callbacks: [
      decisionsOf(folder, options),
      record,
      ...coach.callbacks,
      ...own.callbacks,
      checkpointsOf(folder, options),
    ],
    ...(resume ? { resume } : {}),
    signal,
  })
}
