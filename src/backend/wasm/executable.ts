// A loaded program: a generated module, its memory, and worker threads that run it.
// Knows Programs and the pool; the code itself is made by generate.ts.

import { internalError, TrilobiteError } from "../../core/errors.ts"
import { seedWords } from "../../core/random.ts"
import { elements } from "../../core/tensor.ts"
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
import { bytesOf, sameBits } from "./bits.ts"
import { BOUND_BYTES, control } from "./control-block.ts"
import { arenaOf, type Generated, generate } from "./generate.ts"
import { dataTypes } from "./kernel.ts"
import { checkAddressable } from "./memory.ts"
import { mirroredStore } from "./mirrored-store.ts"
import type { Pool } from "./pool.ts"
import { GUARD_BIT } from "./round.ts"
import { sharedStore } from "./shared-store.ts"
import { evenShares } from "./sharing.ts"
import type { Job, Store } from "./store.ts"
import { threadsFor, workOf } from "./threads.ts"
import { touched } from "./touch.ts"
import type { Variant } from "./tune.ts"

/** Looks at a barrier before a thread sleeps, where every thread has a core of its own. */
const SPIN = 100_000

/** The module of one entry, as workers know it. */
interface Loaded {
  readonly key: number
  readonly generated: Generated
  readonly module: WebAssembly.Module
  /** The memory that it works with. */
  readonly workAt: number
  readonly touched: ReturnType<typeof touched>
}

/** What an executable is made with. */
export interface ExecutableOptions {
  readonly threads: number
  /** Whether a run uses fewer threads if its work is not worth them all. */
  readonly fewer: boolean
  /** Whether threads share memory; if not, there is one, with a memory of its own. */
  readonly shared: boolean
  readonly variant: Variant
  /** What runs instead if the paired vectors do not prove themselves. */
  readonly plain: Variant
}

/** Operations of a run that the caller's thread does itself: about a millisecond, less than two messages may take. */
const IN_PLACE = 2_000_000

interface HeldRows extends Bound {
  readonly addresses: ReadonlyMap<string, { readonly at: number; readonly type: number; readonly bytes: number }>
  /** Where the order of a pass lies, and the bytes that are there for it. */
  readonly order: { at: number; bytes: number }
}

/** A program with its memory and its modules. */
export class WasmExecutable implements Executable {
  readonly program: Program
  readonly threads: number
  readonly #pool: Pool
  readonly #options: ExecutableOptions
  readonly #store: Store
  readonly #arenaAt: number
  /** The modules of the entries that have run. */
  readonly #loaded = new Map<string, Loaded>()
  /** Entries whose paired vectors have given the same bits as plain code, once. */
  readonly #proven = new Set<string>()
  #running = false
  #stopping = false
  #log = { at: 0, bytes: 0 }

  constructor(program: Program, workers: Pool, options: ExecutableOptions) {
    checkAddressable(program.arena)
    this.program = program
    this.threads = options.shared ? options.threads : 1
    this.#pool = workers
    this.#options = options
    const [start, end] = arenaOf(program)
    this.#arenaAt = start
    this.#store = (options.shared ? sharedStore : mirroredStore)(workers, end)
  }

  /** How products are computed. */
  get variant(): Variant {
    return this.#options.variant
  }

