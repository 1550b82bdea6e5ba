// Files that grow while something runs (Node only): whatever is added is whole lines or records, written at once.
// Knows nothing of what is in them.

import { ioError } from "../core/io.ts"
import { builtin, writeAll } from "./node-file.ts"

const { closeSync, mkdirSync, openSync, readFileSync } = builtin("node:fs")

/** Makes the file empty, or makes it. Throws E_IO if that is not possible. */
export function beginFile(path: string): void {
  write(path, "w", "")
}

/**
 * Adds text or bytes at the end of a file, which is made if it is not there. No descriptor stays open between two calls:
 * however the process ends, the file has everything that was added.
 * @throws E_IO if it cannot be written
 */
export function appendFile(path: string, data: string | Uint8Array): void {
  write(path, "a", data)
}

/** The text of a file, empty if there is none. Throws E_IO if it cannot be read. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return ""
    throw ioError(path, "cannot read the file.", error)
  }
}

/** Makes a folder and those above it. Throws E_IO if that is not possible. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw ioError(path, "cannot make the folder.", error)
  }
}

function write(path: string, flags: "a" | "w", data: string | Uint8Array): void {
  try {
    const fd = openSync(path, flags)
    try {
      writeAll(fd, typeof data === "string" ? new TextEncoder().encode(data) : data)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw ioError(path, "cannot write the file.", error)
  }
}

let made = 0

/** Part of a file's name that no other file has: the second, the process, and a number of its own. */
export function newName(): string {
  return `${Math.floor(Date.now() / 1000)}.trilobite.${process.pid}.${made++}`
}
