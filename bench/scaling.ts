// How the time of an epoch grows with rows, width, depth, batch size and threads: JSON, and a plot (SVG) with the expected law,
// proportional to the operations of the matrix products, beside it.
//
//   node bench/scaling.ts [--quick] [--numerics fused] [--out folder]

import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { machine, median, stamp } from "./machine.ts"
import { drawScaling } from "./plot.ts"
import { operations, prepare, root, type Workload } from "./workloads.ts"

const text = { type: "string" } as const
const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    numerics: { ...text, default: "fused" },
    rounds: text,
    out: { ...text, default: join(import.meta.dirname, "results") },
  },
})

/** What everything else is compared with; random data, so that rows and inputs are free. */
const base: Workload = {
  id: "scaling",
  title: "scaling",
  sizes: [256, 256, 256, 10],
  hidden: "relu",
  output: "softmax",
  batch: 128,
  learningRate: 0.01,
  rows: options.quick ? 2560 : 20480,
  epochs: options.quick ? 2 : 5,
  data: "random",
  validate: false,
}

/** One measurement. */
export interface Point {
  /** What grows, and how large it is here. */
  readonly axis: string
  readonly value: number
  readonly threads: number
  readonly operations: number
  /** Median of an epoch. */
  readonly seconds: number
  /** What the law says, from the point of this axis in the middle. */
  readonly expected: number
}

type Case = Omit<Point, "seconds" | "expected"> & { readonly workload: Workload }

function cases(): Case[] {
  const cores = availableParallelism()
  const list: Case[] = []
  const add = (axis: string, value: number, change: Partial<Workload>, threads = cores): void => {
    const workload = { ...base, ...change, id: `scaling-${axis.replaceAll(" ", "-")}-${value}` }
    list.push({ axis, value, threads, operations: operations(workload), workload })
  }
  const few = <T>(values: readonly T[]): readonly T[] => (options.quick ? values.slice(1, 4) : values)
  for (const n of few([2, 4, 8, 16, 32, 64])) add("rows", n * (base.rows / 16), { rows: n * (base.rows / 16) })
  for (const n of few([32, 64, 128, 256, 512, 1024])) add("width", n, { sizes: [256, n, n, 10] })
  for (const n of few([1, 2, 4, 8, 16])) add("depth", n, { sizes: [256, ...Array<number>(n).fill(256), 10] })
  for (const n of few([8, 16, 32, 64, 128, 256, 512])) add("batch size", n, { batch: n })
  for (let n = 1; n <= cores; n++) add("threads", n, {}, n)
  return list
}

/** Seconds of each timed epoch of one process. */
function run({ workload, threads }: Case): number[] {
  const file = join(import.meta.dirname, "peers", "trilobite.ts")
  const own = ["--workload", prepare(workload), "--threads", `${threads}`, "--epochs", `${workload.epochs + 1}`]
  const { stdout, stderr, status } = spawnSync(process.execPath, [file, ...own, "--variant", options.numerics], {
    encoding: "utf8",
    cwd: root,
  })
  if (status !== 0) throw new Error(stderr)
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { epoch?: number; seconds?: number })
  return lines.flatMap(({ epoch = 0, seconds = 0 }) => (epoch > 1 ? [seconds] : []))
}

const before = machine()
const all = cases()
const seconds = all.map((): number[] => [])
// In turns: what disturbs the machine meets all alike.
for (let round = 0; round < Number(options.rounds ?? (options.quick ? 1 : 3)); round++) {
  all.forEach((one, i) => {
    seconds[i]!.push(...run(one))
    console.error(`${one.axis} ${one.value}: ${median(seconds[i]!).toPrecision(3)} s`)
  })
}

const points: Point[] = all.map(({ workload: _, ...one }, i) => {
  const same = all.flatMap(({ axis }, k) => (axis === one.axis ? [k] : []))
  const middle = one.axis === "threads" ? same[0]! : same[same.length >> 1]!
  // The law: time goes with operations by threads; the batch size changes neither.
  const work = (k: number): number => all[k]!.operations / (one.axis === "threads" ? all[k]!.threads : 1)
  return { ...one, seconds: median(seconds[i]!), expected: (median(seconds[middle]!) * work(i)) / work(middle) }
})
mkdirSync(options.out, { recursive: true })
const path = join(options.out, `${stamp()}-scaling${options.quick ? "-quick" : ""}`)
const result = { machine: before, numerics: options.numerics, base, points, epochs: seconds }
writeFileSync(`${path}.json`, `${JSON.stringify(result, null, 2)}\n`)
const svg = await drawScaling(points, `${before.cpu}, Node ${before.node}, ${options.numerics}, wide vectors`)
if (svg === undefined) console.error("no plot: npm ci in bench/ installs what draws it")
else writeFileSync(`${path}.svg`, svg)
console.error(`written: ${path}.json${svg === undefined ? "" : " and .svg"}`)
