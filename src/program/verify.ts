// What must hold for every Program, whoever made it. Knows only the Program.

import { foldStart } from "../core/fold.ts"
import { scalars } from "../core/scalar.ts"
import { argsOf, type Instruction } from "./expression.ts"
import {
  type ComputingKernel,
  computes,
  indexes,
  inTurn,
  type Kernel,
  loopOf,
  meetInTurn,
  type Operand,
  outputsOf,
  readsOf,
  writesOf,
} from "./kernel.ts"
import { type EntryPoint, elementsOf, type Program, spanOf } from "./program.ts"
import { raceFaults } from "./races.ts"

/** Every broken invariant, as a sentence; empty for a sound program. */
export function verify(program: Program): string[] {
  const faults: string[] = []
  for (const [name, entry] of Object.entries(program.entries)) {
    const fault = (step: number, text: string): void => void faults.push(`${name}, step ${step}: ${text}`)
    const written = new Set<number>()
    const read = new Map<number, number>()
    entry.steps.forEach(({ kernel, phase }, i) => {
      if (i > 0 && phase < entry.steps[i - 1]!.phase) fault(i, "its phase is before that of the step before it.")
      const loop = loopOf(kernel)
      for (const text of [...bodyFaults(kernel), ...placeFaults(program, entry, i)]) fault(i, text)
      for (const { buffer } of readsOf(kernel)) {
        const role = program.buffers[buffer]?.role
        if (role === undefined) fault(i, `it reads buffer ${buffer}, which does not exist.`)
        if (role === "temporary" && !written.has(buffer))
          fault(i, `it reads ${program.buffers[buffer]?.name} before it is written.`)
        if (!read.has(buffer)) read.set(buffer, i)
      }
      for (const buffer of writesOf(kernel)) {
        const b = program.buffers[buffer]
        if (b === undefined) fault(i, `it writes buffer ${buffer}, which does not exist.`)
        else if (b.role === "runtime" || b.role === "data") fault(i, `it writes ${b.name}, which only the caller may.`)
        else if (b.role === "state" && entry.guard !== undefined && i <= entry.guard.step) {
          fault(i, `it changes ${b.name} before the guard.`)
        }
        // Several kernels may write parts of a temporary, all of them before it is read.
        const reader = read.get(buffer)
        const before = reader === undefined || (loop !== undefined && loop === loopOf(entry.steps[reader]!.kernel) && !meets(entry, reader, i, buffer)) // biome-ignore format: one condition
        if (b?.role === "temporary" && !before && reader !== i) {
          fault(i, `it writes ${b.name}, which step ${reader} has read already.`)
        }
        written.add(buffer)
      }
    })
    const changed: { readonly state: number; readonly by: number }[] = []
    entry.steps.forEach(({ kernel }, j) => {
      const reads = readsOf(kernel)
      for (const { state, by } of changed) {
        if (reads.some((o) => o.buffer === state)) {
          fault(j, `it reads ${program.buffers[state]?.name}, which step ${by} has changed already.`)
        }
      }
      for (const state of writesOf(kernel)) if (program.buffers[state]?.role === "state") changed.push({ state, by: j })
    })
    faults.push(...raceFaults(program, entry).map((text) => `${name}, ${text}`), ...sharedMemory(program, name))
  }
  return faults
}

function bodyFaults(kernel: Kernel): string[] {
  if (!computes(kernel)) return []
  const faults: string[] = []
  kernel.body.forEach((instruction, i) => {
    if (argsOf(instruction).some((a) => !(a >= 0 && a < i))) faults.push(`instruction ${i} uses a later one.`)
    if (argsOf(instruction).length !== arity(instruction))
      faults.push(`instruction ${i} has a wrong number of arguments.`)
    if (instruction.op === "load" && kernel.operands[instruction.operand] === undefined)
      faults.push(`instruction ${i} loads nothing.`)
    if (instruction.op === "product" && kernel.kind !== "matmul") faults.push("only a matrix product has a product.")
    if (instruction.op === "random" && instruction.strides.length !== kernel.space.length) {
      faults.push(
        `instruction ${i} draws with ${instruction.strides.length} strides for ${kernel.space.length} dimensions.`,
      )
    }
    if (["fold", "index", "random"].includes(instruction.op) && kernel.kind === "matmul") {
      faults.push(`a matrix product cannot ${instruction.op}.`)
    }
  })
  if (kernel.outputs.length === 0) faults.push("it has no output.")
  for (const o of kernel.outputs) if (kernel.body[o.value] === undefined) faults.push("an output has no value.")
  return faults
}

function arity(instruction: Instruction): number {
  if (instruction.op === "fold") return instruction.fold in foldStart ? 1 : -1
  return Object.hasOwn(scalars, instruction.op) ? scalars[instruction.op as keyof typeof scalars] : 0
}

