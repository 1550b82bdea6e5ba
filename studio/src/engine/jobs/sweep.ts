// A sweep: the same small network trained again and again, one knob turned from run to run, with several seeds each.

import { dense, sequential, sgd } from "trilobite"
import { spirals } from "../../lessons/spirals.ts"
import type { Job } from "../protocol.ts"
import { engine } from "../trilobite.ts"

/** What can be turned. */
export interface Settings {
  readonly eta: number
  readonly batch: number
  /** Hidden layers. */
  readonly depth: number
  /** Neurons in each hidden layer. */
  readonly width: number
}

/** The name of a knob. */
export type Knob = keyof Settings

/** Where the other knobs stand while one is turned. */
export const REST: Settings = { eta: 0.3, batch: 8, depth: 2, width: 8 }
/** Epochs of a run. */
export const EPOCHS = 100
/** Rows of two spirals to train and to validate with, and how far they are moved. */
export const DATA = { train: 200, valid: 400, noise: 0.12 } as const

/** Which knob, its values, and how many seeds. */
export interface SweepParams {
  readonly knob: Knob
  readonly values: readonly number[]
  readonly seeds: number
}

/** A finished run: its costs after each epoch. */
export interface SweepEvent {
  readonly value: number
  readonly seed: number
  readonly train: readonly number[]
  readonly valid: readonly number[]
}

/** What the page may say: whether the sweep waits. */
export interface SweepMessage {
  readonly paused: boolean
}

/** Both ends first, then the middle, then what lies between: a few runs already show the whole. */
export function coarseFirst<T>(values: readonly T[]): T[] {
  const taken = new Set<number>()
  const order: number[] = []
  const take = (i: number): void => {
    if (i < 0 || i >= values.length || taken.has(i)) return
    taken.add(i)
    order.push(i)
  }
  take(0)
  take(values.length - 1)
  for (let parts = 2; order.length < values.length; parts *= 2)
    for (let k = 1; k < parts; k += 2) take(Math.round((k * (values.length - 1)) / parts))
  return order.map((i) => values[i]!)
}

/** Trains one network. */
async function run(settings: Settings, seed: number, signal: AbortSignal): Promise<Omit<SweepEvent, "value" | "seed">> {
  const [rows, valid] = [spirals(DATA.train, DATA.noise, 1), spirals(DATA.valid, DATA.noise, 2)]
  const { eta, batch, depth, width } = settings
  const hidden = Array.from({ length: depth }, () => dense({ units: width, activation: "tanh" }))
  const model = sequential([...hidden, dense({ units: 1, activation: "sigmoid" })], engine({ seed, threads: 1 }))
  model.compile({ loss: "binaryCrossentropy", optimizer: sgd({ learningRate: eta }) })
  const { history } = await model.fit(rows.x, rows.y, {
    epochs: EPOCHS,
    batchSize: batch,
    validationData: [valid.x, valid.y],
    validationBatchSize: DATA.valid,
    verbose: 0,
    signal,
  })
  return { train: [...history.loss!], valid: [...history.valLoss!] }
}

/** Trains all of them, seed after seed. */
export const sweep: Job<SweepParams, SweepEvent, SweepMessage> = async function* (params, { signal, onMessage }) {
  let paused = false
  let wake = (): void => {}
  onMessage((message) => {
    paused = message.paused
    wake()
  })
  signal.addEventListener("abort", () => wake())
  for (let seed = 1; seed <= params.seeds; seed++) {
    for (const value of coarseFirst(params.values)) {
      while (paused && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (signal.aborted) return
      const costs = await run({ ...REST, [params.knob]: value }, seed, signal)
      if (signal.aborted) return
      yield { value, seed, ...costs }
    }
  }
}
