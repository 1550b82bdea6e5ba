// `epochs: "auto"`: how many epochs a training has when its validation cost says so, the weights that are left, and going on with it.
import { afterEach, describe, expect, test, vi } from "vitest"
import {
  adam,
  type Callback,
  dense,
  earlyStopping,
  type FitOptions,
  type Model,
  modelFromBytes,
  sequential,
  sgd,
} from "../src/index.ts"
import { codeOf } from "./support/errors.ts"

afterEach(() => void vi.restoreAllMocks())

/** Points in a square, and whether they lie in a circle, but for those that are said to be what they are not. */
function points(n: number, first: number, wrong: number) {
  const x = Array.from({ length: n }, (_, i) => [((first + i) * 0.754877666) % 1, ((first + i) * 0.569840291) % 1])
  const y = x.map(([a, b], i) => [
    Number((a! - 0.5) * (a! - 0.5) + (b! - 0.5) * (b! - 0.5) < 0.1) ^ Number(i % wrong === 0),
  ])
  return { x, y }
}

interface Case {
  readonly rows: number
  readonly wrong: number
  readonly rate: number
  readonly optimizer: typeof adam | typeof sgd
}

const overfits: Case = { rows: 40, wrong: 4, rate: 0.02, optimizer: adam }
const rests: Case = { rows: 200, wrong: 1000, rate: 0.05, optimizer: sgd }
const falls: Case = { rows: 60, wrong: 1000, rate: 0.01, optimizer: adam }

function build({ optimizer, rate }: Case): Model {
  const layers = [dense({ units: 16, activation: "relu", inputShape: [2] }), dense({ units: 1, activation: "sigmoid" })]
  const model = sequential(layers, { seed: 3, threads: 1 })
  model.compile({ loss: "binaryCrossentropy", optimizer: optimizer({ learningRate: rate }), metrics: ["accuracy"] })
  return model
}

async function run(of: Case, model: Model, options: FitOptions): Promise<Model> {
  const { x, y } = points(of.rows, 1, of.wrong)
  const other = points(100, 1000, 1000)
  await model.fit(x, y, { batchSize: 10, verbose: 0, validationData: [other.x, other.y], ...options })
  return model
}

const heard = (): Callback & { readonly texts: string[]; readonly values: unknown[] } => {
  const [texts, values]: [string[], unknown[]] = [[], []]
  return {
    texts,
    values,
    onDecision: ({ text, value }) => {
      texts.push(text)
      values.push(value)
    },
  }
}

/** All that a training comes to but its time: weights and what was measured. */
const outcome = (model: Model): object => ({
  weights: model.getWeights().map(({ data }) => [...data]),
  history: model.history!.history,
})

describe.each([
  ["overfitting", overfits, "stopped"],
  ["a cost that rests", rests, "completed"],
  ["a cost that falls for long", falls, undefined],
] as const)("%s", (_, of, ended) => {
  test("ends with the bits of as many epochs with early stopping", async () => {
    const callback = heard()
    const model = await run(of, build(of), { epochs: "auto", callbacks: [callback] })
    const { epoch, history } = model.history!
    if (ended !== undefined) expect(model.history!.ended).toBe(ended)
    const stop = earlyStopping({ patience: epoch.length, restoreBestWeights: true })
    const same = await run(of, build(of), { epochs: epoch.length, callbacks: [stop] })
    expect(outcome(model)).toEqual(outcome(same))
    // The weights are those of the best epoch.
    const other = points(100, 1000, 1000)
    const { loss } = await model.evaluate(other.x, other.y)
    expect(loss).toBeCloseTo(Math.min(...history.valLoss!), 6)
    expect(callback.values.at(-1)).toBe(epoch.length)
  })

  test("goes on after an interruption, in the same model and from files, with the same bits and decisions", async () => {
    const callback = heard()
    const wanted = await run(of, build(of), { epochs: "auto", callbacks: [callback] })
    const rounds = wanted.history!.epoch.length * Math.ceil(of.rows / 10)
    for (const at of [3, rounds - 1]) {
      const controller = new AbortController()
      let done = 0
      const count: Callback = { onBatchEnd: () => (++done === at ? controller.abort() : undefined) }
      const again = heard()
      const model = await run(of, build(of), { epochs: "auto", callbacks: [again, count], signal: controller.signal })
      expect(model.history!.ended).toBe("aborted")
      const read = await modelFromBytes(await model.toBytes(), "model", { threads: 1 })
      for (const each of [model, read]) {
        const rest = heard()
        await run(of, each, { epochs: "auto", callbacks: [rest], resume: true })
        expect(outcome(each)).toEqual(outcome(wanted))
        expect([...again.texts, ...rest.texts]).toEqual(callback.texts)
      }
    }
    // Files that are saved in the middle, also just as an epoch ends: of its end the later callbacks are told when it goes on.
    const files: Uint8Array[] = []
    const every = Math.ceil(wanted.history!.epoch.length / 4)
    const model = build(of)
    const save = {
      onEpochEnd: async (epoch: number) => void (epoch % every === 0 && files.push(await model.toBytes())),
    }
    await run(of, model, { epochs: "auto", callbacks: [save] })
    expect(files.length).toBeGreaterThanOrEqual(3)
    for (const bytes of files) {
      const read = await modelFromBytes(bytes, "model", { threads: 1 })
      await run(of, read, { epochs: "auto", resume: true })
      expect(outcome(read)).toEqual(outcome(wanted))
    }
  })
})

