// What fit promises: which rows when, what is reported, who is called, how a training ends, and the same bits always.
import { afterEach, describe, expect, test, vi } from "vitest"
import type { Bound, Executable, Run } from "../src/backend/backend.ts"
import {
  type Callback,
  dense,
  type FitOptions,
  type History,
  type Logs,
  type Model,
  sequential,
  sgd,
} from "../src/index.ts"
import { divide } from "../src/train/division.ts"
import { memoryFeed } from "../src/train/feed.ts"
import { evaluateFeed } from "../src/train/fit.ts"
import { meanLogs } from "../src/train/means.ts"
import { classesOf } from "../src/train/rows.ts"
import {
  bitsOf,
  type Data,
  expectRefusal,
  range,
  refusal,
  rowsOf,
  smallNet,
  threeClasses,
  wrong,
} from "./support/training.ts"

const { x, y } = threeClasses(50)
const quiet = { verbose: 0 } as const

/** Rows by their loss under weights that do not change: what a batch of one row shows of its row. */
async function rowNames(model: Model, inputs: Data, targets: Data): Promise<Map<number, number>> {
  const names = new Map<number, number>()
  const onBatchEnd = (row: number, logs: Logs): void => void names.set(logs.loss!, row)
  await model.fit(inputs, targets, { ...quiet, batchSize: 1, shuffle: false, callbacks: [{ onBatchEnd }] })
  expect(names.size, "every row has a loss of its own").toBe(inputs.shape[0])
  return names
}

/** The rows of each epoch in the order in which they were used. */
async function rowsUsed(
  options: FitOptions,
  inputs: Data = x,
  targets: Data = y,
  model: Model = smallNet({ learningRate: 0 }),
): Promise<number[][]> {
  const names = await rowNames(model, inputs, targets)
  const epochs: number[][] = []
  const watch: Callback = {
    onEpochBegin: () => void epochs.push([]),
    onBatchEnd: (_, logs) => void epochs[epochs.length - 1]!.push(names.get(logs.loss!)!),
  }
  await model.fit(inputs, targets, { ...quiet, batchSize: 1, ...options, callbacks: [watch] })
  return epochs
}

const sorted = (rows: readonly number[]): number[] => [...rows].sort((a, b) => a - b)

/** Trains a new small net and gives its bits. */
async function trained(
  options: FitOptions = {},
  model: Model = smallNet(),
): Promise<{ bits: number[][]; history: History; model: Model }> {
  const history = await model.fit(x, y, { ...quiet, epochs: 3, batchSize: 8, ...options })
  return { bits: bitsOf(model), history, model }
}

describe("rows", () => {
  test.each([
    [50, 8, 7, 2],
    [50, 50, 1, 50],
    [50, 49, 2, 1],
    [50, 25, 2, 25],
    [50, 1000, 1, 50],
    [1, 32, 1, 1],
  ])("%d rows in batches of %d: %d rounds, the last of %d", async (n, batchSize, rounds, last) => {
    const [inputs, targets] = [rowsOf(x, range(0, n)), rowsOf(y, range(0, n))]
    const model = smallNet({ learningRate: 0 })
    const losses: number[] = []
    const begun: number[] = []
    const watch: Callback = {
      onBatchBegin: (batch) => void begun.push(batch),
      onBatchEnd: (_, logs) => void losses.push(logs.loss!),
    }
    const { history } = await model.fit(inputs, targets, { ...quiet, batchSize, shuffle: false, callbacks: [watch] })
    expect(begun).toEqual(range(0, rounds))
    const end = range(n - last, n)
    const { loss } = await model.evaluate(rowsOf(inputs, end), rowsOf(targets, end), { batchSize: 50 })
    expect(losses[rounds - 1]).toBe(loss)
    // The mean over the epoch counts each round as often as it has rows.
    const sum = losses.reduce((total, value, i) => total + value * (i + 1 < rounds ? batchSize : last), 0)
    expect(history.loss).toEqual([sum / n])
  })

  test("the running means by hand", async () => {
    const losses: number[] = []
    const accuracies: number[] = []
    const watch: Callback = {
      onBatchEnd: (_, logs) => {
        losses.push(logs.loss!)
        accuracies.push(logs.accuracy!)
      },
    }
    const inputs = rowsOf(x, range(0, 10))
    const { history } = await smallNet().fit(inputs, rowsOf(y, range(0, 10)), {
      ...quiet,
      batchSize: 4,
      callbacks: [watch],
    })
    const [a, b, c] = losses as [number, number, number]
    expect(history.loss).toEqual([(a * 4 + b * 4 + c * 2) / 10])
    const [p, q, r] = accuracies as [number, number, number]
    expect(history.accuracy).toEqual([(p * 4 + q * 4 + r * 2) / 10])
    expect(new Set([a, b, c]).size).toBe(3)
  })

  test("every row once in every epoch, in an order of seed and epoch", async () => {
    const epochs = await rowsUsed({ epochs: 4, seed: 1 })
    for (const rows of epochs) expect(sorted(rows)).toEqual(range(0, 50))
    expect(new Set(epochs.map(String)).size).toBe(4)
    expect(await rowsUsed({ epochs: 4, seed: 1 })).toEqual(epochs)
    const other = await rowsUsed({ epochs: 4, seed: 2 })
    expect(new Set([...epochs, ...other].map(String)).size).toBe(8)
    expect(await rowsUsed({ epochs: 4, initialEpoch: 2, seed: 1 })).toEqual(epochs.slice(2))
  })

  test("without shuffle the order of the data", async () => {
    expect(await rowsUsed({ epochs: 2, shuffle: false })).toEqual([range(0, 50), range(0, 50)])
  })

  test("the seed of fit is the model's unless another is given", async () => {
    const seven = await rowsUsed({}, x, y, smallNet({ learningRate: 0, seed: 7 }))
    expect(await rowsUsed({ seed: 7 }, x, y, smallNet({ learningRate: 0, seed: 8 }))).toEqual(seven)
    expect(await rowsUsed({}, x, y, smallNet({ learningRate: 0, seed: 8 }))).not.toEqual(seven)
  })
})

