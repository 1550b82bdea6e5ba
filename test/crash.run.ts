// A training in a process of its own that may be killed: prints the model's bytes at the end. Asked for by crash.test.ts.
import { existsSync, readdirSync } from "node:fs"
import { adam, checkpoints, dense, dropout, earlyStopping, sequential } from "../src/index.ts"

const folder = process.argv[2]!
const x = Array.from({ length: 60 }, (_, i) => [i / 60, ((i * 7) % 13) / 13])
const y = x.map(([a, b]) => [a! * b!])
const model = sequential(
  [dense({ units: 16, activation: "relu", inputShape: [2] }), dropout({ rate: 0.2 }), dense({ units: 1 })],
  {
    seed: 3,
    threads: 1 + (Math.trunc(performance.now()) % 2),
  },
)
model.compile({ loss: "mse", optimizer: adam() })
const begun = existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("checkpoint-"))
console.log("begins")
await model.fit(x, y, {
  epochs: 15,
  batchSize: 8,
  verbose: 0,
  validationSplit: 0.2,
  callbacks: [earlyStopping({ patience: 10, restoreBestWeights: true }), checkpoints({ folder, saveFreq: 2 })],
  ...(begun ? { resume: folder } : {}),
})
console.log(`bytes ${Buffer.from(await model.toBytes()).toString("base64")}`)
process.exit()
