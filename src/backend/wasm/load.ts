// Loads programs: a module for each, on a pool of threads, with what is fastest where it runs.
// Knows where it runs, not what a program computes.

import { configError } from "../../core/errors.ts"
import type { Program } from "../../program/program.ts"
import type { Executable, LoadOptions } from "../backend.ts"
import { module_ } from "./assembler.ts"
import { browserPlatform } from "./browser-platform.ts"
import { drop } from "./control.ts"
import { WasmExecutable } from "./executable.ts"
import { f32x4 } from "./instructions.ts"
import type { Tile } from "./kernel.ts"
import { inNode, type Platform } from "./platform.ts"
import { createPool, type Pool } from "./pool.ts"
import { candidates, tune, type Variant } from "./tune.ts"

/** Options of this backend. They change the speed and no bit. */
export interface WasmOptions extends LoadOptions {
  /** The tile of matrix products; found by timing if it is not given. */
  readonly tile?: Tile | undefined
  /** False: one worker with a memory of its own, as in a page that may not share memory. */
  readonly shared?: boolean | undefined
}

/** The pools of this process, by where their workers begin; made when a program is loaded. */
const pools = new Map<string | undefined, Promise<Pool>>()

/** The pool of this process whose workers begin with that script. */
export function poolFor(workerUrl: string | undefined): Promise<Pool> {
  const known = pools.get(workerUrl)
  if (known !== undefined) return known
  // Node's part is imported only there: browsers need not even load it.
  const platform = inNode()
    ? import("./node-platform.ts").then((node) => node.platform)
    : Promise.resolve(browserPlatform(workerUrl))
  const pool = platform.then(createPool)
  pools.set(workerUrl, pool)
  return pool
}

/** Loads a program on a pool. */
export function loadProgram(workers: Pool, program: Program, options: WasmOptions): Executable {
  const { platform } = workers
  if (program.numerics === "fused") checkFused(platform)
  const shared = platform.shared && options.shared !== false
  const wide = options.wideVectors === true && platform.wideVectors && shared
  const given: Variant | undefined = options.tile === undefined ? undefined : { tile: options.tile, wide }
  const variant = given ?? tune(platform, program.numerics, wide)
  // It proves the first round, and is timed by nobody.
  const plain = variant.wide ? candidates(platform, program.numerics, false)[0]! : variant
  const threads = options.threads ?? platform.cores
  const fewer = options.threads === undefined
  return new WasmExecutable(program, workers, { threads, fewer, shared, variant, plain })
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
