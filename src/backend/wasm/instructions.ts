// The WebAssembly instructions as typed functions, made from the rows of opcodes.ts. It must not know modules or control.

import {
  type Code,
  type Sink,
  type ValueType,
  writeAll,
  writeByte,
  writeBytes,
  writeFloat32,
  writeFloat64,
  writeSigned,
  writeSigned64,
  writeUnsigned,
} from "./code.ts"
import type {
  Accesses,
  AccessRow,
  AtomicAccesses,
  LaneAccesses,
  LaneAccessRow,
  LaneRow,
  Lanes,
  OperatorRow,
  Operators,
} from "./opcodes.ts"
import * as rows from "./opcodes.ts"

type Four = readonly [number, number, number, number]

type Written = Code<ValueType | "void">

// ---- from rows to functions ----

function writeOpcode(sink: Sink, opcode: number): void {
  if (opcode < 0x100) writeByte(sink, opcode)
  else {
    writeByte(sink, opcode >>> 16)
    writeUnsigned(sink, opcode & 0xffff)
  }
}

/** An instruction on up to three operands. Instructions share their functions: a module has tens of thousands of them. */
interface Operation extends Written {
  readonly opcode: number
  readonly a: Written
  readonly b?: Written | undefined
  readonly c?: Written | undefined
}

function writeOperation(this: Operation, sink: Sink): void {
  this.a.write(sink)
  this.b?.write(sink)
  this.c?.write(sink)
  writeOpcode(sink, this.opcode)
}

function operator([opcode, type]: OperatorRow): (a: Written, b?: Written, c?: Written) => Operation {
  return (a, b, c) => ({ type, write: writeOperation, opcode, a, b, c })
}

function checkOffset(offset: number): void {
  if (offset !== offset >>> 0) throw new RangeError(`A memory offset must be an integer of 0 to 2^32-1, got ${offset}`)
}

/** The exponent of an alignment in bytes. */
function alignment(align: number, bytes: number): number {
  const exponent = 31 - Math.clz32(align)
  if (align !== 1 << exponent || align > bytes) {
    throw new RangeError(`An alignment must be a power of two of at most ${bytes} bytes, got ${align}`)
  }
  return exponent
}

function checkLane(lane: number, lanes: number): void {
  if (!(Number.isInteger(lane) && lane >= 0 && lane < lanes)) {
    throw new RangeError(`A lane number must be an integer of 0 to ${lanes - 1}, got ${lane}`)
  }
}

const NONE: readonly Written[] = []

/** An instruction on memory. */
interface MemoryAccess extends Written {
  readonly opcode: number
  readonly address: Code<"i32">
  readonly operands: readonly Written[]
  readonly exponent: number
  readonly offset: number
  readonly lane: number | undefined
}

function writeAccess(this: MemoryAccess, sink: Sink): void {
  this.address.write(sink)
  writeAll(sink, this.operands)
  writeOpcode(sink, this.opcode)
  writeUnsigned(sink, this.exponent)
  writeUnsigned(sink, this.offset)
  if (this.lane !== undefined) writeByte(sink, this.lane)
}

/* @__NO_SIDE_EFFECTS__ */
function joined<A, B>(a: A, b: B): A & B {
  return { ...a, ...b }
}

type Access = (address: Code<"i32">, offset: number, ...rest: (Written | number | undefined)[]) => Written

function access([opcode, bytes, type, ...taken]: AccessRow): Access {
  const count = taken.length
  return (address, offset, ...rest): MemoryAccess => {
    checkOffset(offset)
    const exponent = alignment((rest[count] as number | undefined) ?? bytes, bytes)
    const operands = count === 0 ? NONE : (rest.slice(0, count) as Written[])
    return { type, write: writeAccess, opcode, address, operands, exponent, offset, lane: undefined }
  }
}

type LaneAccess = (address: Code<"i32">, offset: number, lane: number, vector: Written, align?: number) => Written

function laneAccess([opcode, bytes, lanes, type]: LaneAccessRow): LaneAccess {
  return (address, offset, lane, vector, align = bytes): MemoryAccess => {
    checkOffset(offset)
    checkLane(lane, lanes)
    const exponent = alignment(align, bytes)
    return { type, write: writeAccess, opcode, address, operands: [vector], exponent, offset, lane }
  }
}

