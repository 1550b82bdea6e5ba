// The package as Node loads it: few files, and every module once, whichever entries a process imports.
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, test } from "vitest"
import { useCli } from "./support/cli.ts"

describe("for Node", () => {
  const { main } = useCli()
  const dist = join(dirname(main), "..")

  /** The files that an import of one loads, without those that are loaded later. */
  const loadedBy = (file: string): readonly string[] => {
    const files = [file]
    for (const one of files) {
      const imports = readFileSync(join(dist, one), "utf8").matchAll(/^(?:import|export) (?:.* from )?"\.\/([^"]+)"/gm)
      files.push(...[...imports].flatMap(([, name]) => (files.includes(name!) ? [] : [name!])))
    }
    return files
  }

  test("the library is one file, and its entry", () => {
    expect(loadedBy("index.js")).toEqual(["index.js", expect.stringMatching(/^library-/)])
  })

  test("all entries have the same classes", async () => {
    const load = (entry: string): Promise<unknown> => import(pathToFileURL(join(dist, entry)).href)
    const { TrilobiteError } = (await load("index.js")) as typeof import("../src/index.ts")
    const { readTable } = (await load("datasets.js")) as typeof import("../src/datasets.ts")
    const { uniform } = (await load("tune.js")) as typeof import("../src/tune.ts")
    await expect(readTable(join(dist, "no-table.csv"))).rejects.toBeInstanceOf(TrilobiteError)
    expect(() => uniform(1, 0)).toThrow(TrilobiteError)
  })
})
