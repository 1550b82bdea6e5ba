// The automatic repair: which change comes next, whether it helped, and the loop round both. Trains nothing itself and knows no model:
// who calls it says what a change makes of a setup, and trains.

import { findingsOf, promiseOf } from "./coach.ts"
import type { Evidence } from "./evidence.ts"
import type { Change, Edit, Finding } from "./finding.ts"
import { FIRST_EPOCHS, paceOf, type Seen, standOn } from "./procedures.ts"
import { NOTHING } from "./rules/pace.ts"
import {
  changeTo,
  counted,
  LARGEST_BATCH,
  NARROW,
  PROVEN,
  percent,
  setBatch,
  setDepth,
  setEpochs,
  setRate,
  setUnits,
  shown,
  standardizeInputs,
  USUAL_BATCH,
  USUAL_UNITS,
} from "./rules/rule.ts"
import { anySkill, hiddenOf, LONG_STEP, lastEpoch, longestShare, numberOf, validSkillOf } from "./rules/signs.ts"

/** A change that may be tried next. */
export interface Proposal {
  readonly change: Change
  /** Why, in one sentence. */
  readonly why: string
  /** What it answers to; absent where nothing is at fault and the chapter says what to try next. */
  readonly finding?: Finding
}

/** A training of a repair. */
export interface Attempt<Setup> {
  readonly setup: Setup
  /** What was changed since the training that stood: one thing, or all that was wrong before the first step. */
  readonly proposals: readonly Proposal[]
  readonly evidence: Evidence
  /** Whether what comes next is changed from here. */
  readonly kept: boolean
}

/** What a repair needs of its caller. */
export interface Repairer<Setup> {
  /** The setup with a change; undefined if it cannot be made here, or changes nothing. */
  readonly change: (setup: Setup, change: Change) => Setup | undefined
  /** Trains. */
  readonly train: (setup: Setup, proposals: readonly Proposal[]) => Promise<Evidence>
  /** What is known before the first step: with it all that is wrong by then is mended before one training, without it one by one. */
  readonly examine?: (setup: Setup) => Promise<Evidence>
  /** Told of each training. */
  readonly onAttempt?: (attempt: Attempt<Setup>) => void
}

/** How a repair went. */
export interface Repaired<Setup> {
  /** The setup that was best by its validation rows: the first one if nothing helped. */
  readonly setup: Setup
  readonly evidence: Evidence
  /** The trainings after the first, in their order. */
  readonly attempts: readonly Attempt<Setup>[]
}

/** The least gain that is none by accident, as a share of the cost. */
const NOISE = 0.01
/** Skills from which on nothing more is tried where nothing is at fault: of a training at rest, and of any. */
const WELL_AT_REST = 0.9
const WELL = 0.95
/** Where most is learnt one step of the chapter that does not help ends the repair; elsewhere so many. */
const MOST = 0.7
const PATIENCE = 3
/** By how much a learning rate is moved, and how often either way. */
const POWER = 10
const POWERS = [-3, -2, -1, 0, 1, 2, 3] as const
/** Activations of hidden layers, the size of inputs and the batches (and any beyond the largest) for which the usual ones are tried. */
const FLAT_ENDS = /^(sigmoid|hardSigmoid)$/
const LARGE = 3
const SMALL_BATCH = 16
/** Neurons and layers beyond which only the reader may go. */
const MOST_UNITS = 256
const MOST_LAYERS = 4
/** Layers to begin with. */
const FEW_LAYERS = 2
/** Changes that are made before one training. */
const MOST_AT_ONCE = 8

/** Costs after each epoch: of validation rows, of training rows where there are none. */
const costsOf = ({ epochs }: Evidence): number[] => epochs.map(({ loss, valLoss }) => numberOf(valLoss ?? loss))

const finalCost = (evidence: Evidence): number => {
  const costs = costsOf(evidence)
  const last = evidence.training.earlyStopping ? Math.min(...costs) : costs.at(-1)
  return last === undefined || evidence.diverged !== undefined || Number.isNaN(last) ? Number.POSITIVE_INFINITY : last
}

/** What makes a cost. */
const measureOf = ({ network, data }: Evidence): string =>
  JSON.stringify([
    network.output.loss,
    data?.targets.deviation,
    data?.targets.shape,
    network.layers.map(({ l1, l2 }) => [l1 ?? 0, l2 ?? 0]).filter(([l1, l2]) => l1 !== 0 || l2 !== 0),
  ])

