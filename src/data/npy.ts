// Reads the header of npy, NumPy's file format: magic bytes, version, length, a Python dictionary, then the elements.
// Works on bytes alone; knows no files.

import { dataError, type ErrorFields, type TrilobiteError } from "../core/errors.ts"
import { formatShape } from "../core/shape.ts"
import { recognise } from "../core/sniff.ts"
import type { DType } from "../core/tensor.ts"

/** What the header of an npy file says; the elements begin after `length` bytes. */
export interface NpyHeader {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly length: number
}

/** NumPy's type codes that are read as they are, and advice for those that are not. */
const types: ReadonlyMap<string, DType> = new Map([
  ["<f4", "float32"],
  ["<i4", "int32"],
  ["|u1", "uint8"],
  ["|b1", "uint8"],
])
const ACCEPTED = "<f4, <i4, |u1 or |b1 (little-endian float32 and int32, uint8, bool)"

/** The longest header that an array of numbers has, by far. */
export const NPY_HEADER = 65_536

/** What the dictionary holds, in any order, as NumPy writes it. */
const ENTRIES = {
  descr: /'descr'\s*:\s*'([^']*)'/,
  fortran: /'fortran_order'\s*:\s*(True|False)/,
  shape: /'shape'\s*:\s*\(([\d\s,]*)\)/,
} as const

/**
 * The header at the start of an npy file's bytes, of which the first `NPY_HEADER` are enough. Versions 1 to 3; row-major
 * arrays of float32, int32, uint8 and bool with at least one dimension. Source: the format's description in NumPy
 * (numpy.lib.format).
 * @throws E_DATA for anything else.
 */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const fail = (what: string, more: Omit<ErrorFields, "what" | "where"> = {}): TrilobiteError => {
    return dataError({ where, what, ...more })
  }
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
  if (magic.some((byte, i) => bytes[i] !== byte)) {
    const hint = recognise(bytes) ?? "Write it with numpy.save."
    throw fail("this is not an npy file.", { expected: "\\x93NUMPY at its start", hint })
  }
  const version = bytes[6] ?? 0
  const begin = version === 1 ? 10 : 12
  if (version < 1 || version > 3)
    throw fail("this version of npy is not read.", { expected: "1 to 3", got: `${version}` })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const cut = "the header is cut short or longer than that of an array."
  if (bytes.length < begin) throw fail(cut)
  const length = begin + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (length > bytes.length) throw fail(cut, { expected: `${length} bytes`, got: `${bytes.length}` })
  const text = String.fromCharCode(...bytes.subarray(begin, Math.min(length, begin + 4096)))
  const descr = ENTRIES.descr.exec(text)?.[1]
  const order = ENTRIES.fortran.exec(text)?.[1]
  const sizes = ENTRIES.shape.exec(text)?.[1]
  if (descr?.includes("O")) {
    const hint = "Save an array of numbers: a pickle may run any code, and is never read."
    throw fail("the file holds pickled objects.", { hint })
  }
  if (descr === undefined || order === undefined || sizes === undefined) {
    throw fail("the header does not say what the array is.", { expected: "descr, fortran_order and shape", got: text })
  }
  const dtype = types.get(descr)
  if (dtype === undefined) {
    const to = /f/.test(descr) ? "float32" : /[iu]/.test(descr) ? "int32" : undefined
    const hint = to === undefined ? {} : { hint: `Save array.astype("${to}") instead.` }
    throw fail("elements of this type are not read.", { expected: ACCEPTED, got: descr, ...hint })
  }
  const shape = sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]))
  if (order === "True" && shape.length > 1) {
    throw fail("the array is column-major (Fortran order).", { hint: "Save numpy.ascontiguousarray(array) instead." })
  }
  const bad = shape.length === 0 || !shape.every((n) => Number.isSafeInteger(n) && n >= 1)
  if (bad) throw fail("the file holds no rows.", { got: formatShape(shape) })
  return { dtype, shape, length }
}
