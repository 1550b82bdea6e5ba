// Lines of numbers and plain words between delimiters, from bytes into a table: the fast path of CSV, for blocks without
// quotation marks. Knows no files.

import { dataError, type TrilobiteError } from "../core/errors.ts"
import type { ColumnBuilder, TableBuilder } from "./table.ts"

const LF = 10
const CR = 13
const POINT = 46
const SPACE = 32
const TAB = 9

/** How many texts are remembered, and the bytes of the longest. */
const PLACES = 1024
const LONGEST = 32

/** 10^0 to 10^22: the powers of ten that float64 holds exactly. */
const POWERS: Float64Array = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
const EXACT = 9_007_199_254_740_992
/** 2^-50. */
const DOUBT = 8.881784197001252e-16

/** Where the last number ended. */
let stop = 0

/**
 * The decimal number that begins at a place, whatever its form: up to 24 digits and 10^±22 it is worked out here, beyond that the
 * engine reads it; NaN if there is none. `stop` says where it ended.
 */
function decimal(b: Uint8Array, start: number): number {
  let at = start
  let c = b[at]!
  const negative = c === 45
  if (negative || c === 43) c = b[++at]!
  // Fifteen digits fit into 53 bits, and nine more into 32.
  let whole = 0
  let rest = 0
  let digits = 0
  let scale = 0
  for (; c >= 48 && c <= 57; c = b[++at]!, digits++) {
    if (digits < 15) whole = whole * 10 + (c - 48)
    else rest = rest * 10 + (c - 48)
  }
  if (c === POINT) {
    c = b[++at]!
    for (; c >= 48 && c <= 57; c = b[++at]!, digits++, scale++) {
      if (digits < 15) whole = whole * 10 + (c - 48)
      else rest = rest * 10 + (c - 48)
    }
  }
  stop = start
  if (digits === 0) return Number.NaN
  let exponent = 0
  if (c === 101 || c === 69) {
    c = b[++at]!
    const less = c === 45
    if (less || c === 43) c = b[++at]!
    const first = at
    for (; c >= 48 && c <= 57; c = b[++at]!) exponent = Math.min(99_999, exponent * 10 + (c - 48))
    if (at === first) return Number.NaN
    if (less) exponent = -exponent
  }
  stop = at
  const power = exponent - scale
  if (digits <= 24 && power >= -22 && power <= 22) {
    const value = nearest(whole, rest, Math.max(0, digits - 15), power)
    if (value === value) return negative ? -value : value
  }
  return Number(latin(b, start, at))
}

/** The upper half of the bits of a number: products of halves are exact. */
function upperHalf(x: number): number {
  const scaled = x * 134_217_729
  return scaled - (scaled - x)
}

/** What a product lacks to being exact (Dekker, "A floating-point technique for extending the available precision", 1971). */
function productError(a: number, b: number, product: number): number {
  const [high, other] = [upperHalf(a), upperHalf(b)]
  return (a - high) * (b - other) - (product - high * other - (a - high) * other - high * (b - other))
}

/**
 * (high 10^more + rest) 10^power, correctly rounded, for whole numbers up to 2^53 and 10^9: one exact division or product gives the
 * nearest number (Clinger, "How to read floating point numbers accurately", 1990), corrected by what does not fit into 53 bits.
 * NaN if the result is too near to the middle between two: 2^-50 is more than the errors of the correction.
 */
function nearest(high: number, rest: number, more: number, power: number): number {
  const shift = POWERS[more]!
  const shifted = high * shift
  const sum = shifted + rest
  const scale = POWERS[power < 0 ? -power : power]!
  if (sum < EXACT) return power < 0 ? sum / scale : sum * scale
  const left = rest - (sum - shifted) + (shifted < EXACT ? 0 : productError(high, shift, shifted))
  let first: number
  let correction: number
  let size: number
  if (power < 0) {
    first = sum / scale
    const product = first * scale
    correction = (sum - product - productError(first, scale, product) + left) / scale
    size = correction
  } else {
    first = sum * scale
    const more = left * scale
    correction = productError(sum, scale, first) + more
    size = Math.abs(correction) + Math.abs(more)
  }
  const doubt = Math.abs(size) * DOUBT
  const value = first + (correction - doubt)
  return value === first + (correction + doubt) ? value : Number.NaN
}

