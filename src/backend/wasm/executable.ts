// A loaded program: a generated module, its memory, and worker threads that run it.
// Knows Programs and the pool; the code itself is made by generate.ts.

import { internalError, TrilobiteError } from "../../core/errors.ts"
import { type Buffer, bufferIndex, elementsOf, type Program } from "../../program/program.ts"
import {
  type Bound,
  checkRun,
  type Executable,
  packRows,
  type Ran,
  type Rows,
  type Run,
  rowsOf,
  spreadRows,
} from "../backend.ts"
import { BOUND_BYTES, control } from "./control-block.ts"
import { type Generated, generate } from "./generate.ts"
import { dataTypes } from "./kernel.ts"
import { checkAddressable, createHeap, type Heap } from "./memory.ts"
import type { Pool } from "./pool.ts"
import { GUARD_BIT } from "./round.ts"
import { threadsFor } from "./threads.ts"
import type { Variant } from "./tune.ts"

/** True if all arrays have the same bits; every NaN is one. */
function sameBits(a: readonly Float32Array[], b: readonly Float32Array[]): boolean {
  return a.every((values, i) => values.length === b[i]?.length && values.every((v, k) => Object.is(v, b[i]![k])))
}

/** Looks at a barrier before a thread sleeps, where every thread has a core of its own. */
const SPIN = 20_000

/** One module of a program, as workers know it. */
interface Loaded {
  readonly key: number
  readonly generated: Generated
  readonly module: WebAssembly.Module
}

/** What an executable is made with. */
export interface ExecutableOptions {
  readonly threads: number
  readonly variant: Variant
  /** What runs instead if the paired vectors do not prove themselves. */
  readonly plain: Variant
}

/** Bytes of scratch memory that another variant of a module may need beyond the first. */
const SPARE = 1 << 18

let nextKey = 0

interface HeldRows extends Bound {
  readonly addresses: ReadonlyMap<string, { readonly at: number; readonly type: number; readonly bytes: number }>
  readonly orderAt: number
}

/** A program with its memory and its modules. */
export class WasmExecutable implements Executable {
  readonly program: Program
  readonly threads: number
  readonly #pool: Pool
  readonly #options: ExecutableOptions
  get variant(): Variant {
    return this.#options.variant
  }

  readonly #heap: Heap
  #loaded: Loaded
  /** Entries whose paired vectors have given the same bits as plain code, once. */
  readonly #proven = new Set<string>()
  #running = false
  #stopping = false
  #log = { at: 0, bytes: 0 }

  constructor(program: Program, workers: Pool, options: ExecutableOptions) {
    checkAddressable(program.arena)
    this.program = program
    this.threads = options.threads
    this.#pool = workers
    this.#options = options
    this.#loaded = this.#generate(options.variant)
    this.#heap = createHeap(this.#loaded.generated.end + SPARE, true)
  }

