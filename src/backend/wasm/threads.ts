// How many threads are worth their meetings. Knows the work of a round, not the machine's speed.

import type { Body } from "../../program/expression.ts"
import { computes, indexes, loopOf } from "../../program/kernel.ts"
import type { EntryPoint } from "../../program/program.ts"

/** Multiplications and additions in a round that are worth a thread: about the work of 20 microseconds. */
const WORTH_A_THREAD = 1_000_000

/** Threads for an entry: as many as are offered, fewer if a round has little to do. */
export function threadsFor(entry: EntryPoint, rows: number, offered: number): number {
  return Math.max(1, Math.min(offered, Math.floor(workOf(entry, rows) / WORTH_A_THREAD)))
}

/** Operations for each element, a random number counted as what it takes. */
function operationsOf(body: Body): number {
  return body.reduce((sum, { op }) => sum + (op === "random" ? 16 : 1), 0)
}

/** Operations of a round with so many rows. */
export function workOf(entry: EntryPoint, rows: number): number {
  const extent = (n: number): number => (n < 0 ? -n * rows : n)
  return entry.steps.reduce((sum, { kernel }) => {
    const loop = loopOf(kernel)
    const turns = loop === undefined ? 1 : entry.loops[loop]!.turns
    if (indexes(kernel)) return sum + turns * extent(kernel.places) * kernel.width
    if (!computes(kernel)) return sum + rows * kernel.width
    const places = kernel.space.reduce((n, d) => n * extent(d), turns)
    return (
      sum +
      places *
        (kernel.kind === "matmul" ? 2 * kernel.inner.reduce((n, d) => n * extent(d), 1) : operationsOf(kernel.body))
    )
  }, 0)
}
