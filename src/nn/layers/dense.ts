// The fully connected layer. Knows no network.

import { configError } from "../../core/errors.ts"
import { formatShape, size } from "../../core/shape.ts"
import { add, matmul, reshape } from "../../graph/ops.ts"
import { type Activation, activate, activationKind } from "../activations.ts"
import { type Constraint, constraintKind, limitOf } from "../constraints.ts"
import { type Initializer, initializerKind } from "../initializers.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { flag, optional, positiveInteger, required } from "../options.ts"
import { penaltyOf, type Regularizer, regularizerKind, traceRegularizer } from "../regularizers.ts"

/** The options of {@link dense}. */
export interface DenseOptions extends LayerOptions {
  /** The number of neurons: the last size of the output. */
  readonly units: number
  /** The function that each neuron applies to its weighted input (default linear). */
  readonly activation?: Activation
  /** Whether each neuron has a bias (default true). */
  readonly useBias?: boolean
  /** How the weights begin (default glorotUniform). */
  readonly kernelInitializer?: Initializer
  /** How the biases begin (default zeros). */
  readonly biasInitializer?: Initializer
  /** What is added to the cost for the weights (default nothing). */
  readonly kernelRegularizer?: Regularizer | null
  /** What is added to the cost for the biases (default nothing). */
  readonly biasRegularizer?: Regularizer | null
  /** What is added to the cost for the output of a batch (default nothing). */
  readonly activityRegularizer?: Regularizer | null
  /** What the weights become after every update (default what they are). */
  readonly kernelConstraint?: Constraint | null
  /** What the biases become after every update (default what they are). */
  readonly biasConstraint?: Constraint | null
}

/**
 * A fully connected layer: a = activation(x·W + b), `[..., in] -> [..., units]`, with W `[in, units]` and b `[units]`.
 * An input of more than two axes is seen as rows along its last axis.
 * Throws E_CONFIG for a wrong option. Keras: Dense.
 * @example
 * ```ts
 * import { dense } from "trilobite"
 * const hidden = dense({ units: 64, activation: "relu", inputShape: [784] })
 * hidden.config.kernelInitializer // => "glorotUniform"
 * ```
 */
export const dense: LayerFactory<DenseOptions> = /* @__PURE__ */ layer<DenseOptions>(
  "Dense",
  {
    units: required(positiveInteger()),
    activation: optional(activationKind(), "linear"),
    useBias: optional(flag(), true),
    kernelInitializer: optional(initializerKind(), "glorotUniform"),
    biasInitializer: optional(initializerKind(), "zeros"),
    kernelRegularizer: optional(regularizerKind(), null),
    biasRegularizer: optional(regularizerKind(), null),
    activityRegularizer: optional(regularizerKind(), null),
    kernelConstraint: optional(constraintKind(), null),
    biasConstraint: optional(constraintKind(), null),
  },
  (config, x, scope) => {
    const { units, useBias } = config
    const rows = x.shape.slice(0, -1)
    const last = x.shape[x.shape.length - 1]!
    if (rows.length === 0) {
      const what = `the input ${formatShape(x.shape)} has one number for each example, without an axis for it.`
      throw configError({ what, expected: "[batch, ..., features]", hint: "Give the input the shape [1]." })
    }
    const kernel = scope.parameter("kernel", [last, units], config.kernelInitializer, {
      regularizer: penaltyOf(config.kernelRegularizer),
      constraint: limitOf(config.kernelConstraint),
    })
    let z = reshape(matmul(reshape(x, [size(rows), last]), kernel), [...rows, units])
    if (useBias) {
      const regularizer = penaltyOf(config.biasRegularizer)
      const constraint = limitOf(config.biasConstraint)
      z = add(z, scope.parameter("bias", [units], config.biasInitializer, { regularizer, constraint }))
    }
    const a = activate(config.activation, z)
    if (config.activityRegularizer !== null) scope.addLoss(traceRegularizer(config.activityRegularizer, a))
    return a
  },
  { passesMask: true },
)
