// The options of compile, fit, evaluate and predict: their types, what values they take, and their defaults.
// Knows no model.

import type { Backend } from "../backend/backend.ts"
import type { Advisor, Finding } from "../coach/finding.ts"
import { type DataLike, type Dataset, isDataset } from "../data/dataset.ts"
import {
  finiteNumber,
  flag,
  maybe,
  type OptionsOf,
  oneOf,
  optional,
  positiveInteger,
  readOptions,
  text,
  that,
  wholeNumber,
} from "../nn/options.ts"
import type { Numerics } from "../program/program.ts"
import type { Callback } from "./callbacks/callback.ts"
import type { ClassWeights } from "./inputs.ts"

/** The options of a model. Backend, threads and wide vectors change no bit of any result. */
export interface ModelOptions {
  /** The name of the model, for summaries and as a layer of other models (default sequential or functional). */
  readonly name?: string
  /** What the initial weights depend on, and the order of the rows if fit gives no other seed (default 0). */
  readonly seed?: number
  /** The backend by name; by default the fastest that can run here. */
  readonly backend?: Backend["name"]
  /** Threads that share the work (default: one for each core, fewer for small networks). */
  readonly threads?: number
  /**
   * How products are summed (default portable): `portable` rounds each product and each sum, the same bits everywhere;
   * `fused` uses fused multiply-add where the machine has it, faster, the same bits on one kind of machine.
   */
  readonly numerics?: Numerics
  /**
   * Whether Node's compiler may pair vectors (default false; Node 24 and later). About twice as fast, the same bits: every program
   * proves it in its first round. It is switched by a flag of V8 for the moment of compilation, hence an option.
   */
  readonly wideVectors?: boolean
  /**
   * Browsers only: the URL of a module of your own that imports `trilobite/worker`, for pages whose content security policy
   * forbids workers from blob: URLs. By default workers need no file.
   */
  readonly workerUrl?: string
}

/** The options of fit, with Keras's names and defaults. */
export interface FitOptions {
  /** Examples in a round (default 32). */
  readonly batchSize?: number
  /**
   * Times that all examples are used (default 1). `"auto"`: as many as the validation cost asks for. It trains 16 epochs, and twice as many
   * as long as the cost still falls; it stops when the cost creeps up, and when it rests; the best weights are put back. Callbacks
   * with `onDecision` hear of each decision with its reason; else it is printed, unless `verbose` is 0.
   */
  readonly epochs?: number | "auto"
  /** 0: silent, 1: a moving line for each epoch, 2: a line for each epoch (default "auto": 1). */
  readonly verbose?: 0 | 1 | 2 | "auto"
  /** What is called while training (default nothing). */
  readonly callbacks?: readonly Callback[]
  /** The share of the rows that validates, from 0 to below 1: a random sample, by classes where there are some (default 0). */
  readonly validationSplit?: number
  /** Inputs and targets to validate with, and weights of the examples if they have some; or a data set of them. */
  readonly validationData?: readonly [DataLike, DataLike] | readonly [DataLike, DataLike, DataLike] | Dataset
  /** Examples in a round of validation (default: batchSize). */
  readonly validationBatchSize?: number
  /** Rounds of validation (default: all rows). */
  readonly validationSteps?: number
  /** Validates after every n-th epoch, or after the epochs of a list, counted from 1 as in Keras (default 1). */
  readonly validationFreq?: number | readonly number[]
  /**
   * How loss and metrics of the training rows are measured: `running`, the mean over the rounds of an epoch, while the weights
   * change, as in Keras; or `epochEnd`, an evaluation of the rows after the epoch, which `evaluate` repeats (default running).
   */
  readonly trainMetrics?: "running" | "epochEnd"
  /** What each class counts in the cost, by its index (default 1). Keras's class_weight. */
  readonly classWeight?: ClassWeights
  /** Rounds of an epoch (default: all rows). Endless streams need it; a stream goes on in the next epoch where it was. */
  readonly stepsPerEpoch?: number
  /** Whether the rows are taken in a new order in every epoch (default true). */
  readonly shuffle?: boolean
  /** What each example counts in the cost: one number for each row (default 1). Keras's sample_weight. */
  readonly sampleWeight?: DataLike
  /** What the order of the rows, the validation split and random layers depend on (default: the model's seed). */
  readonly seed?: number
  /** The epoch to begin with, counted from 0 (default 0). */
  readonly initialEpoch?: number
  /**
   * Goes on with a training that was interrupted, in the middle of an epoch too, and ends with the bits of one that was not: `true`
   * with the one that this model holds (its `fit` was aborted, or it was loaded from a file that was saved during a training), or the
   * path of such a file or of a folder of `checkpoints`, of which the newest that is not damaged is taken. Data, options and
   * callbacks must be those of that training; threads, backend and machine may be others, and there may be more epochs.
   */
  readonly resume?: true | string
  /**
   * Whether the training is watched and what is wrong with it is said (default false): findings are printed unless `verbose` is 0,
   * kept in `model.coach`, and told to callbacks with `onFinding`. No weight changes by a bit; it takes some hundredths of the time.
   */
  readonly coach?: boolean | CoachOptions
  /** Ends the training after the current round when it is aborted; the weights stay as they are then. */
  readonly signal?: AbortSignal
}

