// Faults of the network as it stands before the first step: what some rows show of the untrained layers. Knows no other rule.

import type { Evidence, LayerFacts, LayerLook } from "../evidence.ts"
import { changeTo, counted, expectLoss, type Found, percent, type Rule, setDepth, shown, soon } from "./rule.ts"
import {
  anySkill, FLAT, hiddenLooks, hiddenOf, ignorantLoss, LONG_STEP, lastLooks, longestShare, numberOf, POOR, SHORT_STEP, SILENT,
  suitedInitializer, weightSize,
} from "./signs.ts" // biome-ignore format: a list

/** Weights this far below or above 1/√inputs, where usual initializers put them, are too small or too large by themselves. */
const SMALL_WEIGHTS = 0.1
const LARGE_WEIGHTS = 2
/** The part of the inputs' variation that must reach the last hidden layer: below, rows look alike to it. */
const ARRIVES = 0.02
/** The share of slopes that must reach the first layer of four or more: the chapter's five layers differ by ten over two layers. */
const SLOPE_ARRIVES = 0.01
const DEEP_FOR_SIGNAL = 3
const DEEP_FOR_SLOPE = 4
/** The share of silent neurons that is left when the change was right. */
const AWAKE = 0.5
/** What happens less often than this is no accident. */
const BY_CHANCE = 0.05
/** The growth of the signal through the network that is no accident of a few layers. */
const GROWS = 30
/** The skill below which nothing is learnt. */
const STUCK = 0.1
/** Kernels whose numbers are all alike. */
const ALIKE = 1e-12
/** The layers that the chapter starts with. */
const FIRST_DEPTH = 3
const DEEP = 6

type Pair = { readonly look: LayerLook; readonly facts: LayerFacts }

const looksOf = (evidence: Evidence): readonly Pair[] => hiddenLooks(evidence, evidence.probe?.layers)

const learns = (evidence: Evidence, text: string): Found["expect"] =>
  expectLoss(
    0.9 * (ignorantLoss({ ...evidence, probe: undefined } as unknown as Evidence) ?? 1),
    `${text} within ${soon(evidence)} epochs.`,
    soon(evidence),
  )

function initialize(facts: LayerFacts, text: string, bias: boolean = false): Found["change"] {
  const to = suitedInitializer(facts.activation)
  const code = `dense({ units: ${facts.units}, kernelInitializer: "${to}"${bias ? ', biasInitializer: "zeros"' : ""} })`
  return changeTo(`${text} ${to}${bias ? ", and biases with zeros" : ""}.`, code, {
    kind: "initializer", to, ...(bias ? { bias: "zeros" } : {}),
  }) // biome-ignore format: short
}

const fewerLayers = (evidence: Evidence): Found["change"] => {
  const units = hiddenOf(evidence).map((layer) => layer.units)
  return setDepth(units, FIRST_DEPTH, `Use ${FIRST_DEPTH} hidden layers instead of ${units.length}.`)
}

function allAlike(evidence: Evidence): Found | undefined {
  const copies = hiddenOf(evidence).find(
    ({ kernelInitializer, units, type }) =>
      units > 1 && /^(dense|conv\dD)$/.test(type) && /^(zeros|ones|constant)$/.test(kernelInitializer ?? ""),
  )
  const pair = looksOf(evidence).find(
    ({ look, facts }) => facts.units > 1 && look.kernelDeviation <= ALIKE + 1e-6 * look.kernelRms,
  )
  const facts = pair?.facts ?? (evidence.probe === undefined ? copies : undefined)
  if (facts === undefined) return undefined
  const all = pair === undefined ? "the same number" : shown(pair.look.kernelRms)
  return {
    score: 93,
    layer: facts.name,
    saw: `All weights of layer ${facts.name} begin as ${all}: the deviation is 0.`,
    normal: `Random weights, with a deviation of about ${shown(1 / Math.sqrt(facts.fanIn ?? facts.units))} here.`,
    why: `All ${facts.units} neurons start as copies, get the same slopes and stay copies: one neuron's worth of a layer.`,
    change: initialize(facts, "Begin with"),
    expect: learns(evidence, "Neurons part company and the cost falls"),
  }
}

/** How much of the inputs' variation reaches the last hidden layer. */
function arriving(pairs: readonly Pair[]): number | undefined {
  const from = pairs.length === 0 ? 0 : numberOf(pairs[0]!.look.inputDeviation)
  return from > 0 && Number.isFinite(from) ? numberOf(pairs.at(-1)!.look.deviation) / from : undefined
}

