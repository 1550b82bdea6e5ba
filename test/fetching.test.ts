// Rows of files that threads read between their rounds: the same bits as from memory, every row once, and what goes wrong is said.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { control } from "../src/backend/wasm/control-block.ts"
import { createFetching, fetchRows } from "../src/backend/wasm/fetching.ts"
import { platform } from "../src/backend/wasm/node-platform.ts"
import { createPool } from "../src/backend/wasm/pool.ts"
import { wasmBackendOver } from "../src/backend/wasm/wasm.ts"
import { compile } from "../src/compile/compile.ts"
import { fileDataset, npyFile } from "../src/datasets.ts"
import { dense, type Model, sequential, sgd } from "../src/index.ts"
import { dataOf, writeStates } from "./support/execute.ts"
import { examplesOf, network, startOf } from "./support/networks.ts"
import { expectRefusal } from "./support/training.ts"

/** Threads that leave no core to the caller's. */
const cores = Math.max(2, platform.cores)
const WIDTH = 400
/** More than is held in memory. */
const ROWS = 44_000
const folder = mkdtempSync(join(tmpdir(), "trilobite-fetching-"))
const path = join(folder, "x.npy")
const x = new Float32Array(ROWS * WIDTH)
const y = new Uint8Array(ROWS)

function npy(descr: string, shape: string, bytes: Uint8Array): Uint8Array {
  const head = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117)
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(`${head}\n`), bytes])
}

beforeAll(() => {
  let state = 1
  for (let i = 0; i < x.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    x[i] = (state >>> 8) / 2 ** 24
  }
  for (let i = 0; i < ROWS; i++) y[i] = x[i * WIDTH]! * 10
  writeFileSync(path, npy("<f4", `${ROWS}, ${WIDTH}`, new Uint8Array(x.buffer)))
  writeFileSync(join(folder, "y.npy"), npy("|u1", `${ROWS},`, y))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const dataset = (file = path) => fileDataset({ x: npyFile(file), y: npyFile(join(folder, "y.npy")) })

function create(threads: number): Model {
  const layers = [
    dense({ units: 32, activation: "relu", inputShape: [WIDTH] }),
    dense({ units: 10, activation: "softmax" }),
  ]
  const model = sequential(layers, { seed: 1, threads })
  model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.05 }) })
  return model
}

describe("training", () => {
  const options = { batchSize: 64, epochs: 2, verbose: 0 } as const

  test.each([cores, cores + 1])("%i threads: the same bits as from memory, shuffled", async (threads) => {
    const [streamed, held] = [create(threads), create(threads)]
    const { history } = await streamed.fit(dataset(), options)
    const expected = await held.fit({ data: x, shape: [ROWS, WIDTH] }, y, options)
    expect(history.loss).toStrictEqual(expected.history.loss)
    expect(streamed.getWeights().map(({ data }) => data)).toStrictEqual(held.getWeights().map(({ data }) => data))
  })

  test("a value that is not finite is named by its row, whoever reads it", async () => {
    const bad = join(folder, "bad.npy")
    const values = x.slice()
    for (let row = 8_000; row < ROWS; row += 500) values[row * WIDTH + 7] = row % 1000 === 0 ? Number.NaN : -1 / 0
    writeFileSync(bad, npy("<f4", `${ROWS}, ${WIDTH}`, new Uint8Array(values.buffer)))
    const fit = () => create(cores).fit(dataset(bad), { ...options, shuffle: false })
    await expectRefusal(fit, "E_DATA", /8000.*not a finite number/s)
  })
})

