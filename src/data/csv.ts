// Lines of numbers and plain words between delimiters, from bytes into a table: the fast path of CSV, for blocks without
// quotation marks. Knows no files.

import { dataError, type TrilobiteError } from "../core/errors.ts"
import type { TableBuilder } from "./table.ts"

const LF = 10
const CR = 13
const SPACE = 32
const TAB = 9

/** 10^0 to 10^22: the powers of ten that float64 holds exactly. */
const POWERS: Float64Array = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
const EXACT = 9_007_199_254_740_992

/** Where the last number ended; −1 if it was none. */
let stop = -1

/**
 * The decimal number that begins at a place, correctly rounded: up to 2^53 and 10^±22 one exact division or product is (Clinger,
 * "How to read floating point numbers accurately", 1990), beyond that the engine reads it. `stop` says where it ended.
 */
function decimal(b: Uint8Array, start: number): number {
  let at = start
  let c = b[at]!
  const negative = c === 45
  if (negative || c === 43) c = b[++at]!
  let whole = 0
  let digits = 0
  let scale = 0
  for (; c >= 48 && c <= 57; c = b[++at]!, digits++) whole = whole * 10 + (c - 48)
  if (c === 46) {
    c = b[++at]!
    for (; c >= 48 && c <= 57; c = b[++at]!, digits++, scale++) whole = whole * 10 + (c - 48)
  }
  stop = -1
  if (digits === 0) return 0
  let exponent = 0
  if (c === 101 || c === 69) {
    c = b[++at]!
    const less = c === 45
    if (less || c === 43) c = b[++at]!
    const first = at
    for (; c >= 48 && c <= 57; c = b[++at]!) exponent = Math.min(99_999, exponent * 10 + (c - 48))
    if (at === first) return 0
    if (less) exponent = -exponent
  }
  stop = at
  const power = exponent - scale
  if (whole < EXACT && power >= -22 && power <= 22) {
    const value = power < 0 ? whole / POWERS[-power]! : whole * POWERS[power]!
    return negative ? -value : value
  }
  return Number(latin(b, start, at))
}

function latin(b: Uint8Array, start: number, end: number): string {
  let text = ""
  for (let i = start; i < end; i++) text += String.fromCharCode(b[i]!)
  return text
}

/** A piece of bytes as text. */
export type Decode = (bytes: Uint8Array, start: number, end: number) => string

/**
 * Adds the lines of a block, which ends with a whole line and has no quotation marks, to a table; empty lines are no rows.
 * Answers with the number of the line after it.
 * @throws E_DATA for a row with another number of cells, and a text among numbers: with line and column.
 */
export function addLines(
  builder: TableBuilder,
  block: Uint8Array,
  delimiter: number,
  firstLine: number,
  newline: number,
  decode: Decode,
): number {
  const { columns } = builder
  const width = columns.length
  const end = block.length
  let line = firstLine
  let at = 0
  while (at < end) {
    const b = block[at]!
    if (b === newline || (b === CR && block[at + 1] === newline)) {
      at += b === newline ? 1 : 2
      line++
      continue
    }
    let k = 0
    for (;;) {
      if (k === width) throw ragged(builder, line, width, width + 1 + countDelimiters(block, at, newline, delimiter))
      const column = columns[k++]!
      while (block[at] === SPACE || (block[at] === TAB && delimiter !== TAB)) at++
      let done = false
      if (column.kind !== "text") {
        const value = decimal(block, at)
        if (stop >= 0) {
          let after = stop
          while (block[after] === SPACE) after++
          if (ends(block, after, end, delimiter, newline)) {
            if (value - value === 0) column.number(value)
            else builder.number(column, value, latin(block, at, stop), line)
            at = after
            done = true
          }
        }
      }
      if (!done) {
        const start = at
        while (!ends(block, at, end, delimiter, newline)) at++
        if (at === start && builder.isMissing("")) column.missing()
        else builder.cell(column, decode(block, start, at), line)
      }
      if (at < end && block[at] === delimiter) {
        at++
        continue
      }
      at += at < end && block[at] !== newline ? 2 : 1
      break
    }
    if (k < width) throw ragged(builder, line, width, k)
    builder.endRow(line++)
  }
  return line
}

/** True at a delimiter, the end of a line, and the end of the block. */
function ends(block: Uint8Array, at: number, end: number, delimiter: number, newline: number): boolean {
  if (at >= end) return true
  const b = block[at]!
  return b === delimiter || b === newline || (b === CR && (at + 1 === end || block[at + 1] === newline))
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
