// Evidence for the coach's rules, as plain data: a healthy training, and changes of it, each with the fault that it must bring or none.
import type { EpochFacts, Evidence, LayerFacts, LayerLook, TrainingFacts } from "../src/coach/evidence.ts"
import type { Edit, FaultCode } from "../src/coach/finding.ts"

export const layer = (
  name: string,
  units: number,
  fanIn: number,
  activation: string,
  isOutput = false,
): LayerFacts => ({
  ...{
    name,
    type: "dense",
    hasKernel: true,
    isOutput,
    units,
    parameters: units * (fanIn + 1),
    activation,
    fanIn,
    fanOut: units,
  },
})

export const epoch = (n: number, loss: number, valLoss: number, more: Partial<EpochFacts> = {}): EpochFacts => ({
  ...{ epoch: n, loss, valLoss, learningRate: 0.1, rounds: 20, kernels: [], seconds: 1, coachSeconds: 0 },
  ...more,
})

/** How a kernel moves: a step as a share of the weights, and how far steps agree beyond what chance gives. */
export const moved = (share: number, agree: number, clipped?: number): EpochFacts["kernels"] => [
  {
    layer: "a",
    name: "kernel",
    watched: 20,
    gradientSquare: 1,
    meanGradientSquare: (1 + 19 * agree) / 20,
    length: 1,
    step: share,
    way: share,
    ...(clipped === undefined ? {} : { clipped }),
  },
]

/** The loss of always guessing one of three classes alike: ln 3. */
const GUESS = 1.0986

/** Three classes of four standardised features. */
export const healthy: Evidence = {
  network: {
    layers: [layer("a", 16, 4, "relu"), layer("out", 3, 16, "softmax", true)],
    output: { layer: "out", units: 3, activation: "softmax", loss: "categoricalCrossentropy", fromLogits: false },
    task: "classes",
    parameters: 131,
  },
  training: {
    ...{ optimizer: "sgd", learningRate: 0.1, scheduled: false, momentum: 0, batchSize: 32, epochs: 20, rounds: 20 },
    ...{ shuffle: true, classWeights: false, earlyStopping: false },
  },
  data: {
    ...{ rows: 640, features: 4, shape: [4], sameScale: true, means: [0, 0, 0, 0], deviations: [1, 1, 1, 1] },
    ...{ least: -3, greatest: 3, duplicates: 0 },
    targets: {
      ...{ shape: [3], least: 0, greatest: 1, mean: 1 / 3, deviation: 0.47, whole: true, notOne: 0 },
      ...{ classes: [213, 213, 214], neighbours: { alike: 0.33, chance: 0.33 }, baseline: GUESS },
    },
  },
  epochs: [],
}

type Deep<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [K in keyof T]?: Deep<T[K]> } : T

/** Evidence with changes; lists take the place of lists. */
export function changed<T>(base: T, change: unknown): T {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change as T
  const out: Record<string, unknown> = { ...(base as Record<string, unknown>) }
  for (const [key, value] of Object.entries(change)) out[key] = changed(out[key], value)
  return out as T
}

const of = (...changes: readonly Deep<Evidence>[]): Evidence => changes.reduce<Evidence>(changed, healthy)

/** The loss at which such a part of the task is learnt. */
const at = (skill: number): number => GUESS * (1 - skill)
const flat = (n: number, loss: number): number[] => new Array<number>(n).fill(loss)
/** From one loss to another in equal steps. */
const line = (n: number, from: number, to: number): number[] =>
  Array.from({ length: n }, (_, i) => (i === n - 1 ? to : from + ((to - from) * i) / (n - 1)))
/** Losses that go up and down by such a share. */
const wave = (n: number, loss: number, by: number): number[] =>
  Array.from({ length: n }, (_, i) => loss * (1 + (i % 2 === 0 ? -by : by)))

interface Pace {
  readonly valid?: readonly number[]
  /** A step as a share of the weights, and how far the steps agree. */
  readonly share?: number
  readonly agree?: number
  readonly clipped?: number
  readonly each?: Partial<EpochFacts>
}
/** Epochs with these losses: validation's are the same, steps of usual length that disagree, unless it is said otherwise. */
export const course = (
  losses: readonly number[],
  { valid = losses, share = 0.01, agree = 0.02, clipped, each }: Pace = {},
): EpochFacts[] =>
  losses.map((loss, i) => epoch(i, loss, valid[i]!, { kernels: moved(share, agree, clipped), ...each }))
const epochs = (losses: readonly number[], pace?: Pace): Deep<Evidence> => ({ epochs: course(losses, pace) })
const done = { ended: "completed" } as const
const ahead = (ratio: number, steps = 100): Partial<EpochFacts> => ({
  ahead: { here: 1, at: [{ steps, loss: ratio }] },
})
const atMean = (ratio: number): Partial<EpochFacts> => ({ ahead: { here: 1, at: [], atMean: ratio } })

const output = (change: Deep<Evidence["network"]["output"]>): Deep<Evidence> => ({ network: { output: change } })
const trained = (change: Partial<TrainingFacts>): Deep<Evidence> => ({ training: change })
const targets = (change: Deep<NonNullable<Evidence["data"]>["targets"]>): Deep<Evidence> => ({
  data: { targets: change },
})
const rows = (change: Deep<NonNullable<Evidence["data"]>>): Deep<Evidence> => ({ data: change })
const layers = (...list: readonly LayerFacts[]): Deep<Evidence> => ({ network: { layers: list } })
const validation = (count: number, mean = 0): Deep<Evidence> => ({
  validation: { ...healthy.data!, rows: count, means: [mean, 0, 0, 0] },
})

/** Numbers instead of classes. */
const numbers: Deep<Evidence> = {
  network: {
    ...{ task: "numbers", layers: [layer("a", 16, 4, "relu"), layer("out", 1, 16, "linear", true)] },
    output: { loss: "meanSquaredError", units: 1, activation: "linear" },
  },
  data: {
    targets: { shape: [1], least: -2, greatest: 2, mean: 0, deviation: 1, whole: false, classes: [], baseline: 1 },
  },
}
/** Yes or no instead of classes. */
const yesNo: Deep<Evidence> = {
  network: { task: "binary", output: { loss: "binaryCrossentropy", units: 1, activation: "sigmoid" } },
  data: { targets: { shape: [], mean: 0.5, deviation: 0.5, classes: [320, 320], baseline: 0.6931 } },
}

/** So many hidden layers of 16 neurons. */
const deep = (depth: number, activation: string): Deep<Evidence> =>
  layers(
    ...Array.from({ length: depth }, (_, i) => layer("abcdefgh"[i]!, 16, i === 0 ? 4 : 16, activation)),
    layer("out", 3, 16, "softmax", true),
  )

/** What a layer shows at the start with usual weights. */
const look = (facts: LayerFacts, change: Partial<LayerLook> = {}): LayerLook => ({
  ...{ layer: facts.name, activation: facts.activation, inputDeviation: 1, sumDeviation: 1, mean: 0, deviation: 0.6 },
  ...{ kernelRms: 1.2 / Math.sqrt(facts.fanIn!), kernelDeviation: 1.2 / Math.sqrt(facts.fanIn!), gradientRms: 0.01 },
  ...(facts.activation === "relu" ? { dead: 0 } : { saturated: 0.05 }),
  ...change,
})
type Looks = Readonly<Record<string, Partial<LayerLook>>>
const looks = ({ network }: Evidence, change: Looks): readonly LayerLook[] =>
  network.layers.filter(({ hasKernel }) => hasKernel).map((facts) => look(facts, change[facts.name]))
/** With the look at the untrained network; some layers differ. */
const probed = (evidence: Evidence, change: Looks = {}, saturated = 0.05): Evidence => ({
  ...evidence,
  probe: { rows: 256, loss: 1.1, layers: looks(evidence, change), output: { mean: 0, deviation: 1, saturated } },
})
/** With a later look in every epoch. */
const lookedAt = (evidence: Evidence, change: Looks): Evidence => ({
  ...evidence,
  epochs: evidence.epochs.map((facts) => ({ ...facts, layers: looks(evidence, change) })),
})

