// Bad input by the catalogue, section 6 of the rules of reliability: the cases that have no place in the tests of their readers, and that
// none is forgotten. The others stand where their number is named: V bad-input, X idx, K and P readers, T safetensors, Z formats-hostile,
// J json, cli and cli-tables.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { checkConfig } from "../cli/config-file.ts"
import { warningText } from "../cli/output.ts"
import { scoresText, shortened } from "../cli/scores.ts"
import { tableText } from "../cli/tables.ts"
import { writeZip } from "../src/core/zip.ts"
import { prepare, readTable } from "../src/datasets.ts"
import { openHdf5 } from "../src/formats/hdf5.ts"
import { dense, loadModel, modelFromBytes, sequential, TrilobiteError } from "../src/index.ts"

const folder = mkdtempSync(join(tmpdir(), "trilobite-catalogue-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
const golden = (name: string): Buffer => readFileSync(new URL(`./golden/keras/${name}`, import.meta.url))

/** Reads a model and says how it was refused: exit code, and whether its place is named. */
async function refused(read: () => unknown, message: RegExp): Promise<void> {
  const error = await (async () => read())().then(
    () => new Error("this was read"),
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(TrilobiteError)
  expect(error).toMatchObject({ code: "E_MODEL", exitCode: 5, message: expect.stringMatching(message) })
  expect((error as TrilobiteError).where).toMatch(/bad/)
}

describe("zip", () => {
  const two = (): Buffer => Buffer.from(writeZip([["config.json", Buffer.from("{}")], ["metadata.json", Buffer.from("{}")]])) // biome-ignore format: one row
  const end = 22

  test("Z4 members that overlap", async () => {
    const bytes = two()
    const second = bytes.lastIndexOf("PK\u0001\u0002")
    bytes.writeUInt32LE(0, second + 42)
    await refused(() => modelFromBytes(bytes, "bad.keras"), /overlaps another/)
  })

  test("Z5 members that are too large together, whatever each of them declares", async () => {
    const packed = Buffer.alloc(480_000)
    const bytes = Buffer.from(writeZip(Array.from({ length: 10 }, (_, i) => [`${i}`, packed] as const)))
    for (let i = bytes.indexOf("PK\u0001\u0002"); i >= 0; i = bytes.indexOf("PK\u0001\u0002", i + 4)) {
      bytes.writeUInt16LE(8, i + 10)
      bytes.writeUInt32LE(479_000_000, i + 24)
    }
    await refused(() => modelFromBytes(bytes, "bad.keras"), /too large together/)
  })

  test("Z8 an end that stands twice", async () => {
    const bytes = two()
    await refused(() => modelFromBytes(Buffer.concat([bytes, bytes.subarray(-end)]), "bad.keras"), /list of members/)
  })
})

describe("HDF5 as newer programs write it", () => {
  const u16 = (n: number): Buffer => Buffer.from([n & 255, n >> 8])
  const u64 = (n: number | bigint): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(n))
    return bytes
  }
  type Message = readonly [type: number, body: Buffer]
  /** A header of version 2: its messages one after another. */
  const header = (...messages: readonly Message[]): Buffer => {
    const all = Buffer.concat(messages.map(([type, body]) => Buffer.concat([Buffer.from([type]), u16(body.length), Buffer.of(0), body]))) // biome-ignore format: one row
    return Buffer.concat([Buffer.from("OHDR"), Buffer.from([2, 1]), u16(all.length), all, Buffer.alloc(4)])
  }
  const ROOT = 48
  /** A link of a kind: 0 to an address, 1 to a path, 64 to another file. */
  const link = (kind: number, name: string, to: Buffer): Message => [6, Buffer.concat([Buffer.from([1, 8, kind, name.length]), Buffer.from(name), to])] // biome-ignore format: one row
  const file = (root: Buffer, ...more: readonly Buffer[]): Buffer => {
    const body = Buffer.concat([root, ...more])
    const start = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 2, 8, 8, 0])
    const places = [u64(0), u64(0xffffffffffffffffn), u64(ROOT + body.length), u64(ROOT), Buffer.alloc(4)]
    return Buffer.concat([start, ...places, body])
  }
  const space = (...shape: readonly number[]): Message => [1, Buffer.concat([Buffer.from([2, shape.length, 0, 1]), ...shape.map(u64)])] // biome-ignore format: one row
  const float32: Message = [3, Buffer.from("112000000400000000002000170800177f000000", "hex")]
  const layout = (version: number, kind: number, ...rest: readonly Buffer[]): Message => [8, Buffer.concat([Buffer.from([version, kind]), ...rest])] // biome-ignore format: one row
  /** A file whose root holds one data set. */
  const withSet = (set: Buffer, ...more: readonly Buffer[]): Buffer => {
    const root = (to: number): Buffer => header(link(0, "set", u64(to)))
    return file(root(ROOT + root(0).length), set, ...more)
  }
  const setPlace = ROOT + header(link(0, "set", u64(0))).length
  const read = async (bytes: Buffer): Promise<unknown> => {
    const set = openHdf5(bytes, "bad.h5").items.get("set")
    return set?.kind === "dataset" ? set.read() : set
  }
  /** Values that lie behind the header of their set. */
  const behind = (n: number, place: (at: number) => Message, ...more: readonly Message[]): Buffer => {
    const set = (to: number): Buffer => header(space(n), float32, place(to), ...more)
    return set(setPlace + set(0).length)
  }
  /** Pieces of four values, found by a tree at an address. */
  const pieces = (tree: number): Message => layout(3, 2, Buffer.of(2), u64(tree), Buffer.from([4, 0, 0, 0, 4, 0, 0, 0]))
  const tree = (level: number, child: number): Buffer => Buffer.concat([Buffer.from("TREE"), Buffer.from([1, level, 1, 0]), Buffer.alloc(16, 255), Buffer.from([16, 0, 0, 0, 0, 0, 0, 0]), u64(0), u64(0), u64(child)]) // biome-ignore format: one row
  const values = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)

  test("good ones are read", async () => {
    const whole = withSet(
      behind(4, (to) => layout(3, 1, u64(to), u64(16))),
      values,
    )
    expect(await read(whole)).toEqual({ dtype: "float32", shape: [4], data: Float32Array.of(1, 2, 3, 4) })
    const treeAt = (set: Buffer): number => setPlace + set.length
    const set = behind(4, pieces)
    const inPieces = withSet(set, tree(0, treeAt(set) + tree(0, 0).length), values)
    expect(await read(inPieces)).toEqual({ dtype: "float32", shape: [4], data: Float32Array.of(1, 2, 3, 4) })
  })

  const away = Buffer.concat([u16(8), Buffer.from("x.h5\0/a\0")])
  const unknown: Message = [11, Buffer.concat([Buffer.from([2, 1]), u16(32_015), u16(0), u16(0), u16(0)])]
  const self = behind(4, pieces)
  const cases: readonly (readonly [what: string, file: Buffer, message: RegExp])[] = [
    ["Z18 a link to another file", file(header(link(64, "set", away))), /link to another file/],
    ["Z19 a link to a path", file(header(link(1, "set", away))), /soft link/],
    ["Z19 a group that holds itself", file(header(link(0, "set", u64(ROOT)))), /second link/],
    ["Z20 values in other files", withSet(header(space(4), float32, layout(3, 1, u64(0), u64(16)), [7, Buffer.alloc(8)])), /in other files/], // biome-ignore format: one row
    ["Z21 a virtual data set", withSet(header(space(4), float32, layout(4, 3, Buffer.alloc(12)))), /virtual data set/],
    ["Z22 a shape beyond the file", withSet(header(space(400_000_000), float32, layout(3, 1, u64(0), u64(16)))), /more than the file can hold/], // biome-ignore format: one row
    ["Z22 a shape beyond all", withSet(header(space(2 ** 40, 2 ** 40), float32, layout(3, 1, u64(0), u64(16)))), /more than the file can hold/], // biome-ignore format: one row
    ["Z22 a piece beyond the file", withSet(header(space(4), float32, layout(3, 2, Buffer.of(2), u64(0), Buffer.alloc(8, 127)))), /pieces of .* too large/], // biome-ignore format: one row
    ["Z23 an address outside the file", withSet(header(space(4), float32, layout(3, 1, u64(2 ** 40), u64(16)))), /outside the file/], // biome-ignore format: one row
    [
      "Z23 a tree that is its own child",
      withSet(self, tree(1, setPlace + self.length)),
      /tree of a data set is damaged/,
    ],
    [
      "Z23 a filter that is not known",
      withSet(behind(4, pieces, unknown), tree(0, 0)),
      /filter is not known.*got 32015/,
    ],
  ]
  test.each(cases)("%s", async (_, bytes, message) => refused(() => read(bytes), message))
})

