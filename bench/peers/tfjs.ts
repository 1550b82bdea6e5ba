// TensorFlow.js as its users call it: `fit` of its layers API with shuffling, loss and accuracy; no yielding to the page.
// --variant cpu | wasm.

import { asFloats, asTargets, readArguments, readRows, say, turn } from "./common.ts"

interface Tensor {
  dispose(): void
  dataSync(): Float32Array
}
interface TfModel {
  compile(options: object): void
  fit(x: Tensor, y: Tensor, options: object): Promise<unknown>
  evaluate(x: Tensor, y: Tensor, options: object): Tensor[]
}
interface Tf {
  readonly version: { readonly tfjs: string }
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  getBackend(): string
  tensor2d(values: Float32Array, shape: [number, number]): Tensor
  sequential(options: object): TfModel
  readonly layers: { dense(options: object): unknown }
  readonly train: { sgd(rate: number): unknown }
}
interface Wasm {
  setThreadsCount(threads: number): void
  getThreadsCount(): number
}

const { task, threads, epochs, variant } = readArguments()
const names: readonly string[] = ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"]
const tf = (await import(names[0]!)) as Tf
if (variant === "wasm") {
  const wasm = (await import(names[1]!)) as Wasm
  wasm.setThreadsCount(threads)
}
await tf.setBackend(variant)
await tf.ready()

const [inputs = 0, ...units] = task.sizes
const outputs = units.at(-1)!
const model = tf.sequential({
  layers: units.map((n, i) =>
    tf.layers.dense({
      units: n,
      activation: i === units.length - 1 ? task.output : task.hidden,
      kernelInitializer: "glorotUniform",
      ...(i === 0 ? { inputShape: [inputs] } : {}),
    }),
  ),
})
model.compile({
  loss: task.output === "softmax" ? "categoricalCrossentropy" : "binaryCrossentropy",
  optimizer: tf.train.sgd(task.learningRate),
  metrics: ["accuracy"],
})

/** Rows as tensors. */
function examples(part: "train" | "test"): [Tensor, Tensor] {
  const read = readRows(task, part)
  return [tf.tensor2d(asFloats(read), [read.rows, inputs]), tf.tensor2d(asTargets(task, read), [read.rows, outputs])]
}

const [x, y] = examples("train")
say({ versions: { node: process.versions.node, tfjs: tf.version.tfjs }, backend: tf.getBackend() })
turn()
let before = performance.now()
await model.fit(x, y, {
  batchSize: task.batch,
  epochs,
  shuffle: true,
  yieldEvery: "never",
  verbose: 0,
  callbacks: {
    onEpochEnd: (epoch: number, logs: { loss: number; acc: number }) => {
      const now = performance.now()
      say({ epoch: epoch + 1, seconds: (now - before) / 1000, loss: logs.loss, accuracy: logs.acc })
      turn()
      before = performance.now()
    },
  },
})
if (task.validate) {
  const [testX, testY] = examples("test")
  say({ validationAccuracy: model.evaluate(testX, testY, { batchSize: task.batch })[1]!.dataSync()[0] })
}
