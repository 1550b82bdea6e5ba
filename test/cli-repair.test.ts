// `trilobite train --repair`: what is changed and what becomes of it, what it leaves in the folders, interruptions, and what is refused.
// In this process: nothing is built.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Command } from "commander"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { addTrain } from "../cli/commands/train.ts"
import { type Repairable, trainAndRepair } from "../cli/repair.ts"
import { settingsIn } from "../cli/settings.ts"
import { tableTraining } from "../cli/tabular.ts"
import { TrilobiteError } from "../src/index.ts"
import { codeOf } from "./support/errors.ts"

const folder = mkdtempSync(join(tmpdir(), "trilobite-repair-"))
const at = (...path: string[]): string => join(folder, ...path)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** `trilobite train` with these words: what it prints, and its exit code. */
async function train(words: string, heard: (text: string) => void = () => {}): Promise<{ out: string; code: number }> {
  let out = ""
  const write = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    out += String(chunk)
    heard(String(chunk))
    return true
  })
  try {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} })
    addTrain(program)
    await program.parseAsync(["train", ...words.split(" ")], { from: "user" })
    return { out, code: Number(process.exitCode ?? 0) }
  } finally {
    process.exitCode = undefined
    write.mockRestore()
  }
}

type Fields = Record<string, unknown>
const lines = (path: string): Fields[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
const json = (path: string): Fields => JSON.parse(readFileSync(path, "utf8"))
const decisions = (run: string): Fields[] => lines(at(run, "decisions.jsonl"))
const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length))
/** The table at the end: a list of cells for each row. */
const tableOf = (out: string): string[][] => {
  const [, table] = /\nRepair {2}change.*\n([\s\S]*?)\nBest in/.exec(out)!
  return table!.split("\n").map((row) => row.trim().split(/ {2,}/))
}

const rateOf = (run: string): number => json(at(run, "config.json")).learningRate as number

/** Two classes by two numbers in the hundreds: sigmoid neurons saturate unless they are scaled. */
beforeAll(() => {
  const rows = Array.from({ length: 240 }, (_, i) => {
    const [a, b] = [(i * 137) % 701, (i * 311) % 499]
    return `${a},${b},${a + b > 600 ? "above" : "below"}`
  })
  writeFileSync(at("sums.csv"), `a,b,side\n${rows.join("\n")}\n`)
})

describe("a rate that is far too high", () => {
  let said: Awaited<ReturnType<typeof train>>
  beforeAll(async () => {
    said = await train(`iris --learning-rate 30 --epochs 15 --seed 2 --repair --out ${at("rate")}`)
  }, 120_000)

  test("is divided until it is right, each time in a run of its own; the best is at the end", () => {
    expect(said.code).toBe(0)
    const runs = readdirSync(folder).filter((name) => name.startsWith("rate"))
    expect(runs.length).toBeGreaterThanOrEqual(2)
    expect(runs.length).toBeLessThanOrEqual(6)
    expect(rateOf("rate")).toBe(30)
    expect(rateOf("rate-repair-1")).toBeLessThanOrEqual(3)
    // Of the training that was given everything is said, of the others what is new.
    expect(said.out.match(/^iris: 150 rows/gm)).toHaveLength(1)
    expect(said.out.match(/^Fault F08/gm)).toHaveLength(1)
    const table = tableOf(said.out)
    expect(table).toHaveLength(runs.length)
    expect(table[0]!.slice(0, 2)).toEqual(["0", "as it was given"])
    expect(table[1]!.slice(0, 2)).toEqual(["1", `--learning-rate ${rateOf("rate-repair-1")}`])
    expect(table.filter((row) => row.at(-1)!.endsWith("best"))).toHaveLength(1)
    const [, best] = /^Best in {6}(.*)$/m.exec(said.out)!
    const { validation } = json(join(best!, "result.json")) as { validation: { accuracy: number } }
    expect(validation.accuracy).toBeGreaterThanOrEqual(0.9)
    const start = said.out.indexOf("Repair  change")
    expect(
      widest(
        said.out
          .slice(start)
          .replaceAll(folder, "")
          .replace(/^From scratch.*$/m, ""),
      ),
    ).toBeLessThanOrEqual(80)
  })

  test("every decision is in the folder of the training that it made, with its numbers, and on a line", () => {
    const [made, judged] = decisions("rate-repair-1")
    const to = rateOf("rate-repair-1")
    const flag = `--learning-rate ${to}`
    expect(made).toMatchObject({
      knob: "repair",
      value: flag,
      evidence: { of: at("rate"), changes: [{ code: "F08", change: { flag, edit: { kind: "learningRate", to } } }] },
    })
    expect(made!.text).toMatch(/^Repair 1 of at most 5: .*\d+ %.* \(--learning-rate \S+\)$/)
    expect(judged!.text).toMatch(/^Repair 1 (kept|undone): validation cost \S+ to \S+, accuracy \S+ % to \S+ %\.$/)
    const { before, after } = judged!.evidence as { before: Fields; after: Fields }
    expect([before.out, after.out]).toEqual([at("rate"), at("rate-repair-1")])
    const costs = lines(at("rate-repair-1", "history.jsonl")).map(({ valLoss }) => valLoss as number)
    expect(after.cost).toBe(Math.min(...costs))
    const words = said.out.replace(/\n +/g, " ")
    for (const { text } of [made!, judged!]) expect(words).toContain(`\n${text}\n`)
    // Of all trainings the first one's folder tells.
    const last = decisions("rate").at(-1)!
    expect((last.evidence as { trainings: Fields[] }).trainings).toHaveLength(tableOf(said.out).length)
    expect(words).toContain(`\n${last.text}\n`)
    // None is still at work.
    expect(existsSync(at("rate", "live.json")) || existsSync(at("rate-repair-1", "live.json"))).toBe(false)
  })

  test("the command at the end makes the best one from scratch, to the bit", async () => {
    const [, best] = /^Best in {6}(.*)$/m.exec(said.out)!
    const [, command] = /^From scratch trilobite train (.*)$/m.exec(said.out)!
    await train(`${command} --quiet --out ${at("scratch")}`)
    const bytes = (run: string): Buffer => readFileSync(join(run, "model.safetensors"))
    expect(bytes(at("scratch")).equals(bytes(best!))).toBe(true)
  }, 60_000)
})

