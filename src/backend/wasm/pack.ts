// Bringing the panel of a matrix factor together in scratch memory, so that a product reads it in one go.
// Knows the loops of one product, not its tiles.

import type { MatmulKernel, Operand } from "../../program/kernel.ts"
import type { Local } from "./assembler.ts"
import type { Code } from "./code.ts"
import { brIf, loop, block as scope } from "./control.ts"
import { countUp, LANES, loadLanes, type Pointer, plus, times } from "./emit.ts"
import { i32, v128 } from "./instructions.ts"
import type { KernelContext } from "./kernel.ts"
import { type Block, keep, type Vector } from "./vectors.ts"

/** What the parts of a tiled product share. */
export interface Tiling {
  readonly kernel: MatmulKernel
  readonly context: KernelContext
  readonly i: Local<"i32">
  readonly j: Local<"i32">
  /** The places of the outer dimensions. */
  readonly outer: readonly Local<"i32">[]
  /** The places of the inner dimensions before the one that is walked in chunks, and which that is. */
  readonly before: readonly Local<"i32">[]
  readonly level: number
  /** First place of the chunk, and the one after its last. */
  readonly from: Code<"i32">
  readonly to: Code<"i32">
  /** Places of a chunk, if the sum is divided. */
  readonly chunk: number | undefined
  /** Memory for partial sums, if it is. */
  readonly partial: Pointer | undefined
  /** B brought together in scratch memory: one panel, or all of them, each of so many steps. */
  readonly packed: { readonly at: Code<"i32">; readonly length: number } | undefined
  /** The rows of A that are walked through together, if they are brought together: where the tile at hand lies, and its lanes. */
  readonly packedA: { readonly tile: Local<"i32">; readonly lanes: number } | undefined
}

/** A part of a factor that is brought together: some of its lanes (columns of B, rows of A), for a block of the sum. */
interface Part {
  readonly operand: Operand
  /** Elements from one place to the next: of the outer dimensions, of those of the sum, and of the lanes. */
  readonly outer: readonly number[]
  readonly inner: readonly number[]
  readonly lane: number
  /** The first lane. */
  readonly first: Code<"i32">
  /** Vectors of lanes, and the real lanes of the last one. */
  readonly vectors: number
  readonly lastLanes: number
  readonly target: Code<"i32">
}

/** How a panel is brought together: its rows copied, turned 4 × 4 elements at a time, or gathered one by one. */
export type Packing = "copied" | "turned" | "gathered"

/** Brings the block of a panel of B together, so that its rows lie one after the other. */
export function emitPanel(tiling: Tiling, packing: Packing, vectors: number, lastLanes: number): Code<"void">[] {
  const { kernel, j, outer, packed } = tiling
  const { strides } = kernel.b
  return emitPacking(tiling, packing, {
    operand: kernel.b,
    outer: strides.slice(0, outer.length),
    inner: strides.slice(outer.length, -1),
    lane: strides.at(-1)!,
    first: j.get,
    vectors,
    lastLanes,
    target: packed!.length === 0 ? packed!.at : i32.add(packed!.at, times(j.get, 4 * packed!.length)),
  })
}

/** Brings the block of a tile of A together, so that what is multiplied in one step lies together. */
export function emitTileOfA(tiling: Tiling, rows: number): Code<"void">[] {
  const { kernel, i, outer, packedA } = tiling
  const { strides } = kernel.a
  const lane = strides[outer.length]!
  return emitPacking(tiling, lane === 1 ? "copied" : strides.at(-1) === 1 ? "turned" : "gathered", {
    operand: kernel.a,
    outer: strides.slice(0, outer.length),
    inner: strides.slice(outer.length + 1),
    lane,
    first: i.get,
    vectors: packedA!.lanes / LANES,
    lastLanes: rows % LANES || LANES,
    target: packedA!.tile.get,
  })
}

