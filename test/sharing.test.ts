// How threads share a round: shares follow the times that are kept, and whatever they are, all work is done exactly once.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { call, module_ } from "../src/backend/wasm/assembler.ts"
import { i32 } from "../src/backend/wasm/instructions.ts"
import { defineSharing, evenShares, shareOf, sharingBytes } from "../src/backend/wasm/sharing.ts"

const MOST = 8
const TABLE = 256

interface Functions {
  keep(thread: number, milliseconds: number): void
  anew(threads: number): void
  from(thread: number, threads: number, extent: number): number
  to(thread: number, threads: number, extent: number): number
}

/** A module that does nothing but share, by grains of the size given, and the table of it. */
function share(grain: number): { functions: Functions; table: Float32Array } {
  const m = module_()
  m.memory({ import: ["env", "memory"], initial: 1, maximum: 1, shared: true })
  const sharing = defineSharing(m, MOST)
  const table = i32.const(TABLE)
  m.define("keep", { params: ["i32", "f64"], results: [], exported: true }, ({ params: [thread, time] }) => [
    sharing.keep(table, thread.get, time.get),
  ])
  m.define("anew_", { params: ["i32"], results: [], exported: true }, ({ params: [threads] }) => [
    call(sharing.anew, table, threads.get),
  ])
  for (const [place, name] of ["from", "to"].entries()) {
    m.define(name, { params: ["i32", "i32", "i32"], results: ["i32"], exported: true }, (fn) => {
      const [thread, threads, extent] = fn.params
      const bounds = [fn.local("i32"), fn.local("i32")] as const
      const part = (n: number) => call(sharing.part, table, i32.add(thread.get, i32.const(n)), threads.get)
      return [...shareOf([part(0), part(1)], extent.get, grain, ...bounds), bounds[place]!.get]
    })
  }
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const env = { memory, now: () => 0 }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish()), { env })
  const numbers = new Float32Array(memory.buffer, TABLE, sharingBytes(MOST) / 4)
  numbers.set(evenShares(MOST))
  return {
    functions: { ...(exports as unknown as Functions), anew: exports.anew_ as Functions["anew"] },
    table: numbers,
  }
}

describe("shares of threads", () => {
  test("are even at first", () => {
    const { functions } = share(4)
    const bounds = [0, 1, 2].map((t) => [functions.from(t, 3, 24), functions.to(t, 3, 24)])
    expect(bounds).toEqual([
      [0, 8],
      [8, 16],
      [16, 24],
    ])
  })

  test("become those of the speeds, and even again", () => {
    const { functions, table } = share(1)
    const work = (times: readonly number[]): void => {
      for (const [t, factor] of times.entries()) functions.keep(t, factor * table[t]!)
      functions.anew(times.length)
    }
    for (let round = 0; round < 40; round++) work([1, 1, 2])
    // Speeds 1, 1 and 1/2: two fifths, two fifths, one fifth.
    expect([...table.subarray(0, 3)].map((s) => s.toFixed(3))).toEqual(["1.200", "1.200", "0.600"])
    expect([0, 1, 2].map((t) => functions.to(t, 3, 100) - functions.from(t, 3, 100))).toEqual([40, 40, 20])
    for (let round = 0; round < 40; round++) work([3, 3, 3])
    expect([...table.subarray(0, 3)].map((s) => s.toFixed(3))).toEqual(["1.000", "1.000", "1.000"])
  })

  test("leave a thread enough to show that it is fast again", () => {
    const { functions, table } = share(1)
    for (let round = 0; round < 100; round++) {
      functions.keep(0, 0.001)
      functions.keep(1, 1000)
      functions.anew(2)
    }
    expect(table[1]).toBe(0.125)
    expect(functions.to(1, 2, 1000) - functions.from(1, 2, 1000)).toBeGreaterThan(50)
  })

  test("stay as they are where the clock shows no time", () => {
    const { functions, table } = share(1)
    functions.keep(0, 3)
    functions.keep(1, 0)
    functions.anew(2)
    expect([...table.subarray(0, 2)]).toEqual([1, 1])
  })

  test("do all work exactly once, whatever they are", () => {
    const shares = fc.array(fc.float({ min: 0.125, max: 8, noNaN: true }), { minLength: 1, maxLength: MOST })
    for (const grain of [1, 5, 16]) {
      const { functions, table } = share(grain)
      fc.assert(
        fc.property(shares, fc.integer({ min: 0, max: 100_000_000 }), (given, extent) => {
          table.set(given)
          let end = 0
          for (let t = 0; t < given.length; t++) {
            expect(functions.from(t, given.length, extent)).toBe(end)
            end = functions.to(t, given.length, extent)
            expect(end === extent || end % grain === 0).toBe(true)
          }
          expect(end).toBe(extent)
        }),
      )
    }
  })
})
