// `trilobite train`: its options and its help. Knows how they are written, not how training works.

import { existsSync } from "node:fs"
import { type Command, Option } from "commander"
import type { TrainConfig } from "../config.ts"
import { readConfigFile } from "../config-file.ts"
import { isNetName, type NetName, netNames, nets, netsHelp } from "../nets.ts"
import { trainOnce } from "../one-training.ts"
import { MOST_REPAIRS, type Repairable, trainAndRepair } from "../repair.ts"
import { configOf } from "../run-folder.ts"
import { givenOf, type TrainOptions } from "../run-options.ts"
import { complete, flagOf, givenSettings, type SettingName, settings } from "../settings.ts"
import { isPackaged, setNames } from "../tables.ts"
import { tableTraining } from "../tabular.ts"
import { netTraining } from "../training.ts"
import { alike, readName, readNumber, readPath, readWhole, usageError } from "../values.ts"
import { settingFlag } from "./setting-flags.ts"

const HELP = `
On a table (CSV, TSV, JSON lines, Parquet, npy, npz, IDX; text also in gzip) it
finds out what the columns are, divides the rows, scales numbers, makes texts
one-hot, and trains two hidden layers of 64 relu: softmax (sigmoid for two
classes) and cross-entropy for classes, a linear output and the quadratic cost
for numbers. It stops when the validation loss no longer falls, and keeps the
best weights. Settings may also stand in a config (trilobite init); flags come
before it.

A file larger than an eighth of the memory is read in pieces, again in every
epoch (--stream on, or off): what is learnt of it is learnt in two or three
passes before; each row is drawn by itself to train, validate or test; a row is
mixed with the 4,096 before it, so a sorted file should be mixed first.

Data sets: ${setNames()}
${netsHelp()}

A run is kept in a folder, by default runs/<net>-<UTC date>-<UTC time>:
  config.json         everything needed to repeat it: net, options, seed, data
                      set, versions
  history.jsonl       one line of JSON per epoch, written as the epoch ends
  signals.jsonl       what the layers did, for trilobite explain and studio
  checkpoints/        where the training stands: the newest three, and the best
  model.safetensors   the weights at the end, also after Ctrl-C
  findings.jsonl      what the coach has found, and evidence.jsonl what it saw
  decisions.jsonl     what auto has decided, and by what numbers
  result.json         best epoch, accuracy, time, and how it ended

A coach watches: when something is wrong it says so in a line or two, at the end
in full, with the one thing to change. A run beside it that makes this change
alone is told whether what was promised came true. It changes no bit of the
training, and takes some hundredths of its time (--no-coach: nobody watches).

--repair makes the changes itself. As long as the coach finds something that a
flag can change, or the chapter knows a next step for what learns badly, it
makes one change and trains again, into a folder of its own (<run>-repair-1 and
so on): what validation says is better is kept, all else undone. What was wrong
before the first step is changed at once. It ends after ${MOST_REPAIRS} such trainings
(--max-repairs), with a table of them and the command that makes the best one
from scratch. Ctrl-C ends it with the best so far.

Ctrl-C (or SIGTERM) finishes the round and saves, a second one ends at once.
--resume goes on where the run was, in the middle of an epoch too, and ends with
the same bits as a run that was never stopped, also with other --threads. More
--epochs make it longer; all else is the run's own. A killed run goes on from
its last checkpoint, at most some seconds old; a damaged one is named, and the
one before it is used. One process at a time may train a run. If one cannot be
written the training ends with that error, and those before it stay;
--on-ckpt-error continue says so each time and goes on.

--batch-size auto begins with 32 and halves it until the compiled program fits
the memory. --epochs auto finds out how long to train: 16 epochs, twice as many
as long as the validation cost still falls; it stops when that creeps up
(overfitting) or rests, and takes back the weights of the best epoch.

With --json standard output holds one object per line: for each epoch
  {"epoch", "loss", "accuracy", "valLoss", "valAccuracy", "seconds"}
(from 1; seconds of training alone), {"finding": {...}} when the coach finds
something, {"decision": {...}} when something is decided, {"promise": {...}}
when the run makes a proposed change, then {"result": {...}} as in result.json;
with --repair {"repair": {...}} after the last training, with all of them. With
--quiet as well, these two alone. Errors are one object on standard error.

The same seed gives the same bits with any number of threads, any backend, and
wide vectors on or off; --numerics fused has bits of its own (one kind of
machine).

Examples:
  $ trilobite train data.csv --target species
  $ trilobite train penguins --missing mean --layers 128,64 --activation tanh
  $ trilobite train --config trilobite.config.ts
  $ trilobite train intermediate-net
  $ trilobite train intermediate-net --epochs 3 --seed 7 --out /tmp/run
  $ trilobite train shallow-net --learning-rate 0.1 --epochs 20
  $ trilobite train data.csv --target species --learning-rate 5 --repair
  $ trilobite train --resume runs/shallow-net-20251231-235959
  $ trilobite train intermediate-net --json > epochs.jsonl`

