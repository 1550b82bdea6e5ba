// Readers of data: tables from CSV, JSON lines, Parquet and arrays, and folders of images; lists K and P of the catalogue of bad
// input, each case with its code, its place and its words.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib"
import { parquetWriteBuffer } from "hyparquet-writer"
import { afterAll, describe, expect, test } from "vitest"
import { decodeImage } from "../src/data/node-images.ts"
import { tableLimits, textAt } from "../src/data/table.ts"
import {
  imageDatasetFromDirectory,
  readNpy,
  readNpz,
  readTable,
  type Table,
  tableFrom,
  tableFromText,
  tablePieces,
} from "../src/datasets.ts"
import { image, npyOf, zip } from "./support/archives.ts"
import { expectRefusal } from "./support/training.ts"

const FOLDER = mkdtempSync(join(tmpdir(), "trilobite-readers-"))
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

let count = 0
function file(name: string, content: string | Uint8Array): string {
  const path = join(FOLDER, `${count++}-${name}`)
  writeFileSync(path, content)
  return path
}

/** A table as its rows: null where a cell is missing. */
const cells = (table: Table): (string | number | null)[][] =>
  Array.from({ length: table.rows }, (_, row) =>
    table.columns.map((column) => {
      if (column.kind === "text") return textAt(column, row) ?? null
      return Number.isNaN(column.values[row]!) ? null : column.values[row]!
    }),
  )
const names = (table: Table): string[] => table.columns.map(({ name }) => name)

