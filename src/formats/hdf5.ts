// Reads HDF5 files of groups, attributes and whole data sets, strictly: what h5py and Keras write, and nothing that leads out of the
// file. Knows no model. Source: HDF5 File Format Specification 3.0.
// Links to other files, soft links, external storage, virtual data sets, unknown filters and cycles are refused; every size is
// checked against the file before anything is allocated.

import { type ErrorFields, show, TrilobiteError } from "../core/errors.ts"
import { type DType, elements, type Tensor } from "../core/tensor.ts"
import { inflate } from "../core/zip.ts"

/** A data set: its shape and type, and its values when asked for. */
export interface Hdf5Dataset {
  readonly kind: "dataset"
  readonly shape: readonly number[]
  /** The values: float32 of any floating-point numbers, int32 of whole numbers of up to 32 bits. */
  read(): Promise<Tensor>
}

/** A group: groups and data sets by name, and the texts that say something of it. */
export interface Hdf5File {
  readonly kind: "group"
  readonly items: ReadonlyMap<string, Hdf5File | Hdf5Dataset>
  readonly attributes: ReadonlyMap<string, string | readonly string[]>
}

/** The limits of reading: groups and data sets, depth, bytes of a name, dimensions, values of a data set, steps in all. */
export const hdf5Limits: {
  readonly objects: number
  readonly depth: number
  readonly name: number
  readonly rank: number
  readonly elements: number
  readonly ratio: number
} = { objects: 100_000, depth: 64, name: 512, rank: 8, elements: 2_147_483_647, ratio: 1000 }

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

/** True if the bytes begin as an HDF5 file does. */
export function isHdf5(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte)
}

interface Message {
  readonly type: number
  readonly at: number
  readonly end: number
}

interface Datatype {
  readonly kind: "float" | "integer" | "text" | "texts elsewhere" | "other"
  readonly size: number
  readonly bigEndian: boolean
  readonly signed: boolean
}

