// Faults that show in what a training comes to: too small a network, learning by heart, too few epochs, and what nobody knows. Knows no
// other rule.

import type { Evidence, TrialFacts } from "../evidence.ts"
import { NEARLY_ALL, NOTHING } from "./pace.ts"
import {
  changeTo,
  counted,
  expectLoss,
  type Found,
  NARROW,
  percent,
  type Rule,
  setDepth,
  setEpochs,
  setUnits,
  shown,
  USUAL_UNITS,
} from "./rule.ts"
import {
  aheadOf, anySkill, gainOf, gainPerEpoch, hiddenOf, ignorantLoss, isLate, lastEpoch, longestShare, meanRatio, numberOf, SHORT_STEP, skillOf, standsStill, stepsOf,
  validSkillOf,
} from "./signs.ts" // biome-ignore format: a list

/** The skill below which a training has not come to enough. */
const ENOUGH = 0.7
/** How far validation may stay behind where a network is only too small: what it cannot learn it cannot learn by heart either. */
const BEHIND = 0.3
/** A loss so much lower some steps ahead: training is not at rest. */
const NOT_AT_REST = 0.9
/** The rows that it takes to know a validation cost, and to say that labels do not follow from inputs. */
const ROWS_FOR_VALIDATION = 40
const ROWS_FOR_LABELS = 400
/** Epochs in which validation must have had its chance, and what of training is learnt by rote then: not all at once, and not nothing. */
const CHANCES = 5
const BY_ROTE: readonly [number, number] = [-0.1, 0.8]
/** Accuracy that chance gives to the best of many epochs, in standard errors. */
const BY_CHANCE = 3
/** Rows, epochs and the largest class's share with which "nothing is learnt" says something. */
const ROWS_TO_LEARN = 30
const EPOCHS_TO_LEARN = 3
const ALL_BUT_ONE_CLASS = 0.9
/** How far validation must have turned, how far training gone on, and how long ago the best epoch must be. */
const TURNED = 1.3
const GONE_ON = 0.7
const WORTH = 0.2
const LONG_AGO = 0.15
/** A gap that is learning by heart at once: nothing left of the training cost, and a quarter of guessing in validation. */
const BY_HEART = 0.06
const STILL_WRONG = 0.25
/** The least that validation must have risen, and epochs since its best: less is noise. */
const ABOVE_BEST = 1.1
const RECENT = 3
/** The part of the first cost that the last quarter must still have gained. */
const STILL_FALLING = 0.01
/** Steps before which validation cost that rises says nothing. */
const STEPS_TO_TURN = 100
/** How many times as long one change may train: a pace that asks for more may be a crawl. */
const MOST_TIMES = 16
/** The difference of trials that is no noise. */
const SAME = 1.01
const BETTER_SEED = 0.05

/** How far costs have been above their best so far and come back: no further is no turn, but the noise of few rows or long steps. */
function healed(costs: readonly number[]): number {
  let [best, most] = [Number.POSITIVE_INFINITY, 1]
  for (const cost of costs) {
    best = Math.min(best, cost)
    if (Number.isFinite(cost)) most = Math.max(most, cost / best)
  }
  return most
}

function overfits(evidence: Evidence): Found | undefined {
  const { epochs, training, validation, data } = evidence
  const from = ignorantLoss(evidence)
  const last = lastEpoch(evidence)
  if (from === undefined || last?.valLoss === undefined || data?.targets.baseline === undefined) return undefined
  if (validation !== undefined && validation.rows < ROWS_FOR_VALIDATION) return undefined
  const costs = epochs.map(({ valLoss }) => (valLoss === undefined ? Number.POSITIVE_INFINITY : numberOf(valLoss)))
  const least = Math.min(...costs)
  const best = costs.indexOf(least)
  const ago = epochs.length - 1 - best
  // The lesser of the last two: what creeps up stays up, what bounces comes back.
  const [valid, trained] = [Math.min(...costs.slice(-2)), numberOf(last.loss)]
  const trainedThen = numberOf(epochs[best]!.loss)
  if (!Number.isFinite(valid) || !Number.isFinite(trained) || valid <= healed(costs.slice(0, best + 1)) * least)
    return undefined
  const turned =
    ago >= Math.max(RECENT, LONG_AGO * epochs.length) &&
    valid > TURNED * least &&
    trained < GONE_ON * trainedThen &&
    valid > WORTH * from
  const heart = ago >= RECENT && valid > STILL_WRONG * from && trained < BY_HEART * from && valid > ABOVE_BEST * least
  if (!turned && !heart) return undefined
  return {
    score: 78,
    saw: `The best validation cost was ${shown(least)} in epoch ${best + 1}; since then training fell from ${shown(trainedThen)} to ${shown(trained)}, and validation rose to ${shown(valid)}.`,
    normal: `Validation cost that falls or rests: at most ${percent(TURNED - 1)} above its best.`,
    why: "The network overfits: it learns the training rows by heart, and what it learns no longer holds for new ones.",
    change: changeTo(
      `Stop where validation was best (epoch ${best + 1}) and take those weights back.`,
      "callbacks: [earlyStopping({ patience: 10, restoreBestWeights: true })]",
      { kind: "earlyStopping", bestEpoch: best },
      `--epochs ${training.epochs} --patience 10`,
    ),
    expect: {
      text: `Validation cost ends near ${shown(least)}.`,
      measure: "keptValLoss",
      within: training.epochs,
      below: ABOVE_BEST * least,
    },
  }
}

