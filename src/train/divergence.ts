// What to say when a loss is not finite: where it came from, as far as the memory of the run shows it.
// Knows an executable's buffers by role.

import type { Executable } from "../backend/backend.ts"
import { TrilobiteError } from "../core/errors.ts"

/** The round whose loss was not finite, counted from 0, and what was known of it. */
export interface BadRound {
  readonly epoch: number
  readonly round: number
  readonly loss: number
  readonly learningRate: number
  /** The first row of its batch. */
  readonly row: number
}

/** The error for a round whose loss was not finite: the round was not applied. */
export function divergence(
  executable: Executable,
  { epoch, round, loss, learningRate, row }: BadRound,
): TrilobiteError {
  const parameter = firstBadState(executable)
  const cause =
    parameter === undefined
      ? `The weights are all finite: the outputs of the network overflowed for the batch that begins with row ${row}.`
      : `The first value that is not finite is in ${parameter}: earlier rounds have driven it there.`
  return new TrilobiteError("E_DIVERGED", {
    where: `epoch ${epoch + 1}, round ${round + 1}`,
    what: `the loss is ${loss}. ${cause}`,
    hint: `The round was not applied. Lower the learning rate (${learningRate}), by a factor of 10 to begin with, and see whether the inputs are around 0 ± 1.`,
  })
}

/** The name of the first lasting buffer that holds a NaN or an infinity. */
function firstBadState(executable: Executable): string | undefined {
  const states = executable.program.buffers.filter((b) => b.role === "state" && !b.name.startsWith("watch/"))
  return states.find((b) => executable.read(b.name).some((v) => !Number.isFinite(v)))?.name
}
