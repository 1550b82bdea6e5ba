// `npm run verify:book`: trains the chapter's two networks as the chapter does and compares with its printed figures.
// The coach watches: these trainings are healthy, and it is to find no fault at any epoch.
// Prints tables and ends with exit code 1 if a limit is not kept. Takes about three minutes.
import { readFileSync } from "node:fs"
import { buildNet, type NetName, nets } from "../cli/nets.ts"
import { asTrainingData, mnist } from "../src/datasets.ts"
import { coach, dense, learningSpeed, sequential, sgd, type Tensor } from "../src/index.ts"

type Row = readonly [epoch: number, loss: number, accuracy: number, valLoss: number, valAccuracy: number]
type Traces = { readonly [net in "intermediateNet" | "shallowNet"]: { readonly rows: readonly Row[] } }

const book: Traces = JSON.parse(readFileSync(new URL("../test/fixtures/book-traces.json", import.meta.url), "utf8"))
const data = asTrainingData(await mnist())

/** What the coach takes for faults. */
const alarms: string[] = []

/** The epochs of a training: what the chapter's notebooks print of each. */
async function train(name: NetName, seed: number): Promise<readonly Row[]> {
  const { batchSize, epochs } = nets[name]
  const validationData = [data.xValid, data.yValid] as const
  const heard = coach({
    onFinding: ({ kind, code, epoch, saw }) => {
      const when = epoch === null ? "before the first step" : `after epoch ${epoch + 1}`
      if (kind === "fault") alarms.push(`${name}, seed ${seed}, ${when}: ${code}: ${saw}`)
    },
  })
  const options = { batchSize, epochs, validationData, verbose: 0, callbacks: [heard] } as const
  const { epoch, history, seconds } = await buildNet(name, { seed }).fit(data.xTrain, data.yTrain, options)
  const total = seconds.reduce((a, b) => a + b, 0)
  console.log(`${name}, seed ${seed}: ${epoch.length} epochs in ${total.toFixed(1)} s of training`)
  const of = (column: string, i: number): number => history[column]?.[i] ?? Number.NaN
  return epoch.map((e, i) => [e + 1, of("loss", i), of("accuracy", i), of("valLoss", i), of("valAccuracy", i)])
}

const columns = ["loss", "accuracy", "valLoss", "valAccuracy"] as const

/** A table of some epochs: one line for each run, the chapter's last. */
function table(title: string, epochs: readonly number[], runs: ReadonlyMap<string, readonly Row[]>): void {
  console.log(`\n${title}\n${"epoch".padEnd(7)}${"run".padEnd(9)}${columns.map((c) => c.padStart(12)).join("")}`)
  for (const epoch of epochs) {
    for (const [name, rows] of runs) {
      const values = rows[epoch - 1]!.slice(1).map((value) => value.toFixed(4).padStart(12))
      console.log(`${String(epoch).padEnd(7)}${name.padEnd(9)}${values.join("")}`)
    }
  }
}

const faults: string[] = []

/** Checks that a figure lies within its limits. */
function check(what: string, value: number, least: number, most: number): void {
  const ok = value >= least && value <= most
  const limits = most === 1 ? `at least ${least}` : least === 0 ? `at most ${most}` : `${least} to ${most}`
  console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${value.toFixed(4)} (${limits})`)
  if (!ok) faults.push(what)
}

const figure = (rows: readonly Row[], epoch: number, column: (typeof columns)[number]): number =>
  rows[epoch - 1]![columns.indexOf(column) + 1]!

const runs = new Map<string, readonly Row[]>()
for (const seed of [1, 2, 3, 4, 5]) runs.set(`seed ${seed}`, await train("intermediate-net", seed))
const shallow = await train("shallow-net", 1)

table("intermediate net", [1, 2, 3, 5, 10, 15, 20], new Map([...runs, ["book", book.intermediateNet.rows]]))
const both = new Map([["seed 1", shallow] as const, ["book", book.shallowNet.rows] as const])
table("shallow net", [1, 2, 5, 10, 20, 50, 100, 150, 200], both)

/** The chapter's figure 8.8: six layers of 30 sigmoid neurons that learn one image at a time, and how fast each does. */
async function speedOfLearning(
  seed: number,
): Promise<{ readonly seconds: number; readonly ratio: number; readonly svg: string }> {
  const rows = 1000
  const first = ({ data, shape: [, ...shape], dtype }: Tensor): Tensor => {
    const width = shape.reduce((a, b) => a * b, 1)
    return { dtype, shape: [rows, ...shape], data: data.subarray(0, rows * width) }
  }
  const hidden = ["input", "hidden_0", "hidden_1", "hidden_2", "hidden_3", "hidden_4"].map((name, i) =>
    dense({ units: 30, activation: "sigmoid", name, ...(i === 0 ? { inputShape: [784] } : {}) }),
  )
  const model = sequential([...hidden, dense({ units: 10, activation: "softmax" })], { seed })
  model.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 0.01 }) })
  const speed = learningSpeed()
  const options = { batchSize: 1, epochs: 200, verbose: 0, callbacks: [speed] } as const
  const { seconds } = await model.fit(first(data.xTrain), first(data.yTrain), options)
  const mean = (layer: string): number => speed.speeds[layer]!.reduce((a, b) => a + b, 0)
  const layers = ["hidden_0", "hidden_1", "hidden_2", "hidden_3", "hidden_4"]
  return {
    seconds: seconds.reduce((a, b) => a + b, 0),
    ratio: mean("hidden_4") / mean("hidden_2"),
    svg: speed.toSvg({ layers }),
  }
}

const speeds = [await speedOfLearning(1), await speedOfLearning(2), await speedOfLearning(3)]
console.log("\nspeed of learning, 200,000 rounds of one image")
for (const [i, { seconds, ratio }] of speeds.entries()) {
  console.log(`seed ${i + 1}: ${seconds.toFixed(1)} s; hidden_4 learns ${ratio.toFixed(1)} times as fast as hidden_2`)
}

console.log("\nlimits")
for (const [i, { ratio }] of speeds.entries()) {
  // The chapter reads "about ten times" off a logarithmic axis.
  check(`seed ${i + 1}, speed of the layer next to the output, over that of the third`, ratio, 5, 20)
}
for (const [name, rows] of runs) {
  check(`${name}, validation accuracy after epoch 1`, figure(rows, 1, "valAccuracy"), 0.91, 0.94)
  check(`${name}, validation accuracy after epoch 3`, figure(rows, 3, "valAccuracy"), 0.945, 1)
  check(`${name}, validation accuracy after epoch 20`, figure(rows, 20, "valAccuracy"), 0.97, 1)
  check(`${name}, training loss in epoch 20`, figure(rows, 20, "loss"), 0, 0.045)
}
const mean = [...runs.values()].reduce((sum, rows) => sum + figure(rows, 20, "valAccuracy"), 0) / runs.size
check("mean validation accuracy after epoch 20", mean, 0.973, 1)
check("shallow net, validation accuracy after epoch 200", figure(shallow, 200, "valAccuracy"), 0.836, 0.876)
for (const alarm of alarms) console.log(`       ${alarm}`)
check("alarms of the coach", alarms.length, 0, 0)
console.log(faults.length === 0 ? "\nall limits are kept" : `\n${faults.length} limits are not kept`)
process.exitCode = faults.length === 0 ? 0 : 1
