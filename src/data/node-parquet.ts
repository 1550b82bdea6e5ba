// Parquet files as tables (Node only): hyparquet reads them; what they declare is checked against the file before that.

import { closeSync, readSync } from "node:fs"
import zlib from "node:zlib"
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  snappyUncompress,
} from "hyparquet"
import { parquetHeader } from "hyparquet/src/column.js"
import { dataError, show, TrilobiteError } from "../core/errors.ts"
import { ioError } from "../core/io.ts"
import { isSystemError, openForReading } from "./node-file.ts"
import { headOf } from "./node-pieces.ts"
import { addCell, type TableBuilder } from "./table.ts"

/** Cells that a file may declare: so many, and so many more for each of its bytes (constant columns are stored as runs). */
const CELLS = 8_388_608
const CELLS_PER_BYTE = 125
/** Bytes that a page may expand to: so many, or a thousand for each of its own. */
const PAGE = 4_194_304
const RATIO = 1000

/** Unpacks to so many bytes at most. */
function byZlib(unpack: (input: Uint8Array, options: { maxOutputLength: number }) => Uint8Array): Compressors["GZIP"] {
  return (input, length) => unpack(input, { maxOutputLength: Math.max(1, length) })
}

const compressors: Compressors = {
  GZIP: byZlib(zlib.gunzipSync),
  BROTLI: byZlib(zlib.brotliDecompressSync),
  // Node has it since 22.15.
  ...(zlib.zstdDecompressSync === undefined ? {} : { ZSTD: byZlib(zlib.zstdDecompressSync) }),
}

/** Reads a file into the table, a row group at a time; a step for each. */
export async function* readParquet(builder: TableBuilder, path: string): AsyncGenerator<void> {
  const { size } = headOf(path, 4)
  const fd = openForReading(path)
  try {
    const file = bufferOf(fd, path, size)
    const metadata = await guarded(path, () => parquetMetadataAsync(file))
    const names = flatColumns(metadata, path)
    builder.begin(names)
    const optional = new Set(metadata.schema.flatMap((e) => (e.repetition_type === "OPTIONAL" ? [e.name] : [])))
    let start = 0
    let cells = 0
    for (const group of metadata.row_groups) {
      const rows = Number(group.num_rows)
      cells += rows * names.length
      if (!Number.isSafeInteger(rows) || rows < 0 || cells > CELLS + CELLS_PER_BYTE * size) {
        const got = `${show(rows)} rows of ${names.length} columns in a group`
        throw dataError({
          where: path,
          what: "the file declares more cells than it can hold.",
          got,
          hint: "Is it damaged?",
        })
      }
      if (rows === 0) continue
      await checkPages(file, group, optional, rows, path)
      const columns = new Map<string, ArrayLike<unknown>[]>()
      await guarded(path, () =>
        parquetRead({
          file,
          metadata,
          compressors,
          rowStart: start,
          rowEnd: start + rows,
          onChunk: ({ columnName, columnData }) => {
            columns.set(columnName, [...(columns.get(columnName) ?? []), columnData])
          },
        }),
      )
      for (const [k, name] of names.entries()) addColumn(builder, k, columns.get(name) ?? [], rows, start)
      for (let row = 0; row < rows; row++) builder.endRow()
      start += rows
      yield
    }
    yield
  } finally {
    closeSync(fd)
  }
}

function addColumn(
  builder: TableBuilder,
  k: number,
  chunks: readonly ArrayLike<unknown>[],
  rows: number,
  start: number,
): void {
  const column = builder.columns[k]!
  let row = 0
  for (const chunk of chunks) {
    for (let i = 0; i < chunk.length && row < rows; i++, row++) {
      const where = `${builder.source}, row ${start + row}, column ${k + 1} ${show(column.name)}`
      addCell(builder, column, plain(chunk[i], where), where, undefined)
    }
  }
  if (row === rows) return
  throw dataError({
    where: `${builder.source}, column ${show(column.name)}`,
    what: "the column is cut short.",
    expected: `${rows} cells`,
    got: `${row}`,
    hint: "Get or write the file again.",
  })
}

