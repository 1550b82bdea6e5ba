// What a run of the benchmark shows: counts with Wilson's 95 % intervals, as data and as Markdown. Trains nothing.

import type { FaultCode } from "../../src/coach/finding.ts"
import { median } from "../machine.ts"
import type { Doctor } from "./anchors.ts"
import { cases } from "./cases.ts"
import { type Said, saidBy } from "./coach.ts"
import type { Truths } from "./truth.ts"
import type { Trial } from "./work.ts"

/** A share: how many of how many, and between which bounds it lies with 95 %. */
export interface Share {
  readonly count: number
  readonly of: number
  readonly share: number
  readonly low: number
  readonly high: number
}

/** Wilson's interval of a share. */
export function shareOf(count: number, of: number): Share {
  if (of === 0) return { count, of, share: 0, low: 0, high: 1 }
  const z = 1.96
  const p = count / of
  const middle = p + (z * z) / (2 * of)
  const half = z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of))
  const all = 1 + (z * z) / of
  return { count, of, share: p, low: Math.max(0, (middle - half) / all), high: Math.min(1, (middle + half) / all) }
}

/** How a doctor did. */
export interface Standing {
  readonly name: string
  /** The first cause it names is the one put in, or one that the design or an intervention shows to be as right. */
  readonly first: Share
  /** The same, where only the cause put in and the design's equals count. */
  readonly strict: Share
  readonly among3: Share
  /** Trainings with a fault in which it says nothing. */
  readonly silent: Share
  /** Of all trainings in which it says something, healthy ones too: its first cause is right. */
  readonly precision: Share
  /** Healthy trainings in which it ever names a fault, and how many it names in each. */
  readonly flagged: Share
  readonly perHealthy: number
  /** Of faults: the right cause is named before the first step, by the end of epoch 1. */
  readonly beforeStep: Share
  readonly byEpoch1: Share
  /** Where it is named: the median part of the epochs that had passed. */
  readonly passed: number
  /** Right first causes by the cause put in. */
  readonly causes: { readonly [code: string]: Share }
}

/** A trial of a case that counts, with the causes that are right. */
interface Judged {
  readonly trial: Trial
  readonly strict: ReadonlySet<FaultCode>
  readonly right: ReadonlySet<FaultCode>
  readonly cause: FaultCode | undefined
}

/** Trials that count: controls and faults that are what they are called, as far as it was measured. */
export function judged(trials: readonly Trial[], truths: Truths): readonly Judged[] {
  return trials.flatMap((trial) => {
    const truth = truths[trial.id]
    if (truth?.valid === false) return []
    const { cause, also = [] } = cases.find(({ id }) => id === trial.id)!
    const strict = new Set(cause === undefined ? [] : [cause, ...also])
    const accepted = trial.kind === "control" ? [] : (truth?.accepted ?? [])
    return [{ trial, cause, strict, right: new Set([...strict, ...accepted]) }]
  })
}

/** How a doctor did on the trials. */
export function standingOf(doctor: Doctor, all: readonly Judged[]): Standing {
  const heard = all.map((one) => ({ ...one, said: saidBy(doctor, one.trial.evidence) }))
  const sick = heard.filter(({ cause }) => cause !== undefined)
  const healthy = heard.filter(({ cause }) => cause === undefined)
  const first = ({ said, right }: { said: readonly Said[]; right: ReadonlySet<FaultCode> }): boolean =>
    said.length > 0 && right.has(said[0]!.code)
  const share = (test: (one: (typeof sick)[number]) => boolean): Share => shareOf(sick.filter(test).length, sick.length)
  const when = ({ said, right }: (typeof sick)[number]): number =>
    said.find(({ code }) => right.has(code))?.moment ?? Number.POSITIVE_INFINITY
  const spoken = heard.filter(({ said }) => said.length > 0)
  const found = sick.filter(first)
  const codes = [...new Set(sick.map(({ cause }) => cause!))].sort()
  return {
    name: doctor.name,
    first: share(first),
    strict: share(({ said, strict }) => said.length > 0 && strict.has(said[0]!.code)),
    among3: share(({ said, right }) => said.slice(0, 3).some(({ code }) => right.has(code))),
    silent: share(({ said }) => said.length === 0),
    precision: shareOf(spoken.filter((one) => one.cause !== undefined && first(one)).length, spoken.length),
    flagged: shareOf(healthy.filter(({ said }) => said.length > 0).length, healthy.length),
    perHealthy: healthy.reduce((n, { said }) => n + said.length, 0) / Math.max(1, healthy.length),
    beforeStep: share((one) => when(one) === 0),
    byEpoch1: share((one) => when(one) <= 1),
    passed: median(found.map((one) => Math.min(1, when(one) / one.trial.evidence.training.epochs))),
    causes: Object.fromEntries(
      codes.map((code) => {
        const own = sick.filter(({ cause }) => cause === code)
        return [code, shareOf(own.filter(first).length, own.length)]
      }),
    ),
  }
}

/** How repairs went. */
export interface Repairs {
  readonly coach: Share
  readonly random: Share
  /** Mean trainings after the first. */
  readonly retrains: number
  readonly randomRetrains: number
  /** What the coach said would be seen after its change was seen. */
  readonly promises: Share
}

