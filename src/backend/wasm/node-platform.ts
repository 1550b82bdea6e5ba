// What Node offers: worker threads, and a compiler of WebAssembly that can be told to take its time.
// Knows what a worker is sent, not what it computes.

import type { Compiling, Platform, Thread } from "./platform.ts"
import { type Answer, obey, transfersOf } from "./worker.ts"

// Not imported, but asked for: a bundler for browsers that follows all imports finds no module here that it lacks.
const { availableParallelism } = process.getBuiltinModule("node:os")
const { setFlagsFromString } = process.getBuiltinModule("node:v8")
const { Worker } = process.getBuiltinModule("node:worker_threads")

const source = `
const { parentPort } = require("node:worker_threads")
;(${obey.toString()})({
  on: (listener) => parentPort.on("message", listener),
  post: (answer, transfer) => parentPort.postMessage(answer, transfer),
})`

/** The version of V8 by which its abilities are known; Node reports no other engine. */
const v8 = Number.parseFloat(process.versions.v8)

/**
 * Flags that hold for the compilation of one module and are taken back at once: compile everything now and well, and
 * turn on what this version of V8 can do but does not by itself. Node calls changing flags at run time risky, hence the
 * short window; without them modules compile lazily and run at half speed for a while (measured: engine.md, "Tier-up").
 */
function flagsFor({ wide, relaxed }: Compiling): readonly (readonly [on: string, off: string])[] {
  return [
    ["--no-liftoff", "--liftoff"],
    ["--no-wasm-lazy-compilation", "--wasm-lazy-compilation"],
    // Inlining asks the baseline compiler what was called, which has not run: V8 14 (Node 26) ends the process over that.
    ...(v8 >= 13 ? ([["--no-wasm-inlining", "--wasm-inlining"]] as const) : []),
    ...(wide ? ([["--experimental-wasm-revectorize", "--no-experimental-wasm-revectorize"]] as const) : []),
    ...(relaxed && v8 < 12
      ? ([["--experimental-wasm-relaxed-simd", "--no-experimental-wasm-relaxed-simd"]] as const)
      : []),
  ]
}

function withFlags<T>(compiling: Compiling, work: () => T): T {
  const flags = flagsFor(compiling)
  for (const [on] of flags) setFlagsFromString(on)
  try {
    return work()
  } finally {
    for (const [, off] of flags) setFlagsFromString(off)
  }
}

/** Node's worker threads and compiler. */
export const platform: Platform = {
  cores: availableParallelism(),
  shared: true,
  mayCompute: true,
  // The pass that pairs vectors came with V8 13 (Node 24); before it the flag is absent or does nothing.
  wideVectors: v8 >= 13,
  // Loops with many different offsets are slow before V8 13 (measured: engine.md, "Design facts").
  manyOffsets: v8 >= 13,
  timing: true,
  compile: (bytes, compiling) => withFlags(compiling, () => new WebAssembly.Module(bytes)),
  validates: (bytes, compiling) => withFlags(compiling, () => WebAssembly.validate(bytes)),
  start: (onAnswer, onEnd): Thread => {
    const worker = new Worker(source, { eval: true, name: "trilobite", execArgv: [] })
    worker.on("message", (answer: Answer) => onAnswer(answer))
    worker.on("error", (error) => onEnd(String(error)))
    worker.on("exit", (code) => onEnd(`the thread ended with code ${code}`))
    worker.unref()
    return {
      post: (order) => worker.postMessage(order, transfersOf(order)),
      hold: (on) => (on ? worker.ref() : worker.unref()),
      end: () => void worker.terminate(),
    }
  },
}
