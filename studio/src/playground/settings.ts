// What the playground can be set to, and the words for it. Knows no page and no training.

/** The names of the data sets; "own" is what the reader brought or drew. */
export const dataNames = ["spirals", "circles", "moons", "blobs", "three", "checks", "slope", "hills", "own"] as const
/** A data set. */
export type DataName = (typeof dataNames)[number]

/** The names of the features in the order in which they enter the network. */
export const featureNames = ["x1", "x2", "x1sq", "x2sq", "x1x2", "sin1", "sin2"] as const
/** What is computed from a point and given to the network. */
export type FeatureName = (typeof featureNames)[number]

/** The activations of the hidden layers. */
export const activations = [
  "tanh",
  "relu",
  "sigmoid",
  "linear",
  "leakyRelu",
  "elu",
  "gelu",
  "silu",
  "softplus",
] as const
/** An activation. */
export type Activation = (typeof activations)[number]

/** The costs. */
export const costs = ["crossEntropy", "quadratic"] as const
/** A cost. */
export type Cost = (typeof costs)[number]

/** The optimizers. */
export const optimizers = ["sgd", "momentum", "rmsprop", "adam"] as const
/** An optimizer. */
export type OptimizerName = (typeof optimizers)[number]

/** How the learning rate goes on. */
export const schedules = ["constant", "halving", "steps", "cosine"] as const
/** A schedule of the learning rate. */
export type ScheduleName = (typeof schedules)[number]

/** What is added to the cost for large weights. */
export const regularizers = ["none", "l1", "l2"] as const
/** A regularizer. */
export type RegularizerName = (typeof regularizers)[number]

/** When training ends. */
export const stopRules = ["never", "settled", "epochs"] as const
/** A stop rule. */
export type StopRule = (typeof stopRules)[number]

/** Everything that decides how a network is trained: the same settings give the same weights, bit for bit. */
export interface Settings {
  readonly data: DataName
  /** Percent. */
  readonly noise: number
  readonly points: number
  /** Percent of the points that train; the others test. */
  readonly share: number
  /** What the points depend on. */
  readonly seed: number
  /** The reader's own points, packed. */
  readonly own: string
  readonly features: readonly FeatureName[]
  /** Neurons of each hidden layer. */
  readonly layers: readonly number[]
  readonly activation: Activation
  readonly cost: Cost
  readonly optimizer: OptimizerName
  readonly rate: number
  readonly schedule: ScheduleName
  readonly batch: number
  readonly shuffle: boolean
  readonly regularizer: RegularizerName
  readonly strength: number
  readonly stop: StopRule
  /** How many epochs, for the stop rule that counts them. */
  readonly epochs: number
  /** What the initial weights and the order of the points depend on. */
  readonly init: number
}

/** The settings at the beginning. */
export const initial: Settings = {
  data: "spirals",
  noise: 10,
  points: 200,
  share: 70,
  seed: 1,
  own: "",
  features: ["x1", "x2"],
  layers: [8, 6],
  activation: "tanh",
  cost: "crossEntropy",
  optimizer: "adam",
  rate: 0.02,
  schedule: "constant",
  batch: 14,
  shuffle: true,
  regularizer: "l2",
  strength: 0.0001,
  stop: "never",
  epochs: 500,
  init: 1,
}

/** The most hidden layers, and the most neurons of one. */
export const MOST_LAYERS = 6
/** The most neurons of a layer. */
export const MOST_NEURONS = 8

/** The epochs that the stop rule waits for a lower test cost, and how often it looks. */
export const PATIENCE = 100
/** Epochs between two looks of the stop rule. */
export const LOOK_EVERY = 10

/** Where each schedule has its turns, in epochs. */
export const scheduleEpochs = { halving: 100, steps: 200, cosine: 500 } as const

/** A data set with its name on the thumbnail and in the sentence. */
export const dataWords: { readonly [N in DataName]: { readonly thumb: string; readonly words: string } } = {
  spirals: { thumb: "Spirals", words: "two spirals" },
  circles: { thumb: "Circles", words: "two circles" },
  moons: { thumb: "Moons", words: "two moons" },
  blobs: { thumb: "Blobs", words: "two blobs" },
  three: { thumb: "Three", words: "three blobs" },
  checks: { thumb: "Checks", words: "checks" },
  slope: { thumb: "Slope", words: "a slope" },
  hills: { thumb: "Hills", words: "hills and hollows" },
  own: { thumb: "Your own", words: "your own points" },
}

/** The cost that these classes allow: numbers are judged by the quadratic cost alone. */
export function costOf({ cost }: Pick<Settings, "cost">, classes: number): Cost {
  return classes === 0 ? "quadratic" : cost
}

/** Whether a network for the one fits the other: then its weights can be kept. */
export function sameShape(a: Settings, b: Settings): boolean {
  return (
    a.data === b.data &&
    a.features.join() === b.features.join() &&
    a.layers.join() === b.layers.join() &&
    a.init === b.init
  )
}
