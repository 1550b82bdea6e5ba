// Every instruction row run on known operands and compared with its meaning in JavaScript (assembler.cases.ts).
import { describe, expect, test } from "vitest"
import { module_ } from "../src/backend/wasm/assembler.ts"
import type { Code, ValueType } from "../src/backend/wasm/code.ts"
import { drop } from "../src/backend/wasm/control.ts"
import * as instructions from "../src/backend/wasm/instructions.ts"
import { atomic, f32x4, f64x2, i32, i32x4, i64, memory, v128 } from "../src/backend/wasm/instructions.ts"
import * as rows from "../src/backend/wasm/opcodes.ts"
import { loads, type Meaning, operators, type Value } from "./assembler.cases.ts"
import {
  compile,
  DOUBLES,
  FLOATS,
  hex,
  hexOf,
  INTS,
  type Make,
  PLACE,
  put,
  read,
  SIZE,
  type Type,
  write,
} from "./assembler.run.ts"

// ---- operands ----

const VECTORS = [
  ...INTS.map((_, i) => new Uint8Array(Int32Array.from([0, 1, 2, 3], (k) => INTS[(i + k) % INTS.length]!).buffer)),
  ...FLOATS.map(
    (_, i) => new Uint8Array(Float32Array.from([0, 1, 2, 3], (k) => FLOATS[(i + k) % FLOATS.length]!).buffer),
  ),
  ...DOUBLES.map((_, i) => new Uint8Array(Float64Array.of(DOUBLES[i]!, DOUBLES[DOUBLES.length - 1 - i]!).buffer)),
  Uint8Array.from({ length: 16 }, (_, k) => (k * 7) % 18),
]
const OPERANDS: Readonly<Record<ValueType, readonly Value[]>> = {
  i32: INTS,
  i64: [...INTS.map(BigInt), 2n ** 63n - 1n, -(2n ** 63n), 0x123456789abcdefn, -0x7edcba9876543210n, 63n, 64n],
  f32: FLOATS.map(Math.fround),
  f64: DOUBLES,
  v128: VECTORS,
}

/** Every pair of operands; the third runs along (an instruction with three has no special pairs). */
function* choices(types: readonly ValueType[]): Generator<Value[]> {
  const [first, second, third] = types.map((type) => OPERANDS[type])
  let turn = 0
  for (const a of first!) {
    for (const b of second ?? [0]) yield [a, b, third?.[turn++ % third.length] ?? 0].slice(0, types.length)
  }
}

/** Runs a row on all operands and lists what differs from its meaning. */
function differences(make: Make, types: readonly ValueType[], result: Type, meaning: Meaning): string[] {
  const { run, bytes } = compile([write(PLACE, make(...types.map((type, k) => read(type, 16 * k))))])
  const wrong: string[] = []
  for (const operands of choices(types)) {
    operands.forEach((value, k) => void put(bytes, types[k]!, 16 * k, value))
    const wanted = (meaning.run as (...o: Value[]) => Value | undefined)(...operands)
    let got = "trap"
    try {
      run()
      got = hex(bytes, PLACE, SIZE[result], meaning.nan)
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error
    }
    const expected = wanted === undefined ? "trap" : hexOf(result, wanted, meaning.nan)
    if (got !== expected && wrong.length < 5) wrong.push(`(${operands}) gave ${got}, not ${expected}`)
  }
  return wrong
}

const GROUPS = {
  i32: [rows.I32, rows.I32_ACCESS],
  i64: [rows.I64, rows.I64_ACCESS],
  f32: [rows.F32, rows.F32_ACCESS],
  f64: [rows.F64, rows.F64_ACCESS],
  v128: [rows.V128, rows.V128_ACCESS],
  i8x16: [rows.I8X16, {}],
  i16x8: [rows.I16X8, {}],
  i32x4: [rows.I32X4, {}],
  i64x2: [rows.I64X2, {}],
  f32x4: [rows.F32X4, {}],
  f64x2: [rows.F64X2, {}],
} as const
type Group = keyof typeof GROUPS
const groups = Object.keys(GROUPS) as Group[]
const { atomic: _, memory: __, ...vectorsAndScalars } = instructions
const functionOf = (group: Group, name: string): Make =>
  (vectorsAndScalars as unknown as Readonly<Record<Group, Readonly<Record<string, Make>>>>)[group][name]!