describe("CSV", () => {
  test.each<[string, string, string[], (string | number | null)[][]]>([
    [
      "numbers and words",
      "a,b\n1,x\n2.5,y\n",
      ["a", "b"],
      [
        [1, "x"],
        [2.5, "y"],
      ],
    ],
    ["K4 a byte order mark", "\ufeffa,b\n1,2\n", ["a", "b"], [[1, 2]]],
    [
      "K5 CRLF",
      "a,b\r\n1,x\r\n2,y\r\n",
      ["a", "b"],
      [
        [1, "x"],
        [2, "y"],
      ],
    ],
    [
      "K5 CR",
      "a,b\r1,x\r2,y\r",
      ["a", "b"],
      [
        [1, "x"],
        [2, "y"],
      ],
    ],
    ["no end of the last line", "a,b\n1,x", ["a", "b"], [[1, "x"]]],
    ["empty lines", "\n\na,b\n\n1,x\n\n", ["a", "b"], [[1, "x"]]],
    [
      "K7 a line end in quotation marks",
      'a,b\n1,"x\ny"\n2,z\n',
      ["a", "b"],
      [
        [1, "x\ny"],
        [2, "z"],
      ],
    ],
    [
      "quotation marks, CRLF",
      'a,"b ""x"""\r\n1,"x, y"\r\n2,"z"\r\n',
      ["a", 'b "x"'],
      [
        [1, "x, y"],
        [2, "z"],
      ],
    ],
    ["numbers in quotation marks", '"a","b"\n"1","2"\n', ["a", "b"], [[1, 2]]],
    [
      "semicolons",
      "a;b\n1;x\n2;y\n",
      ["a", "b"],
      [
        [1, "x"],
        [2, "y"],
      ],
    ],
    [
      "tabs",
      "a\tb\n1\tx y\n2\tz\n",
      ["a", "b"],
      [
        [1, "x y"],
        [2, "z"],
      ],
    ],
    ["one column", "a\n1\n2\n", ["a"], [[1], [2]]],
    [
      "no names",
      "5.1,3.5,0\n4.9,3,1\n",
      ["column1", "column2", "column3"],
      [
        [5.1, 3.5, 0],
        [4.9, 3, 1],
      ],
    ],
    [
      "an index without a name",
      ",a\n0,5\n1,6\n",
      ["column1", "a"],
      [
        [0, 5],
        [1, 6],
      ],
    ],
    [
      "missing cells",
      "a,b\n,x\nNA,\n3,?\n",
      ["a", "b"],
      [
        [null, "x"],
        [null, null],
        [3, null],
      ],
    ],
    [
      "spaces around cells",
      "a, b\n 1 , x \n2 ,y\n",
      ["a", "b"],
      [
        [1, "x"],
        [2, "y"],
      ],
    ],
    [
      "K20 a formula is text",
      "a,b\n1,=cmd|x\n2,=y\n",
      ["a", "b"],
      [
        [1, "=cmd|x"],
        [2, "=y"],
      ],
    ],
    ["a name of Object", "constructor,toString\n1,valueOf\n", ["constructor", "toString"], [[1, "valueOf"]]],
    ["words of more than one byte", "größe,wort\n1,ä€😀\n", ["größe", "wort"], [[1, "ä€😀"]]],
    [
      "numbers in all forms",
      "a\n+1\n-.5\n5.\n1e3\n1E-3\n0.1\n123456789012345678901\n1e-320\n9007199254740993\n",
      ["a"],
      [[1], [-0.5], [5], [1000], [0.001], [0.1], [123456789012345678901], [1e-320], [9007199254740992]],
    ],
  ])("%s", async (_, text, head, rows) => {
    for (const content of [text, gzipSync(text)]) {
      const table = await readTable(file("table.csv", content))
      expect(names(table)).toEqual(head)
      expect(cells(table)).toEqual(rows)
    }
    expect(cells(await tableFromText(text))).toEqual(rows)
  })

  test("the numbers are those that the language reads, the nearest ones", async () => {
    const texts = Array.from({ length: 3000 }, (_, i) => {
      const digits = String(Math.imul(i + 1, 0x9e3779b1) >>> 0).padEnd(1 + (i % 19), String(i))
      return `${i % 3 === 0 ? "-" : ""}${digits.slice(0, i % 11)}.${digits}${i % 4 === 0 ? `e${(i % 60) - 30}` : ""}`
    })
    const { columns } = await tableFromText(`a\n${texts.join("\n")}\n`)
    expect(columns[0]!.kind).toBe("number")
    expect(Array.from((columns[0] as { values: Float64Array }).values)).toEqual(texts.map(Number))
  })

  test("so are those with many digits, and those near the middle between two", async () => {
    const random = (i: number): number => ((Math.imul(i + 1, 0x9e3779b1) >>> 0) * 2097152 + (i & 2097151)) / 2 ** 53
    const texts = Array.from({ length: 20_000 }, (_, i) => {
      const x = random(i) * 10 ** (i % 8)
      if (i % 8 === 0) return (x / 10 ** (i % 30)).toExponential(10 + (i % 11))
      if (i % 2 === 0) return String(i % 4 === 0 ? x : -x)
      // The middle between a number and the next one, written out and cut off behind 16 to 18 digits.
      const unit = 2 ** (Math.floor(Math.log2(x)) - 53)
      const middle = ((BigInt(Math.floor(x / unit)) | 1n) * 10n ** 40n) / BigInt(1 / unit)
      const digits = middle.toString().padStart(41, "0")
      return `${digits.slice(0, -40)}.${digits.slice(-40, -26 + (i % 3))}`
    })
    const { columns } = await tableFromText(`a,b\n${texts.map((text) => `${text},${text}`).join("\n")}\n`)
    for (const column of columns) {
      expect(Array.from((column as { values: Float64Array }).values)).toEqual(texts.map(Number))
    }
  })

  test("rows of numbers, gaps and words in any order, with all ends of lines", async () => {
    const rows = ["1,-2.5,3", "4,,6", ",5,", "7,8,NA", "\n9,10 ,11", "0.1,1e3,-0", " 1,2,3", "+4,.5,6."]
    const values = [
      [1, -2.5, 3],
      [4, null, 6],
      [null, 5, null],
      [7, 8, null],
      [9, 10, 11],
      [0.1, 1000, -0],
    ]
    const all = [...values, [1, 2, 3], [4, 0.5, 6]]
    for (const end of ["\n", "\r\n", "\r"]) {
      const text = ["a,b,c", ...rows, ...rows, ""].join("\n").replaceAll("\n", end)
      expect(cells(await tableFromText(text))).toEqual([...all, ...all])
      expect(cells(await tableFromText(text.trimEnd()))).toEqual([...all, ...all])
      const mixed = ["a,b,c,d", ...[...rows, ...rows].map((row) => `${row},w`), ""].join("\n").replaceAll("\n", end)
      expect(cells(await tableFromText(mixed))).toEqual([...all, ...all].map((row) => [...row, "w"]))
    }
  })

  test("lines, kinds and missing values as they are declared", async () => {
    const path = file("codes.csv", 'code,size\n007,-\n"0,8",2\n\n9,3\n')
    const table = await readTable(path, { kinds: { code: "text" }, missingValues: ["-"] })
    expect(cells(table)).toEqual([
      ["007", null],
      ["0,8", 2],
      ["9", 3],
    ])
    expect(Array.from(table.lines!)).toEqual([2, 3, 5])
    const plain = await readTable(file("a.csv", "x|y\n1|2\n"), {
      delimiter: "|",
      header: false,
      kinds: { column1: "text" },
    })
    expect(cells(plain)).toEqual([
      ["x", "y"],
      ["1", "2"],
    ])
  })

  test("pieces are the table", async () => {
    const text = Array.from({ length: 60_000 }, (_, i) => `${i},${i % 5 === 0 ? '"a, b"' : `w${i % 3}`},${i / 7}`).join(
      "\n",
    )
    const path = file("long.csv", `i,word,x\n${text}\n`)
    const whole = await readTable(path)
    const pieces: Table[] = []
    for await (const piece of tablePieces(path, { rows: 1000 })) pieces.push(piece)
    expect(pieces.length).toBeGreaterThan(1)
    expect(pieces.flatMap(cells)).toEqual(cells(whole))
    expect(whole.rows).toBe(60_000)
    expect(pieces.flatMap(({ lines }) => [...lines!])).toEqual([...whole.lines!])
  })

  test.each<[string, string | Uint8Array, string, RegExp]>([
    ["K1 empty", "", "bad.csv", /the file is empty/],
    ["K2 names only", "a,b\n", "bad.csv", /a line of names and no row/],
    ["K3 too few cells", "a,b\n1,2\n3\n", "bad.csv:3", /too few cells\. Expected 2, as in the first line, got 1/],
    ["K3 too many cells", "a,b\n1,2\n3,4,5\n", "bad.csv:3", /too many cells\. Expected 2, as in the first line, got 3/],
    ["K3 among quotation marks", 'a,b\n1,"2\n3"\n3,4,5\n', "bad.csv:4", /too many cells/],
    ["K6 an open quotation mark", 'a,b\n1,"x\n2,y\n', "bad.csv:2", /never closed/],
    ["text behind a quotation mark", 'a,b\n1,"x"y\n', "bad.csv:2", /after a closing quotation mark/],
    ["K8 a decimal comma", "a;b\n1;2\n1,5;3\n", 'bad.csv:3, column 1 "a"', /The decimal mark is a point: 1\.5/],
    ["K9 a text among numbers", "a,b\n1,2\n3,x\n", 'bad.csv:3, column 2 "b"', /not a number.*got "x".*missingValues/],
    ["K9 numbers behind a text", "a,b\nx,2\n3,2\n4,2\n", 'bad.csv:2, column 1 "a"', /not a number/],
    ["K11 a long line", `a\n${"1".repeat(tableLimits.line + 1)}`, "bad.csv:2", /the line is too long/],
    ["K12 a million columns", `${"a,".repeat(1_000_000)}a\n`, "bad.csv:1", /too long|too many columns/],
    [
      "K12 columns beyond the limit",
      `${Array.from({ length: 100_001 }, (_, i) => i.toString(36)).join("x,")}\n1\n`,
      "bad.csv",
      /too many columns/,
    ],
    ["K13 a zero byte", "a,b\n1,\u0000\n", "bad.csv", /a zero byte at offset 6/],
    ["K14 no UTF-8", Buffer.from("a,b\n1,\xff\n", "latin1"), "bad.csv", /not UTF-8\. Got bad bytes at offset 6/],
    ["K15 a number without end", "a\n1\n1e999\n", 'bad.csv:3, column 1 "a"', /too large/],
    ["K16 nan", "a\n1\nnan\n", 'bad.csv:3, column 1 "a"', /not a number.*missing value.*nan/],
    ["K16 -inf", "a\n1\n-inf\n", 'bad.csv:3, column 1 "a"', /not a number/],
    ["K17 0x10", "a\n1\n0x10\n", 'bad.csv:3, column 1 "a"', /decimal digits/],
    ["K17 1_000", "a\n1\n1_000\n", 'bad.csv:3, column 1 "a"', /without separators/],
    ["K18 a name twice", "a,b,a\n1,2,3\n", 'bad.csv:1, column 3 "a"', /same name/],
    ["a column __proto__", "a,__proto__\n1,2\n", 'bad.csv:1, column 2 "__proto__"', /cannot have this name/],
    ["a web page", "<!doctype html>\n<p>not found</p>\n", "bad.csv", /web page/],
    ["a zip archive", zip([{ name: "a.npy", bytes: npyOf([1]) }]), "bad.csv", /zip archive|zero byte/],
  ])("%s is refused", async (_, content, where, message) => {
    await expectRefusal(() => readTable(file("bad.csv", content)), "E_DATA", message)
    await expect(readTable(file("bad.csv", content))).rejects.toMatchObject({ where: expect.stringContaining(where) })
  })

  test("gzip: cut, spoilt, continued, a bomb", async () => {
    const packed = gzipSync(`a,b\n${"1,2\n".repeat(50)}`)
    const cases: [Uint8Array, RegExp][] = [
      [packed.subarray(0, packed.length - 9), /cut short/],
      [Buffer.from(packed.map((byte, i) => (i === packed.length - 6 ? byte ^ 1 : byte))), /damaged/],
      [Buffer.concat([packed, Buffer.from("more")]), /goes on after its end|damaged/],
      [gzipSync(Buffer.alloc(4_000_000, "1,2\n")), /expands too far|Expected/],
    ]
    for (const [content, message] of cases)
      await expectRefusal(() => readTable(file("a.csv.gz", content)), "E_DATA", message)
  })

  test("options", async () => {
    const path = file("a.csv", "a,b\n1,2\n")
    await expectRefusal(() => readTable(path, { delimeter: ";" } as object), "E_CONFIG", /Did you mean "delimiter"/)
    await expectRefusal(() => readTable(path, { delimiter: "ab" }), "E_DATA", /cannot stand between cells/)
    await expectRefusal(() => readTable(path, { kinds: { c: "text" } }), "E_DATA", /no column "c".*one of a, b/)
    truncateSync(path, 2 ** 31 + 1)
    await expectRefusal(() => readTable(path), "E_DATA", /too large.*tablePieces/)
    const first = tablePieces(path).next()
    await expectRefusal(() => first, "E_DATA", /the line is too long/)
    await expectRefusal(() => readTable(join(FOLDER, "nothing.csv")), "E_IO", /no such file/)
    await expectRefusal(() => readTable(FOLDER), "E_DATA", /folder/)
    await expectRefusal(() => readTable("/dev/zero"), "E_DATA", /device/)
  })
})

