// Several inputs and outputs, weights of examples and classes, steps, and rounds on single batches.
import { describe, expect, test } from "vitest"
import { type TensorLike, tensor } from "../src/core/tensor.ts"
import type { Memory, RowSource, RowSpec } from "../src/data/dataset.ts"
import { memorySource } from "../src/data/reading.ts"
import {
  adam,
  type Callback,
  concatenate,
  dense,
  embedding,
  flatten,
  functional,
  input,
  type Model,
  saturation,
  sequential,
  sgd,
} from "../src/index.ts"
import { expectRefusal, wrong } from "./support/training.ts"

const N = 12
const a = Array.from({ length: N }, (_, i) => [i / N, 1 - i / N, (i % 3) - 1])
const b = Array.from({ length: N }, (_, i) => [(i % 4) / 4, i % 2])
const size = a.map(([p, q], i) => [p! - q! + b[i]![0]!])
const kind = a.map((_, i) => i % 3)

/** Two inputs, two outputs. */
function branched(options: object = {}): ReturnType<typeof build> {
  return build(options)
}
function build(options: object) {
  const [left, right] = [input({ shape: [3], name: "left" }), input({ shape: [2], name: "right" })]
  const h = dense({ units: 6, activation: "tanh" })(concatenate()([left, right]))
  const outputs = { size: dense({ units: 1 })(h), kind: dense({ units: 3, activation: "softmax" })(h) }
  const model = functional({ inputs: [left, right], outputs, seed: 4, ...options })
  model.compile({
    loss: { size: "mse", kind: "sparseCategoricalCrossentropy" },
    lossWeights: { size: 0.5, kind: 2 },
    optimizer: sgd({ learningRate: 0.1 }),
    metrics: { kind: ["accuracy"] },
  })
  return model
}
const weightsOf = (model: Pick<Model, "getWeights">): number[] => model.getWeights().flatMap(({ data }) => [...data])

describe("several inputs and outputs", () => {
  test("by name, in order, on any backend and number of threads, from memory and from a stream: the same bits", async () => {
    const options = { epochs: 3, batchSize: 5, verbose: 0, shuffle: false } as const
    const expected = branched({ backend: "reference" })
    const { history } = await expected.fit({ left: a, right: b }, { size, kind }, options)
    expect(Object.keys(history)).toEqual(["loss", "sizeLoss", "kindLoss", "kindAccuracy"])
    history.loss!.forEach((loss, i) => {
      expect(loss).toBeCloseTo(0.5 * history.sizeLoss![i]! + 2 * history.kindLoss![i]!, 5)
    })
    for (const threads of [1, 3]) {
      const model = branched({ threads })
      await model.fit([a, b], [size, kind], options)
      expect(weightsOf(model)).toEqual(weightsOf(expected))
    }
    const streamed = branched()
    async function* batches() {
      for (let i = 0; i < N; i += 4) {
        const rows = <T>(x: readonly T[]): T[] => x.slice(i, i + 4)
        yield [{ left: rows(a), right: rows(b) }, [rows(size), rows(kind)]] as const
      }
    }
    await streamed.fit(batches, { ...options, shuffleBuffer: 0 })
    expect(weightsOf(streamed)).toEqual(weightsOf(expected))
    const found = await streamed.predict({ left: a, right: b })
    expect([found.size.shape, found.kind.shape]).toEqual([
      [N, 1],
      [N, 3],
    ])
    expect(await expected.predict([a, b])).toEqual(found)
    const logs = await streamed.evaluate([a, b], { size, kind })
    expect(Object.keys(logs)).toEqual(["loss", "sizeLoss", "kindLoss", "kindAccuracy"])
  })

  test("an output without a loss is not trained and has no targets", async () => {
    const model = branched()
    model.compile({ loss: { size: "mse" }, optimizer: sgd({ learningRate: 0.1 }) })
    const before = model.getWeights()
    await model.fit([a, b], size, { epochs: 2, verbose: 0 })
    const after = model.getWeights()
    expect(after[2]).not.toEqual(before[2])
    expect(after.slice(4)).toEqual(before.slice(4))
  })

  test("what is missing, too much or misspelt is told", async () => {
    const model = branched()
    await expectRefusal(() => model.fit({ left: a }, { size, kind }), "E_DATA", /"right" is missing/)
    await expectRefusal(() => model.fit({ left: a, rigth: b }, { size, kind }), "E_CONFIG", /"rigth".*"right"/)
    await expectRefusal(() => model.fit([a], { size, kind }), "E_DATA", /another number.*a list of 1/)
    await expectRefusal(() => model.fit(new Float32Array(3), { size, kind }), "E_DATA", /several of them/)
    await expectRefusal(() => model.fit([a, b.slice(1)], [size, kind]), "E_DATA", /same number of rows/)
    await expectRefusal(() => model.fit([a, b], { size, kind: kind.map(() => 7) }), "E_DATA", /0 to 2/)
    await expectRefusal(() => model.compile({ loss: { sise: "mse" } }), "E_CONFIG", /"sise".*"size"/)
    await expectRefusal(() => model.compile({ loss: ["mse"] }), "E_CONFIG", /one for each output/)
    await expectRefusal(() => model.compile({ loss: [null, null] }), "E_CONFIG", /no output has a loss/)
    await expectRefusal(() => model.compile({ loss: [null, "mse"], metrics: [["mae"], []] }), "E_CONFIG", /no targets/)
  })
})

