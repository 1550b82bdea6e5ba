// Layers and networks: shapes, values, names, parameters and gradients, against plain loops in float64.
import { describe, expect, test } from "vitest"
import { mean, square } from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import { input, mul } from "../src/graph/ops.ts"
import { activationNames, activationOf } from "../src/nn/activations.ts"
import { layerTypes, networkFromConfig } from "../src/nn/config.ts"
import type { Layer } from "../src/nn/layer.ts"
import { activation } from "../src/nn/layers/activation.ts"
import { dense } from "../src/nn/layers/dense.ts"
import { flatten } from "../src/nn/layers/flatten.ts"
import { rescaling } from "../src/nn/layers/rescaling.ts"
import { reshape } from "../src/nn/layers/reshape.ts"
import { inputShapesOf, type NetworkTrace, sequentialNetwork, traceNetwork } from "../src/nn/network.ts"
import { networkToConfig } from "../src/nn/to-config.ts"
import { type Environment, evaluateNode, gradientError, samples } from "./support/evaluate.ts"

const ROWS = 3

function trace(
  layers: readonly Layer[],
  shape: readonly number[],
): NetworkTrace & { readonly x: Node; readonly output: Node } {
  const x = input("x", shape)
  const traced = traceNetwork(sequentialNetwork(layers), [x])
  return { x, output: traced.outputs[0]!, ...traced }
}

/** Sample values for the input and every parameter. */
function environment({
  x,
  parameters,
}: {
  readonly x: Node
  readonly parameters: NetworkTrace["parameters"]
}): Environment {
  const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * (b < 0 ? -b * ROWS : b), 1)
  const variables = parameters.map(({ variable }, i) => [variable.key, samples(size(variable.shape), i + 1)] as const)
  return { rows: ROWS, inputs: { x: samples(size(x.shape)) }, variables: Object.fromEntries(variables) }
}

/** One row of numbers each: what dense computes, written down again. */
function denseByHand(
  x: Float64Array,
  kernel: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
  units: number,
): number[] {
  const last = kernel.length / units
  return Array.from({ length: (x.length / last) * units }, (_, at) => {
    const [row, unit] = [Math.floor(at / units), at % units]
    let z = bias?.[unit] ?? 0
    for (let k = 0; k < last; k++) z += x[row * last + k]! * kernel[k * units + unit]!
    return z
  })
}

describe("layers", () => {
  test.each<[string, Layer, number[], number[], Record<string, number[]>]>([
    ["Dense", dense({ units: 4 }), [5], [-1, 4], { "dense/kernel": [5, 4], "dense/bias": [4] }],
    ["Dense without bias", dense({ units: 1, useBias: false }), [5], [-1, 1], { "dense/kernel": [5, 1] }],
    [
      "Dense on images",
      dense({ units: 2, name: "d" }),
      [2, 3, 4],
      [-1, 2, 3, 2],
      { "d/kernel": [4, 2], "d/bias": [2] },
    ],
    ["Activation", activation({ activation: "relu" }), [5, 2], [-1, 5, 2], {}],
    ["Flatten", flatten(), [2, 3, 4], [-1, 24], {}],
    ["Flatten of rows", flatten(), [7], [-1, 7], {}],
    ["Flatten of numbers", flatten(), [], [-1, 1], {}],
    ["Reshape", reshape({ targetShape: [3, 2] }), [6], [-1, 3, 2], {}],
    ["Reshape with an open size", reshape({ targetShape: [2, -1] }), [3, 4], [-1, 2, 6], {}],
    ["Rescaling", rescaling({ scale: 2, offset: 1 }), [2, 2], [-1, 2, 2], {}],
  ])("%s has the right shapes and gradients", (_, layer, shape, output, parameters) => {
    const traced = trace([layer], shape)
    expect(traced.output.shape).toEqual(output)
    expect(Object.fromEntries(traced.parameters.map(({ variable }) => [variable.key, variable.shape]))).toEqual(
      parameters,
    )
    // A cost whose slopes all differ, with respect to the input and every parameter.
    const weights = input("weights", traced.output.shape.slice(1))
    const env = environment(traced)
    const all = { ...env, inputs: { ...env.inputs, weights: samples(evaluateNode(traced.output, env).length, 9) } }
    const cost = mean(square(mul(traced.output, weights)))
    const wrt = [traced.x, ...readsOf(cost)]
    expect(wrt).toHaveLength(1 + Object.keys(parameters).length)
    expect(gradientError(cost, wrt, all)).toBeLessThan(1e-6)
  })

  test.each([
    ["matrices", [5]],
    ["images", [2, 3, 5]],
  ])("Dense computes x·W + b on %s", (_, shape) => {
    const traced = trace([dense({ units: 4 })], shape)
    const env = environment(traced)
    const { "dense/kernel": kernel, "dense/bias": bias } = env.variables!
    const expected = denseByHand(Float64Array.from(env.inputs!.x!), kernel!, bias, 4)
    const found = evaluateNode(traced.output, env)
    expect(found).toHaveLength(expected.length)
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 12)
    })
  })

  test("Rescaling computes scale·x + offset", () => {
    const { output } = trace([rescaling({ scale: 0.5, offset: -1 })], [3])
    const x = [0, 2, 4]
    expect([...evaluateNode(output, { rows: 1, inputs: { x } })]).toEqual([-1, 0, 1])
  })

  test.each(activationNames.filter((name) => !["threshold", "glu"].includes(name)))(
    "Dense with activation %s is Dense and Activation, with the right gradient",
    (name) => {
      const one = trace([dense({ units: 4, activation: name })], [5])
      const two = trace([dense({ units: 4 }), activation({ activation: name })], [5])
      const env = environment(one)
      expect(evaluateNode(one.output, env)).toEqual(evaluateNode(two.output, env))
      expect(activationOf(one.output)).toBe(["sigmoid", "tanh", "relu", "softmax"].includes(name) ? name : "linear")
      const weights = input("weights", [4])
      const all = { ...env, inputs: { ...env.inputs, weights: samples(4 * ROWS, 9) } }
      const cost = mean(mul(one.output, weights))
      expect(gradientError(cost, [one.x, ...readsOf(cost)], all)).toBeLessThan(1e-6)
    },
  )

  test.each([
    ["linear", -2, -2],
    ["linear", 3, 3],
    ["sigmoid", 0, 0.5],
    ["sigmoid", 2, 0.8807970779778823],
    ["tanh", 1, 0.7615941559557649],
    ["relu", -2, 0],
    ["relu", 2, 2],
  ] as const)("%s of %d is %d", (name, x, y) => {
    const { output } = trace([activation({ activation: name })], [1])
    expect(evaluateNode(output, { rows: 1, inputs: { x: [x] } })[0]).toBeCloseTo(y, 14)
  })
})

