// Model files from outside: what is wrong with them is found before anything is allocated or run, and said as a typed error.
// TRILOBITE_MUTANTS sets how many damaged files each reader is given (default 400).
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { deflateRawSync } from "node:zlib"
import { describe, expect, test } from "vitest"
import { crc32, openZip, writeZip } from "../src/core/zip.ts"
import { openHdf5 } from "../src/formats/hdf5.ts"
import { writeHdf5 } from "../src/formats/hdf5-write.ts"
import { dense, loadModel, type Model, modelFromBytes, sequential, TrilobiteError } from "../src/index.ts"
import { generator, mutant } from "./support/mutate.ts"

const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`./golden/keras/${name}`, import.meta.url)))
const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value))

type Json = { [key: string]: Json } & Json[] & string

/** A file of Keras with its parts changed. */
async function changed(
  change: (config: Json) => unknown,
  more: readonly (readonly [string, Uint8Array])[] = [],
): Promise<Uint8Array> {
  const zip = openZip(golden("words.keras"), "golden", "E_MODEL")
  const config = JSON.parse(new TextDecoder().decode(await zip.read("config.json"))) as Json
  const replaced = change(config) ?? config
  return writeZip([
    ["config.json", text(replaced)],
    ["model.weights.h5", (await zip.read("model.weights.h5"))!],
    ...more,
  ])
}

