// What people who watch cost a training: runs with and without clients in turn, the server and the clients in processes of
// their own, as in life.
//   node bench/clients.ts [--clients 50] [--pairs 5] [--epochs 8]
// All three share the machine's processors, so what the server works is taken from the training: its processor time as a share of
// the training's, and of the time that this took (its threads wait for each other), are the steady figures. The clock's ratio holds also
// what the clients work, which is not the studio's to answer for; here they only keep what they hear. Prints JSON with every run;
// nothing is asserted here.

import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { get } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
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
  return { child, until }
}

const ask = (url: string, cookie: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { cookie } }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece))
      response.on("end", () => resolve(text))
    }).on("error", reject)
  })

/** What a client has heard, and when: milliseconds since 1970 of each piece. */
interface Heard {
  readonly pieces: Buffer[]
  readonly times: number[]
}

/** What all connections read into: it is kept at once. */
const buffer = Buffer.alloc(2 ** 18)

/** Listens to a run until it has told of the last epoch: as cheaply as can be, what it says is read afterwards. */
const listen = (origin: string, id: string, cookie: string): Promise<Heard> =>
  new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(origin)
    const [pieces, times, last]: [Buffer[], number[], string] = [[], [], `event: epoch\nid: ${epochs}\n`]
    let end = ""
    const callback = (count: number): boolean => {
      const piece = Buffer.from(buffer.subarray(0, count))
      pieces.push(piece)
      times.push(Date.now())
      const text = end + piece.toString("latin1")
      end = text.slice(-last.length)
      if (!text.includes(last)) return true
      resolve({ pieces, times })
      socket.destroy()
      return false
    }
    const socket = connect({ host, port: Number(port), onread: { buffer, callback } })
    socket.write(`GET /api/runs/${id}/events HTTP/1.1\r\nHost: ${host}:${port}\r\nCookie: ${cookie}\r\n\r\n`)
    socket.on("error", reject).on("end", () => reject(new Error("the stream has ended early")))
  })

/** The epochs that a client has heard of, in their order, and when the piece came that each ended in. */
function epochsIn({ pieces, times }: Heard): { readonly epoch: number; readonly at: number }[] {
  const found: { epoch: number; at: number }[] = []
  let text = ""
  for (const [i, piece] of pieces.entries()) {
    const blocks = (text + piece.toString("latin1")).split("\n\n")
    text = blocks.pop()!
    for (const block of blocks) {
      const id = /^event: epoch\nid: (\d+)\n/.exec(block)
      if (id !== null) found.push({ epoch: Number(id[1]), at: times[i]! })
    }
  }
  return found
}

