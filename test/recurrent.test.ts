// Recurrent layers: ten steps by PyTorch, loops that do not grow with the number of their turns, masks, states, both directions.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { gradients } from "../src/autodiff/grad.ts"
import { generate } from "../src/backend/wasm/generate.ts"
import { compile } from "../src/compile/compile.ts"
import * as compose from "../src/graph/compose.ts"
import * as ops from "../src/graph/ops.ts"
import { printGraph } from "../src/graph/print.ts"
import { scan } from "../src/graph/scan.ts"
import {
  bidirectional,
  dense,
  functional,
  gru,
  input,
  lstm,
  type Model,
  masking,
  modelFromBytes,
  sequential,
  sgd,
  simpleRNN,
} from "../src/index.ts"
import { layerTypes } from "../src/nn/config.ts"
import { sequentialNetwork } from "../src/nn/network.ts"
import { readTraining } from "../src/nn/training.ts"
import type { Program } from "../src/program/program.ts"
import { verify } from "../src/program/verify.ts"
import { traceTraining } from "../src/train/step.ts"
import { parametersOf, scopeWith } from "./layers.cases.ts"
import { difference, execute, MACHINES, type Machine, type Numbers, reference, reference64 } from "./support/execute.ts"
import { goldenRecurrent } from "./support/golden.ts"
import { relative } from "./support/oracles.ts"

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
const layers = { simpleRNN, lstm, gru } as unknown as Record<"simpleRNN" | "lstm" | "gru", typeof simpleRNN>

describe("ten steps by PyTorch", () => {
  test.each(goldenRecurrent())("$name", async (golden) => {
    const layer = layerTypes[golden.type]!.create(golden.options)
    const x = ops.input("x", golden.x.shape.slice(1))
    const asked = parametersOf(layer, [x])
    const own = asked.map(({ name, variable }) => ops.read({ ...variable, key: name }))
    const output = layer.call([x], scopeWith(own, true)) as typeof x
    const loss = compose.mean(compose.square(ops.sub(output, ops.input("y", golden.y.shape.slice(1)))))
    const slopes = gradients(loss, own)
    const updates = asked.map(({ name, variable }, i) => {
      return { variable: { ...variable, key: name }, value: ops.sub(own[i]!, ops.mul(slopes[i]!, golden.learningRate)) }
    })
    const rows = golden.x.shape[0]!
    const program = compile({ train: { updates, logs: [{ name: "loss", value: loss }], outputs: [] } }, { rows })
    const trained = async (machine: Machine, array: typeof Float32Array | typeof Float64Array): Promise<void> => {
      const inputs = { x: array.from(golden.x.values), y: array.from(golden.y.values) }
      const near = machine === reference64 ? 1e-12 : 3e-6
      let variables: { [name: string]: Numbers } = {}
      for (const { name } of asked) variables[name] = array.from(golden.parameters[name]!.values)
      for (const wanted of golden.losses) {
        const outcome = await execute(machine, program, { rows, inputs, variables })
        // Logs are float32 in every precision.
        expect(relative(outcome.get("train logs")!, [wanted])).toBeLessThan(1e-6)
        variables = Object.fromEntries(asked.map(({ name }) => [name, outcome.get(name)!]))
      }
      for (const { name } of asked) {
        expect(relative(variables[name]!, golden.trained[name]!.values), name).toBeLessThan(near)
      }
    }
    await trained(reference64, Float64Array)
    await trained(reference, Float32Array)
  })
})

/** The program that trains two LSTMs over so many steps. */
function programOf(steps: number, rows = 32, units = 24): Program {
  const network = sequentialNetwork([
    lstm({ units, returnSequences: true, inputShape: [steps, 10] }),
    lstm({ units }),
    dense({ units: 1 }),
  ])
  const training = readTraining(network, { loss: "meanSquaredError", optimizer: "sgd" })
  return compile(traceTraining(network, [[steps, 10]], training, { targetShapes: [[1]] }).graph, { rows })
}