/** The root group of a file, with all that is below it; values are read when asked for. Throws E_MODEL. */
export function openHdf5(bytes: Uint8Array, where: string): Hdf5File {
  return new Reader(bytes, where).open()
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #where: string
  readonly #seen = new Set<number>()
  /** Bytes that may still be looked at: what points to itself comes to an end here. */
  #budget: number

  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#where = where
    this.#budget = 4 * bytes.length + 65_536
  }

  #fail(what: string, more: Omit<ErrorFields, "what"> = {}): never {
    throw new TrilobiteError("E_MODEL", { where: `${this.#where}, HDF5`, what, ...more })
  }

  /** Throws unless the bytes are in the file. */
  #need(at: number, n: number): void {
    this.#budget -= n
    if (!Number.isSafeInteger(at) || at < 0 || n < 0 || at + n > this.#bytes.length) {
      this.#fail("an address lies outside the file.", { hint: "Is the file complete?" })
    }
    if (this.#budget < 0) this.#fail("the file points to the same places again and again.")
  }

  #u8(at: number): number {
    this.#need(at, 1)
    return this.#view.getUint8(at)
  }

  #u16(at: number): number {
    this.#need(at, 2)
    return this.#view.getUint16(at, true)
  }

  #u32(at: number): number {
    this.#need(at, 4)
    return this.#view.getUint32(at, true)
  }

  /** An address or a length; undefined for "none". */
  #u64(at: number): number | undefined {
    this.#need(at, 8)
    const value = this.#view.getBigUint64(at, true)
    if (value === 0xffffffffffffffffn) return undefined
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.#fail("a number is too large.")
    return Number(value)
  }

  #size(at: number): number {
    return this.#u64(at) ?? this.#fail("a size is missing.")
  }

  #expect(at: number, signature: string): void {
    this.#need(at, signature.length)
    const found = String.fromCharCode(...this.#bytes.subarray(at, at + signature.length))
    if (found !== signature) this.#fail("a part of the file is damaged.", { expected: signature, got: show(found) })
  }

  open(): Hdf5File {
    if (!isHdf5(this.#bytes)) this.#fail("this is no HDF5 file.")
    const version = this.#u8(8)
    if (version > 3) this.#fail("this version is not known.", { expected: "0 to 3", got: `${version}` })
    const old = version < 2
    const sizes = old ? 13 : 9
    if (this.#u8(sizes) !== 8 || this.#u8(sizes + 1) !== 8) this.#fail("addresses of other than 8 bytes are not read.")
    const base = old ? (version === 0 ? 24 : 28) : 12
    if (this.#u64(base) !== 0) this.#fail("something lies before the file.")
    const end = this.#size(base + 16)
    if (end > this.#bytes.length) {
      this.#fail("the file has been cut off.", { expected: `${end} bytes`, got: `${this.#bytes.length}` })
    }
    if (end < this.#bytes.length) this.#fail("something lies behind the file.", { expected: `${end} bytes`, got: `${this.#bytes.length}` }) // biome-ignore format: one row
    const root = this.#object(this.#size(old ? base + 40 : base + 24), "", 0)
    return root.kind === "group" ? root : this.#fail("its root is no group.")
  }

  #object(at: number, path: string, depth: number): Hdf5File | Hdf5Dataset {
    if (this.#seen.has(at)) this.#fail(`${show(path)} is a second link to something, or a link to what it is in.`)
    this.#seen.add(at)
    if (this.#seen.size > hdf5Limits.objects || depth > hdf5Limits.depth) this.#fail("too many groups within groups.")
    const messages = this.#messages(at)
    const of = (type: number): Message[] => messages.filter((m) => m.type === type)
    if (of(7).length > 0) this.#fail(`the values of ${show(path)} are in other files.`)
    if (of(1).length > 0) return this.#dataset(path, of)
    const items = new Map<string, Hdf5File | Hdf5Dataset>()
    for (const [name, address] of this.#links(of, path)) {
      if (items.has(name)) this.#fail(`${show(name)} occurs twice.`)
      items.set(name, this.#object(address, `${path}/${name}`, depth + 1))
    }
    const attributes = new Map<string, string | readonly string[]>()
    for (const m of of(12)) {
      const found = this.#attribute(m)
      if (found !== undefined) attributes.set(found[0], found[1])
    }
    return { kind: "group", items, attributes }
  }

  /** The messages of an object's header, in either version. */
  #messages(at: number): Message[] {
    const messages: Message[] = []
    const modern = this.#bytes[at] === 0x4f
    const blocks: { at: number; length: number }[] = []
    let most = Number.POSITIVE_INFINITY
    let head = 8
    if (modern) {
      this.#expect(at, "OHDR")
      const flags = this.#u8(at + 5)
      let begin = at + 6
      if (flags & 32) begin += 16
      if (flags & 16) begin += 4
      const width = 1 << (flags & 3)
      const length = width === 8 ? this.#size(begin) : width === 4 ? this.#u32(begin) : width === 2 ? this.#u16(begin) : this.#u8(begin) // biome-ignore format: one row
      blocks.push({ at: begin + width, length })
      head = flags & 4 ? 6 : 4
    } else {
      if (this.#u8(at) !== 1) this.#fail("the header of an object is damaged.")
      most = this.#u16(at + 2)
      blocks.push({ at: at + 16, length: this.#u32(at + 8) })
    }
    for (let b = 0; b < blocks.length; b++) {
      let { at: from, length } = blocks[b]!
      this.#need(from, length)
      if (blocks.length > 1000) this.#fail("the header of an object has too many parts.")
      const end = from + length
      while (from + head <= end && messages.length < most) {
        const type = modern ? this.#u8(from) : this.#u16(from)
        const size = this.#u16(from + (modern ? 1 : 2))
        const flags = this.#u8(from + (modern ? 3 : 4))
        const body = from + head
        if (body + size > end) this.#fail("the header of an object is damaged.")
        if (flags & 2 && type !== 0) this.#fail("a part of an object's header is stored elsewhere.")
        if (type === 16) {
          const next = this.#size(body)
          const bytes = this.#size(body + 8)
          if (!modern) blocks.push({ at: next, length: bytes })
          else {
            this.#expect(next, "OCHK")
            blocks.push({ at: next + 4, length: bytes - 8 })
          }
        }
        messages.push({ type, at: body, end: body + size })
        from = body + size
      }
    }
    return messages
  }

  *#links(of: (type: number) => readonly Message[], path: string): Generator<readonly [name: string, address: number]> {
    for (const { at } of of(17)) {
      const heap = this.#size(at + 8)
      this.#expect(heap, "HEAP")
      const names = { at: this.#size(heap + 24), length: this.#size(heap + 8) }
      yield* this.#tree(this.#size(at), names, undefined, path)
    }
    for (const m of of(6)) yield this.#link(m, path)
    for (const { at } of of(2)) {
      const heap = this.#u64(at + 2 + (this.#u8(at + 1) & 1 ? 8 : 0))
      if (heap !== undefined)
        this.#fail("groups with links in a heap are not read.", { hint: "Write it again with h5py." })
    }
  }

  *#tree(
    at: number,
    names: { readonly at: number; readonly length: number },
    level: number | undefined,
    path: string,
  ): Generator<readonly [string, number]> {
    this.#expect(at, "TREE")
    const own = this.#u8(at + 5)
    if (this.#u8(at + 4) !== 0 || (level !== undefined && own !== level) || own > 16) {
      this.#fail("the tree of a group is damaged.")
    }
    const used = this.#u16(at + 6)
    for (let i = 0; i < used; i++) {
      const child = this.#size(at + 32 + 16 * i)
      if (own > 0) yield* this.#tree(child, names, own - 1, path)
      else yield* this.#symbols(child, names, path)
    }
  }

  *#symbols(
    at: number,
    names: { readonly at: number; readonly length: number },
    path: string,
  ): Generator<readonly [string, number]> {
    this.#expect(at, "SNOD")
    const used = this.#u16(at + 6)
    for (let i = 0; i < used; i++) {
      const entry = at + 8 + 40 * i
      const place = this.#size(entry)
      if (place >= names.length) this.#fail("a name lies outside its heap.")
      const name = this.#name(names.at + place, names.length - place)
      if (this.#u32(entry + 16) === 2) this.#fail(`${show(`${path}/${name}`)} is a soft link.`)
      yield [name, this.#size(entry + 8)]
    }
  }

  #name(at: number, most: number): string {
    this.#need(at, Math.min(most, hdf5Limits.name + 1))
    const bytes = this.#bytes.subarray(at, at + Math.min(most, hdf5Limits.name + 1))
    const end = bytes.indexOf(0)
    return this.#text(end < 0 ? this.#fail("a name is too long.") : bytes.subarray(0, end))
  }

  #text(bytes: Uint8Array): string {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    } catch {
      return this.#fail("a text is not valid UTF-8.")
    }
  }

  /** A link in a message of its own, as newer files have them. */
  #link({ at, end }: Message, path: string): readonly [string, number] {
    const flags = this.#u8(at + 1)
    let place = at + 2
    const kind = flags & 8 ? this.#u8(place++) : 0
    if (flags & 4) place += 8
    if (flags & 16) place++
    const width = 1 << (flags & 3)
    const length = width === 1 ? this.#u8(place) : width === 2 ? this.#u16(place) : this.#u32(place)
    place += width
    if (length > hdf5Limits.name || place + length > end) this.#fail("a name is too long.")
    const name = this.#text(this.#bytes.subarray(place, place + length))
    if (kind !== 0) this.#fail(`${show(`${path}/${name}`)} is a ${kind === 1 ? "soft link" : "link to another file"}.`)
    return [name, this.#size(place + length)]
  }

  #shape(at: number): number[] {
    const version = this.#u8(at)
    const rank = this.#u8(at + 1)
    if ((version !== 1 && version !== 2) || rank > hdf5Limits.rank)
      this.#fail("a shape is damaged or has too many axes.")
    if (version === 2 && this.#u8(at + 3) === 2) return [0]
    const from = at + (version === 1 ? 8 : 4)
    return Array.from({ length: rank }, (_, i) => this.#size(from + 8 * i))
  }

  #datatype(at: number): Datatype {
    const first = this.#u8(at)
    const bits = this.#u8(at + 1)
    const size = this.#u32(at + 4)
    const named = { size, bigEndian: (bits & 1) === 1, signed: (bits & 8) !== 0 }
    const kind = first & 15
    if (kind === 1 && [2, 4, 8].includes(size) && !(bits & 64)) return { kind: "float", ...named }
    if (kind === 0 && [1, 2, 4, 8].includes(size)) return { kind: "integer", ...named }
    if (kind === 3) return { kind: "text", ...named }
    if (kind === 9 && (bits & 15) === 1) return { kind: "texts elsewhere", ...named }
    return { kind: "other", ...named }
  }

  /** A text or a list of texts; anything else is not asked for. */
  #attribute({ at, end }: Message): readonly [string, string | readonly string[]] | undefined {
    const version = this.#u8(at)
    if (version < 1 || version > 3) this.#fail("an attribute is damaged.")
    const [nameLength, typeLength, spaceLength] = [2, 4, 6].map((o) => this.#u16(at + o)) as [number, number, number]
    const round = (n: number): number => (version === 1 ? Math.ceil(n / 8) * 8 : n)
    let place = at + (version === 3 ? 9 : 8)
    if (place + round(nameLength) + round(typeLength) + round(spaceLength) > end) this.#fail("an attribute is damaged.")
    const name = this.#name(place, nameLength)
    place += round(nameLength)
    const type = this.#datatype(place)
    place += round(typeLength)
    const shape = this.#shape(place)
    place += round(spaceLength)
    if (type.kind !== "text" && type.kind !== "texts elsewhere") return undefined
    const count = shape.reduce((a, b) => a * b, 1)
    if (type.size < 1 || count * type.size > end - place) this.#fail("an attribute is damaged.")
    const values = Array.from({ length: count }, (_, i) => {
      const from = place + i * type.size
      if (type.kind === "texts elsewhere") return this.#heapText(from)
      this.#need(from, type.size)
      const bytes = this.#bytes.subarray(from, from + type.size)
      const stop = bytes.indexOf(0)
      return this.#text(stop < 0 ? bytes : bytes.subarray(0, stop))
    })
    return [name, shape.length === 0 ? values[0]! : values]
  }

  /** A text of any length: its length, and its number in a heap. */
  #heapText(at: number): string {
    const length = this.#u32(at)
    if (length === 0) return ""
    const heap = this.#size(at + 4)
    const wanted = this.#u32(at + 12)
    this.#expect(heap, "GCOL")
    const end = heap + this.#size(heap + 8)
    let place = heap + 16
    while (place + 16 <= end) {
      const number = this.#u16(place)
      const size = this.#size(place + 8)
      if (number === 0) break
      if (number === wanted) {
        if (length > size || place + 16 + size > end) break
        this.#need(place + 16, length)
        return this.#text(this.#bytes.subarray(place + 16, place + 16 + length))
      }
      place += 16 + Math.ceil(size / 8) * 8
    }
    return this.#fail("a text is missing.")
  }

  #dataset(path: string, of: (type: number) => readonly Message[]): Hdf5Dataset {
    const [space, kind, layout] = [of(1)[0], of(3)[0], of(8)[0]]
    if (space === undefined || kind === undefined || layout === undefined) this.#fail(`${show(path)} is damaged.`)
    const shape = this.#shape(space.at)
    const type = this.#datatype(kind.at)
    const count = shape.includes(0) ? 0 : shape.reduce((a, b) => (a * b > hdf5Limits.elements ? Number.POSITIVE_INFINITY : a * b), 1) // biome-ignore format: one row
    const declared = count * type.size
    if (count > hdf5Limits.elements || declared > hdf5Limits.ratio * this.#bytes.length) {
      this.#fail(`${show(path)} declares more than the file can hold.`, { got: `the shape [${shape.join(", ")}]` })
    }
    return {
      kind: "dataset",
      shape,
      read: async () => {
        if (type.kind !== "float" && type.kind !== "integer") {
          this.#fail(`the values of ${show(path)} are of a type that is not read.`, { expected: "numbers" })
        }
        this.#budget = Math.max(this.#budget, 0) + 2 * declared + 65_536
        const raw = await this.#values(layout, of(11)[0], shape, type.size, declared, path)
        const { dtype, data } = this.#numbers(raw, type, path)
        return { dtype, shape, data: elements(dtype, data) }
      },
    }
  }

  /** The bytes of a data set, whole. */
  async #values(
    { at, end }: Message,
    filters: Message | undefined,
    shape: readonly number[],
    width: number,
    bytes: number,
    path: string,
  ): Promise<Uint8Array> {
    const version = this.#u8(at)
    const layout = this.#u8(at + 1)
    if (version < 3 || version > 4) this.#fail(`${show(path)} is stored in a way that is not read.`)
    if (layout === 0) {
      const size = this.#u16(at + 2)
      if (size !== bytes || at + 4 + size > end) this.#fail(`the values of ${show(path)} do not fill its shape.`)
      return this.#bytes.subarray(at + 4, at + 4 + size)
    }
    if (layout === 1) {
      const from = this.#u64(at + 2)
      if (from === undefined) return bytes === 0 ? new Uint8Array(0) : this.#fail(`${show(path)} has no values.`)
      if (this.#size(at + 10) !== bytes) this.#fail(`the values of ${show(path)} do not fill its shape.`)
      this.#need(from, bytes)
      return this.#bytes.subarray(from, from + bytes)
    }
    if (layout !== 2 || version !== 3) {
      this.#fail(`${show(path)} is ${layout === 3 ? "a virtual data set" : "stored in a way that is not read"}.`)
    }
    const rank = this.#u8(at + 2) - 1
    const tree = this.#u64(at + 3)
    if (rank !== shape.length || rank < 1) this.#fail(`the pieces of ${show(path)} have another number of axes.`)
    const piece = shape.map((_, i) => this.#u32(at + 11 + 4 * i))
    const size = piece.reduce((a, b) => a * b, width)
    if (size < 1 || size > hdf5Limits.ratio * this.#bytes.length)
      this.#fail(`the pieces of ${show(path)} are too large.`)
    if (tree === undefined) this.#fail(`${show(path)} has no values.`)
    const steps = filters === undefined ? [] : this.#filters(filters)
    const out = new Uint8Array(bytes)
    let missing = shape.reduce((n, length, i) => n * Math.ceil(length / piece[i]!), 1)
    for (const chunk of this.#chunks(tree, rank, undefined)) {
      const data = await this.#chunk(chunk, steps, size, width, path)
      place(out, shape, data, piece, chunk.offset, width)
      missing--
    }
    return missing === 0 ? out : this.#fail(`pieces of ${show(path)} are missing.`)
  }

  *#chunks(at: number, rank: number, level: number | undefined): Generator<Chunk> {
    this.#expect(at, "TREE")
    const own = this.#u8(at + 5)
    if (this.#u8(at + 4) !== 1 || (level !== undefined && own !== level) || own > 16) {
      this.#fail("the tree of a data set is damaged.")
    }
    const used = this.#u16(at + 6)
    const step = 8 + 8 * (rank + 1) + 8
    for (let i = 0; i < used; i++) {
      const key = at + 24 + step * i
      const child = this.#size(key + step - 8)
      if (own > 0) yield* this.#chunks(child, rank, own - 1)
      else {
        const offset = Array.from({ length: rank }, (_, d) => this.#size(key + 8 + 8 * d))
        yield { at: child, length: this.#u32(key), mask: this.#u32(key + 4), offset }
      }
    }
  }

  #filters({ at }: Message): number[] {
    const version = this.#u8(at)
    const count = this.#u8(at + 1)
    if (version < 1 || version > 2 || count > 8) this.#fail("filters are damaged.")
    let place = at + (version === 1 ? 8 : 2)
    return Array.from({ length: count }, () => {
      const id = this.#u16(place)
      const named = version === 1 || id > 255
      const name = named ? this.#u16(place + 2) : 0
      const values = this.#u16(place + (named ? 6 : 4))
      place += (named ? 8 : 6) + (version === 1 ? Math.ceil(name / 8) * 8 : name)
      place += 4 * (version === 1 ? values + (values % 2) : values)
      if (id < 1 || id > 3)
        this.#fail("a filter is not known.", { expected: "deflate, shuffle, fletcher32", got: `${id}` })
      return id
    })
  }

  async #chunk(
    chunk: Chunk,
    filters: readonly number[],
    size: number,
    width: number,
    path: string,
  ): Promise<Uint8Array> {
    this.#need(chunk.at, chunk.length)
    let data: Uint8Array = this.#bytes.subarray(chunk.at, chunk.at + chunk.length)
    for (let i = filters.length - 1; i >= 0; i--) {
      if ((chunk.mask >> i) & 1) continue
      if (filters[i] === 3) data = data.subarray(0, Math.max(0, data.length - 4))
      else if (filters[i] === 2) data = unshuffled(data, width)
      else data = (await inflate(data, size + 4, "deflate")) ?? this.#fail(`a piece of ${show(path)} is damaged.`)
    }
    return data.length === size ? data : this.#fail(`a piece of ${show(path)} is damaged.`)
  }

  #numbers(raw: Uint8Array, type: Datatype, path: string): { readonly dtype: DType; readonly data: Uint8Array } {
    const { kind, size, bigEndian, signed } = type
    const count = raw.length / size
    const out = new Uint8Array(count * 4)
    const [from, to] = [new DataView(raw.buffer, raw.byteOffset, raw.byteLength), new DataView(out.buffer)]
    const littleHere = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
    const little = !bigEndian
    for (let i = 0; i < count; i++) {
      const at = i * size
      if (kind === "float") {
        const value = size === 4 ? from.getFloat32(at, little) : size === 8 ? from.getFloat64(at, little) : half(from.getUint16(at, little)) // biome-ignore format: one row
        to.setFloat32(4 * i, value, littleHere)
        continue
      }
      const value =
        size === 8
          ? Number(signed ? from.getBigInt64(at, little) : from.getBigUint64(at, little))
          : size === 4
            ? signed
              ? from.getInt32(at, little)
              : from.getUint32(at, little)
            : size === 2
              ? signed
                ? from.getInt16(at, little)
                : from.getUint16(at, little)
              : signed
                ? from.getInt8(at)
                : from.getUint8(at)
      if (value !== (value | 0)) this.#fail(`a whole number of ${show(path)} is too large.`, { got: `${value}` })
      to.setInt32(4 * i, value, littleHere)
    }
    return { dtype: kind === "float" ? "float32" : "int32", data: out }
  }
}

interface Chunk {
  readonly at: number
  readonly length: number
  /** Which filters were left out. */
  readonly mask: number
  readonly offset: readonly number[]
}

/** Copies the part of a piece that lies within the whole, a run of the last axis at a time. */
function place(
  out: Uint8Array,
  shape: readonly number[],
  data: Uint8Array,
  piece: readonly number[],
  offset: readonly number[],
  width: number,
): void {
  const rank = shape.length
  if (offset.some((begin, i) => begin >= shape[i]!)) return
  const run = Math.min(piece[rank - 1]!, shape[rank - 1]! - offset[rank - 1]!) * width
  const rows = data.length / (piece[rank - 1]! * width)
  const index = new Array<number>(rank).fill(0)
  for (let r = 0; r < rows; r++) {
    let target = 0
    let inside = true
    for (let d = 0; d < rank; d++) {
      const i = offset[d]! + index[d]!
      if (i >= shape[d]!) inside = false
      target = target * shape[d]! + i
    }
    const from = r * piece[rank - 1]! * width
    if (inside) out.set(data.subarray(from, from + run), target * width)
    for (let d = rank - 2; d >= 0; d--) {
      if (++index[d]! < piece[d]!) break
      index[d] = 0
    }
  }
}

/** Bytes that were sorted by their place in a number, in order again. */
function unshuffled(data: Uint8Array, width: number): Uint8Array {
  const n = Math.floor(data.length / width)
  const out = data.slice()
  for (let b = 0; b < width; b++) for (let i = 0; i < n; i++) out[i * width + b] = data[b * n + i]!
  return out
}

/** The number that 16 bits of IEEE 754 stand for. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  if (exponent === 0) return (sign * fraction) / 16_777_216
  return (sign * (1024 + fraction) * (1 << exponent)) / 33_554_432
}