describe("the same bits", () => {
  test("same seed; another seed; another order", async () => {
    const { bits } = await trained({ seed: 5 })
    expect((await trained({ seed: 5 })).bits).toEqual(bits)
    expect((await trained({ seed: 6 })).bits).not.toEqual(bits)
    expect((await trained({ shuffle: false })).bits).not.toEqual(bits)
  })

  test("backends and threads", async () => {
    const { bits, history } = await trained()
    for (const options of [{ backend: "reference" }, { threads: 1 }, { threads: 3 }]) {
      const other = await trained({}, smallNet(options))
      expect(other.bits).toEqual(bits)
      expect(other.history.history).toEqual(history.history)
    }
  })

  test("whether rounds run one by one or many at once", async () => {
    const many = { batchSize: 1, epochs: 4, validationSplit: 0.2 }
    const { bits, history } = await trained(many)
    const one = await trained({ ...many, callbacks: [{ onBatchEnd: () => {} }] })
    expect(one.bits).toEqual(bits)
    expect(one.history.history).toEqual(history.history)
    const slow = await trained({
      ...many,
      callbacks: [{ onBatchBegin: () => new Promise((resolve) => setTimeout(resolve)) }],
    })
    expect(slow.bits).toEqual(bits)
  })

  test("predictions and evaluations within callbacks change nothing and give what they give outside", async () => {
    const other = threeClasses(20, 4)
    const validationData = [other.x, other.y] as const
    const { bits, history } = await trained({ validationData })
    const model = smallNet()
    const inside: Logs[] = []
    const callback: Callback = {
      onEpochEnd: async () => void inside.push(await model.evaluate(other.x, other.y, { batchSize: 8 })),
      onBatchEnd: async () => void (await model.predict(other.x)),
    }
    const asked = await trained({ validationData, callbacks: [callback] }, model)
    expect(asked.bits).toEqual(bits)
    expect(inside.map((logs) => logs.loss)).toEqual(history.history.valLoss)
    expect(inside.map((logs) => logs.accuracy)).toEqual(history.history.valAccuracy)
  })

  test("predictions beside a training wait for their turn and change nothing", async () => {
    const { bits } = await trained({ epochs: 30 })
    const model = smallNet()
    const before = model.predict(x)
    const training = trained({ epochs: 30 }, model)
    const beside = await Promise.all(range(0, 10).map(() => model.predict(x)))
    const [{ data }, result] = await Promise.all([before, training])
    expect(result.bits).toEqual(bits)
    expect([...data]).toEqual([...(await smallNet().predict(x)).data])
    expect(beside.every((p) => p.data.every(Number.isFinite))).toBe(true)
  })

  test.each(["wasm", "reference"])(
    "a caller who changes the data while it trains changes nothing (S14), %s",
    async (backend) => {
      const { bits, history } = await trained({ validationData: [x, y] }, smallNet({ backend }))
      const own = { x: rowsOf(x, range(0, 50)), y: rowsOf(y, range(0, 50)) }
      const model = smallNet({ backend })
      const spoil = (): void => {
        own.x.data.fill(7)
        own.y.data.fill(0)
      }
      const running = model.fit(own.x, own.y, {
        ...quiet,
        epochs: 3,
        batchSize: 8,
        validationData: [own.x, own.y],
        callbacks: [{ onBatchBegin: spoil }],
      })
      spoil()
      expect((await running).history).toEqual(history.history)
      expect(bitsOf(model)).toEqual(bits)
      own.x.data.set(x.data)
      const predicting = model.predict(own.x)
      own.x.data.fill(0)
      expect([...(await predicting).data]).toEqual([...(await model.predict(x)).data])
    },
  )
})