/** How a training is watched. */
export interface CoachOptions {
  /** Called with every finding. */
  readonly onFinding?: (finding: Finding) => void | Promise<void>
  /** Who makes findings of what is seen (default: the coach's rules). */
  readonly advisor?: Advisor
}

/** The options of fit for a data set: those of fit without what divides or weighs data in memory, and one more. */
export interface DatasetFitOptions extends Omit<FitOptions, "validationSplit" | "sampleWeight"> {
  /** Rows of a stream from which the next one is chosen at random (default 4096, or as many as 64 MiB hold); 0: none. */
  readonly shuffleBuffer?: number
}

/** The options of evaluate. */
export interface EvaluateOptions {
  /** Examples in a round (default 32). */
  readonly batchSize?: number
  /** Rounds (default: all rows). */
  readonly steps?: number
  /** What each example counts: one number for each row (default 1). A data set has its own. */
  readonly sampleWeight?: DataLike
}

/** The options of predict. */
export interface PredictOptions {
  /** Examples in a round (default 32). */
  readonly batchSize?: number
}

type Read<O, Open extends keyof O> = Required<Omit<O, Open>> & { readonly [K in Open]: O[K] | undefined }
type AllFitOptions = FitOptions & DatasetFitOptions
type OpenFit =
  | "validationData"
  | "validationBatchSize"
  | "validationSteps"
  | "classWeight"
  | "sampleWeight"
  | "seed"
  | "signal"
  | "resume"
  | "stepsPerEpoch"
  | "shuffleBuffer"

const isCallback = (value: unknown): value is Callback => typeof value === "object" && value !== null
const isSignal = (value: unknown): value is AbortSignal =>
  typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value
const isCoach = (value: unknown): value is boolean | CoachOptions =>
  typeof value === "boolean" || (typeof value === "object" && value !== null)
const isResume = (value: unknown): value is true | string =>
  value === true || (typeof value === "string" && value !== "")
const isPair = (value: unknown): value is readonly [DataLike, DataLike] | Dataset =>
  (Array.isArray(value) && (value.length === 2 || value.length === 3)) || isDataset(value)
const isEpochs = (value: unknown): value is number | "auto" =>
  value === "auto" || (Number.isSafeInteger(value) && (value as number) >= 0)
const isFreq = (value: unknown): value is number | readonly number[] => {
  const isEpoch = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 1
  return isEpoch(value) || (Array.isArray(value) && value.every(isEpoch))
}
const isRecord = (value: unknown): value is ClassWeights =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
const isData = (value: unknown): value is DataLike => typeof value === "object" && value !== null
const isVerbosity = (value: unknown): value is 0 | 1 | 2 | "auto" =>
  value === 0 || value === 1 || value === 2 || value === "auto"
const isCallbacks = (value: unknown): value is readonly Callback[] => Array.isArray(value) && value.every(isCallback)

