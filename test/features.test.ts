// FEATURES.md says what the library's own tables say.
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { featuresText } from "../scripts/features.ts"

test("FEATURES.md is true; `node scripts/features.ts` writes it anew", () => {
  const text = readFileSync(new URL("../FEATURES.md", import.meta.url), "utf8")
  expect(text).toBe(featuresText())
})
