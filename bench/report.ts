// Results of the benchmark as a table in Markdown. Measures nothing.

import { type Machine, median } from "./machine.ts"
import type { Workload } from "./workloads.ts"

/** What was measured of one peer, on one workload, with one number of threads (0: its own choice). */
export interface Entry {
  readonly workload: string
  readonly peer: string
  readonly threads: number
  /** Seconds of each timed epoch, and of the first epoch of each process. */
  readonly seconds: number[]
  readonly warmUp: number[]
  readonly validationAccuracy: number[]
  /** The first line that the peer has printed: versions and libraries. */
  about: object
  /** After the last epoch. */
  loss: number | undefined
  accuracy: number | undefined
  /** Why it was stopped or failed. */
  fault: string | undefined
}

/** A run of the benchmark. */
export interface Results {
  readonly date: string
  readonly quick: boolean
  readonly command: string
  readonly machine: Machine
  readonly workloads: readonly Workload[]
  readonly entries: readonly Entry[]
  readonly absent: { readonly [peer: string]: string }
}

/** The median of the timed epochs; of the first ones if there are no others. */
export function secondsOf(entry: Entry): number {
  return median(entry.seconds.length > 0 ? entry.seconds : entry.warmUp)
}

const show = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? "" : value >= 100 ? value.toFixed(0) : value.toPrecision(3)

function row(entry: Entry, all: readonly Entry[]): string {
  const same = all.filter((e) => e.workload === entry.workload && e.peer === "pytorch")
  // A choice of threads of one's own is held against PyTorch's better one.
  const against = same.filter((e) => entry.threads === 0 || e.threads === entry.threads).map(secondsOf)
  const ratio = secondsOf(entry) / Math.min(...against.filter((s) => !Number.isNaN(s)))
  const range = entry.seconds.length > 0 ? [Math.min(...entry.seconds), Math.max(...entry.seconds)] : []
  const validation = median(entry.validationAccuracy)
  const epochs = entry.seconds.length > 0 ? `${entry.seconds.length}` : entry.warmUp.length > 0 ? "0 (first only)" : "0"
  const cells = [
    entry.peer,
    entry.threads === 0 ? "auto" : `${entry.threads}`,
    show(secondsOf(entry)),
    show(range[0]),
    show(range[1]),
    epochs,
    Number.isFinite(ratio) && ratio > 0 ? ratio.toFixed(ratio < 0.1 ? 4 : 2) : "",
    entry.loss === undefined ? "" : entry.loss.toFixed(4),
    Number.isNaN(validation) ? "" : `${(100 * validation).toFixed(2)} %`,
    (entry.fault ?? "").replaceAll("\n", " ").replaceAll("|", "/"),
  ]
  return `| ${cells.join(" | ")} |`
}

/** The results as Markdown: the machine, the versions, and a table for each workload. */
export function asMarkdown(results: Results): string {
  const { cpu, cores, memory, system, node, load } = results.machine
  const versions = new Map(results.entries.map((e) => [e.peer, e.about]))
  const lines = [
    `# Benchmark of ${results.date.slice(0, 10)}${results.quick ? " (quick: a test of the benchmark, its figures mean nothing)" : ""}`,
    "",
    `${cpu}, ${cores} cores, ${memory}; ${system}; Node ${node}; load before the run ${load}. Made by \`${results.command}\`.`,
    "Seconds of one epoch with shuffling, gathering, loss and accuracy; the ratio is to PyTorch's with the same threads.",
  ]
  for (const workload of results.workloads) {
    const own = results.entries.filter((e) => e.workload === workload.id)
    lines.push("", `## (${workload.id}) ${workload.title}${results.quick ? `, ${workload.rows} rows` : ""}`, "")
    lines.push("| peer | threads | median s | least | most | epochs | ratio | last loss | validation | note |")
    lines.push("|---|---|---|---|---|---|---|---|---|---|")
    lines.push(...own.map((entry) => row(entry, own)))
  }
  lines.push("", "## Versions", "")
  for (const [peer, about] of versions) lines.push(`- ${peer}: \`${JSON.stringify(about)}\``)
  for (const [peer, why] of Object.entries(results.absent)) lines.push(`- ${peer}: absent (${why})`)
  return `${lines.join("\n")}\n`
}
