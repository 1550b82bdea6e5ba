// Operations made of operations: what the rest of the field calls functions. Knows only ops.

import { normalFromUniform, type Rational, type Stream } from "../core/random.ts"
import { axisOf, type Shape, size } from "../core/shape.ts"
import type { Node } from "./node.ts"
import * as ops from "./ops.ts"

/** Σ over the axes (all of them by default), which disappear unless `keep`. */
export function sum(x: Node, axes?: readonly number[], keep = false): Node {
  return foldAxes("sum", x, axes, keep)
}

/** The largest over the axes (all of them by default), which disappear unless `keep`. */
export function largest(x: Node, axes?: readonly number[], keep = false): Node {
  return foldAxes("max", x, axes, keep)
}

/** The smallest over the axes (all of them by default), which disappear unless `keep`. */
export function smallest(x: Node, axes?: readonly number[], keep = false): Node {
  return foldAxes("min", x, axes, keep)
}

function foldAxes(kind: "sum" | "max" | "min", x: Node, axes: readonly number[] | undefined, keep: boolean): Node {
  const all = (axes ?? x.shape.map((_, i) => i)).map((axis) => axisOf(axis, x.shape.length, kind))
  const sorted = [...new Set(all)].sort((a, b) => b - a)
  const folded = sorted.reduce((value, axis) => ops.fold(kind, value, axis), x)
  if (!keep) return folded
  return ops.reshape(
    folded,
    x.shape.map((n, i) => (sorted.includes(i) ? 1 : n)),
  )
}

/** The mean over the axes (all of them by default); the batch counts with its actual rows. */
export function mean(x: Node, axes?: readonly number[], keep = false): Node {
  const over = (axes ?? x.shape.map((_, i) => i)).map((axis) => axisOf(axis, x.shape.length, "mean"))
  return ops.div(sum(x, axes, keep), count(over.map((axis) => x.shape[axis]!)))
}

/** The mean over the axes of what has the mask 1 (not 0), and 0 where nothing has; the mask is stretched to the value. */
export function maskedMean(x: Node, mask: Node, axes?: readonly number[], keep = false): Node {
  const counted = ops.broadcastTo(mask, x.shape)
  return ops.div(sum(ops.mul(x, counted), axes, keep), ops.max(sum(counted, axes, keep), 1))
}

/** The number of elements of a shape, as a value: the batch counts with its actual rows. */
export function count(shape: Shape): Node {
  const n = size(shape)
  return n < 0 ? ops.mul(ops.runtime("rows"), -n) : ops.constant(n)
}

/** x². */
export function square(x: Node): Node {
  return ops.mul(x, x)
}

/** ln Σ eˣ over the last axis, kept as a size of 1; the maximum is subtracted first. */
export function logSumExp(x: Node): Node {
  const top = ops.stopGradient(largest(x, [-1], true))
  return ops.add(ops.log(sum(ops.exp(ops.sub(x, top)), [-1], true)), top)
}

/** x − ln Σ eˣ over the last axis, as (x − max) − ln Σ e^(x − max): finite and exact to rounding for any finite x. */
export function logSoftmax(x: Node): Node {
  const z = ops.sub(x, ops.stopGradient(largest(x, [-1], true)))
  return ops.sub(z, ops.log(sum(ops.exp(z), [-1], true)))
}

/** eˣ / Σ eˣ over the last axis, with the maximum subtracted first: what the primitive `softmax` means. */
export function expandSoftmax(x: Node): Node {
  const e = ops.exp(ops.sub(x, ops.stopGradient(largest(x, [-1], true))))
  return ops.div(e, sum(e, [-1], true))
}

/** The index of the largest value along the last axis, which disappears; of equal ones the first. */
export function argmax(x: Node): Node {
  const n = x.shape[x.shape.length - 1] ?? 1
  const top = largest(x, [-1], true)
  return smallest(ops.where(ops.equal(x, top), ops.indexOver(x.shape), n), [-1])
}

/** max(x, low) and min(x, high). */
export function clip(x: Node, low: number, high: number): Node {
  return ops.min(ops.max(x, low), high)
}

/** ln(1 + eˣ) without overflow: max(x, 0) + ln(1 + e^−|x|), written with `where` so that its slope at 0 is ½. */
export function softplus(x: Node): Node {
  const positive = ops.lessEqual(0, x)
  return ops.add(ops.where(positive, x, 0), ops.log1p(ops.exp(ops.where(positive, ops.neg(x), x))))
}

/** 1 where x > 0, −1 where x < 0, else 0 (NaN included). */
export function sign(x: Node): Node {
  return ops.sub(ops.less(0, x), ops.less(x, 0))
}

/**
 * x to the power of a number: whole exponents by repeated multiplication (1 divided by it for negative ones), ±½ by the square
 * root, others as e^(p ln x), which is NaN where x < 0. Large |p ln x| make the error of a rounding of the logarithm large.
 */
export function pow(x: Node, p: number): Node {
  if (p < 0 && (Number.isInteger(p) || p === -0.5)) return ops.div(1, pow(x, -p))
  if (p === 0.5) return ops.sqrt(x)
  if (!Number.isInteger(p)) return ops.exp(ops.mul(ops.log(x), p))
  let power: Node | undefined
  let square = x
  for (let rest = p; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = power === undefined ? square : ops.mul(power, square)
    if (rest > 1) square = ops.mul(square, square)
  }
  return power ?? ops.constant(1, x.shape)
}

/** 2⁻²⁵. */
const HALF_STEP = 1 / 33554432

/** The arithmetic of core/random.ts over values of a graph. */
const values: Rational<Node, Node> = {
  ...{ add: ops.add, sub: ops.sub, mul: ops.mul, div: ops.div, neg: ops.neg, abs: ops.abs, sqrt: ops.sqrt },
  ...{ less: ops.less, lessEqual: ops.lessEqual, select: ops.where, constant: (x: number) => ops.constant(x) },
}

/** Numbers of the normal distribution, mean + std·z: those of `fillNormal` bit for bit; otherwise as the primitive `random`. */
export function randomNormal(stream: Stream, substream: number, shape: Shape, mean = 0, std = 1): Node {
  // u − ½ + 2⁻²⁵ is the middle of the step that u begins, and exact.
  const q = ops.add(ops.sub(ops.random(stream, substream, shape), 0.5), HALF_STEP)
  return ops.add(mean, ops.mul(std, normalFromUniform(values, ops.log, q)))
}
