// Loops in a graph: a body that is traced once and run for every place of a sequence. Knows no gradient and no kernel.

import { configError } from "../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../core/shape.ts"
import { isOp, type Node, type Op, type Turns, topological } from "./node.ts"

/** What {@link scan} runs over. */
export interface ScanOptions {
  /** What is carried from turn to turn, at the first turn. */
  readonly initial: readonly Node[]
  /** Values of which each turn gets one part: `[batch, turns, ...]`, or `[turns, ...]` if they have no batch. */
  readonly sequences?: readonly Node[]
  /** The number of turns: needed only if there are no sequences. */
  readonly turns?: number
  /** Whether turns run from the end of the sequences to their begin (default false). */
  readonly reverse?: boolean
}

/** What one turn computes. */
export interface Turn {
  /** What is carried on, in the shapes of `initial`. */
  readonly next: readonly Node[]
  /** Values that are wanted of every turn. */
  readonly every?: readonly Node[]
}

/** What a scan gives. */
export interface Scanned {
  /** What was carried, after the last turn. */
  readonly final: readonly Node[]
  /** The values of all turns, each at the place of its turn: `[batch, turns, ...]`. */
  readonly every: readonly Node[]
}

/**
 * A loop: `body` says once what a turn computes from what is carried and from the parts of the sequences; it may use any other
 * value, which is then the same in every turn. A program runs it turn by turn, however many there are, and is not longer for it.
 * Throws E_CONFIG for sequences of different lengths, for `next` in other shapes than `initial`, and for a scan inside a scan.
 * @example
 * ```ts
 * import { ops } from "trilobite"
 * const x = ops.input("x", [5, 3])
 * const { final, every } = ops.scan({ initial: [ops.constant(0, [-1, 3])], sequences: [x] }, ([total], [item]) => {
 *   const next = ops.add(total!, item!)
 *   return { next: [next], every: [next] }
 * })
 * final[0]!.shape // => [-1, 3]
 * every[0]!.shape // => [-1, 5, 3]
 * ```
 */
export function scan(options: ScanOptions, body: (carried: readonly Node[], items: readonly Node[]) => Turn): Scanned {
  const { initial, sequences = [], reverse = false } = options
  const turns = turnsOf(sequences, options.turns)
  const carried = initial.map(({ shape }) => hole(shape))
  const items = sequences.map(({ shape }) => hole(shape.toSpliced(timeAxis(shape), 1)))
  const { next, every = [] } = body(carried, items)
  if (next.length !== initial.length || next.some((x, i) => !sameShape(x.shape, initial[i]!.shape))) {
    const [expected, got] = [initial, next].map((values) => values.map((x) => formatShape(x.shape)).join(", "))
    throw configError({ where: "scan", what: "what is carried must keep its shape.", expected: expected!, got: got! })
  }
  const made = closeTurns({ turns, reverse, carried, items, next }, [...initial, ...sequences], every)
  return { final: initial.map((_, i) => finalOf(made.scan, i)), every: made.inside.map((x) => everyOf(made.scan, x)) }
}

function turnsOf(sequences: readonly Node[], given: number | undefined): number {
  const lengths = sequences.map(({ shape }) => shape[timeAxis(shape)])
  const turns = given ?? lengths[0]
  if (!(Number.isInteger(turns) && turns! > 0) || lengths.some((n) => n !== turns)) {
    const got = lengths.length === 0 ? `${given}` : sequences.map(({ shape }) => formatShape(shape)).join(", ")
    throw configError({
      where: "scan",
      what: "the number of turns is not clear.",
      expected: "sequences of one length",
      got,
    })
  }
  return turns!
}

/** The axis that counts turns in a sequence: after the batch, if that is first. */
export function timeAxis(shape: Shape): number {
  return shape[0] !== undefined && shape[0] < 0 ? 1 : 0
}

/** The shape of a value of so many turns. */
export function stackedShape(shape: Shape, turns: number): Shape {
  return shape.toSpliced(timeAxis(shape), 0, turns)
}

/** A value that the turns of a scan fill. */
export function hole(shape: Shape): Node<"hole"> {
  return { op: "hole", attributes: {}, inputs: [], shape }
}

/** What carried value i is after the last turn. */
export function finalOf(scan: Node<"scan">, carried: number): Node<"final"> {
  return { op: "final", attributes: { carried }, inputs: [scan], shape: scan.attributes.carried[carried]!.shape }
}

/** What a value inside the scan is in every turn. */
export function everyOf(scan: Node<"scan">, value: Node): Node {
  const { items, carried, turns } = scan.attributes
  const item = items.indexOf(value)
  if (item >= 0) return scan.inputs[carried.length + item]!
  return { op: "every", attributes: { value }, inputs: [scan], shape: stackedShape(value.shape, turns) }
}

/** Operations that only show the elements of their input. */
const shows: ReadonlySet<Op> = new Set(["broadcast", "reshape", "transpose", "slice"])

/** True if the operation only shows elements of its input elsewhere. */
export function isView({ op }: Node): boolean {
  return shows.has(op)
}

/**
 * The scan of a body whose values that depend on no turn are computed outside, each coming in through a hole of its own;
 * numbers stay inside. `inside` are the other wanted values as they are in the body of the scan.
 * @param inputs the beginnings of what is carried, then the sequences
 */
export function closeTurns(
  turns: Omit<Turns, "outer">,
  inputs: readonly Node[],
  wanted: readonly Node[],
): { readonly scan: Node<"scan">; readonly inside: readonly Node[] } {
  const roots = [...turns.next, ...wanted]
  const within = new Map<Node, Node>([...turns.carried, ...turns.items].map((h) => [h, h]))
  const numbers = new Set<Node>()
  const outer = new Map<Node, Node>()
  const inner = (x: Node): Node => {
    const known = within.get(x) ?? outer.get(x) ?? (numbers.has(x) ? x : undefined)
    if (known !== undefined) return known
    const h = hole(x.shape)
    outer.set(x, h)
    return h
  }
  for (const x of topological(roots)) {
    if (within.has(x)) continue
    if (x.inputs.some((input) => within.has(input))) {
      if (isOp(x, "scan")) throw configError({ where: "scan", what: "a scan cannot depend on the turn of another." })
      const given = x.inputs.map(inner)
      within.set(x, given.every((input, i) => input === x.inputs[i]) ? x : { ...x, inputs: given })
    } else if (isOp(x, "constant") || isOp(x, "index") || (isView(x) && numbers.has(x.inputs[0]!))) numbers.add(x)
  }
  const [next, inside] = [turns.next.map(inner), wanted.map(inner)]
  const attributes = { ...turns, next, outer: [...outer.values()] }
  return { scan: { op: "scan", attributes, inputs: [...inputs, ...outer.keys()], shape: [] }, inside }
}

/** The values wanted of every turn of a scan, among the nodes of a graph. */
export function wantedOf(scan: Node<"scan">, graph: Iterable<Node>): Node[] {
  const values = new Set<Node>()
  for (const x of graph) if (isOp(x, "every") && x.inputs[0] === scan) values.add(x.attributes.value)
  return [...values]
}

/** All nodes that the turns of a scan need in a graph, holes first and inputs before users. */
export function bodyOf(scan: Node<"scan">, graph: Iterable<Node>): Node[] {
  const { carried, items, outer, next } = scan.attributes
  return topological([...carried, ...items, ...outer, ...next, ...wantedOf(scan, graph)])
}