  #generate({ tile, wide }: Variant): Loaded {
    const { platform } = this.#pool
    const generated = generate(this.program, { tile, threads: this.threads, shared: true })
    const module = platform.compile(generated.bytes, { wide, relaxed: this.program.numerics === "fused" })
    return { key: nextKey++, generated, module }
  }

  /** The bytes of the generated module. */
  get bytes(): Uint8Array {
    return this.#loaded.generated.bytes
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
    const elements = this.#floats(this.#loaded.generated.arenaAt + b.offset, elementsOf(b, this.program.rows))
    spreadRows(
      values,
      elements,
      b.shape.length < 2 ? values.length : b.pitch,
      b.shape.length < 2 ? values.length : b.shape[b.shape.length - 1]!,
    )
  }

  read(name: string): Float32Array {
    const b = this.#buffer(name)
    const elements = this.#floats(this.#loaded.generated.arenaAt + b.offset, elementsOf(b, this.program.rows))
    return b.shape.length < 2 ? new Float32Array(elements) : packRows(elements, b.pitch, b.shape[b.shape.length - 1]!)
  }

  bind(rows: Rows): Bound {
    const addresses = new Map<string, { at: number; type: number; bytes: number }>()
    for (const b of this.program.buffers) {
      if (b.role !== "data" && b.role !== "result") continue
      const given = rows.data[b.name]
      if (b.role === "data" && given !== undefined) {
        const at = this.#heap.allocate(given.data.byteLength + 16)
        new Uint8Array(this.#heap.memory.buffer, at).set(
          new Uint8Array(given.data.buffer, given.data.byteOffset, given.data.byteLength),
        )
        addresses.set(b.name, { at, type: dataTypes[given.dtype], bytes: given.data.byteLength })
      } else if (b.role === "result") {
        const bytes = 4 * rows.count * b.pitch
        addresses.set(b.name, { at: this.#heap.allocate(bytes), type: dataTypes.float32, bytes })
      }
    }
    const orderAt = this.#heap.allocate(4 * rows.count)
    const width = (name: string): number => this.program.buffers[bufferIndex(this.program, name)]!.pitch
    const held: HeldRows = {
      rows: rows.count,
      addresses,
      orderAt,
      result: (name) => new Float32Array(this.#floats(addresses.get(name)!.at, rows.count * width(name))),
      bytes: (name) => {
        const { at, bytes } = addresses.get(name)!
        return new Uint8Array(this.#heap.memory.buffer, at, bytes)
      },
      release: () => {
        for (const { at } of addresses.values()) this.#heap.free(at)
        this.#heap.free(orderAt)
      },
    }
    return held
  }

  stop(): void {
    this.#stopping = true
    if (this.#running) Atomics.store(this.#words(), control.stop / 4, 1)
  }

  close(): void {
    this.#pool.drop(this.#loaded.key)
  }

  async run(run: Run): Promise<Ran> {
    if (this.#running) throw new TrilobiteError("E_BUSY", { where: "engine", what: "this model is running already." })
    checkRun(this.program, run, (run.bound as HeldRows).addresses)
    this.#running = true
    this.#stopping = false
    try {
      if (!this.#options.variant.wide || this.#proven.has(run.entry) || run.count === 0)
        return await this.#run(run, this.#loaded)
      const first = await this.#prove(run)
      if (run.count === 1 || first.ended === "guard") return first
      if (this.#stopping) return { ...first, ended: "stopped" }
      const rest = await this.#run(
        {
          ...run,
          first: run.first + 1,
          count: run.count - 1,
          runtime: { ...run.runtime, step: (run.runtime?.step ?? 0) + 1 },
        },
        this.#loaded,
      )
      const logs = new Float32Array(first.logs.length + rest.logs.length)
      logs.set(first.logs)
      logs.set(rest.logs, first.logs.length)
      return { rounds: rest.rounds + 1, logs, ended: rest.ended }
    } finally {
      this.#running = false
    }
  }

  /**
   * The first round of an entry, run by plain code and again with paired vectors: only if all bits are the same are they
   * used from then on. Otherwise plain code takes over, and says so.
   */
  async #prove(run: Run): Promise<Ran> {
    const round = { ...run, count: 1 }
    const before = this.#lasting()
    const plain = this.#generate(this.#options.plain)
    if (plain.generated.end > this.#loaded.generated.end + SPARE)
      throw internalError("Plain code needs more scratch memory.")
    const expected = await this.#run(round, plain)
    const after = this.#outcome(run, expected)
    for (const [name, values] of before) this.write(name, values)
    const ran = await this.#run(round, this.#loaded)
    this.#proven.add(run.entry)
    if (sameBits(after, this.#outcome(run, ran))) {
      this.#pool.drop(plain.key)
      return ran
    }
    console.warn("Note: wide vectors gave other bits than plain code on this machine and are not used.")
    for (const [name, values] of before) this.write(name, values)
    this.#pool.drop(this.#loaded.key)
    this.#loaded = plain
    for (const entry of Object.keys(this.program.entries)) this.#proven.add(entry)
    return this.#run(round, plain)
  }

  /** The values that outlive a round. */
  #lasting(): Map<string, Float32Array> {
    const states = this.program.buffers.filter((b) => b.role === "state")
    return new Map(states.map((b) => [b.name, this.read(b.name)]))
  }

  /** Everything that a round has left behind. */
  #outcome(run: Run, ran: Ran): Float32Array[] {
    const results = this.program.buffers.filter((b) => b.role === "result").map((b) => run.bound.result(b.name))
    return [...this.#lasting().values(), ran.logs, ...results]
  }

  /** Runs on the threads that the work is worth. */
  async #run(run: Run, loaded: Loaded): Promise<Ran> {
    this.#prepare(run)
    const { entry, first, count, batchSize } = run
    const threads = threadsFor(this.program.entries[entry]!, Math.min(batchSize, rowsOf(run)), this.threads)
    const load = { kind: "load", key: loaded.key, module: loaded.module, memory: this.#heap.memory } as const
    const args = Array.from({ length: threads }, (_, t) => [t, threads, first, count, rowsOf(run), batchSize])
    const [done] = (await this.#pool.run(load, entry, args, () => {
      Atomics.store(this.#words(), control.abort / 4, 1)
    })) as [number]
    return this.#report(run, done)
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
    if (run.order !== undefined) words.set(run.order, held.orderAt / 4)
    words[control.order / 4] = run.order === undefined ? 0 : held.orderAt
    words[control.log / 4] = this.#log.at
    words[control.step / 4] = run.runtime?.step ?? 0
    words[control.spin / 4] = this.threads <= this.#pool.platform.cores ? SPIN : 0
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
    for (const [name, i] of Object.entries(this.#loaded.generated.bound)) {
      const found = held.addresses.get(name)
      words[(control.bound + BOUND_BYTES * i) / 4] = found?.at ?? 0
      words[(control.bound + BOUND_BYTES * i) / 4 + 1] = found?.type ?? 0
    }
    const numbers = this.#floats(
      this.#loaded.generated.arenaAt + this.#buffer("runtime").offset,
      program.runtime.length,
    )
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