if (values.watch !== undefined) {
  // The process of the clients: as many streams of the one live run. It says when all have heard of the last epoch, then what.
  const [origin, cookie] = [values.watch, process.env.COOKIE!]
  let run: { readonly id: string } | undefined
  while (run === undefined) {
    const { runs } = JSON.parse(await ask(`${origin}/api/runs`, cookie)) as { runs: { id: string; state: string }[] }
    run = runs.find(({ state }) => state === "running")
    if (run === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const { id } = run
  const all = Array.from({ length: clients }, () => listen(origin, id, cookie))
  const heard = await Promise.all(all)
  console.log("heard")
  // The other process now reads how much the processors have worked for this one; what comes next does not count.
  await new Promise((resolve) => setTimeout(resolve, 300))
  const answer = { pieces: heard.map(({ pieces }) => pieces.length), epochs: heard.map(epochsIn) }
  await new Promise((resolve) => process.stdout.write(`${JSON.stringify(answer)}\n`, resolve))
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
  /** Seconds of a processor from the end of the first epoch on: the training's until the last, the others' until all have heard of it. */
  readonly training: number
  readonly server: number
  readonly clients: number
  /** Seconds from the end of the first epoch to that of the last, with all that is done between epochs. */
  readonly clock: number
  /** Whether each client has heard of each epoch, once and in order. */
  readonly heardAll: boolean
  /** Pieces that the clients have got, of all together. */
  readonly pieces: number
  /** Milliseconds from the training's line of an epoch until a client had the event, in their order: of all clients and epochs. */
  readonly delays: readonly number[]
}

/** A training, watched or not. */
async function train(watched: boolean): Promise<Trained> {
  const runs = mkdtempSync(join(tmpdir(), "trilobite-clients-"))
  const studio = start([main, "studio", "--port", "0", "--no-open", "--runs", runs])
  const [url] = await studio.until(/http:\/\/127\.0\.0\.1:\d+\/\S*/)
  const { origin } = new URL(url)
  process.env.COOKIE = await new Promise<string>((resolve, reject) => {
    get(url, ({ headers }) => resolve(headers["set-cookie"]![0]!.split(";")[0]!)).on("error", reject)
  })
  const options = ["--watch", origin, "--clients", `${clients}`, "--epochs", `${epochs}`]
  const watcher = watched ? start([import.meta.filename, ...options]) : undefined
  const out = join(runs, "run")
  const training = start([main, "train", "intermediate-net", "--epochs", `${epochs}`, "--out", out, "--json"])
  const ended = new Promise<void>((resolve) => training.child.on("exit", () => resolve()))
  const times = (...of: readonly ({ readonly child: ChildProcess } | undefined)[]): number[] =>
    of.map((process) => (process === undefined ? 0 : processorSeconds(process.child.pid!)))

  // When the training has said what of its epochs.
  const lines: { readonly epoch: number; readonly seconds: number; readonly at: number }[] = []
  let [atFirst, atLast]: [number[], number[]] = [[], []]
  let text = ""
  training.child.stdout!.on("data", (piece: string) => {
    const whole = (text + piece).split("\n")
    text = whole.pop()!
    for (const line of whole) {
      const { epoch, seconds } = JSON.parse(line) as { readonly epoch?: number; readonly seconds?: number }
      if (epoch === undefined || seconds === undefined) continue
      lines.push({ epoch, seconds, at: Date.now() })
      if (epoch === 1) atFirst = times(training, studio, watcher)
      if (epoch === epochs) atLast = times(training)
    }
  })
  await watcher?.until(/heard\n/)
  if (watched) atLast.push(...times(studio, watcher))
  const heard =
    watcher === undefined
      ? { pieces: [], epochs: [] }
      : (JSON.parse((await watcher.until(/\{.*\}\n/))[0]) as {
          readonly pieces: readonly number[]
          readonly epochs: readonly (readonly { readonly epoch: number; readonly at: number }[])[]
        })
  await ended
  studio.child.kill("SIGINT")
  await new Promise((resolve) => studio.child.on("exit", resolve))
  rmSync(runs, { recursive: true, force: true })
  const said = new Map(lines.map(({ epoch, at }) => [epoch, at]))
  const [own = 0, server = 0, listening = 0] = atLast.map((time, i) => time - atFirst[i]!)
  return {
    seconds: lines.slice(1).reduce((sum, { seconds }) => sum + seconds, 0),
    training: own,
    server,
    clients: listening,
    clock: (said.get(epochs)! - said.get(1)!) / 1000,
    heardAll: heard.epochs.every((all) => all.length === epochs && all.every(({ epoch }, i) => epoch === i + 1)),
    pieces: heard.pieces.reduce((sum, n) => sum + n, 0),
    delays: heard.epochs
      .flatMap((all) => all.filter(({ epoch }) => epoch > 1).map(({ epoch, at }) => at - said.get(epoch)!))
      .sort((x, y) => x - y),
  }
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))
const percent = (part: number, whole: number): number => rounded((100 * part) / whole, 1)
/** The median of these, and all of them. */
const middle = (all: readonly number[]): object => ({ median: rounded(median(all), 2), all })

await train(false)
const rows: { readonly alone: Trained; readonly watched: Trained }[] = []
for (let i = 0; i < pairs; i++) {
  const first = await train(i % 2 === 1)
  const second = await train(i % 2 === 0)
  rows.push(i % 2 === 1 ? { alone: second, watched: first } : { alone: first, watched: second })
}
const delays = rows.flatMap(({ watched }) => watched.delays).sort((x, y) => x - y)
console.log(
  JSON.stringify(
    {
      machine: machine(),
      clients,
      epochs,
      heardAll: rows.every(({ watched }) => watched.heardAll),
      /** The clock: how much longer the epochs took. */
      slowerPercent: middle(rows.map(({ alone, watched }) => percent(watched.seconds - alone.seconds, alone.seconds))),
      /** Processor time, as a share of the training's. */
      trainingMorePercent: middle(
        rows.map(({ alone, watched }) => percent(watched.training - alone.training, alone.training)),
      ),
      serverPercent: middle(rows.map(({ watched }) => percent(watched.server, watched.training))),
      clientsPercent: middle(rows.map(({ watched }) => percent(watched.clients, watched.training))),
      /** Processor time, as a share of the time that a training alone takes. */
      serverOfClockPercent: middle(rows.map(({ alone, watched }) => percent(watched.server, alone.clock))),
      clientsOfClockPercent: middle(rows.map(({ alone, watched }) => percent(watched.clients, alone.clock))),
      /** Of the server, for each epoch that was told to one client. */
      microsecondsPerEvent: middle(
        rows.map(({ watched }) => rounded((1e6 * watched.server) / (clients * (epochs - 1)), 0)),
      ),
      /** Pieces that came for each epoch that was told to one client. */
      piecesPerEvent: middle(rows.map(({ watched }) => rounded(watched.pieces / (clients * epochs), 2))),
      /** From the training's line until a client had the event. */
      delayMilliseconds: {
        median: median(delays),
        p99: delays[Math.ceil(0.99 * delays.length) - 1],
        worst: delays.at(-1),
      },
      rows: rows.map(({ alone, watched }) => [alone, watched].map(({ delays: _, ...row }) => row)),
    },
    null,
    2,
  ),
)
process.exit(0)
