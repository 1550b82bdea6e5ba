// What is called how in Keras: the one table between its vocabulary and ours. Classes are ours with a capital and options ours
// in snake_case, with Keras's defaults; only what differs stands here. Knows no file.

import { show, TrilobiteError } from "../core/errors.ts"
import { snakeCase as classInSnakeCase } from "../nn/names.ts"

/** How files of a kind are written: as Keras 3 writes `.keras`, or as Keras 2 and TensorFlow.js read their JSON. */
export type Dialect = "keras3" | "keras2"

/** What Keras calls a kind of thing differently. */
export interface Names {
  /** Its class, if it is not our type with a capital. */
  readonly className?: string
  /** Options under another name in Keras, also those of older files (`alpha`), the newest first. */
  readonly options?: { readonly [ours: string]: readonly string[] }
  /** Options that we do not have, with the values of which they change nothing. */
  readonly neutral?: { readonly [theirs: string]: readonly unknown[] }
  /** Values of options that older files call otherwise. */
  readonly values?: { readonly [theirs: string]: unknown }
  /** Options that are one number here, and may be a list of one there. */
  readonly single?: readonly string[]
  /** Options that TensorFlow.js writes as null when they were not given. */
  readonly unset?: readonly string[]
  /** What of the options of every layer Keras does not take here. */
  readonly without?: readonly string[]
  /** Groups of its variables below its own in an HDF5 file, by what they begin with here. */
  readonly parts?: { readonly [ours: string]: string }
  /** Where a layer's variables lie in an HDF5 file below its group, if not in the group itself: `cell`. */
  readonly inside?: string
}

/** Layers. A layer that is not here has the names of the rule. */
export const layerNames: { readonly [type: string]: Names } = {
  Dense: { neutral: { quantization_config: [], lora_rank: [], lora_alpha: [] } },
  Embedding: { neutral: { input_length: ["any"], activity_regularizer: [], weights: [], sparse: [] } },
  Flatten: { neutral: { data_format: ["channels_last"] } },
  LeakyReLU: { options: { negativeSlope: ["negative_slope", "alpha"] } },
  BatchNormalization: {
    single: ["axis"],
    neutral: { renorm_momentum: ["any"], renorm_clipping: ["any"], fused: ["any"] },
  },
  Normalization: { single: ["axis"], neutral: { input_mean: [], input_variance: [] } },
  SpatialDropout1D: { without: ["trainable"] },
  SpatialDropout2D: { without: ["trainable"] },
  MultiHeadAttention: {
    single: ["outputShape"],
    neutral: { attention_axes: [1] },
    parts: { query: "query_dense", key: "key_dense", value: "value_dense", attentionOutput: "output_dense" },
  },
  SimpleRNN: { inside: "cell" },
  LSTM: { inside: "cell", unset: ["unitForgetBias"], neutral: { implementation: ["any"], time_major: [] } },
  GRU: { inside: "cell", neutral: { implementation: ["any"], time_major: [] } },
}

/** What every layer of Keras may say without asking for anything. */
export const neutralOfLayers: Names["neutral"] = {
  name: ["any"],
  trainable: ["any"],
  dtype: ["any"],
  batch_input_shape: ["any"],
  batch_shape: ["any"],
  autocast: ["any"],
  activity_regularizer: [],
}

/** What specs (initializers, losses, metrics, …) may say without asking for anything. */
export const neutralOfSpecs: Names["neutral"] = {
  name: ["any"],
  dtype: ["float32"],
  reduction: ["sum_over_batch_size", "auto"],
  axis: [-1],
  decay: [0],
  jit_compile: ["any"],
  is_legacy_optimizer: ["any"],
  loss_scale_factor: [],
  from_sorted_ids: [],
  sparse_y_true: ["any"],
  sparse_y_pred: ["any"],
  num_classes: ["any"],
  fn: ["any"],
  num_labels: [],
}

