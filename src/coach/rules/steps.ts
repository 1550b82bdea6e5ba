// Faults of how the weights move: the length of steps, how far they agree. Knows no other rule.

import type { Evidence, TrainingFacts } from "../evidence.ts"
import {
  AGREE, ALIVE, BENT, goneSilent, HARDLY, isRestless, LOWER, LOWER_AT_MEAN, MOSTLY_AGREE, MUCH_LOWER_AT_MEAN,
  NEARLY_ALL, ofTrial, PATTERN, REACHES, RISES, ROOM, reachOf, SOMETHING, STEADY, stepsInAll, tenTo, times, USUAL_STEP, WELL,
} from "./pace.ts" // biome-ignore format: a list
import {
  changeTo, expectLoss, type Found, percent, type Rule, setRate, shown, soon, standardizeTargets,
} from "./rule.ts" // biome-ignore format: a list
import {
  aheadOf, anySkill, bestSkill, coherenceOf, FLAT, firstShares, gathersSpeed, hiddenLooks, ignorantLoss, isAdaptive,
  LONG_STEP, lastEpoch, lastLooks, lastWatched, longestShare, meanRatio, numberOf, POOR, projected, risesOf,
  SHORT_STEP, stepShare, stepsOf, warmsUp, weightSize,
} from "./signs.ts" // biome-ignore format: a list

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

/** Neurons that long steps have put to sleep do not come back: two signs of one epoch are as good as one of two. */
const hasSilenced = (evidence: Evidence): boolean => hasJumped(evidence) || goneSilent(evidence) !== undefined

/** Nothing is learnt, and a layer is 0 for all rows: no slope comes through it any more, so that no epoch will change that. */
const isSevered = (evidence: Evidence): boolean =>
  (anySkill(evidence) ?? 0) < SOMETHING &&
  hiddenLooks(evidence, lastLooks(evidence)).some(({ look, facts }) => look.dead === facts.units)

function goesNowhere(evidence: Evidence): Found | undefined {
  const { learningRate } = evidence.training
  const reach = reachOf(evidence)
  const share = firstShares(evidence)?.most
  if (reach === undefined || share === undefined || share >= SHORT_STEP || reach >= REACHES) return undefined
  const to = higher(evidence, share, 1)
  return {
    score: 80,
    saw: `${stepsInAll(evidence)} steps${ofTrial(evidence)} together can change the weights by ${percent(reach)} at most, even if they all agree.`,
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
    foreseen: hasSilenced,
  },
  { code: "F07", cause: "exploding gradient", class: "steps", when: "running", find: bursts },
  {
    code: "F05",
    cause: "neurons that have gone silent",
    class: "steps",
    when: "running",
    find: broken,
    foreseen: isSevered,
  },
  { code: "F09", cause: "learning rate too low", class: "steps", when: "probe", find: goesNowhere },
  { code: "F09", cause: "learning rate too low", class: "steps", when: "running", find: tooLow },
  { code: "F10", cause: "bouncing across the valley", class: "steps", when: "running", find: oscillates },
  { code: "F04", cause: "neurons that have become saturated", class: "steps", when: "running", find: saturatedLater },
]
