// From tables that come in pieces to streams of examples: what `prepare` does for tables in memory, for those that are larger.

import { configError, dataError, show } from "../core/errors.ts"
import { streamKey, streams, uniformAt } from "../core/random.ts"
import { classWarnings, constantWarnings, fewWarnings, type Warning } from "./audit.ts"
import type { StreamedBatch } from "./dataset.ts"
import { checkShares } from "./division.ts"
import {
  commonest,
  countTexts,
  type Examples,
  type FeatureStep,
  featureNames,
  NumberFacts,
  numbersOf,
  type Preparation,
  placeOf,
  prepareExamples,
  sortedTexts,
  type TargetStep,
} from "./preparation.ts"
import {
  addsClasses,
  type ColumnFacts,
  checkOptions,
  classesStep,
  classWeightsOf,
  featuresOf,
  mostLevels,
  type PrepareOptions,
  type Task,
  targetOf,
  taskOfNumbers,
  textTarget,
  uselessness,
} from "./prepare.ts"
import { type Column, columnNamed, type Table, textAt } from "./table.ts"

/** A table in pieces, from its first row on whenever it is called. */
export type TablePieces = () => AsyncIterable<Table> | Iterable<Table>

/** The parts into which rows are divided. */
export type Part = "train" | "validation" | "test"

/** A table in pieces as streams of examples for a network. */
export interface PreparedPieces {
  readonly task: Task
  /** How rows become inputs: save it with the model. */
  readonly preparation: Preparation
  /** What each number of an input is: `width`, `island=Biscoe`. */
  readonly features: readonly string[]
  /** The classes in the order of the outputs; empty for numbers. */
  readonly classes: readonly string[]
  /** Streams for `fit` and `evaluate`: inputs (by name, if there are lookups: `x` and each column) and targets. */
  readonly train: () => AsyncGenerator<StreamedBatch>
  readonly validation: () => AsyncGenerator<StreamedBatch>
  readonly test: () => AsyncGenerator<StreamedBatch>
  /** The pieces with the numbers of their rows in a part, for what else is to be known of these. */
  readonly parts: (
    part: Part,
  ) => AsyncGenerator<{ readonly table: Table; readonly rows: Int32Array; readonly first: number }>
  /** How many rows there are in each part. */
  readonly rows: { readonly [part in Part]: number }
  /** For each class the number of all training rows, divided by the number of classes and by the rows of it. */
  readonly classWeights: { readonly [place: number]: number }
  /** The table without its cells: its columns as the last piece has them. */
  readonly table: Table
  /** What looks wrong. */
  readonly warnings: readonly Warning[]
}

const WHERE = "preparePieces"
/** Places of random numbers are counted so far. */
const HALF_WORD = 2_147_483_648

/**
 * Examples from a table in pieces, for data larger than memory: as `prepare` makes them, with the same numbers for the same training
 * rows. Each row is drawn by (seed, number of the row) for training, validation or test, so parts have about their shares. The
 * table is read two times, a third time if something is standardized, and then once for each pass of a training.
 *
 * `fit` mixes the rows of a stream within a buffer (`shuffleBuffer`); without it (0), and with the rows in the same order in memory,
 * the bits are the same. Rows that occur twice are not looked for.
 * @throws what `prepare` throws, and E_CONFIG for a division by classes or by time, which needs all rows at once.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs"
 * import { dense, sequential } from "trilobite"
 * import { preparePieces, tablePieces } from "trilobite/datasets"
 * const rows = Array.from({ length: 500 }, (_, i) => `${i % 7},${i % 5},${(i % 7) + 2 * (i % 5)}`)
 * writeFileSync("/tmp/trilobite-pieces.csv", `a,b,sum\n${rows.join("\n")}\n`)
 * const pieces = () => tablePieces("/tmp/trilobite-pieces.csv")
 * const data = await preparePieces(pieces, { target: "sum", task: "regression" })
 * data.rows.train + data.rows.validation // => 500
 * const model = sequential([dense({ units: 1, inputShape: [2] })], { seed: 1 })
 * model.compile({ loss: "meanSquaredError", optimizer: "adam" })
 * model.preparing = data.preparation
 * await model.fit(data.train, { epochs: 2, verbose: 0, validationData: data.validation })
 * ```
 */
