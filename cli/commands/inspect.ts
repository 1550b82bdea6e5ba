// `trilobite inspect`: what is in a network, a saved model, or a file of data.

import { readFileSync, statSync } from "node:fs"
import { type Command, Option } from "commander"
import { prepare, readPreparation } from "../../src/datasets.ts"
import { loadModel, type Model } from "../../src/index.ts"
import { buildNet, isNetName, netNames, nets, netsHelp } from "../nets.ts"
import { printJson, printLine, warningText } from "../output.ts"
import { modelPath } from "../saved.ts"
import { digits, shortened } from "../scores.ts"
import { inFlags, isSetName, missingIn, openTable, setNames, tableText } from "../tables.ts"
import { alike, readName, usageError } from "../values.ts"
import { addReadingOptions, type ReadingOptions } from "./setting-flags.ts"

const parts = ["graph", "program"] as const
type Part = (typeof parts)[number]

const HELP = `
${netsHelp()}

Of a network it prints the graph of its training and the Program that it is
compiled to; of a saved model (a run folder or a .safetensors file) the layers
and how rows become inputs; of a file of data or a data set the columns, and
with --target what looks wrong.

Examples:
  $ trilobite inspect data.csv --target species
  $ trilobite inspect runs/iris-20260101-120000
  $ trilobite inspect shallow-net --what program`

interface Options extends ReadingOptions {
  readonly what?: Part
  readonly target?: string
  readonly json?: true
}

/** Adds the command. */
export function addInspect(program: Command): void {
  const what = new Option("--what <part>", "of networks and models: graph or program alone").argParser((text) =>
    readName("--what", "part", text, parts),
  )
  const command = program
    .command("inspect")
    .summary("print what is in a network, a model or a file of data")
    .description("Prints what is in a network, a saved model, or a file of data.")
    .argument("<what>", `${netNames.join(" or ")}, a model, a file or a data set`)
    .addOption(what)
    .option("--target <column>", "of data: what is to be predicted")
    .option("--json", "of data: print one object of JSON")
  addReadingOptions(command)
    .addHelpText("after", HELP)
    .action(async (name: string, options: Options) => {
      await inspect(name, options)
    })
}

async function inspect(name: string, options: Options): Promise<void> {
  if (isNetName(name)) return program(buildNet(name), options.what ?? "both", nets[name].batchSize)
  if (!isSetName(name) && isModel(name)) {
    const path = modelPath(name)
    const model = await loadModel(path)
    if (options.what !== undefined) return program(model, options.what, 32)
    model.summary({ printFn: printLine })
    if (model.preparing !== undefined) printLine(`\n${preparationText(model.preparing, path)}`)
    return
  }
  if (!isSetName(name) && !/[./\\]/.test(name)) {
    const near = alike(name, [...netNames, ...setNames().split(", ")])
    throw usageError({
      where: "inspect",
      what: `unknown network ${JSON.stringify(name)}.`,
      expected: `${netNames.join(" or ")}, ${setNames()}, a model or a file`,
      ...(near === undefined ? {} : { hint: `Did you mean ${near}?` }),
    })
  }
  await data(name, options)
}

async function program(model: Model, wanted: Part | "both", batchSize: number): Promise<void> {
  const texts: { readonly [part in Part]: string } = await model.inspect({ batchSize })
  const some = wanted === "both" ? parts : [wanted]
  printLine(some.map((part) => texts[part].trimEnd()).join("\n\n"))
}

async function data(name: string, { target, json, delimiter, header }: Options): Promise<void> {
  const reading = { ...(delimiter === undefined ? {} : { delimiter }), ...(header === undefined ? {} : { header }) }
  const table = await inFlags(() => openTable(name, reading))
  const wanted = target ?? table.target
  const prepared =
    wanted === undefined ? undefined : await inFlags(() => prepare(table, { target: wanted, missing: "mean" }))
  const warnings = prepared?.warnings ?? []
  if (json) {
    const columns = table.columns.map((column) => ({
      name: column.name,
      kind: column.kind,
      missing: missingIn(column),
      ...(column.kind === "text" ? { levels: column.levels } : {}),
    }))
    printJson({
      source: table.source,
      rows: table.rows,
      columns,
      ...(prepared === undefined ? {} : { task: prepared.task, warnings }),
    })
    return
  }
  printLine(tableText(table, prepared))
  for (const { message } of warnings) printLine(warningText(message))
}

/** True for a run folder, and a file that is a model by its name or its first bytes. */
function isModel(path: string): boolean {
  try {
    if (statSync(path).isDirectory()) return true
    if (/\.safetensors$/.test(path)) return true
    const head = readFileSync(path).subarray(0, 16)
    return head.length > 8 && head[8] === 0x7b && head.readUInt32LE(4) === 0
  } catch {
    if (/\.safetensors$/.test(path)) return true
    return false
  }
}

function preparationText(json: unknown, path: string): string {
  const { features, target } = readPreparation(json, `${path}, preparation`)
  const lines = features.map((step) => {
    const name = shortened(step.column, 24).padEnd(24)
    if (step.kind !== "number")
      return `  ${name}  ${step.kind === "oneHot" ? "one-hot" : "lookup"}: ${shortened(step.levels.join(", "), 44)}`
    const fill = step.missing === null ? "" : `; missing: ${digits(step.missing)}`
    return `  ${name}  (value - ${digits(step.shift)}) / ${digits(step.divisor)}${fill}`
  })
  const wanted = target.kind === "classes" ? `one of ${shortened(target.classes.join(", "), 44)}` : "a number"
  return ["Inputs", ...lines, "Target", `  ${shortened(target.column, 24).padEnd(24)}  ${wanted}`].join("\n")
}
