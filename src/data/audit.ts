// What looks wrong about data that is to be learnt: warnings that name the columns, classes and rows. Changes nothing.

import { show } from "../core/errors.ts"
import type { Division } from "./division.ts"
import type { Preparation, Scaling } from "./preparation.ts"
import { type Column, columnNamed, type Table, textAt } from "./table.ts"

/** Something that looks wrong. */
export interface Warning {
  readonly kind:
    | "ignored"
    | "missing"
    | "sorted"
    | "missingClass"
    | "imbalance"
    | "duplicates"
    | "constant"
    | "pixels"
    | "fewRows"
  readonly message: string
  /** The columns that it is about. */
  readonly columns?: readonly string[]
  /** Rows of the table that it is about, the first of them. */
  readonly rows?: readonly number[]
}

/** Classes are called unequal if the largest has so many times the rows of the smallest. */
const UNEQUAL = 10
const SHOWN = 8

/** What looks wrong about a table that has been divided. */
export function warningsOf(table: Table, preparation: Preparation, division: Division, scaling: Scaling): Warning[] {
  const target = columnNamed(table, preparation.target.column)!
  const features = preparation.features.map((step) => columnNamed(table, step.column)!)
  return [
    ...fewWarnings(division.train.length, division.validation.length),
    ...sorted(table, target, preparation),
    ...classes(table, target, preparation, division),
    ...duplicates(table, [...features, target], division),
    ...constant(table, features, division.train),
    ...(scaling === "none" ? pixels(table, features) : []),
  ]
}

/** The warning for few rows. */
export function fewWarnings(train: number, validation: number): Warning[] {
  if (train >= 50 && (validation === 0 || validation >= 10)) return []
  const message = `There are few rows: ${train} to train and ${validation} to validate with. What is measured is uncertain.`
  return [{ kind: "fewRows", message }]
}

/** Rows in the order of their targets: taken in this order, a batch has one class. */
function sorted(table: Table, target: Column, { target: step }: Preparation): Warning[] {
  if (table.rows < 10) return []
  const codes = target.kind === "text" ? target.codes : target.values
  let changes = 0
  let falls = 0
  const seen = new Set<number>([codes[0]!])
  let returns = false
  for (let row = 1; row < table.rows; row++) {
    if (codes[row] === codes[row - 1]) continue
    changes++
    if (codes[row]! < codes[row - 1]!) falls++
    if (step.kind === "classes" && seen.has(codes[row]!)) returns = true
    seen.add(codes[row]!)
  }
  const inBlocks = step.kind === "classes" ? !returns : falls === 0 || falls === changes
  if (changes === 0 || !inBlocks) return []
  const message = `The rows are sorted by ${show(target.name)}: they must be shuffled before they are divided and in every epoch, as is done unless it is switched off.`
  return [{ kind: "sorted", columns: [target.name], message }]
}

function classes(
  table: Table,
  target: Column,
  { target: step }: Preparation,
  { train, validation }: Division,
): Warning[] {
  if (step.kind !== "classes") return []
  const count = (rows: Int32Array): number[] => {
    const places = new Map(step.classes.map((name, k) => [name, k]))
    const counts = step.classes.map(() => 0)
    for (const row of rows) counts[places.get(textAt(target, row)!)!]!++
    return counts
  }
  return classWarnings(table.source, target.name, step.classes, {
    training: count(train),
    validation: count(validation),
  })
}

/** What looks wrong about the numbers of rows of the classes. */
export function classWarnings(
  source: string,
  target: string,
  names: readonly string[],
  parts: { readonly training: readonly number[]; readonly validation: readonly number[] },
): Warning[] {
  const found: Warning[] = []
  for (const [part, counts] of Object.entries(parts)) {
    const lacking = names.filter((_, k) => counts[k] === 0)
    if (lacking.length === 0 || lacking.length === names.length) continue
    const message = `The ${part} rows of ${source} have no ${list(lacking)}.`
    found.push({ kind: "missingClass", columns: [target], message })
  }
  const counts = names
    .map((name, k) => [name, parts.training[k]!] as const)
    .filter(([, n]) => n > 0)
    .sort((a, b) => a[1] - b[1])
  const [least, most] = [counts[0], counts.at(-1)]
  if (least !== undefined && most !== undefined && most[1] >= UNEQUAL * least[1]) {
    const message = `The classes are unequal: ${most[1]} training rows of ${show(most[0])}, ${least[1]} of ${show(least[0])}. Class weights make up for it.`
    found.push({ kind: "imbalance", columns: [target], message })
  }
  return found
}

/** Rows to validate or test with that are training rows, too: what is measured on them is too good. */
function duplicates(table: Table, columns: readonly Column[], { train, validation, test }: Division): Warning[] {
  const keyOf = (row: number): string => columns.map((column) => textAt(column, row) ?? "").join("\u0000")
  const known = new Set(Array.from(train, keyOf))
  const twice = [...validation, ...test].filter((row) => known.has(keyOf(row)))
  if (twice.length === 0) return []
  const places = twice
    .slice(0, SHOWN)
    .map((row) => (table.lines === undefined ? `row ${row + 1}` : `line ${table.lines[row]}`))
  const rest = twice.length > SHOWN ? ", ..." : ""
  const message = `${twice.length} of ${validation.length + test.length} validation and test rows are among the training rows, too: ${places.join(", ")}${rest}.`
  return [{ kind: "duplicates", rows: twice, message }]
}

function constant(table: Table, features: readonly Column[], train: Int32Array): Warning[] {
  const same = features.filter((column) => {
    const first = textAt(column, train[0] ?? 0)
    return train.every((row) => textAt(column, row) === first)
  })
  if (same.length === 0 || train.length < 2) return []
  return constantWarnings(
    table.source,
    same.map((column) => column.name),
  )
}

/** The warning for columns that are the same in all training rows. */
export function constantWarnings(source: string, names: readonly string[]): Warning[] {
  if (names.length === 0) return []
  const message = `Constant in all training rows of ${source}: ${list(names)}. Nothing can be learnt from ${names.length === 1 ? "it" : "them"}.`
  return [{ kind: "constant", columns: names, message }]
}

/** Numbers from 0 to 255, as pixels have them. */
function pixels(table: Table, features: readonly Column[]): Warning[] {
  const numbers = features.filter((column) => column.kind === "number")
  const bytes = numbers.filter(({ values }) =>
    values.every((v) => Number.isNaN(v) || (Number.isInteger(v) && v >= 0 && v <= 255)),
  )
  const most = bytes.reduce((max, { values }) => values.reduce((a, b) => (b > a ? b : a), max), 0)
  if (bytes.length < 16 || bytes.length < numbers.length || most <= 16) return []
  const names = bytes.map((column) => column.name)
  return [
    {
      kind: "pixels",
      columns: names,
      message: `${names.length} columns of ${table.source} hold whole numbers up to ${most}, like pixels: divide them by 255, or let them be scaled.`,
    },
  ]
}

function list(names: readonly string[]): string {
  return names.slice(0, SHOWN).map(show).join(", ") + (names.length > SHOWN ? `, and ${names.length - SHOWN} more` : "")
}
