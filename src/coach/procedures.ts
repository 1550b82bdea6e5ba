// The chapter's rules of thumb as decisions: from what was seen to the next value, with the reason in one sentence and the evidence.
// Pure functions that train nothing: the search (tune), a training with an open number of epochs and the command line carry them out.

import { counted, percent, shown } from "./rules/rule.ts"

/** A value of something that is set before a training. */
export type Setting = number | string | boolean | null

/** What a procedure has decided. */
export interface Decision<Evidence extends object = object> {
  /** What it was about: `learningRate`, `epochs`, … */
  readonly knob: string
  readonly value: Setting
  /** The reason in one sentence. */
  readonly text: string
  /** The numbers that it rests on. */
  readonly evidence: Evidence
}

/** What counts as noise where there are no several seeds: this share of the cost. */
const NOISE = 0.01

// --- Learning rate, neurons, layers, batch size: rungs of a ladder ---------------------------------------------------------------

/**
 * By which rule one goes up and down a ladder. `better`: to a neighbour that is better by more than the noise. `smaller`, for neurons and
 * layers: so upwards, but downwards unless that is worse by as much (Occam's razor). `learningRate`: where a training learns but
 * slowly only a higher rate is tried, where it is erratic only a lower one, and from a rate that cannot learn it goes down in any case.
 */
export type LadderRule = "better" | "smaller" | "learningRate"

/** The values of one knob that are tried, in their order, each distinct. */
export interface Ladder<Value extends Setting = Setting> {
  readonly knob: string
  readonly values: readonly Value[]
  readonly start: Value
  /** By which rule (default better). */
  readonly rule?: LadderRule
}

/** What a training with one of the values has come to. */
export interface Seen {
  /** Less is better; infinite if it has diverged. */
  readonly cost: number
  /** The standard error of the cost over several seeds; 0 if there was one. */
  readonly error: number
  /** Whether it was ended early. */
  readonly pruned: boolean
  /** The costs after its epochs, as far as they are known. */
  readonly costs: readonly number[]
}

/** A rung that was compared: its value and cost; `pace` where the costs of its epochs tell. */
export interface Rung {
  readonly value: Setting
  readonly cost: number
  /** The standard error of the cost over several seeds, if there were some. */
  readonly error?: number
  readonly pruned: boolean
  readonly pace?: Pace
}

/** Where one stands on a ladder: what is to be tried next, or the value that is taken, with the decision once nothing is open. */
export type Standing =
  | { readonly next: Setting }
  | { readonly next?: never; readonly at: Setting; readonly decision: Decision<readonly Rung[]> | undefined }

/** How a training learns, by its costs: `unable`: not at all; `erratic`: up and down; `slow`: it still falls at its end; or it `rests`. */
export type Pace = "unable" | "erratic" | "slow" | "rests"

/** Fewer epochs say nothing of a pace. */
const JUDGED = 4
/** A cost that rises by more than this share has risen; a training of which more than that share of epochs, and two, rise is erratic. */
const RISE = 0.02
const RISES = 0.25
/** The share of all that a training has gained that is much for its last quarter. */
const FALLING = 0.1

/**
 * The pace of a training by its costs after each epoch (1 % counts as nothing): undefined if there are fewer than 4.
 * @example
 * ```ts
 * import { paceOf } from "trilobite/tune"
 * paceOf([0.9, 0.8, 0.7, 0.6]) // => "slow"
 * paceOf([0.9, 0.3, 0.2, 0.2, 0.2, 0.2]) // => "rests"
 * paceOf([0.9, 0.5, 0.8, 0.4, 0.7]) // => "erratic"
 * paceOf([0.9, 0.9, 0.9, 0.9]) // => "unable"
 * ```
 */
export function paceOf(costs: readonly number[]): Pace | undefined {
  if (costs.some((cost) => !Number.isFinite(cost))) return "unable"
  if (costs.length < JUDGED) return undefined
  const [first, last, least] = [costs[0]!, costs.at(-1)!, Math.min(...costs)]
  if (!(first - least > NOISE * Math.abs(first))) return "unable"
  const rises = costs.filter((cost, i) => i > 0 && cost - costs[i - 1]! > RISE * Math.abs(costs[i - 1]!)).length
  if (rises > 1 && rises > RISES * (costs.length - 1) && last - least > RISE * Math.abs(least)) return "erratic"
  const before = Math.min(...costs.slice(0, -Math.ceil(costs.length / 4)))
  return before - least > Math.min(NOISE * Math.abs(before), FALLING * (first - least)) ? "slow" : "rests"
}

