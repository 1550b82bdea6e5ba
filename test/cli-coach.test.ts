// The coach on the command line: what it says of runs and of trainings that are not begun, what it leaves in their folders, and a run
// told on one page. In this process: nothing is built.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Command } from "commander"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { briefText } from "../cli/coach.ts"
import { addDoctor } from "../cli/commands/doctor.ts"
import { addExplain } from "../cli/commands/explain.ts"
import { addRuns } from "../cli/commands/runs.ts"
import { trainOnce } from "../cli/one-training.ts"
import { htmlOf, markdownOf, type Page } from "../cli/report/document.ts"
import { pictureSvg } from "../cli/report/pictures.ts"
import { epochsOf, evidenceOf, findingsOf, signalsOf } from "../cli/report/read.ts"
import { tableTraining } from "../cli/tabular.ts"
import { dataSet } from "../src/datasets.ts"
import type { Finding } from "../src/index.ts"

const folder = mkdtempSync(join(tmpdir(), "trilobite-coach-"))
const at = (...path: string[]): string => join(folder, ...path)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const trainTable = async (...[given, options]: Parameters<typeof tableTraining>): Promise<number> =>
  trainOnce(await tableTraining(given, options), options)

const json = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8"))

/** A run's folder with these files: objects are JSON, lists are lines of it, texts are as they are. */
function runOf(name: string, files: { readonly [file: string]: object | string }): string {
  mkdirSync(at(name))
  for (const [file, held] of Object.entries(files)) {
    const lines = Array.isArray(held) ? held.map((line) => `${JSON.stringify(line)}\n`).join("") : JSON.stringify(held)
    writeFileSync(at(name, file), typeof held === "string" ? held : lines)
  }
  return at(name)
}

async function explained(run: string, ...args: string[]): Promise<{ html: string; markdown: string }> {
  const program = new Command().exitOverride()
  addExplain(program)
  await program.parseAsync(["explain", run, ...args], { from: "user" })
  const out = args[0] === "--out" ? args[1]! : join(run, "report")
  return {
    html: readFileSync(join(out, "report.html"), "utf8"),
    markdown: readFileSync(join(out, "report.md"), "utf8"),
  }
}

const finding: Finding = {
  code: "F08",
  cause: "learning rate too high",
  kind: "fault",
  score: 70,
  epoch: 0,
  saw: "Every step changed the weights by 21 %.",
  normal: "0.1 to 3 %.",
  why: "Steps that long jump over the valley.",
  change: {
    text: "Learning rate 4 to 0.4.",
    code: "sgd({ learningRate: 0.4 })",
    flag: "--learning-rate 0.4",
    edit: { kind: "learningRate", to: 0.4 },
  },
  expect: { text: "The cost falls in every epoch.", measure: "loss", within: 2, below: 0.4 },
}

