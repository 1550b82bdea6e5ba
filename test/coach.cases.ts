// Evidence for the coach's rules, as plain data: a healthy network for classes or numbers, and changes of it, each with the fault that it
// must bring or none.
import type { EpochFacts, Evidence, LayerFacts } from "../src/coach/evidence.ts"
import type { FaultCode } from "../src/coach/finding.ts"

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

/** How a kernel moves: a step as a share of the weights, and how far steps agree. */
export const moved = (share: number, agree: number): EpochFacts["kernels"] => [
  {
    layer: "a",
    name: "kernel",
    watched: 20,
    gradientSquare: 1,
    meanGradientSquare: agree,
    length: 1,
    step: share,
    way: share,
  },
]

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
      ...{ classes: [213, 213, 214], neighbours: { alike: 0.33, chance: 0.33 }, baseline: 1.0986 },
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

const of = (change: Deep<Evidence>): Evidence => changed(healthy, change)
const falling = (share: number, agree: number, from: number, by: number): EpochFacts[] =>
  Array.from({ length: 4 }, (_, i) => epoch(i, from - by * i, from - by * i, { kernels: moved(share, agree) }))
const numbers = { loss: "meanSquaredError", units: 1 }
const numeric = { shape: [1], least: -2, greatest: 2, mean: 0, deviation: 1, whole: false, classes: [], baseline: 1 }

export const cases: readonly (readonly [what: string, evidence: Evidence, code: FaultCode | undefined])[] = [
  ["a healthy start", healthy, undefined],
  ["empty numbers", of({ data: { nonFinite: { rows: 3, first: 7 } } }), "F01"],
  ["pixels 0 to 255", of({ data: { means: [33, 33, 33, 33], deviations: [78, 78, 78, 78], least: 0, greatest: 255 } }), "F02"],
  ["tiny inputs", of({ data: { deviations: [1e-3, 1e-3, 1e-3, 1e-3], least: -0.003, greatest: 0.003 } }), "F02"],
  ["black borders", of({ data: { means: [0, 0, 0, 0.13], deviations: [0, 0, 0, 0.31], least: 0, greatest: 1 } }), undefined],
  ["sparse one-hot beside a number", of({ data: { sameScale: false, means: [0.001, 0.01, 0, 0], deviations: [0.03, 0.1, 0.03, 1] } }), undefined],
  ["rows all alike", of({ data: { deviations: [0, 0, 0, 0] } }), "F03"],
  ["labels as numbers", of({ data: { targets: { shape: [], greatest: 2 } } }), "F13"],
  ["two ones in a row", of({ data: { targets: { notOne: 640 } } }), "F13"],
  ["smoothed labels", of({ data: { targets: { least: 0.03, greatest: 0.93, whole: false } } }), undefined],
  ["several labels at once", of({ network: { task: "labels", output: { activation: "sigmoid", loss: "binaryCrossentropy" } }, data: { targets: { notOne: 500 } } }), undefined],
  ["sorted rows", of({ training: { shuffle: false }, data: { targets: { neighbours: { alike: 0.99, chance: 0.33 } } } }), "F19"],
  ["softmax over one", of({ network: { task: "binary", output: { units: 1, loss: "binaryCrossentropy" } } }), "F12"],
  ["linear under cross-entropy", of({ network: { output: { activation: "linear" } } }), "F12"],
  ["from logits", of({ network: { output: { activation: "linear", fromLogits: true } } }), undefined],
  ["targets beyond sigmoid", of({ network: { task: "numbers", output: { ...numbers, activation: "sigmoid" } }, data: { targets: numeric } }), "F12"],
  ["targets in thousands", of({ network: { task: "numbers", output: { ...numbers, activation: "linear" } }, data: { targets: { ...numeric, deviation: 1000 } } }), "F29"],
  ["straight lines", of({ network: { layers: [layer("a", 16, 4, "linear"), layer("out", 3, 16, "softmax", true)] } }), "F14"],
  ["learning rate too low", of({ epochs: falling(1e-5, 0.5, 1.2, 1e-4) }), "F09"],
  ["warm-up", of({ training: { scheduled: true }, epochs: falling(1e-5, 0.5, 1.2, 1e-4).map((e, i) => ({ ...e, learningRate: 0.001 * (i + 1) })) }), undefined],
  ["learning rate too high", of({ epochs: falling(0.5, 0.01, 1.3, 0) }), "F08"],
  ["one epoch of long steps", of({ epochs: falling(0.5, 0.01, 1.3, 0).slice(0, 1) }), undefined],
  ["diverged", of({ diverged: { epoch: 0, round: 3 } }), "F08"],
  ["a negative loss", of({ data: { targets: { baseline: -1 } }, epochs: falling(0.01, 0.01, -1, 0.5) }), undefined],
  ["harmless imbalance", of({ data: { targets: { classes: [600, 20, 20] } }, epochs: [epoch(0, 0.02, 0.03, { recall: [1, 0.9, 0.9] })], ended: "completed" }), undefined],
] // biome-ignore format: a table
