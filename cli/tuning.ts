// A search from the command line: what is searched, by the chapter's procedure or by a sampler, the last training, and what is left of it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join, resolve } from "node:path"
import { plotSvg, TrilobiteError } from "../src/index.ts"
import {
  chapterLadder,
  choice,
  climb,
  climbing,
  type Decision,
  firstLearningRate,
  importance,
  type Ladder,
  logUniform,
  type Pruner,
  randomSearch,
  type Sampler,
  type Space,
  type Study,
  successiveHalving,
  type Trial,
  tpe,
  tune,
  whole,
} from "../src/tune.ts"
import type { TrainConfig } from "./config.ts"
import { watchInterrupts } from "./interrupt.ts"
import { decideLast, finalists } from "./last-decision.ts"
import { printJson, printLine } from "./output.ts"
import { decidedIn } from "./report/read.ts"
import { appendLines, files, newRunFolder, quoted, writeJson } from "./run-folder.ts"
import { complete, type Settings } from "./settings.ts"
import { rowsFor, shortName } from "./table-rows.ts"
import { isImageSet, isPackaged } from "./tables.ts"
import { Pool } from "./tune-pool.ts"
import { accuracyIn, type EpochLogs } from "./tune-worker.ts"
import { usageError } from "./values.ts"

/** The samplers that the command line knows: `chapter` climbs, then leaves the rest to TPE. */
export const samplers = ["chapter", "tpe", "random"] as const

/** The options of `trilobite tune`. */
export interface TuningOptions {
  readonly trials?: number
  /** Seconds. */
  readonly budget?: number
  readonly sampler?: (typeof samplers)[number]
  readonly seeds?: number
  readonly parallel?: number
  readonly out?: string
  readonly resume?: string
  readonly quiet?: true
  readonly json?: true
}

/** What is in the folder of a search. */
const names = {
  plan: "tune.json",
  study: "study.jsonl",
  best: "best.json",
  model: "model.safetensors",
  result: "result.json",
} as const

/** What is needed to go on with a search. */
interface Plan {
  readonly base: TrainConfig & { readonly data: string }
  readonly sampler: (typeof samplers)[number]
  readonly seeds: number
  /** With how many seeds the best trials are compared at the end. */
  readonly lastSeeds?: number
}

/** The share of the time that is spent on the search; the rest is for training the best in full. */
const SEARCH = 0.6
const DEFAULT_TRIALS = 40
/** Seeds with which the best trials are compared in the end, and the share of the time left that this may take. */
const LAST_SEEDS = 3
const LAST = 0.25
/** How many times as many epochs as a trial the last training may use, and as much patience. */
const LONGER = 4

