// Every loss with its options: Keras's numbers and gradients, slopes by central differences, the same bits on every backend,
// finite for wild outputs; losses of the user's own.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { gradients } from "../src/autodiff/grad.ts"
import { compile } from "../src/compile/compile.ts"
import { mean } from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import { input, mul, sigmoid, softmax, sub } from "../src/graph/ops.ts"
import * as api from "../src/index.ts"
import { lossFromConfig } from "../src/nn/config.ts"
import { type KnownLoss, type Loss, losses, readLoss, traceLoss } from "../src/nn/losses.ts"
import { checkTargetValues } from "../src/nn/targets.ts"
import { lossToConfig } from "../src/nn/to-config.ts"
import { expectWords } from "./support/errors.ts"
import { evaluateNode, gradientError } from "./support/evaluate.ts"
import { difference, execute, MACHINES, reference } from "./support/execute.ts"
import { goldenKerasLosses } from "./support/golden.ts"

const golden = goldenKerasLosses().map((one, i) => ({
  ...one,
  name: `${i} ${one.loss} ${JSON.stringify(one.options)}`,
}))

function close(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found).toHaveLength(expected.length)
  for (let i = 0; i < found.length; i++) {
    const error = Math.abs(found[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!))
    expect(error, `${i}: ${found[i]} for ${expected[i]}`).toBeLessThan(5e-8) // constants are float32
  }
}

/** The loss and its slopes as a program, run everywhere: every bit is the same. */
async function sameBits(
  loss: Loss,
  y: Float32Array,
  yShape: number[],
  x: Float32Array,
  shape: number[],
): Promise<void> {
  const xNode = input("x", shape)
  const value = traceLoss(loss, input("y", yShape), xNode)
  const total = mean(value)
  const outputs = [
    { name: "each", value },
    { name: "slope", value: gradients(total, [xNode])[0]! },
  ]
  const rows = x.length / shape.reduce((a, b) => a * b, 1)
  const program = compile({ train: { updates: [], logs: [{ name: "total", value: total }], outputs } }, { rows })
  const setting = { rows, inputs: { x, y }, variables: {} }
  const expected = await execute(reference, program, setting)
  for (const machine of MACHINES) {
    expect(difference(expected, await execute(machine, program, setting)), machine.name).toBeUndefined()
  }
}

describe("Keras's numbers", () => {
  test.each(golden)("$name", async ({ loss: type, options, predictions, targets, rows, gradient }) => {
    const loss = readLoss({ type, ...options })
    const [, ...shape] = predictions.shape
    const [, ...yShape] = targets.shape
    const x = input("x", shape)
    const value = traceLoss(loss, input("y", yShape), x)
    expect(value.shape).toEqual([-1])
    const env = { rows: predictions.shape[0]!, inputs: { x: predictions.values, y: targets.values } }
    close(evaluateNode(value, env), rows.values)
    close(evaluateNode(gradients(mean(value), [x])[0]!, env), gradient.values)
    expect(gradientError(mean(value), [x], env)).toBeLessThan(1e-5)
    await sameBits(loss, Float32Array.from(targets.values), yShape, Float32Array.from(predictions.values), shape)
  })

  test("there are cases for every loss and every option", () => {
    for (const [type, { options }] of Object.entries(losses)) {
      const given = new Set(golden.filter(({ loss }) => loss === type).flatMap((one) => Object.keys(one.options)))
      expect([...given].sort(), type).toEqual(Object.keys(options).sort())
    }
  })
})

const all = Object.keys(losses) as KnownLoss["type"][]

test("the same bits for random shapes and numbers", async () => {
  const size = fc.integer({ min: 1, max: 9 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...all), fc.tuple(size, size, size), fc.nat(), async (type, [n, a, b], seed) => {
      const { targets } = losses[type]
      const shape = type === "dice" || type === "tversky" ? [a, b] : [b]
      const count = n * shape.reduce((x, y) => x * y, 1)
      const random = (i: number, salt: number): number => Math.abs(Math.sin(12.9898 * (i + 1) + seed + salt)) % 1
      const x = Float32Array.from({ length: count }, (_, i) => random(i, 1))
      const y = Float32Array.from({ length: targets === "labels" ? n : count }, (_, i) =>
        targets === "labels"
          ? Math.floor(random(i, 2) * b)
          : targets === "signs"
            ? Math.round(random(i, 2))
            : random(i, 2),
      )
      await sameBits(readLoss(type), y, targets === "labels" ? [] : shape, x, shape)
    }),
    { numRuns: 40 },
  )
})

