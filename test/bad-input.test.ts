// The cases of lists S (shapes, options) and V (values) of the catalogue of bad input that this library meets: each is
// refused with its code and words, or accepted, and leaves the model as it was.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import {
  customLoss,
  dense,
  type ErrorCode,
  type FitOptions,
  type Model,
  sequential,
  sgd,
  type TensorLike,
  tensor,
} from "../src/index.ts"
import { bitsOf, expectRefusal, range, smallNet, threeClasses, wrong } from "./support/training.ts"

// Not here:
// S1 (inner sizes of a product): layers make their weights fit; the operation itself is tested with the graph.
// S13 with 64-bit data: BigInt64Array is no data at all, below. S16, S17 (dispose): nothing can be disposed of.
// S23 beta and eps: there is no such optimizer yet; momentum is below.
// V14, V15, V20, V24 (warnings about one class, a missing class, pixels of 0 to 255, duplicates) and V19 (standardising): they are
// what `prepare` says of tables (prepare.test.ts); fit accepts them, below. V26 ("no better than chance"): cli-tables.test.ts.

const { x, y } = threeClasses(12)
const quiet = { verbose: 0 } as const
const labels = range(0, 12).map((i) => i % 3)
const fitting =
  (inputs: TensorLike, targets: TensorLike, options: FitOptions = {}): ((model: Model) => unknown) =>
  (model) =>
    model.fit(inputs, targets, { ...quiet, ...options })
const withOptions = (options: unknown): ((model: Model) => unknown) => fitting(x, y, wrong(options))
const spoilt = ({ data, shape }: typeof x, at: number, value: number): typeof x => {
  const copy = data.slice()
  copy[at] = value
  return { data: copy, shape }
}
const sparse =
  (values: TensorLike): ((model: Model) => unknown) =>
  async (model) => {
    const other = sequential([dense({ units: 3, activation: "softmax", inputShape: [4] })])
    other.compile({ loss: "sparseCategoricalCrossentropy" })
    other.setWeights([other.getWeights()[0]!, model.getWeights()[3]!])
    const before = bitsOf(other)
    try {
      await other.fit(x, values, quiet)
    } finally {
      expect(bitsOf(other)).toEqual(before)
    }
  }
const label = (value: number): ((model: Model) => unknown) => sparse(Float32Array.from([...labels.slice(0, 11), value]))
const detached = (): Float32Array => {
  const data = new Float32Array(48)
  structuredClone(data.buffer, { transfer: [data.buffer] })
  return data
}
const wide = (changes: (rows: number[][]) => void): number[][] => {
  const rows = labels.map((l) => [0, 1, 2].map((c) => (c === l ? 1 : 0)))
  changes(rows)
  return rows
}

test("a loss that fails while it is traced leaves a model without shapes as it was", async () => {
  const model = sequential([dense({ units: 1 })])
  let bad = true
  const loss = customLoss("mine", (_, yPred) => {
    if (bad) throw new Error("not yet")
    return yPred
  })
  model.compile({ loss })
  await expect(model.fit([[1, 2]], [[1]], { verbose: 0 })).rejects.toThrow(/not yet/)
  bad = false
  await model.fit([[1, 2, 3]], [[1]], { verbose: 0 })
  expect(model.countParams()).toBe(4)
})

