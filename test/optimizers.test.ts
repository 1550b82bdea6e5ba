// Optimizers and schedules: ten steps by Keras's formulas, the same bits everywhere, and what their options do.
import { describe, expect, test } from "vitest"
import { compile } from "../src/compile/compile.ts"
import * as ops from "../src/graph/ops.ts"
import { runtime } from "../src/graph/ops.ts"
import {
  adam,
  cosineDecay,
  dense,
  exponentialDecay,
  learningRateAt,
  type Optimizer,
  type OptimizerLike,
  type Schedule,
  sequential,
  sgd,
} from "../src/index.ts"
import { optimizers, readOptimizer } from "../src/nn/optimizers.ts"
import { readSchedule, schedules, traceSchedule } from "../src/nn/schedules.ts"
import { averageKey, traceUpdates } from "../src/nn/update.ts"
import { expectWords } from "./support/errors.ts"
import { execute, MACHINES, type Machine, type Numbers, reference, reference64 } from "./support/execute.ts"
import { goldenOptimizers, goldenSchedules, type OptimizerCase } from "./support/golden.ts"
import { relative } from "./support/oracles.ts"

const SHAPES = [[3, 4], [4]] as const

/** The states of the parameters and of what the optimizer keeps, after each step. */
async function run(machine: Machine, optimizer: Optimizer, golden: OptimizerCase): Promise<Map<string, Numbers>[]> {
  const parameters = SHAPES.map((shape, i) => {
    const variable = { key: `p${i}`, shape }
    const gradient = ops.read({ key: `g${i}`, shape })
    return { variable, value: ops.read(variable), gradient, layer: `layer${i}`, name: ["kernel", "bias"][i]! }
  })
  const { updates, slots } = traceUpdates(optimizer, parameters)
  const program = compile({ train: { updates, logs: [], outputs: [] } }, { rows: 1 })
  let state = new Map<string, Numbers>()
  golden.weights.forEach((values, i) => void state.set(`p${i}`, Float64Array.from(values)))
  for (const { variable, initial } of slots) {
    state.set(variable.key, new Float64Array(variable.shape.reduce((a, b) => a * b, 1)).fill(initial))
  }
  const rate = typeof optimizer.learningRate === "number" ? optimizer.learningRate : 0
  const after: Map<string, Numbers>[] = []
  for (const [step, gradients] of golden.gradients.entries()) {
    const exact = {
      ...Object.fromEntries(state),
      g0: Float64Array.from(gradients[0]!),
      g1: Float64Array.from(gradients[1]!),
    }
    const rounded = Object.fromEntries(Object.entries(exact).map(([key, values]) => [key, Float32Array.from(values)]))
    const variables = machine === reference64 ? exact : rounded
    const setting = { rows: 1, inputs: {}, variables, runtime: { learningRate: Math.fround(rate), step } }
    const outcome = await execute(machine, program, setting)
    state = new Map([...state.keys()].map((key) => [key, outcome.get(key)!]))
    after.push(state)
  }
  return after
}

test("every optimizer and every schedule has a golden", () => {
  expect(new Set(goldenOptimizers().map(({ type }) => type))).toEqual(new Set(Object.keys(optimizers)))
  expect(new Set(goldenSchedules().map(({ type }) => type))).toEqual(new Set(Object.keys(schedules)))
})

describe("ten steps", () => {
  test.each(goldenOptimizers())("$name", async (golden) => {
    const optimizer = readOptimizer({ type: golden.type, ...golden.options })
    const [exact, rounded] = [await run(reference64, optimizer, golden), await run(reference, optimizer, golden)]
    golden.after.forEach((parameters, step) => {
      parameters.forEach((wanted, i) => {
        // Constants of the graph are float32.
        expect(relative(exact[step]!.get(`p${i}`)!, wanted), `p${i}, step ${step}, float64`).toBeLessThanOrEqual(1e-6)
        expect(relative(rounded[step]!.get(`p${i}`)!, wanted), `p${i}, step ${step}, float32`).toBeLessThanOrEqual(1e-5)
      })
    })
    golden.means.forEach((wanted, i) => {
      if (wanted === null) return
      expect(relative(exact.at(-1)!.get(averageKey(`p${i}`))!, wanted), `mean of p${i}`).toBeLessThanOrEqual(1e-6)
    })
    for (const machine of MACHINES) {
      const other = await run(machine, optimizer, golden)
      expect(other.at(-1), machine.name).toEqual(rounded.at(-1))
    }
  })
})

