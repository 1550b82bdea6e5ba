// One trial of one case, in a process of its own: trains it watched, its control, and repairs it. Messages in, records out.

import { promiseOf } from "../../src/coach/coach.ts"
import type { Evidence } from "../../src/coach/evidence.ts"
import { repair } from "../../src/coach/repair.ts"
import { type Case, cases } from "./cases.ts"
import { examined, type Watched, watched } from "./coach.ts"
import { jittered } from "./jitter.ts"
import { edited, harmOf, type Pair, type Repair, repairOf, search } from "./repair.ts"
import type { Setup } from "./setup.ts"
import { type Outcome, train } from "./train.ts"

/** What is to be tried. */
export interface Job {
  readonly id: string
  readonly seed: number
  readonly repair: boolean
}

/** What came of it: a line of the recording. */
export interface Trial extends Job {
  readonly kind: Case["kind"]
  readonly score: number
  readonly control: number
  /** In this very trial it is worse than its control by more than repairs may be. */
  readonly harmed: boolean
  readonly error?: string
  readonly seconds: number
  readonly evidence: Evidence
  readonly repaired?: Repair
  readonly random?: Repair
  /** Of the coach's changes: whether what it said would be seen was seen. */
  readonly promises?: readonly boolean[]
}

/** Repairs a setup as the coach does, and tells which of its promises came true. */
async function coached(setup: Setup, first: Watched, control: Pair): Promise<[Repair, readonly boolean[]]> {
  const seen = new Map<Evidence, Outcome>([[first.evidence, first.outcome]])
  const promises: boolean[] = []
  const {
    setup: last,
    evidence,
    attempts,
  } = await repair<Setup>(setup, first.evidence, {
    change: (own, { edit }) => edited(own, edit),
    examine: examined,
    train: async (own, proposals) => {
      const after = await watched(own)
      seen.set(after.evidence, after.outcome)
      const finding = proposals.findLast((proposal) => proposal.finding !== undefined)?.finding
      const kept = finding && promiseOf(finding, after.evidence)
      if (kept !== undefined) promises.push(kept.cameTrue)
      return after.evidence
    },
  })
  const tries = attempts.map((attempt) => ({
    edits: attempt.proposals.map(({ change }) => change.edit),
    kept: attempt.kept,
    score: seen.get(attempt.evidence)!.score,
  }))
  const outcomes = attempts.map((attempt) => seen.get(attempt.evidence)!)
  return [repairOf([setup, first.outcome], [last, seen.get(evidence)!], control, tries, outcomes), promises]
}

/** Runs a job. */
export async function trialOf(job: Job): Promise<Trial> {
  const one = cases.find(({ id }) => id === job.id)!
  const { setup, control } = jittered(one, job.seed)
  const begun = performance.now()
  const first = await watched(setup)
  const { score, error } = first.outcome
  const ill = job.repair && one.kind !== "control"
  const level: Pair = [control, ill ? await train(control) : first.outcome]
  const [mended, promises] = ill ? await coached(setup, first, level) : []
  // Random search over all single edits may train as many rounds as the coach has, and once at least.
  const random = mended && (await search(setup, first.outcome, level, job.seed, Math.max(1, mended.steps)))
  return {
    ...job,
    kind: one.kind,
    ...{
      score,
      control: level[1].score,
      harmed: one.kind !== "control" && harmOf([setup, first.outcome], level) !== undefined,
    },
    ...(error === undefined ? {} : { error }),
    seconds: (performance.now() - begun) / 1000,
    evidence: first.evidence,
    ...(mended === undefined ? {} : { repaired: mended, random, promises }),
  }
}

process.on("message", (job: Job) => {
  trialOf(job).then(
    (trial) => process.send!(trial),
    (error: unknown) => {
      console.error(`${job.id} (seed ${job.seed}):`, error)
      process.exit(1)
    },
  )
})
