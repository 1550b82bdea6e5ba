// exp, log, tanh, sigmoid and their kin in float32 from exactly rounded operations, so that every machine gives the
// same bits. Knows no array, op or backend.
//
// The polynomials are minimax fits (linear programming over 600 Chebyshev nodes, weighted for the error of the
// function that they serve), each coefficient rounded to float32 before the following ones are fitted again. The
// errors stated below are the largest over all float32 (every 61st where |x| is below 2^-27 or above 256, but for
// the logarithms), against the C library's function in float64, in units in the last place of the float32 nearest to
// the true value. In the same runs no function but log1p ever fell where its argument rose.

import type { Arithmetic } from "./arithmetic.ts"
import { float32 } from "./arithmetic.ts"
import { internalError } from "./errors.ts"

const LOG2_E = 1.4426950408889634
/** ln 2 in two parts; the first has 15 bits, so its product with an integer below 2^9 is exact. */
const LN2_HIGH = 0.693145751953125
const LN2_LOW = 1.4286068203094172e-6
/** 1.5 * 2^23: a small number added to it is rounded to an integer, which then stands in the lowest bits. */
const ROUNDER = 12582912
/** The bits of a power of two begin here; 127 stands for 2^0. */
const EXPONENT = 23
const SIGN = 0x80000000
/** 2^-126, the least normal float32; 2^23, which makes every subnormal normal; 2^-64. */
const LEAST_NORMAL = 1.1754943508222875e-38
const TWO_23 = 8388608
const TWO_MINUS_64 = 5.421010862427522e-20

/** x - n ln 2, which lies within +-ln 2 / 2 (Cody and Waite 1980). */
function residue<V, B, I>(m: Arithmetic<V, B, I>, x: V, n: V): V {
  const rest = m.sub(x, m.mul(n, m.constant(LN2_HIGH)))
  return m.sub(rest, m.mul(n, m.constant(LN2_LOW)))
}

/** e^r - 1 for |r| <= ln 2 / 2, as r + r^2 q(r); error of the fit 3.2e-9. */
function expm1Near0<V, B, I>(m: Arithmetic<V, B, I>, r: V): V {
  let q = m.constant(0.0013939477503299713)
  q = m.add(m.mul(q, r), m.constant(0.008368823677301407))
  q = m.add(m.mul(q, r), m.constant(0.041666414588689804))
  q = m.add(m.mul(q, r), m.constant(0.1666651964187622))
  q = m.add(m.mul(q, r), m.constant(0.5))
  return m.add(r, m.mul(m.mul(r, r), q))
}

/** y with the sign of x, for a y without sign or with the same one. */
function withSign<V, B, I>(m: Arithmetic<V, B, I>, y: V, x: V): V {
  return m.fromBits(m.orInt(m.bits(y), m.andInt(m.bits(x), m.intConstant(SIGN))))
}

/**
 * e^x within 1.00 ulp; Infinity above 88.72, subnormal below -87.33, 0 below -103.97. With x = n ln 2 + r it is 2^n
 * e^r; 2^n is applied as two factors, so that the last product alone rounds a subnormal.
 */
export function exp<V, B, I>(m: Arithmetic<V, B, I>, x: V): V {
  const within = m.max(m.min(x, m.constant(89)), m.constant(-104))
  const offset = m.constant(ROUNDER + 2 * 127)
  const shifted = m.add(m.mul(within, m.constant(LOG2_E)), offset)
  const r = residue(m, within, m.sub(shifted, offset))
  const exponents = m.bits(shifted)
  const half = m.shiftLeft(m.shiftRight(exponents, 1), EXPONENT)
  const rest = m.subInt(m.shiftLeft(exponents, EXPONENT), half)
  const near1 = m.add(m.constant(1), expm1Near0(m, r))
  return m.mul(m.mul(near1, m.fromBits(half)), m.fromBits(rest))
}

/**
 * e^x - 1 within 1.64 ulp, also near 0; keeps -0. With 2^n = 2s and e^r = 1 + w it is (s - 1/2) + 2sw + (s - 1/2).
 */
export function expm1<V, B, I>(m: Arithmetic<V, B, I>, x: V): V {
  const within = m.max(m.min(x, m.constant(89)), m.constant(-18))
  const offset = m.constant(ROUNDER + 126)
  const shifted = m.add(m.mul(within, m.constant(LOG2_E)), offset)
  const w = expm1Near0(m, residue(m, within, m.sub(shifted, offset)))
  const s = m.fromBits(m.shiftLeft(m.bits(shifted), EXPONENT))
  const most = m.sub(s, m.constant(0.5))
  const y = m.add(m.add(most, m.mul(s, m.add(w, w))), most)
  return withSign(m, y, x)
}

/**
 * The natural logarithm within 0.84 ulp; -Infinity at 0, NaN below. With x = 2^k (1 + f), 1 + f in [sqrt 1/2, sqrt
 * 2) and s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - f^2/2 + s (f^2/2 + R(s^2)) (the arrangement of FreeBSD's
 * msun, with R fitted anew).
 */
