// Builds the command line as the package ships it and runs it as a process, by default with the Node that runs the tests.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { ROOT } from "./files.ts"

/** What a process has left. */
export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The command line for the tests of one file. */
export interface Cli {
  /** An empty folder: the current folder of every process. */
  readonly folder: string
  /** The built file. */
  readonly main: string
  start(args: readonly string[]): ChildProcessWithoutNullStreams
  run(...args: string[]): Promise<Finished>
}

/** The Node that runs the command: the one that runs the tests, or another to be tested. */
export const node: string = process.env.TRILOBITE_TEST_NODE ?? process.execPath

/** Builds before the tests of a file (in a folder of its own: other builds may be under way) and cleans up after them. */
export function useCli(): Cli {
  const built = join(ROOT, ".cache", `cli-${process.pid}`)
  const main = join(built, "cli/main.js")
  const folder = mkdtempSync(join(tmpdir(), "trilobite-cli-"))
  beforeAll(async () => {
    const bundler = join(ROOT, "node_modules/tsdown/dist/run.mjs")
    const bundling = spawn(process.execPath, [bundler, "--out-dir", built, "--no-dts"], { cwd: ROOT })
    const { code, out, err } = await finished(bundling)
    if (code !== 0) throw new Error(`tsdown failed\n${out}${err}`)
  }, 120_000)
  afterAll(() => {
    for (const path of [built, folder]) rmSync(path, { recursive: true, force: true })
  })
  const start = (args: readonly string[]): ChildProcessWithoutNullStreams =>
    spawn(node, [main, ...args], { cwd: folder })
  return { folder, main, start, run: (...args) => finished(start(args)) }
}

/** Waits for the end of a process and collects what it has written. */
export function finished(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  let [out, err] = ["", ""]
  child.stdout.on("data", (chunk) => (out += chunk))
  child.stderr.on("data", (chunk) => (err += chunk))
  return new Promise((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, out, err }))
  })
}

/** What a folder holds of a coached run that has ended. */
export const RUN_FILES: readonly string[] = [
  "checkpoints",
  "config.json",
  "evidence.jsonl",
  "findings.jsonl",
  "history.jsonl",
  "model.safetensors",
  "result.json",
  "signals.jsonl",
]
