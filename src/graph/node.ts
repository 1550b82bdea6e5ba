// The nodes of a graph: immutable values that name an operation, its attributes and its inputs. Knows no device.

import { configError } from "../core/errors.ts"
import type { Fold } from "../core/fold.ts"
import type { Stream } from "../core/random.ts"
import type { Scalar } from "../core/scalar.ts"
import { formatShape, type Shape } from "../core/shape.ts"

/**
 * Something that outlives a round: a kernel, a bias, a momentum. `key` is its place in the model (`dense_1/kernel`);
 * two nodes with the same variable read the same memory.
 */
export interface Variable {
  readonly key: string
  readonly shape: Shape
}

/** The attributes of every operation: this table is the list of operations. */
export interface Attributes extends ScalarAttributes {
  /** One row of data for each example of the batch: features, targets, weights. */
  input: { readonly name: string }
  /** The value of a variable at the start of the round. */
  variable: { readonly variable: Variable }
  /** A number that is known when a round runs: `rows` (examples in this batch), `learningRate`, `step`. */
  runtime: { readonly name: string }
  constant: { readonly value: number }
  /** Uniform numbers of [0, 1), a function of the run's seed, stream, substream, step and row-major place (core/random.ts). */
  random: { readonly stream: Stream; readonly substream: number }
  /** The index along the last axis. */
  index: Record<never, never>
  broadcast: { readonly axes: readonly number[] }
  reshape: Record<never, never>
  transpose: { readonly order: readonly number[] }
  /** The places from `begin` to before `end` along one axis. */
  slice: { readonly axis: number; readonly begin: number; readonly end: number }
  /** The inputs one after the other along one axis. */
  concat: { readonly axis: number }
  /** A sum, maximum or minimum over one axis, which disappears. */
  fold: { readonly fold: Fold; readonly axis: number }
  /** The places along one axis as windows: [windows, places of one]. A view: windows may share places. */
  windows: { readonly axis: number } & Window
  /** The places along one axis from the last to the first. */
  reverse: { readonly axis: number }
  /** A number before, after and between the places of each axis. */
  pad: { readonly edges: readonly Edge[]; readonly value: number }
  /** A·B: A is [...outer, ...rows, ...inner], B is [...outer, ...inner, ...columns]; so many axes are outer and inner. */
  matmul: { readonly outer: number; readonly inner: number }
  /** A convolution over the axes between the first and the last. */
  convolution: Convolution
  softmax: Record<never, never>
  /** Rows of a table, or of a table of each example, by their numbers. */
  lookup: Record<never, never>
  /** A table of so many rows, each the sum of the values that have its number. */
  scatterAdd: { readonly rows: number }
  /** The same value, through which no gradient flows. */
  stopGradient: Record<never, never>
  /** Inside a scan: what is another value in every turn, or comes from outside. Two holes are never the same. */
  hole: Record<never, never>
  /** A loop: its inputs are the values for its holes. What it computes is asked for by `final` and `every`. */
  scan: Turns
  /** What a value that a scan carries is after its last turn. */
  final: { readonly carried: number }
  /** What a value inside a scan is in every turn: one more axis, after the batch. */
  every: { readonly value: Node }
}

/**
 * What a scan computes: in each of its turns t, nodes over holes. Its inputs are first the beginnings of what it carries from turn to
 * turn, then the sequences whose part t is an item, `[batch, turns, ...]` (`[turns, ...]` without the batch), then values that are
 * the same in every turn.
 */
export interface Turns {
  readonly turns: number
  /** Whether t runs from turns − 1 down to 0. */
  readonly reverse: boolean
  readonly carried: readonly Node[]
  readonly items: readonly Node[]
  readonly outer: readonly Node[]
  /** What is carried on to the next turn, for each of `carried`. */
  readonly next: readonly Node[]
}

/** Windows along an axis: places in one, and the distances between windows and between places. */
export interface Window {
  readonly size: number
  readonly stride: number
  readonly dilation: number
}

/** Places that are added along an axis: before the first place, after the last, and between neighbours. */
export interface Edge {
  readonly before: number
  readonly after: number
  readonly between: number
}

/** For each axis of a convolution its step and the distance within a window; channels are convolved in so many groups. */
export interface Convolution {
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly groups: number
}

type ScalarAttributes = { [name in Scalar]: Record<never, never> }

/** The name of an operation. */
export type Op = keyof Attributes

/** A value in a graph: what computes it and from what. All values are float32; comparisons give 0 or 1. */
export interface Node<K extends Op = Op> {
  readonly op: K
  readonly attributes: Attributes[K]
  readonly inputs: readonly Node[]
  readonly shape: Shape
}

/** True if the node is of the given operation; its attributes are then typed. */
export function isOp<K extends Op>(node: Node, op: K): node is Node<K> {
  return node.op === op
}

/** All nodes that the given ones need, inputs before users; the order depends on the graph alone. */
export function topological(roots: readonly Node[]): Node[] {
  const order: Node[] = []
  const seen = new Set<Node>()
  const stack: { node: Node; next: number }[] = []
  for (const root of roots) {
    if (seen.has(root)) continue
    seen.add(root)
    stack.push({ node: root, next: 0 })
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const input = top.node.inputs[top.next++]
      if (input === undefined) {
        order.push(top.node)
        stack.pop()
      } else if (!seen.has(input)) {
        seen.add(input)
        stack.push({ node: input, next: 0 })
      }
    }
  }
  return order
}

/** A node; whoever makes it has checked its inputs. */
export function node<K extends Op>(op: K, attributes: Attributes[K], inputs: readonly Node[], shape: Shape): Node<K> {
  return { op, attributes, inputs, shape }
}

/** The error of shapes that an operation does not take. */
export function shapeError(op: string, what: string): Error {
  return configError({ where: op, what })
}

/** The error of an axis that counts examples where none may. */
export function batchAxis(op: string, what: string, shape: Shape, axis: number): Error {
  return configError({
    where: op,
    what,
    expected: "an axis that does not count examples",
    got: `axis ${axis} of ${formatShape(shape)}`,
  })
}