export function log<V, B, I>(m: Arithmetic<V, B, I>, x: V): V {
  const one = m.constant(1)
  const subnormal = m.less(x, m.constant(LEAST_NORMAL))
  const scaled = m.select(subnormal, m.mul(x, m.constant(TWO_23)), x)
  const low = m.intConstant(0x3f3504f3) // the bits of sqrt 1/2
  const above = m.subInt(m.bits(scaled), low)
  const f = m.sub(m.fromBits(m.addInt(m.andInt(above, m.intConstant(0x7fffff)), low)), one)
  const k = m.add(m.toFloat(m.shiftRight(above, EXPONENT)), m.select(subnormal, m.constant(-23), m.constant(0)))

  const s = m.div(f, m.add(f, m.constant(2)))
  const z = m.mul(s, s)
  let poly = m.constant(0.29870927333831787)
  poly = m.add(m.mul(poly, z), m.constant(0.39977580308914185))
  poly = m.add(m.mul(poly, z), m.constant(0.6666677594184875))
  const square = m.mul(m.mul(f, f), m.constant(0.5))
  const small = m.add(m.mul(s, m.add(square, m.mul(poly, z))), m.mul(k, m.constant(LN2_LOW)))
  const y = m.add(m.add(m.sub(small, square), f), m.mul(k, m.constant(LN2_HIGH)))

  const atMost0 = m.select(m.equal(x, m.constant(0)), m.constant(-Infinity), m.constant(NaN))
  const finite = m.select(m.less(m.constant(0), x), y, atMost0)
  return m.select(m.less(x, m.constant(Infinity)), finite, x)
}

/**
 * log(1 + x) within 1.44 ulp, also near 0; keeps -0. log(u) for u = 1 + x as rounded, plus the rounding error over
 * u. Not monotone to the ulp.
 */
export function log1p<V, B, I>(m: Arithmetic<V, B, I>, x: V): V {
  const one = m.constant(1)
  const u = m.add(one, x)
  const rough = log(m, u)
  const better = m.add(rough, m.div(m.sub(x, m.sub(u, one)), u))
  const inside = m.and(m.less(m.constant(-1), x), m.less(x, m.constant(Infinity)))
  return m.select(m.equal(u, one), x, m.select(inside, better, rough))
}

/**
 * The hyperbolic tangent within 1.99 ulp, also near 0; keeps -0; 1 from 9.01 on. With e^(-2|x|) = s (1 + w), s =
 * 2^n, it is ((1 - s) - s w) / ((1 + s) + s w).
 */
export function tanh<V, B, I>(m: Arithmetic<V, B, I>, x: V): V {
  const double = m.mul(m.min(m.abs(x), m.constant(10)), m.constant(-2))
  const offset = m.constant(ROUNDER + 127)
  const shifted = m.add(m.mul(double, m.constant(LOG2_E)), offset)
  const w = expm1Near0(m, residue(m, double, m.sub(shifted, offset)))
  const s = m.fromBits(m.shiftLeft(m.bits(shifted), EXPONENT))
  const sw = m.mul(s, w)
  const one = m.constant(1)
  return withSign(m, m.div(m.sub(m.sub(one, s), sw), m.add(m.add(one, s), sw)), x)
}

/**
 * 1 / (1 + e^-x) within 2.00 ulp, subnormal results included. With e^-x = 2^n (1 + w) it is c / (c + s + s w) for c
 * = 2^-64 and s = 2^n c: nothing overflows, and the quotient alone rounds a subnormal. s w is added to the smaller
 * of c and s first.
 */
export function sigmoid<V, B, I>(m: Arithmetic<V, B, I>, x: V): V {
  const y = m.neg(m.max(m.min(x, m.constant(20)), m.constant(-104)))
  const c = m.constant(TWO_MINUS_64)
  const offset = m.constant(ROUNDER + 127 - 64)
  const shifted = m.add(m.mul(y, m.constant(LOG2_E)), offset)
  const w = expm1Near0(m, residue(m, y, m.sub(shifted, offset)))
  const s = m.fromBits(m.shiftLeft(m.bits(shifted), EXPONENT))
  return m.div(c, m.add(m.max(c, s), m.add(m.min(c, s), m.mul(s, w))))
}

/** {@link exp} of a number, which is rounded to float32 first. */
export const exp32 = (x: number): number => exp(float32, Math.fround(x))
/** {@link expm1} of a number, which is rounded to float32 first. */
export const expm132 = (x: number): number => expm1(float32, Math.fround(x))
/** {@link log} of a number, which is rounded to float32 first. */
export const log32 = (x: number): number => log(float32, Math.fround(x))
/** {@link log1p} of a number, which is rounded to float32 first. */
export const log1p32 = (x: number): number => log1p(float32, Math.fround(x))
/** {@link tanh} of a number, which is rounded to float32 first. */
export const tanh32 = (x: number): number => tanh(float32, Math.fround(x))
/** {@link sigmoid} of a number, which is rounded to float32 first. */
export const sigmoid32 = (x: number): number => sigmoid(float32, Math.fround(x))

/**
 * base^n in float64 for an integer n >= 0, by repeated squaring: only products, so the same bits everywhere
 * (`Math.pow` differs between engines). Throws for any other n.
 */
export function powInt(base: number, n: number): number {
  if (!Number.isSafeInteger(n) || n < 0) throw internalError(`powInt needs an integer n >= 0, got ${n}.`)
  let result = 1
  let square = base
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square
    square *= square
  }
  return result
}
