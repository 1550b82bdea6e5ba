// What the reference backend computes with: float32 by definition, or float64 for gradient checks.

import { float32 } from "../../core/arithmetic.ts"
import { type Scalars, scalarsOver } from "../../core/scalar.ts"

/** Numbers of one precision: their array, how a result is rounded to it, and the scalar operations. */
export interface Precision {
  readonly array: Float32ArrayConstructor | Float64ArrayConstructor
  round(x: number): number
  readonly scalars: Scalars<number, boolean>
}

/** Float32, rounded after every operation: the definition that other backends must equal bit for bit. */
export const single: Precision = { array: Float32Array, round: Math.fround, scalars: scalarsOver(float32) }
