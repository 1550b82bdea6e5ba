// The model: what a user builds, compiles, trains, asks and saves. Thin: every piece of work is somewhere else.
// Knows no concrete backend.

import type { Backend, Bound, Executable } from "../backend/backend.ts"
import { checkKeys, configError, internalError, show, TrilobiteError } from "../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../core/shape.ts"
import { type Tensor, type TensorLike, tensor } from "../core/tensor.ts"
import { type Dataset, isDataset, type RowSource, type Stream } from "../data/dataset.ts"
import { checkWeights, writeModel } from "../formats/model-file.ts"
import { writeSafetensors } from "../formats/safetensors.ts"
import { activationOf } from "../nn/activations.ts"
import type { Layer } from "../nn/layer.ts"
import { type Loss, targetsOf } from "../nn/losses.ts"
import { nestedLayer } from "../nn/nested.ts"
import { inputShapesOf, type LayerLike, type Network, sequentialNetwork } from "../nn/network.ts"
import { optimizerWarnings } from "../nn/optimizers.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import { checkPairing, checkTargets, checkTargetValues, targetShapeOf } from "../nn/targets.ts"
import { networkToConfig } from "../nn/to-config.ts"
import { type CompileOptions, readTraining, type Training } from "../nn/training.ts"
import { type Cell, setValues, valuesOf } from "../nn/weights.ts"
import { type History, Listeners } from "./callbacks/listeners.ts"
import type { Logs } from "./events.ts"
import type { Feed } from "./feed.ts"
import { evaluateFeed, fitEvents, runFeed } from "./fit.ts"
import {
  type DatasetFitOptions,
  type EvaluateOptions,
  type FitOptions,
  type ModelOptions,
  type PredictOptions,
  readBatchSize,
  readFitOptions,
  readModelOptions,
} from "./options.ts"
import { askedPart, memoryPart, type Opened, openDataset, optionsBeside, type Part } from "./parts.ts"
import { pictureOf } from "./picture.ts"
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
import { cellsOf, createState, type State } from "./state.ts"
import { type Traced, traceForward, traceTraining } from "./step.ts"
import { type Summarized, summaryText } from "./summary.ts"

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
  /** The layers of a sequential model, which may be given one after another. */
  #given: readonly LayerLike[] = []
  #network: Network | undefined
  #inputShapes: readonly Shape[] | undefined
  #training: Training | undefined
  #forward: Traced | undefined
  #traced: { readonly key: string; readonly traced: Traced } | undefined
  #cells: ReadonlyMap<string, Cell> | undefined
  #state: State | undefined
  #asLayer: Layer | undefined
  #fitting = false
  #history: History | undefined
  #warnings: string[] = []

  /** @param network undefined for a sequential model whose layers are added later */
  constructor(network: Network | undefined, options: ModelOptions, pick: PickBackend, inputShapes?: readonly Shape[]) {
    this.#options = readModelOptions(options)
    this.#pick = pick
    this.name = this.#options.name ?? network?.kind ?? "sequential"
    this.#inputShapes = inputShapes
    if (network === undefined) return
    this.#given = network.kind === "sequential" ? network.layers : []
    this.#build(network)
  }

  /** Adds a layer at the end of a sequential model. Throws E_CONFIG once it has weights, and for a layer that does not fit. */
  add(layer: LayerLike): this {
    this.#checkIdle("add")
    if (this.#network?.kind === "functional") {
      const hint = "Call the layer with a value, and make a new model: functional({ inputs, outputs })."
      throw configError({ where: "add", what: "layers are added to sequential models only.", hint })
    }
    if (this.#cells !== undefined) {
      throw configError({
        where: "add",
        what: "the model has its weights already.",
        hint: "Add all layers before the model is used.",
      })
    }
    const given = [...this.#given, layer]
    this.#build(sequentialNetwork(given))
    this.#given = given
    return this
  }

  /** The layers with their names. Their `trainable` may be set; it holds from the next `compile` on. */
  get layers(): Network["layers"] {
    return this.#networkOf().layers
  }

  /** What the last training has measured, undefined before the first. */
  get history(): History | undefined {
    return this.#history
  }

  /**
   * The model as a layer of other models, always the same one: they share its weights.
   * @example
   * ```ts
   * import { dense, functional, input, sequential } from "trilobite"
   * const encoder = sequential([dense({ units: 2, inputShape: [4] })], { name: "encoder" })
   * const decoder = sequential([dense({ units: 4, inputShape: [2] })], { name: "decoder" })
   * const autoencoder = sequential([encoder, decoder])
   * autoencoder.setWeights(autoencoder.getWeights().map(({ shape, data }) => ({ shape, data: data.map(() => 1) })))
   * encoder.getWeights()[0].data[0] // => 1
   * const x = input({ shape: [4] })
   * functional({ inputs: x, outputs: encoder.asLayer()(x) }).getWeights()[0].data[0] // => 1
   * ```
   */
  asLayer(): Layer {
    const network = this.#networkOf()
    this.#asLayer ??= nestedLayer(network, {
      name: this.#options.name,
      inputShape: network.inputs.length === 1 ? this.#inputShapes?.[0] : undefined,
      config: { ...networkToConfig(network) },
      cells: this.#inputShapes === undefined ? undefined : this.#cellsOf(),
    })
    return this.#asLayer
  }

  /** Takes the network if its layers fit; the shapes follow as soon as the shapes of the inputs are known. */
  #build(network: Network): void {
    const known = this.#inputShapes !== undefined || network.inputs.every(({ shape }) => shape !== undefined)
    const shapes = known ? inputShapesOf(network, this.#inputShapes) : undefined
    const forward = shapes === undefined ? undefined : traceForward(network, shapes)
    this.#network = network
    this.#inputShapes = shapes
    this.#forward = forward
    this.#traced = undefined
    this.#asLayer = undefined
  }

  #networkOf(): Network {
    this.#network ??= sequentialNetwork(this.#given)
    return this.#network
  }

  /** The network as a graph; the shapes of the inputs come from the network or from data. */
  #trace(data?: readonly Shape[]): Traced {
    const network = this.#networkOf()
    const shapes = inputShapesOf(network, data ?? this.#inputShapes)
    this.#inputShapes?.forEach((known, i) => {
      if (sameShape(shapes[i]!, known)) return
      const what = "the examples do not have the shape with which the model was built."
      const [expected, got] = [formatShape(known), formatShape(shapes[i]!)]
      throw new TrilobiteError("E_DATA", { where: "inputs", what, expected, got })
    })
    this.#forward ??= traceForward(network, shapes)
    this.#inputShapes = shapes
    return this.#forward
  }

  /** The values of the parameters, which are drawn when they are first needed. */
  #cellsOf(): ReadonlyMap<string, Cell> {
    this.#cells ??= cellsOf(this.#trace().parameters, this.#options.seed)
    return this.#cells
  }

  #stateOf(): State {
    const backend = this.#pick(this.#options.backend)
    this.#state ??= createState(this.#cellsOf(), { ...this.#options, backend })
    return this.#state
  }

  /**
   * Says how the model is trained. Nothing is computed yet; what an earlier optimizer has kept is forgotten.
   * @throws E_CONFIG for unknown names, options and values, and for a loss that cannot learn behind the last layer; E_BUSY
   * while the model is being trained.
   */
  compile(options: CompileOptions): void {
    this.train(readTraining(this.#networkOf(), options))
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

  /** The model as a graph with a training for targets of these shapes. */
  #traceTraining(targetShapes: readonly (Shape | undefined)[], weighted = false): Traced {
    const training = this.#trainingOf()
    const key = JSON.stringify([targetShapes, weighted])
    if (this.#traced?.key !== key) {
      const doubts = doubtsAbout(training, this.#trace())
      for (const doubt of doubts) if (!this.#warnings.includes(doubt)) this.#warnings.push(doubt)
      const traced = traceTraining(this.#networkOf(), this.#inputShapes!, training, { targetShapes, weighted })
      this.#traced = { key, traced }
    }
    return this.#traced!.traced
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
      const output = this.#trace([rowShape(inputs)]).outputs[0]!
      const examples = { x: inputs, y: checkTargets(lossOf(training), output.shape, read.y) }
      return { examples, traced: this.#traceTraining([rowShape(examples.y)]) }
    })
  }

  /** Does what data says about the model; if it does not fit, the model is as it was. */
  #attempt<T>(action: () => T): T {
    const before = { inputShapes: this.#inputShapes, forward: this.#forward }
    try {
      return action()
    } catch (error) {
      this.#inputShapes = before.inputShapes
      this.#forward = before.forward
      throw error
    }
  }

  /** The graph that is trained with rows of a data set, and the check of its values. */
  #streamed(where: string, { x, y }: Opened): { traced: Traced; check: Check } {
    const loss = lossOf(this.#trainingOf())
    const { output, traced } = this.#attempt(() => {
      const output = this.#trace([x.shape]).outputs[0]!
      return { output, traced: this.#traceTraining([targetShapeOf(loss, output.shape, y!.shape)]) }
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
      const executable = await this.#stateOf().load(parts.traced, Math.max(...sizes), "train")
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
        weights: () => {
          const tensors = this.getWeights()
          return this.#parameters().map(({ layer, name }, i) => ({ layer, name, tensor: tensors[i]! }))
        },
        // The network is to be traced once more with the outputs of its layers as results.
        activations: () => Promise.reject(internalError("the outputs of hidden layers are not there yet")),
        save: (path) => this.save(path),
        saveWeights: async (path) => {
          const { saveFile } = await import("../formats/node-file.ts")
          saveFile(path, writeSafetensors(this.#weightsByKey(), { format: "trilobite" }))
        },
      })
      this.#history = listeners.history
      const print = progressWriter(consoleOutput(), read.verbose === "auto" ? 1 : read.verbose)
      const { everyRound, control } = listeners
      const { epochs, initialEpoch, signal } = read
      const names = logNamesOf(parts.traced)
      const plan = { executable, names, train, validation, state, everyRound, control, epochs, initialEpoch, signal }
      try {
        for await (const event of fitEvents(plan)) {
          print(event)
          await listeners.tell(event)
        }
      } catch (error) {
        if (!(await listeners.fail(error))) throw error
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
      const classes = classesOf(examples.y, targetsOf(lossOf(this.#trainingOf())))
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
    if (!isDataset(x)) {
      const wanted = readBatchSize("evaluate", options ?? {})
      const { examples, traced } = this.#examples("evaluate", x, y as TensorLike)
      return this.#over(
        traced,
        wanted,
        examples.x.shape[0]!,
        (batchSize) => askedPart(examples.x, examples.y, batchSize),
        (executable, feed) => evaluateFeed(executable, logNamesOf(traced), feed),
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
        (executable, feed) => evaluateFeed(executable, logNamesOf(traced), feed),
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
      const output = this.#trace([rowShape(inputs)]).outputs[0]!.shape
      return this.#outputs(output, wanted, inputs.shape[0]!, (batchSize) => askedPart(inputs, undefined, batchSize))
    }
    const opened = await openDataset("predict", x, false)
    try {
      const output = this.#trace([opened.x.shape]).outputs[0]!.shape
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
        pieces.push(bound.result("prediction").subarray(0, all * width))
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
    const executable = await this.#stateOf().load(traced, this.#fitting ? 1 : wanted, this.#fitting ? "train" : "ask")
    return { executable, batchSize: Math.min(wanted, executable.program.rows) }
  }

  /** The parameters in order: for each layer its kernel, then its bias. */
  #parameters(): readonly ParameterSpec[] {
    return this.#trace().parameters
  }

  /** The weights now, in the order of the layers (kernel, bias): copies. */
  getWeights(): Tensor[] {
    const cells = this.#cellsOf()
    return this.#parameters().map(({ variable: { key, shape } }) => {
      return { dtype: "float32", shape, data: valuesOf(cells.get(key)!) }
    })
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
    const cells = this.#cellsOf()
    parameters.forEach(({ variable: { key } }, i) => {
      setValues(cells.get(key)!, read[i]!.data as Float32Array)
    })
  }

  /** How many numbers training changes. */
  countParams(): number {
    return this.#parameters().reduce((n, { variable }) => n + variable.shape.reduce((a, b) => a * b, 1), 0)
  }

  /**
   * The table of the layers, printed by `printFn` (default console.log) and returned; `versus` is a model with which it is
   * compared.
   * @example
   * ```ts
   * import { dense, sequential } from "trilobite"
   * const net = (...units: number[]) =>
   *   sequential(units.map((n, i) => dense({ units: n, ...(i === 0 ? { inputShape: [784] } : {}) })))
   * const text = net(64, 64, 10).summary({ versus: net(64, 10), printFn: () => {} })
   * text.includes("+4,160 parameters") // => true
   * ```
   */
  summary(options: { readonly versus?: Model; readonly printFn?: (text: string) => void } = {}): string {
    checkKeys("summary", options, ["printFn", "versus"])
    const { versus } = options
    const text = summaryText(this.#summarized(), versus === undefined ? undefined : versus.#summarized())
    ;(options.printFn ?? console.log)(text)
    return text
  }

  #summarized(): Summarized {
    const { layers, parameters } = this.#trace()
    return { name: this.name, layers, parameters, branched: this.#networkOf().kind === "functional" }
  }

  /**
   * A picture of the model as SVG text: inputs, layers and what each takes of which. Keras: plot_model.
   * @example
   * ```ts
   * import { dense, sequential } from "trilobite"
   * sequential([dense({ units: 2, inputShape: [3] })]).toSvg().startsWith("<svg") // => true
   * ```
   */
  toSvg(): string {
    return pictureOf(this.#networkOf(), this.#trace().layers, this.name)
  }

  /** The graph and the compiled Program as text, for batches of up to `batchSize` rows of targets like the output. */
  async inspect(options: { readonly batchSize?: number } = {}): Promise<{ graph: string; program: string }> {
    const rows = readBatchSize("inspect", options)
    const forward = this.#trace()
    const training = this.#training
    const shapes = training?.outputs.map(({ loss }, i) => {
      const shape = forward.outputs[i]!.shape.slice(1)
      return loss === undefined ? undefined : targetsOf(loss) === "labels" ? shape.slice(0, -1) : shape
    })
    const { graph } = shapes === undefined ? forward : (this.#traced?.traced ?? this.#traceTraining(shapes))
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

  #weightsByKey(): Map<string, Tensor> {
    const values = this.getWeights()
    return new Map(this.#parameters().map(({ variable }, i) => [variable.key, values[i]!]))
  }

  /** The bytes of the model's file: weights, architecture, and what it was compiled with. */
  toBytes(): Uint8Array {
    const weights = this.#weightsByKey()
    return writeModel({
      network: this.#networkOf(),
      inputShapes: this.#inputShapes!,
      compiled: this.#training,
      weights,
    })
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
    const cells = this.#cellsOf()
    for (const { key } of parameters) setValues(cells.get(key)!, weights.get(key)!.data as Float32Array)
  }
}

/** Rows of a program for fewer: it is not made anew when there are a few more of them. */
const LEAST_ROWS = 32

function bindRows(executable: Executable, { x, y }: Examples): Bound {
  return executable.bind({ count: x.shape[0]!, data: { x, y } })
}

/** What is doubtful about losses behind the last layers. Throws E_CONFIG for a pair that cannot learn. */
function doubtsAbout(training: Training, { outputs }: Traced): string[] {
  return training.outputs.flatMap(({ loss }, i) => {
    const output = outputs[i]!
    return loss === undefined ? [] : checkPairing(loss, activationOf(output), output.shape[output.shape.length - 1]!)
  })
}

/** The loss of a model of one output. */
function lossOf({ outputs }: Training): Loss {
  return outputs[0]!.loss!
}

/** The names of the numbers that are logged. */
function logNamesOf({ graph }: Traced): string[] {
  return graph.train!.logs.map(({ name }) => name)
}

/** Inputs with at least one number per row: a list of numbers is a list of rows of one. */
function withRows(x: Tensor): Tensor {
  return x.shape.length === 1 ? { ...x, shape: [x.shape[0]!, 1] } : x
}
