// Lesson 2, two parameters and escape: slopes are those of the ground, steps those of the library, contours closed, links whole.
import { beforeAll, describe, expect, test, vi } from "vitest"

vi.hoisted(() => {
  const fakes = {
    location: { pathname: "/", search: "" },
    addEventListener: () => {},
    matchMedia: () => ({ matches: false }),
  }
  for (const [name, fake] of Object.entries(fakes))
    if (!(name in globalThis)) Object.assign(globalThis, { [name]: fake })
})
vi.mock("../../studio/src/engine/trilobite.ts", () => ({ engine: (options: object = {}) => options }))

import { crossEntropyCost, customLoss, dense, ops, sequential, sgd } from "../../src/index.ts"
import { landscape } from "../../studio/src/engine/jobs/landscape.ts"
import { keys as escapeKeys, manySaid } from "../../studio/src/lessons/escape.tsx"
import {
  all,
  costOf,
  EXAMPLES,
  endsOf,
  escaped,
  meanCost,
  meanSlope,
  piled,
  RIDGE,
  ROUNDS,
  START,
  walkOf,
} from "../../studio/src/lessons/escape-walks.ts"
import { keys as mountainKeys } from "../../studio/src/lessons/mountain.tsx"
import {
  away,
  type Ground,
  grounds,
  netGround,
  type Slice,
  stepFrom,
  walkFrom,
} from "../../studio/src/lessons/mountain-grounds.ts"
import { spirals } from "../../studio/src/lessons/spirals.ts"
import { turned } from "../../studio/src/ui/mountain.tsx"
import { lens, onScreen, relief, underPointer } from "../../studio/src/ui/relief.ts"
import { gridOf, rings } from "../../studio/src/ui/rings.ts"
import { stateOf, stateText } from "../../studio/src/ui/url.ts"

const places = [
  [0.3, -1.2],
  [-2.4, 0.05],
  [1.7, 2.2],
] as const

function numerical(ground: Ground, a: number, b: number): readonly [number, number] {
  const h = 1e-5
  return [(ground.at(a + h, b) - ground.at(a - h, b)) / (2 * h), (ground.at(a, b + h) - ground.at(a, b - h)) / (2 * h)]
}

async function sliceOf(size: number, reach: number): Promise<Slice> {
  let costs: readonly number[] = []
  const context = { signal: new AbortController().signal, onMessage: () => {} }
  for await (const event of landscape({ seed: 5, size, reach }, context)) costs = event.costs
  return { size, reach, costs }
}

describe("grounds of two parameters", () => {
  test.each(Object.entries(grounds))("the slope of %s is that of its cost", (_, ground) => {
    for (const [a, b] of places) {
      const [x, y] = ground.slope(a, b)
      const [nx, ny] = numerical(ground, a, b)
      expect(x).toBeCloseTo(nx, 6)
      expect(y).toBeCloseTo(ny, 6)
    }
  })

  test("a step in the bowl is the step of the library's gradient descent", async () => {
    // The mean of (w · x)² over both rows is 0.4 (p1² + p2²): the bowl without its floor.
    const side = Math.sqrt(0.8)
    const model = sequential([dense({ units: 1, useBias: false, inputShape: [2] })])
    model.setWeights([[[-2.4], [1.8]]])
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.2 }) })
    const x = [
      [side, 0],
      [0, side],
    ]
    await model.trainOnBatch(x, [[0], [0]])
    const [p1, p2] = stepFrom(grounds.bowl, [-2.4, 1.8], 0.2)
    expect(model.getWeights()[0]!.data[0]).toBeCloseTo(p1, 5)
    expect(model.getWeights()[0]!.data[1]).toBeCloseTo(p2, 5)
    const { loss } = await model.evaluate(x, [[0], [0]])
    expect(loss).toBeCloseTo(grounds.bowl.at(p1, p2) - 0.2, 5)
  })

  test("in the ravine 0.9 zigzags, 0.3 does not; every walk of a first visit comes down on the map", () => {
    const turns = (eta: number): number => {
      const path = walkFrom(grounds.ravine, grounds.ravine.start, eta, 8)
      return path.slice(2).filter((c, i) => {
        const [a, b] = [path[i]!, path[i + 1]!]
        return (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) < 0
      }).length
    }
    expect(turns(0.9)).toBeGreaterThan(3)
    expect(turns(0.3)).toBe(0)
    for (const ground of Object.values(grounds)) {
      const path = walkFrom(ground, ground.start, ground.eta, 150)
      expect(away(ground, path.at(-1)!)).toBe(false)
      expect(Math.hypot(...ground.slope(...path.at(-1)!))).toBeLessThan(0.01)
    }
  })

  test("two valleys: the deeper one is elsewhere than where the first walk ends", () => {
    const { at, start, eta } = grounds.valleys
    const [shallow, deep] = [walkFrom(grounds.valleys, start, eta, 200), walkFrom(grounds.valleys, [1, 0], eta, 200)]
    expect(at(...deep.at(-1)!)).toBeLessThan(at(...shallow.at(-1)!) - 0.3)
  })
})

