// Faults of what throttles the steps: dropout, penalties, clips, the size of a batch. Knows no other rule.

import type { Evidence, TrainingFacts } from "../evidence.ts"
import {
  DISAGREE, goneSilent, HARDLY, isRestless, LOWER_WITHOUT_NOISE, MOSTLY_AGREE, NEARLY_ALL, ofTrial, REACHES,
  RISES_OF_FEW_ROWS, ROOM, ROOM_OF_NUMBERS, reachOf, stepsInAll, times, USUAL_STEP, WELL,
} from "./pace.ts" // biome-ignore format: a list
import {
  changeTo,
  counted,
  expectLoss,
  type Found,
  LARGEST_BATCH,
  percent,
  type Rule,
  setBatch,
  setRate,
  shown,
  soon,
  USUAL_BATCH,
} from "./rule.ts"
import {
  aheadOf, anySkill, coherenceOf, ignorantLoss, isAdaptive, lastWatched, longestShare, numberOf, POOR, projected,
  SHORT_STEP,
} from "./signs.ts" // biome-ignore format: a list

/** The longest of usual steps: those that follow single rows may be no longer. */
const LONG_USUAL_STEP = 0.03
/** The share of steps that a clip shortens before it, and no longer the slope, says how long they are. */
const CLIPPED = 0.5
/** How much longer than its limit a gradient must be: what is cut by less is hardly shortened. */
const FAR_BEYOND = 2
/** Rounds of an epoch, and rounds of the whole training, that are too few to learn by. */
const FEW_ROUNDS = 4
const FEW_IN_ALL = 500
/** Few steps of large batches must be able to change the weights by their own size: healthy trainings that were measured could by 1.6 at least. */
const OTHER_WEIGHTS = 1
/** The largest batch that follows single rows. */
const SMALL_BATCH = 4
/** The rate of dropout that is usual at most. */
const LARGE_DROPOUT = 0.5
/** Neurons of a layer that dropout must leave awake: fewer carry nothing through. */
const FEW_NEURONS = 3
/**
 * The part of the first cost that the penalty may be, and of the first gradients: their squares add up, so that from the root of a half on the
 * penalty pulls harder than the data, before the weights have grown at all.
 */
const PENALTY = 1
const PULLS_HARDER = Math.SQRT1_2
type Clip = NonNullable<TrainingFacts["clip"]>

/**
 * What a clip measures of gradients, of which each layer's square is given: the length of all or of the longest; what is cut number by number
 * is measured by the usual size of a number.
 */
function measuredBy(
  { kind }: Clip,
  { layers }: Evidence["network"],
  squares: readonly { readonly layer: string; readonly square: number }[],
): number {
  const own = squares.map(({ layer, square }) => {
    const { fanIn = 1, units } = layers.find(({ name }) => name === layer) ?? { units: 1 }
    return kind === "value" ? square / (fanIn * units) : square
  })
  return Math.sqrt(kind === "globalNorm" ? own.reduce((a, b) => a + b, 0) : Math.max(0, ...own))
}

/** So far the clipped steps can lead in all rounds, while whole ones would lead far: told before the first one. */
function clipsAll(evidence: Evidence): Found | undefined {
  const { network, training, probe } = evidence
  const { clip, optimizer } = training
  const whole = reachOf(evidence)
  // Optimizers with steps of their own length do not feel a clip that shortens all alike.
  if (clip === undefined || whole === undefined || isAdaptive(optimizer)) return undefined
  const squares = probe!.layers.map(({ layer, gradientRms = 0 }) => {
    const { fanIn = 1, units } = network.layers.find(({ name }) => name === layer) ?? { units: 1 }
    return { layer, square: numberOf(gradientRms) ** 2 * fanIn * units }
  })
  const length = measuredBy(clip, network, squares)
  if (!(Number.isFinite(length) && length > FAR_BEYOND * clip.at)) return undefined
  const reach = (whole * clip.at) / length
  if (whole < REACHES || reach >= REACHES) return undefined
  const saw = `The first gradients are about ${shown(length)} ${clip.kind === "value" ? "in size" : "long"} and cut at ${shown(clip.at)}: ${stepsInAll(evidence)} such steps${ofTrial(evidence)} can change the weights by ${percent(reach)} at most.`
  return tooTight(evidence, clip, length, saw)
}

