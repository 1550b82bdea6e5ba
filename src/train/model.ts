// The model: what a user builds, compiles, trains, asks and saves. Thin: every piece of work is somewhere else.
// Knows no concrete backend.

import type { Backend, Executable } from "../backend/backend.ts"
import { compile } from "../compile/compile.ts"
import { checkKeys, configError, show, TrilobiteError } from "../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../core/shape.ts"
import { type Tensor, type TensorLike, tensor } from "../core/tensor.ts"
import { checkWeights, writeModel } from "../formats/model-file.ts"
import { printGraph } from "../graph/print.ts"
import { activationOf } from "../nn/activations.ts"
import type { Layer, ParameterSpec } from "../nn/layer.ts"
import { readLoss, targetsOf } from "../nn/losses.ts"
import { readMetrics } from "../nn/metrics.ts"
import { inputShapeOf, type Network, sequentialNetwork } from "../nn/network.ts"
import { optimizerWarnings, readOptimizer } from "../nn/optimizers.ts"
import { checkPairing, checkTargets } from "../nn/targets.ts"
import { printProgram } from "../program/print.ts"
import { type History, Listeners } from "./callbacks/listeners.ts"
import type { Logs } from "./events.ts"
import { evaluatePass, fitEvents, type Pass } from "./fit.ts"
import {
  type CompileOptions,
  type EvaluateOptions,
  type FitOptions,
  type ModelOptions,
  type PredictOptions,
  readBatchSize,
  readCompileOptions,
  readFitOptions,
  readModelOptions,
} from "./options.ts"
import { consoleOutput, progressWriter } from "./progress.ts"
import { checkSameRows, classesOf, divide, type Examples, readExamples, readInputs, rowShape } from "./rows.ts"
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
    const before = { inputShape: this.#inputShape, forward: this.#forward }
    try {
      const { output } = this.#trace(rowShape(inputs))
      const examples = { x: inputs, y: checkTargets(training.loss, output.shape, read.y) }
      return { examples, traced: this.#traceTraining(rowShape(examples.y)) }
    } catch (error) {
      this.#inputShape = before.inputShape
      this.#forward = before.forward
      throw error
    }
  }

  /**
   * Trains the model. In every epoch the rows are taken in a new order, in batches of `batchSize` without replacement;
   * the last one may be smaller. The same model, data, options and seed give the same bits.
   * @throws E_DATA, E_CONFIG for data and options that do not fit; E_DIVERGED if the loss becomes NaN or infinite, E_BUSY
   * if the model is being trained already.
   */
  async fit(x: TensorLike, y: TensorLike, options: FitOptions = {}): Promise<History> {
    const read = readFitOptions(options)
    this.#checkIdle("fit")
    this.#fitting = true
    const held: { release(): void }[] = []
    try {
      const training = this.#trainingOf()
      const seed = read.seed ?? this.#options.seed
      // All data is read and copied before anything is waited for.
      const { traced, ...parts } = this.#parts(read, x, y, seed)
      const sizes = [parts.train.batchSize, parts.validation?.batchSize ?? 1]
      const executable = await this.#stateOf().load(traced, Math.max(...sizes))
      const bind = (data: Examples): Pass["bound"] => {
        const bound = bindRows(executable, data)
        held.push(bound)
        return bound
      }
      const train = { ...parts.train, bound: bind(parts.train.examples) }
      const validation = parts.validation && {
        ...parts.validation,
        bound: parts.validation.examples === parts.train.examples ? train.bound : bind(parts.validation.examples),
      }
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
      const events = fitEvents({
        ...read,
        executable,
        names: logNames(training),
        train,
        seed,
        state,
        everyRound: listeners.everyRound,
        control: listeners.control,
        validation,
      })
      try {
        for await (const event of events) {
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

  /** What trains and what validates, as the options say. */
  #parts(
    read: ReturnType<typeof readFitOptions>,
    x: TensorLike,
    y: TensorLike,
    seed: number,
  ): { traced: Traced; train: Part; validation: Part | undefined } {
    const { validationData, validationSplit } = read
    const { examples, traced } = this.#examples("fit", x, y)
    const part = (of: Examples, batchSize: number, rows?: Int32Array): Part => {
      return { examples: of, batchSize: Math.min(batchSize, of.x.shape[0]!), rows }
    }
    const validationSize = read.validationBatchSize ?? read.batchSize
    if (validationData !== undefined) {
      const { examples: other } = this.#examples("validationData", validationData[0], validationData[1])
      checkSameRows(examples, other)
      return { traced, train: part(examples, read.batchSize), validation: part(other, validationSize) }
    }
    if (validationSplit === 0) return { traced, train: part(examples, read.batchSize), validation: undefined }
    const classes = classesOf(examples.y, targetsOf(this.#trainingOf().loss))
    const rows = divide(examples.x.shape[0]!, validationSplit, seed, classes)
    const validation = part(examples, validationSize, rows.validation)
    return { traced, train: part(examples, read.batchSize, rows.train), validation }
  }

  /**
   * The loss and the metrics over these rows.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  async evaluate(x: TensorLike, y: TensorLike, options: EvaluateOptions = {}): Promise<Logs> {
    const wanted = readBatchSize("evaluate", options)
    const { examples, traced } = this.#examples("evaluate", x, y)
    const { executable, batchSize } = await this.#loaded(traced, wanted, examples.x.shape[0]!)
    const bound = bindRows(executable, examples)
    try {
      return await evaluatePass(executable, logNames(this.#trainingOf()), { bound, batchSize })
    } finally {
      bound.release()
    }
  }

  /**
   * The outputs for these rows, `[n, ...] -> [n, ...output]`.
   * @throws E_DATA, E_CONFIG for data and options that do not fit.
   */
  async predict(x: TensorLike, options: PredictOptions = {}): Promise<Tensor> {
    const wanted = readBatchSize("predict", options)
    const inputs = withRows(readInputs("predict", x))
    const forward = this.#trace(rowShape(inputs))
    const rows = inputs.shape[0]!
    const { executable, batchSize } = await this.#loaded(this.#traced?.traced ?? forward, wanted, rows)
    const bound = executable.bind({ count: rows, data: { [bindings.x]: inputs } })
    try {
      const rounds = Math.ceil(rows / batchSize)
      for (let first = 0; first < rounds; ) {
        first += (await executable.run({ entry: "predict", bound, batchSize, first, count: rounds - first })).rounds
      }
      const data = bound.result(bindings.prediction)
      return { dtype: "float32", shape: [rows, ...forward.output.shape.slice(1)], data }
    } finally {
      bound.release()
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
  inspect(options: { readonly batchSize?: number } = {}): { graph: string; program: string } {
    const rows = readBatchSize("inspect", options)
    const { output } = this.#trace()
    const sparse = this.#training !== undefined && targetsOf(this.#training.loss) === "labels"
    const targets = output.shape.slice(1, sparse ? -1 : undefined)
    const { graph } =
      this.#training === undefined ? this.#trace() : this.#traceTraining(this.#traced?.targetShape ?? targets)
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

/** Examples of which all or some take part in a training. */
interface Part extends Omit<Pass, "bound"> {
  readonly examples: Examples
}

function bindRows(executable: Executable, { x, y }: Examples): Pass["bound"] {
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
