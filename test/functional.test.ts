// The functional form, models inside models, layers of the user's own: networks, their values, weights and files.
import { describe, expect, test } from "vitest"
import {
  add,
  average,
  customLayer,
  dense,
  dot,
  flatten,
  functional,
  input,
  type LoadModelOptions,
  type Model,
  maximum,
  minimum,
  modelFromBytes,
  multiply,
  ops,
  sequential,
  sgd,
  subtract,
} from "../src/index.ts"
import { networkFromConfig } from "../src/nn/config.ts"
import { functionalNetwork } from "../src/nn/functional.ts"
import { type Network, traceNetwork } from "../src/nn/network.ts"
import { isSymbolic } from "../src/nn/symbolic.ts"
import { networkToConfig } from "../src/nn/to-config.ts"
import { expectWords } from "./support/errors.ts"
import { expectRefusal } from "./support/training.ts"

const rows = [
  [1, -2, 3, 0.5],
  [0, 1, -1, 2],
  [4, 0.25, -3, 1],
]
const again = async (model: Model, options: LoadModelOptions = {}): Promise<Model> =>
  modelFromBytes(await model.toBytes(), "m", options)
const predict = async (model: Model): Promise<number[]> => [...(await model.predict(rows)).data]
const ones = (model: Model): void =>
  model.setWeights(model.getWeights().map(({ shape, data }) => ({ dtype: "float32", shape, data: data.map(() => 1) })))

