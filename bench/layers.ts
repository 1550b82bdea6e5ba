// Depthwise convolutions and multi-head attention beside PyTorch with as many threads: forward, backward and update of two such layers
// one after the other, a mean and a dense layer. The two take turns, each in a process of its own:
//   node bench/layers.ts --threads 1 --tries 3
// Prints milliseconds of a batch: of each try the median of its epochs after the first. With --processor, times are those that
// processors work, which says more where other programs run.
import { execFileSync, spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import {
  dense,
  depthwiseConv2D,
  functional,
  globalAveragePooling1D,
  globalAveragePooling2D,
  input,
  type Model,
  multiHeadAttention,
  sequential,
  sgd,
} from "../src/index.ts"
import { clockOf, machine, measuring, median } from "./machine.ts"

const [BATCHES, EPOCHS, CLASSES] = [4, 5, 10]
/** Images of a batch, their side, channels, and the side of the window. */
const [IMAGES, SIDE, CHANNELS, WINDOW] = [16, 28, 64, 3]
/** Sequences of a batch, their steps, features, and heads. */
const [SEQUENCES, STEPS, FEATURES, HEADS] = [16, 64, 128, 4]

const { values: options } = parseArgs({
  options: {
    ...measuring,
    measure: { type: "string" },
  },
})
const engine = { seed: 1, threads: Number(options.threads), numerics: "fused", wideVectors: true } as const

const now = clockOf(options.processor)

function depthwise(): Model {
  const layer = { kernelSize: WINDOW, padding: "same" } as const
  const first = depthwiseConv2D({ ...layer, inputShape: [SIDE, SIDE, CHANNELS] })
  return sequential([first, depthwiseConv2D(layer), globalAveragePooling2D(), dense({ units: CLASSES })], engine)
}

function attention(): Model {
  const x = input({ shape: [STEPS, FEATURES] })
  const layer = { numHeads: HEADS, keyDim: FEATURES / HEADS }
  const first = multiHeadAttention(layer)([x, x])
  const second = multiHeadAttention(layer)([first, first])
  return functional({ inputs: x, outputs: dense({ units: CLASSES })(globalAveragePooling1D()(second)), ...engine })
}

const nets = {
  depthwise: { build: depthwise, rows: IMAGES * BATCHES, shape: [SIDE, SIDE, CHANNELS] },
  attention: { build: attention, rows: SEQUENCES * BATCHES, shape: [STEPS, FEATURES] },
}
type Net = keyof typeof nets

/** Milliseconds of a batch in each epoch. */
async function times(net: Net): Promise<readonly number[]> {
  const { build, rows, shape } = nets[net]
  const model = build()
  model.compile({ optimizer: sgd({ learningRate: 0.01 }), loss: "meanSquaredError" })
  let state = 1
  const draw = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const numbers = (shape: readonly number[]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, draw)
    return { dtype: "float32", shape, data } as const
  }
  const found: number[] = []
  let start = now()
  const onEpochEnd = (): void => {
    found.push((now() - start) / BATCHES)
    start = now()
  }
  const fitting = { epochs: EPOCHS, batchSize: rows / BATCHES, verbose: 0, callbacks: [{ onEpochEnd }] } as const
  await model.fit(numbers([rows, ...shape]), numbers([rows, CLASSES]), fitting)
  return found
}

function compare(): void {
  const { threads } = options
  console.log(`load before the run ${machine().load}`)
  const time = options.processor ? "processor" : "clock"
  const own = (net: Net): readonly number[] => {
    const args = [...process.execArgv, process.argv[1]!, "--measure", net, "--threads", threads]
    const all = options.processor ? [...args, "--processor"] : args
    return JSON.parse(execFileSync(process.execPath, all, { encoding: "utf8" }))
  }
  const sizes = [BATCHES, EPOCHS, CLASSES, IMAGES, SIDE, CHANNELS, WINDOW, SEQUENCES, STEPS, FEATURES, HEADS].map(
    String,
  )
  const peer = new URL("peers/layers.py", import.meta.url).pathname
  const python = process.env.BENCH_PYTHON ?? "/usr/bin/python3"
  for (let i = 0; i < Number(options.tries); i++) {
    for (const net of ["depthwise", "attention"] as const) {
      const ours = median(own(net).slice(1))
      const ran = spawnSync(python, [peer, net, time, threads, ...sizes], { encoding: "utf8" })
      if (ran.status !== 0) throw new Error(`The peer failed: ${ran.stderr}`)
      const theirs = median((JSON.parse(ran.stdout) as { readonly times: readonly number[] }).times.slice(1))
      const ratio = (ours / theirs).toFixed(2)
      console.log(
        `${net}, ${threads} threads, ${time}: ours ${ours.toFixed(1)} ms, PyTorch ${theirs.toFixed(1)} ms: ${ratio}`,
      )
    }
  }
}

if (options.measure === undefined) compare()
else console.log(JSON.stringify(await times(options.measure as Net)))
process.exit(0)
