// Tables on the command line: from a file to a saved model, what it says of other rows, configs, and what goes wrong.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, test } from "vitest"
import { jsonSchema, settings } from "../cli/settings.ts"
import type { Signals } from "../cli/signals.ts"
import { isStreamed } from "../cli/streaming.ts"
import { dataSet, prepareInputs, readPreparation, readTable } from "../src/datasets.ts"
import { loadModel } from "../src/index.ts"
import { type Finished, finished, RUN_FILES, useCli } from "./support/cli.ts"

const cli = useCli()
const at = (...path: string[]): string => join(cli.folder, ...path)
const json = (...path: string[]): Record<string, unknown> => JSON.parse(readFileSync(at(...path), "utf8"))
const rows = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

/** A table whose last column follows from the others. */
const numbers = (rows: number): string =>
  `a,b,y\n${Array.from({ length: rows }, (_, i) => {
    const [a, b] = [(i * 37) % 101, (i * 53) % 89]
    return `${a / 10},${b},${3 * a - b + 7.5}`
  }).join("\n")}\n`

const done = (finished: Finished): string => {
  expect({ code: finished.code, err: finished.err }).toEqual({ code: 0, err: "" })
  return finished.out
}

beforeAll(() => {
  writeFileSync(at("numbers.csv"), numbers(200))
  writeFileSync(at("plain"), numbers(20))
  writeFileSync(
    at("kinds.csv"),
    `size,code,kind\n${Array.from({ length: 90 }, (_, i) => `${i % 9},00${i % 2},${i % 9 > 4 ? "big" : "=small"}`).join("\n")}\n`,
  )
  writeFileSync(
    at("gaps.csv"),
    `a,b,y\n${Array.from({ length: 60 }, (_, i) => `${i === 3 ? "" : (i * 7) % 13},${i % 2 ? "u" : "v"},${(i * 7) % 13 > 6 ? "hi" : "lo"}`).join("\n")}\n`,
  )
  mkdirSync(at("full"))
  writeFileSync(at("full/x"), "x")
})

