// The run monitor: what it makes of the server's events, what it says, what it draws; and that observing changes no bit.
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dense, learningSpeed, type Model, sequential, sgd, type Tensor, type Training } from "trilobite"
import { afterAll, describe, expect, test, vi } from "vitest"
import { buildNet, netNames, nets } from "../../cli/nets.ts"
import { observe } from "../../cli/observe.ts"
import type { Signals } from "../../cli/signals.ts"
import type { Epoch, Json, Run } from "../../cli/studio/api.ts"
import { openRuns } from "../../cli/studio/runs.ts"
import { type Studio, startStudio } from "../../cli/studio/server.ts"

vi.hoisted(() => {
  const place = { pathname: "/runs", search: "" }
  const system = { matches: false, addEventListener: () => {} }
  Object.assign(globalThis, { location: place, addEventListener: () => {}, matchMedia: () => system })
})

const { keys } = await import("../../studio/src/runs/page.tsx")
const { stateOf, stateText } = await import("../../studio/src/ui/url.ts")
const { bestOf, configOf, heard, measureOf, readSignals, remaining, smoothed, viewOf } = await import(
  "../../studio/src/runs/view.ts"
)
const words = await import("../../studio/src/runs/words.ts")
const { checksOf, findingsOf, plainCode, wobble } = await import("../../studio/src/runs/finding.ts")
const { follow } = await import("../../studio/src/runs/store.ts")
const { clearOf, gapFrom, rangeOf, thinned, ticksAlong, ticksOf } = await import("../../studio/src/ui/scales.ts")
const { hillPath, reachOf } = await import("../../studio/src/runs/histograms.tsx")
const { errorsText, worstOf } = await import("../../studio/src/ui/mix-ups.tsx")
const { timesText } = await import("../../studio/src/runs/progress-line.tsx")

const traces = JSON.parse(readFileSync(new URL("../fixtures/book-traces.json", import.meta.url), "utf8"))
const books: Epoch[] = traces.intermediateNet.rows.map((row: readonly number[]) => {
  const at = (name: string): number => row[traces.intermediateNet.columns.indexOf(name)]!
  const [valLoss, valAccuracy] = [at("valLoss"), at("valAccuracy")]
  return { epoch: at("epoch"), loss: at("loss"), accuracy: at("accuracy"), valLoss, valAccuracy, seconds: 0.9 }
})

const run: Run = {
  id: "0123456789abcdef",
  name: "intermediate-net-20251128-101112",
  state: "finished",
  begun: 0,
  result: null,
  problem: null,
  findings: [],
  config: { net: "intermediate-net", epochs: 20, batchSize: 128, learningRate: 0.1, seed: 0, dataset: "mnist" },
  epochs: books,
}

const layer = (name: string, speed: number, more: object = {}): Signals["layers"][number] => {
  return { layer: name, speed, weights: { min: -1, max: 1, counts: [1, 2, 1] }, ...more }
}
const signals = (epoch: number, layers: Signals["layers"]): Signals => {
  return { epoch, learningRate: 0.1, samplesPerSecond: 1000, rows: 512, layers }
}

