// The safetensors container: every bad file of list T is refused, good ones round-trip, and the bytes are always the same.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { TrilobiteError } from "../src/core/errors.ts"
import { type Tensor, tensor } from "../src/core/tensor.ts"
import { readSafetensors, safetensorsLimits, writeSafetensors } from "../src/formats/safetensors.ts"
import { expectError } from "./support/errors.ts"
import { generator, mutant } from "./support/mutate.ts"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A file of a header text and so many bytes of data; the declared header length can be a lie. */
function file(header: string | Uint8Array, data = 0, declared?: bigint): Uint8Array {
  const bytes = typeof header === "string" ? utf8(header) : header
  const out = new Uint8Array(8 + bytes.length + data)
  new DataView(out.buffer).setBigUint64(0, declared ?? BigInt(bytes.length), true)
  out.set(bytes, 8)
  return out
}

/** A header of one tensor "a" with these values as JSON. */
const one = (dtype: string, shape: string, offsets: string): string =>
  `{"a":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`
const entry = (begin: number, end: number): string =>
  `{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`

const many = Array.from({ length: safetensorsLimits.tensors + 1 }, (_, i) => `"${i}":${entry(0, 0)}`).join(",")
const cases: [string, Uint8Array, string, RegExp][] = [
  ["T1 empty", new Uint8Array(0), "m", /too short.*8 bytes.*empty/],
  ["T1 7 bytes", new Uint8Array(7), "m", /too short.*got 7/],
  ["T2 header beyond the file", file("{}", 0, 3n), "m", /ends within its header.*Expected 3 bytes, got 2/],
  ["T3 header beyond the cap", file("{}", 0, 16_777_217n), "m", /header is too long.*16777216 bytes, got 16777217/],
  ["T4 2^63", file("{}", 0, 1n << 63n), "m", /header is too long/],
  ["T4 2^32", file("{}", 0, 1n << 32n), "m", /header is too long.*got 4294967296/],
  ["T5 header of 0 bytes", file("", 9), "m", /header is empty/],
  ["T6 list", file("[]"), "m", /does not start with "\{"/],
  ["T6 byte order mark", file("\ufeff{}"), "m", /does not start with "\{"/],
  ["T6 space before", file(" {}"), "m", /does not start with "\{"/],
  ["T7 bad UTF-8", file(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])), "m", /not valid UTF-8/],
  ["T8 bad JSON", file('{"a":}'), "m, header:1:6", /character 5/],
  ["T8 text after the header", file("{} x"), "m, header:1:4", /after the end/],
  ["T8 depth", file(`{"a":${"[".repeat(99)}`), "m, header:1:69", /deeper than 64/],
  ["T9 duplicate", file(`{"a":${entry(0, 1)},"a":${entry(0, 1)}}`, 1), "m, header", /"a" occurs twice/],
  [
    "T10 overlap",
    file(`{"a":${entry(0, 2)},"b":${entry(1, 3)}}`, 3),
    'm, tensor "b"',
    /overlaps.*Expected offset 2, got 1/,
  ],
  ["T10 the same bytes twice", file(`{"a":${entry(0, 2)},"b":${entry(0, 2)}}`, 2), 'm, tensor "b"', /overlaps/],
  ["T11 hole", file(`{"a":${entry(0, 2)},"b":${entry(3, 4)}}`, 4), 'm, tensor "b"', /hole.*Expected offset 2, got 3/],
  ["T11 hole at the start", file(`{"a":${entry(1, 2)}}`, 2), 'm, tensor "a"', /hole/],
  ["T12 begin > end", file(one('"U8"', "[1]", "[1,0]"), 1), 'm, tensor "a"', /offsets make no sense.*got \[1, 0\]/],
  ["T12 one offset", file(one('"U8"', "[1]", "[1]"), 1), 'm, tensor "a"', /offsets make no sense/],
  ["T12 three offsets", file(one('"U8"', "[1]", "[0,1,1]"), 1), 'm, tensor "a"', /offsets make no sense/],
  ["T13 offset 2^53", file(one('"U8"', "[1]", "[0,9007199254740993]"), 1), 'tensor "a", data_offsets', /2\^53 - 1/],
  ["T13 offset 1e300", file(one('"U8"', "[1]", "[0,1e300]"), 1), 'tensor "a", data_offsets', /2\^53 - 1/],
  ["T13 offset 1e400", file(one('"U8"', "[1]", "[0,1e400]"), 1), "m, header", /too large/],
  ["T14 bytes too few", file(one('"F32"', "[2]", "[0,4]"), 4), 'm, tensor "a"', /8 bytes for \[2\] of F32, got 4/],
  ["T14 bytes too many", file(one('"F32"', "[]", "[0,8]"), 8), 'm, tensor "a"', /4 bytes for \[\] of F32, got 8/],
  ["T14 file too short", file(one('"U8"', "[9]", "[0,9]"), 8), 'm, tensor "a"', /beyond the file.*at most 8, got 9/],
  ["T15 2^64 elements", file(one('"U8"', "[4294967296,4294967296]", "[0,0]")), 'm, tensor "a"', /too many elements/],
  [
    "T15 2^31 elements",
    file(one('"U8"', "[2147483648]", "[0,2147483648]")),
    'm, tensor "a"',
    /too many elements.*2147483647/,
  ],
  ["T16 size -1", file(one('"U8"', "[-1]", "[0,1]"), 1), 'tensor "a", shape', /whole number.*got -1/],
  ["T16 size 1.5", file(one('"U8"', "[1.5]", "[0,1]"), 1), 'tensor "a", shape', /got 1.5/],
  ["T16 size in quotes", file(one('"U8"', '["3"]', "[0,3]"), 3), 'tensor "a", shape', /got "3".*without quotes/],
  [
    "T16 nine sizes",
    file(one('"U8"', "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1),
    'm, tensor "a"',
    /too many dimensions.*8, got 9/,
  ],
  ["T17 F64", file(one('"F64"', "[1]", "[0,8]"), 8), 'm, tensor "a"', /F32, I32, U8, got "F64".*Convert/],
  ["T17 a method's name", file(one('"toString"', "[1]", "[0,8]"), 8), 'm, tensor "a"', /got "toString"/],
  ["T17 a number", file(one("1", "[1]", "[0,8]"), 8), 'tensor "a", dtype', /a string, got 1/],
  ["T18 trailing bytes", file(`{"a":${entry(0, 1)}}`, 2), "m", /goes on.*Expected 1 bytes of data, got 2.*original/],
  ["T18 data without tensors", file("{}", 1), "m", /goes on/],
  ["T19 number in the metadata", file('{"__metadata__":{"a":1}}'), 'm, __metadata__ "a"', /a string, got 1/],
  ["T19 metadata is a list", file('{"__metadata__":["a"]}'), "m, __metadata__", /an object/],
  ["T20 __proto__", file(`{"__proto__":${entry(0, 0)}}`), "m, header", /"__proto__" is not allowed/],
  ["T20 __proto__ in the metadata", file('{"__metadata__":{"__proto\\u005f_":"a"}}'), "m, header", /not allowed/],
  ["T20 empty name", file(`{"":${entry(0, 0)}}`), "m", /name.*1 to 512 bytes.*got ""/],
  ["T20 name of 1 MB", file(`{"${"a".repeat(1_000_000)}":${entry(0, 0)}}`), "m", /1 to 512 bytes.*got "aaa/],
  ["T20 name of 513 bytes", file(`{"${"é".repeat(256)}a":${entry(0, 0)}}`), "m", /1 to 512 bytes/],
  ["T20 control character", file(`{"a\\u001b[31m":${entry(0, 0)}}`), "m", /control characters.*got "a\\u001b\[31m"/],
  ["T21 too many tensors", file(`{${many}}`), "m", /too many tensors.*at most 100000, got 100001/],
  ["T21 10^6 tensors", file(new Uint8Array(60_000_000).fill(0x7b)), "m", /header is too long/],
  ["missing key", file('{"a":{"dtype":"U8","shape":[0]}}'), 'm, tensor "a"', /exactly these keys.*got "dtype, shape"/],
  [
    "extra key",
    file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}'),
    'm, tensor "a"',
    /exactly these keys/,
  ],
  ["a number for a tensor", file('{"a":1}'), 'm, tensor "a"', /an object, got 1/],
  ["X22 web page", utf8("<!doctype html><html>404 not found</html>"), "m", /web page/],
  ["X23 LFS pointer", utf8("version https://git-lfs.github.com/spec/v1\n"), "m", /git lfs pull/],
  ["zip", utf8("PK\u0003\u0004............"), "m", /zip archive/],
]

describe("readSafetensors", () => {
  test.each(cases)("%s is refused", (_, bytes, where, message) => {
    expectError(() => readSafetensors(bytes, "m"), "E_MODEL", where, message)
  })

  test("T2 every truncation is refused", () => {
    const bytes = writeSafetensors(
      {
        kernel: tensor([
          [1, 2],
          [3, 4],
        ]),
        n: tensor(new Int32Array([5])),
      },
      { a: "b" },
    )
    for (let n = 0; n < bytes.length; n++) {
      expectError(
        () => readSafetensors(bytes.slice(0, n), "cut"),
        "E_MODEL",
        "cut",
        /too short|within its header|beyond/,
      )
    }
  })

  test("T26 scalars and empty tensors, T27 misaligned data, and the format's own order are read", () => {
    const header = `{"u":${entry(0, 1)},"s":{"dtype":"F32","shape":[],"data_offsets":[1,5]},
      "e":{"dtype":"I32","shape":[0,5],"data_offsets":[5,5]},"__metadata__":{"by":"hand"}}   `
    const bytes = file(header, 5)
    bytes.set([7, 0, 0, 0x80, 0x3f], bytes.length - 5)
    const { tensors, metadata } = readSafetensors(bytes, "m")
    expect([...tensors]).toEqual([
      ["e", { dtype: "int32", shape: [0, 5], data: new Int32Array(0) }],
      ["s", { dtype: "float32", shape: [], data: new Float32Array([1]) }],
      ["u", { dtype: "uint8", shape: [1], data: new Uint8Array([7]) }],
    ])
    expect({ ...metadata }).toEqual({ by: "hand" })
    // Copies: what happens to the file's bytes later does not reach the tensors.
    bytes.fill(0)
    expect(tensors.get("u")!.data[0]).toBe(7)
  })

  test("T25 NaN weights are read bit by bit", () => {
    const bytes = file(one('"F32"', "[1]", "[0,4]"), 4)
    bytes.set([1, 2, 0xc0, 0x7f], bytes.length - 4)
    const { data } = readSafetensors(bytes, "m").tensors.get("a")!
    expect([...new Uint8Array(data.buffer)]).toEqual([1, 2, 0xc0, 0x7f])
  })
})

describe("writeSafetensors", () => {
  test("writes these bytes", () => {
    const bytes = writeSafetensors(
      {
        b: tensor(new Uint8Array([255]), [1]),
        a: tensor(new Float32Array([1, -2]), [2, 1]),
        10: tensor(new Int32Array([-1]), []),
      },
      { z: "1", format: "é\n" },
    )
    const header =
      '{"10":{"dtype":"I32","shape":[],"data_offsets":[0,4]},' +
      '"__metadata__":{"format":"é\\n","z":"1"},' +
      '"a":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12]},' +
      '"b":{"dtype":"U8","shape":[1],"data_offsets":[12,13]}}'
    const length = new DataView(bytes.buffer).getUint32(0, true)
    expect(length % 8).toBe(0)
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + length))).toBe(
      header.padEnd(header.length + length - utf8(header).length),
    )
    expect([...bytes.subarray(8 + length)]).toEqual([255, 255, 255, 255, 0, 0, 128, 63, 0, 0, 0, 192, 255])
  })

  const x: Tensor = { dtype: "float32", shape: [3], data: new Float32Array(2) }
  test.each([
    ["data that does not fill its shape", { x }, {}, /3 elements, got 2/],
    ["a size of -1", { x: { ...x, shape: [-1, -2] } }, {}, /shape cannot be stored/],
    ["nine sizes", { x: { ...x, shape: [2, 1, 1, 1, 1, 1, 1, 1, 1] } }, {}, /up to 8/],
    [
      "NaN",
      {
        x: tensor([
          [1, 2],
          [3, Number.NaN],
        ]),
      },
      {},
      /\[1\]\[1\] is NaN.*diverged/,
    ],
    ["Infinity", { x: tensor([Number.POSITIVE_INFINITY]) }, {}, /\[0\] is Infinity/],
    ["an empty name", { "": tensor([1]) }, {}, /1 to 512 bytes/],
    ["a long name", { ["a".repeat(513)]: tensor([1]) }, {}, /1 to 512 bytes/],
    ["a control character", { "a\n": tensor([1]) }, {}, /control characters/],
    ["half a surrogate pair", { "\ud800": tensor([1]) }, {}, /1 to 512 bytes/],
    ["the metadata's name", { __metadata__: tensor([1]) }, {}, /got "__metadata__"/],
    ["constructor", { constructor: tensor([1]) }, {}, /got "constructor"/],
    ["a forbidden metadata key", {}, { prototype: "a" }, /not allowed/],
    ["half a surrogate pair in metadata", {}, { a: "\udfff" }, /surrogate/],
  ] as [string, Record<string, Tensor>, Record<string, string>, RegExp][])(
    "%s is refused",
    (_, tensors, metadata, message) => {
      expectError(
        () => writeSafetensors(new Map(Object.entries(tensors)), metadata),
        "E_MODEL",
        "safetensors",
        new RegExp(message),
      )
    },
  )

  test("too much text is refused", () => {
    const long = { a: "x".repeat(safetensorsLimits.header) }
    expectError(() => writeSafetensors({}, long), "E_MODEL", "safetensors", /header is too long/)
  })
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: the names that are refused
const REFUSED = /[\u0000-\u001f\u007f-\u009f]|^__|^constructor$|^prototype$/
const names = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((name) => !REFUSED.test(name))
const values = fc.oneof(
  fc.float32Array({ noNaN: true, noDefaultInfinity: true, maxLength: 20 }),
  fc.int32Array({ maxLength: 20 }),
  fc.uint8Array({ maxLength: 20 }),
)
const tensors: fc.Arbitrary<Tensor> = fc.tuple(values, fc.nat(2)).map(([data, rank]) => {
  const shape =
    rank === 0
      ? [data.length]
      : rank === 1
        ? [1, data.length, 1]
        : data.length % 2 === 0
          ? [2, data.length / 2]
          : [data.length]
  return tensor(data.length === 0 ? { data, shape: [0, 5] } : { data, shape })
})

