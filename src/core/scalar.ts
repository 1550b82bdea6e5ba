// The closed set of operations on single numbers, and their meaning in float32. Knows no arrays and no programs.

import type { Arithmetic } from "./arithmetic.ts"
import { cos, erf, exp, expm1, log, log1p, sigmoid, sin, tanh } from "./math.ts"

/** Names of the scalar operations with the number of their arguments; comparisons answer 1 or 0. */
export const scalars = {
  neg: 1,
  abs: 1,
  sqrt: 1,
  floor: 1,
  round: 1,
  exp: 1,
  expm1: 1,
  log: 1,
  log1p: 1,
  sin: 1,
  cos: 1,
  tanh: 1,
  erf: 1,
  sigmoid: 1,
  relu: 1,
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  max: 2,
  min: 2,
  less: 2,
  lessEqual: 2,
  equal: 2,
  where: 3,
} as const

/** The name of a scalar operation. */
export type Scalar = keyof typeof scalars

/** The scalar operations that answer true (1) or false (0). */
export const comparisons: readonly Scalar[] = ["less", "lessEqual", "equal"]

/**
 * The meaning of every scalar operation over a representation of float32, truth values and int32:
 * plain numbers in the reference, SIMD instructions in generated code. `max(a, b)` is `a < b ? b : a` and `min(a, b)` is
 * `b < a ? b : a`: a NaN in the first argument stays. `relu(x)` is 0 where x ≤ 0, else x. `where` takes a truth value first.
 */
export interface Scalars<V, B> {
  readonly values: { readonly [name in Exclude<Scalar, "less" | "lessEqual" | "equal" | "where">]: (...x: V[]) => V }
  readonly tests: { readonly [name in "less" | "lessEqual" | "equal"]: (a: V, b: V) => B }
  readonly where: (c: B, a: V, b: V) => V
}

/** The scalar operations, built from the exact ones alone: the one definition that all backends share. */
export function scalarsOver<V, B, I>(m: Arithmetic<V, B, I>): Scalars<V, B> {
  const zero = (): V => m.constant(0)
  return {
    values: {
      neg: (x) => m.neg(x!),
      abs: (x) => m.abs(x!),
      sqrt: (x) => m.sqrt(x!),
      floor: (x) => m.floor(x!),
      round: (x) => m.nearest(x!),
      exp: (x) => exp(m, x!),
      expm1: (x) => expm1(m, x!),
      log: (x) => log(m, x!),
      log1p: (x) => log1p(m, x!),
      sin: (x) => sin(m, x!),
      cos: (x) => cos(m, x!),
      tanh: (x) => tanh(m, x!),
      erf: (x) => erf(m, x!),
      sigmoid: (x) => sigmoid(m, x!),
      relu: (x) => m.select(m.lessEqual(x!, zero()), zero(), x!),
      add: (a, b) => m.add(a!, b!),
      sub: (a, b) => m.sub(a!, b!),
      mul: (a, b) => m.mul(a!, b!),
      div: (a, b) => m.div(a!, b!),
      max: (a, b) => m.max(a!, b!),
      min: (a, b) => m.min(a!, b!),
    },
    tests: {
      less: (a, b) => m.less(a, b),
      lessEqual: (a, b) => m.lessEqual(a, b),
      equal: (a, b) => m.equal(a, b),
    },
    where: (c, a, b) => m.select(c, a, b),
  }
}
