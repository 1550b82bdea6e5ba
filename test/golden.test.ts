// The golden files are whole, and the data and weights of their trainings come out of the formulas bit for bit.
import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import {
  type Fingerprint,
  goldenLosses,
  goldenOps,
  goldenTrainings,
  mix,
  type Training,
  trainingInputs,
  trainingTargets,
  trainingWeights,
  uniform,
} from "./support/golden.ts"

const FILES = ["train-intermediate", "train-tanh", "train-sigmoid"] as const
const trainings = FILES.flatMap((file) => goldenTrainings(file))
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** What Python recorded of an array, here of ours. */
function fingerprint(x: Float32Array, shape: readonly number[]): Fingerprint {
  const bytes = new DataView(new ArrayBuffer(4 * x.length))
  x.forEach((v, i) => {
    bytes.setFloat32(4 * i, v, true)
  })
  const sha256 = createHash("sha256").update(new Uint8Array(bytes.buffer)).digest("hex")
  return { shape, sha256, sum: x.reduce((sum, v) => sum + v, 0), first: [...x.slice(0, 5)] }
}

/** The loss of the first batch before training, in float64, by the plainest loops. */
function firstLoss(training: Training): number {
  const [x, y, weights] = [trainingInputs(training), trainingTargets(training), trainingWeights(training)]
  let total = 0
  for (let row = 0; row < training.batch; row++) {
    let a: ArrayLike<number> = x.subarray(row * training.inputs, (row + 1) * training.inputs)
    for (const [i, layer] of training.layers.entries()) {
      const [w, b, values] = [weights.get(`${i}/kernel`)!, weights.get(`${i}/bias`)!, a]
      const z = Array.from(b, (start, j) => {
        let sum = start
        for (let k = 0; k < values.length; k++) sum += values[k]! * w[k * layer.units + j]!
        return sum
      })
      a = activate(layer.activation, z)
    }
    total += rowLoss(training.loss, [...Array.from(a)], y.subarray(row * a.length, (row + 1) * a.length))
  }
  return total / training.batch
}

function activate(name: Training["layers"][number]["activation"], z: readonly number[]): number[] {
  const partition = z.reduce((sum, v) => sum + Math.exp(v), 0)
  const functions = {
    relu: (v: number) => Math.max(0, v),
    tanh: Math.tanh,
    sigmoid: (v: number) => 1 / (1 + Math.exp(-v)),
    softmax: (v: number) => Math.exp(v) / partition,
    linear: (v: number) => v,
  }
  return z.map((v) => functions[name](v))
}

function rowLoss(name: Training["loss"], p: readonly number[], y: Float32Array): number {
  const functions = {
    categoricalCrossentropy: (a: number, t: number) => -t * Math.log(a) * p.length,
    binaryCrossentropy: (a: number, t: number) => -t * Math.log(a) - (1 - t) * Math.log(1 - a),
    meanSquaredError: (a: number, t: number) => (a - t) * (a - t),
    meanAbsoluteError: (a: number, t: number) => Math.abs(a - t),
  }
  return p.reduce((sum, a, j) => sum + functions[name](a, y[j]!), 0) / p.length
}

describe("formulas", () => {
  test("mix gives the published hash of numbers", () => {
    expect([0, 1, 2, 0xffffffff].map(mix)).toEqual([0, 0x514e28b7, 0x30f4c306, 0x81f16f39])
    expect(uniform(0, 1)).toBe(0x514e28b7 / 2 ** 32)
  })

  describe.each(trainings)("$name", (training) => {
    test("inputs", () => {
      expect(fingerprint(trainingInputs(training), training.x.shape)).toEqual(training.x)
    })

    test("targets", () => {
      expect(fingerprint(trainingTargets(training), training.y.shape)).toEqual(training.y)
    })

    test("initial weights", () => {
      const weights = trainingWeights(training)
      expect([...weights.keys()]).toEqual(training.tensors.map(({ name }) => name))
      for (const { name, initial } of training.tensors) {
        expect(fingerprint(weights.get(name)!, initial.shape), name).toEqual(initial)
      }
    })

    test("the first loss, by plain loops", () => {
      expect(Math.abs(firstLoss(training) - training.losses64[0]!)).toBeLessThan(1e-12)
    })

    test("float32 stays close to float64, and the net learns", () => {
      training.losses64.forEach((loss, i) => {
        expect(Math.abs(loss - training.losses32[i]!)).toBeLessThan(1e-6)
      })
      expect(training.losses64).toHaveLength(training.rounds)
      expect(training.finalLoss64).toBeLessThan(training.losses64[0]!)
    })

    test("samples have their length", () => {
      for (const { name, initial, firstGradient, final64 } of training.tensors) {
        for (const { stride, values } of [firstGradient, final64]) {
          expect(values, name).toHaveLength(Math.ceil(size(initial.shape) / stride))
        }
      }
    })
  })
})

describe("losses.json", () => {
  test.each(goldenLosses())(
    "$loss of $name (logits: $fromLogits)",
    ({ predictions, targets, rows, mean, gradient }) => {
      expect(predictions.values).toHaveLength(size(predictions.shape))
      expect(targets.values).toHaveLength(size(targets.shape))
      expect(rows.values).toHaveLength(predictions.shape[0]!)
      const sum = rows.values.reduce((a, b) => a + b, 0)
      if (Number.isFinite(mean))
        expect(Math.abs(sum / rows.values.length - mean)).toBeLessThanOrEqual(1e-12 * Math.abs(mean))
      else expect(sum).toBe(mean)
      if (gradient !== undefined) expect(gradient.values).toHaveLength(size(predictions.shape))
    },
  )
})

describe("ops.json", () => {
  test("has every operation that it is for", () => {
    const unary = ["neg", "abs", "sqrt", "floor", "exp", "log", "tanh", "sigmoid", "relu", "softmax", "logSoftmax"]
    const others = ["add", "sub", "mul", "div", "max", "min", "less", "lessEqual", "equal", "where", "fold", "matmul"]
    const further = ["expm1", "log1p", "erf", "sin", "cos", "round"]
    const moves = ["transpose", "broadcastTo", "slice", "concat", "lookup", "scatterAdd"]
    expect(new Set(goldenOps().map(({ op }) => op))).toEqual(new Set([...unary, ...further, ...others, ...moves]))
  })

  test.each(goldenOps())("$name", ({ inputs, output, weights, gradients }) => {
    for (const { shape, values } of [...inputs, output, weights]) {
      expect(values).toHaveLength(size(shape))
      expect(values.every((v) => typeof v === "number")).toBe(true)
    }
    expect(weights.shape).toEqual(output.shape)
    for (const { values } of [...inputs, weights]) expect(values.map(Math.fround)).toEqual(values)
    expect(gradients.map((g, i) => g?.shape ?? inputs[i]!.shape)).toEqual(inputs.map(({ shape }) => shape))
  })
})