function clipped(evidence: Evidence): Found | undefined {
  const { network, training } = evidence
  const { clip, optimizer } = training
  if (clip === undefined) return undefined
  const watched = lastWatched(evidence)
  const skill = anySkill(evidence)
  const share = longestShare(evidence)
  if (watched === undefined || skill === undefined || skill >= POOR) return undefined
  if (isAdaptive(optimizer) || share === undefined || share > USUAL_STEP) return undefined
  const shortened = Math.max(...watched.kernels.map((kernel) => kernel.clipped ?? 0))
  if (shortened <= CLIPPED) return undefined
  const squares = watched.kernels.map(({ layer, gradientSquare }) => ({ layer, square: numberOf(gradientSquare) }))
  const length = measuredBy(clip, network, squares)
  if (!(Number.isFinite(length) && length > FAR_BEYOND * clip.at)) return undefined
  const [what, how] = clip.kind === "value" ? ["a number of a gradient is", "in size"] : ["gradients are", "long"]
  const saw = `${percent(shortened)} of the steps were shortened: ${what} about ${shown(length)} ${how} and cut at ${shown(clip.at)}.`
  return tooTight(evidence, clip, length, saw)
}

/** A limit that leaves gradients of such a length, or numbers of such a size, whole. */
function tooTight(evidence: Evidence, { kind }: Clip, length: number, saw: string): Found {
  const to = Number(((kind === "value" ? ROOM_OF_NUMBERS : ROOM) * length).toPrecision(1))
  const name = { value: "clipValue", norm: "clipNorm", globalNorm: "globalClipNorm" }[kind]
  return {
    score: 85,
    saw,
    normal: "Up to 10 % of the steps.",
    why: "Clipping is for the rare gradient that explodes; cut at every step, the slope no longer says how far to go.",
    change: changeTo(`Raise the limit to ${shown(to)}.`, `${evidence.training.optimizer}({ ${name}: ${shown(to)} })`, {
      kind: "clip",
      to,
    }),
    expect: expectLoss(
      0.9 * (ignorantLoss(evidence) ?? 1),
      "Under a tenth of the steps are cut, and the cost falls.",
      5,
    ),
  }
}

function largeBatch(evidence: Evidence): Found | undefined {
  const { training, epochs, data } = evidence
  const { batchSize, rounds } = training
  if (batchSize <= LARGEST_BATCH) return undefined
  const skill = anySkill(evidence)
  const ahead = aheadOf(evidence)
  const watched = lastWatched(evidence)
  const coherence = watched && coherenceOf(watched)
  const few =
    rounds <= FEW_ROUNDS &&
    rounds * training.epochs <= FEW_IN_ALL &&
    (data === undefined || data.rows > 4 * USUAL_BATCH)
  const better =
    (ahead !== undefined && ahead.ratio < LOWER_WITHOUT_NOISE) || (coherence !== undefined && coherence > MOSTLY_AGREE)
  const moving = (longestShare(evidence) ?? 1) >= SHORT_STEP
  const reach = reachOf(evidence)
  // Before the first step: all of them together cannot make others of the weights.
  const short = few && reach !== undefined && reach < OTHER_WEIGHTS
  const harms =
    short ||
    (few &&
      epochs.length > 0 &&
      skill !== undefined &&
      skill < WELL &&
      better &&
      moving &&
      (projected(evidence) ?? 0) < NEARLY_ALL)
  return {
    kind: harms ? "fault" : "tip",
    score: harms ? 80 : 15,
    saw: `A batch of ${batchSize} makes ${counted(rounds, "step")} per epoch${short ? `; ${stepsInAll(evidence)}${ofTrial(evidence)} together can change the weights by ${percent(reach)} at most` : harms ? "; further on the same way the cost is lower" : ""}.`,
    normal: `Batches of ${USUAL_BATCH} to ${LARGEST_BATCH}, and 10 steps per epoch or more.`,
    why: "Each epoch takes few steps down the slope, and full batches lack the noise that helps out of local minima.",
    change: setBatch(USUAL_BATCH),
    expect: expectLoss(
      0.9 * (ignorantLoss(evidence) ?? 1),
      "The cost falls several times as fast per epoch.",
      soon(evidence),
    ),
  }
}

