// Values that descriptions stand for: initial parameters, steps of optimizers, costs, one-hot rows, spellings.
import { describe, expect, test } from "vitest"
import { toCategorical } from "../src/core/categorical.ts"
import { TrilobiteError } from "../src/core/errors.ts"
import { log64 } from "../src/core/math64.ts"
import { crossEntropyCost, quadraticCost } from "../src/nn/cost.ts"
import { fansOf } from "../src/nn/initial-values.ts"
import { type Initializer, initialValues } from "../src/nn/initializers.ts"
import { canonical, snakeCase } from "../src/nn/names.ts"

describe("initializers", () => {
  const moments = (x: Float32Array): { mean: number; deviation: number; least: number; most: number } => {
    const mean = x.reduce((a, b) => a + b, 0) / x.length
    const deviation = Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length)
    return { mean, deviation, least: x.reduce((a, b) => Math.min(a, b)), most: x.reduce((a, b) => Math.max(a, b)) }
  }
  const shape = [300, 200]
  const TRUNCATED = 0.8796256610342398 // the standard deviation of a normal distribution within ±2

  // name, mean, standard deviation, bound of |x − mean|
  test.each<[Initializer, number, number, number]>([
    ["randomUniform", 0, 0.05 / Math.sqrt(3), 0.05],
    [{ type: "randomUniform", minval: 1, maxval: 3 }, 2, 1 / Math.sqrt(3), 1],
    ["randomNormal", 0, 0.05, 0.25],
    [{ type: "randomNormal", mean: 2, stddev: 0.5 }, 2, 0.5, 2.5],
    ["truncatedNormal", 0, 0.05 * TRUNCATED, 0.1],
    ["glorotUniform", 0, Math.sqrt(2 / 500), Math.sqrt(6 / 500)],
    ["glorot_normal", 0, Math.sqrt(2 / 500), (2 * Math.sqrt(2 / 500)) / TRUNCATED],
    ["heUniform", 0, Math.sqrt(2 / 300), Math.sqrt(6 / 300)],
    ["heNormal", 0, Math.sqrt(2 / 300), (2 * Math.sqrt(2 / 300)) / TRUNCATED],
    ["lecunUniform", 0, Math.sqrt(1 / 300), Math.sqrt(3 / 300)],
    ["lecunNormal", 0, Math.sqrt(1 / 300), (2 * Math.sqrt(1 / 300)) / TRUNCATED],
  ])("%j has Keras's mean, deviation and bounds", (initializer, mean, deviation, bound) => {
    const found = moments(initialValues(initializer, shape, { seed: 1, index: 0 }))
    expect(Math.abs(found.mean - mean)).toBeLessThan(deviation / 50) // 5 standard errors of 60,000
    expect(Math.abs(found.deviation / deviation - 1)).toBeLessThan(0.015)
    const extent = Math.max(found.most - mean, mean - found.least)
    expect(extent).toBeLessThanOrEqual(bound * (1 + 1e-6))
    expect(extent).toBeGreaterThan(bound * 0.75)
  })

  test("zeros, ones, constant", () => {
    const values = (initializer: Initializer): number[] => [...initialValues(initializer, [2], { seed: 1, index: 0 })]
    expect(values("zeros")).toEqual([0, 0])
    expect(values("ones")).toEqual([1, 1])
    expect(values({ type: "constant", value: -0.5 })).toEqual([-0.5, -0.5])
  })

  test("the values depend on seed and index alone", () => {
    const values = (seed: number, index: number): Float32Array => initialValues("heNormal", [3, 5], { seed, index })
    expect(values(1, 0)).toEqual(values(1, 0))
    expect(values(1, 0)).not.toEqual(values(2, 0))
    expect(values(1, 0)).not.toEqual(values(1, 1))
  })

  test.each([
    [[], 1, 1],
    [[7], 7, 7],
    [[3, 5], 3, 5],
    [[3, 3, 16, 32], 144, 288],
  ])("fans of %j are %d and %d", (shape, fanIn, fanOut) => {
    expect(fansOf(shape)).toEqual({ fanIn, fanOut })
  })
})

