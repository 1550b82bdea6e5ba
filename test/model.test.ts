// The model as a user meets it: building, weights, summary, data in every form, and saving and loading.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, describe, expect, test } from "vitest"
import { readSafetensors, writeSafetensors } from "../src/formats/safetensors.ts"
import {
  activation,
  dense,
  flatten,
  loadModel,
  type Model,
  modelFromBytes,
  rescaling,
  reshape,
  sequential,
  sgd,
  type Tensor,
  type TensorLike,
  TrilobiteError,
  tensor,
} from "../src/index.ts"
import { bitsOf, expectRefusal, range, refusal, smallNet, threeClasses, wrong } from "./support/training.ts"

const { x, y } = threeClasses(40)
const quiet = { verbose: 0 } as const
const folder = mkdtempSync(`${tmpdir()}/trilobite-model-`)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const intermediate = (): Model =>
  sequential([
    dense({ units: 64, activation: "relu", inputShape: [784] }),
    dense({ units: 64, activation: "relu" }),
    dense({ units: 10, activation: "softmax" }),
  ])
const shallow = (): Model =>
  sequential([
    dense({ units: 64, activation: "sigmoid", inputShape: [784] }),
    dense({ units: 10, activation: "softmax" }),
  ])

describe("building", () => {
  test("add gives the same model as a list", async () => {
    const list = sequential([dense({ units: 5, inputShape: [4] }), dense({ units: 3, activation: "softmax" })], {
      seed: 4,
    })
    const added = sequential([], { seed: 4 })
    expect(added.add(dense({ units: 5, inputShape: [4] }))).toBe(added)
    added.add(dense({ units: 3, activation: "softmax" }))
    expect(bitsOf(added)).toEqual(bitsOf(list))
    expect(await added.toBytes()).toEqual(await list.toBytes())
  })

  test("the shape of the input may come with the data", async () => {
    const model = sequential([dense({ units: 5 }), dense({ units: 3, activation: "softmax" })], { seed: 4 })
    await expectRefusal(() => model.getWeights(), "E_CONFIG", /inputShape: \[784\]/)
    await expectRefusal(() => model.summary(), "E_CONFIG", /inputShape/)
    await model.predict(x)
    expect(model.countParams()).toBe(43)
    const declared = sequential([dense({ units: 5, inputShape: [4] }), dense({ units: 3, activation: "softmax" })], {
      seed: 4,
    })
    expect(bitsOf(model)).toEqual(bitsOf(declared))
  })

  test("data that are refused do not decide on the shape of the input", async () => {
    const model = sequential([dense({ units: 3, activation: "softmax" })])
    model.compile({ loss: "categoricalCrossentropy" })
    await expectRefusal(() => model.fit([[1, 2]], [[1, 0]], quiet), "E_DATA", /\[batch, 3\].*\[batch, 2\]/)
    await model.fit(x, y, quiet)
    expect(model.countParams()).toBe(15)
  })

  test("a layer that does not fit is not added", async () => {
    const model = sequential([dense({ units: 5, inputShape: [4] })])
    await expectRefusal(() => model.add(reshape({ targetShape: [2, 3] })), "E_CONFIG", /5 elements/)
    await expectRefusal(() => model.add(dense as never), "E_CONFIG", /this is no layer/)
    expect(model.layers.map((layer) => layer.name)).toEqual(["dense"])
    expect(model.add(dense({ units: 2 })).countParams()).toBe(25 + 12)
    model.getWeights()
    await expectRefusal(() => model.add(dense({ units: 2 })), "E_CONFIG", /has its weights already/)
    expect(model.countParams()).toBe(37)
  })

  test("what is no list of layers is refused", async () => {
    for (const layers of [dense({ units: 1 }), undefined, null, 5, "dense", [5], [null]]) {
      if (layers === undefined) continue
      await expectRefusal(() => sequential(wrong(layers)), "E_CONFIG", /at least one layer|this is no layer/)
    }
    await expectRefusal(() => sequential().layers, "E_CONFIG", /at least one layer/)
  })

  test("the seed decides on the initial weights, backend and threads do not", () => {
    const bits = bitsOf(smallNet({ seed: 1 }))
    expect(bitsOf(smallNet({ seed: 1, backend: "reference" }))).toEqual(bits)
    expect(bitsOf(smallNet({ seed: 1, threads: 5 }))).toEqual(bits)
    expect(bitsOf(smallNet({ seed: 2 }))).not.toEqual(bits)
  })
})

