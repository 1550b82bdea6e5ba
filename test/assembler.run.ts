// Running pieces of WebAssembly code on bytes that a test can see, and values as bytes; knows no test.
import { type Local, module_ } from "../src/backend/wasm/assembler.ts"
import type { Code, ValueType } from "../src/backend/wasm/code.ts"
import { f32, f64, i32, i64, v128 } from "../src/backend/wasm/instructions.ts"
import type { Value } from "./assembler.cases.ts"

export type Type = ValueType | "void"
export type Make = (...rest: unknown[]) => Code<Type>
export const PLACE = 1024

export function compile(code: readonly Code<"void">[], shared = false): { run: () => void; bytes: DataView } {
  return compileWith(() => code, shared)
}

export function compileWith(
  code: (local: <T extends ValueType>(type: T) => Local<T>) => readonly Code<"void">[],
  shared = false,
): { run: () => void; bytes: DataView } {
  const m = module_()
  m.memory({ import: ["env", "memory"], initial: 2, maximum: 2, shared })
  m.define("run", { params: [], results: [], exported: true }, (fn) => code(fn.local))
  const buffer = new WebAssembly.Memory({ initial: 2, maximum: 2, shared })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(m.finish()), { env: { memory: buffer } })
  return { run: instance.exports.run as () => void, bytes: new DataView(buffer.buffer) }
}

export function read(type: ValueType, at: number): Code<ValueType> {
  const address = i32.const(at)
  if (type === "v128") return v128.load(address, 0)
  return { i32, i64, f32, f64 }[type].load(address, 0)
}

export function write(at: number, value: Code<Type>): Code<"void"> {
  const address = i32.const(at)
  if (value.type === "void") return value as Code<"void">
  if (value.type === "i32") return i32.store(address, 0, value as Code<"i32">)
  if (value.type === "i64") return i64.store(address, 0, value as Code<"i64">)
  if (value.type === "f32") return f32.store(address, 0, value as Code<"f32">)
  if (value.type === "f64") return f64.store(address, 0, value as Code<"f64">)
  return v128.store(address, 0, value as Code<"v128">)
}

export function put(view: DataView, type: Type, at: number, value: Value): void {
  if (type === "i32") view.setInt32(at, value as number, true)
  else if (type === "i64") view.setBigInt64(at, value as bigint, true)
  else if (type === "f32") view.setFloat32(at, value as number, true)
  else if (type === "f64") view.setFloat64(at, value as number, true)
  else (value as Uint8Array).forEach((byte, k) => void view.setUint8(at + k, byte))
}

/** Bytes as hexadecimal text, with every NaN (in units of `nan` bytes) the same. */
export function hex(view: DataView, at: number, count: number, nan?: 4 | 8): string {
  let text = ""
  const unit = nan ?? 1
  for (let k = at; k < at + count; k += unit) {
    if (nan === 4 && Number.isNaN(view.getFloat32(k, true))) text += "NaN "
    else if (nan === 8 && Number.isNaN(view.getFloat64(k, true))) text += "NaN "
    else for (let b = k; b < k + unit; b++) text += view.getUint8(b).toString(16).padStart(2, "0")
  }
  return text
}

export const SIZE: Readonly<Record<Type, number>> = { i32: 4, i64: 8, f32: 4, f64: 8, v128: 16, void: 0 }

export function hexOf(type: Type, value: Value, nan?: 4 | 8): string {
  const view = new DataView(new ArrayBuffer(16))
  put(view, type, 0, value)
  return hex(view, 0, SIZE[type], nan)
}

export const INTS: number[] = [
  0,
  1,
  -1,
  2,
  -2,
  7,
  -7,
  31,
  32,
  33,
  2 ** 31 - 1,
  -(2 ** 31),
  0x12345678,
  -559038737,
  65535,
  -128,
]
export const FLOATS: number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3.7,
  -3.7,
  1e-45,
  -1e-40,
  3.4e38,
  -3.4e38,
  2 ** 31,
  -(2 ** 31),
]
FLOATS.push(2 ** 32 - 256, 5e9, Infinity, -Infinity, NaN, 2 ** 24 + 2, 1 / 3)
export const DOUBLES: number[] = [...FLOATS, 1 / 7, 1e300, -1e300, 5e-324, 2 ** 52 + 1]
