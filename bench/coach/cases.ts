// What is diagnosed: healthy controls, and faults, each a base and a change. A fault's `cause` is what was put in; `also` are causes that
// the design calls equally right. Whether a fault harms is measured by truth.ts, never assumed. Nothing here was tuned to a rule.

import type { FaultCode } from "../../src/coach/finding.ts"
import { constant, randomNormal, randomUniform, varianceScaling } from "../../src/index.ts"
import { type Changes, changed, layers, type Setup } from "./setup.ts"

/** What is diagnosed. */
export interface Case {
  readonly id: string
  readonly kind: "control" | "fault" | "outside" | "toy"
  readonly base: string
  readonly change: Changes
  /** Absent for controls. */
  readonly cause?: FaultCode
  readonly also?: readonly FaultCode[]
  /** What its control changes in the base, where that is more than which rows are learnt (`change.sample`). */
  readonly healthy?: Changes
  /** Run only with --held-out: rules may not be tried on it before they are finished. */
  readonly heldOut?: true
}

const start: Setup = {
  sample: { set: "circles", rows: 700, validation: 300, noise: 0.1, seed: 1 },
  alter: [],
  hidden: layers([16, 16], "relu"),
  output: { units: 1, activation: "sigmoid" },
  loss: "binaryCrossentropy",
  optimizer: "sgd",
  learningRate: 0.1,
  momentum: 0,
  clip: null,
  batchSize: 32,
  epochs: 40,
  shuffle: true,
  dropout: 0,
  l2: 0,
  classWeights: false,
  seed: 1,
}

const of = (changes: Changes): Setup => changed(start, changes)
const classes = (units: number): Changes => ({
  output: { units, activation: "softmax" },
  loss: "categoricalCrossentropy",
})
const numbers: Changes = { output: { units: 1, activation: "linear" }, loss: "meanSquaredError" }

/** The healthy trainings on which everything stands. */
export const bases: { readonly [id: string]: Setup } = {
  circles: start,
  spirals: of({
    sample: { set: "spirals", rows: 700, noise: 0.02 },
    alter: [{ do: "standardize" }],
    hidden: layers([32, 32], "tanh"),
    optimizer: "adam",
    learningRate: 0.01,
    epochs: 60,
  }),
  blobs: of({
    ...classes(3),
    sample: { set: "blobs", rows: 600, noise: 0.8 },
    hidden: layers([16], "relu"),
    epochs: 30,
  }),
  flowers: of({
    ...classes(3),
    sample: { set: "flowers", rows: 210, validation: 90, noise: 0.35 },
    hidden: layers([8], "tanh"),
    epochs: 50,
  }),
  xor: of({ sample: { set: "xor", noise: 0.02 }, epochs: 60 }),
  friedman: of({
    ...numbers,
    sample: { set: "friedman", noise: 0.2 },
    hidden: layers([32, 32], "relu"),
    learningRate: 0.05,
    epochs: 60,
  }),
  mnist: of({
    ...classes(10),
    sample: { set: "mnist", rows: 2000, validation: 500 },
    hidden: layers([64, 64], "relu"),
    epochs: 12,
  }),
  // Held out.
  moons: of({ sample: { set: "moons", rows: 500, noise: 0.15 }, hidden: layers([24, 12], "relu"), epochs: 80 }),
  hills: of({
    ...numbers,
    sample: { set: "hills", rows: 900, noise: 0.05 },
    hidden: layers([48, 48], "tanh"),
    optimizer: "adam",
    learningRate: 0.01,
    epochs: 60,
  }),
  digits: of({
    ...classes(10),
    sample: { set: "digits", rows: 900, validation: 400 },
    hidden: layers([48, 24], "relu"),
    epochs: 30,
  }),
  wine: of({
    ...classes(3),
    sample: { set: "wine", rows: 90, validation: 44 },
    hidden: layers([12], "tanh"),
    batchSize: 16,
    epochs: 40,
  }),
  tumours: of({
    sample: { set: "breastCancer", rows: 280, validation: 140 },
    hidden: layers([16], "relu"),
    epochs: 30,
  }),
  penguins: of({
    ...classes(3),
    sample: { set: "penguins", rows: 170, validation: 80 },
    alter: [{ do: "drop" }],
    hidden: layers([16], "relu"),
    batchSize: 16,
    epochs: 40,
  }),
  diabetes: of({
    ...numbers,
    sample: { set: "diabetes", rows: 220, validation: 110 },
    hidden: layers([16], "relu"),
    learningRate: 0.01,
    epochs: 40,
  }),
}

