// The chapter's rules of thumb as decisions: tables of what is seen and what is decided, the chapter's own runs among it.
import { describe, expect, test } from "vitest"
import {
  type BatchSeen,
  decideBatchSize,
  decideEpochs,
  type Ladder,
  type Seen,
  type Setting,
  standOn,
} from "../src/coach/procedures.ts"
import { dense, sequential } from "../src/index.ts"
import { chapterLadder, chooseBatchSize, firstLearningRate, paceOf } from "../src/tune.ts"
import traces from "./fixtures/book-traces.json" with { type: "json" }

const trace = ({ columns, rows }: { columns: string[]; rows: number[][] }, name: string): number[] =>
  rows.map((row) => row[columns.indexOf(name)]!)

describe("pace", () => {
  const slowly = Array.from({ length: 10 }, (_, i) => 1 - i / 20)
  test.each([
    ["too short to tell", [1, 0.5, 0.4], undefined],
    ["a cost that is no number", [1, Number.NaN], "unable"],
    ["no epoch better than the first", [0.693, 0.694, 0.693, 0.695, 0.6925], "unable"],
    ["rising from the first on", [1, 2, 3, 4], "unable"],
    ["down by a twentieth each epoch", slowly, "slow"],
    ["fast, then flat", [1, 0.4, 0.2, 0.15, 0.149, 0.1495, 0.149, 0.1489], "rests"],
    ["flat with a little noise", [1, 0.4, 0.2, 0.202, 0.199, 0.201, 0.2, 0.199], "rests"],
    ["up and down by halves", [1, 0.4, 0.8, 0.35, 0.9, 0.3, 0.7], "erratic"],
    ["once up is not erratic", [1, 0.4, 0.6, 0.3], "slow"],
    ["up and down, but the end is the best", [1, 0.8, 0.85, 0.6, 0.65, 0.4], "slow"],
  ] as const)("%s", (_, costs, pace) => {
    expect(paceOf(costs)).toBe(pace)
  })

  test("the chapter's two healthy runs: the shallow net is slow for 100 epochs, neither is erratic or unable", () => {
    const [shallow, own] = [trace(traces.shallowNet, "valLoss"), trace(traces.intermediateNet, "valLoss")]
    for (const epochs of [4, 10, 20, 50, 100]) expect(paceOf(shallow.slice(0, epochs))).toBe("slow")
    for (let epochs = 4; epochs <= own.length; epochs++) expect(paceOf(own.slice(0, epochs))).toMatch(/slow|rests/)
  })
})

/** Climbs until a decision: the values in the order in which they were tried, and what was decided. */
function climbed(ladder: Ladder, of: (value: number) => Partial<Seen> & { readonly cost: number }) {
  const tried: Setting[] = []
  const seen = new Map<Setting, Seen>()
  for (;;) {
    const standing = standOn(ladder, (value) => seen.get(value))
    if (standing.next === undefined) return { tried, at: standing.at, decision: standing.decision! }
    expect(tried).not.toContain(standing.next)
    tried.push(standing.next)
    seen.set(standing.next, { error: 0, pruned: false, costs: [], ...of(standing.next as number) })
  }
}

