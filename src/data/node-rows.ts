// Reads rows of a file by their position (Node only), in any order: neighbours in one piece. Knows no format and no model.

import { closeSync, fstatSync, readSync } from "node:fs"
import { dataError } from "../core/errors.ts"
import { ioError } from "../core/io.ts"
import { isSystemError, notRegular, openForReading } from "./node-file.ts"

/** Where the rows of a file are. */
export interface RowLayout {
  /** Bytes before the first row. */
  readonly start: number
  readonly rowBytes: number
  readonly rows: number
}

/** Rows of an open file. */
export interface FileRows extends RowLayout {
  /** Writes row rows[i] to place i. Throws E_IO and E_DATA if the file cannot be read any more, or has become shorter. */
  read(rows: Int32Array, into: Uint8Array): void
  /** Closes the file; a file that nobody holds any more is closed by itself. */
  close(): void
}

/** A file of at most so many bytes is held in memory: its rows cost no call of the system. */
const RESIDENT = 64 * 1024 * 1024

/** Bytes between two rows up to which they are read together: they cost less than another call. */
const GAP = 4096

/** The most that is read at once if it is not wanted as a whole. */
const SPAN = 1024 * 1024

/** Descriptors of sources that nobody holds. */
const unheld: FinalizationRegistry<() => void> = new FinalizationRegistry((close) => close())

/**
 * Opens a file of rows: `layoutOf` reads its layout from its first bytes, at most `headBytes`.
 * @throws E_IO if it cannot be opened; E_DATA if it is no regular file, or not as long as its layout says.
 */
export function openRows(
  path: string,
  headBytes: number,
  layoutOf: (head: Uint8Array) => RowLayout,
  resident: number = RESIDENT,
): FileRows {
  const fd = openForReading(path)
  let open = true
  const close = (): void => {
    if (open) closeSync(fd)
    open = false
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw notRegular(path, stat.isDirectory() ? "a folder" : "a device or a pipe")
    const head = new Uint8Array(Math.min(headBytes, stat.size))
    readFully(fd, path, head, 0, 0, head.length)
    const layout = layoutOf(head)
    checkLength(path, layout, stat.size)
    const { start, rowBytes } = layout
    const all = stat.size <= resident ? new Uint8Array(stat.size - start) : undefined
    if (all !== undefined) readFully(fd, path, all, start, 0, all.length)
    const scratch = new Uint8Array(all === undefined ? Math.max(SPAN, rowBytes) : 0)
    const read: FileRows["read"] = (rows, into) => {
      if (!open) throw dataError({ where: path, what: "the file has been closed.", hint: "Open the data set again." })
      if (all === undefined) readRows(fd, path, layout, rows, into, scratch)
      else for (let i = 0; i < rows.length; i++) copyBytes(all, rows[i]! * rowBytes, into, i * rowBytes, rowBytes)
    }
    const result = { ...layout, read, close }
    // The function is what every user of the file holds.
    unheld.register(read, close)
    return result
  } catch (error) {
    close()
    throw isSystemError(error) ? ioError(path, "cannot read the file.", error) : error
  }
}

function checkLength(path: string, { start, rowBytes, rows }: RowLayout, size: number): void {
  const expected = start + rows * rowBytes
  if (size === expected) return
  const short = size < expected
  throw dataError({
    where: path,
    what: short ? "the file is cut short." : "the file goes on after its last element.",
    expected: `${expected} bytes`,
    got: `${size}`,
    hint: short ? "Download, copy or write it again." : "Something was appended to it: get the original file.",
  })
}

/** Bytes up to which a loop is faster than a view of them. */
const SHORT = 32

function copyBytes(from: Uint8Array, at: number, into: Uint8Array, to: number, bytes: number): void {
  if (bytes > SHORT) into.set(from.subarray(at, at + bytes), to)
  else for (let i = 0; i < bytes; i++) into[to + i] = from[at + i]!
}

/** Reads rows in the order of the file, those near to each other together. */
function readRows(
  fd: number,
  path: string,
  { start, rowBytes }: RowLayout,
  rows: Int32Array,
  into: Uint8Array,
  scratch: Uint8Array,
): void {
  const n = rows.length
  if (isRun(rows)) {
    readFully(fd, path, into, start + rows[0]! * rowBytes, 0, n * rowBytes)
    return
  }
  // Row and place in one number, exact below 2^53: sorting them is sorting the rows.
  const keys = new Float64Array(n)
  for (let i = 0; i < n; i++) keys[i] = rows[i]! * n + i
  keys.sort()
  const row = (i: number): number => Math.floor(keys[i]! / n)
  for (let i = 0; i < n; ) {
    const first = row(i)
    let end = i + 1
    let last = first
    for (; end < n; end++) {
      const next = row(end)
      if ((next - last - 1) * rowBytes > GAP || (next + 1 - first) * rowBytes > scratch.length) break
      last = next
    }
    const place = keys[i]! - first * n
    const position = start + first * rowBytes
    if (end === i + 1) readFully(fd, path, into, position, place * rowBytes, rowBytes)
    else {
      readFully(fd, path, scratch, position, 0, (last + 1 - first) * rowBytes)
      for (let j = i; j < end; j++) {
        const other = row(j)
        copyBytes(scratch, (other - first) * rowBytes, into, (keys[j]! - other * n) * rowBytes, rowBytes)
      }
    }
    i = end
  }
}

function isRun(rows: Int32Array): boolean {
  for (let i = 1; i < rows.length; i++) if (rows[i] !== rows[i - 1]! + 1) return false
  return rows.length > 0
}

/** Reads so many bytes from a position of the file to a place of the memory, however few the system gives at a time. */
function readFully(fd: number, path: string, into: Uint8Array, position: number, place: number, bytes: number): void {
  let done = 0
  while (done < bytes) {
    let n: number
    try {
      // One call reads at most 2^31 − 1 bytes.
      n = readSync(fd, into, place + done, Math.min(bytes - done, 1_073_741_824), position + done)
    } catch (error) {
      throw ioError(path, "cannot read the file.", error)
    }
    if (n === 0) {
      throw dataError({
        where: path,
        what: "the file shrank while it was in use.",
        expected: `at least ${position + bytes} bytes`,
        got: `${position + done}`,
        hint: "Is something writing it? Wait for that and try again.",
      })
    }
    done += n
  }
}
