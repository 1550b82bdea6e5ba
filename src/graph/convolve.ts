// Convolutions and windows out of the primitive operations, in both directions. Knows only ops.

import type { Shape } from "../core/shape.ts"
import type { Attributes, Edge, Node, Window } from "./node.ts"
import * as ops from "./ops.ts"

/** Zeros along one axis. */
export function padAxis(x: Node, axis: number, edge: Edge): Node {
  const none = { before: 0, after: 0, between: 0 }
  return ops.pad(
    x,
    x.shape.map((_, i) => (i === axis ? edge : none)),
  )
}

/** The places of an axis that were there before zeros were added: every (between + 1)-th from the first. */
export function withoutPad(x: Node, axis: number, { before, between }: Edge, shape: Shape): Node {
  const n = shape[axis]!
  if (n < 0) return x
  const part = ops.slice(x, axis, before, before + (n - 1) * (between + 1) + 1)
  if (between === 0) return part
  const picked = ops.windows(part, axis, { size: 1, stride: between + 1, dilation: 1 })
  return ops.reshape(picked, picked.shape.toSpliced(axis + 1, 1))
}

/** The axes after the outer ones with the first `n` of them moved behind the others. */
export function exchanged(x: Node, outer: number, n: number): Node {
  const axes = x.shape.map((_, axis) => axis)
  return ops.transpose(x, [...axes.slice(0, outer), ...axes.slice(outer + n), ...axes.slice(outer, outer + n)])
}

/** All windows of the places between the first axis and the last: `[batch, ...windows, ...size, channels]`. */
export function allWindows(x: Node, size: Shape, { strides, dilations }: Attributes["convolution"]): Node {
  let value = x
  size.forEach((n, d) => {
    value = ops.windows(value, 2 * d + 1, { size: n, stride: strides[d]!, dilation: dilations[d]! })
  })
  const axes = size.map((_, d) => 2 * d + 1)
  return ops.transpose(value, [0, ...axes, ...axes.map((axis) => axis + 1), 2 * size.length + 1])
}

/** What the primitive `convolution` means: the product of all windows with the kernel. */
export function expandConvolution(x: Node, w: Node, options: Attributes["convolution"]): Node {
  const rank = options.strides.length
  return ops.product(allWindows(x, w.shape.slice(0, rank), options), w, { outer: 0, inner: rank + 1 })
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
    const part = ops.slice(g, axis + 1, j, j + 1)
    const before = j * dilation
    const after = n - before - ((count - 1) * stride + 1)
    const placed = padAxis(ops.reshape(part, part.shape.toSpliced(axis + 1, 1)), axis, {
      before,
      after,
      between: stride - 1,
    })
    total = total === undefined ? placed : ops.add(total, placed)
  }
  return total!
}

/**
 * The transpose of a convolution, which its gradient and layers that enlarge need: ∂C/∂x from ∂C/∂y, or each place of g spread
 * over a window of x. With a step of 1 it is a convolution of g with the kernel turned round.
 */
export function spread(g: Node, w: Node, shape: Shape, { strides, dilations }: Attributes["convolution"]): Node {
  const rank = strides.length
  const none = { before: 0, after: 0, between: 0 }
  if (strides.every((s) => s === 1)) {
    const edges = strides.map((_, d): Edge => {
      const before = (w.shape[d]! - 1) * dilations[d]!
      return { before, after: shape[d + 1]! - g.shape[d + 1]!, between: 0 }
    })
    const axes = strides.map((_, d) => d)
    const turned = axes.reduce((kernel, axis) => ops.reverse(kernel, axis), w)
    const kernel = ops.transpose(turned, [...axes, rank + 1, rank])
    return ops.convolution(ops.pad(g, [none, ...edges, none]), kernel, { strides, dilations })
  }
  // [batch, ...windows, filters] · [filters, ...size, channels], then the windows are joined, the last axis first.
  const kernel = ops.transpose(w, [rank + 1, ...w.shape.slice(0, -1).keys()])
  const spreads = ops.product(g, kernel, { outer: 0, inner: 1 })
  const order = strides.flatMap((_, d) => [d + 1, rank + d + 1])
  let value = ops.transpose(spreads, [0, ...order, 2 * rank + 1])
  for (let d = rank - 1; d >= 0; d--) {
    const window = { size: w.shape[d]!, stride: strides[d]!, dilation: dilations[d]! }
    value = joinWindows(value, 2 * d + 1, shape[d + 1]!, window)
  }
  return value
}

/** ∂C/∂w of a convolution: the product of all windows, by their places, with ∂C/∂y. */
export function kernelSlope(x: Node, g: Node, shape: Shape, options: Attributes["convolution"]): Node {
  const rank = options.strides.length
  const windows = allWindows(x, shape.slice(0, rank), options)
  return ops.product(exchanged(windows, 0, rank + 1), g, { outer: 0, inner: rank + 1 })
}