/**
 * Where one stands on a ladder after what was seen of its values. The rung it stands on is compared with its neighbours, and it goes to
 * the better one while that is better by more than the noise, the greater of 1 % and √(s₁² + s₂²) with the standard errors over seeds;
 * the rule of the ladder says what else. What is still being tried counts as no better for the time being, so that other processors
 * try what comes next if that is true.
 * @param look what is known of a value: undefined if nothing
 * @param direction of what costs were made: decisions tell those of `maximize` with their sign turned
 * @example
 * ```ts
 * import { standOn } from "trilobite/tune"
 * const rates = { knob: "learningRate", values: [0.001, 0.01, 0.1], start: 0.01, rule: "learningRate" } as const
 * const slow = { cost: 0.6, error: 0, pruned: false, costs: [0.9, 0.8, 0.7, 0.6] }
 * standOn(rates, (rate) => (rate === 0.01 ? slow : undefined)) // => { next: 0.1 }
 * ```
 */
export function standOn(
  ladder: Ladder,
  look: (value: Setting) => Seen | "running" | undefined,
  direction: "minimize" | "maximize" = "minimize",
): Standing {
  const { values, start, rule = "better" } = ladder
  const seen = new Map<number, Seen>()
  let certain = true
  let rung = values.indexOf(start)
  const paceAt = (i: number): Pace | undefined => {
    const found = seen.get(i)
    return found === undefined ? undefined : Number.isFinite(found.cost) ? paceOf(found.costs) : "unable"
  }
  const cannot = (i: number): boolean => rule === "learningRate" && paceAt(i) === "unable"
  const near = (): readonly number[] => {
    const pace = rule === "learningRate" ? paceAt(rung) : undefined
    if (pace === "slow") return [rung + 1]
    return pace === "erratic" || pace === "unable" ? [rung - 1] : [rung + 1, rung - 1]
  }
  const gain = (i: number): number => {
    const [own, other] = [seen.get(rung), seen.get(i)]
    if (own === undefined || other === undefined || cannot(i)) return Number.NEGATIVE_INFINITY
    return (cannot(rung) ? Number.POSITIVE_INFINITY : own.cost) - other.cost
  }
  const noise = (i: number): number => noiseOf(seen.get(rung), seen.get(i))
  for (let moved = true; moved; ) {
    moved = false
    for (const asks of [() => [rung], near]) {
      for (const i of asks()) {
        if (i < 0 || i >= values.length || seen.has(i)) continue
        const found = look(values[i]!)
        if (found === undefined) return { next: values[i]! }
        if (found === "running") certain = false
        else seen.set(i, found)
      }
    }
    const [up, down] = [rung + 1, rung - 1]
    const lighter = rule === "smaller" && seen.get(down)?.pruned === false
    if (gain(up) > noise(up) && gain(up) >= gain(down)) rung = up
    else if (gain(down) > (lighter ? -1 : 1) * noise(down)) rung = down
    else if (cannot(rung) && seen.has(down)) rung = down
    else continue
    // A rung that it stood on before was left for a better one, or cannot learn: so this ends.
    moved = true
  }
  // If nothing learns the one that costs least is as good as any.
  if (cannot(rung) && certain) {
    rung = [...seen.keys()].reduce((a, b) => (seen.get(b)!.cost < seen.get(a)!.cost ? b : a), values.indexOf(start))
  }
  const rungs = [...seen.keys()].sort((a, b) => a - b)
  const evidence = rungs.map((i): Rung => {
    const pace = rule === "learningRate" ? paceAt(i) : undefined
    const { cost, error, pruned } = seen.get(i)!
    return {
      value: values[i]!,
      cost: direction === "minimize" ? cost : -cost,
      ...(error > 0 ? { error } : {}),
      pruned,
      ...(pace === undefined ? {} : { pace }),
    }
  })
  const at = values[rung]!
  return { at, decision: certain ? rungDecision(ladder, at, cannot(rung), evidence) : undefined }
}

function noiseOf(a: Seen | undefined, b: Seen | undefined): number {
  if (a === undefined || b === undefined || !Number.isFinite(a.cost)) return 0
  return Math.max(NOISE * Math.abs(a.cost), Math.sqrt(a.error * a.error + b.error * b.error))
}

const PACES: { readonly [pace in Pace]: string } = {
  unable: "cannot learn",
  erratic: "erratic",
  slow: "still falling",
  rests: "at rest",
}

