// The numbers that parameters begin with, drawn and computed. Knows no initializer by name.

import { configError } from "../core/errors.ts"
import { fillNormal, fillTruncatedNormal, fillUniform, streams } from "../core/random.ts"
import { formatShape, type Shape, size } from "../core/shape.ts"

/** What random numbers depend on: the seed and the index of the parameter among those of its network. */
export interface InitialKey {
  readonly seed: number
  readonly index: number
}

/** The standard deviation of a normal distribution cut off at ±2, by which one is divided to have it after the cut. */
const TRUNCATED_STDDEV = 0.87962566103423978

/** How {@link scale} draws. */
export interface Scaling {
  readonly scale: number
  readonly mode: "fanIn" | "fanOut" | "fanAvg"
  readonly distribution: "truncatedNormal" | "untruncatedNormal" | "uniform"
}

/**
 * Variance scaling (Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998): uniform in ±√(3·scale/n), or normal with
 * standard deviation √(scale/n), after truncation if there is one; n is the fan-in, the fan-out or the mean of both.
 */
export function scale(config: Scaling, out: Float32Array, shape: Shape, key: InitialKey): void {
  const { fanIn, fanOut } = fansOf(shape)
  const n = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[config.mode]
  const variance = config.scale / Math.max(1, n)
  const limit = Math.sqrt(3 * variance)
  if (config.distribution === "uniform") uniform(out, -limit, limit, key)
  else if (config.distribution === "truncatedNormal") truncated(out, 0, Math.sqrt(variance) / TRUNCATED_STDDEV, key)
  else fillNormal(out, 0, Math.sqrt(variance), key.seed, streams.initialization, key.index, 0)
}

/** The sizes of a matrix. */
export function matrix(name: string, shape: Shape): readonly [number, number] {
  if (shape.length !== 2) throw notMatrix(name, shape)
  return [shape[0]!, shape[1]!]
}

/** The error for a shape that is no matrix. */
export function notMatrix(name: string, shape: Shape): Error {
  const expected = name === "identity" ? "[rows, columns]" : "at least two axes"
  return configError({ where: name, what: "the initializer is for matrices.", expected, got: formatShape(shape) })
}

/**
 * The nearest thing to a random rotation: rows (or, if there are more of them, columns) of length 1 at right angles, from
 * normal numbers by Gram and Schmidt's method in float64, twice, which is enough (Giraud et al. 2005). With the diagonal of R
 * positive as here the result is evenly distributed (Mezzadri 2007).
 */
export function orthonormal(drawn: Float32Array, rows: number, columns: number): Float64Array {
  const byColumn = rows >= columns
  const [count, length] = byColumn ? [columns, rows] : [rows, columns]
  const at = (vector: number, i: number): number => (byColumn ? i * columns + vector : vector * columns + i)
  const out = Float64Array.from(drawn)
  for (let v = 0; v < count; v++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let u = 0; u < v; u++) {
        let product = 0
        for (let i = 0; i < length; i++) product += out[at(u, i)]! * out[at(v, i)]!
        for (let i = 0; i < length; i++) out[at(v, i)]! -= product * out[at(u, i)]!
      }
    }
    let squares = 0
    for (let i = 0; i < length; i++) squares += out[at(v, i)]! * out[at(v, i)]!
    const norm = Math.sqrt(squares)
    for (let i = 0; i < length; i++) out[at(v, i)]! /= norm
  }
  return out
}

/** Numbers evenly from `low` to `high`. */
export function uniform(out: Float32Array, low: number, high: number, { seed, index }: InitialKey): void {
  fillUniform(out, seed, streams.initialization, index, 0)
  const [from, range] = [Math.fround(low), Math.fround(high - low)]
  for (let i = 0; i < out.length; i++) out[i] = from + Math.fround(range * out[i]!)
}

/** Numbers of a normal distribution within two standard deviations. */
export function truncated(out: Float32Array, mean: number, stddev: number, { seed, index }: InitialKey): void {
  fillTruncatedNormal(out, mean, stddev, seed, streams.initialization, index, 0)
}

/**
 * How many inputs and outputs a weight of this shape connects, by Keras's rule: a matrix is [in, out]; kernels of more
 * axes are [...receptive field, in, out].
 */
export function fansOf(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2) return { fanIn: shape[0] ?? 1, fanOut: shape[0] ?? 1 }
  const field = size(shape.slice(0, -2))
  const [fanIn, fanOut] = shape.slice(-2) as [number, number]
  return { fanIn: fanIn * field, fanOut: fanOut * field }
}
