// Finds the fastest tile of this machine and engine by timing a small product once for each candidate.
// Knows tiles and modules, no program of a user. The choice changes the speed and no bit.

import type { Numerics, Program } from "../../program/program.ts"
import { arenaOf, generate } from "./generate.ts"
import type { Tile } from "./kernel.ts"
import type { Compiling, Platform } from "./platform.ts"

/** How the products of a program are computed. */
export interface Variant {
  readonly tile: Tile
  /** Whether the module is compiled with paired vectors. */
  readonly wide: boolean
}

/**
 * Tiles that fit into the 16 registers of x64 in one way of computing: more would be spilled (measured: engine.md, tile sweep).
 * Without many offsets nothing is written out along k. Where vectors are paired, one plain tile stands for machines without wide ones.
 */
export function candidates(platform: Platform, numerics: Numerics, wide: boolean): Variant[] {
  const unroll = platform.manyOffsets ? 4 : 1
  const tile = (rows: number, vectors: number): Tile => ({ rows, vectors, unroll })
  const rows = numerics === "fused" ? 6 : 5
  const plain = platform.manyOffsets ? [tile(rows, 2), ...(wide ? [] : [tile(4, 2)])] : [tile(4, 2)]
  const paired = wide ? [tile(rows, 4), tile(4, 4)] : []
  return [...plain.map((t) => ({ tile: t, wide: false })), ...paired.map((t) => ({ tile: t, wide: true }))]
}

const best = new Map<string, Variant>()

/**
 * The fastest variant here: timed at first use (a few milliseconds), remembered for the process. Where nothing may be
 * timed it is the first candidate, the fastest of the engines that are known.
 */
export function tune(platform: Platform, numerics: Numerics, wide: boolean): Variant {
  const key = `${numerics} ${wide}`
  const known = best.get(key)
  if (known !== undefined) return known
  const list = candidates(platform, numerics, wide)
  const [first] = list
  if ((list.length === 1 || !platform.timing) && first !== undefined) return first
  const timed = list.map((variant) => ({
    variant,
    run: prepare(platform, numerics, variant),
    time: Number.POSITIVE_INFINITY,
  }))
  // In turns, so that a disturbance meets all alike; the least time counts.
  for (let turn = 0; turn < TURNS; turn++) {
    for (const candidate of timed) {
      const started = performance.now()
      candidate.run()
      candidate.time = Math.min(candidate.time, performance.now() - started)
    }
  }
  const fastest = timed.reduce((a, b) => (b.time < a.time ? b : a)).variant
  best.set(key, fastest)
  return fastest
}

const TURNS = 12

/** Rows of A (a multiple of every tile's), steps of k, columns of B: everything stays in the first-level caches. */
const [M, K, N] = [60, 128, 64] as const

/** A function that runs the product a few times. */
function prepare(platform: Platform, numerics: Numerics, { tile, wide }: Variant): () => void {
  const program = product(numerics)
  const options = { tile, threads: 1, shared: false, exportKernels: true }
  const { bytes, workBytes, scratchAt } = generate(program, "time", options)
  const [, work] = arenaOf(program)
  const compiling: Compiling = { wide, relaxed: numerics === "fused" }
  const memory = new WebAssembly.Memory({ initial: Math.ceil((work + workBytes) / 65536), maximum: 65536 })
  const { exports } = new WebAssembly.Instance(platform.compile(bytes, compiling), { env: { memory } })
  const kernel = exports.time_0 as (...args: number[]) => void
  return () => {
    for (let i = 0; i < 4; i++) kernel(0, M, 1, 0, work + scratchAt, work)
  }
}

/** A program of one product. */
function product(numerics: Numerics): Program {
  const sizes = [
    [M, K],
    [K, N],
    [M, N],
  ] as const
  let offset = 64
  const buffers = sizes.map(([rows, columns], i) => {
    const at = offset
    offset += 4 * rows * (columns + 16)
    return { name: "abc".charAt(i), role: "state", shape: [rows, columns], pitch: columns + 16, offset: at } as const
  })
  const strides = (i: number): readonly number[] => [buffers[i]!.pitch, 1]
  return {
    numerics,
    rows: 1,
    buffers: [...buffers, { name: "runtime", role: "runtime", shape: [1], pitch: 1, offset: 0 }],
    runtime: ["rows"],
    arena: offset + 256,
    entries: {
      time: {
        logs: [],
        loops: [],
        steps: [
          {
            split: "outputs",
            phase: 0,
            kernel: {
              kind: "matmul",
              space: [M, N],
              inner: [K],
              a: { buffer: 0, offset: 0, strides: strides(0) },
              b: { buffer: 1, offset: 0, strides: strides(1) },
              operands: [],
              body: [{ op: "product" }],
              outputs: [{ buffer: 2, offset: 0, strides: strides(2), value: 0 }],
            },
          },
        ],
      },
    },
  }
}
