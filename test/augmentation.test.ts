// Layers that change images at random: against plain loops over pixels, and in training.
import { describe, expect, test } from "vitest"
import { fillUniform, streams } from "../src/core/random.ts"
import type { Node } from "../src/graph/node.ts"
import * as ops from "../src/graph/ops.ts"
import {
  dense,
  flatten,
  type Layer,
  type Model,
  modelFromBytes,
  randomContrast,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
  sequential,
  sgd,
} from "../src/index.ts"
import { scopeWith } from "./layers.cases.ts"
import { evaluateNode, samples } from "./support/evaluate.ts"
import { SEED } from "./support/execute.ts"

const [ROWS, HEIGHT, WIDTH, CHANNELS] = [5, 4, 6, 2]
const images = samples(ROWS * HEIGHT * WIDTH * CHANNELS)
const pixel = (r: number, y: number, x: number, c: number): number =>
  images[((r * HEIGHT + y) * WIDTH + x) * CHANNELS + c]!

/** What a layer makes of the images while it is trained, and the numbers that it has drawn. */
function trained(layer: Layer): { readonly out: Float64Array; readonly drawn: (number: number) => number[] } {
  const node = layer.call([ops.input("x", [HEIGHT, WIDTH, CHANNELS])], scopeWith([], true)) as Node
  const out = evaluateNode(node, { rows: ROWS, inputs: { x: images } })
  const drawn = (substream: number): number[] => {
    const numbers = new Float32Array(ROWS)
    fillUniform(numbers, SEED, streams.dropout, substream, 0)
    return [...numbers]
  }
  return { out, drawn }
}

type Fill = "reflect" | "constant" | "wrap" | "nearest"

/** The place of a number along an axis written out without end; undefined beyond a constant edge. */
function place(fill: Fill, i: number, n: number): number | undefined {
  if (i >= 0 && i < n) return i
  if (fill === "constant") return undefined
  if (fill === "nearest") return i < 0 ? 0 : n - 1
  if (fill === "wrap") return place(fill, i < 0 ? i + n : i - n, n)
  return place(fill, i < 0 ? -1 - i : 2 * n - 1 - i, n)
}

/** The images, each seen at computed places. */
function seen(
  at: (r: number, y: number, x: number) => readonly [number, number],
  fill: Fill,
  nearest: boolean,
  value: number,
): number[] {
  const out: number[] = []
  for (let r = 0; r < ROWS; r++) {
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        const [row, column] = at(r, y, x)
        for (let c = 0; c < CHANNELS; c++) {
          const get = (i: number, j: number): number => {
            const [a, b] = [place(fill, i, HEIGHT), place(fill, j, WIDTH)]
            return a === undefined || b === undefined ? value : pixel(r, a, b, c)
          }
          if (nearest) {
            out.push(get(Math.floor(row + 0.5), Math.floor(column + 0.5)))
            continue
          }
          const [i, j] = [Math.floor(row), Math.floor(column)]
          const [down, right] = [row - i, column - j]
          const line = (k: number): number => get(k, j) * (1 - right) + get(k, j + 1) * right
          out.push(line(i) * (1 - down) + line(i + 1) * down)
        }
      }
    }
  }
  return out
}

function same(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length)
  // The constants of a graph are float32.
  for (let i = 0; i < wanted.length; i++) expect(found[i], `${i}`).toBeCloseTo(wanted[i]!, 5)
}

