// Saves and loads whole model files (Node only): a save either happens completely or leaves the old file as it was.
// Knows nothing of what is in the files. Rules 6 and 7 of saving: temporary, fsync, rename, fsync of the folder.

import type { Stats } from "node:fs"
import { TrilobiteError } from "../core/errors.ts"
import { errorName, ioError } from "../core/io.ts"

// Not imported, but asked for: a bundler for browsers that follows all imports finds no module here that it lacks.
const { randomUUID } = builtin("node:crypto")
const fs = builtin("node:fs")
const { closeSync, constants, fchmodSync, fstatSync, fsyncSync, lstatSync, openSync, readSync } = fs
const { renameSync, statfsSync, unlinkSync, writeSync } = fs
const { dirname, join } = builtin("node:path")

/** A module of Node. Throws E_IO where there are no files. */
export function builtin<Name extends "node:crypto" | "node:fs" | "node:path">(
  name: Name,
): ReturnType<typeof process.getBuiltinModule<Name>> {
  const host: { process?: typeof process } = globalThis
  if (host.process?.getBuiltinModule !== undefined) return host.process.getBuiltinModule(name)
  const hint = "Use model.toBytes() and modelFromBytes(bytes); callbacks that write files are for Node."
  throw new TrilobiteError("E_IO", { where: "files", what: "there are no files here, only in Node.", hint })
}

/** The largest model file that is loaded: 2 GiB. */
export const modelFileLimit = 2_147_483_648

/**
 * Writes a file so that whoever opens it, even after a crash, finds either the old bytes or all of the new ones. A new
 * file gets the usual permissions, a replaced one keeps its own.
 * @throws E_IO if it cannot be written, or the path is a folder, a link or a device; the old file is then untouched.
 */
export function saveFile(path: string, bytes: Uint8Array): void {
  const old = checkTarget(path)
  const folder = dirname(path)
  const temporary = join(folder, `.trilobite-${randomUUID()}.tmp`)
  let step = "create a file in its folder"
  let fd: number | undefined
  let made = false
  try {
    // The system takes the umask off 0666; the file that replaces a private one is private from the start.
    fd = openSync(temporary, "wx", old === undefined ? 0o666 : 0o600)
    made = true
    step = "write the file"
    writeAll(fd, bytes)
    if (old !== undefined) fchmodSync(fd, old.mode & 0o777)
    // After a failed fsync the system may have dropped the data: the file is given up, never synced again.
    fsyncSync(fd)
    const open = fd
    fd = undefined
    closeSync(open)
    step = "put the file in its place"
    renameSync(temporary, path)
    made = false
    step = "confirm the new file on the disk"
    syncFolder(folder)
  } catch (error) {
    if (fd !== undefined) quietly(closeSync, fd)
    if (made) quietly(unlinkSync, temporary)
    throw ioError(path, `cannot ${step}.`, error, hintFor(error, folder, bytes.length))
  }
}

/** What is at the path now: a regular file or nothing. Anything else is not to be replaced. */
function checkTarget(path: string): Stats | undefined {
  let stat: Stats | undefined
  try {
    stat = lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw ioError(path, "cannot save here.", error)
  }
  if (stat === undefined || stat.isFile()) return stat
  const [got, hint] = stat.isDirectory()
    ? ["a folder", "Name a file inside it."]
    : stat.isSymbolicLink()
      ? ["a symbolic link", "Name the file that it points to."]
      : ["a device or a pipe", "Name a file."]
  throw new TrilobiteError("E_IO", { where: path, what: "cannot save here.", expected: "a file or nothing", got, hint })
}

/** A full disk can take a part of a write without an error. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let at = 0
  while (at < bytes.length) {
    const n = writeSync(fd, bytes, at, Math.min(bytes.length - at, 1_073_741_824), null)
    if (n === 0) throw new Error(`only ${at} of ${bytes.length} bytes could be written`)
    at += n
  }
}

/** Makes the renaming itself last; some systems (Windows among them) cannot open or sync folders, and need not. */
function syncFolder(folder: string): void {
  let fd: number | undefined
  try {
    fd = openSync(folder, constants.O_RDONLY)
    fsyncSync(fd)
  } catch (error) {
    if (!["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP"].includes(errorName(error) ?? "")) throw error
  } finally {
    if (fd !== undefined) quietly(closeSync, fd)
  }
}

function hintFor(error: unknown, folder: string, needed: number): string | undefined {
  const name = errorName(error) ?? ""
  if (name === "ENOENT") return `There is no folder ${folder}: create it first.`
  if (!["ENOSPC", "EDQUOT", ""].includes(name)) return undefined
  let free = "unknown"
  try {
    const { bavail, bsize } = statfsSync(folder)
    free = `${bavail * bsize}`
  } catch {
    // The figure is a courtesy.
  }
  return `${needed} bytes are needed, ${free} are free: free some space or choose another disk.`
}

/** Cleaning up must not hide the error that made it necessary. */
function quietly<T>(action: (of: T) => void, of: T): void {
  try {
    action(of)
  } catch {
    // The first error is the one to report.
  }
}

/**
 * The bytes of a model file: a regular file (not a link, a folder or a device) of at most `modelFileLimit` bytes.
 * @throws E_IO if it is missing or unreadable; E_MODEL if it is not such a file or changes while it is read.
 */
export function loadFile(path: string, where: string = path): Uint8Array<ArrayBuffer> {
  const fd = openForLoading(path, where)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw notLoadable(where, stat.isDirectory() ? "a folder" : "a device or a pipe")
    if (stat.size > modelFileLimit) throw notLoadable(where, `${stat.size} bytes`)
    const bytes = new Uint8Array(stat.size)
    let at = 0
    let n = 1
    while (at < bytes.length && n > 0) {
      n = readSync(fd, bytes, at, Math.min(bytes.length - at, 1_073_741_824), null)
      at += n
    }
    if (at < bytes.length || readSync(fd, new Uint8Array(1), 0, 1, null) > 0) {
      const hint = "Is something still writing it? Wait for that and try again."
      throw new TrilobiteError("E_MODEL", { where, what: "the file changed while it was read.", hint })
    }
    return bytes
  } catch (error) {
    throw error instanceof TrilobiteError ? error : ioError(where, "cannot read the file.", error)
  } finally {
    closeSync(fd)
  }
}

// Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever. Windows has neither flag.
function openForLoading(path: string, where: string): number {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const name = errorName(error)
    if (name === "ELOOP") throw notLoadable(where, "a symbolic link", "Name the file that it points to.")
    if (name === "EISDIR") throw notLoadable(where, "a folder")
    throw ioError(where, "cannot open the file.", error)
  }
}

function notLoadable(where: string, got: string, hint = "Name a model's file."): TrilobiteError {
  const expected = `a regular file of at most ${modelFileLimit} bytes`
  return new TrilobiteError("E_MODEL", { where, what: "this cannot be loaded.", expected, got, hint })
}
