// How rows of a table become numbers for a network: learnt from training rows, plain data, applied to any rows. Trains nothing.

import { configError, dataError, show, TrilobiteError, unknownName } from "../core/errors.ts"
import { asArray, asNumber, asObject, asString, type JsonValue } from "../core/json.ts"
import type { Tensor } from "../core/tensor.ts"
import { type Column, columnNamed, numberIn, placeOfCell, type Table, textAt } from "./table.ts"

/** A number: (value − shift) / divisor. `missing` stands for missing cells; null: they are refused. */
export interface NumberStep {
  readonly column: string
  readonly kind: "number"
  readonly shift: number
  readonly divisor: number
  readonly missing: number | null
}

/** One of some texts: as a 1 at its place (oneHot), or as its place, from 1, for an embedding (index; 0 is any other text). */
export interface TextStep {
  readonly column: string
  readonly kind: "oneHot" | "index"
  readonly levels: readonly string[]
  readonly missing: string | null
}

/** What becomes of a column. */
export type FeatureStep = NumberStep | TextStep

/** What is to be predicted: one of some classes, or a number (scaled as a NumberStep does). */
export type TargetStep =
  | { readonly column: string; readonly kind: "classes"; readonly classes: readonly string[] }
  | { readonly column: string; readonly kind: "number"; readonly shift: number; readonly divisor: number }

/** How rows of a table become inputs and targets: JSON, saved with the model. */
export interface Preparation {
  readonly version: 1
  readonly features: readonly FeatureStep[]
  readonly target: TargetStep
}

/** How numbers are brought to a common size. */
export type Scaling = "standardize" | "minMax" | "none"

/** What becomes of missing cells: an error, or the mean of the column (the most frequent text). */
export type MissingRule = "error" | "mean"

/** Numbers of rows: x float32 [rows, width]; lookups int32 [rows] by column; y int32 [rows] or [rows, 1], or float32 [rows, 1]. */
export interface Examples {
  readonly x: Tensor
  readonly lookups: { readonly [column: string]: Tensor }
  readonly y: Tensor
}

/** The different texts of a column in certain rows, sorted: numbers by size, other texts by their letters. */
export function levelsOf(column: Column, rows: Int32Array): string[] {
  const seen = new Set<string>()
  if (column.kind === "text") {
    const codes = new Set<number>()
    for (const row of rows) codes.add(column.codes[row]!)
    codes.delete(-1)
    for (const code of codes) seen.add(column.levels[code]!)
  } else for (const row of rows) if (!Number.isNaN(column.values[row]!)) seen.add(String(column.values[row]!))
  return sortedTexts(seen)
}

/** Texts sorted: numbers by size, other texts by their letters. */
export function sortedTexts(texts: Iterable<string>): string[] {
  const all = [...texts]
  const numeric = all.every((text) => !Number.isNaN(numberIn(text)))
  return all.sort(numeric ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1))
}

/** How numbers are scaled, and their mean. */
export interface NumberScale {
  readonly mean: number
  readonly shift: number
  readonly divisor: number
}

/** What numbers come to: all of them are added, and once more for standardizing, for which their mean must be known. */
export class NumberFacts {
  #n = 0
  #sum = 0
  #squares = 0
  least: number = Number.POSITIVE_INFINITY
  most: number = Number.NEGATIVE_INFINITY

  /** Adds the numbers of certain rows; missing ones count for nothing. */
  add(values: ArrayLike<number>, rows: Int32Array): void {
    for (const row of rows) {
      const value = values[row]!
      if (Number.isNaN(value)) continue
      this.#n++
      this.#sum += value
      if (value < this.least) this.least = value
      if (value > this.most) this.most = value
    }
  }

  /** Adds them for the second time, in the same order. */
  addAgain(values: ArrayLike<number>, rows: Int32Array): void {
    const mean = this.#sum / this.#n
    for (const row of rows) {
      const d = values[row]! - mean
      if (!Number.isNaN(d)) this.#squares += d * d
    }
  }

