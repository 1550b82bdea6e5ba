// This library as its users call it: the built package, `fit` with shuffling, loss and accuracy.
// --variant portable | fused, with wide vectors; narrow-portable | narrow-fused without. --threads 0: the default.

import { existsSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { examplesOf, modelOf } from "../ours.ts"
import { root } from "../workloads.ts"
import { readArguments, say, turn } from "./common.ts"

const { task, threads, epochs, variant } = readArguments()
const built = join(root, "dist", "index.js")
if (!existsSync(built)) throw new Error(`${built} is missing: npm run build`)
const library = (await import(pathToFileURL(built).href)) as typeof import("../../src/index.ts")

const numerics = variant.endsWith("fused") ? "fused" : "portable"
const wideVectors = !variant.startsWith("narrow-")
const engine = { numerics, wideVectors, ...(threads > 0 ? { threads } : {}) } as const
const model = modelOf(library, task, engine)
const { x, y } = examplesOf(library, task, "train")
say({ versions: { node: process.versions.node, v8: process.versions.v8 }, options: engine })
// Whole time from the end of one epoch to the end of the next, everything between them included.
turn()
let before = performance.now()
await model.fit(x, y, {
  batchSize: task.batch,
  epochs,
  verbose: 0,
  callbacks: [
    {
      onEpochEnd: (epoch, { loss, accuracy }) => {
        const now = performance.now()
        say({ epoch: epoch + 1, seconds: (now - before) / 1000, loss, accuracy })
        turn()
        before = performance.now()
      },
    },
  ],
})
if (task.validate) {
  const test = examplesOf(library, task, "test")
  const { accuracy } = await model.evaluate(test.x, test.y, { batchSize: task.batch })
  say({ validationAccuracy: accuracy })
}
