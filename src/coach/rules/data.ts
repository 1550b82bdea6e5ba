// What is wrong with the data before anything is trained: F01, F02, F03, F13, F19, F26, F28, F29.

import type { DataFacts, LayerFacts } from "../evidence.ts"
import { count, falls, few, percent, type Rule } from "../rule.ts"

/** Inputs beyond this size put sums far out on the flat part of an activation; standardised ones stay near 1 (UMLAUT warns beyond 1). */
const LARGE = 10
/** One feature that is so many times larger than the usual one decides alone. */
const UNEVEN = 20
/** A mean so many deviations from 0: the features are nearly the same number in all rows. */
const FAR = 20

const inputs = (code: string): string => `model.fit(${code}, y)`

/** Layers that bring inputs to a common size themselves, or take whole numbers as names. */
const TAKES_ANY = new Set(["embedding", "textVectorization", "normalization", "rescaling", "batchNormalization", "layerNormalization"]) // biome-ignore format: one list

function readsAny(layers: readonly LayerFacts[]): boolean {
  const first = layers.findIndex(({ hasKernel }) => hasKernel)
  return layers.slice(0, first < 0 ? layers.length : first + 1).some(({ type }) => TAKES_ANY.has(lowered(type)))
}

/** Types are written as in Keras or as our functions: BatchNormalization, batchNormalization. */
const lowered = (type: string): string => type.charAt(0).toLowerCase() + type.slice(1)

/** The root of the mean square of each feature that is not the same in all rows. */
function sizes({ means, deviations }: DataFacts): number[] {
  return means.flatMap((mean, i) => {
    const deviation = deviations[i]!
    return deviation > 1e-9 * (1 + Math.abs(mean)) ? [Math.sqrt(mean * mean + deviation * deviation)] : []
  })
}

const nonFinite: Rule = {
  code: "F01",
  cause: "empty or infinite numbers in the data",
  when: "before",
  find: ({ evidence: { data } }) => {
    if (data?.nonFinite === undefined) return undefined
    const { rows, first } = data.nonFinite
    return {
      kind: "fault",
      score: 100,
      saw: `${count(rows)} of your ${count(data.rows)} rows hold empty or infinite numbers, the first is row ${first}.`,
      normal: "Every number of every row is finite.",
      why: "One such number makes the cost, its slope and so every weight meaningless.",
      change: {
        text: `Drop these ${rows === 1 ? "row" : "rows"}, or fill the gaps with the mean of the column.`,
        code: `prepare(table, { missing: "drop" })`,
        flag: "--missing drop",
        edit: { kind: "inputs", how: "drop" },
      },
      expect: { text: "The cost is a number in every round.", measure: "finite", within: 1 },
    }
  },
}

const notNormalised: Rule = {
  code: "F02",
  cause: "inputs not normalised",
  when: "before",
  find: (view) => {
    const { data, network } = view.evidence
    if (data === undefined || data.nonFinite !== undefined || readsAny(network.layers)) return undefined
    const all = sizes(data).sort((a, b) => a - b)
    if (all.length === 0) return undefined
    const greatest = all.at(-1)!
    const middle = all[all.length >> 1]!
    const away = data.means.findIndex((mean, i) => {
      const deviation = data.deviations[i]!
      return deviation > 0 && Math.abs(mean) > FAR * deviation && Math.abs(mean) > 5
    })
    const large = greatest > LARGE
    const uneven = !data.sameScale && all.length > 1 && greatest > UNEVEN * middle
    if (!large && !uneven && away < 0) return undefined
    const pixels = data.sameScale && data.least >= 0 && data.greatest <= 255 && data.greatest > 1
    const saw = large
      ? `Your inputs run from ${few(data.least)} to ${few(data.greatest)}; the largest feature has a size of ${few(greatest)}.`
      : uneven
        ? `One feature has a size of ${few(greatest)}, the usual one of ${few(middle)}.`
        : `Feature ${away} lies around ${few(data.means[away]!)} and varies by ${few(data.deviations[away]!)} only.`
    return {
      kind: "fault",
      score: large ? 90 : 86,
      saw,
      normal: "Inputs around 0 with a size of about 1, all features alike.",
      why: "Large inputs make large sums, and neurons with large sums are saturated: turning their weights changes almost nothing.",
      change: pixels
        ? {
            text: "Divide the pixels by 255.",
            code: inputs('{ ...x, dtype: "unorm8" }'),
            edit: { kind: "inputs", how: "divide", by: 255 },
          }
        : {
            text: "Standardise each feature: subtract its mean, divide by its deviation.",
            code: `prepare(table, { scaling: "standardize" })`,
            flag: "--scaling standardize",
            edit: { kind: "inputs", how: "standardize" },
          },
      expect: falls(view, 3, 0.9),
    }
  },
}

