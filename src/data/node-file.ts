// Reads whole data files (Node only): regular files up to a limit, decompressed if they start as gzip does.
// Knows no data set and no model.

import { constants as bufferConstants } from "node:buffer"
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { dataError } from "../core/errors.ts"
import { errorName, ioError } from "../core/io.ts"
import { isGzip } from "../core/sniff.ts"
import type { Tensor } from "../core/tensor.ts"
import { type IdxExpectation, parseIdx } from "./idx.ts"

/** The largest file that is read: 2 GiB. */
export const fileLimit = 2_147_483_648
/** The most that a compressed file may expand to: 4 GiB, and 1000 bytes per byte (gzip itself ends at about 1030). */
export const expansionLimits: { readonly bytes: number; readonly ratio: number } = { bytes: 4_294_967_296, ratio: 1000 }

/**
 * The bytes of a regular file.
 * @throws E_IO if it is missing or unreadable; E_DATA if it is a folder or a device, larger than `limit` bytes, or
 * changes while it is read.
 */
export function readDataFile(path: string, limit: number = fileLimit): Uint8Array<ArrayBuffer> {
  const fd = openForReading(path)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw notRegular(path, stat.isDirectory() ? "a folder" : "a device or a pipe")
    if (stat.size > limit) {
      const hint = "Split the file."
      throw dataError({
        where: path,
        what: "the file is too large.",
        expected: `at most ${limit} bytes`,
        got: `${stat.size}`,
        hint,
      })
    }
    return readExactly(fd, stat.size, path)
  } catch (error) {
    throw isSystemError(error) ? ioError(path, "cannot read the file.", error) : error
  } finally {
    closeSync(fd)
  }
}

/** True for an error of the operating system. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error
}

/**
 * A descriptor for reading. Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever; Windows has no such
 * flag. Throws E_IO if that is not possible, E_DATA for folders and devices.
 */
export function openForReading(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if (errorName(error) === "EISDIR") throw notRegular(path, "a folder")
    if (errorName(error) === "ENXIO") throw notRegular(path, "a device or a pipe")
    throw ioError(path, "cannot open the file.", error)
  }
}

/** The error for a path that is no regular file. */
export function notRegular(path: string, got: string): Error {
  return dataError({ where: path, what: "this is not a regular file.", expected: "a file", got, hint: "Name a file." })
}

/** All of an open file, which must have exactly `size` bytes left: E_DATA if it shrinks or grows meanwhile. */
export function readExactly(fd: number, size: number, where: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  let read = 0
  while (read < size) {
    // One call reads at most 2^31 − 1 bytes.
    const n = readSync(fd, bytes, read, Math.min(size - read, 1_073_741_824), null)
    if (n === 0) break
    read += n
  }
  const grew = read === size && readSync(fd, new Uint8Array(1), 0, 1, null) > 0
  if (read < size || grew) {
    throw dataError({
      where,
      what: `the file ${grew ? "grew" : "shrank"} while it was read.`,
      expected: `${size} bytes`,
      got: grew ? "more" : `${read}`,
      hint: "Is something still writing it? Wait for that and try again.",
    })
  }
  return bytes
}

/**
 * The bytes inside a gzip file (RFC 1952; several members in a row are one text).
 * @throws E_DATA if it is damaged, cut short, followed by something else, or expands beyond `expansionLimits`.
 */
export function gunzip(bytes: Uint8Array, where: string): Uint8Array {
  const { bytes: most, ratio } = expansionLimits
  const limit = Math.min(most, ratio * bytes.length, bufferConstants.MAX_LENGTH)
  let result: { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } }
  try {
    // With `info`, which the type declarations do not follow, the consumed length comes too. 1 MiB chunks: the fastest.
    const options = { info: true, maxOutputLength: limit, chunkSize: 1_048_576 }
    result = gunzipSync(bytes, options) as unknown as typeof result
  } catch (error) {
    if (errorName(error) === "ERR_BUFFER_TOO_LARGE") {
      const expected = `at most ${limit} bytes (${ratio} times its size, never more than ${most})`
      const hint = "A file that expands like this may be meant to do harm."
      throw dataError({ where, what: "the compressed file expands too far.", expected, hint })
    }
    const cut = errorName(error) === "Z_BUF_ERROR"
    throw dataError({
      where,
      what: cut ? "the compressed file is cut short." : "the compressed file is damaged.",
      got: error instanceof Error ? error.message : String(error),
      hint: "Download or copy the file again.",
    })
  }
  if (result.engine.bytesWritten !== bytes.length) {
    const after = bytes.length - result.engine.bytesWritten
    const hint = "Something was appended to it: get the original file."
    throw dataError({ where, what: "the compressed file goes on after its end.", got: `${after} bytes more`, hint })
  }
  return result.buffer
}

/** A data file's bytes, decompressed if they are gzip, whatever its name says. */
export function readUnpacked(path: string): Uint8Array {
  const bytes = readDataFile(path)
  return isGzip(bytes) ? gunzip(bytes, path) : bytes
}

/** The tensor in an IDX file, compressed or not: `parseIdx` with the errors of `readDataFile` and `gunzip`. */
export function readIdx(path: string, expect: IdxExpectation = {}): Tensor {
  return parseIdx(readUnpacked(path), path, expect)
}
