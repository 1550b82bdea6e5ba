// How good answers are: a confusion matrix for classes, R² and residuals for numbers. Knows no model and no files.

import { type Answer, type Preparation, type Table, textAt } from "../src/datasets.ts"
import { inert } from "./output.ts"

/** Answers that were compared with what is true. */
export type Scores = ClassScores | NumberScores

/** Of classes: how many rows of a true class (first) were said to be of a class (second). */
export interface ClassScores {
  readonly kind: "classes"
  readonly rows: number
  readonly accuracy: number
  /** The share of the largest class: what always saying it would reach. */
  readonly chance: number
  readonly classes: readonly string[]
  readonly confusion: readonly (readonly number[])[]
  /** The surest mistakes, the surest first. */
  readonly mistakes: readonly (Miss<string> & { readonly probability: number })[]
}

/** A row, counted from 1 in its table, of which something else was said than is true. */
export interface Miss<T> {
  readonly row: number
  readonly truth: T
  readonly said: T
}

/** Of numbers, in their own unit: a residual is what is true less what was said. */
export interface NumberScores {
  readonly kind: "numbers"
  readonly rows: number
  /** 1 − (sum of squared residuals) / (sum of squared distances from the mean); null if all are the same. */
  readonly r2: number | null
  readonly rootMeanSquaredError: number
  readonly meanAbsoluteError: number
  /** The least residual, the quartiles, and the greatest. */
  readonly residuals: readonly [number, number, number, number, number]
  /** The rows with the largest residuals, the largest first. */
  readonly mistakes: readonly Miss<number>[]
}

/** The most mistakes that are told one by one. */
const TOLD = 12

/** Residuals that are kept for their quartiles: of more rows every second one, every fourth, and so on. */
const KEPT = 1_048_576

/** Compares answers with what is true, some rows after others: what it holds does not grow with them. */
export class Scoring {
  readonly #target: Preparation["target"]
  #rows = 0
  readonly #confusion: number[][]
  readonly #places: ReadonlyMap<string, number>
  #missed: (Miss<string> & { readonly probability: number })[] = []
  #farthest: Miss<number>[] = []
  #residuals: number[] = []
  /** Every so many-th residual is kept. */
  #every = 1
  #mean = 0
  #total = 0
  #squares = 0
  #absolute = 0
  #least = Number.POSITIVE_INFINITY
  #most = Number.NEGATIVE_INFINITY

  constructor({ target }: Preparation) {
    this.#target = target
    const classes = target.kind === "classes" ? target.classes : []
    this.#confusion = classes.map(() => classes.map(() => 0))
    this.#places = new Map(classes.map((name, k) => [name, k]))
  }

