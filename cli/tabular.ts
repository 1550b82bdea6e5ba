// A training on a table from the command line: from a file to a saved model in a run folder. Knows no command-line syntax.

import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { join, resolve } from "node:path"
import {
  answersOf,
  type Examples,
  type Prepared,
  type PreparedPieces,
  type PrepareOptions,
  prepare,
  prepareInputs,
  preparePieces,
  type Table,
} from "../src/datasets.ts"
import * as trilobite from "../src/index.ts"
import {
  type Callback,
  dense,
  dropout,
  type Evidence,
  earlyStopping,
  type FitOptions,
  type Layer,
  type Logs,
  l2,
  type Model,
  type ModelOptions,
  type Optimizer,
  sequential,
  TrilobiteError,
  toCategorical,
} from "../src/index.ts"
import { coachRun, type RunCoach } from "./coach.ts"
import type { TrainConfig } from "./config.ts"
import { checkConfig } from "./config-file.ts"
import { decisionsOf } from "./decisions.ts"
import { watchInterrupts } from "./interrupt.ts"
import { observe } from "./observe.ts"
import { printJson, printLine, warningText } from "./output.ts"
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
  writeJson,
} from "./run-folder.ts"
import { environment, machine, type TrainOptions } from "./run-options.ts"
import { type Scores, Scoring, scoresText, shortened } from "./scores.ts"
import { complete, type Settings, settings as settingList } from "./settings.ts"
import { firstInputs, inPieces, isStreamed, withTargets } from "./streaming.ts"
import {
  count,
  digitRows,
  inFlags,
  isImageSet,
  isPackaged,
  openPieces,
  openTable,
  type Source,
  tableText,
} from "./tables.ts"
import { type AnyConfig, checkpointsOf, type TakenUp, takeUp } from "./taking-up.ts"
import { alike, usageError } from "./values.ts"

/** How a training on a table has ended: result.json. */
export interface TableResult {
  readonly data: string
  readonly target: string
  readonly task: "classification" | "regression"
  readonly epochs: number
  /** Of the epoch whose weights are saved. */
  readonly bestEpoch: number | null
  readonly bestValLoss: number | null
  readonly loss: number | null
  readonly valLoss: number | null
  readonly validation: Scores | null
  readonly test: Scores | null
  readonly seconds: number
  readonly ended: string
  readonly out: string
}

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
interface Plan extends TakenUp<TableConfig, Line> {
  readonly folder: string
  readonly table: Source
  readonly data: Prepared | PreparedPieces
  /** Makes the folder, or writes into an old one that the run goes on. */
  begin(): void
}

