// `trilobite train`: its options and its help. Knows how they are written, not how training works.

import { type Command, Option } from "commander"
import { netNames, netsHelp } from "../nets.ts"
import { type TrainOptions, train } from "../training.ts"
import { readName, readNumber, readPath, readWhole } from "../values.ts"

const HELP = `
${netsHelp()}

A run is kept in a folder, by default runs/<net>-<UTC date>-<UTC time>:
  config.json         everything needed to repeat it: net, options, seed, data
                      set, versions
  history.jsonl       one line of JSON per epoch, written as the epoch ends
  signals.jsonl       what the layers did in each epoch, for trilobite studio
  model.safetensors   the weights at the end, also after Ctrl-C
  result.json         best epoch, accuracy, time, and how it ended

Ctrl-C (or SIGTERM) finishes the round and saves, a second one ends at once.
--resume goes on with the next epoch after the last finished one. An epoch that
was stopped half-way is begun again, from the weights as they were saved: so its
first half is trained twice. A run stopped between two epochs gives the same
bits as one that was never stopped.

With --json standard output holds one object per line: for each epoch
  {"epoch", "loss", "accuracy", "valLoss", "valAccuracy", "seconds"}
(from 1; seconds of training alone), then {"result": {...}} as in result.json.
With --quiet as well, the result alone. Errors are one object on standard error.

The same seed gives the same bits with any number of threads, any backend, and
wide vectors on or off; --numerics fused has bits of its own (one kind of
machine).

Examples:
  $ trilobite train intermediate-net
  $ trilobite train intermediate-net --epochs 3 --seed 7 --out /tmp/run
  $ trilobite train shallow-net --learning-rate 0.1 --epochs 20
  $ trilobite train intermediate-net --json > epochs.jsonl`

/** Adds the command. */
export function addTrain(program: Command): void {
  const own = (flags: string, description: string, read: (text: string) => unknown): Option =>
    new Option(flags, description).argParser(read)
  program
    .command("train")
    .summary("train a network of the chapter on MNIST")
    .description("Trains a network of the chapter on MNIST and keeps the run in a folder.")
    .argument("<net>", netNames.join(" or "), (text) => readName("train", "network", text, netNames))
    .addOption(
      own("--epochs <n>", "times that all images are used (default: the net's)", (text) =>
        readWhole("--epochs", text, "--epochs 20", { least: 1, most: 1_000_000 }),
      ),
    )
    .addOption(
      own("--batch-size <n>", "images in a round (default: 128)", (text) =>
        readWhole("--batch-size", text, "--batch-size 128", { least: 1, most: 60_000 }),
      ),
    )
    .addOption(
      own("--lr, --learning-rate <rate>", "length of the steps (default: the net's)", (text) =>
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
        "seed",
        "batchSize",
        "learningRate",
        "numerics",
      ]),
    )
    .option("--quiet", "print the last lines only")
    .option("--json", "print lines of JSON only")
    .addHelpText("after", HELP)
    .action(async (net: (typeof netNames)[number], options: TrainOptions) => {
      const code = await train(net, options)
      if (code !== 0) process.exitCode = code
    })
}
