// The layer that says which steps count. Knows no network.

import { configError } from "../../core/errors.ts"
import { formatShape } from "../../core/shape.ts"
import { largest } from "../../graph/compose.ts"
import { equal, mul, sub } from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { maskFor } from "../masks.ts"
import { finiteNumber, optional } from "../options.ts"

/** The options of {@link masking}. */
export interface MaskingOptions extends LayerOptions {
  /** A step all numbers of which are this does not count (default 0). */
  readonly maskValue?: number
}

/**
 * Steps all numbers of which are `maskValue` become 0 and do not count in the layers after this one that know masks (recurrent
 * ones, means, losses), `[batch, steps, features] -> [batch, steps, features]`. Throws E_CONFIG for a wrong option and for an
 * input without steps. Keras: Masking.
 * @example
 * ```ts
 * import { globalAveragePooling1D, masking, sequential } from "trilobite"
 * const model = sequential([masking({ inputShape: [3, 1] }), globalAveragePooling1D()])
 * const { data } = await model.predict([[[2], [4], [0]]])
 * data[0] // => 3
 * ```
 */
export const masking: LayerFactory<MaskingOptions> = /* @__PURE__ */ layer<MaskingOptions>(
  "Masking",
  { maskValue: optional(finiteNumber(), 0) },
  ({ maskValue }, x, scope) => {
    if (x.shape.length < 2) {
      const what = `the input ${formatShape(x.shape)} has no steps.`
      throw configError({ what, expected: "[batch, steps, features]" })
    }
    const mask = largest(sub(1, equal(x, maskValue)), [-1])
    scope.passMask(mask)
    return mul(x, maskFor(x, mask))
  },
)
