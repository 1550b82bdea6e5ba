// Pieces of code that every kernel is made of: loops, loads and stores of four elements, folds across lanes.
// Knows no kernel.

import type { Fold } from "../../core/fold.ts"
import type { Local } from "./assembler.ts"
import type { Code } from "./code.ts"
import { brIf, if_, loop, block as scope } from "./control.ts"
import { f32x4, i32, i32x4, v128 } from "./instructions.ts"
import { type Block, keep, type Vector } from "./vectors.ts"

/** Elements of a vector. */
export const LANES = 4

/** How many of the four lanes are real: a number, or a value from 1 to 3 known when the code runs. */
export type Lanes = number | Code<"i32">

/** A place in a row: `index` elements after `bytes`. */
export interface Place {
  readonly bytes: Code<"i32"> | undefined
  readonly index: number
}

/** Where an operand is: the run-time part of its address, the constant part, and elements from one place to the next. */
export interface Pointer {
  readonly address: Code<"i32">
  readonly offset: number
  readonly stride: number
}

/** The sum of two i32 values, without adding a zero. */
export function plus(a: Code<"i32">, b: Code<"i32"> | undefined): Code<"i32"> {
  return b === undefined ? a : i32.add(a, b)
}

/** i · factor for a constant factor. */
export function times(i: Code<"i32">, factor: number): Code<"i32"> {
  if (factor === 1) return i
  const shift = 31 - Math.clz32(factor)
  return factor > 0 && factor === 1 << shift ? i32.shl(i, i32.const(shift)) : i32.mul(i, i32.const(factor))
}

/** Loads four elements; lanes that are not real hold anything. */
export function loadLanes(block: Block, pointer: Pointer, place: Place, lanes: Lanes): Vector {
  const { address, offset, stride } = pointer
  if (stride === 0) return keep(block, v128.load32Splat(address, offset))
  if (stride === 1) return keep(block, v128.load(plus(address, place.bytes), offset + 4 * place.index, 4))
  // Elements apart from each other: one load each, none beyond the last real one.
  const at = (lane: number): Code<"i32"> => {
    const index = typeof lanes === "number" ? Math.min(lane, lanes - 1) : lane
    const fixed = i32.const(4 * (place.index + index))
    const bytes = place.bytes === undefined ? fixed : i32.add(place.bytes, fixed)
    if (typeof lanes === "number" || lane === 0) return i32.add(address, times(bytes, stride))
    const last = i32.add(place.bytes ?? i32.const(0), i32.sub(times(lanes, 4), i32.const(4 - 4 * place.index)))
    const smaller: Code<"i32"> = { type: "i32", write: (sink) => minimum(bytes, last).write(sink) }
    return i32.add(address, times(smaller, stride))
  }
  let value: Vector = v128.load32Zero(at(0), offset)
  for (let lane = 1; lane < LANES; lane++) value = v128.load32Lane(at(lane), offset, lane, value)
  return keep(block, value)
}

/** The smaller of two non-negative i32 values, each evaluated twice. */
export function minimum(a: Code<"i32">, b: Code<"i32">): Code<"i32"> {
  return i32.add(b, i32.and(i32.sub(a, b), i32.sub(i32.const(0), i32.ltS(a, b))))
}

/** Stores the real lanes of a vector. */
export function storeLanes(pointer: Pointer, place: Place, lanes: Lanes, value: Vector): Code<"void">[] {
  const { address, offset, stride } = pointer
  if (stride !== 1) {
    const one = (lane: number): Code<"void"> => {
      const bytes = i32.const(4 * (place.index + lane))
      const at = plus(address, stride === 0 ? undefined : times(plus(bytes, place.bytes), stride))
      return v128.store32Lane(at, offset, lane, value)
    }
    if (stride === 0) return [one(0)]
    return [0, 1, 2, 3].flatMap((lane) => {
      if (typeof lanes === "number") return lane < lanes ? [one(lane)] : []
      return lane === 0 ? [one(0)] : [if_(i32.gtS(lanes, i32.const(lane)), [one(lane)])]
    })
  }
  const at = plus(address, place.bytes)
  const start = offset + 4 * place.index
  const first = (count: 1 | 2): Code<"void"> =>
    count === 1 ? v128.store32Lane(at, start, 0, value) : v128.store64Lane(at, start, 0, value, 4)
  const third = (): Code<"void"> => v128.store32Lane(at, start + 8, 2, value)
  if (typeof lanes === "number") {
    if (lanes === 4) return [v128.store(at, start, value, 4)]
    return lanes === 3 ? [first(2), third()] : [first(lanes as 1 | 2)]
  }
  const three = if_(i32.eq(lanes, i32.const(3)), [third()])
  return [if_(i32.eq(lanes, i32.const(1)), [first(1)], [first(2), three])]
}

/** A mask of the real lanes. */
export function laneMask(lanes: Lanes): Vector {
  if (typeof lanes !== "number") return i32x4.ltS(i32x4.const(0, 1, 2, 3), i32x4.splat(lanes))
  const bit = (lane: number): number => (lane < lanes ? -1 : 0)
  return i32x4.const(bit(0), bit(1), bit(2), bit(3))
}

/** One step of a fold on vectors. */
export function combine(fold: Fold, a: Vector, b: Vector): Vector {
  return fold === "sum" ? f32x4.add(a, b) : fold === "max" ? f32x4.pmax(a, b) : f32x4.pmin(a, b)
}

/** (c₀ ∘ c₁) ∘ (c₂ ∘ c₃) of the four lanes, in every lane. */
export function foldLanes(block: Block, fold: Fold, chains: Vector): Vector {
  const lanes = (v: Vector, order: readonly [number, number, number, number]): Vector =>
    v128.shuffle(
      order.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
      v,
      v,
    )
  const kept = keep(block, chains)
  const pairs = keep(block, combine(fold, kept, lanes(kept, [1, 1, 3, 3])))
  const all = keep(block, combine(fold, pairs, lanes(pairs, [2, 2, 2, 2])))
  return keep(block, lanes(all, [0, 0, 0, 0]))
}

/** Repeats the body while the counter, which steps up from where it stands, has room for a whole step below `end`. */
export function countUp(
  counter: Local<"i32">,
  step: number,
  end: Code<"i32">,
  body: readonly Code<"void">[],
): Code<"void"> {
  const fits = (): Code<"i32"> => i32.leS(i32.add(counter.get, i32.const(step)), end)
  return scope((out) => [
    brIf(out, i32.eqz(fits())),
    loop((again) => [...body, counter.set(i32.add(counter.get, i32.const(step))), brIf(again, fits())]),
  ])
}
