// A net on MNIST: trains, waits where the page wants it, and says what it sees in an image at any time.

import {
  adagrad,
  adam,
  type Callback,
  dense,
  type FitEvent,
  type Model,
  type Optimizer,
  progressBar,
  rmsprop,
  sequential,
  sgd,
  TrilobiteError,
} from "trilobite"
import type { NetOptimizer, NetSettings } from "../../lessons/intermediate-net.ts"
import { type Mistakes, mistakesOf } from "../mistakes.ts"
import { asTrainingData, loadMnist, type Mnist, MnistError, type TrainingData } from "../mnist.ts"
import type { Job } from "../protocol.ts"
import { type Channel, channel } from "../queue.ts"
import { engine } from "../trilobite.ts"

/** The net, its seed, and the columns of its progress lines. */
export interface MnistParams {
  readonly settings: NetSettings
  readonly seed: number
  readonly columns: number
  /** Whether the page wants to see mistakes and progress lines, too (default true). */
  readonly closely?: boolean
}

/** What the page tells. */
export type MnistMessage =
  | { readonly type: "train"; readonly epochs: number }
  | { readonly type: "pause" }
  | { readonly type: "resume" }
  | { readonly type: "rate"; readonly value: number }
  | { readonly type: "ask"; readonly pixels: Uint8Array }
  | { readonly type: "image"; readonly index: number }

/** What the page hears. */
export type MnistEvent =
  | { readonly type: "loading"; readonly loaded: number; readonly total: number }
  | { readonly type: "absent"; readonly says: string }
  | { readonly type: "begun"; readonly rounds: number }
  /** Costs of single rounds of the first epoch, counted from 1. */
  | { readonly type: "rounds"; readonly from: number; readonly costs: readonly number[] }
  | { readonly type: "progress"; readonly epoch: number; readonly round: number; readonly seconds: number }
  | {
      readonly type: "epoch"
      readonly epoch: number
      readonly logs: { readonly [name: string]: number }
      readonly seconds: number
    }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "mistakes"; readonly mistakes: Mistakes }
  | { readonly type: "answer"; readonly probabilities: readonly number[] }
  | { readonly type: "image"; readonly index: number; readonly pixels: Uint8Array; readonly label: number }
  | { readonly type: "diverged"; readonly where: string }
  | { readonly type: "done"; readonly epochs: number }

const optimizerOf: { readonly [O in NetOptimizer]: (learningRate: number) => Optimizer } = {
  sgd: (learningRate) => sgd({ learningRate }),
  momentum: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
  adam: (learningRate) => adam({ learningRate }),
  rmsprop: (learningRate) => rmsprop({ learningRate }),
  adagrad: (learningRate) => adagrad({ learningRate }),
}

/** The net of the settings, compiled. */
export function netOf({ net, act, loss, opt, eta }: NetSettings, seed: number): Model {
  const hidden = net.map((units, i) => dense({ units, activation: act, ...(i === 0 ? { inputShape: [784] } : {}) }))
  const model = sequential([...hidden, dense({ units: 10, activation: "softmax" })], engine({ seed }))
  model.compile({ loss, optimizer: optimizerOf[opt](eta), metrics: ["accuracy"] })
  return model
}

/** A pause between two events about the same thing, in milliseconds. */
const BETWEEN = 50

/** Serves the page until it stops the job. */
export const mnist: Job<MnistParams, MnistEvent, MnistMessage> = async function* (params, { signal, onMessage }) {
  const events = channel<MnistEvent>()
  const desk = new Desk(params, events, signal)
  onMessage((message) => desk.hear(message))
  events.follow(desk.serve())
  yield* events
}

/** One net with everything that the page wants of it, one thing after another. */
class Desk {
  readonly #params: MnistParams
  readonly #events: Channel<MnistEvent>
  readonly #signal: AbortSignal
  readonly #model: Model
  readonly #messages: MnistMessage[] = []
  #wake: (() => void) | undefined
  #paused = false
  #epochs = 0
  #data: { readonly raw: Mnist; readonly training: TrainingData } | undefined

  constructor(params: MnistParams, events: Channel<MnistEvent>, signal: AbortSignal) {
    this.#params = params
    this.#events = events
    this.#signal = signal
    this.#model = netOf(params.settings, params.seed)
    signal.addEventListener("abort", () => this.#knock())
  }

  hear(message: MnistMessage): void {
    this.#messages.push(message)
    this.#knock()
  }

  #knock(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  #message(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** Between trainings: whatever comes. */
  async serve(): Promise<void> {
    while (!this.#signal.aborted) {
      const wanted = await this.#attend()
      if (wanted === undefined) await this.#message()
      else await this.#train(wanted)
    }
  }

  /** Does what has been asked for; gives the number of epochs if somebody wants to train. */
  async #attend(): Promise<number | undefined> {
    let epochs: number | undefined
    let asked: Uint8Array | undefined
    for (const message of this.#messages.splice(0)) {
      if (message.type === "train") epochs = message.epochs
      else if (message.type === "pause") this.#paused = true
      else if (message.type === "resume") this.#paused = false
      else if (message.type === "rate") this.#model.optimizer.learningRate = message.value
      else if (message.type === "ask") asked = message.pixels
      else await this.#show(message.index)
    }
    // Only the newest drawing is looked at.
    if (asked !== undefined) {
      const { data } = await this.#model.predict({ dtype: "unorm8", shape: [1, 784], data: asked })
      this.#events.push({ type: "answer", probabilities: [...data] })
    }
    return epochs
  }

