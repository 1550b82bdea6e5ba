// The arithmetic that mathematical functions are written over, and its plain TypeScript instance. Knows no function,
// op or backend.

/**
 * The operations whose float32 result IEEE 754 fixes exactly, over a representation V of a float32, B of a truth
 * value and I of an int32. One instance computes with numbers; another may emit instructions, so functions written
 * over it are straight lines: they choose with `select` and never look at a value. Which NaN an operation gives is
 * not fixed: nothing but NaN may follow from the bits of a NaN.
 */
export interface Arithmetic<V, B, I> {
  /** The number x, rounded to float32. */
  constant(x: number): V
  /** a + b, rounded once. */
  add(a: V, b: V): V
  /** a - b, rounded once. */
  sub(a: V, b: V): V
  /** a * b, rounded once. */
  mul(a: V, b: V): V
  /** a / b, rounded once. */
  div(a: V, b: V): V
  /** a with the other sign; also for 0 and NaN. */
  neg(a: V): V
  /** a without its sign. */
  abs(a: V): V
  /** The square root, rounded once; NaN below 0. */
  sqrt(a: V): V
  /** The nearest integer, ties to even; keeps -0 (f32x4.nearest). */
  nearest(a: V): V
  /** The greatest integer that is at most a; keeps -0. */
  floor(a: V): V
  /** b if b < a, else a; a when either is NaN (f32x4.pmin). */
  min(a: V, b: V): V
  /** b if a < b, else a; a when either is NaN (f32x4.pmax). */
  max(a: V, b: V): V
  /** a < b; false for NaN. */
  less(a: V, b: V): B
  /** a <= b; false for NaN. */
  lessEqual(a: V, b: V): B
  /** a = b; -0 equals 0, NaN equals nothing. */
  equal(a: V, b: V): B
  /** a where c holds, else b. */
  select(c: B, a: V, b: V): V
  /** Both. */
  and(a: B, b: B): B
  /** The opposite. */
  not(a: B): B
  /** The integer part as int32: NaN gives 0, values out of range the nearest int32 (i32x4.trunc_sat_f32x4_s). */
  toInt(a: V): I
  /** The nearest float32, ties to even. */
  toFloat(a: I): V
  /** The 32 bits of a float32, as an int32. */
  bits(a: V): I
  /** The float32 that has these 32 bits. */
  fromBits(a: I): V
  /** The number x modulo 2^32, as an int32. */
  intConstant(x: number): I
  /** a + b modulo 2^32. */
  addInt(a: I, b: I): I
  /** a - b modulo 2^32. */
  subInt(a: I, b: I): I
  /** a * 2^n modulo 2^32; 0 <= n < 32. */
  shiftLeft(a: I, n: number): I
  /** a / 2^n rounded down, the sign kept; 0 <= n < 32. */
  shiftRight(a: I, n: number): I
  /** The 32 bits as an unsigned number / 2^n rounded down, as an int32; 0 <= n < 32. */
  shiftRightUnsigned(a: I, n: number): I
  /** The bits that are set in both. */
  andInt(a: I, b: I): I
  /** The bits that are set in either. */
  orInt(a: I, b: I): I
  /** The bits that are set in one of the two. */
  xorInt(a: I, b: I): I
}

/** One float32 seen as an int32, to read and make bits; its content means nothing between two calls. */
const scratchFloat = new Float32Array(1)
const scratchInt = new Int32Array(scratchFloat.buffer)

/** |a| from which every float32 is an integer: 2^23. */
const INTEGERS = 8388608

function nearest(a: number): number {
  const size = Math.abs(a)
  if (!(size < INTEGERS)) return a
  const rounded = Math.fround(size + INTEGERS) - INTEGERS
  return a < 0 || Object.is(a, -0) ? -rounded : rounded
}

function bits(a: number): number {
  scratchFloat[0] = a
  return scratchInt[0]!
}

function fromBits(a: number): number {
  scratchInt[0] = a
  return scratchFloat[0]!
}

/**
 * Float32 arithmetic on TypeScript numbers: computes in float64 and rounds once more, which gives the float32 result
 * exactly for + - * / and sqrt since 53 >= 2 * 24 + 2 (Figueroa 1995, "When is double rounding innocuous?").
 * Values must be float32 and integers int32.
 */
export const float32: Arithmetic<number, boolean, number> = {
  constant: (x) => Math.fround(x),
  add: (a, b) => Math.fround(a + b),
  sub: (a, b) => Math.fround(a - b),
  mul: (a, b) => Math.fround(a * b),
  div: (a, b) => Math.fround(a / b),
  neg: (a) => -a,
  abs: (a) => Math.abs(a),
  sqrt: (a) => Math.fround(Math.sqrt(a)),
  nearest,
  floor: (a) => Math.floor(a),
  min: (a, b) => (b < a ? b : a),
  max: (a, b) => (a < b ? b : a),
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  equal: (a, b) => a === b,
  select: (c, a, b) => (c ? a : b),
  and: (a, b) => a && b,
  not: (a) => !a,
  toInt: (a) => (a >= 2147483648 ? 2147483647 : a <= -2147483648 ? -2147483648 : a | 0),
  toFloat: (a) => Math.fround(a),
  bits,
  fromBits,
  intConstant: (x) => x | 0,
  addInt: (a, b) => (a + b) | 0,
  subInt: (a, b) => (a - b) | 0,
  shiftLeft: (a, n) => a << n,
  shiftRight: (a, n) => a >> n,
  shiftRightUnsigned: (a, n) => (a >>> n) | 0,
  andInt: (a, b) => a & b,
  orInt: (a, b) => a | b,
  xorInt: (a, b) => a ^ b,
}