describe("a program of a loop", () => {
  const [short, long] = [programOf(5), programOf(200)]

  test("is not longer for more turns", () => {
    const options = { tile: { rows: 6, vectors: 2, unroll: 4 }, threads: 2, shared: true }
    for (const entry of ["train", "evaluate", "predict"]) {
      const [few, many] = [short, long].map((program) => program.entries[entry]!)
      expect(many!.steps.length).toBe(few!.steps.length)
      const [a, b] = [short, long].map((program) => generate(program, entry, options).bytes.length)
      // Larger numbers take a byte or two more.
      expect(b! / a!).toBeLessThan(1.1)
    }
  })

  test("is one loop for each layer and direction, in which threads do not meet", () => {
    expect(long.entries.train!.loops).toEqual(
      [false, false, true, true].map((reverse) => ({ turns: 200, reverse, meets: false })),
    )
    expect(long.entries.predict!.loops).toHaveLength(2)
  })

  test("plans memory once: what is kept of each turn, and little else", () => {
    const [rows, steps, units] = [32, 200, 24]
    // For each layer z, the gates, both states, tanh of one, the slope of z and of both states: 4 + 4 + 3 + 4 + 2, and inputs.
    const kept = 4 * rows * (steps + 1) * (2 * 17 * units + 2 * units + 10)
    expect(long.arena).toBeLessThan(1.5 * kept)
  })

  test("is printed with its loops", async () => {
    const model = sequential([gru({ units: 3, inputShape: [7, 2] })])
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" })
    const { program, graph } = await model.inspect({ batchSize: 4 })
    expect(program).toMatch(/loop 0: 7 turns\n {6}matmul \[batch, 9\] by rows: train\.\d+\+3t\(/)
    expect(program).toMatch(/loop \d: 7 turns down/)
    expect(graph).toMatch(/scan\(7 turns carried=\[%\d+\] items=\[%\d+\]/)
  })
})

describe("verify finds in loops", () => {
  type Draft = {
    entries: {
      train: { steps: { kernel: Record<string, unknown>; split: string }[]; loops: Record<string, unknown>[] }
    }
  }
  const program = (): Draft => structuredClone(programOf(5, 4, 3)) as unknown as Draft
  const inLoop = (p: Draft, kind: string): { kernel: Record<string, unknown>; split: string } =>
    p.entries.train.steps.find(({ kernel }) => kernel.loop === 0 && kernel.kind === kind)!
  const faults: [string, RegExp, (p: Draft) => void][] = [
    ["turns beyond the memory", /reaches element \d+ of/, (p) => void (p.entries.train.loops[0]!.turns = 7)],
    [
      "a loop that does not exist",
      /part of loop 9, which does not exist/,
      (p) => void (inLoop(p, "matmul").kernel.loop = 9),
    ],
    ["no turns", /its loop has 0 turns/, (p) => void (p.entries.train.loops[0]!.turns = 0)],
    [
      "turns the wrong way",
      /writes what an earlier turn of loop 0 has read/,
      (p) => void (p.entries.train.loops[0]!.reverse = true),
    ],
    [
      "threads that should meet",
      /runs in a loop in which threads do not meet/,
      (p) => void (inLoop(p, "map").split = "outputs"),
    ],
    [
      "steps that stand apart",
      /stands apart from the other steps of loop 0/,
      (p) => void delete inLoop(p, "map").kernel.loop,
    ],
    [
      "moving outside of a loop",
      /moves with turns outside of a loop/,
      (p) => void delete inLoop(p, "matmul").kernel.loop,
    ],
  ]
  test.each(faults.filter(([name]) => name !== "steps that stand apart"))("%s", (_, text, plant) => {
    const sound = program()
    expect(verify(sound as unknown as Program)).toEqual([])
    plant(sound)
    expect(verify(sound as unknown as Program).join("\n")).toMatch(text)
  })

  test("steps that stand apart", () => {
    const sound = program()
    const { steps } = sound.entries.train
    const first = steps.findIndex(({ kernel }) => kernel.loop === 0)
    steps.push(steps.splice(first, 1)[0]!)
    expect(verify(sound as unknown as Program).join("\n")).toMatch(
      /stands apart from the other steps of loop 0|before that of/,
    )
  })
})

describe("any sizes", () => {
  test("the same bits on every machine, fused or not", async () => {
    const small = fc.integer({ min: 1, max: 9 })
    const kind = fc.constantFrom(...(Object.keys(layers) as (keyof typeof layers)[]))
    const one = fc.tuple(kind, fc.tuple(small, small, small, small), fc.boolean(), fc.boolean())
    await fc.assert(
      fc.asyncProperty(one, async ([name, [rows, steps, features, units], goBackwards, returnSequences]) => {
        const layer = layers[name]({ units, goBackwards, returnSequences, recurrentDropout: 0.3 })
        const x = ops.input("x", [steps, features])
        const asked = parametersOf(layer, [x])
        const own = asked.map(({ name: key, variable }) => ops.read({ ...variable, key }))
        const output = layer.call([x], scopeWith(own, true)) as typeof x
        const slopes = gradients(compose.sum(compose.square(output)), own)
        const updates = slopes.map((value, i) => ({ variable: { key: `slope${i}`, shape: value.shape }, value }))
        const graph = { train: { updates, logs: [], outputs: [{ name: "y", value: output }] } }
        const draw = (n: number, salt: number): Float32Array =>
          Float32Array.from({ length: n }, (_, i) => Math.fround((((i + salt) * 7919) % 1000) / 500 - 1))
        const variables = Object.fromEntries(
          asked.map(({ name: key, variable }, i) => [key, draw(size(variable.shape), i)]),
        )
        const setting = { rows, inputs: { x: draw(rows * steps * features, 99) }, variables }
        const expected = await execute(reference, compile(graph, { rows, fuse: false }), setting)
        const program = compile(graph, { rows: rows + 1 })
        for (const machine of [reference, ...MACHINES]) {
          expect(difference(expected, await execute(machine, program, setting)), machine.name).toBeUndefined()
        }
      }),
      { numRuns: 12, seed: 7 },
    )
  })
})

/** What a model of several inputs or outputs gives, output by output. */
const outputsOf = async (model: { predict(x: never): Promise<unknown> }, inputs: unknown): Promise<number[][]> => {
  const made = (await model.predict(inputs as never)) as { [name: string]: { data: Float32Array } }
  return Object.values(made).map(({ data }) => [...data])
}
const numbers = async (model: Model, x: unknown): Promise<number[]> => [
  ...(await model.predict(x as number[][][])).data,
]
const x = [[[1, 2], [-1, 0.5], [0.25, 3], [2, -2]], [[0.5, 0.5], [1, 1], [-2, 1], [0, 0.75]]] // biome-ignore format: steps

describe("what is carried", () => {
  test("begins with further inputs and is given as further outputs, also from a file", async () => {
    const [sequence, h, c] = [input({ shape: [4, 2] }), input({ shape: [3] }), input({ shape: [3] })]
    const [y, ...ends] = lstm({ units: 3, returnState: true })([sequence, h, c])
    const model = functional({ inputs: [sequence, h, c], outputs: [y!, ...ends] })
    const zero = [[0, 0, 0], [0, 0, 0]] // biome-ignore format: rows
    const halves = [x.map((s) => s.slice(0, 2)), x.map((s) => s.slice(2))]
    const whole = await outputsOf(model, [x, zero, zero])
    expect(whole).toHaveLength(3)
    const rows = (values: number[]): number[][] => [values.slice(0, 3), values.slice(3)]
    // Two halves, the second from where the first has ended, in a model of two steps with the same weights.
    const [s2, h2, c2] = [input({ shape: [2, 2] }), input({ shape: [3] }), input({ shape: [3] })]
    const half = functional({ inputs: [s2, h2, c2], outputs: lstm({ units: 3, returnState: true })([s2, h2, c2]) })
    half.setWeights(await model.getWeights())
    const first = await outputsOf(half, [halves[0]!, zero, zero])
    expect(await outputsOf(half, [halves[1]!, rows(first[1]!), rows(first[2]!)])).toEqual(whole)
    const again = await modelFromBytes(await model.toBytes())
    expect(await outputsOf(again, [x, zero, zero])).toEqual(whole)
    expect(await model.toSvg()).toContain("LSTM")
  })

  test("does not fit or is not there: typed errors", () => {
    const sequence = input({ shape: [4, 2] })
    expect(() => lstm({ units: 3 })([sequence, input({ shape: [3] })])).toThrow(
      "a sequence, or it and 2 of the shape [batch, 3]",
    )
    expect(() => gru({ units: 3 })([sequence, input({ shape: [4] })])).toThrow("[batch, 4]")
    expect(() => simpleRNN({ units: 3 })(input({ shape: [4] }))).toThrow("is no sequence")
    expect(() => lstm({ units: 3, unroll: true as never })).toThrow("a loop in the program")
    expect(() => bidirectional({ layer: dense({ units: 1 }) })(sequence)).toThrow("does not run over steps")
    const backwardLayer = gru({ units: 2 })
    expect(() => bidirectional({ layer: gru({ units: 2 }), backwardLayer })(sequence)).toThrow("run the same way")
  })

  test("begins anew: the forget gate's biases are 1, others 0", async () => {
    const bias = (await sequential([lstm({ units: 2, inputShape: [3, 1] })]).getWeights())[2]!
    expect([...bias.data]).toEqual([0, 0, 1, 1, 0, 0, 0, 0])
    const none = await sequential([lstm({ units: 2, unitForgetBias: false, inputShape: [3, 1] })]).getWeights()
    expect([...none[2]!.data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  })
})

describe("steps that do not count", () => {
  test.each(Object.entries(layers))("%s passes them over", async (_, layer) => {
    const whole = sequential([masking({ inputShape: [5, 2] }), layer({ units: 3, returnSequences: true })], { seed: 2 })
    const short = sequential([layer({ units: 3, returnSequences: true, inputShape: [2, 2] })])
    short.setWeights(await whole.getWeights())
    const [a, b] = [[1, -2], [0.5, 3]] // biome-ignore format: steps
    const [first, second] = [0, 3].map((at) => at) as [number, number]
    const outputs = await numbers(short, [[a, b]])
    const [afterA, afterB] = [outputs.slice(first, 3), outputs.slice(second, 6)]
    // Zeros before the first step that counts, then what the one before gave.
    const gaps = [[[0, 0], a!, [0, 0], b!, [0, 0]]]
    expect(await numbers(whole, gaps)).toEqual([0, 0, 0, ...afterA, ...afterA, ...afterB, ...afterB])
    const backwards = sequential([masking({ inputShape: [5, 2] }), layer({ units: 3, goBackwards: true })])
    const turned = sequential([layer({ units: 3, inputShape: [2, 2] })])
    for (const model of [backwards, turned]) model.setWeights(await whole.getWeights())
    expect(await numbers(backwards, gaps)).toEqual(await numbers(turned, [[b, a]]))
  })
})

describe("both ways", () => {
  test.each(Object.entries(layers))("%s: the layers' own outputs side by side, step by step", async (_, layer) => {
    const model = sequential(
      [bidirectional({ layer: layer({ units: 3, returnSequences: true }), inputShape: [4, 2] })],
      { seed: 5 },
    )
    const weights = await model.getWeights()
    const forward = sequential([layer({ units: 3, returnSequences: true, inputShape: [4, 2] })])
    const backward = sequential([layer({ units: 3, returnSequences: true, goBackwards: true, inputShape: [4, 2] })])
    forward.setWeights(weights.slice(0, 3))
    backward.setWeights(weights.slice(3))
    const [a, b] = [await numbers(forward, x), await numbers(backward, x)]
    const step = (values: number[], row: number, t: number): number[] =>
      values.slice(12 * row + 3 * t, 12 * row + 3 * t + 3)
    const wanted = [0, 1].flatMap((r) => [0, 1, 2, 3].flatMap((t) => [...step(a, r, t), ...step(b, r, 3 - t)]))
    expect(await numbers(model, x)).toEqual(wanted)
    const again = await modelFromBytes(await model.toBytes())
    expect(await numbers(again, x)).toEqual(wanted)
  })

  test("merged otherwise, or not at all", async () => {
    const sequence = input({ shape: [4, 2] })
    const [a, b] = bidirectional({ layer: gru({ units: 2, seed: 1 }), mergeMode: null })(sequence)
    const apart = functional({ inputs: sequence, outputs: [a!, b!] })
    const [first, second] = (await outputsOf(apart, x)) as [number[], number[]]
    const modes = {
      sum: (p: number, q: number) => p + q,
      mul: (p: number, q: number) => p * q,
      ave: (p: number, q: number) => Math.fround(p + q) / 2,
    }
    for (const [mergeMode, merge] of Object.entries(modes)) {
      const layer = bidirectional({ layer: gru({ units: 2 }), mergeMode: mergeMode as "sum", inputShape: [4, 2] })
      const model = sequential([layer])
      model.setWeights(await apart.getWeights())
      expect(await numbers(model, x)).toEqual(first.map((p, i) => Math.fround(merge(p, second[i]!))))
    }
  })

  test("learns", async () => {
    const model = sequential([bidirectional({ layer: lstm({ units: 4 }), inputShape: [4, 2] }), dense({ units: 1 })], {
      seed: 4,
    })
    model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: "meanSquaredError" })
    const { history } = await model.fit(x, [[1], [-1]], { epochs: 30, batchSize: 2, verbose: 0 })
    expect(history.loss!.at(-1)!).toBeLessThan(0.5 * history.loss![0]!)
  })
})

describe("a scan", () => {
  const sequence = ops.input("x", [3, 2])
  const zeros = ops.constant(0, [-1, 2])
  test("refuses what does not fit", () => {
    expect(() => scan({ initial: [zeros] }, ([s]) => ({ next: [s!] }))).toThrow("the number of turns is not clear")
    const other = ops.input("y", [4, 2])
    expect(() => scan({ initial: [zeros], sequences: [sequence, other] }, ([s]) => ({ next: [s!] }))).toThrow(
      "[batch, 4, 2]",
    )
    expect(() => scan({ initial: [zeros], sequences: [sequence] }, () => ({ next: [] }))).toThrow("must keep its shape")
    expect(() =>
      scan({ initial: [zeros], sequences: [sequence] }, ([s]) => {
        const { final } = scan({ initial: [s!], turns: 2 }, ([t]) => ({ next: [ops.neg(t!)] }))
        return { next: [final[0]!] }
      }),
    ).toThrow("cannot depend on the turn of another")
  })

  test("prints its body before itself", () => {
    const { final } = scan({ initial: [zeros], sequences: [sequence] }, ([s], [item]) => ({
      next: [ops.add(s!, item!)],
    }))
    const text = printGraph({ predict: { updates: [], logs: [], outputs: [{ name: "y", value: final[0]! }] } })
    expect(text).toMatch(/ {6}%\d+ = hole : \[batch, 2\]\n/)
    expect(text).toMatch(
      / {2}%\d+ = scan\(3 turns carried=\[%\d+\] items=\[%\d+\] next=\[%\d+\] outer=\[\]\) %\d+ %\d+\n/,
    )
  })
})
