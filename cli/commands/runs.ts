// `trilobite runs`: the runs of a folder with their results, and two of them side by side.

import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { type Command, Option } from "commander"
import { TrilobiteError } from "../../src/index.ts"
import { printJson, printLine, wrap } from "../output.ts"
import { type Promised, promiseBetween, promiseFields, promiseText } from "../promises.ts"
import { evidenceOf, type Fields, type FoundRun, findRun, readFound } from "../report/read.ts"
import { files } from "../run-folder.ts"
import { digits, percent, shortened } from "../scores.ts"
import { readPath, usageError } from "../values.ts"

const HELP = `
Two runs, by their names or their folders, are compared: the settings in which
they differ, their results, and, where one makes a change that the coach of the
other has proposed, whether what it promised came true.

Examples:
  $ trilobite runs
  $ trilobite runs iris-20260101-120000 iris-20260101-120500`

/** Adds the command. */
export function addRuns(program: Command): void {
  const folder = new Option("--runs <folder>", "folder of the runs").default("runs")
  program
    .command("runs")
    .summary("list runs with their results, or compare two")
    .description("Lists the runs of a folder with their results, or compares two of them.")
    .argument("[two...]", "two runs to be compared")
    .addOption(folder.argParser((text) => readPath("--runs", text)))
    .option("--json", "print JSON")
    .addHelpText("after", HELP)
    .action(async (two: readonly string[], { runs, json }: { readonly runs: string; readonly json?: true }) => {
      if (two.length === 0) list(runs, json === true)
      else if (two.length === 2)
        await compare(two.map((name) => findRun(runs, name)) as [FoundRun, FoundRun], json === true)
      else
        throw usageError({
          where: "runs",
          what: "two runs are compared.",
          expected: "none or two",
          got: `${two.length}`,
          hint: "See trilobite runs --help.",
        })
    })
}

function list(folder: string, json: boolean): void {
  let names: string[]
  try {
    names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  } catch (error) {
    const got = error instanceof Error && "code" in error ? String(error.code) : String(error)
    const hint = "trilobite train makes runs; --runs names their folder."
    throw new TrilobiteError("E_IO", { where: folder, what: "cannot look into the folder of the runs.", got, hint })
  }
  const found = names
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, files.config)))
    .sort((a, b) => statSync(join(b, files.config)).mtimeMs - statSync(join(a, files.config)).mtimeMs)
    .map(readFound)
  if (json) printJson(found)
  else if (found.length === 0) printLine(`No runs in ${folder}.`)
  else table(found)
}

function table(found: readonly FoundRun[]): void {
  const width = Math.max(...found.map(({ name }) => Math.min(36, name.length)))
  printLine(`${"run".padEnd(width)}  ${"state".padEnd(10)}  epochs  validation`)
  for (const run of found) {
    printLine(
      `${shortened(run.name, 36).padEnd(width)}  ${shortened(run.state, 10).padEnd(10)}  ${told(run.result.epochs).padStart(6)}  ${measured(run)}`,
    )
  }
}

/** What was measured of a run on its validation rows, in a few words. */
function measured({ result }: FoundRun): string {
  const scores = result.validation as Fields | null | undefined
  const loss = number(result.bestValLoss)
  const parts = [
    ...(loss === undefined ? [] : [`loss ${digits(loss)}`]),
    ...[scores?.accuracy ?? result.bestValAccuracy].flatMap((value) =>
      number(value) === undefined ? [] : [percent(number(value)!)],
    ),
    ...[scores?.r2].flatMap((value) => (number(value) === undefined ? [] : [`R² ${digits(number(value)!)}`])),
  ]
  return parts.join(", ")
}

const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined)

/** What differs between two runs, and what came of them. */
async function compare([a, b]: readonly [FoundRun, FoundRun], json: boolean): Promise<void> {
  const keys = [...new Set([...Object.keys(a.config), ...Object.keys(b.config)])].filter((key) => key !== "resumed")
  const different = keys.filter((key) => told(a.config[key]) !== told(b.config[key]))
  const results = [...new Set([...Object.keys(a.result), ...Object.keys(b.result)])].filter(
    (key) => typeof (a.result[key] ?? b.result[key]) === "number",
  )
  const promised = (await promiseOfChange(a, b)) ?? (await promiseOfChange(b, a))
  if (json) {
    const pick = ({ name, state, config, result }: FoundRun): Fields => ({ name, state, config, result })
    const promise = promised === undefined ? {} : { promise: promiseFields(promised) }
    printJson({ runs: [pick(a), pick(b)], different, ...promise })
    return
  }
  const line = (name: string, ...cells: readonly string[]): void => {
    printLine(
      `${shortened(name, 20).padEnd(20)}  ${shortened(cells[0]!, 26).padEnd(26)}  ${shortened(cells[1]!, 26)}`.trimEnd(),
    )
  }
  line("", a.name, b.name)
  line("state", a.state, b.state)
  for (const key of different) line(key, told(a.config[key]), told(b.config[key]))
  for (const key of results)
    line(key, ...[a, b].map(({ result }) => (number(result[key]) === undefined ? "" : digits(number(result[key])!))))
  line("validation", measured(a), measured(b))
  if (promised !== undefined) printLine(wrap(promiseText(promised), 80, ""))
}

/** Whether the second run makes the change that the coach proposed in the first, and what came of it; nothing where files are damaged. */
const promiseOfChange = async (a: FoundRun, { folder, config }: FoundRun): Promise<Promised | undefined> => {
  try {
    return await promiseBetween(a, { config, evidence: evidenceOf(folder) })
  } catch (error) {
    if (error instanceof TrilobiteError) return undefined
    throw error
  }
}

function told(value: unknown): string {
  return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value)
}
