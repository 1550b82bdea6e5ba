// The matrix products of a workload alone, from the module that trains it: GF/s in one thread beside the machine's peaks.
//
//   node bench/kernels.ts [--workload b] [--out folder]

import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { platform } from "../src/backend/wasm/node-platform.ts"
import { tune } from "../src/backend/wasm/tune.ts"
import { machine, stamp } from "./machine.ts"
import { measurePeaks } from "./peaks.ts"
import { measure, operationsOf, percent } from "./products.ts"
import { programOf } from "./program.ts"
import { workloads } from "./workloads.ts"

const text = { type: "string" } as const
const { values: options } = parseArgs({
  options: { workload: { ...text, default: "b" }, out: { ...text, default: join(import.meta.dirname, "results") } },
})

const workload = workloads.find(({ id }) => id === options.workload)
if (workload === undefined) throw new Error(`no workload ${options.workload}`)
const before = machine()
const peaks = measurePeaks()
const runs = (["fused", "portable"] as const).flatMap((numerics) => {
  const program = programOf(workload, numerics)
  return [true, false].map((wide) => {
    const variant = tune(platform, numerics, wide)
    const rows = measure(platform, program, variant)
    const flops = rows.reduce((sum, row) => sum + operationsOf(row), 0)
    const all = flops / rows.reduce((sum, row) => sum + row.microseconds, 0) / 1e3
    return { numerics, wide: variant.wide, asked: wide, tile: variant.tile, rows, all }
  })
})

const lines = [
  `# Matrix products of (${workload.id}) alone, one thread: ${workload.title}`,
  "",
  `${before.cpu}; ${before.system}; Node ${before.node}; load before the run ${before.load}.`,
  "GF/s counts true sizes, columns that only fill up a tile not. A figure holds the product with what is fused into it.",
  "",
]
if (peaks !== undefined) {
  lines.push("| peak, GF/s | 128 bit | 256 bit | 512 bit |", "|---|---|---|---|")
  for (const [name, by] of [
    ["FMA", peaks.fma],
    ["multiply and add", peaks.mulAdd],
  ] as const)
    lines.push(`| ${name} | ${by["128"] ?? ""} | ${by["256"] ?? ""} | ${by["512"] ?? ""} |`)
}
for (const { numerics, wide, asked, tile, rows, all } of runs) {
  const peak = numerics === "fused" ? peaks?.fma : peaks?.mulAdd
  const title = `${numerics}, wide vectors ${wide ? "on" : asked ? "on but not chosen" : "off"}`
  lines.push("", `## ${title}: tile ${tile.rows} x ${4 * tile.vectors}, unroll ${tile.unroll}`, "")
  lines.push(
    "| step | rows x columns x sum | us | GF/s | of the 256-bit peak | of the 128-bit peak |",
    "|---|---|---|---|---|---|",
  )
  const shares = (rate: number): string => `${percent(rate, peak?.["256"])} | ${percent(rate, peak?.["128"])}`
  for (const { step, shape, microseconds, gigaflops } of rows)
    lines.push(
      `| ${step} | ${shape.join(" x ")} | ${microseconds.toFixed(1)} | ${gigaflops.toFixed(1)} | ${shares(gigaflops)} |`,
    )
  lines.push(`| all | | | ${all.toFixed(1)} | ${shares(all)} |`)
}
mkdirSync(options.out, { recursive: true })
const path = join(options.out, `${stamp()}-kernels-${workload.id}`)
writeFileSync(`${path}.json`, `${JSON.stringify({ machine: before, workload, peaks, runs }, null, 2)}\n`)
writeFileSync(`${path}.md`, `${lines.join("\n")}\n`)
console.log(lines.join("\n"))
