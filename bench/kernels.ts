// The matrix products of a workload alone, from the module that trains it: GF/s in one thread beside the machine's peaks.
//
//   node bench/kernels.ts [--workload b] [--out folder]

import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { arenaOf, generate } from "../src/backend/wasm/generate.ts"
import { platform } from "../src/backend/wasm/node-platform.ts"
import { tune, type Variant } from "../src/backend/wasm/tune.ts"
import type { Step } from "../src/program/kernel.ts"
import type { Program } from "../src/program/program.ts"
import { machine, stamp } from "./machine.ts"
import { build, flags } from "./peers.ts"
import { programOf } from "./program.ts"
import { workloads } from "./workloads.ts"

const text = { type: "string" } as const
const { values: options } = parseArgs({
  options: { workload: { ...text, default: "b" }, out: { ...text, default: join(import.meta.dirname, "results") } },
})

interface Peaks {
  readonly threads: number
  readonly fma: { readonly [bits: string]: number }
  readonly mulAdd: { readonly [bits: string]: number }
}

/** GF/s of one thread, or undefined without a C compiler. */
function measurePeaks(): Peaks | undefined {
  const { path, fault } = build("gcc", flags.peak, "peak.c")
  if (fault !== undefined) {
    console.error(`no peaks: ${fault}`)
    return undefined
  }
  return JSON.parse(spawnSync(path, ["1"], { encoding: "utf8" }).stdout) as Peaks
}

/** A product of the program: what it does, and how fast. */
interface Row {
  readonly step: number
  /** Rows, columns, and the length of each sum. */
  readonly shape: readonly [number, number, number]
  readonly microseconds: number
  readonly gigaflops: number
}

/** Milliseconds of one call: the least of several series. */
function time(call: () => void): number {
  call()
  let least = Number.POSITIVE_INFINITY
  for (let series = 0; series < 15; series++) {
    const started = performance.now()
    for (let i = 0; i < 4; i++) call()
    least = Math.min(least, (performance.now() - started) / 4)
  }
  return least
}

/** The kernels of the training rounds, and where their own memory and the scratch memory in it begin. */
function load(
  program: Program,
  { tile, wide }: Variant,
): { work: number; scratch: number; exports: WebAssembly.Exports } {
  const generated = generate(program, "train", { tile, threads: 1, shared: true, exportKernels: true })
  const [arena, work] = arenaOf(program)
  const end = work + generated.workBytes
  const module = platform.compile(generated.bytes, { wide, relaxed: program.numerics === "fused" })
  const pages = Math.ceil(end / 65536) + 1
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true })
  // Numbers of ordinary size: zeros and tiny ones are computed at other speeds on some machines.
  const from = Math.ceil(arena / 4)
  const values = new Float32Array(memory.buffer).subarray(from, Math.floor(end / 4))
  for (let i = 0; i < values.length; i++) values[i] = ((i * 7919) % 1000) / 5000 - 0.1
  return {
    work,
    scratch: work + generated.scratchAt,
    exports: new WebAssembly.Instance(module, { env: { memory } }).exports,
  }
}

function measure(program: Program, variant: Variant): Row[] {
  const { work, scratch, exports } = load(program, variant)
  const size = (n: number): number => (n < 0 ? -n * program.rows : n)
  return program.entries.train!.steps.flatMap(({ kernel, split }: Step, step) => {
    if (kernel.kind !== "matmul") return []
    const run = exports[`train_${step}`] as (...numbers: number[]) => void
    const extent = split === "rows" ? program.rows : size(kernel.space[0] ?? 1)
    const milliseconds = time(() => run(0, extent, program.rows, 0, scratch, work))
    const shape = [size(kernel.space[0] ?? 1), size(kernel.space[1] ?? 1), size(kernel.inner[0] ?? 1)] as const
    const gigaflops = (2 * shape[0] * shape[1] * shape[2]) / milliseconds / 1e6
    return [{ step, shape, microseconds: milliseconds * 1000, gigaflops }]
  })
}

const workload = workloads.find(({ id }) => id === options.workload)
if (workload === undefined) throw new Error(`no workload ${options.workload}`)
const before = machine()
const peaks = measurePeaks()
const runs = (["fused", "portable"] as const).flatMap((numerics) => {
  const program = programOf(workload, numerics)
  return [true, false].map((wide) => {
    const variant = tune(platform, numerics, wide)
    const rows = measure(program, variant)
    const flops = rows.reduce((sum, { shape: [m, n, k] }) => sum + 2 * m * n * k, 0)
    const all = flops / rows.reduce((sum, row) => sum + row.microseconds, 0) / 1e3
    return { numerics, wide: variant.wide, asked: wide, tile: variant.tile, rows, all }
  })
})

const percent = (part: number, whole: number | undefined): string =>
  whole === undefined ? "" : `${((100 * part) / whole).toFixed(0)} %`
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
