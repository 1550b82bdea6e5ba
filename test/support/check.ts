// The assertion that documentation examples call. Knows vitest, so that a failure shows a diff.
import { expect } from "vitest"
import { plain, settle } from "./examples.ts"

/** Fails unless the value of a documentation example is the one written after `// =>` or `// ~>`. */
export function check(actual: unknown, expected: unknown, where: string): void {
  const value = plain(actual)
  expect(value, where).toEqual(settle(value, plain(expected)))
}
