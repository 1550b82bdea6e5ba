// Trains on a file larger than memory and on as many of its rows in memory as the engine holds, and prints both rates:
//   node bench/large.ts --gigabytes 8 --rounds 2500 --threads 2 --shuffle true --units 64,512
// Each number of units is a network of its own: 784-64-64-10 is (a), 784-512-512-10 is (b).
// The file is written to a temporary folder (--folder) and removed at the end; before each measurement it is read once, so that it is in
// the system's cache as far as that goes: diskMegabytes says what came from the disk all the same. One process trains on the file alone, and says what memory that took; in another both train epoch by epoch in
// turns (--tries of each, after one to warm up).
import { spawnSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statfsSync, writeSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { fileDataset, npyFile } from "../src/datasets.ts"
import { type Callback, dense, type Model, sequential, sgd } from "../src/index.ts"
import { type Ended, inTurns } from "./in-turns.ts"
import { median } from "./machine.ts"

const WIDTH = 784
const ROW = 4 * WIDTH
const BATCH = 128
/** Rows of the slice in memory: the engine's memory ends at 4 GiB. */
const MOST_IN_MEMORY = 1_000_000

const { values: options } = parseArgs({
  options: {
    gigabytes: { type: "string", default: "8" },
    rounds: { type: "string", default: "2500" },
    threads: { type: "string", default: String(cpus().length) },
    shuffle: { type: "string", default: "true" },
    folder: { type: "string", default: tmpdir() },
    tries: { type: "string", default: "7" },
    measure: { type: "string" },
    wide: { type: "string", default: "false" },
    units: { type: "string", default: "64" },
  },
})
const shuffle = options.shuffle === "true"
const threads = Number(options.threads)
const rounds = Number(options.rounds)

/** What a measurement prints: rows per second of each epoch, and its own peak. */
interface Measured {
  readonly streamed: readonly number[]
  readonly memory: readonly number[]
  readonly peakMegabytes: number
  /** What the process has read from the disk instead of the system's cache. */
  readonly diskMegabytes: number
  readonly loss: number
}

/** The header of an npy file, version 1. */
function header(descr: string, shape: string): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`
  const padded = `${text.padEnd(117)}\n`
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(padded, "latin1")])
}

/** Writes rows of a pattern that a net can learn: the label is the place of a bright stripe. */
function write(folder: string, rows: number): void {
  const [x, y] = [openSync(join(folder, "x.npy"), "w"), openSync(join(folder, "y.npy"), "w")]
  writeSync(x, header("<f4", `${rows}, ${WIDTH}`))
  writeSync(y, header("|u1", `${rows},`))
  const piece = 4096
  const block = new Float32Array(piece * WIDTH)
  const labels = new Uint8Array(piece)
  let state = 1
  for (let first = 0; first < rows; first += piece) {
    const n = Math.min(piece, rows - first)
    for (let r = 0; r < n; r++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const label = state % 10
      labels[r] = label
      for (let j = 0; j < WIDTH; j++) {
        block[r * WIDTH + j] = (((j * 31 + state) & 255) / 255) * 0.5 + (j % 10 === label ? 0.5 : 0)
      }
    }
    writeSync(x, new Uint8Array(block.buffer, 0, n * ROW))
    writeSync(y, labels, 0, n)
    if (process.stderr.isTTY) process.stderr.write(`\r${Math.round((100 * first) / rows)} % written `)
  }
  closeSync(x)
  closeSync(y)
}

/** Reads the file once, into the system's cache. */
function warm(folder: string): void {
  const file = openSync(join(folder, "x.npy"), "r")
  const piece = new Uint8Array(8 * 1024 * 1024)
  while (readSync(file, piece) > 0);
  closeSync(file)
}

function createModel(units: number): Model {
  const layers = [
    dense({ units, activation: "relu", inputShape: [WIDTH] }),
    dense({ units, activation: "relu" }),
    dense({ units: 10, activation: "softmax" }),
  ]
  const model = sequential(layers, { seed: 1, threads, wideVectors: options.wide === "true" })
  model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.01 }) })
  return model
}

/** One measurement, in the process that is given to it: of the file alone, or epoch by epoch in turns with its first rows in memory. */
async function measure(kind: "streamed" | "turns", folder: string): Promise<Measured> {
  const dataset = fileDataset({ x: npyFile(join(folder, "x.npy")), y: npyFile(join(folder, "y.npy")) })
  const stepsPerEpoch = Math.min(rounds, Math.ceil(dataset.rows / BATCH))
  const epochs = kind === "turns" ? Number(options.tries) + 1 : 2
  const common = { batchSize: BATCH, shuffle, verbose: 0, epochs } as const
  const perEpoch = {
    streamed: Math.min(dataset.rows, rounds * BATCH),
    memory: Math.min(dataset.rows, MOST_IN_MEMORY, rounds * BATCH),
  }
  const seconds = { streamed: [] as number[], memory: [] as number[] }
  const fitStreamed = async (callbacks: readonly Callback[] = []): Promise<Ended> =>
    createModel(Number(options.units)).fit(dataset, { ...common, callbacks, stepsPerEpoch })
  const fitMemory = async (callbacks: readonly Callback[]): Promise<Ended> => {
    const rows = perEpoch.memory
    const data = new Float32Array(rows * WIDTH)
    const labels = new Uint8Array(rows)
    const wanted = Int32Array.from({ length: rows }, (_, i) => i)
    dataset.read(wanted, { x: new Uint8Array(data.buffer), y: labels })
    return createModel(Number(options.units)).fit({ data, shape: [rows, WIDTH] }, labels, { ...common, callbacks })
  }
  let ended: Ended
  if (kind === "streamed") {
    ended = await fitStreamed()
    seconds.streamed.push(ended.seconds.at(-1)!)
  } else {
    const turns = inTurns(seconds)
    ;[ended] = await Promise.all([turns("streamed", fitStreamed), turns("memory", fitMemory)])
  }
  // The first epoch of each is to warm up.
  const rates = (kind: "streamed" | "memory"): number[] =>
    seconds[kind].slice(epochs > 2 ? 1 : 0).map((s) => Math.round(perEpoch[kind] / s))
  const { maxRSS, fsRead } = process.resourceUsage()
  return {
    streamed: rates("streamed"),
    memory: rates("memory"),
    peakMegabytes: Math.round(maxRSS / 1024),
    // The system counts in blocks of 512 bytes.
    diskMegabytes: Math.round((fsRead * 512) / 1024 / 1024),
    loss: ended.history.loss!.at(-1)!,
  }
}

if (options.measure === "streamed" || options.measure === "turns") {
  console.log(JSON.stringify(await measure(options.measure, options.folder)))
} else {
  const rows = Math.floor((Number(options.gigabytes) * 1024 * 1024 * 1024) / ROW)
  const { bavail, bsize } = statfsSync(options.folder)
  if (bavail * bsize < 1.2 * rows * ROW) throw new Error(`${options.folder} has no room for ${rows * ROW} bytes`)
  const folder = mkdtempSync(join(options.folder, "trilobite-large-"))
  process.on("SIGINT", () => process.exit(1))
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
  write(folder, rows)
  const run = (kind: string, units: string): Measured => {
    const rest = ["--rounds", `${rounds}`, "--threads", `${threads}`, "--shuffle", `${shuffle}`, "--wide", options.wide]
    warm(folder)
    const args = [...process.execArgv, import.meta.filename, "--measure", kind, "--folder", folder, ...rest]
    args.push("--units", units, "--tries", options.tries)
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" })
    if (status !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as Measured
  }
  const networks = options.units.split(",").map((units) => {
    const { peakMegabytes, loss } = run("streamed", units)
    const { streamed, memory, diskMegabytes } = run("turns", units)
    const ratios = streamed.map((rate, i) => Math.round((1000 * rate) / memory[i]!) / 1000)
    return {
      units: Number(units),
      peakMegabytes,
      diskMegabytes,
      loss,
      ratio: median(ratios),
      ratios,
      rowsPerSecond: { streamed, memory },
    }
  })
  const report = {
    gigabytes: (rows * ROW) / 1024 / 1024 / 1024,
    rows,
    rounds,
    threads,
    shuffle,
    wideVectors: options.wide === "true",
    node: process.version,
    cpu: cpus()[0]?.model,
    networks,
  }
  console.log(JSON.stringify(report, undefined, 2))
}