function rungDecision(
  { knob, rule = "better" }: Ladder,
  value: Setting,
  unable: boolean,
  evidence: readonly Rung[],
): Decision<readonly Rung[]> {
  const why = unable
    ? "with none of them does it learn"
    : rule === "smaller"
      ? "the smallest that none beats by more than the noise"
      : "no neighbour is better by more than the noise"
  const told = evidence.map(({ value: at, cost, error, pruned, pace }) => {
    if (!Number.isFinite(cost)) return `${at}: diverged`
    const more = [...(pruned ? ["ended early"] : []), ...(pace === undefined ? [] : [PACES[pace]])]
    const spread = error === undefined ? "" : ` ± ${Number(error.toPrecision(2))}`
    return `${at}: ${Number(cost.toPrecision(3))}${spread}${more.length === 0 ? "" : ` (${more.join(", ")})`}`
  })
  return { knob, value, text: `${knob} ${value}: ${why} (${told.join(", ")}).`, evidence }
}

/** The values of the chapter: rates by powers of ten, neurons and batches by powers of two (no batch beyond 128), up to four layers. */
const VALUES: { readonly [knob in ChapterKnob]: readonly number[] } = {
  learningRate: [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1],
  units: [8, 16, 32, 64, 128, 256, 512],
  depth: [1, 2, 3, 4],
  batchSize: [16, 32, 64, 128],
}

/** The knobs for which the chapter has rules. */
export type ChapterKnob = "learningRate" | "units" | "depth" | "batchSize"

/**
 * The ladder of the chapter for a knob, from the rung that is nearest to a value (by their ratio).
 * @example
 * ```ts
 * import { chapterLadder } from "trilobite/tune"
 * const { start, values, rule } = chapterLadder("units", 100)
 * start // => 128
 * values // => [8, 16, 32, 64, 128, 256, 512]
 * rule // => "smaller"
 * ```
 */
export function chapterLadder(knob: ChapterKnob, wanted: number): Ladder<number> {
  const values = VALUES[knob]
  const ratio = (a: number): number => Math.max(a, wanted) / Math.min(a, wanted)
  const start = values.reduce((a, b) => (ratio(b) < ratio(a) ? b : a))
  const rule = knob === "learningRate" ? knob : knob === "batchSize" ? "better" : "smaller"
  return { knob, values, start, rule }
}

/** The learning rate that the chapter begins with: 0.01, and 0.001 for optimizers that give every weight steps of its own. */
export function firstLearningRate(optimizer: string): number {
  return /^sgd$/i.test(optimizer) ? 0.01 : 0.001
}

// --- Epochs ----------------------------------------------------------------------------------------------------------------------

/** Epochs that a training whose number is open is begun with, and at most has. */
export const FIRST_EPOCHS = 16
export const MOST_EPOCHS = 10_000
/** Epochs without a better one after which validation cost may be said to creep up: the least, and their share of all. */
const PATIENCE = 10
const PATIENT = 0.2
/**
 * The share of the first cost that the second half of the epochs must have taken off. To go on is to pay for all epochs once more, and of
 * a curve that flattens the next doubling takes off less than the last did: of what there was to learn that is no more than noise. Shares
 * of what is left would say nothing: where classes can be told apart for certain the cost halves for ever, and answers stay what they are.
 */
const WORTH = 0.01

/** What the number of epochs is decided by. Epochs count from 1. */
export interface EpochsEvidence {
  readonly case: "falls" | "creepsUp" | "rests"
  readonly epochs: number
  readonly bestEpoch: number
  readonly bestCost: number
  readonly lastCost: number
  /** The first cost, the best one of the first half of the epochs, and the share of the first that the second half took off. */
  readonly firstCost: number
  readonly halfCost: number
  readonly gained: number
}

/** A decision about the epochs: how many there shall be, and whether that ends the training. */
export interface EpochsDecision extends Decision<EpochsEvidence> {
  readonly knob: "epochs"
  readonly value: number
  readonly ends: boolean
}

/**
 * Whether a training goes on, by its validation costs: the chapter's three cases. Planned epochs are over: if the cost still falls (the
 * second half of the epochs took more than 1 % of the first cost off, and the best is among the last quarter) it trains twice as long; else
 * it rests and is done. Before that: if the best is 10 epochs ago (a fifth of all, if that is more) and the cost has crept up by more than 2 %, the
 * network overfits, and it is stopped. Undefined: nothing is to be decided yet.
 * @param costs after each epoch; what is not finite counts as infinite
 * @param planned how many epochs there shall be, as things stand
 * @example
 * ```ts
 * import { decideEpochs } from "trilobite/tune"
 * const falling = Array.from({ length: 16 }, (_, i) => 1 / (i + 1))
 * decideEpochs(falling, 16)?.value // => 32
 * decideEpochs(falling, 32) // => undefined
 * decideEpochs([...falling, ...falling.toReversed()], 32)?.evidence.case // => "creepsUp"
 * ```
 */
