// Faults of the network as it is written: the output and its loss, hidden layers that bend nothing. Knows no other rule.

import type { Evidence, LayerFacts } from "../evidence.ts"
import { changeTo, counted, expectLoss, type Found, percent, type Rule, shown } from "./rule.ts"
import { hiddenOf, isCrossEntropy, isQuadratic, lastEpoch, projected, skillOf } from "./signs.ts"

/** Where outputs end: the ranges of activations that have one. */
const RANGES: { readonly [activation: string]: readonly [number, number] } = {
  sigmoid: [0, 1],
  hardSigmoid: [0, 1],
  softmax: [0, 1],
  tanh: [-1, 1],
  hardTanh: [-1, 1],
  softsign: [-1, 1],
  relu: [0, Number.POSITIVE_INFINITY],
  softplus: [0, Number.POSITIVE_INFINITY],
  exponential: [0, Number.POSITIVE_INFINITY],
}
/** How far beyond an output's range targets may lie, in their deviations: a few stray rows do little harm. */
const BEYOND = 0.25
/** The share of outputs on the flat ends from which on quadratic cost has no slope to speak of. */
const FLAT = 0.5
/** The skill that a training must be on its way to; below, it crawls. */
const ON_ITS_WAY = 0.5
const EPOCHS_TO_TELL = 3

const ALWAYS =
  "The output activation says which answers are possible, and the cost how wrong one is: they must speak of the same thing."

interface Pair {
  readonly activation: string
  readonly loss: string
  readonly units?: number
}

function found(evidence: Evidence, saw: string, normal: string, to: Pair, why: string = ALWAYS): Found {
  const { units } = evidence.network.output
  const { activation, loss } = to
  const n = to.units ?? units
  return {
    score: 95,
    layer: evidence.network.output.layer,
    saw,
    normal,
    why,
    change: changeTo(
      `Use ${counted(n, "output neuron")} with ${activation} and ${loss}.`,
      `dense({ units: ${n}, activation: "${activation}" }), loss: "${loss}"`,
      { kind: "output", ...to },
      `--loss ${loss}`,
    ),
    expect: expectLoss(
      evidence.data?.targets.baseline ?? Math.log(Math.max(2, n)),
      "The cost falls below that of always guessing the mean within 3 epochs.",
    ),
  }
}

const YES_NO: Pair = { activation: "sigmoid", loss: "binaryCrossentropy" }

/** How a single neuron should end, by what the targets are. */
function single({ data, network }: Evidence): Pair {
  const { least, greatest, whole, classes } = data?.targets ?? { least: 0, greatest: 1, whole: true }
  if (network.task === "binary" || network.task === "classes" || (whole && greatest - least === 1)) {
    if (classes === undefined || classes.filter((n) => n > 0).length <= 2) return YES_NO
  }
  return { activation: "linear", loss: "meanSquaredError" }
}

/** Whether a second softmax stands behind the output's own one. */
function softmaxTwice({ network }: Evidence): boolean {
  const at = network.layers.findLastIndex(({ isOutput }) => isOutput)
  const own = network.layers[at]
  if (own === undefined || own.activation !== "softmax" || own.activatedBy !== undefined) return false
  return network.layers.slice(at + 1).some(({ activation }) => activation === "softmax")
}

function pairing(evidence: Evidence): Found | undefined {
  const { network, data } = evidence
  const { units, activation, loss, fromLogits } = network.output
  const targets = data?.targets
  const binary = /^binary/.test(loss)
  const categorical = /^(sparse)?categorical.*crossentropy$/i.test(loss)
  if (activation === "softmax" && units === 1)
    return found(
      evidence,
      "The output is softmax over one neuron: it always answers 1.",
      "softmax over 2 or more neurons.",
      single(evidence),
    )
  if (categorical && units === 1)
    return found(
      evidence,
      `${loss} compares classes, and there is 1 output neuron.`,
      "One neuron for each class, 2 or more.",
      single(evidence),
    )
  // Several classes under one neuron.
  const kinds =
    targets?.whole && targets.shape.reduce((a, b) => a * b, 1) <= 1 ? targets.greatest - targets.least + 1 : 0
  if (binary && units === 1 && kinds > 2 && (targets!.least < 0 || targets!.greatest > 1))
    return found(evidence, `There are ${kinds} classes and 1 output neuron.`, "One output neuron for yes or no, or one for each class.", {
      activation: "softmax", loss: "sparseCategoricalCrossentropy", units: targets!.greatest + 1,
    }) // biome-ignore format: short
  if (softmaxTwice(evidence) || (fromLogits && /^(sigmoid|softmax)$/.test(activation)))
    return found(
      evidence,
      fromLogits
        ? `The loss is told fromLogits and applies ${activation} itself: it comes twice.`
        : "The output has softmax twice.",
      `${activation} once: in the output or in the loss.`,
      { activation, loss },
      "The second one squeezes answers that are shares already: the largest of 10 cannot pass 0.23, and the cost cannot fall.",
    )
  if (binary && !fromLogits && !/^(sigmoid|hardSigmoid|softmax)$/.test(activation))
    return found(
      evidence,
      `The output is ${activation}, and ${loss} takes shares of 0 to 1.`,
      "sigmoid, which answers 0..1.",
      YES_NO,
    )
  if (categorical && !fromLogits && units > 1 && !/^(softmax|sigmoid|sparsemax|hardSigmoid)$/.test(activation))
    return found(
      evidence,
      `The output is ${activation}, and ${loss} takes shares that sum to 1.`,
      "softmax: shares in 0..1 that sum to 1.",
      { activation: "softmax", loss },
    )
  const range = RANGES[activation]
  if (
    network.task === "numbers" &&
    range !== undefined &&
    targets !== undefined &&
    !isCrossEntropy(loss) &&
    isNumeric(loss)
  ) {
    const room = BEYOND * targets.deviation
    if (targets.least < range[0] - room || targets.greatest > range[1] + room)
      return found(
        evidence,
        `Your targets run from ${shown(targets.least)} to ${shown(targets.greatest)}, and ${activation} answers ${range[0]} to ${shown(range[1])} only.`,
        "linear for numbers: any answer is possible.",
        { activation: "linear", loss },
      )
  }
  return undefined
}

