// What the peers written in TypeScript share: arguments, data, and the lines they print. Knows no peer.

import { readFileSync, readSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { Task } from "../workloads.ts"

/** What a peer is asked for. */
export interface Arguments {
  readonly task: Task
  readonly threads: number
  /** Epochs in all, the one to warm up included. */
  readonly epochs: number
  /** Which of several ways, where a peer has them. */
  readonly variant: string
}

/** Whether this process trains only when it is told to. */
let inTurns = false

/** Reads `--workload task.json --threads N --epochs N --variant name [--turns]`. */
export function readArguments(): Arguments {
  const text = { type: "string" } as const
  const turns = { type: "boolean", default: false } as const
  const { values } = parseArgs({ options: { workload: text, threads: text, epochs: text, variant: text, turns } })
  inTurns = values.turns
  if (values.workload === undefined) throw new Error("--workload task.json is missing")
  return {
    task: JSON.parse(readFileSync(values.workload, "utf8")) as Task,
    threads: Number(values.threads ?? 1),
    epochs: Number(values.epochs ?? 2),
    variant: values.variant ?? "",
  }
}

/** With `--turns`: waits until it is this process's turn, before each epoch and before the validation; a line of the input says so. */
export function turn(): void {
  if (inTurns && readSync(0, new Uint8Array(1)) === 0) process.exit(0)
}

/** The version of a package that is installed in bench/. */
export function versionOf(name: string): string {
  const path = join(import.meta.dirname, "..", "node_modules", name, "package.json")
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version
}

/** Prints one line of JSON. */
export function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Rows as they lie in the files. */
export interface Rows {
  readonly x: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>
  /** The class of each row. */
  readonly y: Int32Array<ArrayBuffer>
  readonly rows: number
}

/** Reads the rows to train or to validate with. */
export function readRows(task: Task, part: "train" | "test" = "train"): Rows {
  const from = part === "test" ? task.test : task
  if (from === null) throw new Error(`workload ${task.id} has nothing to validate with`)
  const bytes = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(path))
  const x = bytes(from.x)
  return {
    x: task.kind === "uint8" ? x : new Float32Array(x.buffer),
    y: new Int32Array(bytes(from.y).buffer),
    rows: from.rows,
  }
}

/** Inputs as float32; bytes become numbers from 0 to 1. */
export function asFloats({ x }: Rows): Float32Array<ArrayBuffer> {
  return x instanceof Float32Array ? x : Float32Array.from(x, (byte) => byte / 255)
}

/** Targets: one-hot rows, or the classes themselves for one output. */
export function asTargets(task: Task, { y, rows }: Rows): Float32Array<ArrayBuffer> {
  const classes = task.sizes.at(-1)!
  if (classes === 1) return Float32Array.from(y)
  const targets = new Float32Array(rows * classes)
  for (let i = 0; i < rows; i++) targets[i * classes + y[i]!] = 1
  return targets
}

/** The numbers from 0 to n - 1 in a random order. */
export function shuffled(n: number): Int32Array<ArrayBuffer> {
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const k = Math.floor(Math.random() * (i + 1))
    const value = order[i]!
    order[i] = order[k]!
    order[k] = value
  }
  return order
}