describe("JSON", () => {
  test("lines and lists of records", async () => {
    const records = [
      { a: 1, b: "x", c: true },
      { a: null, b: "y" },
      { d: 4, a: 2.5 },
    ]
    const rows = [
      [1, "x", "true", null],
      [null, "y", null, null],
      [2.5, null, null, 4],
    ]
    for (const [name, text] of [
      ["a.jsonl", records.map((record) => JSON.stringify(record)).join("\n\n")],
      ["a.json", `\n ${JSON.stringify(records, null, 1)}\n`],
      ["a.ndjson", `${records.map((record) => JSON.stringify(record)).join("\r\n")}\r\n`],
      ["without-an-extension", JSON.stringify(records)],
    ] as const) {
      const table = await readTable(file(name, text))
      expect(names(table)).toEqual(["a", "b", "c", "d"])
      expect(cells(table)).toEqual(rows)
    }
    expect(cells(tableFrom(records))).toEqual(rows)
    expect(cells(tableFrom({ a: Float32Array.of(1, 2), b: ["x", null] }))).toEqual([
      [1, "x"],
      [2, null],
    ])
  })

  test.each([
    ["nothing", "", /no rows/],
    ["a line that is none", '{"a":1}\n{"a":}\n', /bad\.jsonl:2:6: /],
    ["a list in a line", '{"a":1}\n[1]\n', /a row is a record/],
    ["a nested cell", '{"a":1}\n{"a":[2]}\n', /bad\.jsonl:2\.a: this is no cell/],
    ["a text among numbers", '{"a":1}\n{"a":"2"}\n', /bad\.jsonl:2, column 1 "a": this is not a number/],
    ["__proto__", '{"__proto__":1}\n', /"__proto__" is not allowed/],
    ["a name twice", '{"a":1,"a":2}\n', /occurs twice/],
    ["a number without end", '{"a":1e999}\n', /too large/],
    ["deep nesting", `${"[".repeat(100_000)}`, /nests deeper/],
    ["a long line", `{"a":"${"x".repeat(tableLimits.line)}"}`, /too long/],
  ])("%s is refused", async (_, text, message) => {
    await expectRefusal(() => readTable(file("bad.jsonl", text)), "E_DATA", message)
  })
})