describe("fetching", () => {
  const row = 16
  const count = 200
  /** A memory with a list of rows at 1,024 and room for them at 8,192. */
  const prepared = (rounds: () => number) => {
    const memory = new SharedArrayBuffer(65_536)
    const list = new Int32Array(memory, 1024, count).map((_, i) => (i * 37) % ROWS)
    new Int32Array(memory, 1024, count).set(list)
    return { memory, list, host: { threads: 2, memory: () => memory, rounds } }
  }
  const wanted = (fd: number) => {
    return { fd, start: 128, rowBytes: row, rows: count, list: 1024, into: 8192, floats: true }
  }
  const withFile = async (use: (fd: number) => Promise<void>): Promise<void> => {
    const fd = openSync(path, "r")
    try {
      await use(fd)
    } finally {
      closeSync(fd)
    }
  }

  test("the caller reads what no thread does, each row to its place", () =>
    withFile(async (fd) => {
      const { memory, list, host } = prepared(() => 0)
      expect(await createFetching(readSync, host).fetch(wanted(fd))).toBe(true)
      const found = new Float32Array(memory, 8192, (count * row) / 4)
      const expected = Array.from(list).flatMap((i) => [...x.subarray((i * row) / 4, ((i + 1) * row) / 4)])
      expect([...found]).toStrictEqual(expected)
    }))

  test("while a run goes on the caller leaves it to the threads; one at a time", () =>
    withFile(async (fd) => {
      let rounds = 1
      const { memory, host } = prepared(() => rounds)
      const fetching = createFetching(readSync, host)
      const first = fetching.fetch(wanted(fd))
      expect(await fetching.fetch(wanted(fd))).toBe(false)
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(fetching.words()[2]).toBe(0)
      // A thread's part of a round, then the run ends.
      fetchRows(readSync, memory, control.fetching)
      expect(fetching.words()[2]).toBe(125)
      rounds = 0
      expect(await first).toBe(true)
    }))

  test("false if a row cannot be read, is cut short or not finite, or a thread ends with one in its hands", () =>
    withFile(async (fd) => {
      const fetch = (change: Partial<ReturnType<typeof wanted>>) => {
        return createFetching(readSync, prepared(() => 0).host).fetch({ ...wanted(fd), ...change })
      }
      expect(await fetch({ fd: 9999 })).toBe(false)
      expect(await fetch({ start: 128 + ROWS * WIDTH * 4 - 8 })).toBe(false)
      const nan: typeof readSync = ((_: number, into: Uint8Array, at: number) => {
        new Float32Array(into.buffer, at, row / 4).fill(Number.NaN)
        return row
      }) as never
      expect(await createFetching(nan, prepared(() => 0).host).fetch(wanted(fd))).toBe(false)
      let rounds = 1
      const { host } = prepared(() => rounds)
      const fetching = createFetching(readSync, host)
      const lost = fetching.fetch(wanted(fd))
      Atomics.add(fetching.words(), 1, count)
      rounds = 0
      expect(await lost).toBe(false)
    }))

  test("the threads of an executable do it while they train", () =>
    withFile(async (fd) => {
      const net = { sizes: [13, 7, 5], optimizer: "momentum" } as const
      const graph = network(net)
      const executable = await wasmBackendOver(createPool(platform)).load(compile(graph, { rows: 8 }), {
        threads: cores,
      })
      writeStates(executable, startOf(graph))
      const rows = 80_000
      const bound = executable.bind(dataOf(rows, examplesOf(net, rows)))
      const other = executable.bind(dataOf(500, examplesOf(net, 500)))
      let over = false
      const run = { entry: "train", bound, batchSize: 8, first: 0, count: 10_000, runtime: { learningRate: 0.125 } }
      const running = executable.run(run).then(() => {
        over = true
      })
      const list = Int32Array.from({ length: 400 }, (_, i) => (i * 41) % ROWS)
      expect(await other.fetch!("x", 100, { fd, start: 128 }, list)).toBe(true)
      expect(over).toBe(false)
      executable.stop()
      await running
      const found = new Float32Array(other.bytes("x").slice().buffer, 100 * 13 * 4, 400 * 13)
      expect([...found]).toStrictEqual(Array.from(list).flatMap((i) => [...x.subarray(i * 13, (i + 1) * 13)]))
      executable.close()
    }))
})
