// Models in the formats of other systems: every layer of the surface that a format can hold gives there what it gives here, to 1e-5;
// what it cannot hold is refused by name.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as cpu from "@tensorflow/tfjs-backend-cpu"
import * as tf from "@tensorflow/tfjs-core"
import * as tfl from "@tensorflow/tfjs-layers"
import * as ort from "onnxruntime-web"
import { beforeAll, describe, expect, test } from "vitest"
import { openZip } from "../src/core/zip.ts"
import {
  activation,
  bidirectional,
  concatenate,
  customLayer,
  dense,
  embedding,
  flatten,
  functional,
  gru,
  input,
  loadModel,
  lstm,
  type Model,
  masking,
  ops,
  sequential,
  simpleRNN,
  type Tensor,
  TrilobiteError,
  tensor,
  timeDistributed,
} from "../src/index.ts"
import { activationNames } from "../src/nn/activations.ts"
import { LAYER_ROWS } from "./layers.cases.ts"
import { caseOf, names, predicted, ROWS, SIZES } from "./support/layer-models.ts"
import { generator } from "./support/mutate.ts"

const folder = mkdtempSync(join(tmpdir(), "trilobite-formats-"))

beforeAll(async () => {
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = "error"
  void cpu
  await tf.setBackend("cpu")
})

function near(found: ArrayLike<number>, wanted: Tensor): void {
  expect(found.length).toBe(wanted.data.length)
  const far = Math.max(0, ...Array.from(wanted.data, (value, i) => Math.abs(value - found[i]!)))
  expect(far).toBeLessThanOrEqual(1e-5)
}

/** True if the file was written; false if the format has no place for the model and has said so by name. */
async function written(model: Model, path: string, name: RegExp): Promise<boolean> {
  try {
    await model.save(path)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(TrilobiteError)
    expect((error as TrilobiteError).code).toBe("E_MODEL")
    expect((error as TrilobiteError).message).toMatch(name)
    expect(existsSync(path)).toBe(false)
    return false
  }
}

const file = (name: string, ending: string): string => join(folder, `${name.replace(/\W+/g, "-")}${ending}`)

describe("ONNX", () => {
  const run = async (path: string, model: Model, data: readonly Tensor[]): Promise<void> => {
    const session = await ort.InferenceSession.create(readFileSync(path))
    const feeds = session.inputNames.map((name, i) => {
      return [name, new ort.Tensor("float32", Float32Array.from(data[i]!.data), [...data[i]!.shape])] as const
    })
    const out = await session.run(Object.fromEntries(feeds))
    const wanted = await predicted(model, data)
    expect(session.outputNames.map((name) => out[name]!.dims)).toEqual(wanted.map(({ shape }) => shape))
    wanted.forEach((one, i) => void near(out[session.outputNames[i]!]!.data as Float32Array, one))
    await session.release()
  }

  test.each(names)("%s", async (name) => {
    const { model, data } = caseOf(name)
    const path = file(name, ".onnx")
    await model.save(path)
    await run(path, model, data)
  })

  test("loops hold masks, first states, functions of one's own, loops after loops and in every step", async () => {
    const words = input({ shape: [5] })
    const rows = input({ shape: [3, 5, 4] })
    const known = embedding({ inputDim: 9, outputDim: 4, maskZero: true })(words)
    const h = dense({ units: 3 })(flatten()(rows))
    const both = bidirectional({ layer: gru({ units: 3, returnSequences: true }), mergeMode: "ave" })(known)
    const own = simpleRNN({ units: 3, activation: (x) => ops.div(x, ops.add(1, ops.abs(x))), goBackwards: true })
    const [last, end, cell] = lstm({ units: 3, recurrentActivation: "hardSigmoid", returnState: true })([
      both,
      h!,
      h!,
    ]) as [typeof both, typeof both, typeof both]
    const each = timeDistributed({ layer: lstm({ units: 2, returnSequences: true, goBackwards: true }) })(rows)
    const outputs = concatenate()([own(both), last, end, cell, flatten()(each)])
    const model = functional({ inputs: [words, rows], outputs, seed: 5 })
    const path = file("loops", ".onnx")
    await model.save(path)
    const numbers = tensor(Float32Array.from([1, 2, 0, 0, 0, 3, 8, 8, 1, 4, 0, 5, 0, 7, 0, 0, 0, 0, 0, 0]), [4, 5])
    const next = generator(3)
    const data = tensor(
      Float32Array.from({ length: 240 }, () => next(1000) / 500 - 1),
      [4, 3, 5, 4],
    )
    await run(path, model, [numbers, data])
  })

  test("a stateful layer is refused by name", async () => {
    const model = sequential([lstm({ units: 2, stateful: true, batchShape: [3, 4, 2] })])
    await expect(model.save(file("stateful", ".onnx"))).rejects.toThrow(/layer lstm.*stateful layer/)
  })

  test.each(activationNames)("the activation %s", async (name) => {
    const given = name === "threshold" ? { type: name, threshold: 0.3, defaultValue: -1 } : name
    const model = sequential([activation({ activation: given, inputShape: [6] })])
    const path = file(`activation-${name}`, ".onnx")
    await model.save(path)
    await run(path, model, [tensor([[-3, -1, -0.4, 0, 0.4, 3], [-9, -2.5, 0.1, 1, 2.5, 9]])]) // biome-ignore format: one row
  })
})

