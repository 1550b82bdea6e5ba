// Signs: numbers that several rules read out of evidence. Each is absent where evidence does not say. Knows no fault.

import type { EpochFacts, Evidence, LayerFacts, LayerLook, Seen } from "../evidence.ts"

/** A number that may be beyond numbers, as a number. */
export const numberOf = (value: Seen): number => (value === "infinite" ? Number.POSITIVE_INFINITY : value)

/** The last finished epoch. */
export const lastEpoch = ({ epochs }: Evidence): EpochFacts | undefined => epochs.at(-1)

/** The same training as it stood so many epochs earlier; one that has ended, as if it had ended then. */
export function earlier(evidence: Evidence, by: number): Evidence {
  const { diverged: _, ...rest } = evidence
  return { ...rest, epochs: evidence.epochs.slice(0, Math.max(0, evidence.epochs.length - by)) }
}

/** The skill below which a training is not going well: a cause is looked for. */
export const POOR = 0.6
/** Steps as shares of the weights: healthy ones of first epochs were 0.004 to 0.028 in trials, too long from 0.077, too short to 9e-5. */
export const LONG_STEP = 0.06
export const SHORT_STEP = 3e-4
/** The share of a layer's neurons that never fire: in narrow or deep layers a good half may by chance, and training still goes well. */
export const SILENT = 0.75
/** The share of a layer's values on the flat ends: 5 % with standardised inputs and usual weights. */
export const FLAT = 0.5

/** Layers of neurons between the inputs and the output. */
export const hiddenOf = ({ network }: Evidence): readonly LayerFacts[] =>
  network.layers.filter(({ hasKernel, isOutput }) => hasKernel && !isOutput)

/** Losses that are squares or sizes of mistakes. */
const QUADRATIC = /^(mean(Squared|Absolute)Error|huber|logCosh)$/
export const isQuadratic = (loss: string): boolean => QUADRATIC.test(loss)
export const isCrossEntropy = (loss: string): boolean => /crossentropy$/i.test(loss)

/** The share of the most frequent class. */
export function majorityOf({ data }: Evidence): number | undefined {
  const counts = data?.targets.classes
  if (counts === undefined) return undefined
  const all = counts.reduce((a, b) => a + b, 0)
  return all === 0 ? undefined : Math.max(...counts) / all
}

/** The loss of a network that knows nothing: of always saying the mean, or what the untrained one had. */
export function ignorantLoss({ data, probe }: Evidence): number | undefined {
  const known = data?.targets.baseline ?? (probe === undefined ? undefined : numberOf(probe.loss))
  return known !== undefined && known > 0 && Number.isFinite(known) ? known : undefined
}

/** The part of the ignorant loss that has gone: 0 nothing is learnt, 1 everything. */
export function gainOf(evidence: Evidence, loss: Seen | undefined): number | undefined {
  const from = ignorantLoss(evidence)
  return from === undefined || loss === undefined ? undefined : (from - numberOf(loss)) / from
}

/** The part of the mistakes of always saying the most frequent class that has gone. */
function accuracyGain(evidence: Evidence, accuracy: number | undefined): number | undefined {
  const majority = majorityOf(evidence)
  if (accuracy === undefined || majority === undefined || majority >= 1) return undefined
  return (accuracy - majority) / (1 - majority)
}

const best = (...values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

/**
 * How much is learnt, by loss or by accuracy, whichever says more: smoothed labels and penalties keep a loss up, rare classes keep
 * accuracy down, and neither is a failure to learn.
 */
export const skillOf = (evidence: Evidence, epoch: EpochFacts | undefined = lastEpoch(evidence)): number | undefined =>
  epoch && best(gainOf(evidence, epoch.loss), accuracyGain(evidence, epoch.accuracy))

/** The most that any epoch had learnt of the rows that train. */
export function bestSkill(evidence: Evidence): number | undefined {
  let [loss, accuracy] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const epoch of evidence.epochs) {
    loss = Math.min(loss, numberOf(epoch.loss))
    accuracy = Math.max(accuracy, epoch.accuracy ?? accuracy)
  }
  return best(gainOf(evidence, loss), Number.isFinite(accuracy) ? accuracyGain(evidence, accuracy) : undefined)
}

/** The same of the rows that validate. */
export const validSkillOf = (
  evidence: Evidence,
  epoch: EpochFacts | undefined = lastEpoch(evidence),
): number | undefined => epoch && best(gainOf(evidence, epoch.valLoss), accuracyGain(evidence, epoch.valAccuracy))

