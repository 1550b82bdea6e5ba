// Masks: which steps count, from the layer that says so to means, statistics, losses and metrics; against sums by hand.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  add,
  batchNormalization,
  concatenate,
  customLayer,
  dense,
  dropout,
  embedding,
  flatten,
  functional,
  globalAveragePooling1D,
  input,
  layerNormalization,
  type Model,
  masking,
  modelFromBytes,
  ops,
  reshape,
  type SymbolicTensor,
  sequential,
  sgd,
  type Tensor,
} from "../src/index.ts"

const MACHINES = [{ backend: "reference" }, { threads: 1 }, { threads: 3 }]

/** What a mask is where it is asked for, as a value: 1 everywhere where there is none. */
const maskOf = customLayer("MaskOf", {}, (_, [x], scope) => {
  const [mask] = scope.masks
  return mask === undefined ? ops.constant(2, x.shape.slice(0, 2)) : ops.mul(mask, 1)
})

const numbers = async (model: Model, x: number[][][] | number[][]): Promise<number[]> => [
  ...(await model.predict(x)).data,
]

const gaps = [
  [[1, 2], [0, 0], [3, 0], [0, 0]], // biome-ignore format: steps
  [[0, 0], [0, 4], [0, 0], [5, 6]], // biome-ignore format: steps
]

describe("a mask", () => {
  const through = async (...layers: ReturnType<typeof flatten>[]): Promise<number[]> =>
    numbers(sequential([masking({ inputShape: [4, 2] }), ...layers, maskOf()]), gaps)
  const own = [1, 0, 1, 0, 0, 1, 0, 1]

  test("is where any number differs", async () => {
    expect(await through()).toEqual(own)
    const other = sequential([masking({ maskValue: 4, inputShape: [2, 1] }), maskOf()])
    expect(await numbers(other, [[[4], [0]]])).toEqual([0, 1])
  })

  test("passes through layers that work step by step", async () => {
    const model = sequential([
      embedding({ inputDim: 9, outputDim: 3, maskZero: true, inputShape: [4] }),
      dense({ units: 3, activation: "relu" }),
      dropout({ rate: 0.5 }),
      layerNormalization(),
      batchNormalization(),
      maskOf(),
    ])
    expect(await numbers(model, [[3, 0, 2, 0], [0, 0, 0, 1]])).toEqual([1, 0, 1, 0, 0, 0, 0, 1]) // biome-ignore format: rows
  })

  test("ends where steps are moved, as in Keras, and without maskZero there is none", async () => {
    expect(await through(reshape({ targetShape: [4, 2] }))).toEqual(own.map(() => 2))
    const plain = sequential([embedding({ inputDim: 9, outputDim: 3, inputShape: [4] }), maskOf()])
    expect(await numbers(plain, [[3, 0, 2, 0]])).toEqual([2, 2, 2, 2])
  })

  test("passes through models inside models, which may begin or take one", async () => {
    const inner = sequential([masking({ inputShape: [4, 2] }), dense({ units: 2 })])
    expect(await numbers(sequential([inner, maskOf()]), gaps)).toEqual(own)
    const taker = sequential([dense({ units: 3, inputShape: [4, 2] }), maskOf()])
    expect(await numbers(sequential([masking({ inputShape: [4, 2] }), taker]), gaps)).toEqual(own)
    const x = input({ shape: [4, 2] })
    const two = functional({ inputs: x, outputs: [dense({ units: 1 })(x), masking()(x)] })
    const call = functional({ inputs: x, outputs: maskOf()(two.asLayer()(x)) })
    expect(await numbers(call, gaps)).toEqual(own.map(() => 2))
  })

  test("of a shared layer is that of each use", async () => {
    const [a, b] = [input({ shape: [4] }), input({ shape: [4] })]
    const shared = embedding({ inputDim: 9, outputDim: 3, maskZero: true })
    const outputs = [maskOf()(shared(a)), maskOf()(shared(b)), maskOf()(add()([shared(a), shared(b)]))]
    const model = functional({ inputs: [a, b], outputs })
    const found: Readonly<Record<string, Tensor>> = await model.predict([[[1, 0, 2, 0]], [[0, 0, 3, 3]]])
    expect(Object.values(found).map(({ data }) => [...data])).toEqual([
      [1, 0, 1, 0],
      [0, 0, 1, 1],
      [1, 0, 1, 1],
    ])
  })

  test("of joined values: joined along the steps, else of any", async () => {
    const x = input({ shape: [4, 2] })
    const late = masking({ maskValue: 3 })(x)
    const of = async (y: SymbolicTensor): Promise<number[]> =>
      numbers(functional({ inputs: x, outputs: maskOf()(y) }), [gaps[0]!])
    const [first, none] = [masking()(x), dense({ units: 2 })(x)]
    expect(await of(concatenate({ axis: 1 })([first, none]))).toEqual([1, 0, 1, 0, 1, 1, 1, 1])
    expect(await of(concatenate()([first, late]))).toEqual([1, 1, 1, 1])
    expect(await of(concatenate()([first, first]))).toEqual([1, 0, 1, 0])
    expect(await of(concatenate()([first, none]))).toEqual([2, 2, 2, 2])
    expect(await of(add()([first, none]))).toEqual([2, 2, 2, 2])
  })

  test("that does not fit is refused", () => {
    const swapped = globalAveragePooling1D({ dataFormat: "channelsFirst" })
    expect(() => sequential([masking({ inputShape: [4, 2] }), swapped])).toThrow(
      "the mask [batch, 4] does not fit the input [batch, 2, 4]",
    )
    expect(() => sequential([masking({ inputShape: [] })])).toThrow(/has no steps/)
  })
})

