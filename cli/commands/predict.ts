// `trilobite predict`: what a saved model says of the rows of a table.

import type { Command } from "commander"
import { type Answer, answersOf, prepareInputs } from "../../src/datasets.ts"
import { printJson, printLine } from "../output.ts"
import { openModel, piecesFor } from "../saved.ts"
import { digits, percent, shortened } from "../scores.ts"
import { csvLine, inFlags } from "../tables.ts"
import { usageError } from "../values.ts"
import { addReadingOptions, type ReadingOptions } from "./setting-flags.ts"

const HELP = `
The model is a run folder of trilobite train, or its model.safetensors. The
table needs the columns of the training but for the target; it is prepared as
the training rows were. For classes each row gets the most probable one, for
numbers the number in its own unit. The file may be larger than memory: answers
come as it is read, so those before a row that cannot be used are printed.

--csv prints a line for each row: the answer, and for classes the probability of
each. --json prints an object for each row.

Examples:
  $ trilobite predict runs/iris-20260101-120000 new.csv
  $ trilobite predict model.safetensors new.csv --csv > answers.csv`

/** Adds the command. */
export function addPredict(program: Command): void {
  const command = program
    .command("predict")
    .summary("say what a saved model makes of a table")
    .description("Says what a saved model makes of the rows of a table.")
    .argument("<model>", "a run folder or a model file")
    .argument("<data>", "a file, or the name of a data set")
  addReadingOptions(command)
    .option("--csv", "print CSV")
    .option("--json", "print an object of JSON for each row")
    .addHelpText("after", HELP)
    .action(async (path: string, data: string, options: Options) => {
      await predict(path, data, options)
    })
}

interface Options extends ReadingOptions {
  readonly csv?: true
  readonly json?: true
}

async function predict(path: string, data: string, { csv, json, ...reading }: Options): Promise<void> {
  if (csv && json)
    throw usageError({ where: "--csv", what: "--csv and --json exclude each other.", hint: "Leave one out." })
  const saved = await openModel(path)
  const { target } = saved.preparation
  const classes = target.kind === "classes" ? target.classes : []
  if (csv) printLine(csvLine([target.column, ...classes.map((name) => `p(${name})`)]))
  const tell = ({ value, probabilities = [] }: Answer, row: number): void => {
    if (csv) printLine(csvLine([value, ...probabilities]))
    else if (json) {
      const named = Object.fromEntries(classes.map((name, k) => [name, probabilities[k]!]))
      printJson({ row: row + 1, [target.column]: value, ...(classes.length === 0 ? {} : { probabilities: named }) })
    } else {
      const sure = probabilities.length === 0 ? "" : `  ${percent(Math.max(...probabilities))}`
      printLine(
        `${String(row + 1).padStart(6)}  ${typeof value === "number" ? digits(value) : shortened(value, 40)}${sure}`,
      )
    }
  }
  for await (const { table, first } of piecesFor(saved, data, reading)) {
    const { x } = await inFlags(() => prepareInputs(saved.preparation, table))
    const answers = answersOf(saved.preparation, await saved.model.predict(x))
    answers.forEach((answer, i) => {
      tell(answer, first + i)
    })
  }
}
