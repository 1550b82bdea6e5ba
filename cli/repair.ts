// `trilobite train --repair`: the coach's changes made one after the other, each in a run of its own, until nothing more helps. Knows of
// trainings that they can be planned with other settings, and no net, no table and no rule.

import { type Change, type Decision, type Evidence, TrilobiteError } from "../src/index.ts"
import { type Proposal, repair } from "../src/tune.ts"
import { commandOf } from "./command-of.ts"
import type { TrainConfig } from "./config.ts"
import { recordDecision } from "./decisions.ts"
import type { Interrupt } from "./interrupt.ts"
import { carryOut, type Ready, trainingInterrupt } from "./one-training.ts"
import { printJson, printLine } from "./output.ts"
import type { Fields } from "./report/read.ts"
import { freeName, quoted } from "./run-folder.ts"
import type { TrainOptions } from "./run-options.ts"
import { digits, percent, shortened } from "./scores.ts"
import { type SettingName, settingsIn } from "./settings.ts"

/** Trainings after the first one, unless another number is asked for. */
export const MOST_REPAIRS = 5

/** What is trained again and again. */
export interface Repairable {
  /** A training with these settings over those that were given, not begun. */
  plan(changes: TrainConfig, options: TrainOptions): Promise<Ready>
  /** The value of a setting with these changes; undefined if it has none. */
  setting(name: SettingName, changes: TrainConfig): unknown
  /** Whether such a training takes this setting. */
  takes(name: SettingName): boolean
}

/** A training that has ended, or broken off. */
interface Run {
  readonly folder: string
  /** What needs to be known to train it again. */
  readonly config: object
  /** The flags that make it of the training before that was kept; null: it is the first. */
  readonly flags: string | null
  readonly evidence: Evidence | undefined
  readonly code: number
  /** Why it broke off. */
  readonly error?: TrilobiteError
  kept: boolean
}

/** Trains, then changes what the coach finds and trains again, `maxRepairs` times at most; answers with the exit code. */
export async function trainAndRepair(of: Repairable, options: TrainOptions): Promise<number> {
  const most = options.maxRepairs ?? MOST_REPAIRS
  const ready = await of.plan({}, options)
  const interrupt = trainingInterrupt(options)
  try {
    const first = await trained(ready, options, interrupt, null)
    if (first.evidence === undefined || interrupt.signal.aborted) return ended(first)
    const repairs = new Repairs(of, options, interrupt, most, first)
    const best = await repairs.make(first.evidence, ready.examine !== undefined)
    repairs.tell(best)
    if (interrupt.signal.aborted) return interrupt.exitCode ?? 0
    return ended(best)
  } finally {
    interrupt.close()
  }
}

/** The exit code of a training. Throws what it has broken off with. */
function ended({ code, error }: Run): number {
  if (error !== undefined) throw error
  return code
}

/** Trains; one that has diverged tells why, too. */
async function trained(
  ready: Ready,
  options: TrainOptions,
  interrupt: Interrupt,
  flags: string | null,
  because?: Decision,
): Promise<Run> {
  const { folder, config, model } = ready
  const run = { folder, config, flags, kept: flags === null }
  try {
    const code = await carryOut(ready, options, interrupt, because)
    return { ...run, code, evidence: model.coach?.evidence }
  } catch (error) {
    if (!(error instanceof TrilobiteError) || error.code !== "E_DIVERGED") throw error
    return { ...run, code: error.exitCode, error, evidence: model.coach?.evidence }
  }
}

/** The repairs of one training. */
class Repairs {
  readonly #of: Repairable
  readonly #options: TrainOptions
  readonly #interrupt: Interrupt
  readonly #most: number
  /** All trainings in their order, and by their settings. */
  readonly #runs: Run[]
  readonly #bySettings = new Map<TrainConfig, Run>()
  /** The last that was kept. */
  #standing: Run
  /** One that was looked at before its first step, and is trained next. */
  #planned: { readonly changes: TrainConfig; readonly ready: Ready } | undefined

  constructor(of: Repairable, options: TrainOptions, interrupt: Interrupt, most: number, first: Run) {
    this.#of = of
    // What all trainings have in common was said of the first.
    this.#options = { ...options, brief: true }
    this.#interrupt = interrupt
    this.#most = most
    this.#runs = [first]
    this.#standing = first
  }

