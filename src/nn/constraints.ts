// What weights become after every update, by name. Knows no layers.

import { square, sum } from "../graph/compose.ts"
import type { Node } from "../graph/node.ts"
import { add, div, lessEqual, max, min, mul, sqrt } from "../graph/ops.ts"
import type { Spelling } from "./names.ts"
import { finiteNumber, type Kind, type OptionsOf, optional, that } from "./options.ts"
import { readSpec } from "./spec.ts"

/** One axis or several. */
type Axes = number | readonly number[]

interface ConstraintOptions {
  readonly maxNorm: { readonly maxValue: number; readonly axis: Axes }
  readonly minMaxNorm: {
    readonly minValue: number
    readonly maxValue: number
    readonly rate: number
    readonly axis: Axes
  }
  readonly nonNeg: Record<never, never>
  readonly unitNorm: { readonly axis: Axes }
}

/** The name of a constraint. */
export type ConstraintName = keyof ConstraintOptions

/** A constraint as plain data, complete. */
export type ConstraintSpec = { [T in ConstraintName]: { readonly type: T } & ConstraintOptions[T] }[ConstraintName]

/** A constraint: a name, or an object as the functions of that name give it. */
export type Constraint = Spelling<ConstraintName> | ConstraintSpec

interface Row<C> {
  readonly options: OptionsOf<C>
  readonly apply: (w: Node, config: C) => Node
}

const isAxes = (value: unknown): value is Axes =>
  Number.isInteger(value) || (Array.isArray(value) && value.length > 0 && value.every(Number.isInteger))

const size = finiteNumber({ least: 0 })
const axis = optional(that<Axes>("an axis, or a list of them", isAxes), 0)

/** Keras's fuzz factor: what is added to a length that is divided by. */
const EPSILON = 1e-7

const lengths = (w: Node, axes: Axes): Node => sqrt(sum(square(w), typeof axes === "number" ? [axes] : axes, true))

/** The table of constraints. */
export const constraints: { readonly [T in ConstraintName]: Row<ConstraintOptions[T]> } = {
  maxNorm: {
    options: { maxValue: optional(size, 2), axis },
    apply: (w, { maxValue, axis }) => {
      const norms = lengths(w, axis)
      return mul(w, div(min(norms, maxValue), add(norms, EPSILON)))
    },
  },
  minMaxNorm: {
    options: { minValue: optional(size, 0), maxValue: optional(size, 1), rate: optional(size, 1), axis },
    apply: (w, { minValue, maxValue, rate, axis }) => {
      const norms = lengths(w, axis)
      const wanted = add(mul(min(max(norms, minValue), maxValue), rate), mul(norms, 1 - rate))
      return mul(w, div(wanted, add(norms, EPSILON)))
    },
  },
  nonNeg: { options: {}, apply: (w) => mul(w, lessEqual(0, w)) },
  unitNorm: { options: { axis }, apply: (w, { axis }) => div(w, add(lengths(w, axis), EPSILON)) },
}

/** What these weights become, traced. */
export function applyConstraint(constraint: Constraint, w: Node): Node {
  const spec = readConstraint(constraint)
  const { apply }: { apply: (w: Node, config: never) => Node } = constraints[spec.type]
  return apply(w, spec as never)
}

/** The values of an option that takes a constraint, or null for none. */
/* @__NO_SIDE_EFFECTS__ */
export function constraintKind(): Kind<ConstraintSpec | null> {
  return {
    expected: "the name of a constraint or what one of these functions gives",
    read: (value, where) => (value === null ? null : readConstraint(value, where)),
  }
}

/** The constraint that a name or an object stands for, complete. Throws E_CONFIG for unknown names, options and values. */
export function readConstraint(value: unknown, where = "constraint"): ConstraintSpec {
  return readSpec<ConstraintSpec>(where, "constraint", constraints, value)
}

/** A constraint as the trace of a parameter takes it. */
export function limitOf(constraint: Constraint | null): ((w: Node) => Node) | undefined {
  return constraint === null ? undefined : (w) => applyConstraint(constraint, w)
}

const make = <T extends ConstraintName>(type: T, options: object): ConstraintSpec & { readonly type: T } =>
  readConstraint({ ...options, type }, type) as ConstraintSpec & { readonly type: T }

/**
 * Vectors of weights along an axis (0: the weights into one neuron) become at most `maxValue` long. Throws E_CONFIG for a wrong
 * option. Source: Srivastava et al. 2014. Keras: MaxNorm.
 * @example
 * ```ts
 * import { maxNorm } from "trilobite"
 * maxNorm() // => { type: "maxNorm", maxValue: 2, axis: 0 }
 * ```
 */
export const maxNorm = (options: Partial<ConstraintOptions["maxNorm"]> = {}): ConstraintSpec => make("maxNorm", options)

/**
 * Vectors of weights along an axis move their length towards minValue..maxValue, by the share `rate` of the way. Throws
 * E_CONFIG for a wrong option. Keras: MinMaxNorm.
 * @example
 * ```ts
 * import { minMaxNorm } from "trilobite"
 * minMaxNorm({ minValue: 0.5 }) // => { type: "minMaxNorm", minValue: 0.5, maxValue: 1, rate: 1, axis: 0 }
 * ```
 */
export const minMaxNorm = (options: Partial<ConstraintOptions["minMaxNorm"]> = {}): ConstraintSpec =>
  make("minMaxNorm", options)

/**
 * Weights below 0 become 0. Keras: NonNeg.
 * @example
 * ```ts
 * import { nonNeg } from "trilobite"
 * nonNeg() // => { type: "nonNeg" }
 * ```
 */
export const nonNeg = (): ConstraintSpec => make("nonNeg", {})

/**
 * Vectors of weights along an axis get the length 1. Throws E_CONFIG for a wrong option. Keras: UnitNorm.
 * @example
 * ```ts
 * import { unitNorm } from "trilobite"
 * unitNorm({ axis: 1 }) // => { type: "unitNorm", axis: 1 }
 * ```
 */
export const unitNorm = (options: Partial<ConstraintOptions["unitNorm"]> = {}): ConstraintSpec =>
  make("unitNorm", options)
