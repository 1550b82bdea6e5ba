// The coach on the command line: a line or two when it finds something, in full at the end, everything in the run folder. Knows no rule.

import {
  type Callback,
  type Diagnosis,
  diagnose,
  type Evidence,
  type Finding,
  type Model,
  messageOf,
} from "../src/index.ts"
import { printJson, printLine, wrap } from "./output.ts"
import { promiseFields, promiseKept, promiseOfMore, promiseText } from "./promises.ts"
import { type Fields, foundIn } from "./report/read.ts"
import { appendLines, files } from "./run-folder.ts"

/** How findings are told. */
export interface CoachOutput {
  readonly json?: true
  readonly quiet?: true
  /** False: nobody watches. */
  readonly coach?: boolean
  /** Nothing is said in full at the end. */
  readonly brief?: true
}

/** The coach of a run. */
export interface RunCoach {
  /** What `fit` calls; empty if nobody watches. */
  readonly callbacks: readonly Callback[]
  /** Prints what it has found, in full; `ended` with an error if the training broke off. */
  report(): Promise<void>
}

const COLUMNS = 80
const LABEL = 13

/**
 * Has a training watched: findings and what they rest on are written into the folder as they come. `config` is the run's: of an earlier run
 * that differs from it in one proposed change it is said whether what was promised came true.
 */
export function coachRun(
  folder: string,
  model: Model,
  config: object,
  { json, quiet, coach, brief }: CoachOutput,
): RunCoach {
  if (coach === false) return { callbacks: [], report: async () => {} }
  const keep = evidenceKeeper(folder)
  // Of a run that is taken up again: read before it is written on.
  const before = foundIn(folder).catch(() => undefined)
  const callback: Callback = {
    onTrainBegin: () => appendLines(folder, files.findings, []),
    // What is known of an epoch is there when the next one has ended.
    onEpochEnd: () => keep(model.coach?.evidence),
    onFinding: (finding) => {
      appendLines(folder, files.findings, [{ finding }])
      if (quiet) return
      if (json) printJson({ finding })
      // Tips have time until the end.
      else if (finding.kind === "fault") printLine(briefText(finding))
    },
  }
  return {
    callbacks: [callback],
    report: async () => {
      if (model.coach === undefined) return
      const { evidence } = model.coach
      keep(evidence)
      const text = json || brief ? "" : await diagnosisText(await diagnose(evidence), quiet === true)
      if (text !== "") printLine(quiet ? text : `\n${text}`)
      const longer = await promiseOfMore(folder, (await before) ?? [], config as Fields, evidence)
      const promised = longer ?? (await promiseKept(folder, config as Fields, evidence))
      if (promised === undefined) return
      if (!json) printLine(labelled("Promise", promiseText(promised)))
      else if (!quiet) printJson({ promise: promiseFields(promised) })
    },
  }
}

/** Writes what is new of the evidence: a line of facts, a line for each epoch, a line of the end. */
function evidenceKeeper(folder: string): (evidence: Evidence | undefined) => void {
  let written: number | undefined
  let over = false
  return (evidence) => {
    if (evidence === undefined || over) return
    const { epochs, ended, diverged, ...facts } = evidence
    const lines: object[] = [...(written === undefined ? [facts] : []), ...epochs.slice(written ?? 0)]
    written = epochs.length
    over = ended !== undefined
    if (over) lines.push({ ended, ...(diverged === undefined ? {} : { diverged }) })
    appendLines(folder, files.evidence, lines)
  }
}

/** Where and when a cause was found: `learning rate too high (dense_1), after epoch 1`. */
export function titleOf({ cause, layer, epoch }: Finding): string {
  const when = epoch === null ? "before the first step" : `after epoch ${epoch + 1}`
  return `${cause}${layer === undefined ? "" : ` (${layer})`}, ${when}`
}

/** A finding in at most two lines. */
export function briefText(finding: Finding): string {
  const { kind, cause, layer, change } = finding
  const where = layer === undefined ? "" : ` (${layer})`
  const lines = wrap(`Coach, ${kind}: ${cause}${where}. ${change.text}`, COLUMNS, "  ").split("\n")
  return lines.length <= 2 ? lines.join("\n") : `${lines[0]}\n${lines[1]!.slice(0, COLUMNS - 4)} ...`
}

/** What is to be said at the end: the headline in full, what else was seen in a line or two; briefly: faults alone. */
export async function diagnosisText({ headline, also, tips }: Diagnosis, brief = false): Promise<string> {
  if (brief) return [...(headline === undefined ? [] : [headline]), ...also].map(briefText).join("\n")
  const others = [...also, ...tips].map((finding) => {
    return labelled(finding.kind === "fault" ? "Also seen" : "Tip", `${titleOf(finding)}. ${finding.change.text}`)
  })
  const first = headline === undefined ? [labelled("Coach", "no fault was seen")] : await messageOf(headline)
  return [...first, ...others].join("\n")
}

/** A text on lines of 80 columns, beside a word. */
export function labelled(label: string, text: string): string {
  return wrap(text, COLUMNS - LABEL, "")
    .split("\n")
    .map((line, i) => `${(i === 0 ? label : "").padEnd(LABEL)}${line}`)
    .join("\n")
}