describe("validation", () => {
  const other = threeClasses(21, 4)

  test.each([8, 21, 100])(
    "evaluate afterwards gives the numbers of the last epoch, batches of %d",
    async (batchSize) => {
      const { history, model } = await trained({ validationData: [other.x, other.y], batchSize })
      const { loss, accuracy } = await model.evaluate(other.x, other.y, { batchSize })
      expect([history.history.valLoss!.at(-1), history.history.valAccuracy!.at(-1)]).toEqual([loss, accuracy])
      expect(history.history.valLoss).toHaveLength(3)
    },
  )

  test("validationBatchSize", async () => {
    const { history, model } = await trained({ validationData: [other.x, other.y], validationBatchSize: 5 })
    expect((await model.evaluate(other.x, other.y, { batchSize: 5 })).loss).toBe(history.history.valLoss!.at(-1))
  })

  test("validation changes no weight", async () => {
    expect((await trained({ validationData: [other.x, other.y] })).bits).toEqual((await trained()).bits)
  })

  test("targets [n] and [n, 1] are the same, also between training and validation", async () => {
    const model = sequential([dense({ units: 1, inputShape: [1] })], { threads: 1 })
    model.compile({ loss: "mse" })
    const rows = [[1], [2], [3]]
    const { history } = await model.fit(rows, [1, 2, 3], { ...quiet, validationData: [rows, rows] })
    expect((await model.evaluate(rows, [1, 2, 3])).loss).toBe(history.valLoss![0])
  })

  /** Rows of one class in three, one rare: two rows of class 2 among 40. */
  const labels = Int32Array.from(range(0, 40), (i) => (i === 11 || i === 30 ? 2 : i % 2))
  const oneHot = {
    data: Float32Array.from(range(0, 120), (i) => (labels[Math.floor(i / 3)] === i % 3 ? 1 : 0)),
    shape: [40, 3],
  }
  const binary = Int32Array.from(labels, (c) => (c === 2 ? 1 : 0))
  const inputs = rowsOf(x, range(0, 40))
  const asData = (values: Int32Array): Data => ({ data: values as unknown as Float32Array, shape: [values.length] })
  const kinds = {
    "one-hot": [oneHot, labels, "categoricalCrossentropy", 3, "softmax"],
    sparse: [asData(labels), labels, "sparseCategoricalCrossentropy", 3, "softmax"],
    binary: [asData(binary), binary, "binaryCrossentropy", 1, "sigmoid"],
  } as const

  test.each(Object.keys(kinds) as (keyof typeof kinds)[])(
    "the split: disjoint, complete, by classes: %s",
    async (kind) => {
      const [targets, classes, loss, units, activation] = kinds[kind]
      const create = (): Model => {
        const model = sequential([dense({ units, activation, inputShape: [4] })], { threads: 1, seed: 2 })
        model.compile({ loss, optimizer: sgd({ learningRate: 0 }) })
        return model
      }
      const split = async (options: FitOptions): Promise<{ train: number[]; validation: number[] }> => {
        const [first, second] = await rowsUsed(
          { epochs: 2, validationSplit: 0.25, ...options },
          inputs,
          targets as Data,
          create(),
        )
        expect(sorted(second!)).toEqual(sorted(first!))
        return { train: first!, validation: range(0, 40).filter((row) => !first!.includes(row)) }
      }
      const { train, validation } = await split({})
      const each = (rows: number[]): number[] => [0, 1, 2].map((c) => rows.filter((row) => classes[row] === c).length)
      const sizes = each(range(0, 40))
      // A class of two is on both sides; the others give their quarter.
      expect(each(validation)).toEqual(sizes.map((n) => (n === 2 ? 1 : Math.round(n / 4))))
      expect(each(train).every((n, c) => n + each(validation)[c]! === sizes[c])).toBe(true)
      expect(validation, "not the last rows, nor every so many").not.toEqual(range(40 - validation.length, 40))
      expect(sorted((await split({})).validation)).toEqual(validation)
      expect((await split({ seed: 77 })).validation).not.toEqual(validation)
      expect((await split({ initialEpoch: 0, shuffle: false })).train).toEqual(sorted(train))
      // What is measured is the loss of exactly those rows.
      const model = create()
      const { history } = await model.fit(inputs, targets, { ...quiet, validationSplit: 0.25 })
      const width = targets.data.length / 40
      const chosen = {
        data: Float32Array.from(validation.flatMap((r) => [...targets.data.slice(r * width, (r + 1) * width)])),
        shape: [validation.length, ...targets.shape.slice(1)],
      }
      expect((await model.evaluate(rowsOf(inputs, validation), chosen)).loss).toBe(history.valLoss![0])
    },
  )

  test("numbers as targets: a plain random sample of the wanted size", () => {
    const { train, validation } = divide(1000, 0.1, 3)
    expect(validation).toHaveLength(100)
    expect(sorted([...train, ...validation])).toEqual(range(0, 1000))
    expect(classesOf({ dtype: "float32", shape: [2, 1], data: new Float32Array(2) }, "numbers")).toBeUndefined()
  })

  test("a million rows are divided", () => {
    const { train, validation } = divide(1_000_000, 0.5, 3)
    expect([train.length, validation.length]).toEqual([500_000, 500_000])
  })

  test("an abort during validation does not shorten what is measured", async () => {
    const rounds: number[] = []
    const executable = {
      run: async ({ first, count }: Run) => {
        rounds.push(first)
        const done = first === 0 ? 3 : count
        const logs = Float32Array.from(range(first, first + done))
        return { rounds: done, logs, ended: done < count ? "stopped" : "done" }
      },
    } as unknown as Executable
    const pass = { bound: { rows: 10 } as Bound, batchSize: 1 }
    expect((await evaluateFeed(executable, meanLogs(["loss"]), memoryFeed(pass))).logs).toEqual({ loss: 4.5 })
    expect(rounds).toEqual([0, 3])
  })
})

