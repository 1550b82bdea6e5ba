// The version of this package, from its package.json wherever it is installed.

import { createRequire } from "node:module"

/** The version of trilobite, such as 0.1.0. */
export function version(): string {
  const found: { version: string } = createRequire(import.meta.url)("trilobite/package.json")
  return found.version
}