function emitPacking(tiling: Tiling, packing: Packing, part: Part): Code<"void">[] {
  const { kernel, context, outer, before, level, from, to, chunk } = tiling
  const { frame } = context
  const { inner } = kernel
  const { operand, inner: strides, lane: bn, vectors, lastLanes } = part
  const bk = strides.at(-1)!
  const base = context.address(operand)
  const target = frame.local("i32")
  const source = frame.local("i32")
  const row = 4 * vectors * LANES
  const lanesOf = (v: number): number => (v === vectors - 1 ? lastLanes : LANES)
  const moveOn = (steps: number): Code<"void">[] => [
    target.set(i32.add(target.get, i32.const(steps * row))),
    source.set(i32.add(source.get, i32.const(4 * steps * bk))),
  ]
  const vectorsOf = (one: (v: number) => Code<"void">[]): Code<"void">[] =>
    Array.from({ length: vectors }, (_, v) => one(v)).flat()
  const turn = (v: number): Code<"void">[] => {
    const block: Block = { out: [], frame }
    const column = (c: number): Vector =>
      keep(block, v128.load(source.get, base + 4 * bn * (v * LANES + Math.min(c, lanesOf(v) - 1)), 4))
    const rows = transpose(block, [column(0), column(1), column(2), column(3)])
    return [...block.out, ...rows.map((code, u) => v128.store(target.get, u * row + v * 16, code, 4))]
  }
  const gather = (v: number): Code<"void">[] => {
    const block: Block = { out: [], frame }
    const pointer = { address: source.get, offset: base, stride: bn }
    const value = loadLanes(block, pointer, { bytes: undefined, index: v * LANES }, lanesOf(v))
    return [...block.out, v128.store(target.get, 16 * v, value, 4)]
  }
  const copy = (v: number): Code<"void">[] => [
    v128.store(target.get, 16 * v, v128.load(source.get, base + 16 * v, 4), 4),
  ]

  const walk = (d: number): Code<"void">[] => {
    const p = frame.local("i32")
    const [first, end] = d > level || chunk === undefined ? [i32.const(0), context.extent(inner[d]!)] : [from, to]
    if (d < inner.length - 1) {
      const start = frame.local("i32")
      const next = source.set(i32.add(start.get, i32.const(4 * strides[d]!)))
      return [p.set(first), countUp(p, 1, end, [start.set(source.get), ...walk(d + 1), next])]
    }
    if (packing !== "turned") {
      const body = [...vectorsOf(packing === "copied" ? copy : gather), ...moveOn(1)]
      return [p.set(first), countUp(p, 1, end, body)]
    }
    // Four steps at a time; what that is too many is overwritten by the rows that follow.
    const start = frame.local("i32")
    return [
      p.set(first),
      start.set(target.get),
      scope((out) => [
        brIf(out, i32.geS(p.get, end)),
        loop((again) => [
          ...[...vectorsOf(turn), ...moveOn(LANES)],
          ...[p.set(i32.add(p.get, i32.const(LANES))), brIf(again, i32.ltS(p.get, end))],
        ]),
      ]),
      target.set(i32.add(start.get, times(i32.sub(end, first), row))),
    ]
  }
  const places = [...part.outer, ...strides]
  const starts = [...outer, ...before].map((index, d) => times(index.get, 4 * places[d]!))
  const at = [...starts, times(from, 4 * strides[level]!), times(part.first, 4 * bn)].reduce((x, y) => i32.add(x, y))
  return [target.set(part.target), source.set(plus(at, context.moved(operand))), ...walk(level)]
}

/** Four vectors as the rows of a matrix, turned into its columns. */
function transpose(block: Block, [a, b, c, d]: readonly [Vector, Vector, Vector, Vector]): Vector[] {
  const pick = (lanes: readonly number[], x: Vector, y: Vector): Vector => {
    return v128.shuffle(
      lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
      x,
      y,
    )
  }
  const low = keep(block, pick([0, 4, 1, 5], a, b))
  const high = keep(block, pick([2, 6, 3, 7], a, b))
  const low2 = keep(block, pick([0, 4, 1, 5], c, d))
  const high2 = keep(block, pick([2, 6, 3, 7], c, d))
  return [
    pick([0, 1, 4, 5], low, low2),
    pick([2, 3, 6, 7], low, low2),
    pick([0, 1, 4, 5], high, high2),
    pick([2, 3, 6, 7], high, high2),
  ]
}
