// Small models, small data and what tests of training ask of them. Knows the public library alone.
import { expect } from "vitest"
import {
  dense,
  type ErrorCode,
  type Model,
  type ModelOptions,
  sequential,
  sgd,
  TrilobiteError,
} from "../../src/index.ts"
import { clusters, label } from "./golden.ts"

/** Data as tests hand it over: a typed array with a shape. */
export interface Data {
  readonly data: Float32Array
  readonly shape: number[]
}

/** Inputs and one-hot targets. */
export interface Rows {
  readonly x: Data
  readonly y: Data
}

/** Rows of four numbers in three classes. */
export function threeClasses(n: number, seed = 1): Rows {
  const y = new Float32Array(3 * n)
  for (let i = 0; i < n; i++) y[3 * i + label(i, 3)] = 1
  return { x: { data: clusters(seed, n, 4, 3), shape: [n, 4] }, y: { data: y, shape: [n, 3] } }
}

/** Some of the rows, in the given order. */
export function rowsOf({ data, shape }: Data, rows: Iterable<number>): Data {
  const width = data.length / shape[0]!
  const list = [...rows]
  const out = new Float32Array(list.length * width)
  list.forEach((row, i) => {
    out.set(data.subarray(row * width, (row + 1) * width), i * width)
  })
  return { data: out, shape: [list.length, ...shape.slice(1)] }
}

/** Whole numbers from `from` to below `to`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

/** 4-5tanh-3softmax, compiled for one-hot targets. */
export function smallNet(options: ModelOptions & { learningRate?: number; momentum?: number } = {}): Model {
  const { learningRate = 0.1, momentum = 0, ...others } = options
  const layers = [
    dense({ units: 5, activation: "tanh", inputShape: [4] }),
    dense({ units: 3, activation: "softmax", biasInitializer: "randomNormal" }),
  ]
  const model = sequential(layers, { seed: 3, threads: 2, ...others })
  model.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ learningRate, momentum }), metrics: ["accuracy"] })
  return model
}

/** All weights as bits. */
export function bitsOf(model: Model): number[][] {
  return model.getWeights().map(({ data }) => [...new Uint32Array((data as Float32Array).slice().buffer)])
}

/** What an action throws or rejects with; the test fails if that is nothing, or no TrilobiteError. */
export async function refusal(action: () => unknown): Promise<TrilobiteError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof TrilobiteError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

/** Asserts that an action is refused with this code and a message that fits. */
export async function expectRefusal(action: () => unknown, code: ErrorCode, message: RegExp): Promise<void> {
  const error = await refusal(action)
  expect(error.code, error.message).toBe(code)
  expect(error.message).toMatch(message)
  expect(error.where ?? error.layer, error.message).toBeTruthy()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may reach a terminal
  expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
}

/** Options that the type checker would refuse. */
export function wrong(options: unknown): never {
  return options as never
}