describe("events", () => {
  test("an epoch counts once, signals replace those of their epoch, a reset forgets all", () => {
    let view = viewOf({ ...run, epochs: books.slice(0, 2) })
    expect(heard(view, "epoch", books[1])).toBe(view)
    view = heard(view, "signals", signals(3, [layer("a", 1)]))
    view = heard(view, "epoch", books[2])
    view = heard(view, "signals", signals(1, [layer("a", 2)]))
    view = heard(view, "signals", signals(3, [layer("a", 4)]))
    expect(view.epochs).toEqual(books.slice(0, 3))
    expect(view.signals.map(({ epoch, layers }) => [epoch, layers[0]!.speed])).toEqual([
      [1, 2],
      [3, 4],
    ])
    const state = { state: "stopped", begun: 5, result: { epochs: 3 }, problem: null, findings: [{ code: "F08" }] }
    expect(heard(view, "state", state)).toMatchObject({ ...state, name: run.name, epochs: view.epochs })
    expect(heard(view, "reset", {})).toMatchObject({ epochs: [], signals: [] })
  })

  test("what is not ours is left out, and breaks nothing", () => {
    const view = viewOf(run)
    for (const bad of [null, 3, [], {}, { epoch: "1" }, { epoch: 1.5 }]) expect(heard(view, "epoch", bad)).toBe(view)
    for (const bad of [null, "x", {}, { epoch: null }]) expect(readSignals(bad)).toBeUndefined()
    const crooked = {
      epoch: 1,
      layers: [{ layer: 3 }, layer("a", 1), { ...layer("b", 1), weights: null }],
      answers: { confusion: [[1, 2]] },
    }
    expect(readSignals(crooked)).toEqual({
      epoch: 1,
      learningRate: Number.NaN,
      samplesPerSecond: Number.NaN,
      rows: 0,
      layers: [layer("a", 1)],
    })
  })

  test("a lost connection is taken up after the last epoch; the page hears that it is lost and that it is back", () => {
    const opened: { url: string; source: FakeSource }[] = []
    const later: (() => void)[] = []
    const seen: { epochs: number; lost: boolean }[] = []
    class FakeSource extends EventTarget {
      readyState = 1
      onopen: (() => void) | null = null
      onerror: (() => void) | null = null
      close(): void {
        this.readyState = 2
      }
      say(name: string, data: unknown): void {
        this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }))
      }
    }
    const end = follow(
      { ...run, epochs: books.slice(0, 1) },
      ({ view, lostSince }) => seen.push({ epochs: view.epochs.length, lost: lostSince !== undefined }),
      {
        open: (url) => {
          const source = new FakeSource()
          opened.push({ url, source })
          return source as unknown as EventSource
        },
        later: (action) => later.push(action),
        frame: (action) => action(),
      },
    )
    const [first] = opened
    expect(first!.url).toBe(`/api/runs/${run.id}/events?after=0`)
    for (const epoch of books.slice(0, 3)) first!.source.say("epoch", epoch)
    expect(seen.at(-1)).toEqual({ epochs: 3, lost: false })
    // The browser tries by itself.
    first!.source.readyState = 0
    first!.source.onerror!()
    expect(later).toHaveLength(0)
    expect(seen.at(-1)).toEqual({ epochs: 3, lost: true })
    first!.source.say("epoch", books[3])
    expect(seen.at(-1)).toEqual({ epochs: 4, lost: false })
    // The server has refused it.
    first!.source.readyState = 2
    first!.source.onerror!()
    later.shift()!()
    expect(opened[1]!.url).toBe(`/api/runs/${run.id}/events?after=4`)
    opened[1]!.source.onopen!()
    opened[1]!.source.say("epoch", books[4])
    expect(seen.at(-1)).toEqual({ epochs: 5, lost: false })
    end()
    expect(opened[1]!.source.readyState).toBe(2)
    const told = seen.length
    opened[1]!.source.say("epoch", books[5])
    expect(seen).toHaveLength(told)
  })
})