describe("refused", () => {
  test.each<[string, (model: Model) => unknown, ErrorCode, RegExp]>([
    [
      "S2 width",
      fitting({ data: new Float32Array(36), shape: [12, 3] }, y),
      "E_DATA",
      /Dense "dense".*\[batch, 4\].*\[batch, 3\]/,
    ],
    ["S3 pictures", fitting({ data: x.data, shape: [12, 2, 2] }, y), "E_DATA", /flatten\(\{ inputShape: \[2, 2\] \}\)/],
    ...[0, -1, 1.5, "64"].map((units): [string, () => unknown, ErrorCode, RegExp] => [
      `S4 units ${JSON.stringify(units)}`,
      () => dense(wrong({ units })),
      "E_CONFIG",
      /units.*at least 1/,
    ]),
    [
      "S5 units 2^31",
      () => sequential([dense({ units: 2 ** 31, inputShape: [4] })]),
      "E_CONFIG",
      /at most 4294967296 bytes, got 34359738368/,
    ],
    [
      "S6 65536 x 65536",
      () => sequential([dense({ units: 65536, inputShape: [65536] })]),
      "E_CONFIG",
      /fit into memory/,
    ],
    ["S7 no layers", () => sequential().predict(x), "E_CONFIG", /at least one layer/],
    [
      "S8 softmax over one unit",
      () => {
        const model = sequential([dense({ units: 1, activation: "softmax", inputShape: [4] })])
        model.compile({ loss: "binaryCrossentropy" })
      },
      "E_CONFIG",
      /sigmoid/,
    ],
    [
      "S8 without a known shape",
      () => {
        const model = sequential([dense({ units: 1, activation: "softmax" })])
        model.compile({ loss: "binaryCrossentropy" })
        return model.fit(
          x,
          labels.map(() => 1),
          quiet,
        )
      },
      "E_CONFIG",
      /sigmoid/,
    ],
    ["S10 labels", fitting(x, labels), "E_DATA", /sparseCategoricalCrossentropy.*toCategorical\(labels, 3\)/],
    [
      "S12 1e300",
      fitting({ data: Float64Array.from(x.data, (v, i) => (i === 7 ? 1e300 : v)), shape: [12, 4] }, y),
      "E_DATA",
      /1e\+300 at \[1\]\[3\] is beyond float32/,
    ],
    [
      "S13 64-bit numbers",
      fitting(wrong({ data: new BigInt64Array(48), shape: [12, 4] }), y),
      "E_DATA",
      /Float32Array/,
    ],
    ["S13 big numbers", fitting(wrong([[2n ** 60n]]), y), "E_DATA", /not a number/],
    ["S15 detached", fitting(detached(), y), "E_DATA", /no rows/],
    ["S15 detached, with a shape", fitting({ data: detached(), shape: [12, 4] }, y), "E_DATA", /transferred/],
    ...[0, -1, 1.5, Number.NaN].map((batchSize): [string, (model: Model) => unknown, ErrorCode, RegExp] => [
      `S20 batch ${batchSize}`,
      withOptions({ batchSize }),
      "E_CONFIG",
      /batchSize.*at least 1/,
    ]),
    ["S21 epochs -1", withOptions({ epochs: -1 }), "E_CONFIG", /epochs/],
    ["S21 epochs Infinity", withOptions({ epochs: Infinity }), "E_CONFIG", /epochs/],
    ...[-0.1, Number.NaN, Infinity, "0.1"].map(
      (learningRate): [string, (model: Model) => unknown, ErrorCode, RegExp] => [
        `S22 learning rate ${JSON.stringify(learningRate)}`,
        (model) => model.compile({ loss: "mse", optimizer: { ...sgd(), learningRate: learningRate as number } }),
        "E_CONFIG",
        /learningRate/,
      ],
    ),
    [
      "S23 momentum 1",
      (model) => model.compile({ loss: "mse", optimizer: { ...sgd(), momentum: 1 } }),
      "E_CONFIG",
      /momentum.*below 1/,
    ],
    ["S24 split 1", withOptions({ validationSplit: 1 }), "E_CONFIG", /validationSplit/],
    ["S24 split 1.5", withOptions({ validationSplit: 1.5 }), "E_CONFIG", /validationSplit/],
    [
      "S24 nothing to validate with",
      fitting({ data: x.data.slice(0, 4), shape: [1, 4] }, [[1, 0, 0]], { validationSplit: 0.5 }),
      "E_CONFIG",
      /cannot be divided.*validationData/,
    ],
    [
      "S24 empty validation data",
      fitting(x, y, {
        validationData: [
          { data: new Float32Array(0), shape: [0, 4] },
          { data: new Float32Array(0), shape: [0, 3] },
        ],
      }),
      "E_DATA",
      /validationData inputs.*no rows/,
    ],
    ...[1.5, -1, 2 ** 53].map((seed): [string, (model: Model) => unknown, ErrorCode, RegExp] => [
      `S25 seed ${seed}`,
      withOptions({ seed }),
      "E_CONFIG",
      /seed/,
    ]),
    ...[0, -1, 1e6, "x"].map((threads): [string, () => unknown, ErrorCode, RegExp] => [
      `S26 threads ${JSON.stringify(threads)}`,
      () => sequential([], wrong({ threads })),
      "E_CONFIG",
      /threads.*from 1 to 256/,
    ]),
    ["V1 NaN", fitting(spoilt(x, 6, Number.NaN), y), "E_DATA", /inputs \[1\]\[2\].*NaN/],
    ["V1 NaN, predict", (model) => model.predict(spoilt(x, 6, Number.NaN)), "E_DATA", /predict inputs \[1\]\[2\]/],
    ["V2 Infinity", fitting(spoilt(x, 47, Infinity), y), "E_DATA", /\[11\]\[3\].*Infinity/],
    ["V3 -Infinity", fitting(spoilt(x, 0, -Infinity), y), "E_DATA", /\[0\]\[0\].*-Infinity/],
    [
      "V1 in validation data",
      fitting(x, y, { validationData: [spoilt(x, 6, Number.NaN), y] }),
      "E_DATA",
      /validationData inputs \[1\]\[2\]/,
    ],
    ["V4 NaN target", fitting(x, spoilt(y, 4, Number.NaN)), "E_DATA", /targets \[1\]\[1\].*NaN/],
    ["V4 NaN label", label(Number.NaN), "E_DATA", /targets \[11\].*NaN/],
    ["V5 label -1", label(-1), "E_DATA", /targets\[11\].*from 0 to 2.*-1/],
    ["V6 label 3", label(3), "E_DATA", /Labels begin at 0/],
    ["V7 label 3.5", label(3.5), "E_DATA", /3\.5/],
    ["V8 label 1e9", label(1e9), "E_DATA", /1000000000/],
    [
      "V9 all zero",
      fitting(
        x,
        wide((rows) => rows[5]!.fill(0)),
      ),
      "E_DATA",
      /targets\[5\].*sum/,
    ],
    [
      "V10 two ones",
      fitting(
        x,
        wide((rows) => rows[3]!.fill(1, 0, 2)),
      ),
      "E_DATA",
      /targets\[3\].*got 2/,
    ],
    [
      "V11 a sum of 1.002",
      fitting(
        x,
        wide((rows) => rows.splice(5, 1, [0.5, 0.25, 0.252])),
      ),
      "E_DATA",
      /targets\[5\].*sum of 1/,
    ],
    ["V12 width 2", fitting(x, { data: new Float32Array(24), shape: [12, 2] }), "E_DATA", /\[batch, 3\].*\[batch, 2\]/],
    [
      "V13 negative",
      fitting(
        x,
        wide((rows) => rows.splice(5, 1, [-1, 1, 1])),
      ),
      "E_DATA",
      /targets\[5\]\[0\].*-1/,
    ],
    ["V16 rows differ", fitting(x, { data: new Float32Array(33), shape: [11, 3] }), "E_DATA", /12.*11/],
    [
      "V17 no rows",
      fitting({ data: new Float32Array(0), shape: [0, 4] }, { data: new Float32Array(0), shape: [0, 3] }),
      "E_DATA",
      /no rows/,
    ],
    ["V17 no rows, predict", (model) => model.predict([]), "E_DATA", /no rows/],
    [
      "V21 3e38",
      fitting(
        { data: new Float32Array(48).fill(3e38), shape: [12, 4] },
        { data: new Float32Array(36).fill(3e38), shape: [12, 3] },
      ),
      "E_DATA",
      /from 0 to 1/,
    ],
    ["V25 inputs and targets swapped", fitting(y, x), "E_DATA", /\[batch, 4\].*\[batch, 3\]/],
    [
      "validation of another shape",
      fitting(x, y, { validationData: [[[1, 2]], [[1, 0, 0]]] }),
      "E_DATA",
      /\[batch, 4\].*\[batch, 2\]/,
    ],
    [
      "ragged rows",
      fitting(
        [
          [1, 2, 3, 4],
          [1, 2, 3],
        ],
        y,
      ),
      "E_DATA",
      /ragged at \[1\]/,
    ],
    ["no targets", fitting(x, wrong(undefined)), "E_DATA", /this is not data/],
    ["a text", fitting(wrong("images"), y), "E_DATA", /this is not data/],
    ["an unknown backend", () => smallNet({ backend: "wams" }).predict(x), "E_CONFIG", /"wams".*Did you mean "wasm"/],
  ])("%s", async (_, action, code, message) => {
    const model = smallNet()
    const before = bitsOf(model)
    const bytes = await model.toBytes()
    await expectRefusal(() => action(model), code, message)
    expect(bitsOf(model)).toEqual(before)
    expect(await model.toBytes()).toEqual(bytes)
    expect(model.history).toBeUndefined()
    await model.fit(x, y, quiet)
  })
})

