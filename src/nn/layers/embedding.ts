// A vector for every number. Knows no network.

import { equal, sub } from "../../graph/ops.ts"
import { lookup } from "../../graph/places.ts"
import { type Constraint, constraintKind, limitOf } from "../constraints.ts"
import { type Initializer, initializerKind } from "../initializers.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { flag, optional, positiveInteger, required } from "../options.ts"
import { penaltyOf, type Regularizer, regularizerKind } from "../regularizers.ts"

/** The options of {@link embedding}. */
export interface EmbeddingOptions extends LayerOptions {
  /** How many numbers there are: inputs are whole numbers from 0 to inputDim − 1. */
  readonly inputDim: number
  /** The length of the vectors. */
  readonly outputDim: number
  /** How the vectors begin (default uniform: from −0.05 to 0.05). */
  readonly embeddingsInitializer?: Initializer
  /** What is added to the cost for the vectors (default nothing). */
  readonly embeddingsRegularizer?: Regularizer | null
  /** What the vectors become after every update (default what they are). */
  readonly embeddingsConstraint?: Constraint | null
  /** Whether 0 stands for nothing: layers and losses that know masks leave it out (default false). */
  readonly maskZero?: boolean
}

/**
 * The vector of each number, `[batch, ...] -> [batch, ..., outputDim]`: rows of a table that is learnt. Throws E_CONFIG for a wrong
 * option. Numbers that are no row of the table are an error of the data when the layer is the first of a model; inside a model
 * they are cut to the table. Keras: Embedding.
 * @example
 * ```ts
 * import { embedding, flatten, dense, sequential } from "trilobite"
 * const model = sequential([
 *   embedding({ inputDim: 1000, outputDim: 16, inputShape: [5] }),
 *   flatten(),
 *   dense({ units: 1, activation: "sigmoid" }),
 * ])
 * model.countParams() // => 16081
 * ```
 */
export const embedding: LayerFactory<EmbeddingOptions> = /* @__PURE__ */ layer<EmbeddingOptions>(
  "Embedding",
  {
    inputDim: required(positiveInteger()),
    outputDim: required(positiveInteger()),
    embeddingsInitializer: optional(initializerKind(), "randomUniform"),
    embeddingsRegularizer: optional(regularizerKind(), null),
    embeddingsConstraint: optional(constraintKind(), null),
    maskZero: optional(flag(), false),
  },
  (config, x, scope) => {
    if (config.maskZero) scope.passMask(sub(1, equal(x, 0)))
    const table = scope.parameter("embeddings", [config.inputDim, config.outputDim], config.embeddingsInitializer, {
      regularizer: penaltyOf(config.embeddingsRegularizer),
      constraint: limitOf(config.embeddingsConstraint),
    })
    return lookup(table, x)
  },
)