describe("words", () => {
  test("of a run that has ended, one that is under way, and others", () => {
    expect(words.titleOf(run)).toBe("intermediate-net")
    expect(words.headline(run)).toBe("97.6 % of unseen digits read right")
    expect(words.railText(run)).toBe("97.59 %, 20 epochs")
    expect(words.specText(run)).toBe(
      "intermediate-net: 784, 64 relu, 64 relu, 10 softmax. 55,050 parameters. SGD 0.1, batch 128, 20 epochs of 469 rounds on MNIST, seed 0.",
    )
    const live: Run = { ...run, state: "running", epochs: books.slice(0, 14) }
    expect(words.headline(live)).toMatch(/^Epoch 14 of 20: 9\d\.\d % so far$/)
    expect(words.railText(live)).toBe("epoch 14 of 20")
    expect(words.documentTitle(live)).toMatch(/^9\d\.\d %, epoch 14$/)
    expect(words.spokenText(live)).toMatch(/^Epoch 14, validation cost 0\.\d+, (falling|rising)\.$/)
    expect(remaining(live)).toBeCloseTo(6 * 0.9)
    expect(remaining(run)).toBeUndefined()
    expect(words.headline({ ...live, epochs: [] })).toBe("The first epoch is under way")
    expect(words.headline({ ...run, state: "stopped", epochs: books.slice(0, 1) })).toMatch(/read right after 1 epoch$/)
    expect(words.headline({ ...run, state: "unreadable" })).toBe("This run cannot be read")
    expect(words.lostText(12.3, true)).toBe("Last heard 12 s ago, trying again. The run itself goes on.")
    expect(words.lostText(75, false)).toBe("Last heard 1 min 15 s ago, trying again.")
    expect(words.specText({ ...run, config: null })).toContain("says nothing")
    expect(configOf({ ...run, config: { net: 3, epochs: "x", seed: 2 } })).toEqual({ seed: 2 })
    const dataset = { rows: 150, trainingRows: 120, columns: 5, sha256: null, classes: ["setosa", "virginica"] }
    const ofTable = { net: "iris", optimizer: "adam", batchSize: 32, epochs: 2, seed: 1, target: "species", dataset }
    const table: Run = {
      ...run,
      config: { ...ofTable, task: "classification" },
      epochs: [{ epoch: 1, loss: 1, binaryAccuracy: 0.5, valLoss: 1, valBinaryAccuracy: 0.75, seconds: 1 }],
    }
    expect(words.headline(table)).toBe("75.0 % of unseen rows read right")
    expect(words.specText(table)).toBe("iris. adam, batch 32, 2 epochs of 4 rounds on 120 rows, seed 1.")
    expect([configOf(table).rows, configOf(table).classes]).toEqual([120, ["setosa", "virginica"]])
    expect(measureOf(table)).toEqual({ name: "binaryAccuracy", title: "Accuracy", isShare: true })
    expect(measureOf({ epochs: [{ epoch: 1, loss: 1, r2Score: 0.2 }] }).title).toBe("R²")
    expect(checksOf(viewOf(table)).map(({ text }) => text)).toContain("Each row was seen once per epoch: 4 rounds")
    expect(timesText(0.9, 469, 60_000)).toBe("0.9s 1.9ms/step 15us/sample")
  })

  test.each(netNames)("what is said of the %s is what the library builds", (name) => {
    const model = buildNet(name)
    const parameters = model.getWeights().reduce((sum, { data }) => sum + data.length, 0)
    expect(words.netWords[name]!.parameters).toBe(parameters)
    const units = model.getWeights().flatMap(({ shape }) => (shape.length === 2 ? shape : []))
    const sizes = words.netWords[name]!.layers.match(/\d+/g)!.map(Number)
    expect(sizes).toEqual([units[0], ...units.filter((_, i) => i % 2 === 1)])
    expect(words.netWords[name]!.cost).toBe(nets[name].loss === "meanSquaredError" ? "quadratic cost" : "cross-entropy")
  })

  test("the state of the page makes the round by the address", () => {
    const values = { log: false, smooth: 9, with: "00ff00ff00ff00ff" } as const
    expect(stateOf(keys, stateText(keys, values))).toEqual(values)
    expect(stateText(keys, values)).toBe("log=off&smooth=9&with=00ff00ff00ff00ff")
    expect(stateText(keys, { log: true, smooth: 1, with: "" })).toBe("")
    expect(stateOf(keys, "log=maybe&smooth=2&with=../../x")).toEqual({ log: true, smooth: 1, with: "" })
  })
})