describe("weights", () => {
  test("in the order of the layers, kernel before bias", () => {
    const shapes = intermediate()
      .getWeights()
      .map(({ shape, dtype }) => [dtype, ...shape])
    expect(shapes).toEqual([
      ["float32", 784, 64],
      ["float32", 64],
      ["float32", 64, 64],
      ["float32", 64],
      ["float32", 64, 10],
      ["float32", 10],
    ])
  })

  test.each([false, true])("are copies in both directions, after training: %s", async (after) => {
    const model = smallNet()
    if (after) await model.fit(x, y, quiet)
    const before = bitsOf(model)
    for (const { data } of model.getWeights()) data.fill(7)
    expect(bitsOf(model)).toEqual(before)
    const own = model.getWeights().map((w) => ({ ...w, data: w.data.map((v) => v + 1) }))
    model.setWeights(own)
    const set = bitsOf(model)
    expect(set).not.toEqual(before)
    for (const { data } of own) data.fill(7)
    expect(bitsOf(model)).toEqual(set)
  })

  test("what does not fit is refused as a whole", async () => {
    const model = smallNet()
    const before = bitsOf(model)
    const weights = model.getWeights()
    const zeros = weights.map((w): Tensor => ({ ...w, data: new Float32Array(w.data.length) }))
    await expectRefusal(() => model.setWeights(zeros.slice(1)), "E_DATA", /list of 4 tensors.*3/)
    await expectRefusal(
      () => model.setWeights([...zeros.slice(0, 3), { ...zeros[3]!, shape: [3, 1] }]),
      "E_DATA",
      /dense_1\/bias.*\[3\].*\[3, 1\]/,
    )
    await expectRefusal(() => model.setWeights([...zeros.slice(0, 3), new Int32Array(3)]), "E_DATA", /float32.*int32/)
    await expectRefusal(() => model.setWeights(wrong(5)), "E_DATA", /list/)
    expect(bitsOf(model)).toEqual(before)
    model.setWeights(weights.map(({ data, shape }) => ({ data: Float64Array.from(data), shape })))
    expect(bitsOf(model)).toEqual(before)
  })
})

describe("summary", () => {
  const text = (model: Model): string => {
    let printed = ""
    const returned = model.summary({ printFn: (all) => void (printed = all) })
    expect(printed).toBe(returned)
    for (const line of returned.split("\n")) expect(line.length).toBeLessThanOrEqual(80)
    return returned
  }
  test("the intermediate net", () => {
    expect(intermediate().countParams()).toBe(55_050)
    expect(text(intermediate())).toMatchInlineSnapshot(`
      "Model: "sequential"
      ┌──────────────────────────────┬──────────────────────┬────────────────────────┐
      │ Layer (type)                 │ Output shape         │ Param # = n_w + n_b    │
      ├──────────────────────────────┼──────────────────────┼────────────────────────┤
      │ dense (Dense)                │ (batch, 64)          │ 50,240 = 50,176 + 64   │
      │ dense_1 (Dense)              │ (batch, 64)          │ 4,160 = 4,096 + 64     │
      │ dense_2 (Dense)              │ (batch, 10)          │ 650 = 640 + 10         │
      └──────────────────────────────┴──────────────────────┴────────────────────────┘
       Total params: 55,050 (215.04 KB)
       Trainable params: 55,050 (215.04 KB) · Non-trainable params: 0 (0 B)
       Weights: 54,912 · Biases: 138"
    `)
  })
  test("the shallow net", () => {
    expect(shallow().countParams()).toBe(50_890)
    expect(text(shallow())).toMatchInlineSnapshot(`
      "Model: "sequential"
      ┌──────────────────────────────┬──────────────────────┬────────────────────────┐
      │ Layer (type)                 │ Output shape         │ Param # = n_w + n_b    │
      ├──────────────────────────────┼──────────────────────┼────────────────────────┤
      │ dense (Dense)                │ (batch, 64)          │ 50,240 = 50,176 + 64   │
      │ dense_1 (Dense)              │ (batch, 10)          │ 650 = 640 + 10         │
      └──────────────────────────────┴──────────────────────┴────────────────────────┘
       Total params: 50,890 (198.79 KB)
       Trainable params: 50,890 (198.79 KB) · Non-trainable params: 0 (0 B)
       Weights: 50,816 · Biases: 74"
    `)
  })
  test("long names and large nets stay within the columns", () => {
    const name = "a_layer_with_a_name_of_many_more_letters_than_fit"
    const net = sequential([dense({ units: 40_000, name, inputShape: [5000] }), dense({ units: 7, useBias: false })])
    expect(text(net)).toContain(
      "(763.09 MB)".replace("763.09", ((4 * (200_000_000 + 40_000 + 280_000)) / 1048576).toFixed(2)),
    )
  })
})