  /** Mean and standard deviation, or least and range, of the numbers that are there; what is constant is divided by 1. */
  scale(scaling: Scaling): NumberScale {
    const [n, least, most] = [this.#n, this.least, this.most]
    if (n === 0) return { mean: 0, shift: 0, divisor: 1 }
    const mean = this.#sum / n
    if (scaling === "none") return { mean, shift: 0, divisor: 1 }
    if (scaling === "minMax") return { mean, shift: least, divisor: most > least ? most - least : 1 }
    const deviation = Math.sqrt(this.#squares / n)
    // A column whose numbers differ by rounding alone is constant.
    const constant = least === most || deviation <= 1e-12 * Math.abs(mean)
    return { mean, shift: mean, divisor: constant ? 1 : deviation }
  }
}

/** How the numbers of certain rows are scaled. */
export function scalingOf(values: ArrayLike<number>, rows: Int32Array, scaling: Scaling): NumberScale {
  const facts = new NumberFacts()
  facts.add(values, rows)
  if (scaling === "standardize") facts.addAgain(values, rows)
  return facts.scale(scaling)
}

/** The text that occurs most often in certain rows, the first in the order of its letters among equals. */
export function mostFrequent(column: Column, rows: Int32Array): string | null {
  const counts = new Map<string, number>()
  countTexts(counts, column, rows)
  return commonest(counts)
}

/** Counts the texts of certain rows. */
export function countTexts(counts: Map<string, number>, column: Column, rows: Int32Array): void {
  for (const row of rows) {
    const text = textAt(column, row)
    if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1)
  }
}

/** The text with the highest count, the first in the order of its letters among equals. */
export function commonest(counts: ReadonlyMap<string, number>): string | null {
  let best: string | null = null
  for (const [text, n] of counts) {
    const most = best === null ? -1 : counts.get(best)!
    if (n > most || (n === most && text < best!)) best = text
  }
  return best
}

/** The numbers that the features of a preparation have in a row, with a name each: `width`, `island=Biscoe`. */
export function featureNames({ features }: Preparation): string[] {
  return features.flatMap((step) => {
    if (step.kind === "number") return [step.column]
    return step.kind === "oneHot" ? step.levels.map((level) => `${step.column}=${level}`) : []
  })
}

/**
 * Inputs for a network from rows of a table (all rows unless some are named), as the preparation has been learnt.
 * @throws E_DATA for columns that are not there or hold something else, missing cells that it has no rule for, and texts that did
 * not occur in the training rows: with line and column.
 */
export function prepareInputs(preparation: Preparation, table: Table, chosen?: Int32Array): Omit<Examples, "y"> {
  const rows = chosen ?? allRows(table)
  const width = featureNames(preparation).length
  const data = new Float32Array(rows.length * width)
  const lookups = Object.create(null) as { [column: string]: Tensor }
  let at = 0
  for (const step of preparation.features) {
    const column = needed(table, step.column, preparation)
    if (step.kind === "number") {
      const { shift, divisor, missing } = step
      const numbers = numbersOf(table, column)
      rows.forEach((row, i) => {
        const value = numbers[row]!
        if (Number.isNaN(value) && missing === null) throw missingCell(table, column, row)
        data[i * width + at] = ((Number.isNaN(value) ? missing! : value) - shift) / divisor
      })
      at++
    } else {
      const places = new Map(step.levels.map((level, k) => [level, k]))
      const index = new Int32Array(step.kind === "index" ? rows.length : 0)
      rows.forEach((row, i) => {
        const text = textAt(column, row) ?? step.missing ?? undefined
        if (text === undefined) throw missingCell(table, column, row)
        const place = places.get(text)
        if (step.kind === "index") index[i] = place === undefined ? 0 : place + 1
        else if (place !== undefined) data[i * width + at + place] = 1
        else throw unknownText(table, column, row, step.levels)
      })
      if (step.kind === "index") lookups[step.column] = { dtype: "int32", shape: [rows.length], data: index }
      else at += step.levels.length
    }
  }
  return { x: { dtype: "float32", shape: [rows.length, width], data }, lookups }
}

/**
 * Inputs and targets for a network: as `prepareInputs`, with y int32 [rows] of the places of classes ([rows, 1] of two), or float32
 * [rows, 1] of scaled numbers.
 * @throws E_DATA as `prepareInputs`, and for a target that is missing or no class.
 */
export function prepareExamples(preparation: Preparation, table: Table, chosen?: Int32Array): Examples {
  const rows = chosen ?? allRows(table)
  return { ...prepareInputs(preparation, table, rows), y: prepareTargets(preparation, table, rows) }
}

function prepareTargets({ target }: Preparation, table: Table, rows: Int32Array): Tensor {
  const column = columnNamed(table, target.column)
  if (column === undefined) throw noColumn(table, target.column)
  if (target.kind === "number") {
    const numbers = numbersOf(table, column)
    const data = Float32Array.from(rows, (row) => {
      if (Number.isNaN(numbers[row]!)) throw missingCell(table, column, row)
      return (numbers[row]! - target.shift) / target.divisor
    })
    return { dtype: "float32", shape: [rows.length, 1], data }
  }
  const places = new Map(target.classes.map((name, k) => [name, k]))
  const data = Int32Array.from(rows, (row) => {
    const text = textAt(column, row)
    if (text === undefined) throw missingCell(table, column, row)
    const place = places.get(text)
    if (place === undefined) throw unknownText(table, column, row, target.classes)
    return place
  })
  return { dtype: "int32", shape: target.classes.length === 2 ? [rows.length, 1] : [rows.length], data }
}

/** What a network has said of a row. */
export interface Answer {
  /** The class, or the number. */
  readonly value: string | number
  /** The probabilities of the classes, in their order. */
  readonly probabilities?: readonly number[]
}

/**
 * What the outputs of a network for prepared rows mean: the class with the highest probability, or the number in its own unit.
 * @throws E_DATA if the outputs are not as wide as the preparation's target asks for.
 */
export function answersOf({ target }: Preparation, outputs: Tensor): Answer[] {
  const rows = outputs.shape[0]!
  const width = outputs.data.length / Math.max(1, rows)
  const classes = target.kind === "classes" ? target.classes : undefined
  const wanted = classes === undefined || classes.length === 2 ? 1 : classes.length
  if (width !== wanted && !(classes?.length === width)) {
    const expected = `${wanted} for each row`
    throw dataError({ where: "answersOf", what: "the outputs do not fit the target.", expected, got: `${width}` })
  }
  return Array.from({ length: rows }, (_, row): Answer => {
    const values = Array.from(outputs.data.subarray(row * width, (row + 1) * width))
    if (target.kind === "number") return { value: values[0]! * target.divisor + target.shift }
    const probabilities = width === 1 ? [1 - values[0]!, values[0]!] : values
    let best = 0
    for (let k = 1; k < probabilities.length; k++) if (probabilities[k]! > probabilities[best]!) best = k
    return { value: target.classes[best]!, probabilities }
  })
}

/** The numbers of all rows. */
export function allRows({ rows }: Table): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => i)
}

