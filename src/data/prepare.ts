// From a table to examples: what each column is, how rows are divided, what is learnt from the training rows, what looks wrong.

import { checkKeys, configError, dataError, show, type TrilobiteError, unknownName } from "../core/errors.ts"
import { type Warning, warningsOf } from "./audit.ts"
import { checkShares, type Division, type DivisionMethod, divideRows } from "./division.ts"
import {
  allRows,
  type Examples,
  type FeatureStep,
  featureNames,
  levelsOf,
  type MissingRule,
  mostFrequent,
  noColumn,
  type Preparation,
  placeOf,
  prepareExamples,
  type Scaling,
  scalingOf,
  type TargetStep,
} from "./preparation.ts"
import { type Column, columnNamed, type Table, textAt } from "./table.ts"

/** What a network is to do: say a class, or a number. */
export type Task = "classification" | "regression"

/** How a table is prepared. */
export interface PrepareOptions {
  /** The column that is to be predicted (default: the data set's own). */
  readonly target?: string
  /** The columns that it is predicted from (default: all others). */
  readonly features?: readonly string[]
  /** Columns that are left out. */
  readonly ignore?: readonly string[]
  /** Columns whose numbers are names of things: postcodes, codes of kinds. */
  readonly categorical?: readonly string[]
  /** Columns of texts that become places for an embedding instead of one-hot rows. */
  readonly lookups?: readonly string[]
  /** Classes or numbers (default: classes for texts and for at most 20 different whole numbers). */
  readonly task?: Task
  /** How numbers are brought to a common size, by what the training rows say (default standardize). */
  readonly scaling?: Scaling
  /** Whether numbers that are to be predicted are standardized, too (default true). */
  readonly scaleTarget?: boolean
  /** What becomes of missing cells: an error, the mean (the most frequent text), or the row is left out (default error). */
  readonly missing?: MissingRule | "drop"
  /** The shares of the rows that validate and test (default 0.2 and 0). */
  readonly validation?: number
  readonly test?: number
  /** How rows are divided (default stratified for classes, random for numbers); `time` needs `timeColumn`. */
  readonly split?: DivisionMethod
  /** The column by which `time` divides. */
  readonly timeColumn?: string
  /** What the division depends on (default 0). */
  readonly seed?: number
}

/** A table as examples for a network. */
export interface Prepared {
  readonly task: Task
  /** How rows become inputs: save it with the model. */
  readonly preparation: Preparation
  /** What each number of an input is: `width`, `island=Biscoe`. */
  readonly features: readonly string[]
  /** The classes in the order of the outputs; empty for numbers. */
  readonly classes: readonly string[]
  readonly train: Examples
  readonly validation: Examples
  readonly test: Examples
  /** The rows of the table in each part. */
  readonly rows: Division
  /** For each class the number of all training rows, divided by the number of classes and by the rows of it. */
  readonly classWeights: { readonly [place: number]: number }
  /** What looks wrong. */
  readonly warnings: readonly Warning[]
}

const known = [
  "target",
  "features",
  "ignore",
  "categorical",
  "lookups",
  "task",
  "scaling",
  "scaleTarget",
  "missing",
  "validation",
  "test",
  "split",
  "timeColumn",
  "seed",
]

/** Whole numbers are taken for classes if there are at most so many different ones. */
const MOST_CLASSES = 20
/** Texts become one-hot rows if there are at most so many different ones. */
export const mostLevels = 1000

/**
 * Examples from a table: the target's classes or numbers, numbers standardized, texts one-hot, rows divided by a seed. What is
 * learnt (means, texts, classes) is learnt from the training rows alone.
 * @throws E_CONFIG for columns and options that are none; E_DATA for missing cells (unless `missing` says what becomes of them) and
 * data that cannot be learnt, with its place.
 * @example
 * ```ts
 * import { dense, sequential } from "trilobite"
 * import { dataSet, prepare } from "trilobite/datasets"
 * const data = prepare(await dataSet("iris"))
 * data.features // => ["sepalLength", "sepalWidth", "petalLength", "petalWidth"]
 * data.train.x.shape // => [120, 4]
 * const model = sequential([
 *   dense({ units: 16, activation: "relu", inputShape: [4] }),
 *   dense({ units: 3, activation: "softmax" }),
 * ])
 * model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: "adam", metrics: ["accuracy"] })
 * await model.fit(data.train.x, data.train.y, { epochs: 60, verbose: 0 })
 * const { accuracy } = await model.evaluate(data.validation.x, data.validation.y)
 * accuracy >= 0.8 // => true
 * ```
 */