/** What must be found: the headline, a tip without a headline, or no fault at all (and not this tip). */
export type Expected = FaultCode | "tip" | undefined
export type Case = readonly [what: string, evidence: Evidence, expected: Expected]

const tanh = of(deep(4, "tanh"))
const linear = of(deep(4, "linear"))
const relu3 = of(deep(3, "relu"))
const stuck = (skill: number): Deep<Evidence> => epochs(flat(3, at(skill)))
const noisy = (ratio: number, loss = at(0.75), by = 0.03): Deep<Evidence> =>
  epochs(wave(12, loss, by), { share: 0.02, each: atMean(ratio) })
const clip = (kind: "value" | "norm" | "globalNorm", limit: number): Deep<Evidence> =>
  trained({ clip: { kind, at: limit } })
const cut = (clipped: number, share = 0.009, skill = 0.5): Deep<Evidence> =>
  epochs(flat(4, at(skill)), { share, clipped })
const one = trained({ batchSize: 640, rounds: 1 })
const few = trained({ batchSize: 4, rounds: 160 })
const disagreeing = (agree: number, skill = 0.55, share = 0.031, n = 11): Deep<Evidence> =>
  epochs(flat(n, at(skill)), { agree, share })
const narrow = (units: number): Deep<Evidence> =>
  layers(layer("a", units, 4, "relu"), layer("out", 3, units, "softmax", true))
const bare = layers(layer("out", 3, 4, "softmax", true))
const resting = (skill: number, pace: Pace = {}): Deep<Evidence> => ({ ...epochs(flat(8, at(skill)), pace), ...done })
const trial = (differs: "halfUnits" | "layerLess" | "seed", valLoss: number, valAccuracy?: number): Deep<Evidence> => ({
  trials: [{ differs, valLoss, ...(valAccuracy === undefined ? {} : { valAccuracy }) }],
})
const dropping = (rate: number): Deep<Evidence> =>
  layers(
    layer("a", 16, 4, "relu"),
    { ...layer("d", 16, 16, "linear"), type: "dropout", hasKernel: false, dropout: rate },
    layer("out", 3, 16, "softmax", true),
  )
const penalised = (l2: number, gradientRms = 0.3): Evidence =>
  probed(of(layers({ ...layer("a", 16, 4, "relu"), l2 }, layer("out", 3, 16, "softmax", true))), {
    a: { kernelRms: 0.5, gradientRms },
  })
const classes = (...counts: number[]): Deep<Evidence> => targets({ classes: counts })
const norm: LayerFacts = { ...layer("n", 4, 4, "linear"), type: "batchNormalization", hasKernel: false }
/** Ten epochs to the best validation cost, some more in which training goes on and validation turns; the last three are alike. */
const turning = (valid: number, trainedTo = 0.2, best = 0.3, after = 4): Deep<Evidence> => {
  const then = (from: number, to: number): number[] => [...line(10, 1, from), ...line(after - 1, from, to), to, to]
  return epochs(then(0.3, trainedTo), { valid: then(best, valid) })
}
/** The same, with an epoch in which validation was so many times its best so far and came back. */
const jumping = (times: number): Deep<Evidence> => {
  const { epochs: all = [] } = turning(0.393) as { epochs: EpochFacts[] }
  return {
    epochs: all.map((facts, i) => (i === 5 ? { ...facts, valLoss: times * (all[4]!.valLoss as number) } : facts)),
  }
}
/** The same, but that validation comes down to its best for one of the last three epochs. */
const bouncing: Deep<Evidence> = {
  epochs: (turning(0.393) as { epochs: EpochFacts[] }).epochs.map((facts, i) =>
    i === 12 ? { ...facts, valLoss: 0.31 } : facts,
  ),
}
/** Training learns, validation does not; the last two epochs are alike. */
const memorised = (n: number, skill: number, valid = 1.12, each: Partial<EpochFacts> = {}): Deep<Evidence> =>
  epochs([...line(n - 1, GUESS, at(skill)), at(skill)], { valid: flat(n, valid), each })
const growing = (gain: number, skill: number, pace: Pace = {}): Deep<Evidence> => ({
  ...epochs([...line(7, 1, at(skill) + gain * GUESS), at(skill) + (gain * GUESS) / 2, at(skill)], pace),
  ...done,
})
/** Six epochs, in the last two of which gradients are so many times as long. */
const bursting = (times: number, skill = 0.5): Deep<Evidence> => ({
  epochs: course(flat(6, at(skill))).map((facts, i) => ({
    ...facts,
    kernels: facts.kernels.map((kernel) => ({ ...kernel, gradientSquare: i < 4 ? 1 : times * times })),
  })),
})
/** Training and validation fall by so much of guessing in each epoch. */
const both = (n: number, by: number): Deep<Evidence> =>
  epochs(flat(n, 0).map((_, i) => at(by * i)), { valid: flat(n, 0).map((_, i) => at(by * i)) }) // biome-ignore format: short
/** Four epochs after which so many rows of training and of validation are found. */
const found = (accuracy: number, valAccuracy: number): Deep<Evidence> =>
  epochs(flat(4, at(0.9)), { each: { accuracy, valAccuracy } })
const spread = (...deviations: number[]): Deep<Evidence> => rows({ deviations, sameScale: false })

const small = { kernelRms: 0.099 / 4, deviation: 0.1 }
const smallTanh: Looks = { a: { ...small, gradientRms: 1e-5 }, b: small, c: small, d: small }

