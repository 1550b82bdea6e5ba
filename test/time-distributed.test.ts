// A layer on every step is the layer on all steps as one batch: for every layer of one input, and in whole models.
import { describe, expect, test } from "vitest"
import type { Node } from "../src/graph/node.ts"
import { input as value } from "../src/graph/ops.ts"
import {
  dense,
  embedding,
  flatten,
  globalAveragePooling1D,
  input,
  type Model,
  masking,
  modelFromBytes,
  sequential,
  sgd,
  timeDistributed,
} from "../src/index.ts"
import { LAYER_ROWS, parametersOf, scopeWith } from "./layers.cases.ts"
import { evaluateNode, samples } from "./support/evaluate.ts"

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

describe("every layer of one input", () => {
  const rows = LAYER_ROWS.filter(({ inputs, whole }) => inputs(2, 3, 4).length === 1 && !whole)
  test.each(rows)("$name", ({ layer, inputs, training = true }) => {
    const [shape] = inputs(2, 3, 4) as [readonly number[]]
    const [examples, steps] = [2, 3]
    const x = samples(examples * steps * size(shape))
    const own = layer([2, 3, 4])
    const flat = value("x", shape)
    const parameters = parametersOf(own, [flat], training)
    const variables = Object.fromEntries(
      parameters.map(({ variable: v }, i) => [v.key, samples(size(v.shape), i + 1).map((n) => Math.abs(n) + 0.1)]),
    )
    const nodes = parameters.map(({ value: node }) => node)
    const call = (of: typeof own, input: Node): Node => of.call([input], scopeWith(nodes, training)) as Node
    const one = evaluateNode(call(own, flat), { rows: examples * steps, inputs: { x }, variables })
    const seen = value("x", [steps, ...shape])
    const spread = call(timeDistributed({ layer: own as ReturnType<typeof dense> }), seen)
    expect(spread.shape.slice(0, 2)).toEqual([-1, steps])
    expect(evaluateNode(spread, { rows: examples, inputs: { x }, variables })).toEqual(one)
  })
})

describe("in a model", () => {
  const x = [0, 1, 2, 3].map((r) => [0, 1, 2].map((t) => [0, 1].map((i) => [r - t, i + 0.5 * t])))
  const y = x.map((row) => row.map(([a, b]) => [a![0]! + b![1]!]))
  const build = (options: object = {}): Model => {
    const each = sequential([flatten(), dense({ units: 4, activation: "tanh" })], { name: "each" })
    const layers = [timeDistributed({ layer: each, inputShape: [3, 2, 2] }), timeDistributed({ layer: dense({ units: 1 }) })] // biome-ignore format: one line
    const model = sequential(layers, { seed: 5, ...options })
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.05 }) })
    return model
  }

  test("trains, the same bits everywhere, and is the model after a file", async () => {
    const train = async (options: object): Promise<Model> => {
      const model = build(options)
      await model.fit(x, y, { epochs: 4, batchSize: 3, verbose: 0 })
      return model
    }
    const model = await train({ backend: "reference" })
    const expected = model.getWeights().map(({ data }) => [...data])
    for (const options of [{ threads: 1 }, { threads: 3 }]) {
      expect((await train(options)).getWeights().map(({ data }) => [...data])).toEqual(expected)
    }
    const { loss } = await model.evaluate(x, y)
    expect(loss).toBeLessThan((await build().evaluate(x, y)).loss!)
    const again = await modelFromBytes(await model.toBytes())
    expect(again.summary()).toBe(model.summary())
    expect((await again.predict(x)).data).toEqual((await model.predict(x)).data)
    expect(model.countParams()).toBe(4 * 4 + 4 + 4 + 1)
  })

  test("shares the weights of a model that it holds", async () => {
    const each = sequential([dense({ units: 2, inputShape: [2], kernelInitializer: "ones" })])
    const model = sequential([timeDistributed({ layer: each, inputShape: [3, 2] })])
    each.setWeights([
      { shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) },
      { shape: [2], data: Float32Array.of(5, 5) },
    ])
    expect([...(await model.predict([[[1, 2], [3, 4], [5, 6]]])).data]).toEqual([6, 7, 8, 9, 10, 11]) // biome-ignore format: one line
  })

  test("passes masks on: of its steps to the next layer, of what is inside to the layer it holds", async () => {
    const outer = sequential([
      masking({ inputShape: [3, 1] }),
      timeDistributed({ layer: dense({ units: 1, kernelInitializer: "ones" }) }),
      globalAveragePooling1D(),
    ])
    expect([...(await outer.predict([[[2], [0], [4]]])).data]).toEqual([3])
    const table = {
      inputDim: 4,
      outputDim: 1,
      maskZero: true,
      embeddingsInitializer: "ones",
      inputShape: [2, 3],
    } as const
    const inner = sequential([embedding(table), timeDistributed({ layer: globalAveragePooling1D() })])
    inner.setWeights([{ shape: [4, 1], data: Float32Array.of(100, 1, 2, 3) }])
    expect([...(await inner.predict([[[1, 3, 0], [0, 0, 2]]])).data]).toEqual([2, 2]) // biome-ignore format: one line
  })

  test("says what is wrong", () => {
    // @ts-expect-error: no layer
    expect(() => timeDistributed({ layer: "dense" })).toThrow(/a layer, such as dense/)
    expect(() => timeDistributed({ layer: dense({ units: 1 }) })(input({ shape: [3] }))).toThrow(/no steps of numbers/)
    const wrong = timeDistributed({ layer: dense({ units: 1, inputShape: [4] }) })
    expect(() => wrong(input({ shape: [3, 5] }))).toThrow(/inputShape/)
  })
})
