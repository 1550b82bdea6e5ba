// Tells callbacks what happens, and keeps the history. Knows events and callbacks, no model.

import { TrilobiteError } from "../../core/errors.ts"
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

/** The model that is trained, as far as callbacks may look at it. */
export interface Subject extends Readonly<Omit<Training, "stop" | "learningRate">> {
  readonly rate: Rate
  /** Rounds that the optimizer has done. */
  step(): number
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
      weights: () => subject.weights(),
      activations: (rows) => subject.activations(rows),
      save: (path) => subject.save(path),
      saveWeights: (path) => subject.saveWeights(path),
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
   * now too is not reported: the first error is. True if the training has diverged and a callback ends it for that.
   */
  async fail(error: unknown): Promise<boolean> {
    if (this.history.ended !== undefined) return false
    const ended = await this.#endsFor(error)
    const reason = ended ? "stopped" : "failed"
    this.history.ended = reason
    const event: FitEvent = { type: "trainEnd", reason, logs: {}, seconds: 0 }
    for (const callback of this.#callbacks) {
      try {
        await call(callback, event, this.#training)
      } catch {}
    }
    return ended
  }

  async #endsFor(error: unknown): Promise<boolean> {
    if (!(error instanceof TrilobiteError) || error.code !== "E_DIVERGED") return false
    this.control.stopping = false
    for (const callback of this.#callbacks) {
      try {
        await callback.onDiverged?.(error, this.#training)
      } catch {}
    }
    return this.control.stopping
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

async function call(callback: Callback, event: FitEvent, training: Training): Promise<void> {
  if (callback.onEvent !== undefined) await callback.onEvent(event, training)
  await callNamed(callback, event, training)
}

function callNamed(callback: Callback, event: FitEvent, training: Training): void | Promise<void> {
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
