// A training that is watched: the same bits as one that is not, and what is seen is what a hand would have computed.
import { describe, expect, test } from "vitest"
import type { Advisor, Finding } from "../src/coach/finding.ts"
import {
  activation,
  adam,
  batchNormalization,
  coach,
  conv2D,
  dense,
  dropout,
  type Evidence,
  type FitEvent,
  flatten,
  type Layer,
  l2,
  type ModelOptions,
  type OptimizerLike,
  sequential,
  sgd,
} from "../src/index.ts"
import { windowsOf } from "../src/train/watching.ts"
import { bitsOf, type Data, threeClasses } from "./support/training.ts"

const layers: { readonly [net: string]: () => Layer[] } = {
  dense: () => [dense({ units: 7, activation: "relu", inputShape: [4] }), dense({ units: 3, activation: "softmax" })],
  "dropout, batch normalization": () => [
    dense({ units: 9, kernelRegularizer: l2(), inputShape: [4] }),
    batchNormalization(),
    activation({ activation: "tanh" }),
    dropout({ rate: 0.3 }),
    dense({ units: 3, activation: "softmax" }),
  ],
  convolution: () => [
    conv2D({ filters: 3, kernelSize: 2, activation: "relu", inputShape: [2, 2, 1], padding: "same" }),
    flatten(),
    dense({ units: 3, activation: "softmax" }),
  ],
}

const optimizers: { readonly [name: string]: () => OptimizerLike } = {
  sgd: () => sgd({ learningRate: 0.1 }),
  "momentum, clipped by norm": () => sgd({ learningRate: 0.1, momentum: 0.9, clipNorm: 0.05 }),
  "adam, running means, all clipped": () => adam({ learningRate: 0.01, useEma: true, globalClipNorm: 0.1 }),
  "numbers clipped, gradients gathered": () => adam({ clipValue: 0.01, gradientAccumulationSteps: 2 }),
}

const train = threeClasses(150)
const shaped = ({ data, shape }: Data, net: string): Data => ({
  data,
  shape: net === "convolution" ? [shape[0]!, 2, 2, 1] : shape,
})

async function bits(net: string, optimizer: OptimizerLike, options: ModelOptions, coached: boolean): Promise<unknown> {
  const model = sequential(layers[net]!(), { seed: 5, ...options })
  model.compile({ loss: "categoricalCrossentropy", optimizer, metrics: ["accuracy"] })
  const { history } = await model.fit(shaped(train.x, net), train.y, {
    epochs: 4,
    batchSize: 16,
    validationSplit: 0.2,
    verbose: 0,
    coach: coached,
  })
  expect(model.coach === undefined).toBe(!coached)
  if (coached) expect(model.coach!.evidence.epochs[0]!.kernels[0]!.watched).toBe(8)
  return { weights: bitsOf(model), history }
}

describe("no bit changes", () => {
  const cases = Object.keys(layers).flatMap((net) =>
    Object.keys(optimizers).map((optimizer) => [net, optimizer] as const),
  )
  test.each(cases)("%s, %s: portable and fused, one thread and three", async (net, optimizer) => {
    const make = optimizers[optimizer]!
    for (const numerics of ["portable", "fused"] as const) {
      const plain = await bits(net, make(), { numerics }, false)
      for (const threads of [1, 3]) expect(await bits(net, make(), { numerics, threads }, true)).toEqual(plain)
    }
  })

  test.each(Object.keys(layers))("%s: on the reference backend", async (net) => {
    const make = optimizers["adam, running means, all clipped"]!
    const options = { backend: "reference" } as const
    expect(await bits(net, make(), options, true)).toEqual(await bits(net, make(), options, false))
  })

  test("what the optimizer keeps, the rounds done and the files are the same too", async () => {
    const files: Uint8Array[] = []
    for (const coach of [false, true]) {
      const model = sequential(layers["dropout, batch normalization"]!(), { seed: 5 })
      model.compile({ loss: "categoricalCrossentropy", optimizer: adam() })
      await model.fit(train.x, train.y, { epochs: 3, verbose: 0, coach })
      files.push(await model.toBytes())
      await model.fit(train.x, train.y, { epochs: 2, verbose: 0, callbacks: [{ onBatchEnd: () => {} }], coach })
      files.push(await model.toBytes())
    }
    expect(files[2]).toEqual(files[0])
    expect(files[3]).toEqual(files[1])
  })

  test("a look ahead puts the weights back", async () => {
    const weights: number[][][] = []
    for (const coach of [false, true]) {
      const model = sequential(layers.dense!(), { seed: 5 })
      model.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 1e-5 }) })
      await model.fit(train.x, train.y, { epochs: 9, verbose: 0, coach })
      weights.push(bitsOf(model))
      if (coach)
        expect(model.coach!.evidence.epochs.flatMap(({ epoch, ahead }) => (ahead ? [epoch] : []))).toEqual([0, 1, 3, 8])
    }
    expect(weights[1]).toEqual(weights[0])
  })
})

