// The table of layers that the oracles run over (test/layers.test.ts): one row or more for each type of layer. A row has shapes of
// inputs, which follow from three sizes, and the layer. Whoever adds a layer adds a row; the test says if one is missing.
import { streams } from "../src/core/random.ts"
import { BATCH, type Shape } from "../src/core/shape.ts"
import type { Node } from "../src/graph/node.ts"
import * as layers from "../src/index.ts"
import { newTracing, type ParameterSpec, type Scope, scopeOf } from "../src/nn/scope.ts"
import type { LayerData } from "../src/nn/symbolic.ts"
import { WINDOW_LAYER_ROWS } from "./layers.windows.cases.ts"
import type { Leaf, OpRow, Sizes } from "./ops.cases.ts"

/** One row of the table. */
export interface LayerRow {
  readonly name: string
  readonly layer: (sizes: Sizes) => LayerData
  /** Shapes of one example of each input. */
  readonly inputs: (...sizes: Sizes) => readonly Shape[]
  /** Whether it is traced as in training (default true). */
  readonly training?: boolean
  /** Where the values of its inputs lie, and those of its parameters; by default −2 to 2, and 0.2 to 3. */
  readonly range?: readonly [number, number]
  /** Inputs are whole numbers: there is no slope. */
  readonly whole?: boolean
}

const vector = (_: number, b: number): Shape[] => [[b]]
const images = (a: number, b: number, c: number): Shape[] => [[a, b, c]]
const steps = (_: number, b: number, c: number): Shape[] => [[b, c]]
const first = "channelsFirst"
const sequence = (_: number, b: number, c: number): Shape[] => [[b, c]]
const pair = (_: number, b: number): Shape[] => [[b], [b]]
const triple = (_: number, b: number): Shape[] => [[b], [b], [b]]