const constant: Rule = {
  code: "F03",
  cause: "dead or constant features",
  when: "before",
  find: ({ evidence: { data, network } }) => {
    if (data === undefined || data.rows < 2) return undefined
    const still = data.deviations.filter((deviation, i) => !(deviation > 1e-9 * (1 + Math.abs(data.means[i]!)))).length
    const look = (text: string) => ({ text, code: "inspect(x, y)", edit: { kind: "look" } as const })
    const common = {
      normal: "Every column differs from row to row.",
      why: "What is the same in all rows tells the network nothing about any of them.",
      expect: { text: "The cost falls below that of a guess.", measure: "loss", within: 5 } as const,
    }
    if (still === data.deviations.length && still > 0) {
      const saw = "Every row looks the same to the network: no input differs from row to row."
      return { kind: "fault", score: 97, saw, ...common, change: look("Check how the data are loaded.") }
    }
    const { targets } = data
    const oneTarget =
      network.task === "numbers" ? targets.deviation === 0 : targets.classes?.filter((n) => n > 0).length === 1
    if (oneTarget === true) {
      const saw = "Every row has the same target."
      return { kind: "fault", score: 95, saw, ...common, change: look("Check which column is the target.") }
    }
    if (still === 0 || data.sameScale) return undefined
    const saw = `${count(still)} of ${count(data.deviations.length)} features are the same in all rows.`
    return { kind: "tip", score: 20, saw, ...common, change: look("Leave these columns out.") }
  },
}

const labels: Rule = {
  code: "F13",
  cause: "labels in the wrong code",
  when: "before",
  find: ({ evidence: { data, network } }) => {
    const { loss, units, fromLogits } = network.output
    if (data === undefined || data.nonFinite !== undefined) return undefined
    const { targets, rows } = data
    const kind = lowered(loss)
    const single = targets.shape.length === 0 || (targets.shape.length === 1 && targets.shape[0] === 1)
    const range = `${few(targets.least)} to ${few(targets.greatest)}`
    const common = {
      kind: "fault",
      score: 98,
      why: "The cost compares each output neuron with its own label; labels in another code teach the wrong answer.",
      expect: { text: "The cost falls below that of a guess.", measure: "loss", within: 5 },
    } as const
    const hot = {
      text: `Make ${units} columns of 0 and 1 of the labels.`,
      code: `model.fit(x, toCategorical(y, { numClasses: ${units} }))`,
      edit: { kind: "targets", how: "oneHot" } as const,
    }
    if (kind === "categoricalCrossentropy" && units > 1) {
      if (single) {
        const saw = `Your labels are numbers from ${range}, one for each row.`
        const normal = `${units} numbers for each row: 1 for its class, 0 for the others.`
        return { ...common, saw, normal, change: hot }
      }
      if (targets.notOne > rows / 100) {
        const saw = `The labels of ${count(targets.notOne)} of ${count(rows)} rows do not sum to 1.`
        return { ...common, saw, normal: "In every row the labels are shares that sum to 1.", change: hot }
      }
      return undefined
    }
    if (kind === "sparseCategoricalCrossentropy") {
      if (targets.whole && targets.least >= 0 && targets.greatest < units) return undefined
      const saw = `Your labels run from ${range}; the network has ${units} output neurons.`
      const fits = Math.floor(targets.greatest) + 1
      return {
        ...common,
        saw,
        normal: `Whole numbers from 0 to ${units - 1}.`,
        change:
          targets.whole && targets.least >= 0
            ? {
                text: `Give the output layer ${fits} neurons, one for each class.`,
                code: `dense({ units: ${fits}, activation: "softmax" })`,
                edit: { kind: "output", activation: "softmax", loss, units: fits },
              }
            : {
                text: "Number the classes from 0.",
                code: "y.map((label) => classes.indexOf(label))",
                edit: { kind: "look" },
              },
      }
    }
    if (kind === "binaryCrossentropy" && (units === 1 || !single)) {
      // Three or more classes on one neuron are another fault: of the output.
      const several = single && targets.whole && (targets.classes?.filter((n) => n > 0).length ?? 2) > 2
      if ((targets.least >= 0 && targets.greatest <= 1) || several) return undefined
      return {
        ...common,
        saw: `Your labels run from ${range}.`,
        normal: "0 for no and 1 for yes.",
        change: {
          text: "Write 0 and 1 for the two classes.",
          code: `model.fit(x, y.map((label) => (label === ${few(targets.greatest)} ? 1 : 0)))`,
          edit: { kind: "targets", how: "zeroOne" },
        },
      }
    }
    if (["hinge", "squaredHinge"].includes(kind) || fromLogits) return undefined
    return undefined
  },
}

