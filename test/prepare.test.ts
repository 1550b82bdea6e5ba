// Preparing tables: what columns become, how rows are divided, what is learnt from training rows alone, what is warned of, and that
// it all survives a model's file.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import {
  answersOf,
  dataSet,
  type Prepared,
  type PrepareOptions,
  prepare,
  prepareExamples,
  prepareInputs,
  readPreparation,
  tableFrom,
  tableFromText,
} from "../src/datasets.ts"
import { dense, loadModel, modelFromBytes, sequential } from "../src/index.ts"
import { expectRefusal } from "./support/training.ts"

const FOLDER = mkdtempSync(join(tmpdir(), "trilobite-prepare-"))
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

const n = 100
const many = (of: (i: number) => Record<string, number | string | null>, rows = n) =>
  tableFrom(Array.from({ length: rows }, (_, i) => of(i)))
/** A number without order. */
const mixed = (i: number): number => Math.imul(i + 1, 0x9e3779b1) >>> 8
const kinds = ({ warnings }: Prepared): string[] => warnings.map(({ kind }) => kind)
const table = many((i) => ({
  size: mixed(i) % 1000,
  kind: ["a", "b", "c"][mixed(i) % 3]!,
  y: mixed(i) % 2 ? "yes" : "no",
}))

describe("columns", () => {
  test("numbers are standardized and texts one-hot, by the training rows alone", () => {
    const data = prepare(table, { target: "y", seed: 4 })
    expect([data.task, data.features, data.classes]).toEqual([
      "classification",
      ["size", "kind=a", "kind=b", "kind=c"],
      ["no", "yes"],
    ])
    const sizes = table.columns[0]!.kind === "number" ? table.columns[0]!.values : new Float64Array()
    const known = Array.from(data.rows.train, (row) => sizes[row]!)
    const mean = known.reduce((a, b) => a + b, 0) / known.length
    const deviation = Math.sqrt(known.reduce((a, b) => a + (b - mean) ** 2, 0) / known.length)
    const [step] = data.preparation.features
    expect(step).toEqual({
      column: "size",
      kind: "number",
      shift: expect.closeTo(mean, 9),
      divisor: expect.closeTo(deviation, 9),
      missing: null,
    })
    for (const part of ["train", "validation"] as const) {
      data.rows[part].forEach((row, i) => {
        const x = data[part].x.data.subarray(4 * i, 4 * i + 4)
        const one = ["a", "b", "c"].map((k) => (mixed(row) % 3 === ["a", "b", "c"].indexOf(k) ? 1 : 0))
        expect([...x]).toEqual([
          Math.fround((sizes[row]! - step!["shift" as never]) / step!["divisor" as never]),
          ...one,
        ])
        expect(data[part].y.data[i]).toBe(mixed(row) % 2)
      })
    }
    expect(data.train.y).toMatchObject({ dtype: "int32", shape: [80, 1] })
  })

  test("minMax, none, lookups for embeddings, codes that are numbers", () => {
    const scaled = prepare(table, { target: "y", features: ["size"], scaling: "minMax", validation: 0 })
    expect([Math.min(...scaled.train.x.data), Math.max(...scaled.train.x.data)]).toEqual([0, 1])
    const plain = prepare(table, { target: "y", features: ["size"], scaling: "none", validation: 0 })
    expect(plain.train.x.data[3]).toBe(mixed(plain.rows.train[3]!) % 1000)
    const looked = prepare(table, { target: "y", lookups: ["kind"], validation: 0 })
    expect([looked.features, looked.train.x.shape]).toEqual([["size"], [100, 1]])
    expect(looked.train.lookups.kind!.data[5]).toBe(1 + (mixed(looked.rows.train[5]!) % 3))
    const codes = prepare(
      many((i) => ({ code: 100 + (i % 3), y: mixed(i) % 7 })),
      { target: "y", categorical: ["code"] },
    )
    expect(codes.features).toEqual(["code=100", "code=101", "code=102"])
    const other = prepareInputs(looked.preparation, tableFrom([{ size: 1, kind: "new" }]))
    expect([...other.lookups.kind!.data]).toEqual([0])
  })

  test("V19 a constant column becomes 0, and is named", () => {
    const data = prepare(
      many((i) => ({ a: 5, b: mixed(i), y: i % 2 })),
      { target: "y" },
    )
    expect([...data.train.x.data].filter((_, i) => i % 2 === 0).every((value) => value === 0)).toBe(true)
    expect(data.warnings.find(({ kind }) => kind === "constant")).toMatchObject({
      columns: ["a"],
      message: expect.stringContaining('"a"'),
    })
  })

  test("columns that only name the row are left out", () => {
    const data = prepare(
      many((i) => ({ id: i, name: `n${i}`, x: mixed(i), y: i % 2 })),
      { target: "y" },
    )
    expect(data.features).toEqual(["x"])
    expect(data.warnings.filter(({ kind }) => kind === "ignored").flatMap(({ columns }) => columns)).toEqual([
      "id",
      "name",
    ])
    expect(
      prepare(
        many((i) => ({ id: i, x: mixed(i), y: i % 2 })),
        { target: "y", features: ["id"] },
      ).features,
    ).toEqual(["id"])
  })

  test("missing cells: an error with their place and number, the mean, or without the row", async () => {
    const some = await tableFromText(
      `a,b,y\n${Array.from({ length: 60 }, (_, i) => `${i === 6 ? "" : i * i},${i % 5 === 4 ? "" : "u"},${i % 2}`).join("\n")}`,
    )
    await expectRefusal(
      () => prepare(some, { target: "y" }),
      "E_DATA",
      /^text:6, column 2 "b".*1 in "a", 12 in "b".*missing "mean"/,
    )
    const mean = prepare(some, { target: "y", missing: "mean", scaling: "none" })
    const at = mean.rows.train.indexOf(6)
    const known = Array.from(mean.rows.train).filter((row) => row !== 6)
    const [step] = mean.preparation.features as readonly unknown[] as [{ missing: number }]
    expect(step.missing).toBeCloseTo(known.reduce((sum, row) => sum + row * row, 0) / known.length, 9)
    if (at >= 0) expect(mean.train.x.data[2 * at]).toBe(Math.fround(step.missing))
    const without = prepare(some, { target: "y", missing: "drop" })
    expect(without.rows.train.length + without.rows.validation.length).toBe(60 - 13)
    expect(kinds(without)).toContain("missing")
  })

  test("tasks: classes for texts and a few whole numbers, else numbers in a common size", () => {
    const task = (of: (i: number) => number | string): string =>
      prepare(
        many((i) => ({ x: mixed(i), y: of(i) })),
        { target: "y" },
      ).task
    expect(task((i) => i % 10)).toBe("classification")
    expect(task((i) => i % 30)).toBe("regression")
    expect(task((i) => (i % 10) + 0.5)).toBe("regression")
    expect(task((i) => `${i % 3}`)).toBe("classification")
    const data = prepare(
      many((i) => ({ x: mixed(i), y: 1000 + (mixed(i) % 999) })),
      { target: "y", validation: 0 },
    )
    const sum = Array.from(data.train.y.data).reduce((a, b) => a + b, 0)
    expect(sum / n).toBeCloseTo(0, 5)
    const back = answersOf(data.preparation, data.train.y).map(({ value }) => value)
    expect(back[7]).toBeCloseTo(1000 + (mixed(data.rows.train[7]!) % 999), 3)
  })

  test("answers: classes with probabilities", () => {
    const two = prepare(table, { target: "y" })
    expect(answersOf(two.preparation, { dtype: "float32", shape: [2, 1], data: Float32Array.of(0.25, 0.75) })).toEqual([
      { value: "no", probabilities: [0.75, 0.25] },
      { value: "yes", probabilities: [0.25, 0.75] },
    ])
    const three = prepare(table, { target: "kind" })
    const outputs = { dtype: "float32" as const, shape: [1, 3], data: Float32Array.of(0.25, 0.5, 0.25) }
    expect(answersOf(three.preparation, outputs)[0]!.value).toBe("b")
  })
})

