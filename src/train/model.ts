// The model: what a user builds, compiles, trains, asks and saves. Thin: every piece of work is somewhere else.
// Knows no concrete backend.

import type { Backend } from "../backend/backend.ts"
import type { Evidence } from "../coach/evidence.ts"
import { checkKeys, configError, show, TrilobiteError } from "../core/errors.ts"
import { formatShape, type Shape, sameShape, size } from "../core/shape.ts"
import { type Tensor, type TensorLike, tensor } from "../core/tensor.ts"
import {
  type DataLike,
  type Dataset,
  isDataset,
  type RowSource,
  type Rows,
  type Specs,
  type Stream,
} from "../data/dataset.ts"
import type { Progress, SavedModel } from "../formats/saved-model.ts"
import type { WeightInfo } from "../formats/weights-file.ts"
import { activationOf } from "../nn/activations.ts"
import type { Layer } from "../nn/layer.ts"
import { targetsOf } from "../nn/losses.ts"
import { nestedLayer } from "../nn/nested.ts"
import { inputShapesOf, type LayerLike, type Network, sequentialNetwork } from "../nn/network.ts"
import { type Optimizer, optimizerWarnings } from "../nn/optimizers.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import { checkPairing, targetShapeOf } from "../nn/targets.ts"
import { networkToConfig } from "../nn/to-config.ts"
import { type CompileOptions, readTraining, type Training } from "../nn/training.ts"
import { type Cell, setValues, valuesOf } from "../nn/weights.ts"
import type { Activations } from "./asking.ts"
import type { LayerWeights } from "./callbacks/callback.ts"
import type { History } from "./callbacks/listeners.ts"
import type { Logs, Tables } from "./events.ts"
import {
  type Aligned,
  type Coached,
  examplesFor,
  type InMemory,
  type Room,
  readMemory,
  weightsFor,
} from "./examples.ts"
import { bindings, type Traced, traceForward } from "./forward.ts"
import { optionsBeside, readInputColumns, type Wanted } from "./inputs.ts"
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
import { type Rate, rateOf } from "./rate.ts"
import { rowsOf, specsOf } from "./rows.ts"
import { cellsOf, createState, type State } from "./state.ts"
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
  #tables: Tables = {}
  #coached: Coached | undefined
  #rate: Rate | undefined
  #made: Room | undefined
  /**
   * How rows of a table become inputs, and outputs answers, as `prepare` of `trilobite/datasets` has learnt it: a plain object that
   * is saved with the model. Set it before saving; nothing is done with it here.
   */
  preparing: object | undefined
  /** Where the training stands: while it runs, after an abort, and as a file has said. */
  #progress: (() => Progress) | undefined
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

  /**
   * The optimizer that the model was compiled with. Its learning rate may be set at any time, also while the model is being
   * trained: it holds from the next piece of work on. Throws E_CONFIG if the model is not compiled.
   * @example
   * ```ts
   * import { dense, sequential, sgd } from "trilobite"
   * const model = sequential([dense({ units: 1, inputShape: [1] })])
   * model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.1 }) })
   * model.optimizer.learningRate = 0.01
   * model.optimizer.learningRate // => 0.01
   * ```
   */
  get optimizer(): ModelOptimizer {
    const { optimizer } = this.#trainingOf()
    const rate = this.#rate!
    const step = (): number => this.#state?.step ?? 0
    return {
      type: optimizer.type,
      config: optimizer,
      get learningRate() {
        return rate.at(step())
      },
      set learningRate(value) {
        rate.set(value)
      },
    }
  }

  /** What the last training has measured, undefined before the first. */
  get history(): History | undefined {
    return this.#history
  }

  /** What the coach has seen and found in the last training that it watched (`fit({ coach: true })`), undefined before. */
  get coach(): Coached | undefined {
    return this.#coached
  }

  /**
   * Measured things that are several numbers (confusionMatrix, perClassAccuracy), by name: those of the last evaluation or
   * epoch, with `val` before the name for validation data.
   */
  get tables(): Tables {
    return this.#tables
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
      batchSize: network.batchSize,
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
    this.#rate = rateOf(training.optimizer.learningRate)
    this.#traced = undefined
    this.#state?.forgetSlots()
    this.#progress = undefined
    this.#warnings = [...optimizerWarnings(training.optimizer), ...doubts]
  }

  /** Throws E_BUSY while the model is being trained. */
  #checkIdle(where: string): void {
    if (!this.#fitting) return
    const hint = "Wait for the promise that fit has given, or stop that training."
    throw new TrilobiteError("E_BUSY", { where, what: "this model is being trained already.", hint })
  }

  /** The model as a graph with a training for targets of these shapes. */
  async #traceTraining(
    targetShapes: readonly (Shape | undefined)[],
    weighted = false,
    coached = false,
  ): Promise<Traced> {
    const { traceTraining } = await import("./step.ts")
    const watch = coached ? (await import("./watch.ts")).watch : undefined
    const training = this.#trainingOf()
    const key = JSON.stringify([targetShapes, weighted])
    if (this.#traced?.key !== key || (coached && this.#traced.traced.watched === undefined)) {
      const doubts = doubtsAbout(training, this.#trace())
      for (const doubt of doubts) if (!this.#warnings.includes(doubt)) this.#warnings.push(doubt)
      const traced = traceTraining(this.#networkOf(), this.#inputShapes!, training, { targetShapes, weighted, watch })
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

  /** The options with the batch size of the network, if it has one and they say none. */
  #sized<O extends object>(options: O): O {
    const { batchSize } = this.#networkOf()
    return batchSize === undefined || !(options instanceof Object) ? options : { batchSize, ...options }
  }

  /** What training and asking see of the model. */
  get #room(): Room {
    this.#made ??= this.#makeRoom()
    return this.#made
  }

  #makeRoom(): Room {
    const model = this
    return {
      get network() {
        return model.#networkOf()
      },
      get fitting() {
        return model.#fitting
      },
      get training() {
        return model.#trainingOf()
      },
      get optimizer() {
        return model.#trainingOf().optimizer
      },
      get state() {
        return model.#stateOf()
      },
      get rate() {
        return model.#rate!
      },
      seed: this.#options.seed,
      numerics: this.#options.numerics,
      get progress() {
        return model.#progress?.()
      },
      keepProgress: (progress) => {
        this.#progress = progress
      },
      restore: ({ weights, state, learningRate }) => {
        this.setWeights(weights)
        this.#stateOf().restore(state.step, state.slots)
        if (learningRate !== undefined) this.#rate!.set(learningRate)
      },
      saved: () => this.#saved(),
      wanted: () => this.#wanted(),
      targetsFor: (specs) => this.#targetsFor(specs),
      trainWith: async (targets, weighted, coached) => {
        const shapes = this.#trainingOf().outputs.map((_, i) => targets.find((t) => t.i === i)?.shape)
        try {
          return await this.#traceTraining(shapes, weighted, coached)
        } catch (error) {
          // What the data said of a model that has no weights yet is forgotten.
          if (this.#cells === undefined) {
            this.#inputShapes = undefined
            this.#build(this.#networkOf())
          }
          throw error
        }
      },
      askWith: (specs) => {
        const forward = this.#attempt(() => this.#traceInputs(specs))
        return this.#traced?.traced ?? forward
      },
      otherState: () => createState(this.#cellsOf(), { ...this.#options, backend: this.#pick(this.#options.backend) }),
      subject: {
        getWeights: () => this.getWeights(),
        setWeights: (weights) => this.setWeights(weights),
        weights: () => this.#weightsOf(),
        activations: async (rows) => {
          const { inputs, outputs, calls, layers } = this.#networkOf()
          const last = new Set(outputs.map(({ from }) => layers[calls[from.node - inputs.length]?.layer ?? -1]?.name))
          return (await this.activations(rows)).filter(({ layer }) => !last.has(layer))
        },
        save: (path) => this.save(path),
        saveWeights: (path) => this.saveWeights(path),
      },
      get cells() {
        return model.#cellsOf()
      },
      takeWarnings: () => this.#warnings.splice(0),
      keepHistory: (history) => {
        this.#history = history
      },
      keepTables: (tables) => {
        this.#tables = tables
      },
      keepCoached: (coached) => {
        this.#coached = coached
      },
    }
  }

  /** What the model reads, to be trained or only asked. */
  #wanted(): Wanted {
    const network = this.#networkOf()
    const outputs = this.#training?.outputs ?? []
    const trained = outputs.flatMap(({ loss }, i) =>
      loss === undefined ? [] : [{ loss, i, name: network.outputs[i]!.name }],
    )
    return {
      inputs: network.inputs.map(({ name }, i) => ({
        name,
        binding: bindings.input(network, i),
        below: placesOf(network, i),
      })),
      targets: trained.map(({ name, i }) => ({ name, binding: bindings.target(network, i) })),
      weights: trained.map(({ name, i }) => ({ name, binding: bindings.weight(network, i) })),
      losses: trained.map(({ loss }) => loss),
    }
  }

  /** Traces the network for inputs with these columns. */
  #traceInputs(specs: Specs): Traced {
    return this.#trace(this.#wanted().inputs.map(({ binding }) => specs[binding]!.shape))
  }

  /** The targets of rows of these columns in the shapes that the losses ask for. */
  #targetsFor(specs: Specs): readonly Aligned[] {
    const training = this.#trainingOf()
    const wanted = this.#wanted()
    return this.#attempt(() => {
      const { outputs } = this.#traceInputs(specs)
      const targets: Aligned[] = []
      training.outputs.forEach(({ loss }, i) => {
        if (loss === undefined) return
        const { binding } = wanted.targets[targets.length]!
        const output = outputs[i]!.shape
        targets.push({ i, binding, loss, output, shape: targetShapeOf(loss, output, specs[binding]!.shape) })
      })
      return targets
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
    const dataset = isDataset(x) ? x : undefined
    const read = readFitOptions(this.#sized(dataset ? optionsBeside("fit", y, options) : (options ?? {})))
    this.#checkIdle("fit")
    this.#fitting = true
    try {
      this.#trainingOf()
      // All data in memory is read and copied before anything is waited for.
      const memory = dataset ? { train: undefined, validation: undefined } : await this.#read(read, x, y)
      const { fitModel } = await import("./fitting.ts")
      return await fitModel(this.#room, read, memory, dataset)
    } finally {
      this.#fitting = false
    }
  }

  /** The data in memory. What is refused is examined first if the training is coached. */
  #read(read: ReturnType<typeof readFitOptions>, x: unknown, y: unknown): InMemory | Promise<never> {
    try {
      return readMemory(this.#room, read, x, y)
    } catch (error) {
      if (read.coach === false) throw error
      const examined = import("./coaching.ts").then(({ refused }) => refused(this.#room, read, x, y))
      return examined.then(() => Promise.reject(error))
    }
  }

  /**
   * All that can be known of a training before its first step, for the coach: the network, the options that `fit` would get, what the
   * data are, and what the network gives for some of them. Nothing is trained and nothing of the data is checked: rows that `fit`
   * would refuse are counted, and then the network is not asked.
   * @throws E_DATA for what is no data or does not have the shape of the inputs, E_CONFIG for wrong options.
   * @example
   * ```ts
   * import { dense, sequential } from "trilobite"
   * const model = sequential([dense({ units: 1, inputShape: [2] })])
   * model.compile({ loss: "mse", optimizer: "sgd" })
   * const { data, network } = await model.examine([[0, 1], [Number.NaN, 1]], [0, 1], { epochs: 5 })
   * data.nonFinite // => { rows: 1, first: 1 }
   * network.task // => "numbers"
   * ```
   */
  async examine(x: DataLike, y: DataLike, options: FitOptions = {}): Promise<Evidence> {
    const read = readFitOptions(this.#sized(options))
    this.#trainingOf()
    const { examineModel } = await import("./examine.ts")
    return examineModel(this.#room, read, x, y)
  }

  /**
   * The loss and the metrics over these rows, or over those of a data set.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  evaluate(x: DataLike, y: DataLike, options?: EvaluateOptions): Promise<Logs>
  evaluate(dataset: Dataset, options?: Omit<EvaluateOptions, "sampleWeight">): Promise<Logs>
  async evaluate(x: DataLike | Dataset, y: DataLike | EvaluateOptions = {}, options?: EvaluateOptions): Promise<Logs> {
    this.#trainingOf()
    if (!isDataset(x)) {
      const { batchSize, steps, sampleWeight } = readEvaluateOptions(this.#sized(options ?? {}))
      const data = examplesFor(this.#room, "evaluate", x, y)
      const weights = sampleWeight === undefined ? {} : weightsFor(this.#room, "evaluate", data, sampleWeight)
      const { evaluateMemory } = await import("./asking.ts")
      return evaluateMemory(this.#room, { ...data, ...weights }, sampleWeight !== undefined, batchSize, steps)
    }
    const { batchSize, steps, sampleWeight } = readEvaluateOptions(this.#sized(optionsBeside("evaluate", y, options)))
    if (sampleWeight !== undefined) {
      throw configError({ where: "evaluate", what: "the weights of a data set come with it.", hint: "Leave it out." })
    }
    const { evaluateDataset } = await import("./asking.ts")
    return evaluateDataset(this.#room, x, batchSize, steps)
  }

  /**
   * The outputs for these rows, `[n, ...] -> [n, ...output]`, by name if the model has several; for a data set, whose targets
   * are not read, and for a stream of inputs they are put together.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  async predict(x: DataLike | RowSource | Stream<DataLike>, options: PredictOptions = {}): Promise<P> {
    const size = readBatchSize("predict", this.#sized(options))
    const inputs = isDataset(x) ? undefined : this.#inputs("predict", x)
    const { predictDataset, predictMemory } = await import("./asking.ts")
    const found = inputs
      ? await predictMemory(this.#room, inputs, size)
      : await predictDataset(this.#room, x as RowSource, size)
    if (found.length === 1) return found[0] as P
    return Object.fromEntries(found.map((t, i) => [this.#networkOf().outputs[i]!.name, t])) as P
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
    const size = readBatchSize("activations", this.#sized(options))
    const inputs = this.#inputs("activations", x)
    const { activationsOf } = await import("./asking.ts")
    return activationsOf(this.#room, inputs, size)
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
    this.#progress = undefined
    return this.#onBatch("trainOnBatch", "train", x, y, options)
  }

  /** The loss and the metrics of exactly these rows, by name. Keras: test_on_batch. */
  async testOnBatch(x: DataLike, y: DataLike, options: BatchOptions = {}): Promise<Logs> {
    return this.#onBatch("testOnBatch", "evaluate", x, y, options)
  }

  /** The outputs for these rows at once. Keras: predict_on_batch. */
  async predictOnBatch(x: DataLike): Promise<P> {
    return this.predict(x, { batchSize: rowsOf(this.#inputs("predictOnBatch", x)) })
  }

  async #onBatch(
    where: string,
    entry: "train" | "evaluate",
    x: unknown,
    y: unknown,
    given: BatchOptions,
  ): Promise<Logs> {
    const { sampleWeight, classWeight } = readBatchOptions(where, given)
    this.#trainingOf()
    const examples = examplesFor(this.#room, where, x, y)
    const weighted = sampleWeight !== undefined || classWeight !== undefined
    const weights = weighted ? weightsFor(this.#room, where, examples, sampleWeight, classWeight) : {}
    const { roundOn } = await import("./asking.ts")
    return roundOn(this.#room, entry, { ...examples, ...weights }, weighted)
  }

  /** Inputs in memory that fit the model. */
  #inputs(where: string, x: unknown): Rows {
    const inputs = readInputColumns(where, this.#wanted(), x)
    this.#room.askWith(specsOf(inputs))
    return inputs
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
    if (!this.#fitting) this.#progress = undefined
    parameters.forEach(({ variable: { key } }, i) => {
      setValues(cells.get(key)!, read[i]!.data as Float32Array)
    })
  }

  /**
   * Sets to zero what stateful layers carry from batch to batch: the next batch begins new sequences. It may be called at any time,
   * between epochs in a callback too. Keras: reset_states.
   * @example
   * ```ts
   * import { lstm, sequential } from "trilobite"
   * const model = sequential([lstm({ units: 2, stateful: true, batchShape: [1, 3, 1] })])
   * const first = await model.predict([[[1], [2], [3]]])
   * const second = await model.predict([[[1], [2], [3]]])
   * model.resetStates()
   * const again = await model.predict([[[1], [2], [3]]])
   * second.data[0] === first.data[0] // => false
   * again.data[0] === first.data[0] // => true
   * ```
   */
  resetStates(): void {
    const cells = this.#cellsOf()
    for (const { carried, variable } of this.#parameters()) {
      if (carried === true) setValues(cells.get(variable.key)!, new Float32Array(size(variable.shape)))
    }
    if (!this.#fitting) this.#progress = undefined
  }

  /** How many numbers training changes. */
  countParams(): number {
    return this.#parameters().reduce((n, { variable }) => n + size(variable.shape), 0)
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
   * const svg = await sequential([dense({ units: 2, inputShape: [3] })]).toSvg()
   * svg.startsWith("<svg") // => true
   * ```
   */
  async toSvg(): Promise<string> {
    const { pictureOf } = await import("./picture.ts")
    return pictureOf(this.#networkOf(), this.#trace().layers, this.name)
  }

  /** The graph and the compiled Program as text, and its memory in bytes, for batches of up to `batchSize` rows of targets like the output. */
  async inspect(
    options: { readonly batchSize?: number } = {},
  ): Promise<{ graph: string; program: string; bytes: number }> {
    const rows = readBatchSize("inspect", this.#sized(options))
    const forward = this.#trace()
    const training = this.#training
    const shapes = training?.outputs.map(({ loss }, i) => {
      const shape = forward.outputs[i]!.shape.slice(1)
      return loss === undefined ? undefined : targetsOf(loss) === "labels" ? shape.slice(0, -1) : shape
    })
    const { graph } = shapes === undefined ? forward : (this.#traced?.traced ?? (await this.#traceTraining(shapes)))
    const [{ printGraph }, { compile }, { printProgram }] = await Promise.all([
      import("../graph/print.ts"),
      import("../compile/compile.ts"),
      import("../program/print.ts"),
    ])
    const program = compile(graph, { rows, numerics: this.#options.numerics })
    return { graph: printGraph(graph), program: printProgram(program), bytes: program.arena }
  }

  /** All that a file holds of the model: copies. */
  #saved(): SavedModel {
    const values = this.getWeights()
    const weights = new Map(this.#parameters().map(({ variable }, i) => [variable.key, values[i]!]))
    const { step, slots } = this.#state ?? { step: 0, slots: new Map<string, Cell>() }
    const kept = [...slots].map(([key, cell]): [string, Tensor] => {
      return [key, { dtype: "float32", shape: cell.shape, data: valuesOf(cell) }]
    })
    return {
      network: this.#networkOf(),
      inputShapes: this.#inputShapes!,
      compiled: this.#compiledNow(step),
      weights,
      state: step === 0 || this.#training === undefined ? undefined : { step, slots: new Map(kept) },
      name: this.name,
      preparing: this.preparing as SavedModel["preparing"],
      progress: this.#progress?.(),
    }
  }

  /** What the model was compiled with, with the learning rate that it has now. */
  #compiledNow(step: number): Training | undefined {
    const { optimizer, outputs } = this.#training ?? {}
    if (optimizer === undefined || outputs === undefined || typeof optimizer.learningRate !== "number")
      return this.#training
    return { optimizer: { ...optimizer, learningRate: this.#rate!.at(step) }, outputs }
  }

  /** Takes what a file holds beside the network: the weights, what the model was compiled with, and how far it had got. */
  adopt(
    weights: (infos: readonly WeightInfo[]) => readonly Tensor[],
    { compiled, state, preparing, progress }: Omit<SavedModel, "network" | "inputShapes">,
  ): void {
    if (compiled !== undefined) this.train(compiled)
    this.setWeights(weights(this.weights))
    if (state !== undefined) this.#stateOf().restore(state.step, state.slots)
    this.preparing = preparing
    if (progress === undefined) return
    this.#progress = () => progress
    this.#history = { ...(structuredClone(progress.history) as History), ended: "aborted" }
  }

  /** The weights with their layers and their names in them. */
  #weightsOf(): LayerWeights[] {
    const tensors = this.getWeights()
    return this.#parameters().map(({ layer, name }, i) => ({ layer, name, tensor: tensors[i]! }))
  }

  /** The bytes of the model's file: weights, architecture, what it was compiled with, and how far its training has got. */
  async toBytes(): Promise<Uint8Array> {
    const saved = this.#saved()
    const { bytesOf } = await import("./files.ts")
    return bytesOf(saved)
  }

  /**
   * Saves the model, all of it or nothing, in the format that the name asks for: `.safetensors` (ours: architecture, weights, what it
   * was compiled with and how far its training has got), `.keras` and `.weights.h5` (Keras 3), `.json` (TensorFlow.js, with a file of
   * weights beside it), `.onnx`, `.ts` (a function without dependencies). Where it goes may also be `indexeddb://name` or, as a
   * download of a page, `downloads://name.keras`.
   * @throws E_IO if the file cannot be written, E_MODEL if a weight is NaN or infinite or the format cannot hold the model.
   * @example
   * ```ts
   * import { dense, loadModel, sequential } from "trilobite"
   * import { mkdtempSync } from "node:fs"
   * const path = `${mkdtempSync("/tmp/trilobite-")}/model.keras`
   * const model = sequential([dense({ units: 2, inputShape: [3] })])
   * await model.save(path)
   * const loaded = await loadModel(path)
   * loaded.getWeights()[0].data.join() === model.getWeights()[0].data.join() // => true
   * ```
   */
  async save(path: string): Promise<void> {
    const saved = this.#saved()
    const { saveModel } = await import("./files.ts")
    await saveModel(saved, path)
  }

  /**
   * Saves the weights alone: in a safetensors file, a tensor `layer/name` for each, or in Keras's form if the name ends in
   * `.weights.h5`; all of it or nothing. Keras: save_weights.
   * @throws E_IO if the file cannot be written, E_MODEL if a weight is NaN or infinite.
   */
  async saveWeights(path: string): Promise<void> {
    const saved = this.#saved()
    const { saveWeights } = await import("./files.ts")
    await saveWeights(saved, path)
  }

  /**
   * Puts the weights of a file in place, which `saveWeights` or `save` or Keras (`.weights.h5`) has written: all of them or none.
   * Keras: load_weights.
   * @throws E_IO if there is no such file, E_MODEL if a tensor is missing, too many, or of another shape.
   * @example
   * ```ts
   * import { dense, sequential } from "trilobite"
   * import { mkdtempSync } from "node:fs"
   * const path = `${mkdtempSync("/tmp/trilobite-")}/weights.safetensors`
   * const net = (seed: number) => sequential([dense({ units: 2, inputShape: [3] })], { seed })
   * const [a, b] = [net(1), net(2)]
   * await a.saveWeights(path)
   * await b.loadWeights(path)
   * b.getWeights()[0].data.join() === a.getWeights()[0].data.join() // => true
   * ```
   */
  async loadWeights(path: string): Promise<void> {
    const { loadWeights } = await import("./files.ts")
    const shapes = () => ({ network: this.#networkOf(), inputShapes: this.#inputShapes! })
    this.setWeights(await loadWeights(path, this.weights, shapes))
  }

  /** The names and shapes of the weights, in the order of `getWeights`: `dense_1/kernel`. */
  get weights(): readonly WeightInfo[] {
    return this.#parameters().map(({ variable: { key, shape } }) => ({ name: key, shape }))
  }
}

/** The optimizer of a model: its options as they were given, and the learning rate of the next round, which may be set. */
export interface ModelOptimizer {
  readonly type: Optimizer["type"]
  readonly config: Optimizer
  learningRate: number
}

/** How many rows the tables have in which layers look this input up, if any do: the least. */
function placesOf({ calls, layers }: Network, input: number): number | undefined {
  const tables = calls.flatMap(({ layer, inputs }) => {
    const { type, config } = layers[layer]!
    return type === "Embedding" && inputs.some(({ node }) => node === input) ? [Number(config.inputDim)] : []
  })
  return tables.length === 0 ? undefined : Math.min(...tables)
}

/** What is doubtful about losses behind the last layers. Throws E_CONFIG for a pair that cannot learn. */
function doubtsAbout(training: Training, { outputs }: Traced): string[] {
  return training.outputs.flatMap(({ loss }, i) => {
    const output = outputs[i]!
    return loss === undefined ? [] : checkPairing(loss, activationOf(output), output.shape[output.shape.length - 1]!)
  })
}
