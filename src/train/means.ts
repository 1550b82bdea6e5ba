// What the logged numbers of rounds come to over a pass: means over rows, and results of sums. Knows no executable and no metric.

import type { Logs } from "./events.ts"

/** A number of each round whose mean over the rows counts. */
export interface MeanLog {
  readonly name: string
  readonly kind: "mean"
}

/** Numbers of each round that are added up, and what is computed from the sums at the end. */
export interface SumsLog {
  readonly name: string
  readonly kind: "sums"
  /** How many numbers of a round they are. */
  readonly size: number
  readonly result: (sums: Float64Array) => Table
}

/** What is known of a log: in the order and with the sizes of the entry's logs. */
export type LogSpec = MeanLog | SumsLog

/** A result of sums: one number, or several. */
export type Table = number | readonly number[] | readonly (readonly number[])[]

/** The finished rounds of a run: the numbers of each, one round after the other. */
export interface Rounds {
  readonly rounds: number
  readonly logs: ArrayLike<number>
}

/** Logs of one number each, whose means count. */
export function meanLogs(names: readonly string[]): MeanLog[] {
  return names.map((name) => ({ name, kind: "mean" }))
}

/** Sums of the logs over so many rows. */
export interface MeansState {
  readonly rows: number
  readonly sums: readonly (readonly number[])[]
}

/**
 * The results over the rounds of a pass: a mean counts as often as its round has rows. Sums are float64, in the order of the
 * rounds.
 */
export class Means {
  readonly #specs: readonly LogSpec[]
  readonly #sums: readonly Float64Array[]
  readonly #width: number
  #rows: number

  /** @param from what has been added up already, as `state` gave it */
  constructor(specs: readonly LogSpec[], from?: MeansState) {
    this.#specs = specs
    this.#sums = specs.map((spec, i) => {
      const sums = new Float64Array(spec.kind === "mean" ? 1 : spec.size)
      sums.set((from?.sums[i] ?? []).slice(0, sums.length))
      return sums
    })
    this.#rows = from?.rows ?? 0
    this.#width = this.#sums.reduce((width, sums) => width + sums.length, 0)
  }

  /** Takes the finished rounds of a run that began at row `first` of `total`. */
  take(ran: Rounds, first: number, batchSize: number, total: number): void {
    let from = 0
    this.#sums.forEach((sums, i) => {
      const weighs = this.#specs[i]!.kind === "mean"
      for (let r = 0, at = from; r < ran.rounds; r++, at += this.#width) {
        const times = weighs ? Math.min(batchSize, total - first - r * batchSize) : 1
        for (let k = 0; k < sums.length; k++) sums[k]! += ran.logs[at + k]! * times
      }
      from += sums.length
    })
    this.#rows += Math.min(ran.rounds * batchSize, total - first)
  }

  /** What has been added up so far. */
  state(): MeansState {
    return { rows: this.#rows, sums: this.#sums.map((sums) => [...sums]) }
  }

  /** The results that are one number; NaN before the first round. */
  logs(): Logs {
    const numbers = this.#results().filter((entry): entry is [string, number] => typeof entry[1] === "number")
    return Object.fromEntries(numbers)
  }

  /** The results that are several numbers; none before the first round. */
  tables(): { readonly [name: string]: Exclude<Table, number> } {
    if (this.#rows === 0) return {}
    const several = this.#results().filter((entry): entry is [string, Exclude<Table, number>] => {
      return typeof entry[1] !== "number"
    })
    return Object.fromEntries(several)
  }

  #results(): [string, Table][] {
    return this.#specs.map((spec, i) => {
      if (this.#rows === 0) return [spec.name, Number.NaN]
      return [spec.name, spec.kind === "mean" ? this.#sums[i]![0]! / this.#rows : spec.result(this.#sums[i]!.slice())]
    })
  }
}
