// A model as one TypeScript function without dependencies: for small networks of dense layers one after another.
// Knows how the file is written; the functions in it compute in float64.

import type { ActivationName } from "../nn/activations.ts"
import { readActivation } from "../nn/activations.ts"
import { isCustom } from "../nn/custom.ts"
import type { NamedLayer } from "../nn/network.ts"
import { cannotHold } from "./keras-specs.ts"
import { type SavedModel, traceSaved, weightOf } from "./saved-model.ts"

/** The most numbers that are written into a source file. */
const MOST = 1_000_000

type Config = { readonly [option: string]: unknown }

/** Activations of one number as source text. */
const ofNumber: { readonly [A in ActivationName]?: (o: Config) => string } = {
  sigmoid: () => "1 / (1 + Math.exp(-z))",
  tanh: () => "Math.tanh(z)",
  relu: ({ negativeSlope = 0, threshold = 0, maxValue }) => {
    const open = `z < ${threshold} ? ${negativeSlope} * (z - ${threshold}) : z`
    return maxValue === undefined || maxValue === null ? open : `Math.min(${maxValue}, ${open})`
  },
  elu: ({ alpha = 1 }) => `z > 0 ? z : ${alpha} * Math.expm1(z)`,
  celu: ({ alpha = 1 }) => `z > 0 ? z : ${alpha} * Math.expm1(z / ${alpha})`,
  exponential: () => "Math.exp(z)",
  hardSigmoid: () => "Math.min(6, Math.max(0, z + 3)) / 6",
  hardSilu: () => "(z * Math.min(6, Math.max(0, z + 3))) / 6",
  hardTanh: () => "Math.min(1, Math.max(-1, z))",
  leakyRelu: ({ negativeSlope = 0.2 }) => `z > 0 ? z : ${negativeSlope} * z`,
  logSigmoid: () => "Math.min(0, z) - Math.log1p(Math.exp(-Math.abs(z)))",
  mish: () => "z * Math.tanh(Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z))))",
  relu6: () => "Math.min(6, Math.max(0, z))",
  selu: () => "1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * Math.expm1(z))",
  silu: () => "z / (1 + Math.exp(-z))",
  softplus: () => "Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z)))",
  softsign: () => "z / (1 + Math.abs(z))",
  tanhShrink: () => "z - Math.tanh(z)",
}

const SOFTMAX = `/** e to the power of each number, over their sum. */
function softmax(z: number[]): number[] {
  const most = Math.max(...z)
  const powers = z.map((value) => Math.exp(value - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}
`

const DENSE = `/** The sums of the inputs, weighted: rows of the kernel belong to inputs, columns to outputs. */
function dense(x: number[], kernel: number[], bias: number[]): number[] {
  return bias.map((b, j) => x.reduce((sum, value, i) => sum + value * kernel[i * bias.length + j]!, b))
}
`

/** Layers that change nothing when a model predicts. */
const silent: ReadonlySet<string> = new Set([
  ...["Flatten", "Reshape", "Identity", "Dropout", "AlphaDropout", "GaussianNoise", "GaussianDropout"],
  "ActivityRegularization",
])

/** The source text of a function \`predict\`. Throws E_MODEL for layers that it has no place for, and for large models. */
export function writeTypescript(model: SavedModel): Uint8Array {
  const { network, inputShapes } = model
  if (network.kind !== "sequential") {
    throw cannotHold("model", "only layers one after another become a TypeScript function.", "Save it as .onnx.")
  }
  const { parameters, layers: traces } = traceSaved(model)
  const numbers = parameters.reduce((sum, { variable: { key } }) => sum + weightOf(model, key).data.length, 0)
  if (numbers > MOST) {
    throw cannotHold(
      "model",
      `${numbers} weights are too many for a source file.`,
      `At most ${MOST}: save it as .onnx.`,
    )
  }
  const body: string[] = []
  const constants: string[] = []
  const used = { dense: false, softmax: false }
  const constant = (key: string): string => {
    const name = key.replace(/[^A-Za-z0-9]+(.)?/g, (_, c: string | undefined) => (c ?? "").toUpperCase())
    const unique = `${/^[a-z]/i.test(name) ? name : `_${name}`}${constants.length}`
    constants.push(`const ${unique} = [${list(weightOf(model, key).data)}]`)
    return unique
  }
  let size = inputShapes[0]!.reduce((a, b) => a * b, 1)
  const inputs = size
  network.layers.forEach((layer, i) => {
    const { config } = layer
    const keys = parameters.map(({ variable: { key } }) => key).filter((key) => key.startsWith(`${layer.name}/`))
    const shape = traces[i]!.outputShape.slice(1)
    const rank = (i === 0 ? inputShapes[0]! : traces[i - 1]!.outputShape.slice(1)).length
    if (silent.has(layer.type)) return
    if (layer.type === "Dense" && rank === 1) {
      used.dense = true
      const bias = config.useBias === false ? `new Array<number>(${shape[0]}).fill(0)` : constant(keys[1]!)
      body.push(`x = dense(x, ${constant(keys[0]!)}, ${bias})`)
      body.push(...activationOf(layer, config.activation, used, 1))
    } else if (layer.type === "Activation") body.push(...activationOf(layer, config.activation, used, rank))
    else if (layer.type === "ReLU") body.push(...activationOf(layer, { ...config, type: "relu", maxValue: config.maxValue ?? undefined }, used, rank)) // biome-ignore format: one row
    else if (layer.type === "LeakyReLU") body.push(...activationOf(layer, { ...config, type: "leakyRelu" }, used, rank))
    else if (layer.type === "ELU") body.push(...activationOf(layer, { ...config, type: "elu" }, used, rank))
    else if (layer.type === "Softmax") body.push(...activationOf(layer, { ...config, type: "softmax" }, used, rank))
    else if (layer.type === "BatchNormalization" && rank === 1) body.push(batchNormalized(model, layer, keys, constants))
    else if (layer.type === "Rescaling" && typeof config.scale === "number" && typeof config.offset === "number") {
      body.push(`x = x.map((z) => z * ${config.scale} + ${config.offset})`)
    } else if (layer.type === "Normalization" && rank === 1) body.push(...normalized(config, constants, layer))
    else throw cannotHold(`layer ${layer.name} (${layer.type})`, "it has no place in a TypeScript function.", "Save it as .onnx.") // biome-ignore format: one row
    size = shape.reduce((a, b) => a * b, 1)
  })
  const text = `// Written by trilobite from the model ${JSON.stringify(model.name ?? network.kind)}: it needs nothing else.

${[...constants, ""].join("\n\n")}${used.dense ? `${DENSE}\n` : ""}${used.softmax ? `${SOFTMAX}\n` : ""}/**
 * What the network gives for one example.
 * @param input ${inputs} numbers${inputShapes[0]!.length > 1 ? `: the shape [${inputShapes[0]!.join(", ")}], row by row` : ""}
 * @returns ${size} number${size === 1 ? "" : "s"}
 */
export function predict(input: readonly number[]): number[] {
  if (input.length !== ${inputs}) throw new RangeError(\`${inputs} numbers are expected, got \${input.length}\`)
  let x = [...input]
${body.map((line) => `  ${line}\n`).join("")}  return x
}
`
  return new TextEncoder().encode(text)
}

