// Whether what the coach has promised of a change came true in the run that made it: of two runs on the same data the later one differs
// from the earlier in nothing but the settings that a finding of the earlier named. Knows no training.

import { existsSync, readdirSync, statSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { type Evidence, type Finding, type Kept, promiseOf } from "../src/index.ts"
import { type Fields, type FoundRun, foundIn, readFound } from "./report/read.ts"
import { files } from "./run-folder.ts"
import { digits, percent } from "./scores.ts"
import { type SettingName, settings, settingsIn } from "./settings.ts"

/** A promise that can be checked: the run in which it was given, and what came of it. */
export interface Promised extends Kept {
  readonly run: string
}

/** The most runs that are looked through. */
const MOST_RUNS = 50

const text = (value: unknown): string => JSON.stringify(value ?? null)

/** What runs are trained on: only where it is the same the numbers of two runs say something of each other. */
const dataOf = ({ net, target, task, dataset }: Fields): string => text([net, target, task, dataset])

/** Whether a run on the same data is another one with exactly this change. */
function follows(before: Fields, after: Fields, flags: string): boolean {
  const wanted = settingsIn(flags)
  if (wanted === undefined) return false
  const different = settings.filter(({ name }) => name !== "data" && text(before[name]) !== text(after[name]))
  const made = ({ name }: { readonly name: SettingName }): boolean =>
    wanted.has(name) && text(wanted.get(name)) === text(after[name])
  return different.length > 0 && different.every(made) && [...wanted.keys()].every((name) => made({ name }))
}

/** Whether what was promised in one run came true in another; undefined unless that is the run with the change, or it is too early to say. */
export async function promiseBetween(
  before: FoundRun,
  after: { readonly config: Fields; readonly evidence: Evidence | undefined },
): Promise<Promised | undefined> {
  if (after.evidence === undefined || dataOf(before.config) !== dataOf(after.config)) return undefined
  const found = (await foundIn(before.folder)) ?? []
  const finding = found.find(({ change: { flag } }) => flag !== undefined && follows(before.config, after.config, flag))
  const kept = finding && (await promiseOf(finding, after.evidence))
  return kept && { run: before.name, ...kept }
}

/** The same for a run among those beside it that are older, the newest first. */
export async function promiseKept(
  folder: string,
  config: Fields,
  evidence: Evidence | undefined,
): Promise<Promised | undefined> {
  const beside = dirname(resolve(folder))
  if (evidence === undefined || !existsSync(beside)) return undefined
  const began = (run: string): number => statSync(join(run, files.config)).mtimeMs
  const own = existsSync(join(folder, files.config)) ? began(folder) : Number.POSITIVE_INFINITY
  const older = readdirSync(beside, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== basename(resolve(folder)))
    .map(({ name }) => join(beside, name))
    .filter((run) => existsSync(join(run, files.config)) && began(run) <= own)
    .sort((a, b) => began(b) - began(a))
    .slice(0, MOST_RUNS)
  for (const run of older) {
    // Of a run whose files cannot be read nothing is said.
    const promised = await promiseBetween(readFound(run), { config, evidence }).catch(() => undefined)
    if (promised !== undefined) return promised
  }
  return undefined
}

/** A promise as JSON. */
export const promiseFields = ({ run, finding, cameTrue, measured }: Promised): Fields => ({
  ...{ run, code: finding.code, cause: finding.cause, change: finding.change, expect: finding.expect, cameTrue },
  ...(measured === undefined ? {} : { measured }),
})

/**
 * Whether a run that was made longer has kept what its coach promised of exactly that; `found` is what was found in it before it was taken
 * up again. All else of such a run is as it was.
 */
export async function promiseOfMore(
  folder: string,
  found: readonly Finding[],
  { epochs }: Fields,
  evidence: Evidence | undefined,
): Promise<Promised | undefined> {
  const finding = found.find(({ change: { edit } }) => edit.kind === "epochs" && edit.to === epochs)
  const kept = finding && evidence && (await promiseOf(finding, evidence))
  return kept && { run: basename(resolve(folder)), ...kept }
}

/** What is measured, in words. */
const MEASURES: { readonly [measure in Finding["expect"]["measure"]]: string } = {
  loss: "cost",
  valLoss: "validation cost",
  keptValLoss: "validation cost of the weights that are kept",
  stepShare: "steps as a share of the weights",
  saturated: "values on the flat ends",
  dead: "silent neurons",
  gap: "validation's distance from training",
  recall: "found of the rarest class",
  shared: "validation rows that are training rows",
  finite: "cost",
}
const SHARES: ReadonlySet<string> = new Set(["stepShare", "saturated", "dead", "gap", "recall", "shared"])

/** A promise and what came of it, in a sentence or two. */
export function promiseText({ run, finding, cameTrue, measured }: Promised): string {
  const { measure, below, above } = finding.expect
  const number = (value: number): string => (SHARES.has(measure) ? percent(value) : digits(value))
  const bounds = [
    ...(below === undefined ? [] : [`below ${number(below)}`]),
    ...(above === undefined ? [] : [`above ${number(above)}`]),
  ].join(" and ")
  const told =
    measured === undefined
      ? "the cost left all numbers"
      : measure === "finite"
        ? `the cost is ${measured === 1 ? "" : "not "}a finite number`
        : `${MEASURES[measure]} ${number(measured)}, promised ${bounds}`
  const what = cameTrue ? "came true" : "did not come true"
  return `What ${run} promised for "${finding.cause}" ${what}: ${told}. The change: ${finding.change.flag}.`
}
