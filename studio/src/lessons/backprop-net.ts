// The formulas of a small net, 2-3-2-1, written out: activations, cost, gradients. Knows no page and no library layer.

import { fillUniform, streams } from "../../../src/core/random.ts"

/** Neurons of the layers, the inputs first. */
export const sizes = [2, 3, 2, 1] as const

/** The activation of the hidden neurons. */
export type Act = "sigmoid" | "tanh"

/** The cost. */
export type CostName = "cross-entropy" | "quadratic"

/** weights[l][i][j]: from neuron i of layer l to neuron j of layer l + 1; biases[l][j] of neuron j of layer l + 1. */
export interface Params {
  readonly weights: readonly (readonly (readonly number[])[])[]
  readonly biases: readonly (readonly number[])[]
}

/** What the net is asked. */
export interface Question {
  readonly x: readonly [number, number]
  readonly y: number
  readonly act: Act
  readonly cost: CostName
}

/** All numbers of one pass forwards and backwards. */
export interface Numbers {
  /** Activations by layer, the inputs first. */
  readonly a: readonly (readonly number[])[]
  /** δ = ∂C/∂z of the neurons of layer l + 1, which is also the gradient of their biases. */
  readonly delta: readonly (readonly number[])[]
  /** ∂C/∂w in the places of the weights. */
  readonly gradients: readonly (readonly (readonly number[])[])[]
  readonly cost: number
}

/** Weights and biases together. */
export const COUNT = 20

/** All parameters in one row, layer by layer, weights before biases: as a model's weights lie in memory. */
export function flat({ weights, biases }: Params): number[] {
  return weights.flatMap((rows, l) => [...rows.flat(), ...biases[l]!])
}

/** The parameters of such a row. */
export function unflat(values: ArrayLike<number>): Params {
  let at = 0
  const next = (): number => values[at++]!
  const weights: number[][][] = []
  const biases: number[][] = []
  for (let l = 0; l + 1 < sizes.length; l++) {
    const wide = sizes[l + 1]!
    weights.push(Array.from({ length: sizes[l]! }, () => Array.from({ length: wide }, next)))
    biases.push(Array.from({ length: wide }, next))
  }
  return { weights, biases }
}

/** The first parameters of a seed: weights from −1.5 to 1.5, biases from −0.4 to 0.4, with two decimals. */
export function drawn(seed: number): Params {
  const u = new Float32Array(COUNT)
  fillUniform(u, seed, streams.initialization, 0, 0)
  const rounded = (value: number): number => Math.round(100 * value) / 100
  const { weights, biases } = unflat(u)
  return {
    weights: weights.map((rows) => rows.map((row) => row.map((v) => rounded(3 * v - 1.5)))),
    biases: biases.map((row) => row.map((v) => rounded(0.8 * v - 0.4))),
  }
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))

/** Whether the neurons of layer l + 1 are hidden or the output. */
const actOf = (l: number, act: Act): Act => (l === sizes.length - 2 ? "sigmoid" : act)

const answer = (act: Act, z: number): number => (act === "sigmoid" ? sigmoid(z) : Math.tanh(z))

/** The slope of an activation, by what it gave. */
export const slope = (act: Act, a: number): number => (act === "sigmoid" ? a * (1 - a) : 1 - a * a)

/** Σ w·a + b of a neuron j of layer l + 1. */
export function sumOf({ weights, biases }: Params, a: Numbers["a"], l: number, j: number): number {
  return weights[l]!.reduce((sum, row, i) => sum + row[j]! * a[l]![i]!, biases[l]![j]!)
}

/** The cost of an output. */
export function costOf(name: CostName, y: number, a: number): number {
  if (name === "quadratic") return (y - a) ** 2
  return (y === 0 ? 0 : -y * Math.log(a)) + (y === 1 ? 0 : -(1 - y) * Math.log(1 - a))
}

/** Forwards and backwards. */
export function compute(params: Params, { x, y, act, cost }: Question): Numbers {
  const a: number[][] = [[...x]]
  for (let l = 0; l + 1 < sizes.length; l++) {
    a.push(Array.from({ length: sizes[l + 1]! }, (_, j) => answer(actOf(l, act), sumOf(params, a, l, j))))
  }
  const out = a.at(-1)![0]!
  const delta: number[][] = [[], [], []]
  delta[2] = [cost === "cross-entropy" ? out - y : 2 * (out - y) * slope("sigmoid", out)]
  for (let l = 1; l >= 0; l--) {
    delta[l] = a[l + 1]!.map((own, j) => {
      const heard = params.weights[l + 1]![j]!.reduce((sum, w, k) => sum + w * delta[l + 1]![k]!, 0)
      return heard * slope(act, own)
    })
  }
  const gradients = params.weights.map((rows, l) => rows.map((row, i) => row.map((_, j) => delta[l]![j]! * a[l]![i]!)))
  return { a, delta, gradients, cost: costOf(cost, y, out) }
}

/** The parameters after a step of gradient descent. */
export function stepped({ weights, biases }: Params, { gradients, delta }: Numbers, rate: number): Params {
  return {
    weights: weights.map((rows, l) => rows.map((row, i) => row.map((w, j) => w - rate * gradients[l]![i]![j]!))),
    biases: biases.map((row, l) => row.map((b, j) => b - rate * delta[l]![j]!)),
  }
}

/** The same parameters with another value of one weight. */
export function withWeight(params: Params, l: number, i: number, j: number, value: number): Params {
  const put = (rows: Params["weights"][number]): Params["weights"][number] =>
    rows.map((row, r) => (r === i ? row.map((w, c) => (c === j ? value : w)) : row))
  return { ...params, weights: params.weights.map((rows, m) => (m === l ? put(rows) : rows)) }
}

/** The same parameters with another value of one bias. */
export function withBias(params: Params, l: number, j: number, value: number): Params {
  return {
    ...params,
    biases: params.biases.map((row, m) => (m === l ? row.map((b, c) => (c === j ? value : b)) : row)),
  }
}

/** How far two sets of numbers are from each other at most. */
export function farthest(a: Numbers, b: Numbers): number {
  const all = (n: Numbers): number[] => [...n.a.flat(), ...flat({ weights: n.gradients, biases: n.delta }), n.cost]
  const other = all(b)
  return all(a).reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0)
}
