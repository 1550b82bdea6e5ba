// Who may ask the studio's server, and the headers of every answer. Knows no routes and no runs.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import type { ApiErrorCode } from "./api.ts"

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "style-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ")

/** The headers of every answer, also of errors. Whoever answers with something that may be kept says so himself. */
export const headers: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
}

const statusOf: { readonly [code in ApiErrorCode]: number } = {
  E_REQUEST: 400,
  E_TOKEN: 401,
  E_FORBIDDEN: 403,
  E_NOT_FOUND: 404,
  E_METHOD: 405,
  E_CONFLICT: 409,
  E_TOO_LARGE: 413,
  E_CONTENT_TYPE: 415,
  E_INTERNAL: 500,
  E_BUSY: 503,
}

/** A request that is not answered. Its words are our own: nothing that was sent or found on the disk is in them. */
export class Refusal extends Error {
  readonly code: ApiErrorCode
  readonly hint: string

  constructor(code: ApiErrorCode, what: string, hint: string) {
    super(what)
    this.code = code
    this.hint = hint
  }

  /** The status of the answer. */
  get status(): number {
    return statusOf[this.code]
  }
}

/** A launch: where the browser is to go on, and the cookie that lets it in. */
export interface Launch {
  readonly location: string
  readonly cookie: string | undefined
}

/** The door of a server. */
export interface Guard {
  /** The address that lets a browser in, once. */
  readonly url: string
  /** Throws a Refusal unless the request was meant for this server, comes from its own pages and has the cookie. */
  check(request: IncomingMessage): void
  /** What a request with the launch token leads to; undefined for a request without. Throws if the token does not do. */
  launch(request: IncomingMessage): Launch | undefined
}

const LAUNCH = "Open the launch URL that `trilobite studio` has printed; it works once. Start it again for a new one."

/** The door of the server at this port, with a new token and a new secret for the cookie. */
export function createGuard(port: number): Guard {
  const [token, secret] = [randomBytes(32), randomBytes(32)].map((bytes) => bytes.toString("base64url")) as [
    string,
    string,
  ]
  // Browsers send the cookies of all ports of a machine: the name keeps two studios apart.
  const name = `trilobite-${port}`
  const hosts = new Set(["127.0.0.1", "localhost", "[::1]"].map((host) => (port === 80 ? host : `${host}:${port}`)))
  const origins = new Set([...hosts].map((host) => `http://${host}`))
  let used = false

  const isKnown = (request: IncomingMessage): boolean =>
    (request.headers.cookie ?? "").split(";").some((pair) => {
      const [key, value = ""] = pair.trim().split("=")
      return key === name && sameText(value, secret)
    })

  const checkPlace = (request: IncomingMessage): void => {
    const sent = request.rawHeaders.filter((header, i) => i % 2 === 0 && header.toLowerCase() === "host")
    if (sent.length !== 1) throw new Refusal("E_REQUEST", "there must be one Host header.", "Use a browser.")
    if (!/^\/(?![/\\])/.test(request.url ?? "")) {
      throw new Refusal("E_REQUEST", "the address must be a path.", "Proxies are not served.")
    }
    const address = `Use http://127.0.0.1:${port}/.`
    if (!hosts.has(request.headers.host ?? "")) throw new Refusal("E_FORBIDDEN", "this Host is not served.", address)
    const { origin } = request.headers
    if (origin !== undefined && !origins.has(origin)) {
      throw new Refusal("E_FORBIDDEN", "pages of another origin are not served.", address)
    }
    // A server at another port of this machine is another origin but the same site: its links may lead here, no more.
    const [site, mode] = [request.headers["sec-fetch-site"], request.headers["sec-fetch-mode"]]
    if (site === "cross-site" || (site === "same-site" && mode !== "navigate")) {
      throw new Refusal("E_FORBIDDEN", "requests from another site are not served.", address)
    }
  }

  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    check: (request) => {
      checkPlace(request)
      if (!isKnown(request)) throw new Refusal("E_TOKEN", "this browser has not been let in.", LAUNCH)
    },
    launch: (request) => {
      checkPlace(request)
      const [path = "/", query = ""] = (request.url ?? "").split("?", 2)
      const rest = new URLSearchParams(query)
      const given = rest.get("token")
      if (given === null || request.method !== "GET" || path.startsWith("/api/")) return undefined
      const known = isKnown(request)
      const right = sameText(given, token) && !used
      if (!known && !right) throw new Refusal("E_TOKEN", "this launch URL is not, or no longer, valid.", LAUNCH)
      rest.delete("token")
      const location = rest.size === 0 ? path : `${path}?${rest}`
      if (known) return { location, cookie: undefined }
      used = true
      return { location, cookie: `${name}=${secret}; HttpOnly; SameSite=Strict; Path=/` }
    },
  }
}

/** Compares in a time that says nothing of where they differ. */
function sameText(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => createHash("sha256").update(text).digest()) as [Buffer, Buffer]
  return timingSafeEqual(x, y)
}