/** Losses that compare numbers as they are. */
const isNumeric = (loss: string): boolean => isQuadratic(loss) || /^mean.*Error$/.test(loss)

/** Quadratic cost for classes: slow where neurons saturate, as the chapter tells; a fault only where it shows. */
function quadratic(evidence: Evidence): Found | undefined {
  const { network, probe, epochs, data } = evidence
  const { units, activation, loss } = network.output
  const yesNo = data?.targets.whole && data.targets.least === 0 && data.targets.greatest === 1
  if (!isQuadratic(loss) || !(network.task === "classes" || network.task === "binary") || !yesNo) return undefined
  if (!/^(sigmoid|softmax|tanh)$/.test(activation) || (units === 1 && activation !== "sigmoid")) return undefined
  const flat = probe?.output.saturated ?? 0
  const skill = skillOf(evidence) ?? 1
  const way = projected(evidence) ?? 1
  const stuck = flat > FLAT || (epochs.length >= EPOCHS_TO_TELL && skill < ON_ITS_WAY && way < ON_ITS_WAY)
  const to: Pair =
    units === 1
      ? YES_NO
      : {
          activation: "softmax",
          loss: data!.targets.shape.at(-1) === units ? "categoricalCrossentropy" : "sparseCategoricalCrossentropy",
        }
  const cost = `cost falls ${lastEpoch(evidence) === undefined ? "" : "much "}faster`
  return {
    ...found(
      evidence,
      flat > FLAT
        ? `${percent(flat)} of the outputs sit on the flat ends of ${activation}, under ${loss}.`
        : `Classes are learnt with ${loss}${stuck ? `; after ${counted(epochs.length, "epoch")} ${percent(Math.max(0, skill))} is learnt` : ""}.`,
      "Cross-entropy for classes, quadratic cost for numbers.",
      to,
      "With quadratic cost a saturated neuron learns at a crawl; the slope of cross-entropy is simply how wrong the answer is.",
    ),
    kind: stuck ? "fault" : "tip",
    score: flat > FLAT ? 86 : stuck ? 62 : 20,
    expect: expectLoss(
      data?.targets.baseline === undefined ? 1 : 0.9 * Math.log(Math.max(2, units)),
      `The ${cost}.`,
      5,
    ),
  }
}

/** Layers of neurons whose sums are nothing but sums, unless they bend what comes out. */
const PLAIN = /^(dense|conv\dD|depthwiseConv2D|separableConv\dD|conv\dDTranspose)$/i
/** Layers between that keep a straight line straight. */
const STRAIGHT =
  /^(dropout|flatten|reshape|permute|activation|averagePooling\dD|globalAveragePooling\dD|zeroPadding\dD|cropping\dD|upSampling\dD)$/i

function linearHidden(evidence: Evidence): Found | undefined {
  const { layers } = evidence.network
  const hidden = hiddenOf(evidence)
  if (hidden.length === 0 || hidden.some(({ type }) => !PLAIN.test(type))) return undefined
  const bends = ({ type, activation, hasKernel }: LayerFacts): boolean =>
    activation !== "linear" || (!hasKernel && !STRAIGHT.test(type) && !/^(inputLayer|input)$/i.test(type))
  // Anything in the whole network that bends before the output makes it more than one straight line.
  const output = layers.findLastIndex(({ isOutput }) => isOutput)
  if (layers.slice(0, output < 0 ? layers.length : output).some(bends)) return undefined
  return {
    score: 88,
    saw: `${hidden.length === 1 ? "The hidden layer has" : `All ${hidden.length} hidden layers have`} no activation function.`,
    normal: "relu (or tanh, sigmoid) in each hidden layer.",
    why: "Stacked straight lines are one straight line: without an activation function hidden layers add nothing.",
    change: changeTo(
      "Give the hidden layers relu.",
      `dense({ units: ${hidden[0]!.units}, activation: "relu" })`,
      { kind: "activation", to: "relu" },
      "--activation relu",
    ),
    expect: expectLoss(
      0.7 * (evidence.data?.targets.baseline ?? 1),
      "The cost falls below where a straight line ends.",
      10,
    ),
  }
}

export const pairingRules: readonly Rule[] = [
  { code: "F12", cause: "output and loss do not fit", class: "pairing", when: "static", find: pairing },
  { code: "F12", cause: "quadratic cost for classes", class: "pairing", when: "probe", find: quadratic },
  { code: "F14", cause: "hidden layers without activation", class: "pairing", when: "static", find: linearHidden },
]
