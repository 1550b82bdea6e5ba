// The chapter's two networks on MNIST, in short: `npm run verify:book` trains them as long as the chapter does.
import { readFileSync } from "node:fs"
import { asTrainingData, mnist } from "trilobite/datasets"
import { describe, expect, test } from "vitest"
import { buildNet, type NetName, nets } from "../cli/nets.ts"
import type { History } from "../src/index.ts"

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