describe("data", () => {
  test("before compile there are predictions, and nothing else", async () => {
    const model = sequential([dense({ units: 2, activation: "softmax", inputShape: [4] })])
    const { shape, data, dtype } = await model.predict(x)
    expect([dtype, shape]).toEqual(["float32", [40, 2]])
    for (let i = 0; i < 40; i++) expect(data[2 * i]! + data[2 * i + 1]!).toBeCloseTo(1, 6)
    await expectRefusal(() => model.fit(x, y, quiet), "E_CONFIG", /not compiled.*model\.compile/)
    await expectRefusal(() => model.evaluate(x, y), "E_CONFIG", /not compiled/)
  })

  test("the same numbers in every form give the same bits", async () => {
    const whole = Float32Array.from(range(0, 160), (i) => (i * 37) % 100)
    const rows = range(0, 40).map((i) => [...whole.subarray(4 * i, 4 * i + 4)])
    const labels = range(0, 40).map((i) => i % 3)
    const inputs: [string, TensorLike][] = [
      ["a tensor", tensor(whole, [40, 4])],
      ["nested arrays", rows],
      ["float32", { data: whole, shape: [40, 4] }],
      ["float64", { data: Float64Array.from(whole), shape: [40, 4] }],
      ["uint8", { data: Uint8Array.from(whole), shape: [40, 4] }],
      ["clamped", { data: Uint8ClampedArray.from(whole), shape: [40, 4] }],
      ["int32", { data: Int32Array.from(whole), shape: [40, 4] }],
      ["a part of a larger array", { data: Float32Array.of(9, 9, 9, ...whole, 9).subarray(3, 163), shape: [40, 4] }],
      ["bytes at an odd place", { data: Uint8Array.of(9, ...whole, 9).subarray(1, 161), shape: [40, 4] }],
    ]
    const targets: TensorLike[] = [
      labels,
      Int32Array.from(labels),
      Uint8Array.from(labels),
      Float32Array.from(labels),
      labels.map((l) => [l]),
    ]
    const run = async (a: TensorLike, b: TensorLike, backend = "wasm"): Promise<unknown> => {
      const layers = [rescaling({ scale: 0.01, inputShape: [4] }), dense({ units: 3, activation: "softmax" })]
      const model = sequential(layers, { threads: 1, backend })
      model.compile({ loss: "sparse_categorical_crossentropy", metrics: ["accuracy"] })
      const { history } = await model.fit(a, b, { ...quiet, epochs: 2, batchSize: 7, validationData: [a, b] })
      return [bitsOf(model), history, [...(await model.predict(a)).data], await model.evaluate(a, b)]
    }
    const expected = await run(inputs[0]![1], targets[0]!)
    for (const [name, form] of inputs) {
      expect(await run(form, targets[0]!), name).toEqual(expected)
      expect(await run(form, targets[0]!, "reference"), name).toEqual(expected)
    }
    for (const form of targets) expect(await run(rows, form)).toEqual(expected)
  })

  test("a list of numbers is a list of rows of one", async () => {
    const model = sequential([dense({ units: 1, inputShape: [1] })])
    const { data, shape } = await model.predict([1, 2, 3])
    expect(shape).toEqual([3, 1])
    expect([...data]).toEqual([...(await model.predict([[1], [2], [3]])).data])
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.1 }), metrics: ["mae"] })
    const { history } = await model.fit([0, 1, 2, 3], [1, 3, 5, 7], { ...quiet, epochs: 200 })
    expect(history.loss!.at(-1)).toBeLessThan(1e-3)
    const [kernel, bias] = model.getWeights()
    expect([kernel!.data[0], bias!.data[0]].map((v) => Math.round(10 * v!))).toEqual([20, 10])
  })

  test("pictures with Flatten", async () => {
    const pictures = { data: x.data, shape: [40, 2, 2] }
    const flat = sequential([dense({ units: 3, activation: "softmax", inputShape: [4] })], { seed: 1 })
    const model = sequential([flatten({ inputShape: [2, 2] }), dense({ units: 3, activation: "softmax" })], { seed: 1 })
    for (const m of [flat, model]) m.compile({ loss: "categoricalCrossentropy" })
    await flat.fit(x, y, quiet)
    await model.fit(pictures, y, quiet)
    expect(bitsOf(model)).toEqual(bitsOf(flat))
    const { hint } = await refusal(() => flat.predict(pictures))
    expect(hint).toContain("flatten({ inputShape: [2, 2] })")
  })

  test("outputs of more axes", async () => {
    const model = sequential([
      reshape({ targetShape: [2, 2], inputShape: [4] }),
      dense({ units: 3 }),
      activation({ activation: "softmax" }),
    ])
    const { shape, data } = await model.predict(x, { batchSize: 7 })
    expect(shape).toEqual([40, 2, 3])
    const other = sequential(
      [reshape({ targetShape: [2, 2], inputShape: [4] }), dense({ units: 3 }), activation({ activation: "softmax" })],
      { backend: "reference" },
    )
    expect([...(await other.predict(x)).data]).toEqual([...data])
    model.compile({ loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] })
    await model.fit(
      x,
      range(0, 40).map((i) => [i % 3, 0]),
      quiet,
    )
  })

  test("the batch size changes no prediction and may be larger than the data", async () => {
    const model = smallNet()
    const { data } = await model.predict(x)
    for (const batchSize of [1, 7, 40, 41, 1e9, Number.MAX_SAFE_INTEGER]) {
      expect([...(await model.predict(x, { batchSize })).data]).toEqual([...data])
    }
    const whole = await model.evaluate(x, y, { batchSize: 40 })
    expect(await model.evaluate(x, y, { batchSize: 2 ** 40 })).toEqual(whole)
    await model.fit(x, y, { ...quiet, batchSize: 2 ** 40 })
    const other = smallNet()
    await other.fit(x, y, { ...quiet, batchSize: 40 })
    expect(bitsOf(model)).toEqual(bitsOf(other))
  })
})

