// The contract of a backend: load a Program, bind data, run rounds. Knows Programs, no graph and no trainer.

import { internalError } from "../core/errors.ts"
import type { Tensor, TypedArray } from "../core/tensor.ts"
import { drawsRandom, type Program } from "../program/program.ts"

/** Data and results, by the names that the program gives them; all with the same number of rows. */
export interface Rows {
  /** Rows in each. */
  readonly count: number
  /** What the program gathers. Shapes are [count, ...]; element types may differ. */
  readonly data: { readonly [name: string]: Tensor }
}

/** Data that an executable holds, to be run over as often as wanted. */
export interface Bound {
  readonly rows: number
  /** What the program has scattered so far: row-major [rows, width]. */
  result(name: string): Float32Array
  /**
   * The memory that holds the data of this name, row-major without gaps: a caller who streams writes other rows of the same
   * element type there between runs. What is written while a run uses them is read by nobody knows which round.
   */
  bytes(name: string): Uint8Array
  /** The data of this name where the rounds read them, nothing copied; undefined where the caller cannot see that memory. */
  view(name: string): TypedArray | undefined
  /** Tells that bytes of this name have been changed: they may have to be sent to where they are read. */
  wrote(name: string): void
  /** Forgets the data. */
  release(): void
}

/** What to run: rounds `first` to `first + count` of a pass over the bound rows in batches. */
export interface Run {
  readonly entry: string
  readonly bound: Bound
  readonly batchSize: number
  readonly first: number
  readonly count: number
  /**
   * Row i of the pass is row order[i] of the data; its absence means the order of the data. Rows may come several times, unless the
   * entry writes results for them.
   */
  readonly order?: Int32Array
  /** Rows of the pass: as many as the order has, or all. */
  readonly rows?: number
  /** The run-time numbers by name, without `rows`; `step` counts on from here, one for each round. */
  readonly runtime?: { readonly [name: string]: number }
  /** What random numbers are drawn with, beside the step: an integer of [0, 2^53). Entries that draw none need none. */
  readonly seed?: number
}

/** What has been run. */
export interface Ran {
  /** Rounds finished: fewer than asked for if the run was stopped or its guard found a number that is not finite. */
  readonly rounds: number
  /** The logged numbers of each round, [rounds, logs]; after a guard's stop the unfinished round is the last row. */
  readonly logs: Float32Array
  readonly ended: "done" | "stopped" | "guard"
}

/** A loaded program with its memory. */
export interface Executable {
  readonly program: Program
  /** Threads that share the work. */
  readonly threads: number
  /** Sets a buffer, row-major without gaps. */
  write(buffer: string, values: Float32Array): void
  /** The elements of a buffer, row-major without gaps. */
  read(buffer: string): Float32Array
  bind(rows: Rows): Bound
  /** Runs without blocking the caller's thread for long. One run at a time. */
  run(run: Run): Promise<Ran>
  /** Ends the run under way after its current round; within about 10 ms where a worker has its memory for itself. */
  stop(): void
  close(): void
}

/** What a backend may be asked for. */
export interface LoadOptions {
  /** Threads that share the work (default: one for each core, fewer where a round is not worth them). */
  readonly threads?: number | undefined
  /** Whether vectors may be paired to twice their width where the machine can (default false). */
  readonly wideVectors?: boolean | undefined
  /** Browsers only: the script with which workers begin (default: text of our own, through a blob: URL). */
  readonly workerUrl?: string | undefined
}

/** A way to run programs. */
export interface Backend {
  readonly name: string
  /** Why this backend cannot run here, or undefined if it can. */
  unavailable(): string | undefined
  load(program: Program, options?: LoadOptions): Promise<Executable>
}

/** The rows of a pass. */
export function rowsOf(run: Run): number {
  return run.rows ?? run.order?.length ?? run.bound.rows
}

/**
 * Throws E_INTERNAL for a run that would reach beyond its memory: batches larger than the program's, rows that do not
 * exist, data that is not bound.
 */
export function checkRun(program: Program, run: Run, bound: { has(name: string): boolean }): void {
  const entry = program.entries[run.entry]
  if (entry === undefined) throw internalError(`The program has no entry ${run.entry}.`)
  if (!(run.batchSize >= 1 && run.batchSize <= program.rows)) {
    throw internalError(`A batch of ${run.batchSize} does not fit a program for ${program.rows} rows.`)
  }
  const rows = rowsOf(run)
  const { order } = run
  const most = entry.steps.some(({ kernel }) => kernel.kind === "scatter") ? run.bound.rows : Number.POSITIVE_INFINITY
  if (order !== undefined && (order.length < rows || order.length > most)) {
    throw internalError(`An order of ${order.length} does not fit ${run.bound.rows} rows.`)
  }
  const [from, to] = [run.first * run.batchSize, (run.first + run.count) * run.batchSize]
  if (order === undefined ? rows > run.bound.rows : !within(order.subarray(from, to), run.bound.rows)) {
    throw internalError(`The order names rows beyond the ${run.bound.rows} that are bound.`)
  }
  if (run.count > 0 && (run.first < 0 || (run.first + run.count - 1) * run.batchSize >= rows)) {
    throw internalError(`Round ${run.first + run.count - 1} has no rows.`)
  }
  const { seed } = run
  const seeded = Number.isSafeInteger(seed) && seed! >= 0
  if (seed === undefined ? drawsRandom(entry) : !seeded) {
    throw internalError(`The entry ${run.entry} cannot draw random numbers with the seed ${seed}.`)
  }
  for (const { kernel } of entry.steps) {
    const name = kernel.kind === "gather" ? program.buffers[kernel.source]!.name : undefined
    if (name !== undefined && !bound.has(name)) throw internalError(`The data ${name} are not bound.`)
  }
}

/** Whether all rows of a part of an order exist. A plain loop: it is run over each epoch. */
function within(order: Int32Array, rows: number): boolean {
  for (let i = 0; i < order.length; i++) if (order[i]! < 0 || order[i]! >= rows) return false
  return true
}

/** Copies rows with gaps (pitch) into rows without. */
export function packRows(from: Float32Array, pitch: number, width: number): Float32Array {
  if (pitch === width) return from.slice()
  const rows = Math.floor((from.length + pitch - width) / pitch)
  const out = new Float32Array(rows * width)
  for (let r = 0; r < rows; r++) out.set(from.subarray(r * pitch, r * pitch + width), r * width)
  return out
}

/** Copies rows without gaps into rows with gaps. */
export function spreadRows(
  from: TypedArray,
  into: { set(values: TypedArray, at: number): void },
  pitch: number,
  width: number,
): void {
  if (pitch === width) into.set(from, 0)
  else for (let r = 0; r * width < from.length; r++) into.set(from.subarray(r * width, (r + 1) * width), r * pitch)
}
