// How many points a second the playground trains: its own inner loop in Node, and its page in Chromium if there is one.
//   node bench/playground.ts
// Prints JSON.

import { existsSync } from "node:fs"
import { Session } from "../studio/src/playground/session.ts"
import { initial, type Settings } from "../studio/src/playground/settings.ts"
import { CHROMIUM } from "../test/support/chromium.ts"
import { openStudio } from "../test/support/studio-pages.ts"
import { machine, median } from "./machine.ts"

/** What TensorFlow Playground's engine reaches with the same net on this kind of machine (the figure). */
const PEER = 0.67

/** 2-8-8-1, 1,000 training points, plain descent: as the other playground does it. */
const settingsOf = (batch: number): Settings => ({
  ...initial,
  data: "circles",
  points: 1250,
  share: 80,
  layers: [8, 8],
  optimizer: "sgd",
  rate: 0.03,
  regularizer: "none",
  batch,
})

const millions = (points: number): number => Math.round(points / 1e4) / 100

/** Points per second inside `fit`, in pieces of epochs as the job trains them: the median of some pieces. */
async function inNode(batch: number, options: object): Promise<number> {
  const session = new Session(settingsOf(batch), { threads: 1, ...options })
  await session.train(200)
  const rates: number[] = []
  for (let i = 0; i < 9; i++) {
    const before = { trained: session.trained, spent: session.spent }
    await session.train(200)
    rates.push((1000 * (session.trained - before.trained)) / (session.spent - before.spent))
  }
  return millions(median(rates))
}

/** Points per second of the page at full speed, everything counted: looks, messages and drawing too. */
async function inChromium(
  batches: readonly number[],
): Promise<{ readonly version: string; readonly rates: number[] } | undefined> {
  if (!existsSync(CHROMIUM)) return undefined
  const studio = await openStudio()
  const rates: number[] = []
  for (const batch of batches) {
    const state = `d=circles&n=1250&share=80&net=8-8&opt=sgd&eta=0.03&reg=none&speed=run&b=${batch}`
    const { page } = await studio.open(`/playground?${state}`, { reducedMotion: false })
    await page.getByRole("button", { name: "Play", exact: true }).click()
    await page.waitForTimeout(3000)
    const seen: number[] = []
    for (let i = 0; i < 9; i++) {
      await page.waitForTimeout(300)
      seen.push(Number(await page.locator("[data-pace]").getAttribute("data-pace")))
    }
    rates.push(millions(median(seen)))
    await page.close()
  }
  const version = studio.browser.version()
  await studio.close()
  return { version, rates }
}

const batches = [10, 32] as const
const own = machine()
const node: Record<string, number> = {}
for (const batch of batches) {
  node[`batch ${batch}`] = await inNode(batch, {})
  node[`batch ${batch}, fused, wide vectors`] = await inNode(batch, { numerics: "fused", wideVectors: true })
}
const page = await inChromium(batches)
const chromium = page && {
  version: page.version,
  ...Object.fromEntries(batches.map((b, i) => [`batch ${b}`, page.rates[i]])),
}
const times = (value: number | undefined): number | undefined => value && Math.round((10 * value) / PEER) / 10
const result = {
  what: "million trained points per second, 2-8-8-1 tanh, 1,000 points, plain descent",
  machine: own,
  node,
  chromium: chromium ?? "not measured: no Chromium",
  peer: { "TensorFlow Playground, batch 10": PEER },
  timesPeer: { node: times(node["batch 10"]), chromium: times(page?.rates[0]) },
}
console.log(JSON.stringify(result, null, 2))
process.exit(0)
