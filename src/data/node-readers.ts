// The readers of tables (Node only): which there are, how they are chosen, and what they are asked. Each is a file of its own.

import { configError, dataError, show } from "../core/errors.ts"
import { isGzip } from "../core/sniff.ts"
import { numbersOf, type Tensor } from "../core/tensor.ts"
import { readNpy, readNpz } from "./node-arrays.ts"
import { type CsvOptions, checkCsvOptions, readCsv } from "./node-csv.ts"
import { fileLimit, readIdx } from "./node-file.ts"
import { readJsonLines } from "./node-jsonl.ts"
import { headOf, piecesOf } from "./node-pieces.ts"
import { type Table, TableBuilder } from "./table.ts"

/** A kind of file: its names' ends, its first bytes if they say so, and how it is read into a table. */
interface Reader {
  readonly name: string
  readonly extensions: readonly string[]
  readonly recognises: (head: Uint8Array) => boolean
  /** A step for each piece of the file that the table has taken in. */
  readonly read: (builder: TableBuilder, path: string, options: CsvOptions) => AsyncGenerator<void>
}

const begins = (...bytes: readonly number[]) => {
  return (head: Uint8Array): boolean => bytes.every((byte, i) => head[i] === byte)
}

const readers: readonly Reader[] = [
  {
    name: "Parquet",
    extensions: ["parquet"],
    recognises: begins(0x50, 0x41, 0x52, 0x31),
    read: async function* (builder, path) {
      // Loaded when it is first needed: few tables are in this form.
      const { readParquet } = await import("./node-parquet.ts")
      yield* readParquet(builder, path)
    },
  },
  {
    name: "npy",
    extensions: ["npy"],
    recognises: begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59),
    read: arrays((path) => ({ column: readNpy(path) })),
  },
  { name: "npz", extensions: ["npz"], recognises: begins(0x50, 0x4b, 3, 4), read: arrays(readNpz) },
  {
    name: "IDX",
    extensions: ["idx"],
    recognises: (head) => head[0] === 0 && head[1] === 0 && head[2]! >= 8 && head[2]! <= 14,
    read: arrays((path) => ({ column: readIdx(path) })),
  },
  {
    name: "JSON lines",
    extensions: ["jsonl", "ndjson", "json"],
    recognises: (head) => /^(\u00ef\u00bb\u00bf)?\s*[[{]/.test(Buffer.from(head).toString("latin1")),
    read: (builder, path) => readJsonLines(builder, piecesOf(path)),
  },
  {
    name: "CSV",
    extensions: ["csv", "tsv", "tab", "txt"],
    recognises: () => true,
    read: (builder, path, options) => {
      const tabs = /\.(tsv|tab)(\.gz)?$/i.test(path) && options.delimiter === undefined
      return readCsv(builder, piecesOf(path), tabs ? { ...options, delimiter: "\t" } : options)
    },
  },
]

/** Arrays of equally many rows as columns: one for each number of a row. */
type Arrays = { readonly [name: string]: Tensor }

function arrays(read: (path: string) => Arrays | Promise<Arrays>): Reader["read"] {
  return async function* (builder, path) {
    const found = Object.entries(await read(path))
    const rows = found[0]?.[1].shape[0]
    for (const [name, { shape }] of found) {
      if (shape.length > 0 && shape[0] === rows) continue
      const hint = "The arrays of a table have as many rows as each other."
      throw dataError({
        where: `${path}, ${name}`,
        what: "the array is no column.",
        expected: `${rows ?? "some"} rows`,
        got: show(shape),
        hint,
      })
    }
    const columns = found.flatMap(([name, tensor]) => {
      const width = tensor.data.length / rows!
      const data = numbersOf(tensor)
      return Array.from({ length: width }, (_, k) => ({ name: width === 1 ? name : `${name}${k + 1}`, data, width, k }))
    })
    builder.begin(columns.map(({ name }) => name))
    for (let row = 0; row < (rows ?? 0); row++) {
      columns.forEach(({ data, width, k }, i) => {
        const value = data[row * width + k]!
        if (Number.isNaN(value)) builder.columns[i]!.missing()
        else builder.number(builder.columns[i]!, value, `${value}`, undefined)
      })
      builder.endRow()
    }
    yield
  }
}

/** The reader for a file, by the end of its name, or else by its first bytes. */
function readerOf(path: string): { readonly reader: Reader; readonly size: number } {
  if (typeof path !== "string" || path === "") {
    throw configError({ where: "readTable", what: "this is not a path.", expected: "a text", got: show(path) })
  }
  const { head, size } = headOf(path, 64)
  const extension = /\.(\w+?)(\.gz)?$/i.exec(path)?.[1]?.toLowerCase()
  const named = readers.find(({ extensions }) => extension !== undefined && extensions.includes(extension))
  if (named !== undefined || isGzip(head)) return { reader: named ?? readers.at(-1)!, size }
  return { reader: readers.find(({ recognises }) => recognises(head))!, size }
}

/**
 * A table from a file: CSV and TSV, JSON lines (or a list of records), Parquet, and arrays of npy, npz and IDX, by the end of
 * its name or by its first bytes; text also compressed with gzip. It is read piece by piece; a column holds numbers if its
 * cells are numbers, and text otherwise.
 * @throws E_IO if the file cannot be read; E_DATA for anything that is wrong in it, with its line and column.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs"
 * import { readTable } from "trilobite/datasets"
 * writeFileSync("/tmp/trilobite-example.csv", "width,species\n1.5,setosa\n2,virginica\n,setosa\n")
 * const table = await readTable("/tmp/trilobite-example.csv")
 * table.rows // => 3
 * table.columns[0] // => { name: "width", kind: "number", values: [1.5, 2, NaN] }
 * table.columns[1] // => { name: "species", kind: "text", codes: [0, 1, 0], levels: ["setosa", "virginica"] }
 * ```
 */
export async function readTable(path: string, options: CsvOptions = {}): Promise<Table> {
  checkCsvOptions("readTable", options)
  const builder = new TableBuilder(path, options)
  const { reader, size } = readerOf(path)
  if (size > fileLimit) {
    const fields = { expected: `at most ${fileLimit} bytes`, got: `${size}`, hint: "Read it in pieces (tablePieces)." }
    throw dataError({ where: path, what: "the file is too large.", ...fields })
  }
  builder.bytes = size
  for await (const _ of reader.read(builder, path, options));
  return builder.finish()
}

/**
 * A file as tables of some rows each, one after another, for data larger than memory: the same kinds of files and options as
 * `readTable`. What a column holds is decided by the rows of the first.
 * @throws the same errors as `readTable`, when it comes to them.
 */
export async function* tablePieces(
  path: string,
  options: CsvOptions & { readonly rows?: number } = {},
): AsyncGenerator<Table> {
  const { rows = 8192, ...others } = options
  checkCsvOptions("tablePieces", others)
  if (!Number.isSafeInteger(rows) || rows < 1) {
    throw configError({
      where: "tablePieces.rows",
      what: "this is no number of rows.",
      expected: "a whole number of at least 1",
      got: show(rows),
    })
  }
  const builder = new TableBuilder(path, others)
  for await (const _ of readerOf(path).reader.read(builder, path, others))
    if (builder.rows >= rows) yield builder.take()
  if (builder.total === 0) builder.finish()
  if (builder.rows > 0) yield builder.take()
}