const fitOptions: OptionsOf<Read<AllFitOptions, OpenFit>> = {
  batchSize: optional(positiveInteger(), 32),
  epochs: optional(that('a whole number of at least 0, or "auto"', isEpochs), 1),
  verbose: optional(that('0, 1, 2 or "auto"', isVerbosity), "auto"),
  callbacks: optional(that("a list of callbacks", isCallbacks), []),
  validationSplit: optional(finiteNumber({ least: 0, below: 1 }), 0),
  validationData: maybe(that("[inputs, targets], [inputs, targets, weights] or a data set", isPair)),
  validationBatchSize: maybe(positiveInteger()),
  validationSteps: maybe(positiveInteger()),
  validationFreq: optional(that("a whole number of at least 1, or a list of them", isFreq), 1),
  trainMetrics: optional(oneOf("trainMetrics", ["running", "epochEnd"] as const), "running"),
  classWeight: maybe(that("a weight for each class: { 0: 1, 1: 2.5 }", isRecord)),
  sampleWeight: maybe(that("a weight for each example", isData)),
  shuffle: optional(flag(), true),
  seed: maybe(wholeNumber()),
  initialEpoch: optional(wholeNumber(), 0),
  signal: maybe(that("an AbortSignal", isSignal)),
  coach: optional(that("true, false, or { onFinding, advisor }", isCoach), false),
  resume: maybe(that("true, or the path of a checkpoint or of a folder of them", isResume)),
  stepsPerEpoch: maybe(positiveInteger()),
  shuffleBuffer: maybe(wholeNumber()),
}

/** The options of fit, complete. Throws E_CONFIG for unknown options and wrong values. */
export function readFitOptions(given: FitOptions | DatasetFitOptions): Read<AllFitOptions, OpenFit> {
  return readOptions<Read<AllFitOptions, OpenFit>>("fit", fitOptions, given)
}

/** The options of evaluate. Throws E_CONFIG for unknown options and wrong values. */
export function readEvaluateOptions(given: EvaluateOptions): Read<EvaluateOptions, "steps" | "sampleWeight"> {
  return readOptions<Read<EvaluateOptions, "steps" | "sampleWeight">>(
    "evaluate",
    {
      batchSize: optional(positiveInteger(), 32),
      steps: maybe(positiveInteger()),
      sampleWeight: maybe(that("a weight for each example", isData)),
    },
    given,
  )
}

/** The options of trainOnBatch and testOnBatch. */
export interface BatchOptions {
  /** What each example counts: one number for each row (default 1). */
  readonly sampleWeight?: DataLike
  /** What each class counts in the cost, by its index (default 1). */
  readonly classWeight?: ClassWeights
}

/** These options, checked. Throws E_CONFIG for unknown options and wrong values. */
export function readBatchOptions(where: string, given: BatchOptions): Read<BatchOptions, keyof BatchOptions> {
  return readOptions<Read<BatchOptions, keyof BatchOptions>>(
    where,
    {
      sampleWeight: maybe(that("a weight for each example", isData)),
      classWeight: maybe(that("a weight for each class: { 0: 1, 1: 2.5 }", isRecord)),
    },
    given,
  )
}

/** The batch size of evaluate and predict. Throws E_CONFIG for unknown options and wrong values. */
export function readBatchSize(where: string, given: { readonly batchSize?: number }): number {
  return readOptions<{ batchSize: number }>(where, { batchSize: optional(positiveInteger(), 32) }, given).batchSize
}

/** The most threads that a program is divided among. */
const MOST_THREADS = 256

type OpenModel = "name" | "backend" | "threads" | "workerUrl"

const isThreads = (n: unknown): n is number =>
  Number.isInteger(n) && (n as number) >= 1 && (n as number) <= MOST_THREADS

/** The options of a model, complete. Throws E_CONFIG for unknown options and wrong values. */
export function readModelOptions(given: ModelOptions): Read<ModelOptions, OpenModel> {
  return readOptions<Read<ModelOptions, OpenModel>>("model", modelOptions, given)
}

const modelOptions: OptionsOf<Read<ModelOptions, OpenModel>> = {
  name: maybe(text()),
  seed: optional(wholeNumber(), 0),
  numerics: optional(oneOf("numerics", ["portable", "fused"] as const), "portable"),
  wideVectors: optional(flag(), false),
  backend: maybe(text()),
  threads: maybe(that(`a whole number from 1 to ${MOST_THREADS}`, isThreads)),
  workerUrl: maybe(text()),
}