function onLane([opcode, lanes, type]: LaneRow): (lane: number, ...codes: Written[]) => Written {
  return (lane, ...codes) => {
    checkLane(lane, lanes)
    return {
      type,
      write: (sink) => {
        writeAll(sink, codes)
        writeOpcode(sink, opcode)
        writeByte(sink, lane)
      },
    }
  }
}

type Table<Row> = Readonly<Record<string, Row>>

function each<Row, F>(table: Table<Row>, make: (row: Row) => F): Table<F> {
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, make(row)]))
}

// The type of a row says what the function made from it takes and leaves: the casts below are where that is believed,
// and test/assembler.test.ts runs every row with operands of these types.
// What nobody uses is left out of bundles.
/* @__NO_SIDE_EFFECTS__ */
const operators = <T extends Table<OperatorRow>>(table: T): Operators<T> =>
  each(table, operator) as unknown as Operators<T>
const accesses = <T extends Table<AccessRow>>(table: T): Accesses<T> => each(table, access) as unknown as Accesses<T>
/* @__NO_SIDE_EFFECTS__ */
const lanes = <T extends Table<LaneRow>>(table: T): Lanes<T> => each(table, onLane) as unknown as Lanes<T>
const laneAccesses = <T extends Table<LaneAccessRow>>(table: T): LaneAccesses<T> =>
  each(table, laneAccess) as unknown as LaneAccesses<T>

/** An instruction with a constant. */
interface Immediate<T extends ValueType, V> extends Code<T> {
  readonly opcode: number
  readonly put: (sink: Sink, value: V) => void
  readonly value: V
}

function writeImmediate<V>(this: Immediate<ValueType, V>, sink: Sink): void {
  writeOpcode(sink, this.opcode)
  this.put(sink, this.value)
}

function immediate<T extends ValueType, V>(
  type: T,
  opcode: number,
  put: (sink: Sink, value: V) => void,
  value: V,
): Immediate<T, V> {
  return { type, write: writeImmediate<V>, opcode, put, value }
}

function writeIntegers(sink: Sink, values: Four): void {
  for (const value of values) writeBytes(sink, [value, value >>> 8, value >>> 16, value >>> 24])
}

function writeFloats(sink: Sink, values: Four): void {
  for (const value of values) writeFloat32(sink, value)
}

function checkInteger(value: number): void {
  if (value !== value >>> 0 && value !== (value | 0)) {
    throw new RangeError(`An i32 constant must be an integer of -2^31 to 2^32-1, got ${value}`)
  }
}

// ---- scalar ----

/** 32-bit integers; `const` takes -2^31 to 2^32-1, else throws a RangeError. */
export const i32: Operators<typeof rows.I32> &
  Accesses<typeof rows.I32_ACCESS> & { readonly const: (value: number) => Code<"i32"> } = {
  ...operators(rows.I32),
  ...accesses(rows.I32_ACCESS),
  const: (value) => {
    checkInteger(value)
    return immediate("i32", 0x41, writeSigned, value)
  },
}

/** 64-bit integers; `const` takes the value modulo 2^64. */
export const i64: Operators<typeof rows.I64> &
  Accesses<typeof rows.I64_ACCESS> & { readonly const: (value: bigint) => Code<"i64"> } = {
  ...operators(rows.I64),
  ...accesses(rows.I64_ACCESS),
  const: (value) => immediate("i64", 0x42, writeSigned64, value),
}

/** 32-bit floats; `const` rounds to the nearest float, NaN is 0x7fc00000 (other NaNs: `reinterpretI32`). */
export const f32: Operators<typeof rows.F32> &
  Accesses<typeof rows.F32_ACCESS> & { readonly const: (value: number) => Code<"f32"> } = {
  ...operators(rows.F32),
  ...accesses(rows.F32_ACCESS),
  const: (value) => immediate("f32", 0x43, writeFloat32, value),
}

/** 64-bit floats; the NaN of `const` is 0x7ff8000000000000. */
export const f64: Operators<typeof rows.F64> &
  Accesses<typeof rows.F64_ACCESS> & { readonly const: (value: number) => Code<"f64"> } = {
  ...operators(rows.F64),
  ...accesses(rows.F64_ACCESS),
  const: (value) => immediate("f64", 0x44, writeFloat64, value),
}