export function decideEpochs(costs: readonly number[], planned: number): EpochsDecision | undefined {
  const known = costs.map((cost) => (Number.isFinite(cost) ? cost : Number.POSITIVE_INFINITY))
  const epochs = known.length
  if (epochs === 0) return undefined
  const least = Math.min(...known)
  const best = known.indexOf(least)
  const ago = epochs - 1 - best
  const late = known.slice(-Math.ceil((ago + 1) / 2))
  // Of a noisy curve one low epoch would say nothing: the mean of the later half since the best.
  const now = late.reduce((sum, cost) => sum + cost, 0) / late.length
  const crept = ago > 0 && now - least > RISE * Math.abs(least)
  const over = epochs >= planned
  const creepsUp = crept && ago >= Math.max(PATIENCE, Math.ceil(PATIENT * epochs))
  if (!over && !creepsUp) return undefined
  const first = known.find(Number.isFinite) ?? 0
  const half = Math.min(...known.slice(0, Math.ceil(epochs / 2)))
  const share = (half - least) / Math.abs(first)
  const gained = Number.isFinite(share) ? share : 0
  const falls = !creepsUp && gained > WORTH && ago < Math.max(1, Math.ceil(epochs / 4))
  // At the end of the plan a rise is told as what it is only if it is as large as what would have been worth going on for.
  const rose = crept && now - least > WORTH * Math.abs(first)
  const kind = falls ? "falls" : creepsUp || rose ? "creepsUp" : "rests"
  const evidence: EpochsEvidence = {
    case: kind,
    epochs,
    bestEpoch: best + 1,
    bestCost: least,
    lastCost: known.at(-1)!,
    firstCost: first,
    halfCost: half,
    gained,
  }
  const longer = falls && planned < MOST_EPOCHS
  const value = longer ? Math.min(2 * planned, MOST_EPOCHS) : epochs
  const where = `epoch ${best + 1} (${shown(least)})`
  const text = longer
    ? `Epochs ${planned} to ${value}: validation cost still falls, by ${percent(gained)} of the first in the second half, best in ${where}: train longer.`
    : falls
      ? `Epochs ${epochs}: validation cost still falls, best in ${where}, but more than ${MOST_EPOCHS} must be asked for.`
      : kind === "creepsUp"
        ? `Epochs ${epochs}: validation cost was best in ${where} and has crept up to ${shown(now)} in the ${counted(ago, "epoch")} since: overfitting.`
        : `Epochs ${epochs}: validation cost rests, the second half took ${percent(gained)} of the first off; best in ${where}.`
  return { knob: "epochs", value, ends: !longer, text, evidence }
}

// --- Learning rate by a range test -----------------------------------------------------------------------------------------------

/** What a range test has seen: the smoothed costs where it begins, where they are least, and where it ends. */
export interface RangeEvidence {
  readonly steps: number
  readonly from: { readonly rate: number; readonly cost: number }
  readonly least: { readonly rate: number; readonly cost: number }
  readonly to: { readonly rate: number; readonly cost: number }
  /** Whether it ended because the cost had risen to several times the least, or beyond numbers. */
  readonly blewUp: boolean
}

/** How far below the rate with the least cost a first rate is safe: half a power of ten. */
const SAFE = 3
const POWERS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100]

/**
 * The first learning rate by a range test: the largest power of ten that is at most a third of the rate at which the cost was least, since
 * from there on steps do harm; null if the cost fell by less than 2 % at all of them.
 * @param rates in growing order
 * @param costs the smoothed cost of the round with each of them
 * @example
 * ```ts
 * import { decideByRange } from "trilobite/tune"
 * decideByRange([1e-3, 1e-2, 1e-1, 1], [2.3, 2.1, 0.9, 8], true).value // => 0.01
 * ```
 */
export function decideByRange(
  rates: readonly number[],
  costs: readonly number[],
  blewUp: boolean,
): Decision<RangeEvidence> {
  const at = (i: number): RangeEvidence["least"] => ({ rate: rates[i]!, cost: costs[i]! })
  const best = costs.reduce((a, cost, i) => (cost < costs[a]! ? i : a), 0)
  const [from, least, to] = [at(0), at(best), at(costs.length - 1)]
  const evidence: RangeEvidence = { steps: costs.length, from, least, to, blewUp }
  const knob = "learningRate"
  if (!(from.cost - least.cost > RISE * Math.abs(from.cost))) {
    const text = `learningRate: no rate from ${shown(from.rate)} to ${shown(to.rate)} made the cost (${shown(from.cost)}) fall in a range test.`
    return { knob, value: null, text, evidence }
  }
  const value = POWERS.reduce((a, power) => (SAFE * power <= least.rate ? power : a), POWERS[0]!)
  const end = blewUp
    ? `then rose, to ${shown(to.cost)} at ${shown(to.rate)}`
    : best === costs.length - 1
      ? "where the test ended"
      : `and was ${shown(to.cost)} at ${shown(to.rate)}`
  const fell = `the cost fell from ${shown(from.cost)} to ${shown(least.cost)} at rate ${shown(least.rate)}`
  const text = `learningRate ${value}: in a range test ${fell}, ${end}; a power of ten below a third of that is a safe start.`
  return { knob, value, text, evidence }
}

