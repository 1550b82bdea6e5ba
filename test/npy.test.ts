// Files of rows: npy headers, reading rows in any order from disk, files that lie, and training on them.
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { afterAll, describe, expect, test } from "vitest"
import { permutation } from "../src/core/order.ts"
import { openRows } from "../src/data/node-rows.ts"
import { npyRows, parseNpyHeader } from "../src/data/npy.ts"
import { fileDataset, idxFile, npyFile } from "../src/datasets.ts"
import { bitsOf, expectRefusal, range, smallNet, threeClasses, wrong } from "./support/training.ts"

const FOLDER = mkdtempSync(join(tmpdir(), "trilobite-npy-"))
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

/** The bytes of an npy file. */
function npy(descr: string, shape: string, data: Uint8Array, { version = 1, order = "False" } = {}): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`
  const header = Buffer.from(`${text.padEnd(117)}\n`)
  const length = Buffer.alloc(version === 1 ? 2 : 4)
  if (version === 1) length.writeUInt16LE(header.length)
  else length.writeUInt32LE(header.length)
  return Buffer.concat([Buffer.from("\x93NUMPY", "latin1"), Buffer.from([version, 0]), length, header, data])
}

const bytes = (values: Float32Array | Int32Array): Uint8Array => new Uint8Array(values.buffer)
let count = 0
function file(content: Uint8Array): string {
  const path = join(FOLDER, `${count++}.npy`)
  writeFileSync(path, content)
  return path
}

describe("headers", () => {
  const floats = bytes(Float32Array.from(range(0, 6)))
  test.each([
    ["<f4", "2, 3", 1, "float32", [2, 3]],
    ["<f4", "6,", 1, "float32", [6]],
    ["<i4", "2, 3", 2, "int32", [2, 3]],
    ["|u1", "2, 3, 4", 3, "uint8", [2, 3, 4]],
    ["|b1", "24,", 1, "uint8", [24]],
  ] as const)("%s (%s), version %d", (descr, shape, version, dtype, sizes) => {
    const header = parseNpyHeader(npy(descr, shape, floats, { version }), "a.npy")
    expect({ ...npyRows(header, "a.npy"), length: header.length }).toEqual({
      dtype,
      shape: sizes,
      length: (version === 1 ? 10 : 12) + 118,
    })
  })

  test("as NumPy writes it, without padding and in another order of entries", () => {
    const text = "{'shape': (3,), 'fortran_order': True, 'descr': '|u1'}\n"
    const head = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(text.length)}\x00${text}abc`, "latin1")
    const header = parseNpyHeader(head, "a.npy")
    expect(header).toEqual(
      expect.objectContaining({ descr: "|u1", fortran: true, shape: [3], length: 10 + text.length }),
    )
    expect(npyRows(header, "a.npy")).toEqual({ dtype: "uint8", shape: [3] })
  })

  const good = npy("<f4", "2, 3", floats)
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /not an npy file.*empty/],
    ["another file", Buffer.from("PK\u0003\u0004 an npz"), /not an npy file.*zip archive/],
    ["a cut header", good.subarray(0, 60), /cut short/],
    ["a magic word alone", good.subarray(0, 9), /cut short/],
    ["a version to come", Buffer.from(good).fill(9, 6, 7), /Expected 1 to 3, got 9/],
    ["pickles", npy("|O", "2,", floats), /pickle may run any code/],
    ["a structure", npy("x', 'y", "2,", floats), /does not say/],
    ["float64", npy("<f8", "3,", floats), /astype\("float32"\)/],
    ["int64", npy("<i8", "3,", floats), /astype\("int32"\)/],
    ["big-endian", npy(">f4", "6,", floats), /not read.*astype/],
    ["column-major", npy("<f4", "2, 3", floats, { order: "True" }), /ascontiguousarray/],
    ["no dimension", npy("<f4", "", floats), /no rows/],
    ["no row", npy("<f4", "0, 3", floats), /no rows/],
    ["no dictionary", Buffer.concat([good.subarray(0, 10), Buffer.alloc(118, 32)]), /does not say/],
    ["a row too few", good.subarray(0, good.length - 1), /cut short.*152 bytes, got 151/],
    ["a byte too many", Buffer.concat([good, Buffer.from([0])]), /goes on after/],
  ])("%s is refused", async (_, content, message) => {
    await expectRefusal(() => npyFile(file(content)), "E_DATA", message)
  })

  test("files that are not there, folders, options", async () => {
    await expectRefusal(() => npyFile(join(FOLDER, "nothing.npy")), "E_IO", /no such file/)
    mkdirSync(join(FOLDER, "sub"))
    await expectRefusal(() => npyFile(join(FOLDER, "sub")), "E_DATA", /a folder/)
    await expectRefusal(() => npyFile(file(good), wrong({ scaled: true })), "E_CONFIG", /Did you mean "scale"/)
    await expectRefusal(() => npyFile(file(good), { scale: true }), "E_CONFIG", /only bytes/)
    await expectRefusal(() => npyFile(file(good), { shape: [4] }), "E_CONFIG", /3 elements, as in \[3\], got \[4\]/)
    await expectRefusal(() => npyFile(wrong(7)), "E_CONFIG", /not a path/)
    await expectRefusal(() => idxFile(file(good)), "E_DATA", /not an IDX file/)
    await expectRefusal(() => fileDataset({ x: npyFile(file(good)), y: wrong([1]) }), "E_CONFIG", /no column/)
    const three = npyFile(file(npy("|u1", "3,", new Uint8Array(3))))
    await expectRefusal(() => fileDataset({ x: npyFile(file(good)), y: three }), "E_DATA", /Expected 2.*got 3/)
  })
})

