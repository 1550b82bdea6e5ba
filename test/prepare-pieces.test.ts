// Tables in pieces: what is learnt from them is what `prepare` learns, and a training on their streams has the bits of one in memory.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import {
  type PreparedPieces,
  type PrepareOptions,
  prepare,
  prepareExamples,
  preparePieces,
  readTable,
  type Table,
  tableFrom,
  tablePieces,
} from "../src/datasets.ts"
import { dense, sequential } from "../src/index.ts"
import { expectRefusal } from "./support/training.ts"

const FOLDER = mkdtempSync(join(tmpdir(), "trilobite-pieces-"))
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

const mixed = (i: number): number => Math.imul(i + 1, 0x9e3779b1) >>> 8
const words = ["a", "b", "c", "d"]
const N = 3000
/** Rows with numbers, gaps, words, a column that counts them and one that says nothing. */
const csv = (rows = N): string => {
  const lines = Array.from({ length: rows }, (_, i) => {
    const gap = mixed(i) % 50 === 0 ? "" : `${mixed(i) / 1000}`
    return `${i},${gap},${words[mixed(i + 7) % 4]},${mixed(3 * i) % 1000},5,${["no", "yes"][mixed(i) % 2]}`
  })
  return `id,size,kind,weight,same,y\n${lines.join("\n")}\n`
}
const file = (name: string, text: string): string => {
  const path = join(FOLDER, name)
  writeFileSync(path, text)
  return path
}
const PATH = file("table.csv", csv())
/** The rows of a table, so many at a time. */
const inPieces = (table: Table, size: number) => () =>
  Array.from({ length: Math.ceil(table.rows / size) }, (_, i): Table => {
    const [from, to] = [i * size, Math.min(table.rows, (i + 1) * size)]
    const columns = table.columns.map((c) =>
      c.kind === "text" ? { ...c, codes: c.codes.slice(from, to) } : { ...c, values: c.values.slice(from, to) },
    )
    return { source: table.source, rows: to - from, columns, lines: table.lines!.slice(from, to) }
  })
const pieces = () => tablePieces(PATH, { rows: 100 })
const kinds = ({ warnings }: { readonly warnings: PreparedPieces["warnings"] }): string[] =>
  warnings.map(({ kind }) => kind)

describe("what is learnt", () => {
  const cases: [string, PrepareOptions][] = [
    ["classes", { target: "y", missing: "mean" }],
    ["classes, rows with gaps left out", { target: "y", missing: "drop" }],
    ["numbers", { target: "weight", missing: "mean", scaling: "minMax" }],
    ["numbers as they are", { target: "weight", missing: "mean", scaling: "none", scaleTarget: false }],
    ["lookups and codes", { target: "y", missing: "mean", lookups: ["kind"], categorical: ["same"] }],
    ["named columns", { target: "y", features: ["id", "kind"] }],
  ]
  test.each(cases)("%s: the same as in memory, if all rows train", async (_, options) => {
    const table = await readTable(PATH)
    const whole = prepare(table, { ...options, validation: 0 })
    for (const source of [inPieces(table, 100), inPieces(table, 7), inPieces(table, 5000), pieces]) {
      const data = await preparePieces(source, { ...options, validation: 0 })
      expect(data.preparation).toEqual(whole.preparation)
      expect([data.task, data.features, data.classes]).toEqual([whole.task, whole.features, whole.classes])
      expect(data.classWeights).toEqual(whole.classWeights)
      expect(data.rows).toEqual({ train: whole.rows.train.length, validation: 0, test: 0 })
      expect(kinds(data)).toEqual(kinds(whole))
    }
  })

  test("only training rows teach; every row is in one part, which the seed and its number decide", async () => {
    const options = { target: "weight", missing: "mean", validation: 0.25, test: 0.1, seed: 3 } as const
    const table = await readTable(PATH)
    const data = await preparePieces(inPieces(table, 100), options)
    const other = await preparePieces(inPieces(table, 999), options)
    const of = async (from: PreparedPieces, part: "train" | "validation" | "test"): Promise<number[]> => {
      const found: number[] = []
      for await (const { rows, first } of from.parts(part)) found.push(...Array.from(rows, (row) => first + row))
      return found
    }
    const [train, validation, tests] = [await of(data, "train"), await of(data, "validation"), await of(data, "test")]
    expect([...train, ...validation, ...tests].sort((a, b) => a - b)).toEqual(Array.from({ length: N }, (_, i) => i))
    expect(data.rows).toEqual({ train: train.length, validation: validation.length, test: tests.length })
    expect(Math.abs(validation.length / N - 0.25)).toBeLessThan(0.03)
    expect(Math.abs(tests.length / N - 0.1)).toBeLessThan(0.03)
    expect(await of(other, "train")).toEqual(train)
    expect(other.preparation).toEqual(data.preparation)
    const size = table.columns.find(({ name }) => name === "size")!
    const known = train.map((row) => (size.kind === "number" ? size.values[row]! : 0)).filter((v) => !Number.isNaN(v))
    const mean = known.reduce((a, b) => a + b, 0) / known.length
    expect(data.preparation.features[0]).toMatchObject({ column: "size", shift: mean, missing: mean })
    const again = await preparePieces(inPieces(table, 100), { ...options, seed: 4 })
    expect(await of(again, "train")).not.toEqual(train)
  })

  test("columns that come late, and texts behind a long gap", async () => {
    const late = file(
      "late.jsonl",
      Array.from({ length: 400 }, (_, i) => {
        return JSON.stringify({
          x: mixed(i) % 100,
          y: mixed(i) % 2 ? "u" : "v",
          ...(i < 250 ? {} : { z: words[i % 2] }),
        })
      }).join("\n"),
    )
    const options = { target: "y", missing: "mean", validation: 0 } as const
    const whole = prepare(await readTable(late), options)
    const some = async function* () {
      const table = await readTable(late)
      const lines = inPieces(table, 50)()
      // As a reader gives them that has not yet met the last column.
      for (const [i, piece] of lines.entries()) yield i < 5 ? { ...piece, columns: piece.columns.slice(0, 2) } : piece
    }
    expect((await preparePieces(some, options)).preparation).toEqual(whole.preparation)
  })
})

