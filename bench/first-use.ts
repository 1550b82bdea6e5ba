// What the first use of the library costs, in fresh processes: loading it, the first training of (a), a second one of that shape.
//
//   node bench/first-use.ts [--processes 9] [--out folder]

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { createBundles } from "./bundle.ts"
import { machine, median, stamp } from "./machine.ts"
import { root } from "./workloads.ts"

/** Milliseconds of one process. */
interface Times {
  /** `import` of the built package. */
  readonly load: number
  /** The first `fit` of one batch: compiling, tuning, module, machine code, threads, the proof of wide vectors. */
  readonly first: number
  /** A `fit` of another new model of the same shape, and of the first model again. */
  readonly second: number
  readonly again: number
}

/** Milliseconds of the stages within the first fit, see stages.ts; `bytes` of the module. */
interface Stages {
  readonly compile: number
  readonly tuning: number
  readonly generation: number
  readonly machineCode: number
  readonly bytes: number
}

type Library = typeof import("../src/index.ts")

/** Runs in a process of its own. */
async function child(numerics: "fused" | "portable"): Promise<Times> {
  const started = performance.now()
  const library = (await import(pathToFileURL(join(root, "dist", "index.js")).href)) as Library
  const load = performance.now() - started
  const { dense, sequential, sgd, tensor } = library
  const x = tensor(new Float32Array(128 * 784).fill(0.5), [128, 784])
  const y = tensor(
    Float32Array.from({ length: 1280 }, (_, i) => (i % 10 === 0 ? 1 : 0)),
    [128, 10],
  )
  const make = (seed: number): InstanceType<Library["Model"]> => {
    const model = sequential(
      [
        dense({ units: 64, activation: "relu", inputShape: [784] }),
        dense({ units: 64, activation: "relu" }),
        dense({ units: 10, activation: "softmax" }),
      ],
      { seed, numerics, wideVectors: true },
    )
    model.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 0.1 }), metrics: ["accuracy"] })
    return model
  }
  const fit = async (model: InstanceType<Library["Model"]>): Promise<void> => {
    await model.fit(x, y, { batchSize: 128, epochs: 1, verbose: 0 })
  }
  const time = async (work: () => Promise<void>): Promise<number> => {
    const before = performance.now()
    await work()
    return performance.now() - before
  }
  const model = make(1)
  const first = await time(() => fit(model))
  const other = make(2)
  const second = await time(() => fit(other))
  const again = await time(() => fit(model))
  return { load, first, second, again }
}

/** The line that a script prints in a process of its own. */
function runNode<T>(script: readonly string[]): T {
  const { stdout, stderr, status } = spawnSync(process.execPath, script, { encoding: "utf8" })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as T
}

const text = { type: "string" } as const
const { values: options } = parseArgs({
  options: {
    child: text,
    processes: { ...text, default: "9" },
    out: { ...text, default: join(import.meta.dirname, "results") },
  },
})

if (options.child !== undefined) {
  console.log(JSON.stringify(await child(options.child === "fused" ? "fused" : "portable")))
} else {
  if (!existsSync(join(root, "dist", "index.js"))) throw new Error("dist/ is missing: npm run build")
  const before = machine()
  const script = await createBundles().forNode("stages.ts")
  const results = (["portable", "fused"] as const).map((numerics) => {
    const count = Number(options.processes)
    const runs = Array.from({ length: count }, () => runNode<Times>([import.meta.filename, "--child", numerics]))
    const stages = Array.from({ length: count }, () => runNode<Stages>([script, numerics]))
    const middle = (key: keyof Times): number => median(runs.map((run) => run[key]))
    const medians = { load: middle("load"), first: middle("first"), second: middle("second"), again: middle("again") }
    const stage = (key: keyof Stages): number => median(stages.map((run) => run[key]))
    return { numerics, medians, runs, stages, stage }
  })
  const lines = [
    "# First use of the library: (a), one batch of 128, wide vectors on",
    "",
    `${before.cpu}; ${before.system}; Node ${before.node}; load before the run ${before.load}. Medians of ${options.processes} processes, ms.`,
    "",
    "| numerics | import | first fit | second model of that shape | first model again |",
    "|---|---|---|---|---|",
    ...results.map(({ numerics, medians: m }) => {
      const cells = [m.load, m.first, m.second, m.again].map((ms) => ms.toFixed(1))
      return `| ${numerics} | ${cells.join(" | ")} |`
    }),
  ]
  lines.push(
    "",
    "Stages within the first fit (the first fit also starts the threads and proves the wide vectors):",
    "",
    "| numerics | compile | tuning (once a process) | generation | machine code | compile + generation + machine code | module |",
    "|---|---|---|---|---|---|---|",
    ...results.map(({ numerics, stage }) => {
      const own = [stage("compile"), stage("generation"), stage("machineCode")]
      const sum = own.reduce((a, b) => a + b)
      const cells = [own[0]!, stage("tuning"), own[1]!, own[2]!, sum].map((ms) => ms.toFixed(1))
      return `| ${numerics} | ${cells.join(" | ")} | ${stage("bytes")} bytes |`
    }),
  )
  mkdirSync(options.out, { recursive: true })
  const path = join(options.out, `${stamp()}-first-use`)
  writeFileSync(`${path}.json`, `${JSON.stringify({ machine: before, results }, null, 2)}\n`)
  writeFileSync(`${path}.md`, `${lines.join("\n")}\n`)
  console.log(lines.join("\n"))
}
