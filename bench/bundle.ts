// A measurement as one file, as a bundler makes it of the package: what every version of Node and a worker of a page can run.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "vite"
import { root } from "./workloads.ts"

/** Bundles files into a folder that is removed when the process ends. */
export interface Bundles {
  readonly folder: string
  /** The path of a file of this folder as one file for Node. */
  forNode(entry: string): Promise<string>
  /** The same for a page. */
  forPage(entry: string): Promise<string>
}

/** A new folder for bundles. */
export function createBundles(): Bundles {
  mkdirSync(join(root, ".cache"), { recursive: true })
  const folder = mkdtempSync(join(root, ".cache", "bench-"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
  const bundle = async (file: string, entry: string, isForNode: boolean): Promise<string> => {
    const input = join(import.meta.dirname, entry)
    const output = { entryFileNames: file, format: "es" } as const
    const made = isForNode ? { ssr: input } : { rolldownOptions: { input, output } }
    await build({
      root,
      configFile: false,
      logLevel: "warn",
      build: { outDir: folder, emptyOutDir: false, target: "esnext", rolldownOptions: { output }, ...made },
    })
    return join(folder, file)
  }
  return {
    folder,
    forNode: (entry) => bundle("node.js", entry, true),
    forPage: (entry) => bundle("page.js", entry, false),
  }
}