  /** Makes them; answers with the training that is best. */
  async make(evidence: Evidence, examines: boolean): Promise<Run> {
    const first: TrainConfig = {}
    this.#bySettings.set(first, this.#standing)
    const { setup } = await repair<TrainConfig>(
      first,
      evidence,
      {
        change: (changes, change) => this.#changed(changes, change),
        train: (changes, proposals) => this.#train(changes, proposals, evidence),
        ...(examines ? { examine: (changes) => this.#examine(changes, evidence) } : {}),
        onAttempt: ({ setup: changes, kept }) => this.#judge(changes, kept),
      },
      this.#most,
    )
    return this.#bySettings.get(setup)!
  }

  /** The settings with a change; undefined if the command line cannot make it, or if it changes nothing. */
  #changed(changes: TrainConfig, { flag }: Change): TrainConfig | undefined {
    if (flag === undefined || this.#interrupt.signal.aborted) return undefined
    const made = settingsIn(flag)
    if (made === undefined || ![...made.keys()].every((name) => this.#of.takes(name))) return undefined
    const text = (value: unknown): string => JSON.stringify(value ?? null)
    const isSo = [...made].every(([name, value]) => text(value) === text(this.#of.setting(name, changes)))
    return isSo ? undefined : { ...changes, ...Object.fromEntries(made) }
  }

  async #plan(changes: TrainConfig): Promise<Ready> {
    if (this.#planned?.changes === changes) return this.#planned.ready
    const out = freeName(`${this.#runs[0]!.folder}-repair-${this.#runs.length}`)
    const ready = await this.#of.plan(changes, { ...this.#options, out })
    this.#planned = { changes, ready }
    return ready
  }

  /** What is known of a training before its first step; of one that is not possible nothing but that. */
  async #examine(changes: TrainConfig, { network, training }: Evidence): Promise<Evidence> {
    const ready = await this.#plan(changes).catch(impossible)
    return (await ready?.examine?.()) ?? { network, training, epochs: [] }
  }

  async #train(changes: TrainConfig, proposals: readonly Proposal[], before: Evidence): Promise<Evidence> {
    const failed: Evidence = { ...before, epochs: [], ended: "failed" }
    if (this.#interrupt.signal.aborted) return failed
    const number = this.#runs.length
    const flags = proposals.map(({ change }) => change.flag!).join(" ")
    const why = proposals.map((own) => `${own.why} ${own.change.text}`).join(" ")
    const because: Decision = {
      knob: "repair",
      value: flags,
      text: `Repair ${number} of at most ${this.#most}: ${why} (${flags})`,
      evidence: {
        of: this.#standing.folder,
        changes: proposals.map(({ change, why, finding }) => ({ code: finding?.code ?? null, why, change })),
      },
    }
    let reason = ""
    const ready = await this.#plan(changes).catch((error: unknown) => {
      reason = (error as Error).message
      return impossible(error)
    })
    if (ready === undefined) {
      // Nothing was made that it could be written into: the training that it was to change keeps it.
      const text = `${because.text}: not possible, ${reason}`
      recordDecision(this.#standing.folder, { ...because, text }, this.#options)
      return failed
    }
    if (this.#lively) printLine("")
    this.#planned = undefined
    const run = await trained(ready, this.#options, this.#interrupt, flags, because)
    this.#runs.push(run)
    this.#bySettings.set(changes, run)
    return run.evidence ?? failed
  }

  /** Says what has become of a training, and why. */
  #judge(changes: TrainConfig, kept: boolean): void {
    const run = this.#bySettings.get(changes)
    if (run === undefined) return
    if (stopped(run)) return
    run.kept = kept
    const [before, after] = [outcomeOf(this.#standing), outcomeOf(run)]
    const part = (name: string, of: (outcome: Outcome) => string): string => `${name} ${of(before)} to ${of(after)}`
    const accuracy = after.accuracy === null ? "" : `, ${part("accuracy", accuracyText)}`
    const text = `Repair ${this.#runs.indexOf(run)} ${kept ? "kept" : "undone"}: ${part(before.name, costText)}${accuracy}.`
    const evidence = { before: { out: this.#standing.folder, ...before }, after: { out: run.folder, ...after } }
    recordDecision(run.folder, { knob: "repair", value: kept, text, evidence }, this.#options)
    if (kept) this.#standing = run
  }

  get #lively(): boolean {
    return !this.#options.json && !this.#options.quiet
  }

  /** The table of all trainings, and the command that makes the best of them. */
  tell(best: Run): void {
    const command = commandOf(best.config as Fields)
    const trainings = this.#runs.map((run) => ({
      ...{ out: run.folder, change: run.flags, ...outcomeOf(run) },
      ...{ kept: run.kept, best: run === best, ended: run.evidence?.ended ?? null },
    }))
    const text = this.#interrupt.signal.aborted
      ? `Repair: interrupted; the best so far is ${best.folder}.`
      : this.#runs.length === 1
        ? "Repair: nothing was found that the command line could change."
        : best === this.#runs[0]
          ? "Repair: no change helped; the training as it was given is the best."
          : `Repair: ${best.folder} is the best of ${this.#runs.length} trainings.`
    const { json } = this.#options
    const last = this.#runs.at(-1)!
    const resume = stopped(last) ? `trilobite train --resume ${quoted(last.folder)}` : undefined
    if (this.#lively) printLine("")
    const decision = { knob: "repair", value: best.folder, text, evidence: { trainings } }
    recordDecision(this.#runs[0]!.folder, decision, this.#options)
    if (json)
      printJson({ repair: { trainings, best: best.folder, command, ...(resume === undefined ? {} : { resume }) } })
    else if (this.#runs.length > 1) {
      printLine(tableText(this.#runs, best))
      printLine(`Best in      ${best.folder}`)
      printLine(`From scratch ${command}`)
      if (resume !== undefined) printLine(`To go on with the one that was interrupted:\n${resume}`)
    }
  }
}

const stopped = ({ evidence }: Run): boolean => evidence?.ended === "aborted"

/** What planning refuses is a change that cannot be made; anything else ends the repair. */
function impossible(error: unknown): undefined {
  const codes: readonly unknown[] = ["E_CONFIG", "E_DATA", "E_USAGE"]
  if (error instanceof TrilobiteError && codes.includes(error.code)) return undefined
  throw error
}

/** What a training has come to: the cost and accuracy of the weights that it keeps; null where nothing is known. */
interface Outcome {
  readonly name: "validation cost" | "cost"
  readonly epochs: number
  readonly cost: number | null
  /** Whether the cost has left all numbers. */
  readonly diverged: boolean
  readonly accuracy: number | null
}

function outcomeOf({ evidence }: Run): Outcome {
  const epochs = evidence?.epochs ?? []
  const costs = epochs.map(({ loss, valLoss }) => Number(valLoss ?? loss))
  // "infinite" is no number.
  const known = costs.map((cost) => (Number.isFinite(cost) ? cost : Number.POSITIVE_INFINITY))
  const at = evidence?.training.earlyStopping === true ? known.indexOf(Math.min(...known)) : known.length - 1
  const { valAccuracy, accuracy, valLoss } = epochs[at] ?? {}
  const diverged = evidence?.diverged !== undefined || (epochs.length > 0 && !Number.isFinite(known[at]))
  return {
    name: epochs.length === 0 || valLoss !== undefined ? "validation cost" : "cost",
    epochs: epochs.length,
    cost: diverged ? null : (known[at] ?? null),
    diverged,
    accuracy: valAccuracy ?? accuracy ?? null,
  }
}

const costText = ({ cost, diverged }: Outcome): string => {
  return diverged ? "diverged" : cost === null ? "unknown" : digits(cost)
}
const accuracyText = ({ accuracy }: Outcome): string => (accuracy === null ? "unknown" : percent(accuracy))

/** The widest change in the table: 80 columns hold it. */
const WIDEST = 31

/** All trainings: what was changed, what came of it, and whether that was kept. */
function tableText(runs: readonly Run[], best: Run): string {
  const rows = runs.map((run, i) => {
    const outcome = outcomeOf(run)
    const state = stopped(run) ? "interrupted" : i === 0 ? "" : run.kept ? "kept" : "undone"
    const what = run.flags === null ? "as it was given" : shortened(run.flags, WIDEST)
    const end = [state, run === best ? "best" : ""].filter((word) => word !== "").join(", ")
    return [String(i), what, costText(outcome), outcome.accuracy === null ? "" : accuracyText(outcome), end]
  })
  const head = ["Repair", "change", outcomeOf(runs[0]!).name, rows.some((row) => row[3] !== "") ? "accuracy" : "", ""]
  const widths = head.map((word, k) => Math.max(word.length, ...rows.map((row) => row[k]!.length)))
  const isText = [false, true, false, false, true]
  const line = (row: readonly string[]): string =>
    row
      .map((cell, k) => (isText[k] ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!)))
      .join("  ")
      .trimEnd()
  return [head, ...rows].map(line).join("\n")
}
