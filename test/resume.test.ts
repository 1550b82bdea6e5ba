// Going on with an interrupted training: the same bits as without the interruption, wherever it was interrupted.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { TrilobiteError } from "../src/core/errors.ts"
import {
  adam,
  batchNormalization,
  type Callback,
  type CompileOptions,
  checkpoints,
  dense,
  dropout,
  earlyStopping,
  exponentialDecay,
  type FitOptions,
  learningRateScheduler,
  loadModel,
  type Model,
  type ModelOptions,
  modelCheckpoint,
  modelFromBytes,
  reduceLROnPlateau,
  sequential,
  sgd,
} from "../src/index.ts"

const root = mkdtempSync(join(tmpdir(), "trilobite-resume-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folder = ""
beforeEach(() => {
  folder = join(mkdtempSync(join(root, "t-")), "checkpoints")
})
afterEach(() => void vi.restoreAllMocks())

const ROWS = 50
const x = Array.from({ length: ROWS }, (_, i) => [Math.sqrt(i) / 8, (i * 7) % 11, ((i * 5) % 13) / 13])
const y = x.map(([a, b, c]) => [(a! * 2 - b! / 11 + c! * c!) / 3])

interface Case {
  readonly compile: CompileOptions
  readonly fit?: FitOptions
  readonly callbacks?: () => readonly Callback[]
}

/** Trainings that keep all the things that can be lost. */
const cases: { readonly [name: string]: Case } = {
  "adam, dropout, batch normalization": { compile: { loss: "mse", optimizer: "adam", metrics: ["mae", "r2Score"] } },
  "momentum, a schedule, validation split": {
    compile: {
      loss: "mse",
      optimizer: sgd({
        learningRate: exponentialDecay({ initialLearningRate: 0.02, decaySteps: 5, decayRate: 0.9 }),
        momentum: 0.9,
      }),
    },
    fit: { validationSplit: 0.2, validationFreq: 2 },
  },
  "a rate that falls, early stopping with the best weights": {
    compile: { loss: "mse", optimizer: adam({ learningRate: 0.1 }) },
    fit: { validationSplit: 0.3 },
    callbacks: () => [
      reduceLROnPlateau({ patience: 1, factor: 0.5, minDelta: 0.05 }),
      earlyStopping({ patience: 3, restoreBestWeights: true }),
      learningRateScheduler({ schedule: (epoch, rate) => (epoch % 2 === 1 ? rate * 0.9 : rate) }),
    ],
  },
  "running means of the weights, one order, few rounds": {
    compile: { loss: "mse", optimizer: adam({ useEma: true, emaMomentum: 0.9 }) },
    fit: { shuffle: false, stepsPerEpoch: 5, trainMetrics: "epochEnd", sampleWeight: x.map(([a]) => a!) },
  },
}

const EPOCHS = 6
const BATCH = 8

function build({ compile }: Case, options: ModelOptions = {}): Model {
  const layers = [
    dense({ units: 8, activation: "relu", inputShape: [3] }),
    batchNormalization(),
    dropout({ rate: 0.3 }),
    dense({ units: 1 }),
  ]
  const model = sequential(layers, { seed: 5, threads: 1, ...options })
  model.compile(compile)
  return model
}

async function run(of: Case, model: Model, more: FitOptions = {}): Promise<Model> {
  const callbacks = [...(of.callbacks?.() ?? []), ...(more.callbacks ?? [])]
  await model.fit(x, y, { epochs: EPOCHS, batchSize: BATCH, verbose: 0, ...of.fit, ...more, callbacks })
  return model
}

/** All that a training comes to: the bytes of the model, and what was measured. */
async function outcome(model: Model): Promise<object> {
  const { seconds: _, ...history } = model.history!
  return { bytes: Buffer.from(await model.toBytes()).toString("base64"), history, tables: model.tables }
}

/** The error with which something fails. */
async function refusal(action: () => Promise<unknown>): Promise<TrilobiteError> {
  const failed = await action().then(
    () => undefined,
    (error: TrilobiteError) => error,
  )
  expect(failed).toBeDefined()
  return failed!
}

/** Aborts after so many rounds. */
function abortAfter(rounds: number): FitOptions {
  const controller = new AbortController()
  let done = 0
  const count: Callback = { onBatchEnd: () => (++done === rounds ? controller.abort() : undefined) }
  return { callbacks: [count], signal: controller.signal }
}

describe.each(Object.entries(cases))("%s", (_, of) => {
  test("an aborted training goes on in the same model, at every round", async () => {
    const wanted = await outcome(await run(of, build(of)))
    for (const rounds of [1, 2, 4, 5, 6, 7, 12, 13, 23]) {
      const model = await run(of, build(of), abortAfter(rounds))
      if (model.history!.ended === "aborted") await run(of, model, { resume: true })
      expect({ rounds, ...(await outcome(model)) }).toEqual({ rounds, ...wanted })
    }
  })

  test("through bytes, with other threads and another backend, and interrupted again", async () => {
    const wanted = await outcome(await run(of, build(of)))
    const first = await run(of, build(of), abortAfter(9))
    const second = await modelFromBytes(await first.toBytes(), "first", { backend: "reference", seed: 77 })
    expect(Buffer.from(await second.toBytes()).equals(await first.toBytes())).toBe(true)
    await run(of, second, { resume: true, ...abortAfter(8) })
    expect(second.history!.ended).toBe("aborted")
    const third = await modelFromBytes(await second.toBytes(), "second", { threads: 3 })
    await run(of, third, { resume: true })
    expect(await outcome(third)).toEqual(wanted)
  })

  test("from every checkpoint of a folder, and from files of modelCheckpoint among other callbacks", async () => {
    const wanted = await outcome(await run(of, build(of)))
    const filepath = join(root, `${Math.trunc(performance.now() * 1e6)}-{epoch}-{batch}.safetensors`)
    const saves = (where: string) => [
      checkpoints({ folder: where, saveFreq: 3, keep: 100 }),
      modelCheckpoint({ filepath, saveFreq: 4 }),
    ]
    const before: Callback[] = saves(folder)
    const kept = of.callbacks?.() ?? []
    // Those that save stand before those that keep something.
    const order = (where: string) => [...saves(where), ...(of.callbacks?.() ?? [])]
    const model = build(of)
    const options = { epochs: EPOCHS, batchSize: BATCH, verbose: 0, ...of.fit } as const
    await model.fit(x, y, { ...options, callbacks: [...before, ...kept] })
    expect(await outcome(model)).toEqual(wanted)
    const names = readdirSync(folder).map((name) => join(folder, name))
    expect(names.length).toBeGreaterThan(5)
    const others = readdirSync(root).filter((name) => /-\d+-\d+\.safetensors$/.test(name))
    for (const path of [...names, ...others.slice(-2).map((name) => join(root, name))]) {
      const again = build(of, { seed: 5, threads: 2 })
      await again.fit(x, y, { ...options, resume: path, callbacks: order(join(root, `again-${performance.now()}`)) })
      expect({ path, ...(await outcome(again)) }).toEqual({ path, ...wanted })
    }
    for (const name of others) rmSync(join(root, name))
  })
})

describe("checkpoints", () => {
  const of = cases["adam, dropout, batch normalization"]!

  test("three are kept and the best; a training that is over can be made longer", async () => {
    const model = build(of)
    const worse: Callback = { onEpochEnd: (epoch, _, training) => void (training.learningRate = epoch < 1 ? 0.001 : 1) }
    await run(of, model, { callbacks: [worse, checkpoints({ folder, saveFreq: 2 })] })
    const names = readdirSync(folder)
    const rounds = Math.ceil(ROWS / BATCH)
    const best = model.history!.history.loss!.reduce((b, v, i, all) => (v < all[b]! ? i : b), 0)
    const named = (step: number) => `checkpoint-${String(step).padStart(12, "0")}.safetensors`
    const steps = [6 * rounds, 6 * rounds - 2, 6 * rounds - 4, (best + 1) * rounds]
    expect(names.sort()).toEqual([...new Set(steps.map(named))].sort())

    const longer = build(of)
    await run(of, longer, { callbacks: [worse, checkpoints({ folder, saveFreq: 2 })], resume: folder, epochs: 9 })
    const whole = await run(of, build(of), { callbacks: [worse], epochs: 9 })
    expect(await outcome(longer)).toEqual(await outcome(whole))
  })

  test("a fresh training does not write among the checkpoints of another", async () => {
    await run(of, build(of), { callbacks: [checkpoints({ folder })], epochs: 1 })
    const error = await refusal(() => run(of, build(of), { callbacks: [checkpoints({ folder })] }))
    expect(error).toMatchObject({ code: "E_CONFIG", where: "checkpoints.folder" })
    expect(error.hint).toContain("resume")
  })

  test("damaged ones are refused and named, and the one before is used", async () => {
    const wanted = await outcome(await run(of, build(of)))
    await run(of, build(of), { callbacks: [checkpoints({ folder, saveFreq: 5 })] })
    const names = readdirSync(folder).sort()
    const newest = join(folder, names.at(-1)!)
    writeFileSync(newest, readFileSync(newest).subarray(0, -4))
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
    const model = await run(of, build(of), { resume: folder, callbacks: [checkpoints({ folder, saveFreq: 5 })] })
    expect(warn.mock.calls.join("\n")).toContain(newest)
    expect(warn.mock.calls.join("\n")).toContain(names.at(-2))
    expect(await outcome(model)).toEqual(wanted)

    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), "nothing")
    const error = await refusal(() => run(of, build(of), { resume: folder }))
    expect(error).toMatchObject({ code: "E_MODEL", where: folder })
  })

  test("every truncation and every flipped bit is refused", async () => {
    const tiny = sequential([dense({ units: 1, inputShape: [3] })])
    tiny.compile({ loss: "mse", optimizer: sgd({ momentum: 0.9 }) })
    await tiny.fit(x, y, { epochs: 2, verbose: 0, ...abortAfter(1) })
    const good = await tiny.toBytes()
    expect((await modelFromBytes(good)).history!.ended).toBe("aborted")
    const { readModel } = await import("../src/formats/read-model.ts")
    const refused = (bytes: Uint8Array): boolean => {
      try {
        readModel(bytes, "file", { custom: {}, compile: true })
        return false
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^E_(MODEL|CONFIG|DATA)$/) })
        return true
      }
    }
    const passed: string[] = []
    for (let n = 0; n < good.length; n++) if (!refused(good.subarray(0, n))) passed.push(`${n} bytes`)
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = good.slice()
      bad[bit >> 3]! ^= 1 << (bit & 7)
      if (!refused(bad)) passed.push(`bit ${bit}`)
    }
    expect(passed).toEqual([])
    expect(refused(good)).toBe(false)
  })
})

