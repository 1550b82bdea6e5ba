// The model: what a user builds, compiles, trains, asks and saves. Thin: every piece of work is somewhere else.
// Knows no concrete backend.

import type { Backend, Bound, Executable } from "../backend/backend.ts"
import { checkKeys, configError, show, TrilobiteError } from "../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../core/shape.ts"
import { type Tensor, type TensorLike, tensor } from "../core/tensor.ts"
import {
  type DataLike,
  type Dataset,
  isDataset,
  kindOf,
  type RowSource,
  type Rows,
  type Specs,
  type Stream,
} from "../data/dataset.ts"
import { checkWeights, writeModel } from "../formats/model-file.ts"
import { type ActivationName, activationOf } from "../nn/activations.ts"
import type { Layer } from "../nn/layer.ts"
import { type Loss, targetsOf } from "../nn/losses.ts"
import { nestedLayer } from "../nn/nested.ts"
import { inputShapesOf, type LayerLike, type Network, sequentialNetwork } from "../nn/network.ts"
import type { LearningRate } from "../nn/optimizers/common.ts"
import { optimizerWarnings } from "../nn/optimizers.ts"
import { learningRateAt } from "../nn/schedules.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import { checkPairing, checkTargetValues, targetShapeOf } from "../nn/targets.ts"
import { networkToConfig } from "../nn/to-config.ts"
import { type CompileOptions, readTraining, type Training } from "../nn/training.ts"
import { type Cell, setValues, valuesOf } from "../nn/weights.ts"
import { type History, Listeners } from "./callbacks/listeners.ts"
import { divergence } from "./divergence.ts"
import type { Logs } from "./events.ts"
import type { Feed } from "./feed.ts"
import { evaluateFeed, fitEvents, runFeed } from "./fit.ts"
import { type ClassWeights, readExamples, readInputColumns, type Wanted, weightColumns } from "./inputs.ts"
import {
  type BatchOptions,
  type DatasetFitOptions,
  type EvaluateOptions,
  type FitOptions,
  type ModelOptions,
  type PredictOptions,
  readBatchOptions,
  readBatchSize,
  readEvaluateOptions,
  readFitOptions,
  readModelOptions,
} from "./options.ts"
import { askedPart, memoryPart, type Opened, openDataset, optionsBeside, type Part, rowsOf } from "./parts.ts"
import { pictureOf } from "./picture.ts"
import { consoleOutput, progressWriter } from "./progress.ts"
import type { Check } from "./reader.ts"
import { checkFinite, checkSameRows, classesOf, divide, specsOf } from "./rows.ts"
import { cellsOf, createState, type State } from "./state.ts"
import { bindings, type Traced, traceActivations, traceForward, traceTraining } from "./step.ts"
import { type Summarized, summaryText } from "./summary.ts"

/** Finds a backend by name, or the best one. */
export type PickBackend = (name?: string) => Backend

/**
 * A network with its weights. Made by `sequential` and `loadModel`; trained by `compile` and `fit`.
 * Nothing needs to be disposed of.
 */
export class Model<P = Tensor> {
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

