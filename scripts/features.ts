// Writes FEATURES.md: every public name of Keras 3 with yes, no or not planned, and why. `node scripts/features.ts`.
// What is there is read from our own tables; test/features.test.ts sees to it that the file says what they say.

import { writeFileSync } from "node:fs"
import keras from "../test/fixtures/keras-defaults.json" with { type: "json" }
import { availableNames, type Group, groups } from "../test/support/features.ts"

type Answer = readonly ["no" | "not planned", string]

const CONVOLUTION: Answer = ["no", "comes with convolution and sequences"]
const TABLES: Answer = ["no", "comes with the readers of tables"]
const VOLUMES: Answer = ["not planned", "volumes and videos: five axes are beyond what our users train"]

const CURVES: Answer = ["no", "comes beside AUC"]
const OVERLAPS: Answer = ["no", "comes with images; dice and tversky are there as losses"]

/** Why something is not there, by pattern: the first that fits. */
const reasons: readonly (readonly [RegExp, Answer])[] = [
  [/^(PrecisionAtRecall|RecallAtPrecision|SensitivityAtSpecificity|SpecificityAtSensitivity)$/, CURVES],
  [/IoU$/, OVERLAPS],
  [/^CategoricalGeneralizedCrossEntropy$/, ["no", "for noisy labels; customLoss can say it"]],
  [/^(OptimizerMap|ScheduleFreeAdamW)$/, ["not planned", "beyond the common optimizers"]],
  [/^SwapEMAWeights$/, ["not planned", "useEma of every optimizer puts the means in place"]],
  [/^STFT$/, ["not planned", "sound: a library for signals"]],
  [/^(Adaptive|AveragePooling|MaxPooling|Global|Conv|Cropping|UpSampling|ZeroPadding|SpatialDropout).*3D/, VOLUMES],
  [/^(Adaptive(Average|Max)Pooling3D)$/, VOLUMES],
  [/^ConvLSTM/, ["not planned", "rarely trained today; LSTM over convolved steps does the same"]],
  [/^Adaptive/, ["not planned", "a pooling whose window follows the input; shapes are known when a model is compiled"]],
  [
    /^(Conv|Depthwise|Separable|AveragePooling|MaxPooling|Global|Cropping|UpSampling|ZeroPadding|SpatialDropout)/,
    CONVOLUTION,
  ],
  [
    /^(RNN|StackedRNNCells|SimpleRNNCell|LSTMCell|GRUCell)$/,
    ["not planned", "cells by themselves: ops.scan in a customLayer is the typed form of a cell of one's own"],
  ],
  [/Attention/, CONVOLUTION],
  [/^StringLookup$/, ["no", "textVectorization with split: null does it for whole texts; alone it comes with tables"]],
  [/^(IntegerLookup|CategoryEncoding|Discretization|Hashing|HashedCrossing)$/, TABLES],
  [
    /^(Random|Rand|Aug|Auto|Cut|Mix|Solarization|Equalization|Contrast|CenterCrop|Resizing|MaxNum)/,
    ["not planned", "image preparation beyond the common five: prepare images before training"],
  ],
  [/^(MelSpectrogram|STFT)/, ["not planned", "sound: a library for signals does it before training"]],
  [/^(Lambda)$/, ["not planned", "code in a model: customLayer is the typed form, and files never hold code"]],
  [
    /^(EinsumDense|ReversibleEmbedding|TernaryDense|SpectralNormalization)$/,
    ["not planned", "used inside other systems' transformers; customLayer can say it"],
  ],
  [/^(InputLayer)$/, ["not planned", "input() gives the value itself"]],
  [
    /^(LossScaleOptimizer|MultiOptimizer|Muon)$/,
    ["not planned", "float32 needs no loss scale; groups of an optimizer take the place of several"],
  ],
  [
    /^(OrbaxCheckpoint|RemoteMonitor)$/,
    ["not planned", "belongs to JAX's files, and to a server; JSON lines can be sent anywhere"],
  ],
  [
    /^(BackupAndRestore)$/,
    ["not planned", "checkpoints and fit({ resume }) do it, in mid-epoch and with the same bits"],
  ],
  [/^(CTC|ctc)$/, ["not planned", "alignment of sequences of unknown length"]],
  [/^(Circle|circle)$/, ["not planned", "a loss over pairs within a batch, for retrieval"]],
  [
    /^(Mean|Sum|MeanMetricWrapper)$/,
    ["not planned", "wrappers of Keras's classes: a metric of one's own is customMetric"],
  ],
  [/^ConcordanceCorrelation$|^PearsonCorrelation$/, ["not planned", "ask the predictions"]],
]

const title: { readonly [K in Group]: string } = {
  layers: "Layers",
  activations: "Activations",
  initializers: "Initializers",
  regularizers: "Regularizers",
  constraints: "Constraints",
  losses: "Losses",
  metrics: "Metrics",
  optimizers: "Optimizers",
  schedules: "Learning-rate schedules",
  callbacks: "Callbacks",
}

const plain = (name: string): string => name.replaceAll("_", "").toLowerCase()

/** The text of FEATURES.md. */
export function featuresText(): string {
  const parts = groups.map((group) => {
    const ours = availableNames(group)
    const rows = Object.keys(keras[group]).map((name) => {
      const found = ours.get(plain(name))
      if (found !== undefined) return `| ${name} | yes | \`${found}\` |`
      const reason = reasons.find(([pattern]) => pattern.test(name))
      if (reason === undefined) throw new Error(`${group}: there is no reason why ${name} is missing`)
      const [answer, why] = reason[1]
      return `| ${name} | ${answer} | ${why} |`
    })
    const theirs = new Set(Object.keys(keras[group]).map(plain))
    const beyond = [...ours].filter(([name]) => !theirs.has(name))
    const more = beyond.length === 0 ? "" : `\nOurs alone: ${beyond.map(([, name]) => `\`${name}\``).join(", ")}.\n`
    return `## ${title[group]}\n\n| Keras 3 | here | as, or why not |\n|---|---|---|\n${rows.join("\n")}\n${more}`
  })
  return `# Features

Every public name of Keras 3 and what there is of it here. Written by \`node scripts/features.ts\` from the library's own tables;
a test sees to it that it is true, that what is there has Keras's defaults, and that each has a case of its own in the tests.

${parts.join("\n")}`
}

if (process.argv[1] === import.meta.filename) writeFileSync(new URL("../FEATURES.md", import.meta.url), featuresText())
