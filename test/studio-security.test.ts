// Who gets nothing from the studio's server: strangers, pages of other origins, paths that lead outside, junk.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { networkInterfaces } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { RunList } from "../cli/studio/api.ts"
import { headers as expected } from "../cli/studio/guard.ts"
import { routes, type Studio, startStudio } from "../cli/studio/server.ts"
import { node } from "./support/cli.ts"
import { type Answer, ask, lines, SECRET, talk, useStudio } from "./support/studio.ts"

const shop = useStudio()
const port = (): number => shop.studio.port
const json = { "content-type": "application/json" }

/** The routes as addresses of a run and of data that are there. */
async function addresses(): Promise<readonly string[]> {
  const { id } = await shop.find("run")
  const names = new Map([
    ["<id>", id],
    ["<part>", "test"],
    ["<kind>", "labels"],
    ["<other>", "other"],
    ["<page>", ""],
  ])
  return routes.map(({ path }) => path.replace(/<\w+>/g, (name) => names.get(name)!))
}

function expectHeaders({ headers, text }: Answer): void {
  for (const [name, value] of Object.entries(expected)) expect(headers[name], name).toBe(value)
  expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([])
  expect(text).not.toMatch(/\n {4}at |node:|\.ts:/)
  expect(text).not.toContain(shop.root)
}

test("there is a run to be kept from strangers", async () => {
  shop.makeRun("run", { "history.jsonl": lines(1, 3) })
  expect((await shop.list()).map(({ name }) => name)).toEqual(["run"])
})

describe("without the cookie", () => {
  const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY"]

  test.each(methods)("%s is answered with 401 on every route", async (method) => {
    const name = `trilobite-${port()}`
    const cookies = [
      undefined,
      "",
      `${name}=`,
      `${name}=x`,
      shop.headers.cookie.slice(0, -1),
      `${shop.headers.cookie}x`,
    ]
    cookies.push(
      shop.headers.cookie.replace(name, "trilobite"),
      `${name}=${new URL(shop.studio.url).searchParams.get("token")}`,
    )
    for (const path of await addresses()) {
      for (const cookie of cookies) {
        const headers = { ...json, ...(cookie === undefined ? {} : { cookie }) }
        const answer = await ask(port(), { method, path, headers })
        expect(answer.status, `${method} ${path}`).toBe(401)
        expect(answer.headers["set-cookie"]).toBe(undefined)
        if (method === "GET") expect(answer.text).toContain("Open the launch URL")
        expectHeaders(answer)
      }
    }
  })

  test("every route is in the table that was enumerated", async () => {
    const paths = await addresses()
    expect(paths).toHaveLength(7)
    for (const [i, path] of paths.entries()) expect(routes.find(({ pattern }) => pattern.test(path))).toBe(routes[i])
  })
})

