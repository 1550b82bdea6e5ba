// The model: what a user builds, compiles, trains, asks and saves. Thin: every piece of work is somewhere else.
// Knows no concrete backend.

import type { Backend, Bound, Executable } from "../backend/backend.ts"
import { checkKeys, configError, show, TrilobiteError } from "../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../core/shape.ts"
import { type Tensor, type TensorLike, tensor } from "../core/tensor.ts"
import { type Dataset, isDataset, type RowSource, type Stream } from "../data/dataset.ts"
import { checkWeights, writeModel } from "../formats/model-file.ts"
import { activationOf } from "../nn/activations.ts"
import type { Layer, ParameterSpec } from "../nn/layer.ts"
import { readLoss, targetsOf } from "../nn/losses.ts"
import { readMetrics } from "../nn/metrics.ts"
import { inputShapeOf, type Network, sequentialNetwork } from "../nn/network.ts"
import { optimizerWarnings, readOptimizer } from "../nn/optimizers.ts"
import { checkPairing, checkTargets, checkTargetValues, targetShapeOf } from "../nn/targets.ts"
import { type History, Listeners } from "./callbacks/listeners.ts"
import type { Logs } from "./events.ts"
import type { Feed } from "./feed.ts"
import { evaluateFeed, fitEvents, runFeed } from "./fit.ts"
import {
  type CompileOptions,
  type DatasetFitOptions,
  type EvaluateOptions,
  type FitOptions,
  type ModelOptions,
  type PredictOptions,
  readBatchSize,
  readCompileOptions,
  readFitOptions,
  readModelOptions,
} from "./options.ts"
import { askedPart, memoryPart, type Opened, openDataset, optionsBeside, type Part } from "./parts.ts"
import { consoleOutput, progressWriter } from "./progress.ts"
import type { Check } from "./reader.ts"
import {
  checkFinite,
  checkSameRows,
  classesOf,
  divide,
  type Examples,
  readExamples,
  readInputs,
  rowShape,
  specsOf,
} from "./rows.ts"
import { createState, type State } from "./state.ts"
import { bindings, logNames, type Traced, type Training, traceForward, traceTraining } from "./step.ts"
import { summaryText } from "./summary.ts"

/** Finds a backend by name, or the best one. */
export type PickBackend = (name?: string) => Backend

/**
 * A network with its weights. Made by `sequential` and `loadModel`; trained by `compile` and `fit`.
 * Nothing needs to be disposed of.
 */
export class Model {
  /** The name of the model, for summaries. */
  readonly name: string
  readonly #pick: PickBackend
  readonly #options: ReturnType<typeof readModelOptions>
  #layers: readonly Layer[]
  #network: Network | undefined
  #inputShape: Shape | undefined
  #training: Training | undefined
  #forward: Traced | undefined
  #traced: { readonly targetShape: Shape; readonly traced: Traced } | undefined
  #state: State | undefined
  #fitting = false
  #history: History | undefined
  #warnings: string[] = []

  constructor(layers: readonly Layer[], options: ModelOptions, pick: PickBackend, inputShape?: Shape) {
    this.#options = readModelOptions(options)
    this.#pick = pick
    this.name = this.#options.name
    this.#inputShape = inputShape
    this.#layers = []
    if (!Array.isArray(layers) || layers.length > 0) this.#build(layers)
  }

  /** Adds a layer at the end. Throws E_CONFIG once the model has weights, and for a layer that does not fit. */
  add(layer: Layer): this {
    this.#checkIdle("add")
    if (this.#state !== undefined) {
      throw configError({
        where: "add",
        what: "the model has its weights already.",
        hint: "Add all layers before the model is used.",
      })
    }
    this.#build([...this.#layers, layer])
    return this
  }

  /** The layers with their names. */
  get layers(): Network["layers"] {
    return this.#networkOf().layers
  }

  /** What the last training has measured, undefined before the first. */
  get history(): History | undefined {
    return this.#history
  }