/** The rows. */
export const LAYER_ROWS: readonly LayerRow[] = [
  { name: "Dense", layer: ([a]) => layers.dense({ units: a, activation: "tanh" }), inputs: vector },
  { name: "Dense on images", layer: () => layers.dense({ units: 3 }), inputs: images },
  { name: "Activation", layer: () => layers.activation({ activation: "gelu" }), inputs: vector },
  { name: "Flatten", layer: () => layers.flatten(), inputs: images },
  { name: "Reshape", layer: ([a]) => layers.reshape({ targetShape: [-1, a] }), inputs: images },
  { name: "Rescaling", layer: () => layers.rescaling({ scale: 0.3, offset: -1 }), inputs: vector },
  {
    name: "Embedding",
    layer: ([a, b]) => layers.embedding({ inputDim: a + 2, outputDim: b }),
    inputs: (_, b, c) => [[b, c]],
    range: [0, 1],
    whole: true,
  },
  {
    name: "Normalization",
    layer: ([, b]) => layers.normalization({ mean: Array(b).fill(0.25), variance: Array(b).fill(4) }),
    inputs: vector,
  },
  {
    name: "Normalization, inverted",
    layer: () => layers.normalization({ mean: 1, variance: 4, invert: true }),
    inputs: images,
  },
  { name: "ReLU", layer: () => layers.reLU({ maxValue: 1, negativeSlope: 0.2, threshold: 0.1 }), inputs: vector },
  { name: "LeakyReLU", layer: () => layers.leakyReLU(), inputs: vector },
  { name: "PReLU", layer: () => layers.prelu({ sharedAxes: [2] }), inputs: images },
  { name: "ELU", layer: () => layers.elu({ alpha: 0.7 }), inputs: vector },
  { name: "Softmax", layer: () => layers.softmax({ axis: 1 }), inputs: images },
  { name: "Permute", layer: () => layers.permute({ dims: [2, 3, 1] }), inputs: images },
  { name: "RepeatVector", layer: ([a]) => layers.repeatVector({ n: a }), inputs: vector },
  { name: "Identity", layer: () => layers.identityLayer(), inputs: vector },
  { name: "ActivityRegularization", layer: () => layers.activityRegularization({ l2: 0.1 }), inputs: vector },
  { name: "Dropout", layer: () => layers.dropout({ rate: 0.3 }), inputs: vector },
  { name: "Dropout, asked", layer: () => layers.dropout({ rate: 0.3 }), inputs: vector, training: false },
  {
    name: "Dropout of columns",
    layer: () => layers.dropout({ rate: 0.5, noiseShape: [null, 1, -1, 1] }),
    inputs: images,
  },
  { name: "AlphaDropout", layer: () => layers.alphaDropout({ rate: 0.4, seed: 7 }), inputs: vector },
  { name: "GaussianNoise", layer: () => layers.gaussianNoise({ stddev: 0.5 }), inputs: images },
  { name: "GaussianDropout", layer: () => layers.gaussianDropout({ rate: 0.5 }), inputs: vector },
  { name: "BatchNormalization", layer: () => layers.batchNormalization(), inputs: vector },
  { name: "BatchNormalization, asked", layer: () => layers.batchNormalization(), inputs: vector, training: false },
  { name: "BatchNormalization of images", layer: () => layers.batchNormalization({ axis: 2 }), inputs: images },
  { name: "LayerNormalization", layer: () => layers.layerNormalization(), inputs: vector },
  { name: "LayerNormalization, two axes", layer: () => layers.layerNormalization({ axis: [1, 3] }), inputs: images },
  {
    name: "GroupNormalization",
    layer: ([, , c]) => layers.groupNormalization({ groups: c }),
    inputs: (a, b, c) => [[a, b, 2 * c]],
  },
  { name: "UnitNormalization", layer: () => layers.unitNormalization({ axis: [1, 2] }), inputs: images },
  { name: "RMSNormalization", layer: () => layers.rmsNormalization(), inputs: vector },
  { name: "Add", layer: () => layers.add(), inputs: triple },
  {
    name: "Add, stretched",
    layer: () => layers.add(),
    inputs: (_, b, c) => [
      [b, c],
      [1, c],
    ],
  },
  { name: "Subtract", layer: () => layers.subtract(), inputs: pair },
  { name: "Multiply", layer: () => layers.multiply(), inputs: triple },
  { name: "Average", layer: () => layers.average(), inputs: triple },
  { name: "Maximum", layer: () => layers.maximum(), inputs: triple },
  { name: "Minimum", layer: () => layers.minimum(), inputs: triple },
  { name: "Concatenate", layer: () => layers.concatenate(), inputs: (_, b, c) => [[b], [c], [b]] },
  {
    name: "Concatenate, axis 1",
    layer: () => layers.concatenate({ axis: 1 }),
    inputs: (a, b, c) => [
      [a, c],
      [b, c],
    ],
  },
  {
    name: "Dot",
    layer: () => layers.dot({ axes: [2, 1] }),
    inputs: (a, b, c) => [
      [a, b],
      [b, c],
    ],
  },
  { name: "RandomFlip", layer: () => layers.randomFlip(), inputs: images },
  {
    name: "RandomFlip, channels first",
    layer: () => layers.randomFlip({ mode: "vertical", dataFormat: first }),
    inputs: images,
  },
  { name: "RandomFlip, asked", layer: () => layers.randomFlip(), inputs: images, training: false },
  { name: "RandomRotation", layer: () => layers.randomRotation({ factor: 0.3 }), inputs: images },
  {
    name: "RandomRotation, nearest",
    layer: () => layers.randomRotation({ factor: [0.1, 0.2], interpolation: "nearest", fillMode: "wrap" }),
    inputs: images,
  },
  {
    name: "RandomTranslation",
    layer: () => layers.randomTranslation({ heightFactor: 0.5, widthFactor: [0.1, 0.9], fillMode: "constant", fillValue: 0.5 }), // biome-ignore format: one line
    inputs: images,
  },
  {
    name: "RandomZoom",
    layer: () => layers.randomZoom({ heightFactor: 0.5, fillMode: "nearest", seed: 3 }),
    inputs: images,
  },
  {
    name: "RandomZoom, channels first",
    layer: () => layers.randomZoom({ heightFactor: 0.5, widthFactor: -0.2, dataFormat: first }),
    inputs: images,
  },
  {
    name: "RandomContrast",
    layer: () => layers.randomContrast({ factor: 0.5, valueRange: [-3, 3] }),
    inputs: images,
  },
  {
    name: "TimeDistributed",
    layer: ([a]) => layers.timeDistributed({ layer: layers.dense({ units: a, activation: "tanh" }) }),
    inputs: steps,
  },
  {
    name: "TimeDistributed of a model",
    layer: () => layers.timeDistributed({ layer: layers.sequential([layers.flatten(), layers.dropout({ rate: 0.4 }), layers.dense({ units: 2 })]) }), // biome-ignore format: one line
    inputs: images,
  },
  {
    name: "TimeDistributed of steps",
    layer: () => layers.timeDistributed({ layer: layers.timeDistributed({ layer: layers.batchNormalization() }) }),
    inputs: images,
  },
  {
    name: "TimeDistributed, pooled",
    layer: () => layers.timeDistributed({ layer: layers.globalMaxPooling1D() }),
    inputs: images,
  },
  {
    name: "TimeDistributed of an embedding",
    layer: ([a, b]) => layers.timeDistributed({ layer: layers.embedding({ inputDim: a + 2, outputDim: b }) }),
    inputs: (_, b, c) => [[b, c]],
    range: [0, 1],
    whole: true,
  },
  { name: "Masking", layer: () => layers.masking({ maskValue: 1 }), inputs: steps },
  { name: "ZeroPadding1D", layer: () => layers.zeroPadding1D({ padding: [2, 1] }), inputs: steps },
  { name: "ZeroPadding1D, channels first", layer: () => layers.zeroPadding1D({ dataFormat: first }), inputs: steps },
  { name: "ZeroPadding2D", layer: () => layers.zeroPadding2D({ padding: [[0, 2], [1, 3]] }), inputs: images }, // biome-ignore format: one line
  {
    name: "ZeroPadding2D, channels first",
    layer: () => layers.zeroPadding2D({ padding: [2, 0], dataFormat: first }),
    inputs: images,
  },
  { name: "Cropping1D", layer: () => layers.cropping1D({ cropping: [1, 2] }), inputs: (_, b, c) => [[b + 3, c]] },
  {
    name: "Cropping2D",
    layer: () => layers.cropping2D({ cropping: [[1, 0], [0, 2]] }), // biome-ignore format: one line
    inputs: (a, b, c) => [[a + 1, b + 2, c]],
  },
  {
    name: "Cropping2D, channels first",
    layer: () => layers.cropping2D({ cropping: 1, dataFormat: first }),
    inputs: (a, b, c) => [[a, b + 2, c + 2]],
  },
  { name: "UpSampling1D", layer: () => layers.upSampling1D({ size: 3 }), inputs: steps },
  { name: "UpSampling2D", layer: () => layers.upSampling2D({ size: [1, 3] }), inputs: images },
  {
    name: "UpSampling2D, bilinear",
    layer: () => layers.upSampling2D({ size: [2, 3], interpolation: "bilinear" }),
    inputs: images,
  },
  {
    name: "UpSampling2D, bilinear, channels first",
    layer: () => layers.upSampling2D({ interpolation: "bilinear", dataFormat: first }),
    inputs: images,
  },
  { name: "GlobalMaxPooling1D", layer: () => layers.globalMaxPooling1D(), inputs: steps },
  { name: "GlobalMaxPooling2D", layer: () => layers.globalMaxPooling2D({ dataFormat: first }), inputs: images },
  { name: "GlobalAveragePooling1D", layer: () => layers.globalAveragePooling1D({ keepdims: true }), inputs: steps },
  { name: "GlobalAveragePooling2D", layer: () => layers.globalAveragePooling2D(), inputs: images },
  {
    name: "GlobalAveragePooling2D, channels first, kept",
    layer: () => layers.globalAveragePooling2D({ dataFormat: first, keepdims: true }),
    inputs: images,
  },
  { name: "SpatialDropout1D", layer: () => layers.spatialDropout1D({ rate: 0.5 }), inputs: steps },
  { name: "SpatialDropout2D", layer: () => layers.spatialDropout2D({ rate: 0.4, seed: 3 }), inputs: images },
  {
    name: "SpatialDropout2D, channels first",
    layer: () => layers.spatialDropout2D({ rate: 0.5, dataFormat: first }),
    inputs: images,
  },
  ...WINDOW_LAYER_ROWS,
  { name: "SimpleRNN", layer: ([a]) => layers.simpleRNN({ units: a }), inputs: sequence },
  { name: "SimpleRNN, all steps, down", layer: ([a]) => layers.simpleRNN({ units: a, returnSequences: true, goBackwards: true, activation: "relu" }), inputs: sequence }, // biome-ignore format: a row
  { name: "LSTM", layer: ([a]) => layers.lstm({ units: a }), inputs: sequence },
  { name: "LSTM with dropout", layer: ([a]) => layers.lstm({ units: a, returnSequences: true, dropout: 0.3, recurrentDropout: 0.4 }), inputs: sequence }, // biome-ignore format: a row
  { name: "LSTM, begun", layer: () => layers.lstm({ units: 2, returnState: true, seed: 3, dropout: 0.5 }), inputs: (_, b, c) => [[b, c], [2], [2]] }, // biome-ignore format: a row
  { name: "GRU", layer: ([a]) => layers.gru({ units: a, returnSequences: true }), inputs: sequence },
  { name: "GRU, reset before", layer: ([a]) => layers.gru({ units: a, resetAfter: false, goBackwards: true, recurrentDropout: 0.2 }), inputs: sequence }, // biome-ignore format: a row
  { name: "Bidirectional", layer: ([a]) => layers.bidirectional({ layer: layers.gru({ units: a, returnSequences: true }), mergeMode: "mul" }), inputs: sequence }, // biome-ignore format: a row
  { name: "Bidirectional, its ends", layer: () => layers.bidirectional({ layer: layers.lstm({ units: 2, returnSequences: true }) }), inputs: sequence }, // biome-ignore format: a row
  { name: "Bidirectional of a pair", layer: ([a]) => layers.bidirectional({ layer: layers.gru({ units: a, resetAfter: false }), backwardLayer: layers.simpleRNN({ units: a, goBackwards: true, name: "down" }), mergeMode: "sum" }), inputs: sequence }, // biome-ignore format: a row
  { name: "Bidirectional of two", layer: ([a]) => layers.bidirectional({ layer: layers.lstm({ units: a }), backwardLayer: layers.simpleRNN({ units: 3, goBackwards: true }) }), inputs: sequence }, // biome-ignore format: a row
  { name: "Dot, normalized", layer: () => layers.dot({ axes: 1, normalize: true }), inputs: pair },
]

