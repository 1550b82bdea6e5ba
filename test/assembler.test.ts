// Constants, control flow, functions and modules of the assembler, and what it refuses.
import { describe, expect, test } from "vitest"
import { call, type Local, module_ } from "../src/backend/wasm/assembler.ts"
import type { Code, Label } from "../src/backend/wasm/code.ts"
import {
  block,
  br,
  brIf,
  cond,
  drop,
  if_,
  loop,
  return_,
  select,
  seq,
  unreachable,
} from "../src/backend/wasm/control.ts"
import { f32, f32x4, f64, i32, i32x4, i64 } from "../src/backend/wasm/instructions.ts"
import { compile, FLOATS, hex, hexOf, PLACE, write } from "./assembler.run.ts"

// ---- constants ----

describe("constants", () => {
  test("i32", () => {
    const near = [0, 1, 63, 64, 127, 128, 8191, 8192, 16384, 2 ** 20 - 1, 2 ** 20, 2 ** 27 - 1, 2 ** 27, 2 ** 31 - 1]
    const values = [...near, ...near.map((x) => -x), -65, -129, -(2 ** 31), 2 ** 31, 2 ** 32 - 1]
    const { run, bytes } = compile(values.map((x, k) => write(PLACE + 4 * k, i32.const(x))))
    run()
    expect(values.map((_, k) => bytes.getInt32(PLACE + 4 * k, true))).toEqual(values.map((x) => x | 0))
    for (const value of [0.5, NaN, 2 ** 32, -(2 ** 31) - 1]) expect(() => i32.const(value)).toThrow(RangeError)
  })
  test("i32 constants take the fewest bytes", () => {
    const size = (x: number): number => {
      const m = module_()
      m.define("f", { params: [], results: ["i32"] }, () => [i32.const(x)])
      return m.finish().length
    }
    const base = size(0)
    expect([63, -64, 64, -65, 8191, -8192, 8192, -(2 ** 31)].map((x) => size(x) - base)).toEqual([
      0, 0, 1, 1, 1, 1, 2, 4,
    ])
  })
  test("i64", () => {
    const values = [0n, 63n, 64n, -64n, -65n, 2n ** 31n, -(2n ** 31n), 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)]
    const { run, bytes } = compile(values.map((x, k) => write(PLACE + 8 * k, i64.const(x))))
    run()
    expect(values.map((_, k) => bytes.getBigInt64(PLACE + 8 * k, true))).toEqual(values)
  })
  test("f32, f64 and vectors, to the bit", () => {
    const code = FLOATS.flatMap((x, k) => [
      write(PLACE + 64 * k, f32.const(x)),
      write(PLACE + 64 * k + 8, f64.const(x)),
      write(PLACE + 64 * k + 16, f32x4.const(x, 1, -x, x)),
    ])
    const { run, bytes } = compile(code)
    run()
    FLOATS.forEach((x, k) => {
      const at = PLACE + 64 * k
      expect(hex(bytes, at, 4)).toBe(Number.isNaN(x) ? "0000c07f" : hexOf("f32", x))
      expect(hex(bytes, at + 8, 8)).toBe(Number.isNaN(x) ? "000000000000f87f" : hexOf("f64", x))
      const lanes = Uint8Array.from(new Uint8Array(Float32Array.of(x, 1, -x, x).buffer))
      expect(hex(bytes, at + 16, 16, 4)).toBe(hexOf("v128", lanes, 4))
    })
    const ints = compile([write(PLACE, i32x4.const(1, -2, 2 ** 32 - 3, -(2 ** 31)))])
    ints.run()
    expect([0, 4, 8, 12].map((k) => ints.bytes.getInt32(PLACE + k, true))).toEqual([1, -2, -3, -(2 ** 31)])
  })
})

// ---- control ----

/** A module's function of one i32 argument. */
function unary(
  build: (x: Local<"i32">, local: Local<"i32">) => readonly [...Code<"void">[], Code<"i32">],
): (x: number) => number {
  const m = module_()
  m.define("f", { params: ["i32"], results: ["i32"], exported: true }, (fn) => build(fn.params[0], fn.local("i32")))
  return new WebAssembly.Instance(new WebAssembly.Module(m.finish())).exports.f as (x: number) => number
}
const add = (local: Local<"i32">, n: number): Code<"void"> => local.set(i32.add(local.get, i32.const(n)))

