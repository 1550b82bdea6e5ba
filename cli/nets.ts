// The two networks of the chapter as data: layers, cost, and how long and fast they learn. Knows no command.

import { dense, type Layer, type Model, type ModelOptions, sequential, sgd } from "../src/index.ts"

/** A network with the training that the chapter gives it. */
export interface Net {
  readonly title: string
  readonly layers: readonly Layer[]
  readonly loss: "categoricalCrossentropy" | "meanSquaredError"
  readonly learningRate: number
  readonly batchSize: number
  readonly epochs: number
}

/** The names of the networks. */
export type NetName = "intermediate-net" | "shallow-net"

/** The networks by name. */
export const nets: { readonly [name in NetName]: Net } = {
  "intermediate-net": {
    title: "784-64relu-64relu-10softmax, cross-entropy, SGD 0.1: 97.6 % after 20 epochs",
    layers: [
      dense({ units: 64, activation: "relu", inputShape: [784] }),
      dense({ units: 64, activation: "relu" }),
      dense({ units: 10, activation: "softmax" }),
    ],
    loss: "categoricalCrossentropy",
    learningRate: 0.1,
    batchSize: 128,
    epochs: 20,
  },
  "shallow-net": {
    title: "784-64sigmoid-10softmax, quadratic cost, SGD 0.01: 86 % after 200 epochs",
    layers: [
      dense({ units: 64, activation: "sigmoid", inputShape: [784] }),
      dense({ units: 10, activation: "softmax" }),
    ],
    loss: "meanSquaredError",
    learningRate: 0.01,
    batchSize: 128,
    epochs: 200,
  },
}

/** The names in the order in which they are listed. */
export const netNames: readonly NetName[] = ["intermediate-net", "shallow-net"]

/** True for the name of a network. */
export function isNetName(name: string): name is NetName {
  return (netNames as readonly string[]).includes(name)
}

/** The networks as lines of a help text. */
export function netsHelp(): string {
  return ["Networks:", ...netNames.map((name) => `  ${name}\n    ${nets[name].title}`)].join("\n")
}

/** A network as a compiled model with new weights. */
export function buildNet(name: NetName, options: ModelOptions = {}, learningRate?: number): Model {
  const net = nets[name]
  const model = sequential(net.layers, { ...options, name })
  const optimizer = sgd({ learningRate: learningRate ?? net.learningRate })
  model.compile({ loss: net.loss, optimizer, metrics: ["accuracy"] })
  return model
}
