// A training that gives the same bits in Node and in a page. Its functions are sent to pages as text: they use nothing
// from outside themselves but what they are given.
import type * as Trilobite from "../../src/index.ts"

/** What a page and Node both do. */
export interface Experiment {
  readonly rounds: number
  readonly threads?: number
}

/** What it leaves. */
export interface Findings {
  /** SHA-256 of the weights after the rounds, of the predictions, and of the model's file. */
  readonly weights: string
  readonly predictions: string
  readonly file: string
  readonly reloaded: string
  readonly loss: number
}

/** Trains the intermediate net for so many rounds on data made by integer arithmetic. */
export async function experiment(trilobite: typeof Trilobite, { rounds, threads }: Experiment): Promise<Findings> {
  const batch = 128
  const rows = 50 * batch - 32
  const mix = (n: number): number => {
    n = Math.imul(n ^ (n >>> 16), 0x85ebca6b)
    n = Math.imul(n ^ (n >>> 13), 0xc2b2ae35)
    return (n ^ (n >>> 16)) >>> 0
  }
  const label = (row: number): number => mix(row) % 10
  const x = Float32Array.from({ length: rows * 784 }, (_, i) => {
    const [row, pixel] = [Math.floor(i / 784), i % 784]
    const inked = mix(label(row) * 784 + pixel + 77_777) % 5 === 0
    return mix(i + 1) % (inked ? 2 : 20) === 0 ? (mix(i + 5) % 256) / 256 : 0
  })
  const y = Float32Array.from({ length: rows * 10 }, (_, i) => (label(Math.floor(i / 10)) === i % 10 ? 1 : 0))
  const tensors = [
    { dtype: "float32", shape: [rows, 784], data: x },
    { dtype: "float32", shape: [rows, 10], data: y },
  ] as const
  const { dense, sequential, sgd, modelFromBytes } = trilobite
  const options = threads === undefined ? { seed: 5 } : { seed: 5, threads }
  const model = sequential(
    [
      dense({ units: 64, activation: "relu", inputShape: [784] }),
      dense({ units: 64, activation: "relu" }),
      dense({ units: 10, activation: "softmax" }),
    ],
    options,
  )
  model.compile({
    loss: "categoricalCrossentropy",
    optimizer: sgd({ learningRate: 0.1 }),
    metrics: ["accuracy"],
  })
  await model.fit(...tensors, { batchSize: batch, epochs: rounds / 50, verbose: 0 })
  const hash = async (arrays: readonly ArrayLike<number>[]): Promise<string> => {
    const bytes = arrays.flatMap((values) => {
      const view = new DataView(new ArrayBuffer(4 * values.length))
      for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true)
      return [...new Uint8Array(view.buffer)]
    })
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)))
    return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  }
  const { loss } = await model.evaluate(...tensors, { batchSize: batch })
  const predicted = await model.predict(tensors[0], { batchSize: 100 })
  const file = await model.toBytes()
  const copy = await modelFromBytes(file)
  const again = await copy.predict(tensors[0], { batchSize: 100 })
  return {
    weights: await hash(model.getWeights().map((w) => w.data as Float32Array)),
    predictions: await hash([predicted.data as Float32Array]),
    file: await hash([file]),
    reloaded: await hash([again.data as Float32Array]),
    loss: loss!,
  }
}
