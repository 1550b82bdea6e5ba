// Ten rounds of every golden training against PyTorch: through the public library in float32 on both backends, and in
// float64 through the reference backend.
import { describe, expect, test } from "vitest"
import { referenceBackend } from "../src/backend/reference/reference.ts"
import { compile } from "../src/compile/compile.ts"
import { dense, type Model, type ModelOptions, sequential, sgd } from "../src/index.ts"
import type { Layer } from "../src/nn/layer.ts"
import { readLoss } from "../src/nn/losses.ts"
import { sequentialNetwork } from "../src/nn/network.ts"
import { traceTraining } from "../src/train/step.ts"
import { double } from "./support/float64.ts"
import {
  goldenTrainings,
  type Sample,
  type Training,
  trainingInputs,
  trainingTargets,
  trainingWeights,
} from "./support/golden.ts"

const FILES = ["train-intermediate", "train-tanh", "train-sigmoid"] as const
const trainings = FILES.flatMap((file) => goldenTrainings(file))
/** Those that the interpreter does in well under a second. */
const small = trainings.filter(({ inputs }) => inputs < 100)

/**
 * Float32 against float64, relative: torch's own float32 losses differ from its float64 losses by up to 2.4e-7 in these
 * files (a rounding is 6e-8, and ten rounds add a few of them up).
 */
const LOSS32 = 1e-6
/** Weights are of size 0.01 to 1 and each of ten updates rounds once: a few times 6e-8. */
const WEIGHT32 = 5e-7
/** Float64 against float64: both sum in other orders and have other exponentials, a few roundings of 1.1e-16 each. */
const LOSS64 = 1e-13
const WEIGHT64 = 1e-13

const layersOf = ({ inputs, layers }: Training): Layer[] =>
  layers.map((layer, i) => dense({ ...layer, ...(i === 0 ? { inputShape: [inputs] } : {}) }))

const shapesOf = ({ tensors }: Training): Map<string, readonly number[]> =>
  new Map(tensors.map(({ name, initial }) => [name, initial.shape]))

const relative = (a: number, b: number): number => Math.abs(a - b) / Math.abs(b)

/** The model of a training with its initial weights. */
function modelOf(training: Training, options: ModelOptions): Model {
  const model = sequential(layersOf(training), options)
  const { learningRate, momentum, nesterov } = training.optimizer
  model.compile({ loss: training.loss, optimizer: sgd({ learningRate, momentum, nesterov }) })
  const shapes = shapesOf(training)
  model.setWeights([...trainingWeights(training)].map(([name, data]) => ({ data, shape: shapes.get(name)! })))
  return model
}

function dataOf(training: Training): {
  x: { data: Float32Array; shape: number[] }
  y: { data: Float32Array; shape: number[] }
} {
  const [x, y] = [trainingInputs(training), trainingTargets(training)]
  return { x: { data: x, shape: [...training.x.shape] }, y: { data: y, shape: [...training.y.shape] } }
}

/** The largest difference from the sample, and that of the sums for the size of the tensor. */
function distance(weights: ArrayLike<number>, { stride, values, sum, sumOfSquares }: Sample): number {
  let worst = 0
  values.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(weights[i * stride]! - value))
  })
  const all = Array.from(weights)
  const total = all.reduce((a, b) => a + b, 0)
  const squares = all.reduce((a, b) => a + b * b, 0)
  // A sum of n numbers is off by about √n times what each is off by; squares by twice the norm.
  const bySum = Math.abs(total - sum) / Math.sqrt(all.length)
  const bySquares = Math.abs(squares - sumOfSquares) / (2 * Math.sqrt(sumOfSquares) + 1e-9)
  return Math.max(worst, bySum, bySquares)
}

