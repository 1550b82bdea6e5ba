// A price for the size of a layer's output. Knows no network.

import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { finiteNumber, optional } from "../options.ts"
import { traceRegularizer } from "../regularizers.ts"

/** The options of {@link activityRegularization}. */
export interface ActivityRegularizationOptions extends LayerOptions {
  /** What Σ |x| counts in the cost (default 0). */
  readonly l1?: number
  /** What Σ x² counts in the cost (default 0). */
  readonly l2?: number
}

/**
 * Gives what it gets and adds l1 · Σ |x| + l2 · Σ x² over the batch to the cost, `[...] -> [...]`. Throws E_CONFIG for a wrong
 * option. Keras: ActivityRegularization.
 * @example
 * ```ts
 * import { activityRegularization } from "trilobite"
 * activityRegularization({ l1: 0.01 }).config.l2 // => 0
 * ```
 */
export const activityRegularization: LayerFactory<ActivityRegularizationOptions> =
  /* @__PURE__ */ layer<ActivityRegularizationOptions>(
    "ActivityRegularization",
    { l1: optional(finiteNumber({ least: 0 }), 0), l2: optional(finiteNumber({ least: 0 }), 0) },
    ({ l1, l2 }, x, scope) => {
      scope.addLoss(traceRegularizer({ type: "l1l2", l1, l2 }, x))
      return x
    },
    { passesMask: true },
  )