function smallWeights(evidence: Evidence): Found | undefined {
  const pairs = looksOf(evidence)
  const arrives = arriving(pairs)
  const small = pairs.find((pair) => weightSize(pair) < SMALL_WEIGHTS)
  if (small === undefined || arrives === undefined || arrives >= ARRIVES) return undefined
  const { facts, look } = small
  return {
    score: 87,
    layer: facts.name,
    saw: `Weights of layer ${facts.name} begin at about ${shown(look.kernelRms)}; ${percent(arrives)} of the inputs' variation reaches the last hidden layer.`,
    normal: `Weights of about ${shown(1 / Math.sqrt(facts.fanIn ?? 1))} to ${shown(Math.sqrt(2 / (facts.fanIn ?? 1)))}; ${percent(ARRIVES)} or more arrives.`,
    why: "Where signals shrink from layer to layer slopes shrink on the way back, too: the gradient vanishes.",
    change: initialize(facts, "Begin with"),
    expect: learns(evidence, "The cost leaves the plateau"),
  }
}

/**
 * Whether as many neurons as are silent in the first silent layer may be so by chance in one of all layers: where rows have come to lie on one
 * line, which deep layers make of them, a neuron is silent for all of them with 1/2. More are silent through their biases or weights.
 */
function diedByChance(pairs: readonly Pair[]): boolean {
  const first = pairs.find(({ look, facts }) => (look.dead ?? 0) >= SILENT * facts.units)
  if (first === undefined) return false
  const { units } = first.facts
  let [ways, atLeast] = [1, 0]
  // Ways to choose k of the neurons, from all of them downwards.
  for (let k = units; k >= first.look.dead!; k--) {
    atLeast += ways
    ways = (ways * k) / (units - k + 1)
  }
  return (pairs.length * atLeast) / 2 ** units > BY_CHANCE
}

function silent(evidence: Evidence): Found | undefined {
  const pairs = looksOf(evidence)
  const worst = pairs
    .map((pair) => ({ ...pair, share: (pair.look.dead ?? 0) / Math.max(1, pair.facts.units) }))
    .reduce<(Pair & { readonly share: number }) | undefined>(
      (a, b) => (a === undefined || b.share > a.share ? b : a),
      undefined,
    )
  if (worst === undefined || worst.share < SILENT) return undefined
  const { look, facts } = worst
  // Training has woken them, or does without them.
  const now = lastLooks(evidence)?.find(({ layer }) => layer === facts.name)
  if ((now?.dead ?? look.dead!) < SILENT * facts.units || (anySkill(evidence) ?? 0) >= POOR) return undefined
  const deep = pairs.length >= DEEP && pairs.every((pair) => weightSize(pair) > SMALL_WEIGHTS) && diedByChance(pairs)
  return {
    score: 88,
    layer: facts.name,
    saw: `${look.dead} of ${facts.units} neurons of layer ${facts.name} never fire: they are 0 for all ${evidence.probe!.rows} rows.`,
    normal: "Under a tenth of the neurons; each is 0 for about half of the rows.",
    why: "A relu that is 0 for every row has slope 0 for every row: it never learns again.",
    change: deep ? fewerLayers(evidence) : initialize(facts, "Begin weights with", true),
    expect: { text: "Fewer than half of the neurons are silent.", measure: "dead", within: 1, below: AWAKE },
  }
}

function saturated(evidence: Evidence): Found | undefined {
  const worst = looksOf(evidence)
    .filter(({ look }) => (look.saturated ?? 0) > FLAT)
    .reduce<Pair | undefined>((a, b) => (a === undefined || b.look.saturated! > a.look.saturated! ? b : a), undefined)
  if (worst === undefined) return undefined
  const { look, facts } = worst
  return {
    score: 86,
    layer: facts.name,
    saw: `${percent(look.saturated!)} of layer ${facts.name} sits on the flat ends of ${facts.activation} before the first step.`,
    normal: "Under 20 %; about 5 % with usual weights and standardised inputs.",
    why: "On the flat end turning a weight changes almost nothing: a saturated neuron learns at a crawl.",
    change:
      weightSize(worst) > LARGE_WEIGHTS
        ? initialize(facts, "Begin with smaller weights:")
        : changeTo(
            "Standardise what comes in.",
            "x.map((row) => row.map((v, i) => (v - mean[i]) / deviation[i]))",
            { kind: "inputs", how: "standardize" },
            "--scaling standardize",
          ),
    expect: { text: "Under half of the values are on the flat ends.", measure: "saturated", within: 1, below: FLAT },
  }
}

