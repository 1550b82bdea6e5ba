// The command line without training: what it prints, which exit codes it gives, and how errors look.
import { spawn } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { finished, node, useCli } from "./support/cli.ts"

const cli = useCli()
const net = "intermediate-net"

/** Arguments, exit code, and what is printed: on standard output if the code is 0, else as the one line of the error. */
type Case = readonly [args: readonly string[], code: number, ...patterns: RegExp[]]

/** Cases in the form that vitest takes and names. */
const rows = (cases: readonly Case[]): { args: readonly string[]; code: number; patterns: readonly RegExp[] }[] =>
  cases.map(([args, code, ...patterns]) => ({ args, code, patterns }))

const answers: readonly Case[] = [
  [["--version"], 0, /^0\.\d+\.\d+\n$/],
  [
    ["--help"],
    0,
    /Usage: trilobite/,
    /Examples:\n {2}\$ trilobite train data\.csv --target species/,
    /\$ trilobite train intermediate-net/,
    /Exit codes/,
  ],
  [["tune", "--help"], 0, /--budget <time>/, /study\.jsonl/, /powers of ten/],
  [["train", "--help"], 0, /--resume <folder>/, /model\.safetensors/, /shallow-net/, /in the middle of an epoch too/],
  [["summary", net], 0, /50,240 = 50,176 \+ 64/, /4,160 = 4,096 \+ 64/, /650 = 640 \+ 10/, /Total params: 55,050/],
  [["summary", "shallow-net"], 0, /Total params: 50,890/],
  [["inspect", net], 0, /^train:\n/, /\nprogram: portable, batch up to 128/],
  [["inspect", net, "--what", "graph"], 0, /^train:\n((?!program:).*\n)*$/],
  [["inspect", net, "--what=program"], 0, /^program: portable, batch up to 128/],
]

/** The chapter's figures (facts.md), each as the command prints it. */
const costs: readonly (readonly [name: string, y: string, output: string, printed: string])[] = [
  ["quadratic", "1", "1", "0"],
  ["quadratic", "1", "0.9997", "9e-8"],
  ["quadratic", "1", "0.9", "0.01"],
  ["quadratic", "1", "0.6", "0.16"],
  ["quadratic", "1", "0.1192", "0.77580864"],
  ["quadratic", "0", "0.1192", "0.01420864"],
  ["quadratic", "1", "-0.5", "2.25"],
  ["quadratic", "1", "1e300", "Infinity"],
  ["cross-entropy", "1", "0.9997", "0.000300045009"],
  ["cross-entropy", "1", "0.9", "0.1053605157"],
  ["cross-entropy", "1", ".6", "0.5108256238"],
  ["cross-entropy", "1", "0.1192", "2.126952524"],
  ["cross-entropy", "0", "0.1192", "0.1269246936"],
  ["cross-entropy", "1", "0.8808", "0.1269246936"],
  ["cross-entropy", "1", "0", "Infinity"],
  ["cross-entropy", "1", "1", "0"],
]