// --- Batch size ------------------------------------------------------------------------------------------------------------------

/** What is known of a batch size: the bytes of the program that trains with it, and how long it trains for a row, if it was measured. */
export interface BatchSeen {
  readonly batchSize: number
  readonly bytes: number
  readonly secondsPerRow?: number
}

/** Between what a batch size is chosen. */
export interface BatchLimits {
  /** Rows of training data: no batch is larger. */
  readonly rows: number
  /** Bytes that the program may take. */
  readonly memory: number
  /** Where it begins, and the most that is tried (the chapter: 32 and 128). */
  readonly from: number
  readonly most: number
}

/** What is to be looked at next, or what is decided; the value null: not even one row fits. */
export type BatchStanding =
  | { readonly next: number; readonly decision?: never }
  | { readonly next?: never; readonly decision: Decision<BatchLimits & { readonly seen: readonly BatchSeen[] }> }

/** The part of the time that a batch of twice the size may take at most to be worth it. */
const FASTER = 0.8

/**
 * The batch size after what was seen: it begins with 32 (all rows, if there are fewer), halves it until the program fits the memory, and
 * doubles it while there is room and a row then takes less than 80 % of the time; never beyond 128 unless `most` says so.
 * @param seen in the order in which they were asked for
 * @example
 * ```ts
 * import { decideBatchSize } from "trilobite/tune"
 * const limits = { rows: 1000, memory: 5e6, from: 32, most: 128 }
 * decideBatchSize([{ batchSize: 32, bytes: 8e6 }], limits).next // => 16
 * decideBatchSize([{ batchSize: 32, bytes: 8e6 }, { batchSize: 16, bytes: 4e6 }], limits).decision?.value // => 16
 * ```
 */
export function decideBatchSize(seen: readonly BatchSeen[], limits: BatchLimits): BatchStanding {
  const { rows, memory, from, most } = limits
  const fits = seen.filter(({ bytes }) => bytes <= memory)
  const last = seen.at(-1)
  if (last === undefined) return { next: Math.max(1, Math.min(from, rows)) }
  const gain = (a: BatchSeen, b: BatchSeen): number => b.secondsPerRow! / a.secondsPerRow!
  const decided = (value: number | null, text: string): BatchStanding => {
    return { decision: { knob: "batchSize", value, text: `batchSize ${text}.`, evidence: { ...limits, seen } } }
  }
  if (fits.length === 0) {
    if (last.batchSize > 1) return { next: Math.floor(last.batchSize / 2) }
    return decided(null, `1 does not fit either: it takes ${size(last.bytes)}, and there are ${size(memory)}`)
  }
  const halved = seen.length > 1 && seen[0]!.bytes > memory
  const before = fits.at(-2)
  const worth = before === undefined || gain(before, fits.at(-1)!) < FASTER
  const grows = !halved && last.bytes <= memory && last.secondsPerRow !== undefined && worth
  if (grows && 2 * last.batchSize <= Math.min(most, rows)) return { next: 2 * last.batchSize }
  const { batchSize, bytes } = worth ? fits.at(-1)! : before!
  const room = `it takes ${size(bytes)} of ${size(memory)}`
  if (halved) return decided(batchSize, `${batchSize}: ${room}, and ${2 * batchSize} does not fit`)
  const steps = fits.slice(1).map((own, i) => {
    return `${own.batchSize} trains in ${percent(gain(fits[i]!, own))} of the time of ${fits[i]!.batchSize}`
  })
  const over = last.bytes > memory ? [`${last.batchSize} does not fit`] : []
  return decided(batchSize, `${batchSize}: ${[room, ...steps, ...over].join(", ")}`)
}

/** Bytes for a reader. */
function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"]
  let unit = 0
  let left = bytes
  for (; left >= 1024 && unit < units.length - 1; unit++) left /= 1024
  return `${shown(left)} ${units[unit]}`
}