async function check(training: Training, options: ModelOptions): Promise<void> {
  const model = modelOf(training, options)
  const { x, y } = dataOf(training)
  const losses: number[] = []
  await model.fit(x, y, {
    batchSize: training.batch,
    shuffle: false,
    verbose: 0,
    callbacks: [{ onBatchEnd: (_, logs) => void losses.push(logs.loss!) }],
  })
  expect(losses).toHaveLength(training.rounds)
  losses.forEach((loss, i) => {
    expect(relative(loss, training.losses64[i]!), `round ${i + 1}, float64`).toBeLessThan(LOSS32)
    expect(relative(loss, training.losses32[i]!), `round ${i + 1}, float32`).toBeLessThan(LOSS32)
  })
  const { loss } = await model.evaluate(x, y, { batchSize: training.batch })
  expect(relative(loss!, training.finalLoss64)).toBeLessThan(LOSS32)
  model.getWeights().forEach(({ data }, i) => {
    const { name, final64 } = training.tensors[i]!
    expect(distance(data, final64), name).toBeLessThan(WEIGHT32)
  })
}

describe("float32, WebAssembly", () => {
  test.each(trainings)("$name", (training) => check(training, { backend: "wasm", threads: 2 }))
})

describe("float32, reference", () => {
  test.each(small)("$name", (training) => check(training, { backend: "reference" }))
})

describe("float64, reference", () => {
  test.each(small)("$name", async (training) => {
    const network = sequentialNetwork(layersOf(training))
    const { momentum, nesterov, learningRate } = training.optimizer
    const optimizer = sgd({ learningRate, momentum: Math.fround(momentum), nesterov })
    const { x, y } = dataOf(training)
    const loss = readLoss(training.loss)
    const outputs = [{ loss, lossWeight: 1, metrics: [], weightedMetrics: [] }]
    const targetShapes = [y.shape.slice(1)]
    const traced = traceTraining(network, [[training.inputs]], { optimizer, outputs }, { targetShapes })
    const program = compile(traced.graph, { rows: training.batch })
    const executable = await referenceBackend(double).load(program)
    const exact = executable as typeof executable & { elements(name: string): Float64Array }
    const initial = [...trainingWeights(training).values()]
    traced.parameters.forEach(({ variable }, i) => {
      executable.write(variable.key, initial[i]!)
    })
    const tensorOf = ({ data, shape }: typeof x): { dtype: "float32"; shape: number[]; data: Float32Array } => ({
      dtype: "float32",
      shape,
      data,
    })
    const bound = executable.bind({
      count: x.shape[0]!,
      data: { x: tensorOf(x), y: tensorOf(y) },
    })
    for (let round = 0; round < training.rounds; round++) {
      const runtime = { learningRate: Math.fround(learningRate), step: round }
      await executable.run({ entry: "train", bound, batchSize: training.batch, first: round, count: 1, runtime })
      expect(relative(exact.elements("train.log")[0]!, training.losses64[round]!), `round ${round + 1}`).toBeLessThan(
        LOSS64,
      )
    }
    traced.parameters.forEach(({ variable }, i) => {
      const { pitch, shape } = program.buffers.find((b) => b.name === variable.key)!
      const width = shape[shape.length - 1]!
      const all = exact.elements(variable.key)
      const gapless = shape.length < 2 ? all : all.filter((_, at) => at % pitch < width)
      const { name, final64 } = training.tensors[i]!
      expect(gapless.length, name).toBe(initial[i]!.length)
      expect(distance(gapless, final64), name).toBeLessThan(WEIGHT64)
    })
  })
})

test("the comparison notices a weight that is off by 1e-6", () => {
  const training = small[0]!
  const { final64 } = training.tensors[0]!
  const exact = Float64Array.from(
    { length: final64.values.length * final64.stride },
    (_, i) => final64.values[Math.floor(i / final64.stride)]!,
  )
  const sample = {
    ...final64,
    sum: exact.reduce((a, b) => a + b, 0),
    sumOfSquares: exact.reduce((a, b) => a + b * b, 0),
  }
  expect(distance(exact, sample)).toBeLessThan(1e-15)
  exact[0]! += 1e-6
  expect(distance(exact, sample)).toBeGreaterThan(WEIGHT32)
})
