// The WebAssembly instructions as data, one row each, and the types of the functions that rows stand for. It must not
// know how instructions are written.
// Opcodes: WebAssembly core specification 3.0, "Index of Instructions" (numeric, memory, SIMD, relaxed SIMD, atomics).
// An opcode is one byte, or a prefix byte and a 16-bit number: 0xfd0105 is prefix 0xfd, instruction 0x105.

import type { Code, ValueType } from "./code.ts"

/** A row without immediates: opcode, result, operands. */
export type OperatorRow = readonly [opcode: number, result: ValueType | "void", ...operands: ValueType[]]
/** A row of an instruction on memory: opcode, bytes accessed, result, operands after the address. */
export type AccessRow = readonly [opcode: number, bytes: number, result: ValueType | "void", ...operands: ValueType[]]
/** A row with a lane number: opcode, number of lanes, result, operands. */
export type LaneRow = readonly [opcode: number, lanes: number, result: ValueType, ...operands: ValueType[]]
/** A row of an access to one lane: opcode, bytes accessed, lanes, result; the vector is its operand. */
export type LaneAccessRow = readonly [opcode: number, bytes: number, lanes: number, result: "v128" | "void"]

type Operands<O extends readonly unknown[]> = { readonly [I in keyof O]: Code<O[I] & ValueType> }
type Result<T> = Code<T & (ValueType | "void")>
/** The functions of a table without immediates. */
export type Operators<Rows> = {
  readonly [K in keyof Rows]: Rows[K] extends readonly [number, infer T, ...infer O]
    ? (...operands: Operands<O>) => Result<T>
    : never
}
/** The functions of a table of accesses: `offset` is in bytes, `align` too and at most the size accessed, its default. */
export type Accesses<Rows> = {
  readonly [K in keyof Rows]: Rows[K] extends readonly [number, number, infer T, ...infer O]
    ? (address: Code<"i32">, offset: number, ...operands: [...Operands<O>, align?: number]) => Result<T>
    : never
}
/** The functions of a table of atomic accesses, which must be aligned to their size. */
export type AtomicAccesses<Rows> = {
  readonly [K in keyof Rows]: Rows[K] extends readonly [number, number, infer T, ...infer O]
    ? (address: Code<"i32">, offset: number, ...operands: Operands<O>) => Result<T>
    : never
}
/** The functions of a table of instructions on one lane. */
export type Lanes<Rows> = {
  readonly [K in keyof Rows]: Rows[K] extends readonly [number, number, infer T, ...infer O]
    ? (lane: number, ...operands: Operands<O>) => Result<T>
    : never
}
/** The functions of a table of accesses to one lane. */
export type LaneAccesses<Rows> = {
  readonly [K in keyof Rows]: Rows[K] extends readonly [number, number, number, infer T]
    ? (address: Code<"i32">, offset: number, lane: number, vector: Code<"v128">, align?: number) => Result<T>
    : never
}

// ---- scalar ----

/** i32 instructions: opcode, result, operands. */
export const I32 = {
  eqz: [0x45, "i32", "i32"],
  eq: [0x46, "i32", "i32", "i32"],
  ne: [0x47, "i32", "i32", "i32"],
  ltS: [0x48, "i32", "i32", "i32"],
  ltU: [0x49, "i32", "i32", "i32"],
  gtS: [0x4a, "i32", "i32", "i32"],
  gtU: [0x4b, "i32", "i32", "i32"],
  leS: [0x4c, "i32", "i32", "i32"],
  leU: [0x4d, "i32", "i32", "i32"],
  geS: [0x4e, "i32", "i32", "i32"],
  geU: [0x4f, "i32", "i32", "i32"],
  clz: [0x67, "i32", "i32"],
  ctz: [0x68, "i32", "i32"],
  add: [0x6a, "i32", "i32", "i32"],
  sub: [0x6b, "i32", "i32", "i32"],
  mul: [0x6c, "i32", "i32", "i32"],
  divS: [0x6d, "i32", "i32", "i32"],
  divU: [0x6e, "i32", "i32", "i32"],
  remS: [0x6f, "i32", "i32", "i32"],
  remU: [0x70, "i32", "i32", "i32"],
  and: [0x71, "i32", "i32", "i32"],
  or: [0x72, "i32", "i32", "i32"],
  xor: [0x73, "i32", "i32", "i32"],
  shl: [0x74, "i32", "i32", "i32"],
  shrS: [0x75, "i32", "i32", "i32"],
  shrU: [0x76, "i32", "i32", "i32"],
  rotl: [0x77, "i32", "i32", "i32"],
  wrapI64: [0xa7, "i32", "i64"],
  reinterpretF32: [0xbc, "i32", "f32"],
  truncSatF32S: [0xfc0000, "i32", "f32"],
  truncSatF32U: [0xfc0001, "i32", "f32"],
  truncSatF64S: [0xfc0002, "i32", "f64"],
  truncSatF64U: [0xfc0003, "i32", "f64"],
} as const