function supports(code: Code<ValueType>): boolean {
  const m = module_()
  m.define("probe", { params: [], results: [] }, () => [drop(code)])
  return WebAssembly.validate(m.finish())
}
const zero = i32x4.const(0, 0, 0, 0)
const relaxed = supports(f32x4.relaxedMadd(zero, zero, zero))

for (const group of groups) {
  describe(group, () => {
    const table: Readonly<Record<string, rows.OperatorRow>> = GROUPS[group][0]
    test("every row has a meaning", () => {
      expect(Object.keys(operators[group]!).sort()).toEqual(Object.keys(table).sort())
    })
    for (const [name, [, result, ...types]] of Object.entries(table)) {
      if (name.startsWith("relaxed")) continue
      test(name, () => {
        expect(differences(functionOf(group, name), types, result, operators[group]![name]!)).toEqual([])
      })
    }
  })
}

describe.runIf(relaxed)("relaxed multiply-add", () => {
  // Operands for which a fused and an unfused result are the same, and one for which they are not.
  test.each([
    ["relaxedMadd", 1.5, 2, 0.25, [3.25]],
    ["relaxedMadd", -3, 4, 2, [-10]],
    ["relaxedNmadd", 1.5, 2, 0.25, [-2.75]],
    ["relaxedNmadd", -3, 4, 2, [14]],
    ["relaxedMadd", 1 + 2 ** -12, 1 + 2 ** -12, -1, [2 ** -11, 2 ** -11 + 2 ** -24]],
  ] as const)("%s(%d, %d, %d)", (name, a, b, c, allowed) => {
    const operands = [a, b, c].map((x) => f32x4.const(x, 0, 0, x)) as [Code<"v128">, Code<"v128">, Code<"v128">]
    const { run, bytes } = compile([write(PLACE, f32x4[name](...operands))])
    run()
    expect(allowed).toContain(bytes.getFloat32(PLACE, true))
    expect(allowed).toContain(bytes.getFloat32(PLACE + 12, true))
    expect(bytes.getFloat32(PLACE + 4, true)).toBe(0)
  })
})

// ---- memory ----

const OFFSETS = [0, 1, 127, 128, 16383, 16384, 65537]

function pattern(view: DataView): void {
  for (let k = 0; k < view.byteLength; k++) view.setUint8(k, (k * 151 + 200 + (k >> 8)) & 255)
}

for (const group of ["i32", "i64", "f32", "f64", "v128"] as const) {
  const table: Readonly<Record<string, rows.AccessRow>> = GROUPS[group][1]
  describe(`${group} memory`, () => {
    test("every load has a meaning", () => {
      const names = Object.keys(table).filter((name) => name.startsWith("load"))
      expect(Object.keys(loads[group]!).sort()).toEqual(names.sort())
    })
    for (const [name, [, size, result, ...types]] of Object.entries(table)) {
      const make = functionOf(group, name)
      test.each(OFFSETS)(`${name} at offset %d`, (offset) => {
        for (const align of [undefined, 1, size]) {
          const operands = types.map((type) => read(type, 0))
          const code = make(i32.const(3), offset, ...operands, align)
          const { run, bytes } = compile([write(PLACE, code)])
          for (const value of types.length === 0 ? [0] : OPERANDS[types[0]!]) {
            pattern(bytes)
            const wanted = new DataView(new ArrayBuffer(bytes.byteLength))
            pattern(wanted)
            if (types.length > 0) {
              put(bytes, types[0]!, 0, value)
              put(wanted, types[0]!, 0, value)
              for (let k = 0; k < size; k++) wanted.setUint8(3 + offset + k, bytes.getUint8(k))
            } else put(wanted, result, PLACE, loads[group]![name]!(bytes, 3 + offset))
            const nan = group === "f32" ? 4 : group === "f64" ? 8 : undefined
            run()
            for (const at of [0, PLACE, Math.max(0, 3 + offset - 8)]) {
              expect(hex(bytes, at, 40, at === PLACE ? nan : undefined)).toBe(
                hex(wanted, at, 40, at === PLACE ? nan : undefined),
              )
            }
            if (value === OPERANDS[types[0] ?? "i32"][4]) break
          }
        }
      })
    }
  })
}

