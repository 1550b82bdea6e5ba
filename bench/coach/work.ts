// One trial of one case, in a process of its own: trains it watched, its control, and repairs it. Messages in, records out.

import { promiseOf } from "../../src/coach/coach.ts"
import type { Evidence } from "../../src/coach/evidence.ts"
import type { Finding } from "../../src/coach/finding.ts"
import { type Case, cases } from "./cases.ts"
import { faultsOf, type Watched, watched } from "./coach.ts"
import { jittered } from "./jitter.ts"
import { type Adviser, atRandom, harmOf, type Pair, type Repair, repair, type Trained } from "./repair.ts"
import type { Setup } from "./setup.ts"
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
  /** Of the coach's changes: whether what it said would be seen was seen. */
  readonly promises?: readonly boolean[]
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
  const promises: boolean[] = []
  let proposed: Finding | undefined
  const coached: Adviser<Watched> = (_, { evidence }, tried) => {
    const known = new Set(tried.map((edit) => JSON.stringify(edit)))
    proposed = faultsOf(evidence).find(
      ({ change: { edit } }) => edit.kind !== "look" && !known.has(JSON.stringify(edit)),
    )
    return proposed?.change.edit
  }
  const retrained = async (next: Setup): Promise<Watched> => {
    const after = await watched(next)
    const kept = promiseOf(proposed!, after.evidence)
    if (kept !== undefined) promises.push(kept.cameTrue)
    return after
  }
  const mended = ill ? await repair(setup, first, level, retrained, coached) : undefined
  // Random search over all single edits may train as many rounds as the coach has, and once at least.
  const options = { most: 20, budget: Math.max(1, mended?.steps ?? 0) }
  const plain = async (next: Setup): Promise<Trained> => ({ outcome: await train(next) })
  const random = mended && (await repair(setup, first, level, plain, atRandom(job.seed), options))
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
