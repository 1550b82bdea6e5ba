// Debian's Firefox (or the one that FIREFOX names), driven over its own WebDriver BiDi socket: playwright-core asks it for commands
// that the long-lived release does not know. Knows nothing of trilobite.
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The browser's program. */
export const FIREFOX: string = process.env.FIREFOX ?? "/usr/bin/firefox-esr"

/** Whether tests run in Firefox: if there is one. */
export const RUN_FIREFOX: boolean = existsSync(FIREFOX)

/** What the socket answers and reports: no more than is read here. */
interface Message {
  readonly id?: number
  readonly type: "success" | "error" | "event"
  readonly message?: string
  readonly method?: string
  readonly result?: { readonly [key: string]: unknown }
  readonly params?: { readonly level?: string; readonly text?: string; readonly type?: string }
}

/** One tab of Firefox. */
export interface FirefoxPage {
  /** What the console, scripts and the security policy have complained of since the last `go`. */
  readonly faults: string[]
  /** Goes to an address and waits until it is loaded. */
  go(url: string): Promise<void>
  /** The value of an expression in the page, which may be a promise; it must be plain data. */
  evaluate<T>(expression: string): Promise<T>
  /** Waits until an expression is true, or throws after so many milliseconds. */
  until(expression: string, ms?: number): Promise<void>
  /** Clicks in the middle of the first element that the selector finds. */
  click(selector: string): Promise<void>
  /** Presses a key: a letter, or a code of WebDriver such as `\uE012` (arrow left). */
  press(key: string): Promise<void>
  resize(width: number, height: number): Promise<void>
  /** A picture of what is seen, as PNG. */
  picture(): Promise<Uint8Array>
  close(): Promise<void>
}

/** How pages are seen; sizes are in pixels. */
export interface Look {
  readonly theme?: "light" | "dark"
  readonly reducedMotion?: boolean
  readonly width?: number
  readonly height?: number
}

/** The preferences: nothing speaks to the network by itself, and colours and motion are as asked for. */
const preferences = (theme: "light" | "dark", reducedMotion: boolean): string =>
  Object.entries({
    "app.update.enabled": false,
    "browser.shell.checkDefaultBrowser": false,
    "datareporting.policy.dataSubmissionEnabled": false,
    "network.captive-portal-service.enabled": false,
    "network.connectivity-service.enabled": false,
    "services.settings.server": "http://127.0.0.1:9/",
    "layout.css.prefers-color-scheme.content-override": theme === "dark" ? 0 : 1,
    "ui.prefersReducedMotion": reducedMotion ? 1 : 0,
  })
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`)
    .join("\n")

/** The address of the socket, which the browser prints when it listens. */
function listening(browser: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ""
    browser.stderr?.on("data", (part: Uint8Array) => {
      said += String(part)
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said)
      if (found !== null) resolve(found[1]!)
    })
    browser.once("error", reject)
    browser.once("exit", () => reject(new Error(`Firefox ended: ${said}`)))
  })
}

/** Starts Firefox with a profile of its own and one tab. */
export async function startFirefox(look: Look = {}): Promise<FirefoxPage> {
  const { theme = "light", reducedMotion = true, width = 1440, height = 900 } = look
  const profile = mkdtempSync(join(tmpdir(), "trilobite-firefox-"))
  writeFileSync(join(profile, "user.js"), preferences(theme, reducedMotion))
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
  const browser = spawn(FIREFOX, args, { stdio: ["ignore", "ignore", "pipe"] })
  const ended = new Promise<void>((resolve) => browser.once("exit", () => resolve()))
  const socket = new WebSocket(`${await listening(browser)}/session`)
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve)
    socket.addEventListener("error", reject)
  })
  const waiting = new Map<number, (message: Message) => void>()
  const faults: string[] = []
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) {
      waiting.get(message.id)?.(message)
      waiting.delete(message.id)
    } else if (message.method === "log.entryAdded") {
      const { level, text = "" } = message.params ?? {}
      if (level === "error" || level === "warn") faults.push(text)
    }
  })
  let last = 0
  const send = async (method: string, params: object = {}): Promise<{ readonly [key: string]: unknown }> => {
    const id = ++last
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params }))
    const { type, message, result } = await answer
    if (type !== "success") throw new Error(`${method}: ${message}`)
    return result ?? {}
  }
  await send("session.new", { capabilities: {} })
  await send("session.subscribe", { events: ["log.entryAdded"] })
  const { contexts } = (await send("browsingContext.getTree")) as { contexts: { context: string }[] }
  const context = contexts[0]!.context
  const policy = `() => addEventListener("securitypolicyviolation", (event) =>
    console.error("policy: " + event.violatedDirective + " " + event.blockedURI + " " + event.sample))`
  await send("script.addPreloadScript", { functionDeclaration: policy })
  const act = (actions: readonly object[]): Promise<unknown> => send("input.performActions", { context, actions })
  const page: FirefoxPage = {
    faults,
    async go(url) {
      faults.length = 0
      await send("browsingContext.navigate", { context, url, wait: "complete" })
    },
    async evaluate<T>(expression: string): Promise<T> {
      const wrapped = `Promise.resolve(${expression}).then((value) => JSON.stringify([value]))`
      const answer = await send("script.evaluate", { expression: wrapped, target: { context }, awaitPromise: true })
      if (answer.type === "exception") throw new Error(JSON.stringify(answer.exceptionDetails))
      return (JSON.parse((answer.result as { value: string }).value) as [T])[0]
    },
    async until(expression, ms = 30_000) {
      const end = performance.now() + ms
      while (!(await page.evaluate<boolean>(expression))) {
        if (performance.now() > end) throw new Error(`not so after ${ms} ms: ${expression}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async click(selector) {
      const [x, y] = await page.evaluate<[number, number]>(`(() => {
        const element = document.querySelector(${JSON.stringify(selector)})
        element.scrollIntoView({ block: "center", behavior: "instant" })
        const { left, top, width, height } = element.getBoundingClientRect()
        return [Math.round(left + width / 2), Math.round(top + height / 2)]
      })()`)
      const actions = [
        { type: "pointerMove", x, y },
        { type: "pointerDown", button: 0 },
        { type: "pointerUp", button: 0 },
      ]
      await act([{ type: "pointer", id: "mouse", actions }])
    },
    async press(key) {
      const actions = ["keyDown", "keyUp"].map((type) => ({ type, value: key }))
      await act([{ type: "key", id: "keys", actions }])
    },
    async resize(width, height) {
      await send("browsingContext.setViewport", { context, viewport: { width, height } })
    },
    async picture() {
      const { data } = await send("browsingContext.captureScreenshot", { context })
      return Buffer.from(String(data), "base64")
    },
    async close() {
      await send("browser.close").catch(() => browser.kill())
      await ended
      rmSync(profile, { recursive: true, force: true })
    },
  }
  await page.resize(width, height)
  return page
}
