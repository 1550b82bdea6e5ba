// Every option that is there has Keras 3's default; what Keras has and we have not yet is listed.
import { describe, expect, test } from "vitest"
import { layerTypes } from "../src/nn/config.ts"
import { initializerNames, readInitializer } from "../src/nn/initializers.ts"
import { losses, readLoss } from "../src/nn/losses.ts"
import { metrics, readMetric } from "../src/nn/metrics.ts"
import { canonical } from "../src/nn/names.ts"
import { optimizers, readOptimizer } from "../src/nn/optimizers.ts"
import keras from "./fixtures/keras-defaults.json" with { type: "json" }

type Defaults = { readonly [option: string]: unknown }
const entries = (group: object): [string, Defaults][] =>
  Object.entries(group as { [type: string]: { defaults: Defaults } }).map(([type, { defaults }]) => [type, defaults])

/** Options of Keras that are not there yet. */
const LATER = new Set([
  ...["kernelRegularizer", "biasRegularizer", "activityRegularizer", "kernelConstraint", "biasConstraint"],
  ...["loraRank", "loraAlpha", "quantizationConfig", "dataFormat"],
  ...["labelSmoothing", "axis", "reduction", "ignoreClass", "seed", "inputAxes", "outputAxes"],
  ...["weightDecay", "clipNorm", "clipValue", "globalClipNorm", "useEma", "emaMomentum", "emaOverwriteFrequency"],
  ...["lossScaleFactor", "gradientAccumulationSteps"],
])

/** Keras's value in our words: names in camelCase, None for an activation is linear, {required: true} is a symbol. */
const REQUIRED = Symbol("required")
function ours(option: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && "required" in value) return REQUIRED
  if (option === "activation" && value === null) return "linear"
  return typeof value === "string" ? canonical(value) : value
}

function compare(defaults: Defaults, found: Defaults): void {
  const expected = Object.entries(defaults).filter(([option]) => !LATER.has(option))
  expect(found).toEqual(Object.fromEntries(expected.map(([option, value]) => [option, ours(option, value)])))
}

const without = ({ type: _, ...options }: Defaults): Defaults => options

describe("Keras's defaults", () => {
  test.each(entries(keras.layers))("%s", (type, defaults) => {
    const { options } = layerTypes[type] as unknown as { options: { [option: string]: object } }
    const found = Object.entries(options).map(([name, option]) => [
      name,
      "default" in option ? option.default : REQUIRED,
    ])
    compare(defaults, Object.fromEntries(found))
  })
  test.each(entries(keras.losses))("%s", (type, defaults) => {
    compare(defaults, without({ ...readLoss(type) }))
  })
  test.each(entries(keras.metrics))("%s as a metric", (type, defaults) => {
    compare(defaults, without({ ...readMetric(type).spec }))
  })
  test.each(entries(keras.initializers))("%s", (type, defaults) => {
    compare(defaults, without({ ...readInitializer(type) }))
  })
  test.each(entries(keras.optimizers))("%s", (type, defaults) => {
    compare(defaults, without({ ...readOptimizer(type) }))
  })

  test("are asserted for everything that there is", () => {
    const names = (group: object): Set<string> => new Set(Object.keys(group).map(canonical))
    expect(names(keras.layers)).toEqual(names(layerTypes))
    expect(names(keras.losses)).toEqual(names(losses))
    expect(names(keras.metrics)).toEqual(names(metrics))
    expect(names(keras.initializers)).toEqual(new Set(initializerNames))
    expect(names(keras.optimizers)).toEqual(names(optimizers))
  })
})