/** A layer through which nothing gets, or no hidden layer at all. */
function tooSmall(
  evidence: Evidence,
): { readonly layer?: string; readonly units: number; readonly saw: string } | undefined {
  const { network } = evidence
  const hidden = hiddenOf(evidence)
  const plain = network.layers.every(({ hasKernel, type }) => !hasKernel || type === "dense")
  if (hidden.length === 0) return plain ? { units: 0, saw: "There is no hidden layer" } : undefined
  const narrowest = hidden.reduce((a, b) => (b.units < a.units ? b : a))
  // One layer with neurons enough that still does not suffice: another one may, and nobody knows.
  const alone = plain && hidden.length === 1
  if (narrowest.units > NARROW && !alone) return undefined
  return {
    layer: narrowest.name,
    units: narrowest.units,
    saw: `Layer ${narrowest.name} has ${counted(narrowest.units, "neuron")}`,
  }
}

function underfits(evidence: Evidence): Found | undefined {
  const small = tooSmall(evidence)
  const skill = skillOf(evidence)
  if (small === undefined || skill === undefined || skill >= ENOUGH || !isLate(evidence)) return undefined
  // What was ahead of a cost that has come to rest since is behind it.
  const ahead = standsStill(evidence) && lastEpoch(evidence)?.ahead === undefined ? undefined : aheadOf(evidence)
  if ((longestShare(evidence) ?? 1) < SHORT_STEP || (ahead !== undefined && ahead.ratio < NOT_AT_REST)) return undefined
  // Learning by heart is the opposite: what is learnt of training is learnt of validation.
  if ((validSkillOf(evidence) ?? skill) < skill - BEHIND) return undefined
  const narrow = small.units <= NARROW
  const deeper = small.units === 0 || !narrow
  const to = deeper && !narrow ? small.units : USUAL_UNITS
  const layers = hiddenOf(evidence).length + 1
  const change = deeper
    ? changeTo(
        `Add a hidden layer of ${to} neurons.`,
        `dense({ units: ${to}, activation: "relu" })`,
        { kind: "depth", to: layers },
        `--layers ${new Array(layers).fill(to).join(",")}`,
      )
    : changeTo(
        `Give it ${to} neurons, a usual size: then halve or double them.`,
        `dense({ units: ${to} })`,
        { kind: "units", to },
        `--layers ${hiddenOf(evidence).map(({ units }) => (units <= NARROW ? to : units)).join(",")}`,
      ) // biome-ignore format: short
  return {
    kind: narrow ? "fault" : "tip",
    score: narrow ? 76 : 20,
    ...(small.layer === undefined ? {} : { layer: small.layer }),
    saw: `${small.saw}, and the cost rests with ${percent(Math.max(0, skill))} learnt, on training rows as on others.`,
    normal: "2 to 4 hidden layers of 8 to 64 neurons to begin with.",
    why: "The network underfits: it has too few neurons for the shape of the task, however long it learns.",
    change,
    expect: expectLoss(
      0.9 * numberOf(lastEpoch(evidence)!.loss),
      "The training cost comes to rest lower.",
      Math.max(5, evidence.epochs.length),
    ),
  }
}

/** How many times as long a training must go on to come to nearly all at its pace: a power of two. */
function timesAsLong(evidence: Evidence): number {
  const [skill, pace] = [anySkill(evidence) ?? 1, gainPerEpoch(evidence) ?? 0]
  const needed = pace > 0 ? 1 + (NEARLY_ALL - skill) / pace / evidence.epochs.length : MOST_TIMES
  return Math.min(MOST_TIMES, Math.max(2, 2 ** Math.ceil(Math.log2(Math.max(1, needed)))))
}

