// brain.js as its users call it. It knows one activation for all layers (sigmoid here), the squared error, one row at a
// time and no shuffling: less work than the others do for a batch of rows, and another cost.

import { asFloats, readArguments, readRows, say, turn, versionOf } from "./common.ts"

interface Brain {
  NeuralNetwork: new (
    options: object,
  ) => { train(data: readonly object[], options: object): unknown; run(x: number[]): number[] }
}

const { task, epochs } = readArguments()
const name: string = "brain.js"
const loaded = (await import(name)) as { default?: Brain } & Brain
const { NeuralNetwork } = loaded.default ?? loaded

const [inputs = 0, ...units] = task.sizes
const rows = readRows(task)
const values = asFloats(rows)
const data = Array.from(rows.y, (label, i) => ({
  input: Array.from(values.subarray(i * inputs, (i + 1) * inputs)),
  output: [label],
}))
const net = new NeuralNetwork({
  hiddenLayers: units.slice(0, -1),
  activation: "sigmoid",
  learningRate: task.learningRate,
})
say({ versions: { node: process.versions.node, "brain.js": versionOf(name) } })
let epoch = 0
turn()
let before = performance.now()
net.train(data, {
  iterations: epochs,
  errorThresh: 1e-9,
  log: false,
  callbackPeriod: 1,
  callback: ({ error }: { error: number }) => {
    const now = performance.now()
    say({ epoch: ++epoch, seconds: (now - before) / 1000, loss: error })
    turn()
    before = performance.now()
  },
})