test("offsets and alignments that cannot be encoded are refused", () => {
  for (const offset of [-1, 0.5, 2 ** 32, NaN]) expect(() => i32.load(i32.const(0), offset)).toThrow(RangeError)
  for (const align of [0, 3, 8, -4]) expect(() => i32.load(i32.const(0), 0, align)).toThrow(RangeError)
})

test("an offset of 2^31-1 or 2^32-1 is encoded and out of bounds", () => {
  for (const offset of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    const { run } = compile([drop(i32.load(i32.const(0), offset))])
    expect(run).toThrow(WebAssembly.RuntimeError)
  }
})

// ---- lanes ----

describe("lanes", () => {
  const LANES = {
    i32x4: [i32x4, rows.I32X4_LANE, "i32", INTS],
    f32x4: [f32x4, rows.F32X4_LANE, "f32", FLOATS],
    f64x2: [f64x2, rows.F64X2_LANE, "f64", DOUBLES],
  } as const
  test.each(["i32x4", "f32x4", "f64x2"] as const)("%s extractLane and replaceLane", (shape) => {
    const [group, table, type, values] = LANES[shape]
    expect(Object.keys(table)).toEqual(["extractLane", "replaceLane"])
    const count = 16 / SIZE[type]
    const make = group as unknown as Readonly<Record<string, Make>>
    for (let lane = 0; lane < count; lane++) {
      const vector = read("v128", 0)
      const { run, bytes } = compile([
        write(PLACE, make.extractLane!(lane, vector)),
        write(PLACE + 16, make.replaceLane!(lane, vector, read(type, 16))),
      ])
      for (let k = 0; k < count; k++) put(bytes, type, k * SIZE[type], values[k + 2]!)
      put(bytes, type, 16, values[8]!)
      run()
      expect(hex(bytes, PLACE, SIZE[type])).toBe(hexOf(type, values[lane + 2]!))
      for (let k = 0; k < count; k++) {
        const wanted = hexOf(type, values[k === lane ? 8 : k + 2]!)
        expect(hex(bytes, PLACE + 16 + k * SIZE[type], SIZE[type])).toBe(wanted)
      }
    }
    expect(() => make.extractLane!(count, zero)).toThrow(RangeError)
  })

  test.each(Object.entries(rows.V128_LANE_ACCESS))("v128 %s", (name, [, size, count, result]) => {
    expect(name).toBe(`${result === "void" ? "store" : "load"}${size * 8}Lane`)
    const make = (v128 as unknown as Readonly<Record<string, Make>>)[name]!
    for (let lane = 0; lane < count; lane++) {
      const { run, bytes } = compile([write(PLACE, make(i32.const(2), 200, lane, read("v128", 0), 1))])
      pattern(bytes)
      const wanted = Array.from({ length: 16 }, (_, k) => bytes.getUint8(k))
      const outside = Array.from({ length: 16 }, (_, k) => bytes.getUint8(202 + k))
      for (let k = 0; k < size; k++) {
        if (result === "void") outside[k] = wanted[lane * size + k]!
        else wanted[lane * size + k] = outside[k]!
      }
      run()
      const got = (at: number): number[] => Array.from({ length: 16 }, (_, k) => bytes.getUint8(at + k))
      expect(got(202)).toEqual(outside)
      if (result === "v128") expect(got(PLACE)).toEqual(wanted)
    }
    expect(() => make(i32.const(0), 0, count, zero)).toThrow(RangeError)
  })

  test("shuffle", () => {
    const numbers = [0, 31, 1, 30, 16, 15, 2, 2, 17, 8, 9, 10, 29, 3, 4, 5]
    const { run, bytes } = compile([
      write(PLACE, v128.shuffle(numbers, v128.load(i32.const(0), 0), v128.load(i32.const(16), 0))),
    ])
    for (let k = 0; k < 32; k++) bytes.setUint8(k, 100 + k)
    run()
    expect(numbers.map((_, k) => bytes.getUint8(PLACE + k))).toEqual(numbers.map((n) => 100 + n))
    expect(() => v128.shuffle([1], zero, zero)).toThrow(RangeError)
    expect(() => v128.shuffle([...numbers.slice(1), 32], zero, zero)).toThrow(RangeError)
  })
})

