// From a Program to the bytes of a WebAssembly module, and where everything lies in its memory.
// Knows Programs and the code of kernels; loads and runs nothing.

import { internalError } from "../../core/errors.ts"
import { BATCH } from "../../core/shape.ts"
import { computes, indexes, type Kernel, loopOf, type Step } from "../../program/kernel.ts"
import { bufferIndex, drawsRandom, type Program } from "../../program/program.ts"
import { type Frame, type Module, module_ } from "./assembler.ts"
import type { Code } from "./code.ts"
import { BOUND_BYTES, control, controlBytes } from "./control-block.ts"
import { times } from "./emit.ts"
import { emitLookup, emitScatterAdd } from "./indexed.ts"
import { i32 } from "./instructions.ts"
import type { KernelContext, Tile } from "./kernel.ts"
import { emitMap } from "./map.ts"
import { emitMatmul, tileRows } from "./matmul.ts"
import { defineBarrier, defineEntry, type KernelFunction, type StepFunction } from "./round.ts"
import { emitGather, emitScatter } from "./rows.ts"
import { defineSharing, sharingBytes } from "./sharing.ts"

/** A generated module and its memory map, in bytes. */
export interface Generated {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Memory that the module needs beside the arena, at the address that `control.work` names: for all threads together. */
  readonly workBytes: number
  /** Where in it the scratch memory of the first thread begins. */
  readonly scratchAt: number
  /** Where in it the table of the threads' shares begins, which the caller fills before the first run (`evenShares`). */
  readonly sharesAt: number
  /** For each bound buffer by name: its number in the table of the control block. */
  readonly bound: { readonly [name: string]: number }
}

/** How to generate. */
export interface GenerateOptions {
  readonly tile: Tile
  readonly threads: number
  readonly shared: boolean
  /** Whether every kernel is exported, to be timed by itself. */
  readonly exportKernels?: boolean
}

/** Pages of 64 KiB that a memory may have at most: all that 32-bit addresses reach. */
export const MAX_PAGES = 65536

/** Columns of a map that threads share by: a cache line of float32. */
const MAP_GRAIN = 16

/** Where the arena of a program starts, and the first byte after it. */
export function arenaOf(program: Program): readonly [start: number, end: number] {
  const start = controlBytes(boundBuffers(program).length)
  return [start, align(start + program.arena)]
}

function boundBuffers(program: Program): number[] {
  return program.buffers.flatMap((b, i) => (b.role === "data" || b.role === "result" ? [i] : []))
}

/** Generates the module of one entry of a program. */
export function generate(program: Program, name: string, options: GenerateOptions): Generated {
  const entry = program.entries[name]
  if (entry === undefined) throw internalError(`The program has no entry ${name}.`)
  const m = module_()
  m.memory({ import: ["env", "memory"], initial: 1, maximum: MAX_PAGES, shared: options.shared })
  const sharing = options.threads > 1 ? defineSharing(m, options.threads) : undefined
  const bound = boundBuffers(program)
  const [arenaAt] = arenaOf(program)
  const memory = memoryMap(arenaAt, bound)
  const lastTurn = ({ kernel }: Step): number => (entry.loops[loopOf(kernel) ?? -1]?.turns ?? 1) - 1
  const steps = entry.steps.map((step, k) =>
    defineStep(m, program, { ...step, lastTurn: lastTurn(step) }, `${name}_${k}`, memory, options),
  )
  const barrier = defineBarrier(m, sharing)
  const log = bufferIndex(program, `${name}.log`)
  const step = program.runtime.indexOf("step")
  const numbers = arenaAt + program.buffers[bufferIndex(program, "runtime")]!.offset
  const sharesAt = memory.partial(sharingBytes(options.threads))
  const scratchBytes = align(memory.scratchBytes())
  defineEntry(m, barrier, {
    name,
    entry,
    steps,
    rowsAt: numbers + 4 * program.runtime.indexOf("rows"),
    stepAt: step < 0 ? undefined : numbers + 4 * step,
    draws: drawsRandom(entry),
    logAt: log < 0 ? undefined : arenaAt + program.buffers[log]!.offset,
    grain: options.tile.rows,
    scratchAt: memory.partialBytes(),
    scratchBytes,
    sharing: sharing && { ...sharing, at: sharesAt },
  })
  return {
    bytes: m.finish(),
    workBytes: memory.partialBytes() + scratchBytes * options.threads,
    scratchAt: memory.partialBytes(),
    sharesAt,
    bound: Object.fromEntries(bound.map((b, i) => [program.buffers[b]!.name, i])),
  }
}

/** Grows as kernels ask for memory: partial sums shared by all threads, scratch memory of each. */
interface MemoryMap {
  readonly arenaAt: number
  readonly boundBuffers: readonly number[]
  partial(bytes: number): number
  needScratch(bytes: number): void
  partialBytes(): number
  scratchBytes(): number
}