describe("round trip", () => {
  test("any tensors and texts come back, and the order of what is given leaves no trace", () => {
    const property = fc.property(
      fc.uniqueArray(fc.tuple(names, tensors), { selector: ([name]) => name, maxLength: 8 }),
      fc.dictionary(names, fc.string({ unit: "grapheme" })),
      (list, metadata) => {
        const bytes = writeSafetensors(new Map(list), metadata)
        const back = readSafetensors(bytes, "m")
        expect(new Map(back.tensors)).toEqual(new Map(list))
        expect({ ...back.metadata }).toEqual({ ...metadata })
        const reversed = Object.fromEntries(Object.entries(metadata).reverse())
        expect(writeSafetensors(new Map([...list].reverse()), reversed)).toEqual(bytes)
        expect(writeSafetensors(back.tensors, back.metadata)).toEqual(bytes)
        const start = 8 + new DataView(bytes.buffer).getUint32(0, true)
        expect(start % 8).toBe(0)
      },
    )
    fc.assert(property, { numRuns: 300, seed: 1 })
  })

  test("damaged files give a typed error or valid tensors, never anything else", () => {
    const kernel = tensor([
      [1, 2],
      [3, 4],
    ])
    const seeds = [
      writeSafetensors(
        { kernel, bias: tensor([5, 6]), step: tensor(new Int32Array([7]), []) },
        { format: "trilobite" },
      ),
      writeSafetensors({ "dense/kernel": kernel, pixels: tensor(new Uint8Array([1, 2, 3])) }),
      file(`{"a":${entry(0, 1)},"b":${entry(1, 3)}}`, 3),
    ]
    const next = generator(99)
    let refused = 0
    for (let i = 0; i < 5000; i++) {
      const bytes = mutant(seeds[next(3)]!, seeds[next(3)]!, next)
      // Half of the mutants get the right length, so that the damage reaches the header and the layout.
      if (i % 2 === 0 && bytes.length > 8)
        new DataView(bytes.buffer).setUint32(0, Math.min(bytes.length - 8, bytes.lastIndexOf(0x7d) - 7), true)
      try {
        const { tensors, metadata } = readSafetensors(bytes, "fuzz")
        for (const { data, shape } of tensors.values()) expect(data.length).toBe(shape.reduce((a, b) => a * b, 1))
        if ([...tensors.values()].every(({ data }) => data.every(Number.isFinite))) {
          const again = writeSafetensors(tensors, metadata)
          const back = readSafetensors(again, "again")
          expect(writeSafetensors(back.tensors, back.metadata)).toEqual(again)
        }
      } catch (error) {
        if (!(error instanceof TrilobiteError && error.code === "E_MODEL" && error.where?.startsWith("fuzz")))
          throw error
        refused++
      }
    }
    expect(refused).toBeGreaterThan(2500)
    expect(refused).toBeLessThan(5000)
  })
})