export function prepare(table: Table & { readonly target?: string }, options: PrepareOptions = {}): Prepared {
  const where = "prepare"
  checkOptions(where, options)
  const { scaling = "standardize", missing = "error", validation = 0.2, test = 0 } = options
  checkShares(where, validation, test)
  const target = targetOf(where, table, options)
  const useless = (column: Column): string | undefined =>
    uselessness(factsOf(column), table.rows, isLookup(options, column))
  const chosen = featuresOf(table, target, options, useless)
  const used = [...chosen.columns, target]
  const rows = rowsWith(table, used, missing === "drop" ? used : [target], missing)
  const task = options.task ?? taskOf(target, rows)
  const division = divided(table, target, task, rows, options)
  const rule = missing === "drop" ? "error" : missing
  if (rule === "error") checkMissing(table, chosen.columns, rows)
  const steps = chosen.columns.map((column) => stepFor(column, division.train, scaling, rule, options, rows))
  const preparation: Preparation = {
    version: 1,
    features: steps,
    target: targetFor(table, target, task, division.train, rows, options.scaleTarget ?? true),
  }
  const part = (of: Int32Array): Examples => prepareExamples(preparation, table, of)
  const [train, validates, tests] = [part(division.train), part(division.validation), part(division.test)]
  const classes = preparation.target.kind === "classes" ? preparation.target.classes : []
  const dropped = table.rows - rows.length
  return {
    task,
    preparation,
    features: featureNames(preparation),
    classes,
    train,
    validation: validates,
    test: tests,
    rows: division,
    classWeights: classes.length === 0 ? {} : weightsOf(train.y.data, classes.length),
    warnings: [
      ...chosen.warnings,
      ...(dropped === 0
        ? []
        : [{ kind: "missing" as const, message: `${dropped} of ${table.rows} rows with missing cells are left out.` }]),
      ...warningsOf(table, preparation, division, scaling),
    ],
  }
}

/** Throws E_CONFIG for options that are none. */
export function checkOptions(where: string, options: PrepareOptions): void {
  checkKeys(where, options, known)
  const choices = {
    task: ["classification", "regression"],
    scaling: ["standardize", "minMax", "none"],
    missing: ["error", "mean", "drop"],
    split: ["random", "stratified", "time"],
  } as const
  for (const [key, names] of Object.entries(choices)) {
    const value = options[key as keyof typeof choices]
    if (value !== undefined && !(names as readonly string[]).includes(value))
      throw unknownName(`${where}.${key}`, "choice", String(value), names)
  }
  for (const key of ["features", "ignore", "categorical", "lookups"] as const) {
    const value: unknown = options[key]
    if (value === undefined || (Array.isArray(value) && value.every((one) => typeof one === "string"))) continue
    throw configError({
      where: `${where}.${key}`,
      what: "these are no names.",
      expected: "a list of names of columns",
      got: show(value),
    })
  }
}

/** The column that is to be predicted. Throws E_CONFIG if that is not said, or not there. */
export function targetOf(where: string, table: Table & { readonly target?: string }, options: PrepareOptions): Column {
  const name = options.target ?? table.target
  if (name !== undefined) return columnOf(table, name)
  const names = table.columns.map((column) => column.name).slice(0, 30)
  throw configError({
    where: `${where}.target`,
    what: "what is to be predicted?",
    expected: `the name of a column: ${names.join(", ")}`,
    hint: 'Write { target: "..." }.',
  })
}

const isLookup = ({ lookups = [] }: PrepareOptions, { name }: Column): boolean => lookups.includes(name)

function columnOf(table: Table, name: string): Column {
  const column = columnNamed(table, name)
  if (column === undefined) throw noColumn(table, name)
  return column
}

/** The columns to predict from. Columns that tell nothing, or only the row, are left out unless they are named. */
export function featuresOf(
  table: Table,
  target: Column,
  { features, ignore = [], categorical = [], lookups = [], timeColumn, split }: PrepareOptions,
  useless: (column: Column) => string | undefined,
): { readonly columns: readonly Column[]; readonly warnings: readonly Warning[] } {
  for (const name of [...ignore, ...categorical, ...lookups]) columnOf(table, name)
  if (timeColumn !== undefined) columnOf(table, timeColumn)
  if (features !== undefined) {
    const columns = features.map((name) => columnOf(table, name))
    if (columns.length === 0 || columns.includes(target)) {
      const what =
        columns.length === 0 ? "there is nothing to predict from." : "the target cannot be predicted from itself."
      throw configError({ where: "prepare.features", what, expected: "names of other columns" })
    }
    return { columns, warnings: [] }
  }
  const warnings: Warning[] = []
  const columns = table.columns.filter((column) => {
    if (column === target || ignore.includes(column.name)) return false
    if (split === "time" && column.name === timeColumn) return false
    const reason = useless(column)
    if (reason === undefined) return true
    warnings.push({
      kind: "ignored",
      columns: [column.name],
      message: `Column ${show(column.name)} ${reason}: it is left out.`,
    })
    return false
  })
  if (columns.length > 0) return { columns, warnings }
  const hint = warnings.map(({ message }) => message).join(" ") || "A table needs a column beside the target."
  throw dataError({
    where: table.source,
    what: "there is nothing to predict from.",
    expected: "columns beside the target",
    hint,
  })
}

