// The WebAssembly backend: a module generated for each program, run by worker threads. All that works is imported when the
// first program is loaded: who only describes models, or reads them, does not wait for it.

import type { Program } from "../../program/program.ts"
import type { Backend, Executable } from "../backend.ts"
import type { WasmOptions } from "./load.ts"
import { inNode } from "./platform.ts"
import type { Pool } from "./pool.ts"

/** The WebAssembly backend on any platform. */
export interface WasmBackend extends Omit<Backend, "load"> {
  load(program: Program, options?: WasmOptions): Promise<Executable>
}

/** The WebAssembly backend over a pool, by default those of this process. */
export function wasmBackendOver(pool?: Pool): WasmBackend {
  return {
    name: "wasm",
    unavailable: () => {
      if (typeof WebAssembly !== "object") return "this JavaScript engine has no WebAssembly"
      if (!inNode() && typeof Worker !== "function") return "there are no workers here"
      return undefined
    },
    load: async (program, options = {}) => {
      const { loadProgram, poolFor } = await import("./load.ts")
      return loadProgram(pool ?? (await poolFor(options.workerUrl)), program, options)
    },
  }
}

/** The WebAssembly backend. */
export const wasmBackend: WasmBackend = wasmBackendOver()
