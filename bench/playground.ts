// How many points a second the playground trains: its own inner loop in Node, and its page in Chromium if there is one.
//   node bench/playground.ts [--peer playground/src/nn.ts]
// The peer is the engine of TensorFlow Playground, a file of its repository (github.com/tensorflow/playground, 2c87f3d): where it is given, it
// trains the same net on as many points in the same run, in Node and in a page, before and after ours. Prints JSON.

import { existsSync, readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import type { Page } from "playwright-core"
import { transformWithOxc } from "vite"
import { Session } from "../studio/src/playground/session.ts"
import { initial, type Settings } from "../studio/src/playground/settings.ts"
import { CHROMIUM } from "../test/support/chromium.ts"
import { openStudio } from "../test/support/studio-pages.ts"
import { machine, median } from "./machine.ts"

/** The rate of TensorFlow Playground's engine where it was once measured, in millions of points a second. */
const PEER = 0.67

const { peer } = parseArgs({ options: { peer: { type: "string" } } }).values

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
  return median(rates)
}

/** What the peer's file exports, as far as it is used. */
interface PeerEngine {
  readonly Activations: { readonly TANH: unknown }
  readonly Errors: { readonly SQUARE: unknown }
  buildNetwork(sizes: number[], hidden: unknown, out: unknown, regularization: null, inputs: string[]): unknown
  forwardProp(net: unknown, inputs: number[]): number
  backProp(net: unknown, target: number, error: unknown): void
  updateWeights(net: unknown, learningRate: number, regularization: number): void
}

/** The peer's text as a module that any engine imports. */
async function peerModule(path: string): Promise<string> {
  const { code } = await transformWithOxc(readFileSync(path, "utf8"), path, { sourcemap: false })
  return `data:text/javascript,${encodeURIComponent(code)}`
}

/** Points a second of the peer, as its page trains them, without its drawing. Runs in Node and in pages: it uses nothing from outside. */
async function peerRate([url, batch]: readonly [url: string, batch: number]): Promise<number> {
  const engine: PeerEngine = await import(url)
  const { TANH } = engine.Activations
  const net = engine.buildNetwork([2, 8, 8, 1], TANH, TANH, null, ["x", "y"])
  const points = Array.from({ length: 1000 }, (_, i) => {
    const [radius, angle] = [(i % 2 === 0 ? 2 : 4) + ((i * 7) % 10) / 10, i]
    return { x: radius * Math.sin(angle), y: radius * Math.cos(angle), label: i % 2 === 0 ? 1 : -1 }
  })
  const epochs = (count: number): void => {
    for (let epoch = 0; epoch < count; epoch++)
      points.forEach(({ x, y, label }, i) => {
        engine.forwardProp(net, [x, y])
        engine.backProp(net, label, engine.Errors.SQUARE)
        if ((i + 1) % batch === 0) engine.updateWeights(net, 0.03, 0)
      })
  }
  epochs(200)
  const rates: number[] = []
  for (let i = 0; i < 9; i++) {
    const begun = performance.now()
    epochs(100)
    rates.push(1e8 / (performance.now() - begun))
  }
  return rates.sort((a, b) => a - b)[4]!
}

/** Points per second of the page at full speed, everything counted: looks, messages and drawing too. */
async function ofPage(page: Page): Promise<number> {
  await page.getByRole("button", { name: "Play", exact: true }).click()
  await page.waitForTimeout(3000)
  const seen: number[] = []
  for (let i = 0; i < 9; i++) {
    await page.waitForTimeout(300)
    seen.push(Number(await page.locator("[data-pace]").getAttribute("data-pace")))
  }
  await page.close()
  return median(seen)
}

/** Before and after: a machine that others use changes its pace. */
async function between(url: string | undefined, rate: (url: string) => Promise<number>, work: () => Promise<number>) {
  const before = url && (await rate(url))
  const own = await work()
  const after = url && (await rate(url))
  const beside = before && after && (before + after) / 2
  return { own: millions(own), ...(beside ? { peer: millions(beside), times: round(own / beside) } : {}) }
}

const round = (n: number): number => Math.round(10 * n) / 10
const batches = [10, 32] as const
const url = peer && (await peerModule(peer))
const own = machine()

const node: Record<string, object> = {}
for (const batch of batches) {
  const rate = (module: string): Promise<number> => peerRate([module, batch])
  node[`batch ${batch}`] = await between(url, rate, () => inNode(batch, {}))
  const wide = { numerics: "fused", wideVectors: true } as const
  node[`batch ${batch}, fused, wide vectors`] = await between(url, rate, () => inNode(batch, wide))
}

const chromium: Record<string, unknown> = {}
const hasChromium = existsSync(CHROMIUM)
if (hasChromium) {
  const studio = await openStudio()
  for (const batch of batches) {
    const state = `d=circles&n=1250&share=80&net=8-8&opt=sgd&eta=0.03&reg=none&speed=run&b=${batch}`
    const rate = async (module: string): Promise<number> => {
      const page = await studio.browser.newPage()
      const found = await page.evaluate(peerRate, [module, batch] as const)
      await page.close()
      return found
    }
    chromium[`batch ${batch}`] = await between(url, rate, async () => {
      const { page } = await studio.open(`/playground?${state}`, { reducedMotion: false })
      return ofPage(page)
    })
  }
  chromium.version = studio.browser.version()
  await studio.close()
}

const result = {
  what: "million trained points per second, 2-8-8-1 tanh, 1,000 points, plain descent",
  machine: own,
  node,
  chromium: hasChromium ? chromium : "not measured: no Chromium",
  ...(peer === undefined ? { peer: `not given; ${PEER} where it was once measured` } : {}),
}
console.log(JSON.stringify(result, null, 2))
process.exit(0)
