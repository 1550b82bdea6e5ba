// A studio for the tests of one file, with a small web app and runs to look at, and a client that may lie about everything.
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { type ClientRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import type { Epoch, Run, RunList } from "../../cli/studio/api.ts"
import { type Studio, startStudio } from "../../cli/studio/server.ts"

/** What is in a file outside of all that may be read: no answer may hold it. */
export const SECRET = "b41d-outside"

/** An answer. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** What is asked; the Host is the right one unless another is given. */
export interface Question {
  readonly method?: string
  readonly path?: string
  /** As Node takes them; an array of names and values in turn may name one twice. */
  readonly headers?: OutgoingHttpHeaders | readonly string[]
  readonly body?: string
  readonly host?: string
}

/** Asks the server at a port of 127.0.0.1. */
export function ask(port: number, { method = "GET", path = "/", headers = {}, body, host }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: host ?? "127.0.0.1", port, method, path, headers, agent: false, setHost: true })
    sent.on("error", reject)
    sent.on("response", (response) => {
      const chunks: Buffer[] = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", reject)
      response.on("end", () => {
        resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() })
      })
    })
    sent.end(body)
  })
}

/** Sends bytes over a socket and collects what comes back until the other side ends it, or this long has passed. */
export function talk(port: number, bytes: string | Uint8Array, patience = 2000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    let text = ""
    const end = (): void => {
      socket.destroy()
      resolve(text)
    }
    socket.setTimeout(patience, end)
    socket.on("data", (chunk) => (text += chunk.toString("latin1")))
    socket.on("error", end)
    socket.on("close", end)
    socket.write(bytes)
  })
}

/** Opens the launch URL; answers with the cookie as it is sent back. */
export async function enter({ url, port }: Studio): Promise<string> {
  const { headers } = await ask(port, { path: new URL(url).search.replace(/^/, "/") })
  return headers["set-cookie"]![0]!.split(";")[0]!
}

/** One event of a stream. */
export interface Event {
  readonly name: string
  readonly id: string | undefined
  readonly data: unknown
}

/** A stream of events that is read. */
export interface Stream {
  readonly events: readonly Event[]
  /** The epochs that have come, in their order. */
  readonly epochs: readonly number[]
  /** Comments that have come. */
  readonly beats: () => number
  readonly until: (done: (stream: Stream) => boolean) => Promise<void>
  readonly request: ClientRequest
  readonly ended: () => boolean
  close(): void
}

/** Follows a stream of events. */
export function follow(port: number, path: string, headers: OutgoingHttpHeaders): Stream {
  const events: Event[] = []
  const epochs: number[] = []
  const waiting = new Set<() => void>()
  let [text, beats, ended] = ["", 0, false]
  const take = (block: string): void => {
    const fields = new Map(block.split("\n").map((line) => line.split(/: ?(.*)/, 2) as [string, string]))
    if (block.startsWith(":")) beats++
    const data = fields.get("data")
    if (data === undefined) return
    const event = { name: fields.get("event")!, id: fields.get("id"), data: JSON.parse(data) as unknown }
    events.push(event)
    if (event.name === "epoch") epochs.push((event.data as Epoch).epoch)
  }
  const end = (): void => {
    ended = true
    for (const look of waiting) look()
  }
  const sent = request({ host: "127.0.0.1", port, path, headers, agent: false })
  sent.on("error", end)
  sent.on("response", (response) => {
    response.on("error", end)
    response.on("close", end)
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const blocks = (text + chunk).split("\n\n")
      text = blocks.pop()!
      for (const block of blocks) take(block)
      for (const look of waiting) look()
    })
  })
  sent.end()
  const stream: Stream = {
    events,
    epochs,
    beats: () => beats,
    request: sent,
    ended: () => ended,
    close: () => sent.destroy(),
    until: (done) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!done(stream)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
  return stream
}

/** A line of history.jsonl. */
export function line(epoch: number): string {
  const [loss, valLoss] = [1 / epoch, 1 / epoch + 0.1]
  return `${JSON.stringify({ epoch, loss, accuracy: 0.9, valLoss, valAccuracy: 0.8, seconds: 1.5 })}\n`
}

/** Lines of history.jsonl, both ends included. */
export function lines(first: number, last: number): string {
  return Array.from({ length: last - first + 1 }, (_, i) => line(first + i)).join("")
}

/** What is in the folder of a run: JSON or text for each file. */
export type RunFiles = { readonly [name: string]: object | string }

/** Where the tests of a file work, and their studio. */
export interface Workshop {
  readonly root: string
  readonly runs: string
  readonly site: string
  readonly studio: Studio
  /** The headers of a browser that was let in. */
  readonly headers: { readonly cookie: string }
  /** Writes a run; answers with its folder. */
  makeRun(name: string, files?: RunFiles): string
  append(name: string, text: string): void
  get(path: string): Promise<Answer>
  list(): Promise<readonly Run[]>
  find(name: string): Promise<Run>
}

/** Starts a studio before the tests of a file and ends it after them. */
export function useStudio(heartbeat?: number): Workshop {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "trilobite-studio-")))
  const [runs, site] = [join(root, "runs"), join(root, "site")]
  let studio: Studio
  let cookie = ""
  const write = (path: string, value: object | string): void =>
    writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value))
  beforeAll(async () => {
    for (const folder of [runs, join(site, "assets")]) mkdirSync(folder, { recursive: true })
    write(join(root, "secret.json"), { secret: SECRET })
    write(join(site, "index.html"), "<!doctype html><title>studio</title>")
    write(join(site, "favicon.ico"), "")
    write(join(site, "assets/app-1234.js"), "export const x = 1\n")
    write(join(site, "assets/worker-1234.js"), 'postMessage("isolated: " + crossOriginIsolated)\n')
    write(join(site, "assets/dot-1234.svg"), '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')
    write(join(site, "assets/engine-1234.wasm"), "\0asm")
    studio = await startStudio({ port: 0, runs, site, ...(heartbeat === undefined ? {} : { heartbeat }) })
    cookie = await enter(studio)
  })
  afterAll(async () => {
    await studio.close()
    rmSync(root, { recursive: true, force: true })
  })
  const workshop: Workshop = {
    root,
    runs,
    site,
    get studio() {
      return studio
    },
    get headers() {
      return { cookie }
    },
    makeRun: (name, files = {}) => {
      const folder = join(runs, name)
      mkdirSync(folder)
      const all: RunFiles = { "config.json": { net: "shallow-net", epochs: 5 }, "history.jsonl": "", ...files }
      for (const [file, value] of Object.entries(all)) write(join(folder, file), value)
      return folder
    },
    append: (name, text) => appendFileSync(join(runs, name, "history.jsonl"), text),
    get: (path) => ask(studio.port, { path, headers: { cookie } }),
    list: async () => (JSON.parse((await workshop.get("/api/runs")).text) as RunList).runs,
    find: async (name) => (await workshop.list()).find((run) => run.name === name)!,
  }
  return workshop
}