/** The layers of the table that TensorFlow.js holds. */
const HELD_BY_TFJS = /^(Dense|Activation|Flatten|Reshape|Rescaling|Embedding|LeakyReLU|PReLU|ELU|Softmax|Permute|Repeat|Dropout|Alpha|Gaussian|Batch|LayerNorm|Add|Multiply|Average|Maximum|Minimum|Concatenate|Dot|ZeroPadding2D|Cropping2D|UpSampling2D|Global|Masking|SpatialDropout1D|SeparableConv2D|DepthwiseConv2D|SimpleRNN|LSTM|GRU, reset before|Bidirectional|TimeDistributed|Conv|MaxPool|AveragePool)/ // biome-ignore format: one row

describe("TensorFlow.js", () => {
  const load = (path: string): Promise<tfl.LayersModel> => {
    const json = JSON.parse(readFileSync(path, "utf8")) as {
      modelTopology: object
      weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[]
    }
    const [group] = json.weightsManifest
    const bytes = readFileSync(join(folder, group!.paths[0]!))
    const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    const handler = {
      load: async () => ({ modelTopology: json.modelTopology, weightSpecs: group!.weights, weightData }),
    }
    return tfl.loadLayersModel(handler)
  }

  test.each(names)("%s", async (name) => {
    const { model, data } = caseOf(name)
    const path = file(name, ".json")
    if (!(await written(model, path, /TensorFlow\.js|no place/))) {
      expect(name).not.toMatch(/^(Dense|Flatten|BatchNormalization$|Concatenate|Embedding)/)
      return
    }
    expect(name).toMatch(HELD_BY_TFJS)
    const there = await load(path)
    const given = data.map(({ data, shape }) => tf.tensor(Float32Array.from(data), [...shape]))
    const wanted = await predicted(model, data)
    const found = [there.predict(given.length === 1 ? given[0]! : given)].flat()
    const again = await predicted(await loadModel(path), data)
    wanted.forEach((one, i) => {
      near(found[i]!.dataSync(), one)
      near(again[i]!.data, one)
    })
    tf.dispose(given)
  })

  test("what TensorFlow.js has written itself is read", async () => {
    const x = tfl.input({ shape: [4], name: "x" })
    const inner = tfl.sequential({
      name: "inner",
      layers: [tfl.layers.dense({ units: 3, inputShape: [4], activation: "relu" })],
    })
    const both = tfl.layers.concatenate({ name: "both" }).apply([x, inner.apply(x) as tfl.SymbolicTensor])
    const y = tfl.layers.dense({ units: 2, activation: "softmax", name: "out" }).apply(both) as tfl.SymbolicTensor
    const model = tfl.model({ inputs: x, outputs: y })
    const path = join(folder, "theirs.json")
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        const { modelTopology, weightSpecs, weightData } = artifacts
        const bytes = Buffer.from(tf.io.CompositeArrayBuffer.join(weightData))
        writeFileSync(join(folder, "group1-shard1of2.bin"), bytes.subarray(0, 10))
        writeFileSync(join(folder, "group1-shard2of2.bin"), bytes.subarray(10))
        const paths = ["group1-shard1of2.bin", "group1-shard2of2.bin"]
        writeFileSync(
          path,
          JSON.stringify({ format: "layers-model", modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] }),
        )
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } }
      }),
    )
    const rows = [[1, 2, 3, 4], [0.5, -1, 0, 2]] // biome-ignore format: one row
    const found = await (await loadModel(path)).predict(rows)
    near((model.predict(tf.tensor(rows)) as tf.Tensor).dataSync(), found)
  })

  const savedThere = (model: tfl.LayersModel, path: string): Promise<unknown> =>
    model.save(
      tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
        writeFileSync(join(folder, "theirs.bin"), Buffer.from(tf.io.CompositeArrayBuffer.join(weightData)))
        const weightsManifest = [{ paths: ["theirs.bin"], weights: weightSpecs }]
        writeFileSync(path, JSON.stringify({ format: "layers-model", modelTopology, weightsManifest }))
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } }
      }),
    )

  test("recurrent layers that TensorFlow.js has written itself are read, each direction with its weights", async () => {
    const { bidirectional: both, simpleRNN, timeDistributed } = tfl.layers
    // TensorFlow.js begins with hardSigmoid, which has another meaning in Keras 3.
    const plain = { units: 3, recurrentInitializer: "glorotNormal" } as const
    const own = { ...plain, recurrentActivation: "sigmoid" } as const
    const inner = tfl.sequential({
      name: "inner",
      layers: [
        both({ layer: tfl.layers.lstm({ ...own, returnSequences: true }) as never, mergeMode: "concat", inputShape: [4, 2] }), // biome-ignore format: one line
        both({ layer: tfl.layers.gru({ ...own, returnSequences: true }) as never, mergeMode: "ave" }), // biome-ignore format: one line
      ],
    })
    const x = tfl.input({ shape: [4, 2], name: "x" })
    const each = timeDistributed({ layer: tfl.layers.dense({ units: 2 }) }).apply(inner.apply(x))
    const y = simpleRNN({ ...plain, activation: "relu", goBackwards: true }).apply(each) as tfl.SymbolicTensor
    const model = tfl.model({ inputs: x, outputs: y })
    const path = join(folder, "theirs-recurrent.json")
    await savedThere(model, path)
    const rows = tensor(
      Float32Array.from({ length: 24 }, (_, i) => Math.fround(((i * 7) % 11) / 5 - 1)),
      [3, 4, 2],
    )
    const read = await loadModel(path)
    const found = await read.predict(rows)
    near((model.predict(tf.tensor(rows.data as Float32Array, [3, 4, 2])) as tf.Tensor).dataSync(), found)
    await read.save(path)
    const again = (await load(path)).predict(tf.tensor(rows.data as Float32Array, [3, 4, 2])) as tf.Tensor
    near(again.dataSync(), found)
    const other = tfl.sequential({ layers: [tfl.layers.lstm({ ...plain, inputShape: [4, 2] })] })
    await savedThere(other, path)
    await expect(loadModel(path)).rejects.toThrow(/hard_sigmoid was clip/)
  })

  test("steps that do not count and what is left to the next batch are the same there", async () => {
    const masked = sequential([
      masking({ inputShape: [4, 2] }),
      lstm({ units: 3, returnSequences: true }),
      gru({ units: 3, resetAfter: false, goBackwards: true, returnSequences: true }),
      simpleRNN({ units: 2 }),
    ])
    const kept = sequential([lstm({ units: 3, stateful: true, batchShape: [2, 4, 2] }), dense({ units: 1 })])
    const data = Float32Array.from([0, 0, 1, 2, 3, -1, 0, 0, 0.5, 1, 0, 0, 0, 0, 0, 0])
    for (const model of [masked, kept]) {
      const path = join(folder, "steps.json")
      await model.save(path)
      const there = await load(path)
      for (let i = 0; i < 2; i++) {
        const found = there.predict(tf.tensor(data, [2, 4, 2]), { batchSize: 2 }) as tf.Tensor
        near(found.dataSync(), await model.predict(tensor(data, [2, 4, 2])))
      }
    }
  })

  test("models within models come back as they were, also a functional one that is used twice", async () => {
    const a = input({ shape: [4], name: "a" })
    const inside = input({ shape: [4], name: "inside" })
    const inner = functional({
      inputs: inside,
      outputs: dense({ units: 4, name: "deep" })(inside),
      name: "inner",
    }).asLayer()
    const once = inner(a)
    const model = functional({ inputs: a, outputs: dense({ units: 2, name: "last" })(inner(once)) })
    const path = join(folder, "nested.json")
    await model.save(path)
    const rows = [[1, 2, 3, 4]]
    const wanted = await model.predict(rows)
    near((await (await loadModel(path)).predict(rows)).data, wanted)
    near(((await load(path)).predict(tf.tensor(rows)) as tf.Tensor).dataSync(), wanted)
    const keras = join(folder, "nested.keras")
    await model.save(keras)
    near((await (await loadModel(keras)).predict(rows)).data, wanted)
  })
})

