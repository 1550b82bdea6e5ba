// What is added to the cost for the size of weights, by name. Knows no layers.

import { configError } from "../core/errors.ts"
import { formatShape } from "../core/shape.ts"
import { square, sum } from "../graph/compose.ts"
import type { Node } from "../graph/node.ts"
import { abs, add, div, equal, indexOver, matmul, max, mul, reshape, sqrt, sub } from "../graph/ops.ts"
import type { Spelling } from "./names.ts"
import { finiteNumber, type Kind, type OptionsOf, oneOf, optional } from "./options.ts"
import { readSpec } from "./spec.ts"

interface RegularizerOptions {
  readonly l1: { readonly l1: number }
  readonly l2: { readonly l2: number }
  readonly l1l2: { readonly l1: number; readonly l2: number }
  readonly orthogonalRegularizer: { readonly factor: number; readonly mode: "rows" | "columns" }
}

/** The name of a regularizer. */
export type RegularizerName = keyof RegularizerOptions

/** A regularizer as plain data, complete. */
export type RegularizerSpec = { [T in RegularizerName]: { readonly type: T } & RegularizerOptions[T] }[RegularizerName]

/** A regularizer: a name, or an object as the functions of that name give it. */
export type Regularizer = Spelling<RegularizerName> | "l1_l2" | "L1" | "L2" | "L1L2" | RegularizerSpec

interface Row<C> {
  readonly options: OptionsOf<C>
  readonly penalty: (w: Node, config: C) => Node
}

const factor = finiteNumber({ least: 0 })

/** The least squared length by which a row is divided. */
const LEAST = 1e-12

/** The table of regularizers. */
export const regularizers: { readonly [T in RegularizerName]: Row<RegularizerOptions[T]> } = {
  l1: { options: { l1: optional(factor, 0.01) }, penalty: (w, { l1 }) => mul(sum(abs(w)), l1) },
  l2: { options: { l2: optional(factor, 0.01) }, penalty: (w, { l2 }) => mul(sum(square(w)), l2) },
  l1l2: {
    options: { l1: optional(factor, 0), l2: optional(factor, 0) },
    penalty: (w, { l1, l2 }) => add(mul(sum(abs(w)), l1), mul(sum(square(w)), l2)),
  },
  orthogonalRegularizer: {
    options: { factor: optional(factor, 0.01), mode: optional(oneOf("mode", ["rows", "columns"] as const), "rows") },
    penalty: (w, config) => {
      if (w.shape.length !== 2) {
        const what = "orthogonalRegularizer is for matrices."
        throw configError({ where: "regularizer", what, expected: "[rows, columns]", got: formatShape(w.shape) })
      }
      const byRow = config.mode === "rows"
      const unit = div(w, sqrt(max(sum(square(w), [byRow ? 1 : 0], true), LEAST)))
      const products = matmul(unit, unit, byRow ? { transposeB: true } : { transposeA: true })
      const n = products.shape[0]!
      const diagonal = equal(reshape(indexOver([n]), [n, 1]), indexOver([n]))
      const others = sum(abs(mul(products, sub(1, diagonal))))
      return mul(others, n < 2 ? 0 : config.factor / (n * (n - 1)))
    },
  },
}

/** What is added to the cost for these weights, traced; shape []. */
export function traceRegularizer(regularizer: Regularizer, w: Node): Node {
  const spec = readRegularizer(regularizer)
  const { penalty }: { penalty: (w: Node, config: never) => Node } = regularizers[spec.type]
  return penalty(w, spec as never)
}

/** The values of an option that takes a regularizer, or null for none. */
/* @__NO_SIDE_EFFECTS__ */
export function regularizerKind(): Kind<RegularizerSpec | null> {
  return {
    expected: "the name of a regularizer or what one of these functions gives",
    read: (value, where) => (value === null ? null : readRegularizer(value, where)),
  }
}

/** The regularizer that a name or an object stands for, complete. Throws E_CONFIG for unknown names, options and values. */
export function readRegularizer(value: unknown, where = "regularizer"): RegularizerSpec {
  // Keras's names of the two together begin with zeros, which would do nothing: as a name they mean a hundredth each.
  const named = typeof value === "string" && /^(l1_?l2)$/i.test(value) ? { type: "l1l2", l1: 0.01, l2: 0.01 } : value
  return readSpec<RegularizerSpec>(where, "regularizer", regularizers, named)
}

/** A regularizer as the trace of a parameter takes it. */
export function penaltyOf(regularizer: Regularizer | null): ((w: Node) => Node) | undefined {
  return regularizer === null ? undefined : (w) => traceRegularizer(regularizer, w)
}

const make = <T extends RegularizerName>(type: T, options: object): RegularizerSpec & { readonly type: T } =>
  readRegularizer({ ...options, type }, type) as RegularizerSpec & { readonly type: T }

/**
 * l1 · Σ |w|: weights that do little become 0. Throws E_CONFIG for a wrong option. Keras: L1.
 * @example
 * ```ts
 * import { dense, l1 } from "trilobite"
 * dense({ units: 1, kernelRegularizer: l1({ l1: 0.1 }) }).config.kernelRegularizer // => { type: "l1", l1: 0.1 }
 * ```
 */
export const l1 = (options: { readonly l1?: number } = {}): RegularizerSpec => make("l1", options)

/**
 * l2 · Σ w²: weight decay by the cost. Throws E_CONFIG for a wrong option. Keras: L2.
 * @example
 * ```ts
 * import { l2 } from "trilobite"
 * l2() // => { type: "l2", l2: 0.01 }
 * ```
 */
export const l2 = (options: { readonly l2?: number } = {}): RegularizerSpec => make("l2", options)

/**
 * l1 · Σ |w| + l2 · Σ w² (Zou and Hastie 2005). Throws E_CONFIG for a wrong option. Keras: L1L2.
 * @example
 * ```ts
 * import { l1l2 } from "trilobite"
 * l1l2({ l2: 0.001 }) // => { type: "l1l2", l1: 0, l2: 0.001 }
 * ```
 */
export const l1l2 = (options: { readonly l1?: number; readonly l2?: number } = {}): RegularizerSpec =>
  make("l1l2", options)

/**
 * factor · the mean |cosine| of all pairs of rows (or columns) of a matrix: keeps them apart (Brock et al. 2016). Throws
 * E_CONFIG for a wrong option. Keras: OrthogonalRegularizer.
 * @example
 * ```ts
 * import { orthogonalRegularizer } from "trilobite"
 * orthogonalRegularizer() // => { type: "orthogonalRegularizer", factor: 0.01, mode: "rows" }
 * ```
 */
export const orthogonalRegularizer = (
  options: { readonly factor?: number; readonly mode?: "rows" | "columns" } = {},
): RegularizerSpec => make("orthogonalRegularizer", options)
