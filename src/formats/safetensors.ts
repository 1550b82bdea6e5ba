// Reads and writes safetensors: 8 bytes of header length, a JSON header, then the tensors' elements without gaps.
// Works on bytes alone; knows no model and touches no files. Format: github.com/huggingface/safetensors, README.

import { type ErrorFields, show, TrilobiteError } from "../core/errors.ts"
import { asArray, asCount, asObject, asString, isWellFormed, type JsonObject, parseJson } from "../core/json.ts"
import { formatShape } from "../core/shape.ts"
import { recognise } from "../core/sniff.ts"
import { allocate, bytesOf, type DType, placeOf, type Tensor } from "../core/tensor.ts"

/** What a safetensors file holds: tensors by name, and texts by name. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly metadata: { readonly [key: string]: string }
}

/** The limits that reading and writing enforce: header bytes, tensors, bytes of a name, dimensions, elements. */
export const safetensorsLimits: {
  readonly header: number
  readonly tensors: number
  readonly name: number
  readonly rank: number
  readonly elements: number
} = { header: 16_777_216, tensors: 100_000, name: 512, rank: 8, elements: 2_147_483_647 }

const METADATA = "__metadata__"
const dtypes: ReadonlyMap<string, DType> = new Map([
  ["F32", "float32"],
  ["I32", "int32"],
  ["U8", "uint8"],
])
const codes: { readonly [d in DType]: string | undefined } = {
  float32: "F32",
  int32: "I32",
  uint8: "U8",
  unorm8: undefined,
}
const FORBIDDEN: readonly string[] = ["__proto__", "constructor", "prototype", METADATA]
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

function modelError(fields: ErrorFields): TrilobiteError {
  return new TrilobiteError("E_MODEL", fields)
}

/** The bytes of one tensor, little-endian as the format has them; the same function undoes itself. */
function swapped(bytes: Uint8Array, width: number): Uint8Array {
  if (!littleEndian && width > 1) for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse()
  return bytes
}

