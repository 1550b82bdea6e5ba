// A Program as stable text: every buffer, then every step of every entry. Knows only the Program.

import { formatShape } from "../core/shape.ts"
import type { Instruction } from "./expression.ts"
import { computes, indexes, loopOf, type Operand, type Step } from "./kernel.ts"
import type { Program } from "./program.ts"

/** The program as text, the same for the same program. */
export function printProgram(program: Program): string {
  const lines = [`program: ${program.numerics}, batch up to ${program.rows}, arena ${program.arena} bytes`]
  for (const b of program.buffers) {
    const pitch = b.shape.length > 1 && b.pitch !== b.shape[b.shape.length - 1] ? ` pitch ${b.pitch}` : ""
    const place = b.offset < 0 ? "bound" : `@${b.offset}`
    lines.push(`  ${b.role} ${b.name} ${formatShape(b.shape)}${pitch} ${place}`)
  }
  for (const [name, entry] of Object.entries(program.entries)) {
    lines.push(`${name}:`)
    entry.steps.forEach((step, i) => {
      const before = entry.steps[i - 1]
      const loop = loopOf(step.kernel)
      if (before === undefined || step.phase !== before.phase) lines.push(`  phase ${step.phase}`)
      if (loop !== undefined && (before === undefined || loop !== loopOf(before.kernel))) {
        const { turns, reverse, meets } = entry.loops[loop]!
        lines.push(`    loop ${loop}: ${turns} turns${reverse ? " down" : ""}${meets ? ", threads meet in each" : ""}`)
      }
      lines.push(...printStep(program, step).map((line) => `${loop === undefined ? "    " : "      "}${line}`))
      if (entry.guard?.step === i) lines.push(`    stop unless ${entry.logs[entry.guard.log]} is finite`)
    })
  }
  return `${lines.join("\n")}\n`
}

/** One step as lines: what it runs over, what it reads, its body, what it writes. */
function printStep(program: Program, { kernel, split }: Step): string[] {
  const name = (buffer: number): string => program.buffers[buffer]?.name ?? `#${buffer}`
  const plus = (text: string | number): string => (text === 0 ? "" : `+${text}`)
  const at = ({ buffer, offset, advance, strides }: Operand): string =>
    `${name(buffer)}${plus(offset)}${plus(advance === undefined ? 0 : `${advance}t`)}(${strides.join(",")})`
  if (indexes(kernel)) {
    const { table, indices, values } = kernel
    const [to, from] = kernel.kind === "lookup" ? [values, table] : [table, values]
    const sizes = formatShape([kernel.places, kernel.width])
    return [`${kernel.kind} ${sizes} by ${split}: ${at(to)} <- ${at(from)} by ${at(indices)}, rows ${kernel.rows}`]
  }
  if (!computes(kernel)) {
    return [`${kernel.kind} ${name(kernel.target)} <- ${name(kernel.source)} by ${split} (width ${kernel.width})`]
  }
  const lines = [`${kernel.kind} ${formatShape(kernel.space)} by ${split}`]
  if (kernel.kind === "matmul") lines[0] += `: ${at(kernel.a)} x ${at(kernel.b)}, inner ${formatShape(kernel.inner)}`
  kernel.body.forEach((instruction, i) => {
    lines.push(`  %${i} = ${printInstruction(instruction, kernel.operands, at)}`)
  })
  for (const output of kernel.outputs) lines.push(`  ${at(output)} <- %${output.value}`)
  return lines
}

function printInstruction(i: Instruction, operands: readonly Operand[], at: (o: Operand) => string): string {
  switch (i.op) {
    case "load":
      return `load ${at(operands[i.operand]!)}`
    case "constant":
      return String(i.value)
    case "random":
      return `random ${i.stream}.${i.substream}(${i.strides.join(",")})`
    case "index":
    case "product":
      return i.op
    case "fold":
      return `fold ${i.fold} %${i.args[0]}`
    default:
      return `${i.op} ${i.args.map((a) => `%${a}`).join(" ")}`
  }
}
