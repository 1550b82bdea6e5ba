// Activation functions by name. Knows no layers.

import { isOp, type Node } from "../graph/node.ts"
import { relu, sigmoid, softmax, tanh } from "../graph/ops.ts"
import { lookUp } from "./names.ts"
import { type Kind, oneOf } from "./options.ts"

/** Activation functions: the one table of their names. */
export const activations = {
  /** z. */
  linear: (z: Node): Node => z,
  /** 1 / (1 + e⁻ᶻ). */
  sigmoid: (z: Node): Node => sigmoid(z),
  /** The hyperbolic tangent. */
  tanh: (z: Node): Node => tanh(z),
  /** max(0, z), with slope 0 at 0. */
  relu: (z: Node): Node => relu(z),
  /** eᶻ / Σ eᶻ over the last axis. */
  softmax: (z: Node): Node => softmax(z),
} as const

/** The name of an activation function: linear, sigmoid, tanh, relu or softmax. */
export type ActivationName = keyof typeof activations

/** The names of all activation functions. */
export const activationNames: readonly ActivationName[] = Object.keys(activations) as ActivationName[]

/** The activation a of the weighted inputs z. Throws E_CONFIG for an unknown name. */
export function activate(name: ActivationName, z: Node): Node {
  return activations[lookUp("activate", "activation", name, activationNames)](z)
}

/** The activation function that made a value: linear if it is none of the others. */
export function activationOf(a: Node): ActivationName {
  return activationNames.find((name) => name !== "linear" && isOp(a, name)) ?? "linear"
}

/** The values of an option that names an activation function. */
export function activationName(): Kind<ActivationName> {
  return oneOf("activation", activationNames)
}