describe("names", () => {
  test("snake_case names and class names are understood", async () => {
    const run = async (loss: string, metrics: string[]): Promise<unknown> => {
      const model = sequential([dense({ units: 3, activation: "softmax", inputShape: [4] })], { threads: 1 })
      model.compile({ loss: wrong(loss), optimizer: wrong("SGD"), metrics: wrong(metrics) })
      const { history } = await model.fit(x, y, { ...quiet, validationSplit: 0.25 })
      return [Object.keys(history), bitsOf(model)]
    }
    const names = ["loss", "accuracy", "categoricalAccuracy", "meanSquaredError"].flat()
    const all = [...names, ...names.map((n) => `val${n[0]!.toUpperCase()}${n.slice(1)}`)]
    const camel = await run("categoricalCrossentropy", ["accuracy", "categoricalAccuracy", "meanSquaredError"])
    expect((camel as unknown[])[0]).toEqual(all)
    expect(await run("categorical_crossentropy", ["accuracy", "categorical_accuracy", "mean_squared_error"])).toEqual(
      camel,
    )
    expect(await run("CategoricalCrossentropy", ["Accuracy", "CategoricalAccuracy", "MeanSquaredError"])).toEqual(camel)
  })

  test("short names stay as they were written", async () => {
    const model = sequential([dense({ units: 3, activation: "softmax", inputShape: [4] })])
    model.compile({ loss: "mse", metrics: ["acc", "mae"] })
    const { history } = await model.fit(x, y, quiet)
    expect(Object.keys(history)).toEqual(["loss", "acc", "mae"])
  })
})