/** Of faults that a program can undo and that did harm in this very trial. */
export function repairsOf(all: readonly Judged[]): Repairs | undefined {
  const own = all.filter(({ trial }) => trial.repaired !== undefined && trial.harmed)
  if (own.length === 0) return undefined
  const promises = own.flatMap(({ trial }) => trial.promises ?? [])
  const mean = (of: (trial: Trial) => number): number => own.reduce((n, { trial }) => n + of(trial), 0) / own.length
  return {
    coach: shareOf(own.filter(({ trial }) => trial.repaired!.repaired).length, own.length),
    random: shareOf(own.filter(({ trial }) => trial.random?.repaired).length, own.length),
    retrains: mean((trial) => trial.repaired!.retrains),
    randomRetrains: mean((trial) => trial.random?.retrains ?? 0),
    promises: shareOf(promises.filter((kept) => kept).length, promises.length),
  }
}

/** Faults whose first cause is not right, in words: what the rules' owner reads. */
export function mistakes(doctor: Doctor, all: readonly Judged[]): readonly string[] {
  return all.flatMap(({ trial, cause, right }) => {
    const said = saidBy(doctor, trial.evidence)
    if (cause === undefined ? said.length === 0 : said.length > 0 && right.has(said[0]!.code)) return []
    const words = said.map(({ code, moment }) => `${code} at ${moment}`).join(", ") || "nothing"
    return [`${trial.id} (seed ${trial.seed}): ${words}; right: ${[...right].join(" ") || "nothing"}`]
  })
}

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
const shown = ({ count, of, share, low, high }: Share): string =>
  `${percent(share)} (${count}/${of}; ${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)})`

/** What a run has measured. */
export interface Report {
  readonly date: string
  readonly command: string
  readonly commit: string
  readonly seed: number
  readonly machine: object
  readonly seconds: number
  readonly heldOut: boolean
  readonly invalid: readonly string[]
  readonly unmeasured: number
  readonly standings: readonly Standing[]
  readonly repairs?: Repairs | undefined
  readonly mistakes: readonly string[]
}

/** The report as Markdown. */
export function asMarkdown(report: Report): string {
  const { standings, repairs } = report
  const row = (name: string, cell: (s: Standing) => string): string =>
    `| ${name} | ${standings.map(cell).join(" | ")} |`
  const codes = Object.keys(standings[0]?.causes ?? {})
  const lines = [
    `# Coach benchmark of ${report.date.slice(0, 10)}${report.heldOut ? ", held-out cases" : ""}`,
    "",
    `Made by \`${report.command}\` at ${report.commit}, seed ${report.seed}, in ${report.seconds.toFixed(0)} s. Shares with Wilson's 95 % intervals.`,
    "Anchors are other tools' published rules, restated over the same evidence (bench/coach/anchors.ts); they were not run themselves.",
    "",
    `| | ${standings.map(({ name }) => name).join(" | ")} |`,
    `|---|${standings.map(() => "---|").join("")}`,
    row("first cause right", (s) => shown(s.first)),
    row("... without equals found by intervention", (s) => shown(s.strict)),
    row("right among the first three", (s) => shown(s.among3)),
    row("says nothing of a fault", (s) => shown(s.silent)),
    row("precision of the first cause", (s) => shown(s.precision)),
    row("healthy trainings flagged", (s) => shown(s.flagged)),
    row("faults named in a healthy training", (s) => s.perHealthy.toFixed(2)),
    row("right cause before the first step", (s) => shown(s.beforeStep)),
    row("... by the end of epoch 1", (s) => shown(s.byEpoch1)),
    row("epochs passed when it is named, median", (s) => (Number.isNaN(s.passed) ? "" : percent(s.passed))),
    "",
    "First cause right, by the cause that was put in:",
    "",
    `| | ${standings.map(({ name }) => name).join(" | ")} |`,
    `|---|${standings.map(() => "---|").join("")}`,
    ...codes.map((code) => row(code, (s) => `${s.causes[code]!.count}/${s.causes[code]!.of}`)),
  ]
  if (repairs !== undefined) {
    lines.push(
      "",
      "Repair (of faults that did harm in the trial; within 2 points, or 1.25 times the mistakes, of the control):",
      "",
      `- the coach: ${shown(repairs.coach)}, ${repairs.retrains.toFixed(2)} retrainings;`,
      `- random search over the same single changes, as many rounds: ${shown(repairs.random)}, ${repairs.randomRetrains.toFixed(2)} retrainings;`,
      `- what the coach said would be seen after its change was seen: ${shown(repairs.promises)}.`,
    )
  }
  if (report.unmeasured > 0)
    lines.push("", `Cases whose truth is not measured (taken for what they are called): ${report.unmeasured}.`)
  if (report.invalid.length > 0)
    lines.push(
      "",
      "Left out, because they do no harm (or are not healthy):",
      "",
      ...report.invalid.map((id) => `- ${id}`),
    )
  if (report.mistakes.length > 0) lines.push("", "Wrong answers:", "", ...report.mistakes.map((text) => `- ${text}`))
  return `${lines.join("\n")}\n`
}
