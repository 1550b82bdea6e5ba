// The names that the package's public entries export: a change here is a change of the public surface.
import { expect, test } from "vitest"

test.each(["index", "datasets", "tune"])("src/%s.ts exports these names", async (entry) => {
  const names = Object.keys(await import(`../src/${entry}.ts`)).sort()
  await expect(`${names.join("\n")}\n`).toMatchFileSnapshot(`./snapshots/exports.${entry}.txt`)
})
