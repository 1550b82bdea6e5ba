// Trainings from the command line: what is printed, what is kept, Ctrl-C, and going on.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { asTrainingData, mnist } from "trilobite/datasets"
import { describe, expect, test } from "vitest"
import { loadModel } from "../src/index.ts"
import { finished, node, RUN_FILES, useCli } from "./support/cli.ts"

const cli = useCli()
const at = (...path: string[]): string => join(cli.folder, ...path)
const bytes = (run: string): Buffer => readFileSync(at(run, "model.safetensors"))
const json = (...path: string[]): Record<string, unknown> => JSON.parse(readFileSync(at(...path), "utf8"))
const lines = (text: string): Record<string, unknown>[] => {
  expect(text).toMatch(/\n$/)
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
}
/** Lines without those of the coach. */
const unguided = (text: string): Record<string, unknown>[] => lines(text).filter((line) => !("finding" in line))
const net = "intermediate-net"

/** Waits until the process has printed something that fits. */
function printed(child: ChildProcessWithoutNullStreams, pattern: RegExp): Promise<void> {
  let text = ""
  return new Promise((resolve) => {
    child.stdout.on("data", (chunk) => {
      if (pattern.test((text += chunk))) resolve()
    })
  })
}

describe("trilobite train", () => {
  test("--json prints one object per line, and the folder holds the same and the weights", async () => {
    const { code, out, err } = await cli.run("train", net, "--epochs", "2", "--json", "--seed", "3", "--out", "json")
    expect({ code, err }).toEqual({ code: 0, err: "" })
    const [first, second, last, ...more] = unguided(out)
    expect(more).toEqual([])
    expect(Object.keys(first!)).toEqual(["epoch", "loss", "accuracy", "valLoss", "valAccuracy", "seconds"])
    expect([first!.epoch, second!.epoch]).toEqual([1, 2])
    for (const value of [first, second].flatMap((line) => Object.values(line!))) expect(value).toBeGreaterThan(0)
    expect(Object.keys(last!)).toEqual(["result"])
    const { loss, accuracy, valLoss, valAccuracy } = second!
    const seconds = (first!.seconds as number) + (second!.seconds as number)
    const measured = { loss, accuracy, valLoss, valAccuracy, seconds }
    const result = { net, epochs: 2, ...measured, ended: "completed", unfinishedEpoch: null, out: "json" }
    expect(last!.result).toEqual({
      ...result,
      bestEpoch: 2,
      bestValLoss: valLoss,
      bestValAccuracy: valAccuracy,
      totalSeconds: expect.any(Number),
    })

    expect(readdirSync(at("json")).sort()).toEqual(RUN_FILES)
    expect(lines(readFileSync(at("json", "history.jsonl"), "utf8"))).toEqual([first, second])
    expect(json("json", "result.json")).toEqual(last!.result)
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
    expect(json("json", "config.json")).toEqual({
      net,
      epochs: 2,
      batchSize: 128,
      learningRate: 0.1,
      seed: 3,
      dataset: "mnist",
      data: null,
      threads: null,
      backend: null,
      wideVectors: true,
      numerics: "portable",
      cores: expect.any(Number),
      trilobite: version,
      numericsVersion: 1,
      node: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      v8: expect.stringMatching(/^\d+\.\d+/),
      platform: `${process.platform}-${process.arch}`,
      resumed: [],
    })
    const { xValid, yValid } = asTrainingData(await mnist())
    const model = await loadModel(at("json", "model.safetensors"))
    const again = await model.evaluate(xValid, yValid, { batchSize: 128 })
    expect(again.accuracy).toBe(valAccuracy)
    expect(again.loss).toBe(valLoss)
  })

  test("the same seed gives the same bytes: once more, with 1 and 2 threads, in two parts; another does not", {
    timeout: 240_000,
  }, async () => {
    const train = async (...args: string[]): Promise<void> => {
      const { code, err } = await cli.run("train", net, "--quiet", ...args)
      expect({ code, err }).toEqual({ code: 0, err: "" })
    }
    await train("--epochs", "2", "--seed", "3", "--threads", "1", "--no-coach", "--out", "one")
    await train("--epochs", "2", "--seed", "3", "--threads", "2", "--out", "two")
    await train("--epochs", "1", "--seed", "3", "--out", "parts")
    expect(bytes("parts").equals(bytes("one"))).toBe(false)
    // Runs of earlier versions have no checkpoints: they go on with the next epoch.
    cpSync(at("parts"), at("older"), { recursive: true })
    rmSync(at("older", "checkpoints"), { recursive: true })
    await train("--resume", "older", "--epochs", "2", "--no-coach")
    expect(bytes("older").equals(bytes("one"))).toBe(true)
    await train("--resume", "parts", "--epochs", "2", "--threads", "2")
    await train("--epochs", "2", "--seed", "4", "--out", "other")
    expect(bytes("one").equals(bytes("json"))).toBe(true)
    expect(bytes("two").equals(bytes("json"))).toBe(true)
    expect(bytes("parts").equals(bytes("json"))).toBe(true)
    expect(bytes("other").equals(bytes("json"))).toBe(false)
    const strip = (run: string): unknown =>
      lines(readFileSync(at(run, "history.jsonl"), "utf8")).map((line) => ({ ...line, seconds: 0 }))
    expect(strip("parts")).toEqual(strip("json"))
    expect(json("parts", "config.json")).toMatchObject({ epochs: 2, resumed: [{ epoch: 2, threads: 2 }] })
  })

  test("prints the summary, the progress and where the run is, without cursor movements", async () => {
    const { code, out, err } = await cli.run("train", "shallow-net", "--epochs", "1", "--seed", "5")
    expect(code).toBe(0)
    expect(err).toMatch(/^(Note: .*\n)*$/)
    const [folder] = readdirSync(at("runs"))
    expect(folder).toMatch(/^shallow-net-\d{8}-\d{6}$/)
    const number = "\\d\\.\\d{4}"
    const report = [
      'Model: "shallow-net"\n(.*\n)* Total params: 50,890 .*\n(.*\n)*',
      "Training on 60,000 images, validating on 10,000; batch size 128, seed 5\\.\n",
      "Epoch 1/1\n",
      "469/469 \\[={20}\\] - \\d+s - [\\d.]+ ms/round, [\\d.]+ µs/sample\n",
      ` {4}loss: ${number} - accuracy: ${number} - valLoss: ${number} - valAccuracy: ${number}\n\n`,
      "Coach        no fault was seen\n(Tip .*\n( {13}.*\n)*)*\n",
      `Best epoch  1: validation loss ${number}, validation accuracy ${number}\n`,
      `Last epoch  1: validation loss ${number}, validation accuracy ${number}\n`,
      "Time        [\\d.]+ s of training, [\\d.]+ s in all\n",
      `Saved in    runs/${folder}\n`,
    ]
    expect(out).toMatch(new RegExp(`^${report.join("")}$`))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not come
    expect(out).not.toMatch(/[\r\u001b]/)
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  test("--quiet prints the last lines only; with --json the result only", async () => {
    const plain = await cli.run("train", "shallow-net", "--epochs", "1", "--quiet", "--out", "quiet")
    expect(plain.out).toMatch(/^Best epoch.*\nLast epoch.*\nTime.*\nSaved in {4}quiet\n$/)
    const { out } = await cli.run("train", net, "--epochs", "1", "--quiet", "--json", "--out", "quiet-json")
    expect(lines(out)).toEqual([{ result: expect.objectContaining({ ended: "completed" }) }])
  })

  test("a training that diverges exits with 7 and says what to do", async () => {
    const { code, out, err } = await cli.run(
      "train",
      net,
      "--lr",
      "1e30",
      "--epochs",
      "1",
      "--json",
      "--out",
      "diverged",
    )
    expect(code).toBe(7)
    expect(JSON.parse(err).error).toMatchObject({ code: "E_DIVERGED", hint: expect.any(String) })
    expect(readdirSync(at("diverged")).sort()).toEqual([
      "checkpoints",
      "config.json",
      "evidence.jsonl",
      "findings.jsonl",
      "history.jsonl",
    ])
    expect(lines(out).map(({ finding }) => finding)).toContainEqual(expect.objectContaining({ code: "F08" }))
    expect(lines(readFileSync(at("diverged", "findings.jsonl"), "utf8"))).toEqual(lines(out))
    expect(readdirSync(at("diverged", "checkpoints"))).toEqual([])
  })
})

describe.skipIf(process.platform === "win32")("interruptions", () => {
  test.each([
    ["SIGINT", 130, "wasm"],
    ["SIGTERM", 143, "wasm"],
    ["SIGINT", 130, "reference"],
  ] as const)("%s exits with %i after saving (%s)", async (signal, code, backend) => {
    const out = `${signal}-${backend}`
    // The reference backend is slow: it is interrupted in the middle of its first epoch.
    const begun = backend === "wasm" ? /\n {4}loss/ : /Epoch 1\/200/
    const child = cli.start(["train", net, "--epochs", "200", "--backend", backend, "--out", out])
    const ended = finished(child)
    await printed(child, begun)
    const asked = performance.now()
    child.kill(signal)
    const { code: got, out: text, err } = await ended
    expect(got, err).toBe(code)
    expect(performance.now() - asked).toBeLessThan(5000)
    expect(err).toBe("\nStopping after this round and saving; Ctrl-C again ends it at once.\n")
    expect(text).toMatch(new RegExp(`To go on:\ntrilobite train ${net} --resume ${out}\n$`))
    await loadModel(at(out, "model.safetensors"))
    const result = json(out, "result.json")
    expect(result.ended).toBe("aborted")
    if (backend === "reference") expect(result).toMatchObject({ epochs: 0, unfinishedEpoch: 1, valAccuracy: null })
    if (backend === "reference") expect(text).toContain("\nEpochs      none was finished\nUnfinished  epoch 1: ")
  })

  test("a run goes on where it was interrupted, also after a kill that left it with more epochs than weights", async () => {
    const run = "SIGINT-wasm"
    const { epochs } = json(run, "result.json") as { epochs: number }
    const history = readFileSync(at(run, "history.jsonl"), "utf8")
    writeFileSync(at(run, "history.jsonl"), `${history}{"epoch":${epochs + 1}}\n{"epoch":`)
    const { code, out } = await cli.run("train", net, "--resume", run, "--epochs", `${epochs + 2}`, "--json")
    expect(code).toBe(0)
    const last = lines(out).pop()
    expect(unguided(out).map(({ epoch }) => epoch)).toEqual([epochs + 1, epochs + 2, undefined])
    expect(last!.result).toMatchObject({ ended: "completed", epochs: epochs + 2 })
    const all = lines(readFileSync(at(run, "history.jsonl"), "utf8"))
    expect(all.map(({ epoch }) => epoch)).toEqual(Array.from({ length: epochs + 2 }, (_, i) => i + 1))
    expect(readFileSync(at(run, "history.jsonl"), "utf8").startsWith(history)).toBe(true)
  })

  test("a run that was stopped within an epoch ends with the bits of one that was not, with other threads", {
    timeout: 240_000,
  }, async () => {
    const child = cli.start(["train", net, "--epochs", "1", "--backend", "reference", "--no-coach", "--out", "within"])
    const ended = finished(child)
    await printed(child, /Epoch 1\/1/)
    child.kill("SIGINT")
    expect((await ended).code).toBe(130)
    expect(json("within", "result.json")).toMatchObject({ epochs: 0, unfinishedEpoch: 1 })
    const again = await cli.run("train", net, "--resume", "within", "--backend", "wasm", "--threads", "2", "--quiet")
    expect(again).toMatchObject({ code: 0, err: "" })
    expect((await cli.run("train", net, "--epochs", "1", "--out", "whole", "--quiet", "--no-coach")).code).toBe(0)
    expect(bytes("within").equals(bytes("whole"))).toBe(true)
    // One that was killed before its first checkpoint begins again; its config says which network it is.
    cpSync(at("whole"), at("early"), { recursive: true })
    for (const file of ["checkpoints", "model.safetensors", "result.json"])
      rmSync(at("early", file), { recursive: true })
    const early = await cli.run("train", "--resume", "early", "--quiet")
    expect(early).toMatchObject({ code: 0, err: expect.stringMatching(/^Note: early was ended before.*\n$/) })
    expect(bytes("early").equals(bytes("whole"))).toBe(true)
    expect(lines(readFileSync(at("early", "history.jsonl"), "utf8"))).toHaveLength(1)
  })

  test("a run that is killed goes on from its last checkpoint; nobody else may train it meanwhile", {
    timeout: 240_000,
  }, async () => {
    const child = cli.start(["train", net, "--epochs", "100", "--json", "--out", "killed"])
    const ended = finished(child)
    await printed(child, /"epoch":2,/)
    const { code, err } = await cli.run("train", net, "--resume", "killed", "--json")
    expect(code).toBe(8)
    expect(JSON.parse(err).error).toMatchObject({
      code: "E_BUSY",
      where: expect.stringMatching(/killed$/),
      got: `process ${child.pid}`,
      hint: expect.stringContaining(`kill ${child.pid}`),
    })
    // The second one is written after some seconds at the latest.
    const made = (): number => readdirSync(at("killed", "checkpoints")).filter((name) => name.startsWith("ch")).length
    while (made() < 2) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill("SIGKILL")
    await ended
    const damaged = readdirSync(at("killed", "checkpoints")).sort().at(-1)!
    writeFileSync(at("killed", "checkpoints", damaged), "damaged")
    const epochs = `${readFileSync(at("killed", "history.jsonl"), "utf8").split("\n").length}`
    const again = await cli.run("train", net, "--resume", "killed", "--quiet", "--epochs", epochs)
    expect(again.code).toBe(0)
    expect(again.err).toMatch(new RegExp(`^Note: .*${damaged}.* Going on with .*checkpoint-\\d+\\.safetensors\\.\n$`))
    expect((await cli.run("train", net, "--epochs", epochs, "--out", "unkilled", "--quiet")).code).toBe(0)
    expect(bytes("killed").equals(bytes("unkilled"))).toBe(true)
    expect(lines(readFileSync(at("killed", "history.jsonl"), "utf8"))).toHaveLength(Number(epochs))
  })

  test("a second Ctrl-C ends at once, without saving", async () => {
    // One round takes all images: there is time for both signals.
    const child = cli.start(["train", net, "--batch-size", "60000", "--threads", "1", "--out", "twice"])
    const ended = finished(child)
    await printed(child, /Epoch 1/)
    child.kill("SIGINT")
    child.stderr.once("data", () => child.kill("SIGINT"))
    expect((await ended).code).toBe(130)
    expect(readdirSync(at("twice")).sort()).toEqual(["checkpoints", "config.json", "findings.jsonl", "history.jsonl"])
    expect(readdirSync(at("twice", "checkpoints"))).toEqual([])
  })

  test("a reader that goes away stops the training, which saves and says nothing", async () => {
    const child = cli.start(["train", net, "--epochs", "200", "--json", "--out", "pipe"])
    const ended = finished(child)
    await printed(child, /\n/)
    child.stdout.destroy()
    expect(await ended).toMatchObject({ code: 141, err: "" })
    expect(json("pipe", "result.json").ended).toBe("aborted")
    await loadModel(at("pipe", "model.safetensors"))
  })

  test("the current folder may be deleted while an absolute one is trained in", async () => {
    const gone = mkdtempSync(at("gone-"))
    const args = [cli.main, "train", net, "--epochs", "200", "--json", "--out", at("stays")]
    const child = spawn(node, args, { cwd: gone })
    const ended = finished(child)
    await printed(child, /\n/)
    rmSync(gone, { recursive: true })
    child.kill("SIGINT")
    expect(await ended).toMatchObject({ code: 130, err: "" })
    await loadModel(at("stays", "model.safetensors"))
  })
})
