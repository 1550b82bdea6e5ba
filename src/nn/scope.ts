// What a layer may ask for while it is traced: parameters, values that training keeps, whether it is being trained.
// Knows no layer and no network.

import { configError, internalError } from "../core/errors.ts"
import { streams } from "../core/random.ts"
import { formatShape, type Shape, sameShape, size } from "../core/shape.ts"
import { randomNormal } from "../graph/compose.ts"
import type { Update } from "../graph/graph.ts"
import type { Node, Variable } from "../graph/node.ts"
import { random, read } from "../graph/ops.ts"
import type { Initializer } from "./initializers.ts"
import type { Cell } from "./weights.ts"

/** What may be said of a parameter beside its shape and how it begins. */
export interface ParameterOptions {
  /** What is added to the cost for its value; shape []. */
  readonly regularizer?: ((value: Node) => Node) | undefined
  /** What its value becomes after every update. */
  readonly constraint?: ((value: Node) => Node) | undefined
  /** Elements, from the first to before the second, that begin as 1 whatever the initializer says. */
  readonly ones?: readonly [number, number] | undefined
  /** Whether it is a state that one batch leaves to the next, and no weight: Keras's files have no place for it. */
  readonly carried?: boolean
}

/** A parameter of a network and how it begins. */
export interface ParameterSpec extends ParameterOptions {
  readonly variable: Variable
  readonly initializer: Initializer
  /** The name of its layer in the network. */
  readonly layer: string
  /** Its name in the layer: `kernel`. */
  readonly name: string
  /** False for values that training does not change by gradients. */
  readonly trainable: boolean
  /** Its value at the start of the round, in the graph: one node however often it is asked for. */
  readonly value: Node
  /** The values of another model, if this one shares them. */
  readonly cell: Cell | undefined
}

/** 1 for each step that counts and 0 for others, `[batch, steps]`; undefined: all count. */
export type Mask = Node | undefined

/** What a layer may ask for while it is traced. */
export interface Scope {
  /** True while the layer is being trained: dropout drops, batch normalization measures. */
  readonly training: boolean
  /** False for layers that are to stay as they are. */
  readonly trainable: boolean
  /** How many rows every batch has, if the network says so. */
  readonly batchSize: number | undefined
  /** The masks of the layer's inputs, in their order. */
  readonly masks: readonly Mask[]
  /** Says which mask an output has. Without it an output has none: layers after this one take every step into account. */
  passMask(mask: Mask, output?: number): void
  /** A trainable parameter of the layer; its place in the model is `layer/name`. */
  parameter(name: string, shape: Shape, initializer: Initializer, options?: ParameterOptions): Node
  /** A value of the layer that lasts and that only `update` changes, such as a running mean. */
  state(name: string, shape: Shape, initializer: Initializer, options?: Pick<ParameterOptions, "carried">): Node
  /** What a state becomes after a round: of training, or of any kind if it is so while the layer is asked. */
  update(name: string, value: Node): void
  /** Adds a number, of shape [], to the cost. */
  addLoss(value: Node): void
  /**
   * Uniform random numbers of [0, 1), others in every round: a function of the seed of the training, the step, the place
   * among the network's random numbers (or `seed`) and the place in the value.
   */
  random(shape: Shape, seed?: number | null): Node
  /** The same for a normal distribution. */
  randomNormal(shape: Shape, options?: NormalNoise): Node
  /** A scope for a layer inside this one. */
  inner(name: string, trainable: boolean, options?: InnerOptions): Scope
}

/** The masks of a call: those of its inputs, and those that the layer says its outputs have. */
export interface Masks {
  readonly given: readonly Mask[]
  readonly passed: Mask[]
}

/** What a layer inside another one gets from it. */
export interface InnerOptions {
  /** The values it shares with another model, by key. */
  readonly cells?: ReadonlyMap<string, Cell> | undefined
  readonly masks?: Masks | undefined
}

/** What normal random numbers are like: by default of mean 0 and standard deviation 1. */
export interface NormalNoise {
  readonly mean?: number
  readonly stddev?: number
  readonly seed?: number | null
}

/** What is written down while a network is traced. */
export interface Tracing {
  readonly training: boolean
  readonly batchSize: number | undefined
  readonly parameters: ParameterSpec[]
  readonly updates: Update[]
  readonly losses: Node[]
  /** True once a layer has asked whether it is being trained. */
  modal: boolean
  substreams: number
}

/** A tracing in which nothing has been asked for yet. */
export function newTracing(training: boolean, batchSize?: number): Tracing {
  return { training, batchSize, parameters: [], updates: [], losses: [], modal: false, substreams: 0 }
}