/** The reads of variables in a graph, one each. */
function readsOf(root: Node): Node[] {
  const found = new Map<string, Node>()
  const walk = (node: Node): void => {
    if (node.op === "variable") found.set((node as Node<"variable">).attributes.variable.key, node)
    node.inputs.forEach(walk)
  }
  walk(root)
  return [...found.values()]
}

describe("networks", () => {
  test("the chapter's intermediate net has 55,050 parameters", () => {
    const { layers, parameters } = trace(
      [
        dense({ units: 64, activation: "relu", inputShape: [784] }),
        dense({ units: 64, activation: "relu" }),
        dense({ units: 10, activation: "softmax" }),
      ],
      [784],
    )
    const input = "input"
    expect(layers.map(({ output: _, ...rest }) => rest)).toEqual([
      { name: "dense", type: "Dense", outputShape: [-1, 64], parameters: 50_240, inputs: [input] },
      { name: "dense_1", type: "Dense", outputShape: [-1, 64], parameters: 4_160, inputs: ["dense"] },
      { name: "dense_2", type: "Dense", outputShape: [-1, 10], parameters: 650, inputs: ["dense_1"] },
    ])
    expect(
      parameters.map(({ variable, layer, name, trainable, initializer }) => [
        variable.key,
        layer,
        name,
        trainable,
        initializer,
      ]),
    ).toEqual([
      ["dense/kernel", "dense", "kernel", true, "glorotUniform"],
      ["dense/bias", "dense", "bias", true, "zeros"],
      ["dense_1/kernel", "dense_1", "kernel", true, "glorotUniform"],
      ["dense_1/bias", "dense_1", "bias", true, "zeros"],
      ["dense_2/kernel", "dense_2", "kernel", true, "glorotUniform"],
      ["dense_2/bias", "dense_2", "bias", true, "zeros"],
    ])
  })

  test("names are Keras's and leave those of the user alone", () => {
    const names = (layers: Layer[]): string[] => sequentialNetwork(layers).layers.map(({ name }) => name)
    const d = (): Layer => dense({ units: 1 })
    expect(names([d(), flatten(), d(), d()])).toEqual(["dense", "flatten", "dense_1", "dense_2"])
    expect(names([d(), dense({ units: 1, name: "dense" }), dense({ units: 1, name: "dense_2" }), d()])).toEqual([
      "dense_1",
      "dense",
      "dense_2",
      "dense_3",
    ])
  })

  test("the input's shape comes from the first layer or from the data", () => {
    expect(inputShapesOf(sequentialNetwork([flatten({ inputShape: [28, 28] })]))).toEqual([[28, 28]])
    expect(inputShapesOf(sequentialNetwork([flatten()]), [[4]])).toEqual([[4]])
    expect(inputShapesOf(sequentialNetwork([flatten({ inputShape: [4] })]), [[4]])).toEqual([[4]])
  })

  const everything = [
    rescaling({ scale: 1 / 255, inputShape: [4, 4], name: "pixels" }),
    reshape({ targetShape: [2, -1] }),
    flatten(),
    dense({ units: 3, kernelInitializer: { type: "constant", value: 0.5 }, biasInitializer: "random_normal" }),
    activation({ activation: "softmax" }),
  ]

  test("a network survives JSON", () => {
    const network = sequentialNetwork(everything)
    const json = JSON.stringify(networkToConfig(network))
    const again = networkFromConfig(JSON.parse(json))
    expect(JSON.stringify(networkToConfig(again))).toBe(json)
    expect(again.layers.map(({ name }) => name)).toEqual(["pixels", "reshape", "flatten", "dense", "activation"])
    expect(again.layers[3]!.config).toEqual({
      units: 3,
      activation: "linear",
      useBias: true,
      kernelInitializer: { type: "constant", value: 0.5 },
      biasInitializer: "randomNormal",
      kernelRegularizer: null,
      biasRegularizer: null,
      activityRegularizer: null,
      kernelConstraint: null,
      biasConstraint: null,
    })
    const x = input("x", [4, 4])
    expect(traceNetwork(again, [x]).layers).toEqual(traceNetwork(network, [x]).layers)
  })

  test("every type of layer is in the table under its own name", () => {
    for (const [type, factory] of Object.entries(layerTypes)) expect(factory.type).toBe(type)
  })
})
