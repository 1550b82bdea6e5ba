// Damaged files: every reader answers every mutant of a valid file with a table, an array, pixels, or a typed error, in time, in
// bounded memory and without touching what all objects share. TRILOBITE_FUZZ says how many mutants a reader gets (CI: 50,000).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { parquetWriteBuffer } from "hyparquet-writer"
import { afterAll, expect, test } from "vitest"
import { TrilobiteError } from "../src/core/errors.ts"
import { parseIdx } from "../src/data/idx.ts"
import { parseNpz } from "../src/data/node-arrays.ts"
import { decodeImage } from "../src/data/node-images.ts"
import { parseNpy } from "../src/data/npy.ts"
import { readTable } from "../src/datasets.ts"
import { image, npyOf, zip } from "./support/archives.ts"
import { generator, mutant } from "./support/mutate.ts"

const MUTANTS = Number(process.env.TRILOBITE_FUZZ ?? 300)
const FOLDER = mkdtempSync(join(tmpdir(), "trilobite-fuzz-"))
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

/** Reads bytes as a file of this name. */
const asFile = (name: string) => (bytes: Uint8Array) => {
  const path = join(FOLDER, name)
  writeFileSync(path, bytes)
  return readTable(path)
}

const text = (...lines: string[]): Buffer => Buffer.from(lines.join("\n"))
const random = generator(7)
const noisy = (row: number, column: number): [number, number, number] => [row * 9, column * 9, random(256)]
const numpy = JSON.parse(readFileSync(new URL("./fixtures/numpy.json", import.meta.url), "utf8")) as Record<
  string,
  string
>
const written = (...names: string[]): Buffer[] => names.map((name) => Buffer.from(numpy[name]!, "base64"))
const columnData = [
  { name: "size", data: [1.5, 2.5, null, 4], type: "DOUBLE" as const },
  { name: "count", data: [1n, 2n, 3n, 4n], type: "INT64" as const },
  { name: "kind", data: ["a", "b", "a", null], type: "STRING" as const },
  { name: "alive", data: [true, false, true, true], type: "BOOLEAN" as const },
]
const csv = [
  text("a,b,c", "1,x,2.5", "-3e4,y,", "NA,z,0.001", ""),
  text('a;"b ""q"""', '1;"x; y"', '2;"line', 'break"', ""),
  text("1\t2\t3", "4\t5\t6"),
  text("\ufeffname,größe\r", "ä,1\r", "ö,2\r", ""),
]
const idx = Buffer.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])

/** What is fuzzed, and the valid files that the mutants come from. */
const targets: readonly (readonly [string, readonly Uint8Array[], (bytes: Uint8Array) => unknown])[] = [
  ["CSV", csv, asFile("a.csv")],
  ["CSV in gzip", csv.map((one) => gzipSync(one)), asFile("a.csv.gz")],
  [
    "JSON lines",
    [text('{"a":1,"b":"x"}', '{"a":null,"b":"\\u00e4"}', '{"c":true}'), text('[{"a":1},{"a":2}]')],
    asFile("a.jsonl"),
  ],
  ["npy", written("<f4", ">f8", "|u1", "<i8", "fortran", "<f2"), (bytes) => parseNpy(bytes, "a.npy")],
  [
    "npz",
    [...written("npz", "npz_compressed"), zip([{ name: "x.npy", bytes: npyOf([1, 2, 3]), packed: true }])],
    (bytes) => parseNpz(bytes, "a.npz"),
  ],
  [
    "IDX",
    [idx, Buffer.concat([Buffer.from([0, 0, 13, 1, 0, 0, 0, 2]), Buffer.alloc(8)])],
    (bytes) => parseIdx(bytes, "a.idx"),
  ],
  [
    "Parquet",
    (["SNAPPY", "UNCOMPRESSED", "ZSTD"] as const).flatMap((codec) =>
      [2, 100].map((rowGroupSize) =>
        Buffer.from(parquetWriteBuffer({ columnData, codec, compressors: { ZSTD: zstdCompressSync }, rowGroupSize })),
      ),
    ),
    asFile("a.parquet"),
  ],
  ["PNG", [image("png", 9, 7, noisy), image("png", 3, 3, () => [1, 2, 3])], (bytes) => decodeImage(bytes, "a.png")],
  [
    "JPEG",
    [image("jpeg", 24, 17, noisy), image("jpeg", 8, 8, () => [9, 9, 9])],
    (bytes) => decodeImage(bytes, "a.jpg"),
  ],
]

const shared = (): string[] =>
  [Object, Array, Function, String].flatMap(({ prototype }) => Reflect.ownKeys(prototype).map((key) => String(key)))

test.each(targets)("%s", { timeout: 3_600_000 }, async (name, files, read) => {
  const before = shared()
  // A Buffer's slice is no copy.
  const seeds = files.map((file) => Uint8Array.from(file))
  const next = generator(1)
  let [read_, refused, slowest] = [0, 0, 0]
  for (const seed of seeds) await read(seed)
  const memory = process.memoryUsage().rss
  for (let i = 0; i < MUTANTS; i++) {
    const bytes = mutant(seeds[next(seeds.length)]!, seeds[next(seeds.length)]!, next)
    const started = performance.now()
    try {
      await read(bytes)
      read_++
    } catch (error) {
      const found = Buffer.from(bytes).toString("base64")
      if (!(error instanceof TrilobiteError))
        throw new Error(`${name}, mutant ${i}: ${String(error)}\n${found}`, { cause: error })
      expect(["E_DATA", "E_IO"], `${error.message}\n${found}`).toContain(error.code)
      refused++
    }
    const took = performance.now() - started
    if (took > 2000) throw new Error(`${name}, mutant ${i} took ${took} ms\n${Buffer.from(bytes).toString("base64")}`)
    slowest = Math.max(slowest, took)
  }
  console.log(`${name}: ${read_} read, ${refused} refused, the slowest took ${slowest.toFixed(0)} ms`)
  // Mutants that are read show that the damage is fine enough to pass the first check.
  expect(refused).toBeGreaterThan(0)
  expect(process.memoryUsage().rss - memory).toBeLessThan(512 * 1_048_576)
  expect(shared()).toEqual(before)
})
