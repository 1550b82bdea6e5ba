// Writes HDF5 files of groups, attributes of text and whole data sets: the oldest form of the format, which every reader knows.
// Knows no model. Source: HDF5 File Format Specification 3.0, superblock version 0, object headers version 1.

import type { Tensor } from "../core/tensor.ts"
import { bytesOf } from "../core/tensor.ts"

/** A group: what it holds by name, and texts or lists of texts that say something of it. */
export interface Hdf5Group {
  readonly items: ReadonlyMap<string, Hdf5Group | Tensor>
  readonly attributes?: ReadonlyMap<string, string | readonly string[]>
}

const UNDEFINED = 0xffffffffffffffffn
/** Entries of a symbol table node: twice the superblock's leaf K. */
const LEAF_K = 4
/** Children of a node of the tree: twice the superblock's internal K. */
const INTERNAL_K = 16

/** The bytes of a file, as they grow; each piece begins at a multiple of 8. */
class Out {
  readonly pieces: { readonly at: number; readonly bytes: Uint8Array }[] = []
  end = 96

  put(bytes: Uint8Array): number {
    const at = this.end
    this.pieces.push({ at, bytes })
    this.end += Math.ceil(bytes.length / 8) * 8
    return at
  }
}

/** Numbers of a given width, little-endian, one after another: `[width, value]`. */
function record(...fields: readonly (readonly [width: number, value: number | bigint] | Uint8Array)[]): Uint8Array {
  const length = fields.reduce((sum, f) => sum + (f instanceof Uint8Array ? f.length : f[0]), 0)
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  let at = 0
  for (const field of fields) {
    if (field instanceof Uint8Array) {
      out.set(field, at)
      at += field.length
      continue
    }
    const [width, value] = field
    if (width === 8) view.setBigUint64(at, BigInt(value), true)
    else if (width === 4) view.setUint32(at, Number(value), true)
    else if (width === 2) view.setUint16(at, Number(value), true)
    else view.setUint8(at, Number(value))
    at += width
  }
  return out
}

const text = (s: string): Uint8Array => new TextEncoder().encode(s)
const padded = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(Math.ceil(bytes.length / 8) * 8)
  out.set(bytes)
  return out
}

/** The bytes of a file with this root group. The same group gives the same bytes: there are no dates in it. */
export function writeHdf5(root: Hdf5Group): Uint8Array<ArrayBuffer> {
  const out = new Out()
  const { header, tree, heap } = writeGroup(out, root)
  const superblock = record(
    ...[0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].map((b) => [1, b] as const),
    ...[0, 0, 0, 0, 0, 8, 8, 0].map((b) => [1, b] as const),
    ...([[2, LEAF_K], [2, INTERNAL_K], [4, 0], [8, 0], [8, UNDEFINED], [8, out.end], [8, UNDEFINED]] as const), // biome-ignore format: one row
    ...([
      [8, 0],
      [8, header],
      [4, 1],
      [4, 0],
      [8, tree],
      [8, heap],
    ] as const),
  )
  const all = new Uint8Array(out.end)
  all.set(superblock)
  for (const { at, bytes } of out.pieces) all.set(bytes, at)
  return all
}

function writeGroup(out: Out, group: Hdf5Group): { header: number; tree: number; heap: number } {
  const names = [...group.items.keys()].map((name) => ({ name, key: text(name) }))
  names.sort((a, b) => compare(a.key, b.key))
  const children = names.map(({ name }) => {
    const item = group.items.get(name)!
    return "items" in item ? writeGroup(out, item) : { header: writeDataset(out, item), tree: 0, heap: 0 }
  })
  // The heap of names: 8 bytes of nothing, then each name with its zero.
  const places: number[] = []
  let length = 8
  for (const { key } of names) {
    places.push(length)
    length += Math.ceil((key.length + 1) / 8) * 8
  }
  const data = new Uint8Array(length)
  names.forEach(({ key }, i) => void data.set(key, places[i]!))
  const heapData = out.put(data)
  const heap = out.put(record(text("HEAP"), [4, 0], [8, length], [8, 1], [8, heapData]))
  const nodes: { readonly address: number; readonly last: number }[] = []
  for (let from = 0; from < names.length; from += 2 * LEAF_K) {
    const some = names.slice(from, from + 2 * LEAF_K).map((_, i) => from + i)
    const entries = some.map((i) => {
      const { header, tree, heap: own } = children[i]!
      const cached = tree === 0 ? 0 : 1
      return record([8, places[i]!], [8, header], [4, cached], [4, 0], [8, tree], [8, own])
    })
    const node = record(text("SNOD"), [1, 1], [1, 0], [2, some.length], ...entries)
    const whole = new Uint8Array(8 + 40 * 2 * LEAF_K)
    whole.set(node)
    nodes.push({ address: out.put(whole), last: places[some.at(-1)!]! })
  }
  const tree = writeTree(out, nodes, 0)
  const messages = [message(17, record([8, tree], [8, heap]))]
  for (const [name, value] of group.attributes ?? []) messages.push(message(12, attribute(name, value)))
  return { header: out.put(objectHeader(messages)), tree, heap }
}