describe("epochs", () => {
  test("0 epochs train nothing", async () => {
    const model = smallNet()
    const before = bitsOf(model)
    const seen: string[] = []
    const watch: Callback = { onTrainBegin: () => void seen.push("begin"), onTrainEnd: () => void seen.push("end") }
    const { history } = await trained({ epochs: 0, callbacks: [watch] }, model)
    expect(history).toEqual({ epoch: [], history: {}, tables: {}, ended: "completed", seconds: [] })
    expect(bitsOf(model)).toEqual(before)
    expect(seen).toEqual(["begin", "end"])
  })

  test("initialEpoch counts on, and beyond the end there is nothing to do", async () => {
    expect((await trained({ initialEpoch: 1 })).history.epoch).toEqual([1, 2])
    expect((await trained({ initialEpoch: 3 })).history.epoch).toEqual([])
    expect((await trained({ initialEpoch: 9 })).history.ended).toBe("completed")
  })

  test.each([0, 0.9])("two trainings of one epoch are one of two, momentum %d", async (momentum) => {
    const { bits, history } = await trained({ epochs: 2 }, smallNet({ momentum }))
    const model = smallNet({ momentum })
    const first = await trained({ epochs: 1 }, model)
    await model.predict(x)
    const second = await trained({ epochs: 2, initialEpoch: 1 }, model)
    expect(second.bits).toEqual(bits)
    expect([...first.history.history.loss!, ...second.history.history.loss!]).toEqual(history.history.loss)
  })

  test("momentum lasts when a larger batch needs another program", async () => {
    const model = smallNet({ momentum: 0.9 })
    const other = smallNet({ momentum: 0.9 })
    await other.evaluate(x, y, { batchSize: 50 })
    for (const m of [model, other]) {
      await m.fit(x, y, { ...quiet, batchSize: 8, epochs: 2 })
      await m.fit(x, y, { ...quiet, batchSize: 50, epochs: 2 })
    }
    expect(bitsOf(other)).toEqual(bitsOf(model))
  })

  test("a new compile forgets the momentum, and no weight", async () => {
    const fresh = smallNet({ momentum: 0.9 })
    const model = smallNet({ momentum: 0.9 })
    await trained({}, model)
    fresh.setWeights(model.getWeights())
    const options = { loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) } as const
    const on = await trained({}, model)
    model.setWeights(fresh.getWeights())
    model.compile(options)
    expect(bitsOf(model)).toEqual(bitsOf(fresh))
    const again = await trained({}, model)
    expect(again.bits).toEqual((await trained({}, fresh)).bits)
    expect(again.bits).not.toEqual(on.bits)
  })

  test("history", async () => {
    const model = smallNet()
    expect(model.history).toBeUndefined()
    const { history } = await trained({ validationSplit: 0.2 }, model)
    expect(model.history).toBe(history)
    expect(Object.keys(history.history)).toEqual(["loss", "accuracy", "valLoss", "valAccuracy"])
    expect(history.epoch).toEqual([0, 1, 2])
    expect(history.seconds).toHaveLength(3)
    await expectRefusal(() => model.fit(x, y, wrong({ epoch: 1 })), "E_CONFIG", /"epoch".*Did you mean "epochs"/)
    expect(model.history).toBe(history)
  })
})

