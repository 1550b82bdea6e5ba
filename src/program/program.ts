// The Program: the contract between compiler and backends, as plain data that can be written as JSON.
// Knows no graph, no layer and no machine.

import { computes, loopOf, type Step } from "./kernel.ts"

/** `portable`: multiply, then add, each rounded: the same bits everywhere. `fused`: fused multiply-add where available. */
export type Numerics = "portable" | "fused"

/** Changes whenever the bits of any result change; saved with every run. */
export const NUMERICS_VERSION = 1

/**
 * What a buffer is for.
 * - `state`: lives on between rounds (parameters, momenta) · `temporary`: within a round
 * - `runtime`: the numbers known when a round runs · `log`: the numbers of this round that are written down
 * - `data`, `result`: rows that the caller binds, outside the arena
 */
export type Role = "state" | "temporary" | "runtime" | "log" | "data" | "result"

/** A piece of memory. Shapes follow core/shape.ts: a negative size counts rows of the batch. */
export interface Buffer {
  readonly name: string
  readonly role: Role
  readonly shape: readonly number[]
  /** Elements from one row (last dimension) to the next: at least the last size. */
  readonly pitch: number
  /** Bytes from the start of the arena; −1 for buffers that the caller binds. */
  readonly offset: number
}

/** Stops a run before anything that lasts is changed: after step `step`, the log number `log` must be finite. */
export interface Guard {
  readonly log: number
  readonly step: number
}

/** Steps that run several times: those whose kernels name the loop, which stand one after the other. */
export interface Loop {
  readonly turns: number
  /** Whether turns are counted down from turns − 1 to 0. */
  readonly reverse: boolean
  /** Whether threads meet at the end of every turn; if not, each runs through its rows of the batch by itself. */
  readonly meets: boolean
}

/** One kind of round. */
export interface EntryPoint {
  /** In order; phases never decrease. */
  readonly steps: readonly Step[]
  /** The loops that kernels of steps name. */
  readonly loops: readonly Loop[]
  /** Names of the numbers that the `log` buffer holds after each round. */
  readonly logs: readonly string[]
  readonly guard?: Guard
}

/** A compiled model: buffers in one arena and, for each entry, the kernels of one round. */
export interface Program {
  readonly numerics: Numerics
  /** The largest batch. */
  readonly rows: number
  readonly buffers: readonly Buffer[]
  /** Names of the numbers in the `runtime` buffer. `rows` is set by the backend for each round, others by the caller. */
  readonly runtime: readonly string[]
  readonly entries: { readonly [name: string]: EntryPoint }
  /** Bytes of the arena. */
  readonly arena: number
}

/** Whether rounds of an entry draw random numbers: they need a seed. */
export function drawsRandom({ steps }: EntryPoint): boolean {
  return steps.some(({ kernel }) => computes(kernel) && kernel.body.some((i) => i.op === "random"))
}

/** The index of the buffer with a name, or −1. */
export function bufferIndex(program: Program, name: string): number {
  return program.buffers.findIndex((buffer) => buffer.name === name)
}

/** Elements that a buffer occupies with its pitch, when a batch has the program's largest number of rows. */
export function elementsOf(buffer: Pick<Buffer, "shape" | "pitch">, rows: number): number {
  const outer = buffer.shape.slice(0, -1).reduce((n, d) => n * (d < 0 ? -d * rows : d), 1)
  const last = buffer.shape[buffer.shape.length - 1]
  if (last === undefined) return 1
  return buffer.shape.length === 1 ? (last < 0 ? -last * rows : last) : outer * buffer.pitch
}

/** From which phase to which what a step uses is in use: for a step of a loop, while the loop runs. */
export function spanOf(entry: EntryPoint, { kernel, phase }: Step): readonly [first: number, last: number] {
  const loop = loopOf(kernel)
  if (loop === undefined) return [phase, phase]
  const phases = entry.steps.filter((step) => loopOf(step.kernel) === loop).map((step) => step.phase)
  return [Math.min(...phases), Math.max(...phases)]
}
