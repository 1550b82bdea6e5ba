// A workload as this library's users write it: the network, and the rows. The library is given, built or as its sources.

import { asTargets, readRows } from "./peers/common.ts"
import type { Task } from "./workloads.ts"

type Library = Pick<typeof import("../src/index.ts"), "dense" | "sequential" | "sgd" | "tensor">
type Model = ReturnType<Library["sequential"]>
type Tensor = ReturnType<Library["tensor"]>

/** How the engine computes; threads are the library's own choice where absent. */
export interface Engine {
  readonly numerics: "fused" | "portable"
  readonly wideVectors: boolean
  readonly threads?: number
}

/** The network of a workload, compiled. */
export function modelOf({ dense, sequential, sgd }: Library, task: Task, engine: Engine): Model {
  const [inputs = 0, ...units] = task.sizes
  const layers = units.map((n, i) =>
    dense({
      units: n,
      activation: i === units.length - 1 ? task.output : task.hidden,
      ...(i === 0 ? { inputShape: [inputs] } : {}),
    }),
  )
  const model = sequential(layers, { seed: 1, ...engine })
  model.compile({
    loss: task.output === "softmax" ? "categoricalCrossentropy" : "binaryCrossentropy",
    optimizer: sgd({ learningRate: task.learningRate }),
    metrics: ["accuracy"],
  })
  return model
}

/** Its rows. Bytes stay bytes: the engine divides by 255 while it gathers a batch. */
export function examplesOf(
  { tensor }: Library,
  task: Task,
  part: "train" | "test",
): { readonly x: Tensor; readonly y: Tensor } {
  const read = readRows(task, part)
  const x = tensor(read.x, [read.rows, task.sizes[0]!])
  return {
    x: task.kind === "uint8" ? { ...x, dtype: "unorm8" } : x,
    y: tensor(asTargets(task, read), [read.rows, task.sizes.at(-1)!]),
  }
}
