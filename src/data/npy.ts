// Reads npy, NumPy's file format: magic bytes, version, length, a Python dictionary, then the elements.
// Works on bytes alone; knows no files.

import { dataError, type ErrorFields, show, type TrilobiteError } from "../core/errors.ts"
import { formatShape } from "../core/shape.ts"
import { recognise } from "../core/sniff.ts"
import type { DType, Tensor, TypedArray } from "../core/tensor.ts"

/** How an element is written: its kind, its bytes, and whether the lowest comes first. */
export interface NpyElement {
  readonly kind: "f" | "i" | "u" | "b"
  readonly bytes: 1 | 2 | 4 | 8
  readonly little: boolean
}

/** What the header of an npy file says; the elements begin after `length` bytes. */
export interface NpyHeader {
  /** NumPy's code of the type. */
  readonly descr: string
  readonly element: NpyElement
  /** Whether columns come first. */
  readonly fortran: boolean
  readonly shape: readonly number[]
  readonly length: number
}

/** NumPy's type codes that are rows as they are in the file. */
const types: ReadonlyMap<string, DType> = new Map([
  ["<f4", "float32"],
  ["<i4", "int32"],
  ["|u1", "uint8"],
  ["|b1", "uint8"],
])
const ACCEPTED = "<f4, <i4, |u1 or |b1 (little-endian float32 and int32, uint8, bool)"

/** The largest number of dimensions, and of elements of an array that is read as a whole. */
const RANK_LIMIT = 8
const ELEMENT_LIMIT = 2_147_483_647

/** The longest header that an array of numbers has, by far. */
export const NPY_HEADER = 65_536

/** The entries of the dictionary as NumPy writes it, in any order. */
const ENTRY = /'descr'\s*:\s*'([^'\\]*)'|'fortran_order'\s*:\s*(True|False)|'shape'\s*:\s*\(([\d\s,]*)\)/g
/** Three entries, and nothing else. */
const DICTIONARY = new RegExp(`^\\{\\s*(?:(?:${ENTRY.source})\\s*,?\\s*){3}\\}$`)

/**
 * The header at the start of an npy file's bytes, of which the first `NPY_HEADER` are enough. Versions 1 to 3. Source: the
 * format's description in NumPy (numpy.lib.format).
 * @throws E_DATA for anything else, for pickled objects, and for elements that are no numbers.
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
  if (length > Math.min(bytes.length, NPY_HEADER))
    throw fail(cut, { expected: `${length} bytes`, got: `${bytes.length}` })
  const text = String.fromCharCode(...bytes.subarray(begin, Math.min(length, begin + 4096))).trim()
  if (/'\|?O\d*'/.test(text)) {
    const hint = "Save an array of numbers: a pickle may run any code, and is never read."
    throw fail("the file holds pickled objects.", { hint })
  }
  const found = DICTIONARY.test(text) ? [...text.matchAll(ENTRY)] : []
  const entry = (i: number): string | undefined => found.find((match) => match[i] !== undefined)?.[i]
  const [descr, order, sizes] = [entry(1), entry(2), entry(3)]
  if (descr === undefined || order === undefined || sizes === undefined) {
    const [expected, hint] = ["descr, fortran_order and shape", "Save an array of numbers with numpy.save."]
    throw fail("the header does not say what the array is.", { expected, got: show(text), hint })
  }
  const element = elementOf(descr)
  if (element === undefined) {
    const hint = 'Save array.astype("float32") instead.'
    throw fail("elements of this type are not read.", { expected: "numbers of up to 64 bits", got: descr, hint })
  }
  const shape = sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]))
  const bad = shape.length > RANK_LIMIT || !shape.every((n) => Number.isSafeInteger(n) && n >= 1)
  if (bad) throw fail("the file holds no rows.", { got: formatShape(shape), hint: "Is this the right array?" })
  return { descr, element, fortran: order === "True", shape, length }
}

function elementOf(descr: string): NpyElement | undefined {
  const [, order, kind, size] = /^([<>|=]?)([fiub])([1248])$/.exec(descr) ?? []
  const bytes = Number(size) as NpyElement["bytes"]
  if (kind === undefined || (kind === "f" && bytes === 1) || (kind === "b" && bytes !== 1)) return undefined
  if (order === "|" && bytes !== 1) return undefined
  return { kind: kind as NpyElement["kind"], bytes, little: order !== ">" }
}

/**
 * The type and the shape of rows that can be used as they are in the file: row-major float32, int32, uint8 or bool.
 * @throws E_DATA for other arrays, with what to save instead.
 */