describe("the slice of a real network", () => {
  let slice: Slice
  beforeAll(async () => {
    slice = await sliceOf(9, 6)
  })

  test("has the library's cost at every place, worked out again by hand", async () => {
    const data = spirals(100, 0.12, 1)
    const model = sequential(
      [dense({ units: 3, activation: "tanh", inputShape: [2] }), dense({ units: 1, activation: "sigmoid" })],
      { seed: 5, threads: 1 },
    )
    model.compile({ loss: "binaryCrossentropy", optimizer: sgd({ learningRate: 0.5 }) })
    await model.fit(data.x, data.y, { epochs: 60, batchSize: 10, verbose: 0 })
    const [w, b, v, c] = model.getWeights().map(({ data: values }) => Array.from(values))
    const by = (p1: number, p2: number): number => {
      const kernel = [...w!]
      kernel[0] = p1
      kernel[1] = p2
      let sum = 0
      for (let row = 0; row < 100; row++) {
        const [x1, x2] = [data.x.data[2 * row]!, data.x.data[2 * row + 1]!]
        const hidden = [0, 1, 2].map((j) => Math.tanh(x1 * kernel[j]! + x2 * kernel[3 + j]! + b![j]!))
        const z = hidden.reduce((total, h, j) => total + h * v![j]!, c![0]!)
        sum += crossEntropyCost(data.y.data[row]!, 1 / (1 + Math.exp(-z)))
      }
      return sum / 100
    }
    expect(slice.costs).toHaveLength(81)
    for (const [i, j] of [
      [0, 0],
      [4, 4],
      [3, 6],
      [8, 1],
    ] as const)
      expect(slice.costs[j * 9 + i]).toBeCloseTo(by(-6 + 1.5 * i, -6 + 1.5 * j), 3)
  })

  test("between its points the ground is smooth, and its slope is its own", () => {
    const ground = netGround(slice)
    expect(ground.at(-6 + 1.5 * 3, -6 + 1.5 * 5)).toBeCloseTo(slice.costs[5 * 9 + 3]!, 9)
    for (const [a, b] of places) {
      const [x, y] = ground.slope(a, b)
      const [nx, ny] = numerical(ground, a, b)
      expect(x).toBeCloseTo(nx, 6)
      expect(y).toBeCloseTo(ny, 6)
    }
  })
})

describe("the picture", () => {
  const hill = (a: number, b: number): number => -(a * a + b * b)

  test("a contour of a round hill is one closed circle of the right area", () => {
    const found = rings(gridOf(hill, 3, 61), -4)
    expect(found).toHaveLength(1)
    const [ring] = found
    let area = 0
    for (let i = 0; i < ring!.length; i += 2) {
      const k = (i + 2) % ring!.length
      area += (ring![i]! * ring![k + 1]! - ring![k]! * ring![i + 1]!) / 2
    }
    expect(Math.abs(area) / 100).toBeCloseTo(Math.PI * 4, 1)
  })

  test("a bowl has a rim and a hole; a saddle's opposite corners stay apart", () => {
    expect(
      rings(
        gridOf((a, b) => -hill(a, b), 3, 31),
        4,
      ),
    ).toHaveLength(2)
    expect(
      rings(
        gridOf((a, b) => a * b, 3, 31),
        4,
      ),
    ).toHaveLength(2)
  })

  test("the lens leads back, and what is pointed at is what is seen", () => {
    const view = { turn: -24, tilt: 52, width: 800, height: 480 }
    const through = lens(view)
    const [x, y] = through.place(0.3, -0.6, 0.4)
    const [u, v] = through.back(x, y, 0.4)
    expect([u, v].map((t) => t.toFixed(6))).toEqual(["0.300000", "-0.600000"])
    const ground = relief(hill, 3)
    const top = onScreen(ground, through, [0.1, -0.2])
    const [p1, p2] = underPointer(ground, through, ...top)
    expect(Math.hypot(p1 - 0.1, p2 + 0.2)).toBeLessThan(0.25)
  })

  test("everything fits at every turn, and from above the map is true to scale", () => {
    for (const [width, height] of [
      [800, 480],
      [313, 330],
    ] as const)
      for (let at = 0; at < 75; at++) {
        const through = lens({ turn: 15 * Math.floor(at / 3), tilt: [18, 52, 90][at % 3]!, width, height })
        for (const u of [-1, 1])
          for (const v of [-1, 1])
            for (const share of [0, 1]) {
              const [x, y] = through.place(u, v, share)
              expect(x).toBeGreaterThanOrEqual(0)
              expect(x).toBeLessThanOrEqual(width)
              expect(y).toBeGreaterThanOrEqual(-12)
              expect(y).toBeLessThanOrEqual(height + 12)
            }
      }
    const above = lens({ turn: 0, tilt: 90, width: 800, height: 480 })
    const side = above.place(1, 0, 1)[0] - above.place(0, 0, 0)[0]
    expect(above.place(0.5, 0, 0.3)[0] - above.place(0, 0, 0.9)[0]).toBeCloseTo(side / 2, 6)
    expect(turned(190)).toBe(-170)
  })
})

