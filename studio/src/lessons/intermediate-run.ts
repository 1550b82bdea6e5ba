// The training of lesson 6 as the page sees it: one net in the worker, its newest numbers, drawn once a frame.

import { batch, type Signal, signal } from "@preact/signals"
import { type Running, start } from "../engine/client.ts"
import type { MnistEvent, MnistMessage } from "../engine/jobs/mnist.ts"
import type { Mistakes } from "../engine/mistakes.ts"
import { type Screen, written } from "./intermediate-lines.ts"
import type { NetSettings } from "./intermediate-net.ts"

/** Where the training is. */
export type Phase = "new" | "loading" | "running" | "paused" | "done" | "failed"

/** An epoch as it ended. */
export interface Epoch {
  readonly loss: number
  readonly accuracy: number
  readonly valLoss: number
  readonly valAccuracy: number
  readonly seconds: number
}

/** What is known of a training. */
export interface Watched {
  readonly settings: NetSettings
  readonly epochs: readonly Epoch[]
  /** The costs of the single rounds of the first epoch. */
  readonly costs: readonly number[]
  readonly rounds: number
  readonly at: { readonly epoch: number; readonly round: number; readonly seconds: number }
}

/** A net of the page. */
export class NetRun {
  readonly phase: Signal<Phase> = signal("new")
  readonly watched: Signal<Watched | undefined> = signal(undefined)
  readonly screen: Signal<Screen> = signal([])
  readonly mistakes: Signal<Mistakes | undefined> = signal(undefined)
  readonly answer: Signal<readonly number[] | undefined> = signal(undefined)
  readonly image: Signal<{ readonly index: number; readonly pixels: Uint8Array; readonly label: number } | undefined> =
    signal(undefined)
  readonly loaded: Signal<number> = signal(0)
  readonly fault: Signal<string | undefined> = signal(undefined)
  readonly #closely: boolean
  #job: Running<MnistMessage> | undefined
  #now: Watched | undefined
  #frame = 0

  constructor(closely: boolean) {
    this.#closely = closely
  }

  /** Whether there is a net that has learned anything. */
  get trained(): boolean {
    return this.#now !== undefined && (this.#now.epochs.length > 0 || this.#now.costs.length > 0)
  }

  /** Makes a new net with these settings; the one before is gone. */
  make(settings: NetSettings, columns: number, seed = 1): void {
    this.end()
    this.#now = { settings, epochs: [], costs: [], rounds: 0, at: { epoch: 1, round: 0, seconds: 0 } }
    batch(() => {
      this.phase.value = "new"
      this.watched.value = undefined
      this.screen.value = []
      this.mistakes.value = undefined
      this.answer.value = undefined
      this.fault.value = undefined
    })
    const own = start(
      "mnist",
      { settings, seed, columns, closely: this.#closely },
      (event) => this.#take(event) && this.#draw(),
    )
    this.#job = own
    own.done.catch((error: Error) => this.#fail(error.message))
  }

  train(epochs: number): void {
    this.phase.value = "loading"
    this.fault.value = undefined
    if (this.#now !== undefined) this.#now = { ...this.#now, settings: { ...this.#now.settings, epochs } }
    this.tell({ type: "train", epochs })
  }

  pause(): void {
    if (this.phase.peek() !== "running") return
    this.tell({ type: "pause" })
    this.phase.value = "paused"
  }

  resume(): void {
    this.tell({ type: "resume" })
    this.phase.value = "running"
  }

  tell(message: MnistMessage): void {
    this.#job?.tell(message)
  }

  end(): void {
    this.#job?.stop()
    this.#job = undefined
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
  }

  #fail(says: string): void {
    this.fault.value = says
    this.phase.value = "failed"
  }

  /** Takes what is told; true if it is to be drawn. */
  #take(event: MnistEvent): boolean {
    const now = this.#now!
    switch (event.type) {
      case "loading":
        this.loaded.value = event.loaded / event.total
        return false
      case "absent":
        this.#fail(event.says)
        return false
      case "diverged":
        this.#fail(
          `The steps grew until the cost became infinite in ${event.where}. Take a learning rate a tenth as large and start again.`,
        )
        return false
      case "begun":
        this.loaded.value = 1
        this.phase.value = "running"
        this.#now = { ...now, rounds: event.rounds }
        return false
      case "rounds":
        this.#now = { ...now, costs: [...now.costs, ...event.costs] }
        return true
      case "progress":
        this.#now = { ...now, at: event }
        return true
      case "epoch": {
        const { loss, accuracy, valLoss, valAccuracy } = event.logs as Readonly<Record<string, number>>
        const epoch = {
          loss: loss!,
          accuracy: accuracy!,
          valLoss: valLoss!,
          valAccuracy: valAccuracy!,
          seconds: event.seconds,
        }
        this.#now = { ...now, epochs: [...now.epochs, epoch], at: { epoch: event.epoch + 1, round: 0, seconds: 0 } }
        return true
      }
      case "text":
        this.#text += event.text
        return true
      case "mistakes":
        this.#mistakes = event.mistakes
        return true
      case "answer":
        this.answer.value = event.probabilities
        return false
      case "image":
        this.image.value = event
        return false
      case "done":
        this.phase.value = "done"
        return true
    }
  }

  #text = ""
  #mistakes: Mistakes | undefined

  /** Shows the newest at the next frame. */
  #draw(): void {
    if (this.#frame !== 0) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      batch(() => {
        this.watched.value = this.#now
        if (this.#text !== "") this.screen.value = written(this.screen.peek(), this.#text)
        this.#text = ""
        if (this.#mistakes !== undefined) this.mistakes.value = this.#mistakes
        this.#mistakes = undefined
      })
    })
  }
}

/** The epoch with the lowest validation cost, counted from 1; 0 before the first. */
export function bestEpoch(epochs: readonly Epoch[]): number {
  return epochs.reduce((best, { valLoss }, i) => (valLoss < (epochs[best - 1]?.valLoss ?? Infinity) ? i + 1 : best), 0)
}

/** Seconds that are left, at the pace of the last epoch or of this one. */
export function secondsLeft({ epochs, rounds, at, settings }: Watched): number {
  const done = rounds === 0 ? 0 : at.round / rounds
  const pace = epochs.at(-1)?.seconds ?? (done > 0 ? at.seconds / done : Number.NaN)
  return Math.max(0, pace * (settings.epochs - epochs.length - done))
}
