// The playground: its points, its training and the program that it exports give the same numbers; its address is read back.

import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { signal } from "@preact/signals"
import type { Model } from "trilobite"
import { afterAll, describe, expect, it, vi } from "vitest"
import { type PlayEvent, type PlayMessage, play } from "../../studio/src/engine/jobs/play.ts"
import { readCsv } from "../../studio/src/playground/csv.ts"
import { featureRows, gridPlaces, makeData, pack, RANGE, unpack } from "../../studio/src/playground/data.ts"
import { programText } from "../../studio/src/playground/export.ts"
import { columns, distanceTo, lineBetween, rows } from "../../studio/src/playground/layout.ts"
import { inputsOf, judge, targetsOf } from "../../studio/src/playground/net.ts"
import type { Palette } from "../../studio/src/playground/paint.ts"
import { dataNames, initial, type Settings } from "../../studio/src/playground/settings.ts"

// What the modules of the page look at when they are loaded.
vi.stubGlobal("location", { pathname: "/playground", search: "" })
const listeners = new Map<string, () => void>()
vi.stubGlobal("addEventListener", (type: string, listener: () => void) => listeners.set(type, listener))
const frames: (() => void)[] = []
vi.stubGlobal("requestAnimationFrame", (draw: () => void) => frames.push(draw))
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }))
const {
  keptOf,
  keptText,
  keys,
  settingsOf: fromText,
  settingsText,
  steps,
} = await import("../../studio/src/playground/state.ts")
const { bandOf, bandPixels, contours, roundCorners } = await import("../../studio/src/playground/paint.ts")
const { shownOf } = await import("../../studio/src/playground/shown.ts")
const { paint } = await import("../../studio/src/ui/frames.ts")
const { stateOf, stateText } = await import("../../studio/src/ui/url.ts")

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

  it("takes all steps, however quickly they are asked for", async () => {
    const settings = settingsOf({ layers: [3] })
    let asked = false
    const last = await run({ settings, playing: false }, (event, say) => {
      if (!asked) for (let i = 0; i < 5; i++) say({ type: "step" })
      asked = true
      say({ type: "drawn" })
      return event.epoch === 5
    })
    expect(last.weights).toEqual((await upTo(settings, 5)).weights)
  })

  it("shows the weights and costs of the epoch that it names, though it trains on while it looks", async () => {
    const settings = settingsOf({ layers: [4, 3] })
    const epochs: number[] = []
    const last = await run({ settings, playing: true }, (event, say) => {
      epochs.push(event.epoch)
      say({ type: "drawn" })
      return epochs.length > 3 && event.epoch > 60
    })
    expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b))
    const { weights, train, test, field, fields, means } = await upTo(settings, last.epoch)
    expect({ weights, train, test, field, fields, means }).toEqual({
      weights: last.weights,
      train: last.train,
      test: last.test,
      field: last.field,
      fields: last.fields,
      means: last.means,
    })
  })

  it("pauses at once, without waiting for the page to have drawn", async () => {
    let asked = Number.POSITIVE_INFINITY
    const began = performance.now()
    const last = await run({ settings: settingsOf({}), playing: true }, ({ playing }, say) => {
      if (asked === Number.POSITIVE_INFINITY) {
        asked = performance.now()
        say({ type: "play", playing: false })
      }
      return !playing
    })
    expect(last.playing).toBe(false)
    expect(asked - began).toBeGreaterThan(0)
    // Half a second is what it waits for a page that does not draw.
    expect(performance.now() - asked).toBeLessThan(400)
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

describe("the address", () => {
  const all: Settings = {
    data: "own",
    noise: 3,
    points: 300,
    share: 55,
    seed: 7,
    own: ownText,
    features: ["x2", "x1x2"],
    layers: [1, 8, 3],
    activation: "gelu",
    cost: "quadratic",
    optimizer: "rmsprop",
    rate: 0.00123,
    schedule: "steps",
    batch: 9,
    shuffle: false,
    regularizer: "none",
    strength: 0.05,
    stop: "epochs",
    epochs: 77,
    init: 12,
  }

  it("says nothing of the first settings, and brings all others back", () => {
    expect(settingsText(initial)).toBe("")
    expect(fromText(settingsText(all))).toEqual(all)
    expect(new URLSearchParams(settingsText(all)).size).toBe(Object.keys(all).length)
    expect(keptOf(keptText(all, 31))).toEqual({ settings: all, epoch: 31 })
  })

  it("holds what is seen beside the settings, and B within it", () => {
    const view = {
      ...stateOf(keys, settingsText(all)),
      at: 40,
      pin: [2, 3],
      kept: keptText(all, 31),
      split: 60,
      axis: false,
      speed: "run",
    } as const
    expect(stateOf(keys, stateText(keys, view))).toEqual(view)
    expect(new URLSearchParams(stateText(keys, view)).get("axis")).toBe("linear")
  })

  it("keeps to the first value where the text is impossible", () => {
    expect(fromText("d=moon&net=9&eta=-1&b=2.5&f=x1-x9&p=zz")).toEqual(initial)
    expect(fromText("net=1-2-3-4-5-6-7").layers).toEqual(initial.layers)
  })

  it("undoes changes of one thing that follow each other at once as one", () => {
    let now = 0
    const { back, note } = steps<number>(() => now)
    note(1, "rate")
    now = 500
    note(2, "rate")
    now = 2000
    note(3, "rate")
    note(4, "batch")
    expect(back.value).toEqual([1, 3, 4])
  })
})

describe("tables of the reader's own", () => {
  it("reads classes with a head line, and scales the places to the map", () => {
    const { own, found, faults } = readCsv("x;y;kind\n0,5;1;cat\n-1;3;dog\n2;2;cat\n3;0;dog\n")
    expect(faults).toEqual([])
    expect(found).toContain("2 classes (cat, dog)")
    const { rows, classes } = unpack(own)
    expect(classes).toBe(2)
    expect(rows.map(([, , y]) => y)).toEqual([0, 1, 0, 1])
    expect(rows[3]![0]).toBeCloseTo(0.9 * RANGE, 2)
    expect(rows[1]![0]).toBeCloseTo(-0.9 * RANGE, 2)
  })

  it("says which rows are wrong, and uses the others", () => {
    const { own, faults } = readCsv("1,2,a\n3,4,b\n5,x,a\n5,6\n7,8,b\n9,1,a\n2,2,\n")
    expect(faults).toEqual(["Row 3: “x” is not a number.", "Row 4 has 2 values, the others 3.", "Row 7 has no class."])
    expect(unpack(own).rows).toHaveLength(4)
  })

  it("takes many numbers as numbers to fit, and refuses what cannot be learnt", () => {
    const quoted = readCsv('1,2,"cat, small"\n3,4,dog\n"5",6,dog\n7,8,"cat, small"\n')
    expect([quoted.faults, quoted.found]).toEqual([[], expect.stringContaining("2 classes (cat, small, dog)")])
    expect(readCsv('1,2,a\n3,4,b\n5,6,a\n7,8,b\n9,1,"a\n2,2,b').faults).toEqual([
      "Row 5: a quotation mark is not closed; what follows it was not read.",
    ])
    const numbers = readCsv(Array.from({ length: 12 }, (_, i) => `${i},${i * i},${i / 2}`).join("\n"))
    expect(unpack(numbers.own).classes).toBe(0)
    expect(readCsv("1,2\n3,4\n5,6\n7,8").faults[0]).toContain("Three are needed")
    expect(readCsv("1,2,a\n3,4,a\n5,6,a\n7,8,a").found).toContain("nothing to tell apart")
    expect(readCsv("").faults).toHaveLength(1)
  })
})

describe("what the page shows", () => {
  it("changes with what it says, and not with the learning rate or the weights of another network", () => {
    const [now, pin] = [signal(initial), signal<readonly number[]>([])]
    const [event, told] = [signal<PlayEvent | undefined>(undefined), signal<PlayEvent | undefined>(undefined)]
    const shown = shownOf({ now, view: { pin } }, { event, told })
    const changes: string[] = []
    for (const name of ["data", "classes", "ready", "net", "live", "told", "pin"] as const)
      shown[name].subscribe(() => changes.push(name))
    const changed = (how: () => void): string[] => {
      changes.length = 0
      how()
      return [...changes].sort()
    }
    const look = (settings: Settings): PlayEvent => ({ settings }) as PlayEvent
    expect(changed(() => (event.value = look(now.value)))).toEqual(["live"])
    expect(changed(() => (now.value = { ...now.value, rate: 0.5, optimizer: "sgd", seed: 1 }))).toEqual([])
    expect(changed(() => (now.value = { ...now.value, activation: "relu" }))).toEqual(["net"])
    expect(changed(() => (now.value = { ...now.value, noise: 30 }))).toEqual(["data"])
    expect(changed(() => (pin.value = [2, 1]))).toEqual(["pin"])
    expect(shown.pin.value).toEqual([1, 0])
    expect(changed(() => (now.value = { ...now.value, layers: [3] }))).toEqual(["live", "net"])
    expect(shown.live.value).toBeUndefined()
    expect(changed(() => (now.value = { ...now.value, data: "three" }))).toEqual(["classes", "data"])
    expect(shown.data.value).toEqual(makeData(now.value))
  })

  it("is drawn at most once a frame, in as many frames as it takes, and never in the one that answers a key", () => {
    const drawn: string[] = []
    const frame = (): string[] => {
      drawn.length = 0
      for (const run of frames.splice(0)) run()
      return [...drawn]
    }
    let clock = 0
    const watch = vi.spyOn(performance, "now").mockImplementation(() => clock)
    const drawing = (name: string, ms: number) => (): void => {
      drawn.push(name)
      clock += ms
    }
    const [map, net, chart] = [drawing("map", 7), drawing("net", 5), drawing("chart", 1)]
    for (const one of [map, net, map, chart]) paint(one)
    expect(drawn).toEqual([])
    expect(frame()).toEqual(["map", "net"])
    expect(frame()).toEqual(["chart"])
    expect(frames).toEqual([])
    listeners.get("keydown")!()
    paint(map)
    expect(frame()).toEqual([])
    expect(frame()).toEqual(["map"])
    watch.mockRestore()
  })
})

describe("drawing", () => {
  it("puts values into nine bands, and pixels between places into those of the line between", () => {
    expect([-1, -0.9, -0.6, -0.2, 0, 0.2, 0.6, 0.9, 1].map(bandOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    const bands = Uint32Array.from({ length: 9 }, (_, i) => i)
    const pixels = new Uint32Array(64)
    bandPixels(Float32Array.of(-1, 1, -1, 1), 2, 8, { bands } as Palette, pixels)
    expect([...pixels.subarray(0, 8)]).toEqual([0, 0, 2, 3, 5, 6, 8, 8])
  })

  it("finds contours where the values cross the level", () => {
    const n = 20
    const field = Float32Array.from({ length: n * n }, (_, i) => Math.hypot((i % n) - 9.5, Math.floor(i / n) - 9.5))
    const pieces = contours(field, n, [6])
    expect(pieces.length).toBeGreaterThan(80)
    for (let i = 0; i < pieces.length; i += 2) {
      const far = Math.hypot(pieces[i]! * n - 10, pieces[i + 1]! * n - 10)
      expect(Math.abs(far - 6)).toBeLessThan(0.1)
    }
    expect(contours(field, n, [100])).toEqual([])
    expect(contours(field, n, [100, 3, 6]).length).toBe(pieces.length + contours(field, n, [3]).length)
  })

  it("takes the corners off a tile, and nothing else", () => {
    const words = new Uint32Array(52 * 52).fill(0xff112233)
    roundCorners(words, 52, 7)
    const alpha = (x: number, y: number): number => words[y * 52 + x]! >>> 24
    expect([alpha(0, 0), alpha(51, 0), alpha(0, 51), alpha(51, 51)]).toEqual([0, 0, 0, 0])
    expect([alpha(7, 0), alpha(0, 7), alpha(44, 51), alpha(26, 26), alpha(3, 3)]).toEqual([255, 255, 255, 255, 255])
    expect(alpha(2, 1)).toBeGreaterThan(60)
    expect(alpha(2, 1)).toBeLessThan(140)
    expect(words.every((word) => (word & 0xffffff) === 0x112233)).toBe(true)
    // A quarter of a circle is missing at each corner.
    const missing = words.reduce((sum, word) => sum + 1 - (word >>> 24) / 255, 0)
    expect(Math.abs(missing - (4 - Math.PI) * 49)).toBeLessThan(1)
  })

  it("places every neuron inside the drawing, tiles apart", () => {
    for (const layout of [
      columns([7, 8, 8, 8, 8, 8, 8, 1], 700, 620),
      columns([2, 8, 6, 1], 820, 620),
      rows([2, 8, 3, 3], 343),
    ]) {
      for (const nodes of layout.nodes.slice(0, -1)) {
        for (const { x, y } of nodes) {
          expect(x).toBeGreaterThanOrEqual(26)
          expect(x + 26).toBeLessThanOrEqual(layout.width)
          expect(y + 26).toBeLessThanOrEqual(layout.height)
        }
        if (nodes.length > 1)
          expect(Math.max(Math.abs(nodes[1]!.x - nodes[0]!.x), Math.abs(nodes[1]!.y - nodes[0]!.y))).toBeGreaterThan(54)
      }
      for (const [i, nodes] of layout.nodes.entries()) {
        if (i === 0 || layout.rows) continue
        const gap = nodes[0]!.x - layout.nodes[i - 1]![0]!.x
        // The output is a small circle, half a step away.
        expect(gap).toBeGreaterThan(i === layout.nodes.length - 1 ? 40 : 54)
      }
    }
    const line = lineBetween({ x: 0, y: 0 }, { x: 100, y: 50 }, false, false)
    expect(distanceTo(line, { x: 50, y: 25 })).toBeLessThan(1)
    expect(distanceTo(line, { x: 50, y: 60 })).toBeGreaterThan(15)
  })
})