function tooFewEpochs(evidence: Evidence): Found | undefined {
  const { epochs, training, ended } = evidence
  if (ended !== "completed" || epochs.length === 0 || training.earlyStopping) return undefined
  const from = ignorantLoss(evidence)
  const skill = anySkill(evidence)
  if (from === undefined || skill === undefined) return undefined
  const quarter = Math.max(1, Math.round(epochs.length / 4))
  const few = stepsOf(evidence) < STEPS_TO_TURN
  const fallOf = (measure: "loss" | "valLoss"): { measure: "loss" | "valLoss"; last: number; gained: number } => {
    const costs = epochs.map((epoch) => numberOf(epoch[measure] ?? epoch.loss))
    const last = costs.at(-1)!
    return { measure, last, gained: last > Math.min(...costs) ? 0 : ((costs.at(-1 - quarter) ?? last) - last) / from }
  }
  // In so few steps nothing is learnt by heart, and validation's turns are noise: then training may tell it.
  const own = fallOf(epochs[0]!.valLoss === undefined ? "loss" : "valLoss")
  const other = few ? fallOf("loss") : own
  const { measure, last, gained } = own.gained > STILL_FALLING ? own : other
  // After a single epoch of few steps there is nothing to compare: it has hardly begun.
  const begun = epochs.length === 1 && few && skill < ENOUGH
  if (!(gained > STILL_FALLING) && !begun) return undefined
  const fault = skill < ENOUGH && (longestShare(evidence) ?? 1) >= SHORT_STEP
  const longer = timesAsLong(evidence)
  const to = longer * training.epochs
  return {
    kind: fault ? "fault" : "tip",
    score: fault ? 70 : 15,
    saw: begun
      ? `The only epoch had ${stepsOf(evidence)} steps, and ${percent(Math.max(0, skill))} is learnt.`
      : `The last of ${epochs.length} epochs was the best, and the last ${counted(quarter, "epoch")} took ${percent(gained)} of the first cost away.`,
    normal: "Under 1 % in the last quarter: the cost has come to rest.",
    why: "While validation cost still falls and the last epoch was the best there is more to learn: train longer.",
    change: setEpochs(to, `Train ${longer === 2 ? "twice" : `${longer} times`} as long: ${to} epochs.`),
    expect: {
      text: "Validation cost falls further.",
      measure,
      within: to,
      below: 0.97 * last,
    },
  }
}

function unrelated(evidence: Evidence): Found | undefined {
  const { data, validation, epochs, training } = evidence
  if (
    data === undefined ||
    validation === undefined ||
    data.rows < ROWS_FOR_LABELS ||
    validation.rows < ROWS_FOR_VALIDATION
  )
    return undefined
  if (epochs.length < CHANCES || epochs.length * 2 < training.epochs) return undefined
  if ((longestShare(evidence) ?? 0) < SHORT_STEP) return undefined
  const skill = skillOf(evidence) ?? 1
  // By chance some epoch of many is a little better than guessing: the cost by hardly anything, accuracy by three standard errors.
  const noise = BY_CHANCE / Math.sqrt(validation.rows)
  const never =
    epochs.every((epoch) => (gainOf(evidence, epoch.valLoss) ?? 1) < NOTHING) && (validSkillOf(evidence) ?? 1) < noise
  const ahead = aheadOf(evidence)
  if (!never || skill >= BY_ROTE[1] || skill < BY_ROTE[0]) return undefined
  // A cost that still falls for both has not been given its time; what is learnt by rote falls for training alone.
  const together = skill - (validSkillOf(evidence) ?? 0) < NOTHING
  const further = (gainPerEpoch(evidence) ?? 0) * epochs.length
  const valid = gainOf(evidence, epochs.at(-1)!.valLoss) ?? 0
  if (together && Math.max(further, valid) > NOTHING / 2) return undefined
  if (ahead !== undefined && ahead.ratio < NOT_AT_REST) return undefined
  return {
    score: 68,
    saw: `In ${epochs.length} epochs validation never beat guessing, while ${percent(Math.max(0, skill))} of the training rows' task is learnt.`,
    normal: "What holds for training rows holds for others: both fall at first.",
    why: "Where labels do not follow from inputs a network can only memorise; nothing generalises.",
    change: changeTo(
      "Look whether row i of the inputs belongs to row i of the targets.",
      "console.log(x.slice(0, 5), y.slice(0, 5))",
      { kind: "look" },
    ),
    expect: {
      text: "Validation cost falls well below that of guessing.",
      measure: "valLoss",
      within: 5,
      below: (1 - NOTHING) * (data.targets.baseline ?? 1),
    },
  }
}

const trialOf = ({ trials }: Evidence, ...kinds: readonly TrialFacts["differs"][]): TrialFacts | undefined =>
  trials
    ?.filter(({ differs }) => kinds.includes(differs))
    .reduce<TrialFacts | undefined>(
      (a, b) => (a === undefined || numberOf(b.valLoss) < numberOf(a.valLoss) ? b : a),
      undefined,
    )