test("Z24 a file under another name is what its bytes say, and passes the same gate", async () => {
  for (const [file, name] of [
    ["words.h5", "words.keras"],
    ["words.keras", "words.h5"],
    ["words.keras", "words.safetensors"],
  ] as const) {
    // biome-ignore format: one row
    writeFileSync(at(name), golden(file))
    const [own, other] = [await modelFromBytes(golden(file)), await loadModel(at(name))]
    expect(other.getWeights()).toEqual(own.getWeights())
    const cut = golden(file).subarray(0, -9)
    writeFileSync(at(`bad-${name}`), cut)
    const messages = await Promise.all([modelFromBytes(cut, "bad"), loadModel(at(`bad-${name}`))].map((read) => read.then(() => "read", (e: Error) => e.message.replace(/^.*?: /, "")))) // biome-ignore format: one row
    expect(messages[0]).toBe(messages[1])
    expect(messages[0]).not.toBe("read")
  }
})

test("T28 a checksum that is not that of the bytes", async () => {
  const bytes = await sequential([dense({ units: 2, inputShape: [3] })], { seed: 1 }).toBytes()
  const last = bytes.length - 1
  bytes[last]! ^= 1
  await refused(() => modelFromBytes(bytes, "bad.safetensors"), /checksum/)
  bytes[last]! ^= 1
  expect((await modelFromBytes(bytes)).countParams()).toBe(8)
})