/** Searches; answers with the exit code. */
export async function runTuning(given: TrainConfig, options: TuningOptions): Promise<number> {
  const started = performance.now()
  const { folder, plan } = options.resume === undefined ? newPlan(given, options) : oldPlan(options.resume)
  const base = complete({ ...defaultsFor(plan.base.data), ...plan.base })
  const { epochs } = base
  if (epochs === "auto") {
    const hint = "Leave --epochs out: the best net is trained until it no longer gets better."
    throw usageError({
      where: "--epochs",
      what: "the trainings of a search have a number of epochs.",
      got: epochs,
      hint,
    })
  }
  // Errors about data are told here, with their own exit codes, before any process is started.
  if (!isImageSet(plan.base.data)) await rowsFor(base)
  const search = searchOf(base)
  const parallel = options.parallel ?? availableParallelism()
  const lively = !options.json && !options.quiet
  const seconds = options.budget
  const interrupt = watchInterrupts(() => {
    if (!options.json) process.stderr.write("\nStopping; what is done is kept. Ctrl-C again ends it at once.\n")
  })
  const pool = await Pool.start(parallel, base)
  try {
    if (options.resume === undefined) {
      mkdirSync(resolve(folder), { recursive: true })
      writeJson(join(folder, names.plan), plan)
    }
    if (lively) printLine(`${search.about}\n\nTrial  ${search.head}  cost      accuracy  epochs`)
    const told = new Set(decidedIn(folder))
    const tell = (decision: Decision): void => {
      if (told.has(decision.text)) return
      told.add(decision.text)
      appendLines(folder, files.decisions, [decision])
      if (lively) printLine(`       ${decision.text}`)
    }
    const onTrial = (trial: Trial, trials: readonly Trial[]): void => {
      if (options.json && !options.quiet) printJson(lineOf(trial))
      else if (lively) printLine(`${String(trial.number).padStart(5)}  ${search.row(trial)}`)
      if (plan.sampler !== "chapter") return
      for (const decision of climb(search.ladders, trials, "minimize").decisions) tell(decision)
    }
    const left = (): number =>
      seconds === undefined ? Number.POSITIVE_INFINITY : seconds - (performance.now() - started) / 1000
    /** Seconds of each trial, as far as this process has trained it. */
    const took = new Map<number, number>()
    const study = await tune(
      async (values, run) => {
        const settings = { ...search.settings(values), seed: run.seed }
        const began = performance.now()
        const { best, diverged } = await pool.train(settings, 1, {
          signal: run.signal,
          onEpoch: ({ epoch, logs }) => run.report(epoch, costOf(logs)),
        })
        took.set(run.number, (performance.now() - began) / 1000)
        if (diverged) return Number.NaN
        if (best === undefined)
          throw new TrilobiteError("E_ENGINE", { what: "the training has ended before its first epoch." })
        const accuracy = accuracyIn(best.logs)
        if (accuracy !== undefined) run.note("accuracy", accuracy)
        run.note("bestEpoch", best.epoch)
        return costOf(best.logs)
      },
      search.space,
      {
        study: join(folder, names.study),
        trials: options.trials ?? (seconds === undefined ? DEFAULT_TRIALS : 1_000_000),
        ...(seconds === undefined ? {} : { seconds: Math.max(0.1, left() * SEARCH) }),
        sampler: samplerOf(plan.sampler, search.ladders),
        pruner: prunerOf(plan, search.ladders),
        seed: base.seed,
        seeds: plan.seeds,
        parallel,
        signal: interrupt.signal,
        onTrial,
      },
    )
    const resume = `trilobite tune --resume ${quoted(folder)}`
    let best = study.best ?? furthest(study)
    if (interrupt.exitCode !== undefined || best === undefined) {
      if (best === undefined && interrupt.exitCode === undefined) {
        throw new TrilobiteError("E_CONFIG", {
          where: "--budget",
          what: "no trial has finished an epoch.",
          hint: `Give it more time: ${resume} --budget 10m.`,
        })
      }
      if (options.json) printJson({ result: { ended: "aborted", resume } })
      else printLine(`${study.trials.length} trials are kept. To go on:\n${resume}`)
      return interrupt.exitCode ?? 0
    }
    const rivals = finalists(study.trials)
    const once = rivals.reduce((sum, { number }) => sum + (took.get(number) ?? Number.POSITIVE_INFINITY), 0)
    const needed = ((LAST_SEEDS - 1) * once) / parallel
    if (plan.seeds === 1 && needed <= LAST * left()) {
      if (lively && rivals.length > 1) printLine(`\nThe best ${rivals.length} once more, from other initial weights:`)
      const decided = await decideLast(rivals, plan.lastSeeds ?? 1, async ({ values }, more) => {
        const settings = { ...search.settings(values), seed: base.seed + more }
        const trained = await pool.train(settings, 1, { signal: interrupt.signal, onEpoch: () => false })
        const { best: own, diverged, parameters } = trained
        if (interrupt.signal.aborted) return undefined
        return { cost: diverged || own === undefined ? Number.POSITIVE_INFINITY : costOf(own.logs), parameters }
      })
      if (decided !== undefined) {
        tell(decided.decision)
        best = decided.trial
      }
    }
    const config = { ...plan.base, ...search.chosen(best.values) }
    writeJson(join(folder, names.best), config)
    if (lively) printLine(`\nThe best, trained in full on all processors:`)
    const last = await trainBest(
      pool,
      complete({ ...defaultsFor(config.data), ...config }),
      left(),
      folder,
      interrupt.signal,
      lively,
    )
    const figures = drawCurves(study, search.space, best, folder)
    const shares =
      study.trials.filter(({ state }) => state === "complete").length >= 6 ? importance(study.trials, search.space) : []
    const result = {
      data: plan.base.data,
      trials: study.trials.length,
      best: best.number,
      cost: best.value ?? null,
      config,
      final:
        last === undefined
          ? null
          : { epoch: last.epoch, cost: costOf(last.logs), accuracy: accuracyIn(last.logs) ?? null },
      importance: shares,
      seconds: (performance.now() - started) / 1000,
      ended: study.ended,
      out: folder,
    }
    writeJson(join(folder, names.result), result)
    if (options.json) printJson({ result })
    else report(result, search.row, study, figures)
    return interrupt.exitCode ?? 0
  } finally {
    pool.close()
    interrupt.close()
  }
}