const x = a
const y = kind
const w = Array.from({ length: N }, (_, i) => [0, 1, 2.5][i % 3]!)

function classifier(options: object = {}): Model {
  const layers = [dense({ units: 5, activation: "tanh", inputShape: [3] }), dense({ units: 3, activation: "softmax" })]
  const model = sequential(layers, { seed: 2, ...options })
  model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.2 }), metrics: ["accuracy"] })
  return model
}
const quiet = { epochs: 2, batchSize: 5, verbose: 0 } as const

describe("weights of examples", () => {
  const trained = async (options: object, model = classifier()): Promise<number[]> => {
    await model.fit(x, y, { ...quiet, ...options })
    return weightsOf(model)
  }

  test("of 1 change nothing, of 0 leave rows out of the sum, of 2 count twice", async () => {
    expect(await trained({ sampleWeight: w.map(() => 1) })).toEqual(await trained({}))
    const model = classifier()
    const { loss } = await model.evaluate(x, y, { sampleWeight: w })
    const each = await Promise.all(x.map(async (row, i) => (await model.evaluate([row], [y[i]!])).loss!))
    expect(loss).toBeCloseTo(each.reduce((sum, l, i) => sum + l * w[i]!, 0) / N, 6)
  })

  test("come from classes too, in any form of targets", async () => {
    const classWeight = { 0: 0, 2: 2.5 }
    expect(await trained({ classWeight })).toEqual(await trained({ sampleWeight: w }))
    const oneHot = classifier()
    oneHot.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 0.2 }) })
    await oneHot.fit(
      x,
      y.map((c) => [0, 1, 2].map((i) => Number(i === c))),
      { ...quiet, classWeight },
    )
    expect(weightsOf(oneHot)).toEqual(await trained({ sampleWeight: w }))
  })

  /** Rows in memory as somebody else's source. */
  function source(data: { readonly x: TensorLike; readonly y: TensorLike; readonly w?: TensorLike }): RowSource {
    const tensors = Object.fromEntries(Object.entries(data).map(([name, values]) => [name, tensor(values)]))
    const { rows, specs, read } = memorySource(tensors)
    return { rows, ...(specs as { x: RowSpec }), read: (order, into) => read(order, into as unknown as Memory) }
  }

  test("from a source and from a stream: the same bits as from memory", async () => {
    const expected = await trained({ sampleWeight: w })
    const [fromSource, byClass, fromStream] = [classifier(), classifier(), classifier()]
    await fromSource.fit(source({ x, y, w: Float32Array.from(w) }), quiet)
    expect(weightsOf(fromSource)).toEqual(expected)
    await byClass.fit(source({ x, y }), { ...quiet, classWeight: { 0: 0, 2: 2.5 } })
    expect(weightsOf(byClass)).toEqual(expected)
    const plain = classifier()
    await plain.fit(x, y, { ...quiet, sampleWeight: w, shuffle: false })
    async function* batches() {
      for (let i = 0; i < N; i += 3) yield [x.slice(i, i + 3), y.slice(i, i + 3), w.slice(i, i + 3)] as const
    }
    await fromStream.fit(batches, { ...quiet, shuffle: false })
    expect(weightsOf(fromStream)).toEqual(weightsOf(plain))
  })

  test("of validation data alone: training counts every row once", async () => {
    const model = classifier()
    const { history } = await model.fit(x, y, { ...quiet, validationData: [x, y, w] })
    expect(weightsOf(model)).toEqual(await trained({}))
    expect(history.valLoss![1]).toBeCloseTo((await model.evaluate(x, y, { sampleWeight: w })).loss!, 6)
  })

  test("weightedMetrics count by them, metrics do not", async () => {
    const model = classifier()
    model.compile({
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
      weightedMetrics: ["sparseCategoricalAccuracy"],
    })
    const found = await model.evaluate(x, y, { sampleWeight: w, batchSize: 5 })
    const { data } = await model.predict(x)
    const right = y.map((c, i) => Number(c === [0, 1, 2].sort((p, q) => data[3 * i + q]! - data[3 * i + p]!)[0]))
    const total = w.reduce((sum, v) => sum + v, 0)
    expect(found.accuracy).toBeCloseTo(right.reduce((sum, v) => sum + v, 0) / N, 6)
    expect(found.sparseCategoricalAccuracy).toBeCloseTo(right.reduce((sum, v, i) => sum + v * w[i]!, 0) / total, 6)
  })

  test("are checked", async () => {
    const model = classifier()
    const training = (options: object) => () => model.fit(x, y, { ...quiet, ...options })
    await expectRefusal(training({ sampleWeight: w.slice(1) }), "E_DATA", /one weight for each example.*\[12\].*\[11\]/)
    await expectRefusal(training({ sampleWeight: w.map((v) => v - 1) }), "E_DATA", /\[0\].*no weight.*-1/)
    await expectRefusal(training({ sampleWeight: w, classWeight: { 0: 1 } }), "E_CONFIG", /exclude each other/)
    await expectRefusal(training({ classWeight: { zero: 1 } }), "E_CONFIG", /no weight of a class/)
    await expectRefusal(training({ classWeight: [1, 2] }), "E_CONFIG", /a weight for each class/)
    const numbers = sequential([dense({ units: 1, inputShape: [3] })])
    numbers.compile({ loss: "mse" })
    await expectRefusal(() => numbers.fit(x, y, { classWeight: { 0: 2 }, verbose: 0 }), "E_CONFIG", /no classes/)
  })
})

