// The machine's peaks, measured by a small program in C.

import { spawnSync } from "node:child_process"
import { build, flags } from "./peers.ts"

/** GF/s of one thread at each width of vectors: fused multiply-add, and multiply and add. */
export interface Peaks {
  readonly threads: number
  readonly fma: { readonly [bits: string]: number }
  readonly mulAdd: { readonly [bits: string]: number }
}

/** GF/s of one thread, or undefined without a C compiler. */
export function measurePeaks(): Peaks | undefined {
  const { path, fault } = build("gcc", flags.peak, "peak.c")
  if (fault !== undefined) {
    console.error(`no peaks: ${fault}`)
    return undefined
  }
  return JSON.parse(spawnSync(path, ["1"], { encoding: "utf8" }).stdout) as Peaks
}
