// Tells callbacks what happens, and keeps the history. Knows events and callbacks, no model.

import type { Tensor } from "../../core/tensor.ts"
import type { EndReason, FitEvent, Tables } from "../events.ts"
import type { Rate } from "../rate.ts"
import type { Callback, Training } from "./callback.ts"

/** What a training has measured: epochs (from 0), and for each number its value in every epoch. */
export interface History {
  readonly epoch: number[]
  readonly history: { [name: string]: number[] }
  /** Measured things that are several numbers, in every epoch. */
  readonly tables: { [name: string]: Tables[string][] }
  /** How it ended, and the seconds of training alone in each epoch. */
  ended: EndReason | undefined
  readonly seconds: number[]
}

/** What callbacks may look at and change. */
export interface Subject {
  readonly rate: Rate
  /** Rounds that the optimizer has done. */
  step(): number
  readonly epochs: number
  getWeights(): Tensor[]
  setWeights(weights: readonly Tensor[]): void
}

/** The callbacks of one training. */
export class Listeners {
  readonly history: History = { epoch: [], history: {}, tables: {}, ended: undefined, seconds: [] }
  /** What callbacks may change, as the loop reads it. */
  readonly control: { readonly learningRate: number; stopping: boolean }
  /** True if a callback wants to know of single rounds. */
  readonly everyRound: boolean
  readonly #callbacks: readonly Callback[]
  readonly #training: Training

  constructor(callbacks: readonly Callback[], subject: Subject) {
    const now = (): number => subject.rate.at(subject.step())
    const control = {
      get learningRate() {
        return now()
      },
      stopping: false,
    }
    this.control = control
    this.#callbacks = callbacks
    this.everyRound = callbacks.some((c) => c.onBatchBegin !== undefined || c.onBatchEnd !== undefined)
    this.#training = {
      get learningRate() {
        return now()
      },
      set learningRate(value: number) {
        subject.rate.set(value)
      },
      stop: () => {
        control.stopping = true
      },
      getWeights: () => subject.getWeights(),
      setWeights: (weights) => subject.setWeights(weights),
      epochs: subject.epochs,
    }
  }

  /** Writes the event down and calls everybody whom it concerns, one after the other. */
  async tell(event: FitEvent): Promise<void> {
    if (event.type === "epochEnd") this.#record(event)
    if (event.type === "trainEnd") this.history.ended = event.reason
    for (const callback of this.#callbacks) await call(callback, event, this.#training)
  }

  /**
   * Ends a training that an error has ended: every callback is told once, so that best weights are put back. What fails
   * now too is not reported: the first error is.
   */
  async fail(): Promise<void> {
    if (this.history.ended !== undefined) return
    this.history.ended = "failed"
    const event: FitEvent = { type: "trainEnd", reason: "failed", logs: {}, seconds: 0 }
    for (const callback of this.#callbacks) {
      try {
        await call(callback, event, this.#training)
      } catch {}
    }
  }

  #record({ epoch, logs, tables, seconds }: FitEvent & { type: "epochEnd" }): void {
    this.history.epoch.push(epoch)
    this.history.seconds.push(seconds)
    for (const [name, value] of Object.entries(logs)) {
      this.history.history[name] ??= []
      this.history.history[name].push(value)
    }
    for (const [name, value] of Object.entries(tables)) {
      this.history.tables[name] ??= []
      this.history.tables[name].push(value)
    }
  }
}

function call(callback: Callback, event: FitEvent, training: Training): void | Promise<void> {
  switch (event.type) {
    case "trainBegin":
      return callback.onTrainBegin?.({}, training)
    case "epochBegin":
      return callback.onEpochBegin?.(event.epoch, {}, training)
    case "batchBegin":
      return callback.onBatchBegin?.(event.round, {}, training)
    case "batchEnd":
      return callback.onBatchEnd?.(event.round, event.logs, training)
    case "epochEnd":
      return callback.onEpochEnd?.(event.epoch, event.logs, training)
    case "trainEnd":
      return callback.onTrainEnd?.(event.logs, training)
    case "progress":
  }
}
