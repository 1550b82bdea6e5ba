// `npm run bench:coach`: tries the cases in two processes, asks the coach and the anchors what is wrong, repairs, and writes a report.
//
//   node bench/coach/run.ts [--trials 2] [--healthy 7] [--cases text] [--held-out] [--no-repair] [--seed n] [--processes 2]
//   node bench/coach/run.ts --replay      asks again about the trainings of the last run, without training: for work on rules
//
// Recordings lie in .cache/coach (not committed). The seed comes from the commit unless it is given.

import { execFileSync, fork } from "node:child_process"
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { machine, stamp } from "../machine.ts"
import { anchors } from "./anchors.ts"
import { cases } from "./cases.ts"
import { coach } from "./coach.ts"
import { hash, trialSeed } from "./jitter.ts"
import { asMarkdown, judged, mistakes, type Report, repairsOf, standingOf } from "./report.ts"
import { readTruths } from "./truth.ts"
import type { Job, Trial } from "./work.ts"

const text = { type: "string" } as const
const flag = { type: "boolean", default: false } as const
const { values: options } = parseArgs({
  options: {
    trials: { ...text, default: "2" },
    healthy: { ...text, default: "7" },
    cases: { ...text, default: "" },
    processes: { ...text, default: "2" },
    seed: text,
    out: { ...text, default: join(import.meta.dirname, "../results") },
    "held-out": flag,
    "no-repair": flag,
    replay: flag,
  },
})

const root = join(import.meta.dirname, "../..")
const folder = join(root, ".cache/coach")
const recording = join(folder, options["held-out"] ? "held-out.jsonl" : "trials.jsonl")
const commit = execFileSync("git", ["rev-parse", "--short=10", "HEAD"], { cwd: root, encoding: "utf8" }).trim()
const seed = options.seed === undefined ? hash(commit) : Number(options.seed)

/** All trials; the first of each case as it is written, the others moved by seeds. The longest first. */
function jobs(): Job[] {
  return cases
    .filter((one) => (one.heldOut ?? false) === options["held-out"])
    .filter(({ id, kind }) => `${kind} ${id}`.includes(options.cases))
    .flatMap(({ id, kind }) => {
      const times = Number(kind === "control" ? options.healthy : options.trials)
      return Array.from({ length: times }, (_, n) => ({
        ...{ id, seed: n === 0 ? 0 : trialSeed(seed, id, n) },
        repair: !options["no-repair"] && kind !== "control",
      }))
    })
    .sort((a, b) => Number(b.id.includes("mnist")) - Number(a.id.includes("mnist")))
}

/** Trains all of them, in processes that each do one after another. */
async function trained(queue: Job[]): Promise<void> {
  const waiting = [...queue]
  let done = 0
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(join(import.meta.dirname, "work.ts"))
      const next = (): void => {
        const job = waiting.shift()
        if (job === undefined) child.disconnect()
        else child.send(job)
      }
      child.on("message", (trial: Trial) => {
        appendFileSync(recording, `${JSON.stringify(trial)}\n`)
        done++
        if (done % 20 === 0) console.error(`${done} of ${queue.length}`)
        next()
      })
      child.on("error", reject)
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a process ended with ${code}`))))
      next()
    })
  await Promise.all(Array.from({ length: Number(options.processes) }, one))
}

const begun = performance.now()
const before = machine()
if (!options.replay) {
  mkdirSync(folder, { recursive: true })
  rmSync(recording, { force: true })
  await trained(jobs())
}
const trials = readFileSync(recording, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Trial) // biome-ignore format: one chain
const truths = readTruths()
const all = judged(trials, truths)
const report: Report = {
  date: new Date().toISOString(),
  command: ["npm run bench:coach --", ...process.argv.slice(2)].join(" "),
  ...{ commit, seed, machine: before },
  seconds: (performance.now() - begun) / 1000,
  heldOut: options["held-out"],
  invalid: [
    ...new Set(trials.filter(({ id }) => truths[id]?.valid === false).map(({ id }) => `${id}: ${truths[id]!.why}`)),
  ],
  unmeasured: new Set(trials.filter(({ id }) => truths[id] === undefined).map(({ id }) => id)).size,
  standings: [coach, ...anchors].map((doctor) => standingOf(doctor, all)),
  repairs: repairsOf(all),
  mistakes: mistakes(coach, all),
}
const markdown = asMarkdown(report)
console.log(markdown)
if (!options.replay) {
  mkdirSync(options.out, { recursive: true })
  const path = join(options.out, `${stamp()}-coach${options["held-out"] ? "-held-out" : ""}`)
  writeFileSync(`${path}.json`, `${JSON.stringify(report, null, 1)}\n`)
  writeFileSync(`${path}.md`, markdown)
  console.error(`written: ${path}.json and .md`)
}