describe("trilobite explain", () => {
  beforeAll(async () => {
    await trainTable({ data: "iris", epochs: 5 }, { out: at("iris"), quiet: true })
    await trainTable({ data: "diabetes", epochs: 3, activation: "tanh" }, { out: at("diabetes"), quiet: true })
  }, 60_000)

  test("a table's classes: the numbers are those of the run's files", async () => {
    const { html, markdown } = await explained(at("iris"))
    expect(readdirSync(at("iris", "report")).sort()).toEqual([
      "accuracy.svg",
      "learning-speed.svg",
      "loss.svg",
      "report.html",
      "report.md",
      "saturation.svg",
    ])
    const { validation } = json(at("iris", "result.json")) as {
      validation: {
        confusion: number[][]
        mistakes: { row: number; truth: string; said: string; probability: number }[]
      }
    }
    for (const [k, name] of ["setosa", "versicolor", "virginica"].entries()) {
      expect(markdown).toContain(`| ${name} | ${validation.confusion[k]!.join(" | ")} |`)
    }
    const right = validation.confusion.reduce((sum, row, k) => sum + row[k]!, 0)
    expect(validation.mistakes).toHaveLength(Math.min(12, 30 - right))
    expect(validation.mistakes.map(({ probability }) => probability)).toEqual(
      validation.mistakes.map(({ probability }) => probability).sort((a, b) => b - a),
    )
    const column = (await dataSet("iris")).columns.at(-1)!
    const species = column.kind === "text" ? column : undefined
    for (const { row, truth, said } of validation.mistakes) {
      expect(species!.levels[species!.codes[row - 1]!]).toBe(truth)
      expect(said).not.toBe(truth)
      expect(markdown).toContain(`| ${row} | ${truth} | ${said} |`)
    }
    const last = epochsOf(at("iris")).at(-1)!
    expect(markdown).toContain(`accuracy ${(100 * last.valAccuracy!).toFixed(1)} % in validation`)
    expect(markdown).toContain("trilobite train iris --target species --task classification --epochs 5")
    expect(markdown).toMatch(/dead neurons are 0 for every row looked at: \d+ of 128\./)
    const [first] = signalsOf(at("iris"))
    expect(first!.layers.map(({ layer, units }) => [layer, units])).toEqual([
      ["dense", 64],
      ["dense_1", 64],
      ["dense_2", undefined],
    ])
    expect(html.match(/<svg /g)).toHaveLength(4)
    expect(html).toContain(`${Number(first!.layers[0]!.speed.toPrecision(4))}</td>`)
    expect(html).not.toMatch(/<script|<link|<img|href|src=|url\(|\son\w+=/i)
  })

  test("a table's numbers: residuals and the largest misses; flat ends of tanh", async () => {
    const { markdown } = await explained(at("diabetes"), "--out", at("elsewhere", "report"))
    const { validation } = json(at("diabetes", "result.json")) as {
      validation: { r2: number; residuals: number[]; mistakes: { row: number; truth: number; said: number }[] }
    }
    const short = (x: number): string => String(Number(x.toPrecision(4)))
    expect(markdown).toContain(`R² ${short(validation.r2)}`)
    expect(markdown).toContain(`| ${validation.residuals.map(short).join(" | ")} |`)
    const [worst] = validation.mistakes
    const most = Math.max(...validation.residuals.map(Math.abs))
    expect(Math.abs(worst!.truth - worst!.said)).toBe(most)
    expect(markdown).toContain(`| ${worst!.row} | ${short(worst!.truth)} |`)
    expect(markdown).toMatch(/Saturated neurons learn slowly: most of them are in dense(_1)?, \d/)
  })

  test("findings: the surest fault first, each once; none is said, no coach is said", async () => {
    const config = { net: "intermediate-net", epochs: 2 }
    const tip = {
      ...finding,
      code: "F18",
      kind: "tip",
      cause: "too few epochs",
      epoch: null,
      saw: "Still falling.",
      score: 99,
    }
    const again = { ...finding, saw: "Every step changed the weights by 9 %.", epoch: 1 }
    const other = {
      ...finding,
      code: "F05",
      cause: "dying relu",
      saw: "61 of 64 never fire.",
      score: 82,
      layer: "dense_1",
    }
    const lines = [tip, finding, other, again].map((of) => ({ finding: of }))
    const told = await explained(runOf("told", { "config.json": config, "findings.jsonl": lines }))
    const marks = [...told.markdown.matchAll(/^\*\*(Fault|Tip): (.*)\*\*$/gm)].map(([, , title]) => title)
    expect(marks).toEqual([
      "dying relu (dense\\_1), after epoch 1",
      "learning rate too high, after epoch 2",
      "too few epochs, before the first step",
    ])
    expect(told.markdown).not.toContain("21 %")
    expect(told.markdown).toContain("One thing at a time: Learning rate 4 to 0.4.")
    expect(told.markdown).toContain("No epoch was finished.")
    const nothing = await explained(runOf("nothing", { "config.json": config, "findings.jsonl": "" }))
    expect(nothing.markdown).toContain("Nothing: no sign of a fault in any epoch.")
    const alone = await explained(runOf("alone", { "config.json": config }))
    expect(alone.markdown).toContain("The coach did not watch this run")
    expect(alone.markdown).not.toContain("What to try next")
  })

  test("texts of a run's files are texts: no markup, no script, whatever they hold", async () => {
    const bad = '</p><script>alert(1)</script>"onload="x" `a` [l](javascript:x) ![i](http://e) | \u202e\u0000'
    const run = runOf("hostile", {
      "config.json": { net: bad, target: bad, data: bad, layers: [1], activation: bad },
      "history.jsonl": [{ epoch: 1, loss: 1, accuracy: 0.5, valLoss: -1 }],
      "signals.jsonl": [{ epoch: 1, layers: [{ layer: bad, speed: 1, saturated: 0.5, units: 3 }] }],
      "result.json": {
        ended: bad,
        validation: {
          kind: "classes",
          classes: [bad, "b"],
          confusion: [[1, 2], [3, 4]], // biome-ignore format: a matrix
          mistakes: [{ row: 1, truth: bad, said: bad, probability: 0.5 }],
        },
      },
      "findings.jsonl": [
        {
          finding: {
            ...finding,
            cause: bad,
            saw: bad,
            layer: bad,
            change: { ...finding.change, text: bad, flag: bad },
          },
        },
      ],
      "decisions.jsonl": [{ text: bad }],
    })
    const { html, markdown } = await explained(run)
    const tags = new Set([...html.matchAll(/<\/?([a-z0-9!]+)/gi)].map(([, tag]) => tag))
    for (const tag of ["script", "a", "img", "iframe"]) expect(tags).not.toContain(tag)
    expect(html).toContain("&#60;script&#62;")
    expect(html).not.toContain("\u202e")
    expect(html).toContain("default-src 'none'")
    const outside = markdown.replace(/^```[\s\S]*?^```$/gm, "")
    expect(outside).not.toMatch(/<script|\u202e|(?<!\\)\[l|:\/\//)
    expect(outside.match(/^!\[/gm)).toHaveLength(4)
    // A cell stays one cell.
    for (const row of outside.split("\n").filter((line) => line.startsWith("| ") && line.includes("50.0 %"))) {
      expect(row.match(/(?<!\\)\|/g)).toHaveLength(5)
    }
  })

  test("lines that trilobite has not written are left out", () => {
    const layer = { layer: "dense", speed: 0.5 }
    const run = runOf("mixed", {
      "config.json": {},
      "history.jsonl":
        '{"epoch":1,"loss":2,"note":"x"}\nnot JSON\n[1]\n{"epoch":1,"loss":3}\n{"epoch":2.5}\n{"epoch":3,"loss":1}\n',
      "signals.jsonl": [
        { epoch: 1, layers: [layer, { layer: 3, speed: 1 }, { layer: "x", speed: "fast" }, null] },
        { epoch: 2, layers: "none" },
        { epoch: 3, layers: [layer], answers: { confusion: [[1], [2]], mistakes: [], wrong: [] } },
        { epoch: 4, layers: [layer], answers: { confusion: [[1]], mistakes: [{ index: -1 }], wrong: [1, "2"] } },
      ],
      "findings.jsonl": [{ finding: { ...finding, saw: 3 } }, { finding }, { other: 1 }],
    })
    expect(epochsOf(run)).toEqual([{ epoch: 1, loss: 2 }, { epoch: 3, loss: 1 }]) // biome-ignore format: a list
    const signals = signalsOf(run)
    expect(signals.map(({ epoch, layers }) => [epoch, layers])).toEqual([1, 3, 4].map((epoch) => [epoch, [layer]]))
    expect(signals.map(({ answers }) => answers)).toEqual([
      undefined,
      undefined,
      { confusion: [[1]], mistakes: [], wrong: [1] },
    ])
    expect(findingsOf(run)).toEqual([finding])
    appendFileSync(join(run, "findings.jsonl"), '{"finding":')
    expect(findingsOf(run)).toEqual([finding])
  })

  test("a run that is not there, and a folder that cannot be made", async () => {
    await expect(explained("nowhere")).rejects.toMatchObject({ code: "E_IO", hint: "trilobite runs lists them." })
    const out = at("iris", "config.json", "x")
    await expect(explained(at("iris"), "--out", out)).rejects.toMatchObject({ code: "E_IO" })
  })
})

describe("the coach of trilobite train", () => {
  /** What a command prints on standard output. */
  async function printed(command: () => Promise<unknown>): Promise<string> {
    let text = ""
    const write = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
      text += String(chunk)
      return true
    })
    try {
      await command()
    } finally {
      write.mockRestore()
    }
    return text
  }
  const doctor = (...args: string[]): Promise<string> => {
    const program = new Command().exitOverride()
    addDoctor(program)
    return printed(() => program.parseAsync(["doctor", ...args], { from: "user" }))
  }
  const faults = (run: string): string[] =>
    (findingsOf(run) ?? []).filter(({ kind }) => kind === "fault").map(({ code }) => code)
  const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length))

  let said = ""
  /** The coach's part of the report. */
  const atEnd = (): string => said.slice(said.indexOf("\nFault"), said.indexOf("\nEpochs "))
  beforeAll(async () => {
    said = await printed(() => trainTable({ data: "iris", learningRate: 3 }, { out: at("fast") }))
  }, 60_000)

  test("healthy tables: no fault, and the same bits as without it", async () => {
    const digits = { data: "digits", epochs: 20 }
    for (const { data, ...rest } of [{ data: "iris" }, { data: "wine" }, digits, { data: "diabetes" }]) {
      const text = await printed(() => trainTable({ data, ...rest }, { out: at(`well-${data}`) }))
      expect(text, data).toContain("Coach        no fault was seen")
      expect(faults(at(`well-${data}`)), data).toEqual([])
    }
    await trainTable({ data: "iris" }, { out: at("unwatched"), quiet: true, coach: false })
    const bytes = (run: string): Buffer => readFileSync(at(run, "model.safetensors"))
    expect(bytes("unwatched").equals(bytes("well-iris"))).toBe(true)
    expect(existsSync(at("unwatched", "findings.jsonl")) || existsSync(at("unwatched", "evidence.jsonl"))).toBe(false)
    const evidence = evidenceOf(at("well-iris"))!
    expect(evidence.epochs.map(({ epoch }) => epoch + 1)).toEqual(epochsOf(at("well-iris")).map(({ epoch }) => epoch))
    expect(evidence).toMatchObject({ ended: "stopped", network: { task: "classes" }, data: { rows: 120, features: 4 } })
  }, 120_000)

  test("a fault: two lines when it is found, in full at the end, everything in the folder", async () => {
    expect(faults(at("fast"))).toContain("F08")
    const at0 = said.indexOf("Coach, fault: learning rate too high.")
    expect(at0).toBeGreaterThan(-1)
    // Before the first step: so long a step is foretold by the untrained network.
    expect(at0).toBeLessThan(said.indexOf("Epoch   1"))
    expect(said.slice(at0).split("\n").slice(0, 3).join("\n")).toMatch(/^Coach, .*\n( {2}.*\n)?Epoch/)
    const end = atEnd()
    for (const part of ["Saw ", "Normal ", "Why ", "Change ", "Expect "]) expect(end).toContain(`\n${part}`)
    expect(end).toMatch(/\n +--learning-rate 0\.\d+\n/)
    expect(widest(end)).toBeLessThanOrEqual(80)
    const { markdown } = await explained(at("fast"))
    expect(markdown).toContain("**Fault: learning rate too high")
    const lines = await printed(() =>
      trainTable({ data: "iris", learningRate: 3, epochs: 4 }, { out: at("lines"), json: true }),
    )
    const keys = lines
      .trimEnd()
      .split("\n")
      .map((line) => Object.keys(JSON.parse(line))[0])
    expect(keys.at(-1)).toBe("result")
    expect(keys.filter((key) => key === "epoch")).toHaveLength(4)
    expect(keys.filter((key) => key === "finding")).toHaveLength(findingsOf(at("lines"))!.length)
    expect(findingsOf(at("lines"))).not.toEqual([])
  }, 60_000)

  test("a run that makes the proposed change alone is told whether it did what was promised", async () => {
    const run = (name: string, given: object, options: object = {}): Promise<string> =>
      printed(() => trainTable({ data: "iris", epochs: 4, ...given }, { out: at("promises", name), ...options }))
    const compared = (...args: string[]): Promise<string> => {
      const program = new Command().exitOverride()
      addRuns(program)
      return printed(() => program.parseAsync(["runs", ...args, "--runs", at("promises")], { from: "user" }))
    }
    mkdirSync(at("promises"))
    expect(await run("slow", { learningRate: 1e-6 })).toContain("--learning-rate 0.01")
    // Another change, the change and one more, other rows: nothing was promised of these.
    expect(await run("other", { learningRate: 0.002 })).not.toContain("Promise")
    expect(await run("two", { learningRate: 0.01, seed: 1 })).not.toContain("Promise")
    expect(await run("wine", { learningRate: 0.01, data: "wine" })).not.toContain("Promise")

    const right = /What slow promised for\s"learning rate\stoo low" came true: cost 0\.\d+,\s+promised below 0\.\d+\./
    const text = await run("right", { learningRate: 0.01 })
    expect(text.replace(/\n +/g, " ")).toMatch(right)
    expect(widest(text.slice(text.indexOf("Promise"), text.indexOf("\nEpochs ")))).toBeLessThanOrEqual(80)
    expect((await compared("slow", "right")).replace(/\n/g, " ")).toMatch(right)
    expect((await compared("right", "slow")).replace(/\n/g, " ")).toMatch(right)
    expect(await compared("slow", "two")).not.toContain("promised")
    expect((await explained(at("promises", "right"))).markdown).toMatch(right)

    const broken = await run("again", { learningRate: 0.01, epochs: 4 }, { json: true })
    const { promise } = JSON.parse(broken.split("\n").find((line) => line.startsWith('{"promise"'))!)
    expect(promise).toMatchObject({
      run: "slow",
      code: "F09",
      cameTrue: true,
      change: { flag: "--learning-rate 0.01" },
    })
    const told = JSON.parse(await compared("slow", "right", "--json")).promise
    expect(told).toEqual(promise)
    expect(promise.measured).toBeLessThan(promise.expect.below)

    // A promise that is not kept: the costs of the run that made the change are those of before.
    const evidence = readFileSync(at("promises", "slow", "evidence.jsonl"), "utf8")
    writeFileSync(at("promises", "right", "evidence.jsonl"), evidence)
    expect((await compared("slow", "right")).replace(/\n/g, " ")).toContain(
      '"learning rate too low" did not come true: cost',
    )
    // Damaged files say nothing.
    writeFileSync(at("promises", "right", "evidence.jsonl"), '{"network":{"layers":3}}\n')
    expect(await compared("slow", "right")).not.toContain("promised")
    writeFileSync(
      at("promises", "slow", "evidence.jsonl"),
      evidence.replaceAll('"kernels"', '"grains"').replace('"output"', '"input"'),
    )
    expect(await run("blind", { learningRate: 0.01 })).not.toContain("Promise")
  }, 120_000)

  test("a run that was made longer is told whether that did what was promised", async () => {
    const short = await printed(() => trainTable({ data: "iris", epochs: 6, patience: 0 }, { out: at("short") }))
    expect(short).toMatch(/Fault F18: too few epochs[\s\S]*--epochs 12\n/)
    const longer = (epochs: number): Promise<string> => printed(() => trainTable({}, { resume: at("short"), epochs }))
    const text = await longer(12)
    expect(text.replace(/\n +/g, " ")).toMatch(
      /What short promised for "too few epochs" came true: validation cost 0\.\d+, promised below/,
    )
    expect(text).toContain("too few epochs, after epoch 12.")
    expect(await longer(14)).not.toContain("Promise")
  }, 60_000)

  test("doctor says of a run what was said at its end", async () => {
    const text = await doctor(at("fast"))
    expect(text).toMatch(/^Looked at {4}.*fast, \d+ epochs\n/)
    expect(text.slice(text.indexOf("\nFault"))).toBe(atEnd())
    const { headline, also } = JSON.parse(await doctor(at("fast"), "--json"))
    expect(headline).toMatchObject({ code: "F08", change: { edit: { kind: "learningRate" } } })
    expect(also.length).toBeLessThanOrEqual(2)
  })

  test("doctor before the first step: data, network and loss; nothing is trained", async () => {
    expect(await doctor("iris")).toMatch(/^Looked at {4}iris, not begun\nCoach {8}no fault was seen\nWarning/)
    expect(await doctor("iris", "--activation", "linear")).toMatch(/^Fault F14: .*[\s\S]*--activation relu/m)
    // The untrained network is looked at, too.
    expect(await doctor("iris", "--activation", "sigmoid", "--layers", "16,16,16,16,16,16,16,16")).toMatch(
      /^Fault F06: [\s\S]*slopes of the first hidden layer[\s\S]*--activation relu/m,
    )
    expect(await doctor("iris", "--activation", "exponential", "--layers", "16,16,16,16,16")).toMatch(/^Fault F07: /m)
    expect(await doctor("diabetes", "--scaling", "none")).toMatch(/^Fault F02: [\s\S]*--scaling standardize/m)
    const config = at("a.config.json")
    writeFileSync(config, JSON.stringify({ data: "iris", activation: "linear" }))
    expect(await doctor(config)).toContain("Fault F14")
    expect(await doctor(config, "--activation", "tanh")).toContain("no fault was seen")
    // A run that nobody watched is looked at as if it were not begun.
    await trainTable(
      { data: "iris", epochs: 1, activation: "linear" },
      { out: at("before"), quiet: true, coach: false },
    )
    expect(await doctor(at("before"))).toMatch(/before its first step: the\s+coach\s+did\s+not\s+watch\s+it\nFault F14/)
  }, 60_000)

  test("doctor: a table that training would refuse; what is nothing", async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i === 4 ? "" : i % 7},${i % 5},${i % 7 > 3 ? "u" : "v"}`)
    writeFileSync(at("gaps.csv"), `a,b,y\n${rows.join("\n")}\n`)
    const text = await doctor(at("gaps.csv"), "--target", "y")
    expect(text).toMatch(/Refused {6}.*gaps\.csv:6, column 1 "a": the\s+cell\s+is\s+empty/)
    expect(text).toContain("--missing")
    expect(widest(text.replace(at("gaps.csv"), ""))).toBeLessThanOrEqual(80)
    await expect(doctor(at("gaps.csv"))).rejects.toMatchObject({ code: "E_USAGE", where: "--target" })
    await expect(doctor("nowhere.csv", "--target", "y")).rejects.toMatchObject({ code: "E_IO" })
    await expect(doctor(folder)).rejects.toMatchObject({ code: "E_IO", what: "there is no such run." })
  })

  test("evidence: the last training counts; files that are none of ours are refused", async () => {
    const all = readFileSync(at("fast", "evidence.jsonl"), "utf8").trimEnd().split("\n")
    const twice = runOf("twice", { "config.json": {}, "evidence.jsonl": [...all, ...all.slice(0, 3)].join("\n") })
    expect(evidenceOf(twice)!.epochs).toHaveLength(2)
    expect(evidenceOf(twice)!.ended).toBeUndefined()
    const shape = runOf("shape", { "config.json": {}, "evidence.jsonl": [{ network: { layers: 3 } }] })
    await expect(doctor(shape)).rejects.toMatchObject({ code: "E_DATA" })
    const holes = { network: { layers: [null], output: {} }, training: {} }
    await expect(doctor(runOf("holes", { "config.json": {}, "evidence.jsonl": [holes] }))).rejects.toMatchObject({
      code: "E_DATA",
    })
  })

  test("a long finding is said in two lines of 80 columns", () => {
    const text = "Divide the learning rate by ten until the cost falls in every epoch, and again. ".repeat(3)
    const brief = briefText({ ...finding, layer: "dense", change: { ...finding.change, text } })
    expect(brief).toMatch(/^Coach, fault: learning rate too high \(dense\)\. Divide .*\n {2}.* \.\.\.$/)
    expect(widest(brief)).toBeLessThanOrEqual(80)
  })
})

test("a small picture has a square for each pixel, darker where there is more ink", () => {
  const svg = pictureSvg([0, 255, 255, 128, 0, 128], 3)
  expect([...svg.matchAll(/d="([^"]*)" fill-opacity="([^"]*)"/g)].map(([, d, shade]) => [d, shade])).toEqual([
    ["M0 1h1v1h-1zM2 1h1v1h-1z", "0.5"],
    ["M1 0h2v1h-2z", "1"],
  ])
})

test("a page's parts in both forms", () => {
  const page: Page = {
    title: "a < b",
    blocks: [
      { kind: "heading", text: "1. # x" },
      { kind: "code", text: "a ``` b" },
      { kind: "table", head: ["n", "t"], rows: [[1, "x"], [22, "-y"]], shades: [[1, 0], [0, 0]] }, // biome-ignore format: a table
      { kind: "pictures", pictures: [{ svg: null, text: "p" }] },
    ],
  }
  expect(markdownOf(page)).toBe(
    "# a &#60; b\n\n## 1\\. # x\n\n````\na ``` b\n````\n\n| n | t |\n| --: | --- |\n| 1 | x |\n| 22 | \\-y |\n\n- p\n",
  )
  const html = htmlOf(page)
  expect(html).toContain("<title>a &#60; b</title>")
  expect(html).toContain('<td class="n" style="background:rgb(0 114 178 / 0.6)">1</td><td>x</td>')
})