  /** Between two rounds: answers, and waits while the training is paused. */
  async #pass(): Promise<void> {
    if (this.#messages.length > 0) await this.#attend()
    while (this.#paused && !this.#signal.aborted) {
      await this.#message()
      await this.#attend()
    }
  }

  /** MNIST, or nothing where it is not to be had: the page has been told then. */
  async #load(): Promise<{ readonly raw: Mnist; readonly training: TrainingData } | undefined> {
    if (this.#data !== undefined) return this.#data
    let told = 0
    try {
      const raw = await loadMnist(({ loaded, total }) => {
        if (performance.now() - told < BETWEEN) return
        told = performance.now()
        this.#events.push({ type: "loading", loaded, total })
      })
      this.#data = { raw, training: asTrainingData(raw) }
      return this.#data
    } catch (error) {
      if (!(error instanceof MnistError)) throw error
      this.#events.push({ type: "absent", says: error.message })
      return undefined
    }
  }

  async #show(index: number): Promise<void> {
    const data = await this.#load()
    if (data === undefined) return
    const { images, labels } = data.raw.test
    const pixels = Uint8Array.from(images.data.subarray(784 * index, 784 * (index + 1)))
    this.#events.push({ type: "image", index, pixels, label: labels.data[index]! })
  }

  async #train(epochs: number): Promise<void> {
    const data = await this.#load()
    if (data === undefined) return
    const rounds = Math.ceil(60_000 / this.#params.settings.b)
    this.#events.push({ type: "begun", rounds })
    try {
      // The first epoch tells of every round, so that something grows at once; the others run as fast as they can.
      if (this.#epochs === 0) await this.#fit(data.training, 1, epochs, true)
      if (this.#epochs < epochs && !this.#signal.aborted) await this.#fit(data.training, epochs, epochs, false)
      this.#events.push({ type: "done", epochs: this.#epochs })
    } catch (error) {
      if (!(error instanceof TrilobiteError) || error.code !== "E_DIVERGED") throw error
      this.#events.push({ type: "diverged", where: error.where ?? "the first round" })
    }
  }

  async #fit({ xTrain, yTrain, xValid, yValid }: TrainingData, to: number, of: number, rounds: boolean): Promise<void> {
    const { settings, closely = true } = this.#params
    const callbacks: Callback[] = [this.#watch(of)]
    if (rounds && closely) callbacks.push(this.#everyRound())
    await this.#model.fit(xTrain, yTrain, {
      batchSize: settings.b,
      epochs: to,
      initialEpoch: this.#epochs,
      validationData: [xValid, yValid],
      verbose: 0,
      signal: this.#signal,
      callbacks,
    })
  }

  /** Tells of epochs, progress lines and mistakes, and lets the page in between. */
  #watch(epochs: number): Callback {
    const { closely = true, columns } = this.#params
    const output = { isTTY: true, columns, write: (text: string) => this.#events.push({ type: "text", text }) }
    const bar = closely ? progressBar({ output }) : {}
    let told = 0
    const due = (event: FitEvent): boolean => {
      if (event.type !== "progress") return true
      if (performance.now() - told < BETWEEN) return false
      told = performance.now()
      const { epoch, round, seconds } = event
      this.#events.push({ type: "progress", epoch: epoch + 1, round, seconds })
      return true
    }
    return {
      onEvent: async (event, training) => {
        if (due(event)) await bar.onEvent?.(event.type === "trainBegin" ? { ...event, epochs } : event, training)
        if (event.type === "epochEnd") {
          const { logs, seconds } = event
          this.#epochs = event.epoch + 1
          this.#events.push({ type: "epoch", epoch: this.#epochs, logs, seconds })
          if (closely) await this.#judge()
        }
        await this.#pass()
      },
    }
  }

  #everyRound(): Callback {
    let costs: number[] = []
    let from = 1
    let told = performance.now()
    const tell = (): void => {
      this.#events.push({ type: "rounds", from, costs })
      from += costs.length
      costs = []
      told = performance.now()
    }
    return {
      onBatchEnd: (_, { loss }) => {
        costs.push(loss!)
        if (performance.now() - told > BETWEEN / 3) tell()
      },
      onEpochEnd: tell,
    }
  }

  /** What the net gets wrong among the images that it has not learned from. */
  async #judge(): Promise<void> {
    const { xValid } = this.#data!.training
    const { test } = this.#data!.raw
    const { data } = await this.#model.predict(xValid, { batchSize: this.#params.settings.b })
    const mistakes = mistakesOf(data, test, this.#epochs)
    this.#events.push({ type: "mistakes", mistakes })
  }
}
