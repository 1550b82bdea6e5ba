// Recurrent layers that begin a batch where the one before has ended, and networks whose batches have a fixed number of rows.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test, vi } from "vitest"
import {
  batchNormalization,
  bidirectional,
  dense,
  type FitOptions,
  functional,
  gru,
  input,
  loadModel,
  lstm,
  type Model,
  masking,
  modelFromBytes,
  sequential,
  sgd,
  simpleRNN,
} from "../src/index.ts"
import { refusal } from "./support/training.ts"

const root = mkdtempSync(join(tmpdir(), "trilobite-stateful-"))
afterAll(() => rmSync(root, { recursive: true }))

const machines = [
  { backend: "reference", threads: 1 },
  { backend: "wasm", threads: 1 },
  { backend: "wasm", threads: 3 },
] as const
const layers = { simpleRNN, lstm, gru } as unknown as Record<"simpleRNN" | "lstm" | "gru", typeof simpleRNN>
const ROWS = 3
const STEPS = 4

/** So many steps of two features from one step on, for each row another sequence. */
const sequences = (from: number, steps: number, rows = ROWS): number[][][] =>
  Array.from({ length: rows }, (_, r) =>
    Array.from({ length: steps }, (_, t) => [
      ((7 * r + 3 * (from + t)) % 11) / 11 - 0.5,
      ((r + 5 * (from + t)) % 7) / 7,
    ]),
  )
const numbers = async (model: Model, x: number[][][]): Promise<number[]> => [...(await model.predict(x)).data]
const weights = (model: Pick<Model, "getWeights">): number[][] => model.getWeights().map(({ data }) => [...data])

describe("two batches of T steps are one of 2T", () => {
  for (const machine of machines) {
    test.each(Object.keys(layers) as (keyof typeof layers)[])(
      `%s, ${machine.backend} ${machine.threads}`,
      async (type) => {
        const options = { units: 5, returnSequences: true }
        const kept = sequential([layers[type]({ ...options, stateful: true, batchShape: [ROWS, STEPS, 2] })], machine)
        const whole = sequential([layers[type]({ ...options, inputShape: [2 * STEPS, 2] })], machine)
        const own = whole.getWeights()
        kept.setWeights([...own, ...kept.getWeights().slice(own.length)])
        const all = (await whole.predict(sequences(0, 2 * STEPS))).data
        const parts = [await kept.predict(sequences(0, STEPS)), await kept.predict(sequences(STEPS, STEPS))]
        const joined = Array.from({ length: ROWS }, (_, r) =>
          parts.flatMap(({ data }) => [...data.slice(r * STEPS * 5, (r + 1) * STEPS * 5)]),
        )
        expect(joined.flat()).toEqual([...all])
        // Both batches in one call, and anew after a reset.
        kept.resetStates()
        const once = await kept.predict([...sequences(0, STEPS), ...sequences(STEPS, STEPS)])
        expect([...once.data]).toEqual(parts.flatMap(({ data }) => [...data]))
        expect(
          kept
            .getWeights()
            .at(-1)!
            .data.some((n) => n !== 0),
        ).toBe(true)
        kept.resetStates()
        for (const { data } of kept.getWeights().slice(own.length)) expect([...data]).toEqual(Array(ROWS * 5).fill(0))
      },
    )
  }

  test("both ways, and with steps that a mask leaves out", async () => {
    const build = (steps: number, stateful: boolean): Model =>
      sequential([
        masking({ maskValue: 0, ...(stateful ? { batchShape: [ROWS, steps, 2] } : { inputShape: [steps, 2] }) }),
        lstm({ units: 3, stateful, returnSequences: true }),
      ])
    const [kept, whole] = [build(STEPS, true), build(2 * STEPS, false)]
    whole.setWeights(kept.getWeights().slice(0, 3))
    const x = sequences(0, 2 * STEPS).map((row, r) =>
      row.map((step, t) => ((t + r) % 3 === 0 && t > 0 ? [0, 0] : step)),
    )
    const all = (await whole.predict(x)).data
    const halves = [x.map((row) => row.slice(0, STEPS)), x.map((row) => row.slice(STEPS))]
    const [first, second] = [await kept.predict(halves[0]!), await kept.predict(halves[1]!)]
    for (let r = 0; r < ROWS; r++) {
      const of = (data: ArrayLike<number>, steps: number, from: number, to: number): number[] =>
        Array.from(data).slice((r * steps + from) * 3, (r * steps + to) * 3)
      expect(of(first.data, STEPS, 0, STEPS)).toEqual(of(all, 2 * STEPS, 0, STEPS))
      // A batch that begins with a step that does not count gives zeros there, as in Keras, and goes on from the state.
      const begin = x[r]!.slice(STEPS).findIndex(([a, b]) => a !== 0 || b !== 0)
      expect(of(second.data, STEPS, 0, begin)).toEqual(Array(begin * 3).fill(0))
      expect(of(second.data, STEPS, begin, STEPS)).toEqual(of(all, 2 * STEPS, STEPS + begin, 2 * STEPS))
    }
    const both = sequential([bidirectional({ layer: gru({ units: 3, stateful: true }), batchShape: [ROWS, STEPS, 2] })])
    expect(both.weights.filter(({ name }) => name.endsWith("state0")).map(({ name }) => name)).toEqual([
      "bidirectional/forward_gru/state0",
      "bidirectional/backward_gru/state0",
    ])
    const [a, b] = [await numbers(both, sequences(0, STEPS)), await numbers(both, sequences(0, STEPS))]
    expect(b).not.toEqual(a)
    both.resetStates()
    expect(await numbers(both, sequences(0, STEPS))).toEqual(a)
  })
})

