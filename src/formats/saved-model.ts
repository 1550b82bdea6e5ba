// What a model is in a file, whatever the format: the one shape that readers give and writers take. Knows no bytes.

import { internalError } from "../core/errors.ts"
import type { JsonObject } from "../core/json.ts"
import { type Shape, size } from "../core/shape.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Node } from "../graph/node.ts"
import { input } from "../graph/ops.ts"
import type { CustomObjects } from "../nn/config.ts"
import { type Network, type NetworkTrace, traceNetwork } from "../nn/network.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import type { Training } from "../nn/training.ts"

/** What a training has got to: rounds that are done, and what the optimizer keeps, by key (`dense/kernel/m`). */
export interface TrainingState {
  readonly step: number
  readonly slots: ReadonlyMap<string, Tensor>
}

/** What a callback keeps between epochs, as plain data: numbers, texts, lists of numbers, tensors. Its `type` says whose it is. */
export interface CallbackState {
  readonly type: string
  readonly [name: string]: number | boolean | string | null | readonly number[] | readonly Tensor[]
}

/** An event that not all callbacks have been told of: those from number `from` on have not. */
export interface Untold {
  readonly event: JsonObject
  readonly from: number
}

/** Where a training stands between two rounds, as plain data: beside weights and optimizer all that it needs to go on. */
export interface Progress {
  /** The epoch that is under way or comes next, and the one that the training began with, from 0. */
  readonly epoch: number
  readonly initialEpoch: number
  /** What is done of that epoch; undefined before it begins. `sums` are those of the logs, over so many rows. */
  readonly within:
    | {
        readonly round: number
        readonly seconds: number
        readonly rows: number
        readonly sums: readonly (readonly number[])[]
      }
    | undefined
  /** Seconds of training in finished epochs, and the logs of the last one. */
  readonly seconds: number
  readonly last: { readonly [name: string]: number }
  /** Whether a callback has ended the training. */
  readonly stopping: boolean
  readonly history: {
    readonly epoch: readonly number[]
    readonly seconds: readonly number[]
    readonly history: { readonly [name: string]: readonly number[] }
    readonly tables: { readonly [name: string]: readonly (readonly number[] | readonly (readonly number[])[])[] }
  }
  readonly callbacks: readonly (CallbackState | null)[]
  readonly untold: Untold | undefined
  /** What the bits of the training depend on beside the model: options, seed, arithmetic, a fingerprint of the data. */
  readonly run: JsonObject
  /** The weights where the training stands, if its end has put others in their place (best weights, running means). */
  readonly weights: ReadonlyMap<string, Tensor> | undefined
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
  /** Where its training stands, if it was saved in the middle of one. */
  readonly progress?: Progress | undefined
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

/** The parameters of which files of Keras hold values: not what stateful layers carry from batch to batch. */
export function weightsInKeras(parameters: readonly ParameterSpec[]): readonly ParameterSpec[] {
  return parameters.filter(({ carried }) => carried !== true)
}

/** The values of such a file, and zeros for what is carried. */
export function withCarried(
  weights: ReadonlyMap<string, Tensor>,
  parameters: readonly ParameterSpec[],
): ReadonlyMap<string, Tensor> {
  const carried = parameters.filter(({ carried }) => carried === true)
  const zeros = carried.map(({ variable: { key, shape } }): [string, Tensor] => {
    return [key, { dtype: "float32", shape, data: new Float32Array(size(shape)) }]
  })
  return new Map([...weights, ...zeros])
}

/** The values of a parameter. */
export function weightOf({ weights }: Pick<SavedModel, "weights">, key: string): Tensor {
  const found = weights.get(key)
  if (found === undefined) throw internalError(`The weight ${key} is missing.`)
  return found
}
