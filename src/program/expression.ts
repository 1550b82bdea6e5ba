// Fused scalar expressions: what a kernel computes for each element, as a list of instructions. Knows no memory.

import type { Fold } from "../core/fold.ts"
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
  | { readonly op: "product" }
  | { readonly op: "fold"; readonly fold: Fold; readonly args: readonly [number] }
  | { readonly op: Scalar; readonly args: readonly number[] }

/** Instructions in order: each may use those before it. */
export type Body = readonly Instruction[]

/** The numbers of the instructions that an instruction uses. */
export function argsOf(instruction: Instruction): readonly number[] {
  return "args" in instruction ? instruction.args : []
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
    case "fold":
      return `${instruction.fold} ${instruction.args[0]}`
    default:
      return `${instruction.op} ${argsOf(instruction).join(" ")}`
  }
}