async function refused(bytes: Uint8Array, message: RegExp): Promise<void> {
  const error = await modelFromBytes(bytes, "bad").then(
    () => undefined,
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(TrilobiteError)
  expect((error as TrilobiteError).code).toBe("E_MODEL")
  expect((error as TrilobiteError).message).toMatch(message)
}

/** A member as zip writers have it, with any of its fields changed. */
function zipOf(fields: {
  name?: string
  localName?: string
  method?: number
  flags?: number
  data?: Uint8Array
  size?: number
  crc?: number
  mode?: number
}): Uint8Array {
  const data = fields.data ?? text("{}")
  const { name = "config.json", method = 0, flags = 0, size = data.length, crc = crc32(data), mode = 0 } = fields
  const [own, listed] = [text(fields.localName ?? name), text(name)]
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  const central = Buffer.alloc(46)
  central.writeUInt32LE(0x02014b50, 0)
  for (const [at, to] of [[6, local], [8, central]] as const) to.writeUInt16LE(flags, at) // biome-ignore format: one row
  for (const [at, to] of [[8, local], [10, central]] as const) to.writeUInt16LE(method, at) // biome-ignore format: one row
  for (const [at, to] of [
    [14, local],
    [16, central],
  ] as const) {
    to.writeUInt32LE(crc, at)
    to.writeUInt32LE(data.length, at + 4)
    to.writeUInt32LE(size, at + 8)
  }
  local.writeUInt16LE(own.length, 26)
  central.writeUInt16LE(listed.length, 28)
  central.writeUInt32LE((mode << 16) >>> 0, 38)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(46 + listed.length, 12)
  end.writeUInt32LE(30 + own.length + data.length, 16)
  return Buffer.concat([local, own, data, central, listed, end])
}

const zeros = (n: number): Uint8Array => deflateRawSync(new Uint8Array(n))

describe("zip archives", () => {
  const cases: readonly (readonly [what: string, bytes: () => Uint8Array, message: RegExp])[] = [
    ["Z1 a name that leads out", () => zipOf({ name: "../config.json" }), /lead out/],
    ["Z2 an absolute name", () => zipOf({ name: "/etc/passwd" }), /lead out/],
    ["Z2 a name of a drive", () => zipOf({ name: "C:\\x" }), /lead out/],
    ["Z3 a symbolic link", () => zipOf({ mode: 0xa1ff }), /symbolic link/],
    ["Z5 a bomb", () => zipOf({ method: 8, data: zeros(50_000_000), size: 50_000_000, crc: 0 }), /expand too far/],
    [
      "Z5 a bomb that lies of its size",
      () => zipOf({ method: 8, data: zeros(50_000_000), size: 100, crc: 0 }),
      /damaged/,
    ],
    ["Z7 a wrong checksum", () => zipOf({ crc: 1 }), /damaged/],
    ["Z9 another name in its own header", () => zipOf({ localName: "metadata.js" }), /another name/],
    ["Z11 encryption", () => zipOf({ flags: 1 }), /encrypted/],
    ["an unknown packing", () => zipOf({ method: 12 }), /not read/],
    [
      "Z10 bytes before it",
      () => Buffer.concat([Buffer.from("PK\u0003\u0004junk"), zipOf({})]),
      /damaged|member|begin/,
    ],
    ["Z10 bytes behind it", () => Buffer.concat([zipOf({}), Buffer.from("junk")]), /no complete zip/],
    ["Z8 no end", () => zipOf({}).slice(0, -22), /no complete zip/],
    ["a member twice", () => writeZip([["config.json", text("{}")], ["config.json", text("{}")]]), /twice/], // biome-ignore format: one row
    [
      "Z6 too many members",
      () => writeZip(Array.from({ length: 10_001 }, (_, i) => [`${i}`, text("")] as const)),
      /too many/,
    ],
    ["a member that is not known", () => writeZip([["run.py", text("")]]), /run\.py/],
    ["Z12 no config", () => writeZip([["metadata.json", text("{}")]]), /config\.json is missing/],
  ]
  test.each(cases)("%s is refused", async (_, bytes, message) => refused(bytes(), message))

  test("deflated members are read", async () => {
    const data = text("hello, hello, hello")
    const packed = zipOf({ method: 8, data: deflateRawSync(data), size: data.length, crc: crc32(data) })
    expect(await openZip(packed, "zip", "E_MODEL").read("config.json")).toEqual(data)
  })
})

describe("the configuration of a model of Keras", () => {
  const cases: readonly (readonly [what: string, change: (config: Json) => unknown, message: RegExp])[] = [
    ["Z14 a Lambda layer", (c) => void (c.config!.layers![1]!.class_name = "Lambda" as Json), /Lambda.*never run/],
    ["Z15 another module", (c) => void (c.config!.layers![1]!.module = "os" as Json), /another module/],
    ["Z16 the class constructor", (c) => void (c.config!.layers![1]!.class_name = "constructor" as Json), /not known/],
    ["Z16 the class __proto__", (c) => void (c.config!.layers![1]!.class_name = "__proto__" as Json), /not known/],
    ["a key __proto__", (c) => JSON.stringify(c).replace('"name"', '"__proto__"'), /__proto__.*not allowed/],
    [
      "a key __proto__ in escapes",
      (c) => JSON.stringify(c).replace('"name"', '"\\u005f_proto__"'),
      /__proto__.*not allowed/,
    ],
    ["Z17 a name that leads out", (c) => void (c.config!.layers![1]!.config!.name = "../../x" as Json), /without \//],
    ["Z13 65 levels", () => "[".repeat(65), /deeper than 64/],
    [
      "an option that asks for something",
      (c) => void (c.config!.layers![1]!.config!.lora_rank = 4 as never),
      /lora_rank/,
    ],
    ["float16", (c) => void (c.config!.layers![1]!.config!.dtype = "float16" as Json), /float16/],
    [
      "a size that is not known",
      (c) => void (c.config!.layers![0]!.config!.batch_shape = [null, null] as never),
      /open until data/,
    ],
    ["two keys of one name", (c) => JSON.stringify(c).replace("{", '{"module": 1, '), /occurs twice/],
    [
      "another model's shapes",
      (c) => void (c.config!.layers![1]!.config!.output_dim = 4 as never),
      /shape does not fit/,
    ],
  ]
  test.each(cases)("%s is refused", async (_, change, message) => refused(await changed(change), message))
})

describe("HDF5", () => {
  const bytes = (): Uint8Array => {
    const data = Float32Array.of(1, 2, 3)
    const vars = { items: new Map([["0", { dtype: "float32", shape: [3], data } as const]]) }
    return writeHdf5({ items: new Map([["vars", vars]]) })
  }
  const read = async (file: Uint8Array): Promise<unknown> => {
    const vars = openHdf5(file, "bad").items.get("vars")
    const set = vars?.kind === "group" ? vars.items.get("0") : undefined
    return set?.kind === "dataset" ? set.read() : undefined
  }
  const find = (file: Uint8Array, pattern: string): number => Buffer.from(file).indexOf(pattern)
  const patched = (at: (file: Uint8Array) => number, value: bigint, width = 8): Uint8Array => {
    const file = bytes()
    const view = new DataView(file.buffer)
    if (width === 8) view.setBigUint64(at(file), value, true)
    else view.setUint8(at(file), Number(value))
    return file
  }
  test("a good one is read", async () => {
    expect(await read(bytes())).toEqual({ dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) })
  })
  const cases: readonly (readonly [what: string, file: () => Uint8Array, message: RegExp])[] = [
    ["Z23 an address outside", () => patched((f) => find(f, "TREE") + 32, 1n << 40n), /outside the file/],
    ["Z23 a tree that is its own child", () => patched((f) => find(f, "TREE") + 5, 3n, 1), /damaged|TREE/],
    ["Z19 a group that holds itself", () => patched((f) => find(f, "SNOD") + 16, BigInt(new DataView(bytes().buffer).getUint32(64, true))), /second link/], // biome-ignore format: one row
    ["Z19 a soft link", () => patched((f) => find(f, "SNOD") + 24, 2n, 1), /soft link/],
    ["an end before the file's", () => patched(() => 40, 100n), /behind the file/],
    ["an end behind the file's", () => patched(() => 40, 1n << 40n), /cut off/],
    ["a file cut short", () => bytes().slice(0, -9), /cut off/],
    ["bytes behind it", () => Buffer.concat([bytes(), new Uint8Array(8)]), /behind the file/],
  ]
  test.each(cases)("%s is refused", async (_, file, message) => {
    await expect((async () => read(file()))()).rejects.toThrow(message)
    await expect((async () => read(file()))()).rejects.toMatchObject({ code: "E_MODEL" })
  })
  test("Z22 a shape that the file cannot hold is refused before anything is allocated", async () => {
    const file = bytes()
    const view = new DataView(file.buffer)
    const at = Buffer.from(file).indexOf(Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]))
    view.setBigUint64(at, 2_000_000_000n, true)
    await expect((async () => read(file))()).rejects.toThrow(/more than the file can hold|fill its shape/)
  })
})

