// Layers that draw random numbers: which ones, what they do to a value, and that a training with them repeats.
import { describe, expect, test } from "vitest"
import { fillNormal, fillUniform, streams } from "../src/core/random.ts"
import {
  alphaDropout,
  dense,
  dropout,
  flatten,
  functional,
  gaussianDropout,
  gaussianNoise,
  input,
  type Layer,
  type Model,
  modelFromBytes,
  reshape,
  sequential,
  sgd,
  spatialDropout1D,
  spatialDropout2D,
} from "../src/index.ts"

const ROWS = 6
const WIDTH = 5
const x = Array.from({ length: ROWS }, (_, r) => Array.from({ length: WIDTH }, (_, j) => 1 + r + 0.25 * j))

/**
 * What a layer makes of x in a round of training: with y = w·layer(x), a cost |y + 10⁶| and w = 1 the step of w is its value.
 */
async function values(layer: Layer, seed: number, options: object = {}): Promise<number[]> {
  const given = input({ shape: [ROWS * WIDTH] })
  const scale = dense({ units: 1, useBias: false, kernelInitializer: "ones" })
  const model = functional({ inputs: given, outputs: scale(layer(given)), seed, ...options })
  model.compile({ loss: "mae", optimizer: sgd({ learningRate: 1 }) })
  await model.fit([x.flat()], [[-1e6]], { verbose: 0 })
  return [...model.getWeights()[0]!.data].map((w) => 1 - w)
}

const uniform = (seed: number, substream = 0): Float32Array => {
  const out = new Float32Array(ROWS * WIDTH)
  fillUniform(out, seed, streams.dropout, substream, 0)
  return out
}

describe("in training", () => {
  test.each([{ backend: "reference" }, { threads: 1 }, { threads: 3 }])(
    "dropout: the mask of the seed, %j",
    async (options) => {
      const mask = uniform(11)
      const expected = x.flat().map((value, i) => (mask[i]! >= 0.25 ? Math.fround(value * Math.fround(1 / 0.75)) : 0))
      const found = await values(dropout({ rate: 0.25 }), 11, options)
      for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 5)
      expect(found.filter((value) => value === 0).length).toBe(expected.filter((value) => value === 0).length)
    },
  )

  test("dropout with a seed of its own, and of everything", async () => {
    const mask = uniform(11, 2147483648 + 3)
    const found = await values(dropout({ rate: 0.5, seed: 3 }), 11)
    expect(found.map((value) => value !== 0)).toEqual([...mask].map((u) => u >= 0.5))
    expect(await values(dropout({ rate: 1 }), 1)).toEqual(x.flat().map(() => 0))
    expect(await values(dropout({ rate: 0 }), 1)).toEqual(x.flat().map((value) => 1 - Math.fround(1 - value)))
  })

  test.each([
    ["spatialDropout1D", [ROWS, WIDTH], spatialDropout1D({ rate: 0.5 })],
    ["spatialDropout2D", [2, ROWS / 2, WIDTH], spatialDropout2D({ rate: 0.5 })],
    ["spatialDropout2D, channels first", [WIDTH, 2, ROWS / 2], spatialDropout2D({ rate: 0.5, dataFormat: "channelsFirst" })], // biome-ignore format: one line
  ])("%s: whole channels, by the first numbers of the seed", async (name, targetShape, layer) => {
    const inside = sequential([reshape({ targetShape }), layer, flatten()])
    const mask = [...uniform(11).subarray(0, WIDTH)].map((u) => u >= 0.5)
    expect(new Set(mask).size).toBe(2)
    const channel = (i: number): number => (name.endsWith("first") ? Math.floor(i / ROWS) : i % WIDTH)
    const found = await values(inside.asLayer(), 11)
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(mask[channel(i)]! ? 2 * x.flat()[i]! : 0, 5)
  })

  test("gaussianNoise and gaussianDropout: normal numbers of the seed", async () => {
    const normal = (mean: number, std: number): Float32Array => {
      const out = new Float32Array(ROWS * WIDTH)
      fillNormal(out, mean, std, 5, streams.dropout, 0, 0)
      return out
    }
    const [added, times] = [normal(0, 0.5), normal(1, Math.sqrt(0.2 / 0.8))]
    const noisy = await values(gaussianNoise({ stddev: 0.5 }), 5)
    for (const [i, value] of noisy.entries()) expect(value).toBeCloseTo(x.flat()[i]! + added[i]!, 5)
    const dropped = await values(gaussianDropout({ rate: 0.2 }), 5)
    for (const [i, value] of dropped.entries()) expect(value).toBeCloseTo(x.flat()[i]! * times[i]!, 4)
  })

  test("alphaDropout keeps mean and variance of a normal value", async () => {
    const n = 20_000
    const normal = new Float32Array(n)
    fillNormal(normal, 0, 1, 1, streams.dropout, 9, 0)
    const given = input({ shape: [n] })
    const scale = dense({ units: 1, useBias: false, kernelInitializer: "ones" })
    const model = functional({ inputs: given, outputs: scale(alphaDropout({ rate: 0.2 })(given)) })
    model.compile({ loss: "mae", optimizer: sgd({ learningRate: 1 }) })
    await model.fit([[...normal]], [[-1e6]], { verbose: 0 })
    const out = [...model.getWeights()[0]!.data].map((w) => 1 - w)
    const mean = out.reduce((a, b) => a + b, 0) / n
    expect(mean).toBeCloseTo(0, 1)
    expect(out.reduce((a, b) => a + (b - mean) ** 2, 0) / n).toBeCloseTo(1, 1)
  })
})

describe("a model with noise", () => {
  const build = (options: object = {}): Model => {
    const layers = [
      dense({ units: 8, activation: "relu", inputShape: [WIDTH] }),
      dropout({ rate: 0.5 }),
      gaussianNoise({ stddev: 0.1 }),
      dense({ units: 8 }),
      alphaDropout({ rate: 0.2 }),
      dense({ units: 1 }),
    ]
    const model = sequential(layers, { seed: 2, ...options })
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.01 }) })
    return model
  }
  const y = x.map(([a]) => [a!])
  const train = async (model: Model, seed?: number): Promise<string> => {
    await model.fit(x, y, { epochs: 3, batchSize: 4, verbose: 0, ...(seed === undefined ? {} : { seed }) })
    return JSON.stringify(model.getWeights().map(({ data }) => [...data]))
  }

  test("repeats bit for bit, on any backend and number of threads; another seed gives another training", async () => {
    const expected = await train(build({ backend: "reference" }))
    for (const threads of [1, 2, 3]) expect(await train(build({ threads }))).toBe(expected)
    expect(await train(build(), 9)).not.toBe(expected)
    expect(await train(build(), 9)).toBe(await train(build({ threads: 3 }), 9))
  })

  test("is asked without noise", async () => {
    const model = build()
    const before = [...(await model.predict(x)).data]
    expect([...(await model.predict(x)).data]).toEqual(before)
    const quiet = sequential(
      model.layers.filter(({ type }) => type === "Dense"),
      { seed: 2 },
    )
    quiet.setWeights(model.getWeights())
    expect([...(await quiet.predict(x)).data]).toEqual(before)
    expect([...(await (await modelFromBytes(await model.toBytes())).predict(x)).data]).toEqual(before)
  })
})
