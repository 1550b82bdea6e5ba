// A layer applied to every step of a sequence. Knows no network.

import { configError } from "../../core/errors.ts"
import { formatShape } from "../../core/shape.ts"
import { reshape } from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import type { LayerLike } from "../network.ts"
import { required } from "../options.ts"
import { callInner, layerKind } from "../wrapping.ts"

/** The options of {@link timeDistributed}. */
export interface TimeDistributedOptions extends LayerOptions {
  /** What is applied to each step: a layer or a model. */
  readonly layer: LayerLike
}

/**
 * The same layer, with the same parameters, applied to each step: `[batch, steps, ...] -> [batch, steps, ...out]` with a layer
 * `[batch, ...] -> [batch, ...out]`, which sees the steps of all examples as one batch. Throws E_CONFIG for what is no layer and
 * for an input without steps. Keras: TimeDistributed.
 * @example
 * ```ts
 * import { dense, flatten, input, sequential, timeDistributed } from "trilobite"
 * const each = sequential([flatten(), dense({ units: 4 })])
 * timeDistributed({ layer: each })(input({ shape: [10, 8, 8] })).shape // => [-1, 10, 4]
 * ```
 */
export const timeDistributed: LayerFactory<TimeDistributedOptions> = /* @__PURE__ */ layer<TimeDistributedOptions>(
  "TimeDistributed",
  { layer: required(layerKind()) },
  ({ layer }, x, scope) => {
    const [batch, steps, ...step] = x.shape
    if (batch === undefined || steps === undefined || step.length === 0) {
      const what = `the input ${formatShape(x.shape)} has no steps of numbers.`
      throw configError({ what, expected: "[batch, steps, features, ...]" })
    }
    const [mask] = scope.masks
    const rows = batch * steps
    const inner =
      mask === undefined || mask.shape.length < 3 ? undefined : reshape(mask, [rows, ...mask.shape.slice(2)])
    const [made] = callInner(layer, [{ node: reshape(x, [rows, ...step]), mask: inner }], scope)
    return reshape(made!.node, [batch, steps, ...made!.node.shape.slice(1)])
  },
  { passesMask: true },
)
