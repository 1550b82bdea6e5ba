// Those who follow a run, over real connections: told in order and once, from one reading; who takes nothing costs nobody anything.
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { afterAll, beforeAll, expect, test } from "vitest"
import type { Epoch, Run } from "../cli/studio/api.ts"
import { createFollowers } from "../cli/studio/followers.ts"
import type { Source } from "../cli/studio/runs.ts"

let server: Server
beforeAll(async () => {
  server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
})
afterAll(() => {
  server.close()
})

/** A run that the test writes, which counts how often it is read and watched. */
function madeUp(): Source & {
  readonly counts: Record<"read" | "signals" | "watched", number>
  grow(by: number, size: number): void
} {
  const epochs: Epoch[] = []
  const signals = new Map<number, string>()
  const counts = { read: 0, signals: 0, watched: 0 }
  let changed: (() => void) | undefined
  return {
    id: "0123456789abcdef",
    epochs,
    rewritten: 0,
    read: () => {
      counts.read++
      const run: Omit<Run, "findings"> = {
        id: "",
        name: "",
        config: null,
        epochs,
        state: "running",
        begun: 0,
        result: null,
        problem: null,
      }
      return { ...run, findings: [epochs.length] }
    },
    signals: () => {
      counts.signals++
      return signals
    },
    follow: (callback) => {
      counts.watched++
      changed = callback
      return () => {
        counts.watched--
        changed = undefined
      }
    },
    stop: () => {},
    counts,
    grow: (by, size) => {
      for (let i = 0; i < by; i++) {
        const epoch = epochs.length + 1
        signals.set(epoch, JSON.stringify({ epoch, text: "x".repeat(size) }))
        epochs.push({ epoch, loss: 1 / epoch })
      }
      changed?.()
    },
  }
}

/** A connection: what the server has of it, and what has come at the other end, by names and numbers. */
interface Line {
  readonly near: Socket
  readonly far: Socket
  readonly heard: string[]
  until(last: string): Promise<void>
}

async function open(): Promise<Line> {
  const { port } = server.address() as AddressInfo
  const accepted = once(server, "connection") as Promise<[Socket]>
  const far = connect(port, "127.0.0.1")
  const [near] = await accepted
  const heard: string[] = []
  let text = ""
  far.setEncoding("utf8").on("data", (piece: string) => {
    const blocks = (text + piece).split("\n\n")
    text = blocks.pop()!
    for (const block of blocks) {
      if (block.startsWith(":")) continue
      const [, name, data] = /^event: (\w+)\n(?:id: \d+\n)?data: (.*)$/.exec(block)!
      const value = JSON.parse(data!) as { readonly epoch?: number; readonly findings?: readonly number[] }
      heard.push(`${name} ${value.epoch ?? value.findings?.[0]}`)
    }
  })
  const until = async (last: string): Promise<void> => {
    while (!heard.includes(last)) await once(far, "data")
  }
  return { near, far, heard, until }
}

const told = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => [`signals ${first + i}`, `epoch ${first + i}`]).flat()
const isState = (event: string): boolean => event.startsWith("state ")

test("two hundred hear all in order, from one watcher and one reading; who leaves is forgotten", async () => {
  const source = madeUp()
  const followers = createFollowers(60_000)
  const lines: Line[] = []
  for (let i = 0; i < 200; i++) lines.push(await open())
  source.grow(3, 10)
  for (const { near } of lines) followers.add(near, source, 0)
  expect(source.counts).toEqual({ read: 1, signals: 1, watched: 1 })
  for (let i = 0; i < 20; i++) {
    source.grow(2, 1000)
    // Some have heard of it when the next comes, some have not.
    await lines[i]!.until(`state ${source.epochs.length}`)
  }
  await Promise.all(lines.map(({ until }) => until("state 43")))
  expect(source.counts).toEqual({ read: 21, signals: 21, watched: 1 })
  for (const { heard } of lines) {
    expect(heard.filter((event) => !isState(event))).toEqual(told(1, 43))
    expect(heard.slice(0, 7)).toEqual([...told(1, 3), "state 3"])
  }
  for (const { far, near } of lines) {
    far.destroy()
    if (!near.closed) await once(near, "close")
  }
  expect(source.counts.watched).toBe(0)
})

test("who takes nothing delays nobody, and no more than one piece waits for it; then it hears all, and the last state alone", async () => {
  const source = madeUp()
  const followers = createFollowers(60_000)
  const [slow, ...others] = [await open(), await open(), await open()]
  slow.far.pause()
  for (const { near } of [slow, ...others]) followers.add(near, source, 0)
  // A piece is 64 kB and the event that it ends with.
  const [event, waiting] = [8000, [0]]
  for (let i = 0; i < 300; i++) {
    source.grow(10, event)
    waiting.push(slow.near.writableLength)
    await Promise.all(others.map(({ until }) => until(`state ${source.epochs.length}`)))
  }
  expect(slow.near.writableNeedDrain).toBe(true)
  expect(Math.max(...waiting)).toBeGreaterThan(0)
  expect(Math.max(...waiting)).toBeLessThanOrEqual(2 * (2 ** 16 + event + 200))
  for (const { heard } of others) expect(heard.filter((one) => !isState(one))).toEqual(told(1, 3000))
  slow.far.resume()
  await slow.until("state 3000")
  expect(slow.heard.filter((one) => !isState(one))).toEqual(told(1, 3000))
  expect(slow.heard.filter(isState).length).toBeLessThan(others[0]!.heard.filter(isState).length)
  for (const { far } of [slow, ...others]) far.destroy()
})
