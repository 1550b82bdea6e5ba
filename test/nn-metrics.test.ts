// Accumulated metrics: Keras's results from sums of uneven batches on every backend, the same bits everywhere; vector logs.
import { describe, expect, test } from "vitest"
import { compile } from "../src/compile/compile.ts"
import type { Node } from "../src/graph/node.ts"
import { input, mul, sub } from "../src/graph/ops.ts"
import * as api from "../src/index.ts"
import { metricFromConfig } from "../src/nn/config.ts"
import { type MetricSpec, metrics, readMetric, resultOf, traceMeasure } from "../src/nn/metrics.ts"
import { metricToConfig } from "../src/nn/to-config.ts"
import type { Program } from "../src/program/program.ts"
import { verify } from "../src/program/verify.ts"
import { Means } from "../src/train/means.ts"
import { expectWords } from "./support/errors.ts"
import { evaluateNode } from "./support/evaluate.ts"
import { dataOf, MACHINES, type Machine, reference } from "./support/execute.ts"
import { goldenKerasMetrics } from "./support/golden.ts"

const golden = goldenKerasMetrics().map((one, i) => ({
  ...one,
  name: `${i} ${one.metric} ${JSON.stringify(one.options)}${one.weights ? ", weights" : ""}`,
}))

const BATCH_SIZE = 5

/** The log of every round of an evaluation in batches. */
async function logsOf(machine: Machine, program: Program, rows: number, inputs: object): Promise<Float32Array> {
  const executable = await machine.load(program)
  try {
    const bound = executable.bind(dataOf(rows, inputs as { [name: string]: Float32Array }))
    const count = Math.ceil(rows / BATCH_SIZE)
    const ran = await executable.run({ entry: "evaluate", bound, batchSize: BATCH_SIZE, first: 0, count, runtime: {} })
    return Float32Array.from(ran.logs)
  } finally {
    executable.close()
  }
}

function close(found: unknown, expected: unknown): void {
  const flat = (x: unknown): number[] => (Array.isArray(x) ? x.flatMap(flat) : [x as number])
  expect(Array.isArray(found)).toBe(Array.isArray(expected))
  const [a, b] = [flat(found), flat(expected)]
  expect(a).toHaveLength(b.length)
  a.forEach((value, i) => {
    expect(Math.abs(value - b[i]!) / Math.max(1, Math.abs(b[i]!)), `${value} for ${b[i]}`).toBeLessThan(2e-6)
  })
}

describe("Keras's results", () => {
  test.each(golden)("$name", async ({ metric, options, predictions, targets, weights, result }) => {
    const { spec } = readMetric({ type: metric, ...options })
    const [rows, ...shape] = predictions.shape as [number, ...number[]]
    const [x, y] = [input("x", shape), input("y", shape)]
    const { value, kind, size } = traceMeasure(spec, y, x, weights === null ? undefined : input("w", []))
    expect(kind).toBe("sums")
    const logs = [
      { name: "before", value: traceMeasure(api.meanSquaredError(), y, x).value },
      { name: "sums", value },
      { name: "after", value: traceMeasure(api.meanAbsoluteError(), y, x).value },
    ]
    const program = compile({ evaluate: { updates: [], logs, outputs: [] } }, { rows: BATCH_SIZE })
    expect(verify(program)).toEqual([])
    const names = program.entries.evaluate!.logs
    expect([names[0], names[1], names[size + 1], names.length]).toEqual(["before", "sums[0]", "after", size + 2])
    const inputs = {
      x: Float32Array.from(predictions.values),
      y: Float32Array.from(targets.values),
      ...(weights === null ? {} : { w: Float32Array.from(weights) }),
    }
    const expected = await logsOf(reference, program, rows, inputs)
    for (const machine of MACHINES) {
      expect(await logsOf(machine, program, rows, inputs), machine.name).toEqual(expected)
    }
    const means = new Means([
      { name: "before", kind: "mean" },
      { name: "own", kind: "sums", size, result: (sums) => resultOf(spec, sums) },
      { name: "after", kind: "mean" },
    ])
    const half = 2 * (size + 2)
    means.take({ rounds: 2, logs: expected.subarray(0, half) }, 0, BATCH_SIZE, rows)
    means.take(
      { rounds: expected.length / (size + 2) - 2, logs: expected.subarray(half) },
      2 * BATCH_SIZE,
      BATCH_SIZE,
      rows,
    )
    close({ ...means.logs(), ...means.tables() }.own, result)
    const differences = predictions.values.map((p, i) => Math.abs(p - targets.values[i]!))
    close(means.logs().after, differences.reduce((a, b) => a + b, 0) / differences.length)
  })

  test("there is a case for every accumulated metric", () => {
    const sums = Object.entries(metrics).filter(([, rule]) => "sums" in rule)
    expect(new Set(golden.map(({ metric }) => metric))).toEqual(new Set(sums.map(([name]) => name)))
  })
})