describe("the textbook's costs", () => {
  test.each([
    [1, 1, 0],
    [1, 0.9997, 9.0e-8],
    [1, 0.9, 0.01],
    [1, 0.6, 0.16],
    [1, 0.1192, 0.77580864],
    [0, 0.1192, 0.01420864],
  ])("the quadratic cost of y = %d and ŷ = %d is %d", (y, yHat, cost) => {
    expect(quadraticCost(y, yHat)).toBeCloseTo(cost, 12)
  })

  test.each([
    [1, 0.9997, 0.0003],
    [1, 0.9, 0.1054],
    [1, 0.6, 0.5108],
    [1, 0.1192, 2.127],
    [0, 0.1192, 0.1269],
    [1, 1 - 0.1192, 0.1269],
    [1, 0.8, 0.2231],
    [1, 0.5, 0.6931],
  ])("the cross-entropy cost of y = %d and a = %d is %d", (y, a, cost) => {
    expect(crossEntropyCost(y, a)).toBeCloseTo(cost, 4)
    expect(crossEntropyCost(y, a)).toBeCloseTo(-(y * Math.log(a) + (1 - y) * Math.log(1 - a)), 14)
  })

  test("certain answers cost 0 or Infinity, never NaN", () => {
    expect(crossEntropyCost(1, 1)).toBe(0)
    expect(crossEntropyCost(0, 0)).toBe(0)
    expect(crossEntropyCost(1, 0)).toBe(Infinity)
    expect(crossEntropyCost(0, 1)).toBe(Infinity)
    expect(crossEntropyCost(0.5, 0)).toBe(Infinity)
  })

  test("costs of lists are means", () => {
    expect(quadraticCost([1, 0], new Float32Array([0.5, 0.25]))).toBe((0.25 + 0.0625) / 2)
    expect(crossEntropyCost([1, 0], [0.5, 0.5])).toBeCloseTo(Math.log(2), 15)
  })

  test.each<[string, () => number]>([
    ["no numbers", () => quadraticCost([], [])],
    ["different numbers of them", () => quadraticCost([1, 2], [1])],
    ["an output above 1", () => crossEntropyCost(1, 1.1)],
    ["a target below 0", () => crossEntropyCost(-1, 0.5)],
    ["NaN", () => crossEntropyCost([1, 1], [0.5, Number.NaN])],
  ])("%s are refused", (_, action) => {
    expect(action).toThrow(TrilobiteError)
    expect(action).toThrow(expect.objectContaining({ code: "E_DATA" }))
  })
})

describe("the logarithm", () => {
  /** The distance of two floats in units in the last place. */
  function ulps(a: number, b: number): number {
    if (Object.is(a, b)) return 0
    const [i, j] = new BigInt64Array(new Float64Array([a, b]).buffer)
    return Math.abs(Number(i! - j!))
  }
  test.each([0, -0, 1, Infinity, -1, -Infinity, Number.NaN])("of %d is exact", (x) => {
    expect(log64(x)).toBe(Math.log(x))
  })
  test("is within 1 ulp of Math.log everywhere", () => {
    let worst = 0
    for (let i = 0; i < 20_000; i++) {
      const u = ((i * 0.6180339887498949) % 1) + 1e-9
      for (const x of [u, 1 + (u - 0.5) * 1e-3, 0.5 + u, u * 1e300, u * 1e-300, u * 5e-320, 1 / u]) {
        worst = Math.max(worst, ulps(log64(x), Math.log(x)))
      }
    }
    for (const x of [
      Number.MIN_VALUE,
      Number.MAX_VALUE,
      1 + 2 ** -52,
      1 - 2 ** -53,
      Math.SQRT2,
      Math.SQRT1_2,
      2,
      0.5,
    ]) {
      worst = Math.max(worst, ulps(log64(x), Math.log(x)))
    }
    expect(worst).toBeLessThanOrEqual(1)
  })
})

describe("toCategorical", () => {
  test.each([
    ["labels", [0, 2, 1], undefined, [3, 3], [1, 0, 0, 0, 0, 1, 0, 1, 0]],
    ["labels of a column", [[0], [1]], 3, [2, 3], [1, 0, 0, 0, 1, 0]],
    ["bytes", new Uint8Array([1]), 2, [1, 2], [0, 1]],
    ["labels of steps", [[0, 1]], 2, [1, 2, 2], [1, 0, 0, 1]],
    ["no labels", new Int32Array(0), 2, [0, 2], []],
  ])("%s", (_, labels, classes, shape, data) => {
    expect(toCategorical(labels, classes)).toEqual({ dtype: "float32", shape, data: new Float32Array(data) })
  })
  test.each<[string, () => unknown, string, string]>([
    ["a negative label", () => toCategorical([0, -1]), "E_DATA", "labels[1]"],
    ["half a label", () => toCategorical([[0], [1.5]], 3), "E_DATA", "labels[1][0]"],
    ["a label = classes", () => toCategorical([0, 3], 3), "E_DATA", "from 0 to 2"],
    ["NaN", () => toCategorical([Number.NaN]), "E_DATA", "labels[0]"],
    ["0 classes", () => toCategorical([0], 0), "E_CONFIG", "numClasses"],
    ["too many", () => toCategorical(new Int32Array([2147483646, 1])), "E_DATA", "too many"],
  ])("%s is refused", (_, action, code, words) => {
    expect(action).toThrow(expect.objectContaining({ code }))
    expect(action).toThrow(words)
  })
})

describe("names", () => {
  test.each([
    ["glorot_uniform", "glorotUniform"],
    ["GlorotUniform", "glorotUniform"],
    ["SGD", "sgd"],
    ["RMSprop", "rmsprop"],
    ["mse", "mse"],
    ["sparse_categorical_crossentropy", "sparseCategoricalCrossentropy"],
    ["alreadyCamel", "alreadyCamel"],
  ])("%s is %s", (name, camel) => {
    expect(canonical(name)).toBe(camel)
  })
  test.each([
    ["Dense", "dense"],
    ["BatchNormalization", "batch_normalization"],
    ["Conv2D", "conv2d"],
    ["GRU", "gru"],
    ["MaxPooling2D", "max_pooling2d"],
  ])("a %s is named %s", (type, name) => {
    expect(snakeCase(type)).toBe(name)
  })
})
