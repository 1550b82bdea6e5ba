// Faults of how the weights move: what throttles the steps, their length, how far they agree. Knows no other rule.

import type { Evidence, LayerFacts, LayerLook, TrainingFacts } from "../evidence.ts"
import {
  changeTo, counted, expectLoss, type Found, percent, type Rule, setRate, shown, soon, standardizeTargets,
} from "./rule.ts" // biome-ignore format: a list
import {
  aheadOf, anySkill, bestSkill, coherenceOf, FLAT, firstShares, gainOf, gathersSpeed, hiddenLooks, ignorantLoss, isAdaptive, LONG_STEP, lastEpoch, lastLooks,
  lastWatched, longestShare, meanRatio, numberOf, POOR, projected, risesOf, SHORT_STEP, SILENT, stepShare, stepsOf, warmsUp, weightSize,
} from "./signs.ts" // biome-ignore format: a list

/** Skills at which little is left to mend, from which on all is well, below which a training hardly learns, and above which it learns. */
const NEARLY_ALL = 0.9
const WELL = 0.7
const HARDLY = 0.3
const SOMETHING = 0.05
/** A step of usual length, as a share of the weights: the middle of what was healthy. */
const USUAL_STEP = 0.01
/** The longest of those: steps that follow single rows may be no longer. */
const LONG_USUAL_STEP = 0.03
/**
 * Losses over those here: so much lower some steps ahead, or at the mean of the weights, is more than the noise of 256 rows. Steps of
 * nearly all rows have no noise: there less is enough.
 */
const LOWER = 0.95
const LOWER_WITHOUT_NOISE = 0.97
const LOWER_AT_MEAN = 0.8
const MUCH_LOWER_AT_MEAN = 0.6
/** Steps agree: noise alone gives 0. From the first on the direction is clear, from the second on most of each step is common. */
const AGREE = 0.1
const MOSTLY_AGREE = 0.5
const DISAGREE = 0.02
/** The share of epochs after which the loss may rise: noise gives a few, a cost that falls steadily next to none. */
const RISES = 0.25
const RISES_OF_FEW_ROWS = 0.2
const STEADY = 0.1
/** Epochs that make a pattern: of fewer each counts too much. */
const PATTERN = 4
/** Steps after which their length may be judged: the very first ones are the longest, however well a training goes. */
const SOME_STEPS = 10
/**
 * Steps as long as the weights themselves: little is left of what was learnt before. Of what the start foretells it takes twice as much: rows
 * that a few lines divide are learnt all the same.
 */
const WHOLE = 1
const FORETOLD = 2
/** Initial weights in units of 1/√inputs: below, it is they that are small. */
const USUAL_WEIGHTS = 0.1
/** Bouncing: the share of epochs after which the cost turns (noise around a slope turns less), and over how much of its size. */
const TURNS = 0.5
const WIDE = 0.05
/** What is lost again of a gain that was there. */
const LOST = 0.25
/** How many times longer than their median gradients must become to have exploded. */
const BURST = 100
/** The share of steps that a clip shortens before it, and no longer the slope, says how long they are. */
const CLIPPED = 0.5
/** How much longer than its limit a gradient must be: what is cut by less is hardly shortened. */
const FAR_BEYOND = 2
/** Limits that leave usual gradients whole: the length with some room; of a gradient's numbers 99.7 % lie within three of their sizes. */
const ROOM = 1.3
const ROOM_OF_NUMBERS = 3
/** Rounds of an epoch, and rounds of the whole training, that are too few to learn by. */
const FEW_ROUNDS = 4
const FEW_IN_ALL = 500
/** What all steps of a training together must be able to change of the weights: less, and the end is where the beginning was. */
const REACHES = 0.2
/** Few steps of large batches must be able to change the weights by their own size: healthy trainings that were measured could by 1.6 at least. */
const OTHER_WEIGHTS = 1
/** Of a trial of fewer epochs it is asked what so many would do: a training that is cut short says nothing of its rate. */
const TRIAL_EPOCHS = 10
const USUAL_BATCH = 32
const LARGEST_BATCH = 128
const SMALL_BATCH = 4
/** Powers of ten that one change may go over where the untrained network does not tell how many it takes. */
const MOST_POWERS = 3
/** First steps are the longest ones: of 168 healthy trainings all but one began with 0.4 to 10 % of the weights. */
const FIRST_STEP = 0.1
/** Rates that are usual at most, by the chapter and for optimizers with steps of their own length; half a power of ten is no difference. */
const USUAL_RATE = 0.1
const USUAL_RATE_ADAPTIVE = 0.01
const HALF_A_POWER = Math.sqrt(10)
/** Targets that are so many times larger than first outputs, which are about 1 in size, make slopes as many times steeper. */
const LARGE_TARGETS = 3
const LARGE_DROPOUT = 0.5
/** Neurons of a layer that dropout must leave awake: fewer carry nothing through. */
const FEW_NEURONS = 3
/**
 * The part of the first cost that the penalty may be, and of the first gradients: their squares add up, so that from the root of a half on the
 * penalty pulls harder than the data, before the weights have grown at all.
 */
