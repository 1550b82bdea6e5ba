// Callbacks that change or end a training: scripted logs against PyTorch's and Keras's logic, and small trainings.
import { describe, expect, test } from "vitest"
import {
  type Callback,
  dense,
  earlyStopping,
  type Logs,
  lambdaCallback,
  learningRateScheduler,
  progressBar,
  type ReduceLROnPlateauOptions,
  reduceLROnPlateau,
  saturation,
  sequential,
  sgd,
  type Tensor,
  terminateOnNaN,
  weightHistory,
} from "../src/index.ts"
import { monitorOf } from "../src/train/callbacks/monitor.ts"
import { histogramOf } from "../src/train/histogram.ts"
import golden from "./golden/plateau.json" with { type: "json" }
import { fakeTraining, playEpochs } from "./support/callbacks.ts"
import { bitsOf, expectRefusal, smallNet, threeClasses, wrong } from "./support/training.ts"

const { x, y } = threeClasses(24)
const quiet = { epochs: 3, batchSize: 8, verbose: 0 } as const

/** The learning rate after each epoch with these logs. */
async function ratesOf(callback: Callback, epochs: readonly Logs[], learningRate = 1): Promise<number[]> {
  const training = fakeTraining({ learningRate })
  const rates: number[] = []
  const watch: Callback = { onEpochEnd: () => void rates.push(training.learningRate) }
  await callback.onTrainBegin?.({}, training)
  for (const [epoch, logs] of epochs.entries()) {
    await callback.onEpochBegin?.(epoch, {}, training)
    await callback.onEpochEnd?.(epoch, logs, training)
    await watch.onEpochEnd!(epoch, logs, training)
  }
  return rates
}

describe("monitor", () => {
  test.each([
    ...["accuracy", "valAccuracy", "val_accuracy", "acc", "auc", "valAuc1", "precision", "recall", "precisionAtRecall"],
    ...[
      "f1Score",
      "r2Score",
      "meanIoU",
      "cosineSimilarity",
      "sensitivityAtSpecificity",
      "truePositives",
      "outBinaryAccuracy",
    ],
  ])("more %s is better", (monitor) => {
    const { better, worst } = monitorOf("test", { monitor, mode: "auto" })
    expect([better(2, 1), better(1, 2), better(1, 1), worst]).toEqual([true, false, false, -Infinity])
  })
  test.each([
    "loss",
    "valLoss",
    "valMeanSquaredError",
    "falsePositives",
    "falseNegatives",
    "kullbackLeiblerDivergence",
    "pace",
  ])("less %s is better", (monitor) => {
    const { better, worst } = monitorOf("test", { monitor, mode: "auto" })
    expect([better(2, 1), better(1, 2), better(1, 1), worst]).toEqual([false, true, false, Infinity])
  })
})