/** The numbers of a column. Throws E_DATA for a text that is none. */
export function numbersOf(table: Table, column: Column): Float64Array {
  if (column.kind === "number") return column.values
  // A column of missing cells alone, or one whose numbers are written as texts.
  return Float64Array.from(column.codes, (code, row) => {
    if (code < 0) return Number.NaN
    const value = numberIn(column.levels[code]!)
    if (Number.isFinite(value)) return value
    const hint = "This column held numbers when the network was trained."
    throw dataError({
      where: placeOf(table, column, row),
      what: "this is not a number.",
      got: show(column.levels[code]),
      hint,
    })
  })
}

/** The place of a cell: `data.csv:12, column 3 "age"`. */
export function placeOf(table: Table, column: Column, row: number): string {
  const line = table.lines?.[row]
  const source = line === undefined ? `${table.source}, row ${row + 1}` : table.source
  return placeOfCell(source, line, table.columns.indexOf(column), column.name)
}

function missingCell(table: Table, column: Column, row: number): TrilobiteError {
  const hint = 'Fill it in, leave the row out, or say what stands for missing cells: missing "mean" or "drop".'
  return dataError({ where: placeOf(table, column, row), what: "the cell is empty.", expected: "a value", hint })
}

function unknownText(table: Table, column: Column, row: number, known: readonly string[]): TrilobiteError {
  const expected = `one of ${known.slice(0, 12).join(", ")}${known.length > 12 ? ", ..." : ""}`
  const hint = "It did not occur in the training rows."
  return dataError({
    where: placeOf(table, column, row),
    what: "this text is not known.",
    expected,
    got: show(textAt(column, row)),
    hint,
  })
}