function newPlan(given: TrainConfig, options: TuningOptions): { readonly folder: string; readonly plan: Plan } {
  const data = given.data!
  const folder = newRunFolder(`tune-${shortName(data)}`, options.out)
  const base = { ...given, data: isPackaged(data) ? data : resolve(data) }
  return {
    folder,
    plan: {
      base,
      sampler: options.sampler ?? "chapter",
      seeds: options.seeds ?? 1,
      lastSeeds: options.seeds ?? LAST_SEEDS,
    },
  }
}

function oldPlan(folder: string): { readonly folder: string; readonly plan: Plan } {
  const path = join(folder, names.plan)
  if (!existsSync(path)) {
    const expected = `a folder with ${names.plan}`
    throw usageError({ where: "--resume", what: "this is no search.", expected, got: JSON.stringify(folder) })
  }
  return { folder, plan: JSON.parse(readFileSync(path, "utf8")) as Plan }
}

/** What is usual for a search: trials end when the validation loss no longer falls; of many rows they see few epochs. */
function defaultsFor(data: string): TrainConfig {
  return isImageSet(data) ? { batchSize: 128, epochs: 8, patience: 2 } : { epochs: 200, patience: 15 }
}

const DROPOUTS = [0, 0.1, 0.2, 0.3, 0.5]

/** What is searched about a config: the chapter's knobs, each with the ladder on which its rule moves. */
function searchOf(base: Settings) {
  const near = (values: readonly number[], wanted: number): number =>
    values.reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a))
  const rates = chapterLadder("learningRate", base.learningRate ?? firstLearningRate(base.optimizer))
  const units = chapterLadder("units", base.layers[0] ?? 64)
  const depths = chapterLadder("depth", Math.max(1, base.layers.length))
  const batches = chapterLadder("batchSize", base.batchSize)
  const dropouts: Ladder = { knob: "dropout", values: DROPOUTS, start: near(DROPOUTS, base.dropout), rule: "smaller" }
  const ladders = [rates, units, dropouts, depths, batches]
  const space = {
    learningRate: logUniform(rates.values[0]!, rates.values.at(-1)!),
    units: choice(units.values),
    dropout: choice(DROPOUTS),
    depth: whole(depths.values[0]!, depths.values.at(-1)!),
    batchSize: choice(batches.values),
  }
  const chosen = (values: Trial["values"]) => ({
    learningRate: values.learningRate as number,
    layers: Array.from({ length: values.depth as number }, () => values.units as number),
    dropout: values.dropout as number,
    batchSize: values.batchSize as number,
  })
  const widths = Object.keys(space).map((name) => Math.max(name.length, 8))
  const row = ({ values, value, state, notes, reports }: Trial): string => {
    const knobs = Object.keys(space).map((name, i) => {
      const knob = values[name]
      return (typeof knob === "number" ? String(Number(knob.toPrecision(3))) : "").padEnd(widths[i]!)
    })
    const accuracy = typeof notes.accuracy === "number" ? notes.accuracy.toFixed(4) : ""
    const end =
      state === "complete"
        ? ""
        : state === "pruned"
          ? "  ended early"
          : notes.diverged === true
            ? "  diverged"
            : `  ${state}`
    return `${knobs.join("  ")}  ${(value?.toFixed(4) ?? "").padEnd(8)}  ${accuracy.padEnd(8)}  ${reports.at(-1)?.step ?? ""}${end}`.trimEnd()
  }
  return {
    space,
    ladders,
    chosen,
    row,
    settings: (values: Trial["values"]): Settings => ({ ...base, ...chosen(values) }),
    head: Object.keys(space)
      .map((name, i) => name.padEnd(widths[i]!))
      .join("  "),
    about: `Searching    ${Object.keys(space).join(", ")}; ${base.optimizer}, ${base.activation}, at most ${base.epochs} epochs a trial`,
  }
}

