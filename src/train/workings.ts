// The inside of a model, which model.ts shows to users: its weights, what the optimizer keeps, and where its training stands.
// Training and asking see of it what examples.ts says. Knows no concrete backend.

import type { Backend } from "../backend/backend.ts"
import { configError, TrilobiteError } from "../core/errors.ts"
import { type Shape, size } from "../core/shape.ts"
import type { Tensor, TensorLike } from "../core/tensor.ts"
import type { DataLike, Dataset } from "../data/dataset.ts"
import type { Checkpoint } from "../formats/read-model.ts"
import type { Progress, SavedModel } from "../formats/saved-model.ts"
import type { WeightInfo } from "../formats/weights-file.ts"
import type { Layer } from "../nn/layer.ts"
import { nestedLayer } from "../nn/nested.ts"
import type { LayerLike, Network } from "../nn/network.ts"
import { networkToConfig } from "../nn/to-config.ts"
import type { Training } from "../nn/training.ts"
import { type Cell, setValues, valuesOf } from "../nn/weights.ts"
import type { Numerics } from "../program/program.ts"
import type { Activations } from "./asking.ts"
import type { LayerWeights } from "./callbacks/callback.ts"
import type { History } from "./callbacks/listeners.ts"
import type { Tables } from "./events.ts"
import { type Aligned, type Coached, type InMemory, type Room, readMemory } from "./examples.ts"
import type { Traced } from "./forward.ts"
import { Graphs } from "./graphs.ts"
import { type PredictOptions, readBatchSize, type readFitOptions, type readModelOptions } from "./options.ts"
import { type ModelOptimizer, optimizerOf, type Rate, rateOf } from "./rate.ts"
import { cellsOf, createState, readValues, type State } from "./state.ts"
import type { Summarized } from "./summary.ts"

/** Finds a backend by name, or the best one. */
export type PickBackend = (name?: string) => Backend

type Options = ReturnType<typeof readModelOptions>
type Read = ReturnType<typeof readFitOptions>

/** The inside of one model. */
export class Workings extends Graphs implements Room {
  readonly name: string
  readonly seed: number
  readonly numerics: Numerics
  fitting = false
  history: History | undefined
  tables: Tables = {}
  coached: Coached | undefined
  /** What the user keeps with the model: how rows of a table become inputs. */
  preparing: object | undefined
  readonly subject: Room["subject"] = this.#subject()
  readonly #options: Options
  readonly #pick: PickBackend
  #layer: Layer | undefined
  #rate: Rate | undefined
  #cells: ReadonlyMap<string, Cell> | undefined
  #state: State | undefined
  /** Where the training stands: while it runs, after an abort, and as a file has said. */
  #progress: (() => Progress) | undefined

  /** @param network undefined for a sequential model whose layers are added later */
  constructor(network: Network | undefined, options: Options, pick: PickBackend, inputShapes?: readonly Shape[]) {
    super(network, inputShapes)
    this.#options = options
    this.#pick = pick
    this.name = options.name ?? network?.kind ?? "sequential"
    this.seed = options.seed
    this.numerics = options.numerics
  }

  /** Throws E_BUSY while the model is being trained. */
  checkIdle(where: string): void {
    if (!this.fitting) return
    const hint = "Wait for the promise that fit has given, or stop that training."
    throw new TrilobiteError("E_BUSY", { where, what: "this model is being trained already.", hint })
  }

  override add(layer: LayerLike): void {
    this.checkIdle("add")
    if (this.branched) {
      const hint = "Call the layer with a value, and make a new model: functional({ inputs, outputs })."
      throw configError({ where: "add", what: "layers are added to sequential models only.", hint })
    }
    if (this.#cells !== undefined) {
      const hint = "Add all layers before the model is used."
      throw configError({ where: "add", what: "the model has its weights already.", hint })
    }
    super.add(layer)
    this.#layer = undefined
  }

