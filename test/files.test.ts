// Saving and loading model files: all or nothing under every failing system call, and only regular files.
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { ErrorCode } from "../src/core/errors.ts"
import { loadFile, modelFileLimit, saveFile } from "../src/formats/node-file.ts"
import { errorOf, expectError } from "./support/errors.ts"

type Call =
  | "openSync"
  | "writeSync"
  | "fchmodSync"
  | "fsyncSync"
  | "closeSync"
  | "renameSync"
  | "unlinkSync"
  | "readSync"

/** What the file system does instead of the n-th call of a kind; and all calls that were made, in order. */
const disk = vi.hoisted(() => ({
  on: false,
  calls: [] as string[],
  fault: undefined as ((call: string, nth: number, args: unknown[]) => unknown) | undefined,
}))

// The module asks for node:fs instead of importing it: it gets one with faults.
vi.hoisted(() => {
  const original = process.getBuiltinModule
  const fs = original("node:fs")
  const wrap = (name: Call) => {
    return (...args: unknown[]): unknown => {
      if (disk.on) {
        disk.calls.push(name)
        const instead = disk.fault?.(name, disk.calls.filter((call) => call === name).length, args)
        if (instead !== undefined) return instead
      }
      return (fs[name] as (...args: unknown[]) => unknown)(...args)
    }
  }
  const names: Call[] = [
    "openSync",
    "writeSync",
    "fchmodSync",
    "fsyncSync",
    "closeSync",
    "renameSync",
    "unlinkSync",
    "readSync",
  ]
  const faulty = { ...fs, ...Object.fromEntries(names.map((name) => [name, wrap(name)])) }
  process.getBuiltinModule = ((name: string) => (name === "node:fs" ? faulty : original(name))) as typeof original
})

function fail(name: string): never {
  throw Object.assign(new Error(`${name}: planted`), { code: name, syscall: "planted" })
}

/** Runs with the given faults, and counts the calls. */
function withDisk(fault: typeof disk.fault, action: () => void): string[] {
  Object.assign(disk, { on: true, calls: [], fault })
  try {
    action()
  } finally {
    disk.on = false
  }
  return disk.calls
}

const root = mkdtempSync(join(tmpdir(), "trilobite-files-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folder = ""
let path = ""
beforeEach(() => {
  folder = mkdtempSync(join(root, "t-"))
  path = join(folder, "net.trilobite")
})
afterEach(() => expect(readdirSync(folder).filter((name) => name.includes("tmp"))).toEqual([]))

const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31) & 255)
const old = new Uint8Array([1, 2, 3])

