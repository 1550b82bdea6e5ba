// Losses and metrics: values against the formulas written down again in float64, gradients, and extreme logits.
import { describe, expect, test } from "vitest"
import { gradients } from "../src/autodiff/grad.ts"
import { mean } from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import { constant, input, sigmoid, softmax } from "../src/graph/ops.ts"
import * as api from "../src/index.ts"
import type { Loss } from "../src/nn/losses.ts"
import * as losses from "../src/nn/losses.ts"
import * as metrics from "../src/nn/metrics.ts"
import { evaluateNode, gradientError, samples } from "./support/evaluate.ts"

const { ln, clip, softmaxOf, sum } = {
  ln: Math.log,
  clip: (p: number) => Math.min(Math.max(p, Math.fround(1e-7)), Math.fround(1 - 1e-7)),
  softmaxOf: (z: readonly number[]) => z.map((zi) => Math.exp(zi) / z.reduce((s, zj) => s + Math.exp(zj), 0)),
  sum: (x: readonly number[]) => x.reduce((a, b) => a + b, 0),
}
const sigma = (z: number): number => 1 / (1 + Math.exp(-z))
const average = (x: readonly number[]): number => sum(x) / x.length
const bce = (y: readonly number[], a: readonly number[]): number =>
  average(y.map((yi, i) => -(yi * ln(a[i]!) + (1 - yi) * ln(1 - a[i]!))))
const cce = (y: readonly number[], a: readonly number[]): number => -sum(y.map((yi, i) => yi * ln(a[i]!)))

type Rows = number[][]
interface Case {
  readonly name: string
  readonly loss: Loss
  /** What is done to the input before the loss sees it. */
  readonly output?: (x: Node) => Node
  readonly y: Rows
  readonly x: Rows
  readonly byHand: (y: number[], x: number[]) => number
}

const oneHot = [
  [1, 0, 0],
  [0, 0, 1],
  [0.2, 0.3, 0.5],
]
const labels = [[0], [2], [1]]
const z3 = [
  [0.3, -1.2, 2],
  [-0.4, 0.5, 0.1],
  [1.5, 1.4, -0.2],
]
const p3 = [
  [0.2, 0.3, 0.6],
  [0.1, 0.5, 0.4],
  [0.9, 0.05, 0.3],
]
const yes = [
  [1, 0],
  [0.25, 1],
  [0, 0],
]
const z2 = [
  [0.3, -1.2],
  [-3, 0.5],
  [1.5, -0.7],
]
const p2 = [
  [0.3, 0.9],
  [0.01, 0.5],
  [0.6, 0.2],
]
const normal = (p: number[]): number[] => p.map((pi) => pi / sum(p))

