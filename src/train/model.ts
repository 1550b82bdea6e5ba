// The model as its user sees it: what is given is read here, and every piece of work is somewhere else (workings.ts, asking.ts).
// Knows no concrete backend.

import type { Evidence } from "../coach/evidence.ts"
import { checkKeys, configError } from "../core/errors.ts"
import type { Shape } from "../core/shape.ts"
import type { Tensor, TensorLike } from "../core/tensor.ts"
import { type DataLike, type Dataset, isDataset, type RowSource, type Stream } from "../data/dataset.ts"
import type { SavedModel } from "../formats/saved-model.ts"
import type { WeightInfo } from "../formats/weights-file.ts"
import type { Layer } from "../nn/layer.ts"
import type { LayerLike, Network } from "../nn/network.ts"
import { type CompileOptions, readTraining, type Training } from "../nn/training.ts"
import type { Activations } from "./asking.ts"
import type { History } from "./callbacks/listeners.ts"
import type { Logs, Tables } from "./events.ts"
import { type Coached, memoryFor } from "./examples.ts"
import { optionsBeside } from "./inputs.ts"
import type { Inspected } from "./inspect.ts"
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
import type { ModelOptimizer } from "./rate.ts"
import { rowsOf } from "./rows.ts"
import { countOf, summaryText } from "./summary.ts"
import { type PickBackend, Workings } from "./workings.ts"

/**
 * A network with its weights. Made by `sequential` and `loadModel`; trained by `compile` and `fit`.
 * Nothing needs to be disposed of.
 */
export class Model<P = Tensor> {
  /** The name of the model, for summaries. */
  readonly name: string
  readonly #inside: Workings

  /** @param network undefined for a sequential model whose layers are added later */
  constructor(network: Network | undefined, options: ModelOptions, pick: PickBackend, inputShapes?: readonly Shape[]) {
    this.#inside = new Workings(network, readModelOptions(options), pick, inputShapes)
    this.name = this.#inside.name
  }

  /**
   * How rows of a table become inputs, and outputs answers, as `prepare` of `trilobite/datasets` has learnt it: a plain object that
   * is saved with the model. Set it before saving; nothing is done with it here.
   */
  get preparing(): object | undefined {
    return this.#inside.preparing
  }

  set preparing(value: object | undefined) {
    this.#inside.preparing = value
  }

  /** Adds a layer at the end of a sequential model. Throws E_CONFIG once it has weights, and for a layer that does not fit. */
  add(layer: LayerLike): this {
    this.#inside.add(layer)
    return this
  }

  /** The layers with their names. Their `trainable` may be set; it holds from the next `compile` on. */
  get layers(): Network["layers"] {
    return this.#inside.network.layers
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
    return this.#inside.optimizer
  }

  /** What the last training has measured, undefined before the first. */
  get history(): History | undefined {
    return this.#inside.history
  }

  /** What the coach has seen and found in the last training that it watched (`fit({ coach: true })`), undefined before. */
  get coach(): Coached | undefined {
    return this.#inside.coached
  }

  /**
   * Measured things that are several numbers (confusionMatrix, perClassAccuracy), by name: those of the last evaluation or
   * epoch, with `val` before the name for validation data.
   */
  get tables(): Tables {
    return this.#inside.tables
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
    return this.#inside.asLayer()
  }