describe("training", () => {
  const build = (data: Pick<PreparedPieces, "features" | "classes">) => {
    const model = sequential(
      [
        dense({ units: 8, activation: "tanh", inputShape: [data.features.length] }),
        dense({ units: 1, activation: "sigmoid" }),
      ],
      { seed: 2 },
    )
    model.compile({ loss: "binaryCrossentropy", optimizer: "adam", metrics: ["binaryAccuracy"] })
    return model
  }

  test("a stream without a buffer has the bits of the same rows in memory", async () => {
    const data = await preparePieces(pieces, { target: "y", missing: "mean", seed: 1 })
    const table = await readTable(PATH)
    const rows = async (part: "train" | "validation"): Promise<Int32Array> => {
      const found: number[] = []
      for await (const piece of data.parts(part)) found.push(...Array.from(piece.rows, (row) => piece.first + row))
      return Int32Array.from(found)
    }
    const [train, validation] = [await rows("train"), await rows("validation")]
    const [some, others] = [train, validation].map((of) => prepareExamples(data.preparation, table, of))
    const options = { epochs: 3, batchSize: 50, verbose: 0 } as const
    const inMemory = build(data)
    const validationData = [others!.x, others!.y] as const
    const a = await inMemory.fit(some!.x, some!.y, { ...options, shuffle: false, validationData })
    const streamed = build(data)
    const b = await streamed.fit(data.train, { ...options, shuffleBuffer: 0, validationData: data.validation })
    expect(b.history).toEqual(a.history)
    expect(streamed.getWeights().map(({ data: w }) => w)).toEqual(inMemory.getWeights().map(({ data: w }) => w))
    const mixing = build(data)
    const c = await mixing.fit(data.train, { ...options, shuffleBuffer: 300, validationData: data.validation })
    const again = build(data)
    const d = await again.fit(data.train, { ...options, shuffleBuffer: 300, validationData: data.validation })
    expect(d.history).toEqual(c.history)
    expect(c.history.loss).not.toEqual(b.history.loss)
  })
})

describe("refused or warned of", () => {
  test("divisions that need all rows, gaps, one class", async () => {
    const of = (options: PrepareOptions) => () => preparePieces(pieces, options)
    await expectRefusal(of({ target: "y", split: "stratified" }), "E_CONFIG", /drawn one by one.*"random"/)
    await expectRefusal(of({ target: "y", split: "time", timeColumn: "id" }), "E_CONFIG", /drawn one by one/)
    await expectRefusal(of({ target: "y" }), "E_DATA", /cell is empty.*missing cells: \d+ in "size"/)
    await expectRefusal(of({ target: "z" }), "E_CONFIG", /no column|unknown column/)
    await expectRefusal(of({}), "E_CONFIG", /what is to be predicted/)
    await expectRefusal(of({ target: "kind", task: "regression", missing: "mean" }), "E_DATA", /the target is text/)
    await expectRefusal(of({ target: "size", missing: "mean" }), "E_DATA", /the target is missing.*"drop"/)
    const one = () => [tableFrom(Array.from({ length: 60 }, (_, i) => ({ x: mixed(i), y: "same" })))]
    await expectRefusal(() => preparePieces(one, { target: "y" }), "E_DATA", /one class only/)
    await expectRefusal(() => preparePieces(() => [], { target: "y" }), "E_DATA", /no rows/)
  })

  test("rows in the order of their classes, which a buffer does not mix", async () => {
    const sorted = () => [tableFrom(Array.from({ length: 400 }, (_, i) => ({ x: mixed(i), y: i < 200 ? "a" : "b" })))]
    const { warnings } = await preparePieces(sorted, { target: "y" })
    expect(warnings.map(({ message }) => message).join()).toMatch(/sorted by "y".*shuffleBuffer/)
  })

  test("a column of ever new texts takes no more memory with more rows", async () => {
    const columns: number[] = []
    const text = Array.from({ length: 150_000 }, (_, i) => `word${i},${i % 3},${["u", "v"][mixed(i) % 2]}`).join("\n")
    const path = file("words.csv", `w,x,y\n${text}\n`)
    for await (const piece of tablePieces(path, { rows: 1000 })) {
      const words = piece.columns[0]!
      if (words.kind !== "text") throw new Error("these are texts")
      columns.push(words.levels.length)
      const line = piece.lines![0]! - 2
      expect(words.levels[words.codes[0]!]).toBe(`word${line}`)
    }
    expect(Math.max(...columns)).toBeLessThan(150_000)
    const data = await preparePieces(() => tablePieces(path), { target: "y" })
    expect(data.features).toEqual(["x"])
    expect(data.warnings.map(({ message }) => message).join()).toMatch(/"w" has more than 1000 different texts/)
  })
})