/** A cell of Parquet as a number or a text: dates are milliseconds since 1970. */
function plain(value: unknown, where: string): unknown {
  if (value instanceof Date) return value.getTime()
  if (typeof value !== "bigint") return value
  if (value === BigInt.asIntN(54, value)) return Number(value)
  const hint = "Store it as text if it is a name."
  throw dataError({ where, what: "the number has too many digits.", expected: "at most 2^53", got: `${value}`, hint })
}

/** A file's bytes as hyparquet asks for them. */
function bufferOf(fd: number, path: string, size: number): AsyncBuffer {
  return {
    byteLength: size,
    slice: (from, to = size) => {
      const [first, last] = [from < 0 ? size + from : from, Math.min(to < 0 ? size + to : to, size)]
      if (!(first >= 0 && last >= first)) throw new RangeError(`bytes ${from} to ${to} of ${size}`)
      const bytes = new Uint8Array(last - first)
      for (let at = 0; at < bytes.length; ) {
        const n = readSync(fd, bytes, at, Math.min(bytes.length - at, 1_073_741_824), first + at)
        if (n === 0) throw dataError({ where: path, what: "the file shrank while it was read.", hint: "Try again." })
        at += n
      }
      return bytes.buffer
    },
  }
}

/** The names of the columns. Throws E_DATA for nested ones, which are no cells. */
function flatColumns({ schema, row_groups }: FileMetaData, path: string): string[] {
  const [, ...leaves] = schema
  const nested = leaves.find(
    ({ num_children = 0, repetition_type }) => num_children > 0 || repetition_type === "REPEATED",
  )
  if (nested !== undefined) {
    const hint = "Flatten it first."
    throw dataError({
      where: `${path}, column ${show(nested.name)}`,
      what: "the column is nested.",
      expected: "one value in each row",
      hint,
    })
  }
  if (leaves.length === 0)
    throw dataError({ where: path, what: "the file has no columns.", hint: "Is this the right file?" })
  for (const { columns } of row_groups) {
    if (
      columns.length === leaves.length &&
      columns.every(({ meta_data }, i) => meta_data?.path_in_schema[0] === leaves[i]!.name)
    )
      continue
    throw dataError({
      where: path,
      what: "the columns are not those of the schema.",
      hint: "Get or write the file again.",
    })
  }
  return leaves.map(({ name }) => name)
}

/** Throws E_DATA if the pages of a group declare other numbers of values than the group, or expand too far. */
async function checkPages(
  file: AsyncBuffer,
  { columns }: FileMetaData["row_groups"][number],
  optional: ReadonlySet<string>,
  rows: number,
  path: string,
): Promise<void> {
  for (const { meta_data: data, file_path } of columns) {
    const where = `${path}, column ${show(data?.path_in_schema.join("."))}`
    const fail = (what: string): TrilobiteError => dataError({ where, what, hint: "Get or write the file again." })
    if (data === undefined || file_path !== undefined) throw fail("the column is in another file.")
    const start = Number(data.dictionary_page_offset ?? data.data_page_offset)
    const length = Number(data.total_compressed_size)
    if (!(start >= 4 && length >= 0 && start + length <= file.byteLength))
      throw fail("the column lies beyond the file.")
    const reader = { view: new DataView(await file.slice(start, start + length)), offset: 0 }
    let values = 0
    while (reader.offset < length - 1 && values < rows) {
      let header: ReturnType<typeof parquetHeader>
      try {
        header = parquetHeader(reader)
      } catch {
        throw fail("a page is damaged.")
      }
      // A damaged header may have numbers of another kind.
      const [packed, size] = [Number(header.compressed_page_size), Number(header.uncompressed_page_size)]
      if (!(packed >= 0 && reader.offset + packed <= length)) throw fail("a page lies beyond its column.")
      if (!(size >= 0 && size <= Math.max(PAGE, RATIO * packed))) throw fail("a page expands too far.")
      const page = new Uint8Array(reader.view.buffer, reader.view.byteOffset + reader.offset, packed)
      reader.offset += packed
      const words = header.dictionary_page_header
      if (words !== undefined && !(words.num_values >= 0 && words.num_values <= 8 * size))
        throw fail("a page is damaged.")
      const n = header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values ?? 0
      const inRows = header.data_page_header_v2?.num_rows ?? n
      const nulls = header.data_page_header_v2?.num_nulls ?? 0
      if (!(typeof n === "number" && n >= 0 && n <= rows && inRows === n && nulls >= 0 && nulls <= n))
        throw fail("a page is damaged.")
      try {
        checkRuns(header, page, data, optional.has(data.path_in_schema[0]!), n)
      } catch {
        throw fail("a page is damaged.")
      }
      values += n
    }
    if (values !== rows) throw fail("the pages do not hold the group's rows.")
  }
}