/** True if step `reader` reads of a buffer what step `writer` writes in the same turn of their loop. */
function meets({ steps }: EntryPoint, reader: number, writer: number, buffer: number): boolean {
  const outputs = outputsOf(steps[writer]!.kernel).filter((o) => o.buffer === buffer)
  return readsOf(steps[reader]!.kernel).some((o) => outputs.some((output) => meetInTurn(o, output)))
}

/** Operands must stay within their buffers in every turn; the steps of a loop stand together. */
function placeFaults(program: Program, { steps, loops }: EntryPoint, i: number): string[] {
  const { kernel } = steps[i]!
  const loop = loopOf(kernel)
  if (loop === undefined) {
    const moved = [...readsOf(kernel), ...outputsOf(kernel)].some((o) => o.advance !== undefined)
    return [...(moved ? ["an operand moves with turns outside of a loop."] : []), ...boundFaults(program, kernel)]
  }
  const turns = loops[loop]?.turns ?? 0
  const faults = boundFaults(program, kernel)
  if (!(Number.isInteger(turns) && turns > 0)) return [...faults, `its loop has ${turns} turns.`]
  const apart =
    i > 0 && loopOf(steps[i - 1]!.kernel) !== loop && steps.slice(0, i).some((s) => loopOf(s.kernel) === loop)
  if (apart) faults.push(`it stands apart from the other steps of loop ${loop}.`)
  return [...faults, ...boundFaults(program, inTurn(kernel, turns - 1))]
}

/** Operands must stay within their buffers for the largest batch. */
function boundFaults(program: Program, kernel: Kernel): string[] {
  const over = (o: Operand, sizes: readonly number[]): string[] => {
    const b = program.buffers[o.buffer]
    if (b === undefined) return []
    if (o.strides.length !== sizes.length)
      return [`an operand of ${b.name} has ${o.strides.length} strides for ${sizes.length} dimensions.`]
    const extents = sizes.map((n) => (n < 0 ? -n * program.rows : n))
    const reach = (sign: 1 | -1): number =>
      o.strides.reduce((at, stride, d) => at + (stride * sign > 0 ? stride * (extents[d]! - 1) : 0), o.offset)
    const [first, last] = [reach(-1), reach(1)]
    if (first >= 0 && last < elementsOf(b, program.rows)) return []
    return [`it reaches element ${first < 0 ? first : last} of ${b.name}.`]
  }
  if (indexes(kernel)) {
    const { places, rows, width, table, indices, values } = kernel
    const alone = rows < 0 && places > 0 ? ["its places belong to no example, but its tables do."] : []
    const gaps = [table, values].some((o) => o.strides[1] !== 1) ? ["its rows have gaps between elements."] : []
    return [
      ...over(table, [rows, width]),
      ...over(indices, [places]),
      ...over(values, [places, width]),
      ...gaps,
      ...alone,
    ]
  }
  if (!computes(kernel)) return []
  const { space } = kernel
  const faults = [...kernel.operands, ...kernel.outputs].flatMap((o) => over(o, space))
  return kernel.kind === "matmul" ? [...faults, ...factorFaults(kernel, over)] : faults
}

function factorFaults(
  kernel: ComputingKernel & { kind: "matmul" },
  over: (o: Operand, s: readonly number[]) => string[],
): string[] {
  const { space, inner, a, b } = kernel
  return [...over(a, [...space.slice(0, -1), ...inner]), ...over(b, [...space.slice(0, -2), ...inner, space.at(-1)!])]
}

/** Temporaries that share memory must not be in use in the same phase. */
function sharedMemory(program: Program, entry: string): string[] {
  const used = new Map<number, [number, number]>()
  const point = program.entries[entry]!
  for (const step of point.steps) {
    const [first, last] = spanOf(point, step)
    for (const buffer of [...writesOf(step.kernel), ...readsOf(step.kernel).map((o) => o.buffer)]) {
      if (program.buffers[buffer]?.role === "temporary") used.set(buffer, [used.get(buffer)?.[0] ?? first, last])
    }
  }
  const faults: string[] = []
  const list = [...used].map(([buffer, [from, to]]) => {
    const b = program.buffers[buffer]!
    return { name: b.name, from, to, first: b.offset, end: b.offset + 4 * elementsOf(b, program.rows) }
  })
  list.forEach((a, i) => {
    for (let j = i + 1; j < list.length; j++) {
      const b = list[j]!
      const together = a.from <= b.to && b.from <= a.to
      if (together && a.end > b.first && b.end > a.first)
        faults.push(`${entry}: ${a.name} and ${b.name} share memory while both are in use.`)
    }
  })
  return faults
}