/** Whether costs say which of two trainings is better: not of different kinds, nor where classes have weights, which validation has not. */
const isComparable = (a: Evidence, b: Evidence): boolean =>
  !a.training.classWeights && !b.training.classWeights && measureOf(a) === measureOf(b)

/** The mean share of each class that is found; how much is learnt. Measures that do not depend on the kind of cost. */
const recallOf = (evidence: Evidence): number | undefined => {
  const recall = lastEpoch(evidence)?.recall
  return recall && recall.reduce((sum, share) => sum + share, 0) / recall.length
}
const skillOf = (evidence: Evidence): number => validSkillOf(evidence) ?? anySkill(evidence) ?? 0

/**
 * Whether a training has ended better than another by its validation rows, by more than the noise: its cost is lower by 1 %, or, where
 * costs are of different kinds (another loss, other targets, a penalty), more is learnt by one point.
 * @example
 * ```ts
 * import { dense, sequential, sgd } from "trilobite"
 * import { isBetter } from "trilobite/tune"
 * const evidenceAt = async (learningRate: number) => {
 *   const model = sequential([dense({ units: 4, activation: "relu", inputShape: [1] }), dense({ units: 1 })], { seed: 1 })
 *   model.compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate }) })
 *   await model.fit([[0], [1], [2], [3]], [[0], [2], [4], [6]], { epochs: 8, coach: true, verbose: 0 })
 *   return model.coach!.evidence
 * }
 * isBetter(await evidenceAt(0.05), await evidenceAt(1e-6)) // => true
 * ```
 */
export function isBetter(after: Evidence, before: Evidence): boolean {
  const [own, other] = [finalCost(after), finalCost(before)]
  if (!Number.isFinite(own)) return false
  if (!Number.isFinite(other)) return true
  return isComparable(after, before) ? own < other - NOISE * Math.abs(other) : findsMore(after, before)
}

/** Whether more is found of each class, or more is learnt where classes are not counted, by more than a point. */
function findsMore(after: Evidence, before: Evidence): boolean {
  const [found, foundBefore] = [recallOf(after), recallOf(before)]
  return found !== undefined && foundBefore !== undefined
    ? found > foundBefore + NOISE
    : skillOf(after) > skillOf(before) + NOISE
}

/** Whether a change has done what was promised of it: it tells where costs cannot be compared. */
const asPromised = (made: readonly Proposal[], after: Evidence, before: Evidence): boolean =>
  !isComparable(after, before) &&
  made.some(({ finding }) => finding !== undefined && promiseOf(finding, after)?.cameTrue === true)

/** Where nothing was learnt nothing can be lost: what the coach has found at fault stays mended. */
const costsNothing = (made: readonly Proposal[], after: Evidence, before: Evidence): boolean =>
  made.some(({ finding }) => finding !== undefined) &&
  Number.isFinite(finalCost(after)) &&
  skillOf(after) < NOTHING &&
  skillOf(before) < NOTHING

const keyOf = (edit: Edit): string => JSON.stringify(edit)
const ofFinding = (finding: Finding): Proposal => ({ change: finding.change, why: finding.saw, finding })
const isRate = ({ change }: Proposal): boolean => change.edit.kind === "learningRate"

/** The next rung of the ladder of learning rates, by powers of ten from where the training stands. */
function* nextRate(evidence: Evidence, attempts: readonly Attempt<unknown>[]): Generator<Proposal> {
  const { learningRate } = evidence.training
  const values = POWERS.map((power) => Number((learningRate * Number(`1e${power}`)).toPrecision(6)))
  const same = (a: number, b: number): boolean => Math.abs(a / b - 1) < 1e-3
  // Trainings count that differ from this one in their rate alone.
  const since = attempts.findLastIndex(({ kept, proposals }) => kept && !proposals.every(isRate))
  const comparable = attempts.filter(({ proposals }, i) => i === since || (i > since && proposals.every(isRate)))
  const look = (value: unknown): Seen | undefined => {
    const found = same(Number(value), learningRate)
      ? evidence
      : comparable.findLast((attempt) => same(attempt.evidence.training.learningRate, Number(value)))?.evidence
    return found && { cost: finalCost(found), error: 0, pruned: false, costs: costsOf(found) }
  }
  const { next } = standOn({ knob: "learningRate", values, start: values[3]!, rule: "learningRate" }, look)
  if (typeof next !== "number") return
  const way = next > learningRate ? "It learns but slowly" : "It learns badly"
  const change = setRate(evidence, next, `Learning rate ${shown(learningRate)} -> ${shown(next)}.`)
  yield { change, why: `${way}: another power of ten.` }
}