describe("wild outputs", () => {
  const wild = [1e4, -1e4, 0, 1e4, -1e4, 50]
  const cases = all.flatMap((type) => {
    const behind: ((x: Node) => Node)[] =
      type.startsWith("binary") || type === "dice" || type === "tversky"
        ? [sigmoid]
        : type.includes("ategorical") && type !== "categoricalHinge"
          ? [softmax]
          : type === "klDivergence"
            ? [softmax]
            : type === "poisson" || type === "meanSquaredLogarithmicError"
              ? [sigmoid, softmax]
              : [(x) => x]
    const logits = "fromLogits" in losses[type].options ? [{ type, fromLogits: true }] : []
    const powers =
      "gamma" in losses[type].options
        ? [
            { type, gamma: 0.5 },
            { type, gamma: 0 },
          ]
        : []
    return [
      ...behind.flatMap((output) => [{ type }, ...powers].map((loss) => ({ loss, output }))),
      ...logits.map((loss) => ({ loss, output: (x: Node) => x })),
    ]
  })
  test.each(cases)("$loss.type is finite, and so are its slopes", async ({ loss: given, output }) => {
    const loss = readLoss(given)
    const x = input("x", [3])
    const labels = losses[given.type].targets === "labels"
    const value = traceLoss(loss, input("y", labels ? [] : [3]), output(x))
    const outputs = [
      { name: "each", value },
      { name: "slope", value: gradients(mean(value), [x])[0]! },
    ]
    const program = compile({ train: { updates: [], logs: [], outputs } }, { rows: 2 })
    const y = labels ? [1, 2] : [0, 1, 0, 1, 0, 0]
    const inputs = { x: Float32Array.from(wild), y: Float32Array.from(y) }
    const outcome = await execute(reference, program, { rows: 2, inputs, variables: {} })
    for (const name of ["each", "slope"]) expect([...outcome.get(name)!].every(Number.isFinite), name).toBe(true)
  })
})

describe("options and targets", () => {
  test("the mean over the places that count is torch's, whatever is ignored", () => {
    const loss = api.sparseCategoricalCrossentropy({ ignoreClass: 9 })
    const value = traceLoss(loss, input("y", []), input("x", [2]))
    const x = [0.5, 0.5, 0.25, 0.75, 0.9, 0.1]
    const found = evaluateNode(mean(value), { rows: 3, inputs: { x, y: [0, 9, 9] } })[0]!
    expect(Math.abs(found - Math.log(2))).toBeLessThan(1e-6)
    expect(evaluateNode(mean(value), { rows: 3, inputs: { x, y: [9, 9, 9] } })[0]).toBe(0)
  })

  test.each<[string, () => unknown, string]>([
    ["label smoothing beyond 1", () => api.binaryCrossentropy({ labelSmoothing: 1.5 }), "labelSmoothing"],
    ["a wrong class to ignore", () => api.sparseCategoricalCrossentropy({ ignoreClass: 0.5 }), "ignoreClass"],
    ["weights that are no numbers", () => api.categoricalFocalCrossentropy({ alpha: [Number.NaN] }), "alpha"],
    ["a reduction", () => readLoss({ type: "huber", reduction: "sum" }), "reduction"],
    ["no name", () => api.customLoss("", (_, x) => x), "customLoss"],
    ["no function", () => api.customLoss("own", 3 as never), "no function"],
    ["the axis of the batch", () => traceLoss(api.dice({ axis: 0 }), input("y", [2]), input("x", [2])), "dice.axis"],
    [
      "the axis of the batch",
      () => traceLoss(api.cosineSimilarity({ axis: 0 }), input("y", [2]), input("x", [2])),
      "batch",
    ],
    [
      "a list of weights of another length",
      () => traceLoss(api.categoricalFocalCrossentropy({ alpha: [1, 2] }), input("y", [3]), input("x", [3])),
      "one for each class",
    ],
  ])("%s is refused", (_, act, words) => {
    expectWords(act, "E_CONFIG", words)
  })

  test("targets are those of the loss", () => {
    const check = (loss: Loss, data: number[]): void => {
      checkTargetValues(loss, [-1, 3], api.tensor(data))
    }
    check(api.hinge(), [-1, 1, 1])
    check(api.squaredHinge(), [0, 1, 0])
    expectWords(() => check(api.hinge(), [2, 1, 1]), "E_DATA", "-1 and 1, or 0 and 1")
    check(api.sparseCategoricalCrossentropy({ ignoreClass: -1 }), [0, -1, 2])
    expectWords(() => check(api.sparseCategoricalCrossentropy({ ignoreClass: -1 }), [3]), "E_DATA", "0 to 2, or -1")
    expectWords(() => check(api.sparseCategoricalCrossentropy(), [-1]), "E_DATA", "0 to 2")
  })

  test.each([
    ["KLDivergence", "klDivergence"],
    ["kl_divergence", "klDivergence"],
    ["kld", "klDivergence"],
    ["MAPE", "meanAbsolutePercentageError"],
    ["msle", "meanSquaredLogarithmicError"],
    ["bce", "binaryCrossentropy"],
    ["BinaryFocalCrossentropy", "binaryFocalCrossentropy"],
  ])("%s is understood", (name, type) => {
    expect(readLoss(name)).toMatchObject({ type })
  })
})