/** The decimal number that begins at a place, as `decimal` reads it: those that files are full of, faster. */
function number(block: Uint8Array, first: number): number {
  // One for a minus sign: a processor cannot guess a jump where both signs are common.
  const negative = ((block[first]! ^ 45) - 1) >>> 31
  const digits = first + negative
  let at = digits
  let c = block[at]! - 48
  let whole = 0
  for (; c >>> 0 <= 9; c = block[++at]! - 48) whole = (whole * 10 + c) | 0
  let plain = at > digits && at <= digits + 9
  let value = whole
  if (c === POINT - 48) {
    const from = ++at
    const to = at + 9
    let part = 0
    for (c = block[at]! - 48; c >>> 0 <= 9 && at < to; c = block[++at]! - 48) part = (part * 10 + c) | 0
    const power = POWERS[at - from]!
    value = whole * power + part
    if (c >>> 0 <= 9) {
      const end = to + 9
      let rest = 0
      for (; c >>> 0 <= 9 && at < end; c = block[++at]! - 48) rest = (rest * 10 + c) | 0
      const all = value * POWERS[at - to]! + rest
      value = all < EXACT ? all / POWERS[at - from]! : joined(value, rest, at - to)
      plain &&= value === value && c >>> 0 > 9
    } else {
      plain &&= value < EXACT
      value /= power
    }
  }
  // An exponent follows, or there are too many digits.
  if (!plain || c === 53 || c === 21) return decimal(block, first)
  stop = at
  return value * (1 - 2 * negative)
}

/**
 * (high + rest / 10^more) / 10^9 as `nearest` has it, for what files of numbers are full of: 10^9 is 2^9 times a number of 21 bits, so
 * its products with the halves of a quotient are exact, and one division is enough.
 */
function joined(high: number, rest: number, more: number): number {
  if (high >= EXACT) return Number.NaN
  const quotient = high / 1e9
  const upper = upperHalf(quotient)
  const product = quotient * 1e9
  const error = upper * 1e9 - product + (quotient - upper) * 1e9
  const correction = (high - product - error + rest / POWERS[more]!) * 1e-9
  const doubt = (Math.abs(correction) + 1e-9) * DOUBT
  const value = quotient + (correction - doubt)
  return value === quotient + (correction + doubt) ? value : Number.NaN
}

function latin(b: Uint8Array, start: number, end: number): string {
  let text = ""
  for (let i = start; i < end; i++) text += String.fromCharCode(b[i]!)
  return text
}

/** A piece of bytes as text. */
export type Decode = (bytes: Uint8Array, start: number, end: number) => string

/**
 * Adds the lines of a block, which ends with the end of a line and has no quotation marks, to a table; empty lines are no
 * rows. Answers with the number of the line after it.
 * @throws E_DATA for a row with another number of cells, and a text among numbers: with line and column.
 */
export function addLines(
  builder: TableBuilder,
  block: Uint8Array,
  delimiter: number,
  firstLine: number,
  newline: number,
  decode: Decode,
  recent: RecentCells,
): number {
  const { columns } = builder
  const width = columns.length
  const end = block.length
  // Columns that were taken may have forgotten their texts.
  if (builder.rows === 0) recent.forget()
  // An only cell that is empty is an empty line, and spaces between cells are passed over.
  const missing = width > 1 && delimiter !== SPACE && builder.isMissing("")
  let line = firstLine
  let at = 0
  while (at < end) {
    const b = block[at]!
    if (b === newline || (b === CR && block[at + 1] === newline)) {
      at += b === newline ? 1 : 2
      line++
      continue
    }
    if (columns.every(({ kind }) => kind === "number")) {
      const rows = numberRows(block, at, builder.numbers(), builder.rows, delimiter, newline, missing)
      builder.endRows(rows, line)
      line += rows
      at = stop
      if (rows > 0) continue
    }
    let k = 0
    for (;;) {
      if (k === width) throw ragged(builder, line, width, width + 1 + countDelimiters(block, at, newline, delimiter))
      const column = columns[k++]!
      let after = -1
      if (column.kind === "number") {
        const value = number(block, at)
        if (value - value === 0 && isEnd(block, stop, delimiter, newline)) {
          column.number(value)
          after = stop
        }
      } else if (column.kind === "text") after = recent.add(column, block, at, delimiter, newline)
      if (after < 0) {
        after = addCell(builder, column, block, at, delimiter, newline, line, decode)
        if (column.kind === "text") recent.learn(column, block, at, after)
      }
      at = after + 1
      if (block[after] === delimiter) continue
      if (block[after] !== newline) at++
      break
    }
    if (k < width) throw ragged(builder, line, width, k)
    builder.endRow(line++)
  }
  return line
}

/**
 * Reads rows that are numbers and nothing else as long as there are such and the columns have room, and answers with
 * how many they were; `stop` says where the next row begins. `missing` says whether a cell may be empty. Nine digits
 * fit into 32 bits: what has at most so many before the point and twice as many behind it is read here, in up to three
 * parts.
 */