/** The change that is proposed, as data. */
export const edits: readonly (readonly [what: string, evidence: Evidence, edit: Edit])[] = [
  ["a tenth of the rate for steps of 6 %", of(epochs(flat(3, at(0.5)), { share: 0.061 })), { kind: "learningRate", to: 0.01 }],
  ["a thousandth at most", of(epochs(flat(3, at(0.5)), { share: 1e4 })), { kind: "learningRate", to: 1e-4 }],
  ["a thousand times the rate for steps of a thousandth", of(trained({ learningRate: 1e-4 }), epochs(flat(4, at(0.5)), { share: 1e-5, agree: 0.5 })), { kind: "learningRate", to: 0.1 }],
  ["but not beyond 0.1", of(trained({ learningRate: 1e-3 }), epochs(flat(4, at(0.5)), { share: 1e-5, agree: 0.5 })), { kind: "learningRate", to: 0.1 }],
  ["with adam not beyond 0.01", of(trained({ optimizer: "adam", learningRate: 1e-4 }), epochs(flat(4, at(0.5)), { share: 1e-5, agree: 0.5 })), { kind: "learningRate", to: 0.01 }],
  ["a limit with some room", of(clip("norm", 0.05), cut(1)), { kind: "clip", to: 1 }],
  ["a limit of three usual numbers", of(clip("value", 0.05), cut(1)), { kind: "clip", to: 0.4 }],
  ["batches of 32 for large ones", of(one, epochs(flat(3, at(0.3)), { agree: 0.51 })), { kind: "batchSize", to: 32 }],
  ["batches of 32 for small ones", of(few, trained({ epochs: 25 }), disagreeing(0.019, 0.55, 0.031, 14)), { kind: "batchSize", to: 32 }],
  ["a tenth of the rate where they would leave 480 steps", of(few, trained({ epochs: 24 }), disagreeing(0.019, 0.55, 0.031, 13)), { kind: "learningRate", to: 0.01 }],
  ["a tenth of the rate where first steps are 101 %", probed(of(epochs(flat(3, at(0.5)), { share: 1e4 })), { out: { gradientRms: 2.9 } }), { kind: "learningRate", to: 0.01 }],
  ["a hundredth where they are 103 %", probed(of(epochs(flat(3, at(0.5)), { share: 1e4 })), { out: { gradientRms: 3.1 } }), { kind: "learningRate", to: 1e-3 }],
  ["a thousand times the rate where first steps are then 9.9 %", probed(of(trained({ learningRate: 1e-4 })), { out: { gradientRms: 0.297 } }), { kind: "learningRate", to: 0.1 }],
  ["a hundred times where they would be 10.1 %", probed(of(trained({ learningRate: 1e-4 })), { out: { gradientRms: 0.303 } }), { kind: "learningRate", to: 0.01 }],
  ["a thousand times 0.0003, which is usual still", probed(of(trained({ learningRate: 3e-4 }))), { kind: "learningRate", to: 0.3 }],
  ["a hundred times 0.00033", probed(of(trained({ learningRate: 3.3e-4 }))), { kind: "learningRate", to: 0.033 }],
  ["smaller weights where large ones saturate", probed(tanh, { b: { saturated: 0.6, kernelRms: 2.1 / 4 } }), { kind: "initializer", to: "glorotUniform" }],
  ["smaller inputs where weights are usual", probed(tanh, { b: { saturated: 0.6, kernelRms: 1.9 / 4 } }), { kind: "inputs", how: "standardize" }],
  ["biases of 0 where neurons are silent", probed(of(deep(5, "relu")), { c: { dead: 12 } }), { kind: "initializer", to: "heNormal", bias: "zeros" }],
  ["biases of 0 where 14 of 16 are silent: no accident in six layers", probed(of(deep(6, "relu")), { f: { dead: 14 } }), { kind: "initializer", to: "heNormal", bias: "zeros" }],
  ["fewer layers where six are silent at the end", probed(of(deep(6, "relu")), { f: { dead: 12 } }), { kind: "depth", to: 3 }],
  ["relu where sigmoids let slopes vanish", probed(of(deep(4, "sigmoid")), { a: { gradientRms: 1e-5 } }), { kind: "activation", to: "relu" }],
  ["fewer layers where tanh does", probed(tanh, { a: { gradientRms: 1e-5 } }), { kind: "depth", to: 3 }],
  ["larger weights where they are small", probed(tanh, smallTanh), { kind: "initializer", to: "glorotUniform" }],
  ["smaller weights where signals explode", probed(relu3, { b: { kernelRms: 2.1 / 4 }, c: { sumDeviation: 31 } }), { kind: "initializer", to: "heNormal" }],
  ["fewer layers where weights are usual", probed(relu3, { c: { sumDeviation: 31 } }), { kind: "depth", to: 3 }],
  ["relu where exponentials explode", probed(of(deep(3, "exponential")), { c: { sumDeviation: 31 } }), { kind: "activation", to: "relu" }],
  ["32 neurons instead of 3", of(narrow(3), resting(0.5)), { kind: "units", to: 32 }],
  ["a hidden layer where there is none", of(bare, resting(0.5)), { kind: "depth", to: 1 }],
  ["twice the epochs", of(growing(0.011, 0.69)), { kind: "epochs", to: 40 }],
  ["eight times the epochs at a pace of 3 %", of(trained({ epochs: 6 }), epochs(line(6, at(0), at(0.15))), done), { kind: "epochs", to: 48 }],
  ["sixteen times at most", of(trained({ epochs: 6 }), epochs(line(6, at(0), at(0.06))), done), { kind: "epochs", to: 96 }],
  ["brightness by 255", of(rows({ means: flat(4, 33), deviations: flat(4, 78), least: 0, greatest: 250 })), { kind: "inputs", how: "divide", by: 255 }],
  ["shares of 100 by 100", of(rows({ means: flat(4, 50), deviations: flat(4, 29), least: 9, greatest: 100 })), { kind: "inputs", how: "divide", by: 100 }],
  ["deviations of what begins far from 0", of(rows({ means: flat(4, 50), deviations: flat(4, 29), least: 11, greatest: 100 })), { kind: "inputs", how: "standardize" }],
  ["the epoch that was best", of(turning(0.393)), { kind: "earlyStopping", bestEpoch: 9 }],
  ["a hundredth of the penalty", changed(penalised((1.1 * GUESS) / 16), stuck(0.29)), { kind: "regularizer", l2: 7.55e-4 }],
] // biome-ignore format: a table

