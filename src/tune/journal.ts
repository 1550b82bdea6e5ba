// A study as lines of JSON in the form of Optuna's journal (one operation a line): written as records, read again by applying them in
// order. Plain data; files are in node-journal.ts.

import { dataError, show } from "../core/errors.ts"
import { distributionOf, externalOf, internalOf, type KnobValue, type Space } from "./space.ts"
import { type Direction, states, type Trial, type TrialState } from "./study.ts"

/** The operations, by their numbers. */
export const operations = {
  createStudy: 0,
  deleteStudy: 1,
  studyUserNote: 2,
  studySystemNote: 3,
  createTrial: 4,
  trialParameter: 5,
  trialState: 6,
  trialReport: 7,
  trialUserNote: 8,
  trialSystemNote: 9,
} as const

/** The directions, by their numbers. */
const directions = ["minimize", "maximize"] as const

/** One line of a journal, before or after it is text. */
export interface Entry {
  readonly op_code: number
  readonly worker_id: string
  readonly [field: string]: unknown
}

/** An entry without the name of who writes it. */
export type Draft = Omit<Entry, "worker_id"> & { readonly op_code: number }

/** A trial with what only the journal knows of it. */
interface Kept {
  trial: Trial
  readonly study: number
  readonly worker: string
  /** The values that a waiting trial is to be tried with. */
  readonly wanted: { readonly [knob: string]: KnobValue } | undefined
}

/** A study in a journal. */
interface StudyInfo {
  readonly name: string
  readonly direction: Direction
  readonly notes: { readonly [name: string]: unknown }
}

/** What the lines of a journal say, as far as they were applied. */
export class Replay {
  readonly #studies = new Map<number, StudyInfo>()
  readonly #trials: Kept[] = []
  #next = 0
  #lines = 0

  /** Applies the next line. Throws E_DATA for what is none of a journal. */
  apply(line: string, where: string): void {
    this.#lines++
    const place = `${where}, line ${this.#lines}`
    const entry = entryOf(line, place)
    const { op_code: op } = entry
    if (op === operations.createStudy) this.#createStudy(entry)
    else if (op === operations.deleteStudy) this.#studies.delete(entry.study_id as number)
    else if (op === operations.studyUserNote) this.#noteStudy(entry)
    else if (op === operations.createTrial) this.#createTrial(entry)
    else if (op > operations.createTrial && op <= operations.trialSystemNote) this.#change(entry, place)
    else if (op !== operations.studySystemNote) throw noJournal(place, `an operation from 0 to 9`, show(op))
  }

  /** The number of a study; undefined if there is none of this name. */
  studyId(name: string): number | undefined {
    for (const [id, study] of this.#studies) if (study.name === name) return id
    return undefined
  }

  /** The names of the studies. */
  get names(): string[] {
    return [...this.#studies.values()].map(({ name }) => name)
  }

  /** A study's direction and notes. */
  study(id: number): StudyInfo | undefined {
    return this.#studies.get(id)
  }

  /** The trials of a study in their order. */
  trials(study: number): Trial[] {
    return this.#trials.filter((kept) => kept.study === study).map(({ trial }) => trial)
  }

  /** The trials of a study that are said to run, with who runs them. */
  running(study: number): { readonly id: number; readonly worker: string; readonly trial: Trial }[] {
    return this.#trials.flatMap(({ trial, worker, study: own }, id) =>
      own === study && trial.state === "running" ? [{ id, worker, trial }] : [],
    )
  }

  /** The first trial that waits to be tried with given values. */
  waiting(
    study: number,
  ):
    | { readonly id: number; readonly trial: Trial; readonly values: { readonly [knob: string]: KnobValue } }
    | undefined {
    const id = this.#trials.findIndex(({ trial, study: own }) => own === study && trial.state === "waiting")
    return id < 0 ? undefined : { id, trial: this.#trials[id]!.trial, values: this.#trials[id]!.wanted ?? {} }
  }

  /** The number in the journal that the next trial will have. */
  get nextTrial(): number {
    return this.#trials.length
  }

  #createStudy(entry: Entry): void {
    const name = String(entry.study_name)
    if (this.studyId(name) !== undefined) return
    const [direction] = entry.directions as readonly number[]
    this.#studies.set(this.#next++, { name, direction: directions[direction! - 1] ?? "minimize", notes: {} })
  }

  #noteStudy(entry: Entry): void {
    const id = entry.study_id as number
    const study = this.#studies.get(id)
    if (study !== undefined)
      this.#studies.set(id, { ...study, notes: { ...study.notes, ...(entry.user_attr as object) } })
  }

  #createTrial(entry: Entry): void {
    const study = entry.study_id as number
    if (!this.#studies.has(study)) return
    const number = this.trials(study).length
    const system = (entry.system_attrs ?? {}) as { readonly fixed_params?: { readonly [knob: string]: KnobValue } }
    const { params = {}, distributions = {} } = entry as {
      params?: Record<string, number>
      distributions?: Record<string, string>
    }
    const values = Object.entries(params).map(([name, at]) => [name, externalOf(distributions[name]!, at)] as const)
    const reports = Object.entries((entry.intermediate_values ?? {}) as { readonly [step: string]: number })
    const trial: Trial = {
      number,
      state: states[(entry.state as number | undefined) ?? 0]!,
      values: Object.fromEntries(values) as Trial["values"],
      value: (entry.values as readonly number[] | undefined | null)?.[0] ?? (entry.value as number | null) ?? undefined,
      reports: reports.map(([step, value]) => ({ step: Number(step), value })),
      notes: (entry.user_attrs ?? {}) as Trial["notes"],
    }
    this.#trials.push({ trial, study, worker: entry.worker_id, wanted: system.fixed_params })
  }

