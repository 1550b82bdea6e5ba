// The coach's rules: which fault each case brings, that all findings have five parts, that passing alarms are kept back.
import { describe, expect, test } from "vitest"
import { Coach, messageOf, promiseOf } from "../src/coach/coach.ts"
import { diagnose } from "../src/coach/diagnose.ts"
import type { Evidence } from "../src/coach/evidence.ts"
import { cases, changed, epoch, healthy, moved } from "./coach.cases.ts"
import traces from "./fixtures/book-traces.json" with { type: "json" }

describe("diagnose", () => {
  test.each(cases)("%s", (_, evidence, code) => {
    const { headline } = diagnose(evidence)
    expect(headline?.code).toBe(code)
    if (headline === undefined) return
    const { saw, normal, why, change, expect: next } = headline
    for (const part of [saw, normal, why, change.text, change.code, next.text]) expect(part).toMatch(/\S{3}/)
    expect(`${saw}${normal}`).not.toMatch(/NaN|undefined/)
    const lines = messageOf(headline)
    expect(lines.length).toBeGreaterThanOrEqual(6)
    for (const line of lines) if (line.trim().includes(" ")) expect(line.length).toBeLessThanOrEqual(80)
  })

  test("a proven cause silences its signs", () => {
    const [, evidence] = cases.find(([what]) => what === "pixels 0 to 255")!
    const { headline, also } = diagnose({
      ...evidence,
      epochs: cases.find(([what]) => what === "learning rate too high")![1].epochs,
    })
    expect([headline?.code, also.map(({ code }) => code)]).toEqual(["F02", []])
  })
})

test("the coach says a thing once, and checks what it has promised", () => {
  const coach = new Coach()
  const [, evidence] = cases.find(([what]) => what === "learning rate too high")!
  const all = evidence.epochs.flatMap((_, i) => coach.advise({ ...evidence, epochs: evidence.epochs.slice(0, i + 1) }))
  expect(all.map(({ code, epoch: at }) => [code, at])).toEqual([["F08", 1]])
  expect(all[0]!.change.edit).toEqual({ kind: "learningRate", to: 0.001 })
  const after = (loss: number): Evidence => ({ ...healthy, epochs: [epoch(0, loss, loss)] })
  expect(promiseOf(all[0]!, after(0.5))).toMatchObject({ cameTrue: true, measured: 0.5 })
  expect(promiseOf(all[0]!, after(1.2))).toBeUndefined()
  expect(promiseOf(all[0]!, { ...after(1.2), ended: "completed" })).toMatchObject({ cameTrue: false })
})

describe("the chapter's two runs bring no fault at any epoch", () => {
  const uniform = { classes: new Array<number>(10).fill(6000), neighbours: { alike: 0.1, chance: 0.1 } }
  const data = {
    rows: 60_000,
    features: 784,
    shape: [784],
    least: 0,
    greatest: 1,
    means: [0, 0.13],
    deviations: [0, 0.31],
  }
  test.each([
    ["intermediateNet", "categoricalCrossentropy", 0.1, 2.3026, [3e-3, 0.02]],
    ["shallowNet", "meanSquaredError", 0.01, 0.09, [2e-5, 0.6]],
  ] as const)("%s", (name, loss, learningRate, baseline, [share, agree]) => {
    const { rows } = traces[name]
    const epochs = rows.map(([n, cost, accuracy, valLoss, valAccuracy]) =>
      epoch(n! - 1, cost!, valLoss!, { accuracy: accuracy!, valAccuracy: valAccuracy!, kernels: moved(share, agree) }),
    )
    const evidence = changed<Evidence>(healthy, {
      network: { output: { loss, units: 10 } },
      training: { learningRate, batchSize: 128, rounds: 469, epochs: epochs.length },
      data: { ...data, targets: { ...uniform, shape: [10], mean: 0.1, deviation: 0.3, baseline } },
      validation: { ...healthy.data, rows: 10_000, means: [0, 0.13], deviations: [0, 0.31] },
    })
    const coach = new Coach()
    for (let n = 0; n <= epochs.length; n++) coach.advise({ ...evidence, epochs: epochs.slice(0, n) })
    coach.advise({ ...evidence, epochs, ended: "completed" })
    expect(coach.told.filter(({ kind }) => kind === "fault")).toEqual([])
  })
})
