// `trilobite tune`: its options and its help. Knows how they are written, not how a search works.

import { type Command, Option } from "commander"
import type { TrainConfig } from "../config.ts"
import { readConfigFile } from "../config-file.ts"
import { runRangeTest } from "../range-test.ts"
import { givenSettings, type Settings } from "../settings.ts"
import { isPackaged, setNames } from "../tables.ts"
import { work } from "../tune-worker.ts"
import { runTuning, samplers, type TuningOptions } from "../tuning.ts"
import { readName, readPath, readWhole, usageError } from "../values.ts"
import { addSettings } from "./setting-flags.ts"

const HELP = `
It starts from nothing but the data and looks for the learning rate, the units
and number of hidden layers, dropout and the batch size. --sampler chapter
follows the rules of thumb: the learning rate by powers of ten, units by powers
of two, of two nets that do equally well the smaller one; what is left of the
budget goes to TPE. --sampler tpe or random search all knobs at once. Trials run
at the same time, one on each processor, and are ended early when others are
better (successive halving). The best three, if they are close, are trained with
two more seeds where the budget allows: the smallest net wins unless a larger
one is better by more than the seeds differ. Then it is trained in full, with
what is left of the budget. Flags and --config say what stays as it is.

Data sets: mnist, ${setNames()}

The folder, by default runs/tune-<data>-<UTC date>-<UTC time>, holds
  study.jsonl         all trials, in the form of Optuna's journal: may be read
                      while the search runs, and opened by Optuna's dashboard
  decisions.jsonl     what was decided of each knob, and by what numbers
  best.json           the best configuration: trilobite train --config
  model.safetensors   the net that was trained with it
  <knob>.svg          the cost against each knob, the sweet spot marked
  result.json         all of it for programs

--range-test trains 85 rounds with rates that grow from 1e-6 to 10, stops when
the cost is four times its least, and suggests the rate to begin with: in
range-test.svg (the cost against the rate), range-test.json and decisions.jsonl.

Ctrl-C ends it; nothing that was finished is lost, and --resume goes on.

Examples:
  $ trilobite tune data.csv --target species
  $ trilobite tune mnist --budget 3m
  $ trilobite tune data.csv --target price --trials 60 --sampler tpe --seeds 3
  $ trilobite tune data.csv --target price --range-test
  $ trilobite tune --resume runs/tune-data-... --budget 10m`

/** Adds the command. */
export function addTune(program: Command): void {
  const own = (flags: string, description: string, read: (text: string) => unknown): Option =>
    new Option(flags, description).argParser(read)
  const command = program
    .command("tune")
    .summary("look for the best configuration for some data")
    .description("Looks for the best configuration for some data, and trains it.")
    .argument("[data]", "a file, a data set, or mnist")
    .addOption(own("--budget <time>", "how long it may take: 90s, 3m, 1h", readTime))
    .addOption(
      own("--trials <n>", "trials in all (default: 40, or what the budget allows)", (text) =>
        readWhole("--trials", text, "--trials 40", { least: 1, most: 1_000_000 }),
      ),
    )
    .addOption(
      own("--sampler <name>", `${samplers.join(", ")} (default: chapter)`, (text) =>
        readName("--sampler", "sampler", text, samplers),
      ),
    )
    .addOption(
      own("--seeds <n>", "trainings of each configuration (default: 1; 3 in the end)", (text) =>
        readWhole("--seeds", text, "--seeds 3", { least: 1, most: 100 }),
      ),
    )
    .addOption(
      own("--parallel <n>", "trials at a time (default: one per core)", (text) =>
        readWhole("--parallel", text, "--parallel 2", { least: 1, most: 256 }),
      ),
    )
    .addOption(
      new Option("--range-test", "only test learning rates, in 85 rounds, and suggest one").conflicts([
        ...["budget", "trials", "sampler", "seeds", "parallel", "resume", "learningRate"],
      ]),
    )
    .addOption(own("--out <folder>", "folder of the search: new or empty", (text) => readPath("--out", text)))
    .addOption(
      own("--resume <folder>", "go on with the search in this folder", (text) => readPath("--resume", text)).conflicts([
        "out",
        "sampler",
        "seeds",
      ]),
    )
    .addOption(own("--config <file>", "settings that the search begins with", (text) => readPath("--config", text)))
    .option("--quiet", "print the last lines only")
    .option("--json", "print lines of JSON only")
    .addOption(own("--worker <settings>", "", (text) => JSON.parse(text)).hideHelp())
  addSettings(command)
    .addHelpText("after", HELP)
    .action(async (data: string | undefined, options: Given) => {
      if (options.worker !== undefined) return work(options.worker)
      const code = await start(data, options)
      if (code !== 0) process.exitCode = code
    })
}

type Given = TuningOptions &
  TrainConfig & { readonly config?: string; readonly worker?: Settings; readonly rangeTest?: true }

async function start(named: string | undefined, options: Given): Promise<number> {
  const config = options.config === undefined ? {} : await readConfigFile(options.config)
  const given = givenSettings(options)
  const data = named ?? config.data
  if (options.resume !== undefined) {
    if (data === undefined && given.length === 0) return runTuning({}, options)
    const hint = "Leave them out."
    throw usageError({ where: "--resume", what: "a search goes on with its own data and settings.", hint })
  }
  if (data === undefined) {
    const hint = "For example: trilobite tune data.csv --target species. See trilobite tune --help."
    throw usageError({
      where: "tune",
      what: "missing required argument 'data'.",
      expected: `a file, mnist, ${setNames()}`,
      hint,
    })
  }
  if (!isPackaged(data) && !/[./\\]/.test(data)) {
    throw usageError({
      where: "tune",
      what: `unknown data set ${JSON.stringify(data)}.`,
      expected: `a file, mnist, ${setNames()}`,
    })
  }
  const all = { ...config, ...Object.fromEntries(given), data }
  return options.rangeTest ? runRangeTest(all, options) : runTuning(all, options)
}

/** A time with its unit, in seconds. */
function readTime(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(s|m|min|h)$/.exec(text) ?? []
  const seconds = Number(number) * (unit === "s" ? 1 : unit === "h" ? 3600 : 60)
  if (seconds > 0 && seconds <= 2_000_000) return seconds
  throw usageError({
    where: "--budget",
    what: "this is no time.",
    expected: "a number with s, m or h",
    got: JSON.stringify(text),
    hint: "For example: --budget 3m.",
  })
}