/** Adds the command. */
export function addTrain(program: Command): void {
  const own = (flags: string, description: string, read: (text: string) => unknown): Option =>
    new Option(flags, description).argParser(read)
  const command = program
    .command("train")
    .summary("train on a table, or a network of the chapter on MNIST")
    .description("Trains on a table, or a network of the chapter on MNIST, and keeps the run in a folder.")
    .argument("[data]", `a file, a data set, ${netNames.join(" or ")}`)
    .addOption(
      own("--epochs <n|auto>", "passes over all rows (default: the net's; 200)", (text) =>
        text === "auto" ? text : readWhole("--epochs", text, "--epochs 20", { least: 1, most: 1_000_000 }),
      ),
    )
    .addOption(
      own("--batch-size <n|auto>", "rows in a round (default: 128; 32 for tables)", (text) =>
        text === "auto" ? text : readWhole("--batch-size", text, "--batch-size 128", { least: 1, most: 10_000_000 }),
      ),
    )
    .addOption(
      own("--lr, --learning-rate <rate>", "length of the steps (default: the net's, or the optimizer's)", (text) =>
        readNumber("--learning-rate", text, "--learning-rate 0.1", { least: 0 }),
      ),
    )
    .addOption(
      own("--seed <n>", "what initial weights and order depend on (default: 0)", (text) =>
        readWhole("--seed", text, "--seed 1", { least: 0, most: Number.MAX_SAFE_INTEGER }),
      ),
    )
    .addOption(
      own("--threads <n>", "threads that share the work (default: one per core)", (text) =>
        readWhole("--threads", text, "--threads 2", { least: 1, most: 256 }),
      ),
    )
    .addOption(
      own("--backend <name>", "wasm or reference (slow) (default: the fastest)", (text) =>
        readName("--backend", "backend", text, ["wasm", "reference"] as const),
      ),
    )
    .addOption(
      own("--numerics <kind>", "portable: the same bits everywhere; fused: faster (default: portable)", (text) =>
        readName("--numerics", "kind of numerics", text, ["portable", "fused"] as const),
      ),
    )
    .addOption(
      own("--wide-vectors <on|off>", "pairs of vectors on Node 24 and later (default: on)", (text) =>
        readName("--wide-vectors", "setting", text, ["on", "off"] as const),
      ),
    )
    .addOption(own("--data <folder>", "folder with MNIST's four IDX files", (text) => readPath("--data", text)))
    .addOption(own("--out <folder>", "folder of the run: new or empty", (text) => readPath("--out", text)))
    .addOption(
      own("--resume <folder>", "go on with the run in this folder", (text) => readPath("--resume", text)).conflicts([
        "out",
        "numerics",
        "config",
        "repair",
        "maxRepairs",
        // How long a run trains may be changed, nothing else of it.
        ...settings.map(({ name }) => name).filter((name) => name !== "epochs" && name !== "data"),
      ]),
    )
    .addOption(
      own("--on-ckpt-error <what>", "if a checkpoint cannot be written: stop or continue (default: stop)", (text) =>
        readName("--on-ckpt-error", "choice", text, ["stop", "continue"] as const),
      ),
    )
    .option("--no-coach", "nobody watches for what is wrong with the training")
    .option("--repair", "change what the coach finds, one thing at a time, and train again")
    .addOption(
      own("--max-repairs <n>", `trainings with --repair after the first, at most (default: ${MOST_REPAIRS})`, (text) =>
        readWhole("--max-repairs", text, "--max-repairs 3", { least: 1, most: 1000 }),
      ),
    )
    .option("--quiet", "print the last lines only")
    .option("--json", "print lines of JSON only")
    .addOption(
      own("--config <file>", "for tables: settings in JSON or TypeScript", (text) => readPath("--config", text)),
    )
    .addHelpText("after", HELP)
    .action(async (data: string | undefined, options: Given) => {
      const code = await start(data, options)
      if (code !== 0) process.exitCode = code
    })
  for (const setting of settings) {
    if (setting.name === "data" || shared.includes(setting.name)) continue
    const { description, usual, told } = setting
    const byDefault = told ?? (usual === undefined ? undefined : String(usual))
    const words = `for tables: ${description}${byDefault === undefined ? "" : ` (default: ${byDefault})`}`
    command.addOption(settingFlag(setting, words))
  }
}