describe("reduceLROnPlateau", () => {
  test("the script's cases differ", () => {
    expect(golden.cases.filter(({ rates }) => new Set(rates).size > 1).length).toBeGreaterThan(12)
  })

  test.each(golden.cases.map((row, i) => [i, row] as const))("rates of PyTorch, case %i", async (_, row) => {
    const options: ReduceLROnPlateauOptions = {
      monitor: "loss",
      mode: row.mode as "min" | "max",
      factor: row.factor,
      patience: row.patience + 1,
      minDelta: row.threshold,
      cooldown: row.cooldown === 0 ? 0 : row.cooldown + 1,
      minLr: row.least,
    }
    expect(
      await ratesOf(
        reduceLROnPlateau(options),
        row.values.map((loss) => ({ loss })),
      ),
    ).toEqual(row.rates)
  })

  const losses = (...values: number[]): Logs[] => values.map((valLoss) => ({ valLoss }))
  test.each<[string, ReduceLROnPlateauOptions, Logs[], number[]]>([
    [
      "patience 1: every epoch that is no better",
      { patience: 1, factor: 0.5 },
      losses(2, 2, 2, 1, 1),
      [1, 0.5, 0.25, 0.25, 0.125],
    ],
    ["patience 0 is like 1", { patience: 0, factor: 0.5 }, losses(2, 2, 2), [1, 0.5, 0.25]],
    [
      "exactly minDelta is no improvement",
      { patience: 1, minDelta: 0.5, factor: 0.5 },
      losses(2, 1.5, 1.25),
      [1, 0.5, 0.5],
    ],
    [
      "cooldown 1 counts at once, as in Keras",
      { patience: 1, cooldown: 1, factor: 0.5 },
      losses(2, 2, 2, 2),
      [1, 0.5, 0.25, 0.125],
    ],
    [
      "cooldown 2 waits for one epoch",
      { patience: 1, cooldown: 2, factor: 0.5 },
      losses(2, 2, 2, 2, 2),
      [1, 0.5, 0.5, 0.25, 0.25],
    ],
    ["not below minLr", { patience: 1, minLr: 0.3, factor: 0.5 }, losses(2, 2, 2, 2), [1, 0.5, 0.3, 0.3]],
    ["factor 0", { patience: 1, factor: 0 }, losses(2, 2), [1, 0]],
    ["NaN is no improvement", { patience: 2, factor: 0.5 }, losses(2, NaN, NaN), [1, 1, 0.5]],
    [
      "auto: accuracy goes up",
      { monitor: "val_accuracy", patience: 1, factor: 0.5 },
      [{ valAccuracy: 0.1 }, { valAccuracy: 0.2 }],
      [1, 1],
    ],
  ])("%s", async (_, options, epochs, rates) => {
    expect(await ratesOf(reduceLROnPlateau(options), epochs)).toEqual(rates)
  })

  test("a callback that is used again begins again", async () => {
    const callback = reduceLROnPlateau({ patience: 1, factor: 0.5 })
    expect(await ratesOf(callback, losses(1, 1))).toEqual([1, 0.5])
    expect(await ratesOf(callback, losses(9, 8))).toEqual([1, 1])
  })
})

test.each(["reference", "wasm"] as const)("a rate that falls trains as that rate does: %s", async (backend) => {
  const trained = async (callback: Callback): Promise<number[][]> => {
    const model = smallNet({ backend, learningRate: 0.5 })
    await model.fit(x, y, { ...quiet, callbacks: [callback] })
    return bitsOf(model)
  }
  /** By hand: half the rate from an epoch on. */
  const from = (first: number): Callback => ({
    onEpochBegin: (epoch, _, training) => {
      if (epoch === first) training.learningRate = 0.25
    },
  })
  const schedule = (epoch: number, rate: number): number => (epoch === 0 ? rate : 0.25)
  expect(await trained(learningRateScheduler({ schedule }))).toEqual(await trained(from(1)))
  // The first epoch sets the best value, the second is no better: the rate falls before the third.
  const reduce = reduceLROnPlateau({ monitor: "loss", patience: 1, factor: 0.5, minDelta: 9 })
  expect(await trained(reduce)).toEqual(await trained(from(2)))
  expect(await trained(from(2))).not.toEqual(await trained(from(1)))
  expect(await trained(from(2))).not.toEqual(await trained(from(9)))
})

describe("learningRateScheduler", () => {
  test("is given the epoch and the rate before", async () => {
    const seen: number[][] = []
    const callback = learningRateScheduler({
      schedule: (epoch, rate) => {
        seen.push([epoch, rate])
        return rate / 2
      },
    })
    expect(await ratesOf(callback, [{}, {}, {}])).toEqual([0.5, 0.25, 0.125])
    expect(seen).toEqual([
      [0, 1],
      [1, 0.5],
      [2, 0.25],
    ])
  })

  test.each([NaN, -1, Infinity, "0.1", undefined])(
    "a schedule that gives %j ends the training, the model lives",
    async (rate) => {
      const model = smallNet()
      const callbacks = [learningRateScheduler({ schedule: () => wrong(rate) })]
      await expectRefusal(() => model.fit(x, y, { ...quiet, callbacks }), "E_CONFIG", /no learning rate, for epoch 0/)
      expect((await model.fit(x, y, quiet)).ended).toBe("completed")
    },
  )
})

