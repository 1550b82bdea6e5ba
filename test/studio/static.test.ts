// The studio as a folder of files on any host: under a path of its own, with no server of ours and no other site behind it.
import { readFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join } from "node:path"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { RUN_BROWSER, startChromium } from "../support/chromium.ts"
import { buildSite, PAGES } from "../support/studio-pages.ts"

const FOLDER = "/somewhere/studio"

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
}

/** A host of plain files: folders have their index, everything else is 404. */
function host(site: string): Server {
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host")
    const inside = pathname.startsWith(`${FOLDER}/`) ? pathname.slice(FOLDER.length) : undefined
    const file = inside?.endsWith("/") ? `${inside}index.html` : inside
    readFile(join(site, file ?? "none")).then(
      (bytes) => response.writeHead(200, { "content-type": types[extname(file!)] ?? "text/plain" }).end(bytes),
      () => response.writeHead(404).end(),
    )
  })
}

describe.skipIf(!RUN_BROWSER)("a site of files alone", () => {
  let server: Server
  let browser: Browser
  let origin: string
  beforeAll(async () => {
    server = host(await buildSite())
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await startChromium()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  /** A page that may ask nobody but this host; answers with it and with what it asked in vain. */
  async function open(path: string) {
    const page = await browser.newPage()
    const missing: string[] = []
    const faults: string[] = []
    page.on("request", (request) => {
      const { origin: asked, pathname } = new URL(request.url())
      if (asked !== origin && !request.url().startsWith("blob:") && !request.url().startsWith("data:"))
        missing.push(request.url())
      else if (asked === origin && !pathname.startsWith(`${FOLDER}/`)) missing.push(pathname)
    })
    page.on("response", (answer) => {
      if (answer.status() >= 400) missing.push(new URL(answer.url()).pathname)
    })
    page.on("pageerror", (error) => faults.push(String(error)))
    await page.goto(`${origin}${FOLDER}${path === "/" ? "" : path}/`)
    await page.waitForSelector("main:not([aria-busy])")
    return { page, missing, faults }
  }

  test.each(PAGES)("%s stands, and asks for nothing that is not there", async (path) => {
    const { page, missing, faults } = await open(path)
    await page.waitForTimeout(500)
    expect(await page.locator("h1").count()).toBe(1)
    // Runs and images come from the studio's own server, if there is one.
    expect(missing.filter((name) => !name.startsWith(`${FOLDER}/api/`))).toEqual([])
    expect(faults).toEqual([])
    await page.close()
  })

  test("links, keys and the way back stay in the folder; the state of a page comes back from its address", async () => {
    const { page } = await open("/")
    await page.getByRole("link", { name: "Start with costs" }).click()
    await page.getByRole("heading", { name: "Two ways to be wrong" }).waitFor()
    expect(new URL(page.url()).pathname).toBe(`${FOLDER}/lessons/costs`)
    await page.keyboard.press("2")
    await page.getByRole("heading", { name: "The trilobite" }).waitFor()
    await page.keyboard.press("s")
    await expect.poll(() => page.url()).toContain("n=")
    const animal = (): Promise<string | null> =>
      page.getByRole("slider", { name: /trilobite/ }).getAttribute("aria-valuetext")
    const there = await animal()
    // Hosts of files send a reader who comes without the last slash to the folder.
    await page.goto(page.url().replace("?", "/?"))
    await page.getByRole("heading", { name: "The trilobite" }).waitFor()
    expect(await animal()).toBe(there)
    await page.close()
  })

  test("a net trains, in workers of this folder", async () => {
    const { page, missing, faults } = await open("/playground")
    await page.getByRole("button", { name: "Play", exact: true }).click()
    await expect.poll(() => page.title(), { timeout: 30_000 }).toMatch(/epoch [1-9]\d/)
    expect(missing).toEqual([])
    expect(faults).toEqual([])
    await page.close()
  })
})