function explodes(evidence: Evidence): Found | undefined {
  const pairs = looksOf(evidence)
  const { probe } = evidence
  if (probe === undefined || pairs.length === 0) return undefined
  const from = numberOf(pairs[0]!.look.inputDeviation)
  const beyond = pairs.find(
    ({ look }) => !Number.isFinite(numberOf(look.sumDeviation)) || !Number.isFinite(numberOf(look.deviation)),
  )
  const sums = pairs.map(({ look }) => numberOf(look.sumDeviation))
  const growth = Math.max(...sums, probe.output.deviation) / from
  const last = sums.at(-1)! / from
  const steep = pairs.find(({ facts }) => facts.activation === "exponential")
  if (beyond === undefined && !(from > 0 && growth > GROWS && (last > GROWS || probe.output.deviation / from > GROWS)))
    return undefined
  const { facts } = beyond ?? pairs.at(-1)!
  const large = pairs.find((pair) => weightSize(pair) > LARGE_WEIGHTS)
  const change =
    steep !== undefined
      ? changeTo(
          "Use relu instead of exponential.",
          'dense({ activation: "relu" })',
          { kind: "activation", to: "relu" },
          "--activation relu",
        )
      : large !== undefined
        ? initialize(large.facts, "Begin with smaller weights:")
        : fewerLayers(evidence)
  return {
    score: 87,
    layer: facts.name,
    saw: `The signal grows ${beyond === undefined ? `${shown(growth)} times` : "beyond all numbers"} on its way through ${counted(pairs.length, "hidden layer")}.`,
    normal: `0.1 to ${GROWS} times, whatever the depth.`,
    why: "Slopes grow as signals do: the gradient explodes, and one step throws the weights far over the valley.",
    change,
    expect: learns(evidence, "The first cost is near that of guessing, and it falls"),
  }
}

/** Whether training has brought nothing yet, with steps that are neither tiny nor long. */
function isStuck(evidence: Evidence): boolean {
  const skill = anySkill(evidence)
  const share = longestShare(evidence)
  return (
    evidence.epochs.length >= 2 &&
    skill !== undefined &&
    skill < STUCK &&
    share !== undefined &&
    share > SHORT_STEP &&
    share < LONG_STEP
  )
}

function vanishes(evidence: Evidence): Found | undefined {
  const pairs = looksOf(evidence)
  if (pairs.length < DEEP_FOR_SIGNAL) return undefined
  const arrives = arriving(pairs) ?? 1
  const slopes = pairs.map(({ look }) => numberOf(look.gradientRms ?? 0))
  const ratio = slopes[0]! > 0 && slopes.at(-1)! > 0 ? slopes[0]! / slopes.at(-1)! : slopes.at(-1)! > 0 ? 0 : 1
  const signal = arrives < ARRIVES
  const slope = pairs.length >= DEEP_FOR_SLOPE && ratio < SLOPE_ARRIVES
  if (!signal && !slope) return undefined
  // Relus pass slopes on to all layers alike: there a weak signal harms only if nothing is learnt, at steps that are not too long.
  const bent = pairs.every(({ facts: { activation } }) => !/^(sigmoid|hardSigmoid|tanh|softsign)$/.test(activation))
  if (bent && !slope && !isStuck(evidence)) return undefined
  const { facts } = pairs[0]!
  const flat = pairs.find(({ facts: { activation } }) => /^(sigmoid|hardSigmoid|tanh|softsign)$/.test(activation))
  const small = pairs.find((pair) => weightSize(pair) < SMALL_WEIGHTS)
  const change =
    small !== undefined
      ? initialize(small.facts, "Begin with")
      : flat !== undefined && flat.facts.activation !== "tanh"
        ? changeTo(
            "Use relu in the hidden layers.",
            'dense({ activation: "relu" })',
            { kind: "activation", to: "relu" },
            "--activation relu",
          )
        : fewerLayers(evidence)
  return {
    score: 86,
    layer: facts.name,
    saw: slope
      ? `The slopes of the first hidden layer are ${shown(ratio === 0 ? Number.POSITIVE_INFINITY : 1 / ratio)} times smaller than those of the last of ${pairs.length}.`
      : `${percent(arrives)} of the inputs' variation reaches the last of ${pairs.length} hidden layers.`,
    normal: slope ? "Up to 10 times over two layers, 100 over five." : `${percent(ARRIVES)} or more.`,
    why: "Each layer multiplies the gradient on its way back; where the factors are below 1 it vanishes, and early layers stand still.",
    change,
    expect: learns(evidence, "Early layers move, and the cost leaves the plateau"),
  }
}

export const startRules: readonly Rule[] = [
  { code: "F15", cause: "initial weights all alike", class: "start", when: "probe", find: allAlike },
  { code: "F05", cause: "neurons that never fire", class: "start", when: "probe", find: silent },
  { code: "F15", cause: "initial weights too small", class: "start", when: "probe", find: smallWeights },
  { code: "F04", cause: "saturated neurons", class: "start", when: "probe", find: saturated },
  { code: "F07", cause: "exploding signal", class: "start", when: "probe", find: explodes },
  { code: "F06", cause: "vanishing gradient", class: "start", when: "probe", find: vanishes },
]
