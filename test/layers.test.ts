// Layers against PyTorch's numbers, by the oracles, and through JSON.
import { describe, expect, test } from "vitest"
import { gradients } from "../src/autodiff/grad.ts"
import { compile } from "../src/compile/compile.ts"
import * as compose from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import * as ops from "../src/graph/ops.ts"
import { layerTypes, networkFromConfig } from "../src/nn/config.ts"
import { functionalNetwork } from "../src/nn/functional.ts"
import { applyLayer, input } from "../src/nn/symbolic.ts"
import { networkToConfig } from "../src/nn/to-config.ts"
import { asOpRow, LAYER_ROWS, parametersOf, scopeWith } from "./layers.cases.ts"
import { single } from "./support/cases.ts"
import { execute, reference, reference64 } from "./support/execute.ts"
import { goldenLayers, type Numbers } from "./support/golden.ts"
import { describeBits, describeSlopes, relative } from "./support/oracles.ts"

test("every type of layer has a row, and has been compared with PyTorch", () => {
  const rows = new Set(LAYER_ROWS.map(({ layer }) => layer([2, 3, 4]).type))
  expect(Object.keys(layerTypes).filter((type) => !rows.has(type))).toEqual([])
  const elsewhere = [
    ...["Dropout", "AlphaDropout", "GaussianNoise", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D"], // test/noise.test.ts
    ...["RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomContrast"], // test/augmentation.test.ts
    "Bidirectional", // test/recurrent.test.ts
  ]
  const golden = new Set([...elsewhere, ...goldenLayers().map(({ type }) => type)])
  expect(Object.keys(layerTypes).filter((type) => !golden.has(type))).toEqual([])
})

/** The name of a parameter in its layer, `query/kernel` if a layer inside has it. */
const nameOf = (key: string): string => key.slice("layer/".length)

describe("by PyTorch", () => {
  test.each(goldenLayers())("$name", async (golden) => {
    const json = { type: golden.type, name: "layer", config: golden.options }
    const layer = networkFromConfig({ kind: "sequential", layers: [json] }).layers[0]!
    const inputs = golden.inputs.map(({ shape }, i) => ops.input(`x${i}`, shape.slice(1)))
    const asked = parametersOf(layer, inputs).map(({ variable }) => ({ name: nameOf(variable.key), variable }))
    const known: { readonly [name: string]: Numbers } = { ...golden.parameters, ...golden.state }
    expect(asked.map(({ name }) => name).sort()).toEqual(Object.keys(known).sort())
    for (const { name, variable } of asked) expect(variable.shape, name).toEqual(known[name]!.shape)
    const own = asked.map(({ name, variable }) => ops.read({ ...variable, key: name }))
    const trace = (training: boolean, kept: Map<string, Node>): Node =>
      layer.call(inputs, scopeWith(own, training, kept)) as Node
    const kept = new Map<string, Node>()
    const trained = trace(true, kept)
    const weights = ops.input("weights", golden.weights.shape.slice(1))
    const trainable = own.filter((_, i) => golden.parameters[asked[i]!.name] !== undefined)
    const slopes = gradients(compose.sum(ops.mul(trained, weights)), [...inputs, ...trainable])
    const named: [string, Node, Numbers][] = [
      ["trained", trained, golden.trained],
      ["asked", trace(false, new Map()), golden.asked],
      ...golden.slopes.map((n, i): [string, Node, Numbers] => [`slope${i}`, slopes[i]!, n]),
    ]
    const states: [string, Node, Numbers][] = [
      ...trainable.map((node, i): [string, Node, Numbers] => {
        const { name } = asked[own.indexOf(node)]!
        return [`slope of ${name}`, slopes[inputs.length + i]!, golden.parameterSlopes[name]!]
      }),
      ...[...kept].map(([name, node]): [string, Node, Numbers] => [`kept ${name}`, node, golden.kept[name]!]),
    ]
    expect([...kept.keys()].sort()).toEqual(Object.keys(golden.kept).sort())
    const outputs = named.map(([name, value]) => ({ name, value }))
    const updates = states.map(([name, value]) => ({ variable: { key: name, shape: value.shape }, value }))
    const rows = golden.inputs[0]!.shape[0]!
    const program = compile({ train: { updates, logs: [], outputs } }, { rows })
    const values = (n: Numbers): Float64Array => Float64Array.from(n.values)
    const setting = {
      rows,
      inputs: {
        ...Object.fromEntries(golden.inputs.map((n, i) => [`x${i}`, values(n)])),
        weights: values(golden.weights),
      },
      variables: Object.fromEntries(Object.entries(known).map(([name, n]) => [name, values(n)])),
    }
    const [exact, rounded] = [
      await execute(reference64, program, setting),
      await execute(reference, program, single(setting)),
    ]
    for (const [name, , wanted] of [...named, ...states]) {
      // Constants of the graph are float32.
      expect(relative(exact.get(name)!, wanted.values), `${name}, float64`).toBeLessThanOrEqual(1e-7)
      expect(relative(rounded.get(name)!, wanted.values), `${name}, float32`).toBeLessThanOrEqual(1e-5)
    }
  })
})

describe("through JSON", () => {
  test.each(LAYER_ROWS)("$name", ({ layer, inputs }) => {
    const shapes = inputs(2, 3, 4)
    const given = shapes.map((shape) => ({ name: undefined, value: input({ shape }) }))
    const value = applyLayer(
      layer([2, 3, 4]),
      given.map((g) => g.value),
    )[0]!
    const network = functionalNetwork(given, [{ name: undefined, value }])
    const json = JSON.stringify(networkToConfig(network))
    expect(JSON.stringify(networkToConfig(networkFromConfig(JSON.parse(json))))).toBe(json)
  })
})

describeSlopes(LAYER_ROWS.map(asOpRow))
describeBits(LAYER_ROWS.map(asOpRow), [17, 19, 13])
