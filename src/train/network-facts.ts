// A network and its training in the coach's words: layers as they were built, what the loss and the targets make of them, the
// options of fit. Knows networks and optimizers as plain data, no graph and no run.

import type { LayerFacts, NetworkFacts, Task, TrainingFacts } from "../coach/evidence.ts"
import { FIRST_EPOCHS } from "../coach/procedures.ts"
import type { Tensor } from "../core/tensor.ts"
import { type Loss, nameOf, targetsOf } from "../nn/losses.ts"
import type { Network, NetworkTrace } from "../nn/network.ts"
import type { Optimizer } from "../nn/optimizers.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import type { OutputTraining } from "../nn/training.ts"
import type { Callback } from "./callbacks/callback.ts"
import type { readFitOptions } from "./options.ts"

/** The output that is judged: the first with a loss. */
export interface Judged {
  readonly i: number
  readonly loss: Loss
}

/** The first output with a loss. */
export function judgedOf(outputs: readonly OutputTraining[]): Judged {
  const i = outputs.findIndex(({ loss }) => loss !== undefined)
  return { i, loss: outputs[i]!.loss! }
}

/** Layers that are an activation and nothing else. */
const ACTIVATIONS: { readonly [type: string]: string } = {
  ReLU: "relu",
  LeakyReLU: "leakyRelu",
  PReLU: "prelu",
  ELU: "elu",
  Softmax: "softmax",
}

/** Layers behind which the neurons of the layer before still speak for themselves. */
const PASSING = new Set(["Activation", "Flatten", "Reshape", "Dropout", ...Object.keys(ACTIVATIONS)])

type Config = { readonly [name: string]: unknown }

const typed = (value: unknown): Config | undefined =>
  typeof value === "object" && value !== null ? (value as Config) : undefined

/** The name of a thing that is given as a name or as an object with its type. */
function typeName(value: unknown): string | undefined {
  if (typeof value === "string") return value
  const { type, name } = typed(value) ?? {}
  return typeof type !== "string" ? undefined : type === "custom" && typeof name === "string" ? name : type
}

const ownActivation = (type: string, config: Config): string | undefined =>
  ACTIVATIONS[type] ?? (config.activation === undefined ? undefined : (typeName(config.activation) ?? "linear"))

/** A type as layers are called here: `dense`, `conv2D`, `lstm`. */
const called = (type: string): string => type.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (capitals) => capitals.toLowerCase())

/** The parameter that is the kernel of a layer: its own one, or the first of a layer within it. */
export function kernelsOf(parameters: readonly ParameterSpec[]): readonly ParameterSpec[] {
  return parameters.filter(({ name, variable }) => /kernel$/i.test(name) && variable.shape.length >= 2)
}

/** The layers of a network and its output. */
export function networkFacts(
  network: Network,
  traced: Pick<NetworkTrace, "layers" | "parameters" | "outputs">,
  judged: Judged,
  y: Tensor | undefined,
): NetworkFacts {
  const { layers, calls, inputs, outputs } = network
  const kernels = kernelsOf(traced.parameters)
  const out = outputNodes(network, judged.i)
  const kinds = activationsOf(network)
  const facts = traced.layers.map((trace): LayerFacts => {
    const number = layers.findIndex(({ name }) => name === trace.name)
    const { type, config: given, name } = layers[number]!
    const config = given as Config
    const node = calls.findIndex((call) => call.layer === number)
    const kernel = kernels.find((p) => p.layer === name)
    const shape = kernel?.variable.shape
    const outer = shape?.slice(0, -2).reduce((a, b) => a * b, 1) ?? 1
    const { l1, l2 } = (typed(config.kernelRegularizer) ?? {}) as { readonly l1?: number; readonly l2?: number }
    const initializer = typeName(config.kernelInitializer)
    return {
      name,
      type: called(type),
      hasKernel: kernel !== undefined,
      isOutput: kernel !== undefined && out.has(node),
      units: trace.outputShape[trace.outputShape.length - 1]!,
      parameters: trace.parameters,
      activation: kinds.layer(name).activation,
      ...(kinds.layer(name).behind === undefined ? {} : { activatedBy: kinds.layer(name).behind! }),
      ...(shape === undefined ? {} : { fanIn: outer * shape.at(-2)!, fanOut: outer * shape.at(-1)! }),
      ...(initializer === undefined ? {} : { kernelInitializer: initializer }),
      ...(type === "Dropout" ? { dropout: Number(config.rate) } : {}),
      ...(l1 === undefined ? {} : { l1 }),
      ...(l2 === undefined ? {} : { l2 }),
    }
  })
  const { from } = outputs[judged.i]!
  const last = calls[from.node - inputs.length]
  const shape = traced.outputs[judged.i]!.shape
  const units = shape[shape.length - 1]!
  const activation = kinds.output(judged.i)
  return {
    layers: facts,
    output: {
      layer: layers[last?.layer ?? -1]?.name ?? "input",
      units,
      activation,
      loss: nameOf(judged.loss),
      fromLogits: "fromLogits" in judged.loss && judged.loss.fromLogits === true,
    },
    task: taskOf(judged.loss, units, activation, y),
    parameters: traced.parameters.reduce((n, p) => n + p.variable.shape.reduce((a, b) => a * b, 1), 0),
  }
}

