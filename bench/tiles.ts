// Is the tile that the library chooses for itself within a tenth of the best one, in each engine? Measures the products of (b) with every
// tile in this Node, in others that are named, and in Chromium.
//
//   node bench/tiles.ts [--engines /path/node20,/path/node26] [--out folder]

import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { Variant } from "../src/backend/wasm/tune.ts"
import { CHROMIUM, ISOLATED, serve, startChromium } from "../test/support/chromium.ts"
import { createBundles } from "./bundle.ts"
import { machine, stamp } from "./machine.ts"
import type { Tiles } from "./tiles-here.ts"

const text = { type: "string" } as const
const { values: options } = parseArgs({
  options: { engines: { ...text, default: "" }, out: { ...text, default: join(import.meta.dirname, "results") } },
})

const bundles = createBundles()

async function inChromium(): Promise<readonly [engine: string, tiles: Tiles[]]> {
  await bundles.forPage("tiles-here.ts")
  const served = await serve(bundles.folder, ISOLATED)
  const browser = await startChromium()
  try {
    const page = await browser.newPage()
    await page.goto(served.url)
    const tiles = await page.evaluate(
      () =>
        new Promise<unknown>((resolve, reject) => {
          const worker = new Worker("/page.js", { type: "module" })
          worker.onmessage = ({ data }) => resolve(data)
          worker.onerror = ({ message }) => reject(new Error(message))
        }),
    )
    return [`Chromium ${browser.version()}`, tiles as Tiles[]]
  } finally {
    await browser.close()
    await served.close()
  }
}

const name = ({ tile, wide }: Variant): string =>
  `${tile.rows}x${4 * tile.vectors}${tile.unroll === 1 ? " plain" : ""}${wide ? " paired" : ""}`

const before = machine()
const script = await bundles.forNode("tiles-here.ts")
const found: (readonly [engine: string, tiles: readonly Tiles[]])[] = []
for (const node of [process.execPath, ...options.engines.split(",").filter((path) => path !== "")]) {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim()
  const printed = execFileSync(node, [script], { encoding: "utf8" })
  found.push([`Node ${version.slice(1)}`, JSON.parse(printed) as Tiles[]])
  console.error(`done: Node ${version}`)
}
if (existsSync(CHROMIUM)) found.push(await inChromium())
const rows = found.flatMap(([engine, tiles]) =>
  tiles.map(({ numerics, wide, all, chosen }) => {
    const ranked = all.toSorted((a, b) => b.gigaflops - a.gigaflops)
    const [best] = ranked
    const own = all.find(({ variant }) => name(variant) === name(chosen))!
    const list = ranked.map(({ variant, gigaflops }) => `${name(variant)} ${gigaflops.toFixed(1)}`).join(", ")
    const share = own.gigaflops / best!.gigaflops
    return `| ${engine} | ${numerics}${wide ? ", wide" : ""} | ${name(chosen)} | ${(100 * share).toFixed(0)} % | ${list} |`
  }),
)
const lines = [
  "# Tiles: products of 784-512relu-512relu-10, batch 128, one thread",
  "",
  `${before.cpu}; ${before.system}; load before the run ${before.load}. GF/s of all products together, the least time of many.`,
  "",
  "| engine | numerics | chosen | of the best | tiles, the fastest first |",
  "|---|---|---|---|---|",
  ...rows,
  "",
]
console.log(lines.join("\n"))
mkdirSync(options.out, { recursive: true })
const path = join(options.out, `${stamp()}-tiles`)
writeFileSync(`${path}.json`, `${JSON.stringify({ machine: before, found }, null, 1)}\n`)
writeFileSync(`${path}.md`, lines.join("\n"))
