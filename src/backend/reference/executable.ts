// The interpreter of Programs in plain TypeScript: with kernels.ts the definition of what they mean.

import { internalError, TrilobiteError } from "../../core/errors.ts"
import { streamKey, uniformAt } from "../../core/random.ts"
import type { Draw } from "../../program/expression.ts"
import { indexes, inTurn, type Kernel, loopOf } from "../../program/kernel.ts"
import { type Buffer, bufferIndex, type EntryPoint, elementsOf, type Program } from "../../program/program.ts"
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
import type { Precision } from "./arithmetic.ts"
import { type Memory, runGather, runIndexed, runMap, runMatmul, runScatter } from "./kernels.ts"

/** The random numbers of one round; the key of each stream is made once. */
function drawer(seed: number, step: number): (what: Draw, index: number) => number {
  const keys = new Map<string, Int32Array>()
  return ({ stream, substream }, index) => {
    const name = `${stream} ${substream}`
    const key = keys.get(name) ?? streamKey(seed, stream, substream)
    keys.set(name, key)
    return uniformAt(key, step, index)
  }
}

/** Milliseconds of work after which the interpreter lets others run. */
const SLICE = 8

/** Milliseconds since some moment, for nothing but deciding when to pause. */
const now = (): number => performance.now()

interface HeldRows extends Bound {
  readonly data: Rows["data"]
  readonly results: Map<string, Float32Array | Float64Array>
}

/** A program with its memory, interpreted. */
export class ReferenceExecutable implements Executable {
  readonly program: Program
  readonly threads = 1
  readonly #precision: Precision
  readonly #memory: Memory
  #stop = false
  /** When others last had their turn. */
  #resumed = now()
  #running = false

