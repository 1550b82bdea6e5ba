// This library as its users call it: the built package, `fit` with shuffling, loss and accuracy.
// --variant portable | fused, with wide vectors; narrow-portable | narrow-fused without. --threads 0: the default.

import { existsSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { root } from "../workloads.ts"
import { asTargets, readArguments, readRows, say, turn } from "./common.ts"

const { task, threads, epochs, variant } = readArguments()
const built = join(root, "dist", "index.js")
if (!existsSync(built)) throw new Error(`${built} is missing: npm run build`)
const library = (await import(pathToFileURL(built).href)) as typeof import("../../src/index.ts")
const { dense, sequential, sgd, tensor } = library

const numerics = variant.endsWith("fused") ? "fused" : "portable"
const wideVectors = !variant.startsWith("narrow-")
const [inputs = 0, ...units] = task.sizes
const outputs = units.at(-1)!
const layers = units.map((n, i) =>
  dense({
    units: n,
    activation: i === units.length - 1 ? task.output : task.hidden,
    ...(i === 0 ? { inputShape: [inputs] } : {}),
  }),
)
const engine = { numerics, wideVectors, ...(threads > 0 ? { threads } : {}) } as const
const model = sequential(layers, { seed: 1, ...engine })
model.compile({
  loss: task.output === "softmax" ? "categoricalCrossentropy" : "binaryCrossentropy",
  optimizer: sgd({ learningRate: task.learningRate }),
  metrics: ["accuracy"],
})

/** Bytes stay bytes: the engine divides by 255 while it gathers a batch. */
function examples(part: "train" | "test") {
  const read = readRows(task, part)
  const x = tensor(read.x, [read.rows, inputs])
  return {
    x: task.kind === "uint8" ? { ...x, dtype: "unorm8" as const } : x,
    y: tensor(asTargets(task, read), [read.rows, outputs]),
  }
}

const { x, y } = examples("train")
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
  const test = examples("test")
  const { accuracy } = await model.evaluate(test.x, test.y, { batchSize: task.batch })
  say({ validationAccuracy: accuracy })
}