/** Numbers as source text: each the shortest that gives the same float32, some to a line. */
function list(data: ArrayLike<number>): string {
  const texts = Array.from(data, (value) => {
    for (let digits = 1; digits < 9; digits++) {
      const short = Number(value.toPrecision(digits))
      if (Math.fround(short) === value) return `${short}`
    }
    return `${value}`
  })
  const lines: string[] = []
  for (let i = 0; i < texts.length; i += 12) lines.push(`\n  ${texts.slice(i, i + 12).join(", ")},`)
  return `${lines.join("")}\n`
}

function activationOf(layer: NamedLayer, given: unknown, used: { softmax: boolean }, rank: number): string[] {
  const where = `layer ${layer.name} (${layer.type})`
  if (typeof given === "function" || isCustom(given)) throw cannotHold(where, "an activation of your own has no source text.") // biome-ignore format: one row
  const { type, ...options } = readActivation(given, where) as { readonly type: ActivationName }
  if (type === "linear") return []
  if (type === "softmax" && rank === 1) {
    used.softmax = true
    return ["x = softmax(x)"]
  }
  const text = ofNumber[type]
  if (text !== undefined) return [`x = x.map((z) => ${text(options)})`]
  throw cannotHold(where, `the activation ${type} has no place in a TypeScript function.`, "Save it as .onnx.")
}

/** (z − mean) · scale + shift, with what does not change computed now. */
function affine(scale: readonly number[], shift: readonly number[], constants: string[]): string {
  const [a, b] = [`scale${constants.length}`, `shift${constants.length}`]
  constants.push(`const ${a} = [${list64(scale)}]`, `const ${b} = [${list64(shift)}]`)
  return `x = x.map((z, i) => z * ${a}[i]! + ${b}[i]!)`
}

const list64 = (values: readonly number[]): string => values.join(", ")

function batchNormalized(model: SavedModel, layer: NamedLayer, keys: readonly string[], constants: string[]): string {
  const values = (name: string): ArrayLike<number> | undefined => {
    const key = keys.find((key) => key.endsWith(`/${name}`))
    return key === undefined ? undefined : weightOf(model, key).data
  }
  const [mean, variance] = [values("movingMean")!, values("movingVariance")!]
  const { epsilon } = layer.config as { readonly epsilon: number }
  const scale = Array.from(variance, (v, i) => (values("gamma")?.[i] ?? 1) / Math.sqrt(v + epsilon))
  const shift = Array.from(mean, (m, i) => (values("beta")?.[i] ?? 0) - m * scale[i]!)
  return affine(scale, shift, constants)
}

function normalized({ mean, variance, invert, axis }: Config, constants: string[], layer: NamedLayer): string[] {
  if (mean === null || mean === undefined) return []
  if (typeof mean === "number" || typeof variance === "number" || axis === null) {
    throw cannotHold(`layer ${layer.name} (Normalization)`, "one mean for all features has no place here.", "Save it as .onnx.") // biome-ignore format: one row
  }
  const means = mean as readonly number[]
  const spread = (variance as readonly number[]).map((v) => Math.max(Math.sqrt(v), 1e-7))
  if (invert === true) return [affine(spread, means, constants)]
  const scale = spread.map((s) => 1 / s)
  return [affine(scale, scale.map((s, i) => -means[i]! * s), constants)] // biome-ignore format: one row
}
