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

/** Compares the answers for rows of a table with its target; undefined if there are no rows. */
export function scoresOf(
  preparation: Preparation,
  table: Table,
  rows: Int32Array,
  answers: readonly Answer[],
): Scores | undefined {
  if (rows.length === 0) return undefined
  const { target } = preparation
  const column = table.columns.find(({ name }) => name === target.column)!
  if (target.kind === "classes") {
    const { classes } = target
    const places = new Map(classes.map((name, k) => [name, k]))
    const confusion = classes.map(() => classes.map(() => 0))
    const missed: ClassScores["mistakes"][number][] = []
    rows.forEach((row, i) => {
      const [truth, said] = [textAt(column, row)!, String(answers[i]!.value)]
      const [k, j] = [places.get(truth)!, places.get(said)!]
      confusion[k]![j]!++
      if (k !== j) missed.push({ row: row + 1, truth, said, probability: answers[i]!.probabilities![j]! })
    })
    const mistakes = missed.sort((a, b) => b.probability - a.probability || a.row - b.row).slice(0, TOLD)
    const right = confusion.reduce((sum, counts, k) => sum + counts[k]!, 0)
    const largest = Math.max(...confusion.map((counts) => counts.reduce((a, b) => a + b, 0)))
    const n = rows.length
    return { kind: "classes", rows: n, accuracy: right / n, chance: largest / n, classes, confusion, mistakes }
  }
  const truths = Array.from(rows, (row) => Number(textAt(column, row)))
  const residuals = truths.map((truth, i) => truth - Number(answers[i]!.value))
  const n = rows.length
  const mean = truths.reduce((a, b) => a + b, 0) / n
  const total = truths.reduce((sum, truth) => sum + (truth - mean) ** 2, 0)
  const left = residuals.reduce((sum, r) => sum + r * r, 0)
  const missed = truths.map((truth, i) => ({ row: rows[i]! + 1, truth, said: Number(answers[i]!.value) }))
  const farthest = missed.sort((a, b) => Math.abs(b.truth - b.said) - Math.abs(a.truth - a.said) || a.row - b.row)
  const sorted = [...residuals].sort((a, b) => a - b)
  const at = (share: number): number => {
    const place = share * (n - 1)
    const low = Math.floor(place)
    return sorted[low]! + (place - low) * (sorted[Math.min(n - 1, low + 1)]! - sorted[low]!)
  }
  return {
    kind: "numbers",
    rows: n,
    r2: total === 0 ? null : 1 - left / total,
    rootMeanSquaredError: Math.sqrt(left / n),
    meanAbsoluteError: residuals.reduce((sum, r) => sum + Math.abs(r), 0) / n,
    residuals: [at(0), at(0.25), at(0.5), at(0.75), at(1)],
    mistakes: farthest.slice(0, TOLD),
  }
}

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