test("saturated sigmoid neurons on a table: scaled, and it learns", async () => {
  const { out } = await train(
    `${at("sums.csv")} --target side --activation sigmoid --scaling none --epochs 60 --repair --out ${at("flat")}`,
  )
  const best = /^Best in {6}(.*)$/m.exec(out)![1]!
  expect(best).not.toBe(at("flat"))
  expect(json(join(best, "config.json")).scaling).not.toBe("none")
  const accuracy = (run: string): number =>
    (json(join(run, "result.json")) as { validation: { accuracy: number } }).validation.accuracy
  expect(accuracy(best)).toBeGreaterThanOrEqual(0.95)
}, 120_000)

test("JSON: decisions and one object at the end; quiet: the results alone; not more trainings than were asked for", async () => {
  const words = "iris --learning-rate 30 --epochs 8 --repair --max-repairs 1 --json"
  const { out } = await train(`${words} --out ${at("json")}`)
  const told = out.trimEnd().split("\n").map((line) => JSON.parse(line) as Fields) // biome-ignore format: a chain
  const { trainings, best, command } = told.at(-1)!.repair as { trainings: Fields[]; best: string; command: string }
  expect(trainings).toHaveLength(2)
  expect(trainings[1]).toMatchObject({ out: at("json-repair-1"), accuracy: expect.any(Number) })
  expect(trainings[1]!.change).toMatch(/^--learning-rate \S+$/)
  expect(trainings.filter((training) => training.best)).toMatchObject([{ out: best }])
  expect(command).toMatch(/^trilobite train iris /)
  expect(told.filter((line) => "decision" in line)).toHaveLength(3)
  const quiet = await train(`${words} --quiet --out ${at("quiet")}`)
  expect(quiet.out.trimEnd().split("\n").map((line) => Object.keys(JSON.parse(line)))).toEqual([["result"], ["repair"]]) // biome-ignore format: a chain
}, 60_000)

test("nothing is at fault: said, and nothing is trained again", async () => {
  const { out, code } = await train(`${at("sums.csv")} --target side --repair --out ${at("well")}`)
  expect(code).toBe(0)
  expect(out).toContain("\nRepair: nothing was found that the command line could change.\n")
  expect(existsSync(at("well-repair-1"))).toBe(false)
}, 60_000)

