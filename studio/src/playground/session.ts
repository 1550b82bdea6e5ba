// A training of the playground: the network of some settings, its data, and what is to be seen of it. Runs in the worker.

import { type Model, type ModelOptions, type Tensor, TrilobiteError } from "trilobite"
import { type Data, gridPlaces, makeData, pointsKey } from "./data.ts"
import { inputsOf, judge, outputsOf, probe, targetsOf, trainee } from "./net.ts"
import { type Settings, sameShape } from "./settings.ts"

/** The side of the grid of the output. */
export const GRID = 100
/** The side of the grid of a neuron: every fourth place of the output's. */
export const SMALL = 25

/** Cost and accuracy; the accuracy is missing where numbers are learnt. */
export interface Judged {
  readonly cost: number
  readonly accuracy?: number
}

/** What is to be seen of a network: arrays by hidden layers, the output last. */
export interface Look {
  readonly train: Judged
  readonly test: Judged
  /** Kernel and bias of each layer, one after the other. */
  readonly weights: readonly Float32Array[]
  /** The answer at GRID × GRID places, an output after the other at each. */
  readonly field: Float32Array
  /** For each hidden layer its neurons one after the other, SMALL × SMALL places each. */
  readonly fields: readonly Float32Array[]
  /** The mean answer of each neuron of each layer over the training points. */
  readonly means: readonly Float32Array[]
  /** The answer of the pinned neuron at GRID × GRID places. */
  readonly pinned?: Float32Array
}

/** A neuron: its hidden layer and its place in it, from 0. */
export type Neuron = readonly [layer: number, unit: number]

interface Given {
  readonly x: Tensor
  readonly y: Tensor
}

/** A training that can be changed while it goes on. */
export class Session {
  /** Epochs done. */
  epoch = 0
  /** Points trained and the milliseconds that it took. */
  trained = 0
  spent = 0
  readonly #options: ModelOptions
  #settings: Settings
  #data: Data
  #train!: Given
  #test!: Given
  #grid!: Tensor
  #coarse!: Tensor
  #model: Model
  #judge!: Model
  #probe!: Model<Readonly<Record<string, Tensor>>>
  #looking: Promise<unknown> = Promise.resolve()

  constructor(settings: Settings, options: ModelOptions = {}) {
    this.#options = options
    this.#settings = settings
    this.#data = makeData(settings)
    this.#prepare()
    this.#model = this.#made()
  }

  get settings(): Settings {
    return this.#settings
  }

  /** Whether there are points of at least two kinds to be told apart, and some to test. */
  get ready(): boolean {
    return this.#data.train.y.length > 1 && this.#data.test.y.length > 0
  }

