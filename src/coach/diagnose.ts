// From evidence to what is said: which rules hold, which of them is the cause, and what is left unsaid. Knows rules, no training.

import type { Evidence } from "./evidence.ts"
import type { Diagnosis, Finding } from "./finding.ts"
import { counted, type FaultClass, type Found, PROVEN, type Rule, shown } from "./rules/rule.ts"
import { earlier, isLate, numberOf } from "./rules/signs.ts"
import { rules } from "./rules/table.ts"

/** Findings beside the headline. */
const MOST_ALSO = 2

interface Held extends Finding {
  readonly class: FaultClass
}

const isFault = (found: Found | undefined): found is Found => found !== undefined && found.kind !== "tip"

/**
 * What a rule says, when it may say it: a fault that is there before the first step at once, one that shows in epochs only when two in a
 * row show it, or the first one what was to be expected, or the cost has left all numbers; one of a whole training only late. What is not
 * yet certain is not said.
 */
function held(rule: Rule, evidence: Evidence): Held | undefined {
  if (rule.when === "late" && !isLate(evidence)) return undefined
  const found = rule.find(evidence)
  if (found === undefined) return undefined
  const { code, cause } = rule
  const say = (from: Found, epoch: number | null): Held => ({
    ...from,
    expect: promised(from, evidence),
    code,
    cause,
    kind: from.kind ?? "fault",
    epoch,
    class: rule.class,
  })
  const start = rule.find(startOf(evidence))
  if (start !== undefined && (start.kind ?? "fault") === (found.kind ?? "fault")) return say(found, null)
  // A training that was taken up again begins later than with the first epoch.
  const epoch = evidence.epochs.at(-1)?.epoch ?? null
  const lost = evidence.diverged !== undefined || evidence.epochs.at(-1)?.loss === "infinite"
  const foreseen = evidence.epochs.length > 0 && rule.foreseen?.(evidence) === true
  if (!isFault(found) || rule.when === "late" || lost || foreseen || isFault(rule.find(earlier(evidence, 1))))
    return say(found, epoch)
  return start === undefined ? undefined : say(start, null)
}

/** Whether an epoch has shown a cause that the next one may confirm: then it is too early to say that nobody knows one. */
const awaitsWitness = (evidence: Evidence): boolean =>
  evidence.ended === undefined &&
  rules.some((rule) => rule.code !== "F00" && rule.when !== "late" && isFault(rule.find(evidence)))

/** Changes after which the cost is a number of another kind. */
const OTHER_COST = new Set(["output", "targets", "regularizer"])
/** So much lower is no accident. */
const LOWER = 0.97

/** What is promised of the cost must be more than this training itself has come to in as many epochs. */
function promised({ expect, change: { edit } }: Found, { epochs }: Evidence): Found["expect"] {
  const { measure, within, below = Number.POSITIVE_INFINITY } = expect
  if (measure !== "loss" || OTHER_COST.has(edit.kind)) return expect
  const further = LOWER * Math.min(...epochs.slice(0, within).map(({ loss }) => numberOf(loss)))
  if (further >= below || !(further > 0)) return expect
  const text = `Within ${counted(within, "epoch")} the cost falls below ${shown(further)}: further than here.`
  return { ...expect, text, below: further }
}

/** The training as it stood before its first step. */
function startOf({ network, training, data, validation, shared, probe }: Evidence): Evidence {
  return {
    network,
    training,
    ...(data === undefined ? {} : { data }),
    ...(validation === undefined ? {} : { validation }),
    ...(shared === undefined ? {} : { shared }),
    ...(probe === undefined ? {} : { probe }),
    epochs: [],
  }
}

/** Faults of how rows were divided are none of the training: they neither explain nor are explained. */
const APART = new Set(["F26", "F28"])

/**
 * What is wrong with a training, as far as it is known: the cause that explains the rest as headline, at most two more faults, and tips.
 * Causes come in this order: rows, output and loss, initial weights, what throttles the steps, their length, size of the network,
 * generalisation. A proven fault silences the signs that follow from it, and where anything is found, "something is wrong" is not said.
 * Pure: the same evidence gives the same answer; evidence of a run folder can be diagnosed again.
 */
export function diagnose(evidence: Evidence): Diagnosis {
  const found = rules.flatMap((rule) => held(rule, evidence) ?? [])
  const first = ({ code }: Held): Held =>
    found.find((own) => own.code === code && own.kind === "fault") ?? found.find((own) => own.code === code)!
  const all = found.filter((one) => one === first(one) && !(one.code === "F00" && awaitsWitness(evidence)))
  const faults = all.filter(({ kind }) => kind === "fault")
  const [headline, ...others] = faults
  const also = others.filter((other) => !explains(headline!, other)).slice(0, MOST_ALSO)
  const tips = all.filter(({ kind }) => kind === "tip").filter(() => headline === undefined || headline.score < PROVEN)
  return {
    ...(headline === undefined ? {} : { headline: told(headline) }),
    also: also.map(told),
    tips: tips.map(told),
  }
}

/**
 * Whether a found cause explains another fault. Proven ones explain all that shows only in training, and what shows at the start of a later
 * class; the others explain later classes, and their own.
 */
function explains(cause: Held, { code, class: kind, epoch }: Held): boolean {
  if (code === "F00") return true
  if (APART.has(code) || APART.has(cause.code)) return false
  if (cause.score >= PROVEN && epoch !== null) return true
  return kind !== "data" && kind !== "pairing"
}

function told({ class: _, ...finding }: Held): Finding {
  return finding
}
