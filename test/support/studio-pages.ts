// The studio as its user has it: the site built anew, its own server, and a browser that has been let in.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { build } from "vite"
import { startStudio } from "../../cli/studio/server.ts"
import { startChromium } from "./chromium.ts"
import { ROOT } from "./files.ts"

/** Every page, by its address. */
export const PAGES = [
  "/",
  "/lessons/costs",
  "/lessons/saturated",
  "/lessons/trilobite",
  "/lessons/mountain",
  "/lessons/escape",
  "/lessons/batches",
  "/lessons/backpropagation",
  "/lessons/speed",
  "/lessons/intermediate",
  "/lessons/knobs",
  "/playground",
  "/runs",
  "/data/mnist",
] as const

/** How a page is opened. */
export interface View {
  readonly width?: number
  readonly height?: number
  readonly theme?: "light" | "dark"
  readonly reducedMotion?: boolean
}

/** A page of the studio, with everything it has complained of. */
export interface Opened {
  readonly page: Page
  /** Messages of the console that are no mere information, errors, and violations of the security policy. */
  readonly faults: string[]
}

/** A studio that is served. */
export interface ServedStudio {
  /** The address with the token, which lets one browser in. */
  readonly url: string
  readonly origin: string
  /** The folder whose runs it shows. */
  readonly runs: string
  close(): Promise<void>
}

/** A studio with Chromium before it. */
export interface RunningStudio extends Omit<ServedStudio, "url"> {
  readonly browser: Browser
  open(path: string, view?: View): Promise<Opened>
}

/** Builds the site into a folder of its own, and answers with it. */
export async function buildSite(): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), "trilobite-site-"))
  await build({
    configFile: join(ROOT, "studio/vite.config.ts"),
    root: join(ROOT, "studio"),
    logLevel: "error",
    build: { outDir, emptyOutDir: true },
  })
  return outDir
}

/** Builds the site and serves it, with no runs yet. */
export async function serveStudio(): Promise<ServedStudio> {
  const site = await buildSite()
  const runs = mkdtempSync(join(tmpdir(), "trilobite-runs-"))
  const studio = await startStudio({ port: 0, runs, site })
  return {
    url: studio.url,
    origin: `http://127.0.0.1:${studio.port}`,
    runs,
    async close() {
      await studio.close()
      rmSync(site, { recursive: true, force: true })
      rmSync(runs, { recursive: true, force: true })
    },
  }
}

/** Builds, serves, starts the browser. */
export async function openStudio(): Promise<RunningStudio> {
  const studio = await serveStudio()
  const { origin, runs } = studio
  const browser = await startChromium()
  // The cookie of the browser that was let in serves all contexts of the tests.
  const first = await browser.newContext()
  await (await first.newPage()).goto(studio.url)
  const cookies = await first.cookies()
  await first.close()
  const contexts: BrowserContext[] = []
  return {
    browser,
    origin,
    runs,
    async open(path, { width = 1440, height = 900, theme = "light", reducedMotion = true } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        reducedMotion: reducedMotion ? "reduce" : "no-preference",
      })
      contexts.push(context)
      await context.addCookies(cookies)
      const page = await context.newPage()
      const faults: string[] = []
      page.on("console", (message) => {
        if (!["info", "log", "debug"].includes(message.type())) faults.push(message.text())
      })
      page.on("pageerror", (error) => faults.push(String(error)))
      await page.addInitScript(() => {
        addEventListener("securitypolicyviolation", (event) => {
          console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`)
        })
      })
      await page.goto(origin + path)
      await page.waitForSelector("main:not([aria-busy])")
      return { page, faults }
    },
    async close() {
      for (const context of contexts) await context.close()
      await browser.close()
      await studio.close()
    },
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string }[]
}

/** What the accessibility checks find on a page: rule and elements. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
    return (await axe.run()).violations
  })
  return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`)
}