describe("a mean over steps", () => {
  test("counts those that count, and is 0 where none does", async () => {
    const model = sequential([masking({ inputShape: [4, 2] }), globalAveragePooling1D()])
    expect(await numbers(model, [...gaps, [[0, 0], [0, 0], [0, 0], [0, 0]]])).toEqual([2, 1, 2.5, 5, 0, 0]) // biome-ignore format: one line
  })

  test("does not depend on how much padding there is, in training on every backend", async () => {
    const train = async (width: number, machine: object): Promise<readonly number[]> => {
      const layers = [
        embedding({ inputDim: 6, outputDim: 4, maskZero: true, inputShape: [width] }),
        dense({ units: 3, activation: "tanh" }),
        globalAveragePooling1D(),
        dense({ units: 1 }),
      ]
      const model = sequential(layers, { seed: 3, ...machine })
      model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.1 }) })
      const rows = [[3, 1], [2], [5, 4], [1, 1]].map((row) => [...row, ...Array<number>(width - row.length).fill(0)])
      await model.fit(rows, [1, 2, 3, 4], { epochs: 5, batchSize: 3, verbose: 0 })
      return model.getWeights().flatMap(({ data }) => [...data])
    }
    const expected = await train(2, { backend: "reference" })
    for (const machine of MACHINES) {
      expect(await train(2, machine)).toEqual(expected)
      for (const [i, w] of (await train(7, machine)).entries()) expect(w).toBeCloseTo(expected[i]!, 5)
    }
  })
})

test("batch normalization measures the steps that count", async () => {
  const model = sequential([masking({ inputShape: [4, 2] }), batchNormalization({ momentum: 0 }), flatten(), dense({ units: 1 })]) // biome-ignore format: one line
  model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0 }) })
  await model.fit(gaps, [0, 0], { verbose: 0 })
  const [, , mean, variance] = model.getWeights().map(({ data }) => [...data])
  // The steps [1, 2], [3, 0], [0, 4], [5, 6].
  expect(mean).toEqual([2.25, 3])
  expect(variance).toEqual([expect.closeTo((1 + 9 + 25) / 4 - 2.25 ** 2, 5), expect.closeTo((4 + 16 + 36) / 4 - 9, 5)])
})

