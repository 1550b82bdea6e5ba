// Functions in float64 that Math lacks, by other formulas than those of core/math.ts.

/** The nearest whole number; halves go to the even one. */
export function roundEven(x: number): number {
  const low = Math.floor(x)
  if (x - low !== 0.5) return Math.round(x)
  return low % 2 === 0 ? low : low + 1
}

/**
 * The error function to about 1e-15: its series 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1·3·5…(2n+1)), of positive terms, up to 3, and 1
 * minus the continued fraction of erfc beyond (Abramowitz and Stegun 7.1.6 and 7.1.14).
 */
export function erf64(x: number): number {
  const size = Math.abs(x)
  if (!(size < 6)) return x === x ? Math.sign(x) : x
  const scale = (2 / Math.sqrt(Math.PI)) * Math.exp(-size * size)
  if (size < 3) {
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1)
      sum += term
    }
    return scale * sum
  }
  let fraction = size
  for (let n = 60; n > 0; n--) fraction = size + n / 2 / fraction
  return Math.sign(x) * (1 - scale / 2 / fraction)
}
