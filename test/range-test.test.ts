// The learning rate range test: what it suggests, that it leaves the model as it was, where it stops, and its picture.
import { describe, expect, test } from "vitest"
import { circles } from "../src/datasets.ts"
import {
  adam,
  batchNormalization,
  dense,
  dropout,
  exponentialDecay,
  type Model,
  sequential,
  sgd,
} from "../src/index.ts"
import { decideByRange, learningRateRangeTest, rangeTestSvg } from "../src/tune.ts"
import { codeOf } from "./support/errors.ts"

const { x, y } = circles({ rows: 300, noise: 0.1, seed: 1 })

function build(optimizer: Parameters<Model["compile"]>[0]["optimizer"]): Model {
  const layers = [
    dense({ units: 16, activation: "relu", inputShape: [2] }),
    batchNormalization(),
    dropout({ rate: 0.1 }),
    dense({ units: 1, activation: "sigmoid" }),
  ]
  const model = sequential(layers, { seed: 2, threads: 1 })
  model.compile({ loss: "binaryCrossentropy", optimizer: optimizer! })
  return model
}

describe("the decision", () => {
  const cases: [string, number[], number[], boolean, number | null, RegExp][] = [
    [
      "a third of the rate of the least cost, down to a power of ten",
      [0.01, 0.1, 0.5, 1],
      [2, 1, 0.5, 9],
      true,
      0.1,
      /then rose, to 9 at 1/,
    ],
    [
      "a little more than a third is enough",
      [0.01, 0.31, 1],
      [2, 1, 9],
      true,
      0.1,
      /learningRate 0\.1: .*fell from 2 to 1 at rate 0\.31/,
    ],
    [
      "less than a third is not",
      [0.01, 0.29, 1],
      [2, 1, 9],
      true,
      0.01,
      /a power of ten below a third of that is a safe start\.$/,
    ],
    ["it falls to the end", [0.1, 1, 10], [2, 1, 0.5], false, 1, /at rate 10, where the test ended/],
    ["it rests at the end", [0.1, 1, 10], [2, 0.5, 0.6], false, 0.1, /and was 0\.6 at 10/],
    ["it never falls", [0.1, 1, 10], [2, 2.1, 1.99], false, null, /no rate from 0\.1 to 10 made the cost \(2\) fall/],
  ]
  test.each(cases)("%s", (_, rates, costs, blewUp, value, text) => {
    const decision = decideByRange(rates, costs, blewUp)
    expect(decision.value).toBe(value)
    expect(decision.text).toMatch(text)
    expect(decision.evidence.least.cost).toBe(Math.min(...costs))
  })
})

describe.each([
  ["sgd", sgd({ learningRate: 0.5 })],
  ["adam", adam({ learningRate: 0.5 })],
] as const)("%s", (_, optimizer) => {
  test("the model keeps every bit, whatever the threads", async () => {
    const model = build(optimizer)
    // In the middle of its life: the optimizer has moments, the history an epoch.
    await model.fit(x, y, { epochs: 1, verbose: 0 })
    const before = await model.toBytes()
    const history = structuredClone(model.history)
    const found = await learningRateRangeTest(model, x, y, { threads: 1 })
    expect(Buffer.from(await model.toBytes()).equals(before)).toBe(true)
    expect(model.history).toEqual(history)
    expect(await learningRateRangeTest(model, x, y, { threads: 3 })).toEqual(found)
    // What is trained now has the bits of a model that was never tested.
    await model.fit(x, y, { epochs: 1, verbose: 0 })
    const same = build(optimizer)
    for (let i = 0; i < 2; i++) await same.fit(x, y, { epochs: 1, verbose: 0 })
    expect(Buffer.from(await model.toBytes()).equals(await same.toBytes())).toBe(true)
  })

  test("the suggested rate learns, and better than a hundredth of it", async () => {
    const { suggestion, rates, costs, smooth, decision } = await learningRateRangeTest(build(optimizer), x, y)
    expect(suggestion).toBeDefined()
    expect(decision).toMatchObject({ knob: "learningRate", value: suggestion, evidence: { steps: rates.length } })
    expect([costs.length, smooth.length]).toEqual([rates.length, rates.length])
    rates.slice(1).forEach((rate, i) => {
      expect(rate / rates[i]!).toBeCloseTo(10 ** (1 / 12), 10)
    })
    const loss = async (rate: number): Promise<number> => {
      const model = build(optimizer.type === "sgd" ? sgd({ learningRate: rate }) : adam({ learningRate: rate }))
      const { history } = await model.fit(x, y, { epochs: 10, verbose: 0 })
      return history.loss!.at(-1)!
    }
    expect(await loss(suggestion!)).toBeLessThan(0.5 * (await loss(suggestion! / 100)))
  })
})

test("it stops when the running mean is four times its least, or the loss no number", async () => {
  const model = sequential([dense({ units: 1, inputShape: [1] })], { seed: 1, threads: 1 })
  model.compile({ loss: "mse", optimizer: "sgd" })
  const inputs = Array.from({ length: 64 }, (_, i) => [i / 16 - 2])
  const targets = inputs.map(([a]) => [3 * a! + 1])
  const { rates, smooth, decision } = await learningRateRangeTest(model, inputs, targets)
  expect(decision.evidence.blewUp).toBe(true)
  expect(rates.length).toBeLessThan(85)
  expect(smooth.at(-1)!).toBeGreaterThan(4 * Math.min(...smooth))
  expect(smooth.slice(0, -1).every((cost, i) => cost <= 4 * Math.min(...smooth.slice(0, i + 1)))).toBe(true)
  const wild = await learningRateRangeTest(model, inputs, targets, { from: 1e-3, to: 1e30, steps: 6 })
  expect(wild.decision.evidence.blewUp).toBe(true)
  expect(wild.costs.every(Number.isFinite)).toBe(true)
})

test("the picture has both lines, a logarithmic axis and the suggestion; without one no mark", async () => {
  const found = await learningRateRangeTest(build("adam"), x, y)
  const svg = rangeTestSvg(found)
  expect(svg).toMatch(/^<svg[\s\S]*Learning rate range test[\s\S]*running mean[\s\S]*<\/svg>$/)
  expect(svg).toContain(`suggested: ${found.suggestion}`)
  expect(svg.match(/<circle/g)).toHaveLength(2)
  expect(rangeTestSvg({ ...found, suggestion: undefined })).not.toContain("<circle")
})

test.each([
  [{ from: 0 }, /from: .*above 0/],
  [{ from: 1, to: 0.1 }, /rates that grow.*from below to/],
  [{ steps: 1 }, /rates that grow/],
  [{ step: 4 }, /Did you mean "steps"/],
] as const)("options %j are refused", async (options, message) => {
  const found = await codeOf(() => learningRateRangeTest(build("sgd"), x, y, options as object))
  expect([found.code, found.message]).toEqual(["E_CONFIG", expect.stringMatching(message)])
})

test("a schedule is refused, and a model that is not compiled", async () => {
  const rate = exponentialDecay({ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.9 })
  const scheduled = await codeOf(() => learningRateRangeTest(build(sgd({ learningRate: rate })), x, y))
  expect([scheduled.code, scheduled.message]).toEqual(["E_CONFIG", expect.stringMatching(/a schedule says what/)])
  const bare = sequential([dense({ units: 1, inputShape: [2] })])
  expect((await codeOf(() => learningRateRangeTest(bare, x, y))).message).toMatch(/not compiled/)
})
