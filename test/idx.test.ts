// IDX files and their compression: every bad file of list X is refused with its place and advice, good ones round-trip.
import { execFileSync } from "node:child_process"
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { type ErrorCode, TrilobiteError } from "../src/core/errors.ts"
import { type IdxExpectation, parseIdx } from "../src/data/idx.ts"
import { expansionLimits, fileLimit, gunzip, readExactly, readIdx } from "../src/data/node-file.ts"
import { expectError } from "./support/errors.ts"
import { generator, mutant } from "./support/mutate.ts"

const folder = mkdtempSync(join(tmpdir(), "trilobite-idx-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** An IDX file's bytes. */
function idx(type: number, shape: readonly number[], payload: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length))
  header.setUint32(0, (type << 8) | shape.length)
  for (const [i, n] of shape.entries()) header.setUint32(4 + 4 * i, n)
  return joined(new Uint8Array(header.buffer), payload)
}

const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const text = (s: string): Uint8Array => new TextEncoder().encode(s)
const payload = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 37) & 255)
const images = idx(0x08, [3, 4, 5], payload(60))
const labels = idx(0x08, [3], payload(3))
const gz = new Uint8Array(gzipSync(images))
const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at < 0 ? bytes.length + at : at, 0x5a)

describe("parseIdx", () => {
  const anyImages: IdxExpectation = { shape: [-1, 4, 5], dtype: "uint8" }
  const cases: [string, Uint8Array, IdxExpectation, RegExp][] = [
    ["X1 bad magic", text("NOTANIDXFILE"), {}, /not an IDX file.*4e 4f 54 41/],
    ["X1 one byte", new Uint8Array([7]), {}, /not an IDX file/],
    ["X2 label file as images", labels, anyImages, /looks like a file of labels/],
    ["X2 image file as labels", images, { shape: [-1] }, /looks like a file of images/],
    [
      "X2 other image size",
      images,
      { shape: [-1, 28, 28] },
      /\[any number, 28, 28\], got \[3, 4, 5\].*file that you meant/,
    ],
    ["X2 other element type", idx(0x0c, [1], payload(4)), { dtype: "uint8" }, /Expected uint8, got int32/],
    ["X3 type byte 0x0a", idx(0x0a, [3], payload(3)), {}, /type byte 0x0a.*damaged/],
    ["X3 float64", idx(0x0e, [1], payload(8)), {}, /got float64.*Convert it to float32/],
    ["X4 no dimensions", idx(0x08, [], payload(1)), {}, /1 to 8 dimensions, got 0/],
    ["X5 255 dimensions", joined(new Uint8Array([0, 0, 8, 255]), payload(2000)), {}, /1 to 8 dimensions, got 255/],
    ["X5 9 dimensions", idx(0x08, [1, 1, 1, 1, 1, 1, 1, 1, 1], payload(1)), {}, /got 9/],
    ["X6 2^32 - 1 items", idx(0x08, [4_294_967_295, 28, 28], payload(9)), {}, /too many elements.*2147483647/],
    ["X6 eight huge sizes", idx(0x0d, new Array<number>(8).fill(4_294_967_295), payload(9)), {}, /too many elements/],
    ["X6 2^31 - 1 items", idx(0x0c, [2_147_483_647], payload(9)), {}, /cut short.*8589934596 bytes/],
    ["X8 one short", images.slice(0, -1), {}, /cut short.*Expected 76 bytes.*got 75.*again/],
    ["X9 one long", joined(images, payload(1)), {}, /goes on.*Expected 76 bytes.*got 77.*original/],
    ["X10 a label too few", idx(0x08, [59_999], payload(59_999)), { shape: [60_000] }, /\[60000\], got \[59999\]/],
    ["X11 empty", new Uint8Array(0), {}, /the file is empty.*cut short/],
    ["V17 no items", idx(0x08, [0, 28, 28], payload(0)), {}, /no elements/],
    ["X22 error page", text("\r\n <!DOCTYPE html><html><body>404</body></html>"), {}, /web page.*download/],
    ["X22 page with BOM", text("\ufeff<html>"), {}, /web page/],
    ["X23 LFS pointer", text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), {}, /git lfs pull/],
    ["gzip, unpacked by nobody", gz, {}, /gzip.*decompress/],
    ["zip", text("PK\u0003\u0004......"), {}, /zip archive/],
  ]
  test.each(cases)("%s is refused", (_, bytes, expectation, message) => {
    expectError(() => parseIdx(bytes, "some.idx", expectation), "E_DATA", "some.idx", message)
  })

  test("X7 every truncation is refused", () => {
    for (let n = 0; n < images.length; n++) {
      expectError(() => parseIdx(images.slice(0, n), "cut.idx"), "E_DATA", "cut.idx", /empty|cut short/)
    }
  })

  const be = (write: (view: DataView) => void, n: number): Uint8Array => {
    const view = new DataView(new ArrayBuffer(n))
    write(view)
    return new Uint8Array(view.buffer)
  }
  test.each([
    ["uint8", idx(0x08, [2], new Uint8Array([0, 255])), new Uint8Array([0, 255])],
    ["int8", idx(0x09, [2], new Uint8Array([0x80, 0x7f])), new Int32Array([-128, 127])],
    ["int16", idx(0x0b, [2], new Uint8Array([0x80, 0, 1, 2])), new Int32Array([-32768, 258])],
    ["int32", idx(0x0c, [2], new Uint8Array([0x80, 0, 0, 0, 0, 0, 1, 2])), new Int32Array([-2147483648, 258])],
    [
      "float32",
      idx(
        0x0d,
        [1],
        be((v) => v.setFloat32(0, -0.1), 4),
      ),
      new Float32Array([-0.1]),
    ],
  ])("X3 %s is read", (_, bytes, data) => {
    // An odd offset: nothing may depend on alignment.
    const odd = joined(new Uint8Array(1), bytes).subarray(1)
    expect(parseIdx(odd, "t").data).toEqual(data)
  })

  test("any shape and any bits round-trip", () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 })
    const kinds = fc.constantFrom([0x08, 1] as const, [0x0c, 4] as const, [0x0d, 4] as const)
    const property = fc.property(shapes, kinds, fc.nat(), (shape, [type, width], seed) => {
      const next = generator(seed)
      const n = shape.reduce((a, b) => a * b, 1)
      if (n > 2000) return
      const bytes = idx(
        type,
        shape,
        Uint8Array.from({ length: n * width }, () => next(256)),
      )
      const back = parseIdx(bytes, "t")
      expect(back.shape).toEqual(shape)
      const raw = new Uint8Array(back.data.buffer, back.data.byteOffset, back.data.byteLength).slice()
      for (let i = 0; i < raw.length; i += width) raw.subarray(i, i + width).reverse()
      expect(idx(type, shape, raw)).toEqual(bytes)
    })
    fc.assert(property, { numRuns: 200, seed: 1 })
  })
})

