// `npm run bench`: trains each workload with each peer, in turns, and writes a table and JSON to bench/results.
//
//   node bench/run.ts [--quick] [--workloads a,d] [--peers trilobite,pytorch] [--threads 1,2] [--rounds 3] [--limit 120] [--out folder]

import { spawn } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { machine, median, stamp } from "./machine.ts"
import { findPeers, type Peer } from "./peers.ts"
import { asMarkdown, type Entry, type Results } from "./report.ts"
import { prepare, type Workload, workloads } from "./workloads.ts"

const text = { type: "string" } as const
const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    workloads: text,
    peers: text,
    threads: { ...text, default: "1,2" },
    rounds: text,
    limit: text,
    out: { ...text, default: join(import.meta.dirname, "results") },
  },
})

/** Quick: a sample of the rows and one round, to see that everything works. Its figures mean nothing. */
const quickRows: { readonly [id: string]: number } = { a: 6000, b: 2560, c: 512, d: 1000, e: 200 }
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3))
const limit = Number(options.limit ?? (options.quick ? 20 : 120))

interface Job {
  readonly workload: Workload
  readonly task: string
  readonly peer: Peer
  readonly threads: number
  readonly entry: Entry
}

/** A line of a peer. */
interface Printed {
  readonly seconds?: number
  readonly loss?: number
  readonly accuracy?: number
  readonly validationAccuracy?: number
}

/** What one process has printed. */
interface Lines {
  readonly seconds: number[]
  last: Printed
  about: object
  validationAccuracy: number | undefined
  fault: string | undefined
}

/** Runs a peer once; ends it when the limit is over. */
function runPeer(job: Job): Promise<Lines> {
  const [program = "", ...rest] = job.peer.command
  const epochs = 1 + (options.quick ? Math.min(2, job.workload.epochs) : job.workload.epochs)
  const own = ["--workload", job.task, "--threads", `${job.threads}`, "--epochs", `${epochs}`]
  const child = spawn(program, [...rest, ...own], { stdio: ["ignore", "pipe", "pipe"] })
  const lines: Lines = { seconds: [], last: {}, about: {}, validationAccuracy: undefined, fault: undefined }
  let complaint = ""
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-400)
  })
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith("{")) return
    const read = JSON.parse(line) as Printed
    if (read.seconds !== undefined) {
      lines.seconds.push(read.seconds)
      lines.last = read
    } else if (read.validationAccuracy !== undefined) lines.validationAccuracy = read.validationAccuracy
    else lines.about = read
  })
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      lines.fault = `stopped after ${limit} s`
      child.kill("SIGKILL")
    }, limit * 1000)
    child.on("error", (error) => {
      clearTimeout(timer)
      resolve({ ...lines, fault: String(error) })
    })
    child.on("close", (code) => {
      clearTimeout(timer)
      if (code !== 0) lines.fault ??= `exit code ${code}: ${complaint.trim()}`
      resolve(lines)
    })
  })
}

/** Adds what a process has printed to the entry of its job. */
function add(entry: Entry, lines: Lines): void {
  const [first, ...timed] = lines.seconds
  if (first !== undefined) entry.warmUp.push(first)
  entry.seconds.push(...timed)
  entry.about = lines.about
  entry.loss = lines.last.loss
  entry.accuracy = lines.last.accuracy
  if (lines.validationAccuracy !== undefined) entry.validationAccuracy.push(lines.validationAccuracy)
  if (lines.fault !== undefined) entry.fault = lines.fault
}

function plan(peers: readonly Peer[]): Job[] {
  const ids = options.workloads?.split(",") ?? workloads.map(({ id }) => id)
  const counts = options.threads.split(",").map(Number)
  return workloads
    .filter(({ id }) => ids.includes(id))
    .flatMap((full) => {
      const workload = options.quick ? { ...full, rows: quickRows[full.id] ?? full.rows } : full
      const task = prepare(workload)
      const able = peers.filter((peer) => peer.workloads?.includes(workload.id) ?? true)
      const pairs = counts.flatMap((threads) => able.map((peer) => ({ peer, threads })))
      const allowed = pairs.filter(({ peer, threads }) => peer.threads?.includes(threads) ?? true)
      const own = able.filter((peer) => peer.threads?.includes(0)).map((peer) => ({ peer, threads: 0 }))
      return [...allowed, ...own].map(({ peer, threads }) => {
        const entry: Entry = {
          ...{ workload: workload.id, peer: peer.id, threads, seconds: [], warmUp: [], validationAccuracy: [] },
          ...{ about: {}, loss: undefined, accuracy: undefined, fault: undefined },
        }
        return { workload, task, peer, threads, entry }
      })
    })
}

const started = machine()
const { peers, absent } = findPeers(options.peers?.split(","))
for (const [id, why] of Object.entries(absent)) console.error(`absent: ${id} (${why})`)
const jobs = plan(peers)
const ids = [...new Set(jobs.map((job) => job.workload.id))]
// In turns within each workload: what disturbs the machine meets all peers alike.
for (const id of ids) {
  for (let round = 1; round <= rounds; round++) {
    for (const job of jobs.filter(({ workload, entry }) => workload.id === id && entry.fault === undefined)) {
      const lines = await runPeer(job)
      add(job.entry, lines)
      const [middle, fault] = [median(lines.seconds.slice(1)), lines.fault === undefined ? "" : `  ${lines.fault}`]
      console.error(
        `${id} ${round}/${rounds}  ${job.peer.id.padEnd(26)} threads ${job.threads || "auto"}  ${middle.toPrecision(3)} s${fault}`,
      )
    }
  }
}
const results: Results = {
  date: new Date().toISOString(),
  quick: options.quick,
  command: ["npm run bench --", ...process.argv.slice(2)].join(" "),
  machine: started,
  workloads: ids.map((id) => jobs.find(({ workload }) => workload.id === id)!.workload),
  entries: jobs.map(({ entry }) => entry),
  absent,
}
const markdown = asMarkdown(results)
mkdirSync(options.out, { recursive: true })
const path = join(options.out, `${stamp()}${options.quick ? "-quick" : ""}`)
writeFileSync(`${path}.json`, `${JSON.stringify(results, null, 2)}\n`)
writeFileSync(`${path}.md`, markdown)
console.log(markdown)
console.error(`written: ${path}.json and .md`)