/** i64 instructions, likewise. */
export const I64 = {
  eqz: [0x50, "i32", "i64"],
  eq: [0x51, "i32", "i64", "i64"],
  ltS: [0x53, "i32", "i64", "i64"],
  ltU: [0x54, "i32", "i64", "i64"],
  add: [0x7c, "i64", "i64", "i64"],
  sub: [0x7d, "i64", "i64", "i64"],
  mul: [0x7e, "i64", "i64", "i64"],
  and: [0x83, "i64", "i64", "i64"],
  or: [0x84, "i64", "i64", "i64"],
  xor: [0x85, "i64", "i64", "i64"],
  shl: [0x86, "i64", "i64", "i64"],
  shrS: [0x87, "i64", "i64", "i64"],
  shrU: [0x88, "i64", "i64", "i64"],
  extendI32S: [0xac, "i64", "i32"],
  extendI32U: [0xad, "i64", "i32"],
  reinterpretF64: [0xbd, "i64", "f64"],
} as const

/** f32 instructions, likewise. */
export const F32 = {
  eq: [0x5b, "i32", "f32", "f32"],
  ne: [0x5c, "i32", "f32", "f32"],
  lt: [0x5d, "i32", "f32", "f32"],
  gt: [0x5e, "i32", "f32", "f32"],
  le: [0x5f, "i32", "f32", "f32"],
  ge: [0x60, "i32", "f32", "f32"],
  abs: [0x8b, "f32", "f32"],
  neg: [0x8c, "f32", "f32"],
  ceil: [0x8d, "f32", "f32"],
  floor: [0x8e, "f32", "f32"],
  trunc: [0x8f, "f32", "f32"],
  nearest: [0x90, "f32", "f32"],
  sqrt: [0x91, "f32", "f32"],
  add: [0x92, "f32", "f32", "f32"],
  sub: [0x93, "f32", "f32", "f32"],
  mul: [0x94, "f32", "f32", "f32"],
  div: [0x95, "f32", "f32", "f32"],
  min: [0x96, "f32", "f32", "f32"],
  max: [0x97, "f32", "f32", "f32"],
  copysign: [0x98, "f32", "f32", "f32"],
  convertI32S: [0xb2, "f32", "i32"],
  convertI32U: [0xb3, "f32", "i32"],
  demoteF64: [0xb6, "f32", "f64"],
  reinterpretI32: [0xbe, "f32", "i32"],
} as const

/** f64 instructions, likewise. */
export const F64 = {
  eq: [0x61, "i32", "f64", "f64"],
  ne: [0x62, "i32", "f64", "f64"],
  lt: [0x63, "i32", "f64", "f64"],
  gt: [0x64, "i32", "f64", "f64"],
  le: [0x65, "i32", "f64", "f64"],
  ge: [0x66, "i32", "f64", "f64"],
  abs: [0x99, "f64", "f64"],
  neg: [0x9a, "f64", "f64"],
  ceil: [0x9b, "f64", "f64"],
  floor: [0x9c, "f64", "f64"],
  trunc: [0x9d, "f64", "f64"],
  nearest: [0x9e, "f64", "f64"],
  sqrt: [0x9f, "f64", "f64"],
  add: [0xa0, "f64", "f64", "f64"],
  sub: [0xa1, "f64", "f64", "f64"],
  mul: [0xa2, "f64", "f64", "f64"],
  div: [0xa3, "f64", "f64", "f64"],
  min: [0xa4, "f64", "f64", "f64"],
  max: [0xa5, "f64", "f64", "f64"],
  convertI32S: [0xb7, "f64", "i32"],
  convertI32U: [0xb8, "f64", "i32"],
  promoteF32: [0xbb, "f64", "f32"],
  reinterpretI64: [0xbf, "f64", "i64"],
} as const

// ---- memory ----

/** i32 loads and stores: opcode, bytes accessed, result, operands after the address. */
export const I32_ACCESS = {
  load: [0x28, 4, "i32"],
  load8S: [0x2c, 1, "i32"],
  load8U: [0x2d, 1, "i32"],
  load16S: [0x2e, 2, "i32"],
  load16U: [0x2f, 2, "i32"],
  store: [0x36, 4, "void", "i32"],
  store8: [0x3a, 1, "void", "i32"],
  store16: [0x3b, 2, "void", "i32"],
} as const
/** i64 loads and stores, likewise. */
export const I64_ACCESS = {
  load: [0x29, 8, "i64"],
  load32U: [0x35, 4, "i64"],
  store: [0x37, 8, "void", "i64"],
} as const
/** f32 loads and stores, likewise. */
export const F32_ACCESS = { load: [0x2a, 4, "f32"], store: [0x38, 4, "void", "f32"] } as const
/** f64 loads and stores, likewise. */
export const F64_ACCESS = { load: [0x2b, 8, "f64"], store: [0x39, 8, "void", "f64"] } as const

