// Layers of neurons with weights, a bias and an activation: their common options, and what they do. Knows no layer.

import type { Shape } from "../../core/shape.ts"
import type { Node } from "../../graph/node.ts"
import { add } from "../../graph/ops.ts"
import { type Activation, activate, activationKind } from "../activations.ts"
import { type Constraint, constraintKind, limitOf } from "../constraints.ts"
import { type Initializer, initializerKind } from "../initializers.ts"
import { flag, type OptionTable, optional, type Resolved } from "../options.ts"
import { penaltyOf, type Regularizer, regularizerKind, traceRegularizer } from "../regularizers.ts"
import type { Scope } from "../scope.ts"

/** The options of weights, and of what follows them. */
export interface WeightedOptions extends OutputOptions, KernelOptions {}

/** The options of a bias and of what follows it. */
export interface OutputOptions {
  /** The function that each neuron applies to its weighted input (default linear). */
  readonly activation?: Activation
  /** Whether each neuron has a bias (default true). */
  readonly useBias?: boolean
  /** How the biases begin (default zeros). */
  readonly biasInitializer?: Initializer
  /** What is added to the cost for the biases (default nothing). */
  readonly biasRegularizer?: Regularizer | null
  /** What is added to the cost for the output of a batch (default nothing). */
  readonly activityRegularizer?: Regularizer | null
  /** What the biases become after every update (default what they are). */
  readonly biasConstraint?: Constraint | null
}

/** The options of weights. */
interface KernelOptions {
  /** How the weights begin (default glorotUniform). */
  readonly kernelInitializer?: Initializer
  /** What is added to the cost for the weights (default nothing). */
  readonly kernelRegularizer?: Regularizer | null
  /** What the weights become after every update (default what they are). */
  readonly kernelConstraint?: Constraint | null
}

const outputOptions: OptionTable<OutputOptions> = {
  activation: optional(activationKind(), "linear"),
  useBias: optional(flag(), true),
  biasInitializer: optional(initializerKind(), "zeros"),
  biasRegularizer: optional(regularizerKind(), null),
  activityRegularizer: optional(regularizerKind(), null),
  biasConstraint: optional(constraintKind(), null),
}

/** Options of a layer, then those of its bias and what follows: a call, so that bundlers can leave out what nobody uses. */
/* @__NO_SIDE_EFFECTS__ */
export function withOutput<A extends object>(before: A): A & OptionTable<OutputOptions> {
  return { ...before, ...outputOptions }
}

/** The same with the options of weights among them. */
/* @__NO_SIDE_EFFECTS__ */
export function withWeights<A extends object>(before: A): A & OptionTable<WeightedOptions> {
  return {
    ...before,
    activation: outputOptions.activation,
    useBias: outputOptions.useBias,
    kernelInitializer: optional(initializerKind(), "glorotUniform"),
    biasInitializer: outputOptions.biasInitializer,
    kernelRegularizer: optional(regularizerKind(), null),
    biasRegularizer: outputOptions.biasRegularizer,
    activityRegularizer: outputOptions.activityRegularizer,
    kernelConstraint: optional(constraintKind(), null),
    biasConstraint: outputOptions.biasConstraint,
  }
}

/** The same without an activation. */
/* @__NO_SIDE_EFFECTS__ */
export function withParameters<A extends object>(before: A): A & OptionTable<Omit<WeightedOptions, "activation">> {
  const { activation: _, ...others } = withWeights(before)
  return others as unknown as A & OptionTable<Omit<WeightedOptions, "activation">>
}

/** The weights of a layer. */
export function kernelOf(config: Resolved<KernelOptions>, scope: Scope, shape: Shape, name = "kernel"): Node {
  return scope.parameter(name, shape, config.kernelInitializer, {
    regularizer: penaltyOf(config.kernelRegularizer),
    constraint: limitOf(config.kernelConstraint),
  })
}

/** What a layer makes of its weighted inputs, the neurons along the last axis: with the bias, through the activation. */
export function outputOf(config: Resolved<OutputOptions>, scope: Scope, weighted: Node): Node {
  let z = weighted
  if (config.useBias) {
    const regularizer = penaltyOf(config.biasRegularizer)
    const constraint = limitOf(config.biasConstraint)
    z = add(z, scope.parameter("bias", z.shape.slice(-1), config.biasInitializer, { regularizer, constraint }))
  }
  const a = activate(config.activation, z)
  if (config.activityRegularizer !== null) scope.addLoss(traceRegularizer(config.activityRegularizer, a))
  return a
}