  /** What the model reads, to be trained or only asked. */
  #wanted(): Wanted {
    const network = this.#networkOf()
    const outputs = this.#training?.outputs ?? []
    const trained = outputs.flatMap(({ loss }, i) =>
      loss === undefined ? [] : [{ loss, i, name: network.outputs[i]!.name }],
    )
    return {
      inputs: network.inputs.map(({ name }, i) => ({ name, binding: bindings.input(network, i) })),
      targets: trained.map(({ name, i }) => ({ name, binding: bindings.target(network, i) })),
      weights: trained.map(({ name, i }) => ({ name, binding: bindings.weight(network, i) })),
      losses: trained.map(({ loss }) => loss),
    }
  }

  /** Traces the network for inputs with these columns. */
  #traceInputs(specs: Specs): Traced {
    return this.#trace(this.#wanted().inputs.map(({ binding }) => specs[binding]!.shape))
  }

  /** The graph that is trained with rows of these columns, and their targets in the shapes that the losses ask for. */
  #fitTo(specs: Specs, weighted: boolean): { readonly traced: Traced; readonly targets: readonly Aligned[] } {
    const training = this.#trainingOf()
    const wanted = this.#wanted()
    return this.#attempt(() => {
      const { outputs } = this.#traceInputs(specs)
      const targets: Aligned[] = []
      let next = 0
      const shapes = training.outputs.map(({ loss }, i) => {
        if (loss === undefined) return undefined
        const { binding } = wanted.targets[next++]!
        const output = outputs[i]!.shape
        const shape = targetShapeOf(loss, output, specs[binding]!.shape)
        targets.push({ binding, loss, output, shape })
        return shape
      })
      return { targets, traced: this.#traceTraining(shapes, weighted) }
    })
  }

  /** Examples in memory that fit the model. */
  #examples(where: string, x: unknown, y: unknown): Examples {
    this.#trainingOf()
    const read = readExamples(where, this.#wanted(), x, y)
    const { targets } = this.#fitTo(specsOf(read), false)
    const aligned = targets.map(({ binding, loss, output, shape }) => {
      const t = read[binding]!
      checkTargetValues(loss, output, t)
      return [binding, { ...t, shape: [t.shape[0]!, ...shape] }]
    })
    return { data: { ...read, ...Object.fromEntries(aligned) } }
  }

  /** The weight columns of examples in memory. */
  #weights(where: string, { data }: Examples, sampleWeight?: unknown, classWeight?: ClassWeights): Rows {
    return weightColumns(where, this.#wanted(), data, rowsOf(data), sampleWeight, classWeight)
  }

  /** The check of the values of rows that are read piece by piece. */
  #checkOf(where: string, targets: readonly Aligned[]): Check {
    const inputs = this.#wanted().inputs.map(({ binding }) => binding)
    return (data, rowName) => {
      for (const binding of inputs) checkFinite(`${where} ${kindOf(binding)}`, data[binding]!, rowName)
      for (const { binding, loss, output } of targets) checkTargetValues(loss, output, data[binding]!, rowName)
    }
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
  fit(x: DataLike, y: DataLike, options?: FitOptions): Promise<History>
  fit(dataset: Dataset, options?: DatasetFitOptions): Promise<History>
  async fit(x: DataLike | Dataset, y: DataLike | DatasetFitOptions = {}, options?: FitOptions): Promise<History> {
    const streamed = isDataset(x)
    const given = streamed ? optionsBeside("fit", y, options) : (options ?? {})
    const read = readFitOptions(given, streamed)
    this.#checkIdle("fit")
    this.#fitting = true
    const held: { release(): void }[] = []
    try {
      const { optimizer } = this.#trainingOf()
      const seed = read.seed ?? this.#options.seed
      // All data in memory is read and copied before anything is waited for.
      const parts = await this.#parts(read, x, y, seed, held)
      const sizes = [parts.train.batchSize, parts.validation?.batchSize ?? 1]
      const executable = await this.#stateOf().load(parts.traced, Math.max(...sizes), "train")
      const bounds = new Map<Rows, Bound>()
      const bind = (data: Rows): Bound => {
        const bound = bounds.get(data) ?? executable.bind({ count: rowsOf(data), data })
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
        learningRate: rateAt(optimizer.learningRate, state.step),
        epochs: read.epochs,
        getWeights: () => this.getWeights(),
        setWeights: (weights) => this.setWeights(weights),
      })
      this.#history = listeners.history
      const print = progressWriter(consoleOutput(), read.verbose === "auto" ? 1 : read.verbose)
      const { everyRound, control } = listeners
      const { epochs, initialEpoch, signal, validationFreq } = read
      const names = logNamesOf(parts.traced)
      const validates = (epoch: number): boolean =>
        typeof validationFreq === "number" ? (epoch + 1) % validationFreq === 0 : validationFreq.includes(epoch + 1)
      const plan = { executable, names, seed, train, validation, validates, state, everyRound, control, epochs, initialEpoch, signal } // biome-ignore format: one expression
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
    x: DataLike | Dataset,
    y: unknown,
    seed: number,
    held: { release(): void }[],
  ): Promise<{ traced: Traced; train: Part; validation: Part | undefined }> {
    const { validationData, validationSplit, batchSize, epochs, sampleWeight, classWeight } = read
    const { stepsPerEpoch, validationSteps, shuffleBuffer } = read
    const wanted = this.#wanted()
    const shuffle = read.shuffle ? { seed, epochs } : undefined
    const validationSize = read.validationBatchSize ?? batchSize
    const open = async (where: string, dataset: Dataset, classes?: ClassWeights): Promise<Opened> => {
      const opened = await openDataset(where, dataset, { wanted, paired: true, classWeight: classes })
      held.push({ release: () => opened.close() })
      return opened
    }
    // In this order: data in memory is read before anything is waited for.
    const other = validationData === undefined || isDataset(validationData) ? undefined : [...validationData]
    const memory = isDataset(x) ? undefined : this.#examples("fit", x, y)
    const own =
      memory === undefined || (sampleWeight === undefined && classWeight === undefined)
        ? undefined
        : this.#weights("fit", memory, sampleWeight, classWeight)
    const validationMemory = (): Examples | undefined =>
      other === undefined ? undefined : this.#examples("validationData", other[0], other[1])
    const early = memory === undefined ? undefined : validationMemory()
    const opened = isDataset(x) ? await open("fit", x, classWeight) : undefined
    const specs = opened?.specs ?? specsOf(memory!.data)
    if (opened !== undefined) this.#fitTo(specs, false)
    const validationOpened = isDataset(validationData) ? await open("validationData", validationData) : undefined
    const late = early ?? validationMemory()
    if (validationOpened !== undefined) checkSameRows(specs, validationOpened.specs)
    if (late !== undefined) checkSameRows(specs, specsOf(late.data))

    const otherWeights = late !== undefined && other?.[2] !== undefined ? this.#weights("validationData", late, other[2]) : undefined // biome-ignore format: one expression
    const weighted = own !== undefined || otherWeights !== undefined || opened?.weighted === true || validationOpened?.weighted === true // biome-ignore format: one expression
    const { traced, targets } = this.#fitTo(specs, weighted)
    const complete = (where: string, examples: Examples, weights: Rows | undefined): Rows =>
      weighted ? { ...examples.data, ...(weights ?? this.#weights(where, examples)) } : examples.data
    const asked = { batchSize: validationSize, weighted, steps: validationSteps }
    if (opened !== undefined) {
      const check = this.#checkOf("fit", targets)
      const train = opened.part({ batchSize, check, shuffle, epochs, steps: stepsPerEpoch, lasting: true, shuffleBuffer, weighted }) // biome-ignore format: one expression
      return { traced, train, validation: this.#validation(validationOpened, late, otherWeights, asked, targets) }
    }
    const data = complete("fit", memory!, own)
    if (validationSplit > 0) {
      const [target] = wanted.targets
      const classes =
        wanted.targets.length > 1 ? undefined : classesOf(data[target!.binding]!, targetsOf(wanted.losses[0]!))
      const divided = divide(rowsOf(data), validationSplit, seed, classes)
      const validation = memoryPart("validation", data, validationSize, {
        rows: divided.validation,
        steps: validationSteps,
      })
      const train = memoryPart("fit", data, batchSize, { rows: divided.train, shuffle, steps: stepsPerEpoch })
      return { traced, train, validation }
    }
    const train = memoryPart("fit", data, batchSize, { shuffle, steps: stepsPerEpoch })
    return { traced, train, validation: this.#validation(validationOpened, late, otherWeights, asked, targets) }
  }

  #validation(
    opened: Opened | undefined,
    examples: Examples | undefined,
    weights: Rows | undefined,
    {
      batchSize,
      weighted,
      steps,
    }: { readonly batchSize: number; readonly weighted: boolean; readonly steps: number | undefined },
    targets: readonly Aligned[],
  ): Part | undefined {
    if (opened !== undefined) {
      return opened.part({ batchSize, weighted, steps, check: this.#checkOf("validationData", targets) })
    }
    if (examples === undefined) return undefined
    const data = weighted
      ? { ...examples.data, ...(weights ?? this.#weights("validationData", examples)) }
      : examples.data
    return memoryPart("validationData", data, batchSize, { steps })
  }

  /**
   * The loss and the metrics over these rows, or over those of a data set.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  evaluate(x: DataLike, y: DataLike, options?: EvaluateOptions): Promise<Logs>
  evaluate(dataset: Dataset, options?: Omit<EvaluateOptions, "sampleWeight">): Promise<Logs>
  async evaluate(x: DataLike | Dataset, y: DataLike | EvaluateOptions = {}, options?: EvaluateOptions): Promise<Logs> {
    const measure = (traced: Traced) => (executable: Executable, feed: Feed) =>
      evaluateFeed(executable, logNamesOf(traced), feed)
    if (!isDataset(x)) {
      const { batchSize: wanted, steps, sampleWeight } = readEvaluateOptions(options ?? {})
      const examples = this.#examples("evaluate", x, y)
      const weights = sampleWeight === undefined ? {} : this.#weights("evaluate", examples, sampleWeight)
      const data = { ...examples.data, ...weights }
      const { traced } = this.#fitTo(specsOf(examples.data), sampleWeight !== undefined)
      const rows = rowsOf(data)
      const part = (batchSize: number): Part =>
        steps === undefined ? askedPart(data, batchSize) : memoryPart("evaluate", data, batchSize, { steps })
      return this.#over(traced, wanted, rows, part, measure(traced))
    }
    const given = optionsBeside<EvaluateOptions>("evaluate", y, options)
    const { batchSize: wanted, steps, sampleWeight } = readEvaluateOptions(given)
    if (sampleWeight !== undefined) {
      throw configError({ where: "evaluate", what: "the weights of a data set come with it.", hint: "Leave it out." })
    }
    this.#trainingOf()
    const opened = await openDataset("evaluate", x, { wanted: this.#wanted(), paired: true })
    try {
      const { weighted } = opened
      const { traced, targets } = this.#fitTo(opened.specs, weighted)
      const check = this.#checkOf("evaluate", targets)
      const part = (batchSize: number): Part => opened.part({ batchSize, check, steps, weighted })
      return await this.#over(traced, wanted, wanted, part, measure(traced))
    } finally {
      opened.close()
    }
  }

  /**
   * The outputs for these rows, `[n, ...] -> [n, ...output]`, by name if the model has several; for a data set, whose targets
   * are not read, and for a stream of inputs they are put together.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  async predict(x: DataLike | RowSource | Stream<DataLike>, options: PredictOptions = {}): Promise<P> {
    const wanted = readBatchSize("predict", options)
    if (!isDataset(x)) {
      const inputs = readInputColumns("predict", this.#wanted(), x)
      const { outputs } = this.#attempt(() => this.#traceInputs(specsOf(inputs)))
      return this.#outputs(outputs, wanted, rowsOf(inputs), (batchSize) => askedPart(inputs, batchSize))
    }
    const opened = await openDataset("predict", x, { wanted: this.#wanted(), paired: false })
    try {
      const { outputs } = this.#attempt(() => this.#traceInputs(opened.specs))
      const check = this.#checkOf("predict", [])
      return await this.#outputs(outputs, wanted, wanted, (batchSize) => opened.part({ batchSize, check }))
    } finally {
      opened.close()
    }
  }

  /** The outputs for all rows of a part. */
  async #outputs(
    outputs: Traced["outputs"],
    wanted: number,
    rows: number,
    part: (batchSize: number) => Part,
  ): Promise<P> {
    const network = this.#networkOf()
    const traced = this.#traced?.traced ?? this.#forward!
    const names = outputs.map((_, i) => bindings.prediction(network, i))
    const found = await this.#over(traced, wanted, rows, part, (executable, feed) => gather(executable, feed, names))
    const tensors = outputs.map(({ shape }, i): Tensor => {
      const data = found[i]!
      const width = shape.slice(1).reduce((a, b) => a * b, 1)
      return { dtype: "float32", shape: [data.length / width, ...shape.slice(1)], data }
    })
    if (tensors.length === 1) return tensors[0] as P
    return Object.fromEntries(tensors.map((t, i) => [network.outputs[i]!.name, t])) as P
  }

  /**
   * What every layer gives for these rows, in the order of the layers: without noise, as `predict` computes it.
   * @example
   * ```ts
   * import { dense, sequential } from "trilobite"
   * const model = sequential([dense({ units: 2, activation: "relu", inputShape: [3] }), dense({ units: 1 })])
   * const [hidden, output] = await model.activations([[1, 2, 3]])
   * hidden.values.shape // => [1, 2]
   * output.layer // => "dense_1"
   * ```
   */
  async activations(x: DataLike, options: PredictOptions = {}): Promise<readonly Activations[]> {
    const batchSize = readBatchSize("activations", options)
    const inputs = readInputColumns("activations", this.#wanted(), x)
    this.#attempt(() => this.#traceInputs(specsOf(inputs)))
    const network = this.#networkOf()
    const traced = traceActivations(network, this.#inputShapes!)
    const state = createState(this.#cellsOf(), { ...this.#options, backend: this.#pick(this.#options.backend) })
    try {
      const executable = await state.load(traced, Math.min(batchSize, rowsOf(inputs)), "ask")
      const feed = askedPart(inputs, executable.program.rows).feed(executable, (data) => executable.bind({ count: rowsOf(data), data })) // biome-ignore format: one expression
      const names = traced.layers.map(({ name }) => name)
      const found = await gather(executable, feed, names)
      feed.release()
      return traced.layers.map(({ name, output }, i) => {
        const [, ...shape] = output.shape
        const data = found[i]!
        const values: Tensor = { dtype: "float32", shape: [rowsOf(inputs), ...shape], data }
        return { layer: name, activation: activationOf(output), values }
      })
    } finally {
      state.close()
    }
  }

  /**
   * One round of training on exactly these rows: what it has measured, by name. Keras: train_on_batch.
   * @throws E_DATA, E_CONFIG for data and options that do not fit; E_DIVERGED if the loss is not finite (the weights stay as
   * they are); E_BUSY while `fit` runs.
   * @example
   * ```ts
   * import { dense, sequential } from "trilobite"
   * const model = sequential([dense({ units: 1, inputShape: [1] })])
   * model.compile({ loss: "mse" })
   * const { loss } = await model.trainOnBatch([[1], [2]], [[2], [4]])
   * loss > 0 // => true
   * ```
   */
  async trainOnBatch(x: DataLike, y: DataLike, options: BatchOptions = {}): Promise<Logs> {
    this.#checkIdle("trainOnBatch")
    return this.#onBatch("trainOnBatch", "train", x, y, options)
  }

  /** The loss and the metrics of exactly these rows, by name. Keras: test_on_batch. */
  async testOnBatch(x: DataLike, y: DataLike, options: BatchOptions = {}): Promise<Logs> {
    return this.#onBatch("testOnBatch", "evaluate", x, y, options)
  }

  /** The outputs for these rows at once. Keras: predict_on_batch. */
  async predictOnBatch(x: DataLike): Promise<P> {
    return this.predict(x, { batchSize: rowsOf(readInputColumns("predictOnBatch", this.#wanted(), x)) })
  }

  async #onBatch(
    where: string,
    entry: "train" | "evaluate",
    x: unknown,
    y: unknown,
    given: BatchOptions,
  ): Promise<Logs> {
    const { sampleWeight, classWeight } = readBatchOptions(where, given)
    const examples = this.#examples(where, x, y)
    const weighted = sampleWeight !== undefined || classWeight !== undefined
    const data = { ...examples.data, ...(weighted ? this.#weights(where, examples, sampleWeight, classWeight) : {}) }
    const { traced } = this.#fitTo(specsOf(examples.data), weighted)
    const state = this.#stateOf()
    const rows = rowsOf(data)
    const executable = await state.load(traced, rows, entry === "train" || this.#fitting ? "train" : "ask")
    const bound = executable.bind({ count: rows, data })
    try {
      const learningRate = this.#rateNow()
      const { step } = state
      const runtime = { learningRate, step }
      const run = { entry, bound, batchSize: rows, first: 0, count: 1, runtime, seed: this.#options.seed }
      const ran = await executable.run(run)
      const names = logNamesOf(traced)
      if (ran.ended === "guard")
        throw divergence(executable, { epoch: 0, round: step, loss: ran.logs[0]!, learningRate, row: 0 })
      if (entry === "train") state.step++
      return Object.fromEntries(names.map((name, i) => [name, ran.logs[i]!]))
    } finally {
      bound.release()
    }
  }

  /** The learning rate of the next round. */
  #rateNow(): number {
    return rateAt(this.#trainingOf().optimizer.learningRate, this.#state?.step ?? 0)
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
    const feed = part(batchSize).feed(executable, (data) => executable.bind({ count: rowsOf(data), data }))
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

  /** The bytes of the model's file: weights, architecture, and what it was compiled with. */
  toBytes(): Uint8Array {
    const values = this.getWeights()
    const weights = new Map(this.#parameters().map(({ variable }, i) => [variable.key, values[i]!]))
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

/** Examples in memory: a column for each input and each target. */
interface Examples {
  readonly data: Rows
}

/** The targets of an output in the shape that its loss asks for. */
interface Aligned {
  readonly binding: string
  readonly loss: Loss
  readonly output: Shape
  readonly shape: Shape
}

/** What a layer gives for some rows, and by which activation function if losses know it. */
export interface Activations {
  readonly layer: string
  readonly activation: ActivationName
  readonly values: Tensor
}

/** What the entry `predict` gives under these names, for all rows of a feed. */
async function gather(executable: Executable, feed: Feed, names: readonly string[]): Promise<Float32Array[]> {
  const pieces = names.map((): Float32Array[] => [])
  await runFeed(executable, "predict", feed, ({ bound, rows }, { rounds }, first) => {
    if (first + rounds < Math.ceil(rows / feed.batchSize)) return
    names.forEach((name, i) => {
      const all = bound.result(name)
      pieces[i]!.push(all.subarray(0, (all.length / bound.rows) * rows))
    })
  })
  return pieces.map((list) => {
    if (list.length === 1) return list[0]!
    const data = new Float32Array(list.reduce((n, piece) => n + piece.length, 0))
    let at = 0
    for (const piece of list) {
      data.set(piece, at)
      at += piece.length
    }
    return data
  })
}

/** What is doubtful about losses behind the last layers. Throws E_CONFIG for a pair that cannot learn. */
function doubtsAbout(training: Training, { outputs }: Traced): string[] {
  return training.outputs.flatMap(({ loss }, i) => {
    const output = outputs[i]!
    return loss === undefined ? [] : checkPairing(loss, activationOf(output), output.shape[output.shape.length - 1]!)
  })
}

/** The names of the numbers that are logged. */
function logNamesOf({ graph }: Traced): string[] {
  return graph.train!.logs.map(({ name }) => name)
}

/** The learning rate of a step. */
function rateAt(learningRate: LearningRate, step: number): number {
  return typeof learningRate === "number" ? learningRate : learningRateAt(learningRate, step)
}