/** Trains on a table, or goes on with that; answers with the exit code. */
export async function trainTable(given: TrainConfig, options: TrainOptions): Promise<number> {
  const started = performance.now()
  const plan =
    options.resume === undefined ? await newRun(given, options) : await oldRun(given.data, options.resume, options)
  const { table, data, config: settings, model, folder } = plan
  const lively = !options.json && !options.quiet
  if (lively) announce(table, data, settings, model)
  plan.begin()
  const coach = coachRun(folder, model, settings, options)
  const interrupt = watchInterrupts(() => {
    if (!options.json) process.stderr.write("\nStopping after this round and saving; Ctrl-C again ends it at once.\n")
  })
  try {
    const history = await fitModel(plan, options, interrupt.signal, coach)
    await model.save(join(folder, files.model))
    const ended = model.history?.ended ?? "completed"
    const scores = async (part: "validation" | "test"): Promise<Scores | null> => {
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
    const best = history.reduce<Line | undefined>(
      (a, b) => (a === undefined || lossOf(b) < lossOf(a) ? b : a),
      undefined,
    )
    const result: TableResult = {
      data: settings.data!,
      target: data.preparation.target.column,
      task: data.task,
      epochs: history.length,
      bestEpoch: best?.epoch ?? null,
      bestValLoss: best?.valLoss ?? null,
      loss: history.at(-1)?.loss ?? null,
      valLoss: history.at(-1)?.valLoss ?? null,
      validation: await scores("validation"),
      test: await scores("test"),
      seconds: (performance.now() - started) / 1000,
      ended,
      out: folder,
    }
    writeJson(join(folder, files.result), result)
    await coach.report()
    const resume = `trilobite train --resume ${quoted(folder)}`
    if (options.json) printJson({ result: ended === "aborted" ? { ...result, resume } : result })
    else report(result, settings, options.quiet === true, resume)
    return ended === "aborted" ? (interrupt.exitCode ?? 0) : 0
  } catch (error) {
    await coach.report()
    throw error
  } finally {
    interrupt.close()
  }
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
  const plan = { config, history: [], model, resume: false, folder, table, data }
  return { ...plan, begin: () => createRun(folder, config) }
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
  let found: Awaited<ReturnType<typeof rowsOrPieces>> | undefined
  const rows = async (config: TableConfig): ReturnType<typeof rowsOrPieces> =>
    (found ??= await rowsOfRun(config, folder))
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

/** The table and its rows as they are trained on. */
export async function rowsFor(settings: Settings): Promise<{ readonly table: Source; readonly data: Prepared }> {
  if (isImageSet(settings.data!)) return digitRows()
  const table = await inFlags(() => openTable(settings.data!, readingOf(settings)))
  return { table, data: await inFlags(() => prepare(table, preparingOf(settings, table))) }
}

/** The same, in pieces if that was decided. */
async function rowsOrPieces(settings: Settings): Promise<{
  readonly table: Source
  readonly data: Prepared | PreparedPieces
}> {
  if (settings.stream !== true || isImageSet(settings.data!)) return rowsFor(settings)
  return inFlags(async () => {
    const pieces = (): AsyncGenerator<Source> => openPieces(settings.data!, readingOf(settings))
    let data: PreparedPieces | undefined
    for await (const first of pieces()) {
      data = await preparePieces(pieces, preparingOf(settings, first))
      break
    }
    // Without rows the reader has thrown.
    return { table: data!.table, data: data! }
  })
}

/** The same for a run that goes on. Throws E_DATA if the file is another one now. */
async function rowsOfRun(config: TableConfig, folder: string): ReturnType<typeof rowsOrPieces> {
  const { data, dataset } = config
  const got = await hashOf(data)
  if (got !== dataset.sha256) {
    const about = (hash: string | null): string => (hash === null ? "a data set of the package" : `SHA-256 ${hash}`)
    throw new TrilobiteError("E_DATA", {
      where: data,
      what: `this is not the table that ${folder} was trained on.`,
      expected: about(dataset.sha256),
      got: about(got),
      hint: `Has it moved? trilobite train <file> --resume ${quoted(folder)}. Has it changed? Start a new run.`,
    })
  }
  return rowsOrPieces(settingsOf(config))
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

/** What was measured in an epoch, counted from 1. */
type Line = {
  readonly epoch: number
  readonly loss: number
  readonly valLoss?: number
  readonly seconds: number
} & Logs

const lossOf = ({ loss, valLoss }: Line): number => valLoss ?? loss

/** How the file is read. */
export function readingOf({ delimiter, header, categorical }: TrainConfig): Parameters<typeof openTable>[1] {
  return {
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(header === undefined ? {} : { header }),
    ...(categorical === undefined
      ? {}
      : { kinds: Object.fromEntries(categorical.map((name) => [name, "text" as const])) }),
  }
}

function preparingOf(settings: Settings, table: Source): PrepareOptions {
  const { features, ignore, categorical, task, scaling, missing, validation, test, split, timeColumn, seed } = settings
  const target = settings.target ?? table.target
  if (target === undefined) {
    const expected = `--target and one of ${table.columns
      .slice(0, 30)
      .map(({ name }) => shortened(name, 30))
      .join(", ")}`
    const hint = `For example: --target ${quoted(table.columns.at(-1)!.name)}.`
    throw usageError({ where: "--target", what: "which column is to be predicted?", expected, hint })
  }
  const given = { features, ignore, categorical, task, scaling, missing, split, timeColumn }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return { target, validation, test, seed, ...Object.fromEntries(known) }
}

/** The optimizers by the names that the command line takes. */
const optimizers = {
  sgd: trilobite.sgd,
  adam: trilobite.adam,
  adamW: trilobite.adamW,
  adamax: trilobite.adamax,
  nadam: trilobite.nadam,
  rmsprop: trilobite.rmsprop,
  adagrad: trilobite.adagrad,
  adadelta: trilobite.adadelta,
  adafactor: trilobite.adafactor,
  ftrl: trilobite.ftrl,
  lamb: trilobite.lamb,
  lion: trilobite.lion,
} as const

function optimizerOf({ optimizer, learningRate }: Settings): Optimizer {
  const found = Object.entries(optimizers).find(([name]) => name.toLowerCase() === optimizer.toLowerCase())
  if (found === undefined) {
    const near = alike(optimizer, Object.keys(optimizers))
    const hint = near === undefined ? {} : { hint: `Did you mean ${near}?` }
    const expected = Object.keys(optimizers).join(", ")
    throw new TrilobiteError("E_CONFIG", {
      where: "--optimizer",
      what: `unknown optimizer ${JSON.stringify(optimizer)}.`,
      expected,
      ...hint,
    })
  }
  return (found[1] as (given: { readonly learningRate?: number }) => Optimizer)(
    learningRate === undefined ? {} : { learningRate },
  )
}

/** Losses that compare an output for each class with the number of the class, or one output with 0 or 1. */
const LABELS = /^(sparse|binary)|^bce$/i

/** The network by the chapter's rules: hidden layers, then a probability for each class, one for two, or a number. */
export function buildModel(data: Prepared | PreparedPieces, settings: Settings, options: ModelOptions): Model {
  const { layers: units, activation, dropout: rate } = settings
  const { classes } = data
  const width = data.features.length
  const two = classes.length === 2
  const inOneHot = needsOneHot(data, settings)
  const regular = settings.l2 > 0 ? { kernelRegularizer: l2({ l2: settings.l2 }) } : {}
  const shape = (i: number): { readonly inputShape?: readonly number[] } => (i === 0 ? { inputShape: [width] } : {})
  const hidden = units.flatMap((n, i): Layer[] => [
    dense({ units: n, activation: activation as "relu", ...regular, ...shape(i) }),
    ...(rate > 0 ? [dropout({ rate })] : []),
  ])
  const last: Layer =
    data.task === "regression"
      ? dense({ units: 1, ...shape(units.length) })
      : dense({ units: two ? 1 : classes.length, activation: two ? "sigmoid" : "softmax", ...shape(units.length) })
  const model = sequential([...hidden, last], { name: "network", ...options })
  model.preparing = data.preparation
  const usual =
    data.task === "regression" ? "meanSquaredError" : two ? "binaryCrossentropy" : "sparseCategoricalCrossentropy"
  model.compile({
    loss: (settings.loss ?? usual) as "mse",
    optimizer: optimizerOf(settings),
    metrics: [data.task === "regression" ? "r2Score" : two && !inOneHot ? "binaryAccuracy" : "accuracy"],
  })
  return model
}

/** Losses of classes by rows of outputs take targets with a 1 at the class. */
function needsOneHot({ classes }: Prepared | PreparedPieces, { loss }: Settings): boolean {
  return classes.length > 2 && loss !== undefined && !LABELS.test(loss)
}

async function fitModel(
  { model, data, config, folder, history, resume }: Plan,
  options: TrainOptions,
  signal: AbortSignal,
  coach: RunCoach,
): Promise<readonly Line[]> {
  const lively = !options.json && !options.quiet
  const {
    x,
    xValid,
    targets,
    options: own,
    train,
  } = inPieces(data) ? await fitPieces(data, config) : fitRows(data, config)
  // The same net without dropout, and with steps of length 1.
  const { numerics, wideVectors } = config
  const plain = { ...config, optimizer: "sgd", learningRate: 1, dropout: 0 }
  const asked = targets && { probe: buildModel(data, plain, { numerics, wideVectors, threads: 1 }), ...targets }
  const observer = observe({ x, xValid, ...(asked === undefined ? {} : { asked }) })
  const record: Callback = {
    onTrainBegin: observer.onTrainBegin,
    onEpochEnd: async (epoch, logs, training) => {
      const seconds = model.history!.seconds.at(-1)!
      appendLines(folder, files.signals, [await observer.look(epoch, seconds, training)])
      const line = { epoch: epoch + 1, ...logs, seconds } as unknown as Line
      history.push(line)
      appendEpoch(folder, line)
      if (options.json && !options.quiet) printJson(line)
      const every = Math.max(1, Math.round(training.epochs / 20))
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
  return history
}

/** The most classes whose confusion is written down after epochs. */
const FEW_CLASSES = 30

const hasFewClasses = ({ task, classes }: Prepared | PreparedPieces): boolean =>
  task === "classification" && classes.length <= FEW_CLASSES

/** How a training is begun, and rows to look at it with. */
interface Begun {
  readonly x: Examples["x"]
  readonly xValid: Examples["x"]
  /** What those rows come to, where all are in memory; of validation rows the numbers of the classes, if they are few. */
  readonly targets?: { readonly y: Examples["y"]; readonly yValid: Examples["y"] | undefined }
  readonly options: { readonly callbacks: readonly Callback[] }
  readonly train: (model: Model, options: Omit<FitOptions, "validationSplit" | "sampleWeight">) => Promise<unknown>
}

function fitRows(data: Prepared, settings: Settings): Begun {
  const { x, y, options } = trainingOf(data, settings)
  const validates = options.validationData !== undefined
  const targets = { y, yValid: validates && hasFewClasses(data) ? data.validation.y : undefined }
  const xValid = validates ? data.validation.x : x
  return { x, xValid, targets, options, train: (model, all) => model.fit(x, y, all) }
}

async function fitPieces(data: PreparedPieces, settings: Settings): Promise<Begun> {
  const oneHot = needsOneHot(data, settings)
  const stream = (of: PreparedPieces["train"]): PreparedPieces["train"] =>
    oneHot ? withTargets(of, (y) => toCategorical(y, data.classes.length)) : of
  const validates = data.rows.validation > 0
  const options = {
    ...optionsOf(data, settings, data.rows.train, validates),
    ...(validates ? { validationData: stream(data.validation) } : {}),
  }
  const x = await firstInputs(data.train)
  const xValid = validates ? await firstInputs(data.validation) : x
  return { x, xValid, options, train: (model, all) => model.fit(stream(data.train), all) }
}

/** What both have in common: how long, in what rounds, and when it stops. */
function optionsOf(
  { classWeights: weights }: Pick<Prepared, "classWeights">,
  { epochs, batchSize, patience, seed, classWeights }: Settings,
  rows: number,
  validates: boolean,
): FitOptions & { readonly callbacks: readonly Callback[] } {
  const stops = validates && patience > 0 && epochs !== "auto"
  return {
    batchSize: Math.min(batchSize, rows),
    epochs,
    seed,
    callbacks: stops ? [earlyStopping({ monitor: "valLoss", patience, restoreBestWeights: true })] : [],
    ...(classWeights === "balanced" ? { classWeight: weights } : {}),
  }
}

/** What `fit` is given: training rows with their targets, and how they are trained on. */
export function trainingOf(
  data: Prepared,
  settings: Settings,
): {
  readonly x: Examples["x"]
  readonly y: Examples["y"]
  readonly options: FitOptions & { readonly callbacks: readonly Callback[] }
} {
  const validates = data.rows.validation.length > 0
  const targets = ({ y: labels }: Examples): Examples["y"] =>
    needsOneHot(data, settings) ? toCategorical(labels, data.classes.length) : labels
  const options = {
    ...optionsOf(data, settings, data.rows.train.length, validates),
    ...(validates ? { validationData: [data.validation.x, targets(data.validation)] as const } : {}),
  }
  return { x: data.train.x, y: targets(data.train), options }
}

/** What can be said of a training on a table before its first step. */
export interface TableCheckup {
  readonly evidence: Evidence
  /** Why the table cannot be trained on as it is; it was looked at with missing cells filled. */
  readonly refused: TrilobiteError | undefined
  readonly warnings: readonly string[]
}

/** Looks at a training on a table that is not begun. */
export async function examineTable(given: TrainConfig): Promise<TableCheckup> {
  const settings = complete(given)
  let refused: TrilobiteError | undefined
  const { data } = await rowsFor(settings).catch(async (error: unknown) => {
    if (!(error instanceof TrilobiteError) || error.code !== "E_DATA" || given.missing !== undefined) throw error
    refused = error
    return await rowsFor({ ...settings, missing: "mean" }).catch(() => {
      throw error
    })
  })
  const { x, y, options } = trainingOf(data, settings)
  const evidence = await buildModel(data, settings, { seed: settings.seed }).examine(x, y, options)
  return { evidence, refused, warnings: data.warnings.map(({ message }) => message) }
}

/** The words for what is measured. */
const WORDS: { readonly [measure: string]: string } = {
  loss: "loss",
  accuracy: "accuracy",
  binaryAccuracy: "accuracy",
  r2Score: "R²",
}

function lineText(line: Line, epochs: number): string {
  const measures = Object.entries(line).filter(([name]) => name !== "epoch" && name !== "seconds")
  const words = measures.map(([name, value]) => {
    const plain = name.replace(/^val(.)/, (_, letter: string) => letter.toLowerCase())
    const word = WORDS[plain] ?? plain
    return `${plain === name ? word : `validation ${word}`} ${(value as number).toFixed(4)}`
  })
  return `Epoch ${String(line.epoch).padStart(String(epochs).length)}  ${words.join("  ")}`
}

const sizesOf = ({ train, validation, test }: Prepared["rows"]) => ({
  train: train.length,
  validation: validation.length,
  test: test.length,
})

/** What is said of a table that is not in memory. */
function piecesText(table: Table, { preparation, features }: PreparedPieces): string {
  const used = `${count(preparation.features.length, "column")} used as ${count(features.length, "input")}`
  return [
    `${shortened(table.source, 50)}: ${count(table.rows, "row")}, ${count(table.columns.length, "column")}, ${used}`,
    "Reading      in pieces, again in every epoch; rows are mixed with the 4,096 before",
    "             them (--stream off reads the whole file into memory)",
  ].join("\n")
}

function announce(table: Source, data: Prepared | PreparedPieces, settings: Settings, model: Model): void {
  const { classes, task } = data
  const { train, validation, test } = inPieces(data) ? data.rows : sizesOf(data.rows)
  printLine(inPieces(data) ? piecesText(table, data) : tableText(table, data))
  const what = task === "classification" ? `classification into ${classes.length} classes` : "regression"
  const parts = [`${count(train, "row")} to train`, `${validation} to validate`]
  if (test > 0) parts.push(`${test} to test`)
  printLine(`\nTask         ${what}; ${parts.join(", ")}`)
  const width = data.features.length
  const hidden = settings.layers.map((n) => `${n} ${settings.activation}`)
  const last = task === "regression" ? "1 linear" : classes.length === 2 ? "1 sigmoid" : `${classes.length} softmax`
  printLine(
    `Network      ${[count(width, "input"), ...hidden, last].join(" - ")}: ${count(model.countParams(), "parameter")}`,
  )
  const loss = settings.loss ?? (task === "regression" ? "mean squared error" : "cross-entropy")
  const rate = model.optimizer.learningRate
  printLine(
    `Training     ${loss}, ${settings.optimizer} ${Number(rate.toPrecision(4))}, batches of ${settings.batchSize}, ${settings.epochs === "auto" ? "epochs by the validation cost" : `up to ${count(settings.epochs, "epoch")}`}`,
  )
  for (const { message } of data.warnings) printLine(warningText(message))
  printLine("")
}

function report(result: TableResult, settings: Settings, quiet: boolean, resume: string): void {
  const { epochs, bestEpoch, ended, validation, test, out } = result
  if (!quiet) printLine("")
  const stopped =
    ended !== "aborted" && settings.epochs === "auto"
      ? ", as the validation cost says"
      : ended === "stopped"
        ? `, stopped after ${settings.patience} without improvement`
        : ended === "aborted"
          ? ", interrupted"
          : ""
  const best =
    bestEpoch === null || validation === null || (settings.patience === 0 && settings.epochs !== "auto")
      ? ""
      : `; the weights of epoch ${bestEpoch} are saved`
  printLine(`Epochs       ${epochs}${stopped}${best}`)
  for (const [name, scores] of [
    ["Validation", validation],
    ["Test", test],
  ] as const) {
    if (scores !== null) printLine(`${name.padEnd(13)}${count(scores.rows, "row")}\n${scoresText(scores)}`)
  }
  printLine(`Time         ${result.seconds.toFixed(1)} s`)
  printLine(`Saved in     ${out}`)
  if (!quiet) printLine(`To use it    trilobite predict ${quoted(out)} <file>`)
  if (ended === "aborted") printLine(`To go on:\n${resume}`)
}

/** A name for the run's folder: that of the file without its folder and its end. */
export function shortName(data: string): string {
  const name = data
    .split(/[/\\]/)
    .at(-1)!
    .replace(/(\.\w+)?(\.gz)?$/, "")
    .replace(/[^\w.-]+/g, "-")
    .slice(0, 40)
  return name === "" ? "table" : name
}

async function hashOf(data: string): Promise<string | null> {
  if (isPackaged(data)) return null
  const hash = createHash("sha256")
  for await (const piece of createReadStream(data)) hash.update(piece as Buffer)
  return hash.digest("hex")
}