  /** Adds the answers for certain rows of a table whose first row has a number (from 0). */
  add(table: Table, rows: Int32Array, answers: readonly Answer[], first = 0): void {
    const column = table.columns.find(({ name }) => name === this.#target.column)!
    const isClass = this.#target.kind === "classes"
    rows.forEach((row, i) => {
      const truth = textAt(column, row)!
      if (isClass) this.#class(first + row + 1, truth, answers[i]!)
      else this.#number(first + row + 1, Number(truth), Number(answers[i]!.value))
      this.#rows++
    })
  }

  #class(row: number, truth: string, { value, probabilities }: Answer): void {
    const said = String(value)
    const [k, j] = [this.#places.get(truth)!, this.#places.get(said)!]
    this.#confusion[k]![j]!++
    if (k === j) return
    this.#missed.push({ row, truth, said, probability: probabilities![j]! })
    if (this.#missed.length > 1000) this.#missed = surest(this.#missed)
  }

  #number(row: number, truth: number, said: number): void {
    const residual = truth - said
    if (this.#rows % this.#every === 0) this.#residuals.push(residual)
    if (this.#residuals.length > KEPT) {
      this.#residuals = this.#residuals.filter((_, i) => i % 2 === 0)
      this.#every *= 2
    }
    const distance = truth - this.#mean
    this.#mean += distance / (this.#rows + 1)
    this.#total += distance * (truth - this.#mean)
    this.#squares += residual * residual
    this.#absolute += Math.abs(residual)
    this.#least = Math.min(this.#least, residual)
    this.#most = Math.max(this.#most, residual)
    this.#farthest.push({ row, truth, said })
    if (this.#farthest.length > 1000) this.#farthest = farthest(this.#farthest)
  }

  /** What all rows come to; undefined if there are none. */
  result(): Scores | undefined {
    const n = this.#rows
    if (n === 0) return undefined
    if (this.#target.kind === "classes") {
      const { classes } = this.#target
      const confusion = this.#confusion
      const right = confusion.reduce((sum, counts, k) => sum + counts[k]!, 0)
      const largest = Math.max(...confusion.map((counts) => counts.reduce((a, b) => a + b, 0)))
      const mistakes = surest(this.#missed)
      return { kind: "classes", rows: n, accuracy: right / n, chance: largest / n, classes, confusion, mistakes }
    }
    const sorted = [...this.#residuals].sort((a, b) => a - b)
    const last = sorted.length - 1
    const at = (share: number): number => {
      const place = share * last
      const low = Math.floor(place)
      return sorted[low]! + (place - low) * (sorted[Math.min(last, low + 1)]! - sorted[low]!)
    }
    return {
      kind: "numbers",
      rows: n,
      r2: this.#total === 0 ? null : 1 - this.#squares / this.#total,
      rootMeanSquaredError: Math.sqrt(this.#squares / n),
      meanAbsoluteError: this.#absolute / n,
      residuals: [this.#least, at(0.25), at(0.5), at(0.75), this.#most],
      mistakes: farthest(this.#farthest),
    }
  }
}

const surest = <T extends Miss<string> & { readonly probability: number }>(missed: readonly T[]): T[] =>
  [...missed].sort((a, b) => b.probability - a.probability || a.row - b.row).slice(0, TOLD)

const farthest = (missed: readonly Miss<number>[]): Miss<number>[] =>
  [...missed].sort((a, b) => Math.abs(b.truth - b.said) - Math.abs(a.truth - a.said) || a.row - b.row).slice(0, TOLD)

/** The most classes whose matrix is printed. */
const SHOWN = 12

/** Scores for a reader. */
export function scoresText(scores: Scores): string {
  if (scores.kind === "numbers") {
    const { r2, rootMeanSquaredError, meanAbsoluteError, residuals } = scores
    const [least, low, median, high, most] = residuals.map(digits)
    return [
      `R²           ${r2 === null ? "unknown: all are the same" : digits(r2)}${r2 !== null && r2 <= 0 ? " (no better than saying the mean)" : ""}`,
      `Errors       root mean square ${digits(rootMeanSquaredError)}, mean absolute ${digits(meanAbsoluteError)}`,
      `Residuals    ${least} to ${most}; half of them from ${low} to ${high}, median ${median}`,
    ].join("\n")
  }
  const { accuracy, chance, classes, confusion } = scores
  const doubt = accuracy <= chance ? `: no better than always saying the largest class (${percent(chance)})` : ""
  const head = `Accuracy     ${percent(accuracy)}${doubt}`
  if (classes.length > SHOWN) return `${head}\n${worst(classes, confusion)}`
  const labels = classes.map((name) => shortened(name, 14))
  const width = Math.max(...labels.map((label) => label.length))
  const columns = labels.map((label, k) =>
    Math.max(label.length, ...confusion.map((counts) => String(counts[k]).length)),
  )
  const fits = width + columns.reduce((sum, n) => sum + n + 2, 0) + 2 <= 80
  const titles = fits ? labels : labels.map((_, k) => String(k + 1))
  const sizes = fits
    ? columns
    : labels.map((_, k) => Math.max(2, ...confusion.map((counts) => String(counts[k]).length)))
  const rows = confusion.map((counts, k) => {
    const name = fits ? labels[k]!.padEnd(width) : `${String(k + 1).padStart(2)} ${labels[k]!.padEnd(width)}`
    return `  ${name}${counts.map((n, j) => `  ${String(n).padStart(sizes[j]!)}`).join("")}`
  })
  const indent = " ".repeat(fits ? width + 2 : width + 5)
  return [
    head,
    "Confusion    a row for each true class, a column for each that was said",
    `${indent}${titles.map((title, k) => `  ${title.padStart(sizes[k]!)}`).join("")}`,
    ...rows,
  ].join("\n")
}

/** The mix-ups that happen most often. */
function worst(classes: readonly string[], confusion: readonly (readonly number[])[]): string {
  const pairs = confusion
    .flatMap((counts, i) => counts.map((n, j) => ({ n, i, j })))
    .filter(({ n, i, j }) => n > 0 && i !== j)
  const lines = pairs
    .sort((a, b) => b.n - a.n)
    .slice(0, 5)
    .map(
      ({ n, i, j }) =>
        `  ${n} ${n === 1 ? "row" : "rows"} of ${shortened(classes[i]!, 24)} said to be ${shortened(classes[j]!, 24)}`,
    )
  return lines.length === 0 ? "Confusion    none" : ["Confusion    most often", ...lines].join("\n")
}

/** Four digits that matter. */
export function digits(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** A share in per cent. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** A text of at most so many characters, on one line. */
export function shortened(text: string, most: number): string {
  const plain = inert(JSON.stringify(text).slice(1, -1))
  return plain.length > most ? `${plain.slice(0, most - 3)}...` : plain
}