describe("schedules", () => {
  test.each(goldenSchedules())("$name", async ({ type, options, steps, rates }) => {
    const schedule = readSchedule({ type, ...options })
    const value = traceSchedule(schedule, runtime("step"))
    const updates = [{ variable: { key: "rate", shape: [] }, value }]
    const program = compile({ train: { updates, logs: [], outputs: [] } }, { rows: 1 })
    for (const [i, step] of steps.entries()) {
      const found = learningRateAt(schedule, step)
      const error = Math.abs(found - rates[i]!) / Math.max(Math.abs(rates[i]!), 1e-3)
      expect(error, `step ${step}: ${found}, not ${rates[i]}`).toBeLessThanOrEqual(4e-6)
      // The same function in the program and on the host.
      if (i % 5 > 0) continue
      for (const machine of [reference, MACHINES[0]!]) {
        const setting = { rows: 1, inputs: {}, variables: {}, runtime: { step } }
        expect((await execute(machine, program, setting)).get("rate")![0]).toBe(found)
      }
    }
  })

  test("steer a training without compiling it again", async () => {
    const x = [[1], [2], [3], [4]]
    const train = async (optimizer: OptimizerLike): Promise<number[]> => {
      const model = sequential([dense({ units: 1, inputShape: [1] })], { seed: 3 })
      model.compile({ loss: "mse", optimizer })
      await model.fit(x, [[2], [4], [6], [8]], { epochs: 3, batchSize: 2, verbose: 0, shuffle: false })
      return model.getWeights().flatMap(({ data }) => [...data])
    }
    const schedule = exponentialDecay({ initialLearningRate: 0.05, decaySteps: 2, decayRate: 0.5 })
    // By hand: a model whose rate is set before each round.
    const model = sequential([dense({ units: 1, inputShape: [1] })], { seed: 3 })
    model.compile({ loss: "mse", optimizer: sgd() })
    let step = 0
    const callbacks = [{ onBatchBegin: (_: number, __: object, t: { learningRate: number }) => void (t.learningRate = learningRateAt(schedule, step++)) }] // biome-ignore format: one expression
    await model.fit(x, [[2], [4], [6], [8]], { epochs: 3, batchSize: 2, verbose: 0, shuffle: false, callbacks })
    expect(await train(sgd({ learningRate: schedule }))).toEqual(model.getWeights().flatMap(({ data }) => [...data]))
    expect(await train(sgd({ learningRate: 0.05 }))).not.toEqual(await train(sgd({ learningRate: schedule })))
  })
})

describe("every optimizer learns", () => {
  test.each(Object.keys(optimizers) as Optimizer["type"][])("%s", async (type) => {
    const model = sequential([dense({ units: 8, activation: "tanh", inputShape: [2] }), dense({ units: 1 })], {
      seed: 1,
    })
    const learningRate =
      { adadelta: 5, sgd: 0.05, ftrl: 0.1, lion: 0.01, lamb: 0.02, adafactor: 0.1 }[type as string] ?? 0.01
    model.compile({ loss: "mse", optimizer: { type, learningRate } as OptimizerLike })
    const x = Array.from({ length: 64 }, (_, i) => [((i * 7) % 16) / 8 - 1, ((i * 5) % 64) / 32 - 1])
    const y = x.map(([a, b]) => [a! * 0.5 - b!])
    const { history } = await model.fit(x, y, { epochs: 30, batchSize: 16, verbose: 0 })
    expect(history.loss!.at(-1)!).toBeLessThan(0.5 * history.loss![0]!)
  })
})

describe("options", () => {
  test("are complete plain data, and names are found in any spelling", () => {
    expect(readOptimizer("SGD")).toEqual(sgd())
    expect(readOptimizer("adam_w").type).toBe("adamW")
    expect(readOptimizer("RMSprop").type).toBe("rmsprop")
    expect(readOptimizer(JSON.parse(JSON.stringify(adam({ learningRate: cosineDecay({ initialLearningRate: 1, decaySteps: 9 }) }))))).toEqual(adam({ learningRate: cosineDecay({ initialLearningRate: 1, decaySteps: 9 }) })) // biome-ignore format: one expression
  })

  test.each<[string, () => unknown, ...string[]]>([
    ["a misspelt optimizer", () => readOptimizer("adem"), '"adam"'],
    ["a misspelt option", () => adam({ beta_1: 0.5 } as never), '"beta_1"', '"beta1"'],
    ["a rate below 0", () => sgd({ learningRate: -1 }), "sgd.learningRate", "at least 0"],
    ["a rate that is a text", () => sgd({ learningRate: "0.1" as never }), "sgd.learningRate", "or a schedule"],
    ["momentum 1", () => sgd({ momentum: 1 }), "sgd.momentum", "below 1"],
    ["two limits", () => sgd({ clipNorm: 1, clipValue: 1 }), "sgd", "one way"],
    ["a limit of 0", () => sgd({ clipNorm: 0 }), "sgd.clipNorm", "above 0"],
    ["overwriting without means", () => sgd({ emaOverwriteFrequency: 3 }), "useEma"],
    ["a layer in two groups", () => sgd({ groups: [{ layers: ["a"] }, { layers: ["a"] }] }), "sgd.groups", '"a"'],
    ["a group without layers", () => sgd({ groups: [{} as never] }), "sgd.groups[0].layers", "must be given"],
    ["an unknown schedule", () => sgd({ learningRate: { type: "cosine" } as never }), "sgd.learningRate", "schedule"],
    ["a schedule without its steps", () => exponentialDecay({ initialLearningRate: 1 } as never), "decaySteps"],
    ["boundaries that do not rise", () => readSchedule({ type: "piecewiseConstantDecay", boundaries: [2, 1], values: [1, 2, 3] }), "boundaries"], // biome-ignore format: one row
    ["too few values", () => readSchedule({ type: "piecewiseConstantDecay", boundaries: [2], values: [1] }), "values", "2 values"], // biome-ignore format: one row
  ])("%s", (_, action, ...words) => {
    expectWords(action, "E_CONFIG", ...words)
  })

  test("a group of layers that do not exist", async () => {
    const model = sequential([dense({ units: 1, inputShape: [1], name: "only" })])
    model.compile({ loss: "mse", optimizer: sgd({ groups: [{ layers: ["onyl"], learningRate: 0.1 }] }) })
    await expect(model.fit([[1]], [[1]], { verbose: 0 })).rejects.toThrow(/"onyl".*"only"/)
  })

  test("a schedule is a function of the step alone", () => {
    const schedule: Schedule = cosineDecay({ initialLearningRate: 0.1, decaySteps: 1000 })
    const rates = Array.from({ length: 1001 }, (_, step) => learningRateAt(schedule, step))
    expect(rates.every((rate, i) => i === 0 || rate <= rates[i - 1]!)).toBe(true)
  })
})
