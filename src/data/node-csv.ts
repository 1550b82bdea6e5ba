// CSV and TSV files as tables (Node only): plain lines by csv.ts, blocks with quotation marks by Papa Parse.

import Papa from "papaparse"
import { checkKeys, dataError, show } from "../core/errors.ts"
import { recognise } from "../core/sniff.ts"
import { addLines, newlineOf, RecentCells, ragged } from "./csv.ts"
import { checkText } from "./node-pieces.ts"
import { type CellOptions, type Table, TableBuilder, tableLimits } from "./table.ts"

/** How a text of cells is understood. */
export interface CsvOptions extends CellOptions {
  /** What stands between cells: one character (default: found out; a tab for .tsv). */
  readonly delimiter?: string
  /** Whether the first line holds the names of the columns (default: it does unless one of its cells is a number). */
  readonly header?: boolean
}

const QUOTE = 34

/** Reads pieces of text into the table; a step for each block. */
export async function* readCsv(
  builder: TableBuilder,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<void> {
  const source = builder.source
  let carry: Buffer = Buffer.alloc(0)
  let offset = 0
  let line = 1
  let layout: Layout | undefined
  const recent = new RecentCells()
  const take = (block: Buffer, last: boolean): void => {
    checkText(source, block, offset)
    let from = 0
    if (layout === undefined) {
      layout = begin(builder, block, options)
      ;({ from, line } = layout)
    }
    const rest = block.subarray(from)
    const read = rest.includes(QUOTE)
      ? quoted(builder, rest, layout, line, last)
      : plain(builder, rest, layout, line, recent)
    line = read.line
    carry = Buffer.concat([rest.subarray(read.used), carry])
    offset += from + read.used
  }
  for await (const piece of pieces) {
    let rest: Buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    if (carry.length > 0 && layout !== undefined && !carry.includes(QUOTE)) {
      // The line that was begun is put together by itself: the rest of the piece needs no copy.
      const first = rest.indexOf(layout.newline) + 1
      if (first > 0) {
        const block = Buffer.concat([carry, rest.subarray(0, first)])
        carry = Buffer.alloc(0)
        rest = rest.subarray(first)
        take(block, false)
      }
    }
    if (carry.length > 0) rest = Buffer.concat([carry, rest])
    const end = rest.lastIndexOf(layout?.newline ?? newlineOf(rest)) + 1
    // A piece is only there until the next one comes.
    carry = Buffer.from(rest.subarray(end))
    if (end > 0) take(rest.subarray(0, end), false)
    if (carry.length > tableLimits.line) throw tooLong(source, line, recognise(carry))
    if (offset > 0) builder.expected = Math.ceil((builder.rows / offset) * builder.bytes * 1.02)
    yield
  }
  if (carry.length > 0) {
    // The last line ends as the others do.
    const block = Buffer.concat([carry, Buffer.of(layout?.newline ?? newlineOf(carry))])
    carry = Buffer.alloc(0)
    take(block, true)
  }
  if (layout === undefined) {
    throw dataError({ where: source, what: "the file is empty.", hint: "Was its download or copy cut short?" })
  }
  yield
}

/** A table from text as it is pasted: lines of cells. Throws E_DATA, E_CONFIG as `readTable` does. */
export async function tableFromText(text: string, options: CsvOptions = {}): Promise<Table> {
  checkCsvOptions("tableFromText", options)
  const builder = new TableBuilder("text", options)
  for await (const _ of readCsv(builder, [Buffer.from(text)], options));
  return builder.finish()
}

/** Throws E_CONFIG for options that are none. */
export function checkCsvOptions(where: string, options: CsvOptions): void {
  checkKeys(where, options, ["kinds", "missingValues", "delimiter", "header"])
  const { delimiter } = options
  const isSign = (text: unknown): boolean =>
    typeof text === "string" && /^[\t -~]$/.test(text) && !/["\w.+-]/.test(text)
  if (delimiter === undefined || isSign(delimiter)) return
  throw dataError({
    where: `${where}.delimiter`,
    what: "this cannot stand between cells.",
    expected: 'one character, such as ";"',
    got: show(delimiter),
  })
}

function tooLong(source: string, line: number, hint = "Is this a table of text?"): Error {
  const where = `${source}:${line}`
  return dataError({ where, what: "the line is too long.", expected: `at most ${tableLimits.line} bytes`, hint })
}

interface Layout {
  readonly delimiter: string
  readonly newline: number
  /** Bytes before the first row, and its line. */
  readonly from: number
  readonly line: number
}

/** Finds out how the text is laid out, and begins the table with the names of its columns. */
function begin(builder: TableBuilder, block: Buffer, options: CsvOptions): Layout {
  const { source } = builder
  const known = recognise(block)
  if (known !== undefined) throw dataError({ where: source, what: "this is not a table of text.", hint: known })
  const mark = block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf ? 3 : 0
  const newline = newlineOf(block)
  let skipped = mark
  let line = 1
  // Empty lines before the first one that is not.
  for (; block[skipped] === newline || (block[skipped] === 13 && block[skipped + 1] === newline); line++) {
    skipped += block[skipped] === newline ? 1 : 2
  }
  const head = block.subarray(skipped, skipped + 2 * tableLimits.line)
  const sample = textOf(head, newline)
  const delimiter = options.delimiter ?? guessDelimiter(sample.slice(0, 65_536), newline)
  let first: string[] | undefined
  let cursor = 0
  parseQuoted(sample, delimiter, newline, (row, after, error) => {
    if (error !== undefined) throw badQuotes(source, line, error)
    first = row
    cursor = after
    return false
  })
  if (first === undefined)
    throw dataError({ where: source, what: "there are no rows.", hint: "Is this the right file?" })
  const cells = first.map((cell) => cell.trim())
  const header = options.header ?? !cells.some((cell) => cell !== "" && Number.isFinite(Number(cell)))
  if (!header) {
    builder.begin(cells.map((_, i) => `column${i + 1}`))
    return { delimiter, newline, from: skipped, line }
  }
  // The index that pandas and R write has no name.
  builder.begin(
    cells.map((cell, i) => (cell === "" ? `column${i + 1}` : cell)),
    line,
  )
  const lines = linesIn(sample, newline, 0, cursor)
  // The only line may have no end.
  const from = lines === 0 ? block.length : skipped + bytesOfLines(head, newline, lines)
  return { delimiter, newline, from, line: line + lines }
}

/** The delimiter of a text: a single column has none, a comma will do. */
function guessDelimiter(sample: string, newline: number): string {
  const lines = sample.split(String.fromCharCode(newline)).slice(0, 20)
  const text = lines.slice(0, Math.max(1, lines.length - 1)).join(String.fromCharCode(newline))
  return (
    Papa.parse(text, { preview: 20, delimitersToGuess: [",", "\t", ";", "|"], newline: newlineText(newline) }).meta
      .delimiter || ","
  )
}

const newlineText = (newline: number): "\n" | "\r" => (newline === 10 ? "\n" : "\r")

/** How often the end of a line occurs in a part of a text. */
function linesIn(text: string, newline: number, from: number, to: number): number {
  const mark = newlineText(newline)
  let n = 0
  for (let at = text.indexOf(mark, from); at >= 0 && at < to; at = text.indexOf(mark, at + 1)) n++
  return n
}

/** The bytes that the first so many lines take. */
function bytesOfLines(block: Buffer, newline: number, lines: number): number {
  let at = 0
  for (let i = 0; i < lines; i++) at = block.indexOf(newline, at) + 1
  return at
}

/** Bytes as text in which lines end with one sign. */
function textOf(block: Buffer, newline: number): string {
  const text = block.toString("utf8")
  return newline === 10 ? text.replaceAll("\r\n", "\n") : text
}

/** Rows of text with quotation marks, one after another, with the place after each; `each` answers false to stop. */
function parseQuoted(
  text: string,
  delimiter: string,
  newline: number,
  each: (row: string[], after: number, error: string | undefined) => boolean,
): void {
  Papa.parse<string[]>(text, {
    delimiter,
    newline: newlineText(newline),
    skipEmptyLines: false,
    step: ({ data, errors, meta }, parser) => {
      const error = errors.find(({ type }) => type === "Quotes")
      if (!each(data, meta.cursor, error?.code)) parser.abort()
    },
  })
}

interface Progress {
  /** The line after what was read, and the bytes of it. */
  readonly line: number
  readonly used: number
}

function plain(
  builder: TableBuilder,
  block: Buffer,
  { delimiter, newline }: Layout,
  first: number,
  recent: RecentCells,
): Progress {
  const decode = (_: Uint8Array, start: number, end: number): string => block.toString("utf8", start, end)
  const line = addLines(builder, block, delimiter.charCodeAt(0), first, newline, decode, recent)
  return { line, used: block.length }
}

function quoted(
  builder: TableBuilder,
  block: Buffer,
  { delimiter, newline }: Layout,
  first: number,
  last: boolean,
): Progress {
  const text = textOf(block, newline)
  const { columns, source } = builder
  let line = first
  let cursor = 0
  let open = false
  parseQuoted(text, delimiter, newline, (row, after, error) => {
    if (error === "MissingQuotes" && !last) {
      open = true
      return false
    }
    if (error !== undefined) throw badQuotes(source, line, error)
    if (row.length > 1 || row[0] !== "") {
      if (row.length !== columns.length) throw ragged(builder, line, columns.length, row.length)
      for (let k = 0; k < row.length; k++) builder.cell(columns[k]!, row[k]!, line)
      builder.endRow(line)
    }
    line += linesIn(text, newline, cursor, after)
    cursor = after
    return true
  })
  const used = open ? bytesOfLines(block, newline, line - first) : block.length
  if (open && block.length - used > tableLimits.line) throw badQuotes(source, line, "MissingQuotes")
  return { line, used }
}

function badQuotes(source: string, line: number, code: string): Error {
  const missing = code === "MissingQuotes"
  return dataError({
    where: `${source}:${line}`,
    what: missing ? "a quotation mark is never closed." : "there is text after a closing quotation mark.",
    expected: 'a cell such as "a, b"',
    hint: 'A quotation mark within a cell is written twice: "".',
  })
}