describe("learning rate", () => {
  const ladder = (start: number): Ladder<number> => chapterLadder("learningRate", start)
  const slow = (cost: number) => ({ cost, costs: [2, 1.6, 1.2, cost] })
  const rests = (cost: number) => ({ cost, costs: [2, cost, cost, cost, cost] })
  const erratic = (cost: number) => ({ cost, costs: [9, cost, 4, cost, 5] })
  const stuck = { cost: 2.3, costs: [2.3, 2.3, 2.3, 2.3] }
  const diverged = { cost: Number.POSITIVE_INFINITY, costs: [] }

  test("it begins with 0.01, or 0.001 where every weight has steps of its own", () => {
    expect(["sgd", "SGD", "adam", "rmsprop"].map(firstLearningRate)).toEqual([0.01, 0.01, 0.001, 0.001])
  })

  const cases: [string, number, (rate: number) => ReturnType<typeof slow>, number[], number][] = [
    [
      "learns but slowly: ten times, and again, until it is erratic; nothing lower is tried",
      0.001,
      (rate) => (rate < 0.1 ? slow(0.9 - 20 * rate) : rate === 0.1 ? rests(0.2) : erratic(1)),
      [0.001, 0.01, 0.1, 1],
      0.1,
    ],
    ["slow, and no better with ten times: stays", 0.01, (r) => (r > 0.01 ? diverged : slow(0.5)), [0.01, 0.1], 0.01],
    ["erratic: back off, nothing higher", 0.1, (r) => (r === 0.1 ? erratic(1) : slow(0.5)), [0.1, 0.01], 0.01],
    ["erratic, but worse below: stays", 0.1, (r) => (r === 0.1 ? erratic(1) : slow(1.1)), [0.1, 0.01], 0.1],
    [
      "cannot learn: a tenth, a hundredth, until it does",
      1,
      (rate) => (rate > 0.01 ? diverged : rate === 0.01 ? stuck : slow(0.9)),
      [1, 0.1, 0.01, 0.001],
      0.001,
    ],
    ["at rest: both neighbours", 0.01, (r) => rests(r === 0.01 ? 0.5 : 0.6), [0.01, 0.1, 0.001], 0.01],
    ["within the noise: stays", 0.01, (r) => rests(r === 0.01 ? 0.5 : 0.496), [0.01, 0.1, 0.001], 0.01],
    ["nothing learns: the one that costs least", 0.001, (r) => ({ ...stuck, cost: 2 + r }), [0.001, 1e-4, 1e-5], 1e-5],
  ]
  test.each(cases)("%s", (_, start, of, tried, at) => {
    const found = climbed(ladder(start), of)
    expect([found.tried, found.at]).toEqual([tried, at])
    expect(found.decision.value).toBe(at)
    expect(found.decision.evidence.map(({ value }) => value)).toEqual([...tried].sort((a, b) => a - b))
  })

  test("the decision says in one sentence what it rests on", () => {
    const { decision } = climbed(ladder(0.1), (rate) => (rate === 0.1 ? erratic(1) : rate === 1 ? diverged : slow(0.5)))
    expect(decision.text).toBe(
      "learningRate 0.01: no neighbour is better by more than the noise (0.01: 0.5 (still falling), 0.1: 1 (erratic)).",
    )
  })
})

describe("neurons and layers: Occam's razor", () => {
  const units = chapterLadder("units", 64)
  const cost =
    (costs: { readonly [units: number]: number }, error = 0) =>
    (n: number) => ({ cost: costs[n] ?? 9, error })
  const cases: [string, Parameters<typeof climbed>[1], number][] = [
    [
      "half as many do as well: taken, and halved again until it is worse",
      cost({ 128: 0.5, 64: 0.5, 32: 0.5, 16: 0.6 }),
      32,
    ],
    ["twice as many are better by more than the noise: taken", cost({ 256: 0.3, 128: 0.3, 64: 0.5, 32: 0.6 }), 128],
    ["better, but by no more than the noise: not taken", cost({ 128: 0.497, 64: 0.5, 32: 0.6 }), 64],
    ["better, but by no more than several seeds differ: not taken", cost({ 128: 0.4, 64: 0.5, 32: 0.8 }, 0.1), 64],
    ["worse by no more than several seeds differ: the smaller wins", cost({ 128: 0.5, 64: 0.5, 32: 0.6 }, 0.1), 32],
    ["a smaller one that was ended early has not done as well", (n) => ({ cost: 0.5, pruned: n === 32 }), 64],
  ]
  test.each(cases)("%s", (_, of, at) => {
    expect(climbed(units, of).at).toBe(at)
  })

  test("ladders begin at the nearest rung by ratio", () => {
    const rows: [Parameters<typeof chapterLadder>[0], number, number][] = [
      ["units", 1000, 512],
      ["units", 1, 8],
      ["units", 91, 128],
      ["depth", 9, 4],
      ["batchSize", 1024, 128],
      ["batchSize", 32, 32],
      ["learningRate", 0.004, 0.01],
      ["learningRate", 3e-3, 1e-3],
    ]
    for (const [knob, wanted, start] of rows) expect([knob, chapterLadder(knob, wanted).start]).toEqual([knob, start])
  })

  test("what is maximised is told with its own sign", () => {
    const ladder = { knob: "a", values: [1, 2], start: 1 }
    const standing = standOn(ladder, (a) => ({ cost: -(a as number), error: 0, pruned: false, costs: [] }), "maximize")
    expect(standing.next === undefined && standing.decision?.evidence).toEqual([
      { value: 1, cost: 1, pruned: false },
      { value: 2, cost: 2, pruned: false },
    ])
  })
})