export async function preparePieces(pieces: TablePieces, options: PrepareOptions): Promise<PreparedPieces> {
  checkOptions(WHERE, options)
  const { missing = "error", validation = 0.2, test = 0, seed = 0, split = "random" } = options
  checkShares(WHERE, validation, test)
  if (split !== "random" || options.timeColumn !== undefined) {
    const hint = "Divide a table in memory (prepare), or the file beforehand."
    const what = "the rows of a table in pieces are drawn one by one."
    throw configError({ where: `${WHERE}.split`, what, expected: '"random"', got: show(split), hint })
  }
  const survey = await surveyed(pieces, options)
  const { table, target, task, chosen, facts } = survey
  const needed = missing === "drop" ? [...chosen.columns.map(({ name }) => name), target.name] : [target.name]
  if (missing === "error") refuseMissing(chosen.columns.map(({ name }) => facts.get(name)!))
  const draw = drawing(seed, validation, test)

  /** The pieces with their rows in some part (undefined: in any), those left out that lack a cell. */
  async function* chosenRows(part?: Part): AsyncGenerator<{ table: Table; rows: Int32Array; first: number }> {
    let first = 0
    for await (const piece of pieces()) {
      const whole = completed(piece, table.columns)
      const wanted = needed.map((name) => columnNamed(whole, name)!)
      const rows = new Int32Array(whole.rows)
      let n = 0
      for (let row = 0; row < whole.rows; row++) {
        if (part !== undefined && draw(first + row) !== part) continue
        const lacking = wanted.find((column) => isMissing(column, row))
        if (lacking === undefined) rows[n++] = row
        else if (missing !== "drop") throw targetMissing(whole, lacking, row)
      }
      yield { table: whole, rows: rows.subarray(0, n), first }
      first += whole.rows
    }
  }

  const learnt = await learn(chosenRows, survey, options, draw)
  const preparation: Preparation = { version: 1, features: learnt.features, target: learnt.target }
  const classes = learnt.target.kind === "classes" ? learnt.target.classes : []
  const counted = (part: Part): number[] => classes.map((name) => learnt.classes[part].get(name) ?? 0)
  if (learnt.rows.train === 0) {
    const hint = "Ask for smaller shares."
    throw dataError({ where: table.source, what: "no rows are left to train with.", got: `${survey.rows} rows`, hint })
  }
  const stream = (part: Part) =>
    async function* (): AsyncGenerator<StreamedBatch> {
      for await (const { table: piece, rows } of chosenRows(part)) {
        if (rows.length > 0) yield batchOf(prepareExamples(preparation, piece, rows))
      }
    }
  const dropped = survey.rows - learnt.rows.train - learnt.rows.validation - learnt.rows.test
  const left = `${dropped} of ${survey.rows} rows with missing cells are left out.`
  return {
    task,
    preparation,
    features: featureNames(preparation),
    classes,
    train: stream("train"),
    validation: stream("validation"),
    test: stream("test"),
    parts: chosenRows,
    rows: learnt.rows,
    classWeights: classes.length === 0 ? {} : classWeightsOf(counted("train")),
    table: { ...table, rows: survey.rows },
    warnings: [
      ...chosen.warnings,
      ...(dropped === 0 ? [] : [{ kind: "missing" as const, message: left }]),
      ...fewWarnings(learnt.rows.train, learnt.rows.validation),
      ...survey.sorted,
      ...classWarnings(table.source, target.name, classes, {
        training: counted("train"),
        validation: counted("validation"),
      }),
      ...constantWarnings(table.source, learnt.constant),
    ],
  }
}