describe("losses and metrics of an output with a mask", () => {
  const labels = [
    [1, 0, 2, 0],
    [0, 2, 0, 1],
  ]
  const build = (options: object = {}, loss = "sparseCategoricalCrossentropy"): Model => {
    const layers = [masking({ inputShape: [4, 2] }), dense({ units: 3, activation: "softmax" })]
    const model = sequential(layers, { seed: 1, ...options })
    const metrics = ["accuracy", "meanSquaredError"].slice(0, loss.startsWith("sparse") ? 1 : 2) as "accuracy"[]
    model.compile({ loss: loss as "mse", metrics, weightedMetrics: ["categoricalCrossentropy"].slice(0, loss.startsWith("sparse") ? 0 : 1) as "mse"[], optimizer: sgd({ learningRate: 0.5 }) }) // biome-ignore format: one call
    return model
  }
  const counted = [0, 2, 5, 7]

  test("the loss is the mean over the steps that count, and so is accuracy", async () => {
    const model = build()
    const p = await numbers(model, gaps)
    const flat = labels.flat()
    const rows = counted.map((i) => p.slice(3 * i, 3 * i + 3))
    const loss = counted.reduce((sum, i, k) => sum - Math.log(rows[k]![flat[i]!]!), 0) / 4
    const hits = counted.filter((i, k) => rows[k]!.indexOf(Math.max(...rows[k]!)) === flat[i]).length
    for (const options of MACHINES) {
      const found = await build(options).evaluate(gaps, labels)
      expect(found.loss).toBeCloseTo(loss, 6)
      expect(found.accuracy).toBe(hits / 4)
      expect(found).toEqual(await model.evaluate(gaps, labels))
    }
  })

  test("weights of examples count their steps", async () => {
    const hot = labels.map((row) => row.map((k) => [0, 1, 2].map((j) => Number(j === k))))
    const model = build({}, "categoricalCrossentropy")
    const p = await numbers(model, gaps)
    const flat = labels.flat()
    const each = counted.map((i) => -Math.log(p[3 * i + flat[i]!]!))
    const weights = [2, 0.5]
    const weighed = each.reduce((sum, v, k) => sum + v * weights[k >> 1]!, 0)
    const found = await model.evaluate(gaps, hot, { sampleWeight: weights })
    expect(found.loss).toBeCloseTo(weighed / 4, 6)
    expect(found.categoricalCrossentropy).toBeCloseTo(weighed / 5, 6)
    const squares = counted.flatMap((i) => [0, 1, 2].map((j) => (p[3 * i + j]! - Number(j === flat[i])) ** 2))
    expect(found.meanSquaredError).toBeCloseTo(squares.reduce((a, b) => a + b) / 12, 6)
  })

  test("training follows the slope of that mean, the same bits everywhere, and files keep it", async () => {
    const train = async (options: object): Promise<Model> => {
      const model = build(options)
      await model.fit(gaps, labels, { epochs: 3, verbose: 0 })
      return model
    }
    const trained = await train({ backend: "reference" })
    const expected = trained.getWeights().map(({ data }) => [...data])
    for (const options of MACHINES) {
      expect((await train(options)).getWeights().map(({ data }) => [...data])).toEqual(expected)
    }
    // By hand, in float64: softmax regression of four steps.
    const [w, b] = build().getWeights().map(({ data }) => [...data]) as [number[], number[]] // biome-ignore format: one line
    const [steps, wanted] = [gaps.flat(), labels.flat()]
    for (let epoch = 0; epoch < 3; epoch++) {
      const [dw, db] = [w.map(() => 0), b.map(() => 0)]
      for (const i of counted) {
        const z = b.map((bias, k) => bias + steps[i]![0]! * w[k]! + steps[i]![1]! * w[3 + k]!)
        const total = z.reduce((sum, v) => sum + Math.exp(v), 0)
        for (const [k, v] of z.entries()) {
          const slope = (Math.exp(v) / total - Number(k === wanted[i])) / 4
          db[k]! += slope
          dw[k]! += slope * steps[i]![0]!
          dw[3 + k]! += slope * steps[i]![1]!
        }
      }
      for (const k of w.keys()) w[k]! -= 0.5 * dw[k]!
      for (const k of b.keys()) b[k]! -= 0.5 * db[k]!
    }
    for (const [i, value] of expected.flat().entries()) expect(value).toBeCloseTo([...w, ...b][i]!, 5)
    const again = await modelFromBytes(await trained.toBytes())
    expect(await again.evaluate(gaps, labels)).toEqual(await trained.evaluate(gaps, labels))
  })

  test("a batch in which nothing counts costs nothing", async () => {
    const model = build()
    const nothing = gaps.map((row) => row.map(() => [0, 0]))
    expect(await model.evaluate(nothing, labels)).toEqual({ loss: 0, accuracy: 0 })
  })

  test("targets without the steps are refused", async () => {
    const model = sequential([masking({ inputShape: [4, 2] }), dense({ units: 1 })])
    model.compile({ loss: "mse" })
    await expect(model.fit(gaps, [1, 2], { verbose: 0 })).rejects.toThrow(/steps|shape/)
  })

  test("any loss: garbage in steps that do not count changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 6, maxLength: 6 }),
        fc.constantFrom("mse", "mae", "huber", "logCosh", "poisson", "binaryCrossentropy", "hinge", "cosineSimilarity"),
        async (bits, loss) => {
          const x = input({ shape: [3, 2] })
          const model = functional({ inputs: x, outputs: dense({ units: 2, activation: "sigmoid" })(masking()(x)), seed: 4 }) // biome-ignore format: one line
          model.compile({ loss: loss as "mse" })
          const rows = [0, 1].map((r) => [0, 1, 2].map((t) => (bits[3 * r + t] === 1 ? [t + 1, r - 2] : [0, 0])))
          const targets = (junk: number): number[][][] =>
            rows.map((row) => row.map(([a]) => (a === 0 ? [junk, 1 - junk] : [1, 0])))
          const [one, two] = [await model.evaluate(rows, targets(0)), await model.evaluate(rows, targets(1))]
          expect(one).toEqual(two)
        },
      ),
      { numRuns: 20 },
    )
  })
})
