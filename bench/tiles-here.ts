// The products of (b) with each tile, in the engine that runs this file, and the tile that is chosen here: for tiles.ts. As one bundle
// it runs in every version of Node and in a worker of a page.

import { browserPlatform } from "../src/backend/wasm/browser-platform.ts"
import { candidates, tune, type Variant } from "../src/backend/wasm/tune.ts"
import { measure, operationsOf } from "./products.ts"
import { programOf } from "./program.ts"

/** A tile and its speed. */
export interface Speed {
  readonly variant: Variant
  readonly gigaflops: number
}

/** One way of computing in this engine. */
export interface Tiles {
  readonly numerics: "fused" | "portable"
  /** Whether wide vectors were allowed. */
  readonly wide: boolean
  readonly all: readonly Speed[]
  readonly chosen: Variant
}

/** Rows, vectors of four numbers, and steps of k written out: those that engine.md lists, whether this project chooses among them or not. */
const NARROW = [[6, 2, 4], [5, 2, 4], [4, 2, 4], [6, 2, 1], [5, 2, 1], [4, 2, 1], [3, 3, 4], [8, 1, 4]] as const // biome-ignore format: a list
const WIDE = [[6, 4, 4], [5, 4, 4], [4, 4, 4], [6, 4, 1], [5, 4, 1], [4, 4, 1]] as const // biome-ignore format: a list

const inNode = typeof process !== "undefined" && process.versions?.node !== undefined
const platform = inNode ? (await import("../src/backend/wasm/node-platform.ts")).platform : browserPlatform()
/** The network of (b); the table of workloads reads files, which a page cannot. */
const network = { sizes: [784, 512, 512, 10], hidden: "relu", output: "softmax", batch: 128 } as const

const speedOf = (program: ReturnType<typeof programOf>, variant: Variant): number => {
  const rows = measure(platform, program, variant)
  const flops = rows.reduce((sum, row) => sum + operationsOf(row), 0)
  return flops / rows.reduce((sum, row) => sum + row.microseconds, 0) / 1e3
}

function tilesOf(numerics: Tiles["numerics"], wide: boolean): Tiles {
  const program = programOf(network, numerics)
  const variant = (tile: readonly [number, number, number], paired: boolean): Variant => ({
    tile: { rows: tile[0], vectors: tile[1], unroll: tile[2] },
    wide: paired,
  })
  const list = [...NARROW.map((tile) => variant(tile, false)), ...(wide ? WIDE.map((tile) => variant(tile, true)) : [])]
  const all = list.map((one) => ({ variant: one, gigaflops: speedOf(program, one) }))
  const chosen = platform.timing ? tune(platform, numerics, wide) : candidates(platform, numerics, wide)[0]!
  return { numerics, wide, all, chosen }
}

const found: Tiles[] = []
for (const numerics of ["fused", "portable"] as const) {
  for (const wide of platform.wideVectors ? [false, true] : [false]) found.push(tilesOf(numerics, wide))
}
if (inNode) console.log(JSON.stringify(found))
else postMessage(found)