const PENALTY = 1
const PULLS_HARDER = Math.SQRT1_2
/** Silent or flat at the start: with less of it a layer was well, and what is seen later came with training. */
const ALIVE = 0.5
const BENT = 0.25

const tenTo = (power: number): number => Number(`1e${power}`)
const times = (rate: number, power: number): number => Number((rate * tenTo(power)).toPrecision(6))

/** Whether the cost rises after more than such a share of the epochs, and more than once: one jump is an accident. */
function isRestless(evidence: Evidence, most: number): boolean {
  const { length } = evidence.epochs
  const rises = risesOf(evidence)
  return length >= PATTERN && rises > most && rises * (length - 1) > 1.5
}

/** The steps of the last watched epoch as shares of the first weights, if these were smaller: beside weights that have burst any step is short. */
function shareOfFirst(evidence: Evidence): number | undefined {
  const first = evidence.epochs.find(({ kernels }) => kernels.length > 0)?.kernels
  const last = lastWatched(evidence)
  return (
    last &&
    stepShare({
      ...last,
      kernels: last.kernels.map((own, i) => ({
        ...own,
        length: Math.min(own.length, first?.[i]?.length ?? own.length),
      })),
    })
  )
}

/** Whether initial weights are of usual size in every layer: beside tiny ones any step is long. */
const isUsualSize = ({ network, probe }: Evidence): boolean =>
  probe!.layers.every((look) => {
    const facts = network.layers.find(({ name }) => name === look.layer)
    return facts !== undefined && weightSize({ look, facts }) > USUAL_WEIGHTS
  })

const usualRate = ({ optimizer }: TrainingFacts): number => (isAdaptive(optimizer) ? USUAL_RATE_ADAPTIVE : USUAL_RATE)

/**
 * How far the rate must go down: by ten, and on until the first steps of the untrained network are short enough. Steps of a training that
 * explodes say less: beside them any rate looks far too high.
 */
function lower(evidence: Evidence): number {
  const share = firstShares(evidence)?.most ?? longestShare(evidence) ?? 0
  let powers = 1
  while (powers < MOST_POWERS && Number.isFinite(share) && share / tenTo(powers) > FIRST_STEP) powers++
  return times(evidence.training.learningRate, -powers)
}

const ABOVE = "Too long a step goes over the valley and up the other side: the cost jumps instead of falling."