const he = (factor: number) => varianceScaling({ scale: 2 * factor * factor })
const normal = (stddev: number) => randomNormal({ stddev })

type Row = readonly [id: string, base: string, change: Changes, cause: FaultCode, ...also: FaultCode[]]

/** Everything that a neural-network course calls healthy, with what naive rules take for sick. */
const controls: readonly (readonly [id: string, base: string, change: Changes])[] = [
  ["circles", "circles", {}],
  ["spirals", "spirals", {}],
  ["blobs", "blobs", {}],
  ["flowers", "flowers", {}],
  ["xor", "xor", {}],
  ["friedman", "friedman", {}],
  ["mnist", "mnist", {}],
  ["circles tanh", "circles", { hidden: layers([16, 16], "tanh"), epochs: 90 }],
  ["circles adam", "circles", { optimizer: "adam", learningRate: 0.01 }],
  ["circles deep", "circles", { hidden: layers([16, 16, 16, 16], "relu", { kernel: he(1) }) }],
  ["circles noisy", "circles", { sample: { noise: 0.2 }, hidden: layers([8], "relu"), epochs: 90 }],
  ["circles wide inputs", "circles", { alter: [{ do: "standardize" }] }],
  ["circles thinned", "circles", { alter: [{ do: "thin", class: 1, share: 0.4 }] }],
  ["blobs slower", "blobs", { learningRate: 0.03 }],
  ["blobs sigmoid", "blobs", { hidden: layers([16], "sigmoid"), optimizer: "adam", learningRate: 0.01 }],
  ["blobs overlapping", "blobs", { sample: { noise: 1.6 } }],
  ["mnist adam", "mnist", { optimizer: "adam", learningRate: 0.001 }],
  ["mnist tanh", "mnist", { hidden: layers([64, 64], "tanh") }],
  ["mnist batches of 128", "mnist", { batchSize: 128, learningRate: 0.3, epochs: 20 }],
  ["mnist dropout", "mnist", { dropout: 0.2 }],
  ["friedman noisy", "friedman", { sample: { noise: 0.5 } }],
  ["spirals relu", "spirals", { hidden: layers([32, 32], "relu") }],
  ["flowers adam", "flowers", { optimizer: "adam", learningRate: 0.01 }],
  ["flowers sparse", "flowers", { loss: "sparseCategoricalCrossentropy" }],
]