const faults: readonly Case[] = [
  [
    [],
    2,
    /no command was given\. Expected train, tune, predict, evaluate, inspect, runs, doctor, explain, init, convert, summary, cost, studio\./,
  ],
  [["trian"], 2, /unknown command 'trian'\. Did you mean train\?/],
  [["train"], 2, /missing required argument 'data'/, /See trilobite train --help/],
  [["train", "intermediate_net"], 2, /Did you mean intermediate-net\?/],
  [["train", "shalow"], 2, /Did you mean shallow-net\?/],
  [["train", "toString"], 2, /Expected intermediate-net or shallow-net/],
  [["summary", "intermediate"], 2, /Did you mean intermediate-net\?/],
  [["inspect", "shallownet"], 2, /Did you mean shallow-net\?/],
  [["inspect", net, "--what", "programme"], 2, /Did you mean program\?/],
  [["summary", net, net], 2, /too many arguments/],
  // A folder that the system does not make: an error at once, not a search without end.
  [["train", net, "--out", "/dev/null/run/x"], 6, /cannot make this folder|cannot read this folder/],
  ...(process.platform === "linux"
    ? ([[["train", net, "--out", "/proc/no/run"], 6, /cannot make this folder/]] as const)
    : []),
  // J12: unknown flags; J18: flags that exclude each other.
  [["train", net, "--epoch", "3"], 2, /unknown option '--epoch'\. Did you mean --epochs\?/],
  [["train", net, "--frobnicate"], 2, /unknown option '--frobnicate'\. See trilobite train --help/],
  [["train", net, "--resume", "x", "--seed", "1"], 2, /cannot be used with option '--seed <n>'/],
  [["train", "--resume", "x", "--layers", "3"], 2, /cannot be used with option '--layers <units>'/],
  [["train", net, "--resume", "x", "--out", "y"], 2, /cannot be used with option '--out <folder>'/],
  // J13: empty; J14: decimal comma; and what Number() and parseInt() would let pass.
  [["train", net, "--epochs="], 2, /--epochs: this is not a whole number\. .* got "".* For example: --epochs 20/],
  [["train", net, "--epochs"], 2, /argument missing/],
  [["train", net, "--lr=0,1"], 2, /got "0,1"\. The decimal mark is a point: 0\.1\./],
  [["train", net, "--learning-rate", "0,01"], 2, /The decimal mark is a point: 0\.01\./],
  ...["", " ", "NaN", "Infinity", "1e", "0x10", "1_0", "1e999", "0.1.2", "--", "null"].map(
    (text): Case => [["train", net, `--learning-rate=${text}`], 2, /this is not a number/, /For example/],
  ),
  [["train", net, "--learning-rate", "-0.1"], 2, /Expected a number, at least 0, got "-0\.1"/],
  ...["1.5", "-1", " 3", "3 ", "1e2", "+3", "three", "NaN", "9007199254740993"].flatMap((text): Case[] => [
    [["train", net, "--epochs", text], 2, /not a whole number/, /For example: --epochs 20/],
    [["train", net, "--batch-size", text], 2, /not a whole number/, /For example: --batch-size 128/],
    [["train", net, "--seed", text], 2, /not a whole number/, /For example: --seed 1/],
    [["train", net, "--threads", text], 2, /not a whole number/, /For example: --threads 2/],
  ]),
  [["train", net, "--epochs", "0"], 2, /from 1 to 1000000, got "0"/],
  [["train", net, "--batch-size", "0"], 2, /from 1 to 10000000, got "0"/],
  [["train", net, "--threads", "0"], 2, /from 1 to 256, got "0"/],
  [["train", net, "--threads", "1000000"], 2, /from 1 to 256/],
  [["train", net, "--backend", "wsm"], 2, /unknown backend "wsm"\. .* Did you mean wasm\?/],
  [["train", net, "--backend", "constructor"], 2, /Expected wasm or reference/],
  [["train", net, "--out="], 2, /--out: this names no folder/],
  // J16: nothing is overwritten; J17: nothing to go on with.
  [["train", net, "--out", "full"], 2, /not empty, and nothing is overwritten/, /--resume full/],
  [["train", "--resume", "nowhere"], 6, /nowhere.config\.json: cannot read this file\. Got ENOENT/],
  [["train", net, "--resume", "nowhere"], 6, /nowhere.config\.json: cannot read this file\. Got ENOENT/],
  [
    ["train", "shallow-net", "--resume", "killed"],
    2,
    /trains another network/,
    /train intermediate-net --resume killed/,
  ],
  [
    ["train", "iris", "--resume", "killed"],
    2,
    /trains a network of the chapter/,
    /train intermediate-net --resume killed/,
  ],
  [["train", net, "--resume", "broken"], 3, /broken.config\.json: .* Expected an object in JSON/],
  [["train", net, "--resume", "changed"], 3, /changed.config\.json: epochs is not possible\. Got "0\.1"/],
  [["train", net, "--resume", "short"], 5, /short: history\.jsonl does not hold the epochs/],
  [["train", "shallow-net", "--resume", "done"], 2, /trains another network/, /train intermediate-net --resume done/],
  [["train", net, "--resume", "done"], 2, /all epochs of this run are done/, /--epochs 11/],
  [["train", net, "--resume", "done", "--epochs", "2"], 6, /done.model\.safetensors/],
  [["train", net, "--resume", "foreign"], 3, /the arithmetic of trilobite has changed/, /trilobite 9\.9\.9/],
  [["train", net, "--data", "nowhere"], 6, /nowhere: there is no such folder/, /option --data/],
  [["train", net, "--data", "full"], 6, /full: there is no train-labels-idx1-ubyte/],
  [["train", net, "--out", "full/file/run"], 6, /cannot make this folder\. Got ENOTDIR/],
  [["cost", "quadratic"], 2, /missing required argument 'numbers'/],
  [["cost", "quadratic", "1"], 2, /come in pairs: y, then the output\. Got 1 number\./],
  [["cost", "quadratic", "1", "0,5"], 2, /The decimal mark is a point: 0\.5/],
  [["cost", "quadratic", "1", "x"], 2, /this is not a number\. Expected a number, got "x"/],
  [["cost", "crossentropy", "1", "1"], 2, /Did you mean cross-entropy\?/],
  [["cost", "cross-entropy", "1", "2"], 4, /no probability/],
  [["cost", "quadratic", "1", "\u001b[31mred"], 2, /got "\\u001b\[31mred"/],
]