const compiled = <M extends Model>(model: M): M => {
  model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) })
  return model
}
const targets = (n: number): number[][] => Array.from({ length: n }, (_, i) => [((3 * i) % 5) / 5])

describe("training", () => {
  test("is that with states carried by hand: gradients do not flow from batch to batch", async () => {
    const kept = compiled(
      sequential([lstm({ units: 4, stateful: true, batchShape: [ROWS, STEPS, 2] }), dense({ units: 1 })]),
    )
    const [s, h, c] = [input({ shape: [STEPS, 2] }), input({ shape: [4] }), input({ shape: [4] })]
    const [out, hOut, cOut] = lstm({ units: 4, returnState: true })([s, h, c])
    const byHand = functional({ inputs: [s, h, c], outputs: [dense({ units: 1 })(out!), hOut!, cOut!] })
    const own = byHand.getWeights()
    kept.setWeights([...own.slice(0, 3), ...kept.getWeights().slice(3, 5), ...own.slice(3)])
    byHand.compile({ loss: ["mse", null, null], optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) })
    let [hNow, cNow] = [1, 2].map(() => Array.from({ length: ROWS }, () => Array<number>(4).fill(0)))
    for (let i = 0; i < 4; i++) {
      const x = sequences(i * STEPS, STEPS)
      const y = targets(ROWS)
      const before = await byHand.predict([x, hNow!, cNow!] as never)
      const [, hNext, cNext] = Object.values(before)
      const { loss } = await byHand.trainOnBatch([x, hNow!, cNow!] as never, y)
      expect((await kept.trainOnBatch(x, y)).loss).toBe(loss)
      const rows = (data: ArrayLike<number>): number[][] =>
        Array.from({ length: ROWS }, (_, r) => Array.from(data).slice(r * 4, (r + 1) * 4))
      ;[hNow, cNow] = [rows(hNext!.data), rows(cNext!.data)]
      const now = weights(kept)
      expect([...now.slice(0, 3), ...now.slice(5)]).toEqual(weights(byHand))
      expect(now.slice(3, 5)).toEqual([hNow.flat(), cNow.flat()])
    }
  })

  const data = {
    x: Array.from({ length: 6 }, (_, i) => sequences(i * STEPS, STEPS)).flat(),
    y: targets(6 * ROWS),
  }
  const stack = (machine: object = {}): Model =>
    compiled(
      sequential(
        [
          gru({ units: 6, stateful: true, returnSequences: true, batchShape: [ROWS, STEPS, 2] }),
          batchNormalization(),
          lstm({ units: 5, stateful: true, recurrentDropout: 0.2 }),
          dense({ units: 1 }),
        ],
        { seed: 3, ...machine },
      ),
    )
  const trained = (model: Model, more: FitOptions = {}) =>
    model.fit(data.x, data.y, { epochs: 3, shuffle: false, verbose: 0, ...more })

  test("gives the same bits on every backend, and learns", async () => {
    const runs: unknown[] = []
    for (const machine of machines) {
      const model = stack(machine)
      const { history } = await trained(model, { validationData: [data.x, data.y] })
      expect(history.loss!.at(-1)).toBeLessThan(history.loss![0]!)
      runs.push([history, weights(model), await model.evaluate(data.x, data.y), await numbers(model, data.x)])
    }
    expect(runs[1]).toEqual(runs[0])
    expect(runs[2]).toEqual(runs[0])
  })

  test("goes on after an abort with the same bits, from the model and from its file", async () => {
    const whole = stack()
    await trained(whole)
    const signal = new AbortController()
    let rounds = 0
    const onBatchEnd = (): void => void (++rounds === 8 && signal.abort())
    const cut = stack()
    expect((await trained(cut, { signal: signal.signal, callbacks: [{ onBatchEnd }] })).ended).toBe("aborted")
    const path = join(root, "cut.safetensors")
    await cut.save(path)
    const loaded = await loadModel(path)
    await trained(cut, { resume: true, callbacks: [{ onBatchEnd: () => {} }] })
    await trained(loaded, { resume: true, callbacks: [{ onBatchEnd: () => {} }] })
    expect(weights(cut)).toEqual(weights(whole))
    expect(weights(loaded)).toEqual(weights(whole))
  })

  test("begins sequences anew where a callback says so", async () => {
    const model = stack()
    const states: number[] = []
    const onEpochBegin = (): void => {
      model.resetStates()
      states.push(Math.max(...model.getWeights()[3]!.data.map(Math.abs)))
    }
    await trained(model, { callbacks: [{ onEpochBegin }] })
    expect(states).toEqual([0, 0, 0])
    const other = stack()
    for (let epoch = 0; epoch < 3; epoch++) {
      other.resetStates()
      await trained(other, { initialEpoch: epoch, epochs: epoch + 1 })
    }
    expect(weights(other)).toEqual(weights(model))
  })

  test("warns of rows in a new order", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
    const write = vi.spyOn(process.stdout, "write").mockImplementation(() => true)
    const log = vi.spyOn(console, "log").mockImplementation(() => {})
    try {
      await trained(stack(), { shuffle: true, verbose: 2, epochs: 1 })
      expect(warn.mock.calls.flat().join()).toContain("gru, lstm (stateful)")
      warn.mockClear()
      await trained(stack(), { verbose: 2, epochs: 1 })
      expect(warn).not.toHaveBeenCalled()
    } finally {
      for (const spy of [warn, write, log]) spy.mockRestore()
    }
  })

  test("asking for what layers give changes no state", async () => {
    const model = stack()
    await numbers(model, data.x)
    const before = weights(model)
    await model.activations(data.x.slice(0, ROWS))
    expect(weights(model)).toEqual(before)
  })
})

