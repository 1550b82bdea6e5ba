// How errors name layers. Knows none.

import { TrilobiteError } from "../core/errors.ts"

/** A layer as errors name it: `Dense "hidden_2"`. */
export function labelOf(type: string, name: string): string {
  return `${type} ${JSON.stringify(name)}`
}

/** The error with the layer in which it happened; operations below (`matmul`) are not mentioned when tracing. */
export function inLayer(label: string, error: unknown, tracing = false): unknown {
  if (!(error instanceof TrilobiteError) || error.layer !== undefined) return error
  const where = tracing ? undefined : error.where
  return new TrilobiteError(error.code, { ...error, layer: label, where }, { cause: error })
}