describe("Parquet", () => {
  const compressors = { GZIP: gzipSync, BROTLI: brotliCompressSync, ZSTD: zstdCompressSync }
  const codecs = ["SNAPPY", "UNCOMPRESSED", "GZIP", "BROTLI", "ZSTD"] as const
  const written = (codec: (typeof codecs)[number]): Buffer =>
    Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: "size", data: [1.5, 2.5, null, 4], type: "DOUBLE" },
          { name: "count", data: [1n, 2n, 3n, 4n], type: "INT64" },
          { name: "kind", data: ["a", "b", "a", null], type: "STRING" },
          { name: "alive", data: [true, false, true, true], type: "BOOLEAN" },
        ],
        rowGroupSize: 3,
        codec,
        compressors,
      }),
    )
  const good = written("SNAPPY")
  test.each(codecs)("columns of all kinds, in several groups of rows: %s", async (codec) => {
    const bytes = written(codec)
    const table = await readTable(file("a.parquet", bytes))
    expect(names(table)).toEqual(["size", "count", "kind", "alive"])
    expect(cells(table)).toEqual([
      [1.5, 1, "a", "true"],
      [2.5, 2, "b", "false"],
      [null, 3, "a", "true"],
      [4, 4, null, "true"],
    ])
    const pieces: number[] = []
    for await (const { rows } of tablePieces(file("a.parquet", bytes), { rows: 1 })) pieces.push(rows)
    expect(pieces).toEqual([3, 1])
  })

  test("a page that expands further than it says, in each compression", async () => {
    for (const codec of ["GZIP", "BROTLI", "ZSTD"] as const) {
      const bomb = compressors[codec](Buffer.alloc(100_000))
      const columnData = [{ name: "a", data: [1, 2], type: "DOUBLE" as const }]
      const bytes = parquetWriteBuffer({ columnData, codec, compressors: { [codec]: () => bomb } })
      await expectRefusal(() => readTable(file("a.parquet", Buffer.from(bytes))), "E_DATA", /damaged|cannot be read/)
    }
  })

  test("what is no Parquet, or cut, or has nested columns", async () => {
    await expectRefusal(() => readTable(file("a.parquet", "a,b\n1,2\n")), "E_DATA", /cannot be read as Parquet/)
    await expectRefusal(() => readTable(file("a.parquet", "")), "E_DATA", /cannot be read as Parquet/)
    await expectRefusal(
      () => readTable(file("a.parquet", good.subarray(0, -20))),
      "E_DATA",
      /cannot be read as Parquet/,
    )
    const nested = Buffer.from(parquetWriteBuffer({ columnData: [{ name: "a", data: [[1, 2]], type: "JSON" }] }))
    await expectRefusal(() => readTable(file("a.parquet", nested)), "E_DATA", /no cell/)
    const large = Buffer.from(parquetWriteBuffer({ columnData: [{ name: "a", data: [2n ** 60n], type: "INT64" }] }))
    await expectRefusal(() => readTable(file("a.parquet", large)), "E_DATA", /too many digits/)
  })
})

