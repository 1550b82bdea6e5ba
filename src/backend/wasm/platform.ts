// What the backend needs of the place where it runs: threads and a compiler. Knows neither Node nor the browser.

import type { Answer, Order } from "./worker.ts"

/** A thread that can be sent orders. */
export interface Thread {
  post(order: Order): void
  /** Whether the process must wait for this thread. */
  hold(on: boolean): void
  /** Ends the thread, whatever it does; `onEnd` is called. */
  end(): void
}

/** How a module is to be compiled. */
export interface Compiling {
  /** Pair vectors of four to vectors of eight where the machine has them. */
  readonly wide: boolean
  /** The module uses fused multiply-add (relaxed SIMD). */
  readonly relaxed: boolean
}

/** A place where programs run. */
export interface Platform {
  readonly cores: number
  /** Whether threads can share memory. */
  readonly shared: boolean
  /** Whether the caller's thread may compute for a millisecond: not the thread of a page. */
  readonly mayCompute: boolean
  /** Whether the compiler can pair vectors. */
  readonly wideVectors: boolean
  /** Whether loops with many different memory offsets are fast. */
  readonly manyOffsets: boolean
  /** Whether the caller may time modules: they are compiled well at once, and nobody waits for the caller's thread. */
  readonly timing: boolean
  compile(bytes: Uint8Array<ArrayBuffer>, compiling: Compiling): WebAssembly.Module
  validates(bytes: Uint8Array<ArrayBuffer>, compiling: Compiling): boolean
  /** Starts a thread; never throws: what goes wrong is told by `onEnd`. */
  start(onAnswer: (answer: Answer) => void, onEnd: (reason: string) => void): Thread
}

/** Whether this is Node, or what calls itself so (Deno, Bun). */
export function inNode(): boolean {
  return (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined
}
