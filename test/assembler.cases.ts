// What every WebAssembly instruction means, said again in plain JavaScript. It must not know opcodes or the assembler.

/** A value as JavaScript sees it: i32 and floats are numbers, i64 is a bigint, v128 its 16 bytes. */
export type Value = number | bigint | Uint8Array
/** What a row should give for operands (undefined: a trap); `nan` says in what unit any NaN stands for any other. */
export interface Meaning {
  readonly run: (...operands: never[]) => Value | undefined
  readonly nan?: 4 | 8
}

type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
type View<T> = new (buffer: ArrayBuffer) => T
const buffer = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer
const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

const is = (run: (...operands: never[]) => Value | undefined): Meaning => ({ run })
const float = (run: (...operands: never[]) => number): Meaning => ({ run: (...o) => Math.fround(run(...o)), nan: 4 })
const double = (run: (...operands: never[]) => number): Meaning => ({ run, nan: 8 })
const truth = (run: (...operands: never[]) => boolean): Meaning => ({ run: (...o) => Number(run(...o)) })

/** Lane by lane from one kind of lanes to another; the result has zeros where the operands have no lanes. */
function lanes(From: View<Numbers>, To: View<Numbers>, f: (...x: number[]) => number, nan?: 4 | 8, first = 0): Meaning {
  const run = (...vectors: Uint8Array[]): Uint8Array => {
    const from = vectors.map((v) => new From(buffer(v)))
    const to = new To(new ArrayBuffer(16))
    for (let k = 0; k < to.length && first + k < from[0]!.length; k++) to[k] = f(...from.map((v) => v[first + k]!))
    return bytesOf(to)
  }
  return nan === undefined ? { run } : { run, nan }
}
const ints = (f: (...x: number[]) => number): Meaning => lanes(Int32Array, Int32Array, f)
const uints = (f: (...x: number[]) => number): Meaning => lanes(Uint32Array, Uint32Array, f)
const floats = (f: (...x: number[]) => number): Meaning => lanes(Float32Array, Float32Array, f, 4)
const mask = (From: View<Numbers>, f: (a: number, b: number) => boolean): Meaning =>
  lanes(From, Int32Array, (a, b) => (f(a!, b!) ? -1 : 0))
const doubles = (f: (...x: number[]) => number): Meaning => lanes(Float64Array, Float64Array, f, 8)
const longs = (f: (a: bigint, b: bigint) => bigint): Meaning =>
  is((a: Uint8Array, b: Uint8Array) => {
    const [x, y] = [new BigInt64Array(buffer(a)), new BigInt64Array(buffer(b))]
    return bytesOf(x.map((v, k) => f(v, y[k]!)))
  })
const longShift = (f: (a: bigint, n: bigint) => bigint): Meaning =>
  is((a: Uint8Array, n: number) => bytesOf(new BigInt64Array(buffer(a)).map((v) => f(v, BigInt(n & 63)))))
const shift = (f: (a: number, n: number) => number): Meaning =>
  is((a: Uint8Array, n: number) => bytesOf(new Int32Array(buffer(a)).map((v) => f(v, n & 31))))
const extmul = (From: View<Numbers>, first: number): Meaning =>
  is((a: Uint8Array, b: Uint8Array) => {
    const [x, y] = [new From(buffer(a)), new From(buffer(b))]
    const product = (k: number): bigint => BigInt.asIntN(64, BigInt(x[first + k]!) * BigInt(y[first + k]!))
    return bytesOf(BigInt64Array.of(product(0), product(1)))
  })
const splat = (To: View<Numbers>): Meaning => is((a: number) => bytesOf(new To(new ArrayBuffer(16)).fill(a)))

function nearest(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x
  const low = Math.floor(x)
  const rounded = x - low < 0.5 ? low : x - low > 0.5 ? low + 1 : low % 2 === 0 ? low : low + 1
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded
}
const saturate = (low: number, high: number) => (x: number) =>
  Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x))) + 0
const satS = saturate(-(2 ** 31), 2 ** 31 - 1)
const satU = saturate(0, 2 ** 32 - 1)
const u = (a: number): number => a >>> 0
const s64 = (x: bigint): bigint => BigInt.asIntN(64, x)
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x)
const bits = new DataView(new ArrayBuffer(8))
function floatBits(x: number): number {
  bits.setFloat32(0, x)
  return bits.getInt32(0)
}
function bitsFloat(x: number): number {
  bits.setInt32(0, x)
  return bits.getFloat32(0)
}
function doubleBits(x: number): bigint {
  bits.setFloat64(0, x)
  return bits.getBigInt64(0)
}
function bitsDouble(x: bigint): number {
  bits.setBigInt64(0, x)
  return bits.getFloat64(0)
}
const copysign = (a: number, b: number): number => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a))