describe("the functional form", () => {
  test("a chain is the sequential network of the same layers, bit for bit", async () => {
    const layers = () => [dense({ units: 5, activation: "tanh" }), dense({ units: 2 })]
    const x = input({ shape: [4] })
    const chain = functional({ inputs: x, outputs: layers().reduce((value, layer) => layer(value), x), seed: 3 })
    const list = sequential([input({ shape: [4] }), ...layers()], { seed: 3 })
    expect(await predict(chain)).toEqual(await predict(list))
    for (const model of [chain, list]) {
      model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.1, momentum: 0.5 }) })
      await model.fit(
        rows,
        [
          [1, 0],
          [0, 1],
          [1, 1],
        ],
        { epochs: 3, batchSize: 2, verbose: 0 },
      )
    }
    expect(chain.getWeights()).toEqual(list.getWeights())
  })

  test("residual connections and all merging layers", async () => {
    const x = input({ shape: [4] })
    const h = dense({ units: 4, useBias: false })(x)
    const merged = { add, subtract, multiply, average, maximum, minimum }
    const expected = {
      add: (a: number, b: number) => a + b,
      subtract: (a: number, b: number) => a - b,
      multiply: (a: number, b: number) => a * b,
      average: (a: number, b: number) => (a + b) / 2,
      maximum: Math.max,
      minimum: Math.min,
    }
    for (const [name, make] of Object.entries(merged)) {
      const model = functional({ inputs: x, outputs: make()([x, h]) })
      ones(model)
      const sums = rows.map((row) => row.reduce((a, b) => a + b))
      const join = expected[name as keyof typeof expected]
      expect(await predict(model), name).toEqual(rows.flatMap((row, i) => row.map((value) => join(value, sums[i]!))))
    }
  })

  test("a layer that is used twice has its weights once, and learns from both uses", async () => {
    const x = input({ shape: [4] })
    const shared = dense({ units: 4, useBias: false })
    const model = functional({ inputs: x, outputs: shared(shared(x)), seed: 5 })
    expect(model.countParams()).toBe(16)
    ones(model)
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.01 }) })
    await model.fit(rows, rows, { batchSize: 3, shuffle: false, verbose: 0 })
    // y = x·W·W; ∂C/∂W = xᵀ·(g·Wᵀ) + (x·W)ᵀ·g, g = 2(y − t)/12.
    const W = Array.from({ length: 4 }, () => [1, 1, 1, 1])
    const times = (a: number[][], b: number[][]): number[][] =>
      a.map((row) => b[0]!.map((_, j) => row.reduce((s, v, k) => s + v * b[k]![j]!, 0)))
    const turn = (a: number[][]): number[][] => a[0]!.map((_, j) => a.map((row) => row[j]!))
    const h = times(rows, W)
    const g = times(h, W).map((row, i) => row.map((y, j) => (2 * (y - rows[i]![j]!)) / 12))
    const slope = times(turn(rows), times(g, turn(W))).map((row, i) => row.map((v, j) => v + times(turn(h), g)[i]![j]!))
    model.getWeights()[0]!.data.forEach((w, i) => {
      expect(w).toBeCloseTo(1 - 0.01 * slope.flat()[i]!, 5)
    })
  })

  test("dot products along axes, and cosines", async () => {
    const [a, b] = [input({ shape: [2, 3] }), input({ shape: [4, 3] })]
    expect(dot({ axes: 2 })([a, b]).shape).toEqual([-1, 2, 4])
    expect(dot({ axes: [1, 2] })([input({ shape: [3, 2] }), b]).shape).toEqual([-1, 2, 4])
    const x = input({ shape: [4] })
    const model = functional({ inputs: x, outputs: dot({ axes: 1, normalize: true })([x, x]) })
    for (const cosine of await predict(model)) expect(cosine).toBeCloseTo(1, 6)
    expectWords(() => dot({ axes: 1 })([a, b]), "E_CONFIG", "Dot", "same length")
    expectWords(() => dot({ axes: 0 })([a, b]), "E_CONFIG", "Dot", "mix examples")
    expectWords(() => dot({ axes: 1 })(a), "E_CONFIG", "Dot", "2")
  })

  test("what is wrong is told at once", () => {
    const x = input({ shape: [4], name: "left" })
    expectWords(() => dense({ units: 2 })(4 as never), "E_CONFIG", "Dense", "input({ shape })")
    expectWords(() => dense({ units: 2 })([x, x]), "E_CONFIG", "Dense", "one input")
    expectWords(() => add()([x, input({ shape: [3] })]), "E_CONFIG", "Add", "[batch, 4], [batch, 3]")
    expectWords(() => functional({ inputs: [], outputs: x }), "E_CONFIG", "inputs", "at least one")
    expectWords(
      () => functional({ inputs: input({ shape: [4] }), outputs: dense({ units: 1 })(x) }),
      "E_CONFIG",
      "left",
      "not listed",
    )
    const h = dense({ units: 2 })(x)
    expectWords(() => functional({ inputs: h, outputs: h }), "E_CONFIG", "inputs[0]", "input()")
    expectWords(() => functional({ inputs: [x, x], outputs: h }), "E_CONFIG", "inputs[1]", "twice")
    expectWords(() => sequential([dense({ units: 1 }), h as never]), "E_CONFIG", "layers[1]", "no layer")
    expectWords(() => input({ shape: [0] }), "E_CONFIG", "input.shape")
    const model = functional({ inputs: x, outputs: h })
    expectWords(() => model.add(flatten()), "E_CONFIG", "functional")
    const shared = dense({ units: 4 })
    shared(x)
    expectWords(
      () => functional({ inputs: x, outputs: shared(dense({ units: 3 })(shared(x))) }),
      "E_CONFIG",
      "Dense",
      "earlier use",
    )
  })

  test("plain JSON and back: the same network", () => {
    const [a, b] = [input({ shape: [4], name: "a" }), input({ shape: [3] })]
    const shared = dense({ units: 3, name: "shared" })
    const [left, right] = [shared(a), dense({ units: 4 })(b)]
    const top = add()([left, shared(right)])
    const network = functionalNetwork(
      [
        { name: undefined, value: a },
        { name: "b", value: b },
      ],
      [
        { name: "sum", value: top },
        { name: undefined, value: left },
        { name: undefined, value: shared(right) },
      ],
    )
    expect(network.outputs.map(({ name }) => name)).toEqual(["sum", "shared", "shared_1"])
    const json = JSON.parse(JSON.stringify(networkToConfig(network)))
    const read = networkFromConfig(json)
    expect(networkToConfig(read)).toEqual(json)
    const shapes = (n: Network): unknown => {
      const inputs = [ops.input("a", [4]), ops.input("b", [3])]
      const { outputs, parameters } = traceNetwork(n, inputs)
      return [outputs.map((o) => o.shape), parameters.map((p) => p.variable)]
    }
    expect(shapes(read)).toEqual(shapes(network))
    const wrong = (patch: object): (() => unknown) => {
      return () => networkFromConfig({ ...json, ...patch })
    }
    const [call, ...calls] = json.calls
    expectWords(wrong({ calls: [{ ...call, inputs: [[9, 0]] }, ...calls] }), "E_MODEL", "calls[0].inputs[0]")
    expectWords(wrong({ calls: [{ ...call, layer: -1 }, ...calls] }), "E_MODEL", "calls[0].layer")
    expectWords(wrong({ outputs: "all" }), "E_MODEL", "outputs")
    expectWords(wrong({ outputs: [] }), "E_MODEL", "outputs")
    expectWords(wrong({ inputs: [{ name: "a", shape: [-4] }, json.inputs[1]] }), "E_MODEL", "shape")
    expectWords(wrong({ more: 1 }), "E_MODEL", '"more"')
  })
})