/**
 * The safetensors file of some tensors and texts. The same input gives the same bytes: names are sorted in the header;
 * elements are laid out 4-byte types first, then by name, so that all are aligned; the header is padded to 8 bytes.
 * @throws E_MODEL for a name that cannot be stored, data that does not fill its shape, or NaN and Infinity.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor> | { readonly [name: string]: Tensor },
  metadata: { readonly [key: string]: string } = {},
): Uint8Array<ArrayBuffer> {
  const list = [...(tensors instanceof Map ? tensors : Object.entries(tensors))] as [string, Tensor][]
  if (list.length > safetensorsLimits.tensors) throw tooMany("safetensors", list.length)
  for (const [name, tensor] of list) checkTensor(name, tensor)
  list.sort(([a, s], [b, t]) => bytesOf[t.dtype] - bytesOf[s.dtype] || (a < b ? -1 : 1))
  const entries: [string, string][] = []
  let end = 0
  for (const [name, { dtype, shape, data }] of list) {
    const begin = end
    end += data.byteLength
    const text = `{"dtype":"${codes[dtype]}","shape":[${shape.join(",")}],"data_offsets":[${begin},${end}]}`
    entries.push([name, text])
  }
  const texts = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [key, value] of texts) checkText(key, value)
  const quoted = texts.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
  if (quoted.length > 0) entries.push([METADATA, `{${quoted.join(",")}}`])
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  const header = new TextEncoder().encode(`{${entries.map(([k, v]) => `${JSON.stringify(k)}:${v}`).join(",")}}`)
  const length = Math.ceil(header.length / 8) * 8
  if (length > safetensorsLimits.header) throw tooLong("safetensors", length)
  const out = new Uint8Array(8 + length + end)
  new DataView(out.buffer).setUint32(0, length, true)
  out.fill(0x20, 8, 8 + length).set(header, 8)
  let at = 8 + length
  for (const [, { dtype, data }] of list) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    swapped(out.subarray(at, (at += data.byteLength)), bytesOf[dtype])
  }
  return out
}

function checkTensor(name: string, tensor: Tensor): void {
  checkName(name, "safetensors")
  const where = `safetensors, tensor ${show(name)}`
  const { dtype, shape, data } = tensor
  const n = shape.reduce((a, b) => a * b, 1)
  const whole = shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  if (!whole || shape.length > safetensorsLimits.rank || n > safetensorsLimits.elements) {
    const expected = `up to ${safetensorsLimits.rank} whole sizes, ${safetensorsLimits.elements} elements`
    throw modelError({ where, what: "this shape cannot be stored.", expected, got: show(shape) })
  }
  if (data.length !== n) {
    throw modelError({
      where,
      what: "the data does not fill its shape.",
      expected: `${n} elements`,
      got: `${data.length}`,
    })
  }
  if (codes[dtype] === undefined) {
    const expected = [...dtypes.values()].join(", ")
    throw modelError({ where, what: "the format has no such element type.", expected, got: dtype })
  }
  if (dtype !== "float32") return
  let bad = 0
  while (bad < n && Number.isFinite(data[bad]!)) bad++
  if (bad === n) return
  const what = `the value at ${placeOf(bad, shape) || "[]"} is ${data[bad]}.`
  throw modelError({ where, what, expected: "finite values", hint: "Training has diverged: lower the learning rate." })
}

function checkText(key: string, value: string): void {
  const where = `safetensors, metadata ${show(key)}`
  if (FORBIDDEN.includes(key)) throw modelError({ where, what: "this key is not allowed.", hint: "Choose another." })
  if (typeof value !== "string") throw modelError({ where, what: "metadata is text.", got: show(value) })
  if (!isWellFormed(key + value))
    throw modelError({ where, what: "this text is not valid Unicode.", hint: "It holds half of a surrogate pair." })
}

function checkName(name: string, where: string): void {
  const bytes = name.length > safetensorsLimits.name ? name.length : new TextEncoder().encode(name).length
  const what = "a tensor's name cannot be stored or read."
  const expected = `1 to ${safetensorsLimits.name} bytes without control characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be refused
  const odd = /[\u0000-\u001f\u007f-\u009f]/.test(name) || !isWellFormed(name)
  if (name === "" || bytes > safetensorsLimits.name || odd || FORBIDDEN.includes(name)) {
    throw modelError({ where, what, expected, got: show(name) })
  }
}

function tooMany(where: string, n: number): TrilobiteError {
  return modelError({ where, what: "too many tensors.", expected: `at most ${safetensorsLimits.tensors}`, got: `${n}` })
}

function tooLong(where: string, bytes: number, hint?: string): TrilobiteError {
  const expected = `at most ${safetensorsLimits.header} bytes`
  const advice = hint === undefined ? {} : { hint }
  return modelError({ where, what: "the header is too long.", expected, got: `${bytes}`, ...advice })
}

/**
 * The tensors and texts in a safetensors file's bytes; tensors are copies, in the order of their names. Nothing is
 * allocated from a declared size before the file's own length has confirmed it.
 * @throws E_MODEL if anything in the file breaks the format, or its limits, or is of a type other than F32, I32, U8.
 */
export function readSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const length = headerLength(bytes, where)
  const start = 8 + length
  const header = parseHeader(bytes.subarray(8, start), where)
  const names = Object.keys(header)
    .filter((name) => name !== METADATA)
    .sort()
  if (names.length > safetensorsLimits.tensors) throw tooMany(where, names.length)
  const entries = names.map((name) => parseEntry(name, header, where))
  checkLayout(entries, bytes.length - start, where)
  const tensors = new Map<string, Tensor>()
  for (const { name, dtype, shape, elements, begin, end } of entries) {
    const data = allocate(dtype, elements)
    const raw = new Uint8Array(data.buffer)
    raw.set(bytes.subarray(start + begin, start + end))
    swapped(raw, bytesOf[dtype])
    tensors.set(name, { dtype, shape, data })
  }
  return { tensors, metadata: parseMetadata(header, where) }
}

function headerLength(bytes: Uint8Array, where: string): number {
  const known = recognise(bytes)
  const hint = known ?? "Is the file complete, and a safetensors file?"
  if (bytes.length < 8) {
    const expected = "8 bytes of header length at least"
    throw modelError({ where, what: "the file is too short.", expected, got: `${bytes.length} bytes`, hint })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8)
  const length = view.getUint32(4, true) * 4_294_967_296 + view.getUint32(0, true)
  if (length === 0) throw modelError({ where, what: "the header is empty.", hint })
  if (length > safetensorsLimits.header) throw tooLong(where, length, hint)
  if (length > bytes.length - 8) {
    const got = `${bytes.length - 8} bytes`
    throw modelError({ where, what: "the file ends within its header.", expected: `${length} bytes`, got, hint })
  }
  if (bytes[8] !== 0x7b) throw modelError({ where, what: 'the header does not start with "{".', hint })
  return length
}

