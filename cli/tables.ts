// Tables on the command line: where they come from, and what is said about them. Knows no training.

import {
  asTrainingData,
  type CsvOptions,
  dataSet,
  dataSetNames,
  type FeatureStep,
  mnist,
  type Prepared,
  readTable,
  type SetName,
  type Table,
  tablePieces,
} from "../src/datasets.ts"
import { type Tensor, TrilobiteError, tensor } from "../src/index.ts"
import { digits, shortened } from "./scores.ts"

/** A table with the target that it is known for, if it is a data set of the package. */
export type Source = Table & { readonly target?: string }

/** True for the name of a data set of the package. */
export function isSetName(name: string): name is SetName {
  return (dataSetNames as readonly string[]).includes(name)
}

/** True for MNIST, whose rows are images and are divided already. */
export function isImageSet(name: string): boolean {
  return name === "mnist"
}

/** True for what is no file. */
export function isPackaged(name: string): boolean {
  return isSetName(name) || isImageSet(name)
}

/** MNIST as rows of 784 pixels: the 60,000 train, the 10,000 validate, as for the networks of the chapter. */
export async function digitRows(): Promise<{ readonly table: Source; readonly data: Prepared }> {
  const { xTrain, yTrain, xValid, yValid } = asTrainingData(await mnist(), { oneHot: false })
  const classes = Array.from({ length: 10 }, (_, digit) => String(digit))
  const examples = (x: Tensor, y: Tensor): Prepared["train"] => ({
    x,
    y: tensor(Int32Array.from(y.data)),
    lookups: {},
  })
  const [train, validation] = [examples(xTrain, yTrain), examples(xValid, yValid)]
  const [n, m] = [yTrain.data.length, yValid.data.length]
  const codes = new Int32Array(n + m)
  codes.set(train.y.data as Int32Array)
  codes.set(validation.y.data as Int32Array, n)
  const pixels = Array.from({ length: xTrain.shape[1]! }, (_, i) => `pixel${i}`)
  const step = { kind: "number", shift: 0, divisor: 255, missing: null } as const
  const data: Prepared = {
    task: "classification",
    preparation: {
      version: 1,
      features: pixels.map((column) => ({ column, ...step })),
      target: { column: "digit", kind: "classes", classes },
    },
    features: pixels,
    classes,
    train,
    validation,
    test: {
      x: { ...xValid, shape: [0, pixels.length], data: xValid.data.subarray(0, 0) },
      y: { ...validation.y, shape: [0], data: new Int32Array(0) },
      lookups: {},
    },
    rows: {
      train: Int32Array.from({ length: n }, (_, i) => i),
      validation: Int32Array.from({ length: m }, (_, i) => n + i),
      test: new Int32Array(0),
    },
    classWeights: Object.fromEntries(
      classes.map((_, i) => [i, n / (10 * codes.subarray(0, n).filter((code) => code === i).length)]),
    ),
    warnings: [],
  }
  const table = {
    source: "mnist",
    rows: n + m,
    columns: [{ name: "digit", kind: "text" as const, codes, levels: classes }],
  }
  return { table: { ...table, target: "digit" }, data }
}

/** The names of the data sets of the package. */
export function setNames(): string {
  return dataSetNames.join(", ")
}

/** The table of a file or of a data set's name. Throws what `readTable` throws. */
export async function openTable(data: string, options: CsvOptions = {}): Promise<Source> {
  return isSetName(data) ? dataSet(data) : readTable(data, options)
}

/** The same in pieces, for files larger than memory. */
export async function* openPieces(data: string, options: CsvOptions = {}): AsyncGenerator<Source> {
  if (isSetName(data)) yield await dataSet(data)
  else yield* tablePieces(data, options)
}

/** What the command line's words are for the library's: errors name our flags. */
export async function inFlags<T>(action: () => T | Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof TrilobiteError) || error.hint === undefined) throw error
    const { code, what, where, expected, got } = error
    const hint = error.hint
      .replace(/missing "mean"( \(.*?\))? or "drop"/, "--missing mean$1 or --missing drop")
      .replace(/missing "(\w+)"/g, "--missing $1")
      .replace(/task "(\w+)"/, "--task $1")
      .replace(/,? name it among missingValues(: \S+)?,?/, "")
      .replace(/declare the column "?(.*?)"? as text/, "name its column: --categorical $1")
    const fields = Object.entries({ what, where, expected, got, hint }).filter(([, value]) => value !== undefined)
    throw new TrilobiteError(code, Object.fromEntries(fields) as unknown as { what: string }, { cause: error })
  }
}

/** The most columns that are listed. */
const LISTED = 24

/** What a table holds, for a reader: a line for each column, with what becomes of it. */
export function tableText(table: Table, prepared?: Prepared): string {
  const { source, rows, columns } = table
  const steps = new Map(prepared?.preparation.features.map((step) => [step.column, step]))
  const target = prepared?.preparation.target.column
  const width = Math.min(24, Math.max(...columns.map(({ name }) => name.length)))
  const lines = columns.slice(0, LISTED).map((column) => {
    const { name } = column
    const used = prepared === undefined ? "" : name === target ? "target" : useOf(steps.get(name))
    const missing = missingIn(column)
    const cells = `${contentOf(column)}${missing === 0 ? "" : `, ${missing} missing`}`
    return `  ${shortened(name, width).padEnd(width)}  ${shortened(cells, 38).padEnd(38)}  ${used}`.trimEnd()
  })
  const rest = columns.length > LISTED ? [`  ... and ${columns.length - LISTED} more columns`] : []
  return [
    `${shortened(source, 50)}: ${count(rows, "row")}, ${count(columns.length, "column")}`,
    ...lines,
    ...rest,
  ].join("\n")
}

function useOf(step: FeatureStep | undefined): string {
  if (step === undefined) return "left out"
  if (step.kind === "number") return step.shift === 0 && step.divisor === 1 ? "as it is" : "scaled"
  return step.kind === "oneHot" ? `one-hot, ${step.levels.length} wide` : "for an embedding"
}

type ColumnOf = Table["columns"][number]

/** How many cells of a column are missing. */
export function missingIn(column: ColumnOf): number {
  let n = 0
  if (column.kind === "text") for (const code of column.codes) n += code < 0 ? 1 : 0
  else for (const value of column.values) n += Number.isNaN(value) ? 1 : 0
  return n
}

function contentOf(column: ColumnOf): string {
  if (column.kind === "text") {
    const { levels } = column
    const some = levels.slice(0, 3).map((level) => shortened(level, 12))
    return `${count(levels.length, "text")}: ${some.join(", ")}${levels.length > 3 ? ", ..." : ""}`
  }
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of column.values) {
    if (value < least) least = value
    if (value > most) most = value
  }
  return least > most ? "empty" : `numbers from ${digits(least)} to ${digits(most)}`
}

/** `1 row`, `344 rows`. */
export function count(n: number, thing: string): string {
  return `${n.toLocaleString("en-US")} ${thing}${n === 1 ? "" : "s"}`
}

/** A line of CSV; texts that a spreadsheet would take for formulas are made harmless. */
export function csvLine(cells: readonly (string | number)[]): string {
  return cells
    .map((cell) => {
      if (typeof cell === "number") return String(cell)
      const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
    })
    .join(",")
}
