// The scalar operations in float64, so that the reference backend can check gradients. It shares no formula with core/math.ts.
import type { Precision } from "../../src/backend/reference/arithmetic.ts"
import { erf64, roundEven } from "./special.ts"

/** Float64 with the engine's own functions: nothing is rounded to float32. */
export const double: Precision = {
  array: Float64Array,
  round: (x) => x,
  scalars: {
    values: {
      neg: (x) => -x!,
      abs: (x) => Math.abs(x!),
      sqrt: (x) => Math.sqrt(x!),
      floor: (x) => Math.floor(x!),
      round: (x) => roundEven(x!),
      expm1: (x) => Math.expm1(x!),
      log1p: (x) => Math.log1p(x!),
      sin: (x) => Math.sin(x!),
      cos: (x) => Math.cos(x!),
      erf: (x) => erf64(x!),
      exp: (x) => Math.exp(x!),
      log: (x) => Math.log(x!),
      tanh: (x) => Math.tanh(x!),
      sigmoid: (x) => (x! < 0 ? Math.exp(x!) / (1 + Math.exp(x!)) : 1 / (1 + Math.exp(-x!))),
      relu: (x) => (x! <= 0 ? 0 : x!),
      add: (a, b) => a! + b!,
      sub: (a, b) => a! - b!,
      mul: (a, b) => a! * b!,
      div: (a, b) => a! / b!,
      max: (a, b) => (a! < b! ? b! : a!),
      min: (a, b) => (b! < a! ? b! : a!),
    },
    tests: { less: (a, b) => a < b, lessEqual: (a, b) => a <= b, equal: (a, b) => a === b },
    where: (c, a, b) => (c ? a : b),
  },
}
