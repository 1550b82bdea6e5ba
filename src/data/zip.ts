// The members of a zip archive's bytes, strictly: what two programs could read differently is refused. Unpacks nothing, knows no files.
// Source: APPNOTE.TXT 6.3 of the format; ZIP64 and encryption are not read.

import { dataError, show, type TrilobiteError } from "../core/errors.ts"

/** A member: its bytes as they are stored, and what they expand to. */
export interface ZipMember {
  readonly name: string
  /** 0 stored, 8 deflated. */
  readonly method: 0 | 8
  readonly packed: Uint8Array
  readonly size: number
  readonly crc: number
}

/** The limits of an archive: members, expanded bytes of all, and expanded bytes for each byte. */
export const zipLimits: { readonly members: number; readonly bytes: number; readonly ratio: number } = {
  members: 10_000,
  bytes: 4_294_967_296,
  ratio: 1000,
}

const END = 0x06054b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50

/**
 * The members of an archive by their names, in its order.
 * @throws E_DATA for damaged, encrypted, overlapping or repeated members, names that lead elsewhere, and archives that expand too far.
 */
export function zipMembers(bytes: Uint8Array, where: string): ReadonlyMap<string, ZipMember> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fail = (what: string, hint = "Get or write the file again.", got?: string): TrilobiteError =>
    dataError({ where, what, hint, ...(got === undefined ? {} : { got }) })
  const end = bytes.length - 22
  // A comment after the end is what a second archive could hide in: there is none.
  if (end < 0 || view.getUint32(end, true) !== END) throw fail("this is no zip archive, or it is cut short.")
  const count = view.getUint16(end + 10, true)
  const size = view.getUint32(end + 12, true)
  const start = view.getUint32(end + 16, true)
  if (
    view.getUint32(end + 4, true) !== 0 ||
    view.getUint16(end + 8, true) !== count ||
    view.getUint16(end + 20, true) !== 0
  ) {
    throw fail("the archive has several parts, or a comment.")
  }
  if (count === 0xffff || start === 0xffffffff) throw fail("archives beyond 4 GiB (ZIP64) are not read.")
  if (count > zipLimits.members) throw fail("too many members.", "Split the archive.", `${count}`)
  if (start + size !== end) throw fail("the archive's list of members is not where it should be.")
  const members = new Map<string, ZipMember>()
  let at = start
  let next = 0
  let total = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL) throw fail("the archive's list of members is damaged.")
    const central = headerAt(view, at + 6)
    const length = 46 + central.nameBytes + central.extraBytes + view.getUint16(at + 32, true)
    if (at + length > end) throw fail("the archive's list of members is damaged.")
    const raw = bytes.subarray(at + 46, at + 46 + central.nameBytes)
    const name = nameOf(raw, where)
    const inside = `${where}, member ${show(name)}`
    const wrong = (what: string): TrilobiteError =>
      dataError({ where: inside, what, hint: "Get or write the file again." })
    if (members.has(name)) throw wrong("a member of this name is there twice.")
    if ((central.flags & 1) !== 0) throw wrong("the member is encrypted.")
    if (central.method !== 0 && central.method !== 8) throw wrong("the member is packed in a way that is not read.")
    const mode = (view.getUint32(at + 38, true) >>> 16) & 0xf000
    if (view.getUint8(at + 5) === 3 && mode !== 0 && mode !== 0x8000) throw wrong("the member is no file.")
    const local = view.getUint32(at + 42, true)
    if (local !== next) throw wrong("members overlap, or something lies between them.")
    const data = localData(view, bytes, local, raw, central)
    if (data === undefined || data + central.packed > start) throw wrong("the member's own header says something else.")
    next = data + central.packed + descriptorBytes(view, data + central.packed, start, central)
    total += central.size
    if (central.method === 0 && central.size !== central.packed) throw wrong("the member's sizes do not fit.")
    if (total > Math.min(zipLimits.bytes, zipLimits.ratio * bytes.length)) {
      const expected = `at most ${zipLimits.ratio} times its size, never more than ${zipLimits.bytes} bytes`
      throw dataError({ where, what: "the archive expands too far.", expected, hint: "It may be meant to do harm." })
    }
    const packed = bytes.subarray(data, data + central.packed)
    members.set(name, { name, method: central.method, packed, size: central.size, crc: central.crc })
    at += length
  }
  if (at !== end) throw fail("the archive's list of members is damaged.")
  if (next !== start) throw fail("something lies between the members and their list.")
  return members
}

interface Header {
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly packed: number
  readonly size: number
  readonly nameBytes: number
  readonly extraBytes: number
}

/** What both kinds of header say, from the version that is needed on. */
function headerAt(view: DataView, at: number): Header {
  return {
    flags: view.getUint16(at + 2, true),
    method: view.getUint16(at + 4, true),
    crc: view.getUint32(at + 10, true),
    packed: view.getUint32(at + 14, true),
    size: view.getUint32(at + 18, true),
    nameBytes: view.getUint16(at + 22, true),
    extraBytes: view.getUint16(at + 24, true),
  }
}

/** Where a member's bytes begin; undefined if its own header does not agree with the list. */
function localData(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  name: Uint8Array,
  central: Header,
): number | undefined {
  if (at + 30 + name.length > bytes.length || view.getUint32(at, true) !== LOCAL) return undefined
  const local = headerAt(view, at + 4)
  // With bit 3 the sizes stand behind the bytes; with NumPy's large files they stand in an extra field, as 2^32 − 1.
  const later = (local.flags & 8) !== 0
  const agrees = (a: number, b: number): boolean => a === b || (later && a === 0) || a === 0xffffffff
  const same =
    local.method === central.method &&
    local.flags === central.flags &&
    agrees(local.crc, central.crc) &&
    agrees(local.packed, central.packed) &&
    agrees(local.size, central.size) &&
    local.nameBytes === name.length &&
    name.every((byte, i) => bytes[at + 30 + i] === byte)
  const data = at + 30 + local.nameBytes + local.extraBytes
  return same && data <= bytes.length ? data : undefined
}

/** The bytes of what may stand behind a member's bytes: its sizes once more. */
function descriptorBytes(view: DataView, at: number, limit: number, { flags, crc, packed, size }: Header): number {
  if ((flags & 8) === 0) return 0
  for (const skip of [4, 0]) {
    if (at + skip + 12 > limit || (skip === 4 && view.getUint32(at, true) !== 0x08074b50)) continue
    const found = [0, 4, 8].map((i) => view.getUint32(at + skip + i, true))
    if (found[0] === crc && found[1] === packed && found[2] === size) return skip + 12
  }
  return 0
}

function nameOf(raw: Uint8Array, where: string): string {
  let name: string
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw)
  } catch {
    throw dataError({ where, what: "a member's name is not UTF-8.", hint: "Write the archive again." })
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: such names are refused
  const leads = name === "" || /^[/\\]|^[a-z]:|\\|[\u0000-\u001f]/i.test(name) || name.split("/").includes("..")
  if (!leads) return name
  const hint = "It may be meant to do harm."
  throw dataError({ where, what: "a member's name leads out of the archive.", got: show(name), hint })
}
