// A training that is watched, and what doctors say of it. The evidence of a whole training holds that of every moment before its end, so
// that rules can be tried again on what was recorded.

import { Coach, moments } from "../../src/coach/coach.ts"
import type { Evidence } from "../../src/coach/evidence.ts"
import type { FaultCode } from "../../src/coach/finding.ts"
import type { Model } from "../../src/index.ts"
import type { Doctor } from "./anchors.ts"
import { materialOf } from "./sets.ts"
import type { Setup } from "./setup.ts"
import { modelOf, type Outcome, planOf, train } from "./train.ts"

/** A training and all that is known of it. */
export interface Watched {
  readonly outcome: Outcome
  readonly evidence: Evidence
}

/** Trains a setup and watches it. What fit refuses is examined. */
export async function watched(setup: Setup): Promise<Watched> {
  const seen: { model?: Model; evidence?: Evidence } = {}
  const outcome = await train(setup, async (model, { x, y }, plan) => {
    seen.model = model
    seen.evidence = await model.examine(x, y, plan)
    return { coach: { advisor: { advise: () => [] } } }
  })
  return { outcome, evidence: seen.model!.coach?.evidence ?? seen.evidence! }
}

/** What is known of a setup before the first step. */
export async function examined(setup: Setup): Promise<Evidence> {
  const material = await materialOf(setup)
  return modelOf(setup).examine(material.x, material.y, planOf(setup, material))
}

/** What a doctor says of a training: the causes in the order in which they are named, and when (0: before the first step). */
export interface Said {
  readonly code: FaultCode
  readonly moment: number
}

/** All that a doctor says, each cause once. */
export function saidBy(doctor: Doctor, evidence: Evidence): readonly Said[] {
  const ask = doctor.begin()
  const said = new Map<FaultCode, Said>()
  moments(evidence).forEach((now, moment) => {
    for (const code of ask(now)) if (!said.has(code)) said.set(code, { code, moment })
  })
  return [...said.values()]
}

/** The coach as a doctor among others: the faults that it names; tips are none. */
export const coach: Doctor = {
  name: "trilobite",
  begin: () => {
    const own = new Coach()
    return (evidence) =>
      own
        .advise(evidence)
        .filter(({ kind }) => kind === "fault")
        .map(({ code }) => code)
  },
}
