// What threads could see half done. Knows the phases and splits of steps, not what they compute.

import { computes, type Kernel, readsOf, type Step, writesOf } from "./kernel.ts"
import type { Program } from "./program.ts"

/** Every place where one thread could meet what another has not finished, as a sentence; empty for a sound entry. */
export function raceFaults(program: Program, steps: readonly Step[]): string[] {
  return steps.flatMap((step, i) => [
    ...alone(program, step, i),
    ...sharedInPhase(program, steps, i),
    ...crossed(program, step.kernel, i),
  ])
}

/** The log is read by the thread that writes it: each thread must compute it all. */
function alone(program: Program, { kernel, split }: Step, i: number): string[] {
  const logs = writesOf(kernel).some((b) => program.buffers[b]?.role === "log")
  return logs && split !== "all" ? [`step ${i} writes the log on one thread alone.`] : []
}

/** Steps of the phase of step i that read what it writes, though threads run ahead of each other in a phase. */
function sharedInPhase(program: Program, steps: readonly Step[], i: number): string[] {
  const writer = steps[i]!
  return writesOf(writer.kernel).flatMap((b) => {
    const buffer = program.buffers[b]
    if (buffer === undefined) return []
    const byRows = buffer.shape.some((n) => n < 0) && writer.split === "rows"
    return steps.flatMap((reader, j) => {
      if (i === j || reader.phase !== writer.phase || !readsOf(reader.kernel).some((o) => o.buffer === b)) return []
      const own = buffer.role === "temporary" && (writer.split === "all" || (byRows && reader.split === "rows"))
      return own ? [] : [`step ${j} reads ${buffer.name} while step ${i} writes it.`]
    })
  })
}

/** A kernel that reads a buffer that it writes must read the very element that it writes. */
function crossed(program: Program, kernel: Kernel, i: number): string[] {
  if (!computes(kernel)) return []
  return kernel.outputs.flatMap((output) => {
    const reads = readsOf(kernel).filter((o) => o.buffer === output.buffer)
    const same = reads.every((o) => o.offset === output.offset && String(o.strides) === String(output.strides))
    return same ? [] : [`step ${i} reads other elements of ${program.buffers[output.buffer]?.name} than it writes.`]
  })
}
