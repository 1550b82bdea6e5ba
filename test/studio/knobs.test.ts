// Lesson 7: the sweep trains what it says, its sums are right, its words too, and its address comes back.
import { describe, expect, test, vi } from "vitest"

vi.hoisted(() => {
  const fakes = {
    location: { pathname: "/", search: "" },
    addEventListener: () => {},
    matchMedia: () => ({ matches: false }),
  }
  for (const [name, fake] of Object.entries(fakes))
    if (!(name in globalThis)) Object.assign(globalThis, { [name]: fake })
})
vi.mock("../../studio/src/engine/trilobite.ts", () => ({ engine: (options: object = {}) => options }))

import { dense, sequential, sgd } from "../../src/index.ts"
import {
  coarseFirst,
  DATA,
  EPOCHS,
  REST,
  type SweepEvent,
  type SweepMessage,
  type SweepParams,
  sweep,
} from "../../studio/src/engine/jobs/sweep.ts"
import { keys } from "../../studio/src/lessons/knobs.tsx"
import { endOf, resultText, snapped, summed, sweetSpot, valuesOf } from "../../studio/src/lessons/knobs-values.ts"
import { spirals } from "../../studio/src/lessons/spirals.ts"
import { stateOf, stateText } from "../../studio/src/ui/url.ts"

async function swept(params: SweepParams): Promise<SweepEvent[]> {
  const events: SweepEvent[] = []
  const context = { signal: new AbortController().signal, onMessage: () => {} }
  for await (const event of sweep(params, context)) events.push(event)
  return events
}

const run = (value: number, seed: number, end: number): SweepEvent => ({ value, seed, train: [end], valid: [end] })

describe("values", () => {
  test("are round, spread as their knob asks, and each is there once", () => {
    expect(valuesOf("eta", 0.001, 10, 9)).toEqual([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10])
    expect(valuesOf("batch", 1, 128, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 128])
    expect(valuesOf("depth", 0, 8, 9)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(valuesOf("width", 256, 1, 5)).toEqual([1, 4, 16, 64, 256])
    expect(valuesOf("eta", 0.1, 1, 5)).toEqual([0.1, 0.18, 0.32, 0.56, 1])
    expect(snapped("width", 11)).toBe(8)
  })

  test("are taken from both ends, then between", () => {
    expect(coarseFirst([1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual([1, 9, 5, 3, 7, 2, 4, 6, 8])
    for (let n = 1; n < 16; n++) {
      const all = Array.from({ length: n }, (_, i) => i)
      expect(coarseFirst(all).sort((a, b) => a - b)).toEqual(all)
    }
  })
})

describe("the sweep", () => {
  test("trains the networks that it names: the library alone gives the same costs", async () => {
    const events = await swept({ knob: "width", values: [2, 4], seeds: 2 })
    expect(events.map(({ value, seed }) => [value, seed])).toEqual([
      [2, 1],
      [4, 1],
      [2, 2],
      [4, 2],
    ])
    const [rows, valid] = [spirals(DATA.train, DATA.noise, 1), spirals(DATA.valid, DATA.noise, 2)]
    const model = sequential(
      [
        dense({ units: 4, activation: "tanh", inputShape: [2] }),
        dense({ units: 4, activation: "tanh" }),
        dense({ units: 1, activation: "sigmoid" }),
      ],
      { seed: 2 },
    )
    model.compile({ loss: "binaryCrossentropy", optimizer: sgd({ learningRate: REST.eta }) })
    const { history } = await model.fit(rows.x, rows.y, {
      epochs: EPOCHS,
      batchSize: REST.batch,
      validationData: [valid.x, valid.y],
      validationBatchSize: DATA.valid,
      verbose: 0,
    })
    expect(events[3]!.valid).toEqual([...history.valLoss!])
    expect(events[3]!.train).toEqual([...history.loss!])
  })

  test.each([
    ["eta", [0.01, 0.3, 10]],
    ["batch", [1, 8, 128]],
    ["depth", [0, 2, 8]],
    ["width", [1, 16, 256]],
  ] as const)("%s has its valley in the middle", async (knob, values) => {
    const all = summed(await swept({ knob, values, seeds: 2 }))
    expect(sweetSpot(all)).toBe(1)
    expect(all[0]!.mean).toBeGreaterThan(1.5 * all[1]!.mean)
    expect(all[2]!.mean).toBeGreaterThan(1.5 * all[1]!.mean)
  })

  test("waits while it is paused, and ends when it is stopped", async () => {
    const abort = new AbortController()
    let tell = (_: SweepMessage): void => {}
    const context = {
      signal: abort.signal,
      onMessage: (listener: (message: SweepMessage) => void) => {
        tell = listener
      },
    }
    const events = sweep({ knob: "depth", values: [0, 1, 2], seeds: 1 }, context)[Symbol.asyncIterator]()
    expect((await events.next()).value).toMatchObject({ value: 0 })
    tell({ paused: true })
    let arrived = false
    const second = events.next().then((result) => {
      arrived = true
      return result
    })
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(arrived).toBe(false)
    tell({ paused: false })
    expect((await second).value).toMatchObject({ value: 2 })
    tell({ paused: true })
    const third = events.next()
    abort.abort()
    expect((await third).done).toBe(true)
  })
})

describe("the summing up", () => {
  const runs = [run(0.1, 1, 0.3), run(0.1, 2, 0.5), run(1, 1, 0.9), run(0.01, 1, 0.6), run(1, 2, 1.1)]

  test("means and deviations over the seeds, by value", () => {
    const all = summed(runs)
    expect(all.map(({ value }) => value)).toEqual([0.01, 0.1, 1])
    expect(all[1]!.mean).toBeCloseTo(0.4, 12)
    expect(all[1]!.deviation).toBeCloseTo(0.1, 12)
    expect(all[0]!.deviation).toBe(0)
  })

  test("in words", () => {
    expect(resultText("eta", summed(runs))).toBe(
      "The sweet spot is a learning rate of 0.1: 0.4000, the neighbours 0.6000 and 1.000.",
    )
    expect(resultText("depth", summed([run(1, 1, 0.2), run(2, 1, 0.3), run(3, 1, 0.4)]))).toContain("end of the range")
    expect(resultText("eta", summed(runs.slice(0, 2)))).toContain("Three values")
  })

  test("what is not a number is worse than everything", () => {
    expect(endOf(run(1, 1, Number.NaN))).toBe(Number.POSITIVE_INFINITY)
    const all = summed([run(1, 1, 0.4), run(2, 1, Number.NaN), run(3, 1, 0.5)])
    expect(all[1]!.deviation).toBe(0)
    expect(sweetSpot(all)).toBe(0)
  })
})

test("the address comes back as it was", () => {
  const state = { knob: "width", from: 2, to: 64, n: 6, seeds: 5 } as const
  expect(stateOf(keys, stateText(keys, state))).toEqual(state)
  expect(stateText(keys, stateOf(keys, ""))).toBe("")
  expect(stateOf(keys, "knob=luck&n=2.5&seeds=99")).toEqual(stateOf(keys, ""))
})