// ---- ranges of memory and atomics ----

test("memory copy, fill and size", () => {
  expect(Object.keys(memory).sort()).toEqual(["copy", "fill", "size"])
  const { run, bytes } = compile([
    memory.fill(i32.const(10), i32.const(7), i32.const(3)),
    memory.copy(i32.const(20), i32.const(11), i32.const(4)),
    write(PLACE, memory.size()),
  ])
  bytes.setUint8(14, 9)
  run()
  expect([9, 10, 11, 12, 13, 14].map((k) => bytes.getUint8(k))).toEqual([0, 7, 7, 7, 0, 9])
  expect([20, 21, 22, 23, 24].map((k) => bytes.getUint8(k))).toEqual([7, 7, 0, 9, 0])
  expect(bytes.getInt32(PLACE, true)).toBe(2)
})

describe("atomics", () => {
  const at = i32.const(4)
  const x = i32.const(12)
  type Case = readonly [code: Code<Type>, result: number | undefined, after: number]
  const before = 10
  const cases: Readonly<Record<keyof typeof atomic, Case>> = {
    notify: [atomic.notify(at, 4, i32.const(1)), 0, before],
    wait32: [atomic.wait32(at, 4, i32.const(before), i64.const(1000n)), 2, before],
    load: [atomic.load(at, 4), before, before],
    store: [atomic.store(at, 4, x), undefined, 12],
    add: [atomic.add(at, 4, x), before, 22],
    sub: [atomic.sub(at, 4, x), before, -2],
    and: [atomic.and(at, 4, x), before, 8],
    or: [atomic.or(at, 4, x), before, 14],
    xor: [atomic.xor(at, 4, x), before, 6],
    exchange: [atomic.exchange(at, 4, x), before, 12],
    compareExchange: [atomic.compareExchange(at, 4, i32.const(before), x), before, 12],
    fence: [atomic.fence(), undefined, before],
  }
  test.each(Object.keys(atomic) as (keyof typeof atomic)[])("%s", (name) => {
    const [code, result, after] = cases[name]
    const { run, bytes } = compile([write(PLACE, code)], true)
    bytes.setInt32(8, before, true)
    run()
    expect(bytes.getInt32(8, true)).toBe(after)
    if (result !== undefined) expect(bytes.getInt32(PLACE, true)).toBe(result)
  })
  test("another value than the expected one", () => {
    const wait = atomic.wait32(at, 4, i32.const(99), i64.const(-1n))
    const exchange = atomic.compareExchange(at, 4, i32.const(99), x)
    const { run, bytes } = compile([write(PLACE, wait), write(PLACE + 4, exchange)], true)
    bytes.setInt32(8, before, true)
    run()
    expect([PLACE, PLACE + 4, 8].map((k) => bytes.getInt32(k, true))).toEqual([1, before, before])
  })
})

test("every function is made from a row or tested by name above", () => {
  const special: Partial<Record<Group, readonly string[]>> = {
    i32: ["const"],
    i64: ["const"],
    f32: ["const"],
    f64: ["const"],
    v128: ["shuffle", ...Object.keys(rows.V128_LANE_ACCESS)],
    i32x4: ["const", ...Object.keys(rows.I32X4_LANE)],
    f32x4: ["const", ...Object.keys(rows.F32X4_LANE)],
    f64x2: Object.keys(rows.F64X2_LANE),
  }
  expect(Object.keys(instructions).sort()).toEqual([...groups, "atomic", "memory"].sort())
  for (const group of groups) {
    const tested = [...GROUPS[group].flatMap((table) => Object.keys(table)), ...(special[group] ?? [])]
    expect(Object.keys(vectorsAndScalars[group]).sort()).toEqual(tested.sort())
  }
})

test("no two rows have the same opcode", () => {
  const tables = Object.values(rows) as readonly Readonly<Record<string, readonly [number, ...unknown[]]>>[]
  const opcodes = tables.flatMap((table) => Object.values(table).map(([opcode]) => opcode))
  expect(new Set(opcodes).size).toBe(opcodes.length)
})