function tooHigh(evidence: Evidence): Found | undefined {
  const { training, epochs, diverged } = evidence
  const { learningRate } = training
  const say = (score: number, saw: string): Found => {
    const to = lower(evidence)
    return {
      score,
      saw,
      normal: "Steps of 0.1 to 3 % of the weights in the first epochs, and a cost that falls in most epochs.",
      why: ABOVE,
      change: setRate(
        evidence,
        to,
        `Divide the learning rate: ${shown(learningRate)} -> ${shown(to)}; again by 10 until the cost falls steadily.`,
      ),
      expect: expectLoss(0.9 * (ignorantLoss(evidence) ?? 1), "The cost falls in nearly every epoch.", soon(evidence)),
    }
  }
  if (diverged !== undefined || epochs.some(({ loss }) => !Number.isFinite(numberOf(loss)))) {
    const where = diverged === undefined ? "" : ` in round ${diverged.round + 1} of epoch ${diverged.epoch + 1}`
    return say(82, `The cost is no longer a finite number${where}, at learning rate ${shown(learningRate)}.`)
  }
  const firstShare = firstShares(evidence)?.least ?? 0
  if (!training.scheduled && firstShare > FORETOLD && isUsualSize(evidence))
    return say(83, `The first steps change the weights of every layer by ${percent(firstShare)} of their size or more.`)
  const skill = anySkill(evidence)
  if (skill === undefined || warmsUp(evidence)) return undefined
  const rises = risesOf(evidence)
  // Where nearly all is learnt a cost that is nearly nothing rises and falls by much of itself.
  const restless = skill < NEARLY_ALL && isRestless(evidence, RISES)
  const best = epochs.length < PATTERN ? skill : (bestSkill(evidence) ?? skill)
  const lost = best - skill > LOST
  // A cost that falls steadily towards its end is well, however long the steps: few rows, or the first epochs of large rates.
  const onItsWay = !lost && rises <= STEADY && (projected(evidence) ?? 0) >= WELL
  // Neurons that have gone silent never come back, whatever the cost does.
  const silenced = skill < POOR && goneSilent(evidence) !== undefined
  const poor = silenced || (skill < WELL && !onItsWay) || lost || restless
  // What learns with steps that have become usual since does not suffer from the long ones of the beginning.
  const mended = skill > HARDLY && !lost && !silenced
  const longest = poor ? longestShare(evidence) : undefined
  const share = longest !== undefined && mended ? Math.min(longest, shareOfFirst(evidence) ?? longest) : longest
  const limit = stepsOf(evidence) < SOME_STEPS ? WHOLE : LONG_STEP
  const rose = `the cost rose after ${percent(rises)} of the epochs`
  if (share !== undefined && share > limit && (silenced || share > WHOLE || isFirstCause(evidence, skill))) {
    const besides = skill < WELL ? "" : lost ? `, and ${percent(best)} was` : `, and ${rose}`
    const learnt = `${percent(Math.max(0, skill))} of the task is learnt${besides}`
    return say(78, `Each step changed the weights by up to ${percent(share)}; ${learnt}.`)
  }
  const ratio = restless ? meanRatio(evidence) : undefined
  if (ratio !== undefined && ratio < MUCH_LOWER_AT_MEAN && skill < WELL) {
    const there = `at the mean of the weights it is ${shown(ratio)} times what it is where they stand`
    return say(72, `${rose[0]!.toUpperCase()}${rose.slice(1)}; ${there}.`)
  }
  return undefined
}

/** Whether long steps are the cause of poor progress: not while all steps agree and further ahead is better. */
function isFirstCause(evidence: Evidence, skill: number): boolean {
  const ahead = aheadOf(evidence)
  const watched = lastWatched(evidence)
  const coherence = watched && coherenceOf(watched)
  const steady = risesOf(evidence) <= STEADY && skill > SOMETHING
  const onwards = (ahead !== undefined && ahead.ratio < LOWER) || (coherence !== undefined && coherence > MOSTLY_AGREE)
  return !(steady && onwards)
}

/** Long steps at a usual rate, where targets are far larger than first outputs: quadratic slopes grow as targets do. */
function farTargets(evidence: Evidence): Found | undefined {
  const { data, network, training } = evidence
  const { activation, loss } = network.output
  if (data === undefined || network.task !== "numbers") return undefined
  if (activation !== "linear" || loss !== "meanSquaredError") return undefined
  const { mean, deviation } = data.targets
  const size = Math.hypot(mean, deviation)
  if (
    size < LARGE_TARGETS ||
    training.learningRate > HALF_A_POWER * usualRate(training) ||
    tooHigh(evidence) === undefined
  )
    return undefined
  return {
    score: 79,
    saw: `Your targets are usually ${shown(size)} in size, and at a usual learning rate of ${shown(training.learningRate)} steps are too long.`,
    normal: "Targets around 0 with a deviation near 1.",
    why: "Weights begin near 0 and so do outputs: the slopes of quadratic cost grow with the targets, and steps with the slopes.",
    change: standardizeTargets(data.targets),
    expect: expectLoss(0.9, "The cost begins near 1 and falls below 0.9 within 3 epochs."),
  }
}

/** Whether the first steps will be long, by the gradients of the untrained network. */
const startsLong = (evidence: Evidence): boolean => (firstShares(evidence)?.most ?? 0) > LONG_STEP

/**
 * Whether long steps that were to be expected have become so long in one epoch that the next one need not be awaited: half of the weights
 * each. After shorter ones a training may yet turn out well.
 */
function hasJumped(evidence: Evidence): boolean {
  const epoch = lastEpoch(evidence)
  return epoch !== undefined && startsLong(evidence) && (stepShare(epoch) ?? 0) > WHOLE / 2
}

/** Steps of the whole training; of a trial, those of as many epochs as tell something. */
const stepsInAll = ({ training: { rounds, epochs } }: Evidence): number => rounds * Math.max(epochs, TRIAL_EPOCHS)

