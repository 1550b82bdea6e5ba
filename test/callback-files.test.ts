// Callbacks that write files: what is in them, added to them, and left of them when a training is interrupted.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { readSafetensors } from "../src/formats/safetensors.ts"
import { crc32c } from "../src/formats/tensorboard.ts"
import {
  type Callback,
  csvLogger,
  dense,
  jsonLinesLogger,
  type Logs,
  loadModel,
  type ModelCheckpointOptions,
  modelCheckpoint,
  sequential,
  tensorBoard,
} from "../src/index.ts"
import { checkTemplate, filled } from "../src/train/callbacks/template.ts"
import { fakeTraining, playEpochs } from "./support/callbacks.ts"
import { readEvents } from "./support/tensorboard.ts"
import { bitsOf, expectRefusal, smallNet, threeClasses, wrong } from "./support/training.ts"

const { x, y } = threeClasses(24)
const quiet = { epochs: 3, batchSize: 8, verbose: 0 } as const

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trilobite-callbacks-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
const textAt = (name: string): string => readFileSync(at(name), "utf8")

describe("names of files", () => {
  const values = { epoch: 3, batch: 12, loss: 0.0512, valLoss: -1.25, big: 1e21 }
  test.each([
    ["{epoch}", "3"],
    ["{epoch:d}", "3"],
    ["{epoch:02d}", "03"],
    ["{epoch:4d}|{batch:1d}", "   3|12"],
    ["{valLoss:.2f}", "-1.25"],
    ["{val_loss:07.1f}", "-0001.3"],
    ["{loss:.3f}{loss:f}", "0.0510.051200"],
    ["{loss}", "0.0512"],
    ["a{{b}}c", "a{b}c"],
    ["{epoch:.2f}", "3.00"],
    ["none", "none"],
  ])("%s", (template, name) => {
    checkTemplate("test", template)
    expect(filled("test", template, values)).toBe(name)
  })

  test.each(["{", "}", "{}", "{epoch", "epoch}", "{epoch:x}", "{epoch:.2d}", "{epoch:>3}", "{{}"])(
    "%s is refused",
    async (filepath) => {
      await expectRefusal(() => modelCheckpoint({ filepath }), "E_CONFIG", /modelCheckpoint\.filepath/)
    },
  )
})

