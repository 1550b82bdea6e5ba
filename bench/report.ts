// Results of the benchmark as a table in Markdown. Measures nothing.

import { type Machine, median, quantile } from "./machine.ts"
import type { Workload } from "./workloads.ts"

/** What was measured of one peer, on one workload, with one number of threads (0: its own choice). */
export interface Entry {
  readonly workload: string
  readonly peer: string
  readonly threads: number
  /** Seconds of each epoch of each turn, and of the epoch before all turns. */
  readonly turns: (readonly number[])[]
  warmUp: number | undefined
  validationAccuracy: number | undefined
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

/** The median of all turns, each the median of its epochs; the first epoch if there are no turns. */
export function secondsOf({ turns, warmUp }: Entry): number {
  return turns.length > 0 ? median(turns.map(median)) : (warmUp ?? Number.NaN)
}

/** The seconds of one for a second of another, turn by turn; of all that is known if one has no turns. */
function ratios(of: Entry, to: Entry): readonly number[] {
  const both = of.turns.slice(0, to.turns.length)
  if (both.length === 0) return [secondsOf(of) / secondsOf(to)].filter(Number.isFinite)
  return both.map((turn, i) => median(turn) / median(to.turns[i]!))
}

/** The median, and between what half of all lie. */
function spread(values: readonly number[]): string {
  const at = (part: number): string => quantile(values, part).toFixed(2)
  return values.length < 4 ? median(values).toFixed(2) : `${median(values).toFixed(2)} (${at(0.25)} to ${at(0.75)})`
}

const show = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? "" : value >= 100 ? value.toFixed(0) : value.toPrecision(3)

function row(entry: Entry, all: readonly Entry[]): string {
  const same = all.filter((e) => e.workload === entry.workload && e.peer === "pytorch")
  // A choice of threads of one's own is held against PyTorch's better one.
  const against = same.filter((e) => entry.threads === 0 || e.threads === entry.threads)
  const best = against.toSorted((a, b) => secondsOf(a) - secondsOf(b))[0]
  const ratio = best === undefined ? Number.NaN : median(ratios(entry, best))
  const turns = entry.turns.map(median)
  const range = turns.length > 0 ? [Math.min(...turns), Math.max(...turns)] : []
  const count = turns.length > 0 ? `${turns.length}` : entry.warmUp === undefined ? "0" : "0 (first epoch only)"
  const cells = [
    entry.peer,
    entry.threads === 0 ? "auto" : `${entry.threads}`,
    show(secondsOf(entry)),
    show(range[0]),
    show(range[1]),
    count,
    Number.isFinite(ratio) && ratio > 0 ? ratio.toFixed(ratio < 0.1 ? 4 : 2) : "",
    entry.loss === undefined ? "" : entry.loss.toFixed(4),
    entry.validationAccuracy === undefined ? "" : `${(100 * entry.validationAccuracy).toFixed(2)} %`,
    (entry.fault ?? "").replaceAll("\n", " ").replaceAll("|", "/"),
  ]
  return `| ${cells.join(" | ")} |`
}

/** What two entries of one peer, or of two ways of this library, are for each other: the gain of threads, the price of portability. */
function pairs(own: readonly Entry[]): string[] {
  const entry = (peer: string, threads: number): Entry | undefined =>
    own.find((e) => e.peer === peer && e.threads === threads && e.turns.length > 0)
  const lines: string[] = []
  for (const peer of new Set(own.map((e) => e.peer))) {
    const alone = entry(peer, 1)
    for (const { threads } of own.filter((e) => e.peer === peer && e.threads > 1)) {
      const several = entry(peer, threads)
      if (alone === undefined || several === undefined) continue
      lines.push(`| ${peer}: 1 thread / ${threads} threads | ${spread(ratios(alone, several))} |`)
    }
  }
  for (const { peer, threads } of own.filter((e) => e.peer.endsWith("portable"))) {
    const [portable, fused] = [entry(peer, threads), entry(peer.replace("portable", "fused"), threads)]
    if (portable === undefined || fused === undefined) continue
    lines.push(`| ${peer} / ${fused.peer}, threads ${threads} | ${spread(ratios(portable, fused))} |`)
  }
  if (lines.length === 0) return []
  return ["", "| time / time in the same turn | median (half of all turns) |", "|---|---|", ...lines]
}

/** The results as Markdown: the machine, the versions, and a table for each workload. */
export function asMarkdown(results: Results): string {
  const { cpu, cores, memory, system, node, load } = results.machine
  const versions = new Map(results.entries.map((e) => [e.peer, e.about]))
  const lines = [
    `# Benchmark of ${results.date.slice(0, 10)}${results.quick ? " (quick: a test of the benchmark, its figures mean nothing)" : ""}`,
    "",
    `${cpu}, ${cores} cores, ${memory}; ${system}; Node ${node}; load before the run ${load}. Made by \`${results.command}\`.`,
    "Seconds of one epoch with shuffling, gathering, loss and accuracy. Peers take turns; a ratio is the median of the ratios to PyTorch's time",
    "with the same threads in the same turn.",
  ]
  for (const workload of results.workloads) {
    const own = results.entries.filter((e) => e.workload === workload.id)
    lines.push("", `## (${workload.id}) ${workload.title}${results.quick ? `, ${workload.rows} rows` : ""}`, "")
    lines.push("| peer | threads | median s | least | most | turns | ratio | last loss | validation | note |")
    lines.push("|---|---|---|---|---|---|---|---|---|---|")
    lines.push(...own.map((entry) => row(entry, own)), ...pairs(own))
  }
  lines.push("", "## Versions", "")
  for (const [peer, about] of versions) lines.push(`- ${peer}: \`${JSON.stringify(about)}\``)
  for (const [peer, why] of Object.entries(results.absent)) lines.push(`- ${peer}: absent (${why})`)
  return `${lines.join("\n")}\n`
}
