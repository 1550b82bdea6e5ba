// The playground: its points, its training and the program that it exports give the same numbers; its address is read back.

import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Model } from "trilobite"
import { afterAll, describe, expect, it, vi } from "vitest"
import { type PlayEvent, type PlayMessage, play } from "../../studio/src/engine/jobs/play.ts"
import { featureRows, gridPlaces, makeData, pack, RANGE, unpack } from "../../studio/src/playground/data.ts"
import { programText } from "../../studio/src/playground/export.ts"
import { inputsOf, judge, targetsOf } from "../../studio/src/playground/net.ts"
import { dataNames, initial, type Settings } from "../../studio/src/playground/settings.ts"

vi.mock("../../studio/src/engine/trilobite.ts", () => ({ engine: (o = {}) => o }))

const folder = join(import.meta.dirname, `.playground-${process.pid}`)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const settingsOf = (given: Partial<Settings>): Settings => ({ ...initial, ...given })
const ownText = pack({
  classes: 2,
  rows: Array.from({ length: 24 }, (_, i) => [Math.sin(i) * 2, Math.cos(i * 1.3) * 2, i % 2] as const),
})

/** Runs the job; `tell` gets each event and may answer with messages. Ends when it says so. */
async function run(
  params: Parameters<typeof play>[0],
  tell: (event: PlayEvent, say: (message: PlayMessage) => void) => boolean,
): Promise<PlayEvent> {
  const abort = new AbortController()
  let listener = (_: PlayMessage): void => {}
  const onMessage = (given: typeof listener): void => {
    listener = given
  }
  for await (const event of play(params, { signal: abort.signal, onMessage })) {
    if (!tell(event, (message) => listener(message))) continue
    abort.abort()
    return event
  }
  throw new Error("the job ended by itself")
}

const upTo = (settings: Settings, epochs: number): Promise<PlayEvent> =>
  run({ settings, playing: false, until: epochs }, (event) => event.epoch === epochs)

describe("points", () => {
  it.each(dataNames.filter((name) => name !== "own"))(
    "%s: all points inside, divided as asked, by the seed alone",
    (data) => {
      const settings = settingsOf({ data, noise: 50, points: 101, share: 60 })
      const { train, test, classes } = makeData(settings)
      expect([train.y.length, test.y.length]).toEqual([61, 40])
      const all = [...train.x, ...test.x]
      expect(Math.max(...all.map(Math.abs))).toBeLessThanOrEqual(RANGE)
      if (classes > 0)
        expect(new Set([...train.y, ...test.y])).toEqual(new Set(Array.from({ length: classes }, (_, k) => k)))
      expect(makeData(settings)).toEqual({ train, test, classes })
      expect(makeData({ ...settings, seed: 2 }).train.x).not.toEqual(train.x)
    },
  )

  it("keeps own points as text, to the last digit", () => {
    const own = unpack(ownText)
    expect(own.rows).toHaveLength(24)
    expect(pack(own)).toBe(ownText)
    expect(own.rows[3]![0]).toBeCloseTo(Math.sin(3) * 2, 2)
    const numbers = unpack(pack({ classes: 0, rows: [[0, 1, -0.5]] }))
    expect(numbers.classes).toBe(0)
    expect(numbers.rows[0]![2]).toBeCloseTo(-0.5, 2)
    expect(unpack("9x").rows).toEqual([])
  })

  it("computes features row by row", () => {
    const rows = featureRows([2, -1, 0.5, 3], ["x1", "x1sq", "x1x2", "sin2"])
    const expected = [2, 4, -2, Math.sin(-1), 0.5, 0.25, 1.5, Math.sin(3)].map(Math.fround)
    expect([...rows]).toEqual(expected)
  })

  it("goes over the grid from the upper left", () => {
    expect([...gridPlaces(2)].map((v) => Number(v.toFixed(3)))).toEqual([-1.6, 1.6, 1.6, 1.6, -1.6, -1.6, 1.6, -1.6])
  })
})

const cases: readonly (readonly [string, Partial<Settings>])[] = [
  ["the first settings", {}],
  [
    "three classes, relu, momentum, halving rate, L1",
    { data: "three", activation: "relu", optimizer: "momentum", schedule: "halving", regularizer: "l1", layers: [4] },
  ],
  [
    "numbers, rmsprop, cosine, more features, in order",
    {
      data: "hills",
      optimizer: "rmsprop",
      schedule: "cosine",
      rate: 0.003,
      features: ["x1", "x2", "x1x2", "sin1"],
      shuffle: false,
    },
  ],
  [
    "own points, quadratic cost, sgd in steps, no penalty",
    {
      data: "own",
      own: ownText,
      cost: "quadratic",
      optimizer: "sgd",
      schedule: "steps",
      regularizer: "none",
      batch: 5,
    },
  ],
]