describe("losses of the user's own", () => {
  const fourth = (yTrue: Node, yPred: Node): Node => {
    const error = sub(yPred, yTrue)
    return mul(mul(error, error), mul(error, error))
  }
  const env = { rows: 2, inputs: { x: [1, 2, 0, 3], y: [0, 0, 1, 1] } }
  const numbersOf = (loss: Loss): number[] => [...evaluateNode(traceLoss(loss, input("y", [2]), input("x", [2])), env)]

  test("are functions of graph values", () => {
    expect(readLoss(fourth)).toMatchObject({ type: "custom", name: "fourth", targets: "numbers" })
    expect(
      readLoss(
        (
          () =>
          (_: Node, x: Node): Node =>
            x
        )(),
      ).type,
    ).toBe("custom")
    expect(
      readLoss(
        (
          () =>
          (_: Node, x: Node): Node =>
            x
        )(),
      ),
    ).toMatchObject({ name: "loss" })
    expect(numbersOf(readLoss(fourth))).toEqual([8.5, 8.5])
    expect(numbersOf(api.customLoss("whole", (y, x) => mean(sub(x, y))))).toEqual([1, 1])
    expectWords(() => numbersOf(api.customLoss("bad", () => 3 as never)), "E_CONFIG", "one number per example")
  })

  test("train", async () => {
    const model = api.sequential([api.dense({ units: 1, inputShape: [1], kernelInitializer: "ones" })], { seed: 1 })
    model.compile({ loss: fourth, optimizer: api.sgd({ learningRate: 0.05 }) })
    const { history } = await model.fit([[1], [2]], [[2], [3]], { epochs: 30, verbose: 0 })
    expect(history.loss!.at(-1)!).toBeLessThan(history.loss![0]! / 10)
  })

  test("are in a file by name, and found there again", () => {
    const json: unknown = JSON.parse(JSON.stringify(lossToConfig(api.customLoss("fourth", fourth))))
    expect(json).toEqual({ type: "custom", name: "fourth", targets: "numbers" })
    expectWords(() => numbersOf(lossFromConfig(json)), "E_CONFIG", '"fourth" is not in the file', "customObjects")
    expect(numbersOf(lossFromConfig(json, { fourth }))).toEqual([8.5, 8.5])
    expect(numbersOf(lossFromConfig(json, { fourth: api.customLoss("x", fourth) }))).toEqual([8.5, 8.5])
    expectWords(() => lossFromConfig({ type: "custom" }), "E_MODEL", "no name")
  })
})