/** Inputs and targets: by name, if there are lookups. */
function batchOf({ x, lookups, y }: Examples): StreamedBatch {
  return Object.keys(lookups).length === 0 ? [x, y] : [{ x, ...lookups }, y]
}

/** The part of a row by its number: a function of the seed. */
function drawing(seed: number, validation: number, test: number): (row: number) => Part {
  const key = streamKey(seed, streams.split, 1)
  return (row) => {
    const u = uniformAt(key, Math.floor(row / HALF_WORD), row % HALF_WORD)
    if (u < test) return "test"
    return u < test + validation ? "validation" : "train"
  }
}

/** A piece with all columns: those that it has not got are missing in all of its rows. */
function completed(piece: Table, columns: readonly Column[]): Table {
  if (piece.columns.length === columns.length) return piece
  const lacking = columns.slice(piece.columns.length).map(({ name }): Column => {
    return { name, kind: "number", values: new Float64Array(piece.rows).fill(Number.NaN) }
  })
  return { ...piece, columns: [...piece.columns, ...lacking] }
}

const isMissing = (column: Column, row: number): boolean =>
  column.kind === "text" ? column.codes[row]! < 0 : Number.isNaN(column.values[row]!)

function targetMissing(table: Table, column: Column, row: number): Error {
  const hint = 'Fill it in, or leave such rows out: missing "drop".'
  return dataError({
    where: placeOf(table, column, row),
    what: "the target is missing.",
    expected: "a value",
    hint,
  })
}

/** What the first pass has found of a column. */
interface Found {
  readonly name: string
  /** The different texts, as long as they are few enough to be levels. */
  readonly texts: Set<string>
  kind: "number" | "text"
  present: number
  missing: number
  firstMissing: string | undefined
  /** Whether every number so far is the one before and 1. */
  counts: boolean
  last: number
}

/** What all rows say. */
interface Survey {
  readonly rows: number
  readonly table: Table
  readonly target: Column
  readonly task: Task
  readonly chosen: ReturnType<typeof featuresOf>
  readonly facts: ReadonlyMap<string, Found>
  readonly sorted: readonly Warning[]
}

/** The first pass: what the columns are, what is missing, and whether classes or numbers are to be predicted. */
async function surveyed(pieces: TablePieces, options: PrepareOptions): Promise<Survey> {
  const { lookups = [] } = options
  const facts = new Map<string, Found>()
  const different = new Set<number>()
  const order = new Order()
  let areClasses = true
  let rows = 0
  let last: Table | undefined
  let wanted: string | undefined
  for await (const piece of pieces()) {
    wanted ??= targetOf(WHERE, piece, options).name
    for (const [i, column] of piece.columns.entries()) {
      let found = facts.get(column.name)
      if (found === undefined) {
        found = {
          name: column.name,
          texts: new Set(),
          kind: "number",
          present: 0,
          missing: 0,
          firstMissing: undefined,
          counts: true,
          last: 0,
        }
        facts.set(column.name, found)
        if (rows > 0) found.firstMissing = `${piece.source}, column ${i + 1} ${show(column.name)}`
        found.missing = rows
      }
      survey(found, piece, column, rows)
    }
    const target = columnNamed(piece, wanted)
    if (target !== undefined) {
      const there = Int32Array.from({ length: piece.rows }, (_, row) => row).filter((row) => !isMissing(target, row))
      if (target.kind === "text") areClasses = true
      else areClasses &&= addsClasses(different, target.values, there)
      order.add(target, there)
    }
    rows += piece.rows
    last = piece
  }
  if (last === undefined) throw dataError({ where: WHERE, what: "there are no rows.", expected: "a row at least" })
  const table = last
  const target = targetOf(WHERE, table, options)
  const chosen = featuresOf(table, target, options, ({ name }) => {
    const { kind, texts, present, counts } = facts.get(name)!
    const lookup = lookups.includes(name)
    if (texts.size > mostLevels) return lookup ? undefined : `has more than ${mostLevels} different texts`
    const found: ColumnFacts = {
      texts: kind === "text" ? texts.size : undefined,
      isEmpty: present === 0,
      counts: counts && present === rows,
    }
    return uselessness(found, rows, lookup)
  })
  const present = facts.get(target.name)!.present
  const guessed = target.kind === "text" || (areClasses && taskOfNumbers(different.size, present) === "classification")
  const task = options.task ?? (guessed ? "classification" : "regression")
  return { rows, table, target, task, chosen, facts, sorted: order.warnings(target.name, task) }
}