describe("the job", () => {
  it.each(cases)("gives the weights of the exported program: %s", async (_, given) => {
    const settings = settingsOf(given)
    const { weights, train, test } = await upTo(settings, 23)
    const text = programText(settings, 23)
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `program-${cases.findIndex(([name]) => name === _)}.ts`)
    writeFileSync(file, text)
    const { model } = (await import(file)) as { readonly model: Model }
    for (const [i, { data }] of model.getWeights().entries()) expect([...data]).toEqual([...weights[i]!])
    const data = makeData(settings)
    const asked = judge(settings, data.classes)
    asked.setWeights(model.getWeights())
    for (const [points, judged] of [
      [data.train, train],
      [data.test, test],
    ] as const) {
      const { loss, accuracy } = await asked.evaluate(inputsOf(points, settings), targetsOf(points, data.classes), {
        batchSize: points.y.length,
      })
      expect(judged).toEqual(accuracy === undefined ? { cost: loss } : { cost: loss, accuracy })
    }
  })

  it("gives the same weights in steps, and the net's own answers on the grid", async () => {
    const settings = settingsOf({ layers: [3, 2] })
    const whole = await upTo(settings, 5)
    const stepped = await run({ settings, playing: false }, (event, say) => {
      if (event.epoch < 5) say({ type: "step" })
      return event.epoch === 5
    })
    expect(stepped.weights).toEqual(whole.weights)
    expect(stepped.field).toHaveLength(10000)
    expect(stepped.fields.map(({ length }) => length)).toEqual([3 * 625, 2 * 625])
    const net = judge(settings, 2)
    net.setWeights(
      whole.weights.map((data, i) => ({ dtype: "float32", shape: [[2, 3], [3], [3, 2], [2], [2, 1], [1]][i]!, data })),
    )
    const places = gridPlaces(100)
    const answers = await net.predict({ dtype: "float32", shape: [10000, 2], data: Float32Array.from(places) })
    expect([...stepped.field.slice(0, 50)]).toEqual([...(answers.data as Float32Array).slice(0, 50)])
    const [hidden] = await net.activations(inputsOf(makeData(settings).train, settings))
    const values = hidden!.values.data as Float32Array
    const mean = values.filter((_, i) => i % 3 === 1).reduce((a, b) => a + b) / (values.length / 3)
    expect(stepped.means[0]![1]).toBeCloseTo(mean, 5)
  })

  it("takes another learning rate, a weight by hand and another shape while it goes on", async () => {
    const settings = settingsOf({ layers: [3] })
    const plain = await upTo(settings, 40)
    let phase = 0
    const end = await run({ settings, playing: false, until: 20 }, (event, say) => {
      if (phase === 0 && event.epoch === 20) {
        phase = 1
        say({ type: "settings", settings: { ...settings, rate: 0 } })
        say({ type: "step" })
      } else if (phase === 1 && event.epoch === 21) {
        // At rate 0 nothing moves but what is set by hand.
        expect(event.rate).toBe(0)
        phase = 2
        say({ type: "weight", layer: 0, from: 1, to: 2, value: 5 })
        say({ type: "weight", layer: 1, from: -1, to: 0, value: -2 })
        say({ type: "pin", neuron: [0, 2] })
      } else if (phase === 2) {
        expect(event.weights[0]![5]).toBe(5)
        expect(event.weights[3]![0]).toBe(-2)
        expect(event.pinned).toHaveLength(10000)
        expect(event.epoch).toBe(21)
        phase = 3
        say({ type: "settings", settings: { ...settings, layers: [4] } })
      } else if (phase === 3) {
        expect(event.began).toBe(true)
        expect(event.epoch).toBe(0)
        expect(event.weights[0]).toHaveLength(8)
        return true
      }
      return false
    })
    expect(end.epoch).toBe(0)
    expect(plain.weights[0]).toHaveLength(6)
  })

  it("stops after the epochs that were asked for, and when the test cost has stopped falling", async () => {
    const counted = await run(
      { settings: settingsOf({ stop: "epochs", epochs: 30 }), playing: true },
      ({ ended }) => ended !== undefined,
    )
    expect([counted.epoch, counted.playing]).toEqual([30, false])
    const still = settingsOf({ stop: "settled", rate: 0, regularizer: "none", optimizer: "sgd" })
    const settled = await run({ settings: still, playing: true }, ({ ended }) => ended !== undefined)
    expect(settled.epoch).toBe(110)
    expect(settled.ended).toContain("since epoch 10")
  })

  it("says in words that the cost became infinite", async () => {
    const settings = settingsOf({ data: "slope", optimizer: "sgd", rate: 1000, activation: "linear" })
    const end = await run({ settings, playing: true }, ({ ended }) => ended !== undefined)
    expect(end.ended).toMatch(/became infinite in epoch 1\./)
    expect(end.playing).toBe(false)
  })
})