/** Initializers, regularizers, constraints, losses, metrics, schedules and optimizers. */
export const specNames: { readonly [type: string]: Names } = {
  l1l2: { className: "L1L2" },
  varianceScaling: { values: { normal: "truncatedNormal" } },
  klDivergence: { className: "KLDivergence" },
  auc: { className: "AUC" },
  sgd: { className: "SGD" },
  rmsprop: { className: "RMSprop" },
}

/** Options of optimizers and metrics whose spelling in Keras follows no rule. */
const spellings: { readonly [ours: string]: string } = {
  clipNorm: "clipnorm",
  clipValue: "clipvalue",
  globalClipNorm: "global_clipnorm",
  beta1: "beta_1",
  beta2: "beta_2",
  beta2Decay: "beta_2_decay",
  epsilon1: "epsilon_1",
  epsilon2: "epsilon_2",
}

/** What Keras does not have, of what has a name of ours. */
export const notInKeras: ReadonlySet<string> = new Set([
  "confusionMatrix",
  "perClassAccuracy",
  "meanIoU",
  "oneCycle",
  "stepDecay",
  "threshold",
])

/** Losses that Keras cannot watch as metrics. */
export const noMetricsInKeras: ReadonlySet<string> = new Set([
  "huber",
  "logCosh",
  "binaryFocalCrossentropy",
  "categoricalFocalCrossentropy",
  "dice",
  "tversky",
])

/** A name of ours in snake_case: `kernelInitializer` is `kernel_initializer`, and `ROC` stays. */
export function snake(name: string): string {
  if (!/^[a-z]/.test(name)) return name
  return spellings[name] ?? name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}

/** The class of a thing: `glorotUniform` is `GlorotUniform`. */
export function classNameOf(type: string, names: Names | undefined = specNames[type]): string {
  return names?.className ?? type.charAt(0).toUpperCase() + type.slice(1)
}

/** The name of an option in Keras. */
export function optionOf(option: string, names: Names | undefined): string {
  return names?.options?.[option]?.[0] ?? snake(option)
}

/** The groups of layers in an HDF5 file: `dense`, `dense_1`, … by their classes, in their order. */
export function groupNames(classes: readonly string[]): string[] {
  const used = new Map<string, number>()
  return classes.map((className) => {
    const base = classInSnakeCase(className)
    const n = used.get(base) ?? 0
    used.set(base, n + 1)
    return n === 0 ? base : `${base}_${n}`
  })
}

/**
 * Options of Keras under our names, those that ask for nothing left out.
 * Throws E_MODEL for an option that we do not have and that asks for something.
 */
export function ourOptions(
  where: string,
  theirs: { readonly [option: string]: unknown },
  known: readonly string[],
  names: Names | undefined,
  neutral: Names["neutral"],
): { readonly [option: string]: unknown } {
  const found: { [option: string]: unknown } = Object.create(null)
  const by = new Map<string, string>()
  for (const option of known) for (const name of names?.options?.[option] ?? [snake(option)]) by.set(name, option)
  for (const [name, value] of Object.entries(theirs)) {
    const option = by.get(name)
    const without = { ...neutral, ...names?.neutral }[name]
    if (option !== undefined && value !== undefined && !(value === null && names?.unset?.includes(option))) {
      const one = names?.single?.includes(option) && Array.isArray(value) && value.length === 1 ? value[0] : value
      found[option] = typeof one === "string" ? (names?.values?.[one] ?? one) : one
    }
    if (option === undefined && !asksForNothing(value, without)) {
      throw new TrilobiteError("E_MODEL", { where, what: `the option ${show(name)} is not known.`, got: show(value) })
    }
  }
  return found
}

function asksForNothing(value: unknown, neutral: readonly unknown[] | undefined): boolean {
  if (value === null || value === false || value === undefined) return true
  const single = Array.isArray(value) && value.length === 1 ? value[0] : value
  return neutral?.some((one) => one === "any" || one === single) ?? false
}