describe("terminateOnNaN", () => {
  const wild = (): ReturnType<typeof smallNet> => {
    const model = sequential([dense({ units: 1, inputShape: [1] })])
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 1e25 }) })
    return model
  }
  const rows = [[1], [2]]

  test("ends without an error, keeps finite weights, and every callback is told once", async () => {
    const model = wild()
    const ends: string[] = []
    const watch: Callback = {
      onTrainEnd: () => void ends.push("end"),
      onEvent: (event) => {
        if (event.type === "trainEnd") ends.push(event.reason)
      },
    }
    const history = await model.fit(rows, rows, { epochs: 50, verbose: 0, callbacks: [terminateOnNaN(), watch] })
    expect(history.ended).toBe("stopped")
    expect(history.epoch.length).toBeLessThan(50)
    expect(ends).toEqual(["stopped", "end"])
    expect(model.getWeights().every(({ data }) => [...data].every(Number.isFinite))).toBe(true)
  })

  test.each([[[]], [[terminateOnNaN({ raiseError: true })]]])(
    "the error comes without it and with raiseError",
    async (callbacks) => {
      const model = wild()
      await expectRefusal(
        () => model.fit(rows, rows, { epochs: 50, verbose: 0, callbacks }),
        "E_DIVERGED",
        /not applied/,
      )
      expect(model.history?.ended).toBe("failed")
    },
  )

  test("best weights are put back", async () => {
    const model = wild()
    const before = bitsOf(model)
    const first: number[][][] = []
    const callbacks = [
      earlyStopping({ monitor: "loss", patience: 99, restoreBestWeights: true }),
      { onEpochEnd: () => void first.push(bitsOf(model)) },
      terminateOnNaN(),
    ]
    await model.fit(rows, rows, { epochs: 50, verbose: 0, callbacks })
    expect(bitsOf(model)).toEqual(first[0])
    expect(bitsOf(model)).not.toEqual(before)
  })
})

describe("lambdaCallback", () => {
  test("calls Keras's names", async () => {
    const seen: string[] = []
    const note = (name: string) => (): void => void seen.push(name)
    const names = ["onTrainBegin", "onEpochBegin", "onTrainBatchBegin", "onTrainBatchEnd", "onEpochEnd", "onTrainEnd"]
    const callback = lambdaCallback(Object.fromEntries(names.map((name) => [name, note(name)])))
    await smallNet().fit(x, y, { epochs: 1, batchSize: 24, verbose: 0, callbacks: [callback] })
    expect(seen).toEqual(names)
  })

  test("has only what was given: nobody asks for single rounds", () => {
    expect(Object.keys(lambdaCallback({ onEpochEnd: () => {} }))).toEqual(["onEpochEnd"])
  })
})

test("progressBar writes what fit prints", async () => {
  let text = ""
  const bar = progressBar({ output: { write: (part) => void (text += part) }, verbose: 2 })
  await smallNet().fit(x, y, { ...quiet, callbacks: [bar] })
  expect(text.match(/^Epoch \d\/3$/gm)).toEqual(["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"])
  expect(text.match(/3\/3 \[=+\].*\n?.*loss: \d\.\d{4} - accuracy: \d\.\d{4}/g)).toHaveLength(3)
})

describe("weights", () => {
  test("have their layers, names and values", async () => {
    const model = smallNet()
    const names: string[] = []
    const watch: Callback = {
      onEpochEnd: (_, __, training) => {
        names.push(...training.weights().map(({ layer, name }) => `${layer}/${name}`))
        expect(training.weights().map(({ tensor }) => tensor)).toEqual(model.getWeights())
      },
    }
    await model.fit(x, y, { ...quiet, epochs: 1, callbacks: [watch] })
    expect(names).toEqual(["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"])
  })

  test("weightHistory keeps copies and their distribution", async () => {
    const model = smallNet()
    const before = model.getWeights()
    const history = weightHistory({ freq: 2, bins: 4 })
    await model.fit(x, y, { ...quiet, callbacks: [history] })
    expect(history.snapshots.map(({ epoch }) => epoch)).toEqual([undefined, 1])
    expect(history.snapshots[0]!.weights.map(({ tensor }) => tensor)).toEqual(before)
    expect(history.snapshots[1]!.weights[0]!.tensor).not.toEqual(before[0])
    expect(history.snapshots[1]!.weights[0]!.histogram.counts.reduce((a, b) => a + b, 0)).toBe(20)
    const slim = weightHistory({ keepWeights: false })
    await model.fit(x, y, { ...quiet, callbacks: [slim] })
    expect(slim.snapshots).toHaveLength(4)
    expect(slim.snapshots[0]!.weights[0]).not.toHaveProperty("tensor")
  })

  test("histograms", () => {
    const h = histogramOf([0, 1, 2, 3, 4, 4, NaN, Infinity], 4)
    expect(h).toMatchObject({ min: 0, max: 4, limits: [1, 2, 3, 4], counts: [2, 1, 1, 2], notFinite: 2 })
    expect(h.mean).toBe(14 / 6)
    expect(h.std).toBeCloseTo(Math.sqrt(46 / 6 - (14 / 6) ** 2), 12)
    expect(histogramOf([3, 3], 9)).toMatchObject({ limits: [3], counts: [2], std: 0 })
    expect(histogramOf([NaN], 9)).toMatchObject({ counts: [], notFinite: 1, mean: NaN })
    const thirds = histogramOf(
      Array.from({ length: 301 }, (_, i) => Math.fround(i / 3 - 50)),
      7,
    )
    expect(thirds.counts.reduce((a, b) => a + b, 0)).toBe(301)
    expect(Math.max(...thirds.counts) - Math.min(...thirds.counts)).toBeLessThanOrEqual(1)
  })
})

