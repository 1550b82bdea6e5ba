// `trilobite evaluate`: how good a saved model is on a table.

import type { Command } from "commander"
import { answersOf, type Preparation, prepareInputs, type Table } from "../../src/datasets.ts"
import { TrilobiteError } from "../../src/index.ts"
import { printJson, printLine } from "../output.ts"
import { openModel, piecesFor } from "../saved.ts"
import { Scoring, scoresText, shortened } from "../scores.ts"
import { count, inFlags, missingIn } from "../tables.ts"
import { addReadingOptions, type ReadingOptions } from "./setting-flags.ts"

const HELP = `
The table needs the columns of the training with the target. Classes: accuracy
and confusion matrix; numbers: R², errors and residuals in their own unit.

Example:
  $ trilobite evaluate runs/iris-20260101-120000 test.csv`

/** Adds the command. */
export function addEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .summary("measure a saved model on a table")
    .description("Compares what a saved model says of the rows of a table with what is true.")
    .argument("<model>", "a run folder or a model file")
    .argument("<data>", "a file, or the name of a data set")
  addReadingOptions(command)
    .option("--json", "print one object of JSON")
    .addHelpText("after", HELP)
    .action(async (path: string, data: string, options: ReadingOptions & { readonly json?: true }) => {
      await evaluate(path, data, options)
    })
}

async function evaluate(
  path: string,
  data: string,
  { json, ...reading }: ReadingOptions & { readonly json?: true },
): Promise<void> {
  const saved = await openModel(path)
  const { preparation, model } = saved
  const scoring = new Scoring(preparation)
  for await (const { table, first } of piecesFor(saved, data, reading)) {
    checkTarget(preparation, table, data)
    const { x } = await inFlags(() => prepareInputs(preparation, table))
    const rows = Int32Array.from({ length: table.rows }, (_, i) => i)
    scoring.add(table, rows, answersOf(preparation, await model.predict(x)), first)
  }
  const scores = scoring.result()!
  if (json) printJson(scores)
  else printLine(`${shortened(data, 50)}: ${count(scores.rows, "row")}\n${scoresText(scores)}`)
}

/** Throws E_DATA unless every row has a target that the model may say. */
function checkTarget({ target }: Preparation, table: Table, data: string): void {
  const column = table.columns.find(({ name }) => name === target.column)
  if (column === undefined || missingIn(column) > 0) {
    const what =
      column === undefined
        ? `there is no column ${JSON.stringify(target.column)}.`
        : "the target is missing in some rows."
    const hint = "To evaluate, what is true must be known; trilobite predict needs no target."
    throw new TrilobiteError("E_DATA", { where: data, what, expected: "the target in every row", hint })
  }
  const unknown =
    target.kind === "classes" && column.kind === "text"
      ? column.levels.find((level) => !target.classes.includes(level))
      : undefined
  if (unknown !== undefined) {
    const expected = `one of ${target.kind === "classes" ? target.classes.join(", ") : ""}`
    throw new TrilobiteError("E_DATA", {
      where: `${data}, column ${JSON.stringify(target.column)}`,
      what: "this class was not in the training.",
      expected,
      got: JSON.stringify(unknown),
    })
  }
}