function samplerOf(name: (typeof samplers)[number], ladders: readonly Ladder[]): Sampler {
  return name === "chapter" ? climbing({ ladders }) : name === "tpe" ? tpe() : randomSearch()
}

/** Halving; but trials that the climb compares are ended only if they are lost: half as costly again as another that has come as far. */
function prunerOf({ base, sampler }: Plan, ladders: readonly Ladder[]): Pruner {
  const least = isImageSet(base.data) ? 1 : 9
  const halving = successiveHalving({ least, factor: 3 })
  if (sampler !== "chapter") return halving
  return (trials, trial, direction) => {
    if (!ladders.every(({ knob, values }) => values.includes(trial.values[knob]!)))
      return halving(trials, trial, direction)
    const { step, value } = trial.reports.at(-1)!
    if (step < least) return false
    const others = trials.flatMap(({ reports }) => reports.filter((report) => report.step === step))
    return others.some((report) => value > LOST * report.value)
  }
}

const LOST = 1.5

const costOf = (logs: EpochLogs["logs"]): number => logs.valLoss ?? logs.loss!

/** Of trials that were all ended early, the one with the least cost. */
function furthest({ trials }: Study): Trial | undefined {
  const some = trials.filter(({ state, value }) => state === "pruned" && value !== undefined)
  return some.reduce<Trial | undefined>((a, b) => (a === undefined || b.value! < a.value! ? b : a), undefined)
}

function lineOf({ number, state, values, value, notes, reports }: Trial): object {
  return { trial: number, state, values, cost: value ?? null, ...notes, epochs: reports.at(-1)?.step ?? 0 }
}

/** Trains the best in full, on all processors, as long as there is time; its best weights are saved. */
async function trainBest(
  pool: Pool,
  settings: Settings,
  seconds: number,
  folder: string,
  signal: AbortSignal,
  lively: boolean,
): Promise<EpochLogs | undefined> {
  const clock = new AbortController()
  let least: number | undefined
  const timer = Number.isFinite(seconds) ? setTimeout(() => clock.abort(), Math.max(0, seconds) * 1000) : undefined
  try {
    const { best } = await pool.train(
      { ...settings, epochs: LONGER * (settings.epochs as number), patience: settings.patience * LONGER },
      availableParallelism(),
      {
        signal: AbortSignal.any([clock.signal, signal]),
        onEpoch: ({ epoch, logs }) => {
          const accuracy = accuracyIn(logs)
          const right = accuracy === undefined ? "" : `  accuracy ${accuracy.toFixed(4)}`
          const better = least === undefined || costOf(logs) < least
          if (better) least = costOf(logs)
          if (lively && (better || epoch % 10 === 0))
            printLine(`Epoch ${String(epoch).padStart(3)}  cost ${costOf(logs).toFixed(4)}${right}`)
          return false
        },
      },
      join(folder, names.model),
    )
    return best
  } finally {
    clearTimeout(timer)
  }
}

