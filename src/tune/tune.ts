// The search: asks a sampler for configurations, has them tried, several at a time, ends those that lag behind, and keeps a study.

import { checkKeys, configError, show, TrilobiteError } from "../core/errors.ts"
import { drawsOf } from "./draws.ts"
import {
  type Draft,
  noteDraft,
  Replay,
  reportDraft,
  stateDraft,
  studyDraft,
  trialDrafts,
  waitingDraft,
  wakingDrafts,
} from "./journal.ts"
import type { Pruner } from "./pruning.ts"
import { type Sampler, type SamplerName, samplerNamed, tpe } from "./samplers.ts"
import { allows, checkSpace, type Space, type Values } from "./space.ts"
import { bestOf, type Direction, meanOf, standardError, type Trial } from "./study.ts"

/** What an objective is given beside the values. */
export interface Run {
  /** The number of the trial. */
  readonly number: number
  /** The seed that the training shall use: that of the search, plus 1 for each further run of the same values. */
  readonly seed: number
  /** Aborted when the time is over or the caller's signal is: pass it to `fit`. */
  readonly signal: AbortSignal
  /** Notes what was measured after a step (an epoch); true: end now, others are better. Numbers that are not finite are left out. */
  report(step: number, value: number): boolean
  /** Notes something of the trial that a study file can hold. */
  note(name: string, value: string | number | boolean | null): void
}

/** Tries values: trains a network with them and says how good it is. */
export type Objective<S extends Space> = (values: Values<S>, run: Run) => number | Promise<number>

/** How a search is made. */
export interface TuneOptions {
  /** Trials in all, with those that a study file holds already (default 40, or no bound if `seconds` are given). */
  readonly trials?: number
  /** How long it may take. What still runs then is ended and counts as pruned. */
  readonly seconds?: number
  /** What is tried next (default tpe). */
  readonly sampler?: SamplerName | Sampler
  /** Which trials are ended early (default none). */
  readonly pruner?: Pruner
  /** Whether less or more is better (default minimize). */
  readonly direction?: Direction
  /** What everything that is drawn depends on (default 0). */
  readonly seed?: number
  /** Runs of each configuration, each with a seed of its own (default 1); its value is their mean. Reports of the first one prune. */
  readonly seeds?: number
  /** Trials at a time (default 1). */
  readonly parallel?: number
  /** A file that keeps the study (Node only), in the form of Optuna's JournalFileStorage: if it is there, the search goes on. */
  readonly study?: string
  /** The name of the study in its file (default trilobite). */
  readonly name?: string
  /** Ends the search. Trials that run are begun again when it goes on. */
  readonly signal?: AbortSignal
  /** Told of each trial that has ended, with all trials so far. */
  readonly onTrial?: (trial: Trial, trials: readonly Trial[]) => void
}

/** What a search has found. */
export interface Study<S extends Space = Space> {
  readonly direction: Direction
  /** In the order in which they began. */
  readonly trials: readonly Trial[]
  /** The best of those that were completed. */
  readonly best: (Trial & { readonly values: Values<S> }) | undefined
  /** Why it ended: all trials are done, the time is over, the sampler has nothing left, or the signal. */
  readonly ended: "completed" | "time" | "exhausted" | "aborted"
}

const optionNames: readonly (keyof TuneOptions)[] = [
  "trials",
  "seconds",
  "sampler",
  "pruner",
  "direction",
  "seed",
  "seeds",
  "parallel",
  "study",
  "name",
  "signal",
  "onTrial",
]

/**
 * Searches for the values with which an objective is best: minimises (or maximises) f(values) over a space. With the same seed and
 * trials that end in the same order it tries the same configurations.
 * @throws E_CONFIG for spaces and options that are none; E_IO and E_DATA for a study file that cannot be used; what the objective throws,
 * but for E_DIVERGED: such a trial counts as failed, as does one whose value is not finite.
 * @example
 * ```ts
 * import { choice, logUniform, tune } from "trilobite/tune"
 * const space = { rate: logUniform(1e-3, 1), square: choice([true, false]) }
 * const cost = ({ rate, square }: { readonly rate: number; readonly square: boolean }) => {
 *   const distance = Math.abs(rate - 0.1)
 *   return square ? distance * distance : 1 + distance
 * }
 * const study = await tune(cost, space, { trials: 40, seed: 1 })
 * study.best!.values.square // => true
 * study.best!.value! < 0.01 // => true
 * ```
 */
