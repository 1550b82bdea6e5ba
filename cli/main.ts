#!/usr/bin/env node
// The command `trilobite`: the list of its commands, and what happens to errors. Knows no command's work.

import { Command, CommanderError } from "commander"
import { addConvert } from "./commands/convert.ts"
import { addCost } from "./commands/cost.ts"
import { addDoctor } from "./commands/doctor.ts"
import { addEvaluate } from "./commands/evaluate.ts"
import { addExplain } from "./commands/explain.ts"
import { addInit } from "./commands/init.ts"
import { addInspect } from "./commands/inspect.ts"
import { addPredict } from "./commands/predict.ts"
import { addRuns } from "./commands/runs.ts"
import { addStudio } from "./commands/studio.ts"
import { addSummary } from "./commands/summary.ts"
import { addTrain } from "./commands/train.ts"
import { addTune } from "./commands/tune.ts"
import { errorText, exitCodeOf } from "./output.ts"
import { usageError } from "./values.ts"
import { version } from "./version.ts"

/** The commands, in the order of the help text. */
const commands: readonly ((program: Command) => void)[] = [
  addTrain,
  addTune,
  addPredict,
  addEvaluate,
  addInspect,
  addRuns,
  addDoctor,
  addExplain,
  addInit,
  addConvert,
  addSummary,
  addCost,
  addStudio,
]

const HELP = `
Examples:
  $ trilobite train data.csv --target species  a table: looks, trains, saves
  $ trilobite tune data.csv --target species   looks for the best net for it
  $ trilobite predict runs/data-... new.csv    what it makes of other rows
  $ trilobite train intermediate-net           the chapter's net, 20 epochs
  $ trilobite train shallow-net --epochs 5
  $ trilobite doctor runs/data-...             what is wrong, what to change
  $ trilobite explain runs/data-...            a page about a run
  $ trilobite summary intermediate-net
  $ trilobite inspect shallow-net --what program
  $ trilobite convert model.safetensors model.keras
  $ trilobite cost cross-entropy 1 0.9
  $ trilobite studio                           your runs in a browser

Exit codes: 0 done, 2 usage, 3 configuration, 4 data, 5 model file,
6 input/output, 7 diverged, 8 engine, 70 a bug in trilobite; 130 and 143 after
Ctrl-C and SIGTERM, when everything is saved.`

function build(): Command {
  const program = new Command("trilobite")
    .description("Trains deep networks: a compiler and its engine in TypeScript.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    // What commander would print of an error is printed below, like every other error.
    .configureOutput({ writeErr: () => {} })
    .addHelpText("after", HELP)
  for (const add of commands) add(program)
  return program
}

/** An error of commander as one of ours: `error: unknown option '--epoch'\n(Did you mean --epochs?)`. */
function asUsageError(error: CommanderError, program: Command): Error {
  const names = program.commands.map((command) => command.name())
  const name = names.find((command) => command === process.argv[2])
  const help = `See trilobite ${name === undefined ? "" : `${name} `}--help.`
  if (error.code === "commander.help") {
    return usageError({ what: "no command was given.", expected: names.join(", "), hint: help })
  }
  const [what = "", suggestion] = error.message.replace(/^error: /, "").split("\n")
  const hint = suggestion === undefined ? help : suggestion.replace(/^\(|\)$/g, "")
  return usageError({ what: what.endsWith(".") ? what : `${what}.`, hint })
}

function fail(error: unknown): void {
  const json = process.argv.includes("--json")
  const columns = process.stderr.isTTY ? process.stderr.columns : undefined
  process.stderr.write(`${errorText(error, json, columns)}\n`)
  process.exitCode = exitCodeOf(error)
}

// A reader of our output that has gone is no error: like other programs we end quietly, with SIGPIPE's exit code.
process.stdout.on("error", () => {
  process.exitCode = 141
})
process.stderr.on("error", () => {})
process.on("uncaughtException", (error) => {
  fail(error)
  process.exit()
})

const program = build()
try {
  await program.parseAsync(process.argv)
} catch (error) {
  if (!(error instanceof CommanderError)) fail(error)
  else if (error.exitCode !== 0) fail(asUsageError(error, program))
}