describe("findings", () => {
  test("the coach's: faults first, each as it was said last; what is none is left out", () => {
    const said = (code: string, kind: string, saw: string, more: object = {}): Json => ({
      code,
      kind,
      cause: "steps too long",
      epoch: 1,
      saw,
      normal: "0.1 to 3 %.",
      why: "They jump over the valley.",
      change: { text: "Divide by 10.", code: "sgd({ learningRate: 0.1 })", flag: "--lr 0.1" },
      expect: { text: "The cost falls." },
      ...more,
    })
    const findings = [
      said("F18", "tip", "a", { epoch: null }),
      said("F08", "fault", "b"),
      said("F08", "fault", "2 * 3", { layer: "dense" }),
      said("F08", "fault", "c"),
      { code: "F01" },
      "F02",
      said("F03", "fault", "d", { why: 3 }),
    ]
    const found = findingsOf({ ...viewOf({ ...run, findings }), state: "running" })
    expect(found.map(({ id, kind, evidence }) => [id, kind, evidence])).toEqual([
      ["F08 ", "fault", "Seen after epoch 2: c Normal: 0.1 to 3 %."],
      ["F08 dense", "fault", "Seen after epoch 2: 2 × 3 Normal: 0.1 to 3 %."],
      ["F18 ", "tip", "Seen before the first step: a Normal: 0.1 to 3 %."],
    ])
    expect(found[1]).toMatchObject({ headline: "Steps too long in dense", expect: "The cost falls." })
    expect(found[0]!.change).toEqual({ text: "Divide by 10.", code: "--lr 0.1\n\nsgd({ learningRate: 0.1 })" })
    const overfits = { ...run, findings: [said("F17", "fault", "e")] }
    expect(findingsOf(viewOf(overfits)).map(({ id }) => id)).toEqual(["F17 "])
  })

  test("the chapter's run: epoch 19 was the best, not epoch 20", () => {
    const view = viewOf(run)
    const [finding, ...others] = findingsOf(view)
    expect(others).toEqual([])
    expect(finding).toMatchObject({ kind: "tip", headline: "Epoch 19 was the best, not epoch 20" })
    expect(finding!.evidence).toContain("*0.0803* and ended at *0.0821*")
    expect(finding!.why).toContain("*0.0332*")
    expect(plainCode(finding!.change!.code)).not.toContain("+")
    expect(findingsOf({ ...view, state: "running" })).toEqual([])
    expect(findingsOf({ ...view, epochs: books.slice(0, 19) })).toEqual([])
    const turned = books.map((epoch) => (epoch.epoch < 10 ? epoch : { ...epoch, valLoss: 0.1 + epoch.epoch / 50 }))
    expect(findingsOf({ ...view, epochs: turned })[0]).toMatchObject({ kind: "watch" })
    expect(wobble([1, 1, 1, 1, 3, 1, 3, 1])).toBe(2)
  })

  test("checks say what they have seen", () => {
    const hidden = { units: 64, saturated: 0.4, dead: 0 }
    const view = {
      ...viewOf(run),
      signals: [signals(20, [layer("a", 1, hidden), layer("b", 5, hidden), layer("c", 0.6)])],
    }
    expect(checksOf(view)).toEqual([
      { ok: true, text: "Training cost fell in all 20 epochs" },
      { ok: true, text: "No neuron is dead: 128 of 128 fire" },
      { ok: true, text: "No layer learns ten times slower than its neighbour" },
      { ok: true, text: "Each image was seen once per epoch: 469 rounds" },
    ])
    const ill = { ...view, signals: [signals(20, [layer("a", 1, { ...hidden, dead: 3 }), layer("b", 20)])] }
    expect(
      checksOf(ill)
        .filter(({ ok }) => !ok)
        .map(({ text }) => text),
    ).toEqual([
      "3 of 64 neurons are dead: they are 0 for each of 512 images",
      "Layers 1 and 2 learn at very different speeds: 20 times apart",
    ])
    expect(checksOf({ ...viewOf(run), config: null })).toHaveLength(1)
  })
})