/** What all rows say of a column: how many different texts it has (undefined: numbers), and what its numbers do. */
export interface ColumnFacts {
  readonly texts: number | undefined
  readonly isEmpty: boolean
  /** Whether every number is the one before and 1. */
  readonly counts: boolean
}

function factsOf(column: Column): ColumnFacts {
  if (column.kind === "text") return { texts: column.levels.length, isEmpty: false, counts: false }
  const { values } = column
  const isEmpty = values.every(Number.isNaN)
  return { texts: undefined, isEmpty, counts: values.every((value, i) => value === values[0]! + i) }
}

/** Why nothing can be learnt from a column; undefined if something can. */
export function uselessness(
  { texts, isEmpty, counts }: ColumnFacts,
  rows: number,
  lookup: boolean,
): string | undefined {
  if (texts !== undefined) {
    if (texts > 20 && texts * 2 > rows) return `has ${texts} different texts in ${rows} rows`
    return texts > mostLevels && !lookup ? `has ${texts} different texts` : undefined
  }
  if (isEmpty) return "is empty"
  return rows > 2 && counts ? "counts the rows" : undefined
}

/** The rows in which certain columns have a cell. Throws E_DATA for a row that lacks one unless it may be left out. */
function rowsWith(table: Table, used: readonly Column[], wanted: readonly Column[], missing: string): Int32Array {
  const target = used.at(-1)!
  const rows = allRows(table).filter((row) => {
    const lacking = wanted.find((column) => textAt(column, row) === undefined)
    if (lacking === undefined) return true
    if (missing === "drop") return false
    throw dataError({
      where: placeOf(table, lacking, row),
      what: "the target is missing.",
      expected: "a value",
      hint: 'Fill it in, or leave such rows out: missing "drop".',
    })
  })
  if (rows.length > 0) return rows
  const hint = "Leave out the columns in which most cells are missing."
  throw dataError({
    where: table.source,
    what: "no row has all its cells.",
    expected: `a row with a ${show(target.name)}`,
    hint,
  })
}

/** Throws E_DATA with the first missing cell, and how many there are in which columns. */
function checkMissing(table: Table, columns: readonly Column[], rows: Int32Array): void {
  const lacking = columns.map((column) => ({ column, rows: rows.filter((row) => textAt(column, row) === undefined) }))
  const some = lacking.filter((one) => one.rows.length > 0)
  if (some.length === 0) return
  const { column, rows: first } = some.reduce((a, b) => (b.rows[0]! < a.rows[0]! ? b : a))
  const counts = some.slice(0, 12).map((one) => `${one.rows.length} in ${show(one.column.name)}`)
  throw dataError({
    where: placeOf(table, column, first[0]!),
    what: "the cell is empty.",
    expected: "a value in every cell",
    got: `missing cells: ${counts.join(", ")}`,
    hint: 'Say what becomes of them: missing "mean" (the mean, or the most frequent text) or "drop" (such rows are left out).',
  })
}

/** Texts are classes, and so are a few different whole numbers; other numbers are numbers. */
function taskOf(target: Column, rows: Int32Array): Task {
  if (target.kind === "text") return "classification"
  const different = new Set<number>()
  return addsClasses(different, target.values, rows) ? taskOfNumbers(different.size, rows.length) : "regression"
}

/** Collects the numbers of certain rows; false if they are no classes: not whole, or too many. */
export function addsClasses(different: Set<number>, values: ArrayLike<number>, rows: Int32Array): boolean {
  for (const row of rows) {
    const value = values[row]!
    if (!Number.isInteger(value) || different.add(value).size > MOST_CLASSES) return false
  }
  return true
}

/** Whether so many different whole numbers in so many rows are classes. */
export function taskOfNumbers(different: number, rows: number): Task {
  return different * 2 > rows && different > 2 ? "regression" : "classification"
}