const faults: readonly Row[] = [
  ["rate 4", "circles", { learningRate: 4 }, "F08"],
  ["rate 2", "mnist", { learningRate: 2 }, "F08"],
  ["rate 1", "friedman", { learningRate: 1 }, "F08"],
  ["adam .4", "spirals", { learningRate: 0.4 }, "F08"],
  ["adam 2", "blobs", { optimizer: "adam", learningRate: 2 }, "F08", "F05"],
  ["rate .5, momentum .97", "circles", { hidden: layers([16, 16], "tanh"), learningRate: 0.5, momentum: 0.97 }, "F08"],
  ["rate 1e-4", "circles", { learningRate: 1e-4 }, "F09"],
  ["rate 2e-4", "mnist", { learningRate: 2e-4 }, "F09"],
  ["adam 1e-5", "spirals", { learningRate: 1e-5 }, "F09"],
  ["adam 1e-6", "friedman", { optimizer: "adam", learningRate: 1e-6 }, "F09"],
  ["rate 1e-4", "flowers", { learningRate: 1e-4 }, "F09"],
  ["tanh N(0, 1)", "mnist", { hidden: layers([64, 64], "tanh", { kernel: normal(1) }) }, "F04", "F15"],
  ["sigmoid N(0, 25)", "circles", { hidden: layers([16, 16], "sigmoid", { kernel: normal(25) }) }, "F04", "F15"],
  ["sigmoid, inputs x50", "flowers", { hidden: layers([8], "sigmoid"), alter: [{ do: "scale", by: 50 }] }, "F04", "F02"],
  ["bias -4", "circles", { hidden: layers([16, 16], "relu", { bias: -4 }) }, "F05", "F15"],
  ["bias -6", "mnist", { hidden: layers([64, 64], "relu", { bias: -6 }) }, "F05", "F15"],
  ["12 layers of 3", "circles", { hidden: layers(new Array(12).fill(3), "relu") }, "F05", "F06", "F23"],
  ["8 sigmoid layers", "circles", { hidden: layers(new Array(8).fill(16), "sigmoid") }, "F06", "F23"],
  ["7 sigmoid layers", "mnist", { hidden: layers(new Array(7).fill(32), "sigmoid") }, "F06", "F23"],
  ["10 small tanh layers", "blobs",
    { hidden: layers(new Array(10).fill(5), "tanh", { kernel: randomUniform({ minval: -0.05, maxval: 0.05 }) }) }, "F06", "F15", "F23"],
  ["10 layers of He x3", "circles", { hidden: layers(new Array(10).fill(32), "relu", { kernel: he(3) }) }, "F07", "F15"],
  ["6 layers of He x4", "mnist", { hidden: layers(new Array(6).fill(64), "relu", { kernel: he(4) }) }, "F07", "F15"],
  ["6 exponential layers", "blobs", { hidden: layers(new Array(6).fill(5), "exponential") }, "F07", "F14"],
  ["overfit", "mnist", { sample: { rows: 150 }, alter: [{ do: "mislabel", share: 0.3 }], hidden: layers([256, 256], "relu"),
    optimizer: "adam", learningRate: 0.001, epochs: 200 }, "F17"],
  ["overfit", "circles", { sample: { rows: 60, noise: 0.35 }, hidden: layers([128, 128], "relu"), epochs: 150,
    optimizer: "adam", learningRate: 0.01 }, "F17"],
  ["overfit", "friedman", { sample: { rows: 60, noise: 0.5 }, hidden: layers([128, 128], "relu"), epochs: 300,
    optimizer: "adam", learningRate: 0.01 }, "F17"],
  ["0 to 255", "mnist", { alter: [{ do: "scale", by: 255 }] }, "F02"],
  ["x100", "circles", { alter: [{ do: "scale", by: 100 }] }, "F02"],
  ["a feature x1000", "friedman", { alter: [{ do: "scale", by: 1000, feature: 3 }] }, "F02"],
  ["+200", "blobs", { alter: [{ do: "shift", by: 200, of: "all" }] }, "F02"],
  ["relu output", "circles", { output: { units: 1, activation: "relu" } }, "F12"],
  ["linear output", "mnist", { output: { units: 10, activation: "linear" } }, "F12"],
  ["softmax twice", "mnist", { output: { units: 10, activation: "softmax", twice: true } }, "F12"],
  ["sigmoid output", "friedman", { output: { units: 1, activation: "sigmoid" } }, "F12"],
  ["softmax of one", "circles", { output: { units: 1, activation: "softmax" } }, "F12"],
  ["saturated, quadratic", "mnist", { hidden: layers([64], "sigmoid", { kernel: normal(1) }), loss: "meanSquaredError",
    output: { units: 10, activation: "sigmoid", kernel: normal(1) }, learningRate: 0.01 }, "F12", "F04", "F15", "F09"],
  ["labels as numbers", "mnist", { alter: [{ do: "code", as: "index" }] }, "F13"],
  ["two ones in a row", "blobs", { alter: [{ do: "code", as: "twoHot" }] }, "F13"],
  ["-1 and 1", "circles", { alter: [{ do: "code", as: "signs" }] }, "F13"],
  ["1 and 2", "circles", { alter: [{ do: "code", as: "fromOne" }] }, "F13"],
  ["3 %", "circles", { sample: { noise: 0.2 }, alter: [{ do: "thin", class: 1, share: 0.03 }] }, "F16"],
  ["2 %", "blobs", { sample: { noise: 1.2 }, alter: [{ do: "thin", class: 1, share: 0.02 }] }, "F16"],
  ["zeros", "circles", { hidden: layers([16, 16], "relu", { kernel: constant({ value: 0 }) }) }, "F15"],
  ["all .5", "mnist", { hidden: layers([64, 64], "relu", { kernel: constant({ value: 0.5 }) }) }, "F15"],
  ["N(0, .001), 3 layers", "mnist", { hidden: layers([64, 64, 64], "relu", { kernel: normal(0.001) }) }, "F15", "F06"],
  ["one batch", "mnist", { batchSize: 2000 }, "F20"],
  ["one batch", "circles", { batchSize: 700 }, "F20"],
  ["batches of 1", "mnist", { batchSize: 1, learningRate: 0.15, epochs: 6 }, "F21", "F08"],
  ["batches of 1", "friedman", { batchSize: 1, learningRate: 0.08, epochs: 30 }, "F21", "F08"],
  ["2 neurons", "spirals", { hidden: layers([2], "tanh") }, "F22"],
  ["2 neurons", "mnist", { hidden: layers([2], "relu") }, "F22"],
  ["linear", "circles", { hidden: layers([16, 16], "linear") }, "F14", "F22"],
  ["no hidden layer", "spirals", { hidden: [] }, "F22", "F14"],
  ["sorted", "mnist", { alter: [{ do: "sort" }], shuffle: false }, "F19"],
  ["permuted", "circles", { alter: [{ do: "permute" }] }, "F27"],
  ["empty numbers", "circles", { alter: [{ do: "empty", rows: 3 }] }, "F01"],
  ["dropout .9", "circles", { dropout: 0.9 }, "F25"],
  ["l2 .1", "mnist", { l2: 0.1 }, "F25"],
  ["clip .002", "mnist", { clip: 0.002 }, "F11"],
  ["6 epochs", "spirals", { epochs: 6, learningRate: 0.003 }, "F18"],
  ["targets x1000", "friedman", { alter: [{ do: "scaleTargets", by: 1000 }] }, "F29"],
  ["validation +3", "circles", { alter: [{ do: "shift", by: 3, of: "unseen" }] }, "F26"],
  ["constant inputs", "flowers", { alter: [{ do: "constant" }] }, "F03"],
] // biome-ignore format: a table

