// What is known of a training before its first step: network, options and data as the coach gets them.
import { describe, expect, test } from "vitest"
import {
  activation,
  adam,
  batchNormalization,
  conv2D,
  dense,
  dropout,
  earlyStopping,
  exponentialDecay,
  flatten,
  l2,
  reduceLROnPlateau,
  sequential,
  sgd,
  tensor,
} from "../src/index.ts"
import { dataFacts, sharedRows } from "../src/train/data-facts.ts"

const mse = { type: "meanSquaredError" } as const
const points = (n: number, at: (i: number, f: number) => number, features = 2): Float32Array =>
  Float32Array.from({ length: n * features }, (_, i) => at(Math.floor(i / features), i % features))
const rowsOf = (n: number, at: (i: number, f: number) => number, features = 2) =>
  tensor(points(n, at, features), [n, features])

describe("data", () => {
  test("means, deviations and ranges are those of each feature", () => {
    const { facts } = dataFacts(
      { x: rowsOf(4, (i, f) => (f === 0 ? i : 1000 + 2 * i)), y: rowsOf(4, (i) => i, 1) },
      "numbers",
      mse,
    )
    expect(facts.means).toEqual([1.5, 1003])
    expect(facts.deviations[0]).toBeCloseTo(Math.sqrt(1.25), 12)
    expect(facts.deviations[1]).toBeCloseTo(Math.sqrt(5), 12)
    expect([facts.least, facts.greatest]).toEqual([0, 1006])
    expect([facts.rows, facts.features, facts.shape]).toEqual([4, 2, [2]])
    expect(facts.looked).toBeUndefined()
  })

  test("one scale: bytes, features alike, borders of pictures; not a feature of thousands", () => {
    const y = rowsOf(50, (i) => i, 1)
    const of = (x: ReturnType<typeof tensor>): boolean => dataFacts({ x, y }, "numbers", mse).facts.sameScale
    expect(of(rowsOf(50, (i, f) => (f === 0 ? i : 60 - i)))).toBe(true)
    expect(of(rowsOf(50, (i, f) => (f === 0 ? i : 1000 * i)))).toBe(false)
    expect(of(rowsOf(50, (i, f) => (f < 20 ? 0 : f < 25 ? i / 25 : i), 100))).toBe(true)
    expect(
      of(
        tensor(
          new Uint8Array(100).map((_, i) => (i % 2 === 0 ? 0 : i)),
          [50, 2],
        ),
      ),
    ).toBe(true)
  })

  test("bytes that stand for 0 to 1 are measured as such", () => {
    const x = { dtype: "unorm8", shape: [2, 1], data: Uint8Array.of(0, 255) } as const
    const { facts } = dataFacts({ x, y: rowsOf(2, (i) => i, 1) }, "numbers", mse)
    expect([facts.means, facts.deviations, facts.least, facts.greatest]).toEqual([[0.5], [0.5], 0, 1])
  })

  test("empty and infinite numbers are counted by rows and left out of the means", () => {
    const x = rowsOf(6, (i, f) => (i === 2 ? Number.NaN : i === 4 && f === 1 ? Number.POSITIVE_INFINITY : 1))
    const { facts } = dataFacts({ x, y: rowsOf(6, (i) => (i === 5 ? Number.NaN : i), 1) }, "numbers", mse)
    expect(facts.nonFinite).toEqual({ rows: 3, first: 2 })
    expect([facts.means, facts.deviations, facts.greatest]).toEqual([[1, 1], [0, 0], 1])
    expect(facts.targets.mean).toBe(2)
    expect(facts.targets.baseline).toBeUndefined()
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts)
  })

  test("rows that come twice, and rows of validation that are training rows", () => {
    const x = rowsOf(6, (i, f) => (i % 3) + f)
    const known = dataFacts({ x, y: rowsOf(6, (i) => Number(i === 5), 1) }, "numbers", mse)
    expect(known.facts.duplicates).toBe(2)
    const other = dataFacts({ x: rowsOf(3, (i, f) => i + f), y: rowsOf(3, (i) => Number(i === 2), 1) }, "numbers", mse)
    expect(sharedRows(known.keys, other.keys)).toBe(3)
    const bytes = tensor(
      Uint8Array.from({ length: 64 }, (_, i) => (i < 32 ? i : i - 32)),
      [8, 8],
    )
    expect(dataFacts({ x: bytes, y: rowsOf(8, () => 0, 1) }, "numbers", mse).facts.duplicates).toBe(4)
  })

  test("classes, neighbours and the loss of saying the mean", () => {
    const oneHot = rowsOf(8, (i, f) => Number((i < 4 ? 0 : i < 6 ? 1 : 2) === f), 3)
    const { targets } = dataFacts({ x: rowsOf(8, (i) => i), y: oneHot }, "classes", {
      type: "categoricalCrossentropy",
    } as never).facts
    expect(targets.classes).toEqual([4, 2, 2])
    expect(targets.neighbours).toEqual({ alike: 5 / 7, chance: 0.375 })
    expect(targets.notOne).toBe(0)
    expect(targets.baseline).toBeCloseTo(1.5 * Math.LN2, 6)
    const labels = dataFacts(
      { x: rowsOf(8, (i) => i), y: tensor(Int32Array.of(0, 0, 1, 1, 3, 3, 3, 3), [8, 1]) },
      "classes",
      {
        type: "sparseCategoricalCrossentropy",
      } as never,
    ).facts.targets
    expect(labels.classes).toEqual([2, 2, 0, 4])
    expect(labels.baseline).toBeCloseTo(1.5 * Math.LN2, 6)
    const yes = dataFacts({ x: rowsOf(4, (i) => i), y: rowsOf(4, (i) => (i === 0 ? 1 : -1), 1) }, "binary", {
      type: "binaryCrossentropy",
    } as never).facts.targets
    expect([yes.classes, yes.least, yes.greatest, yes.baseline]).toEqual([[3, 1], -1, 1, undefined])
    const numbers = dataFacts({ x: rowsOf(4, (i) => i), y: rowsOf(4, (i) => 2 * i, 1) }, "numbers", mse).facts.targets
    expect(numbers.baseline).toBe(5)
    expect(numbers.deviation).toBeCloseTo(Math.sqrt(5), 12)
  })

  test("some of the rows, as a division gives them", () => {
    const rows = Int32Array.of(1, 3)
    const { facts } = dataFacts({ x: rowsOf(4, (i) => i), y: rowsOf(4, (i) => i, 1), rows }, "numbers", mse)
    expect([facts.rows, facts.means, facts.targets.mean]).toEqual([2, [2, 2], 2])
  })

  test("of many numbers a part is looked at, and said to be", () => {
    const n = 3000
    const { facts } = dataFacts({ x: rowsOf(n, (i) => i, 1500), y: rowsOf(n, (i) => i, 1) }, "numbers", mse)
    expect(facts.looked).toEqual({ rows: 1333, features: 1024 })
    expect(facts.means.length).toBe(1024)
    expect(facts.means[0]).toBeGreaterThan(1490)
    expect(facts.means[0]).toBeLessThan(1510)
  })
})