/** The better of the two: dropout keeps the first down while the network itself is good. */
export const anySkill = (evidence: Evidence): number | undefined => best(skillOf(evidence), validSkillOf(evidence))

/** The mean length of a step as a share of the weights: of the layer that moves most. */
export function stepShare({ kernels }: EpochFacts): number | undefined {
  const shares = kernels
    .filter(({ watched, length }) => watched > 0 && length > 0)
    .map(({ step, length }) => numberOf(step) / length)
  return shares.length === 0 ? undefined : Math.max(...shares)
}

/** Optimizers whose first steps move every weight by about the learning rate, whatever its gradient. */
const MOVES_BY_RATE = /^(adam|adamW|adamax|nadam|rmsprop|lion)$/i

/**
 * How long the first steps will be as a share of the weights, of the layer that will move least and most: by the gradients of the
 * untrained network, before any clipping. Undefined where the optimizer does not tell.
 */
export function firstShares({
  training,
  probe,
}: Evidence): { readonly least: number; readonly most: number } | undefined {
  const { optimizer, learningRate, momentum } = training
  const byRate = MOVES_BY_RATE.test(optimizer)
  if (probe === undefined || (!byRate && isAdaptive(optimizer))) return undefined
  const shares = probe.layers.flatMap(({ gradientRms, kernelRms }) => {
    const gradient = gradientRms === undefined ? 0 : numberOf(gradientRms)
    if (!(gradient > 0 && kernelRms > 0)) return []
    return [(learningRate * (byRate ? 1 : gradient / (1 - momentum))) / kernelRms]
  })
  return shares.length === 0 ? undefined : { least: Math.min(...shares), most: Math.max(...shares) }
}

/** The last epoch that tells how the kernels moved. */
export const lastWatched = ({ epochs }: Evidence): EpochFacts | undefined =>
  epochs.findLast(({ kernels }) => kernels.some(({ watched }) => watched > 0))

/** The longest step share of all epochs: warm-up and decay make steps short for a time, not for good. */
export function longestShare({ epochs }: Evidence): number | undefined {
  let longest: number | undefined
  for (const epoch of epochs) {
    if (epoch.kernels.length === 0) continue
    const share = stepShare(epoch)
    if (share !== undefined && !(share <= longest!)) longest = share
  }
  return longest
}

/**
 * How far the steps of an epoch agree: 1 all point one way, 0 none does; of all kernels together. Of k gradients g, with mean G, it is
 * (k·‖G‖² − mean ‖g‖²) / ((k − 1)·mean ‖g‖²): the mean of few points some way by chance alone, and that is taken off.
 */
export function coherenceOf({ kernels }: EpochFacts): number | undefined {
  let [agreeing, all] = [0, 0]
  for (const { watched: k, gradientSquare, meanGradientSquare } of kernels) {
    if (k < 2) continue
    const [own, ofMean] = [numberOf(gradientSquare), numberOf(meanGradientSquare)]
    agreeing += (k * ofMean - own) / (k - 1)
    all += own
  }
  return all > 0 && Number.isFinite(all) ? Math.max(0, agreeing / all) : undefined
}

/** The least loss some steps ahead over the loss here, and after how many steps; of the last epoch that was looked ahead of. */
export function aheadOf({ epochs }: Evidence): { readonly ratio: number; readonly steps: number } | undefined {
  const ahead = epochs.findLast((epoch) => epoch.ahead !== undefined)?.ahead
  const here = ahead === undefined ? Number.NaN : numberOf(ahead.here)
  if (ahead === undefined || !(here > 0) || !Number.isFinite(here)) return undefined
  let found = { ratio: Number.POSITIVE_INFINITY, steps: 0 }
  for (const { steps, loss } of ahead.at) {
    if (numberOf(loss) / here < found.ratio) found = { ratio: numberOf(loss) / here, steps }
  }
  return found
}

/** The loss at the mean of the weights over the loss where they stand. */
export function meanRatio({ epochs }: Evidence): number | undefined {
  const ahead = epochs.findLast((epoch) => epoch.ahead?.atMean !== undefined)?.ahead
  const here = ahead === undefined ? Number.NaN : numberOf(ahead.here)
  return here > 0 && Number.isFinite(here) ? numberOf(ahead!.atMean!) / here : undefined
}

/** A rise of the loss that is more than noise between epochs. */
const RISE = 1.02

/** The share of epochs after which the loss was higher than before. */
export function risesOf({ epochs }: Evidence): number {
  if (epochs.length < 2) return 0
  const rises = epochs.filter(({ loss }, i) => i > 0 && numberOf(loss) > RISE * numberOf(epochs[i - 1]!.loss))
  return rises.length / (epochs.length - 1)
}