function needed(table: Table, name: string, { features }: Preparation): Column {
  const column = columnNamed(table, name)
  if (column !== undefined) return column
  const expected = `the columns ${features.map((step) => step.column).join(", ")}`
  const got = table.columns
    .map((other) => other.name)
    .slice(0, 30)
    .join(", ")
  throw dataError({
    where: table.source,
    what: `there is no column ${show(name)}.`,
    expected,
    got,
    hint: "Check the names in its first line.",
  })
}

/** The error for a column that was named and is not there: E_CONFIG with the names that there are. */
export function noColumn(table: Table, name: string): TrilobiteError {
  const names = table.columns.map((column) => column.name)
  const error = unknownName(table.source, "column", name, names.slice(0, 30))
  return names.length > 0 ? error : configError({ where: table.source, what: "there are no columns." })
}

/**
 * A preparation from JSON, as model files hold it: `readPreparation(model.preparing)`.
 * @throws E_MODEL if it is none.
 */
export function readPreparation(given: unknown, where = "preparation"): Preparation {
  const json = (given ?? null) as JsonValue
  const fail = (place: string, what: string): TrilobiteError =>
    new TrilobiteError("E_MODEL", { where: `${where}.${place}`, what, hint: "Save the model again." })
  const root = asObject(json, where, "E_MODEL")
  if (root.version !== 1) throw fail("version", "this version of the preparation is not known.")
  const finite = (value: JsonValue | undefined, place: string): number => {
    const n = asNumber(value ?? null, `${where}.${place}`, "E_MODEL")
    if (!Number.isFinite(n)) throw fail(place, "this is not finite.")
    return n
  }
  const texts = (value: JsonValue | undefined, place: string): string[] => {
    const all = asArray(value ?? null, `${where}.${place}`, "E_MODEL").map((one) =>
      asString(one, `${where}.${place}`, "E_MODEL"),
    )
    if (new Set(all).size !== all.length) throw fail(place, "a text is there twice.")
    return all
  }
  const divisor = (value: JsonValue | undefined, place: string): number => {
    const n = finite(value, place)
    if (n === 0) throw fail(place, "nothing is divided by 0.")
    return n
  }
  const features = asArray(root.features ?? null, `${where}.features`, "E_MODEL").map((one, i): FeatureStep => {
    const place = `features[${i}]`
    const step = asObject(one, `${where}.${place}`, "E_MODEL")
    const column = asString(step.column ?? null, `${where}.${place}.column`, "E_MODEL")
    const missing = step.missing ?? null
    if (step.kind === "number") {
      const shift = finite(step.shift, `${place}.shift`)
      const fill = missing === null ? null : finite(missing, `${place}.missing`)
      return { column, kind: "number", shift, divisor: divisor(step.divisor, `${place}.divisor`), missing: fill }
    }
    if (step.kind !== "oneHot" && step.kind !== "index") throw fail(`${place}.kind`, "there is no such step.")
    const fill = missing === null ? null : asString(missing, `${where}.${place}.missing`, "E_MODEL")
    return { column, kind: step.kind, levels: texts(step.levels, `${place}.levels`), missing: fill }
  })
  const target = asObject(root.target ?? null, `${where}.target`, "E_MODEL")
  const column = asString(target.column ?? null, `${where}.target.column`, "E_MODEL")
  if (target.kind === "classes") {
    return {
      version: 1,
      features,
      target: { column, kind: "classes", classes: texts(target.classes, "target.classes") },
    }
  }
  if (target.kind !== "number") throw fail("target.kind", "there is no such target.")
  const shift = finite(target.shift, "target.shift")
  return {
    version: 1,
    features,
    target: { column, kind: "number", shift, divisor: divisor(target.divisor, "target.divisor") },
  }
}