describe("metrics", () => {
  const result = (spec: MetricSpec, y: number[], yShape: number[], x: number[], shape: number[]): unknown => {
    const { value } = traceMeasure(spec, input("y", yShape), input("x", shape))
    const rows = x.length / shape.reduce((a, b) => a * b, 1)
    return resultOf(spec, Float64Array.from(evaluateNode(value, { rows, inputs: { x, y } })))
  }
  const scores = [0.1, 0.7, 0.2, 0.5, 0.4, 0.1, 0.2, 0.3, 0.5]

  test("labels do as well as one-hot targets", () => {
    const hot = [0, 1, 0, 0, 1, 0, 0, 0, 1]
    for (const spec of [api.confusionMatrix(), api.f1Score(), api.precision(), api.perClassAccuracy()]) {
      expect(result(spec, [1, 1, 2], [], scores, [3])).toEqual(result(spec, hot, [3], scores, [3]))
    }
    expect(result(api.confusionMatrix(), [1, 1, 2], [], scores, [3])).toEqual([
      [0, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
    ])
    expect(result(api.perClassAccuracy(), [1, 1, 2], [], scores, [3])).toEqual([Number.NaN, 0.5, 1])
    expectWords(() => result(api.f1Score(), [1, 1], [2], scores, [3]), "E_CONFIG", "BetaScore", "cannot be compared")
    expectWords(() => result(api.recall({ classId: 3 }), [1, 1, 2], [], scores, [3]), "E_CONFIG", "classId", "0 to 2")
  })

  test("top k", () => {
    const each = (spec: MetricSpec, y: number[], yShape: number[]): number => {
      const { value, kind } = traceMeasure(spec, input("y", yShape), input("x", [3]))
      expect(kind).toBe("mean")
      return evaluateNode(value, { rows: 3, inputs: { x: scores, y } })[0]!
    }
    expect(each(api.sparseTopKCategoricalAccuracy({ k: 2 }), [0, 1, 1], [])).toBe(2 / 3)
    expect(each(api.topKCategoricalAccuracy({ k: 2 }), [1, 0, 0, 0, 1, 0, 0, 1, 0], [3])).toBe(2 / 3)
    expect(each(api.sparseTopKCategoricalAccuracy(), [0, 1, 1], [])).toBe(1)
    expect(each(readMetric("cosineSimilarity").spec, scores, [3])).toBeCloseTo(1, 6)
  })

  test("weights count in means", () => {
    const spec = api.meanAbsoluteError()
    const { value, kind, size } = traceMeasure(spec, input("y", []), input("x", []), input("w", []))
    expect([kind, size]).toEqual(["sums", 2])
    const sums = evaluateNode(value, { rows: 3, inputs: { x: [1, 2, 5], y: [0, 0, 0], w: [1, 0, 3] } })
    expect(resultOf(spec, Float64Array.from(sums))).toBe(4)
  })

  test("of the user's own are in a file by name", () => {
    const bias = (yTrue: Node, yPred: Node): Node => mul(sub(yPred, yTrue), 2)
    const metric = readMetric(bias)
    expect(metric.name).toBe("bias")
    const json: unknown = JSON.parse(JSON.stringify(metricToConfig(metric)))
    expect(json).toEqual({ name: "bias", spec: { type: "custom", name: "bias" } })
    const trace = (spec: MetricSpec): Node => traceMeasure(spec, input("y", []), input("x", [])).value
    const env = { rows: 2, inputs: { x: [1, 2], y: [0, 0] } }
    expect(evaluateNode(trace(metricFromConfig(json, { bias }).spec), env)[0]).toBe(3)
    expectWords(() => trace(metricFromConfig(json).spec), "E_CONFIG", '"bias" is not in the file', "customObjects")
  })

  test("means know nothing before the first round", () => {
    const means = new Means([
      { name: "loss", kind: "mean" },
      { name: "own", kind: "sums", size: 2, result: (sums) => [...sums] },
    ])
    expect(means.logs()).toEqual({ loss: Number.NaN, own: Number.NaN })
    expect(means.tables()).toEqual({})
  })
})