const cases: Case[] = [
  {
    name: "mse",
    loss: api.meanSquaredError(),
    y: yes,
    x: z2,
    byHand: (y, x) => average(y.map((v, i) => (v - x[i]!) ** 2)),
  },
  {
    name: "mae",
    loss: api.meanAbsoluteError(),
    y: yes,
    x: z2,
    byHand: (y, x) => average(y.map((v, i) => Math.abs(v - x[i]!))),
  },
  { name: "bce", loss: api.binaryCrossentropy(), y: yes, x: p2, byHand: bce },
  {
    name: "bce behind sigmoid",
    loss: api.binaryCrossentropy(),
    output: sigmoid,
    y: yes,
    x: z2,
    byHand: (y, z) => bce(y, z.map(sigma)),
  },
  {
    name: "bce from logits",
    loss: api.binaryCrossentropy({ fromLogits: true }),
    y: yes,
    x: z2,
    byHand: (y, z) => bce(y, z.map(sigma)),
  },
  {
    name: "bce at z = 0",
    loss: api.binaryCrossentropy(),
    output: sigmoid,
    y: [[1], [0]],
    x: [[0], [0]],
    byHand: () => ln(2),
  },
  {
    name: "cce",
    loss: api.categoricalCrossentropy(),
    y: oneHot,
    x: p3,
    byHand: (y, p) => cce(y, normal(p).map(clip)),
  },
  {
    name: "cce behind softmax",
    loss: api.categoricalCrossentropy(),
    output: softmax,
    y: oneHot,
    x: z3,
    byHand: (y, z) => cce(y, softmaxOf(z)),
  },
  {
    name: "cce from logits",
    loss: api.categoricalCrossentropy({ fromLogits: true }),
    y: oneHot,
    x: z3,
    byHand: (y, z) => cce(y, softmaxOf(z)),
  },
  {
    name: "scce",
    loss: api.sparseCategoricalCrossentropy(),
    y: labels,
    x: p3,
    byHand: ([k], p) => -ln(clip(normal(p)[k!]!)),
  },
  {
    name: "scce behind softmax",
    loss: api.sparseCategoricalCrossentropy(),
    output: softmax,
    y: labels,
    x: z3,
    byHand: ([k], z) => -ln(softmaxOf(z)[k!]!),
  },
  {
    name: "scce from logits",
    loss: api.sparseCategoricalCrossentropy({ fromLogits: true }),
    y: labels,
    x: z3,
    byHand: ([k], z) => -ln(softmaxOf(z)[k!]!),
  },
  // From logits the loss takes what it is given, also behind an activation (Keras).
  {
    name: "cce from logits behind softmax",
    loss: api.categoricalCrossentropy({ fromLogits: true }),
    output: softmax,
    y: oneHot,
    x: z3,
    byHand: (y, z) => cce(y, softmaxOf(softmaxOf(z))),
  },
  {
    name: "bce from logits behind sigmoid",
    loss: api.binaryCrossentropy({ fromLogits: true }),
    output: sigmoid,
    y: yes,
    x: z2,
    byHand: (y, z) => bce(y, z.map(sigma).map(sigma)),
  },
]