  /** The module of an entry: generated when it is first run. */
  #load(entry: string): Loaded {
    const known = this.#loaded.get(entry)
    if (known !== undefined) return known
    const loaded = this.#generate(entry, this.#options.variant)
    this.#loaded.set(entry, loaded)
    return loaded
  }

  #generate(entry: string, { tile, wide }: Variant): Loaded {
    const { platform } = this.#pool
    const generated = generate(this.program, entry, { tile, threads: this.threads, shared: this.#store.shared })
    const module = platform.compile(generated.bytes, { wide, relaxed: this.program.numerics === "fused" })
    const workAt = this.#store.allocate(generated.workBytes)
    if (this.threads > 1) this.#store.put(workAt + generated.sharesAt, bytesOf(evenShares(this.threads)))
    return { key: this.#pool.newKey(), generated, module, workAt, touched: touched(this.program, entry) }
  }

  #forget({ key, workAt }: Loaded): void {
    this.#store.drop(key)
    this.#store.free(workAt)
  }

  #buffer(name: string): Buffer {
    const b = this.program.buffers[bufferIndex(this.program, name)]
    if (b === undefined || b.offset < 0) throw internalError(`The program has no buffer ${name} in its arena.`)
    return b
  }

  /** Where a buffer of the arena is, in bytes. */
  #place(b: Buffer): { readonly at: number; readonly length: number } {
    return { at: this.#arenaAt + b.offset, length: 4 * elementsOf(b, this.program.rows) }
  }

  write(name: string, values: Float32Array): void {
    const b = this.#buffer(name)
    const { at, length } = this.#place(b)
    const elements = this.#store.floats(at, length / 4)
    spreadRows(
      values,
      elements,
      b.shape.length < 2 ? values.length : b.pitch,
      b.shape.length < 2 ? values.length : b.shape[b.shape.length - 1]!,
    )
    this.#store.wrote(at)
  }

  read(name: string): Float32Array {
    const b = this.#buffer(name)
    const { at, length } = this.#place(b)
    const elements = this.#store.floats(at, length / 4)
    return b.shape.length < 2 ? new Float32Array(elements) : packRows(elements, b.pitch, b.shape[b.shape.length - 1]!)
  }

  bind(rows: Rows): Bound {
    const addresses = new Map<string, { at: number; type: number; bytes: number }>()
    for (const b of this.program.buffers) {
      if (b.role !== "data" && b.role !== "result") continue
      const given = rows.data[b.name]
      if (b.role === "data" && given !== undefined) {
        const at = this.#store.allocate(given.data.byteLength + 16)
        this.#store.put(at, bytesOf(given.data))
        addresses.set(b.name, { at, type: dataTypes[given.dtype], bytes: given.data.byteLength })
      } else if (b.role === "result") {
        const bytes = 4 * rows.count * b.pitch
        addresses.set(b.name, { at: this.#store.allocate(bytes), type: dataTypes.float32, bytes })
      }
    }
    const order = { at: this.#store.allocate(4 * rows.count), bytes: 4 * rows.count }
    const width = (name: string): number => this.program.buffers[bufferIndex(this.program, name)]!.pitch
    const bytes = (name: string): Uint8Array => {
      const { at, bytes } = addresses.get(name)!
      const { buffer, byteOffset } = this.#store.floats(at, Math.ceil(bytes / 4))
      return new Uint8Array(buffer, byteOffset, bytes)
    }
    const held: HeldRows = {
      rows: rows.count,
      addresses,
      order,
      result: (name) => new Float32Array(this.#store.floats(addresses.get(name)!.at, rows.count * width(name))),
      bytes,
      view: (name) =>
        this.#store.shared && addresses.has(name) ? elements(rows.data[name]!.dtype, bytes(name)) : undefined,
      wrote: (name) => this.#store.wrote(addresses.get(name)!.at),
      release: () => {
        for (const { at } of addresses.values()) this.#store.free(at)
        this.#store.free(order.at)
      },
    }
    return held
  }

  stop(): void {
    this.#stopping = true
    if (this.#running) this.#store.stop()
  }

  close(): void {
    this.#store.close()
  }

  async run(run: Run): Promise<Ran> {
    if (this.#running) throw new TrilobiteError("E_BUSY", { where: "engine", what: "this model is running already." })
    checkRun(this.program, run, (run.bound as HeldRows).addresses)
    this.#running = true
    this.#stopping = false
    try {
      if (!this.#options.variant.wide || this.#proven.has(run.entry) || run.count === 0)
        return await this.#run(run, this.#load(run.entry))
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
        this.#load(run.entry),
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
    const wide = this.#load(run.entry)
    const plain = this.#generate(run.entry, this.#options.plain)
    const expected = await this.#run(round, plain)
    const after = this.#outcome(run, expected)
    for (const [name, values] of before) this.write(name, values)
    const ran = await this.#run(round, wide)
    this.#proven.add(run.entry)
    if (sameBits(after, this.#outcome(run, ran))) {
      this.#forget(plain)
      return ran
    }
    console.warn("Note: wide vectors gave other bits than plain code on this machine and are not used.")
    for (const [name, values] of before) this.write(name, values)
    this.#forget(wide)
    this.#loaded.set(run.entry, plain)
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
    this.#prepare(run, loaded)
    const { entry, first, count, batchSize } = run
    const point = this.program.entries[entry]!
    const rows = Math.min(batchSize, rowsOf(run))
    const threads = this.#options.fewer ? threadsFor(point, rows, this.threads) : this.threads
    const { addresses } = run.bound as HeldRows
    const { data, changes } = loaded.touched
    const logBytes = 4 * point.logs.length
    const held = (b: Buffer): number => addresses.get(b.name)!.at
    const place = (b: Buffer): Job["changes"][number] =>
      b.role === "state" ? this.#place(b) : { at: held(b), length: 4 * run.bound.rows * b.pitch }
    const done = await this.#store.run({
      ...{ key: loaded.key, module: loaded.module, entry, threads, first, count, rows: rowsOf(run), batch: batchSize },
      small: this.#options.fewer && count * workOf(point, rows) <= IN_PLACE,
      logBytes,
      reads: data.map(held),
      changes: [...changes.map(place), { at: this.#log.at, length: logBytes * count }],
    })
    return this.#report(run, done)
  }

  /** Writes the parameters of a run into the control block. */
  #prepare(run: Run, loaded: Loaded): void {
    const { program } = this
    const held = run.bound as HeldRows
    const logs = program.entries[run.entry]?.logs.length
    if (logs === undefined) throw internalError(`The program has no entry ${run.entry}.`)
    const logBytes = 4 * logs * run.count
    if (logBytes > this.#log.bytes) {
      if (this.#log.bytes > 0) this.#store.free(this.#log.at)
      this.#log = { at: this.#store.allocate(logBytes), bytes: logBytes }
    }
    // Everything else in the block begins at 0.
    const words = new Int32Array(this.#arenaAt / 4)
    if (run.order !== undefined) this.#putOrder(held, run.order)
    words[control.order / 4] = run.order === undefined ? 0 : held.order.at
    words[control.log / 4] = this.#log.at
    words[control.step / 4] = run.runtime?.step ?? 0
    words[control.work / 4] = loaded.workAt
    words.set(seedWords(run.seed ?? 0), control.seed / 4)
    words[control.spin / 4] = this.threads <= this.#pool.platform.cores ? SPIN : 0
    for (const [name, i] of Object.entries(loaded.generated.bound)) {
      const found = held.addresses.get(name)
      words[(control.bound + BOUND_BYTES * i) / 4] = found?.at ?? 0
      words[(control.bound + BOUND_BYTES * i) / 4 + 1] = found?.type ?? 0
    }
    this.#store.put(0, bytesOf(words))
    const numbers = Float32Array.from(program.runtime, (name) => run.runtime?.[name] ?? 0)
    this.#store.put(this.#place(this.#buffer("runtime")).at, bytesOf(numbers))
  }

  #putOrder({ order }: HeldRows, rows: Int32Array): void {
    if (rows.byteLength > order.bytes) {
      this.#store.free(order.at)
      Object.assign(order, { at: this.#store.allocate(rows.byteLength), bytes: rows.byteLength })
    }
    this.#store.put(order.at, bytesOf(rows))
  }

  #report(run: Run, done: number): Ran {
    const logs = this.program.entries[run.entry]!.logs.length
    const guard = (done & GUARD_BIT) !== 0
    const rounds = done & ~GUARD_BIT
    const written = guard ? rounds + 1 : rounds
    return {
      rounds,
      logs: new Float32Array(this.#store.floats(this.#log.at, written * logs)),
      ended: guard ? "guard" : rounds < run.count ? "stopped" : "done",
    }
  }
}