// ---- memory ----

type Bulk = (target: Code<"i32">, from: Code<"i32">, bytes: Code<"i32">) => Code<"void">

function bulk(opcode: number, memories: readonly number[]): Bulk {
  return (a, b, c) => ({
    type: "void",
    write: (sink) => {
      writeAll(sink, [a, b, c])
      writeOpcode(sink, opcode)
      writeBytes(sink, memories)
    },
  })
}

/** Whole ranges: `copy(target, source, bytes)`, `fill(target, byte, bytes)`; `size()` is in pages of 64 KiB. */
export const memory: { readonly copy: Bulk; readonly fill: Bulk; readonly size: () => Code<"i32"> } = {
  copy: bulk(0xfc000a, [0, 0]),
  fill: bulk(0xfc000b, [0]),
  size: () => immediate("i32", 0x3f, writeByte, 0),
}

/**
 * Atomics on i32, always aligned; read-modify-writes leave the value before. `wait32` takes nanoseconds (negative: for
 * ever) and leaves 0 when woken, 1 when the value was not the expected one, 2 when timed out.
 */
export const atomic: AtomicAccesses<typeof rows.ATOMIC> & { readonly fence: () => Code<"void"> } = {
  ...(each<AccessRow, Access>(rows.ATOMIC, access) as unknown as AtomicAccesses<typeof rows.ATOMIC>),
  fence: () => ({ type: "void", write: (sink) => writeBytes(sink, [0xfe, 3, 0]) }),
}

// ---- SIMD ----

/** 128-bit vectors: memory and bitwise instructions; `shuffle` (i8x16.shuffle) picks 16 of the 32 bytes of a and b. */
export const v128: Operators<typeof rows.V128> &
  Accesses<typeof rows.V128_ACCESS> &
  LaneAccesses<typeof rows.V128_LANE_ACCESS> & {
    readonly shuffle: (numbers: readonly number[], a: Code<"v128">, b: Code<"v128">) => Code<"v128">
  } = {
  ...operators(rows.V128),
  ...accesses(rows.V128_ACCESS),
  ...laneAccesses(rows.V128_LANE_ACCESS),
  shuffle: (numbers, a, b) => {
    if (numbers.length !== 16) throw new RangeError(`A shuffle needs 16 lane numbers, got ${numbers.length}`)
    for (const number of numbers) checkLane(number, 32)
    return {
      type: "v128",
      write: (sink) => {
        writeAll(sink, [a, b])
        writeOpcode(sink, 0xfd000d)
        writeBytes(sink, numbers)
      },
    }
  },
}

/** Vectors of 16 bytes; `swizzle` picks bytes of a by the numbers in b. */
export const i8x16: Operators<typeof rows.I8X16> = operators(rows.I8X16)

/** Vectors of 8 16-bit integers. */
export const i16x8: Operators<typeof rows.I16X8> = operators(rows.I16X8)

/** Vectors of 4 32-bit integers; constants as in `i32.const`. */
export const i32x4: Operators<typeof rows.I32X4> &
  Lanes<typeof rows.I32X4_LANE> & { readonly const: (...values: Four) => Code<"v128"> } = {
  ...operators(rows.I32X4),
  ...lanes(rows.I32X4_LANE),
  const: (...values) => {
    values.forEach(checkInteger)
    return immediate("v128", 0xfd000c, writeIntegers, values)
  },
}

/** Vectors of 2 64-bit integers. */
export const i64x2: Operators<typeof rows.I64X2> = operators(rows.I64X2)

/** Vectors of 4 32-bit floats; constants as in `f32.const`. */
export const f32x4: Operators<typeof rows.F32X4> &
  Lanes<typeof rows.F32X4_LANE> & { readonly const: (...values: Four) => Code<"v128"> } = {
  ...operators(rows.F32X4),
  ...lanes(rows.F32X4_LANE),
  const: (...values) => immediate("v128", 0xfd000c, writeFloats, values),
}

/** Vectors of 2 64-bit floats. */
export const f64x2: Operators<typeof rows.F64X2> & Lanes<typeof rows.F64X2_LANE> = joined(
  operators(rows.F64X2),
  lanes(rows.F64X2_LANE),
)