/**
 * How far all steps together can lead if they are as long as the first ones and all agree, as a share of the weights of the layer that moves
 * most; told before the first one, of networks that know nothing: others are tuned on with short steps.
 */
function reachOf(evidence: Evidence): number | undefined {
  const { training, probe } = evidence
  const share = firstShares(evidence)?.most
  if (share === undefined || training.scheduled || !(training.rounds > 0) || evidence.epochs.length > 0)
    return undefined
  return (gainOf(evidence, probe!.loss) ?? 0) > HARDLY ? undefined : share * stepsInAll(evidence)
}

function goesNowhere(evidence: Evidence): Found | undefined {
  const { learningRate } = evidence.training
  const reach = reachOf(evidence)
  const share = firstShares(evidence)?.most
  if (reach === undefined || share === undefined || share >= SHORT_STEP || reach >= REACHES) return undefined
  const to = higher(evidence, share, 1)
  return {
    score: 80,
    saw: `${stepsInAll(evidence)} steps together can change the weights by ${percent(reach)} at most, even if they all agree.`,
    normal: "Steps of 0.1 to 3 % each; the weights become others.",
    why: "With so small a learning rate the training ends about where it begins.",
    change: setRate(evidence, to, `Raise the learning rate: ${shown(learningRate)} -> ${shown(to)}.`),
    expect: expectLoss(
      0.9 * (ignorantLoss(evidence) ?? 1),
      `The cost falls within ${soon(evidence)} epochs.`,
      soon(evidence),
    ),
  }
}

/**
 * The rate by powers of ten that makes the first steps of the untrained network as long as they may be, or those of this share usual where it
 * does not tell; at least one power, and not beyond usual rates.
 */
function higher(evidence: Evidence, share: number, least: number): number {
  const { training } = evidence
  const first = firstShares(evidence)?.most
  const powers =
    first === undefined
      ? Math.min(MOST_POWERS, Math.max(least, Math.round(Math.log10(USUAL_STEP / share))))
      : Math.floor(Math.log10(FIRST_STEP / first))
  const most = HALF_A_POWER * usualRate(training)
  let to = times(training.learningRate, 1)
  for (let p = 2; p <= powers && times(training.learningRate, p) <= most; p++) to = times(training.learningRate, p)
  return to
}

function tooLow(evidence: Evidence): Found | undefined {
  const { training, epochs } = evidence
  const share = longestShare(evidence)
  const skill = anySkill(evidence)
  if (share === undefined || skill === undefined || share >= SHORT_STEP || skill >= WELL) return undefined
  if (warmsUp(evidence) || gathersSpeed(evidence)) return undefined
  const ahead = aheadOf(evidence)
  const watched = lastWatched(evidence)
  const coherence = watched && coherenceOf(watched)
  const further = ahead !== undefined && ahead.ratio < LOWER
  if (!further && !(coherence !== undefined && coherence > AGREE)) return undefined
  // Slow is no fault where the planned epochs suffice: it is what the chapter's shallow network does.
  const way = projected(evidence)
  const suffices = way !== undefined && way >= WELL
  const to = higher(evidence, share, further ? Math.log10(ahead.steps) : 1)
  const agreeing = coherence === undefined ? "" : `; steps agree to ${percent(Math.min(1, coherence))}`
  return {
    kind: suffices ? "tip" : "fault",
    score: suffices ? 25 : further ? 80 : 74,
    saw: `Each step changes the weights by ${percent(share)} at most${agreeing}${further ? `; ${ahead.steps} steps further on the cost is ${percent(1 - ahead.ratio)} lower` : ""}.`,
    normal: "Steps of 0.1 to 3 % of the weights that disagree by and by.",
    why: "The direction is clear and the steps are tiny: with so small a learning rate the cost gets to the valley too late.",
    change: setRate(evidence, to, `Raise the learning rate: ${shown(training.learningRate)} -> ${shown(to)}.`),
    expect: expectLoss(
      Math.min(0.9 * (ignorantLoss(evidence) ?? 1), 0.97 * numberOf(epochs.at(-1)!.loss)),
      `The cost falls within ${soon(evidence)} epochs further than so far.`,
      soon(evidence),
    ),
  }
}

