// The γ and β of layers that normalize: their options, and what they do. Knows no layer.

import type { Shape } from "../../core/shape.ts"
import type { Node } from "../../graph/node.ts"
import { add, mul } from "../../graph/ops.ts"
import { type Constraint, constraintKind, limitOf } from "../constraints.ts"
import { type Initializer, initializerKind } from "../initializers.ts"
import { flag, type OptionTable, optional, type Resolved } from "../options.ts"
import { penaltyOf, type Regularizer, regularizerKind } from "../regularizers.ts"
import type { Scope } from "../scope.ts"

/** The options of γ and β. */
export interface AffineOptions {
  /** Whether β is added (default true). */
  readonly center?: boolean
  /** Whether the result is multiplied by γ (default true). */
  readonly scale?: boolean
  /** How β begins (default zeros). */
  readonly betaInitializer?: Initializer
  /** How γ begins (default ones). */
  readonly gammaInitializer?: Initializer
  /** What is added to the cost for β (default nothing). */
  readonly betaRegularizer?: Regularizer | null
  /** What is added to the cost for γ (default nothing). */
  readonly gammaRegularizer?: Regularizer | null
  /** What β becomes after every update (default what it is). */
  readonly betaConstraint?: Constraint | null
  /** What γ becomes after every update (default what it is). */
  readonly gammaConstraint?: Constraint | null
}

/** The table of these options. */
const options: OptionTable<AffineOptions> = {
  center: optional(flag(), true),
  scale: optional(flag(), true),
  betaInitializer: optional(initializerKind(), "zeros"),
  gammaInitializer: optional(initializerKind(), "ones"),
  betaRegularizer: optional(regularizerKind(), null),
  gammaRegularizer: optional(regularizerKind(), null),
  betaConstraint: optional(constraintKind(), null),
  gammaConstraint: optional(constraintKind(), null),
}

/** Options of a layer with those of γ and β among them: a call, so that bundlers can leave out a layer that nobody uses. */
/* @__NO_SIDE_EFFECTS__ */
export function withAffine<A extends object, B extends object>(
  before: A,
  after?: B,
): A & OptionTable<AffineOptions> & B {
  return { ...before, ...options, ...(after as B) }
}

/** γ and β of a shape, asked of the scope now, and what they make of a value once it is normalized. */
export function affine(
  config: Resolved<AffineOptions>,
  scope: Scope,
  shape: Shape,
  along: (v: Node) => Node = (v) => v,
): (normal: Node) => Node {
  const gamma = config.scale
    ? scope.parameter("gamma", shape, config.gammaInitializer, {
        regularizer: penaltyOf(config.gammaRegularizer),
        constraint: limitOf(config.gammaConstraint),
      })
    : undefined
  const beta = config.center
    ? scope.parameter("beta", shape, config.betaInitializer, {
        regularizer: penaltyOf(config.betaRegularizer),
        constraint: limitOf(config.betaConstraint),
      })
    : undefined
  return (normal) => {
    const scaled = gamma === undefined ? normal : mul(normal, along(gamma))
    return beta === undefined ? scaled : add(scaled, along(beta))
  }
}
