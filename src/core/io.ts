// The wording of failed file operations, by the system's error name. Touches no files itself and knows no platform.

import { TrilobiteError } from "./errors.ts"

/** What the system's error names mean and what to do: POSIX names, which Node uses on every platform. */
const causes: ReadonlyMap<string, readonly [meaning: string, hint: string]> = new Map([
  ["ENOENT", ["no such file or folder", "Check the path; folders are not created."]],
  ["ENOTDIR", ["a part of the path is not a folder", "Check the path."]],
  ["EISDIR", ["it is a folder", "Name a file inside it."]],
  ["EACCES", ["no permission", "Check the permissions of the file and of its folder."]],
  ["EPERM", ["no permission", "Check the permissions of the file and of its folder."]],
  ["EROFS", ["the file system is read-only", "Choose another folder."]],
  ["ENOSPC", ["the disk is full", "Free some space or choose another disk."]],
  ["EDQUOT", ["the disk quota is used up", "Free some space or choose another disk."]],
  ["EFBIG", ["the file would be larger than allowed here", "Check the limits of the file system (ulimit -f)."]],
  ["EMFILE", ["too many open files", "Close some, or raise the limit (ulimit -n)."]],
  ["ENFILE", ["too many open files on this machine", "Close some programs."]],
  ["ENAMETOOLONG", ["the name is too long", "Choose a shorter name."]],
  ["ELOOP", ["it is a symbolic link", "Name the file that it points to."]],
  ["EIO", ["the device reported an error", "Check the disk."]],
  ["EXDEV", ["it lies on another file system", "Choose a file in an ordinary folder."]],
  ["EBUSY", ["it is in use", "Close the program that uses it."]],
  ["ERR_INVALID_ARG_VALUE", ["this cannot be a path", "Check the path for control characters."]],
  ["ERR_INVALID_ARG_TYPE", ["this is not a path", "Give the path as a string."]],
])

/** The system's name of an error ("ENOENT"), if it has one. */
export function errorName(cause: unknown): string | undefined {
  const name = cause instanceof Error && "code" in cause ? cause.code : undefined
  return typeof name === "string" ? name : undefined
}

/** A failed file operation as an E_IO error with the system's reason and what to do about it: exit code 6. */
export function ioError(where: string, what: string, cause: unknown, hint?: string): TrilobiteError {
  const name = errorName(cause) ?? ""
  const known = causes.get(name)
  const reason = known === undefined ? String(cause) : `${name} (${known[0]})`
  const advice = hint ?? known?.[1]
  return new TrilobiteError(
    "E_IO",
    { where, what, got: reason, ...(advice === undefined ? {} : { hint: advice }) },
    { cause },
  )
}