describe("callbacks", () => {
  test("all functions, in order, with their arguments, each waited for", async () => {
    const seen: string[] = []
    let busy = false
    const spy = (name: string, wait: boolean): ((...args: unknown[]) => void | Promise<void>) => {
      return (...args) => {
        const training = args.pop() as { epochs: number; learningRate: number }
        expect([training.epochs, training.learningRate, busy]).toEqual([2, 0.1, false])
        const shown = args.map((a) => (typeof a === "number" ? a : Object.keys(a as object).join("+")))
        seen.push(`${name} ${shown.join(" ")}`.trim())
        if (!wait) return
        busy = true
        return new Promise((resolve) =>
          setTimeout(() => {
            busy = false
            resolve()
          }, 2),
        )
      }
    }
    const hooks = (prefix: string, wait: boolean): Callback => ({
      onTrainBegin: spy(`${prefix} trainBegin`, wait),
      onTrainEnd: spy(`${prefix} trainEnd`, wait),
      onEpochBegin: spy(`${prefix} epochBegin`, wait),
      onEpochEnd: spy(`${prefix} epochEnd`, wait),
      onBatchBegin: spy(`${prefix} batchBegin`, wait),
      onBatchEnd: spy(`${prefix} batchEnd`, wait),
    })
    await trained({ epochs: 2, batchSize: 32, validationSplit: 0.2, callbacks: [hooks("a", true), hooks("b", false)] })
    const logs = "loss+accuracy"
    const all = `${logs}+valLoss+valAccuracy`
    const batch = (i: number): string[] => [`batchBegin ${i}`, `batchEnd ${i} ${logs}`]
    const epoch = (i: number): string[] => [`epochBegin ${i}`, ...batch(0), ...batch(1), `epochEnd ${i} ${all}`]
    const events = ["trainBegin", ...epoch(0), ...epoch(1), `trainEnd ${all}`]
    expect(seen).toEqual(events.flatMap((event) => [`a ${event}`, `b ${event}`]))
  })

  test.each(["onTrainBegin", "onEpochBegin", "onBatchBegin", "onBatchEnd", "onEpochEnd", "onTrainEnd"] as const)(
    "one that throws in %s ends the training with its own error, and the model can be used",
    async (hook) => {
      const model = smallNet()
      const error = new Error("mine")
      const callback: Callback = {
        [hook]: async () => {
          throw error
        },
      }
      await expect(trained({ callbacks: [callback] }, model)).rejects.toBe(error)
      const bits = bitsOf(model)
      expect(bits.flat().every((b) => (b & 0x7f800000) !== 0x7f800000)).toBe(true)
      if (hook === "onTrainBegin" || hook === "onBatchBegin") expect(bits).toEqual(bitsOf(smallNet()))
      if (hook === "onTrainEnd") expect(bits).toEqual((await trained()).bits)
      const fresh = smallNet()
      fresh.setWeights(model.getWeights())
      expect((await trained({}, model)).bits).toEqual((await trained({}, fresh)).bits)
    },
  )

  test("stop in onBatchEnd keeps the rounds done; the epoch is not in the history", async () => {
    const stop: Callback = { onBatchEnd: (batch, _, training) => void (batch === 2 && training.stop()) }
    const { bits, history } = await trained({ shuffle: false, callbacks: [stop] })
    expect([history.ended, history.epoch, history.history]).toEqual(["stopped", [], {}])
    const rows = range(0, 24)
    const model = smallNet()
    await model.fit(rowsOf(x, rows), rowsOf(y, rows), { ...quiet, shuffle: false, batchSize: 8 })
    expect(bits).toEqual(bitsOf(model))
  })

  test("stop in onEpochEnd keeps the epoch", async () => {
    const stop: Callback = { onEpochEnd: (epoch, _, training) => void (epoch === 1 && training.stop()) }
    const { bits, history } = await trained({ epochs: 9, callbacks: [stop] })
    expect([history.ended, history.epoch]).toEqual(["stopped", [0, 1]])
    expect(bits).toEqual((await trained({ epochs: 2 })).bits)
  })

  test("stop in onTrainBegin trains nothing and begins no epoch", async () => {
    const onEpochBegin = vi.fn()
    const { bits, history } = await trained({
      callbacks: [{ onTrainBegin: (_, training) => training.stop(), onEpochBegin }],
    })
    expect(history.ended).toBe("stopped")
    expect(bits).toEqual(bitsOf(smallNet()))
    expect(onEpochBegin).not.toHaveBeenCalled()
  })

  test("a learning rate that is set holds from the next round on", async () => {
    const set = (at: number): Callback => ({
      onBatchBegin: (batch, _, training) => {
        if (batch === at) training.learningRate = 0
      },
    })
    const rows = range(0, 16)
    const model = smallNet()
    await model.fit(rowsOf(x, rows), rowsOf(y, rows), { ...quiet, shuffle: false, batchSize: 8 })
    expect((await trained({ epochs: 1, shuffle: false, callbacks: [set(2)] })).bits).toEqual(bitsOf(model))
    const after: Callback = {
      onBatchEnd: (batch, _, training) => {
        if (batch === 1) training.learningRate = 0
      },
    }
    expect((await trained({ epochs: 1, shuffle: false, callbacks: [after] })).bits).toEqual(bitsOf(model))
    const between: Callback = {
      onEpochEnd: (_, __, training) => {
        training.learningRate = 0
      },
    }
    expect((await trained({ callbacks: [between] })).bits).toEqual((await trained({ epochs: 1 })).bits)
  })

  test.each([Number.NaN, Infinity, -1, "0.1"])("a learning rate %j is refused, and no round sees it", async (rate) => {
    const model = smallNet()
    const callback: Callback = {
      onBatchBegin: (batch, _, training) => {
        if (batch === 1) training.learningRate = rate as number
      },
    }
    await expectRefusal(() => trained({ shuffle: false, callbacks: [callback] }, model), "E_CONFIG", /learningRate/)
    const once = smallNet()
    await once.fit(rowsOf(x, range(0, 8)), rowsOf(y, range(0, 8)), { ...quiet, shuffle: false })
    expect(bitsOf(model)).toEqual(bitsOf(once))
  })

  test("weights set by a callback are trained on", async () => {
    const from = await trained({ seed: 9 })
    const weights = from.model.getWeights()
    const callback: Callback = { onTrainBegin: (_, training) => training.setWeights(weights) }
    expect((await trained({ callbacks: [callback] })).bits).toEqual((await trained({}, from.model)).bits)
  })

  test("compile and add within a callback are refused", async () => {
    for (const act of [
      (m: Model) => m.compile({ loss: "mse" }),
      (m: Model) => void m.add(dense({ units: 3 })),
      (m: Model) => m.fit(x, y),
    ]) {
      const model = smallNet()
      await expectRefusal(
        () => trained({ callbacks: [{ onBatchEnd: () => act(model) as undefined }] }, model),
        "E_BUSY",
        /being trained already/,
      )
      expect((await trained({}, model)).history.ended).toBe("completed")
    }
  })
})