describe("Keras", () => {
  const refused: { readonly [name: string]: RegExp } = {
    "Bidirectional of two": /\(Bidirectional\).*as many units/,
  }
  test.each(names)("%s comes back as it was, or is refused by name", async (name) => {
    const { model, data } = caseOf(name)
    const path = file(name, ".keras")
    const fault = refused[name]
    if (fault !== undefined) return void (await expect(model.save(path)).rejects.toThrow(fault))
    await model.save(path)
    const back = await loadModel(path)
    expect(await predicted(back, data)).toEqual(await predicted(model, data))
    await back.save(file(name, ".again.keras"))
    expect(readFileSync(file(name, ".again.keras")).equals(readFileSync(path))).toBe(true)
  })
})

describe("layers in layers that are not trained", () => {
  test("say so themselves in Keras's files, and come back", async () => {
    const inside = sequential([dense({ units: 3, inputShape: [4] })])
    const model = sequential([
      bidirectional({ layer: lstm({ units: 2, returnSequences: true }), trainable: false, inputShape: [5, 3] }),
      timeDistributed({ layer: inside, trainable: false }),
      flatten(),
      dense({ units: 1 }),
    ])
    const path = join(folder, "frozen.keras")
    await model.save(path)
    const config = await openZip(readFileSync(path), path, "E_MODEL").read("config.json")
    const text = new TextDecoder().decode(config)
    // Both wrappers and what they hold: two directions, and a model with one layer; the input's own flag is not written.
    expect(text.match(/"trainable":\s*false/g)).toHaveLength(6)
    const back = await loadModel(path)
    back.compile({ loss: "mse", optimizer: "sgd" })
    const x = tensor(Float32Array.from({ length: 30 }, (_, i) => i / 15 - 1), [2, 5, 3]) // biome-ignore format: one row
    const before = back.getWeights()
    await back.trainOnBatch(x, [[1], [0]])
    const changed = back.getWeights().map(({ data }, i) => data.some((v, j) => v !== before[i]!.data[j]))
    expect(changed).toEqual([...Array(8).fill(false), true, true])
    await model.save(join(folder, "frozen.weights.h5"))
    back.setWeights(before.map(({ shape, data }) => ({ shape, data: data.map(() => 0.5) })))
    await back.loadWeights(join(folder, "frozen.weights.h5"))
    expect(back.getWeights()).toEqual(before)
  })
})