describe("saveFile", () => {
  test("saves, replaces, and loads again", () => {
    saveFile(path, bytes)
    expect(loadFile(path)).toEqual(bytes)
    saveFile(path, old)
    expect(loadFile(path)).toEqual(old)
    saveFile(path, new Uint8Array(0))
    expect(loadFile(path)).toEqual(new Uint8Array(0))
    expect(readdirSync(folder)).toEqual(["net.trilobite"])
  })

  test("syncs the file before the renaming, and the folder after it", () => {
    const calls = withDisk(undefined, () => saveFile(path, bytes))
    expect(calls).toEqual([
      "openSync",
      "writeSync",
      "fsyncSync",
      "closeSync",
      "renameSync",
      "openSync",
      "fsyncSync",
      "closeSync",
    ])
  })

  test("a new file gets the usual permissions, a replaced one keeps its own", () => {
    saveFile(path, bytes)
    writeFileSync(join(folder, "usual"), "")
    const mode = (file: string): number => statSync(file).mode & 0o777
    expect(mode(path)).toBe(mode(join(folder, "usual")))
    for (const kept of [0o600, 0o640, 0o666]) {
      chmodSync(path, kept)
      saveFile(path, bytes)
      expect(mode(path)).toBe(kept)
    }
  })

  test("goes on after short writes", () => {
    const calls = withDisk(
      (call, _, args) => {
        if (call === "writeSync" && (args[3] as number) > 1000) args[3] = 1000
        return undefined
      },
      () => saveFile(path, bytes),
    )
    expect(calls.filter((call) => call === "writeSync")).toHaveLength(5)
    expect(loadFile(path)).toEqual(bytes)
  })

  const faults: [Call, number, string, RegExp][] = [
    ["openSync", 1, "EACCES", /cannot create a file in its folder.*no permission/],
    ["openSync", 1, "EROFS", /read-only.*another folder/],
    ["openSync", 1, "EMFILE", /too many open files.*ulimit -n/],
    ["writeSync", 1, "ENOSPC", /cannot write the file.*disk is full.*5000 bytes are needed, \d+ are free/],
    ["writeSync", 1, "EDQUOT", /quota.*5000 bytes are needed/],
    ["writeSync", 1, "EFBIG", /larger than allowed/],
    ["writeSync", 1, "EIO", /device reported an error/],
    ["fchmodSync", 1, "EPERM", /no permission/],
    ["fsyncSync", 1, "EIO", /cannot write the file.*device reported/],
    ["closeSync", 1, "EIO", /cannot write the file/],
    ["renameSync", 1, "EXDEV", /cannot put the file in its place/],
    ["renameSync", 1, "EISDIR", /cannot put the file in its place.*it is a folder/],
  ]
  test.each(faults)("%s %i failing with %s leaves the old file as it was", (name, nth, code, message) => {
    writeFileSync(path, old)
    const fault = (call: string, n: number): unknown => (call === name && n === nth ? fail(code) : undefined)
    withDisk(fault, () => expectError(() => saveFile(path, bytes), "E_IO", path, message))
    expect(disk.calls.filter((call) => call === "fsyncSync").length).toBeLessThanOrEqual(1)
    expect(readdirSync(folder)).toEqual(["net.trilobite"])
    expect(loadFile(path)).toEqual(old)
  })

  test("a write that stops short without an error is an error, with the sizes", () => {
    writeFileSync(path, old)
    const fault = (call: string, n: number, args: unknown[]): unknown => {
      if (call === "writeSync" && n === 1) args[3] = 4096
      return call === "writeSync" && n === 2 ? 0 : undefined
    }
    withDisk(fault, () =>
      expectError(() => saveFile(path, bytes), "E_IO", path, /only 4096 of 5000.*5000 bytes are needed/),
    )
    expect(loadFile(path)).toEqual(old)
  })

  test("a folder that cannot be synced is an error if the disk says so, and none if it cannot be done", () => {
    const fault =
      (name: string) =>
      (call: string, n: number): unknown =>
        call === "fsyncSync" && n === 2 ? fail(name) : undefined
    withDisk(fault("EIO"), () => expectError(() => saveFile(path, bytes), "E_IO", path, /cannot confirm/))
    expect(loadFile(path)).toEqual(bytes)
    withDisk(fault("EINVAL"), () => saveFile(path, old))
    expect(loadFile(path)).toEqual(old)
  })

  test("cleaning up that fails too does not hide the first error", () => {
    const fault = (call: string): unknown => {
      if (call === "writeSync") fail("ENOSPC")
      return call === "closeSync" ? fail("EIO") : undefined
    }
    withDisk(fault, () => expectError(() => saveFile(path, bytes), "E_IO", path, /disk is full/))
  })

  test("refuses folders, links, devices and paths that lead nowhere", () => {
    mkdirSync(join(folder, "dir"))
    writeFileSync(join(folder, "file"), old)
    symlinkSync(join(folder, "file"), join(folder, "link"))
    const cases: [string, RegExp][] = [
      [join(folder, "dir"), /a folder.*Name a file inside it/],
      [join(folder, "link"), /symbolic link.*points to/],
      ["/dev/null", /a device/],
      [join(folder, "none", "net"), /ENOENT.*There is no folder .*none: create it first/],
      [join(folder, "file", "net"), /ENOTDIR/],
      ["", /./],
      [`${folder}/a\0b`, /cannot be a path/],
    ]
    for (const [target, message] of cases) expectError(() => saveFile(target, bytes), "E_IO", target, message)
    expectError(() => saveFile(join(folder, "n".repeat(300)), bytes), "E_IO", "nnn", /ENAMETOOLONG.*shorter/)
    expect(loadFile(join(folder, "file"))).toEqual(old)
    expect(existsSync("/dev/null")).toBe(true)
  })

  test("no permission", () => {
    const asRoot = process.getuid?.() === 0
    chmodSync(root, 0o755)
    chmodSync(folder, 0o555)
    // Root may write everywhere: become nobody for a moment.
    if (asRoot) process.seteuid?.(65534)
    try {
      expectError(() => saveFile(path, bytes), "E_IO", path, /EACCES \(no permission\)/)
    } finally {
      if (asRoot) process.seteuid?.(0)
      chmodSync(folder, 0o755)
    }
  })
})

describe("loadFile", () => {
  test("refuses everything but regular files of a bearable size", () => {
    mkdirSync(join(folder, "dir"))
    execFileSync("mkfifo", [join(folder, "pipe")])
    saveFile(path, old)
    symlinkSync(path, join(folder, "link"))
    writeFileSync(join(folder, "large"), "")
    truncateSync(join(folder, "large"), modelFileLimit + 1)
    const cases: [string, ErrorCode, RegExp][] = [
      [join(folder, "dir"), "E_MODEL", /got a folder/],
      [join(folder, "pipe"), "E_MODEL", /got a device or a pipe/],
      ["/dev/zero", "E_MODEL", /got a device or a pipe/],
      [join(folder, "link"), "E_MODEL", /got a symbolic link.*points to/],
      [join(folder, "large"), "E_MODEL", /at most 2147483648 bytes, got 2147483649 bytes/],
      [join(folder, "none"), "E_IO", /ENOENT/],
      [`${folder}/a\0b`, "E_IO", /cannot be a path/],
    ]
    for (const [target, code, message] of cases) expectError(() => loadFile(target), code, target, message)
    expect(errorOf(() => loadFile(join(folder, "none"), "the best model")).where).toBe("the best model")
  })

  test("refuses a file that shrinks or grows while it is read, and reports a failing disk", () => {
    saveFile(path, bytes)
    const shrink = (call: string, n: number, args: unknown[]): unknown => {
      if (call === "readSync" && n === 1) args[3] = 1000
      if (call === "readSync" && n === 2) truncateSync(path, 1000)
      return undefined
    }
    withDisk(shrink, () => expectError(() => loadFile(path), "E_MODEL", path, /changed while it was read.*writing it/))
    const grow = (call: string, n: number): unknown => {
      if (call === "readSync" && n === 1) writeFileSync(path, new Uint8Array(2000))
      return undefined
    }
    withDisk(grow, () => expectError(() => loadFile(path), "E_MODEL", path, /changed while it was read/))
    const broken = (call: string): unknown => (call === "readSync" ? fail("EIO") : undefined)
    withDisk(broken, () => expectError(() => loadFile(path), "E_IO", path, /cannot read the file.*EIO/))
    expect(disk.calls.at(-1)).toBe("closeSync")
    expect(readFileSync(path)).toHaveLength(2000)
  })
})