describe("epochs that nobody hears of, which are run several at once", () => {
  const heard: Callback = { onEpochEnd: () => {} }

  // 10 and 25 divide the rows, so that epochs follow each other in one run; 8 and 1000 do not, or are one batch.
  test.each([1, 8, 10, 25, 1000])("give what those give that somebody hears of, batches of %d", async (batchSize) => {
    for (const options of [{}, { shuffle: false, stepsPerEpoch: 2, batchSize: Math.min(batchSize, 25) }]) {
      for (const how of [{}, { backend: "reference" }]) {
        const one = { epochs: 24, batchSize, ...options }
        const alone = await trained(one, smallNet({ momentum: 0.5, ...how }))
        const other = await trained({ ...one, callbacks: [heard] }, smallNet({ momentum: 0.5, ...how }))
        expect(alone.bits).toEqual(other.bits)
        expect(alone.history.history).toEqual(other.history.history)
        expect(alone.history.epoch).toEqual(range(0, 24))
        expect(alone.history.seconds).toHaveLength(24)
        expect(alone.history.seconds.every((seconds) => seconds > 0)).toBe(true)
      }
    }
  })

  test("are stopped by a clock wherever they are, and go on from there", async () => {
    const whole = 600
    const { bits, history } = await trained({ epochs: whole, batchSize: 10, callbacks: [heard] })
    for (const ms of [1, 6]) {
      const model = smallNet()
      const abort = new AbortController()
      setTimeout(() => abort.abort(), ms)
      let now = await trained({ epochs: whole, batchSize: 10, signal: abort.signal }, model)
      const done = now.history.epoch.length
      expect(now.history.history.loss ?? []).toEqual(history.history.loss!.slice(0, done))
      if (now.history.ended === "aborted")
        now = await trained({ epochs: whole, batchSize: 10, resume: true } as FitOptions, model)
      expect(now.bits).toEqual(bits)
      expect(now.history.history).toEqual(history.history)
    }
  })

  test("a second fit takes the orders of its own epochs", async () => {
    const [a, b] = [smallNet(), smallNet()]
    for (const [model, callbacks] of [
      [a, []],
      [b, [heard]],
    ] as const) {
      await trained({ epochs: 7, batchSize: 10, callbacks }, model)
      await trained({ initialEpoch: 7, epochs: 60, batchSize: 10, callbacks }, model)
    }
    expect(bitsOf(a)).toEqual(bitsOf(b))
  })
})