describe("steps", () => {
  test("stepsPerEpoch ends an epoch, the next one takes another order", async () => {
    const rounds: number[] = []
    const count: Callback = { onBatchEnd: (batch) => void rounds.push(batch) }
    await classifier().fit(x, y, { ...quiet, stepsPerEpoch: 2, callbacks: [count] })
    expect(rounds).toEqual([0, 1, 0, 1])
  })

  test("trainMetrics: epochEnd measures as evaluate does", async () => {
    const model = classifier()
    const options = { ...quiet, trainMetrics: "epochEnd" } as const
    const { history } = await model.fit(x, y, options)
    const { loss, accuracy } = await model.evaluate(x, y, { batchSize: 5 })
    expect([history.loss!.at(-1), history.accuracy!.at(-1)]).toEqual([loss, accuracy])
    const running = classifier()
    expect((await running.fit(x, y, quiet)).history.loss).not.toEqual(history.loss)
    expect(weightsOf(running)).toEqual(weightsOf(model))
  })

  test("validationFreq and validationSteps", async () => {
    const options = { epochs: 4, batchSize: 5, verbose: 0, validationData: [x, y] } as const
    expect((await classifier().fit(x, y, { ...options, validationFreq: 2 })).history.valLoss).toHaveLength(2)
    expect((await classifier().fit(x, y, { ...options, validationFreq: [1, 4] })).history.valLoss).toHaveLength(2)
    const model = classifier()
    const { history } = await model.fit(x, y, { ...options, epochs: 1, validationSteps: 1 })
    expect(history.valLoss![0]).toBe((await model.evaluate(x.slice(0, 5), y.slice(0, 5), { batchSize: 5 })).loss)
    await expectRefusal(() => model.fit(x, y, { ...quiet, validationSteps: 1 }), "E_CONFIG", /does nothing/)
  })

  test("evaluate takes steps", async () => {
    const model = classifier()
    const first = await model.evaluate(x.slice(0, 5), y.slice(0, 5), { batchSize: 5 })
    expect(await model.evaluate(x, y, { batchSize: 5, steps: 1 })).toEqual(first)
  })
})

describe("rounds on batches", () => {
  test("trainOnBatch is a round of fit, counted on", async () => {
    const [by, fit] = [classifier(), classifier()]
    const optimizer = adam({ learningRate: 0.1 })
    for (const model of [by, fit])
      model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, metrics: ["accuracy"] })
    await fit.fit(x, y, { epochs: 3, batchSize: N, shuffle: false, verbose: 0 })
    const before = await by.evaluate(x, y)
    const first = await by.trainOnBatch(x, y)
    expect(first.loss).toBeCloseTo(before.loss!, 6)
    await by.trainOnBatch(x, y)
    await by.trainOnBatch(x, y)
    expect(weightsOf(by)).toEqual(weightsOf(fit))
    expect(await by.testOnBatch(x, y)).toEqual(await by.evaluate(x, y))
    expect(await by.predictOnBatch(x)).toEqual(await by.predict(x))
    expect((await by.testOnBatch(x, y, { sampleWeight: w })).loss).toBeCloseTo(
      (await by.evaluate(x, y, { sampleWeight: w })).loss!,
      6,
    )
  })

  test("a loss that is not finite leaves the weights as they are", async () => {
    const model = sequential([dense({ units: 1, inputShape: [1] })])
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 1 }) })
    model.setWeights([tensor([[3e38]]), tensor([3e38])])
    const before = model.getWeights()
    await expectRefusal(() => model.trainOnBatch([[3e38]], [[0]]), "E_DIVERGED", /loss/)
    expect(model.getWeights()).toEqual(before)
  })

  test("are refused while fit runs, and take no unknown option", async () => {
    const model = classifier()
    const running = model.fit(x, y, quiet)
    await expectRefusal(() => model.trainOnBatch(x, y), "E_BUSY", /trained already/)
    await running
    await expectRefusal(() => model.trainOnBatch(x, y, wrong({ sampelWeight: w })), "E_CONFIG", /"sampleWeight"/)
  })
})