/** Programs that people asked about on Stack Overflow (DeepFD's subjects, by number), as far as their set-up can be said in these words. */
const outside: readonly Row[] = [
  ["31556268", "xor", { hidden: layers([4], "sigmoid"), loss: "meanAbsoluteError", learningRate: 0.01 }, "F12", "F09", "F22", "F18"],
  ["48934338", "friedman", { alter: [{ do: "scale", by: 10 }], hidden: layers([50, 50], "relu"), learningRate: 0.1 }, "F08", "F02"],
  ["33969059", "circles", { output: { units: 1, activation: "softmax" }, loss: "meanSquaredError" }, "F12"],
  ["31880720", "xor", { output: { units: 1, activation: "softmax" }, hidden: layers([32], "tanh") }, "F12"],
  ["42800203", "spirals", { output: { units: 1, activation: "softmax" }, hidden: layers([64, 64], "relu") }, "F12"],
  ["48221692", "friedman", { output: { units: 1, activation: "sigmoid" }, alter: [{ do: "scaleTargets", by: 10, plus: 20 }] }, "F12", "F29"],
  ["52800582", "friedman", { alter: [{ do: "scale", by: 100 }, { do: "scaleTargets", by: 100, plus: 500 }] }, "F29", "F02"],
  ["55328966", "mnist", { alter: [{ do: "scale", by: 255 }], hidden: layers([128], "relu"), learningRate: 0.01 }, "F02"],
  ["44066044", "flowers", { alter: [{ do: "scale", by: 300 }], hidden: layers([12], "relu") }, "F02"],
  ["47352366", "mnist", { output: { units: 10, activation: "relu" }, hidden: layers([64], "relu") }, "F12"],
  ["48251943", "friedman", { output: { units: 1, activation: "relu" }, hidden: layers([20], "relu") }, "F12"],
  ["58609115", "circles", { loss: "categoricalCrossentropy" }, "F12", "F13"],
  ["50079585", "blobs", { output: { units: 1, activation: "sigmoid" }, loss: "binaryCrossentropy" }, "F12", "F13"],
  ["37624102", "mnist", { momentum: 0.9, learningRate: 0.3, hidden: layers([128, 64], "relu") }, "F08"],
  ["37213388", "spirals", { epochs: 2, batchSize: 64 }, "F18"],
  ["44998910", "friedman", { learningRate: 1e-5, hidden: layers([64, 64], "relu") }, "F09"],
] // biome-ignore format: a table

