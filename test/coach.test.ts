// The coach's rules: which fault each case brings, that all findings have five parts, that passing alarms are kept back.
import { describe, expect, test } from "vitest"
import { Coach, messageOf, promiseOf } from "../src/coach/coach.ts"
import { diagnose } from "../src/coach/diagnose.ts"
import type { Evidence, LayerLook } from "../src/coach/evidence.ts"
import type { FaultCode, Finding } from "../src/coach/finding.ts"
import { type Case, cases, changed, course, edits, epoch, healthy, moved } from "./coach.cases.ts"
import traces from "./fixtures/book-traces.json" with { type: "json" }

const named = (code: FaultCode, what: string): Evidence => cases[code].find(([name]) => name === what)![1]
const codes = (findings: readonly Finding[]): FaultCode[] => findings.map(({ code }) => code)

/** A finding has five parts, in lines of a terminal. */
function checkParts(finding: Finding): void {
  const { saw, normal, why, change, expect: next } = finding
  for (const part of [saw, normal, why, change.text, change.code, next.text]) expect(part).toMatch(/\S{3}/)
  expect(`${saw}${normal}${change.text}${change.code}${next.text}`).not.toMatch(/NaN|undefined/)
  const lines = messageOf(finding)
  expect(lines.length).toBeGreaterThanOrEqual(6)
  for (const line of lines) if (line.trim().includes(" ")) expect(line.length).toBeLessThanOrEqual(80)
}

describe.each(Object.entries(cases) as [FaultCode, readonly Case[]][])("%s", (code, rows) => {
  test.each(rows)("%s", (_, evidence, expected) => {
    const { headline, tips } = diagnose(evidence)
    const tip = tips.find((found) => found.code === code)
    expect(headline?.code).toBe(expected === "tip" ? undefined : expected)
    expect(tip !== undefined).toBe(expected === "tip")
    for (const finding of [headline, tip]) if (finding !== undefined) checkParts(finding)
  })

  test("there is a case that brings it and one that does not", () => {
    expect(rows.some(([, , expected]) => expected === code || expected === "tip")).toBe(true)
    expect(rows.some(([, , expected]) => expected === undefined)).toBe(true)
  })
})

test.each(edits)("the change: %s", (_, evidence, edit) => {
  expect(diagnose(evidence).headline?.change.edit).toEqual(edit)
})

const all = Object.values(cases).flat()
const faults = all.filter(([, , expected]) => expected !== undefined && expected !== "tip")

const layerLook = (layer: string, gradientRms: number): LayerLook => ({
  ...{ layer, activation: "relu", inputDeviation: 1, sumDeviation: 1, mean: 0, deviation: 0.6, dead: 0 },
  ...{ kernelRms: 0.6, kernelDeviation: 0.6, gradientRms },
})

describe("persistence", () => {
  test.each(all)("what one sign of one epoch shows is not said: %s", (_, evidence) => {
    // Silent neurons beside long steps are two.
    if (evidence.epochs[0]?.layers?.some(({ dead = 0 }) => dead > 12) === true) return
    const { diverged: _lost, ended: _ended, ...rest } = evidence
    const first = diagnose({ ...rest, epochs: evidence.epochs.slice(0, 1) })
    for (const { kind, epoch: at } of [first.headline, ...first.also].filter((found) => found !== undefined))
      expect([kind, at]).toEqual(["fault", null])
  })

  test("long steps that the start foretells are said after the epoch that shows them", () => {
    const { epochs, ...rest } = named("F08", "long steps, little learnt")
    const sick = { ...rest, epochs: epochs.slice(0, 1) }
    const started = (gradientRms: number): Evidence => {
      const layers = [layerLook("a", gradientRms), layerLook("out", gradientRms)]
      return { ...sick, probe: { rows: 256, loss: 1.1, layers, output: { mean: 0, deviation: 1 } } }
    }
    const taught = (evidence: Evidence, share: number): Evidence => ({
      ...evidence,
      epochs: [{ ...epochs[0]!, kernels: moved(share, 0.02) }],
    })
    expect(diagnose({ ...started(0.37), epochs: [] }).headline).toBeUndefined()
    // 0.1 · 0.37 / 0.6 = 6.2 %.
    expect(diagnose(taught(started(0.37), 0.51)).headline).toMatchObject({ code: "F08", epoch: 0 })
    expect(diagnose(taught(started(0.37), 0.49)).headline).toBeUndefined()
    expect(diagnose(taught(started(0.35), 0.51)).headline).toBeUndefined()
  })

  test("neurons that long steps have put to sleep, and a layer that is 0 for all rows, are said after one epoch", () => {
    const { epochs, ...rest } = named("F05", "13 have gone silent")
    const told = (loss: number, share: number, dead: number) => {
      const layers = epochs[0]!.layers!.map((look) => (look.layer === "a" ? { ...look, dead } : look))
      const epoch = { ...epochs[0]!, loss, valLoss: loss, kernels: moved(share, 0.02), layers }
      return diagnose({ ...rest, epochs: [epoch] }).headline
    }
    expect(told(0.5, 0.061, 13)).toMatchObject({ code: "F08", epoch: 0 })
    expect(told(0.5, 0.061, 12)).toBeUndefined()
    expect(told(0.5, 0.059, 13)).toBeUndefined()
    expect(told(1.06, 0.02, 16)).toMatchObject({ code: "F05", epoch: 0 })
    expect(told(1.06, 0.02, 15)).toBeUndefined()
    expect(told(1.03, 0.02, 16)).toBeUndefined()
  })

  test.each(["F08", "F11", "F21"] as const)("%s: an alarm that passes is never said, two in a row are", (code) => {
    const [, sick] = cases[code][0]!
    const well = course([0.3, 0.25, 0.2, 0.15, 0.1])
    const mixed = [...well.slice(0, 2), sick.epochs.at(-1)!, ...well.slice(2)].map((facts, i) => ({
      ...facts,
      epoch: i,
    }))
    const coach = new Coach()
    for (let n = 0; n <= mixed.length; n++) coach.advise({ ...sick, epochs: mixed.slice(0, n) })
    expect(coach.told.filter(({ kind }) => kind === "fault")).toEqual([])
    for (let n = 1; n <= sick.epochs.length; n++) coach.advise({ ...sick, epochs: sick.epochs.slice(0, n) })
    expect(coach.told.filter(({ kind }) => kind === "fault").map((found) => found.code)).toEqual([code])
  })
})

