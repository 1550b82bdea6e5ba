// What a worker thread does: holds instances of modules and runs their entries. It is sent to workers as text, so that
// no bundler, path or loader stands between a worker and its code; hence it must use nothing from outside itself.

/** Bytes and their place in a memory. */
export interface Piece {
  readonly at: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A run by one worker over a memory of its own: what it needs to know first, and what is wanted back. */
export interface Work {
  readonly kind: "work"
  readonly key: number
  readonly id: number
  readonly entry: string
  readonly first: number
  readonly count: number
  readonly rows: number
  readonly batch: number
  /** Bytes that the memory must have. */
  readonly size: number
  readonly puts: readonly Piece[]
  readonly gets: readonly { readonly at: number; readonly length: number }[]
  /** What changes from slice to slice: the words that say where the log goes and which step it is, bytes of a log. */
  readonly slice: {
    readonly log: number
    readonly step: number
    readonly logBytes: number
    readonly guard: number
    readonly milliseconds: number
  }
}

/** What a worker is told. */
export type Order =
  | {
      readonly kind: "load"
      readonly key: number
      readonly module: WebAssembly.Module
      /** Shared with others, or one of the worker's own, made for the first module that works on it. */
      readonly memory:
        | WebAssembly.Memory
        | { readonly home: number; readonly initial: number; readonly maximum: number }
    }
  | {
      readonly kind: "run"
      readonly key: number
      readonly id: number
      readonly entry: string
      readonly args: readonly number[]
    }
  | Work
  /** Ends the work under way with this key, if there is any. */
  | { readonly kind: "stop"; readonly key: number }
  | { readonly kind: "drop"; readonly key: number }

/** What a run gives back: rounds finished (see round.ts), and the bytes that were asked for. */
export interface Result {
  readonly id: number
  readonly result: number
  readonly pieces?: readonly Piece[]
}

/** What a worker answers to a run. */
export type Answer =
  | Result
  /** `lacks`: bytes of memory that could not be had. */
  | { readonly id: number; readonly failure: string; readonly lacks?: number }

/** The buffers of an order that are handed over. */
export function transfersOf(order: Order): ArrayBuffer[] {
  return order.kind === "work" ? order.puts.map(({ bytes }) => bytes.buffer) : []
}

/**
 * Obeys the orders of a port for ever. Functions inside are methods or arguments: tools that keep the names of functions
 * (esbuild's keepNames) would wrap others into a helper that a worker does not have.
 */
export function obey(port: {
  on(listener: (order: Order) => void): void
  post(answer: Answer, transfer: ArrayBuffer[]): void
}): void {
  type Held = { instance?: WebAssembly.Instance; memory?: WebAssembly.Memory; failure?: string }
  type Working = Held & { work: Work; log: number; step: number; done: number; pace: number; stopping: boolean }
  const loaded = new Map<number, Held>()
  const homes = new Map<number, WebAssembly.Memory>()
  const working = new Map<number, Working>()
  /** Bytes of memory that the collector has not been told of. */
  let dropped = 0
  /** Between two slices of work the messages that have come are read: a slice ends with a message to oneself. */
  const turns = new MessageChannel()
  const worker = {
    load(order: Order & { kind: "load" }): void {
      try {
        const memory = "home" in order.memory ? worker.home(order.memory) : order.memory
        const env = { memory, now: worker.now }
        loaded.set(order.key, { instance: new WebAssembly.Instance(order.module, { env }), memory })
      } catch (error) {
        loaded.set(order.key, { failure: String(error) })
      }
    },
    now(): number {
      return performance.now()
    },
    home(of: { home: number; initial: number; maximum: number }): WebAssembly.Memory {
      const memory = homes.get(of.home) ?? new WebAssembly.Memory({ initial: of.initial, maximum: of.maximum })
      homes.set(of.home, memory)
      return memory
    },
    drop(key: number): void {
      const size = loaded.get(key)?.memory?.buffer.byteLength ?? 0
      loaded.delete(key)
      worker.weigh(size)
      homes.delete(key)
    },
    /**
     * Lets the collector of garbage feel how much it may free: it does not count shared memory, and would leave gigabytes of dropped ones
     * lie. Pages of large pieces come from the system and are never touched, so that they cost none; small ones would be cleared (glibc
     * takes nothing over 32 MiB from what was freed before).
     */
    weigh(size: number): void {
      dropped += Math.max(size, 1048576)
      if (dropped <= 33554432) return
      try {
        new ArrayBuffer(dropped)
      } catch {
        // No room for it: the collector has been at work.
      }
      dropped = 0
    },
    call(held: Held | undefined, entry: string, args: readonly number[]): number {
      if (held === undefined || held.instance === undefined) throw new Error(held?.failure ?? "no module is loaded")
      return (held.instance.exports[entry] as (...args: readonly number[]) => number)(...args)
    },
    begin(order: Work): void {
      const held = loaded.get(order.key)
      try {
        if (held?.memory === undefined) throw new Error(held?.failure ?? "no module is loaded")
        const missing = Math.ceil((order.size - held.memory.buffer.byteLength) / 65536)
        try {
          if (missing > 0) held.memory.grow(missing)
        } catch (error) {
          port.post({ id: order.id, failure: String(error), lacks: order.size }, [])
          return
        }
        const bytes = new Uint8Array(held.memory.buffer)
        order.puts.forEach((piece) => {
          bytes.set(piece.bytes, piece.at)
        })
        const words = new Int32Array(held.memory.buffer)
        const [log, step] = [words[order.slice.log / 4] ?? 0, words[order.slice.step / 4] ?? 0]
        working.set(order.key, { ...held, work: order, log, step, done: 0, pace: 1, stopping: false })
      } catch (error) {
        port.post({ id: order.id, failure: String(error) }, [])
        return
      }
      worker.slice(order.key)
    },
    slice(key: number): void {
      const run = working.get(key)
      if (run === undefined || run.memory === undefined) return
      const { work, memory } = run
      const { slice } = work
      try {
        const words = new Int32Array(memory.buffer)
        words[slice.log / 4] = run.log + run.done * slice.logBytes
        words[slice.step / 4] = run.step + run.done
        const count = Math.min(run.pace, work.count - run.done)
        const started = performance.now()
        const result = worker.call(run, work.entry, [0, 1, work.first + run.done, count, work.rows, work.batch])
        const took = performance.now() - started
        run.done += result & ~slice.guard
        if (result === count && run.done < work.count && !run.stopping) {
          const fits = Math.floor((count * slice.milliseconds) / Math.max(took, 0.01))
          run.pace = Math.max(1, Math.min(4 * run.pace, fits))
          turns.port2.postMessage(key)
          return
        }
        working.delete(key)
        const pieces = work.gets.map(({ at, length }) => ({
          at,
          bytes: new Uint8Array(memory.buffer.slice(at, at + length) as ArrayBuffer),
        }))
        const transfer = pieces.map((piece) => piece.bytes.buffer)
        port.post({ id: work.id, result: run.done | (result & slice.guard), pieces }, transfer)
      } catch (error) {
        working.delete(key)
        port.post({ id: work.id, failure: String(error) }, [])
      }
    },
  }
  turns.port1.onmessage = (event: MessageEvent) => worker.slice(event.data as number)
  port.on((order) => {
    if (order.kind === "load") worker.load(order)
    else if (order.kind === "drop") worker.drop(order.key)
    else if (order.kind === "work") worker.begin(order)
    else if (order.kind === "stop") {
      const run = working.get(order.key)
      if (run !== undefined) run.stopping = true
    } else {
      try {
        port.post({ id: order.id, result: worker.call(loaded.get(order.key), order.entry, order.args) }, [])
      } catch (error) {
        port.post({ id: order.id, failure: String(error) }, [])
      }
    }
  })
}