const deep = (n: number, units: number, activation: string, change: Changes = {}): Changes => ({
  hidden: layers(new Array(n).fill(units), activation),
  ...change,
})

/** Deep nets on circles and blobs, of the kind on which AutoTrainer was tried. */
const toys: readonly Row[] = [
  ["sigmoid 9x8", "circles", deep(9, 8, "sigmoid", { optimizer: "adam", learningRate: 0.001 }), "F06", "F23", "F09"],
  ["sigmoid 11x5", "blobs", deep(11, 5, "sigmoid"), "F06", "F23"],
  ["tanh 10x6, rate 1e-3", "circles", deep(10, 6, "tanh", { learningRate: 1e-3 }), "F09", "F06", "F23"],
  ["relu 8x8, N(0, .01)", "circles", { hidden: layers(new Array(8).fill(8), "relu", { kernel: normal(0.01) }) }, "F15", "F06", "F23"],
  ["relu 10x10, N(0, 1)", "blobs", { hidden: layers(new Array(10).fill(10), "relu", { kernel: normal(1) }) }, "F07", "F15"],
  ["relu 8x10, bias -2", "blobs", { hidden: layers(new Array(8).fill(10), "relu", { bias: -2 }) }, "F05", "F15"],
  ["relu 9x6, rate 2", "circles", deep(9, 6, "relu", { learningRate: 2 }), "F08", "F05"],
  ["relu 8x10, adam 1", "blobs", deep(8, 10, "relu", { optimizer: "adam", learningRate: 1 }), "F08", "F05"],
  ["tanh 6x8, rate 3", "circles", deep(6, 8, "tanh", { learningRate: 3 }), "F08", "F04"],
  ["tanh 6x8, N(0, 3)", "blobs", { hidden: layers(new Array(6).fill(8), "tanh", { kernel: normal(3) }) }, "F04", "F15"],
  ["sigmoid 8x8, x100", "blobs", deep(8, 8, "sigmoid", { alter: [{ do: "scale", by: 100 }] }), "F02", "F06", "F23"],
  ["relu 6x10, rate 1e-5", "blobs", deep(6, 10, "relu", { learningRate: 1e-5 }), "F09"],
] // biome-ignore format: a table

