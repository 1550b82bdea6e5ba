// Tells callbacks what happens, and keeps the history. Knows events and callbacks, no model.

import { configError, TrilobiteError } from "../../core/errors.ts"
import type { JsonObject } from "../../core/json.ts"
import type { Progress } from "../../formats/saved-model.ts"
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
export interface Subject extends Readonly<Omit<Training, "stop" | "learningRate" | "step" | "epochs">> {
  readonly rate: Rate
  /** Rounds that the optimizer has done. */
  step(): number
  /** How many epochs there shall be, as things stand. */
  epochs(): number
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
  readonly #from: Progress | undefined
  /** The event that is being told, and how many callbacks with a state have been told of it. */
  #telling: { readonly event: FitEvent; told: number } | undefined

  /** @param from where an interrupted training stands */
  constructor(callbacks: readonly Callback[], subject: Subject, from?: Progress) {
    this.#from = from
    if (from !== undefined) {
      this.history = { ...(structuredClone(from.history) as History), ended: undefined }
      checkKinds(callbacks, from)
    }
    const now = (): number => subject.rate.at(subject.step())
    const control = {
      get learningRate() {
        return now()
      },
      stopping: from?.stopping ?? false,
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
      get epochs() {
        return subject.epochs()
      },
      get step() {
        return subject.step()
      },
    }
  }

  /** Writes the event down and calls everybody whom it concerns, one after the other. */
  async tell(event: FitEvent): Promise<void> {
    if (event.type === "epochEnd") this.record(event)
    if (event.type === "trainEnd") this.history.ended = event.reason
    await this.#tell(event, 0)
    if (event.type !== "trainBegin" || this.#from === undefined) return
    const states = this.#from.callbacks.filter((state) => state !== null)
    withState(this.#callbacks).forEach((callback, i) => {
      callback.setState!(states[i]!)
    })
    const { untold } = this.#from
    if (untold !== undefined) await this.#tell(untold.event as unknown as FitEvent, untold.from)
  }

  /** What of a training's progress is known here. */
  progress(): Pick<Progress, "stopping" | "history" | "callbacks" | "untold"> {
    const { ended: _, ...history } = this.history
    const { event, told } = this.#telling ?? {}
    const counts = event?.type === "epochBegin" || event?.type === "epochEnd" || event?.type === "batchEnd"
    return {
      stopping: this.control.stopping,
      history: structuredClone(history),
      callbacks: this.#callbacks.map((callback) => callback.getState?.() ?? null),
      untold: counts ? { event: event as unknown as JsonObject, from: told! } : undefined,
    }
  }

  /** Calls the callbacks, one after the other, from the one behind so many that have a state. */
  async #tell(event: FitEvent, from: number): Promise<void> {
    const telling = { event, told: 0 }
    this.#telling = telling
    for (const callback of this.#callbacks) {
      const due = telling.told >= from
      if (callback.getState !== undefined) telling.told++
      if (due) await call(callback, event, this.#training)
    }
    this.#telling = undefined
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

  /** Writes the end of an epoch down, without telling anybody. */
  record({ epoch, logs, tables, seconds }: FitEvent & { type: "epochEnd" }): void {
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

const withState = (callbacks: readonly Callback[]): readonly Callback[] =>
  callbacks.filter(({ getState }) => getState !== undefined)

/** Throws E_CONFIG unless the callbacks that have a state are those of the training that goes on. */
function checkKinds(callbacks: readonly Callback[], from: Progress): void {
  const names = (types: readonly string[]): string => types.join(", ") || "none"
  const expected = names(from.callbacks.flatMap((state) => state?.type ?? []))
  const got = names(withState(callbacks).map((callback) => callback.getState!().type))
  if (got === expected) return
  const hint = "Give the callbacks of the training that was interrupted, in their order."
  const what = "these callbacks do not go on with that training: they keep other things."
  throw configError({ where: "fit.callbacks", what, expected, got, hint })
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
      return event.resumed ? undefined : callback.onEpochBegin?.(event.epoch, {}, training)
    case "batchBegin":
      return callback.onBatchBegin?.(event.round, {}, training)
    case "batchEnd":
      return callback.onBatchEnd?.(event.round, event.logs, training)
    case "epochEnd":
      return callback.onEpochEnd?.(event.epoch, event.logs, training)
    case "trainEnd":
      return callback.onTrainEnd?.(event.logs, training)
    case "finding":
      return callback.onFinding?.(event.finding, training)
    case "progress":
  }
}
