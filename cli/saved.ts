// Saved models on the command line: a model file or a run folder, with what is known of its inputs.

import { statSync } from "node:fs"
import { join } from "node:path"
import { type CsvOptions, type Preparation, readPreparation, type Table } from "../src/datasets.ts"
import { loadModel, type Model, TrilobiteError } from "../src/index.ts"
import { files } from "./run-folder.ts"
import { inFlags, openPieces } from "./tables.ts"

/** A model with the preparation of its inputs. */
export interface Saved {
  readonly model: Model
  readonly preparation: Preparation
  readonly path: string
}

/** The model file that a path names: itself, or the one of a run folder. */
export function modelPath(path: string): string {
  try {
    if (statSync(path).isDirectory()) return join(path, files.model)
  } catch {
    // Said when it is loaded.
  }
  return path
}

/** A model that was trained on a table. Throws what `loadModel` throws, and E_MODEL if it knows nothing of tables. */
export async function openModel(named: string): Promise<Saved> {
  const path = modelPath(named)
  const model = await loadModel(path)
  if (model.preparing !== undefined)
    return { model, path, preparation: readPreparation(model.preparing, `${path}, preparation`) }
  throw new TrilobiteError("E_MODEL", {
    where: path,
    what: "the model does not say how rows of a table become its inputs.",
    expected: "a model that trilobite train has made from a table",
    hint: "In a program, set model.preparing before it is saved.",
  })
}

/** Rows of a table for a model, some at a time, with the number of those before: columns that were numbers in training hold numbers. */
export async function* piecesFor(
  { preparation }: Saved,
  data: string,
  options: Pick<CsvOptions, "delimiter" | "header">,
): AsyncGenerator<{ readonly table: Table; readonly first: number }> {
  const known = Object.entries(options).filter(([, value]) => value !== undefined)
  const numbers = preparation.features
    .filter(({ kind }) => kind === "number")
    .map(({ column }) => [column, "number" as const])
  const reading = {
    ...Object.fromEntries(known),
    ...(numbers.length === 0 ? {} : { kinds: Object.fromEntries(numbers) }),
  }
  const pieces = openPieces(data, reading)[Symbol.asyncIterator]()
  let first = 0
  try {
    for (;;) {
      const { value: table, done } = await inFlags(() => pieces.next())
      if (done === true) return
      yield { table, first }
      first += table.rows
    }
  } finally {
    await pieces.return(undefined)
  }
}