const comparisons: Readonly<Record<"eq" | "ne" | "lt" | "gt" | "le" | "ge", (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  gt: (a, b) => a > b,
  le: (a, b) => a <= b,
  ge: (a, b) => a >= b,
}
type Cases = Readonly<Record<string, Meaning>>
const named = (make: (f: (a: number, b: number) => boolean, name: string) => Meaning): Cases =>
  Object.fromEntries(Object.entries(comparisons).map(([name, f]) => [name, make(f, name)]))
const signed = (make: (f: (a: number, b: number) => boolean, unsigned: boolean) => Meaning): Cases =>
  Object.fromEntries(
    Object.entries(comparisons).flatMap(([name, f]) =>
      name === "eq" || name === "ne"
        ? [[name, make(f, false)]]
        : [
            [`${name}S`, make(f, false)],
            [`${name}U`, make(f, true)],
          ],
    ),
  )

/** The meaning of every row without immediates. */
export const operators: Readonly<Record<string, Cases>> = {
  i32: {
    ...signed((f, unsigned) => truth((a: number, b: number) => (unsigned ? f(u(a), u(b)) : f(a, b)))),
    eqz: truth((a: number) => a === 0),
    clz: is((a: number) => Math.clz32(a)),
    ctz: is((a: number) => (a === 0 ? 32 : 31 - Math.clz32(a & -a))),
    add: is((a: number, b: number) => (a + b) | 0),
    sub: is((a: number, b: number) => (a - b) | 0),
    mul: is((a: number, b: number) => Math.imul(a, b)),
    divS: is((a: number, b: number) => (b === 0 || (a === -(2 ** 31) && b === -1) ? undefined : (a / b) | 0)),
    divU: is((a: number, b: number) => (b === 0 ? undefined : Math.floor(u(a) / u(b)) | 0)),
    remS: is((a: number, b: number) => (b === 0 ? undefined : (a % b) | 0)),
    remU: is((a: number, b: number) => (b === 0 ? undefined : (u(a) % u(b)) | 0)),
    and: is((a: number, b: number) => a & b),
    or: is((a: number, b: number) => a | b),
    xor: is((a: number, b: number) => a ^ b),
    shl: is((a: number, b: number) => a << b),
    shrS: is((a: number, b: number) => a >> b),
    shrU: is((a: number, b: number) => (a >>> b) | 0),
    rotl: is((a: number, b: number) => (a << b) | ((b & 31) === 0 ? 0 : a >>> (32 - (b & 31)))),
    wrapI64: is((a: bigint) => Number(BigInt.asIntN(32, a))),
    reinterpretF32: is(floatBits),
    truncSatF32S: is(satS),
    truncSatF32U: is((a: number) => satU(a) | 0),
    truncSatF64S: is(satS),
    truncSatF64U: is((a: number) => satU(a) | 0),
  },
  i64: {
    eqz: truth((a: bigint) => a === 0n),
    eq: truth((a: bigint, b: bigint) => a === b),
    ltS: truth((a: bigint, b: bigint) => a < b),
    ltU: truth((a: bigint, b: bigint) => u64(a) < u64(b)),
    add: is((a: bigint, b: bigint) => s64(a + b)),
    sub: is((a: bigint, b: bigint) => s64(a - b)),
    mul: is((a: bigint, b: bigint) => s64(a * b)),
    and: is((a: bigint, b: bigint) => a & b),
    or: is((a: bigint, b: bigint) => a | b),
    xor: is((a: bigint, b: bigint) => a ^ b),
    shl: is((a: bigint, b: bigint) => s64(a << (b & 63n))),
    shrS: is((a: bigint, b: bigint) => a >> (b & 63n)),
    shrU: is((a: bigint, b: bigint) => s64(u64(a) >> (b & 63n))),
    extendI32S: is((a: number) => BigInt(a)),
    extendI32U: is((a: number) => BigInt(u(a))),
    reinterpretF64: is(doubleBits),
  },
  f32: {
    ...named((f) => truth(f)),
    abs: float(Math.abs),
    neg: float((a: number) => -a),
    ceil: float(Math.ceil),
    floor: float(Math.floor),
    trunc: float(Math.trunc),
    nearest: float(nearest),
    sqrt: float(Math.sqrt),
    add: float((a: number, b: number) => a + b),
    sub: float((a: number, b: number) => a - b),
    mul: float((a: number, b: number) => a * b),
    div: float((a: number, b: number) => a / b),
    min: float((a: number, b: number) => Math.min(a, b)),
    max: float((a: number, b: number) => Math.max(a, b)),
    copysign: float(copysign),
    convertI32S: float((a: number) => a),
    convertI32U: float(u),
    demoteF64: float((a: number) => a),
    reinterpretI32: float(bitsFloat),
  },
  f64: {
    ...named((f) => truth(f)),
    abs: double(Math.abs),
    neg: double((a: number) => -a),
    ceil: double(Math.ceil),
    floor: double(Math.floor),
    trunc: double(Math.trunc),
    nearest: double(nearest),
    sqrt: double(Math.sqrt),
    add: double((a: number, b: number) => a + b),
    sub: double((a: number, b: number) => a - b),
    mul: double((a: number, b: number) => a * b),
    div: double((a: number, b: number) => a / b),
    min: double((a: number, b: number) => Math.min(a, b)),
    max: double((a: number, b: number) => Math.max(a, b)),
    convertI32S: double((a: number) => a),
    convertI32U: double(u),
    promoteF32: double((a: number) => a),
    reinterpretI64: double(bitsDouble),
  },
  v128: {
    not: ints((a) => ~a!),
    and: ints((a, b) => a! & b!),
    andnot: ints((a, b) => a! & ~b!),
    or: ints((a, b) => a! | b!),
    xor: ints((a, b) => a! ^ b!),
    bitselect: ints((a, b, c) => (a! & c!) | (b! & ~c!)),
    anyTrue: truth((a: Uint8Array) => a.some((x) => x !== 0)),
  },
  i8x16: {
    swizzle: is((a: Uint8Array, b: Uint8Array) => b.map((k) => a[k] ?? 0)),
    splat: splat(Int8Array),
  },
  i16x8: {
    splat: splat(Int16Array),
    extendLowI8x16S: lanes(Int8Array, Int16Array, (a) => a!),
    extendHighI8x16S: lanes(Int8Array, Int16Array, (a) => a!, undefined, 8),
    extendLowI8x16U: lanes(Uint8Array, Int16Array, (a) => a!),
    extendHighI8x16U: lanes(Uint8Array, Int16Array, (a) => a!, undefined, 8),
  },
  i32x4: {
    ...signed((f, unsigned) => mask(unsigned ? Uint32Array : Int32Array, f)),
    splat: splat(Int32Array),
    abs: ints((a) => Math.abs(a!)),
    neg: ints((a) => -a!),
    allTrue: truth((a: Uint8Array) => new Int32Array(buffer(a)).every((x) => x !== 0)),
    bitmask: is((a: Uint8Array) => new Int32Array(buffer(a)).reduce((m, x, k) => m | ((x < 0 ? 1 : 0) << k), 0)),
    extendLowI16x8S: lanes(Int16Array, Int32Array, (a) => a!),
    extendHighI16x8S: lanes(Int16Array, Int32Array, (a) => a!, undefined, 4),
    extendLowI16x8U: lanes(Uint16Array, Int32Array, (a) => a!),
    extendHighI16x8U: lanes(Uint16Array, Int32Array, (a) => a!, undefined, 4),
    shl: shift((a, n) => a << n),
    shrS: shift((a, n) => a >> n),
    shrU: shift((a, n) => a >>> n),
    add: ints((a, b) => a! + b!),
    sub: ints((a, b) => a! - b!),
    mul: ints((a, b) => Math.imul(a!, b!)),
    minS: ints(Math.min),
    minU: uints(Math.min),
    maxS: ints(Math.max),
    maxU: uints(Math.max),
    truncSatF32x4S: lanes(Float32Array, Int32Array, (a) => satS(a!)),
    truncSatF32x4U: lanes(Float32Array, Uint32Array, (a) => satU(a!)),
  },
  i64x2: {
    splat: is((a: bigint) => bytesOf(BigInt64Array.of(a, a))),
    shl: longShift((a, n) => s64(a << n)),
    shrS: longShift((a, n) => a >> n),
    shrU: longShift((a, n) => s64(u64(a) >> n)),
    add: longs((a, b) => s64(a + b)),
    sub: longs((a, b) => s64(a - b)),
    mul: longs((a, b) => s64(a * b)),
    extmulLowI32x4S: extmul(Int32Array, 0),
    extmulHighI32x4S: extmul(Int32Array, 2),
    extmulLowI32x4U: extmul(Uint32Array, 0),
    extmulHighI32x4U: extmul(Uint32Array, 2),
  },
  f32x4: {
    ...named((f) => mask(Float32Array, f)),
    splat: { ...splat(Float32Array), nan: 4 },
    demoteF64x2Zero: lanes(Float64Array, Float32Array, (a) => a!, 4),
    ceil: floats((a) => Math.ceil(a!)),
    floor: floats((a) => Math.floor(a!)),
    trunc: floats((a) => Math.trunc(a!)),
    nearest: floats((a) => nearest(a!)),
    abs: ints((a) => a! & 0x7fffffff),
    neg: ints((a) => a! ^ 0x80000000),
    sqrt: floats((a) => Math.sqrt(a!)),
    add: floats((a, b) => a! + b!),
    sub: floats((a, b) => a! - b!),
    mul: floats((a, b) => a! * b!),
    div: floats((a, b) => a! / b!),
    min: floats((a, b) => Math.min(a!, b!)),
    max: floats((a, b) => Math.max(a!, b!)),
    pmin: floats((a, b) => (b! < a! ? b! : a!)),
    pmax: floats((a, b) => (a! < b! ? b! : a!)),
    convertI32x4S: lanes(Int32Array, Float32Array, (a) => a!),
    convertI32x4U: lanes(Uint32Array, Float32Array, (a) => a!),
    relaxedMadd: floats((a, b, c) => a! * b! + c!),
    relaxedNmadd: floats((a, b, c) => -(a! * b!) + c!),
  },
  f64x2: {
    splat: { ...is((a: number) => bytesOf(Float64Array.of(a, a))), nan: 8 },
    promoteLowF32x4: lanes(Float32Array, Float64Array, (a) => a!, 8),
    add: doubles((a, b) => a! + b!),
    sub: doubles((a, b) => a! - b!),
    mul: doubles((a, b) => a! * b!),
    div: doubles((a, b) => a! / b!),
  },
}