describe("saturation", () => {
  const values = (rows: number[][]): Tensor => ({
    dtype: "float32",
    shape: [rows.length, rows[0]!.length],
    data: Float32Array.from(rows.flat()),
  })
  const layer = (activation: string, rows: number[][]) => ({ layer: activation, activation, values: values(rows) })
  const play = async (callback: Callback, layers: ReturnType<typeof layer>[], epochs = 1): Promise<void> => {
    const training = fakeTraining({ activations: async () => layers })
    await playEpochs(
      callback,
      training,
      Array.from({ length: epochs }, () => ({})),
    )
  }

  test("shares of values and of units", async () => {
    const seen = saturation({ rows: [[0], [1]] })
    await play(seen, [
      layer("tanh", [
        [0.96, -0.96, 0.94, 0],
        [1, 0, 0, 0],
      ]),
      layer("sigmoid", [
        [0.04, 0.96],
        [0.06, 0.94],
      ]),
      layer("relu", [
        [0, 0, 3],
        [0, 1, 0],
      ]),
      layer("linear", [[0], [0]]),
    ])
    expect(seen.layers).toEqual([
      { layer: "tanh", activation: "tanh", saturated: [3 / 8], dead: [0] },
      { layer: "sigmoid", activation: "sigmoid", saturated: [0.5], dead: [0] },
      { layer: "relu", activation: "relu", saturated: [4 / 6], dead: [1 / 3] },
    ])
    expect(seen.toSvg()).toContain("relu (relu)")
  })

  test("thresholds, frequency, and a second training", async () => {
    const seen = saturation({ rows: [[0]], tanhThreshold: 0.5, sigmoidMargin: 0.25, freq: 2 })
    for (let i = 0; i < 2; i++) {
      await play(seen, [layer("tanh", [[0.6, 0.4]]), layer("sigmoid", [[0.2, 0.3, 0.8, 0.7]])], 5)
      expect(seen.epochs).toEqual([1, 3])
      expect(seen.layers.map(({ saturated }) => saturated)).toEqual([
        [0.5, 0.5],
        [0.5, 0.5],
      ])
    }
  })

  test("the rows that it was given are asked for", async () => {
    const asked: unknown[] = []
    const activations = async (rows: unknown): Promise<ReturnType<typeof layer>[]> => {
      asked.push(rows)
      return [layer("tanh", [[1]])]
    }
    await playEpochs(saturation({ rows: [[1, 2]] }), fakeTraining({ activations }), [{}])
    expect(asked).toEqual([{ dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) }])
  })

  test("a model without flat parts is refused", async () => {
    await expectRefusal(() => play(saturation({ rows: [[0]] }), [layer("linear", [[1]])]), "E_CONFIG", /flat part/)
  })
})

test("events come in order, with all that happens", async () => {
  const seen: string[] = []
  const watch: Callback = { onEvent: async ({ type }) => void seen.push(type) }
  await smallNet().fit(x, y, { epochs: 1, batchSize: 24, verbose: 0, callbacks: [watch] })
  expect(seen).toEqual(["trainBegin", "epochBegin", "progress", "epochEnd", "trainEnd"])
})

