// What a model is in a file, whatever the format: the one shape that readers give and writers take. Knows no bytes.

import { internalError } from "../core/errors.ts"
import type { JsonObject } from "../core/json.ts"
import type { Shape } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Node } from "../graph/node.ts"
import { input } from "../graph/ops.ts"
import type { CustomObjects } from "../nn/config.ts"
import { type Network, type NetworkTrace, traceNetwork } from "../nn/network.ts"
import type { Training } from "../nn/training.ts"

/** What a training has got to: rounds that are done, and what the optimizer keeps, by key (`dense/kernel/m`). */
export interface TrainingState {
  readonly step: number
  readonly slots: ReadonlyMap<string, Tensor>
}

/** What a reader is told beside the bytes: things of the user's own, and whether what the model was compiled with is wanted. */
export interface ReadOptions {
  readonly custom: CustomObjects
  readonly compile: boolean
}

/** Files by their names: the first is the one that was asked for. */
export type Files = readonly (readonly [name: string, bytes: Uint8Array])[]

/** The bytes of a file that lies beside the one that is read, by its plain name. */
export type Beside = (name: string) => Promise<Uint8Array>

/** What a model file holds. */
export interface SavedModel {
  readonly network: Network
  /** The shapes of one example, for every input. */
  readonly inputShapes: readonly Shape[]
  readonly compiled: Training | undefined
  /** The parameters by their place in the model: `dense_1/kernel`. */
  readonly weights: ReadonlyMap<string, Tensor>
  readonly state?: TrainingState | undefined
  /** The name of the model, where the format has one. */
  readonly name?: string | undefined
  /** The steps that prepare data for the model, as plain JSON: what they are is known by whoever takes them. */
  readonly preparing?: JsonObject | undefined
}

/** The network traced to be asked: its parameters in order, and the values between. Nothing is allocated. */
export function traceSaved({ network, inputShapes }: Pick<SavedModel, "network" | "inputShapes">): {
  readonly inputs: readonly Node[]
} & NetworkTrace {
  const inputs = inputShapes.map((shape, i) => input(network.inputs[i]!.name, shape))
  return { inputs, ...traceNetwork(network, inputs) }
}

/** The values of a parameter. */
export function weightOf({ weights }: Pick<SavedModel, "weights">, key: string): Tensor {
  const found = weights.get(key)
  if (found === undefined) throw internalError(`The weight ${key} is missing.`)
  return found
}