  #change(entry: Entry, place: string): void {
    const kept = this.#trials[entry.trial_id as number]
    if (kept === undefined || ["complete", "pruned", "failed"].includes(kept.trial.state)) return
    const { trial } = kept
    const { op_code: op } = entry
    if (op === operations.trialParameter) {
      const value = externalOf(entry.distribution as string, entry.param_value_internal as number)
      kept.trial = { ...trial, values: { ...trial.values, [String(entry.param_name)]: value as KnobValue } }
    } else if (op === operations.trialState) {
      const state = states[entry.state as number]
      if (state === undefined) throw noJournal(place, "a state from 0 to 4", show(entry.state))
      kept.trial = { ...trial, state, value: (entry.values as readonly number[] | null)?.[0] ?? trial.value }
    } else if (op === operations.trialReport) {
      const report = { step: entry.step as number, value: entry.intermediate_value as number }
      // A null stands for what was no number.
      if (typeof report.value !== "number") return
      const others = trial.reports.filter(({ step }) => step !== report.step)
      kept.trial = { ...trial, reports: [...others, report].sort((a, b) => a.step - b.step) }
    } else if (op === operations.trialUserNote) {
      kept.trial = { ...trial, notes: { ...trial.notes, ...(entry.user_attr as object) } }
    }
  }
}

/** The entry that begins a study. */
export function studyDraft(name: string, direction: Direction): Draft {
  return { op_code: operations.createStudy, study_name: name, directions: [directions.indexOf(direction) + 1] }
}

/** The entries that begin a trial with its values. */
export function trialDrafts(study: number, id: number, space: Space, values: Trial["values"]): Draft[] {
  return [
    { op_code: operations.createTrial, study_id: study, datetime_start: now() },
    ...parameterDrafts(id, space, values),
  ]
}

/**
 * The entry of a trial that waits to be tried with given values: Optuna, too, takes it before it samples others. What was reported of
 * it before it was interrupted stays known; it is measured again when it begins again.
 */
export function waitingDraft(study: number, { values, reports }: Pick<Trial, "values" | "reports">): Draft {
  const state = states.indexOf("waiting")
  const system = { fixed_params: values }
  const nothing = { value: null, values: null, datetime_start: null, distributions: {}, params: {}, user_attrs: {} }
  return {
    op_code: operations.createTrial,
    study_id: study,
    state,
    ...nothing,
    system_attrs: system,
    intermediate_values: Object.fromEntries(reports.map(({ step, value }) => [step, value])),
  }
}

/** The entries by which a waiting trial begins. */
export function wakingDrafts(id: number, space: Space, values: Trial["values"]): Draft[] {
  return [stateDraft(id, "running"), ...parameterDrafts(id, space, values)]
}

function parameterDrafts(id: number, space: Space, values: Trial["values"]): Draft[] {
  return Object.entries(space).map(([name, knob]) => ({
    op_code: operations.trialParameter,
    trial_id: id,
    param_name: name,
    param_value_internal: internalOf(knob, values[name]!),
    distribution: distributionOf(knob),
  }))
}

/** The entry of a trial's new state. */
export function stateDraft(id: number, state: TrialState, value?: number): Draft {
  const time = state === "running" ? { datetime_start: now() } : state === "waiting" ? {} : { datetime_complete: now() }
  const values = value === undefined ? null : [value]
  return { op_code: operations.trialState, trial_id: id, state: states.indexOf(state), values, ...time }
}

/** The entry of a report on the way. */
export function reportDraft(id: number, step: number, value: number): Draft {
  return { op_code: operations.trialReport, trial_id: id, step, intermediate_value: value }
}

/** The entry of a note. */
export function noteDraft(id: number, name: string, value: unknown): Draft {
  return { op_code: operations.trialUserNote, trial_id: id, user_attr: { [name]: value } }
}

/** The local time as Python writes it: Optuna's times have no zone. */
function now(): string {
  const date = new Date()
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString()
  return `${local.slice(0, -1)}000`
}

/** NaN and infinities, as Python writes them, outside of texts. */
const NO_NUMBERS = /("(?:[^"\\]|\\.)*")|-?Infinity|NaN/g

function entryOf(line: string, place: string): Entry {
  let entry: unknown
  try {
    entry = JSON.parse(line.replace(NO_NUMBERS, (_, text: string | undefined) => text ?? "null"))
  } catch {
    throw noJournal(place, "a line of JSON", show(line))
  }
  const found = entry as Partial<Entry> | null
  if (typeof found === "object" && found !== null && Number.isInteger(found.op_code)) return found as Entry
  throw noJournal(place, "an object with op_code", show(entry))
}

function noJournal(where: string, expected: string, got: string): Error {
  const hint = "A study is a file in the form of Optuna's JournalFileStorage."
  return dataError({ where, what: "this is no line of a study.", expected, got, hint })
}
