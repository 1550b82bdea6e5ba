// `trilobite explain`: a run on one page, as HTML and as Markdown.

import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { type Command, Option } from "commander"
import { mnist } from "../../src/datasets.ts"
import { TrilobiteError } from "../../src/index.ts"
import { printLine } from "../output.ts"
import { promiseKept, promiseText } from "../promises.ts"
import { htmlOf, markdownOf, type Page } from "../report/document.ts"
import { explain, type Told } from "../report/explain.ts"
import { pictureSvg } from "../report/pictures.ts"
import {
  decidedIn,
  epochsOf,
  evidenceOf,
  type FoundRun,
  findingsOf,
  findRun,
  foundIn,
  signalsOf,
} from "../report/read.ts"
import { makeFolder } from "../run-folder.ts"
import { readPath } from "../values.ts"

const HELP = `
The page says what the coach found and what it would try next, and shows the
curves, how fast each layer learned, saturated and dead neurons, what was read
wrong (residuals for numbers), the surest mistakes, and how to repeat the run.
report.html stands alone (no script, nothing from elsewhere); report.md has its
plots in files beside it. A run that goes on is told as far as it has come.

Examples:
  $ trilobite explain runs/iris-20260101-120000
  $ trilobite explain intermediate-net-20260101-120000 --out /tmp/report`

/** Adds the command. */
export function addExplain(program: Command): void {
  const runs = new Option("--runs <folder>", "folder of the runs").default("runs")
  const out = new Option("--out <folder>", "folder of the report (default: report in the run's)")
  program
    .command("explain")
    .summary("explain a run on one page")
    .description("Writes a page about a run: report.html and report.md.")
    .argument("<run>", "a run, by its name or its folder")
    .addOption(runs.argParser((text) => readPath("--runs", text)))
    .addOption(out.argParser((text) => readPath("--out", text)))
    .addHelpText("after", HELP)
    .action(async (name: string, options: { readonly runs: string; readonly out?: string }) => {
      const run = findRun(options.runs, name)
      const folder = options.out ?? join(run.folder, "report")
      writeReport(folder, explain(await tell(run)))
      printLine(`${join(folder, "report.html")}\n${join(folder, "report.md")}`)
    })
}

/** All that the folder of a run tells; pictures where its validation rows are MNIST's and can be had. */
async function tell(run: FoundRun): Promise<Told> {
  const { folder, config } = run
  const signals = signalsOf(folder)
  const wrong = config.dataset === "mnist" && signals.some(({ answers }) => (answers?.mistakes.length ?? 0) > 0)
  const images = wrong ? await imagesOf(config.data) : undefined
  const promised = await promiseKept(folder, config, evidenceOf(folder))
  return {
    run,
    epochs: epochsOf(folder),
    signals,
    // What was said at the time, where what it rests on is not kept.
    findings: (await foundIn(folder)) ?? findingsOf(folder),
    promise: promised && promiseText(promised),
    decisions: decidedIn(folder),
    picture: (index) => {
      const bytes = images?.subarray(784 * index, 784 * (index + 1))
      return bytes?.length === 784 ? pictureSvg(bytes, 28) : null
    },
  }
}

/** MNIST's test images; undefined if they are not where the run had them. */
async function imagesOf(data: unknown): Promise<Uint8Array | undefined> {
  try {
    const { test } = await mnist(typeof data === "string" ? { path: data } : {})
    return test.images.data as Uint8Array
  } catch (error) {
    if (error instanceof TrilobiteError) return undefined
    throw error
  }
}

/** Writes the page, over an earlier one. Throws E_IO. */
function writeReport(folder: string, page: Page): void {
  const files: (readonly [name: string, text: string])[] = [
    ["report.html", htmlOf(page)],
    ["report.md", markdownOf(page)],
  ]
  for (const block of page.blocks) {
    // Alone in a file, what has the colour of the text around it stands on white.
    if (block.kind === "plots")
      files.push(...block.plots.map(({ name, svg }) => [`${name}.svg`, onWhite(svg)] as const))
  }
  try {
    makeFolder(resolve(folder))
    for (const [name, text] of files) writeFileSync(join(folder, name), text)
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error
    const fields = { where: folder, what: "cannot write the report here.", got: String(error.code) }
    throw new TrilobiteError("E_IO", { ...fields, hint: "Name another folder: --out <folder>." }, { cause: error })
  }
}

const onWhite = (svg: string): string =>
  svg.replace(/(<svg [^>]*>)/, '$1\n<rect width="100%" height="100%" fill="#fff"/>')
