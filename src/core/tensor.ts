// Tensors: plain memory with a shape and a type. Knows no graph, no model and no backend.

import { dataError, show } from "./errors.ts"
import { formatShape, type Shape } from "./shape.ts"

/**
 * The element types of data: float32 values, int32 values (labels, say), uint8 values, and unorm8: a byte b that stands for
 * the float32 nearest to b / 255, as in graphics (pixels from 0 to 1 in a quarter of the memory).
 */
export type DType = "float32" | "int32" | "uint8" | "unorm8"

/** The typed arrays that hold the elements of a tensor. */
export type TypedArray = Float32Array | Int32Array | Uint8Array

/** Bytes of one element. */
export const bytesOf: { readonly [d in DType]: number } = { float32: 4, int32: 4, uint8: 1, unorm8: 1 }

/** Values with a shape, row-major: plain memory that nobody needs to dispose of. */
export interface Tensor {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: TypedArray
}

/** Numbers nested to any depth: `[[0, 1], [1, 0]]`. */
export type NestedNumbers = readonly number[] | readonly NestedNumbers[]

/** What is understood as data: a tensor, `{ data, shape }` with a typed array, or nested arrays of numbers. */
export type TensorLike =
  | Tensor
  | { readonly data: TypedArray | Float64Array | Uint8ClampedArray; readonly shape: Shape }
  | TypedArray
  | Float64Array
  | NestedNumbers

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, unorm8: Uint8Array } as const

/** The numbers that a tensor stands for: its own memory, unless they must be computed. */
export function numbersOf(t: Tensor): TypedArray {
  return t.dtype === "unorm8" ? Float32Array.from(t.data, (byte) => byte / 255) : t.data
}

/** Memory as the elements of a type: its own memory, nothing is copied. */
export function elements(dtype: DType, { buffer, byteOffset, byteLength }: Uint8Array): TypedArray {
  const length = byteLength / bytesOf[dtype]
  if (dtype === "float32") return new Float32Array(buffer, byteOffset, length)
  return dtype === "int32" ? new Int32Array(buffer, byteOffset, length) : new Uint8Array(buffer, byteOffset, length)
}

/** The memory of a typed array as bytes. */
export function bytes({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** A new typed array of `n` zeros. */
export function allocate(dtype: DType, n: number): TypedArray {
  return new arrays[dtype](n)
}

/** The element type of a typed array, or undefined for another kind of array. */
export function dtypeOf(data: ArrayBufferView): DType | undefined {
  if (data instanceof Float32Array) return "float32"
  if (data instanceof Int32Array) return "int32"
  if (data instanceof Uint8Array) return "uint8"
  return undefined
}

/**
 * A tensor from a typed array with a shape, or from nested arrays (float32). Float64 values are rounded to float32.
 * @throws E_DATA if the number of elements does not fit the shape, rows are ragged, or a finite value overflows float32.
 * @example
 * ```ts
 * import { tensor } from "trilobite"
 * tensor([[1, 2, 3], [4, 5, 6]]).shape // => [2, 3]
 * tensor(new Uint8Array([0, 255]), [2, 1]).dtype // => "uint8"
 * ```
 */
export function tensor(values: TensorLike, shape?: Shape): Tensor {
  if (ArrayBuffer.isView(values)) return fromArray(values, shape ?? [values.length], "tensor")
  if (Array.isArray(values)) return fromNested(values as NestedNumbers, shape)
  if (typeof values === "object" && values !== null && "data" in values && "shape" in values) {
    const read = fromArray(values.data, shape ?? values.shape, "tensor")
    const bytes = "dtype" in values && values.dtype === "unorm8" && read.dtype === "uint8"
    return bytes ? { ...read, dtype: "unorm8" } : read
  }
  throw dataError({
    where: "tensor",
    what: "this is not data.",
    expected: "a tensor, a typed array with a shape, or nested arrays of numbers",
    got: show(values),
  })
}

function fromArray(data: ArrayBufferView, shape: Shape, where: string): Tensor {
  const wide = data instanceof Float64Array
  const clamped = data instanceof Uint8ClampedArray
  const dtype = wide ? "float32" : clamped ? "uint8" : dtypeOf(data)
  if (dtype === undefined) {
    throw dataError({
      where,
      what: "this kind of array holds no data for a network.",
      expected: "Float32Array, Float64Array, Int32Array or Uint8Array",
      got: show(data),
    })
  }
  if (data.buffer.byteLength === 0 && data.byteLength === 0 && shape.every((n) => n > 0) && shape.length > 0) {
    throw dataError({ where, what: "the array is empty.", got: `${show(data)}; its buffer may have been transferred` })
  }
  const bad = shape.find((n) => !Number.isInteger(n) || n < 0)
  if (bad !== undefined) throw dataError({ where, what: "a shape has whole sizes.", got: show(shape) })
  const n = shape.reduce((a, b) => a * b, 1)
  const length = (data as Uint8Array).length
  if (n !== length) {
    throw dataError({
      where,
      what: `the array does not fill the shape ${formatShape(shape)}.`,
      expected: `${n} elements`,
      got: `${length}`,
    })
  }
  if (wide) return { dtype, shape, data: narrow(data as Float64Array, shape) }
  if (clamped) return { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
  return { dtype, shape, data: data as TypedArray }
}

/** Float64 values as float32; a finite value beyond float32's range is refused, with its place. */
function narrow(wide: Float64Array | readonly number[], shape: Shape): Float32Array {
  const out = Float32Array.from(wide)
  for (let i = 0; i < out.length; i++) {
    if (!Number.isFinite(out[i]!) && Number.isFinite(wide[i]!)) {
      throw dataError({
        where: "tensor",
        what: `the value ${wide[i]} at ${placeOf(i, shape)} is beyond float32.`,
        expected: "values up to 3.4e38",
      })
    }
  }
  return out
}

/** The index of element i, as it is written: `[2][17]`; `rowName` says what the row is called if not by its place. */
export function placeOf(i: number, shape: Shape, rowName?: (row: number) => number): string {
  let rest = i
  const index: number[] = []
  for (let d = shape.length - 1; d >= 0; d--) {
    index.unshift(rest % shape[d]!)
    rest = Math.floor(rest / shape[d]!)
  }
  if (rowName !== undefined && index.length > 0) index[0] = rowName(index[0]!)
  return index.map((n) => `[${n}]`).join("")
}

function fromNested(values: NestedNumbers, shape?: Shape): Tensor {
  const found: number[] = []
  for (let level: unknown = values; Array.isArray(level); level = level[0]) found.push(level.length)
  const flat: number[] = []
  flatten(values, found, 0, "", flat)
  const data = narrow(flat, found)
  return fromArray(data, shape ?? found, "tensor")
}

function flatten(values: unknown, shape: Shape, depth: number, place: string, out: number[]): void {
  if (depth === shape.length) {
    if (typeof values !== "number") {
      throw dataError({ where: "tensor", what: `${place} is not a number.`, got: show(values) })
    }
    out.push(values)
    return
  }
  if (!Array.isArray(values) || values.length !== shape[depth]) {
    throw dataError({
      where: "tensor",
      what: `the arrays are ragged at ${place === "" ? "the top" : place}.`,
      expected: `an array of ${shape[depth]}`,
      got: show(values),
    })
  }
  for (let i = 0; i < values.length; i++) flatten(values[i], shape, depth + 1, `${place}[${i}]`, out)
}
