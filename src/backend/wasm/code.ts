// Typed pieces of WebAssembly code and the bytes they are written to. It must not know any instruction, nor modules.
// Format: WebAssembly core specification, chapter 5 (LEB128 integers, value types, names).

/** The types a WebAssembly value can have here (no references). */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128"

/** A piece of code which leaves one value of type `T` on the stack, or none (`"void"`); it can be written many times. */
export interface Code<T extends ValueType | "void"> {
  readonly type: T
  /** Appends the instructions to a sink (called by the assembler and by other code only). */
  readonly write: (sink: Sink) => void
}

/** The target of `br` and `brIf`: the end of a block or the start of a loop. */
export interface Label {
  readonly of: "block" | "loop"
}

/** The growing bytes of one function body or section, with what is open around the point of writing. */
export interface Sink {
  bytes: Uint8Array<ArrayBuffer>
  at: number
  /** Open control structures, outermost first; undefined stands for an `if`, which nothing branches to. */
  readonly labels: (Label | undefined)[]
  /** The function being written: its locals carry the same object. */
  owner: object | undefined
  /** The module being written: its functions carry the same object. */
  readonly module: object
}

/** How value types are written. */
export const TYPE_BYTES: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
}

function reserve(sink: Sink, count: number): void {
  if (sink.at + count <= sink.bytes.length) return
  const grown = new Uint8Array(2 * sink.bytes.length + count)
  grown.set(sink.bytes.subarray(0, sink.at))
  sink.bytes = grown
}

/** Appends one byte. */
export function writeByte(sink: Sink, byte: number): void {
  if (sink.at === sink.bytes.length) reserve(sink, 1)
  sink.bytes[sink.at++] = byte
}

/** Appends bytes as they are. */
export function writeBytes(sink: Sink, bytes: ArrayLike<number>): void {
  reserve(sink, bytes.length)
  sink.bytes.set(bytes, sink.at)
  sink.at += bytes.length
}

/** Appends an integer of 0 .. 2^32-1 as unsigned LEB128. */
export function writeUnsigned(sink: Sink, value: number): void {
  let rest = value >>> 0
  while (rest >= 0x80) {
    writeByte(sink, (rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  writeByte(sink, rest)
}

/** Appends a 32-bit integer as signed LEB128. */
export function writeSigned(sink: Sink, value: number): void {
  let rest = value | 0
  while (rest < -64 || rest > 63) {
    writeByte(sink, (rest & 0x7f) | 0x80)
    rest >>= 7
  }
  writeByte(sink, rest & 0x7f)
}

/** Appends a 64-bit integer (modulo 2^64) as signed LEB128. */
export function writeSigned64(sink: Sink, value: bigint): void {
  let rest = BigInt.asIntN(64, value)
  while (rest < -64n || rest > 63n) {
    writeByte(sink, Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  writeByte(sink, Number(rest & 0x7fn))
}

const number = new DataView(new ArrayBuffer(8))

function writeNumber(sink: Sink, bytes: number): void {
  for (let i = 0; i < bytes; i++) writeByte(sink, number.getUint8(i))
}

/** Appends the four bytes of a 32-bit float, rounded to nearest; NaN is always the canonical one. */
export function writeFloat32(sink: Sink, value: number): void {
  if (Number.isNaN(value)) number.setUint32(0, 0x7fc00000, true)
  else number.setFloat32(0, value, true)
  writeNumber(sink, 4)
}

/** Appends the eight bytes of a 64-bit float; NaN is always the canonical one. */
export function writeFloat64(sink: Sink, value: number): void {
  if (Number.isNaN(value)) number.setBigUint64(0, 0x7ff8000000000000n, true)
  else number.setFloat64(0, value, true)
  writeNumber(sink, 8)
}

/** Appends a name: its length and its UTF-8 bytes. */
export function writeText(sink: Sink, text: string): void {
  const bytes = new TextEncoder().encode(text)
  writeUnsigned(sink, bytes.length)
  writeBytes(sink, bytes)
}

/** Writes content, then puts its byte count before it (in the shortest LEB128). */
export function writeSized(sink: Sink, write: () => void): void {
  const start = sink.at
  write()
  const size = sink.at - start
  let prefix = 1
  for (let rest = size >>> 7; rest > 0; rest >>>= 7) prefix++
  reserve(sink, prefix)
  sink.bytes.copyWithin(start + prefix, start, sink.at)
  sink.at = start
  writeUnsigned(sink, size)
  sink.at += size
}

/** Appends pieces of code one after the other. */
export function writeAll(sink: Sink, codes: readonly Code<ValueType | "void">[]): void {
  for (const code of codes) code.write(sink)
}

/** An empty sink of a module. */
export function createSink(module: object, capacity: number): Sink {
  return { bytes: new Uint8Array(capacity), at: 0, labels: [], owner: undefined, module }
}