describe("what is kept", () => {
  test("the learning rate may be set before, between and while trainings run", async () => {
    const model = classifier()
    model.optimizer.learningRate = 0
    const before = weightsOf(model)
    await model.fit(x, y, quiet)
    expect(weightsOf(model)).toEqual(before)
    const watch: Callback = { onEpochEnd: (epoch) => void (model.optimizer.learningRate = epoch === 0 ? 0.5 : 0.25) }
    await model.fit(x, y, { ...quiet, callbacks: [watch] })
    expect(weightsOf(model)).not.toEqual(before)
    expect(model.optimizer.learningRate).toBe(0.25)
    await expectRefusal(() => void (model.optimizer.learningRate = -1), "E_CONFIG", /learningRate/)
  })

  test("running means take the place of the weights when the training ends", async () => {
    const model = classifier()
    model.compile({
      loss: "sparseCategoricalCrossentropy",
      optimizer: sgd({ learningRate: 0.2, useEma: true, emaMomentum: 0.5 }),
    })
    const seen: number[][] = []
    const watch: Callback = { onBatchEnd: () => void seen.push(weightsOf(model)) }
    await model.fit(x, y, { ...quiet, callbacks: [watch] })
    let mean = seen[0]!
    for (const now of seen.slice(1))
      mean = mean.map((m, i) => Math.fround(Math.fround(m * 0.5) + Math.fround(now[i]! * 0.5)))
    expect(weightsOf(model)).toEqual(mean)
  })

  test("a confusion matrix of training, validation and evaluation", async () => {
    const model = classifier()
    model.compile({
      loss: "sparseCategoricalCrossentropy",
      metrics: ["confusionMatrix", "accuracy", "perClassAccuracy"],
    })
    const { tables, history } = await model.fit(x, y, { ...quiet, validationData: [x, y] })
    expect(Object.keys(tables)).toEqual([
      "confusionMatrix",
      "perClassAccuracy",
      "valConfusionMatrix",
      "valPerClassAccuracy",
    ])
    expect(Object.keys(history)).toEqual(["loss", "accuracy", "valLoss", "valAccuracy"])
    const { accuracy } = await model.evaluate(x, y, { batchSize: 5 })
    const matrix = model.tables.confusionMatrix as readonly (readonly number[])[]
    expect(matrix.flat().reduce((sum, n) => sum + n, 0)).toBe(N)
    expect(matrix.reduce((sum, row, i) => sum + row[i]!, 0) / N).toBeCloseTo(accuracy!, 6)
  })

  test("saturation looks at the hidden layers of the model while it is trained", async () => {
    const model = classifier()
    const watch = saturation({ rows: x, tanhThreshold: 0 })
    await model.fit(x, y, { ...quiet, callbacks: [watch] })
    expect(watch.layers.map(({ layer, activation, saturated }) => [layer, activation, saturated])).toEqual([
      ["dense", "tanh", [1, 1]],
    ])
  })

  test("numbers that no embedding has a vector for are refused, in memory and in streams", async () => {
    const layers = [embedding({ inputDim: 4, outputDim: 2, inputShape: [2] }), flatten(), dense({ units: 1 })]
    const model = sequential(layers)
    model.compile({ loss: "mse" })
    await model.fit([[0, 3]], [[1]], { verbose: 0 })
    await expectRefusal(() => model.fit([[0, 4]], [[1]], { verbose: 0 }), "E_DATA", /\[0\]\[1\].*0 to 3.*4/)
    await expectRefusal(() => model.predict([[0.5, 1]]), "E_DATA", /no vector.*0\.5/)
    async function* batches() {
      yield [[[1, -1]], [[1]]] as const
    }
    await expectRefusal(() => model.fit(batches, { verbose: 0 }), "E_DATA", /no vector.*-1/)
  })
})