// O1 to O14: nothing reads ONNX, so no field of such a file is ever looked at; what we write names no other file (O12, O13).
test("O1 to O14 no file of ONNX is read, good or bad", async () => {
  await sequential([dense({ units: 2, inputShape: [3] })]).save(at("good.onnx"))
  expect(readFileSync(at("good.onnx")).includes("external")).toBe(false)
  copyFileSync(at("good.onnx"), at("bad.onnx"))
  await refused(() => loadModel(at("bad.onnx")), /ONNX files are not read.*Files that are read end in \.safetensors/)
  writeFileSync(at("bad.onnx"), Buffer.alloc(64, 255))
  await refused(() => loadModel(at("bad.onnx")), /ONNX files are not read/)
})

test("J11 the data of a config are what the user names, anywhere; it is a text and nothing is run", () => {
  expect(checkConfig({ data: "../elsewhere/data.csv" }, "config")).toEqual({ data: "../elsewhere/data.csv" })
  expect(() => checkConfig({ data: ["a.csv"] }, "config")).toThrow(/config, data: .*a text/)
})

test("J18 names of files, columns and classes are printed without what a terminal would obey", async () => {
  const evil = "\u001b[31m\u009b2J\u0007\u007f"
  const name = `bad${evil}.csv`
  writeFileSync(
    at(name),
    `a,b${evil},y\n${Array.from({ length: 40 }, (_, i) => `${i},1,${i % 2 ? "x" : evil}`).join("\n")}\n`,
  )
  const table = await readTable(at(name))
  const prepared = prepare(table, { target: "y" })
  expect(prepared.warnings.length).toBeGreaterThan(0)
  const scores = { kind: "classes", rows: 4, accuracy: 1, chance: 0.5, classes: [evil, "x"], confusion: [[2, 0], [0, 2]], mistakes: [] } as const // biome-ignore format: one row
  const texts = [tableText(table, prepared), shortened(evil, 90), scoresText(scores), ...prepared.warnings.map(({ message }) => warningText(message))] // biome-ignore format: one row
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not come
  for (const text of texts) expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  expect(texts.join()).toContain("\\u001b[31m\\u009b2J")
})

test("every case of the catalogue is named where it is tested", () => {
  const sizes = { S: 26, V: 26, X: 24, K: 20, P: 14, T: 28, Z: 24, O: 14, J: 18 }
  const here = new URL(".", import.meta.url)
  const tests = readdirSync(here).filter((name) => name.endsWith(".test.ts"))
  const text = tests.map((name) => readFileSync(new URL(name, here), "utf8")).join("\n")
  const all = Object.entries(sizes).flatMap(([list, n]) => Array.from({ length: n }, (_, i) => `${list}${i + 1}`))
  const ranges = new Set(Array.from({ length: 14 }, (_, i) => `O${i + 1}`))
  const missing = all.filter((id) => !ranges.has(id) && !new RegExp(`\\b${id}\\b`).test(text))
  expect(missing).toEqual([])
})
