// Ways of this library for each other, epoch by epoch in turns in one process: the gain of threads, the price of portable numerics.
//   node bench/pairs.ts [--workloads a,b,c] [--ways fused-1,fused-2,portable-1,portable-2] [--epochs 20] [--rows 6400] [--out folder]
// A way is its numerics and threads, with wide vectors. Every ratio is of the first way's time in the same turn.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as library from "../src/index.ts"
import { type Ended, inTurns } from "./in-turns.ts"
import { machine, median, quantile, stamp } from "./machine.ts"
import { type Engine, examplesOf, modelOf } from "./ours.ts"
import { prepare, type Task, workloads } from "./workloads.ts"

const text = { type: "string" } as const
const { values: options } = parseArgs({
  options: {
    workloads: { ...text, default: "a,b,c" },
    ways: { ...text, default: "fused-1,fused-2,portable-1,portable-2" },
    epochs: { ...text, default: "20" },
    rows: { ...text, default: "6400" },
    out: { ...text, default: join(import.meta.dirname, "results") },
  },
})

function engineOf(way: string): Engine {
  const [numerics, threads] = way.split("-")
  if (numerics !== "fused" && numerics !== "portable") throw new Error(`--ways: fused or portable, got ${way}`)
  return { numerics, threads: Number(threads), wideVectors: true }
}

const before = machine()
const ways = options.ways.split(",")
const results: { workload: string; way: string; seconds: number[] }[] = []
const lines = [
  "# Ways of this library in turns",
  "",
  `${before.cpu}; ${before.system}; Node ${before.node}; load before the run ${before.load}. Seconds of an epoch, medians; ratios of the first way's time in the same turn.`,
  "",
  "| workload | way | seconds | first way / this way: median | a quarter below | a quarter above |",
  "|---|---|---|---|---|---|",
]
for (const workload of workloads.filter(({ id }) => options.workloads.split(",").includes(id))) {
  // (a) as a whole: its epochs are short.
  const rows = workload.id === "a" ? workload.rows : Math.min(workload.rows, Number(options.rows))
  const task = JSON.parse(readFileSync(prepare({ ...workload, rows }), "utf8")) as Task
  const { x, y } = examplesOf(library, task, "train")
  const seconds = Object.fromEntries(ways.map((way) => [way, [] as number[]]))
  const turns = inTurns(seconds)
  const train = (way: string): Promise<Ended> =>
    turns(way, (callbacks) =>
      modelOf(library, task, engineOf(way)).fit(x, y, {
        batchSize: task.batch,
        epochs: Number(options.epochs) + 1,
        verbose: 0,
        callbacks,
      }),
    )
  await Promise.all(ways.map(train))
  const first = seconds[ways[0]!]!.slice(1)
  for (const way of ways) {
    // The first epoch is to warm up.
    const own = seconds[way]!.slice(1)
    const ratios = own.map((s, i) => first[i]! / s)
    const at = (part: number): string => quantile(ratios, part).toFixed(3)
    lines.push(
      `| ${workload.id} | ${way} | ${median(own).toPrecision(3)} | ${median(ratios).toFixed(3)} | ${at(0.25)} | ${at(0.75)} |`,
    )
    results.push({ workload: workload.id, way, seconds: own })
  }
}
mkdirSync(options.out, { recursive: true })
const path = join(options.out, `${stamp()}-pairs`)
writeFileSync(`${path}.json`, `${JSON.stringify({ machine: before, results }, null, 2)}\n`)
writeFileSync(`${path}.md`, `${lines.join("\n")}\n`)
console.log(lines.join("\n"))
