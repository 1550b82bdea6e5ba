// Convolutions and windows out of the primitive operations, in both directions. Knows only ops.

import type { Shape } from "../core/shape.ts"
import type { Convolution, Edge, Node, Window } from "./node.ts"
import * as ops from "./ops.ts"
import * as places from "./places.ts"

const NONE: Edge = { before: 0, after: 0, between: 0 }

/** Zeros, or another number, along one axis. */
export function padAxis(x: Node, axis: number, edge: Edge, value = 0): Node {
  const edges = x.shape.map((_, i) => (i === axis ? edge : NONE))
  return places.pad(x, edges, value)
}

/** The places of an axis that were there before others were added: every (between + 1)-th from the first. */
export function withoutPad(x: Node, axis: number, { before, between }: Edge, shape: Shape): Node {
  const n = shape[axis]!
  if (n < 0) return x
  const part = ops.slice(x, axis, before, before + (n - 1) * (between + 1) + 1)
  if (between === 0) return part
  const picked = places.windows(part, axis, { size: 1, stride: between + 1, dilation: 1 })
  return without(picked, axis + 1)
}

/** The value without an axis of one place. */
function without(x: Node, axis: number): Node {
  return ops.reshape(x, x.shape.toSpliced(axis, 1))
}

/** One place of an axis, which disappears. */
export function placeOf(x: Node, axis: number, place: number): Node {
  return without(ops.slice(x, axis, place, place + 1), axis)
}

/** The axes after the outer ones with the first `n` of them moved behind the others. */
export function exchanged(x: Node, outer: number, n: number): Node {
  const axes = [...x.shape.keys()]
  return ops.transpose(x, [...axes.slice(0, outer), ...axes.slice(outer + n), ...axes.slice(outer, outer + n)])
}

/** One axis moved to another place. */
function moved(x: Node, from: number, to: number): Node {
  const others = [...x.shape.keys()].filter((axis) => axis !== from)
  return ops.transpose(x, others.toSpliced(to, 0, from))
}

/** Σ over the axes, which disappear. */
function sums(x: Node, axes: readonly number[]): Node {
  return axes.toSorted((a, b) => b - a).reduce((value, axis) => ops.fold("sum", value, axis), x)
}

/** All windows of the places between the first axis and the last: `[batch, ...windows, ...size, channels]`. */
export function allWindows(x: Node, size: Shape, { strides, dilations }: Omit<Convolution, "groups">): Node {
  let value = x
  for (const [d, n] of size.entries()) {
    value = places.windows(value, 2 * d + 1, { size: n, stride: strides[d]!, dilation: dilations[d]! })
  }
  const axes = size.map((_, d) => 2 * d + 1)
  return ops.transpose(value, [0, ...axes, ...axes.map((axis) => axis + 1), 2 * size.length + 1])
}

/** The axis seen as `parts` of equal size: `[..., n, ...] -> [..., parts, n / parts, ...]`. */
function divided(x: Node, axis: number, parts: number): Node {
  return ops.reshape(x, x.shape.toSpliced(axis, 1, parts, x.shape[axis]! / parts))
}

/** The last two axes as one. */
function joinedLast(x: Node): Node {
  const [a, b] = x.shape.slice(-2) as [number, number]
  return ops.reshape(x, [...x.shape.slice(0, -2), a * b])
}

/** The groups of the last axis as the first: `[...rest, groups·n] -> [groups, ...rest, n]`. */
function groupsFirst(x: Node, groups: number): Node {
  return moved(divided(x, x.shape.length - 1, groups), x.shape.length - 1, 0)
}

/** The other way. */
function groupsLast(x: Node): Node {
  return joinedLast(moved(x, 0, x.shape.length - 2))
}

/** What the primitive `convolution` means: the product of all windows with the kernel, group by group. */
export function expandConvolution(x: Node, w: Node, options: Convolution): Node {
  const { groups } = options
  const rank = options.strides.length
  const windows = allWindows(x, w.shape.slice(0, rank), options)
  if (groups === 1) return ops.product(windows, w, { outer: 0, inner: rank + 1 })
  if (w.shape.at(-2) === 1) return channelByChannel(windows, w, rank, groups)
  return groupsLast(ops.product(groupsFirst(windows, groups), groupsFirst(w, groups), { outer: 1, inner: rank + 1 }))
}