describe("trilobite train <file>", () => {
  test("a data set by name: what was found, progress, a confusion matrix, a model that is saved", async () => {
    const out = done(await cli.run("train", "iris", "--out", "iris"))
    expect(out).toMatch(/^iris: 150 rows, 5 columns\n/)
    expect(out).toMatch(/species {6}3 texts: setosa, versicolor, virginica +target/)
    expect(out).toMatch(/Task {9}classification into 3 classes; 120 rows to train, 30 to validate/)
    expect(out).toMatch(/4 inputs - 64 relu - 64 relu - 3 softmax: 4,675 parameters/)
    expect(out).toMatch(/cross-entropy, adam 0\.001/)
    expect(out).toMatch(/Warning {6}The rows are sorted by "species"/)
    expect(out).toMatch(/Epoch {3}1 {2}loss \d/)
    expect(out).toMatch(/setosa {2}versicolor {2}virginica\n {2}setosa +\d+ +\d+ +\d+\n/)
    expect(out).toMatch(/trilobite predict iris <file>/)
    expect(readdirSync(at("iris")).sort()).toEqual(RUN_FILES)
    const result = json("iris", "result.json") as {
      validation: { accuracy: number; confusion: number[][] }
      ended: string
    }
    expect(result.validation.accuracy).toBeGreaterThanOrEqual(0.9)
    expect(result.validation.confusion.flat().reduce((a, b) => a + b, 0)).toBe(30)
    expect(json("iris", "config.json")).toMatchObject({
      net: "iris",
      data: "iris",
      target: "species",
      layers: [64, 64],
      seed: 0,
      numericsVersion: expect.any(Number),
    })
  })

  test("numbers: R² and residuals in their own unit; the same seed gives the same bytes", async () => {
    const flags = [
      "--target",
      "y",
      "--epochs",
      "40",
      "--layers",
      "32",
      "--optimizer",
      "adam",
      "--learning-rate",
      "0.01",
      "--seed",
      "3",
    ]
    const [first, again] = [
      await cli.run("train", "numbers.csv", ...flags, "--out", "n1"),
      await cli.run("train", "numbers.csv", ...flags, "--out", "n2", "--threads", "2"),
    ]
    expect(done(first)).toMatch(
      /regression; 160 rows to train, 40 to validate[\s\S]*1 linear[\s\S]*mean squared error[\s\S]*R² {11}0\.9\d+[\s\S]*Residuals/,
    )
    done(again)
    expect(readFileSync(at("n1/model.safetensors")).equals(readFileSync(at("n2/model.safetensors")))).toBe(true)
    const { validation } = json("n1", "result.json") as { validation: { r2: number; rootMeanSquaredError: number } }
    expect(validation.r2).toBeGreaterThan(0.95)
    // Predictions are in the unit of the target.
    const answers = rows(done(await cli.run("predict", "n1", "numbers.csv", "--json")))
    const { columns } = await readTable(at("numbers.csv"))
    const truth = (columns[2] as { values: Float64Array }).values
    const error = Math.sqrt(answers.reduce((sum, { y }, i) => sum + ((y as number) - truth[i]!) ** 2, 0) / 200)
    expect(error).toBeLessThan(2 * validation.rootMeanSquaredError + 1)
  })

  test("all choices by flags: two classes, texts that look like numbers, --json", async () => {
    const flags =
      "--target kind --categorical code --layers 8,4 --activation tanh --dropout 0.1 --l2 0.0001 --optimizer nadam --validation 0.25 --test 0.1 --epochs 30 --batch-size 16 --patience 0 --class-weights balanced --scaling minMax"
    const printed = rows(done(await cli.run("train", "kinds.csv", ...flags.split(" "), "--json", "--out", "kinds")))
    const lines = printed.filter((line) => !("finding" in line))
    expect(lines).toHaveLength(31)
    expect(Object.keys(lines[0]!)).toEqual([
      "epoch",
      "loss",
      "binaryAccuracy",
      "valLoss",
      "valBinaryAccuracy",
      "seconds",
    ])
    expect(lines[30]).toMatchObject({
      result: { task: "classification", epochs: 30, ended: "completed", test: { rows: 9 } },
    })
    const model = await loadModel(at("kinds/model.safetensors"))
    const { features, target } = readPreparation(model.preparing)
    expect(features[1]).toEqual({ column: "code", kind: "oneHot", levels: ["000", "001"], missing: null })
    expect(target).toEqual({ column: "kind", kind: "classes", classes: ["=small", "big"] })
    expect(model.layers.map(({ name }) => name)).toEqual(["dense", "dropout", "dense_1", "dropout_1", "dense_2"])
  })

  test("killed, stopped within an epoch, gone on with by other threads: the bits of a run that was left alone", {
    timeout: 240_000,
  }, async () => {
    const flags = "--target y --epochs 120 --patience 110 --dropout 0.1 --layers 64,64,64 --seed 5".split(" ")
    done(await cli.run("train", "numbers.csv", ...flags, "--quiet", "--out", "left"))
    const until = async (signal: "SIGKILL" | "SIGINT", epoch: number, ...args: string[]): Promise<Finished> => {
      const child = cli.start(["train", ...args, "--json"])
      const ended = finished(child)
      let text = ""
      child.stdout.on("data", (chunk) => {
        text += chunk
        // Once: a second signal would end it without saving.
        if (!child.killed && text.includes(`"epoch":${epoch},`)) child.kill(signal)
      })
      return ended
    }
    expect((await until("SIGKILL", 20, "numbers.csv", ...flags, "--out", "taken up")).code).toBe(null)
    const { code, out } = await until("SIGINT", 50, "--resume", "taken up", "--threads", "1")
    expect(code).toBe(130)
    expect(rows(out).at(-1)!.result).toMatchObject({ resume: "trilobite train --resume 'taken up'", ended: "aborted" })
    const newest = readdirSync(at("taken up/checkpoints")).sort().at(-1)!
    writeFileSync(at("taken up/checkpoints", newest), readFileSync(at("taken up/checkpoints", newest)).subarray(0, -1))
    const again = await cli.run("train", "numbers.csv", "--resume", "taken up", "--threads", "2", "--quiet")
    expect(again).toMatchObject({
      code: 0,
      err: expect.stringMatching(new RegExp(`^Note: .*${newest}.* Going on with `)),
    })
    expect(readFileSync(at("taken up/model.safetensors")).equals(readFileSync(at("left/model.safetensors")))).toBe(true)
    const history = (run: string) =>
      rows(readFileSync(at(run, "history.jsonl"), "utf8")).map((line) => ({ ...line, seconds: 0 }))
    expect(history("taken up")).toEqual(history("left"))
  })

  test("--batch-size auto: as large as the memory allows, from 32; a decision, and a number in the config", async () => {
    const flags = "--target y --batch-size auto --epochs 2".split(" ")
    const out = done(await cli.run("train", "numbers.csv", ...flags, "--out", "batch"))
    expect(out).toMatch(/\nbatchSize 32: it takes [\d.]+ KiB of [\d.]+ [MG]iB\.\n/)
    expect(out).toMatch(/, batches of 32, /)
    expect(json("batch", "config.json").batchSize).toBe(32)
    const [decision, ...others] = rows(readFileSync(at("batch", "decisions.jsonl"), "utf8"))
    expect(others).toEqual([])
    expect(decision).toMatchObject({ knob: "batchSize", value: 32, evidence: { rows: 160, from: 32, most: 128 } })
    const huge = "--target y --batch-size auto --layers 12000,12000".split(" ")
    const { code, err } = await cli.run("train", "numbers.csv", ...huge, "--out", "huge")
    expect([code, err.replace(/\s+/g, " ")]).toEqual([
      3,
      expect.stringMatching(/batchSize 1 does not fit either: it takes .* smaller network/),
    ])
  })

  test("--epochs auto: how long it trained and why, in a sentence and as a decision; killed and gone on with, the same", {
    timeout: 240_000,
  }, async () => {
    const flags = "--target y --epochs auto --learning-rate 0.01 --seed 5".split(" ")
    const out = done(await cli.run("train", "numbers.csv", ...flags, "--no-coach", "--out", "auto"))
    expect(out).toMatch(/Training .*, epochs by the validation cost\n/)
    expect(out).toMatch(/\nEpochs 16 to 32: validation cost still falls, [^.]*\.\d/)
    expect(out).toMatch(/\nEpochs {7}\d+, as the validation cost says; the weights of epoch \d+ are saved\n/)
    for (const line of out.split("\n").filter((line) => !/^ +\d|Saved|To use/.test(line)))
      expect(line.length).toBeLessThanOrEqual(120)
    const decisions = (run: string) => rows(readFileSync(at(run, "decisions.jsonl"), "utf8"))
    const told = decisions("auto")
    expect(told[0]).toMatchObject({ knob: "epochs", value: 32, ends: false, evidence: { case: "falls", epochs: 16 } })
    const { epochs, bestEpoch } = json("auto", "result.json") as { epochs: number; bestEpoch: number }
    expect(told.at(-1)).toMatchObject({ value: epochs, ends: true, evidence: { epochs, bestEpoch } })
    // Killed just behind a decision, which it then does not tell twice.
    const child = cli.start(["train", "numbers.csv", ...flags, "--json", "--out", "auto killed"])
    const ended = finished(child)
    let text = ""
    child.stdout.on("data", (chunk) => {
      text += chunk
      if (!child.killed && text.includes('"epoch":18,')) child.kill("SIGKILL")
    })
    expect((await ended).code).toBe(null)
    expect(text).toContain('{"decision":{"knob":"epochs","value":32,')
    done(await cli.run("train", "--resume", "auto killed", "--quiet"))
    expect(readFileSync(at("auto killed/model.safetensors")).equals(readFileSync(at("auto/model.safetensors")))).toBe(
      true,
    )
    expect(decisions("auto killed")).toEqual(told)
    const refused = async (...args: string[]) => (await cli.run("train", ...args)).err.replace(/\s+/g, " ")
    expect(await refused("--resume", "auto")).toMatch(/has stopped by itself.*Start a new run; --epochs <n>/)
    expect(await refused("--resume", "auto", "--epochs", "500")).toMatch(
      /--epochs: this run finds out itself how long it trains\. Expected auto, got 500/,
    )
  })

  test("a file in pieces: trained, stopped and gone on with, evaluated and predicted; said, and kept in the config", {
    timeout: 120_000,
  }, async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => {
      const [a, b] = [(i * 7919) % 1009, (i * 104_729) % 877]
      return `${a / 100},${b},${["u", "v", "w"][i % 3]},${a > 500 === b > 400 ? "like" : "unlike"}`
    })
    writeFileSync(at("large.csv"), `a,b,kind,y\n${lines.join("\n")}\n`)
    const settings = ["--target", "y", "--layers", "8", "--epochs", "3", "--test", "0.1", "--class-weights", "balanced"]
    const train = ["train", "large.csv", "--stream", "on", ...settings]
    const out = done(await cli.run(...train, "--out", "pieces"))
    expect(out).toMatch(/^large\.csv: 30,000 rows, 4 columns, 3 columns used as 5 inputs\nReading {6}in pieces/)
    expect(json("pieces", "config.json")).toMatchObject({ stream: true, dataset: { rows: 30_000, columns: 4 } })
    const result = json("pieces", "result.json") as { [part: string]: { rows: number; confusion: number[][] } }
    const told = /([\d,]+) rows to train, (\d+) to validate, (\d+) to test/.exec(out)!.slice(1)
    const [trained, validated, tested] = told.map((n) => Number(n.replace(",", "")))
    expect(trained! + validated! + tested!).toBe(30_000)
    expect([result.validation!.rows, result.test!.rows]).toEqual([validated, tested])
    const seen = readFileSync(at("pieces", "signals.jsonl"), "utf8").trimEnd().split("\n")
    const last = JSON.parse(seen.at(-1)!) as Signals
    const { seconds } = JSON.parse(readFileSync(at("pieces", "history.jsonl"), "utf8").trimEnd().split("\n").at(-1)!)
    expect(last.samplesPerSecond * seconds).toBeCloseTo(trained!)
    expect(last.layers.map(({ gradient }) => gradient! > 0)).toEqual([true, true])
    const answered = last.answers!.confusion.flat().reduce((sum, rows) => sum + rows)
    expect(answered).toBeGreaterThan(0)
    expect(answered).toBeLessThanOrEqual(validated!)
    const bytes = (folder: string): Buffer => readFileSync(at(folder, "model.safetensors"))
    const child = cli.start([...train, "--out", "pieces-on", "--json"])
    const ended = finished(child)
    child.stdout.on("data", (chunk) => {
      if (!child.killed && String(chunk).includes('"epoch":1,')) child.kill("SIGTERM")
    })
    expect((await ended).code).toBe(143)
    done(await cli.run("train", "--resume", "pieces-on", "--threads", "2"))
    expect(bytes("pieces-on").equals(bytes("pieces"))).toBe(true)
    expect(done(await cli.run("evaluate", "pieces", "large.csv"))).toMatch(/^large\.csv: 30,000 rows\nAccuracy/)
    const answers = done(await cli.run("predict", "pieces", "large.csv", "--csv"))
      .trimEnd()
      .split("\n")
    expect(answers.length).toBe(30_001)
    const model = await loadModel(at("pieces", "model.safetensors"))
    const { x } = prepareInputs(readPreparation(model.preparing), await readTable(at("large.csv")))
    const said = (await model.predict(x)).data
    for (const row of [0, 8191, 8192, 29_999]) expect(answers[row + 1]!.split(",").at(-1)).toBe(String(said[row]))
    const refused = await cli.run("train", "large.csv", "--stream", "on", "--target", "y", "--split", "stratified")
    expect(refused.err).toMatch(/drawn one by one/)
  })

  test("files larger than an eighth of the memory are read in pieces, unless their rows cannot be drawn one by one", () => {
    const data = at("numbers.csv")
    const { size } = statSync(data)
    expect(isStreamed({ data }, 8 * size)).toBe(false)
    expect(isStreamed({ data }, 8 * size - 1)).toBe(true)
    expect(isStreamed({ data, split: "random" }, size)).toBe(true)
    expect(isStreamed({ data, split: "stratified" }, size)).toBe(false)
    expect(isStreamed({ data, stream: false }, size)).toBe(false)
    expect(isStreamed({ data, stream: true })).toBe(true)
    expect(isStreamed({ data: "iris" }, 1)).toBe(false)
    expect(isStreamed({ data: at("nothing.csv") }, 1)).toBe(false)
  })

  test("K10 missing cells are named with what can be done, and filled if that is asked", async () => {
    const { code, err } = await cli.run("train", "gaps.csv", "--target", "y")
    expect({ code, err }).toEqual({
      code: 4,
      err: expect.stringMatching(
        /gaps\.csv:5, column 1 "a": the cell is empty.*1 in "a".*--missing mean.*--missing drop/,
      ),
    })
    done(
      await cli.run(
        "train",
        "gaps.csv",
        "--target",
        "y",
        "--missing",
        "mean",
        "--epochs",
        "2",
        "--out",
        "gaps",
        "--loss",
        "mse",
      ),
    )
  })

  test("labels that tell nothing are said to be no better than chance", async () => {
    const text = `x,y\n${Array.from({ length: 80 }, (_, i) => `${(i * i * 31) % 17},${(i * 7919) % 5 > 1 ? "a" : "b"}`).join("\n")}\n`
    writeFileSync(at("noise.csv"), text)
    expect(
      done(
        await cli.run(
          "train",
          "noise.csv",
          "--target",
          "y",
          "--epochs",
          "1",
          "--quiet",
          "--learning-rate",
          "0",
          "--out",
          "noise",
        ),
      ),
    ).toMatch(/no better than always saying the largest class/)
  })
})

