// The natural logarithm in float64 from exactly rounded operations, the same on every machine. Knows nothing else.

/** ln 2 in two parts; the first has 32 bits, so that its product with an exponent is exact. */
const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10

/** ½, √½ and √2 bound the reduced argument. */
const SQRT_HALF = 0.7071067811865476
const SQRT_TWO = 1.4142135623730951

/** The terms of the series that are needed for |s| ≤ 0.1716: the first one left out is below 2⁻⁵⁶ of the sum. */
const TERMS = 11

/**
 * ln x within 1 ulp: x = m · 2ᵉ with √½ < m ≤ √2, and with f = m − 1, s = f/(2 + f)
 * ln m = 2 artanh s = f − f²/2 + s (f²/2 + 2s²/3 + 2s⁴/5 + …), an arrangement in which f is exact and the rest is small.
 * ln 0 is −Infinity, ln of a negative number NaN.
 */
export function log64(x: number): number {
  if (!(x > 0 && x < Infinity)) return x === 0 ? -Infinity : x === Infinity ? x : NaN
  let [m, exponent] = [x, 0]
  for (; m > SQRT_TWO; m /= 2) exponent++
  for (; m <= SQRT_HALF; m *= 2) exponent--
  const f = m - 1
  const s = f / (2 + f)
  const z = s * s
  let series = 0
  for (let k = TERMS; k >= 1; k--) series = z * (2 / (2 * k + 1) + series)
  const half = (f * f) / 2
  return exponent * LN2_HIGH - (half - (s * (half + series) + exponent * LN2_LOW) - f)
}
