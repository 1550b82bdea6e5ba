// A run told on one page: what its files hold, what is escaped, and what the numbers are. In this process: nothing is built.
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Command } from "commander"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { addExplain } from "../cli/commands/explain.ts"
import { htmlOf, markdownOf, type Page } from "../cli/report/document.ts"
import { pictureSvg } from "../cli/report/pictures.ts"
import { epochsOf, findingsOf, signalsOf } from "../cli/report/read.ts"
import { trainTable } from "../cli/tabular.ts"
import { dataSet } from "../src/datasets.ts"
import type { Finding } from "../src/index.ts"

const folder = mkdtempSync(join(tmpdir(), "trilobite-coach-"))
const at = (...path: string[]): string => join(folder, ...path)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

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