describe("configs", () => {
  test("the published schema is that of the settings", () => {
    expect(JSON.parse(readFileSync(new URL("../cli/train.schema.json", import.meta.url), "utf8"))).toEqual(jsonSchema())
  })

  test("init writes one with all settings, and train takes it; flags come before it", async () => {
    for (const [flags, path] of [
      [[], "trilobite.config.ts"],
      [["--json"], "trilobite.json"],
    ] as const) {
      expect(done(await cli.run("init", "numbers.csv", ...flags))).toContain(`trilobite train --config ${path}`)
      const text = readFileSync(at(path), "utf8")
      expect(text).toMatch(/"?data"?: "numbers\.csv"/)
      expect(text).toMatch(/"?target"?: "y"/)
      if (path.endsWith(".ts")) for (const { name } of settings) expect(text).toMatch(new RegExp(`  (// )?${name}: `))
      const out = `config-${path}`
      done(await cli.run("train", "--config", path, "--epochs", "2", "--quiet", "--out", out))
      expect(json(out, "config.json")).toMatchObject({ target: "y", epochs: 2, layers: [64, 64], patience: 20 })
      const again = await cli.run("init", "numbers.csv", ...flags)
      expect(again).toMatchObject({ code: 2, err: expect.stringMatching(/there already.*--force/) })
    }
  })

  test.each<[string, string, number, RegExp]>([
    ["J1 empty", "", 3, /this is empty/],
    ["J2 a comment", '{"data": "a.csv", // x\n}', 3, /bad\.json:1:19: .*JSON has no comments/],
    ["J2 a trailing comma", '{"data": "a.csv",}', 3, /bad\.json:1:18/],
    ["J3 a setting twice", '{"data": "a.csv", "data": "b.csv"}', 3, /occurs twice/],
    ["J4 __proto__", '{"__proto__": {"data": "a.csv"}}', 3, /"__proto__" is not allowed/],
    ["J4 __proto__ in escapes", '{"\\u005f_proto__": 1}', 3, /"__proto__" is not allowed/],
    [
      "J5 an unknown setting",
      '{"data": "numbers.csv", "epoch": 3}',
      3,
      /unknown setting "epoch".*Did you mean "epochs"/,
    ],
    ["J6 a number as text", '{"data": "numbers.csv", "learningRate": "0.1"}', 3, /learningRate: .*without quotes/],
    ["J7 a number without end", '{"learningRate": 1e400}', 3, /too large/],
    ["J8 deep nesting", "[".repeat(100_000), 3, /nests deeper/],
    [
      "J10 a name of Object",
      '{"data": "numbers.csv", "target": "y", "activation": "toString"}',
      3,
      /activation.*toString/,
    ],
    [
      "a choice that is none",
      '{"data": "numbers.csv", "scaling": "max"}',
      3,
      /"standardize" or "minMax" or "none", got "max"/,
    ],
    ["a share of 1", '{"data": "numbers.csv", "validation": 1}', 3, /below 1, got 1/],
    ["layers that are none", '{"data": "numbers.csv", "layers": [64, 0]}', 3, /layers\[1\]: .*got 0/],
    ["a list", "[]", 3, /expected an object|Expected an object/],
  ])("%s", async (_, text, code, message) => {
    const path = `bad-${Math.abs(text.length * 31 + text.charCodeAt(3))}.bad.json`
    writeFileSync(at(path), text)
    expect(await cli.run("train", "--config", path)).toMatchObject({
      code,
      out: "",
      err: expect.stringMatching(message),
    })
  })

  test("a program that fails, or exports nothing", async () => {
    writeFileSync(at("throws.mjs"), "throw new Error('planted')")
    expect(await cli.run("train", "--config", "throws.mjs")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/cannot be run. Got planted/),
    })
    writeFileSync(at("nothing.mjs"), "export const a = 1")
    expect(await cli.run("train", "--config", "nothing.mjs")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/export default/),
    })
    expect(await cli.run("train", "--config", "none.json")).toMatchObject({
      code: 6,
      err: expect.stringMatching(/ENOENT.*trilobite init/),
    })
  })
})