type Load = (view: DataView, at: number) => Value
const spread = (To: View<Numbers>, count: number, read: (view: DataView, at: number) => number, step: number): Load => {
  return (view, at) => {
    const to = new To(new ArrayBuffer(16))
    for (let k = 0; k < count; k++) to[k] = read(view, at + k * step)
    return bytesOf(to)
  }
}
const word = (view: DataView, at: number): number => view.getInt32(at, true)
const half = (view: DataView, at: number): number => view.getUint16(at, true)

/** What every load reads at a place in memory. */
export const loads: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  i32: {
    load: word,
    load8S: (view, at) => view.getInt8(at),
    load8U: (view, at) => view.getUint8(at),
    load16S: (view, at) => view.getInt16(at, true),
    load16U: half,
  },
  i64: { load: (view, at) => view.getBigInt64(at, true), load32U: (view, at) => BigInt(view.getUint32(at, true)) },
  f32: { load: (view, at) => view.getFloat32(at, true) },
  f64: { load: (view, at) => view.getFloat64(at, true) },
  v128: {
    load: spread(Int32Array, 4, word, 4),
    load8x8S: spread(Int16Array, 8, (view, at) => view.getInt8(at), 1),
    load8x8U: spread(Int16Array, 8, (view, at) => view.getUint8(at), 1),
    load16x4S: spread(Int32Array, 4, (view, at) => view.getInt16(at, true), 2),
    load16x4U: spread(Int32Array, 4, half, 2),
    load8Splat: spread(Int8Array, 16, (view, at) => view.getInt8(at), 0),
    load16Splat: spread(Int16Array, 8, half, 0),
    load32Splat: spread(Int32Array, 4, word, 0),
    load64Splat: (view, at) => bytesOf(BigInt64Array.of(view.getBigInt64(at, true), view.getBigInt64(at, true))),
    load32Zero: spread(Int32Array, 1, word, 4),
    load64Zero: spread(Int32Array, 2, word, 4),
  },
}
