// The examples reach their targets; those of minutes run shorter, with bounds of their own (`npm run verify:examples` runs them in full).
import { existsSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { addition } from "../examples/addition.ts"
import { deepMnist } from "../examples/deep-mnist.ts"
import { diabetes } from "../examples/diabetes.ts"
import { fashionConvnet } from "../examples/fashion-convnet.ts"
import { fashion } from "../examples/fashion-mnist.ts"
import { iris } from "../examples/iris.ts"
import { languages } from "../examples/languages.ts"
import { lenet } from "../examples/lenet.ts"
import type { Outcome } from "../examples/support.ts"

const reached = ({ measured, target, name }: Outcome): void => {
  expect(measured, name).toBeGreaterThanOrEqual(target)
}

describe("examples", { timeout: 300_000 }, () => {
  test("a deep net with batch normalization, dropout and Adam on MNIST", async () => reached(await deepMnist()))
  test("iris, as good as scikit-learn", async () => reached(await iris()))
  test("diabetes, as good as scikit-learn", async () => reached(await diabetes()))
  test("LeNet-5 on MNIST, two epochs of ten", async () => reached(await lenet({ epochs: 2, target: 0.98 })))
  test("languages of words, better than a bag of letters", async () => {
    for (const outcome of await languages()) reached(outcome)
  })
  test("sums as text, a third of the epochs", async () => reached(await addition({ epochs: 20, target: 0.9 })))
  // Data that only Debian's package has: without it the test is skipped, which the CI of a clean machine does not allow.
  test.skipIf(!existsSync("/usr/share/datasets/fashion-mnist"))("dense layers on Fashion-MNIST", async () => {
    reached((await fashion())!)
  })
  test.skipIf(!existsSync("/usr/share/datasets/fashion-mnist"))(
    "a convnet on Fashion-MNIST, two epochs of ten",
    async () => {
      reached((await fashionConvnet({ epochs: 2, target: 0.87 }))!)
    },
  )
})