const sorted: Rule = {
  code: "F19",
  cause: "rows not shuffled",
  when: "before",
  find: ({ evidence: { data, training } }) => {
    const neighbours = data?.targets.neighbours
    // One batch that holds all rows has no order.
    if (training.shuffle || neighbours === undefined || training.rounds <= 1) return undefined
    if (neighbours.alike <= 0.9 || neighbours.chance > 0.8) return undefined
    return {
      kind: "fault",
      score: 94,
      saw: `${percent(neighbours.alike)} of the rows have the class of the row before, and their order is kept.`,
      normal: `About ${percent(neighbours.chance)}, as chance has it.`,
      why: "You show all rows of one class, then all of the next: each mini-batch pulls the weights its own way and undoes the last.",
      change: {
        text: "Shuffle the rows in every epoch.",
        code: "model.fit(x, y, { shuffle: true })",
        edit: { kind: "shuffle" },
      },
      expect: { text: "The cost falls from epoch to epoch.", measure: "loss", within: 3 },
    }
  },
}

/** Validation rows whose mean is so many deviations from that of training come from elsewhere. */
const SHIFTED = 1

const shifted: Rule = {
  code: "F26",
  cause: "validation data unlike the training data",
  when: "before",
  find: ({ evidence: { data, validation } }) => {
    if (data === undefined || validation === undefined || validation.rows < 20 || data.rows < 20) return undefined
    if (data.features !== validation.features || data.means.length !== validation.means.length) return undefined
    let [worst, at] = [0, -1]
    let [sum, n] = [0, 0]
    data.means.forEach((mean, i) => {
      const deviation = data.deviations[i]!
      if (!(deviation > 1e-6)) return
      const by = Math.abs(validation.means[i]! - mean) / deviation
      sum += by
      n++
      if (by > worst) [worst, at] = [by, i]
    })
    // Of many features some are shifted by chance; of a picture, pixels that are nearly always black.
    const usual = n === 0 ? 0 : sum / n
    if (data.sameScale && n > 20 ? usual <= SHIFTED / 2 : worst <= SHIFTED * (n > 20 ? 3 : 1)) return undefined
    return {
      kind: "fault",
      score: 84,
      saw: `In the validation rows feature ${at} lies ${few(worst)} deviations away from where it lies in the training rows.`,
      normal: `Less than ${SHIFTED}: both are drawn from the same rows.`,
      why: "What is measured on rows of another kind says nothing about what was learnt.",
      change: {
        text: "Shuffle all rows before they are divided, and scale both parts by the training rows.",
        code: "model.fit(x, y, { validationSplit: 0.2 })",
        flag: "--validation 0.2",
        edit: { kind: "divide", why: "unlike" },
      },
      expect: { text: "The validation cost follows the training cost.", measure: "gap", within: 5, below: 0.5 },
    }
  },
}

const shared: Rule = {
  code: "F28",
  cause: "validation rows that were trained on",
  when: "before",
  find: ({ evidence: { validation, shared: rows = 0, data } }) => {
    if (validation === undefined || rows <= validation.rows / 100 || (data?.features ?? 0) < 3) return undefined
    return {
      kind: "tip",
      score: 30,
      saw: `${count(rows)} of ${count(validation.rows)} validation rows are training rows too.`,
      normal: "None, or as few as chance repeats.",
      why: "A network can know such rows by heart: the validation cost looks better than it is.",
      change: {
        text: "Remove repeated rows before the rows are divided.",
        code: "new Set(rows.map(String))",
        edit: { kind: "divide", why: "shared" },
      },
      expect: { text: "The validation cost is a little higher, and true.", measure: "gap", within: 5 },
    }
  },
}

/** Targets whose deviation leaves this range ask for weights that small steps do not reach, or give slopes too small to see. */
const TARGETS = [0.03, 30] as const

const targetScale: Rule = {
  code: "F29",
  cause: "scale of the targets",
  when: "before",
  find: ({ evidence: { data, network } }) => {
    if (data === undefined || network.task !== "numbers" || data.nonFinite !== undefined) return undefined
    const { deviation, least, greatest } = data.targets
    if (deviation === 0 || (deviation >= TARGETS[0] && deviation <= TARGETS[1])) return undefined
    return {
      kind: "fault",
      score: 85,
      saw: `The targets run from ${few(least)} to ${few(greatest)} (deviation ${few(deviation)}).`,
      normal: `A deviation of about 1, from ${TARGETS[0]} to ${TARGETS[1]}.`,
      why: "The quadratic cost grows with the square of the error: its slope is far too steep or far too flat for the usual step.",
      change: {
        text: "Standardise the targets: subtract their mean, divide by their deviation.",
        code: `model.fit(x, y.map((t) => (t - ${few((least + greatest) / 2)}) / ${few(deviation)}))`,
        flag: "--scaling standardize",
        edit: { kind: "targets", how: "standardize" },
      },
      expect: { text: "The cost begins near 1 and falls.", measure: "loss", within: 3, below: 1 },
    }
  },
}

export const dataRules: readonly Rule[] = [
  nonFinite,
  labels,
  constant,
  sorted,
  notNormalised,
  targetScale,
  shifted,
  shared,
]