export function npyRows(
  { descr, element, fortran, shape }: NpyHeader,
  where: string,
): { readonly dtype: DType; readonly shape: readonly number[] } {
  const dtype = types.get(descr)
  if (dtype === undefined) {
    const hint = `Save array.astype("${element.kind === "f" ? "float32" : "int32"}") instead, or read it with readNpy.`
    throw dataError({
      where,
      what: "rows of this type are not read from the file.",
      expected: ACCEPTED,
      got: descr,
      hint,
    })
  }
  if (fortran && shape.length > 1) {
    const hint = "Save numpy.ascontiguousarray(array) instead, or read it with readNpy."
    throw dataError({ where, what: "the array is column-major (Fortran order).", hint })
  }
  if (shape.length > 0) return { dtype, shape }
  throw dataError({
    where,
    what: "the file holds no rows.",
    got: formatShape(shape),
    hint: "Save an array with a dimension.",
  })
}

/**
 * The array in an npy file's bytes: float32 of floats, uint8 of bytes and booleans, int32 of all other integers; in either
 * order of bytes and of dimensions. Uses the bytes' own memory where it can.
 * @throws E_DATA for anything but one complete npy file of numbers, and numbers beyond float32 or int32.
 */
export function parseNpy(bytes: Uint8Array, where: string): Tensor {
  const { element, fortran, shape, length } = parseNpyHeader(
    bytes.length > NPY_HEADER ? bytes.subarray(0, NPY_HEADER) : bytes,
    where,
  )
  let n = 1
  for (const size of shape) {
    if ((n *= size) > ELEMENT_LIMIT) {
      const fields = { expected: `at most ${ELEMENT_LIMIT}`, got: formatShape(shape), hint: "Is it damaged?" }
      throw dataError({ where, what: "the header declares too many elements.", ...fields })
    }
  }
  const expected = length + n * element.bytes
  if (bytes.length !== expected) {
    const short = bytes.length < expected
    throw dataError({
      where,
      what: short ? "the file is cut short." : "the file goes on after its last element.",
      expected: `${expected} bytes for ${formatShape(shape)}`,
      got: `${bytes.length}`,
      hint: short ? "Download, copy or write it again." : "Something was appended to it: get the original file.",
    })
  }
  const data = numbersOf(bytes.subarray(length), element, n, where)
  const dtype = data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "uint8"
  return { dtype, shape, data: fortran && shape.length > 1 ? rowMajor(data, shape) : data }
}

function numbersOf(bytes: Uint8Array, { kind, bytes: size, little }: NpyElement, n: number, where: string): TypedArray {
  if (size === 1 && kind !== "i") return new Uint8Array(bytes.buffer, bytes.byteOffset, n)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (kind === "f") {
    const out = new Float32Array(n)
    for (let i = 0; i < n; i++) {
      const at = i * size
      const value =
        size === 8
          ? view.getFloat64(at, little)
          : size === 4
            ? view.getFloat32(at, little)
            : half(view.getUint16(at, little))
      out[i] = value
      if (size === 8 && Number.isFinite(value) && !Number.isFinite(out[i]!))
        throw beyond(where, i, `${value}`, "float32", "values up to 3.4e38")
    }
    return out
  }
  const out = new Int32Array(n)
  for (let i = 0; i < n; i++) {
    const at = i * size
    if (size === 8) {
      const value = kind === "i" ? view.getBigInt64(at, little) : view.getBigUint64(at, little)
      if (value !== BigInt.asIntN(32, value)) throw beyond(where, i, `${value}`, "int32", "-2147483648 to 2147483647")
      out[i] = Number(value)
    } else if (size === 4) {
      const value = kind === "i" ? view.getInt32(at, little) : view.getUint32(at, little)
      if (value > 0x7fffffff) throw beyond(where, i, `${value}`, "int32", "-2147483648 to 2147483647")
      out[i] = value
    } else if (size === 2) out[i] = kind === "i" ? view.getInt16(at, little) : view.getUint16(at, little)
    else out[i] = view.getInt8(at)
  }
  return out
}

function beyond(where: string, i: number, value: string, dtype: string, expected: string): TrilobiteError {
  const hint = 'Save array.astype("float32") if the digits do not matter.'
  return dataError({
    where: `${where}, element ${i}`,
    what: `the value is beyond ${dtype}.`,
    expected,
    got: value,
    hint,
  })
}

/** The number that 16 bits stand for (IEEE 754 binary16). */
function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  // 2^-24 and 2^(exponent − 25), both exact.
  if (exponent === 0) return (sign * fraction) / 16_777_216
  const power = exponent >= 25 ? 1 << (exponent - 25) : 1 / (1 << (25 - exponent))
  return sign * (1024 + fraction) * power
}

/** Elements whose first index runs fastest, in the order in which the last one does. */
function rowMajor(data: TypedArray, shape: readonly number[]): TypedArray {
  const out = data.slice()
  const strides = shape.map((_, d) => shape.slice(0, d).reduce((a, b) => a * b, 1))
  const index = shape.map(() => 0)
  let from = 0
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from]!
    for (let d = shape.length - 1; d >= 0; d--) {
      from += strides[d]!
      if (++index[d]! < shape[d]!) break
      from -= strides[d]! * shape[d]!
      index[d] = 0
    }
  }
  return out
}