function parseHeader(bytes: Uint8Array, where: string): JsonObject {
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw modelError({ where, what: "the header is not valid UTF-8.", hint: "Is the file damaged?" })
  }
  // An object of objects of lists, and nothing deeper; the offsets in messages count from the header's start.
  const limits = { depth: 64, length: safetensorsLimits.header }
  return asObject(parseJson(text, `${where}, header`, limits, "E_MODEL"), `${where}, header`, "E_MODEL")
}

interface Entry {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly elements: number
  readonly begin: number
  readonly end: number
}

function parseEntry(name: string, header: JsonObject, file: string): Entry {
  checkName(name, file)
  const where = `${file}, tensor ${show(name)}`
  const entry = asObject(header[name]!, where, "E_MODEL")
  const keys = Object.keys(entry).sort().join(", ")
  if (keys !== "data_offsets, dtype, shape") {
    throw modelError({
      where,
      what: "a tensor has exactly these keys.",
      expected: "data_offsets, dtype, shape",
      got: show(keys),
    })
  }
  const code = asString(entry.dtype!, `${where}, dtype`, "E_MODEL")
  const dtype = dtypes.get(code)
  if (dtype === undefined) {
    const expected = `one of ${[...dtypes.keys()].join(", ")}`
    throw modelError({
      where,
      what: "elements of this type are not read.",
      expected,
      got: show(code),
      hint: "Convert it to F32.",
    })
  }
  const shape = asArray(entry.shape!, `${where}, shape`, "E_MODEL").map((n) => asCount(n, `${where}, shape`, "E_MODEL"))
  if (shape.length > safetensorsLimits.rank) {
    throw modelError({
      where,
      what: "too many dimensions.",
      expected: `at most ${safetensorsLimits.rank}`,
      got: `${shape.length}`,
    })
  }
  // A zero anywhere makes a tensor empty; otherwise the product is checked at every step, so that it stays exact.
  let elements = shape.includes(0) ? 0 : 1
  for (const n of shape) {
    if ((elements *= n) > safetensorsLimits.elements) {
      const expected = `at most ${safetensorsLimits.elements}`
      throw modelError({ where, what: "too many elements.", expected, got: formatShape(shape) })
    }
  }
  const offsets = asArray(entry.data_offsets!, `${where}, data_offsets`, "E_MODEL")
  const [begin, end] = offsets.map((n) => asCount(n, `${where}, data_offsets`, "E_MODEL"))
  if (offsets.length !== 2 || begin === undefined || end === undefined || begin > end) {
    throw modelError({ where, what: "the offsets make no sense.", expected: "[begin, end]", got: show(offsets) })
  }
  if (end - begin !== elements * bytesOf[dtype]) {
    const expected = `${elements * bytesOf[dtype]} bytes for ${formatShape(shape)} of ${code}`
    throw modelError({ where, what: "the offsets do not fit the shape.", expected, got: `${end - begin}` })
  }
  return { name, dtype, shape, elements, begin, end }
}

/** Every byte after the header belongs to exactly one tensor: otherwise a file could hide a second one. */
function checkLayout(entries: readonly Entry[], length: number, file: string): void {
  let at = 0
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const where = `${file}, tensor ${show(name)}`
    if (begin !== at) {
      const what = begin < at ? "its data overlaps another tensor's." : "there is a hole before its data."
      throw modelError({ where, what, expected: `offset ${at}`, got: `${begin}`, hint: "Is the file damaged?" })
    }
    if (end > length) {
      const fields = { expected: `at most ${length}`, got: `${end}`, hint: "Copy or download the file again." }
      throw modelError({ where, what: "its data ends beyond the file.", ...fields })
    }
    at = end
  }
  if (at === length) return
  const hint = "Something was appended to it: get the original file."
  throw modelError({
    where: file,
    what: "the file goes on after its last tensor.",
    expected: `${at} bytes of data`,
    got: `${length}`,
    hint,
  })
}

function parseMetadata(header: JsonObject, where: string): { [key: string]: string } {
  const out = Object.create(null) as { [key: string]: string }
  if (header[METADATA] === undefined) return out
  for (const [key, value] of Object.entries(asObject(header[METADATA], `${where}, ${METADATA}`, "E_MODEL"))) {
    out[key] = asString(value, `${where}, ${METADATA} ${show(key)}`, "E_MODEL")
  }
  return out
}