export async function tune<const S extends Space>(
  objective: Objective<S>,
  space: S,
  options: TuneOptions = {},
): Promise<Study<S>> {
  checkSpace("tune", space)
  const search = readOptions(options)
  const store = await openStore(options, search.direction)
  const clock = new AbortController()
  const stop = AbortSignal.any([clock.signal, ...(options.signal === undefined ? [] : [options.signal])])
  const timer = setTimeout(() => clock.abort(), Math.min(search.seconds * 1000, LONGEST))
  let ended: Study["ended"] | undefined
  const worker = async (): Promise<void> => {
    while (ended === undefined) {
      if (stop.aborted) {
        ended = options.signal?.aborted === true ? "aborted" : "time"
        return
      }
      const begun = await begin(store, space, search)
      if (typeof begun === "string") {
        ended ??= begun
        return
      }
      await attempt(store, begun, objective, space, search, stop, options)
    }
  }
  try {
    await Promise.all(Array.from({ length: search.parallel }, worker))
  } finally {
    clearTimeout(timer)
    clock.abort()
  }
  const trials = store.trials()
  const best = bestOf(trials, search.direction) as Study<S>["best"]
  return {
    direction: search.direction,
    trials,
    best,
    ended: options.signal?.aborted === true ? "aborted" : (ended ?? "completed"),
  }
}

/** The longest time of a timer, in milliseconds: 25 days. */
const LONGEST = 2_147_483_647

type Search = ReturnType<typeof readOptions>

function readOptions(options: TuneOptions) {
  checkKeys("tune", options, optionNames)
  const { seconds = Number.POSITIVE_INFINITY, direction = "minimize", seed = 0, seeds = 1, parallel = 1 } = options
  const trials = options.trials ?? (options.seconds === undefined ? 40 : Number.POSITIVE_INFINITY)
  const check = (name: string, value: unknown, fits: boolean, expected: string): void => {
    if (!fits)
      throw configError({ where: `tune, ${name}`, what: "this value is not possible.", expected, got: show(value) })
  }
  const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 1
  check("trials", trials, isCount(trials) || options.trials === undefined, "a whole number, at least 1")
  check("seconds", seconds, seconds > 0, "a number above 0")
  check("direction", direction, ["minimize", "maximize"].includes(direction), '"minimize" or "maximize"')
  check("seed", seed, Number.isSafeInteger(seed) && seed >= 0, `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`)
  check("seeds", seeds, isCount(seeds), "a whole number, at least 1")
  check("parallel", parallel, isCount(parallel), "a whole number, at least 1")
  const { sampler = tpe() } = options
  return {
    trials,
    seconds,
    direction,
    seed,
    seeds,
    parallel,
    pruner: options.pruner,
    sampler: typeof sampler === "string" ? samplerNamed("tune, sampler", sampler) : sampler,
  }
}

/** Where the trials of one study are kept. */
interface Store {
  trials(): readonly Trial[]
  /** Adds entries that depend on what is there; answers what `build` answers. */
  add<T>(
    build: (replay: Replay, study: number) => { readonly drafts: readonly Draft[]; readonly answer: T },
  ): Promise<T>
}

async function openStore(options: TuneOptions, direction: Direction): Promise<Store> {
  const { name = "trilobite" } = options
  const begun = studyDraft(name, direction)
  if (options.study === undefined) return memory(begun)
  const { JournalFile } = await import("./node-journal.ts")
  const file = new JournalFile(options.study)
  await file.transact((replay) => ({ drafts: replay.studyId(name) === undefined ? [begun] : [], answer: undefined }))
  const id = file.replay.studyId(name)!
  if (file.replay.study(id)!.direction !== direction) {
    const got = file.replay.study(id)!.direction
    const hint = "Name another study, or search in its direction."
    throw configError({
      where: `${options.study}, study ${show(name)}`,
      what: "this study goes the other way.",
      expected: direction,
      got,
      hint,
    })
  }
  const store: Store = {
    trials: () => file.replay.trials(id),
    add: (build) => file.transact((replay) => build(replay, id)),
  }
  // What a killed process was at is tried again.
  await store.add((replay, study) => {
    const left = replay.running(study).filter(({ worker }) => file.isDead(worker))
    return {
      drafts: left.flatMap((trial) => [stateDraft(trial.id, "failed"), waitingDraft(study, trial.trial)]),
      answer: undefined,
    }
  })
  return store
}

function memory(begun: Draft): Store {
  const replay = new Replay()
  const write = (draft: Draft): void => replay.apply(JSON.stringify({ worker_id: "", ...draft }), "the study")
  write(begun)
  return {
    trials: () => replay.trials(0),
    add: async (build) => {
      const { drafts, answer } = build(replay, 0)
      for (const draft of drafts) write(draft)
      return answer
    },
  }
}