function tooLarge(evidence: Evidence): Found | undefined {
  const trial = trialOf(evidence, "halfUnits", "layerLess")
  const own = lastEpoch(evidence)?.valLoss
  if (trial === undefined || own === undefined || !(numberOf(trial.valLoss) <= SAME * numberOf(own))) return undefined
  const hidden = hiddenOf(evidence)
  const half = trial.differs === "halfUnits"
  const to = half ? Math.ceil(hidden[0]!.units / 2) : hidden.length - 1
  return {
    kind: "tip",
    score: 25,
    saw: `${half ? "Half the neurons" : "One layer less"} ends at validation cost ${shown(numberOf(trial.valLoss))}; this network at ${shown(numberOf(own))}.`,
    normal: "A smaller network is more than 1 % worse.",
    why: "Occam's razor: of two networks that do equally well the smaller one is the better.",
    change: half
      ? setUnits(hidden.length, to)
      : setDepth(hidden.map(({ units }) => units), to),
    expect: { text: "Validation cost stays.", measure: "valLoss", within: evidence.training.epochs, below: 1.02 * numberOf(own) },
  } // biome-ignore format: short
}

function localMinimum(evidence: Evidence): Found | undefined {
  const trial = trialOf(evidence, "seed")
  const last = lastEpoch(evidence)
  if (trial === undefined || last?.valLoss === undefined || !isLate(evidence)) return undefined
  const better =
    trial.valAccuracy !== undefined && last.valAccuracy !== undefined
      ? trial.valAccuracy - last.valAccuracy > BETTER_SEED
      : (numberOf(last.valLoss) - numberOf(trial.valLoss)) / (ignorantLoss(evidence) ?? numberOf(last.valLoss)) >
        BETTER_SEED
  if (!better) return undefined
  return {
    score: 72,
    saw: `The cost rests at ${shown(numberOf(last.valLoss))}; from other initial weights the same network gets to ${shown(numberOf(trial.valLoss))}.`,
    normal: "Starts within 5 points of each other.",
    why: "It is caught in a local minimum: every small step from here goes uphill.",
    change: changeTo(
      "Start again from other weights.",
      "sequential(layers, { seed: 1 })",
      { kind: "restart" },
      "--seed 1",
    ),
    expect: {
      text: "Validation cost ends lower.",
      measure: "valLoss",
      within: evidence.training.epochs,
      below: 1.05 * numberOf(trial.valLoss),
    },
  }
}

function unknownTrouble(evidence: Evidence): Found | undefined {
  const skill = anySkill(evidence)
  const { epochs, data, training } = evidence
  if (
    skill === undefined ||
    data?.targets.baseline === undefined ||
    !isLate(evidence) ||
    epochs.length < EPOCHS_TO_LEARN
  )
    return undefined
  if (skill >= NOTHING || data.rows < ROWS_TO_LEARN) return undefined
  // Rare classes leave little to gain beyond always saying the large one.
  if (
    training.classWeights ||
    (data.targets.classes !== undefined && Math.max(...data.targets.classes) > ALL_BUT_ONE_CLASS * data.rows)
  )
    return undefined
  const rest = standsStill(evidence) ? "stands still" : "is where it was"
  const ratio = meanRatio(evidence)
  return {
    score: 40,
    saw: `After ${counted(epochs.length, "epoch")} ${percent(Math.max(0, skill))} of the task is learnt, and the cost ${rest}${ratio === undefined ? "" : `; the mean of the weights is no way out`}. Something is wrong, I do not know what.`,
    normal: "Half of the cost of guessing gone by then.",
    why: "No sign that I know explains it: neither the rows, nor the network, nor its steps.",
    change: changeTo(
      "Try to learn 16 rows by heart first: if that fails, the network or the labels are at fault.",
      "fit(x.slice(0, 16), y.slice(0, 16), { epochs: 500 })",
      { kind: "look" },
    ),
    expect: expectLoss(0.5 * data.targets.baseline, "16 rows are learnt by heart.", 500),
  }
}

export const resultRules: readonly Rule[] = [
  { code: "F22", cause: "too few neurons or layers", class: "capacity", when: "late", find: underfits },
  { code: "F24", cause: "caught in a local minimum", class: "capacity", when: "late", find: localMinimum },
  { code: "F17", cause: "overfitting", class: "generalisation", when: "running", find: overfits },
  {
    code: "F27",
    cause: "labels that do not follow from the inputs",
    class: "generalisation",
    when: "running",
    find: unrelated,
  },
  { code: "F18", cause: "too few epochs", class: "generalisation", when: "late", find: tooFewEpochs },
  { code: "F23", cause: "network larger than needed", class: "generalisation", when: "late", find: tooLarge },
  {
    code: "F00",
    cause: "something is wrong, I do not know what",
    class: "unknown",
    when: "late",
    find: unknownTrouble,
  },
]