describe("the launch URL", () => {
  const launched = async (use: (studio: Studio, token: string) => Promise<void>): Promise<void> => {
    const studio = await startStudio({ port: 0, runs: shop.runs, site: shop.site })
    await use(studio, new URL(studio.url).searchParams.get("token")!)
    await studio.close()
  }

  test("lets one browser in; used again, only that one", () =>
    launched(async (studio, token) => {
      expect(Buffer.from(token, "base64url")).toHaveLength(32)
      const path = `/?token=${token}`
      const first = await ask(studio.port, { path })
      expect(first).toMatchObject({ status: 303, headers: { location: "/" } })
      expectHeaders(first)
      const [cookie] = first.headers["set-cookie"]!
      expect(cookie).toMatch(/^trilobite-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
      expect(cookie).not.toContain(token)
      expect(await ask(studio.port, { path })).toMatchObject({ status: 401 })
      const known = { cookie: `other=1; ${cookie!.split(";")[0]}` }
      const again = await ask(studio.port, { path, headers: known })
      expect(again).toMatchObject({ status: 303, headers: { location: "/" } })
      expect(again.headers["set-cookie"]).toBe(undefined)
      expect(await ask(studio.port, { path: "/", headers: known })).toMatchObject({ status: 200 })
    }))

  test("leads to the page that it names, and nowhere else", () =>
    launched(async (studio, token) => {
      for (const path of ["//evil.test/", "/\\evil.test/", "http://evil.test/"]) {
        expect((await ask(studio.port, { path: `${path}?token=${token}` })).status).toBe(400)
      }
      const { status, headers } = await ask(studio.port, { path: `/runs/1?z=1&token=${token}&a=b%0d%0ac` })
      expect({ status, location: headers.location }).toEqual({ status: 303, location: "/runs/1?z=1&a=b%0D%0Ac" })
    }))

  test("is not used up by what is no visit of a browser to this server", () =>
    launched(async (studio, token) => {
      const path = `/?token=${token}`
      for (const method of ["HEAD", "POST", "OPTIONS"])
        expect((await ask(studio.port, { method, path })).status).toBe(401)
      for (const headers of [
        { host: "evil.test" },
        { origin: "http://evil.test" },
        { "sec-fetch-site": "cross-site" },
      ]) {
        expect((await ask(studio.port, { path, headers })).status).toBe(403)
      }
      for (const wrong of ["", "x", token.slice(1), `${token}x`, token.toLowerCase()]) {
        expect((await ask(studio.port, { path: `/?token=${wrong}` })).status).toBe(401)
      }
      expect((await ask(studio.port, { path: `/api/runs?token=${token}` })).status).toBe(401)
      expect((await ask(studio.port, { path })).status).toBe(303)
    }))
})

describe("with the cookie", () => {
  const hosts = (p: number): readonly string[] => [
    ...[
      "127.0.0.1",
      "localhost",
      "[::1]",
      `127.0.0.1:${p + 1}`,
      `127.0.0.1:${p}0`,
      `127.0.0.1:0${p}`,
      `127.0.0.1:+${p}`,
    ],
    ...[
      `LOCALHOST:${p}`,
      `Localhost:${p}`,
      `localhost.:${p}`,
      `127.0.0.1.:${p}`,
      `user@127.0.0.1:${p}`,
      `user:x@localhost:${p}`,
    ],
    ...[
      `0.0.0.0:${p}`,
      `127.1:${p}`,
      `127.0.1:${p}`,
      `2130706433:${p}`,
      `0x7f000001:${p}`,
      `0177.0.0.1:${p}`,
      `127.0.0.2:${p}`,
    ],
    ...[
      `[::]:${p}`,
      `[0:0:0:0:0:0:0:1]:${p}`,
      `[::ffff:127.0.0.1]:${p}`,
      `::1:${p}`,
      `evil.test:${p}`,
      `localhost.evil.test:${p}`,
    ],
    ...[
      `127.0.0.1:${p}.evil.test`,
      `evil.test#127.0.0.1:${p}`,
      `127.0.0.1:${p}/`,
      `127.0.0.1:${p}, evil.test`,
      `http://127.0.0.1:${p}`,
    ],
    ...[`127.0.0.1 :${p}`, `127.0.0.1:${p}:${p}`, `127.0.0.1\u00a0:${p}`],
  ]

  test("no other Host is served", async () => {
    expect(hosts(port()).length).toBeGreaterThanOrEqual(30)
    for (const host of hosts(port())) {
      const answer = await ask(port(), { path: "/api/runs", headers: { ...shop.headers, host } })
      expect(answer.status, host).toBe(403)
      expectHeaders(answer)
    }
    for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
      const headers = { ...shop.headers, host: `${host}:${port()}` }
      expect((await ask(port(), { path: "/api/runs", headers })).status).toBe(200)
    }
  })

  test("two Hosts, none, and addresses with a host of their own are refused", async () => {
    const host = `Host: 127.0.0.1:${port()}\r\n`
    const end = `Cookie: ${shop.headers.cookie}\r\nConnection: close\r\n\r\n`
    const requests = [
      `GET /api/runs HTTP/1.1\r\n${host}${host}${end}`,
      `GET /api/runs HTTP/1.1\r\n${host}Host: evil.test\r\n${end}`,
      `GET /api/runs HTTP/1.1\r\nHost: evil.test\r\n${host}${end}`,
      `GET /api/runs HTTP/1.1\r\n${end}`,
      `GET /api/runs HTTP/1.1\r\nHost:\r\n${end}`,
      `GET http://127.0.0.1:${port()}/api/runs HTTP/1.1\r\n${host}${end}`,
      `GET http://evil.test/api/runs HTTP/1.1\r\n${host}${end}`,
      `GET //evil.test/api/runs HTTP/1.1\r\n${host}${end}`,
      `OPTIONS * HTTP/1.1\r\n${host}${end}`,
      `GET /api/runs HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n${end}`,
    ]
    for (const request of requests) {
      const text = await talk(port(), request)
      expect(text, request).toMatch(/^HTTP\/1\.1 40[03] /)
      for (const [name, value] of Object.entries(expected)) expect(text).toContain(`${name}: ${value}\r\n`)
      expect(text).not.toContain('"runs"')
    }
    expect(await talk(port(), `CONNECT 127.0.0.1:${port()} HTTP/1.1\r\n${host}${end}`)).toBe("")
    expect(await talk(port(), `GET /api/runs HTTP/1.1\r\n${host}${end}`)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await talk(port(), `GET /api/runs HTTP/1.1\r\n${host}Expect: tea\r\n${end}`)).toMatch(/^HTTP\/1\.1 200 /)
    const upgrade = `Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n`
    const answer = await talk(
      port(),
      `GET /api/none HTTP/1.1\r\n${host}${upgrade}Cookie: ${shop.headers.cookie}\r\n\r\n`,
      300,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
  })

  test("pages of other origins and sites get nothing", async () => {
    const { id } = await shop.find("run")
    const p = port()
    const strangers: readonly Record<string, string>[] = [
      ...[
        "null",
        "",
        "http://evil.test",
        `http://evil.test:${p}`,
        `https://127.0.0.1:${p}`,
        "http://127.0.0.1",
        `http://127.0.0.1:${p + 1}`,
      ]
        .concat([
          `http://localhost.evil.test:${p}`,
          `http://LOCALHOST:${p}`,
          `http://127.0.0.1:${p}/`,
          `http://127.0.0.1:${p}, http://evil.test`,
        ])
        .map((origin) => ({ origin })),
      ...["navigate", "cors", "no-cors", "websocket"].map((mode) => ({
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": mode,
      })),
      ...["cors", "no-cors"].map((mode) => ({ "sec-fetch-site": "same-site", "sec-fetch-mode": mode })),
    ]
    for (const stranger of strangers) {
      const headers = { ...shop.headers, ...json, ...stranger }
      for (const [method, path] of [
        ["GET", "/"],
        ["GET", "/api/runs"],
        ["GET", `/api/runs/${id}/events`],
        ["POST", `/api/runs/${id}/stop`],
      ] as const) {
        const answer = await ask(p, { method, path, headers })
        expect(answer.status, `${path} ${JSON.stringify(stranger)}`).toBe(403)
        expectHeaders(answer)
      }
    }
    const own = [{ origin: `http://127.0.0.1:${p}` }, { "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "none" }]
    for (const headers of own)
      expect((await ask(p, { path: "/api/runs", headers: { ...shop.headers, ...headers } })).status).toBe(200)
  })

  test("only POST with JSON changes anything", async () => {
    const { id } = await shop.find("run")
    const path = `/api/runs/${id}/stop`
    for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const answer = await ask(port(), { method, path, headers: { ...shop.headers, ...json } })
      expect(answer).toMatchObject({ status: 405, headers: { allow: "POST" } })
      expectHeaders(answer)
    }
    for (const read of ["/", "/api/runs", `/api/runs/${id}`, "/assets/app-1234.js"]) {
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
        const answer = await ask(port(), { method, path: read, headers: { ...shop.headers, ...json } })
        expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } })
        expectHeaders(answer)
      }
    }
    const types = [
      undefined,
      "",
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/jsonp",
    ]
    for (const type of types) {
      const headers = { ...shop.headers, ...(type === undefined ? {} : { "content-type": type }) }
      const answer = await ask(port(), { method: "POST", path, headers, body: "{}" })
      expect(answer.status, type).toBe(415)
      expectHeaders(answer)
    }
    const post = (body: string): Promise<Answer> => {
      return ask(port(), {
        method: "POST",
        path,
        headers: { ...shop.headers, "content-type": "application/json; charset=utf-8" },
        body,
      })
    }
    expect((await post("{}")).status).toBe(409)
    expect((await post("")).status).toBe(409)
    expect((await post("{")).status).toBe(400)
    expect((await post(" ".repeat(100_000))).status).toBe(413)
  })

  test("every status has all headers", async () => {
    const seen = new Map<number, Answer>()
    const questions = [
      { path: "/" },
      { path: "/assets/app-1234.js" },
      { path: "/api/runs" },
      { path: "/api/data/mnist/test/labels" },
      { path: "/none.js" },
      { path: "/api/none" },
    ]
    for (const question of questions) {
      const answer = await ask(port(), { ...question, headers: shop.headers })
      seen.set(answer.status, answer)
      const kept = question.path.startsWith("/assets/")
      if (kept) answer.headers["cache-control"] = "no-store"
      expectHeaders(answer)
    }
    expect([...seen.keys()].sort()).toEqual([200, 404])
    const long = await ask(port(), { path: "/", headers: { ...shop.headers, x: "x".repeat(20_000) } })
    expect(long.status).toBe(431)
    expectHeaders(long)
  })
})