describe("arrays", () => {
  const numpy = JSON.parse(readFileSync(new URL("./fixtures/numpy.json", import.meta.url), "utf8")) as Record<
    string,
    string
  >
  const written = (name: string): Buffer => Buffer.from(numpy[name]!, "base64")

  test.each(["<f2", "<f4", ">f4", "<f8", ">f8"])("P5, P9 NumPy's %s is float32", (type) => {
    expect(readNpy(file("a.npy", written(type)))).toEqual({
      dtype: "float32",
      shape: [2, 3],
      data: Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5),
    })
  })
  test.each(["|i1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", ">u8"])("P5 NumPy's %s is int32", (type) => {
    const { dtype, data } = readNpy(file("a.npy", written(type)))
    expect([dtype, [...data]]).toEqual(["int32", [0, 1, 2, 3, 4, 5]])
  })
  test("bytes, booleans, P4 columns first, compressed, scalars, tables", async () => {
    expect(readNpy(file("a.npy", written("|u1"))).data).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5))
    expect(readNpy(file("a.npy", gzipSync(written("|b1")))).data).toEqual(Uint8Array.of(0, 0, 0, 1, 1, 1))
    expect([...readNpy(file("a.npy", written("fortran"))).data]).toEqual(Array.from({ length: 24 }, (_, i) => i))
    expect(readNpy(file("a.npy", written("scalar")))).toEqual({ dtype: "float32", shape: [], data: Float32Array.of(3) })
    const table = await readTable(file("a.npz", written("npz")))
    expect(names(table)).toEqual(["x1", "x2", "x3", "y"])
    expect(cells(table)).toEqual([
      [0, 1, 2, 0],
      [3, 4, 5, 1],
    ])
  })
  test.each(["npz", "npz_compressed"])("%s", async (name) => {
    const { x, y } = await readNpz(file("a.npz", written(name)))
    expect([...x!.data]).toEqual([0, 1, 2, 3, 4, 5])
    expect([...y!.data]).toEqual([0, 1])
  })

  const head = (text: string, version = 1): Buffer => {
    const length = version === 1 ? Buffer.from([text.length % 256, text.length >> 8]) : Buffer.from([0, 0, 2, 0])
    return Buffer.concat([Buffer.from("\x93NUMPY", "latin1"), Buffer.from([version, 0]), length, Buffer.from(text)])
  }
  const entry = (shape: string, more = ""): string =>
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), ${more}}\n`
  test.each<[string, Uint8Array, RegExp]>([
    ["P1 pickles", written("pickle"), /pickle may run any code/],
    ["P2 a call", head(entry("2,", "'x': __import__('os')")), /does not say what the array is/],
    ["P2 code behind the dictionary", head(`${entry("2,")} or exit()`), /does not say/],
    ["P2 an entry twice", head("{'descr': '<f4', 'descr': '<f4', 'shape': (2,)}"), /does not say/],
    ["P3 a long header", Buffer.concat([head(entry("1,"), 2), Buffer.alloc(200_000, 32)]), /cut short or longer/],
    ["P6 version 9", head(entry("2,"), 9), /Expected 1 to 3, got 9/],
    ["P7 a negative size", head(entry("-2,")), /does not say/],
    ["P8 more than there is", head(entry("2000000000,")), /cut short.*8000000\d\d\d bytes/],
    ["P8 more than there can be", head(entry("2000000000, 2000000000")), /too many elements/],
    ["P9 complex numbers", written("complex"), /type are not read/],
    ["P9 structures", written("structured"), /does not say/],
    ["S13 large whole numbers", written("big"), /beyond int32.*got 1099511627776/],
    ["P10 bytes behind the end", Buffer.concat([written("<f4"), Buffer.from([0])]), /goes on after/],
  ])("%s: refused", async (_, content, message) => {
    await expectRefusal(() => readNpy(file("a.npy", content)), "E_DATA", message)
  })

  const x = { name: "x.npy", bytes: npyOf([1, 2]) }
  test.each<[string, Uint8Array, RegExp]>([
    ["P11 a way out", zip([{ ...x, name: "../x.npy" }]), /could lead out of the archive/],
    ["P11 an absolute name", zip([{ ...x, name: "/x.npy" }]), /could lead out/],
    ["P11 a drive", zip([{ ...x, name: "C:\\x.npy" }]), /could lead out/],
    ["P11 a link", zip([{ ...x, mode: 0xa1ff }]), /symbolic link/],
    ["P12 a bomb", zip([{ name: "x.npy", bytes: Buffer.alloc(10_000_000), packed: true }]), /would expand too far/],
    [
      "P12 a bomb that lies",
      zip([{ name: "x.npy", bytes: Buffer.alloc(10_000_000), packed: true, size: 500 }]),
      /is damaged/,
    ],
    ["P13 encryption", zip([{ ...x, flags: 1 }]), /encrypted/],
    ["P14 a name twice", zip([x, x]), /occurs twice/],
    ["a wrong checksum", zip([{ ...x, crc: 1 }]), /damaged/],
    ["a comment", zip([x], "hello"), /no complete zip archive/],
    ["bytes before", Buffer.concat([Buffer.from("junk"), zip([x])]), /does not end where/],
    ["bytes behind", Buffer.concat([zip([x]), Buffer.from("junk")]), /no complete zip archive/],
    ["no array", zip([{ ...x, name: "x.txt" }]), /no array/],
    ["__proto__", zip([{ ...x, name: "__proto__.npy" }]), /cannot have this name/],
    ["a pickle", zip([{ name: "x.npy", bytes: written("pickle") }]), /member "x\.npy": .*pickle/],
    ["nothing", new Uint8Array(0), /no complete zip archive/],
  ])("npz with %s: refused", async (_, content, message) => {
    await expectRefusal(() => readNpz(file("a.npz", content)), "E_DATA", message)
  })
})

describe("folders of images", () => {
  const folder = join(FOLDER, "images")
  const red = (): readonly [number, number, number] => [250, 20, 20]
  mkdirSync(join(folder, "blue/deeper"), { recursive: true })
  mkdirSync(join(folder, "red"), { recursive: true })
  writeFileSync(join(folder, "red/a.png"), image("png", 4, 2, red))
  writeFileSync(join(folder, "red/b.jpg"), image("jpeg", 16, 16, red))
  writeFileSync(join(folder, "red/readme.txt"), "no image")
  writeFileSync(
    join(folder, "blue/deeper/c.png"),
    image("png", 4, 2, (row, column) => [0, 0, 60 * column + row]),
  )

  test("rows, classes and pixels", async () => {
    const source = imageDatasetFromDirectory(folder, { imageSize: [2, 4] })
    expect(source.classNames).toEqual(["blue", "red"])
    expect([source.rows, source.x, source.y]).toEqual([
      3,
      { dtype: "uint8", shape: [2, 4, 3] },
      { dtype: "int32", shape: [] },
    ])
    const [x, y] = [new Uint8Array(3 * 24), new Uint8Array(12)]
    await source.read(Int32Array.of(0, 1, 2), { x, y })
    expect([...new Int32Array(y.buffer)]).toEqual([0, 1, 1])
    expect([...x.subarray(0, 24)].filter((_, i) => i % 3 === 2)).toEqual([0, 60, 120, 180, 1, 61, 121, 181])
    expect([...x.subarray(24, 30)]).toEqual([250, 20, 20, 250, 20, 20])
    for (const i of [0, 1, 2]) expect(Math.abs(x[48 + i]! - red()[i]!)).toBeLessThan(12)
  })

  test("grey, resized as Keras does it, one-hot, divided", async () => {
    const grey = imageDatasetFromDirectory(folder, {
      imageSize: [1, 2],
      colorMode: "grayscale",
      labelMode: "categorical",
      scale: true,
    })
    expect([grey.x, grey.y]).toEqual([
      { dtype: "unorm8", shape: [1, 2, 1] },
      { dtype: "float32", shape: [2] },
    ])
    const [x, y] = [new Uint8Array(2), new Uint8Array(8)]
    await grey.read(Int32Array.of(0), { x, y })
    expect([...new Float32Array(y.buffer)]).toEqual([1, 0])
    // Between columns 0 and 1, and 2 and 3, and between both rows: blues of 30.5 and 150.5.
    expect([...x]).toEqual([Math.round(0.114 * 30.5), Math.round(0.114 * 150.5)])
    const parts = (["training", "validation"] as const).map(
      (subset) => imageDatasetFromDirectory(folder, { validationSplit: 0.4, subset, seed: 3 }).paths,
    )
    expect(parts.map(({ length }) => length)).toEqual([2, 1])
    expect(new Set(parts.flat()).size).toBe(3)
  })

  test.each<[string, Uint8Array, RegExp]>([
    ["text", Buffer.from("not an image"), /no image that can be read/],
    ["a cut PNG", image("png", 4, 4, red).subarray(0, 50), /damaged/],
    ["a cut JPEG", image("jpeg", 64, 64, red).subarray(0, 300), /damaged|no image/],
    ["a web page", Buffer.from("<html>"), /web page/],
  ])("%s is refused when it is read", async (_, content, message) => {
    await expectRefusal(() => decodeImage(content, "a.png"), "E_DATA", message)
  })

  test("images that declare more than they hold", async () => {
    const png = Buffer.from(image("png", 4, 4, red))
    png.writeUInt32BE(60_000, 16)
    png.writeUInt32BE(60_000, 20)
    await expectRefusal(() => decodeImage(png, "a.png"), "E_DATA", /too large.*60000 x 60000/)
  })

  test("folders and options that make no sense", async () => {
    mkdirSync(join(FOLDER, "empty"))
    await expectRefusal(() => imageDatasetFromDirectory(join(FOLDER, "empty")), "E_DATA", /no images/)
    await expectRefusal(() => imageDatasetFromDirectory(join(FOLDER, "none")), "E_IO", /no such file/)
    const wrong = (options: object) => () => imageDatasetFromDirectory(folder, options)
    await expectRefusal(wrong({ imagesize: [2, 2] }), "E_CONFIG", /Did you mean "imageSize"/)
    await expectRefusal(wrong({ imageSize: [0, 2] }), "E_CONFIG", /imageSize/)
    await expectRefusal(wrong({ colorMode: "rgba" }), "E_CONFIG", /unknown mode "rgba"/)
    await expectRefusal(wrong({ validationSplit: 0.5 }), "E_CONFIG", /subset/)
    await expectRefusal(wrong({ classNames: ["../red"] }), "E_CONFIG", /classNames/)
  })
})