describe("division", () => {
  const parts = (options: PrepareOptions): Prepared => prepare(table, { target: "kind", ...options })
  test("every row is in one part; the same seed gives the same parts", () => {
    const { rows } = parts({ validation: 0.2, test: 0.1, split: "random" })
    expect([rows.train.length, rows.validation.length, rows.test.length]).toEqual([70, 20, 10])
    expect([...rows.train, ...rows.validation, ...rows.test].sort((a, b) => a - b)).toEqual(
      Array.from({ length: n }, (_, i) => i),
    )
    expect(parts({ validation: 0.2, test: 0.1, split: "random" }).rows).toEqual(rows)
    expect(parts({ validation: 0.2, test: 0.1, split: "random", seed: 1 }).rows).not.toEqual(rows)
  })
  test("stratified: each class gives its share", async () => {
    const data = prepare(await dataSet("iris"), { validation: 0.2, test: 0.1 })
    for (const [part, share] of [
      ["train", 35],
      ["validation", 10],
      ["test", 5],
    ] as const) {
      const counts = [0, 0, 0]
      for (const label of data[part].y.data) counts[label]!++
      expect(counts).toEqual([share, share, share])
    }
    expect(data.classWeights).toEqual({ 0: 1, 1: 1, 2: 1 })
  })
  test("by time: the last rows test, by numbers or dates", () => {
    const dated = many((i) => ({
      day: `2024-01-${String(1 + (mixed(i) % 28)).padStart(2, "0")}`,
      x: mixed(i),
      y: i % 2,
    }))
    const { rows, features } = prepare(dated, {
      target: "y",
      split: "time",
      timeColumn: "day",
      validation: 0.2,
      test: 0.2,
    })
    const days = (part: Int32Array): number[] => Array.from(part, (row) => mixed(row) % 28)
    expect(Math.max(...days(rows.train))).toBeLessThanOrEqual(Math.min(...days(rows.validation)))
    expect(Math.max(...days(rows.validation))).toBeLessThanOrEqual(Math.min(...days(rows.test)))
    expect(features).toEqual(["x"])
  })
  test("class weights make up for unequal classes", () => {
    const data = prepare(
      many((i) => ({ x: mixed(i), y: i % 20 === 0 ? "rare" : "usual" })),
      { target: "y", validation: 0 },
    )
    expect(data.classWeights).toEqual({ 0: 10, 1: 100 / 190 })
    expect(kinds(data)).toContain("imbalance")
  })
})