describe("unknown options", () => {
  const model = smallNet()
  test.each<[string, () => unknown, RegExp]>([
    ["sequential", () => sequential([], wrong({ sead: 1 })), /"sead".*"seed"/],
    ["compile", () => model.compile(wrong({ loss: "mse", optimiser: "sgd" })), /"optimiser".*"optimizer"/],
    ["compile, a loss", () => model.compile(wrong({ loss: "meanSquareError" })), /"meanSquaredError"/],
    ["compile, no loss", () => model.compile(wrong({})), /loss.*must be given/],
    ["compile, nothing", () => model.compile(wrong(undefined)), /no options/],
    ["compile, an optimizer", () => model.compile(wrong({ loss: "mse", optimizer: "sdg" })), /"sgd"/],
    ["compile, metrics", () => model.compile(wrong({ loss: "mse", metrics: "accuracy" })), /a list of metrics/],
    ["compile, a metric", () => model.compile(wrong({ loss: "mse", metrics: ["accurcy"] })), /"accuracy"/],
    ["fit", () => model.fit(x, y, wrong({ batch_size: 3 })), /"batch_size".*"batchSize"/],
    ["fit, no options", () => model.fit(x, y, wrong(3)), /an object/],
    ["fit, verbose", () => model.fit(x, y, wrong({ verbose: 3 })), /0, 1, 2 or "auto"/],
    ["fit, shuffle", () => model.fit(x, y, wrong({ shuffle: "yes" })), /true or false/],
    ["fit, callbacks", () => model.fit(x, y, wrong({ callbacks: {} })), /a list of callbacks/],
    ["fit, a callback", () => model.fit(x, y, wrong({ callbacks: [() => {}] })), /a list of callbacks/],
    [
      "fit, a function",
      () => model.fit(x, y, wrong({ callbacks: [{ onEpochEnds: () => {} }] })),
      /onEpochEnds.*Did you mean onEpochEnd\?/,
    ],
    [
      "fit, no function",
      () => model.fit(x, y, wrong({ callbacks: [{ onEpochEnd: 5 }] })),
      /onEpochEnd: this cannot be called/,
    ],
    ["fit, signal", () => model.fit(x, y, wrong({ signal: {} })), /an AbortSignal/],
    ["fit, validationData", () => model.fit(x, y, wrong({ validationData: [x] })), /\[inputs, targets\]/],
    ["fit, both", () => model.fit(x, y, { validationSplit: 0.1, validationData: [x, y] }), /exclude each other/],
    ["evaluate", () => model.evaluate(x, y, wrong({ batchsize: 1 })), /"batchsize".*"batchSize"/],
    ["predict", () => model.predict(x, wrong({ verbose: 0 })), /"verbose"/],
    ["summary", () => model.summary(wrong({ printfn: () => {} })), /"printfn".*"printFn"/],
    ["inspect", () => model.inspect(wrong({ batch: 1 })), /"batch"/],
    ["modelFromBytes", async () => modelFromBytes(await model.toBytes(), "m", wrong({ sead: 1 })), /"sead".*"seed"/],
    [
      "modelFromBytes, backend",
      async () => modelFromBytes(await model.toBytes(), "m", { backend: "wams" }),
      /"wams".*"wasm"/,
    ],
  ])("%s", async (_, action, message) => {
    const before = bitsOf(model)
    await expectRefusal(action, "E_CONFIG", message)
    expect(bitsOf(model)).toEqual(before)
    expect(model.history).toBeUndefined()
  })
})

