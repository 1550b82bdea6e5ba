// Running: the guard, stopping, one run at a time, data types, memory, the caller's thread, and processes that end.
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { build } from "tsdown"
import { afterEach, describe, expect, test, vi } from "vitest"
import type { Run } from "../src/backend/backend.ts"
import { referenceBackend } from "../src/backend/reference/reference.ts"
import { wasmBackend } from "../src/backend/wasm/wasm.ts"
import { compile } from "../src/compile/compile.ts"
import type { TrilobiteError } from "../src/core/errors.ts"
import type { Graph } from "../src/graph/graph.ts"
import * as ops from "../src/graph/ops.ts"
import {
  dataOf,
  difference,
  type Machine,
  type Numbers,
  reference,
  statesOf,
  unshared,
  wasm,
  writeStates,
} from "./support/execute.ts"
import { ROOT } from "./support/files.ts"
import { examplesOf, type Net, network, startOf } from "./support/networks.ts"

const NET: Net = { sizes: [13, 7, 5], optimizer: "momentum" }
const GRAPH = network(NET)
const BATCH = 8
const PROGRAM = compile(GRAPH, { rows: BATCH })
const MACHINES: readonly Machine[] = [reference, wasm(1), wasm(3), unshared]

type Data = { readonly [name: string]: Numbers | Uint8Array | Int32Array }

/** An executable with first states and bound examples, and how to run it. */
async function begin(machine: Machine, count: number, change: (data: Data) => Data = (data) => data) {
  const executable = await machine.load(PROGRAM)
  writeStates(executable, startOf(GRAPH))
  const bound = executable.bind(dataOf(count, change(examplesOf(NET, count))))
  const options = (rounds: number, more: Partial<Run> = {}): Run => {
    return {
      entry: "train",
      bound,
      batchSize: BATCH,
      first: 0,
      count: rounds,
      runtime: { learningRate: 0.125 },
      ...more,
    }
  }
  return { executable, bound, options }
}

