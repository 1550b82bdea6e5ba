// A table of a CSV file: its columns with their types, missing values and distributions. Knows no drawing.

import { cellsOf } from "./cells.ts"

/** What a column holds. */
export type ColumnType = "number" | "whole number" | "class" | "text" | "nothing"

/** A column. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly missing: number
  /** How many values there are in equal intervals, or of each value of a class. */
  readonly bars: readonly { readonly label: string; readonly n: number }[]
}

/** A table: rows as they were written. */
export interface Table {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  /** Rows that are there more than once, by the number of the first. */
  readonly repeated: readonly number[]
}

const MISSING = new Set(["", "na", "n/a", "nan", "null", "?"])
const BARS = 12
const CLASSES = 6

/** True for what stands for a missing value. */
export function isMissing(value: string): boolean {
  return MISSING.has(value.trim().toLowerCase())
}

/** Reads a CSV file with a line of names. Throws, in words, if a row has another number of values, or a quotation mark is not closed. */
export function readTable(text: string): Table {
  const { rows: all, open } = cellsOf(text.trim(), ",")
  const [names = [], ...rows] = all
  if (open !== undefined) throw new Error(`Row ${open}: a quotation mark is not closed.`)
  const bad = rows.findIndex((row) => row.length !== names.length)
  if (bad >= 0) throw new Error(`Row ${bad + 1} has ${rows[bad]!.length} values, the others ${names.length}.`)
  const seen = new Map<string, number>()
  const repeated: number[] = []
  rows.forEach((row, i) => {
    const key = JSON.stringify(row)
    if (seen.has(key)) repeated.push(i)
    else seen.set(key, i)
  })
  return {
    columns: names.map((name, k) =>
      columnOf(
        name,
        rows.map((row) => row[k]!),
      ),
    ),
    rows,
    repeated,
  }
}

function columnOf(name: string, values: readonly string[]): Column {
  const there = values.filter((value) => !isMissing(value))
  const missing = values.length - there.length
  const different = [...new Set(there)]
  const isNumeric = there.every((value) => Number.isFinite(Number(value)))
  const isWhole = isNumeric && there.every((value) => Number.isInteger(Number(value)))
  const isClass = different.length <= CLASSES && (isWhole || !isNumeric)
  const type: ColumnType =
    there.length === 0 ? "nothing" : isClass ? "class" : isWhole ? "whole number" : isNumeric ? "number" : "text"
  const bars =
    type === "class"
      ? different
          .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
          .map((label) => ({ label, n: there.filter((v) => v === label).length }))
      : isNumeric && there.length > 0
        ? intervals(there.map(Number))
        : []
  return { name, type, missing, bars }
}

function intervals(values: readonly number[]): Column["bars"] {
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
  const width = (high - low) / BARS || 1
  const counts = new Array<number>(BARS).fill(0)
  for (const value of values) counts[Math.min(BARS - 1, Math.floor((value - low) / width))]!++
  const text = (value: number): string => String(Number(value.toPrecision(3)))
  return counts.map((n, i) => ({ label: `${text(low + i * width)} to ${text(low + (i + 1) * width)}`, n }))
}
