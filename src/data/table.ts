// Tables: columns of numbers or of text with a name each, and the builder that readers fill cell by cell.
// Knows no file format.

import { dataError, printable, show, type TrilobiteError } from "../core/errors.ts"

/** A column of numbers; NaN stands for a missing one. */
export interface NumberColumn {
  readonly name: string
  readonly kind: "number"
  readonly values: Float64Array
}

/** A column of texts: the place of each in the list of those that occur, −1 for a missing one. */
export interface TextColumn {
  readonly name: string
  readonly kind: "text"
  readonly codes: Int32Array
  readonly levels: readonly string[]
}

/** A column of a table. */
export type Column = NumberColumn | TextColumn

/** Rows with named columns. */
export interface Table {
  /** Where it comes from, for messages. */
  readonly source: string
  readonly rows: number
  readonly columns: readonly Column[]
  /** The line of the source in which each row begins, if it has lines. */
  readonly lines?: Int32Array
}

/** How the cells of a table are understood. */
export interface CellOptions {
  /** What certain columns hold, by name; without it a column holds numbers if its cells are numbers. */
  readonly kinds?: { readonly [column: string]: "number" | "text" }
  /** The texts that stand for a missing cell (default "", NA, N/A, null, ?). */
  readonly missingValues?: readonly string[]
}

/** The limits of a table: columns, rows, the bytes of one line of text, and the texts that a column keeps for the next piece. */
export const tableLimits: {
  readonly columns: number
  readonly rows: number
  readonly line: number
  readonly levels: number
} = {
  levels: 65_536,
  columns: 100_000,
  rows: 2_147_483_647,
  line: 1_048_576,
}

/** What stands for a missing cell unless told otherwise. */
export const missingMarks: readonly string[] = ["", "NA", "N/A", "null", "?"]

/** Where a cell is, for a message: `data.csv:12, column 3 "age"`. */
export function placeOfCell(source: string, line: number | undefined, index: number, name: string): string {
  const from = line === undefined ? source : `${source}:${line}`
  return `${from}, column ${index + 1} ${show(name)}`
}

/** The column of this name. Throws E_CONFIG with the names that there are. */
export function columnNamed(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name)
}

