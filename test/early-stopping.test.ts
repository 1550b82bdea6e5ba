// Early stopping against Keras's logic: sequences written by hand, each with the epoch at which Keras 3 stops.
import { describe, expect, test } from "vitest"
import {
  type Callback,
  dense,
  type EarlyStoppingOptions,
  earlyStopping,
  type Logs,
  sequential,
  sgd,
  type Tensor,
} from "../src/index.ts"
import { fakeTraining } from "./support/callbacks.ts"
import { bitsOf, expectRefusal, smallNet, threeClasses, wrong } from "./support/training.ts"

interface Outcome {
  /** The epoch after which it asked to stop. */
  readonly stopped: number | undefined
  /** The epoch whose weights it put back at the end. */
  readonly restored: number | undefined
}

/** Plays the logs of epochs to a callback, whose model has the epoch as its only weight. */
async function play(callback: Callback, epochs: readonly Logs[], to = epochs.length): Promise<Outcome> {
  let weight = -1
  let stopped: number | undefined
  let restored: number | undefined
  let stopping = false
  const training = fakeTraining({
    epochs: epochs.length,
    stop: () => {
      stopping = true
    },
    getWeights: () => [{ dtype: "float32", shape: [1], data: Float32Array.of(weight) }],
    setWeights: ([tensor]: readonly Tensor[]) => {
      restored = tensor!.data[0]
    },
  })
  await callback.onTrainBegin?.({}, training)
  for (let epoch = 0; epoch < to && !stopping; epoch++) {
    await callback.onEpochBegin?.(epoch, {}, training)
    weight = epoch
    await callback.onEpochEnd?.(epoch, epochs[epoch]!, training)
    if (stopping) stopped = epoch
  }
  await callback.onTrainEnd?.(epochs[Math.max(0, to - 1)] ?? {}, training)
  return { stopped, restored }
}

const losses = (...values: number[]): Logs[] => values.map((valLoss) => ({ loss: 9, valLoss }))
const accuracies = (...values: number[]): Logs[] => values.map((valAccuracy) => ({ loss: 9, valAccuracy }))

describe("Keras's logic", () => {
  test.each<[string, EarlyStoppingOptions, Logs[], number | undefined]>([
    ["patience 0 stops at the first epoch that is no better", {}, losses(3, 2, 1, 1, 0), 3],
    ["equal is no improvement", {}, losses(1, 1, 0), 1],
    ["the first epoch never stops it, even with a NaN", {}, losses(Number.NaN, Number.NaN, 0), 1],
    ["better every time: never", {}, losses(4, 3, 2, 1), undefined],
    ["patience 1: the second epoch in a row", { patience: 1 }, losses(3, 4, 5, 6), 1],
    ["patience 2", { patience: 2 }, losses(3, 4, 5, 6), 2],
    ["patience 2, an improvement between begins again", { patience: 2 }, losses(3, 4, 2, 3, 3, 3), 4],
    ["better than the last but not than the best", { patience: 2 }, losses(1, 5, 4, 3), 2],
    ["patience as large as the run", { patience: 4 }, losses(1, 2, 3, 4), undefined],
    ["minDelta: exactly so much is not enough", { minDelta: 0.5 }, losses(3, 2.5, 0), 1],
    ["minDelta: more than so much is", { minDelta: 0.5 }, losses(3, 2.25, 2), 2],
    [
      "minDelta: small steps do not move the best",
      { minDelta: 0.5, patience: 3 },
      losses(3, 2.75, 2.5, 2.25, 2),
      undefined,
    ],
    ["minDelta with more is better", { monitor: "valAccuracy", minDelta: 0.25 }, accuracies(0.25, 0.75, 1), 2],
    ["auto: accuracy goes up", { monitor: "valAccuracy" }, accuracies(0.1, 0.2, 0.3, 0.2, 0.9), 3],
    ["auto: snake_case", { monitor: "val_accuracy" }, accuracies(0.1, 0.2, 0.1, 0.9), 2],
    ["auto: loss goes down", { monitor: "loss" }, [{ loss: 3 }, { loss: 2 }, { loss: 4 }], 2],
    ["max on a loss", { mode: "max" }, losses(1, 2, 3, 2), 3],
    ["min on an accuracy", { monitor: "valAccuracy", mode: "min" }, accuracies(0.3, 0.2, 0.1, 0.4), 3],
    [
      "a baseline that is never beaten: an improvement does not begin again",
      { baseline: 1, patience: 2 },
      losses(5, 4, 6, 2),
      2,
    ],
    [
      "a baseline that is never beaten: an improvement does not stop",
      { baseline: 1, patience: 2 },
      losses(5, 4, 3, 2),
      undefined,
    ],
    ["a baseline that is beaten in time", { baseline: 3, patience: 2 }, losses(5, 2.5, 2, 2, 2), 4],
    ["a baseline beaten once and not again", { baseline: 3, patience: 3 }, losses(2, 4, 4, 4, 4), 3],
    [
      "a baseline for an accuracy",
      { monitor: "valAccuracy", baseline: 0.5, patience: 2 },
      accuracies(0.1, 0.2, 0.1, 0.9),
      2,
    ],
    ["startFromEpoch", { startFromEpoch: 3 }, losses(1, 2, 3, 4, 5), 4],
    ["startFromEpoch: what was better before does not count", { startFromEpoch: 2 }, losses(0, 0, 5, 4, 4), 4],
    ["infinite losses", { patience: 1 }, losses(Infinity, Infinity, 1), 1],
  ])("%s", async (_, options, epochs, stopped) => {
    expect((await play(earlyStopping(options), epochs)).stopped).toBe(stopped)
  })

  test("a callback that is used again begins again", async () => {
    const callback = earlyStopping({ patience: 1, restoreBestWeights: true })
    expect(await play(callback, losses(1, 2))).toEqual({ stopped: 1, restored: 0 })
    expect(await play(callback, losses(7, 6, 5))).toEqual({ stopped: undefined, restored: 2 })
  })
})

