// The coach's benchmark itself: cases are what they say, jitter is fair, changes are carried out, intervals are Wilson's.
import { describe, expect, it } from "vitest"
import { bases, cases, setupOf } from "../bench/coach/cases.ts"
import { saidBy } from "../bench/coach/coach.ts"
import { jittered, trialSeed } from "../bench/coach/jitter.ts"
import { edited, menuOf, search } from "../bench/coach/repair.ts"
import { shareOf } from "../bench/coach/report.ts"
import { materialOf } from "../bench/coach/sets.ts"
import { changed } from "../bench/coach/setup.ts"
import { train } from "../bench/coach/train.ts"
import type { Evidence } from "../src/coach/evidence.ts"

const named = (id: string) => cases.find((one) => one.id === id)!

describe("cases", () => {
  it("has the design's numbers of controls, faults, programs of others and toy nets, and held-out ones beside them", () => {
    const count = (kind: string, heldOut?: true) => cases.filter((c) => c.kind === kind && c.heldOut === heldOut).length
    expect(["control", "fault", "outside", "toy"].map((kind) => count(kind))).toEqual([24, 63, 16, 12])
    expect(count("control", true)).toBeGreaterThanOrEqual(8)
    expect(count("fault", true)).toBeGreaterThanOrEqual(30)
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length)
  })

  it("has no fault that is its base, and a cause for every fault alone", () => {
    for (const one of cases) {
      expect(one.cause === undefined, one.id).toBe(one.kind === "control")
      if (one.kind !== "control") expect(setupOf(one), one.id).not.toEqual(bases[one.base])
    }
  })

  it("keeps held-out cases to sets on which no other case stands", () => {
    const sets = (heldOut?: true) =>
      new Set(cases.filter((c) => c.heldOut === heldOut).map((c) => setupOf(c).sample.set))
    expect([...sets(true)].filter((set) => sets().has(set))).toEqual([])
  })
})

describe("jitter", () => {
  it("moves a case and its base alike, the same for the same seed", () => {
    const one = named("circles: rate 4")
    const [a, b] = [jittered(one, 77), jittered(one, 77)]
    expect(a).toEqual(b)
    expect(jittered(one, 78)).not.toEqual(a)
    expect(a.setup.learningRate / 4).toBeCloseTo(a.control.learningRate / 0.1, 10)
    expect({ ...a.setup, learningRate: 0 }).toEqual({ ...a.control, learningRate: 0 })
    expect(trialSeed(1, "a", 1)).not.toBe(trialSeed(1, "a", 2))
  })

  it("leaves a batch that is the fault", () => {
    for (const seed of [1, 2, 3, 4]) {
      const { setup } = jittered(named("circles: one batch"), seed)
      expect(setup.batchSize).toBe(setup.sample.rows)
      expect(jittered(named("friedman: batches of 1"), seed).setup.batchSize).toBe(1)
    }
  })
})

describe("rows", () => {
  const of = (alter: Parameters<typeof changed>[1]["alter"]) =>
    materialOf(changed(bases.circles!, { sample: { rows: 200, validation: 100 }, alter: alter! }))

  it("spoils training rows and leaves those that judge as they are", async () => {
    const [plain, empty, thin] = await Promise.all([
      of([]),
      of([{ do: "empty", rows: 3 }]),
      of([{ do: "thin", class: 1, share: 0.1 }]),
    ])
    expect([...empty.x.data].filter(Number.isNaN).length).toBeGreaterThanOrEqual(1)
    expect(empty.test).toEqual(plain.test)
    expect(thin.test).toEqual(plain.test)
    expect(thin.counts[0]).toBe(plain.counts[0])
    expect(thin.counts[1]).toBe(Math.round(plain.counts[1]! * 0.1))
  })

  it("writes classes as asked", async () => {
    const values = async (as: "signs" | "fromOne" | "proper") => new Set((await of([{ do: "code", as }])).y.data)
    expect(await values("signs")).toEqual(new Set([1, -1]))
    expect(await values("fromOne")).toEqual(new Set([1, 2]))
    expect(await values("proper")).toEqual(new Set([0, 1]))
  })

  it("undoes: standardised, rows with empty numbers dropped, divided again", async () => {
    const { x } = await of([{ do: "scale", by: 100 }, { do: "standardize" }])
    const mean = [...x.data].reduce((a, b) => a + b, 0) / x.data.length
    expect(Math.abs(mean)).toBeLessThan(1e-6)
    const whole = await of([{ do: "empty", rows: 3 }, { do: "drop" }])
    expect([...whole.x.data].every(Number.isFinite)).toBe(true)
    const again = await of([{ do: "shift", by: 3, of: "unseen" }, { do: "divideAgain" }])
    expect([...again.x.data].some((value) => value > 2)).toBe(true)
  }) // biome-ignore format: short calls
})

describe("repair", () => {
  it("carries out every change of every menu, and each makes another setup", () => {
    for (const one of cases) {
      const setup = setupOf(one)
      const menu = menuOf(setup, 3)
      expect(menu.length, one.id).toBeGreaterThan(8)
      for (const { edit } of menu) expect(edited(setup, edit), `${one.id}: ${edit.kind}`).not.toEqual(setup)
    }
  })

  it("searches at random without trying a change twice, within its budget", async () => {
    const setup = setupOf(named("flowers: rate 1e-4"))
    const [first, level] = [await train(setup), await train(setupOf(named("flowers")))]
    const found = await search(setup, first, [setupOf(named("flowers")), level], 5, 3 * first.steps)
    expect(found.tries.length).toBe(found.retrains)
    expect(found.steps).toBeGreaterThanOrEqual(3 * first.steps)
    expect(new Set(found.tries.map(({ edits }) => JSON.stringify(edits))).size).toBe(found.tries.length)
    expect(found.repaired).toBe(found.score >= level.score - 0.02)
  })
})

describe("trainings", () => {
  it("judges a healthy one well, a broken one badly, and keeps the code of what fit refuses", async () => {
    const healthy = await train(setupOf(named("blobs")))
    expect(healthy.score).toBeGreaterThan(0.9)
    expect((await train(setupOf(named("circles: zeros")))).score).toBeLessThan(0.6)
    expect(await train(setupOf(named("circles: -1 and 1")))).toMatchObject({ score: 0, error: "E_DATA", steps: 0 })
  })
})

describe("report", () => {
  it("has Wilson's intervals", () => {
    const { low, high } = shareOf(0, 60)
    expect(low).toBe(0)
    expect(high).toBeCloseTo(0.0602, 3)
    const half = shareOf(50, 100)
    expect(half.low).toBeCloseTo(0.4038, 3)
    expect(half.high).toBeCloseTo(0.5962, 3)
  })

  it("asks a doctor at every moment of a training and keeps when each cause was first named", () => {
    const evidence = { epochs: [{}, {}, {}], ended: "completed", training: { epochs: 3 } } as unknown as Evidence
    const seen: (string | undefined)[] = []
    const begin = () => (now: Evidence) => {
      seen.push(`${now.epochs.length}${now.ended ?? ""}`)
      return now.epochs.length >= 2 ? (["F08", "F09"] as const) : now.epochs.length === 1 ? (["F09"] as const) : []
    }
    expect(saidBy({ name: "test", begin }, evidence)).toEqual([
      { code: "F09", moment: 1 },
      { code: "F08", moment: 2 },
    ])
    expect(seen).toEqual(["0", "1", "2", "3", "3completed"])
  })
})
