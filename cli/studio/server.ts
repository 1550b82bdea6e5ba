// The studio's server: what is answered to which request, on this machine alone. Knows no command line and reads no files.

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { TrilobiteError } from "../../src/index.ts"
import type { ApiError, RunList, Stopping } from "./api.ts"
import { createFollowers, type Followers } from "./followers.ts"
import { createGuard, type Guard, headers, Refusal } from "./guard.ts"
import { openRuns, type Runs, type Source } from "./runs.ts"
import { findPage, readSite, type Site, sendMnist, sendPage } from "./static.ts"

/** Connections that are answered; more get 503, and many more are closed. */
const CONNECTIONS = 256
/** The largest body of a request. */
const BODY = 2 ** 16

/** Where a server listens and what it shows. */
export interface StudioOptions {
  /** 0: any free one. */
  readonly port: number
  /** Take the next free port if this one is taken. */
  readonly search?: boolean
  /** The folder whose runs are shown. */
  readonly runs: string
  /** The folder of the built web app. */
  readonly site: string
  /** Milliseconds between two signs of life on a stream of events (default: 10,000). */
  readonly heartbeat?: number
}

/** A server that listens. */
export interface Studio {
  /** The address that lets a browser in, once. */
  readonly url: string
  readonly port: number
  /** Ends all connections and the server. */
  close(): Promise<void>
}

/** What an answer is made from. */
interface Context {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly runs: Runs
  readonly site: Site
  readonly followers: Followers
  readonly path: string
  readonly query: URLSearchParams
  /** The parts of the path that the route leaves open. */
  readonly parts: readonly string[]
}

/** Answers to one method at one form of path; GET also answers HEAD. */
export interface Route {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly pattern: RegExp
  readonly answer: (context: Context) => void | Promise<void>
}

/** Every route. A path belongs to the first that fits. */
export const routes: readonly Route[] = [
  {
    method: "GET",
    path: "/api/runs",
    pattern: /^\/api\/runs$/,
    answer: ({ response, runs }) => sendJson<RunList>(response, 200, { runs: runs.list() }),
  },
  {
    method: "GET",
    path: "/api/runs/<id>",
    pattern: /^\/api\/runs\/([0-9a-f]{16})$/,
    answer: ({ response, runs, parts: [id = ""] }) => sendJson(response, 200, runs.find(id).read()),
  },
  {
    method: "GET",
    path: "/api/runs/<id>/events",
    pattern: /^\/api\/runs\/([0-9a-f]{16})\/events$/,
    answer: (context) => sendEvents(context, context.runs.find(context.parts[0]!)),
  },
  {
    method: "POST",
    path: "/api/runs/<id>/stop",
    pattern: /^\/api\/runs\/([0-9a-f]{16})\/stop$/,
    answer: ({ response, runs, parts: [id = ""] }) => {
      runs.find(id).stop()
      sendJson<Stopping>(response, 202, { stopping: true })
    },
  },
  {
    method: "GET",
    path: "/api/data/mnist/<part>/<kind>",
    pattern: /^\/api\/data\/mnist\/(train|test)\/(images|labels)$/,
    answer: ({ response, parts }) => sendMnist(response, parts.join("/")),
  },
  {
    method: "GET",
    path: "/api/<other>",
    pattern: /^\/api(\/|$)/,
    answer: () => {
      throw new Refusal("E_NOT_FOUND", "there is no such answer.", "Ask for /api/runs.")
    },
  },
  {
    method: "GET",
    path: "/<page>",
    pattern: /^/,
    answer: ({ response, site, path }) => sendPage(response, path, findPage(site, path)),
  },
]

/** Listens on 127.0.0.1, and on ::1 if there is one. Throws E_IO if the port is taken. */
export async function startStudio(options: StudioOptions): Promise<Studio> {
  const [runs, site] = [openRuns(options.runs), readSite(options.site)]
  const followers = createFollowers(options.heartbeat ?? 10_000)
  const first = await listen("127.0.0.1", options)
  const { port } = first.address() as AddressInfo
  const guard = createGuard(port)
  const sockets = new Set<Socket>()
  const refused = new WeakSet<Socket>()
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request, response, guard, { runs, site, followers }, refused.has(request.socket))
  }
  const serve = (server: Server): void => {
    server.on("request", handle)
    // Node would answer these without our headers.
    server.on("checkContinue", handle)
    server.on("checkExpectation", handle)
    server.on("clientError", onJunk)
    server.on("connection", (socket) => {
      if (sockets.size >= CONNECTIONS) refused.add(socket)
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
    })
  }
  serve(first)
  const servers = [first]
  try {
    const second = await listen("::1", { port })
    serve(second)
    servers.push(second)
  } catch {
    // No IPv6 here, or somebody else is there.
  }
  return {
    url: guard.url,
    port,
    close: async () => {
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)))
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
    },
  }
}