describe("warnings that name what they are about", () => {
  const warned = (of: (i: number) => Record<string, number | string>, kind: string, options: PrepareOptions = {}) =>
    prepare(many(of), { target: "y", ...options }).warnings.find((warning) => warning.kind === kind)?.message
  test("sorted labels", () => {
    expect(warned((i) => ({ x: mixed(i), y: i < 50 ? "a" : "b" }), "sorted")).toMatch(/sorted by "y"/)
    expect(warned((i) => ({ x: mixed(i), y: i * 1.5 }), "sorted")).toMatch(/sorted by "y"/)
    expect(warned((i) => ({ x: mixed(i), y: mixed(i) % 2 ? "a" : "b" }), "sorted")).toBeUndefined()
  })
  test("V15 a class that is missing in a part", () => {
    const message = warned((i) => ({ t: i, x: mixed(i), y: i < 90 ? `c${i % 2}` : "late" }), "missingClass", {
      split: "time",
      timeColumn: "t",
    })
    expect(message).toMatch(/training rows of table have no "late"/)
  })
  test("V24 rows that are in two parts", () => {
    expect(warned((i) => ({ x: i % 10, y: (i % 10) % 2 }), "duplicates")).toMatch(
      /20 of 20 validation and test rows.*row \d+/,
    )
    expect(warned((i) => ({ x: mixed(i), y: i % 2 }), "duplicates")).toBeUndefined()
  })
  test("V20 pixels that are not scaled", () => {
    const pixels = (i: number) => ({
      ...Object.fromEntries(Array.from({ length: 16 }, (_, k) => [`p${k}`, mixed(i * 16 + k) % 256])),
      y: i % 2,
    })
    expect(warned(pixels, "pixels", { scaling: "none" })).toMatch(/16 columns.*divide them by 255/)
    expect(warned(pixels, "pixels")).toBeUndefined()
  })
  test("few rows", () => {
    expect(
      prepare(
        many((i) => ({ x: mixed(i), y: i % 2 }), 20),
        { target: "y" },
      ).warnings.map(({ kind }) => kind),
    ).toContain("fewRows")
  })
})

