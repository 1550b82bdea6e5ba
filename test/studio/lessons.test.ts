// The first two lessons: their numbers are the library's, their addresses come back, the trilobite walks as it should.
import { describe, expect, test, vi } from "vitest"

vi.mock("../../studio/src/engine/trilobite.ts", () => ({ engine: (options: object = {}) => options }))

import { crossEntropyCost, quadraticCost } from "../../src/index.ts"
import { type RaceEvent, race } from "../../studio/src/engine/jobs/race.ts"
import { slice } from "../../studio/src/engine/jobs/slice.ts"
import type { Context } from "../../studio/src/engine/protocol.ts"
import { keys as costsKeys, table } from "../../studio/src/lessons/costs.tsx"
import { bottoms, descend, FROM, fromDrawing, grounds, TO, through, walk } from "../../studio/src/lessons/grounds.ts"
import { pushes, keys as saturatedKeys } from "../../studio/src/lessons/saturated.tsx"
import { keys as trilobiteKeys } from "../../studio/src/lessons/trilobite.tsx"
import { cost, count, duration, percent, rate, signed, slope } from "../../studio/src/ui/format.ts"
import { apart, linePath, linTicks } from "../../studio/src/ui/plot.ts"
import { type Keys, stateOf, stateText } from "../../studio/src/ui/url.ts"

const context: Context<never> = { signal: new AbortController().signal, onMessage: () => {} }

describe("costs", () => {
  test("the table is the chapter's", () => {
    const row = (y: number, yhat: number): string[] => [quadraticCost(y, yhat), crossEntropyCost(y, yhat)].map(cost)
    expect(table.map(([y, yhat]) => row(y, yhat))).toEqual([
      ["9.0 × 10⁻⁸", "0.0003"],
      ["0.0100", "0.1054"],
      ["0.1600", "0.5108"],
      ["0.7758", "2.127"],
      ["0.0142", "0.1269"],
    ])
  })
})

describe("saturated neurons", () => {
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))
  test.each([
    ["sigmoid", 0],
    ["sigmoid", 1],
    ["tanh", 0],
    ["tanh", 1],
  ] as const)("the pushes of %s, wanted %i, are the slopes of the library's costs", (act, y) => {
    const d = 1e-5
    for (const z of [-3, -0.5, 0.2, 2.5]) {
      const slope = (f: (z: number) => number): number => (f(z + d) - f(z - d)) / (2 * d)
      const [wanted, answer] = act === "sigmoid" ? [y, sigmoid] : [2 * y - 1, Math.tanh]
      const { quadratic, crossEntropy } = pushes(act, z, y)
      expect(quadratic).toBeCloseTo(
        slope((v) => quadraticCost(wanted, answer(v))),
        6,
      )
      const probability = act === "sigmoid" ? sigmoid : (v: number) => (1 + Math.tanh(v)) / 2
      expect(crossEntropy).toBeCloseTo(
        slope((v) => crossEntropyCost(y, probability(v))),
        5,
      )
    }
  })

  test("the race: cross-entropy passes one half in round 17, the quadratic cost in round 138", async () => {
    const rounds: RaceEvent[] = []
    const params = { z: 4.2, activation: "sigmoid", y: 0, learningRate: 0.15, rounds: 160 } as const
    for await (const event of race(params, context)) rounds.push(event)
    expect(rounds).toHaveLength(161)
    expect(rounds[0]!.quadratic).toBeCloseTo(sigmoid(4.2), 5)
    expect(rounds.find((e) => e.crossEntropy < 0.5)!.round).toBe(17)
    expect(rounds.find((e) => e.quadratic < 0.5)!.round).toBe(138)
  })
})

