// The peers of the benchmark as a table: how each is started, and whether it can run here. Knows no results.

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { cache, root } from "./workloads.ts"

/** One way to train a workload. */
export interface Peer {
  readonly id: string
  /** Program and first arguments; workload, threads and epochs follow. */
  readonly command: readonly string[]
  /** Numbers of threads it can use (0: its own choice); by default any. */
  readonly threads?: readonly number[]
  /** Workloads it can train; by default all. */
  readonly workloads?: readonly string[]
}

/** What was found: the peers that can run, and why the others cannot. */
export interface Found {
  readonly peers: readonly Peer[]
  readonly absent: { readonly [id: string]: string }
}

const at = (name: string): string => join(import.meta.dirname, "peers", name)
const installed = (name: string): boolean => existsSync(join(import.meta.dirname, "node_modules", name))

/** The first Python that can import this module; one that has PyTorch too comes first, so that both take the same BLAS. */
function python(module: string): string | undefined {
  const candidates = [process.env.BENCH_PYTHON ?? "python3", "/usr/bin/python3"]
  const can = (path: string, modules: string): boolean =>
    spawnSync(path, ["-c", `import ${modules}`], { stdio: "ignore" }).status === 0
  return candidates.find((path) => can(path, `${module}, torch`)) ?? candidates.find((path) => can(path, module))
}

/** Builds a program in C or C++ unless it is there and newer than its source; the compiler's words if it fails. */
export function build(compiler: string, flags: readonly string[], source: string): { path: string; fault?: string } {
  mkdirSync(cache, { recursive: true })
  const path = join(cache, source.replace(/\.\w+$/, ""))
  if (existsSync(path) && statSync(path).mtimeMs > statSync(at(source)).mtimeMs) return { path }
  const { status, error, stderr } = spawnSync(compiler, [...flags, at(source), "-o", path, "-pthread"], {
    encoding: "utf8",
  })
  if (status === 0) return { path }
  return { path, fault: error ? `no ${compiler} here` : `${compiler} failed: ${stderr.slice(0, 300)}` }
}

/** How native.cpp and peak.c are built. */
export const flags: { readonly native: readonly string[]; readonly peak: readonly string[] } = {
  native: ["-O3", "-march=native", "-ffast-math", "-std=c++20"],
  peak: ["-O2", "-ffp-contract=off"],
}

/** The peers whose ids begin with one of `wanted`, in the order in which they run. */
export function findPeers(wanted: readonly string[] | undefined): Found {
  const peers: Peer[] = []
  const absent: Record<string, string> = {}
  const wants = (id: string): boolean => wanted === undefined || wanted.some((name) => id.startsWith(name))
  const add = (peer: Peer, fault?: string): void => {
    if (!wants(peer.id)) return
    if (fault === undefined) peers.push(peer)
    else absent[peer.id] = fault
  }
  const node = (file: string, variant: string): string[] => [process.execPath, at(file), "--variant", variant]
  const unbuilt = existsSync(join(root, "dist", "index.js")) ? undefined : "dist/ is missing: npm run build"

  for (const variant of ["fused", "portable", "narrow-fused", "narrow-portable"]) {
    add({ id: `trilobite-${variant}`, command: node("trilobite.ts", variant) }, unbuilt)
  }
  // How many threads the library takes by itself.
  const small = ["a", "d", "e"]
  add({ id: "trilobite-default", command: node("trilobite.ts", "fused"), threads: [0], workloads: small }, unbuilt)
  for (const [id, module] of [
    ["pytorch", "torch"],
    ["numpy_by_hand", "numpy"],
  ] as const) {
    if (!wants(id)) continue
    const path = python(module)
    const fault = path === undefined ? `no python3 with ${module}` : undefined
    add({ id, command: [path ?? "", at(`${id}.py`)] }, fault)
  }
  if (wants("native")) {
    const { path, fault } = build("g++", flags.native, "native.cpp")
    add({ id: "native", command: [path] }, fault)
  }
  const absence = (name: string): string | undefined => (installed(name) ? undefined : `${name}: npm ci in bench/`)
  const jax = "@jax-js/jax"
  add({ id: "jax-js-wasm", command: node("jax.ts", "wasm"), threads: [1] }, absence(jax))
  add({ id: "brain.js", command: node("brain.ts", ""), threads: [1], workloads: ["d"] }, absence("brain.js"))
  const tf = "@tensorflow/tfjs"
  add({ id: "tfjs-wasm", command: node("tfjs.ts", "wasm") }, absence(`${tf}-backend-wasm`))
  add({ id: "tfjs-cpu", command: node("tfjs.ts", "cpu"), threads: [1] }, absence(tf))
  return { peers, absent }
}