describe("S19 a callback that throws", () => {
  const hooks = ["onTrainBegin", "onEpochBegin", "onBatchBegin", "onBatchEnd", "onEpochEnd", "onTrainEnd", "onEvent"]
  test.each(hooks.flatMap((hook) => [[hook, "throws"] as const, [hook, "rejects"] as const]))(
    "in %s, which %s: fit fails with its error, others hear of the end, the model lives",
    async (hook, how) => {
      const error = new Error("enough")
      const fail = (): Promise<void> => {
        if (how === "throws") throw error
        return Promise.reject(error)
      }
      const ends: string[] = []
      const watch: Callback = { onTrainEnd: () => void ends.push("end") }
      const model = smallNet()
      const training = model.fit(x, y, { ...quiet, callbacks: [watch, { [hook]: fail }] })
      await expect(training).rejects.toBe(error)
      expect(ends).toEqual(["end"])
      expect(model.getWeights().every(({ data }) => [...data].every(Number.isFinite))).toBe(true)
      expect((await model.fit(x, y, quiet)).ended).toBe("completed")
    },
  )

  test("when the loss is not finite: that error is the one that counts", async () => {
    const model = sequential([dense({ units: 1, inputShape: [1] })])
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 1e25 }) })
    const fail: Callback = {
      onDiverged: () => {
        throw new Error("enough")
      },
    }
    const training = (callbacks: Callback[]) => () => model.fit([[1]], [[2]], { epochs: 50, verbose: 0, callbacks })
    await expectRefusal(training([fail]), "E_DIVERGED", /not applied/)
  })

  test("a callback that stops a training which then fails for another reason does not hide the error", async () => {
    const fail: Callback = {
      onEpochEnd: (_, __, training) => {
        training.stop()
        throw new Error("enough")
      },
      onDiverged: (_, training) => training.stop(),
    }
    await expect(smallNet().fit(x, y, { ...quiet, callbacks: [fail] })).rejects.toThrow("enough")
  })
})

describe("bad options", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["factor 1", () => reduceLROnPlateau({ factor: 1 }), /reduceLROnPlateau\.factor.*below 1/],
    ["minLr", () => reduceLROnPlateau({ minLr: -1 }), /minLr/],
    ["a misspelt option", () => reduceLROnPlateau(wrong({ patiense: 1 })), /Did you mean "patience"/],
    ["verbose", () => reduceLROnPlateau(wrong({ verbose: 2 })), /0 or 1/],
    ["no schedule", () => learningRateScheduler(wrong({})), /schedule.*must be given/],
    ["a schedule that cannot be called", () => learningRateScheduler(wrong({ schedule: 1 })), /function/],
    ["raiseError", () => terminateOnNaN(wrong({ raiseError: 1 })), /true or false/],
    ["a hook that Keras lacks", () => lambdaCallback(wrong({ onEpochDone: () => {} })), /onEpochDone/],
    ["a hook that cannot be called", () => lambdaCallback(wrong({ onEpochEnd: 1 })), /function/],
    ["a bar's verbose", () => progressBar(wrong({ verbose: 0 })), /1 or 2/],
    ["no rows", () => saturation(wrong({})), /rows.*must be given/],
    ["empty rows", () => saturation({ rows: [] }), /no rows|empty/],
    ["a margin of a half", () => saturation({ rows: [[1]], sigmoidMargin: 0.5 }), /below 0\.5/],
    ["freq 0", () => weightHistory({ freq: 0 }), /weightHistory\.freq/],
  ])("%s", async (_, make, message) => {
    await expectRefusal(make, "E_CONFIG", message)
  })

  test("a number to watch that is not there", async () => {
    const watching = (monitor: string) => () =>
      smallNet().fit(x, y, { ...quiet, callbacks: [reduceLROnPlateau({ monitor })] })
    await expectRefusal(watching("valLoss"), "E_CONFIG", /reduceLROnPlateau: there is no valLoss.*validationSplit/)
    await expectRefusal(watching("acuracy"), "E_CONFIG", /one of loss, accuracy.*Did you mean "accuracy"/)
  })
})