type Given = TrainOptions & TrainConfig & { readonly config?: string }

/** Settings that networks have, too: their flags stand above. */
const shared: readonly SettingName[] = ["epochs", "batchSize", "learningRate", "seed"]

/** The network of a run; undefined for one on a table, whose data its config names. */
function netOf(folder: string): string | undefined {
  const { net, target } = configOf(folder) as { readonly net?: unknown; readonly target?: unknown }
  return typeof target === "string" || typeof net !== "string" ? undefined : net
}

/** Trains what is named, and repairs it if that is asked for; answers with the exit code. */
async function start(named: string | undefined, options: Given): Promise<number> {
  checkRepair(options)
  const trained = await namedBy(named, options)
  return options.repair ? trainAndRepair(trained, options) : trainOnce(await trained.plan({}, options), options)
}

/** Throws E_USAGE for what does not go with --repair, or without it. */
function checkRepair({ repair, maxRepairs, coach }: TrainOptions): void {
  if (repair && coach === false) {
    const what = "--repair goes by what the coach sees."
    throw usageError({ where: "--no-coach", what, hint: "Leave one of them out." })
  }
  if (repair || maxRepairs === undefined) return
  throw usageError({ where: "--max-repairs", what: "there is nothing to repair.", hint: "Add --repair." })
}

/** What is to be trained. Throws E_USAGE for what cannot be. */
async function namedBy(named: string | undefined, options: Given): Promise<Repairable> {
  const config = options.config === undefined ? {} : await readConfigFile(options.config)
  const data = named ?? config.data ?? (options.resume === undefined ? undefined : netOf(options.resume))
  if (data === undefined && options.resume !== undefined) return ofTable({})
  if (data === undefined) {
    const expected = `a file, ${setNames()}, ${netNames.join(" or ")}`
    const hint = "For example: trilobite train data.csv --target species. See trilobite train --help."
    throw usageError({ where: "train", what: "missing required argument 'data'.", expected, hint })
  }
  const given = givenSettings(options)
  if (isNetName(data)) {
    const wrong = given.find(([name]) => !shared.includes(name) && name !== "data")
    if (wrong === undefined && options.config === undefined) return ofNet(data, options)
    const flag = wrong === undefined ? "--config" : flagOf(wrong[0])
    throw usageError({
      where: flag,
      what: `${flag} is for tables, and ${data} is a network with data of its own.`,
      hint: "Leave it out.",
    })
  }
  if (!isPackaged(data) && !/[./\\]/.test(data) && !existsSync(data)) {
    const near = alike(data, [...netNames, ...setNames().split(", ")])
    throw usageError({
      where: "train",
      what: `unknown network ${JSON.stringify(data)}.`,
      expected: `${netNames.join(" or ")}, ${setNames()}, or a file`,
      ...(near === undefined ? {} : { hint: `Did you mean ${near}?` }),
    })
  }
  if (options.data !== undefined) {
    throw usageError({
      where: "--data",
      what: "--data names the folder of MNIST.",
      hint: "The table is named before the flags.",
    })
  }
  return ofTable({ ...config, ...Object.fromEntries(given), data })
}

/** A training on a table with these settings. */
function ofTable(given: TrainConfig): Repairable {
  return {
    plan: (changes, options) => tableTraining({ ...given, ...changes }, options),
    setting: (name, changes) => complete({ ...given, ...changes })[name],
    takes: (name) => name !== "data",
  }
}

/** A training of a network of the chapter. */
function ofNet(net: NetName, given: TrainOptions): Repairable {
  return {
    plan: (changes, options) => netTraining(net, { ...options, ...(changes as TrainOptions) }),
    setting: (name, changes) => ({ ...nets[net], seed: 0, ...givenOf(given), ...changes })[name as "seed"],
    takes: (name) => shared.includes(name),
  }
}
