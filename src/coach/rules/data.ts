// Faults of the rows: what can be seen before the first step. Knows no other rule.

import type { DataFacts, Evidence, TargetFacts } from "../evidence.ts"
import {
  changeTo,
  counted,
  expectLoss,
  type Found,
  percent,
  type Rule,
  shown,
  standardizeInputs,
  standardizeTargets,
} from "./rule.ts"
import { gainOf, ignorantLoss, lastEpoch, majorityOf } from "./signs.ts"

/** The usual size (root mean square) of an input from which on sums of neurons are ten times what initial weights are made for. */
const LARGE = 10
/** The greatest brightness of pictures. */
const BYTE = 255
/** How many times larger one input may be than is usual among them, and from what size on it counts: small ones among ones do no harm. */
const UNEVEN = 20
const NOTABLE = 3
/** The distance of a feature's mean from 0, in deviations and in numbers, from which on the bias has to do all the work first. */
const OFF_CENTRE = 5
/** The part of the greatest number at which a range begins near 0. */
const NEAR_ZERO = 0.1
/** The length of a mean row below which neurons hardly feel their inputs; a one-hot row has 1, however long it is. */
const TINY_ROW = 0.05
/** A deviation that is none. */
const NONE = 1e-9
/** The share of rows with a wrong code that is no slip of a few. */
const WRONG = 0.01
/** The share of neighbours of one class that only a sorted table has, and how far it must be beyond chance. */
const SORTED = 0.9
const BEYOND_CHANCE = 0.3
/** The size of the largest class over the smallest from which on accuracy says little of the small one. */
const RARE = 10
/** As many of them missed as found, or more. */
const FOUND_TOO_FEW = 0.5
/** How far accuracy may lie below that of always saying the largest class before something else is wrong: noise of some hundred rows. */
const AS_GOOD = 0.02
/** Validation rows that are training rows, too: a share, beyond what a table repeats anyway, and so many that it is no accident. */
const SHARED = 0.01
const SHARED_ROWS = 5
/** How much more of its rows validation may find than training does, beyond what chance gives with so many rows. */
const TOO_GOOD = 0.05
/** Epochs after which both may be compared: training's share is that of its way through the epoch, which is long in the first ones. */
const EPOCHS_TO_COMPARE = 4
/** How many deviations apart the means of one feature may be, and the rows it takes to know a mean. */
const UNLIKE = 1
const ROWS_FOR_MEAN = 30
/** Training that comes so far in so few epochs has learnt something real: validation of so many rows must show it. */
const MUCH_LEARNT = 0.6
const SOON = 10
const ROWS_FOR_COST = 50
/** Deviations of numeric targets with which weights near 0 can reach them. */
const TARGETS: readonly [number, number] = [0.03, 30]

const rmsOf = ({ means, deviations }: DataFacts): readonly number[] =>
  means.map((mean, i) => Math.sqrt(mean * mean + deviations[i]! * deviations[i]!))

