// Rows of the table of layers (test/layers.cases.ts): those that slide over sequences and images, and attention.
import type { Shape } from "../src/core/shape.ts"
import * as layers from "../src/index.ts"
import type { LayerRow } from "./layers.cases.ts"

const steps = (a: number, b: number): Shape[] => [[a + 4, b]]
const images = (a: number, b: number, c: number): Shape[] => [[a + 3, b + 2, c]]
const sequences = (a: number, b: number, c: number): Shape[] => [
  [b, c],
  [a + 1, c],
]
const [same, first] = ["same", "channelsFirst"] as const

export const WINDOW_LAYER_ROWS: readonly LayerRow[] = [
  { name: "Conv1D", layer: ([a]) => layers.conv1D({ filters: a, kernelSize: 3, activation: "tanh" }), inputs: steps },
  {
    name: "Conv1D, causal, with gaps",
    layer: ([a]) => layers.conv1D({ filters: a, kernelSize: 2, padding: "causal", dilationRate: 2 }),
    inputs: steps,
  },
  {
    name: "Conv1D in groups",
    layer: ([, b]) => layers.conv1D({ filters: 2 * b, kernelSize: 2, groups: b, strides: 2 }),
    inputs: (a, b) => [[a + 4, 3 * b]],
  },
  {
    name: "Conv2D",
    layer: ([a]) => layers.conv2D({ filters: a, kernelSize: 3, padding: same, activation: "relu" }),
    inputs: images,
  },
  {
    name: "Conv2D with steps",
    layer: ([a]) => layers.conv2D({ filters: a, kernelSize: [3, 2], strides: [2, 1], padding: same, useBias: false }),
    inputs: images,
  },
  {
    name: "Conv2D, channels first",
    layer: ([a]) => layers.conv2D({ filters: a, kernelSize: 2, dataFormat: first }),
    inputs: (a, b, c) => [[c, a + 1, b + 1]],
  },
  { name: "DepthwiseConv1D", layer: () => layers.depthwiseConv1D({ kernelSize: 3, padding: same }), inputs: steps },
  {
    name: "DepthwiseConv2D",
    layer: () => layers.depthwiseConv2D({ kernelSize: [2, 3], depthMultiplier: 2 }),
    inputs: images,
  },
  { name: "SeparableConv1D", layer: ([a]) => layers.separableConv1D({ filters: a, kernelSize: 3 }), inputs: steps },
  {
    name: "SeparableConv2D",
    layer: ([a]) => layers.separableConv2D({ filters: a, kernelSize: 2, strides: 2, padding: same }),
    inputs: images,
  },
  {
    name: "Conv1DTranspose",
    layer: ([a]) => layers.conv1DTranspose({ filters: a, kernelSize: 3, strides: 2 }),
    inputs: steps,
  },
  {
    name: "Conv2DTranspose",
    layer: ([a]) => layers.conv2DTranspose({ filters: a, kernelSize: 3, padding: same }),
    inputs: images,
  },
  {
    name: "Conv2DTranspose with steps",
    layer: ([a]) => layers.conv2DTranspose({ filters: a, kernelSize: [2, 3], strides: [3, 2], outputPadding: 1 }),
    inputs: images,
  },
  { name: "MaxPooling1D", layer: () => layers.maxPooling1D(), inputs: steps },
  { name: "MaxPooling2D", layer: () => layers.maxPooling2D({ poolSize: 2 }), inputs: images },
  {
    name: "MaxPooling2D of windows that share places",
    layer: () => layers.maxPooling2D({ poolSize: 3, strides: 2, padding: same }),
    inputs: images,
  },
  { name: "Attention", layer: () => layers.attention({ useScale: true }), inputs: sequences },
  {
    name: "Attention with keys, concat, causal",
    layer: () => layers.attention({ scoreMode: "concat", useCausalMask: true }),
    inputs: (a, b, c) => [...sequences(a, b, c), [a + 1, c]],
  },
  { name: "AdditiveAttention", layer: () => layers.additiveAttention(), inputs: sequences },
  {
    name: "MultiHeadAttention",
    layer: ([a]) => layers.multiHeadAttention({ numHeads: a, keyDim: 2, valueDim: 3, useCausalMask: true }),
    inputs: sequences,
  },
  {
    name: "MultiHeadAttention with dropped weights",
    layer: () => layers.multiHeadAttention({ numHeads: 2, keyDim: 3, dropout: 0.3, outputShape: 5, useBias: false }),
    inputs: sequences,
  },
  { name: "AveragePooling1D", layer: () => layers.averagePooling1D({ poolSize: 3, padding: same }), inputs: steps },
  { name: "AveragePooling2D", layer: () => layers.averagePooling2D(), inputs: images },
  {
    name: "AveragePooling2D, channels first",
    layer: () => layers.averagePooling2D({ poolSize: [1, 2], strides: 1, dataFormat: first }),
    inputs: (a, b, c) => [[c, a + 1, b + 1]],
  },
]