/** A line through the origin: y = 3 x, one weight. */
async function line(learningRate: number, epochs = 1, more: object = {}, optimizer: object = {}): Promise<Evidence> {
  const model = sequential([
    dense({ units: 1, useBias: false, kernelInitializer: "zeros", inputShape: [1] }),
    dense({ units: 1, useBias: false, kernelInitializer: "ones" }),
  ])
  model.compile({ loss: "mse", optimizer: sgd({ learningRate, ...optimizer }) })
  const x = [[1], [2], [-1], [-2]]
  await model.fit(
    x,
    x.map(([n]) => [3 * n!]),
    { batchSize: 2, shuffle: false, verbose: 0, coach: true, epochs, ...more },
  )
  return model.coach!.evidence
}

describe("what is seen", () => {
  test("examine asks the network too, beside the model: fit does the same afterwards", async () => {
    const make = () => {
      const model = sequential(layers["dropout, batch normalization"]!(), { seed: 5 })
      model.compile({ loss: "categoricalCrossentropy", optimizer: adam() })
      return model
    }
    const options = { epochs: 2, batchSize: 16, validationSplit: 0.2, verbose: 0 } as const
    const [model, plain] = [make(), make()]
    const evidence = await model.examine(train.x, train.y, options)
    await model.fit(train.x, train.y, { ...options, coach: true })
    await plain.fit(train.x, train.y, options)
    expect(bitsOf(model)).toEqual(bitsOf(plain))
    expect(evidence.probe!.rows).toBe(120)
    expect(model.coach!.evidence.probe).toEqual(evidence.probe)
    expect(model.coach!.evidence.data).toEqual(evidence.data)
    expect(model.coach!.evidence.training).toEqual(evidence.training)
  })

  test("gradients, steps and ways of kernels, as computed by hand", async () => {
    const { epochs } = await line(0)
    // w = 0, v = 1: the gradient of w is the mean of 2 (w v x − 3 x) v x = −6 x²: the mean of 1 and 4 is 2.5.
    expect(epochs[0]!.kernels[0]).toEqual({
      layer: "dense",
      name: "kernel",
      watched: 2,
      gradientSquare: 225,
      meanGradientSquare: 225,
      length: 0,
      step: 0,
      way: 0,
    })
    const moved = (await line(0.01)).epochs[0]!.kernels[0]!
    expect(moved.way).toBeCloseTo(2 * (moved.step as number), 1)
    expect(moved.step).toBeGreaterThan(0.1)
    expect(moved.step).toBeLessThan(0.15)
  })

  test("the share of rounds whose gradient was shortened: by number, by kernel and all together", async () => {
    const shares = async (optimizer: object): Promise<unknown> => {
      const { epochs } = await line(0, 1, {}, optimizer)
      return epochs[0]!.kernels.map(({ clipped }) => clipped)
    }
    expect(await shares({})).toEqual([undefined, undefined])
    expect(await shares({ clipNorm: 14.9 })).toEqual([1, 0])
    expect(await shares({ clipNorm: 15.1 })).toEqual([0, 0])
    expect(await shares({ clipValue: 14.9 })).toEqual([1, 0])
    expect(await shares({ globalClipNorm: 14.9 })).toEqual([1, 1])
  })

  test("ahead: the losses of so many mean steps, and at the mean of the weights", async () => {
    const { epochs } = await line(1e-5)
    const { here, at, atMean } = epochs[0]!.ahead!
    expect(here).toBeCloseTo(22.5, 1)
    expect(at.map(({ steps }) => steps)).toEqual([10, 100, 1000])
    // A step is 1.5e-4: a thousand bring w to 0.15, where the loss is 2.5 (3 − 0.15)², and v stays at 1.
    expect(at[2]!.loss).toBeCloseTo(2.5 * 2.85 * 2.85, 1)
    expect(at[0]!.loss).toBeLessThan(here as number)
    expect(atMean).toBeCloseTo(22.5, 1)
    expect((await line(1e-5, 1, { validationData: [[[1]], [[3]]] })).epochs[0]!.valLoss).toBeCloseTo(9, 2)
  })

  test("a probe: what comes in, sums, what goes out, flat ends and neurons that never fire", async () => {
    const model = sequential([
      dense({ units: 3, activation: "relu", kernelInitializer: "ones", biasInitializer: "zeros", inputShape: [2] }),
      dense({ units: 2, kernelInitializer: "ones" }),
      activation({ activation: "tanh" }),
    ])
    const [kernel, , , last] = model.getWeights()
    model.setWeights([
      { ...kernel!, data: Float32Array.of(1, -1, 0, 1, -1, 0) },
      { dtype: "float32", shape: [3], data: Float32Array.of(0, -1, 0) },
      { dtype: "float32", shape: [3, 2], data: Float32Array.of(1, 0, 1, 0, 1, 0) },
      last!,
    ])
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0 }) })
    const x = [
      [1, 2],
      [3, 4],
      [0, 0],
      [2, 2],
    ]
    await model.fit(x, x, { verbose: 0, batchSize: 3, coach: true })
    const { probe, epochs } = model.coach!.evidence
    const [first, second] = probe!.layers
    expect(probe!.rows).toBe(4)
    expect(first).toMatchObject({ layer: "dense", activation: "relu", dead: 2 })
    expect(first!.inputDeviation).toBeCloseTo(Math.sqrt(38 / 8 - (14 / 8) * (14 / 8)), 5)
    // Sums are s, −s − 1 and 0 for s = 3, 7, 0, 4; only s goes out.
    const sums = [3, -4, 0, 7, -8, 0, 0, -1, 0, 4, -5, 0]
    const spread = (list: readonly number[]): number => {
      const mean = list.reduce((a, b) => a + b) / list.length
      return Math.sqrt(list.reduce((a, b) => a + (b - mean) * (b - mean), 0) / list.length)
    }
    expect(first!.sumDeviation).toBeCloseTo(spread(sums), 4)
    expect(first!.mean).toBeCloseTo(14 / 12, 5)
    expect(first!.kernelRms).toBeCloseTo(Math.sqrt(4 / 6), 6)
    expect(second).toMatchObject({ activation: "tanh", saturated: 3 / 8 })
    expect(second!.dead).toBeUndefined()
    expect(second!.gradientRms).toBeGreaterThan(0)
    expect(probe!.output.saturated).toBe(3 / 8)
    expect(epochs[0]!.layers).toEqual(probe!.layers)
  })

  test("the share of each class that is found, where one is rare", async () => {
    const rows = 220
    const x = Float32Array.from({ length: rows }, (_, i) => (i % 20 === 0 ? 1 : -1))
    const ask = async (bias: number, rare: number, units: number): Promise<readonly number[] | undefined> => {
      const activation = units === 1 ? "sigmoid" : "softmax"
      const model = sequential([dense({ units, activation, inputShape: [1] })])
      model.setWeights([
        { dtype: "float32", shape: [1, units], data: Float32Array.from(units === 1 ? [4] : [-4, 4]) },
        { dtype: "float32", shape: [units], data: Float32Array.from(units === 1 ? [bias] : [0, bias]) },
      ])
      model.compile({ loss: units === 1 ? "bce" : "categoricalCrossentropy", optimizer: sgd({ learningRate: 0 }) })
      const labels = Array.from(x, (_, i) => Number(i % rare === 0))
      const y = units === 1 ? labels : labels.map((c) => [1 - c, c])
      await model.fit(x, y, { verbose: 0, coach: true, validationSplit: units === 1 ? 0.25 : 0 })
      return model.coach!.evidence.epochs[0]!.recall
    }
    expect(await ask(0, 20, 1)).toEqual([1, 1])
    expect(await ask(-9, 20, 1)).toEqual([1, 0])
    expect(await ask(9, 20, 1)).toEqual([0, 1])
    expect(await ask(0, 20, 2)).toEqual([1, 1])
    expect(await ask(-9, 20, 2)).toEqual([1, 0])
    expect(await ask(0, 2, 1)).toBeUndefined()
  })

  test("losses beyond numbers: where it diverged, and that it failed", async () => {
    const model = sequential([dense({ units: 1, inputShape: [1] })])
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 1e18 }) })
    const fit = model.fit([[1], [2], [3]], [[1], [2], [3]], { batchSize: 1, epochs: 3, verbose: 0, coach: true })
    await expect(fit).rejects.toThrow("the loss is Infinity")
    const { evidence } = model.coach!
    expect(evidence.ended).toBe("failed")
    expect(evidence.diverged!.epoch).toBe(0)
    expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence)
  })

  test("which rounds are watched is a matter of counts", () => {
    const of = (rounds: number, batchSize: number, parameters: number, marked = false) =>
      windowsOf({ rounds, batchSize, rowsOfEpoch: rounds * batchSize }, parameters, marked)
    expect(of(70, 10, 105, true)).toEqual([[0, 70]])
    expect(of(70, 10, 105)).toEqual([])
    expect(of(469, 128, 55_050)).toEqual([
      [0, 8],
      [234, 242],
    ])
    expect(of(3, 20_000, 55_050, true)).toEqual([[0, 3]])
    expect(of(Number.POSITIVE_INFINITY, 32, 100)).toEqual([[0, 8]])
  })

  test("windows within an epoch are seen as well as whole epochs, and streams without looks", async () => {
    const rows = 6400
    const x = new Float32Array(rows * 100).map((_, i) => ((i * 7919) % 101) / 101 - 0.5)
    const model = sequential([dense({ units: 200, activation: "relu", inputShape: [100] }), dense({ units: 1 })])
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.001 }) })
    await model.fit({ data: x, shape: [rows, 100] }, new Float32Array(rows), {
      batchSize: 8,
      epochs: 2,
      verbose: 0,
      coach: true,
    })
    const { epochs } = model.coach!.evidence
    expect(epochs.map(({ kernels }) => kernels[0]!.watched)).toEqual([16, 16])
    expect(epochs[1]!.kernels[0]!.length).toBeGreaterThan(1)
    async function* stream() {
      for (let i = 0; i < 12; i++)
        yield [
          [[1], [2]],
          [[1], [2]],
        ] as const
    }
    const other = sequential([dense({ units: 1, inputShape: [1] })])
    other.compile({ loss: "mse" })
    await other.fit(stream, { batchSize: 2, epochs: 2, verbose: 0, coach: true })
    const { evidence } = other.coach!
    expect([evidence.data, evidence.probe, evidence.epochs[1]!.kernels[0]!.watched]).toEqual([undefined, undefined, 8])
  })
})