describe.each(MACHINES)("$name", (machine) => {
  describe("the guard", () => {
    test.each([0, 3])("stops in round %i before any state changes, and says so", async (bad) => {
      for (const value of [Number.NaN, Infinity, 3e38]) {
        const spoil = ({ x, y }: Data): Data => {
          const spoilt = Float32Array.from(x!)
          spoilt.fill(value, (bad * BATCH + 2) * 13, (bad * BATCH + 3) * 13)
          return { x: spoilt, y: y! }
        }
        const spoilt = await begin(machine, 48, spoil)
        const ran = await spoilt.executable.run(spoilt.options(6))
        expect([ran.ended, ran.rounds, ran.logs.length]).toEqual(["guard", bad, 2 * (bad + 1)])
        expect(Number.isFinite(ran.logs[2 * bad]!)).toBe(false)
        expect([...ran.logs.subarray(0, 2 * bad)].every(Number.isFinite)).toBe(true)
        const clean = await begin(machine, 48)
        if (bad > 0) await clean.executable.run(clean.options(bad))
        expect(difference(statesOf(clean.executable), statesOf(spoilt.executable))).toBeUndefined()
        // The executable can go on with other rows.
        const on = await spoilt.executable.run(spoilt.options(2, { first: 4 }))
        expect([on.ended, on.rounds]).toEqual(["done", 2])
        for (const { executable } of [spoilt, clean]) executable.close()
      }
    })
  })

  test("stop() ends after the round under way", async () => {
    const long = await begin(machine, 8000)
    const running = long.executable.run(long.options(1000))
    // Not at a set time: as soon as the caller's thread is free again, which on a fast machine is early in the run.
    await sleep(1)
    long.executable.stop()
    const ran = await running
    expect(ran.logs.length).toBe(2 * ran.rounds)
    expect(ran.rounds).toBeGreaterThanOrEqual(1)
    expect(ran.ended).toBe(ran.rounds === 1000 ? "done" : "stopped")
    const same = await begin(reference, 8000)
    const expected = await same.executable.run(same.options(ran.rounds))
    expect(difference(statesOf(same.executable), statesOf(long.executable))).toBeUndefined()
    expect(difference(new Map([["logs", expected.logs]]), new Map([["logs", ran.logs]]))).toBeUndefined()
    long.executable.close()
  })

  test("a second run while one is under way is refused", async () => {
    const { executable, options } = await begin(machine, 8000)
    const running = executable.run(options(1000))
    const second: unknown = await executable.run(options(1)).catch((error: unknown) => error)
    expect((second as TrilobiteError).code).toBe("E_BUSY")
    executable.stop()
    await running
    expect((await executable.run(options(1))).ended).toBe("done")
    executable.close()
  })

  test("whole numbers give the same bits as uint8, int32 and float32", async () => {
    const kinds = [Float32Array, Int32Array, Uint8Array] as const
    const outcomes: Map<string, Numbers>[] = []
    for (const kind of kinds) {
      const whole = ({ x, y }: Data): Data => ({
        x: new kind(Array.from(x!, (v) => Math.floor(Math.abs(v) * 255))),
        y: new kind(y!),
      })
      const { executable, options } = await begin(machine, 20, whole)
      const ran = await executable.run(options(3, { runtime: { learningRate: 0.001 } }))
      outcomes.push(statesOf(executable).set("logs", ran.logs))
      executable.close()
    }
    expect(outcomes[0]!.get("logs")!.every(Number.isFinite)).toBe(true)
    for (const outcome of outcomes) expect(difference(outcomes[0]!, outcome)).toBeUndefined()
  })

  test("several bounds in a memory that grows: runs in turn, weights set between, results of each", async () => {
    const outcomeOf = async (on: Machine): Promise<Map<string, Numbers>> => {
      const { executable, bound, options } = await begin(on, 16)
      const outcome = new Map<string, Numbers>()
      const bounds = [bound]
      for (const rows of [40_000, 8, 90_000]) {
        const more = executable.bind(dataOf(rows, examplesOf(NET, rows)))
        bounds.push(more)
        await executable.run(options(1, { bound: bounds[0]! }))
        await executable.run(options(1, { bound: more }))
        const predict = { entry: "predict", bound: more, first: Math.max(0, rows / 8 - 3) }
        await executable.run(options(rows < 24 ? 1 : 3, predict))
        const kernel = executable.program.buffers.find((b) => b.role === "state")!.name
        executable.write(
          kernel,
          executable.read(kernel).map((v) => Math.fround(v / 2)),
        )
        if (bounds.length === 3) bounds.splice(1, 1)[0]!.release()
      }
      for (const [name, values] of statesOf(executable)) outcome.set(name, values)
      for (const [i, b] of bounds.entries()) if (i > 0) outcome.set(`result ${i}`, b.result("p").slice(-24))
      executable.close()
      return outcome
    }
    expect(difference(await outcomeOf(reference), await outcomeOf(machine))).toBeUndefined()
  })

  test("no order is the order of the data", async () => {
    const [plain, ordered, turned] = [await begin(machine, 20), await begin(machine, 20), await begin(machine, 20)]
    await plain.executable.run(plain.options(3))
    await ordered.executable.run(ordered.options(3, { order: Int32Array.from({ length: 20 }, (_, i) => i) }))
    await turned.executable.run(turned.options(3, { order: Int32Array.from({ length: 20 }, (_, i) => 19 - i) }))
    const expected = statesOf(plain.executable)
    expect(difference(expected, statesOf(ordered.executable))).toBeUndefined()
    expect(difference(expected, statesOf(turned.executable))).toBeDefined()
    // An order that was used before is forgotten.
    writeStates(turned.executable, startOf(GRAPH))
    await turned.executable.run(turned.options(3))
    expect(difference(expected, statesOf(turned.executable))).toBeUndefined()
    for (const { executable } of [plain, ordered, turned]) executable.close()
  })

  test("an order may name rows several times, but not where results are written for them", async () => {
    const [once, twice] = [await begin(machine, 16), await begin(machine, 16)]
    const orders = [Int32Array.from({ length: 16 }, (_, i) => 15 - i), Int32Array.from({ length: 16 }, (_, i) => i ^ 5)]
    const logs: number[] = []
    for (const order of [...orders, ...orders])
      logs.push(...(await once.executable.run(once.options(2, { order }))).logs)
    const order = Int32Array.from([...orders, ...orders].flatMap((part) => [...part]))
    const ran = await twice.executable.run(twice.options(8, { order }))
    expect([ran.rounds, [...ran.logs]]).toEqual([8, logs])
    expect(difference(statesOf(once.executable), statesOf(twice.executable))).toBeUndefined()
    const predict = twice.executable.run(twice.options(8, { entry: "predict", order }))
    await expect(predict).rejects.toThrow(/order of 64 does not fit 16 rows/)
    for (const { executable } of [once, twice]) executable.close()
  })
})