describe("saving and loading", () => {
  const path = `${folder}/model.safetensors`
  test("the same predictions, the same bytes, and training goes on", async () => {
    const model = smallNet({ seed: 5 })
    await model.fit(x, y, { ...quiet, epochs: 2 })
    await model.save(path)
    const loaded = await loadModel(path, { seed: 5 })
    expect(bitsOf(loaded)).toEqual(bitsOf(model))
    expect([...(await loaded.predict(x)).data]).toEqual([...(await model.predict(x)).data])
    expect(await loaded.evaluate(x, y)).toEqual(await model.evaluate(x, y))
    await loaded.save(`${folder}/again.safetensors`)
    expect(readFileSync(`${folder}/again.safetensors`)).toEqual(readFileSync(path))
    for (const m of [model, loaded]) await m.fit(x, y, { ...quiet, epochs: 4, initialEpoch: 2 })
    expect(bitsOf(loaded)).toEqual(bitsOf(model))
    expect(loaded.history!.history).toEqual(model.history!.history)
    const whole = smallNet({ seed: 5 })
    await whole.fit(x, y, { ...quiet, epochs: 4 })
    expect(bitsOf(loaded)).toEqual(bitsOf(whole))
  })

  test("a model that is not compiled, whose shape came with the data, with every layer", async () => {
    const model = sequential([
      rescaling({ scale: 0.5, offset: 1 }),
      reshape({ targetShape: [2, -1] }),
      dense({ units: 3, useBias: false, name: "my layer", kernelInitializer: { type: "constant", value: 0.25 } }),
      flatten(),
      activation({ activation: "tanh" }),
      dense({ units: 2 }),
    ])
    const { data } = await model.predict(x)
    const bytes = await model.toBytes()
    const loaded = await modelFromBytes(bytes)
    expect([...(await loaded.predict(x)).data]).toEqual([...data])
    expect(await loaded.toBytes()).toEqual(bytes)
    expect(loaded.layers.map((l) => l.name)).toEqual(model.layers.map((l) => l.name))
    await expectRefusal(() => loaded.evaluate(x, y), "E_CONFIG", /not compiled/)
    await expectRefusal(() => loaded.predict([[1, 2]]), "E_DATA", /\[4\].*\[2\]/)
  })

  test("every loss, metric and optimizer comes back", async () => {
    const model = sequential([dense({ units: 1, activation: "sigmoid", inputShape: [4] })])
    model.compile({
      loss: { type: "binaryCrossentropy", fromLogits: false },
      optimizer: sgd({ learningRate: 0.25, momentum: 0.5, nesterov: true }),
      metrics: ["acc", "binary_accuracy", "mse", "meanAbsoluteError"],
    })
    const loaded = await modelFromBytes(await model.toBytes())
    expect(await loaded.toBytes()).toEqual(await model.toBytes())
    const targets = range(0, 40).map((i) => i % 2)
    expect(await loaded.evaluate(x, targets)).toEqual(await model.evaluate(x, targets))
  })

  test("missing files and folders", async () => {
    await expectRefusal(() => loadModel(`${folder}/none.safetensors`), "E_IO", /none\.safetensors/)
    await expectRefusal(() => loadModel(folder), "E_MODEL", /a folder/)
    await expectRefusal(() => smallNet().save(`${folder}/none/model.safetensors`), "E_IO", /no folder/)
  })

  test("a model with a NaN is not saved, and the file that was there stays", async () => {
    const model = smallNet()
    await model.save(path)
    const before = readFileSync(path)
    model.setWeights(model.getWeights().map((w) => ({ ...w, data: w.data.map(() => Number.NaN) })))
    await expectRefusal(() => model.save(path), "E_MODEL", /NaN/)
    expect(readFileSync(path)).toEqual(before)
  })
})