function smallBatch(evidence: Evidence): Found | undefined {
  const { training, epochs, diverged } = evidence
  const { batchSize, rounds } = training
  if (batchSize > SMALL_BATCH || rounds <= FEW_ROUNDS || epochs.length + Number(diverged !== undefined) === 0)
    return undefined
  const skill = anySkill(evidence)
  const watched = lastWatched(evidence)
  const coherence = watched && coherenceOf(watched)
  const restless = isRestless(evidence, RISES_OF_FEW_ROWS)
  const hectic = (coherence === undefined || coherence < DISAGREE) && (longestShare(evidence) ?? 0) > SHORT_STEP
  const lost = diverged !== undefined || epochs.some(({ loss }) => !Number.isFinite(numberOf(loss)))
  // Small batches learn slowly at first and well all the same: only half of the epochs tell, or neurons that never come back.
  const poor =
    (epochs.length * 2 >= training.epochs || goneSilent(evidence) !== undefined) &&
    skill !== undefined &&
    skill < POOR &&
    hectic &&
    (restless || (longestShare(evidence) ?? 0) > LONG_USUAL_STEP)
  if (!lost && !poor) return undefined
  // Larger batches make fewer steps: where too few would be left, shorter ones are the way.
  const left = Math.ceil((batchSize * rounds) / USUAL_BATCH) * training.epochs
  const to = times(training.learningRate, -1)
  const change =
    left >= FEW_IN_ALL
      ? setBatch(USUAL_BATCH)
      : setRate(
          evidence,
          to,
          `Divide the learning rate, ${shown(training.learningRate)} -> ${shown(to)}: batches of ${USUAL_BATCH} would leave ${left} steps only.`,
        )
  return {
    score: lost ? 82 : 79,
    saw: lost
      ? `The cost left all numbers with ${counted(batchSize, "row")} in a batch.`
      : `Each step follows ${counted(batchSize, "row")}; steps agree to ${percent(coherence ?? 0)} only, and ${percent(Math.max(0, skill ?? 0))} is learnt.`,
    normal: `Batches of ${USUAL_BATCH}: halved only where memory is short.`,
    why: "Online learning follows every single example: at this learning rate each step undoes the one before.",
    change,
    expect: expectLoss(0.9 * (ignorantLoss(evidence) ?? 1), "The cost falls steadily.", soon(evidence)),
  }
}

/** The largest rate of dropout behind neurons, and the fewest neurons that one leaves awake on average. */
function droppedOut({ network: { layers } }: Evidence): { readonly rate: number; readonly left: number } {
  const rate = Math.max(0, ...layers.map(({ dropout }) => dropout ?? 0))
  const left = layers.map(({ dropout = 0, units }, i) => {
    const before = layers.slice(0, i).findLast(({ hasKernel }) => hasKernel)
    return dropout > 0 && before?.type === "dense" ? (1 - dropout) * units : Number.POSITIVE_INFINITY
  })
  return { rate, left: Math.min(...left) }
}

/** The least part of a layer's gradient that the penalty is, of the layers that have one, on the untrained network: 1 is all of it. */
function penaltyShare({ network, probe }: Evidence): number {
  const shares = network.layers.flatMap(({ l2, name, hasKernel }) => {
    const look = probe?.layers.find(({ layer }) => layer === name)
    const all = look?.gradientRms === undefined ? 0 : numberOf(look.gradientRms)
    return !l2 || !hasKernel || !(all > 0) ? [] : [(2 * l2 * look!.kernelRms) / all]
  })
  return shares.length === 0 ? 0 : Math.min(...shares)
}

