// The rows of a table on the command line: how its file is read, divided and prepared by the settings of a training. Trains nothing.

import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { type Prepared, type PreparedPieces, type PrepareOptions, prepare, preparePieces } from "../src/datasets.ts"
import { TrilobiteError } from "../src/index.ts"
import type { TrainConfig } from "./config.ts"
import { quoted } from "./run-folder.ts"
import { shortened } from "./scores.ts"
import type { Settings } from "./settings.ts"
import { digitRows, inFlags, isImageSet, isPackaged, openPieces, openTable, type Source } from "./tables.ts"
import { usageError } from "./values.ts"

/** A table, and its rows as they are trained on: in memory or in pieces. */
export interface Rows {
  readonly table: Source
  readonly data: Prepared | PreparedPieces
}

/** The table and its rows as they are trained on. */
export async function rowsFor(settings: Settings): Promise<{ readonly table: Source; readonly data: Prepared }> {
  if (isImageSet(settings.data!)) return digitRows()
  const table = await inFlags(() => openTable(settings.data!, readingOf(settings)))
  return { table, data: await inFlags(() => prepare(table, preparingOf(settings, table))) }
}

/** The same, in pieces if that was decided. */
export async function rowsOrPieces(settings: Settings): Promise<Rows> {
  if (settings.stream !== true || isImageSet(settings.data!)) return rowsFor(settings)
  return inFlags(async () => {
    const pieces = (): AsyncGenerator<Source> => openPieces(settings.data!, readingOf(settings))
    let data: PreparedPieces | undefined
    for await (const first of pieces()) {
      data = await preparePieces(pieces, preparingOf(settings, first))
      break
    }
    // Without rows the reader has thrown.
    return { table: data!.table, data: data! }
  })
}

/**
 * The same for a run that goes on, whose rows had this SHA-256 (null: a data set of the package).
 * @throws E_DATA if the file is another one now
 */
export async function sameRows(settings: Settings, data: string, sha256: string | null, folder: string): Promise<Rows> {
  const got = await hashOf(data)
  if (got !== sha256) {
    const about = (hash: string | null): string => (hash === null ? "a data set of the package" : `SHA-256 ${hash}`)
    throw new TrilobiteError("E_DATA", {
      where: data,
      what: `this is not the table that ${folder} was trained on.`,
      expected: about(sha256),
      got: about(got),
      hint: `Has it moved? trilobite train <file> --resume ${quoted(folder)}. Has it changed? Start a new run.`,
    })
  }
  return rowsOrPieces(settings)
}

/** How the file is read. */
function readingOf({ delimiter, header, categorical }: TrainConfig): Parameters<typeof openTable>[1] {
  return {
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(header === undefined ? {} : { header }),
    ...(categorical === undefined
      ? {}
      : { kinds: Object.fromEntries(categorical.map((name) => [name, "text" as const])) }),
  }
}

function preparingOf(settings: Settings, table: Source): PrepareOptions {
  const { features, ignore, categorical, task, scaling, missing, validation, test, split, timeColumn, seed } = settings
  const target = settings.target ?? table.target
  if (target === undefined) {
    const expected = `--target and one of ${table.columns
      .slice(0, 30)
      .map(({ name }) => shortened(name, 30))
      .join(", ")}`
    const hint = `For example: --target ${quoted(table.columns.at(-1)!.name)}.`
    throw usageError({ where: "--target", what: "which column is to be predicted?", expected, hint })
  }
  const given = { features, ignore, categorical, task, scaling, missing, split, timeColumn }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return { target, validation, test, seed, ...Object.fromEntries(known) }
}

/** A name for the run's folder: that of the file without its folder and its end. */
export function shortName(data: string): string {
  const name = data
    .split(/[/\\]/)
    .at(-1)!
    .replace(/(\.\w+)?(\.gz)?$/, "")
    .replace(/[^\w.-]+/g, "-")
    .slice(0, 40)
  return name === "" ? "table" : name
}

/** The SHA-256 of a file; null for a data set of the package. */
export async function hashOf(data: string): Promise<string | null> {
  if (isPackaged(data)) return null
  const hash = createHash("sha256")
  for await (const piece of createReadStream(data)) hash.update(piece as Buffer)
  return hash.digest("hex")
}
