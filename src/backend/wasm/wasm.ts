// The WebAssembly backend: a module generated for each program, run by worker threads over shared memory.
// Knows where it runs and what is fastest there, not what a program computes.

import { configError } from "../../core/errors.ts"
import type { Program } from "../../program/program.ts"
import type { Backend, Executable, LoadOptions } from "../backend.ts"
import { module_ } from "./assembler.ts"
import { drop } from "./control.ts"
import { WasmExecutable } from "./executable.ts"
import { f32x4 } from "./instructions.ts"
import type { Tile } from "./kernel.ts"
import type { Platform } from "./platform.ts"
import { createPool, type Pool } from "./pool.ts"
import { tune, type Variant } from "./tune.ts"

/** The pool of this process, once a program has been loaded. */
let pool: Promise<Pool> | undefined

function startPool(): Promise<Pool> {
  pool ??= import("./node-platform.ts").then(({ platform }) => createPool(platform))
  return pool
}

/** Options of this backend: the tile of matrix products, found by timing if it is not given, changes the speed and no bit. */
export interface WasmOptions extends LoadOptions {
  readonly tile?: Tile | undefined
}

/** The WebAssembly backend. */
export const wasmBackend: Omit<Backend, "load"> & {
  load(program: Program, options?: WasmOptions): Promise<Executable>
} = {
  name: "wasm",
  unavailable: () => {
    if (typeof WebAssembly !== "object") return "this JavaScript engine has no WebAssembly"
    if (typeof SharedArrayBuffer !== "function") return "shared memory is not available here"
    return undefined
  },
  load: async (program, options = {}) => {
    const workers = await startPool()
    const { platform } = workers
    if (program.numerics === "fused") checkFused(platform)
    const wide = options.wideVectors === true && platform.wideVectors
    const given: Variant | undefined = options.tile === undefined ? undefined : { tile: options.tile, wide }
    const variant = given ?? tune(platform, program.numerics, wide)
    const plain = variant.wide ? tune(platform, program.numerics, false) : variant
    const threads = options.threads ?? platform.cores
    return new WasmExecutable(program, workers, { threads, fewer: options.threads === undefined, variant, plain })
  },
}

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
