// What is true of the cases, by intervention: does a fault harm, and which single changes make it good again? Their causes are as
// right an answer as the one that was put in. Controls: do they reach their level, and is there no single change that gains much?
//
//   node bench/coach/truth.ts [--cases text] [--menu] [--again] [--minutes 20]
//
// Adds to truth.json, which is committed; `--menu` tries all single changes (long), otherwise only harm is measured.

import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { FaultCode } from "../../src/coach/finding.ts"
import { median } from "../machine.ts"
import { type Case, cases } from "./cases.ts"
import { jittered, trialSeed } from "./jitter.ts"
import { bestEpochOf, edited, harmOf, menuOf, restored } from "./repair.ts"
import { classesOf } from "./sets.ts"
import type { Setup } from "./setup.ts"
import { type Outcome, train } from "./train.ts"

/** What was measured of a case. */
export interface Truth {
  /** Faults: it harms, by any of the signs below. Controls: at least 9 of 10 seeds reach the level. */
  readonly valid: boolean
  /** Why, in words. */
  readonly why: string
  /** Means over the seeds. */
  readonly score: number
  readonly control: number
  /** Faults: single changes that make it as good as its control, and the causes they stand for. Controls: changes that gain over 3 points. */
  readonly restoring?: readonly string[]
  readonly accepted?: readonly FaultCode[]
}

export type Truths = { readonly [id: string]: Truth }

const path = join(import.meta.dirname, "truth.json")

/** What has been measured so far. */
export const readTruths = (): Truths => (existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Truths) : {})

const known = new Map<string, Promise<Outcome>>()