describe("model.examine", () => {
  test("a network as it was built, activations of layers behind among them", async () => {
    const model = sequential([
      conv2D({ filters: 4, kernelSize: 3, activation: "relu", kernelInitializer: "heNormal", inputShape: [6, 6, 1] }),
      flatten(),
      dense({ units: 8, kernelRegularizer: l2({ l2: 0.02 }) }),
      activation({ activation: "tanh" }),
      batchNormalization(),
      dropout({ rate: 0.25 }),
      dense({ units: 3 }),
      activation({ activation: "softmax" }),
    ])
    model.compile({ loss: "categoricalCrossentropy", optimizer: adam({ clipNorm: 2 }) })
    const x = { shape: [6, 6, 6, 1], data: new Float32Array(216) }
    const y = [0, 1, 2, 0, 1, 2].map((c) => [0, 1, 2].map((k) => Number(k === c)))
    const { network, training } = await model.examine(x, y, { epochs: 7, batchSize: 4, callbacks: [earlyStopping()] })
    expect(network.layers.map((l) => [l.name, l.type, l.hasKernel, l.isOutput, l.units, l.activation])).toEqual([
      ["conv2d", "conv2D", true, false, 4, "relu"],
      ["flatten", "flatten", false, false, 64, "linear"],
      ["dense", "dense", true, false, 8, "tanh"],
      ["activation", "activation", false, false, 8, "tanh"],
      ["batch_normalization", "batchNormalization", false, false, 8, "linear"],
      ["dropout", "dropout", false, false, 8, "linear"],
      ["dense_1", "dense", true, true, 3, "softmax"],
      ["activation_1", "activation", false, false, 3, "softmax"],
    ])
    const [conv, , hidden, , , drop] = network.layers
    expect([conv!.fanIn, conv!.fanOut, conv!.kernelInitializer]).toEqual([9, 36, "heNormal"])
    expect([hidden!.fanIn, hidden!.fanOut, hidden!.l2]).toEqual([64, 8, 0.02])
    expect(drop!.dropout).toBe(0.25)
    expect(network.output).toEqual({
      layer: "activation_1",
      units: 3,
      activation: "softmax",
      loss: "categoricalCrossentropy",
      fromLogits: false,
    })
    expect(network.task).toBe("classes")
    expect(training).toMatchObject({
      optimizer: "adam",
      learningRate: 0.001,
      scheduled: false,
      momentum: 0.9,
      batchSize: 4,
    })
    expect(training).toMatchObject({ epochs: 7, rounds: 2, earlyStopping: true, clip: { kind: "norm", at: 2 } })
  })

  test("schedules and callbacks that change the learning rate are said", async () => {
    const model = sequential([dense({ units: 1, inputShape: [1] })])
    const ask = async (optimizer: ReturnType<typeof sgd>, callbacks: readonly object[] = []): Promise<boolean> => {
      model.compile({ loss: "mse", optimizer })
      return (await model.examine([1, 2], [1, 2], { callbacks })).training.scheduled
    }
    const slower = exponentialDecay({ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.9 })
    expect(await ask(sgd())).toBe(false)
    expect(await ask(sgd({ learningRate: slower }))).toBe(true)
    expect(await ask(sgd(), [reduceLROnPlateau()])).toBe(true)
  })

  test("data that fit would refuse are seen: integer labels, empty numbers, -1 and 1", async () => {
    const model = sequential([dense({ units: 3, activation: "softmax", inputShape: [2] })])
    model.compile({ loss: "categoricalCrossentropy" })
    const x = [
      [0, 1],
      [Number.NaN, 1],
      [1, 1],
      [2, 2],
    ]
    const seen = await model.examine(x, [0, 1, 2, 2], { validationData: [x.slice(2), [2, 2]] })
    expect(seen.data!.targets).toMatchObject({ shape: [1], whole: true, least: 0, greatest: 2, classes: [1, 1, 2] })
    expect(seen.data!.nonFinite).toEqual({ rows: 1, first: 1 })
    expect([seen.shared, seen.validation!.rows]).toEqual([2, 2])
    await expect(model.fit(x, [0, 1, 2, 2], { verbose: 0 })).rejects.toThrow()
    const yes = sequential([dense({ units: 1, activation: "sigmoid", inputShape: [2] })])
    yes.compile({ loss: "binaryCrossentropy" })
    const signs = await yes.examine(
      [
        [0, 1],
        [1, 1],
      ],
      [-1, 1],
    )
    expect([signs.network.task, signs.data!.targets.least, signs.data!.targets.classes]).toEqual(["binary", -1, [1, 1]])
  })

  test("the chapter's quadratic cost on digits is a matter of classes; a split has two sides", async () => {
    const model = sequential([dense({ units: 4, activation: "sigmoid", inputShape: [1] })])
    model.compile({ loss: "mse" })
    const x = Array.from({ length: 40 }, (_, i) => i)
    const y = x.map((i) => [0, 1, 2, 3].map((k) => Number(i % 4 === k)))
    const { network, data, validation, shared } = await model.examine(x, y, { validationSplit: 0.25, seed: 3 })
    expect(network.task).toBe("classes")
    expect([data!.rows, validation!.rows, shared]).toEqual([30, 10, 0])
    expect(validation!.targets.classes!.reduce((a, b) => a + b)).toBe(10)
  })
})
