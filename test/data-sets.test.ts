// The small data sets of the package, and the generators of points.
import { describe, expect, test } from "vitest"
import { textAt } from "../src/data/table.ts"
import {
  circles,
  dataSet,
  dataSetNames,
  gaussians,
  hills,
  moons,
  type Points,
  plane,
  spirals,
  xor,
} from "../src/datasets.ts"
import { expectRefusal } from "./support/training.ts"

describe("data sets by name", () => {
  test.each([
    ["iris", 150, 5, { setosa: 50, versicolor: 50, virginica: 50 }],
    ["wine", 178, 14, { class_0: 59, class_1: 71, class_2: 48 }],
    ["breastCancer", 569, 31, { malignant: 212, benign: 357 }],
    ["digits", 1797, 65, { 0: 178, 1: 182, 2: 177, 3: 183, 4: 181, 5: 182, 6: 181, 7: 179, 8: 174, 9: 180 }],
    ["penguins", 344, 7, { Adelie: 152, Chinstrap: 68, Gentoo: 124 }],
    ["words", 11944, 2, { czech: 2048, english: 1916, french: 1914, italian: 2019, portuguese: 2048, spanish: 1999 }],
  ] as const)("%s: rows, columns and classes", async (name, rows, columns, classes) => {
    const set = await dataSet(name)
    expect([set.rows, set.columns.length, set.name]).toEqual([rows, columns, name])
    const target = set.columns.find((column) => column.name === set.target)!
    const found: Record<string, number> = {}
    for (let row = 0; row < rows; row++) found[textAt(target, row)!] = (found[textAt(target, row)!] ?? 0) + 1
    expect(found).toEqual(classes)
    expect(set.attribution).toMatch(/BSD-3|CC0|MIT/)
    const missing = set.columns.flatMap((c) =>
      c.kind === "number" ? [...c.values].filter(Number.isNaN) : [...c.codes].filter((k) => k < 0),
    )
    expect(missing.length).toBe(name === "penguins" ? 19 : 0)
  })
  test("diabetes: numbers alone, with the mean that scikit-learn's has", async () => {
    const { columns, rows, target } = await dataSet("diabetes")
    expect(columns.every(({ kind }) => kind === "number")).toBe(true)
    const values = columns.find(({ name }) => name === target) as { values: Float64Array } | undefined
    expect(values!.values.reduce((a, b) => a + b, 0) / rows).toBeCloseTo(152.1335, 4)
  })
  test("a name that is none", async () => {
    expect(dataSetNames).toHaveLength(7)
    await expectRefusal(() => dataSet("irsi" as "iris"), "E_CONFIG", /Did you mean "iris"/)
    await expectRefusal(() => dataSet("toString" as "iris"), "E_CONFIG", /unknown data set/)
  })
})

describe("generators", () => {
  const each = (points: Points, check: (x1: number, x2: number, y: number) => void): void => {
    for (let i = 0; i < points.y.data.length; i++)
      check(points.x.data[2 * i]!, points.x.data[2 * i + 1]!, points.y.data[i]!)
  }
  const still = { rows: 500, noise: 0, seed: 3 }
  test("circles, xor, plane, moons and spirals are where they should be", () => {
    each(circles(still), (a, b, y) => {
      const radius = Math.hypot(a, b)
      expect(y === 0 ? radius <= 0.5001 : radius >= 0.7999 && radius <= 1.1001).toBe(true)
    })
    each(xor(still), (a, b, y) => expect(a >= 0 === b >= 0 ? 1 : 0).toBe(y))
    each(plane(still), (a, b, y) => expect(y).toBeCloseTo((a + b) / 2, 6))
    each(moons(still), (a, b, y) => expect(y === 0 ? Math.hypot(a, b) : Math.hypot(a - 1, b - 0.5)).toBeCloseTo(1, 5))
    each(spirals(still), (a, b, y) => {
      const radius = Math.hypot(a, b)
      const angle = 2.5 * Math.PI * radius + y * Math.PI
      expect([a, b]).toEqual([expect.closeTo(radius * Math.sin(angle), 4), expect.closeTo(radius * Math.cos(angle), 4)])
    })
    expect(Math.max(...hills(still).y.data)).toBeGreaterThan(0.9)
    expect(Math.min(...hills(still).y.data)).toBeLessThan(-0.9)
    let right = 0
    each(gaussians({ ...still, noise: 0.1 }), (a, b, y) => {
      if (a + b > 0 === (y === 1)) right++
    })
    expect(right).toBeGreaterThan(495)
  })
  test.each([circles, moons, xor, gaussians, spirals, plane, hills])("%o: noise and seed", (make) => {
    const a = make()
    expect(a.x.shape).toEqual([200, 2])
    expect(make()).toEqual(a)
    expect(make({ seed: 1 }).x.data).not.toEqual(a.x.data)
    const [calm, noisy] = [make({ noise: 0, rows: 2000 }), make({ noise: 0.5, rows: 2000 })]
    const column = make === plane || make === hills ? ("y" as const) : ("x" as const)
    const moved = Array.from(calm[column].data).reduce(
      (sum, value, i) => sum + (value - noisy[column].data[i]!) ** 2,
      0,
    )
    expect(Math.sqrt(moved / calm[column].data.length)).toBeCloseTo(0.5, 1)
  })
  test("options", async () => {
    await expectRefusal(() => circles({ row: 3 } as object), "E_CONFIG", /Did you mean "rows"/)
    await expectRefusal(() => circles({ rows: 0 }), "E_CONFIG", /number of points/)
    await expectRefusal(() => circles({ noise: Number.NaN }), "E_CONFIG", /no noise/)
    await expectRefusal(() => circles({ seed: -1 }), "E_CONFIG", /seed/)
  })
})