  constructor(program: Program, precision: Precision) {
    this.program = program
    this.#precision = precision
    // Buffers are views of one arena, as in every backend, so that a fault of the plan shows here too.
    const bytes = precision.array.BYTES_PER_ELEMENT
    const arena = new ArrayBuffer((program.arena / 4) * bytes)
    this.#memory = program.buffers.map((b) =>
      b.offset < 0
        ? new precision.array(0)
        : new precision.array(arena, (b.offset / 4) * bytes, elementsOf(b, program.rows)),
    )
  }

  write(buffer: string, values: Float32Array): void {
    const b = this.#buffer(buffer)
    spreadRows(
      values,
      this.#memory[bufferIndex(this.program, buffer)] as Float32Array,
      b.pitch,
      b.shape[b.shape.length - 1] ?? 1,
    )
  }

  read(buffer: string): Float32Array {
    const b = this.#buffer(buffer)
    const elements = Float32Array.from(this.#memory[bufferIndex(this.program, buffer)]!)
    return b.shape.length < 2 ? elements : packRows(elements, b.pitch, b.shape[b.shape.length - 1]!)
  }

  /** The elements in the precision of this backend; gradient checks read float64. */
  elements(buffer: string): Float32Array | Float64Array {
    return this.#memory[bufferIndex(this.program, buffer)]!
  }

  #buffer(name: string): Buffer {
    const b = this.program.buffers[bufferIndex(this.program, name)]
    if (b === undefined) throw internalError(`The program has no buffer ${name}.`)
    return b
  }

  bind(rows: Rows): Bound {
    const results: HeldRows["results"] = new Map()
    for (const b of this.program.buffers) {
      if (b.role === "result") results.set(b.name, new this.#precision.array(rows.count * b.pitch))
    }
    const held: HeldRows = {
      rows: rows.count,
      data: rows.data,
      results,
      // In float64 for gradient checks, which know.
      result: (name) => (results.get(name) ?? new Float32Array(0)) as Float32Array,
      bytes: (name) => {
        const { buffer, byteOffset, byteLength } = rows.data[name]!.data
        return new Uint8Array(buffer, byteOffset, byteLength)
      },
      view: (name) => rows.data[name]?.data,
      wrote: () => {},
      release: () => results.clear(),
    }
    return held
  }

  stop(): void {
    this.#stop = true
  }

  close(): void {
    this.#stop = true
  }

  async run(run: Run): Promise<Ran> {
    if (this.#running) throw new TrilobiteError("E_BUSY", { where: "engine", what: "this model is running already." })
    checkRun(this.program, run, new Set(Object.keys((run.bound as HeldRows).data)))
    this.#running = true
    this.#stop = false
    try {
      return await this.#rounds(run)
    } finally {
      this.#running = false
    }
  }

  async #rounds(run: Run): Promise<Ran> {
    const { program } = this
    const entry = program.entries[run.entry]
    if (entry === undefined) throw internalError(`The program has no entry ${run.entry}.`)
    const logs = new Float32Array(run.count * entry.logs.length)
    const log = this.#memory[bufferIndex(program, `${run.entry}.log`)]
    const report = (rounds: number, rows: number, ended: Ran["ended"]): Ran => ({
      rounds,
      logs: logs.slice(0, rows * entry.logs.length),
      ended,
    })
    for (let round = 0; round < run.count; round++) {
      const finished = this.#round(run, entry, round)
      if (log !== undefined) logs.set(log as Float32Array, round * entry.logs.length)
      if (!finished) return report(round, round + 1, "guard")
      if (this.#stop) return report(round + 1, round + 1, round + 1 === run.count ? "done" : "stopped")
      if (now() - this.#resumed > SLICE) {
        await new Promise((resolve) => setTimeout(resolve))
        this.#resumed = now()
      }
    }
    return report(run.count, run.count, "done")
  }

  /** One round; false if its guard found a number that is not finite. */
  #round(run: Run, entry: EntryPoint, round: number): boolean {
    const { buffers, runtime } = this.program
    const held = run.bound as HeldRows
    const first = (run.first + round) * run.batchSize
    const rows = Math.min(run.batchSize, rowsOf(run) - first)
    const numbers = this.#memory[bufferIndex(this.program, "runtime")]!
    runtime.forEach((name, i) => {
      numbers[i] = name === "rows" ? rows : (run.runtime?.[name] ?? 0) + (name === "step" ? round : 0)
    })
    const draw = drawer(run.seed ?? 0, ((run.runtime?.step ?? 0) + round) >>> 0)
    const execute = (kernel: Kernel): void => {
      if (kernel.kind === "map") runMap(kernel, this.#memory, rows, this.#precision, draw)
      else if (kernel.kind === "matmul") runMatmul(kernel, this.#memory, rows, this.#precision)
      else if (indexes(kernel)) runIndexed(kernel, this.#memory, rows, this.#precision)
      else if (kernel.kind === "gather") {
        const target = buffers[kernel.target]!
        const pitch = target.shape.length > 2 ? kernel.width : target.shape.length === 1 ? 1 : target.pitch
        const batch = { first, rows, order: run.order }
        runGather(kernel, held.data[buffers[kernel.source]!.name]!, this.#memory[kernel.target]!, pitch, batch)
      } else {
        const result = held.results.get(buffers[kernel.target]!.name)!
        runScatter(kernel, this.#memory[kernel.source]!, result, first, rows)
      }
    }
    for (const [i, { kernel }] of entry.steps.entries()) {
      const number = loopOf(kernel)
      if (number === undefined) execute(kernel)
      else if (i === 0 || loopOf(entry.steps[i - 1]!.kernel) !== number) {
        // The first step of a loop: all its turns, each through all its steps.
        const { turns, reverse } = entry.loops[number]!
        const steps = entry.steps.filter((step) => loopOf(step.kernel) === number)
        for (let t = 0; t < turns; t++) {
          for (const step of steps) execute(inTurn(step.kernel, reverse ? turns - 1 - t : t))
        }
      }
      if (entry.guard?.step === i) {
        const log = this.#memory[bufferIndex(this.program, `${run.entry}.log`)]!
        if (!Number.isFinite(log[entry.guard.log]!)) return false
      }
    }
    return true
  }
}
