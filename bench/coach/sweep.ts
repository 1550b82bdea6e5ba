// From healthy to harmed: each knob of a base is turned by 1, 2, 4, ... 64, up or down. A coach should be silent while the harm is below 2
// points and speak when it has passed 5.
//
//   node bench/coach/sweep.ts [--bases circles,blobs,spirals] [--seeds 2]

import { parseArgs } from "node:util"
import { anchors } from "./anchors.ts"
import { bases } from "./cases.ts"
import { coach, saidBy, watched } from "./coach.ts"
import { shareOf } from "./report.ts"
import { changed, type Setup } from "./setup.ts"

const text = { type: "string" } as const
const { values: options } = parseArgs({
  options: { bases: { ...text, default: "circles,blobs,spirals,digits" }, seeds: { ...text, default: "2" } },
})

/** How a knob is turned. */
const knobs: { readonly [name: string]: (setup: Setup, by: number) => Setup } = {
  "rate up": (setup, by) => ({ ...setup, learningRate: setup.learningRate * by }),
  "rate down": (setup, by) => ({ ...setup, learningRate: setup.learningRate / by }),
  "inputs up": (setup, by) => changed(setup, { alter: [{ do: "scale", by }] }),
  "batch up": (setup, by) => ({ ...setup, batchSize: Math.min(setup.sample.rows, setup.batchSize * by) }),
  "epochs down": (setup, by) => ({ ...setup, epochs: Math.max(1, Math.round(setup.epochs / by)) }),
  "units down": (setup, by) => ({
    ...setup,
    hidden: setup.hidden.map((h) => ({ ...h, units: Math.max(1, Math.round(h.units / by)) })),
  }),
}

const doctors = [coach, ...anchors]
const counts = doctors.map(() => ({ early: 0, mild: 0, missed: 0, bad: 0 }))
for (const name of options.bases.split(",")) {
  for (const [knob, turn] of Object.entries(knobs)) {
    for (let seed = 1; seed <= Number(options.seeds); seed++) {
      const own = changed(bases[name]!, { sample: { seed: 900 + seed }, seed: 900 + seed })
      const scores: number[] = []
      for (let by = 1; by <= 64; by *= 2) {
        const { outcome, evidence } = await watched(turn(own, by))
        scores.push(outcome.score)
        const harm = 100 * (scores[0]! - outcome.score)
        const heard = doctors.map((doctor, d) => {
          const said = saidBy(doctor, evidence)
          if (harm < 2) counts[d]!.mild++
          if (harm > 5) counts[d]!.bad++
          if (harm < 2 && said.length > 0) counts[d]!.early++
          if (harm > 5 && said.length === 0) counts[d]!.missed++
          return said[0]?.code ?? "-"
        })
        console.log(`${name}, ${knob} x${by}, seed ${seed}: ${harm.toFixed(1)} points worse; ${heard.join(" ")}`)
      }
    }
  }
}
doctors.forEach(({ name }, d) => {
  const { early, mild, missed, bad } = counts[d]!
  const [a, b] = [shareOf(early, mild), shareOf(missed, bad)]
  const words = ({ share, low, high }: typeof a): string =>
    `${(100 * share).toFixed(1)} % (${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)})`
  console.log(
    `${name}: speaks below 2 points in ${words(a)} of ${mild}, is silent beyond 5 points in ${words(b)} of ${bad}`,
  )
})
