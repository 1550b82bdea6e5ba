// What people who watch cost a training: runs with and without clients in turn, the server and the clients in processes of
// their own, as in life.
//   node bench/clients.ts [--clients 50] [--pairs 5] [--epochs 8]
// Prints JSON with every run; nothing is asserted here.

import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { get } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { follow } from "../test/support/studio.ts"
import { machine, median } from "./machine.ts"

const number = { type: "string" } as const
const { values } = parseArgs({ options: { clients: number, pairs: number, epochs: number, watch: number } })
const clients = Number(values.clients ?? 50)
const pairs = Number(values.pairs ?? 5)
const epochs = Number(values.epochs ?? 8)
const main = join(import.meta.dirname, "../cli/main.ts")

/** A process of this program; its lines are collected. */
function start(args: readonly string[]): {
  readonly child: ChildProcess
  text(): string
  until(part: RegExp): Promise<RegExpExecArray>
} {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  let text = ""
  child.stdout!.setEncoding("utf8").on("data", (piece: string) => (text += piece))
  const until = (part: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = part.exec(text)
        if (found !== null) resolve(found)
      }
      child.stdout!.on("data", look)
      child.on("exit", () => reject(new Error(`ended before ${part}: ${text}`)))
      look()
    })
  return { child, text: () => text, until }
}

const ask = (url: string, cookie: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { cookie } }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece))
      response.on("end", () => resolve(text))
    }).on("error", reject)
  })

if (values.watch !== undefined) {
  // The process of the clients: as many streams of the one live run; it says how many epochs each has heard.
  const [origin, cookie] = [values.watch, process.env.COOKIE!]
  const port = Number(new URL(origin).port)
  let run: { readonly id: string } | undefined
  while (run === undefined) {
    const { runs } = JSON.parse(await ask(`${origin}/api/runs`, cookie)) as { runs: { id: string; state: string }[] }
    run = runs.find(({ state }) => state === "running" || state === "live")
    if (run === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const { id } = run
  const streams = Array.from({ length: clients }, () => follow(port, `/api/runs/${id}/events`, { cookie }))
  console.log("watching")
  await Promise.all(streams.map((stream) => stream.until(({ epochs: heard }) => heard.at(-1) === epochs)))
  console.log(JSON.stringify(streams.map(({ epochs: heard }) => heard.length)))
  process.exit(0)
}

/** Seconds of a processor that a process has had; NaN where Linux's /proc is not. */
function processorSeconds(pid: number): number {
  try {
    // After the name in brackets: fields 14 and 15 are its time and the system's for it, in hundredths of a second.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /, "").split(" ")
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return Number.NaN
  }
}

interface Trained {
  /** Seconds of the epochs but the first. */
  readonly seconds: number
  /** Seconds of a processor that the server has had meanwhile: on a busy machine a steadier figure than the clock's. */
  readonly server: number
  /** How many epochs each client has heard of. */
  readonly heard: readonly number[]
}

/** A training, watched or not. */
async function train(watched: boolean): Promise<Trained> {
  const runs = mkdtempSync(join(tmpdir(), "trilobite-clients-"))
  const studio = start([main, "studio", "--port", "0", "--no-open", "--runs", runs])
  const [url] = await studio.until(/http:\/\/127\.0\.0\.1:\d+\/\S*/)
  const { origin } = new URL(url)
  const cookie = await new Promise<string>((resolve, reject) => {
    get(url, ({ headers }) => resolve(headers["set-cookie"]![0]!.split(";")[0]!)).on("error", reject)
  })
  const before = processorSeconds(studio.child.pid!)
  const training = start([
    main,
    "train",
    "intermediate-net",
    "--epochs",
    String(epochs),
    "--out",
    join(runs, "run"),
    "--json",
  ])
  const ended = new Promise<void>((resolve) => training.child.on("exit", () => resolve()))
  let heard: number[] = []
  if (watched) {
    process.env.COOKIE = cookie
    const watcher = start([
      import.meta.filename,
      "--watch",
      origin,
      "--clients",
      String(clients),
      "--epochs",
      String(epochs),
    ])
    heard = JSON.parse((await watcher.until(/\[.*\]/))[0]) as number[]
  }
  await ended
  const server = processorSeconds(studio.child.pid!) - before
  studio.child.kill("SIGINT")
  await new Promise((resolve) => studio.child.on("exit", resolve))
  rmSync(runs, { recursive: true, force: true })
  const lines = training
    .text()
    .split("\n")
    .filter((line) => line.includes('"seconds"') && line.includes('"epoch"'))
    .map((line) => JSON.parse(line) as { readonly seconds: number })
  return { seconds: lines.slice(1).reduce((sum, { seconds }) => sum + seconds, 0), server, heard }
}

await train(false)
const rows: {
  readonly alone: number
  readonly watched: number
  readonly server: number
  readonly heardAll: boolean
}[] = []
for (let i = 0; i < pairs; i++) {
  const first = await train(i % 2 === 1)
  const second = await train(i % 2 === 0)
  const [alone, watched] = i % 2 === 1 ? [second, first] : [first, second]
  const heardAll = watched.heard.length === clients && watched.heard.every((n) => n === epochs)
  rows.push({ alone: alone.seconds, watched: watched.seconds, server: watched.server, heardAll })
}
const slower = rows.map(({ alone, watched }) => Math.round(1000 * (watched / alone - 1)) / 10)
console.log(
  JSON.stringify(
    { machine: machine(), clients, epochs, rows, slowerPercent: { median: median(slower), all: slower } },
    null,
    2,
  ),
)
process.exit(0)