describe("files", () => {
  const build = (): Model => {
    const x = input({ shape: [STEPS, 2], batchSize: ROWS })
    return functional({ inputs: x, outputs: dense({ units: 1 })(lstm({ units: 3, stateful: true })(x)) })
  }
  const first = sequences(0, STEPS)

  test.each(["sequential", "functional", "nested"])("ours keep the states: %s", async (kind) => {
    const inner = sequential([lstm({ units: 3, stateful: true, batchShape: [ROWS, STEPS, 2] })], { name: "inner" })
    const model =
      kind === "functional"
        ? build()
        : kind === "nested"
          ? sequential([inner, dense({ units: 1 })])
          : sequential([input({ batchShape: [ROWS, STEPS, 2] }), lstm({ units: 3, stateful: true })])
    await numbers(model, first)
    const again = await modelFromBytes(await model.toBytes())
    expect(weights(again)).toEqual(weights(model))
    expect(await numbers(again, first)).toEqual(await numbers(model, first))
    expect(await refusal(() => again.predict(sequences(0, STEPS, 2)))).toMatchObject({ code: "E_CONFIG" })
  })

  test.each(["sequential", "functional"])("Keras's hold none, and begin with zeros: %s", async (kind) => {
    const model =
      kind === "functional" ? build() : sequential([gru({ units: 3, stateful: true, batchShape: [ROWS, STEPS, 2] })])
    const begin = await numbers(model, first)
    const path = join(root, `${kind}.keras`)
    await model.save(path)
    const again = await loadModel(path)
    expect(again.weights).toEqual(model.weights)
    expect(await numbers(again, first)).toEqual(begin)
    expect(await numbers(again, first)).toEqual(await numbers(model, first))
    expect(await refusal(() => again.predict(sequences(0, STEPS, 2)))).toMatchObject({ code: "E_CONFIG" })
    const alone = join(root, `${kind}.weights.h5`)
    await model.saveWeights(alone)
    await again.loadWeights(alone)
    expect(await numbers(again, first)).toEqual(begin)
  })

  test("two models that share the layer share its states", async () => {
    const inner = sequential([lstm({ units: 3, stateful: true, batchShape: [ROWS, STEPS, 2] })], { name: "inner" })
    const outer = sequential([inner, dense({ units: 1 })])
    const alone = await numbers(inner, first)
    await numbers(outer, first)
    const third = await numbers(inner, first)
    inner.resetStates()
    expect(await numbers(inner, first)).toEqual(alone)
    await numbers(inner, first)
    expect(await numbers(inner, first)).toEqual(third)
  })
})