  /** Takes the layers if they fit; the shapes follow as soon as the shape of the input is known. */
  #build(layers: readonly Layer[]): void {
    const network = sequentialNetwork(layers)
    const known = this.#inputShape !== undefined || network.layers[0]!.inputShape !== undefined
    const shape = known ? inputShapeOf(network, this.#inputShape) : undefined
    const forward = shape === undefined ? undefined : traceForward(network, shape)
    this.#layers = [...layers]
    this.#network = network
    this.#inputShape = shape
    this.#forward = forward
    this.#traced = undefined
  }

  #networkOf(): Network {
    this.#network ??= sequentialNetwork(this.#layers)
    return this.#network
  }

  /** The network as a graph; the shape of the input comes from the first layer or from data. */
  #trace(data?: Shape): Traced {
    const network = this.#networkOf()
    const shape = inputShapeOf(network, data ?? this.#inputShape)
    if (this.#inputShape !== undefined && !sameShape(shape, this.#inputShape)) {
      const what = "the examples do not have the shape with which the model was built."
      const [expected, got] = [formatShape(this.#inputShape), formatShape(shape)]
      throw new TrilobiteError("E_DATA", { where: "inputs", what, expected, got })
    }
    this.#forward ??= traceForward(network, shape)
    this.#inputShape = shape
    return this.#forward
  }

  #stateOf(): State {
    const backend = this.#pick(this.#options.backend)
    this.#state ??= createState(this.#trace().parameters, { ...this.#options, backend })
    return this.#state
  }

  /**
   * Says how the model is trained. Nothing is computed yet; what an earlier optimizer has kept is forgotten.
   * @throws E_CONFIG for unknown names, options and values, and for a loss that cannot learn behind the last layer; E_BUSY
   * while the model is being trained.
   */
  compile(options: CompileOptions): void {
    const read = readCompileOptions(options)
    this.train({
      loss: readLoss(read.loss),
      optimizer: readOptimizer(read.optimizer),
      metrics: readMetrics(read.metrics),
    })
  }

  /** What `compile` says, in the complete form that files hold. */
  train(training: Training): void {
    this.#checkIdle("compile")
    const doubts = this.#forward === undefined ? [] : doubtsAbout(training, this.#forward)
    this.#training = training
    this.#traced = undefined
    this.#state?.forgetSlots()
    this.#warnings = [...optimizerWarnings(training.optimizer), ...doubts]
  }

  /** Throws E_BUSY while the model is being trained. */
  #checkIdle(where: string): void {
    if (!this.#fitting) return
    const hint = "Wait for the promise that fit has given, or stop that training."
    throw new TrilobiteError("E_BUSY", { where, what: "this model is being trained already.", hint })
  }

  /** The model as a graph with a training for targets of this shape. */
  #traceTraining(targetShape: Shape): Traced {
    const training = this.#trainingOf()
    if (this.#traced === undefined || !sameShape(this.#traced.targetShape, targetShape)) {
      const doubts = doubtsAbout(training, this.#trace())
      for (const doubt of doubts) if (!this.#warnings.includes(doubt)) this.#warnings.push(doubt)
      const traced = traceTraining(this.#networkOf(), this.#inputShape!, targetShape, training)
      this.#traced = { targetShape, traced }
    }
    return this.#traced.traced
  }

  #trainingOf(): Training {
    if (this.#training !== undefined) return this.#training
    throw configError({
      where: "model",
      what: "the model is not compiled.",
      hint: 'Call model.compile({ loss: "categoricalCrossentropy", optimizer: "sgd" }) first.',
    })
  }

  /** Examples that fit the model, and the graph that is trained with them. */
  #examples(where: string, x: TensorLike, y: TensorLike): { examples: Examples; traced: Traced } {
    const training = this.#trainingOf()
    const read = readExamples(where, x, y)
    const inputs = withRows(read.x)
    return this.#attempt(() => {
      const { output } = this.#trace(rowShape(inputs))
      const examples = { x: inputs, y: checkTargets(training.loss, output.shape, read.y) }
      return { examples, traced: this.#traceTraining(rowShape(examples.y)) }
    })
  }

  /** Does what data says about the model; if it does not fit, the model is as it was. */
  #attempt<T>(action: () => T): T {
    const before = { inputShape: this.#inputShape, forward: this.#forward }
    try {
      return action()
    } catch (error) {
      this.#inputShape = before.inputShape
      this.#forward = before.forward
      throw error
    }
  }

  /** The graph that is trained with rows of a data set, and the check of its values. */
  #streamed(where: string, { x, y }: Opened): { traced: Traced; check: Check } {
    const { loss } = this.#trainingOf()
    const { output, traced } = this.#attempt(() => {
      const { output } = this.#trace(x.shape)
      return { output, traced: this.#traceTraining(targetShapeOf(loss, output.shape, y!.shape)) }
    })
    const check: Check = (inputs, targets, rowName) => {
      checkFinite(`${where} inputs`, inputs, rowName)
      if (targets !== undefined) checkTargetValues(loss, output.shape, targets, rowName)
    }
    return { traced, check }
  }

  /**
   * Trains the model. In every epoch the rows are taken in a new order, in batches of `batchSize` without replacement;
   * the last one may be smaller. The same model, data, options and seed give the same bits.
   * Data larger than memory comes as a data set, which holds inputs and targets: rows in any order (a file) give the same
   * bits as the same rows in memory; a stream is shuffled through a buffer. It is read while the threads train.
   * @throws E_DATA, E_CONFIG for data and options that do not fit; E_DIVERGED if the loss becomes NaN or infinite, E_BUSY
   * if the model is being trained already.
   * @example
   * ```ts
   * import { dense, sequential } from "trilobite"
   * const model = sequential([dense({ units: 1, inputShape: [2] })], { seed: 1 })
   * model.compile({ loss: "mse", optimizer: "sgd" })
   * async function* batches() {
   *   for (let i = 0; i < 100; i++) yield [[[i / 100, 1], [1, i / 100]], [[1], [2]]] as const
   * }
   * const { history } = await model.fit(batches, { epochs: 2, batchSize: 10, verbose: 0 })
   * history.loss.length // => 2
   * ```
   */
  fit(x: TensorLike, y: TensorLike, options?: FitOptions): Promise<History>
  fit(dataset: Dataset, options?: DatasetFitOptions): Promise<History>
  async fit(x: TensorLike | Dataset, y: TensorLike | DatasetFitOptions = {}, options?: FitOptions): Promise<History> {
    const streamed = isDataset(x)
    const given = streamed ? optionsBeside("fit", y, options) : (options ?? {})
    const read = readFitOptions(given, streamed)
    this.#checkIdle("fit")
    this.#fitting = true
    const held: { release(): void }[] = []
    try {
      const training = this.#trainingOf()
      const seed = read.seed ?? this.#options.seed
      // All data in memory is read and copied before anything is waited for.
      const parts = await this.#parts(read, x, y as TensorLike, seed, held)
      const sizes = [parts.train.batchSize, parts.validation?.batchSize ?? 1]
      const executable = await this.#stateOf().load(parts.traced, Math.max(...sizes))
      const bounds = new Map<Examples, Bound>()
      const bind = (data: Examples): Bound => {
        const bound = bounds.get(data) ?? bindRows(executable, data)
        if (!bounds.has(data)) held.push(bound)
        bounds.set(data, bound)
        return bound
      }
      const feed = (part: Part): Feed => {
        const made = part.feed(executable, bind)
        held.push(made)
        return made
      }
      const train = feed(parts.train)
      const validation = parts.validation && feed(parts.validation)
      if (read.verbose !== 0) for (const warning of this.#warnings.splice(0)) console.warn(`Note: ${warning}`)

      const state = this.#stateOf()
      const listeners = new Listeners(read.callbacks, {
        learningRate: training.optimizer.learningRate,
        epochs: read.epochs,
        getWeights: () => this.getWeights(),
        setWeights: (weights) => this.setWeights(weights),
      })
      this.#history = listeners.history
      const print = progressWriter(consoleOutput(), read.verbose === "auto" ? 1 : read.verbose)
      const { everyRound, control } = listeners
      const { epochs, initialEpoch, signal } = read
      const names = logNames(training)
      const plan = { executable, names, train, validation, state, everyRound, control, epochs, initialEpoch, signal }
      try {
        for await (const event of fitEvents(plan)) {
          print(event)
          await listeners.tell(event)
        }
      } catch (error) {
        await listeners.fail()
        throw error
      }
      return listeners.history
    } finally {
      for (const data of held) data.release()
      this.#fitting = false
    }
  }

  /** What trains and what validates, as the options say. What must be closed goes to `held`. */
  async #parts(
    read: ReturnType<typeof readFitOptions>,
    x: TensorLike | Dataset,
    y: TensorLike,
    seed: number,
    held: { release(): void }[],
  ): Promise<{ traced: Traced; train: Part; validation: Part | undefined }> {
    const { validationData, validationSplit, batchSize, epochs } = read
    const shuffle = read.shuffle ? { seed, epochs } : undefined
    const validationSize = read.validationBatchSize ?? batchSize
    const open = async (where: string, dataset: Dataset): Promise<Opened> => {
      const opened = await openDataset(where, dataset, true)
      held.push({ release: () => opened.close() })
      return opened
    }
    // In this order: data in memory is read before anything is waited for.
    const inMemory = isDataset(x) ? undefined : this.#examples("fit", x, y)
    const other = validationData === undefined || isDataset(validationData) ? undefined : ([...validationData] as const)
    const otherInMemory =
      inMemory === undefined || other === undefined ? undefined : this.#examples("validationData", ...other).examples
    const { traced, train, rows } = await (async () => {
      if (inMemory !== undefined) {
        const { examples, traced } = inMemory
        return { traced, rows: specsOf(examples), train: memoryPart(examples, batchSize, { shuffle }) }
      }
      const opened = await open("fit", x as Dataset)
      const { traced, check } = this.#streamed("fit", opened)
      const { stepsPerEpoch, shuffleBuffer } = read
      return {
        traced,
        rows: opened,
        train: opened.part({ batchSize, check, shuffle, epochs, stepsPerEpoch, shuffleBuffer }),
      }
    })()
    if (inMemory !== undefined && validationSplit > 0) {
      const { examples } = inMemory
      const classes = classesOf(examples.y, targetsOf(this.#trainingOf().loss))
      const divided = divide(examples.x.shape[0]!, validationSplit, seed, classes)
      const validation = memoryPart(examples, validationSize, { rows: divided.validation })
      return { traced, train: memoryPart(examples, batchSize, { rows: divided.train, shuffle }), validation }
    }
    if (validationData === undefined) return { traced, train, validation: undefined }
    if (isDataset(validationData)) {
      const opened = await open("validationData", validationData)
      checkSameRows(rows, opened)
      const { check } = this.#streamed("validationData", opened)
      return { traced, train, validation: opened.part({ batchSize: validationSize, check }) }
    }
    const examples = otherInMemory ?? this.#examples("validationData", ...other!).examples
    checkSameRows(rows, specsOf(examples))
    return { traced, train, validation: memoryPart(examples, validationSize) }
  }

  /**
   * The loss and the metrics over these rows, or over those of a data set.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  evaluate(x: TensorLike, y: TensorLike, options?: EvaluateOptions): Promise<Logs>
  evaluate(dataset: Dataset, options?: EvaluateOptions): Promise<Logs>
  async evaluate(
    x: TensorLike | Dataset,
    y: TensorLike | EvaluateOptions = {},
    options?: EvaluateOptions,
  ): Promise<Logs> {
    const names = (): string[] => logNames(this.#trainingOf())
    if (!isDataset(x)) {
      const wanted = readBatchSize("evaluate", options ?? {})
      const { examples, traced } = this.#examples("evaluate", x, y as TensorLike)
      return this.#over(
        traced,
        wanted,
        examples.x.shape[0]!,
        (batchSize) => askedPart(examples.x, examples.y, batchSize),
        (executable, feed) => evaluateFeed(executable, names(), feed),
      )
    }
    const wanted = readBatchSize("evaluate", optionsBeside<EvaluateOptions>("evaluate", y, options))
    const opened = await openDataset("evaluate", x, true)
    try {
      const { traced, check } = this.#streamed("evaluate", opened)
      return await this.#over(
        traced,
        wanted,
        wanted,
        (batchSize) => opened.part({ batchSize, check }),
        (executable, feed) => evaluateFeed(executable, names(), feed),
      )
    } finally {
      opened.close()
    }
  }

  /**
   * The outputs for these rows, `[n, ...] -> [n, ...output]`; for a data set, whose targets are not read, and for a stream
   * of inputs they are put together.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  async predict(x: TensorLike | RowSource | Stream<TensorLike>, options: PredictOptions = {}): Promise<Tensor> {
    const wanted = readBatchSize("predict", options)
    if (!isDataset(x)) {
      const inputs = withRows(readInputs("predict", x))
      const output = this.#trace(rowShape(inputs)).output.shape
      return this.#outputs(output, wanted, inputs.shape[0]!, (batchSize) => askedPart(inputs, undefined, batchSize))
    }
    const opened = await openDataset("predict", x, false)
    try {
      const output = this.#trace(opened.x.shape).output.shape
      const check: Check = (inputs, _, rowName) => checkFinite("predict", inputs, rowName)
      return await this.#outputs(output, wanted, wanted, (batchSize) => opened.part({ batchSize, check }))
    } finally {
      opened.close()
    }
  }

  /** The outputs for all rows of a part. */
  async #outputs(output: Shape, wanted: number, rows: number, part: (batchSize: number) => Part): Promise<Tensor> {
    const width = output.slice(1).reduce((a, b) => a * b, 1)
    const pieces: Float32Array[] = []
    const traced = this.#traced?.traced ?? this.#forward!
    await this.#over(traced, wanted, rows, part, (executable, feed) =>
      runFeed(executable, "predict", feed, ({ bound, rows: all }, { rounds }, first) => {
        if (first + rounds < Math.ceil(all / feed.batchSize)) return
        pieces.push(bound.result(bindings.prediction).subarray(0, all * width))
      }),
    )
    const data = pieces.length === 1 ? pieces[0]! : new Float32Array(pieces.reduce((n, piece) => n + piece.length, 0))
    let at = 0
    for (const piece of pieces.length === 1 ? [] : pieces) {
      data.set(piece, at)
      at += piece.length
    }
    return { dtype: "float32", shape: [data.length / width, ...output.slice(1)], data }
  }

  /** Loads a graph, feeds it a part and gives what `work` makes of it. */
  async #over<T>(
    traced: Traced,
    wanted: number,
    rows: number,
    part: (batchSize: number) => Part,
    work: (executable: Executable, feed: Feed) => Promise<T>,
  ): Promise<T> {
    const { executable, batchSize } = await this.#loaded(traced, wanted, rows)
    const feed = part(batchSize).feed(executable, (examples) => bindRows(executable, examples))
    try {
      return await work(executable, feed)
    } finally {
      feed.release()
    }
  }

  /**
   * An executable, and the rows that it may take at once: while the model is being trained (a callback asks) it is the
   * one of the training, and batches are as large as that allows.
   */
  async #loaded(
    traced: Traced,
    batchSize: number,
    rows: number,
  ): Promise<{ executable: Executable; batchSize: number }> {
    const wanted = Math.min(batchSize, Math.max(rows, LEAST_ROWS))
    const executable = await this.#stateOf().load(traced, this.#fitting ? 1 : wanted)
    return { executable, batchSize: Math.min(wanted, executable.program.rows) }
  }

  /** The parameters in order: for each layer its kernel, then its bias. */
  #parameters(): readonly ParameterSpec[] {
    return this.#trace().parameters
  }

  /** The weights now, in the order of the layers (kernel, bias): copies. */
  getWeights(): Tensor[] {
    const state = this.#stateOf()
    return this.#parameters().map(({ variable }) => ({
      dtype: "float32",
      shape: variable.shape,
      data: state.get(variable),
    }))
  }

  /** Sets all weights. Throws E_DATA if their number or a shape does not fit. */
  setWeights(weights: readonly TensorLike[]): void {
    const parameters = this.#parameters()
    if (!Array.isArray(weights) || weights.length !== parameters.length) {
      const expected = `a list of ${parameters.length} tensors`
      const got = Array.isArray(weights) ? `${weights.length}` : show(weights)
      throw new TrilobiteError("E_DATA", {
        where: "setWeights",
        what: "the number of weights does not fit.",
        expected,
        got,
      })
    }
    const read = weights.map((values) => tensor(values))
    parameters.forEach(({ variable }, i) => {
      const { shape, dtype } = read[i]!
      if (sameShape(shape, variable.shape) && dtype === "float32") return
      throw new TrilobiteError("E_DATA", {
        where: `setWeights, ${variable.key}`,
        what: "the tensor does not fit.",
        expected: `float32 ${formatShape(variable.shape)}`,
        got: `${dtype} ${formatShape(shape)}`,
      })
    })
    const state = this.#stateOf()
    parameters.forEach(({ variable }, i) => {
      state.set(variable, read[i]!.data as Float32Array)
    })
  }

  /** How many numbers training changes. */
  countParams(): number {
    return this.#parameters().reduce((n, { variable }) => n + variable.shape.reduce((a, b) => a * b, 1), 0)
  }

  /** The table of the layers, printed by `printFn` (default console.log) and returned. */
  summary(options: { readonly printFn?: (text: string) => void } = {}): string {
    checkKeys("summary", options, ["printFn"])
    const { layers, parameters } = this.#trace()
    const text = summaryText(this.name, layers, parameters)
    ;(options.printFn ?? console.log)(text)
    return text
  }

  /** The graph and the compiled Program as text, for batches of up to `batchSize` rows of targets like the output. */
  async inspect(options: { readonly batchSize?: number } = {}): Promise<{ graph: string; program: string }> {
    const rows = readBatchSize("inspect", options)
    const { output } = this.#trace()
    const sparse = this.#training !== undefined && targetsOf(this.#training.loss) === "labels"
    const targets = output.shape.slice(1, sparse ? -1 : undefined)
    const { graph } =
      this.#training === undefined ? this.#trace() : this.#traceTraining(this.#traced?.targetShape ?? targets)
    const [{ printGraph }, { compile }, { printProgram }] = await Promise.all([
      import("../graph/print.ts"),
      import("../compile/compile.ts"),
      import("../program/print.ts"),
    ])
    return {
      graph: printGraph(graph),
      program: printProgram(compile(graph, { rows, numerics: this.#options.numerics })),
    }
  }

  /** The bytes of the model's file: weights, architecture, and what it was compiled with. */
  toBytes(): Uint8Array {
    const values = this.getWeights()
    const weights = new Map(this.#parameters().map(({ variable }, i) => [variable.key, values[i]!]))
    return writeModel({ network: this.#networkOf(), inputShape: this.#inputShape!, compiled: this.#training, weights })
  }

  /**
   * Saves architecture, weights and what the model was compiled with in one safetensors file, all of it or nothing.
   * @throws E_IO if the file cannot be written, E_MODEL if a weight is NaN or infinite.
   */
  async save(path: string): Promise<void> {
    const bytes = this.toBytes()
    const { saveFile } = await import("../formats/node-file.ts")
    saveFile(path, bytes)
  }

  /** Puts saved weights in place. Throws E_MODEL if a tensor is missing, too many, or of another shape. */
  loadWeights(where: string, weights: ReadonlyMap<string, Tensor>): void {
    const parameters = this.#parameters().map((p) => p.variable)
    checkWeights(where, parameters, weights)
    for (const variable of parameters) this.#stateOf().set(variable, weights.get(variable.key)!.data as Float32Array)
  }
}

/** Rows of a program for fewer: it is not made anew when there are a few more of them. */
const LEAST_ROWS = 32

function bindRows(executable: Executable, { x, y }: Examples): Bound {
  return executable.bind({ count: x.shape[0]!, data: { [bindings.x]: x, [bindings.y]: y } })
}

/** What is doubtful about a loss behind the last layer. Throws E_CONFIG for a pair that cannot learn. */
function doubtsAbout({ loss }: Training, { output }: Traced): string[] {
  return checkPairing(loss, activationOf(output), output.shape[output.shape.length - 1]!)
}

/** Inputs with at least one number per row: a list of numbers is a list of rows of one. */
function withRows(x: Tensor): Tensor {
  return x.shape.length === 1 ? { ...x, shape: [x.shape[0]!, 1] } : x
}