describe("drawing", () => {
  test("best, gap, smoothing", () => {
    expect(bestOf(run)?.epoch).toBe(19)
    expect(gapFrom([3, 2, 1, 1], [2, 3, 0.5, 2])).toBe(3)
    expect(gapFrom([0.5, 0.3, 0.2, 0.1], [0.3, 0.25, 0.22, 0.24])).toBe(2)
    expect(gapFrom([3, 1, 1], [2, 2, null])).toBeUndefined()
    expect(gapFrom([0.5], [0.3])).toBeUndefined()
    expect(smoothed([1, 4, 1, null, 2], 3)).toEqual([2.5, 2, 2.5, null, 2])
    expect(smoothed([1, 4], 1)).toEqual([1, 4])
  })

  test("ranges and ticks", () => {
    expect(rangeOf([], true)).toEqual([0, 1])
    expect(rangeOf([0.001, 0.9], false)[0]).toBe(0)
    expect(ticksOf(0.03, 0.51, true)).toEqual([0.05, 0.1, 0.2, 0.5])
    expect(ticksOf(0.0028, 0.5, true)).toEqual([0.005, 0.01, 0.05, 0.1, 0.5])
    expect(ticksOf(0.065, 0.09, true).length).toBeGreaterThanOrEqual(3)
    expect(ticksAlong(1, 20, 375)).toEqual([1, 5, 10, 15, 20])
    expect(ticksAlong(1, 200, 130)).toEqual([1, 100, 200])
  })

  test("of many points each column keeps its least and greatest", () => {
    const points = Array.from({ length: 5000 }, (_, i) => [i / 10, i === 1234 ? 99 : i % 7] as const)
    const kept = thinned(points)
    expect(kept.length).toBeLessThanOrEqual(1002)
    expect(kept).toContainEqual([123.4, 99])
    expect(thinned(points.slice(0, 100))).toHaveLength(100)
  })

  test("a label is put above what would cross it, or at the foot", () => {
    const line = [
      [0, 50],
      [100, 150],
    ] as const
    expect(clearOf([line], [50, 100], [140, 10], 200)).toBe(90)
    expect(clearOf([line], [0, 100], [140, 45], 200)).toBe(200)
  })

  test("hills and mix-ups", () => {
    const named = (k: number): string => "abc".charAt(k)
    expect(
      errorsText(
        0,
        worstOf([
          [5, 0],
          [0, 4],
        ]),
        named,
      ),
    ).toBe("0 errors")
    expect(
      errorsText(
        1,
        worstOf([
          [5, 1],
          [0, 4],
        ]),
        named,
      ),
    ).toBe("1 error, most: a as b")
    expect(
      errorsText(
        1200,
        worstOf([
          [5, 300],
          [900, 4],
        ]),
        named,
      ),
    ).toBe("1,200 errors, most: b as a")
    expect(reachOf([{ min: -0.3, max: 0.55, counts: [] }])).toBe(0.6)
    const { line } = hillPath({ min: 0, max: 2, counts: [1, 4] }, (value) => 10 * value, 50, 40)
    expect(line).toBe("M0.0 50L5.0 40.0L15.0 10.0L20.0 50")
    expect(
      worstOf([
        [99, 2],
        [7, 98],
      ]),
    ).toEqual({ label: 1, said: 0, n: 7 })
  })
})

/** Made-up images: 784 numbers and a class that they depend on. */
function rows(n: number, seed: number): { readonly x: Tensor; readonly y: Tensor } {
  const [x, y] = [new Float32Array(n * 784), new Float32Array(n * 10)]
  for (let i = 0; i < n; i++) {
    const label = (i * 7 + seed) % 10
    y[i * 10 + label] = 1
    for (let k = 0; k < 784; k++) x[i * 784 + k] = k % 10 === label ? 0.8 : ((i * 31 + k * 17 + seed) % 13) / 26
  }
  return { x: { dtype: "float32", shape: [n, 784], data: x }, y: { dtype: "float32", shape: [n, 10], data: y } }
}