function tooMuchDropout(evidence: Evidence): Found | undefined {
  const skill = anySkill(evidence)
  const { rate, left } = droppedOut(evidence)
  if (rate <= LARGE_DROPOUT) return undefined
  const learnsLittle = evidence.epochs.length > 0 && skill !== undefined && skill < HARDLY
  const few = left < FEW_NEURONS
  const fault = few || learnsLittle
  const besides = few
    ? `: ${shown(left)} of a layer are left`
    : learnsLittle
      ? `, and ${percent(Math.max(0, skill))} is learnt`
      : ""
  return {
    kind: fault ? "fault" : "tip",
    score: fault ? 84 : 25,
    saw: `Dropout leaves out ${percent(rate)} of the neurons${besides}.`,
    normal: "0.2 to 0.5.",
    why: "Dropout keeps neurons from leaning on each other; with so few left there is hardly a network to train.",
    change: changeTo("Set dropout to 0.2.", "dropout({ rate: 0.2 })", { kind: "dropout", to: 0.2 }, "--dropout 0.2"),
    expect: expectLoss(0.9 * (ignorantLoss(evidence) ?? 1), "The training cost falls.", soon(evidence)),
  }
}

function tooMuchPenalty(evidence: Evidence): Found | undefined {
  const { network, probe, epochs } = evidence
  const skill = anySkill(evidence)
  const baseline = evidence.data?.targets.baseline
  const l2 = Math.max(0, ...network.layers.map((layer) => layer.l2 ?? 0))
  if (l2 === 0 || baseline === undefined) return undefined
  const penalty = network.layers.reduce((sum, { l2: factor, fanIn, units, name, hasKernel }) => {
    const look = probe?.layers.find(({ layer }) => layer === name)
    return !factor || !hasKernel || look === undefined
      ? sum
      : sum + factor * look.kernelRms * look.kernelRms * (fanIn ?? 0) * units
  }, 0)
  if (penalty < PENALTY * baseline) return undefined
  const pulls = penaltyShare(evidence) > PULLS_HARDER
  const learnsLittle = epochs.length > 0 && skill !== undefined && skill < POOR
  const fault = pulls || learnsLittle
  const to = Number((l2 / 100).toPrecision(3))
  return {
    kind: fault ? "fault" : "tip",
    score: fault ? 84 : 25,
    saw: `The penalty on the weights is ${shown(penalty)} at first; the cost of guessing is ${shown(baseline)}.`,
    normal: "A penalty of under a tenth of the cost: factors of 1e-5 to 1e-3.",
    why: "The penalty pulls harder than the data: the cost falls by shrinking the weights, not by answering better.",
    change: changeTo(
      `Divide the factor by 100: ${shown(l2)} -> ${shown(to)}.`,
      `kernelRegularizer: l2(${shown(to)})`,
      { kind: "regularizer", l2: to },
      `--l2 ${shown(to)}`,
    ),
    expect: expectLoss(baseline, "The cost falls below that of guessing, penalty included.", 5),
  }
}

export const knobRules: readonly Rule[] = [
  { code: "F25", cause: "too much dropout", class: "knobs", when: "running", find: tooMuchDropout },
  { code: "F25", cause: "too much penalty", class: "knobs", when: "running", find: tooMuchPenalty },
  { code: "F11", cause: "gradients clipped too short", class: "knobs", when: "probe", find: clipsAll },
  { code: "F11", cause: "gradients clipped too short", class: "knobs", when: "running", find: clipped },
  { code: "F20", cause: "batch too large", class: "knobs", when: "running", find: largeBatch },
  { code: "F21", cause: "batch too small", class: "knobs", when: "running", find: smallBatch },
]
