// `trilobite tune --range-test`: the learning rate range test on a table, its decision and its picture in a folder. Knows no command line.

import { mkdirSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { learningRateRangeTest, type RangeTest, rangeTestSvg } from "../src/tune.ts"
import { commandOf } from "./command-of.ts"
import type { TrainConfig } from "./config.ts"
import { recordDecision } from "./decisions.ts"
import { printJson, printLine } from "./output.ts"
import { newRunFolder, writeJson } from "./run-folder.ts"
import { complete } from "./settings.ts"
import { buildModel, trainingOf } from "./table-net.ts"
import { rowsFor, shortName } from "./table-rows.ts"

/** How it is told, and where it is kept. */
export interface RangeTestFlags {
  readonly out?: string
  readonly quiet?: true
  readonly json?: true
}

const names = { result: "range-test.json", picture: "range-test.svg" } as const

/** The longest bar, and the lines of the table: one for a third of a power of ten. */
const BAR = 40
const EVERY = 4

/** Tests learning rates for what a config trains; answers with the exit code. */
export async function runRangeTest(given: TrainConfig, flags: RangeTestFlags): Promise<number> {
  const settings = complete(given)
  const { data } = await rowsFor(settings)
  const folder = newRunFolder(`range-test-${shortName(settings.data!)}`, flags.out)
  const model = buildModel(data, settings, { seed: settings.seed })
  const { x, y, options } = trainingOf(data, settings)
  const { batchSize, seed } = options
  const found = await learningRateRangeTest(model, x, y, { batchSize: batchSize!, seed: seed! })
  mkdirSync(resolve(folder), { recursive: true })
  writeFileSync(join(folder, names.picture), rangeTestSvg(found))
  const { rates, costs, smooth, suggestion } = found
  const result = { data: settings.data, suggestion: suggestion ?? null, rates, costs, smooth, out: folder }
  writeJson(join(folder, names.result), result)
  const lively = !flags.json && !flags.quiet
  if (lively) printLine(`${tableText(found)}\n`)
  recordDecision(folder, found.decision, flags)
  if (flags.json) printJson({ result })
  else {
    printLine(`Saved in     ${folder}: ${names.picture}, ${names.result}, decisions.jsonl`)
    if (suggestion !== undefined) printLine(`To train     ${commandOf({ ...given, learningRate: suggestion })}`)
  }
  return 0
}

/** Rates and costs with bars, within 80 columns. */
function tableText({ rates, smooth, suggestion }: RangeTest): string {
  const most = Math.min(Math.max(...smooth), 2 * smooth[0]!)
  const lines = rates.flatMap((rate, i) => {
    if (i % EVERY !== 0 && i !== rates.length - 1) return []
    const cost = smooth[i]!
    const cells = Math.max(0, Math.min(BAR, Math.round((BAR * cost) / most)))
    const mark = suggestion !== undefined && Math.abs(Math.log10(rate / suggestion)) < 0.05 ? "  suggested" : ""
    return [
      `${rate.toExponential(1).padEnd(8)}  ${String(Number(cost.toPrecision(4))).padEnd(8)}  ${"=".repeat(cells)}${mark}`,
    ]
  })
  return ["rate      cost", ...lines].join("\n")
}
