// What the coach knows of a training: plain data without typed arrays, so that a run folder can keep it and rules can be tried on
// it again. Who fills it in is in train/; what is concluded from it is in rules.ts. Knows no model.

/** All that is known of a training so far. Numbers that could not be computed are absent, never NaN; see `Seen` for the others. */
export interface Evidence {
  readonly network: NetworkFacts
  readonly training: TrainingFacts
  /** The training rows; absent for streams, of which nothing is known before they are read. */
  readonly data?: DataFacts
  /** The validation rows, if there are some in memory. */
  readonly validation?: DataFacts
  /** Rows of validation that are training rows too. */
  readonly shared?: number
  /** The network as it stands before the first step. */
  readonly probe?: ProbeFacts
  /** Finished epochs, the first one first. */
  readonly epochs: readonly EpochFacts[]
  /** How the training has ended; absent while it goes on. */
  readonly ended?: "completed" | "stopped" | "aborted" | "failed"
  /** The round (from 0, in which epoch) whose loss was not finite and that was not applied. */
  readonly diverged?: { readonly epoch: number; readonly round: number }
  /** What the tuner has tried beside it: other trainings of the same rows that differ in one thing. */
  readonly trials?: readonly TrialFacts[]
}

/** Another training of the same rows that differs in one thing: half the neurons, a layer less, other initial weights. */
export interface TrialFacts {
  readonly differs: "halfUnits" | "layerLess" | "seed"
  readonly valLoss: Seen
  readonly valAccuracy?: number
}

/** A sum or norm that may be beyond numbers: JSON has no infinity. */
export type Seen = number | "infinite"

/** What is asked of the outputs. */
export type Task = "binary" | "classes" | "labels" | "numbers"

/** A network as it was built: layers in the order of their calls, those without weights too. */
export interface NetworkFacts {
  readonly layers: readonly LayerFacts[]
  /** The output that has a loss (the first of several). */
  readonly output: {
    readonly layer: string
    readonly units: number
    readonly activation: string
    readonly loss: string
    readonly fromLogits: boolean
  }
  /** What the loss and the targets make of it: one yes or no, one of several classes, several labels at once, numbers. */
  readonly task: Task
  readonly parameters: number
}

/** A layer as it was built. */
export interface LayerFacts {
  readonly name: string
  /** Its type as layers are called here: `dense`, `conv2D`. */
  readonly type: string
  /** Whether it has a kernel (a layer of neurons), and whether the output comes from it with nothing but activations between. */
  readonly hasKernel: boolean
  readonly isOutput: boolean
  /** Neurons or channels: the last size of its output. */
  readonly units: number
  readonly parameters: number
  /** Its activation, or that of an activation layer just behind it; `linear` if there is none. */
  readonly activation: string
  /** The activation layer just behind it that gives it its activation, if it has none of its own. */
  readonly activatedBy?: string
  /** Inputs of one neuron, and neurons that one input goes to. */
  readonly fanIn?: number
  readonly fanOut?: number
  readonly kernelInitializer?: string
  /** The rate of a dropout layer. */
  readonly dropout?: number
  /** Factors of its kernel's regularizer. */
  readonly l1?: number
  readonly l2?: number
}

/** How it is trained. */
export interface TrainingFacts {
  readonly optimizer: string
  /** At the beginning; `scheduled` if a schedule or callback changes it (warm-up: the rate of epoch 1 says nothing). */
  readonly learningRate: number
  readonly scheduled: boolean
  readonly momentum: number
  readonly clip?: { readonly kind: "value" | "norm" | "globalNorm"; readonly at: number }
  readonly weightDecay?: number
  readonly batchSize: number
  readonly epochs: number
  /** Rounds of an epoch; 0 while nobody knows, as of a stream. */
  readonly rounds: number
  readonly shuffle: boolean
  readonly classWeights: boolean
  /** Whether a callback ends the training when it no longer helps. */
  readonly earlyStopping: boolean
}