/** The parameters and states of a layer for inputs of these shapes, in the order in which it asks for them. */
export function parametersOf(
  layer: LayerData,
  inputs: readonly Node[],
  training: boolean = true,
): readonly ParameterSpec[] {
  const tracing = newTracing(training)
  layer.call(inputs, scopeOf(tracing, "layer", true))
  return tracing.parameters
}

/** A scope that gives these values instead of parameters, and keeps what states become. */
export function scopeWith(values: readonly Node[], training: boolean, kept: Map<string, Node> = new Map()): Scope {
  let next = 0
  let substreams = 0
  const scope: Scope = {
    training,
    trainable: true,
    batchSize: undefined,
    masks: [],
    passMask: () => {},
    parameter: () => values[next++]!,
    state: () => values[next++]!,
    update: (name, value) => void kept.set(name, value),
    addLoss: () => {},
    random: (shape, seed) => layers.ops.random(streams.dropout, seed ?? substreams++, shape),
    randomNormal: (shape, { mean, stddev, seed } = {}) =>
      layers.ops.randomNormal(streams.dropout, seed ?? substreams++, shape, mean, stddev),
    inner: () => scope,
  }
  return scope
}

/** A row as the oracles take it: leaves are the inputs, then the parameters. */
export function asOpRow({ name, layer, inputs, training = true, range, whole }: LayerRow): OpRow {
  const inputLeaves = (sizes: Sizes): Leaf[] =>
    inputs(...sizes).map((shape) => ({ shape: [BATCH, ...shape], ...(range && { range }), ...(whole && { whole }) }))
  return {
    name,
    leaves: (sizes) => {
      const given = inputLeaves(sizes)
      const nodes = given.map(({ shape }, i) => layers.ops.input(`${i}`, shape.slice(1)))
      const own = parametersOf(layer(sizes), nodes, training)
      return [...given, ...own.map(({ variable: { shape } }): Leaf => ({ shape, range: [0.2, 3] }))]
    },
    build: (leaves, sizes) => {
      const count = inputs(...sizes).length
      const made = layer(sizes).call(leaves.slice(0, count), scopeWith(leaves.slice(count), training))
      return "op" in made ? (made as Node) : (made as readonly Node[])[0]!
    },
  }
}