describe("modelCheckpoint", () => {
  /** Plays epochs; gives the files that it asks for, in order. */
  async function play(
    options: Omit<ModelCheckpointOptions, "filepath">,
    epochs: Logs[],
    filepath = "m{epoch}",
  ): Promise<string[]> {
    const saved: string[] = []
    const save = async (path: string): Promise<void> => void saved.push(path)
    const training = fakeTraining({ save, saveWeights: (path) => save(`weights of ${path}`) })
    await playEpochs(modelCheckpoint({ filepath, ...options }), training, epochs)
    return saved
  }
  const losses = (...values: number[]): Logs[] => values.map((valLoss) => ({ valLoss }))

  test.each<[string, Omit<ModelCheckpointOptions, "filepath">, Logs[], string[]]>([
    ["every epoch", {}, losses(1, 2, 3), ["m1", "m2", "m3"]],
    ["every second epoch", { saveFreq: { epochs: 2 } }, losses(1, 2, 3, 4, 5), ["m2", "m4"]],
    ["weights only", { saveWeightsOnly: true }, losses(1), ["weights of m1"]],
    ["the best", { saveBestOnly: true }, losses(3, 4, 2, 2, 1), ["m1", "m3", "m5"]],
    [
      "the best of accuracies",
      { saveBestOnly: true, monitor: "val_accuracy" },
      [{ valAccuracy: 0.5 }, { valAccuracy: 0.4 }, { valAccuracy: 0.6 }],
      ["m1", "m3"],
    ],
    ["mode", { saveBestOnly: true, mode: "max" }, losses(1, 2, 1), ["m1", "m2"]],
    ["a threshold", { saveBestOnly: true, initialValueThreshold: 2 }, losses(3, 2, 1), ["m3"]],
    ["NaN is never the best", { saveBestOnly: true }, losses(NaN, 1, NaN), ["m2"]],
    ["the best of every second epoch", { saveBestOnly: true, saveFreq: { epochs: 2 } }, losses(1, 3, 0, 4), ["m2"]],
  ])("%s", async (_, options, epochs, files) => {
    expect(await play(options, epochs)).toEqual(files)
  })

  test("the best is remembered over trainings", async () => {
    const saved: string[] = []
    const training = fakeTraining({ save: async (path) => void saved.push(path) })
    const callback = modelCheckpoint({ filepath: "{valLoss}", saveBestOnly: true })
    await playEpochs(callback, training, losses(2, 1))
    await playEpochs(callback, training, losses(1.5, 0.5))
    expect(saved).toEqual(["2", "1", "0.5"])
  })

  test.each(["reference", "wasm"] as const)("saves what the model was after the epoch: %s", async (backend) => {
    const model = smallNet({ backend })
    const seen: number[][][] = []
    const watch: Callback = { onEpochEnd: () => void seen.push(bitsOf(model)) }
    await model.fit(x, y, { ...quiet, callbacks: [modelCheckpoint({ filepath: at("m{epoch:02d}") }), watch] })
    expect(readdirSync(folder).sort()).toEqual(["m01", "m02", "m03"])
    for (const [i, bits] of seen.entries()) {
      const loaded = await loadModel(at(`m0${i + 1}`))
      expect(bitsOf(loaded)).toEqual(bits)
      expect((await loaded.fit(x, y, { ...quiet, epochs: 1 })).ended).toBe("completed")
    }
  })

  test("weights only: a tensor for each, and no architecture", async () => {
    const model = smallNet()
    await model.fit(x, y, { ...quiet, callbacks: [modelCheckpoint({ filepath: at("w"), saveWeightsOnly: true })] })
    const { tensors } = readSafetensors(readFileSync(at("w")), "w")
    expect([...tensors.keys()].sort()).toEqual(["dense/bias", "dense/kernel", "dense_1/bias", "dense_1/kernel"])
    expect(tensors.get("dense/kernel")).toEqual(model.getWeights()[0])
    await expect(loadModel(at("w"))).rejects.toThrow()
    const other = smallNet({ seed: 9 })
    await other.loadWeights(at("w"))
    expect(bitsOf(other)).toEqual(bitsOf(model))
  })

  test("weights of a file that do not fit change nothing", async () => {
    const model = sequential([dense({ units: 2, inputShape: [3] })])
    await model.saveWeights(at("w"))
    const before = bitsOf(smallNet())
    const other = smallNet()
    await expectRefusal(() => other.loadWeights(at("w")), "E_MODEL", /w: the tensor dense\/(kernel|bias) does not fit/)
    await expectRefusal(() => other.loadWeights(at("none")), "E_IO", /none/)
    writeFileSync(at("cut"), readFileSync(at("w")).subarray(0, 40))
    await expectRefusal(() => other.loadWeights(at("cut")), "E_MODEL", /cut/)
    expect(bitsOf(other)).toEqual(before)
  })

  test("every two rounds, counted over epochs; the numbers are those of the round", async () => {
    const seen: string[] = []
    const watch: Callback = { onBatchEnd: (_, logs) => void seen.push(String(logs.loss)) }
    const filepath = at("{epoch}-{batch}-{loss}")
    await smallNet().fit(x, y, { ...quiet, callbacks: [watch, modelCheckpoint({ filepath, saveFreq: 2 })] })
    expect(readdirSync(folder).sort()).toEqual(
      [`1-2-${seen[1]}`, `2-1-${seen[3]}`, `2-3-${seen[5]}`, `3-2-${seen[7]}`].sort(),
    )
  })

  test("a training that fails leaves the last whole file", async () => {
    const fail: Callback = {
      onEpochEnd: (epoch) => {
        if (epoch === 1) throw new Error("enough")
      },
    }
    const model = smallNet()
    const callbacks = [fail, modelCheckpoint({ filepath: at("m") })]
    await expect(model.fit(x, y, { ...quiet, callbacks })).rejects.toThrow("enough")
    const once = smallNet()
    await once.fit(x, y, { ...quiet, epochs: 1 })
    expect(bitsOf(await loadModel(at("m")))).toEqual(bitsOf(once))
    expect(readdirSync(folder)).toEqual(["m"])
    expect((await model.fit(x, y, quiet)).ended).toBe("completed")
  })

  test("verbose says what was saved", async () => {
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true)
    await play({ saveBestOnly: true, verbose: 1 }, losses(2, 3, 1))
    const lines = write.mock.calls.map(([text]) => text)
    write.mockRestore()
    expect(lines).toEqual([
      "Epoch 1: valLoss improved from Infinity to 2: saved m1\n",
      "Epoch 3: valLoss improved from 2 to 1: saved m3\n",
    ])
  })

  test.each<[string, object, RegExp]>([
    ["a monitor that nobody looks at", { monitor: "loss" }, /monitor.*saveBestOnly: true/],
    ["a mode", { mode: "min" }, /mode.*saveBestOnly: true/],
    ["a threshold", { initialValueThreshold: 1 }, /initialValueThreshold.*saveBestOnly: true/],
    ["saveFreq 0", { saveFreq: 0 }, /saveFreq/],
    ["saveFreq of other things", { saveFreq: { rounds: 2 } }, /saveFreq/],
    ["a misspelt option", { saveBestOnli: true }, /Did you mean "saveBestOnly"/],
  ])("%s is refused", async (_, options, message) => {
    await expectRefusal(() => modelCheckpoint(wrong({ filepath: "m", ...options })), "E_CONFIG", message)
  })

  test("names and folders that are not there", async () => {
    const saving = (filepath: string, more = {}): Promise<unknown> =>
      smallNet().fit(x, y, { ...quiet, callbacks: [modelCheckpoint({ filepath, ...more })] })
    await expectRefusal(() => saving(at("{lss}")), "E_CONFIG", /"lss".*epoch, loss, accuracy.*Did you mean "loss"/)
    await expectRefusal(
      () => saving(at("m"), { saveBestOnly: true }),
      "E_CONFIG",
      /modelCheckpoint.*no validation data/,
    )
    await expectRefusal(() => saving(at("none/m")), "E_IO", /create it first/)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe("csvLogger", () => {
  const play = (options: object, epochs: Logs[]): Promise<void> =>
    playEpochs(csvLogger({ filename: at("t.csv"), ...options }), fakeTraining(), epochs)

  test("a header, then a row for each epoch, columns by name", async () => {
    await play({}, [
      { loss: 0.5, accuracy: 1 },
      { loss: 1e-9, accuracy: NaN },
    ])
    expect(textAt("t.csv")).toBe("epoch,accuracy,loss\n0,1,0.5\n1,NaN,1e-9\n")
  })

  test("numbers have all their digits", async () => {
    const history = await smallNet().fit(x, y, {
      ...quiet,
      validationSplit: 0.25,
      callbacks: [csvLogger({ filename: at("t.csv"), separator: "\t" })],
    })
    const [header, ...rows] = textAt("t.csv")
      .trimEnd()
      .split("\n")
      .map((row) => row.split("\t"))
    expect(header).toEqual(["epoch", "accuracy", "loss", "valAccuracy", "valLoss"])
    header!.forEach((name, i) => {
      expect(rows.map((row) => Number(row[i]))).toEqual(name === "epoch" ? history.epoch : history.history[name])
    })
  })

  test("replaces by default, appends under the header if told", async () => {
    await play({}, [{ loss: 3 }])
    await play({}, [{ loss: 2 }])
    await play({ append: true }, [{ loss: 1 }])
    expect(textAt("t.csv")).toBe("epoch,loss\n0,2\n0,1\n")
    rmSync(at("t.csv"))
    await play({ append: true }, [{ loss: 1 }])
    expect(textAt("t.csv")).toBe("epoch,loss\n0,1\n")
  })

  test("a last line that was cut off stays a line of its own", async () => {
    writeFileSync(at("t.csv"), "epoch,loss\n0,0.")
    await play({ append: true }, [{ loss: 1 }])
    expect(textAt("t.csv")).toBe("epoch,loss\n0,0.\n0,1\n")
  })

  test("a number that comes later is a column of its own, one that is missing is NA", async () => {
    await play({}, [{ loss: 3 }, { loss: 2, valLoss: 5 }, { loss: 1 }])
    expect(textAt("t.csv")).toBe("epoch,loss,valLoss\n0,3,NA\n1,2,5\n2,1,NA\n")
  })

  test("rows are there as soon as their epoch has ended", async () => {
    const sizes: number[] = []
    const watch: Callback = {
      onEpochEnd: (epoch) => {
        sizes.push(textAt("t.csv").split("\n").length)
        if (epoch === 1) throw new Error("enough")
      },
    }
    const callbacks = [csvLogger({ filename: at("t.csv") }), watch]
    await expect(smallNet().fit(x, y, { ...quiet, callbacks })).rejects.toThrow("enough")
    expect(sizes).toEqual([3, 4])
  })

  test("what is no such table is not added to", async () => {
    writeFileSync(at("t.csv"), "name;age\nx;3\n")
    await expectRefusal(() => play({ append: true }, [{ loss: 1 }]), "E_DATA", /no table of epochs/)
    writeFileSync(at("t.csv"), "epoch;loss\n0;3\n")
    await expectRefusal(() => play({ append: true }, [{ loss: 1 }]), "E_DATA", /separator/)
    expect(textAt("t.csv")).toBe("epoch;loss\n0;3\n")
    mkdirSync(at("folder"))
    await expectRefusal(() => play({ filename: at("folder") }, []), "E_IO", /folder/)
    await expectRefusal(() => play({ filename: at("a/b.csv") }, []), "E_IO", /ENOENT/)
  })

  test("a name that would be two columns is refused", async () => {
    for (const name of ["a,b", 'a"b', "a\nb"]) {
      await expectRefusal(() => play({}, [{ [name]: 1 }]), "E_CONFIG", /another separator/)
    }
    expect(textAt("t.csv")).toBe("")
  })

  test.each(["", "ab", "1", "e", ".", "-", '"', "\n"])("the separator %j is refused", async (separator) => {
    await expectRefusal(() => csvLogger({ filename: "t", separator }), "E_CONFIG", /separator/)
  })
})

describe("jsonLinesLogger", () => {
  const lines = (): Record<string, unknown>[] =>
    textAt("t.jsonl")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))

  test("has what happened, in order", async () => {
    const history = await smallNet().fit(x, y, { ...quiet, callbacks: [jsonLinesLogger({ filename: at("t.jsonl") })] })
    const [begin, first, , last, end] = lines()
    expect(lines()).toHaveLength(5)
    expect(begin).toMatchObject({ type: "trainBegin", epochs: 3, initialEpoch: 0, rounds: 3, rows: 24, batchSize: 8 })
    expect(first).toMatchObject({
      type: "epochEnd",
      epoch: 0,
      learningRate: 0.1,
      logs: { loss: history.history.loss![0] },
    })
    expect(last).toMatchObject({ epoch: 2, logs: { accuracy: history.history.accuracy![2] } })
    expect(end).toMatchObject({ type: "trainEnd", reason: "completed" })
    expect(Number.isNaN(Date.parse(String(begin!.time)))).toBe(false)
  })

  test("appends, writes numbers that JSON lacks, and the end of a training that failed", async () => {
    writeFileSync(at("t.jsonl"), '{"cut')
    const callback = jsonLinesLogger({ filename: at("t.jsonl"), append: true })
    await callback.onEvent!(
      { type: "trainBegin", epochs: 1, initialEpoch: 0, rounds: Infinity, rows: Infinity, batchSize: 8 },
      fakeTraining(),
    )
    await callback.onEvent!({ type: "epochEnd", tables: {}, epoch: 0, logs: { loss: NaN }, seconds: 1 }, fakeTraining())
    const text = textAt("t.jsonl").split("\n")
    expect(text[0]).toBe('{"cut')
    expect(JSON.parse(text[1]!)).toMatchObject({ rounds: "Infinity" })
    expect(JSON.parse(text[2]!)).toMatchObject({ logs: { loss: "NaN" } })
    const fail: Callback = {
      onEpochEnd: () => {
        throw new Error("enough")
      },
    }
    const callbacks = [jsonLinesLogger({ filename: at("t.jsonl") }), fail]
    await expect(smallNet().fit(x, y, { ...quiet, callbacks })).rejects.toThrow("enough")
    expect(lines().map(({ type, reason }) => reason ?? type)).toEqual(["trainBegin", "epochEnd", "failed"])
  })
})

describe("tensorBoard", () => {
  const eventsOf = (part: string) => {
    const files = readdirSync(join(folder, part))
    expect(files).toHaveLength(1)
    expect(files[0]).toMatch(/^events\.out\.tfevents\.\d{10}\./)
    return readEvents(readFileSync(join(folder, part, files[0]!)))
  }

  test("the checksum is CRC-32C", () => {
    // RFC 3720, appendix B.4.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e)
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283)
  })

  test("has the numbers of every epoch, by Keras's names", async () => {
    const callbacks = [tensorBoard({ logDir: folder })]
    const { history } = await smallNet().fit(x, y, { ...quiet, validationSplit: 0.25, callbacks })
    const [version, ...train] = eventsOf("train")
    expect(version).toMatchObject({ version: "brain.Event:2", values: [] })
    expect(Math.abs(version!.time - Date.now() / 1000)).toBeLessThan(60)
    expect(train.map(({ step }) => step)).toEqual([0, 1, 2])
    for (const { step, values } of train) {
      expect(values).toEqual([
        { tag: "epoch_loss", simple: Math.fround(history.loss![step]!) },
        { tag: "epoch_accuracy", simple: Math.fround(history.accuracy![step]!) },
        { tag: "epoch_learning_rate", simple: Math.fround(0.1) },
      ])
    }
    const [, ...validation] = eventsOf("validation")
    expect(validation.map(({ values }) => values.map(({ tag }) => tag))).toEqual(
      Array(3).fill(["epoch_loss", "epoch_accuracy"]),
    )
    expect(validation.map(({ values }) => values[0]!.simple)).toEqual(history.valLoss!.map(Math.fround))
  })

  test("histograms hold the weights", async () => {
    const model = smallNet()
    await model.fit(x, y, { ...quiet, callbacks: [tensorBoard({ logDir: folder, histogramFreq: 2 })] })
    const found = eventsOf("train").map(({ values }) => values.filter(({ histogram }) => histogram !== undefined))
    expect(found.map((values) => values.length)).toEqual([0, 4, 0, 4])
    const weights = model.getWeights()
    const names = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]
    expect(found[3]!.map(({ tag }) => tag)).toEqual(names.map((name) => `${name}/histogram`))
    for (const [i, { histogram }] of found[3]!.entries()) {
      const data = [...weights[i]!.data]
      const h = histogram!
      expect([h.min, h.max, h.count]).toEqual([Math.min(...data), Math.max(...data), data.length])
      expect(h.sum).toBeCloseTo(
        data.reduce((a, b) => a + b, 0),
        10,
      )
      expect(h.sumSquares).toBeCloseTo(
        data.reduce((a, b) => a + b * b, 0),
        10,
      )
      expect(h.limits).toHaveLength(h.counts.length)
      h.limits.forEach((limit, k) => {
        expect(h.counts.slice(0, k + 1).reduce((a, b) => a + b, 0)).toBe(data.filter((v) => v <= limit).length)
      })
    }
    expect(existsSync(at("validation"))).toBe(false)
  })

  test.each([
    ["batch", [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    [4, [3, 7]],
  ] as const)("updateFreq %s", async (updateFreq, steps) => {
    const losses: number[] = []
    const watch: Callback = { onBatchEnd: (_, logs) => void losses.push(Math.fround(logs.loss!)) }
    await smallNet().fit(x, y, { ...quiet, callbacks: [tensorBoard({ logDir: folder, updateFreq }), watch] })
    const batches = eventsOf("train").filter(({ values }) => values[0]?.tag === "batch_loss")
    expect(batches.map(({ step }) => step)).toEqual(steps)
    expect(batches.map(({ values }) => values[0]!.simple)).toEqual(steps.map((step) => losses[step]))
  })

  test("another training has another file", async () => {
    const board = tensorBoard({ logDir: at("deep/er") })
    await smallNet().fit(x, y, { ...quiet, callbacks: [board] })
    await smallNet().fit(x, y, { ...quiet, callbacks: [board] })
    expect(readdirSync(at("deep/er/train"))).toHaveLength(2)
  })

  test("options and folders that cannot be", async () => {
    await expectRefusal(() => tensorBoard({ updateFreq: 0 }), "E_CONFIG", /updateFreq/)
    await expectRefusal(() => tensorBoard(wrong({ writeGraph: true })), "E_CONFIG", /writeGraph/)
    writeFileSync(at("file"), "")
    const callbacks = [tensorBoard({ logDir: at("file") })]
    await expectRefusal(() => smallNet().fit(x, y, { ...quiet, callbacks }), "E_IO", /cannot make the folder/)
  })
})

test.each<[string, () => Callback]>([
  ["csvLogger", () => csvLogger({ filename: "t" })],
  ["jsonLinesLogger", () => jsonLinesLogger({ filename: "t" })],
  ["tensorBoard", () => tensorBoard()],
  ["modelCheckpoint", () => modelCheckpoint({ filepath: "t" })],
])("%s says that there are no files where there is no Node", async (_, make) => {
  vi.resetModules()
  const { getBuiltinModule } = process
  const model = smallNet()
  await model.fit(x, y, { ...quiet, epochs: 1 })
  Object.assign(process, { getBuiltinModule: undefined })
  try {
    const writing = (): Promise<unknown> => model.fit(x, y, { ...quiet, callbacks: [make()] })
    await expect(writing()).rejects.toMatchObject({ code: "E_IO", message: expect.stringMatching(/only in Node/) })
  } finally {
    Object.assign(process, { getBuiltinModule })
    vi.resetModules()
  }
  expect((await model.fit(x, y, quiet)).ended).toBe("completed")
})