/** Every channel with its own filters: the products of one place of the windows after the other. */
function channelByChannel(windows: Node, w: Node, rank: number, channels: number): Node {
  const size = w.shape.slice(0, rank)
  const rows = windows.shape.slice(0, rank + 1)
  const places = size.reduce((n, d) => n * d, 1)
  const taps = ops.reshape(w, [places, channels, w.shape.at(-1)! / channels])
  let total: Node | undefined
  for (let place = 0; place < places; place++) {
    let x = windows
    let rest = place
    for (let d = rank - 1; d >= 0; d--) {
      x = placeOf(x, rank + 1 + d, rest % size[d]!)
      rest = Math.floor(rest / size[d]!)
    }
    const product = ops.mul(ops.reshape(x, [...rows, channels, 1]), placeOf(taps, 0, place))
    total = total === undefined ? product : ops.add(total, product)
  }
  return joinedLast(total!)
}

/** Σ over the windows that share a place: the transpose of `windows`, with the axis of n places again. */
export function joinWindows(g: Node, axis: number, n: number, { size, stride, dilation }: Window): Node {
  const count = g.shape[axis]!
  if (size === stride && dilation === 1) {
    const joined = ops.reshape(g, g.shape.toSpliced(axis, 2, count * size))
    return padAxis(joined, axis, { before: 0, after: n - count * size, between: 0 })
  }
  let total: Node | undefined
  for (let j = 0; j < size; j++) {
    const before = j * dilation
    const after = n - before - ((count - 1) * stride + 1)
    const placed = padAxis(placeOf(g, axis + 1, j), axis, { before, after, between: stride - 1 })
    total = total === undefined ? placed : ops.add(total, placed)
  }
  return total!
}

/**
 * The transpose of a convolution, which its gradient and layers that enlarge need: ∂C/∂x from ∂C/∂y, or each place of g spread
 * over a window of x, which has the given shape. With a step of 1 it is a convolution of g with the kernel turned round.
 */
export function spread(g: Node, w: Node, shape: Shape, options: Convolution): Node {
  const { strides, dilations, groups } = options
  const rank = strides.length
  const [channels, filters] = w.shape.slice(-2) as [number, number]
  if (strides.every((s) => s === 1)) {
    const edges = strides.map((_, d): Edge => {
      const before = (w.shape[d]! - 1) * dilations[d]!
      return { before, after: shape[d + 1]! - g.shape[d + 1]!, between: 0 }
    })
    const axes = [...strides.keys()]
    const turned = axes.reduce((kernel, axis) => places.reverse(kernel, axis), w)
    // [...size, channels, groups, filters of one] -> [...size, filters of one, groups·channels].
    const parts = divided(turned, rank + 1, groups)
    const kernel = joinedLast(ops.transpose(parts, [...axes, rank + 2, rank + 1, rank]))
    return places.convolution(places.pad(g, [NONE, ...edges, NONE]), kernel, options)
  }
  // [batch, ...windows, ...size, channels]: then the windows are joined, the last axis first.
  let spreads: Node
  if (channels === 1 && groups > 1) {
    const each = filters / groups
    const ones = strides.map(() => 1)
    const slopes = ops.reshape(g, [...g.shape.slice(0, -1), ...ones, groups, each])
    const kernel = ops.reshape(w, [...w.shape.slice(0, rank), groups, each])
    spreads = sums(ops.mul(slopes, kernel), [slopes.shape.length - 1])
  } else {
    const kernel = moved(groupsFirst(w, groups), rank + 2, 1)
    spreads = groupsLast(ops.product(groupsFirst(g, groups), kernel, { outer: 1, inner: 1 }))
  }
  const order = strides.flatMap((_, d) => [d + 1, rank + d + 1])
  let value = ops.transpose(spreads, [0, ...order, 2 * rank + 1])
  for (let d = rank - 1; d >= 0; d--) {
    const window = { size: w.shape[d]!, stride: strides[d]!, dilation: dilations[d]! }
    value = joinWindows(value, 2 * d + 1, shape[d + 1]!, window)
  }
  return value
}

/** ∂C/∂w of a convolution: the product of all windows, by their places, with ∂C/∂y. */
export function kernelSlope(x: Node, g: Node, shape: Shape, options: Convolution): Node {
  const { groups } = options
  const rank = options.strides.length
  const windows = allWindows(x, shape.slice(0, rank), options)
  const rows = [...Array(rank + 1).keys()]
  if (groups === 1) return ops.product(exchanged(windows, 0, rank + 1), g, { outer: 0, inner: rank + 1 })
  if (shape.at(-2) === 1) {
    const each = shape.at(-1)! / groups
    const slopes = ops.reshape(g, [...g.shape.slice(0, -1), ...rows.slice(1).map(() => 1), groups, each])
    const products = ops.mul(ops.reshape(windows, [...windows.shape, 1]), slopes)
    return ops.reshape(sums(products, rows), shape)
  }
  const byGroup = exchanged(groupsFirst(windows, groups), 1, rank + 1)
  return groupsLast(ops.product(byGroup, groupsFirst(g, groups), { outer: 1, inner: rank + 1 }))
}
