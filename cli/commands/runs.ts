// `trilobite runs`: the runs of a folder with their results, and two of them side by side.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import { type Command, Option } from "commander"
import { parseJson } from "../../src/datasets.ts"
import { TrilobiteError } from "../../src/index.ts"
import { printJson, printLine } from "../output.ts"
import { files } from "../run-folder.ts"
import { isAlive, type Live } from "../run-lock.ts"
import { digits, percent, shortened } from "../scores.ts"
import { readPath, usageError } from "../values.ts"

const HELP = `
Two runs, by their names or their folders, are compared: the settings in which
they differ, and their results.

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
    .action((two: readonly string[], { runs, json }: { readonly runs: string; readonly json?: true }) => {
      if (two.length === 0) list(runs, json === true)
      else if (two.length === 2) compare(two.map((name) => find(runs, name)) as [Found, Found], json === true)
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

type Fields = { readonly [key: string]: unknown }

interface Found {
  readonly name: string
  readonly state: string
  readonly config: Fields
  readonly result: Fields
}

/** A run as its folder tells it; what cannot be read is empty, and its state says so. */
function read(folder: string): Found {
  const [config, result, live] = [files.config, files.result, files.live].map((file) => fieldsOf(join(folder, file)))
  const bad = config === undefined || (result === undefined && existsSync(join(folder, files.result)))
  const ended = typeof result?.ended === "string" ? result.ended : undefined
  const state = bad ? "unreadable" : isAlive((live ?? {}) as Partial<Live>) ? "running" : (ended ?? "without a result")
  return { name: basename(folder), state, config: config ?? {}, result: result ?? {} }
}

function fieldsOf(path: string): Fields | undefined {
  try {
    const value = parseJson(readFileSync(path, "utf8"), path)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
  } catch {
    return undefined
  }
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
    .map(read)
  if (json) printJson(found)
  else if (found.length === 0) printLine(`No runs in ${folder}.`)
  else table(found)
}

function table(found: readonly Found[]): void {
  const width = Math.max(...found.map(({ name }) => Math.min(36, name.length)))
  printLine(`${"run".padEnd(width)}  ${"state".padEnd(10)}  epochs  validation`)
  for (const run of found) {
    printLine(
      `${shortened(run.name, 36).padEnd(width)}  ${shortened(run.state, 10).padEnd(10)}  ${told(run.result.epochs).padStart(6)}  ${measured(run)}`,
    )
  }
}

/** What was measured of a run on its validation rows, in a few words. */
function measured({ result }: Found): string {
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

function find(folder: string, name: string): Found {
  const path = [name, join(folder, name)].find((candidate) => existsSync(join(candidate, files.config)))
  if (path !== undefined) return read(path)
  const hint = "trilobite runs lists them."
  throw new TrilobiteError("E_IO", {
    where: name,
    what: "there is no such run.",
    expected: `a run in ${folder}, or its folder`,
    hint,
  })
}

/** What differs between two runs, and what came of them. */
function compare([a, b]: readonly [Found, Found], json: boolean): void {
  const keys = [...new Set([...Object.keys(a.config), ...Object.keys(b.config)])].filter((key) => key !== "resumed")
  const different = keys.filter((key) => told(a.config[key]) !== told(b.config[key]))
  const results = [...new Set([...Object.keys(a.result), ...Object.keys(b.result)])].filter(
    (key) => typeof (a.result[key] ?? b.result[key]) === "number",
  )
  if (json) {
    const pick = ({ name, state, config, result }: Found): Fields => ({ name, state, config, result })
    printJson({ runs: [pick(a), pick(b)], different })
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
}

function told(value: unknown): string {
  return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value)
}
