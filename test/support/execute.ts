// Runs a graph or a program on a backend and hands back all that it leaves behind; compares results bit for bit.
import type { Bound, Executable, LoadOptions, Ran, Rows, Run } from "../../src/backend/backend.ts"
import { referenceBackend } from "../../src/backend/reference/reference.ts"
import type { Tile } from "../../src/backend/wasm/kernel.ts"
import { wasmBackend } from "../../src/backend/wasm/wasm.ts"
import type { Tensor } from "../../src/core/tensor.ts"
import type { Program } from "../../src/program/program.ts"
import { double } from "./float64.ts"

/** Numbers of either precision. */
export type Numbers = Float32Array | Float64Array

/** What leaves stand for: `inputs` by name, row-major; `variables` by key. */
export interface Setting {
  readonly rows: number
  readonly inputs: { readonly [name: string]: Numbers }
  readonly variables: { readonly [key: string]: Numbers }
  readonly runtime?: { readonly [name: string]: number }
  /** The seed of random numbers (default {@link SEED}). */
  readonly seed?: number
}

/** A seed whose upper word is not 0. */
export const SEED: number = 5 * 2 ** 32 + 2 ** 31 + 17

/** Everything that a run leaves behind: states, results and logs by name. */
export type Outcome = ReadonlyMap<string, Numbers>

/** A way to load a program. */
export interface Machine {
  readonly name: string
  load(program: Program): Promise<Executable>
}

/** The reference in float32. */
export const reference: Machine = { name: "reference", load: (program) => referenceBackend().load(program) }

/** The reference in float64. */
export const reference64: Machine = { name: "reference64", load: (program) => referenceBackend(double).load(program) }

/** The WebAssembly backend with so many threads and, if given, another tile. */
export function wasm(threads: number, tile?: Tile): Machine {
  const options: LoadOptions & { tile?: Tile } = tile === undefined ? { threads } : { threads, tile }
  const name = `wasm, ${threads} threads${tile ? `, tile ${tile.rows}x${tile.vectors}x${tile.unroll}` : ""}`
  return { name, load: (program) => wasmBackend.load(program, options) }
}

/** The WebAssembly backend as in a page that may not share memory: one worker with a memory of its own. */
export const unshared: Machine = {
  name: "wasm, memory not shared",
  load: (program) => wasmBackend.load(program, { shared: false }),
}

/** The tile of engines before V8 13. */
export const OLD_TILE: Tile = { rows: 4, vectors: 2, unroll: 1 }

/** Data as the contract wants it; float64 numbers only mean something to the float64 reference. */
export function dataOf(count: number, inputs: { readonly [name: string]: Numbers | Uint8Array | Int32Array }): Rows {
  const entries = Object.entries(inputs).map(([name, data]): [string, Tensor] => {
    const dtype = data instanceof Uint8Array ? "uint8" : data instanceof Int32Array ? "int32" : "float32"
    return [name, { dtype, shape: [count, data.length / count], data: data as Float32Array }]
  })
  return { count, data: Object.fromEntries(entries) }
}

/** Sets the states of an executable. */
export function writeStates(executable: Executable, states: { readonly [key: string]: Numbers }): void {
  for (const [key, values] of Object.entries(states)) {
    if (executable.program.buffers.some((b) => b.name === key)) executable.write(key, values as Float32Array)
  }
}

/** The states of an executable by name. */
export function statesOf(executable: Executable): Map<string, Numbers> {
  const states = executable.program.buffers.filter((b) => b.role === "state")
  return new Map(states.map((b) => [b.name, readExactly(executable, b.name)]))
}

/** A buffer without its gaps, in the precision of the executable. */
function readExactly(executable: Executable, name: string): Numbers {
  const exact = (executable as { elements?(name: string): Numbers }).elements?.(name)
  if (!(exact instanceof Float64Array)) return executable.read(name)
  const { shape, pitch } = executable.program.buffers.find((b) => b.name === name)!
  const width = shape[shape.length - 1] ?? 1
  if (shape.length < 2 || pitch === width) return exact.slice()
  return Float64Array.from({ length: (exact.length / pitch) * width }, (_, i) => {
    return exact[Math.floor(i / width) * pitch + (i % width)]!
  })
}

/** The results of the bound rows by name. */
export function resultsOf(executable: Executable, bound: Bound): Map<string, Numbers> {
  const results = executable.program.buffers.filter((b) => b.role === "result")
  return new Map(results.map((b) => [b.name, bound.result(b.name).slice()]))
}

/** Runs one round of every entry, in order, over all rows at once, and collects what it leaves behind. */
export async function execute(machine: Machine, program: Program, setting: Setting): Promise<Outcome> {
  const executable = await machine.load(program)
  try {
    writeStates(executable, setting.variables)
    const bound = executable.bind(dataOf(setting.rows, setting.inputs))
    const outcome = new Map<string, Numbers>()
    for (const entry of Object.keys(program.entries)) {
      const run: Run = {
        entry,
        bound,
        batchSize: setting.rows,
        first: 0,
        count: 1,
        runtime: setting.runtime ?? {},
        seed: setting.seed ?? SEED,
      }
      const ran: Ran = await executable.run(run)
      outcome.set(`${entry} logs`, ran.logs)
      outcome.set(`${entry} ${ran.ended}`, Float32Array.of(ran.rounds))
    }
    for (const [name, values] of statesOf(executable)) outcome.set(name, values)
    for (const [name, values] of resultsOf(executable, bound)) outcome.set(name, values)
    bound.release()
    return outcome
  } finally {
    executable.close()
  }
}

/** The bits of float32 numbers; every NaN has the same. */
export function bitsOf(values: Numbers): Uint32Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer)
  for (let i = 0; i < bits.length; i++) if (values[i] !== values[i]) bits[i] = 0x7fc00000
  return bits
}

/** Where two outcomes differ first, as a sentence; undefined if every bit is the same. */
export function difference(expected: Outcome, actual: Outcome): string | undefined {
  const names = new Set([...expected.keys(), ...actual.keys()])
  for (const name of names) {
    const [a, b] = [expected.get(name), actual.get(name)]
    if (a === undefined || b === undefined) return `only one has ${name}`
    if (a.length !== b.length) return `${name} has ${b.length} numbers, not ${a.length}`
    const [x, y] = [bitsOf(a), bitsOf(b)]
    const at = x.findIndex((bits, i) => bits !== y[i])
    if (at >= 0) return `${name}[${at}] is ${b[at]}, not ${a[at]} (${x.filter((v, i) => v !== y[i]).length} differ)`
  }
  return undefined
}

/** A backend that does what another does and then moves one number of one state by one unit in the last place. */
export function perturbed(machine: Machine, buffer: string, element: number): Machine {
  return {
    name: `${machine.name}, perturbed`,
    load: async (program) => {
      const executable = await machine.load(program)
      const run = executable.run.bind(executable)
      executable.run = async (options) => {
        const ran = await run(options)
        const values = executable.read(buffer)
        const bits = new Int32Array(values.buffer, values.byteOffset, values.length)
        bits[element]!++
        executable.write(buffer, values)
        return ran
      }
      return executable
    },
  }
}

/** The name of every machine that must equal the reference. */
export const MACHINES: readonly Machine[] = [wasm(1), wasm(3), wasm(1, OLD_TILE), unshared]