describe("memory", () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  const held = (): { heap: number; buffers: number } => {
    collect()
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return { heap: heapUsed, buffers: arrayBuffers }
  }

  test("3,000 rounds of the intermediate net allocate nothing", async () => {
    const net: Net = { sizes: [784, 64, 64, 10] }
    const graph = network(net)
    const executable = await wasm(2).load(compile(graph, { rows: 8 }))
    writeStates(executable, startOf(graph))
    const bound = executable.bind(dataOf(80, examplesOf(net, 80)))
    const run: Run = { entry: "train", bound, batchSize: 8, first: 0, count: 10, runtime: { learningRate: 0.01 } }
    for (let i = 0; i < 30; i++) await executable.run(run)
    const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow")
    const before = held()
    for (let i = 0; i < 300; i++) expect((await executable.run(run)).rounds).toBe(10)
    const after = held()
    expect(grow).not.toHaveBeenCalled()
    // The heap holds what 300 calls of vitest's expect leave behind: a kilobyte each is far more, 3,000 batches far less.
    expect(after.heap - before.heap).toBeLessThan(300 * 1024)
    expect(after.buffers - before.buffers).toBeLessThan(64 * 1024)
    executable.close()
  })

  test("data that is released makes room for the next", async () => {
    const { executable, bound, options } = await begin(wasm(2), 5000)
    await executable.run(options(2))
    const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow")
    let last = bound
    for (let i = 0; i < 100; i++) {
      last.release()
      last = executable.bind(dataOf(5000, examplesOf(NET, 5000)))
      if (i % 20 === 0) expect((await executable.run(options(1, { bound: last }))).ended).toBe("done")
    }
    expect(grow).not.toHaveBeenCalled()
    const more = executable.bind(dataOf(5000, examplesOf(NET, 5000)))
    expect(grow).toHaveBeenCalled() // what is not released needs memory of its own
    more.release()
    executable.close()
  })

  test("30 executables, loaded and closed", async () => {
    const results: ReadonlyMap<string, Numbers>[] = []
    for (let i = 0; i < 30; i++) {
      const { executable, options } = await begin(wasm(1 + (i % 3)), 20)
      await executable.run(options(3))
      results.push(statesOf(executable))
      executable.close()
    }
    for (const result of results) expect(difference(results[0]!, result)).toBeUndefined()
  })

  test("two executables may run at the same time", async () => {
    const [a, b] = [await begin(wasm(2), 800), await begin(wasm(3), 800)]
    const ran = await Promise.all([a.executable.run(a.options(100)), b.executable.run(b.options(100))])
    expect(ran.map((r) => r.ended)).toEqual(["done", "done"])
    expect(difference(statesOf(a.executable), statesOf(b.executable))).toBeUndefined()
    for (const { executable } of [a, b]) executable.close()
  })
})