function divided(table: Table, target: Column, task: Task, rows: Int32Array, options: PrepareOptions): Division {
  const { validation = 0.2, test = 0, seed = 0, timeColumn } = options
  const split = options.split ?? (task === "classification" ? "stratified" : "random")
  if ((split === "time") !== (timeColumn !== undefined)) {
    const what = split === "time" ? "by which column?" : 'it does nothing without split: "time".'
    throw configError({
      where: "prepare.timeColumn",
      what,
      expected: "the name of a column with split time, else nothing",
    })
  }
  if (split === "stratified" && task === "regression") {
    throw configError({
      where: "prepare.split",
      what: "numbers have no classes to divide by.",
      expected: '"random" or "time"',
    })
  }
  const keys =
    split === "time"
      ? orderOf(table, columnOf(table, timeColumn!))
      : target.kind === "text"
        ? target.codes
        : target.values
  const division = divideRows(rows, split, { validation, test }, seed, keys)
  if (division.train.length > 0) return division
  throw dataError({
    where: table.source,
    what: "no rows are left to train with.",
    got: `${rows.length} rows`,
    hint: "Ask for smaller shares.",
  })
}

/** Numbers in whose order the cells of a column are: texts, such as 2024-01-31, in the order of their letters. */
function orderOf(table: Table, column: Column): Float64Array {
  const missing = allRows(table).find((row) => textAt(column, row) === undefined)
  if (missing !== undefined)
    throw dataError({
      where: placeOf(table, column, missing),
      what: "the time is missing.",
      expected: "a number or a date",
      hint: "Fill it in.",
    })
  if (column.kind === "number") return column.values
  const sorted = [...column.levels].sort((a, b) => (a < b ? -1 : 1))
  const places = new Map(sorted.map((text, i) => [text, i]))
  return Float64Array.from(column.codes, (code) => places.get(column.levels[code]!)!)
}

function stepFor(
  column: Column,
  train: Int32Array,
  scaling: Scaling,
  missing: MissingRule,
  { categorical = [], lookups = [] }: PrepareOptions,
  rows: Int32Array,
): FeatureStep {
  const { name } = column
  const lookup = lookups.includes(name)
  if (column.kind === "number" && !lookup && !categorical.includes(name)) {
    const { mean, shift, divisor } = scalingOf(column.values, train, scaling)
    return { column: name, kind: "number", shift, divisor, missing: missing === "mean" ? mean : null }
  }
  // Which texts there are is no secret of the validation rows: without those a one-hot row could not stand for them.
  const levels = levelsOf(column, lookup ? train : rows)
  return {
    column: name,
    kind: lookup ? "index" : "oneHot",
    levels,
    missing: missing === "mean" ? mostFrequent(column, train) : null,
  }
}

function targetFor(
  table: Table,
  column: Column,
  task: Task,
  train: Int32Array,
  rows: Int32Array,
  scale: boolean,
): TargetStep {
  if (task === "classification") {
    return classesStep(table, column.name, levelsOf(column, rows))
  }
  if (column.kind === "text") throw textTarget(table, column.name)
  const { shift, divisor } = scalingOf(column.values, train, scale ? "standardize" : "none")
  return { column: column.name, kind: "number", shift, divisor }
}

/** The step of a target with these classes. Throws E_DATA for one class. */
export function classesStep(table: Table, column: string, classes: readonly string[]): TargetStep {
  if (classes.length >= 2) return { column, kind: "classes", classes }
  throw dataError({
    where: `${table.source}, column ${show(column)}`,
    what: "there is one class only.",
    got: show(classes[0]),
    hint: "A network learns to tell classes apart: it needs two.",
  })
}

/** The error for texts that are to be predicted as numbers. */
export function textTarget(table: Table, column: string): TrilobiteError {
  return dataError({
    where: `${table.source}, column ${show(column)}`,
    what: "the target is text.",
    expected: "a column of numbers for regression",
    hint: 'Ask for task "classification".',
  })
}

function weightsOf(labels: ArrayLike<number>, classes: number): { readonly [place: number]: number } {
  const counts = new Array<number>(classes).fill(0)
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++
  return classWeightsOf(counts)
}

/** For each class that there is the number of all rows, divided by the number of classes and by the rows of it. */
export function classWeightsOf(counts: readonly number[]): { readonly [place: number]: number } {
  const rows = counts.reduce((a, b) => a + b, 0)
  return Object.fromEntries(counts.flatMap((n, k) => (n === 0 ? [] : [[k, rows / (counts.length * n)]])))
}