describe("damaged model files", async () => {
  const good = await smallNet().toBytes()
  // What is changed on purpose would be refused for its checksum alone.
  const {
    tensors,
    metadata: { checksum: _, ...metadata },
  } = readSafetensors(good, "good")
  type Texts = { [key: string]: string }
  /** The file with other metadata or tensors. */
  const file = (texts: Texts, others: ReadonlyMap<string, Tensor> = tensors): Uint8Array => {
    const all = { ...metadata, ...texts }
    for (const key of Object.keys(all)) if (all[key] === "") delete all[key]
    return writeSafetensors(others, all)
  }
  const network = (edit: (net: { kind: unknown; layers: Record<string, unknown>[] }) => void): Texts => {
    const net = JSON.parse(metadata.network!) as { kind: unknown; layers: Record<string, unknown>[] }
    edit(net)
    return { network: JSON.stringify(net) }
  }
  const layer = (changes: object): Texts => network(({ layers }) => void Object.assign(layers[0]!, changes))
  const config = (changes: object): Texts =>
    network(({ layers }) => void Object.assign(layers[0]!.config as object, changes))
  const without = (name: string): Map<string, Tensor> => new Map([...tensors].filter(([key]) => key !== name))
  const replaced = (name: string, t: Tensor): Map<string, Tensor> => new Map([...tensors, [name, t]])
  const float = (...shape: number[]): Tensor => ({
    dtype: "float32",
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  })

  test("the undamaged file is one", async () => {
    expect(bitsOf(await modelFromBytes(file({})))).toEqual(bitsOf(smallNet()))
    expect([...tensors.keys()]).toEqual(["dense/bias", "dense/kernel", "dense_1/bias", "dense_1/kernel"])
  })

  test.each<[string, () => Uint8Array, RegExp]>([
    ["another program's file", () => writeSafetensors(tensors, {}), /no model of trilobite/],
    ["another format", () => file({ format: "pt" }), /no model of trilobite/],
    ["a newer version", () => file({ version: "2" }), /newer version.*version 1.*"2"/],
    ["an unknown version", () => file({ version: "one" }), /not known.*"one"/],
    ["no version", () => file({ version: "" }), /version 1/],
    ["no network", () => file({ network: "" }), /an object.*null/],
    ["no inputShape", () => file({ inputShape: "" }), /inputShape.*a list/],
    ["T22 a missing tensor", () => file({}, without("dense_1/bias")), /dense_1\/bias is missing/],
    ["T22 no tensors", () => file({}, new Map()), /dense\/kernel is missing/],
    [
      "T23 an extra tensor",
      () => file({}, replaced("dense_2/kernel", float(2, 2))),
      /"dense_2\/kernel" belongs to no layer/,
    ],
    [
      "T24 another shape",
      () => file({}, replaced("dense/kernel", float(5, 4))),
      /dense\/kernel does not fit.*\[4, 5\].*\[5, 4\]/,
    ],
    ["T24 another rank", () => file({}, replaced("dense/bias", float(5, 1))), /dense\/bias does not fit/],
    [
      "T24 another type",
      () => file({}, replaced("dense/bias", { ...float(5), dtype: "int32", data: new Int32Array(5) })),
      /float32 \[5\].*int32/,
    ],
    ["an unknown metadata key", () => file({ networks: "{}" }), /unknown key "networks"/],
    ["an unknown kind", () => file(network((net) => void (net.kind = "graph"))), /"graph"/],
    ["no layers", () => file(network((net) => void (net.layers = []))), /at least one layer/],
    ["layers that are none", () => file({ network: '{"kind":"sequential","layers":{"length":1}}' }), /a list/],
    ["an unknown layer", () => file(layer({ type: "Dens" })), /layers\[0\]\.type.*Did you mean "Dense"/],
    ["a layer named constructor", () => file(layer({ type: "constructor" })), /"constructor"/],
    ["an unknown key in a layer", () => file(layer({ trained: true })), /unknown key "trained"/],
    ["a layer that is half trainable", () => file(layer({ trainable: "half" })), /trainable.*true or false/],
    ["an unknown key in a config", () => file(config({ unit: 3 })), /"unit"/],
    ["a wrong value", () => file(config({ units: "5" })), /units/],
    ["other units", () => file(config({ units: 6 })), /dense\/kernel does not fit/],
    ["units beyond memory", () => file(config({ units: 2 ** 40 })), /fit into memory/],
    ["activation toString", () => file(config({ activation: "toString" })), /unknown activation "toString"/],
    ["activation __proto__", () => file(config({ activation: "__proto__" })), /__proto__/],
    ["an initializer toString", () => file(config({ kernelInitializer: { type: "toString" } })), /toString/],
    [
      "__proto__ in a config",
      () => file({ network: metadata.network!.replace('"units"', '"__proto__":{"units":3},"units"') }),
      /__proto__/,
    ],
    [
      "\\u005f_proto__",
      () => file({ network: metadata.network!.replace('"units"', '"\\u005f_proto__":1,"units"') }),
      /__proto__/,
    ],
    [
      "constructor as a key",
      () => file({ network: metadata.network!.replace('"units"', '"constructor":1,"units"') }),
      /constructor/,
    ],
    ["a key twice", () => file({ network: metadata.network!.replace('"units"', '"units":5,"units"') }), /twice/],
    ["two layers of one name", () => file(network((net) => void (net.layers[1]!.name = "dense"))), /same name/],
    ["no JSON", () => file({ network: "{" }), /network:1:2/],
    ["a network of depth 10^5", () => file({ network: "[".repeat(1e5) }), /nests deeper/],
    ["another inputShape in the layer", () => file(layer({ inputShape: [3] })), /\[batch, 3\].*\[batch, 4\]/],
    ["an inputShape with a 0", () => file({ inputShape: "[0]" }), /inputShape.*whole numbers of at least 1/],
    ["an inputShape of text", () => file({ inputShape: '["4"]' }), /inputShape/],
    ["an inputShape of 9 axes", () => file({ inputShape: "[1,1,1,1,1,1,1,1,4]" }), /inputShape/],
    [
      "an inputShape beyond all numbers",
      () =>
        file({ ...network((n) => delete n.layers[0]!.inputShape), inputShape: "[9007199254740991,9007199254740991]" }),
      /./,
    ],
    ["a loss without an optimizer", () => file({ optimizer: "" }), /optimizer/],
    ["an optimizer without a loss", () => file({ loss: "" }), /loss/],
    ["no metrics", () => file({ metrics: "" }), /metrics/],
    ["an unknown loss", () => file({ loss: '{"type":"toString"}' }), /unknown loss/],
    [
      "a loss that cannot learn",
      () => file({ ...network((n) => void Object.assign(n.layers[1]!.config as object, { units: 1 })) }),
      /over one unit/,
    ],
    ["an optimizer option", () => file({ optimizer: '{"type":"sgd","momentum":2}' }), /momentum/],
    ["an optimizer that is null", () => file({ optimizer: "null" }), /no optimizer/],
    ["metrics that are an object", () => file({ metrics: "{}" }), /a list/],
    ["an unknown metric", () => file({ metrics: '[{"name":"accuracy","spec":{"type":"acuracy"}}]' }), /acuracy/],
    [
      "a metric named constructor",
      () => file({ metrics: '[{"name":"constructor","spec":{"type":"accuracy"}}]' }),
      /constructor/,
    ],
    [
      "a metric named __proto__",
      () => file({ metrics: '[{"name":"__proto__","spec":{"type":"accuracy"}}]' }),
      /__proto__/,
    ],
    ["a metric named loss", () => file({ metrics: '[{"name":"loss","spec":{"type":"accuracy"}}]' }), /loss/],
    [
      "a metric under another's name",
      () => file({ metrics: '[{"name":"mse","spec":{"type":"accuracy"}}]' }),
      /name of the metric/,
    ],
    [
      "a metric twice",
      () => file({ metrics: `[${Array(2).fill('{"name":"accuracy","spec":{"type":"accuracy"}}').join()}]` }),
      /twice/,
    ],
    [
      "a metric that does not fit",
      () =>
        file({ metrics: '[{"name":"sparseCategoricalAccuracy","spec":{"type":"sparseCategoricalAccuracy","x":1}}]' }),
      /"x"/,
    ],
    ["no bytes", () => new Uint8Array(0), /too short/],
    ["text", () => new TextEncoder().encode("<!DOCTYPE html><html>"), /header/],
  ])("%s", async (_, bytes, message) => {
    await expectRefusal(() => modelFromBytes(bytes(), "my.safetensors"), "E_MODEL", message)
    expect((await refusal(() => modelFromBytes(bytes(), "my.safetensors"))).where).toMatch(/^my\.safetensors/)
  })

  test("a damaged byte of the metadata gives a model or E_MODEL, and nothing else", async () => {
    const length = new DataView(good.buffer).getUint32(0, true)
    let refused = 0
    for (let i = 0; i < 3000; i++) {
      const bytes = good.slice()
      const at = 8 + ((i * 7919) % length)
      bytes[at] = [0x30, 0x22, 0x7d, 0x2c, 0x65, 0x5d, bytes[at]! ^ 1, bytes[at]! + 1][i % 8]!
      try {
        await modelFromBytes(bytes, "my.safetensors")
      } catch (error) {
        if (!(error instanceof TrilobiteError) || error.code !== "E_MODEL") throw error
        expect(error.where).toMatch(/^my\.safetensors/)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(1500)
  })
})