describe("losses", () => {
  test.each(cases)("$name has the value and the gradient of its formula", ({ loss, output, y, x, byHand }) => {
    const xNode = input("x", [x[0]!.length])
    const value = losses.traceLoss(loss, input("y", [y[0]!.length]), output === undefined ? xNode : output(xNode))
    expect(value.shape).toEqual([-1])
    const env = { rows: x.length, inputs: { x: x.flat(), y: y.flat() } }
    evaluateNode(value, env).forEach((found, i) => {
      expect(found).toBeCloseTo(byHand(y[i]!, x[i]!), 10)
    })
    expect(gradientError(mean(value), [xNode], env)).toBeLessThan(1e-6)
  })

  test.each([
    ["one label each, [batch]", api.sparseCategoricalCrossentropy(), [], [3]],
    ["[batch] against [batch, 1]", api.meanSquaredError(), [], [1]],
    ["[batch] against [batch, 1]", api.binaryCrossentropy(), [], [1]],
    ["[batch, 1] against [batch]", api.meanAbsoluteError(), [1], []],
    ["[batch, 2] labels against [batch, 2, 3]", api.sparseCategoricalCrossentropy(), [2], [2, 3]],
    ["[batch, 2, 3]", api.categoricalCrossentropy(), [2, 3], [2, 3]],
    ["[batch, 2, 3]", api.meanSquaredError(), [2, 3], [2, 3]],
  ])("targets of %s give one value per example", (_, loss, target, output) => {
    const value = losses.traceLoss(loss, input("y", target), input("x", output))
    expect(value.shape).toEqual([-1])
    const n = (shape: number[]): number => 4 * shape.reduce((a, b) => a * b, 1)
    const x = Array.from({ length: n(output) }, (_, i) => 0.1 + 0.1 * (i % 5))
    const y = Array.from({ length: n(target) }, (_, i) => i % 2)
    const found = evaluateNode(value, { rows: 4, inputs: { x, y } })
    expect(found.every(Number.isFinite)).toBe(true)
    expect(found).toHaveLength(4)
  })

  test("an example's loss is the mean over all its outputs", () => {
    const value = losses.traceLoss(api.meanSquaredError(), input("y", [2, 2]), input("x", [2, 2]))
    const found = evaluateNode(value, { rows: 2, inputs: { x: [1, 2, 3, 4, 0, 0, 0, 2], y: [0, 0, 0, 0, 0, 0, 0, 0] } })
    expect([...found]).toEqual([7.5, 1])
  })

  const extreme = [1e4, -1e4, 0]
  test.each([
    ["categorical", api.categoricalCrossentropy(), softmax, [0, 1, 0], 2e4],
    ["categorical from logits", api.categoricalCrossentropy({ fromLogits: true }), (x: Node) => x, [1, 0, 0], 0],
    ["sparse", api.sparseCategoricalCrossentropy(), softmax, [1], 2e4],
    ["binary", api.binaryCrossentropy(), sigmoid, [0, 1, 0.5], (2e4 + ln(2)) / 3],
    ["binary from logits", api.binaryCrossentropy({ fromLogits: true }), (x: Node) => x, [1, 0, 1], ln(2) / 3],
  ] as const)("%s cross-entropy is finite and right for logits of ±1e4", (_, loss, output, y, expected) => {
    const x = input("x", [3])
    const value = losses.traceLoss(loss, input("y", [y.length]), output(x))
    const env = { rows: 1, inputs: { x: extreme, y } }
    expect(evaluateNode(value, env)[0]).toBeCloseTo(expected, 9)
    const slopes = evaluateNode(gradients(mean(value), [x])[0]!, env)
    expect(slopes.every((slope) => Math.abs(slope) <= 1)).toBe(true)
  })

  test("behind softmax and sigmoid the slope is (a − y), whatever the saturation", () => {
    const x = input("x", [3])
    const y = [0, 1, 0]
    for (const z of [
      [30, -30, 0],
      [0.3, 0.1, -2],
    ]) {
      const env = { rows: 1, inputs: { x: z, y } }
      const categorical = losses.traceLoss(api.categoricalCrossentropy(), input("y", [3]), softmax(x))
      evaluateNode(gradients(mean(categorical), [x])[0]!, env).forEach((slope, i) => {
        expect(slope).toBeCloseTo(softmaxOf(z)[i]! - y[i]!, 14)
      })
      const binary = losses.traceLoss(api.binaryCrossentropy(), input("y", [3]), sigmoid(x))
      evaluateNode(gradients(mean(binary), [x])[0]!, env).forEach((slope, i) => {
        expect(slope).toBeCloseTo((sigma(z[i]!) - y[i]!) / 3, 14)
      })
    }
  })

  test("one-hot targets and labels give the same bits, gradients too", () => {
    const x = input("x", [5])
    const k = [0, 3, 4, 1]
    const inputs = { x: samples(20), y: k, hot: k.flatMap((label) => [0, 1, 2, 3, 4].map((i) => Number(i === label))) }
    for (const output of [softmax(x), sigmoid(x)]) {
      const sparse = mean(losses.traceLoss(api.sparseCategoricalCrossentropy(), input("y", []), output))
      const dense = mean(losses.traceLoss(api.categoricalCrossentropy(), input("hot", [5]), output))
      const of = (node: Node): Float64Array => evaluateNode(node, { rows: 4, inputs })
      expect(of(sparse)).toEqual(of(dense))
      expect(of(gradients(sparse, [x])[0]!)).toEqual(of(gradients(dense, [x])[0]!))
    }
  })

  test.each([
    ["mse", "meanSquaredError"],
    ["MSE", "meanSquaredError"],
    ["mean_squared_error", "meanSquaredError"],
    ["MeanAbsoluteError", "meanAbsoluteError"],
    ["categorical_crossentropy", "categoricalCrossentropy"],
    ["SparseCategoricalCrossentropy", "sparseCategoricalCrossentropy"],
  ])("%s is understood", (name, type) => {
    expect(losses.readLoss(name).type).toBe(type)
  })
})