/** The activation layer just behind a call, if its value goes there alone. */
function activationBehind(
  { calls, layers, inputs }: Network,
  node: number,
): { readonly name: string; readonly activation: string } | undefined {
  const users = calls.filter(({ inputs: from }) => from.some((f) => f.node === node + inputs.length))
  const { type, config, name } = layers[users.length === 1 ? users[0]!.layer : -1] ?? {}
  if (type === undefined || (type !== "Activation" && !(type in ACTIVATIONS))) return undefined
  return { name: name!, activation: ownActivation(type, (config ?? {}) as Config)! }
}

/** The activation of each layer, and the layer behind it that is it, if one is; the activation that an output comes from. */
export function activationsOf(network: Network): {
  layer(name: string): { readonly activation: string; readonly behind: string | undefined }
  output(i: number): string
} {
  const { layers, calls, inputs, outputs } = network
  const of = (number: number): { readonly activation: string; readonly behind: string | undefined } => {
    const { type, config } = layers[number]!
    const own = ownActivation(type, config as Config) ?? "linear"
    const node = calls.findIndex((call) => call.layer === number)
    const behind = own === "linear" ? activationBehind(network, node) : undefined
    return { activation: behind?.activation ?? own, behind: behind?.name }
  }
  return {
    layer: (name) => of(layers.findIndex((layer) => layer.name === name)),
    output: (i) => {
      const last = calls[outputs[i]!.from.node - inputs.length]
      return last === undefined ? "linear" : of(last.layer).activation
    },
  }
}

/** The calls from which the output comes with nothing but activations between. */
function outputNodes({ calls, layers, inputs, outputs }: Network, i: number): ReadonlySet<number> {
  const found = new Set<number>()
  for (let node = outputs[i]!.from.node - inputs.length; node >= 0; ) {
    found.add(node)
    const { layer, inputs: from } = calls[node]!
    if (!PASSING.has(layers[layer]!.type)) break
    node = from[0]!.node - inputs.length
  }
  return found
}

/** What a loss, an output and its targets make of each other. */
function taskOf(loss: Loss, units: number, activation: string, y: Tensor | undefined): Task {
  const kind = targetsOf(loss)
  if (kind === "labels" || kind === "classes") return "classes"
  if (/crossentropy/i.test(loss.type) || kind === "signs" || kind === "probabilities") {
    if (units === 1) return "binary"
    return activation === "softmax" || isOneHot(y, units) ? "classes" : "labels"
  }
  if (units > 1) return isOneHot(y, units) ? "classes" : "numbers"
  const bounded = activation === "sigmoid" || activation === "tanh"
  return bounded && y !== undefined && isYesOrNo(y) ? "binary" : "numbers"
}

/** Rows of so many numbers, of which one is 1 and the others are 0. */
function isOneHot(y: Tensor | undefined, units: number): boolean {
  if (y === undefined || y.shape.slice(1).reduce((a, b) => a * b, 1) !== units) return false
  for (let from = 0; from < y.data.length; from += units) {
    let ones = 0
    for (let i = from; i < from + units; i++) {
      if (y.data[i] === 1) ones++
      else if (y.data[i] !== 0) return false
    }
    if (ones !== 1) return false
  }
  return true
}

/** Two numbers and no others. */
function isYesOrNo({ data }: Tensor): boolean {
  const first = data[0]
  let other: number | undefined
  for (const value of data) {
    if (value === first || value === other) continue
    if (other !== undefined) return false
    other = value
  }
  return other !== undefined && [first, other].every((n) => n === 0 || n === 1 || n === -1)
}

/** Callbacks that change the learning rate, and those that end a training: what they say of themselves. */
const RATES = new Set(["reduceLROnPlateau", "learningRateScheduler"])

/** How it is trained: the optimizer and the options of fit. */
export function trainingFacts(
  optimizer: Optimizer,
  read: ReturnType<typeof readFitOptions>,
  learningRate: number,
  rounds: number,
  batchSize: number,
): TrainingFacts {
  const kinds = read.callbacks.map(kindOf)
  const { clipNorm, clipValue, globalClipNorm, weightDecay } = optimizer
  const limits = [
    { kind: "value", at: clipValue },
    { kind: "norm", at: clipNorm },
    { kind: "globalNorm", at: globalClipNorm },
  ] as const
  const clip = limits.find(({ at }) => at !== null)
  const momentum = "momentum" in optimizer ? optimizer.momentum : "beta1" in optimizer ? optimizer.beta1 : 0
  return {
    optimizer: optimizer.type,
    learningRate,
    scheduled: typeof optimizer.learningRate !== "number" || kinds.some((kind) => RATES.has(kind)),
    momentum,
    ...(clip === undefined ? {} : { clip: { kind: clip.kind, at: clip.at! } }),
    ...(weightDecay === null ? {} : { weightDecay }),
    batchSize,
    epochs: read.epochs === "auto" ? FIRST_EPOCHS : read.epochs,
    rounds: Number.isFinite(rounds) ? rounds : 0,
    shuffle: read.shuffle,
    classWeights: read.classWeight !== undefined || read.sampleWeight !== undefined,
    earlyStopping: kinds.includes("earlyStopping") || read.epochs === "auto",
  }
}

const kindOf = (callback: Callback): string => callback.getState?.().type ?? ""