describe("TensorFlow.js", () => {
  const folder = mkdtempSync(join(tmpdir(), "trilobite-hostile-"))
  const saved = async (): Promise<Json> => {
    const path = join(folder, "m.json")
    await sequential([dense({ units: 2, inputShape: [3] })]).save(path)
    return JSON.parse(readFileSync(path, "utf8")) as Json
  }
  const cases: readonly (readonly [what: string, change: (json: Json) => void, message: RegExp])[] = [
    [
      "a path that leads out",
      (j) => void (j.weightsManifest![0]!.paths![0] = "../m.weights.bin" as Json),
      /not beside it/,
    ],
    [
      "a path that leads out in escapes",
      (j) => void (j.weightsManifest![0]!.paths![0] = "..%2fm.bin" as Json),
      /not beside it/,
    ],
    ["an absolute path", (j) => void (j.weightsManifest![0]!.paths![0] = "/etc/hostname" as Json), /not beside it/],
    ["an address", (j) => void (j.weightsManifest![0]!.paths![0] = "https://example.org/x" as Json), /not beside it/],
    [
      "weights of another size",
      (j) => void (j.weightsManifest![0]!.weights![0]!.shape = [3, 3] as never),
      /do not fit/,
    ],
    [
      "a size beyond all",
      (j) => void (j.weightsManifest![0]!.weights![0]!.shape = [2 ** 40, 2 ** 40] as never),
      /too large/,
    ],
    [
      "quantized weights",
      (j) => void (j.weightsManifest![0]!.weights![0]!.quantization = { dtype: "uint8" } as never),
      /quantized/,
    ],
    ["a graph-model", (j) => void (j.format = "graph-model" as Json), /graph-model/],
  ]
  test.each(cases)("%s is refused", async (_, change, message) => {
    const json = await saved()
    change(json)
    const path = join(folder, "bad.json")
    writeFileSync(path, JSON.stringify(json))
    await expect(loadModel(path)).rejects.toThrow(message)
    await expect(loadModel(path)).rejects.toMatchObject({ code: "E_MODEL" })
  })
  test("alone its bytes are not enough", async () => refused(text(await saved()), /in another file, m\.weights\.bin/))
})

describe("damaged files", () => {
  const count = Number(process.env.TRILOBITE_MUTANTS ?? 400)
  const names = ["words", "chain", "graph", "optimizer-nadam"]
  const repacked = async (
    name: string,
    member: string,
    change: (bytes: Uint8Array) => Uint8Array,
  ): Promise<Uint8Array> => {
    const zip = openZip(golden(`${name}.keras`), name, "E_MODEL")
    const members = await Promise.all(
      zip.names.map(
        async (own) => [own, own === member ? change((await zip.read(own))!) : (await zip.read(own))!] as const,
      ),
    )
    return writeZip(members)
  }
  const next = generator(20261128)
  const damage = (file: Uint8Array): Uint8Array => mutant(file, golden("words.h5"), next)
  const any = (): string => names[next(names.length)]!
  const targets: { readonly [reader: string]: () => Promise<Uint8Array> } = {
    zip: async () => damage(golden(`${any()}.keras`)),
    "Keras's configuration": () => repacked(any(), "config.json", damage),
    "HDF5 in Keras's files": () => repacked(any(), "model.weights.h5", damage),
    "legacy HDF5": async () => damage(golden(`${["words", "chain", "graph"][next(3)]}.h5`)),
    "our own": async () => damage(ownFile!),
  }
  let ownFile: Uint8Array | undefined
  test.each(Object.keys(targets))("%s: a typed error or a model, soon", { timeout: 600_000 }, async (reader) => {
    ownFile ??= await (await modelFromBytes(golden("optimizer-nadam.keras"))).toBytes()
    const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))
    let read = 0
    for (let i = 0; i < count; i++) {
      const bytes = await targets[reader]!()
      const start = performance.now()
      const result: Model | unknown = await modelFromBytes(bytes, "damaged").catch((error: unknown) => error)
      expect(performance.now() - start).toBeLessThan(2000)
      if (result instanceof Error) {
        if (!(result instanceof TrilobiteError)) throw new Error(`mutant ${i} of ${reader}`, { cause: result })
        expect(result.code, `mutant ${i}: ${result.message}`).toBe("E_MODEL")
      } else read++
    }
    expect(read).toBeLessThan(count)
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(before)
  })
})