test("no path leads outside", async () => {
  const targets = ["secret.json", "../secret.json", "runs/run/config.json", "etc/passwd"]
  const ups = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "%252e%252e%252f",
    "..\\",
    "..%5c",
    "%2e%2e%5c",
    "..%c0%af",
    "%c0%ae%c0%ae/",
    "..;/",
    "....//",
    "..%00/",
    "..%ef%bc%8f",
    "%uff0e%uff0e/",
    "./../",
    ".%2e/",
  ]
  const starts = ["/", "/assets/", "/api/", "/api/runs/", "/api/data/mnist/", "/api/data/mnist/test/"]
  const climbs = ups.flatMap((up) => starts.flatMap((start) => targets.map((target) => start + up.repeat(3) + target)))
  const direct = [shop.root, "/@fs", `/@fs${shop.root}`, "//", "/file://", "/.", "/%00", "/C:", "/~", "/proc/self/root"]
  const tricks = direct.flatMap((start) => [
    `${start}/secret.json`,
    `${start}/secret.json?raw??`,
    `${start}/secret.json::$DATA`,
    `${start}/secret.json%00.js`,
  ])
  const ids = [
    ".",
    "..",
    "run",
    "*",
    "0".repeat(16),
    "0".repeat(17),
    "..%2f..%2fsecret.json",
    "__proto__",
    "constructor",
  ]
  const payloads = [
    ...climbs,
    ...tricks,
    ...ids.flatMap((id) => [`/api/runs/${id}`, `/api/runs/${id}/events`, `/api/runs/${id}/../../secret.json`]),
  ]
  expect(payloads.length).toBeGreaterThan(400)
  for (const path of payloads) {
    const answer = await ask(port(), { path: path.replace(/[\0\s]/g, ""), headers: shop.headers })
    expect([400, 404], path).toContain(answer.status)
    expect(answer.text).not.toMatch(new RegExp(`${SECRET}|root:|shallow-net`))
    expectHeaders(answer)
  }
}, 120_000)