/** Atomic instructions on i32, likewise. */
export const ATOMIC = {
  notify: [0xfe0000, 4, "i32", "i32"],
  wait32: [0xfe0001, 4, "i32", "i32", "i64"],
  load: [0xfe0010, 4, "i32"],
  store: [0xfe0017, 4, "void", "i32"],
  add: [0xfe001e, 4, "i32", "i32"],
  sub: [0xfe0025, 4, "i32", "i32"],
  and: [0xfe002c, 4, "i32", "i32"],
  or: [0xfe0033, 4, "i32", "i32"],
  xor: [0xfe003a, 4, "i32", "i32"],
  exchange: [0xfe0041, 4, "i32", "i32"],
  compareExchange: [0xfe0048, 4, "i32", "i32", "i32"],
} as const

/** v128 loads and stores, likewise. */
export const V128_ACCESS = {
  load: [0xfd0000, 16, "v128"],
  load8x8S: [0xfd0001, 8, "v128"],
  load8x8U: [0xfd0002, 8, "v128"],
  load16x4S: [0xfd0003, 8, "v128"],
  load16x4U: [0xfd0004, 8, "v128"],
  load8Splat: [0xfd0007, 1, "v128"],
  load16Splat: [0xfd0008, 2, "v128"],
  load32Splat: [0xfd0009, 4, "v128"],
  load64Splat: [0xfd000a, 8, "v128"],
  store: [0xfd000b, 16, "void", "v128"],
  load32Zero: [0xfd005c, 4, "v128"],
  load64Zero: [0xfd005d, 8, "v128"],
} as const
/** Accesses to one lane: opcode, bytes accessed, lanes, result. */
export const V128_LANE_ACCESS = {
  load32Lane: [0xfd0056, 4, 4, "v128"],
  load64Lane: [0xfd0057, 8, 2, "v128"],
  store32Lane: [0xfd005a, 4, 4, "void"],
  store64Lane: [0xfd005b, 8, 2, "void"],
} as const

// ---- SIMD ----

/** v128 bitwise instructions: opcode, result, operands. */
export const V128 = {
  not: [0xfd004d, "v128", "v128"],
  and: [0xfd004e, "v128", "v128", "v128"],
  andnot: [0xfd004f, "v128", "v128", "v128"],
  or: [0xfd0050, "v128", "v128", "v128"],
  xor: [0xfd0051, "v128", "v128", "v128"],
  bitselect: [0xfd0052, "v128", "v128", "v128", "v128"],
  anyTrue: [0xfd0053, "i32", "v128"],
} as const

/** i8x16 instructions, likewise. */
export const I8X16 = {
  swizzle: [0xfd000e, "v128", "v128", "v128"],
  splat: [0xfd000f, "v128", "i32"],
} as const

/** i16x8 instructions, likewise. */
export const I16X8 = {
  splat: [0xfd0010, "v128", "i32"],
  extendLowI8x16S: [0xfd0087, "v128", "v128"],
  extendHighI8x16S: [0xfd0088, "v128", "v128"],
  extendLowI8x16U: [0xfd0089, "v128", "v128"],
  extendHighI8x16U: [0xfd008a, "v128", "v128"],
} as const

/** i32x4 instructions, likewise. */
export const I32X4 = {
  splat: [0xfd0011, "v128", "i32"],
  eq: [0xfd0037, "v128", "v128", "v128"],
  ne: [0xfd0038, "v128", "v128", "v128"],
  ltS: [0xfd0039, "v128", "v128", "v128"],
  ltU: [0xfd003a, "v128", "v128", "v128"],
  gtS: [0xfd003b, "v128", "v128", "v128"],
  gtU: [0xfd003c, "v128", "v128", "v128"],
  leS: [0xfd003d, "v128", "v128", "v128"],
  leU: [0xfd003e, "v128", "v128", "v128"],
  geS: [0xfd003f, "v128", "v128", "v128"],
  geU: [0xfd0040, "v128", "v128", "v128"],
  abs: [0xfd00a0, "v128", "v128"],
  neg: [0xfd00a1, "v128", "v128"],
  allTrue: [0xfd00a3, "i32", "v128"],
  bitmask: [0xfd00a4, "i32", "v128"],
  extendLowI16x8S: [0xfd00a7, "v128", "v128"],
  extendHighI16x8S: [0xfd00a8, "v128", "v128"],
  extendLowI16x8U: [0xfd00a9, "v128", "v128"],
  extendHighI16x8U: [0xfd00aa, "v128", "v128"],
  shl: [0xfd00ab, "v128", "v128", "i32"],
  shrS: [0xfd00ac, "v128", "v128", "i32"],
  shrU: [0xfd00ad, "v128", "v128", "i32"],
  add: [0xfd00ae, "v128", "v128", "v128"],
  sub: [0xfd00b1, "v128", "v128", "v128"],
  mul: [0xfd00b5, "v128", "v128", "v128"],
  minS: [0xfd00b6, "v128", "v128", "v128"],
  minU: [0xfd00b7, "v128", "v128", "v128"],
  maxS: [0xfd00b8, "v128", "v128", "v128"],
  maxU: [0xfd00b9, "v128", "v128", "v128"],
  truncSatF32x4S: [0xfd00f8, "v128", "v128"],
  truncSatF32x4U: [0xfd00f9, "v128", "v128"],
} as const

