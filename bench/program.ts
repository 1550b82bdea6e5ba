// The compiled program of a workload, made by the same functions that `fit` calls. Runs nothing.

import { compile } from "../src/compile/compile.ts"
import { dense } from "../src/nn/layers/dense.ts"
import { sequentialNetwork } from "../src/nn/network.ts"
import { readTraining } from "../src/nn/training.ts"
import type { Numerics, Program } from "../src/program/program.ts"
import { traceTraining } from "../src/train/step.ts"
import type { Workload } from "./workloads.ts"

/** The program that trains a workload. */
export function programOf(
  { sizes, hidden, output, batch }: Pick<Workload, "sizes" | "hidden" | "output" | "batch">,
  numerics: Numerics,
): Program {
  const [inputs = 0, ...units] = sizes
  const layers = units.map((n, i) => dense({ units: n, activation: i === units.length - 1 ? output : hidden }))
  const network = sequentialNetwork(layers)
  const loss = output === "softmax" ? "categoricalCrossentropy" : "binaryCrossentropy"
  const training = readTraining(network, { loss, optimizer: "sgd", metrics: ["accuracy"] })
  const traced = traceTraining(network, [[inputs]], training, { targetShapes: [[units.at(-1)!]] })
  return compile(traced.graph, { rows: batch, numerics })
}
