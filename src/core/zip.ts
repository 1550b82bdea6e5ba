// Zip archives whose members are stored or deflated: read strictly, written stored. Knows no format that uses them.
// Source: APPNOTE.TXT 6.3 of PKWARE. Inflating is the platform's (DecompressionStream), capped by what the archive declares.

import { joined } from "./bytes.ts"
import { type ErrorCode, type ErrorFields, show, TrilobiteError } from "./errors.ts"

/** The limits of reading: members, bytes of a name, bytes of all members together, and how far they may expand. */
export const zipLimits: {
  readonly entries: number
  readonly name: number
  readonly bytes: number
  readonly ratio: number
} = { entries: 10_000, name: 512, bytes: 4_294_967_295, ratio: 1000 }

interface Entry {
  readonly name: string
  readonly method: number
  readonly crc: number
  readonly packed: number
  readonly size: number
  /** Where its local header begins. */
  readonly at: number
}

/** What is read of an archive: names, and their bytes when asked for. */
export interface Zip {
  readonly names: readonly string[]
  /** The bytes of a member, undefined if there is none of that name. Throws the given code for damage. */
  read(name: string): Promise<Uint8Array | undefined>
}

const table: Uint32Array = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

/** CRC-32 of some bytes (IEEE 802.3). */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff
  for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]!) & 255]! ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}

/**
 * The bytes that deflate has packed, at most `size` of them: nothing more is kept, however much the stream would give.
 * Undefined if they are damaged or more.
 * @param format deflate-raw (zip) or deflate (zlib)
 */
export async function inflate(
  packed: Uint8Array,
  size: number,
  format: "deflate-raw" | "deflate",
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const out: Uint8Array[] = []
  let total = 0
  try {
    const stream = new Blob([packed.slice()]).stream().pipeThrough(new DecompressionStream(format))
    const reader = stream.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      total += value.length
      if (total > size) {
        await reader.cancel()
        return undefined
      }
      out.push(value)
    }
  } catch {
    return undefined
  }
  return joined(out)
}

/**
 * Opens an archive. Everything about its structure is checked before a member is read: names that lead out of a folder, links,
 * encryption, members that overlap or expand more than a thousandfold, bytes before, between or after them are refused.
 * @throws the given code
 */
export function openZip(bytes: Uint8Array, where: string, code: ErrorCode): Zip {
  const fail = (what: string, more: Omit<ErrorFields, "what"> = {}): never => {
    throw new TrilobiteError(code, { where, what, ...more })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const END = 22
  const end = bytes.length - END
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50 || view.getUint16(end + 20, true) !== 0) {
    fail("this is no complete zip archive: its end record is not where the file ends.", {
      hint: "Is the file damaged, or was something appended to it?",
    })
  }
  const count = view.getUint16(end + 10, true)
  const length = view.getUint32(end + 12, true)
  const start = view.getUint32(end + 16, true)
  const disks = view.getUint32(end + 4, true)
  if (disks !== 0 || view.getUint16(end + 8, true) !== count) fail("the archive is one of several parts.")
  if (count === 0xffff || length === 0xffffffff || start === 0xffffffff) fail("zip64 archives are not read.")
  if (count > zipLimits.entries) {
    fail("too many members.", { expected: `at most ${zipLimits.entries}`, got: `${count}` })
  }
  if (start + length !== end) fail("the list of members does not end where the end record begins.")
  const entries = new Map<string, Entry>()
  let at = start
  let total = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) fail("the list of members is damaged.")
    const flags = view.getUint16(at + 8, true)
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => view.getUint16(at + o, true)) as [
      number,
      number,
      number,
    ]
    if (at + 46 + nameLength + extra + comment > end) fail("the list of members is damaged.")
    const name = nameOf(bytes.subarray(at + 46, at + 46 + nameLength), fail)
    const entry: Entry = {
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      at: view.getUint32(at + 42, true),
    }
    const member = `the member ${show(name)}`
    if ((flags & 0x2041) !== 0) fail(`${member} is encrypted.`)
    if (entry.method !== 0 && entry.method !== 8) {
      fail(`${member} is packed in a way that is not read.`, { expected: "stored or deflate", got: `${entry.method}` })
    }
    if (((view.getUint32(at + 38, true) >>> 16) & 0xf000) === 0xa000) fail(`${member} is a symbolic link.`)
    if (entry.method === 0 && entry.packed !== entry.size) fail(`${member} has two sizes.`)
    if (entry.size > zipLimits.ratio * Math.max(entry.packed, 64)) {
      fail(`${member} would expand too far.`, {
        expected: `at most ${zipLimits.ratio} times its ${entry.packed} bytes`,
        got: `${entry.size}`,
      })
    }
    total += entry.size
    if (total > zipLimits.bytes) fail("its members are too large together.", { expected: `${zipLimits.bytes} bytes` })
    if (entries.has(name)) fail(`${member} occurs twice.`)
    entries.set(name, entry)
    at += 46 + nameLength + extra + comment
  }
  if (at !== end) fail("the list of members is damaged.")
  checkLocals([...entries.values()], view, start, fail)
  return {
    names: [...entries.keys()],
    async read(name) {
      const entry = entries.get(name)
      if (entry === undefined) return undefined
      const begin = dataAt(view, entry)
      const packed = bytes.subarray(begin, begin + entry.packed)
      const found = entry.method === 0 ? packed.slice() : await inflate(packed, entry.size, "deflate-raw")
      if (found !== undefined && found.length === entry.size && crc32(found) === entry.crc) return found
      return fail(`the member ${show(name)} is damaged.`, { hint: "Copy or download the file again." })
    },
  }
}

