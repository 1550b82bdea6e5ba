// From a scan to kernels of a loop. What is carried, and what is wanted of every turn, lies in one buffer with a place for each turn,
// so that keeping it costs nothing; everything else of the body is the same memory in every turn. Knows no machine.

import type { Shape } from "../core/shape.ts"
import { type Node, topological } from "../graph/node.ts"
import { stackedShape, timeAxis } from "../graph/scan.ts"
import type { Kernel, Operand } from "../program/kernel.ts"
import { type BodyBuilder, sameOperand } from "./draft.ts"
import { operandOf, pitchOf, type View } from "./views.ts"

/** Where the results of a scan are. */
export interface LoweredScan {
  /** What is carried, after the last turn. */
  readonly finals: readonly View[]
  /** Values of the body in every turn. */
  readonly every: ReadonlyMap<Node, View>
}

/** The parts of lower.ts that a scan is lowered with. */
export interface Tools {
  readonly kernels: Kernel[]
  readonly views: Map<Node, View>
  /** Where values are to be stored, if that is known before they are lowered. */
  readonly places: Map<Node, Operand>
  temporary(shape: Shape, pitch?: number): Operand
  map(space: Shape, target: Operand, build: (b: BodyBuilder) => number): void
  loadView(b: BodyBuilder, view: View, rank: number): number
  loadable(view: View, shape: Shape): View
  inMemory(view: View, shape: Shape): Operand
  lowerNode(node: Node): View
}

/** Lowers a scan as the loop of that number; `wanted` are the values of its body that are asked for in every turn. */
export function lowerScan(node: Node<"scan">, wanted: readonly Node[], loop: number, tools: Tools): LoweredScan {
  const { kernels, views, places } = tools
  const { turns, reverse, carried, items, outer, next } = node.attributes
  const inputs = node.inputs.map((x) => views.get(x)!)
  const copy = (view: View, shape: Shape, target: Operand): void => {
    const from = tools.loadable(view, shape)
    tools.map(shape, target, (b) => tools.loadView(b, from, shape.length))
  }
  /** Memory for the values of so many turns, and the part of it for the first. */
  const stack = (shape: Shape, count: number): Stack => {
    const pitch = shape.length === 2 && shape[0]! < 0 ? pitchOf(shape) : undefined
    return stackOf(shape, tools.temporary(stackedShape(shape, count), pitch))
  }

  // Turn t reads what is carried at place t and leaves it at place t + 1; counted down, the other way round.
  const slots = carried.map(({ shape }) => stack(shape, turns + 1))
  const [reads, writes] = reverse ? [1, 0] : [0, 1]
  carried.forEach((hole, i) => {
    copy(inputs[i]!, hole.shape, slots[i]!.at(reverse ? turns : 0))
    views.set(hole, { kind: "memory", ...slots[i]!.inTurn(reads) })
  })
  items.forEach((hole, i) => {
    const x = node.inputs[carried.length + i]!
    const view = inputs[carried.length + i]!
    const sequence = view.kind === "number" ? view : { kind: "memory" as const, ...tools.inMemory(view, x.shape) }
    views.set(
      hole,
      sequence.kind === "number" ? sequence : { kind: "memory", ...stackOf(hole.shape, sequence).inTurn(0) },
    )
  })
  outer.forEach((hole, i) => void views.set(hole, inputs[carried.length + items.length + i]!))

  const stacks = new Map<Node, Stack>()
  next.forEach((value, i) => {
    if (!views.has(value) && !places.has(value)) places.set(value, slots[i]!.inTurn(writes))
  })
  for (const value of wanted) {
    if (views.has(value) || places.has(value)) continue
    const made = stack(value.shape, turns)
    stacks.set(value, made)
    places.set(value, made.inTurn(0))
  }
  const first = kernels.length
  for (const inside of topological([...next, ...wanted])) {
    if (!views.has(inside)) views.set(inside, tools.lowerNode(inside))
  }
  const leftAt = (value: Node, target: Operand): boolean => {
    const view = views.get(value)!
    return view.kind === "memory" && sameOperand(operandOf(view), operandOf(target))
  }
  next.forEach((value, i) => {
    const target = slots[i]!.inTurn(writes)
    if (!leftAt(value, target)) copy(views.get(value)!, value.shape, target)
  })
  for (const [value, made] of stacks) {
    if (!leftAt(value, made.inTurn(0))) copy(views.get(value)!, value.shape, made.inTurn(0))
  }
  for (let k = first; k < kernels.length; k++) kernels[k] = { ...kernels[k]!, loop } as Kernel

  const every = (value: Node): View => {
    const made = stacks.get(value)
    if (made !== undefined) return { kind: "memory", ...made.every(0) }
    if (carried.includes(value)) return { kind: "memory", ...slots[carried.indexOf(value)]!.every(reads) }
    if (next.includes(value)) return { kind: "memory", ...slots[next.indexOf(value)]!.every(writes) }
    // The same in every turn.
    const view = views.get(value)!
    if (view.kind === "number") return view
    return { kind: "memory", ...stackOf(value.shape, tools.inMemory(view, value.shape), 0).every(0) }
  }
  return {
    finals: slots.map((s) => ({ kind: "memory", ...s.at(reverse ? 0 : turns) })),
    every: new Map(wanted.map((value) => [value, every(value)])),
  }
}

/** The values of all turns, one place after the other. */
interface Stack {
  /** The value at one place. */
  at(place: number): Operand
  /** In turn t the value at place t + `first`. */
  inTurn(first: number): Operand
  /** The values of all turns, from that place on, as one. */
  every(first: number): Operand
}

/** @param all an operand of the stacked shape; of the value's own if it is the same in every turn and `step` is 0 */
function stackOf(shape: Shape, all: Operand, step?: number): Stack {
  const axis = timeAxis(shape)
  const advance = step ?? all.strides[axis]!
  const strides = step === undefined ? all.strides.toSpliced(axis, 1) : all.strides
  const at = (place: number): Operand => ({ buffer: all.buffer, offset: all.offset + place * advance, strides })
  return {
    at,
    inTurn: (first) => (advance === 0 ? at(first) : { ...at(first), advance }),
    every: (first) => ({ ...at(first), strides: strides.toSpliced(axis, 0, advance) }),
  }
}