describe("what cannot be", () => {
  test.each<[string, PrepareOptions, "E_CONFIG" | "E_DATA", RegExp]>([
    ["K19 no such target", { target: "yy" }, "E_CONFIG", /unknown column "yy".*one of size, kind, y/],
    ["no target", {}, "E_CONFIG", /what is to be predicted/],
    ["an unknown option", { target: "y", tagret: "y" } as PrepareOptions, "E_CONFIG", /Did you mean "target"/],
    ["an unknown choice", { target: "y", scaling: "standardise" as "none" }, "E_CONFIG", /Did you mean "standardize"/],
    ["no such feature", { target: "y", features: ["sise"] }, "E_CONFIG", /Did you mean "size"/],
    ["the target as a feature", { target: "y", features: ["y"] }, "E_CONFIG", /predicted from itself/],
    ["no features", { target: "y", ignore: ["size", "kind"] }, "E_DATA", /nothing to predict from/],
    ["shares", { target: "y", validation: 0.6, test: 0.5 }, "E_CONFIG", /no rows are left/],
    ["a share", { target: "y", validation: 1 }, "E_CONFIG", /no share/],
    ["regression of texts", { target: "y", task: "regression" }, "E_DATA", /target is text/],
    ["time without a column", { target: "y", split: "time" }, "E_CONFIG", /by which column/],
    ["a column without time", { target: "y", timeColumn: "size" }, "E_CONFIG", /does nothing/],
  ])("%s", async (_, options, code, message) => {
    await expectRefusal(() => prepare(table, options), code, message)
  })
  test("V14 one class, a target that is missing, rows that do not fit what was learnt", async () => {
    await expectRefusal(
      () =>
        prepare(
          many((i) => ({ x: i * 2, y: "a" })),
          { target: "y" },
        ),
      "E_DATA",
      /one class only/,
    )
    const gap = many((i) => ({ x: mixed(i), y: i === 7 ? null : "ab"[i % 2]! }))
    await expectRefusal(() => prepare(gap, { target: "y" }), "E_DATA", /row 8, column 2 "y": the target is missing/)
    const { preparation } = prepare(table, { target: "y" })
    await expectRefusal(
      () => prepareInputs(preparation, tableFrom([{ size: 1, kind: "d" }])),
      "E_DATA",
      /not known.*one of a, b, c, got "d"/,
    )
    await expectRefusal(() => prepareInputs(preparation, tableFrom([{ size: 1 }])), "E_DATA", /no column "kind"/)
    await expectRefusal(
      () => prepareInputs(preparation, tableFrom([{ size: "x", kind: "a" }])),
      "E_DATA",
      /not a number/,
    )
    await expectRefusal(
      () => prepareExamples(preparation, tableFrom([{ size: 1, kind: "a", y: "maybe" }])),
      "E_DATA",
      /one of no, yes/,
    )
  })
})

describe("with a model", () => {
  test("from a table to a saved model and back: the same answers", async () => {
    const penguins = await dataSet("penguins")
    const data = prepare(penguins, { missing: "mean", seed: 1 })
    const model = sequential(
      [
        dense({ units: 16, activation: "relu", inputShape: [data.features.length] }),
        dense({ units: data.classes.length, activation: "softmax" }),
      ],
      { seed: 1 },
    )
    model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: "adam", metrics: ["accuracy"] })
    await model.fit(data.train.x, data.train.y, { epochs: 30, batchSize: 16, verbose: 0 })
    const { accuracy } = await model.evaluate(data.validation.x, data.validation.y)
    expect(accuracy).toBeGreaterThan(0.95)
    model.preparing = data.preparation
    const path = join(FOLDER, "penguins.safetensors")
    await model.save(path)
    const loaded = await loadModel(path)
    const preparation = readPreparation(loaded.preparing, path)
    expect(preparation).toEqual(data.preparation)
    const first = tableFrom([
      { island: "Biscoe", billLength: 46.5, billDepth: 14, flipperLength: 217, bodyMass: 5200, sex: null },
    ])
    const [answer] = answersOf(preparation, await loaded.predict(prepareInputs(preparation, first).x))
    expect(answer!.value).toBe("Gentoo")
    expect((await modelFromBytes(await loaded.toBytes())).preparing).toEqual(
      JSON.parse(JSON.stringify(data.preparation)),
    )
  })

  test.each<[unknown, RegExp]>([
    [{ version: 2 }, /version/],
    [{ version: 1, features: [{ column: "a", kind: "number", shift: 0, divisor: 0 }], target: {} }, /divided by 0/],
    [{ version: 1, features: [{ column: "a", kind: "eval" }] }, /no such step/],
    [{ version: 1, features: [{ column: "a", kind: "oneHot", levels: ["x", "x"] }] }, /twice/],
    [{ version: 1, features: [], target: { column: "y", kind: "code" } }, /no such target/],
    [[], /an object/],
  ])("a damaged preparation %j", async (json, message) => {
    await expectRefusal(() => readPreparation(json, "model"), "E_MODEL", message)
  })
})
