// `npm run bench`: trains each workload with each peer, in turns, and writes a table and JSON to bench/results.
//
//   node bench/run.ts [--quick] [--workloads a,d] [--peers trilobite,pytorch] [--threads 1,2] [--turns 11] [--limit 120] [--out folder]

import { type ChildProcessByStdio, spawn } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { parseArgs } from "node:util"
import { machine, stamp } from "./machine.ts"
import { findPeers, type Peer } from "./peers.ts"
import { asMarkdown, type Entry, type Results, secondsOf } from "./report.ts"
import { prepare, type Workload, workloads } from "./workloads.ts"

const text = { type: "string" } as const
const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    workloads: text,
    peers: text,
    threads: { ...text, default: "1,2" },
    turns: text,
    limit: text,
    out: { ...text, default: join(import.meta.dirname, "results") },
  },
})

/** Quick: a sample of the rows and one turn, to see that everything works. Its figures mean nothing. */
const quickRows: { readonly [id: string]: number } = { a: 6000, b: 2560, c: 512, d: 1000, e: 200 }
const turns = Number(options.turns ?? (options.quick ? 1 : 11))
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

/** A process that trains a workload, an epoch for each line that it is given, and what it has printed. */
interface Training {
  readonly job: Job
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  /** What it has printed since its turn began. */
  seconds: number[]
  /** Milliseconds of its turns. */
  used: number
  ended: boolean
  /** To be called when it has printed something, or has ended. */
  heard(): void
}

/** Starts the process of a job, which then waits for its first turn. */
function start(job: Job): Training {
  const [program = "", ...rest] = job.peer.command
  const epochs = 1 + turns * burstOf(job)
  const own = ["--workload", job.task, "--threads", `${job.threads}`, "--epochs", `${epochs}`, "--turns"]
  const child = spawn(program, [...rest, ...own], { stdio: ["pipe", "pipe", "pipe"] })
  const training: Training = { job, child, seconds: [], used: 0, ended: false, heard: () => {} }
  const { entry } = job
  let complaint = ""
  child.stdin.on("error", () => {}) // what has ended reads no more
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-400)
  })
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith("{")) return
    const { seconds, loss, accuracy, validationAccuracy, ...about } = JSON.parse(line) as Printed
    if (seconds !== undefined) {
      training.seconds.push(seconds)
      Object.assign(entry, { loss, accuracy })
    } else if (validationAccuracy !== undefined) entry.validationAccuracy = validationAccuracy
    else entry.about = about
    training.heard()
  })
  const end = (fault: string | undefined): void => {
    training.ended = true
    entry.fault ??= fault
    training.heard()
  }
  child.on("error", (error) => end(String(error)))
  child.on("close", (code) => end(code === 0 ? undefined : `exit code ${code}: ${complaint.trim()}`))
  return training
}

/** Lets a process train so many epochs, or end if there are none left; resolves to the seconds of each. */
async function take(training: Training, epochs: number): Promise<readonly number[]> {
  const { job, child } = training
  training.seconds = []
  const began = performance.now()
  const timer = setTimeout(
    () => {
      job.entry.fault = `stopped after ${limit} s`
      child.kill("SIGKILL")
    },
    limit * 1000 - training.used,
  )
  await new Promise<void>((resolve) => {
    training.heard = () => {
      if (training.ended || (epochs > 0 && training.seconds.length === epochs)) resolve()
    }
    child.stdin.write("\n".repeat(Math.max(1, epochs)))
    training.heard()
  })
  clearTimeout(timer)
  training.used += performance.now() - began
  return training.seconds
}

function burstOf({ workload }: Job): number {
  return options.quick ? Math.min(2, workload.epochs) : workload.epochs
}

/** Trains one workload with all its peers: in turns, first up and then down their list, so that what drifts meets all alike. */
async function compare(jobs: readonly Job[]): Promise<void> {
  const trainings: Training[] = []
  for (const job of jobs) {
    const training = start(job)
    trainings.push(training)
    job.entry.warmUp = (await take(training, 1))[0]
  }
  for (let turn = 1; turn <= turns; turn++) {
    for (const training of turn % 2 === 1 ? trainings : trainings.toReversed()) {
      const seconds = training.ended ? [] : await take(training, burstOf(training.job))
      if (seconds.length === burstOf(training.job)) training.job.entry.turns.push(seconds)
    }
    console.error(`${jobs[0]!.workload.id}  turn ${turn} of ${turns}`)
  }
  for (const training of trainings) if (!training.ended) await take(training, 0)
  for (const { peer, threads, entry } of jobs) {
    const middle = secondsOf(entry).toPrecision(3)
    console.error(`  ${peer.id.padEnd(26)} threads ${threads || "auto"}  ${middle} s  ${entry.fault ?? ""}`)
  }
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
      const pairs = able.flatMap((peer) => counts.map((threads) => ({ peer, threads })))
      const allowed = pairs.filter(({ peer, threads }) => peer.threads?.includes(threads) ?? true)
      const own = able.filter((peer) => peer.threads?.includes(0)).map((peer) => ({ peer, threads: 0 }))
      return [...allowed, ...own].map(({ peer, threads }) => {
        const entry: Entry = {
          ...{
            workload: workload.id,
            peer: peer.id,
            threads,
            turns: [],
            warmUp: undefined,
            validationAccuracy: undefined,
          },
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
for (const id of ids) await compare(jobs.filter(({ workload }) => workload.id === id))
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