/** The text of a cell as it may be shown or compared; undefined if it is missing. */
export function textAt(column: Column, row: number): string | undefined {
  if (column.kind === "text") return column.levels[column.codes[row]!]
  const value = column.values[row]!
  return Number.isNaN(value) ? undefined : String(value)
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** The number that a text is; NaN if it is none. */
export function numberIn(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN
}

/** One column while it is being read. */
export class ColumnBuilder {
  readonly name: string
  readonly index: number
  /** What it holds: undefined as long as all cells are missing. */
  kind: "number" | "text" | undefined
  readonly declared: boolean
  values: Float64Array = new Float64Array(0)
  codes: Int32Array = new Int32Array(0)
  levels: string[] = []
  readonly #codeOf: Map<string, number> = new Map()
  /** Of every text whether it is a number. */
  #isNumber: boolean[] = []
  /** Cells so far. */
  n = 0
  /** Of a column of texts: the cells that are numbers, those that are there, and the first one that is no number. */
  numbers = 0
  present = 0
  firstText: { readonly text: string; readonly line: number | undefined } | undefined

  constructor(name: string, index: number, kind: "number" | "text" | undefined) {
    this.name = name
    this.index = index
    this.kind = kind
    this.declared = kind !== undefined
  }

  /** Adds a number to a column that may hold some. */
  number(value: number): void {
    this.kind ??= "number"
    if (this.n === this.values.length) this.values = grown(this.values, new Float64Array(this.n * 2 + 64))
    this.values[this.n++] = value
  }

  /** The memory of a column of numbers, with room for so many. */
  reserve(room: number): Float64Array {
    if (this.values.length < room) this.values = grown(this.values, new Float64Array(room))
    return this.values
  }

  /** Adds a text to a column that may hold some. */
  text(text: string, line: number | undefined): void {
    if (this.kind === undefined) this.#becomeText()
    let code = this.#codeOf.get(text)
    if (code === undefined) {
      code = this.levels.length
      this.levels.push(text)
      this.#codeOf.set(text, code)
      const isNumber = !Number.isNaN(numberIn(text))
      this.#isNumber.push(isNumber)
      if (!isNumber) this.firstText ??= { text, line }
    }
    this.again(code)
  }

  /** Adds a text that the column has had before, by its code. */
  again(code: number): void {
    this.present++
    if (this.#isNumber[code]) this.numbers++
    this.#code(code)
  }

  /** Adds a missing cell. */
  missing(): void {
    const { kind } = this
    if (kind === "text") this.#code(-1)
    else this.number(Number.NaN)
    this.kind = kind
  }

  #becomeText(): void {
    this.kind = "text"
    this.codes = new Int32Array(Math.max(64, this.n)).fill(-1, 0, this.n)
    this.values = new Float64Array(0)
  }

  #code(code: number): void {
    if (this.n === this.codes.length) this.codes = grown(this.codes, new Int32Array(this.n * 2 + 64))
    this.codes[this.n++] = code
  }

  /** The cells so far as a column; the next one begins anew with the same kind, and with the same texts unless they are many. */
  take(): Column {
    const { name, n } = this
    this.n = 0
    if (this.kind === "text") {
      const { levels } = this
      if (levels.length > tableLimits.levels) {
        this.levels = []
        this.#isNumber = []
        this.#codeOf.clear()
      }
      return { name, kind: "text", codes: this.codes.slice(0, n), levels }
    }
    // Memory that is all but full is given away, and the next column begins with its own.
    const isFull = n * 16 > this.values.length * 15
    const values = isFull ? this.values.subarray(0, n) : this.values.slice(0, n)
    if (isFull) this.values = new Float64Array(0)
    return { name, kind: "number", values }
  }
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** What readers fill: rows of cells, checked as they come. */
export class TableBuilder {
  readonly source: string
  readonly columns: ColumnBuilder[] = []
  readonly #byName: Map<string, ColumnBuilder> = new Map()
  readonly #kinds: Map<string, "number" | "text">
  readonly #missing: ReadonlySet<string>
  readonly #longest: number
  #lines: Int32Array = new Int32Array(0)
  #hasLines = false
  /** Finished rows that have not been taken. */
  rows = 0
  /** All finished rows. */
  total = 0
  /** The bytes of the source if all of its rows are taken at once; 0 otherwise. */
  bytes = 0
  /** How many rows the columns will hold, as far as their reader can tell. */
  expected = 0

  constructor(source: string, options: CellOptions = {}) {
    this.source = source
    this.#kinds = new Map(Object.entries(options.kinds ?? {}))
    this.#missing = new Set(options.missingValues ?? missingMarks)
    this.#longest = Math.max(...[...this.#missing].map((mark) => mark.length), 0)
    for (const [name, kind] of this.#kinds) {
      if (kind === "number" || kind === "text") continue
      throw dataError({
        where: `kinds.${name}`,
        what: "there is no such kind.",
        expected: '"number" or "text"',
        got: show(kind),
      })
    }
  }

  /** Begins with these columns. Throws E_DATA for names that are there twice, and too many. */
  begin(names: readonly string[], line?: number): void {
    if (names.length > tableLimits.columns) throw this.#tooWide(names.length, line)
    for (const name of names) {
      const first = this.#byName.get(name)
      if (first === undefined) this.#add(name, line)
      else {
        throw dataError({
          where: placeOfCell(this.source, line, this.columns.length, name),
          what: "two columns have the same name.",
          got: `${show(name)} as column ${first.index + 1} too`,
          hint: "Rename one of them.",
        })
      }
    }
    this.#checkKinds()
  }

  #add(name: string, line: number | undefined): ColumnBuilder {
    const index = this.columns.length
    if (index === tableLimits.columns) throw this.#tooWide(index + 1, line)
    if (name === "__proto__") {
      const hint = "Rename the column."
      throw dataError({
        where: placeOfCell(this.source, line, index, name),
        what: "a column cannot have this name.",
        hint,
      })
    }
    const column = new ColumnBuilder(name, index, this.#kinds.get(name))
    for (let i = 0; i < this.rows; i++) column.missing()
    this.columns.push(column)
    this.#byName.set(name, column)
    return column
  }

  #tooWide(columns: number, line: number | undefined): TrilobiteError {
    const where = line === undefined ? this.source : `${this.source}:${line}`
    const fields = {
      expected: `at most ${tableLimits.columns}`,
      got: `${columns}`,
      hint: "Is this the right delimiter?",
    }
    return dataError({ where, what: "too many columns.", ...fields })
  }

  #checkKinds(): void {
    for (const name of this.#kinds.keys()) {
      if (this.#byName.has(name)) continue
      const expected = `one of ${this.columns
        .slice(0, 30)
        .map((column) => column.name)
        .join(", ")}`
      throw dataError({
        where: this.source,
        what: `there is no column ${show(name)}.`,
        expected,
        hint: "Check its name.",
      })
    }
  }

  /** The column of this name, made if it is new: rows so far lack it. */
  column(name: string, line: number | undefined): ColumnBuilder {
    return this.#byName.get(name) ?? this.#add(name, line)
  }

  /** True if this text stands for a missing cell. */
  isMissing(text: string): boolean {
    return text.length <= this.#longest && this.#missing.has(text)
  }

  /** Adds what stands in a cell. */
  cell(column: ColumnBuilder, given: string, line: number | undefined): void {
    const text = given.trim()
    if (this.isMissing(text)) column.missing()
    else if (column.kind === "text") column.text(text, line)
    else {
      const value = numberIn(text)
      if (!Number.isNaN(value)) this.number(column, value, text, line)
      else if (column.kind === undefined) column.text(text, line)
      else throw this.notNumber(column, text, line)
    }
  }

  /** Adds a number, which must be finite. */
  number(column: ColumnBuilder, value: number, text: string, line: number | undefined): void {
    if (column.kind === "text") column.text(text, line)
    else if (Number.isFinite(value)) column.number(value)
    else {
      const where = placeOfCell(this.source, line, column.index, column.name)
      throw dataError({
        where,
        what: "this number is too large.",
        expected: "numbers up to 1.8e308",
        got: show(text),
        hint: "Correct it.",
      })
    }
  }

  /** The error for a text in a column of numbers. */
  notNumber(column: ColumnBuilder, text: string, line: number | undefined): TrilobiteError {
    const where = placeOfCell(this.source, line, column.index, column.name)
    return dataError({
      where,
      what: "this is not a number.",
      expected: "a number, as in the other rows",
      got: show(text),
      hint: adviceFor(text, column),
    })
  }

  /** Ends a row that begins in a line; every column must have a cell more. */
  endRow(line?: number): void {
    if (line !== undefined) {
      if (this.rows >= this.#lines.length) this.#lines = grown(this.#lines, new Int32Array(this.rows * 2 + 64))
      this.#lines[this.rows] = line
      this.#hasLines = true
    }
    this.rows++
    this.total++
    if (this.total > tableLimits.rows) {
      throw dataError({ where: this.source, what: "too many rows.", expected: `at most ${tableLimits.rows}` })
    }
  }

  /** The memory of the columns, all of numbers, with room for a row more at least. */
  numbers(): Float64Array[] {
    const most = this.columns.reduce((room, { values }) => Math.min(room, values.length), Number.POSITIVE_INFINITY)
    const room = most > this.rows ? most : Math.max(this.expected, this.rows * 2 + 64)
    return this.columns.map((column) => column.reserve(room))
  }

  /** Ends rows in lines that follow each other, whose numbers have been written into the columns. */
  endRows(rows: number, firstLine: number): void {
    for (const column of this.columns) column.n += rows
    for (let i = 0; i < rows; i++) this.endRow(firstLine + i)
  }

  /** Gives every column that has no cell in this row a missing one. */
  fillRow(): void {
    for (const column of this.columns) if (column.n === this.rows) column.missing()
  }

  /** The rows since the last call as a table. Throws E_DATA for a column of numbers with a few texts among them. */
  take(): Table {
    for (const column of this.columns) this.#checkMixed(column)
    const lines = this.#hasLines ? { lines: this.#lines.slice(0, this.rows) } : {}
    const table = { source: this.source, rows: this.rows, columns: this.columns.map((c) => c.take()), ...lines }
    this.rows = 0
    return table
  }

  /** All rows as a table. Throws E_DATA if there are none. */
  finish(): Table {
    const table = this.take()
    if (table.rows > 0) return table
    const hint = "Is this the right file?"
    const what = this.columns.length > 0 ? "there is a line of names and no row." : "there are no rows."
    throw dataError({ where: this.source, what, expected: "a row at least", hint })
  }

  #checkMixed(column: ColumnBuilder): void {
    const { kind, declared, firstText, numbers, present } = column
    if (kind !== "text" || declared || firstText === undefined || numbers * 2 <= present) return
    throw this.notNumber(column, firstText.text, firstText.line)
  }
}