/** Other sets, shapes and values: looked at once, when the rules stand. */
const unseen: readonly Row[] = [
  ["rate 8", "moons", { learningRate: 8 }, "F08"],
  ["rate 3", "digits", { learningRate: 3 }, "F08"],
  ["adam .6", "hills", { learningRate: 0.6 }, "F08"],
  ["rate 3e-5", "moons", { learningRate: 3e-5 }, "F09"],
  ["adam 3e-6", "hills", { learningRate: 3e-6 }, "F09"],
  ["rate 3e-4", "digits", { learningRate: 3e-4 }, "F09"],
  ["tanh N(0, 4)", "digits", { hidden: layers([48, 24], "tanh", { kernel: normal(4) }) }, "F04", "F15"],
  ["bias -5", "moons", { hidden: layers([24, 12], "relu", { bias: -5 }) }, "F05", "F15"],
  ["9 sigmoid layers", "digits", { hidden: layers(new Array(9).fill(24), "sigmoid") }, "F06", "F23"],
  ["8 layers of He x5", "moons", { hidden: layers(new Array(8).fill(24), "relu", { kernel: he(5) }) }, "F07", "F15"],
  ["overfit", "moons", { sample: { rows: 50, noise: 0.4 }, hidden: layers([96, 96], "relu"), optimizer: "adam", learningRate: 0.01,
    epochs: 150 }, "F17"],
  ["x250", "tumours", { alter: [{ do: "scale", by: 250 }] }, "F02"],
  ["a feature x5000", "wine", { alter: [{ do: "scale", by: 5000, feature: 12 }] }, "F02"],
  ["linear output", "digits", { output: { units: 10, activation: "linear" } }, "F12"],
  ["tanh output", "moons", { output: { units: 1, activation: "tanh" } }, "F12"],
  ["softmax of one", "tumours", { output: { units: 1, activation: "softmax" } }, "F12"],
  ["relu output", "hills", { output: { units: 1, activation: "relu" } }, "F12"],
  ["labels as numbers", "digits", { alter: [{ do: "code", as: "index" }] }, "F13"],
  ["-1 and 1", "tumours", { alter: [{ do: "code", as: "signs" }] }, "F13"],
  ["3 %", "moons", { sample: { rows: 900, noise: 0.3 }, alter: [{ do: "thin", class: 0, share: 0.03 }] }, "F16"],
  ["all .1", "digits", { hidden: layers([48, 24], "relu", { kernel: constant({ value: 0.1 }) }) }, "F15"],
  ["one batch", "digits", { batchSize: 900 }, "F20"],
  ["1 neuron", "digits", { hidden: layers([1], "relu") }, "F22"],
  ["linear", "hills", { hidden: layers([48, 48], "linear") }, "F14", "F22"],
  ["sorted", "digits", { alter: [{ do: "sort" }], shuffle: false }, "F19"],
  ["permuted", "digits", { alter: [{ do: "permute" }] }, "F27"],
  ["empty numbers", "wine", { alter: [{ do: "empty", rows: 2 }] }, "F01"],
  ["dropout .95", "digits", { dropout: 0.95 }, "F25"],
  ["clip .001", "moons", { clip: 0.001 }, "F11"],
  ["3 epochs", "hills", { epochs: 3 }, "F18"],
  ["targets x5000", "hills", { alter: [{ do: "scaleTargets", by: 5000 }] }, "F29"],
  ["validation +4", "wine", { alter: [{ do: "shift", by: 4, of: "unseen" }] }, "F26"],
  // Of kinds that no other case has: inputs and targets too small, targets off centre, biases that saturate, a penalty on numbers, an
  // output that cannot go below 0, a large momentum, dead ends in the middle, steps of plain descent through many layers.
  ["x1e-4", "penguins", { alter: [{ do: "scale", by: 1e-4 }] }, "F02"],
  ["a feature x2000", "tumours", { alter: [{ do: "scale", by: 2000, feature: 0 }] }, "F02"],
  ["targets x.001", "diabetes", { alter: [{ do: "scaleTargets", by: 0.001 }] }, "F29"],
  ["targets +400", "diabetes", { alter: [{ do: "scaleTargets", by: 1, plus: 400 }] }, "F29"],
  ["tanh, biases of 8", "penguins", { hidden: layers([16, 16], "tanh", { bias: 8 }) }, "F04", "F15"],
  ["sigmoid, biases of -12", "wine", { hidden: layers([12, 12], "sigmoid", { bias: -12 }) }, "F04", "F15", "F06"],
  ["l2 3", "diabetes", { l2: 3 }, "F25"],
  ["l2 .3", "digits", { l2: 0.3 }, "F25"],
  ["softplus output", "diabetes", { output: { units: 1, activation: "softplus" } }, "F12"],
  ["sigmoid output, absolute error", "diabetes", { output: { units: 1, activation: "sigmoid" }, loss: "meanAbsoluteError" }, "F12"],
  ["linear output", "tumours", { output: { units: 1, activation: "linear" } }, "F12"],
  ["momentum .99", "digits", { momentum: 0.99, learningRate: 0.3 }, "F08"],
  ["rate 2", "diabetes", { learningRate: 2 }, "F08"],
  ["rate 1e-5", "penguins", { learningRate: 1e-5 }, "F09"],
  ["one neuron between", "penguins", { hidden: [...layers([16], "relu"), ...layers([1], "sigmoid"), ...layers([16], "relu")] }, "F22", "F06"],
  ["15 layers of 8", "penguins", { hidden: layers(new Array(15).fill(8), "sigmoid") }, "F06", "F23"],
  ["all -.2", "wine", { hidden: layers([12], "relu", { kernel: constant({ value: -0.2 }) }) }, "F15", "F05"],
  ["1 and 2", "tumours", { alter: [{ do: "code", as: "fromOne" }] }, "F13"],
  ["two ones in a row", "penguins", { alter: [{ do: "code", as: "twoHot" }] }, "F13"],
  ["one batch", "diabetes", { batchSize: 220, epochs: 15 }, "F20", "F09", "F18"],
  ["batches of 1", "diabetes", { batchSize: 1, learningRate: 0.08 }, "F21", "F08"],
  ["4 %", "tumours", { alter: [{ do: "thin", class: 1, share: 0.03 }] }, "F16"],
  ["dropout .95", "penguins", { dropout: 0.95 }, "F25"],
  ["2 epochs", "wine", { epochs: 2 }, "F18"],
  ["permuted", "tumours", { alter: [{ do: "permute" }] }, "F27"],
] // biome-ignore format: a table

