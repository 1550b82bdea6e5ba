// What the code of a kernel may use: its range, the sizes of the batch, addresses, scratch memory. Knows no kernel.

import type { DType } from "../../core/tensor.ts"
import type { Operand } from "../../program/kernel.ts"
import type { Numerics } from "../../program/program.ts"
import type { Code } from "./code.ts"
import type { Pointer } from "./emit.ts"
import type { Block } from "./vectors.ts"

/** The shape of the tiles of a matrix product: rows times vectors of four columns, and steps of k written out. */
export interface Tile {
  readonly rows: number
  readonly vectors: number
  readonly unroll: number
}

/** The surroundings of one kernel's code. */
export interface KernelContext {
  readonly frame: Block["frame"]
  readonly numerics: Numerics
  readonly tile: Tile
  /** The dimension that threads share, and the part of it that this call works on. */
  readonly axis: number
  readonly range: readonly [Code<"i32">, Code<"i32">]
  /** True if every thread does all of it. */
  readonly all: boolean
  /** First row of the batch within the pass. */
  readonly first: Code<"i32">
  /** A size when the code runs. */
  extent(dimension: number): Code<"i32">
  /** The largest that a size can be. */
  largest(dimension: number): number
  /** Bytes from the start of memory to the first element of an operand, in turn 0 of a loop. */
  address(operand: Operand): number
  /** Bytes that it has moved since then, if it moves. */
  moved(operand: Operand): Code<"i32"> | undefined
  /** A row of scratch memory of this thread, for `length` elements. */
  spill(slot: number, length: number): Pointer
  /** Scratch memory of this thread from its start, of so many bytes. */
  scratch(bytes: number): Code<"i32">
  /** Memory of this kernel that all threads share, of so many bytes: its address, at run time and beyond that. */
  partial(bytes: number): { readonly address: Code<"i32">; readonly offset: number }
  /** Where the caller's data for a buffer begins, and its element type (a number of `dataTypes`). */
  bound(buffer: number): { readonly pointer: Code<"i32">; readonly type: Code<"i32"> }
  /** What random numbers are drawn with: the words of the seed, lower first, and the step of the round. */
  readonly seed: readonly [Code<"i32">, Code<"i32">]
  readonly step: Code<"i32">
  /** Where the order of the pass begins, 0 if it is the order of the data. */
  readonly order: Code<"i32">
}

/** Element types as numbers in the control block. */
export const dataTypes: { readonly [d in DType]: number } = { float32: 0, int32: 1, uint8: 2, unorm8: 3 }