/** What may have been meant by a text among numbers. */
function adviceFor(text: string, column: ColumnBuilder): string {
  if (/^[+-]?\d+,\d+$/.test(text)) return `The decimal mark is a point: ${text.replace(",", ".")}.`
  if (/^[+-]?(nan|inf|infinity)$/i.test(text)) {
    return `If it stands for a missing value, name it among missingValues: ${printable(text)}.`
  }
  if (/^[+-]?\d{1,3}([_' ]\d{3})+$/.test(text)) return "Write the number without separators."
  if (/^0x/i.test(text)) return "Write the number in decimal digits."
  return column.declared
    ? "Correct it, or declare the column as text."
    : `Correct it, name it among missingValues, or declare the column ${show(column.name)} as text.`
}

/** Rows in memory: records, rows of cells with their names, or columns by name. */
export type TableLike =
  | readonly { readonly [column: string]: Cell }[]
  | { readonly [column: string]: readonly Cell[] | Float64Array | Float32Array | Int32Array | Uint8Array }

/** A cell in memory; null and undefined are missing. */
export type Cell = number | string | boolean | null | undefined

/**
 * A table of rows in memory: a list of records, or an object of columns. Numbers make columns of numbers, texts and booleans
 * columns of text; null, undefined and NaN are missing.
 * @throws E_DATA for cells of another kind, for columns of unequal length, and for texts among numbers.
 * @example
 * ```ts
 * import { tableFrom } from "trilobite/datasets"
 * const table = tableFrom([{ size: 1.5, kind: "a" }, { size: null, kind: "b" }])
 * table.rows // => 2
 * table.columns.map(({ kind }) => kind) // => ["number", "text"]
 * ```
 */
export function tableFrom(data: TableLike, options: CellOptions = {}): Table {
  const source = "table"
  const builder = new TableBuilder(source, options)
  if (Array.isArray(data)) {
    data.forEach((record: { readonly [column: string]: Cell }, row) => {
      addRecord(builder, Object.entries(record), `${source}[${row}]`, undefined)
    })
    return builder.finish()
  }
  if (typeof data !== "object" || data === null) {
    throw dataError({ where: source, what: "this is no table.", expected: "records or columns", got: show(data) })
  }
  const columns = Object.entries(data)
  builder.begin(columns.map(([name]) => name))
  const rows = columns[0]?.[1].length ?? 0
  for (const [name, cells] of columns) {
    if (cells.length === rows) continue
    const fields = { expected: `${rows} cells, as in ${show(columns[0]![0])}`, got: `${cells.length}` }
    throw dataError({ where: `${source}.${name}`, what: "the columns are not equally long.", ...fields })
  }
  for (let row = 0; row < rows; row++) {
    columns.forEach(([name, cells], i) => {
      addCell(builder, builder.columns[i]!, cells[row], `${source}.${name}[${row}]`, undefined)
    })
    builder.endRow()
  }
  return builder.finish()
}

/** Adds a record as a row. Throws E_DATA for cells that are no cells. */
export function addRecord(
  builder: TableBuilder,
  record: readonly (readonly [string, unknown])[],
  where: string,
  line: number | undefined,
): void {
  for (const [name, value] of record) addCell(builder, builder.column(name, line), value, `${where}.${name}`, line)
  builder.fillRow()
  builder.endRow(line)
}

/** Adds a value of a program as a cell. Throws E_DATA if it is none. */
export function addCell(
  builder: TableBuilder,
  column: ColumnBuilder,
  value: unknown,
  where: string,
  line: number | undefined,
): void {
  if (value === null || value === undefined || Number.isNaN(value)) column.missing()
  else if (typeof value === "number") builder.number(column, value, String(value), line)
  else if (typeof value === "string" && builder.isMissing(value.trim())) column.missing()
  else if (typeof value === "string" || typeof value === "boolean") {
    if (column.kind === "number") throw builder.notNumber(column, String(value), line)
    column.text(String(value), line)
  } else {
    const hint = "A cell is one value: flatten what is nested."
    throw dataError({
      where,
      what: "this is no cell.",
      expected: "a number, a text, true, false or null",
      got: show(value),
      hint,
    })
  }
}