function memoryMap(arenaAt: number, boundBuffers: readonly number[]): MemoryMap {
  let partial = 0
  let scratch = 64
  return {
    arenaAt,
    boundBuffers,
    partial: (bytes) => {
      const at = partial
      partial += align(bytes)
      return at
    },
    needScratch: (bytes) => {
      scratch = Math.max(scratch, bytes)
    },
    partialBytes: () => partial,
    scratchBytes: () => scratch,
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64
}

const kernelParameters = ["i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const

/** A step, and the number of the last turn of its loop. */
interface LoopedStep extends Step {
  readonly lastTurn: number
}

/** Defines the function of one step. */
function defineStep(
  m: Module,
  program: Program,
  step: LoopedStep,
  name: string,
  memory: MemoryMap,
  options: GenerateOptions,
): StepFunction {
  const { kernel, split, phase } = step
  const { tile } = options
  const signature = { params: kernelParameters, results: [], exported: options.exportKernels === true } as const
  const f: KernelFunction = m.define(name, signature, (frame) => {
    const context = contextOf(frame, program, step, memory, tile)
    switch (kernel.kind) {
      case "map":
        return emitMap(kernel, context)
      case "matmul":
        return emitMatmul(kernel, context)
      case "gather": {
        const target = program.buffers[kernel.target]!
        return emitGather(kernel, target.shape.length === 2 ? target.pitch : kernel.width, context)
      }
      case "scatter":
        return emitScatter(kernel, context)
      case "lookup":
        return emitLookup(kernel, context)
      case "scatterAdd":
        return emitScatterAdd(kernel, context)
    }
  })
  const extent = sharedSize(kernel, tile)
  if (split === "outputs" && extent < 0)
    throw internalError("A split of outputs along the batch is not supported by this backend.")
  return { f, split, extent, grain: grainOf(kernel, tile), phase, loop: loopOf(kernel) }
}

/** The size of the dimension that threads share; 1 if there is none. */
export function sharedSize(kernel: Kernel, tile: Tile): number {
  if (indexes(kernel)) return kernel.kind === "lookup" ? kernel.places : kernel.rows
  if (!computes(kernel)) return BATCH
  const folds = kernel.kind === "map" && kernel.body.some((i) => i.op === "fold")
  return (folds ? kernel.space.slice(0, -1) : kernel.space)[sharedAxis(kernel, tile)] ?? 1
}

/** The dimension that threads share: the first, or of a product without the batch there the one of most tiles. */
function sharedAxis(kernel: Kernel, tile: Tile): number {
  if (kernel.kind !== "matmul" || kernel.space[0]! < 0) return 0
  const m = kernel.space.length - 2
  const tiles = kernel.space.slice(0, -1).map((n, axis) => (axis < m ? n : n < 0 ? 0 : n / tileRows(n, tile)))
  return tiles.indexOf(Math.max(...tiles))
}

/** In what units threads share. */
function grainOf(kernel: Kernel, tile: Tile): number {
  if (kernel.kind !== "matmul") return MAP_GRAIN
  const m = kernel.space.length - 2
  return sharedAxis(kernel, tile) === m ? tileRows(kernel.space[m]!, tile) : 1
}

function contextOf(
  frame: Frame<typeof kernelParameters>,
  program: Program,
  { kernel, split, lastTurn }: LoopedStep,
  memory: MemoryMap,
  tile: Tile,
): KernelContext {
  const [from, to, rows, first, scratch, work, turn] = frame.params
  const perExample = split === "rows" ? -sharedSize(kernel, tile) : 1
  const zero = i32.const(0)
  const extent = (n: number): Code<"i32"> => (n < 0 ? times(rows.get, -n) : i32.const(n))
  const axis = sharedAxis(kernel, tile)
  const whole = split === "all" && computes(kernel) ? kernel.space[axis] : undefined
  return {
    frame,
    numerics: program.numerics,
    tile,
    axis,
    range: whole === undefined ? [times(from.get, perExample), times(to.get, perExample)] : [zero, extent(whole)],
    all: split === "all",
    first: first.get,
    extent,
    largest: (n) => (n < 0 ? -n * program.rows : n),
    // What moves back stands where it ends, so that what is added to it is never below 0.
    address: ({ buffer, offset, advance = 0 }) =>
      memory.arenaAt + program.buffers[buffer]!.offset + 4 * (offset + Math.min(0, advance) * lastTurn),
    moved: ({ advance }) => {
      if (advance === undefined) return undefined
      return advance < 0 ? times(i32.sub(i32.const(lastTurn), turn.get), -4 * advance) : times(turn.get, 4 * advance)
    },
    spill: (slot, length) => {
      const row = 4 * (Math.ceil(length / 4) * 4 + 4)
      memory.needScratch((slot + 1) * row)
      return { address: scratch.get, offset: slot * row, stride: 1 }
    },
    scratch: (bytes) => {
      memory.needScratch(bytes)
      return scratch.get
    },
    partial: (bytes) => ({ address: work.get, offset: memory.partial(bytes) }),
    bound: (buffer) => {
      const at = control.bound + BOUND_BYTES * memory.boundBuffers.indexOf(buffer)
      const load = (offset: number): Code<"i32"> => i32.load(zero, at + offset)
      return { pointer: load(0), type: load(4) }
    },
    seed: [i32.load(zero, control.seed), i32.load(zero, control.seed + 4)],
    step: i32.load(zero, control.now),
    order: i32.load(zero, control.order),
  }
}
