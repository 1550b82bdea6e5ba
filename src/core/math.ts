// exp, log, tanh, sigmoid, erf, sin, cos and their kin in float32 from exactly rounded operations, so that every machine gives the
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

/** Where {@link erf} goes from one polynomial to the other, and from where on it is 1. */
const ERF_NEAR = 1
const ERF_FAR = 4

/**
 * The error function 2/sqrt(pi) integral_0^x e^(-t^2) dt within 1.1 ulp, also near 0; keeps -0; +-1 from 3.92 on. It is
 * x + x p(x^2) up to 1 (error of the fit 1.5e-9), beyond 1 - e^(-x q(x)) (error of the fit 1.3e-10).
 */
export function erf<V, B, I>(m: Arithmetic<V, B, I>, x: V): V {
  const size = m.min(m.abs(x), m.constant(ERF_FAR))
  const near = m.add(x, m.mul(x, polynomial(m, m.mul(x, x), ERF_NEAR_COEFFICIENTS)))
  const power = m.mul(size, polynomial(m, size, ERF_FAR_COEFFICIENTS))
  const far = withSign(m, m.sub(m.constant(1), exp(m, m.neg(power))), x)
  return m.select(m.less(m.constant(ERF_NEAR), size), far, near)
}

/** Both lowest power first. */
const ERF_NEAR_COEFFICIENTS: readonly number[] = [
  0.12837916612625122, -0.3761262595653534, 0.11283578723669052, -0.026853347197175026, 0.005187162198126316,
  -0.0007997853099368513, 0.00007806903158780187,
]
const ERF_FAR_COEFFICIENTS: readonly number[] = [
  1.128596544265747, 0.6354237794876099, 0.10564329475164413, -0.02306520938873291, 0.003166097914800048,
  -0.00013312583905644715, -0.000029514305424527265, 0.000003643689524324145,
]

/** c0 + c1 x + c2 x^2 + ..., from the inside (Horner). */
export function polynomial<V>(
  m: Pick<Arithmetic<V, unknown, unknown>, "constant" | "add" | "mul">,
  x: V,
  coefficients: readonly number[],
): V {
  let i = coefficients.length - 1
  let y = m.constant(coefficients[i]!)
  while (--i >= 0) y = m.add(m.mul(y, x), m.constant(coefficients[i]!))
  return y
}

const TWO_OVER_PI = 0.6366197723675814
/** pi/2 in five parts; the first four have 11 bits, so that their products with an integer below 2^13 are exact. */
const HALF_PI: readonly number[] = [
  1.5703125, 0.0004837512969970703, 7.549533620476723e-8, 2.5632829192545614e-12, 6.123234262925839e-17,
]
/** A little more than pi/4: the rounding of x 2/pi lets so much be left near the end of the range. */
const MOST_REST = 0.7864

/** The sine of |x| turned on by `turns` quarters of a circle, and without a sign of its own. */
function circular<V, B, I>(m: Arithmetic<V, B, I>, x: V, turns: number): V {
  const size = m.abs(x)
  const n = m.nearest(m.mul(size, m.constant(TWO_OVER_PI)))
  // What is left of x after n quarters, |r| <= 0.7864: exact up to the second part, then rounded once (Cody and Waite 1980).
  const [p1, p2, p3, p4, p5] = HALF_PI.map((part) => m.mul(n, m.constant(part))) as [V, V, V, V, V]
  const high = m.sub(m.sub(size, p1), p2)
  const middle = m.sub(high, p3)
  const lost = m.sub(m.sub(high, middle), p3)
  const rest = m.add(middle, m.sub(m.sub(lost, p4), p5))
  // Where the argument is too large for this to be small, the result stays at least between -1 and 1.
  const r = m.max(m.min(rest, m.constant(MOST_REST)), m.constant(-MOST_REST))
  const z = m.mul(r, r)
  const sine = m.add(r, m.mul(m.mul(r, z), polynomial(m, z, SINE)))
  const cosine = m.add(m.sub(m.constant(1), m.mul(z, m.constant(0.5))), m.mul(m.mul(z, z), polynomial(m, z, COSINE)))
  const quarter = m.addInt(m.toInt(n), m.intConstant(turns))
  const odd = m.equal(m.toFloat(m.andInt(quarter, m.intConstant(1))), m.constant(1))
  const sign = m.shiftLeft(m.andInt(quarter, m.intConstant(2)), 30)
  return m.fromBits(m.addInt(m.bits(m.select(odd, cosine, sine)), sign))
}

/** (sin r - r) / r^3 and (cos r - 1 + r^2/2) / r^4 by powers of r^2; |r| <= 0.7864; errors of the fits 3.8e-9 and 1.1e-10. */
const SINE: readonly number[] = [-0.16666655242443085, 0.008332190103828907, -0.0001951839221874252]
const COSINE: readonly number[] = [0.04166664555668831, -0.00138873013202101, 0.00002443066841806285]

/**
 * The sine of x radians within 1.6 ulp for |x| <= 12867 (2^13 quarters of a circle); keeps -0; NaN for +-Infinity.
 * Beyond, the error grows to about |x| 2^-24, the step between arguments; from 2^24 on the result means nothing, but lies
 * within +-1.
 */
export function sin<V, B, I>(m: Arithmetic<V, B, I>, x: V): V {
  const y = circular(m, x, 0)
  return m.fromBits(m.addInt(m.bits(y), m.andInt(m.bits(x), m.intConstant(SIGN))))
}

/** The cosine of x radians within 1.6 ulp for |x| <= 12867; beyond as {@link sin}; NaN for +-Infinity. */
export function cos<V, B, I>(m: Arithmetic<V, B, I>, x: V): V {
  return circular(m, x, 1)
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
/** {@link erf} of a number, which is rounded to float32 first. */
export const erf32 = (x: number): number => erf(float32, Math.fround(x))
/** {@link sin} of a number, which is rounded to float32 first. */
export const sin32 = (x: number): number => sin(float32, Math.fround(x))
/** {@link cos} of a number, which is rounded to float32 first. */
export const cos32 = (x: number): number => cos(float32, Math.fround(x))

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
