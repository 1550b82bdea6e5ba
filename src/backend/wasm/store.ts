// The contract between a loaded program and its memory: where its numbers are, and who works on them.
// Two kinds: memory shared by the caller and several threads, and a memory of its own of one worker.

import type { Heap } from "./memory.ts"

/** Rounds to be run. */
export interface Job {
  readonly key: number
  readonly module: WebAssembly.Module
  readonly entry: string
  readonly threads: number
  readonly first: number
  readonly count: number
  readonly rows: number
  readonly batch: number
  /** Whether it is so little that two messages would take longer. */
  readonly small: boolean
  /** Bytes of the log of one round. */
  readonly logBytes: number
  /** Addresses of pieces that the rounds read. */
  readonly reads: readonly number[]
  /** What the rounds change and the caller wants to know. */
  readonly changes: readonly { readonly at: number; readonly length: number }[]
}

/** The memory of a program, as its caller sees it. */
export interface Store extends Heap {
  /** Whether several threads may work on it. */
  readonly shared: boolean
  /**
   * Numbers of the module's own memory or of a changed piece: to be read until the next run, or to be changed and then
   * told with `wrote`.
   */
  floats(at: number, length: number): Float32Array
  wrote(at: number): void
  /** Copies bytes into the memory; they need not be read again. */
  put(at: number, bytes: Uint8Array): void
  /** What the entry gave back. Throws E_ENGINE if a thread failed. */
  run(job: Job): Promise<number>
  /** Ends the run under way early. */
  stop(): void
  /** Forgets a module, or everything. */
  drop(key: number): void
  close(): void
}