function numberRows(
  block: Uint8Array,
  start: number,
  columns: readonly Float64Array[],
  firstRow: number,
  delimiter: number,
  newline: number,
  missing: boolean,
): number {
  const width = columns.length
  const last = width - 1
  const room = columns[0]!.length
  const { length } = block
  let at = start
  let row = firstRow
  let begin = start
  reading: for (; row < room && at < length; row++) {
    for (let k = 0; k < width; k++) {
      let value = number(block, at)
      const mark = k === last ? newline : delimiter
      if (block[stop] !== mark || value - value !== 0) {
        if (missing && stop === at && block[at] === mark) value = Number.NaN
        else {
          if (k === last && block[stop] === CR && newline === LF) stop++
          if (block[stop] !== mark || value - value !== 0) break reading
        }
      }
      at = stop
      columns[k]![row] = value
      at++
    }
    begin = at
  }
  stop = begin
  return row - firstRow
}

/** Adds the cell that begins at a place, whatever it is; answers with its end. */
function addCell(
  builder: TableBuilder,
  column: ColumnBuilder,
  block: Uint8Array,
  start: number,
  delimiter: number,
  newline: number,
  line: number,
  decode: Decode,
): number {
  let at = start
  while (block[at] === SPACE || (block[at] === TAB && delimiter !== TAB)) at++
  if (column.kind !== "text") {
    const value = number(block, at)
    let after = stop
    if (!Number.isNaN(value)) {
      while (block[after] === SPACE) after++
      if (isEnd(block, after, delimiter, newline)) {
        builder.number(column, value, latin(block, at, stop), line)
        return after
      }
    }
  }
  const first = at
  while (!isEnd(block, at, delimiter, newline)) at++
  builder.cell(column, decode(block, first, at), line)
  return at
}

/** True at a delimiter and at the end of a line. */
function isEnd(block: Uint8Array, at: number, delimiter: number, newline: number): boolean {
  const b = block[at]!
  return b === delimiter || b === newline || (b === CR && block[at + 1] === newline)
}

/** Cells of texts that a table has had lately, found by their bytes: a text that comes again is not decoded again. */
export class RecentCells {
  readonly #bytes = new Uint8Array(PLACES * LONGEST)
  readonly #lengths = new Uint8Array(PLACES)
  readonly #columns = new Int32Array(PLACES)
  readonly #codes = new Int32Array(PLACES)
  /** The place of the cell that was looked for last. */
  #place = 0

  /** Adds the cell that begins at a place and answers with its end; −1 if it is not known. */
  add(column: ColumnBuilder, block: Uint8Array, start: number, delimiter: number, newline: number): number {
    let hash = column.index
    let at = start
    for (; !isEnd(block, at, delimiter, newline); at++) hash = (Math.imul(hash, 31) + block[at]!) | 0
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
    this.#place = place
    const length = at - start
    if (length !== this.#lengths[place] || column.index !== this.#columns[place] || length === 0) return -1
    const bytes = this.#bytes
    const from = place * LONGEST - start
    for (let i = start; i < at; i++) if (bytes[from + i] !== block[i]) return -1
    column.again(this.#codes[place]!)
    return at
  }

  /** Forgets all cells. */
  forget(): void {
    this.#lengths.fill(0)
  }

  /** Remembers the cell that was not known: its text is the last one of the column. */
  learn(column: ColumnBuilder, block: Uint8Array, start: number, end: number): void {
    const code = column.codes[column.n - 1]!
    if (code < 0 || end - start > LONGEST) return
    const place = this.#place
    this.#bytes.set(block.subarray(start, end), place * LONGEST)
    this.#lengths[place] = end - start
    this.#columns[place] = column.index
    this.#codes[place] = code
  }
}

function countDelimiters(block: Uint8Array, from: number, newline: number, delimiter: number): number {
  let n = 0
  for (let at = from; at < block.length && block[at] !== newline; at++) if (block[at] === delimiter) n++
  return n
}

/** The error for a row with too few or too many cells. */
export function ragged(builder: TableBuilder, line: number, expected: number, got: number): TrilobiteError {
  return dataError({
    where: `${builder.source}:${line}`,
    what: `the row has too ${got < expected ? "few" : "many"} cells.`,
    expected: `${expected}, as in the first line`,
    got: `${got}`,
    hint: got < expected ? "Is the line cut short?" : "Put cells that hold the delimiter in quotation marks.",
  })
}

/** The byte that ends a line of this file: a line feed, or a carriage return if there is none. */
export function newlineOf(block: Uint8Array): number {
  return block.includes(LF) || !block.includes(CR) ? LF : CR
}