describe("files", () => {
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes)
    return join(folder, name)
  }
  const pipe = join(folder, "pipe")
  execFileSync("mkfifo", [pipe])
  mkdirSync(join(folder, "dir"))
  const large = file("large.idx", new Uint8Array(1))
  truncateSync(large, fileLimit + 1)
  const bomb = new Uint8Array(gzipSync(new Uint8Array(2_000_000)))
  const cases: [string, string, ErrorCode, RegExp][] = [
    ["X11 empty", file("empty", new Uint8Array(0)), "E_DATA", /the file is empty/],
    ["X12 gz cut short", file("cut.gz", gz.slice(0, -9)), "E_DATA", /compressed file is cut short.*again/],
    ["X12 gz header only", file("head.gz", gz.slice(0, 2)), "E_DATA", /compressed file is cut short/],
    ["X13 gz CRC", file("crc.gz", flipped(gz, -6)), "E_DATA", /damaged.*data check.*again/],
    ["X14 ISIZE", file("isize.gz", flipped(gz, -1)), "E_DATA", /damaged.*length check/],
    ["X15 bomb", file("bomb.gz", bomb), "E_DATA", /expands too far.*1000 times.*4294967296/],
    ["X16 a member too many", file("twice.gz", joined(gz, gz)), "E_DATA", /goes on.*Expected 76 bytes.*got 152/],
    ["X17 junk after gz", file("junk.gz", joined(gz, text("junk"))), "E_DATA", /damaged/],
    ["X17 zeros after gz", file("zeros.gz", joined(gz, new Uint8Array(5))), "E_DATA", /goes on.*5 bytes more/],
    ["X19 folder", join(folder, "dir"), "E_DATA", /not a regular file.*folder.*Name a file/],
    ["X20 pipe", pipe, "E_DATA", /not a regular file.*pipe/],
    ["X20 /dev/zero", "/dev/zero", "E_DATA", /not a regular file.*device/],
    ["too large", large, "E_DATA", /too large.*at most 2147483648 bytes, got 2147483649/],
    ["X22 error page named .gz", file("page.gz", text("<html>404</html>")), "E_DATA", /web page/],
    ["X24 missing", join(folder, "none"), "E_IO", /ENOENT \(no such file.*Check the path/],
    ["X24 in a file", join(folder, "empty", "none"), "E_IO", /ENOTDIR/],
    ["NUL in the path", `${folder}/a\0b`, "E_IO", /cannot be a path/],
  ]
  test.each(cases)("%s is refused", (_, path, code, message) => {
    // A control character in the path is shown as an escape in the message, and as it came in `where`.
    expectError(() => readIdx(path), code, path, message)
  })

  test("X24 unreadable: no permission", () => {
    const path = file("private", images)
    chmodSync(path, 0)
    chmodSync(folder, 0o755)
    const root = process.getuid?.() === 0
    // Root may read everything: become nobody for a moment.
    if (root) process.seteuid?.(65534)
    try {
      expectError(() => readIdx(path), "E_IO", path, /EACCES \(no permission\).*permissions/)
    } finally {
      if (root) process.seteuid?.(0)
    }
  })

  test("X21 a file that shrinks or grows while it is read", () => {
    const path = file("moving", payload(100))
    for (const [size, message] of [
      [101, /shrank.*Expected 101 bytes, got 100.*writing it/],
      [99, /grew.*Expected 99 bytes/],
    ] as const) {
      const fd = openSync(path, "r")
      expectError(() => readExactly(fd, size, path), "E_DATA", path, message)
      closeSync(fd)
    }
  })

  test("X16 members that together are one file, X18 plain file named .gz, gz file named plainly", () => {
    const halves = [images.slice(0, 30), images.slice(30)].map((half) => new Uint8Array(gzipSync(half)))
    const expected = parseIdx(images, "t")
    expect(readIdx(file("halves.gz", joined(...halves)))).toEqual(expected)
    expect(readIdx(file("plain.gz", images))).toEqual(expected)
    expect(readIdx(file("packed", gz), { shape: [-1, 4, 5], dtype: "uint8" })).toEqual(expected)
  })
})

describe("fuzz", () => {
  test("damaged files give a typed error or a valid tensor, never anything else", () => {
    const seeds = [images, labels, idx(0x0c, [2, 2], payload(16)), idx(0x0d, [3, 1, 2], payload(24)), gz]
    const next = generator(20_261_123)
    let refused = 0
    for (let i = 0; i < 5000; i++) {
      const bytes = mutant(seeds[next(seeds.length)]!, seeds[next(seeds.length)]!, next)
      try {
        const plain = i % 2 === 0 && bytes[0] === 0x1f ? gunzip(bytes, "fuzz") : bytes
        const { data, shape } = parseIdx(plain, "fuzz")
        expect(data.length).toBe(shape.reduce((a, b) => a * b, 1))
        expect(data.length).toBeLessThanOrEqual(plain.length)
      } catch (error) {
        if (!(error instanceof TrilobiteError && error.code === "E_DATA" && error.where === "fuzz")) throw error
        refused++
      }
    }
    // Most mutants are damaged where it can be seen; some only have other elements.
    expect(refused).toBeGreaterThan(2500)
    expect(refused).toBeLessThan(5000)
    expect(expansionLimits.ratio).toBe(1000)
  })
})