/** Gradients that have suddenly become far longer than they were: what a clip is for. */
function bursts(evidence: Evidence): Found | undefined {
  const norms = evidence.epochs.flatMap(({ kernels }) =>
    kernels.length === 0 ? [] : [Math.sqrt(kernels.reduce((sum, k) => sum + numberOf(k.gradientSquare), 0))],
  )
  const last = norms.at(-1)!
  const before = norms.slice(0, -1).toSorted((a, b) => a - b)
  if (before.length < PATTERN || evidence.epochs.at(-1)!.kernels.length === 0) return undefined
  const median = before[Math.floor(before.length / 2)]!
  if (!(last > BURST * median) || (anySkill(evidence) ?? 0) >= WELL) return undefined
  const to = Number((ROOM * median).toPrecision(1))
  const { optimizer, clip } = evidence.training
  if (clip !== undefined || !(to > 0)) return undefined
  return {
    score: 79,
    saw: `Gradients are ${shown(last / median)} times as long as they were: ${shown(last)} instead of ${shown(median)}.`,
    normal: `Up to ${BURST} times their median, and mostly shorter as training goes on.`,
    why: "Where the gradient explodes one step throws the weights far over the valley.",
    change: changeTo(
      `Clip gradients at the length that is usual here, ${shown(to)}.`,
      `${optimizer}({ globalClipNorm: ${shown(to)} })`,
      { kind: "clip", to },
    ),
    expect: expectLoss(
      0.9 * (ignorantLoss(evidence) ?? 1),
      "The cost falls without such jumps.",
      evidence.epochs.length,
    ),
  }
}

function oscillates(evidence: Evidence): Found | undefined {
  const { epochs, training } = evidence
  if (warmsUp(evidence)) return undefined
  const losses = epochs.slice(-Math.ceil(epochs.length / 3)).map(({ loss }) => numberOf(loss))
  const moves = losses.slice(1).map((loss, i) => loss - losses[i]!)
  if (losses.length < PATTERN) return undefined
  const turns = moves.slice(1).filter((move, i) => move * moves[i]! < 0).length / (moves.length - 1)
  const mean = losses.reduce((a, b) => a + b, 0) / losses.length
  const wide = (Math.max(...losses) - Math.min(...losses)) / Math.abs(mean)
  const ratio = meanRatio(evidence)
  const skill = anySkill(evidence) ?? 1
  if (turns <= TURNS || wide < WIDE || ratio === undefined || ratio >= LOWER_AT_MEAN || skill >= NEARLY_ALL)
    return undefined
  const to = times(training.learningRate, -1)
  return {
    score: 64,
    saw: `In the last third the cost turned after ${percent(turns)} of the epochs, over ${percent(wide)} of its size; at the mean of the weights it is ${percent(1 - ratio)} lower.`,
    normal: "Turns within 5 %, and hardly less at the mean of the weights.",
    why: "The steps bounce from one side of the valley to the other and never get to its floor.",
    change: setRate(evidence, to, `Divide the learning rate by ten: ${shown(training.learningRate)} -> ${shown(to)}.`),
    expect: expectLoss(0.9 * mean, "The cost comes to rest lower.", Math.max(5, Math.ceil(epochs.length / 3))),
  }
}

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
  const saw = `The first gradients are about ${shown(length)} ${clip.kind === "value" ? "in size" : "long"} and cut at ${shown(clip.at)}: ${stepsInAll(evidence)} such steps can change the weights by ${percent(reach)} at most.`
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
    saw: `A batch of ${batchSize} makes ${counted(rounds, "step")} per epoch${short ? `; ${stepsInAll(evidence)} together can change the weights by ${percent(reach)} at most` : harms ? "; further on the same way the cost is lower" : ""}.`,
    normal: `Batches of ${USUAL_BATCH} to ${LARGEST_BATCH}, and 10 steps per epoch or more.`,
    why: "Each epoch takes few steps down the slope, and full batches lack the noise that helps out of local minima.",
    change: changeTo(
      `Use batches of ${USUAL_BATCH}.`,
      `fit(x, y, { batchSize: ${USUAL_BATCH} })`,
      { kind: "batchSize", to: USUAL_BATCH },
      `--batch-size ${USUAL_BATCH}`,
    ),
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
      ? changeTo(
          `Use batches of ${USUAL_BATCH}.`,
          `fit(x, y, { batchSize: ${USUAL_BATCH} })`,
          { kind: "batchSize", to: USUAL_BATCH },
          `--batch-size ${USUAL_BATCH}`,
        )
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

