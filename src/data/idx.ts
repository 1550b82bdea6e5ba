// Reads IDX, the format of MNIST's files: two zero bytes, a type byte, the rank, big-endian sizes, big-endian elements.
// Works on bytes alone; knows no files, no compression and no data set.

import { dataError, type ErrorFields, type TrilobiteError } from "../core/errors.ts"
import { formatShape, type Shape } from "../core/shape.ts"
import { recognise } from "../core/sniff.ts"
import type { DType, Tensor, TypedArray } from "../core/tensor.ts"

/** What the caller knows about a file; a size of −1 (the batch) stands for any number of items. */
export interface IdxExpectation {
  readonly dtype?: DType
  readonly shape?: Shape
}

/** The largest number of dimensions. */
const RANK_LIMIT = 8
/** The largest number of elements: 2^31 − 1. */
const ELEMENT_LIMIT = 2_147_483_647

/** An element type of the format, and how its elements are kept. */
export interface IdxType {
  readonly name: string
  readonly bytes: number
  readonly dtype: DType | undefined
}

/** The format's type bytes. int8 and int16 are widened to int32; float64 would lose digits and is refused. */
const types: ReadonlyMap<number, IdxType> = new Map([
  [0x08, { name: "uint8", bytes: 1, dtype: "uint8" }],
  [0x09, { name: "int8", bytes: 1, dtype: "int32" }],
  [0x0b, { name: "int16", bytes: 2, dtype: "int32" }],
  [0x0c, { name: "int32", bytes: 4, dtype: "int32" }],
  [0x0d, { name: "float32", bytes: 4, dtype: "float32" }],
  [0x0e, { name: "float64", bytes: 8, dtype: undefined }],
])

/** What the header of an IDX file says; the elements begin after `length` bytes. */
export interface IdxHeader {
  readonly type: IdxType
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly length: number
  readonly elements: number
}

/**
 * The tensor in an IDX file's bytes: uint8, int32 (also from int8 and int16) or float32. A uint8 tensor shares the
 * memory of `bytes`; the others are copies. Source: the description of the format at the foot of MNIST's page.
 * @throws E_DATA if the bytes are anything but one complete IDX file, or are not what `expect` says.
 */
export function parseIdx(bytes: Uint8Array, where: string, expect: IdxExpectation = {}): Tensor {
  const header = parseIdxHeader(bytes, where)
  checkExpected(header, expect, where)
  const { type, dtype, shape, length, elements } = header
  const expected = length + elements * type.bytes
  if (bytes.length !== expected) {
    const short = bytes.length < expected
    throw dataError({
      where,
      what: short ? "the file is cut short." : "the file goes on after its last element.",
      expected: `${expected} bytes for ${formatShape(shape)} of ${type.name}`,
      got: `${bytes.length}`,
      hint: short ? "Download or copy the file again." : "Something was appended to it: get the original file.",
    })
  }
  return { dtype, shape, data: elementsOf(bytes, length, type, elements) }
}

/**
 * The header at the start of an IDX file's bytes.
 * @throws E_DATA if it is none, or declares more than `most` elements.
 */
export function parseIdxHeader(bytes: Uint8Array, where: string, most: number = ELEMENT_LIMIT): IdxHeader {
  const fail = (what: string, more: Omit<ErrorFields, "what" | "where"> = {}): TrilobiteError => {
    return dataError({ where, what, ...more })
  }
  const known = recognise(bytes)
  if (bytes.length === 0) throw fail("the file is empty.", { hint: "Was its download or copy cut short?" })
  if (bytes[0] !== 0 || (bytes.length > 1 && bytes[1] !== 0)) {
    const got = `bytes ${[...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, "0")).join(" ")}`
    const hint = known === undefined ? {} : { hint: known }
    throw fail("this is not an IDX file.", { expected: "two zero bytes at its start", got, ...hint })
  }
  const cut = { expected: "4 bytes and 4 more for each dimension", got: `${bytes.length} bytes`, hint: "Get it again." }
  if (bytes.length < 4) throw fail("the header is cut short.", cut)
  const type = types.get(bytes[2]!)
  const accepted = [...types.values()].filter((t) => t.dtype !== undefined).map((t) => t.name)
  if (type?.dtype === undefined) {
    const got = type?.name ?? `type byte 0x${bytes[2]!.toString(16).padStart(2, "0")}`
    const hint = type === undefined ? "Is the file damaged?" : "Convert it to float32 first."
    throw fail("elements of this type are not read.", { expected: `one of ${accepted.join(", ")}`, got, hint })
  }
  const rank = bytes[3]!
  if (rank < 1 || rank > RANK_LIMIT) {
    const expected = `1 to ${RANK_LIMIT} dimensions`
    throw fail("the number of dimensions is out of range.", { expected, got: `${rank}`, hint: "Is the file damaged?" })
  }
  const length = 4 + 4 * rank
  if (bytes.length < length) throw fail("the header is cut short.", cut)
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  if (shape.includes(0)) throw fail("the file holds no elements.", { got: formatShape(shape), hint: "Get it again." })
  // At most 2^32 per factor and checked at every step, so that the product stays exact.
  let elements = 1
  for (const n of shape) {
    elements *= n
    if (elements > most) {
      const expected = `at most ${most}`
      throw fail("the header declares too many elements.", {
        expected,
        got: formatShape(shape),
        hint: "Is it damaged?",
      })
    }
  }
  return { type, dtype: type.dtype, shape, length, elements }
}

function checkExpected(header: IdxHeader, expect: IdxExpectation, where: string): void {
  const { shape, dtype } = header
  const wanted = expect.shape
  if (wanted !== undefined) {
    const fits = wanted.length === shape.length && wanted.every((n, i) => n < 0 || n === shape[i])
    const fields = { expected: formatShape(wanted).replace("batch", "any number"), got: formatShape(shape) }
    if (!fits && shape.length === 1 && wanted.length > 1) {
      const hint = "This looks like a file of labels: were images and labels swapped?"
      throw dataError({ where, what: "this file does not hold images.", ...fields, hint })
    }
    if (!fits && shape.length > 1 && wanted.length === 1) {
      const hint = "This looks like a file of images: were images and labels swapped?"
      throw dataError({ where, what: "this file does not hold labels.", ...fields, hint })
    }
    if (!fits) {
      const hint = "Is this the file that you meant?"
      throw dataError({ where, what: "the data has another shape.", ...fields, hint })
    }
  }
  if (expect.dtype !== undefined && expect.dtype !== dtype) {
    const hint = "Is this the file that you meant?"
    throw dataError({ where, what: "the elements have another type.", expected: expect.dtype, got: dtype, hint })
  }
}

function elementsOf(bytes: Uint8Array, start: number, type: IdxType, n: number): TypedArray {
  if (type.name === "uint8") return new Uint8Array(bytes.buffer, bytes.byteOffset + start, n)
  const view = new DataView(bytes.buffer, bytes.byteOffset + start)
  const out = new Int32Array(n)
  if (type.bytes === 4) for (let i = 0; i < n; i++) out[i] = view.getInt32(4 * i)
  else if (type.bytes === 2) for (let i = 0; i < n; i++) out[i] = view.getInt16(2 * i)
  else for (let i = 0; i < n; i++) out[i] = view.getInt8(i)
  // Float bits go through integers, so that not even a NaN's bits depend on the engine.
  return type.dtype === "float32" ? new Float32Array(out.buffer) : out
}