describe("the caller's thread", () => {
  /** The median of the milliseconds by which a timer of 5 ms is late while some work is under way. */
  const lateness = async (work: () => Promise<unknown>): Promise<number> => {
    const late: number[] = []
    let last = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      late.push(now - last - 5)
      last = now
    }, 5)
    await work()
    clearInterval(timer)
    return late.sort((x, y) => x - y)[Math.floor(late.length / 2)] ?? Number.POSITIVE_INFINITY
  }
  /** What the reference promises, without any engine: work for 8 ms, then a turn for others. */
  const slices = async (): Promise<void> => {
    for (const start = performance.now(); performance.now() - start < 400; ) {
      for (const from = performance.now(); performance.now() - from < 8; );
      await sleep(0)
    }
  }
  const table: readonly { readonly machine: Machine; readonly net: Net }[] = [
    { machine: wasm(2), net: { sizes: [784, 64, 64, 10] } },
    { machine: reference, net: NET },
  ]

  test.each(table)("is free while $machine.name trains", async ({ machine, net }) => {
    const [inputs, outputs] = [net.sizes[0]!, net.sizes[net.sizes.length - 1]!]
    const graph = network(net)
    const executable = await machine.load(compile(graph, { rows: 8 }))
    writeStates(executable, startOf(graph))
    const rounds = 2000
    const x = Uint8Array.from({ length: 8 * rounds * inputs }, (_, i) => i % 7)
    const y = Uint8Array.from({ length: 8 * rounds * outputs }, (_, i) => (i % 11 === 0 ? 1 : 0))
    const bound = executable.bind(dataOf(8 * rounds, { x, y }))
    const run: Run = { entry: "train", bound, batchSize: 8, first: 0, count: 1, runtime: { learningRate: 0.001 } }
    await executable.run(run)
    const train = async (): Promise<void> => {
      const running = executable.run({ ...run, count: rounds })
      await sleep(400)
      executable.stop()
      await running
    }
    // On a busy machine every timer is late. So: the median, compared with slices of plain work just before, and one good
    // try of five is enough. An engine that blocks the caller for whole runs is late by hundreds of milliseconds each time.
    const tries: string[] = []
    for (let i = 0; i < 5; i++) {
      const [usual, late] = [await lateness(slices), await lateness(train)]
      tries.push(`${late.toFixed(1)} (usual ${usual.toFixed(1)})`)
      if (late < 20 + usual) break
    }
    expect(tries.length, tries.join(", ")).toBeLessThan(5)
    executable.close()
  })
})

describe("a process", () => {
  test("ends by itself while the threads idle", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trilobite-"))
    try {
      const entry = { idle: `${ROOT}test/support/idle.ts` }
      await build({
        config: false,
        entry,
        outDir: folder,
        format: "esm",
        dts: false,
        clean: false,
        logLevel: "silent",
        platform: "node",
      })
      const child = spawn(process.execPath, [join(folder, "idle.mjs")], {
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 30_000,
      })
      let said = ""
      child.stdout.on("data", (text) => (said += text))
      child.stderr.on("data", (text) => (said += text))
      const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
        child.on("close", (...end) => resolve(end))
      })
      expect({ code, signal, said }).toEqual({ code: 0, signal: null, said: expect.stringMatching(/^\d+ results\n$/) })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

test("all 256 bytes of unorm8 data are gathered as byte / 255, rounded once", async () => {
  const x = ops.input("x", [256])
  const graph: Graph = { predict: { updates: [], logs: [], outputs: [{ name: "p", value: ops.mul(x, 1) }] } }
  const program = compile(graph, { rows: 1 })
  const data = Uint8Array.from({ length: 256 }, (_, i) => i)
  const expected = Float32Array.from(data, (byte) => byte / 255)
  for (const backend of [referenceBackend(), wasmBackend]) {
    const executable = await backend.load(program, { threads: 1 })
    const bound = executable.bind({ count: 1, data: { x: { dtype: "unorm8", shape: [1, 256], data } } })
    await executable.run({ entry: "predict", bound, batchSize: 1, first: 0, count: 1 })
    expect(bound.result("p")).toEqual(expected)
    executable.close()
  }
})
