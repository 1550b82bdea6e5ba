// Whether memory stays flat: create, train and drop models; a million rounds of a tiny net. Prints JSON.
//   node --expose-gc bench/robust.ts [--cycles 1000] [--rounds 1000000]
// Resident memory is read after a collection of garbage; the first fifth is warm-up.
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { dense, sequential, sgd } from "../src/index.ts"

const { values: options } = parseArgs({
  options: {
    cycles: { type: "string", default: "1000" },
    rounds: { type: "string", default: "1000000" },
    threads: { type: "string", default: "2" },
  },
})
setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** Resident memory in megabytes, once what nobody holds is gone. */
async function resident(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    collect()
    await sleep(10)
  }
  return process.memoryUsage.rss() / 1048576
}

const rows = 1000
const x = { data: Float32Array.from({ length: 2 * rows }, (_, i) => ((i * 37) % 101) / 50 - 1), shape: [rows, 2] }
const y = { data: Float32Array.from({ length: rows }, (_, i) => i % 2), shape: [rows, 1] }

function create() {
  const hidden = [dense({ units: 8, activation: "tanh", inputShape: [2] }), dense({ units: 8, activation: "tanh" })]
  const model = sequential([...hidden, dense({ units: 1 })], { seed: 1, threads: Number(options.threads) })
  model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.01, momentum: 0.9 }) })
  return model
}

/** Does something so many times; memory after each tenth, and how much it grew after the warm-up. */
async function watch(times: number, work: (i: number) => Promise<unknown>) {
  const megabytes: number[] = []
  const started = performance.now()
  for (let i = 0; i < times; i++) {
    await work(i)
    if ((i + 1) % Math.max(1, Math.floor(times / 10)) === 0) megabytes.push(Math.round(10 * (await resident())) / 10)
  }
  const seconds = Math.round((performance.now() - started) / 100) / 10
  const after = megabytes.slice(1)
  return { times, seconds, megabytes, growth: Math.max(...after) - after[0]! }
}

const cycles = await watch(Number(options.cycles), async () => {
  const model = create()
  await model.fit(x, y, { batchSize: 10, verbose: 0, validationSplit: 0.1 })
  await model.predict(x)
})
const model = create()
const rounds = await watch(Number(options.rounds) / 10_000, () =>
  model.fit(x, y, { batchSize: 10, epochs: 100, verbose: 0 }),
)
console.log(
  JSON.stringify({ node: process.version, cycles, rounds: { ...rounds, rounds: rounds.times * 10_000 } }, undefined, 2),
)