/** Layers whose size a change may set. */
const isPlain = ({ network }: Evidence): boolean =>
  network.layers.every(({ hasKernel, type }) => !hasKernel || type === "dense")

/** The chapter's values of what is far from them: two hidden layers of some neurons, neurons that do not saturate, inputs around 0 +- 1, batches of 32. */
function* usual(evidence: Evidence): Generator<Proposal> {
  const { training, data } = evidence
  const hidden = hiddenOf(evidence)
  if (hidden.length > MOST_LAYERS && isPlain(evidence)) {
    const units = hidden.map((layer) => layer.units)
    yield { change: setDepth(units, FEW_LAYERS), why: `${units.length} hidden layers learn slowly.` }
  }
  const narrowest = Math.min(...hidden.map(({ units }) => units))
  if (narrowest <= NARROW && isPlain(evidence))
    yield { change: setUnits(hidden.length, USUAL_UNITS), why: `A layer has ${counted(narrowest, "neuron")} only.` }
  if (hidden.some(({ activation }) => FLAT_ENDS.test(activation))) {
    const change = { kind: "activation", to: "relu" } as const
    yield {
      change: changeTo("Use relu in the hidden layers.", 'dense({ activation: "relu" })', change, "--activation relu"),
      why: "Neurons with flat ends learn at a crawl there.",
    }
  }
  const size = Math.max(0, ...(data?.means.map((mean, i) => Math.hypot(mean, data.deviations[i]!)) ?? []))
  if (size > LARGE) yield { change: standardizeInputs, why: `The largest feature is usually ${shown(size)} in size.` }
  if (training.batchSize < SMALL_BATCH || training.batchSize > LARGEST_BATCH)
    yield { change: setBatch(USUAL_BATCH), why: `Batches of ${training.batchSize} are unusual.` }
}

/** Twice the neurons of all hidden layers, then a layer more: while that helps. */
function* larger(evidence: Evidence): Generator<Proposal> {
  const units = hiddenOf(evidence).map((layer) => layer.units)
  if (units.length === 0 || !isPlain(evidence)) return
  const to = 2 * Math.max(...units)
  const why = `The cost rests with ${percent(Math.max(0, anySkill(evidence) ?? 0))} learnt.`
  if (to <= MOST_UNITS) yield { change: setUnits(units.length, to), why }
  if (units.length < MOST_LAYERS) yield { change: setDepth(units, units.length + 1), why }
}

/** More epochs: twice as many, and no fewer than a training begins with whose number of epochs is open. */
function* longer({ training: { epochs }, ended }: Evidence): Generator<Proposal> {
  // What has stopped by itself would do so again, at the same epoch.
  if (ended === "stopped") return
  const why = `After ${counted(epochs, "epoch")} it still learns: train longer.`
  yield { change: setEpochs(Math.max(FIRST_EPOCHS, 2 * epochs)), why }
}

/**
 * What may be tried next with a training, the most promising first: what the coach finds at fault; then, unless all is well, the chapter's
 * next step. Where the cost has left all numbers, or falls slowly by short steps: another power of ten for the learning rate; what is far
 * from usual; more epochs while it still learns; the learning rate in any case; more neurons and layers. Where it is proven that
 * the reader must look at the data nothing is proposed.
 */
function* proposals(evidence: Evidence, attempts: readonly Attempt<unknown>[]): Generator<Proposal> {
  const faults = findingsOf(evidence).filter(({ kind }) => kind === "fault")
  if (faults.some(({ change, score }) => change.edit.kind === "look" && score >= PROVEN)) return
  yield* faults.map(ofFinding)
  if (evidence.epochs.length === 0 && evidence.diverged === undefined) return
  const skill = skillOf(evidence)
  const pace = Number.isFinite(finalCost(evidence)) ? paceOf(costsOf(evidence)) : "unable"
  // What overfits gains nothing from more of anything.
  if (attempts.some(({ kept, proposals }) => kept && proposals.some(({ finding }) => finding?.code === "F17"))) return
  const enough = pace === "rests" ? WELL_AT_REST : WELL
  if (faults.length === 0 && skill >= enough) return
  const kept = attempts.findLastIndex((attempt) => attempt.kept)
  const vain = attempts
    .slice(kept + 1)
    .filter(({ proposals }) => proposals.every(({ finding }) => finding === undefined))
  if (vain.length >= (skill >= MOST ? 1 : PATIENCE)) return
  // What has learnt its rows has nothing more to learn from them.
  if (faults.length === 0 && (anySkill(evidence) ?? 0) >= enough) return yield* usual(evidence)
  const slow = pace === "slow" || pace === undefined
  const room = attempts[kept]?.proposals.some(isRate) || POWER * (longestShare(evidence) ?? 0) < LONG_STEP
  const ratesFirst = !Number.isFinite(finalCost(evidence)) || (pace === "slow" && room)
  const rates = nextRate(evidence, attempts)
  if (ratesFirst) yield* rates
  yield* usual(evidence)
  if (slow) yield* longer(evidence)
  if (!ratesFirst) yield* rates
  yield* larger(evidence)
}

