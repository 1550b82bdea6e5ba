// Memory stays flat, in short (bench/robust.ts measures it at length), and what does not fit says so.
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { expect, test } from "vitest"
import { wasmBackend } from "../src/backend/wasm/wasm.ts"
import { compile } from "../src/compile/compile.ts"
import type { Graph } from "../src/graph/graph.ts"
import * as ops from "../src/graph/ops.ts"
import { dense, sequential } from "../src/index.ts"
import { bitsOf, expectRefusal, smallNet, threeClasses } from "./support/training.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void
const { x, y } = threeClasses(50)
const quiet = { verbose: 0, batchSize: 10 } as const

async function resident(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    collect()
    await sleep(10)
  }
  return process.memoryUsage.rss() / 1048576
}

/** The most attempts at a stretch without growth: V8 takes its heaps step by step, later where the machine is busy. */
const ATTEMPTS = 10

interface Growth {
  /** Megabytes of the process in the calmest attempt: an end of growing is what counts, since a leak grows in all of them. */
  readonly resident: number
  /** Megabytes of values that are held, from the first attempt to the last one. */
  readonly held: number
}

/** Megabytes by which memory has grown after some warm-up. */
async function growth(warmUp: number, times: number, work: () => Promise<unknown>): Promise<Growth> {
  const held = (): number => {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage()
    return (heapUsed + external + arrayBuffers) / 1048576
  }
  for (let i = 0; i < warmUp; i++) await work()
  let least = Number.POSITIVE_INFINITY
  let before = await resident()
  const first = held()
  for (let attempt = 0; attempt < ATTEMPTS && least >= 10; attempt++) {
    for (let i = 0; i < times; i++) await work()
    const after = await resident()
    least = Math.min(least, after - before)
    before = after
  }
  return { resident: least, held: held() - first }
}

const expectFlat = ({ resident, held }: Growth): void => {
  expect(resident).toBeLessThan(10)
  expect(held).toBeLessThan(5)
}

test("create, train, drop", async () => {
  expectFlat(await growth(100, 150, () => smallNet().fit(x, y, quiet)))
})

test("dropped models leave none of their rows behind", async () => {
  const rows = { data: new Float32Array(8_000_000), shape: [8000, 1000] }
  const targets = { data: new Float32Array(8000), shape: [8000, 1] }
  const before = await resident()
  for (let i = 0; i < 30; i++) {
    const model = sequential([dense({ units: 1, inputShape: [1000] })], { backend: "wasm" })
    model.compile({ loss: "mse" })
    await model.fit(rows, targets, { batchSize: 1000, verbose: 0 })
  }
  // Each has 32 megabytes of them, and a few at a time wait to be collected.
  expect((await resident()) - before).toBeLessThan(320)
})

test.runIf(process.platform === "linux")(
  "dropped models do not wait long to be collected, small ones neither",
  async () => {
    // Each memory of WebAssembly takes 8 to 10 GB of addresses.
    const addresses = (): number =>
      Number(/VmSize:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1048576
    await resident()
    const before = addresses()
    let most = 0
    for (let i = 1; i <= 600; i++) {
      await smallNet().fit(x, y, quiet)
      if (i % 50 !== 0) continue
      await resident() // this thread's collector; the engine's threads have their own
      most = Math.max(most, addresses() - before)
    }
    expect(most).toBeLessThan(2400)
  },
)

test("100,000 rounds of a tiny net", async () => {
  const model = smallNet()
  expectFlat(await growth(5, 20, () => model.fit(x, y, { ...quiet, epochs: 1000 })))
})

const TOO_MUCH = /not enough memory.*Expected at most \d+ MiB in all.*got (\d+) MiB.*(fewer rows|smaller batch)/

test("a program that needs more than 4 GiB says how much, and what would fit", async () => {
  const wide = ops.input("x", [1 << 16])
  const graph: Graph = { predict: { updates: [], logs: [], outputs: [{ name: "p", value: ops.mul(wide, 2) }] } }
  const program = compile(graph, { rows: 1 << 15 })
  await expectRefusal(() => wasmBackend.load(program, { threads: 1 }), "E_ENGINE", TOO_MUCH)
})

test("a model too large for the engine is refused, and the next one trains", async () => {
  const model = sequential([dense({ units: 4, inputShape: [20_000] }), dense({ units: 1 })], {
    threads: 1,
    backend: "wasm",
  })
  model.compile({ loss: "mse" })
  const rows = { data: new Float32Array(20_000), shape: [1, 20_000] }
  await model.fit(rows, [[0]], quiet)
  const before = bitsOf(model)
  await expectRefusal(() => model.evaluate(endless, { batchSize: 100_000 }), "E_ENGINE", TOO_MUCH)
  expect(bitsOf(model)).toEqual(before)
  expect((await smallNet().fit(x, y, quiet)).ended).toBe("completed")
})

/** One row, whose batch would be far too large. */
async function* endless() {
  yield [{ data: new Float32Array(20_000), shape: [1, 20_000] }, [[0]]] as const
}