describe("what does not go on", () => {
  const of = cases["adam, dropout, batch normalization"]!
  const interrupted = async (): Promise<Model> => run(of, build(of), abortAfter(5))

  test.each([
    ["another size of batches", { batchSize: 9 }, "fit.batchSize"],
    ["another seed", { seed: 9 }, "fit.seed"],
    ["another order", { shuffle: false }, "fit.shuffle"],
    ["another division", { validationSplit: 0.5 }, "fit.validationSplit"],
    ["other callbacks", { callbacks: [earlyStopping({ monitor: "loss" })] }, "fit.callbacks"],
    ["another beginning", { initialEpoch: 3 }, "fit"],
  ] as const)("%s", async (_, options, where) => {
    const model = await interrupted()
    const before = await model.toBytes()
    const error = await refusal(() => run(of, model, { resume: true, ...options }))
    expect(error).toMatchObject({ code: "E_CONFIG", where })
    expect(Buffer.from(await model.toBytes()).equals(before)).toBe(true)
    await run(of, model, { resume: true })
    expect(model.history!.ended).toBe("completed")
  })

  test("other data, and a model that was trained to its end, was trained otherwise, or is another", async () => {
    const model = await interrupted()
    const data = await refusal(() => model.fit(x, [...y.slice(0, -1), [7]], { batchSize: BATCH, resume: true }))
    expect(data).toMatchObject({ code: "E_DATA", where: "fit.data" })
    const path = join(root, "one.safetensors")
    await model.save(path)
    const other = build({ compile: { loss: "mae", optimizer: "adam" } })
    expect(await refusal(() => run(of, other, { resume: path }))).toMatchObject({ code: "E_MODEL" })
    const wider = sequential([dense({ units: 1, inputShape: [3] })])
    wider.compile(of.compile)
    expect((await refusal(() => run(of, wider, { resume: path }))).message).toContain("network")
    await run(of, model, { resume: true })
    expect(await refusal(() => run(of, model, { resume: true }))).toMatchObject({
      code: "E_CONFIG",
      where: "fit.resume",
    })
    await model.save(path)
    expect((await refusal(() => run(of, model, { resume: path }))).message).toContain("training is over")
    const missing = await refusal(() => run(of, model, { resume: join(root, "missing") }))
    expect(missing).toMatchObject({ code: "E_IO" })
  })

  test("weights that were set, or trained by single batches, end what could go on", async () => {
    for (const change of [
      (model: Model) => model.setWeights(model.getWeights()),
      (model: Model) => model.trainOnBatch(x, y),
      (model: Model) => model.compile(of.compile),
    ]) {
      const model = await interrupted()
      await change(model)
      expect(await refusal(() => run(of, model, { resume: true }))).toMatchObject({ where: "fit.resume" })
    }
  })
})

