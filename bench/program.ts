// The compiled program of a workload, made by the same functions that `fit` calls. Runs nothing.

import { compile } from "../src/compile/compile.ts"
import { dense } from "../src/nn/layers/dense.ts"
import { readLoss } from "../src/nn/losses.ts"
import { readMetrics } from "../src/nn/metrics.ts"
import { sequentialNetwork } from "../src/nn/network.ts"
import { readOptimizer } from "../src/nn/optimizers.ts"
import type { Numerics, Program } from "../src/program/program.ts"
import { traceTraining } from "../src/train/step.ts"
import type { Workload } from "./workloads.ts"

/** The program that trains a workload. */
export function programOf({ sizes, hidden, output, batch }: Workload, numerics: Numerics): Program {
  const [inputs = 0, ...units] = sizes
  const layers = units.map((n, i) => dense({ units: n, activation: i === units.length - 1 ? output : hidden }))
  const traced = traceTraining(sequentialNetwork(layers), [inputs], [units.at(-1)!], {
    loss: readLoss(output === "softmax" ? "categoricalCrossentropy" : "binaryCrossentropy"),
    optimizer: readOptimizer("sgd"),
    metrics: readMetrics(["accuracy"]),
  })
  return compile(traced.graph, { rows: batch, numerics })
}