describe("epochs: the three cases", () => {
  const falling = (n: number): number[] => Array.from({ length: n }, (_, i) => 1 / (i + 1))
  const flat = (n: number, at: number): number[] => Array.from({ length: n }, () => at)
  const cases: [
    string,
    number[],
    number,
    { case: string; value: number; ends: boolean; bestEpoch: number } | undefined,
  ][] = [
    ["nothing before the first epoch", [], 16, undefined],
    ["nothing while it falls", falling(15), 16, undefined],
    [
      "still falling at the end: twice as long",
      falling(16),
      16,
      { case: "falls", value: 32, ends: false, bestEpoch: 16 },
    ],
    ["and again", falling(32), 32, { case: "falls", value: 64, ends: false, bestEpoch: 32 }],
    [
      "fast, then flat: done",
      [...falling(8), ...flat(8, 0.125)],
      16,
      { case: "rests", value: 16, ends: true, bestEpoch: 8 },
    ],
    [
      "falls by less than the noise: done",
      Array.from({ length: 16 }, (_, i) => 1 - i / 2000),
      16,
      { case: "rests", value: 16, ends: true, bestEpoch: 16 },
    ],
    [
      "nothing left to gain: done",
      Array.from({ length: 16 }, (_, i) => 10 ** -i),
      16,
      { case: "rests", value: 16, ends: true, bestEpoch: 16 },
    ],
    [
      "classes that can be told apart: the cost halves for ever, and little of the first is left",
      falling(256),
      256,
      { case: "rests", value: 256, ends: true, bestEpoch: 256 },
    ],
    [
      "the second half took 1.1 % of the first cost off: twice as long",
      [1, ...flat(11, 0.02), ...flat(4, 0.009)],
      16,
      { case: "falls", value: 32, ends: false, bestEpoch: 13 },
    ],
    [
      "0.9 % of it, though that is half of what was left: done",
      [1, ...flat(11, 0.02), ...flat(4, 0.011)],
      16,
      { case: "rests", value: 16, ends: true, bestEpoch: 13 },
    ],
    [
      "what was first is the first number",
      [Number.NaN, 1, ...flat(10, 0.02), ...flat(4, 0.009)],
      16,
      { case: "falls", value: 32, ends: false, bestEpoch: 13 },
    ],
    ["ten epochs above the best, but within the noise: goes on", [...falling(5), ...flat(10, 0.203)], 32, undefined],
    ["nine epochs up: waits", [...falling(5), ...flat(9, 0.3)], 32, undefined],
    [
      "ten epochs up: overfits",
      [...falling(5), ...flat(10, 0.3)],
      32,
      { case: "creepsUp", value: 15, ends: true, bestEpoch: 5 },
    ],
    ["ten epochs of sixty are little: waits", [...falling(50), ...flat(10, 0.3)], 64, undefined],
    [
      "up at the end of the plan: done, and said so",
      [...falling(12), 0.2, 0.21, 0.22, 0.23],
      16,
      { case: "creepsUp", value: 16, ends: true, bestEpoch: 12 },
    ],
    [
      "a little up at the end, of next to nothing: no overfitting",
      [1, 0.1, ...flat(11, 0.01), 0.005, 0.006, 0.006],
      16,
      { case: "rests", value: 16, ends: true, bestEpoch: 14 },
    ],
    [
      "one that is not finite is no best",
      [...falling(15), Number.NaN],
      16,
      { case: "falls", value: 32, ends: false, bestEpoch: 15 },
    ],
    [
      "not beyond the most there are",
      Array.from({ length: 10_000 }, (_, i) => 1 - i / 20_000),
      10_000,
      { case: "falls", value: 10_000, ends: true, bestEpoch: 10_000 },
    ],
  ]
  test.each(cases)("%s", (_, costs, planned, wanted) => {
    const found = decideEpochs(costs, planned)
    const { evidence, value, ends } = found ?? {}
    expect(found && { case: evidence!.case, value, ends, bestEpoch: evidence!.bestEpoch }).toEqual(wanted)
    if (found !== undefined) expect(found.text).toMatch(/^Epochs \d+.*[^.]\.$/)
  })

  /** Where a run whose costs are known ends, and the decisions on the way. */
  function ended(costs: readonly number[]): { epochs: number; cases: string[] } {
    const cases: string[] = []
    let planned = 16
    for (let epochs = 1; epochs <= costs.length; epochs++) {
      const found = decideEpochs(costs.slice(0, epochs), planned)
      if (found === undefined) continue
      cases.push(found.evidence.case)
      if (found.ends) return { epochs, cases }
      planned = found.value
    }
    return { epochs: costs.length, cases }
  }

  test("a cost that falls as one over the epochs ends within a few hundred of them", () => {
    expect(ended(falling(10_000))).toEqual({ epochs: 128, cases: ["falls", "falls", "falls", "rests"] })
  })

  test("the chapter's runs: the shallow net goes on beyond its 200 epochs, the intermediate net past its first 16", () => {
    expect(ended(trace(traces.shallowNet, "valLoss"))).toEqual({
      epochs: 200,
      cases: ["falls", "falls", "falls", "falls"],
    })
    expect(ended(trace(traces.intermediateNet, "valLoss")).cases).toEqual(["falls"])
  })
})