test("the three cases, each in a sentence with its numbers", async () => {
  const texts = async (of: Case): Promise<string[]> => {
    const callback = heard()
    await run(of, build(of), { epochs: "auto", callbacks: [callback] })
    return callback.texts
  }
  expect((await texts(overfits)).at(-1)).toMatch(
    /^Epochs \d+: validation cost was best in epoch \d+ \(0\.\d+\) and has crept up to 0\.\d+ in the \d+ epochs since: overfitting\.$/,
  )
  expect((await texts(rests)).at(-1)).toMatch(
    /^Epochs \d+: validation cost rests, the second half took .* % of the first off; best in epoch \d+ /,
  )
  expect((await texts(falls))[0]).toMatch(
    /^Epochs 16 to 32: validation cost still falls, by \d+(\.\d+)? % of the first in the second half, best in epoch 1\d \(0\.\d+\): train longer\.$/,
  )
})

test("it is printed unless somebody listens; the epochs are told as they stand", async () => {
  let text = ""
  vi.spyOn(process.stdout, "write").mockImplementation((part) => {
    text += part
    return true
  })
  const seen: number[] = []
  const watch: Callback = { onEpochBegin: (_, __, { epochs }) => void seen.push(epochs) }
  await run(falls, build(falls), { epochs: "auto", verbose: 2, callbacks: [watch] })
  vi.restoreAllMocks()
  expect(text).toContain("Epoch 16/16\n")
  expect(text).toMatch(/\nEpochs 16 to 32: .* train longer\.\nEpoch 17\/32\n/)
  expect(seen.slice(14, 18)).toEqual([16, 16, 32, 32])
})

test("the coach is told how many epochs there shall be", async () => {
  const seen: number[] = []
  const watch: Callback = { onEpochBegin: (_, __, { epochs }) => void seen.push(epochs) }
  const model = await run(falls, build(falls), { epochs: "auto", coach: true, callbacks: [watch] })
  const { training } = model.coach!.evidence
  expect(training.epochs).toBe(seen.at(-1))
  expect(training.earlyStopping).toBe(true)
})

test.each([
  [
    { epochs: "auto", validationData: undefined },
    /fit\.epochs: "auto" goes by the cost of validation rows.*validationSplit/,
  ],
  [{ epochs: "auto", validationFreq: 2 }, /fit\.epochs: "auto" needs validation after every epoch/],
  [{ epochs: "atuo" as "auto" }, /fit\.epochs.*a whole number of at least 0, or "auto"/],
  [{ epochs: 1.5 }, /fit\.epochs/],
] as const)("%j is refused", async (options, message) => {
  const found = await codeOf(() => run(falls, build(falls), options as FitOptions))
  expect([found.code, found.message.replace(/\s+/g, " ")]).toEqual(["E_CONFIG", expect.stringMatching(message)])
})

test.each([
  ["auto", 20, /fit\.epochs: the training that was interrupted had another.*Expected "auto", got a number/],
  [20, "auto", /fit\.epochs: the training that was interrupted had another.*Expected a number, got "auto"/],
] as const)("a training with %s epochs does not go on with %s", async (before, after, message) => {
  const controller = new AbortController()
  const abort: Callback = { onEpochEnd: () => controller.abort() }
  const model = await run(falls, build(falls), { epochs: before, callbacks: [abort], signal: controller.signal })
  const found = await codeOf(() => run(falls, model, { epochs: after, callbacks: [], resume: true }))
  expect([found.code, found.message.replace(/\s+/g, " ")]).toEqual(["E_CONFIG", expect.stringMatching(message)])
})
