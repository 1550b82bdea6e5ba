// The coach of one training: what is new among what is found, and whether what an earlier change promised has come true. Knows no model.

import { diagnose } from "./diagnose.ts"
import type { EpochFacts, Evidence } from "./evidence.ts"
import type { Advisor, Finding, Kept } from "./finding.ts"
import { classes, PROVEN } from "./rules/rule.ts"
import { gainOf, numberOf, stepShare } from "./rules/signs.ts"
import { classOf } from "./rules/table.ts"

export { diagnose } from "./diagnose.ts"
export { messageOf } from "./message.ts"

/** Says each thing once. */
export class Coach implements Advisor {
  readonly #told: Finding[] = []

  /** The findings that were told. */
  get told(): readonly Finding[] {
    return this.#told
  }

  /**
   * Findings that are new: a fault that was told as a tip comes again as a fault. After a fault was told, those that may follow from it
   * are kept back: only a cause that stands before it is still news, or what stands apart from it.
   */
  advise(evidence: Evidence): readonly Finding[] {
    const { headline, also, tips } = diagnose(evidence)
    const found = [...(headline === undefined ? [] : [headline]), ...also, ...tips]
    const fresh = found.filter((finding) => this.#isNew(finding))
    this.#told.push(...fresh)
    return fresh
  }

  #isNew({ code, kind, score }: Finding): boolean {
    if (this.#told.some((old) => old.code === code && (old.kind === "fault" || kind === "tip"))) return false
    const before = this.#told.filter((old) => old.kind === "fault")
    if (code === "F00") return before.length === 0
    if (kind === "tip") return !before.some((old) => old.score >= PROVEN)
    const place = classes.indexOf(classOf(code))
    const apart = classOf(code) === "generalisation"
    return (
      score >= PROVEN ||
      before.every((old) => classes.indexOf(classOf(old.code)) > place || (apart && old.score < PROVEN))
    )
  }
}

/** The evidence as it was before the first step, after each epoch, and at the end. */
export function moments(evidence: Evidence): readonly Evidence[] {
  const { epochs, ended, diverged, ...before } = evidence
  const running = Array.from({ length: epochs.length + 1 }, (_, n) => ({ ...before, epochs: epochs.slice(0, n) }))
  return ended === undefined && diverged === undefined ? running : [...running, evidence]
}

/** All that a coach would have said of a training while it went on, in that order. */
export function findingsOf(evidence: Evidence): readonly Finding[] {
  const own = new Coach()
  return moments(evidence).flatMap((now) => own.advise(now))
}

const share = (numbers: readonly (number | undefined)[]): number | undefined => {
  const known = numbers.filter((n) => n !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

/** What an expectation measures, at the end of an epoch. */
function measured(evidence: Evidence, { expect: { measure } }: Finding, epoch: EpochFacts): number | undefined {
  const { shared, validation, training, epochs } = evidence
  if (measure === "shared") return shared === undefined || !validation ? undefined : shared / validation.rows
  if (measure === "keptValLoss") {
    const costs = epochs.flatMap(({ valLoss }) => (valLoss === undefined ? [] : [numberOf(valLoss)]))
    return training.earlyStopping ? Math.min(...costs) : costs.at(-1)
  }
  const looks = epoch.layers ?? (epoch === evidence.epochs[0] ? evidence.probe?.layers : undefined)
  const units = (layer: string): number => evidence.network.layers.find(({ name }) => name === layer)?.units ?? 1
  if (measure === "loss") return numberOf(epoch.loss)
  if (measure === "valLoss") return epoch.valLoss === undefined ? undefined : numberOf(epoch.valLoss)
  if (measure === "finite") return Number.isFinite(numberOf(epoch.loss)) ? 1 : 0
  if (measure === "stepShare") return stepShare(epoch)
  if (measure === "saturated") return share((looks ?? []).map(({ saturated }) => saturated))
  if (measure === "dead")
    return share((looks ?? []).map(({ dead, layer }) => (dead === undefined ? undefined : dead / units(layer))))
  if (measure === "recall") return epoch.recall === undefined ? undefined : Math.min(...epoch.recall)
  const [train, valid] = [gainOf(evidence, epoch.loss), gainOf(evidence, epoch.valLoss)]
  return train === undefined || valid === undefined ? undefined : train - valid
}

/** What must hold after every epoch; the rest after one of them. */
const LASTING: ReadonlySet<Finding["expect"]["measure"]> = new Set(["finite", "gap", "stepShare"])

/**
 * Whether what a finding promised has come true in the training that followed its change: as soon as it has, or when its epochs are over.
 * Undefined while it is too early to say, and where nothing was measured.
 */
export function promiseOf(finding: Finding, after: Evidence): Kept | undefined {
  const { within, below = Number.POSITIVE_INFINITY, above = Number.NEGATIVE_INFINITY, measure } = finding.expect
  if (after.diverged !== undefined) return { finding, cameTrue: false }
  if (measure === "keptValLoss" && after.ended === undefined) return undefined
  const lasting = LASTING.has(measure)
  let last: number | undefined
  for (const epoch of after.epochs.slice(0, within)) {
    const number = measured(after, finding, epoch)
    if (number === undefined) continue
    last = number
    const holds = measure === "finite" ? number === 1 : number < below && number > above
    if (holds !== lasting) return { finding, cameTrue: holds, measured: number }
  }
  const over = after.ended !== undefined || after.epochs.length >= within
  return !over || last === undefined ? undefined : { finding, cameTrue: lasting, measured: last }
}