function survey(found: Found, piece: Table, column: Column, before: number): void {
  const { rows } = piece
  if (column.kind === "text") {
    found.kind = "text"
    const seen = new Set<number>()
    for (let row = 0; row < rows; row++) {
      const code = column.codes[row]!
      if (code >= 0) {
        found.present++
        seen.add(code)
      } else missingAt(found, piece, column, row)
    }
    // One more than there may be is enough to know that they are too many.
    for (const code of seen) if (found.texts.size <= mostLevels) found.texts.add(column.levels[code]!)
    return
  }
  for (let row = 0; row < rows; row++) {
    const value = column.values[row]!
    if (Number.isNaN(value)) missingAt(found, piece, column, row)
    else found.present++
    if (before + row > 0 && value !== found.last + 1) found.counts = false
    found.last = value
  }
}

function missingAt(found: Found, piece: Table, column: Column, row: number): void {
  found.missing++
  found.firstMissing ??= placeOf(piece, column, row)
}

/** Throws E_DATA with the first column that lacks cells, and how many are missing in which. */
function refuseMissing(columns: readonly Found[]): void {
  const some = columns.filter(({ missing }) => missing > 0)
  if (some.length === 0) return
  const counts = some.slice(0, 12).map(({ name, missing }) => `${missing} in ${show(name)}`)
  throw dataError({
    where: some[0]!.firstMissing!,
    what: "the cell is empty.",
    expected: "a value in every cell",
    got: `missing cells: ${counts.join(", ")}`,
    hint: 'Say what becomes of them: missing "mean" (the mean, or the most frequent text) or "drop" (such rows are left out).',
  })
}

/** Whether rows come in the order of their targets: a buffer then mixes neighbours, which are all alike. */
class Order {
  readonly #seen = new Set<string | number>()
  #last: string | number | undefined
  #rows = 0
  #changes = 0
  #falls = 0
  #returns = false