  /** The model as a layer of others, always the same one. */
  asLayer(): Layer {
    const { network, inputShapes } = this
    this.#layer ??= nestedLayer(network, {
      name: this.#options.name,
      inputShape: network.inputs.length === 1 ? inputShapes?.[0] : undefined,
      batchSize: network.batchSize,
      config: { ...networkToConfig(network) },
      cells: inputShapes === undefined ? undefined : this.cells,
    })
    return this.#layer
  }

  override compile(training: Training): void {
    this.checkIdle("compile")
    super.compile(training)
    this.#rate = rateOf(training.optimizer.learningRate)
    this.#state?.forgetSlots()
    this.#progress = undefined
  }

  get rate(): Rate {
    return this.#rate!
  }

  get optimizer(): ModelOptimizer {
    return optimizerOf(this.training.optimizer, this.rate, () => this.#state?.step ?? 0)
  }

  override async trainWith(targets: readonly Aligned[], weighted: boolean, coached?: boolean): Promise<Traced> {
    try {
      return await super.trainWith(targets, weighted, coached)
    } catch (error) {
      // What the data said of a model that has no weights yet is forgotten.
      if (this.#cells === undefined) {
        this.forgetInputs()
        this.#layer = undefined
      }
      throw error
    }
  }

  /** The options with the batch size of the network, if it has one and they say none. */
  sized<O extends object>(options: O): O {
    const { batchSize } = this.network
    return batchSize === undefined || !(options instanceof Object) ? options : { batchSize, ...options }
  }

  /**
   * Trains on a data set, or on data in memory. That is read and copied before anything is waited for; so nothing here holds what
   * the caller gave while it trains.
   */
  fit(read: Read, dataset: Dataset | undefined, x: unknown, y: unknown): Promise<History> {
    this.checkIdle("fit")
    this.checkCompiled()
    this.fitting = true
    return this.#train(read, dataset, dataset ? { train: undefined, validation: undefined } : this.#read(read, x, y))
  }

  async #train(read: Read, dataset: Dataset | undefined, data: InMemory | Promise<never>): Promise<History> {
    try {
      const memory = await data
      const { fitModel } = await import("./fitting.ts")
      return await fitModel(this, read, memory, dataset)
    } finally {
      this.fitting = false
    }
  }

  /** The data in memory. What is refused is examined first if the training is coached. */
  #read(read: Read, x: unknown, y: unknown): InMemory | Promise<never> {
    try {
      return readMemory(this, read, x, y)
    } catch (error) {
      if (read.coach === false) return Promise.reject(error)
      const examined = import("./coaching.ts").then(({ refused }) => refused(this, read, x, y))
      return examined.then(() => Promise.reject(error))
    }
  }

  /** What a summary is made of. */
  summarized(): Summarized {
    const { layers, parameters } = this.trace()
    return { name: this.name, layers, parameters, branched: this.branched }
  }

  get progress(): Progress | undefined {
    return this.#progress?.()
  }

  keepProgress(progress: (() => Progress) | undefined): void {
    this.#progress = progress
  }

  /** A training that was interrupted cannot go on from other values. */
  #forgetProgress(): void {
    if (!this.fitting) this.#progress = undefined
  }

  /** What every layer gives for these rows. */
  async activations(x: DataLike, options: PredictOptions = {}): Promise<readonly Activations[]> {
    const size = readBatchSize("activations", this.sized(options))
    const inputs = this.inputs("activations", x)
    const { activationsOf } = await import("./asking.ts")
    return activationsOf(this, inputs, size)
  }

  #subject(): Room["subject"] {
    return {
      getWeights: () => this.getWeights(),
      setWeights: (weights) => this.setWeights(weights),
      weights: (): LayerWeights[] => {
        const tensors = this.getWeights()
        return this.parameters.map(({ layer, name }, i) => ({ layer, name, tensor: tensors[i]! }))
      },
      activations: async (rows) => {
        const { inputs, outputs, calls, layers } = this.network
        const last = new Set(outputs.map(({ from }) => layers[calls[from.node - inputs.length]?.layer ?? -1]?.name))
        return (await this.activations(rows)).filter(({ layer }) => !last.has(layer))
      },
      save: (path) => this.save(path),
      saveWeights: (path) => this.saveWeights(path),
    }
  }

  /** The values of the parameters, which are drawn when they are first needed. */
  get cells(): ReadonlyMap<string, Cell> {
    this.#cells ??= cellsOf(this.parameters, this.seed)
    return this.#cells
  }

  get state(): State {
    this.#state ??= this.otherState()
    return this.#state
  }

  otherState(): State {
    const backend = this.#pick(this.#options.backend)
    return createState(this.cells, { ...this.#options, backend })
  }

  /** The names and shapes of the weights, in their order. */
  get weights(): readonly WeightInfo[] {
    return this.parameters.map(({ variable: { key, shape } }) => ({ name: key, shape }))
  }

  getWeights(): Tensor[] {
    const { cells } = this
    return this.parameters.map(({ variable: { key, shape } }) => {
      return { dtype: "float32", shape, data: valuesOf(cells.get(key)!) }
    })
  }

  setWeights(weights: readonly TensorLike[]): void {
    const read = readValues(this.parameters, weights)
    const { cells } = this
    this.#forgetProgress()
    this.parameters.forEach(({ variable: { key } }, i) => {
      setValues(cells.get(key)!, read[i]!.data as Float32Array)
    })
  }

  /** Sets to zero what stateful layers carry from batch to batch. */
  resetStates(): void {
    const { cells } = this
    for (const { carried, variable } of this.parameters) {
      if (carried === true) setValues(cells.get(variable.key)!, new Float32Array(size(variable.shape)))
    }
    this.#forgetProgress()
  }

  restore({ weights, state, learningRate }: Checkpoint): void {
    this.setWeights(weights)
    this.state.restore(state.step, state.slots)
    if (learningRate !== undefined) this.rate.set(learningRate)
  }

  saved(): SavedModel {
    const values = this.getWeights()
    const weights = new Map(this.parameters.map(({ variable }, i) => [variable.key, values[i]!]))
    const { step, slots } = this.#state ?? { step: 0, slots: new Map<string, Cell>() }
    const kept = [...slots].map(([key, cell]): [string, Tensor] => {
      return [key, { dtype: "float32", shape: cell.shape, data: valuesOf(cell) }]
    })
    return {
      network: this.network,
      inputShapes: this.inputShapes!,
      compiled: this.#compiledNow(step),
      weights,
      state: step === 0 || this.compiled === undefined ? undefined : { step, slots: new Map(kept) },
      name: this.name,
      preparing: this.preparing as SavedModel["preparing"],
      progress: this.progress,
    }
  }

  /** What the model was compiled with, with the learning rate that it has now. */
  #compiledNow(step: number): Training | undefined {
    const { optimizer, outputs } = this.compiled ?? {}
    if (optimizer === undefined || outputs === undefined || typeof optimizer.learningRate !== "number")
      return this.compiled
    return { optimizer: { ...optimizer, learningRate: this.rate.at(step) }, outputs }
  }

  /** Takes what a file holds beside the network. */
  adopt(
    weights: (infos: readonly WeightInfo[]) => readonly Tensor[],
    { compiled, state, preparing, progress }: Omit<SavedModel, "network" | "inputShapes">,
  ): void {
    if (compiled !== undefined) this.compile(compiled)
    this.setWeights(weights(this.weights))
    if (state !== undefined) this.state.restore(state.step, state.slots)
    this.preparing = preparing
    if (progress === undefined) return
    this.#progress = () => progress
    this.history = { ...(structuredClone(progress.history) as History), ended: "aborted" }
  }

  async toBytes(): Promise<Uint8Array> {
    const saved = this.saved()
    const { bytesOf } = await import("./files.ts")
    return bytesOf(saved)
  }

  async save(path: string): Promise<void> {
    const saved = this.saved()
    const { saveModel } = await import("./files.ts")
    await saveModel(saved, path)
  }

  async saveWeights(path: string): Promise<void> {
    const saved = this.saved()
    const { saveWeights } = await import("./files.ts")
    await saveWeights(saved, path)
  }

  async loadWeights(path: string): Promise<void> {
    const { loadWeights } = await import("./files.ts")
    const shapes = () => ({ network: this.network, inputShapes: this.inputShapes! })
    this.setWeights(await loadWeights(path, this.weights, shapes))
  }
}
