// Fused scalar expressions: what a kernel computes for each element, as a list of instructions. Knows no memory.

import type { Fold } from "../core/fold.ts"
import type { Stream } from "../core/random.ts"
import type { Scalar } from "../core/scalar.ts"

/**
 * One instruction of a body; arguments are the numbers of earlier instructions.
 * `load` reads an operand of the kernel at the current place, `product` is the finished element of a matrix product,
 * `index` the place along the last dimension of the kernel's space, and `fold` folds a value over that dimension.
 */
export type Instruction =
  | { readonly op: "load"; readonly operand: number }
  | { readonly op: "constant"; readonly value: number }
  | { readonly op: "index" }
  | Draw
  | { readonly op: "product" }
  | { readonly op: "fold"; readonly fold: Fold; readonly args: readonly [number] }
  | { readonly op: Scalar; readonly args: readonly number[] }

/**
 * A uniform number of [0, 1): element i of what `fillUniform` (core/random.ts) writes for the seed of the run, the step of the
 * round and this stream and substream, where i = Σ index·stride over the dimensions of the kernel's space.
 */
export interface Draw {
  readonly op: "random"
  readonly stream: Stream
  readonly substream: number
  readonly strides: readonly number[]
}

/** Instructions in order: each may use those before it. */
export type Body = readonly Instruction[]

/** The numbers of the instructions that an instruction uses. */
export function argsOf(instruction: Instruction): readonly number[] {
  return "args" in instruction ? instruction.args : []
}

/** The body with the strides of what it draws changed. */
export function withDraws(body: Body, change: (strides: readonly number[]) => readonly number[]): Body {
  return body.map((i) => (i.op === "random" ? { ...i, strides: change(i.strides) } : i))
}

/** The same instruction with its arguments renumbered. */
export function withArgs(instruction: Instruction, renumber: (id: number) => number): Instruction {
  if (!("args" in instruction)) return instruction
  return { ...instruction, args: instruction.args.map(renumber) } as Instruction
}

/** A text that is equal for equal instructions. */
export function keyOf(instruction: Instruction): string {
  switch (instruction.op) {
    case "load":
      return `load ${instruction.operand}`
    case "constant":
      return Object.is(instruction.value, -0) ? "constant -0" : `constant ${instruction.value}`
    case "random":
      return `random ${instruction.stream} ${instruction.substream} ${instruction.strides.join(" ")}`
    case "fold":
      return `${instruction.fold} ${instruction.args[0]}`
    default:
      return `${instruction.op} ${argsOf(instruction).join(" ")}`
  }
}
