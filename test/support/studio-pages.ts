// The studio as its user has it: the site built anew, its own server, and a browser that has been let in.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { build } from "vite"
import { startStudio } from "../../cli/studio/server.ts"
import { startChromium } from "./chromium.ts"
import { ROOT } from "./files.ts"

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

/** A studio that runs. */
export interface RunningStudio {
  readonly browser: Browser
  readonly origin: string
  /** The folder whose runs it shows. */
  readonly runs: string
  open(path: string, view?: View): Promise<Opened>
  close(): Promise<void>
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

/** Builds, serves, starts the browser. */
export async function openStudio(): Promise<RunningStudio> {
  const site = await buildSite()
  const runs = mkdtempSync(join(tmpdir(), "trilobite-runs-"))
  const studio = await startStudio({ port: 0, runs, site })
  const browser = await startChromium()
  const origin = `http://127.0.0.1:${studio.port}`
  // The address with the token lets one browser in; its cookie serves all contexts of the tests.
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
      rmSync(site, { recursive: true, force: true })
      rmSync(runs, { recursive: true, force: true })
    },
  }
}