describe("predict, evaluate, inspect, runs", () => {
  beforeAll(async () => {
    for (const seed of ["1", "2"])
      done(
        await cli.run(
          "train",
          "penguins",
          "--missing",
          "mean",
          "--epochs",
          "20",
          "--quiet",
          "--seed",
          seed,
          "--out",
          `runs/p${seed}`,
        ),
      )
    const config = json("runs/p1", "config.json")
    const plant = (name: string, result: object | undefined, more = {}): void => {
      mkdirSync(at(name))
      writeFileSync(at(name, "config.json"), JSON.stringify({ ...config, ...more }))
      writeFileSync(at(name, "history.jsonl"), '{"epoch":1}\n')
      if (result !== undefined) writeFileSync(at(name, "result.json"), JSON.stringify(result))
    }
    plant("stopped", { epochs: 1, ended: "stopped" })
    plant("older", { epochs: 1, ended: "completed" })
    plant("changed", undefined, { layers: [0] })
  })

  test("predict: text, CSV and JSON say what the library says", async () => {
    writeFileSync(
      at("new.csv"),
      "island,billLength,billDepth,flipperLength,bodyMass,sex\nBiscoe,46.5,14,217,5200,\nDream,,19,190,3600,male\n",
    )
    const model = await loadModel(at("runs/p1/model.safetensors"))
    const preparation = readPreparation(model.preparing)
    const { data } = await model.predict(prepareInputs(preparation, await readTable(at("new.csv"))).x)
    const [first, second] = rows(done(await cli.run("predict", "runs/p1", "new.csv", "--json"))) as {
      species: string
      probabilities: object
    }[]
    expect([first!.species, Object.values(first!.probabilities)]).toEqual(["Gentoo", [...data.slice(0, 3)]])
    expect(second!.species).toMatch(/Adelie|Chinstrap/)
    const [head, line] = done(await cli.run("predict", "runs/p1/model.safetensors", "new.csv", "--csv")).split("\n")
    expect([head, line]).toEqual([
      "species,p(Adelie),p(Chinstrap),p(Gentoo)",
      `Gentoo,${[...data.slice(0, 3)].join(",")}`,
    ])
    expect(done(await cli.run("predict", "runs/p1", "new.csv"))).toMatch(/^ {5}1 {2}Gentoo {2}\d+\.\d %\n {5}2 /)
  })

  test("K20 texts that a spreadsheet would run are made harmless", async () => {
    done(await cli.run("train", "kinds.csv", "--target", "kind", "--epochs", "5", "--quiet", "--out", "harmless"))
    const out = done(await cli.run("predict", "harmless", "kinds.csv", "--csv"))
    expect(out).toMatch(/^kind,p\(=small\),p\(big\)\n/)
    for (const line of out.trimEnd().split("\n").slice(1)) expect(line).toMatch(/^('=small|big),/)
  })

  test("evaluate: the matrix of all rows", async () => {
    expect(done(await cli.run("evaluate", "runs/p1", "penguins"))).toMatch(/^penguins: 344 rows\nAccuracy {5}\d+\.\d %/)
    const [scores] = rows(done(await cli.run("evaluate", "runs/p1", "penguins", "--json"))) as unknown as {
      confusion: number[][]
      accuracy: number
    }[]
    expect(scores!.confusion.map((counts) => counts.reduce((a, b) => a + b, 0))).toEqual([152, 68, 124])
  })

  test("inspect: a model, a file, a file with a target", async () => {
    expect(done(await cli.run("inspect", "runs/p1"))).toMatch(
      /dense_2[\s\S]*one-hot: Biscoe, Dream, Torgersen[\s\S]*billLength +\(value - [\d.]+\) \/ [\d.]+; missing: [\d.]+/,
    )
    expect(done(await cli.run("inspect", "numbers.csv"))).toMatch(
      /^numbers\.csv: 200 rows, 3 columns\n {2}a {2}numbers from 0 to 10/,
    )
    expect(done(await cli.run("inspect", "iris"))).toMatch(/target\nWarning {6}The rows are sorted by "species"/)
    const [about] = rows(done(await cli.run("inspect", "numbers.csv", "--target", "y", "--json")))
    expect(about).toMatchObject({
      rows: 200,
      task: "regression",
      columns: [{ name: "a", kind: "number", missing: 0 }, {}, {}],
    })
  })

  test("runs: the list and two side by side", async () => {
    const out = done(await cli.run("runs"))
    expect(out).toMatch(/^run +state +epochs +validation\n/)
    for (const name of ["p1", "p2"]) expect(out).toMatch(new RegExp(`${name} +completed +20 +loss [\\d.]+, [\\d.]+ %`))
    const two = done(await cli.run("runs", "p1", "runs/p2"))
    expect(two).toMatch(/seed +1 +2\n/)
    expect(two).not.toMatch(/^target/m)
    expect(two).toMatch(/bestValLoss +[\d.]+ +[\d.]+/)
    const [both] = rows(done(await cli.run("runs", "p1", "p2", "--json"))) as unknown as { different: string[] }[]
    expect(both!.different).toEqual(["seed"])
  })

  test.each<[readonly string[], number, RegExp]>([
    [["train", "numbers.csv"], 2, /which column is to be predicted\? Expected --target and one of a, b, y/],
    [["train", "numbers.csv", "--target", "z"], 3, /unknown column "z"\. Expected one of a, b, y/],
    [["train", "plain", "--target", "z"], 3, /unknown column "z"\. Expected one of a, b, y/],
    [["train", "nowhere.csv", "--target", "y"], 6, /nowhere\.csv: cannot open the file\. Got ENOENT/],
    [["train", "penguin"], 2, /unknown network "penguin".*Did you mean penguins\?/],
    [
      ["train", "numbers.csv", "--target", "y", "--layers", "64,x"],
      2,
      /--layers: this is not a whole number.*For example: --layers 128,64/,
    ],
    [
      ["train", "numbers.csv", "--target", "y", "--validation", "1"],
      2,
      /--validation: this is no share\. Expected a number below 1/,
    ],
    [["train", "numbers.csv", "--target", "y", "--validation", "0,2"], 2, /The decimal mark is a point: 0\.2/],
    [["train", "numbers.csv", "--target", "y", "--missing", "median"], 2, /unknown choice "median"/],
    [
      ["train", "numbers.csv", "--target", "y", "--optimizer", "addam"],
      3,
      /unknown optimizer "addam".*Did you mean adam/,
    ],
    [["train", "numbers.csv", "--target", "y", "--activation", "rellu"], 3, /Did you mean "relu"/],
    [["train", "numbers.csv", "--target", "y", "--loss", "msee"], 3, /loss/],
    [["train", "numbers.csv", "--target", "y", "--out", "full"], 2, /not empty/],
    [
      ["train", "--resume", "runs/p1", "--epochs", "auto"],
      2,
      /trains for a number of epochs\. Expected a number, got auto/,
    ],
    [["train", "iris", "--epochs", "auto", "--patience", "3"], 2, /--patience: .* part of --epochs auto/],
    [
      ["train", "iris", "--epochs", "auto", "--validation", "0"],
      2,
      /--epochs: auto goes by the cost of validation rows/,
    ],
    [["train", "iris", "--epochs", "atuo"], 2, /--epochs: this is not a whole number/],
    [["tune", "iris", "--epochs", "auto"], 2, /--epochs: the trainings of a search have a number of epochs/],
    [["train", "--resume", "runs/p1", "--target", "y"], 2, /cannot be used with option '--target <column>'/],
    [["train", "--resume", "runs/p1"], 2, /all epochs of this run are done\. Got 20 done, 20 wanted.*--epochs 30/],
    [
      ["train", "numbers.csv", "--resume", "runs/p1", "--epochs", "21"],
      4,
      /not the table.*SHA-256 \w{64}.*start a new/i,
    ],
    [["train", "intermediate-net", "--resume", "runs/p1"], 2, /trains on a table.*trilobite train --resume runs.p1/],
    [["train", "--resume", "stopped"], 2, /has stopped by itself.*--patience/],
    [["train", "--resume", "older", "--epochs", "30"], 5, /holds no checkpoints.*Start a new run/],
    [["train", "--resume", "changed"], 3, /changed.config\.json, layers\[0\]: .*got 0/],
    [["train", "numbers.csv", "--target", "y", "--learning-rate", "1e30"], 7, /./],
    [["train", "intermediate-net", "--target", "y"], 2, /--target is for tables/],
    [["predict", "runs/p1", "numbers.csv"], 4, /no column/],
    [["predict", "numbers.csv", "numbers.csv"], 5, /numbers\.csv/],
    [["predict", "nowhere", "numbers.csv"], 6, /nowhere/],
    [["evaluate", "runs/p1", "new.csv"], 4, /no column "species"/],
    [["inspect", "nowhere.csv"], 6, /ENOENT/],
    [["runs", "p1"], 2, /Expected none or two, got 1/],
    [["runs", "p1", "p3"], 6, /no such run/],
    [["runs", "--runs", "nowhere"], 6, /ENOENT.*--runs names their folder/],
    [["init", "numbers.csv", "--target", "z", "--out", "new.ts"], 3, /no column "z".*one of a, b, y/],
  ])("%j exits with %d", async (args, code, message) => {
    const { code: got, err } = await cli.run(...args)
    expect({ got, err }).toEqual({ got: code, err: expect.stringMatching(message) })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not come
    expect(err).toMatch(/^trilobite: [^\u0000-\u001f\u007f-\u009f]+\n$/)
  })

  test("--json has errors as objects", async () => {
    const { code, err } = await cli.run("predict", "runs/p1", "penguins", "--csv", "--json")
    expect({ code, ...JSON.parse(err) }).toMatchObject({ code: 2, error: { code: "E_USAGE", where: "--csv" } })
  })

  test("digits, from a data set of 64 columns", async () => {
    const { rows: n } = await dataSet("digits")
    expect(n).toBe(1797)
    expect(done(await cli.run("train", "digits", "--epochs", "8", "--quiet", "--out", "digits"))).toMatch(
      /Accuracy {5}9\d\.\d %/,
    )
  })
})