async function listen(host: string, { port, search = false }: { port: number; search?: boolean }): Promise<Server> {
  const server = createServer({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 1000,
    // A request without Host is refused by the guard, with our headers.
    requireHostHeader: false,
  })
  server.maxConnections = CONNECTIONS + 64
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen({ host, port, exclusive: true }, () => {
        server.off("error", reject)
        resolve()
      })
    })
    return server
  } catch (error) {
    const got = error instanceof Error && "code" in error ? String(error.code) : String(error)
    if (search && got === "EADDRINUSE" && port < 65_535) return listen(host, { port: port + 1, search })
    const hint = "Name another one, or 0 for any that is free."
    throw new TrilobiteError(
      "E_IO",
      { where: "--port", what: `cannot listen at port ${port}.`, got, hint },
      { cause: error },
    )
  }
}

/** Answers a request, or says why not. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  guard: Guard,
  shown: Pick<Context, "runs" | "site" | "followers">,
  isTooMany: boolean,
): Promise<void> {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.on("error", () => {})
  const [path = "/", query = ""] = (request.url ?? "").split("?", 2)
  try {
    if (isTooMany) throw new Refusal("E_BUSY", "there are too many connections.", "Close some pages of the studio.")
    const launch = guard.launch(request)
    if (launch !== undefined) {
      response.setHeader("location", launch.location)
      if (launch.cookie !== undefined) response.setHeader("set-cookie", launch.cookie)
      sendText(response, 303, "The studio is at /.\n")
      return
    }
    guard.check(request)
    const route = findRoute(request, response, path)
    if (request.method === "POST") await takeBody(request)
    const parts = (route.pattern.exec(path) ?? []).slice(1)
    await route.answer({ ...shown, request, response, path, query: new URLSearchParams(query), parts })
  } catch (error) {
    refuse(request, response, path, error)
  }
}

function findRoute(request: IncomingMessage, response: ServerResponse, path: string): Route {
  const route = routes.find(({ pattern }) => pattern.test(path))!
  const allowed = route.method === "GET" ? ["GET", "HEAD"] : [route.method]
  if (allowed.includes(request.method ?? "")) return route
  response.setHeader("allow", allowed.join(", "))
  throw new Refusal("E_METHOD", "this method is not allowed here.", `Use ${route.method}.`)
}

/** Reads the body of a request that changes something: an object of JSON or nothing, which no form of another page can send. */
async function takeBody(request: IncomingMessage): Promise<void> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";")
  if (type.trim().toLowerCase() !== "application/json") {
    throw new Refusal("E_CONTENT_TYPE", "only JSON is taken.", "Send content-type: application/json.")
  }
  const tooLarge = new Refusal("E_TOO_LARGE", "the body is too large.", `Send at most ${BODY} bytes.`)
  if (Number(request.headers["content-length"] ?? 0) > BODY) throw tooLarge
  let text = ""
  for await (const chunk of request.setEncoding("latin1")) {
    if ((text += chunk).length > BODY) throw tooLarge
  }
  try {
    if (text !== "") JSON.parse(text)
  } catch {
    throw new Refusal("E_REQUEST", "the body is not JSON.", "Send {}.")
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, path: string, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, code, message, hint } =
    error instanceof Refusal ? error : new Refusal("E_INTERNAL", "something went wrong.", "Please report this.")
  // What has not been read of a body is not waited for.
  if (!request.complete || status === 503) response.setHeader("connection", "close")
  for (const name of ["content-length", "content-encoding"]) response.removeHeader(name)
  if (/^\/api(\/|$)/.test(path)) sendJson<ApiError>(response, status, { code, what: message, hint })
  else sendText(response, status, `${message[0]!.toUpperCase()}${message.slice(1)} ${hint}\n`)
}

/** Answers what is no HTTP, or too much of it, or too slow. */
function onJunk(error: Error & { readonly code?: string }, socket: Socket): void {
  const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400
  // Nothing may be written into an answer that has begun.
  if (!socket.writable || socket.bytesWritten > 0 || error.code === "ECONNRESET") {
    socket.destroy()
    return
  }
  const text = `${STATUS_CODES[status]}\n`
  const head = {
    ...headers,
    "content-type": "text/plain; charset=utf-8",
    "content-length": text.length,
    connection: "close",
  }
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${text}`, () => socket.destroy())
}

function sendJson<T extends object>(response: ServerResponse, status: number, value: T): void {
  send(response, status, "application/json; charset=utf-8", JSON.stringify(value))
}

function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, "text/plain; charset=utf-8", text)
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const bytes = Buffer.from(text)
  response.writeHead(status, { "content-type": type, "content-length": bytes.length }).end(bytes)
}

/** Sends what happens in a run, as server-sent events, from the epoch that the page has on. */
function sendEvents({ request, response, query, followers }: Context, source: Source): void {
  const after = request.headers["last-event-id"] ?? query.get("after") ?? "0"
  if (typeof after !== "string" || !/^\d{1,15}$/.test(after)) {
    throw new Refusal("E_REQUEST", "after which epoch is not said.", "Send a whole number.")
  }
  const { socket } = response
  if (socket === null)
    throw new Refusal("E_REQUEST", "other answers come before this one.", "Use a connection of its own.")
  // Without a length and not in chunks: what is written to the connection from here on is the answer, as it is.
  response.removeHeader("transfer-encoding")
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" })
  if (request.method === "HEAD") {
    response.end()
    return
  }
  response.flushHeaders()
  socket.write("retry: 1000\n\n")
  followers.add(socket, source, Number(after))
}
