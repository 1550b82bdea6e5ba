// Tables of text as points: two columns of numbers and one of classes or numbers; what is wrong is said row by row.

import { cellsOf } from "../data/cells.ts"
import { MOST_OWN, pack, RANGE, randoms } from "./data.ts"

/** What came of a text. */
export interface CsvRead {
  /** The points as text for the address; empty if there are none. */
  readonly own: string
  /** What was found, in words. */
  readonly found: string
  /** What is wrong, a sentence for each row; the rows are left out if the reader wants. */
  readonly faults: readonly string[]
}

const nothing = (fault: string): CsvRead => ({ own: "", found: "", faults: [fault] })

/** The fields of each row that is not empty, with its number from 1, and a mark that is opened and never closed. */
function rowsOf(text: string): {
  readonly all: readonly { readonly fields: readonly string[]; readonly row: number }[]
  readonly open: string | undefined
} {
  const first = text.trimStart().split("\n", 1)[0] ?? ""
  const delimiter = first.includes("\t") ? "\t" : first.includes(";") ? ";" : ","
  const { rows, open } = cellsOf(text, delimiter)
  return {
    all: rows
      .map((cells, i) => ({ fields: cells.map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")), row: i + 1 }))
      .filter(({ fields }) => fields.some((field) => field !== "")),
    open: open === undefined ? open : `Row ${open + 1}: a quotation mark is not closed; what follows it was not read.`,
  }
}

const numberOf = (text: string): number => (text === "" ? Number.NaN : Number(text.replace(/^(-?\d+),(\d+)$/, "$1.$2")))

/** The middle of the lengths: what most rows have. */
function usual(lengths: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const n of lengths) counts.set(n, (counts.get(n) ?? 0) + 1)
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0]
}

/** Reads a table. */
export function readCsv(text: string): CsvRead {
  const { all, open } = rowsOf(text)
  if (all.length === 0) return nothing("There is nothing in it. Three columns are needed: x1, x2 and the class.")
  const width = usual(all.map(({ fields }) => fields.length))
  if (width < 3)
    return nothing(
      `The rows have ${width} ${width === 1 ? "value" : "values"}. Three are needed: x1, x2 and the class.`,
    )
  const isHead = all[0]!.fields.slice(0, 2).every((field) => field !== "" && Number.isNaN(numberOf(field)))
  const rows = isHead ? all.slice(1) : all
  const faults: string[] = open === undefined ? [] : [open]
  const good: { readonly x1: number; readonly x2: number; readonly label: string }[] = []
  for (const { fields, row } of rows) {
    const bad = fields.slice(0, 2).find((field) => !Number.isFinite(numberOf(field)))
    if (fields.length !== width) faults.push(`Row ${row} has ${fields.length} values, the others ${width}.`)
    else if (bad !== undefined) faults.push(`Row ${row}: “${bad}” is not a number.`)
    else if (fields[width - 1] === "") faults.push(`Row ${row} has no class.`)
    else good.push({ x1: numberOf(fields[0]!), x2: numberOf(fields[1]!), label: fields[width - 1]! })
  }
  if (good.length < 4)
    return { own: "", found: "", faults: [...faults, `${good.length} rows can be used. At least 4 are needed.`] }
  return { ...pointsOf(good), faults }
}

function pointsOf(
  good: readonly { readonly x1: number; readonly x2: number; readonly label: string }[],
): Omit<CsvRead, "faults"> {
  const labels = [...new Set(good.map(({ label }) => label))].sort(
    (a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1),
  )
  const numeric = labels.every((label) => Number.isFinite(numberOf(label)))
  if (labels.length === 1)
    return { own: "", found: `All rows have the class “${labels[0]}”. There is nothing to tell apart.` }
  if (labels.length > 4 && !numeric)
    return { own: "", found: `There are ${labels.length} classes. The map has marks for four.` }
  const classes = labels.length <= 4 ? labels.length : 0
  const used = sample(good)
  const [a, b] = [scale(used.map(({ x1 }) => x1)), scale(used.map(({ x2 }) => x2))]
  const y = scale(used.map(({ label }) => numberOf(label)))
  const rows = used.map(({ x1, x2, label }) => {
    return [a(x1) * 0.9 * RANGE, b(x2) * 0.9 * RANGE, classes > 0 ? labels.indexOf(label) : y(numberOf(label))] as const
  })
  const size =
    used.length < good.length ? `${used.length} of ${good.length} rows, chosen at random` : `${good.length} rows`
  const what = classes > 0 ? `${classes} classes (${labels.join(", ")})` : "numbers to fit, scaled to −1 to 1"
  return { own: pack({ rows, classes }), found: `${size}, ${what}. The places are scaled to the map.` }
}

/** At most as many rows as the address holds. */
function sample<T>(rows: readonly T[]): readonly T[] {
  if (rows.length <= MOST_OWN) return rows
  const random = randoms(rows.length)
  return rows
    .map((row) => [random(), row] as const)
    .sort(([a], [b]) => a - b)
    .slice(0, MOST_OWN)
    .map(([, row]) => row)
}

/** From the least to the greatest value: from −1 to 1. */
function scale(values: readonly number[]): (value: number) => number {
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
  return (value) => (high === low ? 0 : (2 * (value - low)) / (high - low) - 1)
}
