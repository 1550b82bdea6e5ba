// LSTM(128) over sequences of 100 steps of 64 numbers, in batches of 64: forward, backward and update, beside PyTorch with as many
// threads. The two take turns, each in a process of its own:
//   node bench/recurrent.ts --threads 1 --tries 3
// Prints milliseconds of a batch: of each try the median of its epochs after the first. With --processor it counts the time that
// processors work for each, which says more where other programs run.
import { execFileSync, spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import { dense, lstm, sequential, sgd } from "../src/index.ts"
import { clockOf, measuring } from "./machine.ts"

const [STEPS, FEATURES, UNITS, BATCH, BATCHES, EPOCHS] = [100, 64, 128, 64, 10, 4]

const { values: options } = parseArgs({
  options: {
    ...measuring,
    numerics: { type: "string", default: "fused" },
    steps: { type: "string", default: String(STEPS) },
    measure: { type: "boolean", default: false },
  },
})
const steps = Number(options.steps)

const now = clockOf(options.processor)

async function measure(): Promise<void> {
  const numerics = options.numerics === "portable" ? "portable" : "fused"
  const layers = [lstm({ units: UNITS, inputShape: [steps, FEATURES] }), dense({ units: 1 })]
  const model = sequential(layers, { seed: 1, threads: Number(options.threads), numerics, wideVectors: true })
  model.compile({ optimizer: sgd({ learningRate: 0.01 }), loss: "meanSquaredError" })
  const rows = BATCH * BATCHES
  let state = 1
  const draw = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
  const x = Float32Array.from({ length: rows * steps * FEATURES }, draw)
  const y = Float32Array.from({ length: rows }, draw)
  const times: number[] = []
  let start = now()
  await model.fit(
    { dtype: "float32", shape: [rows, steps, FEATURES], data: x },
    { dtype: "float32", shape: [rows, 1], data: y },
    {
      ...{ epochs: EPOCHS, batchSize: BATCH, shuffle: false, verbose: 0 },
      callbacks: [
        {
          onEpochEnd: () => {
            times.push((now() - start) / BATCHES)
            start = now()
          },
        },
      ],
    },
  )
  console.log(JSON.stringify(times))
  process.exit(0)
}

function median(times: readonly number[]): number {
  const sorted = times.slice(1).sort((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}

function compare(): void {
  const { threads = "1", numerics = "fused" } = options
  const own = process.execArgv.concat(
    process.argv[1]!,
    "--measure",
    "--threads",
    threads,
    "--numerics",
    numerics,
    "--steps",
    `${steps}`,
  )
  const sizes = [steps, FEATURES, UNITS, BATCH, BATCHES, EPOCHS].map(String)
  const peer = new URL("peers/recurrent.py", import.meta.url).pathname
  const python = process.env.BENCH_PYTHON ?? "/usr/bin/python3"
  for (let i = 0; i < Number(options.tries); i++) {
    const ours = median(JSON.parse(execFileSync(process.execPath, own, { encoding: "utf8" })) as number[])
    const ran = spawnSync(python, [peer, options.processor ? "processor" : "clock", threads, ...sizes], {
      encoding: "utf8",
    })
    if (ran.status !== 0) throw new Error(`The peer failed: ${ran.stderr}`)
    const { times, blas } = JSON.parse(ran.stdout) as { times: number[]; blas: string[] }
    const theirs = median(times)
    const ratio = (ours / theirs).toFixed(2)
    console.log(
      `${threads} threads: ours ${ours.toFixed(1)} ms, PyTorch ${theirs.toFixed(1)} ms (${blas.join()}): ${ratio}`,
    )
  }
}

if (options.measure) await measure()
else compare()
