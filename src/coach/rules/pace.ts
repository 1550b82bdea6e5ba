// What several rules share: how much is learnt, how far steps can lead, neurons that they have put to sleep. Knows no fault.

import type { Evidence, LayerFacts, LayerLook } from "../evidence.ts"
import { firstShares, gainOf, hiddenLooks, lastLooks, risesOf, SILENT } from "./signs.ts"

/** Skills at which little is left to mend, from which on all is well, below which a training hardly learns, and above which it learns. */
export const NEARLY_ALL = 0.9
export const WELL = 0.7
export const HARDLY = 0.3
export const SOMETHING = 0.05
/** The skill that is none. */
export const NOTHING = 0.08
/** A step of usual length, as a share of the weights: the middle of what was healthy. */
export const USUAL_STEP = 0.01
/**
 * Losses over those here: so much lower some steps ahead, or at the mean of the weights, is more than the noise of 256 rows. Steps of
 * nearly all rows have no noise: there less is enough.
 */
export const LOWER = 0.95
export const LOWER_WITHOUT_NOISE = 0.97
export const LOWER_AT_MEAN = 0.8
export const MUCH_LOWER_AT_MEAN = 0.6
/** Steps agree: noise alone gives 0. From the first on the direction is clear, from the second on most of each step is common. */
export const AGREE = 0.1
export const MOSTLY_AGREE = 0.5
export const DISAGREE = 0.02
/** The share of epochs after which the loss may rise: noise gives a few, a cost that falls steadily next to none. */
export const RISES = 0.25
export const RISES_OF_FEW_ROWS = 0.2
export const STEADY = 0.1
/** Epochs that make a pattern: of fewer each counts too much. */
export const PATTERN = 4
/** Limits that leave usual gradients whole: the length with some room; of a gradient's numbers 99.7 % lie within three of their sizes. */
export const ROOM = 1.3
export const ROOM_OF_NUMBERS = 3
/** What all steps of a training together must be able to change of the weights: less, and the end is where the beginning was. */
export const REACHES = 0.2
/** Of a trial of fewer epochs it is asked what so many would do: a training that is cut short says nothing of its rate. */
export const TRIAL_EPOCHS = 10
/** Silent or flat at the start: with less of it a layer was well, and what is seen later came with training. */
export const ALIVE = 0.5
export const BENT = 0.25

export const tenTo = (power: number): number => Number(`1e${power}`)
export const times = (rate: number, power: number): number => Number((rate * tenTo(power)).toPrecision(6))

/** Whether the cost rises after more than such a share of the epochs, and more than once: one jump is an accident. */
export function isRestless(evidence: Evidence, most: number): boolean {
  const { length } = evidence.epochs
  const rises = risesOf(evidence)
  return length >= PATTERN && rises > most && rises * (length - 1) > 1.5
}

/** Steps of the whole training; of a trial, those of as many epochs as tell something. */
export const stepsInAll = ({ training: { rounds, epochs } }: Evidence): number =>
  rounds * Math.max(epochs, TRIAL_EPOCHS)

/** What is said beside that number where fewer epochs are planned. */
export const ofTrial = ({ training: { epochs } }: Evidence): string =>
  epochs < TRIAL_EPOCHS ? ` (of ${TRIAL_EPOCHS} epochs)` : ""

/**
 * How far all steps together can lead if they are as long as the first ones and all agree, as a share of the weights of the layer that moves
 * most; told before the first one, of networks that know nothing: others are tuned on with short steps.
 */
export function reachOf(evidence: Evidence): number | undefined {
  const { training, probe } = evidence
  const share = firstShares(evidence)?.most
  if (share === undefined || training.scheduled || !(training.rounds > 0) || evidence.epochs.length > 0)
    return undefined
  return (gainOf(evidence, probe!.loss) ?? 0) > HARDLY ? undefined : share * stepsInAll(evidence)
}

/** A layer whose neurons were awake at the start and have gone silent since: what long steps do. */
export function goneSilent(
  evidence: Evidence,
): { readonly look: LayerLook; readonly facts: LayerFacts; readonly before: number } | undefined {
  for (const { look, facts } of hiddenLooks(evidence, lastLooks(evidence))) {
    const before = evidence.probe?.layers.find(({ layer }) => layer === look.layer)?.dead ?? 0
    if ((look.dead ?? 0) > SILENT * facts.units && before < ALIVE * facts.units) return { look, facts, before }
  }
  return undefined
}