/** A layer whose neurons were awake at the start and have gone silent since: what long steps do. */
function goneSilent(
  evidence: Evidence,
): { readonly look: LayerLook; readonly facts: LayerFacts; readonly before: number } | undefined {
  for (const { look, facts } of hiddenLooks(evidence, lastLooks(evidence))) {
    const before = evidence.probe?.layers.find(({ layer }) => layer === look.layer)?.dead ?? 0
    if ((look.dead ?? 0) > SILENT * facts.units && before < ALIVE * facts.units) return { look, facts, before }
  }
  return undefined
}

function broken(evidence: Evidence): Found | undefined {
  const { probe, training } = evidence
  const skill = anySkill(evidence)
  if (probe === undefined || skill === undefined || skill >= POOR || warmsUp(evidence)) return undefined
  // Behind long steps it is a sign of these.
  if ((longestShare(evidence) ?? 0) > LONG_STEP) return undefined
  const gone = goneSilent(evidence)
  if (gone === undefined) return undefined
  const { look, facts, before } = gone
  const to = lower(evidence)
  return {
    score: 76,
    layer: facts.name,
    saw: `${look.dead} of ${facts.units} neurons of layer ${facts.name} have gone silent for all rows; at the start it was ${before}.`,
    normal: "Under a tenth of the neurons.",
    why: "A long step has thrown them where relu is 0 and has no slope: they never learn again.",
    change: setRate(evidence, to, `Divide the learning rate: ${shown(training.learningRate)} -> ${shown(to)}.`),
    expect: { text: "Neurons stay alive.", measure: "dead", within: 5, below: ALIVE },
  }
}

function saturatedLater(evidence: Evidence): Found | undefined {
  const { probe, training } = evidence
  const skill = anySkill(evidence)
  if (probe === undefined || skill === undefined || skill >= POOR || warmsUp(evidence)) return undefined
  // Behind long steps it is a sign of these.
  if ((longestShare(evidence) ?? 0) > LONG_STEP) return undefined
  const flat = hiddenLooks(evidence, lastLooks(evidence)).find(
    ({ look }) =>
      (look.saturated ?? 0) > FLAT && (probe.layers.find(({ layer }) => layer === look.layer)?.saturated ?? 0) < BENT,
  )
  if (flat === undefined) return undefined
  const to = lower(evidence)
  const { look, facts } = flat
  return {
    score: 66,
    layer: facts.name,
    saw: `${percent(look.saturated!)} of layer ${facts.name} has come to sit on the flat ends of ${facts.activation}.`,
    normal: "Under 20 %.",
    why: "On the flat end turning a weight changes almost nothing: a saturated neuron learns at a crawl.",
    change: setRate(evidence, to, `Divide the learning rate: ${shown(training.learningRate)} -> ${shown(to)}.`),
    expect: { text: "Under half of the values are on the flat ends.", measure: "saturated", within: 5, below: FLAT },
  }
}

export const stepRules: readonly Rule[] = [
  { code: "F25", cause: "too much dropout", class: "knobs", when: "running", find: tooMuchDropout },
  { code: "F25", cause: "too much penalty", class: "knobs", when: "running", find: tooMuchPenalty },
  { code: "F11", cause: "gradients clipped too short", class: "knobs", when: "probe", find: clipsAll },
  { code: "F11", cause: "gradients clipped too short", class: "knobs", when: "running", find: clipped },
  { code: "F20", cause: "batch too large", class: "knobs", when: "running", find: largeBatch },
  { code: "F21", cause: "batch too small", class: "knobs", when: "running", find: smallBatch },
  {
    code: "F29",
    cause: "scale of the targets",
    class: "steps",
    when: "running",
    find: farTargets,
    foreseen: hasJumped,
  },
  {
    code: "F08",
    cause: "learning rate too high",
    class: "steps",
    when: "running",
    find: tooHigh,
    foreseen: hasJumped,
  },
  { code: "F07", cause: "exploding gradient", class: "steps", when: "running", find: bursts },
  { code: "F05", cause: "neurons that have gone silent", class: "steps", when: "running", find: broken },
  { code: "F09", cause: "learning rate too low", class: "steps", when: "probe", find: goesNowhere },
  { code: "F09", cause: "learning rate too low", class: "steps", when: "running", find: tooLow },
  { code: "F10", cause: "bouncing across the valley", class: "steps", when: "running", find: oscillates },
  { code: "F04", cause: "neurons that have become saturated", class: "steps", when: "running", find: saturatedLater },
]