describe("streams and sources", () => {
  const of = cases["adam, dropout, batch normalization"]!
  async function* rows() {
    for (let i = 0; ; i++) yield [[x[i % ROWS]!], [[y[i % ROWS]![0]! + i / 1000]]] as const
  }
  const finite = async function* () {
    for (let i = 0; i < ROWS; i++) yield [[x[i]!], [y[i]!]] as const
  }
  const source = {
    rows: ROWS,
    x: { dtype: "float32", shape: [3] },
    y: { dtype: "float32", shape: [1] },
    read: (wanted: Int32Array, into: { x: Uint8Array; y?: Uint8Array }) => {
      const write = (bytes: Uint8Array, values: number[]): void => {
        new Uint8Array(bytes.buffer, bytes.byteOffset).set(new Uint8Array(Float32Array.from(values).buffer))
      }
      write(
        into.x,
        [...wanted].flatMap((i) => x[i]!),
      )
      if (into.y)
        write(
          into.y,
          [...wanted].flatMap((i) => y[i]!),
        )
    },
  } as const
  test.each([
    ["a stream without end", rows, { stepsPerEpoch: 5, shuffleBuffer: 20 }],
    ["a stream that begins anew", finite, { shuffleBuffer: 20 }],
    ["a source", source, {}],
  ] as const)("%s goes on where it was", async (_, data, more) => {
    const trainOn = async (model: Model, options: FitOptions): Promise<Model> => {
      await model.fit(data, { epochs: 4, batchSize: BATCH, verbose: 0, ...more, ...options })
      return model
    }
    const wanted = await outcome(await trainOn(build(of), {}))
    for (const rounds of [1, 5, 6, 13, 17]) {
      const model = await trainOn(build(of), abortAfter(rounds))
      expect(model.history!.ended).toBe("aborted")
      const again = await modelFromBytes(await model.toBytes())
      expect({ rounds, ...(await outcome(await trainOn(again, { resume: true }))) }).toEqual({ rounds, ...wanted })
    }
  })
})

test("a model of a folder of checkpoints is the newest one", async () => {
  const of = cases["adam, dropout, batch normalization"]!
  const model = await run(of, build(of), { callbacks: [checkpoints({ folder })] })
  const loaded = await loadModel(folder)
  expect(loaded.getWeights()).toEqual(model.getWeights())
  expect(loaded.history!.epoch).toEqual(model.history!.epoch)
})
