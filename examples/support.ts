// What the examples share: a data set as numbers, folds for cross-validation, and saying whether a target is reached.

import { type Callback, normalization, type Tensor, TrilobiteError } from "trilobite"
import { dataSet, fashionMnist, type Mnist, type SetName } from "trilobite/datasets"

/** The result of an example: what was measured, and what was to be reached. */
export interface Outcome {
  readonly name: string
  readonly measured: number
  readonly target: number
}

/** How much of an example is run: by default all of it. */
export interface Effort {
  readonly epochs?: number
  /** What is then to be reached. */
  readonly target?: number
  readonly verbose?: 0 | 1
  /** Who hears of its training. */
  readonly callbacks?: readonly Callback[]
}

/** Fashion-MNIST, or undefined if it is not on this machine. */
export async function fashionImages(): Promise<Mnist | undefined> {
  return await fashionMnist().catch((error: unknown) => {
    if (error instanceof TrilobiteError && error.code === "E_IO") return undefined
    throw error
  })
}

/** The numbers of a data set's columns, row by row, and its target: numbers, or the places of its classes. */
export async function numbersOf(name: SetName): Promise<{ readonly x: number[][]; readonly y: number[] }> {
  const { columns, rows, target } = await dataSet(name)
  const numbers = columns.map((column) => (column.kind === "number" ? [...column.values] : [...column.codes]))
  const last = columns.findIndex((column) => column.name === target)
  const x = Array.from({ length: rows }, (_, row) => numbers.filter((_, k) => k !== last).map((values) => values[row]!))
  return { x, y: numbers[last]! }
}

/**
 * k pairs of rows to train and rows to test with: every row is tested once. Rows are dealt out in a shuffled order, each class by
 * itself where there are classes.
 */
export function folds(
  rows: number,
  k: number,
  seed: number,
  classes?: readonly number[],
): { readonly train: number[]; readonly test: number[] }[] {
  let state = seed + 1
  const draw = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  const order = Array.from({ length: rows }, (_, i) => i)
  for (let i = rows - 1; i > 0; i--) {
    const j = draw(i + 1)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  if (classes !== undefined) order.sort((a, b) => classes[a]! - classes[b]!)
  return Array.from({ length: k }, (_, fold) => ({
    train: order.filter((_, i) => i % k !== fold),
    test: order.filter((_, i) => i % k === fold),
  }))
}

/** Rows of a list. */
export function pick<T>(values: readonly T[], rows: readonly number[]): T[] {
  return rows.map((row) => values[row]!)
}

/** A layer that brings the features of these rows to mean 0 and variance 1. */
export function standardize(x: readonly number[][]): ReturnType<typeof normalization> {
  return normalization.adapt(x)
}

/** The numbers of a tensor of one column. */
export function column({ data }: Tensor): number[] {
  return [...data]
}

/** Prints an outcome, or that its data are missing; a missed target ends the process with exit code 1. */
export function report(outcome: Outcome | undefined): void {
  if (outcome === undefined) {
    console.log("skipped: Fashion-MNIST is not here (apt-get install dataset-fashion-mnist)")
    return
  }
  const { name, measured, target } = outcome
  const ok = measured >= target
  console.log(`${ok ? "ok    " : "FAILED"} ${name}: ${measured.toFixed(4)} (at least ${target})`)
  if (!ok) process.exitCode = 1
}
