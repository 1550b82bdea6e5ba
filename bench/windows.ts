// Convolutions beside PyTorch with as many threads: LeNet-5 in batches of 128 (forward, backward, update), and a 3x3 convolution of 64 to
// 64 channels on 28x28 in batches of 16, whose products are also set beside the machine's peak. The two take turns, each in a process
// of its own:
//   node bench/windows.ts --threads 1 --tries 3
// Prints milliseconds of a batch of LeNet-5 (of each try the median of its epochs after the first), and GF/s of the convolution, forward
// and backward. With --processor, times are those that processors work, which says more where other programs run.
import { execFileSync, spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import { platform } from "../src/backend/wasm/node-platform.ts"
import { tune } from "../src/backend/wasm/tune.ts"
import { compile } from "../src/compile/compile.ts"
import { conv2D, dense, flatten, maxPooling2D, sequential, sgd } from "../src/index.ts"
import { sequentialNetwork } from "../src/nn/network.ts"
import { readTraining } from "../src/nn/training.ts"
import { traceTraining } from "../src/train/step.ts"
import { clockOf, machine, measuring, median } from "./machine.ts"
import { measurePeaks } from "./peaks.ts"
import { measure, operationsOf, percent } from "./products.ts"

const [BATCH, BATCHES, EPOCHS] = [128, 20, 4]
/** Images, their side, channels, and the side of the window. */
const [IMAGES, SIDE, CHANNELS, WINDOW] = [16, 28, 64, 3]

const { values: options } = parseArgs({
  options: {
    ...measuring,
    measure: { type: "string" },
  },
})

const now = clockOf(options.processor)

/** Milliseconds of a batch of LeNet-5 in each epoch. */
async function lenet(): Promise<readonly number[]> {
  const model = sequential(
    [
      conv2D({ filters: 6, kernelSize: 5, padding: "same", activation: "relu", inputShape: [28, 28, 1] }),
      maxPooling2D(),
      conv2D({ filters: 16, kernelSize: 5, activation: "relu" }),
      maxPooling2D(),
      flatten(),
      dense({ units: 120, activation: "relu" }),
      dense({ units: 84, activation: "relu" }),
      dense({ units: 10, activation: "softmax" }),
    ],
    { seed: 1, threads: Number(options.threads), numerics: "fused", wideVectors: true },
  )
  model.compile({ optimizer: sgd({ learningRate: 0.05 }), loss: "sparseCategoricalCrossentropy" })
  const rows = BATCH * BATCHES
  let state = 1
  const draw = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const x = Float32Array.from({ length: rows * 784 }, draw)
  const y = Int32Array.from({ length: rows }, () => Math.floor(10 * draw()))
  const times: number[] = []
  let start = now()
  const onEpochEnd = (): void => {
    times.push((now() - start) / BATCHES)
    start = now()
  }
  await model.fit(
    { dtype: "float32", shape: [rows, 28, 28, 1], data: x },
    { dtype: "int32", shape: [rows, 1], data: y },
    { epochs: EPOCHS, batchSize: BATCH, verbose: 0, callbacks: [{ onEpochEnd }] },
  )
  return times
}

/** The products of the convolution, forward, slopes of inputs and of weights; the operations of padding do not count. */
function convolution(): readonly { readonly shape: string; readonly gigaflops: number }[] {
  // A layer in front, so that there are slopes of its inputs too.
  const shape = [SIDE, SIDE, CHANNELS]
  const layer = { filters: CHANNELS, padding: "same", useBias: false } as const
  const network = sequentialNetwork([conv2D({ ...layer, kernelSize: 1 }), conv2D({ ...layer, kernelSize: WINDOW })])
  const training = readTraining(network, { loss: "meanSquaredError", optimizer: "sgd" })
  const { graph } = traceTraining(network, [shape], training, { targetShapes: [shape] })
  const program = compile(graph, { rows: IMAGES, numerics: "fused" })
  const flops = 2 * IMAGES * SIDE ** 2 * CHANNELS ** 2 * WINDOW ** 2
  return measure(platform, program, tune(platform, "fused", true)).flatMap((row) =>
    operationsOf(row) >= flops ? [{ shape: row.shape.join(" x "), gigaflops: flops / row.microseconds / 1e3 }] : [],
  )
}

interface PeerResult {
  readonly times: readonly number[]
  readonly forward: number
  readonly backward: number
  readonly blas: readonly string[]
}

function compare(): void {
  const { load } = machine()
  console.log(`load before the run ${load}`)
  const { threads } = options
  const time = options.processor ? "processor" : "clock"
  const own = (what: string): string => {
    const args = [...process.execArgv, process.argv[1]!, "--measure", what, "--threads", threads]
    return execFileSync(process.execPath, options.processor ? [...args, "--processor"] : args, { encoding: "utf8" })
  }
  const peer = new URL("peers/windows.py", import.meta.url).pathname
  const sizes = [BATCH, BATCHES, EPOCHS, IMAGES, SIDE, CHANNELS, WINDOW].map(String)
  const python = process.env.BENCH_PYTHON ?? "/usr/bin/python3"
  for (let i = 0; i < Number(options.tries); i++) {
    const ours = median((JSON.parse(own("lenet")) as number[]).slice(1))
    const ran = spawnSync(python, [peer, time, threads, ...sizes], { encoding: "utf8" })
    if (ran.status !== 0) throw new Error(`The peer failed: ${ran.stderr}`)
    const { times, forward, backward, blas } = JSON.parse(ran.stdout) as PeerResult
    const theirs = median(times.slice(1))
    const ratio = (ours / theirs).toFixed(2)
    console.log(`LeNet-5, ${threads} threads: ours ${ours.toFixed(1)} ms, PyTorch ${theirs.toFixed(1)} ms: ${ratio}`)
    const peak = measurePeaks()?.fma["256"]
    for (const { shape, gigaflops } of JSON.parse(own("convolution")) as ReturnType<typeof convolution>) {
      const share = percent(gigaflops, peak)
      console.log(`convolution, 1 thread: ${shape}: ${gigaflops.toFixed(1)} GF/s, ${share} of the 256-bit peak ${peak}`)
    }
    const rates = `${forward.toFixed(1)} GF/s forward, ${backward.toFixed(1)} backward`
    console.log(`PyTorch's convolution, ${threads} threads: ${rates} (${blas.join()})`)
  }
}

if (options.measure === undefined) compare()
else console.log(JSON.stringify(options.measure === "lenet" ? await lenet() : convolution()))
process.exit(0)