describe("control", () => {
  test("a loop counts", () => {
    const f = unary((x, sum) => [
      loop((again) => [sum.set(i32.add(sum.get, x.get)), brIf(again, x.tee(i32.sub(x.get, i32.const(1))))]),
      sum.get,
    ])
    expect([1, 2, 10, 100].map(f)).toEqual([1, 3, 55, 5050])
  })
  test("branches leave exactly the block they name", () => {
    // One digit for every block whose end is passed without being branched over.
    const f = unary((x, path) => {
      const at = (n: number, label: Label): Code<"void"> => brIf(label, i32.eq(x.get, i32.const(n)))
      return [
        block((a) => [
          block((b) => [
            if_(
              i32.geS(x.get, i32.const(0)),
              [block((c) => [at(1, a), at(2, b), at(3, c), add(path, 1)]), add(path, 10)],
              [add(path, 5000), at(-1, b), br(a)],
            ),
            add(path, 100),
          ]),
          add(path, 1000),
        ]),
        path.get,
      ]
    })
    expect([0, 1, 2, 3, -1, -2].map(f)).toEqual([1111, 0, 1000, 1110, 6000, 5000])
  })
  test("nested loops restart the one they name", () => {
    const f = unary((x, count) => [
      loop((outer) => [
        block((leave) => [
          loop((inner) => [add(count, 1), brIf(leave, i32.eqz(i32.remU(count.get, i32.const(3)))), br(inner)]),
        ]),
        brIf(outer, x.tee(i32.sub(x.get, i32.const(1)))),
      ]),
      count.get,
    ])
    expect([1, 2, 5].map(f)).toEqual([3, 6, 15])
  })
  test("cond, select, seq, return_, unreachable and tee", () => {
    const positive = (x: Local<"i32">): Code<"i32"> => i32.gtS(x.get, i32.const(0))
    const trap = seq(unreachable(), i32.const(0))
    expect([5, -5].map(unary((x) => [cond("i32", positive(x), i32.const(1), i32.const(2))]))).toEqual([1, 2])
    expect([5, -5].map(unary((x) => [select(positive(x), i32.const(1), i32.const(2))]))).toEqual([1, 2])
    expect(unary((x) => [seq(add(x, 1), add(x, 1), x.get)])(3)).toBe(5)
    expect([5, -5].map(unary((x) => [if_(positive(x), [return_(i32.const(7))]), i32.const(8)]))).toEqual([7, 8])
    expect(unary((x) => [cond("i32", positive(x), i32.const(1), trap)])(1)).toBe(1)
    expect(() => unary((x) => [cond("i32", positive(x), i32.const(1), trap)])(0)).toThrow(WebAssembly.RuntimeError)
    expect(unary((x, y) => [drop(y.tee(x.get)), seq(), y.get])(42)).toBe(42)
  })
  test("select takes vectors", () => {
    const { run, bytes } = compile([
      write(PLACE, select(i32.const(0), i32x4.splat(i32.const(1)), i32x4.splat(i32.const(2)))),
    ])
    run()
    expect(bytes.getInt32(PLACE + 12, true)).toBe(2)
  })
  test("a label is known only inside its block, but may be used in code written twice", () => {
    let stray: Label | undefined
    block((label) => {
      stray = label
      return []
    })
    expect(() => compile([br(stray!)])).toThrow(RangeError)
    const f = unary((x) => {
      const twice = block((l) => [brIf(l, x.get), add(x, -10)])
      return [twice, block(() => [twice]), x.get]
    })
    expect([0, 3].map(f)).toEqual([-10, 3])
  })
})

// ---- functions and modules ----

