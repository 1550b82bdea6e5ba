// The control block: the words at the start of memory through which the caller and the threads speak.
// Knows no kernel. Everything that threads spin on has a cache line of its own.

/** Bytes from the start of memory. */
export const control = {
  /** Threads that have arrived at the barrier, and how often it has opened. */
  arrived: 0,
  generation: 64,
  /** Threads that sleep at the barrier. */
  sleepers: 128,
  /** Not 0: the caller wants the run to end after this round. */
  stop: 192,
  /** What thread 0 told all of the wish to stop, for rounds of even and odd number. */
  agreed: 256,
  /** Not 0: a thread has failed; nobody waits any longer. */
  abort: 320,
  /** How often a thread looks before it sleeps. */
  spin: 384,
  /** Rounds finished in this run, for anybody who wants to know. */
  progress: 448,
  /** Parameters of a run. */
  order: 512,
  log: 516,
  step: 520,
  /** Where the module's own memory begins: partial sums, then the scratch memory of each thread. */
  work: 524,
  /** The seed of random numbers, lower word first, and the step of the round under way as an integer. */
  seed: 528,
  now: 536,
  /** For each bound buffer: where its rows are, and their element type. */
  bound: 576,
} as const

/** Bytes of one entry of the table of bound buffers. */
export const BOUND_BYTES = 8

/** Bytes of the control block for a program with so many bound buffers. */
export function controlBytes(boundBuffers: number): number {
  return Math.ceil((control.bound + BOUND_BYTES * boundBuffers) / 64) * 64
}
