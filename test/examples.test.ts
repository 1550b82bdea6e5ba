// The examples reach their targets.
import { existsSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { deepMnist } from "../examples/deep-mnist.ts"
import { diabetes } from "../examples/diabetes.ts"
import { fashion } from "../examples/fashion-mnist.ts"
import { iris } from "../examples/iris.ts"
import type { Outcome } from "../examples/support.ts"

const reached = ({ measured, target, name }: Outcome): void => {
  expect(measured, name).toBeGreaterThanOrEqual(target)
}

describe("examples", { timeout: 300_000 }, () => {
  test("a deep net with batch normalization, dropout and Adam on MNIST", async () => reached(await deepMnist()))
  test("iris, as good as scikit-learn", async () => reached(await iris()))
  test("diabetes, as good as scikit-learn", async () => reached(await diabetes()))
  // Data that only Debian's package has: without it the test is skipped, which the CI of a clean machine does not allow.
  test.skipIf(!existsSync("/usr/share/datasets/fashion-mnist"))("dense layers on Fashion-MNIST", async () => {
    reached((await fashion())!)
  })
})