const medianOf = (list: readonly number[]): number => {
  const sorted = list.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** Layers that bring inputs to a common size, or take numbers as names. */
const PREPARING =
  /^(normalization|batchNormalization|layerNormalization|rescaling|embedding|discretization|categoryEncoding)$/i

function nonFinite({ data, validation }: Evidence): Found | undefined {
  const [facts, which] = data?.nonFinite ? [data, "training"] : [validation, "validation"]
  if (facts?.nonFinite === undefined) return undefined
  const { rows, first } = facts.nonFinite
  return {
    score: 99,
    saw: `${rows} of your ${facts.rows} ${which} rows contain empty or infinite numbers; the first is row ${first}.`,
    normal: "0 rows: every input and every target is a finite number.",
    why: "One such number makes the cost and with it every weight NaN, and nothing is learnt from there on.",
    change: changeTo(
      `Leave the ${counted(rows, "row")} out, or fill the cells.`,
      "const whole = rows.filter((row) => row.every(Number.isFinite))",
      { kind: "inputs", how: "drop" },
      "--missing drop",
    ),
    expect: { text: "The cost is a finite number after every epoch.", measure: "finite", within: 1 },
  }
}

/** What is wrong with the size of inputs, in words, if something is. */
function sizeFault(data: DataFacts): string | undefined {
  const sizes = rmsOf(data)
  const varying = sizes.filter((_, i) => data.deviations[i]! > NONE)
  if (varying.length === 0) return undefined
  const largest = Math.max(...sizes)
  const at = sizes.indexOf(largest)
  if (largest > LARGE)
    return `Your inputs run from ${shown(data.least)} to ${shown(data.greatest)}; feature ${at} is usually ${shown(largest)} in size.`
  const usual = medianOf(varying)
  if (!data.sameScale && largest > NOTABLE && largest > UNEVEN * usual)
    return `Feature ${at} is usually ${shown(largest)} in size, most are ${shown(usual)}: ${shown(largest / usual)} times as large.`
  const off = data.means.findIndex(
    (mean, i) =>
      Math.abs(mean) > OFF_CENTRE && data.deviations[i]! > NONE && Math.abs(mean) > OFF_CENTRE * data.deviations[i]!,
  )
  if (off >= 0)
    return `Feature ${off} lies at ${shown(data.means[off]!)} and varies by ${shown(data.deviations[off]!)} only.`
  const row = Math.sqrt((sizes.reduce((sum, size) => sum + size * size, 0) * data.features) / sizes.length)
  if (row < TINY_ROW) return `Your inputs are tiny: the largest feature is usually ${shown(largest)} in size.`
  return undefined
}

/**
 * Whether inputs are shares of one greatest number, as brightness is: all on one scale that begins near 0. What lies far from 0 beside its
 * deviation still does when it is divided.
 */
const beginsAtZero = ({ sameScale, least, greatest }: DataFacts): boolean =>
  sameScale && least >= 0 && least < NEAR_ZERO * greatest && greatest > 1 && greatest <= BYTE

function notNormalised({ data, network }: Evidence): Found | undefined {
  if (data === undefined || network.layers.slice(0, 2).some(({ type }) => PREPARING.test(type))) return undefined
  const saw = sizeFault(data)
  if (saw === undefined) return undefined
  const by = data.greatest > BYTE / 2 ? BYTE : data.greatest
  const change = beginsAtZero(data)
    ? changeTo(
        `Divide the inputs by ${shown(by)}.`,
        `const x = inputs.map((v) => v / ${shown(by)})`,
        { kind: "inputs", how: "divide", by },
        "--scaling minMax",
      )
    : standardizeInputs
  const from = ignorantLoss({ data, network } as Evidence)
  return {
    score: 90,
    saw,
    normal: "Each feature has a mean near 0 and a size of 0.3 to 3; pixels lie in 0..1.",
    why: "Neurons work best around 0 +- 1: larger inputs saturate them or make one learning rate wrong for all weights.",
    change,
    expect: expectLoss(from ?? 1, "The cost falls below that of always guessing the mean within 3 epochs."),
  }
}

function constantRows({ data }: Evidence): Found | undefined {
  if (data === undefined || data.rows < 2) return undefined
  const { targets } = data
  const change = changeTo("Look at how the rows are loaded.", "console.log(x.slice(0, 5), y.slice(0, 5))", {
    kind: "look",
  })
  const rest = {
    score: 99,
    why: "A network learns what changes with what; where nothing changes there is no slope to go down.",
    change,
    expect: expectLoss(ignorantLoss({ data } as Evidence) ?? 1, "Once rows differ, the cost falls within 3 epochs."),
  }
  const constant = data.deviations.filter((d) => d < NONE).length
  if (constant === data.deviations.length)
    return {
      ...rest,
      saw: `All ${data.rows} rows have the same inputs: the deviation of each feature is 0.`,
      normal: "Rows differ: deviations near 1.",
    }
  const one = targets.classes !== undefined && targets.classes.filter((n) => n > 0).length === 1
  if (
    one ||
    (targets.shape.reduce((a, b) => a * b, 1) <= 1 && targets.deviation < NONE * Math.max(1, Math.abs(targets.mean)))
  )
    return {
      ...rest,
      saw: `All ${data.rows} rows have the same target${one ? "" : ` ${shown(targets.mean)}`}.`,
      normal: "Targets differ: at least 2 classes, or a deviation above 0.",
    }
  if (constant === 0 || data.sameScale) return undefined
  return {
    ...rest,
    kind: "tip",
    score: 20,
    saw: `${counted(constant, "feature is", "features are")} the same in all rows.`,
    normal: "0 features: each varies.",
    change: changeTo(
      "Leave constant features out, or look at how they are loaded.",
      "console.log(x.slice(0, 5))",
      { kind: "look" },
      "--ignore <columns>",
    ),
  }
}

/** Whether numbers are only ever the least or the greatest: exactly then their variance is the largest possible. */
const isTwoValued = ({ least, greatest, mean, deviation }: TargetFacts): boolean =>
  least < greatest &&
  Math.abs(deviation * deviation - (mean - least) * (greatest - mean)) < 1e-3 * (greatest - least) * (greatest - least)

function labelCode({ data, network }: Evidence): Found | undefined {
  if (data === undefined) return undefined
  const { targets, rows } = data
  const { units, loss, activation } = network.output
  const width = targets.shape.reduce((a, b) => a * b, 1)
  const rest = {
    score: 97,
    why: "The cost compares each output neuron with its own target: a label in another code asks for what no neuron can answer.",
    expect: expectLoss(
      targets.baseline ?? Math.log(Math.max(2, units)),
      "The cost falls below that of guessing, and accuracy rises, within 3 epochs.",
    ),
  }
  const oneHot = changeTo(
    `Write each label as ${units} columns, one of them 1.`,
    `const y = toCategorical(labels, ${units})`,
    { kind: "targets", how: "oneHot" },
  )
  const zeroOne = changeTo(
    "Write the two answers as 0 and 1.",
    `const y = labels.map((v) => Number(v > ${shown((targets.least + targets.greatest) / 2)}))`,
    {
      kind: "targets",
      how: "zeroOne",
    },
  )
  if (/^sparse/.test(loss)) {
    const most = targets.greatest
    if (width > 1 && width === units)
      return {
        ...rest,
        saw: `Your targets have ${width} columns, and ${loss} wants the number of the class.`,
        normal: `One whole number from 0 to ${units - 1} for each row.`,
        change: changeTo("Use the loss for one-hot targets.", 'loss: "categoricalCrossentropy"', {
          kind: "output",
          activation,
          loss: "categoricalCrossentropy",
        }),
      }
    if (targets.whole && targets.least >= 0 && most < units) return undefined
    return {
      ...rest,
      saw: `Your labels run from ${shown(targets.least)} to ${shown(most)}${targets.whole ? "" : " and are not whole"}; there are ${units} output neurons.`,
      normal: `Whole numbers from 0 to ${units - 1}.`,
      change:
        targets.whole && targets.least >= 0
          ? changeTo(`Give the output ${most + 1} neurons, or count labels from 0.`, `dense({ units: ${most + 1}, activation: "softmax" })`, {
              kind: "output", activation: "softmax", loss, units: most + 1,
            })
          : changeTo("Look at how the labels are loaded.", "console.log(y.slice(0, 5))", { kind: "look" }),
    } // biome-ignore format: short
  }
  const forClasses = loss === "categoricalCrossentropy" || activation === "softmax"
  if (units > 1 && width <= 1 && (forClasses || (loss === "binaryCrossentropy" && targets.whole)) && targets.whole)
    return {
      ...rest,
      saw: `Your labels are numbers from ${shown(targets.least)} to ${shown(targets.greatest)}; there are ${units} output neurons.`,
      normal: `${units} columns of 0 and 1 for each row, which sum to 1.`,
      change: oneHot,
    }
  if (units > 1 && width > 1 && width !== units && forClasses)
    return {
      ...rest,
      saw: `Your targets have ${width} columns, and there are ${units} output neurons.`,
      normal: "As many output neurons as columns.",
      change: changeTo(`Give the output ${width} neurons.`, `dense({ units: ${width}, activation: "softmax" })`, {
        kind: "output", activation: "softmax", loss, units: width,
      }),
    } // biome-ignore format: short
  if (loss === "categoricalCrossentropy" && width > 1 && targets.notOne > WRONG * rows)
    return {
      ...rest,
      saw: `In ${targets.notOne} of ${rows} rows the target columns do not sum to 1.`,
      normal: "0 rows: the columns of each row lie in 0..1 and sum to 1.",
      change: oneHot,
    }
  if (/^binary/.test(loss) && (targets.least < 0 || targets.greatest > 1)) {
    // More than two values under one neuron are several classes: that is a fault of the output.
    if (units === 1 && !isTwoValued(targets)) return undefined
    return {
      ...rest,
      saw: `Your targets run from ${shown(targets.least)} to ${shown(targets.greatest)}.`,
      normal: "0 and 1 (or shares between them).",
      change: zeroOne,
    }
  }
  return undefined
}

function sorted({ data, training }: Evidence): Found | undefined {
  const { alike, chance } = data?.targets.neighbours ?? { alike: 0, chance: 1 }
  if (data === undefined || training.shuffle || training.rounds <= 1) return undefined
  if (alike < SORTED || alike - chance < BEYOND_CHANCE) return undefined
  return {
    score: 92,
    saw: `Rows are not shuffled, and ${percent(alike)} of them follow a row of their own class.`,
    normal: `About ${percent(chance)}: what chance gives.`,
    why: "Each mini-batch then shows one class only, and stochastic gradient descent learns it by forgetting the one before.",
    change: changeTo("Shuffle the rows in each epoch.", "fit(x, y, { shuffle: true })", { kind: "shuffle" }),
    expect: expectLoss(
      0.7 * (data.targets.baseline ?? 1),
      "The cost falls from epoch to epoch, without jumps within one.",
      5,
    ),
  }
}

/** Facts of classes that are very unlike in size. */
function rareClass({
  data,
}: Evidence): { readonly at: number; readonly ratio: number; readonly rows: number } | undefined {
  const counts = data?.targets.classes ?? []
  const present = counts.filter((n) => n > 0)
  if (present.length < 2) return undefined
  const rows = Math.min(...present)
  const ratio = Math.max(...present) / rows
  return ratio < RARE ? undefined : { at: counts.indexOf(rows), ratio, rows }
}

/**
 * The share of the rarer of two classes that is found, where it was not counted: what accuracy has beyond always saying the larger one is
 * made of rare rows that are found, less others that are taken for rare.
 */
function recallOfTwo(evidence: Evidence, reached: number | undefined): number | undefined {
  const majority = majorityOf(evidence)
  const two = evidence.data?.targets.classes?.filter((n) => n > 0).length === 2
  if (!two || reached === undefined || majority === undefined || majority >= 1) return undefined
  return Math.max(0, (reached - majority) / (1 - majority))
}

function imbalance(evidence: Evidence): Found | undefined {
  const rare = rareClass(evidence)
  const { data, training, epochs, ended } = evidence
  if (rare === undefined || data === undefined || training.classWeights) return undefined
  const half = ended !== undefined || epochs.length * 2 >= training.epochs
  const { recall } = epochs.findLast((epoch) => epoch.recall !== undefined) ?? {}
  const { accuracy, valAccuracy } = lastEpoch(evidence) ?? {}
  const reached = valAccuracy ?? accuracy
  const found = recall?.[rare.at] ?? recallOfTwo(evidence, reached)
  // Where accuracy is below that of always saying the largest class, something else is wrong.
  const harms =
    half &&
    found !== undefined &&
    found <= FOUND_TOO_FEW &&
    (reached === undefined || reached > majorityOf(evidence)! - AS_GOOD)
  const change = changeTo(
    `Let rare rows count more: class ${rare.at} ${shown(rare.ratio)} times.`,
    `fit(x, y, { classWeight: { ${rare.at}: ${shown(rare.ratio)} } })`,
    { kind: "classWeights" },
    "--class-weights balanced",
  )
  return {
    kind: harms ? "fault" : "tip",
    score: harms ? 75 : 20,
    saw: harms
      ? `${reached === undefined ? "" : `${percent(reached)} accuracy, but `}only ${percent(found)} of class ${rare.at} is found; it has ${rare.rows} of ${data.rows} rows.`
      : `Class ${rare.at} has ${rare.rows} of ${data.rows} rows: ${shown(rare.ratio)} times fewer than the largest.`,
    normal: `Classes within ${RARE} times of each other, and at least ${percent(FOUND_TOO_FEW)} found of each.`,
    why: "The cost is a mean over rows: a rare class hardly moves it, so it pays to never answer with it.",
    change,
    expect: {
      text: `More of class ${rare.at} is found.`,
      measure: "recall",
      within: Math.max(3, training.epochs),
      above: FOUND_TOO_FEW,
    },
  }
}

function unlike(evidence: Evidence): Found | undefined {
  const { data, validation, epochs } = evidence
  if (data === undefined || validation === undefined) return undefined
  const change = changeTo("Shuffle all rows before they are divided, and scale both parts alike.", "fit(x, y, { validationSplit: 0.2 })", {
    kind: "divide", why: "unlike",
  }, "--split random") // biome-ignore format: short
  const rest = {
    why: "Validation cost tells how well the network generalises only if its rows are drawn as the training rows are.",
    change,
    expect: { text: "Validation cost follows training cost.", measure: "gap", within: 5, below: 0.3 } as const,
  }
  if (Math.min(data.rows, validation.rows) >= ROWS_FOR_MEAN && data.means.length === validation.means.length) {
    const apart = data.means.map((mean, i) => {
      const spread = Math.sqrt((data.deviations[i]! ** 2 + validation.deviations[i]! ** 2) / 2)
      return spread < NONE ? 0 : Math.abs(validation.means[i]! - mean) / spread
    })
    const most = Math.max(...apart)
    const at = apart.indexOf(most)
    if (most > UNLIKE)
      return {
        ...rest,
        score: 85,
        saw: `Feature ${at} has mean ${shown(data.means[at]!)} in training and ${shown(validation.means[at]!)} in validation: ${shown(most)} deviations apart.`,
        normal: `Means within ${UNLIKE} deviation of each other; chance gives 0 to 0.3.`,
      }
  }
  const last = lastEpoch(evidence)
  const [trained, valid] = [gainOf(evidence, last?.loss), gainOf(evidence, last?.valLoss)]
  const never = epochs.every((epoch) => (gainOf(evidence, epoch.valLoss) ?? 1) <= 0)
  if (trained === undefined || valid === undefined || !never || trained < MUCH_LEARNT || epochs.length < 2)
    return undefined
  if (validation.rows < ROWS_FOR_COST || epochs.length > SOON) return undefined
  return {
    ...rest,
    score: 60,
    saw: `After ${counted(epochs.length, "epoch")} ${percent(trained)} of the training cost is gone, and validation never beat guessing.`,
    normal: "Both fall together at first.",
  }
}

function shared({ shared: both, data, validation }: Evidence): Found | undefined {
  if (both === undefined || data === undefined || validation === undefined || validation.rows === 0) return undefined
  const share = both / validation.rows
  if (both < SHARED_ROWS || share < SHARED + 2 * (data.duplicates / Math.max(1, data.rows))) return undefined
  return {
    score: 70,
    saw: `${both} of ${validation.rows} validation rows (${percent(share)}) are training rows, too.`,
    normal: "0 rows in both; a few where a table repeats itself.",
    why: "What the network has seen it may know by heart, so its score on these rows says nothing of new ones.",
    change: changeTo(
      "Divide the rows again, each into one part.",
      "fit(x, y, { validationSplit: 0.2 })",
      { kind: "divide", why: "shared" },
      "--validation 0.2",
    ),
    expect: {
      text: "No row is in both parts; validation cost is a little higher than now, and true.",
      measure: "shared",
      within: 1,
      below: SHARED,
    },
  }
}

/** Layers that only a training has: they make its rows harder than those that validate. */
const HARDER = /dropout|noise|^random/i

/** Validation that is better than training, where nothing makes training harder: it may know its rows, or they are easier ones. */
function tooGood(evidence: Evidence): Found | undefined {
  const { network, validation, shared: both = 0 } = evidence
  const { accuracy, valAccuracy } = lastEpoch(evidence) ?? {}
  if (accuracy === undefined || valAccuracy === undefined || validation === undefined) return undefined
  if (evidence.epochs.length < EPOCHS_TO_COMPARE) return undefined
  if (network.layers.some(({ type }) => HARDER.test(type))) return undefined
  const chance = 2 * Math.sqrt((valAccuracy * (1 - valAccuracy)) / validation.rows)
  if (valAccuracy - accuracy <= TOO_GOOD + chance) return undefined
  return {
    kind: "tip",
    score: 30,
    saw: `Validation ends at ${percent(valAccuracy)} of its rows, training at ${percent(accuracy)}.`,
    normal: "Validation a little worse than training, or as good.",
    why: "New rows are harder than known ones: where they are not, they may be known, or easier than those to come.",
    change: changeTo(
      both > 0 ? "Divide the rows again, each into one part." : "Shuffle all rows before they are divided.",
      "fit(x, y, { validationSplit: 0.2 })",
      { kind: "divide", why: both > 0 ? "shared" : "unlike" },
      "--split random",
    ),
    expect: { text: "Validation is no better than training.", measure: "gap", within: 5, above: 0 },
  }
}

function targetScale({ data, network }: Evidence): Found | undefined {
  const { activation, loss } = network.output
  if (data === undefined || network.task !== "numbers" || activation !== "linear") return undefined
  if (!/^(mean(Squared|Absolute)Error|huber|logCosh)$/.test(loss)) return undefined
  const { mean, deviation, shape } = data.targets
  // Of several columns the deviation is one of all numbers: it says nothing of each.
  const [least, most] = TARGETS
  const far = Math.abs(mean) > most && Math.abs(mean) > OFF_CENTRE * deviation && shape.reduce((a, b) => a * b, 1) <= 1
  if (!(deviation > most || (deviation < least && deviation > NONE) || far)) return undefined
  return {
    score: 88,
    saw: `Your targets vary by ${shown(deviation)} around ${shown(mean)}.`,
    normal: `A deviation of ${least} to ${most}, best 1, around 0.`,
    why: "Weights begin near 0 and so do outputs: far targets make huge slopes, near ones make slopes too small to follow.",
    change: standardizeTargets(data.targets),
    expect: expectLoss(0.9, "The cost begins near 1 and falls below 0.9 within 3 epochs."),
  }
}

export const dataRules: readonly Rule[] = [
  { code: "F01", cause: "empty or infinite numbers in the data", class: "data", when: "static", find: nonFinite },
  { code: "F03", cause: "data without variation", class: "data", when: "static", find: constantRows },
  {
    code: "F13",
    cause: "labels in a code that the loss does not take",
    class: "data",
    when: "static",
    find: labelCode,
  },
  { code: "F19", cause: "rows in order of their classes", class: "data", when: "static", find: sorted },
  { code: "F02", cause: "inputs not normalised", class: "data", when: "static", find: notNormalised },
  { code: "F29", cause: "scale of the targets", class: "data", when: "static", find: targetScale },
  { code: "F26", cause: "validation rows unlike training rows", class: "generalisation", when: "static", find: unlike },
  {
    code: "F28",
    cause: "the same rows in training and validation",
    class: "generalisation",
    when: "static",
    find: shared,
  },
  { code: "F28", cause: "validation better than training", class: "generalisation", when: "late", find: tooGood },
  { code: "F16", cause: "classes of very different sizes", class: "capacity", when: "static", find: imbalance },
]
