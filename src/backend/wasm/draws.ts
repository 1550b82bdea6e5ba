// Random numbers as WebAssembly: the generator of core/random.ts on vectors of four. Knows no kernel but what it draws.

import { threefryOver, uniformOver, type Words } from "../../core/random.ts"
import type { Draw } from "../../program/expression.ts"
import type { MapKernel } from "../../program/kernel.ts"
import type { Code } from "./code.ts"
import { if_ } from "./control.ts"
import { LANES, type Place } from "./emit.ts"
import { i32, i32x4, v128 } from "./instructions.ts"
import type { KernelContext } from "./kernel.ts"
import { type Block, keep, type Vector, vectorArithmetic } from "./vectors.ts"

/** Appends the drawing of the numbers at a place of a row. */
export type DrawAt = (into: Block, place: Place) => Vector

/** For an instruction within a row, whose first element is `start` bytes into a value of float32: how to draw along it. */
export type Draws = (what: Draw, block: Block, start: Code<"i32">) => DrawAt

/** Makes the keys of the streams that a kernel draws from, once for all its rows, and answers how to draw with them. */
export function drawsOf(before: Block, kernel: MapKernel, context: KernelContext): Draws {
  const keys = new Map<string, readonly [Vector, Vector]>()
  const m = vectorArithmetic(before)
  const step = keep(before, i32x4.splat(context.step))
  for (const i of kernel.body) {
    if (i.op !== "random" || keys.has(nameOf(i))) continue
    const [low, high] = context.seed.map((word) => keep(before, i32x4.splat(word))) as [Vector, Vector]
    const stream = [m.intConstant(i.stream), m.intConstant(i.substream)] as const
    keys.set(nameOf(i), threefryOver(m, [low, high], stream))
  }
  return (what, block, start) => {
    const key = keys.get(nameOf(what))!
    const first = keep(block, i32.shrU(start, i32.const(2)))
    const n = kernel.space[kernel.space.length - 1] ?? 1
    return paired(what, kernel) ? drawGroups(block, key, step, first, n) : drawEach(what, key, step, first)
  }
}

function nameOf({ stream, substream }: Draw): string {
  return `${stream} ${substream}`
}

/** True if every vector of a row begins at an even element, and vectors come one after the other from one of even number. */
function paired({ strides }: Draw, { space }: MapKernel): boolean {
  const last = strides.length - 1
  return strides[last] === 1 && strides.slice(0, last).every((s) => s % 2 === 0) && !(last === 0 && space[0]! < 0)
}

/** Each lane draws a block of its own and takes one of its two words. */
function drawEach({ strides }: Draw, key: readonly [Vector, Vector], step: Vector, first: Code<"i32">): DrawAt {
  const stride = strides[strides.length - 1] ?? 0
  return (into, place) => {
    const m = vectorArithmetic(into)
    const moved = i32.mul(elementOf(place), i32.const(stride))
    const index = keep(
      into,
      i32x4.add(i32x4.splat(i32.add(first, moved)), i32x4.const(0, stride, 2 * stride, 3 * stride)),
    )
    const [even, odd] = threefryOver(m, key, [m.shiftRightUnsigned(index, 1), step])
    const isOdd = i32x4.shrS(i32x4.shl(index, i32.const(31)), i32.const(31))
    return uniformOver(m, keep(into, v128.bitselect(odd, even, isOdd)))
  }
}

/**
 * Four blocks give the words of two vectors: the first vector of a group draws for all of it, the others take what is left in
 * turn. Long rows draw for four vectors, two chains of instructions side by side, since each waits for itself.
 */
function drawGroups(block: Block, key: readonly [Vector, Vector], step: Vector, first: Code<"i32">, n: number): DrawAt {
  const chains = n < 0 || n > 2 * LANES ? 2 : 1
  const words = Array.from({ length: 2 * chains }, () => block.frame.local("v128"))
  const next = words.slice(1).map((w, i) => words[i]!.set(w.get))
  const group = words.length * LANES
  return (into, place) => {
    const inner: Block = { out: [], frame: into.frame }
    const m = sideBySide(vectorArithmetic(inner))
    const start = keep(inner, i32x4.splat(i32.shrU(i32.add(first, elementOf(place)), i32.const(1))))
    const blocks = Array.from({ length: chains }, (_, c) => {
      return keep(inner, i32x4.add(start, i32x4.const(4 * c, 4 * c + 1, 4 * c + 2, 4 * c + 3)))
    })
    const every = (v: Vector): Vector[] => blocks.map(() => v)
    const [even, odd] = threefryOver(m, [every(key[0]), every(key[1])], [blocks, every(step)])
    words.forEach((w, i) => {
      inner.out.push(w.set(interleave(even[i >> 1]!, odd[i >> 1]!, 2 * (i & 1))))
    })
    if (place.bytes === undefined) into.out.push(...(place.index % group === 0 ? inner.out : next))
    else into.out.push(if_(i32.and(elementOf(place), i32.const(group - 1)), next, inner.out))
    return uniformOver(vectorArithmetic(into), words[0]!.get)
  }
}

/** The arithmetic of the generator on several values at a time, their instructions in turn. */
function sideBySide(m: Words<Vector>): Words<Vector[]> {
  const both =
    (f: (a: Vector, b: Vector) => Vector) =>
    (a: Vector[], b: Vector[]): Vector[] =>
      a.map((x, i) => f(x, b[i] ?? b[0]!))
  return {
    intConstant: (x) => [m.intConstant(x)],
    addInt: both(m.addInt),
    xorInt: both(m.xorInt),
    orInt: both(m.orInt),
    shiftLeft: (a, n) => a.map((x) => m.shiftLeft(x, n)),
    shiftRightUnsigned: (a, n) => a.map((x) => m.shiftRightUnsigned(x, n)),
  }
}

/** The number of the first element of a place within its row. */
function elementOf({ bytes, index }: Place): Code<"i32"> {
  return bytes === undefined ? i32.const(index) : i32.add(i32.shrU(bytes, i32.const(2)), i32.const(index))
}

/** Lanes `from` and the next of a and b in turn. */
function interleave(a: Vector, b: Vector, from: number): Vector {
  const bytes = (lane: number): number[] => [0, 1, 2, 3].map((i) => 4 * lane + i)
  return v128.shuffle([from, from + 4, from + 1, from + 5].flatMap(bytes), a, b)
}
