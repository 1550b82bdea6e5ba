// The WebAssembly backend: a module generated for each program, run by worker threads over shared memory.
// Knows where it runs and what is fastest there, not what a program computes.

import { configError } from "../../core/errors.ts"
import type { Program } from "../../program/program.ts"
import type { Backend, Executable, LoadOptions } from "../backend.ts"
import { module_ } from "./assembler.ts"
import { browserPlatform } from "./browser-platform.ts"
import { drop } from "./control.ts"
import { WasmExecutable } from "./executable.ts"
import { f32x4 } from "./instructions.ts"
import type { Tile } from "./kernel.ts"
import type { Platform } from "./platform.ts"
import { createPool, type Pool } from "./pool.ts"
import { tune, type Variant } from "./tune.ts"

/** The pools of this process, by where their workers begin; made when a program is loaded. */
const pools = new Map<string | undefined, Promise<Pool>>()

function poolFor(workerUrl: string | undefined): Promise<Pool> {
  let pool = pools.get(workerUrl)
  if (pool === undefined) {
    // Node's part is imported only there: browsers need not even load it.
    const platform = inNode()
      ? import("./node-platform.ts").then((node) => node.platform)
      : Promise.resolve(browserPlatform(workerUrl))
    pool = platform.then(createPool)
    pools.set(workerUrl, pool)
  }
  return pool
}

function inNode(): boolean {
  return (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined
}

/** Options of this backend. They change the speed and no bit. */
export interface WasmOptions extends LoadOptions {
  /** The tile of matrix products; found by timing if it is not given. */
  readonly tile?: Tile | undefined
  /** False: one worker with a memory of its own, as in a page that may not share memory. */
  readonly shared?: boolean | undefined
}

/** The WebAssembly backend on any platform. */
export interface WasmBackend extends Omit<Backend, "load"> {
  load(program: Program, options?: WasmOptions): Promise<Executable>
}

/** The WebAssembly backend over other pools than those of this process. */
export function wasmBackendOver(pool: (workerUrl: string | undefined) => Promise<Pool>): WasmBackend {
  return {
    name: "wasm",
    unavailable: () => {
      if (typeof WebAssembly !== "object") return "this JavaScript engine has no WebAssembly"
      if (!inNode() && typeof Worker !== "function") return "there are no workers here"
      return undefined
    },
    load: async (program, options = {}) => {
      const workers = await pool(options.workerUrl)
      const { platform } = workers
      if (program.numerics === "fused") checkFused(platform)
      const shared = platform.shared && options.shared !== false
      const wide = options.wideVectors === true && platform.wideVectors && shared
      const given: Variant | undefined = options.tile === undefined ? undefined : { tile: options.tile, wide }
      const variant = given ?? tune(platform, program.numerics, wide)
      const plain = variant.wide ? tune(platform, program.numerics, false) : variant
      const threads = options.threads ?? platform.cores
      const fewer = options.threads === undefined
      return new WasmExecutable(program, workers, { threads, fewer, shared, variant, plain })
    },
  }
}

/** The WebAssembly backend. */
export const wasmBackend: WasmBackend = wasmBackendOver(poolFor)

/** Throws E_CONFIG if this engine has no fused multiply-add. */
function checkFused(platform: Platform): void {
  const m = module_()
  const one = f32x4.const(1, 1, 1, 1)
  m.define("fused", { params: [], results: [] }, () => [drop(f32x4.relaxedMadd(one, one, one))])
  if (platform.validates(m.finish(), { wide: false, relaxed: true })) return
  throw configError({
    where: "numerics",
    what: "this JavaScript engine has no fused multiply-add (relaxed SIMD).",
    hint: 'Use numerics: "portable", which gives the same bits everywhere.',
  })
}