test.skipIf(process.platform !== "linux")("no folder that becomes a link while it is looked at", async () => {
  const [outside, swapped] = [join(shop.root, "outside"), shop.makeRun("swapped")]
  mkdirSync(outside)
  writeFileSync(join(outside, "config.json"), JSON.stringify({ secret: SECRET }))
  const code = `
    const { renameSync, symlinkSync, unlinkSync } = require("node:fs")
    const [outside, swapped] = process.argv.slice(1)
    process.stdout.write("ready")
    for (;;) {
      renameSync(swapped, swapped + "-away")
      symlinkSync(outside, swapped)
      unlinkSync(swapped)
      renameSync(swapped + "-away", swapped)
    }`
  const child = spawn(node, ["-e", code, outside, swapped])
  await once(child.stdout, "data")
  const counts = new Map<string, number>()
  // On a busy machine the two may keep out of each other's way for long: look until they have met.
  for (let i = 0; i < 1000 || (counts.size < 2 && i < 50_000); i++) {
    const { status, text } = await shop.get("/api/runs")
    expect(status).toBe(200)
    expect(text).not.toContain(SECRET)
    const { runs } = JSON.parse(text) as RunList
    const seen = runs.find(({ name }) => name === "swapped")?.problem ?? "none"
    counts.set(seen, (counts.get(seen) ?? 0) + 1)
  }
  child.kill("SIGKILL")
  await once(child, "exit")
  // The race was one: some looks have met the link.
  expect(counts.size).toBeGreaterThan(1)
})