/** The most bytes that the parameters of a network may take: what 32-bit addresses reach. */
export const PARAMETER_BYTES = 4294967296

/** The scope of a layer of the network. A layer that is traced twice gets the same parameters. */
export function scopeOf(tracing: Tracing, layer: string, trainable: boolean, masks?: Masks): Scope {
  return scopeAt(tracing, { layer, path: layer, trainable, masks })
}

interface Position {
  /** The layer of the network, and where this layer is in it. */
  readonly layer: string
  readonly path: string
  readonly trainable: boolean
  readonly cells?: ReadonlyMap<string, Cell> | undefined
  /** The part of the path that the cells' keys do not have. */
  readonly shared?: string | undefined
  readonly masks?: Masks | undefined
}

function scopeAt(tracing: Tracing, position: Position): Scope {
  const { layer, path, trainable, cells, shared, masks } = position
  const { parameters, updates } = tracing
  const names = new Set<string>()
  const ask = (
    name: string,
    shape: Shape,
    initializer: Initializer,
    learns: boolean,
    options: ParameterOptions,
  ): Node => {
    const key = `${path}/${name}`
    if (names.has(name)) throw internalError(`The parameter ${key} exists twice.`)
    names.add(name)
    const known = parameters.find((p) => p.variable.key === key)
    if (known !== undefined) {
      checkSame(name, known.variable.shape, shape)
      return updates.findLast((u) => u.variable.key === key)?.value ?? known.value
    }
    checkBytes(parameters, name, shape)
    const variable: Variable = { key, shape }
    const value = read(variable)
    const cell = shared === undefined ? undefined : cells?.get(key.slice(shared.length + 1))
    parameters.push({ variable, value, initializer, layer, name, trainable: learns, cell, ...options })
    return value
  }
  return {
    get training() {
      tracing.modal = true
      return tracing.training
    },
    trainable,
    batchSize: tracing.batchSize,
    masks: masks?.given ?? [],
    passMask: (mask, output = 0) => {
      if (masks !== undefined) masks.passed[output] = mask
    },
    parameter: (name, shape, initializer, options = {}) => ask(name, shape, initializer, trainable, options),
    state: (name, shape, initializer, options = {}) => ask(name, shape, initializer, false, options),
    update: (name, value) => {
      const found = parameters.find((p) => p.variable.key === `${path}/${name}`)
      if (found === undefined) throw internalError(`The layer ${path} has no state ${name}.`)
      updates.push({ variable: found.variable, value })
    },
    addLoss: (value) => void tracing.losses.push(value),
    random: (shape, seed = null) => random(streams.dropout, substreamOf(tracing, seed), shape),
    randomNormal: (shape, { mean = 0, stddev = 1, seed = null } = {}) =>
      randomNormal(streams.dropout, substreamOf(tracing, seed), shape, mean, stddev),
    inner: (name, learns, { cells: other, masks: own } = {}) => {
      const inside = `${path}/${name}`
      const sharing = cells !== undefined || other === undefined ? { cells, shared } : { cells: other, shared: path }
      return scopeAt(tracing, { layer, path: inside, trainable: trainable && learns, masks: own, ...sharing })
    },
  }
}

/** The number of a stream of random numbers: the next one, or in the upper half of the numbers one that the user chose. */
function substreamOf(tracing: Tracing, seed: number | null): number {
  return seed === null ? tracing.substreams++ : HALF + (seed % HALF)
}

/** 2^31: half of the numbers of streams. */
const HALF = 2147483648

/** Throws E_CONFIG if a layer that is used twice would need a parameter of another shape. */
function checkSame(name: string, before: Shape, now: Shape): void {
  if (sameShape(before, now)) return
  const what = `its ${name} has the shape ${formatShape(before)} from an earlier use, and would need ${formatShape(now)}.`
  throw configError({ what, hint: "Inputs of a layer that is used twice have the same last size; or make two layers." })
}

function checkBytes(parameters: readonly ParameterSpec[], name: string, shape: Shape): void {
  const before = parameters.reduce((sum, other) => sum + size(other.variable.shape), 0)
  const bytes = 4 * (before + size(shape))
  if (bytes <= PARAMETER_BYTES) return
  throw configError({
    what: `the parameters up to its ${name} ${formatShape(shape)} do not fit into memory.`,
    expected: `at most ${PARAMETER_BYTES} bytes`,
    got: `${bytes} bytes`,
    hint: "Use fewer units.",
  })
}
