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

/** Whose threads fetch: their memory, how many they are, and the rounds that they are at work on, 0 while they rest. */
export interface FetchingHost {
  readonly threads: number
  memory(): ArrayBufferLike
  rounds(): number
}

/** Rows of a file: where it is open, the bytes before its first row and of each, which rows, and where their numbers are kept. */
export interface Fetched {
  readonly fd: number
  readonly start: number
  readonly rowBytes: number
  readonly rows: number
  readonly list: number
  /** The address of the first, and whether they are numbers that must be finite. */
  readonly into: number
  readonly floats: boolean
}

/** Threads that read rows of files. */
export interface Fetching {
  /** The words of the control block that say what is fetched. */
  words(): Int32Array
  /** False: not all could be read, or a number is not finite, or others are fetched already. */
  fetch(rows: Fetched): Promise<boolean>
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
  /** Has threads read rows of files between their rounds; absent where they cannot. */
  readonly createFetching?: (host: FetchingHost) => Fetching
  compile(bytes: Uint8Array<ArrayBuffer>, compiling: Compiling): WebAssembly.Module
  validates(bytes: Uint8Array<ArrayBuffer>, compiling: Compiling): boolean
  /** Starts a thread; never throws: what goes wrong is told by `onEnd`. */
  start(onAnswer: (answer: Answer) => void, onEnd: (reason: string) => void): Thread
}

/** Whether this is Node, or what calls itself so (Deno, Bun). */
export function inNode(): boolean {
  return (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined
}