  add(column: Column, rows: Int32Array): void {
    for (const row of rows) {
      const value = column.kind === "text" ? textAt(column, row)! : column.values[row]!
      this.#rows++
      if (value === this.#last) continue
      if (this.#last !== undefined) {
        this.#changes++
        if (value < this.#last) this.#falls++
      }
      this.#last = value
      // A few blocks are classes; what has more is no order of classes.
      if (this.#returns || this.#seen.size > 10_000) continue
      if (this.#seen.has(value)) this.#returns = true
      this.#seen.add(value)
    }
  }

  warnings(target: string, task: Task): Warning[] {
    const inBlocks = task === "classification" ? !this.#returns : this.#falls === 0 || this.#falls === this.#changes
    if (this.#rows < 10 || this.#changes === 0 || !inBlocks) return []
    const message = `The rows are sorted by ${show(target)}: a stream is mixed within its buffer only. Mix the file, or give a larger shuffleBuffer.`
    return [{ kind: "sorted", columns: [target], message }]
  }
}

/** What the training rows say of a column. */
interface Learnt {
  readonly step: "number" | "oneHot" | "index"
  readonly numbers: NumberFacts
  /** The texts of training rows, and all that rows have. */
  readonly texts: Map<string, number>
  readonly levels: Set<string>
}

type Rows = (
  part?: Part,
) => AsyncGenerator<{ readonly table: Table; readonly rows: Int32Array; readonly first: number }>

/** The second pass, and a third one for standardizing: what is learnt from the training rows. */
async function learn(
  pieces: Rows,
  { target, task, chosen, facts }: Survey,
  { scaling = "standardize", missing = "error", scaleTarget = true, categorical = [], lookups = [] }: PrepareOptions,
  draw: (row: number) => Part,
): Promise<{
  readonly features: readonly FeatureStep[]
  readonly target: TargetStep
  readonly rows: { readonly [part in Part]: number }
  readonly classes: { readonly [part in Part]: ReadonlyMap<string, number> }
  readonly constant: readonly string[]
}> {
  const stepOf = ({ name }: Column): Learnt["step"] => {
    if (lookups.includes(name)) return "index"
    return facts.get(name)!.kind === "number" && !categorical.includes(name) ? "number" : "oneHot"
  }
  const columns = new Map(
    chosen.columns.map((column): [string, Learnt] => {
      return [column.name, { step: stepOf(column), numbers: new NumberFacts(), texts: new Map(), levels: new Set() }]
    }),
  )
  const targets = new NumberFacts()
  const classes = {
    train: new Map<string, number>(),
    validation: new Map<string, number>(),
    test: new Map<string, number>(),
  }
  const count = { train: 0, validation: 0, test: 0 }
  let last: Table | undefined
  if (task === "regression" && facts.get(target.name)!.kind === "text")
    throw textTarget(await firstOf(pieces), target.name)
  for await (const { table, rows, first } of pieces()) {
    last = table
    const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] }
    for (const row of rows) parts[draw(first + row)].push(row)
    const train = Int32Array.from(parts.train)
    const column = columnNamed(table, target.name)!
    for (const part of ["train", "validation", "test"] as const) {
      count[part] += parts[part].length
      if (task === "classification") countTexts(classes[part], column, Int32Array.from(parts[part]))
    }
    if (task === "regression") targets.add(numbersOf(table, column), train)
    for (const [name, { step, numbers, texts, levels }] of columns) {
      const from = columnNamed(table, name)!
      if (step === "number") numbers.add(numbersOf(table, from), train)
      else {
        countTexts(texts, from, train)
        // Which texts there are is no secret of the other rows: without those a one-hot row could not stand for them.
        if (step === "oneHot") for (const row of rows) if (!isMissing(from, row)) levels.add(textAt(from, row)!)
      }
    }
  }
  if (scaling === "standardize" || (task === "regression" && scaleTarget)) {
    for await (const { table, rows } of pieces("train")) {
      if (task === "regression") targets.addAgain(numbersOf(table, columnNamed(table, target.name)!), rows)
      for (const [name, { step, numbers }] of columns) {
        if (step === "number") numbers.addAgain(numbersOf(table, columnNamed(table, name)!), rows)
      }
    }
  }
  const features = [...columns].map(([column, { step, numbers, texts, levels }]): FeatureStep => {
    if (step === "number") {
      const { mean, shift, divisor } = numbers.scale(scaling)
      return { column, kind: "number", shift, divisor, missing: missing === "mean" ? mean : null }
    }
    const known = sortedTexts(step === "index" ? texts.keys() : levels)
    return { column, kind: step, levels: known, missing: missing === "mean" ? commonest(texts) : null }
  })
  const names = new Set(Object.values(classes).flatMap((counts) => [...counts.keys()]))
  const { shift, divisor } = targets.scale(scaleTarget ? "standardize" : "none")
  return {
    features,
    target:
      task === "classification"
        ? classesStep(last!, target.name, sortedTexts(names))
        : { column: target.name, kind: "number", shift, divisor },
    rows: count,
    classes,
    constant: [...columns]
      .filter(([name, { step, numbers, texts }]) => {
        const some = facts.get(name)!.missing > 0
        return !some && count.train > 1 && (step === "number" ? numbers.least === numbers.most : texts.size === 1)
      })
      .map(([name]) => name),
  }
}

async function firstOf(pieces: Rows): Promise<Table> {
  for await (const { table } of pieces()) return table
  throw dataError({ where: WHERE, what: "there are no rows." })
}
