// The last decision of a search: which trials are compared with further seeds, and which of them wins.
import { expect, test } from "vitest"
import { decideLast, finalists } from "../cli/last-decision.ts"
import type { Trial } from "../src/tune.ts"

const trial = (number: number, value: number | undefined, units: number, state: Trial["state"] = "complete"): Trial => {
  return { number, state, values: { units }, value, reports: [], notes: {} }
}

test("compared are the best trial and at most two that are no more than half as costly again, each configuration once", () => {
  const trials = [
    trial(0, 0.5, 8),
    trial(1, 0.2, 16),
    trial(2, 0.25, 32),
    trial(3, 0.201, 16),
    trial(4, 0.1, 64, "pruned"),
    trial(5, undefined, 4, "failed"),
    trial(6, 0.29, 128),
    trial(7, 0.26, 256),
    trial(8, 0.31, 512),
  ]
  expect(finalists(trials).map(({ number }) => number)).toEqual([1, 2, 7])
  expect(finalists([])).toEqual([])
  expect(finalists([trial(0, -2, 8), trial(1, -1.1, 16), trial(2, -0.9, 32)]).map(({ number }) => number)).toEqual([
    0, 1,
  ])
})

const small = trial(3, 0.2, 16)
const large = trial(5, 0.19, 64)
const cases: [string, [number, number], [number, number], number, string][] = [
  [
    "the larger is better by no more than the noise: the smaller wins",
    [0.22, 0.24],
    [0.21, 0.23],
    3,
    "trial 3: the smallest that none beats by more than the noise (3: 0.22 ± 0.012, 5: 0.21 ± 0.012).",
  ],
  [
    "the larger is better by more than the noise: it wins",
    [0.21, 0.2],
    [0.15, 0.16],
    5,
    "trial 5: the smallest that none beats by more than the noise (3: 0.203 ± 0.0033, 5: 0.167 ± 0.012).",
  ],
  ["what was luck with one seed shows with three", [0.2, 0.2], [0.4, 0.5], 3, "trial 3: "],
  ["one that diverges with another seed does not win", [0.2, 0.2], [0.1, Number.POSITIVE_INFINITY], 3, "5: diverged"],
]
test.each(cases)("%s", async (_, three, five, winner, text) => {
  const asked: [number, number][] = []
  const decided = await decideLast([large, small], 3, async ({ number }, seed) => {
    asked.push([number, seed])
    return { cost: (number === 3 ? three : five)[seed - 1]!, parameters: number }
  })
  expect(asked).toEqual([
    [5, 1],
    [5, 2],
    [3, 1],
    [3, 2],
  ])
  expect(decided!.trial.number).toBe(winner)
  expect(decided!.decision.text).toContain(text)
  expect(decided!.decision.evidence.map(({ value }) => value)).toEqual([3, 5])
})

test("nothing to choose from, one seed, an interruption: no decision", async () => {
  const never = async (): Promise<undefined> => undefined
  expect(await decideLast([small], 3, never)).toBeUndefined()
  expect(await decideLast([small, large], 1, never)).toBeUndefined()
  expect(await decideLast([small, large], 3, never)).toBeUndefined()
})