/** A trial that has begun: its number in the journal, and its values. */
interface Begun {
  readonly id: number
  readonly number: number
  readonly values: Trial["values"]
}

/** Begins the next trial: one that waits, or one that the sampler names; otherwise why there is none. */
function begin(store: Store, space: Space, search: Search): Promise<Begun | Study["ended"]> {
  return store.add<Begun | Study["ended"]>((replay, study) => {
    const trials = replay.trials(study)
    const waiting = replay.waiting(study)
    if (waiting !== undefined && Object.entries(space).every(([name, knob]) => allows(knob, waiting.values[name]))) {
      const { id, values, trial } = waiting
      return { drafts: wakingDrafts(id, space, values), answer: { id, number: trial.number, values } }
    }
    // Trials that failed for another reason than their values are not among those that were asked for.
    const counted = trials.filter(({ state, notes }) => state !== "failed" || notes.diverged === true)
    if (counted.length >= search.trials) {
      return { drafts: [], answer: "completed" }
    }
    const number = trials.length
    const { direction } = search
    const values = search.sampler({ space, trials, direction, number, draws: drawsOf(search.seed, number) })
    if (values === undefined) return { drafts: [], answer: "exhausted" }
    for (const [name, knob] of Object.entries(space)) {
      if (allows(knob, values[name])) continue
      const where = `tune, sampler, ${name}`
      throw configError({
        where,
        what: "the sampler names a value that its knob does not have.",
        got: show(values[name]),
      })
    }
    const id = replay.nextTrial
    return { drafts: trialDrafts(study, id, space, values), answer: { id, number, values } }
  })
}

async function attempt<S extends Space>(
  store: Store,
  { id, number, values }: Begun,
  objective: Objective<S>,
  _space: Space,
  { direction, seed, seeds, pruner }: Search,
  stop: AbortSignal,
  options: TuneOptions,
): Promise<void> {
  const reports: { readonly step: number; readonly value: number }[] = []
  const own: Trial = { number, state: "running", values, value: undefined, reports, notes: {} }
  const written: Promise<unknown>[] = []
  const write = (...drafts: Draft[]): void => {
    const writing = store.add(() => ({ drafts, answer: undefined }))
    // Its failure is told below, where all of them are awaited.
    writing.catch(() => {})
    written.push(writing)
  }
  let pruned = false
  const found: number[] = []
  let diverged = false
  for (let i = 0; i < seeds && !pruned && !diverged && !stop.aborted; i++) {
    const run: Run = {
      number,
      seed: seed + i,
      signal: stop,
      report: (step, value) => {
        if (i > 0 || !Number.isFinite(value)) return stop.aborted
        reports.push({ step, value })
        write(reportDraft(id, step, value))
        pruned ||=
          pruner?.(
            store.trials().filter((trial) => trial.number !== number),
            own,
            direction,
          ) ?? false
        return pruned || stop.aborted
      },
      note: (name, value) => write(noteDraft(id, name, value)),
    }
    try {
      const value = await objective(values as Values<S>, run)
      if (Number.isFinite(value)) found.push(value)
      else diverged = true
    } catch (error) {
      diverged = error instanceof TrilobiteError && error.code === "E_DIVERGED"
      if (!diverged) {
        await Promise.all(written)
        await store.add((replay, study) => ({
          drafts: stop.aborted
            ? [stateDraft(id, "failed"), waitingDraft(study, replay.trials(study)[number]!)]
            : [stateDraft(id, "failed")],
          answer: undefined,
        }))
        if (stop.aborted) return
        throw error
      }
    }
  }
  await Promise.all(written)
  const late = stop.aborted && !pruned && !diverged
  await store.add((replay, study) => {
    const last = reports.at(-1)
    if (options.signal?.aborted === true && late) {
      return {
        drafts: [stateDraft(id, "failed"), waitingDraft(study, replay.trials(study)[number]!)],
        answer: undefined,
      }
    }
    if (diverged) return { drafts: [noteDraft(id, "diverged", true), stateDraft(id, "failed")], answer: undefined }
    if (pruned || late) {
      return { drafts: [stateDraft(id, last === undefined ? "failed" : "pruned", last?.value)], answer: undefined }
    }
    const error = standardError(found)
    const notes = found.length < 2 ? [] : [noteDraft(id, "values", found), noteDraft(id, "standardError", error)]
    return { drafts: [...notes, stateDraft(id, "complete", meanOf(found))], answer: undefined }
  })
  const trials = store.trials()
  options.onTrial?.(trials[number]!, trials)
}