describe("observing", () => {
  test("changes no bit of a training, and says what the library says", async () => {
    const [train, valid] = [rows(640, 1), rows(200, 4)]
    const options = {
      epochs: 3,
      batchSize: 64,
      validationData: [valid.x, valid.y] as [Tensor, Tensor],
      verbose: 0,
    } as const
    const plain = buildNet("intermediate-net", { seed: 5, threads: 1 })
    const speed = learningSpeed()
    await plain.fit(train.x, train.y, { ...options, callbacks: [speed] })
    const model: Model = buildNet("intermediate-net", { seed: 5, threads: 1 })
    const probe = buildNet("intermediate-net", { threads: 1 }, 1)
    const observer = observe({
      x: train.x,
      y: train.y,
      rows: train.x.shape[0]!,
      xValid: valid.x,
      yValid: valid.y,
      probe,
    })
    const seen: Signals[] = []
    const { onTrainBegin } = observer
    await model.fit(train.x, train.y, {
      ...options,
      callbacks: [
        {
          onTrainBegin,
          onEpochEnd: async (epoch, _, training) => {
            seen.push(await observer.look(epoch, model.history!.seconds.at(-1)!, training))
          },
        },
      ],
    })
    expect(Buffer.from(await model.toBytes()).equals(Buffer.from(await plain.toBytes()))).toBe(true)
    expect(seen.map(({ epoch }) => epoch)).toEqual([1, 2, 3])
    for (const [i, { layers }] of seen.entries()) {
      expect(layers.map((of) => [of.layer, of.speed])).toEqual(Object.entries(speed.speeds).map(([l, s]) => [l, s[i]]))
    }
    const last = seen.at(-1)!
    expect(last.layers.map(({ weights }) => weights.counts.reduce((a, b) => a + b))).toEqual([784 * 64, 64 * 64, 640])
    // Last and first epoch: everything was looked at.
    expect(last.layers.map(({ gradient, dead }) => [gradient !== undefined, dead !== undefined])).toEqual([
      [true, true],
      [true, true],
      [true, false],
    ])
    const { confusion, mistakes, wrong } = last.answers!
    expect(confusion.flat().reduce((a, b) => a + b)).toBe(200)
    const right = confusion.reduce((sum, row, i) => sum + row[i]!, 0)
    const { accuracy } = await model.evaluate(valid.x, valid.y)
    expect(right / 200).toBeCloseTo(accuracy!, 6)
    expect(wrong).toHaveLength(200 - right)
    for (const { index, label, said } of mistakes) {
      expect(said).not.toBe(label)
      expect(valid.y.data[index * 10 + label]).toBe(1)
    }
  })

  test("of two classes with one output, the answers count both; without classes there are none", async () => {
    const x: Tensor = {
      dtype: "float32",
      shape: [60, 1],
      data: Float32Array.from({ length: 60 }, (_, i) => i / 30 - 1),
    }
    const y: Tensor = {
      dtype: "int32",
      shape: [60],
      data: Int32Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
    }
    const made = (learningRate: number): Model => {
      const net = sequential([dense({ units: 1, activation: "sigmoid", inputShape: [1] })], { seed: 1, threads: 1 })
      net.compile({ loss: "binaryCrossentropy", optimizer: sgd({ learningRate }), metrics: ["binaryAccuracy"] })
      return net
    }
    const seen = async (yValid: Tensor | undefined): Promise<{ readonly last: Signals; readonly right: number }> => {
      const model = made(0.5)
      const observer = observe({ x, y, rows: x.shape[0]!, xValid: x, yValid, probe: made(1) })
      const found: Signals[] = []
      const onEpochEnd = async (epoch: number, _: unknown, training: Training): Promise<void> => {
        found.push(await observer.look(epoch, 1, training))
      }
      await model.fit(x, y, { epochs: 1, verbose: 0, callbacks: [{ onTrainBegin: observer.onTrainBegin, onEpochEnd }] })
      return { last: found[0]!, right: (await model.evaluate(x, y)).binaryAccuracy! }
    }
    const { last, right } = await seen(y)
    const { confusion, mistakes } = last.answers!
    expect(confusion.map((row) => row.reduce((a, b) => a + b))).toEqual([40, 20])
    expect((confusion[0]![0]! + confusion[1]![1]!) / 60).toBeCloseTo(right, 6)
    for (const { probability } of mistakes) expect(probability).toBeGreaterThanOrEqual(0.5)
    expect(last.layers[0]!.gradient).toBeGreaterThan(0)
    expect((await seen(undefined)).last.answers).toBeUndefined()
  })

  test("the gradient is the cost's slope: the library's step of length 1 against differences of the cost", async () => {
    const train = rows(128, 2)
    const model = buildNet("intermediate-net", { seed: 3, threads: 1 })
    const probe = buildNet("intermediate-net", { threads: 1 }, 1)
    const observer = observe({
      x: train.x,
      y: train.y,
      rows: train.x.shape[0]!,
      xValid: train.x,
      yValid: train.y,
      probe,
    })
    let seen: Signals | undefined
    await model.fit(train.x, train.y, {
      epochs: 1,
      verbose: 0,
      callbacks: [
        {
          onTrainBegin: observer.onTrainBegin,
          onEpochEnd: async (epoch, _, training) => {
            seen = await observer.look(epoch, 1, training)
          },
        },
      ],
    })
    const weights = model.getWeights()
    const kernel = weights[4]!
    let squares = 0
    const h = 0.02
    for (let k = 0; k < kernel.data.length; k += 1) {
      const at = async (by: number): Promise<number> => {
        const moved = Float32Array.from(kernel.data as Float32Array)
        moved[k]! += by
        model.setWeights(weights.map((w, i) => (i === 4 ? ({ ...w, data: moved } as Tensor) : w)))
        return (await model.evaluate(train.x, train.y, { batchSize: 128 })).loss!
      }
      if (k % 4 === 0) squares += 4 * (((await at(h)) - (await at(-h))) / (2 * h)) ** 2
    }
    // A quarter of the numbers stands for all: the size must be right, not the last digits.
    expect(Math.sqrt(squares) / seen!.layers[2]!.gradient!).toBeGreaterThan(0.85)
    expect(Math.sqrt(squares) / seen!.layers[2]!.gradient!).toBeLessThan(1.15)
  })
})

