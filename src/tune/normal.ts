// The exponential function and the normal distribution from exactly rounded operations, the same on every machine. Knows nothing else.

const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const TERMS = 13

/**
 * eˣ within 2 ulp of its own scale: x = k ln 2 + r with |r| ≤ ½ ln 2, and Taylor's series of eʳ up to r¹³ (the next term is below
 * 2⁻⁵⁶). Infinity above 709.78, 0 below −745.
 */
export function exp64(x: number): number {
  if (!(x > -746)) return Number.isNaN(x) ? x : 0
  if (x > 709.78) return Infinity
  const k = Math.round(x / (LN2_HIGH + LN2_LOW))
  const r = x - k * LN2_HIGH - k * LN2_LOW
  let sum = 1
  for (let n = TERMS; n >= 1; n--) sum = 1 + (r / n) * sum
  // Two factors, because 2ᵏ alone may be too small for a number.
  return sum * powerOfTwo(Math.trunc(k / 2)) * powerOfTwo(k - Math.trunc(k / 2))
}

function powerOfTwo(k: number): number {
  let power = 1
  for (let n = Math.abs(k), square = 2; n > 0; n = Math.floor(n / 2), square *= square) if (n % 2 === 1) power *= square
  return k < 0 ? 1 / power : power
}

/** The coefficients of 7.1.26, and the factor of its argument. */
const COEFFICIENTS = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429]
const FACTOR = 0.3275911

/**
 * Φ(z), the probability of a normal number below z: ½ erfc(−z / √2), within 1e-7. Source: Abramowitz and Stegun, Handbook of
 * Mathematical Functions, 7.1.26.
 */
export function normalBelow(z: number): number {
  const x = Math.abs(z) * Math.SQRT1_2
  const t = 1 / (1 + FACTOR * x)
  let polynomial = 0
  for (let i = COEFFICIENTS.length - 1; i >= 0; i--) polynomial = t * (COEFFICIENTS[i]! + polynomial)
  const tail = (polynomial * exp64(-x * x)) / 2
  return z < 0 ? tail : 1 - tail
}

/** The density of the normal distribution: e^(−z²/2) / √(2π). */
export function normalDensity(z: number): number {
  return 0.3989422804014327 * exp64((-z * z) / 2)
}