/**
 * Repairs a training: makes a change, trains, keeps the change if validation says that it helped and undoes it otherwise; ends when nothing
 * more is proposed, or after so many trainings. All that was wrong before the first step is mended at once where it can be examined;
 * what was proven then stays mended even if that alone does not help yet.
 * @param setup what was trained first, in the caller's own words
 * @param first all that is known of that training
 * @param most trainings after the first (default 5)
 * @example
 * ```ts
 * import { dense, sequential, sgd } from "trilobite"
 * import { repair } from "trilobite/tune"
 * const train = async ({ rate }: { readonly rate: number }) => {
 *   const model = sequential([dense({ units: 8, activation: "relu", inputShape: [2] }), dense({ units: 1, activation: "sigmoid" })])
 *   model.compile({ loss: "binaryCrossentropy", optimizer: sgd({ learningRate: rate }) })
 *   const rows = Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
 *   await model.fit(rows, rows.map(([x = 0]) => [Number(x > 0)]), { epochs: 10, coach: true, verbose: 0 })
 *   return model.coach!.evidence
 * }
 * const setup = { rate: 1e-5 }
 * const { setup: best } = await repair(setup, await train(setup), {
 *   change: (_, { edit }) => (edit.kind === "learningRate" ? { rate: edit.to } : undefined),
 *   train,
 * })
 * best.rate > 1e-4 // => true
 * ```
 */
export async function repair<Setup>(
  setup: Setup,
  first: Evidence,
  by: Repairer<Setup>,
  most: number = 5,
): Promise<Repaired<Setup>> {
  const begin: Attempt<Setup> = { setup, proposals: [], evidence: first, kept: true }
  const attempts: Attempt<Setup>[] = []
  let [standing, best] = [begin, begin]
  while (attempts.length < most) {
    const next = await changed(standing, [begin, ...attempts], by)
    if (next.made.length === 0) break
    const evidence = await by.train(next.setup, next.made)
    const proven = next.made.some(({ finding }) => finding?.epoch === null && finding.score >= PROVEN)
    const helped = isBetter(evidence, standing.evidence) || asPromised(next.made, evidence, standing.evidence)
    const kept = proven || helped || costsNothing(next.made, evidence, standing.evidence)
    const attempt: Attempt<Setup> = { setup: next.setup, proposals: next.made, evidence, kept }
    attempts.push(attempt)
    by.onAttempt?.(attempt)
    // Of what was proven to be wrong only a training that finds more is better than the one that mends it.
    const mends = proven && Number.isFinite(finalCost(evidence)) && !findsMore(best.evidence, evidence)
    if (mends || isBetter(evidence, best.evidence) || (helped && best === standing)) best = attempt
    if (kept) standing = attempt
  }
  return { setup: best.setup, evidence: best.evidence, attempts }
}

/** The setup with the next change; with all that is wrong before the first step, if that comes first. */
async function changed<Setup>(
  standing: Attempt<Setup>,
  attempts: readonly Attempt<Setup>[],
  { change, examine }: Repairer<Setup>,
): Promise<{ readonly setup: Setup; readonly made: readonly Proposal[] }> {
  let { setup, evidence } = standing
  const next: Proposal[] = []
  // What was undone may help once something else has changed.
  const since = attempts.findLastIndex(({ kept }) => kept)
  const made = attempts.filter(({ kept }, i) => kept || i > since)
  const known = new Set(made.flatMap(({ proposals }) => proposals.map((own) => keyOf(own.change.edit))))
  while (next.length < MOST_AT_ONCE) {
    let found: Proposal | undefined
    for (const proposal of proposals(evidence, attempts)) {
      if (known.has(keyOf(proposal.change.edit))) continue
      if (next.length > 0 && proposal.finding?.epoch !== null) continue
      const other = change(setup, proposal.change)
      if (other === undefined) continue
      ;[found, setup] = [proposal, other]
      break
    }
    if (found === undefined) break
    next.push(found)
    known.add(keyOf(found.change.edit))
    if (found.finding?.epoch !== null || examine === undefined) break
    evidence = await examine(setup)
  }
  return { setup, made: next }
}