const config = { net, epochs: 1, batchSize: 128, learningRate: 0.1, seed: 0, numericsVersion: 1, data: null }
const complete = { ...config, threads: null, backend: null, wideVectors: true, numerics: "portable", resumed: [] }

/** Folders of runs that something is the matter with. */
function plant(): void {
  const epoch = '{"epoch":1}\n'
  const folders: Record<string, Record<string, string>> = {
    full: { file: "x" },
    killed: { "config.json": JSON.stringify(complete), "history.jsonl": epoch },
    broken: { "config.json": "{" },
    changed: { "config.json": JSON.stringify({ ...complete, epochs: "0.1" }) },
    short: { "config.json": JSON.stringify(complete), "history.jsonl": epoch, "result.json": '{"epochs":3}' },
    done: { "config.json": JSON.stringify(complete), "history.jsonl": epoch, "result.json": '{"epochs":1}' },
    foreign: {
      "config.json": JSON.stringify({ ...complete, numericsVersion: 0, trilobite: "9.9.9" }),
      "history.jsonl": epoch,
      "result.json": '{"epochs":1}',
    },
  }
  for (const [folder, files] of Object.entries(folders)) {
    mkdirSync(join(cli.folder, folder), { recursive: true })
    for (const [file, text] of Object.entries(files)) writeFileSync(join(cli.folder, folder, file), text)
  }
}

describe.concurrent("commands", () => {
  test.each(rows(answers))("$args", async ({ args, code, patterns }) => {
    const { code: got, out, err } = await cli.run(...args)
    expect({ got, err }).toEqual({ got: code, err: "" })
    for (const pattern of patterns) expect(out).toMatch(pattern)
    if (args[0] !== "inspect") expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  test.each(costs)("the %s cost of (%s, %s) is %s", async (name, y, output, printed) => {
    expect(await cli.run("cost", name, y, output)).toEqual({ code: 0, out: `${printed}\n`, err: "" })
  })

  test("several pairs give a line each and their mean", async () => {
    const { out } = await cli.run("cost", "quadratic", "1", "0.9", "0", "0.5")
    expect(out).toBe("1 0.9 0.01\n0 0.5 0.25\nmean 0.13\n")
  })
})

describe("errors", () => {
  plant()

  describe.concurrent("for people", () => {
    test.each(rows(faults))("$args exits with $code", async ({ args, code, patterns }) => {
      const { code: got, out, err } = await cli.run(...args)
      expect({ got, out }, err).toEqual({ got: code, out: "" })
      // One line, without a stack, and nothing in it that a terminal would obey.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not come
      expect(err).toMatch(/^trilobite: [^\u0000-\u001f\u007f-\u009f]+\n$/)
      for (const pattern of patterns) expect(err).toMatch(pattern)
    })
  })

  test("a bug exits with 70 and its stack", async () => {
    const bug = "data:text/javascript,Number.prototype.toPrecision = () => { throw new Error('planted') }"
    const { code, out, err } = await finished(
      spawn(node, ["--import", bug, cli.main, "cost", "quadratic", "1", "0.5"], { cwd: cli.folder }),
    )
    expect({ code, out, err }).toEqual({
      code: 70,
      out: "",
      err: expect.stringMatching(/bug.*\nError: planted\n +at /),
    })
  })

  const mistake = ["train", net, "--json", "--epochs", "1.5"]
  test.each([
    [mistake, { code: "E_USAGE", where: "--epochs", got: '"1.5"' }],
    [["train", net, "--json", "--epoch", "3"], { code: "E_USAGE", hint: "Did you mean --epochs?" }],
    [["train", net, "--json", "--resume", "nowhere"], { code: "E_IO", got: "ENOENT" }],
  ])("for programs: %j", async (args, fields) => {
    const { out, err } = await cli.run(...args)
    expect(out).toBe("")
    expect(err.trimEnd()).not.toContain("\n")
    expect(JSON.parse(err)).toEqual({ error: expect.objectContaining({ what: expect.any(String), ...fields }) })
  })
})
