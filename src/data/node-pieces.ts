// Bytes of a data file, piece by piece (Node only), decompressed if they are gzip. Knows no format.

import { isUtf8 } from "node:buffer"
import { closeSync, createReadStream, fstatSync, readSync } from "node:fs"
import { open } from "node:fs/promises"
import { createGunzip } from "node:zlib"
import { dataError } from "../core/errors.ts"
import { ioError } from "../core/io.ts"
import { isGzip, recognise } from "../core/sniff.ts"
import { expansionLimits, isSystemError, notRegular, openForReading } from "./node-file.ts"

const PIECE = 1_048_576

/** The first bytes of a file (at most `most`) and its size. Throws E_IO, and E_DATA if it is no regular file. */
export function headOf(path: string, most: number): { readonly head: Uint8Array; readonly size: number } {
  const fd = openForReading(path)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw notRegular(path, stat.isDirectory() ? "a folder" : "a device or a pipe")
    const head = Buffer.alloc(Math.min(most, stat.size))
    let at = 0
    for (let n = 1; at < head.length && n > 0; at += n) n = readSync(fd, head, at, head.length - at, at)
    return { head: head.subarray(0, at), size: stat.size }
  } catch (error) {
    throw isSystemError(error) ? ioError(path, "cannot read the file.", error) : error
  } finally {
    closeSync(fd)
  }
}

/**
 * The bytes of a file in pieces of up to a mebibyte, decompressed if they are gzip. A piece is only there until the next one is
 * asked for: its memory is used again.
 * @throws E_IO if it cannot be read; E_DATA if it is no regular file, damaged, or expands too far.
 */
export async function* piecesOf(path: string): AsyncGenerator<Buffer> {
  const { head, size } = headOf(path, 2)
  try {
    yield* isGzip(head) ? unpacked(path, size) : stored(path)
  } catch (error) {
    throw isSystemError(error) ? ioError(path, "cannot read the file.", error) : error
  }
}

async function* stored(path: string): AsyncGenerator<Buffer> {
  const file = await open(path)
  try {
    const room = Buffer.allocUnsafeSlow(PIECE)
    for (;;) {
      const { bytesRead } = await file.read(room, 0, PIECE)
      if (bytesRead === 0) return
      yield room.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function* unpacked(path: string, size: number): AsyncGenerator<Buffer> {
  const { bytes: most, ratio } = expansionLimits
  const limit = Math.min(most, ratio * size)
  const file = createReadStream(path, { highWaterMark: PIECE })
  const gunzip = createGunzip({ chunkSize: PIECE })
  file.on("error", (error) => gunzip.destroy(error))
  file.pipe(gunzip)
  let total = 0
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) {
      total += piece.length
      if (total > limit) {
        const expected = `at most ${limit} bytes (${ratio} times its size, never more than ${most})`
        const hint = "A file that expands like this may be meant to do harm."
        throw dataError({ where: path, what: "the compressed file expands too far.", expected, hint })
      }
      yield piece
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : ""
    if (!code.startsWith("Z_")) throw error
    const what = code === "Z_BUF_ERROR" ? "the compressed file is cut short." : "the compressed file is damaged."
    const got = error instanceof Error ? error.message : String(error)
    throw dataError({ where: path, what, got, hint: "Download or copy the file again." })
  } finally {
    file.destroy()
    gunzip.destroy()
  }
  if (gunzip.bytesWritten === size) return
  const hint = "Something was appended to it: get the original file."
  const got = `${size - gunzip.bytesWritten} bytes more`
  throw dataError({ where: path, what: "the compressed file goes on after its end.", got, hint })
}

/** Throws E_DATA if a block is not text: a NUL, or bytes that are no UTF-8, with their place in the file. */
export function checkText(path: string, block: Uint8Array, offset: number): void {
  const nul = block.indexOf(0)
  if (nul >= 0) {
    const hint = recognise(block) ?? "Save it as plain UTF-8 text."
    throw dataError({ where: path, what: "this is not text.", got: `a zero byte at offset ${offset + nul}`, hint })
  }
  if (isUtf8(block)) return
  const text = new TextDecoder().decode(block)
  const good = Buffer.byteLength(text.slice(0, text.indexOf("\ufffd")))
  const hint = recognise(block) ?? "Save it as UTF-8."
  throw dataError({ where: path, what: "this is not UTF-8.", got: `bad bytes at offset ${offset + good}`, hint })
}