describe("a TypeScript function", () => {
  const rows = [[-2, -0.5, 0, 0.7], [3, 1, -1, 0.1]] // biome-ignore format: one row
  const plain = activationNames.filter((name) => name !== "threshold")

  test.each(plain)("with %s", async (name) => {
    const model = sequential([dense({ units: 6, activation: name, inputShape: [4] }), dense({ units: 2 })])
    const path = file(`predict-${name}`, ".ts")
    if (!(await written(model, path, new RegExp(`activation ${name}`)))) return
    const { predict } = (await import(path)) as { predict: (x: readonly number[]) => number[] }
    near(rows.flatMap((row) => predict(row)), await model.predict(rows)) // biome-ignore format: one row
    expect(() => predict([1])).toThrow(RangeError)
  })

  test.each(names)("%s is written, or refused by name", async (name) => {
    const row = LAYER_ROWS.find((one) => one.name === name)!
    const shapes = row.inputs(...SIZES)
    if (shapes.length > 1) return
    const layer = row.layer([...SIZES])
    const model = sequential([input({ shape: shapes[0]! }), layer])
    const path = file(`row-${name}`, ".ts")
    if (!(await written(model, path, /no place|no source/))) return
    const { data } = caseOf(name)
    const { predict } = (await import(path)) as { predict: (x: readonly number[]) => number[] }
    const n = shapes[0]!.reduce((a, b) => a * b, 1)
    const found = Array.from({ length: ROWS }, (_, i) => predict([...data[0]!.data.slice(i * n, (i + 1) * n)])).flat()
    near(found, (await predicted(model, data))[0]!)
  })
})

