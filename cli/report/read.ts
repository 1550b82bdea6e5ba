// A run folder for those who tell of it: what is in its files, as far as it is what trilobite writes. Bad lines are left out.

import { existsSync, readFileSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import { parseJson } from "../../src/datasets.ts"
import {
  type Diagnosis,
  diagnose,
  type EpochFacts,
  type Evidence,
  type Finding,
  TrilobiteError,
} from "../../src/index.ts"
import { files } from "../run-folder.ts"
import { isAlive, type Live } from "../run-lock.ts"
import type { Answers, LayerSignals, Mistake, Signals } from "../signals.ts"

/** A value of JSON that is an object. */
export type Fields = { readonly [key: string]: unknown }

/** What was measured in an epoch, counted from 1. */
export type Measures = { readonly epoch: number } & { readonly [measure: string]: number }

/** A run as its folder tells it; what is not there or cannot be read is empty, and the state says so. */
export interface FoundRun {
  readonly name: string
  readonly folder: string
  /** How it has ended, `running`, `without a result`, or `unreadable`. */
  readonly state: string
  readonly config: Fields
  readonly result: Fields
}

/** The largest file of lines that is read: bytes. */
const LIMIT = 64 * 2 ** 20

/** The folder of a run that is named by it or by its name below `runs`. Throws E_IO if there is none. */
export function findRun(runs: string, name: string): FoundRun {
  const path = [name, join(runs, name)].find((candidate) => existsSync(join(candidate, files.config)))
  if (path !== undefined) return readFound(path)
  throw new TrilobiteError("E_IO", {
    where: name,
    what: "there is no such run.",
    expected: `a run in ${runs}, or its folder`,
    hint: "trilobite runs lists them.",
  })
}

/** A run as its folder tells it. */
export function readFound(folder: string): FoundRun {
  const [config, result, live] = [files.config, files.result, files.live].map((file) => fieldsOf(join(folder, file)))
  const bad = config === undefined || (result === undefined && existsSync(join(folder, files.result)))
  const ended = typeof result?.ended === "string" ? result.ended : undefined
  const state = bad ? "unreadable" : isAlive((live ?? {}) as Partial<Live>) ? "running" : (ended ?? "without a result")
  return { name: basename(folder), folder, state, config: config ?? {}, result: result ?? {} }
}

function fieldsOf(path: string): Fields | undefined {
  try {
    return asFields(parseJson(readFileSync(path, "utf8"), path))
  } catch {
    return undefined
  }
}

const asFields = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined

/** The objects that are the lines of a file of a run; empty if it is not there. Throws E_DATA if it is too long. */
function linesOf(folder: string, name: string): readonly Fields[] {
  const path = join(folder, name)
  let text: string
  try {
    if (statSync(path).size > LIMIT) {
      const expected = `at most ${LIMIT} bytes`
      throw new TrilobiteError("E_DATA", { where: path, what: "this file of a run is too long.", expected })
    }
    text = readFileSync(path, "utf8")
  } catch (error) {
    if (error instanceof TrilobiteError) throw error
    return []
  }
  return text.split("\n").flatMap((line) => {
    try {
      const fields = line === "" ? undefined : asFields(JSON.parse(line))
      return fields === undefined ? [] : [fields]
    } catch {
      return []
    }
  })
}

/** The finished epochs of a run, with growing numbers. */
export function epochsOf(folder: string): readonly Measures[] {
  return growing(
    linesOf(folder, files.history).map(
      (line) => Object.fromEntries(Object.entries(line).filter(([, value]) => isNumber(value))) as Measures,
    ),
  )
}

/** What was observed after its epochs. */
export function signalsOf(folder: string): readonly Signals[] {
  return growing(linesOf(folder, files.signals).flatMap((line) => asSignals(line) ?? []))
}

/** What the coach has said of a run: each thing once, faults before tips, the surest first; undefined if it did not watch it. */
export function findingsOf(folder: string): readonly Finding[] | undefined {
  if (!existsSync(join(folder, files.findings))) return undefined
  const said = linesOf(folder, files.findings).flatMap(({ finding }) => asFinding(finding) ?? [])
  const last = new Map(said.map((finding) => [`${finding.code} ${finding.layer ?? ""}`, finding]))
  const rank = ({ kind, score }: Finding): number => (kind === "fault" ? 1000 : 0) + score
  return [...last.values()].sort((a, b) => rank(b) - rank(a))
}

/**
 * What the coach has seen of a run, of its last training if it was taken up again; undefined if it did not watch. Throws E_DATA if the
 * first line is not what trilobite writes.
 */
export function evidenceOf(folder: string): Evidence | undefined {
  let all: (Evidence & { readonly epochs: EpochFacts[] }) | undefined
  for (const line of linesOf(folder, files.evidence)) {
    if (asFields(line.network) !== undefined) all = { ...asFacts(join(folder, files.evidence), line), epochs: [] }
    else if (all !== undefined && isCount(line.epoch) && Array.isArray(line.kernels))
      all.epochs.push(line as unknown as EpochFacts)
    else if (all !== undefined && typeof line.ended === "string")
      all = { ...all, ...(line as Partial<Evidence>), epochs: all.epochs }
  }
  return all
}

/** What evidence from a file shows: it may have holes where rules look. Throws E_DATA for such. */
export async function diagnosed(where: string, evidence: Evidence): Promise<Diagnosis> {
  try {
    return await diagnose(evidence)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const what = `${files.evidence} is not what the coach has written.`
    throw new TrilobiteError("E_DATA", { where, what, hint: "Train again." }, { cause: error })
  }
}

/** What the coach makes of all that it has seen of a run, the headline first; undefined if it did not watch. Throws E_DATA. */
export async function foundIn(folder: string): Promise<readonly Finding[] | undefined> {
  const evidence = evidenceOf(folder)
  if (evidence === undefined) return undefined
  const { headline, also, tips } = await diagnosed(folder, evidence)
  return [...(headline === undefined ? [] : [headline]), ...also, ...tips]
}

function asFacts(where: string, line: Fields): Omit<Evidence, "epochs"> {
  const { layers, output } = asFields(line.network) ?? {}
  if (Array.isArray(layers) && asFields(output) !== undefined && asFields(line.training) !== undefined)
    return line as unknown as Omit<Evidence, "epochs">
  const hint = "trilobite doctor looks at its data again: remove this file."
  throw new TrilobiteError("E_DATA", { where, what: "this is not what the coach has written.", hint })
}

/** What procedures have decided for a run: a sentence each. */
export function decidedIn(folder: string): readonly string[] {
  return linesOf(folder, files.decisions).flatMap(({ text }) => (typeof text === "string" ? [text] : []))
}

function growing<T extends { readonly epoch: number }>(lines: readonly T[]): readonly T[] {
  let last = 0
  return lines.filter(({ epoch }) => {
    const fits = Number.isSafeInteger(epoch) && epoch > last
    if (fits) last = epoch
    return fits
  })
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function asSignals({ epoch, learningRate, samplesPerSecond, rows, layers, answers }: Fields): Signals | undefined {
  if (!isCount(epoch) || !Array.isArray(layers)) return undefined
  const good = layers.filter((layer: unknown): layer is LayerSignals => {
    const { layer: name, speed, units, saturated, dead, gradient } = asFields(layer) ?? {}
    const numbers = [units, saturated, dead, gradient]
    return (
      typeof name === "string" && isNumber(speed) && numbers.every((value) => value === undefined || isNumber(value))
    )
  })
  const number = (value: unknown): number => (isNumber(value) ? value : 0)
  const known = asAnswers(answers)
  return {
    epoch,
    learningRate: number(learningRate),
    samplesPerSecond: number(samplesPerSecond),
    rows: number(rows),
    layers: good,
    ...(known === undefined ? {} : { answers: known }),
  }
}

function asAnswers(value: unknown): Answers | undefined {
  const { confusion, mistakes, wrong } = asFields(value) ?? {}
  const matrix = asMatrix(confusion)
  if (matrix === undefined || !Array.isArray(mistakes) || !Array.isArray(wrong)) return undefined
  const good = mistakes.filter((mistake: unknown): mistake is Mistake => {
    const { index, label, said, probability } = asFields(mistake) ?? {}
    return isCount(index) && isCount(label) && isCount(said) && isNumber(probability)
  })
  return { confusion: matrix, mistakes: good, wrong: wrong.filter(isCount) }
}

/** A square of counts. */
export function asMatrix(value: unknown): readonly (readonly number[])[] | undefined {
  const isSquare =
    Array.isArray(value) &&
    value.every((row) => Array.isArray(row) && row.length === value.length && row.every(isCount))
  return isSquare ? (value as readonly (readonly number[])[]) : undefined
}

function asFinding(value: unknown): Finding | undefined {
  const { code, cause, kind, epoch, score, layer, saw, normal, why, change, expect } = asFields(value) ?? {}
  const { text, code: lines } = asFields(change) ?? {}
  const { text: expected } = asFields(expect) ?? {}
  const texts = [code, cause, saw, normal, why, text, lines, expected]
  const fits =
    texts.every((part) => typeof part === "string") &&
    (kind === "fault" || kind === "tip") &&
    isNumber(score) &&
    (layer === undefined || typeof layer === "string") &&
    (epoch === null || isCount(epoch))
  return fits ? (value as Finding) : undefined
}