/** A curve for each knob: what it costs where all other knobs are the same. Answers with the names of the pictures. */
function drawCurves({ trials }: Study, space: Space, best: Trial, folder: string): string[] {
  const written: string[] = []
  for (const knob of Object.keys(space)) {
    const curve = curveOf(trials, Object.keys(space), knob, best)
    if (curve.length < 2) continue
    const name = `${knob}.svg`
    const sweet = curve.reduce((a, b) => (b.value! < a.value! ? b : a))
    const log = knob !== "dropout" && knob !== "depth"
    const x = curve.map(({ values }) => values[knob] as number)
    const errors = curve.map(({ notes }) => (typeof notes.standardError === "number" ? notes.standardError : 0))
    const svg = plotSvg({
      title: `Validation cost against ${knob}`,
      xLabel: knob,
      yLabel: "validation cost",
      logX: log,
      logY: true,
      series: [
        {
          name: "cost",
          x,
          y: curve.map(({ value }) => value!),
          ...(errors.some((error) => error > 0) ? { errors } : {}),
          dots: true,
        },
      ],
      mark: { x: sweet.values[knob] as number, y: sweet.value!, text: `sweet spot: ${sweet.values[knob]}` },
    })
    writeFileSync(join(folder, name), svg)
    written.push(name)
  }
  return written
}

/** The trials that differ in one knob alone: the largest such group, of equal ones that of the best trial. */
function curveOf(trials: readonly Trial[], knobs: readonly string[], knob: string, best: Trial): Trial[] {
  const others = ({ values }: Trial): string =>
    JSON.stringify(knobs.filter((name) => name !== knob).map((name) => values[name]))
  const groups = new Map<string, Map<unknown, Trial>>()
  for (const trial of trials) {
    if (trial.value === undefined || (trial.state !== "complete" && trial.state !== "pruned")) continue
    const group = groups.get(others(trial)) ?? new Map<unknown, Trial>()
    const known = group.get(trial.values[knob])
    if (known === undefined || known.state !== "complete") group.set(trial.values[knob], trial)
    groups.set(others(trial), group)
  }
  const own = groups.get(others(best))
  const largest = [...groups.values()].reduce((a, b) => (b.size > a.size ? b : a), own ?? new Map<unknown, Trial>())
  return [...largest.values()].sort((a, b) => (a.values[knob] as number) - (b.values[knob] as number))
}

interface Report {
  readonly best: number
  readonly final: { readonly epoch: number; readonly cost: number; readonly accuracy: number | null } | null
  readonly importance: ReturnType<typeof importance>
  readonly seconds: number
  readonly out: string
}

function report(result: Report, row: (trial: Trial) => string, { trials }: Study, figures: readonly string[]): void {
  const ranked = trials
    .filter(({ state }) => state === "complete")
    .sort((a, b) => a.value! - b.value!)
    .slice(0, 5)
  printLine("\nThe best trials:")
  for (const trial of ranked) printLine(`${String(trial.number).padStart(5)}  ${row(trial)}`)
  if (result.importance.length > 0) {
    const shares = result.importance.map(({ knob, share }) => `${knob} ${Math.round(share * 100)} %`)
    printLine(`\nOf the variance of the cost each knob alone explains: ${shares.join(", ")}`)
  }
  const { final, out } = result
  if (final !== null) {
    const right = final.accuracy === null ? "" : `, validation accuracy ${final.accuracy.toFixed(4)}`
    printLine(`\nTrained      epoch ${final.epoch}: validation cost ${final.cost.toFixed(4)}${right}`)
  }
  printLine(`Time         ${result.seconds.toFixed(1)} s`)
  printLine(`Saved in     ${out}: ${[names.best, names.model, names.study, ...figures].join(", ")}`)
  printLine(`To train it  trilobite train --config ${quoted(join(out, names.best))}`)
}