test("only this machine can connect", async () => {
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address?.internal === false && address.family === "IPv4")
  for (const other of others) {
    const socket = connect(port(), other!.address)
    const [error] = await once(socket, "error").catch((thrown: unknown) => [thrown])
    expect(error).toMatchObject({ code: "ECONNREFUSED" })
  }
  const loopback = Object.values(networkInterfaces()).flat()
  if (!loopback.some((address) => address?.address === "::1")) return
  const socket = connect(port(), "::1")
  await once(socket, "connect")
  socket.destroy()
})

test("the 257th connection gets 503", async () => {
  const studio = await startStudio({ port: 0, runs: shop.runs, site: shop.site })
  const sockets: Socket[] = []
  for (let i = 0; i < 256; i++) {
    const socket = connect(studio.port, "127.0.0.1")
    socket.on("error", () => {})
    sockets.push(socket)
    await once(socket, "connect")
  }
  const answer = await ask(studio.port, { path: new URL(studio.url).pathname })
  expect(answer).toMatchObject({ status: 503, headers: { connection: "close" } })
  expectHeaders(answer)
  sockets[0]!.destroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect((await ask(studio.port, {})).status).toBe(401)
  await studio.close()
})

test("500 requests of junk change nothing", async () => {
  let state = 20_260_101
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const noise = (length: number): string => Array.from({ length }, () => String.fromCharCode(random(256))).join("")
  const host = `Host: 127.0.0.1:${port()}\r\n`
  const pieces = [
    ...[
      "GET ",
      "POST ",
      "\0",
      " ",
      "HTTP/1.1",
      "HTTP/9.9",
      "\r\n",
      "\r\n\r\n",
      "\n",
      "\r",
      "/",
      "/api/runs",
      "/?token=",
      "%",
      "?",
      "#",
    ],
    ...[
      host,
      `Cookie: ${shop.headers.cookie}\r\n`,
      "Content-Length: -1\r\n",
      "Content-Length: 99999999999999999999\r\n",
      ": \r\n",
      "0\r\n",
    ],
    ...[
      "Transfer-Encoding: chunked\r\n",
      "Transfer-Encoding: x, chunked\r\n",
      "Expect: 100-continue\r\n",
      "Connection: close\r\n",
      "ffffffff\r\n",
    ],
    ...[
      "Content-Type: application/json\r\n",
      "Upgrade: h2c\r\n",
      `X: ${"x".repeat(17_000)}\r\n`,
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\x16\x03\x01",
    ],
  ]
  const valid = `${pick(["GET", "POST"])} /api/runs HTTP/1.1\r\n${host}Cookie: ${shop.headers.cookie}\r\nConnection: close\r\n\r\n`
  const junk = (): string => {
    if (random(3) === 0) return noise(1 + random(300))
    if (random(2) === 0)
      return Array.from({ length: 1 + random(12) }, () => (random(6) === 0 ? noise(5) : pick(pieces))).join("")
    const at = random(valid.length)
    return valid.slice(0, at) + pick([noise(3), pick(pieces), ""]) + valid.slice(at + random(4))
  }
  const before = await shop.list()
  const answers: string[] = []
  for (let i = 0; i < 10; i++) {
    const texts = Array.from({ length: 50 }, () => Buffer.from(`${junk()}\r\n\r\n`, "latin1"))
    answers.push(...(await Promise.all(texts.map((text) => talk(port(), text, 400)))))
  }
  for (const answer of answers) {
    if (answer !== "") expect(answer).toMatch(/^HTTP\/1\.1 [2-4]\d\d /)
    expect(answer).not.toMatch(/\n {4}at |E_INTERNAL/)
  }
  expect(await shop.list()).toEqual(before)
})