  #prepare(): void {
    const { classes, train, test } = this.#data
    const settings = this.#settings
    this.#train = { x: inputsOf(train, settings), y: targetsOf(train, classes) }
    this.#test = { x: inputsOf(test, settings), y: targetsOf(test, classes) }
    this.#grid = inputsOf({ x: gridPlaces(GRID), y: noAnswers }, settings)
    this.#coarse = inputsOf({ x: coarsePlaces(), y: noAnswers }, settings)
    this.#judge = judge(settings, classes, this.#options)
    this.#probe = probe(settings, classes, this.#options)
  }

  #made(): Model {
    return trainee(this.#settings, this.#data.classes, this.#data.train.y.length, this.#options)
  }

  /** Begins again with the first weights. */
  again(): void {
    this.#model = this.#made()
    this.epoch = 0
  }

  /** Takes other settings. Returns whether the training has to start again, because the network has another shape. */
  change(next: Settings): boolean {
    const before = this.#settings
    const classes = this.#data.classes
    this.#settings = next
    if (pointsKey(before) !== pointsKey(next)) this.#data = makeData(next)
    // What only steers the training, as its rate, is no reason to make anew what looks at it.
    if (seenKey(before) !== seenKey(next)) this.#prepare()
    if (!sameShape(before, next) || this.#data.classes !== classes) {
      this.again()
      return true
    }
    if (compiledKey(before, this.rows) !== compiledKey(next, this.rows)) {
      const weights = this.#model.getWeights()
      this.#model = this.#made()
      this.#model.setWeights(weights)
    } else if (next.schedule === "constant") this.#model.optimizer.learningRate = next.rate
    return false
  }

  /** How many points train. */
  get rows(): number {
    return this.#data.train.y.length
  }

  /** The learning rate of the next round. */
  get rate(): number {
    return this.#model.optimizer.learningRate
  }

  /** Trains so many epochs. Returns why it became impossible, if it did. */
  async train(epochs: number, signal?: AbortSignal): Promise<string | undefined> {
    const { batch, shuffle } = this.#settings
    const [began, first, model] = [performance.now(), this.epoch, this.#model]
    try {
      // Nobody hears of single epochs, so that the engine may run several at once.
      await model.fit(this.#train.x, this.#train.y, {
        batchSize: batch,
        initialEpoch: first,
        epochs: first + epochs,
        shuffle,
        verbose: 0,
        ...(signal === undefined ? {} : { signal }),
      })
      return undefined
    } catch (error) {
      if (!(error instanceof TrilobiteError) || error.code !== "E_DIVERGED") throw error
      return `The steps grew until the cost became infinite in epoch ${this.epoch + 1}. Try a smaller learning rate and start again.`
    } finally {
      this.epoch = first + (model.history?.epoch.length ?? 0)
      this.trained += (this.epoch - first) * this.rows
      this.spent += performance.now() - began
    }
  }

  /** The cost of the test points, for the stop rule. */
  async testCost(): Promise<number> {
    // A look under way has the judging network.
    await this.#looking
    this.#judge.setWeights(this.#model.getWeights())
    return (await judged(this.#judge, this.#test)).cost
  }

  /** Sets a weight by hand; `from` −1 is the bias. */
  setWeight(layer: number, from: number, to: number, value: number): void {
    const weights = this.#model.getWeights()
    const place = from < 0 ? 2 * layer + 1 : 2 * layer
    const { shape, data } = weights[place]!
    const changed = Float32Array.from(data as Float32Array)
    changed[from < 0 ? to : from * shape[1]! + to] = value
    this.#model.setWeights(weights.map((w, i) => (i === place ? { ...w, data: changed } : w)))
  }

  /** The weights now. */
  weights(): Float32Array[] {
    return this.#model.getWeights().map(({ data }) => data as Float32Array)
  }

  /** Everything that is to be seen now; the training may go on meanwhile, another look may not begin. */
  look(pin?: Neuron): Promise<Look> {
    const looking = this.#look(pin)
    this.#looking = looking.catch(() => {})
    return looking
  }

  async #look(pin?: Neuron): Promise<Look> {
    // What is asked belongs together, whatever is changed before the answers are there.
    const [judge, probe, given, tested] = [this.#judge, this.#probe, this.#train, this.#test]
    const [settings, rows, outputs] = [this.#settings, this.rows, outputsOf(this.#data.classes)]
    const [grid, coarse] = [this.#grid, this.#coarse]
    const weights = this.#model.getWeights()
    judge.setWeights(weights)
    probe.setWeights(weights)
    const train = await judged(judge, given)
    const test = await judged(judge, tested)
    const names = [...settings.layers.map((_, i) => `hidden${i + 1}`), "output"]
    const units = [...settings.layers, outputs]
    const pinned = pin && pin[0] < settings.layers.length && pin[1] < units[pin[0]]! ? pin : undefined
    const numbers = (of: Readonly<Record<string, Tensor>> | undefined, layer: number): Float32Array =>
      (of?.[names[layer]!]?.data as Float32Array | undefined) ?? nothing
    const field = await judge.predict(grid, { batchSize: 2500 })
    const seen = await probe.predict(coarse, { batchSize: 2500 })
    const own = rows === 0 ? undefined : await probe.predict(given.x, { batchSize: rows })
    const fine = pinned && (await probe.predict(grid, { batchSize: 2500 }))
    return {
      train,
      test,
      weights: weights.map(({ data }) => data as Float32Array),
      field: field.data as Float32Array,
      fields: settings.layers.map((n, layer) => columns(numbers(seen, layer), n)),
      means: units.map((n, layer) => meansOf(numbers(own, layer), n)),
      ...(pinned === undefined ? {} : { pinned: column(numbers(fine, pinned[0]), units[pinned[0]]!, pinned[1]) }),
    }
  }
}

const nothing = new Float32Array(0)
const noAnswers = new Float64Array(0)

async function judged(judge: Model, { x, y }: Given): Promise<Judged> {
  if (y.shape[0] === 0) return { cost: Number.NaN }
  const { loss, accuracy } = await judge.evaluate(x, y, { batchSize: y.shape[0]! })
  return accuracy === undefined ? { cost: loss! } : { cost: loss!, accuracy }
}

/** What the points and the networks that look at a training depend on. */
const seenKey = (settings: Settings): string =>
  JSON.stringify([pointsKey(settings), settings.features, settings.layers, settings.activation, settings.cost])

/** What a compiled network depends on, beside its shape. A constant learning rate may change without compiling. */
function compiledKey(settings: Settings, rows: number): string {
  const { activation, cost, optimizer, schedule, rate, batch, regularizer, strength } = settings
  const moving = schedule === "constant" ? [] : [rate, Math.ceil(rows / Math.min(batch, rows))]
  const penalty = regularizer === "none" ? [] : [regularizer, strength]
  return JSON.stringify([activation, cost, optimizer, schedule, moving, penalty])
}

/** The places of a neuron's grid: of every fourth row of the output's grid every fourth place. */
function coarsePlaces(): Float64Array {
  const all = gridPlaces(GRID)
  const each = GRID / SMALL
  const places = new Float64Array(2 * SMALL * SMALL)
  for (let row = 0, k = 0; row < SMALL; row++) {
    for (let c = 0; c < SMALL; c++) {
      const at = 2 * ((row * each + 2) * GRID + c * each + 2)
      places[k++] = all[at]!
      places[k++] = all[at + 1]!
    }
  }
  return places
}

/** The answers of each neuron of a layer, one neuron after the other. Plain loops here and below: they run for every picture. */
function columns(rows: Float32Array, units: number): Float32Array {
  const places = rows.length / units
  const out = new Float32Array(rows.length)
  for (let unit = 0; unit < units; unit++) {
    for (let i = 0; i < places; i++) out[unit * places + i] = rows[i * units + unit]!
  }
  return out
}

function column(grid: Float32Array, units: number, unit: number): Float32Array {
  const out = new Float32Array(grid.length / units)
  for (let i = 0; i < out.length; i++) out[i] = grid[i * units + unit]!
  return out
}

function meansOf(rows: Float32Array, units: number): Float32Array {
  const means = new Float32Array(units)
  const places = rows.length / units
  for (let at = 0; at < rows.length; at += units) {
    for (let unit = 0; unit < units; unit++) means[unit]! += rows[at + unit]! / places
  }
  return means
}
