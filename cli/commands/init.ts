// `trilobite init`: writes a config for a training on a table, with all settings and what they mean.

import { existsSync, writeFileSync } from "node:fs"
import type { Command } from "commander"
import { TrilobiteError } from "../../src/index.ts"
import { printLine } from "../output.ts"
import { quoted } from "../run-folder.ts"
import { type Setting, settings, usualSettings } from "../settings.ts"
import { inFlags, openTable } from "../tables.ts"
import { readPath, usageError } from "../values.ts"

const HELP = `
It writes trilobite.config.ts, which Node 22.18 and later read, or with --json
trilobite.json, for which editors know a schema. With a file of data the target
is its last column unless --target names another.

Examples:
  $ trilobite init data.csv --target species
  $ trilobite train --config trilobite.config.ts`

interface Options {
  readonly target?: string
  readonly out?: string
  readonly json?: true
  readonly force?: true
}

/** Adds the command. */
export function addInit(program: Command): void {
  program
    .command("init")
    .summary("write a config with comments")
    .description("Writes a config for a training on a table, with all settings and what they mean.")
    .argument("[data]", "a file, or the name of a data set")
    .option("--target <column>", "the column to predict")
    .option("--out <file>", "the file to write", (text) => readPath("--out", text))
    .option("--json", "write JSON, without comments")
    .option("--force", "write over a file that is there")
    .addHelpText("after", HELP)
    .action(async (data: string | undefined, options: Options) => {
      await init(data, options)
    })
}

async function init(data: string | undefined, { target, out, json, force }: Options): Promise<void> {
  const path = out ?? (json ? "trilobite.json" : "trilobite.config.ts")
  if (existsSync(path) && !force) {
    throw usageError({
      where: "--out",
      what: "this file is there already.",
      got: JSON.stringify(path),
      hint: "To write over it: --force.",
    })
  }
  const table = data === undefined ? undefined : await inFlags(() => openTable(data))
  const wanted = target ?? table?.target ?? table?.columns.at(-1)?.name
  if (table !== undefined && !table.columns.some(({ name }) => name === wanted)) {
    const expected = `one of ${table.columns
      .slice(0, 30)
      .map(({ name }) => name)
      .join(", ")}`
    throw new TrilobiteError("E_CONFIG", {
      where: "--target",
      what: `there is no column ${JSON.stringify(wanted)}.`,
      expected,
    })
  }
  const known = new Map<string, unknown>([
    ["data", data ?? "data.csv"],
    ["target", wanted ?? "species"],
  ])
  const text = json ? jsonText(known) : programText(known)
  try {
    writeFileSync(path, text, { flag: force ? "w" : "wx" })
  } catch (error) {
    const got = error instanceof Error && "code" in error ? String(error.code) : String(error)
    throw new TrilobiteError(
      "E_IO",
      { where: path, what: "cannot write this file.", got, hint: "Choose another folder: --out." },
      { cause: error },
    )
  }
  printLine(`Written to ${path}. To train:\ntrilobite train --config ${quoted(path)}`)
}

const SCHEMA = "./node_modules/trilobite/dist/train.schema.json"

function jsonText(known: ReadonlyMap<string, unknown>): string {
  return `${JSON.stringify({ $schema: SCHEMA, ...Object.fromEntries(known), ...usualSettings() }, null, 2)}\n`
}

function programText(known: ReadonlyMap<string, unknown>): string {
  const lines = settings.flatMap((setting) => {
    const value = known.get(setting.name) ?? setting.usual
    const comment = `  // ${sentence(setting)}`
    return value === undefined
      ? [comment, `  // ${setting.name}: ${exampleOf(setting)},`]
      : [comment, `  ${setting.name}: ${JSON.stringify(value)},`]
  })
  return `// A config for trilobite train; what is commented out has the default that its comment says.
import type { TrainConfig } from "trilobite/config"

const config: TrainConfig = {
${lines.join("\n")}
}

export default config
`
}

function sentence({ description, schema, told }: Setting): string {
  const choices = schema.enum === undefined ? "" : `: ${schema.enum.join(", ")}`
  return `${description[0]!.toUpperCase()}${description.slice(1)}${choices}${told === undefined ? "" : ` (default: ${told})`}.`
}

function exampleOf({ schema, example }: Setting): string {
  if (schema.type === "array") return JSON.stringify(example.split(","))
  if (schema.type === "boolean") return example === "on" ? "true" : "false"
  return schema.type === "string" ? JSON.stringify(example) : example
}
