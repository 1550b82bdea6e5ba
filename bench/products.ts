// The matrix products of a compiled program, each alone in one thread: for kernels.ts, windows.ts and tiles.ts. Runs in browsers too.

import { arenaOf, generate, sharedSize } from "../src/backend/wasm/generate.ts"
import type { Platform } from "../src/backend/wasm/platform.ts"
import type { Variant } from "../src/backend/wasm/tune.ts"
import type { Step } from "../src/program/kernel.ts"
import type { Program } from "../src/program/program.ts"

/** A product of the program: what it does, and how fast. */
export interface Row {
  readonly step: number
  /** The sizes of what is computed, then those of what each sum runs over: of a dense layer rows, columns, length of the sums. */
  readonly shape: readonly number[]
  readonly microseconds: number
  readonly gigaflops: number
}

/** Milliseconds of one call: the least of several series. */
function time(call: () => void): number {
  call()
  let least = Number.POSITIVE_INFINITY
  for (let series = 0; series < 15; series++) {
    const started = performance.now()
    for (let i = 0; i < 4; i++) call()
    least = Math.min(least, (performance.now() - started) / 4)
  }
  return least
}

/** The kernels of the training rounds, and where their own memory and the scratch memory in it begin. */
function load(
  platform: Platform,
  program: Program,
  { tile, wide }: Variant,
): { work: number; scratch: number; exports: WebAssembly.Exports } {
  const generated = generate(program, "train", { tile, threads: 1, shared: true, exportKernels: true })
  const [arena, work] = arenaOf(program)
  const end = work + generated.workBytes
  const module = platform.compile(generated.bytes, { wide, relaxed: program.numerics === "fused" })
  const pages = Math.ceil(end / 65536) + 1
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true })
  // Numbers of ordinary size: zeros and tiny ones are computed at other speeds on some machines.
  const from = Math.ceil(arena / 4)
  const values = new Float32Array(memory.buffer).subarray(from, Math.floor(end / 4))
  for (let i = 0; i < values.length; i++) values[i] = ((i * 7919) % 1000) / 5000 - 0.1
  return {
    work,
    scratch: work + generated.scratchAt,
    exports: new WebAssembly.Instance(module, { env: { memory } }).exports,
  }
}

/** The products of the training rounds, each alone in one thread. */
export function measure(platform: Platform, program: Program, variant: Variant): Row[] {
  const { work, scratch, exports } = load(platform, program, variant)
  const size = (n: number): number => (n < 0 ? -n * program.rows : n)
  return program.entries.train!.steps.flatMap(({ kernel, split }: Step, step) => {
    if (kernel.kind !== "matmul") return []
    const run = exports[`train_${step}`] as (...numbers: number[]) => void
    const extent = split === "rows" ? program.rows : sharedSize(kernel, variant.tile)
    const milliseconds = time(() => run(0, extent, program.rows, 0, scratch, work))
    const shape = [...kernel.space, ...kernel.inner].map(size)
    const gigaflops = operationsOf({ shape }) / milliseconds / 1e6
    return [{ step, shape, microseconds: milliseconds * 1000, gigaflops }]
  })
}

/** Floating-point operations of a product. */
export function operationsOf({ shape }: Pick<Row, "shape">): number {
  return 2 * shape.reduce((product, size) => product * size, 1)
}

/** A part as a percentage; nothing of an unknown whole. */
export function percent(part: number, whole: number | undefined): string {
  return whole === undefined ? "" : `${((100 * part) / whole).toFixed(0)} %`
}
