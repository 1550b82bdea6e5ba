// Which lasting memory the rounds of an entry read and change. Knows Programs, no addresses.

import { writesOf } from "../../program/kernel.ts"
import type { Buffer, Program } from "../../program/program.ts"

/** The data that an entry reads, and the states and results that it changes. */
export function touched(
  program: Program,
  entry: string,
): { readonly data: readonly Buffer[]; readonly changes: readonly Buffer[] } {
  const [data, changes] = [new Set<Buffer>(), new Set<Buffer>()]
  const buffer = (index: number): Buffer => program.buffers[index]!
  for (const { kernel } of program.entries[entry]?.steps ?? []) {
    if (kernel.kind === "gather") data.add(buffer(kernel.source))
    else if (kernel.kind === "scatter") changes.add(buffer(kernel.target))
    else for (const written of writesOf(kernel)) changes.add(buffer(written))
  }
  return { data: [...data], changes: [...changes].filter((b) => b.role === "state" || b.role === "result") }
}