describe("rows by position", () => {
  /** A file of numbered rows that is not held in memory. */
  function numbered(rows: number, rowBytes: number) {
    const content = new Uint8Array(5 + rows * rowBytes).fill(255, 0, 5)
    for (let r = 0; r < rows; r++) for (let j = 0; j < rowBytes; j++) content[5 + r * rowBytes + j] = (r * 7 + j) % 251
    const path = file(content)
    return { path, row: (r: number) => [...content.subarray(5 + r * rowBytes, 5 + (r + 1) * rowBytes)], content }
  }

  test.each([
    [1000, 1],
    [1000, 40],
    [300, 5000],
    [3, 1_200_000],
  ])("%d rows of %d bytes in any order", (rows, rowBytes) => {
    const { path, row } = numbered(rows, rowBytes)
    for (const resident of [0, 1 << 30]) {
      const open = openRows(path, 5, () => ({ start: 5, rowBytes, rows }), resident)
      const orders = [
        range(0, rows),
        range(0, rows).reverse(),
        [...permutation(rows, 1, 0)],
        [rows - 1],
        [1, 2, 0, 2, 2],
      ]
      for (const order of orders) {
        const into = new Uint8Array(order.length * rowBytes)
        open.read(Int32Array.from(order), into)
        const wanted = order.map((r, i) =>
          Buffer.compare(Buffer.from(row(r)), into.subarray(i * rowBytes, (i + 1) * rowBytes)),
        )
        expect(wanted.every((difference) => difference === 0)).toBe(true)
      }
      open.close()
    }
  })

  test("a file that shrinks, and one that has been closed", async () => {
    const { path } = numbered(100, 10)
    const open = openRows(path, 5, () => ({ start: 5, rowBytes: 10, rows: 100 }), 0)
    const fd = openSync(path, "r+")
    ftruncateSync(fd, 500)
    closeSync(fd)
    open.read(Int32Array.of(3, 4), new Uint8Array(20))
    await expectRefusal(() => open.read(Int32Array.of(3, 77), new Uint8Array(20)), "E_DATA", /shrank.*at least 785/)
    open.close()
    open.close()
    await expectRefusal(() => open.read(Int32Array.of(3), new Uint8Array(10)), "E_DATA", /closed/)
  })
})

test.each([true, false])("training on npy files gives the bits of training in memory, shuffle %s", async (shuffle) => {
  const { x, y } = threeClasses(50)
  const dataset = fileDataset({
    x: npyFile(file(npy("<f4", "50, 4", bytes(x.data)))),
    y: npyFile(file(npy("<f4", "50, 3", bytes(y.data)))),
  })
  const options = { verbose: 0, batchSize: 8, epochs: 3, shuffle } as const
  const [streamed, inMemory] = [smallNet(), smallNet()]
  const { history } = await streamed.fit(dataset, { ...options, validationData: dataset })
  expect(history).toEqual((await inMemory.fit(x, y, { ...options, validationData: [x, y] })).history)
  expect(bitsOf(streamed)).toEqual(bitsOf(inMemory))
  expect(await streamed.predict(dataset)).toEqual(await inMemory.predict(x))
  dataset.close()
  await expectRefusal(() => streamed.predict(dataset), "E_DATA", /closed/)
})

test("a file is open as long as somebody can read it", async () => {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  const path = file(npy("|u1", "4,", Uint8Array.of(1, 2, 3, 4)))
  const { read } = openRows(path, 128, () => ({ start: 128, rowBytes: 1, rows: 4 }), 0)
  const opened = (): number => readdirSync("/proc/self/fd").length
  const before = process.platform === "linux" ? opened() : 0
  const drop = (): void => range(0, 20).forEach(() => void npyFile(path))
  drop()
  for (let i = 0; i < 50; i++) {
    collect()
    await sleep(10)
    if (process.platform !== "linux" || opened() <= before) break
  }
  if (process.platform === "linux") expect(opened()).toBeLessThanOrEqual(before)
  const into = new Uint8Array(2)
  read(Int32Array.of(3, 1), into)
  expect([...into]).toEqual([4, 2])
})
