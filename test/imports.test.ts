// The import rules of ARCHITECTURE.md and the ban on engine-dependent Math, checked on the sources themselves.
import { describe, expect, test } from "vitest"
import { readSources } from "./support/files.ts"
import { importFaults, mathFaults } from "./support/imports.ts"

const files = (record: Record<string, string>): Map<string, string> => new Map(Object.entries(record))

describe("imports", () => {
  test("src and cli follow the import rules, without cycles", () => {
    const sources = readSources("src", "cli")
    expect(sources.size).toBeGreaterThan(0)
    expect(importFaults(sources)).toEqual([])
  })

  const empty = { "src/core/a.ts": "", "src/graph/a.ts": "", "src/program/a.ts": "", "src/data/node.ts": "" }
  test.each([
    ["a value", "src/core/b.ts", 'import { x } from "../graph/a.ts"', "core may import nothing"],
    ["a type", "src/graph/b.ts", 'import type { X } from "../program/a.ts"', "graph may import core"],
    ["an inline type", "src/graph/b.ts", 'type X = import("../program/a.ts").X', "graph may import core"],
    ["a re-export", "src/nn/b.ts", '\nexport * from "../program/a.ts"', "src/nn/b.ts:2 imports src/program/a.ts"],
    ["a dynamic import", "src/graph/b.ts", 'const x = await import("../program/a.ts")', "graph may import core"],
    ["a computed import", "src/graph/b.ts", "const x = await import(name)", "imports (computed)"],
    ["a worker", "src/core/b.ts", 'new URL("../graph/a.ts", import.meta.url)', "core may import nothing"],
    ["one file too many", "src/coach/b.ts", 'import "../train/fit.ts"', "no such file"],
    ["a Node module", "src/core/b.ts", 'import { readFileSync } from "node:fs"', "node:* only in"],
    ["a Node module, asked for", "src/core/b.ts", 'const fs = process.getBuiltinModule("node:fs")', "node:* only in"],
    ["a Node module in graph", "src/graph/node.ts", 'import { readFileSync } from "node:fs"', "node:* only in"],
    ["a package", "src/core/b.ts", 'import { z } from "zod"', "no runtime dependency"],
    ["a package in the CLI", "cli/b.ts", 'import { z } from "zod"', "no runtime dependency"],
    ["past the public entry", "cli/b.ts", 'import { x } from "../src/core/a.ts"', "cli may import index.ts"],
    ["no extension", "src/core/b.ts", 'import { x } from "./a"', "no such file"],
    ["Node-only code, statically", "src/data/b.ts", 'import { x } from "./node.ts"', "imported dynamically"],
    ["an unknown room", "src/zoo/b.ts", 'import { x } from "../core/a.ts"', '"zoo" has no row'],
  ])("%s is found when planted", (_, file, source, fault) => {
    expect(importFaults(files({ ...empty, [file]: source })).join("\n")).toContain(fault)
  })

  test.each([
    ["core", "src/graph/b.ts", 'import { x } from "../core/a.ts"'],
    ["a Node module in a Node-only file", "src/data/node-idx.ts", 'import { readFileSync } from "node:fs"'],
    ["a Node module, asked for in a Node-only file", "src/data/node-idx.ts", 'process.getBuiltinModule("node:fs")'],
    ["Node-only code, dynamically", "src/data/b.ts", 'const x = () => import("./node.ts")'],
    ["commander in the CLI", "cli/b.ts", 'import { Command } from "commander"'],
    ["an import in a comment", "src/core/b.ts", '// import { x } from "../graph/a.ts"'],
  ])("%s is allowed", (_, file, source) => {
    expect(importFaults(files({ ...empty, [file]: source }))).toEqual([])
  })

  test("cycles are found, through type imports too", () => {
    const ring = {
      "src/core/a.ts": 'import { b } from "./b.ts"',
      "src/core/b.ts": 'import type { C } from "./c.ts"',
      "src/core/c.ts": 'export type { A } from "./a.ts"',
      "src/core/d.ts": 'import { a } from "./a.ts"',
    }
    expect(importFaults(files(ring))).toEqual(["cycle: src/core/a.ts -> src/core/b.ts -> src/core/c.ts"])
  })
})

describe("arithmetic", () => {
  const rooms = ["core", "program", "graph", "autodiff", "compile", "backend", "nn", "train", "data", "tune"]
  test("no room uses Math functions that differ between engines", () => {
    const sources = readSources(...rooms.map((room) => `src/${room}`))
    expect(sources.size).toBeGreaterThan(0)
    expect(mathFaults(sources)).toEqual([])
  })

  test.each([
    "Math.exp(x)",
    "Math.random()",
    'Math["log"](x)',
    "globalThis.Math.exp(x)",
    "const { tanh } = Math",
    "x ** 2",
    "x **= 2",
  ])("%s is found when planted", (source) => {
    expect(mathFaults(files({ "src/core/a.ts": source }))).toHaveLength(1)
  })

  test.each(["Math.fround(x)", "Math.PI", "// Math.exp(x) ** 2", '"x ** 2"'])("%s is allowed", (source) => {
    expect(mathFaults(files({ "src/core/a.ts": source }))).toEqual([])
  })
})
