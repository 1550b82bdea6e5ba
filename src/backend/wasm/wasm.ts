// The WebAssembly backend: a module generated for each program, run by worker threads over shared memory.
// Knows Programs and the pool; the code itself is made by generate.ts.

import { internalError, TrilobiteError } from "../../core/errors.ts"
import { type Buffer, bufferIndex, elementsOf, type Program } from "../../program/program.ts"
import {
  type Backend,
  type Bound,
  type Executable,
  type LoadOptions,
  packRows,
  type Ran,
  type Rows,
  type Run,
  rowsOf,
  spreadRows,
} from "../backend.ts"
import { BOUND_BYTES, control } from "./control-block.ts"
import { type Generated, generate } from "./generate.ts"
import { dataTypes, type Tile } from "./kernel.ts"
import { createHeap, type Heap } from "./memory.ts"
import { createPool, type Pool } from "./pool.ts"
import { GUARD_BIT } from "./round.ts"

/** Looks at a barrier before a thread sleeps, where every thread has a core of its own. */
const SPIN = 20_000

/** The pool of this process, once a program has been loaded. */
let pool: Promise<Pool> | undefined
let nextKey = 0

function startPool(): Promise<Pool> {
  pool ??= import("./node-workers.ts").then(({ platform }) => createPool(platform))
  return pool
}

/** Options of this backend: the tile of matrix products changes the speed and no bit. */
export interface WasmOptions extends LoadOptions {
  readonly tile?: Tile
}

/** The WebAssembly backend. */
export const wasmBackend: Omit<Backend, "load"> & {
  load(program: Program, options?: WasmOptions): Promise<Executable>
} = {
  name: "wasm",
  unavailable: () => {
    if (typeof WebAssembly !== "object") return "this JavaScript engine has no WebAssembly"
    if (typeof SharedArrayBuffer !== "function") return "shared memory is not available here"
    return undefined
  },
  load: async (program, options = {}) => {
    const workers = await startPool()
    return new WasmExecutable(program, workers, options.threads ?? workers.cores, options.tile ?? defaultTile())
  },
}

/**
 * The tile for this engine: V8 before 13 is slow when a loop uses many different offsets, so its tile is smaller and k is not
 * written out (measured: engine.md, "Design facts").
 */
function defaultTile(): Tile {
  const v8 = (globalThis as { process?: { versions?: { v8?: string } } }).process?.versions?.v8
  const old = v8 !== undefined && Number.parseInt(v8, 10) < 13
  return old ? { rows: 4, vectors: 2, unroll: 1 } : { rows: 5, vectors: 2, unroll: 4 }
}

interface HeldRows extends Bound {
  readonly addresses: ReadonlyMap<string, { readonly at: number; readonly type: number }>
  readonly orderAt: number
  /** The order that stands at `orderAt`. */
  order: Int32Array | undefined
}

class WasmExecutable implements Executable {
  readonly program: Program
  readonly threads: number
  readonly #pool: Pool
  readonly #generated: Generated
  readonly #module: WebAssembly.Module
  readonly #heap: Heap
  readonly #key = nextKey++
  #running = false
  #log = { at: 0, bytes: 0 }

  constructor(program: Program, workers: Pool, threads: number, tile: Tile) {
    this.program = program
    this.threads = threads
    this.#pool = workers
    this.#generated = generate(program, { tile, threads, shared: true })
    this.#module = new WebAssembly.Module(this.#generated.bytes)
    this.#heap = createHeap(this.#generated.end, true)
  }

  /** The bytes of the generated module. */
  get bytes(): Uint8Array {
    return this.#generated.bytes
  }

