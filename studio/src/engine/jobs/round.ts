// The intermediate net on MNIST, stopped at any round of any epoch: what that round computes; and an epoch trained to be watched.

import { dense, type Model, sequential, sgd, type Tensor } from "trilobite"
import { orderOf, placesOf, roundsOf, SEED } from "../../lessons/batches-order.ts"
import { type Digits, digits } from "../digits.ts"
import type { Context, Job } from "../protocol.ts"
import { channel } from "../queue.ts"
import { engine } from "../trilobite.ts"
import {
  type LayerRound,
  type Place,
  RATE,
  type RoundEvent,
  type RoundFacts,
  type RoundMessage,
} from "./round-facts.ts"

/** The intermediate net of example 8.1. */
export function intermediateNet(): Model {
  const model = sequential(
    [
      dense({ units: 64, activation: "relu", inputShape: [784] }),
      dense({ units: 64, activation: "relu" }),
      dense({ units: 10, activation: "softmax" }),
    ],
    engine({ seed: SEED }),
  )
  model.compile({
    loss: "categoricalCrossentropy",
    optimizer: sgd({ learningRate: RATE }),
    metrics: ["accuracy"],
  })
  return model
}

/** The images at some places of an order, as the net is trained on them. */
export function rowsAt(data: Digits, images: Int32Array): { readonly x: Tensor; readonly y: Tensor } {
  const pixels = new Uint8Array(images.length * 784)
  const wanted = new Float32Array(images.length * 10)
  images.forEach((image, i) => {
    pixels.set(data.pixels.subarray(image * 784, (image + 1) * 784), i * 784)
    wanted[i * 10 + data.labels[image]!] = 1
  })
  return {
    x: { dtype: "unorm8", shape: [images.length, 784], data: pixels },
    y: { dtype: "float32", shape: [images.length, 10], data: wanted },
  }
}

interface Kept {
  readonly epoch: number
  readonly done: number
  readonly weights: readonly Tensor[]
}

/** A net that is at a place of its training, and can go to others. */
export class Walker {
  readonly #data: Digits
  readonly #images: number
  #model = intermediateNet()
  #batch = 0
  #epoch = 1
  #done = 0
  #order: Int32Array = new Int32Array(0)
  #kept: Kept[] = []

  constructor(data: Digits) {
    this.#data = data
    this.#images = data.labels.length
  }

  get model(): Model {
    return this.#model
  }

