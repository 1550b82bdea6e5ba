// A program in the making: kernels in dependency order over buffers that have no place yet. Knows no graph and no machine.

import type { Body, Instruction } from "../program/expression.ts"
import { keyOf } from "../program/expression.ts"
import { type Kernel, loopOf, meetInTurn, type Operand, outputsOf, readsOf, writesOf } from "../program/kernel.ts"
import type { Buffer, Loop } from "../program/program.ts"

/** A buffer that has no offset yet. */
export type DraftBuffer = Omit<Buffer, "offset">

/** One entry in the making. `guard` names the element of the log buffer that must be finite. */
export interface DraftEntry {
  readonly kernels: readonly Kernel[]
  readonly logs: readonly string[]
  /** The loops that kernels name. */
  readonly loops: readonly Pick<Loop, "turns" | "reverse">[]
  readonly guard?: number
}

/** Collects instructions and operands; equal ones are shared. */
export interface BodyBuilder {
  readonly body: Instruction[]
  readonly operands: Operand[]
  emit(instruction: Instruction): number
  load(operand: Operand): number
}

/** A builder that starts with what is given. */
export function bodyBuilder(body: Body = [], operands: readonly Operand[] = []): BodyBuilder {
  const builder = { body: [...body], operands: [...operands] }
  const known = new Map<string, number>(body.map((instruction, i) => [keyOf(instruction), i]))
  const emit = (instruction: Instruction): number => {
    const key = keyOf(instruction)
    const found = known.get(key)
    if (found !== undefined) return found
    known.set(key, builder.body.length)
    return builder.body.push(instruction) - 1
  }
  const load = (operand: Operand): number => {
    const found = builder.operands.findIndex((o) => sameOperand(o, operand))
    return emit({ op: "load", operand: found >= 0 ? found : builder.operands.push(operand) - 1 })
  }
  return { ...builder, emit, load }
}

/** True if both find the same elements. */
export function sameOperand(a: Operand, b: Operand): boolean {
  return (
    a.buffer === b.buffer &&
    a.offset === b.offset &&
    a.advance === b.advance &&
    a.strides.length === b.strides.length &&
    a.strides.every((s, i) => s === b.strides[i])
  )
}

/**
 * For each kernel the kernels that must run before it: all writers of the temporaries that it reads, readers of the states
 * that it writes (all values of a round are computed from the states at its start), and the guard before any change of a state.
 */
export function dependencies(
  kernels: readonly Kernel[],
  buffers: readonly DraftBuffer[],
  guard: Operand | undefined,
): Set<number>[] {
  const writers = new Map<number, number[]>()
  const readers = new Map<number, number[]>()
  let guarding = -1
  const note = (map: Map<number, number[]>, buffer: number, k: number): void => {
    const known = map.get(buffer)
    if (known === undefined) map.set(buffer, [k])
    else known.push(k)
  }
  kernels.forEach((kernel, k) => {
    for (const buffer of writesOf(kernel)) if (buffers[buffer]?.role === "temporary") note(writers, buffer, k)
    for (const { buffer } of readsOf(kernel)) note(readers, buffer, k)
    if (guard !== undefined && writesElement(kernel, guard)) guarding = k
  })
  return kernels.map((kernel, k) => {
    const before = new Set<number>()
    for (const read of readsOf(kernel)) {
      for (const w of writers.get(read.buffer) ?? []) if (w !== k && passes(kernels[w]!, kernel, read)) before.add(w)
    }
    for (const buffer of writesOf(kernel)) {
      if (buffers[buffer]?.role !== "state") continue
      for (const r of readers.get(buffer) ?? []) if (r !== k) before.add(r)
      if (guarding >= 0 && guarding !== k) before.add(guarding)
    }
    return before
  })
}

/** True if what one kernel writes is what another reads: in a loop, in the same turn. */
function passes(writer: Kernel, reader: Kernel, read: Operand): boolean {
  const loop = loopOf(writer)
  if (loop === undefined || loop !== loopOf(reader)) return true
  return outputsOf(writer).some((output) => meetInTurn(output, read))
}

/** The same with each loop as a whole: what one of its kernels waits for they all do, and who waits for one waits for all. */
export function dependenciesOfWhole(kernels: readonly Kernel[], before: readonly Set<number>[]): Set<number>[] {
  const members = new Map<number, number[]>()
  kernels.forEach((kernel, k) => {
    const loop = loopOf(kernel)
    if (loop !== undefined) members.set(loop, [...(members.get(loop) ?? []), k])
  })
  if (members.size === 0) return [...before]
  const outside = (k: number): number[] => [...before[k]!].filter((d) => loopOf(kernels[d]!) !== loopOf(kernels[k]!))
  return kernels.map((kernel, k) => {
    const own = loopOf(kernel)
    const group = own === undefined ? [] : members.get(own)!.flatMap(outside)
    const all = [...before[k]!, ...group].flatMap((d) => {
      const loop = loopOf(kernels[d]!)
      return loop === undefined || loop === own ? [d] : members.get(loop)!
    })
    return new Set(all)
  })
}

/** True if the kernel computes the given element of the log. */
export function writesElement(kernel: Kernel, element: Operand): boolean {
  return "outputs" in kernel && kernel.outputs.some((o) => o.buffer === element.buffer && o.offset === element.offset)
}