describe("aborting", () => {
  test("before: nothing is trained", async () => {
    const { bits, history } = await trained({ signal: AbortSignal.abort() })
    expect([history.ended, history.epoch, history.history]).toEqual(["aborted", [], {}])
    expect(bits).toEqual(bitsOf(smallNet()))
  })

  test("during an epoch: after the round, which is kept", async () => {
    const abort = new AbortController()
    const callback: Callback = { onBatchBegin: (batch) => void (batch === 2 && abort.abort()) }
    const { bits, history } = await trained({ shuffle: false, signal: abort.signal, callbacks: [callback] })
    expect([history.ended, history.epoch]).toEqual(["aborted", []])
    const stop: Callback = { onBatchEnd: (batch, _, training) => void (batch === 2 && training.stop()) }
    expect(bits).toEqual((await trained({ shuffle: false, callbacks: [stop] })).bits)
  })

  test.each(["wasm", "reference"])("by a clock: only whole epochs are in the history, %s", async (backend) => {
    const abort = new AbortController()
    const model = smallNet({ backend })
    setTimeout(() => abort.abort(), 60)
    // The interpreter gives way only within a long run: between short ones somebody must.
    const breathe: Callback = { onEpochEnd: () => new Promise((resolve) => setTimeout(resolve)) }
    const { history } = await trained(
      { epochs: 1e6, batchSize: 1, validationData: [x, y], signal: abort.signal, callbacks: [breathe] },
      model,
    )
    expect(history.ended).toBe("aborted")
    for (const values of [...Object.values(history.history), history.seconds])
      expect(values).toHaveLength(history.epoch.length)
    const { history: same } = await trained({ epochs: history.epoch.length, batchSize: 1, validationData: [x, y] })
    expect(same.history).toEqual(history.history)
    expect((await model.predict(x)).data.every(Number.isFinite)).toBe(true)
  })

  test("afterwards: nothing happens, and no listener stays", async () => {
    const abort = new AbortController()
    const [add, remove] = [vi.spyOn(abort.signal, "addEventListener"), vi.spyOn(abort.signal, "removeEventListener")]
    const { history, model } = await trained({ signal: abort.signal })
    expect(history.ended).toBe("completed")
    expect(add.mock.calls.length).toBeGreaterThan(0)
    expect(remove.mock.calls.length).toBe(add.mock.calls.length)
    abort.abort()
    expect((await trained({}, model)).history.ended).toBe("completed")
  })
})

describe("two at once", () => {
  test("a second fit is refused, and the first is unharmed (S18)", async () => {
    const { bits } = await trained({ epochs: 20 })
    const model = smallNet()
    const first = trained({ epochs: 20 }, model)
    await expectRefusal(() => model.fit(x, y, quiet), "E_BUSY", /being trained already/)
    await new Promise((resolve) => setTimeout(resolve, 5))
    await refusal(() => model.fit(x, y, quiet)).catch(() => {})
    expect((await first).history.ended).toBe("completed")
    expect((await first).bits).toEqual(bits)
  })

  test("two models train side by side", async () => {
    const { bits } = await trained()
    const both = await Promise.all([trained(), trained()])
    for (const one of both) expect(one.bits).toEqual(bits)
  })
})