test("Ctrl-C ends it with the best so far; the run that was interrupted can be gone on with", async () => {
  let heard = false
  const error = vi.spyOn(process.stderr, "write").mockImplementation(() => true)
  const { out, code } = await train(
    `iris --learning-rate 30 --epochs 40 --patience 0 --repair --out ${at("stop")}`,
    (text) => {
      // In the second training, at its first epoch.
      if (!heard && existsSync(at("stop-repair-1")) && text.startsWith("Epoch")) {
        heard = true
        process.emit("SIGINT", "SIGINT")
      }
    },
  )
  error.mockRestore()
  expect([heard, code]).toEqual([true, 130])
  expect(existsSync(at("stop-repair-2"))).toBe(false)
  expect(tableOf(out)[1]!.at(-1)).toMatch(/^interrupted/)
  expect(out).toContain(`trilobite train --resume ${at("stop-repair-1")}`)
  expect(out.replace(/\n +/g, " ")).toContain("\nRepair: interrupted; the best so far is ")
  expect(json(at("stop-repair-1", "result.json")).ended).toBe("aborted")
  const on = await train(`--resume ${at("stop-repair-1")}`)
  expect(on.code).toBe(0)
  expect(json(at("stop-repair-1", "result.json"))).toMatchObject({ ended: "completed", epochs: 40 })
}, 60_000)

test("what has stopped by itself is not trained for more epochs: the change would change nothing", async () => {
  await train(`iris --patience 1 --seed 4 --repair --quiet --out ${at("patient")}`)
  expect(json(at("patient", "result.json")).ended).toBe("stopped")
  const { trainings } = decisions("patient").at(-1)!.evidence as { trainings: { change: string | null }[] }
  for (const { change } of trainings) expect(change ?? "").not.toContain("--epochs")
}, 60_000)

test("a change that planning refuses is none; other errors end the repair", async () => {
  const errors = { E_CONFIG: "there is no such setting.", E_IO: "the disk is full." } as const
  const repaired = (code: keyof typeof errors, name: string): Promise<number> => {
    const given = { data: "iris", learningRate: 30, epochs: 6 }
    const plan: Repairable["plan"] = async (changes, options) => {
      if (Object.keys(changes).length > 0) throw new TrilobiteError(code, { what: errors[code] })
      return tableTraining(given, options)
    }
    const setting: Repairable["setting"] = (name, changes) => ({ ...given, ...changes })[name as "epochs"]
    return trainAndRepair({ plan, setting, takes: () => true }, { out: at(name), quiet: true, maxRepairs: 1 })
  }
  const write = vi.spyOn(process.stdout, "write").mockImplementation(() => true)
  try {
    expect(await repaired("E_CONFIG", "refused")).toBe(0)
    expect((await codeOf(() => repaired("E_IO", "full"))).code).toBe("E_IO")
  } finally {
    write.mockRestore()
  }
  const texts = decisions("refused").map(({ text }) => text)
  expect(texts[0]).toMatch(/^Repair 1 of at most 1: .* not possible, there is no such setting\./)
  expect(texts.at(-1)).toBe("Repair: nothing was found that the command line could change.")
  expect(existsSync(at("refused-repair-1"))).toBe(false)
}, 60_000)

test("what diverges and is not mended ends with its error; one that is mended does not", async () => {
  const flags = "diabetes --optimizer sgd --epochs 5 --repair --quiet"
  const found = await codeOf(() => train(`${flags} --learning-rate 1e30 --max-repairs 1 --out ${at("lost")}`))
  expect(found.code).toBe("E_DIVERGED")
  const { code, out } = await train(`${flags} --learning-rate 100 --max-repairs 8 --out ${at("won")}`)
  expect(code).toBe(0)
  expect(tableOf(out)[0]![2]).toBe("diverged")
}, 60_000)

test("a network of the chapter: its own flags are changed, and no others", async () => {
  const { out } = await train(`intermediate-net --lr 20 --epochs 1 --repair --max-repairs 1 --quiet --out ${at("net")}`)
  expect(tableOf(out)[0]![1]).toBe("as it was given")
  const rate = rateOf("net-repair-1")
  expect(rate).toBeLessThan(20)
  expect(tableOf(out)[1]![1]).toBe(`--learning-rate ${rate}`)
  expect(out).toMatch(/^From scratch trilobite train intermediate-net --learning-rate [\d.]+ --epochs \d+$/m)
}, 120_000)

test.each([
  ["--resume x --repair", "commander.conflictingOption"],
  ["iris --repair --no-coach", "E_USAGE"],
  ["iris --max-repairs 3", "E_USAGE"],
  ["iris --repair --max-repairs 0", "E_USAGE"],
])("%s is refused", async (words, code) => {
  await expect(train(words)).rejects.toMatchObject({ code })
})

test("which flags of a change a program can make", () => {
  expect(settingsIn("--learning-rate 0.2")).toEqual(new Map([["learningRate", 0.2]]))
  expect(settingsIn("--epochs 12 --patience 10")).toEqual(new Map([["epochs", 12], ["patience", 10]])) // biome-ignore format: a map
  for (const none of ["--ignore <columns>", "--clip 2", "--epochs", "--epochs many"])
    expect(settingsIn(none)).toBeUndefined()
})