describe("restoreBestWeights", () => {
  test.each<[string, EarlyStoppingOptions, Logs[], Outcome]>([
    ["after it has stopped", { patience: 2 }, losses(3, 1, 2, 2), { stopped: 3, restored: 1 }],
    ["when all epochs are done", { patience: 9 }, losses(3, 1, 2, 2), { stopped: undefined, restored: 1 }],
    ["the last epoch is the best", { patience: 9 }, losses(3, 2, 1), { stopped: undefined, restored: 2 }],
    [
      "nothing is better than NaN: the first",
      { patience: 1 },
      losses(Number.NaN, Number.NaN),
      { stopped: 1, restored: 0 },
    ],
    ["a best that misses the baseline", { patience: 2, baseline: 0.5 }, losses(3, 1, 2), { stopped: 2, restored: 1 }],
    [
      "less than minDelta better is not best",
      { patience: 2, minDelta: 1 },
      losses(3, 2.5, 2.4),
      { stopped: 2, restored: 0 },
    ],
    ["not before startFromEpoch", { startFromEpoch: 1 }, losses(1, 3, 4), { stopped: 2, restored: 1 }],
    ["no epoch was watched", { startFromEpoch: 9 }, losses(1, 3), { stopped: undefined, restored: undefined }],
  ])("%s", async (_, options, epochs, outcome) => {
    expect(await play(earlyStopping({ ...options, restoreBestWeights: true }), epochs)).toEqual(outcome)
  })

  test("off by default", async () => {
    expect(await play(earlyStopping(), losses(1, 2))).toEqual({ stopped: 1, restored: undefined })
  })

  const { x, y } = threeClasses(60)
  const other = threeClasses(30, 9)
  /** Trains so fast that the validation loss goes up and down; gives the weights and losses of every epoch. */
  async function run(
    callbacks: Callback[],
    signal?: AbortSignal,
  ): Promise<{ ended: unknown; epochs: number[][][]; losses: number[]; last: number[][] }> {
    const model = smallNet({ learningRate: 3 })
    const epochs: number[][][] = []
    const watch: Callback = { onEpochEnd: () => void epochs.push(bitsOf(model)) }
    const validationData = [other.x, other.y] as const
    const options = { epochs: 12, batchSize: 8, verbose: 0, validationData, callbacks: [watch, ...callbacks] } as const
    const { ended, history } = await model.fit(x, y, signal === undefined ? options : { ...options, signal })
    return { ended, epochs, losses: history.valLoss!, last: bitsOf(model) }
  }
  const best = (values: readonly number[]): number => values.indexOf(Math.min(...values))

  test.each(["completed", "stopped", "aborted"])("in a training that is %s", async (reason) => {
    const abort = new AbortController()
    const end: Callback = {
      onEpochEnd: (epoch, _, training) => {
        if (epoch === 8 && reason === "stopped") training.stop()
        if (epoch === 8 && reason === "aborted") abort.abort()
      },
    }
    const { ended, epochs, losses, last } = await run(
      [earlyStopping({ patience: 99, restoreBestWeights: true }), end],
      abort.signal,
    )
    expect(ended).toBe(reason)
    expect(epochs).toHaveLength(reason === "completed" ? 12 : 9)
    expect(best(losses), "the last epoch is not the best one").toBeLessThan(losses.length - 1)
    expect(last).toEqual(epochs[best(losses)])
  })

  test("it stops a training at the epoch that the logs say", async () => {
    const all = await run([])
    const { ended, epochs, losses, last } = await run([earlyStopping({ patience: 2, restoreBestWeights: true })])
    expect(losses).toEqual(all.losses.slice(0, losses.length))
    expect(ended).toBe("stopped")
    expect(losses.length - 1 - best(losses)).toBe(2)
    expect(last).toEqual(epochs[best(losses)])
  })
})