test.each(faults)("a training in which the fault stays does not keep the promise: %s", (_, evidence) => {
  const { headline } = diagnose(evidence)
  // After a change of the output or the targets the cost is another one.
  if (["output", "targets", "regularizer"].includes(headline!.change.edit.kind)) return
  expect(promiseOf(headline!, { ...evidence, ended: "completed" })?.cameTrue ?? false).toBe(false)
})

describe("arbitration", () => {
  /** The evidence of one case with what another has seen in its epochs. */
  const both = (first: Evidence, { epochs, diverged }: Evidence): Evidence => ({
    ...first,
    epochs,
    ...(diverged === undefined ? {} : { diverged }),
  })
  const long = named("F08", "long steps, little learnt")
  const found = (evidence: Evidence): (FaultCode | undefined)[] => {
    const { headline, also } = diagnose(evidence)
    return [headline?.code, ...codes(also)]
  }

  test.each<readonly [cause: string, evidence: Evidence, found: readonly FaultCode[]]>([
    ["inputs before steps", both(named("F02", "pixels 0 to 255"), long), ["F02"]],
    ["labels before steps", both(named("F13", "labels as numbers"), named("F08", "diverged")), ["F13"]],
    ["the output before what is not learnt", both(named("F12", "softmax over one"), named("F00", "7 % learnt when it ends")), ["F12"]],
    ["initial weights before steps", both(named("F15", "weights all alike"), long), ["F15"]],
    ["flat neurons before long steps", both(named("F04", "51 % flat at the start"), long), ["F04"]],
    ["clipping before short steps", both(named("F11", "51 % cut to a twentieth"), { ...healthy, epochs: course([1, 1, 1, 1], { share: 1e-4, agree: 0.5, clipped: 1 }) }), ["F11"]],
    ["long steps before neurons that they silence", { ...named("F05", "13 have gone silent"), epochs: named("F05", "13 have gone silent").epochs.map((e) => ({ ...e, kernels: moved(0.5, 0.02) })) }, ["F08"]],
    ["rows and labels are faults each", changed(named("F02", "pixels 0 to 255"), { data: { targets: { shape: [], greatest: 2 } } }), ["F13", "F02"]],
    ["the output and the rows are faults each", changed(named("F02", "pixels 0 to 255"), { network: { output: { activation: "linear" } } }), ["F02", "F12"]],
    ["shared rows explain nothing", both(named("F28", "5 of 100"), long), ["F08", "F28"]],
    ["validation unlike training explains no long steps", both(named("F26", "a mean 1.01 deviations away"), long), ["F08", "F26"]],
  ])("%s", (_, evidence, expected) => expect(found(evidence)).toEqual(expected)) // biome-ignore format: a table

  test("nobody knows only where nothing is known", () => {
    const unknown = named("F00", "7 % learnt when it ends")
    for (const rows of Object.values(cases)) {
      for (const [what, evidence, expected] of rows) {
        if (expected === undefined || expected === "tip" || expected === "F00") continue
        expect(found({ ...both(evidence, unknown), ended: "completed" }).slice(1), what).not.toContain("F00")
      }
    }
  })

  test("tips are kept back where a fault is proven, and at most two faults stand beside the headline", () => {
    const tip = { training: { batchSize: 129 } }
    expect(codes(diagnose(changed(healthy, tip)).tips)).toEqual(["F20"])
    expect(diagnose(changed(named("F02", "pixels 0 to 255"), tip)).tips).toEqual([])
    const many = changed(named("F02", "pixels 0 to 255"), {
      data: { nonFinite: { rows: 3, first: 7 }, targets: { shape: [], greatest: 2 } },
      network: { output: { activation: "linear" } },
    })
    expect(found(many)).toEqual(["F01", "F13", "F02"])
  })
})

test("the coach says a thing once, and checks what it has promised", () => {
  const coach = new Coach()
  const evidence = named("F08", "long steps, little learnt")
  const all = evidence.epochs.flatMap((_, i) => coach.advise({ ...evidence, epochs: evidence.epochs.slice(0, i + 1) }))
  expect(all.map(({ code, epoch: at }) => [code, at])).toEqual([["F08", 1]])
  expect(all[0]!.change.edit).toEqual({ kind: "learningRate", to: 0.01 })
  const taught = (loss: number): Evidence => ({ ...healthy, epochs: [epoch(0, loss, loss)] })
  expect(promiseOf(all[0]!, taught(0.5))).toMatchObject({ cameTrue: true, measured: 0.5 })
  expect(promiseOf(all[0]!, taught(1.2))).toBeUndefined()
  expect(promiseOf(all[0]!, { ...taught(1.2), ended: "completed" })).toMatchObject({ cameTrue: false })
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