describe("escape", () => {
  test("the ripples cancel in the mean, and its slope is its own", () => {
    for (const p of [START, -1.7, 0.4, 2]) {
      const spread = costOf(16, p) - costOf(48, p)
      expect(Math.abs(spread)).toBeGreaterThan(0)
      expect(meanCost(all, p)).toBeCloseTo((costOf(0, p) + costOf(16, p) + costOf(32, p) + costOf(48, p)) / 4, 10)
      expect(meanCost([3, 20, 41], p)).toBeCloseTo((costOf(3, p) + costOf(20, p) + costOf(41, p)) / 3, 10)
      for (const batch of [all, [3], [1, 5, 40, 63]])
        expect(meanSlope(batch, p)).toBeCloseTo((meanCost(batch, p + 1e-5) - meanCost(batch, p - 1e-5)) / 2e-5, 5)
    }
  })

  test("a step with a batch is the library's, which finds the slope by itself", async () => {
    const batch = [2, 17, 33, 60]
    const ground = customLoss("ground", (phase, p) => {
      const pit = (depth: number, width: number, at: number) => {
        const away = ops.sub(p, at)
        return ops.mul(ops.exp(ops.mul(ops.mul(away, away), -1 / (2 * width ** 2))), depth)
      }
      const wide = ops.sub(p, 2.1)
      const smooth = ops.sub(ops.sub(ops.mul(ops.mul(wide, wide), 0.05), pit(0.9, 0.55, -1.7)), pit(1.5, 1, 2.1))
      return ops.add(ops.add(smooth, 1.7), ops.mul(ops.sin(ops.add(ops.mul(p, 2.5), phase)), 1.6))
    })
    const model = sequential([dense({ units: 1, useBias: false, inputShape: [1] })])
    model.setWeights([[[START]]])
    model.compile({ loss: ground, optimizer: sgd({ learningRate: 0.3 }) })
    const rows = batch.map(() => [1])
    const phases = batch.map((example) => [(2 * Math.PI * example) / EXAMPLES])
    expect((await model.evaluate(rows, phases)).loss).toBeCloseTo(meanCost(batch, START), 4)
    await model.trainOnBatch(rows, phases)
    expect(model.getWeights()[0]!.data[0]).toBeCloseTo(START - 0.3 * meanSlope(batch, START), 4)
  })

  test("every epoch takes every example once, in an order of its own", () => {
    const { batches, places: path } = walkOf(8, 0.3, 3)
    expect(path).toHaveLength(ROUNDS + 1)
    const epochs = [batches.slice(0, 8).flat(), batches.slice(8, 16).flat()]
    for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(all)
    expect(epochs[0]).not.toEqual(epochs[1])
    expect(walkOf(8, 0.3, 3).places).toEqual(path)
    expect(walkOf(8, 0.3, 4).places).not.toEqual(path)
  })

  test("the full batch sits in the dent, batches of 8 shake themselves out", () => {
    const free = (b: number): number => endsOf(b, 0.3, 100).filter(escaped).length
    expect(meanCost(all, 2.1)).toBeLessThan(meanCost(all, -1.5) - 1)
    expect(RIDGE).toBeGreaterThan(-1.2)
    expect(free(64)).toBe(0)
    expect(free(32)).toBe(0)
    expect(free(8)).toBeGreaterThan(50)
    expect(free(4)).toBeGreaterThan(90)
    expect(manySaid({ b: 8, eta: 0.3, ends: endsOf(8, 0.3, 100) })).toContain(`${free(8)} escaped`)
  })

  test("dots of one place are piled up", () => {
    expect(piled([1.01, 1.02, 2, 0.99], 0.1)).toEqual([
      [1, 0],
      [1, 1],
      [2, 0],
      [1, 2],
    ])
  })
})

test("addresses come back as they were", () => {
  const mountain = { f: "saddle", p1: -1.25, p2: 0.5, eta: 0.3, turn: 130, tilt: 90, n: 12 } as const
  expect(stateOf(mountainKeys, stateText(mountainKeys, mountain))).toEqual(mountain)
  expect(stateText(mountainKeys, stateOf(mountainKeys, ""))).toBe("")
  expect(stateOf(mountainKeys, "tilt=3&f=abyss").f).toBe("ravine")
  const shaken = { b: 32, eta: 0.12, seed: 7, n: 250 }
  expect(stateOf(escapeKeys, stateText(escapeKeys, shaken))).toEqual(shaken)
  expect(stateOf(escapeKeys, "b=7&n=1.5")).toEqual(stateOf(escapeKeys, ""))
})