function nameOf(bytes: Uint8Array, fail: (what: string) => never): string {
  let name = ""
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    fail("a member's name is not valid UTF-8.")
  }
  const parts = name.split("/")
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be refused
  const odd = name === "" || bytes.length > zipLimits.name || /[\u0000-\u001f\u007f-\u009f\\:]/.test(name)
  if (odd || name.startsWith("/") || parts.some((part) => part === ".." || part === ".")) {
    fail(`the member's name ${show(name)} could lead out of the archive.`)
  }
  return name
}

const dataAt = (view: DataView, { at }: Entry): number =>
  at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true)

/** Members lie one after another from the first byte to their list, and say the same of themselves as the list. */
function checkLocals(
  entries: readonly Entry[],
  view: DataView,
  end: number,
  fail: (what: string, more?: Omit<ErrorFields, "what">) => never,
): void {
  let at = 0
  for (const entry of [...entries].sort((a, b) => a.at - b.at)) {
    const member = `the member ${show(entry.name)}`
    if (entry.at !== at) fail(`${member} overlaps another, or something lies before it.`)
    if (at + 30 > end || view.getUint32(at, true) !== 0x04034b50) fail(`${member} does not begin where it should.`)
    const begin = dataAt(view, entry)
    const nameLength = view.getUint16(at + 26, true)
    if (begin + entry.packed > end) fail(`${member} does not end before the list of members.`)
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 30, nameLength))
    if (name !== entry.name || view.getUint16(at + 8, true) !== entry.method) {
      fail(`${member} has another name or packing in its own header.`)
    }
    const later = (view.getUint16(at + 6, true) & 8) !== 0
    const own = localSizes(view, at, nameLength, begin)
    const listed = [entry.crc, entry.packed, entry.size]
    if (!own.every((value, i) => value === listed[i] || (later && value === 0))) {
      fail(`${member} has other sizes in its own header.`)
    }
    at = begin + entry.packed
    if (later) at += descriptorLength(view, at, end, entry)
  }
  if (at !== end) fail("something lies between the members and their list.")
}

/** Checksum and sizes as a local header says them; NumPy puts them into a field for more than 4 GiB, in case they are needed. */
function localSizes(view: DataView, at: number, nameLength: number, end: number): readonly number[] {
  const own = [14, 18, 22].map((o) => view.getUint32(at + o, true))
  if (own[1] !== 0xffffffff || own[2] !== 0xffffffff) return own
  const extra = at + 30 + nameLength
  const wide = end - extra === 20 && view.getUint16(extra, true) === 1 && view.getUint16(extra + 2, true) === 16
  const sizeAt = (o: number): number =>
    view.getUint32(extra + o, true) + 4_294_967_296 * view.getUint32(extra + o + 4, true)
  return wide ? [own[0]!, sizeAt(12), sizeAt(4)] : own
}

/** The record behind a member that was written as a stream: with or without a signature. */
function descriptorLength(view: DataView, at: number, end: number, { crc }: Entry): number {
  if (at + 16 <= end && view.getUint32(at, true) === 0x08074b50 && view.getUint32(at + 4, true) === crc) return 16
  return 12
}

/** An archive of stored members in the given order. The same members give the same bytes: all have the date 1980-01-01. */
export function writeZip(members: readonly (readonly [name: string, bytes: Uint8Array])[]): Uint8Array<ArrayBuffer> {
  const named = members.map(([name, bytes]) => ({ name: new TextEncoder().encode(name), bytes, crc: crc32(bytes) }))
  const local = named.reduce((sum, { name, bytes }) => sum + 30 + name.length + bytes.length, 0)
  const list = named.reduce((sum, { name }) => sum + 46 + name.length, 0)
  if (local + list > zipLimits.bytes) {
    throw new TrilobiteError("E_MODEL", { where: "zip", what: "the archive would be too large.", expected: "4 GiB" })
  }
  const out = new Uint8Array(local + list + 22)
  const view = new DataView(out.buffer)
  let at = 0
  let entry = local
  const fields = (from: number, { name, bytes, crc }: (typeof named)[number]): void => {
    view.setUint16(from, 20, true)
    view.setUint16(from + 8, 0x21, true)
    view.setUint32(from + 10, crc, true)
    view.setUint32(from + 14, bytes.length, true)
    view.setUint32(from + 18, bytes.length, true)
    view.setUint16(from + 22, name.length, true)
  }
  for (const member of named) {
    view.setUint32(entry, 0x02014b50, true)
    view.setUint16(entry + 4, 20, true)
    fields(entry + 6, member)
    view.setUint32(entry + 42, at, true)
    out.set(member.name, entry + 46)
    entry += 46 + member.name.length
    view.setUint32(at, 0x04034b50, true)
    fields(at + 4, member)
    out.set(member.name, at + 30)
    out.set(member.bytes, at + 30 + member.name.length)
    at += 30 + member.name.length + member.bytes.length
  }
  view.setUint32(entry, 0x06054b50, true)
  view.setUint16(entry + 8, named.length, true)
  view.setUint16(entry + 10, named.length, true)
  view.setUint32(entry + 12, list, true)
  view.setUint32(entry + 16, local, true)
  return out
}