describe("modules", () => {
  test("functions of all types, called before they have a body, with names and an exported memory", () => {
    const m = module_()
    m.memory({ export: "memory", initial: 1 })
    const later = m.declare("later", { params: ["f32", "i64", "f64"], results: ["f64"] })
    m.define("first", { params: ["f32"], results: ["f64"], exported: true }, (fn) => [
      call(later, fn.params[0].get, i64.const(2n), f64.const(0.5)),
    ])
    m.body(later, (fn) => {
      const [a, b, c] = fn.params
      const [v, n] = [fn.local("v128"), fn.local("f64")]
      return [
        v.set(f32x4.splat(a.get)),
        n.set(f64.convertI32S(i32.wrapI64(b.get))),
        f64.add(f64.mul(f64.promoteF32(f32x4.extractLane(2, v.get)), n.get), c.get),
      ]
    })
    const bytes = m.finish({ names: true })
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
    expect((exports.first as (x: number) => number)(1.25)).toBe(3)
    expect(exports.memory).toBeInstanceOf(WebAssembly.Memory)
    expect(Object.keys(exports)).toEqual(["memory", "first"])
    expect(WebAssembly.Module.customSections(new WebAssembly.Module(bytes), "name")).toHaveLength(1)
  })
  test("functions of the caller, beside its memory: first of all, under free names", () => {
    const m = module_()
    m.memory({ import: ["env", "memory"], initial: 1 })
    const half = m.import("env", "half", { params: ["f64"], results: ["f64"] })
    const told: number[] = []
    const tell = m.import("env", "tell", { params: ["i32"], results: [] })
    expect(() => m.import("other", "half", { params: [], results: [] })).toThrow(/"half" is declared already/)
    expect(() => m.declare("tell", { params: [], results: [] })).toThrow(/"tell" is declared already/)
    const twice = m.define("twice", { params: ["i32"], results: ["i32"] }, ({ params: [x] }) => [
      call(tell, x.get),
      i32.add(x.get, x.get),
    ])
    m.define("f", { params: ["i32"], results: ["f64"], exported: true }, ({ params: [x] }) => [
      call(half, f64.convertI32S(call(twice, x.get))),
    ])
    expect(() => m.import("env", "late", { params: [], results: [] })).toThrow(/must come before all others/)
    const env = {
      memory: new WebAssembly.Memory({ initial: 1 }),
      half: (x: number) => x / 2,
      tell: (x: number) => told.push(x),
    }
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish({ names: true })), { env })
    expect((exports.f as (x: number) => number)(7)).toBe(7)
    expect(told).toEqual([7])
  })
  test("more than 127 functions, locals and types", () => {
    const m = module_()
    const types = ["i32", "i64", "f32", "f64", "v128"] as const
    const fs = Array.from({ length: 300 }, (_, k) => {
      const params = Array.from({ length: k % 200 }, (_, p) => types[(p + k) % 5]!)
      return m.define(`f${k}`, { params, results: ["i32"], exported: true }, (fn) => {
        const locals = Array.from({ length: 300 }, (_, p) => fn.local(p < 200 ? "i32" : "f32"))
        return [(locals[199] as Local<"i32">).set(i32.const(k)), (locals[199] as Local<"i32">).get]
      })
    })
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish()))
    expect(fs.every((f, k) => k % 5 !== 0 || f.params.length > 0 || (exports[f.name] as () => number)() === k)).toBe(
      true,
    )
    expect((exports.f200 as () => number)()).toBe(200)
  })
  test("a large body grows the buffer", () => {
    const f = unary((x) => [...Array.from({ length: 20000 }, () => add(x, 1)), x.get])
    expect(f(5)).toBe(20005)
  })
  test("what is wrong is refused", () => {
    const [m, other] = [module_(), module_()]
    let foreign: Local<"i32"> | undefined
    const f = m.define("f", { params: ["i32"], results: [] }, (fn) => {
      foreign = fn.params[0]
      return []
    })
    const empty = { params: [], results: [] } as const
    expect(() => m.define("g", empty, () => [drop(foreign!.get)])).toThrow(/another function/)
    expect(() => m.declare("f", empty)).toThrow(/declared already/)
    expect(() => m.body(f, () => [])).toThrow(/has its body already/)
    expect(() => other.body(f, () => [])).toThrow(/another module/)
    expect(() => other.define("h", empty, () => [call(f, i32.const(0))])).toThrow(/another module/)
    expect(() => m.finish()).toThrow(/"g" was declared but has no body/)
    expect(() => m.memory({ initial: 1, shared: true })).toThrow(/maximum/)
    m.memory({ initial: 1 })
    expect(() => m.memory({ initial: 1 })).toThrow(/set already/)
  })
})