describe("bad input", () => {
  const { x, y } = threeClasses(12)
  const train = (monitor: string, options = {}): Promise<unknown> =>
    smallNet().fit(x, y, { verbose: 0, epochs: 2, callbacks: [earlyStopping({ monitor })], ...options })

  test.each<[string, object, RegExp]>([
    ["valLoss", {}, /no validation data.*validationSplit/],
    ["val_accuracy", {}, /no validation data/],
    ["lss", {}, /"lss".*one of loss, accuracy.*Did you mean "loss"\?/],
    ["acuracy", {}, /Did you mean "accuracy"\?/],
    ["valLos", { validationSplit: 0.5 }, /"valLos".*Did you mean "valLoss"\?/],
    ["constructor", {}, /"constructor"/],
  ])("a monitor that does not exist: %s", async (monitor, options, message) => {
    await expectRefusal(() => train(monitor, options), "E_CONFIG", message)
  })

  test.each<[object, RegExp]>([
    [{ monitr: "loss" }, /Did you mean "monitor"\?/],
    [{ patience: -1 }, /earlyStopping\.patience/],
    [{ patience: 1.5 }, /earlyStopping\.patience/],
    [{ minDelta: -1 }, /earlyStopping\.minDelta/],
    [{ minDelta: Number.NaN }, /earlyStopping\.minDelta/],
    [{ mode: "maximum" }, /one of auto, min, max/],
    [{ baseline: "1" }, /earlyStopping\.baseline/],
    [{ restoreBestWeights: 1 }, /true or false/],
    [{ startFromEpoch: -1 }, /earlyStopping\.startFromEpoch/],
    [{ monitor: 5 }, /earlyStopping\.monitor/],
  ])("%j", async (options, message) => {
    await expectRefusal(() => earlyStopping(wrong(options)), "E_CONFIG", message)
  })
})

test("the best weights are put back when an error ends the training", async () => {
  const model = sequential([dense({ units: 1, inputShape: [1] })], { seed: 3 })
  model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.01 }) })
  let best: readonly number[] = []
  let calls = 0
  const callbacks = [
    earlyStopping({ monitor: "loss", mode: "max", patience: 9, restoreBestWeights: true }),
    {
      onEpochEnd: (epoch: number) => {
        if (epoch === 0) best = model.getWeights().flatMap((t) => [...t.data])
        if (epoch === 3) throw new Error("enough")
      },
      onTrainEnd: () => {
        calls++
      },
    },
  ]
  const fit = model.fit([[1], [2], [3]], [[2], [4], [6]], { epochs: 9, verbose: 0, callbacks })
  await expect(fit).rejects.toThrow("enough")
  expect(model.getWeights().flatMap((t) => [...t.data])).toEqual(best)
  expect(calls).toBe(1)
  expect(model.history?.ended).toBe("failed")
})