describe("batches of a fixed size", () => {
  const model = (): Model => compiled(sequential([dense({ units: 1, batchShape: [4, 2] })]))
  const x = (n: number): number[][] => Array.from({ length: n }, (_, i) => [i, 1])
  const wanted = { code: "E_CONFIG", expected: "batchSize: 4, and a multiple of 4 rows" }

  test("is what nobody needs to say", async () => {
    expect((await model().fit(x(8), targets(8), { verbose: 0 })).history.loss).toHaveLength(1)
    expect(await model().evaluate(x(8), targets(8), { batchSize: 4 })).toHaveProperty("loss")
    expect((await model().predict(x(12))).shape).toEqual([12, 1])
    expect((await model().predictOnBatch(x(4))).shape).toEqual([4, 1])
  })

  test.each<[string, (m: Model) => Promise<unknown>]>([
    ["rows that do not fill a batch, in fit", (m) => m.fit(x(6), targets(6), { verbose: 0 })],
    ["fewer rows", (m) => m.predict(x(3))],
    ["another batch size in fit", (m) => m.fit(x(8), targets(8), { verbose: 0, batchSize: 2 })],
    ["another batch size in evaluate", (m) => m.evaluate(x(8), targets(8), { batchSize: 8 })],
    ["another batch size in predict", (m) => m.predict(x(8), { batchSize: 2 })],
    ["a part that validates", (m) => m.fit(x(12), targets(12), { verbose: 0, validationSplit: 0.25 })],
    ["rows that validate", (m) => m.fit(x(8), targets(8), { verbose: 0, validationData: [x(5), targets(5)] })],
    ["one batch that trains", (m) => m.trainOnBatch(x(8), targets(8))],
    ["one batch that is asked", (m) => m.predictOnBatch(x(8))],
    ["what layers give", (m) => m.activations(x(5))],
    [
      "a stream that ends within a batch",
      (m) =>
        m.fit(
          async function* () {
            yield [x(4), targets(4)] as const
            yield [x(3), targets(3)] as const
          },
          { verbose: 0 },
        ),
    ],
  ])("refuses %s", async (name, action) => {
    // A quarter of twelve rows is three of them; the other nine do not fill batches either.
    expect(await refusal(() => action(model())), name).toMatchObject(wanted)
  })

  test("wrong options", () => {
    const stateful = gru({ units: 3, stateful: true })
    expect(() => sequential([gru({ units: 3, stateful: true, inputShape: [4, 2] })])).toThrow("batchShape")
    expect(() => stateful(input({ shape: [4, 2] }))).toThrow("no fixed size")
    expect(() => dense({ units: 1, batchShape: [4, 2], inputShape: [2] })).toThrow("given twice")
    expect(() => dense({ units: 1, batchShape: [] })).toThrow("batchShape")
    expect(() => input({ shape: [2], batchShape: [4, 2] } as never)).toThrow("given twice")
    expect(() => input({} as never)).toThrow("input.shape")
    expect(() => input({ shape: [2], batchSize: 0 })).toThrow("input.batchSize")
    const inputs = [input({ shape: [2], batchSize: 4 }), input({ shape: [2], batchSize: 5 })]
    expect(() => functional({ inputs, outputs: inputs.map((v) => dense({ units: 1 })(v)) })).toThrow("different sizes")
  })
})