/** For each fault: just beyond its threshold, just before it, and what looks like it and is none. */
export const cases: { readonly [code in FaultCode]: readonly Case[] } = {
  F00: [
    ["7 % learnt when it ends", of(stuck(0.07), done), "F00"],
    ["9 % learnt", of(stuck(0.09), done), undefined],
    ["still going on", of(stuck(0.07)), undefined],
    ["stands still for half of its time", of(epochs(flat(10, at(0.07)))), "F00"],
    ["moves by 1.9 % in a quarter", of(epochs([...flat(9, at(0.05)), ...flat(3, 0.981 * at(0.05))])), "F00"],
    ["moves by 2.1 % in a quarter", of(epochs([...flat(9, at(0.05)), ...flat(3, 0.979 * at(0.05))])), undefined],
    ["two epochs", of(epochs(flat(2, at(0.07))), done), undefined],
    ["29 rows", of(stuck(0.07), done, rows({ rows: 29 }), classes(9, 10, 10)), undefined],
    ["a class of nine tenths", of(stuck(0.07), done, classes(580, 30, 30)), undefined],
    ["classes that are weighed", of(stuck(0.07), done, trained({ classWeights: true })), undefined],
    ["a loss that may be negative", of(targets({ baseline: -1 }), epochs(line(4, -1, -3)), done), undefined],
  ],
  F01: [
    ["a healthy start", healthy, undefined],
    ["empty numbers", of(rows({ nonFinite: { rows: 3, first: 7 } })), "F01"],
    ["empty numbers in validation", of({ validation: { ...healthy.data!, nonFinite: { rows: 1, first: 0 } } }), "F01"],
  ],
  F02: [
    ["pixels 0 to 255", of(rows({ means: flat(4, 33), deviations: flat(4, 78), least: 0, greatest: 255 })), "F02"],
    ["size 10.1", of(rows({ deviations: flat(4, 10.1) })), "F02"],
    ["size 9.9", of(rows({ deviations: flat(4, 9.9) })), undefined],
    ["one feature 21 times the others", of(spread(0.16, 0.16, 0.16, 3.36)), "F02"],
    ["19 times", of(spread(0.16, 0.16, 0.16, 3.04)), undefined],
    ["21 times and small", of(spread(0.13, 0.13, 0.13, 2.73)), undefined],
    ["far from 0", of(rows({ means: [5.5, 0, 0, 0] })), "F02"],
    ["far from 0 and wide", of(rows({ means: [5.5, 0, 0, 0], deviations: [1.2, 1, 1, 1] })), undefined],
    ["rows of length 0.048", of(rows({ deviations: flat(4, 0.024) })), "F02"],
    ["rows of length 0.052", of(rows({ deviations: flat(4, 0.026) })), undefined],
    ["a thousand one-hot columns", of(rows({ features: 1000, means: flat(1000, 0.001), deviations: flat(1000, 0.0316), least: 0, greatest: 1 })), undefined],
    ["sparse one-hot beside a number", of(rows({ sameScale: false, means: [0.001, 0.01, 0, 0], deviations: [0.03, 0.1, 0.03, 1] })), undefined],
    ["pictures with black borders", of(rows({ means: [0, 0, 0, 0.13], deviations: [0, 0, 0, 0.31], least: 0, greatest: 1 })), undefined],
    ["batch normalization first", of(rows({ deviations: flat(4, 78) }), layers(norm, ...healthy.network.layers)), undefined],
  ],
  F03: [
    ["rows all alike", of(rows({ deviations: flat(4, 0) })), "F03"],
    ["targets all one class", of(classes(640, 0, 0)), "F03"],
    ["targets all one number", of(numbers, targets({ mean: 7, deviation: 0, least: 7, greatest: 7 })), "F03"],
    ["targets that hardly differ", of(numbers, targets({ deviation: 0.05 })), undefined],
    ["one constant feature", of(spread(1, 1, 1, 0)), "tip"],
    ["a constant corner of pictures", of(rows({ deviations: [1, 1, 1, 0] })), undefined],
    ["a single row", of(rows({ rows: 1, deviations: flat(4, 0) }), targets({ classes: [1, 0, 0] })), undefined],
  ],
  F04: [
    ["51 % flat at the start", probed(tanh, { b: { saturated: 0.51 } }), "F04"],
    ["49 % flat at the start", probed(tanh, { b: { saturated: 0.49 } }), undefined],
    ["51 % flat later, at half the task", lookedAt(probed(of(deep(4, "tanh"), stuck(0.5))), { b: { saturated: 0.51 } }), "F04"],
    ["49 % flat later", lookedAt(probed(of(deep(4, "tanh"), stuck(0.5))), { b: { saturated: 0.49 } }), undefined],
    ["flat later, 61 % learnt", lookedAt(probed(of(deep(4, "tanh"), stuck(0.61))), { b: { saturated: 0.9 } }), undefined],
    ["flat later as at the start", lookedAt(probed(of(deep(4, "tanh"), stuck(0.5)), { b: { saturated: 0.3 } }), { b: { saturated: 0.51 } }), undefined],
    ["flat later, 24 % at the start", lookedAt(probed(of(deep(4, "tanh"), stuck(0.5)), { b: { saturated: 0.24 } }), { b: { saturated: 0.51 } }), "F04"],
    ["flat later behind long steps", lookedAt(probed(of(deep(4, "tanh"), epochs(flat(3, at(0.5)), { share: 0.061 }))), { b: { saturated: 0.51 } }), "F08"],
  ],
  F05: [
    ["12 of 16 silent", probed(healthy, { a: { dead: 12 } }), "F05"],
    ["11 of 16 silent", probed(healthy, { a: { dead: 11 } }), undefined],
    ["silent at the start, nothing learnt", lookedAt(probed(of(stuck(0.05), done), { a: { dead: 14 } }), { a: { dead: 14 } }), "F05"],
    ["silent at the start, and learnt all the same", lookedAt(probed(of(stuck(0.9), done), { a: { dead: 14 } }), { a: { dead: 14 } }), undefined],
    ["13 have gone silent", lookedAt(probed(of(stuck(0.55))), { a: { dead: 13 } }), "F05"],
    ["12 have gone silent", lookedAt(probed(of(stuck(0.55))), { a: { dead: 12 } }), undefined],
    ["13 silent, 61 % learnt", lookedAt(probed(of(stuck(0.61))), { a: { dead: 13 } }), undefined],
    ["13 silent, 8 at the start", lookedAt(probed(of(stuck(0.55)), { a: { dead: 8 } }), { a: { dead: 13 } }), undefined],
    ["13 silent, 7 at the start", lookedAt(probed(of(stuck(0.55)), { a: { dead: 7 } }), { a: { dead: 13 } }), "F05"],
    ["silent at the start, awake since", lookedAt(probed(of(stuck(0.05), done), { a: { dead: 14 } }), { a: { dead: 2 } }), "F00"],
    ["half of all values 0", probed(healthy, { a: { mean: 0.4, dead: 1 } }), undefined],
  ],
  F06: [
    ["slopes 101 times smaller", probed(tanh, { a: { gradientRms: 0.01 / 101 } }), "F06"],
    ["slopes 99 times smaller", probed(tanh, { a: { gradientRms: 0.01 / 99 } }), undefined],
    ["the same over three layers", probed(of(deep(3, "tanh")), { a: { gradientRms: 0.01 / 101 } }), undefined],
    ["1.9 % of the signal arrives", probed(of(deep(3, "tanh")), { c: { deviation: 0.019 } }), "F06"],
    ["2.1 % arrives", probed(of(deep(3, "tanh")), { c: { deviation: 0.021 } }), undefined],
    ["1.9 % in two layers", probed(of(deep(2, "tanh")), { b: { deviation: 0.019 } }), undefined],
    ["a weak signal through relu", probed(relu3, { c: { deviation: 0.019 } }), undefined],
    ["a weak signal through relu, 9 % learnt", probed(of(deep(3, "relu"), stuck(0.09)), { c: { deviation: 0.019 } }), "F06"],
    ["a weak signal through relu, 11 % learnt", probed(of(deep(3, "relu"), stuck(0.11)), { c: { deviation: 0.019 } }), undefined],
    ["a weak signal through relu, long steps", probed(of(deep(3, "relu"), epochs(flat(3, at(0.09)), { share: 0.061 })), { c: { deviation: 0.019 } }), "F08"],
  ],
  F07: [
    ["31 times", probed(relu3, { c: { sumDeviation: 31 } }), "F07"],
    ["29 times", probed(relu3, { c: { sumDeviation: 29 } }), undefined],
    ["gradients 101 times as long as before", of(bursting(101)), "F07"],
    ["gradients 99 times as long", of(bursting(99)), undefined],
    ["gradients 101 times as long, 71 % learnt", of(bursting(101, 0.71)), undefined],
    ["beyond numbers", probed(relu3, { b: { sumDeviation: "infinite" } }), "F07"],
    ["31 times as large inputs", probed(relu3, { a: { inputDeviation: 8 }, c: { sumDeviation: 31 } }), undefined],
    ["batch normalization behind large sums", probed(relu3, { b: { sumDeviation: 1000 } }), undefined],
  ],
  F08: [
    ["steps of 6.1 %, 69 % learnt", of(epochs(flat(3, at(0.69)), { share: 0.061 })), "F08"],
    ["steps of 5.9 %", of(epochs(flat(3, at(0.69)), { share: 0.059 })), undefined],
    ["steps of 50 %, 71 % learnt", of(epochs(flat(3, at(0.71)), { share: 0.5 })), undefined],
    ["long steps, little learnt", of(epochs(flat(4, at(-0.18)), { share: 0.5 })), "F08"],
    ["ten long steps", of(epochs(flat(3, at(0.69)), { share: 0.061, each: { rounds: 5 } })), "F08"],
    ["eight steps as long as the weights", of(epochs(flat(3, at(0.1)), { share: 1.01, each: { rounds: 3 } })), "F08"],
    ["eight steps nearly as long", of(epochs(flat(3, at(0.1)), { share: 0.99, each: { rounds: 3 } })), undefined],
    ["first steps of 201 % in all layers ahead", probed(of(trained({ optimizer: "adam", learningRate: 1.206 }))), "F08"],
    ["first steps of 199 % in one of them", probed(of(trained({ optimizer: "adam", learningRate: 1.194 }))), undefined],
    ["first steps of more than tiny weights", probed(of(trained({ optimizer: "adam", learningRate: 1.206 })), { out: { kernelRms: 0.099 / 4 } }), undefined],
    ["long steps at first, usual ones since, 31 % learnt", of({ epochs: course([...flat(2, at(0.1)), ...flat(6, at(0.31))]).map((e, i) => ({ ...e, kernels: moved(i < 2 ? 0.5 : 0.01, 0.02) })) }), undefined],
    ["long steps at first, usual ones since, 29 % learnt", of({ epochs: course([...flat(2, at(0.1)), ...flat(6, at(0.29))]).map((e, i) => ({ ...e, kernels: moved(i < 2 ? 0.5 : 0.01, 0.02) })) }), "F08"],
    ["eight long steps", of(epochs(flat(3, at(0.69)), { share: 0.061, each: { rounds: 4 } })), undefined],
    ["long steps, on its way, 13 of 16 neurons silenced", lookedAt(probed(of(epochs(line(4, at(0.2), at(0.5)), { share: 0.5 }))), { a: { dead: 13 } }), "F08"],
    ["one epoch of long steps", of(epochs([at(0.1)], { share: 0.5 })), undefined],
    ["long steps, and well on its way", of(epochs(line(4, at(0.2), at(0.5)), { share: 0.5 })), undefined],
    ["long steps, at a pace that does not suffice", of(epochs(line(5, at(0.16), at(0.2)), { share: 0.5 })), "F08"],
    ["long steps and a good start, at rest since", of(epochs([at(-0.2), at(0.2), ...flat(5, at(0.4))], { share: 0.5 })), "F08"],
    ["long steps that fall, with a rise in 6", of(epochs([...line(4, at(0.1), at(0.4)), at(0.35), at(0.5), at(0.55)], { share: 0.5 })), "F08"],
    ["long steps that all agree: a full batch", of(epochs(line(4, at(0.2), at(0.23)), { share: 0.11, agree: 0.51 })), undefined],
    ["long steps that all agree, with next to nothing learnt", of(epochs(line(4, at(0.01), at(0.04)), { share: 0.11, agree: 0.51 })), "F08"],
    ["long steps, 80 % learnt, up and down", of(epochs(wave(6, at(0.8), 0.1), { share: 0.07 })), "F08"],
    ["long steps, 91 % learnt, up and down", of(epochs(wave(6, at(0.91), 0.1), { share: 0.07 })), undefined],
    ["long steps, 80 % learnt, up once", of(epochs([...line(4, at(0.2), at(0.8)), at(0.7), at(0.8)], { share: 0.07 })), undefined],
    ["long steps, 80 % learnt, up after 2 of 7", of(epochs([0.9, 0.8, 0.9, 0.5, 0.4, 0.3, 0.4, 0.2, 0.3].map((l) => 0.7 * l), { share: 0.07 })), "F08"],
    ["long steps, 80 % learnt, up after 2 of 9", of(epochs([0.9, 0.8, 0.9, 0.5, 0.4, 0.3, 0.35, 0.2, 0.1, 0.05].map((l) => 0.7 * l), { share: 0.07 })), undefined],
    ["steps of 5 %, up and down", of(epochs(wave(6, at(0.8), 0.1), { share: 0.05 })), undefined],
    ["26 points are lost again", of(epochs([at(0.99), at(0.99), ...flat(4, at(0.73))], { share: 0.07 })), "F08"],
    ["24 points are lost again", of(epochs([at(0.99), at(0.99), ...flat(4, at(0.75))], { share: 0.07 })), undefined],
    ["up and down, 0.59 at the mean of the weights", of(noisy(0.59, at(0.65))), "F08"],
    ["diverged", of({ diverged: { epoch: 0, round: 3 } }), "F08"],
    ["a warm-up", of(trained({ scheduled: true }), { epochs: course(flat(4, at(0.1)), { share: 0.5 }).map((e, i) => ({ ...e, learningRate: i })) }), undefined],
    ["a negative loss", of(targets({ baseline: -1 }), epochs(line(4, -1, -2))), undefined],
    ["smoothed labels keep the cost up", of(epochs(flat(4, at(0.6)), { share: 0.07, each: { accuracy: 0.95 } })), undefined],
  ],
  F09: [
    ["steps of 0.029 % that agree to 11 %", of(epochs(flat(4, at(0.5)), { share: 2.9e-4, agree: 0.11 })), "F09"],
    ["steps of 0.031 %", of(epochs(flat(4, at(0.5)), { share: 3.1e-4, agree: 0.11 })), undefined],
    ["steps that agree to 9 %", of(epochs(flat(4, at(0.5)), { share: 2.9e-4, agree: 0.09 })), undefined],
    ["6 % less further on", of(epochs(flat(4, at(0.5)), { share: 2.9e-4, each: ahead(0.94) })), "F09"],
    ["4 % less further on", of(epochs(flat(4, at(0.5)), { share: 2.9e-4, each: ahead(0.96) })), undefined],
    ["71 % learnt", of(epochs(flat(4, at(0.71)), { share: 2.9e-4, agree: 0.5 })), undefined],
    ["slow, and the planned epochs suffice", of(epochs(line(4, at(0.1), at(0.25)), { share: 2.9e-4, agree: 0.5 })), "tip"],
    ["a warm-up", of(trained({ scheduled: true }), { epochs: course(flat(4, at(0.1)), { share: 1e-5, agree: 0.5 }).map((e, i) => ({ ...e, learningRate: i })) }), undefined],
    ["momentum 0.99 that has not gathered", of(trained({ momentum: 0.99 }), epochs(flat(4, at(0.1)), { share: 1e-4, agree: 0.5 })), undefined],
    ["momentum 0.99 that has", of(trained({ momentum: 0.99 }), epochs(flat(4, at(0.1)), { share: 1e-4, agree: 0.5, each: { rounds: 100 } })), "F09"],
    ["1,000 steps of 0.019 % ahead: 19 % in all", probed(of(trained({ learningRate: 5.7e-3, rounds: 50 }))), "F09"],
    ["1,000 steps of 0.021 % ahead: 21 % in all", probed(of(trained({ learningRate: 6.3e-3, rounds: 50 }))), undefined],
    ["a trial of one epoch, of which ten would do", probed(of(trained({ learningRate: 5.7e-3, rounds: 500, epochs: 1 }))), undefined],
    ["2 steps of usual length ahead", probed(of(trained({ rounds: 1, epochs: 2 }))), undefined],
    ["a rate that a schedule will raise", probed(of(trained({ learningRate: 1e-4, scheduled: true }))), undefined],
    ["momentum that makes ten of a step", probed(of(trained({ learningRate: 5e-3, momentum: 0.9 }))), undefined],
    ["short steps of a network that knows 31 %", changed(probed(of(trained({ learningRate: 1e-4 }))), { probe: { loss: at(0.31) } }), undefined],
    ["adam's first steps are as long as its rate", probed(of(trained({ optimizer: "adam", learningRate: 1e-5 }))), "F09"],
    ["nobody knows how long adadelta's will be", probed(of(trained({ optimizer: "adadelta", learningRate: 1e-5 }))), undefined],
    ["nobody knows how many steps", probed(of(trained({ learningRate: 1e-5, rounds: 0 }))), undefined],
    ["adam's first steps are as long as the others", of(trained({ optimizer: "adam", momentum: 0.99 }), epochs(flat(4, at(0.1)), { share: 1e-4, agree: 0.5 })), "F09"],
  ],
  F10: [
    ["turns over 6 %, 21 % less at the mean of the weights", of(noisy(0.79)), "F10"],
    ["19 % less", of(noisy(0.81)), undefined],
    ["over 4.9 %", of(noisy(0.79, at(0.75), 0.0244)), undefined],
    ["91 % learnt", of(noisy(0.79, at(0.92))), undefined],
    ["falls all the time", of(epochs(line(12, at(0.2), at(0.75)), { each: atMean(0.7) })), undefined],
    ["turns after a third of the epochs", of(epochs([...flat(8, 0.3), 0.27, 0.28, 0.29, 0.28], { share: 0.02, each: atMean(0.7) })), undefined],
    ["nine epochs: three of them are no pattern", of(epochs(wave(9, at(0.75), 0.03), { each: atMean(0.79) })), undefined],
  ],
  F11: [
    ["51 % cut to a twentieth", of(clip("norm", 0.05), cut(0.51)), "F11"],
    ["400 clipped steps ahead: 19.8 % in all", probed(of(clip("norm", 0.0119))), "F11"],
    ["400 clipped steps ahead: 20.2 % in all", probed(of(clip("norm", 0.0121))), undefined],
    ["400 clipped steps ahead, with adam", probed(of(trained({ optimizer: "adam" }), clip("norm", 0.0119))), undefined],
    ["400 steps cut number by number: 19.8 % in all", probed(of(clip("value", 0.00148))), "F11"],
    ["49 % cut", of(clip("norm", 0.05), cut(0.49)), undefined],
    ["cut to just under half", of(clip("norm", 0.49), cut(1)), "F11"],
    ["cut to just over half", of(clip("norm", 0.51), cut(1)), undefined],
    ["61 % learnt", of(clip("norm", 0.05), cut(1, 0.009, 0.61)), undefined],
    ["steps of 1.1 %", of(clip("norm", 0.05), cut(1, 0.011)), undefined],
    ["adam", of(trained({ optimizer: "adam" }), clip("norm", 0.05), cut(1)), undefined],
    ["all numbers together", of(clip("globalNorm", 0.05), cut(0.51)), "F11"],
    ["each number: most of them are cut", of(clip("value", 0.05), cut(1)), "F11"],
    ["each number: only the largest are cut", of(clip("value", 0.1), cut(1)), undefined],
  ],
  F12: [
    ["softmax over one", of({ network: { task: "binary", output: { units: 1, loss: "binaryCrossentropy" } } }), "F12"],
    ["linear under cross-entropy", of(output({ activation: "linear" })), "F12"],
    ["from logits", of(output({ activation: "linear", fromLogits: true })), undefined],
    ["softmax twice", of(output({ fromLogits: true })), "F12"],
    ["relu for yes or no", of(yesNo, output({ activation: "relu" })), "F12"],
    ["classes under one neuron", of(yesNo, output({ loss: "categoricalCrossentropy" })), "F12"],
    ["0, 1 and 2 under one sigmoid", of(yesNo, targets({ greatest: 2, mean: 1, deviation: 0.8, classes: [] })), "F12"],
    ["yes or no", of(yesNo), undefined],
    ["targets a little beyond sigmoid", of(numbers, output({ activation: "sigmoid" }), targets({ least: -0.24, greatest: 1.24 })), undefined],
    ["targets well beyond sigmoid", of(numbers, output({ activation: "sigmoid" }), targets({ least: -0.26, greatest: 1.24 })), "F12"],
    ["51 % of outputs flat under quadratic cost", probed(of(output({ activation: "sigmoid", loss: "meanSquaredError" })), {}, 0.51), "F12"],
    ["49 % of outputs flat", probed(of(output({ activation: "sigmoid", loss: "meanSquaredError" })), {}, 0.49), "tip"],
    ["quadratic cost, stuck at 49 %", of(output({ loss: "meanSquaredError" }), targets({ baseline: 0.222 }), epochs(flat(4, 0.222 * 0.51))), "F12"],
    ["quadratic cost, 51 % learnt", of(output({ loss: "meanSquaredError" }), targets({ baseline: 0.222 }), epochs(flat(4, 0.222 * 0.49))), "tip"],
  ],
  F13: [
    ["labels as numbers", of(targets({ shape: [], greatest: 2 })), "F13"],
    ["seven rows with two ones", of(targets({ notOne: 7 })), "F13"],
    ["six rows of 640 with two ones", of(targets({ notOne: 6 })), undefined],
    ["smoothed labels", of(targets({ least: 0.03, greatest: 0.93, whole: false })), undefined],
    ["several labels at once", of({ network: { task: "labels", output: { activation: "sigmoid", loss: "binaryCrossentropy" } } }, targets({ notOne: 500 })), undefined],
    ["four columns for three neurons", of(targets({ shape: [4] })), "F13"],
    ["one-hot for the sparse loss", of(output({ loss: "sparseCategoricalCrossentropy" })), "F13"],
    ["classes 0 to 2, sparse", of(output({ loss: "sparseCategoricalCrossentropy" }), targets({ shape: [], greatest: 2, mean: 1, deviation: 0.8 })), undefined],
    ["classes 1 to 3, sparse", of(output({ loss: "sparseCategoricalCrossentropy" }), targets({ shape: [], least: 1, greatest: 3, mean: 2, deviation: 0.8 })), "F13"],
    ["-1 and 1", of(yesNo, targets({ least: -1, mean: 0, deviation: 1 })), "F13"],
    ["1 and 2", of(yesNo, targets({ least: 1, greatest: 2, mean: 1.5, deviation: 0.5 })), "F13"],
  ],
  F14: [
    ["straight lines", linear, "F14"],
    ["one of them bends", of(layers(layer("a", 16, 4, "linear"), layer("b", 16, 16, "tanh"), layer("out", 3, 16, "softmax", true))), undefined],
    ["no hidden layer", of(bare), undefined],
    ["a pooling layer between that bends", of(layers(layer("a", 16, 4, "linear"), { ...layer("p", 16, 16, "linear"), type: "maxPooling2D", hasKernel: false }, layer("out", 3, 16, "softmax", true))), undefined],
  ],
  F15: [
    ["weights all alike", probed(healthy, { a: { kernelDeviation: 0 } }), "F15"],
    ["one neuron has no copy", probed(of(narrow(1)), { a: { kernelDeviation: 0 } }), undefined],
    ["zeros, before anything is looked at", of(layers({ ...layer("a", 16, 4, "relu"), kernelInitializer: "zeros" }, layer("out", 3, 16, "softmax", true))), "F15"],
    ["a tenth of the usual size, 1.9 % arrives", probed(healthy, { a: { kernelRms: 0.099 / 2, deviation: 0.019 } }), "F15"],
    ["a tenth of the usual size, 2.1 % arrives", probed(healthy, { a: { kernelRms: 0.099 / 2, deviation: 0.021 } }), undefined],
    ["little arrives, through weights of usual size", probed(healthy, { a: { kernelRms: 0.101 / 2, deviation: 0.019 } }), undefined],
  ],
  F16: [
    ["ten times fewer", of(classes(400, 200, 40)), "tip"],
    ["nine times fewer", of(classes(396, 200, 44)), undefined],
    ["50 % of them found", of(classes(400, 200, 40), epochs(flat(4, at(0.8)), { each: { recall: [1, 1, 0.5], valAccuracy: 0.93 } }), done), "F16"],
    ["51 % of them found", of(classes(400, 200, 40), epochs(flat(4, at(0.8)), { each: { recall: [1, 1, 0.51], valAccuracy: 0.93 } }), done), "tip"],
    ["none found, a quarter of the time gone", of(classes(400, 200, 40), epochs(flat(4, at(0.8)), { each: { recall: [1, 1, 0] } })), "tip"],
    ["none found, weighed", of(classes(400, 200, 40), trained({ classWeights: true }), epochs(flat(4, at(0.8)), { each: { recall: [1, 1, 0] } }), done), undefined],
    ["of two, by accuracy: 49 %", of(yesNo, classes(600, 40), epochs(flat(4, 0.2), { each: { valAccuracy: 0.968 } }), done), "F16"],
    ["of two, by accuracy: 52 %", of(yesNo, classes(600, 40), epochs(flat(4, 0.2), { each: { valAccuracy: 0.97 } }), done), "tip"],
    ["of two, worse than always the larger", of(yesNo, classes(600, 40), epochs(flat(4, 0.2), { each: { valAccuracy: 0.9 } }), done), "tip"],
    ["of two, nearly as good as always the larger", of(yesNo, classes(600, 40), epochs(flat(4, 0.2), { each: { valAccuracy: 0.92 } }), done), "F16"],
    ["ended early, two epochs without", of(classes(400, 200, 40), epochs(flat(4, at(0.8)), { each: { recall: [1, 1, 0], valAccuracy: 0.93 } }), { ended: "stopped" }), "F16"],
  ],
  F17: [
    ["31 % above its best", of(turning(0.393)), "F17"],
    ["29 % above its best", of(turning(0.387)), undefined],
    ["training has hardly gone on", of(turning(0.393, 0.22)), undefined],
    ["two epochs ago", of(turning(0.393, 0.2, 0.3, 2)), undefined],
    ["four epochs ago, of 14", of(turning(0.393, 0.2, 0.3, 3)), "F17"],
    ["six epochs ago, of 50", of(epochs([...line(44, 1, 0.3), ...line(4, 0.3, 0.2), 0.2, 0.2], { valid: [...line(44, 1, 0.3), ...line(4, 0.3, 0.4), 0.4, 0.4] })), undefined],
    ["by heart, and 9 % above its best", of(turning(0.3, 0.055, 0.276)), undefined],
    ["39 validation rows", of(turning(0.393), validation(39)), undefined],
    ["40 validation rows", of(turning(0.393), validation(40)), "F17"],
    ["31 % above a best that is nearly nothing", of(turning(0.21, 0.02, 0.16)), undefined],
    ["by heart: 5 % of guessing left, 26 % in validation", of(turning(0.29, 0.055, 0.25)), "F17"],
    ["7 % of guessing left", of(turning(0.29, 0.077, 0.25)), undefined],
    ["31 % above its best, as it has been before", of(jumping(1.32)), undefined],
    ["31 % above its best, and 30 % before", of(jumping(1.3)), "F17"],
    ["up and back again", of(bouncing), undefined],
    ["one epoch of a jump", of(epochs([...line(10, 1, 0.3), ...line(5, 0.3, 0.2)], { valid: [...line(10, 1, 0.3), 0.3, 0.3, 0.3, 0.3, 0.45] })), undefined],
  ],
  F18: [
    ["1.1 % in the last quarter, 69 % learnt", of(growing(0.011, 0.69)), "F18"],
    ["0.9 % in the last quarter", of(growing(0.009, 0.69)), undefined],
    ["71 % learnt", of(growing(0.011, 0.71)), "tip"],
    ["one epoch of 99 steps, 69 % learnt", of(epochs([at(0.69)], { each: { rounds: 99 } }), done), "F18"],
    ["one epoch of 100 steps", of(epochs([at(0.69)], { each: { rounds: 100 } }), done), undefined],
    ["one epoch of 99 steps, 71 % learnt", of(epochs([at(0.71)], { each: { rounds: 99 } }), done), undefined],
    ["stopped early by a callback", of(growing(0.011, 0.69), trained({ earlyStopping: true })), undefined],
    ["99 steps, validation a little higher", of({ epochs: course(line(3, 1, 0.9), { valid: [1, 0.9, 0.91], each: { rounds: 33 } }), ...done }), "F18"],
    ["102 steps, validation a little higher", of({ epochs: course(line(3, 1, 0.9), { valid: [1, 0.9, 0.91], each: { rounds: 34 } }), ...done }), undefined],
    ["still going on", of(epochs(line(8, 1, 0.4))), undefined],
    ["the last epoch was not the best", of({ epochs: course([...line(8, 1, 0.4), 0.41]), ...done }), undefined],
    ["tiny steps: their length is the cause", of(growing(0.011, 0.69, { share: 2e-4 })), "tip"],
  ],
  F19: [
    ["91 % of neighbours alike", of(trained({ shuffle: false }), targets({ neighbours: { alike: 0.91, chance: 0.33 } })), "F19"],
    ["89 % alike", of(trained({ shuffle: false }), targets({ neighbours: { alike: 0.89, chance: 0.33 } })), undefined],
    ["91 %, where chance gives 62 %", of(trained({ shuffle: false }), targets({ neighbours: { alike: 0.91, chance: 0.62 } })), undefined],
    ["shuffled", of(targets({ neighbours: { alike: 1, chance: 0.33 } })), undefined],
    ["all rows in one batch", of(trained({ shuffle: false, batchSize: 128, rounds: 1 }), targets({ neighbours: { alike: 1, chance: 0.33 } })), undefined],
  ],
  F20: [
    ["one step per epoch, steps agree to 51 %", of(one, epochs(flat(3, at(0.3)), { agree: 0.51 })), "F20"],
    ["steps agree to 49 %", of(one, epochs(flat(3, at(0.3)), { agree: 0.49 })), "tip"],
    ["4 % less further on", of(one, epochs(flat(3, at(0.3)), { each: ahead(0.96) })), "F20"],
    ["20 steps ahead, 99 % in all", probed(of(one), { out: { gradientRms: 0.1485 } }), "F20"],
    ["20 steps ahead, 101 % in all", probed(of(one), { out: { gradientRms: 0.1515 } }), "tip"],
    ["5 steps per epoch", of(trained({ batchSize: 129, rounds: 5 }), epochs(flat(3, at(0.3)), { agree: 0.51 })), "tip"],
    ["71 % learnt", of(one, epochs(flat(3, at(0.71)), { agree: 0.51 })), "tip"],
    ["600 epochs of one step", of(one, trained({ epochs: 600 }), epochs(flat(3, at(0.3)), { agree: 0.51 })), "tip"],
    ["400 epochs of one step", of(one, trained({ epochs: 400 }), epochs(flat(3, at(0.3)), { agree: 0.51 })), "F20"],
    ["one step per epoch, on its way to all", of(one, trained({ epochs: 40 }), epochs(line(4, at(0.1), at(0.3)), { agree: 0.51 })), "tip"],
    ["129 rows", of(trained({ batchSize: 129 })), "tip"],
    ["128 rows", of(trained({ batchSize: 128 })), undefined],
  ],
  F21: [
    ["4 rows, steps agree to 1.9 %", of(few, disagreeing(0.019)), "F21"],
    ["steps agree to 2.1 %", of(few, disagreeing(0.021)), undefined],
    ["4 rows, ten of 20 epochs", of(few, disagreeing(0.019, 0.55, 0.031, 10)), undefined],
    ["4 rows, ten of 20 epochs, 13 of 16 neurons silenced", lookedAt(probed(of(few, disagreeing(0.019, 0.55, 0.031, 10))), { a: { dead: 13 } }), "F21"],
    ["5 rows", of(trained({ batchSize: 5, rounds: 128 }), disagreeing(0.019)), undefined],
    ["61 % learnt", of(few, disagreeing(0.019, 0.61)), undefined],
    ["4 steps per epoch: few rows", of(trained({ batchSize: 4, rounds: 4 }), disagreeing(0.019)), undefined],
    ["steps of 2.9 %, at rest", of(few, disagreeing(0.019, 0.55, 0.029)), undefined],
    ["steps of 0.9 %, up and down", of(few, epochs(wave(11, at(0.55), 0.05), { agree: 0.019, share: 0.009 })), "F21"],
    ["diverged", of(few, { diverged: { epoch: 0, round: 3 } }), "F21"],
  ],
  F22: [
    ["3 neurons, 69 % learnt", of(narrow(3), resting(0.69)), "F22"],
    ["4 neurons in one layer: perhaps another one", of(narrow(4), resting(0.69)), "tip"],
    ["4 neurons in one layer, 71 % learnt", of(narrow(4), resting(0.71)), undefined],
    ["two layers of 4 neurons", of(layers(layer("a", 4, 4, "relu"), layer("b", 4, 4, "relu"), layer("out", 3, 4, "softmax", true)), resting(0.69)), undefined],
    ["71 % learnt", of(narrow(3), resting(0.71)), undefined],
    ["no hidden layer", of(bare, resting(0.5)), "F22"],
    ["convolutions without another hidden layer", of(layers({ ...layer("out", 3, 4, "softmax", true), type: "conv2D" }), resting(0.5)), undefined],
    ["tiny steps", of(narrow(3), resting(0.69, { share: 2.9e-4 })), undefined],
    ["11 % less further on", of(narrow(3), resting(0.69, { each: ahead(0.89) })), undefined],
    ["9 % less further on", of(narrow(3), resting(0.69, { each: ahead(0.91) })), "F22"],
    ["11 % less further on of an early epoch, at rest since", of(narrow(3), { epochs: course(flat(9, at(0.69))).map((e, i) => (i === 0 ? { ...e, ...ahead(0.89) } : e)) }, done), "F22"],
    ["31 points less in validation: not too small", of(narrow(3), resting(0.69, { valid: flat(8, at(0.38)) })), undefined],
    ["29 points less in validation", of(narrow(3), resting(0.69, { valid: flat(8, at(0.41)) })), "F22"],
    ["still going on", of(narrow(3), epochs(flat(4, at(0.69)))), undefined],
  ],
  F23: [
    ["half the neurons, 0.9 % more", of(resting(0.9), trial("halfUnits", 1.009 * at(0.9))), "tip"],
    ["half the neurons, 1.1 % more", of(resting(0.9), trial("halfUnits", 1.011 * at(0.9))), undefined],
    ["a layer less, 0.9 % more", of(deep(3, "relu"), resting(0.9), trial("layerLess", 1.009 * at(0.9))), "tip"],
    ["no trial", of(resting(0.9)), undefined],
  ],
  F24: [
    ["another start gets 6 points more", of(resting(0.6, { each: { valAccuracy: 0.7 } }), trial("seed", 0.3, 0.76)), "F24"],
    ["another start gets 4 points more", of(resting(0.6, { each: { valAccuracy: 0.7 } }), trial("seed", 0.3, 0.74)), undefined],
    ["6 % of the first cost less", of(resting(0.6), trial("seed", at(0.66))), "F24"],
    ["4 % of the first cost less", of(resting(0.6), trial("seed", at(0.64))), undefined],
    ["still going on", of(epochs(flat(4, at(0.6))), trial("seed", at(0.9))), undefined],
  ],
  F25: [
    ["dropout 0.51", of(dropping(0.51)), "tip"],
    ["dropout 0.5", of(dropping(0.5), stuck(0.29)), undefined],
    ["dropout 0.51, 29 % learnt", of(dropping(0.51), stuck(0.29)), "F25"],
    ["dropout 0.51, 31 % learnt", of(dropping(0.51), stuck(0.31)), "tip"],
    ["dropout 0.51, 29 % of training and 60 % of validation", of(dropping(0.51), epochs(flat(3, at(0.29)), { valid: flat(3, at(0.6)) })), "tip"],
    ["dropout 0.82 of 16 neurons: 2.9 are left", of(dropping(0.82)), "F25"],
    ["dropout 0.81 of 16 neurons: 3.04 are left", of(dropping(0.81)), "tip"],
    ["a penalty of 1.1 times guessing", changed(penalised((1.1 * GUESS) / 16), stuck(0.59)), "F25"],
    ["a penalty of 0.9 times guessing", changed(penalised((0.9 * GUESS) / 16), stuck(0.59)), undefined],
    ["a penalty of 1.1 times guessing, 61 % learnt", changed(penalised((1.1 * GUESS) / 16), stuck(0.61)), "tip"],
    ["a penalty that is 71 % of the first gradient", penalised((1.1 * GUESS) / 16, 0.1063), "F25"],
    ["a penalty that is 70 % of the first gradient", penalised((1.1 * GUESS) / 16, 0.1079), "tip"],
  ],
  F26: [
    ["a mean 1.01 deviations away", of(validation(100, 1.01)), "F26"],
    ["0.99 deviations", of(validation(100, 0.99)), undefined],
    ["29 validation rows", of(validation(29, 3)), undefined],
    ["61 % learnt of training, nothing of validation", of(validation(50), memorised(4, 0.61)), "F26"],
    ["59 % learnt", of(validation(50), memorised(4, 0.55)), undefined],
    ["49 validation rows", of(validation(49), memorised(4, 0.61)), undefined],
    ["validation beat guessing once", of(validation(50), epochs(line(4, GUESS, at(0.61)), { valid: [1.09, 1.12, 1.12, 1.12] })), undefined],
    ["eleven epochs: training may do it by rote", of(validation(50), rows({ rows: 399 }), classes(133, 133, 133), memorised(11, 0.61)), undefined],
  ],
  F27: [
    ["40 % learnt of training, nothing of validation", of(validation(100), memorised(12, 0.4)), "F27"],
    ["399 rows", of(validation(100), rows({ rows: 399 }), classes(133, 133, 133), memorised(12, 0.4)), undefined],
    ["39 validation rows", of(validation(39), memorised(12, 0.4)), undefined],
    ["nine of 20 epochs", of(validation(100), memorised(9, 0.4)), undefined],
    ["four of eight epochs", of(validation(100), trained({ epochs: 8 }), memorised(4, 0.4)), undefined],
    ["six of eight epochs", of(validation(100), trained({ epochs: 8 }), memorised(6, 0.4)), "F27"],
    ["81 % learnt", of(validation(100), memorised(12, 0.81)), undefined],
    ["both still fall, by 4.2 % of guessing in as many epochs again", of(validation(100), trained({ epochs: 8 }), both(6, 0.007)), undefined],
    ["both fall by 3.6 %: not to speak of", of(validation(100), trained({ epochs: 8 }), both(6, 0.006)), "F27"],
    ["4.1 % of validation learnt, as of training", of(validation(100), epochs(flat(12, at(0.041)))), "F00"],
    ["3.9 % of validation learnt, as of training", of(validation(100), epochs(flat(12, at(0.039)))), "F27"],
    ["ten of 20 epochs at rest: the next one may tell", of(validation(100), epochs(flat(10, at(0.05)), { valid: flat(10, 1.12) })), undefined],
    ["eleven of 20 epochs at rest", of(validation(100), epochs(flat(11, at(0.05)), { valid: flat(11, 1.12) })), "F27"],
    ["accuracy of validation well above chance", of(validation(100), memorised(12, 0.4, 1.12, { valAccuracy: 0.6 })), undefined],
    ["accuracy of validation a little above chance", of(validation(100), memorised(12, 0.4, 1.12, { valAccuracy: 0.4 })), "F27"],
    ["9 % of validation learnt", of(validation(100), memorised(12, 0.4, at(0.09))), undefined],
  ],
  F28: [
    ["5 of 100", of(validation(100), { shared: 5 }), "F28"],
    ["4 of 100", of(validation(100), { shared: 4 }), undefined],
    ["10 of 1000", of(validation(1000), { shared: 10 }), "F28"],
    ["9 of 1000", of(validation(1000), { shared: 9 }), undefined],
    ["2 % where the table repeats 1 % itself", of(validation(1000), rows({ duplicates: 7 }), { shared: 20 }), undefined],
    ["4 % where the table repeats 1 % itself", of(validation(1000), rows({ duplicates: 7 }), { shared: 40 }), "F28"],
    ["8.1 points better than training, 3 of them by chance", of(validation(400), found(0.819, 0.9), done), "tip"],
    ["7.9 points better", of(validation(400), found(0.821, 0.9), done), undefined],
    ["20 points better after three epochs", of(validation(400), epochs(flat(3, at(0.9)), { each: { accuracy: 0.7, valAccuracy: 0.9 } }), done), undefined],
    ["20 points better, with dropout", of(dropping(0.3), validation(400), found(0.7, 0.9), done), undefined],
    ["20 points better, half way", of(validation(400), found(0.7, 0.9)), undefined],
  ],
  F29: [
    ["a deviation of 31", of(numbers, targets({ deviation: 31 })), "F29"],
    ["a deviation of 29", of(numbers, targets({ deviation: 29 })), undefined],
    ["a deviation of 0.029", of(numbers, targets({ deviation: 0.029 })), "F29"],
    ["a deviation of 0.031", of(numbers, targets({ deviation: 0.031 })), undefined],
    ["around 31, by 6", of(numbers, targets({ mean: 31, deviation: 6 })), "F29"],
    ["around 31, by 6.3", of(numbers, targets({ mean: 31, deviation: 6.3 })), undefined],
    ["long steps to targets of 3.1", of(numbers, targets({ deviation: 3.1, baseline: 9.6 }), epochs(flat(3, 4.8), { share: 0.061 })), "F29"],
    ["long steps to targets of 2.9", of(numbers, targets({ deviation: 2.9, baseline: 8.4 }), epochs(flat(3, 4.2), { share: 0.061 })), "F08"],
    ["long steps to targets of 3.1 at a rate of 0.32", of(numbers, trained({ learningRate: 0.32 }), targets({ deviation: 3.1, baseline: 9.6 }), epochs(flat(3, 4.8), { share: 0.061 })), "F08"],
    ["two columns around 31", of(numbers, targets({ shape: [2], mean: 31, deviation: 6 })), undefined],
  ],
} // biome-ignore format: a table