/** Epochs over which the pace is taken. */
const PACE = 4
/** The loss over that of guessing with which an untrained network begins at most. */
const UNTRAINED = 1.2

/** The part of the ignorant loss that each of the last epochs took away; 0 where it does not fall. */
export function gainPerEpoch(evidence: Evidence): number | undefined {
  const { epochs, probe } = evidence
  const from = ignorantLoss(evidence)
  if (from === undefined || epochs.length === 0) return undefined
  const losses = [
    ...(epochs.length < 2 && probe !== undefined ? [numberOf(probe.loss)] : []),
    ...epochs.slice(-PACE).map((e) => numberOf(e.loss)),
  ]
  // Coming back from costs far beyond that of guessing, where no untrained network begins, is no progress.
  const some = losses.map((loss) => Math.min(loss, UNTRAINED * from))
  return some.length < 2 ? undefined : Math.max(0, (some[0]! - some.at(-1)!) / (some.length - 1) / from)
}

/** The skill that the planned epochs will have brought if they go on as the last ones did; it is allowed to be beyond 1. */
export function projected(evidence: Evidence): number | undefined {
  const { epochs, training } = evidence
  const [skill, pace] = [skillOf(evidence), gainPerEpoch(evidence)]
  if (skill === undefined || pace === undefined) return undefined
  return skill + pace * Math.max(0, training.epochs - epochs.length)
}

/** Whether the loss hardly moves any more: under 2 % of it in the last quarter of at least eight epochs. */
const STILL = 0.02
const EPOCHS_TO_REST = 8
export function standsStill({ epochs }: Evidence): boolean {
  const span = Math.max(3, Math.floor(epochs.length / 4))
  if (epochs.length < EPOCHS_TO_REST) return false
  const [now, then] = [numberOf(epochs.at(-1)!.loss), numberOf(epochs.at(-1 - span)!.loss)]
  return Number.isFinite(now) && Math.abs(then - now) < STILL * Math.abs(then)
}

/** Whether a training that ended or stands still may be judged as a whole: it has had at least half of its time. */
export const isLate = (evidence: Evidence): boolean =>
  evidence.ended === "completed" ||
  evidence.ended === "stopped" ||
  (standsStill(evidence) && evidence.epochs.length * 2 >= evidence.training.epochs)

/** Whether the learning rate is still being raised. */
export function warmsUp({ training, epochs }: Evidence): boolean {
  if (!training.scheduled || epochs.length === 0) return false
  return epochs.length < 2 || epochs.at(-1)!.learningRate > epochs.at(-2)!.learningRate
}

/** After so many times 1 / (1 − momentum) steps a velocity has 95 % of its size: 1 − e⁻³. */
const GATHERED = 3

/** Steps so far. */
export const stepsOf = ({ epochs }: Evidence): number => epochs.reduce((n, { rounds }) => n + rounds, 0)

/** Whether momentum still makes steps longer; optimizers that adapt correct their means for the beginning. */
export function gathersSpeed(evidence: Evidence): boolean {
  const { optimizer, momentum } = evidence.training
  return !isAdaptive(optimizer) && stepsOf(evidence) * (1 - momentum) < GATHERED
}

/** The closest looks at the layers after training has begun. */
export const lastLooks = ({ epochs }: Evidence): readonly LayerLook[] | undefined =>
  epochs.findLast((epoch) => epoch.layers !== undefined)?.layers

/** The looks at hidden layers, with what is known of each layer. */
export function hiddenLooks(
  evidence: Evidence,
  looks: readonly LayerLook[] | undefined,
): readonly { readonly look: LayerLook; readonly facts: LayerFacts }[] {
  return hiddenOf(evidence).flatMap((facts) => {
    const look = looks?.find(({ layer }) => layer === facts.name)
    return look === undefined ? [] : [{ look, facts }]
  })
}

/** The root of a kernel's mean square, in units of 1/√(inputs of a neuron): about 1 to 1.4 for every usual initializer. */
export const weightSize = ({ look, facts }: { readonly look: LayerLook; readonly facts: LayerFacts }): number =>
  look.kernelRms * Math.sqrt(facts.fanIn ?? 1)

/** Optimizers whose steps do not depend on the size of gradients. */
export const isAdaptive = (optimizer: string): boolean => !/^sgd$/i.test(optimizer)

/** The initializer that suits an activation, by its name here. */
export const suitedInitializer = (activation: string): string =>
  /^(relu|leakyRelu|elu|selu|gelu|silu|mish|prelu|softplus)$/i.test(activation) ? "heNormal" : "glorotUniform"