/** Throws if the runs of a page, which hyparquet writes out as long as they say, are longer than the page. */
function checkRuns(
  header: ReturnType<typeof parquetHeader>,
  packed: Uint8Array,
  { codec, type }: ColumnMetaData,
  optional: boolean,
  n: number,
): void {
  const [v1, v2] = [header.data_page_header, header.data_page_header_v2]
  if (v1 === undefined && v2 === undefined) return
  const encoding = (v1 ?? v2)!.encoding
  const levels = v2?.definition_levels_byte_length ?? 0
  if (v2 !== undefined) {
    if (levels > 0) walkRuns(packed, 0, 1, n)
    if (v2.repetition_levels_byte_length !== 0 || levels < 0 || levels > packed.length) throw new RangeError("levels")
  }
  const plain = v2?.is_compressed === false ? "UNCOMPRESSED" : codec
  const page = unpacked(plain, packed.subarray(levels), header.uncompressed_page_size - levels)
  // Of an optional column the first version writes the levels before the values; of others there are none, and the same bytes are
  // walked as values below.
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
  let at = 0
  if (v1 !== undefined && optional) {
    walkRuns(page, 4, 1, n)
    at = 4 + view.getUint32(0, true)
  }
  if (encoding === "RLE" && type === "BOOLEAN") walkRuns(page, at + 4, 1, n)
  else if (encoding.endsWith("_DICTIONARY") && at < page.length) {
    const width = page[at]!
    if (width > 32) throw new RangeError("width")
    if (width > 0) walkRuns(page, at + 1, width, n)
  }
}

/** Throws if a run is longer than what is to come, up to the end of the page or of n values. */
function walkRuns(page: Uint8Array, start: number, width: number, n: number): void {
  let at = start
  for (let seen = 0; seen < n && at < page.length; ) {
    let header = 0
    for (let power = 1; ; power *= 128) {
      const byte = page[at++]
      if (byte === undefined || power > 268_435_456) throw new RangeError("run")
      header += (byte & 127) * power
      if (byte < 128) break
    }
    const packed = header % 2 === 1
    const count = packed ? Math.floor(header / 2) * 8 : header / 2
    if (count > n + 8) throw new RangeError("run")
    at += packed ? (count * width) / 8 : (width + 7) >> 3
    seen += count
  }
}

function unpacked(codec: string, bytes: Uint8Array, size: number): Uint8Array {
  if (codec === "UNCOMPRESSED") return bytes
  const own = compressors[codec as keyof Compressors]
  if (own !== undefined) return own(bytes, size)
  const page = new Uint8Array(size)
  if (codec === "SNAPPY") snappyUncompress(bytes, page)
  return page
}

/** What hyparquet does; what it throws says that the file is damaged, or has something that is not read. */
async function guarded<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof TrilobiteError) throw error
    if (isSystemError(error)) throw ioError(path, "cannot read the file.", error)
    const got = error instanceof Error ? error.message : String(error)
    const hint =
      "Is it damaged? Snappy, gzip, Brotli and, from Node 22.15 on, Zstandard are read, no other compression."
    throw dataError({ where: path, what: "this cannot be read as Parquet.", got, hint })
  }
}