  #buffer(name: string): Buffer {
    const b = this.program.buffers[bufferIndex(this.program, name)]
    if (b === undefined || b.offset < 0) throw internalError(`The program has no buffer ${name} in its arena.`)
    return b
  }

  #floats(at: number, length: number): Float32Array {
    return new Float32Array(this.#heap.memory.buffer, at, length)
  }

  #words(): Int32Array {
    return new Int32Array(this.#heap.memory.buffer)
  }

  write(name: string, values: Float32Array): void {
    const b = this.#buffer(name)
    const elements = this.#floats(this.#generated.arenaAt + b.offset, elementsOf(b, this.program.rows))
    spreadRows(
      values,
      elements,
      b.shape.length < 2 ? values.length : b.pitch,
      b.shape.length < 2 ? values.length : b.shape[b.shape.length - 1]!,
    )
  }

  read(name: string): Float32Array {
    const b = this.#buffer(name)
    const elements = this.#floats(this.#generated.arenaAt + b.offset, elementsOf(b, this.program.rows))
    return b.shape.length < 2 ? new Float32Array(elements) : packRows(elements, b.pitch, b.shape[b.shape.length - 1]!)
  }

  bind(rows: Rows): Bound {
    const addresses = new Map<string, { at: number; type: number }>()
    for (const b of this.program.buffers) {
      if (b.role !== "data" && b.role !== "result") continue
      const given = rows.data[b.name]
      if (b.role === "data" && given !== undefined) {
        const at = this.#heap.allocate(given.data.byteLength + 16)
        new Uint8Array(this.#heap.memory.buffer, at).set(
          new Uint8Array(given.data.buffer, given.data.byteOffset, given.data.byteLength),
        )
        addresses.set(b.name, { at, type: dataTypes[given.dtype] })
      } else if (b.role === "result") {
        addresses.set(b.name, { at: this.#heap.allocate(4 * rows.count * b.pitch), type: dataTypes.float32 })
      }
    }
    const orderAt = this.#heap.allocate(4 * rows.count)
    const width = (name: string): number => this.program.buffers[bufferIndex(this.program, name)]!.pitch
    const held: HeldRows = {
      rows: rows.count,
      addresses,
      orderAt,
      order: undefined,
      result: (name) => new Float32Array(this.#floats(addresses.get(name)!.at, rows.count * width(name))),
      release: () => {
        for (const { at } of addresses.values()) this.#heap.free(at)
        this.#heap.free(orderAt)
      },
    }
    return held
  }

  stop(): void {
    if (this.#running) Atomics.store(this.#words(), control.stop / 4, 1)
  }

  close(): void {
    this.#pool.drop(this.#key)
  }

  async run(run: Run): Promise<Ran> {
    if (this.#running) throw new TrilobiteError("E_BUSY", { where: "engine", what: "this model is running already." })
    this.#running = true
    try {
      this.#prepare(run)
      const { entry, first, count, batchSize } = run
      const load = { kind: "load", key: this.#key, module: this.#module, memory: this.#heap.memory } as const
      const args = Array.from({ length: this.threads }, (_, t) => [
        t,
        this.threads,
        first,
        count,
        rowsOf(run),
        batchSize,
      ])
      const [done] = (await this.#pool.run(load, entry, args, () => {
        Atomics.store(this.#words(), control.abort / 4, 1)
      })) as [number]
      return this.#report(run, done)
    } finally {
      this.#running = false
    }
  }

  /** Writes the parameters of a run into the control block. */
  #prepare(run: Run): void {
    const { program } = this
    const held = run.bound as HeldRows
    const logs = program.entries[run.entry]?.logs.length
    if (logs === undefined) throw internalError(`The program has no entry ${run.entry}.`)
    const logBytes = 4 * logs * run.count
    if (logBytes > this.#log.bytes) {
      if (this.#log.bytes > 0) this.#heap.free(this.#log.at)
      this.#log = { at: this.#heap.allocate(logBytes), bytes: logBytes }
    }
    const words = this.#words()
    if (run.order !== undefined && run.order !== held.order) {
      held.order = run.order
      words.set(run.order, held.orderAt / 4)
    }
    words[control.order / 4] = run.order === undefined ? 0 : held.orderAt
    words[control.log / 4] = this.#log.at
    words[control.step / 4] = run.runtime?.["step"] ?? 0
    words[control.spin / 4] = this.threads <= this.#pool.cores ? SPIN : 0
    for (const at of [
      control.arrived,
      control.sleepers,
      control.stop,
      control.agreed,
      control.agreed + 4,
      control.abort,
      control.progress,
    ]) {
      Atomics.store(words, at / 4, 0)
    }
    for (const [name, i] of Object.entries(this.#generated.bound)) {
      const found = held.addresses.get(name)
      words[(control.bound + BOUND_BYTES * i) / 4] = found?.at ?? 0
      words[(control.bound + BOUND_BYTES * i) / 4 + 1] = found?.type ?? 0
    }
    const numbers = this.#floats(this.#generated.arenaAt + this.#buffer("runtime").offset, program.runtime.length)
    program.runtime.forEach((name, i) => {
      numbers[i] = run.runtime?.[name] ?? 0
    })
  }

  #report(run: Run, done: number): Ran {
    const logs = this.program.entries[run.entry]!.logs.length
    const guard = (done & GUARD_BIT) !== 0
    const rounds = done & ~GUARD_BIT
    const written = guard ? rounds + 1 : rounds
    return {
      rounds,
      logs: new Float32Array(this.#floats(this.#log.at, written * logs)),
      ended: guard ? "guard" : rounds < run.count ? "stopped" : "done",
    }
  }
}
