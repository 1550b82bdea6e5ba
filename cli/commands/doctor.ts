// `trilobite doctor`: its options and its help. Knows how they are written, not what is wrong with a training.

import { type Command, Option } from "commander"
import type { TrainConfig } from "../config.ts"
import { type DoctorOptions, doctor } from "../doctor.ts"
import { netNames } from "../nets.ts"
import { givenSettings } from "../settings.ts"
import { readPath } from "../values.ts"
import { addSettings } from "./setting-flags.ts"

const HELP = `
Of a run it says what the coach has seen in it, in full. Of a config, a table or
a network it says what can be seen before the first step: nothing is trained.
Flags are those of trilobite train and come before the config.

A finding says what was seen, what is normal, why it matters, one thing to
change, and what you should see then.

Examples:
  $ trilobite doctor runs/iris-20260101-120000
  $ trilobite doctor data.csv --target species
  $ trilobite doctor data.csv --target price --loss mse --activation sigmoid
  $ trilobite doctor trilobite.config.json`

/** Adds the command. */
export function addDoctor(program: Command): void {
  const runs = new Option("--runs <folder>", "folder of the runs").default("runs")
  const command = program
    .command("doctor")
    .summary("say what is wrong with a training, begun or not")
    .description("Says what is wrong with a run, or with a training that is not begun.")
    .argument("<what>", `a run, a config, a file, a data set, ${netNames.join(" or ")}`)
    .addOption(runs.argParser((text) => readPath("--runs", text)))
    .option("--json", "print one object of JSON")
  addSettings(command)
    .addHelpText("after", HELP)
    .action(async (what: string, options: DoctorOptions & TrainConfig) => {
      await doctor(what, Object.fromEntries(givenSettings(options)), options)
    })
}
