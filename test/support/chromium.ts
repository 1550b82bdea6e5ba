// Debian's Chromium (or the one that CHROMIUM names), driven by playwright-core, and pages for it. Knows nothing of trilobite.
import { existsSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join, normalize } from "node:path"
import { type Browser, chromium } from "playwright-core"

/** The browser's program. */
export const CHROMIUM: string = process.env.CHROMIUM ?? "/usr/bin/chromium"

/** Whether browser tests run: always in CI, elsewhere if there is a browser. */
export const RUN_BROWSER: boolean = process.env.CI !== undefined || existsSync(CHROMIUM)

/** Starts the browser without anything that speaks to the network by itself. */
export function startChromium(): Promise<Browser> {
  const switches = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"]
  const args = [...switches, "disable-component-update", "disable-sync"].map((name) => `--${name}`)
  return chromium.launch({ executablePath: CHROMIUM, args })
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json",
}

/** A server of a folder on this machine: its address, and how to end it. */
export interface Served {
  readonly url: string
  close(): Promise<void>
}

/** Serves the files of a folder with some headers. `/` and everything that ends in it is an empty page with a button. */
export async function serve(folder: string, headers: Readonly<Record<string, string>> = {}): Promise<Served> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname)
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path)
    const found = file.startsWith(folder) && existsSync(file)
    const empty = path.endsWith("/") || path === "/favicon.ico"
    const body = found ? readFileSync(file) : '<!doctype html><title>empty</title><button id="b">click</button>'
    response.writeHead(found || empty ? 200 : 404, {
      "content-type": found ? (types[extname(file)] ?? "application/octet-stream") : "text/html",
      ...headers,
    })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** Headers that isolate a page from others, so that it may share memory with its workers. */
export const ISOLATED: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
}