describe("findings", () => {
  const finding: Finding = {
    code: "F09",
    cause: "learning rate too low",
    kind: "fault",
    score: 80,
    epoch: 0,
    saw: "Nothing moves.",
    normal: "",
    why: "",
    change: { text: "Take 10 times the rate.", code: "", edit: { kind: "learningRate", to: 0.1 } },
    expect: { text: "", measure: "loss", within: 1, below: 1 },
  }

  test("are asked for before the first step, after epochs and at the end, and told to everybody", async () => {
    const asked: (number | string)[] = []
    const advisor: Advisor = {
      advise: ({ epochs, ended, probe }) => {
        asked.push(ended ?? epochs.length)
        expect(probe).toBeDefined()
        return epochs.length === 1 && ended === undefined ? [finding] : []
      },
    }
    const told: unknown[] = []
    const events: FitEvent["type"][] = []
    const model = sequential([dense({ units: 1, inputShape: [1] })])
    model.compile({ loss: "mse" })
    await model.fit([[1], [2]], [[1], [2]], {
      epochs: 2,
      verbose: 0,
      coach: { advisor, onFinding: (found) => void told.push(found.code) },
      callbacks: [
        coach({ onFinding: (found, training) => void told.push([found.cause, training.epochs]) }),
        { onEvent: ({ type }) => void events.push(type) },
      ],
    })
    expect(asked).toEqual([0, 1, "completed"])
    expect(told).toEqual(["F09", ["learning rate too low", 2]])
    expect(events.filter((type) => type !== "progress").slice(2, 4)).toEqual(["epochEnd", "finding"])
    expect(model.coach!.findings).toEqual([finding])
  })

  test("of small epochs after 1, 2, 4, 16, …, of others as soon as they come to a large one", async () => {
    const asked = async (units: number, rows: number, epochs: number): Promise<unknown> => {
      const moments: (number | string)[] = []
      const advise: Advisor["advise"] = ({ epochs, ended }) => {
        moments.push(ended ?? epochs.length)
        return []
      }
      const model = sequential([dense({ units, inputShape: [100] }), dense({ units: 1 })])
      model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0 }) })
      const x = { data: new Float32Array(rows * 100), shape: [rows, 100] }
      await model.fit(x, new Float32Array(rows), { epochs, batchSize: 50, verbose: 0, coach: { advisor: { advise } } })
      const { evidence } = model.coach!
      return { moments, looks: evidence.epochs.flatMap(({ epoch, layers }) => (layers ? [epoch + 1] : [])) }
    }
    const ends = "completed"
    expect(await asked(1, 50, 70)).toEqual({ moments: [0, 1, 2, 4, 16, 64, ends], looks: [1, 2, 4, 16, 64, 70] })
    // 6 · 20,401 weights · 1,000 rows are 122 million operations: five epochs together are more than 600 million.
    expect(await asked(200, 1000, 10)).toEqual({ moments: [0, 1, 2, 4, 9, ends], looks: [1, 2, 4, 10] })
    expect(await asked(200, 5000, 9)).toEqual({ moments: [0, 1, 2, 3, 4, 5, 6, 7, 8, ends], looks: [1, 2, 4, 8, 9] })
  })

  test("are told before the error of data that fit refuses", async () => {
    const seen: Evidence[] = []
    const advisor: Advisor = { advise: (evidence) => (seen.push(evidence) > 0 ? [finding] : []) }
    const model = sequential([dense({ units: 3, activation: "softmax", inputShape: [1] })])
    model.compile({ loss: "categoricalCrossentropy" })
    const begin = (x: unknown, y: number[]) =>
      model.fit(x as number[], y, { verbose: 0, coach: { advisor, onFinding: ({ code }) => void codes.push(code) } })
    const codes: string[] = []
    await expect(begin([1, 2, 3], [0, 1, 2])).rejects.toThrow("toCategorical")
    expect(codes).toEqual(["F09"])
    expect(seen[0]!.data!.targets.classes).toEqual([1, 1, 1])
    expect(seen[0]!.probe).toBeUndefined()
    expect(model.coach!.findings).toEqual([finding])
    await expect(begin("nothing", [0, 1, 2])).rejects.toThrow("this is not data")
    expect(codes.length).toBe(1)
  })

  test("a callback that wants them is enough to watch; unknown options are refused", async () => {
    const model = sequential([dense({ units: 1, inputShape: [1] })])
    model.compile({ loss: "mse" })
    await model.fit([[1]], [[1]], { verbose: 0, callbacks: [coach({ onFinding: () => {} })] })
    expect(model.coach!.evidence.epochs.length).toBe(1)
    const wrong = { coach: { onfinding: () => {} } } as object
    await expect(model.fit([[1]], [[1]], wrong)).rejects.toThrow("onFinding")
  })
})