describe("the trilobite", () => {
  test.each(Object.entries(grounds))("the slope of %s is that of its cost", (_, ground) => {
    for (let p = FROM; p <= TO; p += 0.37) {
      const d = 1e-5
      expect(ground.slope(p)).toBeCloseTo((ground.cost(p + d) - ground.cost(p - d)) / (2 * d), 5)
    }
  })

  test("a drawn ground goes through its heights, and its slope is that of its cost", () => {
    const ground = fromDrawing([...Array(24).keys()].map((i) => (i * 97) % 256))
    expect(ground.cost(FROM)).toBeCloseTo(0.2, 6)
    for (let p = FROM + 0.2; p < TO - 0.2; p += 0.31) {
      const d = 1e-6
      expect(ground.slope(p)).toBeCloseTo((ground.cost(p + d) - ground.cost(p - d)) / (2 * d), 4)
    }
  })

  test("it walks to the lowest place with a good rate, creeps with a small one, leaps with a large one", () => {
    const [lowest, other] = bottoms(grounds.valleys) as [number, number]
    expect(lowest).toBeCloseTo(2.23, 1)
    expect(walk(grounds.valleys, -0.7, 0.6, 60).at(-1)).toBeCloseTo(lowest, 3)
    expect(walk(grounds.valleys, -2, 0.6, 60).at(-1)).toBeCloseTo(other, 3)
    expect(walk(grounds.valleys, -0.7, 0.01, 60).at(-1)).toBeLessThan(0)
    const leaping = walk(grounds.valleys, -0.7, 2.6, 40).slice(-8)
    expect(Math.max(...leaping) - Math.min(...leaping)).toBeGreaterThan(0.5)
    expect(descend(grounds.bowl, 2, 1)).toBeCloseTo(2 - 2 * 0.09 * 1.5, 10)
  })

  test("it stops where it leaves the page", () => {
    const path = walk(grounds.bowl, 4, 20, 50)
    expect(path.length).toBeLessThan(10)
    expect(path.slice(0, -1).every((p) => p >= FROM && p <= TO)).toBe(true)
  })

  test("the slice through a real net is the library's cost, and has a valley", async () => {
    const found: number[] = []
    for await (const { costs } of slice({ from: FROM, to: TO, points: 31, seed: 3 }, context)) found.push(...costs)
    expect(found).toHaveLength(31)
    expect(found.every((c) => Number.isFinite(c) && c > 0)).toBe(true)
    const ground = through(found)
    expect(bottoms(ground).length).toBeGreaterThan(0)
    expect(ground.cost(FROM)).toBeCloseTo(found[0]!, 6)
  })
})

describe("addresses", () => {
  const cases: readonly (readonly [string, Keys<never>, object])[] = [
    ["costs", costsKeys as never, { y: 0, yhat: 0.1192, cost: "quadratic" }],
    ["saturated", saturatedKeys as never, { z: -3.25, act: "tanh", y: 1, eta: 2 }],
    ["trilobite", trilobiteKeys as never, { f: "drawn", p: -2.5, eta: 0.03, n: 17, drawn: Array(24).fill(200) }],
  ]
  test.each(cases)("%s: the first state is no text, another one comes back", (_, keys, state) => {
    const first = stateOf<object>(keys, "")
    expect(stateText<object>(keys, first)).toBe("")
    expect(stateOf<object>(keys, stateText<object>(keys, state))).toEqual(state)
  })

  test("what cannot be is the first value", () => {
    expect(stateOf(trilobiteKeys, "f=hills&p=99&eta=&n=-1&drawn=%%%")).toEqual(stateOf(trilobiteKeys, ""))
  })
})

describe("numbers", () => {
  test("are written as the art direction says", () => {
    expect([0.4744, 0.0803, 9.0e-8, 0, 12.3456].map(cost)).toEqual(["0.4744", "0.0803", "9.0 × 10⁻⁸", "0", "12.35"])
    expect([Number.POSITIVE_INFINITY, Number.NaN].map(cost)).toEqual(["infinite", "not a number"])
    expect([percent(0.9759), percent(0.976, 1), count(55050)]).toEqual(["97.59 %", "97.6 %", "55,050"])
    expect([signed(0.42), signed(-0.7), rate(0.03)]).toEqual(["+0.42", "−0.70", "0.03"])
    expect([0.7, -0.004, -0.00001].map(slope)).toEqual(["0.70", "−0.0040", "−1.0 × 10⁻⁵"])
    expect([0.3, 18, 125].map(duration)).toEqual(["300 ms", "18 s", "2 min 05 s"])
  })

  test("ticks are round, labels are pushed apart, gaps stay gaps", () => {
    expect(linTicks(0, 1)).toEqual([0, 0.5, 1])
    const [a, b, c] = apart([10, 12, 80], 16) as [number, number, number]
    expect(b - a).toBeGreaterThanOrEqual(15.9)
    expect(c).toBe(80)
    expect(
      linePath([
        [0, 0],
        [1, Number.NaN],
        [2, 2],
        [3, 3],
      ]),
    ).toBe("M0.0 0.0M2.0 2.0L3.0 3.0")
  })
})
