// Bringing the panel of a matrix factor together in scratch memory, so that a product reads it in one go.
// Knows the loops of one product, not its tiles.

import type { MatmulKernel } from "../../program/kernel.ts"
import type { Local } from "./assembler.ts"
import type { Code } from "./code.ts"
import { brIf, loop, block as scope } from "./control.ts"
import { countUp, LANES, type Pointer, times } from "./emit.ts"
import { i8x16, i32, v128 } from "./instructions.ts"
import type { KernelContext } from "./kernel.ts"
import { type Block, keep, type Vector } from "./vectors.ts"

/** What the parts of a tiled product share. */
export interface Tiling {
  readonly kernel: MatmulKernel
  readonly context: KernelContext
  readonly i: Local<"i32">
  readonly j: Local<"i32">
  /** The rows of this block of rows: from the first to before the second. */
  readonly rows: readonly [Code<"i32">, Code<"i32">]
  /** First step of the block of k, and the one after its last. */
  readonly from: Code<"i32">
  readonly to: Code<"i32">
  /** Memory for partial sums, if k is divided into blocks. */
  readonly partial: Pointer | undefined
  /** The panel of B brought together in scratch memory. */
  readonly packed: Code<"i32"> | undefined
}

/** Copies the block of a panel of a transposed B so that its rows lie together: 4 × 4 elements at a time. */
export function emitTurning(tiling: Tiling, vectors: number, lastLanes: number): Code<"void">[] {
  const { kernel, context, j, from, to, packed } = tiling
  const { frame } = context
  const stride = kernel.b.strides[1]!
  const base = context.address(kernel.b)
  const p = frame.local("i32")
  const target = frame.local("i32")
  const source = frame.local("i32")
  const row = 4 * vectors * LANES
  const body: Code<"void">[] = []
  for (let v = 0; v < vectors; v++) {
    const lanes = v === vectors - 1 ? lastLanes : LANES
    const block: Block = { out: body, frame }
    const column = (c: number): Vector =>
      keep(block, v128.load(source.get, base + 4 * stride * (v * LANES + Math.min(c, lanes - 1)), 4))
    const rows = transpose(block, [column(0), column(1), column(2), column(3)])
    for (const [u, code] of rows.entries()) body.push(v128.store(target.get, u * row + v * 16, code, 4))
  }
  body.push(target.set(i32.add(target.get, i32.const(4 * row))), source.set(i32.add(source.get, i32.const(16))))
  return [
    p.set(from),
    target.set(packed!),
    source.set(i32.add(times(from, 4), times(j.get, 4 * stride))),
    scope((out) => [
      brIf(out, i32.geS(p.get, to)),
      loop((again) => [...body, p.set(i32.add(p.get, i32.const(LANES))), brIf(again, i32.ltS(p.get, to))]),
    ]),
  ]
}

/** Copies the block of a panel of B so that its rows lie together. */
export function emitCopying(tiling: Tiling, vectors: number): Code<"void">[] {
  const { kernel, context, j, from, to, packed } = tiling
  const { frame } = context
  const stride = 4 * kernel.b.strides[0]!
  const base = context.address(kernel.b)
  const p = frame.local("i32")
  const target = frame.local("i32")
  const source = frame.local("i32")
  const copies = Array.from({ length: vectors }, (_, v) =>
    v128.store(target.get, 16 * v, v128.load(source.get, base + 16 * v, 4), 4),
  )
  return [
    p.set(from),
    target.set(packed!),
    source.set(i32.add(times(from, stride), times(j.get, 4))),
    countUp(p, 1, to, [
      ...copies,
      target.set(i32.add(target.get, i32.const(16 * vectors))),
      source.set(i32.add(source.get, i32.const(stride))),
    ]),
  ]
}

/** Four vectors as the rows of a matrix, turned into its columns. */
function transpose(block: Block, [a, b, c, d]: readonly [Vector, Vector, Vector, Vector]): Vector[] {
  const pick = (lanes: readonly number[], x: Vector, y: Vector): Vector => {
    return i8x16.shuffle(
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
