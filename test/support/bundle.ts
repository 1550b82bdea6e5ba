// A script of the tests as one file of JavaScript: processes that are started again and again then begin in a fraction of the time.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "vite"
import { afterAll, beforeAll } from "vitest"
import { ROOT } from "./files.ts"

/** The path of the file, which is there while the tests run. */
export function useScript(script: URL): string {
  mkdirSync(join(ROOT, ".cache"), { recursive: true })
  // Within the project, whose packages it may ask for.
  const outDir = mkdtempSync(join(ROOT, ".cache", "script-"))
  const output = { entryFileNames: "run.mjs" }
  const options = { ssr: fileURLToPath(script), outDir, rolldownOptions: { output } }
  beforeAll(() => build({ root: ROOT, configFile: false, logLevel: "warn", build: options }), 120_000)
  afterAll(() => rmSync(outDir, { recursive: true, force: true }))
  return join(outDir, "run.mjs")
}
