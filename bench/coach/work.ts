// One trial of one case, in a process of its own: trains it watched, its control, and repairs it. Messages in, records out.

import type { Evidence } from "../../src/coach/evidence.ts"
import { newCoach } from "./advisor.ts"
import { type Case, cases } from "./cases.ts"
import { proposals, watched } from "./coach.ts"
import { jittered } from "./jitter.ts"
import { atRandom, harmOf, type Pair, type Repair, repair } from "./repair.ts"
import { train } from "./train.ts"

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
}

/** Runs a job. */
export async function trialOf(job: Job): Promise<Trial> {
  const one = cases.find(({ id }) => id === job.id)!
  const { setup, control } = jittered(one, job.seed)
  const begun = performance.now()
  const first = await watched(setup)
  const { score, error } = first.outcome
  const level: Pair = [control, one.kind === "control" ? first.outcome : await train(control)]
  const make = job.repair && one.kind !== "control" ? await newCoach() : undefined
  const mended = make && (await repair(setup, first, level, watched, (_, { evidence }, tried) => {
    const known = new Set(tried.map((edit) => JSON.stringify(edit)))
    return proposals(make, evidence).find((edit) => edit.kind !== "look" && !known.has(JSON.stringify(edit)))
  })) // biome-ignore format: one call
  // Random search over all single edits may train as many rounds as the coach has, and once at least.
  const options = { most: 20, budget: Math.max(1, mended?.steps ?? 0) }
  const random =
    mended &&
    (await repair(setup, first, level, async (next) => ({ outcome: await train(next) }), atRandom(job.seed), options))
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
    ...(mended === undefined ? {} : { repaired: mended, random }),
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
