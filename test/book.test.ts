// The chapter's two networks on MNIST, in short: `npm run verify:book` trains them as long as the chapter does.
import { readFileSync } from "node:fs"
import { asTrainingData, mnist } from "trilobite/datasets"
import { describe, expect, test } from "vitest"
import { buildNet, type NetName, nets } from "../cli/nets.ts"
import { dense, type History, learningSpeed, sequential, sgd, type Tensor } from "../src/index.ts"

type Row = readonly [epoch: number, loss: number, accuracy: number, valLoss: number, valAccuracy: number]

const book: { readonly [net in "intermediateNet" | "shallowNet"]: { readonly rows: readonly Row[] } } = JSON.parse(
  readFileSync(new URL("fixtures/book-traces.json", import.meta.url), "utf8"),
)
const { xTrain, yTrain, xValid, yValid } = asTrainingData(await mnist())

async function train(name: NetName, epochs: number): Promise<History["history"]> {
  const { batchSize } = nets[name]
  const options = { batchSize, epochs, validationData: [xValid, yValid], verbose: 0 } as const
  const { history } = await buildNet(name, { seed: 1 }).fit(xTrain, yTrain, options)
  return history
}

describe("the chapter", () => {
  test("intermediate net: validation accuracy 0.91 to 0.94 after an epoch, at least 0.945 after three", async () => {
    const { loss, accuracy, valLoss, valAccuracy } = await train("intermediate-net", 3)
    expect(valAccuracy![0]).toBeGreaterThanOrEqual(0.91)
    expect(valAccuracy![0]).toBeLessThanOrEqual(0.94)
    expect(valAccuracy![2]).toBeGreaterThanOrEqual(0.945)
    book.intermediateNet.rows.slice(0, 3).forEach((row, i) => {
      expect(Math.abs(loss![i]! - row[1]), `loss of epoch ${i + 1}`).toBeLessThan(0.05)
      expect(Math.abs(accuracy![i]! - row[2]), `accuracy of epoch ${i + 1}`).toBeLessThan(0.02)
      expect(Math.abs(valLoss![i]! - row[3]), `valLoss of epoch ${i + 1}`).toBeLessThan(0.05)
      expect(Math.abs(valAccuracy![i]! - row[4]), `valAccuracy of epoch ${i + 1}`).toBeLessThan(0.015)
    })
  })

  test("speed of learning (fig. 8.8): the layer next to the output is about ten times as fast as the third", async () => {
    const rows = 1000
    const first = ({ data, shape: [, width], dtype }: Tensor): Tensor => {
      return { dtype, shape: [rows, width!], data: data.subarray(0, rows * width!) }
    }
    const hidden = ["input", "hidden_0", "hidden_1", "hidden_2", "hidden_3", "hidden_4"].map((name, i) =>
      dense({ units: 30, activation: "sigmoid", name, ...(i === 0 ? { inputShape: [784] } : {}) }),
    )
    const model = sequential([...hidden, dense({ units: 10, activation: "softmax" })], { seed: 1 })
    model.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 0.01 }) })
    const speed = learningSpeed()
    await model.fit(first(xTrain), first(yTrain), { batchSize: 1, epochs: 20, verbose: 0, callbacks: [speed] })
    const mean = (layer: string): number => speed.speeds[layer]!.reduce((a, b) => a + b, 0)
    expect(mean("hidden_4") / mean("hidden_2")).toBeGreaterThan(5)
    expect(mean("hidden_4") / mean("hidden_2")).toBeLessThan(20)
    for (const [slower, faster] of [
      ["hidden_0", "hidden_1"],
      ["hidden_1", "hidden_2"],
      ["hidden_2", "hidden_3"],
      ["hidden_3", "hidden_4"],
    ]) {
      expect(mean(faster!), faster).toBeGreaterThan(mean(slower!))
    }
  })

  test("shallow net: losses as in the chapter's first epochs, and slow learning", async () => {
    const { loss, accuracy, valLoss } = await train("shallow-net", 5)
    book.shallowNet.rows.slice(0, 5).forEach((row, i) => {
      // Where it begins depends on the initial weights: the chapter's run is one of many.
      expect(Math.abs(loss![i]! - row[1]), `loss of epoch ${i + 1}`).toBeLessThan(0.003)
      expect(Math.abs(valLoss![i]! - row[3]), `valLoss of epoch ${i + 1}`).toBeLessThan(0.003)
    })
    for (let i = 1; i < 5; i++) expect(loss![i]).toBeLessThan(loss![i - 1]!)
    expect(accuracy![4]).toBeLessThan(0.4)
  })
})