/** Trains a setup, once only. */
function outcomeOf(setup: Setup): Promise<Outcome> {
  const key = JSON.stringify(setup)
  const found = known.get(key) ?? train(setup)
  known.set(key, found)
  return found
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
const round = (value: number): number => Math.round(value * 1000) / 1000

/** The n-th trial of a case: the first one as it is written. */
const trial = (one: Case, n: number) => jittered(one, n === 0 ? 0 : trialSeed(0, one.id, n))

/** The first epoch, from 1, that reaches a level; Infinity if none does. */
const reached = (values: readonly number[], level: number): number => {
  const at = values.findIndex((value) => value >= level)
  return at < 0 ? Number.POSITIVE_INFINITY : at + 1
}

/** In which way a training is worse than its control, if it is. */
function harm(
  setup: Setup,
  outcomes: readonly Outcome[],
  controls: readonly Outcome[],
  sameLoss: boolean,
): string | undefined {
  const most = outcomes.length / 2
  const errors = outcomes.filter(({ error }) => error !== undefined)
  if (errors.length > most) return `${errors.length} of ${outcomes.length} end with ${errors[0]!.error}`
  const [score, control] = [mean(outcomes.map((o) => o.score)), mean(controls.map((o) => o.score))]
  if (classesOf(setup.sample.set) === 0) {
    const times = (1 - score) / (1 - control)
    return times >= 1.5 ? `its mistakes are ${times.toPrecision(3)} times those of the control` : undefined
  }
  if (score <= control - 0.05) return `${Math.round(100 * (control - score))} points below its control`
  const last = (list: readonly Outcome[]): number =>
    median(list.map((o) => o.valLoss.at(-1) ?? Number.POSITIVE_INFINITY))
  const times = last(outcomes) / last(controls)
  if (sameLoss && times >= 1.5) return `its validation loss is ${times.toPrecision(3)} times that of the control`
  const late = outcomes.filter(({ valAccuracy }, i) => {
    const level = 0.95 * Math.max(...controls[i]!.valAccuracy)
    return reached(valAccuracy, level) >= 2 * reached(controls[i]!.valAccuracy, level)
  })
  return late.length > most ? "it takes twice the epochs to 95 % of its control" : undefined
}

/** Measures a fault over five seeds; its menu over three. */
async function faultTruth(one: Case, menu: boolean): Promise<Truth> {
  const trials = [0, 1, 2, 3, 4].map((n) => trial(one, n))
  const outcomes: Outcome[] = []
  const controls: Outcome[] = []
  for (const { setup, control } of trials) {
    outcomes.push(await outcomeOf(setup))
    controls.push(await outcomeOf(control))
  }
  const { setup, control } = trials[0]!
  const coded = setup.alter.some((step) => step.do === "code" || step.do === "scaleTargets")
  const why = harm(setup, outcomes, controls, setup.loss === control.loss && !coded)
  const measured: Truth = {
    valid: why !== undefined,
    why: why ?? "it does no harm",
    score: round(mean(outcomes.map((o) => o.score))),
    control: round(mean(controls.map((o) => o.score))),
  }
  if (!menu || why === undefined) return measured
  const good: { readonly name: string; readonly codes: readonly FaultCode[] }[] = []
  for (const { name, codes } of menuOf(setup, bestEpochOf(outcomes[0]!))) {
    let times = 0
    for (let n = 0; n < 3 && times === n; n++) {
      const own = trials[n]!
      const remedy = menuOf(own.setup, bestEpochOf(outcomes[n]!)).find((r) => r.name === name)
      const next = remedy && edited(own.setup, remedy.edit)
      if (next === undefined) break
      const control = [own.control, controls[n]!] as const
      const by =
        harmOf([own.setup, outcomes[n]!], control) ?? harmOf([setup, outcomes[0]!], [trials[0]!.control, controls[0]!])
      if (restored([next, await outcomeOf(next)], control, by ?? "score")) times++
    }
    if (times === 3) good.push({ name, codes })
  }
  const accepted = [...new Set(good.flatMap(({ codes }) => codes))].sort()
  return { ...measured, restoring: good.map(({ name }) => name), accepted }
}

/** Measures a control over ten seeds; its menu over two. */
async function controlTruth(one: Case, menu: boolean): Promise<Truth> {
  const trials = Array.from({ length: 10 }, (_, n) => trial(one, n).setup)
  const outcomes: Outcome[] = []
  for (const setup of trials) outcomes.push(await outcomeOf(setup))
  const scores = outcomes.map((o) => o.score)
  const middle = median(scores)
  const classes = classesOf(one.kind === "control" ? trials[0]!.sample.set : "circles")
  const well = scores.filter((score) => (classes > 0 ? score >= middle - 0.05 : 1 - score <= 1.5 * (1 - middle)))
  const measured: Truth = {
    valid: well.length >= 9,
    why: `${well.length} of 10 seeds reach the level`,
    score: round(mean(scores)),
    control: round(middle),
  }
  if (!menu) return measured
  const gains: string[] = []
  for (const { name } of menuOf(trials[0]!, bestEpochOf(outcomes[0]!))) {
    let gained = 0
    for (let n = 0; n < 2; n++) {
      const remedy = menuOf(trials[n]!, bestEpochOf(outcomes[n]!)).find((r) => r.name === name)
      const next = remedy && edited(trials[n]!, remedy.edit)
      if (next !== undefined && (await outcomeOf(next)).score > outcomes[n]!.score + 0.03) gained++
    }
    if (gained === 2) gains.push(name)
  }
  return { ...measured, restoring: gains }
}

if (import.meta.main) {
  const text = { type: "string" } as const
  const flag = { type: "boolean", default: false } as const
  const { values } = parseArgs({
    options: { cases: text, menu: flag, again: flag, minutes: { ...text, default: "20" } },
  })
  const until = performance.now() + 60_000 * Number(values.minutes)
  const wanted = cases.filter(({ id, kind }) => `${kind} ${id}`.includes(values.cases ?? ""))
  for (const one of wanted) {
    const old = readTruths()[one.id]
    if (
      old !== undefined &&
      !values.again &&
      (!values.menu || old.restoring !== undefined || (one.kind !== "control" && !old.valid))
    )
      continue
    if (performance.now() > until) break
    const truth = await (one.kind === "control" ? controlTruth : faultTruth)(one, values.menu)
    const all = { ...readTruths(), [one.id]: truth }
    const sorted = Object.fromEntries(cases.flatMap(({ id }) => (all[id] === undefined ? [] : [[id, all[id]]])))
    writeFileSync(path, `${JSON.stringify(sorted, null, 1)}\n`)
    known.clear()
    const also = truth.restoring === undefined ? "" : `; ${truth.restoring.join(", ") || "nothing restores"}`
    console.log(
      `${truth.valid ? "valid  " : "INVALID"} ${one.id}: ${truth.score} (${truth.control}), ${truth.why}${also}`,
    )
  }
}