describe("what a format cannot hold", () => {
  const own = customLayer("Twice", {}, (_, [x]) => ops.mul(x, 2))
  const cases: readonly (readonly [ending: string, model: () => Model, message: RegExp])[] = [
    [".keras", () => sequential([own({ inputShape: [2] })]), /layer twice \(Twice\).*of your own/],
    [
      ".keras",
      () => sequential([activation({ activation: (x) => ops.mul(x, 2), inputShape: [2] })]),
      /no name in Keras/,
    ],
    [
      ".json",
      () => sequential([activation({ activation: "hardSigmoid", inputShape: [2] })]),
      /no activation hardSigmoid/,
    ],
    [".h5", () => sequential([dense({ units: 1, inputShape: [2] })]), /are not written/],
    [
      ".keras",
      () => bothWays({ layer: lstm({ units: 1, goBackwards: true, returnSequences: true }) }),
      /layer bidirectional \(Bidirectional\).*reverse order in Keras/,
    ],
    [
      ".json",
      () => bothWays({ layer: lstm({ units: 1 }), backwardLayer: lstm({ units: 1, goBackwards: true }) }),
      /one layer for both directions/,
    ],
    [
      ".json",
      () => sequential([masking({ inputShape: [3, 2] }), bidirectional({ layer: lstm({ units: 1, returnSequences: true }) })]), // biome-ignore format: one line
      /do not count give other numbers/,
    ],
    [
      ".keras",
      () => {
        const [x, h] = [input({ shape: [3, 2] }), input({ shape: [1] })]
        return functional({ inputs: [x, h], outputs: gru({ units: 1 })([masking()(x), h]) })
      },
      /layer gru \(GRU\).*no account of a mask/,
    ],
    [".keras", () => compiled("oneCycle"), /Keras has no oneCycle/],
    [".keras", () => compiled("confusionMatrix"), /Keras has no metric confusionMatrix/],
  ]
  const bothWays = (options: object): Model => sequential([bidirectional({ ...options, inputShape: [3, 2] } as never)])
  const compiled = (what: string): Model => {
    const model = sequential([dense({ units: 2, activation: "softmax", inputShape: [2] })])
    const rate = { type: "oneCycle", maxLearningRate: 0.1, totalSteps: 10 } as const
    model.compile({
      loss: "categoricalCrossentropy",
      ...(what === "oneCycle" ? { optimizer: { type: "sgd", learningRate: rate } as never } : {}),
      ...(what === "confusionMatrix" ? { metrics: [what] } : {}),
    })
    return model
  }
  test.each(cases)("%s: case %#", async (ending, model, message) => {
    const path = join(folder, `refused${ending}`)
    await expect(model().save(path)).rejects.toThrow(message)
    expect(existsSync(path)).toBe(false)
  })

  test("files that are not read say so", async () => {
    const path = join(folder, "some.onnx")
    writeFileSync(path, Uint8Array.from([8, 8, 18, 0]))
    await expect(loadModel(path)).rejects.toThrow(/ONNX files are not read.*\.safetensors, \.keras/)
  })
})

describe("what a training had got to", () => {
  const net = (): Model => {
    const model = sequential([dense({ units: 4, activation: "tanh", inputShape: [3] }), dense({ units: 1 })], {
      seed: 3,
      name: "net",
    })
    model.compile({ loss: "mse", optimizer: { type: "nadam", learningRate: 0.01 } })
    return model
  }
  const x = [[1, 2, 3], [0, 1, 0]] // biome-ignore format: one row
  const y = [[1], [0]]

  test.each([".safetensors", ".keras"])("goes on from a %s file with the same bits", async (ending) => {
    const model = net()
    for (let i = 0; i < 3; i++) await model.trainOnBatch(x, y)
    const path = join(folder, `going-on${ending}`)
    await model.save(path)
    const loaded = await loadModel(path)
    expect(loaded.name).toBe("net")
    for (const one of [model, loaded]) await one.trainOnBatch(x, y)
    loaded.getWeights().forEach(({ data }, i) => void expect(data).toEqual(model.getWeights()[i]!.data))
  })

  test("what the optimizer keeps must fit it", async () => {
    const { readSafetensors, writeSafetensors } = await import("../src/formats/safetensors.ts")
    const model = net()
    await model.trainOnBatch(x, y)
    // What is changed on purpose would be refused for its checksum alone.
    const {
      tensors,
      metadata: { checksum: _, ...metadata },
    } = readSafetensors(await model.toBytes(), "bytes")
    expect([...tensors.keys()]).toContain("/optimizer/dense/kernel/m")
    const { modelFromBytes } = await import("../src/index.ts")
    const without = new Map([...tensors].filter(([name]) => name !== "/optimizer/dense/kernel/m"))
    await expect(modelFromBytes(writeSafetensors(without, metadata))).rejects.toThrow(/dense\/kernel\/m is missing/)
    const odd = new Map(tensors).set("/optimizer/product", { dtype: "float32", shape: [2], data: new Float32Array(2) })
    await expect(modelFromBytes(writeSafetensors(odd, metadata))).rejects.toMatchObject({ code: "E_MODEL" })
    await expect(modelFromBytes(writeSafetensors(tensors, { ...metadata, state: '{"step":-1}' }))).rejects.toMatchObject({ code: "E_MODEL" }) // biome-ignore format: one row
  })
})