describe("metrics", () => {
  const evaluate = (name: unknown, y: number[], yShape: number[], x: number[], xShape: number[]): number[] => {
    const value = metrics.traceMetric(metrics.readMetric(name).spec, input("y", yShape), input("x", xShape))
    expect(value.shape).toEqual([-1])
    const rows = x.length / xShape.reduce((a, b) => a * b, 1)
    return [...evaluateNode(value, { rows, inputs: { x, y } })]
  }
  const scores = [0.1, 0.7, 0.2, 0.5, 0.5, 0, 0.2, 0.3, 0.5]

  test.each<[unknown, number[], number[], number[], number[], number[]]>([
    ["accuracy", [1, 0, 1, 0], [], [0.6, 0.6, 0.5, 0.5], [1], [1, 0, 0, 1]], // 0.5 is not above the threshold
    ["accuracy", [1, 0, 1, 0], [1], [0.6, 0.6, 0.5, 0.5], [1], [1, 0, 0, 1]],
    ["acc", [1, 1, 2], [], scores, [3], [1, 0, 1]], // of equal scores the first is the answer
    ["accuracy", [1, 1, 2], [1], scores, [3], [1, 0, 1]],
    ["accuracy", [0, 1, 0, 1, 0, 0, 1, 0, 0], [3], scores, [3], [1, 1, 0]],
    ["accuracy", [1, 2, 2, 0, 1, 2], [2], [0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1], [2, 3], [1, 0.5, 1]],
    ["binaryAccuracy", [1, 0, 1, 1], [2], [0.9, 0.1, 0.2, 0.7], [2], [1, 0.5]],
    [api.binaryAccuracy({ threshold: 0.8 }), [1, 1], [], [0.7, 0.9], [1], [0, 1]],
    ["categorical_accuracy", [0, 1, 0, 0.2, 0.5, 0.3, 1, 0, 0], [3], scores, [3], [1, 0, 0]],
    ["SparseCategoricalAccuracy", [1, 0, 2], [], scores, [3], [1, 1, 1]],
    ["mse", [1, 2], [], [3, 2], [1], [4, 0]],
    ["mae", [1, 2], [], [3, 2], [1], [2, 0]],
  ])("%j of targets %j %j", (name, y, yShape, x, xShape, expected) => {
    expect(evaluate(name, y, yShape, x, xShape)).toEqual(expected)
  })

  test("a cross-entropy as a metric is the loss", () => {
    const y = input("y", [3])
    const x = softmax(input("x", [3]))
    const { spec } = metrics.readMetric("categorical_crossentropy")
    const env = { rows: 3, inputs: { x: z3.flat(), y: oneHot.flat() } }
    const loss = losses.traceLoss(api.categoricalCrossentropy(), y, x)
    expect(evaluateNode(metrics.traceMetric(spec, y, x), env)).toEqual(evaluateNode(loss, env))
  })

  test.each([
    ["accuracy", "accuracy", "valAccuracy"],
    ["acc", "acc", "valAcc"],
    ["mse", "mse", "valMse"],
    ["mean_squared_error", "meanSquaredError", "valMeanSquaredError"],
    ["MeanAbsoluteError", "meanAbsoluteError", "valMeanAbsoluteError"],
    [api.binaryAccuracy(), "binaryAccuracy", "valBinaryAccuracy"],
  ])("%j is %s in the history", (given, name, validation) => {
    expect(metrics.readMetric(given).name).toBe(name)
    expect(metrics.validationName(name)).toBe(validation)
  })

  test.each([
    ["categoricalAccuracy", [], [3], "sparseCategoricalAccuracy"],
    ["sparseCategoricalAccuracy", [3], [3], "categoricalAccuracy"],
  ])("%s of the other sort of targets is refused", (name, yShape, xShape, hint) => {
    const trace = (): Node => metrics.traceMetric(metrics.readMetric(name).spec, input("y", yShape), input("x", xShape))
    expect(trace).toThrow(hint)
  })

  test("metrics have no gradient that could be followed by mistake", () => {
    const x = input("x", [3])
    const value = metrics.traceMetric(api.accuracy(), input("y", [3]), x)
    expect(gradients(mean(value), [x])[0]).toEqual(constant(0, x.shape))
  })
})