describe("the server", () => {
  const folder = mkdtempSync(join(tmpdir(), "trilobite-signals-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const lines = (of: readonly object[]): string => of.map((line) => `${JSON.stringify(line)}\n`).join("")
  const write = (epochs: number, observed: number): void => {
    const own = join(folder, "one")
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, "config.json"), JSON.stringify(run.config))
    writeFileSync(join(own, "history.jsonl"), lines(books.slice(0, epochs)))
    const all = Array.from({ length: observed }, (_, i) => signals(i + 1, [layer("a", i)]))
    writeFileSync(join(own, "signals.jsonl"), `${lines(all)}not ours\n{"epoch":`)
  }

  /** The names and numbers of the first events after an epoch. */
  async function events(studio: Studio, cookie: string, after: number, count: number): Promise<string[]> {
    const base = `http://127.0.0.1:${studio.port}`
    const list = await (await fetch(`${base}/api/runs`, { headers: { cookie } })).json()
    const stream = await fetch(`${base}/api/runs/${list.runs[0].id}/events?after=${after}`, { headers: { cookie } })
    const found: string[] = []
    let text = ""
    for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const blocks = text.split("\n\n")
      text = blocks.pop()!
      for (const block of blocks) {
        const name = /event: (\w+)/.exec(block)?.[1]
        if (name !== undefined) found.push(`${name} ${/"epoch":(\d+)/.exec(block)?.[1] ?? ""}`.trim())
      }
      if (found.length >= count) break
    }
    return found
  }

  test("sends what was observed just before its epoch, and after a break only what is missing", async () => {
    write(3, 2)
    const studio = await startStudio({ port: 0, runs: folder, site: join(folder, "none") })
    try {
      const launched = await fetch(studio.url, { redirect: "manual" })
      const cookie = launched.headers.get("set-cookie")!.split(";")[0]!
      const all = ["signals 1", "epoch 1", "signals 2", "epoch 2", "epoch 3", "state"]
      expect(await events(studio, cookie, 0, 6)).toEqual(all)
      expect(await events(studio, cookie, 1, 4)).toEqual(all.slice(2))
      expect(await events(studio, cookie, 3, 1)).toEqual(["state"])
    } finally {
      await studio.close()
    }
  })

  test("a state has what the coach has said so far; what is no line of it is left out", () => {
    write(1, 1)
    const path = join(folder, "one", "findings.jsonl")
    writeFileSync(path, '{"finding":{"code":"F02"}}\nnot ours\n{"other":1}\n{"finding":')
    const runs = openRuns(join(folder, "one"))
    expect(runs.list()[0]!.findings).toEqual([{ code: "F02" }])
    appendFileSync(path, `{"code":"F08"}}\n${'{"finding":1}\n'.repeat(60)}`)
    const source = runs.find(runs.list()[0]!.id)
    expect(source.read().findings).toEqual(new Array(50).fill(1))
    rmSync(path)
    expect(source.read().findings).toEqual([])
  })

  test("a run without observations has its epochs all the same", async () => {
    write(2, 0)
    rmSync(join(folder, "one", "signals.jsonl"))
    cpSync(join(folder, "one"), join(folder, "again"), { recursive: true })
    const studio = await startStudio({ port: 0, runs: join(folder, "again"), site: join(folder, "none") })
    try {
      const launched = await fetch(studio.url, { redirect: "manual" })
      const cookie = launched.headers.get("set-cookie")!.split(";")[0]!
      expect(await events(studio, cookie, 0, 3)).toEqual(["epoch 1", "epoch 2", "state"])
    } finally {
      await studio.close()
    }
  })
})