  /** Rounds of an epoch with these images. */
  roundsOf(batch: number): number {
    return roundsOf(batch, this.#images)
  }

  /** Goes to before a round; `between` is asked after every piece whether to go on. False if it was not to. */
  async seek(place: Place, between: (epoch: number, done: number) => Promise<boolean>): Promise<boolean> {
    const rounds = roundsOf(place.batch, this.#images)
    const wanted = Math.min(rounds, place.round) - 1
    this.#begin(place.batch)
    const at = this.#kept
      .filter(({ epoch, done }) => epoch < place.epoch || (epoch === place.epoch && done <= wanted))
      .at(-1)!
    const ahead = this.#epoch < place.epoch || (this.#epoch === place.epoch && this.#done <= wanted)
    if (!ahead || this.#epoch < at.epoch || (this.#epoch === at.epoch && this.#done < at.done)) this.#return(at)
    const piece = Math.max(1, Math.ceil(rounds / 16))
    while (this.#epoch < place.epoch || this.#done < wanted) {
      const end = this.#epoch < place.epoch ? rounds : wanted
      await this.train(Math.min(piece - (this.#done % piece), end - this.#done))
      if (!(await between(this.#epoch, this.#done))) return false
    }
    return true
  }

  /** Trains so many rounds of this epoch, at most to its end; the epoch after begins when this one is done. */
  async train(count: number): Promise<{ readonly done: number; readonly cost: number; readonly accuracy: number }> {
    const rounds = roundsOf(this.#batch, this.#images)
    const last = Math.min(rounds, this.#done + count)
    const [from] = placesOf(this.#done + 1, this.#batch, this.#images)
    const [, to] = placesOf(last, this.#batch, this.#images)
    const { x, y } = rowsAt(this.#data, this.#order.subarray(from, to))
    const { history } = await this.#model.fit(x, y, { batchSize: this.#batch, shuffle: false, epochs: 1, verbose: 0 })
    this.#moved(last)
    return { done: last, cost: history.loss!.at(-1)!, accuracy: history.accuracy!.at(-1)! }
  }

  /** Trains the next round, and says all about it. */
  async round(): Promise<RoundFacts> {
    const [batch, epoch, round] = [this.#batch, this.#epoch, this.#done + 1]
    const [from, to] = placesOf(round, batch, this.#images)
    const images = this.#order.slice(from, to)
    const { x, y } = rowsAt(this.#data, images)
    const outputs = await this.#model.predictOnBatch(x)
    const before = this.#model.getWeights()
    const { loss } = await this.#model.trainOnBatch(x, y)
    const after = this.#model.getWeights()
    const next = await this.#model.testOnBatch(x, y)
    this.#moved(round)
    return {
      type: "round",
      batch,
      epoch,
      round,
      images,
      pixels: x.data as Uint8Array,
      labels: Uint8Array.from(images, (image) => this.#data.labels[image]!),
      outputs: outputs.data as Float32Array,
      cost: loss!,
      costAfter: next.loss!,
      layers: [0, 2, 4].map((i) => layerRound(before[i]!, after[i]!, before[i + 1]!, after[i + 1]!)),
    }
  }

  #begin(batch: number): void {
    if (batch === this.#batch) return
    this.#batch = batch
    this.#model = intermediateNet()
    this.#epoch = 1
    this.#done = 0
    this.#order = orderOf(1, this.#images)
    this.#kept = [{ epoch: 1, done: 0, weights: this.#model.getWeights() }]
  }

  #return({ epoch, done, weights }: Kept): void {
    this.#model.setWeights(weights)
    if (epoch !== this.#epoch) this.#order = orderOf(epoch, this.#images)
    this.#epoch = epoch
    this.#done = done
  }

  #moved(done: number): void {
    const rounds = roundsOf(this.#batch, this.#images)
    this.#done = done
    if (done >= rounds) {
      this.#epoch++
      this.#done = 0
      this.#order = orderOf(this.#epoch, this.#images)
    }
    const piece = Math.max(1, Math.ceil(rounds / 16))
    const newest = this.#kept.at(-1)!
    const beyond = this.#epoch > newest.epoch || (this.#epoch === newest.epoch && this.#done > newest.done)
    if (beyond && this.#done % piece === 0) {
      this.#kept.push({ epoch: this.#epoch, done: this.#done, weights: this.#model.getWeights() })
    }
  }
}

/** Gradients are what the update took away, divided by the learning rate. */
function layerRound(kernel: Tensor, kernelAfter: Tensor, bias: Tensor, biasAfter: Tensor): LayerRound {
  const [a, b, wide] = [kernel.data, kernelAfter.data, kernel.shape[1]!]
  let squares = 0
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    const step = a[i]! - b[i]!
    squares += step * step
    if (Math.abs(step) > Math.abs(a[largest]! - b[largest]!)) largest = i
  }
  for (let i = 0; i < bias.data.length; i++) squares += (bias.data[i]! - biasAfter.data[i]!) ** 2
  return {
    gradient: Math.sqrt(squares) / RATE,
    weights: a.length + bias.data.length,
    largest: {
      from: Math.floor(largest / wide),
      to: largest % wide,
      before: a[largest]!,
      gradient: (a[largest]! - b[largest]!) / RATE,
      after: b[largest]!,
    },
  }
}

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Answers what the page wishes, always the newest. */
export const round: Job<Record<string, never>, RoundEvent, RoundMessage> = async function* (_, context) {
  const events = channel<RoundEvent>()
  let serial = 0
  let wish: RoundMessage | undefined
  let wake = (): void => {}
  context.onMessage((message) => {
    serial++
    wish = message
    wake()
  })
  context.signal.addEventListener("abort", () => {
    serial++
    wake()
    events.close()
  })
  const work = async (): Promise<void> => {
    const walker = new Walker(await digits("train"))
    while (!context.signal.aborted) {
      if (wish === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      const [own, now] = [serial, wish]
      wish = undefined
      if (now.type !== "pause") await follow(walker, now, () => own === serial, events.push, context)
    }
  }
  work().then(events.close, (error: Error) => {
    events.push({ type: "absent", message: error.message })
    events.close()
  })
  yield* events
}

async function follow(
  walker: Walker,
  wish: Exclude<RoundMessage, { readonly type: "pause" }>,
  current: () => boolean,
  push: (event: RoundEvent) => void,
  { signal }: Context<RoundMessage>,
): Promise<void> {
  const between = async (epoch: number, done: number): Promise<boolean> => {
    push({ type: "seeking", epoch, done })
    // Messages of the page get their turn.
    await rest(0)
    return current() && !signal.aborted
  }
  if (!(await walker.seek(wish, between))) return
  if (wish.type === "look") {
    push(await walker.round())
    return
  }
  const rounds = walker.roundsOf(wish.batch)
  let seconds = 0
  for (let done = wish.round - 1; done < rounds; ) {
    const started = performance.now()
    const piece = await walker.train(Math.ceil(rounds / wish.pieces))
    seconds += (performance.now() - started) / 1000
    done = piece.done
    push({ type: "progress", epoch: wish.epoch, seconds, ...piece })
    await rest(wish.pause)
    if (!current() || signal.aborted) return
  }
  push({ type: "epochDone", epoch: wish.epoch, seconds })
}