/** What one pass over rows in memory tells. Features are numbers of one row; means and deviations are by feature. */
export interface DataFacts {
  readonly rows: number
  readonly features: number
  /** The shape of a row. */
  readonly shape: readonly number[]
  /** Pictures, or features that all have one range: they are scaled together. */
  readonly sameScale: boolean
  /** Rows with an empty or infinite number in inputs or targets, and the first of them. */
  readonly nonFinite?: { readonly rows: number; readonly first: number }
  readonly means: readonly number[]
  readonly deviations: readonly number[]
  /** The least and the greatest number of all. */
  readonly least: number
  readonly greatest: number
  readonly targets: TargetFacts
  /** Rows that another row repeats (inputs and targets alike). */
  readonly duplicates: number
  /** Ranges, means and deviations are those of so many rows and features, evenly spaced; absent: of all. */
  readonly looked?: { readonly rows: number; readonly features: number }
}

/** What the targets of the rows are. */
export interface TargetFacts {
  readonly shape: readonly number[]
  readonly least: number
  readonly greatest: number
  readonly mean: number
  readonly deviation: number
  /** Whole numbers only. */
  readonly whole: boolean
  /** Rows of several numbers: how many do not sum to 1 or leave 0 to 1. */
  readonly notOne: number
  /** Rows in each class, by its index, where there are classes; a yes or no has two. */
  readonly classes?: readonly number[]
  /** The share of neighbouring rows of one class, and the share that chance would have. */
  readonly neighbours?: { readonly alike: number; readonly chance: number }
  /** The loss of always saying the mean of the targets. */
  readonly baseline?: number
}

/** What some training rows (at most 256) show before the first step, in the mode of training. */
export interface ProbeFacts {
  readonly rows: number
  readonly loss: Seen
  readonly layers: readonly LayerLook[]
  /** The numbers of the output, of all rows. */
  readonly output: { readonly mean: number; readonly deviation: number; readonly saturated?: number }
}

/** What a layer of neurons gives for some rows. */
export interface LayerLook {
  readonly layer: string
  readonly activation: string
  /** Over all rows and neurons: of what comes in, of the sums before the activation, and of what goes out. */
  readonly inputDeviation: Seen
  readonly sumDeviation: Seen
  readonly mean: Seen
  readonly deviation: Seen
  /** The share of values in the outer 2 % of an activation with two flat ends (tanh, sigmoid, softsign). */
  readonly saturated?: number
  /** Neurons that are 0 for all rows, where the activation is flat there (relu and its kin). */
  readonly dead?: number
  /** The root of the mean square of the kernel, and of its gradient in rounds of the usual size. */
  readonly kernelRms: number
  readonly kernelDeviation: number
  readonly gradientRms?: Seen
}

/** An epoch, counted from 0. */
export interface EpochFacts {
  readonly epoch: number
  readonly loss: Seen
  readonly valLoss?: Seen
  readonly accuracy?: number
  readonly valAccuracy?: number
  /** Share of each class's validation rows (training rows where there are none) that were found. */
  readonly recall?: readonly number[]
  readonly learningRate: number
  readonly rounds: number
  /** How kernels moved, in epochs that were watched (of short ones 1, 2, 4, 16, 64, … and the last, of long ones all); else none. */
  readonly kernels: readonly KernelFacts[]
  /** Looks of this epoch; not every epoch has them. */
  readonly layers?: readonly LayerLook[]
  readonly ahead?: Ahead
  /** Seconds of training, and of those what the coach has taken. */
  readonly seconds: number
  readonly coachSeconds: number
}

/** How a kernel moved in an epoch: sums over the rounds that were watched. */
export interface KernelFacts {
  readonly layer: string
  readonly name: string
  readonly watched: number
  /** Mean of ‖gradient‖² over the rounds, after the regularizer and before clipping, and ‖mean gradient‖². */
  readonly gradientSquare: Seen
  readonly meanGradientSquare: Seen
  /** ‖w‖ at the beginning, root of the mean of ‖Δw‖², ‖w(end) − w(beginning)‖. */
  readonly length: number
  readonly step: Seen
  readonly way: Seen
  /** The share of rounds in which the gradient was shortened. */
  readonly clipped?: number
}

/** Losses of some rows (at most 256 of training) at other places than where the weights stand. */
export interface Ahead {
  /** Where the weights stand. */
  readonly here: Seen
  /** After so many mean steps of the epoch more: at w(end) + m·(w(end) − w(beginning)) / rounds. */
  readonly at: readonly { readonly steps: number; readonly loss: Seen }[]
  /** At the mean of the weights over the rounds that were watched. */
  readonly atMean?: Seen
}