/** A tree over nodes in the order of names, as many levels as it needs. */
function writeTree(
  out: Out,
  nodes: readonly { readonly address: number; readonly last: number }[],
  level: number,
): number {
  const most = 2 * INTERNAL_K
  const parts: { address: number; last: number }[] = []
  for (let from = 0; from < Math.max(1, nodes.length); from += most) {
    const some = nodes.slice(from, from + most)
    const first = from === 0 ? 0 : nodes[from - 1]!.last
    const keys = some.flatMap(({ address, last }) => [[8, address] as const, [8, last] as const])
    const whole = new Uint8Array(24 + 8 + 16 * most)
    const siblings = [[8, UNDEFINED] as const, [8, UNDEFINED] as const]
    whole.set(record(text("TREE"), [1, 0], [1, level], [2, some.length], ...siblings, [8, first], ...keys))
    parts.push({ address: out.put(whole), last: some.at(-1)?.last ?? 0 })
  }
  return parts.length === 1 ? parts[0]!.address : writeTree(out, parts, level + 1)
}

const compare = (a: Uint8Array, b: Uint8Array): number => {
  const at = a.findIndex((byte, i) => byte !== b[i])
  return at < 0 ? a.length - b.length : a[at]! - (b[at] ?? -1)
}

function message(type: number, body: Uint8Array): Uint8Array {
  const data = padded(body)
  return record([2, type], [2, data.length], [1, 0], [1, 0], [2, 0], data)
}

function objectHeader(messages: readonly Uint8Array[]): Uint8Array {
  const length = messages.reduce((sum, m) => sum + m.length, 0)
  return record([1, 1], [1, 0], [2, messages.length], [4, 1], [4, length], [4, 0], ...messages)
}

const dataspace = (shape: readonly number[]): Uint8Array =>
  record([1, 1], [1, shape.length], [1, 0], [1, 0], [4, 0], ...shape.map((n) => [8, n] as const))

/** IEEE float32, or a whole number of some bytes. */
function datatype(dtype: Tensor["dtype"]): Uint8Array {
  if (dtype === "float32") {
    return record([4, 0x001f2011], [4, 4], [2, 0], [2, 32], [1, 23], [1, 8], [1, 0], [1, 23], [4, 127])
  }
  return record([4, dtype === "int32" ? 0x810 : 0x10], [4, bytesOf[dtype]], [2, 0], [2, 8 * bytesOf[dtype]])
}

function writeDataset(out: Out, { dtype, shape, data }: Tensor): number {
  const width = bytesOf[dtype]
  const raw = new Uint8Array(data.byteLength)
  const view = new DataView(raw.buffer)
  if (width === 1) raw.set(data as Uint8Array)
  else if (dtype === "float32") data.forEach((value, i) => void view.setFloat32(4 * i, value, true))
  else data.forEach((value, i) => void view.setInt32(4 * i, value, true))
  const at = raw.length === 0 ? UNDEFINED : out.put(raw)
  return out.put(
    objectHeader([
      message(1, dataspace(shape)),
      message(3, datatype(dtype)),
      message(5, record([1, 2], [1, 2], [1, 0], [1, 0])),
      message(8, record([1, 3], [1, 1], [8, at], [8, raw.length])),
    ]),
  )
}

/** Text of fixed length, padded with zeros: one, or a list of them. */
function attribute(name: string, value: string | readonly string[]): Uint8Array {
  const values = (typeof value === "string" ? [value] : value).map(text)
  const width = Math.max(1, ...values.map((v) => v.length))
  const data = new Uint8Array(width * values.length)
  values.forEach((v, i) => void data.set(v, i * width))
  const key = padded(record(text(name), [1, 0]))
  // Class 3 (string), padded with zeros, UTF-8.
  const type = record([4, 0x1113], [4, width])
  const space = dataspace(typeof value === "string" ? [] : [values.length])
  return record([1, 1], [1, 0], [2, text(name).length + 1], [2, type.length], [2, space.length], key, padded(type), padded(space), data) // biome-ignore format: one row
}