describe("models inside models", () => {
  const parts = (): { encoder: Model; decoder: Model; whole: Model } => {
    const encoder = sequential([dense({ units: 2, activation: "tanh", inputShape: [4] })], { name: "encoder", seed: 1 })
    const decoder = sequential([dense({ units: 4, inputShape: [2] })], { name: "decoder", seed: 2 })
    return { encoder, decoder, whole: sequential([encoder, decoder], { seed: 3 }) }
  }

  test.each(["wasm", "reference"])("share their weights with them: %s", async (backend) => {
    const { encoder, decoder } = parts()
    const x = input({ shape: [4] })
    const whole = functional({ inputs: x, outputs: decoder.asLayer()(encoder.asLayer()(x)), backend })
    expect(whole.getWeights()).toEqual([...encoder.getWeights(), ...decoder.getWeights()])
    const before = encoder.getWeights()
    const first = await predict(encoder)
    whole.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.1 }) })
    await whole.fit(rows, rows, { epochs: 2, verbose: 0 })
    expect(encoder.getWeights()).not.toEqual(before)
    expect(whole.getWeights()).toEqual([...encoder.getWeights(), ...decoder.getWeights()])
    // Asked, trained and asked again: always the newest values.
    expect(await predict(encoder)).not.toEqual(first)
    const codes = await encoder.predict(rows)
    expect([...(await decoder.predict(codes)).data]).toEqual(await predict(whole))
    encoder.compile({ loss: "mse" })
    await encoder.fit(
      rows,
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      { verbose: 0 },
    )
    expect(whole.getWeights().slice(0, 2)).toEqual(encoder.getWeights())
    expect([...(await decoder.predict(await encoder.predict(rows))).data]).toEqual(await predict(whole))
    ones(whole)
    expect(encoder.getWeights()[0]!.data).toEqual(new Float32Array(8).fill(1))
  })

  test("are saved and loaded", async () => {
    const { whole, encoder } = parts()
    const deep = sequential([whole, dense({ units: 1 })])
    expect(deep.countParams()).toBe(10 + 12 + 5)
    const loaded = await again(deep)
    expect(await predict(loaded)).toEqual(await predict(deep))
    expect(loaded.getWeights()).toEqual(deep.getWeights())
    expect(deep.getWeights()[0]).toEqual(encoder.getWeights()[0])
  })

  test("a frozen part stays as it is; trainable may be set until compile", async () => {
    const { whole, encoder, decoder } = parts()
    const before = encoder.getWeights()
    whole.layers[0]!.trainable = false
    whole.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.1 }) })
    const other = decoder.getWeights()
    await whole.fit(rows, rows, { verbose: 0 })
    expect(encoder.getWeights()).toEqual(before)
    expect(decoder.getWeights()).not.toEqual(other)
    expect((await again(whole)).layers.map(({ trainable }) => trainable)).toEqual([false, true])
    whole.layers[0]!.trainable = true
    whole.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.1 }) })
    await whole.fit(rows, rows, { verbose: 0 })
    expect(encoder.getWeights()).not.toEqual(before)
  })

  test("a layer made with trainable: false is left alone", async () => {
    const model = sequential([dense({ units: 3, trainable: false, inputShape: [4] }), dense({ units: 4 })])
    const [kernel] = model.getWeights()
    model.compile({ loss: "mse" })
    await model.fit(rows, rows, { verbose: 0 })
    expect(model.getWeights()[0]).toEqual(kernel)
    expect(model.summary({ printFn: () => {} })).toMatch(/Trainable params: 16 .* Non-trainable params: 15/)
  })
})

describe("layers of the user's own", () => {
  const scaled = customLayer("Scaled", { initial: 1, shift: true }, ({ initial, shift }, [x], scope) => {
    const scale = scope.parameter("scale", [x.shape.at(-1)!], { type: "constant", value: initial })
    const calls = scope.state("calls", [], "zeros")
    if (scope.training) scope.update("calls", ops.add(calls, 1))
    return ops.add(ops.mul(x, scale), shift ? scope.parameter("shift", [x.shape.at(-1)!], "zeros") : 0)
  })

  test("learn, keep state, are saved and loaded", async () => {
    const model = sequential([scaled({ initial: 2, inputShape: [4] })])
    expect(await predict(model)).toEqual(rows.flat().map((v) => 2 * v))
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.05 }) })
    const { history } = await model.fit(rows, rows, { epochs: 4, batchSize: 2, verbose: 0 })
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0]!)
    // Two rounds in each of four epochs, and none by asking.
    await model.evaluate(rows, rows)
    expect(model.getWeights()[1]!.data[0]).toBe(8)
    expect(await predict(await again(model, { customObjects: { Scaled: scaled } }))).toEqual(await predict(model))
    await expectRefusal(() => again(model), "E_MODEL", /Scaled.*customObjects/)
    expect(model.summary({ printFn: () => {} })).toMatch(/Trainable params: 8 .* Non-trainable params: 1/)
  })

  test("check their options", () => {
    expectWords(() => scaled({ initail: 2 } as never), "E_CONFIG", "Scaled", '"initial"')
    expectWords(() => scaled({ initial: "2" } as never), "E_CONFIG", "Scaled", "a finite number")
    expectWords(() => customLayer("Bad", { name: "x" }, (_, [x]) => x), "E_CONFIG", "name")
    expect(isSymbolic(scaled()(input({ shape: [4] })))).toBe(true)
  })
})
