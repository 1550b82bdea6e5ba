// What the results say of the machine, and medians. Knows no peer.

import { readFileSync } from "node:fs"
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os"

/** Where a measurement was made. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory: string
  readonly system: string
  readonly node: string
  /** Processes that wanted to run in the last minute before the measurement: near 0 on a quiet machine. */
  readonly load: number
}

/** This machine, now. */
export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    system: `${platform()} ${release()}${distribution()}`,
    node: process.versions.node,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}

function distribution(): string {
  try {
    const name = /PRETTY_NAME="(.*)"/.exec(readFileSync("/etc/os-release", "utf8"))?.[1]
    return name === undefined ? "" : `, ${name}`
  } catch {
    return ""
  }
}

/** The value in the middle; the mean of the two in the middle of an even number. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which this part of all lies, the nearest that there is. */
export function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.round(part * (values.length - 1))]!
}

/** Options of benches that measure in a process of their own: threads, tries, and whether by {@link clockOf} processors. */
export const measuring = {
  threads: { type: "string", default: "1" },
  tries: { type: "string", default: "3" },
  processor: { type: "boolean", default: false },
} as const

/** Milliseconds: of the clock, or that processors have worked for this process, which says more where other programs run. */
export function clockOf(processor: boolean): () => number {
  if (!processor) return () => performance.now()
  return () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
}

/** The day and minute as part of a file's name. */
export function stamp(): string {
  return new Date().toISOString().slice(0, 16).replace(/[T:]/g, "-")
}
