// What threads could see half done. Knows the phases and splits of steps, not what they compute.

import {
  computes,
  type Kernel,
  loopOf,
  meetInTurn,
  outputsOf,
  readsOf,
  type Step,
  turnsAway,
  writesOf,
} from "./kernel.ts"
import type { EntryPoint, Program } from "./program.ts"

/** Every place where one thread could meet what another has not finished, as a sentence; empty for a sound entry. */
export function raceFaults(program: Program, entry: EntryPoint): string[] {
  const { steps } = entry
  return steps.flatMap((step, i) => [
    ...alone(program, step, i),
    ...sharedInPhase(program, entry, i),
    ...crossed(program, step.kernel, i),
    ...betweenTurns(program, entry, i),
  ])
}

/** The log is read by the thread that writes it: each thread must compute it all. */
function alone(program: Program, { kernel, split }: Step, i: number): string[] {
  const logs = writesOf(kernel).some((b) => program.buffers[b]?.role === "log")
  return logs && split !== "all" ? [`step ${i} writes the log on one thread alone.`] : []
}

/** Steps of the phase of step i that read what it writes, though threads run ahead of each other in a phase. */
function sharedInPhase(program: Program, { steps, loops }: EntryPoint, i: number): string[] {
  const writer = steps[i]!
  const loop = loopOf(writer.kernel)
  return outputsOf(writer.kernel).flatMap((output) => {
    const b = output.buffer
    const buffer = program.buffers[b]
    if (buffer === undefined) return []
    const byRows = buffer.shape.some((n) => n < 0) && writer.split === "rows"
    return steps.flatMap((reader, j) => {
      if (i === j || reader.phase !== writer.phase) return []
      // Where threads meet in every turn they read in peace what another turn has written.
      const met = loop !== undefined && loop === loopOf(reader.kernel) && loops[loop]?.meets === true
      if (!readsOf(reader.kernel).some((o) => o.buffer === b && (!met || meetInTurn(o, output)))) return []
      const own = buffer.role === "temporary" && (writer.split === "all" || (byRows && reader.split === "rows"))
      return own ? [] : [`step ${j} reads ${buffer.name} while step ${i} writes it.`]
    })
  })
}

/** A kernel that reads a buffer that it writes must read the very element that it writes. */
function crossed(program: Program, kernel: Kernel, i: number): string[] {
  if (!computes(kernel)) return []
  return kernel.outputs.flatMap((output) => {
    const reads = readsOf(kernel).filter((o) => meetInTurn(o, output))
    const same = reads.every((o) => o.offset === output.offset && String(o.strides) === String(output.strides))
    return same ? [] : [`step ${i} reads other elements of ${program.buffers[output.buffer]?.name} than it writes.`]
  })
}

/** A loop in whose turns threads do not meet may only have each thread work on its own rows; and no turn reads a later one. */
function betweenTurns(program: Program, { steps, loops }: EntryPoint, i: number): string[] {
  const { kernel, split } = steps[i]!
  const number = loopOf(kernel)
  if (number === undefined) return []
  const loop = loops[number]
  if (loop === undefined) return [`step ${i} is part of loop ${number}, which does not exist.`]
  const faults: string[] = []
  const rows = writesOf(kernel).every((b) => program.buffers[b]?.shape.some((n) => n < 0))
  if (!loop.meets && !(split === "rows" && rows)) faults.push(`step ${i} runs in a loop in which threads do not meet.`)
  for (const output of outputsOf(kernel)) {
    const late = steps.some(({ kernel: reader }) => {
      if (loopOf(reader) !== number) return false
      return readsOf(reader).some((o) => {
        if (o.buffer !== output.buffer || meetInTurn(o, output)) return false
        return loop.reverse ? turnsAway(o) < turnsAway(output) : turnsAway(o) > turnsAway(output)
      })
    })
    if (late) faults.push(`step ${i} writes what an earlier turn of loop ${number} has read.`)
  }
  return faults
}