describe("accepted", () => {
  test.each<[string, TensorLike, TensorLike, FitOptions]>([
    ["S12 float64", { data: Float64Array.from(x.data), shape: x.shape }, y, {}],
    ["S20 a batch larger than the data", x, y, { batchSize: 1e6 }],
    ["S21 no epochs", x, y, { epochs: 0 }],
    ["S24 split 0", x, y, { validationSplit: 0 }],
    ["V11 a sum of 1.0005", x, wide((rows) => rows.splice(5, 1, [0.5, 0.25, 0.2505])), {}],
    ["V14 one class", x, labels.map(() => [1, 0, 0]), { validationSplit: 0.5 }],
    ["V15 a class of one row", x, wide((rows) => rows.fill([1, 0, 0], 0, 11)), { validationSplit: 0.5 }],
    ["V18 one row", [[1, 2, 3, 4]], [[1, 0, 0]], {}],
    ["V20 pixels", { data: Uint8Array.from(range(0, 48), (i) => 5 * i), shape: [12, 4] }, y, {}],
    ["V24 the same rows to validate with", x, y, { validationData: [x, y] }],
  ])("%s", async (_, inputs, targets, options) => {
    const { ended } = await smallNet().fit(inputs, targets, { ...quiet, ...options })
    expect(ended).toBe("completed")
  })

  test("V22, V23: subnormal numbers and -0 give the same bits on both backends, and are kept", async () => {
    const data = Float32Array.from(range(0, 48), (i) => [1e-45, -1e-40, -0, 0.5, 1e-39, 3e-38][i % 6]!)
    const run = async (backend: string): Promise<unknown> => {
      const model = smallNet({ backend })
      model.setWeights(model.getWeights().map((w) => ({ ...w, data: w.data.map((v) => v * 1e-38) })))
      await model.fit({ data, shape: [12, 4] }, y, { ...quiet, epochs: 3 })
      return [bitsOf(model), [...(await model.predict({ data, shape: [12, 4] })).data]]
    }
    expect(await run("wasm")).toEqual(await run("reference"))
    const same = sequential([dense({ units: 1, kernelInitializer: "ones", inputShape: [1] })])
    expect([...(await same.predict([[1e-45], [-1e-40]])).data]).toEqual([Math.fround(1e-45), Math.fround(-1e-40)])
    expect(tensor([-0]).data[0]).toBe(-0)
  })
})

describe("warned about", () => {
  beforeEach(() => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true)
  })
  afterEach(() => vi.restoreAllMocks())
  test.each<[string, "linear" | "softmax", Parameters<Model["compile"]>[0], RegExp]>([
    ["S9 cross-entropy behind a linear output", "linear", { loss: "categoricalCrossentropy" }, /fromLogits: true/],
    ["S11 squares behind softmax", "softmax", { loss: "mse" }, /saturate/],
    [
      "S22 a learning rate of 0",
      "softmax",
      { loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 0 }) },
      /learning rate is 0/,
    ],
  ])("%s", async (_, last, options, message) => {
    const warn = vi.spyOn(console, "warn").mockReturnValue()
    const model = sequential([dense({ units: 3, activation: last, inputShape: [4] })])
    model.compile(options)
    await model.fit(x, y)
    await model.fit(x, y)
    expect(warn.mock.calls).toHaveLength(1)
    expect(warn.mock.calls[0]![0]).toMatch(message)
  })
})
