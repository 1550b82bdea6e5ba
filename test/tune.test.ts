// The search: spaces, samplers, pruning, importance, and a study's life: budgets, seeds, failures, files, resuming.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { circles } from "../src/datasets.ts"
import { type Callback, dense, sequential, sgd, TrilobiteError } from "../src/index.ts"
import { drawsOf } from "../src/tune/draws.ts"
import { exp64, normalBelow } from "../src/tune/normal.ts"
import {
  choice,
  climb,
  climbing,
  gridSearch,
  hyperband,
  importance,
  logUniform,
  type Sampler,
  type Space,
  successiveHalving,
  type Trial,
  tpe,
  tune,
  uniform,
  whole,
} from "../src/tune.ts"
import { codeOf } from "./support/errors.ts"

const folder = mkdtempSync(join(tmpdir(), "trilobite-tune-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = (): string => join(folder, `study-${files++}.jsonl`)

describe("numbers", () => {
  test("exp64 is the exponential function, to its last places", () => {
    for (let x = -745; x < 709.5; x += 0.37) {
      const is = exp64(x)
      expect(Math.abs(is - Math.exp(x))).toBeLessThanOrEqual(Math.exp(x) * 4e-16 + 5e-324)
    }
    expect([exp64(0), exp64(-Infinity), exp64(Infinity), exp64(710)]).toEqual([1, 0, Infinity, Infinity])
    expect(exp64(NaN)).toBeNaN()
  })

  test("normalBelow at points of a table", () => {
    const table = [
      [0, 0.5],
      [1, 0.8413447461],
      [-1, 0.1586552539],
      [2.5, 0.9937903347],
      [-4, 3.167124e-5],
    ] as const
    for (const [z, p] of table) expect(Math.abs(normalBelow(z) - p)).toBeLessThan(2e-7)
  })

  test("the draws of a trial depend on seed and number alone", () => {
    const of = (seed: number, trial: number): number[] => {
      const draws = drawsOf(seed, trial)
      return [draws.uniform(), draws.normal(), draws.uniform()]
    }
    expect(of(3, 7)).toEqual(of(3, 7))
    expect(of(3, 7)).not.toEqual(of(3, 8))
    expect(of(3, 7)).not.toEqual(of(4, 7))
    const draws = drawsOf(0, 0)
    const normal = Array.from({ length: 4000 }, () => draws.normal())
    expect(Math.abs(normal.reduce((a, b) => a + b) / 4000)).toBeLessThan(0.05)
    expect(Math.abs(normal.reduce((a, b) => a + b * b, 0) / 4000 - 1)).toBeLessThan(0.08)
  })
})

describe("spaces", () => {
  test.each([
    ["uniform", () => uniform(1, 1), /least value below the greatest/],
    ["uniform", () => uniform(0, Infinity), /finite numbers/],
    ["logUniform", () => logUniform(0, 1), /above 0/],
    ["whole", () => whole(0.5, 3), /whole numbers as bounds/],
    ["whole", () => whole(1, 3, { step: 5 }), /from 1 to 2/],
    ["whole", () => whole(0, 3, { log: true }), /at least 1/],
    ["whole", () => whole(1, 3, { stepp: 1 } as object), /Did you mean "step"/],
    ["choice", () => choice([]), /nothing to choose/],
    ["choice", () => choice([1, 1]), /each value once/],
    ["choice", () => choice([NaN]), /finite number/],
    ["a space", () => tune(() => 0, {}), /no knobs/],
    ["a space", () => tune(() => 0, { a: 3 } as unknown as Space), /tune, a: this is no knob/],
  ])("%s refuses what is none", async (_, make, message) => {
    const found = await codeOf(make)
    expect(found.code).toBe("E_CONFIG")
    expect(found.message).toMatch(message)
  })

  test.each(["random", "tpe", "grid"] as const)("%s stays inside", async (sampler) => {
    const space = {
      a: uniform(-1, 2),
      b: logUniform(1e-4, 1),
      c: whole(2, 11, { step: 3 }),
      d: whole(1, 100, { log: true }),
      e: choice(["x", "y"]),
    }
    const { trials } = await tune(({ a, b, c, d }) => a + b + c / d, space, { sampler, trials: 60, seed: 5 })
    expect(trials).toHaveLength(60)
    for (const { values } of trials) {
      const { a, b, c, d, e } = values as { a: number; b: number; c: number; d: number; e: string }
      expect(a >= -1 && a <= 2 && b >= 1e-4 && b <= 1).toBe(true)
      expect([2, 5, 8, 11]).toContain(c)
      expect(Number.isInteger(d) && d >= 1 && d <= 100).toBe(true)
      expect(["x", "y"]).toContain(e)
    }
    if (sampler === "grid") return
    const seen = (name: string): Set<unknown> => new Set(trials.map(({ values }) => values[name]))
    expect(seen("c").size).toBe(4)
    expect(trials.filter(({ values }) => (values.b as number) < 1e-2).length).toBeGreaterThan(15)
  })
})

describe("samplers", () => {
  const space = { x: uniform(-5, 5), y: logUniform(1e-4, 1), kind: choice(["far", "near", "middle"]) }
  const cost = ({ x, y, kind }: { x: number; y: number; kind: string }): number => {
    const z = Math.log10(y) + 2
    return (x - 1) * (x - 1) + z * z + { far: 6, middle: 3, near: 0 }[kind]!
  }

  test("TPE finds more than chance with as many trials: median and mean over 30 seeds", async () => {
    const all = async (sampler: "tpe" | "random"): Promise<{ mean: number; median: number }> => {
      const found: number[] = []
      for (let seed = 0; seed < 30; seed++)
        found.push((await tune(cost, space, { sampler, trials: 50, seed })).best!.value!)
      found.sort((a, b) => a - b)
      return { mean: found.reduce((a, b) => a + b) / 30, median: found[15]! }
    }
    const [model, chance] = [await all("tpe"), await all("random")]
    expect(model.median).toBeLessThan(chance.median / 4)
    expect(model.mean).toBeLessThan(chance.mean)
  })

  test("the same seed tries the same, another one does not", async () => {
    const of = async (seed: number): Promise<unknown> =>
      (await tune(cost, space, { trials: 25, seed })).trials.map(({ values, value }) => [values, value])
    expect(await of(1)).toEqual(await of(1))
    expect(await of(1)).not.toEqual(await of(2))
  })

  test("a grid has each cell once, then ends", async () => {
    const { trials, ended } = await tune(
      () => 0,
      { a: whole(1, 3), b: uniform(0, 1) },
      { sampler: gridSearch({ points: 3 }), trials: 99 },
    )
    expect(ended).toBe("exhausted")
    const cells = trials.map(({ values }) => `${values.a} ${values.b}`)
    expect(cells).toEqual(["1 0", "1 0.5", "1 1", "2 0", "2 0.5", "2 1", "3 0", "3 0.5", "3 1"])
  })

  test("maximize finds the greatest", async () => {
    const { best } = await tune((values) => -cost(values), space, { trials: 60, direction: "maximize" })
    expect(best!.value!).toBeGreaterThan(-1)
  })

  test("a sampler of one's own; its mistakes are told", async () => {
    const sampler: Sampler = ({ number }) => (number < 3 ? { a: number } : undefined)
    const { trials, ended } = await tune(({ a }) => a, { a: whole(0, 9) }, { sampler })
    expect([trials.map(({ value }) => value), ended]).toEqual([[0, 1, 2], "exhausted"])
    const wrong = await codeOf(() => tune(() => 0, { a: whole(0, 9) }, { sampler: () => ({ a: 0.5 }) }))
    expect(wrong.message).toMatch(/a value that its knob does not have. Got 0.5/)
    expect((await codeOf(() => tune(() => 0, space, { sampler: "tpee" as "tpe" }))).message).toMatch(
      /Did you mean "tpe"/,
    )
    expect((await codeOf(() => tpe({ gamma: 1 }))).message).toMatch(/between 0 and 1/)
    expect((await codeOf(() => gridSearch({ points: 1 }))).message).toMatch(/2 or more/)
  })
})

describe("pruning", () => {
  const trial = (number: number, ...values: number[]): Trial => ({
    number,
    state: "running",
    values: {},
    value: undefined,
    reports: values.map((value, i) => ({ step: i + 1, value })),
    notes: {},
  })

  test("halving keeps the best third at each rung, and asks nowhere else", () => {
    const prune = successiveHalving({ least: 1, factor: 3 })
    const others = [trial(0, 0.1), trial(1, 0.2), trial(2, 0.3), trial(3, 0.4), trial(4, 0.5)]
    expect(prune(others, trial(5, 0.15), "minimize")).toBe(false)
    expect(prune(others, trial(5, 0.25), "minimize")).toBe(true)
    expect(prune(others, trial(5, 0.25, 0.9), "minimize")).toBe(false)
    expect(prune(others, trial(5, 0.45), "maximize")).toBe(false)
    expect(prune([], trial(0, 9), "minimize")).toBe(false)
    // At step 3 with what it has reached so far, not with its last value alone.
    const far = [trial(0, 0.5, 0.4, 0.3), trial(1, 0.5, 0.4, 0.35), trial(2, 0.5, 0.4, 0.36)]
    expect(prune(far, trial(3, 0.5, 0.2, 0.9), "minimize")).toBe(false)
    expect(prune(far, trial(3, 0.5, 0.4, 0.32), "minimize")).toBe(true)
  })

  test("the good ones use most of the steps", async () => {
    let steps = 0
    const study = await tune(
      ({ x }, run) => {
        let value = 0
        for (let step = 1; step <= 27; step++) {
          steps++
          value = x + 1 / step
          if (run.report(step, value)) break
        }
        return value
      },
      { x: uniform(0, 1) },
      { sampler: "random", trials: 60, pruner: successiveHalving({ least: 1, factor: 3 }) },
    )
    expect(study.trials.filter(({ state }) => state === "pruned").length).toBeGreaterThan(30)
    expect(steps).toBeLessThan((60 * 27) / 3)
    const least = Math.min(...study.trials.map(({ values }) => values.x as number))
    expect(study.best!.values.x).toBe(least)
  })

  test("Hyperband has brackets that begin to halve later", () => {
    const prune = hyperband({ least: 1, most: 9, factor: 3 })
    const good = Array.from({ length: 60 }, (_, i) => trial(i, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    const endsAt = (number: number): number => {
      for (let step = 1; step <= 9; step++) {
        if (prune(good, trial(number, ...Array.from({ length: step }, () => 1)), "minimize")) return step
      }
      return 10
    }
    const ends = Array.from({ length: 60 }, (_, i) => endsAt(60 + i))
    const share = (at: number): number => ends.filter((end) => end === at).length
    expect(share(1) + share(3) + share(9)).toBe(60)
    expect(share(1)).toBeGreaterThan(share(3))
    expect(share(3)).toBeGreaterThan(share(9))
    expect(share(9)).toBeGreaterThan(0)
  })
})

test("importance: what explains the values stands first, noise has next to nothing", async () => {
  const space = { rate: logUniform(1e-4, 1), kind: choice(["a", "b"]), idle: uniform(0, 1) }
  const cost = ({ rate, kind }: { rate: number; kind: string }): number =>
    0.1 + Math.abs(Math.log10(rate) + 2) + (kind === "a" ? 0.2 : 0)
  const { trials } = await tune(cost, space, { sampler: "random", trials: 80, seed: 3 })
  const found = importance(trials, space)
  expect(found[0]!.knob).toBe("rate")
  expect(found[0]!.share).toBeGreaterThan(0.5)
  expect(found.find(({ knob }) => knob === "idle")!.share).toBeLessThan(0.1)
  expect((await codeOf(() => importance(trials.slice(0, 5), space))).message).toMatch(
    /at least 6 completed trials, got 5/,
  )
})

describe("a study", () => {
  const space = { x: uniform(0, 1) }

  test("several seeds: the mean, its standard error, a seed of its own for each run", async () => {
    const seeds: number[] = []
    const objective = (_: object, run: { seed: number }): number => {
      seeds.push(run.seed)
      return [1, 2, 6][run.seed - 10]!
    }
    const { trials } = await tune(objective, space, { seeds: 3, seed: 10, trials: 2 })
    expect(seeds).toEqual([10, 11, 12, 10, 11, 12])
    expect(trials[0]!.value).toBe(3)
    expect(trials[0]!.notes).toMatchObject({ values: [1, 2, 6], standardError: Math.sqrt(14 / 6) })
  })

  test("values that are not finite and E_DIVERGED are failures, other errors end the search and stay in the file", async () => {
    const study = fresh()
    const objective = (_: object, { number }: { number: number }): number => {
      if (number === 1) throw new TrilobiteError("E_DIVERGED", { what: "the loss is not finite." })
      if (number === 3) throw new Error("mine")
      return number === 0 ? Number.NaN : 1
    }
    await expect(tune(objective, space, { study, trials: 9 })).rejects.toThrow("mine")
    const { trials } = await tune(() => 1, space, { study, trials: 4 })
    expect(trials.map(({ state }) => state)).toEqual(["failed", "failed", "complete", "failed", "complete"])
    expect(trials.map(({ notes }) => notes.diverged)).toEqual([true, true, undefined, undefined, undefined])
  })

  test("several at a time, and the time that it may take", async () => {
    let [running, most] = [0, 0]
    const wait = async (
      _: object,
      { signal, report }: { signal: AbortSignal; report(s: number, v: number): boolean },
    ) => {
      most = Math.max(most, ++running)
      for (let step = 1; step < 1000 && !report(step, 1 / step); step++) await new Promise((go) => setTimeout(go, 5))
      running--
      return signal.aborted ? 0 : 1
    }
    const begun = performance.now()
    const { trials, ended } = await tune(wait, space, { seconds: 0.3, parallel: 3 })
    expect(performance.now() - begun).toBeLessThan(5000)
    expect([ended, most]).toEqual(["time", 3])
    expect(trials.map(({ state }) => state)).toEqual(["pruned", "pruned", "pruned"])
    expect(trials[0]!.value).toBe(trials[0]!.reports.at(-1)!.value)
  })

  test("stopped and gone on: what was done stays, what ran is tried again, the rest is as if it had never stopped", async () => {
    const objective = ({ x }: { x: number }): number => (x - 0.3) * (x - 0.3)
    const whole = await tune(objective, space, { trials: 30, seed: 4 })
    const study = fresh()
    const control = new AbortController()
    const first = await tune(
      (values, { number, report }) => {
        if (number === 12) control.abort()
        report(1, 5)
        return objective(values)
      },
      space,
      { trials: 30, seed: 4, study, signal: control.signal },
    )
    expect(first.ended).toBe("aborted")
    expect(first.trials.filter(({ state }) => state === "complete")).toHaveLength(12)
    // What ran is said to wait, with what was measured of it so far.
    expect(first.trials.slice(-2).map(({ state, reports }) => [state, reports])).toEqual([
      ["failed", [{ step: 1, value: 5 }]],
      ["waiting", [{ step: 1, value: 5 }]],
    ])
    const second = await tune(objective, space, { trials: 30, seed: 4, study })
    const done = second.trials.filter(({ state }) => state === "complete")
    expect(done).toHaveLength(30)
    const values = (trials: readonly Trial[]): unknown[] => trials.slice(0, 13).map((trial) => trial.values.x)
    expect(values(done)).toEqual(values(whole.trials))
    expect(second.best!.value).toBeLessThan(1e-3)
  })

  test("a file is read while it is written, and by two searches at once", async () => {
    const study = fresh()
    const slow = async ({ x }: { x: number }): Promise<number> => {
      await new Promise((go) => setTimeout(go, 2))
      return x
    }
    const [a, b] = await Promise.all([1, 2].map((seed) => tune(slow, space, { study, trials: 20, seed, parallel: 2 })))
    expect(new Set([...a!.trials, ...b!.trials].map(({ number }) => number)).size).toBeLessThanOrEqual(22)
    const numbers = b!.trials.map(({ number }) => number)
    expect(numbers).toEqual(numbers.map((_, i) => i))
    const lines = readFileSync(study, "utf8").trimEnd().split("\n")
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty("op_code")
    expect(existsSync(`${study}.lock`)).toBe(false)
  })

  test("half a line at the end is that of a killed process: it goes; anything else that is no journal is refused and kept", async () => {
    const study = fresh()
    await tune(({ x }) => x, space, { study, trials: 3 })
    const before = readFileSync(study, "utf8")
    appendFileSync(study, '{"worker_id": "x", "op_co')
    const { trials } = await tune(({ x }) => x, space, { study, trials: 5 })
    expect(trials).toHaveLength(5)
    expect(readFileSync(study, "utf8").startsWith(before)).toBe(true)
    const wrong = fresh()
    writeFileSync(wrong, "a,b\n1,2\n")
    expect(await codeOf(() => tune(({ x }) => x, space, { study: wrong }))).toMatchObject({ code: "E_DATA" })
    expect(readFileSync(wrong, "utf8")).toBe("a,b\n1,2\n")
    const { code, message } = await codeOf(() => tune(() => 0, space, { study: join(folder, "none", "study.jsonl") }))
    expect([code, message]).toEqual(["E_IO", expect.stringMatching(/Name a file in a folder that is there/)])
    const other = await codeOf(() => tune(() => 0, space, { study, direction: "maximize" }))
    expect(other.message).toMatch(/goes the other way/)
  })

  test("a trial whose process was killed is tried again with its values", async () => {
    const study = fresh()
    await tune(({ x }) => x, space, { study, trials: 2 })
    const lines = readFileSync(study, "utf8").trimEnd().split("\n")
    const begun = lines.slice(-3).map((line) => {
      const { worker_id, ...entry } = JSON.parse(line)
      // No process has this number.
      return { worker_id: worker_id.replace(/-\d+-/, "-4194305-"), ...entry }
    })
    const [created, parameter] = begun
    expect([created.op_code, parameter.op_code]).toEqual([4, 5])
    for (const entry of [created, { ...parameter, trial_id: 2, param_value_internal: 0.125 }]) {
      appendFileSync(study, `${JSON.stringify(entry)}\n`)
    }
    const { trials } = await tune(({ x }) => x, space, { study, trials: 4 })
    expect(trials.map(({ state }) => state)).toEqual(["complete", "complete", "failed", "complete", "complete"])
    expect(trials[3]!.value).toBe(0.125)
  })

  test("a lock that was left behind is waited for, then taken over", async () => {
    const study = fresh()
    symlinkSync("study", `${study}.lock`)
    setTimeout(() => rmSync(`${study}.lock`), 150)
    const begun = performance.now()
    await tune(({ x }) => x, space, { study, trials: 1 })
    expect(performance.now() - begun).toBeGreaterThan(100)
  })

  test.each([
    [{ trials: 0 }, /trials: .*at least 1/],
    [{ seconds: 0 }, /seconds/],
    [{ seeds: 1.5 }, /seeds/],
    [{ parallel: -1 }, /parallel/],
    [{ direction: "less" as "minimize" }, /direction/],
    [{ pruners: 1 } as object, /Did you mean "pruner"/],
  ])("options %j are refused", async (options, message) => {
    const found = await codeOf(() => tune(() => 0, space, options))
    expect([found.code, found.message]).toEqual(["E_CONFIG", expect.stringMatching(message)])
  })
})

describe("climbing", () => {
  const rungs = [1, 2, 4, 8, 16]
  const space = { a: choice(rungs), b: choice(rungs) }
  const ladders = [
    { knob: "a", values: rungs, start: 4 },
    { knob: "b", values: rungs, start: 4, rule: "smaller" as const },
  ]

  test("one knob after the other to the best rung, each configuration once, then the other sampler", async () => {
    const cost = ({ a, b }: { a: number; b: number }): number => 1 + Math.abs(Math.log2(a) - 4) + (b < 2 ? 1 : 0)
    const sampler = climbing({ ladders, after: () => undefined })
    const { trials, best, ended } = await tune(cost, space, { sampler })
    expect(ended).toBe("exhausted")
    const tried = trials.map(({ values: { a, b } }) => `${a} ${b}`)
    // a up to the top; b down to the smallest that costs nothing.
    expect(tried).toEqual(["4 4", "8 4", "2 4", "16 4", "16 8", "16 2", "16 1"])
    const { at, next, decisions } = climb(ladders, trials, "minimize")
    expect([at, next]).toEqual([{ a: 16, b: 2 }, undefined])
    expect(best!.value).toBe(1)
    expect(decisions.map(({ knob, value }) => [knob, value])).toEqual([
      ["a", 16],
      ["b", 2],
    ])
    expect(decisions[1]!.text).toBe(
      "b 2: the smallest that none beats by more than the noise (1: 2, 2: 1, 4: 1, 8: 1).",
    )
  })

  test("what diverges is left downwards, what is within the noise of several seeds is not better", async () => {
    const rate = [{ knob: "a", values: rungs, start: 8 }]
    const { trials } = await tune(
      ({ a }) => (a > 2 ? Number.NaN : 1 / a),
      { a: space.a },
      {
        sampler: climbing({ ladders: rate, after: () => undefined }),
      },
    )
    expect(climb(rate, trials, "minimize").at).toEqual({ a: 8 })
    const lower = [{ knob: "a", values: rungs, start: 4 }]
    const more = await tune(
      ({ a }) => (a > 2 ? Number.NaN : 1 / a),
      { a: space.a },
      {
        sampler: climbing({ ladders: lower, after: () => undefined }),
      },
    )
    expect(climb(lower, more.trials, "minimize").at).toEqual({ a: 2 })
    const noisy = await tune(
      ({ a }, { seed }) => 10 - Math.log2(a) / 2 + seed * 2,
      { a: space.a },
      {
        sampler: climbing({ ladders: lower, after: () => undefined }),
        seeds: 3,
      },
    )
    expect(climb(lower, noisy.trials, "minimize").at).toEqual({ a: 4 })
    expect(noisy.trials).toHaveLength(3)
  })

  test("while a rung is still being tried the next ones are tried beside it", () => {
    const running: Trial = {
      number: 0,
      state: "running",
      values: { a: 4, b: 4 },
      value: undefined,
      reports: [],
      notes: {},
    }
    expect(climb(ladders, [running], "minimize").next).toEqual({ a: 8, b: 4 })
    expect(climb(ladders, [running], "minimize").decisions).toEqual([])
  })

  test("ladders that do not fit are refused", async () => {
    const wrong = { ladders: [{ knob: "a", values: [1, 3], start: 1 }] }
    expect((await codeOf(() => tune(() => 0, space, { sampler: climbing(wrong) }))).message).toMatch(
      /does not fit.*got 3/,
    )
  })
})

test("networks are trained through the objective: the rate that learns is found, the others are ended early", async () => {
  const { x, y } = circles({ rows: 200, noise: 0.1, seed: 1 })
  const study = await tune(
    async ({ rate }, run) => {
      const model = sequential(
        [dense({ units: 8, activation: "tanh", inputShape: [2] }), dense({ units: 1, activation: "sigmoid" })],
        {
          seed: run.seed,
          threads: 1,
        },
      )
      model.compile({ loss: "binaryCrossentropy", optimizer: sgd({ learningRate: rate }) })
      let last = Number.NaN
      const watch: Callback = {
        onEpochEnd: (epoch, logs, training) => {
          last = logs.valLoss!
          if (run.report(epoch + 1, last)) training.stop()
        },
      }
      await model.fit(x, y, {
        epochs: 27,
        validationSplit: 0.25,
        seed: run.seed,
        verbose: 0,
        callbacks: [watch],
        signal: run.signal,
      })
      return last
    },
    { rate: choice([0.5, 1e-2, 1e-3, 1e-4, 1e-5]) },
    { sampler: "grid", pruner: successiveHalving({ least: 3 }) },
  )
  expect(study.best!.values.rate).toBe(0.5)
  expect(study.trials[0]!.reports).toHaveLength(27)
  expect(study.trials.filter(({ state }) => state === "pruned").length).toBe(4)
})