  /**
   * Says how the model is trained. Nothing is computed yet; what an earlier optimizer has kept is forgotten.
   * @throws E_CONFIG for unknown names, options and values, and for a loss that cannot learn behind the last layer; E_BUSY
   * while the model is being trained.
   */
  compile(options: CompileOptions): void {
    this.train(readTraining(this.#inside.network, options))
  }

  /** What `compile` says, in the complete form that files hold. */
  train(training: Training): void {
    this.#inside.compile(training)
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
    const read = readFitOptions(this.#inside.sized(dataset ? optionsBeside("fit", y, options) : (options ?? {})))
    return this.#inside.fit(read, dataset, x, y)
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
    const read = readFitOptions(this.#inside.sized(options))
    this.#inside.checkCompiled()
    const { examineModel } = await import("./examine.ts")
    return examineModel(this.#inside, read, x, y)
  }

  /**
   * The loss and the metrics over these rows, or over those of a data set.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  evaluate(x: DataLike, y: DataLike, options?: EvaluateOptions): Promise<Logs>
  evaluate(dataset: Dataset, options?: Omit<EvaluateOptions, "sampleWeight">): Promise<Logs>
  async evaluate(x: DataLike | Dataset, y: DataLike | EvaluateOptions = {}, options?: EvaluateOptions): Promise<Logs> {
    const inside = this.#inside
    inside.checkCompiled()
    if (!isDataset(x)) {
      const { batchSize, steps, sampleWeight } = readEvaluateOptions(inside.sized(options ?? {}))
      const memory = memoryFor(inside, "evaluate", x, y, sampleWeight)
      const { evaluateMemory } = await import("./asking.ts")
      return evaluateMemory(inside, memory, batchSize, steps)
    }
    const { batchSize, steps, sampleWeight } = readEvaluateOptions(inside.sized(optionsBeside("evaluate", y, options)))
    if (sampleWeight !== undefined) {
      throw configError({ where: "evaluate", what: "the weights of a data set come with it.", hint: "Leave it out." })
    }
    const { evaluateDataset } = await import("./asking.ts")
    return evaluateDataset(inside, x, batchSize, steps)
  }

  /**
   * The outputs for these rows, `[n, ...] -> [n, ...output]`, by name if the model has several; for a data set, whose targets
   * are not read, and for a stream of inputs they are put together.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  async predict(x: DataLike | RowSource | Stream<DataLike>, options: PredictOptions = {}): Promise<P> {
    const inside = this.#inside
    const size = readBatchSize("predict", inside.sized(options))
    const inputs = isDataset(x) ? undefined : inside.inputs("predict", x)
    const { predictDataset, predictMemory } = await import("./asking.ts")
    const found = inputs
      ? await predictMemory(inside, inputs, size)
      : await predictDataset(inside, x as RowSource, size)
    if (found.length === 1) return found[0] as P
    return Object.fromEntries(found.map((t, i) => [inside.network.outputs[i]!.name, t])) as P
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
    return this.#inside.activations(x, options)
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
    this.#inside.checkIdle("trainOnBatch")
    this.#inside.keepProgress(undefined)
    return this.#onBatch("trainOnBatch", "train", x, y, options)
  }

  /** The loss and the metrics of exactly these rows, by name. Keras: test_on_batch. */
  async testOnBatch(x: DataLike, y: DataLike, options: BatchOptions = {}): Promise<Logs> {
    return this.#onBatch("testOnBatch", "evaluate", x, y, options)
  }

  /** The outputs for these rows at once. Keras: predict_on_batch. */
  async predictOnBatch(x: DataLike): Promise<P> {
    return this.predict(x, { batchSize: rowsOf(this.#inside.inputs("predictOnBatch", x)) })
  }

  async #onBatch(
    where: string,
    entry: "train" | "evaluate",
    x: unknown,
    y: unknown,
    given: BatchOptions,
  ): Promise<Logs> {
    const { sampleWeight, classWeight } = readBatchOptions(where, given)
    this.#inside.checkCompiled()
    const memory = memoryFor(this.#inside, where, x, y, sampleWeight, classWeight)
    const { roundOn } = await import("./asking.ts")
    return roundOn(this.#inside, entry, memory)
  }

  /** The weights now, in the order of the layers (kernel, bias): copies. */
  getWeights(): Tensor[] {
    return this.#inside.getWeights()
  }

  /** Sets all weights. Throws E_DATA if their number or a shape does not fit. */
  setWeights(weights: readonly TensorLike[]): void {
    this.#inside.setWeights(weights)
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
    this.#inside.resetStates()
  }

  /** How many numbers training changes. */
  countParams(): number {
    return countOf(this.#inside.parameters)
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
    const text = summaryText(this.#inside.summarized(), versus === undefined ? undefined : versus.#inside.summarized())
    ;(options.printFn ?? console.log)(text)
    return text
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
    return pictureOf(this.#inside.network, this.#inside.trace().layers, this.name)
  }

  /** The graph and the compiled Program as text, and its memory in bytes, for batches of up to `batchSize` rows of targets like the output. */
  async inspect(options: { readonly batchSize?: number } = {}): Promise<Inspected> {
    const { numerics } = this.#inside
    const rows = readBatchSize("inspect", this.#inside.sized(options))
    const graph = await this.#inside.graph()
    const { inspected } = await import("./inspect.ts")
    return inspected(graph, { rows, numerics })
  }

  /** Takes what a file holds beside the network: the weights, what the model was compiled with, and how far it had got. */
  adopt(
    weights: (infos: readonly WeightInfo[]) => readonly Tensor[],
    saved: Omit<SavedModel, "network" | "inputShapes">,
  ): void {
    this.#inside.adopt(weights, saved)
  }

  /** The bytes of the model's file: weights, architecture, what it was compiled with, and how far its training has got. */
  async toBytes(): Promise<Uint8Array> {
    return this.#inside.toBytes()
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
    await this.#inside.save(path)
  }

  /**
   * Saves the weights alone: in a safetensors file, a tensor `layer/name` for each, or in Keras's form if the name ends in
   * `.weights.h5`; all of it or nothing. Keras: save_weights.
   * @throws E_IO if the file cannot be written, E_MODEL if a weight is NaN or infinite.
   */
  async saveWeights(path: string): Promise<void> {
    await this.#inside.saveWeights(path)
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
    await this.#inside.loadWeights(path)
  }

  /** The names and shapes of the weights, in the order of `getWeights`: `dense_1/kernel`. */
  get weights(): readonly WeightInfo[] {
    return this.#inside.weights
  }
}
