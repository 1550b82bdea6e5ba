// Bits and bytes of arrays of numbers. Knows no program.

import type { TypedArray } from "../../core/tensor.ts"

/** True if all arrays have the same bits; every NaN is one. */
export function sameBits(a: readonly Float32Array[], b: readonly Float32Array[]): boolean {
  return a.every((values, i) => values.length === b[i]?.length && values.every((v, k) => Object.is(v, b[i]![k])))
}

/** The bytes of an array: the same memory, not a copy. */
export function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