/** Healthy ones that no rule has seen. */
const unseenControls: typeof controls = [
  ["moons", "moons", {}],
  ["hills", "hills", {}],
  ["digits", "digits", {}],
  ["wine", "wine", {}],
  ["tumours", "tumours", {}],
  ["digits adam", "digits", { optimizer: "adam", learningRate: 0.003 }],
  ["moons momentum", "moons", { learningRate: 0.03, momentum: 0.9 }],
  ["hills relu", "hills", { hidden: layers([48, 48], "relu") }],
  ["penguins", "penguins", {}],
  ["diabetes", "diabetes", {}],
  ["wine momentum", "wine", { learningRate: 0.02, momentum: 0.9 }],
  ["penguins adam, tanh", "penguins", { hidden: layers([16, 8], "tanh"), optimizer: "adam", learningRate: 0.01 }],
  ["tumours sigmoid", "tumours", { hidden: layers([8], "sigmoid"), optimizer: "adam", learningRate: 0.02 }],
]

/** Too long a training: its control is the same one, ended early. */
const epochsOf: { readonly [id: string]: number } = {
  "mnist: overfit": 8,
  "circles: overfit": 8,
  "friedman: overfit": 25,
  "moons: overfit": 8,
}

const rowsOf = (rows: readonly Row[], kind: Case["kind"], heldOut?: true): Case[] =>
  rows.map(([id, base, change, cause, ...also]) => ({
    ...{ id: `${base}: ${id}`, kind, base, change, cause },
    ...(also.length > 0 ? { also } : {}),
    ...(epochsOf[`${base}: ${id}`] === undefined
      ? {}
      : { healthy: { ...change, epochs: epochsOf[`${base}: ${id}`]! } }),
    ...(heldOut ? { heldOut } : {}),
  }))

const healthy = (rows: typeof controls, heldOut?: true): Case[] =>
  rows.map(([id, base, change]) => ({ id, kind: "control", base, change, ...(heldOut ? { heldOut } : {}) }))

/** All cases; their ids are unique. */
export const cases: readonly Case[] = [
  ...healthy(controls),
  ...rowsOf(faults, "fault"),
  ...rowsOf(outside, "outside"),
  ...rowsOf(toys, "toy"),
  ...healthy(unseenControls, true),
  ...rowsOf(unseen, "fault", true),
]

/** The healthy training with which a case is compared: its base on the rows that the case learns. */
export function controlOf({ base, change: { sample }, healthy }: Case): Setup {
  return changed(bases[base]!, healthy ?? (sample === undefined ? {} : { sample }))
}

/** The training of a case. */
export function setupOf({ base, change }: Pick<Case, "base" | "change">): Setup {
  return changed(bases[base]!, change)
}