describe("batch size", () => {
  const limits = { rows: 10_000, memory: 1000, from: 32, most: 128 }
  /** Looks until it is decided. */
  function chosen(of: (batchSize: number) => Omit<BatchSeen, "batchSize">, more: Partial<typeof limits> = {}) {
    const seen: BatchSeen[] = []
    for (;;) {
      const { next, decision } = decideBatchSize(seen, { ...limits, ...more })
      if (decision !== undefined) return { tried: seen.map(({ batchSize }) => batchSize), decision }
      seen.push({ batchSize: next, ...of(next) })
    }
  }
  const cases: [string, Parameters<typeof chosen>[0], Partial<typeof limits>, number[], number | null, string][] = [
    ["fits: 32", (n) => ({ bytes: n }), {}, [32], 32, "batchSize 32: it takes 32 B of 1000 B."],
    ["fewer rows", (n) => ({ bytes: n }), { rows: 20 }, [20], 20, "batchSize 20: it takes 20 B of 1000 B."],
    [
      "does not fit: halved until it does",
      (n) => ({ bytes: 100 * n, secondsPerRow: 1 }),
      {},
      [32, 16, 8],
      8,
      "batchSize 8: it takes 800 B of 1000 B, and 16 does not fit.",
    ],
    [
      "not even one row fits",
      () => ({ bytes: 3_221_225_472 }),
      { memory: 1_073_741_824 },
      [32, 16, 8, 4, 2, 1],
      null,
      "batchSize 1 does not fit either: it takes 3 GiB, and there are 1 GiB.",
    ],
    [
      "larger ones are faster: doubled, but not beyond 128",
      (n) => ({ bytes: n, secondsPerRow: 32 / n }),
      {},
      [32, 64, 128],
      128,
      "batchSize 128: it takes 128 B of 1000 B, 64 trains in 50 % of the time of 32, 128 trains in 50 % of the time of 64.",
    ],
    [
      "beyond 128 if that is asked for",
      (n) => ({ bytes: n, secondsPerRow: 32 / n }),
      { most: 512 },
      [32, 64, 128, 256, 512],
      512,
      "batchSize 512: ",
    ],
    [
      "hardly faster: stays",
      (n) => ({ bytes: n, secondsPerRow: n === 32 ? 1 : 0.9 }),
      {},
      [32, 64],
      32,
      "batchSize 32: it takes 32 B of 1000 B, 64 trains in 90 % of the time of 32.",
    ],
    [
      "faster, until it does not fit",
      (n) => ({ bytes: 10 * n, ...(n < 128 ? { secondsPerRow: 1 / n } : {}) }),
      {},
      [32, 64, 128],
      64,
      "batchSize 64: it takes 640 B of 1000 B, 64 trains in 50 % of the time of 32, 128 does not fit.",
    ],
    [
      "no more than there are rows",
      (n) => ({ bytes: n, secondsPerRow: 1 / n }),
      { rows: 100 },
      [32, 64],
      64,
      "batchSize 64: ",
    ],
  ]
  test.each(cases)("%s", (_, of, more, tried, value, text) => {
    const found = chosen(of, more)
    expect([found.tried, found.decision.value]).toEqual([tried, value])
    expect(found.decision.text).toContain(text)
    expect(found.decision.evidence.seen.map(({ batchSize }) => batchSize)).toEqual(tried)
  })

  test("the memory is that of the compiled program", async () => {
    const model = sequential([dense({ units: 500, activation: "relu", inputShape: [100] }), dense({ units: 1 })])
    model.compile({ loss: "mse", optimizer: "adam" })
    const { bytes } = await model.inspect({ batchSize: 8 })
    // Weights and the two moments of Adam, at least, and the values of 8 rows.
    expect(bytes).toBeGreaterThan(4 * (3 * model.countParams() + 8 * 500))
    const decision = await chooseBatchSize(model, { memory: bytes })
    expect(decision.value).toBe(8)
    expect(decision.evidence.seen.at(-1)).toEqual({ batchSize: 8, bytes })
    const asked: number[] = []
    const timed = await chooseBatchSize(model, {
      rows: 1000,
      secondsPerRow: (n) => {
        asked.push(n)
        return 1 / n
      },
    })
    expect([asked, timed.value]).toEqual([[32, 64, 128], 128])
    await expect(chooseBatchSize(model, { memory: 0.5 })).rejects.toThrow(/chooseBatchSize\.memory: .*at least 1/)
    await expect(chooseBatchSize(model, { memori: 5 } as object)).rejects.toThrow(/Did you mean "memory"/)
  })
})