describe("against loops", () => {
  const ways = (["reflect", "constant", "wrap", "nearest"] as const).flatMap((fillMode) =>
    (["bilinear", "nearest"] as const).map((interpolation) => ({ fillMode, interpolation, fillValue: 0.75 })),
  )

  test.each(["horizontal", "vertical", "horizontalAndVertical"] as const)("randomFlip, %s", (mode) => {
    const { out, drawn } = trained(randomFlip({ mode }))
    const flips = drawn(0).map((u) => u <= 0.5)
    expect(new Set(flips).size).toBe(2)
    const at = (r: number, y: number, x: number): [number, number] => [
      flips[r]! && mode !== "horizontal" ? HEIGHT - 1 - y : y,
      flips[r]! && mode !== "vertical" ? WIDTH - 1 - x : x,
    ]
    expect([...out]).toEqual(seen(at, "nearest", true, 0))
  })

  test.each(ways)("randomTranslation, $fillMode, $interpolation", (options) => {
    const { out, drawn } = trained(randomTranslation({ heightFactor: 0.9, widthFactor: [-0.2, 1], ...options }))
    const [down, right] = [drawn(0), drawn(1)]
    const at = (r: number, y: number, x: number): [number, number] => [
      y - HEIGHT * (1.8 * down[r]! - 0.9),
      x - WIDTH * (1.2 * right[r]! - 0.2),
    ]
    same(out, seen(at, options.fillMode, options.interpolation === "nearest", 0.75))
  })

  test.each(ways)("randomZoom, $fillMode, $interpolation", (options) => {
    for (const widthFactor of [null, [-0.5, -0.1]] as const) {
      const { out, drawn } = trained(randomZoom({ heightFactor: [0.5, 1], widthFactor, ...options }))
      const rows = drawn(0).map((u) => 1.5 + 0.5 * u)
      const columns = widthFactor === null ? rows : drawn(1).map((u) => 0.5 + 0.4 * u)
      const at = (r: number, y: number, x: number): [number, number] => [
        rows[r]! * y + ((HEIGHT - 1) / 2) * (1 - rows[r]!),
        columns[r]! * x + ((WIDTH - 1) / 2) * (1 - columns[r]!),
      ]
      same(out, seen(at, options.fillMode, options.interpolation === "nearest", 0.75))
    }
  })

  test.each(ways)("randomRotation, $fillMode, $interpolation", (options) => {
    const { out, drawn } = trained(randomRotation({ factor: 0.4, ...options }))
    const angles = drawn(0).map((u) => 2 * Math.PI * 0.4 * (2 * u - 1))
    const [cy, cx] = [(HEIGHT - 1) / 2, (WIDTH - 1) / 2]
    const at = (r: number, y: number, x: number): [number, number] => {
      const [cos, sin] = [Math.cos(angles[r]!), Math.sin(angles[r]!)]
      return [sin * x + cos * y + cy - cx * sin - cy * cos, cos * x - sin * y + cx - cx * cos + cy * sin]
    }
    same(out, seen(at, options.fillMode, options.interpolation === "nearest", 0.75))
  })

  test("randomRotation by nothing is the image", () => {
    same(trained(randomRotation({ factor: 0 })).out, images)
  })

  test("randomContrast", () => {
    const { out, drawn } = trained(randomContrast({ factor: [0.2, 0.9], valueRange: [-1, 1] }))
    const by = drawn(0).map((u) => 0.8 + 1.1 * u)
    const wanted = images.map((value, i) => {
      const [r, c] = [Math.floor(i / (HEIGHT * WIDTH * CHANNELS)), i % CHANNELS]
      let mean = 0
      for (let y = 0; y < HEIGHT; y++) for (let x = 0; x < WIDTH; x++) mean += pixel(r, y, x, c) / (HEIGHT * WIDTH)
      return Math.min(1, Math.max(-1, (value - mean) * by[r]! + mean))
    })
    same(out, wanted)
    const single = trained(randomContrast({ factor: 0.5, valueRange: [-100, 100] }))
    expect(single.drawn(0).every((u) => u >= 0 && u < 1)).toBe(true)
  })
})

describe("in a model", () => {
  const x = Array.from({ length: 7 }, (_, r) =>
    Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => [((3 * r + 5 * i + 7 * j) % 11) / 11])),
  )
  const y = x.map((_, r) => [r / 7])
  const build = (options: object = {}): Model => {
    const layers = [
      randomFlip({ inputShape: [5, 5, 1] }),
      randomRotation({ factor: 0.1 }),
      randomTranslation({ heightFactor: 0.2, widthFactor: 0.2, fillMode: "constant" }),
      randomZoom({ heightFactor: 0.2 }),
      randomContrast({ factor: 0.2, valueRange: [0, 1] }),
      flatten(),
      dense({ units: 1 }),
    ]
    const model = sequential(layers, { seed: 2, ...options })
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.05 }) })
    return model
  }
  const train = async (model: Model, seed?: number): Promise<string> => {
    await model.fit(x, y, { epochs: 3, batchSize: 3, verbose: 0, ...(seed === undefined ? {} : { seed }) })
    return JSON.stringify(model.getWeights().map(({ data }) => [...data]))
  }

  test("trains to the same bits on every backend and number of threads; another seed gives another training", async () => {
    const expected = await train(build({ backend: "reference" }))
    for (const threads of [1, 3]) expect(await train(build({ threads }))).toBe(expected)
    expect(await train(build(), 9)).not.toBe(expected)
  })

  test("is asked without any of it, also from a file", async () => {
    const model = build()
    const plain = sequential([flatten({ inputShape: [5, 5, 1] }), dense({ units: 1 })])
    plain.setWeights(model.getWeights())
    const expected = [...(await plain.predict(x)).data]
    expect([...(await model.predict(x)).data]).toEqual(expected)
    expect([...(await (await modelFromBytes(await model.toBytes())).predict(x)).data]).toEqual(expected)
  })

  test("says what is wrong", () => {
    expect(() => randomRotation({ factor: 2 })).toThrow(/from -1 to 1/)
    expect(() => randomContrast({ factor: -0.1 })).toThrow(/from 0 to 1/)
    expect(() => randomContrast({ factor: 0.1, valueRange: [1, 0] })).toThrow(/the smaller first/)
    // @ts-expect-error: no fill mode of that name
    expect(() => randomZoom({ heightFactor: 0.1, fillMode: "mirror" })).toThrow(/fill mode/)
    expect(() => sequential([randomFlip({ inputShape: [5, 5] })])).toThrow(/no image/)
  })
})