/** i64x2 instructions, likewise. */
export const I64X2 = {
  splat: [0xfd0012, "v128", "i64"],
  shl: [0xfd00cb, "v128", "v128", "i32"],
  shrS: [0xfd00cc, "v128", "v128", "i32"],
  shrU: [0xfd00cd, "v128", "v128", "i32"],
  add: [0xfd00ce, "v128", "v128", "v128"],
  sub: [0xfd00d1, "v128", "v128", "v128"],
  mul: [0xfd00d5, "v128", "v128", "v128"],
  extmulLowI32x4S: [0xfd00dc, "v128", "v128", "v128"],
  extmulHighI32x4S: [0xfd00dd, "v128", "v128", "v128"],
  extmulLowI32x4U: [0xfd00de, "v128", "v128", "v128"],
  extmulHighI32x4U: [0xfd00df, "v128", "v128", "v128"],
} as const

/** f32x4 instructions, likewise; relaxedMadd(a, b, c) is a*b + c and relaxedNmadd -(a*b) + c, fused or not. */
export const F32X4 = {
  splat: [0xfd0013, "v128", "f32"],
  eq: [0xfd0041, "v128", "v128", "v128"],
  ne: [0xfd0042, "v128", "v128", "v128"],
  lt: [0xfd0043, "v128", "v128", "v128"],
  gt: [0xfd0044, "v128", "v128", "v128"],
  le: [0xfd0045, "v128", "v128", "v128"],
  ge: [0xfd0046, "v128", "v128", "v128"],
  demoteF64x2Zero: [0xfd005e, "v128", "v128"],
  ceil: [0xfd0067, "v128", "v128"],
  floor: [0xfd0068, "v128", "v128"],
  trunc: [0xfd0069, "v128", "v128"],
  nearest: [0xfd006a, "v128", "v128"],
  abs: [0xfd00e0, "v128", "v128"],
  neg: [0xfd00e1, "v128", "v128"],
  sqrt: [0xfd00e3, "v128", "v128"],
  add: [0xfd00e4, "v128", "v128", "v128"],
  sub: [0xfd00e5, "v128", "v128", "v128"],
  mul: [0xfd00e6, "v128", "v128", "v128"],
  div: [0xfd00e7, "v128", "v128", "v128"],
  min: [0xfd00e8, "v128", "v128", "v128"],
  max: [0xfd00e9, "v128", "v128", "v128"],
  pmin: [0xfd00ea, "v128", "v128", "v128"],
  pmax: [0xfd00eb, "v128", "v128", "v128"],
  convertI32x4S: [0xfd00fa, "v128", "v128"],
  convertI32x4U: [0xfd00fb, "v128", "v128"],
  relaxedMadd: [0xfd0105, "v128", "v128", "v128", "v128"],
  relaxedNmadd: [0xfd0106, "v128", "v128", "v128", "v128"],
} as const

/** f64x2 instructions, likewise. */
export const F64X2 = {
  splat: [0xfd0014, "v128", "f64"],
  promoteLowF32x4: [0xfd005f, "v128", "v128"],
  add: [0xfd00f0, "v128", "v128", "v128"],
  sub: [0xfd00f1, "v128", "v128", "v128"],
  mul: [0xfd00f2, "v128", "v128", "v128"],
  div: [0xfd00f3, "v128", "v128", "v128"],
} as const

/** Instructions on one lane: opcode, number of lanes, result, operands. */
export const I32X4_LANE = {
  extractLane: [0xfd001b, 4, "i32", "v128"],
  replaceLane: [0xfd001c, 4, "v128", "v128", "i32"],
} as const

/** Instructions on one lane, likewise. */
export const F32X4_LANE = {
  extractLane: [0xfd001f, 4, "f32", "v128"],
  replaceLane: [0xfd0020, 4, "v128", "v128", "f32"],
} as const

/** Instructions on one lane, likewise. */
export const F64X2_LANE = {
  extractLane: [0xfd0021, 2, "f64", "v128"],
  replaceLane: [0xfd0022, 2, "v128", "v128", "f64"],
} as const
