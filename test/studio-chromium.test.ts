// A real browser at the studio's door: its own page has all it needs, pages of others that reach the port get nothing.
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Studio, startStudio } from "../cli/studio/server.ts"
import { CHROMIUM, RUN_BROWSER } from "./support/chromium.ts"
import { lines, useStudio } from "./support/studio.ts"

const shop = useStudio()

describe.skipIf(!RUN_BROWSER)("Chromium", () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let studio: Studio
  const said: string[] = []
  beforeAll(async () => {
    // What an attacker does with a name of his own: it means this machine once the page has been loaded.
    const args = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP evil.test 127.0.0.1"]
    browser = await chromium.launch({ executablePath: CHROMIUM, args })
    context = await browser.newContext()
    // The launch URL of the workshop's own has been used.
    studio = await startStudio({ port: 0, runs: shop.runs, site: shop.site })
    page = await context.newPage()
    page.on("console", (message) => said.push(message.text()))
    page.on("pageerror", (error) => said.push(error.message))
  })
  afterAll(async () => {
    await browser?.close()
    await studio?.close()
  })

  test("the studio's own page is isolated, reads, follows, and starts a worker; nothing breaks the policy", async () => {
    shop.makeRun("run", { "history.jsonl": lines(1, 3) })
    await page.goto(studio.url)
    expect(page.url()).toBe(`http://127.0.0.1:${studio.port}/`)
    const found = await page.evaluate(async () => {
      const { runs } = await (await fetch("/api/runs")).json()
      const stream = new EventSource(`/api/runs/${runs[0].id}/events`)
      const ids: string[] = []
      await new Promise<void>((resolve) => {
        stream.addEventListener("epoch", ({ lastEventId }) => ids.push(lastEventId))
        stream.addEventListener("state", () => resolve())
      })
      stream.close()
      type Policy = { createScriptURL(url: string): string }
      type Types = { createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy }
      const policy = (window as unknown as { trustedTypes: Types }).trustedTypes.createPolicy("studio", {
        createScriptURL: (url) => url,
      })
      const worker = new Worker(policy.createScriptURL("/assets/worker-1234.js"), { type: "module" })
      const answer = await new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data)
        worker.onerror = () => resolve("error")
      })
      return { isolated: crossOriginIsolated, cookie: document.cookie, ids, answer, referrer: document.referrer }
    })
    expect(found).toEqual({ isolated: true, cookie: "", ids: ["1", "2", "3"], answer: "isolated: true", referrer: "" })
    expect(said).toEqual([])
    // The cookie is good for the next visit, the launch URL for none.
    expect((await page.goto(`http://127.0.0.1:${studio.port}/runs/1`))!.status()).toBe(200)
    const stranger = await browser.newContext()
    expect((await (await stranger.newPage()).goto(studio.url))!.status()).toBe(401)
    await stranger.close()
  })

  test("a name that is bound anew to this machine is not served", async () => {
    const { port } = studio
    for (const path of ["/", "/api/runs"]) {
      expect((await page.goto(`http://evil.test:${port}${path}`))!.status()).toBe(403)
    }
  })

  test.each(["evil.test", "127.0.0.1", "localhost"])(
    "a page at another port of %s reads and changes nothing",
    async (host) => {
      const { port } = studio
      const { id } = await shop.find("run")
      const server = createServer((_, response) => {
        response
          .setHeader("content-type", "text/html")
          .end("<!doctype html><title>evil</title><iframe name=f></iframe>")
      }).listen(0, "127.0.0.1")
      await new Promise((resolve) => server.once("listening", resolve))
      await page.goto(`http://${host}:${(server.address() as AddressInfo).port}/`)
      const answers: number[] = []
      page.on("response", (response) => {
        if (response.url().includes(`:${port}/`) && response.request().method() === "POST")
          answers.push(response.status())
      })
      const got = await page.evaluate(
        async ([base, run]) => {
          const got: string[] = []
          const tried = async (name: string, action: () => Promise<unknown>): Promise<void> => {
            try {
              if (await action()) got.push(name)
            } catch {
              // As it shall be.
            }
          }
          const loaded = (element: HTMLElement, where: HTMLElement = document.body): Promise<boolean> =>
            new Promise((resolve) => {
              element.onload = () => resolve(true)
              element.onerror = () => resolve(false)
              where.append(element)
            })
          const post = { method: "POST", body: "{}", credentials: "include" } as const
          const headers = { "content-type": "application/json" }
          const stop = `${base}/api/runs/${run}/stop`
          await tried("fetch", async () => (await fetch(`${base}/api/runs`, { credentials: "include" })).text())
          await tried("no-cors", async () =>
            (await fetch(`${base}/api/runs`, { mode: "no-cors", credentials: "include" })).text(),
          )
          await tried("post", async () => (await fetch(stop, { ...post, headers })).text())
          await tried("no-cors post", async () => (await fetch(stop, { ...post, mode: "no-cors" })).text())
          await tried("events", () => {
            const stream = new EventSource(`${base}/api/runs/${run}/events`, { withCredentials: true })
            return new Promise((resolve) => {
              stream.onopen = () => resolve(true)
              stream.onerror = () => resolve(false)
            })
          })
          await tried("socket", () => {
            const socket = new WebSocket(`${base!.replace("http", "ws")}/api/runs`)
            return new Promise((resolve) => {
              socket.onopen = () => resolve(true)
              socket.onerror = () => resolve(false)
            })
          })
          await tried("script", () =>
            loaded(Object.assign(document.createElement("script"), { src: `${base}/assets/app-1234.js` })),
          )
          await tried("image", () =>
            loaded(Object.assign(document.createElement("img"), { src: `${base}/assets/dot-1234.svg` })),
          )
          const form = Object.assign(document.createElement("form"), { action: stop, method: "post", target: "f" })
          document.body.append(form)
          form.submit()
          await new Promise((resolve) => setTimeout(resolve, 300))
          await tried("frame", async () => (frames[0] as Window).document.body.innerText)
          return got
        },
        [`http://127.0.0.1:${port}`, id] as const,
      )
      expect(got).toEqual([])
      expect(answers.length).toBeGreaterThan(0)
      for (const status of answers) expect([403, 405, 415]).toContain(status)
      await new Promise((resolve) => server.close(resolve))
    },
  )
})