describe("divergence", () => {
  const line = (learningRate: number, options = {}): Model => {
    const model = sequential([dense({ units: 1, inputShape: [1], kernelInitializer: "ones" })], {
      threads: 1,
      ...options,
    })
    model.compile({ loss: "mse", optimizer: sgd({ learningRate }) })
    return model
  }
  const [inputs, targets] = [
    [[1], [2], [3], [4]],
    [1, 3, 2, 5],
  ]

  test.each(["wasm", "reference"])(
    "a learning rate of 1e30 (S22): the round is named and not applied, %s",
    async (backend) => {
      for (const watched of [true, false]) {
        const model = line(1e30, { backend })
        let last: number[][] = []
        const watch: Callback = { onBatchEnd: () => void (last = bitsOf(model)) }
        const options = { ...quiet, batchSize: 1, shuffle: false, epochs: 3, callbacks: watched ? [watch] : [] }
        const error = await refusal(() => model.fit(inputs, targets, options))
        expect([error.code, error.exitCode]).toEqual(["E_DIVERGED", 7])
        expect(error.where).toMatch(/^epoch 1, round \d$/)
        expect(error.message).toMatch(/loss is (NaN|Infinity).*learning rate \(1e\+30\)/)
        const weights = model.getWeights().flatMap(({ data }) => [...data])
        expect(weights.every(Number.isFinite)).toBe(true)
        if (watched) expect(bitsOf(model)).toEqual(last)
        expect(weights[0]).not.toBe(1)
        expect(model.history!.epoch).toEqual([])
        model.setWeights(line(0).getWeights())
        model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.01 }) })
        const { history } = await model.fit(inputs, targets, { ...quiet, epochs: 5 })
        expect(history.loss![4]).toBeLessThan(history.loss![0]!)
      }
    },
  )

  test("the epoch and round are those of the first bad loss", async () => {
    const model = line(0.5, {})
    const seen: string[] = []
    let epoch = 0
    const watch: Callback = {
      onEpochBegin: (e) => void (epoch = e),
      onBatchEnd: (batch) => void seen.push(`epoch ${epoch + 1}, round ${batch + 1}`),
    }
    const options = { ...quiet, batchSize: 3, shuffle: false, epochs: 1000 }
    const chunked = await refusal(() => model.fit(inputs, targets, options))
    const other = line(0.5, {})
    const single = await refusal(() => other.fit(inputs, targets, { ...options, callbacks: [watch] }))
    expect(single.where).toBe(chunked.where)
    expect(bitsOf(other)).toEqual(bitsOf(model))
    const [, e, r] = /epoch (\d+), round (\d+)/.exec(single.where!)!
    expect(seen).toHaveLength(2 * (Number(e) - 1) + Number(r) - 1)
  })

  test("values that overflow in the first round leave the weights untouched (V21)", async () => {
    const model = line(0.01)
    const before = bitsOf(model)
    const error = await refusal(() => model.fit([[3e38], [3e38]], [0, 0], quiet))
    expect([error.code, error.where]).toEqual(["E_DIVERGED", "epoch 1, round 1"])
    expect(error.message).toMatch(/weights are all finite/)
    expect(bitsOf(model)).toEqual(before)
  })

  test("a weight that has overflowed is named", async () => {
    const model = line(3e38)
    const error = await refusal(() => model.fit(inputs, targets, { ...quiet, batchSize: 1, shuffle: false }))
    expect(error.message).toMatch(/dense\/(kernel|bias)/)
  })
})

describe("output", () => {
  afterEach(() => vi.restoreAllMocks())
  const written = async (verbose: 0 | 1 | 2): Promise<string> => {
    let text = ""
    const take = (part: unknown): boolean => {
      text += String(part)
      return true
    }
    vi.spyOn(process.stdout, "write").mockImplementation(take as typeof process.stdout.write)
    vi.spyOn(process.stderr, "write").mockImplementation(take as typeof process.stderr.write)
    for (const name of ["log", "warn", "info", "error"] as const) vi.spyOn(console, name).mockImplementation(take)
    const model = smallNet()
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0 }) })
    await model.fit(x, y, { verbose, epochs: 2, validationSplit: 0.2 })
    vi.restoreAllMocks()
    return text
  }

  test("verbose 0 writes nothing anywhere; 1 and 2 write epochs and notes", async () => {
    expect(await written(0)).toBe("")
    for (const verbose of [1, 2] as const) {
      const text = await written(verbose)
      expect(text).toMatch(/Epoch 1\/2/)
      expect(text).toMatch(/learning rate is 0/)
      expect(text).toMatch(/saturate/)
    }
  })
})
